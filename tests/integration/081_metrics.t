#!/usr/bin/env perl
# GET /metrics: Prometheus' format, numbers that agree with what happened, the same number of
# series whatever happens, an answer while the database is away; a worker whose loop stands still
# is replaced, and systemd is told.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use HTTP::Tiny;
use IO::Socket::UNIX;
use Socket qw(SOCK_DGRAM);
use Test::More;
use Omnivox::Metrics;
use Omnivox::Stage;

is_deeply [Omnivox::Metrics->new("# HELP a_total x\n# TYPE a_total counter\na_total{b=\"c\"} 1\n")->complaints],
	[], 'the judge takes what is right';
for my $bad ("a 1\n", "# HELP a x\n# TYPE a counter\na 1\n", "# HELP a x\n# TYPE a gauge\na 1\na 1\n",
	"# HELP a x\n# TYPE a gauge\na{b=c} 1\n", "# HELP a x\n# TYPE a gauge\na 1",
	"# HELP a x\n# TYPE a histogram\na_bucket{le=\"1\"} 2\na_bucket{le=\"+Inf\"} 1\na_sum 0\na_count 1\n",
	"# HELP a x\n# TYPE a histogram\na_bucket{le=\"1\"} 1\na_sum 0\na_count 1\n") {
	isnt scalar(Omnivox::Metrics->new($bad)->complaints), 0, 'the judge refuses what is wrong';
}

my $stage = Omnivox::Stage->new(gateway_env => {METRICS_LISTEN => '127.0.0.1:0', HUNG_AFTER => 5,
	WATCHDOG_USEC => 400_000, RECONCILE_AFTER => 2});
my $notify = "$stage->{dir}/notify";
my $systemd = IO::Socket::UNIX->new(Type => SOCK_DGRAM, Local => $notify) or die $!;
$systemd->blocking(0);
$stage->{gateway_env}{NOTIFY_SOCKET} = $notify;
my @told;
sub told {
	while (defined $systemd->recv(my $text, 4096)) {
		push @told, $text if length $text;
	}
	return @told;
}

$stage->start_sandbox;
$stage->start_gateway;
my $ready = $stage->wait_until(5, 'READY', sub { (grep { /^READY=1$/m } told())[0] });
like $ready, qr/^STATUS=Serving on 127\.0\.0\.1:\d+, worker \d+, start 1\.$/m, 'systemd is told that it serves';
$stage->wait_until(5, 'WATCHDOG', sub { grep { $_ eq 'WATCHDOG=1' } told() });
pass 'and that it is alive';

sub scrape {
	my $r = HTTP::Tiny->new(timeout => 5)->get("http://$stage->{gateway}{metrics}/metrics");
	die "scrape: $r->{status}\n" unless $r->{success};
	return ($r, Omnivox::Metrics->new($r->{content}));
}

my ($r, $first) = scrape();
is $r->{headers}{'content-type'}, 'text/plain; version=0.0.4; charset=utf-8', 'it says which format';
is_deeply [$first->complaints], [], 'and keeps to it';
open my $operation, '<', "$FindBin::Bin/../../docs/OPERATION.md" or die $!;
my $documented = do { local $/; <$operation> };
is_deeply [grep { $documented !~ /`\Q$_\E[`{]/ } map { s/^omnivox_//r } grep { !/^process_/ }
	$r->{content} =~ /^# TYPE (\S+)/mg], [], 'each of them is documented';
is +HTTP::Tiny->new->get("http://$stage->{gateway}{http}/metrics")->{status}, 404,
	'the public address has no metrics';
is +HTTP::Tiny->new->get("http://$stage->{gateway}{metrics}/api/agents")->{status}, 404,
	'nor the metrics an API';

$stage->login;
my $campaign = $stage->make_campaign({wrapUpS => 0, callGapMs => 0, batchGapMs => 0},
	map { "+1555111000$_" } 1 .. 3);
my $agent = $stage->make_agent('ana', $campaign);
$stage->start_phone($agent, hz => 880);
$stage->wait_registered($agent);
$stage->agent_ready($agent, $campaign);
$stage->wait_until(8, 'the census to see her', sub {
	(scrape())[1]->get('omnivox_agents{state="ready"}') == 1 });
my (undef, $idle) = scrape();
is $idle->get('omnivox_sip_registrations'), 1, 'one phone';
is $idle->get('omnivox_rtp_sessions'), 1, 'one relay';
is $idle->get('omnivox_database_up'), 1, 'the database answers';
cmp_ok $idle->get('omnivox_calls_per_second_tokens'), '>', 0, 'calls could be placed';
$stage->api(POST => "$Omnivox::Stage::CM/campaigns/$campaign/auto-dial");
$stage->wait_until(40, 'three calls to end', sub {
	3 == grep { $_->{outcome} && $_->{outcome} eq 'completed' } @{$stage->api(GET => '/api/calls')->{calls}} });
my (undef, $after) = scrape();
is $after->get('omnivox_calls_ended_total{outcome="completed"}'), 3, 'three completed calls';
is $after->get('omnivox_call_moves_total{state="ended"}'), 3, 'each ended once';
is $after->get('omnivox_claims_total{result="call"}'), 3, 'three claims were calls';
is $after->get('omnivox_twilio_requests_total{op="participant_create",result="ok"}'), 3, 'three requests made them';
cmp_ok $after->get('omnivox_twilio_request_seconds_count{op="participant_create"}'), '==', 3, 'which were timed';
cmp_ok $after->get('omnivox_webhooks_total{kind="status",result="applied"}'), '>=', 9, 'status webhooks were applied';
cmp_ok $after->get('omnivox_webhook_seconds_count{kind="status"}'), '>=', 9, 'and timed';
cmp_ok $after->get('omnivox_webhooks_total{kind="conference",result="applied"}'), '>=', 4, 'conference webhooks too';
cmp_ok $after->get('omnivox_http_requests_total{class="api",code="200"}'), '>', 5, 'so were API requests';
cmp_ok $after->get('omnivox_db_job_run_seconds_count'), '>', 20, 'and database jobs';
cmp_ok $after->get('omnivox_loop_lag_seconds_count'), '>', 4, 'and the loop';
cmp_ok $after->get('process_resident_memory_bytes'), '>', 1e6, 'it knows its memory';
cmp_ok $after->get('process_open_fds'), '>', 10, 'and its descriptors';
is_deeply [$after->complaints], [], 'the format holds';

my $path = '/api/calls-twiml/webhook/status?call=1';
is $stage->request(POST => $path, 'CallSid=x', {'Content-Type' => 'application/x-www-form-urlencoded'})->{status},
	403, 'an unsigned webhook is refused';
is +(scrape())[1]->get('omnivox_webhooks_total{kind="status",result="refused"}'), 1, 'and counted';
$stage->request(GET => "/api/nothing/$_") for 1 .. 5;
is +(scrape())[1]->series, $first->series, 'there are as many series as at the start';

# ---- the loop stands still ----

my $worker = $stage->worker;
told();    # systemd's queue is short
@told = ();
kill 'STOP', $worker;
$stage->worker($worker, 30);
pass 'a worker that stands still is replaced';
$stage->wait_until(30, 'READY again', sub { grep { /^READY=1\nSTATUS=.*start 2\.$/ } told() });
$stage->wait_until(30, 'the metrics of the new worker', sub {
	my (undef, $m) = scrape();
	$m->get('omnivox_worker_starts_total') == 2 && $m->get('omnivox_worker_hung_total') == 1 });
pass 'and counted as hung';
is $stage->agent_session($agent)->{state}, 'ready', 'its agent noticed nothing';

# ---- without a database ----

open my $fh, '<', "$stage->{dir}/gateway-data/postgres/postmaster.pid" or die $!;
chomp(my $postmaster = <$fh>);
kill 'STOP', $postmaster;
opendir my $dir, '/proc' or die $!;
my @backends = grep { /^\d+$/ && do { open my $s, '<', "/proc/$_/stat"; ((<$s> // '') =~ /\) \S (\d+)/ ? $1 : 0) == $postmaster } } readdir $dir;
kill 'STOP', @backends;
ok eval { scrape(); 1 }, 'metrics answer while the database stands still';
kill 'CONT', @backends, $postmaster;

told();
@told = ();
$stage->stop('phone-ana');
is $stage->stop('gateway') >> 8, 0, 'it stops';
ok((grep { /^STOPPING=1$/m } told()), 'and systemd is told');
done_testing;
