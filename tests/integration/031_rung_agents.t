#!/usr/bin/env perl
# Agents on plain phones and browsers: nailed up by Twilio, or rung before the customer is
# dialled. They talk, they hang up, they do not answer; nobody is dialled who has no agent.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Omnivox::Sound qw(tones heard_order);
use Omnivox::Stage;

my $CM = $Omnivox::Stage::CM;
my ($ANA, $BO, $FRED, $LEE, $FAR, $DEAF) = map { "+1555777000$_" } 1, 2, 3, 4, 8, 9;
my $stage = Omnivox::Stage->new(population => [
	{match => $ANA, behaviour => 'human', ring_ms => 300, talk_ms => 0, say => 'tone:1330'},
	{match => $BO, behaviour => 'human', ring_ms => 1000, talk_ms => 0, say => 'tone:1330'},
	{match => $FRED, behaviour => 'human', ring_ms => 300, talk_ms => 0, say => 'tone:1330'},
	{match => $LEE, behaviour => 'human', ring_ms => 300, talk_ms => 0, say => 'tone:1330'},
	{match => $FAR, behaviour => 'busy', ring_ms => 7000},
	{match => $DEAF, behaviour => 'busy', ring_ms => 300},
	{match => 'client:', behaviour => 'human', ring_ms => 300, talk_ms => 0, say => 'tone:1330'},
	{match => '+1555111', behaviour => 'human', ring_ms => 300, talk_ms => 2500, say => 'tone:440'},
	{match => '+1555222', behaviour => 'human', ring_ms => 300, talk_ms => 0, say => 'tone:440'}]);
$stage->start_sandbox;
$stage->start_gateway;
$stage->login;

my $n = 0;
# A campaign of its own for each agent, so that nobody else takes its calls.
sub agent_with {
	my ($name, $endpoint, @numbers) = @_;
	my $campaign = $stage->make_campaign({wrapUpS => 0, callGapMs => 0}, @numbers);
	my $a = $stage->api(POST => '/api/agents',
		{username => $name, name => ucfirst $name, endpoint => $endpoint})->{agent};
	is_deeply $a->{endpoint}, {number => undef, nailed => JSON::PP::true, %$endpoint},
		"$name: $endpoint->{type}";
	$stage->api(POST => "$CM/campaigns/$campaign/join-agent", {agentId => $a->{id}});
	return {id => $a->{id}, username => $name, campaign => $campaign};
}

sub entry {
	my ($agent, $number) = @_;
	my ($e) = grep { $_->{contact}{phone} eq $number } @{$stage->api(
		GET => "$CM/campaigns/$agent->{campaign}/queue?limit=50")->{queueEntries}};
	return $e;
}

sub call_now {
	my ($agent, $number) = @_;
	my $e = entry($agent, $number);
	return $stage->request(POST => "$CM/campaigns/$agent->{campaign}/queue/$e->{id}/call",
		{agentId => $agent->{id}});
}

sub creates { my ($to) = @_; return grep { $_->{event} eq 'create' && $_->{to} eq $to } $stage->call_log }
sub session { $stage->agent_session($_[0]) }
sub wait_state {
	my ($agent, $state, $what) = @_;
	return $stage->wait_until(20, "$agent->{username} to be $state", sub {
		my $s = session($agent);
		return $s && $s->{state} eq $state ? $s : undef });
}
sub live { my ($to) = @_; return grep { $_->{to} eq $to } @{$stage->sandbox_get('/sandbox/calls')->{calls}} }
sub line_events { my ($sid) = @_; return map { $_->{event} } grep { ($_->{call_sid} // '') eq $sid } $stage->call_log }
sub at { my ($sid, $event) = @_; my ($l) = grep { ($_->{call_sid} // '') eq $sid && $_->{event} eq $event } $stage->call_log; return $l && $l->{n} }
sub customer_hears {
	my ($sid) = @_;
	return heard_order(tones("$stage->{sandbox}{data}/sandbox/heard/$sid.wav", 440, 1330));
}

my @heard;
for my $kind (['ana', {type => 'phone', number => $ANA}, $ANA, '+1555111000'],
	['web', {type => 'browser'}, undef, '+1555111100']) {
	my ($name, $endpoint, $to, $prefix) = @$kind;
	subtest "$name is nailed up" => sub {
		my $agent = agent_with($name, $endpoint, map { "$prefix$_" } 1 .. 2);
		$to //= "client:agent-$agent->{id}";
		$stage->agent_ready($agent, $agent->{campaign});
		my $s = session($agent);
		ok $s->{phoneUp} && $s->{twilioUp}, 'its one leg is both';
		is scalar(creates($to)), 1, 'it was rung once';
		my $r = call_now($agent, "${prefix}1");
		is $r->{status}, 200, 'Call Now' or diag $r->{content};
		wait_state($agent, 'on_call');
		wait_state($agent, 'ready');
		is entry($agent, "${prefix}1")->{status}, 'completed', 'they talked';
		is call_now($agent, "${prefix}2")->{status}, 200, 'and the next one';
		wait_state($agent, 'on_call');
		wait_state($agent, 'ready');
		is scalar(creates($to)), 1, 'the agent was not rung again';
		push @heard, map { (creates("$prefix$_"))[0]{call_sid} } 1 .. 2;
		my ($leg) = live($to);
		$stage->sandbox_post('/sandbox/hangup', {call_sid => $leg->{call_sid}});
		$stage->wait_until(15, 'the agent to be signed out by its hang-up', sub { !session($agent) });
		pass 'hanging up while idle signs the agent out';
	};
}

for my $kind (['bo', {type => 'phone', number => $BO, nailed => JSON::PP::false}, $BO, '+1555111200'],
	['wim', {type => 'browser', nailed => JSON::PP::false}, undef, '+1555111300']) {
	my ($name, $endpoint, $to, $prefix) = @$kind;
	subtest "$name is rung first" => sub {
		my $agent = agent_with($name, $endpoint, map { "$prefix$_" } 1 .. 2);
		$to //= "client:agent-$agent->{id}";
		$stage->agent_ready($agent, $agent->{campaign});
		is scalar(creates($to)), 0, 'ready, and nobody was rung';
		my $r = call_now($agent, "${prefix}1");
		is $r->{status}, 200, 'Call Now waits for the agent and for Twilio' or diag $r->{content};
		wait_state($agent, 'on_call');
		wait_state($agent, 'ready');
		my ($leg) = creates($to);
		my ($customer) = creates("${prefix}1");
		cmp_ok at($leg->{call_sid}, 'join'), '<', $customer->{n},
			'the customer was dialled after the agent had joined';
		$stage->wait_until(10, 'the leg to be let go', sub { !live($to) });
		$stage->api(POST => "$CM/campaigns/$agent->{campaign}/auto-dial");
		$stage->wait_until(20, 'auto-dial to dial the second one', sub {
			entry($agent, "${prefix}2")->{status} eq 'completed' });
		is scalar(creates($to)), 2, 'the agent is rung for each call';
		is scalar(creates("$prefix$_")), 1, "${prefix}$_ was dialled once" for 1 .. 2;
		push @heard, map { (creates("$prefix$_"))[0]{call_sid} } 1 .. 2;
		wait_state($agent, 'ready');
		$stage->api(DELETE => "/api/agents/$agent->{id}/session");
	};
}

subtest 'the call that a limit has left' => sub {
	my $agent = agent_with('lee', {type => 'phone', number => $LEE, nailed => JSON::PP::false},
		'+15551114011');
	$stage->api(PUT => "$CM/campaigns/$agent->{campaign}", {limits => {callsPerDay => 1,
		minutesPerDay => 1, costPerDay => 1, costTotal => 1, costPerMinute => 1}});
	$stage->agent_ready($agent, $agent->{campaign});
	$stage->api(POST => "$CM/campaigns/$agent->{campaign}/auto-dial");
	$stage->wait_until(15, 'the call', sub { entry($agent, '+15551114011')->{status} eq 'completed' });
	is scalar(creates('+15551114011')), 1, 'is made';
	is scalar(creates($LEE)), 1, 'and its agent rung once';
};

subtest 'an agent who does not answer' => sub {
	my $agent = agent_with('deaf', {type => 'phone', number => $DEAF, nailed => JSON::PP::false},
		'+15551114001');
	$stage->agent_ready($agent, $agent->{campaign});
	my $before = entry($agent, '+15551114001');
	call_now($agent, '+15551114001');
	my $s = wait_state($agent, 'paused');
	is $s->{reason}, 'did not answer', 'is paused, and the reason says it';
	ok !$s->{wantsReady}, 'until it says Ready';
	is scalar(creates('+15551114001')), 0, 'the customer was not dialled';
	my $after = entry($agent, '+15551114001');
	is $after->{status}, 'pending', 'the entry is back';
	is $after->{attempts}, $before->{attempts}, 'and no attempt was counted';
	ok !$after->{contact}{locked}, 'nor is the contact held';
	my ($pause) = @{$stage->api(GET => "/api/agents/$agent->{id}/pauses")->{pauses}};
	is_deeply [@$pause{qw(type reason)}], ['system', 'did not answer'], 'the pause is on record';

	my $nailed = agent_with('mute', {type => 'phone', number => $DEAF}, '+15551114002');
	$stage->api(POST => "/api/agents/$nailed->{id}/session", {campaignId => $nailed->{campaign}});
	$stage->api(POST => "/api/agents/$nailed->{id}/session/ready");
	$stage->wait_until(10, 'the ring to fail', sub {
		session($nailed)->{reason} eq 'did not answer' });
	is scalar(creates($DEAF)), 2, 'one who is nailed up is rung once, too';
	$stage->api(POST => "/api/agents/$nailed->{id}/session/ready");
	$stage->wait_until(10, 'Ready to ring again', sub { creates($DEAF) == 3 });
	pass 'and again after Ready';
};

subtest 'an agent whose phone rings on' => sub {
	for my $nailed (1, 0) {
		my $name = $nailed ? 'nils' : 'rolf';
		my $number = "+1555111500$nailed";
		my $agent = agent_with($name, {type => 'phone', number => $FAR,
			nailed => $nailed ? JSON::PP::true : JSON::PP::false}, $number);
		$stage->api(POST => "$CM/campaigns/$agent->{campaign}/auto-dial");
		$stage->api(POST => "/api/agents/$agent->{id}/session", {campaignId => $agent->{campaign}});
		$stage->api(POST => "/api/agents/$agent->{id}/session/ready");
		my $there = 0;
		$stage->wait_until(40, "$name to be blamed", sub {
			my $s = session($agent);
			$there++ if $s->{state} eq 'on_call' || $nailed && $s->{twilioUp};
			return $s->{reason} eq 'did not answer' });
		is $there, 0, "$name: is not there while Twilio asks it in";
		is scalar(creates($number)), 0, 'and no customer is dialled for it';
		$stage->api(POST => "$CM/campaigns/$agent->{campaign}/auto-dial/stop");
		$stage->api(DELETE => "/api/agents/$agent->{id}/session");
	}
};

subtest 'the red button' => sub {
	for my $nailed (1, 0) {
		my $name = $nailed ? 'cleo' : 'dora';
		my $agent = agent_with($name, {type => 'browser',
			nailed => $nailed ? JSON::PP::true : JSON::PP::false}, "+1555222000$nailed");
		$stage->agent_ready($agent, $agent->{campaign});
		call_now($agent, "+1555222000$nailed");
		wait_state($agent, 'on_call');
		$stage->wait_until(10, 'them to talk', sub { (live("+1555222000$nailed"))[0]{joined} });
		my ($leg) = live("client:agent-$agent->{id}");
		$stage->sandbox_post('/sandbox/hangup', {call_sid => $leg->{call_sid}});
		$stage->wait_until(15, 'the customer to be let go', sub { !live("+1555222000$nailed") });
		pass "$name hangs up: the customer's call ends";
		my $s = wait_state($agent, $nailed ? 'paused' : 'ready');
		is $s->{reason}, $nailed ? 'phone hung up' : '', $nailed
			? 'who is nailed up must say Ready' : 'who is rung for each call is ready';
	}
};

subtest 'the number that agents are called from' => sub {
	my ($old, $new) = ('+15550000001', '+15550000002');
	my $agent = agent_with('fred', {type => 'phone', number => $FRED});
	my $other = agent_with('gwen', {type => 'phone', number => $FRED});
	$stage->sandbox_put('/sandbox/numbers', {numbers => [$new]});
	$stage->api(POST => '/api/numbers/sync');
	$stage->api(PUT => "$CM/campaigns/$agent->{campaign}", {callerId => $new});
	$stage->agent_ready($agent, $agent->{campaign});
	is_deeply [map { $_->{from} } creates($FRED)], [$new], "is the campaign's";
	$stage->api(DELETE => "/api/agents/$agent->{id}/session");

	$stage->api(POST => "/api/agents/$other->{id}/session", {});
	$stage->api(POST => "/api/agents/$other->{id}/session/ready");
	my $s = $stage->wait_until(20, 'the reason', sub {
		my $now = session($other);
		$now->{reason} =~ /caller id/ && $now });
	is "$s->{state} $s->{reason}", 'paused Twilio refuses the caller id',
		'an agent of all campaigns has the setting, and is told when it is refused';
	ok $s->{wantsReady}, 'nor is it blamed';
	is_deeply [map { "$_->{scope} $_->{key} $_->{code}" }
		@{$stage->api(GET => '/api/twilio/status')->{stops}}], ["caller $old 21210"], 'what is stopped names it';
	my ($seen) = grep { $_->{agentId} eq $other->{id} } @{$stage->api(
		GET => "$CM/campaigns/$other->{campaign}/auto-dial")->{agents}};
	like "$seen->{code} $seen->{reason}", qr{^twilio .*/api/twilio/status}, 'and auto-dial says where to look';
	$stage->sandbox_put('/sandbox/numbers', {numbers => [$old, $new]});
	$stage->api(POST => '/api/numbers/sync');
	$stage->api(POST => '/api/twilio/resume');
	wait_state($other, 'ready');
	pass 'with the number back it is rung without another click';
};

$stage->stop('gateway');
$stage->stop('sandbox');
for my $sid (@heard) {
	is_deeply [customer_hears($sid)], [1330], "customer $sid heard the agent";
}
done_testing;
