#!/usr/bin/env perl
# The contract is strict, its judge notices every field, and who may call what is as it says: for
# every route in docs/openapi.yaml, for every role, by session and by key.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use JSON::PP;
use Test::More;
use Omnivox::Asking;
use Omnivox::Stage;

my $CM = $Omnivox::Stage::CM;
my $stage = Omnivox::Stage->new(gateway_env => {API_RATE => 0});
$stage->start_sandbox;
$stage->start_gateway;
my $contract = asking($stage);
my $admin = $stage->login;

# ---- the file ----

# Every object schema of the file, as [where, schema].
sub objects {
	my ($node, $at) = @_;
	return map { objects($node->[$_], "$at/$_") } 0 .. $#$node if ref $node eq 'ARRAY';
	return unless ref $node eq 'HASH';
	my @found = map { objects($node->{$_}, "$at/$_") } sort keys %$node;
	my $type = ref $node->{type} eq 'ARRAY' ? '' : $node->{type} // '';
	unshift @found, [$at, $node] if $type eq 'object' || ref $node->{properties} eq 'HASH';
	return @found;
}

subtest 'every object schema is strict' => sub {
	my @objects = objects($contract->{doc}, '');
	cmp_ok scalar @objects, '>', 100, scalar(@objects) . ' schemas of objects';
	my @loose = map {
		my ($at, $s) = @$_;
		my $others = $s->{additionalProperties};
		# A map says what its values are; all else says that there is nothing else.
		my $closed = defined $others && (ref $others eq 'HASH' ? keys %$others : !$others);
		my @unknown = grep { !exists $s->{properties}{$_} } @{$s->{required} // []};
		(ref $s->{required} eq 'ARRAY' ? () : "$at has no required"),
			($closed ? () : "$at lets anything in"),
			map { "$at requires $_, which it does not know" } @unknown;
	} @objects;
	is_deeply \@loose, [], 'each names what it requires and lets nothing else in';
};

subtest 'every word of a schema has a meaning' => sub {
	# A comma that is not quoted makes a keyword of half a sentence.
	my %known = map { $_ => 1 } qw($ref type const enum required properties additionalProperties items
		pattern minLength maxLength minimum maximum minItems maxItems oneOf anyOf allOf format
		description default example examples);
	my ($walk, @odd);
	$walk = sub {
		my ($s, $at) = @_;
		return unless ref $s eq 'HASH';
		push @odd, map { "$at: $_" } grep { !$known{$_} && !/^x-/ } sort keys %$s;
		$walk->($s->{properties}{$_}, "$at.$_") for sort keys %{$s->{properties} // {}};
		$walk->($_, "$at\[]") for @{$s->{oneOf} // []}, @{$s->{anyOf} // []}, $s->{items};
		$walk->($s->{additionalProperties}, "$at.*");
	};
	my $find;
	$find = sub {
		my ($node, $at) = @_;
		if (ref $node eq 'ARRAY') { $find->($node->[$_], "$at/$_") for 0 .. $#$node }
		return unless ref $node eq 'HASH';
		$walk->($node->{schema}, $at) if ref $node->{schema} eq 'HASH';
		$find->($node->{$_}, "$at/$_") for sort keys %$node;
	};
	$find->($contract->{doc}{paths}, 'paths');
	my $schemas = $contract->{doc}{components}{schemas};
	$walk->($schemas->{$_}, $_) for sort keys %$schemas;
	is_deeply \@odd, [];
};

sub is_twiml {
	my ($o) = @_;
	return join(' ', keys %{($o->{responses}{200} // {})->{content} // {}}) eq 'text/xml';
}

subtest 'every error code has its place in the contract' => sub {
	my (%sent, @silent);
	for my $file (glob "$Omnivox::Stage::TOP/{gateway,http}/*.c") {
		open my $source, '<', $file or die "$file: $!";
		my $text = do { local $/; <$source> };
		# api_fail(reply, 409, "CODE", and rows of tables: {409, "CODE",
		$sent{$2} = "$1 $2" while $text =~ /\b([45]\d\d),\s*"([A-Z][A-Z_]+)"/g;
	}
	cmp_ok scalar keys %sent, '>', 80, scalar(keys %sent) . ' codes in the sources';
	open my $file, '<', "$Omnivox::Stage::TOP/docs/openapi.yaml" or die $!;
	my $contract_text = do { local $/; <$file> };
	push @silent, $sent{$_} for grep { $contract_text !~ /\b$_\b/ } sort keys %sent;
	is_deeply \@silent, [], 'each is named there';
};

subtest 'the sound may be of either format' => sub {
	my ($o) = grep { ($_->{operationId} // '') eq 'getRecordingMedia' } $contract->operations;
	is_deeply [sort keys %{$o->{responses}{$_}{content}}], ['audio/mpeg', 'audio/x-wav'], "as answer $_"
		for 200, 206;
};

subtest 'every operation says who may call it and what it answers' => sub {
	my (@wrong, %seen);
	for my $o ($contract->operations) {
		my $what = "$o->{method} $o->{path}";
		push @wrong, "$what has the operationId of another" if $seen{$o->{operationId} // ''}++;
		push @wrong, "$what has neither x-roles nor security of its own"
			unless $o->{'x-roles'} || $o->{security};
		push @wrong, "$what does not say 401 and 403" if $o->{'x-roles'}
			&& (!$o->{responses}{401} || @{$o->{'x-roles'}} < 3 && !$o->{responses}{403});
		# TwiML alone is never too busy.
		push @wrong, "$what does not say 503" unless $o->{responses}{503} || is_twiml($o);
		my %named = map { $_ => 1 } $o->{path} =~ /\{(\w+)\}/g;
		my $item = $contract->{doc}{paths}{$o->{path}};
		delete @named{map { $contract->follow($_)->{name} } @{$item->{parameters} // []},
			@{$o->{parameters} // []}};
		push @wrong, "$what does not tell of $_" for sort keys %named;
	}
	is_deeply \@wrong, [];
};

subtest 'what Twilio calls: news may be refused for now, TwiML never' => sub {
	my @wrong;
	for my $o (grep { Omnivox::Contract::is_signed($_) } $contract->operations) {
		my $known = join ' ', grep { /^[25]/ } sort keys %{$o->{responses}};
		push @wrong, "$o->{method} $o->{path}: $known"
			if $known ne (is_twiml($o) ? '200' : '204 500 503 504');
	}
	is_deeply \@wrong, [];
};

# ---- something of each thing ----

my $campaign = $stage->make_campaign({name => 'Contract'}, '+15551110001', '+15551110002');
my $agent = $stage->make_agent('ana', $campaign);
my $entry = $stage->api(GET => "$CM/campaigns/$campaign/queue")->{queueEntries}[0];
my %cookie = (admin => $admin);
my %user;
for my $role (qw(supervisor agent)) {
	my $made = $stage->api(POST => '/api/users', {username => "m-$role", name => $role, role => $role,
		password => 'matrix-password'});
	$user{$role} = $made->{user}{id};
	$cookie{$role} = sign_in("m-$role", 'matrix-password');
}
$stage->api(POST => "$CM/campaigns/$campaign/join-agent", {agentId => $user{agent}});
my %key = map {
	local $stage->{cookie} = $cookie{$_};
	($_ => $stage->api(POST => '/api/api-keys', {name => "key of $_"})->{key})
} qw(admin supervisor agent);

my %id = (campaignId => $campaign, queueId => $entry->{id}, agentId => $user{agent},
	listId => $stage->api(GET => "$CM/data-lists")->{dataLists}[0]{id});

subtest 'the judge notices every field' => sub {
	# Renames or removes the field at each place of an answer, one at a time.
	my $spoil;
	$spoil = sub {
		my ($value, $change) = @_;
		if (ref $value eq 'ARRAY') {
			return map { my $i = $_; map { my $v = $_; [@$value[0 .. $i - 1], $v, @$value[$i + 1 .. $#$value]] }
				$spoil->($value->[$i], $change) } 0 .. ($#$value > 0 ? 0 : $#$value);
		}
		return unless ref $value eq 'HASH' || ref $value eq 'ARRAY';
		return map {
			my $name = $_;
			my %changed = %$value;
			$change->(\%changed, $name);
			(\%changed, map { {%$value, $name => $_} } $spoil->($value->{$name}, $change));
		} sort keys %$value;
	};
	my %free = map { $_ => 1 } qw(targets fields custom); # maps: their names are data
	my $count = 0;
	for my $path ("$CM/campaigns", "$CM/campaigns/$campaign/queue", "$CM/data-lists", '/api/agents',
		'/api/users', '/api/api-keys', '/api/audit-log?limit=1', '/api/auth/me', '/livez',
		'/api/version', "$CM/campaigns/$campaign/auto-dial") {
		my $answer = ask(GET => $path);
		is_deeply [$contract->complaints(GET => $path, $answer)], [], "GET $path is as promised";
		my $value = JSON::PP->new->utf8->decode($answer->{content});
		my $strip;
		$strip = sub { ref $_[0] eq 'HASH' ? {map { ($_ => $free{$_} ? {} : $strip->($_[0]{$_})) } keys %{$_[0]}}
			: ref $_[0] eq 'ARRAY' ? [map { $strip->($_) } @{$_[0]}] : $_[0] };
		my @blind;
		for my $change (sub { $_[0]{"$_[1]X"} = delete $_[0]{$_[1]} }, sub { delete $_[0]{$_[1]} }) {
			for my $spoiled ($spoil->($strip->($value), $change)) {
				$count++;
				my $content = JSON::PP->new->utf8->canonical->encode($spoiled);
				push @blind, $content
					unless $contract->complaints(GET => $path, {%$answer, content => $content});
			}
		}
		is_deeply [map { substr $_, 0, 400 } @blind], [], 'and with any one field changed it is not';
	}
	cmp_ok $count, '>', 300, "$count answers were spoiled";
};

subtest 'the matrix of roles' => sub {
	my ($asked, @wrong) = (0);
	my %ask = map {
		my $role = $_;
		("session of $role" => [$role, sub { as($cookie{$role}, @_) }],
			"key of $role" => [$role, sub { keyed($key{$role}, @_) }]);
	} qw(admin supervisor agent);
	for my $o (grep { $_->{'x-roles'} } $contract->operations) {
		my %may = map { $_ => 1 } @{$o->{'x-roles'}};
		my $people = $o->{security} && !grep { $_->{apiKey} } @{$o->{security}};
		(my $path = $o->{path}) =~ s/\{(\w+)\}/$o->{method} eq 'GET' || $1 eq 'agentId' ? $id{$1} \/\/ 999999 : 999999/ge;
		# What may be called must do nothing: a field that no route knows, an id that nobody has.
		my $body = $o->{method} eq 'GET' ? undef : {'?' => 1};
		for my $who (sort keys %ask) {
			my ($role, $request) = @{$ask{$who}};
			next if $may{$role} && $o->{operationId} eq 'streamEvents';
			my $r = $request->($o->{method}, $path, $body);
			my $code = $r->{json}{error}{code} // '';
			my $by_role = $code eq 'FORBIDDEN' && $r->{json}{error}{message} =~ /^Your role, /;
			$asked++;
			my $expected = !$may{$role} ? $by_role
				: $people && $who =~ /^key/ ? $code eq 'PERSON_NEEDED'
				: !$by_role && $code ne 'PERSON_NEEDED' && $r->{status} != 401;
			push @wrong, "$who: $o->{method} $path: $r->{status} $code" unless $expected;
		}
		for my $stranger ([keyed('ovx_1_' . 'a' x 64, $o->{method}, $path, $body), 'WRONG_KEY'],
			[as('', $o->{method}, $path, $body), 'NOT_SIGNED_IN']) {
			my ($r, $code) = @$stranger;
			push @wrong, "stranger: $o->{method} $path: $r->{status} $r->{content}"
				unless $r->{status} == 401 && $r->{json}{error}{code} eq $code;
		}
	}
	is_deeply \@wrong, [], "$asked requests went as the contract says";
	cmp_ok $asked, '>', 300, 'of every role, by session and by key';
	contract_kept('the matrix');
};

subtest 'what another site sends with the cookie of somebody here' => sub {
	my @wrong;
	my @changing = grep { $_->{method} ne 'GET' && !Omnivox::Contract::is_signed($_) } $contract->operations;
	for my $o (@changing) {
		(my $path = $o->{path}) =~ s/\{(\w+)\}/$id{$1} \/\/ 999999/ge;
		my $r = ask($o->{method}, $path, {}, {'Sec-Fetch-Site' => 'cross-site'});
		my $got = "$r->{status} " . ($r->{json}{error}{code} // '');
		push @wrong, "$o->{method} $path: $got" if $got ne '403 CROSS_SITE';
	}
	is_deeply \@wrong, [], scalar(@changing) . ' requests that would change something are refused';
	contract_kept('other sites');
};

subtest 'routes that take an Idempotency-Key say so' => sub {
	open my $source, '<', "$Omnivox::Stage::TOP/gateway/routes.c" or die $!;
	my $text = do { local $/; <$source> };
	my @once = $text =~ /\bONCE\(HTTP_POST, (?:CM )?"([^"]+)"/g;
	cmp_ok scalar @once, '>=', 6, scalar(@once) . ' in the table';
	my @silent;
	for my $path (@once) {
		(my $template = $path) =~ s/:(\w+)/{$1}/g;
		my ($o) = grep { $_->{method} eq 'POST' && $_->{path} =~ /\Q$template\E$/ } $contract->operations;
		push @silent, "$template does not tell of the header"
			unless grep { $contract->follow($_)->{name} eq 'Idempotency-Key' } @{$o->{parameters} // []};
		push @silent, "$template does not say $_" for grep { !$o->{responses}{$_} } 400, 409, 422;
	}
	is_deeply \@silent, [];
};

subtest 'an id of nobody is no filter that lets everything through' => sub {
	my ($asked, @wrong) = (0);
	for my $o (grep { $_->{method} eq 'GET' && $_->{'x-roles'} } $contract->operations) {
		(my $path = $o->{path}) =~ s/\{(\w+)\}/$id{$1} \/\/ 999999/ge;
		for my $p (map { $contract->follow($_) } @{$o->{parameters} // []}) {
			next unless $p->{in} eq 'query' && ($p->{schema}{'$ref'} // '') =~ m{/Id$};
			next if $p->{name} =~ /^(after|before)$/; # a page from 0 on is the first
			$asked++;
			my $r = ask(GET => "$path?$p->{name}=0");
			push @wrong, "$path?$p->{name}=0: $r->{status}" if $r->{status} != 422;
		}
	}
	is_deeply \@wrong, [], "$asked parameters refuse 0";
	cmp_ok $asked, '>=', 17, 'all filters';
	contract_kept('ids');
};

undef $stage;
done_testing;
