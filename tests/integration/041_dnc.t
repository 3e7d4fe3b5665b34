#!/usr/bin/env perl
# Numbers that must not be called: one, many, checking, and what becomes of their queue entries.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
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

my $bulk = data(POST => '/api/admin/dnc/bulk-import', {reason => 'national list', numbers => [
	'+15551110003', '+1 (555) 111-0003', '+15551110001', '+15559990001', 'x', 5, "a\x{e9}"]});
is_deeply [@$bulk{qw(added duplicates invalid skippedEntries)}], [2, 2, 3, 1],
	'of many, new ones are added, known ones and nonsense counted';
is_deeply [map { $_->{index} } @{$bulk->{errors}}], [4, 5, 6], 'and the nonsense is named';
is states($campaign), 'skipped skipped skipped pending', 'their entries are skipped';
is ask(POST => '/api/admin/dnc/bulk-import', {numbers => $_})->{status}, 422, 'no numbers'
	for [], 'x', {};

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
