#!/usr/bin/env perl
# A call whose request was lost, and that Twilio does not list yet, may ring any moment: until
# AMBIGUOUS_AFTER has passed it is looked for again and again, and keeps its number and its agent,
# whether the gateway was restarted or somebody hangs up. And a call that Twilio has made and does
# not know yet is hung up as soon as it does.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Omnivox::Asking;
use Omnivox::Between;
use Omnivox::Stage;

my $CM = $Omnivox::Stage::CM;
my $stage = Omnivox::Stage->new(sandbox_env => {SANDBOX_RECORD => 0}, population => [
	{match => '*', weight => 1, behaviour => 'human', ring_ms => 200, talk_ms => 0, say => 'silence'}]);
asking($stage);
$stage->start_sandbox;
my $between = Omnivox::Between->new(to => "http://$stage->{sandbox}{http}", dir => $stage->dir);
$stage->{gateway_env} = {TWILIO_API_BASE => $between->url, RECONCILE_AFTER => 1};
$stage->start_gateway;
$stage->login;
my $campaign = $stage->make_campaign({wrapUpS => 0}, '+14155550101');
my $ana = $stage->make_agent('ana', $campaign);
$stage->start_phone($ana);
$stage->wait_registered($ana);
$stage->agent_ready($ana, $campaign);

sub fault { my ($kind, $rate) = @_;
	$stage->sandbox_put('/sandbox/faults', {kind => $kind, rate => $rate, seed => 1, delay_ms => 0}) }
sub creates { my ($to) = @_; return grep { $_->{event} eq 'create' && $_->{to} eq $to } $stage->call_log }
sub looks { my ($to) = @_;
	return grep { $_->{method} eq 'GET' && $_->{path} =~ /Calls\.json\?.*To=%2B\Q$to\E/ } @{$between->requests} }
sub call_to { my ($to) = @_;
	return grep { $_->{number} eq $to } @{data(GET => '/api/calls')->{calls}} }
my $empty = ['GET .*/Calls\.json\?', 200, {calls => [], page => 0, page_size => 50}];

fault(drop => 1); # no webhook tells of it
$between->answer(@$empty);

subtest 'the worker dies with the request' => sub {
	fault(silent_after_accept => 1);
	data(POST => "$CM/campaigns/$campaign/auto-dial");
	$stage->wait_until(15, 'the request at Twilio', sub { creates('+14155550101') });
	my $worker = $stage->worker;
	kill KILL => $worker;
	$stage->worker($worker, 15);
	fault(silent_after_accept => 0);
	$stage->wait_until(30, 'Twilio to be asked twice', sub { looks('14155550101') > 1 });
	my ($call) = call_to('+14155550101');
	is $call->{state}, 'ambiguous', 'Twilio does not list the call: it is still in doubt';
	is $stage->agent_session($ana)->{state}, 'reserved', 'and keeps its agent';
	$between->answer;
	$stage->wait_until(15, 'the call to be found', sub { (call_to('+14155550101'))[0]{state} =~ /answered|bridged/ });
	is scalar(creates('+14155550101')), 1, 'then it is found, and was made once';
	data(POST => "$CM/campaigns/$campaign/auto-dial/stop");
	ask(POST => "/api/calls/$call->{id}/hangup");
	wait_call($call->{id}, 'ended');
};

subtest 'a call in doubt is hung up' => sub {
	$stage->wait_until(15, 'the agent', sub { $stage->agent_session($ana)->{state} eq 'ready' });
	$between->answer(@$empty);
	fault(http500_after_accept => 1);
	my %dial = (agentId => $ana->{id}, campaignId => $campaign);
	my $first = ask(POST => '/api/calls/rest-api', {%dial, to => '+14155550102'});
	is "$first->{status} $first->{json}{status}", '202 ambiguous', 'nobody knows of it';
	fault(http500_after_accept => 0);
	my $forced = ask(POST => '/api/calls/rest-api', {%dial, to => '+14155550103', force => JSON::PP::true});
	answers($forced, 409, 'ACTIVE_CALL', 'it makes no room for another');
	$stage->wait_until(30, 'Twilio to be asked twice', sub { looks('14155550102') > 1 });
	is((call_to('+14155550102'))[0]{state}, 'ambiguous', 'Twilio does not list the call: it may still ring');
	is scalar(creates('+14155550103')), 0, 'nobody else was called';
	$between->answer;
	wait_call($first->{json}{callId}, 'ended');
	my ($call) = call_to('+14155550102');
	is $call->{outcome}, 'completed', 'found, it is hung up at Twilio';
	is scalar(grep { $_->{event} eq 'create' && $_->{to} eq $call->{number} } $stage->call_log), 1, 'and was made once';
};

subtest 'a call that Twilio does not know yet is hung up' => sub {
	$stage->wait_until(15, 'the agent', sub { $stage->agent_session($ana)->{state} eq 'ready' });
	$stage->sandbox_put('/sandbox/settings', {consistency_lag_ms => 4000});
	my $r = ask(POST => '/api/calls/rest-api', {agentId => $ana->{id}, campaignId => $campaign, to => '+14155550104'});
	is $r->{status}, 200, 'it is placed';
	ask(POST => "/api/calls/$r->{json}{callId}/hangup");
	wait_call($r->{json}{callId}, 'ended');
	my @updates = grep { $_->{method} eq 'POST' && $_->{path} =~ /Calls\/$r->{json}{callSid}/ } @{$between->requests};
	is $updates[0]{status}, 404, 'at first Twilio says that there is no such call';
	is $updates[-1]{status}, 200, 'then it ends it';
};

contract_kept();

subtest 'a call that Twilio has queued, and gives no date, is found' => sub {
	# One call in 100 s: the second is queued for as long as this takes.
	my $slow = Omnivox::Stage->new(sandbox_env => {SANDBOX_CPS => 0.01}, population => [
		{match => '*', weight => 1, behaviour => 'human', ring_ms => 200, talk_ms => 0, say => 'silence'}]);
	$slow->start_sandbox;
	$slow->start_gateway;
	$slow->login;
	my $list = $slow->make_campaign({wrapUpS => 0}, '+14155550111');
	my $bo = $slow->make_agent('bo', $list);
	$slow->start_phone($bo);
	$slow->wait_registered($bo);
	$slow->agent_ready($bo, $list);
	my %dial = (agentId => $bo->{id}, campaignId => $list);
	my $end = sub {
		my ($id) = @_;
		$slow->api(POST => "/api/calls/$id/hangup");
		return $slow->wait_until(20, 'the call to end', sub {
			my $call = $slow->api(GET => "/api/calls/$id")->{call};
			return $call->{state} eq 'ended' ? $call : undef });
	};
	my $dialled = sub { $slow->request(POST => '/api/calls/rest-api', {%dial, to => $_[0]})->{json} };
	$end->($dialled->('+14155550112')->{callId});
	$slow->wait_until(15, 'the agent', sub { $slow->agent_session($bo)->{state} eq 'ready' });
	$slow->sandbox_put('/sandbox/faults', {kind => 'http500_after_accept', rate => 1, seed => 1, delay_ms => 0});
	my $queued = $dialled->('+14155550113');
	is $queued->{status}, 'ambiguous', 'its request was lost';
	is $end->($queued->{callId})->{outcome}, 'canceled', 'hung up, it is found and cancelled';
	is_deeply [map { $_->{event} } grep { ($_->{to} // '') eq '+14155550113' && $_->{event} =~ /initiated|ringing/ }
		$slow->call_log], [], 'before it was dialled';
};
undef $stage;
done_testing;
