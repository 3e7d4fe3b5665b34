#!/usr/bin/env perl
# What is said can be read while it is said: transcription-started, -content, -stopped.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use JSON::PP ();
use Omnivox::Sandbox;
use Omnivox::Test;

my $WORDS = 'Good morning, who is there?';
my $sandbox = Omnivox::Sandbox->new(population => [
	{ match => '+1416', behaviour => 'human', ring_ms => 100, talk_ms => 0, speech => $WORDS },
	{ match => '+1417', behaviour => 'human', ring_ms => 100, talk_ms => 0 }],
	answer => sub {
		my ($request) = @_;
		return unless $request->{path} eq '/document';
		my $hook = "http://$request->{headers}{host}/by-document";
		return [200, 'text/xml', qq{<Response><Start><Transcription name="one" statusCallbackUrl="$hook"
			track="inbound_track" languageCode="de-DE" partialResults="perhaps"/><Recording/></Start>
			<Start><Transcription statusCallbackUrl="relative"/></Start><Pause length="20"/>
			<Stop><Transcription name="one"/><Transcription name="two"/><Recording/></Stop><Pause length="600"/></Response>}];
	});
my @COMMON = qw(AccountSid CallSid SequenceId Timestamp TranscriptionEvent TranscriptionSid);

sub talking
{
	my ($to) = @_;
	my $sid = $sandbox->dial($to);
	$sandbox->wait_status($sid, 'in-progress');
	return $sid;
}

sub transcribe
{
	my ($call, %form) = @_;
	return $sandbox->api('POST', "Calls/$call/Transcriptions.json",
		StatusCallbackUrl => $sandbox->hook_url('/said'), %form);
}

# The events of a transcription in their order; waits for at least `count`.
sub told
{
	my ($sid, $count) = @_;
	return sort { $a->{form}{SequenceId} <=> $b->{form}{SequenceId} }
		$sandbox->hooked('/said', $count, sub { $_[0]{form}{TranscriptionSid} eq $sid });
}

sub events { return join ' ', map { $_->{form}{TranscriptionEvent} =~ s/^transcription-//r } @_ }

subtest 'started, content, stopped' => sub {
	my $call = talking('+14160001');
	my $made = transcribe($call, Name => 'desk', InboundTrackLabel => 'customer');
	is $made->{status}, 200, 'it begins' or diag $made->{content};
	my $sid = $made->{json}{sid};
	like $sid, qr/^GT[0-9a-f]{32}$/, 'with a SID';
	is $made->{json}{$_->[0]}, $_->[1], $_->[0] for [name => 'desk'], [status => 'in-progress'],
		[call_sid => $call], [uri => "/2010-04-01/Accounts/$Omnivox::Sandbox::AC/Calls/$call/Transcriptions/$sid.json"];
	my ($started, $content) = told($sid, 2);
	is_deeply [sort keys %{ $started->{form} }], [sort @COMMON, qw(InboundTrackLabel LanguageCode Name PartialResults
		ProviderConfiguration Track TranscriptionEngine)], 'what is told at the start';
	is $started->{form}{$_->[0]}, $_->[1], $_->[0] for [TranscriptionEvent => 'transcription-started'],
		[CallSid => $call], [AccountSid => $Omnivox::Sandbox::AC], [SequenceId => 1], [LanguageCode => 'en-US'],
		[Track => 'both_tracks'], [TranscriptionEngine => 'google'], [PartialResults => 'false'], [Name => 'desk'],
		[InboundTrackLabel => 'customer'];
	like $started->{form}{Timestamp}, qr/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/, 'the time as ISO 8601';
	is JSON::PP::decode_json($started->{form}{ProviderConfiguration})->{speechModel}, 'telephony', 'the configuration as JSON';
	is_deeply [sort keys %{ $content->{form} }], [sort @COMMON, qw(Final LanguageCode Track TranscriptionData)],
		'what is told of what was said';
	is $content->{form}{$_->[0]}, $_->[1], $_->[0] for [TranscriptionEvent => 'transcription-content'],
		[SequenceId => 2], [Track => 'inbound_track'], [Final => 'true'];
	is_deeply JSON::PP::decode_json($content->{form}{TranscriptionData}), { transcript => $WORDS, confidence => 0.99 },
		'the words of the customer';
	my $got = $sandbox->api('POST', "Calls/$call/Transcriptions/desk.json", Status => 'stopped');
	is "$got->{status} $got->{json}{status}", '200 stopped', 'it ends by its name';
	my @told = told($sid, 3);
	is events(@told), 'started content stopped', 'and says so';
	is_deeply [sort keys %{ $told[2]{form} }], [sort @COMMON], 'with nothing else';
	ok !(grep { !$_->{signed} || $_->{method} ne 'POST' } @told), 'all are signed, all are POST';
	is $sandbox->api('POST', "Calls/$call/Transcriptions/$sid.json", Status => 'stopped')->{json}{code}, 21220,
		'what has ended does not end again';
};

subtest 'parts, and what the provider says' => sub {
	my $call = talking('+14160002');
	my $sid = transcribe($call, PartialResults => 'true', EnableProviderData => 'true',
		Track => 'inbound_track', StatusCallbackMethod => 'GET')->{json}{sid};
	my (undef, $part, $whole) = told($sid, 3);
	is $part->{form}{Final}, 'false', 'a part';
	is $part->{method}, 'POST', 'always by POST';
	my $data = JSON::PP::decode_json($part->{form}{TranscriptionData});
	is index($WORDS, $data->{transcript}), 0, 'is how it begins';
	ok !exists $data->{confidence}, 'and nobody is sure of it';
	ok defined $part->{form}{Stability}, 'but how stable it is, is told';
	is $whole->{form}{Final}, 'true', 'then the whole';
	ok defined $_->{form}{TranscriptionProviderData}, 'with the data of the provider' for $part, $whole;
	$sandbox->control('POST', 'speak', { call_sid => $call, speech => "\x{dc}" x 3 });
	my @told = told($sid, 5);
	is_deeply [map { JSON::PP::decode_json($_->{form}{TranscriptionData})->{transcript} } @told[3, 4]],
		["\x{dc}", "\x{dc}" x 3], 'no letter is cut in two';
};

subtest 'who speaks when the test says so' => sub {
	my $call = talking('+14170001');
	my $hears = transcribe($call)->{json}{sid};
	my $deaf = transcribe($call, Track => 'outbound_track')->{json}{sid};
	told($_, 1) for $hears, $deaf;
	is $sandbox->control('POST', 'speak', { call_sid => $call, speech => $_ })->{status}, 200, "'$_'"
		for 'Hello?', 'Are you "there"?';
	is_deeply [map { JSON::PP::decode_json($_->{form}{TranscriptionData})->{transcript} }
		grep { $_->{form}{TranscriptionEvent} =~ /content/ } told($hears, 3)],
		['Hello?', 'Are you "there"?'], 'every word, in order';
	is $sandbox->control('POST', 'hangup', { call_sid => $call })->{status}, 200, 'the customer hangs up';
	is events(told($hears, 4)), 'started content content stopped', 'which ends it';
	is events(told($deaf, 2)), 'started stopped', 'the other track heard nothing of it';
	is transcribe($call)->{json}{code}, 21220, 'a call that is over is not transcribed';
	is $sandbox->control('POST', 'speak', { call_sid => $call, speech => 'x' })->{status}, 404, 'nor does it speak';
};

subtest 'by a document' => sub {
	my $call = $sandbox->dial('+14160003', Url => $sandbox->hook_url('/document'));
	my @told = sort { $a->{form}{SequenceId} <=> $b->{form}{SequenceId} } $sandbox->hooked('/by-document', 3);
	is events(@told), 'started content stopped', 'it begins and ends by its name';
	is $told[0]{form}{$_->[0]}, $_->[1], $_->[0] for [CallSid => $call], [Name => 'one'], [Track => 'inbound_track'],
		[LanguageCode => 'de-DE'], [PartialResults => 'false'];
	my @warned = map { $_->{detail} } grep { $_->{event} eq 'warning' } json_lines($sandbox->{log});
	is scalar(@warned), 3, 'what is wrong in it is warned of' or diag explain \@warned;
	like $warned[0], qr/partialResults/, 'a value';
	like $warned[1], qr/absolute/, 'an address';
	like $warned[2], qr/two/, 'a name that nothing has';
	my ($recording) = @{ $sandbox->api('GET', "Calls/$call/Recordings.json")->{json}{recordings} };
	isnt $recording->{status}, 'in-progress', 'and Stop ends a recording too';
};

subtest 'errors, and a fact' => sub {
	my $call = talking('+14170002');
	is transcribe('CA' . '0' x 32)->{json}{code}, 20404, 'no such call';
	is transcribe($call, @$_)->{status}, 400, "not $_->[0] $_->[1]"
		for [Track => 'both'], [PartialResults => 'perhaps'];
	is $sandbox->api('POST', "Calls/$call/Transcriptions.json", StatusCallbackUrl => 'nowhere')->{json}{code}, 21609,
		'nor an address that is none';
	is $sandbox->api('POST', "Calls/$call/Transcriptions/desk.json", Status => 'stopped')->{json}{code}, 20404,
		'no such transcription';
	my $quiet = $sandbox->api('POST', "Calls/$call/Transcriptions.json");
	is $quiet->{json}{name}, undef, 'one without a name';
	is $sandbox->api('POST', "Calls/$call/Transcriptions/$quiet->{json}{sid}.json", Status => 'paused')->{status}, 400,
		'is not paused';
	$sandbox->control('PUT', 'settings', { transcription_status => 201 });
	is http_json('POST', "$sandbox->{base}/2010-04-01/Accounts/$Omnivox::Sandbox::AC/Calls/$call/Transcriptions.json",
		user => "$Omnivox::Sandbox::AC:$Omnivox::Sandbox::TOKEN", form => [Name => 'x'])->{status}, 201,
		'which of the two statuses a create has, is a setting';
};

subtest 'all of it in Twilio\'s shapes' => sub { $sandbox->answers_are_twilios };

$sandbox->ends_well;
done_testing;
