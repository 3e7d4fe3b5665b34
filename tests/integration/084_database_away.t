#!/usr/bin/env perl
# PostgreSQL is away for ten seconds while a campaign dials, and comes back: what cannot be stored
# is refused so that Twilio sends it again, TwiML is never an error, and dialling goes on by
# itself.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use HTTP::Tiny;
use Test::More;
use Time::HiRes qw(sleep time);
use Omnivox::Asking;
use Omnivox::Campaign;
use Omnivox::Postgres;
use Omnivox::Stage;
use Omnivox::Twiml qw(twiml_complaints);

my $AWAY = 10;
my @population = ({match => '*', weight => 1, behaviour => 'human', ring_ms => 150, talk_ms => 400,
	say => 'tone:440'});

my $stage = Omnivox::Stage->new(population => \@population, sandbox_env => {SANDBOX_RECORD => 0});
asking($stage);
$stage->start_sandbox;
my $pg = Omnivox::Postgres->new($stage, "$stage->{dir}/pg");
$pg->start;
$stage->{gateway_env} = {DATABASE_URL => $pg->url, AMBIGUOUS_AFTER => 3, RECONCILE_AFTER => 2};
$stage->start_gateway;
is join(' ', map { sprintf '%o', (stat "$stage->{dir}/gateway-data/$_")[2] & 07777 } qw(run run/lock)), '700 600',
	'only who runs it may hold its lock';
my $campaign = Omnivox::Campaign->new($stage, contacts => 30, agents => 3);
my $worker = $stage->worker;
my $events = "$stage->{dir}/events.log";
$stage->spawn('listener', {}, 'curl', '-sN', '-o', $events, '-H', "Cookie: $stage->{cookie}",
	"http://$stage->{gateway}{http}/api/events");
$campaign->dial;
$stage->wait_until(20, 'ten calls', sub { $campaign->creates >= 10 });

$pg->stop('QUIT');
my $away = time;
$stage->wait_until(5, '/readyz to say so', sub { $stage->request(GET => '/readyz')->{status} == 503 });
is ask(GET => '/readyz')->{json}{error}{code}, 'DATABASE_UNAVAILABLE', 'not ready, with the reason';
is ask(GET => '/livez')->{status}, 200, 'but alive';
my $r = ask(GET => '/api/calls');
is $r->{status}, 503, 'the API answers 503';
ok $r->{headers}{'retry-after'}, 'and when to come again';
my ($create) = grep { $_->{event} eq 'create' } $stage->call_log;
my $form = {CallSid => $create->{call_sid}, CallStatus => 'completed', SequenceNumber => 99,
	Timestamp => 'Fri, 20 Aug 2010 01:13:42 +0000', CallDuration => 1};
my ($call) = $create->{status_callback} =~ /(\/api\/calls-twiml\/webhook\/status\?[^#]*)/;
$r = told(POST => $call, $form);
is $r->{status}, 503, 'a status webhook is refused, so that Twilio sends it again';
ok $r->{headers}{'retry-after'}, 'soon';
$r = told(POST => '/api/calls-twiml/webhook/conference?session=1', {ConferenceSid => 'CF' . 'a' x 32,
	StatusCallbackEvent => 'announcement-end'});
is $r->{status}, 503, 'so is the end of an announcement, which would be played again';
for my $method (qw(GET POST)) {
	$r = told($method => '/api/calls-twiml/twiml-agent?x=1', {CallSid => 'CA' . 'a' x 32});
	is $r->{status}, 200, "TwiML by $method is no error";
	is_deeply [twiml_complaints($r->{content})], [], 'but a document that Twilio takes';
	like $r->{content}, qr{<Redirect>twiml-agent\?x=1[^<]*#ct=2000&amp;rt=4500&amp;[^<]*</Redirect>},
		'which asks for the same again';
}
sleep 0.1 while time < $away + $AWAY;
my $before = $campaign->creates;
$pg->start;
my $back = time;
$stage->wait_until(15, 'dialling to go on', sub { $campaign->creates > $before });
pass sprintf 'dialling goes on by itself %.1f s after PostgreSQL is back', time - $back;
is $stage->worker, $worker, 'the worker is the same';
like do { local (@ARGV, $/) = $events; <> }, qr/database does not answer/i, 'listeners were told the reason';
$campaign->check_end(60);
is scalar(grep { ($_->{http_status} // 0) >= 500 } grep { $_->{event} eq 'twiml' } $stage->call_log), 0,
	'no TwiML was an error';
is_deeply [$campaign->left_out], [], 'every contact was called';
# Of these Twilio had tried all that it tries while nobody could store them: they are asked for.
my %refused = map { $_->{call_sid} => 1 } grep { $_->{event} eq 'webhook' && $_->{http_status} == 503
	&& $_->{url} =~ /status/ } $stage->call_log;
is_deeply [grep { $refused{$_->{twilioCallSid}} && $_->{outcome} ne 'completed' } @{$campaign->calls}], [],
	'what Twilio gave up telling is known all the same';
my ($late) = grep { $_->{twilioCallSid} eq $create->{call_sid} } @{$campaign->calls};
sub stored { grep { $_->{source} eq 'call' && ($_->{sequence} // 0) == 99 }
	@{$stage->api(GET => "/api/calls/$late->{id}")->{events}} }
is scalar(stored()), 0, 'nothing of what was refused was stored';
$r = told(POST => $call, $form);
is $r->{status}, 204, 'when it comes again it is taken' or diag $r->{content};
is scalar(stored()), 1, 'and stored';
contract_kept();

# A worker that dies meanwhile has successors, however long it lasts; the supervisor stays.
sub said { my ($what) = @_; open my $log, '<', "$stage->{dir}/gateway.log" or die $!; return scalar grep { /$what/ } <$log> }
my $supervisor = $stage->{pids}{gateway};
$pg->stop('INT');
kill 'KILL', $stage->worker;
$stage->wait_until(60, 'the next one to give up', sub { said('PostgreSQL does not answer') });
$pg->start;
$stage->wait_until(60, 'one that serves', sub { $stage->request(GET => '/readyz')->{status} == 200 });
is $stage->read_json("$stage->{dir}/gateway-data/run/addresses.json")->{pid}, $supervisor,
	'a worker that died while PostgreSQL was away is replaced, when it is back, by the same supervisor';
# Told to drain or to stop while there is none, it does so.
$pg->stop('INT');
kill 'KILL', $stage->worker;
$stage->wait_until(10, 'its end to be seen', sub { said('killed by signal 9') == 2 });
is $stage->stop('gateway'), 0, 'SIGTERM ends one that waits for PostgreSQL with 0';
$pg->start;
$stage->start_gateway;
$pg->stop('INT');
kill 'KILL', $stage->worker;
$stage->wait_until(10, 'its end to be seen', sub { said('killed by signal 9') == 3 });
kill 'USR1', $supervisor = delete $stage->{pids}{gateway};
kill 'KILL', $stage->wait_until(10, 'the next one', sub {
	local (@ARGV, $/) = "/proc/$supervisor/task/$supervisor/children";
	return (split ' ', <> // '')[0];
});
$pg->start;
$stage->wait_until(60, 'the drain to end', sub { waitpid($supervisor, POSIX::WNOHANG()) == $supervisor });
is $?, 0, 'a drain is not forgotten when the worker dies that was told';
$stage->{gateway_env}{DRAIN_TIMEOUT} = 1;
$stage->start_gateway;
$pg->stop('INT');
kill 'KILL', $stage->worker;
$stage->wait_until(10, 'its end to be seen', sub { said('killed by signal 9') == 5 });
kill 'USR1', $supervisor = delete $stage->{pids}{gateway};
$stage->wait_until(60, 'the drain to end', sub { waitpid($supervisor, POSIX::WNOHANG()) == $supervisor });
is $?, 0, 'a drain whose time is over while PostgreSQL is away ends with 0: nobody starts it again';
done_testing;
