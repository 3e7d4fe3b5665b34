#!/usr/bin/env perl
# Files that nobody should have sent: broken, huge, binary. Each gets a reason, and changes nothing.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use IO::Socket::INET;
use JSON::PP;
use Test::More;
use Time::HiRes qw(time);
use Omnivox::Contract;
use Omnivox::Stage;

my $CM = $Omnivox::Stage::CM;
my $contract = Omnivox::Contract->new("$Omnivox::Stage::TOP/docs/openapi.yaml");
my $stage = Omnivox::Stage->new;
$stage->start_sandbox;
$stage->start_gateway;
$stage->login;
my $list = $stage->api(POST => "$CM/data-lists", {name => 'hostile', country => 'US'})->{dataList}{id};
my $path = "$CM/data-lists/$list/upload";

my @broken;
sub send_file {
	my ($text, $type, $query) = @_;
	my $r = $stage->request(POST => $path . ($query ? "?$query" : ''), $text, {'Content-Type' => $type || 'text/csv'});
	push @broken, $contract->complaints(POST => $path, $r);
	return $r;
}

sub causes {
	my ($r) = @_;
	return { map { $_->{cause} => $_->{rows} } @{ $r->{json}{data}{import}{report}{causes} } };
}

sub count { $stage->api(GET => "$CM/data-lists/$list")->{dataList}{totalContacts} }

subtest 'files that are broken as a whole are refused with a reason' => sub {
	my $big = 'x' x (10 << 20);
	my %files = (
		'nothing' => ['', qr/empty/],
		'only line ends' => ["\r\n\r\n\n", qr/empty|no rows/],
		'a header and no rows' => ["phone,name\n", qr/no rows/],
		'no column of numbers' => ["name,city\nAda,London\n", qr/No column is the phone number.*"name","city"/],
		'a quote that does not end' => ["phone,name\n+14155550001,\"Ada\n+14155550002,Bea\n", qr/Row 2.*quote/],
		'text behind a quote' => ["phone\n\"+14155550001\"x\n", qr/Row 2.*quote/],
		'a quote that swallows ten megabytes' => ["phone\n+14155550001\n\"$big\n", qr/Row 3.*more than a megabyte/],
		'a field of ten megabytes' => ["phone\n+14155550001\n$big\n", qr/Row 3.*more than a megabyte/],
		'ten thousand columns' => ['phone' . ',x' x 10000 . "\n+14155550001\n", qr/more than 250 columns/],
		'a picture' => ["\x89PNG\r\n\x1a\n" . join('', map { chr(($_ * 37) % 256) } 0 .. 5000), qr/quote|phone|columns/],
	);
	for (sort keys %files) {
		my $r = send_file($files{$_}[0]);
		is $r->{status}, 422, "$_: refused" or diag substr $r->{content}, 0, 300;
		like $r->{json}{error}{message}, $files{$_}[1], "$_: it says why";
	}
	is count(), 0, 'nothing was added';
	is_deeply [splice @broken], [], 'every answer keeps the contract';
};

subtest 'rows that are broken spoil themselves alone' => sub {
	my $r = send_file("phone,name\n+14155550001,NUL \0 here\n+14155550002,bell \a\n+14155550003,ok\n"
		. '+14155550004,' . 'x' x 70000 . "\n+14155550005,a,b,c,d\n\n,\n" . "+14155550006\n");
	is_deeply causes($r), {not_text => [2, 3], too_long => [5], too_many_fields => [6]}, 'each with its cause'
		or diag $r->{content};
	is $r->{json}{data}{upload}{uploaded}, 2, 'the others are taken';
	$r = send_file("phone,name\n+14155550011,Jos\xe9\n+14155550012,Jos\xc3\xa9\n+14155550013,\x81\n");
	is_deeply causes($r), {not_text => [4]}, 'bytes that no encoding knows';
	is $r->{json}{data}{import}{report}{encoding}, 'mixed', 'two encodings in one file';
	my %name = map { $_->{phone} => $_->{firstName} }
		@{ $stage->api(GET => "$CM/data-lists/$list/contacts?search=%2B141555500")->{contacts} };
	is $name{'+14155550011'}, $name{'+14155550012'}, 'are read as the same name';
	$r = send_file("\xff\xfe" . join('', map { "$_\0" } split //, "phone;name\r+14155550021;\xe9\r"));
	is $r->{json}{data}{upload}{uploaded}, 1, 'UTF-16 with old line ends' or diag $r->{content};
	$r = send_file("phone,name,name,name\n+14155550031,Ada,B,C\n");
	my ($ada) = @{ $stage->api(GET => "$CM/data-lists/$list/contacts?search=%2B14155550031")->{contacts} };
	is_deeply $ada->{customFields}, {name => 'B', 'name 2' => 'C'}, 'columns of one name are told apart';
	is_deeply [splice @broken], [], 'every answer keeps the contract';
};

subtest 'a formula is text, and leaves as text' => sub {
	my $evil = '=HYPERLINK(""http://evil.example"",""x"")';
	my $r = send_file("phone,name,note\n\"=\"\"+14155550041\"\"\",\"$evil\",\@SUM(1)\n\"=1+1\",-1+1,+cmd\n");
	is $r->{json}{data}{upload}{uploaded}, 1, 'a number that a spreadsheet wrapped is taken';
	my ($got) = @{ $stage->api(GET => "$CM/data-lists/$list/contacts?search=%2B14155550041")->{contacts} };
	is $got->{customFields}{note}, '@SUM(1)', 'what is in a cell is kept as it is';
	my $csv = $stage->request(GET => "/api/imports/$r->{json}{data}{import}{importId}/rejected.csv")->{content};
	like $csv, qr/\r\n"'=1\+1","'-1\+1","'\+cmd",3,/, 'and nothing runs when the rejects are opened';
};

subtest 'SQL, JSON and COPY marks are letters' => sub {
	my @names = ("'; DROP TABLE contacts; --", "\\N", "\\.", "\\", "a\tb", '{"a":1}', '$1', '%s%n', "\xe2\x80\xae");
	my $text = "phone,last name,\"{\"\"x\\\"\n";
	my $i = 50;
	$text .= '+141555501' . $i++ . ",\"" . (s/"/""/gr) . "\",\"" . (s/"/""/gr) . "\"\n" for @names;
	my $r = send_file($text);
	is $r->{json}{data}{upload}{uploaded}, scalar @names, 'all taken' or diag $r->{content};
	my @got = @{ $stage->api(GET => "$CM/data-lists/$list/contacts?search=%2B141555501")->{contacts} };
	utf8::decode($_) for @names;
	is_deeply [map { $_->{customFields}{'{"x\\'} } @got], [map { s/^\s+|\s+$//gr } @names], 'as they were written';
};

subtest 'an import that is refused has failed, whatever its sentence quotes' => sub {
	my $long = "a" . "\x{e9}" x 40; # cut for the sentence in the middle of a character
	for my $document ({mapping => {$long => 'x'}}, {options => {$long => JSON::PP::true}}, {$long => 1}) {
		my $r = send_file(JSON::PP->new->utf8->encode({%$document, contacts => []}), 'application/json');
		is $r->{status}, 422, 'refused' or diag $r->{content};
		like $r->{json}{error}{message}, qr/"a\x{e9}{19}\?"/, 'it says whose name is wrong';
		my $import = $stage->api(GET => "/api/imports/$r->{json}{error}{details}{importId}")->{import};
		is "$import->{state}: $import->{error}", "failed: $r->{json}{error}{message}", 'and the import has it';
	}
	is_deeply [splice @broken], [], 'every answer keeps the contract';
};

subtest 'JSON that is hostile' => sub {
	my $deep = '[' x 100000;
	my %files = (
		'deep brackets' => ["{\"contacts\":[$deep", qr/too early/],
		'deep objects in a row' => ['{"contacts":[' . '{"a":' x 3000 . '1' . '}' x 3000 . ']}', qr/^$/],
		'a row of ten megabytes' => ['{"contacts":[{"phone":"' . 'x' x (10 << 20) . '"}]}', qr/^$/],
		'a member of ten megabytes' => ['{"x":"' . 'x' x (10 << 20) . '","contacts":[]}', qr/too large/],
		'a number for a document' => ['7', qr/no '\{'/],
		'bytes' => ["{\"contacts\":[{\"phone\":\"\xff\xfe\"}]}", qr/^$/],
	);
	for (sort keys %files) {
		my $r = send_file($files{$_}[0], 'application/json');
		my $fine = $r->{status} == 422 || ($r->{json}{data}{upload}{rejected} // 0) == 1;
		ok $fine, "$_: refused, or its row rejected" or diag substr $r->{content}, 0, 300;
		like $r->{json}{error}{message} // '', $files{$_}[1], "$_: it says why";
	}
	is_deeply [splice @broken], [], 'every answer keeps the contract';
};

subtest 'an upload that breaks off leaves nothing' => sub {
	my $before = count();
	my $imports = @{ $stage->api(GET => '/api/imports')->{imports} };
	for my $sent ('', "phone\n+14155559991\n") {
		my $s = IO::Socket::INET->new(PeerAddr => $stage->{gateway}{http}) or die $!;
		print $s "POST $path HTTP/1.1\r\nHost: x\r\nCookie: $stage->{cookie}\r\nContent-Type: text/csv\r\n"
			. "Content-Length: 1000\r\n\r\n$sent";
		close $s;
	}
	is send_file("phone\n+14155559992\n")->{status}, 200, 'the next one is served';
	is count(), $before + 1, 'and nothing came of the others';
	is @{ $stage->api(GET => '/api/imports')->{imports} }, $imports + 1, 'not even an import';
	my @left = glob "$stage->{dir}/gateway-data/upload*";
	is_deeply \@left, [], 'no file is left behind';
};

subtest 'the worker has lived through all of it' => sub {
	open my $log, '<', "$stage->{dir}/gateway.log" or die $!;
	is scalar(grep { /worker.*(died|ended by signal|restart)/i } <$log>), 0, 'nobody restarted it';
};

done_testing;
