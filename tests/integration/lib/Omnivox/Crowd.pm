# Crowd.pm: many calls at once through a sandbox: made over a few connections, up together, told
# of by webhooks to a receiver that answers thousands a second. What it returns is for a test to
# judge and for script/bench to print.
package Omnivox::Crowd;
use strict;
use warnings;
use Digest::SHA qw(hmac_sha1_base64);
use Exporter qw(import);
use Fcntl qw(F_GETFL F_SETFL O_NONBLOCK);
use IO::Poll qw(POLLIN);
use IO::Socket::INET;
use JSON::PP;
use MIME::Base64 qw(encode_base64);
use Omnivox::Sandbox;
use Omnivox::Test;
use Time::HiRes qw(sleep time);

our @EXPORT_OK = qw(crowd);

my $json = JSON::PP->new->utf8->canonical;
my $DOCUMENT = '<Response><Pause length="3600"/></Response>';

sub answer
{
	my ($type, $body) = @_;
	return "HTTP/1.1 200 OK\r\nContent-Type: $type\r\nContent-Length: " . length($body) . "\r\n\r\n$body";
}

# Takes every whole request that has arrived on a connection; notes "SID STATUS NUMBER SIGNED".
sub take
{
	my ($text, $client, $log) = @_;
	while ($$text =~ /\A(\w+) (\S+) [^\r]*\r\n(.*?)\r\n\r\n/s) {
		my ($target, $head, $length) = ($2, $3, length $&);
		my ($size) = $head =~ /^content-length: (\d+)/im;
		last if length $$text < $length + $size;
		my $body = substr $$text, $length, $size;
		substr($$text, 0, $length + $size) = '';
		my ($host) = $head =~ /^host: ([^\r]+)/im;
		my ($signature) = $head =~ /^x-twilio-signature: ([^\r]+)/im;
		my @pairs = map { my ($n, $v) = split /=/, $_, 2; tr/+/ /, s/%(..)/chr hex $1/ge for $n, $v; [$n, $v] }
			split /&/, $body;
		my %form = map { @$_ } @pairs;
		my $data = "http://$host$target" . join '', map { "$_->[0]$_->[1]" } sort { $a->[0] cmp $b->[0] } @pairs;
		my $right = hmac_sha1_base64($data, $Omnivox::Sandbox::TOKEN) . '=' eq $signature ? 1 : 0;
		my $what = $target eq '/voice' ? 'voice' : $form{CallStatus};
		syswrite $log, "$form{CallSid} $what " . ($form{SequenceNumber} // '-') . " $right\n";
		syswrite $client, $target eq '/voice' ? answer('text/xml', $DOCUMENT) : answer('text/plain', '');
	}
	return;
}

# A receiver of webhooks in a process of its own; returns (pid, URL).
sub receiver
{
	my ($file) = @_;
	my $listener = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 4096, ReuseAddr => 1)
		or die "listen: $@";
	my $url = 'http://127.0.0.1:' . $listener->sockport;
	my $pid = fork // die "fork: $!";
	return ($pid, $url) if $pid;
	$SIG{TERM} = sub { POSIX::_exit(0) };
	open my $log, '>>', $file or die;
	my $poll = IO::Poll->new;
	$poll->mask($listener => POLLIN);
	my %text;
	while (1) {
		$poll->poll(1);
		for my $handle ($poll->handles(POLLIN | IO::Poll::POLLHUP | IO::Poll::POLLERR)) {
			if ($handle == $listener) {
				my $client = $listener->accept or next;
				$poll->mask($client => POLLIN);
				$text{$client} = '';
				next;
			}
			if (!sysread $handle, $text{$handle}, 65536, length $text{$handle}) {
				$poll->remove($handle);
				delete $text{$handle};
				close $handle;
				next;
			}
			take(\$text{$handle}, $handle, $log);
		}
	}
}

# Makes calls over one connection; each SID is a line of the file.
sub caller_process
{
	my ($address, $url, $file, @numbers) = @_;
	my $pid = fork // die "fork: $!";
	return $pid if $pid;
	open my $log, '>>', $file or die;
	my $socket = IO::Socket::INET->new($address) or POSIX::_exit(1);
	my $user = encode_base64("$Omnivox::Sandbox::AC:$Omnivox::Sandbox::TOKEN", '');
	for my $number (@numbers) {
		my $form = form_encode([To => $number, From => $Omnivox::Sandbox::FROM, Url => "$url/voice",
			StatusCallback => "$url/status", StatusCallbackEvent =>
				['initiated', 'ringing', 'answered', 'completed']]);
		print $socket "POST /2010-04-01/Accounts/$Omnivox::Sandbox::AC/Calls.json HTTP/1.1\r\nHost: x\r\n"
			. "Authorization: Basic $user\r\nContent-Type: application/x-www-form-urlencoded\r\n"
			. 'Content-Length: ' . length($form) . "\r\n\r\n$form";
		my $got = '';
		$got .= <$socket> until $got =~ /\r\n\r\n/;
		my ($size) = $got =~ /^content-length: (\d+)/im;
		my $body;
		read $socket, $body, $size;
		syswrite $log, $got =~ m{^HTTP/1.1 201} && $body =~ /"sid":"(CA\w+)"/ ? "$1\n" : "refused\n";
	}
	POSIX::_exit(0);
}

sub usage
{
	my ($pid) = @_;
	my @stat = split ' ', read_file("/proc/$pid/stat") =~ s/^.*\) //sr;
	my ($peak) = read_file("/proc/$pid/status") =~ /^VmHWM:\s+(\d+)/m;
	return (($stat[11] + $stat[12]) / 100, $peak / 1024);
}

# crowd(calls => 2000, args => [...]): returns {made, at_once, cpu_s, memory_mb, seconds, create_s,
# lost => [text]}: all is well when lost is empty and at_once is the number of calls.
sub crowd
{
	my (%with) = @_;
	my $count = $with{calls};
	my $sandbox = Omnivox::Sandbox->new(
		population => [{ match => '*', behaviour => 'human', ring_ms => 1000, talk_ms => 0 }],
		args => ['--speed', '1', '--cps', '1000', @{ $with{args} // [] }]);
	my $dir = $sandbox->{dir};
	my ($receiver, $url) = receiver("$dir/received");
	my $pid = $sandbox->{process}{pid};
	my ($cpu_before) = usage($pid);
	my $begun = time;
	my @numbers = map { sprintf '+1416%07d', $_ } 1 .. $count;
	my @callers = map {
		caller_process($sandbox->{process}{addresses}{http}, $url, "$dir/made", splice @numbers, 0,
			int(($count + 7) / 8))
	} 1 .. 8;
	waitpid $_, 0 for @callers;
	my $created = time;
	my $live = sub { scalar grep { $_->{status} eq 'in-progress' } @{ $sandbox->control('GET', 'calls')->{json}{calls} } };
	my $at_once = 0;
	eval { wait_for('everybody', 60, sub { sleep 0.2; ($at_once = $live->()) == $count }) };
	$sandbox->control('POST', 'hangup', { all => JSON::PP::true });
	my $received = sub { scalar split /\n/, read_file("$dir/received") };
	eval { wait_for('every webhook', 60, sub { sleep 0.1; $received->() >= 5 * $count }) };
	my $seconds = time - $begun;
	my ($cpu, $memory) = usage($pid);
	kill 'TERM', $receiver;
	waitpid $receiver, 0;
	my @made = split /\n/, read_file("$dir/made");
	my @lost = lost(\@made, read_file("$dir/received"));
	my $failed = () = read_file($sandbox->{log}) =~ /"event":"(?:webhook|twiml)"[^\n]*"http_status":(?!200)/g;
	push @lost, "$failed requests had no good answer" if $failed;
	return { made => scalar(grep { /^CA/ } @made), at_once => $at_once, cpu_s => $cpu - $cpu_before,
		memory_mb => $memory, seconds => $seconds, create_s => $created - $begun, lost => \@lost };
}

# What should have come and did not, or came twice, or unsigned.
sub lost
{
	my ($made, $received) = @_;
	my (%came, @lost);
	for my $line (split /\n/, $received) {
		my ($sid, $what, $number, $signed) = split ' ', $line;
		$came{$sid}{"$what $number"}++;
		push @lost, "$sid $what is not signed" unless $signed;
	}
	my @expected = ('initiated 0', 'ringing 1', 'in-progress 2', 'completed 3', 'voice -');
	for my $sid (@$made) {
		for my $what (@expected) {
			my $times = $came{$sid}{$what} // 0;
			push @lost, "$sid $what came $times times" if $times != 1;
		}
	}
	return @lost;
}

1;
