#!/usr/bin/env perl
# The account's own numbers: read from Twilio page by page; only they can be shown as caller id,
# and a campaign whose number is gone dials nobody.
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
my @all = map { sprintf '+1555000%04d', $_ } 1 .. 130;    # three pages
$stage->sandbox_put('/sandbox/numbers', {numbers => \@all});
$stage->start_gateway;
$stage->login;

my $got;
$stage->wait_until(15, 'the first list', sub {
	$got = ask(GET => '/api/numbers')->{json}{data};
	$got->{syncedAt} });
is_deeply [map { $_->{phoneNumber} } @{$got->{numbers}}], \@all, 'at start all pages are read';
is $got->{numbers}[0]{kind}, 'incoming', 'rented ones';
is $got->{error}, undef, 'without trouble';

my $made = ask(POST => "$CM/campaigns", {name => 'Ours', callerId => $all[100]});
is $made->{status}, 201, 'a number of the account can be shown';
my $id = $made->{json}{data}{campaign}{id};
my $r = ask(POST => "$CM/campaigns", {name => 'Theirs', callerId => '+14155552671'});
is "$r->{status} $r->{json}{error}{details}{field}", '422 callerId', 'another cannot';
like $r->{json}{error}{message}, qr/\Q$all[0]\E/, 'and those that can are named';
is ask(PUT => "$CM/campaigns/$id", {callerId => '+14155552671'})->{status}, 422, 'nor later';

$stage->sandbox_put('/sandbox/numbers', {numbers => [@all[0, 1]]});
$r = ask(POST => '/api/numbers/sync');
is scalar @{$r->{json}{data}{numbers}}, 2, 'a change is seen when it is asked for';
my $list = $stage->api(POST => "$CM/data-lists", {name => 'L', campaignId => $id})->{dataList}{id};
$stage->api(POST => "$CM/data-lists/$list/upload", "phone\n+15551110001\n", {'Content-Type' => 'text/csv'});
$stage->api(PUT => "$CM/campaigns/$id", {callingHours => undef});
$stage->api(POST => "$CM/campaigns/$id/generate-queue", {});
my ($entry) = @{$stage->api(GET => "$CM/campaigns/$id/queue")->{queueEntries}};
my $look = ask(GET => "$CM/campaigns/$id/queue/$entry->{id}")->{json}{data}{verdict};
is_deeply [@$look{qw(rule code)}], ['cli.unusable', 'cli'], 'a campaign whose number is gone may not dial';
is ask(PUT => "$CM/campaigns/$id", {callerId => $all[1]})->{status}, 200, 'with another number';
ok ask(GET => "$CM/campaigns/$id/queue/$entry->{id}")->{json}{data}{verdict}{allowed}, 'it may';

$stage->stop('sandbox');
$r = ask(POST => '/api/numbers/sync');
is "$r->{status} $r->{json}{error}{code}", '502 TWILIO_REFUSED', 'that Twilio does not answer is told';
$got = ask(GET => '/api/numbers')->{json}{data};
ok $got->{error}, 'and stands in the list';
is scalar @{$got->{numbers}}, 2, 'what was known stays';
contract_kept();
undef $stage;
done_testing;
