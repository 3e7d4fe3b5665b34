#!/usr/bin/env perl
# A call to the sandbox's SIP domain asks its voice URL what to do, and meets a customer in a
# conference.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Omnivox::Hooks;
use Omnivox::SipCaller;
use Omnivox::Test;

my $AC = 'AC' . 'a' x 32;
my $TOKEN = 'token-of-the-test';
my $dir = temp_dir();

my $hooks = Omnivox::Hooks->new(
	dir => "$dir",
	token => $TOKEN,
	answer => sub {
		my ($request) = @_;
		my $path = $request->{path};
		return [200, 'text/xml', '<Response><Reject reason="busy"/></Response>']
			if $path eq '/busy';
		return [200, 'text/xml', '<Response><Reject/></Response>'] if $path eq '/reject';
		return [404, 'text/plain', ''] if $path eq '/nothing';
		return unless $path eq '/agent';
		return [200, 'text/xml', '<Response><Dial><Conference waitUrl="" beep="false"'
			. ' endConferenceOnExit="false" participantLabel="agent"'
			. " statusCallback=\"http://$request->{headers}{host}/conference\""
			. ' statusCallbackEvent="start end join leave">ovx-1</Conference></Dial></Response>'];
	});

my $sandbox = start(
	command => [
		built('sandbox/omnivox-sandbox'), '--listen', '127.0.0.1:0', '--sip-listen',
		'127.0.0.1:0', '--data', "$dir", '--speed', '5', '--account-sid', $AC,
		'--auth-token', $TOKEN, '--record', '--sip-user', 'gw', '--sip-password', 'Secret1'],
	log => "$dir/sandbox.log",
	addresses => "$dir/run/sandbox-addresses.json");
my $base = "http://$sandbox->{addresses}{http}";

sub api
{
	my ($method, $path, @form) = @_;
	return http_json($method, "$base/2010-04-01/Accounts/$AC/$path", user => "$AC:$TOKEN",
		@form ? (form => [@form]) : ());
}

sub caller_with
{
	return Omnivox::SipCaller->new(
		server => $sandbox->{addresses}{sip}, user => 'gw', password => 'Secret1', @_);
}

sub voice_url
{
	return http_json('PUT', "$base/sandbox/sip-domain", json => {
		voice_url => "$hooks->{url}/$_[0]", status_callback => "$hooks->{url}/status" });
}

is caller_with()->call, 404, 'without a voice URL nobody is there';
is voice_url('agent')->{json}{voice_url}, "$hooks->{url}/agent", 'the voice URL is set';
is caller_with(password => 'wrong')->call, 403, 'a wrong password is refused';

my $agent = caller_with(headers => ['X-Ovx-Leg: leg-token-7']);
is $agent->call, 200, 'the right one is answered';
my ($fetch) = $hooks->all(sub { $_[0]{path} eq '/agent' });
ok $fetch->{signed}, 'after a signed request for TwiML';
my $form = $fetch->{form};
is $form->{CallStatus}, 'ringing', 'while it rang';
is $form->{Direction}, 'inbound', 'as an inbound call';
is $form->{'SipHeader_X-Ovx-Leg'}, 'leg-token-7', 'with its X- header';
is $form->{SipCallId}, $agent->{call_id}, 'its Call-ID';
is $form->{SipUsername}, 'gw', 'and its user';
ok length $form->{SipDomain}, 'and the domain';
like $form->{$_}, qr/^sip:/, "$_ is a SIP URI" for qw(From To);

my ($joined) = $hooks->wait('the join', 1, sub { $_[0]{path} eq '/conference' });
is $joined->{form}{StatusCallbackEvent}, 'participant-join', 'it joined';
is $joined->{form}{ParticipantLabel}, 'agent', 'under its label';
my ($conference) = @{ api('GET', 'Conferences.json?FriendlyName=ovx-1')->{json}{conferences} };
is $conference->{status}, 'init', 'a lone agent has not started the conference';

my $customer = api('POST', 'Conferences/ovx-1/Participants.json', To => '+14155550001',
	From => '+15550001')->{json}{call_sid};
$hooks->wait('the start', 1, sub { ($_[0]{form}{StatusCallbackEvent} // '') eq
	'conference-start' });
$agent->talk(1000, 2, "$dir/agent.wav");
cmp_ok tone_power("$dir/agent.wav", 440), '>', 0.8, 'the agent hears the customer';
cmp_ok tone_power("$dir/sandbox/heard/$customer.wav", 1000), '>', 0.8,
	'the customer hears the agent';

my $heard = $agent->hang_up;
is $heard->{status}, 200, 'the agent hangs up';
my ($over) = $hooks->wait('the status', 1, sub { $_[0]{path} eq '/status' });
is $over->{form}{CallStatus}, 'completed', 'completed is reported';
is scalar(my @all = $hooks->all(sub { $_[0]{path} eq '/status' })), 1, 'and nothing else was';
my ($left) = $hooks->wait('the leave', 1, sub { ($_[0]{form}{StatusCallbackEvent} // '') eq
	'participant-leave' });
is $left->{form}{ReasonParticipantLeft}, 'participant_hung_up', 'it left the conference';

voice_url('busy');
is caller_with()->call, 486, 'Reject reason="busy" is 486';
voice_url('reject');
is caller_with()->call, 404, 'Reject is 404';
voice_url('nothing');
is caller_with()->call, 500, 'no TwiML is a failure';
http_json('PUT', "$base/sandbox/sip-domain", json => { fallback_url => "$hooks->{url}/busy" });
is caller_with()->call, 486, 'unless there is a fallback, which decides';
http_json('PUT', "$base/sandbox/sip-domain", json => { fallback_url => undef });

voice_url('agent');
my $lost = caller_with();
is $lost->call, 200, 'a second agent';
my ($live) = grep { $_->{direction} eq 'inbound' }
	@{ http_json('GET', "$base/sandbox/calls")->{json}{calls} };
is $live->{conference}, 'ovx-1', 'is in the overview';
is api('POST', "Calls/$live->{call_sid}.json", Status => 'completed')->{status}, 200,
	'ended by REST';
is $lost->receive(5)->{method}, 'BYE', 'it gets a BYE';
is stop($sandbox), 0, 'and the sandbox stops';

done_testing;
