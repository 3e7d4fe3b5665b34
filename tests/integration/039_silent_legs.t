#!/usr/bin/env perl
# A leg that is gone without a word is noticed by its silence: a phone that died or started anew is
# called again; one that is only on hold is left alone.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Omnivox::Stage;

my $stage = Omnivox::Stage->new(gateway_env => {LOG_LEVEL => 'debug'}, population => [
	{match => '*', behaviour => 'human', ring_ms => 300, talk_ms => 0, say => 'tone:440'}]);
$stage->start_sandbox;
$stage->start_gateway;
$stage->login;

sub log_count {
	my ($what) = @_;
	open my $log, '<', $stage->dir . '/gateway.log' or return 0;
	return scalar grep { /$what/ } <$log>;
}
sub session_id { my ($agent) = @_; return $stage->sql(
	"SELECT id FROM agent_sessions WHERE user_id = $agent->{id} AND ended_at IS NULL") }
sub phone_dialog { my ($agent) = @_; return $stage->sql('SELECT call_id FROM sip_dialogs'
	. " WHERE side = 'phone' AND agent_session_id = " . session_id($agent)) }
sub wait_silent {
	my ($agent, $times) = @_;
	my $line = 'session ' . session_id($agent) . ': no RTP from the phone';
	$stage->wait_until(60, "$agent->{username} to be silent", sub { log_count($line) >= $times });
}

my $campaign = $stage->make_campaign({wrapUpS => 0});
my %agent = map { $_ => $stage->make_agent($_, $campaign) } qw(held reboot dead);
for my $name (sort keys %agent) {
	$stage->start_phone($agent{$name});
	$stage->wait_registered($agent{$name});
	$stage->agent_ready($agent{$name}, $campaign);
}
$stage->phone_command($agent{held}, 'hold');
my %first = map { $_ => phone_dialog($agent{$_}) } keys %agent;

# Both die at once, and one is there again before anybody can have noticed.
$stage->stop("phone-$_", 'KILL') for qw(reboot dead);
$stage->start_phone($agent{reboot});

$stage->wait_until(60, 'the phone that started anew to be called', sub {
	my $now = phone_dialog($agent{reboot}); $now && $now ne $first{reboot} });
$stage->wait_until(20, 'its agent to be ready', sub { $stage->agent_session($agent{reboot})->{state} eq 'ready' });
pass 'a phone that started anew is called again, and its agent is ready';

my $session = $stage->wait_until(60, 'the dead phone to be noticed', sub {
	my $s = $stage->agent_session($agent{dead}); $s && !$s->{phoneUp} && $s });
is $session->{state}, 'paused', 'an agent whose phone died gets no calls';
$stage->wait_until(30, 'it to be called in vain', sub { log_count('dead: phone leg ended') > 1 });
$stage->start_phone($agent{dead});
$stage->wait_until(60, 'its agent to be ready', sub { $stage->agent_session($agent{dead})->{state} eq 'ready' });
pass 'and is ready when the phone is there again';

wait_silent($agent{held}, 2);
is $stage->agent_session($agent{held})->{state}, 'ready', 'an agent whose phone holds the call stays ready';
is phone_dialog($agent{held}), $first{held}, 'and was not called again';
done_testing;
