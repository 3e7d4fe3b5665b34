#!/usr/bin/env perl
# Idempotency-Key: a request that is sent again is not done again, whatever died in between. And
# the limits of how often one may ask.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use IO::Socket::INET;
use JSON::PP;
use Test::More;
use Time::HiRes qw(sleep time);
use Omnivox::Asking;
use Omnivox::Stage;

my $CM = $Omnivox::Stage::CM;
my $stage = Omnivox::Stage->new(gateway_env => {API_RATE => 40}, population => [{match => '*',
	weight => 1, behaviour => 'human', ring_ms => 200, talk_ms => 60000, say => 'tone:440'}]);
$stage->start_sandbox;
$stage->start_gateway;
asking($stage);
my $admin = $stage->login;

sub once { my ($key, @request) = @_; return ask(@request, {'Idempotency-Key' => $key}) }
sub campaigns { map { $_->{name} } @{ask(GET => "$CM/campaigns")->{json}{data}{campaigns}} }

# Sends requests at the same time; returns their answers.
sub at_once {
	my @requests = @_;
	my @open = map {
		my ($path, $key, $body) = @$_;
		my $s = IO::Socket::INET->new(PeerAddr => $stage->{gateway}{http}, Timeout => 5) or die $!;
		my $text = encode_json($body);
		print $s "POST $path HTTP/1.1\r\nHost: $stage->{gateway}{http}\r\nCookie: $stage->{cookie}\r\n"
			. "Idempotency-Key: $key\r\nContent-Type: application/json\r\nConnection: close\r\n"
			. 'Content-Length: ' . length($text) . "\r\n\r\n$text";
		$s;
	} @requests;
	return map { my $s = $_; local $/; my $r = <$s> // ''; [$r =~ /^HTTP\/1.1 (\d+)/, $r =~ /\r\n\r\n(.*)/s] } @open;
}

subtest 'what is made once is made once' => sub {
	my $first = once('k-1', POST => "$CM/campaigns", {name => 'Once'});
	is $first->{status}, 201, 'made';
	my $again = once('k-1', POST => "$CM/campaigns", {name => 'Once'});
	is "$again->{status} $again->{content}", "201 $first->{content}", 'and told again, to the letter';
	is scalar(grep { $_ eq 'Once' } campaigns()), 1, 'there is one';
	answers(once('k-1', POST => "$CM/campaigns", {name => 'Twice'}), 422, 'IDEMPOTENCY_MISMATCH',
		'another body is another request');
	is once('k-2', POST => "$CM/campaigns", {name => 'Twice'})->{status}, 201, 'another key is, too';
	is once('k-1', POST => "$CM/data-lists", {name => 'L'})->{status}, 201, 'and another route';
	is ask(POST => "$CM/campaigns", {name => 'Free'})->{status}, 201, 'without a key each is its own';
	is ask(POST => "$CM/campaigns", {name => 'Free'})->{status}, 201, 'again';

	my $bad = once('k-3', POST => "$CM/campaigns", {name => ''});
	answers($bad, 422, 'VALIDATION', 'a refusal');
	is once('k-3', POST => "$CM/campaigns", {name => ''})->{content}, $bad->{content}, 'stays a refusal';
	ok !grep({ $_ eq '' } campaigns()), 'and nothing was made';
	is once('k-1', GET => "$CM/campaigns")->{status}, 200, 'where nothing is made no key is needed';

	answers(once($_, POST => "$CM/campaigns", {name => 'Bad key'}), 400, 'BAD_IDEMPOTENCY_KEY',
		'key ' . substr $_, 0, 10) for '', 'a b', 'x' x 129, "a\tb";
	is once('~' x 128, POST => "$CM/campaigns", {name => 'Long key'})->{status}, 201, 'a long one';
	contract_kept('once');
};

subtest 'keys are of who sends them' => sub {
	ask(POST => '/api/users', {username => 'sue', name => 'Sue', role => 'supervisor',
		password => 'sue-password'});
	my $sue = sign_in('sue', 'sue-password');
	my $r = as($sue, POST => "$CM/campaigns", {name => 'Once'}, {'Idempotency-Key' => 'k-1'});
	is $r->{status}, 201, "another user's same key is another";
	is scalar(grep { $_ eq 'Once' } campaigns()), 2, 'and makes its own';
	my $key = ask(POST => '/api/api-keys', {name => 'p'})->{json}{data}{key};
	is keyed($key, POST => "$CM/campaigns", {name => 'Once'}, {'Idempotency-Key' => 'k-1'})->{status},
		201, "so does one's API key";
	is scalar(grep { $_ eq 'Once' } campaigns()), 3, 'once more';
	contract_kept('whose');
};

subtest 'secrets are not kept' => sub {
	my @new = ([POST => '/api/users', {username => 'joe', name => 'Joe', role => 'supervisor'}],
		[POST => '/api/agents', {username => 'jan', name => 'Jan'}],
		[POST => '/api/api-keys', {name => 'secret'}]);
	for my $request (@new) {
		is once('s-1', @$request)->{status}, 201, "$request->[1] is done";
		answers(once('s-1', @$request), 409, 'IDEMPOTENCY_SECRET', 'and its secret not told again');
	}
	my $told = once('s-2', POST => '/api/users', {username => 'own', name => 'Own',
		role => 'supervisor', password => 'own-password'});
	is once('s-2', POST => '/api/users', {username => 'own', name => 'Own', role => 'supervisor',
		password => 'own-password'})->{content}, $told->{content}, 'without a secret all is told';
	contract_kept('secrets');
};

subtest 'of many at once one is done' => sub {
	for my $round (1 .. 5) {
		my @got = at_once(([("$CM/campaigns", "many-$round", {name => "Many $round"})]) x 8);
		my @made = grep { $_->[0] == 201 } @got;
		my @wait = grep { $_->[0] == 409 && $_->[1] =~ /IDEMPOTENCY_IN_PROGRESS/ } @got;
		cmp_ok scalar @made, '>=', 1, 'one answer says made';
		is @made + @wait, 8, 'the others the same, or that it is being done';
		is scalar(keys %{{map { $_->[1] => 1 } @made}}), 1, 'all of one campaign';
		is scalar(grep { $_ eq "Many $round" } campaigns()), 1, 'of which there is one';
	}
};

my $campaign = $stage->make_campaign({wrapUpS => 0}, map { "+1555111000$_" } 1 .. 5);
my $agent = $stage->make_agent('ana', $campaign);
$stage->start_phone($agent);
$stage->wait_registered($agent);
$stage->agent_ready($agent, $campaign);
my @entries = map { $_->{id} } @{ask(GET => "$CM/campaigns/$campaign/queue")->{json}{data}{queueEntries}};
sub creates { scalar grep { $_->{event} eq 'create' } $stage->call_log }
sub call_path { "$CM/campaigns/$campaign/queue/$entries[$_[0]]/call" }

subtest 'Call Now, whose answer comes later from elsewhere' => sub {
	my $before = creates();
	my @got = at_once(([(call_path(0), 'call-1', {})]) x 4);
	is scalar(grep { $_->[0] == 200 } @got), 1, 'one of four is placed' or diag explain \@got;
	is scalar(grep { $_->[1] =~ /IDEMPOTENCY_IN_PROGRESS/ } @got), 3, 'the others are told to wait';
	my ($first) = map { $_->[1] } grep { $_->[0] == 200 } @got;
	my $again = once('call-1', POST => call_path(0), {});
	is "$again->{status} $again->{content}", "200 $first", 'asked again it is told what was done';
	answers(once('call-1', POST => call_path(1), {}), 422, 'IDEMPOTENCY_MISMATCH',
		'the key is of that entry');
	is creates(), $before + 1, 'one call was made';
	my ($call) = $first =~ /"callId":"(\d+)"/;
	is ask(POST => "/api/calls/$call/hangup")->{status}, 202, 'ended';
	$stage->wait_until(15, 'ana to be free', sub {
		$stage->agent_session($agent)->{state} eq 'ready' });
	contract_kept('Call Now');
};

subtest 'a worker that dies in between' => sub {
	my $before = creates();
	# Twilio does not answer for a while.
	kill 'STOP', $stage->{pids}{sandbox};
	my $text = '{}';
	my $s = IO::Socket::INET->new(PeerAddr => $stage->{gateway}{http}, Timeout => 5) or die $!;
	print $s 'POST ' . call_path(2) . " HTTP/1.1\r\nHost: x\r\nCookie: $stage->{cookie}\r\n"
		. "Idempotency-Key: dead-1\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n$text";
	$stage->wait_until(5, 'the entry to be dialled', sub {
		(grep { $_->{id} eq $entries[2] && $_->{status} eq 'dialing' }
			@{ask(GET => "$CM/campaigns/$campaign/queue")->{json}{data}{queueEntries}})[0] });
	answers(once('dead-1', POST => call_path(2), {}), 409, 'IDEMPOTENCY_IN_PROGRESS', 'it is being done');
	my $worker = $stage->worker;
	kill 'KILL', $worker;
	$stage->worker($worker);
	my $r;
	$stage->wait_until(10, 'the next worker', sub {
		$r = $stage->request(POST => call_path(2), {}, {'Idempotency-Key' => 'dead-1'});
		$r->{status} != 599 });
	answers($r, 409, 'IDEMPOTENCY_LOST', 'nobody knows what became of it');
	answers(once('dead-1', POST => call_path(2), {}), 409, 'IDEMPOTENCY_LOST', 'and nobody tries again');
	kill 'CONT', $stage->{pids}{sandbox};
	cmp_ok creates() - $before, '<=', 1,
		'nobody was called twice';
	contract_kept('a death');
};

subtest 'how often one may ask' => sub {
	my $sue = sign_in('sue', 'sue-password');
	# Faster than the rate: one request after the other on one connection.
	my $flood = sub {
		my ($header, $count) = @_;
		my %got;
		my $one = "GET /api/auth/me HTTP/1.1\r\nHost: x\r\n$header\r\n\r\n";
		my $s = IO::Socket::INET->new(PeerAddr => $stage->{gateway}{http}, Timeout => 5) or die $!;
		for (1 .. $count) {
			print $s $one;
			my $head = '';
			while (defined(my $line = <$s>)) {
				last if $line eq "\r\n";
				$head .= $line;
			}
			my ($length) = $head =~ /Content-Length: (\d+)/i;
			read($s, my $body, $length);
			my ($status) = $head =~ /^HTTP\/1.1 (\d+)/;
			$got{$status}++;
			($got{retry}) = $head =~ /Retry-After: (\d+)/i if $status == 429;
			$got{body} = $body if $status == 429;
		}
		return \%got;
	};
	my $began = time;
	my $got = $flood->("Cookie: $sue", 600);
	my $took = time - $began;
	cmp_ok $got->{200}, '>=', 160, 'a burst of four seconds is free';
	cmp_ok $got->{200}, '<=', 160 + 40 * ($took + 1), 'then the rate holds';
	cmp_ok $got->{429} // 0, '>', 0, 'with 429' or diag "600 requests in $took s";
	is $got->{retry}, 1, 'that says when to go on';
	like $got->{body} // '', qr/"code":"RATE_LIMITED"/, 'and why';
	my $refused;
	for (1 .. 100) {
		$refused = as($sue, GET => '/api/auth/me');
		last if $refused->{status} == 429;
	}
	answers($refused, 429, 'RATE_LIMITED', 'the contract knows it');
	is ask(GET => '/api/auth/me')->{status}, 200, 'another user goes on';
	my $key = ask(POST => '/api/api-keys', {name => 'fast'})->{json}{data}{key};
	ok $flood->("Authorization: Bearer $key", 600)->{429}, 'a key has a limit, too';
	is ask(GET => '/api/auth/me')->{status}, 200, 'that is not its user';
	ok $stage->wait_until(5, 'the limit to let go', sub {
		as($sue, GET => '/api/auth/me')->{status} == 200 }), 'and after a while all go on';
	contract_kept('rates');
};

undef $stage;
done_testing;
