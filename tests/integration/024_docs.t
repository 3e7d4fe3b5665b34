#!/usr/bin/env perl
# /api/docs shows the whole contract, needs nothing from elsewhere, and every page that a browser
# gets carries the headers that keep it safe.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use JSON::PP;
use Test::More;
use Omnivox::Asking;
use Omnivox::Stage;

my $stage = Omnivox::Stage->new;
$stage->start_sandbox;
$stage->start_gateway;
my $contract = asking($stage);

subtest 'the page' => sub {
	my $r = ask(GET => '/api/docs');
	is $r->{status}, 200, 'is for anybody';
	my $page = $r->{content};
	my @missing = grep { $page !~ /<code>\Q$_->{path}\E<\/code>/ || $page !~ /id="$_->{operationId}"/ }
		$contract->operations;
	is_deeply [map { $_->{path} } @missing], [], 'has every route';
	is_deeply [grep { $page !~ /id="schema-$_"/ } keys %{$contract->{doc}{components}{schemas}}], [],
		'and every schema';
	my %anchor = map { $_ => 1 } $page =~ /id="([^"]+)"/g;
	is_deeply [grep { !$anchor{$_} } $page =~ /href="#([^"]+)"/g], [], 'its links lead somewhere';
	is_deeply [grep { !m{^(#|/api/)} } $page =~ /(?:href|src)="([^"]*)"/g], [], 'and not elsewhere';
	unlike $page, qr/<script|<style|style=|\son\w+=|javascript:/i, 'there is no code in it';
	my @open = $page =~ /<(table|tr|td|th|div|ul|li|details|summary|section|article|p|code)\b/g;
	my @close = $page =~ /<\/(table|tr|td|th|div|ul|li|details|summary|section|article|p|code)>/g;
	my (%count);
	$count{$_}++ for @open;
	$count{$_}-- for @close;
	is_deeply [grep { $count{$_} } sort keys %count], [], 'what is opened is closed';
	contract_kept('the page');
};

subtest 'the contract itself' => sub {
	open my $file, '<:raw', "$Omnivox::Stage::TOP/docs/openapi.yaml" or die $!;
	my $yaml = do { local $/; <$file> };
	is ask(GET => '/api/openapi.yaml')->{content}, $yaml, 'to the letter';
	my $json = JSON::PP->new->utf8->canonical->allow_nonref;
	is $json->encode(ask(GET => '/api/openapi.json')->{json}), $json->encode($contract->{doc}),
		'the same as JSON';
	contract_kept('the contract');
};

subtest 'every answer is safe in a browser' => sub {
	for my $path ('/', '/main.js', '/style.css', '/api/docs', '/api/docs.css', '/api/openapi.yaml',
		'/livez', '/api/nothing', '/api/auth/me') {
		my $r = $stage->request(GET => $path);
		my %h = %{$r->{headers}};
		is $h{'x-content-type-options'}, 'nosniff', "$path: is what it says";
		is $h{'referrer-policy'}, 'same-origin', 'tells nobody where one was';
		my %policy = map { /^(\S+)\s*(.*)/ ? ($1 => $2) : () } split /;\s*/, $h{'content-security-policy'} // '';
		is_deeply [@policy{qw(default-src frame-ancestors base-uri form-action)}],
			["'self'", "'none'", "'none'", "'self'"], 'takes nothing from elsewhere, is in nobody\'s frame';
	}
};

undef $stage;
done_testing;
