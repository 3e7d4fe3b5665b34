# Kills.pm: kills workers at chosen system calls, says in which state each open call was, and
# prints the table of what came of it: state, kills, double dials, things held.
package Omnivox::Kills;

use strict;
use warnings;

use JSON::PP ();
use Test::More;
use Time::HiRes qw(sleep time);

use Omnivox::Judge qw(double_dials);
use Omnivox::Stage;

our @STATES = qw(none claimed placing ambiguous queued ringing answered bridged);

# new(STAGE, plan => [N...]): before the gateway starts. An empty plan: kills are aimed.
sub new {
	my ($class, $stage, %o) = @_;
	my $self = bless {stage => $stage, plan => "$stage->{dir}/kill.plan", seen => 0,
		counts => {map { $_ => 0 } @STATES}, %o}, $class;
	open my $fh, '>', $self->{plan} or die $!;
	print $fh map { "$_\n" } @{$o{lives} || []};
	close $fh;
	$stage->{gateway_env}{OVX_KILL_PLAN} = $self->{plan};
	$stage->{gateway_env}{OVX_KILL_ARM} = 1;
	$stage->{gateway_env}{LD_PRELOAD} = "$Omnivox::Stage::BUILD/tests/tools/ovx-kill.so";
	return $self;
}

# The worker that lives dies before its n-th call from now.
sub aim {
	my ($self, $n) = @_;
	open my $fh, '>', "$self->{plan}.aim" or die $!;
	print $fh "$n\n";
	close $fh;
	rename "$self->{plan}.aim", "$self->{plan}.arm" or die $!;
}

# Lets it live: what was not taken yet is taken back.
sub disarm { unlink "$_[0]{plan}.arm" }

# Times of death so far, milliseconds since 1970.
sub deaths {
	my ($self) = @_;
	open my $fh, '<', "$self->{plan}.log" or return ();
	return map { (split)[4] } <$fh>;
}

# The state of each call at the moments of death, from what had been written until then.
# `sql` runs one statement and returns its text.
sub count {
	my ($self, $sql) = @_;
	my @deaths = $self->deaths;
	my %moves = (agent_joined => 'placing', accepted => 'queued', initiated => 'queued', lost => 'ambiguous', ringing => 'ringing',
		answered => 'answered', joined => 'bridged');
	# Its customer's leg is as old as the call; `placed_at` comes later when the agent is rung first.
	my $rows = $sql->(q{SELECT c.id, (extract(epoch FROM l.created_at) * 1000)::bigint,
		COALESCE((extract(epoch FROM (SELECT min(received_at) FROM call_events e WHERE e.call_id = c.id
			AND e.event IN ('completed', 'busy', 'no_answer', 'failed', 'canceled', 'refused', 'unsent',
				'expired'))) * 1000)::bigint, (extract(epoch FROM c.ended_at) * 1000)::bigint, 9e15::bigint),
		COALESCE((SELECT string_agg(e.event || '@' || (extract(epoch FROM e.received_at) * 1000)::bigint, ',')
			FROM call_events e WHERE e.call_id = c.id), ''),
		CASE WHEN c.ring_first THEN 'claimed' ELSE 'placing' END
		FROM calls c JOIN call_legs l ON l.call_id = c.id AND l.kind = 'customer'});
	my @calls = map { [split /\|/, $_, -1] } split /\n/, $rows;
	my %rank = map { $STATES[$_] => $_ } 0 .. $#STATES;
	for my $death (@deaths[$self->{seen} .. $#deaths]) {
		my $found = 0;
		for my $call (grep { $_->[1] <= $death && $death < $_->[2] } @calls) {
			my $state = $call->[4];
			for (map { [split /@/] } split /,/, $call->[3]) {
				my $next = $moves{$_->[0]} or next;
				$state = $next if $_->[1] <= $death && $rank{$next} > $rank{$state};
			}
			$self->{counts}{$state}++;
			$found++;
		}
		$self->{counts}{none}++ unless $found;
	}
	$self->{seen} = @deaths;
}

# Adds another's counts to these.
sub add {
	my ($self, $other) = @_;
	$self->{counts}{$_} += $other->{counts}{$_} for @STATES;
}

# The table; double dials and held things are of the whole run.
sub table {
	my ($self, $kills, $doubles, $held) = @_;
	my @lines = (sprintf '%-12s %8s', 'state', 'kills');
	push @lines, sprintf '%-12s %8d', $_, $self->{counts}{$_} for grep { $self->{counts}{$_} } @STATES;
	push @lines, sprintf '%d kills, %d double dials, %d things held', $kills, $doubles, $held;
	return @lines;
}

1;
