#!/usr/bin/env perl
# Two hundred calls at once: every one is answered and told of, once. script/bench sandbox does
# the same with 2,000.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Omnivox::Crowd qw(crowd);

my $got = crowd(calls => 200);
is $got->{made}, 200, 'all are made';
is $got->{at_once}, 200, 'all are up at once';
is_deeply $got->{lost}, [], 'and every webhook came, signed, once';
cmp_ok $got->{memory_mb}, '<', 200, sprintf 'with %.0f MB and %.1f s of CPU', @$got{qw(memory_mb cpu_s)};
done_testing;
