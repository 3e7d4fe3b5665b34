# Stage.pm: a stage for one test: a folder of its own with sandbox, gateway and phones in it.
#
# Everything listens on ports that the system picked; every process is ended by its pid when
# the stage goes. Core Perl only.
package Omnivox::Stage;

use strict;
use warnings;

use Cwd qw(abs_path);
use Digest::SHA qw(hmac_sha1);
use File::Basename qw(dirname);
use File::Path qw(make_path remove_tree);
use File::Temp ();
use HTTP::Tiny;
use IO::Socket::INET;
use JSON::PP ();
use MIME::Base64 qw(encode_base64);
use POSIX ();
use Scalar::Util qw(weaken);
use Test::Builder ();
use Time::HiRes qw(sleep time);

our $TOP = abs_path(dirname(__FILE__) . '/../../../..');
our $BUILD = $ENV{OVX_BUILD} || $TOP;

my $ACCOUNT = 'AC' . '0123456789abcdef' x 2;
my $TOKEN = 'sandbox-auth-token-0123456789abc';
my $json = JSON::PP->new->utf8->canonical;

my @stages;

# new(population => [...], gateway_env => {...}, sandbox_args => [...], warnings => qr/.../)
#
# `warnings`: of what the sandbox warns in this test. Any other warning of a document fails it.
sub new {
	my ($class, %o) = @_;
	# PostgreSQL runs under another account as root: it must be able to walk in.
	my $dir = File::Temp::tempdir('ovx-XXXXXX', DIR => '/tmp');
	chmod 0755, $dir;
	my $self = bless {dir => $dir, %o, pids => {}, owner => $$}, $class;
	push @stages, $self;
	weaken $stages[-1];
	return $self;
}

sub dir { $_[0]{dir} }
sub account { $ACCOUNT }
sub token { $TOKEN }

# ---- processes ----

# Starts a program with its output in DIR/NAME.log; returns the pid.
sub spawn {
	my ($self, $name, $env, @argv) = @_;
	my $log = "$self->{dir}/$name.log";
	my $pid = fork();
	die "fork: $!" unless defined $pid;
	if ($pid == 0) {
		$ENV{$_} = $env->{$_} for keys %$env;
		$SIG{HUP} = 'DEFAULT'; # whatever started the tests ignores
		open STDIN, '<', '/dev/null';
		open STDOUT, '>>', $log or POSIX::_exit(127);
		open STDERR, '>&', \*STDOUT;
		exec {$argv[0]} @argv or POSIX::_exit(127);
	}
	$self->{pids}{$name} = $pid;
	return $pid;
}

# Ends a process that this stage started, and waits for it.
sub stop {
	my ($self, $name, $signal) = @_;
	my $pid = delete $self->{pids}{$name} or return;
	kill $signal || 'TERM', $pid;
	my $end = time + 30;
	while (waitpid($pid, POSIX::WNOHANG()) == 0) {
		kill 'KILL', $pid if time > $end;
		sleep 0.02;
	}
	return $? ;
}

# Waits until the code returns something true; dies with the text after the seconds.
sub wait_until {
	my ($self, $seconds, $what, $code) = @_;
	my $end = time + $seconds;
	while (1) {
		my $got = eval { $code->() };
		return $got if $got;
		if (time > $end) {
			my $why = $@ ? " ($@)" : '';
			$self->show_logs;
			die "waited $seconds s for $what$why\n";
		}
		sleep 0.02;
	}
}

sub show_logs {
	my ($self) = @_;
	for my $log (glob "$self->{dir}/*.log") {
		open my $fh, '<', $log or next;
		my @lines = <$fh>;
		splice @lines, 0, @lines - 60 if @lines > 60;
		print STDERR map { "# $log: $_" } @lines;
	}
}

sub read_json {
	my ($self, $path) = @_;
	open my $fh, '<', $path or return;
	local $/;
	return eval { $json->decode(scalar <$fh>) };
}

# ---- the sandbox ----

sub start_sandbox {
	my ($self, %o) = @_;
	my $dir = "$self->{dir}/sandbox-data";
	make_path($dir);
	my $population = "$self->{dir}/population.json";
	open my $fh, '>', $population or die $!;
	print $fh $json->encode($self->{population} || [
		{match => '*', weight => 1, behaviour => 'human', ring_ms => 200,
			talk_ms => 3000, say => 'tone:440'}]);
	close $fh;
	unlink "$dir/run/sandbox-addresses.json";
	$self->spawn('sandbox', {SANDBOX_RECORD => 1, SANDBOX_CPS => 100, %{$self->{sandbox_env} || {}}},
		"$BUILD/sandbox/omnivox-sandbox", '--listen', '127.0.0.1:0', '--sip-listen', '127.0.0.1:0', '--data', $dir,
		'--population', $population, '--seed', 1,
		'--account-sid', $ACCOUNT, '--auth-token', $TOKEN,
		'--sip-user', 'gateway', '--sip-password', 'Sandbox-Pass-1',
		'--numbers', '+15550000001,+15550000002', @{$self->{sandbox_args} || []});
	my $at = $self->wait_until(10, 'the sandbox', sub {
		$self->read_json("$dir/run/sandbox-addresses.json") });
	$self->{sandbox} = {%$at, data => $dir};
	return $at;
}

sub sandbox_send {
	my ($self, $method, $path, $body) = @_;
	my $r = HTTP::Tiny->new(timeout => 10)->request($method => "http://$self->{sandbox}{http}$path",
		{headers => {'Content-Type' => 'application/json'}, content => $json->encode($body)});
	die "$method $path: $r->{status} $r->{content}" unless $r->{success};
	return eval { $json->decode($r->{content}) };
}

sub sandbox_put { my $self = shift; return $self->sandbox_send('PUT', @_) }
sub sandbox_post { my $self = shift; return $self->sandbox_send('POST', @_) }

sub sandbox_get {
	my ($self, $path) = @_;
	my $r = HTTP::Tiny->new(timeout => 10)->get("http://$self->{sandbox}{http}$path");
	die "GET $path: $r->{status} $r->{content}" unless $r->{success};
	return $json->decode($r->{content});
}

# A request of Twilio's REST API, below the account: twilio_rest(POST => 'Calls.json', To => ...).
sub twilio_rest {
	my ($self, $method, $path, @form) = @_;
	my $http = HTTP::Tiny->new(timeout => 10);
	my $r = $http->request($method => "http://$self->{sandbox}{http}/2010-04-01/Accounts/$ACCOUNT/$path",
		{headers => {Authorization => 'Basic ' . encode_base64("$ACCOUNT:$TOKEN", ''),
				'Content-Type' => 'application/x-www-form-urlencoded'},
			content => $http->www_form_urlencode(\@form)});
	die "$method $path: $r->{status} $r->{content}" unless $r->{success};
	return length $r->{content} ? $json->decode($r->{content}) : undef;
}

# A webhook as Twilio sends it, signed: a POST of the form, or a GET with it in the query.
sub webhook {
	my ($self, $method, $path, $form) = @_;
	my $http = HTTP::Tiny->new(timeout => 15);
	my $url = "http://$self->{gateway}{http}$path";
	$url .= ($path =~ /\?/ ? '&' : '?') . $http->www_form_urlencode($form) if $method eq 'GET';
	my $data = $url . ($method eq 'POST' ? join '', map { "$_$form->{$_}" } sort keys %$form : '');
	utf8::encode($data) if utf8::is_utf8($data);
	my $signature = encode_base64(hmac_sha1($data, $TOKEN), '');
	return $http->request($method => $url, {headers => {'X-Twilio-Signature' => $signature,
			'Content-Type' => 'application/x-www-form-urlencoded'},
		$method eq 'POST' ? (content => $http->www_form_urlencode($form)) : ()});
}

# The judge's log: every line as a hash.
sub call_log {
	my ($self) = @_;
	open my $fh, '<', "$self->{sandbox}{data}/sandbox/calls.jsonl" or return;
	return map { $json->decode($_) } <$fh>;
}

# What Twilio would hold against our documents. One that did not come (11200 and the like) is not
# held against it: a gateway that was killed gives none.
sub warnings {
	my ($self) = @_;
	return unless $self->{sandbox} && $self->{sandbox}{data} eq "$self->{dir}/sandbox-data";
	return grep { !$self->{warnings} || !/$self->{warnings}/ }
		map { "$_->{error} $_->{detail}: " . ($_->{url} // 'inline') }
		grep { $_->{event} eq 'warning' && $_->{error} !~ /^112\d\d$/ } $self->call_log;
}

# ---- the gateway ----

sub gateway_env {
	my ($self) = @_;
	return {
		DATA_DIR => "$self->{dir}/gateway-data",
		HTTP_LISTEN => '127.0.0.1:0',
		SIP_LISTEN => '127.0.0.1:0',
		RTP_PORTS => 'auto',
		ADMIN_PASSWORD => 'admin-password',
		TWILIO_ACCOUNT_SID => $ACCOUNT,
		TWILIO_AUTH_TOKEN => $TOKEN,
		TWILIO_PHONE_NUMBER => '+15550000001',
		TWILIO_API_BASE => "http://$self->{sandbox}{http}",
		TWILIO_SIP_DOMAIN => $self->{sandbox}{sip},
		TWILIO_SIP_USER => 'gateway',
		TWILIO_SIP_PASSWORD => 'Sandbox-Pass-1',
		TWILIO_CPS => 100,
		WEB_DIR => "$TOP/web/dist",
		LOG_LEVEL => $ENV{OVX_LOG_LEVEL} || 'info',
		%{$self->{gateway_env} || {}},
	};
}

sub gateway_program { "$BUILD/gateway/omnivox-gateway" }

# Starts the gateway, waits until it answers, and tells the sandbox's SIP domain about it.
sub start_gateway {
	my ($self, %o) = @_;
	my $file = "$self->{dir}/gateway-data/run/addresses.json";
	my $before = $self->read_json($file);
	make_path("$self->{dir}/gateway-data");
	my $pid = $self->spawn('gateway', $self->gateway_env, gateway_program());
	my $at = $self->wait_until(60, 'the gateway', sub {
		my $now = $self->read_json($file);
		die "it ended\n" if waitpid($pid, POSIX::WNOHANG()) > 0;
		return $now && $now->{pid} == $pid ? $now : undef;
	});
	$self->{gateway} = $at;
	$self->sandbox_put('/sandbox/sip-domain',
		{voice_url => "http://$at->{http}/api/calls-twiml/twiml-agent"});
	return $at;
}

# The address file of the newest worker; waits for one other than `$not` when given.
sub worker {
	my ($self, $not, $seconds) = @_;
	my $file = "$self->{dir}/gateway-data/run/addresses.json";
	return $self->wait_until($seconds || 10, 'a worker', sub {
		my $now = $self->read_json($file);
		return $now && $now->{worker} != ($not || 0) ? $now->{worker} : undef;
	});
}

# SQL on the gateway's private PostgreSQL, for what no API makes; returns what psql prints.
sub sql {
	my ($self, $sql) = @_;
	my ($psql) = (sort glob '/usr/lib/postgresql/*/bin/psql')[-1];
	local $ENV{PGHOST} = "$self->{dir}/gateway-data/run";
	open my $fh, '-|', $psql, '-U', 'omnivox', '-d', 'omnivox', '-XAtqc', $sql or die "psql: $!";
	my $out = do { local $/; <$fh> };
	close $fh or die "psql: $sql";
	chomp $out;
	return $out;
}

# ---- its API ----

sub request {
	my ($self, $method, $path, $body, $headers) = @_;
	my %h = %{$headers || {}};
	$h{Cookie} = $self->{cookie} if $self->{cookie} && !exists $h{Cookie};
	my %o = (headers => \%h);
	if (defined $body) {
		$h{'Content-Type'} ||= 'application/json';
		$o{content} = ref $body ? $json->encode($body) : $body;
	}
	my $r = HTTP::Tiny->new(timeout => 20)->request(
		$method => "http://$self->{gateway}{http}$path", \%o);
	$r->{json} = eval { $json->decode($r->{content}) };
	return $r;
}

# A request that must succeed; returns its data.
sub api {
	my ($self, $method, $path, $body, $headers) = @_;
	my $r = $self->request($method, $path, $body, $headers);
	die "$method $path: $r->{status} $r->{content}\n" unless $r->{success};
	return $r->{json}{data};
}

sub login {
	my ($self, $username, $password) = @_;
	my $r = $self->request(POST => '/api/auth/login',
		{username => $username || 'admin', password => $password || 'admin-password'},
		{Cookie => ''});
	die "login: $r->{status} $r->{content}\n" unless $r->{success};
	my $cookie = ref $r->{headers}{'set-cookie'} ? $r->{headers}{'set-cookie'}[0]
		: $r->{headers}{'set-cookie'};
	($self->{cookie}) = $cookie =~ /^([^;]+)/;
	return $self->{cookie};
}

our $CM = '/api/admin/campaign-management';

# A campaign with a list of numbers, queued. Returns its id.
sub make_campaign {
	my ($self, $settings, @numbers) = @_;
	# Tests run at any hour.
	my $c = $self->api(POST => "$CM/campaigns",
		{name => 'Test', callingHours => undef, %{$settings || {}}})->{campaign};
	my $l = $self->api(POST => "$CM/data-lists", {name => 'List', campaignId => $c->{id}})->{dataList};
	my $csv = "phone,first_name,last_name\n"
		. join('', map { "$numbers[$_],Name$_,Test\n" } 0 .. $#numbers);
	return $c->{id} unless @numbers;
	my $up = $self->api(POST => "$CM/data-lists/$l->{id}/upload", $csv,
		{'Content-Type' => 'text/csv'});
	die 'upload: ' . $json->encode($up) unless $up->{upload}{uploaded} == @numbers;
	$self->api(POST => "$CM/campaigns/$c->{id}/generate-queue", {});
	return $c->{id};
}

# An agent on the campaign: {id, sip => {username, password, ...}, password}.
sub make_agent {
	my ($self, $username, $campaign) = @_;
	my $a = $self->api(POST => '/api/agents', {username => $username, name => ucfirst $username});
	$self->api(POST => "$CM/campaigns/$campaign/join-agent", {agentId => $a->{agent}{id}});
	return {id => $a->{agent}{id}, username => $username, %$a};
}

sub agent_session {
	my ($self, $agent) = @_;
	return $self->api(GET => "/api/agents/$agent->{id}")->{agent}{session};
}

# Signs in, to all campaigns without one, presses Ready, and waits until both legs are up.
sub agent_ready {
	my ($self, $agent, $campaign) = @_;
	$self->api(POST => "/api/agents/$agent->{id}/session", $campaign ? {campaignId => $campaign} : {});
	$self->api(POST => "/api/agents/$agent->{id}/session/ready");
	return $self->wait_until(30, "$agent->{username} to be ready", sub {
		$self->agent_session($agent)->{state} eq 'ready' });
}

# ---- phones ----

# A WAV file with a tone: 8 kHz, mono, 16 bit.
sub tone_wav {
	my ($path, $hz, $seconds) = @_;
	# A whole number of hertz repeats after a second.
	my $second = pack 's<*', map { int 8000 * sin 2 * 3.14159265358979 * $hz * $_ / 8000 } 0 .. 7999;
	my $pcm = $second x $seconds;
	open my $fh, '>:raw', $path or die "$path: $!";
	print $fh 'RIFF', pack('V', 36 + length $pcm), 'WAVEfmt ', pack('VvvVVvv', 16, 1, 1, 8000, 16000, 2, 16),
		'data', pack('V', length $pcm), $pcm;
	close $fh;
}

# Whether a process has ended. Who inherits an orphan may be slow to bury it, or never do.
sub gone {
	my ($pid) = @_;
	open my $stat, '<', "/proc/$pid/stat" or return 1;
	return (<$stat> // '') =~ /^\d+ \(.*\) [ZX] /s ? 1 : 0;
}

# A port that is free for TCP and UDP, and the next one for TCP (baresip takes it for TLS), that
# nobody was given before. Below those that the kernel gives to clients: a load test leaves
# thousands of them closed but taken for a minute.
my %given;
sub free_port {
	my %why;
	for (1 .. 100) {
		my $port = 10000 + 2 * int rand 9000;
		next if $given{$port}++;
		my $tcp = IO::Socket::INET->new(Proto => 'tcp', LocalAddr => '127.0.0.1',
			LocalPort => $port, Listen => 1) or $why{"tcp: $@"}++, next;
		IO::Socket::INET->new(Proto => 'udp', LocalAddr => '127.0.0.1',
			LocalPort => $port) or $why{"udp: $@"}++, next;
		IO::Socket::INET->new(Proto => 'tcp', LocalAddr => '127.0.0.1',
			LocalPort => $port + 1, Listen => 1) or $why{"tcp: $@"}++, next;
		return $port;
	}
	die 'no free port: ', join(', ', map { "$why{$_} times $_" } sort keys %why), "\n";
}

# baresip as the agent's phone: answers by itself, says the WAV, records what it hears in
# DIR/phone-NAME/dump-*-dec.wav. Started again it has the port that it had.
sub start_phone {
	my ($self, $agent, %o) = @_;
	my $name = "phone-$agent->{username}";
	my $dir = "$self->{dir}/$name";
	make_path($dir);
	tone_wav("$dir/say.wav", $o{hz} || 880, $o{seconds} || 900);
	my $port = $self->{phone_port}{$name} ||= free_port();
	my $control = free_port();
	my $rtp = 30000 + ($$ * 7 + keys(%{$self->{pids}}) * 40) % 20000;
	$rtp -= $rtp % 2;
	open my $fh, '>', "$dir/config" or die $!;
	print $fh <<"CONFIG";
module_path /usr/lib/baresip/modules
sip_listen 127.0.0.1:$port
audio_source aufile,$dir/say.wav
audio_player aufile,$dir/none.wav
audio_alert aufile,/dev/null
ausrc_srate 8000
auplay_srate 8000
ausrc_channels 1
auplay_channels 1
audio_level no
rtp_ports $rtp-@{[$rtp + 38]}
snd_path $dir
module account.so
module g711.so
module aufile.so
module auconv.so
module sndfile.so
module_app menu.so
module_app ctrl_tcp.so
ctrl_tcp_listen 127.0.0.1:$control
CONFIG
	close $fh;
	open $fh, '>', "$dir/accounts" or die $!;
	my $password = $o{password} || $agent->{sip}{password};
	print $fh "<sip:$agent->{sip}{username}\@$self->{gateway}{sip};transport=udp>;"
		. "auth_user=$agent->{sip}{username};auth_pass=$password;answermode=auto;"
		. "regint=60;audio_codecs=pcmu\n";
	close $fh;
	$self->spawn($name, {HOME => $dir}, 'baresip', '-f', $dir);
	$self->{control}{$agent->{username}} = $control;
	return $dir;
}

# A command to baresip over its control port, as a netstring.
sub phone_command {
	my ($self, $agent, $command) = @_;
	my $s = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
		PeerPort => $self->{control}{$agent->{username}}, Timeout => 5) or die "phone: $!";
	my $text = $json->encode({command => $command});
	print $s length($text) . ":$text,";
	$s->flush;
	local $SIG{ALRM} = sub { die "phone does not answer\n" };
	alarm 5;
	my $got = '';
	while (sysread $s, my $part, 4096) {
		$got .= $part;
		last if $got =~ /^(\d+):/ && length($got) >= length($1) + 2 + $1;
	}
	alarm 0;
	return $got;
}

sub wait_registered {
	my ($self, $agent) = @_;
	return $self->wait_until(15, "$agent->{username} to register", sub {
		$self->api(GET => "/api/agents/$agent->{id}")->{agent}{registered} });
}

# ---- the end ----

sub cleanup {
	my ($self) = @_;
	return if $self->{owner} != $$ || $self->{done}++;
	local $?;
	# Phones first: one that cannot unregister any more waits for half a minute.
	my %turn = (gateway => 1, sandbox => 2);
	$self->stop($_)
		for sort { ($turn{$a} // 0) <=> ($turn{$b} // 0) } keys %{$self->{pids}};
	if (my @warnings = $self->warnings) {
		my $test = Test::Builder->new;
		$test->ok(0, 'Twilio would take every document as it was meant');
		$test->diag($_) for @warnings;
	}
	# A supervisor that was killed leaves its PostgreSQL to the next one.
	if (open my $fh, '<', "$self->{dir}/gateway-data/postgres/postmaster.pid") {
		my $pid = <$fh>;
		kill 'INT', $pid + 0 if defined $pid && $pid > 1;
		my $end = time + 20;
		sleep 0.05 while !gone($pid + 0) && time < $end;
	}
	remove_tree($self->{dir}, {safe => 0}) unless $ENV{OVX_KEEP};
}

sub DESTROY { $_[0]->cleanup }

# While there is still somebody who counts.
END { $_->cleanup for grep { $_ } @stages }

1;
