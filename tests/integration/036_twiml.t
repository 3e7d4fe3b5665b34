#!/usr/bin/env perl
# What callers are told to do: agents' browsers that call by the TwiML App, customers of POST Calls,
# lines that were dialled ahead. Every document is held against the tables of Twilio's pages.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Time::HiRes qw(time);
use Omnivox::Asking;
use Omnivox::Stage;
use Omnivox::Twiml qw(twiml_parse twiml_complaints);

my $CM = $Omnivox::Stage::CM;
my ($OUTBOUND, $CUSTOMER, $BROWSER) = ('/api/calls-twiml/twiml-outbound',
	'/api/calls-twiml/twiml-customer', '/api/calls/twiml');
my $stage = Omnivox::Stage->new(population => [
	{match => 'client:', behaviour => 'human', ring_ms => 200, talk_ms => 0},
	{match => '+1', behaviour => 'human', ring_ms => 300, talk_ms => 0, say => 'tone:440'}]);
asking($stage);
$stage->start_sandbox;
$stage->start_gateway;
$stage->login;
my $campaign = $stage->make_campaign({wrapUpS => 0}, '+14155550101', '+14155550102');
my %agent;
for my $name (qw(ana wim)) {
	my $a = $agent{$name} = $stage->make_agent($name, $campaign);
	$stage->api(PUT => "/api/agents/$a->{id}/endpoint",
		{type => 'browser', nailed => $name eq 'ana' ? JSON::PP::true : JSON::PP::false});
}
my $app = $stage->twilio_rest(POST => 'Applications.json', FriendlyName => 'Agents',
	VoiceUrl => "http://$stage->{gateway}{http}$BROWSER")->{sid};

my @wrong;
sub twiml {
	my ($method, $path, $form) = @_;
	my $r = told($method, $path, $form);
	push @wrong, "$r->{status} $path" unless $r->{status} == 200;
	push @wrong, map { "$path: $_" } twiml_complaints($r->{content});
	return twiml_parse($r->{content});
}
sub sid { return 'CA' . sprintf '%032x', $_[0] }
sub verbs { return join ' ', map { $_->{name} } @{$_[0]{children}} }
sub room { my ($doc) = @_; return $doc->{children}[0]{children}[0] }
sub creates { my ($to) = @_; return grep { $_->{event} eq 'create' && $_->{to} eq $to } $stage->call_log }
sub calls { return @{$stage->api(GET => '/api/calls')->{calls}} }
sub wait_state {
	my ($agent, $state) = @_;
	return $stage->wait_until(20, "$agent->{username} to be $state", sub {
		my $s = $stage->agent_session($agent); $s && $s->{state} eq $state ? $s : undef });
}
sub browser_calls {
	my ($agent, $to) = @_;
	return $stage->sandbox_post('/sandbox/inbound', {from => "client:agent-$agent->{id}",
		application_sid => $app, to => $to, customer => {talk_ms => 0, say => 'tone:1330'}})->{call_sid};
}
sub told_to {
	my ($sid) = @_;
	my ($l) = grep { $_->{event} eq 'join' && $_->{call_sid} eq $sid } $stage->call_log;
	return $l && $l->{conference};
}

subtest 'strangers and nonsense' => sub {
	for my $path ($OUTBOUND, $CUSTOMER, $BROWSER) {
		for my $form ({}, {CallSid => 'CA1'}, {CallSid => sid(1)}, {CallSid => sid(1),
			From => '"><Dial>+1</Dial><x a="', To => '</Response>&amp;'},
			{CallSid => sid(1), From => "client:agent-1' OR 1=1", To => "\x{1}\x{2}"},
			{CallSid => sid(1), From => 'client:agent-999999', To => '+14155550101'}) {
			for my $method ('GET', 'POST') {
				is verbs(twiml($method, "$path?call=999999&queueId=x", $form)), 'Say Hangup', "$method $path";
			}
		}
	}
	is scalar(calls()), 0, 'nobody was called';
};

subtest 'a browser that calls for itself' => sub {
	my $leg = browser_calls($agent{ana}, '');
	$stage->wait_until(10, 'it to be hung up', sub {
		grep { $_->{event} eq 'ended' && $_->{call_sid} eq $leg } $stage->call_log });
	is told_to($leg), undef, 'who is not signed in goes nowhere';
	$stage->api(POST => "/api/agents/$agent{ana}{id}/session", {campaignId => $campaign});
	$stage->wait_until(10, 'the browser to be rung', sub {
		$stage->agent_session($agent{ana})->{twilioUp} });
	my $own = browser_calls($agent{ana}, '');
	my $room = $stage->wait_until(10, 'its own leg to join', sub { told_to($own) });
	like $room, qr/^ovx-[a-z0-9]+-\d+-\d+$/, 'in a conference of the session';
	$stage->wait_until(10, 'the leg of before to make room', sub {
		grep { $_->{event} eq 'ended' && $_->{to} eq "client:agent-$agent{ana}{id}" } $stage->call_log });
	$stage->api(POST => "/api/agents/$agent{ana}{id}/session/ready");
	ok wait_state($agent{ana}, 'ready'), 'and the agent is ready with it';
};

subtest 'a browser that dials a number' => sub {
	$stage->api(POST => "/api/agents/$agent{wim}{id}/session", {campaignId => $campaign});
	my $idle = browser_calls($agent{wim}, '');
	$stage->wait_until(10, 'it to be hung up', sub {
		grep { $_->{event} eq 'ended' && $_->{call_sid} eq $idle } $stage->call_log });
	is told_to($idle), undef, 'who is rung for each call has no leg without one';
	my $leg = browser_calls($agent{wim}, '+14155550109');
	wait_state($agent{wim}, 'on_call');
	my ($call) = calls();
	is_deeply [@$call{qw(mode number agentId campaignId)}],
		['manual', '+14155550109', $agent{wim}{id}, $campaign], 'a call record like every other';
	is $call->{verdict}{rule}, 'allowed', 'with its permission';
	is told_to($leg), $call->{conference}, 'the agent is in its conference';
	is scalar(creates("client:agent-$agent{wim}{id}")), 0, 'and was not rung';
	my %same = (CallSid => $leg, From => "client:agent-$agent{wim}{id}", To => '+14155550109');
	is room(twiml(POST => $BROWSER, \%same))->{text}, $call->{conference}, 'asked again: the same';
	is scalar(creates('+14155550109')), 1, 'and nobody is dialled again';
	is verbs(twiml(POST => $BROWSER, {%same, CallSid => sid(7), To => '+14155550108'})), 'Say Hangup',
		'a second call beside it is not possible';
	is $stage->agent_session($agent{wim})->{state}, 'on_call', 'and does not disturb the first';
	$stage->api(POST => '/api/admin/dnc', {phoneNumber => '+14155550107', reason => 'test'});
	$stage->api(POST => "/api/calls/$call->{id}/hangup");
	$stage->wait_until(15, 'wim to be free', sub { !$stage->agent_session($agent{wim})->{callId} });
	$stage->wait_until(10, 'the leg to be let go', sub {
		grep { $_->{event} eq 'ended' && $_->{call_sid} eq $leg } $stage->call_log });
	is verbs(twiml(POST => $BROWSER, {%same, CallSid => sid(8), To => '+14155550107'})), 'Say Hangup',
		'a number that must not be called is not called';
	is scalar(creates('+14155550107')), 0, 'by this door either';
	$stage->api(DELETE => "/api/agents/$agent{wim}{id}/session");
};

subtest 'the leg of a call whose agent is known' => sub {
	my ($e) = grep { $_->{contact}{phone} eq '+14155550101' } @{$stage->api(
		GET => "$CM/campaigns/$campaign/queue")->{queueEntries}};
	my $placed = $stage->api(POST => "$CM/campaigns/$campaign/queue/$e->{id}/call",
		{agentId => $agent{ana}{id}});
	wait_state($agent{ana}, 'on_call');
	my ($call) = calls();
	for my $method ('GET', 'POST') {
		my $room = room(twiml($method => "$OUTBOUND?queueId=$e->{id}&campaignId=$campaign",
			{CallSid => $call->{twilioCallSid}}));
		is $room->{text}, $call->{conference}, "$method: into its conference";
		is $room->{attributes}{endConferenceOnExit}, 'false', 'which it does not end';
	}
	is verbs(twiml(POST => "$OUTBOUND?queueId=$e->{id}", {CallSid => sid(9)})), 'Say Hangup',
		'another leg does not get in by naming the entry';
	$stage->api(POST => "/api/calls/$call->{id}/hangup");
	wait_state($agent{ana}, 'ready');
};

subtest 'a line without an agent' => sub {
	# A return call that nobody has taken yet is such a line.
	$stage->api(POST => "/api/agents/$agent{ana}{id}/session/pause");
	my $pid = fork // die;
	if (!$pid) {
		$stage->webhook(POST => '/api/calls-twiml/webhook/inbound', {CallSid => sid(20),
			From => '+14155550101', To => '+15550000001'});
		POSIX::_exit(0);
	}
	my $call = $stage->wait_until(5, 'the line', sub {
		my ($c) = grep { ($_->{twilioCallSid} // '') eq sid(20) } calls(); $c });
	is verbs(twiml(POST => "$CUSTOMER?call=$call->{id}", {CallSid => sid(21)})), 'Say Hangup',
		'another leg does not get its agent';
	my $begin = time;
	my $doc = twiml(POST => "$CUSTOMER?call=$call->{id}", {CallSid => sid(20)});
	is verbs($doc), 'Say Hangup', 'nobody is free: a sentence';
	cmp_ok time - $begin, '<', 5, 'before Twilio gives up';
	waitpid $pid, 0;
	my ($over) = grep { $_->{id} eq $call->{id} } calls();
	is "$over->{state} $over->{outcome}", 'ended abandoned', 'the line is abandoned, once';
	is verbs(twiml(POST => "$CUSTOMER?call=$call->{id}", {CallSid => sid(20)})), 'Say Hangup', 'told again';
};

is_deeply \@wrong, [], 'every document is what Twilio takes';
contract_kept();
done_testing;
