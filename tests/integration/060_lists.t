#!/usr/bin/env perl
# Lists and contacts: made, changed, copied, searched and removed, but never under a call.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use JSON::PP;
use Test::More;
use Omnivox::Asking;
use Omnivox::Stage;

my $CM = $Omnivox::Stage::CM;
my $stage = Omnivox::Stage->new(population => [
	{match => '*', weight => 1, behaviour => 'human', ring_ms => 200, talk_ms => 60000, say => 'tone:440'}],
	# A British caller id: numbers without a country are read as British.
	sandbox_args => ['--numbers', '+15550000001,+442079460000']);
asking($stage);
$stage->start_sandbox;
$stage->start_gateway;
$stage->login;

sub error { my $r = ask(@_); "$r->{status} " . ($r->{json}{error}{code} // '') }

my $campaign = data(POST => "$CM/campaigns", {name => 'one', callerId => '+442079460000'})->{campaign}{id};
my $list = data(POST => "$CM/data-lists", {name => 'people', campaignId => $campaign, blendWeight => 30,
	active => JSON::PP::false, country => 'de'})->{dataList};

subtest 'a list is changed field by field' => sub {
	is_deeply [@$list{qw(name campaignId blendWeight country totalContacts)}, $list->{active} ? 1 : 0],
		['people', $campaign, 30, 'DE', 0, 0], 'as it was made';
	my $changed = data(PATCH => "$CM/data-lists/$list->{id}", {active => JSON::PP::true})->{dataList};
	is_deeply [@$changed{qw(name campaignId blendWeight country)}, $changed->{active} ? 1 : 0],
		['people', $campaign, 30, 'DE', 1], 'what is left out stays';
	$changed = data(PUT => "$CM/data-lists/$list->{id}", {name => 'folk', campaignId => undef, country => undef,
		blendWeight => 100})->{dataList};
	is_deeply [@$changed{qw(name campaignId blendWeight country)}], ['folk', undef, 100, undef], 'null takes it away';
	for ([{blendWeight => 0}, '422 VALIDATION'], [{blendWeight => 101}, '422 VALIDATION'],
		[{active => 'yes'}, '422 VALIDATION'], [{name => ''}, '422 VALIDATION'], [{country => 'XX'}, '422 VALIDATION'],
		[{campaignId => '999999'}, '404 NOT_FOUND'], [{colour => 'red'}, '422 VALIDATION']) {
		is error(PATCH => "$CM/data-lists/$list->{id}", $_->[0]), $_->[1], 'refused: ' . join ' ', %{ $_->[0] };
	}
	is error(PATCH => "$CM/data-lists/999999", {name => 'x'}), '404 NOT_FOUND', 'a list that is none';
	is data(POST => "$CM/campaigns/$campaign/assign-data-list", {listId => $list->{id}, blendWeight => 42})
		->{campaign}{id}, $campaign, 'given to a campaign';
	is_deeply [map { "$_->{name} $_->{blendWeight}" } @{ data(GET => "$CM/campaigns/$campaign/data-lists")->{dataLists} }],
		['folk 42'], 'which has it now';
	contract_kept();
};

my $path = "$CM/data-lists/$list->{id}/contacts";
my $ada;
subtest 'a contact is added, changed and removed by hand' => sub {
	$ada = data(POST => $path, {phone => '020 7946 0958', firstName => 'Ada', lastName => 'Lovelace',
		email => 'ada@example.com', customFields => {size => 38, vip => JSON::PP::true}})->{contact};
	is_deeply [@$ada{qw(phone country fullName importId)}], ['+442079460958', 'GB', 'Ada Lovelace', undef],
		'the country is that of the campaign\'s caller ID';
	is_deeply $ada->{customFields}, {size => 38, vip => JSON::PP::true}, 'with fields of its own';
	is error(POST => $path, {phone => '+44 20 7946 0958'}), '409 EXISTS', 'the list has the number';
	for ([{}], [{phone => 'call me'}], [{phone => '+4420'}], [{phone => '+442079460001', email => 'nobody'}],
		[{phone => '+442079460001', timeZone => 'Mars/Base'}], [{phone => '+442079460001', customFields => []}],
		[{phone => '+442079460001', customFields => {a => {b => 1}}}],
		[{phone => '+442079460001', customFields => {a => 'x' x 8190}}],
		[{phone => '+442079460001', customFields => {map { $_ => 1e300 } 1 .. 40}}],
		(map { [{phone => '+442079460001', customFields => {a => $_}}] } 1e19, -1e19, 9007199254740992, 1e300),
		[{phone => '+442079460001', firstName => "a\x01b"}], [{phone => '+442079460001', color => 'red'}]) {
		is error(POST => $path, $_->[0]), '422 VALIDATION', 'refused: ' . substr join(' ', %{ $_->[0] }), 0, 60;
	}
	my $one = "$CM/contacts/$ada->{id}";
	my $new = data(PUT => $one, {lastName => 'King', timeZone => 'Europe/Paris', customFields => {}})->{contact};
	is_deeply [@$new{qw(firstName lastName timeZone email)}, $new->{customFields}],
		['Ada', 'King', 'Europe/Paris', 'ada@example.com', {}], 'what is left out stays';
	is data(PUT => $one, {timeZone => undef})->{contact}{timeZone}, undef, 'the zone is the number\'s again';
	is error(PUT => "$CM/contacts/999999", {lastName => 'x'}), '404 NOT_FOUND', 'a contact that is none';
	$stage->sql("UPDATE contacts SET email = 'n/a', time_zone = 'Mars/Base' WHERE id = $ada->{id}");
	is data(PUT => $one, {firstName => 'Ada'})->{contact}{email}, 'n/a', 'what an import kept is nobody\'s fault';
	is error(PUT => $one, {$_ => 'n/a'}), '422 VALIDATION', "but no new $_" for 'email', 'timeZone';
	data(PUT => $one, {email => 'ada@example.com', timeZone => undef});
	is_deeply data(PUT => $one, {customFields => {$_ => $_}})->{contact}{customFields}, {$_ => $_}, "$_ stays what it is"
		for 9007199254740991, -9007199254740991, 0.1, 1e-300, -2.5e-7;
	my ($noted) = @{ data(GET => '/api/audit-log?limit=1')->{entries} };
	cmp_ok $noted->{fields}{customFields}{'-2.5e-07'}, '==', -2.5e-7, 'and is noted';
	data(PUT => $one, {customFields => {map { $_ => 1e-300 } 1 .. 20}});
	($noted) = @{ data(GET => '/api/audit-log?limit=1')->{entries} };
	is scalar keys %{ $noted->{fields}{customFields} }, 20, 'so are many that are long in the database';
	$stage->sql(q(UPDATE contacts SET custom = '{"big": 1e19, "shoe": "38"}' WHERE id = ) . $ada->{id});
	my $custom = $stage->request(GET => $one)->{json}{data}{contact}{customFields};
	is_deeply [$custom->{big} == 1e19, $custom->{shoe}], [1, '38'], 'a larger number from elsewhere hides nothing';
	$stage->sql(q(UPDATE contacts SET custom = '{}' WHERE id = ) . $ada->{id});
	my $columns = 'user_id, username, role, address, method, route, status, targets';
	$stage->sql("INSERT INTO audit_log ($columns, fields) SELECT $columns, '{\"n\": 1e19}' FROM audit_log ORDER BY id DESC LIMIT 1");
	cmp_ok data(GET => '/api/audit-log?limit=1')->{entries}[0]{fields}{n}, '==', 1e19, 'nor a line of the audit log';
	my $gone = data(POST => $path, {phone => '+442079460002'})->{contact}{id};
	is error(PUT => "$CM/contacts/$gone", {phone => '+442079460958'}), '409 EXISTS', 'a number that another has';
	is ask(DELETE => "$CM/contacts/$gone")->{status}, 200, 'removed';
	is error(DELETE => "$CM/contacts/$gone"), '404 NOT_FOUND', 'once';
	is error(GET => "$CM/contacts/$gone"), '404 NOT_FOUND', 'and gone';
	is data(GET => "$CM/data-lists/$list->{id}")->{dataList}{totalContacts}, 1, 'the list counts';
	contract_kept();
};

subtest 'contacts are searched and turned over page by page' => sub {
	data(POST => $path, {phone => "+4420794601$_", firstName => "Bea$_", lastName => 'Adams'}) for 10 .. 14;
	my $page = data(GET => "$path?limit=4");
	is scalar @{ $page->{contacts} }, 4, 'a page';
	my $rest = data(GET => "$path?limit=4&after=$page->{nextCursor}");
	is_deeply [scalar @{ $rest->{contacts} }, $rest->{nextCursor}], [2, undef], 'and the last one';
	my %found = ('ada' => 6, 'king' => 1, 'BEA1' => 5, 'bea10 ad' => 1, 'bea king' => 0, '+44 20 7946 01' => 5,
		'0044207946' => 6, '+4420794609' => 1, '%25' => 0, "'" => 0);
	for (sort keys %found) {
		(my $search = $_) =~ s/ /%20/g;
		$search =~ s/\+/%2B/g;
		is scalar @{ data(GET => "$path?search=$search")->{contacts} }, $found{$_}, "search for $_";
	}
	my $muller = data(POST => $path, {phone => '+442079460199', firstName => "J\x{f6}rg", lastName => "M\x{fc}ller"})->{contact}{id};
	is_deeply [map { $_->{id} } @{ data(GET => "$path?search=$_")->{contacts} }], [$muller],
		"in any case, $_ too" for 'M%C3%9CLL', 'j%C3%B6rg', 'J%C3%96RG%20m%C3%BCl';
	is ask(DELETE => "$CM/contacts/$muller")->{status}, 200, 'removed';
	is error(GET => "$path?limit=0"), '422 VALIDATION', 'a page of nothing';
	is error(GET => "$CM/data-lists/999999/contacts"), '404 NOT_FOUND', 'a list that is none';
	contract_kept();
};

subtest 'a list is copied with or without its contacts' => sub {
	my $copy = data(POST => "$CM/data-lists/$list->{id}/clone", {includeContacts => JSON::PP::true});
	is_deeply [$copy->{dataList}{name}, $copy->{contactsCloned}, $copy->{dataList}{totalContacts},
		$copy->{dataList}{campaignId}, $copy->{sourceList}{totalContacts}, $copy->{dataList}{active} ? 1 : 0],
		['folk (copy)', 6, 6, undef, 6, 0], 'with them, and not active';
	my $empty = data(POST => "$CM/data-lists/$list->{id}/clone", {newName => 'none'});
	is_deeply [$empty->{dataList}{name}, $empty->{contactsCloned}], ['none', 0], 'without them';
	is data(DELETE => "$CM/data-lists/$copy->{dataList}{id}/contacts")->{deletedCount}, 6, 'cleared';
	is data(DELETE => "$CM/data-lists/$copy->{dataList}{id}")->{deletedContacts}, 0, 'and removed';
	is error(GET => "$CM/data-lists/$copy->{dataList}{id}"), '404 NOT_FOUND', 'for good';
	is error(DELETE => "$CM/data-lists/999999"), '404 NOT_FOUND', 'a list that is none';
	is error(POST => "$CM/data-lists/999999/clone"), '404 NOT_FOUND', 'nor copied';
	contract_kept();
};

subtest 'a campaign that is over takes nothing more' => sub {
	my $runs = $stage->make_campaign({name => 'runs'}, '+15551110011');
	my %over = map { $_ => $stage->make_campaign({name => $_}) } qw(completed archived);
	my $agent = $stage->make_agent('kai', $runs);
	my ($taken) = @{ data(GET => "$CM/campaigns/$runs/data-lists")->{dataLists} };
	my %own;
	for (sort keys %over) {
		data(POST => "$CM/campaigns/$over{$_}/join-agent", {agentId => $agent->{id}});
		($own{$_}) = @{ data(GET => "$CM/campaigns/$over{$_}/data-lists")->{dataLists} };
		data(POST => "$CM/data-lists/$own{$_}{id}/contacts", {phone => '+15551110012'});
	}
	data(POST => "/api/agents/$agent->{id}/session", {campaignId => $over{archived}});
	data(PUT => "$CM/campaigns/$over{completed}", {state => 'completed'});
	is data(DELETE => "$CM/campaigns/$over{archived}")->{campaign}{state}, 'completed',
		'one is archived while an agent is signed in';
	is $stage->agent_session($agent)->{campaignId}, $over{archived}, 'who stays there';
	my ($idle) = @{ data(GET => "$CM/campaigns/$over{archived}/auto-dial")->{agents} };
	like $idle->{reason}, qr/./, 'and is told why nobody is called';
	is ask(DELETE => "/api/agents/$agent->{id}/session")->{status}, 200, 'until it signs out';
	for my $how (['completed', '409 CAMPAIGN_STOPPED'], ['archived', '404 NOT_FOUND']) {
		my ($name, $refused) = @$how;
		my $id = $over{$name};
		is error(POST => "$CM/campaigns/$id/assign-data-list", {listId => $taken->{id}}), $refused, "$name: no list";
		is error($_ => "$CM/data-lists/$taken->{id}", {campaignId => $id}), $refused, "$name: not by $_ either"
			for qw(PUT PATCH);
		is error(POST => "$CM/data-lists", {name => 'new', campaignId => $id}), $refused, "$name: no new one";
		is error(POST => "$CM/campaigns/$id/generate-queue", {}), '409 CAMPAIGN_STOPPED', "$name: no entries";
		is data(GET => "$CM/campaigns/$id")->{campaign}{stats}{pending}, 0, "$name: none was made";
		is error(POST => "/api/agents/$agent->{id}/session", {campaignId => $id}), '409 CAMPAIGN_STOPPED',
			"$name: nobody signs in";
		is data(PUT => "$CM/data-lists/$own{$name}{id}", {name => 'old', campaignId => $id})->{dataList}{name}, 'old',
			"$name: its own list may be changed";
	}
	is error(POST => "$CM/campaigns/$over{archived}/join-agent", {agentId => $agent->{id}}), '404 NOT_FOUND',
		'archived: no agent';
	is data(GET => "$CM/data-lists/$taken->{id}")->{dataList}{campaignId}, $runs, 'the running campaign keeps its list';
	is data(PUT => "$CM/data-lists/$own{archived}{id}", {campaignId => $runs})->{dataList}{campaignId}, $runs,
		'and takes over those of the others';
	is ask(POST => "/api/agents/$agent->{id}/session", {campaignId => undef})->{status}, 201,
		'the agent signs in to what is left';
	contract_kept();
};

subtest 'nobody loses a contact in the middle of a call' => sub {
	my $busy = $stage->make_campaign({wrapUpS => 1}, '+15551110001', '+15551110002');
	my $agent = $stage->make_agent('ana', $busy);
	$stage->start_phone($agent, hz => 880);
	$stage->wait_registered($agent);
	$stage->agent_ready($agent, $busy);
	my ($entry) = @{ data(GET => "$CM/campaigns/$busy/queue")->{queueEntries} };
	my $call = data(POST => "$CM/campaigns/$busy/queue/$entry->{id}/call", {})->{callRecord}{callId};
	my $contact = "$CM/contacts/$entry->{contact}{id}";
	my $of = "$CM/data-lists/$entry->{list}{id}";
	ok data(GET => $contact)->{contact}{locked}, 'the contact is in a call';
	is error(DELETE => $contact), '409 IN_CALL', 'it is not removed';
	is error(PUT => $contact, {phone => '+15551119999'}), '409 IN_CALL', 'its number stays';
	is ask(PUT => $contact, {firstName => 'Listened'})->{status}, 200, 'its name may be mended';
	is error(DELETE => $of), '409 IN_CALL', 'nor is its list';
	is error(DELETE => "$of/contacts"), '409 IN_CALL', 'nor cleared';
	my $r = $stage->request(POST => "$of/upload?replaceExisting=true", "phone\n+15551110003\n",
		{'Content-Type' => 'text/csv'});
	is "$r->{status} $r->{json}{error}{code}", '409 IN_CALL', 'nor replaced';
	is data(GET => $of)->{dataList}{totalContacts}, 2, 'all is as it was';
	ask(POST => "/api/calls/$call/hangup");
	$stage->wait_until(10, 'the call to end', sub { !data(GET => $contact)->{contact}{locked} });
	is data(DELETE => $of)->{deletedContacts}, 2, 'afterwards the list goes';
	my $history = data(GET => "/api/calls/$call");
	is $history->{call}{number} // $history->{number}, $entry->{contact}{phone}, 'and the call stays';
	contract_kept();
};

done_testing;
