#!/usr/bin/env perl
# Access tokens: browsers become phones, each agent's only its own; the official library agrees.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Omnivox::Asking;
use Omnivox::Node qw(node_judge);
use Omnivox::Stage;

my ($key, $app) = ('SK' . 'a1' x 16, 'AP' . 'b2' x 16);
my $secret = 'the-secret-of-the-api-key-0123456';
my %key = (TWILIO_API_KEY_SID => $key, TWILIO_API_KEY_SECRET => $secret);
my $stage = Omnivox::Stage->new(gateway_env => {TWILIO_TWIML_APP_SID => $app});
asking($stage);

$stage->start_sandbox;
$stage->start_gateway;
my $admin = $stage->login;
my $campaign = $stage->make_campaign;
my $ana = $stage->make_agent('ana', $campaign);
my $bo = $stage->make_agent('bo', $campaign);

my $r = ask(GET => "/api/calls-twiml/token/$ana->{id}");
is $r->{status}, 503, 'without an API key there are no tokens';
is $r->{json}{error}{code}, 'TOKENS_NOT_SET_UP', 'with a code';
like $r->{json}{error}{message}, qr/TWILIO_API_KEY_SID is not set/, 'and the setting that is missing';

$stage->stop('gateway');
$stage->{gateway_env}{$_} = $key{$_} for keys %key;
# The sandbox takes the account's own credentials only; these requests make no calls.
$stage->start_gateway;
$stage->login('ana', $ana->{password});

sub judged {
	my ($answer) = @_;
	return node_judge('token.js', {account => $stage->account, key => $key,
		secret => $secret, app => $app, token => $answer->{json}{data}{token}});
}

$r = ask(GET => "/api/calls-twiml/token/$ana->{id}");
is $r->{status}, 200, 'an agent gets its token' or diag $r->{content};
is_deeply [sort keys %{$r->{json}{data}}], [qw(agentId token)], 'in the shape that it always had';
my $judged = judged($r);
ok $judged->{same}, 'the official library writes the same, letter by letter';
is $judged->{claims}{grants}{identity}, "agent-$ana->{id}", 'the identity is the agent';
is $judged->{claims}{exp} - $judged->{claims}{iat}, 3600, 'it ends after an hour';

$r = ask(POST => '/api/calls/token', {});
is_deeply [@{$r->{json}{data}}{qw(agentId identity)}], [$ana->{id}, "agent-$ana->{id}"],
	'POST needs no agentId of an agent';
ok judged($r)->{same}, 'and its token is good';
is ask(POST => '/api/calls/token', {agentId => $bo->{id}})->{status}, 403, "not another's";
is ask(GET => "/api/calls-twiml/token/$bo->{id}")->{status}, 403, 'by neither door';
is ask(POST => '/api/calls/token', {identity => 'boss'})->{status}, 422, 'nor an invented name';

$stage->{cookie} = $admin;
is judged(ask(POST => '/api/calls/token', {agentId => $bo->{id}}))->{claims}{grants}{identity},
	"agent-$bo->{id}", 'a supervisor may fetch one for an agent';
is ask(POST => '/api/calls/token', {})->{status}, 422, 'whom it must name';
is ask(GET => '/api/calls-twiml/token/999999')->{status}, 404, 'and who must exist';
is ask(GET => "/api/calls-twiml/token/$ana->{id}", undef, {Cookie => ''})->{status}, 401,
	'strangers get none';
contract_kept();
done_testing;
