#!/usr/bin/env perl
# Numbers that must not be called: one, many, checking, and what becomes of their queue entries.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use IO::Socket::INET;
use Test::More;
use Omnivox::Asking;
use Omnivox::Stage;

my $CM = $Omnivox::Stage::CM;
my $stage = Omnivox::Stage->new;
asking($stage);
$stage->start_sandbox;
$stage->start_gateway;
$stage->login;

my $campaign = $stage->make_campaign({}, map { "+1555111000$_" } 1 .. 4);
my $other = $stage->make_campaign({}, '+15551110001');

sub states {
	my ($id) = @_;
	return join ' ', map { $_->{status} }
		@{data(GET => "$CM/campaigns/$id/queue")->{queueEntries}};
}

my $made = data(POST => '/api/admin/dnc', {phoneNumber => '001-555-111-0001', country => '44',
	reason => 'asked not to be called'});
is $made->{dncEntry}{phoneNumber}, '+15551110001', 'a number is kept in E.164';
is $made->{dncEntry}{source}, 'operator', 'and who gave it';
is $made->{skippedEntries}, 2, 'its waiting entries are skipped at once';
is states($campaign), 'skipped pending pending pending', 'in this campaign';
is states($other), 'skipped', 'and in the other';
is ask(POST => '/api/admin/dnc', {phoneNumber => '+15551110001'})->{status}, 409, 'once is enough';
for my $number ('', '12', 'nobody', '+1', 7) {
	is ask(POST => '/api/admin/dnc', {phoneNumber => $number})->{status}, 422, "no number: $number";
}
is ask(POST => '/api/admin/dnc', {phoneNumber => '+15551110009', campaignId => '999'})->{status}, 404,
	'no such campaign';
is ask(POST => '/api/admin/dnc', {phoneNumber => '020 7946 0000', country => 'Albion'})->{status}, 422,
	'no such country';

my $check = data(POST => '/api/admin/dnc/check', {phoneNumber => '+1 555 111 0001'});
is data(POST => '/api/admin/dnc/check', {phoneNumber => '020 7946 0000', country => 'GB'})
	->{phoneNumber}, '+442079460000', 'a number is read as people of its country write it';
ok $check->{isBlocked}, 'checking finds it however it is written';
is $check->{dncEntry}{id}, $made->{dncEntry}{id}, 'and names the entry';
ok !data(POST => '/api/admin/dnc/check', {phoneNumber => '+15551110002'})->{isBlocked},
	'another is free';

my $one = data(POST => '/api/admin/dnc', {phoneNumber => '+15551110002', campaignId => $campaign});
is $one->{skippedEntries}, 1, 'a ban of one campaign skips there';
ok data(POST => '/api/admin/dnc/check', {phoneNumber => '+15551110002', campaignId => $campaign})
	->{isBlocked}, 'and holds there';
ok !data(POST => '/api/admin/dnc/check', {phoneNumber => '+15551110002', campaignId => $other})
	->{isBlocked}, 'and not elsewhere';

is ask(POST => '/api/admin/dnc/check', {phoneNumber => '+15551110002', campaignId => '999999'})->{status},
	404, 'a campaign that is none forbids nothing and clears nothing';

my $narrow = data(POST => '/api/admin/dnc', {phoneNumber => '+15551110001', campaignId => $campaign,
	reason => 'not from here'})->{dncEntry};
isnt $narrow->{id}, $made->{dncEntry}{id}, 'a ban of one campaign beside the one of all is told as it was made';
is_deeply [@$narrow{qw(campaignId reason)}], [$campaign, 'not from here'], 'with its own campaign and reason';
is ask(DELETE => "/api/admin/dnc/$narrow->{id}")->{status}, 200, 'and may be taken off by that id';
is data(POST => '/api/admin/dnc/check', {phoneNumber => '+15551110001', campaignId => $campaign})
	->{dncEntry}{id}, $made->{dncEntry}{id}, 'while the ban of all stays';

my $bulk = data(POST => '/api/admin/dnc/bulk-import', {reason => 'national list', numbers => [
	'+15551110003', '+1 (555) 111-0003', '+15551110001', '+15559990001', 'x', 5, "a\x{e9}"]});
is_deeply [@$bulk{qw(added duplicates invalid skippedEntries)}], [2, 2, 3, 1],
	'of many, new ones are added, known ones and nonsense counted';
is_deeply [map { $_->{index} } @{$bulk->{errors}}], [4, 5, 6], 'and the nonsense is named';
is states($campaign), 'skipped skipped skipped pending', 'their entries are skipped';
is ask(POST => '/api/admin/dnc/bulk-import', {numbers => $_})->{status}, 422, 'no numbers'
	for [], 'x', {};


# ---- many megabytes of them ----

my $MANY = '/api/admin/dnc/bulk-import';
sub megabytes {
	my ($headers, $bytes, $send) = @_;
	my $s = IO::Socket::INET->new(PeerAddr => $stage->{gateway}{http}, Timeout => 5) or die $!;
	print $s "POST $MANY HTTP/1.1\r\nHost: x\r\n${headers}Content-Type: application/json\r\n"
		. "Content-Length: $bytes\r\n\r\n";
	print $s ' ' x ($send > 1 << 20 ? 1 << 20 : $send) and $send -= 1 << 20 while $send > 0;
	return $s;
}
sub slurp { open my $fh, '<', $_[0] or die $!; local $/; return <$fh> }
sub first_line {
	my ($s) = @_;
	local $SIG{ALRM} = sub { die "late\n" };
	return eval { alarm 10; my $line = <$s>; alarm 0; $line } // 'no answer';
}
sub most_memory { slurp("/proc/$_[0]/status") =~ /^VmHWM:\s+(\d+) kB/m ? $1 >> 10 : die }

like first_line(megabytes("Cookie: $stage->{cookie}\r\n", 11 << 20, 0)), qr/^HTTP\/1.1 413/, 'ten megabytes are enough';
my $big = data(POST => $MANY, {numbers => [('nobody') x 200_000]});
is_deeply [@$big{qw(added invalid)}], [0, 200_000], 'a body of two is taken';
my $worker = $stage->worker;
my $before = most_memory($worker);
my @strangers = map { megabytes('', 9 << 20, (9 << 20) - 1) } 1 .. 12;
print $_ ' ' for @strangers;
like first_line($_), qr/^HTTP\/1.1 401/, 'a stranger is told when the body is through' for @strangers;
cmp_ok most_memory($worker) - $before, '<', 48, 'and what strangers send is not kept meanwhile';

my $all = data(GET => '/api/admin/dnc');
is $all->{counts}{total}, 4, 'all are listed';
my @pages;
for (my $after = 0; defined $after;) {
	my $page = data(GET => "/api/admin/dnc?limit=1&after=$after");
	push @pages, map { $_->{id} } @{$page->{dncEntries}};
	$after = $page->{nextCursor};
}
is_deeply \@pages, [map { $_->{id} } @{$all->{dncEntries}}], 'page by page as well';
is scalar @{data(GET => '/api/admin/dnc?search=%2B1555111')->{dncEntries}}, 3, 'found by number';
is scalar @{data(GET => '/api/admin/dnc?search=NATIONAL')->{dncEntries}}, 2, 'and by reason';
is ask(GET => "/api/admin/dnc?$_")->{status}, 422, $_ for 'limit=0', 'limit=501', 'after=x';

is ask(DELETE => "/api/admin/dnc/$made->{dncEntry}{id}")->{status}, 200, 'one is taken off';
is ask(DELETE => "/api/admin/dnc/$made->{dncEntry}{id}")->{status}, 404, 'once';
ok !data(POST => '/api/admin/dnc/check', {phoneNumber => '+15551110001'})->{isBlocked}, 'it is free';
is states($other), 'skipped', 'what was skipped stays so';
contract_kept();
undef $stage;
done_testing;
