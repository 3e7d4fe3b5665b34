#!/usr/bin/env perl
# What Twilio says about a call that it took: the ErrorCode in a webhook stops what it is about, as an
# error in an answer does. And how long to wait, where it says so.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Time::HiRes qw(time);
use Time::Local qw(timegm);
use Omnivox::Stage;

my $CM = $Omnivox::Stage::CM;
my %failed = (behaviour => 'failed', ring_ms => 100);
my $later = '+14155550205';
my @numbers = qw(+14155550201 +14155550202 +447400123456 +14155550203 +14155550204);
my @gb = ($numbers[2], '+447400123457', '+447400123458');
my $stage = Omnivox::Stage->new(population => [
	{match => $numbers[0], %failed, sip_code => 503},
	{match => $numbers[1], %failed, sip_code => 503, error_code => 21217, error_message => 'Not a phone number'},
	(map { {match => $_, %failed, error_code => 32205} } @gb),
	{match => $numbers[3], %failed, error_code => 32206},
	{match => $numbers[4], %failed, error_code => 10001},
	{match => $later, behaviour => 'human', ring_ms => 100, talk_ms => 300}]);
$stage->start_sandbox;
$stage->start_gateway;
$stage->login;
my $campaign = $stage->make_campaign({wrapUpS => 0, callGapMs => 0, batchGapMs => 0,
	callerId => '+15550000001'}, @numbers, @gb[1, 2], $later);
my $agent = $stage->make_agent('ana', $campaign);
$stage->start_phone($agent);
$stage->wait_registered($agent);
$stage->agent_ready($agent, $campaign);

sub entry {
	my ($number) = @_;
	return (grep { $_->{contact}{phone} eq $number }
		@{$stage->api(GET => "$CM/campaigns/$campaign/queue")->{queueEntries}})[0];
}
sub fired { (grep { $_->{kind} eq 'http429' } @{$stage->sandbox_get('/sandbox/faults')->{faults}})[0]{fired} }
sub seconds {
	my ($y, $mon, $d, $h, $min, $s) = $_[0] =~ /^(\d+)-(\d+)-(\d+)T(\d+):(\d+):([\d.]+)Z$/;
	return timegm(0, $min, $h, $d, $mon - 1, $y) + $s;
}
sub stops {
	return map { "$_->{scope} $_->{key} $_->{code}" }
		@{$stage->api(GET => '/api/twilio/status')->{stops}};
}

# Calls it; returns what is known of the call when it has ended.
sub failed_call {
	my ($number) = @_;
	$stage->wait_until(10, 'the agent', sub { $stage->agent_session($agent)->{state} eq 'ready' });
	my $r = $stage->request(POST => "$CM/campaigns/$campaign/queue/" . entry($number)->{id} . '/call', {});
	is $r->{status}, 200, "$number: Twilio takes the call" or diag $r->{content};
	return $stage->wait_until(10, 'its end', sub {
		$stage->sql("SELECT outcome || ' ' || COALESCE(error_code, 0) || ' ' || COALESCE(error_text, '') FROM calls"
			. " WHERE number = '$number' AND outcome IS NOT NULL") });
}

like failed_call($numbers[0]), qr/^failed 0 /, 'a call that failed for no reason that is told';
is entry($numbers[0])->{status}, 'pending', 'is worth another try';

is failed_call($numbers[1]), 'failed 21217 Not a phone number', 'code and message are kept with the call';
is entry($numbers[1])->{status}, 'skipped', 'a number that cannot be called is not tried again';
is_deeply [stops()], [], 'and stops nothing else';

like failed_call($_), qr/^failed 32205 /, 'a number that the account may not call' for @gb[0, 1];
is entry($gb[0])->{status}, 'skipped', 'is not tried again';
is_deeply [stops()], [], 'and its country goes on';
like failed_call($gb[2]), qr/^failed 32205 /, 'the third of a country';
$stage->wait_until(5, 'the stop', sub { stops() });
is_deeply [stops()], ['country GB 32205'], 'stops it';

like failed_call($numbers[3]), qr/^failed 32206 /, 'a caller id that is not ours';
$stage->wait_until(5, 'the stop', sub { stops() > 1 });
is_deeply [sort(stops())], ['caller +15550000001 32206', 'country GB 32205'], 'is stopped too';
$stage->api(POST => '/api/twilio/resume', {});

# A probe that is answered well may end it at once: the log keeps it.
like failed_call($numbers[4]), qr/^failed 10001 /, 'an account that is not active';
ok $stage->wait_until(5, 'the stop', sub {
	$stage->sql("SELECT count(*) FROM twilio_stops WHERE scope = 'account' AND code = 10001") }), 'is stopped';

# Alone, the tries of a request are used up in less time than this.
$stage->wait_until(10, 'all stops to be over', sub {
	$stage->api(POST => '/api/twilio/resume', {}); !stops() });
$stage->sandbox_put('/sandbox/settings', {retry_after_s => 3});
$stage->sandbox_put('/sandbox/faults', {kind => 'http429', rate => 1});
my $before = time;
$stage->api(POST => "$CM/campaigns/$campaign/auto-dial");
$stage->wait_until(10, 'a 429', sub { fired() });
$stage->sandbox_put('/sandbox/faults', {kind => 'http429', rate => 0});
my ($create) = @{$stage->wait_until(15, 'the call', sub {
	my @c = grep { $_->{event} eq 'create' && $_->{to} eq $later } $stage->call_log; @c ? \@c : undef })};
cmp_ok seconds($create->{t}) - $before, '>=', 3, 'Retry-After is waited for';
$stage->wait_until(10, 'it to end', sub { entry($later)->{status} eq 'completed' });
is entry($later)->{attempts}, 1, 'and costs no attempt';
done_testing;
