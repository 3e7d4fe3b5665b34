# Balancer.pm: a public address in front of several gateways: each connection goes to another
# one, or to the next when that does not answer. In a process of its own.
package Omnivox::Balancer;

use strict;
use warnings;

use IO::Select;
use IO::Socket::INET;
use POSIX ();

# new: listens; to(ADDRESS...) starts it.
sub new {
	my ($class) = @_;
	my $listener = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 128, ReuseAddr => 1)
		or die "listen: $@";
	return bless {listener => $listener, address => '127.0.0.1:' . $listener->sockport, owner => $$}, $class;
}

sub to {
	my ($self, @targets) = @_;
	$self->{pid} = fork // die "fork: $!";
	return $self if $self->{pid};
	$SIG{CHLD} = 'IGNORE';
	$SIG{TERM} = sub { POSIX::_exit(0) };
	for (my $turn = 0;; $turn++) {
		my $client = $self->{listener}->accept or next;
		my $child = fork // next;
		next if $child;
		for my $try (0 .. $#targets) {
			my $server = IO::Socket::INET->new(PeerAddr => $targets[($turn + $try) % @targets],
				Timeout => 1) or next;
			relay($client, $server);
			last;
		}
		POSIX::_exit(0);
	}
}

sub relay {
	my @ends = @_;
	my $select = IO::Select->new(@ends);
	while (my @ready = $select->can_read(60)) {
		for my $from (@ready) {
			my $to = $from == $ends[0] ? $ends[1] : $ends[0];
			sysread($from, my $data, 65536) or return;
			while (length $data) {
				my $sent = syswrite($to, $data) or return;
				substr $data, 0, $sent, '';
			}
		}
	}
}

sub DESTROY {
	my ($self) = @_;
	return unless $self->{pid} && $self->{owner} == $$;
	local $?;
	kill 'TERM', $self->{pid};
	waitpid $self->{pid}, 0;
}

1;
