#!/usr/bin/env perl
# Twilio refuses us for what is no call's own fault: credentials that do not work any more, a key
# that may not read calls. Who talks goes on talking, a hang-up stays wanted, no agent is blamed,
# nobody is dialled meanwhile, and afterwards it goes on.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Omnivox::Between;
use Omnivox::Postgres;
use Omnivox::Stage;

my $CM = $Omnivox::Stage::CM;
my $PHONE = '+15557770001';
my $stage = Omnivox::Stage->new(population => [
	{match => $PHONE, behaviour => 'human', ring_ms => 100, talk_ms => 0, say => 'tone:1330'},
	{match => '+14155550101', behaviour => 'human', ring_ms => 100, talk_ms => 0, say => 'tone:440'},
	{match => '*', behaviour => 'human', ring_ms => 100, talk_ms => 300, say => 'tone:440'}]);
$stage->start_sandbox;
my $pg = Omnivox::Postgres->new($stage, "$stage->{dir}/pg");
$pg->start;
my $between = Omnivox::Between->new(to => "http://$stage->{sandbox}{http}", dir => $stage->dir);
$stage->{gateway_env} = {TWILIO_API_BASE => $between->url, RECONCILE_AFTER => 1, DATABASE_URL => $pg->url};
$stage->start_gateway;
$stage->login;

my %refusal = (401 => {code => 20003, message => 'Authenticate'},
	403 => {code => 20403, message => 'Forbidden'});
sub requests { my ($what) = @_; return grep { "$_->{method} $_->{path}" =~ $what } @{$between->requests} }
sub stops { @{$stage->request(GET => '/api/twilio/status')->{json}{data}{stops}} }
sub entries { @{$stage->api(GET => "$CM/campaigns/$_[0]/queue")->{queueEntries}} }
sub call { $stage->api(GET => "/api/calls/$_[0]")->{call} }
sub goes_on {
	$between->answer;
	$stage->request(POST => '/api/twilio/resume', {});
	$stage->wait_until(10, 'no stop', sub { !stops() });
}

my $campaign = $stage->make_campaign({wrapUpS => 0, callGapMs => 0}, '+14155550101');
my $agent = $stage->make_agent('ana', $campaign);
$stage->start_phone($agent);
$stage->wait_registered($agent);
$stage->agent_ready($agent, $campaign);

for my $status (401, 403) {
	subtest "a conversation, and then $status" => sub {
		my ($entry) = entries($campaign);
		my $r = $stage->request(POST => "$CM/campaigns/$campaign/queue/$entry->{id}/call", {});
		is $r->{status}, 200, 'they talk' or diag $r->{content};
		my ($call) = grep { $_->{state} ne 'ended' } @{$stage->api(GET => '/api/calls')->{calls}};
		$stage->wait_until(10, 'the customer', sub { call($call->{id})->{state} eq 'bridged' });
		# Right after a create Twilio may not know a call yet: this one is older.
		$pg->psql(omnivox => "UPDATE calls SET placed_at = now() - interval '5 minutes' WHERE id = $call->{id}");
		$between->answer('Calls/CA', $status, $refusal{$status});
		my $asked = requests(qr/^GET .*Calls\/CA/);
		$stage->wait_until(20, 'it to be asked for twice', sub { requests(qr/^GET .*Calls\/CA/) > $asked + 1 });
		is call($call->{id})->{state}, 'bridged', 'the call lives';
		is $stage->agent_session($agent)->{state}, 'on_call', 'with its agent';
		my ($stop) = @{$stage->wait_until(10, 'the stop', sub { my @s = stops(); @s ? \@s : undef })};
		is "$stop->{scope} $stop->{code}", "account $refusal{$status}{code}", 'and nobody else is dialled';
		my $ended = requests(qr/^POST .*Calls\/CA/);
		$stage->request(POST => "/api/calls/$call->{id}/hangup");
		$stage->wait_until(20, 'it to be ended twice', sub { requests(qr/^POST .*Calls\/CA/) > $ended + 1 });
		is call($call->{id})->{state}, 'bridged', 'it could not be hung up';
		goes_on();
		$stage->wait_until(30, 'the call to end', sub { call($call->{id})->{state} eq 'ended' });
		is call($call->{id})->{outcome}, 'completed', 'and is, as soon as it can be';
		$stage->api(POST => "$CM/campaigns/$campaign/queue/$entry->{id}/requeue");
		$stage->wait_until(10, 'the agent', sub { $stage->agent_session($agent)->{state} eq 'ready' });
	};
}

# The account's way of saying no to an agent's leg ends with the stop; the conversation waits for it.
subtest 'the leg of an agent is lost in mid-call, and then 401' => sub {
	my $theirs = $stage->make_campaign({wrapUpS => 0}, '+14155550101');
	my $nailed = $stage->make_agent('lost', $theirs);
	$stage->api(PUT => "/api/agents/$nailed->{id}/endpoint", {type => 'phone', number => $PHONE});
	$stage->agent_ready($nailed, $theirs);
	my ($entry) = entries($theirs);
	$stage->request(POST => "$CM/campaigns/$theirs/queue/$entry->{id}/call", {agentId => $nailed->{id}});
	my $call = $stage->wait_until(15, 'the conversation', sub {
		my ($c) = grep { $_->{state} eq 'bridged' }
			@{$stage->api(GET => "/api/calls?campaignId=$theirs")->{calls}};
		return $c });
	my ($leg) = grep { $_->{to} eq $PHONE && $_->{joined} } @{$stage->sandbox_get('/sandbox/calls')->{calls}};
	$between->answer('POST .*Participants', 401, $refusal{401});
	my $before = requests(qr/^POST .*Participants/);
	$stage->sandbox_post('/sandbox/drop', {call_sid => $leg->{call_sid}});
	my @tries = @{$stage->wait_until(30, 'four tries', sub {
		my @r = requests(qr/^POST .*Participants/);
		@r >= $before + 4 ? [@r[$before .. $before + 3]] : undef })};
	my @gaps = map { $tries[$_]{t} - $tries[$_ - 1]{t} } 1 .. 3;
	cmp_ok $gaps[2], '>', 1.9, 'each try waits longer for the next' or diag "@gaps";
	is call($call->{id})->{state}, 'bridged', 'the customer is still there';
	is $stage->agent_session($nailed)->{state}, 'on_call', 'and the call is still the agent\'s';
	my ($why) = grep { $_->{event} eq 'agent_away' } @{$stage->api(GET => "/api/calls/$call->{id}")->{events}};
	like $why->{detail} // '', qr/credentials|token/i, 'the call says why nobody is heard';
	goes_on();
	$stage->wait_until(30, 'the agent on the line', sub { $stage->agent_session($nailed)->{twilioUp} });
	is call($call->{id})->{state}, 'bridged', 'the agent comes back to the same call';
	$stage->api(POST => "/api/calls/$call->{id}/hangup");
	$stage->wait_until(20, 'the agent', sub { $stage->agent_session($nailed)->{state} eq 'ready' });
	$stage->api(DELETE => "/api/agents/$nailed->{id}/session");
};

for my $nailed (JSON::PP::false, JSON::PP::true) {
	subtest 'agents whom Twilio rings: ' . ($nailed ? 'nailed up' : 'rung first') => sub {
		my $name = $nailed ? 'nail' : 'ring';
		my $theirs = $stage->make_campaign({wrapUpS => 0, callGapMs => 0, batchGapMs => 0},
			$nailed ? '+14155550202' : '+14155550201');
		my $rung = $stage->make_agent($name, $theirs);
		$stage->api(PUT => "/api/agents/$rung->{id}/endpoint",
			{type => 'phone', number => $PHONE, nailed => $nailed});
		$between->answer('POST .*Participants', 401, $refusal{401});
		my $creates = requests(qr/^POST .*Participants/);
		$stage->api(POST => "/api/agents/$rung->{id}/session", {campaignId => $theirs});
		$stage->api(POST => "/api/agents/$rung->{id}/session/ready");
		$stage->api(POST => "$CM/campaigns/$theirs/auto-dial");
		my ($stop) = @{$stage->wait_until(20, 'the stop', sub { my @s = stops(); @s ? \@s : undef })};
		is "$stop->{scope} $stop->{code}", 'account 20003', 'the account is stopped';
		$stage->wait_until(10, 'the reason', sub {
			$stage->api(GET => "$CM/campaigns/$theirs")->{campaign}{runReason} =~ /credentials|token/i });
		pass 'auto-dial says so';
		my $state = $nailed ? 'paused' : 'ready';
		my $session = $stage->wait_until(10, "the agent to be $state", sub {
			my $s = $stage->agent_session($rung);
			$s->{state} eq $state && !$s->{callId} ? $s : undef });
		unlike $session->{pauseReason} // '', qr/answer|cannot be called/, 'the agent is not blamed';
		my ($entry) = entries($theirs);
		is "$entry->{status} $entry->{attempts}", 'pending 0', 'it cost the contact nothing';
		cmp_ok requests(qr/^POST .*Participants/) - $creates, '<=', 2, 'and is not tried on and on';
		goes_on();
		$stage->wait_until(40, 'the call', sub {
			my ($e) = entries($theirs);
			$e->{status} eq 'completed' });
		pass 'afterwards it is called, without another click';
		$stage->wait_until(20, 'the agent', sub { !$stage->agent_session($rung)->{callId} });
		$stage->api(DELETE => "/api/agents/$rung->{id}/session");
	};
}
done_testing;
