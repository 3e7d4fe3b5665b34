# demo.pl: the hands of script/run: what a supervisor and an agent would click, through the API.
#
#   demo.pl population FILE                             the simulated customers, for the sandbox
#   demo.pl prepare GATEWAY SANDBOX STATE WORD DEMO     campaign, list, queue and agent
#   demo.pl phone STATE FOLDER                          baresip's configuration
#   demo.pl watch STATE [SECONDS]                       ready, auto-dial, a line per change;
#                                                       ends after the last contact, or after
#                                                       SECONDS with status 1
# Core Perl only.
use strict;
use warnings;
use HTTP::Tiny;
use JSON::PP;
use POSIX qw(strftime);

$| = 1;
my $json = JSON::PP->new->utf8->canonical;
my $CM = '/api/admin/campaign-management';
my $AGENT_HZ = 880;

# What each customer does; `say` is what the agent hears.
my @contacts = (
	['+15550100001', 'Ada',   'Okafor',   {behaviour => 'human', talk_ms => 5000, say => 'tone:440'}],
	['+15550100002', 'Bruno', 'Silva',    {behaviour => 'human', talk_ms => 4000, say => 'tone:550'}],
	['+15550100003', 'Chloe', 'Martin',   {behaviour => 'busy',  ring_ms => 800}],
	['+15550100004', 'Dev',   'Patel',    {behaviour => 'human', talk_ms => 6000, say => 'tone:660'}],
	['+15550100005', 'Elif',  'Kaya',     {behaviour => 'no_answer'}],
	['+15550100006', 'Farid', 'Haddad',   {behaviour => 'human', talk_ms => 4000, say => 'tone:770'}],
);
my %name = map { $_->[0] => "$_->[1] $_->[2]" } @contacts;

sub read_json {
	my ($path) = @_;
	open my $fh, '<', $path or die "$path: $!\n";
	local $/;
	return $json->decode(scalar <$fh>);
}

sub write_file {
	my ($path, $text) = @_;
	open my $fh, '>:raw', $path or die "$path: $!\n";
	print $fh $text;
	close $fh or die "$path: $!\n";
}

# ---- the API ----

my %state;

sub request {
	my ($method, $path, $body, $type) = @_;
	my %headers = ('Content-Type' => $type || 'application/json');
	$headers{Cookie} = $state{cookie} if $state{cookie};
	my $url = $path =~ /^http:/ ? $path : "$state{gateway}$path";
	my $r = HTTP::Tiny->new(timeout => 20)->request($method => $url, {
		headers => \%headers,
		defined $body ? (content => ref $body ? $json->encode($body) : $body) : ()});
	my $answer = eval { $json->decode($r->{content}) };
	return $r, $answer if $r->{success};
	my $why = ref $answer eq 'HASH' && ref $answer->{error} eq 'HASH'
		? $answer->{error}{message} : $r->{content};
	die "$method $path was answered $r->{status}: $why\n";
}

sub api { return (request(@_))[1]{data} }

sub sign_in {
	my ($r) = request(POST => '/api/auth/login',
		{username => 'admin', password => $ENV{ADMIN_PASSWORD}});
	my ($cookie) = ref $r->{headers}{'set-cookie'} ? @{$r->{headers}{'set-cookie'}}
		: $r->{headers}{'set-cookie'};
	($state{cookie}) = $cookie =~ /^([^;]+)/;
}

# ---- the steps ----

sub population {
	my ($file) = @_;
	write_file($file, $json->encode([
		map { {match => $_->[0], weight => 1, ring_ms => 1200, talk_ms => 0,
			say => 'silence', %{$_->[3]}} } @contacts]));
}

sub make_campaign {
	my $campaign = api(POST => "$CM/campaigns", {
		callingHours => undef, # the demonstration is at any hour
		name => 'Sample campaign', description => 'Six customers of the sandbox',
		callGapMs => 500, batchGapMs => 2000, ringTimeoutS => 6, wrapUpS => 2,
		maxAttempts => 1})->{campaign}{id};
	my $list = api(POST => "$CM/data-lists",
		{name => 'Sample list', campaignId => $campaign})->{dataList}{id};
	my $csv = "phone,first_name,last_name\n"
		. join '', map { "$_->[0],$_->[1],$_->[2]\n" } @contacts;
	api(POST => "$CM/data-lists/$list/upload", $csv, 'text/csv');
	api(POST => "$CM/campaigns/$campaign/generate-queue", {});
	return $campaign;
}

sub prepare {
	my ($gateway, $sandbox, $file, $word, $demo) = @_;
	%state = (gateway => $gateway);
	request(PUT => "$sandbox/sandbox/sip-domain",
		{voice_url => "$gateway/api/calls-twiml/twiml-agent"});
	sign_in();
	$state{campaign} = make_campaign();
	my $agent = api(POST => '/api/agents', {username => 'alex', name => 'Alex'});
	$state{agent} = $agent->{agent}{id};
	$state{sip} = $agent->{sip};
	api(POST => "$CM/campaigns/$state{campaign}/join-agent", {agentId => $state{agent}});
	write_file($file, $json->encode(\%state));
	my $phone = $demo ? 'baresip registers with it now; your own softphone could.'
		: 'Register a softphone with it.';
	print <<"CARD";

  Omnivox Gateway

  $word      $gateway/
  Login        admin
  Password     $ENV{ADMIN_PASSWORD}

  The agent's phone. $phone
  Domain       $state{sip}{domain}
  User         $state{sip}{username}
  Password     $state{sip}{password}
  Transport    $state{sip}{transport}

CARD
}

# A mono WAV of one tone, 8 kHz. One second is a whole number of periods, so it repeats.
sub tone {
	my ($hz, $seconds) = @_;
	my $pcm = pack('s<*', map { int 6000 * sin 2 * 3.14159265358979 * $hz * $_ / 8000 } 0 .. 7999)
		x $seconds;
	return 'RIFF' . pack('V', 36 + length $pcm) . 'WAVEfmt '
		. pack('VvvVVvv', 16, 1, 1, 8000, 16000, 2, 16) . 'data' . pack('V', length $pcm) . $pcm;
}

sub phone {
	my ($file, $dir) = @_;
	%state = %{read_json($file)};
	my ($host) = $state{sip}{domain} =~ /^(.*):/;
	my ($modules) = grep { -d } '/usr/lib/baresip/modules', glob '/usr/lib/*/baresip/modules';
	die "baresip's modules are not in /usr/lib. Is baresip-core installed?\n" unless $modules;
	mkdir $dir or die "$dir: $!\n";
	write_file("$dir/say.wav", tone($AGENT_HZ, 1200));
	write_file("$dir/config", <<"CONFIG");
module_path $modules
sip_listen $host:0
audio_source aufile,$dir/say.wav
audio_player aufile,$dir/none.wav
audio_alert aufile,/dev/null
ausrc_srate 8000
auplay_srate 8000
ausrc_channels 1
auplay_channels 1
audio_level no
snd_path $dir
module account.so
module g711.so
module aufile.so
module auconv.so
module sndfile.so
module_app menu.so
CONFIG
	write_file("$dir/accounts", "<sip:$state{sip}{username}\@$state{sip}{domain};transport=udp>;"
		. "auth_user=$state{sip}{username};auth_pass=$state{sip}{password};answermode=auto;"
		. "regint=60;audio_codecs=pcmu\n");
}

# ---- watching ----

sub line { printf "  %s  %s\n", strftime('%H:%M:%S', localtime), join '', @_ }

my %words = (
	placing => 'dialling',
	ambiguous => 'the answer of Twilio was lost; being found out',
	queued => 'taken by Twilio',
	ringing => 'ringing',
	answered => 'answered',
	bridged => 'talking with Alex',
);
my %endings = (
	completed => 'ended', busy => 'busy', no_answer => 'no answer', failed => 'failed',
	canceled => 'cancelled', unknown => 'ended, nobody knows how');
# `reserved` and `on_call` say nothing that the call's own lines do not.
my %agent_words = (
	ready => 'ready', wrap_up => 'wrapping up', paused => 'paused', offline => 'signed out');
my %seen;

sub show_call {
	my ($e) = @_;
	my $what = $e->{state} eq 'ended' ? $endings{$e->{outcome} || ''} || 'ended'
		: $words{$e->{state}} or return;
	return if ($seen{"call $e->{callId}"} || '') eq $what;
	$seen{"call $e->{callId}"} = $what;
	line(sprintf '%-13s %-13s %s', $e->{number}, $name{$e->{number}} || '', $what);
}

sub show_agent {
	my ($e) = @_;
	my $what = $agent_words{$e->{state}} or return;
	return if ($seen{agent} || '') eq $what;
	$seen{agent} = $what;
	line(sprintf '%-13s %-13s %s', 'agent', 'Alex', $what);
}

sub all_dialled {
	my $stats = api(GET => "$CM/campaigns/$state{campaign}")->{campaign}{stats};
	return $stats->{completed} == @contacts && !$stats->{pending} && !$stats->{dialing};
}

# Reads the stream of events until it breaks; calls `seen` after each.
sub follow {
	my ($last, $seen) = @_;
	my $text = '';
	my $r = HTTP::Tiny->new(timeout => 40)->get("$state{gateway}/api/events", {
		headers => {Cookie => $state{cookie}, Accept => 'text/event-stream',
			$$last ? ('Last-Event-ID' => $$last) : ()},
		data_callback => sub {
			$text .= $_[0];
			while ($text =~ s/\A(.*?)\r?\n\r?\n//s) {
				my %field = map { /^(\w+): ?(.*)/ ? ($1 => $2) : () } split /\r?\n/, $1;
				$$last = $field{id} if defined $field{id};
				$seen->($field{event} || '',
					eval { $json->decode($field{data}) } || {});
			}
		}});
	die $r->{content} if $r->{status} == 599 && $r->{content} =~ /^end\b/;
}

sub wait_until {
	my ($what, $code) = @_;
	until ($code->()) {
		select undef, undef, undef, 0.3;
	}
}

sub agent { api(GET => "/api/agents/$state{agent}")->{agent} }

sub dial {
	line('waiting for the phone to register');
	wait_until('registration', sub { agent()->{registered} });
	line("the phone is registered; calling it (answer when it rings)");
	api(POST => "/api/agents/$state{agent}/session", {campaignId => $state{campaign}});
	api(POST => "/api/agents/$state{agent}/session/ready");
	wait_until('ready', sub { ((agent()->{session} || {})->{state} || '') eq 'ready' });
	api(POST => "$CM/campaigns/$state{campaign}/auto-dial");
	line('auto-dial started');
}

sub watch {
	my ($file, $seconds) = @_;
	%state = %{read_json($file)};
	if ($seconds) {
		$SIG{ALRM} = sub {
			print STDERR "Not every contact was dialled within $seconds s."
				. " See the logs: script/run --keep DIR keeps them.\n";
			POSIX::_exit(1);
		};
		alarm $seconds;
	}
	$SIG{TERM} = sub { POSIX::_exit(0) };
	dial();
	my ($last, $done) = ('', 0);
	until ($done && $seconds) {
		eval {
			follow(\$last, sub {
				my ($type, $e) = @_;
				show_call($e) if $type eq 'call';
				show_agent($e) if $type eq 'agent';
				return if $done || $type ne 'campaign' && $type ne 'call' || !all_dialled();
				$done = 1;
				line('every contact was dialled');
				line('Ctrl-C stops everything') unless $seconds;
				die "end\n" if $seconds;
			});
			1;
		} or $@ =~ /^end\b/ or line("the gateway does not answer: $@");
		select undef, undef, undef, 0.5 unless $done && $seconds;
	}
}

my %steps = (population => \&population, prepare => \&prepare, phone => \&phone, watch => \&watch);
my $step = $steps{shift @ARGV // ''} or die "demo.pl is run by script/run\n";
$step->(@ARGV);
