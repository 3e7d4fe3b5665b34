#!/usr/bin/env perl
# script/live as a dry exercise against the sandbox: it calls nobody unless cost and destination are
# confirmed, finds that the sandbox does what the sandbox is said to do, and writes it down without
# numbers or secrets.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Omnivox::Between;
use Omnivox::Stage;

my $TO = '+14155550123';
# It rings longer than the first call waits and shorter than the second.
my $stage = Omnivox::Stage->new(population => [
	{match => '*', weight => 1, behaviour => 'human', ring_ms => 20000, talk_ms => 120000, say => 'tone:440'}],
	sandbox_args => ['--speed', 4]);
$stage->start_sandbox;
my $report = "$stage->{dir}/report.md";

sub live {
	my ($env, @words) = @_;
	my %env = (TWILIO_ACCOUNT_SID => $stage->account, TWILIO_AUTH_TOKEN => $stage->token,
		TWILIO_PHONE_NUMBER => '+15550000001', TWILIO_API_BASE => "http://$stage->{sandbox}{http}", %$env);
	my $out = "$stage->{dir}/live.out";
	my $pid = fork // die "fork: $!";
	if ($pid == 0) {
		$ENV{$_} = $env{$_} for keys %env;
		open STDIN, '<', '/dev/null';
		open STDOUT, '>', $out or die $!;
		open STDERR, '>&', \*STDOUT;
		exec "$Omnivox::Stage::TOP/script/live", @words or POSIX::_exit(127);
	}
	waitpid $pid, 0;
	my $status = $? >> 8;
	local $/;
	open my $fh, '<', $out or die $!;
	return ($status, scalar(<$fh>) // '');
}
sub creates { scalar grep { $_->{event} eq 'create' } $stage->call_log }

my ($status, $out) = live({}, '--to', $TO, '--report', $report);
is $status, 64, 'without a terminal and without --yes it refuses';
like $out, qr/2 calls from \+15550000001 to \Q$TO\E.*billed/s, 'after it has told the cost';
like $out, qr/Say --yes \Q$TO/, 'and how to confirm';
($status, $out) = live({}, '--to', $TO, '--yes', '+14155550124', '--report', $report);
is $status, 64, '--yes for another number confirms nothing';
($status, $out) = live({}, '--to', '4155550123', '--yes', '4155550123');
is $status, 64, 'what is no E.164 number is not called';
($status, $out) = live({TWILIO_AUTH_TOKEN => ''}, '--to', $TO, '--yes', $TO);
is $status, 64, 'nor anybody without credentials';
like $out, qr/TWILIO_AUTH_TOKEN is not set/, 'which it says';
($status, $out) = live({TWILIO_API_BASE => 'http://127.0.0.1:1'}, '--to', $TO, '--yes', $TO, '--report', $report);
is $status, 69, 'without Twilio it ends';
is creates(), 0, 'nobody was called so far';

($status, $out) = live({}, '--to', $TO, '--yes', $TO, '--report', $report, '--listen', '127.0.0.1:0',
	'--hook', 'http://127.0.0.1:0');
is $status, 0, 'the sandbox does all that it is said to do' or diag $out;
is creates(), 2, 'two calls were made';
open my $fh, '<', $report or die $!;
my $text = do { local $/; <$fh> };
my @facts = $text =~ /^## (\S+): (.+)$/mg;
cmp_ok @facts / 2, '>=', 24, 'the report has every fact';
unlike $text, qr/DIFFERS/, 'and none differs';
my %fact = @facts;
is $fact{$_}, 'agrees', "$_ was checked" for qw(auth.401 create.no_source create.participant timeout.status
	webhook.signature webhook.order record.current cancel.in_progress conference.join webhook.duration);
unlike $text, qr/\Q@{[$stage->token]}\E/, 'no secret is in it';
unlike $text, qr/\Q$TO\E|%2B14155550123/, 'nor the number';

# A Twilio that does otherwise is found out.
my $between = Omnivox::Between->new(to => "http://$stage->{sandbox}{http}", dir => $stage->dir);
$between->answer('PageSize=5000', 200, {calls => []});
($status, $out) = live({TWILIO_API_BASE => $between->url}, '--to', $TO, '--yes', $TO, '--report', $report);
is $status, 1, 'a difference is told by the exit status';
$text = do { open my $r, '<', $report or die $!; local $/; <$r> };
like $text, qr/^## page\.too_large: DIFFERS$/m, 'and found in the report';
like $text, qr/^## webhooks: not checked$/m, 'as is what could not be checked without --hook';
done_testing;
