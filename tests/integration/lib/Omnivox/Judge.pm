# Judge.pm: law 1 from calls.jsonl alone: no (entry, attempt) is created twice, and where every
# later try is hours away, no number is.
package Omnivox::Judge;

use strict;
use warnings;

use Exporter 'import';

our @EXPORT_OK = qw(double_dials dialled_again attempts);

# The (entry, attempt) of a create, from the URLs that the gateway gave with it.
sub _intent {
	my ($line) = @_;
	my $url = $line->{status_callback} // '';
	my ($entry) = $url =~ /[?&]entry=(\d+)/ or return "no entry in $url";
	my ($attempt) = $url =~ /[?&]attempt=(\d+)/ or return "no attempt in $url";
	return "entry $entry attempt $attempt";
}

# How often each intent was created.
sub attempts {
	my %count;
	$count{_intent($_)}++ for grep { $_->{event} eq 'create' } @_;
	return %count;
}

# The intents created more than once, in words; empty when the law held.
sub double_dials {
	my %count = attempts(@_);
	return map { "$_: $count{$_} times" } sort grep { $count{$_} > 1 || /^no / } keys %count;
}

# The numbers created more than once, in words: for logs that are shorter than the first retry. A
# create is a call that Twilio took, whatever it answered; who was dialled and is dialled again
# after a moment has a new attempt, and double_dials() sees nothing.
sub dialled_again {
	my %intents;
	push @{$intents{$_->{to}}}, _intent($_) for grep { $_->{event} eq 'create' && $_->{to} =~ /^\+/ } @_;
	return map { "$_: " . join ', ', @{$intents{$_}} } sort grep { @{$intents{$_}} > 1 } keys %intents;
}

1;
