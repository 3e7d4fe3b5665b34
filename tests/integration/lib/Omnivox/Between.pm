# Between.pm: stands between gateway and sandbox as a plain HTTP proxy on loopback that answers
# itself where a test says so, can be away, and writes down every request. Before the gateway, as
# its BACKEND_URL, it writes down every answer to Twilio.
#
#   my $between = Omnivox::Between->new(to => 'http://127.0.0.1:4010', dir => $stage->dir);
#   $between->url                              for TWILIO_API_BASE
#   $between->answer('POST .*Participants', 401, {code => 20003, message => 'Authenticate'});
#   $between->answer;                          no rule any more
#   $between->away; $between->back;            nobody listens at the port meanwhile; what had
#                                              come is still answered
#   $between->to('http://127.0.0.1:8080')      where it leads from now on
#   $between->requests                         [{method, path, body, status, type, answer,
#                                              violations, t}, ...]
#
# `violations` is what a checker behind it (prism) says of request and answer.
package Omnivox::Between;

use strict;
use warnings;

use HTTP::Tiny;
use IO::Select;
use IO::Socket::INET;
use JSON::PP ();
use POSIX ();
use Time::HiRes qw(sleep time);

my $json = JSON::PP->new->utf8->canonical;

sub new {
	my ($class, %o) = @_;
	my $self = bless {%o, port => 0, owner => $$}, $class;
	$self->answer;
	$self->back;
	return $self;
}

sub url { "http://127.0.0.1:$_[0]{port}" }

sub to {
	my ($self, $to) = @_;
	$self->away;
	$self->{to} = $to;
	$self->back;
}

sub answer {
	my ($self, $match, $status, $body) = @_;
	open my $fh, '>', "$self->{dir}/between.new" or die $!;
	print $fh $json->encode(defined $match ? [{match => $match, status => $status, body => $body}] : []);
	close $fh;
	rename "$self->{dir}/between.new", "$self->{dir}/between.json" or die $!;
}

sub requests {
	my ($self) = @_;
	open my $fh, '<', "$self->{dir}/between.jsonl" or return [];
	return [map { $json->decode($_) } grep { /\n$/ } <$fh>];
}

sub back {
	my ($self) = @_;
	my $listen = IO::Socket::INET->new(Proto => 'tcp', LocalAddr => '127.0.0.1',
		LocalPort => $self->{port}, Listen => 64, ReuseAddr => 1) or die "listen: $!";
	$self->{port} = $listen->sockport;
	my $pid = fork // die "fork: $!";
	if ($pid == 0) {
		setpgrp;
		open STDIN, '<', '/dev/null';
		open STDOUT, '>', '/dev/null';
		open STDERR, '>', '/dev/null';
		$SIG{CHLD} = 'IGNORE';
		$SIG{TERM} = 'DEFAULT';
		$listen->timeout(1);
		while (1) {
			my $socket = $listen->accept;
			# Nobody's any more: the test was ended before it could clean up.
			POSIX::_exit(0) if getppid != $self->{owner};
			next unless $socket;
			my $child = fork;
			next if $child;
			close $listen;
			eval { $self->serve($socket) };
			POSIX::_exit(0);
		}
	}
	$self->{pid} = $pid;
}

sub away {
	my ($self) = @_;
	my $pid = delete $self->{pid} or return;
	kill 'KILL', $pid;
	waitpid $pid, 0;
	my $end = time + 10;
	sleep 0.02 while kill(0, -$pid) && time < $end;    # its connections: its process group
	kill 'KILL', -$pid;
}

sub read_request {
	my ($socket) = @_;
	my $got = '';
	my $listener = getppid;
	until (IO::Select->new($socket)->can_read(0.05)) {
		return if getppid != $listener;
	}
	until ($got =~ /\r\n\r\n/) {
		sysread($socket, $got, 65536, length $got) or return;
	}
	my ($head, $body) = split /\r\n\r\n/, $got, 2;
	my ($method, $path) = $head =~ /^(\S+) (\S+) / or return;
	my ($length) = $head =~ /^content-length: *(\d+)/im;
	while (length($body) < ($length // 0)) {
		sysread($socket, $body, 65536, length $body) or return;
	}
	my %headers = map { /^(authorization|content-type|accept|x-twilio-signature|i-twilio-idempotency-token): *(.*)$/i ? (lc $1 => $2) : () }
		split /\r\n/, $head;
	return {method => $method, path => $path, body => $body, headers => \%headers};
}

sub serve {
	my ($self, $socket) = @_;
	my $http = HTTP::Tiny->new(timeout => 30, max_redirect => 0);
	my $listener = getppid;
	while (my $r = read_request($socket)) {
		my ($status, $body, $violations, $type) = $self->decide($r, $http);
		$type //= 'application/json';
		open my $log, '>>', "$self->{dir}/between.jsonl" or die $!;
		syswrite $log, $json->encode({method => $r->{method}, path => $r->{path},
			status => $status, body => $r->{body}, violations => $violations, type => $type,
			answer => $body, t => time}) . "\n";
		my $head = "HTTP/1.1 $status X\r\nContent-Type: $type\r\n";
		$head .= 'Content-Length: ' . length($body) . "\r\n" if $status != 204;
		syswrite $socket, "$head\r\n$body";
		return if getppid != $listener;
	}
}

sub decide {
	my ($self, $r, $http) = @_;
	open my $fh, '<', "$self->{dir}/between.json" or die $!;
	local $/;
	for my $rule (@{$json->decode(scalar <$fh>)}) {
		return ($rule->{status}, $json->encode({status => $rule->{status}, %{$rule->{body} || {}}}))
			if "$r->{method} $r->{path}" =~ /$rule->{match}/;
	}
	my $got = $http->request($r->{method} => "$self->{to}$r->{path}",
		{headers => $r->{headers}, length $r->{body} ? (content => $r->{body}) : ()});
	return ($got->{status}, $got->{status} == 599 ? '{}' : $got->{content},
		$got->{headers}{'sl-violations'}, $got->{headers}{'content-type'});
}

sub DESTROY {
	my ($self) = @_;
	local $?;
	$self->away if $self->{owner} == $$;
}

1;
