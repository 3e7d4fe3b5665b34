#!/usr/bin/env perl
# What is recorded can be heard: each side on its channel, with pauses, trimmed, in parts.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Time::HiRes qw(sleep time);
use Omnivox::Sandbox;
use Omnivox::Test;

my $sandbox = Omnivox::Sandbox->new(population => [
	{ match => '+1416', behaviour => 'human', ring_ms => 500, talk_ms => 0, say => 'tone:440' },
	{ match => '+1417', behaviour => 'human', ring_ms => 500, talk_ms => 0, say => 'tone:1000' },
	{ match => '+1418', behaviour => 'human', ring_ms => 500, talk_ms => 0, say => 'silence' },
	{ match => '+1419', behaviour => 'human', ring_ms => 500, talk_ms => 0, say => 'tone:600' }]);
my $FROM = $Omnivox::Sandbox::FROM;

# Two people in a conference; their call SIDs.
sub two_talk
{
	my ($room, @to) = @_;
	my @sids = map {
		$sandbox->api('POST', "Conferences/$room/Participants.json", To => $_, From => $FROM)
			->{json}{call_sid}
	} @to;
	$sandbox->wait_status($_, 'in-progress') for @sids;
	return @sids;
}

sub recording_is
{
	my ($sid, $status) = @_;
	my $got;
	eval {
		wait_for("$sid to be $status", 10, sub {
			$got = $sandbox->api('GET', "Recordings/$sid.json")->{json};
			($got->{status} // '') eq $status;
		});
	} or diag($@);
	return $got;
}

sub media
{
	my ($path, %with) = @_;
	return http_json('GET', "$sandbox->{base}/2010-04-01/Accounts/$Omnivox::Sandbox::AC/$path",
		user => "$Omnivox::Sandbox::AC:$Omnivox::Sandbox::TOKEN", %with);
}

# One channel of a WAV as a file of its own, for tone_power().
sub channel
{
	my ($wav, $which) = @_;
	my ($channels) = unpack 'v', substr $wav, 22, 2;
	my @samples = unpack 's<*', substr $wav, 44;
	my @own = @samples[grep { $_ % $channels == $which } 0 .. $#samples];
	my $path = "$sandbox->{dir}/channel.wav";
	open my $file, '>:raw', $path or die;
	print $file 'x' x 44, pack 's<*', @own;
	close $file;
	return $path;
}

sub seconds_of { return (length($_[0]) - 44) / 16000 / unpack 'v', substr $_[0], 22, 2 }

subtest 'a call is recorded by REST, both sides apart' => sub {
	my @sids = two_talk('room', '+14160001', '+14170001');
	my $path = "Calls/$sids[0]/Recordings";
	my ($recorded, $since) = (0, time);
	my $made = $sandbox->api('POST', "$path.json", RecordingChannels => 'dual',
		RecordingStatusCallback => $sandbox->hook_url('/recording'),
		RecordingStatusCallbackEvent => ['in-progress', 'completed', 'absent']);
	is $made->{status}, 201, 'started';
	my $sid = $made->{json}{sid};
	like $sid, qr/^RE[0-9a-f]{32}$/, 'with a SID';
	is $made->{json}{$_->[0]}, $_->[1], $_->[0]
		for [status => 'in-progress'], [source => 'StartCallRecordingAPI'], [channels => 2],
		[call_sid => $sids[0]], [track => 'both'], [duration => undef];
	is $sandbox->api('POST', "$path.json")->{json}{code}, 16108, 'not twice at once';
	sleep 1.2;
	is $sandbox->api('POST', "$path/Twilio.CURRENT.json", Status => 'paused',
		PauseBehavior => 'skip')->{json}{status}, 'paused', 'paused, leaving no silence';
	$recorded += time - $since;
	sleep 1.5;
	$since = time;
	is $sandbox->api('POST', "$path/$sid.json", Status => 'in-progress')->{json}{status},
		'in-progress', 'resumed';
	is $sandbox->api('DELETE', "$path/$sid.json")->{json}{code}, 20009,
		'it cannot be deleted meanwhile';
	sleep 0.6;
	is media("Recordings/$sid")->{status}, 404, 'nor fetched';
	is $sandbox->api('POST', "$path/$sid.json", Status => 'stopped')->{json}{status}, 'stopped',
		'stopped';
	$recorded += time - $since;
	is $sandbox->api('POST', "$path/$sid.json", Status => 'paused')->{json}{code}, 21220,
		'what is over is not paused';
	my $over = recording_is($sid, 'completed');
	cmp_ok abs($over->{duration} - $recorded), '<', 1, 'it lasts as long as it was not paused';
	is $over->{media_url}, "$sandbox->{base}/2010-04-01/Accounts/$Omnivox::Sandbox::AC/Recordings/$sid",
		'and says where its sound is';
	my @told = $sandbox->hooked('/recording', 2);
	is_deeply [map { $_->{form}{RecordingStatus} } @told], ['in-progress', 'completed'], 'told';
	ok !(grep { !$_->{signed} } @told), 'signed';
	my $form = $told[1]{form};
	is $form->{$_->[0]}, $_->[1], $_->[0]
		for [CallSid => $sids[0]], [RecordingSid => $sid], [RecordingChannels => 2],
		[RecordingSource => 'StartCallRecordingAPI'], [RecordingTrack => 'both'],
		[RecordingUrl => $over->{media_url}], [RecordingDuration => $over->{duration}],
		[AccountSid => $Omnivox::Sandbox::AC];
	like $form->{RecordingStartTime}, qr/\+0000$/, 'RecordingStartTime';
	my $got = media("Recordings/$sid.wav");
	is $got->{status}, 200, 'the sound is there';
	is $got->{headers}{'content-type'}, 'audio/x-wav', 'as WAV';
	my $wav = $got->{content};
	my $s = seconds_of($wav);
	cmp_ok abs($s - $recorded), '<', 0.5, 'and so does its sound';
	cmp_ok tone_power(channel($wav, 0), 440), '>', 0.8, 'left is what the callee said';
	cmp_ok tone_power(channel($wav, 0), 1000), '<', 0.05, 'and nothing else';
	cmp_ok tone_power(channel($wav, 1), 1000), '>', 0.8, 'right is what it heard';
	my $mono = media("Recordings/$sid?RequestedChannels=1")->{content};
	is unpack('v', substr $mono, 22, 2), 1, 'one channel, where asked for';
	is length $mono, 44 + (length($wav) - 44) / 2, 'and half the size';

	my $part = media("Recordings/$sid", headers => { range => 'bytes=44-143' });
	is $part->{status}, 206, 'a part of it';
	is $part->{content}, substr($wav, 44, 100), 'is that part';
	is $part->{headers}{'content-range'}, 'bytes 44-143/' . length $wav, 'and says so';
	is media("Recordings/$sid", headers => { range => 'bytes=99999999-' })->{status}, 416,
		'beyond the end there is nothing';

	my $url = "$sandbox->{base}/2010-04-01/Accounts/$Omnivox::Sandbox::AC/Recordings/$sid";
	is http_json('GET', $url)->{status}, 401, 'strangers get no sound';
	$sandbox->control('PUT', 'settings', { media_auth => 0 });
	is http_json('GET', $url)->{status}, 200, 'unless the account says so';
	is http_json('GET', "$url.json")->{status}, 401, 'and no metadata ever';
	$sandbox->control('PUT', 'settings', { media_auth => 1 });
	is_deeply [map { $_->{sid} } @{ $sandbox->api('GET', "$path.json")->{json}{recordings} }],
		[$sid], 'listed with its call';
	is scalar @{ $sandbox->api('GET', "Recordings.json?CallSid=$sids[1]")->{json}{recordings} }, 0,
		'not with another';
	is $sandbox->api('DELETE', "Recordings/$sid.json")->{status}, 204, 'deleted';
	is $sandbox->api('GET', "Recordings/$sid.json")->{json}{code}, 20404, 'gone';
	is media("Recordings/$sid")->{status}, 404, 'its sound too';
	is $sandbox->api('GET', "Recordings/$sid.json?IncludeSoftDeleted=true")->{json}{status},
		'deleted', 'but remembered';
	is $sandbox->api('POST', "Calls/CA@{[ '0' x 32 ]}/Recordings.json")->{json}{code}, 20404,
		'no call, no recording';
};

subtest 'a call that asks for it is recorded from the answer on' => sub {
	my $sid = $sandbox->dial('+14160002', Record => 'true',
		RecordingStatusCallback => $sandbox->hook_url('/whole'),
		StatusCallback => $sandbox->hook_url('/status'));
	is $sandbox->api('POST', "Calls/$sid/Recordings.json")->{json}{code}, 21220,
		'before the answer nothing can be recorded';
	$sandbox->wait_status($sid, 'in-progress');
	sleep 1.2;
	$sandbox->api('POST', "Calls/$sid.json", Status => 'completed');
	my ($told) = $sandbox->hooked('/whole', 1);
	is $told->{form}{RecordingStatus}, 'completed', 'completed';
	is $told->{form}{RecordingSource}, 'OutboundAPI', 'by OutboundAPI';
	is $told->{form}{RecordingChannels}, 1, 'mono';
	my ($ended) = $sandbox->hooked('/status', 1);
	is $ended->{form}{$_}, $told->{form}{$_}, "$_ in the status callback"
		for qw(RecordingSid RecordingUrl RecordingDuration);
	my $wav = media("Recordings/$told->{form}{RecordingSid}")->{content};
	cmp_ok tone_power(channel($wav, 0), 440), '>', 0.8, 'the callee is in it';
	is media("Recordings/$told->{form}{RecordingSid}?RequestedChannels=2")->{json}{code}, 16113,
		'mono has no second channel';
	is $sandbox->api('POST', "Calls/$sid/Recordings.json")->{json}{code}, 21220,
		'a call that is over cannot be recorded';
};

subtest 'silence is trimmed, and nothing but silence is absent' => sub {
	my $sid = $sandbox->dial('+14180001', Record => 'true', Trim => 'trim-silence',
		RecordingStatusCallback => $sandbox->hook_url('/silent'),
		RecordingStatusCallbackEvent => 'completed absent');
	$sandbox->wait_status($sid, 'in-progress');
	sleep 0.3;
	$sandbox->api('POST', "Calls/$sid.json", Status => 'completed');
	my ($told) = $sandbox->hooked('/silent', 1);
	is $told->{form}{RecordingStatus}, 'absent', 'absent';
	is $told->{form}{ErrorCode}, 16102, 'because it is silent';
	is recording_is($told->{form}{RecordingSid}, 'absent')->{error_code}, 16102, 'says REST too';
};

subtest 'a conference is recorded, and one track alone' => sub {
	my @sids = map {
		$sandbox->api('POST', 'Conferences/whole/Participants.json', To => $_, From => $FROM,
			ConferenceRecord => 'record-from-start', ConferenceRecordingStatusCallback =>
				$sandbox->hook_url('/conference-recording'))->{json}{call_sid}
	} '+14160003', '+14190003';
	$sandbox->wait_status($_, 'in-progress') for @sids;
	my $track = $sandbox->api('POST', "Calls/$sids[0]/Recordings.json",
		RecordingTrack => 'outbound')->{json};
	is $track->{track}, 'outbound', 'one track';
	sleep 0.8;
	my ($conference) = @{ $sandbox->api('GET', 'Conferences.json?FriendlyName=whole')
		->{json}{conferences} };
	is scalar @{ $sandbox->api('GET', "Conferences/$conference->{sid}/Recordings.json")
		->{json}{recordings} }, 1, 'listed with the conference';
	$sandbox->api('POST', "Conferences/$conference->{sid}.json", Status => 'completed');
	my ($told) = $sandbox->hooked('/conference-recording', 1);
	is $told->{form}{ConferenceSid}, $conference->{sid}, 'told, with the conference';
	is $told->{form}{RecordingSource}, 'Conference', 'as a conference';
	my $wav = media("Recordings/$told->{form}{RecordingSid}")->{content};
	cmp_ok tone_power(channel($wav, 0), $_), '>', 0.3, "$_ Hz is in it" for 440, 600;
	recording_is($track->{sid}, 'completed');
	$wav = media("Recordings/$track->{sid}")->{content};
	cmp_ok tone_power(channel($wav, 0), 600), '>', 0.8, 'the track has what was heard';
	cmp_ok tone_power(channel($wav, 0), 440), '<', 0.05, 'and not what was said';
	my $list = $sandbox->api('GET', 'Recordings.json?PageSize=2')->{json};
	is scalar @{ $list->{recordings} }, 2, 'two a page';
	ok $list->{next_page_uri}, 'and more';
};

subtest 'all of it in Twilio\'s shapes' => sub { $sandbox->answers_are_twilios };

$sandbox->ends_well;
done_testing;
