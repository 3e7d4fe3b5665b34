# Contract.pm: docs/openapi.yaml as a judge: finds the operation of a request, checks an answer
# against its schema, strictly. Knows the keywords that the file uses and dies at any other.
package Omnivox::Contract;
use strict;
use warnings;
use B;
use JSON::PP;
use YAML::PP;

my %known = map { $_ => 1 } qw($ref type const enum required properties additionalProperties
	items pattern minLength maxLength minimum maximum maxItems oneOf anyOf format description
	default);

sub new
{
	my ($class, $path) = @_;
	my $doc = YAML::PP->new(boolean => 'JSON::PP')->load_file($path);
	my @operations;
	for my $template (sort keys %{ $doc->{paths} }) {
		my $at = $doc->{paths}{$template};
		(my $pattern = $template) =~ s/\{\w+\}/[^\/?]+/g;
		for my $method (grep { ref $at->{$_} eq 'HASH' } sort keys %$at) {
			push @operations, { %{ $at->{$method} }, method => uc $method,
				path => $template, pattern => qr/^$pattern(\?|$)/, answered => {} };
		}
	}
	# /campaigns/stop before /campaigns/{id}: literals first.
	@operations = sort { ($a->{path} =~ tr/{//) <=> ($b->{path} =~ tr/{//) } @operations;
	return bless { doc => $doc, operations => \@operations }, $class;
}

sub operations { @{ $_[0]{operations} } }

sub find
{
	my ($self, $method, $path) = @_;
	for my $operation (@{ $self->{operations} }) {
		return $operation if $operation->{method} eq $method && $path =~ $operation->{pattern};
	}
	return;
}

# Whether only Twilio can call it.
sub is_signed
{
	my ($operation) = @_;
	return scalar grep { $_->{twilioSignature} } @{ $operation->{security} // [] };
}

# Which declared statuses of the operations fit the pattern and came in no answer that was judged:
# "operationId status" of each.
sub unseen
{
	my ($self, $pattern) = @_;
	return map {
		my $operation = $_;
		map { "$operation->{operationId} $_" } grep { /$pattern/ && !$operation->{answered}{$_} }
			sort keys %{ $operation->{responses} };
	} $self->operations;
}

sub follow
{
	my ($self, $node) = @_;
	while (ref $node eq 'HASH' && $node->{'$ref'}) {
		my $target = $self->{doc};
		$target = $target->{$_} for split /\//, substr $node->{'$ref'}, 2;
		$node = $target;
	}
	return $node;
}

# What is wrong with an answer (HTTP::Tiny's hash); empty when nothing is.
sub complaints
{
	my ($self, $method, $path, $answer) = @_;
	my $operation = $self->find($method, $path)
		or return "$method $path is not in the contract";
	my $common = $self->{doc}{ is_signed($operation) ? 'x-signed-responses' : 'x-common-responses' };
	my $response = $self->follow(
		$operation->{responses}{ $answer->{status} } // $common->{ $answer->{status} })
		or return "$method $path may not answer $answer->{status}: $answer->{content}";
	$operation->{answered}{ $answer->{status} }++;
	my $said = $answer->{headers}{'content-type'} // '';
	my @types = sort keys %{ $response->{content} // {} };
	return length $answer->{content} ? "$path: a body where none is promised" : ()
		unless @types;
	my ($type) = grep { $said =~ /^\Q$_\E(;|$)/ } @types
		or return "$path: not @types but $said";
	return () unless $type eq 'application/json';
	my $value = eval { JSON::PP->new->utf8->decode($answer->{content}) };
	return "$path: no JSON: $answer->{content}" if $@;
	return $self->check($response->{content}{$type}{schema}, $value, $operation->{operationId});
}

# An event's data against the schema of its type.
sub event_complaints
{
	my ($self, $type, $data) = @_;
	my $stream = $self->find('GET', '/api/events')->{responses}{200}{content}{'text/event-stream'};
	my $schema = $stream->{'x-events'}{$type} or return "event $type is not in the contract";
	return $self->check($schema, JSON::PP->new->utf8->decode($data), $type);
}

sub kind
{
	my ($value) = @_;
	return 'null' unless defined $value;
	return 'boolean' if JSON::PP::is_bool($value);
	return ref $value eq 'HASH' ? 'object' : 'array' if ref $value;
	my $flags = B::svref_2object(\$value)->FLAGS;
	return 'string' if $flags & B::SVf_POK;
	return $value == int $value ? 'integer' : 'number';
}

sub same
{
	my ($a, $b) = @_;
	return !defined $a && !defined $b unless defined $a && defined $b;
	return kind($a) eq kind($b) && "$a" eq "$b";
}

sub check
{
	my ($self, $schema, $value, $at) = @_;
	$schema = $self->follow($schema);
	for my $keyword (keys %$schema) {
		die "Contract.pm does not know $keyword\n" unless $known{$keyword};
	}
	my $kind = kind($value);
	if (exists $schema->{type}) {
		my @types = ref $schema->{type} ? @{ $schema->{type} } : $schema->{type};
		return "$at is $kind, not @types"
			unless grep { $_ eq $kind || $_ eq 'number' && $kind eq 'integer' } @types;
	}
	return "$at is not the constant" if exists $schema->{const} && !same($value, $schema->{const});
	return "$at has no word of the list: " . ($value // 'null')
		if $schema->{enum} && !grep { same($value, $_) } @{ $schema->{enum} };
	my @wrong;
	push @wrong, $self->check_one_of($schema->{oneOf}, $value, $at) if $schema->{oneOf};
	push @wrong, $self->check_string($schema, $value, $at) if $kind eq 'string';
	push @wrong, "$at is out of bounds: $value" if $kind =~ /^(integer|number)$/
		&& ($value < ($schema->{minimum} // $value) || $value > ($schema->{maximum} // $value));
	push @wrong, $self->check_object($schema, $value, $at) if $kind eq 'object';
	if ($kind eq 'array') {
		push @wrong, "$at is too long" if @$value > ($schema->{maxItems} // @$value);
		push @wrong, map { $self->check($schema->{items}, $value->[$_], "$at\[$_]") } 0 .. $#$value;
	}
	return @wrong;
}

sub check_one_of
{
	my ($self, $choices, $value, $at) = @_;
	my @fits = grep { !$self->check($_, $value, $at) } @$choices;
	return @fits == 1 ? () : "$at fits " . @fits . ' of ' . @$choices . ' forms';
}

sub check_string
{
	my ($self, $schema, $value, $at) = @_;
	return "$at does not match: $value" if $schema->{pattern} && $value !~ /$schema->{pattern}/;
	return "$at has the wrong length: $value"
		if length $value < ($schema->{minLength} // 0)
		|| length $value > ($schema->{maxLength} // length $value);
	return;
}

sub check_object
{
	my ($self, $schema, $value, $at) = @_;
	my $properties = $schema->{properties} // {};
	my $others = $schema->{additionalProperties};
	my @wrong = map { "$at.$_ is missing" }
		grep { !exists $value->{$_} } @{ $schema->{required} // [] };
	for my $name (sort keys %$value) {
		my $inner = $properties->{$name} // $others;
		push @wrong, ref $inner eq 'HASH' ? $self->check($inner, $value->{$name}, "$at.$name")
			: defined $inner && !$inner ? "$at.$name is not in the contract" : ();
	}
	return @wrong;
}

1;
