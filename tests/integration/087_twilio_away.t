#!/usr/bin/env perl
# Twilio cannot be reached for a minute: the reason is shown, nobody is lost or dialled twice, and
# dialling goes on by itself.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use JSON::PP ();
use Test::More;
use Time::HiRes qw(sleep time);
use Omnivox::Campaign;
use Omnivox::Stage;

my $AWAY = 60;
my $stage = Omnivox::Stage->new(
	population => [{match => '*', weight => 1, behaviour => 'human', ring_ms => 150, talk_ms => 400,
		say => 'tone:440'}],
	sandbox_env => {SANDBOX_RECORD => 0}, gateway_env => {AMBIGUOUS_AFTER => 3, RECONCILE_AFTER => 2});
$stage->start_sandbox;
$stage->start_gateway;
my $campaign = Omnivox::Campaign->new($stage, contacts => 30, agents => 3);
$campaign->dial;
$stage->wait_until(20, 'five calls', sub { $campaign->creates >= 5 });
$stage->sandbox_put('/sandbox/faults', [{kind => 'unreachable', rate => 1, delay_ms => $AWAY * 1000}]);
my $away = time;
my $reason = $stage->wait_until($AWAY, 'the reason', sub {
	my $status = JSON::PP->new->canonical->encode($campaign->status);
	return $status =~ /("[^"]*Twilio[^"]*(?:reach|answer)[^"]*")/i ? $1 : undef });
ok $reason, "auto-dial's status tells why: $reason";
sleep 0.1 while time < $away + $AWAY;
my $made = $campaign->creates;
$stage->wait_until(40, 'dialling to go on', sub { $campaign->creates > $made });
pass sprintf 'dialling goes on by itself %.1f s after Twilio is back', time - $away - $AWAY;
my @entries = $campaign->check_end(80);
my %to = map { $_->{to} => 1 } grep { $_->{event} eq 'create' } $stage->call_log;
is scalar(keys %to), 30, 'every contact was called';
is_deeply [grep { $_->{attempts} && $_->{attempts} > 1 } @entries], [], 'what never left was no attempt';
done_testing;
