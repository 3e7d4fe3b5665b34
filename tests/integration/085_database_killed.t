#!/usr/bin/env perl
# The private PostgreSQL is killed twice while a campaign dials: the supervisor starts it again,
# the worker lives on, and dialling goes on by itself. And no signal that ends the gateway leaves it
# behind, whenever it comes.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Omnivox::Campaign;
use Omnivox::Stage;

my $stage = Omnivox::Stage->new(population => [{match => '*', weight => 1, behaviour => 'human',
		ring_ms => 150, talk_ms => 400, say => 'tone:440'}], sandbox_env => {SANDBOX_RECORD => 0},
	gateway_env => {AMBIGUOUS_AFTER => 3, RECONCILE_AFTER => 2});
$stage->start_sandbox;
$stage->start_gateway;
my $campaign = Omnivox::Campaign->new($stage, contacts => 30, agents => 3);
$campaign->dial;
$stage->wait_until(20, 'ten calls', sub { $campaign->creates >= 10 });
my $worker = $stage->worker;
for my $round (1 .. 2) {
	open my $fh, '<', "$stage->{dir}/gateway-data/postgres/postmaster.pid" or die $!;
	chomp(my $postmaster = <$fh>);
	my $made = $campaign->creates;
	kill 'KILL', $postmaster;
	$stage->wait_until(30, 'dialling to go on', sub {
		open my $now, '<', "$stage->{dir}/gateway-data/postgres/postmaster.pid" or return 0;
		chomp(my $pid = <$now> // '');
		return $pid ne $postmaster && $campaign->creates > $made });
	pass "kill -9 number $round of PostgreSQL: it is started again, and dialling goes on";
}
is $stage->worker, $worker, 'the worker is the same';
$campaign->check_end(60);
is_deeply [$campaign->left_out], [], 'every contact was called';

my $pidfile = "$stage->{dir}/gateway-data/postgres/postmaster.pid";
sub postmaster { open my $fh, '<', $pidfile or return; return (<$fh> // '') =~ /^(\d+)$/ ? $1 : undef }
my $postmaster = postmaster();
is $stage->stop('gateway', 'HUP'), 0, 'SIGHUP ends the gateway like SIGTERM';
ok Omnivox::Stage::gone($postmaster), 'and its PostgreSQL' or kill 'INT', $postmaster;
for my $signal (qw(TERM INT HUP)) {
	$stage->wait_until(20, 'the last one to be away', sub { !-e $pidfile });
	$stage->spawn('gateway', $stage->gateway_env, $stage->gateway_program);
	$postmaster = $stage->wait_until(20, 'PostgreSQL to start', \&postmaster);
	is $stage->stop('gateway', $signal), 0, "SIG$signal ends a gateway that has just started PostgreSQL";
	ok Omnivox::Stage::gone($postmaster), 'and that too' or kill 'INT', $postmaster;
}

# One that runs already, where our database cannot be made: told to stop meanwhile, nothing is left.
$stage->wait_until(20, 'the last one to be away', sub { !-e $pidfile });
$stage->start_gateway;
$stage->stop('gateway', 'KILL');
my $run = "$stage->{dir}/gateway-data/run";
my ($psql) = (sort glob '/usr/lib/postgresql/*/bin/psql')[-1];
sub ask_postgres { my ($sql) = @_; return scalar `$psql -h $run -U omnivox -d postgres -Xqtc "$sql"` }
$stage->wait_until(20, 'the worker to be gone', sub { ask_postgres('DROP DATABASE IF EXISTS omnivox WITH (FORCE)'); $? == 0 });
open my $guest, '|-', $psql, '-h', $run, '-U', 'omnivox', '-d', 'template1', '-Xq' or die $!;
$guest->autoflush;
print $guest "SELECT 1;\n";
$stage->wait_until(10, 'its template to be used', sub {
	ask_postgres("SELECT count(*) FROM pg_stat_activity WHERE datname = 'template1'") > 0 });
$postmaster = postmaster();
$stage->spawn('gateway', $stage->gateway_env, $stage->gateway_program);
$stage->wait_until(20, 'it to wait', sub {
	ask_postgres("SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'CREATE DATABASE%'") > 0 });
is $stage->stop('gateway', 'TERM'), 0, 'SIGTERM ends a gateway whose database could not be made';
ok Omnivox::Stage::gone($postmaster), 'and the PostgreSQL that it found' or kill 'INT', $postmaster;
{ local $SIG{PIPE} = 'IGNORE'; close $guest; }

# As many database workers as the settings allow, all at work at once.
$stage->wait_until(20, 'the last one to be away', sub { !-e $pidfile });
$stage->{gateway_env} = {DB_WORKERS => 64, API_RATE => 100000};
$stage->start_gateway;
$stage->login;
open my $holder, '|-', $psql, '-h', "$stage->{dir}/gateway-data/run", '-U', 'omnivox', '-d', 'omnivox', '-Xq' or die $!;
$holder->autoflush;
print $holder "BEGIN; LOCK TABLE campaigns;\n";
$stage->spawn('crowd', {}, 'curl', '-sZ', '--parallel-max', 200, '-o', '/dev/null', '-H', "Cookie: $stage->{cookie}",
	"http://$stage->{gateway}{http}$Omnivox::Stage::CM/campaigns?page=[1-200]");
$stage->wait_until(30, 'a connection of each', sub {
	$stage->sql("SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'") >= 64 });
close $holder;
is $stage->request(GET => "$Omnivox::Stage::CM/campaigns")->{status}, 200, '64 database workers work';
open my $log, '<', "$stage->{dir}/gateway-data/postgres.log" or die $!;
is_deeply [grep { /too many clients/ } <$log>], [], 'and PostgreSQL has a place for each';
done_testing;
