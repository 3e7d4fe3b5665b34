#!/usr/bin/env perl
# Twilio ends each call after four hours: the legs of agents are renewed before that, while nobody
# is on them, and the agent is what it was.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Omnivox::Stage;

my $CM = $Omnivox::Stage::CM;
my ($DESK, $LUNCH) = ('+15557770001', '+15557770002');
my $stage = Omnivox::Stage->new(population => [
	{match => '*', behaviour => 'human', ring_ms => 300, talk_ms => 0, say => 'tone:440'}]);
$stage->start_sandbox;
$stage->start_gateway;
$stage->login;

sub on_twilio { @{$stage->sandbox_get('/sandbox/calls')->{calls}} }
sub leg_sid { my ($agent) = @_; return $stage->sql('SELECT l.provider_sid FROM call_legs l'
	. " JOIN agent_sessions s ON s.leg_id = l.id WHERE s.user_id = $agent->{id} AND s.ended_at IS NULL"
	. ' AND l.joined_at IS NOT NULL') }
# As if they had been made 226 minutes ago.
sub make_old { $stage->sql("UPDATE call_legs SET created_at = now() - interval '226 minutes'"
	. " WHERE kind = 'agent' AND left_at IS NULL") }
sub wait_renewed {
	my ($agent, $old) = @_;
	return $stage->wait_until(30, "the leg of $agent->{username} to be renewed", sub {
		my $sid = leg_sid($agent);
		my $s = $stage->agent_session($agent) or die 'signed out';
		$sid && $sid ne $old && !grep({ $_->{call_sid} eq $old } on_twilio()) && $s->{twilioUp} && $sid });
}
sub talk {
	my ($campaign, $agent) = @_;
	my ($e) = grep { $_->{status} eq 'pending' } @{$stage->api(GET => "$CM/campaigns/$campaign/queue")->{queueEntries}};
	$stage->api(POST => "$CM/campaigns/$campaign/queue/$e->{id}/call", {agentId => $agent->{id}});
	return $stage->wait_until(15, 'the conversation', sub {
		my ($c) = grep { $_->{state} eq 'bridged' } @{$stage->api(GET => "/api/calls?campaignId=$campaign")->{calls}};
		$c });
}

my $campaign = $stage->make_campaign({wrapUpS => 0}, map { "+1415555010$_" } 1 .. 4);
my %agent = map { $_ => $stage->make_agent($_, $campaign) } qw(soft desk lunch);
$stage->start_phone($agent{soft}, hz => 880);
$stage->wait_registered($agent{soft});
$stage->api(PUT => "/api/agents/$agent{desk}{id}/endpoint", {type => 'phone', number => $DESK});
$stage->api(PUT => "/api/agents/$agent{lunch}{id}/endpoint", {type => 'phone', number => $LUNCH});
$stage->agent_ready($_, $campaign) for @agent{qw(soft desk lunch)};
$stage->api(POST => "/api/agents/$agent{lunch}{id}/session/pause", {reason => 'lunch'});
my %first = map { $_ => leg_sid($agent{$_}) } keys %agent;
my $phone_dialog = $stage->sql("SELECT call_id FROM sip_dialogs WHERE side = 'phone'");

make_old();
my %second = map { $_ => wait_renewed($agent{$_}, $first{$_}) } sort keys %agent;
for my $name (qw(soft desk)) {
	$stage->wait_until(10, "$name to be ready", sub { $stage->agent_session($agent{$name})->{state} eq 'ready' });
	pass "$name has a new leg, and is ready again";
}
my $at_lunch = $stage->agent_session($agent{lunch});
is "$at_lunch->{state} $at_lunch->{reason}", 'paused lunch', 'who is at lunch has one, too, and is at lunch';
is $stage->sql("SELECT call_id FROM sip_dialogs WHERE side = 'phone'"), $phone_dialog,
	'the softphone was not called again';
is $stage->sql("SELECT count(*) FROM agent_state_log WHERE state = 'offline'"), 0, 'nobody was signed out';

# A call that began before is not cut: its leg waits for its end.
my $call = talk($campaign, $agent{soft});
make_old();
my $third = wait_renewed($agent{desk}, $second{desk});
is leg_sid($agent{soft}), $second{soft}, 'a leg in a call is left alone';
ok grep({ $_->{call_sid} eq $second{soft} && $_->{conference} eq $call->{conference} } on_twilio()),
	'beside its customer';
is $stage->agent_session($agent{soft})->{state}, 'on_call', 'who are talking';
$stage->api(POST => "/api/calls/$call->{id}/hangup");
wait_renewed($agent{soft}, $second{soft});
$stage->wait_until(10, 'soft to be ready', sub { $stage->agent_session($agent{soft})->{state} eq 'ready' });
pass 'it is renewed after the call';
ok talk($campaign, $agent{soft})->{id} != $call->{id}, 'and the next call comes in by the new one';

# A worker that dies in between leaves nobody without a leg.
$stage->wait_until(10, 'desk to be ready', sub { $stage->agent_session($agent{desk})->{state} eq 'ready' });
$stage->sql("UPDATE agent_sessions SET renew_leg = leg_id, twilio_up = false, phone_up = false,"
	. " state = 'paused' WHERE user_id = $agent{desk}{id} AND ended_at IS NULL");
my $worker = $stage->worker;
kill 'KILL', $worker;
$stage->worker($worker, 10);
wait_renewed($agent{desk}, $third);
$stage->wait_until(10, 'desk to be ready', sub { $stage->agent_session($agent{desk})->{state} eq 'ready' });
pass 'a renewal that was begun is brought to its end';
done_testing;
