#!/usr/bin/env perl
# 190_bench_lines: what script/bench says of a figure: PASS only for one that is there and within its
# bar, one line each.
use v5.36;
use FindBin;
use Test::More;

my $lib = "$FindBin::Bin/../../bench/lib.sh";

sub line (@call) {
	open my $out, '-|', 'bash', '-c', 'work=; . "$1"; trap - EXIT; shift; "$@"', 'bench', $lib, @call or die;
	local $/;
	return scalar <$out>;
}

my %lines = (
	'verdict webhook 19.0 100.0 0.2 most us' => 'webhook figure=19.0us peer=100.0us ratio=0.190 bar=0.2 PASS',
	'verdict webhook 21.0 100.0 0.2 most us' => 'webhook figure=21.0us peer=100.0us ratio=0.210 bar=0.2 SHORT',
	'verdict webhook 0.0 100.0 0.2 most us' => 'webhook figure=0.0us peer=100.0us ratio=0.000 bar=0.2 SHORT',
	'verdict webhook 5.0 0.0 0.2 most us' => 'webhook figure=5.0us peer=0.0us ratio=0.000 bar=0.2 SHORT',
	'verdict twiml 300 100 3 least /s' => 'twiml figure=300/s peer=100/s ratio=3.000 bar=3 PASS',
	'verdict twiml 299 100 3 least /s' => 'twiml figure=299/s peer=100/s ratio=2.990 bar=3 SHORT',
	'limit queue 9.5 60 s' => 'queue figure=9.5s bar=60s PASS',
	'limit queue 60 60 s' => 'queue figure=60s bar=60s PASS',
	'limit queue 100 60 s' => 'queue figure=100s bar=60s SHORT',
	'limit queue 0 60 s' => 'queue figure=0s bar=60s SHORT',
);
is(line(split ' '), "$lines{$_}\n", $_) for sort keys %lines;
done_testing;
