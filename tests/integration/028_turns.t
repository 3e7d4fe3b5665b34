#!/usr/bin/env perl
# Several people change other fields of one thing at the same moment: nobody's change is lost.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use HTTP::Tiny;
use JSON::PP;
use POSIX ();
use Test::More;
use Omnivox::Stage;

my $ROUNDS = 60;
my $CM = $Omnivox::Stage::CM;
my $stage = Omnivox::Stage->new(population => [
	{match => '*', weight => 1, behaviour => 'busy', ring_ms => 100, talk_ms => 0, say => 'silence'}]);
$stage->start_sandbox;
$stage->start_gateway;
$stage->login;
my $campaign = $stage->api(POST => "$CM/campaigns", {name => 'one'})->{campaign}{id};
my $list = $stage->api(POST => "$CM/data-lists", {name => 'one'})->{dataList}{id};

# Writes one field again and again and reads what stands there; nobody else writes this field.
# Ends with the number of values that did not stay.
sub writer {
	my ($path, $item, $field, @values) = @_;
	my $pid = fork // die "fork: $!";
	return $pid if $pid;
	my $http = HTTP::Tiny->new(timeout => 30,
		default_headers => {Cookie => $stage->{cookie}, 'Content-Type' => 'application/json'});
	my $url = "http://$stage->{gateway}{http}$path";
	my $lost = 0;
	for my $round (1 .. $ROUNDS) {
		my $value = $values[$round % @values];
		my $r = $http->put($url, {content => encode_json({$field => $value})});
		my $now = decode_json($http->get($url)->{content});
		$lost++ unless $r->{success} && "$now->{data}{$item}{$field}" eq "$value";
	}
	POSIX::_exit($lost);
}

for (["$CM/campaigns/$campaign", 'campaign', [name => 'a' .. 'g'], [wrapUpS => 1 .. 7], [description => 'p' .. 's']],
	["$CM/data-lists/$list", 'dataList', [name => 'a' .. 'g'], [blendWeight => 1 .. 7]]) {
	my ($path, $item, @fields) = @$_;
	my @pids = map { writer($path, $item, @$_) } @fields;
	is_deeply [map { waitpid $_, 0; $? >> 8 } @pids], [map { 0 } @pids], "a $item keeps what each has written";
}
undef $stage;
done_testing;
