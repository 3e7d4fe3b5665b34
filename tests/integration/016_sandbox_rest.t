#!/usr/bin/env perl
# The small print of the REST API: wrong addresses, limits, slowness, an API that is away, what
# is forgotten; cookies and passwords of the web server that is asked for documents.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use IO::Socket::INET;
use Test::More;
use Time::HiRes qw(sleep time);
use Omnivox::Sandbox;
use Omnivox::Test;

my $FROM = $Omnivox::Sandbox::FROM;
my $AC = $Omnivox::Sandbox::AC;
my $KEY = 'SK' . 'b' x 32;
my $sandbox = Omnivox::Sandbox->new(
	args => ['--keep', '10', '--sandbox-cps', '1', '--api-key-sid', $KEY, '--api-key-secret', 'secret-of-the-key'],
	population => [
		{ match => '+1500', behaviour => 'busy', ring_ms => 100 },
		{ match => '+15010001', behaviour => 'failed', ring_ms => 100 },
		{ match => '+15010002', behaviour => 'failed', ring_ms => 100, sip_code => 403,
			error_code => 32205, error_message => 'Geo Permission' },
		{ match => '+15010003', behaviour => 'fax', ring_ms => 100 },
		{ match => '+15010004', behaviour => 'machine', ring_ms => 100 },
		{ match => '*', behaviour => 'human', ring_ms => 200, talk_ms => 0 }],
	answer => sub {
		my ($request) = @_;
		my $path = $request->{path};
		return [200, "text/xml\r\nSet-Cookie: seen=yes; Path=/", '<Response><Redirect>/again</Redirect></Response>']
			if $path eq '/cookie';
		return [401, "text/plain\r\nWWW-Authenticate: Basic realm=\"x\"", '']
			if $path eq '/secret' && !$request->{headers}{authorization};
		return [200, 'text/xml', '<Response><Hangup/></Response>'] if $path =~ m{^/(again|secret)$};
		return;
	});

sub raw
{
	my ($method, $path) = @_;
	return http_json($method, "$sandbox->{base}$path", user => "$AC:$Omnivox::Sandbox::TOKEN");
}

sub fault
{
	my ($kind, $rate, $ms) = @_;
	return $sandbox->control('PUT', 'faults', { kind => $kind, rate => $rate, delay_ms => $ms // 0 });
}

subtest 'wrong addresses and methods' => sub {
	my $got = raw('GET', "/2010-04-01/Accounts/$AC/Nothing.json");
	is $got->{status}, 404, 'no such resource';
	is $got->{json}{code}, 20404, 'as Twilio says it';
	is raw('PUT', "/2010-04-01/Accounts/$AC/Calls.json")->{json}{code}, 20004, 'no PUT';
	$got = raw('GET', "/2010-04-01/Accounts/$AC/Calls");
	is $got->{status}, 404, 'without .json nothing';
	like $got->{content}, qr{<TwilioResponse><RestException><Code>20404</Code>}, 'in XML';
	$got = raw('GET', "/2010-04-01/Accounts/$AC/Calls.json");
	like $got->{headers}{'twilio-request-id'}, qr/^RQ[0-9a-f]{32}$/, 'every answer has its id';
	is $got->{headers}{'twilio-concurrent-requests'}, 1, 'and how many there are at once';
	$got = http_json('GET', "$sandbox->{base}/2010-04-01/Accounts/$AC/Calls.json");
	is $got->{headers}{'www-authenticate'}, 'Basic realm="Twilio API"', 'strangers are asked who they are';
};

subtest 'an API key instead of the account and its token' => sub {
	my $calls = "$sandbox->{base}/2010-04-01/Accounts/$AC/Calls.json";
	my $got = http_json('POST', $calls, user => "$KEY:secret-of-the-key",
		form => [To => '+14160000', From => $FROM, Twiml => '<Response/>']);
	is $got->{status}, 201, 'with its secret it may call' or diag $got->{content};
	is $got->{json}{account_sid}, $AC, 'as the account of the path';
	for my $user ("$KEY:wrong", "$KEY:$Omnivox::Sandbox::TOKEN", "$AC:secret-of-the-key",
		'SK' . 'c' x 32 . ':secret-of-the-key') {
		$got = http_json('GET', $calls, user => $user);
		is "$got->{status} $got->{json}{code}", '401 20003', "'$user' is refused";
	}
	is http_json('GET', $calls =~ s/$AC/'AC' . 'b' x 32/er, user => "$KEY:secret-of-the-key")->{status}, 401,
		"nor does it open another's account";
};

subtest 'the account, and calls by an application' => sub {
	is raw('GET', "/2010-04-01/Accounts/$AC.json")->{json}{status}, 'active', 'it is active';
	is $sandbox->get_json('GET', "/2010-04-01/Accounts/$AC.json")->{json}{sid}, $AC, 'and itself';
	is $sandbox->api('GET', 'Balance.json')->{json}{currency}, 'USD', 'with a balance';
	my $app = $sandbox->api('POST', 'Applications.json', VoiceUrl => $sandbox->hook_url('/again'),
		StatusCallback => $sandbox->hook_url('/app-status'))->{json}{sid};
	my $got = $sandbox->api('POST', 'Calls.json', To => '+14160001', From => $FROM, ApplicationSid => $app,
		StatusCallback => $sandbox->hook_url('/ignored'));
	is $got->{status}, 201, 'an application instead of a URL';
	my ($told) = $sandbox->hooked('/app-status', 1);
	is $told->{form}{CallStatus}, 'completed', 'whose callback is told';
	my @ok = (To => '+14160001', From => $FROM, Twiml => '<Response/>');
	my %bad = (21218 => [ApplicationSid => 'AP' . '0' x 32], 21206 => [SendDigits => 'x'],
		21225 => [SipAuthUsername => 'me'], 21234 => [MachineDetectionTimeout => 2, MachineDetection => 'Enable']);
	for my $code (sort keys %bad) {
		is $sandbox->api('POST', 'Calls.json', @ok, @{ $bad{$code} })->{json}{code}, $code, "error $code";
	}
};

subtest 'cookies and passwords' => sub {
	my $sid = $sandbox->dial('+14160002', Url => $sandbox->hook_url('/cookie'));
	my ($again) = $sandbox->hooked('/again', 1, sub { $_[0]{form}{CallSid} eq $sid });
	is $again->{headers}{cookie}, 'seen=yes', 'cookies come back within a call';
	my $url = $sandbox->hook_url('/secret') =~ s{//}{//me:pw\@}r;
	$sid = $sandbox->dial('+14160003', Url => $url);
	my @asked = $sandbox->hooked('/secret', 2, sub { $_[0]{form}{CallSid} eq $sid });
	ok !$asked[0]{headers}{authorization}, 'first without the password';
	like $asked[1]{headers}{authorization}, qr/^Basic bWU6cHc=/, 'then with it';
};

subtest 'why a call failed' => sub {
	my @status = (StatusCallback => $sandbox->hook_url('/failed'));
	my @sids = map { $sandbox->dial($_, @status) } '+15010001', '+15010002';
	my %told = map { $_->{form}{CallSid} => $_->{form} } $sandbox->hooked('/failed', 2);
	is_deeply [map { join ' ', map { $_ // '-' } @{$told{$_}}{qw(CallStatus SipResponseCode ErrorCode ErrorMessage)} } @sids],
		['failed 404 - -', 'failed 403 32205 Geo Permission'], 'is told where the customer has a reason';
};

subtest 'what no document states is a setting' => sub {
	my @try = ('POST', 'Calls.json', To => '+14160001', From => $FROM);
	is $sandbox->api(@try)->{json}{code}, 21205, 'the error of a call that has nothing to do';
	my $got = $sandbox->control('PUT', 'settings', { no_instructions_code => 21218, amd_fax_ms => 1000,
		amd_sure_ms => 100, post_dial_ms => 60000 });
	is $got->{json}{settings}{amd_fax_ms}{value}, 1000, 'is set with others';
	is $sandbox->api(@try)->{json}{code}, 21218, 'and is another then';
	my $sid = $sandbox->dial('+14160001', StatusCallback => $sandbox->hook_url('/not-yet'),
		StatusCallbackEvent => 'initiated ringing');
	$sandbox->hooked('/not-yet', 1);
	$sandbox->control('PUT', 'settings', { post_dial_ms => 0 });
	my @detect = (MachineDetection => 'Enable', AsyncAmd => 'true',
		AsyncAmdStatusCallback => $sandbox->hook_url('/amd'));
	my @sids = map { $sandbox->dial($_, @detect) } '+15010003', '+15010004';
	my %told = map { $_->{form}{CallSid} => $_->{form} } $sandbox->hooked('/amd', 2);
	is_deeply [map { "$told{$_}{AnsweredBy} $told{$_}{MachineDetectionDuration}" } @sids],
		['fax 1000', 'machine_start ' . (400 + 2400 + 100)], 'how long the detection takes';
	is $sandbox->api('GET', "Calls/$sid.json")->{json}{status}, 'queued', 'how long a call is dialled before it rings';
	$sandbox->control('PUT', 'settings', { no_instructions_code => 21205, amd_fax_ms => 3000,
		amd_sure_ms => 800, post_dial_ms => 100 });
	$sandbox->api('POST', "Calls/$_.json", Status => 'completed') for $sid, @sids;
};

subtest 'slow, busy, away' => sub {
	$sandbox->control('PUT', 'settings', { rest_concurrency => 2 });
	fault('slow', 1, 600);
	my @children = map {
		my $pid = fork // die;
		if ($pid == 0) {
			my $got = raw('GET', "/2010-04-01/Accounts/$AC/Calls.json");
			POSIX::_exit($got->{status} == 429 ? 29 : $got->{status} == 200 ? 0 : 1);
		}
		$pid;
	} 1 .. 5;
	my %status;
	for my $pid (@children) {
		waitpid $pid, 0;
		$status{ $? >> 8 }++;
	}
	ok $status{29}, 'too many at once: 429';
	ok $status{0}, 'not for all of them';
	my $before = time;
	raw('GET', "/2010-04-01/Accounts/$AC/Calls.json");
	cmp_ok time - $before, '>', 0.55, 'slow is slow';
	fault('slow', 0);
	$sandbox->control('PUT', 'settings', { rest_concurrency => 0 });
	fault('unreachable', 1, 700);
	sleep 0.3;
	is raw('GET', "/2010-04-01/Accounts/$AC/Calls.json")->{status}, 599, 'away: nobody takes the connection';
	ok eval { wait_for('it to be back', 5, sub {
		raw('GET', "/2010-04-01/Accounts/$AC/Calls.json")->{status} == 200 }) }, 'and it comes back';
	my ($fired) = grep { $_->{kind} eq 'unreachable' } @{ $sandbox->control('GET', 'faults')->{json}{faults} };
	is $fired->{fired}, 1, 'counted';
	$sandbox->control('PUT', 'settings', { consistency_lag_ms => 500 });
	my $sid = $sandbox->dial('+15000001');
	is $sandbox->api('GET', "Calls/$sid.json")->{json}{code}, 20404, 'a call that is too new is not found';
	ok eval { wait_for('it', 5, sub { $sandbox->api('GET', "Calls/$sid.json")->{status} == 200 }) }, 'yet';
	$sandbox->control('PUT', 'settings', { consistency_lag_ms => 0 });
	fault('http429', 1);
	my @try = ('POST', 'Calls.json', To => '+15000001', From => $FROM, Twiml => '<Response/>');
	ok !exists $sandbox->api(@try)->{headers}{'retry-after'}, 'a 429 does not say how long to wait';
	$sandbox->control('PUT', 'settings', { retry_after_s => 2 });
	is $sandbox->api(@try)->{headers}{'retry-after'}, 2, 'unless it is told to';
	fault('http429', 0);
	ok !exists raw('GET', "/2010-04-01/Accounts/$AC/Calls.json")->{headers}{'retry-after'}, 'and nothing else ever does';
	$sandbox->control('PUT', 'settings', { retry_after_s => 0 });
	is $sandbox->control('PUT', 'settings', { gravity => 1 })->{status}, 400, 'there is no other setting';
};

subtest 'who is away keeps its port' => sub {
	my $other = Omnivox::Sandbox->new;
	my $at = $other->{process}{addresses}{http};
	# The client hangs up first: the port has no connection left that would keep it, too.
	my $socket = IO::Socket::INET->new(PeerAddr => $at) or die $!;
	my $body = '{"kind":"unreachable","rate":1,"delay_ms":3000}';
	syswrite $socket, "PUT /sandbox/faults HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
		. 'Content-Length: ' . length($body) . "\r\n\r\n$body";
	sysread $socket, my $answer, 65536;
	close $socket;
	like $answer, qr{^HTTP/1.1 200}, 'told to go';
	wait_for('it to be away', 5, sub { !IO::Socket::INET->new(PeerAddr => $at) });
	is(IO::Socket::INET->new(LocalAddr => $at, Proto => 'tcp'), undef,
		'nobody else gets it, and no client of the machine');
	wait_for('it to be back', 10, sub { IO::Socket::INET->new(PeerAddr => $at) });
	$other->ends_well;
};

subtest 'what is over is forgotten in the end' => sub {
	my @sids = map { $sandbox->dial("+1500000$_") } 10 .. 40;
	wait_for('the last call', 30, sub { $sandbox->api('GET', "Calls/$sids[-1].json")->{json}{status} eq 'busy' });
	# It is looked for what may go when a call comes.
	my $call = $sandbox->dial('+14160009');
	is $sandbox->api('GET', "Calls/$sids[0].json")->{status}, 404, 'the oldest first';
	cmp_ok scalar @{ $sandbox->api('GET', 'Calls.json?PageSize=1000')->{json}{calls} }, '<=', 12, 'so it stays small';
	is $sandbox->api('DELETE', "Calls/$call.json")->{json}{code}, 20009, 'a call that goes on stays';
};

subtest 'all of it in Twilio\'s shapes' => sub { $sandbox->answers_are_twilios };

$sandbox->ends_well;
done_testing;
