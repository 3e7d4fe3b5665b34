#!/usr/bin/env perl
# People call the account's numbers, browsers call by their application and are called.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Omnivox::Sandbox;
use Omnivox::Test;

my $sandbox = Omnivox::Sandbox->new(
	population => [
		{ match => 'client:', behaviour => 'human', ring_ms => 300, talk_ms => 0, say => 'tone:600' },
		{ match => '+1416', behaviour => 'human', ring_ms => 300, talk_ms => 0, say => 'tone:440' }],
	answer => sub {
		my ($request) = @_;
		my $path = $request->{path};
		return [200, 'text/xml', '<Response><Pause length="2"/><Reject reason="busy"/></Response>']
			if $path eq '/busy';
		return [200, 'text/xml', '<Response><Reject/></Response>'] if $path eq '/reject';
		return [200, 'text/xml', '<Response><Pause length="600"/></Response>'] if $path eq '/wait';
		return [500, 'text/plain', 'away'] if $path eq '/broken';
		return [200, 'text/xml', '<Response><Reject reason="busy"/></Response>'] if $path eq '/sorry';
		return [200, 'text/xml', '<Response><Dial><Conference>room</Conference></Dial></Response>']
			if $path eq '/room';
		return;
	});
my $FROM = $Omnivox::Sandbox::FROM;
my ($number) = @{ $sandbox->api('GET', "IncomingPhoneNumbers.json?PhoneNumber=%2B15550001")
	->{json}{incoming_phone_numbers} };

sub voice_url
{
	$sandbox->api('POST', "IncomingPhoneNumbers/$number->{sid}.json",
		VoiceUrl => $sandbox->hook_url($_[0]), StatusCallback => $sandbox->hook_url('/status'));
}

sub inbound { return $sandbox->control('POST', 'inbound', { from => '+14155550123', to => $FROM, @_ }) }

sub ended_as
{
	my ($sid) = @_;
	my ($told) = $sandbox->hooked('/status', 1, sub { $_[0]{form}{CallSid} eq $sid });
	return $told->{form}{CallStatus};
}

subtest 'somebody calls a number' => sub {
	is inbound()->{status}, 404, 'without a voice URL nobody answers';
	is inbound(to => '+19999999')->{status}, 404, 'nor where there is no number';
	voice_url('/room');
	my $sid = inbound(customer => { talk_ms => 3000 }, parameters => { FromCity => 'SAN FRANCISCO',
		CallerName => 'DOE' })->{json}{call_sid};
	my ($asked) = $sandbox->hooked('/room', 1);
	ok $asked->{signed}, 'the voice URL is asked, signed';
	my $form = $asked->{form};
	is $form->{$_->[0]}, $_->[1], $_->[0]
		for [CallSid => $sid], [Direction => 'inbound'], [CallStatus => 'ringing'],
		[From => '+14155550123'], [To => $FROM], [Caller => '+14155550123'], [Called => $FROM],
		[FromCity => 'SAN FRANCISCO'], [FromCountry => 'US'], [ToCountry => 'US'], [CallerName => 'DOE'],
		[StirVerstat => 'TN-Validation-Passed-A'], [FromZip => ''];
	ok $form->{CallToken}, 'CallToken';
	$sandbox->wait_status($sid, 'in-progress');
	my $call = $sandbox->api('GET', "Calls/$sid.json")->{json};
	is $call->{direction}, 'inbound', 'an inbound call';
	is $call->{phone_number_sid}, $number->{sid}, 'of that number';
	my ($p) = @{ $sandbox->api('GET', 'Conferences/room/Participants.json')->{json}{participants} };
	is $p->{call_sid}, $sid, 'it is in the conference';
	$sandbox->wait_status($sid, 'completed');
	is ended_as($sid), 'completed', 'until the caller hangs up';
};

subtest 'a call is turned away, or given up' => sub {
	voice_url('/busy');
	is ended_as(inbound()->{json}{call_sid}), 'busy', 'busy, after a pause before the answer';
	voice_url('/reject');
	is ended_as(inbound()->{json}{call_sid}), 'no-answer', 'rejected';
	voice_url('/wait');
	my $sid = inbound(customer => { ring_ms => 400 })->{json}{call_sid};
	is ended_as($sid), 'canceled', 'the caller did not wait';
	is inbound(customer => { behaviour => 'odd' })->{status}, 400, 'a customer is well described';
};

subtest 'the number follows its application' => sub {
	my $app = $sandbox->api('POST', 'Applications.json', VoiceUrl => $sandbox->hook_url('/app'),
		VoiceMethod => 'GET')->{json}{sid};
	$sandbox->api('POST', "IncomingPhoneNumbers/$number->{sid}.json", VoiceApplicationSid => $app);
	my $sid = inbound()->{json}{call_sid};
	my ($asked) = $sandbox->hooked('/app', 1);
	is $asked->{query}{CallSid}, $sid, 'by GET';
	ok $asked->{signed}, 'signed';
	my $browser = $sandbox->control('POST', 'inbound', { from => 'client:ana', application_sid => $app,
		to => '+14160001', parameters => { Campaign => '7' } })->{json}{call_sid};
	my ($called) = $sandbox->hooked('/app', 1, sub { $_[0]{query}{CallSid} eq $browser });
	is $called->{query}{$_->[0]}, $_->[1], $_->[0]
		for [From => 'client:ana'], [To => '+14160001'], [Campaign => '7'], [Direction => 'inbound'],
		[ApplicationSid => $app];
	ok !exists $called->{query}{FromCity}, 'a browser has no city';
};

subtest 'a voice URL that fails has a fallback' => sub {
	my $nobody = 'http://127.0.0.1:1/'; # refuses connections
	my %fallback = (VoiceFallbackUrl => $sandbox->hook_url('/sorry'), VoiceFallbackMethod => 'GET');
	for my $case ([$sandbox->hook_url('/broken'), 11200], [$nobody, 11205]) {
		my ($url, $code) = @$case;
		my $kept = $sandbox->api('POST', "IncomingPhoneNumbers/$number->{sid}.json",
			VoiceApplicationSid => '', VoiceUrl => $url, %fallback)->{json};
		is $kept->{voice_fallback_url}, $fallback{VoiceFallbackUrl}, 'it is kept with the number';
		my $app = $sandbox->api('POST', 'Applications.json', VoiceUrl => $url, %fallback)->{json}{sid};
		for my $sid (inbound()->{json}{call_sid}, $sandbox->control('POST', 'inbound',
			{ from => 'client:ana', application_sid => $app })->{json}{call_sid}) {
			my ($asked) = $sandbox->hooked('/sorry', 1, sub { $_[0]{query}{CallSid} eq $sid });
			is $asked->{query}{ErrorCode}, $code, "and asked after $code";
			is $asked->{query}{ErrorUrl}, $url, 'with the URL that failed';
			$sandbox->wait_status($sid, 'busy');
		}
		$sandbox->api('POST', "IncomingPhoneNumbers/$number->{sid}.json", VoiceFallbackUrl => '');
		$sandbox->wait_status(inbound()->{json}{call_sid}, 'failed');
		pass 'without it the call fails';
	}
};

subtest 'browsers are called' => sub {
	my $sid = $sandbox->api('POST', 'Conferences/desk/Participants.json', To => 'client:ana?x=1',
		From => $FROM, Label => 'ana', StatusCallback => $sandbox->hook_url('/client'),
		StatusCallbackEvent => 'initiated ringing answered completed')->{json}{call_sid};
	$sandbox->wait_status($sid, 'in-progress');
	is $sandbox->api('GET', "Calls/$sid.json")->{json}{to}, 'client:ana', 'by its identity';
	is $sandbox->api('POST', 'Calls.json', To => 'client:ben', From => 'client:ana',
		Twiml => '<Response/>')->{status}, 201, 'also by one another';
	is $sandbox->api('POST', 'Calls.json', To => '+14160001', From => 'client:ana',
		Twiml => '<Response/>')->{json}{code}, 21212, 'a phone needs a number to be shown';
	$sandbox->control('POST', 'hangup', { call_sid => $sid });
	my @told = sort { $a->{form}{SequenceNumber} <=> $b->{form}{SequenceNumber} }
		$sandbox->hooked('/client', 4);
	is_deeply [map { $_->{form}{CallStatus} } @told], [qw(initiated ringing in-progress completed)],
		'with every status';
};

subtest 'numbers come and go' => sub {
	is $sandbox->control('PUT', 'numbers', { numbers => ['+15557777', '+15558888'] })->{status}, 200,
		'two others';
	is_deeply [sort map { $_->{phone_number} } @{ $sandbox->api('GET', 'IncomingPhoneNumbers.json')
		->{json}{incoming_phone_numbers} }], ['+15557777', '+15558888'], 'and only those';
	is $sandbox->control('PUT', 'numbers', { numbers => ['x'] })->{status}, 400, 'but no others';
};

subtest 'all of it in Twilio\'s shapes' => sub { $sandbox->answers_are_twilios };

$sandbox->ends_well;
done_testing;
