#!/usr/bin/env perl
# Hostile input over every route of the contract, made from the contract: whatever comes is
# refused with a 4xx that says what is wrong, or taken and given back to the letter. Nothing
# breaks, and what was refused changed nothing. What stands in texts is in 029_hostile_texts.t.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Digest::SHA qw(hmac_sha1_base64);
use IO::Socket::INET;
use JSON::PP;
use POSIX qw(strftime);
use Test::More;
use Omnivox::Asking;
use Omnivox::Hostile;
use Omnivox::Stage;
use Omnivox::Twiml qw(twiml_complaints);

my $CM = $Omnivox::Stage::CM;
my $stage = Omnivox::Stage->new(gateway_env => {API_RATE => 0});
$stage->start_sandbox;
$stage->start_gateway;
my $contract = asking($stage);
hostile($stage);
my $cookie = $stage->login;
my $worker = $stage->worker;
my $json = JSON::PP->new->utf8->canonical->allow_nonref;

# ---- asking ----

my ($asked, @wrong, %judged) = (0);

# A request with a body of bytes. The answer must keep the contract, say what is wrong when it
# refuses, and never be the server's fault.
sub send_to {
	my ($o, $path, $content, $headers) = @_;
	my %h = (Cookie => $cookie, defined $content ? ('Content-Type' => 'application/json') : (),
		%{$headers || {}});
	my $r = quick($o->{method}, $path, \%h, $content);
	$asked++;
	my $what = "$o->{method} " . substr($path, 0, 120) . ' ' . substr($content // '', 0, 100);
	my $refusal = qr/^\{"success":false,"error":\{"code":"([A-Z][A-Z0-9_]+)","message":"(.{12,})"/;
	my $code = $r->{content} =~ $refusal ? $1 : '';
	push @wrong, "$what: $r->{status} " . substr $r->{content}, 0, 200
		if $r->{status} >= 500 && $code !~ /^(TWILIO_|NOT_CONFIGURED|CALL_RATE)/;
	push @wrong, "$what: $r->{status} says nothing: $r->{content}"
		if $r->{status} >= 400 && $r->{status} < 500 && $code eq '';
	# Refusals are many and alike: each kind is held against the contract once.
	return $r if $r->{status} >= 400 && $judged{"$o->{operationId} $r->{status} $code"}++;
	$r->{json} = eval { $json->decode($r->{content}) };
	push @wrong, map { "$what: $_" } $contract->complaints($o->{method}, $o->{path}, $r)
		if $r->{status} < 400 || $contract->find($o->{method}, $path);
	return $r;
}

sub nothing_wrong {
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my @found = splice @wrong;
	ok !@found, "$_[0] ($asked requests)"
		or diag map { substr($_, 0, 400) . "\n" } @found[0 .. ($#found > 60 ? 60 : $#found)];
	$asked = 0;
}

# ---- something of each thing ----

my $campaign = $stage->make_campaign({name => 'Hostile'}, '+15551110001', '+15551110002');
my $queue = $stage->api(GET => "$CM/campaigns/$campaign/queue")->{queueEntries};
my %id = (campaignId => $campaign, queueId => $queue->[0]{id}, listId => $queue->[0]{list}{listId},
	contactId => $queue->[0]{contact}{id},
	agentId => $stage->make_agent('ana', $campaign)->{id},
	userId => $stage->api(POST => '/api/users', {username => 'victim', name => 'V',
		role => 'supervisor'})->{user}{id},
	keyId => $stage->api(POST => '/api/api-keys', {name => 'victim'})->{apiKey}{id});

sub address {
	my ($o, %other) = @_;
	(my $path = $o->{path}) =~ s/\{(\w+)\}/$other{$1} \/\/ $id{$1} \/\/ 999999/ge;
	return $path;
}

sub signed { my ($o) = @_; grep { $_->{twilioSignature} } @{$o->{security} // []} }
sub body_schema {
	my ($o) = @_;
	my $body = $contract->follow($o->{requestBody}) or return;
	my $schema = $body->{content}{'application/json'}{schema} or return;
	return $contract->follow($schema);
}

# What this program cannot be asked without ending the session that asks, or the test.
my @operations = grep { !signed($_) && $_->{operationId} !~ /^(logout|streamEvents)$/ }
	$contract->operations;
my @changing = grep { $_->{method} ne 'GET' } @operations;

# ---- samples ----

# A value that a schema allows.
sub sample {
	my ($schema, $name) = @_;
	my $s = $contract->follow($schema);
	return $s->{example} if exists $s->{example};
	return $s->{const} if exists $s->{const};
	return $s->{enum}[0] if $s->{enum};
	return sample($s->{oneOf}[0], $name) if $s->{oneOf};
	my $type = ref $s->{type} ? $s->{type}[0] : $s->{type} // 'string';
	return $id{$name} // '1' if ($s->{pattern} // '') eq '^[1-9][0-9]{0,18}$';
	return '+15551110009' if ($s->{pattern} // '') =~ /^\^\\\+/;
	return strftime('%Y-%m-%dT%H:%M:%SZ', gmtime(time + 86400)) if ($s->{format} // '') eq 'date-time';
	return ($s->{minimum} // 1) + 0 if $type eq 'integer' || $type eq 'number';
	return JSON::PP::true if $type eq 'boolean';
	return [] if $type eq 'array';
	return sample_object($s) if $type eq 'object';
	return 'long-enough';
}

sub sample_object {
	my ($s) = @_;
	return {map { ($_ => sample($s->{properties}{$_}, $_)) } @{$s->{required} // []}};
}

# ---- the tests ----

subtest 'bodies that are none' => sub {
	my $before = holds();
	my @bodies = ('{', '}', '[]', '"x"', '1', 'null', 'true', '{"a":1,"a":2}', "{\"a\":\"\xff\xfe\"}",
		"\0\0\0\0", '{"a":"\u0000"}', '{"a":"\ud800"}', '{"a":1e999}', "{'a':1}", '{"a":1,}',
		'{"a":' . '[' x 3000 . ']' x 3000 . '}', '{"a":' x 3000 . '1' . '}' x 3000,
		'{"?":1}', '{"__proto__":{}}', '{"a' . "\x{e9}" x 70 . '":1}', "\xef\xbb\xbf{}x");
	for my $o (grep { body_schema($_) } @changing) {
		my $path = address($o);
		for my $body (@bodies) {
			my $r = send_to($o, $path, $body);
			push @wrong, "$o->{method} $path took " . substr $body, 0, 40 unless $r->{status} >= 400;
		}
		my $r = send_to($o, $path, '{}', {'Content-Type' => 'application/xml'});
		push @wrong, "$o->{method} $path took XML: $r->{status}" unless $r->{status} >= 400;
	}
	nothing_wrong('all refused');
	unchanged('broken bodies', $before);
};

subtest 'bodies of another type, and too large ones' => sub {
	my $before = holds();
	for my $o (grep { $_->{method} ne 'GET' } $contract->operations) {
		my $path = address($o);
		my %as = (Cookie => $o->{operationId} eq 'logout' ? '' : $cookie);
		$as{'X-Twilio-Signature'} = hmac_sha1_base64("http://$stage->{gateway}{http}$path", $stage->token) . '='
			if signed($o);
		my $r = send_to($o, $path, 'x', {%as, 'Content-Type' => 'text/plain'});
		push @wrong, "$o->{method} $path took text: $r->{status}"
			unless $r->{status} >= 400 || signed($o);
		$r = send_to($o, $path, '{', {%as, 'Content-Length' => '99999999999'});
		push @wrong, "$o->{method} $path is too large: $r->{status}" unless $r->{status} == 413;
		hang_up(); # it waits for the rest
	}
	nothing_wrong('all refused, as the contract says');
	unchanged('other bodies', $before);
};

subtest 'fields of the wrong kind' => sub {
	my @values = (undef, JSON::PP::true, -1, 0, 1.5, 9223372036854775807, '', 'x' x 3000, ' ', [],
		[[]], {}, {a => {}}, '-1', '9' x 30, '+', "a\x{0}b", "a\x{1b}[2Jb");
	my ($taken, $refused) = (0, 0);
	my $before = holds();
	for my $o (grep { body_schema($_) } @changing) {
		next if $o->{operationId} =~ /^(login|changePassword)$/; # a limit of their own
		my $schema = body_schema($o);
		my $good = sample_object($schema);
		my $path = address($o);
		my $changed = 0;
		for my $name (sort keys %{$schema->{properties} // {}}) {
			for my $value (@values) {
				my %body = (%$good, $name => $value);
				my $text = $json->encode(\%body);
				my $r = send_to($o, $path, $text);
				if ($r->{status} >= 400) { $refused++; next }
				$taken++;
				$changed++;
				my @complaints = $contract->check($schema, $json->decode($text), $o->{operationId});
				# The rows of a list are judged one by one, and the answer tells of each.
				@complaints = grep { !/\[\d+\]/ } @complaints;
				push @wrong, "$o->{method} $path took " . substr($json->encode({$name => $value}), 0, 60)
					. " though $complaints[0]" if @complaints;
			}
		}
		my $now = holds();
		push @wrong, "$o->{method} $path refused all and changed something"
			if !$changed && $now ne $before;
		$before = $now;
	}
	nothing_wrong("$refused refused, $taken allowed and taken");
};

subtest 'paths' => sub {
	my $before = holds();
	my @ids = ('0', '-1', '+1', '1.0', '1e3', '0x1', 'abc', '9' x 19, '9' x 30, '%00', '1%00', '%2e%2e',
		'..%2f..', '%252e', '1%27--', '1;2', '%ff', '%zz', '%', '1%0d%0aX:1', 'a' x 3000, '%3Cb%3E', ' 1');
	for my $o (grep { $_->{path} =~ /\{/ } @operations) {
		my $body = body_schema($o) ? $json->encode(sample_object(body_schema($o))) : undef;
		my ($last) = $o->{path} =~ /.*\{(\w+)\}/;
		for my $value (@ids) {
			(my $text = $value) =~ s/ /%20/g;
			my $r = send_to($o, address($o, $last => $text), $body);
			push @wrong, "$o->{method} $o->{path} with $value: $r->{status}" unless $r->{status} >= 400;
		}
	}
	for my $path ('//', '/api//users', '/api/users/', '/api/./users', '/api/../api/users', '/API/USERS',
		'/api/users%2f', '/%61pi/users/..', '/..', '/%2e%2e/%2e%2e/etc/passwd', '/api/users/1/2/3',
		'/api/users%00', '/' . 'a/' x 1000, '/api/users;x=1', '/.git/config', '/index.html%00',
		'/api/docs/../../etc/passwd', '/api/users?' . 'a=b&' x 300, '/api/users?%zz', '/api/users?a=%00') {
		my $r = quick('GET', $path, {Cookie => $cookie});
		push @wrong, "$path: $r->{status} " . substr $r->{content}, 0, 100
			unless $r->{status} >= 400 && $r->{status} < 500;
		push @wrong, "$path gave a file" if $r->{content} =~ /root:|\[core\]/;
	}
	nothing_wrong('all refused');
	unchanged('paths', $before);
};

subtest 'queries' => sub {
	my $before = holds();
	my @values = ('', '0', '-1', '1.5', 'x', '9' x 30, '%00', '%ff', '%27%20OR%201=1--', '%3Cb%3E', 'a' x 2000,
		'1,2', '2026-13-01T00:00:00Z', 'null', '%7B%7D');
	my $refused = 0;
	for my $o (grep { $_->{method} eq 'GET' } @operations) {
		for my $p (map { $contract->follow($_) } @{$o->{parameters} // []}) {
			next unless $p->{in} eq 'query';
			my $schema = $contract->follow($p->{schema});
			for my $value (@values) {
				my $r = send_to($o, address($o) . "?$p->{name}=$value");
				$refused++ if $r->{status} >= 400;
				(my $plain = $value) =~ s/%(..)/chr hex $1/ge;
				# An empty one is none, and so is the id 0; numbers travel as text.
				next if $plain eq '' || $plain eq '0' && ($schema->{pattern} // '') =~ /^\^\[1-9\]/;
				next if ref $schema->{type} || $schema->{oneOf};
				my $typed = $schema->{type} =~ /^(integer|number)$/ && $plain =~ /^-?\d{1,15}$/ ? $plain + 0 : $plain;
				my $bad = $schema->{type} eq 'boolean' ? $plain !~ /^(true|false)$/
					: $contract->check($schema, $typed, $p->{name})
						|| ($schema->{format} // '') eq 'date-time' && $plain !~ /^\d{4}-(0|1[0-2])/;
				push @wrong, "$o->{path}?$p->{name}=" . substr($value, 0, 30) . " is $r->{status}"
					if $bad && $r->{status} < 400;
			}
			send_to($o, address($o) . "?$p->{name}=1&$p->{name}=2");
		}
	}
	nothing_wrong("$refused refused");
	unchanged('queries', $before);
};

# ---- bytes on the wire ----

sub raw {
	my ($bytes, $wait) = @_;
	my $s = IO::Socket::INET->new(PeerAddr => $stage->{gateway}{http}, Timeout => 5) or die $!;
	local $SIG{PIPE} = 'IGNORE';
	print $s $bytes;
	shutdown $s, 1 unless $wait;
	local $SIG{ALRM} = sub { die "no answer\n" };
	my $got = '';
	eval {
		alarm 10;
		while (sysread $s, my $part, 4096) { $got .= $part; last if $wait && $got =~ /\r\n\r\n/ }
		alarm 0;
	};
	return $got =~ /^HTTP\/1.1 (\d+)/ ? $1 : $got eq '' ? 'closed' : "odd: $got";
}

subtest 'requests that are none' => sub {
	my $before = holds();
	my $head = "Host: x\r\nCookie: $cookie\r\n";
	my $json_head = $head . "Content-Type: application/json\r\n";
	my %odd = (
		'a huge header' => ["GET /api/users HTTP/1.1\r\n${head}X-A: " . 'a' x 9000 . "\r\n\r\n", qr/^431$/],
		'many headers' => ["GET /api/users HTTP/1.1\r\n$head" . join('', map { "X-$_: $_\r\n" } 1 .. 900)
			. "\r\n", qr/^431$/],
		'a huge cookie' => ["GET /api/auth/me HTTP/1.1\r\nHost: x\r\nCookie: ovx=" . 'a' x 7000 . "\r\n\r\n", qr/^401$/],
		'a huge address' => ['GET /api/' . 'a' x 5000 . " HTTP/1.1\r\n$head\r\n", qr/^414$/],
		'a body cut short' => ["POST $CM/campaigns HTTP/1.1\r\n${json_head}Content-Length: 50\r\n\r\n{\"name\":\"x\"}", qr/^(closed|400)$/],
		'a body too long' => ["POST $CM/campaigns HTTP/1.1\r\n${json_head}Content-Length: 99999999999\r\n\r\n{", qr/^413$/],
		'a negative length' => ["POST $CM/campaigns HTTP/1.1\r\n${json_head}Content-Length: -1\r\n\r\n{}", qr/^(400|413|closed)$/],
		'two lengths' => ["POST $CM/campaigns HTTP/1.1\r\n${json_head}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", qr/^400$/],
		'broken chunks' => ["POST $CM/campaigns HTTP/1.1\r\n${json_head}Transfer-Encoding: chunked\r\n\r\nzz\r\n{}", qr/^(400|closed)$/],
		'endless chunks' => ["POST $CM/campaigns HTTP/1.1\r\n${json_head}Transfer-Encoding: chunked\r\n\r\n"
			. ("1000\r\n" . ' ' x 4096 . "\r\n") x 20 . "0\r\n\r\n", qr/^413$/],
		'no HTTP' => ["\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", qr/^(400|closed)$/],
		'a method of its own' => ["BREW /api/users HTTP/1.1\r\n$head\r\n", qr/^40[05]$/],
		'a header with a control character' => ["GET /api/users HTTP/1.1\r\n${head}Origin: a\x01b\r\n\r\n", qr/^400$/],
		'a key that is no text' => ["POST $CM/campaigns HTTP/1.1\r\n${json_head}Idempotency-Key: \xff\xfe\r\nContent-Length: 12\r\n\r\n{\"name\":\"x\"}", qr/^400$/],
		'a bearer that is no text' => ["GET /api/auth/me HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \xff\xfe\r\n\r\n", qr/^401$/],
		'a forged address' => ["GET /api/auth/me HTTP/1.1\r\n${head}X-Forwarded-For: ' OR 1=1, ,,\r\n\r\n", qr/^200$/],
	);
	for my $what (sort keys %odd) {
		my ($bytes, $expected) = @{$odd{$what}};
		like raw($bytes, $what !~ /short/), $expected, $what;
	}
	unchanged('odd requests', $before);
};

# ---- what Twilio might send ----

# What Twilio must name; without it a webhook is refused. That somebody picked up may be said by any word.
my %named = (status => qr/^(CallSid|CallStatus)$/, amd => qr/^(CallSid|AnsweredBy)$/,
	recording => qr/^(RecordingSid|RecordingStatus)$/);

sub answer_to {
	my ($path, $field, $value) = @_;
	return '400 BAD_REQUEST' if $value =~ /\0/;
	my ($kind) = $path =~ m{/webhook/(\w+)};
	return '200 text/xml' unless $kind && $kind ne 'inbound';
	return '204' if $path =~ /inbound=1/ || !$named{$kind} || $field !~ $named{$kind};
	return $field eq 'AnsweredBy' && $value ne '' ? '204' : '400 BAD_WEBHOOK';
}

# An ended call and its entry, which are to stay as they are.
sub ended_call {
	my $campaign = $stage->make_campaign({wrapUpS => 0}, '+15551110003');
	my $agent = $stage->make_agent('bea', $campaign);
	$stage->start_phone($agent);
	$stage->wait_registered($agent);
	$stage->agent_ready($agent, $campaign);
	my ($entry) = @{$stage->api(GET => "$CM/campaigns/$campaign/queue")->{queueEntries}};
	my $call = $stage->api(POST => "$CM/campaigns/$campaign/queue/$entry->{id}/call",
		{agentId => $agent->{id}})->{callRecord};
	my $wait = sub { my ($state) = @_;
		$stage->wait_until(20, "the call to be $state", sub {
			$stage->api(GET => "/api/calls/$call->{id}")->{call}{state} eq $state }) };
	$wait->('bridged');
	$stage->api(POST => "/api/calls/$call->{id}/hangup");
	$wait->('ended');
	$stage->api(DELETE => "/api/agents/$agent->{id}/session");
	$stage->wait_until(20, 'everybody to have hung up, and to have told so', sub {
		my @log = $stage->call_log;
		my %told = map { $_->{call_sid} => 1 }
			grep { $_->{event} eq 'webhook' && ($_->{status} // '') eq 'completed' } @log;
		$stage->sql("SELECT count(*) FROM call_legs WHERE kind = 'agent' AND left_at IS NULL") eq '0'
			&& $stage->sql("SELECT count(*) FROM call_events WHERE event = 'left'") eq '1'
			&& !grep { $_->{event} eq 'create' && !$told{$_->{call_sid}} } @log });
	$stage->stop("phone-$agent->{username}");
	return ($call->{id}, $entry->{id}, $stage->api(GET => "/api/calls/$call->{id}")->{call}{twilioCallSid});
}

subtest 'signed, and hostile all the same' => sub {
	my ($call, $entry, $sid) = ended_call();
	my $leg = $stage->sql('SELECT max(id) FROM call_legs');
	my @values = ('', '0', '-1', '9' x 30, 'x' x 3000, "'; DROP TABLE calls; --", '<Response><Hangup/></Response>',
		"\xff\xfe", "a\x00b", '../..', "\x{c3}\x{a9}");
	my @fields = qw(CallSid CallStatus SequenceNumber CallDuration Timestamp ConferenceSid FriendlyName
		StatusCallbackEvent ParticipantLabel From To SipHeader_X-Ovx-Leg RecordingSid RecordingUrl
		RecordingStatus AnsweredBy ErrorCode AccountSid);
	my %good = (CallSid => $sid, CallStatus => 'completed', From => '+12125550001',
		To => '+15550000001', AccountSid => $stage->account, AnsweredBy => 'human',
		RecordingSid => 'RE' . '0' x 32, RecordingStatus => 'completed');
	my ($label, $conference) = split /\|/, $stage->sql(
		"SELECT label || '|' || conference FROM call_legs WHERE call_id = $call AND kind = 'customer'");
	my @asked = map { my $o = $_; my $all = "call=$call&entry=$entry&attempt=1&session=1&recording=1";
		$o->{path} =~ m{webhook/conference} ? map { [$o, $all, {%good, StatusCallbackEvent => $_,
			ParticipantLabel => $label, ConferenceSid => 'CF' . '0' x 32, FriendlyName => $conference,
			SequenceNumber => 9, Timestamp => 'Fri, 20 Aug 2010 01:13:42 +0000'}] }
			qw(participant-join participant-leave announcement-end)
		: map { [$o, $_, \%good] } $all, $o->{path} =~ m{webhook/status} ? ("leg=$leg", 'inbound=1') : ()
	} grep { signed($_) } $contract->operations;
	# What is good is taken before.
	ask_signed($_->[0]{method}, address($_->[0]) . "?$_->[1]", $_->[2]) for @asked;
	my $before = holds();
	my $sent = 0;
	for (@asked) {
		my ($o, $query, $form) = @$_;
		for my $field (@fields) {
			for my $value (@values) {
				my $r = ask_signed($o->{method}, address($o) . "?$query", {%$form, $field => $value});
				$sent++;
				my $what = "$o->{method} $o->{path}?$query $field=" . substr $value, 0, 20;
				my $expected = answer_to("$o->{path}?$query", $field, $value);
				my ($code) = $r->{content} =~ /"code":"(\w+)"/;
				my $got = join ' ', $r->{status}, $r->{status} == 204 ? () : $code // $r->{headers}{'content-type'};
				judged($o->{method}, $o->{path}, $r) unless $judged{"$o->{operationId} $got"}++;
				push @wrong, "$what: $got, not $expected: " . substr $r->{content}, 0, 100 if $got ne $expected;
				push @wrong, map { "$what: $_" } grep { $o->{path} !~ /announce/ || $_ ne 'it does nothing' }
					twiml_complaints($r->{content}) if $got eq '200 text/xml';
				push @wrong, "$what: TwiML has it: $r->{content}" if $r->{content} =~ /DROP TABLE|\xff/;
			}
		}
	}
	nothing_wrong("$sent signed requests");
	contract_kept();
	unchanged('news of what is long over', $before, call_events => 1);
};

# A form that is signed as Twilio signs: by POST, or by GET in the query.
sub ask_signed {
	my ($method, $path, $form) = @_;
	my $text = join '&', map { my $v = $form->{$_}; $v =~ s/([^\w])/sprintf '%%%02X', ord $1/ge; "$_=$v" } sort keys %$form;
	$path .= "&$text" if $method eq 'GET';
	my $signature = hmac_sha1_base64("http://$stage->{gateway}{http}$path"
		. ($method eq 'GET' ? '' : join '', map { $_ . $form->{$_} } sort keys %$form), $stage->token);
	return quick($method, $path, {'Content-Type' => 'application/x-www-form-urlencoded',
		'X-Twilio-Signature' => $signature . '=' x (-length($signature) % 4)}, $method eq 'GET' ? undef : $text);
}

subtest 'what is refused before anybody reads it' => sub {
	my $before = holds();
	for my $o (grep { signed($_) } $contract->operations) {
		my %odd = ('unsigned' => ['', 403], 'a huge address' => ['?a=' . 'a' x 5000, 414],
			'huge headers' => ['', 431, {'X-A' => 'a' x 9000}], 'a broken escape' => ['?a=%zz', 400],
			'a control character' => ['?a=%00', 400], 'very many fields' => ['?' . 'a=b&' x 300, 400]);
		for my $what (sort keys %odd) {
			my ($query, $status, $headers) = @{$odd{$what}};
			my $path = $o->{path} . $query;
			my $r = judged($o->{method}, $path, quick($o->{method}, $path, $headers // {}));
			push @wrong, "$o->{method} $o->{path}: $what: $r->{status}" unless $r->{status} == $status;
			$asked++;
		}
	}
	nothing_wrong('all refused');
	contract_kept();
	unchanged('what was refused', $before);
};

subtest 'and then' => sub {
	is $stage->worker, $worker, 'it is still the same worker';
	is ask(GET => '/readyz')->{status}, 200, 'and ready';
	is ask(GET => '/api/auth/me')->{status}, 200, 'for the same session';
};

undef $stage;
done_testing;
