#!/usr/bin/env perl
# Twilio's own SDK drives the sandbox, and takes its webhooks for Twilio's.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Omnivox::Node qw(node_judge);
use Omnivox::Sandbox;
use Omnivox::Test;

my $sandbox = Omnivox::Sandbox->new(
	population => [
		{ match => '+1500', behaviour => 'busy', ring_ms => 100 },
		{ match => '*', behaviour => 'human', ring_ms => 300, talk_ms => 0 }],
	answer => sub {
		my ($request) = @_;
		return [200, 'text/xml', '<Response><Pause length="600"/></Response>']
			if $request->{path} =~ m{^/(wait|hold)$};
		return;
	});

my $done = node_judge('sdk.js', {
	base => $sandbox->{base}, account => $Omnivox::Sandbox::AC, token => $Omnivox::Sandbox::TOKEN,
	from => $Omnivox::Sandbox::FROM, hook => $sandbox->{hooks}{url} });

subtest 'the SDK is content' => sub {
	is $_->[1], $_->[2], $_->[0] for @{ $done->{checks} };
};

subtest 'every answer is in Twilio\'s shapes' => sub { Omnivox::Sandbox::judge($done->{answers}) };

subtest 'the library takes the signatures for Twilio\'s, and no others' => sub {
	my $get = $sandbox->dial('+14160009', Url => $sandbox->hook_url('/wait?a=%20b&c=%27d#rc=2'), Method => 'GET',
		StatusCallback => $sandbox->hook_url('/last?entry=7#ct=2000&rp=all'));
	$sandbox->wait_status($get, 'in-progress');
	$sandbox->api('POST', "Calls/$get.json", Status => 'completed');
	$sandbox->hooked('/last', 1);
	my @requests = map { {
		url => "$sandbox->{hooks}{url}$_->{target}",
		params => $_->{method} eq 'POST' ? $_->{form} : {},
		signature => $_->{headers}{'x-twilio-signature'} } } $sandbox->{hooks}->all;
	cmp_ok scalar @requests, '>', 12, scalar(@requests) . ' webhooks and documents';
	my $judged = node_judge('signatures.js', { token => $Omnivox::Sandbox::TOKEN, requests => \@requests });
	is_deeply [grep { !$_->[0] } @$judged], [], 'all are accepted';
	is_deeply [grep { $_->[1] || $_->[2] || $_->[3] } @$judged], [], 'and none that was tampered with';
};

$sandbox->ends_well;
done_testing;
