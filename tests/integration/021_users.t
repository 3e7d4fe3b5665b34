#!/usr/bin/env perl
# Users, their roles, and what ends with them; API keys; what an agent may see.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use JSON::PP;
use Test::More;
use Time::HiRes qw(time);
use Omnivox::Asking;
use Omnivox::Stage;

my $CM = $Omnivox::Stage::CM;
my $stage = Omnivox::Stage->new;
$stage->start_sandbox;
$stage->start_gateway;
asking($stage);
my $admin = $stage->login;

my $T = JSON::PP::true;
my $F = JSON::PP::false;
my (%id, %cookie);

subtest 'making users' => sub {
	for my $role (qw(admin supervisor)) {
		my $r = ask(POST => '/api/users', {username => "the-$role", name => "The $role",
			role => $role, password => "$role-password"});
		is $r->{status}, 201, "a $role" or diag $r->{content};
		my $data = $r->{json}{data};
		is_deeply [@{$data->{user}}{qw(username role active)}], ["the-$role", $role, $T], 'as asked for';
		is_deeply [$data->{password}, $data->{sip}], [undef, undef], 'nothing more is told';
		$id{$role} = $data->{user}{id};
		$cookie{$role} = sign_in("the-$role", "$role-password");
	}
	my $agent = ask(POST => '/api/users', {username => 'ana', name => 'Ana', role => 'agent',
		password => 'ana-password', sipUsername => 'ana.phone'})->{json}{data};
	$id{agent} = $agent->{user}{id};
	is $agent->{sip}{username}, 'ana.phone', 'an agent gets its registration card';
	is ask(GET => "/api/agents/$id{agent}")->{json}{data}{agent}{username}, 'ana',
		'and is an agent under the same id';
	$cookie{agent} = sign_in('ana', 'ana-password');
	my $bo = ask(POST => '/api/agents', {username => 'bo', name => 'Bo'})->{json}{data};
	$id{bo} = $bo->{agent}{id};
	is ask(GET => "/api/users/$id{bo}")->{json}{data}{user}{role}, 'agent',
		'who is made as an agent is a user';
	ok sign_in('bo', $bo->{password}), 'a password that was made is good';
	my $made = ask(POST => '/api/users', {username => 'made', name => 'M', role => 'supervisor'});
	ok sign_in('made', $made->{json}{data}{password}), 'also of others';

	answers(ask(POST => '/api/users', {username => 'ana', name => 'x', role => 'admin'}), 409,
		'EXISTS', 'a name is had once');
	my %wrong = (username => ['', 'A B', 'x@y', 'x' x 64, 7, undef], name => ['', 'x' x 128, undef],
		role => ['', 'root', 1, undef], password => ['short', '', 5, 'x' x 256, "\x{e9}" x 7],
		sipUsername => ['A B', 1], unknown => [1]);
	for my $field (sort keys %wrong) {
		for my $value (@{$wrong{$field}}) {
			my $r = ask(POST => '/api/users', {username => 'zed', name => 'Zed', role => 'agent',
				$field => $value});
			is "$r->{status} " . ($r->{json}{error}{details}{field} // ''), "422 $field",
				"$field = " . substr encode_json([$value]), 0, 30;
		}
	}
	answers(ask(POST => '/api/users', {username => 'zed', name => 'Z', role => 'admin',
		sipUsername => 'zed'}), 422, 'VALIDATION', 'an admin has no phone');
	is scalar @{ask(GET => '/api/users?search=zed')->{json}{data}{users}}, 0, 'none of these was made';
	contract_kept('making users');
};

sub names { map { $_->{username} } @{$_[0]{json}{data}{users}} }

subtest 'lists of users' => sub {
	is_deeply [names(ask(GET => '/api/users?role=agent'))], [qw(ana bo)], 'by role';
	is_deeply [names(ask(GET => '/api/users?search=THE%20adm'))], ['the-admin'],
		'by a part of the name, in any case';
	is_deeply [names(ask(GET => '/api/users?search=%25'))], [], 'that is no pattern';
	my @pages;
	for (my $after = 0; defined $after;) {
		my $page = ask(GET => "/api/users?limit=2&after=$after");
		push @pages, names($page);
		$after = $page->{json}{data}{nextCursor};
	}
	is_deeply \@pages, [qw(admin the-admin the-supervisor ana bo made)], 'pages add up to the whole';
	is ask(GET => "/api/users?$_")->{status}, 422, $_
		for qw(role=root active=yes limit=0 limit=-1 limit=201 after=x after=-1);
	answers(ask(GET => "/api/users/$_"), 404, 'NOT_FOUND', "no user $_")
		for '0', '-1', '999999', 'abc', '99999999999999999999';
	contract_kept('lists');
};

subtest 'a supervisor manages agents only' => sub {
	my $c = $cookie{supervisor};
	is_deeply [names(as($c, GET => '/api/users'))], [qw(ana bo)], 'sees agents';
	answers(as($c, GET => '/api/users?role=admin'), 403, 'FORBIDDEN', 'and asks for no others');
	for my $other (@id{qw(admin supervisor)}) {
		answers(as($c, GET => "/api/users/$other"), 404, 'NOT_FOUND', 'others are not there');
		answers(as($c, PUT => "/api/users/$other", {name => 'x'}), 404, 'NOT_FOUND', 'to change');
		answers(as($c, DELETE => "/api/users/$other"), 404, 'NOT_FOUND', 'or to deactivate');
	}
	for my $role (qw(admin supervisor)) {
		answers(as($c, POST => '/api/users', {username => 'up', name => 'U', role => $role}), 403,
			'FORBIDDEN', "makes no $role");
		answers(as($c, PUT => "/api/users/$id{bo}", {role => $role}), 403, 'FORBIDDEN',
			"makes nobody a $role");
	}
	is as($c, POST => '/api/users', {username => 'cy', name => 'Cy', role => 'agent'})->{status}, 201,
		'makes an agent';
	is as($c, PUT => "/api/users/$id{bo}", {name => 'Bob'})->{json}{data}{user}{name}, 'Bob',
		'renames one';
	answers(as($cookie{agent}, GET => '/api/users'), 403, 'FORBIDDEN', 'an agent manages nobody');
	answers(as($cookie{agent}, PUT => "/api/users/$id{agent}", {role => 'admin'}), 403, 'FORBIDDEN',
		'least of all itself');
	contract_kept('supervisors');
};

subtest 'changing users' => sub {
	my $path = "/api/users/$id{bo}";
	my $before = ask(GET => $path)->{json}{data}{user};
	my %wrong = (name => ['', undef, 5, "a\x{1}"], role => ['root', 5], active => ['false', 0, undef],
		password => ['short', undef, 5], username => ['new'], id => ['1']);
	for my $field (sort keys %wrong) {
		for my $value (@{$wrong{$field}}) {
			is ask(PUT => $path, {$field => $value})->{status}, 422, encode_json({$field => $value});
		}
	}
	is_deeply ask(GET => $path)->{json}{data}{user}, $before, 'none of it changed anything';
	is_deeply ask(PUT => $path, {})->{json}{data}{user}, $before, 'nothing changes nothing';

	is ask(PUT => $path, {password => "\x{4e2d}" x 8})->{status}, 200, 'a password of eight characters, in any script';
	is ask(PUT => $path, {password => 'new-password'})->{status}, 200, 'a new password';
	my $bo = sign_in('bo', 'new-password');
	is ask(PUT => $path, {role => 'supervisor'})->{json}{data}{user}{role}, 'supervisor', 'a new role';
	is as($bo, GET => '/api/auth/me')->{json}{data}{user}{role}, 'supervisor', 'counts at once';
	is ask(GET => "/api/agents/$id{bo}")->{status}, 404, 'an agent it is no more';
	is ask(PUT => $path, {role => 'agent'})->{status}, 200, 'and is one again';
	is ask(POST => "/api/agents/$id{bo}/sip-password")->{json}{data}{sip}{username}, 'bo',
		'whose phone needs a new card';
	contract_kept('changing users');
};

subtest 'the last administrator stays' => sub {
	my ($first) = map { $_->{id} } grep { $_->{username} eq 'admin' }
		@{ask(GET => '/api/users')->{json}{data}{users}};
	is ask(DELETE => "/api/users/$id{admin}")->{json}{data}{user}{active}, $F, 'one of two goes';
	answers(ask(DELETE => "/api/users/$first"), 409, 'LAST_ADMIN', 'the last does not');
	answers(ask(PUT => "/api/users/$first", {active => $F}), 409, 'LAST_ADMIN', 'nor that way');
	answers(ask(PUT => "/api/users/$first", {role => 'agent'}), 409, 'LAST_ADMIN', 'nor by its role');
	is ask(GET => '/api/auth/me')->{json}{data}{user}{role}, 'admin', 'it is still there';
	is ask(PUT => "/api/users/$id{admin}", {active => $T})->{status}, 200, 'the other comes back';
	is as($cookie{admin}, GET => '/api/auth/me')->{status}, 401, 'but its session does not';
	$cookie{admin} = sign_in('the-admin', 'admin-password');
	contract_kept('the last administrator');
};

subtest 'what is open ends with the right to it' => sub {
	my $ends = sub {
		my ($what, $header, $end) = @_;
		my $stream = open_events($header);
		$stage->wait_until(5, "$what: the stream", sub { events_text($stream) =~ /retry:/ });
		my $bystander = open_events("Cookie: $admin");
		$stage->wait_until(5, 'another stream', sub { events_text($bystander) =~ /retry:/ });
		my $r = $end->();
		is $r->{status}, 200, $what or diag $r->{content};
		ok $stage->wait_until(2, "$what: the end", sub { events_text($stream) =~ /\r\n0\r\n\r\n$/ }),
			'ends the stream at once';
		unlike events_text($bystander), qr/\r\n0\r\n\r\n$/, 'and no other';
	};
	my $cookie = sign_in('the-supervisor', 'supervisor-password');
	$ends->('signing out', "Cookie: $cookie", sub { as($cookie, POST => '/api/auth/logout') });
	is as($cookie{supervisor}, GET => '/api/auth/me')->{status}, 200, 'other sessions go on';

	$cookie = sign_in('the-supervisor', 'supervisor-password');
	my $key = as($cookie, POST => '/api/api-keys', {name => 'made by whoever had the session'})
		->{json}{data}{key};
	$ends->('a new password by oneself', "Cookie: $cookie{supervisor}", sub {
		as($cookie, POST => '/api/auth/password',
			{oldPassword => 'supervisor-password', newPassword => 'another-password'}) });
	is as($cookie, GET => '/api/auth/me')->{status}, 200, 'the session that changed it goes on';
	is as($cookie{supervisor}, GET => '/api/auth/me')->{status}, 401, 'the others are over';
	is keyed($key, GET => '/api/auth/me')->{status}, 200, 'its keys go on';

	$ends->('a new password by an admin', "Cookie: $cookie", sub {
		ask(PUT => "/api/users/$id{supervisor}", {password => 'supervisor-password'}) });
	is as($cookie, GET => '/api/auth/me')->{status}, 401, 'with the session';
	answers(keyed($key, GET => '/api/auth/me'), 401, 'WRONG_KEY', 'and the keys');

	$cookie = sign_in('ana', 'ana-password');
	$ends->('deactivation', "Cookie: $cookie", sub { ask(DELETE => "/api/users/$id{agent}") });
	is as($cookie, GET => '/api/auth/me')->{status}, 401, 'with the session';
	my $r = $stage->request(POST => '/api/auth/login',
		{username => 'ana', password => 'ana-password'}, {Cookie => ''});
	answers($r, 401, 'WRONG_CREDENTIALS', 'who was deactivated cannot sign in');
	is ask(PUT => "/api/users/$id{agent}", {active => $T})->{status}, 200, 'until it is active again';

	$cookie = sign_in('bo', 'new-password');
	$ends->('another role', "Cookie: $cookie", sub {
		ask(PUT => "/api/users/$id{bo}", {role => 'supervisor'}) });
	ask(PUT => "/api/users/$id{bo}", {role => 'agent'});
	$ends->('another role by oneself', "Cookie: $cookie{admin}", sub {
		as($cookie{admin}, PUT => "/api/users/$id{admin}", {role => 'supervisor'}) });
	ask(PUT => "/api/users/$id{admin}", {role => 'admin'});
	contract_kept('what ends');
};

subtest "one's own password" => sub {
	my $c = $cookie{supervisor} = sign_in('the-supervisor', 'supervisor-password');
	my $set = sub { as($c, POST => '/api/auth/password', $_[0]) };
	answers($set->({oldPassword => 'wrong', newPassword => 'long enough'}), 403, 'WRONG_PASSWORD',
		'not without the old one');
	is $set->($_)->{status}, 422, encode_json($_) for {oldPassword => 'supervisor-password',
		newPassword => 'short'}, {newPassword => 'long enough'}, {oldPassword => 'supervisor-password'},
		{oldPassword => 'supervisor-password', newPassword => 'long enough', x => 1};
	is as($c, GET => '/api/auth/me')->{status}, 200, 'none of it changed anything';
	my ($tries, $r) = (0);
	do { $r = $set->({oldPassword => "guess $tries", newPassword => 'long enough'}) }
		while $r->{status} == 403 && ++$tries < 40;
	answers($r, 429, 'RATE_LIMITED', "guessing the old one ends after $tries");
	cmp_ok $tries, '<=', 12, 'soon';
	contract_kept('own password');
};

# ---- keys ----

my %key;
subtest 'API keys' => sub {
	my $made = ask(POST => '/api/api-keys', {name => 'Import <b>'})->{json}{data};
	like $made->{key}, qr/^ovx_$made->{apiKey}{id}_[0-9a-f]{64}$/, 'is shown once';
	is_deeply [@{$made->{apiKey}}{qw(name role username lastUsedAt expiresAt)}],
		['Import <b>', 'admin', 'admin', undef, undef], 'with the role of who makes it';
	$key{admin} = $made->{key};
	unlike ask(GET => '/api/api-keys')->{content}, qr/[0-9a-f]{64}/, 'and never again';
	my $me = keyed($key{admin}, GET => '/api/auth/me')->{json}{data};
	is_deeply [$me->{user}{username}, $me->{user}{role}, $me->{apiKey}{name}],
		['admin', 'admin', 'Import <b>'], 'acts for its maker';
	is keyed($key{admin}, POST => "$CM/campaigns", {name => 'By key'},
		{'Sec-Fetch-Site' => 'cross-site', Origin => 'https://elsewhere.example'})->{status}, 201,
		'is no cookie: it comes from wherever it wants';
	ok ask(GET => '/api/api-keys')->{json}{data}{apiKeys}[0]{lastUsedAt}, 'its use is noted';

	for my $role (qw(supervisor agent)) {
		my $r = ask(POST => '/api/api-keys', {name => $role, role => $role,
			expiresAt => '2099-01-01T00:00:00+02:00'});
		is $r->{json}{data}{apiKey}{expiresAt}, '2098-12-31T22:00:00.000Z', "one for a $role, with an end";
		$key{$role} = $r->{json}{data}{key};
		is keyed($key{$role}, GET => '/api/auth/me')->{json}{data}{user}{role}, $role, 'is in that role';
	}
	answers(keyed($key{supervisor}, GET => '/api/audit-log'), 403, 'FORBIDDEN', 'and in no higher one');
	answers(as($cookie{supervisor}, POST => '/api/api-keys', {name => 'x', role => 'admin'}), 422,
		'VALIDATION', 'nobody makes a key above itself');
	answers(keyed($key{admin}, $_->[0] => $_->[1], $_->[2]), 403, 'PERSON_NEEDED',
		"a key does not do $_->[0] $_->[1]")
		for [GET => '/api/api-keys'], [POST => '/api/api-keys', {name => 'x'}],
		[DELETE => '/api/api-keys/1'],
		[POST => '/api/auth/password', {oldPassword => 'a', newPassword => 'b' x 8}];
	my %wrong = (name => ['', 5, undef], role => ['root', 5],
		expiresAt => ['2020-01-01T00:00:00Z', 'tomorrow', 5, '2099-02-30T00:00:00Z']);
	for my $field (sort keys %wrong) {
		is ask(POST => '/api/api-keys', {name => 'x', $field => $_})->{status}, 422,
			encode_json({$field => $_}) for @{$wrong{$field}};
	}
	contract_kept('keys');
};

subtest 'a key that is not right' => sub {
	my ($id, $secret) = $key{admin} =~ /^ovx_(\d+)_(\w+)$/;
	my $unknown = keyed("ovx_999999_$secret", GET => '/api/auth/me');
	answers($unknown, 401, 'WRONG_KEY', 'an unknown one');
	for my $key ("ovx_${id}_" . 'f' x 64, "ovx_${id}_", "ovx_${id}_$secret" . '0', "ovx_$id", 'ovx_',
		'', 'x', "ovx_0_$secret", "ovx_-1_$secret", "ovx_99999999999999999999_$secret",
		uc $key{admin}, "ovx_${id}_" . 'a' x 5000, "ovx_${id}'--_$secret") {
		is keyed($key, GET => '/api/auth/me')->{content}, $unknown->{content},
			'the same answer: ' . substr $key, 0, 30;
	}
	my $r = $stage->request(GET => '/api/auth/me', undef, {Authorization => 'Bearer ovx_1_x'});
	answers($r, 401, 'WRONG_KEY', 'a good cookie beside it does not help');
	is $stage->request(GET => '/api/auth/me', undef, {Authorization => 'Basic YTpi'})->{status}, 200,
		"another scheme is a proxy's affair";
	is ask(GET => '/api/auth/me')->{status}, 200, 'the session goes on';
	contract_kept('wrong keys');
};

subtest 'a key ends' => sub {
	my $own = as($cookie{supervisor}, POST => '/api/api-keys', {name => 'own'})->{json}{data};
	answers(as(sign_in('ana', 'ana-password'), DELETE => "/api/api-keys/$own->{apiKey}{id}"), 404,
		'NOT_FOUND', "another's key is not there");
	is_deeply [map { $_->{name} } @{as($cookie{supervisor}, GET => '/api/api-keys')->{json}{data}{apiKeys}}],
		['own'], 'everybody sees its own';
	is scalar @{ask(GET => '/api/api-keys')->{json}{data}{apiKeys}}, 4, 'an administrator sees all';
	my $stream = open_events("Authorization: Bearer $own->{key}");
	$stage->wait_until(5, 'the stream', sub { events_text($stream) =~ /retry:/ });
	is ask(DELETE => "/api/api-keys/$own->{apiKey}{id}")->{status}, 200, 'and ends any';
	answers(keyed($own->{key}, GET => '/api/auth/me'), 401, 'WRONG_KEY', 'at once');
	ok $stage->wait_until(2, 'the end', sub { events_text($stream) =~ /\r\n0\r\n\r\n$/ }),
		'with its stream';
	answers(ask(DELETE => "/api/api-keys/$own->{apiKey}{id}"), 404, 'NOT_FOUND', 'once');

	my $soon = as($cookie{supervisor}, POST => '/api/api-keys', {name => 'soon', expiresAt =>
		do { my @t = gmtime(time + 3); sprintf '%d-%02d-%02dT%02d:%02d:%02dZ', $t[5] + 1900,
			$t[4] + 1, @t[3, 2, 1, 0] }})->{json}{data}{key};
	is keyed($soon, GET => '/api/auth/me')->{status}, 200, 'one that lives for seconds';
	my $late = open_events("Authorization: Bearer $soon");
	$stage->wait_until(5, 'the stream', sub { events_text($late) =~ /retry:/ });
	ok $stage->wait_until(6, 'the end of the key', sub {
		keyed($soon, GET => '/api/auth/me')->{status} == 401 }), 'is over by itself';
	ok $stage->wait_until(8, 'the end of its stream', sub {
		events_text($late) =~ /\r\n0\r\n\r\n$/ }), 'and so is its stream, soon after';

	my $key = as($cookie{supervisor}, POST => '/api/api-keys', {name => 'x'})->{json}{data}{key};
	is ask(DELETE => "/api/users/$id{supervisor}")->{status}, 200, 'the user goes';
	answers(keyed($key, GET => '/api/auth/me'), 401, 'WRONG_KEY', 'and its keys');
	contract_kept('the end of keys');
};

# ---- what an agent may see ----

subtest 'an agent sees its own campaigns' => sub {
	my $mine = $stage->make_campaign({name => 'Mine'}, '+15551110001');
	my $other = $stage->make_campaign({name => 'Other'}, '+15551110002');
	my $ana = sign_in('ana', 'ana-password');
	$stage->api(POST => "$CM/campaigns/$mine/join-agent", {agentId => $id{agent}});
	is_deeply [map { $_->{name} } @{as($ana, GET => "$CM/campaigns")->{json}{data}{campaigns}}],
		['Mine'], 'in the list';
	my ($entry) = @{$stage->api(GET => "$CM/campaigns/$other/queue")->{queueEntries}};
	for my $operation (contract()->operations) {
		next unless $operation->{path} =~ /\{campaignId\}/;
		next unless grep { $_ eq 'agent' } @{$operation->{'x-roles'}};
		(my $path = $operation->{path}) =~ s/\{campaignId\}/$other/;
		$path =~ s/\{queueId\}/$entry->{id}/;
		$path =~ s/\{\w+\}/1/g;
		answers(as($ana, $operation->{method}, $path), 404, 'NOT_FOUND',
			"$operation->{method} $path is not there");
		(my $absent = $path) =~ s/campaigns\/$other/campaigns\/999999/;
		is as($ana, $operation->{method}, $path)->{content},
			as($ana, $operation->{method}, $absent)->{content}, 'as one that is nowhere';
	}
	is as($ana, GET => "$CM/campaigns/$mine")->{status}, 200, 'its own it sees';
	is as($ana, GET => "$CM/campaigns/$mine/queue")->{status}, 200, 'and the queue of it';
	is keyed($key{agent}, GET => "$CM/campaigns")->{json}{data}{campaigns}[0], undef,
		"an agent's key sees what its user is on";
	answers(keyed($key{agent}, GET => "$CM/campaigns/$mine"), 404, 'NOT_FOUND', 'and no more');

	my $soon = do { my @t = gmtime(time + 3600); sprintf '%d-%02d-%02dT%02d:%02d:%02dZ', $t[5] + 1900,
		$t[4] + 1, @t[3, 2, 1, 0] };
	my $contact = $entry->{contact}{id};
	my $callback = ask(POST => '/api/callbacks', {campaignId => $other, contactId => $contact,
		dueAt => $soon})->{json}{data}{callback}{id};
	answers(as($ana, GET => "/api/callbacks/$callback"), 404, 'NOT_FOUND',
		"anybody's callback is anybody's on the campaign");
	answers(as($ana, POST => '/api/callbacks', {campaignId => $other, contactId => $contact,
		dueAt => $soon}), 404, 'NOT_FOUND', 'and not made by others');
	answers(as($ana, GET => "/api/dispositions?campaignId=$other"), 404, 'NOT_FOUND',
		'nor are its dispositions seen');
	is as($ana, GET => "/api/dispositions?campaignId=$mine")->{status}, 200, "one's own are";
	ask(POST => '/api/dispositions', {name => "Of $_->[0]", category => 'neutral', position => 900,
		campaignIds => $_->[1]}) for [mine => [$mine]], [other => [$other]], [both => [$mine, $other]];
	my $of = sub { map { "$_->{name}: @{$_->{campaignIds}}" } grep { $_->{name} =~ /^Of / }
		@{$_[0]{json}{data}{dispositions}} };
	is_deeply [$of->(ask(GET => '/api/dispositions'))], ["Of mine: $mine", "Of other: $other",
		"Of both: $mine $other"], 'staff see the dispositions of all campaigns';
	for my $query ('', "?campaignId=$mine") {
		my $list = as($ana, GET => "/api/dispositions$query");
		is_deeply [$of->($list)], ["Of mine: $mine", "Of both: $mine"], "an agent those of its own$query";
		ok scalar(grep { !@{$_->{campaignIds}} } @{$list->{json}{data}{dispositions}}),
			'and those of all campaigns';
	}

	for my $path ('/api/admin/dnc', '/api/admin/dnc/check') {
		my $number = {phoneNumber => '+15551110002'};
		answers(as($ana, POST => $path, {%$number, campaignId => $_}), 404, 'NOT_FOUND',
			"POST $path: no campaign $_") for $other, 999999;
		like as($ana, POST => $path, {%$number, campaignId => $mine})->{status}, qr/^20[01]$/,
			'its own it may name';
	}
	is ask(POST => '/api/admin/dnc/check', {phoneNumber => '+15551110002', campaignId => $other})
		->{json}{data}{isBlocked}, $F, 'the other campaign has lost nobody by it';

	my $stream = open_events("Cookie: $ana");
	my $staff = open_events("Cookie: $admin");
	$stage->wait_until(5, 'streams', sub { events_text($stream) =~ /retry:/ && events_text($staff) =~ /retry:/ });
	$stage->api(POST => "$CM/campaigns/$other/auto-dial");
	ok $stage->wait_until(5, 'a reason', sub { events_text($staff) =~ /event: campaign/ }),
		'staff hear what campaigns do';
	unlike events_text($stream), qr/event: campaign/, 'agents do not';
	contract_kept('scope');
};

undef $stage;
done_testing;
