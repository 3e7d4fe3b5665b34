# Faults.pm: everything that the sandbox can do wrong, all at once: which kinds there are says the
# sandbox itself.
package Omnivox::Faults;

use strict;
use warnings;

use Time::HiRes qw(time);

use Omnivox::Campaign;

my $AGAIN_S = 1; # how often the dice are thrown for "unreachable", which is of one moment

# new(STAGE, rate => R, delay_ms => MS, seed => N): from now on.
sub new {
	my ($class, $stage, %o) = @_;
	my $self = bless {stage => $stage, %o, next => 0, turn => 0}, $class;
	my @kinds = map { $_->{kind} } @{$stage->sandbox_get('/sandbox/faults')->{faults}};
	$self->{kinds} = \@kinds;
	$self->_put(map { $self->_fault($_, $o{rate}) } grep { $_ ne 'unreachable' } @kinds);
	return $self;
}

sub _fault {
	my ($self, $kind, $rate) = @_;
	return {kind => $kind, rate => $rate, delay_ms => $self->{delay_ms}, seed => $self->{seed} + 0};
}

# It may be unreachable just now.
sub _put {
	my ($self, @faults) = @_;
	Omnivox::Campaign::patiently(10, sub { $self->{stage}->sandbox_put('/sandbox/faults', \@faults) });
}

# To be called again and again: now and then nobody can be reached for a moment.
sub go_on {
	my ($self) = @_;
	return if time < $self->{next};
	$self->{next} = time + $AGAIN_S;
	$self->_put({%{$self->_fault('unreachable', $self->{rate})}, seed => $self->{seed} + $self->{turn}++});
}

sub stop {
	my ($self) = @_;
	$self->_put(map { $self->_fault($_, 0) } @{$self->{kinds}});
}

# kind => how often it fired.
sub fired {
	my ($self) = @_;
	return map { ($_->{kind} => $_->{fired}) } @{$self->{stage}->sandbox_get('/sandbox/faults')->{faults}};
}

1;
