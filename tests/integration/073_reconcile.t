#!/usr/bin/env perl
# No webhook at all gets through for a while, and the gateway is away while calls end: what became
# of calls and legs is asked for at Twilio, never faster than it may be. And the ends that Twilio
# tells of calls that came in, signed with either token.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Digest::SHA qw(hmac_sha1);
use HTTP::Tiny;
use MIME::Base64 qw(encode_base64);
use Test::More;
use Omnivox::Between;
use Omnivox::Stage;

my $CM = $Omnivox::Stage::CM;
my $SECOND = 'the-second-auth-token-012345678901';
my $stage = Omnivox::Stage->new(population => [
	{match => '+14155551*', weight => 1, behaviour => 'busy', ring_ms => 200},
	{match => '+14155552*', weight => 1, behaviour => 'human', ring_ms => 100, talk_ms => 4000, say => 'tone:440'},
	{match => '+14155553*', weight => 1, behaviour => 'human', ring_ms => 100, talk_ms => 0, say => 'tone:440'},
	{match => '*', weight => 1, behaviour => 'human', ring_ms => 200, talk_ms => 600, say => 'tone:440'}]);
$stage->start_sandbox;
my $between = Omnivox::Between->new(to => "http://$stage->{sandbox}{http}", dir => $stage->dir);
$stage->{gateway_env} = {TWILIO_API_BASE => $between->url, RECONCILE_AFTER => 1,
	TWILIO_AUTH_TOKEN_SECONDARY => $SECOND};
$stage->sandbox_put('/sandbox/faults', {kind => 'drop', rate => 1, seed => 1, delay_ms => 0});
$stage->start_gateway;
$stage->login;
my @numbers = ('+14155550101', '+14155551101', '+14155550102', '+14155551102', '+14155550103');
my $campaign = $stage->make_campaign({wrapUpS => 0, callGapMs => 0, batchGapMs => 0, maxAttempts => 1,
	callerId => '+15550000001'}, @numbers);
my $agent = $stage->make_agent('ana', $campaign);
$stage->start_phone($agent);
$stage->wait_registered($agent);
$stage->agent_ready($agent, $campaign);
pass 'the agent is ready without a webhook: its leg was looked for';

sub settled {
	my ($id) = @_;
	my $s = $stage->api(GET => "$CM/campaigns/$id/queue")->{stats}{statusBreakdown};
	return $s->{pending} + $s->{dialing} == 0;
}
$stage->api(POST => "$CM/campaigns/$campaign/auto-dial");
$stage->wait_until(120, 'the campaign to be done', sub { settled($campaign) });
my %outcome = map { $_->{number} => $_->{outcome} } @{$stage->api(GET => '/api/calls')->{calls}};
is_deeply \%outcome, {map { $_ => /5551/ ? 'busy' : 'completed' } @numbers},
	'every end was found at Twilio';
my $faults = $stage->sandbox_get('/sandbox/faults');
my ($drop) = grep { $_->{kind} eq 'drop' } @{$faults->{faults}};
cmp_ok $drop->{fired}, '>', 10, 'while every webhook was lost';
my %dialled;
$dialled{$_->{to}}++ for grep { $_->{event} eq 'create' } $stage->call_log;
is_deeply \%dialled, {map { $_ => 1 } @numbers}, 'nobody was called twice';
my %second;
$second{int $_->{t}}++ for grep { $_->{method} eq 'GET' } @{$between->requests};
my ($most) = sort { $b <=> $a } values %second;
cmp_ok $most, '<=', 45, "Twilio was asked $most times in the busiest second";

# Calls that end while we are away.
my $away = $stage->make_campaign({wrapUpS => 0, callGapMs => 0, batchGapMs => 0, maxAttempts => 1,
	callerId => '+15550000001'}, '+14155552101');
$stage->api(POST => "$CM/campaigns/$away/join-agent", {agentId => $agent->{id}});
$stage->api(DELETE => "/api/agents/$agent->{id}/session");
$stage->agent_ready($agent, $away);
$stage->api(POST => "$CM/campaigns/$away/auto-dial");
$stage->wait_until(20, 'the call to be answered', sub {
	my ($c) = @{$stage->api(GET => '/api/calls')->{calls}};
	$c->{number} eq '+14155552101' && $c->{state} =~ /answered|bridged/ });
$stage->stop('gateway');
$stage->wait_until(20, 'the customer to hang up', sub {
	grep { $_->{event} eq 'ended' && ($_->{to} // '') eq '+14155552101' } $stage->call_log });
$stage->start_gateway;
$stage->login;
$stage->wait_until(20, 'the end to be found', sub { settled($away) });
my ($call) = @{$stage->api(GET => '/api/calls')->{calls}};
is "$call->{state} $call->{outcome}", 'ended completed', 'a call that ended while we were away is known to have ended';
is scalar(grep { $_->{event} eq 'create' && $_->{to} eq '+14155552101' } $stage->call_log), 1, 'and was made once';

# Who joined is found in the conference: they are recorded, and can be held.
my $kept = $stage->make_campaign({wrapUpS => 0, recordCalls => JSON::PP::true, callerId => '+15550000001'},
	'+14155553101');
$stage->api(POST => "$CM/campaigns/$kept/join-agent", {agentId => $agent->{id}});
$stage->api(DELETE => "/api/agents/$agent->{id}/session");
$stage->agent_ready($agent, $kept);
my ($entry) = @{$stage->api(GET => "$CM/campaigns/$kept/queue")->{queueEntries}};
my $talk = $stage->api(POST => "$CM/campaigns/$kept/queue/$entry->{id}/call", {})->{callRecord}{id};
$stage->wait_until(20, 'the recording', sub {
	my ($r) = @{$stage->api(GET => "/api/recordings?callId=$talk")->{recordings}};
	$r && $r->{state} eq 'recording' });
is $stage->api(GET => "/api/calls/$talk")->{call}{state}, 'bridged', 'whose join nobody told is found in the conference, and recorded';
is $stage->api(POST => "/api/calls/$talk/hold")->{controls}{customerHeld} ? 1 : 0, 1, 'and can be held';
$stage->api(POST => "/api/calls/$talk/hangup");
$stage->wait_until(20, 'that call to end', sub { $stage->api(GET => "/api/calls/$talk")->{call}{state} eq 'ended' });

# The end of a call by its SID alone, as a number's status callback tells it.
$stage->sandbox_put('/sandbox/faults', {kind => 'drop', rate => 0, seed => 1, delay_ms => 0});
sub webhook {
	my ($token, $query, %p) = @_;
	my $url = "http://$stage->{gateway}{http}/api/calls-twiml/webhook/status$query";
	my $signature = encode_base64(hmac_sha1($url . join('', map { "$_$p{$_}" } sort keys %p), $token), '');
	return HTTP::Tiny->new->post($url, {content => HTTP::Tiny->new->www_form_urlencode(\%p),
		headers => {'Content-Type' => 'application/x-www-form-urlencoded', 'X-Twilio-Signature' => $signature}})->{status};
}
my %end = (CallSid => $call->{twilioCallSid}, CallStatus => 'completed', SequenceNumber => 7,
	AccountSid => $stage->account, Timestamp => 'Tue, 24 Nov 2026 10:00:00 +0000');
my $events = sub { scalar @{$stage->api(GET => "/api/calls/$call->{id}")->{events}} };
my $before = $events->();
is webhook($stage->token, '?inbound=1', %end), 204, 'an end without a call in its URL is taken';
is $events->(), $before + 1, 'and stored with the call of its SID';
is webhook($SECOND, '?inbound=1', %end, SequenceNumber => 8), 204, 'the secondary token signs as well';
is $events->(), $before + 2, 'and is believed';
is webhook('another-token', '?inbound=1', %end, SequenceNumber => 9), 403, 'no other token does';
is webhook($stage->token, '?inbound=1', %end, CallSid => 'CA' . 'f' x 32), 204, 'a call that is not ours is no trouble';
is webhook($stage->token, '', %end), 400, 'without a call and not inbound it is refused';
done_testing;
