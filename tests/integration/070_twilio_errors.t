#!/usr/bin/env perl
# What Twilio's errors stop: a number, a caller id, a country, the account; each with its reason,
# none at the cost of an attempt that was not made. And Twilio away for a while: nothing is lost,
# and it goes on by itself.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Omnivox::Between;
use Omnivox::Contract;
use Omnivox::Stage;

my $CM = $Omnivox::Stage::CM;
my $contract = Omnivox::Contract->new("$Omnivox::Stage::TOP/docs/openapi.yaml");
my $stage = Omnivox::Stage->new(population => [
	{match => '*', weight => 1, behaviour => 'human', ring_ms => 100, talk_ms => 300, say => 'tone:440'}]);
$stage->start_sandbox;
my $between = Omnivox::Between->new(to => "http://$stage->{sandbox}{http}", dir => $stage->dir);
$stage->{gateway_env}{TWILIO_API_BASE} = $between->url;
$stage->start_gateway;
$stage->login;

sub status {
	my $answer = $stage->request(GET => '/api/twilio/status');
	my @wrong = $contract->complaints(GET => '/api/twilio/status', $answer);
	die "status: @wrong" if @wrong;
	return $answer->{json}{data};
}

sub resume {
	my ($body) = @_;
	my $answer = $stage->request(POST => '/api/twilio/resume', $body // {});
	my @wrong = $contract->complaints(POST => '/api/twilio/resume', $answer);
	is "@wrong", '', 'resume answers as its contract says';
	return $answer;
}

sub entries {
	my ($campaign) = @_;
	return @{$stage->api(GET => "$CM/campaigns/$campaign/queue")->{queueEntries}};
}

sub creates {
	return scalar grep { $_->{method} eq 'POST' && $_->{path} =~ /Participants/ } @{$between->requests};
}

my $campaign = $stage->make_campaign({wrapUpS => 0, callGapMs => 0, batchGapMs => 0, callerId => '+15550000001'},
	'+14155550101', '+447400123456', '+14155550103', '+14155550104', map { "+44740055000$_" } 1 .. 6);
my $agent = $stage->make_agent('ana', $campaign);
$stage->start_phone($agent);
$stage->wait_registered($agent);
$stage->agent_ready($agent, $campaign);
$stage->wait_until(10, 'the first probe', sub { status()->{reachable} });
is_deeply status()->{stops}, [], 'nothing is stopped at first';

my @entry = sort { $a->{id} <=> $b->{id} } entries($campaign);
sub call_now {
	my ($entry) = @_;
	return $stage->request(POST => "$CM/campaigns/$campaign/queue/$entry->{id}/call", {});
}
sub entry_now {
	my ($entry) = @_;
	return grep { $_->{id} eq $entry->{id} } entries($campaign);
}

# Why auto-dial does what it does.
sub reason {
	return $stage->api(GET => "$CM/campaigns/$campaign")->{campaign}{runReason} // '';
}

# A bad number: skipped, and nothing else is.
$between->answer('POST .*Participants', 400, {code => 21211, message => "Invalid 'To' Phone Number"});
my $answer = call_now($entry[0]);
is $answer->{status}, 502, 'a number that Twilio refuses is told as it happens';
like $answer->{json}{error}{message}, qr/cannot be called.*Correct the contact.*21211/, 'with reason and remedy';
$stage->wait_until(5, 'the entry to be skipped', sub { (entry_now($entry[0]))[0]{status} eq 'skipped' });
like $answer->{json}{error}{message}, qr/has left the queue, until somebody queues it again\.$/,
	'and the fate of its contact';
my ($skipped) = entry_now($entry[0]);
is $skipped->{reason}, 'refused', 'it says why';
like $skipped->{reasonText}, qr/cannot be called.*Correct the contact/, 'with what to do';
is scalar @{status()->{stops}}, 0, 'and it stops nothing else';

# Permissions are given to ranges of numbers: one that is refused is skipped, and its country goes on.
sub refused_there {
	my ($entry) = @_;
	$between->answer('POST .*Participants', 400, {code => 21215, message => 'Account not authorized to call'});
	$stage->wait_until(8, 'the agent', sub { $stage->agent_session($agent)->{state} eq 'ready' });
	$answer = call_now($entry);
	is $answer->{status}, 502, 'a number that the account may not call' or diag $answer->{content};
	like $answer->{json}{error}{message}, qr/Geo permissions.*has left the queue, until somebody queues it again\.$/,
		'leaves the queue, with what to do';
	$stage->wait_until(5, 'it to be skipped', sub { (entry_now($entry))[0]{reason} eq 'refused' });
}
refused_there($_) for @entry[4, 5];
$between->answer;
$stage->wait_until(8, 'the agent', sub { $stage->agent_session($agent)->{state} eq 'ready' });
is call_now($entry[6])->{status}, 200, 'another number of that country is called as ever';
refused_there($_) for @entry[7, 8];
is_deeply status()->{stops}, [], 'four refused ones stop nothing, for one was called between';

# Three in a row are their country, also with a restart between: its numbers wait, others go on.
$stage->stop('gateway');
$stage->start_gateway;
$stage->login;
refused_there($entry[1]);
my ($stop) = @{$stage->wait_until(5, 'the stop', sub { my $s = status()->{stops}; @$s ? $s : undef })};
is "$stop->{scope} $stop->{key} $stop->{kind} $stop->{code}", 'country GB country 21215',
	'the third in a row stops the country';
like $stop->{reason}, qr/3 of its numbers.*Geo permissions.*then resume/, 'with what to do';
is $stop->{nextProbeAt}, undef, 'until somebody resumes';
$between->answer;
$stage->wait_until(8, 'the agent', sub { $stage->agent_session($agent)->{state} eq 'ready' });
$answer = call_now($entry[9]);
is $answer->{status}, 422, 'another number of it is not permitted' or diag $answer->{content};
is $answer->{json}{error}{details}{rule}, 'twilio.country', 'by the rule of countries';
my ($waiting) = entry_now($entry[9]);
is "$waiting->{status} $waiting->{attempts}", 'pending 0', 'the contact keeps its place and its attempts';
is call_now($entry[2])->{status}, 200, 'another country is called as ever';
$stage->wait_until(10, 'that call to end', sub { $stage->agent_session($agent)->{state} eq 'ready' });
is resume({id => $stop->{id}})->{json}{data}{resumed}, 1, 'an operator resumes';
is resume({id => $stop->{id}})->{status}, 404, 'once';

# A caller id.
$between->answer('POST .*Participants', 400,
	{code => 21210, message => 'The source phone number provided is not yet verified'});
is call_now($entry[3])->{status}, 502, 'a caller id that is not ours';
($stop) = @{$stage->wait_until(5, 'the stop', sub { my $s = status()->{stops}; @$s ? $s : undef })};
is "$stop->{scope} $stop->{key}", 'caller +15550000001', 'is stopped';
$between->answer;
$stage->wait_until(8, 'the agent', sub { $stage->agent_session($agent)->{state} eq 'ready' });
my $before = creates();
$stage->api(POST => "/api/agents/$agent->{id}/session/pause", {reason => 'lunch'});
$stage->api(POST => "$CM/campaigns/$campaign/auto-dial");
$stage->wait_until(10, 'the reason', sub {
	reason() =~ /caller id is not the account's/ });
pass 'auto-dial says why it would not dial, were an agent ready';
$stage->api(POST => "/api/agents/$agent->{id}/session/ready");
$stage->wait_until(8, 'the agent', sub { $stage->agent_session($agent)->{state} eq 'ready' });
like reason(), qr/caller id is not the account's/, 'and why it does not, now that one is';
is creates(), $before, 'and nothing is sent';
is call_now($entry[3])->{status}, 503, 'nor by hand';
$stage->api(POST => "$CM/campaigns/$campaign/auto-dial/stop");
is resume()->{json}{data}{resumed}, 1, 'all stops are ended at once';

# The account: nothing is dialled until Twilio knows us again.
$between->answer('.', 401, {code => 20003, message => 'Authenticate'});
is call_now($entry[3])->{status}, 502, 'credentials that do not work';
($stop) = @{$stage->wait_until(5, 'the stop', sub { my $s = status()->{stops}; @$s ? $s : undef })};
is "$stop->{scope} $stop->{kind} $stop->{code}", 'account account 20003', 'stop the account';
ok $stop->{nextProbeAt}, 'until a probe is answered well';
$stage->wait_until(5, 'the last error', sub { (status()->{lastError}{code} // 0) == 20003 });
is call_now($entry[3])->{status}, 503, 'meanwhile nobody is called';
my ($kept) = entry_now($entry[3]);
is "$kept->{status} $kept->{attempts}", 'pending 0', 'the contact lost no attempt in all this';
is $stage->request(POST => '/api/twilio/resume', {id => 'x'})->{status}, 422, 'an id must be one';
$between->answer;
resume();
$stage->wait_until(8, 'the agent', sub { $stage->agent_session($agent)->{state} eq 'ready' });
is call_now($entry[3])->{status}, 200, 'then it is called';
$stage->wait_until(10, 'that call to end', sub { $stage->agent_session($agent)->{state} eq 'ready' });

# Twilio is away for a while, in the middle of a campaign.
my $list = $stage->api(POST => "$CM/data-lists", {name => 'More', campaignId => $campaign})->{dataList};
my @numbers = map { sprintf '+141555502%02d', $_ } 1 .. 12;
$stage->api(POST => "$CM/data-lists/$list->{id}/upload", "phone\n" . join("\n", @numbers) . "\n",
	{'Content-Type' => 'text/csv'});
$stage->api(POST => "$CM/campaigns/$campaign/generate-queue", {});
$stage->api(POST => "$CM/campaigns/$campaign/auto-dial");
$stage->wait_until(10, 'dialling', sub { creates() > $before + 4 });
$between->away;
my $reason = $stage->wait_until(30, 'the stop', sub {
	my ($s) = @{status()->{stops}}; $s && $s->{code} == 1 ? $s->{reason} : undef });
like $reason, qr/cannot be reached/, 'Twilio away is said';
$stage->wait_until(5, 'the status to say so', sub { !status()->{reachable} });
$stage->wait_until(10, 'the reason', sub {
	reason() =~ /cannot be reached/ });
pass 'and of auto-dial';
sleep 1 for 1 .. ($ENV{OVX_AWAY_S} // 5);
$between->back;
$stage->wait_until(90, 'the campaign to be done', sub {
	my $s = $stage->api(GET => "$CM/campaigns/$campaign/queue")->{stats}{statusBreakdown};
	$s->{pending} + $s->{dialing} == 0 });
is_deeply status()->{stops}, [], 'when Twilio is back, it goes on by itself';
my %dialled;
$dialled{$_->{to}}++ for grep { $_->{event} eq 'create' } $stage->call_log;
is_deeply [map { $dialled{$_} // 0 } @numbers], [(1) x 12], 'everybody was called, once';
my @more = grep { my $phone = $_->{contact}{phone}; grep { $_ eq $phone } @numbers } entries($campaign);
is_deeply [map { "$_->{status} $_->{attempts}" } @more], [('completed 1') x 12],
	'and it cost nobody an attempt';

# A country is not allowed, and then it is: who waited is called at once.
my $abroad = $stage->make_campaign({wrapUpS => 0, callGapMs => 0, batchGapMs => 0, callerId => '+15550000001'},
	map { "+4474006600$_" } 10 .. 25);
$stage->api(POST => "$CM/campaigns/$abroad/join-agent", {agentId => $agent->{id}});
$stage->api(DELETE => "/api/agents/$agent->{id}/session");
$between->answer('POST .*Participants', 400, {code => 21215, message => 'Account not authorized to call'});
$stage->agent_ready($agent, $abroad);
$stage->api(POST => "$CM/campaigns/$abroad/auto-dial");
$stage->wait_until(30, 'the country to be stopped', sub { @{status()->{stops}} });
my @wait = @{$stage->wait_until(15, 'the others to wait for it', sub {
	my @left = grep { $_->{status} eq 'pending' } entries($abroad);
	return !(grep { $_->{reason} ne 'twilio' } @left) && \@left })};
cmp_ok scalar(@wait), '>=', 10, 'most of its numbers wait';
my $until = time + 30;
$between->answer;
resume();
$stage->wait_until(30, 'them to be due', sub { !(grep { $_->{reason} eq 'twilio' } entries($abroad)) });
cmp_ok time, '<', $until, 'resumed, they do not wait for their minute to pass';
$stage->api(POST => "$CM/campaigns/$abroad/auto-dial/stop");
$stage->wait_until(15, 'the last of them to end', sub { $stage->agent_session($agent)->{state} eq 'ready' });

# An error that costs the only attempt.
my $once = $stage->make_campaign({wrapUpS => 0, maxAttempts => 1, callerId => '+15550000001'}, '+14155550301');
$stage->api(POST => "$CM/campaigns/$once/join-agent", {agentId => $agent->{id}});
$stage->api(DELETE => "/api/agents/$agent->{id}/session");
$stage->agent_ready($agent, $once);
$between->answer('POST .*Participants', 400, {code => 12400, message => 'Internal Failure'});
my ($only) = entries($once);
$answer = $stage->request(POST => "$CM/campaigns/$once/queue/$only->{id}/call", {});
like $answer->{json}{error}{message}, qr/No attempt is left: the contact has left the queue\.$/,
	'who has no attempt left is said to have left the queue';
is((entries($once))[0]{status}, 'completed', 'and has');
my ($said) = `grep -c 'account is stopped: Twilio cannot be reached' $stage->{dir}/gateway.log`;
is $said + 0, 1, 'the log says it once';
done_testing;
