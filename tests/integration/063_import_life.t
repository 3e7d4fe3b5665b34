#!/usr/bin/env perl
# Imports that take their time: told by events, cancelled, killed, undone, and never half done.
# Others are answered meanwhile. And what happens when the disk is full.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use IO::Socket::INET;
use JSON::PP;
use Test::More;
use Time::HiRes qw(time sleep);
use Omnivox::Asking;
use Omnivox::Stage;

my $CM = $Omnivox::Stage::CM;
my $ROWS = 60000;
my $stage = Omnivox::Stage->new;
my $contract = asking($stage);
$stage->start_sandbox;
$stage->start_gateway;
$stage->login;

our $file = "phone,name,note\n" . join '', map { sprintf "+1415%07d,Name %d,%s\n", 2000000 + $_, $_, 'x' x 40 } 1 .. $ROWS;

sub list { ask(POST => "$CM/data-lists", {name => 'long'})->{json}{data}{dataList}{id} }
sub count { ask(GET => "$CM/data-lists/$_[0]")->{json}{data}{dataList}{totalContacts} }
sub state { ask(GET => "/api/imports/$_[0]")->{json}{data}{import} }

# Uploads without waiting; the import's id.
sub start {
	my ($list, $query) = @_;
	my $r = ask(POST => "$CM/data-lists/$list/upload?wait=0" . ($query // ''), $file, {'Content-Type' => 'text/csv'});
	is $r->{status}, 202, 'under way' or diag $r->{content};
	return $r->{json}{data}{import}{importId};
}

sub ended {
	my ($id) = @_;
	return $stage->wait_until(120, 'the import to end', sub {
		my $now = state($id);
		return $now->{endedAt} && $now->{state} ne 'undoing' ? $now : undef;
	});
}

subtest 'an import is told as it goes on, and others are answered meanwhile' => sub {
	my $events = IO::Socket::INET->new(PeerAddr => $stage->{gateway}{http}) or die $!;
	print $events "GET /api/events HTTP/1.1\r\nHost: $stage->{gateway}{http}\r\nCookie: $stage->{cookie}\r\n\r\n";
	my $list = list();
	my $id = start($list);
	my $slowest = 0;
	until (state($id)->{endedAt}) {
		my $from = time;
		ask(GET => "$CM/data-lists");
		$slowest = time - $from if time - $from > $slowest;
		sleep 0.05; # nobody may ask more often than API_RATE
	}
	cmp_ok $slowest, '<', 2, sprintf 'nobody waited long (%.2f s)', $slowest;
	my $end = state($id);
	is_deeply [@$end{qw(state rows added skipped rejected)}], ['done', $ROWS, $ROWS, 0, 0], 'all rows are in';
	is count($list), $ROWS, 'and counted';
	$events->blocking(0);
	my $text = '';
	$stage->wait_until(5, 'the last event', sub { sysread $events, $text, 65536, length $text; $text =~ /"state":"done"/ });
	my @told = $text =~ /^event: import\r?\n(?:.*\n)*?data: (.*)$/mg;
	like $told[0], qr/"state":"(reading|adding)"/, 'its beginning was told';
	is_deeply [map { $contract->event_complaints('import', $_) } @told], [], 'as the contract says';
};

# Somebody else keeps the table to himself, so that adding takes as long as we want.
subtest 'who waits is answered in time, whatever the import is doing' => sub {
	my $list = list();
	my ($psql) = (sort glob '/usr/lib/postgresql/*/bin/psql')[-1];
	local $ENV{PGHOST} = "$stage->{dir}/gateway-data/run";
	open my $other, '|-', $psql, qw(-U omnivox -d omnivox -Xqc), 'BEGIN; LOCK TABLE contacts IN SHARE MODE',
		'-c', '\\! cat > /dev/null' or die "psql: $!";
	$stage->wait_until(10, 'the lock', sub { $stage->sql("SELECT count(*) FROM pg_locks"
		. " WHERE relation = 'contacts'::regclass AND mode = 'ShareLock' AND granted") });
	my $from = time;
	my $r = ask(POST => "$CM/data-lists/$list/upload?wait=1", "phone\n+14155550001\n", {'Content-Type' => 'text/csv'});
	is $r->{status}, 202, 'it takes longer' or diag $r->{content};
	my $took = time - $from;
	ok $took >= 0.9 && $took < 8, sprintf 'told when the wait is over (%.2f s)', $took;
	is $r->{json}{data}{import}{state}, 'adding', 'while the rows are being added';
	close $other;
	my $end = ended($r->{json}{data}{import}{importId});
	is_deeply [@$end{qw(state added)}], ['done', 1], 'and then they are in';
	my @audit = grep { $_->{route} =~ /upload$/ && $_->{targets}{listId} eq $list }
		@{ ask(GET => '/api/audit-log')->{json}{data}{entries} };
	is_deeply [map { $_->{status} } @audit], [202], 'written down once';
};

subtest 'a cancelled import adds nothing' => sub {
	my $list = list();
	my $id = start($list);
	my $r = ask(POST => "/api/imports/$id/cancel");
	is $r->{status}, 200, 'cancelled' or diag $r->{content};
	is ended($id)->{state}, 'cancelled', 'it is so';
	my $after = start($list);
	is ended($after)->{added}, $ROWS, 'the list is as if it had never been';
	is count($list), $ROWS, 'nothing is there twice';
	my $undo = ask(POST => "/api/imports/$after/undo");
	is $undo->{json}{data}{removed}, $ROWS, 'all of it can be undone' or diag $undo->{content};
	is count($list), 0, 'and the list is empty again';
};

subtest 'nobody waits for very many contacts to come or go' => sub {
	my $list = list();
	local $file = "phone\n" . join '', map { sprintf "+1415%07d\n", 2000000 + $_ } 1 .. 100001;
	my $id = start($list);
	is ended($id)->{added}, 100001, 'a long list';
	my $copy = ask(POST => "$CM/data-lists/$list/clone", {newName => 'long copy', includeContacts => JSON::PP::true});
	is $copy->{status}, 202, 'its copy is made later';
	my $made = $stage->wait_until(60, 'the copy', sub {
		my ($one) = grep { $_->{name} eq 'long copy' } @{ ask(GET => "$CM/data-lists")->{json}{data}{dataLists} };
		return $one;
	});
	is $made->{totalContacts}, 100001, 'and complete when it is there';
	is ask(DELETE => "$CM/data-lists/$made->{id}")->{status}, 202, 'it goes later';
	$stage->wait_until(60, 'it to be gone', sub { ask(GET => "$CM/data-lists/$made->{id}")->{status} == 404 });
	is ask(POST => "/api/imports/$id/undo")->{status}, 202, 'an undo takes its time';
	$stage->wait_until(60, 'the undo', sub { state($id)->{state} eq 'undone' });
	is count($list), 0, 'and removes all';
};

subtest 'who is killed in the middle leaves nothing behind' => sub {
	my $list = list();
	for my $when (qw(queued reading adding adding)) {
		my $worker = $stage->worker;
		my $id = start($list);
		$stage->wait_until(30, "it to be $when", sub {
			my $now = state($id)->{state};
			return $now eq $when || ($when eq 'queued') || $now =~ /^(adding|done)$/;
		});
		sleep rand 0.2 if $when eq 'adding';
		kill KILL => $worker;
		$stage->worker($worker);
		$stage->wait_until(10, 'the API', sub { $stage->request(GET => '/readyz')->{status} == 200 });
		my $end = ended($id);
		if ($end->{state} eq 'done') {
			is count($list), $ROWS, 'it was done already, as a whole';
			ask(DELETE => "$CM/data-lists/$list/contacts");
		} else {
			is $end->{state}, 'failed', "killed when $when: it has failed";
			like $end->{error}, qr/Nothing was added/, 'and says so';
			is count($list), 0, 'nothing of it is there';
		}
	}
	is ended(start($list))->{added}, $ROWS, 'the same file comes in afterwards';
	is_deeply [glob "$stage->{dir}/gateway-data/upload*"], [], 'no file is left';
};

subtest 'a stop does not wait for an import, and leaves nothing of it' => sub {
	my $list = list();
	my $id = start($list);
	my $from = time;
	$stage->stop('gateway');
	cmp_ok time - $from, '<', 10, 'it stops at once';
	$stage->start_gateway;
	$stage->login;
	my $end = ended($id);
	is count($list), $end->{state} eq 'done' ? $ROWS : 0, "all or nothing ($end->{state})";
};

contract_kept();
done_testing;
