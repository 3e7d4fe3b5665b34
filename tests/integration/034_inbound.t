#!/usr/bin/env perl
# Somebody calls one of our numbers: an agent of the campaign that called them last, or a message
# in which 9 means never again. Asked twice, it is answered the same. All TwiML is judged.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Time::HiRes qw(time);
use Omnivox::Asking;
use Omnivox::Sound qw(tones heard_order);
use Omnivox::Stage;
use Omnivox::Twiml qw(twiml_parse twiml_complaints);

my $CM = $Omnivox::Stage::CM;
my $INBOUND = '/api/calls-twiml/webhook/inbound';
my ($OURS, $ZOE, $YAN, $EVE) = ('+15550000001', map { "+1415555010$_" } 1 .. 3);
my $DEAF = '+15557770009';
my $stage = Omnivox::Stage->new(population => [
	{match => $DEAF, behaviour => 'no_answer', ring_ms => 200},
	{match => '+1555777', behaviour => 'human', ring_ms => 200, talk_ms => 0, say => 'tone:1330'},
	{match => $YAN, behaviour => 'busy', ring_ms => 200},
	{match => '+1', behaviour => 'human', ring_ms => 200, talk_ms => 1000, say => 'tone:440'}]);
asking($stage);
$stage->start_sandbox;
$stage->start_gateway;
$stage->login;
my $campaign = $stage->make_campaign({wrapUpS => 0}, $ZOE, $YAN);
my $ana = $stage->make_agent('ana', $campaign);
$stage->api(PUT => "/api/agents/$ana->{id}/endpoint", {type => 'phone', number => '+15557770001'});
$stage->agent_ready($ana, $campaign);

# The number at Twilio asks us.
my ($number) = @{$stage->twilio_rest(GET => "IncomingPhoneNumbers.json?PhoneNumber=%2B15550000001")
	->{incoming_phone_numbers}};
$stage->twilio_rest(POST => "IncomingPhoneNumbers/$number->{sid}.json",
	VoiceUrl => "http://$stage->{gateway}{http}$INBOUND");

my @wrong;
# One document: judged, and read.
sub twiml {
	my ($method, $path, $form) = @_;
	my $r = told($method, $path, $form);
	push @wrong, "$r->{status} $path" unless $r->{status} == 200;
	push @wrong, map { "$path: $_" } twiml_complaints($r->{content});
	return twiml_parse($r->{content});
}

sub sid { return 'CA' . sprintf '%032x', $_[0] }
sub asks { my ($from, $n) = @_; return {CallSid => sid($n), From => $from, To => $OURS,
	CallStatus => 'ringing', Direction => 'inbound', AccountSid => $stage->account} }
# These callers are not at Twilio: what it would tell of their end.
sub hangs_up {
	my ($n) = @_;
	my ($call) = grep { ($_->{twilioCallSid} // '') eq sid($n) } calls();
	told(POST => "/api/calls-twiml/webhook/status?call=$call->{id}",
		{CallSid => sid($n), CallStatus => 'completed', CallDuration => 1, SequenceNumber => 0});
}
sub verbs { return join ' ', map { $_->{name} } @{$_[0]{children}} }
sub calls { return @{$stage->api(GET => "/api/calls?campaignId=$campaign")->{calls}} }
sub call_out {
	my ($to) = @_;
	my ($e) = grep { $_->{contact}{phone} eq $to } @{$stage->api(
		GET => "$CM/campaigns/$campaign/queue")->{queueEntries}};
	$stage->api(POST => "$CM/campaigns/$campaign/queue/$e->{id}/call", {agentId => $ana->{id}});
	$stage->wait_until(15, "the call to $to to end", sub { (calls())[0]{state} eq 'ended' });
	$stage->wait_until(5, 'ana to be ready', sub { $stage->agent_session($ana)->{state} eq 'ready' });
}

subtest 'a stranger' => sub {
	my $doc = twiml(POST => $INBOUND, asks('+12125550000', 1));
	is verbs($doc), 'Gather Say Hangup', 'hears a message and the offer';
	is scalar(calls()), 0, 'and is no call of ours';
	is ask(POST => $INBOUND, 'CallSid=' . sid(3), {'Content-Type'
		=> 'application/x-www-form-urlencoded'})->{status}, 403, 'unsigned: nothing';
};

my ($heard, @met, @alone);
subtest 'a return call' => sub {
	call_out($YAN);
	my $got = $stage->sandbox_post('/sandbox/inbound', {from => $YAN, to => $OURS,
		customer => {talk_ms => 2500, say => 'tone:440'}});
	$heard = $got->{call_sid};
	$stage->wait_until(10, 'the agent to have it', sub {
		$stage->agent_session($ana)->{state} eq 'on_call' });
	my ($call) = calls();
	is_deeply [@$call{qw(mode number callerId agentId twilioCallSid)}],
		['inbound', $YAN, $OURS, $ana->{id}, $heard], 'it is a call of the campaign, and of ana';
	ok $call->{contactId}, 'with its contact';
	$stage->wait_until(15, 'it to end', sub { (calls())[0]{state} eq 'ended' });
	is +(calls())[0]{outcome}, 'completed', 'they talked';
	$stage->wait_until(5, 'ana to be free', sub { $stage->agent_session($ana)->{state} eq 'ready' });
};

subtest 'the same request again' => sub {
	my @docs = map { told(POST => $INBOUND, asks($YAN, 10))->{content} } 1 .. 2;
	is $docs[0], $docs[1], 'is answered the same, letter by letter';
	is verbs(twiml_parse($docs[0])), 'Dial', 'into the conference';
	is scalar(grep { $_->{mode} eq 'inbound' } calls()), 2, 'and is one call';
	is verbs(twiml(POST => $INBOUND, asks($YAN, 11))), 'Gather Say Hangup',
		'another call with that number, while one is open, is not taken';
	hangs_up(10);
	$stage->wait_until(5, 'ana to be free', sub { $stage->agent_session($ana)->{state} eq 'ready' });
};

subtest 'nobody is free' => sub {
	$stage->api(POST => "/api/agents/$ana->{id}/session/pause");
	call_out_paused();
	my $begin = time;
	my $doc = twiml(POST => $INBOUND, asks($ZOE, 20));
	my $took = time - $begin;
	is verbs($doc), 'Gather Say Hangup', 'a message';
	ok $took > 1 && $took < 2.4, "after waiting for an agent ($took s)";
	my ($call) = calls();
	is "$call->{mode} $call->{state} $call->{outcome}", 'inbound ended abandoned', 'it is on record';
	is verbs(twiml(POST => $INBOUND, asks($ZOE, 20))), 'Gather Say Hangup', 'again the same';
	is scalar(grep { $_->{twilioCallSid} && $_->{twilioCallSid} eq sid(20) } calls()), 1, 'once';

	my $pid = fork // die;
	if (!$pid) {
		select undef, undef, undef, 0.5;
		$stage->api(POST => "/api/agents/$ana->{id}/session/ready");
		POSIX::_exit(0);
	}
	is verbs(twiml(POST => $INBOUND, asks($ZOE, 21))), 'Dial', 'an agent who comes free has the call';
	waitpid $pid, 0;
	hangs_up(21);
	$stage->wait_until(5, 'ana to be free', sub { $stage->agent_session($ana)->{state} eq 'ready' });
};

# Ana calls Zoe although she is paused, so that Zoe can call back.
sub call_out_paused {
	my ($e) = grep { $_->{contact}{phone} eq $ZOE } @{$stage->api(
		GET => "$CM/campaigns/$campaign/queue")->{queueEntries}};
	$stage->api(POST => "$CM/campaigns/$campaign/queue/$e->{id}/call", {agentId => $ana->{id}});
	$stage->wait_until(15, 'the call to Zoe to end', sub {
		my ($c) = calls(); $c->{number} eq $ZOE && $c->{state} eq 'ended' });
	$stage->wait_until(5, 'ana to be paused', sub { $stage->agent_session($ana)->{state} eq 'paused' });
}

subtest 'never again' => sub {
	my $doc = twiml(POST => $INBOUND, asks('+12125550001', 30));
	my ($gather) = grep { $_->{name} eq 'Gather' } @{$doc->{children}};
	my ($path) = $gather->{attributes}{action} =~ /^http:\/\/[^\/]+(\/[^#]*)/;
	is verbs(twiml(POST => $path, asks('+12125550001', 30))), 'Gather Say Hangup', 'no key: asked again';
	is verbs(twiml(POST => $path, {%{asks('+12125550001', 30)}, Digits => '5'})), 'Say Hangup', 'a wrong key';
	my $check = sub { $stage->api(POST => '/api/admin/dnc/check', {phoneNumber => '+12125550001'}) };
	ok !$check->()->{isBlocked}, 'nothing was noted';
	for (1 .. 2) {
		my $said = twiml(POST => $path, {%{asks('+12125550001', 30)}, Digits => '9'});
		is verbs($said), 'Say Hangup', '9, and once more';
		like $said->{children}[0]{text}, qr/not be called/, 'is confirmed';
	}
	ok $check->()->{isBlocked}, 'the number is not called any more';
};

subtest 'agents who are rung for each call' => sub {
	my $theirs = $stage->make_campaign({wrapUpS => 0}, $EVE);
	my ($bo, $cy) = map { $stage->make_agent($_, $theirs) } qw(bo cy);
	$stage->api(PUT => "/api/agents/$bo->{id}/endpoint",
		{type => 'phone', number => '+15557770002', nailed => JSON::PP::false});
	$stage->api(PUT => "/api/agents/$cy->{id}/endpoint",
		{type => 'phone', number => $DEAF, nailed => JSON::PP::false});
	my $latest = sub { (@{$stage->api(GET => "/api/calls?campaignId=$theirs")->{calls}})[0] };
	my $free = sub {
		$stage->wait_until(15, 'bo to be ready, and let go', sub {
			my $s = $stage->agent_session($bo);
			$s->{state} eq 'ready' && !$s->{twilioUp} && !grep { $_->{to} eq '+15557770002' }
				@{$stage->sandbox_get('/sandbox/calls')->{calls}} }) };
	$stage->agent_ready($bo, $theirs);
	my ($e) = @{$stage->api(GET => "$CM/campaigns/$theirs/queue")->{queueEntries}};
	$stage->api(POST => "$CM/campaigns/$theirs/queue/$e->{id}/call", {agentId => $bo->{id}});
	$stage->wait_until(20, 'the call to Eve to end', sub { $latest->()->{state} eq 'ended' });
	$free->();

	my $calls = sub { $stage->sandbox_post('/sandbox/inbound', {from => $EVE, to => $OURS,
		customer => {talk_ms => $_[0], say => 'tone:440'}})->{call_sid} };
	my $met = $calls->(4000);
	$stage->wait_until(15, 'bo to talk', sub {
		my $s = $stage->agent_session($bo); $s->{state} eq 'on_call' && $s->{twilioUp} });
	$stage->wait_until(15, 'it to end', sub { $latest->()->{state} eq 'ended' });
	is_deeply [@{$latest->()}{qw(mode agentId outcome twilioCallSid)}], ['inbound', $bo->{id}, 'completed', $met],
		'who calls back is met by one who is rung';
	push @met, $met;
	$free->();
	$stage->api(DELETE => "/api/agents/$bo->{id}/session");

	$stage->agent_ready($cy, $theirs);
	my $alone = $calls->(60000);
	$stage->wait_until(10, 'cy to be rung', sub { $stage->agent_session($cy)->{state} eq 'on_call' });
	$stage->wait_until(60, 'it to end', sub { $latest->()->{state} eq 'ended' });
	is_deeply [@{$latest->()}{qw(mode agentId outcome twilioCallSid)}], ['inbound', $cy->{id}, 'abandoned', $alone],
		'or by nobody';
	my ($why) = grep { $_->{event} eq 'agent_missing' }
		@{$stage->api(GET => '/api/calls/' . $latest->()->{id})->{events}};
	is $why->{detail}, 'The agent did not answer.', 'and the call says why';
	my $s = $stage->wait_until(10, 'cy to be free', sub {
		my $s = $stage->agent_session($cy); $s->{state} ne 'on_call' && $s });
	is "$s->{state} $s->{reason}", 'paused did not answer', 'the agent is not rung for the next one';
	push @alone, $alone;
};

# What carriers and Twilio write in place of a number: words, and words typed on a telephone's keys.
subtest 'who hides the number' => sub {
	my $listed = sub { [map { $_->{phoneNumber} } @{$stage->api(GET => '/api/admin/dnc?limit=200')->{entries}}] };
	my ($before, $n) = ($listed->(), 40);
	for my $from (qw(anonymous Restricted +266696687 +7378742833 +2562533 +8656696 +86282452253)) {
		my $doc = twiml(($n % 2 ? 'GET' : 'POST') => $INBOUND, asks($from, ++$n));
		is verbs($doc), 'Say Hangup', "$from is not promised what cannot be kept";
		like $doc->{children}[0]{text}, qr/hidden.*call again/, 'but hears why, and what to do';
		like twiml(POST => "$INBOUND?key", {%{asks($from, $n)}, Digits => '9'})->{children}[0]{text},
			qr/hidden/, 'also after a 9';
	}
	is_deeply $listed->(), $before, 'and none of that is a number that is not called';
	is scalar(grep { $_->{mode} eq 'inbound' && $_->{number} !~ /^\+1/ } calls()), 0, 'nor a call';
};

is_deeply \@wrong, [], 'every document is what Twilio takes';
contract_kept();
$stage->stop('gateway');
$stage->stop('sandbox');
is_deeply [heard_order(tones("$stage->{sandbox}{data}/sandbox/heard/$heard.wav", 440, 1330))], [1330],
	'who called back heard the agent';
is_deeply [heard_order(tones("$stage->{sandbox}{data}/sandbox/heard/$met[0].wav", 440, 1330))], [1330],
	'also the one who was rung';
is_deeply [heard_order(tones("$stage->{sandbox}{data}/sandbox/heard/$alone[0].wav", 350, 1330))], [350],
	'who met nobody heard a message';
done_testing;
