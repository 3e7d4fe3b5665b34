# SipCaller.pm: a minimal SIP caller over UDP: INVITE with digest, PCMU both ways, BYE. For tests
# that need to see each message; real phones are tested with baresip.
package Omnivox::SipCaller;
use strict;
use warnings;
use Digest::MD5 qw(md5_hex);
use IO::Select;
use IO::Socket::INET;
use Time::HiRes qw(time);

# new(server => "127.0.0.1:5070", user => ..., password => ..., headers => [...])
sub new
{
	my ($class, %with) = @_;
	my $self = bless { %with, cseq => 0, heard => '', tag => int rand 1e9 }, $class;
	for my $name ('sip', 'rtp') {
		$self->{$name} = IO::Socket::INET->new(
			LocalAddr => '127.0.0.1', Proto => 'udp') or die "udp: $@";
	}
	$self->{call_id} = int(rand 1e9) . '-caller';
	my ($host, $port) = split /:/, $with{server};
	$self->{to} = sockaddr($host, $port);
	$self->{uri} = "sip:agent\@$with{server}";
	return $self;
}

sub sockaddr
{
	my ($host, $port) = @_;
	return Socket::pack_sockaddr_in($port, Socket::inet_aton($host));
}

sub request
{
	my ($self, $method, %with) = @_;
	my $local = '127.0.0.1:' . $self->{sip}->sockport;
	my $cseq = $with{cseq} // ++$self->{cseq};
	my $body = $with{body} // '';
	my $branch = $with{branch} // ('z9hG4bK' . int(rand 1e9) . $cseq);
	$self->{branch} = $branch if $method eq 'INVITE';
	my $to = "<$self->{uri}>" . ($self->{to_tag} && !$with{fresh} ? ";tag=$self->{to_tag}" : '');
	my @lines = (
		"$method $self->{uri} SIP/2.0", "Via: SIP/2.0/UDP $local;branch=$branch;rport",
		"From: <sip:caller\@sandbox.test>;tag=$self->{tag}", "To: $to",
		"Call-ID: $self->{call_id}", "CSeq: $cseq $method", "Max-Forwards: 70",
		"Contact: <sip:caller\@$local>", @{ $with{headers} // [] },
		$body ? 'Content-Type: application/sdp' : (), 'Content-Length: ' . length $body);
	$self->{sip}->send(join("\r\n", @lines, '', $body), 0, $self->{to});
}

# The next SIP message within `seconds`; undef: none.
sub receive
{
	my ($self, $seconds) = @_;
	return unless IO::Select->new($self->{sip})->can_read($seconds);
	$self->{sip}->recv(my $text, 65536);
	my ($status) = $text =~ /^SIP\/2\.0 (\d+)/;
	my ($method) = $text =~ /^([A-Z]+) sip/;
	return { text => $text, status => $status, method => $method };
}

# The final answer to the last INVITE, acknowledged.
sub final
{
	my ($self, $seconds) = @_;
	my $deadline = time + $seconds;
	while (my $got = $self->receive($deadline - time)) {
		next if !$got->{status};
		push @{ $self->{seen} }, $got->{status};
		next if $got->{status} < 200 || $got->{text} !~ /CSeq: $self->{cseq} INVITE/i;
		($self->{to_tag}) = $got->{text} =~ /^To:.*;tag=(\S+?)\r/mi;
		$self->request('ACK', cseq => $self->{cseq},
			$got->{status} < 300 ? () : (branch => $self->{branch}));
		return $got;
	}
	return;
}

sub sdp
{
	my ($self) = @_;
	return "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
		. 'm=audio ' . $self->{rtp}->sockport
		. " RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n";
}

# Sends INVITE, answers the digest challenge; returns the final status.
sub call
{
	my ($self, $seconds) = @_;
	$self->request('INVITE', body => $self->sdp, headers => $self->{headers});
	my $got = $self->final(5) or return;
	if ($got->{status} == 407) {
		my %with = $got->{text} =~ /(\w+)="([^"]*)"/g;
		my $ha1 = md5_hex("$self->{user}:$with{realm}:$self->{password}");
		my $ha2 = md5_hex("INVITE:$self->{uri}");
		my $response = md5_hex("$ha1:$with{nonce}:00000001:abcd:auth:$ha2");
		delete $self->{to_tag};
		$self->request('INVITE', body => $self->sdp, headers => [
			@{ $self->{headers} // [] },
			"Proxy-Authorization: Digest username=\"$self->{user}\", realm=\"$with{realm}\", "
				. "nonce=\"$with{nonce}\", uri=\"$self->{uri}\", qop=auth, nc=00000001, "
				. "cnonce=\"abcd\", response=\"$response\", algorithm=MD5"
				. (defined $with{opaque} ? ", opaque=\"$with{opaque}\"" : '')]);
		$got = $self->final($seconds // 10) or return;
	}
	if ($got->{status} == 200) {
		my ($port) = $got->{text} =~ /^m=audio (\d+)/m;
		$self->{media} = sockaddr('127.0.0.1', $port);
	}
	return $got->{status};
}

sub ulaw_encode
{
	my ($sample) = @_;
	my $sign = $sample < 0 ? 0x80 : 0;
	my $size = abs($sample) + 132;
	my $exponent = 7;
	$exponent-- while $exponent && !($size & (0x80 << $exponent));
	return ~($sign | $exponent << 4 | ($size >> $exponent + 3 & 15)) & 255;
}

sub ulaw_decode
{
	my ($byte) = @_;
	$byte = ~$byte & 255;
	my $size = (($byte & 15) << 3) + 132 << ($byte >> 4 & 7);
	return $byte & 0x80 ? 132 - $size : $size - 132;
}

# Says a tone for `seconds` while it listens; what was heard becomes a WAV file.
sub talk
{
	my ($self, $frequency, $seconds, $wav) = @_;
	my ($sequence, $start) = (0, time);
	my $heard = '';
	while (time - $start < $seconds) {
		while ($sequence * 0.02 <= time - $start) {
			my $payload = pack 'C*', map {
				ulaw_encode(int 8000 * sin 6.28318530718 * $frequency
					* ($sequence * 160 + $_) / 8000)
			} 0 .. 159;
			$self->{rtp}->send(pack('CCnNN', 0x80, 0, $sequence, $sequence * 160, 4711)
				. $payload, 0, $self->{media});
			$sequence++;
		}
		next unless IO::Select->new($self->{rtp})->can_read(0.005);
		$self->{rtp}->recv(my $packet, 2048);
		$heard .= pack 's<*', map { ulaw_decode($_) } unpack 'C*', substr $packet, 12;
	}
	open my $file, '>:raw', $wav or die "$wav: $!";
	print $file pack('a4Va4a4VvvVVvva4V', 'RIFF', 36 + length $heard, 'WAVE', 'fmt ', 16, 1, 1,
		8000, 16000, 2, 16, 'data', length $heard), $heard;
	close $file;
}

sub hang_up
{
	my ($self) = @_;
	$self->request('BYE');
	return $self->receive(5);
}

1;
