#!/usr/bin/env perl
# Two gateways on one database; one dials for the agents of both, and the other is drained: it does
# not end before its agent's conversation has, though it did not place that call; meanwhile nobody
# gives its agents another. When it comes back, they work again.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Omnivox::Balancer;
use Omnivox::Campaign;
use Omnivox::Postgres;
use Omnivox::Stage;

my $TALK_MS = 12000;
my $dials = Omnivox::Stage->new(
	population => [
		{match => '+15552220001', weight => 1, behaviour => 'human', ring_ms => 100, talk_ms => $TALK_MS,
			say => 'tone:440'},
		{match => '*', weight => 1, behaviour => 'human', ring_ms => 150, talk_ms => 400, say => 'tone:440'}],
	sandbox_env => {SANDBOX_RECORD => 0});
$dials->start_sandbox;
my $pg = Omnivox::Postgres->new($dials, "$dials->{dir}/pg");
$pg->start;
my $balancer = Omnivox::Balancer->new;
my %common = (DATABASE_URL => $pg->url, BACKEND_URL => "http://$balancer->{address}");
my $drained = Omnivox::Stage->new(gateway_env => {%common});
$dials->{gateway_env} = {%common};
$drained->{sandbox} = $dials->{sandbox};
$_->start_gateway for $dials, $drained;
$balancer->to($dials->{gateway}{http}, $drained->{gateway}{http});

sub to_balancer {
	$dials->sandbox_put('/sandbox/sip-domain',
		{voice_url => "http://$balancer->{address}/api/calls-twiml/twiml-agent"});
}
to_balancer();

sub node_of {
	my ($stage) = @_;
	open my $fh, '<', "$stage->{dir}/gateway-data/node-id" or die $!;
	chomp(my $node = <$fh>);
	return $node;
}

my $campaign = Omnivox::Campaign->new($dials, contacts => 200, agents => 1, name => 'here');
my ($here) = @{$campaign->{agents}};
$drained->login;
my ($talks, $idle) = map {
	my $agent = $drained->make_agent($_, $campaign->{id});
	$drained->start_phone($agent, hz => 660);
	$drained->wait_registered($agent);
	$drained->agent_ready($agent, $campaign->{id});
	$agent } qw(talks idle);
$dials->wait_until(20, 'the agent of the other node', sub { $dials->agent_session($here)->{state} eq 'ready' });
$_->[0]->api(POST => "/api/agents/$_->[1]{id}/session/pause") for [$dials, $here], [$drained, $idle];

sub calls_of {
	my ($agent) = @_;
	return grep { ($_->{agentId} // '') eq $agent->{id} } @{$campaign->calls};
}

my ($runs, $leaves) = (node_of($dials), node_of($drained));
$pg->psql(omnivox => "UPDATE campaigns SET lease_node = '$runs', lease_until = now() + interval '1 minute'");
$campaign->dial;
my $call = $dials->wait_until(20, 'the conversation', sub {
	my ($c) = grep { $_->{state} eq 'bridged' } calls_of($talks);
	return $c });
is $call->{number}, '+15552220001', 'the agent has a long conversation';
is $pg->psql(omnivox => "SELECT node_id FROM calls WHERE id = $call->{id}"), $runs,
	'in a call that the other node placed';

$drained->spawn('drain', $drained->gateway_env, $drained->gateway_program, '--drain');
$dials->wait_until(5, 'the drain', sub {
	$pg->psql(omnivox => "SELECT draining FROM nodes WHERE id = '$leaves'") eq 't' });
$drained->api(POST => "/api/agents/$idle->{id}/session/ready");
$dials->api(POST => "/api/agents/$here->{id}/session/ready");
$dials->wait_until(10, 'the other node to dial on', sub { calls_of($here) >= 3 });
is $drained->agent_session($idle)->{state}, 'ready', 'a colleague is ready at the node that is drained';
$dials->api(POST => "/api/agents/$here->{id}/session/pause");

my $pid = delete $drained->{pids}{gateway};
$dials->wait_until(30, 'it to end', sub { waitpid($pid, POSIX::WNOHANG()) == $pid });
is $? >> 8, 0, 'the drained node ends';
my $over = $dials->api(GET => "/api/calls/$call->{id}")->{call};
is "$over->{state} $over->{outcome}", 'ended completed', 'when the conversation has';
my ($end) = grep { $_->{event} eq 'ended' && ($_->{call_sid} // '') eq $call->{twilioCallSid} } $dials->call_log;
is $end->{status}, 'completed', 'the customer hung up';
is scalar(calls_of($talks)), 1, 'its agent got no other call';
is scalar(calls_of($idle)), 0, 'nor did the colleague get one';
is $pg->psql(omnivox => "SELECT string_agg(DISTINCT pause_reason, ' ') FROM agent_sessions WHERE node_id = '$leaves'"),
	'gateway drained', 'both are signed out, with the reason';

$drained->start_gateway;
to_balancer();
$drained->agent_ready($idle, $campaign->{id});
$dials->wait_until(40, 'its agent to get calls again', sub { calls_of($idle) > 0 });
pass 'when it comes back, its agents work again';
$dials->wait_until(20, 'stop', sub { $dials->request(POST => $campaign->path . '/auto-dial/stop')->{success} });
$dials->wait_until(40, 'every call to be settled', sub {
	!grep { $_->{state} ne 'ended' } @{$campaign->calls} });
$drained->cleanup;
done_testing;
