#!/usr/bin/env perl
# What a newcomer types first: script/run dials its sample campaign to the end, and Ctrl-C leaves
# nothing behind. The programs are the built ones (OVX_BUILD); nothing is installed or built.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);
use Omnivox::Test;

my $run = "$FindBin::Bin/../../script/run";
built('gateway/omnivox-gateway');
my $dir = temp_dir();
chmod 0755, $dir;

# Starts script/run as a terminal does: in a process group of its own. Returns its pid.
sub run
{
	my ($log, @args) = @_;
	my $pid = fork // die "fork: $!";
	return $pid if $pid;
	setpgrp;
	$SIG{INT} = 'DEFAULT';
	%ENV = (%ENV, OVX_SKIP_SETUP => 1, TMPDIR => "$dir");
	delete @ENV{qw(HTTP_LISTEN SIP_LISTEN)};
	open STDIN,  '<', '/dev/null';
	open STDOUT, '>', $log or POSIX::_exit(127);
	open STDERR, '>&', \*STDOUT;
	exec $run, @args or POSIX::_exit(127);
}

# Its exit status; -1 when it had to be killed.
sub ended
{
	my ($pid, $seconds) = @_;
	my $end = time + $seconds;
	while (waitpid($pid, POSIX::WNOHANG()) == 0) {
		if (time > $end) {
			kill 'KILL', $pid;
			waitpid $pid, 0;
			return -1;
		}
		sleep 0.05;
	}
	return $? & 127 ? -1 : $? >> 8;
}

# Processes that have our folder in their arguments or environment.
sub left
{
	my @left;
	for my $proc (glob '/proc/[0-9]*') {
		my ($pid) = $proc =~ /(\d+)$/;
		next if $pid == $$;
		my $text = read_file("$proc/cmdline") . "\0" . read_file("$proc/environ");
		push @left, $pid if index($text, "$dir/") >= 0;
	}
	return @left;
}

# To the end.
my $keep = "$dir/kept";
my $status = ended(run("$dir/once.log", '--demo-agent', '--once', '--keep', $keep), 180);
my $said = read_file("$dir/once.log");
is $status, 0, 'script/run --demo-agent --once ends by itself, satisfied' or diag $said;
like $said, qr/^  Domain\s+127\.0\.0\.1:\d+$/m, 'it printed a card for a softphone';
for my $line ('Ada Okafor +talking', 'Bruno Silva +talking', 'Chloe Martin +busy',
	'Dev Patel +talking', 'Elif Kaya +no answer', 'Farid Haddad +talking') {
	like $said, qr/$line/, "it told: $line";
}
my %creates;
$creates{$_->{to}}++ for grep { $_->{event} eq 'create' } json_lines("$keep/sandbox/sandbox/calls.jsonl");
is_deeply [values %creates], [(1) x 6], 'six customers were dialled, each once';
is_deeply [left()], [], 'no process of it is left' or diag $said;

# A folder that is there already is not touched.
isnt ended(run("$dir/again.log", '--once', '--keep', $keep), 30), 0, 'a used folder is refused';
like read_file("$dir/again.log"), qr/Choose a new folder/, 'with what to do';

# Ctrl-C in the middle of a call.
my $pid = run("$dir/stop.log", '--demo-agent');
eval { wait_for('a customer to talk', 90, sub { read_file("$dir/stop.log") =~ /talking/ }) }
	or diag $@, read_file("$dir/stop.log");
kill 'INT', -$pid;
is ended($pid, 60), 0, 'Ctrl-C ends it' or diag read_file("$dir/stop.log");
like read_file("$dir/stop.log"), qr/Stopped: .*Nothing is left behind/, 'it says so';
is_deeply [left()], [], 'no process is left';
is_deeply [glob "$dir/omnivox-*"], [], 'no folder is left';
done_testing;
