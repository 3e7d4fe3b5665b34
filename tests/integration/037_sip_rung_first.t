#!/usr/bin/env perl
# A softphone that is rung for each call: first the agent, then the customer; let go after it.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Omnivox::SipPhone;
use Omnivox::Sound qw(tones heard_order);
use Omnivox::Stage;

my $CM = $Omnivox::Stage::CM;
my @numbers = ('+14155550101', '+14155550102', '+14155550103');
my $stage = Omnivox::Stage->new(population => [
	{match => '+1555502', behaviour => 'human', ring_ms => 300, talk_ms => 0},
	{match => '*', behaviour => 'human', ring_ms => 300, talk_ms => 2500, say => 'tone:440'}]);
$stage->start_sandbox;
$stage->start_gateway;
$stage->login;
my $campaign = $stage->make_campaign({wrapUpS => 0, callGapMs => 0}, @numbers);
my $agent = $stage->make_agent('ana', $campaign);
$stage->api(PUT => "/api/agents/$agent->{id}/endpoint", {type => 'sip', nailed => JSON::PP::false});

sub entry {
	my ($number) = @_;
	my ($e) = grep { $_->{contact}{phone} eq $number } @{$stage->api(
		GET => "$CM/campaigns/$campaign/queue")->{queueEntries}};
	return $e;
}
sub call_now {
	my ($number) = @_;
	return $stage->request(POST => "$CM/campaigns/$campaign/queue/" . entry($number)->{id} . '/call',
		{agentId => $agent->{id}});
}
sub creates { my ($to) = @_; return grep { $_->{event} eq 'create' && $_->{to} eq $to } $stage->call_log }
sub rung {
	open my $fh, '<', "$stage->{dir}/phone-ana.log" or die $!;
	return scalar grep { /Incoming call|answering call/i } <$fh>;
}

subtest 'a phone that is not there' => sub {
	$stage->api(POST => "/api/agents/$agent->{id}/session", {campaignId => $campaign});
	$stage->api(POST => "/api/agents/$agent->{id}/session/ready");
	is $stage->agent_session($agent)->{state}, 'ready', 'is ready: it will be rung';
	call_now($numbers[0]);
	my $s = $stage->wait_until(10, 'the agent to be paused', sub {
		my $now = $stage->agent_session($agent); $now->{state} eq 'paused' ? $now : undef });
	is $s->{reason}, 'did not answer', 'and is paused when it cannot';
	is scalar(creates($numbers[0])), 0, 'the customer was not dialled';
	is entry($numbers[0])->{attempts}, 0, 'and lost no attempt';
};

$stage->start_phone($agent, hz => 1330);
$stage->wait_registered($agent);
$stage->api(POST => "/api/agents/$agent->{id}/session/ready");
is rung(), 0, 'Ready rings nobody';

subtest 'for each call' => sub {
	for my $n (0, 1) {
		is call_now($numbers[$n])->{status}, 200, "call $n";
		$stage->wait_until(20, 'the call to end', sub { entry($numbers[$n])->{status} eq 'completed' });
		$stage->wait_until(10, 'the agent to be free and let go', sub {
			my $s = $stage->agent_session($agent);
			$s->{state} eq 'ready' && !$s->{phoneUp} && !$s->{twilioUp} });
		is rung(), $n + 1, 'the phone was rung for it';
	}
};

subtest 'by auto-dial too' => sub {
	$stage->api(POST => "$CM/campaigns/$campaign/auto-dial");
	$stage->wait_until(30, 'the third call to end', sub { entry($numbers[2])->{status} eq 'completed' });
	is scalar(creates($_)), 1, "$_ was dialled once" for @numbers;
};

# A phone whose words come when the test says so.
sub phone_at_hand {
	my ($agent, %with) = @_;
	my $phone = Omnivox::SipPhone->new(file => "$stage->{dir}/$agent->{username}.jsonl",
		hold => "$stage->{dir}/$agent->{username}.hold", %with);
	$stage->sql('INSERT INTO registrations (user_id, contact, source, call_id, cseq, user_agent, expires_at)'
		. " VALUES ($agent->{id}, 'sip:phone\@$phone->{address}', '$phone->{address}', 'x', 1, '',"
		. " now() + interval '1 hour')");
	return $phone;
}
sub hold { my ($phone) = @_; open my $fh, '>', $phone->{hold} or die "$phone->{hold}: $!" }
sub let_go { my ($phone) = @_; unlink $phone->{hold} or die "$phone->{hold}: $!" }
sub wait_saw {
	my ($phone, $what, $count) = @_;
	return $stage->wait_until(20, "$what $count of the phone", sub {
		my @seen = $phone->saw($what); @seen >= $count && $seen[$count - 1] });
}
sub wait_call {
	my ($number, $state) = @_;
	return $stage->wait_until(20, "the call to $number to be $state", sub {
		my ($c) = grep { $_->{number} eq $number } @{$stage->api(GET => '/api/calls')->{calls}};
		$c && $c->{state} eq $state && $c });
}
sub hang_up { my ($call) = @_; $stage->api(POST => "/api/calls/$call->{id}/hangup") }

subtest 'how the phone ends one call is not its word on the next' => sub {
	my @to = map { "+1555502000$_" } 1 .. 4;
	my $campaign = $stage->make_campaign({wrapUpS => 0, callGapMs => 0, maxAttempts => 1}, @to);
	my $agent = $stage->make_agent('bea', $campaign);
	$stage->api(PUT => "/api/agents/$agent->{id}/endpoint", {type => 'sip', nailed => JSON::PP::false});
	my $phone = phone_at_hand($agent, does => ['answer', 'answer', 'ring', 'answer']);
	$stage->agent_ready($agent, $campaign);
	$stage->api(POST => "$CM/campaigns/$campaign/auto-dial");

	my $call = wait_call($to[0], 'bridged');
	hold($phone);
	hang_up($call);
	wait_call($to[1], 'claimed');
	wait_saw($phone, 'bye', 1);
	let_go($phone);
	$call = wait_call($to[1], 'bridged');
	pass 'a call that was there before the phone had confirmed that it hung up';
	my ($dialled) = creates($to[1]);
	cmp_ok $dialled->{t}, 'ge', wait_saw($phone, 'answer', 2)->{t},
		'whose customer was dialled when the agent had answered again';
	hang_up($call);

	$call = wait_call($to[2], 'claimed');
	wait_saw($phone, 'invite', 3);
	hold($phone);
	hang_up($call);
	wait_call($to[3], 'claimed');
	let_go($phone);
	$call = wait_call($to[3], 'bridged');
	pass 'a call that was there while the phone rang for one that was given up';
	is $stage->sql("SELECT count(*) FROM agent_state_log WHERE user_id = $agent->{id}"
		. " AND reason = 'did not answer'"), 0, 'nobody said that the agent did not answer';
	hang_up($call);
	$stage->api(POST => "$CM/campaigns/$campaign/auto-dial/stop");
};

subtest 'a phone that refuses is called again when its agent is ready again' => sub {
	my $campaign = $stage->make_campaign({}, '+15555020009');
	my $agent = $stage->make_agent('cyd', $campaign);
	my $phone = phone_at_hand($agent, does => ['486', 'answer']);
	hold($phone);
	$stage->api(POST => "/api/agents/$agent->{id}/session", {campaignId => $campaign});
	$stage->api(POST => "/api/agents/$agent->{id}/session/ready");
	let_go($phone);
	my $s = $stage->wait_until(10, 'the refusal to be known', sub {
		my $now = $stage->agent_session($agent); $now->{reason} eq 'did not answer' && $now });
	is $s->{state}, 'paused', 'paused, with the reason';
	$stage->api(POST => "/api/agents/$agent->{id}/session/ready");
	wait_saw($phone, 'answer', 1);
	$stage->wait_until(10, 'cyd to be ready', sub { $stage->agent_session($agent)->{state} eq 'ready' });
	is scalar($phone->saw('invite')), 2, 'and is reached by one more call';
	$stage->api(DELETE => "/api/agents/$agent->{id}/session");
};

my %sid = map { $_->{to} => $_->{call_sid} } grep { $_->{event} eq 'create' } $stage->call_log;
$stage->stop($_) for 'phone-ana', 'gateway', 'sandbox';
for my $number (@numbers) {
	my @order = heard_order(tones("$stage->{sandbox}{data}/sandbox/heard/$sid{$number}.wav", 440, 1330));
	is $order[0], 1330, "$number heard the agent";
}
done_testing;
