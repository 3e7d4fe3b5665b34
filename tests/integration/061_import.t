#!/usr/bin/env perl
# Uploads of contacts: CSV and JSON, what becomes of each row and why, dry runs, duplicates,
# do-not-call numbers, rejected rows, cancel and undo. Every answer is held against the contract.
use strict;
use warnings;
use utf8;
use FindBin;
use lib "$FindBin::Bin/lib";
use Encode qw(encode);
use JSON::PP;
use Test::More;
use Omnivox::Asking;
use Omnivox::Stage;

my $CM = $Omnivox::Stage::CM;
my $json = JSON::PP->new->utf8->canonical;
my $stage = Omnivox::Stage->new;
asking($stage);
$stage->start_sandbox;
$stage->start_gateway;
$stage->login;

my $lists = 0;
sub list {
	my $name = 'list ' . ++$lists;
	return ask(POST => "$CM/data-lists", {name => $name, @_})->{json}{data}{dataList}{id};
}

sub csv {
	my ($list, $text, $query) = @_;
	return ask(POST => "$CM/data-lists/$list/upload" . ($query ? "?$query" : ''), $text,
		{'Content-Type' => 'text/csv'});
}

sub upload { csv(@_)->{json}{data}{upload} }

sub brief {
	my ($upload) = @_;
	return join ' ', map { "$_=$upload->{$_}" } qw(uploaded updated removed skipped rejected);
}

sub contacts {
	my ($list, $query) = @_;
	return @{ ask(GET => "$CM/data-lists/$list/contacts?limit=500" . ($query ? "&$query" : ''))
		->{json}{data}{contacts} };
}

sub phones { join ' ', map { $_->{phone} } contacts(@_) }

sub causes {
	my ($r) = @_;
	return { map { $_->{cause} => $_->{rows} } @{ $r->{json}{data}{import}{report}{causes} } };
}

sub refused {
	my ($r, $status, $pattern, $what) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	is $r->{status}, $status, $what or diag $r->{content};
	like $r->{json}{error}{message}, $pattern, "$what: it says why";
}

subtest 'columns are guessed by their names, numbers get their country' => sub {
	my $list = list(country => 'GB');
	my $r = csv($list, "E-Mail;Vorname;Surname;Telephone;Shoe size;Time Zone\n"
		. "ada\@example.com;Ada;Lovelace;020 7946 0958;38;\n"
		. ";Grace;Hopper;+1 (415) 555-2671;;America/Denver\n");
	is $r->{status}, 200, 'taken' or diag $r->{content};
	is brief($r->{json}{data}{upload}), 'uploaded=2 updated=0 removed=0 skipped=0 rejected=0', 'both';
	my $report = $r->{json}{data}{import}{report};
	is $report->{delimiter}, ';', 'the delimiter is the one the header has';
	is $report->{encoding}, 'utf-8', 'and the encoding';
	is_deeply [map { $_->{field} } @{ $report->{columns} }],
		[qw(email firstName lastName phone custom timeZone)], 'each column is told';
	my ($ada, $grace) = contacts($list);
	is_deeply [@$ada{qw(phone country timeZone firstName lastName email)}],
		['+442079460958', 'GB', undef, 'Ada', 'Lovelace', 'ada@example.com'], 'one at home';
	is_deeply $ada->{numberZones}, ['Europe/London'], 'its zone follows from the number';
	is_deeply $ada->{customFields}, {'Shoe size' => '38'}, 'what is no field is kept as one';
	is_deeply [@$grace{qw(phone country timeZone)}], ['+14155552671', 'US', 'America/Denver'],
		'one abroad, with a zone of its own';
};

subtest 'bad rows are told by cause, with their numbers' => sub {
	my $list = list(country => 'US');
	my $text = "phone,name,email,time zone\n"
		. "415 555 2671,A B,a\@example.com,\n"   # 2
		. ",No One,,\n"                          # 3
		. "call me,X,,\n"                        # 4
		. "+44 20 7946,X,,\n"                    # 5: too short
		. "(415) 555-2671,again,,\n"             # 6
		. "4155552672,bad mail,nobody,\n"        # 7
		. "4155552673,bad zone,,Mars/Base\n"     # 8
		. "4155552674,wide,,,,more\n"            # 9
		. "4155552675,\"a\"\"b\ntwo lines\",,\n" # 10
		. "+15550100001,nowhere,,\n";            # 11
	my $r = csv($list, $text, 'validateEmails=true&dryRun=true');
	is $r->{json}{data}{import}{state}, 'done', 'a dry run ends' or diag $r->{content};
	is brief($r->{json}{data}{upload}), 'uploaded=3 updated=0 removed=0 skipped=1 rejected=6', 'and counts';
	is_deeply causes($r), {no_phone => [3], bad_phone => [4], impossible_phone => [5],
		duplicate_in_file => [6], bad_email => [7], bad_time_zone => [8], too_many_fields => [9]},
		'each row has its cause';
	is $r->{json}{data}{import}{report}{unassigned}, 1, 'a number of nowhere is taken, and counted';
	is_deeply [contacts($list)], [], 'a dry run adds nothing';
	$r = csv($list, $text, 'validateEmails=true');
	is brief($r->{json}{data}{upload}), 'uploaded=3 updated=0 removed=0 skipped=1 rejected=6', 'as it foretold';
	is ask(GET => "$CM/data-lists/$list")->{json}{data}{dataList}{totalContacts}, 3, 'the list counts them';
	my ($two) = grep { $_->{phone} eq '+14155552675' } contacts($list);
	is $two->{fullName}, 'a"b two lines', 'quotes and line breaks in a field';
	my $rejected = ask(GET => "/api/imports/$r->{json}{data}{import}{importId}/rejected.csv")->{content};
	my @lines = split /\r\n/, $rejected;
	is $lines[0], '"phone","name","email","time zone",rejected row,rejected reason', 'rejected rows come with their header';
	is scalar @lines, 8, 'each of them';
	like $lines[1], qr/^"","No One","","",3,"The row has no phone number\."$/, 'and the reason';
	like $lines[4], qr/^"\(415\) 555-2671","again","","",6,"Another row/, 'in the order of the file';
	is brief(upload(list(), $text, 'validateEmails=true&requireValid=true')),
		'uploaded=2 updated=0 removed=0 skipped=1 rejected=7', 'requireValid rejects the number of nowhere';
	is brief(upload(list(), $text)), 'uploaded=4 updated=0 removed=0 skipped=1 rejected=5',
		'without validateEmails the address is kept';
};

subtest 'rejected rows that were mended leave nothing but what was in the file' => sub {
	my $list = list(country => 'US');
	my $rows = qq(bad,=1+1,'=1,-x,ok,1\nworse,"=""007""",'kept,"\t@",+1 (2),2\n);
	my $r = csv($list, "phone,note,own,=sum,row,reason\n$rows");
	my $round = 0;
	for (1 .. 2) { # also when they were rejected again
		my $csv = ask(GET => "/api/imports/$r->{json}{data}{import}{importId}/rejected.csv")->{content};
		is scalar(split /\r\n/, $csv), 3, 'both are given back';
		like $csv, qr/^"bad","'=1\+1","''=1","'-x","ok","1",2,"The phone/m, 'with what is a formula marked';
		is_deeply [(split /\r\n/, $csv)[0] =~ /rejected \w+/g], ['rejected row', 'rejected reason'], 'and the reason once';
		$csv =~ s/bad/4155550681/, $csv =~ s/worse/4155550682/ if $round++;
		$r = csv($list, $csv);
	}
	is brief($r->{json}{data}{upload}), 'uploaded=2 updated=0 removed=0 skipped=0 rejected=0', 'mended' or diag $r->{content};
	is_deeply [map { $_->{customFields} } contacts($list)], [
		{note => '=1+1', own => q('=1), '=sum' => '-x', row => 'ok', reason => '1'},
		{note => '007', own => q('kept), '=sum' => '@', row => '+1 (2)', reason => '2'}], 'as they were';
};

subtest 'duplicates are skipped, or changed, or looked for everywhere' => sub {
	my $list = list();
	csv($list, "phone,first name,notes\n+14155550001,Old,one\n+14155550002,Kept,\n");
	my $again = "phone,first name,notes\n+14155550001,New,\n+14155550003,Third,\n+14155550003,Last,\n";
	my $r = csv($list, $again);
	is brief($r->{json}{data}{upload}), 'uploaded=1 updated=0 removed=0 skipped=2 rejected=0', 'skipped';
	is_deeply causes($r), {duplicate_in_list => [2], duplicate_in_file => [4]}, 'and told which';
	is join(' ', map { $_->{firstName} } contacts($list)), 'Old Kept Third', 'the first counts';
	$r = csv($list, $again, 'skipDuplicates=false&dryRun=true');
	is brief($r->{json}{data}{upload}), 'uploaded=0 updated=2 removed=0 skipped=1 rejected=0', 'foretold';
	$r = csv($list, $again, 'skipDuplicates=false');
	is brief($r->{json}{data}{upload}), 'uploaded=0 updated=2 removed=0 skipped=1 rejected=0', 'changed';
	is join(' ', map { $_->{firstName} } contacts($list)), 'New Kept Last', 'the last counts';
	is +(contacts($list))[0]{customFields}{notes}, 'one', 'what the file leaves empty stays';
	my $other = list();
	$r = csv($other, "phone\n+14155550001\n+14155550009\n", 'skipInOtherLists=true');
	is_deeply causes($r), {duplicate_in_other_list => [2]}, 'across lists, when wanted';
	is phones($other), '+14155550009', 'the other one is added';
	is brief(upload($other, "phone\n+14155550001\n")), 'uploaded=1 updated=0 removed=0 skipped=0 rejected=0',
		'and not looked for unless wanted';
	$r = csv($list, "phone,first name\n+14155550002,Two\n+14155550005,Five\n", 'replaceExisting=true');
	is brief($r->{json}{data}{upload}), 'uploaded=1 updated=1 removed=2 skipped=0 rejected=0', 'replaced';
	is phones($list), '+14155550002 +14155550005', 'the list is what the file says';
	is ask(GET => "$CM/data-lists/$list")->{json}{data}{dataList}{totalContacts}, 2, 'counted';
	refused(ask(POST => "/api/imports/$r->{json}{data}{import}{importId}/undo"), 409, qr/replaced/,
		'what was replaced cannot be undone');
};

subtest 'replaceExisting removes nobody whose number the file has' => sub {
	my $list = list(country => 'US');
	csv($list, "phone,email\n" . join '', map { "415555067$_,a\@b.example\n" } 0 .. 8);
	my @all = phones($list);
	my $bad = "phone,email\n12,\n,a\@b.example\n";
	for my $query ('replaceExisting=true', 'replaceExisting=true&dryRun=true') {
		refused(csv($list, $bad, $query), 422,
			qr/^No row of the file could be taken, so nothing was removed. Row 2: The phone field is no phone number.* Mend/,
			"$query: a file without a contact");
	}
	is_deeply [phones($list)], \@all, 'and all are still there';

	my %id = map { $_->{phone} => $_->{id} } contacts($list);
	ask(POST => '/api/admin/dnc', {phoneNumber => '+14155550672'});
	csv(list(country => 'US'), "phone\n4155550673\n");
	my $text = "phone,email\n4155550670,new\@b.example\n"
		. "4155550671,nobody\n"               # a bad address
		. "4155550672,\n"                     # must not be called
		. "4155550673,\n"                     # in another list
		. "4155550674,,more\n"                # too wide
		. "4155550675,\x01\n"                 # no text
		. "4155550676," . 'x' x 70000 . "\n"  # too long
		. "call me,\n";
	for my $query ('dryRun=true', '') {
		is brief(upload($list, $text, "replaceExisting=true&validateEmails=true&skipInOtherLists=true&$query")),
			'uploaded=0 updated=1 removed=2 skipped=1 rejected=6', $query || 'as it foretold';
	}
	is_deeply {map { $_->{phone} => $_->{id} } contacts($list)},
		{map { $_ => $id{$_} } map { "+1415555067$_" } 0 .. 6}, 'who stands in the file stays who he was';
};

# A row of so many further fields that its contact shows as so many bytes of JSON.
sub wide {
	my ($phone, $fields, $bytes) = @_;
	my @names = map { sprintf 'c%03d', $_ } 1 .. $fields;
	my $left = $bytes - 2 - $fields * (length('"c001": "", ')) + 2;
	my @values = map { 'v' x int($left / $fields) } @names;
	$values[0] .= 'v' x ($left % $fields);
	return (join(',', 'phone', @names) . "\n" . join(',', $phone, @values) . "\n",
		{map { $names[$_] => $values[$_] } 0 .. $#names});
}

subtest 'a contact holds no more further fields than can be shown and changed' => sub {
	my $list = list();
	my ($text, $custom) = wide('+14155550011', 150, 8190);
	is brief(upload($list, $text)), 'uploaded=1 updated=0 removed=0 skipped=0 rejected=0', 'as many as fit';
	my ($full) = contacts($list);
	is_deeply $full->{customFields}, $custom, 'are all shown';
	my $put = ask(PUT => "$CM/contacts/$full->{id}", {firstName => 'Ada'});
	is_deeply [$put->{status}, $put->{json}{data}{contact}{customFields}], [200, $custom],
		'and stay when something else is changed' or diag $put->{content};
	is ask(PUT => "$CM/contacts/$full->{id}", {customFields => $custom})->{status}, 200, 'what is shown may be sent back';
	my $r = csv($list, (wide('+14155550012', 150, 8300))[0]);
	is_deeply causes($r), {too_long => [2]}, 'more than that is refused';

	my $y = 'y' x 1000;
	my $more = "phone,more\n+14155550011,$y\n+14155550013,$y\n";
	upload($list, "phone,other\n+14155550013,x\n");
	for my $query ('skipDuplicates=false&dryRun=true', 'skipDuplicates=false', 'replaceExisting=true') {
		$r = csv($list, $more, $query);
		is brief($r->{json}{data}{upload}), 'uploaded=0 updated=1 removed=0 skipped=0 rejected=1',
			"$query: what does not fit beside what is there is refused" or diag $r->{content};
		is_deeply causes($r), {too_long => [2]}, 'with its cause';
	}
	is_deeply [map { $_->{customFields} } contacts($list)], [$custom, {other => 'x', more => $y}],
		'and the contact is what it was';
};

subtest 'numbers that must not be called are left out' => sub {
	my $campaign = ask(POST => "$CM/campaigns", {name => 'dnc'})->{json}{data}{campaign}{id};
	my ($list, $other) = (list(campaignId => $campaign), list());
	ask(POST => '/api/admin/dnc', {phoneNumber => '+14155550101'});
	ask(POST => '/api/admin/dnc', {phoneNumber => '+14155550102', campaignId => $campaign});
	my $text = "phone\n+14155550101\n+14155550102\n+14155550103\n";
	my $r = csv($list, $text);
	is_deeply causes($r), {do_not_call => [2, 3]}, 'those of all campaigns and of the list\'s own';
	is_deeply causes(csv($other, $text)), {do_not_call => [2]}, 'not those of another campaign';
	is brief(upload(list(campaignId => $campaign), $text, 'dncCheck=false')),
		'uploaded=3 updated=0 removed=0 skipped=0 rejected=0', 'unless the check is not wanted';
};

subtest 'the order of JSON contacts does not matter' => sub {
	my @contacts = ({mobile => '+14155550231'}, {phone => '+14155550232'}, {mobile => '+14155550233'});
	for my $order ([0, 1, 2], [1, 0, 2], [0, 2, 1]) {
		my $list = list();
		is brief(ask(POST => "$CM/data-lists/$list/upload", {contacts => [@contacts[@$order]],
			options => {skipDuplicates => JSON::PP::false}})->{json}{data}{upload}),
			'uploaded=3 updated=0 removed=0 skipped=0 rejected=0', "@$order: each has its number";
	}
};

subtest 'a custom field is never taken for a field of the contact' => sub {
	my %custom = (phone => '2125552671', name => 'Rex', country => 'Mars', mobile => '2125552672', color => 'red');
	my $inner = $json->encode(\%custom);
	my @orders = (qq({"phone":"4155552671","color":"blue","customFields":$inner}),
		qq({"customFields":$inner,"color":"blue","phone":"4155552671"}));
	my $id = sub { $_[0]{json}{data}{import}{importId} };
	for my $contact (@orders) {
		my $list = list(country => 'US');
		my $document = sub { qq({"contacts":[$contact,{"phone":"4155552672","color":"green"},{"phone":"none","customFields":$inner}]@_}) };
		my $r = ask(POST => "$CM/data-lists/$list/upload", $document->(), {'Content-Type' => 'application/json'});
		is brief($r->{json}{data}{upload}), 'uploaded=2 updated=0 removed=0 skipped=0 rejected=1', "taken: $contact"
			or diag $r->{content};
		my ($rex, $other) = contacts($list);
		is_deeply [@$rex{qw(phone fullName customFields)}], ['+14155552671', '', \%custom], 'both are what they were';
		is_deeply $other->{customFields}, {color => 'green'}, 'a further field has one name, wherever it stands';
		my $csv = ask(GET => '/api/imports/' . $id->($r) . '/rejected.csv')->{content};
		$csv =~ s/"none"/"4155552673"/;
		is brief(upload($list, $csv)), 'uploaded=1 updated=0 removed=0 skipped=0 rejected=0', 'mended rows say so too';
		my ($mended) = grep { $_->{phone} eq '+14155552673' } contacts($list);
		is $mended->{customFields}{phone}, '2125552671', 'and keep it';
		$r = ask(POST => "$CM/data-lists/" . list(country => 'US') . '/upload',
			$document->(',"mapping":{"mobile":"custom","phone":"phone"}'), {'Content-Type' => 'application/json'});
		is_deeply [map { $_->{phone} } contacts($r->{json}{data}{dataList}{id})], ['+14155552671', '+14155552672'],
			'a mapping means the contact first' or diag $r->{content};
	}
	my $list = list(country => 'US');
	ask(POST => "$CM/data-lists/$list/upload", {contacts => [{customFields => {fon => '4155552671'}}], mapping => {fon => 'phone'}});
	is phones($list), '+14155552671', 'and then a custom field, where it names one';
};

subtest 'JSON as older front ends send it' => sub {
	my $list = list();
	my $r = ask(POST => "$CM/data-lists/$list/upload", {contacts => [
		{phone => '+14155550201', firstName => 'Ada', lastName => 'L', custom1 => 'x', maxAttempts => 3},
		{phone => '+14155550202', fullName => 'Grace B Hopper', customFields => {color => 'red', size => 4}},
		{firstName => 'none'}, 'text', {phone => '+14155550203', email => 'nobody'},
		], options => {skipDuplicates => JSON::PP::true, validateEmails => JSON::PP::true}});
	is brief($r->{json}{data}{upload}), 'uploaded=2 updated=0 removed=0 skipped=0 rejected=3', 'taken'
		or diag $r->{content};
	is_deeply causes($r), {no_phone => [3], not_object => [4], bad_email => [5]}, 'rows count from 1';
	is_deeply [map { $_->{row} } @{ $r->{json}{data}{upload}{errors} }], [3, 5, 4], 'errors as before';
	my ($ada, $grace) = contacts($list);
	is_deeply $ada->{customFields}, {custom1 => 'x', maxAttempts => '3'}, 'other fields are kept';
	is_deeply [@$grace{qw(firstName lastName)}, $grace->{customFields}],
		['Grace B', 'Hopper', {color => 'red', size => '4'}], 'a full name is split';
	$r = ask(POST => "$CM/data-lists/" . list() . '/upload', {contacts => [{Fon => '0171 1234567'}],
		mapping => {Fon => 'phone'}, options => {country => 'DE', dryRun => JSON::PP::true}});
	is brief($r->{json}{data}{upload}), 'uploaded=1 updated=0 removed=0 skipped=0 rejected=0', 'options and mapping count';
	ok $r->{json}{data}{import}{dryRun}, 'wherever they stand';
	for (['{"contacts": [', qr/ends too early/], ['{"contacts": [1,]}', qr/no valid JSON/],
		['[]', qr/no '\{'/], ['{}', qr/no array named contacts/], ['{"contacts":[]} x', qr/follows its end/],
		['{"contacts":[{"phone":"+14155550201"}], "optoins":{}}', qr/optoins/],
		['{"contacts":[{"phone":"+14155550201"}], "options":{"dryrun":true}}', qr/no option "dryrun"/],
		['{"contacts":[{"phone":"+14155550201"}], "options":{"dryRun":1}}', qr/true or false/],
		['{"contacts":[]}', qr/no rows/]) {
		my ($text, $why) = @$_;
		refused(ask(POST => "$CM/data-lists/$list/upload", $text, {'Content-Type' => 'application/json'}),
			422, $why, "refused: $text");
	}
	is phones($list), '+14155550201 +14155550202', 'nothing was added by them';
};

subtest 'an import is undone exactly, until the first call' => sub {
	my $list = list();
	csv($list, "phone\n+14155550301\n");
	my $r = csv($list, "phone\n+14155550301\n+14155550302\n+14155550303\n");
	my $id = $r->{json}{data}{import}{importId};
	ask(POST => "$CM/data-lists/$list/contacts", {phone => '+14155550304'});
	my $stream = open_events("Cookie: $stage->{cookie}");
	$stage->wait_until(5, 'the stream', sub { events_text($stream) =~ /^HTTP\S+ 200.*^\r?\n/ms });
	my $undo = ask(POST => "/api/imports/$id/undo");
	is $undo->{json}{data}{removed}, 2, 'what it added goes' or diag $undo->{content};
	my $told = $stage->wait_until(5, 'its event', sub {
		events_text($stream) =~ /^data: (\{.*"importId":"?$id\b.*"state":"undone".*)$/m ? $1 : undef });
	is_deeply [contract()->event_complaints('import', $told)], [], 'who listens is told';
	is $undo->{json}{data}{import}{state}, 'undone', 'and it says so';
	is phones($list), '+14155550301 +14155550304', 'what was there, and what came otherwise, stays';
	refused(ask(POST => "/api/imports/$id/undo"), 409, qr/only once/, 'once');
	refused(ask(POST => '/api/imports/999999/undo'), 404, qr/no such import/, 'an import that is none');
	refused(ask(POST => "/api/imports/$id/cancel"), 409, qr/ended/, 'what has ended cannot be cancelled');
	is_deeply [map { $_->{importId} } @{ ask(GET => "/api/imports?listId=$list&limit=1")->{json}{data}{imports} }],
		[$id], 'the newest import of the list comes first';
};

subtest 'agents and strangers send no lists' => sub {
	my $list = list();
	{
		local $stage->{cookie} = '';
		is csv($list, "phone\n+14155550401\n" x 1000)->{status}, 401, 'a stranger is told when the body is through';
	}
	is csv(999999, "phone\n+14155550401\n")->{status}, 404, 'a list that is none';
	is phones($list), '', 'nothing was added';
	is ask(POST => "$CM/data-lists/$list/upload", 'x', {'Content-Type' => 'multipart/form-data'})->{status}, 415,
		'a form is no file';
	is csv($list, "phone\n", 'dryRun=maybe')->{status}, 422, 'an option that is none';
	is csv($list, "phone\n", 'color=red')->{status}, 422, 'an option that nobody knows';
};

contract_kept();
done_testing;
