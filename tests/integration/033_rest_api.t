#!/usr/bin/env perl
# POST /api/calls/rest-api: an agent dials a number by hand, once for each dialCorrelationId.
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
	{match => '+1415555', behaviour => 'human', ring_ms => 300, talk_ms => 0},
	{match => '+1312', behaviour => 'human', ring_ms => 20000, talk_ms => 0},
	{match => '+1212', behaviour => 'busy', ring_ms => 200}]);
asking($stage);

$stage->start_sandbox;
$stage->start_gateway;
my $admin = $stage->login;
my $campaign = $stage->make_campaign({wrapUpS => 60}, '+14155550101');
my %agent;
for my $name (qw(ana bo)) {
	my $a = $agent{$name} = $stage->make_agent($name, $campaign);
	$stage->api(PUT => "/api/agents/$a->{id}/endpoint", {type => 'phone',
		number => $name eq 'ana' ? '+15557770001' : '+15557770002'});
	$stage->agent_ready($a, $campaign);
}
my $bo_cookie = $stage->login('bo', $agent{bo}{password});
my $ana_cookie = $stage->login('ana', $agent{ana}{password});

sub dial { return ask(POST => '/api/calls/rest-api', {@_}) }
sub creates { my ($to) = @_; return grep { $_->{event} eq 'create' && $_->{to} eq $to } $stage->call_log }
sub state_of { return ask(GET => "/api/calls/$_[0]")->{json}{data}{call}{state} }
sub hang_up {
	my ($id) = @_;
	ask(POST => "/api/calls/$id/hangup");
	$stage->wait_until(10, 'the call to end', sub { state_of($id) eq 'ended' });
	$stage->api(POST => "/api/agents/$agent{ana}{id}/session/ready");
}

subtest 'what cannot be dialled' => sub {
	is dial()->{status}, 400, 'no number is 400, as it was';
	is dial(to => $_)->{status}, 422, "to = $_" for '', 'x', '12', '555 1234';
	is dial(to => '+14155550102', dialCorrelationId => 'short')->{status}, 422, 'an odd correlation';
	is dial(to => '+14155550102', force => 'yes')->{status}, 422, 'force is true or false';
	is dial(to => '+14155550102', number => 1)->{status}, 422, 'an unknown field';
	is dial(to => '+14155550102', contactId => '999999')->{status}, 404, 'a contact that is not there';
	is dial(to => '+14155550102', campaignId => '999999')->{json}{error}{code}, 'OTHER_CAMPAIGN',
		'another campaign';
	is dial(to => '+14155550102', agentId => $agent{bo}{id})->{status}, 403, 'for another agent';
	is scalar(creates('+14155550102')), 0, 'nobody was called';
	local $stage->{cookie} = $admin;
	is ask(GET => "$CM/data-lists")->{json}{data}{dataLists}[1], undef, 'and nothing was made';
};

subtest 'a number is dialled' => sub {
	my $id = 'correlation-0001';
	my $r = dial(to => '+1 (415) 555-0102', contactName => 'Zoe', dialCorrelationId => $id,
		existingContact => JSON::PP::false, campaignName => 'x');
	is $r->{status}, 200, 'Twilio has it' or diag $r->{content};
	my $call = $r->{json};
	like $call->{callSid}, qr/^CA/, 'with its SID, flat';
	is $call->{dialCorrelationId}, $id, 'and the correlation';
	$stage->wait_until(10, 'them to talk', sub { state_of($call->{callId}) eq 'bridged' });
	my $again = dial(to => '+14155550102', dialCorrelationId => $id);
	is "$again->{status} $again->{json}{callSid}", "200 $call->{callSid}", 'asked again: the same call';
	is scalar(creates('+14155550102')), 1, 'dialled once';

	my $second = dial(to => '+14155550105', dialCorrelationId => $id, force => JSON::PP::true);
	is "$second->{status} $second->{json}{error}{code}", '409 CORRELATION_USED', 'it is not another number\'s call';
	is $second->{json}{error}{details}, undef, 'nor told of';
	is state_of($call->{callId}), 'bridged', 'and nothing is ended for it';

	my $busy = dial(to => '+14155550103');
	is "$busy->{status} $busy->{json}{error}{code}", '409 ACTIVE_CALL', 'a second call is refused';
	is $busy->{json}{activeCall}{phoneNumber}, '+14155550102', 'with the one that is in the way';
	ok length $busy->{json}{hint}, 'and a hint';
	{
		local $stage->{cookie} = $bo_cookie;
		my $other = dial(to => '+14155550102');
		is "$other->{status} $other->{json}{error}{code}", '409 NUMBER_BUSY',
			'nor does a colleague call the same number';
		for my $to ('+14155550102', '+14155550105') {
			$other = dial(to => $to, dialCorrelationId => $id);
			is "$other->{status} $other->{json}{error}{code}", '409 CORRELATION_USED', "nor is it shown the call: $to";
			unlike $other->{content}, qr/$call->{callSid}|"callId"|activeCall/, 'or any of it';
		}
	}
	my $forced = dial(to => '+14155550103', force => JSON::PP::true);
	is $forced->{status}, 200, 'force ends it and dials' or diag $forced->{content};
	is state_of($call->{callId}), 'ended', 'the first call is over';
	is scalar(creates('+14155550105')), 0, 'the other number was never called';
	{
		local $stage->{cookie} = $admin;
		my $named = dial(to => '+14155550102', agentId => $agent{ana}{id}, dialCorrelationId => $id);
		is "$named->{status} $named->{json}{callSid}", "200 $call->{callSid}", 'who dials for an agent is told of its call';
	}
	hang_up($forced->{json}{callId});
	local $stage->{cookie} = $admin;
	my ($list) = grep { $_->{name} eq 'Dialled by hand' } @{ask(GET => "$CM/data-lists")
		->{json}{data}{dataLists}};
	is $list->{totalContacts}, 2, 'both numbers are contacts of the campaign now';
};

subtest 'a number of the campaign' => sub {
	my $r = dial(to => '+14155550101');
	is $r->{status}, 200, 'is dialled';
	my $call = ask(GET => "/api/calls/$r->{json}{callId}")->{json}{data}{call};
	is $call->{mode}, 'manual', 'by hand';
	local $stage->{cookie} = $admin;
	my ($entry) = grep { $_->{contact}{phone} eq '+14155550101' }
		@{ask(GET => "$CM/campaigns/$campaign/queue")->{json}{data}{queueEntries}};
	is $entry->{id}, $call->{queueId}, 'from its own place in the queue';
	local $stage->{cookie} = $ana_cookie;
	hang_up($call->{id});
};

subtest 'who is called once by hand' => sub {
	for my $to ('+13125550141', '+12125550142') {
		my $given_up = $to =~ /^\+1312/;
		my $id = dial(to => $to)->{json}{callId};
		if ($given_up) {
			$stage->wait_until(10, 'the phone to ring', sub { state_of($id) eq 'ringing' });
			hang_up($id);
		}
		$stage->wait_until(10, 'the call to end', sub { state_of($id) eq 'ended' });
		local $stage->{cookie} = $admin;
		my ($entry) = grep { $_->{contact}{phone} eq $to }
			@{ask(GET => "$CM/campaigns/$campaign/queue?limit=100")->{json}{data}{queueEntries}};
		is "$entry->{status} $entry->{reason}", $given_up ? 'skipped by_hand' : 'completed done',
			"$to is not kept for auto-dial";
	}
};

subtest 'two at the same moment' => sub {
	my @pids = map {
		my $pid = fork // die;
		if (!$pid) { dial(to => '+14155550109', dialCorrelationId => 'twice-at-once'); POSIX::_exit(0) }
		$pid;
	} 1 .. 4;
	waitpid $_, 0 for @pids;
	is scalar(creates('+14155550109')), 1, 'four requests with one correlation are one call';
	my $r = dial(to => '+14155550109', dialCorrelationId => 'twice-at-once');
	is $r->{status}, 200, 'and one answer';
	hang_up($r->{json}{callId});
};

subtest 'signed in to all campaigns' => sub {
	my $mine = $agent{ana}{id};
	local $stage->{cookie} = $admin;
	$stage->api(DELETE => "/api/agents/$mine/session");
	$stage->agent_ready($agent{ana});
	my $r = dial(to => '+14155550121', agentId => $mine);
	is $r->{status}, 200, 'who is on one needs not say which' or diag $r->{content};
	is ask(GET => "/api/calls/$r->{json}{callId}")->{json}{data}{call}{campaignId}, $campaign, 'it is that one';
	hang_up($r->{json}{callId});
	my $second = $stage->make_campaign({});
	my $foreign = $stage->make_campaign({});
	$stage->api(POST => "$CM/campaigns/$second/join-agent", {agentId => $mine});
	$r = dial(to => '+14155550122', agentId => $mine);
	is "$r->{status} $r->{json}{error}{details}{field}", '422 campaignId', 'who is on two must say'
		or diag $r->{content};
	is dial(to => '+14155550122', agentId => $mine, campaignId => $foreign)->{json}{error}{code},
		'OTHER_CAMPAIGN', 'one of them';
	is scalar(creates('+14155550122')), 0, 'nobody was called';
	$r = dial(to => '+14155550122', agentId => $mine, campaignId => $second);
	is $r->{status}, 200, 'then it is dialled' or diag $r->{content};
	is ask(GET => "/api/calls/$r->{json}{callId}")->{json}{data}{call}{campaignId}, $second, 'in that one';
	hang_up($r->{json}{callId});
};

subtest 'signed out' => sub {
	$stage->api(DELETE => "/api/agents/$agent{ana}{id}/session");
	is dial(to => '+14155550104')->{json}{error}{code}, 'SIGNED_OUT', 'whoever dials is signed in';
	local $stage->{cookie} = $admin;
	is dial(to => '+14155550104')->{status}, 422, 'others name the agent';
	is dial(to => '+14155550104', agentId => $agent{bo}{id})->{status}, 200, 'whose call it is';
};

# Auto-dial would take the agent as soon as the call in the way has ended.
subtest 'force while auto-dial runs' => sub {
	local $stage->{cookie} = $admin;
	my $busy = $stage->make_campaign({wrapUpS => 0, callGapMs => 0, batchGapMs => 0, batchSize => 1},
		map { sprintf '+141555502%02d', $_ } 1 .. 40);
	for my $nailed (1, 0) {
		my $cy = $stage->make_agent("cy$nailed", $busy);
		$stage->api(PUT => "/api/agents/$cy->{id}/endpoint", {type => 'phone', number => "+1555777001$nailed",
			nailed => $nailed ? JSON::PP::true : JSON::PP::false});
		$stage->agent_ready($cy, $busy);
		$stage->api(POST => "$CM/campaigns/$busy/auto-dial");
		for my $n (1 .. 4) {
			my $in_the_way = $stage->wait_until(20, 'a call of auto-dial', sub {
				my ($c) = grep { $_->{state} eq 'bridged' && $_->{mode} eq 'auto' }
					@{$stage->api(GET => "/api/calls?campaignId=$busy&state=open")->{calls}};
				return $c });
			my $r = dial(to => "+141555503$nailed$n", agentId => $cy->{id}, force => JSON::PP::true);
			ok $r->{success}, ($nailed ? 'nailed' : 'rung first') . ": $n" or diag $r->{content};
			is state_of($in_the_way->{id}), 'ended', 'in its place';
			my $id = $r->{json}{callId} or last;
			$stage->wait_until(20, 'them to talk', sub { state_of($id) eq 'bridged' });
			ask(POST => "/api/calls/$id/hangup");
			$stage->wait_until(10, 'the call to end', sub { state_of($id) eq 'ended' });
		}
		$stage->api(POST => "$CM/campaigns/$busy/auto-dial/stop");
		for my $c (@{$stage->api(GET => "/api/calls?campaignId=$busy&state=open")->{calls}}) {
			ask(POST => "/api/calls/$c->{id}/hangup");
			$stage->wait_until(10, 'the last call to end', sub { state_of($c->{id}) eq 'ended' });
		}
		$stage->api(DELETE => "/api/agents/$cy->{id}/session");
	}
};

contract_kept();
done_testing;
