#!/usr/bin/env perl
# One dial per intent: a campaign of 100 contacts under every fault that the sandbox knows, its
# worker killed ten times, each time between two system calls. Judged from calls.jsonl alone.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Time::HiRes qw(time);
use Omnivox::Faults;
use Omnivox::Judge qw(double_dials dialled_again attempts);
use Omnivox::Stage;

my $SEED = $ENV{OVX_SEED} || 20261124;
srand $SEED;
my $CONTACTS = 100;
my @kills = map { 600 + int rand 5000 } 1 .. 10;
my @numbers = map { sprintf '+1555222%04d', $_ } 1 .. $CONTACTS;

my $stage = Omnivox::Stage->new(
	population => [
		{match => '*', weight => 7, behaviour => 'human', ring_ms => 150, talk_ms => 300, say => 'tone:440'},
		{match => '*', weight => 1, behaviour => 'busy', ring_ms => 100, talk_ms => 0, say => 'silence'},
		{match => '*', weight => 1, behaviour => 'no_answer', ring_ms => 100, talk_ms => 0, say => 'silence'},
		{match => '*', weight => 1, behaviour => 'failed', ring_ms => 100, talk_ms => 0, say => 'silence'},
	],
	sandbox_env => {SANDBOX_RECORD => 0},
	gateway_env => {AMBIGUOUS_AFTER => 3, RECONCILE_AFTER => 2});
$stage->start_sandbox;

# The plan of deaths: the n-th system call of each worker's life.
my $plan = "$stage->{dir}/kill.plan";
open my $fh, '>', $plan or die $!;
print $fh map { "$_\n" } @kills;
close $fh;
$stage->{gateway_env}{OVX_KILL_PLAN} = $plan;
$stage->{gateway_env}{LD_PRELOAD} = "$Omnivox::Stage::BUILD/tests/tools/ovx-kill.so";

# Requests of the test itself meet dying workers: they are repeated when that does no harm.
sub patiently {
	my ($code) = @_;
	my $end = time + 60;
	while (1) {
		my $got = eval { $code->() };
		return $got if defined $got;
		die $@ if time > $end;
		Time::HiRes::sleep(0.1);
	}
}

$stage->start_gateway;
patiently(sub { $stage->login });
my $campaign = patiently(sub {
	$stage->make_campaign({callGapMs => 0, batchGapMs => 0, batchSize => 100, wrapUpS => 0,
		ringTimeoutS => 5, maxAttempts => 3, retry => {map { ($_ => {afterS => 7200, max => 3}) }
			qw(busy no_answer failed canceled unknown)}}, @numbers) });
my $serial = 0;
my @agents = map {
	patiently(sub { $stage->make_agent('agent' . ++$serial, $campaign) })
} 1 .. 3;
for my $agent (@agents) {
	$stage->start_phone($agent, hz => 880);
	patiently(sub { $stage->wait_registered($agent) });
	patiently(sub {
		$stage->request(POST => "/api/agents/$agent->{id}/session", {campaignId => $campaign});
		my $r = $stage->request(POST => "/api/agents/$agent->{id}/session/ready");
		return $r->{success} ? 1 : undef });
}

my $faults = Omnivox::Faults->new($stage, rate => 0.1, delay_ms => 400, seed => $SEED);
patiently(sub {
	my $r = $stage->request(POST => "$Omnivox::Stage::CM/campaigns/$campaign/auto-dial");
	return $r->{success} || $r->{status} == 409 ? 1 : undef });

sub all_entries {
	return patiently(sub {
		$stage->api(GET => "$Omnivox::Stage::CM/campaigns/$campaign/queue?limit=500")->{queueEntries} });
}

sub all_calls {
	return patiently(sub {
		my @calls;
		my $before = 0;
		do {
			my $page = $stage->api(GET => "/api/calls?limit=200&before=$before");
			push @calls, @{$page->{calls}};
			$before = $page->{nextCursor};
		} while ($before);
		return \@calls;
	});
}

# Until every kill has happened and nothing is under way.
my $now = sub { POSIX::strftime('%Y-%m-%dT%H:%M:%S', gmtime) };
my $deaths = sub { open my $log, '<', "$plan.log" or return 0; my @l = <$log>; return scalar @l };
$stage->wait_until(240, 'the campaign to come to rest', sub {
	$faults->go_on;
	my @busy = grep { $_->{status} eq 'dialing'
		|| ($_->{status} eq 'pending' && $_->{runAt} lt $now->()) } @{all_entries()};
	return !@busy && $deaths->() >= @kills;
});
$faults->stop;
$stage->wait_until(30, 'every call to be settled', sub {
	!grep { $_->{state} ne 'ended' } @{all_calls()} });

my @log = $stage->call_log;
my %made = attempts(@log);
is_deeply [double_dials(@log)], [], 'no (entry, attempt) was created twice';
is_deeply [dialled_again(@log)], [], 'no number was dialled twice: every later try is two hours away';
cmp_ok scalar(keys %made), '>=', $CONTACTS * 0.6, 'the sandbox saw the campaign';
my ($line) = grep { $_->{event} eq 'create' } @log;
isnt scalar(double_dials(@log, $line)), 0, 'the judge fails when one create is doubled by hand';
my %next = (%$line, status_callback => $line->{status_callback} =~ s/attempt=\K\d+/99/r);
is scalar(dialled_again(@log, \%next)), 1, 'and when it comes back as the next attempt';

my @entries = @{all_entries()};
is scalar(@entries), $CONTACTS, 'every contact has its entry';
# A number that Twilio cannot call is not tried again.
is_deeply [grep { $_->{status} ne 'completed'
	&& !($_->{status} eq 'skipped' && $_->{outcome} eq 'failed')
	&& !($_->{status} eq 'pending' && $_->{runAt} gt $now->()) } @entries], [],
	'every entry is completed, pending with a later try, or skipped for its number';
is_deeply [grep { $_->{contact}{locked} } @entries], [], 'no contact is locked';
for my $agent (@agents) {
	my $session = $stage->wait_until(30, "$agent->{username} to be free", sub {
		my $s = $stage->agent_session($agent);
		return $s && $s->{state} =~ /^(ready|paused)$/ && !$s->{callId} ? $s : undef });
	ok $session, "$agent->{username} is free";
}

my @calls = @{all_calls()};
my %fired = $faults->fired;
my %status;
$status{$_->{status}}++ for @entries;
diag sprintf 'seed %d: %d calls, %d went through ambiguous, %d kills; entries: %s', $SEED,
	scalar @calls, scalar(grep { $_->{wasAmbiguous} } @calls), $deaths->(),
	join ', ', map { "$status{$_} $_" } sort keys %status;
diag 'faults fired: ' . join ', ', map { "$_ $fired{$_}" } sort keys %fired;
is_deeply [grep { !$fired{$_} } keys %fired], [], 'every fault that the sandbox knows happened';
is $deaths->(), scalar @kills, 'ten workers were killed';
done_testing;
