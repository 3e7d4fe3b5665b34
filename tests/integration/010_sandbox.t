#!/usr/bin/env perl
# The sandbox is a Twilio that a program can be tested against: REST, signed webhooks, calls per
# second, conferences that sound, and faults that come as they are told.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use JSON::PP;
use Test::More;
use Time::HiRes qw(sleep time);
use Omnivox::Hooks;
use Omnivox::Sandbox;
use Omnivox::Test;

my $AC = 'AC' . 'a' x 32;
my $TOKEN = 'token-of-the-test';
my $FROM = '+15550001';
my $dir = temp_dir();
my $log = "$dir/sandbox/calls.jsonl";

open my $file, '>', "$dir/population.json" or die;
print $file encode_json([
	{ match => '+1415', behaviour => 'human', ring_ms => 1000, talk_ms => 4000 },
	{ match => '+1416', behaviour => 'human', ring_ms => 1000, talk_ms => 0, say => 'tone:440' },
	{ match => '+1417', behaviour => 'human', ring_ms => 1000, talk_ms => 0, say => 'tone:1000' },
	{ match => '+1500', behaviour => 'busy', ring_ms => 500 },
	{ match => '+1501', behaviour => 'failed', ring_ms => 500 },
	{ match => '+1502', behaviour => 'no_answer' },
	{ match => '+1503', behaviour => 'machine', ring_ms => 500, talk_ms => 60000 }]);
close $file;

my $hooks = Omnivox::Hooks->new(
	dir => "$dir",
	token => $TOKEN,
	answer => sub {
		my ($request) = @_;
		my $path = $request->{path};
		return [200, 'text/xml', '<Response><Pause length="60"/></Response>'] if $path eq '/wait';
		return [200, 'text/xml', '<Response><Hangup/></Response>'] if $path eq '/hangup';
		return [200, 'text/xml', '<Response><Redirect>hangup</Redirect></Response>']
			if $path eq '/redirect';
		return [200, 'text/xml', '<Response><Dial>'] if $path eq '/broken';
		return [200, 'application/json', '{}'] if $path eq '/json';
		return [500, 'text/plain', ''] if $path =~ /^\/fail/;
		return;
	});

my @command = (
	built('sandbox/omnivox-sandbox'), '--listen', '127.0.0.1:0', '--sandbox-sip-listen',
	'127.0.0.1:0', '--data', "$dir", '--population', "$dir/population.json", '--seed', '7',
	'--speed', '10', '--account-sid', $AC, '--auth-token', $TOKEN, '--numbers',
	"$FROM,+15550002", '--cps', '1', '--record');

sub start_sandbox
{
	return start(
		command => [@command, @_],
		log => "$dir/sandbox.log",
		addresses => "$dir/run/sandbox-addresses.json");
}

my $sandbox = start_sandbox();
my @answers;    # for the judge of the contract
my $base = "http://$sandbox->{addresses}{http}";

sub api
{
	my ($method, $path, @form) = @_;
	my $got = http_json($method, "$base/2010-04-01/Accounts/$AC/$path", user => "$AC:$TOKEN",
		@form ? (form => [@form]) : ());
	push @answers, { method => $method, path => "/2010-04-01/Accounts/$AC/" . ($path =~ s/\?.*//r),
		status => $got->{status} + 0, body => $got->{json} } if $got->{status} != 599;
	return $got;
}

sub control
{
	my ($method, $path, $body) = @_;
	return http_json($method, "$base/sandbox/$path", defined $body ? (json => $body) : ());
}

sub status_of { return api('GET', "Calls/$_[0].json")->{json}{status} }

sub wait_status
{
	my ($sid, $status) = @_;
	my $is;
	return eval { wait_for("$sid to be $status", 15, sub { ($is = status_of($sid)) eq $status }) }
		|| diag("it is $is");
}

# The status callbacks of one call.
sub callbacks_of
{
	my ($sid) = @_;
	return sub { $_[0]{path} eq '/status' && $_[0]{form}{CallSid} eq $sid };
}

my @EVENTS = (StatusCallback => "$hooks->{url}/status?entry=1#rc=2",
	StatusCallbackEvent => ['initiated', 'ringing', 'answered', 'completed']);

subtest 'only the account may ask' => sub {
	for my $user ('', "$AC:wrong", "AC" . 'b' x 32 . ":$TOKEN") {
		my $got = http_json('GET', "$base/2010-04-01/Accounts/$AC/Calls.json",
			$user ? (user => $user) : ());
		is $got->{status}, 401, "'$user' is refused";
		is $got->{json}{code}, 20003, 'with code 20003';
	}
	is http_json('GET', "$base/2010-04-01/Accounts/AC" . 'b' x 32 . '/Calls.json',
		user => "$AC:$TOKEN")->{status}, 401, 'and so is the account of another';
};

subtest 'bad input has its code' => sub {
	my @ok = (To => '+14155550000', From => $FROM, Url => "$hooks->{url}/wait");
	my %bad = (
		21201 => [To => ''],
		21211 => [To => '12'],
		21213 => [From => ''],
		21212 => [From => 'me'],
		21210 => [From => '+15559999'],
		21205 => [Url => 'nowhere'],
		21208 => [Timeout => '601'],
		21209 => [Method => 'PUT'],
		21609 => [StatusCallback => 'https://my_host.example.com/x'],
		32018 => [Twiml => 'x' x 4001],
		21234 => [MachineDetection => 'Maybe']);
	for my $code (sort keys %bad) {
		my %form = (@ok, @{ $bad{$code} });
		my $got = api('POST', 'Calls.json', %form);
		is $got->{status}, 400, "@{[ substr \"@{ $bad{$code} }\", 0, 30 ]} is 400";
		is $got->{json}{code}, $code, "and $code";
		is $got->{json}{more_info}, "https://www.twilio.com/docs/errors/$code", 'with a link';
	}
	is api('POST', 'Calls.json', To => '+14155550000', From => $FROM)->{json}{code}, 21205,
		'no instructions at all';
	is api('GET', 'Calls/CA' . '0' x 32 . '.json')->{json}{code}, 20404, 'no such call';
	is api('GET', 'Conferences/CF' . '0' x 32 . '.json')->{json}{code}, 20404, 'nor conference';
	is_deeply [grep { $_->{event} eq 'create' } json_lines($log)], [], 'and nothing was dialled';
};

subtest 'a call runs from queued to completed' => sub {
	my $got = api('POST', 'Calls.json', To => '+14155550100', From => $FROM,
		Url => "$hooks->{url}/wait?x=1", @EVENTS);
	my $call = $got->{json};
	is $got->{status}, 201, 'created';
	like $call->{sid}, qr/^CA[0-9a-f]{32}$/, 'with a SID';
	is $call->{status}, 'queued', 'queued';
	is $call->{direction}, 'outbound-api', 'outbound-api';
	ok exists $call->{$_} && !defined $call->{$_}, "$_ is null"
		for qw(date_created start_time end_time duration price answered_by parent_call_sid);
	my @got = sort { $a->{form}{SequenceNumber} <=> $b->{form}{SequenceNumber} }
		$hooks->wait('four callbacks', 4, callbacks_of($call->{sid}));
	is_deeply [map { $_->{form}{CallStatus} } @got],
		[qw(initiated ringing in-progress completed)], 'every status was reported';
	is_deeply [map { $_->{form}{SequenceNumber} } @got], [0 .. 3], 'numbered';
	ok !(grep { !$_->{signed} } @got), 'each signed over its URL without the fragment';
	is $got[0]{target}, '/status?entry=1', 'which was not sent';
	is $got[3]{form}{CallbackSource}, 'call-progress-events', 'CallbackSource';
	cmp_ok $got[3]{form}{CallDuration}, '<=', 1, 'CallDuration in seconds';
	cmp_ok $got[3]{form}{Duration}, '<=', 1, 'Duration in minutes';
	like $got[3]{form}{Timestamp}, qr/\+0000$/, 'Timestamp';
	like $got[0]{headers}{'i-twilio-idempotency-token'}, qr/./, 'idempotency token';
	my ($fetch) = $hooks->all(sub { $_[0]{path} eq '/wait' });
	ok $fetch->{signed}, 'the TwiML request is signed';
	is $fetch->{form}{CallStatus}, 'in-progress', 'and made on answer';
	is $fetch->{form}{$_->[0]}, $_->[1], $_->[0]
		for [AccountSid => $AC], [To => '+14155550100'], [From => $FROM],
		[ApiVersion => '2010-04-01'], [Direction => 'outbound-api'], [Caller => $FROM];
	my $over = api('GET', "Calls/$call->{sid}.json")->{json};
	is $over->{status}, 'completed', 'the resource says so too';
	ok defined $over->{$_}, "$_ is known" for qw(start_time end_time duration);
	like $over->{date_created}, qr/^\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d \+0000$/, 'RFC 2822';
	my @lines = grep { $_->{call_sid} && $_->{call_sid} eq $call->{sid} } json_lines($log);
	is join(' ', grep { !/webhook|twiml/ } map { $_->{event} } @lines),
		'create initiated ringing answered ended', 'calls.jsonl tells the same';
	is join(' ', sort keys %{ $lines[0] }), join(' ', sort qw(t n event call_sid parent_sid to
		from status url status_callback http_status conference fault amd)), 'in these fields';
	like $lines[0]{t}, qr/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/, 'with the time';
	is $lines[0]{status_callback}, "$hooks->{url}/status?entry=1#rc=2", 'and the URLs';
};

subtest 'busy, failed and unanswered calls end as such and fetch nothing' => sub {
	my %sids = map {
		$_->[1] => api('POST', 'Calls.json', To => $_->[0], From => $FROM, Timeout => 5,
			Url => "$hooks->{url}/never", @EVENTS)->{json}{sid}
	} ['+15000000', 'busy'], ['+15010000', 'failed'], ['+15020000', 'no-answer'],
		['+19990000', 'failed '];
	for my $status (sort keys %sids) {
		(my $word = $status) =~ s/ //;
		wait_status($sids{$status}, $word);
		my ($last) = $hooks->wait("$word", 1, sub {
			callbacks_of($sids{$status})->($_[0]) && $_[0]{form}{CallStatus} eq $word });
		ok $last, "$status was reported";
		is $last->{form}{CallDuration}, 0, 'CallDuration 0';
		ok !exists $last->{form}{Duration}, 'no Duration';
		like $last->{form}{SipResponseCode}, qr/^[456]\d\d$/, 'SipResponseCode';
	}
	is_deeply [$hooks->all(sub { $_[0]{path} eq '/never' })], [], 'no TwiML was asked for';
};

subtest 'the queue keeps to the calls per second, and cancelling there is silent' => sub {
	my @calls = map {
		api('POST', 'Calls.json', To => "+1502000$_", From => $FROM, Timeout => 600,
			Url => "$hooks->{url}/wait", @EVENTS)->{json}
	} 1 .. 9;
	my @times = map { $_->{queue_time} } @calls;
	is_deeply [sort { $a <=> $b } @times], \@times, "estimates grow: @times";
	cmp_ok $times[-1], '>', 100, 'beyond one call';
	my $last = $calls[-1]{sid};
	is api('POST', "Calls/$last.json", Status => 'canceled')->{json}{status}, 'canceled',
		'the last is cancelled';
	$hooks->wait('the others to be dialled', 1, callbacks_of($calls[-2]{sid}));
	api('POST', "Calls/$_->{sid}.json", Status => 'completed') for @calls[0 .. 7];
	wait_status($calls[0]{sid}, 'canceled');
	$hooks->wait('a cancelled ringing call reports', 1, sub {
		$_[0]{form}{CallStatus} eq 'canceled' && $_[0]{form}{CallSid} eq $calls[7]{sid} });
	is_deeply [$hooks->all(callbacks_of($last))], [], 'the queued one was never reported';
	is api('POST', "Calls/$last.json", Status => 'completed')->{json}{code}, 21220,
		'what is over cannot be changed';
};

subtest 'a call is redirected, by TwiML and by REST' => sub {
	my $call = api('POST', 'Calls.json', To => '+14160000', From => $FROM,
		Url => "$hooks->{url}/wait", @EVENTS)->{json};
	is api('POST', "Calls/$call->{sid}.json", Url => "$hooks->{url}/hangup")->{json}{code},
		21220, 'not before the answer';
	wait_status($call->{sid}, 'in-progress');
	is api('POST', "Calls/$call->{sid}.json", Url => "$hooks->{url}/redirect",
		Method => 'GET')->{status}, 200, 'then it may';
	wait_status($call->{sid}, 'completed');
	my ($get) = $hooks->all(sub { $_[0]{path} eq '/redirect' });
	is $get->{method}, 'GET', 'with the method asked for';
	ok $get->{signed}, 'signed over the query';
	is $get->{query}{CallSid}, $call->{sid}, 'which has the parameters';
	is scalar(my @hung = $hooks->all(sub { $_[0]{path} eq '/hangup' })), 1,
		'a relative Redirect was followed';
};

subtest 'broken TwiML goes to the fallback, and without one ends the call' => sub {
	for my $bad ([broken => 12100], [json => 12300], [failing => 11200]) {
		my $call = api('POST', 'Calls.json', To => '+14160001', From => $FROM,
			Url => "$hooks->{url}/$bad->[0]", FallbackUrl => "$hooks->{url}/hangup")->{json};
		wait_status($call->{sid}, 'completed');
		my ($fallback) = $hooks->all(sub {
			$_[0]{path} eq '/hangup' && $_[0]{form}{CallSid} eq $call->{sid} });
		is $fallback->{form}{ErrorCode}, $bad->[1], "$bad->[0] is $bad->[1]";
		is $fallback->{form}{ErrorUrl}, "$hooks->{url}/$bad->[0]", 'with its URL';
	}
	my $call = api('POST', 'Calls.json', To => '+14160001', From => $FROM,
		Url => "$hooks->{url}/broken")->{json};
	wait_status($call->{sid}, 'completed');
	pass 'without a fallback it is hung up';
};

subtest 'a webhook is tried again as its fragment says, with the same token' => sub {
	my $call = api('POST', 'Calls.json', To => '+15000000', From => $FROM,
		Url => "$hooks->{url}/wait", StatusCallback => "$hooks->{url}/fail-3#rc=3&rp=5xx");
	my @got = $hooks->wait('four tries', 4, sub { $_[0]{path} eq '/fail-3' });
	is scalar @got, 4, 'once and three times more';
	my %tokens = map { $_->{headers}{'i-twilio-idempotency-token'} => 1 } @got;
	is scalar keys %tokens, 1, 'one token';
	api('POST', 'Calls.json', To => '+15000000', From => $FROM,
		Url => "$hooks->{url}/wait", StatusCallback => "$hooks->{url}/fail-once");
	$hooks->wait('one try', 1, sub { $_[0]{path} eq '/fail-once' });
	wait_for('the log', 5, sub { grep { ($_->{url} // '') =~ /fail-once/ &&
		$_->{event} eq 'webhook' } json_lines($log) });
	is scalar(my @one = $hooks->all(sub { $_[0]{path} eq '/fail-once' })), 1,
		'a 5xx is not tried again by itself';
};

subtest 'answering machines are told' => sub {
	my $call = api('POST', 'Calls.json', To => '+15030000', From => $FROM,
		Url => "$hooks->{url}/hangup", MachineDetection => 'Enable')->{json};
	wait_status($call->{sid}, 'completed');
	my ($fetch) = $hooks->all(sub { ($_[0]{form}{CallSid} // '') eq $call->{sid} });
	is $fetch->{form}{AnsweredBy}, 'machine_start', 'in the TwiML request';
	is api('GET', "Calls/$call->{sid}.json")->{json}{answered_by}, 'machine_start', 'and later';
};

# The conference callbacks of one conference, in order of their numbers.
sub conference_events
{
	my ($name, $count) = @_;
	return sort { $a->{form}{SequenceNumber} <=> $b->{form}{SequenceNumber} }
		$hooks->wait("$count events of $name", $count, sub {
			$_[0]{path} eq '/conference' && $_[0]{form}{FriendlyName} eq $name });
}

subtest 'participants meet in a conference and hear each other' => sub {
	my @settings = (From => $FROM, ConferenceStatusCallback => "$hooks->{url}/conference",
		ConferenceStatusCallbackEvent => ['start', 'end', 'join', 'leave', 'mute', 'hold']);
	my $first = api('POST', 'Conferences/room%201/Participants.json', To => '+14160010',
		Label => 'one', @settings, @EVENTS);
	is $first->{status}, 201, 'the first';
	like $first->{json}{queue_time}, qr/^\d+$/, 'with queue_time';
	is $first->{json}{status}, 'queued', 'queued';
	my $one = $first->{json}{call_sid};
	is api('POST', 'Conferences/room%201/Participants.json', To => '+14170010',
		Label => 'one', @settings)->{json}{code}, 16026, 'a label in use is refused';
	my $two = api('POST', 'Conferences/room%201/Participants.json', To => '+14170010',
		Label => 'two', From => $FROM)->{json}{call_sid};
	my $busy = api('POST', 'Conferences/room%201/Participants.json', To => '+15000001',
		Label => 'three', From => $FROM)->{json}{call_sid};
	wait_status($_, 'in-progress') for $one, $two;
	my ($conference) =
		@{ api('GET', 'Conferences.json?FriendlyName=room%201&Status=in-progress')
			->{json}{conferences} };
	ok $conference, 'the conference is in progress';
	my $path = "Conferences/$conference->{sid}";
	is_deeply [sort map { $_->{label} } grep { $_->{status} eq 'connected' }
		@{ api('GET', "$path/Participants.json")->{json}{participants} }], ['one', 'two'], 'both are listed';
	is api('GET', "$path/Participants/two.json")->{json}{call_sid}, $two, 'found by label';
	is api('GET', "$path/Participants/two.json")->{json}{status}, 'connected', 'connected';
	my %heard = ($one => 1000, $two => 440);
	for my $sid (sort keys %heard) {
		my $wav = "$dir/sandbox/heard/$sid.wav";
		ok eval { wait_for('the tone', 10, sub { tone_power($wav, $heard{$sid}) > 0.8 }) },
			"$heard{$sid} Hz is heard";
		cmp_ok tone_power($wav, $heard{$sid} == 440 ? 1000 : 440), '<', 0.05, 'and not oneself';
	}
	is api('POST', "$path/Participants/two.json", Muted => 'true')->{json}{muted},
		JSON::PP::true, 'muted';
	is api('POST', "$path/Participants/$one.json", Hold => 'true')->{json}{hold},
		JSON::PP::true, 'on hold';
	is api('DELETE', "$path/Participants/two.json")->{status}, 204, 'kicked';
	wait_status($two, 'completed');
	is control('POST', 'hangup', { call_sid => $one })->{status}, 200, 'the other hangs up';
	my @events = conference_events('room 1', 9);
	ok !(grep { !$_->{signed} } @events), 'all signed';
	my @words = map {
		my $f = $_->{form};
		join ' ', grep { defined } $f->{StatusCallbackEvent}, $f->{ParticipantLabel},
			$f->{ReasonParticipantLeft}, $f->{ReasonConferenceEnded}
	} @events;
	my %count;
	$count{$_}++ for @words;
	is $count{$_}, 1, $_ for 'participant-join one', 'participant-join two', 'conference-start',
		'participant-leave three participant_add_failed', 'participant-mute two',
		'participant-hold one', 'participant-leave two participant_updated_via_api',
		'participant-leave one participant_hung_up', 'conference-end last-participant-left';
	is $words[-1], 'conference-end last-participant-left', 'the end comes last';
	is_deeply [map { $_->{form}{SequenceNumber} } @events], [1 .. 9], 'numbered';
	my ($failed) = grep { $_->{form}{ParticipantLabel} // '' eq 'three' }
		grep { $_->{form}{CallSid} && $_->{form}{CallSid} eq $busy } @events;
	is $failed->{form}{ParticipantCallStatus}, 'busy', 'why the third did not come';
	my $over = api('GET', "$path.json")->{json};
	is $over->{status}, 'completed', 'it is over';
	is $over->{reason_conference_ended}, 'last-participant-left', 'and says why';
	is $over->{call_sid_ending_conference}, $one, 'and by whom';
	is api('POST', "$path/Participants.json", To => '+14160010', From => $FROM)->{json}{code},
		16022, 'a finished conference takes nobody';
	is_deeply api('GET', "$path/Participants.json")->{json}{participants}, [], 'and has nobody';
};

subtest 'a conference is ended by REST, or with its moderator' => sub {
	for my $how ('api', 'exit') {
		my @sids = map {
			api('POST', "Conferences/end-$how/Participants.json", From => $FROM,
				To => "+1416002$_", EndConferenceOnExit => $_ == 1 ? 'true' : 'false',
				ConferenceStatusCallback => "$hooks->{url}/conference",
				ConferenceStatusCallbackEvent => 'start end join leave')->{json}{call_sid}
		} 1, 2;
		wait_status($_, 'in-progress') for @sids;
		my ($c) = @{ api('GET', "Conferences.json?FriendlyName=end-$how")->{json}{conferences} };
		if ($how eq 'api') {
			api('POST', "Conferences/$c->{sid}.json", Status => 'completed');
		} else {
			control('POST', 'hangup', { call_sid => $sids[0] });
		}
		wait_status($_, 'completed') for @sids;
		my ($end) = grep { $_->{form}{StatusCallbackEvent} eq 'conference-end' }
			conference_events("end-$how", 6);
		is $end->{form}{ReasonConferenceEnded}, $how eq 'api' ? 'conference-ended-via-api' :
			'participant-with-end-conference-on-exit-left', "by $how";
	}
};

subtest 'a mixer that is told to be silent is silent' => sub {
	is control('PUT', 'mixer', { silent => JSON::PP::true })->{status}, 200, 'told';
	my @sids = map {
		api('POST', 'Conferences/silence/Participants.json', From => $FROM, To => $_)
			->{json}{call_sid}
	} '+14160030', '+14170030';
	wait_status($_, 'in-progress') for @sids;
	my $wav = "$dir/sandbox/heard/$sids[0].wav";
	wait_for('a second of it', 10, sub { -s $wav && -s $wav > 16000 });
	cmp_ok tone_power($wav, 1000), '<', 0.05, 'nothing is heard';
	control('PUT', 'mixer', { silent => JSON::PP::false });
	control('POST', 'hangup', { call_sid => $_ }) for @sids;
};

sub set_fault
{
	my ($kind, $rate, $delay) = @_;
	return control('PUT', 'faults', [{ kind => $kind, rate => $rate, seed => 1,
		delay_ms => $delay // 0 }]);
}

sub fired
{
	my ($kind) = @_;
	my ($fault) = grep { $_->{kind} eq $kind } @{ control('GET', 'faults')->{json}{faults} };
	return $fault->{fired};
}

sub creates { return scalar grep { $_->{event} eq 'create' } json_lines($log) }

subtest 'creates fail as they are told' => sub {
	my @call = (To => '+15000000', From => $FROM, Url => "$hooks->{url}/wait");
	my %expected = (
		http429 => [429, 0], http500 => [500, 0], http500_after_accept => [500, 1],
		silent_before_accept => [599, 0], silent_after_accept => [599, 1]);
	for my $kind (sort keys %expected) {
		my ($status, $accepted) = @{ $expected{$kind} };
		my $before = creates();
		set_fault($kind, 1);
		my $got = api('POST', 'Calls.json', @call);
		is $got->{status}, $status, "$kind: status $status";
		is creates() - $before, $accepted, "$kind: accepted $accepted";
		is fired($kind), 1, "$kind: counted";
		is api('GET', 'Calls.json')->{status}, 200, 'reads are left alone';
		set_fault($kind, 0);
	}
	my @spoilt = grep { $_->{fault} } grep { $_->{event} eq 'create' } json_lines($log);
	is_deeply [sort map { $_->{fault} } @spoilt], ['http500_after_accept', 'silent_after_accept'],
		'the log names the fault';
	is control('PUT', 'faults', { kind => 'earthquake', rate => 1 })->{status}, 400,
		'there is no other fault';
};

subtest 'webhooks are doubled, lost, delayed and overtaken as they are told' => sub {
	my $dial = sub {
		api('POST', 'Calls.json', To => '+15000000', From => $FROM,
			Url => "$hooks->{url}/wait", @EVENTS)->{json}{sid};
	};
	set_fault('dup', 1);
	my $sid = $dial->();
	my @got = $hooks->wait('doubles', 4, callbacks_of($sid));
	set_fault('dup', 0);
	my %tokens;
	$tokens{ $_->{headers}{'i-twilio-idempotency-token'} }++ for @got;
	is_deeply [values %tokens], [2, 2], 'dup: each came twice, with one token';

	set_fault('drop', 1);
	my $lost = $dial->();
	wait_status($lost, 'busy');
	set_fault('drop', 0);
	is fired('drop'), 2, 'drop: counted';
	is_deeply [$hooks->all(callbacks_of($lost))], [], 'drop: nothing came';

	set_fault('delay', 1, 700);
	my $late = $dial->();
	wait_status($late, 'busy');
	my $ended = time;
	@got = $hooks->wait('late ones', 2, callbacks_of($late));
	set_fault('delay', 0);
	cmp_ok $got[-1]{at} - $ended, '>', 0.3, 'delay: late';

	set_fault('reorder', 0.5);
	my $turned = 0;
	for (1 .. 8) {
		my $mixed = $dial->();
		@got = $hooks->wait('both', 2, callbacks_of($mixed));
		$turned ||= $got[0]{form}{SequenceNumber} == 1;
	}
	set_fault('reorder', 0);
	ok $turned, 'reorder: a later one overtook';
};

subtest 'lists come in pages and are filtered' => sub {
	my $got = api('GET', 'Calls.json?PageSize=3')->{json};
	is scalar @{ $got->{calls} }, 3, 'three a page';
	is $got->{previous_page_uri}, undef, 'none before';
	my %seen = map { $_->{sid} => 1 } @{ $got->{calls} };
	my $pages = 1;
	while (my $next = $got->{next_page_uri}) {
		$got = http_json('GET', "$base$next", user => "$AC:$TOKEN")->{json};
		$pages++;
		is_deeply [grep { $seen{ $_->{sid} }++ } @{ $got->{calls} }], [], "page $pages is new"
			if $pages < 4;
		$seen{ $_->{sid} } = 1 for @{ $got->{calls} };
	}
	is scalar keys %seen, creates(), 'all of them at the end';
	is scalar @{ api('GET', 'Calls.json?To=%2B14155550100')->{json}{calls} }, 1, 'by To';
	is scalar @{ api('GET', 'Calls.json?Status=in-progress')->{json}{calls} }, 0, 'by Status';
	is scalar @{ api('GET', 'Calls.json?StartTime%3C=2001-01-01')->{json}{calls} }, 0, 'by time';
	is api('GET', 'Calls.json?PageSize=1001')->{json}{code}, 20007, 'at most 1000';
	my ($number) = @{ api('GET', 'IncomingPhoneNumbers.json')->{json}{incoming_phone_numbers} };
	is $number->{phone_number}, $FROM, 'numbers too';
	is api('POST', "IncomingPhoneNumbers/$number->{sid}.json", VoiceUrl => "$hooks->{url}/in")
		->{json}{voice_url}, "$hooks->{url}/in", 'and their voice URL is set';
};

subtest 'all of it in Twilio\'s shapes' => sub { Omnivox::Sandbox::judge(\@answers) };

subtest 'it stops cleanly and starts again' => sub {
	api('POST', 'Calls.json', To => '+14160000', From => $FROM, Url => "$hooks->{url}/wait");
	my %old = map { $_->{call_sid} => 1 } grep { $_->{call_sid} } json_lines($log);
	my ($last) = (json_lines($log))[-1];
	is stop($sandbox), 0, 'SIGTERM ends it with status 0';
	ok !-e "$dir/run/sandbox-addresses.json", 'its addresses are gone';
	$sandbox = start_sandbox();
	$base = "http://$sandbox->{addresses}{http}";
	my $call = api('POST', 'Calls.json', To => '+15000000', From => $FROM,
		Url => "$hooks->{url}/wait")->{json};
	ok !$old{ $call->{sid} }, 'SIDs do not come again';
	my ($create) = grep { $_->{event} eq 'create' && $_->{call_sid} eq $call->{sid} }
		json_lines($log);
	cmp_ok $create->{n}, '>', $last->{n}, 'and the log is carried on';
	is stop($sandbox), 0, 'and again';
	system("@command --speed 0 > $dir/bad.log 2>&1");
	isnt $? >> 8, 0, 'a wrong setting stops the start';
	like read_file("$dir/bad.log"), qr/SANDBOX_SPEED/, 'with its reason';
};

done_testing;
