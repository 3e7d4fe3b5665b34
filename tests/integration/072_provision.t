#!/usr/bin/env perl
# --provision-twilio on an empty account and on one that is half there: the plan changes nothing,
# apply does it, a second run finds nothing to do, and what is not ours is left alone.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use HTTP::Tiny;
use JSON::PP ();
use MIME::Base64 ();
use Test::More;
use Omnivox::Between;
use Omnivox::Stage;

my $stage = Omnivox::Stage->new;
$stage->start_sandbox;
my $between = Omnivox::Between->new(to => "http://$stage->{sandbox}{http}", dir => $stage->dir);
my $DOMAIN = 'omnivox-test.sip.twilio.com';
my $BACKEND = 'https://calls.example.com';
my %settings = (TWILIO_API_BASE => $between->url, BACKEND_URL => $BACKEND, TWILIO_SIP_DOMAIN => $DOMAIN,
	TWILIO_SIP_USER => 'gateway2', TWILIO_SIP_PASSWORD => 'Provision-Pass-1');

sub provision {
	my ($word, %more) = @_;
	my %env = (%{$stage->gateway_env}, %settings, %more);
	my ($out, $err) = map { "$stage->{dir}/provision.$_" } qw(out err);
	my $pid = fork // die "fork: $!";
	if ($pid == 0) {
		$ENV{$_} = $env{$_} for keys %env;
		open STDOUT, '>', $out or die $!;
		open STDERR, '>', $err or die $!;
		exec $stage->gateway_program, $word or POSIX::_exit(127);
	}
	waitpid $pid, 0;
	my $status = $? >> 8;
	local $/;
	return ($status, map { open my $fh, '<', $_ or die $!; scalar(<$fh>) // '' } $out, $err);
}

my $account = $stage->account;
sub twilio {
	my ($method, $path, %form) = @_;
	my $r = HTTP::Tiny->new->request($method,
		"http://$stage->{sandbox}{http}/2010-04-01/Accounts/$account/$path",
		{headers => {authorization => 'Basic ' . MIME::Base64::encode("$account:" . $stage->token, ''),
			%form ? ('content-type' => 'application/x-www-form-urlencoded') : ()},
			%form ? (content => HTTP::Tiny->new->www_form_urlencode(\%form)) : ()});
	return JSON::PP::decode_json($r->{content});
}
sub posts { scalar grep { $_->{method} ne 'GET' } @{$between->requests} }

my ($status, $out, $err) = provision('--provision-twilio');
is $status, 2, 'an empty account: something is to be done' or diag "$out$err";
for my $line (qr/\+ SIP credential list Omnivox Gateway/, qr/\+ SIP credential gateway2/,
	qr/\+ SIP domain \Q$DOMAIN\E\n +voice URL: \Q$BACKEND\E\/api\/calls-twiml\/twiml-agent/,
	qr/\+ TwiML App Omnivox Gateway/, qr/~ number \+15550000001\n +voice URL: \(none\) -> \Q$BACKEND/,
	qr/Plan: 5 to create, 2 to change, 0 as wanted/) {
	like $out, $line, 'the plan says it';
}
is posts(), 0, 'and nothing was sent';
unlike $out, qr/Provision-Pass-1/, 'no password is shown';

# A number that leads elsewhere is not taken away from its owner.
my ($other) = grep { $_->{phone_number} eq '+15550000002' }
	@{twilio(GET => 'IncomingPhoneNumbers.json')->{incoming_phone_numbers}};
for my $url ('https://other.example.com/x', "${BACKEND}pany/api/calls-twiml/x",
	"$BACKEND:8443/api/calls-twiml/webhook/inbound", "$BACKEND/api/calls-twimlish", "$BACKEND/crm/voice") {
	twilio(POST => "IncomingPhoneNumbers/$other->{sid}.json", VoiceUrl => $url);
	like +(provision('--provision-twilio'))[1], qr/number \+15550000002 leads elsewhere/, "$url is not ours";
}

($status, $out, $err) = provision('--provision-twilio=apply');
is $status, 0, 'apply does it' or diag "$out$err";
like $out, qr/Done: 5 created, 1 changed/, 'and says so';
like $out, qr/number \+15550000002 leads elsewhere.*left alone/, 'a number of somebody else is left alone';
my ($app) = $out =~ /TWILIO_TWIML_APP_SID=(AP[0-9a-f]{32})/;
ok $app, 'the App that was made is named';
my ($domain) = grep { $_->{domain_name} eq $DOMAIN } @{twilio(GET => 'SIP/Domains.json')->{domains}};
like $domain->{voice_url}, qr{^\Q$BACKEND\E/api/calls-twiml/twiml-agent}, 'the domain leads to us';
like $domain->{auth_type}, qr/CREDENTIAL_LIST/, 'and asks for the credential';
my ($number) = grep { $_->{phone_number} eq '+15550000001' }
	@{twilio(GET => 'IncomingPhoneNumbers.json')->{incoming_phone_numbers}};
like $number->{voice_url}, qr{^\Q$BACKEND\E/api/calls-twiml/webhook/inbound}, 'the number rings us';
like $number->{status_callback}, qr{webhook/status\?inbound=1}, 'and tells of its end';

my $before = posts();
($status, $out, $err) = provision('--provision-twilio=apply');
is $status, 0, 'a second run';
like $out, qr/Nothing to do: all 6 are as wanted/, 'changes nothing';
is posts(), $before, 'and sends nothing';
($status, $out, $err) = provision('--provision-twilio', TWILIO_TWIML_APP_SID => $app);
is $status, 0, 'nor with the App in the settings';
($status, $out) = provision('--provision-twilio', TWILIO_SIP_DOMAIN => $DOMAIN =~ s/sip/sip.dublin/r);
is $status, 0, 'nor with the domain by way of an edge' or diag $out;

# Half of it is otherwise.
twilio(POST => "SIP/Domains/$domain->{sid}.json", VoiceUrl => 'https://old.example.com/agent');
twilio(POST => "IncomingPhoneNumbers/$number->{sid}.json", VoiceApplicationSid => $app);
($status, $out, $err) = provision('--provision-twilio');
is $status, 2, 'what somebody changed is seen';
like $out, qr{~ SIP domain \Q$DOMAIN\E\n +voice URL: https://old.example.com/agent -> \Q$BACKEND}, 'current -> wanted';
like $out, qr{~ number \+15550000001\n +application: $app -> \(none\)}, 'a number in an App too';
($status) = provision('--provision-twilio=apply');
is $status, 0, 'and set right';
($status, $out) = provision('--provision-twilio');
is $status, 0, 'for good' or diag $out;

# What Twilio asks when we do not answer.
my $FALLBACK = 'https://files.example.com/sorry.xml';
my %with = (TWILIO_FALLBACK_URL => $FALLBACK);
sub fallbacks {
	return map { join ' ', grep { defined } @$_{qw(voice_fallback_method voice_fallback_url)} }
		(grep { $_->{domain_name} eq $DOMAIN } @{twilio(GET => 'SIP/Domains.json')->{domains}}),
		@{twilio(GET => 'Applications.json')->{applications}},
		grep { $_->{phone_number} eq '+15550000001' }
		@{twilio(GET => 'IncomingPhoneNumbers.json')->{incoming_phone_numbers}};
}
($status, $out, $err) = provision('--provision-twilio', %with);
is $status, 2, 'a fallback is to be set';
my @lines = $out =~ m{^ +fallback URL: \(none\) -> (\S+)$}mg;
is_deeply \@lines, [($FALLBACK) x 3], 'of domain, App and number, says the plan' or diag $out;
like $out, qr/0 to create, 3 to change/, 'and of nothing else';
($status) = provision('--provision-twilio=apply', %with);
is $status, 0, 'it is set';
is_deeply [fallbacks()], [("GET $FALLBACK") x 3], 'to be read by GET';
($status, $out) = provision('--provision-twilio', %with);
is $status, 0, 'for good' or diag $out;
($status, $out) = provision('--provision-twilio', TWILIO_FALLBACK_URL => 'https://b.example.com/x');
like $out, qr{fallback URL: \Q$FALLBACK\E -> https://b\.example\.com/x\n}, 'another one is seen';
($status, $out) = provision('--provision-twilio');
is $status, 0, 'without the setting, one that is there stays' or diag $out;
($status, $out) = provision('--provision-twilio', %with, TWILIO_SIP_DOMAIN => 'second.sip.twilio.com');
like $out, qr{\+ SIP domain second\S+\n +voice URL: \S+\n +fallback URL: \Q$FALLBACK\E\n},
	'what is to be made has it from the start';
($status, $out, $err) = provision('--provision-twilio', TWILIO_FALLBACK_URL => "$BACKEND/sorry.xml");
is $status, 78, 'one at our own address is none';
like $err, qr/TWILIO_FALLBACK_URL .*BACKEND_URL, which is away/, 'and it says why';

# Settings and answers that are in the way.
($status, $out, $err) = provision('--provision-twilio', BACKEND_URL => '');
is $status, 78, 'without BACKEND_URL there is no plan';
like $err, qr/BACKEND_URL is not set.*https:/, 'and it says why';
($status, $out, $err) = provision('--provision-twilio', TWILIO_SIP_DOMAIN => '127.0.0.1:5060');
is $status, 78, 'a domain that cannot be one';
like $err, qr/\.sip\.twilio\.com/, 'is explained';
($status, $out, $err) = provision('--provision-twilio', TWILIO_TWIML_APP_SID => 'AP' . '0' x 32);
is $status, 78, 'an App that is not in the account';
$between->answer('SIP', 401, {code => 20003, message => 'Authenticate'});
($status, $out, $err) = provision('--provision-twilio');
is $status, 77, 'wrong credentials';
like $err, qr/SIP credential lists: .*TWILIO_AUTH_TOKEN.*20003/, 'are explained';
$between->answer('POST .*Credentials', 400, {code => 21243, message => 'Password too weak'});
($status, $out, $err) = provision('--provision-twilio=apply', TWILIO_SIP_USER => 'third');
is $status, 77, 'a password that Twilio does not take';
like $err, qr/21243/, 'is explained';
like $err, qr/^omnivox-gateway: 0 created, 0 changed before that; run it again to go on\.$/m, 'nothing was done';
unlike $err, qr/with the call's id\./, 'and no call is spoken of';
like $err, qr/Correct the setting/, 'but what to do';
# Halfway: list, credential, domain are made, what comes then is not.
my %half = (TWILIO_SIP_USER => 'fourth', TWILIO_SIP_DOMAIN => 'third.sip.twilio.com');
$between->answer('POST .*Domains/SD[0-9a-f]+/Auth', 400, {code => 21230, message => 'Enough mappings'});
($status, $out, $err) = provision('--provision-twilio=apply', %half);
is $status, 77, 'refused halfway';
like $err, qr/The mapping of the SIP domain: .*Enough mappings/, 'it says at what';
like $err, qr/^omnivox-gateway: 2 created, 0 changed before that; run it again to go on\.$/m, 'and what was done';
$between->answer;
($status, $out, $err) = provision('--provision-twilio=apply', %half);
is $status, 0, 'run again it goes on';
like $out, qr/^Done: 1 created, 0 changed, /m, 'with the rest';

# The caller id is nobody's, or somebody's who verified it.
%half = (%half, TWILIO_PHONE_NUMBER => '+15559990001');
($status, $out, $err) = provision('--provision-twilio', %half);
is $status, 78, 'a number that is not in the account';
like $out, qr/^  ! number \+15559990001 is not the account's$/m, 'is seen';
unlike $out, qr/Nothing to do/, 'and not called well';
like $err, qr/TWILIO_PHONE_NUMBER is \+15559990001, .* Buy or verify it/, 'it says what to do';
$between->answer('GET .*OutgoingCallerIds', 200, {outgoing_caller_ids => [{sid => 'PN' . 'a' x 32,
	phone_number => '+15559990001', friendly_name => 'Ours'}], next_page_uri => undef, page => 0});
($status, $out, $err) = provision('--provision-twilio', %half);
is $status, 0, 'a verified caller id may be called with' or diag "$out$err";
like $out, qr/^  \. number \+15559990001 is a verified caller id/m, 'and is named';
$between->answer;
$between->away;
($status, $out, $err) = provision('--provision-twilio');
is $status, 69, 'without Twilio there is no plan';
like $err, qr/SIP credential lists/, 'and it says at what';
done_testing;
