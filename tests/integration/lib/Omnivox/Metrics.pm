# Metrics.pm: reads Prometheus' text format 0.0.4 and complains of what promtool would: names,
# types, help, order, repeated series, histograms that do not add up.
package Omnivox::Metrics;

use strict;
use warnings;

my $NAME = qr/[a-zA-Z_:][a-zA-Z0-9_:]*/;
my $LABELS = qr/\{(?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\[\\"n])*",?)*\}/;
my $VALUE = qr/[+-]?(?:Inf|NaN|\d+(?:\.\d+)?(?:e[+-]?\d+)?)/;

# new(TEXT): values in ->get('name{label="x"}'), complaints in ->complaints.
sub new {
	my ($class, $text) = @_;
	my $self = bless {values => {}, types => {}, order => [], wrong => []}, $class;
	$self->wrong('no end of line at the end') unless $text =~ /\n\z/;
	my ($family, %done) = ('');
	for my $line (split /\n/, $text) {
		if ($line =~ /^# HELP ($NAME) (.+)$/) {
			$self->wrong("$1 comes twice") if $done{$1}++;
			$family = $1;
			$self->{help}{$1} = $2;
		} elsif ($line =~ /^# TYPE ($NAME) (counter|gauge|histogram)$/) {
			$self->wrong("TYPE of $1 without its HELP") unless $1 eq $family;
			$self->{types}{$1} = $2;
		} elsif ($line =~ /^($NAME)($LABELS)? ($VALUE)$/) {
			$self->sample($family, $1, $2 // '', $3);
		} else {
			$self->wrong("no line of the format: $line");
		}
	}
	$self->check_family($_) for sort keys %{$self->{types}};
	return $self;
}

sub wrong { my ($self, $what) = @_; push @{$self->{wrong}}, $what }
sub complaints { @{$_[0]{wrong}} }
sub get { $_[0]{values}{$_[1]} }
sub names { sort keys %{$_[0]{types}} }
sub series { scalar keys %{$_[0]{values}} }

# The sum over all series of a name.
sub sum {
	my ($self, $name) = @_;
	my $sum = 0;
	$sum += $self->{values}{$_} for grep { /^\Q$name\E(\{|$)/ } keys %{$self->{values}};
	return $sum;
}

sub sample {
	my ($self, $family, $name, $labels, $value) = @_;
	(my $base = $name) =~ s/_(bucket|sum|count)$// if ($self->{types}{$family} // '') eq 'histogram';
	$self->wrong("$name stands under $family") unless ($base // $name) eq $family;
	$self->wrong("$name$labels comes twice") if exists $self->{values}{"$name$labels"};
	$self->{values}{"$name$labels"} = $value;
	push @{$self->{buckets}{$base}{without_le($labels)}}, [$labels, $value] if $name =~ /_bucket$/ && $base;
}

sub without_le {
	my ($labels) = @_;
	$labels =~ s/,?le="[^"]*"//;
	return $labels eq '{}' ? '' : $labels;
}

sub check_family {
	my ($self, $name) = @_;
	my $type = $self->{types}{$name};
	$self->wrong("$name is a counter without _total") if $type eq 'counter' && $name !~ /_total$/;
	$self->wrong("$name ends in _total and is no counter") if $type ne 'counter' && $name =~ /_total$/;
	$self->wrong("$name has no unit that Prometheus wants") if $name =~ /_(ms|milliseconds|kilobytes)(_|$)/;
	return unless $type eq 'histogram';
	for my $labels (sort keys %{$self->{buckets}{$name}}) {
		my ($before, $bound, $last) = (0, -1, '');
		for (@{$self->{buckets}{$name}{$labels}}) {
			my ($le) = $_->[0] =~ /le="([^"]*)"/;
			$self->wrong("$name$labels: bucket $le out of order")
				if $last eq '+Inf' || ($le ne '+Inf' && $le <= $bound);
			$self->wrong("$name$labels: bucket $le is less than the one before") if $_->[1] < $before;
			($before, $last) = ($_->[1], $le);
			$bound = $le unless $le eq '+Inf';
		}
		$self->wrong("$name$labels has no +Inf") unless $last eq '+Inf';
		$self->wrong("$name$labels: _count is not +Inf's")
			unless ($self->get("${name}_count$labels") // -1) == $before;
		$self->wrong("$name$labels has no _sum") unless defined $self->get("${name}_sum$labels");
	}
}

1;
