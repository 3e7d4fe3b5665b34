#!/usr/bin/env perl
# Sound both ways: an agent's softphone hears each customer, each customer hears the agent, and
# between calls there is silence. Judged by frequency from what both ends recorded.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Omnivox::Stage;
use Omnivox::Sound qw(tones heard_order quiet_between);

my $AGENT_HZ = 1330;
my %hz = ('+15551110001' => 440, '+15551110002' => 620, '+15551110003' => 850,
	'+15551110004' => 1060, '+15551110005' => 440);

my $stage = Omnivox::Stage->new(population => [
	map { {match => $_, weight => 1, behaviour => 'human', ring_ms => 300, talk_ms => 3000,
		say => "tone:$hz{$_}"} } sort keys %hz]);
$stage->start_sandbox;
$stage->start_gateway;
$stage->login;

my $campaign = $stage->make_campaign(
	{callGapMs => 200, batchGapMs => 500, wrapUpS => 1}, sort keys %hz);
my $agent = $stage->make_agent('ana', $campaign);
my $phone = $stage->start_phone($agent, hz => $AGENT_HZ);
ok $stage->wait_registered($agent), 'baresip registers with digest';
ok $stage->agent_ready($agent, $campaign), 'phone and Twilio leg come up, the agent is ready';

sub queue {
	return $stage->api(GET => "$Omnivox::Stage::CM/campaigns/$campaign/queue?limit=100")
		->{queueEntries};
}

sub entry_of {
	my ($number) = @_;
	my ($e) = grep { $_->{contact}{phone} eq $number } @{queue()};
	return $e;
}

sub call_now {
	my ($number) = @_;
	my $e = entry_of($number);
	return $stage->request(
		POST => "$Omnivox::Stage::CM/campaigns/$campaign/queue/$e->{id}/call", {});
}

sub wait_completed {
	my ($number) = @_;
	return $stage->wait_until(30, "$number to be completed", sub {
		entry_of($number)->{status} eq 'completed' });
}

sub wait_ready {
	return $stage->wait_until(15, 'the agent to be ready again', sub {
		$stage->agent_session($agent)->{state} eq 'ready' });
}

# Call Now.
my $r = call_now('+15551110004');
is $r->{status}, 200, 'Call Now is answered when Twilio has accepted' or diag $r->{content};
like $r->{json}{data}{twilioCallSid}, qr/^CA[0-9a-f]{32}$/, 'with the call SID';
my $again = call_now('+15551110004');
is $again->{status}, 409, 'a second click on the same entry calls nobody';
ok wait_completed('+15551110004'), 'the customer of Call Now is completed';
ok wait_ready(), 'after wrap-up the agent is ready again';

# A customer whom nobody can hear: the judge must notice.
$stage->sandbox_put('/sandbox/mixer', {silent => JSON::PP::true});
is call_now('+15551110005')->{status}, 200, 'one call with a mixer that writes silence';
ok wait_completed('+15551110005'), 'it ends as well';
$stage->sandbox_put('/sandbox/mixer', {silent => JSON::PP::false});
ok wait_ready(), 'and the agent is ready';

# Auto-dial for the other three.
is $stage->request(POST => "$Omnivox::Stage::CM/campaigns/$campaign/auto-dial")->{status}, 200,
	'auto-dial starts';
wait_completed($_) for sort grep { /[123]$/ } keys %hz;
pass 'auto-dial has dialled the other contacts';
my $status = $stage->wait_until(10, 'the runner to say that it is done', sub {
	my $s = $stage->api(GET => "$Omnivox::Stage::CM/campaigns/$campaign/auto-dial");
	return $s->{reason} =~ /Every contact/ ? $s : undef });
ok $status->{running}, 'the campaign still runs and says why it dials nobody';

# One dial each, in the judge's own words.
my %creates;
$creates{$_->{to}}++ for grep { $_->{event} eq 'create' } $stage->call_log;
is_deeply \%creates, {map { $_ => 1 } keys %hz}, 'each customer was dialled once';
my %sid = map { $_->{to} => $_->{call_sid} } grep { $_->{event} eq 'create' } $stage->call_log;

$stage->stop('phone-ana', 'INT');
$stage->wait_until(15, 'the agent to be signed out by its hang-up', sub {
	!$stage->agent_session($agent) });
pass 'hanging up while idle signs the agent out';
$stage->stop('gateway');
$stage->stop('sandbox');

my ($dump) = glob "$phone/dump-*-dec.wav";
my $agent_heard = tones($dump, values %hz, $AGENT_HZ);
is_deeply [heard_order($agent_heard)], [1060, 440, 620, 850],
	'the agent heard Call Now, then the three of auto-dial, and nothing of the silent call';
ok quiet_between($agent_heard), 'between calls the agent heard silence';

for my $number (sort keys %hz) {
	my $heard = tones("$stage->{sandbox}{data}/sandbox/heard/$sid{$number}.wav",
		values %hz, $AGENT_HZ);
	my @order = heard_order($heard);
	if ($number eq '+15551110005') {
		is_deeply \@order, [], 'the customer of the silent mixer heard nothing';
	} else {
		is_deeply \@order, [$AGENT_HZ], "customer $number heard the agent, and only the agent";
	}
}
done_testing;
