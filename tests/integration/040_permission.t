#!/usr/bin/env perl
# Nobody is called without permission: calling hours where the contact is, the do-not-call list,
# attempts of a day over all campaigns, and limits; each with its reason, and each stops both
# auto-dial and Call Now. Judged from calls.jsonl.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use POSIX qw(strftime);
use Test::More;
use Time::HiRes qw(time sleep);
use Omnivox::Asking;
use Omnivox::Stage;

my $CM = $Omnivox::Stage::CM;
my ($LONDON, $SYDNEY) = ('+442079460001', '+61291234567');
my ($DEAF, $BEN) = ('+15551150001', '+15557770001');
my $stage = Omnivox::Stage->new(population => [
	{match => $DEAF, behaviour => 'no_answer', ring_ms => 60000},
	{match => $BEN, behaviour => 'human', ring_ms => 100, talk_ms => 0, say => 'tone:1330'},
	{match => '*', weight => 1,
		behaviour => 'human', ring_ms => 100, talk_ms => 300, say => 'tone:440'}]);
asking($stage);
$stage->start_sandbox;
$stage->start_gateway;
$stage->login;

sub creates { my ($to) = @_; scalar grep { $_->{event} eq 'create' && $_->{to} eq $to } $stage->call_log }
sub entries { data(GET => "$CM/campaigns/$_[0]/queue?limit=500")->{queueEntries} }
sub entry { my ($c, $to) = @_; (grep { $_->{contact}{phone} eq $to } @{entries($c)})[0] }

sub waits {
	my ($campaign, $code) = @_;
	my ($row) = grep { $_->{code} eq $code }
		@{data(GET => "$CM/campaigns/$campaign/auto-dial")->{contacts}};
	return $row ? $row->{count} : 0;
}

# The same window on every day, by the clock of a zone, from so many minutes from now on.
sub window {
	my ($zone, $from, $to) = @_;
	local $ENV{TZ} = $zone;
	POSIX::tzset();
	my @at = map { strftime('%H:%M', localtime(time + 60 * $_)) } $from, $to;
	return {map { ($_ => [{from => $at[0], to => $at[1]}]) } qw(mon tue wed thu fri sat sun)};
}

# A zone in which it is about noon: a day that does not end while it is looked at.
sub noon { return sprintf 'Etc/GMT%+d', (gmtime)[2] - 12 }

my $agent;
sub campaign {
	my ($settings, @numbers) = @_;
	my $id = $stage->make_campaign({callGapMs => 0, batchGapMs => 0, wrapUpS => 0,
		maxAttemptsPer24h => 9, %$settings}, @numbers);
	if ($agent) {
		$stage->api(POST => "$CM/campaigns/$id/join-agent", {agentId => $agent->{id}});
		$stage->wait_until(15, 'the sign-out', sub {
			$stage->request(DELETE => "/api/agents/$agent->{id}/session")->{success} });
	} else {
		$agent = $stage->make_agent('ana', $id);
		$stage->start_phone($agent);
		$stage->wait_registered($agent);
	}
	$stage->agent_ready($agent, $id);
	return $id;
}

subtest 'calling hours are those of the contact' => sub {
	my $id = campaign({callingHours => window('Europe/London', -60, 60)}, $LONDON, $SYDNEY);
	my $sydney = entry($id, $SYDNEY)->{id};
	my $look = data(GET => "$CM/campaigns/$id/queue/$sydney");
	is_deeply $look->{timeZones}, ['Australia/Sydney'], 'the zone is the number\'s';
	is $look->{verdict}{rule}, 'hours.closed', 'it is night there';
	my $r = ask(POST => "$CM/campaigns/$id/queue/$sydney/call", {agentId => $agent->{id}});
	is "$r->{status} " . ($r->{json}{error}{details}{rule} // ''), '422 hours.closed',
		'Call Now is refused and says so';
	data(POST => "$CM/campaigns/$id/auto-dial");
	$stage->wait_until(15, 'London to be called', sub { entry($id, $LONDON)->{status} eq 'completed' });
	$stage->wait_until(10, 'Sydney to wait for its hours', sub { waits($id, 'hours') == 1 });
	my $e = entry($id, $SYDNEY);
	is $e->{status}, 'pending', 'the contact stays in the queue';
	is $e->{runAt}, $look->{verdict}{earliest}, 'until the first minute that is allowed';
	is scalar @{data(GET => "$CM/campaigns/$id/queue?reason=hours")->{queueEntries}}, 1,
		'and is found by its reason';
	is creates($SYDNEY), 0, 'nobody rang there';
	data(PUT => "$CM/campaigns/$id", {callingHours => undef});
	$stage->wait_until(15, 'the call after the hours were changed', sub { creates($SYDNEY) == 1 });
	my ($call) = @{data(GET => "/api/calls?campaignId=$id")->{calls}};
	is_deeply $call->{verdict}, {rule => 'allowed', version => 5}, 'the verdict stands in the call';
	is creates($LONDON), 1, 'and each was called once';
};

subtest 'a number that does not tell its time zone' => sub {
	# A satellite's, one of no country, and one that is free of charge in all of North America.
	my @numbers = qw(+870773111632 +80012345678 +18005550123);
	my $id = campaign({callingHours => window('America/New_York', -60, 60)}, @numbers);
	for my $e (@{entries($id)}) {
		my $verdict = data(GET => "$CM/campaigns/$id/queue/$e->{id}")->{verdict};
		is_deeply [@$verdict{qw(rule code earliest)}], ['hours.zone', 'time_zone', undef],
			"$e->{contact}{phone} waits for somebody to say it";
	}
	data(POST => "$CM/campaigns/$id/auto-dial");
	$stage->wait_until(15, 'all to wait', sub { waits($id, 'time_zone') == 3 });
	my ($row) = grep { $_->{code} eq 'time_zone' } @{data(GET => "$CM/campaigns/$id/auto-dial")->{contacts}};
	is $row->{earliest}, undef, 'and nobody knows until when';
	like $row->{reason}, qr/fallbackTimeZone/, 'but what to do';
	data(PUT => "$CM/campaigns/$id", {fallbackTimeZone => 'America/New_York'});
	$stage->wait_until(20, 'all of them', sub { !grep { entry($id, $_)->{status} ne 'completed' } @numbers });
	is creates($_), 1, "$_ rang" for @numbers;
	my $e = entry($id, $numbers[2])->{id};
	is_deeply data(GET => "$CM/campaigns/$id/queue/$e")->{timeZones}, ['America/New_York'],
		'where the campaign says that it is';
};

subtest 'who must not be called' => sub {
	my $id = campaign({}, '+15551120001');
	data(POST => '/api/admin/dnc', {phoneNumber => '+15551120001'});
	is entry($id, '+15551120001')->{reason}, 'dnc', 'the waiting entry is skipped';
	# One that was queued after the number was put on the list.
	my $e = entry($id, '+15551120001')->{id};
	data(POST => "$CM/campaigns/$id/queue/$e/requeue");
	my $r = ask(POST => "$CM/campaigns/$id/queue/$e/call", {agentId => $agent->{id}});
	is $r->{json}{error}{details}{rule}, 'dnc.installation', 'Call Now is refused';
	is entry($id, '+15551120001')->{status}, 'skipped', 'and the entry is skipped again';
	data(POST => "$CM/campaigns/$id/queue/$e/requeue");
	data(POST => "$CM/campaigns/$id/auto-dial");
	$stage->wait_until(10, 'auto-dial to skip it', sub { waits($id, 'dnc') == 1 });
	is creates('+15551120001'), 0, 'nobody rang there';
};

subtest 'attempts of a day count over all campaigns' => sub {
	my $first = campaign({}, '+15551130001');
	data(POST => "$CM/campaigns/$first/auto-dial");
	$stage->wait_until(15, 'the first call', sub { entry($first, '+15551130001')->{status} eq 'completed' });
	my $second = campaign({maxAttemptsPer24h => 1}, '+15551130001', '+15551130002');
	data(POST => "$CM/campaigns/$second/auto-dial");
	$stage->wait_until(15, 'the other contact', sub { entry($second, '+15551130002')->{status} eq 'completed' });
	my $e = entry($second, '+15551130001');
	is $e->{reason}, 'attempts_24h', 'the number waits';
	my ($call) = @{data(GET => "/api/calls?campaignId=$first")->{calls}};
	my ($day) = map { s/^\d{4}-\d\d-//r } $call->{placedAt};
	isnt substr($e->{runAt}, 0, 10), substr($call->{placedAt}, 0, 10), 'until tomorrow';
	is substr($e->{runAt}, 11, 8), substr($call->{placedAt}, 11, 8), 'at the time of that call';
	is creates('+15551130001'), 1, 'it rang once';
};

subtest 'limits of a day' => sub {
	my @numbers = map { "+1555114000$_" } 1 .. 4;
	my $zone = noon();
	my $id = campaign({timeZone => $zone, limits => {callsPerDay => 2}}, @numbers);
	data(POST => "$CM/campaigns/$id/auto-dial");
	my $status;
	$stage->wait_until(20, 'the limit', sub {
		$status = data(GET => "$CM/campaigns/$id/auto-dial");
		$status->{code} eq 'limit' && $status->{stats}{completed} == 2 });
	like $status->{reason}, qr/all the calls .* in a day/, 'it says which';
	is waits($id, 'limit'), 2, 'two contacts wait for it';
	my ($waiting) = grep { $_->{code} eq 'limit' } @{$status->{contacts}};
	is substr($waiting->{earliest} // '', 11), sprintf('%02d:00:00.000Z', ($zone =~ s/.*GMT//r) % 24),
		'until the next midnight of the campaign';
	is $status->{use}{callsToday}, 2, 'and the calls are counted';
	is((grep { $_->{agentId} eq $agent->{id} } @{$status->{agents}})[0]{code}, 'limit',
		'so does the agent');
	my ($left) = grep { $_->{status} eq 'pending' } @{entries($id)};
	my $r = ask(POST => "$CM/campaigns/$id/queue/$left->{id}/call", {agentId => $agent->{id}});
	is $r->{json}{error}{details}{rule}, 'limit.calls_day', 'Call Now is refused as well';
	data(PUT => "$CM/campaigns/$id", {limits => {callsPerDay => undef, costTotal => 1,
		costPerMinute => 1}});
	$stage->wait_until(10, 'the limit of cost', sub {
		data(GET => "$CM/campaigns/$id/auto-dial")->{reason} =~ /all that it may spend/ });
	data(PUT => "$CM/campaigns/$id", {limits => {costTotal => undef}});
	$stage->wait_until(20, 'the rest', sub {
		data(GET => "$CM/campaigns/$id/auto-dial")->{stats}{completed} == 4 });
	is creates($_), 1, "$_ rang once" for @numbers;
};

subtest 'what a call that only rings may use' => sub {
	my $id = campaign({timeZone => noon(), limits => {minutesPerDay => 1}}, $DEAF, '+15551150002');
	my $ben = $stage->api(POST => '/api/agents', {username => 'ben', name => 'Ben',
		endpoint => {type => 'phone', number => $BEN}})->{agent};
	$stage->api(POST => "$CM/campaigns/$id/join-agent", {agentId => $ben->{id}});
	$stage->agent_ready({id => $ben->{id}, username => 'ben'}, $id);
	data(POST => "$CM/campaigns/$id/auto-dial");
	my $status;
	$stage->wait_until(15, 'the other agent to wait', sub {
		$status = data(GET => "$CM/campaigns/$id/auto-dial");
		$status->{code} eq 'under_way' });
	like $status->{reason}, qr/under way may use the rest of the minutes/, 'it says for what';
	is $status->{use}{minutesToday}, 0, 'and nothing is used';
	is waits($id, 'under_way'), 1, 'so says the contact';
	is scalar(grep { $_->{code} eq 'under_way' } @{$status->{agents}}), 1, 'and the agent';
	my $e = entry($id, '+15551150002')->{id};
	is data(GET => "$CM/campaigns/$id/queue/$e")->{verdict}{rule}, 'open.minutes_day',
		'Call Now would be refused as well';
	my ($call) = grep { $_->{event} eq 'create' && $_->{to} eq $DEAF } $stage->call_log;
	$stage->sandbox_post('/sandbox/hangup', {call_sid => $call->{call_sid}});
	$stage->wait_until(30, 'the next call when that one has ended', sub {
		creates('+15551150002') });
	$stage->wait_until(15, 'its minute', sub {
		data(GET => "$CM/campaigns/$id/auto-dial")->{use}{minutesToday} == 1 });
	is creates($DEAF), 1, 'each rang once';
};

contract_kept();
undef $stage;
done_testing;
