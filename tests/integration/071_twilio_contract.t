#!/usr/bin/env perl
# Twilio's own OpenAPI file as the judge of both sides: prism stands as a validating proxy between
# gateway and sandbox while the account is set up, a small campaign runs, and a conversation is
# announced, recorded, held, muted and hung up. And what prism does not see: every parameter that we
# send must be one that Twilio knows.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use HTTP::Tiny;
use JSON::PP ();
use Test::More;
use Omnivox::Between;
use Omnivox::Node qw(node_program node_package node_env);
use Omnivox::Stage;

my $CM = $Omnivox::Stage::CM;
my $SPEC = "$Omnivox::Stage::TOP/tests/data/twilio-openapi/twilio_api_v2010.patched.json";
my $json = JSON::PP->new->utf8;

# More numbers than Twilio lists on one page.
my @own = map { sprintf '+1555000%04d', $_ } 1 .. 60;
my $stage = Omnivox::Stage->new(sandbox_args => ['--numbers', join ',', @own], population => [
	{match => '+14155551*', weight => 1, behaviour => 'busy', ring_ms => 100},
	{match => '+14155552*', weight => 1, behaviour => 'no_answer', ring_ms => 100},
	{match => '+14155553*', weight => 1, behaviour => 'human', ring_ms => 100, talk_ms => 0, say => 'tone:440'},
	{match => '*', weight => 1, behaviour => 'human', ring_ms => 100, talk_ms => 400, say => 'tone:440'}]);
$stage->start_sandbox;
my $port = Omnivox::Stage::free_port();
my %env = node_env();
$stage->spawn('prism', \%env, node_program(), node_package('@stoplight/prism-cli/dist/index.js'),
	'proxy', '-h', '127.0.0.1', '-p', $port, $SPEC, "http://$stage->{sandbox}{http}");
my $account = $stage->account;
my $root = "/2010-04-01/Accounts/$account";
$stage->wait_until(120, 'prism', sub {
	HTTP::Tiny->new(timeout => 5)->get("http://127.0.0.1:$port$root/Calls.json")->{status} == 401 });
my $between = Omnivox::Between->new(to => "http://127.0.0.1:$port", dir => $stage->dir);

# The judge judges: wrong requests are seen.
my $basic = 'Basic ' . do { require MIME::Base64; MIME::Base64::encode("$account:" . $stage->token, '') };
HTTP::Tiny->new->request(POST => $between->url . "$root/Calls.json",
	{headers => {authorization => $basic, 'content-type' => 'application/x-www-form-urlencoded'},
		content => 'From=%2B15550000001&To=%2B14155550100&Timeout=soon&Url=x'});
my ($wrong) = @{$between->requests};
like $wrong->{violations}, qr/Timeout/i, 'prism sees a parameter of the wrong type';

$stage->{gateway_env} = {TWILIO_API_BASE => $between->url, RECONCILE_AFTER => 1, AMBIGUOUS_AFTER => 1};
$stage->start_gateway;
$stage->login;
$stage->wait_until(30, 'all numbers of the account', sub {
	my %known = map { $_->{phoneNumber} => 1 } @{$stage->api(GET => '/api/numbers')->{numbers}};
	return !grep { !$known{$_} } @own });
pass 'the numbers of every page are known';
my @numbers = ('+14155550101', '+14155551101', '+14155552101', '+14155550102', '+14155550103');
my $campaign = $stage->make_campaign({wrapUpS => 0, callGapMs => 0, batchGapMs => 0, maxAttempts => 1,
	ringTimeoutS => 5, callerId => '+15550000001'}, @numbers);
my $agent = $stage->make_agent('ana', $campaign);
$stage->start_phone($agent);
$stage->wait_registered($agent);
$stage->agent_ready($agent, $campaign);
# A call that we hang up, whose webhooks are lost: it is asked for, too.
$stage->sandbox_put('/sandbox/faults', {kind => 'drop', rate => 0.5, seed => 7, delay_ms => 0});
$stage->api(POST => "$CM/campaigns/$campaign/auto-dial");
$stage->wait_until(90, 'the campaign to be done', sub {
	my $s = $stage->api(GET => "$CM/campaigns/$campaign/queue")->{stats}{statusBreakdown};
	$s->{pending} + $s->{dialing} == 0 });
$stage->sandbox_put('/sandbox/faults', {kind => 'drop', rate => 0, seed => 7, delay_ms => 0});
my ($call) = @{$stage->api(GET => '/api/calls')->{calls}};
ok $call, 'calls were made';

# A conversation with all that can be done to one.
my $long = $stage->make_campaign({wrapUpS => 0, recordCalls => JSON::PP::true, callerId => '+15550000001',
	announcementText => 'This call is recorded.'}, '+14155553101');
$stage->api(POST => "$CM/campaigns/$long/join-agent", {agentId => $agent->{id}});
$stage->api(DELETE => "/api/agents/$agent->{id}/session");
$stage->wait_until(20, 'ana to be gone', sub { !$stage->agent_session($agent) });
$stage->agent_ready($agent, $long);
my ($entry) = @{$stage->api(GET => "$CM/campaigns/$long/queue")->{queueEntries}};
my $id = $stage->api(POST => "$CM/campaigns/$long/queue/$entry->{id}/call", {agentId => $agent->{id}})
	->{callRecord}{id};
sub recording { $stage->api(GET => "/api/recordings?callId=$id")->{recordings}[0] }
sub recording_is {
	my ($state) = @_;
	ok $stage->wait_until(30, "the recording to be $state", sub { recording()->{state} eq $state }),
		"the recording is $state";
}
recording_is('recording');
for my $control (qw(hold unhold mute unmute)) {
	ok $stage->api(POST => "/api/calls/$id/$control")->{controls}{confirmed}, "$control is done at Twilio";
}
$stage->api(POST => "/api/calls/$id/recording/pause");
recording_is('paused');
$stage->api(POST => "/api/calls/$id/recording/resume");
recording_is('recording');
$stage->api(POST => "/api/calls/$id/hangup");
recording_is('completed');
my $sound = $stage->request(GET => '/api/recordings/' . recording()->{id} . '/media');
is substr($sound->{content}, 0, 4), 'RIFF', 'its sound is read through prism, too' or diag $sound->{content};
$stage->api(DELETE => '/api/recordings/' . recording()->{id});
recording_is('deleted');

# A call whose create had no good answer, and of which no webhook tells: it is searched for.
my $lost = $stage->make_campaign({wrapUpS => 0, callerId => '+15550000001'}, '+14155551102');
$stage->api(POST => "$CM/campaigns/$lost/join-agent", {agentId => $agent->{id}});
$stage->api(DELETE => "/api/agents/$agent->{id}/session");
$stage->wait_until(20, 'ana to be gone', sub { !$stage->agent_session($agent) });
$stage->agent_ready($agent, $lost);
$stage->sandbox_put('/sandbox/faults', [{kind => 'drop', rate => 1, seed => 1, delay_ms => 0},
	{kind => 'http500_after_accept', rate => 1, seed => 1, delay_ms => 0}]);
($entry) = @{$stage->api(GET => "$CM/campaigns/$lost/queue")->{queueEntries}};
$stage->request(POST => "$CM/campaigns/$lost/queue/$entry->{id}/call", {agentId => $agent->{id}});
my $found = $stage->wait_until(30, 'the call to be found', sub {
	my ($c) = @{$stage->api(GET => "/api/calls?campaignId=$lost")->{calls}};
	return $c->{state} eq 'ended' ? $c : undef });
$stage->sandbox_put('/sandbox/faults', [map { {kind => $_, rate => 0, seed => 1, delay_ms => 0} }
	qw(drop http500_after_accept)]);
is "$found->{outcome} $found->{wasAmbiguous}", 'busy 1', 'a call whose answer was lost is found at Twilio';
is scalar(grep { $_->{event} eq 'create' && $_->{to} eq '+14155551102' } $stage->call_log), 1,
	'and was made once';

# The account is set up, and set right where somebody changed it.
sub provision {
	my %env = (%{$stage->gateway_env}, BACKEND_URL => 'https://calls.example.com',
		TWILIO_SIP_DOMAIN => 'omnivox-test.sip.twilio.com', TWILIO_SIP_USER => 'gateway2',
		TWILIO_SIP_PASSWORD => 'Provision-Pass-1', @_);
	my $pid = $stage->spawn('provision', \%env, $stage->gateway_program, '--provision-twilio=apply');
	waitpid $pid, 0;
	delete $stage->{pids}{provision};
	return $? >> 8;
}
is provision(), 0, 'an account is set up';
is provision(TWILIO_FALLBACK_URL => 'https://files.example.com/sorry.xml'), 0, 'and what is there is changed';

# The file describes no sound: that address is on Twilio's page of recordings only.
my $SOUND = qr{^GET \Q$root\E/Recordings/RE[0-9a-f]{32}\.wav\?RequestedChannels=[12]$};
my (undef, @all) = @{$between->requests};
my @seen = grep { "$_->{method} $_->{path}" !~ $SOUND } @all;
is @all - @seen, 1, 'the sound was asked for as Twilio\'s page says';
my %kinds;
$kinds{"$_->{method} " . ($_->{path} =~ s/[A-Z]{2}[0-9a-f]{32}/X/gr =~ s/\?.*//r =~ s/ovx[^\/]+/X/r)}++ for @seen;
diag join ', ', map { "$kinds{$_} $_" } sort keys %kinds;
cmp_ok scalar(grep { $_->{method} eq 'POST' } @seen), '>=', 5, 'the campaign went through prism';
for my $what ('GET .*/Calls/CA', 'GET .*/Calls.json\?.*To=%2B14155551102', 'GET .*/IncomingPhoneNumbers.json\?.*Page=1', 'POST .*/Participants/CA', 'POST .*/Calls/CA\w+/Recordings.json',
	'POST .*/Recordings/RE', 'DELETE .*/Recordings/RE', 'POST .*/Calls/CA\w+.json',
	'POST .*/SIP/Domains.json', 'POST .*/Applications.json', 'POST .*/IncomingPhoneNumbers/PN',
	'POST .*/SIP/CredentialLists/CL\w+/Credentials.json', 'POST .*/CredentialListMappings.json') {
	cmp_ok scalar(grep { "$_->{method} $_->{path}" =~ /^$what/ } @seen), '>=', 1, "$what was asked";
}

# What prism says of a request and its answer. The contract has no answers that refuse; an empty
# WaitUrl is documented and silence, and no URI; its own examples say null of why a conference that is
# in progress has ended, its schema forgets to.
sub violations {
	my ($r) = @_;
	return map { "$r->{method} $r->{path}: " . $json->encode($_) } grep {
		my @at = @{$_->{location} || []};
		my $ours = @at && $at[0] eq 'request';
		($ours || $r->{status} < 400) && !($ours && $at[-1] =~ /^waiturl$/i)
			&& !(!$ours && $at[-1] eq 'reason_conference_ended' && $r->{answer} =~ /"$at[-1]": ?null/)
	} @{$json->decode($r->{violations} || '[]')};
}
is_deeply [map { violations($_) } @seen], [], 'neither side breaks the contract';
cmp_ok scalar(violations($wrong)), '>=', 1, 'the wrong request of before does';
diag "answered $wrong->{status}: the judge saw it all the same" if $wrong->{status} >= 400;

# Every name we send.
my $spec = $json->decode(do { open my $fh, '<', $SPEC or die; local $/; <$fh> });
sub operation {
	my ($r) = @_;
	(my $path = $r->{path}) =~ s/\?.*//;
	for my $template (keys %{$spec->{paths}}) {
		(my $pattern = quotemeta $template) =~ s/\\\{\w+\\\}/[^\/]+/g;
		return $spec->{paths}{$template}{lc $r->{method}} if $path =~ /^$pattern$/;
	}
	return;
}
my %unknown;
for my $r (@seen) {
	my $operation = operation($r) or do { $unknown{"$r->{method} $r->{path}"}++; next };
	my $form = $operation->{requestBody}{content}{'application/x-www-form-urlencoded'}{schema}{properties} || {};
	my %query = map { $_->{name} => 1 } grep { $_->{in} eq 'query' } @{$operation->{parameters} || []};
	my ($query) = $r->{path} =~ /\?(.*)/;
	for my $pair (split /&/, $query // '') {
		my ($name) = split /=/, $pair;
		$unknown{"$r->{method} ?$name"}++ unless $query{$name};
	}
	for my $pair (split /&/, $r->{body}) {
		my ($name) = split /=/, $pair;
		$unknown{"$r->{method} $name"}++ unless $form->{$name};
	}
}
is_deeply \%unknown, {}, 'every address and every parameter is one of Twilio\'s';
done_testing;
