#!/usr/bin/env perl
# A crash costs nobody their call: the worker, then the supervisor, are killed with -9 in
# mid-conversation. The same dialogs and the same participant go on; nobody is called again.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Time::HiRes qw(time sleep);
use Omnivox::Stage;
use Omnivox::Sound qw(tones);

my ($AGENT_HZ, $CUSTOMER_HZ) = (1330, 440);
my $number = '+15551110001';
my $stage = Omnivox::Stage->new(population => [
	{match => '*', weight => 1, behaviour => 'human', ring_ms => 300, talk_ms => 0,
		say => "tone:$CUSTOMER_HZ"}]);
$stage->start_sandbox;
$stage->start_gateway;
$stage->login;
my $campaign = $stage->make_campaign({callGapMs => 0, wrapUpS => 1}, $number);
my $agent = $stage->make_agent('ana', $campaign);
my $phone = $stage->start_phone($agent, hz => $AGENT_HZ);
$stage->wait_registered($agent);
$stage->agent_ready($agent, $campaign);
$stage->api(POST => "$Omnivox::Stage::CM/campaigns/$campaign/auto-dial");

sub open_call {
	my ($c) = grep { $_->{state} ne 'ended' } @{$stage->api(GET => '/api/calls')->{calls}};
	return $c;
}

my $call = $stage->wait_until(15, 'the conversation', sub {
	my $c = open_call(); $c && $c->{state} eq 'bridged' ? $c : undef });
my $sid = $call->{twilioCallSid};
my $heard = "$stage->{sandbox}{data}/sandbox/heard/$sid.wav";
my ($dump) = glob "$phone/dump-*-dec.wav";

# How long each end's recording is now, in seconds of sound.
sub seconds { my ($path) = @_; return (((-s $path) || 44) - 44) / 16000 }

# Waits until both recordings grew by half a second; returns the seconds since `$since`.
sub both_ways_again {
	my ($since, $limit) = @_;
	my @from = map { int(10 * seconds($_)) } $dump, $heard;
	$stage->wait_until($limit + 15, 'sound both ways', sub {
		my @customer = @{tones($heard, $AGENT_HZ, $CUSTOMER_HZ)};
		my @agent = @{tones($dump, $AGENT_HZ, $CUSTOMER_HZ)};
		my $new = sub { my ($w, $start, $hz) = @_;
			scalar grep { ($_ // 0) == $hz } @$w[$start .. $#$w] };
		return $#customer > $from[1] && $#agent > $from[0]
			&& $new->(\@customer, $from[1], $AGENT_HZ) >= 3
			&& $new->(\@agent, $from[0], $CUSTOMER_HZ) >= 3;
	});
	return time - $since;
}

sub dialogs {
	return scalar grep { /Call with .* terminated|Incoming call|answering call/ }
		do { open my $fh, '<', "$stage->{dir}/phone-ana.log" or die $!; <$fh> };
}

ok both_ways_again(time, 5) < 20, 'they talk';
my $answered = dialogs();
my $creates = () = grep { $_->{event} eq 'create' } $stage->call_log;

my $worker = $stage->worker;
my $killed = time;
kill 'KILL', $worker;
my $next = $stage->worker($worker, 10);
my $took = both_ways_again($killed, 3);
cmp_ok $took, '<', 3, sprintf 'after kill -9 of the worker they talk again (%.1f s)', $took;
is open_call()->{twilioCallSid}, $sid, 'the call is the same';
is dialogs(), $answered, 'the phone was not called again, and not hung up on';

$killed = time;
my $supervisor = $stage->{pids}{gateway};
$stage->stop('gateway', 'KILL');
ok $stage->wait_until(3, 'the worker to go with its supervisor',
	sub { Omnivox::Stage::gone($next) }), 'the worker dies with its supervisor';
$stage->start_gateway;
$took = both_ways_again($killed, 5);
cmp_ok $took, '<', 5, sprintf 'after kill -9 of the supervisor and a start they talk again (%.1f s)',
	$took;
is open_call()->{twilioCallSid}, $sid, 'the call is the same again';
is dialogs(), $answered, 'the phone noticed nothing';
is scalar(grep { $_->{event} eq 'create' } $stage->call_log), $creates, 'nobody was dialled again';
is scalar(grep { $_->{event} eq 'leave' } $stage->call_log), 0, 'no participant left';

# Resumed dialogs still work: the red button ends the customer's call.
$stage->phone_command($agent, 'hangup');
$stage->wait_until(15, 'the call to end', sub { !open_call() });
my ($ended) = @{$stage->api(GET => '/api/calls')->{calls}};
is $ended->{outcome}, 'completed', 'the agent hangs up, the call is completed';
$stage->wait_until(15, 'the wrap-up to be over', sub {
	($stage->agent_session($agent) || {})->{state} eq 'paused' });
pass 'and the agent is paused until Ready';
$stage->api(POST => "/api/agents/$agent->{id}/session/ready");
$stage->wait_until(20, 'the phone to be called again on Ready', sub {
	$stage->agent_session($agent)->{state} eq 'ready' });
pass 'on Ready the phone is called again';
done_testing;
