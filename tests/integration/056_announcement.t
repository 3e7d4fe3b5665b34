#!/usr/bin/env perl
# Who is recorded is told first: nothing is recorded before the announcement was played to its end,
# nor when it could not be played.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use JSON::PP;
use Test::More;
use Omnivox::Between;
use Omnivox::Stage;
use Omnivox::Twiml qw(twiml_parse twiml_complaints);

my $CM = $Omnivox::Stage::CM;
my $TEXT = q{This call is "recorded" & kept <safe>; it's the law.};
my $stage = Omnivox::Stage->new(population => [{match => '*', weight => 1,
	behaviour => 'human', ring_ms => 300, talk_ms => 60000, say => 'tone:440'}]);
$stage->start_sandbox;
# What Twilio asks and is answered is written down.
my $between = Omnivox::Between->new(dir => $stage->dir);
$stage->{gateway_env} = {BACKEND_URL => $between->url};
$stage->start_gateway;
$between->to("http://$stage->{gateway}{http}");
$stage->sandbox_put('/sandbox/sip-domain', {voice_url => $between->url . '/api/calls-twiml/twiml-agent'});
$stage->login;

my %campaign = (
	told => $stage->make_campaign({wrapUpS => 0, recordCalls => JSON::PP::true,
		announcementText => $TEXT}, '+15551110001'),
	broken => $stage->make_campaign({wrapUpS => 0, recordCalls => JSON::PP::true,
		announcementUrl => 'http://127.0.0.1:1/none.wav'}, '+15551110002'));
my $agent = $stage->make_agent('ana', $campaign{told});
$stage->api(POST => "$CM/campaigns/$campaign{broken}/join-agent", {agentId => $agent->{id}});
$stage->start_phone($agent);
$stage->wait_registered($agent);

sub bridged {
	my ($which) = @_;
	$stage->agent_ready($agent, $campaign{$which});
	my ($entry) = @{$stage->api(GET => "$CM/campaigns/$campaign{$which}/queue")->{queueEntries}};
	my $id = $stage->api(POST => "$CM/campaigns/$campaign{$which}/queue/$entry->{id}/call",
		{agentId => $agent->{id}})->{callRecord}{id};
	$stage->wait_until(10, 'the call to be bridged', sub {
		$stage->api(GET => "/api/calls/$id")->{call}{state} eq 'bridged' });
	return $id;
}

sub finish {
	my ($id) = @_;
	$stage->api(POST => "/api/calls/$id/hangup");
	$stage->wait_until(10, 'the call to end', sub {
		$stage->api(GET => "/api/calls/$id")->{call}{state} eq 'ended' });
	$stage->api(DELETE => "/api/agents/$agent->{id}/session");
	$stage->wait_until(10, 'ana to be gone', sub { !$stage->agent_session($agent) });
}

sub recording { return $stage->api(GET => "/api/recordings?callId=$_[0]")->{recordings}[0] }

sub states { return join ' ', map { $_->{event} } grep { $_->{source} eq 'recording' }
	@{$stage->api(GET => "/api/calls/$_[0]")->{events}} }

my $id = bridged('told');
ok $stage->wait_until(30, 'the recording', sub { recording($id)->{state} eq 'recording' }),
	'a call is recorded after it was announced';
is states($id), 'wanted recording', 'first the announcement, then the recording';
my ($asked) = grep { ($_->{url} // '') =~ /twiml-announce/ } $stage->call_log;
ok $asked, 'Twilio has fetched what to say' or diag join ' ', map { $_->{event} } $stage->call_log;
finish($id);
ok $stage->wait_until(10, 'the sound', sub { recording($id)->{state} eq 'completed' }), 'and kept';

$id = bridged('broken');
my $failed = $stage->wait_until(90, 'the recording to be given up', sub {
	my $r = recording($id);
	return $r->{state} eq 'failed' ? $r : undef });
like $failed->{errorText}, qr/announcement could not be played/, 'what cannot be announced is not recorded, and it is said why';
is $failed->{twilioRecordingSid}, undef, 'nothing was asked of Twilio';
finish($id);

my @documents = grep { $_->{type} =~ /xml/ } @{$between->requests};
for my $path (qw(twiml-agent twiml-announce)) {
	my @given = grep { $_->{path} =~ /$path/ } @documents;
	ok scalar(@given), "$path was asked";
	is_deeply [map { twiml_complaints($_->{answer}) } @given], [], 'and answered as Twilio wants it';
}
my ($said) = map { twiml_parse($_->{answer}) } grep { $_->{path} =~ /twiml-announce/ } @documents;
is $said->{children}[0]{text}, $TEXT, 'the announcement says what the operator wrote';

undef $stage;
done_testing;
