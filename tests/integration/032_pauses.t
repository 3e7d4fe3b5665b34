#!/usr/bin/env perl
# Why agents pause, and how long they were idle and why: the reasons, the pauses, the states.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Omnivox::Asking;
use Omnivox::Stage;

my $CM = $Omnivox::Stage::CM;
my $stage = Omnivox::Stage->new(population => [
	{match => '+1555777', behaviour => 'human', ring_ms => 200, talk_ms => 0},
	{match => '*', behaviour => 'human', ring_ms => 300, talk_ms => 1500}]);
asking($stage);

$stage->start_sandbox;
$stage->start_gateway;
my $admin = $stage->login;
my $campaign = $stage->make_campaign({wrapUpS => 1}, '+15551110001');
my $ana = $stage->make_agent('ana', $campaign);
my $bo = $stage->make_agent('bo', $campaign);
my $me = "/api/agents/$ana->{id}";

subtest 'endpoints' => sub {
	my $r = ask(PUT => "$me/endpoint", {type => 'phone', number => '+15557770001'});
	is_deeply $r->{json}{data}{agent}{endpoint},
		{type => 'phone', number => '+15557770001', nailed => JSON::PP::true}, 'a phone';
	for my $wrong ({}, {type => 'fax'}, {type => 'phone'}, {type => 'phone', number => '0123'},
		{type => 'phone', number => '+15557770001', nailed => 1}, {type => 'sip', number => '+15557770001'},
		{type => 'browser', ring => 1}, {type => 7}) {
		is ask(PUT => "$me/endpoint", $wrong)->{status}, 422, JSON::PP->new->canonical->encode($wrong);
	}
	is ask(POST => '/api/agents', {username => 'cy', name => 'Cy', endpoint => 'browser'})->{status},
		422, 'a new agent has an endpoint in the same form';
	is ask(GET => $me)->{json}{data}{agent}{endpoint}{number}, '+15557770001', 'nothing was changed';
	is ask(PUT => '/api/agents/999999/endpoint', {type => 'sip'})->{status}, 404, 'whose?';
};

subtest 'pausing with a reason' => sub {
	my $reasons = ask(GET => '/api/pause-reasons')->{json}{data}{reasons};
	ok scalar(grep { $_->{reason} eq 'lunch' && $_->{type} eq 'break' } @$reasons), 'lunch is a break';
	$stage->agent_ready($ana, $campaign);
	my $r = ask(POST => "$me/session/pause", {reason => 'lunch', comment => 'Back at one.'});
	is $r->{json}{data}{agent}{session}{reason}, 'lunch', 'the agent pauses';
	is ask(POST => "$me/session/pause", {reason => 'boredom'})->{status}, 422, 'not for any reason';
	is ask(POST => "$me/session/pause", {reason => 'lunch', type => 'preview_pause'})->{status}, 422,
		'nor of the wrong type';
	is ask(POST => "$me/session/pause", {reason => 'call prep', type => 'preview_pause'})->{status},
		200, 'the right type';
	is ask(POST => "$me/session/ready")->{status}, 200, 'and goes on';

	my @p = @{ask(GET => "$me/pauses")->{json}{data}{pauses}};
	is_deeply [map { "$_->{type}/$_->{reason}" } @p], ['preview_pause/call prep', 'break/lunch',
		'system/waiting for the phone', 'system/signed in'], 'every pause is there, newest first';
	is $p[1]{comment}, 'Back at one.', 'with its comment';
	ok !(grep { !$_->{endedAt} } @p), 'each has ended';
	my $page = ask(GET => "$me/pauses?limit=2")->{json}{data};
	is scalar(@{$page->{pauses}}), 2, 'by pages';
	my $next = ask(GET => "$me/pauses?limit=2&before=$page->{nextCursor}")->{json}{data};
	is_deeply [map { $_->{id} } @{$page->{pauses}}, @{$next->{pauses}}], [map { $_->{id} } @p],
		'that fit together';
	is $next->{nextCursor}, undef, 'and end';
	is ask(GET => "$me/pauses?limit=0")->{status}, 422, 'a page has rows';
};

subtest 'every second has a reason' => sub {
	my ($e) = @{$stage->api(GET => "$CM/campaigns/$campaign/queue")->{queueEntries}};
	is ask(POST => "$CM/campaigns/$campaign/queue/$e->{id}/call", {agentId => $ana->{id}})->{status},
		200, 'a call';
	$stage->wait_until(20, 'wrap-up to end', sub {
		my ($s) = @{$stage->api(GET => "$me/states?limit=1")->{states}};
		return $s->{state} eq 'ready' });
	is ask(DELETE => "$me/session")->{status}, 200, 'and home';
	my @s = reverse @{ask(GET => "$me/states")->{json}{data}{states}};
	is_deeply [map { $_->{state} } @s[-6 .. -1]], [qw(ready reserved on_call wrap_up ready offline)],
		'the last states, in order';
	ok !(grep { !length $_->{reason} } @s), 'each has a reason';
	is_deeply [map { $_->{until} } @s[0 .. $#s - 1]], [map { $_->{from} } @s[1 .. $#s]],
		'one begins where the other ends';
	is $s[-1]{until}, undef, 'signed out has no end';
	ok $s[-4]{callId}, 'the call is named';
};

subtest 'whose business it is' => sub {
	$stage->login('bo', $bo->{password});
	is ask(GET => "$me/$_")->{status}, 403, "not another agent's $_" for qw(pauses states);
	is ask(GET => "/api/agents/$bo->{id}/$_")->{status}, 200, "its own $_" for qw(pauses states);
	is ask(PUT => "/api/agents/$bo->{id}/endpoint", {type => 'browser'})->{status}, 403,
		'and no agent chooses how it is reached';
};

contract_kept();
done_testing;
