#!/usr/bin/env perl
# The kill matrix: one call's life after another, each with the worker killed before a later one
# of its system calls; no double dial, nothing held. script/soak kill runs it with every n-th call,
# until a life is over before its kill comes.
#
# OVX_KILL_FROM, OVX_KILL_STEP, OVX_KILL_TRIALS say which calls: FROM, FROM + STEP, ... With
# OVX_KILL_WHOLE, TRIALS lives are the most, and one of them must be whole.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Time::HiRes qw(sleep time);
use Omnivox::Campaign;
use Omnivox::Judge qw(double_dials dialled_again attempts);
use Omnivox::Kills;
use Omnivox::Stage;

my $TRIALS = $ENV{OVX_KILL_TRIALS} || 12;
my $STEP = $ENV{OVX_KILL_STEP} || 61; # a life is some 715 calls
my $FROM = $ENV{OVX_KILL_FROM} || 1;
my $WHOLE = $ENV{OVX_KILL_WHOLE} || 0;

my $stage = Omnivox::Stage->new(
	population => [{match => '*', weight => 1, behaviour => 'human', ring_ms => 150, talk_ms => 250,
		say => 'tone:440'}],
	sandbox_env => {SANDBOX_RECORD => 0}, gateway_env => {AMBIGUOUS_AFTER => 2, RECONCILE_AFTER => 1});
$stage->start_sandbox;
my $kills = Omnivox::Kills->new($stage);
$stage->start_gateway;
my $campaign = Omnivox::Campaign->new($stage, contacts => $TRIALS, agents => 1);
my ($agent) = @{$campaign->{agents}};

sub is_ready {
	my $s = $stage->agent_session($agent);
	return $s && $s->{state} eq 'ready' && !$s->{callId};
}

my ($trial, $whole) = (0, 0);
for my $entry (@{$campaign->entries}) {
	my $n = $FROM + $STEP * $trial++;
	$stage->wait_until(30, 'the agent to be ready', \&is_ready);
	my $dead = () = $kills->deaths;
	$kills->aim($n);
	# The request may die with the worker.
	eval { $stage->request(POST => $campaign->path . "/queue/$entry->{id}/call", {}) };
	$stage->wait_until(30, "the call of trial $trial to end", sub {
		my ($now) = grep { $_->{id} eq $entry->{id} } @{$campaign->entries};
		my @open = grep { $_->{state} ne 'ended' } @{$campaign->calls};
		my $killed = (() = $kills->deaths) > $dead;
		$whole = $n if $WHOLE && !$killed && !@open && $now->{status} eq 'completed';
		return !@open && ($now->{status} ne 'dialing') && ($killed || $whole) });
	$kills->disarm;
	last if $whole;
}
$kills->count(sub { $stage->sql($_[0]) });
my @log = $stage->call_log;
my @doubles = (double_dials(@log), dialled_again(@log));
is_deeply \@doubles, [], 'no (entry, attempt) was created twice, and no number';
$stage->wait_until(30, 'the agent to be free', \&is_ready);
my @entries = @{$campaign->entries};
my @held = (grep({ $_->{contact}{locked} || $_->{status} eq 'dialing' } @entries),
	grep { $_->{state} ne 'ended' } @{$campaign->calls});
is scalar(@held), 0, 'nothing is held';
my %made = attempts(@log);
my $deaths = () = $kills->deaths;
cmp_ok $deaths, '>=', $trial - !!$whole, 'every trial had its kill';
ok $whole, "a life was over before its kill" if $WHOLE;
diag "a life was over before system call $whole" if $whole;
diag $_ for $kills->table($deaths, scalar @doubles, scalar @held);
done_testing;
