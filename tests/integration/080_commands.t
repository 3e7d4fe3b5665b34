#!/usr/bin/env perl
# The commands of the program: what they print and with which status they end; backup, a wiped
# database, restore, and the same data again; one JSON object per line of the log.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use File::Path qw(remove_tree);
use JSON::PP ();
use Test::More;
use Omnivox::Stage;

my $stage = Omnivox::Stage->new(gateway_env => {LOG_FORMAT => 'json'}, population => [
	{match => '+15551110002', behaviour => 'human', ring_ms => 200, talk_ms => 0, say => 'tone:440'},
	{match => '*', behaviour => 'human', ring_ms => 200, talk_ms => 3000, say => 'tone:440'}]);
$stage->start_sandbox;
my $program = $stage->gateway_program;
my $data = "$stage->{dir}/gateway-data";

# Runs a command with the gateway's environment changed by `env`: [status, stdout, stderr].
sub command {
	my ($env, @words) = @_;
	my %env = (%{$stage->gateway_env}, %$env);
	my ($out, $err) = map { "$stage->{dir}/command.$_" } qw(out err);
	my $pid = fork // die "fork: $!";
	if ($pid == 0) {
		for (keys %env) {
			if (defined $env{$_}) { $ENV{$_} = $env{$_} } else { delete $ENV{$_} }
		}
		open STDOUT, '>', $out or die $!;
		open STDERR, '>', $err or die $!;
		exec $program, @words or POSIX::_exit(127);
	}
	$stage->{pids}{command} = $pid;
	$stage->wait_until(120, "@words to end", sub { waitpid($pid, POSIX::WNOHANG()) == $pid });
	my $status = $? >> 8;
	delete $stage->{pids}{command};
	local $/;
	return ($status, map { open my $fh, '<', $_ or die $!; scalar(<$fh>) // '' } $out, $err);
}

# What the sources end with, by the names of sysexits.h.
sub exit_statuses {
	my %number = (OK => 0, USAGE => 64, DATAERR => 65, NOINPUT => 66, UNAVAILABLE => 69, SOFTWARE => 70,
		OSERR => 71, CANTCREAT => 73, IOERR => 74, TEMPFAIL => 75, NOPERM => 77, CONFIG => 78);
	my %used;
	for my $file (glob "$Omnivox::Stage::TOP/gateway/*.c") {
		open my $source, '<', $file or die "$file: $!";
		while (<$source>) { $used{$number{$1} // "EX_$1"} = 1 while /\bEX_([A-Z]+)\b/g }
	}
	return sort keys %used;
}

my ($status, $out, $err) = command({}, '--help');
is $status, 0, '--help ends well';
like $out, qr/\b$_\b/, "and names exit status $_" for exit_statuses();
like $out, qr/--$_\b/, "and tells of --$_"
	for qw(version check-config migrate migrate=plan backup restore config http-listen);
($status, $out) = command({}, '--version');
is $status, 0, '--version ends well';
like $out, qr/^omnivox-gateway \d+\.\d+\.\d+\n\z/, 'and is one line';

($status, $out, $err) = command({}, '--colour', 'red');
is $status, 64, 'an unknown option is wrong usage';
like $err, qr/--colour is not an option; --help/, 'and is named';
is +(command({}, '--backup'))[0], 64, 'a command without its value is wrong usage';
is +(command({DB_WORKERS => 'many'}))[0], 78, 'a wrong value is wrong configuration';
is +(command({TWILIO_ACCOUNT_SID => undef}))[0], 78, 'a missing one as well';

# ---- --check-config ----

open my $fh, '>', "$stage->{dir}/gateway.env" or die $!;
print $fh "DB_WORKERS=7\nAMBIGUOUS_AFTER=77\nTWILIO_CPS=3\n";
close $fh;
open $fh, '>', "$stage->{dir}/token" or die $!;
print $fh "hush-hush\n";
close $fh;
my @config = ('--config', "$stage->{dir}/gateway.env");
($status, $out, $err) = command({AMBIGUOUS_AFTER => 88, DB_WORKERS => 8, TWILIO_AUTH_TOKEN => undef,
	TWILIO_CPS => undef, TWILIO_AUTH_TOKEN_FILE => "$stage->{dir}/token"},
	@config, '--db-workers', 9, '--check-config');
is $status, 0, '--check-config finds no problem';
is $err, '', 'and complains of nothing';
my %line = map { /^(\S+)\s+(.*)/ ? ($1 => $2) : () } split /\n/, $out;
like $line{DB_WORKERS}, qr/^9\s+\(command line\)$/, 'the command line wins over all';
like $line{AMBIGUOUS_AFTER}, qr/^88\s+\(environment\)$/, 'the environment over the file';
like $line{TWILIO_CPS}, qr/^3\s+\(.*gateway\.env line 3\)$/, 'the file over the default';
like $line{SIP_REALM}, qr/^omnivox\s+\(default\)$/, 'the default is told';
like $line{TWILIO_AUTH_TOKEN}, qr/^\*{8}\s+\(.*token, named by TWILIO_AUTH_TOKEN_FILE\)$/,
	'a secret comes from a file of its own and is masked';
like $out, qr/^TWILIO_FALLBACK_URL .*\n(.*\n)*note: TWILIO_FALLBACK_URL is not set: .* hangs up/m,
	'without a fallback it says what callers hear';
unlike $out, qr/hush|Sandbox-Pass|admin-password/, 'no secret is shown';

($status, $out, $err) = command({TWILIO_ACCOUNT_SID => 'AC1', LOG_LEVEL => 'loud',
	RTP_PORTS => '5-6', TWILIO_SIP_USER => undef, BACKEND_URL => 'example.com',
	TWILIO_FALLBACK_URL => 'http://e.com/x',
	DATA_DIR => '/dev/null/nowhere', TWILIO_CA_FILE => '/nowhere'}, '--check-config');
is $status, 78, 'with problems it ends as wrong configuration';
like $err, qr/^problem: $_ .*[.]$/m, "$_ is among the problems"
	for qw(TWILIO_ACCOUNT_SID LOG_LEVEL RTP_PORTS TWILIO_SIP_USER BACKEND_URL DATA_DIR
		TWILIO_CA_FILE TWILIO_FALLBACK_URL);

is +(command({@{$_}[0, 1]}, '--check-config'))[0], 78, "$_->[2] is a problem of its own" for
	[WEB_DIR => '/nowhere', 'a WEB_DIR that is not there'],
	[BACKEND_URL => 'https://calls.example.com/', 'a BACKEND_URL that ends in a slash'],
	[BACKEND_URL => 'https://calls.example.com?a=b', 'one with a query'],
	[BACKEND_URL => 'https://my_calls.example.com/api', 'one with an underscore in its host'];
my %true = (TWILIO_API_BASE => 'https://api.twilio.com');
my %reached = (%true, BACKEND_URL => 'https://calls.example.com');
for ([undef, qr/BACKEND_URL "" is not set: Twilio cannot tell/],
	map { [$_, qr/is on loopback/] } qw(http://127.0.0.1:8080 https://127.0.0.1 https://localhost:8443
		http://LocalHost http://[::1] https://[::1]:8443/calls)) {
	($status, $out, $err) = command({%true, BACKEND_URL => $_->[0]}, '--check-config');
	is $status, 78, 'the true Twilio must be told where we are, not ' . ($_->[0] // 'nothing');
	like $err, $_->[1], 'and the text says what is wrong';
}
is +(command({%true, BACKEND_URL => $_}, '--check-config'))[0], 0, "it is content with $_"
	for qw(https://calls.example.com https://localhost.example.com https://127.0.0.1.example.com:8443/a);

# What phones and Twilio are told must be an address.
for my $listen ('0.0.0.0:5060', '[::]:5060') {
	($status, $out, $err) = command({%reached, SIP_LISTEN => $listen}, '--check-config');
	is $status, 78, "$listen is no address to tell phones and Twilio";
	like $err, qr/^problem: SIP_ADVERTISE is not set, .*\Q$listen\E.* Set SIP_ADVERTISE to .*[.]$/m, 'it says what to set';
}
is +(command({%reached, SIP_LISTEN => undef}, '--check-config'))[0], 78, 'nor is the default';
for ('198.51.100.7', 'calls.example.com', '2001:db8::7') {
	($status, $out, $err) = command({%reached, SIP_LISTEN => '0.0.0.0:5060', SIP_ADVERTISE => $_}, '--check-config');
	is "$status $err", '0 ', "$_ is";
	unlike $out, qr/loopback/, 'and nothing is to be noted';
}
for ('198.51.100.7:5060', 'two words', '0.0.0.0', '::', "'x'") {
	($status, $out, $err) = command({%reached, SIP_ADVERTISE => $_}, '--check-config');
	is $status, 78, "not $_";
	like $err, qr/^problem: SIP_ADVERTISE is "\Q$_\E": expected .* such as/m, 'which it says';
}
($status, $out) = command({SIP_LISTEN => '0.0.0.0:5060'}, '--check-config');
is $status, 0, 'a sandbox here is told loopback';
like $out, qr/^note: .*loopback.* SIP_ADVERTISE/m, 'which is noted';

# What would stop the start later, or be dropped without a word.
my $key = 'SK' . 'a' x 32;
for ([{TWILIO_API_KEY_SID => $key}, qr/TWILIO_API_KEY_SID is set, but TWILIO_API_KEY_SECRET is not/],
	[{TWILIO_API_KEY_SECRET => 'hush-hush'}, qr/TWILIO_API_KEY_SECRET is set, but TWILIO_API_KEY_SID is not/],
	[{TRUSTED_PROXIES => '10.0.0.0/8, proxy.example.com'}, qr/TRUSTED_PROXIES .*"proxy\.example\.com"/],
	[{TRUSTED_PROXIES => '10.0.0.0/33'}, qr{TRUSTED_PROXIES .*"10\.0\.0\.0/33"}],
	[{TRUSTED_PROXIES => join ',', map { "10.0.0.$_" } 1 .. 17}, qr/TRUSTED_PROXIES .*16/]) {
	($status, $out, $err) = command($_->[0], '--check-config');
	is $status, 78, join(' ', %{$_->[0]}) . ' is a problem';
	like $err, qr/^problem: $_->[1].*[.]$/m, 'and it says why';
	unlike $err, qr/hush/, 'without the secret';
}
for ({TWILIO_API_KEY_SID => $key, TWILIO_API_KEY_SECRET => 'hush'}, {TRUSTED_PROXIES => ' , '},
	{TRUSTED_PROXIES => join ', ', map { "2001:db8:1111:2222:3333:4444:5555:66$_/128" } 10 .. 25}) {
	($status, $out, $err) = command($_, '--check-config');
	is "$status $err", '0 ', join(' ', keys %$_) . ' can be right';
}

# ---- --migrate ----

($status, $out, $err) = command({}, '--backup', "$stage->{dir}/none");
is $status, 66, 'without a database there is nothing to back up';
like $err, qr/no database in DATA_DIR/, 'and it says so';
($status, $out, $err) = command({}, '--migrate=plan');
is $status, 66, 'nor anything to plan for';
($status, $out, $err) = command({}, '--migrate');
is $status, 0, "--migrate makes the database ($err)";
like $out, qr/^[1-9]\d* migrations applied\.$/m, 'and says how many steps it took';
ok !-e "$data/postgres/postmaster.pid", 'PostgreSQL is stopped again';
is sprintf('%o', (stat "$data/run/lock")[2] & 07777), '600', 'nobody else may hold the lock';
($status, $out) = command({}, '--migrate=plan');
is $out, "0 migrations are missing.\n", 'then none is missing';
is $status, 0, 'which is fine';
is +(command({DATABASE_URL => 'host=/nowhere'}, '--migrate'))[0], 69,
	'a database that cannot be reached is told by the status';
is +(command({DATA_DIR => $_}, '--migrate'))[0], 73, "so is $_, which can be no DATA_DIR"
	for '/proc/nowhere', "$stage->{dir}/token";

# ---- root looks after what another account runs ----

SKIP: {
	my ($uid, $gid) = (getpwnam 'nobody')[2, 3];
	skip 'not root', 10 if $> != 0 || !defined $uid;
	my $theirs = "$stage->{dir}/theirs";
	my @as = ('setpriv', '--reuid', $uid, '--regid', $gid, '--clear-groups');
	chmod 0711, $stage->{dir};
	skip 'they cannot read the program', 10 if system(@as, 'test', '-x', $program) != 0;
	mkdir $theirs, 0700;
	chown $uid, $gid, $theirs;
	my $run = sub { my ($own, @words) = ($program, @as, $program, @_);
		$program = shift @words;
		my @result = command({DATA_DIR => $theirs}, @words);
		$program = $own;
		return @result };
	($status, $out, $err) = $run->('--migrate');
	is $status, 0, "their database is made ($err)";
	my $theirs_modes = sub { join ' ', map { join ':', (stat $_)[2, 4, 5] } $theirs,
		map { "$theirs/$_" } qw(run run/lock postgres postgres.log) };
	my $before = $theirs_modes->();
	($status, $out, $err) = command({DATA_DIR => $theirs}, '--backup', "$stage->{dir}/theirs.dump");
	is $status, 0, "root saves it ($err)";
	ok -s "$stage->{dir}/theirs.dump", 'all of it';
	is $theirs_modes->(), $before, 'every folder is theirs as before';
	($status, $out, $err) = $run->('--migrate=plan');
	is $status, 0, "and they go on with it ($err)";
	$stage->spawn('theirs', {%{$stage->gateway_env}, DATA_DIR => $theirs}, @as, $program);
	$stage->wait_until(60, 'their gateway', sub { $stage->read_json("$theirs/run/addresses.json") });
	for (['--backup', "$stage->{dir}/running.dump"], ['--migrate'], ['--migrate=plan']) {
		($status, $out, $err) = command({DATA_DIR => $theirs}, @$_);
		is $status, 0, "root's $_->[0] while it runs ($err)";
	}
	is $theirs_modes->(), $before, 'every folder is theirs then too';
	is $stage->stop('theirs') >> 8, 0, 'and their gateway ends well';
}

# ---- the first sign-in ----

# The log goes to a file, as to a journal: the password is in a file of its own.
{
	my $first = "$stage->{dir}/new-data";
	mkdir $first, 0700;
	$stage->spawn('first', {%{$stage->gateway_env}, DATA_DIR => $first, ADMIN_PASSWORD => ''}, $program);
	$stage->{gateway} = $stage->wait_until(60, 'the first start', sub { $stage->read_json("$first/run/addresses.json") });
	my $text = sub { open my $fh, '<', $_[0] or return ''; local $/; scalar <$fh> };
	my ($password) = $text->("$first/run/first-password") =~ /^(\S+)\n\z/;
	ok $password, 'without ADMIN_PASSWORD the first password is in a file' or $password = 'none';
	is sprintf('%o', ((stat "$first/run/first-password")[2] // 0) & 07777), '600', 'that only its owner reads';
	my $log = $text->("$stage->{dir}/first.log");
	is_deeply [grep { !eval { JSON::PP->new->utf8->decode($_) } } split /\n/, $log], [], 'every line of the log is JSON';
	like $log, qr{"msg":"[^"]*\Q$first\E/run/first-password}, 'it tells where the password is';
	unlike $log, qr/\Q$password\E/, 'and not the password';
	SKIP: {
		skip 'no password', 3 unless eval { $stage->login('admin', $password) };
		pass 'it signs in';
		$stage->api(POST => '/api/auth/password', {oldPassword => $password, newPassword => 'another-password'});
		ok !-e "$first/run/first-password", 'once it is changed, the file is gone';
		ok $stage->login('admin', 'another-password'), 'and the new one signs in';
	}
	is $stage->stop('first') >> 8, 0, 'it ends well';
}

# ---- data ----

$stage->start_gateway;
$stage->login;
my $campaign = $stage->make_campaign({wrapUpS => 1}, map { "+1555111000$_" } 1 .. 5);
my $agent = $stage->make_agent('ana', $campaign);
$stage->start_phone($agent, hz => 880);
$stage->wait_registered($agent);
$stage->agent_ready($agent, $campaign);
$stage->api(POST => "$Omnivox::Stage::CM/campaigns/$campaign/auto-dial");
$stage->wait_until(30, 'a call to end', sub {
	grep { $_->{state} eq 'ended' } @{$stage->api(GET => '/api/calls')->{calls}} });
is +(command({}, '--restore', "$stage->{dir}/token"))[0], 75, 'a running gateway is not restored over';
($status, $out, $err) = command({}, '--backup', "$stage->{dir}/backup");
is $status, 0, "it is backed up while it dials ($err)";
is sprintf('%o', (stat "$stage->{dir}/backup")[2] & 0777), '600', 'only its owner may read the file';
for my $path ('/proc/nowhere/backup', "$stage->{dir}/token/backup") {
	($status, $out, $err) = command({}, '--backup', $path);
	is $status, 73, "$path cannot be made";
	like $err, qr/^omnivox-gateway: \Q$path\E cannot be written: .*[.]$/, 'and it says so, alone';
}

# While a request to Twilio is out at SIGTERM, somebody hangs up a customer.
my $call = $stage->wait_until(30, 'a call that goes on', sub {
	(grep { $_->{state} eq 'bridged' && $_->{number} eq '+15551110002' }
		@{$stage->api(GET => '/api/calls')->{calls}})[0] });
my $bo = $stage->api(POST => '/api/agents', {username => 'bo', name => 'Bo',
	endpoint => {type => 'phone', number => '+15557770001'}})->{agent};
$stage->api(POST => "$Omnivox::Stage::CM/campaigns/$campaign/join-agent", {agentId => $bo->{id}});
$stage->sandbox_put('/sandbox/faults', [{kind => 'slow', rate => 1, delay_ms => 5000}]);
$stage->api(POST => "/api/agents/$bo->{id}/session", {});
$stage->api(POST => "/api/agents/$bo->{id}/session/ready");
$stage->wait_until(10, 'a request to be out', sub {
	grep { $_->{kind} eq 'slow' && $_->{fired} > 0 } @{$stage->sandbox_get('/sandbox/faults')->{faults}} });
kill 'TERM', $stage->{pids}{gateway};
$stage->wait_until(10, 'it to stop', sub {
	open my $log, '<', "$stage->{dir}/gateway.log" or die $!;
	grep { /"msg":"stopping"/ } <$log> });
is $stage->request(POST => "/api/calls/$call->{id}/hangup")->{status}, 202, 'it still does what is asked';
is $stage->stop('gateway') >> 8, 0, 'and SIGTERM ends it with 0';
$stage->sandbox_put('/sandbox/faults', [{kind => 'slow', rate => 0, delay_ms => 0}]);
$stage->start_gateway;
$stage->login;
$stage->wait_until(30, 'the call to be ended at Twilio', sub {
	($call = $stage->api(GET => "/api/calls/$call->{id}")->{call})->{state} eq 'ended' });
is $call->{outcome}, 'completed', 'the next one hangs up';
ok((grep { $_->{event} eq 'create' && $_->{to} eq '+15557770001' } $stage->call_log) == 1,
	'and rings nobody twice');

$stage->stop("phone-ana");
is $stage->stop('gateway') >> 8, 0, 'SIGTERM ends it with 0';

# What a database holds, without what the time of the start changes.
sub contents {
	my %rows;
	for my $path ('/api/agents', "$Omnivox::Stage::CM/data-lists", "$Omnivox::Stage::CM/campaigns") {
		$rows{$path} = $stage->api(GET => $path);
	}
	return \%rows;
}

($status, $out, $err) = command({}, '--restore', "$stage->{dir}/backup");
is $status, 73, 'where data is nothing is restored';
like $err, qr/already holds an installation/, 'and it says why';
rename $data, "$data.old" or die $!;
open $fh, '>', "$stage->{dir}/broken" or die $!;
print $fh 'no backup';
close $fh;
is +(command({}, '--restore', "$stage->{dir}/broken"))[0], 69, 'what is no backup is not restored';
is +(command({}, '--restore', "$stage->{dir}/nowhere"))[0], 66, 'nor is what is not there';
($status, $out, $err) = command({}, '--restore', "$stage->{dir}/backup");
is $status, 0, "the backup is restored into a new one ($err)";
like $out, qr/Auto-dial is off/, 'and it says that nobody is dialled by itself';
$stage->start_gateway;
$stage->login;
my $restored = $stage->api(GET => "$Omnivox::Stage::CM/campaigns/$campaign")->{campaign};
is $restored->{name}, 'Test', 'the campaign is there again';
my $auto = $stage->api(GET => "$Omnivox::Stage::CM/campaigns/$campaign/auto-dial");
ok !(JSON::PP->new->canonical->encode($auto) =~ /"(?:autoDial|running|isRunning)":true/),
	'auto-dial is off';
my $again = contents();
is scalar @{$again->{'/api/agents'}{agents}}, 1, 'the agent too';
my $queue = $stage->api(GET => "$Omnivox::Stage::CM/campaigns/$campaign/queue?limit=100");
is scalar @{$queue->{queueEntries}}, 5, 'and every queue entry';
cmp_ok scalar @{$stage->api(GET => '/api/calls')->{calls}}, '>=', 1, 'and the calls';
my $creates = () = grep { $_->{event} eq 'create' } $stage->call_log;

# Backup, restore, backup: the same data word for word.
is $stage->stop('gateway') >> 8, 0, 'it stops';
is +(command({}, '--backup', "$stage->{dir}/first"))[0], 0, 'a backup of a gateway that does not run';
rename $data, "$data.second" or die $!;
is +(command({}, '--restore', "$stage->{dir}/first"))[0], 0, 'restored once more';
is +(command({}, '--backup', "$stage->{dir}/second"))[0], 0, 'and backed up again';
my ($restore) = sort glob '/usr/lib/postgresql/*/bin/pg_restore';
my @data = map { [sort grep { !/^(--|SET|SELECT pg_catalog|\\|$)/ }
	split /\n/, `$restore --data-only -f - $stage->{dir}/$_`] } qw(first second);
is_deeply $data[1], $data[0], 'holds the same data word for word';
cmp_ok scalar @{$data[0]}, '>', 20, 'which is not nothing';
is scalar(grep { $_->{event} eq 'create' } $stage->call_log), $creates, 'nobody was dialled by all that';

# ---- beside a backup, and a backup that is told to stop ----

# A gateway that was killed leaves PostgreSQL running: so somebody can have a lock before pg_dump.
$stage->start_gateway;
$stage->stop('gateway', 'KILL');
my ($psql) = (sort glob '/usr/lib/postgresql/*/bin/psql')[-1];
open my $holder, '|-', $psql, '-h', "$data/run", '-U', 'omnivox', '-d', 'omnivox', '-Xq' or die $!;
$holder->autoflush;
print $holder "BEGIN; LOCK TABLE audit_log;\n";
$stage->spawn('backup', $stage->gateway_env, $program, '--backup', "$stage->{dir}/late");
$stage->wait_until(20, 'pg_dump to wait', sub {
	$stage->sql("SELECT count(*) FROM pg_stat_activity"
		. " WHERE application_name = 'pg_dump' AND wait_event_type = 'Lock'") > 0 });
my ($postmaster) = do { open my $pid, '<', "$data/postgres/postmaster.pid" or die $!; <$pid> } =~ /(\d+)/;
($status, $out, $err) = command({}, '--drain');
is "$status $out", '69 ', 'a backup is no gateway that could be drained';
like $err, qr/No gateway runs in .* backup/, 'and it says so';
for (['--backup', "$stage->{dir}/other"], ['--migrate'], ['--migrate=plan'], ['--restore', "$stage->{dir}/first"]) {
	($status, $out, $err) = command({}, @$_);
	is $status, 75, "$_->[0] does not begin beside it" or diag $err;
	like $err, qr/is at work in .*Try again/, 'and says what to do';
}
is $stage->stop('backup', 'TERM'), 15, 'SIGTERM ends a backup';
ok Omnivox::Stage::gone($postmaster), 'and the PostgreSQL that it had' or kill 'INT', $postmaster;
is_deeply [glob "$stage->{dir}/late*"], [], 'no file is left of it';
like do { local (@ARGV, $/) = "$stage->{dir}/backup.log"; <> }, qr/Told to stop.*nothing was changed/,
	'and it says so';
{ local $SIG{PIPE} = 'IGNORE'; close $holder; }

# ---- the log ----

open $fh, '<', "$stage->{dir}/gateway.log" or die $!;
my @lines = <$fh>;
my $json = JSON::PP->new->utf8;
my @parsed = map { eval { $json->decode($_) } // fail("no JSON: $_") } @lines;
is_deeply [grep { !($_->{ts} && $_->{level} && $_->{module} && defined $_->{msg}) } @parsed], [],
	'every line of the JSON log has time, level, module and text';
ok((grep { $_->{call_id} && $_->{fields}{agent} } @parsed), 'lines about calls name them, and have fields');
unlike join('', @lines), qr/Sandbox-Pass|sandbox-auth-token|admin-password|\+15551110001/,
	'no secret and no whole number is in the log';
done_testing;
