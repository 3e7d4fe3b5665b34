#!/usr/bin/env perl
# Promises to call back: kept for their agent, dialled before everything else when they are due,
# and never by two.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use JSON::PP;
use POSIX qw(strftime);
use Test::More;
use Omnivox::Asking;
use Omnivox::Judge qw(double_dials);
use Omnivox::Stage;

my $CM = $Omnivox::Stage::CM;
my $stage = Omnivox::Stage->new(population => [{match => '*', weight => 1,
	behaviour => 'human', ring_ms => 200, talk_ms => 1500, say => 'tone:440'}]);
asking($stage);
$stage->start_sandbox;
$stage->start_gateway;
my $admin = $stage->login;

sub later { return strftime('%Y-%m-%dT%H:%M:%SZ', gmtime(time + $_[0])) }

my $campaign = $stage->make_campaign({wrapUpS => 0, callGapMs => 100, batchGapMs => 100},
	map { "+1415555000$_" } 1 .. 5);
my %contact = map { $_->{contact}{phone} => $_->{contact}{id} }
	@{data(GET => "$CM/campaigns/$campaign/queue")->{queueEntries}};
my $elsewhere = $stage->make_campaign({}, '+14155550009');
my $stranger = data(GET => "$CM/campaigns/$elsewhere/queue")->{queueEntries}[0]{contact}{id};
my (%agent, %cookie);
for my $name ('ana', 'bo') {
	my $made = data(POST => '/api/agents', {username => $name, name => ucfirst $name,
		password => "$name-password"});
	$agent{$name} = {%$made, id => $made->{agent}{id}, username => $name};
	data(POST => "$CM/campaigns/$campaign/join-agent", {agentId => $made->{agent}{id}});
	$cookie{$name} = $stage->login($name, "$name-password");
	$stage->{cookie} = $admin;
}

my ($anas, $anybodys);
subtest 'promising' => sub {
	my %b = (campaignId => $campaign, contactId => $contact{'+14155550004'}, dueAt => later(600),
		note => 'ask for the boss');
	my $r = as($cookie{ana}, POST => '/api/callbacks', \%b);
	is $r->{status}, 201, 'an agent promises' or diag $r->{content};
	$anas = $r->{json}{data}{callback};
	is_deeply [@$anas{qw(agentId state note graceS)}], [$agent{ana}{id}, 'pending', 'ask for the boss', 900],
		'and keeps it for itself';
	is $anas->{contact}{timeZone}, 'America/Los_Angeles', "on the contact's clock";
	like $anas->{dueLocal}, qr/^\d{4}-\d\d-\d\dT\d\d:\d\d$/, 'it is so late';
	answers(ask(POST => '/api/callbacks', \%b), 409, 'EXISTS', 'one a contact');
	$anybodys = data(POST => '/api/callbacks',
		{%b, contactId => $contact{'+14155550005'}})->{callback};
	is $anybodys->{agentId}, undef, "staff's is anybody's";
	for my $bad ({dueAt => later(-7200)}, {dueAt => later(400 * 86400)}, {dueAt => 'noon'},
		{graceS => -1}, {note => 'x' x 501}, {agentId => 'ana'}, {who => 1}) {
		answers(ask(POST => '/api/callbacks', {%b, %$bad}), 422, 'VALIDATION', join ' ', %$bad);
	}
	answers(ask(POST => '/api/callbacks', {%b, agentId => '999999'}), 404, 'NOT_FOUND', 'no agent');
	answers(ask(POST => '/api/callbacks', {%b, contactId => '999999'}), 404, 'NOT_FOUND', 'no contact');
	data(POST => '/api/admin/dnc', {phoneNumber => '+14155550009', campaignId => $elsewhere});
	my $no = ask(POST => '/api/callbacks', {%b, campaignId => $elsewhere, contactId => $stranger});
	answers($no, 422, 'NOT_PERMITTED', 'nobody is promised a call that may not be made');
	is $no->{json}{error}{details}{rule}, 'dnc.campaign', 'and the rule is named';
	like $no->{json}{error}{message}, qr/must not be called by this campaign/, 'with its sentence';
	for my $who ([ana => $cookie{ana}], [staff => $admin]) {
		answers(as($who->[1], POST => '/api/callbacks', {%b, contactId => $stranger}), 404,
			'NOT_FOUND', "$who->[0]: no contact of another campaign");
	}
	answers(as($cookie{bo}, POST => '/api/callbacks', {%b, agentId => $agent{ana}{id}}), 403,
		'FORBIDDEN', 'not for another agent');
};

subtest 'looking' => sub {
	my $page = data(GET => '/api/callbacks?limit=1');
	is $page->{callbacks}[0]{id}, $anas->{id}, 'a page';
	is data(GET => "/api/callbacks?after=$page->{nextCursor}")->{callbacks}[0]{id}, $anybodys->{id},
		'and the next';
	is scalar @{as($cookie{bo}, GET => "/api/callbacks?agentId=$agent{ana}{id}")->{json}{data}{callbacks}},
		0, "an agent sees its own";
	answers(as($cookie{bo}, $_ => "/api/callbacks/$anas->{id}", $_ eq 'PUT' ? {note => 'x'} : ()), 404,
		'NOT_FOUND', "$_ of another's") for 'GET', 'PUT', 'DELETE';
	is as($cookie{bo}, GET => "/api/callbacks/$anybodys->{id}")->{status}, 200, "anybody's it finds";
	is scalar @{data(GET => "/api/callbacks?$_")->{callbacks}}, 2, $_ for "campaignId=$campaign",
		'state=pending', 'dueFrom=' . later(0) . '&dueTo=' . later(3600);
	is scalar @{data(GET => "/api/callbacks?$_")->{callbacks}}, 0, $_ for 'state=done',
		'dueTo=' . later(0), 'campaignId=999999';
	answers(ask(GET => "/api/callbacks?$_"), 422, 'VALIDATION', $_)
		for 'state=lost', 'after=x', 'limit=0', 'dueFrom=noon';
};

# Who hears what of a callback: its states with their owners, in the order of the stream.
my %hears = map { $_->[0] => open_events("Cookie: $_->[1]") } [staff => $admin],
	[ana => $cookie{ana}], [bo => $cookie{bo}];
for my $name (sort keys %hears) {
	$stage->wait_until(10, "the stream of $name", sub { events_text($hears{$name}) =~ /retry:/ });
}
sub heard {
	my ($name, $id) = @_;
	my ($text, @heard) = events_text($hears{$name});
	while ($text =~ /^event: callback\r?\n(?:.*\n)*?data: (.*)$/mg) {
		my $told = decode_json($1);
		push @heard, "$told->{state} " . ($told->{agentId} // '-') if $told->{callbackId} eq $id;
	}
	return join ', ', @heard;
}
sub hears {
	my ($name, $id, $end, $what) = @_;
	ok $stage->wait_until(10, $what, sub { heard($name, $id) =~ /\b\Q$end\E$/ }), $what;
}

subtest 'one that is moved to another agent' => sub {
	my $moved = data(POST => '/api/callbacks', {campaignId => $campaign, dueAt => later(600),
		contactId => $contact{'+14155550003'}, agentId => $agent{ana}{id}})->{callback}{id};
	hears($_ => $moved, "pending $agent{ana}{id}", "$_ hears of it") for qw(ana staff);
	data(PUT => "/api/callbacks/$moved", {agentId => $agent{bo}{id}});
	hears($_ => $moved, "pending $agent{bo}{id}", "$_ hears who has it now") for qw(ana bo staff);
	data(PUT => "/api/callbacks/$moved", {agentId => undef});
	hears($_ => $moved, 'pending -', "$_ hears that anybody has it") for qw(bo staff);
	is heard(ana => $moved), "pending $agent{ana}{id}, pending $agent{bo}{id}", 'that is not for ana';
	data(DELETE => "/api/callbacks/$moved");
	hears(staff => $moved, 'cancelled -', 'staff hears the end');
};

sub creates { return map { $_->{to} } grep { $_->{event} eq 'create' } $stage->call_log }
sub state_of { return data(GET => "/api/callbacks/$_[0]{id}")->{callback}{state} }

subtest 'dialling' => sub {
	for my $name ('ana', 'bo') {
		$stage->start_phone($agent{$name});
		$stage->wait_registered($agent{$name});
	}
	$stage->agent_ready($agent{bo}, $campaign);
	my $moved = as($cookie{ana}, PUT => "/api/callbacks/$anas->{id}", {dueAt => later(0)})->{json}{data}{callback};
	is $moved->{agentId}, $agent{ana}{id}, 'moved to now, still hers';
	answers(as($cookie{bo}, POST => "$CM/campaigns/$campaign/queue/$moved->{queueId}/call"), 422,
		'NOT_PERMITTED', "Bo's Call Now on it");
	answers(ask(POST => "$CM/campaigns/$campaign/queue/$moved->{queueId}/call"), 422,
		'NOT_PERMITTED', 'and that of staff, who would take anybody');
	is data(PUT => "/api/callbacks/$anybodys->{id}", {dueAt => later(0)})->{callback}{state}, 'pending',
		"anybody's is due, too";
	data(POST => "$CM/campaigns/$campaign/auto-dial");
	$stage->wait_until(20, "anybody's to be done", sub { state_of($anybodys) eq 'done' });
	is +(creates())[0], '+14155550005', "what is anybody's comes first";
	$stage->wait_until(30, 'Bo to have dialled the others', sub { creates() >= 4 });
	ok !(grep { $_ eq '+14155550004' } creates()), "Ana's waits for her";
	is state_of($anas), 'pending', 'and is not missed';
	$stage->agent_ready($agent{ana}, $campaign);
	$stage->wait_until(20, "Ana's to be done", sub { state_of($anas) eq 'done' });
	my $done = data(GET => "/api/callbacks/$anas->{id}")->{callback};
	is data(GET => "/api/calls/$done->{doneCallId}")->{call}{agentId}, $agent{ana}{id},
		'she has dialled it';
	hears($_ => $anas->{id}, "done $agent{ana}{id}", "$_ hears that it is done") for qw(ana staff);
	answers(ask(PUT => "/api/callbacks/$anas->{id}", {note => 'x'}), 409, 'OVER', 'what is done is over');
	answers(ask(DELETE => "/api/callbacks/$anas->{id}"), 409, 'OVER', 'for good');
	is_deeply [double_dials($stage->call_log)], [], 'nobody was dialled twice';
};

subtest "a disposition's" => sub {
	my ($call) = grep { $_->{number} eq '+14155550004' } @{data(GET => '/api/calls')->{calls}};
	$stage->wait_until(20, 'the call to end', sub {
		data(GET => "/api/calls/$call->{id}")->{call}{state} eq 'ended' });
	my ($later) = grep { $_->{rules}{callbackRequired} } @{data(GET => '/api/dispositions')->{dispositions}};
	my ($final) = grep { $_->{rules}{final} && !$_->{rules}{notesRequired} && !$_->{rules}{dnc} }
		@{data(GET => '/api/dispositions')->{dispositions}};
	my $path = "/api/calls/$call->{id}/disposition";
	my $id = data(POST => $path, {dispositionId => $later->{id}, notes => 'at tea', callbackAt => later(600)})
		->{disposition}{callbackId};
	hears($_ => $id, "pending $agent{ana}{id}", "$_ hears what was promised") for qw(ana staff);
	data(POST => $path, {dispositionId => $final->{id}, notes => 'done with'});
	hears($_ => $id, "cancelled $agent{ana}{id}", "$_ hears that it is void") for qw(ana staff);
	is heard(bo => $id), '', 'and nobody else';
};

subtest 'cancelling' => sub {
	my $b = data(POST => '/api/callbacks', {campaignId => $campaign,
		contactId => $contact{'+14155550001'}, dueAt => later(60)})->{callback};
	is data(DELETE => "/api/callbacks/$b->{id}")->{callback}{state}, 'cancelled', 'cancelled';
	my ($entry) = grep { $_->{id} eq $b->{queueId} }
		@{data(GET => "$CM/campaigns/$campaign/queue?limit=100")->{queueEntries}};
	is $entry->{status}, 'skipped', 'its entry is not dialled';
};

subtest 'who is taken out of the queue' => sub {
	my %b = (campaignId => $campaign, contactId => $contact{'+14155550002'}, dueAt => later(60));
	my $b = data(POST => '/api/callbacks', \%b)->{callback};
	data(POST => "$CM/campaigns/$campaign/queue/$b->{queueId}/skip");
	is state_of($b), 'cancelled', 'is not called back: that is over';
	$b = data(POST => '/api/callbacks', \%b)->{callback};
	is $b->{state}, 'pending', 'and may be promised anew';
	is data(POST => '/api/admin/dnc', {phoneNumber => '+14155550002'})->{skippedEntries}, 1,
		'whom nobody may call any more';
	is state_of($b), 'cancelled', 'nor that one';
};

subtest 'one whose owner is no agent any more' => sub {
	my $cy = data(POST => '/api/agents', {username => 'cy', name => 'Cy', password => 'cy-password'})
		->{agent}{id};
	my $b = data(POST => '/api/callbacks', {campaignId => $campaign, agentId => $cy,
		contactId => $contact{'+14155550001'}, dueAt => later(600)})->{callback};
	data(PUT => "/api/users/$cy", {role => 'supervisor'});
	my $moved = ask(PUT => "/api/callbacks/$b->{id}", {dueAt => later(1200)});
	is $moved->{status}, 200, 'is moved' or diag $moved->{content};
	is $moved->{json}{data}{callback}{agentId}, undef, 'and anybody may keep it';
	answers(ask(PUT => "/api/callbacks/$b->{id}", {agentId => $cy}), 404, 'NOT_FOUND', 'who is named must be an agent');
	data(DELETE => "/api/callbacks/$b->{id}");
};

subtest 'a campaign that is completed keeps no promise' => sub {
	data(PUT => "$CM/campaigns/$elsewhere", {state => 'completed'});
	answers(ask(POST => '/api/callbacks', {campaignId => $elsewhere, contactId => $stranger, dueAt => later(600)}),
		409, 'CAMPAIGN_STOPPED', 'so it takes none');
	is scalar @{data(GET => "/api/callbacks?campaignId=$elsewhere")->{callbacks}}, 0, 'none was made';
};

subtest 'a campaign that was deleted' => sub {
	data(DELETE => "$CM/campaigns/$elsewhere");
	answers(ask(POST => '/api/callbacks', {campaignId => $elsewhere, contactId => $stranger,
		dueAt => later(60)}), 404, 'NOT_FOUND', 'calls nobody back');
};

contract_kept();
undef $stage;
done_testing;
