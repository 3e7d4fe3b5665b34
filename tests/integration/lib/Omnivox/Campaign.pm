# Campaign.pm: a campaign at work for tests of what goes wrong: agents with phones, contacts that
# talk for a moment, and what must be true in the end: nobody dialled twice, nothing held.
package Omnivox::Campaign;

use strict;
use warnings;

use JSON::PP ();
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);

use Omnivox::Judge qw(double_dials dialled_again attempts);
use Omnivox::Stage;

# Repeats what meets a dying gateway, until it works or the seconds are over.
sub patiently {
	my ($seconds, $code) = @_;
	my $end = time + $seconds;
	while (1) {
		my $got = eval { $code->() };
		return $got if defined $got;
		die $@ || "nothing in $seconds s\n" if time > $end;
		sleep 0.1;
	}
}

# new(STAGE, contacts => N, agents => N, rung => N, settings => {}): signed in, ready, not dialling
# yet. The last `rung` agents are rung for each call. Every later try is two hours away.
sub new {
	my ($class, $stage, %o) = @_;
	my $self = bless {stage => $stage, contacts => $o{contacts}}, $class;
	my $prefix = $o{prefix} || '+1555222';
	my @numbers = map { sprintf '%s%04d', $prefix, $_ } 1 .. $o{contacts};
	patiently(30, sub { $stage->login });
	$self->{id} = patiently(30, sub {
		$stage->make_campaign({callGapMs => 0, batchGapMs => 0, batchSize => 100, wrapUpS => 0,
			ringTimeoutS => 5, maxAttempts => 3, retry => {map { ($_ => {afterS => 7200, max => 3}) }
				qw(busy no_answer failed canceled unknown)}, %{$o{settings} || {}}}, @numbers) });
	my $serial = 0;
	$self->{agents} = [map {
		patiently(30, sub { $stage->make_agent(($o{name} || 'agent') . ++$serial, $self->{id}) })
	} 1 .. $o{agents}];
	my $nailed = $o{agents} - ($o{rung} || 0);
	for my $agent (@{$self->{agents}}[$nailed .. $o{agents} - 1]) {
		$agent->{rung} = 1;
		patiently(30, sub { $stage->api(PUT => "/api/agents/$agent->{id}/endpoint",
			{type => 'sip', nailed => JSON::PP::false}) });
	}
	for my $agent (@{$self->{agents}}) {
		$stage->start_phone($agent, hz => 880);
		patiently(30, sub { $stage->wait_registered($agent) });
		$self->ready($agent);
	}
	return $self;
}

sub ready {
	my ($self, $agent) = @_;
	my $stage = $self->{stage};
	patiently(30, sub {
		$stage->request(POST => "/api/agents/$agent->{id}/session", {campaignId => $self->{id}});
		my $r = $stage->request(POST => "/api/agents/$agent->{id}/session/ready");
		return $r->{success} ? 1 : undef });
}

sub path { "$Omnivox::Stage::CM/campaigns/$_[0]{id}" }

sub dial {
	my ($self) = @_;
	patiently(30, sub {
		my $r = $self->{stage}->request(POST => $self->path . '/auto-dial');
		return $r->{success} || $r->{status} == 409 ? 1 : undef });
}

sub status {
	my ($self) = @_;
	return $self->{stage}->api(GET => $self->path . '/auto-dial');
}

sub entries {
	my ($self) = @_;
	return patiently(30, sub {
		my ($after, @entries) = (0);
		do {
			my $page = $self->{stage}->api(GET => $self->path . "/queue?limit=500&after=$after");
			push @entries, @{$page->{queueEntries}};
			$after = $page->{nextCursor};
		} while ($after);
		return \@entries;
	});
}

sub calls {
	my ($self) = @_;
	my $stage = $self->{stage};
	return patiently(30, sub {
		my ($before, @calls) = (0);
		do {
			my $page = $stage->api(GET => "/api/calls?limit=200&before=$before");
			push @calls, @{$page->{calls}};
			$before = $page->{nextCursor};
		} while ($before);
		return [grep { $_->{campaignId} eq $self->{id} } @calls];
	});
}

sub creates {
	my ($self) = @_;
	return scalar grep { $_->{event} eq 'create' } $self->{stage}->call_log;
}

# A later try is two hours away; what is due sooner was put off for a moment only.
sub soon { POSIX::strftime('%Y-%m-%dT%H:%M:%S', gmtime time + 600) }

# Whether nothing more is to be done just now.
sub at_rest {
	my ($self) = @_;
	return !grep { $_->{status} eq 'dialing' || ($_->{status} eq 'pending' && $_->{runAt} lt soon()) }
		@{$self->entries};
}

# Waits for rest and asserts what must be true then.
sub check_end {
	my ($self, $seconds) = @_;
	my $stage = $self->{stage};
	$stage->wait_until($seconds, 'the campaign to come to rest', sub { $self->at_rest });
	$stage->wait_until(40, 'every call to be settled', sub {
		!grep { $_->{state} ne 'ended' } @{$self->calls} });
	my @log = $stage->call_log;
	is_deeply [double_dials(@log)], [], 'no (entry, attempt) was created twice';
	is_deeply [dialled_again(@log)], [], 'no number was dialled twice';
	my @entries = @{$self->entries};
	is scalar(@entries), $self->{contacts}, 'every contact has its entry';
	my @undone = grep { $_->{status} !~ /^(completed|skipped)$/ && !($_->{status} eq 'pending' && $_->{runAt} gt soon()) }
		@entries;
	is scalar(@undone), 0, 'every entry is done or waits for a later try'
		or diag join "\n", map { "$_->{status} $_->{runAt} " . ($_->{outcome} // '-') } @undone;
	is_deeply [grep { $_->{contact}{locked} } @entries], [], 'no contact is locked';
	for my $agent (@{$self->{agents}}) {
		ok $stage->wait_until(40, "$agent->{username} to be free", sub {
			my $s = $stage->agent_session($agent);
			return !$s || ($s->{state} =~ /^(ready|paused)$/ && !$s->{callId}) }),
			"$agent->{username} is not held";
	}
	return @entries;
}

# Entries of contacts who should have been called and were not. Left out is whose claim nobody knows
# the fate of, because the database went away while it was stored: that one waits for its next try,
# and Twilio was never asked for it.
sub left_out {
	my ($self) = @_;
	my %created = map { ($_->{to} => 1) } grep { $_->{event} eq 'create' } $self->{stage}->call_log;
	my %unknown = map { ($_->{number} => 1) } grep { $_->{outcome} eq 'unknown' } @{$self->calls};
	return grep { my $number = $_->{contact}{phone}; $_->{status} ne 'completed'
		&& !($_->{status} eq 'pending' && $unknown{$number} && !$created{$number}) } @{$self->entries};
}

1;
