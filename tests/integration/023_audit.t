#!/usr/bin/env perl
# The audit log: who changed what, and nothing that must not stand there.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use JSON::PP;
use Test::More;
use Omnivox::Asking;
use Omnivox::Stage;

my $CM = $Omnivox::Stage::CM;
my $stage = Omnivox::Stage->new(gateway_env => {TRUSTED_PROXIES => '127.0.0.1'});
$stage->start_sandbox;
$stage->start_gateway;
asking($stage);
my $admin = $stage->login;

# The newest entries, oldest first.
sub entries {
	my ($query) = @_;
	return reverse @{ask(GET => '/api/audit-log' . ($query // ''))->{json}{data}{entries}};
}
sub newest { (entries('?limit=1'))[0] }

subtest 'what an entry tells' => sub {
	my $login = newest();
	is_deeply [@$login{qw(username method route status)}], ['admin', 'POST', '/api/auth/login', 200],
		'a sign-in is the first thing that anybody does';
	is_deeply $login->{fields}, {username => 'admin', password => '(hidden)'}, 'without its password';

	my $user = ask(POST => '/api/users', {username => 'sue', name => 'Sue', role => 'supervisor',
		password => 'sue-password'}, {'X-Forwarded-For' => '203.0.113.7'})->{json}{data}{user}{id};
	my $e = newest();
	is_deeply $e->{targets}, {userId => $user}, 'what was made has its id';
	is_deeply $e->{fields}, {username => 'sue', name => 'Sue', role => 'supervisor',
		password => '(hidden)'}, 'what was set is told';
	is $e->{address}, '203.0.113.7', 'and where it came from, behind a proxy';
	is_deeply [@$e{qw(role apiKeyId status)}], ['admin', undef, 201], 'by whom';

	ask(PUT => "/api/users/$user", {name => "O'Hara <b>\x{e9}\x{1f600}"});
	is_deeply [@{newest()}{qw(targets fields route)}], [{userId => $user},
		{name => "O'Hara <b>\x{e9}\x{1f600}"}, '/api/users/:userId'], 'a change, as it was sent';
	my $campaign = ask(POST => "$CM/campaigns", {name => 'C', description => 'x' x 400})
		->{json}{data}{campaign}{id};
	is length newest()->{fields}{description}, 200, 'long texts are cut';
	my $agent = ask(POST => '/api/agents', {username => 'ana', name => 'Ana'})->{json}{data}{agent}{id};
	ask(POST => "$CM/campaigns/$campaign/join-agent", {agentId => $agent});
	is_deeply [@{newest()}{qw(targets fields)}], [{campaignId => $campaign}, {agentId => $agent}],
		'ids of the path and of the body';

	my $key = ask(POST => '/api/api-keys', {name => 'robot', role => 'supervisor'})->{json}{data};
	keyed($key->{key}, PUT => "$CM/campaigns/$campaign", {name => 'D'});
	is_deeply [@{newest()}{qw(username apiKeyId apiKeyName role)}],
		['admin', $key->{apiKey}{id}, 'robot', 'supervisor'], 'a key is named beside its user';
	my $sue = sign_in('sue', 'sue-password');
	as($sue, POST => '/api/auth/password', {oldPassword => 'sue-password', newPassword => 'longer-password'});
	is_deeply newest()->{fields}, {oldPassword => '(hidden)', newPassword => '(hidden)'},
		'no password in any spelling';
	as($sue, POST => '/api/auth/logout');
	is_deeply [@{newest()}{qw(username route)}], ['sue', '/api/auth/logout'], 'a sign-out';

	my $log = ask(GET => '/api/audit-log?limit=200')->{content};
	unlike $log, qr/$_/, "nowhere $_" for 'sue-password', 'longer-password', 'admin-password',
		substr($key->{key}, -64), qr/ovx=/;
	contract_kept('entries');
};

subtest 'what changes nothing is not in it' => sub {
	my $before = newest()->{id};
	ask(GET => "$CM/campaigns");
	ask(POST => "$CM/campaigns", {});
	ask(POST => "$CM/campaigns", '{');
	ask(POST => "$CM/campaigns", {name => 'x'}, {'Sec-Fetch-Site' => 'cross-site'});
	as('', POST => "$CM/campaigns", {name => 'x'});
	ask(DELETE => '/api/users/999999');
	as('', POST => '/api/auth/login', {username => 'admin', password => 'wrong'});
	is newest()->{id}, $before, 'refusals, questions, strangers';
	my @once = (POST => "$CM/campaigns", {name => 'Once'}, {'Idempotency-Key' => 'k'});
	ask(@once) for 1 .. 3;
	is newest()->{id}, $before + 1, 'a repeated request is one change';
	contract_kept('no changes');
};

subtest 'finding in it' => sub {
	my ($sue) = grep { $_->{username} eq 'sue' } @{ask(GET => '/api/users')->{json}{data}{users}};
	is_deeply [map { $_->{route} } entries("?userId=$sue->{id}")],
		[qw(/api/auth/login /api/auth/password /api/auth/logout)], 'by user';
	is_deeply [map { $_->{method} } entries('?route=/api/users/:userId')], ['PUT'], 'by route';
	is scalar(grep { $_->{method} ne 'PUT' } entries('?method=PUT')), 0, 'by method';
	my ($robot) = grep { $_->{apiKeyName} } entries();
	is_deeply [map { $_->{id} } entries("?apiKeyId=$robot->{apiKeyId}")], [$robot->{id}], 'by key';
	my @all = entries('?limit=200');
	my @since = entries("?since=$all[3]{at}&limit=200");
	my @until = entries("?until=$all[3]{at}&limit=200");
	is_deeply [map { $_->{id} } @since], [map { $_->{id} } grep { $_->{at} ge $all[3]{at} } @all],
		'from a time on';
	is_deeply [map { $_->{id} } @until], [map { $_->{id} } grep { $_->{at} lt $all[3]{at} } @all],
		'up to a time';
	my @pages;
	for (my $before = ''; defined $before;) {
		my $page = ask(GET => '/api/audit-log?limit=3' . ($before && "&before=$before"))->{json}{data};
		push @pages, map { $_->{id} } @{$page->{entries}};
		$before = $page->{nextCursor};
	}
	is_deeply [reverse @pages], [map { $_->{id} } @all], 'pages add up to the whole';
	is ask(GET => "/api/audit-log?$_")->{status}, 422, $_ for qw(limit=0 limit=201 limit=x userId=x
		userId=-1 before=x method=GET since=yesterday until=2026 apiKeyId=x);
	is_deeply [entries('?route=%27%20OR%201%3D1')], [], 'a route that is none';
	answers(as(sign_in('sue', 'longer-password'), GET => '/api/audit-log'), 403, 'FORBIDDEN',
		'it is for administrators');
	contract_kept('finding');
};

undef $stage;
done_testing;
