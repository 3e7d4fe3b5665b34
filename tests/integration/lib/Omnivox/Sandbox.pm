# Sandbox.pm: a sandbox of its own for tests that look at Twilio's side alone, with a web server
# that takes its webhooks, and a note of every answer for the judge of the contract.
package Omnivox::Sandbox;
use strict;
use warnings;
use FindBin;
use JSON::PP;
use Omnivox::Hooks;
use Omnivox::Node qw(node_judge);
use Omnivox::Test;

our $AC = 'AC' . 'a' x 32;
our $TOKEN = 'token-of-the-test';
our $FROM = '+15550001';

my $json = JSON::PP->new->utf8->canonical;

# new(population => [...], answer => sub, args => [...]): see Omnivox::Hooks for `answer`. Runs
# at ten times the speed unless args say otherwise.
sub new
{
	my ($class, %with) = @_;
	my $dir = temp_dir();
	my $self = bless { %with, dir => $dir, log => "$dir/sandbox/calls.jsonl", answers => [] },
		$class;
	open my $file, '>', "$dir/population.json" or die;
	print $file $json->encode($with{population}
		// [{ match => '*', behaviour => 'human', ring_ms => 500, talk_ms => 0 }]);
	close $file;
	$self->{hooks} = Omnivox::Hooks->new(dir => "$dir", token => $TOKEN, answer => $with{answer});
	$self->{process} = start(
		command => [
			built('sandbox/omnivox-sandbox'), '--listen', '127.0.0.1:0', '--sip-listen',
			'127.0.0.1:0', '--data', "$dir", '--population', "$dir/population.json", '--seed',
			'7', '--speed', '10', '--account-sid', $AC, '--auth-token', $TOKEN, '--numbers',
			"$FROM,+15550002", '--cps', '100', @{ $with{args} // [] }],
		log => "$dir/sandbox.log",
		addresses => "$dir/run/sandbox-addresses.json");
	$self->{base} = "http://$self->{process}{addresses}{http}";
	$self->{sip} = $self->{process}{addresses}{sip};
	return $self;
}

sub hook_url { return "$_[0]{hooks}{url}$_[1]" }

# One request to the REST API; its answer is noted for the judge.
sub api
{
	my ($self, $method, $path, @form) = @_;
	return $self->get_json($method, "/2010-04-01/Accounts/$AC/$path",
		@form ? (form => [@form]) : ());
}

# As api(), by the path that an answer gave (next_page_uri, uri).
sub get_json
{
	my ($self, $method, $path, %with) = @_;
	my $got = http_json($method, "$self->{base}$path", user => "$AC:$TOKEN", %with);
	# A copy of its own: a test that reckons with a text makes a number of it.
	push @{ $self->{answers} }, { method => $method, path => $path =~ s/\?.*//r,
		status => $got->{status} + 0, body => scalar eval { $json->decode($got->{content}) } };
	return $got;
}

sub control
{
	my ($self, $method, $path, $body) = @_;
	return http_json($method, "$self->{base}/sandbox/$path", defined $body ? (json => $body) : ());
}

# Every answer so far is one that Twilio's OpenAPI file allows.
sub answers_are_twilios { return judge($_[0]{answers}) }

# Ends it while everything is as the test left it; with sanitizers, a leak is no 0.
sub ends_well
{
	my ($self) = @_;
	return Test::More::is(stop($self->{process}), 0, 'it ends when told, with status 0');
}

# What answers_are_twilios() asks of a list of {method, path, status, body}.
sub judge
{
	my ($answers) = @_;
	my $judged = node_judge('answers.js', {
		spec => "$FindBin::Bin/../data/twilio-openapi/twilio_api_v2010.patched.json",
		answers => $answers });
	Test::More::ok($judged->{checked} > 0, "$judged->{checked} answers were looked at");
	return Test::More::is_deeply($judged->{faults}, [], 'and each is as the OpenAPI file says');
}

# A call that is answered by its Url; returns its SID.
sub dial
{
	my ($self, $to, %form) = @_;
	my %all = (To => $to, From => $FROM, $form{Url} ? ()
		: (Twiml => '<Response><Pause length="600"/></Response>'), %form);
	my $got = $self->api('POST', 'Calls.json', map { $_ => $all{$_} } grep { defined $all{$_} } keys %all);
	die "dial: $got->{status} $got->{content}" unless $got->{status} == 201;
	return $got->{json}{sid};
}

sub wait_status
{
	my ($self, $sid, $status) = @_;
	my $is = '';
	return eval {
		wait_for("$sid to be $status", 15, sub {
			($is = $self->api('GET', "Calls/$sid.json")->{json}{status}) eq $status });
	} || Test::More::diag("it is $is");
}

# The webhooks at a path, in order of arrival; waits for at least `count`.
sub hooked
{
	my ($self, $path, $count, $also) = @_;
	return $self->{hooks}->wait("$count at $path", $count, sub {
		$_[0]{path} eq $path && (!$also || $also->($_[0])) });
}

# Lines of calls.jsonl.
sub lines
{
	my ($self, $event) = @_;
	return grep { !$event || $_->{event} eq $event } json_lines($self->{log});
}

1;
