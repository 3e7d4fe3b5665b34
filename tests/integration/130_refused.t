#!/usr/bin/env perl
# What must change nothing: webhooks unsigned, wrongly signed and replayed; phones with a wrong
# password; a start with a wrong setting.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Digest::SHA qw(hmac_sha1);
use MIME::Base64 qw(encode_base64);
use Test::More;
use Omnivox::Stage;

my $stage = Omnivox::Stage->new(population => [
	{match => '*', weight => 1, behaviour => 'human', ring_ms => 200, talk_ms => 0, say => 'tone:440'}]);
$stage->start_sandbox;
$stage->start_gateway;
$stage->login;
my $campaign = $stage->make_campaign({wrapUpS => 0, callGapMs => 0}, '+15551110001');
my $agent = $stage->make_agent('ana', $campaign);

# A phone with a wrong password.
$stage->start_phone($agent, password => 'wrong-password');
$stage->wait_until(10, 'the registrar to refuse the phone', sub {
	open my $fh, '<', "$stage->{dir}/phone-ana.log" or return;
	return scalar grep { /401|403|[Uu]nauthorized|Authentication|Register: / } <$fh> });
ok !$stage->api(GET => "/api/agents/$agent->{id}")->{agent}{registered},
	'a wrong SIP password registers nothing';
$stage->stop('phone-ana');

# A live call to tell lies about.
$stage->start_phone($agent);
$stage->wait_registered($agent);
$stage->agent_ready($agent, $campaign);
$stage->api(POST => "$Omnivox::Stage::CM/campaigns/$campaign/auto-dial");
my $call = $stage->wait_until(15, 'the call', sub {
	my ($c) = @{$stage->api(GET => '/api/calls')->{calls}};
	$c && $c->{state} eq 'bridged' ? $c : undef });

sub state_of_call {
	my $d = $stage->api(GET => "/api/calls/$call->{id}");
	return "$d->{call}{state} " . scalar @{$d->{events}};
}

sub sign {
	my ($url, %p) = @_;
	return encode_base64(hmac_sha1($url . join('', map { "$_$p{$_}" } sort keys %p),
		$stage->token), '');
}

my $path = "/api/calls-twiml/webhook/status?call=$call->{id}&entry=$call->{queueId}&attempt=$call->{attempt}";
my $url = "http://$stage->{gateway}{http}$path";

sub send_webhook {
	my ($signature, %p) = @_;
	return HTTP::Tiny->new->post($url, {
		content => HTTP::Tiny->new->www_form_urlencode(\%p),
		headers => {'Content-Type' => 'application/x-www-form-urlencoded',
			defined $signature ? ('X-Twilio-Signature' => $signature) : ()}})->{status};
}

my %end = (CallSid => $call->{twilioCallSid}, CallStatus => 'completed', SequenceNumber => 9,
	CallDuration => 5, Timestamp => 'Tue, 24 Nov 2026 10:00:00 +0000', AccountSid => $stage->account);
my $before = state_of_call();
is send_webhook(undef, %end), 403, 'an unsigned webhook is refused';
is send_webhook('AAAAAAAAAAAAAAAAAAAAAAAAAAA=', %end), 403, 'a wrongly signed one is refused';
is send_webhook(sign($url, %end, CallDuration => 6), %end), 403, 'one changed after signing is refused';
is state_of_call(), $before, 'and the call is as it was';

# Strangers do not fill the log: a line a second, which says how many there were besides.
sub unsigned_lines {
	open my $fh, '<', "$stage->{dir}/gateway.log" or die $!;
	return grep { /unsigned or wrongly signed/ } <$fh>;
}
{
	my $lines = unsigned_lines();
	my $began = time;
	send_webhook(undef, %end) for 1 .. 100;
	my $seconds = time - $began + 1;
	$lines = unsigned_lines() - $lines;
	cmp_ok $lines, '<=', $seconds + 1, "100 unsigned ones in $seconds s are $lines lines";
	$stage->wait_until(5, 'a second later', sub { send_webhook(undef, %end); (unsigned_lines())[-1] =~ /unwritten=[1-9]/ });
	pass 'of which one says how many are not written';
}

my %ring = (%end, CallStatus => 'ringing', SequenceNumber => 1);
is send_webhook(sign($url, %ring), %ring), 204, 'a replayed webhook is taken';
is state_of_call(), $before, 'and changes nothing';
my %other = (%end, CallSid => 'CA' . 'f' x 32);
is send_webhook(sign($url, %other), %other), 204, 'one with the SID of another call is taken';
is state_of_call(), $before, 'and changes nothing';
my %broken = (%end, CallStatus => 'sleeping');
is send_webhook(sign($url, %broken), %broken), 400, 'one with an unknown status is refused';
is state_of_call(), $before, 'and changes nothing';
is send_webhook(sign($url, %end), %end), 204, 'the signed end is taken';
$stage->wait_until(10, 'the call to end', sub { state_of_call() =~ /^ended/ });
my $ended = state_of_call();
is send_webhook(sign($url, %end), %end), 204, 'the same again is taken';
is state_of_call(), $ended, 'and applied once';

# Without a session, or with the wrong role.
is $stage->request(GET => '/api/agents', undef, {Cookie => ''})->{status}, 401,
	'without a session nothing is told';
is $stage->request(POST => "$Omnivox::Stage::CM/campaigns", {name => 'X'},
	{'Sec-Fetch-Site' => 'cross-site'})->{status}, 403, 'another site changes nothing';
my $admin = $stage->{cookie};
$stage->login('ana', $agent->{password});
is $stage->request(POST => "$Omnivox::Stage::CM/campaigns", {name => 'X'})->{status}, 403,
	'an agent makes no campaign';
is $stage->request(GET => '/api/agents/1/session')->{status}, 403, 'and sees no other agent';
$stage->{cookie} = $admin;
is $stage->request(POST => "$Omnivox::Stage::CM/campaigns", '{"name":')->{status}, 400,
	'broken JSON is a 400';
is $stage->request(POST => "$Omnivox::Stage::CM/campaigns", {name => 'X', batchSize => 'many'})->{status},
	422, 'a wrong type is a 422';
is $stage->request(POST => "$Omnivox::Stage::CM/campaigns", {name => 'X', speed => 1})->{status},
	422, 'an unknown field is a 422';

# A start that cannot be stops, with its reason and a status that tells it.
open my $plain, '>', "$stage->{dir}/plain" or die $!;
close $plain;
mkdir "$stage->{dir}/other-data";
for my $case (
	[TWILIO_CPS => 'fast', 78, qr/TWILIO_CPS.*fast.*expected a number/],
	[SIP_LISTEN => 'everywhere', 78, qr/SIP_LISTEN.*everywhere.*host:port/],
	[TWILIO_ACCOUNT_SID => 'AC1', 78, qr/TWILIO_ACCOUNT_SID.*AC1.*32 hex/],
	[TWILIO_API_BASE => 'http://api.example.com', 78, qr/TWILIO_API_BASE.*loopback/],
	[TWILIO_FALLBACK_URL => 'http://example.com/x', 78, qr/TWILIO_FALLBACK_URL.*loopback/],
	[TWILIO_AUTH_TOKEN => '', 78, qr/TWILIO_AUTH_TOKEN is not set/],
	[RTP_PORTS => '9-1', 78, qr/RTP_PORTS.*9-1.*low-high/],
	[DATA_DIR => "$stage->{dir}/gateway-data", 75, qr/Another gateway runs in .*Stop it/],
	[DATA_DIR => "$stage->{dir}/plain", 73, qr/plain.* cannot be made/],
	[DATA_DIR => '/proc/nowhere', 73, qr/nowhere cannot be made/],
	[HTTP_LISTEN => $stage->{gateway}{http}, 69, qr/HTTP_LISTEN .* cannot be used.*Choose another/],
) {
	my ($name, $value, $wanted, $reason) = @$case;
	my $env = {%{$stage->gateway_env}, DATA_DIR => "$stage->{dir}/other-data", $name => $value};
	my $log = "$stage->{dir}/start-$name.log";
	unlink $log;
	my $pid = $stage->spawn("start-$name", $env, Omnivox::Stage::gateway_program());
	$stage->wait_until(30, "the start with $name=$value to end", sub { waitpid($pid, POSIX::WNOHANG()) == $pid });
	my $status = $? >> 8;
	delete $stage->{pids}{"start-$name"};
	my $said = do { local (@ARGV, $/) = $log; <> };
	ok $status == $wanted && $said =~ $reason, "$name=$value stops the start with $wanted and says why"
		or diag "status $status: $said";
}
done_testing;
