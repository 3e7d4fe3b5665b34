#!/usr/bin/env perl
# An agent whose phone is lost in mid-call has a while to come back; a customer whose agent does not
# is told so, and let go.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Time::HiRes qw(time);
use Omnivox::SipPhone;
use Omnivox::Sound qw(tones heard_order);
use Omnivox::Stage;

my $CM = $Omnivox::Stage::CM;
my ($DESK, $OURS, $VOICE) = ('+15557770001', '+15550000001', 1000);
my ($DEAD, $BUSY, $ZOE) = ('+14155550101', '+14155550102', '+14155550103');
my $stage = Omnivox::Stage->new(population => [
	{match => $DESK, behaviour => 'human', ring_ms => 200, talk_ms => 0, say => 'tone:1330'},
	{match => '*', behaviour => 'human', ring_ms => 200, talk_ms => 0, say => 'tone:440'}]);
$stage->start_sandbox;
$stage->sandbox_put('/sandbox/settings', {say_hz => $VOICE});
$stage->start_gateway;
$stage->login;
my ($number) = @{$stage->twilio_rest(GET => "IncomingPhoneNumbers.json?PhoneNumber=%2B15550000001")
	->{incoming_phone_numbers}};
$stage->twilio_rest(POST => "IncomingPhoneNumbers/$number->{sid}.json",
	VoiceUrl => "http://$stage->{gateway}{http}/api/calls-twiml/webhook/inbound");

sub call { $stage->api(GET => "/api/calls/$_[0]{id}") }
sub event {
	my ($call, $event) = @_;
	my ($e) = grep { $_->{event} eq $event } @{call($call)->{events}};
	return $e;
}
sub bridged {
	my ($campaign) = @_;
	return $stage->wait_until(15, 'the conversation', sub {
		my ($c) = grep { $_->{state} eq 'bridged' } @{$stage->api(GET => "/api/calls?campaignId=$campaign")->{calls}};
		return $c });
}
sub talk {
	my ($campaign, $agent) = @_;
	my ($e) = @{$stage->api(GET => "$CM/campaigns/$campaign/queue")->{queueEntries}};
	$stage->api(POST => "$CM/campaigns/$campaign/queue/$e->{id}/call", {agentId => $agent->{id}});
	return bridged($campaign);
}
sub wait_ended {
	my ($call, $seconds) = @_;
	$stage->wait_until($seconds, "the call with $call->{number} to end", sub { call($call)->{call}{state} eq 'ended' });
	return call($call)->{call};
}
sub wait_session {
	my ($agent, $seconds, $what, $is) = @_;
	return $stage->wait_until($seconds, "$agent->{username} to be $what", sub {
		my $s = $stage->agent_session($agent); $s && $is->($s) && $s });
}

my @heard;
my $dead_campaign = $stage->make_campaign({wrapUpS => 0}, $DEAD);
my $dead = $stage->make_agent('dead', $dead_campaign);
$stage->start_phone($dead, hz => 1330);
$stage->wait_registered($dead);
$stage->agent_ready($dead, $dead_campaign);
my $dead_call = talk($dead_campaign, $dead);

my $busy_campaign = $stage->make_campaign({wrapUpS => 0}, $BUSY);
my $busy = $stage->make_agent('busy', $busy_campaign);
sub phone_at_hand {
	my ($name, @does) = @_;
	my $phone = Omnivox::SipPhone->new(file => "$stage->{dir}/$name.jsonl", does => \@does);
	$stage->sql("DELETE FROM registrations WHERE user_id = $busy->{id}");
	$stage->sql('INSERT INTO registrations (user_id, contact, source, call_id, cseq, user_agent, expires_at)'
		. " VALUES ($busy->{id}, 'sip:phone\@$phone->{address}', '$phone->{address}', '$name', 1, '',"
		. " now() + interval '1 hour')");
	return $phone;
}
my $first = phone_at_hand('first', 'answer');
$stage->agent_ready($busy, $busy_campaign);
my $busy_call = talk($busy_campaign, $busy);

# Both are gone without a word; one comes back, and thinks for a moment that it is still in a call.
$stage->stop('phone-dead', 'KILL');
undef $first;
my $second = phone_at_hand('second', 486, 603, 'answer');

subtest 'who called us, and an agent whose phone Twilio cannot ring' => sub {
	my $campaign = $stage->make_campaign({wrapUpS => 0}, $ZOE);
	my $desk = $stage->make_agent('desk', $campaign);
	$stage->api(PUT => "/api/agents/$desk->{id}/endpoint", {type => 'phone', number => $DESK});
	$stage->agent_ready($desk, $campaign);
	my $out = talk($campaign, $desk);
	$stage->api(POST => "/api/calls/$out->{id}/hangup");
	wait_ended($out, 10);
	wait_session($desk, 10, 'ready', sub { $_[0]{state} eq 'ready' });
	my $sid = $stage->sandbox_post('/sandbox/inbound', {from => $ZOE, to => $OURS,
		customer => {talk_ms => 60000, say => 'tone:440'}})->{call_sid};
	my $call = bridged($campaign);
	my ($leg) = grep { $_->{to} eq $DESK && $_->{joined} } @{$stage->sandbox_get('/sandbox/calls')->{calls}};
	$stage->sandbox_put('/sandbox/faults', {kind => 'http500', rate => 1});
	$stage->sandbox_post('/sandbox/drop', {call_sid => $leg->{call_sid}});
	wait_session($desk, 10, 'away', sub { !$_[0]{twilioUp} });
	my $away = time;
	is call($call)->{call}{state}, 'bridged', 'the call goes on at first';
	my $over = wait_ended($call, 50);
	cmp_ok time - $away, '>', 18, 'the agent has a while to come back';
	is $over->{outcome}, 'completed', 'it was a conversation';
	is event($call, 'agent_lost')->{detail}, 'The agent\'s phone was lost and did not come back.', 'and says why it ended';
	isnt wait_session($desk, 10, 'free', sub { $_[0]{state} ne 'on_call' })->{state}, 'ready', 'the agent is away';
	$stage->sandbox_put('/sandbox/faults', {kind => 'http500', rate => 0});
	$stage->api(DELETE => "/api/agents/$desk->{id}/session");
	is $over->{twilioCallSid}, $sid, 'of the one who called us';
	push @heard, $sid;
};

subtest 'a phone that is busy for a moment' => sub {
	$stage->wait_until(60, 'it to be called until it answers', sub { $second->saw('answer', 1) });
	wait_session($busy, 10, 'there again', sub { $_[0]{phoneUp} && $_[0]{twilioUp} });
	is call($busy_call)->{call}{state}, 'bridged', 'the call goes on';
	ok !event($busy_call, 'agent_lost'), 'and its agent was not lost';
	$stage->api(POST => "/api/calls/$busy_call->{id}/hangup");
	wait_ended($busy_call, 10);
	is wait_session($busy, 10, 'free', sub { $_[0]{state} ne 'on_call' })->{state}, 'ready', 'who is ready after it';
};

subtest 'a phone that is dead' => sub {
	my $over = wait_ended($dead_call, 60);
	is $over->{outcome}, 'completed', 'the call is ended: it was a conversation';
	ok event($dead_call, 'agent_lost'), 'and says why';
	my $s = wait_session($dead, 10, 'free', sub { $_[0]{state} ne 'on_call' });
	is "$s->{state} $s->{reason}", 'paused waiting for the phone', 'its agent waits for the phone';
	$stage->start_phone($dead, hz => 1330);
	wait_session($dead, 30, 'ready', sub { $_[0]{state} eq 'ready' });
	pass 'and is ready when it is there again';
	push @heard, $over->{twilioCallSid};
};

$stage->stop('gateway');
$stage->stop('sandbox');
for my $sid (@heard) {
	my @order = heard_order(tones("$stage->{sandbox}{data}/sandbox/heard/$sid.wav", 1330, $VOICE));
	is $order[-1], $VOICE, 'the last that the customer heard is a message' or diag "@order";
}
done_testing;
