#!/usr/bin/env perl
# The API from outside: who may do what, what comes back, and what strangers and hostile input
# achieve, which is nothing. Every answer is checked against docs/openapi.yaml.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Digest::SHA qw(hmac_sha1_base64);
use IO::Socket::INET;
use JSON::PP;
use Test::More;
use Time::HiRes qw(time);
use Omnivox::Asking;
use Omnivox::Stage;

my $CM = $Omnivox::Stage::CM;
my $stage = Omnivox::Stage->new(population => [{match => '*', weight => 1,
	behaviour => 'human', ring_ms => 300, talk_ms => 60000, say => 'tone:440'}]);
my $contract = asking($stage);
$stage->start_sandbox;
$stage->start_gateway;

sub code_of { $_[0]{json}{error}{code} // '' }

# The operation's address with ids in it: its own, or some that nobody has.
sub address {
	my ($operation, %ids) = @_;
	(my $path = $operation->{path}) =~ s/\{(\w+)\}/$ids{$1} \/\/ 999999/ge;
	return $path;
}

subtest 'the contract and the program name the same routes' => sub {
	open my $source, '<', "$Omnivox::Stage::TOP/gateway/routes.c" or die $!;
	my $text = do { local $/; <$source> };
	open my $urls, '<', "$Omnivox::Stage::TOP/gateway/urls.h" or die $!;
	my %url = map { /#define (URL_\w+) "([^"]+)"/ ? ($1 => $2) : () } <$urls>;
	my ($table) = $text =~ /api_route routes\[\] = \{(.*?)\n\};/s;
	my @served;
	$table =~ s/TWIML\((URL_\w+)/HTTP_GET | HTTP_POST, $1/g;
	while ($table =~ /(HTTP_[A-Z |_]+?),\s*(?:\.path = )?(CM )?("[^"]+"|URL_\w+)/g) {
		my ($methods, $path) = ($1, ($2 ? $CM : '') . ($url{$3} // substr $3, 1, -1));
		$path =~ s/:(\w+)/{$1}/g;
		push @served, map { "$_ $path" } $methods =~ /HTTP_([A-Z]+)/g;
	}
	is_deeply [sort @served], [sort map { "$_->{method} $_->{path}" } $contract->operations];
};

subtest 'machines may ask how it is' => sub {
	is ask(GET => '/livez')->{json}{data}{status}, 'live', 'alive';
	is ask(GET => '/readyz')->{json}{data}{status}, 'ready', 'ready';
	like ask(GET => '/api/version')->{json}{data}{version}, qr/^\d+\.\d+/, 'its version';
	is ask(GET => $_)->{status}, 200, $_
		for qw(/api/docs /api/docs.css /api/openapi.yaml /api/openapi.json);
	contract_kept('health');
};

subtest 'strangers get nothing' => sub {
	for my $operation (grep { $_->{'x-roles'} } $contract->operations) {
		my $what = "$operation->{method} $operation->{path}";
		answers(ask($operation->{method}, address($operation)), 401, 'NOT_SIGNED_IN', $what);
	}
	for my $cookie ('ovx=', 'ovx=' . 'a' x 64, 'ovx=' . 'a' x 5000, "ovx=' OR 1=1 --", 'ovx=%00') {
		is as($cookie, GET => '/api/auth/me')->{status}, 401,
			'a made-up cookie: ' . substr $cookie, 0, 24;
	}
	contract_kept('strangers');
};

sub login {
	my ($body, $headers) = @_;
	return ask(POST => '/api/auth/login', $body, {Cookie => '', %{$headers || {}}});
}

my $admin;
subtest 'signing in' => sub {
	my $unknown = login({username => 'nobody', password => 'admin-password'});
	my $wrong = login({username => 'admin', password => 'not the password'});
	answers($wrong, 401, 'WRONG_CREDENTIALS', 'a wrong password');
	is $unknown->{content}, $wrong->{content}, 'an unknown name gets the very same answer';
	ok !$unknown->{headers}{'set-cookie'}, 'and no cookie';

	my $r = login({username => 'admin', password => 'admin-password'});
	is $r->{status}, 200, 'the right password';
	my $cookie = $r->{headers}{'set-cookie'};
	like $cookie, qr/^ovx=[0-9a-f]{64};/, 'gives a cookie';
	like $cookie, qr/HttpOnly/, 'that scripts cannot read';
	like $cookie, qr/SameSite=Lax/, 'and other sites cannot send along';
	like $cookie, qr/Path=\//, 'for all pages';
	unlike $cookie, qr/Secure/, 'over http without Secure';
	($admin) = $cookie =~ /^([^;]+)/;

	my $email = login({email => 'admin', password => 'admin-password'});
	is $email->{status}, 200, 'the name may be called email';
	my ($second) = $email->{headers}{'set-cookie'} =~ /^([^;]+)/;
	isnt $second, $admin, 'each sign-in has a token of its own';
	is as($second, GET => '/api/auth/me')->{json}{data}{user}{role}, 'admin', 'it is me';
	is as($second, POST => '/api/auth/logout')->{status}, 200, 'signing out';
	is as($second, GET => '/api/auth/me')->{status}, 401, 'ends that session';
	is as($admin, GET => '/api/auth/me')->{status}, 200, 'and no other';
	contract_kept('sign-in');
};
$stage->{cookie} = $admin;

subtest 'other sites cannot use the session of a browser' => sub {
	my @no = ({'Sec-Fetch-Site' => 'cross-site'}, {'Sec-Fetch-Site' => 'same-site'},
		{Origin => 'https://evil.example'}, {Origin => 'null'},
		{Origin => "http://$stage->{gateway}{http}.evil.example"});
	my @yes = ({'Sec-Fetch-Site' => 'same-origin'}, {'Sec-Fetch-Site' => 'none'},
		{Origin => "http://$stage->{gateway}{http}"}, {});
	my $before = @{ask(GET => "$CM/campaigns")->{json}{data}{campaigns}};
	answers(ask(POST => "$CM/campaigns", {name => 'X'}, $_), 403, 'CROSS_SITE',
		encode_json($_)) for @no;
	is scalar @{ask(GET => "$CM/campaigns")->{json}{data}{campaigns}}, $before, 'nothing was made';
	is ask(POST => "$CM/campaigns", {name => 'X'}, $_)->{status}, 201, encode_json($_) for @yes;
	contract_kept('cross-site');
};

my ($campaign, $other);
subtest 'campaigns' => sub {
	my $name = "A <b>\"name\"</b> & '; DROP TABLE users; -- \x{e9}\x{4e2d}\x{1f600}";
	my $made = ask(POST => "$CM/campaigns", {name => $name, batchSize => 2, wrapUpS => 1,
		callingHours => undef});
	is $made->{status}, 201, 'made';
	$campaign = $made->{json}{data}{campaign};
	is $campaign->{name}, $name, 'its name comes back as it was sent';
	is $campaign->{state}, 'draft', 'it is a draft';
	is_deeply [@$campaign{qw(batchSize callGapMs batchGapMs ringTimeoutS wrapUpS maxAttempts)}],
		[2, 3000, 10000, 30, 1, 3], 'what was not given has its default';
	is $campaign->{callerId}, '+15550000001', 'the caller id is that of the account';
	my $usual = ask(POST => "$CM/campaigns", {name => 'Other'})->{json}{data}{campaign};
	is_deeply $usual->{callingHours}, {map { ($_ => [{from => '08:00', to => '21:00'}]) }
		qw(mon tue wed thu fri sat sun)}, 'who gives no hours calls by day';
	is "$usual->{callingHoursZone} $usual->{timeZone}", 'contact UTC', 'by the clock of the contact';
	$other = $usual->{id};
	my $id = $campaign->{id};

	my %wrong = (name => ['', 5, undef, 'x' x 128, "a\x{1}"], batchSize => [0, 101, '5', 1.5],
		callGapMs => [-1, 600001], ringTimeoutS => [4, 601], wrapUpS => [3601], maxAttempts => [0],
		retry => [1, {busy => 1}, {busy => {afterS => -1}}, {fax => {max => 1}}],
		callingHours => [7, {}, {mon => 1}, {mon => [{from => '9', to => '10:00'}]}, {day => []}],
		callingHoursZone => ['mars'], timeZone => ['', 'Europe/Atlantis'],
		fallbackTimeZone => ['../etc/passwd'],
		limits => [{callsPerDay => 0}, {costPerDay => 5}, {x => 1}], dialMethod => ['predictive', 1], callerId => ['0123', '+1', 7],
		state => ['draft', 'dead', 1], unknown => [1]);
	for my $field (sort keys %wrong) {
		for my $value (@{$wrong{$field}}) {
			next if $field eq 'name' && !defined $value;
			my $r = ask(PUT => "$CM/campaigns/$id", {$field => $value});
			is "$r->{status} " . ($r->{json}{error}{details}{field} // ''), "422 $field",
				"$field = " . substr encode_json([$value]), 0, 30;
		}
	}
	is_deeply ask(GET => "$CM/campaigns/$id")->{json}{data}{campaign}, $campaign,
		'none of it changed anything';
	answers(ask(POST => "$CM/campaigns", {}), 422, 'VALIDATION', 'a name is needed');
	answers(ask(POST => "$CM/campaigns", {name => 'x', state => 'active'}), 422, 'VALIDATION',
		'a new one is a draft');

	my $put = ask(PUT => "$CM/campaigns/$id", {description => 'new', callerId => '+15550000002'});
	is $put->{json}{data}{campaign}{description}, 'new', 'a field is changed';
	is $put->{json}{data}{campaign}{name}, $name, 'the others stay';
	is ask(PUT => "$CM/campaigns/$other", {state => 'completed'})->{status}, 200, 'completed';
	is ask(PUT => "$CM/campaigns/$other", {state => 'active'})->{status}, 422, 'is final';
	answers(ask(GET => "$CM/campaigns/$_"), 404, 'NOT_FOUND', "no campaign $_")
		for '0', '-1', '999999', 'abc', '99999999999999999999', "1'--", '%2e%2e';
	contract_kept('campaigns');
};

# Says that a body of so many bytes will come, sends less than 16, and reads the first line.
sub announce {
	my ($path, $bytes, $type) = @_;
	$type //= 'text/csv';
	my $s = IO::Socket::INET->new(PeerAddr => $stage->{gateway}{http}, Timeout => 5) or die $!;
	print $s "POST $path HTTP/1.1\r\nHost: x\r\nCookie: $stage->{cookie}\r\n"
		. "Content-Type: $type\r\nContent-Length: $bytes\r\n\r\n" . 'x' x ($bytes & 15);
	return <$s> // '';
}

my $list;
subtest 'lists and their contacts' => sub {
	$list = ask(POST => "$CM/data-lists", {name => 'Customers'})->{json}{data}{dataList};
	is $list->{campaignId}, undef, 'a list may belong to no campaign';
	answers(ask(POST => "$CM/data-lists", {name => 'x', campaignId => '999999'}), 404,
		'NOT_FOUND', 'or to one that there is');
	my $path = "$CM/data-lists/$list->{id}/upload";
	my %csv = ('Content-Type' => 'text/csv');
	my $up = ask(POST => $path, "\x{ef}\x{bb}\x{bf}First Name;PHONE;email\r\n"
		. "\"O'Hara; \"\"Al\"\"\";+1 (555) 123-0001;a\@example.com\r\nBea;1-555-123-0002;\r\n"
		. "Cy;+15551230001;\r\nDee;nonsense;\r\n", \%csv)->{json}{data}{upload};
	is_deeply [@$up{qw(totalSubmitted uploaded skipped rejected)}], [4, 2, 1, 1],
		'good rows are added, known ones skipped, bad ones counted';
	is $up->{errors}[0]{row}, 5, 'and named by their row';
	my $json = ask(POST => "$path?country=44", {contacts => [
		{phone => '020 7946 0001', firstName => 'Eve', lastName => 'X'}, {phone => 7}]});
	is_deeply [@{$json->{json}{data}{upload}}{qw(uploaded rejected)}], [1, 1],
		'JSON is taken as well, with the country of its numbers';
	is $json->{json}{data}{dataList}{totalContacts}, 3, 'the list has them';

	answers(ask(POST => $path, "name\nx\n", \%csv), 422, 'BAD_LIST', 'a phone column is needed');
	answers(ask(POST => $path, '', \%csv), 422, 'BAD_LIST', 'an empty file');
	answers(ask(POST => $path, "phone\n\"+15551230009", \%csv), 422, 'BAD_LIST', 'an open quote');
	answers(ask(POST => "$path?country=x", "phone\n1\n", \%csv), 422, 'VALIDATION', 'no country');
	my $broken = ask(POST => $path, "phone,first_name\n+15551230010,Jos\xe9\n+15551230011,Jo\0\n",
		\%csv)->{json}{data}{upload};
	is_deeply [@$broken{qw(uploaded rejected)}, $broken->{errors}[0]{row}], [1, 1, 3],
		'a row that is no text does not spoil the others';
	like announce($path, 257 << 20), qr/^HTTP\/1.1 413/, '256 megabytes are enough';
	is ask(POST => "$CM/campaigns/$campaign->{id}/assign-data-list", {listId => $list->{id}})
		->{status}, 200, 'the list is given to the campaign';
	is ask(GET => "$CM/data-lists/$list->{id}")->{json}{data}{dataList}{campaignId},
		$campaign->{id}, 'and says so';
	is ask(GET => "$CM/data-lists")->{json}{data}{dataLists}[0]{id}, $list->{id}, 'it is listed';
	contract_kept('lists');
};

my ($ana, $bo, $ana_cookie);
subtest 'agents' => sub {
	my $made = ask(POST => '/api/agents', {username => 'ana', name => 'Ana',
		password => 'ana-password'})->{json}{data};
	$ana = {%$made, id => $made->{agent}{id}, username => 'ana'};
	is $made->{password}, undef, 'a given password is not told again';
	like $made->{sip}{password}, qr/^[A-Za-z0-9]{24}$/, 'the phone gets a long one';
	is $made->{sip}{domain}, $stage->{gateway}{sip}, 'and the address to register at';
	my $bo_made = ask(POST => '/api/agents', {username => 'bo', name => 'Bo',
		sipUsername => 'bo.phone'})->{json}{data};
	$bo = $bo_made->{agent}{id};
	ok length $bo_made->{password} >= 8, 'without one, a password is made';
	answers(ask(POST => '/api/agents', {username => 'ana', name => 'Ana 2'}), 409, 'EXISTS',
		'a name is had once');
	answers(ask(POST => '/api/agents', {username => 'cy', name => 'C', sipUsername => 'ana'}), 409,
		'EXISTS', 'a SIP name, too');
	is scalar @{ask(GET => '/api/agents')->{json}{data}{agents}}, 2, 'and then nobody was made';
	for my $body ({username => 'A B', name => 'x'}, {username => "x\@y", name => 'x'},
		{username => '', name => 'x'}, {username => 'x' x 64, name => 'x'}, {name => 'x'},
		{username => 'dee', name => 'x', password => 'short'},
		{username => 'dee', name => 'x', role => 'admin'}) {
		is ask(POST => '/api/agents', $body)->{status}, 422, substr encode_json($body), 0, 60;
	}
	isnt ask(POST => "/api/agents/$bo/sip-password")->{json}{data}{sip}{password},
		$bo_made->{sip}{password}, 'a new card has a new password';
	for my $agent ($ana->{id}, $bo) {
		is ask(POST => "$CM/campaigns/$campaign->{id}/join-agent", {agentId => $agent})->{status},
			200, 'joins' for 1, 2;
	}
	is ask(DELETE => "$CM/campaigns/$campaign->{id}/leave-agent", {agentId => $bo})->{json}{data}
		{campaign}{agentCount}, 1, 'leaves';
	answers(ask(POST => "$CM/campaigns/$campaign->{id}/join-agent", {agentId => '999999'}), 404,
		'NOT_FOUND', 'nobody cannot join');
	my $r = login({username => 'ana', password => 'ana-password'});
	($ana_cookie) = $r->{headers}{'set-cookie'} =~ /^([^;]+)/;
	is $r->{json}{data}{user}{role}, 'agent', 'an agent signs in to the console';
	contract_kept('agents');
};

subtest 'an agent may only what agents may' => sub {
	for my $operation (grep { $_->{'x-roles'} } $contract->operations) {
		next if grep { $_ eq 'agent' } @{$operation->{'x-roles'}};
		my $r = as($ana_cookie, $operation->{method}, address($operation,
			campaignId => $campaign->{id}, listId => $list->{id}, agentId => $ana->{id}));
		answers($r, 403, 'FORBIDDEN', "$operation->{method} $operation->{path}");
	}
	for my $operation (grep { $_->{path} =~ m{^/api/agents/\{agentId\}} } $contract->operations) {
		my $r = as($ana_cookie, $operation->{method}, address($operation, agentId => $bo));
		answers($r, 403, 'FORBIDDEN', "$operation->{method} $operation->{path} of another");
	}
	is as($ana_cookie, GET => "/api/agents/$ana->{id}")->{status}, 200, 'itself it may see';
	contract_kept('roles');
};

subtest 'the queue, without a phone' => sub {
	my $path = "$CM/campaigns/$campaign->{id}";
	my $empty = ask(POST => "$CM/campaigns", {name => 'empty'})->{json}{data}{campaign}{id};
	answers(ask(POST => "$CM/campaigns/$empty/auto-dial"), 422, 'NOTHING_TO_DIAL',
		'nothing to dial is said');
	my $final = ask(POST => "$CM/campaigns/$other/auto-dial");
	answers($final, 422, 'VALIDATION', 'a completed one does not start');
	like $final->{json}{error}{message}, qr/completed/, 'and says why';
	my $made = ask(POST => "$path/generate-queue", {maxRecords => 2})->{json}{data};
	is $made->{generated}, 2, 'as many as wanted are queued';
	cmp_ok ask(POST => "$path/generate-queue")->{json}{data}{generated}, '>=', 1, 'then the rest';
	is ask(POST => "$path/generate-queue")->{json}{data}{generated}, 0, 'and nobody twice';
	my $all = ask(GET => "$path/queue")->{json}{data};
	my @pages;
	for (my $after = 0; defined $after;) {
		my $page = ask(GET => "$path/queue?limit=1&after=$after")->{json}{data};
		push @pages, map { $_->{id} } @{$page->{queueEntries}};
		$after = $page->{nextCursor};
	}
	is_deeply \@pages, [map { $_->{id} } @{$all->{queueEntries}}], 'pages add up to the whole';
	is $all->{stats}{statusBreakdown}{pending}, scalar @pages, 'and to the counts';
	is ask(GET => "$path/queue?$_")->{status}, 422, $_
		for 'status=dead', 'limit=0', 'limit=501', 'after=x', 'limit=1e3';
	my $entry = $pages[0];
	answers(ask(POST => "$path/queue/$entry/call"), 409, 'NO_AGENT', 'Call Now without an agent');
	answers(ask(POST => "$path/queue/$entry/call", {agentId => $ana->{id}}), 409, 'SIGNED_OUT',
		'with one who is away');
	answers(ask(POST => "$path/queue/$entry/call", {agentNumber => '+15551234567'}), 422,
		'VALIDATION', 'with a number instead');
	answers(as($ana_cookie, POST => "$path/queue/$entry/call", {agentId => $bo}), 403, 'FORBIDDEN',
		'for somebody else');
	is ask(POST => "$path/queue/999999/call")->{status}, 404, 'of an entry that is not there';
	is ask(GET => "$path/queue")->{json}{data}{queueEntries}[0]{status}, 'pending',
		'after all that the entry is pending';
	is scalar(grep { $_->{event} eq 'create' } $stage->call_log), 0, 'and nobody was called';
	contract_kept('queue');
};

# The stream of events, read beside the requests.
sub events_of {
	my ($stream) = @_;
	my ($text, @events) = events_text($stream);
	push @events, [$1, $2] while $text =~ /^event: (\w+)\r?\n(?:.*\n)*?data: (.*)$/mg;
	return @events;
}

my $call;
subtest 'one call, and what is heard of it' => sub {
	my $path = "$CM/campaigns/$campaign->{id}";
	my ($staff, $own) = map { open_events("Cookie: $_") } $admin, $ana_cookie;
	my $stranger = open_events('Cookie: ovx=none');
	my $self = "/api/agents/$ana->{id}/session";

	answers(as($ana_cookie, POST => "$self/ready"), 409, 'SIGNED_OUT', 'ready before sign-in');
	answers(as($ana_cookie, POST => $self, {campaignId => $other}), 403, 'NOT_ON_CAMPAIGN',
		'on a campaign that is not hers');
	$stage->start_phone($ana);
	$stage->wait_registered($ana);
	is as($ana_cookie, POST => $self, {campaignId => $campaign->{id}})->{status}, 201, 'signed in';
	answers(as($ana_cookie, POST => $self, {campaignId => $campaign->{id}}), 409,
		'ALREADY_SIGNED_IN', 'once');
	is as($ana_cookie, POST => "$self/ready")->{status}, 200, 'ready';
	$stage->wait_until(30, 'ana to be ready', sub {
		$stage->agent_session($ana)->{state} eq 'ready' });
	is as($ana_cookie, POST => "$self/pause", {reason => 'lunch'})->{json}{data}{agent}{session}
		{reason}, 'lunch', 'paused, and why';

	my $entry = ask(GET => "$path/queue?status=pending")->{json}{data}{queueEntries}[0]{id};
	my $r = as($ana_cookie, POST => "$path/queue/$entry/call");
	is $r->{status}, 200, 'her Call Now is placed' or diag $r->{content};
	$call = $r->{json}{data}{callRecord}{id};
	is $r->{json}{data}{callRecord}{agentId}, $ana->{id}, 'for herself';
	answers(ask(POST => "$path/queue/$entry/call"), 409, 'ALREADY_DIALED', 'a second one is not');
	$stage->wait_until(10, 'the call to be bridged', sub {
		ask(GET => "/api/calls/$call")->{json}{data}{call}{state} eq 'bridged' });
	answers(as($ana_cookie, DELETE => $self), 409, 'ON_A_CALL', 'signing out in a call');
	ok scalar(grep { $_->{id} eq $call } @{as($ana_cookie, GET => '/api/calls')->{json}{data}{calls}}),
		'she finds her call in the list';
	is scalar @{ask(GET => "/api/calls?campaignId=$other")->{json}{data}{calls}}, 0,
		'another campaign has none';
	is ask(GET => "/api/calls?$_")->{status}, 422, $_ for 'limit=0', 'limit=201', 'before=x';

	$stage->wait_until(5, 'events', sub { grep { $_->[1] =~ /bridged/ } events_of($own) });
	my @wrong = map { $contract->event_complaints(@$_) } events_of($staff), events_of($own);
	is_deeply \@wrong, [], 'every event keeps the contract';
	like $stranger->{text} . join('', events_of($stranger)) . $stranger->{text}, qr/^HTTP\/1.1 401/,
		'a stranger hears nothing';
	contract_kept('a call');
};

# ---- what Twilio sends ----

sub sign {
	my ($token, $path, $form) = @_;
	my $text = "http://$stage->{gateway}{http}$path"
		. join '', map { $_ . $form->{$_} } sort keys %$form;
	my $signature = hmac_sha1_base64($text, $token);
	return $signature . '=' x (-length($signature) % 4);
}

sub webhook {
	my ($path, $form, $signature) = @_;
	my $body = join '&', map { my $v = $form->{$_}; $v =~ s/([^\w])/sprintf '%%%02X', ord $1/ge; "$_=$v" }
		sort keys %$form;
	return as('', POST => $path, $body, {'Content-Type' => 'application/x-www-form-urlencoded',
		defined $signature ? ('X-Twilio-Signature' => $signature) : ()});
}

subtest 'webhooks that Twilio has not signed change nothing' => sub {
	my $row = ask(GET => "/api/calls/$call")->{json}{data}{call};
	my $path = "/api/calls-twiml/webhook/status?call=$call&entry=1&attempt=1";
	my %form = (CallSid => $row->{twilioCallSid}, CallStatus => 'completed', SequenceNumber => 77,
		AccountSid => $stage->account, CallDuration => 5);
	my $good = sign($stage->token, $path, \%form);
	my $before = ask(GET => "/api/calls/$call")->{content};
	my $sid = sub { my ($s) = @_; substr($s, 0, 1) = substr($s, 0, 1) eq 'A' ? 'B' : 'A'; $s };

	is webhook($path, \%form)->{status}, 403, 'unsigned';
	is webhook($path, \%form, '')->{status}, 403, 'with an empty signature';
	is webhook($path, \%form, $sid->($good))->{status}, 403, 'with one sign of it wrong';
	is webhook($path, \%form, sign('another token', $path, \%form))->{status}, 403,
		'signed with another token';
	is webhook("$path&x=1", \%form, $good)->{status}, 403, 'for another address';
	is webhook($path, {%form, CallStatus => 'busy'}, $good)->{status}, 403, 'for another form';
	is as('', GET => "$path&CallSid=$form{CallSid}&CallStatus=completed")->{status}, 403, 'by GET';
	for my $operation (grep { ($_->{security} // [{}])->[0]{twilioSignature} } $contract->operations) {
		is as('', $operation->{method} => $operation->{path})->{status}, 403,
			"nor does $operation->{method} $operation->{path}";
	}
	is webhook('/api/calls-twiml/webhook/conference', {StatusCallbackEvent => 'participant-leave',
		CallSid => $form{CallSid}})->{status}, 403, 'of the conference';
	is webhook('/api/calls-twiml/twiml-agent', {CallSid => $form{CallSid}})->{status}, 403,
		'for the conference of a leg';
	is webhook("/api/calls-twiml/$_", {RecordingSid => 'RE' . 'a' x 32,
		RecordingStatus => 'completed', AnsweredBy => 'fax'})->{status}, 403, $_
		for 'webhook/amd?call=1', 'webhook/recording?recording=1', 'twiml-announce?recording=1';
	is ask(GET => "/api/calls/$call")->{content}, $before, 'the call is as it was';

	my %other = (%form, CallSid => 'CA' . 'f' x 32);
	is webhook($path, \%other, sign($stage->token, $path, \%other))->{status}, 204,
		'a signed one about a leg that is not the call\'s is taken';
	is ask(GET => "/api/calls/$call")->{content}, $before, 'and changes nothing either';
	for my $bad ({CallStatus => ''}, {CallStatus => 'dead'}, {CallSid => 'CA1'}) {
		my %broken = (%form, %$bad);
		is webhook($path, \%broken, sign($stage->token, $path, \%broken))->{status}, 400,
			encode_json($bad);
	}
	is webhook('/api/calls-twiml/webhook/status?call=x', \%form, sign($stage->token,
		'/api/calls-twiml/webhook/status?call=x', \%form))->{status}, 400, 'a call that is no id';
	my $twiml = webhook('/api/calls-twiml/twiml-agent', {CallSid => 'CA' . 'e' x 32}, sign(
		$stage->token, '/api/calls-twiml/twiml-agent', {CallSid => 'CA' . 'e' x 32}));
	like $twiml->{content}, qr/<Hangup\/>/, 'a leg without our token is hung up';
	is ask(GET => "/api/calls/$call")->{content}, $before, 'the call is still as it was';
	contract_kept('webhooks');
};

subtest 'ending it' => sub {
	is ask(POST => "/api/calls/999999/hangup")->{status}, 404, 'a call that is not there';
	is as($ana_cookie, POST => "/api/calls/$call/hangup")->{status}, 202, 'the end is asked for';
	$stage->wait_until(15, 'the call to end', sub {
		ask(GET => "/api/calls/$call")->{json}{data}{call}{state} eq 'ended' });
	answers(ask(POST => "/api/calls/$call/hangup"), 409, 'ENDED', 'a second time there is nothing');

	my $replay = "/api/calls-twiml/webhook/status?call=$call&entry=1&attempt=1";
	my $row = ask(GET => "/api/calls/$call")->{json}{data}{call};
	my %form = (CallSid => $row->{twilioCallSid}, CallStatus => 'ringing', SequenceNumber => 1);
	is webhook($replay, \%form, sign($stage->token, $replay, \%form))->{status}, 204,
		'an old event comes again' for 1, 2;
	is ask(GET => "/api/calls/$call")->{json}{data}{call}{state}, 'ended', 'what is ended stays so';

	$stage->wait_until(15, 'ana to be free', sub { !$stage->agent_session($ana)->{callId} });
	my $path = "$CM/campaigns/$campaign->{id}/auto-dial";
	answers(ask(POST => "$path/stop"), 409, 'NOT_RUNNING', 'auto-dial does not run');
	my $start = ask(POST => $path)->{json}{data};
	is $start->{status}, 'AUTODIAL_STARTED', 'it starts';
	answers(ask(POST => $path), 409, 'ALREADY_RUNNING', 'once');
	ok ask(GET => $path)->{json}{data}{running}, 'it runs';
	ok $stage->wait_until(10, 'a reason', sub { ask(GET => $path)->{json}{data}{reason} }),
		'and says why nothing is dialled while the agent is paused';
	is ask(POST => "$path/stop")->{json}{data}{status}, 'AUTODIAL_STOPPED', 'it stops';
	is as($ana_cookie, DELETE => "/api/agents/$ana->{id}/session")->{status}, 200, 'she signs out';
	is as($ana_cookie, GET => "/api/agents/$ana->{id}/session")->{json}{data}{agent}{session}, undef,
		'and has no session';
	contract_kept('the end');
};

subtest 'hostile input is refused, and the gateway lives on' => sub {
	my $path = "$CM/campaigns";
	my @bodies = ('{', '[]', '"x"', 'null', '{"name":"x","name":"y"}', '{"name":"\u0000"}',
		"{\"name\":\"\xff\"}", '{"name":' . '[' x 5000 . ']' x 5000 . '}', "\0\0\0",
		'{"name":1e999}', '{"name":"\ud800"}');
	for my $body (@bodies) {
		my $r = ask(POST => $path, $body);
		ok $r->{status} == 400 || $r->{status} == 422, 'body ' . substr($body, 0, 24) . " $r->{status}";
	}
	# Names of unknown fields come back in the message: also cut ones must stay text.
	for my $length (1 .. 4, 61 .. 66, 200, 5000) {
		my $r = ask(POST => $path, {name => 'x', 'a' . "\x{e9}" x $length => 1});
		answers($r, 422, 'VALIDATION', "an unknown field of $length letters");
	}
	for my $type ('text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data') {
		is ask(POST => $path, 'name=x', {'Content-Type' => $type})->{status}, 415, "as $type";
	}
	like announce($path, 15, "a/\xff"), qr/^HTTP\/1.1 415/, 'as something that is no text';
	is ask(POST => $path, '{"name":"' . 'x' x 100000 . '"}')->{status}, 413, 'a body without end';
	for my $url ('/api/nothing', '/api', '/../../etc/passwd', '/%2e%2e/%2e%2e/etc/passwd', '/api/agents/1%00', '/api/agents/%zz',
		'/api/agents/..%2f..%2fetc', "$CM/campaigns/1/queue/../../2") {
		my $r = $stage->request(GET => $url);
		ok $r->{status} >= 400 && $r->{status} < 500, "$url $r->{status}";
		unlike $r->{content}, qr/root:/, 'and no file of the system';
	}
	for my $url ("$CM/contacts/%ff", "/api/calls?number=%c3", "/api/admin/dnc?search=%ed%a0%80", "/api/users?search=a%80") {
		answers(ask(GET => $url), 400, 'BAD_REQUEST', "$url: bytes that are no UTF-8");
	}
	is $stage->request(PATCH => $path, {})->{status}, 405, 'a method that is not there';
	is ask(GET => '/livez')->{status}, 200, 'alive';
	is $stage->worker, $stage->{gateway}{worker}, 'and it is still the same worker' if
		$stage->{gateway}{worker};
	contract_kept('hostile input');
};

subtest 'guessing passwords is slow' => sub {
	my ($r, $tries) = (undef, 0);
	do { $r = login({username => 'victim', password => "guess $tries"}) }
		while $r->{status} == 401 && ++$tries < 40;
	answers($r, 429, 'RATE_LIMITED', "after $tries wrong ones it is enough");
	ok $tries >= 5 && $tries <= 20, 'not at once, and not after long';
	cmp_ok $r->{headers}{'retry-after'}, '>=', 1, 'it says when to come back';
	is login({username => 'ana', password => 'ana-password'})->{status}, 200,
		'others sign in meanwhile';
	contract_kept('guessing');
};

undef $stage;
done_testing;
