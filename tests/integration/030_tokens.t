#!/usr/bin/env perl
# Access tokens: browsers become phones, each agent's only its own; the official library agrees.
# And calls with the API key instead of the account's token.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use HTTP::Tiny;
use Test::More;
use Omnivox::Asking;
use Omnivox::Node qw(node_judge);
use Omnivox::Stage;

my ($key, $app) = ('SK' . 'a1' x 16, 'AP' . 'b2' x 16);
my $secret = 'the-secret-of-the-api-key-0123456';
my %key = (TWILIO_API_KEY_SID => $key, TWILIO_API_KEY_SECRET => $secret);
my $stage = Omnivox::Stage->new(gateway_env => {METRICS_LISTEN => '127.0.0.1:0',
		TWILIO_TWIML_APP_SID => $app},
	sandbox_env => {SANDBOX_API_KEY_SID => $key, SANDBOX_API_KEY_SECRET => $secret});
asking($stage);

$stage->start_sandbox;
$stage->start_gateway;
my $admin = $stage->login;
my $campaign = $stage->make_campaign({wrapUpS => 0, callGapMs => 0}, '+14155550101', '+14155550102');
my $ana = $stage->make_agent('ana', $campaign);
my $bo = $stage->make_agent('bo', $campaign);

my $r = ask(GET => "/api/calls-twiml/token/$ana->{id}");
is $r->{status}, 503, 'without an API key there are no tokens';
is $r->{json}{error}{code}, 'TOKENS_NOT_SET_UP', 'with a code';
like $r->{json}{error}{message}, qr/TWILIO_API_KEY_SID is not set/, 'and the setting that is missing';

$stage->stop('gateway');
$stage->{gateway_env}{$_} = $key{$_} for keys %key;
$stage->start_gateway;
$stage->login('ana', $ana->{password});

sub token_judged {
	my ($answer, %more) = @_;
	return node_judge('token.js', {account => $stage->account, key => $key,
		secret => $secret, app => $app, token => $answer->{json}{data}{token}, %more});
}

$r = ask(GET => "/api/calls-twiml/token/$ana->{id}");
is $r->{status}, 200, 'an agent gets its token' or diag $r->{content};
is_deeply [sort keys %{$r->{json}{data}}], [qw(agentId token)], 'in the shape that it always had';
my $judged = token_judged($r);
ok $judged->{same}, 'the official library writes the same, letter by letter';
is $judged->{claims}{grants}{identity}, "agent-$ana->{id}", 'the identity is the agent';
is $judged->{claims}{exp} - $judged->{claims}{iat}, 3600, 'it ends after an hour';

$r = ask(POST => '/api/calls/token', {});
is_deeply [@{$r->{json}{data}}{qw(agentId identity)}], [$ana->{id}, "agent-$ana->{id}"],
	'POST needs no agentId of an agent';
ok token_judged($r)->{same}, 'and its token is good';
is ask(POST => '/api/calls/token', {agentId => $bo->{id}})->{status}, 403, "not another's";
is ask(GET => "/api/calls-twiml/token/$bo->{id}")->{status}, 403, 'by neither door';
is ask(POST => '/api/calls/token', {identity => 'boss'})->{status}, 422, 'nor an invented name';

$stage->{cookie} = $admin;
is token_judged(ask(POST => '/api/calls/token', {agentId => $bo->{id}}))->{claims}{grants}{identity},
	"agent-$bo->{id}", 'a supervisor may fetch one for an agent';
is ask(POST => '/api/calls/token', {})->{status}, 422, 'whom it must name';
is ask(GET => '/api/calls-twiml/token/999999')->{status}, 404, 'and who must exist';
is ask(GET => "/api/calls-twiml/token/$ana->{id}", undef, {Cookie => ''})->{status}, 401,
	'strangers get none';

# Calls: the phone, the agent's leg, a customer.
$stage->start_phone($ana);
$stage->wait_registered($ana);
$stage->agent_ready($ana, $campaign);
my @entry = sort { $a->{id} <=> $b->{id} }
	@{$stage->api(GET => "$Omnivox::Stage::CM/campaigns/$campaign/queue")->{queueEntries}};
sub call_now {
	my ($entry) = @_;
	return ask(POST => "$Omnivox::Stage::CM/campaigns/$campaign/queue/$entry->{id}/call", {});
}
sub outcome {
	my ($entry) = @_;
	return $stage->sql("SELECT outcome FROM calls WHERE entry_id = $entry->{id}");
}
$r = call_now($entry[0]);
is $r->{status}, 200, 'with the API key the gateway dials' or diag $r->{content};
$stage->wait_until(15, 'that call to end', sub { outcome($entry[0]) ne '' });
is outcome($entry[0]), 'completed', 'and its webhooks, signed with the token, are believed';

$stage->stop('gateway');
$stage->{gateway_env}{TWILIO_API_KEY_SECRET} = 'no-longer-the-secret-of-the-key';
$stage->start_gateway;
my ($stop) = @{$stage->wait_until(20, 'the stop', sub {
	my $stops = $stage->api(GET => '/api/twilio/status')->{stops}; @$stops ? $stops : undef })};
is "$stop->{scope} $stop->{code}", 'account 20003',
	'it is the key that Twilio is asked with: another secret is refused';
is call_now($entry[1])->{json}{error}{code}, 'TWILIO_STOPPED', 'so nothing is dialled';
like +HTTP::Tiny->new->get("http://$stage->{gateway}{metrics}/metrics")->{content},
	qr/^omnivox_claims_total\{result="held"\} 1$/m, 'and the metrics call it held';
is scalar(grep { $_->{event} eq 'create' } $stage->call_log), 1, 'and calls nobody';

$stage->stop('gateway');
# The region is in the host's name; nothing goes there.
$stage->{gateway_env} = {%{$stage->{gateway_env}}, TWILIO_REGION => 'ie1', TWILIO_API_KEY_SECRET => $secret,
	BACKEND_URL => 'https://gateway.test', TWILIO_API_BASE => 'https://api.twilio.com', https_proxy => 'http://127.0.0.1:1'};
$stage->start_gateway;
$stage->login;
$r = ask(POST => '/api/calls/token', {agentId => $ana->{id}});
ok token_judged($r, region => 'ie1')->{same}, 'in another region the token names it, as the official library does';
contract_kept();
done_testing;
