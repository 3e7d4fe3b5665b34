# SipPhone.pm: a SIP phone that is called, over UDP: challenges by digest, rings, answers with PCMU,
# presses keys (RFC 4733), or refuses or does not answer. It runs in a process of its own and notes
# what it sees, one JSON line each: {what, t, ...}, t as in the sandbox's log of calls.
package Omnivox::SipPhone;
use strict;
use warnings;
use Digest::MD5 qw(md5_hex);
use IO::Select;
use IO::Socket::INET;
use JSON::PP;
use Omnivox::Test;
use POSIX qw(strftime);
use Time::HiRes qw(time);

my $json = JSON::PP->new->utf8->canonical;

# new(file => LOG, user => ..., password => ..., does => 'answer' | 'ring' | STATUS, keys => '12'):
# it refuses with that SIP status. A list: call by call, the last of it for all that follow. While
# there is a file of the name `hold`, BYE and CANCEL are not answered, and what rings goes on ringing.
sub new
{
	my ($class, %with) = @_;
	my $self = bless {%with}, $class;
	$self->{does} = [$self->{does}] unless ref $self->{does};
	$self->{$_} = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Proto => 'udp') or die "udp: $@"
		for 'sip', 'rtp';
	$self->{address} = '127.0.0.1:' . $self->{sip}->sockport;
	$self->{owner} = $$;
	$self->{pid} = fork // die "fork: $!";
	return $self if $self->{pid};
	$SIG{TERM} = sub { POSIX::_exit(0) };
	$self->serve while 1;
}

sub DESTROY
{
	my ($self) = @_;
	return unless $self->{pid} && $self->{owner} == $$;
	local $?;
	kill 'TERM', $self->{pid};
	waitpid $self->{pid}, 0;
}

# What was noted with this word; waits for one at least.
sub saw
{
	my ($self, $what, $seconds) = @_;
	my @seen;
	eval { wait_for($what, $seconds // 5, sub { @seen = grep { $_->{what} eq $what } json_lines($self->{file}); @seen }) };
	return @seen;
}

sub now
{
	my ($s, $ms) = split /\./, sprintf '%.3f', time;
	return strftime('%Y-%m-%dT%H:%M:%S', gmtime $s) . ".${ms}Z";
}

sub note
{
	my ($self, %seen) = @_;
	open my $file, '>>', $self->{file} or return;
	syswrite $file, $json->encode({%seen, t => now()}) . "\n";
}

sub holds { my ($self) = @_; return $self->{hold} && -e $self->{hold} }

sub serve
{
	my ($self) = @_;
	my $select = IO::Select->new($self->{sip}, $self->{rtp});
	for my $socket ($select->can_read(0.02)) {
		my $from = $socket->recv(my $packet, 65536) // next;
		if ($socket == $self->{rtp}) {
			$self->note(what => 'rtp', bytes => length $packet) unless $self->{heard}++;
			next;
		}
		$self->{peer} = $from;
		$self->take($packet);
	}
	$self->answer if $self->{rings} && !$self->holds;
	$self->press if $self->{media} && time > $self->{next_key};
}

sub header { my ($text, $name) = @_; return ($text =~ /^\Q$name\E:\s*([^\r]*)/im)[0] // '' }

sub reply
{
	my ($self, $request, $status, $body, @headers) = @_;
	my @vias = $request =~ /^(Via:[^\r]*)/gim;
	my $to = header($request, 'To');
	$to .= ';tag=phone' unless $to =~ /tag=/ || $status == 100;
	my $text = join "\r\n", "SIP/2.0 $status X", @vias, 'From: ' . header($request, 'From'), "To: $to",
		'Call-ID: ' . header($request, 'Call-ID'), 'CSeq: ' . header($request, 'CSeq'),
		"Contact: <sip:phone\@$self->{address}>", @headers,
		($body ? ('Content-Type: application/sdp') : ()), 'Content-Length: ' . length($body // ''), '', $body // '';
	$self->{sip}->send($text, 0, $self->{peer});
}

sub believed
{
	my ($self, $request) = @_;
	my %said = header($request, 'Authorization') =~ /(\w+)="?([^",]+)"?/g;
	my $ha1 = md5_hex("$self->{user}:phone:$self->{password}");
	my $ha2 = md5_hex("INVITE:$said{uri}");
	return ($said{username} // '') eq $self->{user}
		&& $said{response} eq md5_hex("$ha1:$said{nonce}:$said{nc}:$said{cnonce}:$said{qop}:$ha2");
}

sub take
{
	my ($self, $packet) = @_;
	my ($method) = $packet =~ /^(\w+) sip/;
	return unless $method;
	if ($method eq 'INVITE') {
		$self->invited($packet);
	} elsif ($method eq 'CANCEL') {
		$self->note(what => 'cancel');
		$self->{rings} = 0;
		return if $self->holds;
		$self->reply($packet, 200);
		$self->reply($self->{invite}, 487);
	} elsif ($method eq 'BYE') {
		$self->note(what => 'bye');
		return if $self->holds;
		$self->{media} = undef;
		$self->reply($packet, 200);
	}
}

sub invited
{
	my ($self, $packet) = @_;
	if ($self->{user} && !header($packet, 'Authorization')) {
		return $self->reply($packet, 401, undef,
			'WWW-Authenticate: Digest realm="phone",nonce="abc123",qop="auth",algorithm=MD5');
	}
	return if $self->{invite} && !grep { header($self->{invite}, $_) ne header($packet, $_) } 'CSeq', 'Call-ID';
	$self->{invite} = $packet;
	my ($uri) = $packet =~ /^INVITE (\S+)/;
	$self->note(what => 'invite', uri => $uri, believed => $self->{user} ? $self->believed($packet) ? 1 : 0 : 1,
		map { $_ => header($packet, $_) } 'From', 'X-Twilio-CallSid', 'X-Twilio-AccountSid', 'X-Leg', 'P-Asserted-Identity');
	my $does = @{$self->{does}} > 1 ? shift @{$self->{does}} : $self->{does}[0];
	$self->reply($packet, 180);
	$self->{rings} = $does ne 'ring' && $does;
}

sub answer
{
	my ($self) = @_;
	my ($packet, $does) = @$self{qw(invite rings)};
	$self->{rings} = 0;
	return $self->reply($packet, $does) if $does =~ /^\d+$/;
	$self->note(what => 'answer');
	my ($port) = $packet =~ /^m=audio (\d+)/m;
	$self->{media} = Socket::pack_sockaddr_in($port, Socket::inet_aton('127.0.0.1'));
	$self->{next_key} = time + 0.3;
	my $own = $self->{rtp}->sockport;
	$self->reply($packet, 200, "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
		. "m=audio $own RTP/AVP 0 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\n");
}

# One key in three packets, as phones do; between keys a packet of sound.
sub press
{
	my ($self) = @_;
	$self->{next_key} = time + 0.1;
	$self->{seq} += 10;
	my $key = (split //, $self->{keys} // '')[$self->{pressed}++ // 0];
	if (!defined $key) {
		$self->{rtp}->send(pack('CCnNN', 0x80, 0, $self->{seq}, $self->{seq} * 160, 7) . "\x80" x 160, 0, $self->{media});
		return;
	}
	my $event = index '0123456789*#', $key;
	$self->{rtp}->send(pack('CCnNNCCn', 0x80, 101, $self->{seq} + $_, $self->{seq} * 160, 7, $event, $_ == 2 ? 0x8a : 10,
		160 * ($_ + 1)), 0, $self->{media}) for 0 .. 2;
}

1;
