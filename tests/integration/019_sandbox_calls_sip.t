#!/usr/bin/env perl
# SIP phones and servers are called as Twilio calls them, by Participants, by Calls and by <Dial>.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Omnivox::Sandbox;
use Omnivox::SipPhone;
use Omnivox::Test;

my $sandbox = Omnivox::Sandbox->new(
	population => [{ match => '+1', behaviour => 'human', ring_ms => 300, talk_ms => 0, say => 'tone:440' }],
	answer => sub {
		my ($request) = @_;
		return [200, 'text/xml', '<Response><Gather action="/keys" numDigits="3" timeout="60"/></Response>']
			if $request->{path} eq '/ask';
		return [200, 'text/xml', '<Response><Hangup/></Response>'] if $request->{path} eq '/keys';
		return [200, 'text/xml', $request->{query}{twiml}] if $request->{path} eq '/doc';
		return;
	});
my $FROM = $Omnivox::Sandbox::FROM;

sub phone { my ($name, %with) = @_; return Omnivox::SipPhone->new(file => "$sandbox->{dir}/$name.jsonl", does => 'answer', %with) }

subtest 'a phone is put into a conference' => sub {
	my $phone = phone('ana', user => 'ana', password => 'secret');
	my $made = $sandbox->api('POST', 'Conferences/desk/Participants.json', From => $FROM, CallerId => 'desk',
		To => "sip:ana\@$phone->{address};edge=dublin?X-Leg=token%207", SipAuthUsername => 'ana',
		SipAuthPassword => 'secret', StatusCallback => $sandbox->hook_url('/status'),
		StatusCallbackEvent => 'initiated ringing answered completed')->{json};
	my ($invite) = $phone->saw('invite');
	is $invite->{uri}, "sip:ana\@$phone->{address}", 'at its address';
	is $invite->{believed}, 1, 'with digest, once challenged';
	is $invite->{$_->[0]}, $_->[1], $_->[0]
		for ['X-Twilio-CallSid' => $made->{call_sid}], ['X-Twilio-AccountSid' => $Omnivox::Sandbox::AC],
		['X-Leg' => 'token 7'];
	like $invite->{From}, qr/^<sip:desk\@/, 'From is the CallerId';
	like $invite->{'P-Asserted-Identity'}, qr/^<sip:\+15550001\@/, 'P-Asserted-Identity the From';
	$sandbox->wait_status($made->{call_sid}, 'in-progress');
	my $customer = $sandbox->api('POST', 'Conferences/desk/Participants.json', From => $FROM, To => '+14160001',
		WaitUrl => '')->{json}{call_sid};
	$sandbox->wait_status($customer, 'in-progress');
	my ($rtp) = $phone->saw('rtp');
	is $rtp->{bytes}, 172, 'sound comes in packets of 20 ms';
	is $sandbox->api('DELETE', "Conferences/desk/Participants/$made->{call_sid}.json")->{status}, 204, 'kicked';
	ok scalar($phone->saw('bye')), 'the phone is hung up';
	my @told = sort { $a->{form}{SequenceNumber} <=> $b->{form}{SequenceNumber} } $sandbox->hooked('/status', 4);
	is_deeply [map { $_->{form}{CallStatus} } @told], [qw(initiated ringing in-progress completed)], 'every status';
	like $told[0]{form}{To}, qr/^sip:ana/, 'to a SIP address';
	ok !exists $told[0]{form}{ToCity}, 'which has no city';
};

subtest 'its keys are heard' => sub {
	my $phone = phone('keys', keys => '1*7');
	$sandbox->dial("sip:k\@$phone->{address}", Url => $sandbox->hook_url('/ask'));
	my ($asked) = $sandbox->hooked('/keys', 1);
	is $asked->{form}{Digits}, '1*7', 'each once';
	ok scalar($phone->saw('bye')), 'and the document hangs up';
};

subtest 'busy, no answer, nobody, a wrong password' => sub {
	my %cases = (486 => ['busy', 486], ring => ['no-answer', 487]);
	for my $does (sort keys %cases) {
		my ($status, $sip) = @{ $cases{$does} };
		my $phone = phone($does, does => $does);
		my $sid = $sandbox->dial("sip:x\@$phone->{address}", Timeout => 5,
			StatusCallback => $sandbox->hook_url("/$does"));
		my ($told) = $sandbox->hooked("/$does", 1);
		is $told->{form}{CallStatus}, $status, $status;
		is $told->{form}{SipResponseCode}, $sip, "by $sip";
		ok scalar($phone->saw('cancel')), 'it was cancelled' if $does eq 'ring';
	}
	my $phone = phone('wrong', user => 'ana', password => 'secret');
	my $sid = $sandbox->dial("sip:ana\@$phone->{address}");
	$sandbox->wait_status($sid, 'failed');
	is scalar($phone->saw('invite', 0)), 0, 'without a password nobody comes in';
	$sid = $sandbox->dial('sip:x@nowhere.invalid');
	$sandbox->wait_status($sid, 'failed');
	my $ringing = phone('again', does => 'ring');
	$sid = $sandbox->dial("sip:x\@$ringing->{address}");
	$sandbox->wait_status($sid, 'ringing');
	$sandbox->api('POST', "Calls/$sid.json", Status => 'canceled');
	ok scalar($ringing->saw('cancel')), 'a cancelled call is cancelled';
	$sandbox->wait_status($sid, 'canceled');
};

subtest 'what a SIP status means is a setting' => sub {
	my $means = sub {
		my ($code) = @_;
		my $phone = phone("refuses-$code", does => $code);
		my $sid = $sandbox->dial("sip:x\@$phone->{address}", StatusCallback => $sandbox->hook_url('/means'));
		return ($sandbox->hooked('/means', 1, sub { $_[0]{form}{CallSid} eq $sid }))[0]{form}{CallStatus};
	};
	my %otherwise = (408 => 'no-answer', 480 => 'no-answer', 486 => 'busy', 487 => 'no-answer', 600 => 'busy');
	is_deeply $sandbox->control('GET', 'sip-statuses')->{json}, \%otherwise, 'as long as nobody knows better';
	is $means->(480), 'no-answer', '480 is no answer';
	is $means->(503), 'failed', 'and what has no word of its own failed';
	my $got = $sandbox->control('PUT', 'sip-statuses', { 503 => 'busy', 480 => 'failed' });
	delete $otherwise{480};
	is_deeply $got->{json}, { %otherwise, 503 => 'busy' }, 'one may say so';
	is $means->(503), 'busy', 'of this';
	is $means->(480), 'failed', 'and that';
	is $sandbox->control('PUT', 'sip-statuses', $_)->{status}, 400, 'but not everything'
		for { 486 => 'asleep' }, { 200 => 'busy' }, { x => 'busy' }, { 486 => 1 }, [];
	is $means->(486), 'busy', 'all or nothing';
};

subtest 'a document dials a phone' => sub {
	my $phone = phone('dialled', user => 'u', password => 'p');
	my $sid = $sandbox->dial('+14160009', Url => $sandbox->hook_url('/doc?' . form_encode({ twiml =>
		qq{<Response><Dial action="/keys"><Sip username="u" password="p">sip:u\@$phone->{address}?X-Leg=9</Sip></Dial></Response>} })));
	my ($invite) = $phone->saw('invite');
	is $invite->{believed}, 1, 'with the password of the noun';
	is $invite->{'X-Leg'}, 9, 'and its headers';
	ok scalar($phone->saw('rtp')), 'they are bridged';
	$sandbox->api('POST', "Calls/$sid.json", Status => 'completed');
	ok scalar($phone->saw('bye')), 'and end together';
};

subtest 'all of it in Twilio\'s shapes' => sub { $sandbox->answers_are_twilios };

$sandbox->ends_well;
done_testing;
