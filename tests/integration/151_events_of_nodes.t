#!/usr/bin/env perl
# Two gateways on one database: the stream of events of either tells what both learn, each event
# once. All webhooks come to the first; what is judged is what the second one's streams say. A
# gateway that is alone, or whose news nobody hears elsewhere, sends no notification.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use IO::Handle;
use JSON::PP ();
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);
use Omnivox::Postgres;
use Omnivox::Stage;

my $CM = $Omnivox::Stage::CM;
my $BUS = "datname = 'omnivox' AND query ~ 'LISTEN omnivox_events|UPDATE nodes SET hears|pg_notify'"
	. ' AND pid <> pg_backend_pid()';

my $first = Omnivox::Stage->new(
	population => [{match => '*', weight => 1, behaviour => 'human', ring_ms => 150, talk_ms => 300, say => 'tone:440'}],
	sandbox_env => {SANDBOX_RECORD => 0});
$first->start_sandbox;
my $pg = Omnivox::Postgres->new($first, "$first->{dir}/pg");
$pg->start;
my $ear = ear();
$first->{gateway_env} = {DATABASE_URL => $pg->url};
$first->start_gateway;

sub slurp { my ($file) = @_; return -e $file ? do { local (@ARGV, $/) = $file; <> // '' } : '' }

# ---- what is heard ----

# A connection that listens as gateways do; heard() gives the payloads so far.
sub ear {
	open my $out, '>', "$first->{dir}/ear" or die $!;
	my $pid = open(my $in, '|-') // die $!;
	if ($pid == 0) {
		open STDOUT, '>&', $out or die $!;
		exec "$pg->{bin}/psql", '-XAtq', '-h', '127.0.0.1', '-p', $pg->{port}, '-U', 'omnivox', 'omnivox'
			or POSIX::_exit(127);
	}
	$in->autoflush(1);
	print $in "LISTEN omnivox_events;\n";
	return {in => $in, marks => 0};
}

sub heard {
	# psql looks for notifications after each statement: the second one finds what had come.
	my $mark = 'mark' . ++$ear->{marks};
	print {$ear->{in}} "SELECT 'first';\nSELECT '$mark';\n";
	my $text = $first->wait_until(10, 'psql', sub {
		my $now = slurp("$first->{dir}/ear");
		return $now =~ /^$mark$/m ? $now : undef });
	my @payloads = $text =~ /with payload "(.*?)" received from/sg;
	return @payloads;
}

# A stream at a stage's gateway, for whoever has the cookie, or says so in another header.
my $streams = 0;
sub stream {
	my ($stage, $who) = @_;
	my $name = 'stream' . ++$streams;
	my $file = "$stage->{dir}/$name";
	my $pid = $stage->spawn($name, {}, 'curl', '-sN', '-o', $file, '-H',
		$who =~ /^\w+: / ? $who : "Cookie: $who", "http://$stage->{gateway}{http}/api/events");
	my $stream = {stage => $stage, name => $name, pid => $pid, file => $file, from => 0};
	$stage->wait_until(10, 'the stream', sub { slurp($file) =~ /^retry:/ });
	return $stream;
}

sub ended {
	my ($stream) = @_;
	return waitpid($stream->{pid}, POSIX::WNOHANG()) == $stream->{pid}
		&& delete $stream->{stage}{pids}{$stream->{name}};
}

# [type, data] of the events since seen().
sub events {
	my ($stream) = @_;
	my @all;
	my $text = slurp($stream->{file});
	push @all, [$1, JSON::PP->new->utf8->decode($2), "$1 $2"] while $text =~ /^event: (\w+)\ndata: (.*)\n\n/mg;
	return @all[$stream->{from} .. $#all];
}

sub seen { $_->{from} += @{[events($_)]} for @_ }

sub says {
	my ($stream, $type, %want) = @_;
	return grep { my $e = $_; $e->[0] eq $type
		&& !grep { ($e->[1]{$_} // '') ne $want{$_} } keys %want } events($stream);
}

sub hears {
	my ($stream, $what, @want) = @_;
	return $first->wait_until(10, $what, sub { (says($stream, @want))[0] });
}

# As text, in an order of no meaning. Of an agent the older of two states may be left out.
sub told { [sort map { $_->[2] } grep { $_->[0] !~ /^(resync|agent)$/ } events($_[0])] }

my $pauses = 0;
sub pause {
	my ($agent) = @_;
	my $reason = 'pause ' . ++$pauses;
	$first->api(POST => "/api/agents/$agent->{id}/session/pause", {reason => $reason});
	return $reason;
}

# What a third party cannot know: that news flows. Asks again until some does.
sub until_heard {
	my ($stream, $agent) = @_;
	$first->wait_until(10, 'news of the other node', sub {
		my $reason = pause($agent);
		my $end = time + 0.1;
		until (says($stream, 'agent', reason => $reason)) {
			return if time > $end;
			sleep 0.01;
		}
		return 1 });
}

# ---- alone ----

$pg->psql(omnivox => "INSERT INTO pause_reasons SELECT 'break', 'pause ' || n, 100 + n FROM generate_series(1, 200) n");
my $admin = $first->login;
my $campaign = $first->make_campaign({callGapMs => 0, batchGapMs => 0, wrapUpS => 0}, '+15552220001', '+15552220002');
my $one = $first->make_agent('one', $campaign);
my $two = $first->make_agent('two', $campaign);
my ($one_cookie, $two_cookie) = map { my $a = $_; local $first->{cookie}; $first->login($a->{username}, $a->{password}) } $one, $two;
my $at_first = stream($first, $admin);
$first->api(POST => "/api/agents/$one->{id}/session", {campaignId => $campaign});
hears($at_first, 'its own news', 'agent', reason => pause($one));
is scalar(heard()), 0, 'a gateway that is alone sends no notification';
is $pg->psql(omnivox => "SELECT count(*) FROM pg_stat_activity WHERE $BUS"), 0, 'and keeps no connection for them';

# ---- two, and nobody hears at the second ----

my $second = Omnivox::Stage->new(gateway_env =>
	{DATABASE_URL => $pg->url . '?application_name=second', BACKEND_URL => "http://$first->{gateway}{http}"});
$second->{sandbox} = $first->{sandbox};
$second->start_gateway;
$first->sandbox_put('/sandbox/sip-domain',
	{voice_url => "http://$first->{gateway}{http}/api/calls-twiml/twiml-agent"});
my ($first_node, $second_node) = map { slurp("$_->{dir}/gateway-data/node-id") =~ /(\S+)/ } $first, $second;
$first->wait_until(20, 'the second node to begin to tell', sub { grep { /^$second_node\nresync/ } heard() });
hears($at_first, 'resync', 'resync');
pass 'a stream is told to resync when another node begins to tell';
hears($at_first, 'its own news', 'agent', reason => pause($one));
is scalar(grep { /^$first_node/ } heard()), 0, 'what nobody hears elsewhere is not sent';

# ---- and somebody does ----

my $at_second = stream($second, $admin);
my $since = time;
until_heard($at_second, $one);
pass sprintf 'a new stream hears the other node %.2f s later', time - $since;
hears($at_second, 'resync', 'resync');
pass 'and reads anew what it may have missed';
my ($one_there, $two_there) = map { stream($second, $_) } $one_cookie, $two_cookie;

# A session of the second node that changes over the first: both learn of it, and one tells.
seen($at_first, $at_second);
$second->{cookie} = $admin;
my $path = "/api/agents/$two->{id}/session";
$second->api(POST => $path, {campaignId => $campaign});
hears($_, 'the sign-in', 'agent', agentId => $two->{id}, state => 'paused') for $at_first, $at_second;
my $reason = pause($two);
hears($_, 'the pause', 'agent', agentId => $two->{id}, reason => $reason) for $at_first, $at_second;
$first->api(DELETE => $path);
hears($_, 'the sign-out', 'agent', agentId => $two->{id}, state => 'offline') for $at_first, $at_second;
$first->wait_until(10, 'the second node to see it itself', sub {
	slurp("$second->{dir}/gateway.log") =~ /two paused -> offline/ });
$second->api(POST => $path, {campaignId => $campaign}); # all that the second told comes before this
$first->wait_until(10, 'the second sign-in everywhere', sub {
	2 == grep { my $s = $_; 2 == keys %{{map { ($_->[1]{sessionId} => 1) } says($s, 'agent', agentId => $two->{id})}} }
		$at_first, $at_second });
my ($session) = map { $_->[1]{sessionId} } says($at_first, 'agent', agentId => $two->{id});
my ($here, $there) = map { [grep { !/signed in/ } map { "$_->[1]{state}, $_->[1]{reason}" }
	says($_, 'agent', sessionId => $session)] } $at_first, $at_second;
is_deeply $here, ["paused, $reason", "offline, $reason"], "a session's changes are told once";
is_deeply $there, $here, 'and at the other node, too';

# A call of the first node's agent; its webhooks come to the first.
$first->start_phone($one, hz => 660);
$first->wait_registered($one);
seen($at_first, $at_second, $one_there, $two_there);
$first->api(POST => "/api/agents/$one->{id}/session/ready");
$first->api(POST => "$CM/campaigns/$campaign/auto-dial");
my $call = hears($at_second, 'the end of a call', 'call', state => 'ended', outcome => 'completed')->[1];
my ($interested) = grep { $_->{name} eq 'Interested' } @{$first->api(GET => '/api/dispositions')->{dispositions}};
$first->api(POST => "/api/calls/$call->{callId}/disposition", {dispositionId => $interested->{id}});
hears($_, 'the disposition', 'disposition', callId => $call->{callId}) for $at_first, $at_second, $one_there;
hears($at_second, 'the end of the list', 'campaign', reason => 'No contact is due; those that wait say why.');
$first->wait_until(10, 'the agent to be free', sub { $first->agent_session($one)->{state} eq 'ready' });
$reason = pause($one);
hears($_, 'the last news of the first', 'agent', reason => $reason) for $at_first, $at_second, $one_there;
$second->api(POST => "$path/pause", {reason => 'training'});
hears($_, 'the last news of the second', 'agent', reason => 'training') for $at_first, $at_second, $two_there;
is_deeply told($at_second), told($at_first), 'both nodes tell the same';
my @states = map { "$_->[1]{callId} $_->[1]{state}" } says($at_second, 'call');
my %once = map { ($_ => 1) } @states;
is scalar(@states), scalar(keys %once), 'each state of a call once' or diag explain \@states;
is scalar(says($at_second, 'call', callId => $call->{callId}, state => 'ended')), 1, 'its end, too';
is_deeply [map { scalar says($_, 'agent', reason => $reason) } $at_first, $at_second, $one_there], [1, 1, 1],
	'and a state of an agent';
cmp_ok scalar(says($one_there, 'call')), '>=', 2, 'its agent hears it at the other node';
is_deeply [grep { ($_->[1]{agentId} // '') ne $one->{id} } events($one_there)], [], 'and nothing that is not its own';
is_deeply [grep { ($_->[1]{agentId} // '') ne $two->{id} } events($two_there)], [], 'nor does another agent';

# ---- what only staff hears ----

my %sue = (username => 'sue', name => 'Sue', role => 'supervisor', password => 'sue-password');
my $sue = $first->api(POST => '/api/users', \%sue)->{user}{id};
my $sues = do { local $first->{cookie}; $first->login('sue', 'sue-password') };
my $key = do { local $first->{cookie} = $sues; $first->api(POST => '/api/api-keys', {name => 'wall'})->{key} };
my %hers = (session => stream($second, $sues), key => stream($second, "Authorization: Bearer $key"));
$first->api(PUT => "/api/users/$sue", {role => 'agent'});
for my $what (sort keys %hers) {
	ok eval { $first->wait_until(10, 'the end of a stream', sub { ended($hers{$what}) }) },
		"who is no supervisor any more does not listen as one at the other node: its $what";
}
ok !ended($at_second), 'others listen on';

# ---- a connection is lost ----

seen($at_first, $at_second);
is $pg->psql(omnivox => "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE $BUS"
	. " AND application_name = 'second'"), 1, 'the connection of the second node is cut';
hears($_, 'resync', 'resync') for $at_first, $at_second;
pass 'who reads a stream of either is told that something may be missing';
until_heard($at_second, $one);
pass 'and hears the other node again';
like slurp("$second->{dir}/gateway.log"), qr/warn.*other nodes are not heard: .*\n(?:.*\n)*?.*other nodes are heard/i,
	'the log tells both';

# ---- a node is killed and comes back ----

seen($at_second);
$first->stop('gateway', 'KILL');
$first->start_gateway;
hears($at_second, 'resync', 'resync');
until_heard($at_second, $one);
pass 'a node that comes back is heard again, and what it told nobody is read anew';

close $ear->{in};
$second->cleanup;
$first->stop($_) for "phone-$one->{username}", 'gateway';
$pg->stop; # which would wait for the gateway
done_testing;
