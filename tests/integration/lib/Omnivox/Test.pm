# Test.pm: what every integration test needs: programs that start and are ended by their pid,
# folders that go away, JSON over HTTP, and waiting for a condition with a deadline.
package Omnivox::Test;
use strict;
use warnings;
use Cwd qw(abs_path);
use Exporter qw(import);
use File::Basename qw(dirname);
use File::Temp;
use HTTP::Tiny;
use JSON::PP;
use POSIX qw(WNOHANG);
use Time::HiRes qw(sleep time);

our @EXPORT = qw(built temp_dir start stop stop_all wait_for http_json read_file read_json
	json_lines form_encode tone_power);

my $top = abs_path(dirname(__FILE__) . '/../../../..');
my %running;    # pid => name
my $owner = $$;
my $json = JSON::PP->new->utf8->canonical->allow_nonref;

# The path of a built program: built('sandbox/omnivox-sandbox').
sub built
{
	my ($name) = @_;
	my $path = ($ENV{OVX_BUILD} // $top) . "/$name";
	die "$path is not built (set OVX_BUILD to the build folder)\n" unless -x $path;
	return $path;
}

# A folder that goes away with the test; kept when OVX_KEEP is set.
sub temp_dir
{
	return File::Temp->newdir('ovx-XXXXXX', TMPDIR => 1, CLEANUP => !$ENV{OVX_KEEP});
}

# start(command => [...], log => FILE, addresses => FILE): starts a program in a process of its
# own and waits for its addresses file. Returns {pid, addresses}.
sub start
{
	my (%want) = @_;
	my $seconds = $want{seconds} // 20;
	unlink $want{addresses} if $want{addresses};
	my $pid = fork // die "fork: $!";
	if ($pid == 0) {
		open STDIN,  '<',  '/dev/null';
		open STDOUT, '>>', $want{log} or die "$want{log}: $!";
		open STDERR, '>&', \*STDOUT;
		$ENV{$_} = $want{env}{$_} for keys %{ $want{env} // {} };
		exec @{ $want{command} } or POSIX::_exit(127);
	}
	$running{$pid} = $want{command}[0];
	my $addresses;
	wait_for("$want{command}[0] to be ready", $seconds, sub {
		die "$want{command}[0] ended at its start:\n" . read_file($want{log})
			unless alive($pid);
		return 1 unless $want{addresses};
		return 0 unless -e $want{addresses};
		$addresses = read_json($want{addresses});
		# A file of an earlier run does not count.
		return $addresses->{pid} == $pid || $want{any_pid};
	});
	return { pid => $pid, addresses => $addresses };
}

sub alive
{
	my ($pid) = @_;
	return 0 unless $running{$pid};
	if (waitpid($pid, WNOHANG) == $pid) {
		delete $running{$pid};
		return 0;
	}
	return 1;
}

# Ends one program of ours; returns its wait status.
sub stop
{
	my ($program, $signal, $seconds) = @_;
	my $pid = $program->{pid};
	return unless $running{$pid};
	kill $signal // 'TERM', $pid;
	my $deadline = time + ($seconds // 15);
	while (waitpid($pid, WNOHANG) != $pid) {
		if (time > $deadline) {
			kill 'KILL', $pid;
			waitpid $pid, 0;
			delete $running{$pid};
			die "pid $pid did not end in time\n";
		}
		sleep 0.02;
	}
	delete $running{$pid};
	return $?;
}

sub stop_all
{
	for my $pid (keys %running) {
		kill 'TERM', $pid;
		eval { stop({ pid => $pid }, 'TERM', 10) };
	}
}

END {
	my $status = $?;
	stop_all() if $$ == $owner;
	$? = $status;
}

# Asks `condition` until it is true; dies with `what` after `seconds`. Returns its value.
sub wait_for
{
	my ($what, $seconds, $condition) = @_;
	my $deadline = time + $seconds;
	while (1) {
		my $value = $condition->();
		return $value if $value;
		die "waited $seconds s for $what\n" if time > $deadline;
		sleep 0.02;
	}
}

sub read_file
{
	my ($path) = @_;
	open my $file, '<', $path or return '';
	local $/;
	return scalar(<$file>) // '';
}

sub read_json
{
	return $json->decode(read_file($_[0]));
}

# Every whole line of a .jsonl file.
sub json_lines
{
	my $text = read_file($_[0]);
	return map { $json->decode($_) } grep { length } $text =~ /([^\n]*)\n/g;
}

sub escape
{
	my ($text) = @_;
	utf8::encode($text) if utf8::is_utf8($text);
	$text =~ s/([^A-Za-z0-9_.~-])/sprintf '%%%02X', ord $1/ge;
	return $text;
}

# A list of names and values, or a hash; array values are repeated names.
sub form_encode
{
	my @pairs = ref $_[0] eq 'HASH' ? %{ $_[0] } : @{ $_[0] };
	my @out;
	while (my ($name, $value) = splice @pairs, 0, 2) {
		push @out, escape($name) . '=' . escape($_)
			for ref $value ? @$value : ($value);
	}
	return join '&', @out;
}

# http_json(METHOD, URL, form => {...} or json => ..., user => 'a:b', headers => {...}).
# Returns {status, json, content, headers}; status 599 means that there was no answer.
sub http_json
{
	my ($method, $url, %with) = @_;
	my %headers = %{ $with{headers} // {} };
	my $content = '';
	if ($with{form}) {
		$headers{'content-type'} = 'application/x-www-form-urlencoded';
		$content = form_encode($with{form});
	} elsif (exists $with{json}) {
		$headers{'content-type'} = 'application/json';
		$content = $json->encode($with{json});
	}
	if ($with{user}) {
		require MIME::Base64;
		$headers{authorization} = 'Basic ' . MIME::Base64::encode($with{user}, '');
	}
	my $http = HTTP::Tiny->new(
		timeout => $with{timeout} // 15,
		keep_alive => 0,
		cookie_jar => $with{cookies});
	my $got = $http->request($method, $url, { headers => \%headers, content => $content });
	my $value = eval { $json->decode($got->{content}) };
	return {
		status => $got->{status},
		headers => $got->{headers},
		content => $got->{content},
		json => $value
	};
}

# The share of a WAV file's (8 kHz, 16 bit, mono) energy that is at one frequency, over its
# loudest part: 0 to about 1.
sub tone_power
{
	my ($path, $frequency) = @_;
	my @samples = unpack 's<*', substr read_file($path), 44;
	my ($best, $loudest) = (0, 1);
	for (my $at = 0; $at + 800 <= @samples; $at += 800) {
		my ($c, $s1, $s2, $energy) =
			(2 * cos(2 * 3.14159265358979 * $frequency / 8000), 0, 0, 0);
		for my $x (@samples[$at .. $at + 799]) {
			($s1, $s2) = ($x + $c * $s1 - $s2, $s1);
			$energy += $x * $x;
		}
		next if $energy <= $loudest;
		$loudest = $energy;
		$best = 2 * ($s1 * $s1 + $s2 * $s2 - $c * $s1 * $s2) / (800 * $energy);
	}
	return $best;
}

1;
