#!/usr/bin/env perl
# Calls that Twilio queues are cancelled, and the account's rate comes down until it queues no
# more; then it rises again slowly. What it dials, and what rings late only, is left to ring.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Time::HiRes qw(time sleep);
use Omnivox::Stage;

my $CM = $Omnivox::Stage::CM;
my $stage = Omnivox::Stage->new(
	population => [{match => '*', weight => 1, behaviour => 'busy', ring_ms => 100,
		talk_ms => 0, say => 'silence'}],
	sandbox_env => {SANDBOX_CPS => 1, SANDBOX_RECORD => 0}, gateway_env => {TWILIO_CPS => 16});
$stage->start_sandbox;
$stage->start_gateway;
$stage->login;
my @numbers = map { sprintf '+1555311%04d', $_ } 1 .. 300;
my $id = $stage->make_campaign({callGapMs => 0, batchGapMs => 0, batchSize => 100, wrapUpS => 0,
	retry => {canceled => {afterS => 1, max => 20}}, maxAttempts => 30,
	maxAttemptsPer24h => 50}, @numbers);
my @agents = map {
	my $agent = $stage->make_agent("agent$_", $id);
	$stage->start_phone($agent, hz => 880);
	$agent;
} 1 .. 4;
for my $agent (@agents) {
	$stage->wait_registered($agent);
	$stage->agent_ready($agent, $id);
}
my $rate = $stage->api(GET => "$CM/campaigns/$id/auto-dial")->{rate};
is_deeply [@$rate{qw(perSecond limit slowCalls)}, $rate->{lowered} ? 1 : 0], [16, 16, 0, 0],
	'at first the rate is the configured one';
$stage->api(POST => "$CM/campaigns/$id/auto-dial");
$stage->wait_until(60, 'the rate to come down', sub {
	$rate = $stage->api(GET => "$CM/campaigns/$id/auto-dial")->{rate};
	$rate->{perSecond} <= 4 });
cmp_ok $rate->{slowCalls}, '>=', 2, "calls were queued: $rate->{slowCalls}";
ok $rate->{lowered}, 'and the status says that the rate is lowered';
my @log = $stage->call_log;
my %queued = map { ($_->{call_sid} => 1) } grep { $_->{event} eq 'queued' } @log;
ok scalar(keys %queued), 'Twilio queued some';
my %cancel = map { ($_->{call_sid} => 1) } grep { $_->{event} eq 'cancel' } @log;
ok scalar(grep { $queued{$_} } keys %cancel), 'and what would have waited long was cancelled';
$stage->api(POST => "$CM/campaigns/$id/auto-dial/stop");
$stage->wait_until(30, 'the last calls to end', sub {
	!$stage->api(GET => "$CM/campaigns/$id/queue")->{stats}{statusBreakdown}{dialing} });
# Twilio said in its answer that it would wait, and never dialled.
my $waited = "c.entry_id = q.id AND c.outcome = 'canceled' AND EXISTS (SELECT 1 FROM call_events s JOIN call_events a"
	. " ON a.call_id = s.call_id AND a.at = s.at WHERE s.call_id = c.id AND s.event = 'slow' AND a.event = 'accepted')"
	. " AND NOT EXISTS (SELECT 1 FROM call_events i WHERE i.call_id = c.id AND i.event = 'initiated')";
cmp_ok $stage->sql("SELECT count(*) FROM queue_entries q JOIN calls c ON $waited"), '>', 0, 'calls waited at Twilio';
is $stage->sql("SELECT string_agg(q.id || ': ' || q.attempts || ' of ' || q.dials, ', ') FROM queue_entries q"
	. " WHERE q.attempts <> q.dials - (SELECT count(*) FROM calls c WHERE $waited)"), '',
	'what was cancelled there cost its contact no attempt';
my $low = $stage->api(GET => "$CM/campaigns/$id/auto-dial")->{rate}{perSecond};
$stage->wait_until(30, 'the rate to rise again', sub {
	$stage->api(GET => "$CM/campaigns/$id/auto-dial")->{rate}{perSecond} > $low });
pass "it rises slowly from $low";
undef $stage;

# Six seconds until it rings, as far away; and a worker that has just started asks after every call.
$stage = Omnivox::Stage->new(
	population => [{match => '*', weight => 1, behaviour => 'no_answer', ring_ms => 600,
		talk_ms => 0, say => 'silence'}],
	sandbox_env => {SANDBOX_RECORD => 0}, gateway_env => {RECONCILE_AFTER => 2});
$stage->start_sandbox;
$stage->sandbox_put('/sandbox/settings', {post_dial_ms => 6000});
$stage->start_gateway;
$stage->login;
$id = $stage->make_campaign({maxAttempts => 1, wrapUpS => 0, ringTimeoutS => 10}, '+15553119999');
my $agent = $stage->make_agent('late', $id);
$stage->start_phone($agent, hz => 880);
$stage->wait_registered($agent);
$stage->agent_ready($agent, $id);
$stage->api(POST => "$CM/campaigns/$id/auto-dial");
my $call;
$stage->wait_until(20, 'Twilio to dial', sub {
	($call) = @{$stage->api(GET => "/api/calls?campaignId=$id")->{calls}};
	$call && grep { $_->{event} eq 'initiated' } @{$stage->api(GET => "/api/calls/$call->{id}")->{events}} });
kill KILL => $stage->worker;
$stage->wait_until(40, 'the end of the call', sub {
	$call = $stage->api(GET => "/api/calls/$call->{id}")->{call};
	$call->{state} eq 'ended' });
is $call->{outcome}, 'no_answer', 'what rings after six seconds is left to ring';
is_deeply [grep { $_->{event} eq 'cancel' } $stage->call_log], [], 'nobody cancelled it';
is $stage->api(GET => "$CM/campaigns/$id/auto-dial")->{rate}{slowCalls}, 0,
	'and the rate stays as it was';
undef $stage;
done_testing;
