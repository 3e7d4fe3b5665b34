#!/usr/bin/env perl
# The unit files: how exposed systemd thinks they are; and, where this machine lets a test start
# systemd in a namespace, the gateway under all their restrictions: an agent talks, the watchdog
# bites, a stop is clean.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use File::Copy qw(copy);
use Test::More;
use Time::HiRes qw(sleep time);
use Omnivox::Stage;

my $units = "$Omnivox::Stage::BUILD/systemd";
for my $unit (qw(omnivox-gateway omnivox-gateway-private)) {
	my $said = `systemd-analyze security --no-pager --offline=true $units/$unit.service 2>&1`;
	my ($level) = $said =~ /Overall exposure level for \S+: ([\d.]+)/ or diag $said;
	cmp_ok $level // 10, '<', 2.0, "$unit.service: exposure level " . ($level // '?');
}

sub can_boot {
	return 0 unless $> == 0 && -x '/lib/systemd/systemd';
	return 0 if system('unshare --pid --mount --mount-proc --fork true 2>/dev/null') != 0;
	for my $at (qw(/sys/fs/cgroup/systemd /sys/fs/cgroup)) {
		next unless -e "$at/cgroup.procs";
		return mkdir("$at/ovx-try-$$") && rmdir("$at/ovx-try-$$");
	}
	return 0;
}

# Everything below starts real services.
if (!can_boot()) {
	diag 'no rights to start systemd in a namespace: the unit files were not run';
	done_testing;
	exit;
}

my $stage = Omnivox::Stage->new;
$stage->start_sandbox;
my $dir = "$stage->{dir}/systemd";
mkdir $dir or die $!;
my $data;    # DATA_DIR as seen from outside

sub put {
	my ($name, $text) = @_;
	open my $fh, '>', "$dir/$name" or die $!;
	print $fh $text;
	close $fh;
}

# Boots with a unit; returns when it serves.
sub boot {
	my ($unit, $state, %settings) = @_;
	my %env = (%{$stage->gateway_env}, %settings);
	delete @env{qw(DATA_DIR WEB_DIR)};
	put('cgroup', "ovx-test-$$");
	put('gateway.env', join '', map { defined $env{$_} ? "$_=$env{$_}\n" : () } sort keys %env);
	put('drop-in.conf', <<"CONF");
[Unit]
DefaultDependencies=no
[Service]
LoadCredential=
LoadCredential=gateway.env:$dir/gateway.env
ExecStart=
ExecStart=/var/lib/ovx-program/omnivox-gateway --config \${CREDENTIALS_DIRECTORY}/gateway.env
StandardOutput=append:$stage->{dir}/gateway.log
StandardError=append:$stage->{dir}/gateway.log
WatchdogSec=2
# LeakSanitizer looks by ptrace(2), which the unit forbids.
Environment=ASAN_OPTIONS=detect_leaks=0
CONF
	copy("$units/$unit.service", "$dir/unit.service") or die $!;
	copy($stage->gateway_program, "$dir/program") or die $!;
	chmod 0755, "$dir/program";
	my $unshare = $stage->spawn('systemd', {}, qw(unshare --pid --mount --mount-proc --fork
		--kill-child), "$Omnivox::Stage::TOP/tests/tools/boot-systemd", $dir);
	my $init = $stage->wait_until(10, 'systemd', sub {
		open my $fh, '<', "/proc/$unshare/task/$unshare/children" or return;
		my ($child) = split ' ', <$fh> // '';
		return $child });
	$data = "/proc/$init/root$state";
	$stage->wait_until(40, 'the unit to serve', sub { systemctl($init, 'is-active') eq 'active' });
	$stage->{gateway} = $stage->read_json("$data/run/addresses.json");
	$stage->sandbox_put('/sandbox/sip-domain',
		{voice_url => "http://$stage->{gateway}{http}/api/calls-twiml/twiml-agent"});
	return $init;
}

sub systemctl {
	my ($init, @words) = @_;
	chomp(my $said = `nsenter --target $init --pid --mount systemctl @words ovx.service 2>&1`);
	return $said;
}

# The supervisor's pid here, outside.
sub main_pid {
	my ($init) = @_;
	my ($inside) = systemctl($init, 'show', '--property=MainPID', '--value') =~ /(\d+)/;
	for my $status (glob '/proc/[0-9]*/status') {
		open my $fh, '<', $status or next;
		local $/;
		my $text = <$fh> // '';
		return $status =~ /(\d+)/ ? $1 : undef
			if $text =~ /^NSpid:\t\d+\t$inside$/m && $text =~ /^Name:\tomnivox-gateway$/m;
	}
	return;
}

sub end {
	my ($init) = @_;
	$stage->stop('systemd', 'KILL');
	for my $kind (qw(systemd unified .)) {
		my $at = "/sys/fs/cgroup/$kind/ovx-test-$$";
		next unless -d $at;
		$stage->wait_until(10, 'the control group to be empty', sub {
			system("find $at -depth -type d -exec rmdir {} + 2>/dev/null");
			return !-d $at });
	}
}

# ---- with a PostgreSQL of somebody else, over TCP ----

my ($bin) = reverse sort glob '/usr/lib/postgresql/*/bin';
my $port = Omnivox::Stage::free_port();
my $pg = "$stage->{dir}/pg";
mkdir $pg or die $!;
my @as = ('setpriv', '--reuid=postgres', '--regid=postgres', '--clear-groups');
chown scalar(getpwnam 'postgres'), scalar(getgrnam 'postgres'), $pg;
$stage->spawn('initdb', {}, @as, "$bin/initdb", '-D', "$pg/data", '--username=omnivox', '--auth=trust',
	'--no-sync', '--no-instructions', '--encoding=UTF8', '--locale=C');
waitpid delete $stage->{pids}{initdb}, 0;
is $?, 0, 'a PostgreSQL is made';
$stage->spawn('postgres', {}, @as, "$bin/postgres", '-D', "$pg/data", '-c', 'listen_addresses=127.0.0.1',
	'-c', "port=$port", '-c', "unix_socket_directories=$pg");
$stage->wait_until(20, 'PostgreSQL', sub {
	system("$bin/psql -h 127.0.0.1 -p $port -U omnivox -qc 'CREATE DATABASE omnivox' postgres 2>/dev/null") == 0 });

my $init = boot('omnivox-gateway', '/var/lib/private/omnivox-gateway',
	DATABASE_URL => "postgresql://omnivox\@127.0.0.1:$port/omnivox");
pass 'the unit is active: READY came, under all restrictions';
my $main = main_pid($init);
open my $fh, '<', "/proc/$main/status" or die $!;
my $status = do { local $/; <$fh> };
like $status, qr/^NoNewPrivs:\t1$/m, 'no new privileges';
like $status, qr/^Seccomp:\t2$/m, 'a filter of system calls';
like $status, qr/^CapBnd:\t0+$/m, 'no capability';
unlike $status, qr/^Uid:\t0\b/m, 'not root';

$stage->login;
my $campaign = $stage->make_campaign({wrapUpS => 0, callGapMs => 0}, map { "+1555111000$_" } 1 .. 2);
my $agent = $stage->make_agent('ana', $campaign);
$stage->start_phone($agent, hz => 880);
$stage->wait_registered($agent);
$stage->agent_ready($agent, $campaign);
$stage->api(POST => "$Omnivox::Stage::CM/campaigns/$campaign/auto-dial");
$stage->wait_until(30, 'a conversation', sub {
	grep { $_->{state} eq 'bridged' } @{$stage->api(GET => '/api/calls')->{calls}} });
pass 'an agent talks with a customer';

kill 'STOP', $main;
my $again = $stage->wait_until(20, 'the watchdog to bite', sub {
	my $now = main_pid($init);
	return $now && $now != $main ? $now : undef });
$stage->wait_until(20, 'the unit to serve again', sub {
	systemctl($init, 'is-active') eq 'active' && $stage->agent_session($agent) });
pass 'a supervisor that stands still is replaced by systemd';
$stage->wait_until(20, 'the campaign to go on', sub {
	2 <= grep { ($_->{outcome} // '') eq 'completed' } @{$stage->api(GET => '/api/calls')->{calls}} });
pass 'and the campaign goes on';
is systemctl($init, 'show', '--property=NRestarts', '--value'), 1, 'one restart';
$stage->stop('phone-ana');
is systemctl($init, 'stop'), '', 'systemctl stop';
is systemctl($init, 'show', '--property=Result', '--value'), 'success', 'is clean';
end($init);
$stage->stop('postgres', 'INT');

# ---- with a private one ----

$init = boot('omnivox-gateway-private', '/var/lib/omnivox-gateway');
$stage->login;
is_deeply $stage->api(GET => "$Omnivox::Stage::CM/campaigns")->{campaigns}, [],
	'the unit with a private PostgreSQL serves';
is systemctl($init, 'stop'), '', 'systemctl stop';
is systemctl($init, 'show', '--property=Result', '--value'), 'success', 'is clean';
ok !-e "$data/postgres/postmaster.pid", 'and takes PostgreSQL down';
end($init);
done_testing;
