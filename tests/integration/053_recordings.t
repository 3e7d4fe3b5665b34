#!/usr/bin/env perl
# Recordings: begun once for each call that is bridged, whatever dies on the way, paused for card
# numbers, heard with ranges, and deleted in the end.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use IO::Socket::INET;
use JSON::PP;
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);
use Omnivox::Asking;
use Omnivox::Sound qw(tones heard_order);
use Omnivox::Stage;

my $CM = $Omnivox::Stage::CM;
my $stage = Omnivox::Stage->new(population => [{match => '*', weight => 1,
	behaviour => 'human', ring_ms => 1500, talk_ms => 60000, say => 'tone:440'}]);
asking($stage);
$stage->start_sandbox;
$stage->start_gateway;
my $admin = $stage->login;

my $campaign = $stage->make_campaign({recordCalls => JSON::PP::true, wrapUpS => 0, recordingDays => 30},
	map { "+1555111000$_" } 1 .. 7);
my $ana = $stage->make_agent('ana', $campaign);
data(POST => '/api/agents', {username => 'bo', name => 'Bo', password => 'bo-password'});
my %cookie = (ana => sign_in('ana', $ana->{password}), bo => sign_in('bo', 'bo-password'));
$stage->start_phone($ana, hz => 1330);
$stage->wait_registered($ana);
$stage->agent_ready($ana, $campaign);

# At the sandbox, by its REST API.
sub at_twilio {
	my ($path) = @_;
	my $user = $stage->account . ':' . $stage->token;
	return HTTP::Tiny->new->get("http://$user\@$stage->{sandbox}{http}/2010-04-01/Accounts/"
		. $stage->account . $path);
}

sub recordings_at_twilio {
	my ($call) = @_;
	my $sid = data(GET => "/api/calls/$call")->{call}{twilioCallSid};
	return @{decode_json(at_twilio("/Calls/$sid/Recordings.json")->{content})->{recordings}};
}

my $next = 0;
sub place {
	$next++;
	$stage->wait_until(15, 'ana to be ready', sub { $stage->agent_session($ana)->{state} eq 'ready' });
	my ($entry) = grep { $_->{contact}{phone} =~ /$next$/ }
		@{data(GET => "$CM/campaigns/$campaign/queue")->{queueEntries}};
	my $r = as($cookie{ana}, POST => "$CM/campaigns/$campaign/queue/$entry->{id}/call", {});
	is $r->{status}, 200, "call $next" or diag $r->{content};
	return $r->{json}{data}{callRecord}{id};
}

sub recording { my ($call) = @_; return data(GET => "/api/recordings?callId=$call")->{recordings}[0] }

sub wait_state {
	my ($call, $state, $seconds) = @_;
	return $stage->wait_until($seconds || 10, "the recording to be $state", sub {
		my $r = recording($call);
		return $r && $r->{state} eq $state ? $r : undef });
}

sub finish {
	my ($call) = @_;
	ask(POST => "/api/calls/$call/hangup");
	return wait_state($call, 'completed');
}

sub faults { $stage->sandbox_put('/sandbox/faults', {kind => $_[0], rate => $_[1], delay_ms => 0, seed => 1}) }

sub fired { my ($kind) = @_;
	my ($f) = grep { $_->{kind} eq $kind } @{$stage->sandbox_get('/sandbox/faults')->{faults}};
	return $f->{fired} }

my ($call, $recording, $wav);
subtest 'a call is recorded' => sub {
	$call = place();
	answers(ask(POST => "/api/calls/$call/recording/pause"), 409, 'NOT_RECORDED', 'not before it is answered');
	$recording = wait_state($call, 'recording');
	is scalar(recordings_at_twilio($call)), 1, 'once';
	answers(ask(GET => "/api/recordings/$recording->{id}/media"), 409, 'NO_MEDIA', 'no sound yet');
	answers(ask(DELETE => "/api/recordings/$recording->{id}"), 409, 'STILL_RECORDING', 'not to be deleted yet');
	sleep 1.5;
	answers(as($cookie{bo}, POST => "/api/calls/$call/recording/pause"), 404, 'NOT_FOUND', "another's call");
	my $r = as($cookie{ana}, POST => "/api/calls/$call/recording/pause");
	is "$r->{status} $r->{json}{data}{recording}{state}", '200 paused', 'the agent pauses it';
	is +(recordings_at_twilio($call))[0]{status}, 'paused', 'and Twilio has paused when that is said';
	$r = as($cookie{ana}, POST => "/api/calls/$call/recording/pause");
	is "$r->{status} $r->{json}{data}{recording}{state}", '200 paused', 'again is the same';
	sleep 1.5;
	$r = as($cookie{ana}, POST => "/api/calls/$call/recording/resume");
	is "$r->{status} $r->{json}{data}{recording}{state}", '200 recording', 'it goes on';
	sleep 1;
	$recording = finish($call);
	cmp_ok $recording->{durationS}, '<=', 4, 'what was paused is not in it';
	is $recording->{channels}, 2, 'both sides';
	answers(ask(POST => "/api/calls/$call/recording/pause"), 409, 'ENDED', 'after the call');
	my @told = map { $_->{event} } grep { $_->{source} eq 'recording' }
		@{data(GET => "/api/calls/$call")->{events}};
	is_deeply \@told, [qw(recording paused recording completed)],
		'the call tells it' or diag "@told";
};

subtest 'its sound' => sub {
	my $path = "/api/recordings/$recording->{id}/media";
	is $recording->{media}, $path, 'has an address';
	my $r = as($cookie{ana}, GET => $path);
	is $r->{status}, 200, 'the agent hears it';
	is $r->{headers}{'cache-control'}, 'private, no-store', 'and nobody keeps it';
	is $r->{headers}{'accept-ranges'}, 'bytes', 'in parts, too';
	$wav = $r->{content};
	is $r->{headers}{'content-length'}, length $wav, 'its length is told';
	is substr($wav, 0, 4), 'RIFF', 'it is sound';
	is $wav, at_twilio("/Recordings/$recording->{twilioRecordingSid}.wav?RequestedChannels=2")->{content},
		'exactly what Twilio has';
	my ($rate, @side) = unpack 'V', substr $wav, 24, 4;
	my @pairs = unpack 's<*', substr $wav, 44;
	for my $channel (0, 1) {
		my $pcm = pack 's<*', @pairs[map { 2 * $_ + $channel } 0 .. $#pairs / 2];
		my $file = $stage->dir . "/side$channel.wav";
		open my $fh, '>:raw', $file or die $!;
		print $fh 'RIFF', pack('V', 36 + length $pcm), 'WAVEfmt ', pack('VvvVVvv', 16, 1, 1, $rate,
			2 * $rate, 2, 16), 'data', pack('V', length $pcm), $pcm;
		close $fh;
		push @side, join ' ', heard_order(tones($file, 440, 1330));
	}
	is_deeply \@side, [440, 1330], 'the customer on one side, the agent on the other';
	my $size = length $wav;
	my %ranges = ('bytes=0-99' => [0, 100], 'bytes=100-' => [100, $size - 100],
		'bytes=-50' => [$size - 50, 50], "bytes=0-@{[$size + 5]}" => [0, $size]);
	for my $range (sort keys %ranges) {
		my ($first, $len) = @{$ranges{$range}};
		my $part = ask(GET => $path, undef, {Range => $range});
		is $part->{status}, 206, $range;
		is $part->{headers}{'content-range'}, "bytes $first-@{[$first + $len - 1]}/$size", 'says which part';
		ok $part->{content} eq substr($wav, $first, $len), 'and is it';
	}
	my $beyond = ask(GET => $path, undef, {Range => "bytes=$size-"});
	is $beyond->{status}, 416, 'beyond the end';
	is $beyond->{headers}{'content-range'}, "bytes */$size", 'which is told';
	is ask(GET => $path, undef, {Range => 'lines=1-2'})->{status}, 200, 'another unit is no range';
	answers(as($cookie{bo}, GET => $path), 404, 'NOT_FOUND', 'another agent hears nothing');
	answers(as('', GET => $path), 401, 'NOT_SIGNED_IN', 'a stranger neither');
	answers(ask(GET => "$path?format=ogg"), 422, 'VALIDATION', 'a format that there is not');
	answers(ask(GET => '/api/recordings/999999/media'), 404, 'NOT_FOUND', 'no such recording');
};

subtest 'looking' => sub {
	is scalar @{as($cookie{bo}, GET => '/api/recordings')->{json}{data}{recordings}}, 0, 'agents see their own';
	answers(as($cookie{bo}, GET => "/api/recordings/$recording->{id}"), 404, 'NOT_FOUND', 'one by one, too');
	is scalar @{data(GET => "/api/recordings?$_")->{recordings}}, 1, $_ for "campaignId=$campaign",
		"agentId=$ana->{id}", 'state=completed', 'from=2026-01-01T00:00:00Z';
	is scalar @{data(GET => "/api/recordings?$_")->{recordings}}, 0, $_ for 'campaignId=999999',
		'state=failed', 'to=2026-01-01T00:00:00Z', "before=$recording->{id}";
	is ask(GET => "/api/recordings?$_")->{status}, 422, $_ for 'state=lost', 'limit=0', 'from=x', 'callId=x';
	like $recording->{deleteAt}, qr/^\d{4}-/, 'it says when it will be deleted';
};

subtest 'a pause while Twilio has not yet gone on' => sub {
	my $id = place();
	wait_state($id, 'recording');
	is ask(POST => "/api/calls/$id/recording/pause")->{status}, 200, 'paused';
	$stage->sandbox_put('/sandbox/faults', {kind => 'slow', rate => 1, delay_ms => 1500, seed => 1});
	my $pid = fork // die;
	if (!$pid) { $stage->request(POST => "/api/calls/$id/recording/resume"); POSIX::_exit(0) }
	$stage->wait_until(10, 'Twilio to be asked', sub { fired('slow') });
	faults('slow', 0);
	my $r = ask(POST => "/api/calls/$id/recording/pause");
	is "$r->{status} $r->{json}{data}{recording}{state}", '200 paused', 'is waited for';
	is +(recordings_at_twilio($id))[0]{status}, 'paused', 'until Twilio has paused again';
	is scalar(grep { $_->{event} eq 'paused' } @{data(GET => "/api/calls/$id")->{events}}), 2, 'which is the second time';
	waitpid $pid, 0;
	finish($id);
};

subtest 'an answer that is lost, with the recording begun or not' => sub {
	for my $kind ('silent_after_accept', 'silent_before_accept', 'http500_after_accept') {
		my $id = place();
		faults($kind, 1);
		$stage->wait_until(15, 'the fault', sub { fired($kind) });
		faults($kind, 0);
		wait_state($id, 'recording', 20);
		is scalar(recordings_at_twilio($id)), 1, "$kind: one recording";
		finish($id);
	}
};

subtest 'a worker that dies before it knows the answer' => sub {
	my $id = place();
	my $before = wait_state($id, 'recording');
	my $worker = $stage->worker;
	# As if no answer and no webhook had come: what a kill between the two leaves behind.
	$stage->sql("UPDATE recordings SET state = 'starting', provider_sid = NULL,"
		. " due_at = now() + interval '1 hour' WHERE id = $before->{id}");
	kill 'KILL', $worker;
	$stage->worker($worker);
	is wait_state($id, 'recording', 30)->{twilioRecordingSid}, $before->{twilioRecordingSid},
		'the next one finds the recording that runs';
	is scalar(recordings_at_twilio($id)), 1, 'and asks for no other';
	finish($id);
};

sub memory {
	open my $fh, '<', '/proc/' . $stage->worker . '/status' or die $!;
	return +(map { /^VmRSS:\s+(\d+)/ } <$fh>)[0];
}

subtest 'a long recording and listeners who do not listen' => sub {
	my $sid = $recording->{twilioRecordingSid};
	my ($file) = grep { /\Q$sid\E/ } glob "$stage->{sandbox}{data}/sandbox/recordings/*";
	my $size = 44 + 20_000_000;
	open my $fh, '+<:raw', $file or die "$file: $!";
	print $fh substr($wav, 0, 40), pack 'V', $size - 44;
	truncate $fh, $size;
	close $fh;
	my $path = "/api/recordings/$recording->{id}/media";
	my $before = memory();
	my $listen = sub {
		my $s = IO::Socket::INET->new(PeerAddr => $stage->{gateway}{http}, Timeout => 5) or die $!;
		print $s "GET $path HTTP/1.1\r\nHost: x\r\nCookie: $admin\r\n\r\n";
		return $s;
	};
	my @slow = map { $listen->() } 1 .. 6;
	sleep 2;
	cmp_ok memory() - $before, '<', 16 * 1024, 'six of twenty megabytes each are held by nobody';
	my ($got, $s) = (0, shift @slow);
	my $head = '';
	while (sysread $s, my $part, 1 << 20) {
		$got += length $part;
		$head .= substr $part, 0, 1000 if length $head < 1000;
		my ($len) = $head =~ /^(.*?\r\n\r\n)/s ? length $1 : 0;
		last if $len && $got >= $len + $size;
	}
	cmp_ok $got, '>=', $size, 'one who goes on listening hears the end';
	close $_ for @slow;
	# There are 64 places: who leaves gives his back.
	for (1 .. 80) {
		my $one = $listen->();
		sysread $one, my $part, 100;
		close $one;
	}
	ok $stage->wait_until(10, 'a place', sub {
		ask(GET => $path, undef, {Range => 'bytes=0-99'})->{status} == 206 }), 'who leaves makes room';
};

subtest 'deleting' => sub {
	answers(as($cookie{ana}, DELETE => "/api/recordings/$recording->{id}"), 403, 'FORBIDDEN', 'not by agents');
	my $r = ask(DELETE => "/api/recordings/$recording->{id}");
	is "$r->{status} $r->{json}{data}{recording}{state}", '200 deleted', 'an administrator deletes one';
	$r = ask(DELETE => "/api/recordings/$recording->{id}");
	is "$r->{status} $r->{json}{data}{recording}{state}", '200 deleted', 'twice is the same';
	my $sid = $recording->{twilioRecordingSid};
	is at_twilio("/Recordings/$sid.wav")->{status}, 404, 'Twilio has it no more';
	answers(ask(GET => "/api/recordings/$recording->{id}/media"), 409, 'NO_MEDIA', 'nor do we');
	my ($old) = grep { $_->{state} eq 'completed' } @{data(GET => '/api/recordings')->{recordings}};
	$stage->sql("UPDATE recordings SET delete_at = now(), due_at = now() WHERE id = $old->{id}");
	$stage->wait_until(10, 'its time to be over', sub {
		data(GET => "/api/recordings/$old->{id}")->{recording}{state} eq 'deleted' });
	is at_twilio("/Recordings/$old->{twilioRecordingSid}.wav")->{status}, 404,
		'what has been kept long enough goes by itself';
};

contract_kept();
undef $stage;
done_testing;
