# Hooks.pm: a small web server that takes webhooks, notes each in a file, and answers as told.
package Omnivox::Hooks;
use strict;
use warnings;
use Digest::SHA qw(hmac_sha1_base64);
use Fcntl qw(:flock);
use IO::Socket::INET;
use JSON::PP;
use Omnivox::Test;

my $json = JSON::PP->new->utf8->canonical;

# new(dir => FOLDER, answer => sub { my ($request) = @_; return [status, type, body] }): the sub
# runs in another process; what it returns is sent, nothing means 204.
sub new
{
	my ($class, %with) = @_;
	my $listener = IO::Socket::INET->new(
		LocalAddr => '127.0.0.1',
		Listen => 128,
		ReuseAddr => 1) or die "listen: $@";
	my $self = bless {
		%with,
		file => "$with{dir}/hooks.jsonl",
		url => 'http://127.0.0.1:' . $listener->sockport
	}, $class;
	$self->{owner} = $$;
	$self->{pid} = fork // die "fork: $!";
	if ($self->{pid} == 0) {
		$SIG{TERM} = sub { POSIX::_exit(0) };
		local $SIG{CHLD} = 'IGNORE';
		while (1) {
			my $client = $listener->accept or next;
			my $child = fork;
			if (defined $child && $child == 0) {
				$self->serve($client);
				close $client;
				POSIX::_exit(0);
			}
			close $client;
		}
	}
	close $listener;
	return $self;
}

sub DESTROY
{
	my ($self) = @_;
	return unless $self->{owner} == $$ && $self->{pid};
	local $?;
	kill 'TERM', $self->{pid};
	waitpid $self->{pid}, 0;
}

sub parse_form
{
	my ($text) = @_;
	my @pairs;
	for my $pair (split /&/, $text) {
		my ($name, $value) = split /=/, $pair, 2;
		for ($name, $value) {
			$_ //= '';
			tr/+/ /;
			s/%([0-9A-Fa-f]{2})/chr hex $1/ge;
		}
		push @pairs, [$name, $value];
	}
	return @pairs;
}

sub serve
{
	my ($self, $client) = @_;
	my $text = '';
	while ($text !~ /\r\n\r\n/) {
		return unless sysread $client, $text, 65536, length $text;
	}
	my ($head, $body) = split /\r\n\r\n/, $text, 2;
	my ($first, @lines) = split /\r\n/, $head;
	my ($method, $target) = split ' ', $first;
	my %headers = map { my ($n, $v) = split /:\s*/, $_, 2; (lc $n => $v) } @lines;
	while (length $body < ($headers{'content-length'} // 0)) {
		return unless sysread $client, $body, 65536, length $body;
	}
	my ($path, $query) = split /\?/, $target, 2;
	my @form = parse_form($body);
	my $request = {
		at => Time::HiRes::time(),
		method => $method,
		path => $path,
		target => $target,
		headers => \%headers,
		form => { map { @$_ } @form },
		query => { map { @$_ } parse_form($query // '') },
		signed => $self->signed($method, $target, \%headers, \@form)
	};
	$self->note($request);
	my ($status, $type, $content) =
		@{ ($self->{answer} && $self->{answer}->($request)) || [204, 'text/plain', ''] };
	return if $status == 0;    # no answer at all
	syswrite $client,
		"HTTP/1.1 $status X\r\nContent-Type: $type\r\nConnection: close\r\nContent-Length: "
		. length($content) . "\r\n\r\n$content";
}

sub note
{
	my ($self, $request) = @_;
	open my $file, '>>', $self->{file} or return;    # the test is over, its folder gone
	flock $file, LOCK_EX;
	syswrite $file, $json->encode($request) . "\n";
	close $file;
}

# Whether the signature is right, worked out here once more; undef when no token was given.
sub signed
{
	my ($self, $method, $target, $headers, $form) = @_;
	return undef unless defined $self->{token};
	my $data = "http://$headers->{host}$target";
	my %seen;
	$data .= "$_->[0]$_->[1]"
		for grep { !$seen{"$_->[0]\0$_->[1]"}++ }
		sort { $a->[0] cmp $b->[0] || $a->[1] cmp $b->[1] }
		$method eq 'POST' ? @$form : ();
	my $expected = hmac_sha1_base64($data, $self->{token});
	$expected .= '=' while length($expected) % 4;
	return $expected eq ($headers->{'x-twilio-signature'} // '') ? 1 : 0;
}

# Requests so far, in order of arrival; with a filter on the request.
sub all
{
	my ($self, $wanted) = @_;
	return grep { !$wanted || $wanted->($_) } json_lines($self->{file});
}

# Waits until at least `count` requests pass the filter, and returns them.
sub wait
{
	my ($self, $what, $count, $wanted) = @_;
	my @got;
	eval {
		wait_for($what, 15, sub { @got = $self->all($wanted); @got >= $count });
		1;
	} or Test::More::diag("$@ (there are " . @got . ')');
	return @got;
}

1;
