#!/usr/bin/env perl
# --drain: no new calls, live ones end by themselves, agents are signed out, the gateway ends; a
# deadline; a worker that dies meanwhile.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Omnivox::Stage;

my $stage = Omnivox::Stage->new(
	population => [{match => 'client:', behaviour => 'human', ring_ms => 200, talk_ms => 0},
		{match => '*', weight => 1, behaviour => 'human', ring_ms => 200, talk_ms => 8000,
		say => 'tone:440'}]);
$stage->start_sandbox;

sub drain {
	my ($name) = @_;
	$stage->spawn($name, $stage->gateway_env, $stage->gateway_program, '--drain');
}

# Waits for a process of the stage; its exit status.
sub ended {
	my ($name, $seconds) = @_;
	my $pid = delete $stage->{pids}{$name};
	$stage->wait_until($seconds, "$name to end", sub { waitpid($pid, POSIX::WNOHANG()) == $pid });
	return $? >> 8;
}

sub live_call {
	my ($call) = grep { $_->{state} =~ /^(answered|bridged)$/ } @{$stage->api(GET => '/api/calls')->{calls}};
	return $call;
}

drain('drain-nobody');
is ended('drain-nobody', 5), 69, 'where no gateway runs there is nothing to drain';

$stage->start_gateway;
$stage->login;
my $campaign = $stage->make_campaign({wrapUpS => 0, callGapMs => 0, batchGapMs => 0},
	map { "+1555111000$_" } 1 .. 9);
my $agent = $stage->make_agent('ana', $campaign);
my $second = $stage->make_agent('bob', $campaign);
my $web = $stage->make_agent('web', $campaign);
$stage->api(PUT => "/api/agents/$web->{id}/endpoint", {type => 'browser'});
$stage->api(POST => "/api/agents/$web->{id}/session", {campaignId => $campaign});
$stage->wait_until(10, 'the browser', sub { $stage->agent_session($web)->{twilioUp} });
$stage->start_phone($agent, hz => 880);
$stage->wait_registered($agent);
$stage->agent_ready($agent, $campaign);
$stage->api(POST => "$Omnivox::Stage::CM/campaigns/$campaign/auto-dial");
my $call = $stage->wait_until(20, 'a conversation', \&live_call);

drain('drain');
$stage->wait_until(5, 'the drain', sub { $stage->request(GET => '/readyz')->{status} == 503 });
is $stage->request(GET => '/readyz')->{json}{error}{code}, 'DRAINING', 'it says why it is not ready';
is $stage->request(GET => '/livez')->{status}, 200, 'it lives';
my ($entry) = grep { $_->{status} eq 'pending' }
	@{$stage->api(GET => "$Omnivox::Stage::CM/campaigns/$campaign/queue")->{queueEntries}};
my $r = $stage->request(POST => "$Omnivox::Stage::CM/campaigns/$campaign/queue/$entry->{id}/call", {});
is "$r->{status} $r->{json}{error}{code}", '503 DRAINING', 'Call Now is refused';
$r = $stage->request(POST => "/api/agents/$second->{id}/session", {campaignId => $campaign});
is "$r->{status} $r->{json}{error}{code}", '503 DRAINING', 'nobody signs in any more';
for my $who ($agent, $web) {
	$r = $stage->request(POST => '/api/calls/rest-api', {to => '+15551119999', agentId => $who->{id},
		force => JSON::PP::true});
	is "$r->{status} $r->{json}{error}{code}", '503 DRAINING', "$who->{username} dials nobody by hand";
}
$stage->sql("UPDATE calls SET correlation = 'asked-before' WHERE id = $call->{id}");
$r = $stage->request(POST => '/api/calls/rest-api', {to => $call->{number}, agentId => $agent->{id},
	dialCorrelationId => 'asked-before'});
is "$r->{status} $r->{json}{callId}", "200 $call->{id}", 'what was asked for before is answered';
$r = $stage->webhook(POST => '/api/calls/twiml', {CallSid => 'CA' . '9' x 32,
	From => "client:agent-$web->{id}", To => '+15551119999'});
like $r->{content}, qr/This call is not possible now/, 'nor does a browser';
ok $stage->agent_session($web)->{twilioUp}, 'which keeps the leg that it has';
is live_call()->{id}, $call->{id}, 'the conversation goes on';
my $worker = $stage->worker;
kill 'KILL', $worker;
$stage->worker($worker, 10);
$stage->wait_until(5, 'its successor', sub { $stage->request(GET => '/readyz')->{status} == 503 });
pass 'a worker that takes over goes on draining';
is ended('drain', 20), 0, '--drain waits for the end';
is ended('gateway', 5), 0, 'the gateway ends with 0';
my @log = $stage->call_log;
is scalar(grep { $_->{event} eq 'create' && $_->{to} =~ /^\+/ } @log), 1, 'no call was made after it';
my ($end) = grep { $_->{event} eq 'ended' && $_->{call_sid} eq $call->{twilioCallSid} } @log;
is $end->{status}, 'completed', 'the call ended by itself';

$stage->{gateway_env}{DRAIN_TIMEOUT} = 1;
$stage->start_gateway;
is $stage->agent_session($agent), undef, 'the agent was signed out';
$stage->agent_ready($agent, $campaign);
$call = $stage->wait_until(20, 'the campaign to go on by itself', \&live_call);
drain('drain-late');
is ended('drain-late', 10), 0, 'after its deadline a drain ends too';
ended('gateway', 5);
is scalar(grep { ($_->{call_sid} // '') eq $call->{twilioCallSid} && $_->{event} eq 'ended' } $stage->call_log),
	0, 'though a conversation is live';
$stage->start_gateway;
is $stage->agent_session($agent)->{state}, 'on_call', 'which the next start takes up';
$stage->wait_until(10, 'it to end', sub {
	my $c = $stage->api(GET => "/api/calls/$call->{id}")->{call};
	($c->{outcome} // '') eq 'completed' });
pass 'and it ends by itself';
done_testing;
