#!/usr/bin/env perl
# Every success that the contract promises can be had: each operation is brought to each 2xx that it
# declares, and to the 502 of those that wait for Twilio. Every answer is held against its schema.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use JSON::PP;
use POSIX qw(strftime);
use Test::More;
use Omnivox::Asking;
use Omnivox::Between;
use Omnivox::Stage;

my $CM = $Omnivox::Stage::CM;
my %key = (TWILIO_API_KEY_SID => 'SK' . 'a1' x 16, TWILIO_API_KEY_SECRET => 'the-secret-of-the-api-key');
my $stage = Omnivox::Stage->new(
	population => [{match => '*', weight => 1, behaviour => 'human', ring_ms => 100, talk_ms => 0,
		say => 'tone:440'}],
	sandbox_env => {SANDBOX_API_KEY_SID => $key{TWILIO_API_KEY_SID},
		SANDBOX_API_KEY_SECRET => $key{TWILIO_API_KEY_SECRET}},
	gateway_env => {API_RATE => 0, AMBIGUOUS_AFTER => 2, TWILIO_TWIML_APP_SID => 'AP' . 'b2' x 16, %key});
my $contract = asking($stage);
$stage->start_sandbox;
my $between = Omnivox::Between->new(to => "http://$stage->{sandbox}{http}", dir => $stage->dir);
$stage->{gateway_env}{TWILIO_API_BASE} = $between->url;
$stage->start_gateway;
my $admin = $stage->login;

# One answer: its status, and its error code where it has one.
sub gives {
	my ($r, $status, $what) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	is join(' ', $r->{status}, $r->{json}{error}{code} // ()), $status, $what or diag $r->{content};
	return $r->{json}{data};
}

sub done { my ($method, $path, $body, $headers) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return gives(ask($method, $path, $body, $headers), 200, "$method $path") }
sub made { my ($path, $body) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return gives(ask(POST => $path, $body), 201, "POST $path") }

subtest 'for anybody' => sub {
	done(GET => $_) for qw(/livez /readyz /api/version /api/docs /api/docs.css /api/openapi.yaml
		/api/openapi.json);
	contract_kept();
};

subtest 'people and keys' => sub {
	my $id = made('/api/users', {username => 'sue', name => 'Sue', role => 'supervisor',
		password => 'sues-password'})->{user}{id};
	my $r = ask(POST => '/api/auth/login', {username => 'sue', password => 'sues-password'}, {Cookie => ''});
	gives($r, 200, 'signing in');
	{
		local $stage->{cookie} = $r->{headers}{'set-cookie'} =~ /^([^;]+)/ ? $1 : die;
		done(GET => '/api/auth/me');
		done(POST => '/api/auth/password', {oldPassword => 'sues-password', newPassword => 'another-password'});
		done(POST => '/api/auth/logout');
	}
	done(GET => '/api/users');
	done(GET => "/api/users/$id");
	done(PUT => "/api/users/$id", {name => 'Susan'});
	done(DELETE => "/api/users/$id");
	my $key = made('/api/api-keys', {name => 'robot'})->{apiKey}{id};
	done(GET => '/api/api-keys');
	done(DELETE => "/api/api-keys/$key");
	done(GET => '/api/audit-log');
	contract_kept();
};

# What is not there after these can be seen is what the contract says of what was there.
my ($campaign, $list);
subtest 'campaigns and lists' => sub {
	$campaign = made("$CM/campaigns", {name => 'Each', callingHours => undef, wrapUpS => 0,
		recordCalls => JSON::PP::true, maxAttempts => 9})->{campaign}{id};
	my $path = "$CM/campaigns/$campaign";
	done(GET => "$CM/campaigns");
	done(GET => $path);
	done(PUT => $path, {description => 'of everything'});
	done(PATCH => "$path/dial-method", {dialMethod => 'preview'});
	done(PATCH => "$path/activate", {isActive => JSON::PP::true});
	done(GET => "$CM/stats");
	$list = made("$CM/data-lists", {name => 'Each'})->{dataList}{id};
	done(POST => "$path/assign-data-list", {listId => $list});
	done(GET => "$path/data-lists");
	done(GET => "$CM/data-lists");
	done(GET => "$CM/data-lists/$list");
	done(PUT => "$CM/data-lists/$list", {name => 'Every'});
	done(PATCH => "$CM/data-lists/$list", {blendWeight => 50});
	my $contact = made("$CM/data-lists/$list/contacts", {phone => '+14155550199'})->{contact}{id};
	done(GET => "$CM/data-lists/$list/contacts");
	done(GET => "$CM/contacts/$contact");
	done(PUT => "$CM/contacts/$contact", {firstName => 'Zoe'});
	done(DELETE => "$CM/contacts/$contact");
	my $other = made("$CM/campaigns", {name => 'Other'})->{campaign}{id};
	done(DELETE => "$CM/campaigns/$other");
	contract_kept();
};

sub upload {
	my ($to, $query, @rows) = @_;
	return ask(POST => "$CM/data-lists/$to/upload$query", join("\n", 'phone', @rows) . "\n",
		{'Content-Type' => 'text/csv'});
}
sub import_is {
	my ($id, $state) = @_;
	$stage->wait_until(30, "the import to be $state", sub {
		data(GET => "/api/imports/$id")->{import}{state} eq $state });
}

subtest 'imports' => sub {
	gives(upload($list, '', map { "+1415555010$_" } 1 .. 9), 200, 'an upload that is waited for');
	my $id = gives(upload($list, '', '+14155550198', 'nonsense'), 200, 'and another')->{import}{importId};
	done(GET => '/api/imports');
	done(GET => "/api/imports/$id");
	done(GET => "/api/imports/$id/rejected.csv");
	done(POST => "/api/imports/$id/undo");

	# Somebody else keeps the table to himself: this one does not end before it is cancelled.
	my ($psql) = (sort glob '/usr/lib/postgresql/*/bin/psql')[-1];
	local $ENV{PGHOST} = "$stage->{dir}/gateway-data/run";
	open my $other, '|-', $psql, qw(-U omnivox -d omnivox -Xqc), 'BEGIN; LOCK TABLE contacts IN SHARE MODE',
		'-c', '\\! cat > /dev/null' or die "psql: $!";
	$stage->wait_until(10, 'the lock', sub { $stage->sql("SELECT count(*) FROM pg_locks"
		. " WHERE relation = 'contacts'::regclass AND mode = 'ShareLock' AND granted") });
	$id = gives(upload($list, '?wait=0', '+14155550197'), 202, 'an upload that nobody waits for')
		->{import}{importId};
	done(POST => "/api/imports/$id/cancel");
	close $other;
	import_is($id, 'cancelled');

	# An import of very many, for all that anybody knows.
	$id = gives(upload($list, '', '+14155550196'), 200, 'one more')->{import}{importId};
	$stage->sql("UPDATE imports SET added = 100000 WHERE id = $id");
	gives(ask(POST => "/api/imports/$id/undo"), 202, 'undoing many');
	import_is($id, 'undone');
	contract_kept();
};

subtest 'lists that go and come' => sub {
	my $clone = sub { ask(POST => "$CM/data-lists/$list/clone", {newName => $_[0],
		includeContacts => JSON::PP::true}) };
	my $few = gives($clone->('few'), 201, 'a copy')->{dataList}{id};
	# A list of very many, for all that anybody knows.
	my $many = sub { $stage->sql("INSERT INTO list_counts (list_id, change) VALUES ($_[0], 100000)") };
	$many->($list);
	gives($clone->('many'), 202, 'a copy of many');
	my ($copy) = @{$stage->wait_until(20, 'the copy', sub {
		my @found = map { $_->{id} } grep { $_->{name} eq 'many' } @{data(GET => "$CM/data-lists")->{dataLists}};
		@found ? \@found : undef })};
	$stage->sql("INSERT INTO list_counts (list_id, change) VALUES ($list, -100000)");
	done(DELETE => "$CM/data-lists/$few/contacts");
	done(DELETE => "$CM/data-lists/$few");
	$many->($copy);
	gives(ask(DELETE => "$CM/data-lists/$copy/contacts"), 202, 'clearing many');
	$stage->wait_until(20, 'the contacts to be gone', sub {
		$stage->sql("SELECT count(*) FROM contacts WHERE list_id = $copy") eq '0' });
	$many->($copy);
	gives(ask(DELETE => "$CM/data-lists/$copy"), 202, 'deleting many');
	$stage->wait_until(20, 'the list to be gone', sub {
		ask(GET => "$CM/data-lists/$copy")->{status} == 404 });
	contract_kept();
};

subtest 'numbers' => sub {
	my $id = made('/api/admin/dnc', {phoneNumber => '+14155550195'})->{dncEntry}{id};
	done(GET => '/api/admin/dnc');
	done(POST => '/api/admin/dnc/check', {phoneNumber => '+14155550195'});
	done(POST => '/api/admin/dnc/bulk-import', {numbers => ['+14155550194']});
	done(DELETE => "/api/admin/dnc/$id");
	done(GET => '/api/numbers');
	done(POST => '/api/numbers/sync');
	done(GET => '/api/twilio/status');
	contract_kept();
};

my (%agent, %cookie);
subtest 'agents' => sub {
	for my $name (qw(ana bo)) {
		my $id = $agent{$name} = made('/api/agents', {username => $name, name => ucfirst $name,
			password => "$name-password"})->{agent}{id};
		done(PUT => "/api/agents/$id/endpoint", {type => 'phone',
			number => $name eq 'ana' ? '+15557770001' : '+15557770002'});
		done(POST => "$CM/campaigns/$campaign/join-agent", {agentId => $id});
		$cookie{$name} = sign_in($name, "$name-password");
	}
	my $path = "/api/agents/$agent{ana}";
	done(DELETE => "$CM/campaigns/$campaign/leave-agent", {agentId => $agent{bo}});
	done(GET => '/api/agents');
	done(GET => $path);
	done(POST => "$path/sip-password");
	made("$path/session", {campaignId => $campaign});
	done(GET => "$path/session");
	done(POST => "$path/session/pause", {reason => 'lunch'});
	done(POST => "$path/session/ready");
	done(DELETE => "$path/session");
	done(GET => "$path/$_") for qw(pauses states);
	done(GET => '/api/pause-reasons');
	done(GET => "/api/calls-twiml/token/$agent{ana}");
	done(POST => '/api/calls/token', {agentId => $agent{ana}});
	contract_kept();
};

subtest 'events' => sub {
	my $stream = open_events("Cookie: $admin");
	my $head = $stage->wait_until(10, 'the head of the stream', sub {
		events_text($stream) =~ /^(.*?)\r\n\r\n/s ? $1 : undef });
	my ($status) = $head =~ /^HTTP\/1.1 (\d+)/;
	my %headers = map { /^([^:]+):\s*(.*)$/ ? (lc $1 => $2) : () } split /\r\n/, $head;
	gives(judged(GET => '/api/events', {status => $status, headers => \%headers, content => ''}), 200,
		'the stream');
	close $stream->{socket};
	contract_kept();
};

my $queue = "$CM/campaigns/$campaign/queue";
subtest 'the queue' => sub {
	done(POST => "$CM/campaigns/$campaign/generate-queue");
	my @entries = @{done(GET => $queue)->{queueEntries}};
	done(GET => "$queue/$entries[8]{id}");
	done(PUT => "$queue/$entries[8]{id}", {priority => 9});
	done(POST => "$queue/$entries[8]{id}/skip");
	done(POST => "$queue/$entries[8]{id}/requeue");
	done(POST => "$queue/next", {agentId => $agent{ana}});
	done(PATCH => "$CM/campaigns/$campaign/dial-method", {dialMethod => 'progressive'});
	my $path = "$CM/campaigns/$campaign/auto-dial";
	done(POST => $path);
	done(GET => $path);
	done(POST => "$path/stop");
	contract_kept();
};

# ---- calls ----

sub ana_ready {
	$stage->wait_until(20, 'ana to be ready', sub {
		$stage->agent_session({id => $agent{ana}})->{state} eq 'ready' });
}
# Whatever the test did to Twilio is over, and the gateway has noticed.
sub twilio_well {
	$between->answer;
	$stage->wait_until(20, 'no stop', sub {
		data(POST => '/api/twilio/resume', {});
		!@{data(GET => '/api/twilio/status')->{stops}} });
}
sub call_now {
	my ($n) = @_;
	my ($entry) = grep { $_->{contact}{phone} eq "+1415555010$n" } @{data(GET => $queue)->{queueEntries}};
	return ask(POST => "$queue/$entry->{id}/call", {agentId => $agent{ana}});
}
sub dial { return ask(POST => '/api/calls/rest-api', {to => $_[0], agentId => $agent{ana}}) }
sub hang_up {
	my ($id) = @_;
	gives(ask(POST => "/api/calls/$id/hangup"), 202, 'hanging up');
	wait_call($id, 'ended');
}
sub recording {
	my ($call, $state) = @_;
	return $stage->wait_until(20, "the recording to be $state", sub {
		my ($r) = @{data(GET => "/api/recordings?callId=$call")->{recordings}};
		$r && $r->{state} eq $state ? $r : undef })->{id};
}
sub settled {
	my ($call, $state) = @_;
	$stage->wait_until(20, 'Twilio to have done it', sub {
		data(GET => "/api/calls/$call")->{controls}{confirmed} });
	return recording($call, $state);
}

my $NO = {code => 20001, message => 'Not now'};
my $CHANGES = 'POST .*(Participants/CA|Recordings/RE)';
my ($call, $recording);
subtest 'a call' => sub {
	$stage->agent_ready({id => $agent{ana}, username => 'ana'}, $campaign);
	$call = gives(call_now(1), 200, 'Call Now')->{callRecord}{id};
	wait_call($call, 'bridged');
	recording($call, 'recording');
	my $path = "/api/calls/$call";
	done(GET => $path);
	done(GET => '/api/calls');
	done(POST => "$path/$_") for qw(hold unhold mute unmute recording/pause recording/resume);

	$between->answer($CHANGES, 500, $NO);
	gives($_, 202, 'Twilio is slow to say') for together(map { [POST => "$path/$_", {}] }
		qw(hold mute recording/pause));
	twilio_well();
	settled($call, 'paused');
	$between->answer($CHANGES, 500, $NO);
	gives($_, 202, 'Twilio is slow to say') for together(map { [POST => "$path/$_", {}] }
		qw(unhold unmute recording/resume));
	twilio_well();
	settled($call, 'recording');

	$between->answer($CHANGES, 400, $NO);
	gives(ask(POST => "$path/$_", {}), '502 TWILIO_REFUSED', "$_: Twilio refuses")
		for qw(hold unhold mute unmute recording/pause);
	twilio_well();
	done(POST => "$path/recording/pause");
	$between->answer($CHANGES, 400, $NO);
	gives(ask(POST => "$path/recording/resume", {}), '502 TWILIO_REFUSED', 'resume: Twilio refuses');
	twilio_well();
	done(POST => "$path/recording/resume");
	hang_up($call);
	my $disposition = made('/api/dispositions', {name => 'Each'})->{disposition}{id};
	done(GET => '/api/dispositions');
	done(PUT => "/api/dispositions/$disposition", {position => 3});
	done(POST => "$path/disposition", {dispositionId => $disposition});
	done(DELETE => "/api/dispositions/$disposition");
	done(GET => '/api/calls/export.csv');
	$recording = recording($call, 'completed');
	contract_kept();
};

subtest 'calls that Twilio refuses, or does not answer' => sub {
	my $creates = 'POST .*Participants\.json';
	for my $ask ([sub { call_now(2) }, 'Call Now'], [sub { dial('+14155550181') }, 'dialling']) {
		my ($place, $what) = @$ask;
		ana_ready();
		$between->answer($creates, 400, {code => 21211, message => "Invalid 'To' Phone Number"});
		gives($place->(), '502 TWILIO_REFUSED', "$what: Twilio refuses");
		twilio_well();
	}
	for my $ask ([sub { call_now(3) }, 'Call Now'], [sub { dial('+14155550182') }, 'dialling']) {
		my ($place, $what) = @$ask;
		ana_ready();
		$between->answer($creates, 500, $NO);
		gives($place->(), 202, "$what: Twilio's answer is lost");
		twilio_well();
		my ($lost) = @{data(GET => '/api/calls')->{calls}};
		is wait_call($lost->{id}, 'ended'), 1, 'and that there is no such call is found out';
	}
	ana_ready();
	my $r = dial('+14155550183');
	is $r->{status}, 200, 'a number is dialled' or diag $r->{content};
	$call = $r->{json}{callId};
	wait_call($call, 'bridged');
	recording($call, 'recording');
	hang_up($call);
	$between->answer('GET .*IncomingPhoneNumbers', 403, $NO);
	gives(ask(POST => '/api/numbers/sync'), '502 TWILIO_REFUSED', "the account's numbers: Twilio refuses");
	twilio_well();
	contract_kept();
};

subtest 'recordings' => sub {
	my $path = "/api/recordings/$recording";
	done(GET => '/api/recordings');
	done(GET => $path);
	done(GET => "$path/media");
	gives(ask(GET => "$path/media", undef, {Range => 'bytes=0-99'}), 206, 'a part of the sound');
	$between->answer('GET .*Recordings/RE', 503, $NO);
	gives(ask(GET => "$path/media"), '502 TWILIO_REFUSED', 'the sound: Twilio refuses');
	$between->answer;
	$between->away;
	gives(ask(GET => "$path/media"), '502 TWILIO_UNREACHABLE', 'the sound: Twilio is away');
	$between->back;
	twilio_well();
	$between->answer('DELETE .*Recordings/RE', 400, $NO);
	gives(ask(DELETE => $path), '502 TWILIO_REFUSED', 'deleting: Twilio refuses');
	$between->answer('DELETE .*Recordings/RE', 500, $NO);
	gives(ask(DELETE => $path), 202, 'deleting: Twilio is slow to say');
	twilio_well();
	recording(data(GET => $path)->{recording}{callId}, 'deleted');
	done(DELETE => '/api/recordings/' . recording($call, 'completed'));
	contract_kept();
};

subtest 'promises to call back' => sub {
	my $at = strftime('%Y-%m-%dT%H:%M:%SZ', gmtime(time + 3600));
	my ($entry) = grep { $_->{contact}{phone} eq '+14155550105' } @{data(GET => $queue)->{queueEntries}};
	my $id = made('/api/callbacks', {campaignId => $campaign, contactId => $entry->{contact}{id},
		dueAt => $at})->{callback}{id};
	done(GET => '/api/callbacks');
	done(GET => "/api/callbacks/$id");
	done(PUT => "/api/callbacks/$id", {note => 'after six'});
	done(DELETE => "/api/callbacks/$id");
	contract_kept();
};

subtest 'what Twilio tells and asks' => sub {
	my $sid = data(GET => "/api/calls/$call")->{call}{twilioCallSid};
	my %form = (CallSid => $sid, CallStatus => 'completed', SequenceNumber => 9, AnsweredBy => 'human',
		From => '+12125550000', To => '+15550000001', AccountSid => $stage->account,
		StatusCallbackEvent => 'conference-start', RecordingSid => 'RE' . '0' x 32,
		RecordingStatus => 'completed');
	for my $operation (grep { ($_->{security} // [{}])->[0]{twilioSignature} } $contract->operations) {
		my $path = $operation->{path};
		my $expected = $path =~ m{/webhook/(?!inbound)} ? 204 : 200;
		gives(told($operation->{method}, "$path?call=$call&recording=$recording", \%form), $expected,
			"$operation->{method} $path");
	}
	contract_kept();
};

is join("\n", $contract->unseen(qr/^(2\d\d|502)$/)), '', 'every success and every 502 of the contract was seen';
undef $stage;
done_testing;
