#!/usr/bin/env perl
# Two gateways on one database, behind one public address: an agent at each, one campaign, and
# webhooks that come to either. Then the one that runs the campaign is killed: the other goes on,
# the dead one's agent is signed out with a reason and its customer is not left alone. Judged from
# calls.jsonl and the API.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Time::HiRes qw(sleep time);
use Omnivox::Balancer;
use Omnivox::Campaign;
use Omnivox::Judge qw(double_dials dialled_again);
use Omnivox::Postgres;
use Omnivox::Stage;

my $first = Omnivox::Stage->new(
	population => [
		{match => '+15552220025', weight => 1, behaviour => 'human', ring_ms => 100, talk_ms => 90000,
			say => 'tone:440'},
		{match => '*', weight => 1, behaviour => 'human', ring_ms => 150, talk_ms => 400, say => 'tone:440'}],
	sandbox_env => {SANDBOX_RECORD => 0});
$first->start_sandbox;
my $pg = Omnivox::Postgres->new($first, "$first->{dir}/pg");
$pg->start;
my $balancer = Omnivox::Balancer->new;
my %common = (DATABASE_URL => $pg->url, BACKEND_URL => "http://$balancer->{address}", AMBIGUOUS_AFTER => 3,
	RECONCILE_AFTER => 2);
my $second = Omnivox::Stage->new(gateway_env => {%common});
$first->{gateway_env} = {%common};
$second->{sandbox} = $first->{sandbox};
$_->start_gateway for $first, $second;
$balancer->to($first->{gateway}{http}, $second->{gateway}{http});
$first->sandbox_put('/sandbox/sip-domain',
	{voice_url => "http://$balancer->{address}/api/calls-twiml/twiml-agent"});

# An agent at each node, on the campaign of the first.
my $campaign = Omnivox::Campaign->new($first, contacts => 200, agents => 1, name => 'one');
my ($one) = @{$campaign->{agents}};
$second->login;
my $two = $second->make_agent('two', $campaign->{id});
$second->start_phone($two, hz => 660);
$second->wait_registered($two);
$second->agent_ready($two, $campaign->{id});
$first->wait_until(20, 'the first agent', sub { $first->agent_session($one)->{state} eq 'ready' });
pass 'an agent at each node is ready, wherever the webhooks came';

sub talked {
	my ($agent) = @_;
	return scalar grep { ($_->{agentId} // '') eq $agent->{id} && ($_->{outcome} // '') eq 'completed' }
		@{$campaign->calls};
}

# The node that runs the campaign has nobody of its own who is ready: only an agent of all
# campaigns, at the other.
$first->api(POST => "/api/agents/$one->{id}/session/pause");
$second->api(DELETE => "/api/agents/$two->{id}/session");
$second->agent_ready($two);
open my $fh, '<', "$first->{dir}/gateway-data/node-id" or die $!;
chomp(my $runs = <$fh>);
$pg->psql(omnivox => "UPDATE campaigns SET lease_node = '$runs', lease_until = now() + interval '1 minute'");
$campaign->dial;
$first->wait_until(40, 'the agent of all campaigns to talk', sub { talked($two) >= 1 });
is $pg->psql(omnivox => 'SELECT lease_node FROM campaigns'), $runs, 'one node dials for the agent of another';
$first->api(POST => "/api/agents/$one->{id}/session/ready");
$first->wait_until(40, 'both to have talked', sub { talked($one) >= 3 && talked($two) >= 3 });
pass 'agents of both nodes get calls of one campaign';
is_deeply [double_dials($first->call_log), dialled_again($first->call_log)], [], 'nobody was dialled twice';

# Somebody stays long: the node of the agent is the one to die, and shall run the campaign.
my $call = $first->wait_until(40, 'a long conversation', sub {
	my ($c) = grep { $_->{number} eq '+15552220025' && $_->{state} eq 'bridged' } @{$campaign->calls};
	return $c });
my ($dying, $living, $lost, $left) = $call->{agentId} eq $one->{id} ? ($first, $second, $one, $two)
	: ($second, $first, $two, $one);
$campaign->{stage} = $living;
open $fh, '<', "$dying->{dir}/gateway-data/node-id" or die $!;
chomp(my $node = <$fh>);
$pg->psql(omnivox => "UPDATE campaigns SET lease_node = '$node', lease_until = now() + interval '10 seconds'");
sub dials {
	my ($stage) = @_;
	my $log = do { local (@ARGV, $/) = "$stage->{dir}/gateway.log"; <> };
	return scalar(() = $log =~ /placing number/g);
}
my $dialled = dials($dying);
$first->wait_until(20, 'it to run the campaign', sub { dials($dying) > $dialled + 2 });
$dying->stop('gateway', 'KILL');
my $killed = time;
my $made = $campaign->creates;
open $fh, '<', "$living->{dir}/gateway-data/node-id" or die $!;
chomp(my $heir = <$fh>);
$living->wait_until(30, 'the other node to take the campaign over', sub {
	$pg->psql(omnivox => "SELECT lease_node FROM campaigns WHERE id = $campaign->{id}") eq $heir });
note sprintf 'taken over after %.1f s', time - $killed;
# A call that the dead node was placing keeps its agent until it is known not to be at Twilio.
$living->wait_until(60, 'the other node to dial on', sub { $campaign->creates > $made });
pass sprintf 'the other node runs the campaign %.1f s later', time - $killed;
$living->wait_until(40, 'the agent of the dead node to be signed out', sub { !$living->agent_session($lost) });
is $pg->psql(omnivox => "SELECT pause_reason FROM agent_sessions WHERE user_id = $lost->{id} ORDER BY id DESC LIMIT 1"),
	'gateway node gone', 'its agent is signed out, with the reason';
$living->wait_until(20, 'its call to end', sub {
	$living->api(GET => "/api/calls/$call->{id}")->{call}{state} eq 'ended' });
pass 'its customer is not left alone';

# It comes back, and its agent signs in again.
$dying->start_gateway;
$first->sandbox_put('/sandbox/sip-domain',
	{voice_url => "http://$balancer->{address}/api/calls-twiml/twiml-agent"});
$dying->agent_ready($lost, $campaign->{id});
my $before = talked($lost);
$living->wait_until(40, 'it to talk again', sub { talked($lost) > $before });
pass 'the node comes back, and its agent works again';
$living->wait_until(20, 'stop', sub { $living->request(POST => $campaign->path . '/auto-dial/stop')->{success} });
$living->wait_until(40, 'every call to be settled', sub {
	!grep { $_->{state} ne 'ended' } @{$campaign->calls} });
is_deeply [double_dials($first->call_log), dialled_again($first->call_log)], [], 'nobody was dialled twice';
is_deeply [grep { $_->{status} eq 'dialing' || $_->{contact}{locked} } @{$campaign->entries}], [],
	'no entry and no contact is held';
for my $agent ($one, $two) {
	ok $living->wait_until(20, "$agent->{username} to be free", sub {
		my $s = $living->agent_session($agent);
		return $s->{state} =~ /^(ready|paused)$/ && !$s->{callId} }), "$agent->{username} is not held";
}
$second->cleanup;
done_testing;
