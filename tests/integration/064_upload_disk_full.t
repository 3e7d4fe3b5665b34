#!/usr/bin/env perl
# The disk of DATA_DIR has no room for an upload: 507, whether that is seen from its length or on the
# way. Nothing is changed, nothing is left there, and what has room is taken.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Omnivox::Asking;
use Omnivox::Postgres;
use Omnivox::Stage;

my $CM = $Omnivox::Stage::CM;
my $stage = Omnivox::Stage->new;
my $disk = "$stage->{dir}/gateway-data";
mkdir $disk or die $!;
# Uploads leave 64 MB alone: there is room for eight.
if ($> != 0 || system('mount', '-t', 'tmpfs', '-o', 'size=72m,mode=0755', 'tmpfs', $disk) != 0) {
	plan skip_all => 'a disk of its own needs root';
}
my $owner = $$;
END {
	if (defined $owner && $owner == $$ && $stage) {
		my $status = $?;
		$stage->stop('gateway');
		system 'umount', '-l', $disk;
		$stage->cleanup;
		$? = $status;
	}
}

asking($stage);
$stage->start_sandbox;
my $pg = Omnivox::Postgres->new($stage, "$stage->{dir}/pg");
$pg->start;
$stage->{gateway_env} = {DATABASE_URL => $pg->url};
$stage->start_gateway;
$stage->login;
my $list = data(POST => "$CM/data-lists", {name => 'Long'})->{dataList}{id};

sub upload {
	my ($body) = @_;
	return ask(POST => "$CM/data-lists/$list/upload", $body, {'Content-Type' => 'text/csv'});
}

# A body that does not say how long it is.
sub stream {
	my ($megabytes) = @_;
	my $path = "$CM/data-lists/$list/upload";
	my $r = HTTP::Tiny->new(timeout => 60)->request(POST => "http://$stage->{gateway}{http}$path",
		{headers => {Cookie => $stage->{cookie}, 'Content-Type' => 'text/csv'},
			content => sub { $megabytes-- > 0 ? 'x' x (1 << 20) : undef }});
	$r->{json} = eval { JSON::PP::decode_json($r->{content}) };
	return judged(POST => $path, $r);
}

# How much of the disk is taken, in kilobytes.
sub taken {
	my ($line) = grep { /\Q$disk\E$/ } `df -k --output=used,target $disk`;
	return $line =~ /^\s*(\d+)/ ? $1 : die 'df';
}

my $before = taken();
answers(upload("phone\n" . '+14155550101,' x (1 << 20)), 507, 'DISK_FULL', 'more than there is room for');
answers(stream(80), 507, 'DISK_FULL', 'more, which is not known before');
is scalar @{data(GET => '/api/imports')->{imports}}, 0, 'is no import';
is data(GET => "$CM/data-lists/$list")->{dataList}{totalContacts}, 0, 'and changes nothing';
ok $stage->wait_until(10, 'the room', sub { taken() < $before + 1024 }), 'nothing of it is left';
is upload("phone\n+14155550101\n")->{json}{data}{upload}{uploaded}, 1, 'what has room is taken';
contract_kept();
done_testing;
