#!/usr/bin/env perl
# Requests that change very many rows, and have to wait for them, are waited for by nobody else:
# webhooks, sign-ins and other requests are answered meanwhile.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use IO::Socket::INET;
use JSON::PP qw(encode_json);
use Test::More;
use Omnivox::Stage;

my $CM = $Omnivox::Stage::CM;
my $stage = Omnivox::Stage->new;
$stage->start_sandbox;
$stage->start_gateway;
$stage->login;

# Sends a request whose answer is read later.
sub ask_later {
	my ($method, $path, $body) = @_;
	my $s = IO::Socket::INET->new(PeerAddr => $stage->{gateway}{http}, Timeout => 10) or die "connect: $!";
	my $content = encode_json($body);
	print $s "$method $path HTTP/1.1\r\nHost: localhost\r\nCookie: $stage->{cookie}\r\nConnection: close\r\n"
		. "Content-Type: application/json\r\nContent-Length: " . length($content) . "\r\n\r\n$content";
	$s->flush;
	return $s;
}
sub status_of { my ($s) = @_; my $line = <$s> // 'none'; return $line =~ /^HTTP\/1\.1 (\d+)/ ? $1 : $line }

# Somebody else's transaction that holds all queue entries, until it is let go.
sub hold_entries {
	my ($psql) = (sort glob '/usr/lib/postgresql/*/bin/psql')[-1];
	local $ENV{PGHOST} = "$stage->{dir}/gateway-data/run";
	open my $in, '|-', $psql, '-U', 'omnivox', '-d', 'omnivox', '-Xq' or die "psql: $!";
	print $in "BEGIN; LOCK TABLE queue_entries IN EXCLUSIVE MODE;\n";
	$in->flush;
	$stage->wait_until(10, 'the entries to be held', sub { $stage->sql("SELECT count(*) FROM pg_locks"
		. " WHERE relation = 'queue_entries'::regclass AND mode = 'ExclusiveLock' AND granted") });
	return $in;
}

sub waiting { return $stage->sql("SELECT count(*) FROM pg_locks WHERE NOT granted"
	. " AND relation = 'queue_entries'::regclass") }

my (@campaign, @list);
for my $i (1 .. 6) {
	$campaign[$i] = $stage->make_campaign({callingHours => undef}, "+1555123000$i");
	($list[$i]) = map { $_->{id} } @{$stage->api(GET => "$CM/campaigns/$campaign[$i]/data-lists")->{dataLists}};
	$stage->api(PATCH => "$CM/data-lists/$list[$i]", {active => JSON::PP::false});
}

my %slow = (
	'generating queues' => sub { [POST => "$CM/campaigns/$campaign[$_[0]]/generate-queue", {}] },
	'starting auto-dial' => sub { [POST => "$CM/campaigns/$campaign[$_[0]]/auto-dial", {}] },
	'assigning lists' => sub { [POST => "$CM/campaigns/$campaign[$_[0]]/assign-data-list",
		{listId => $list[$_[0]]}] },
	'making lists active' => sub { [PATCH => "$CM/data-lists/$list[$_[0]]", {active => JSON::PP::true}] },
	'changing the attempts of a day' => sub { [PUT => "$CM/campaigns/$campaign[$_[0]]", {maxAttemptsPer24h => 7}] },
	'importing numbers not to call' => sub { [POST => '/api/admin/dnc/bulk-import',
		{numbers => ["+1555123900$_[0]"]}] },
);
for my $what (sort keys %slow) {
	my $held = hold_entries();
	my @later = map { ask_later(@{$slow{$what}->($_)}) } 1 .. 6;
	# Contacts that wait for old settings are looked at for one campaign after the other.
	$stage->wait_until(10, "$what to wait", sub { waiting() >= ($what =~ /attempts/ ? 1 : 2) });
	is $stage->webhook(POST => '/api/calls-twiml/webhook/status?inbound=1',
		{CallSid => 'CA' . '0' x 32, CallStatus => 'completed'})->{status}, 204, "$what: a webhook is answered";
	is $stage->request(GET => "$CM/campaigns/$campaign[1]/data-lists")->{status}, 200, "$what: others, too";
	print $held "ROLLBACK;\n";
	close $held;
	is_deeply [map { status_of($_) } @later], [('200') x 6], "$what: and so are they, when they can be";
	$stage->api(PATCH => "$CM/data-lists/$_", {active => JSON::PP::false}) for @list[1 .. 6];
}

subtest 'what was not reached in time is not done later' => sub {
	my $late = $stage->make_campaign({callingHours => undef}, '+15551230012');
	my $held = hold_entries();
	my @before = map { ask_later(POST => "$CM/campaigns/$campaign[$_]/generate-queue", {}) } 1 .. 4;
	$stage->wait_until(10, 'two to wait', sub { waiting() >= 2 });
	my $start = ask_later(POST => "$CM/campaigns/$late/auto-dial", {});
	is status_of($start), '504', 'there is no answer';
	print $held "ROLLBACK;\n";
	close $held;
	status_of($_) for @before;
	# Two workers: both are past it when both have done more.
	my @after = map { ask_later(POST => "$CM/campaigns/$campaign[6]/generate-queue", {}) } 1 .. 4;
	is_deeply [map { status_of($_) } @after], [('200') x 4], 'what came later is done';
	is $stage->sql("SELECT auto_dial FROM campaigns WHERE id = $late"), 'f', 'and nothing was started';
};

subtest 'contacts that wait know of new settings, whatever happens' => sub {
	my $c = $stage->make_campaign({maxAttemptsPer24h => 5}, '+15551230011');
	$stage->api(POST => "$CM/campaigns/$c/generate-queue", {});
	$stage->sql("UPDATE queue_entries SET run_at = now() + interval '1 day', reason = 'attempts_24h' WHERE campaign_id = $c");
	my $held = hold_entries();
	$stage->api(PUT => "$CM/campaigns/$c", {maxAttemptsPer24h => 6});
	$stage->wait_until(10, 'its contacts to be waited for', sub { waiting() >= 1 });
	my $worker = $stage->worker;
	kill 'KILL', $worker;
	$stage->worker($worker, 20);
	print $held "ROLLBACK;\n";
	close $held;
	ok $stage->wait_until(30, 'the contact to be due', sub {
		$stage->sql("SELECT count(*) FROM queue_entries WHERE campaign_id = $c AND run_at <= now()") eq '1' }), 'due';
};
undef $stage;
done_testing;
