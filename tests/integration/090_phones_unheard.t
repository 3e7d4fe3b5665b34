#!/usr/bin/env perl
# What phones do while the database does not answer is not forgotten: a call whose agent has hung
# up ends, and an agent whose phone was answered gets calls.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Omnivox::Postgres;
use Omnivox::SipPhone;
use Omnivox::Stage;

my $CM = $Omnivox::Stage::CM;
my $stage = Omnivox::Stage->new(population => [
	{match => '*', behaviour => 'human', ring_ms => 200, talk_ms => 0, say => 'tone:440'}]);
$stage->start_sandbox;
my $pg = Omnivox::Postgres->new($stage, "$stage->{dir}/pg");
$pg->start;
$stage->{gateway_env} = {DATABASE_URL => $pg->url};
$stage->start_gateway;
$stage->login;
my $campaign = $stage->make_campaign({wrapUpS => 0}, '+14155550101');
my ($ana, $bo) = map { $stage->make_agent($_, $campaign) } qw(ana bo);

sub gateway_says {
	my ($words) = @_;
	open my $log, '<', "$stage->{dir}/gateway.log" or return 0;
	return scalar grep { /$words/ } <$log>;
}
sub ready { my ($db) = @_; $stage->wait_until(20, "readyz to say $db", sub {
	$stage->request(GET => '/readyz')->{status} == $db }) }

$stage->start_phone($ana);
$stage->wait_registered($ana);
$stage->agent_ready($ana, $campaign);
my ($entry) = @{$stage->api(GET => "$CM/campaigns/$campaign/queue")->{queueEntries}};
my $call = $stage->api(POST => "$CM/campaigns/$campaign/queue/$entry->{id}/call",
	{agentId => $ana->{id}})->{callRecord}{id};
$stage->wait_until(15, 'the conversation', sub { $stage->api(GET => "/api/calls/$call")->{call}{state} eq 'bridged' });

# The other phone rings, and is not answered yet.
my $hold = "$stage->{dir}/bo.hold";
open my $fh, '>', $hold or die "$hold: $!";
close $fh;
my $phone = Omnivox::SipPhone->new(file => "$stage->{dir}/bo.jsonl", hold => $hold, does => 'answer');
$pg->psql(omnivox => 'INSERT INTO registrations (user_id, contact, source, call_id, cseq, user_agent, expires_at)'
	. " VALUES ($bo->{id}, 'sip:bo\@$phone->{address}', '$phone->{address}', 'x', 1, '', now() + interval '1 hour')");
$stage->api(POST => "/api/agents/$bo->{id}/session", {campaignId => $campaign});
$stage->api(POST => "/api/agents/$bo->{id}/session/ready");
ok scalar($phone->saw('invite', 20)), 'a phone rings';

$pg->stop('QUIT');
ready(503);
$stage->phone_command($ana, 'hangup');
$stage->wait_until(10, 'the one to be known to have hung up', sub { gateway_says('ana: phone leg ended') });
unlink $hold or die "$hold: $!";
$stage->wait_until(10, 'the other to be known to be answered', sub { gateway_says('bo: phone leg is up') });
$stage->wait_until(20, 'the database to have taken neither', sub { gateway_says('session \d+ not stored') >= 2 });

$pg->start;
ready(200);
my $end = $stage->wait_until(20, 'the call to end', sub {
	my $c = $stage->api(GET => "/api/calls/$call")->{call}; $c->{state} eq 'ended' && $c });
is $end->{outcome}, 'completed', 'the call whose agent hung up meanwhile has ended';
my $s = $stage->agent_session($ana);
is_deeply [@$s{qw(state reason)}], ['paused', 'phone hung up'], 'and the agent is paused for it';
ok !$s->{phoneUp}, 'without a phone';
$stage->wait_until(20, 'bo to be ready', sub { $stage->agent_session($bo)->{state} eq 'ready' });
is scalar($phone->saw('invite')), 1, 'the phone that was answered meanwhile is up, and was called once';
done_testing;
