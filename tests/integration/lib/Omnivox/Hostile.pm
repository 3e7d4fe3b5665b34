# Hostile.pm: for tests that send what nobody should: asks a stage's gateway quickly, byte by byte,
# and sees whether anything was changed.
package Omnivox::Hostile;
use strict;
use warnings;
use Exporter qw(import);
use IO::Socket::INET;
use Scalar::Util qw(weaken);
use Test::More;

our @EXPORT = qw(hostile quick hang_up holds unchanged);

my ($stage, $all, %line);

# Once, when the gateway is there. The stage goes when its test lets it go.
sub hostile {
	($stage) = @_;
	weaken($stage);
	# What the database holds, but for what every request may touch; a failed import is told of.
	my @tables = split /\n/, $stage->sql("SELECT relname FROM pg_class WHERE relkind = 'r'"
		. " AND relnamespace = 'public'::regnamespace AND relname NOT IN ('audit_log', 'account_rate',"
		. " 'idempotency_keys', 'imports', 'nodes', 'twilio_health', 'schema_migrations', 'sessions', 'api_keys') ORDER BY 1");
	$all = join ' UNION ALL ', map {
		"SELECT '$_ ' || count(*) || ' ' || coalesce(md5(string_agg((to_jsonb(t) - 'lease_until'"
			. " - 'lease_node' - 'updated_at' - 'seen_at' - 'run_reason' - 'run_code')::text, '' ORDER BY (to_jsonb(t))::text)), '')"
			. " FROM $_ t" } @tables;
}

# One connection from each address, each request in one packet: HTTP::Tiny sends head and body
# apart, and then the kernel waits 40 ms for an acknowledgement.
sub quick {
	my ($method, $path, $headers, $content, $from) = @_;
	my $text = "$method $path HTTP/1.1\r\nHost: $stage->{gateway}{http}\r\n"
		. join('', map { "$_: $headers->{$_}\r\n" } sort keys %$headers)
		. (defined $content && !$headers->{'Content-Length'} ? 'Content-Length: ' . length($content) . "\r\n" : '')
		. "\r\n" . ($content // '');
	$from //= '127.0.0.1';
	for my $try (1, 2) {
		$line{$from} //= IO::Socket::INET->new(PeerAddr => $stage->{gateway}{http}, LocalAddr => $from,
			Timeout => 5) or die $!;
		local $SIG{PIPE} = 'IGNORE';
		my $r = syswrite($line{$from}, $text) ? answer_of($line{$from}) : undef;
		hang_up($from) if !$r || ($r->{headers}{connection} // '') =~ /close/i;
		return $r if $r;
	}
	return {status => 599, content => 'no answer', headers => {}};
}

sub hang_up { delete $line{$_[0] // '127.0.0.1'} }

sub answer_of {
	my ($s) = @_;
	local $SIG{ALRM} = sub { die "late\n" };
	return eval {
		alarm 20;
		my $first = <$s> // die;
		my ($status) = $first =~ /^HTTP\/1.1 (\d+)/ or die;
		my %h;
		while (defined(my $l = <$s>)) {
			last if $l eq "\r\n";
			$h{lc $1} = $2 if $l =~ /^([^:]+):\s*(.*?)\r\n/;
		}
		my $content = '';
		read($s, $content, $h{'content-length'}) if $h{'content-length'};
		if (($h{'transfer-encoding'} // '') eq 'chunked') {
			while ((<$s> // 0) =~ /^([0-9a-f]+)/i && (my $n = hex $1) > 0) { read($s, my $part, $n); $content .= $part; <$s> }
			<$s>;
		}
		alarm 0;
		{status => $status, headers => \%h, content => $content};
	};
}

sub holds {
	# The sweeper marks what it has told of.
	$stage->wait_until(30, 'the callbacks to be told of', sub {
		$stage->sql('SELECT count(*) FROM callbacks WHERE untold') == 0 });
	return $stage->sql($all);
}

# But for the tables named.
sub unchanged {
	my ($what, $before, %but) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my %before = map { /^(\w+) (.*)/ } split /\n/, $before;
	my %now = map { /^(\w+) (.*)/ } split /\n/, holds();
	is_deeply [grep { $before{$_} ne $now{$_} && !$but{$_} } sort keys %before], [], "$what: nothing was changed";
}

1;
