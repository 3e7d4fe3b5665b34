#!/usr/bin/env perl
# Legs of agents that are lost in mid-call come back to their customer; kill -9 while an agent is
# rung, or talks, dials nobody twice and leaves nobody stuck.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Omnivox::Hooks;
use Omnivox::Sound qw(tones heard_order);
use Omnivox::Stage;

my $CM = $Omnivox::Stage::CM;
my $stage = Omnivox::Stage->new(population => [
	{match => '+15557770001', behaviour => 'human', ring_ms => 300, talk_ms => 0, say => 'tone:1330'},
	{match => '+15557770002', behaviour => 'human', ring_ms => 4000, talk_ms => 0, say => 'tone:1330'},
	{match => '*', behaviour => 'human', ring_ms => 300, talk_ms => 0, say => 'tone:440'}]);
$stage->start_sandbox;
$stage->start_gateway;
$stage->login;

sub creates { my ($to) = @_; return grep { $_->{event} eq 'create' && $_->{to} eq $to } $stage->call_log }
sub live { my ($to) = @_; return grep { $_->{to} eq $to } @{$stage->sandbox_get('/sandbox/calls')->{calls}} }
sub with_label { my ($call) = @_; return grep { $_->{joined} && ($_->{conference} // '') eq $call->{conference} }
	@{$stage->sandbox_get('/sandbox/calls')->{calls}} }
sub open_call { my ($campaign) = @_; my ($c) = grep { $_->{state} ne 'ended' }
	@{$stage->api(GET => "/api/calls?campaignId=$campaign")->{calls}}; return $c }
sub call_now {
	my ($campaign, $agent) = @_;
	my ($e) = @{$stage->api(GET => "$CM/campaigns/$campaign/queue")->{queueEntries}};
	return $stage->request(POST => "$CM/campaigns/$campaign/queue/$e->{id}/call", {agentId => $agent->{id}});
}
sub wait_state {
	my ($agent, $state) = @_;
	return $stage->wait_until(30, "$agent->{username} to be $state", sub {
		my $s = $stage->agent_session($agent); $s && $s->{state} eq $state ? $s : undef });
}
# The agent's leg beside the customer in the call's conference, by its SID; other than `$not`.
sub agent_leg {
	my ($call, $not) = @_;
	return $stage->wait_until(20, 'the agent beside the customer', sub {
		my ($leg) = grep { $_->{call_sid} ne $call->{twilioCallSid} && $_->{call_sid} ne ($not // '') }
			with_label($call);
		return $leg });
}

my %heard;
for my $kind ('sip', 'phone') {
	subtest "the leg of a $kind agent is lost in mid-call" => sub {
		my $campaign = $stage->make_campaign({wrapUpS => 0}, $kind eq 'sip' ? '+14155550101' : '+14155550102');
		my $agent = $stage->make_agent("$kind-agent", $campaign);
		if ($kind eq 'sip') {
			$stage->start_phone($agent, hz => 1330);
			$stage->wait_registered($agent);
		} else {
			$stage->api(PUT => "/api/agents/$agent->{id}/endpoint",
				{type => 'phone', number => '+15557770001'});
		}
		$stage->agent_ready($agent, $campaign);
		call_now($campaign, $agent);
		my $call = $stage->wait_until(15, 'the conversation', sub {
			my $c = open_call($campaign); $c && $c->{state} eq 'bridged' ? $c : undef });
		my $leg = agent_leg($call);
		$stage->sandbox_post('/sandbox/drop', {call_sid => $leg->{call_sid}});
		my $new = agent_leg($call, $leg->{call_sid});
		isnt $new->{call_sid}, $leg->{call_sid}, 'a new leg has joined the customer\'s conference';
		is open_call($campaign)->{id}, $call->{id}, 'the call goes on';
		is scalar(creates($call->{number})), 1, 'the customer was not called again';
		is $stage->agent_session($agent)->{state}, 'on_call', 'the agent is on it';
		select undef, undef, undef, 1.5;    # sound to be judged below
		$heard{$kind} = $call->{twilioCallSid};
		$stage->api(POST => "/api/calls/$call->{id}/hangup");
		wait_state($agent, 'ready');
		$stage->api(DELETE => "/api/agents/$agent->{id}/session");
	};
}

subtest 'a leg whose BYE did not reach us' => sub {
	my $campaign = $stage->make_campaign({wrapUpS => 0}, '+14155550105');
	my $agent = $stage->make_agent('unheard', $campaign);
	$stage->start_phone($agent, hz => 1330);
	$stage->wait_registered($agent);
	$stage->agent_ready($agent, $campaign);
	my $sid = sub { $stage->sql('SELECT l.provider_sid FROM call_legs l JOIN agent_sessions s ON s.leg_id = l.id'
		. " WHERE s.user_id = $agent->{id} AND s.ended_at IS NULL AND l.joined_at IS NOT NULL") };
	my $lose = sub { $stage->sandbox_post('/sandbox/drop', {call_sid => $_[0], silent => JSON::PP::true}) };
	for my $whose ('a new leg', 'one of an earlier worker') {
		my $old = $sid->();
		$lose->($old);
		$stage->wait_until(30, 'another leg', sub { my $new = $sid->(); $new && $new ne $old });
		wait_state($agent, 'ready');
		pass "$whose is replaced when its conference tells of its end";
		my $worker = $stage->worker;
		kill 'KILL', $worker;
		$stage->worker($worker, 10);
	}
	# As if its join had not been told: it is there when Twilio is asked.
	my $there = $sid->();
	$stage->sql("UPDATE agent_sessions SET twilio_up = false, state = 'paused' WHERE user_id = $agent->{id}");
	$stage->api(POST => "/api/agents/$agent->{id}/session/ready");
	wait_state($agent, 'ready');
	is $sid->(), $there, 'one that is still in its conference is left alone';
	call_now($campaign, $agent);
	my $call = $stage->wait_until(15, 'the conversation', sub {
		my $c = open_call($campaign); $c && $c->{state} eq 'bridged' ? $c : undef });
	my $leg = agent_leg($call);
	my $deaf = sub { $stage->sandbox_put('/sandbox/faults', {kind => 'drop', rate => $_[0]}) };
	$deaf->(1);
	$lose->($leg->{call_sid});
	my $new = $stage->wait_until(60, 'another leg beside the customer', sub {
		my ($leg) = grep { $_->{call_sid} ne $call->{twilioCallSid} } with_label($call); $leg });
	isnt $new->{call_sid}, $leg->{call_sid}, 'nothing tells of its end: its silence does';
	$deaf->(0);
	is open_call($campaign)->{id}, $call->{id}, 'and the customer is still there';
	$stage->wait_until(20, 'the new leg to be known', sub { ($sid->() // '') eq $new->{call_sid} });
	$stage->api(POST => "/api/calls/$call->{id}/hangup");
	wait_state($agent, 'ready');
	$stage->api(DELETE => "/api/agents/$agent->{id}/session");
};

subtest 'Twilio answers a SIP agent and hangs up at once' => sub {
	my $hooks = Omnivox::Hooks->new(dir => $stage->dir, answer => sub {
		return [200, 'text/xml', '<Response><Say>An application error has occurred.</Say></Response>'] });
	my $campaign = $stage->make_campaign({wrapUpS => 0}, '+14155550106');
	my $agent = $stage->make_agent('sorry', $campaign);
	$stage->start_phone($agent, hz => 1330);
	$stage->wait_registered($agent);
	$stage->agent_ready($agent, $campaign);
	my $session = $stage->agent_session($agent)->{id};
	# From the end of each leg to the next one, in seconds.
	my $waits = sub { split /\s+/, $stage->sql('SELECT extract(epoch FROM created_at - lag(left_at) OVER (ORDER BY id))'
		. " FROM call_legs WHERE agent_session_id = $session ORDER BY id OFFSET 1") };
	my $domain = $stage->sandbox_get('/sandbox/sip-domain');
	$stage->sandbox_put('/sandbox/sip-domain', {voice_url => "$hooks->{url}/sorry"});
	my ($leg) = grep { $_->{joined} && $_->{to} =~ /^sip:agent-$session\@/ }
		@{$stage->sandbox_get('/sandbox/calls')->{calls}};
	$stage->sandbox_post('/sandbox/drop', {call_sid => $leg->{call_sid}});
	my @waits = @{$stage->wait_until(60, 'five more legs', sub { my @w = $waits->(); @w >= 5 ? \@w : undef })};
	cmp_ok $waits[4], '>', 2, 'each try waits longer for the next' or diag "@waits";
	$stage->sandbox_put('/sandbox/sip-domain', {voice_url => $domain->{voice_url}});
	wait_state($agent, 'ready');
	pass 'the agent is ready when Twilio can do what it is told';
	$stage->api(DELETE => "/api/agents/$agent->{id}/session");
};

subtest 'kill -9 while the agent is rung' => sub {
	my $campaign = $stage->make_campaign({wrapUpS => 0}, '+14155550103');
	my $agent = $stage->make_agent('slow', $campaign);
	$stage->api(PUT => "/api/agents/$agent->{id}/endpoint",
		{type => 'phone', number => '+15557770002', nailed => JSON::PP::false});
	$stage->agent_ready($agent, $campaign);
	my ($e) = @{$stage->api(GET => "$CM/campaigns/$campaign/queue")->{queueEntries}};
	my $pid = fork // die;
	if (!$pid) { call_now($campaign, $agent); POSIX::_exit(0) }
	$stage->wait_until(10, 'the agent to ring', sub {
		my ($l) = live('+15557770002'); $l && $l->{status} eq 'ringing' });
	my $worker = $stage->worker;
	kill 'KILL', $worker;
	$stage->worker($worker, 10);
	waitpid $pid, 0;
	$stage->wait_until(30, 'the conversation', sub {
		my $c = open_call($campaign); $c && $c->{state} eq 'bridged' });
	is scalar(creates('+15557770002')), 1, 'the agent was rung once';
	is scalar(creates('+14155550103')), 1, 'and the customer was dialled once';
	$worker = $stage->worker;
	kill 'KILL', $worker;
	$stage->worker($worker, 10);
	is $stage->agent_session($agent)->{state}, 'on_call', 'killed again in mid-conversation: it goes on';
	ok scalar(live('+15557770002')), 'on the same leg';
	$stage->api(POST => '/api/calls/' . open_call($campaign)->{id} . '/hangup');
	wait_state($agent, 'ready');
	$stage->wait_until(20, 'the leg to be let go', sub { !live('+15557770002') });
	is scalar(creates('+15557770002')), 1, 'and nobody was rung again';
	$stage->api(DELETE => "/api/agents/$agent->{id}/session");
};

subtest 'kill -9 of a nailed phone\'s gateway' => sub {
	my $campaign = $stage->make_campaign({wrapUpS => 0}, '+14155550104');
	my $agent = $stage->make_agent('nail', $campaign);
	$stage->api(PUT => "/api/agents/$agent->{id}/endpoint", {type => 'phone', number => '+15557770001'});
	my $before = creates('+15557770001');
	$stage->agent_ready($agent, $campaign);
	my $worker = $stage->worker;
	kill 'KILL', $worker;
	$stage->worker($worker, 10);
	is call_now($campaign, $agent)->{status}, 200, 'the agent is as reachable as before';
	wait_state($agent, 'on_call');
	is creates('+15557770001') - $before, 1, 'and was not rung again';
	$stage->api(POST => '/api/calls/' . open_call($campaign)->{id} . '/hangup');
	wait_state($agent, 'ready');
	$worker = $stage->worker;
	$stage->api(DELETE => "/api/agents/$agent->{id}/session");
	kill 'KILL', $worker;
	$stage->worker($worker, 10);
	$stage->wait_until(20, 'a leg of who signed out just before to be ended', sub { !live('+15557770001') });
	pass 'signing out hangs up, whatever happens';
};

$stage->stop('gateway');
$stage->stop('sandbox');
for my $kind ('sip', 'phone') {
	my $sound = tones("$stage->{sandbox}{data}/sandbox/heard/$heard{$kind}.wav", 440, 1330);
	is $sound->[$#$sound - 2], 1330, "the customer of the $kind agent hears it again";
	is_deeply [grep { $_ } heard_order($sound)]->[0], 1330, 'and heard nobody else';
}
done_testing;
