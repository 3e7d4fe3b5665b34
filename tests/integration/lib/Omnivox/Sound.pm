# Sound.pm: which tones are in a recording, and when. The levels come from ovx-tone (Goertzel).
package Omnivox::Sound;

use strict;
use warnings;

use Exporter 'import';
use Omnivox::Stage;

our @EXPORT_OK = qw(tones heard_order quiet_between);

my $LOUD = -35;    # dBFS: a tone that somebody says
my $QUIET = -60;   # dBFS: nothing but rounding
my $AT_LEAST = 5;  # windows of 100 ms

# The loudest tone of each 100 ms window: a frequency, or 0 for silence, undef for anything else.
sub tones {
	my ($wav, @hz) = @_;
	my %seen;
	my @freqs = sort { $a <=> $b } grep { !$seen{$_}++ } @hz;
	open my $fh, '-|', "$Omnivox::Stage::BUILD/tests/tools/ovx-tone", $wav, @freqs
		or die "ovx-tone: $!";
	my (@windows, %level, $at);
	my $close = sub {
		return unless defined $at;
		my ($best) = sort { $level{$b} <=> $level{$a} } grep { $_ ne 'total' } keys %level;
		push @windows, $level{total} < $QUIET ? 0 : $level{$best} > $LOUD ? $best : undef;
		%level = ();
	};
	while (<$fh>) {
		my ($t, $what, $db) = split;
		$close->() if !defined $at || $t != $at;
		$at = $t;
		$level{$what} = $db;
	}
	$close->();
	close $fh or die "ovx-tone failed on $wav";
	return \@windows;
}

# The tones in order of appearance, each that lasted.
sub heard_order {
	my ($windows) = @_;
	my (@order, %run);
	my $last = 0;
	for my $w (map { $_ // 0 } @$windows) {
		$run{$w} = $w == $last ? ($run{$w} || 0) + 1 : 1;
		$last = $w;
		push @order, $w if $w && $run{$w} == $AT_LEAST && (!@order || $order[-1] != $w);
	}
	return @order;
}

# Whether every two neighbouring tones are separated by real silence.
sub quiet_between {
	my ($windows) = @_;
	my ($tone, $quiet) = (0, 0);
	for my $w (@$windows) {
		next unless defined $w;
		if ($w == 0) {
			$quiet++;
		} else {
			return 0 if $tone && $w != $tone && $quiet < $AT_LEAST;
			($tone, $quiet) = ($w, 0);
		}
	}
	return 1;
}

1;
