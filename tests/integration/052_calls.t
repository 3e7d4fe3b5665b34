#!/usr/bin/env perl
# Looking for calls: filters, pages, and all of them as a file, however many there are.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use IO::Socket::INET;
use POSIX qw(strftime);
use Test::More;
use Time::HiRes qw(sleep time);
use Omnivox::Asking;
use Omnivox::Stage;

my $CM = $Omnivox::Stage::CM;
my $stage = Omnivox::Stage->new(population => [
	{match => '+15551110002', weight => 1, behaviour => 'busy', ring_ms => 200},
	{match => '*', weight => 1, behaviour => 'human', ring_ms => 200, talk_ms => 60000,
		say => 'tone:440'}]);
asking($stage);
$stage->start_sandbox;
$stage->start_gateway;
my $admin = $stage->login;

sub found { my ($query) = @_;
	return join ' ', map { $_->{number} =~ /(\d)$/ } @{data(GET => "/api/calls?$query")->{calls}} }

my $campaign = $stage->make_campaign({name => '=cmd()', wrapUpS => 0}, map { "+1555111000$_" } 1 .. 3);
my $ana = $stage->make_agent('ana', $campaign);
my $cookie = sign_in('ana', $ana->{password});
data(POST => '/api/agents', {username => 'bo', name => 'Bo', password => 'bo-password'});
my $bo = sign_in('bo', 'bo-password');
$stage->start_phone($ana);
$stage->wait_registered($ana);
$stage->agent_ready($ana, $campaign);

my %call;
sub call_one {
	my ($n, $state) = @_;
	my ($entry) = grep { $_->{contact}{phone} =~ /$n$/ }
		@{data(GET => "$CM/campaigns/$campaign/queue")->{queueEntries}};
	$stage->wait_until(15, 'ana to be ready', sub { $stage->agent_session($ana)->{state} eq 'ready' });
	$call{$n} = data(POST => "$CM/campaigns/$campaign/queue/$entry->{id}/call", {})->{callRecord}{id};
	wait_call($call{$n}, $state);
}

subtest 'filters' => sub {
	call_one(1, 'bridged');
	ask(POST => "/api/calls/$call{1}/hangup");
	call_one(2, 'ended');
	call_one(3, 'bridged');
	my $now = strftime('%Y-%m-%dT%H:%M:%SZ', gmtime(time + 60));
	my $contact = data(GET => "/api/calls/$call{2}")->{call}{contactId};
	my %expected = ('' => '3 2 1', "campaignId=$campaign" => '3 2 1', 'campaignId=999999' => '',
		'state=open' => '3', 'state=bridged' => '3', 'state=ended' => '2 1', 'outcome=busy' => '2',
		'outcome=completed' => '1', "agentId=$ana->{id}" => '3 2 1', 'agentId=999999' => '',
		'number=%2B15551110002' => '2', "contactId=$contact" => '2', 'direction=outbound' => '3 2 1',
		'direction=inbound' => '', "to=$now" => '3 2 1', "from=$now" => '',
		'to=2026-01-01T00:00:00%2B01:00' => '', "state=ended&outcome=busy&campaignId=$campaign" => '2',
		'outcome=busy&state=open' => '', 'dispositionId=999999' => '');
	is found($_), $expected{$_}, "calls?$_" for sort keys %expected;
	for my $bad ('state=dead', 'outcome=great', 'number=5551110002', 'number=15551110002', 'from=noon',
		'to=2026-13-01T00:00:00Z', 'agentId=x', 'direction=up', 'before=-1', 'limit=0') {
		is ask(GET => "/api/calls?$bad")->{status}, 422, $bad;
		is ask(GET => "/api/calls/export.csv?$bad")->{status}, 422, "export.csv?$bad"
			unless $bad =~ /limit/;
	}
	my $page = data(GET => '/api/calls?limit=2');
	is join(' ', map { $_->{id} } @{$page->{calls}}), "$call{3} $call{2}", 'a page';
	is data(GET => "/api/calls?limit=2&before=$page->{nextCursor}")->{calls}[0]{id}, $call{1},
		'and the next';
	is scalar @{as($cookie, GET => '/api/calls')->{json}{data}{calls}}, 3, 'an agent sees its own';
	is scalar @{as($bo, GET => "/api/calls?agentId=$ana->{id}")->{json}{data}{calls}}, 0,
		"and not another's, however it asks";
	ask(POST => "/api/calls/$call{3}/hangup");
	wait_call($call{3}, 'ended');
};

# RFC 4180, taken apart without our own code.
sub rows_of {
	my ($text) = @_;
	my (@rows, @row);
	while ($text =~ /\G(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n|\z)/gc) {
		my ($quoted, $plain, $end) = ($1, $2, $3);
		push @row, defined $quoted ? $quoted =~ s/""/"/gr : $plain;
		next if $end eq ',';
		push @rows, [splice @row];
		last if pos($text) >= length $text;
	}
	die 'not RFC 4180 at ' . substr($text, pos($text) // 0, 80) if (pos($text) // 0) < length $text;
	return @rows;
}

sub export { my ($query, $who) = @_;
	my $r = as($who // $admin, GET => "/api/calls/export.csv?$query");
	my ($head, @rows) = rows_of($r->{content});
	return map { my %row; @row{@$head} = @$_; \%row } @rows }

subtest 'a file' => sub {
	ask(POST => "/api/calls/$call{1}/disposition", {dispositionId => $stage->sql(
		"SELECT id FROM dispositions WHERE name = 'Sale'"), notes => "=HYPERLINK(\"x\"),\n\x{20ac} 5"});
	my $r = ask(GET => '/api/calls/export.csv');
	like $r->{headers}{'content-disposition'}, qr/^attachment; filename="calls\.csv"$/, 'is a download';
	is $r->{headers}{'cache-control'}, 'private, no-store', 'that nobody keeps';
	my ($first) = grep { $_->{callId} eq $call{1} } export('');
	is $first->{number}, '+15551110001', 'a number is a number';
	is $first->{campaign}, q('=cmd()), 'a formula is none any more';
	utf8::decode($first->{notes});
	is $first->{notes}, "'=HYPERLINK(\"x\"),\n\x{20ac} 5", 'whatever stands in the notes';
	is join(' ', @$first{qw(agent disposition outcome direction attempt)}), 'ana Sale completed outbound 1',
		'with the names of things';
	like $first->{placedAt}, qr/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/, 'and their times';
	is scalar(export('outcome=busy')), 1, 'filters hold';
	is scalar(export('', $bo)), 0, 'and an agent gets its own';
};

# The memory of the worker in kB.
sub memory {
	open my $fh, '<', '/proc/' . $stage->worker . '/status' or die $!;
	return +(map { /^VmRSS:\s+(\d+)/ } <$fh>)[0];
}

sub slow_reader {
	my ($path) = @_;
	my $s = IO::Socket::INET->new(PeerAddr => $stage->{gateway}{http}, Timeout => 5) or die $!;
	print $s "GET $path HTTP/1.1\r\nHost: x\r\nCookie: $admin\r\n\r\n";
	return $s;
}

subtest 'a hundred thousand calls' => sub {
	$stage->sql("INSERT INTO calls (campaign_id, attempt, mode, number, caller_id, conference, node_id,"
		. " state, outcome, verdict_rule, verdict_version, ring_timeout_s, ended_at)"
		. " SELECT $campaign, 1, 'auto', '+4420' || 1000000 + g, '+15550000000', 'x',"
		. " gen_random_uuid(), 'ended', 'busy', 'ok', 1, 30, now() FROM generate_series(1, 100000) g;"
		. ' ANALYZE calls');
	my @slow = map { slow_reader('/api/calls/export.csv?from=2999-01-01T00:00:00Z') } 1 .. 8;
	is scalar(grep { <$_> =~ m{^HTTP/1.1 200 } } @slow), 8, 'eight who ask for nothing';
	# What so many readers take anyhow is in it.
	my $before = memory();
	my $start = time;
	my $file = ask(GET => '/api/calls/export.csv')->{content};
	diag sprintf 'a hundred thousand rows in %.1f s', time - $start;
	my %seen;
	$seen{$_}++ for $file =~ /^(\d+),\d{4}-/mg;
	is scalar(keys %seen), 100003, 'all come';
	is scalar(grep { $_ > 1 } values %seen), 0, 'once each';

	# A reader who does not read: the worker waits for it with little in its hands, and works on.
	@slow = map { slow_reader('/api/calls/export.csv') } 1 .. 8;
	sleep 1;
	is ask(GET => '/api/calls?limit=1')->{status}, 200, 'eight who do not read hold nobody up';
	cmp_ok memory() - $before, '<', 24 * 1024, 'and little memory';
	close $_ for splice @slow, 0, 4;
	my ($got, $s) = ('', $slow[0]);
	while (sysread $s, my $part, 1 << 20) { $got .= $part; last if $got =~ /\r\n0\r\n\r\n\z/ }
	is scalar(() = $got =~ /,busy,/g), 100001, 'one who reads on gets everything';
	close $_ for @slow;
	is ask(GET => '/livez')->{status}, 200, 'the gateway lives';
};

contract_kept();
undef $stage;
done_testing;
