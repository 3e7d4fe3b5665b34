#!/usr/bin/env perl
# Answering machines: who picked up is kept, and where the campaign wants it the call is ended and
# called what it was; in any order of what Twilio tells.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Digest::SHA qw(hmac_sha1_base64);
use Test::More;
use Omnivox::Asking;
use Omnivox::Stage;

my $CM = $Omnivox::Stage::CM;
my %who = ('+15551110001' => 'machine', '+15551110002' => 'human', '+15551110003' => 'fax',
	'+15551110004' => 'machine', '+15551110005' => 'machine');
my $stage = Omnivox::Stage->new(population => [map { {match => $_, weight => 1,
	behaviour => $who{$_}, ring_ms => 200, talk_ms => 8000, say => 'tone:440'} } sort keys %who],
	sandbox_args => ['--speed', 4]);
asking($stage);
$stage->start_sandbox;
$stage->start_gateway;
$stage->login;

my %campaign = (hangup_machine => $stage->make_campaign(
		{amd => 'hangup_machine', wrapUpS => 0, maxAttempts => 1}, map { "+1555111000$_" } 1 .. 3, 5),
	detect => $stage->make_campaign({amd => 'detect', wrapUpS => 0}, '+15551110004'));
my $made = data(POST => '/api/agents', {username => 'ana', name => 'Ana'});
my $ana = {%$made, id => $made->{agent}{id}, username => 'ana'};
data(POST => "$CM/campaigns/$_/join-agent", {agentId => $ana->{id}}) for values %campaign;
$stage->start_phone($ana);
$stage->wait_registered($ana);

sub place {
	my ($rule, $n) = @_;
	$stage->wait_until(20, 'ana to be ready', sub { $stage->agent_session($ana)->{state} eq 'ready' });
	my ($entry) = grep { $_->{contact}{phone} =~ /$n$/ }
		@{data(GET => "$CM/campaigns/$campaign{$rule}/queue")->{queueEntries}};
	my $r = ask(POST => "$CM/campaigns/$campaign{$rule}/queue/$entry->{id}/call", {agentId => $ana->{id}});
	is $r->{status}, 200, "calling a $who{\"+1555111000$n\"} ($rule)" or diag $r->{content};
	return $r->{json}{data}{callRecord}{id};
}

sub ended {
	my ($id) = @_;
	return $stage->wait_until(20, 'the call to end', sub {
		my $c = data(GET => "/api/calls/$id")->{call};
		return $c->{state} eq 'ended' ? $c : undef });
}

sub entry { my ($rule, $n) = @_;
	return +(grep { $_->{contact}{phone} =~ /$n$/ }
		@{data(GET => "$CM/campaigns/$campaign{$rule}/queue")->{queueEntries}})[0] }

subtest 'a campaign that wants no machines' => sub {
	$stage->agent_ready($ana, $campaign{hangup_machine});
	my $call = ended(place('hangup_machine', 1));
	is "$call->{answeredBy} $call->{outcome}", 'machine_start machine', 'a machine is ended, and called so';
	is entry('hangup_machine', 1)->{outcome}, 'machine', 'as the outcome of its entry';
	is $stage->agent_session($ana)->{state}, 'ready', 'the agent has nothing to wrap up';
	$call = ended(place('hangup_machine', 2));
	is "$call->{answeredBy} $call->{outcome}", 'human completed', 'a person talks on';
	cmp_ok $call->{durationS}, '>=', 1, 'to the end';
	$call = ended(place('hangup_machine', 3));
	is "$call->{answeredBy} $call->{outcome}", 'fax fax', 'a fax is ended like a machine';
};

sub webhook {
	my ($path, $form) = @_;
	my $text = "http://$stage->{gateway}{http}$path" . join '', map { $_ . $form->{$_} } sort keys %$form;
	my $signature = hmac_sha1_base64($text, $stage->token);
	$signature .= '=' x (-length($signature) % 4);
	my $body = join '&', map { "$_=$form->{$_}" } sort keys %$form;
	return ask(POST => $path, $body, {Cookie => '', 'X-Twilio-Signature' => $signature,
		'Content-Type' => 'application/x-www-form-urlencoded'})->{status};
}

subtest 'news that comes after the end' => sub {
	# A call that ended by itself before anybody knew who had picked up.
	my $id = place('hangup_machine', 5);
	$stage->wait_until(10, 'the answer', sub {
		data(GET => "/api/calls/$id")->{call}{state} =~ /answered|bridged/ });
	ask(POST => "/api/calls/$id/hangup");
	my $call = ended($id);
	is $call->{outcome}, 'completed', 'completed, as far as is known' or diag $call->{answeredBy};
	my %form = (CallSid => $call->{twilioCallSid}, AccountSid => $stage->account,
		AnsweredBy => 'machine_start', MachineDetectionDuration => 900);
	my $path = "/api/calls-twiml/webhook/amd?call=$id";
	is webhook($path, \%form), 204, 'then comes the machine';
	my $once = data(GET => "/api/calls/$id");
	my $told = sub { scalar grep { $_->{source} eq 'amd' } @{data(GET => "/api/calls/$id")->{events}} };
	is $told->(), 1, 'stored';
	is "$once->{call}{answeredBy} $once->{call}{outcome}", 'machine_start machine', 'and it is one';
	is entry('hangup_machine', 5)->{outcome}, 'machine', 'for its entry, too';
	is webhook($path, \%form), 204, 'told twice';
	is $told->(), 1, 'it is stored once';
	is webhook($path, {%form, CallSid => 'CA' . 'f' x 32, AnsweredBy => 'human'}), 204,
		"another leg's is taken";
	is data(GET => "/api/calls/$id")->{call}{answeredBy}, 'machine_start', 'and changes nothing';
	is webhook($path, {CallSid => $form{CallSid}}), 400, 'one that does not say who';
	is webhook('/api/calls-twiml/webhook/amd?call=x', \%form), 400, 'or about which call';
};

subtest 'a campaign that only wants to know' => sub {
	ask(DELETE => "/api/agents/$ana->{id}/session");
	$stage->wait_until(10, 'ana to be gone', sub { !$stage->agent_session($ana) });
	$stage->agent_ready($ana, $campaign{detect});
	my $call = ended(place('detect', 4));
	is "$call->{answeredBy} $call->{outcome}", 'machine_start completed', 'a machine is known and talks on';
};

contract_kept();
undef $stage;
done_testing;
