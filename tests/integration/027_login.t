#!/usr/bin/env perl
# Who tries to sign in learns nothing: not which names there are, not by words, not by time.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use HTTP::Tiny;
use JSON::PP;
use List::Util qw(min);
use Test::More;
use Time::HiRes qw(time);
use Omnivox::Asking;
use Omnivox::Stage;

my $stage = Omnivox::Stage->new(gateway_env => {TRUSTED_PROXIES => '127.0.0.1',
	METRICS_LISTEN => '127.0.0.1:0'});
$stage->start_sandbox;
$stage->start_gateway;
asking($stage);
$stage->login;
for my $name (qw(sue gone)) {
	$stage->api(POST => '/api/users', {username => $name, name => $name, role => 'supervisor',
		password => "$name-password"});
}
my ($gone) = grep { $_->{username} eq 'gone' } @{$stage->api(GET => '/api/users')->{users}};
$stage->api(DELETE => "/api/users/$gone->{id}");

# Each try comes from an address of its own: the limit is another matter.
my $host = 0;
sub try {
	my ($username, $password) = @_;
	$host++;
	my $began = time;
	my $r = as('', POST => '/api/auth/login', {username => $username, password => $password},
		{'X-Forwarded-For' => sprintf '198.51.%d.%d', $host / 250, 1 + $host % 250});
	return ($r, time - $began);
}

subtest 'by words' => sub {
	my ($wrong) = try('sue', 'not this one');
	answers($wrong, 401, 'WRONG_CREDENTIALS', 'a wrong password');
	my %like = ('an unknown name' => ['nobody', 'sue-password'],
		'a deactivated one' => ['gone', 'gone-password'], 'an empty look-alike' => ["sue\x{200b}", 'sue-password'],
		'SQL' => ["sue' --", 'x'], 'a pattern' => ['su%', 'sue-password'], 'spaces' => ['sue ', 'sue-password']);
	for my $what (sort keys %like) {
		my ($r) = try(@{$like{$what}});
		is $r->{content}, $wrong->{content}, "$what gets the same answer";
		my %theirs = %{$r->{headers}};
		my %mine = %{$wrong->{headers}};
		delete @$_{qw(date)} for \%theirs, \%mine;
		is_deeply \%theirs, \%mine, 'with the same headers';
	}
	my ($r) = try('SUE', 'sue-password');
	is $r->{status}, 200, 'a name is the same in capitals';
	contract_kept('by words');
};

subtest 'by time' => sub {
	my (%took, %least, $least, $most);
	# The quickest of each: what else the machine does adds to the others. A difference that is
	# ours stays, however often they try.
	for (my ($n, $until) = (1, time + 150); time < $until; $n++) {
		push @{$took{unknown}}, (try("nobody$n", 'some password'))[1];
		push @{$took{wrong}}, (try('sue', "wrong password $n"))[1];
		push @{$took{gone}}, (try('gone', 'gone-password'))[1];
		%least = map { ($_ => min(@{$took{$_}})) } keys %took;
		($least, $most) = (sort { $a <=> $b } values %least)[0, -1];
		last if $n >= 15 && $most / $least < 1.35;
	}
	cmp_ok $most / $least, '<', 1.35, 'unknown, wrong and deactivated take as long'
		or diag explain \%least;
	cmp_ok $least, '>', 0.01, 'which is as long as a password takes' or diag explain \%least;
};

subtest 'by trying' => sub {
	my $ask = sub {
		my ($username, $from) = @_;
		return as('', POST => '/api/auth/login', {username => $username, password => 'guess guess'},
			{'X-Forwarded-For' => $from});
	};
	for my $name (qw(sue nobody)) {
		my $n = 0;
		$n++ while $ask->($name, '203.0.113.1')->{status} == 401 && $n < 50;
		cmp_ok $n, '<=', 12, "$name may be tried $n times at once, whether there is one or not";
	}
	is $ask->('sue', '203.0.113.2')->{status}, 401, 'another address is not held up by it';
	my $n = 0;
	$n++ while $ask->("name$n", '203.0.113.3')->{status} == 401 && $n < 200;
	cmp_ok $n, '<', 120, "an address may try $n names";
	contract_kept('by trying');
};

# A line a second at most, and not what was typed: a password may be typed for the name.
sub refused_lines {
	open my $fh, '<', "$stage->{dir}/gateway.log" or die $!;
	return grep { /sign-in refused/ } <$fh>;
}
sub checks {
	my $text = HTTP::Tiny->new->get("http://$stage->{gateway}{metrics}/metrics")->{content};
	return {$text =~ /^omnivox_password_checks_total\{result="(\w+)"\} (\d+)$/mg};
}
subtest 'what the operator sees' => sub {
	my ($n, $lines, $before) = (0, scalar refused_lines(), checks());
	# Others before it may have used this second's line.
	$stage->wait_until(10, 'a line', sub {
		$n++;
		as('', POST => '/api/auth/login', {username => 'sue', password => "hunter2 $n"},
			{'X-Forwarded-For' => "192.0.2.$n"});
		refused_lines() > $lines });
	my ($line) = (refused_lines())[$lines];
	like $line, qr/warn  auth sign-in refused: address=192\.0\.2\.$n why=wrong unwritten=\d+$/,
		'from where, and how many more';
	unlike $line, qr/sue|hunter2/, 'but neither name nor password';
	my $now = checks();
	is $now->{wrong} - $before->{wrong}, $n, 'each is counted';
	cmp_ok $before->{limited}, '>', 0, 'as those are who tried too often';
	is as('', POST => '/api/auth/login', {username => 'sue', password => 'sue-password'},
		{'X-Forwarded-For' => '192.0.2.250'})->{status}, 200, 'a right one';
	is checks()->{right}, $now->{right} + 1, 'is counted, too';
	$lines = refused_lines();
	$stage->wait_until(10, 'a line about the old password', sub {
		$stage->request(POST => '/api/auth/password', {oldPassword => 'hunter2', newPassword => 'hunter3 hunter3'});
		refused_lines() > $lines });
	like +(refused_lines())[$lines], qr/why=(?:wrong|limited)/, 'as is one that is to be changed';
};

undef $stage;
done_testing;
