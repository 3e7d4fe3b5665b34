#!/usr/bin/env perl
# Hold and mute: done at Twilio before that is said, given up when Twilio refuses, tried again when
# its answer is lost, and over with the call.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use JSON::PP;
use Test::More;
use Time::HiRes qw(sleep);
use Omnivox::Asking;
use Omnivox::Stage;

my $CM = $Omnivox::Stage::CM;
my $stage = Omnivox::Stage->new(population => [{match => '*', weight => 1,
	behaviour => 'human', ring_ms => 300, talk_ms => 60000, say => 'tone:440'}]);
asking($stage);
$stage->start_sandbox;
$stage->start_gateway;
$stage->login;

my $campaign = $stage->make_campaign({wrapUpS => 0}, map { "+1555111000$_" } 1 .. 4);
my $ana = $stage->make_agent('ana', $campaign);
data(POST => '/api/agents', {username => 'bo', name => 'Bo', password => 'bo-password'});
my ($cookie, $bo) = (sign_in('ana', $ana->{password}), sign_in('bo', 'bo-password'));
$stage->start_phone($ana, hz => 1330);
$stage->wait_registered($ana);
$stage->agent_ready($ana, $campaign);

my $next = 0;
sub bridged {
	$next++;
	$stage->wait_until(15, 'ana to be ready', sub { $stage->agent_session($ana)->{state} eq 'ready' });
	my ($entry) = grep { $_->{contact}{phone} =~ /$next$/ }
		@{data(GET => "$CM/campaigns/$campaign/queue")->{queueEntries}};
	my $id = as($cookie, POST => "$CM/campaigns/$campaign/queue/$entry->{id}/call", {})
		->{json}{data}{callRecord}{id};
	wait_call($id, 'bridged');
	return $id;
}

# The participants of the running conference, as Twilio tells them: call SID => row.
sub participants {
	my $http = HTTP::Tiny->new;
	my $base = 'http://' . $stage->account . ':' . $stage->token
		. "\@$stage->{sandbox}{http}/2010-04-01/Accounts/" . $stage->account;
	my ($running) = grep { $_->{status} eq 'in-progress' }
		@{decode_json($http->get("$base/Conferences.json")->{content})->{conferences}};
	return map { $_->{call_sid} => $_ }
		@{decode_json($http->get("$base/Conferences/$running->{sid}/Participants.json")->{content})
			->{participants}};
}

sub participant { my ($sid) = @_; my %all = participants(); return $all{$sid} }

# The agent's leg: the one that is not the customer's.
sub agent_of { my ($customer) = @_; my %all = participants();
	return +(grep { $_ ne $customer } keys %all)[0] }

sub control {
	my ($call, $what, $body, $who) = @_;
	my $r = as($who // $cookie, POST => "/api/calls/$call/$what", $body);
	return $r if $r->{status} >= 400;
	return join ' ', $r->{status}, map { $r->{json}{data}{controls}{$_} ? 1 : 0 }
		qw(customerHeld customerMuted agentMuted confirmed);
}

my ($call, $customer);
subtest 'each does what it says' => sub {
	$call = bridged();
	$customer = data(GET => "/api/calls/$call")->{call}{twilioCallSid};
	my $agent = agent_of($customer);
	sleep 1.2;
	is control($call, 'hold'), '200 1 0 0 1', 'hold';
	my %now = participants();
	ok $now{$customer}{hold} && !$now{$agent}{hold}, 'holds the customer, at Twilio';
	is control($call, 'hold'), '200 1 0 0 1', 'again is the same';
	sleep 1.2;
	is control($call, 'unhold'), '200 0 0 0 1', 'unhold';
	ok !participant($customer)->{hold}, 'takes the customer back';
	sleep 1.2;
	is control($call, 'mute'), '200 0 0 1 1', 'mute';
	ok participant($agent)->{muted}, 'mutes the agent';
	is control($call, 'mute', {leg => 'customer'}), '200 0 1 1 1', 'or the customer';
	ok participant($customer)->{muted}, 'at Twilio';
	is control($call, 'unmute', {leg => 'customer'}), '200 0 0 1 1', 'unmute';
	is control($call, 'unmute', {leg => 'agent'}), '200 0 0 0 1', 'each by itself';
	answers(control($call, 'mute', {leg => 'both'}), 422, 'VALIDATION', 'a leg that there is not');
	answers(control($call, 'hold', {x => 1}), 422, 'VALIDATION', 'a field that there is not');
	answers(control($call, 'hold', undef, $bo), 404, 'NOT_FOUND', "another agent's call");
	my @told = map { "$_->{event} $_->{detail}" } grep { $_->{event} =~ /hold|mute/ }
		@{data(GET => "/api/calls/$call")->{events}};
	is_deeply \@told, ['hold customer', 'hold customer', 'unhold customer', 'mute agent', 'mute customer',
		'unmute customer', 'unmute agent'], 'the call tells it' or diag "@told";
};

subtest 'it ends with the call' => sub {
	is control($call, 'mute'), '200 0 0 1 1', 'muted';
	ask(POST => "/api/calls/$call/hangup");
	wait_call($call, 'ended');
	answers(control($call, 'hold'), 409, 'NOT_BRIDGED', 'there is nothing to hold any more');
	$call = bridged();
	my $sid = data(GET => "/api/calls/$call")->{call}{twilioCallSid};
	my $agent = agent_of($sid);
	# Twilio is told as soon as the call has ended; the next may be there before.
	ok $stage->wait_until(5, 'the agent to be heard', sub { !participant($agent)->{muted} }),
		'the agent is heard in the next call';
	is_deeply [@{data(GET => "/api/calls/$call")->{controls}}{qw(agentMuted customerHeld)}],
		[JSON::PP::false, JSON::PP::false], 'which says so';
};

subtest 'another leg of the agent' => sub {
	ask(POST => "/api/calls/$call/hangup");
	wait_call($call, 'ended');
	$call = bridged();
	my $sid = data(GET => "/api/calls/$call")->{call}{twilioCallSid};
	my $old = agent_of($sid);
	sleep 1.2;
	is control($call, 'mute'), '200 0 0 1 1', 'muted';
	$stage->sandbox_post('/sandbox/drop', {call_sid => $old});
	my $new = $stage->wait_until(20, 'another leg', sub {
		my %all = participants();
		return (grep { $_ ne $sid && $_ ne $old } keys %all)[0] });
	ok $stage->wait_until(5, 'it to be muted', sub { participant($new)->{muted} }), 'is muted as the one before';
	ok $stage->wait_until(5, 'the row', sub {
		my $told = data(GET => "/api/calls/$call")->{controls};
		return $told->{agentMuted} && $told->{confirmed} }), 'which is told when it is so';
	is control($call, 'unmute'), '200 0 0 0 1', 'and it is heard again';
	ok !participant($new)->{muted}, 'when that is wished';
};

subtest 'a wish outlives the worker' => sub {
	my $leg = $stage->sql("SELECT id FROM call_legs WHERE call_id = $call");
	my $worker = $stage->worker;
	# Written, and then the worker died.
	$stage->sql("INSERT INTO leg_controls (leg_id, call_id, hold, due_at) VALUES ($leg, $call, true,"
		. " now() + interval '1 second')");
	kill 'KILL', $worker;
	$stage->worker($worker);
	my $sid = data(GET => "/api/calls/$call")->{call}{twilioCallSid};
	ok $stage->wait_until(15, 'the hold', sub { participant($sid)->{hold} }), 'it is done by the next';
	ok $stage->wait_until(5, 'the row', sub { data(GET => "/api/calls/$call")->{controls}{confirmed} }),
		'and confirmed';
	ask(POST => "/api/calls/$call/hangup");
};

contract_kept();
undef $stage;
done_testing;
