#!/usr/bin/env perl
# Auto-dial: several campaigns at once, shared agents by priority and weight, the reason of every
# contact and agent that waits, stop and pause at once, over a restart, until the list is exhausted.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Time::HiRes qw(time sleep);
use Omnivox::Asking;
use Omnivox::Judge qw(double_dials);
use Omnivox::Stage;

my $CM = $Omnivox::Stage::CM;
my $stage = Omnivox::Stage->new(population => [{match => '*', weight => 1,
	behaviour => 'human', ring_ms => 80, talk_ms => 100, say => 'tone:440'}],
	sandbox_env => {SANDBOX_RECORD => 0},
	# What the killed worker was asking for is looked for soon.
	gateway_env => {AMBIGUOUS_AFTER => 3, RECONCILE_AFTER => 2});
asking($stage);
$stage->start_sandbox;
$stage->start_gateway;
$stage->login;

my %fast = (callGapMs => 0, batchGapMs => 0, batchSize => 100, wrapUpS => 0);
sub numbers { my ($prefix, $count) = @_; return map { sprintf '%s%04d', $prefix, $_ } 1 .. $count }
sub status { data(GET => "$CM/campaigns/$_[0]/auto-dial") }
sub counts {
	my %count;
	$count{$_->{code}} += $_->{count} for @{status($_[0])->{contacts}};
	return \%count;
}
sub created { my ($prefix) = @_; grep { $_->{event} eq 'create' && $_->{to} =~ /^\Q$prefix/ } $stage->call_log }

sub agent_code {
	my ($campaign, $agent) = @_;
	my ($row) = grep { $_->{agentId} eq $agent->{id} } @{status($campaign)->{agents}};
	return $row->{code};
}

# A call that has just ended may still hold the agent.
sub sign_out {
	my ($agent) = @_;
	$stage->wait_until(15, "$agent->{username} to sign out", sub {
		my $r = $stage->request(DELETE => "/api/agents/$agent->{id}/session");
		$r->{success} || ($r->{json}{error}{code} // '') eq 'SIGNED_OUT' });
}

my $first = $stage->make_campaign({%fast}, numbers('+1555211', 6));
my $ana = $stage->make_agent('ana', $first);

subtest 'why nothing is dialled' => sub {
	is_deeply counts($first), {draft => 6}, 'a draft waits to be started';
	is agent_code($first, $ana), 'signed_out', 'its agent is not there';
	data(POST => "$CM/campaigns/$first/auto-dial");
	$stage->wait_until(5, 'no agent', sub { counts($first)->{no_agent} });
	is_deeply counts($first), {no_agent => 6}, 'without an agent all wait for one';
	is data(GET => "$CM/campaigns/$first/queue?reason=no_agent&limit=2")->{queueEntries}[1]{reason},
		'no_agent', 'each entry says so';
	is scalar @{data(GET => "$CM/campaigns/$first/queue?reason=hours")->{queueEntries}}, 0,
		'none waits for anything else';
	data(PATCH => "$CM/campaigns/$first/activate", {isActive => JSON::PP::false});
	is_deeply counts($first), {paused => 6}, 'paused says paused';
	data(PATCH => "$CM/campaigns/$first/activate", {isActive => JSON::PP::true});
	is_deeply counts($first), {stopped => 6}, 'active without auto-dial says so';
	data(PATCH => "$CM/campaigns/$first/dial-method", {dialMethod => 'manual'});
	is_deeply counts($first), {method => 6}, 'a manual one says so';
	is ask(POST => "$CM/campaigns/$first/auto-dial")->{json}{error}{code}, 'DIAL_METHOD',
		'and does not auto-dial';
	data(PATCH => "$CM/campaigns/$first/dial-method", {dialMethod => 'progressive'});
	$stage->start_phone($ana);
	$stage->wait_registered($ana);
	$stage->agent_ready($ana, $first);
	is agent_code($first, $ana), 'stopped', 'a ready agent waits for what the campaign waits for';
	$stage->api(POST => "/api/agents/$ana->{id}/session/pause", {reason => 'lunch'});
	is agent_code($first, $ana), 'pause', 'a paused one for itself';
};

sub start_again { my $r = ask(POST => "$CM/campaigns/$first/auto-dial"); "$r->{status} " . ($r->{json}{error}{code} // '') }

subtest 'until the list is exhausted, and what comes later' => sub {
	$stage->api(POST => "/api/agents/$ana->{id}/session/ready");
	data(POST => "$CM/campaigns/$first/auto-dial");
	$stage->wait_until(20, 'the list', sub { status($first)->{code} eq 'exhausted' });
	is_deeply counts($first), {done => 6}, 'every contact was dialled to an end';
	is agent_code($first, $ana), 'exhausted', 'and the agent has nothing to do';
	is start_again(), '409 ALREADY_RUNNING', 'it runs all the same';
	my ($list) = @{$stage->api(GET => "$CM/campaigns/$first/data-lists")->{dataLists}};
	$stage->api(POST => "$CM/data-lists/$list->{id}/upload", "phone\n+15552119001\n",
		{'Content-Type' => 'text/csv'});
	# Well under the minute after which the runner looks by itself.
	$stage->wait_until(15, 'the new contact', sub { scalar created('+15552119001') });
	pass 'a contact that is uploaded later is dialled at once';
	$stage->wait_until(20, 'the end of it', sub { status($first)->{code} eq 'exhausted' });
	data(POST => "$CM/data-lists/$list->{id}/contacts", {phone => '+15552119002'});
	$stage->wait_until(15, 'one more', sub { scalar created('+15552119002') });
	pass 'so is one that is added by hand';
	$stage->wait_until(20, 'the end of that', sub { status($first)->{code} eq 'exhausted' });
	my $given = $stage->api(POST => "$CM/data-lists", {name => 'Given'})->{dataList}{id};
	data(POST => "$CM/data-lists/$given/contacts", {phone => '+15552119003'});
	data(POST => "$CM/campaigns/$first/assign-data-list", {listId => $given});
	$stage->wait_until(15, 'those of another list', sub { scalar created('+15552119003') });
	pass 'and those of a list that the campaign is given';
};

subtest 'a list that is not active' => sub {
	my $list = $stage->api(POST => "$CM/data-lists", {name => 'Later', campaignId => $first})->{dataList};
	my $upload = sub { $stage->api(POST => "$CM/data-lists/$list->{id}/upload",
		"phone\n" . join("\n", @_) . "\n", {'Content-Type' => 'text/csv'}) };
	my $active = sub { data(PUT => "$CM/data-lists/$list->{id}", {active => $_[0] ? JSON::PP::true : JSON::PP::false}) };
	$stage->api(POST => "/api/agents/$ana->{id}/session/pause", {reason => 'lunch'});
	$upload->(numbers('+1555212', 2));
	$stage->wait_until(10, 'the end of calls', sub { !counts($first)->{dialing} });
	my $unqueued = sub { (grep { $_->{code} eq 'unqueued' } @{status($first)->{contacts}})[0] };
	is $unqueued->()->{count}, 2, 'contacts that nobody has queued say so';
	unlike $unqueued->()->{reason}, qr/generate/, 'and that nobody need do it';
	is start_again(), '409 ALREADY_RUNNING', 'a second start is refused';
	is counts($first)->{unqueued}, 2, 'and queues nothing';
	data(POST => "$CM/campaigns/$first/generate-queue", {});
	$stage->wait_until(10, 'them to wait as all do', sub { (counts($first)->{no_agent} // 0) == 2 });
	$active->(0);
	$upload->(numbers('+1555214', 3));
	data(POST => "$CM/campaigns/$first/generate-queue", {});
	is counts($first)->{list}, 3, 'of a list that is not active none is queued';
	$stage->api(POST => "/api/agents/$ana->{id}/session/ready");
	$stage->wait_until(20, 'the queued ones to wait', sub { (counts($first)->{list} // 0) == 5 });
	is scalar created('+1555212'), 0, 'nor dialled';
	$active->(1);
	data(POST => "$CM/campaigns/$first/generate-queue", {});
	$stage->wait_until(30, 'all of them', sub { created('+1555212') + created('+1555214') == 5 });
	$stage->wait_until(20, 'the end', sub { counts($first)->{done} == 14 });
	is_deeply counts($first), {done => 14}, 'active again, all are dialled';
};

my $bo;
subtest 'several campaigns at once' => sub {
	my $second = $stage->make_campaign({%fast}, numbers('+1555222', 4));
	my $third = $stage->make_campaign({%fast}, numbers('+1555223', 4));
	$bo = $stage->make_agent('bo', $second);
	$stage->start_phone($bo, hz => 660);
	$stage->wait_registered($bo);
	$stage->agent_ready($bo, $second);
	data(POST => "$CM/campaigns/$third/join-agent", {agentId => $ana->{id}});
	sign_out($ana);
	$stage->agent_ready($ana, $third);
	data(POST => "$CM/campaigns/$_/auto-dial") for $second, $third;
	$stage->wait_until(20, 'both', sub {
		status($second)->{code} eq 'exhausted' && status($third)->{code} eq 'exhausted' });
	my @log = created('+155522');
	my %agent = map { ($_->{campaignId} => $_->{agentId}) } @{data(GET => '/api/calls?limit=8')->{calls}};
	is scalar @log, 8, 'each contact was dialled once';
	is $agent{$second}, $bo->{id}, 'each campaign by its agent';
	is $agent{$third}, $ana->{id}, 'and the other by its own';
	my $of = join '', map { $_->{to} =~ /^\+1555222/ ? 'a' : 'b' } @log;
	like $of, qr/a.*b.*a|b.*a.*b/, "they went on side by side: $of";
};

subtest 'an agent of several campaigns: priority, then weight' => sub {
	my %c = (
		urgent => $stage->make_campaign({%fast, priority => 1}, numbers('+1555231', 5)),
		heavy => $stage->make_campaign({%fast, weight => 30}, numbers('+1555232', 12)),
		light => $stage->make_campaign({%fast, weight => 10}, numbers('+1555233', 12)));
	data(POST => "$CM/campaigns/$c{$_}/join-agent", {agentId => $ana->{id}}) for sort keys %c;
	sign_out($ana);
	sign_out($bo);
	data(POST => "$CM/campaigns/$c{$_}/auto-dial") for sort keys %c;
	$stage->api(POST => "/api/agents/$ana->{id}/session", {campaignId => undef});
	$stage->api(POST => "/api/agents/$ana->{id}/session/ready");
	$stage->wait_until(60, 'all three', sub {
		!grep { status($c{$_})->{code} ne 'exhausted' } keys %c });
	my $order = join '', map { {1 => 'u', 2 => 'h', 3 => 'l'}->{substr $_->{to}, 7, 1} } created('+155523');
	like $order, qr/^[hl]{0,2}u{5}/, "the urgent one first: $order";
	my $mixed = substr $order =~ s/u//gr, 0, 12;
	my $heavy = $mixed =~ tr/h//;
	ok $heavy >= 8 && $heavy <= 10, "then three of the heavy for one of the light: $mixed";
};

subtest 'stop and pause at once' => sub {
	my $id = $stage->make_campaign({%fast}, numbers('+1555241', 60));
	for my $agent ($ana, $bo) {
		data(POST => "$CM/campaigns/$id/join-agent", {agentId => $agent->{id}});
		sign_out($agent);
		$stage->agent_ready($agent, $id);
	}
	# Calls are made long after their request was sent: an answer that waits for nobody comes
	# between the two.
	$stage->sandbox_put('/sandbox/faults', [{kind => 'slow', rate => 1, delay_ms => 1500}]);
	my $placing = sub { grep { $_->{state} eq 'placing' }
		@{data(GET => "/api/calls?campaignId=$id&limit=10")->{calls}} };
	for my $how ([POST => 'auto-dial/stop'], [PUT => '', {state => 'paused'}],
		[PATCH => 'activate', {isActive => JSON::PP::false}]) {
		my ($method, $path, $body) = @$how;
		data(POST => "$CM/campaigns/$id/auto-dial");
		$stage->wait_until(20, 'a call on its way', sub { scalar $placing->() });
		data($method => "$CM/campaigns/$id" . ($path ? "/$path" : ''), $body);
		my $answered = created('+1555241');
		is scalar($placing->()), 0, "$method $path: with the answer nothing is on its way";
		$stage->wait_until(30, 'the calls to end', sub { status($id)->{stats}{dialing} == 0 });
		is scalar(created('+1555241')), $answered, "$method $path: no call after the answer";
	}
	$stage->sandbox_put('/sandbox/faults', [{kind => 'slow', rate => 0}]);

	# Over a restart.
	data(POST => "$CM/campaigns/$id/auto-dial");
	my $before = created('+1555241');
	$stage->wait_until(10, 'it to go on', sub { created('+1555241') > $before });
	my $worker = $stage->worker;
	kill 'KILL', $worker;
	$stage->worker($worker, 20);
	# A call of which nobody knows what became is tried again in an hour.
	$stage->wait_until(90, 'the rest, without anybody starting it again', sub {
		my $left = counts($id);
		$left->{done} >= 55 && $left->{done} + ($left->{retry} // 0) == 60 });
	is_deeply [double_dials(created('+1555241'))], [], 'nobody was dialled twice';

	is ask(DELETE => "$CM/campaigns/$id")->{status}, 200, 'what is done is archived';
	is scalar(grep { $_->{id} eq $id } @{data(GET => "$CM/campaigns")->{campaigns}}), 0,
		'and leaves the list';
	ok scalar @{data(GET => "/api/calls?campaignId=$id")->{calls}}, 'its calls are kept';
	is ask(DELETE => "$CM/campaigns/$id")->{status}, 409, 'once';
};

contract_kept();
undef $stage;
done_testing;
