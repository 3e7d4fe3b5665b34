# Asking.pm: asks a stage's gateway and holds every answer against the contract. For tests of the
# API; a test file ends each of its parts, or itself, with contract_kept().
package Omnivox::Asking;
use strict;
use warnings;
use Exporter qw(import);
use IO::Socket::INET;
use JSON::PP ();
use POSIX ();
use Scalar::Util qw(weaken);
use Test::More;
use Omnivox::Contract;
use Omnivox::Stage;

our @EXPORT = qw(asking contract ask together data as keyed judged told answers
	wait_call contract_kept sign_in open_events events_text);

my ($stage, $contract, @broken);

# Once, before all else. The stage goes when its test lets it go.
sub asking {
	($stage) = @_;
	weaken($stage);
	$contract = Omnivox::Contract->new("$Omnivox::Stage::TOP/docs/openapi.yaml");
	return $contract;
}

sub contract { $contract }

# An answer, however it was asked for, that must keep the contract.
sub judged {
	my ($method, $path, $r) = @_;
	push @broken, $contract->complaints($method, $path, $r);
	return $r;
}

# A request whose answer must keep it.
sub ask {
	my ($method, $path, $body, $headers) = @_;
	return judged($method, $path, $stage->request($method, $path, $body, $headers));
}

# Several requests, [method, path, body, headers] each, at the same time; their answers in this order.
sub together {
	my @pipes = map {
		my $request = $_;
		my $pid = open my $pipe, '-|';
		die "fork: $!" unless defined $pid;
		if ($pid == 0) {
			print JSON::PP->new->utf8->encode($stage->request(@$request));
			close STDOUT;
			POSIX::_exit(0);
		}
		$pipe;
	} @_;
	my @answers = map { local $/; JSON::PP->new->utf8->decode(scalar <$_>) } @pipes;
	close $_ for @pipes;
	return map { judged(@{$_[$_]}[0, 1], $answers[$_]) } 0 .. $#_;
}

# What a request that must succeed gives.
sub data {
	my $r = ask(@_);
	die "$_[0] $_[1]: $r->{status} $r->{content}\n" unless $r->{success};
	return $r->{json}{data};
}

# As ask() with another cookie, or with a key and no cookie.
sub as { my ($cookie, @request) = @_; local $stage->{cookie} = $cookie; return ask(@request) }

sub keyed {
	my ($key, $method, $path, $body, $headers) = @_;
	local $stage->{cookie} = '';
	return ask($method, $path, $body, {%{$headers || {}}, Authorization => "Bearer $key"});
}

# A webhook as Twilio sends it, signed, whose answer must keep the contract.
sub told {
	my ($method, $path, $form) = @_;
	return judged($method, $path, $stage->webhook($method, $path, $form));
}

# One answer: its status and its error code.
sub answers {
	my ($r, $status, $code, $what) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	is join(' ', $r->{status}, $r->{json}{error}{code} // ''), join(' ', $status, $code), $what
		or diag $r->{content};
}

# Waits until a call is in a state.
sub wait_call {
	my ($id, $state) = @_;
	return $stage->wait_until(15, "call $id to be $state", sub {
		data(GET => "/api/calls/$id")->{call}{state} eq $state });
}

sub contract_kept {
	my ($part) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	is_deeply [splice @broken], [], (defined $part ? "$part: " : '') . 'every answer keeps the contract';
}

# A session's cookie, whoever is signed in at the stage.
sub sign_in {
	my ($username, $password) = @_;
	local $stage->{cookie};
	return $stage->login($username, $password);
}

# ---- the stream of events ----

sub open_events {
	my ($header) = @_;
	my $s = IO::Socket::INET->new(PeerAddr => $stage->{gateway}{http}, Timeout => 5) or die $!;
	print $s "GET /api/events HTTP/1.1\r\nHost: $stage->{gateway}{http}\r\n$header\r\n\r\n";
	$s->blocking(0);
	return {socket => $s, text => ''};
}

# All that has come until now.
sub events_text {
	my ($stream) = @_;
	while (sysread $stream->{socket}, my $part, 65536) { $stream->{text} .= $part }
	return $stream->{text};
}

1;
