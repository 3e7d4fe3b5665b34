#!/usr/bin/env perl
# The disk of DATA_DIR, with the private PostgreSQL on it, is full while a campaign dials: the
# reason is told, nothing is half done, and dialling goes on by itself when there is room again.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Fcntl qw(O_WRONLY O_CREAT);
use Test::More;
use Omnivox::Campaign;
use Omnivox::Stage;

my $stage = Omnivox::Stage->new(
	population => [{match => '*', weight => 1, behaviour => 'human', ring_ms => 100, talk_ms => 200,
		say => 'tone:440'}],
	sandbox_env => {SANDBOX_RECORD => 0}, gateway_env => {AMBIGUOUS_AFTER => 3, RECONCILE_AFTER => 2});
my $disk = "$stage->{dir}/gateway-data";
mkdir $disk or die $!;
if ($> != 0 || system('mount', '-t', 'tmpfs', '-o', 'size=192m,mode=0755', 'tmpfs', $disk) != 0) {
	plan skip_all => 'a disk of its own needs root';
}
my $owner = $$;
END {
	if (defined $owner && $owner == $$ && $stage) {
		my $status = $?;
		my $keep = $ENV{OVX_KEEP};
		$stage->stop($_) for grep { $_ ne 'sandbox' } sort { $b cmp $a } keys %{$stage->{pids}};
		system 'umount', '-l', $disk;
		$stage->cleanup;
		$? = $status;
	}
}

$stage->start_sandbox;
$stage->start_gateway;
my $campaign = Omnivox::Campaign->new($stage, contacts => 400, agents => 4);
my $worker = $stage->worker;
$campaign->dial;
$stage->wait_until(20, 'ten calls', sub { $campaign->creates >= 10 });

# Whatever room is left.
sysopen my $ballast, "$disk/ballast", O_WRONLY | O_CREAT or die $!;
for my $size (1 << 20, 4096) {
	1 while syswrite $ballast, 'x' x $size;
}
# What was answered with 201 must be there for good, and nothing of what was refused.
my $serial = 0;
my (%made, %refused);
sub make_another {
	my $name = 'Full ' . ++$serial;
	my $r = $stage->request(POST => "$Omnivox::Stage::CM/campaigns", {name => $name});
	($r->{status} == 201 ? \%made : \%refused)->{$name} = 1;
	return $r;
}
my $told = $stage->wait_until(60, 'the disk to be missed', sub {
	1 while syswrite $ballast, 'x' x 4096;
	my $r = make_another();
	return $r->{status} == 503 ? $r : undef });
like $told->{json}{error}{code}, qr/^DATABASE_(FULL|UNAVAILABLE)$/, 'a change is refused, not half done';
like $told->{json}{error}{message}, qr/(disk is full|does not answer).*Nothing was changed/, 'with the reason';
ok $told->{headers}{'retry-after'}, 'and when to come again';
my $logged = $stage->wait_until(40, 'the log', sub {
	1 while syswrite $ballast, 'x' x 4096;
	my $log = do { local (@ARGV, $/) = "$stage->{dir}/gateway.log"; <> };
	return $log =~ /(53100[^\n]*|No space left[^\n]*)/ ? $1 : undef });
ok $logged, "the log says why: $logged";
is $stage->worker, $worker, 'the worker lives on';

truncate $ballast, 0;
close $ballast;
unlink "$disk/ballast";
my $made = $campaign->creates;
$stage->wait_until(40, 'dialling to go on', sub { $campaign->creates > $made });
pass 'with room again dialling goes on by itself';
is $stage->worker, $worker, 'with the same worker';
$stage->wait_until(40, 'changes to be taken', sub { make_another()->{status} == 201 });
my %there = map { $_->{name} => 1 } @{$stage->api(GET => "$Omnivox::Stage::CM/campaigns")->{campaigns}};
is_deeply [grep { !$there{$_} } sort keys %made], [], 'what was made is there';
is_deeply [grep { $there{$_} } sort keys %refused], [], 'what was refused is not';
$stage->wait_until(40, 'stop', sub { $stage->request(POST => $campaign->path . '/auto-dial/stop')->{success} });
$stage->wait_until(40, 'every call to be settled', sub {
	!grep { $_->{state} ne 'ended' } @{$campaign->calls} });
is_deeply [map { $_->($stage->call_log) } \&Omnivox::Judge::double_dials, \&Omnivox::Judge::dialled_again], [],
	'nobody was dialled twice';
my %known = map { $_->{twilioCallSid} => 1 } grep { $_->{twilioCallSid} } @{$campaign->calls};
is_deeply [grep { !$known{$_->{call_sid}} } grep { $_->{event} eq 'create' } $stage->call_log], [],
	'every call that Twilio has is known';
my @entries = @{$campaign->entries};
is scalar(@entries), 400, 'every contact has its entry';
is_deeply [grep { $_->{status} eq 'dialing' || $_->{contact}{locked} } @entries], [], 'none is held';
my %called = map { $_ => 1 } map { $_->{to} } grep { $_->{event} eq 'create' } $stage->call_log;
is_deeply [grep { $_->{status} eq 'completed' && !$called{$_->{contact}{phone}} } @entries], [],
	'none is done that was not called';
done_testing;
