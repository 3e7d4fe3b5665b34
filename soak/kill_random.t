#!/usr/bin/env perl
# A campaign under every fault, its workers killed again and again at random system calls, on one
# node or on two that share the database; one agent is rung first. Judged from calls.jsonl and the
# API.
#
# OVX_CONTACTS (300), OVX_RATE (0.2) of each fault, OVX_NODES (1), OVX_SEED, OVX_SPAN (1500): a kill
# is aimed at one of the next so many system calls.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../tests/integration/lib";
use Test::More;
use Time::HiRes qw(sleep time);
use Omnivox::Balancer;
use Omnivox::Campaign;
use Omnivox::Faults;
use Omnivox::Judge qw(double_dials dialled_again attempts);
use Omnivox::Kills;
use Omnivox::Postgres;
use Omnivox::Stage;

my $CONTACTS = $ENV{OVX_CONTACTS} || 300;
my $RATE = $ENV{OVX_RATE} // 0.2;
my $NODES = $ENV{OVX_NODES} || 1;
my $SEED = $ENV{OVX_SEED} || int time;
my $SPAN = $ENV{OVX_SPAN} || 1500;
srand $SEED;

my $stage = Omnivox::Stage->new(
	population => [
		{match => '*', weight => 7, behaviour => 'human', ring_ms => 150, talk_ms => 300, say => 'tone:440'},
		map { {match => '*', weight => 1, behaviour => $_, ring_ms => 100, talk_ms => 0, say => 'silence'} }
			qw(busy no_answer failed)],
	sandbox_env => {SANDBOX_RECORD => 0});
$stage->start_sandbox;
my $pg = Omnivox::Postgres->new($stage, "$stage->{dir}/pg");
$pg->start;
my $balancer = Omnivox::Balancer->new;
my @stages = ($stage, map { Omnivox::Stage->new } 2 .. $NODES);
my @kills;
for my $node (@stages) {
	$node->{sandbox} = $stage->{sandbox};
	$node->{gateway_env} = {DATABASE_URL => $pg->url, BACKEND_URL => "http://$balancer->{address}",
		AMBIGUOUS_AFTER => 3, RECONCILE_AFTER => 2};
	push @kills, Omnivox::Kills->new($node);
	$node->start_gateway;
}
$balancer->to(map { $_->{gateway}{http} } @stages);
$stage->sandbox_put('/sandbox/sip-domain',
	{voice_url => "http://$balancer->{address}/api/calls-twiml/twiml-agent"});
my $campaign = Omnivox::Campaign->new($stage, contacts => $CONTACTS, agents => 3, rung => 1);
my ($rung) = grep { $_->{rung} } @{$campaign->{agents}};
for my $node (@stages[1 .. $#stages]) {
	$node->login;
	for my $name ('x', 'y') {
		my $agent = $node->make_agent("node-$name", $campaign->{id});
		$node->start_phone($agent, hz => 660);
		Omnivox::Campaign::patiently(30, sub { $node->wait_registered($agent) });
		$node->agent_ready($agent, $campaign->{id});
		push @{$campaign->{agents}}, $agent;
	}
}
my $faults = Omnivox::Faults->new($stage, rate => $RATE, delay_ms => 400, seed => $SEED);
$campaign->dial;

# Each node has a kill aimed at it all the time; the next is aimed when it has died.
my @aimed = map { -1 } @kills;
my $end = time + 60 + 6 * $CONTACTS;
my $looked = 0;
while (time < $end) {
	for my $i (0 .. $#kills) {
		my $dead = () = $kills[$i]->deaths;
		next if $dead == $aimed[$i];
		$kills[$i]->aim(1 + int rand $SPAN);
		$aimed[$i] = $dead;
	}
	$faults->go_on;
	sleep 0.05;
	next if time < $looked + 2;
	$looked = time;
	last if eval { $campaign->at_rest };
	# Whose phone was not rung because of a kill says that they are there all the same.
	eval { $campaign->ready($rung) if $stage->agent_session($rung)->{state} eq 'paused' };
}
$_->disarm for @kills;
$faults->stop;
my @entries = $campaign->check_end(120);
$_->count(sub { $pg->psql(omnivox => $_[0]) }) for @kills;
my $deaths = 0;
$deaths += () = $_->deaths for @kills;
$kills[0]->add($_) for @kills[1 .. $#kills];
my @log = $stage->call_log;
my %made = attempts(@log);
# Of the creates some are not processed, and nobody is told so: those wait for their later try.
cmp_ok scalar(keys %made), '>=', $CONTACTS * 0.4, 'the sandbox saw the campaign';
my %fired = $faults->fired;
is_deeply [grep { !$fired{$_} } keys %fired], [], 'every fault that the sandbox knows happened';
my @held = (grep({ $_->{contact}{locked} || $_->{status} eq 'dialing' } @entries),
	grep { $_->{state} ne 'ended' } @{$campaign->calls});
diag "seed $SEED, $NODES nodes, $CONTACTS contacts, faults at $RATE";
diag $_ for $kills[0]->table($deaths, double_dials(@log) + dialled_again(@log), scalar @held);
$_->cleanup for @stages[1 .. $#stages];
done_testing;
