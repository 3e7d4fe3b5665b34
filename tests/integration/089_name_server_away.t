#!/usr/bin/env perl
# A name server that does not answer holds up nobody but the legs that need it: requests are
# answered, and what was known of a name is good while it is silent.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use IO::Select;
use IO::Socket::INET;
use Test::More;
use Omnivox::Stage;

my $NAME = 'agents.ovx.example';
my $SERVER = '127.0.53.88';
my $stage = Omnivox::Stage->new(gateway_env => {DB_WORKERS => 2});
my $dir = $stage->dir;

sub write_file { my ($name, $text) = @_; open my $f, '>', "$dir/$name" or die $!; print $f $text; close $f }
write_file('resolv.conf', "nameserver $SERVER\noptions timeout:15 attempts:1\n");
write_file('nsswitch.conf', "passwd: files\ngroup: files\nhosts: files dns\n");
write_file('gateway', <<"SH");
#!/bin/sh
exec unshare --mount --propagation private sh -c 'mount --bind $dir/resolv.conf /etc/resolv.conf \\
	&& mount --bind $dir/nsswitch.conf /etc/nsswitch.conf && exec "\$0"' '@{[Omnivox::Stage::gateway_program()]}'
SH
chmod 0755, "$dir/gateway";
# Questions wait in its buffer.
my $server = IO::Socket::INET->new(Proto => 'udp', LocalAddr => $SERVER, LocalPort => 53);
plan skip_all => 'a name server of its own needs root'
	if !$server || system('unshare --mount --propagation private mount --bind'
		. " $dir/resolv.conf /etc/resolv.conf 2>/dev/null") != 0;
{
	no warnings 'redefine';
	*Omnivox::Stage::gateway_program = sub { "$dir/gateway" };
}

# Every name is 127.0.0.1.
sub answer_questions {
	my $pid = fork // die "fork: $!";
	return $pid if $pid;
	$SIG{TERM} = sub { POSIX::_exit(0) };
	while (1) {
		$server->recv(my $asked, 512) // next;
		next if length $asked < 17;
		my $end = index($asked, "\0", 12) + 5;
		$server->send(substr($asked, 0, 2) . pack('n5', 0x8180, 1, 1, 0, 0) . substr($asked, 12, $end - 12)
			. pack('nnnNn', 0xc00c, 1, 1, 0, 4) . pack('C4', 127, 0, 0, 1));
	}
}
sub log_count {
	my ($what) = @_;
	open my $log, '<', "$dir/gateway.log" or return 0;
	return scalar grep { /$what/ } <$log>;
}

$stage->start_sandbox;
my ($port) = $stage->{sandbox}{sip} =~ /:(\d+)$/;
$stage->{gateway_env}{TWILIO_SIP_DOMAIN} = "$NAME:$port";
$stage->start_gateway;
$stage->login;
my $campaign = $stage->make_campaign({wrapUpS => 0});
my @agents = map { $stage->make_agent("agent$_", $campaign) } 1 .. 4;
for my $agent (@agents) {
	$stage->start_phone($agent);
	$stage->wait_registered($agent);
}

# More agents want a leg than there are database workers.
for my $agent (@agents) {
	$stage->api(POST => "/api/agents/$agent->{id}/session", {campaignId => $campaign});
	$stage->api(POST => "/api/agents/$agent->{id}/session/ready");
}
ok(IO::Select->new($server)->can_read(20), 'the name server is asked');
$stage->wait_until(20, 'all phones to be up', sub {
	!grep { !$stage->agent_session($_)->{phoneUp} } @agents });
is log_count('no leg to Twilio'), 0, 'requests are answered while the question is open';
$stage->wait_until(40, 'the question to be given up', sub { log_count('no leg to Twilio') });
is $stage->agent_session($agents[0])->{state}, 'paused', 'nobody can take a call';

my $answers = answer_questions();
for my $agent (@agents) {
	$stage->wait_until(60, "$agent->{username} to be ready", sub { $stage->agent_session($agent)->{state} eq 'ready' });
}
pass 'when it answers, everybody is ready';

kill 'TERM', $answers;
waitpid $answers, 0;
my $sid = sub { $stage->sql('SELECT l.provider_sid FROM call_legs l JOIN agent_sessions s ON s.leg_id = l.id'
	. " WHERE s.user_id = $agents[0]{id} AND l.joined_at IS NOT NULL") };
my $old = $sid->();
$stage->sandbox_post('/sandbox/drop', {call_sid => $old});
$stage->wait_until(30, 'another leg', sub { my $new = $sid->(); $new && $new ne $old });
pass 'one who loses his leg then has another, by the address that was known';
done_testing;
