#!/usr/bin/env perl
# Twilio's own OpenAPI file as the judge of both sides: prism stands as a validating proxy between
# gateway and sandbox while a small campaign runs, is held up, refused and hung up on. And what
# prism does not see: every parameter that we send must be one that Twilio knows.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use HTTP::Tiny;
use JSON::PP ();
use Test::More;
use Omnivox::Between;
use Omnivox::Node qw(node_program node_package node_env);
use Omnivox::Stage;

my $CM = $Omnivox::Stage::CM;
my $SPEC = "$Omnivox::Stage::TOP/tests/data/twilio-openapi/twilio_api_v2010.patched.json";
my $json = JSON::PP->new->utf8;

my $stage = Omnivox::Stage->new(population => [
	{match => '+14155551*', weight => 1, behaviour => 'busy', ring_ms => 100},
	{match => '+14155552*', weight => 1, behaviour => 'no_answer', ring_ms => 100},
	{match => '*', weight => 1, behaviour => 'human', ring_ms => 100, talk_ms => 400, say => 'tone:440'}]);
$stage->start_sandbox;
my $port = Omnivox::Stage::free_port();
my %env = node_env();
$stage->spawn('prism', \%env, node_program(), node_package('@stoplight/prism-cli/dist/index.js'),
	'proxy', '-h', '127.0.0.1', '-p', $port, $SPEC, "http://$stage->{sandbox}{http}");
my $account = $stage->account;
my $root = "/2010-04-01/Accounts/$account";
$stage->wait_until(120, 'prism', sub {
	HTTP::Tiny->new(timeout => 5)->get("http://127.0.0.1:$port$root/Calls.json")->{status} == 401 });
my $between = Omnivox::Between->new(to => "http://127.0.0.1:$port", dir => $stage->dir);

# The judge judges: wrong requests are seen.
my $basic = 'Basic ' . do { require MIME::Base64; MIME::Base64::encode("$account:" . $stage->token, '') };
HTTP::Tiny->new->request(POST => $between->url . "$root/Calls.json",
	{headers => {authorization => $basic, 'content-type' => 'application/x-www-form-urlencoded'},
		content => 'From=%2B15550000001&To=%2B14155550100&Timeout=soon&Url=x'});
my ($wrong) = @{$between->requests};
like $wrong->{violations}, qr/Timeout/i, 'prism sees a parameter of the wrong type';

$stage->{gateway_env} = {TWILIO_API_BASE => $between->url, RECONCILE_AFTER => 1};
$stage->start_gateway;
$stage->login;
my @numbers = ('+14155550101', '+14155551101', '+14155552101', '+14155550102', '+14155550103');
my $campaign = $stage->make_campaign({wrapUpS => 0, callGapMs => 0, batchGapMs => 0, maxAttempts => 1,
	ringTimeoutS => 5, callerId => '+15550000001'}, @numbers);
my $agent = $stage->make_agent('ana', $campaign);
$stage->start_phone($agent);
$stage->wait_registered($agent);
$stage->agent_ready($agent, $campaign);
# A call that we hang up, whose webhooks are lost: it is asked for, too.
$stage->sandbox_put('/sandbox/faults', {kind => 'drop', rate => 0.5, seed => 7, delay_ms => 0});
$stage->api(POST => "$CM/campaigns/$campaign/auto-dial");
$stage->wait_until(90, 'the campaign to be done', sub {
	my $s = $stage->api(GET => "$CM/campaigns/$campaign/queue")->{stats}{statusBreakdown};
	$s->{pending} + $s->{dialing} == 0 });
$stage->sandbox_put('/sandbox/faults', {kind => 'drop', rate => 0, seed => 7, delay_ms => 0});
my ($call) = @{$stage->api(GET => '/api/calls')->{calls}};
ok $call, 'calls were made';

my @seen = @{$between->requests};
shift @seen;
my %kinds;
$kinds{"$_->{method} " . ($_->{path} =~ s/[A-Z]{2}[0-9a-f]{32}/X/gr =~ s/\?.*//r =~ s/ovx[^\/]+/X/r)}++ for @seen;
diag join ', ', map { "$kinds{$_} $_" } sort keys %kinds;
cmp_ok scalar(grep { $_->{method} eq 'POST' } @seen), '>=', 5, 'the campaign went through prism';
cmp_ok scalar(grep { $_->{path} =~ m{/Calls/CA} } @seen), '>=', 1, 'calls were fetched';

# What prism says of them. An empty WaitUrl is documented and silence; it is no URI.
my @violations;
for my $r (@seen) {
	next unless $r->{violations} && $r->{status} < 400;
	push @violations, map { "$r->{method} $r->{path}: " . $json->encode($_) } grep {
		my @at = @{$_->{location} || []};
		!(@at && $at[0] eq 'request' && $at[-1] =~ /^waiturl$/i) } @{$json->decode($r->{violations})};
}
is_deeply \@violations, [], 'neither side breaks the contract';

# Every name we send.
my $spec = $json->decode(do { open my $fh, '<', $SPEC or die; local $/; <$fh> });
sub operation {
	my ($r) = @_;
	(my $path = $r->{path}) =~ s/\?.*//;
	for my $template (keys %{$spec->{paths}}) {
		(my $pattern = quotemeta $template) =~ s/\\\{\w+\\\}/[^\/]+/g;
		return $spec->{paths}{$template}{lc $r->{method}} if $path =~ /^$pattern$/;
	}
	return;
}
my %unknown;
for my $r (@seen) {
	my $operation = operation($r) or do { $unknown{"$r->{method} $r->{path}"}++; next };
	my $form = $operation->{requestBody}{content}{'application/x-www-form-urlencoded'}{schema}{properties} || {};
	my %query = map { $_->{name} => 1 } grep { $_->{in} eq 'query' } @{$operation->{parameters} || []};
	my ($query) = $r->{path} =~ /\?(.*)/;
	for my $pair (split /&/, $query // '') {
		my ($name) = split /=/, $pair;
		$unknown{"$r->{method} ?$name"}++ unless $query{$name};
	}
	for my $pair (split /&/, $r->{body}) {
		my ($name) = split /=/, $pair;
		$unknown{"$r->{method} $name"}++ unless $form->{$name};
	}
}
is_deeply \%unknown, {}, 'every address and every parameter is one of Twilio\'s';
done_testing;
