#!/usr/bin/env perl
# What an agent says a call was, and what follows from it: another try, a callback, a number that
# is never called again. Every answer is checked against docs/openapi.yaml.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use JSON::PP;
use POSIX qw(strftime);
use Test::More;
use Omnivox::Asking;
use Omnivox::Stage;

my $CM = $Omnivox::Stage::CM;
my $stage = Omnivox::Stage->new(population => [{match => '*', weight => 1,
	behaviour => 'human', ring_ms => 200, talk_ms => 60000, say => 'tone:440'}]);
asking($stage);
$stage->start_sandbox;
$stage->start_gateway;
$stage->login;

sub later { return strftime('%Y-%m-%dT%H:%M:%SZ', gmtime(time + $_[0])) }

my $campaign = $stage->make_campaign({wrapUpS => 600, maxAttempts => 5},
	map { "+1555111000$_" } 1 .. 6);
my $other = data(POST => "$CM/campaigns", {name => 'Other'})->{campaign}{id};
my $ana = $stage->make_agent('ana', $campaign);
data(POST => '/api/agents', {username => 'bo', name => 'Bo', password => 'bo-password'});
my ($cookie, $bo) = (sign_in('ana', $ana->{password}), sign_in('bo', 'bo-password'));

my %id;
subtest 'definitions' => sub {
	my $all = data(GET => '/api/dispositions')->{dispositions};
	%id = map { $_->{name} => $_->{id} } @$all;
	ok $id{$_}, "there is $_" for 'Sale', 'Not interested', 'Callback', 'Do not call', 'Wrong number';
	my $new = data(POST => '/api/dispositions', {name => 'Spoke to a child', category => 'neutral',
		position => 5, rules => {retry => {afterS => 60}}, campaignIds => [$other]})->{disposition};
	is_deeply $new->{rules}, {retry => {afterS => 60}, callbackRequired => JSON::PP::false,
		dnc => JSON::PP::false, final => JSON::PP::false, notesRequired => JSON::PP::false},
		'a new one has the rules that were given';
	$id{child} = $new->{id};
	ok !(grep { $_->{id} eq $new->{id} }
		@{data(GET => "/api/dispositions?campaignId=$campaign")->{dispositions}}),
		'it is not to be chosen in another campaign';
	is data(GET => "/api/dispositions?campaignId=$other")->{dispositions}[0]{id}, $new->{id},
		'in its own it stands where its position puts it';
	answers(ask(POST => '/api/dispositions', {name => 'Sale'}), 409, 'EXISTS', 'a name is had once');
	for my $bad ({}, {name => ''}, {name => " \t\n"}, {name => 'x', category => 'great'}, {name => 'x', rules => []},
		{name => 'x', rules => {retry => 5}}, {name => 'x', rules => {retry => {afterS => -1}}},
		{name => 'x', rules => {dnc => JSON::PP::true, retry => {afterS => 1}}},
		{name => 'x', rules => {final => 1}}, {name => 'x', rules => {what => 1}},
		{name => 'x', campaignIds => 'all'}, {name => 'x', campaignIds => ['y']},
		{name => 'x', position => -1}, {name => 'x', unknown => 1}) {
		answers(ask(POST => '/api/dispositions', $bad), 422, 'VALIDATION', encode_json($bad));
	}
	answers(ask(POST => '/api/dispositions', {name => 'x', campaignIds => ['999999']}), 404,
		'NOT_FOUND', 'for a campaign that is not there');
	answers(as($cookie, POST => '/api/dispositions', {name => 'x'}), 403, 'FORBIDDEN',
		'agents make none');
	is data(PUT => "/api/dispositions/$new->{id}", {rules => {retry => undef, final => JSON::PP::true},
		campaignIds => []})->{disposition}{rules}{retry}, undef, 'rules are changed';
	answers(ask(GET => '/api/dispositions?campaignId=999999'), 404, 'NOT_FOUND', 'no campaign has none');
	answers(ask(PUT => '/api/dispositions/999999', {name => 'y'}), 404, 'NOT_FOUND', 'none such');
};

my $phone;
sub call_one {
	my ($number) = @_;
	my ($entry) = grep { $_->{contact}{phone} eq $number }
		@{data(GET => "$CM/campaigns/$campaign/queue")->{queueEntries}};
	my $r = as($cookie, POST => "$CM/campaigns/$campaign/queue/$entry->{id}/call", {});
	is $r->{status}, 200, "calling $number" or diag $r->{content};
	my $call = $r->{json}{data}{callRecord}{id};
	wait_call($call, 'bridged');
	return $call;
}

sub finish {
	my ($call) = @_;
	ask(POST => "/api/calls/$call/hangup");
	wait_call($call, 'ended');
}

sub entries { my ($number) = @_;
	return grep { $_->{contact}{phone} eq $number }
		@{data(GET => "$CM/campaigns/$campaign/queue?limit=100")->{queueEntries}} }

sub dispose { my ($call, $body, $who) = @_;
	return as($who // $cookie, POST => "/api/calls/$call/disposition", $body) }

sub ready {
	as($cookie, POST => "/api/agents/$ana->{id}/session/ready");
	$stage->wait_until(15, 'ana to be ready', sub { $stage->agent_session($ana)->{state} eq 'ready' });
}

subtest 'whose call it is' => sub {
	my $there = $stage->make_campaign({wrapUpS => 0}, '+15551119001');
	my $bea = $stage->make_agent('bea', $there);
	$stage->api(PUT => "/api/agents/$bea->{id}/endpoint", {type => 'phone', number => '+15557770001'});
	$stage->agent_ready($bea, $there);
	$stage->api(POST => "$CM/campaigns/$campaign/join-agent", {agentId => $bea->{id}});
	my ($here) = entries('+15551110002');
	for my $who ([agent => sign_in('bea', $bea->{password}), {}],
		[staff => $stage->{cookie}, {agentId => $bea->{id}}]) {
		answers(as($who->[1], POST => "$CM/campaigns/$campaign/queue/$here->{id}/call", $who->[2]), 409,
			'OTHER_CAMPAIGN', "$who->[0]: whoever is ready elsewhere has no call here");
	}
	$stage->api(POST => "/api/agents/$bea->{id}/session/pause", {reason => 'lunch'});
	my ($entry) = @{data(GET => "$CM/campaigns/$there/queue")->{queueEntries}};
	my $path = "$CM/campaigns/$there/queue/$entry->{id}/call";
	my $r = as($stage->{cookie}, POST => $path, {});
	answers($r, 409, 'NO_AGENT', 'nobody who is at lunch gets a call that is for anybody');
	like $r->{json}{error}{message}, qr/ready.*agentId/, 'which says so';
	$r = as($stage->{cookie}, POST => $path, {agentId => $bea->{id}});
	is $r->{status}, 200, 'who is named does' or diag $r->{content};
	my $call = $r->{json}{data}{callRecord}{id};
	ask(POST => "/api/calls/$call/hangup");
	wait_call($call, 'ended');
	$stage->api(DELETE => "/api/agents/$bea->{id}/session");
};

subtest 'during the call and after it' => sub {
	$stage->start_phone($ana);
	$stage->wait_registered($ana);
	$stage->agent_ready($ana, $campaign);
	my $call = call_one('+15551110001');
	answers(dispose($call, {dispositionId => $id{Sale}}), 422, 'NOTES_REQUIRED', 'a sale needs notes');
	answers(dispose($call, {dispositionId => $id{Sale}, notes => " \n\t"}), 422, 'NOTES_REQUIRED',
		'blanks are none');
	my ($next) = entries('+15551110002');
	for my $who ([agent => $cookie, {}], [staff => $stage->{cookie}, {agentId => $ana->{id}}]) {
		answers(as($who->[1], POST => "$CM/campaigns/$campaign/queue/$next->{id}/call", $who->[2]), 409,
			'ACTIVE_CALL', "$who->[0]: whoever talks has no other call now");
	}
	answers(dispose($call, {dispositionId => $id{Callback}}), 422, 'CALLBACK_REQUIRED',
		'a callback its time');
	answers(dispose($call, {dispositionId => $id{Callback}, callbackAt => later(-86400)}), 422,
		'VALIDATION', 'and one that is to come');
	answers(dispose($call, {dispositionId => '999999'}), 404, 'NOT_FOUND', 'none such');
	answers(dispose($call, {dispositionId => $id{Sale}, notes => "a\x{1}"}), 422, 'VALIDATION',
		'control characters');
	answers(dispose($call, {dispositionId => $id{Sale}}, $bo), 404, 'NOT_FOUND',
		"another agent does not find the call");
	my $said = dispose($call, {dispositionId => $id{Interested}, notes => "wants a \x{20ac} price"});
	is $said->{status}, 200, 'said while talking' or diag $said->{content};
	ok !$said->{json}{data}{disposition}{applied}, 'its rules wait for the end';
	is +(entries('+15551110001'))[0]{status}, 'dialing', 'nothing happens meanwhile';
	finish($call);
	my ($entry) = entries('+15551110001');
	is $entry->{status}, 'pending', 'after it the contact waits for another try';
	my $detail = data(GET => "/api/calls/$call");
	ok $detail->{disposition}{applied}, 'the rules are worked off';
	is $detail->{disposition}{notes}, "wants a \x{20ac} price", 'the notes are kept';
	is $detail->{call}{disposition}, 'Interested', 'and the call says what it was';
	is_deeply [sort map { $_->{kind} } @{$detail->{legs}}], ['agent', 'customer'], 'with both legs';
	is_deeply [map { $_->{id} } @{data(GET => "/api/calls?dispositionId=$id{Interested}")->{calls}}],
		[$call], 'it is found by it';
	is dispose($call, {dispositionId => $id{Interested}})->{status}, 200, 'the same again is harmless';
	answers(dispose($call, {dispositionId => $id{'Wrong number'}}), 409, 'DISPOSED', 'another one is not');
	is +(entries('+15551110001'))[0]{status}, 'pending', 'and changes nothing';
	is ask(POST => "/api/calls/$call/disposition", {dispositionId => $id{'Wrong number'}})->{status}, 200,
		'staff may change it';
	is +(entries('+15551110001'))[0]{status}, 'completed', 'and then the contact is done with';
	is $stage->agent_session($ana)->{state}, 'wrap_up', 'the agent is still wrapping up';
};

subtest 'it ends the wrap-up when that is wanted' => sub {
	ready();
	my $call = call_one('+15551110002');
	finish($call);
	is $stage->agent_session($ana)->{state}, 'wrap_up', 'wrap-up';
	dispose($call, {dispositionId => $id{'Not interested'}, endWrapUp => JSON::PP::true});
	is $stage->agent_session($ana)->{state}, 'ready', 'ready in the same transaction';
	$call = call_one('+15551110006');
	dispose($call, {dispositionId => $id{'Not interested'}});
	finish($call);
	is $stage->agent_session($ana)->{state}, 'wrap_up', 'said in the call: wrap-up all the same';
	dispose($call, {dispositionId => $id{'Not interested'}, endWrapUp => JSON::PP::true});
	is $stage->agent_session($ana)->{state}, 'ready', 'until the same is said with it';
};

subtest 'do not call' => sub {
	my $call = call_one('+15551110003');
	finish($call);
	is dispose($call, {dispositionId => $id{'Do not call'}, endWrapUp => JSON::PP::true})->{status}, 200;
	my $check = data(POST => '/api/admin/dnc/check', {phoneNumber => '+15551110003'});
	ok $check->{isBlocked}, 'the number is on the list';
	is $check->{dncEntry}{source}, 'agent', 'by the agent';
};

subtest 'a callback' => sub {
	my $call = call_one('+15551110004');
	my $at = later(3600);
	my $said = dispose($call, {dispositionId => $id{Callback}, callbackAt => $at, notes => 'after lunch'});
	is $said->{status}, 200 or diag $said->{content};
	finish($call);
	my $promise = data(GET => "/api/callbacks/$said->{json}{data}{disposition}{callbackId}")->{callback};
	is_deeply [@$promise{qw(state agentId note fromCallId)}], ['pending', $ana->{id}, 'after lunch', $call],
		'is kept for the agent who promised it';
	$at =~ s/Z$/.000Z/;
	is $promise->{dueAt}, $at, 'at its time';
	my ($done, $waiting) = sort { $a->{id} <=> $b->{id} } entries('+15551110004');
	is "$done->{status} $waiting->{status} $waiting->{priority} $waiting->{runAt}",
		"completed pending 1 $at", 'as an entry at the head of the queue';
	answers(dispose($call, {dispositionId => $id{Sale}, notes => 'x'}), 409, 'DISPOSED', 'said once');
	is ask(POST => "/api/calls/$call/disposition",
		{dispositionId => $id{'Wrong number'}})->{status}, 200, 'staff changes it';
	is data(GET => "/api/callbacks/$promise->{id}")->{callback}{state}, 'cancelled', 'and the promise is void';
	is join(' ', sort map { $_->{status} } entries('+15551110004')), 'completed skipped',
		'its entry is not dialled';
};

subtest 'definitions that calls have' => sub {
	ok data(DELETE => "/api/dispositions/$id{'Wrong number'}")->{kept}, 'one in use is kept';
	ok !(grep { $_->{name} eq 'Wrong number' }
		@{data(GET => "/api/dispositions?campaignId=$campaign")->{dispositions}}),
		'and not to be chosen any more';
	ok !data(DELETE => "/api/dispositions/$id{child}")->{kept}, 'an unused one goes';
	answers(ask(DELETE => "/api/dispositions/$id{child}"), 404, 'NOT_FOUND', 'once');
};

subtest 'whose agent is one no more' => sub {
	ready();
	my $call = call_one('+15551110005');
	finish($call);
	ask(DELETE => "/api/agents/$ana->{id}/session");
	data(PUT => "/api/users/$ana->{id}", {role => 'supervisor'});
	my $said = ask(POST => "/api/calls/$call/disposition", {dispositionId => $id{Interested}});
	is $said->{status}, 200, 'its calls are still said to be something' or diag $said->{content};
	$said = ask(POST => "/api/calls/$call/disposition",
		{dispositionId => $id{Callback}, callbackAt => later(3600)});
	is data(GET => "/api/callbacks/$said->{json}{data}{disposition}{callbackId}")->{callback}{agentId}, undef,
		'and anybody may keep its promise';
	answers(ask(POST => "/api/calls/$call/disposition", {dispositionId => $id{Callback},
		callbackAt => later(3600), callbackAgentId => $ana->{id}}), 404, 'NOT_FOUND', 'who is named must be an agent');
};

contract_kept();
undef $stage;
done_testing;
