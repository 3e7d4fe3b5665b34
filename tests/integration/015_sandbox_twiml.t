#!/usr/bin/env perl
# Documents are followed as Twilio follows them: speech, keys, recordings, other people called,
# fallbacks, and warnings about what is wrong.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Time::HiRes qw(sleep);
use Omnivox::Sandbox;
use Omnivox::Stage;
use Omnivox::Test;

my %documents;    # path => TwiML, or [status, type, body]
my $FROM = $Omnivox::Sandbox::FROM;
my $file = temp_dir();
Omnivox::Stage::tone_wav("$file/600.wav", 600, 2);
my $wav = read_file("$file/600.wav");

# The answers are made in another process: documents are in the query, so that a test can say
# what it wants at any time.
sub doc { my ($twiml) = @_; return '/doc?' . form_encode({ twiml => $twiml }) }

my $sandbox = Omnivox::Sandbox->new(
	args => ['--record'],
	population => [
		{ match => '+1416', behaviour => 'human', ring_ms => 500, talk_ms => 0, say => 'tone:440',
			digits => '12#', digits_ms => 2000 },
		{ match => '+1417', behaviour => 'human', ring_ms => 500, talk_ms => 0, say => 'tone:1000' },
		{ match => '+1418', behaviour => 'human', ring_ms => 500, talk_ms => 0, say => 'silence',
			speech => 'yes please' },
		{ match => '+1419', behaviour => 'human', ring_ms => 500, talk_ms => 8000 },
		{ match => 'client:', behaviour => 'human', ring_ms => 500, talk_ms => 0, say => 'tone:700' },
		{ match => '+1500', behaviour => 'busy', ring_ms => 500 },
		{ match => '+1502', behaviour => 'no_answer' },
		{ match => '+1503', behaviour => 'machine', ring_ms => 500, talk_ms => 0 }],
	answer => sub {
		my ($request) = @_;
		my $path = $request->{path};
		return [200, 'text/xml', $request->{query}{twiml}] if $path eq '/doc';
		return [200, 'audio/x-wav', $wav] if $path eq '/600.wav';
		return [200, 'text/html', 'no sound'] if $path eq '/no.wav';
		return [200, 'text/plain', 'Good morning'] if $path eq '/plain';
		return [200, 'audio/wav', $wav] if $path eq '/audio';
		return [200, 'application/json', '{}'] if $path eq '/json';
		return [200, 'text/xml', '<Response><Dial>'] if $path eq '/broken';
		return [200, 'text/xml', '<Response>' . ' ' x 70000 . '</Response>'] if $path eq '/large';
		return [500, 'text/plain', ''] if $path eq '/fail';
		return [200, 'text/xml', '<Response><Hangup/></Response>'] if $path =~ m{^/(action|fallback)};
		return;
	});

# Follows a document; returns the call's SID.
sub follow
{
	my ($to, $twiml, %form) = @_;
	return $sandbox->dial($to, Twiml => undef, Url => $sandbox->hook_url(doc("<Response>$twiml</Response>")),
		%form);
}

sub at_action
{
	my ($sid, $path) = @_;
	my ($got) = $sandbox->hooked($path // '/action', 1, sub { $_[0]{form}{CallSid} eq $sid });
	return $got->{form} // {};
}

sub warnings_of
{
	my ($sid) = @_;
	return map { $_->{error} } grep { $_->{call_sid} eq $sid } $sandbox->lines('warning');
}

sub hears
{
	my ($sid, $hertz, $what) = @_;
	my $heard = "$sandbox->{dir}/sandbox/heard/$sid.wav";
	ok eval { wait_for("$hertz Hz", 8, sub { -s $heard && tone_power($heard, $hertz) > 0.8 }) }, $what;
}

sub children { return @{ $sandbox->api('GET', "Calls.json?ParentCallSid=$_[0]")->{json}{calls} } }

my $end = '<Pause length="600"/>';

subtest 'speech and sound are heard' => sub {
	my $said = follow('+14180001', '<Say>' . 'a long speech ' x 20 . '</Say>' . $end);
	hears($said, 350, 'speech is a tone');
	my $played = follow('+14180002', "<Play loop=\"50\">/600.wav</Play>$end");
	hears($played, 600, 'a file is what it is');
	my $bad = follow('+14180003', "<Play>/no.wav</Play><Play>/none.wav</Play><Redirect>/action</Redirect>");
	is at_action($bad)->{CallStatus}, 'in-progress', 'what cannot be played is passed over';
	my $plain = $sandbox->dial('+14180004', Url => $sandbox->hook_url('/plain'));
	$sandbox->wait_status($plain, 'completed');
	my $audio = $sandbox->dial('+14180005', Url => $sandbox->hook_url('/audio'));
	$sandbox->wait_status($audio, 'completed');
	hears($audio, 600, 'sound instead of a document is played');
};

subtest 'keys and words are gathered' => sub {
	my $sid = follow('+14160001', '<Gather action="/action" numDigits="5"><Say>Type, please, '
		. 'as many keys as you like</Say></Gather><Redirect>/action-none</Redirect>');
	is at_action($sid)->{Digits}, '12', 'up to the finishing key';
	$sid = follow('+14160002', '<Gather action="/action" numDigits="1" finishOnKey=""/>');
	is at_action($sid)->{Digits}, '1', 'or as many as are asked for';
	$sid = follow('+14170001', '<Gather action="/action" timeout="2"/><Redirect>/action-none</Redirect>');
	ok at_action($sid, '/action-none')->{CallSid}, 'nothing typed: the next verb';
	$sid = follow('+14170002', '<Gather action="/action" timeout="2" actionOnEmptyResult="true"/>');
	is at_action($sid)->{Digits}, '', 'or the action with nothing';
	$sid = follow('+14180010', '<Gather action="/action" input="speech"><Say>Well?</Say></Gather>');
	is at_action($sid)->{SpeechResult}, 'yes please', 'words too';
	$sid = follow('+14170003', '<Gather action="/action" numDigits="3" timeout="60"/>');
	$sandbox->wait_status($sid, 'in-progress');
	sleep 0.2;
	is $sandbox->control('POST', 'digits', { call_sid => $sid, digits => '789' })->{status}, 200, 'pressed';
	is at_action($sid)->{Digits}, '789', 'and gathered';
};

subtest 'a message is recorded' => sub {
	my $sid = follow('+14170010', '<Record action="/action" maxLength="10" recordingStatusCallback="/recorded"/>');
	my $form = at_action($sid);
	like $form->{RecordingSid}, qr/^RE/, 'up to its longest';
	like $form->{RecordingUrl}, qr/$form->{RecordingSid}$/, 'with its address';
	my ($told) = $sandbox->hooked('/recorded', 1);
	is $told->{form}{RecordingSource}, 'RecordVerb', 'told';
	$sid = follow('+14160010', '<Record action="/action"/>');
	is at_action($sid)->{Digits}, '1', 'or until a key';
	$sid = follow('+14180020', '<Record action="/action" timeout="3"/><Redirect>/action-none</Redirect>');
	ok at_action($sid, '/action-none')->{CallSid}, 'silence is no message';
	$sid = follow('+14190010', '<Record action="/action"/>');
	is at_action($sid)->{Digits}, 'hangup', 'or until the caller hangs up';
	is at_action($sid)->{CallStatus}, 'completed', 'when the call is over';
};

subtest 'others are dialled' => sub {
	my $sid = follow('+14160020', '<Dial action="/action" record="record-from-answer-dual">'
		. '<Number statusCallback="/child" statusCallbackEvent="initiated ringing answered completed">'
		. '+14170020</Number></Dial>');
	my @told = $sandbox->hooked('/child', 3);
	my ($child) = children($sid);
	is $child->{direction}, 'outbound-dial', 'a call of its own';
	is $child->{parent_call_sid}, $sid, 'with its parent';
	is $child->{from}, $FROM, 'showing the number of the parent';
	is $told[0]{form}{ParentCallSid}, $sid, 'its webhooks name the parent too';
	hears($sid, 1000, 'they hear each other');
	hears($child->{sid}, 440, 'both ways');
	$sandbox->control('POST', 'hangup', { call_sid => $child->{sid} });
	my $form = at_action($sid);
	is $form->{$_->[0]}, $_->[1], $_->[0]
		for [DialCallStatus => 'completed'], [DialCallSid => $child->{sid}], [DialBridged => 'true'];
	like $form->{DialCallDuration}, qr/^\d+$/, 'DialCallDuration';
	like $form->{RecordingUrl}, qr/RE/, 'RecordingUrl';
	is_deeply [map { $_->{form}{CallStatus} } sort { $a->{form}{SequenceNumber} <=> $b->{form}{SequenceNumber} }
		$sandbox->hooked('/child', 4)], [qw(initiated ringing in-progress completed)], 'every status';
	my %result = ('+15000001' => 'busy', '+15020001' => 'no-answer', '+19990001' => 'failed');
	for my $to (sort keys %result) {
		$sid = follow('+14160021', qq{<Dial action="/action" timeout="5">$to</Dial>});
		$form = at_action($sid);
		is $form->{DialCallStatus}, $result{$to}, "$to: $result{$to}";
		is $form->{DialBridged}, 'false', 'not bridged';
	}
};

subtest 'several are dialled, and browsers' => sub {
	my $sid = follow('+14160030', '<Dial action="/action"><Number>+15020002</Number><Client>'
		. '<Identity>ana</Identity><Parameter name="a" value="b"/></Client></Dial>');
	hears($sid, 700, 'who answers first is heard');
	my %status = map { $_->{to} => $_->{status} } children($sid);
	is_deeply \%status, { '+15020002' => 'canceled', 'client:ana' => 'in-progress' }, 'the other is let go';
	$sandbox->api('POST', "Calls/$sid.json", Status => 'completed');
	my ($ana) = grep { $_->{to} eq 'client:ana' } children($sid);
	is $ana->{status}, 'completed', 'and all end with the parent';
	$sid = follow('+14160031', '<Dial sequential="true" action="/action"><Number>+15000002</Number>'
		. '<Number>+14170031</Number><Number>+14170032</Number></Dial>');
	hears($sid, 1000, 'one after the other');
	is_deeply [sort map { "$_->{to} $_->{status}" } children($sid)],
		['+14170031 in-progress', '+15000002 busy'], 'until one answers';
	$sandbox->api('POST', "Calls/$sid.json", Twiml => '<Response><Hangup/></Response>');
	$sandbox->wait_status($sid, 'completed');
	is scalar(grep { $_->{status} eq 'in-progress' } children($sid)), 0, 'redirected: its legs end';
};

subtest 'the callee hears a document first' => sub {
	my $whisper = $sandbox->hook_url(doc('<Response><Gather numDigits="1" timeout="60"/><Hangup/></Response>'));
	$whisper =~ s/&/&amp;/g;
	my $sid = follow('+14170040', qq{<Dial action="/action"><Number url="$whisper">+14170041</Number></Dial>});
	my $child;
	wait_for('the child', 5, sub { ($child) = children($sid); $child && $child->{status} eq 'in-progress' });
	$sandbox->control('POST', 'hangup', { call_sid => $child->{sid} });
	is at_action($sid)->{DialBridged}, 'false', 'and may hang up';
	my $plain = $sandbox->hook_url(doc('<Response><Say>x</Say></Response>'));
	$sid = follow('+14170042', qq{<Dial action="/action"><Number url="$plain">+14160043</Number></Dial>});
	hears($sid, 440, 'at its end they are bridged');
	my $dials = $sandbox->hook_url(doc('<Response><Dial>+14170044</Dial></Response>'));
	$sid = follow('+14170045', qq{<Dial action="/action"><Number url="$dials">+14170046</Number></Dial>});
	at_action($sid);
	is_deeply [map { warnings_of($_->{sid}) } children($sid)], [13201], 'but it may not dial';
};

subtest 'an inbound call rings until somebody answers' => sub {
	my ($number) = @{ $sandbox->api('GET', 'IncomingPhoneNumbers.json?PhoneNumber=%2B15550001')
		->{json}{incoming_phone_numbers} };
	$sandbox->api('POST', "IncomingPhoneNumbers/$number->{sid}.json", VoiceUrl => $sandbox->hook_url(
		doc('<Response><Dial answerOnBridge="true" action="/action">+14170050</Dial></Response>')));
	my $sid = $sandbox->control('POST', 'inbound', { from => '+14155550123', to => $FROM })->{json}{call_sid};
	wait_for('the child', 5, sub { my ($c) = children($sid); $c && $c->{status} eq 'ringing' });
	is $sandbox->api('GET', "Calls/$sid.json")->{json}{status}, 'ringing', 'it rings';
	is((children($sid))[0]{from}, '+14155550123', 'the caller is shown');
	$sandbox->wait_status($sid, 'in-progress');
	hears($sid, 1000, 'then it is answered and hears');
};

subtest 'calls wait in a queue' => sub {
	my $wait = $sandbox->hook_url(doc('<Response><Say>' . 'please wait ' x 20 . '</Say></Response>'));
	my $sid = follow('+14170080', qq{<Enqueue action="/action" waitUrl="$wait">line</Enqueue>});
	hears($sid, 350, 'and hear what is played to those who wait');
	my ($queue) = grep { $_->{friendly_name} eq 'line' } @{ $sandbox->api('GET', 'Queues.json')->{json}{queues} };
	is $queue->{current_size}, 1, 'one waits';
	my ($asked) = $sandbox->hooked('/doc', 1, sub { ($_[0]{form}{QueuePosition} // '') eq '1' });
	is $asked->{form}{QueueSid}, $queue->{sid}, 'the waitUrl knows the queue';
	is $sandbox->api('GET', "Queues/$queue->{sid}/Members/Front.json")->{json}{call_sid}, $sid, 'at the front';
	is $sandbox->api('DELETE', "Queues/$queue->{sid}.json")->{json}{code}, 20409, 'so the queue stays';
	my $agent = follow('+14160081', '<Dial action="/action"><Queue>line</Queue></Dial>');
	hears($agent, 1000, 'who dials the queue hears the first of it');
	is scalar @{ $sandbox->api('GET', "Queues/$queue->{sid}/Members.json")->{json}{queue_members} }, 0,
		'who does not wait any more';
	$sandbox->api('POST', "Calls/$agent.json", Status => 'completed');
	is at_action($sid)->{QueueResult}, 'bridged', 'and goes on afterwards';
	my $empty = follow('+14160082', '<Dial action="/action" timeout="3"><Queue>line</Queue></Dial>');
	is at_action($empty)->{DialCallStatus}, 'no-answer', 'an empty queue is waited for, for a while';
	my $leave = $sandbox->hook_url(doc('<Response><Say>x</Say><Leave/></Response>'));
	is at_action(follow('+14160083', qq{<Enqueue action="/action" waitUrl="$leave">line</Enqueue>}))
		->{QueueResult}, 'leave', 'one may leave';
	my $gone = follow('+14160084', '<Enqueue action="/action" waitUrl="">line</Enqueue>');
	wait_for('it to wait', 5, sub { $sandbox->api('GET', "Queues/$queue->{sid}/Members/$gone.json")->{status} == 200 });
	$sandbox->control('POST', 'hangup', { call_sid => $gone });
	is at_action($gone)->{QueueResult}, 'hangup', 'or hang up';
	my $sent = follow('+14160085', '<Enqueue waitUrl="">line</Enqueue>');
	wait_for('it to wait', 5, sub { $sandbox->api('GET', "Queues/$queue->{sid}/Members/$sent.json")->{status} == 200 });
	$sandbox->api('POST', "Queues/$queue->{sid}/Members/$sent.json", Url => $sandbox->hook_url('/action'));
	ok at_action($sent)->{CallSid}, 'or is sent elsewhere';
	is $sandbox->api('DELETE', "Queues/$queue->{sid}.json")->{status}, 204, 'then the queue may go';
	$sid = follow('+14170086', '<Dial action="/action">+14160087</Dial>');
	hears($sid, 440, 'of two who talk');
	my ($child) = children($sid);
	$sandbox->api('POST', "Calls/$child->{sid}.json", Twiml => "<Response>$end</Response>");
	is at_action($sid)->{DialCallStatus}, 'completed', 'one is sent elsewhere, the other goes on';
	is $sandbox->api('GET', "Calls/$child->{sid}.json")->{json}{status}, 'in-progress', 'and both are there';
};

subtest 'what is wrong is said' => sub {
	my $sid = follow('+14160060', '<Shout>x</Shout><Say tone="high">x</Say><Pause length="0"/>'
		. '<Dial callerId="+19998887777">+14170060</Dial><Redirect>/action</Redirect>');
	at_action($sid);
	is_deeply [sort(warnings_of($sid))], [12200, 12200, 13214, 13910], 'each with its number';
	my ($line) = grep { $_->{call_sid} eq $sid } $sandbox->lines('warning');
	like $line->{detail}, qr/Shout/, 'and what it is about';
	my %errors = ('/json' => 12300, '/broken' => 12100, '/fail' => 11200, '/large' => 11750);
	for my $path (sort keys %errors) {
		$sid = $sandbox->dial('+14160061', Url => $sandbox->hook_url($path),
			FallbackUrl => $sandbox->hook_url('/fallback'));
		is at_action($sid, '/fallback')->{ErrorCode}, $errors{$path}, "$path: the fallback is told $errors{$path}";
	}
	$sid = follow('+14160064', '<Redirect> </Redirect>', FallbackUrl => $sandbox->hook_url('/fallback'));
	is at_action($sid, '/fallback')->{ErrorCode}, 11100, 'an empty Redirect leads nowhere';
	$sid = $sandbox->dial('+14160062', Url => $sandbox->hook_url('/broken'));
	$sandbox->wait_status($sid, 'completed');
	is_deeply [warnings_of($sid)], [12100], 'without a fallback the call ends';
	$sid = $sandbox->dial('+14160063', Twiml => '<Response><Gather numDigits="1"/></Response>');
	$sandbox->wait_status($sid, 'completed');
	is_deeply [warnings_of($sid)], [11100], 'a text of ours has no address to return to';
};

subtest 'those who wait and are held have music, or what is announced' => sub {
	my @sids = map {
		$sandbox->api('POST', 'Conferences/held/Participants.json', To => $_, From => $FROM,
			ConferenceStatusCallback => $sandbox->hook_url('/conference'),
			ConferenceStatusCallbackEvent => 'announcement hold')->{json}{call_sid}
	} '+14180070', '+14180071';
	$sandbox->wait_status($_, 'in-progress') for @sids;
	my ($c) = @{ $sandbox->api('GET', 'Conferences.json?FriendlyName=held')->{json}{conferences} };
	my $path = "Conferences/$c->{sid}/Participants/$sids[0]";
	my $sound = $sandbox->hook_url('/600.wav');
	$sandbox->api('POST', "$path.json", Hold => 'true', HoldUrl => $sandbox->hook_url(
		doc("<Response><Play>$sound</Play></Response>")));
	hears($sids[0], 600, 'who is held hears the HoldUrl');
	my ($asked) = $sandbox->hooked('/doc', 1, sub { $_[0]{method} eq 'GET' });
	ok $asked->{signed}, 'asked by GET, signed';
	cmp_ok tone_power("$sandbox->{dir}/sandbox/heard/$sids[1].wav", 600), '<', 0.1, 'the other does not';
	is $sandbox->api('GET', "$path.json")->{json}{hold}, JSON::PP::true, 'held';
	is scalar @{ $sandbox->api('GET', "Conferences/$c->{sid}/Participants.json?Hold=true")
		->{json}{participants} }, 1, 'and found so';
	$sandbox->api('POST', "$path.json", Hold => 'false', AnnounceUrl => $sandbox->hook_url(
		doc('<Response><Say>' . 'a private word ' x 9 . '</Say></Response>')));
	hears($sids[0], 350, 'an announcement to one');
	$sandbox->hooked('/conference', 3);
	$sandbox->api('POST', "Conferences/$c->{sid}.json", AnnounceUrl => $sandbox->hook_url('/600.wav'));
	hears($sids[1], 600, 'and one to all, being sound itself');
	$sandbox->hooked('/conference', 4);    # its end too, before the next takes its place
	$sandbox->api('POST', "Conferences/$c->{sid}.json", AnnounceUrl => $sandbox->hook_url(
		doc('<Response><Dial>+1</Dial></Response>')));
	my @told = $sandbox->hooked('/conference', 5);
	my %count;
	$count{ $_->{form}{StatusCallbackEvent} }++ for @told;
	is_deeply \%count, { 'participant-hold' => 1, 'participant-unhold' => 1, 'announcement-end' => 2,
		'announcement-fail' => 1 }, 'all told';
	$sandbox->api('POST', "Conferences/$c->{sid}.json", Status => 'completed');
};

subtest 'a coach is heard by one alone' => sub {
	my ($agent, $customer, $coach) = map {
		$sandbox->api('POST', 'Conferences/coached/Participants.json', To => $_, From => $FROM,
			WaitUrl => '')->{json}{call_sid}
	} '+14180080', '+14180081', '+14170082';
	$sandbox->wait_status($_, 'in-progress') for $agent, $customer, $coach;
	my $path = "Conferences/coached/Participants/$coach.json";
	is $sandbox->api('POST', $path, Coaching => 'true', CallSidToCoach => "CA@{[ '0' x 32 ]}")->{json}{code},
		16028, 'somebody has to be there';
	is $sandbox->api('POST', $path, Coaching => 'true', CallSidToCoach => $agent)->{json}{coaching},
		JSON::PP::true, 'coaching';
	hears($agent, 1000, 'the coached one hears');
	sleep 0.5;
	my $late = read_file("$sandbox->{dir}/sandbox/heard/$customer.wav");
	open my $tail, '>:raw', "$file/tail.wav" or die;
	print $tail 'x' x 44, substr $late, -3200;
	close $tail;
	cmp_ok tone_power("$file/tail.wav", 1000), '<', 0.1, 'the customer does not';
	$sandbox->api('POST', "Calls/$_.json", Status => 'completed') for $agent, $customer, $coach;
};

subtest 'machines are told from people' => sub {
	my %first = ('+14180090' => 'unknown', '+14160090' => 'human', '+15030090' => 'machine_start');
	my %late = ('+15030091' => 'machine_end_beep');
	for my $case ((map { [$_, 'Enable', $first{$_}] } sort keys %first),
		(map { [$_, 'DetectMessageEnd', $late{$_}] } sort keys %late)) {
		my ($to, $how, $verdict) = @$case;
		my $sid = $sandbox->dial($to, MachineDetection => $how, AsyncAmd => 'true',
			AsyncAmdStatusCallback => $sandbox->hook_url('/amd'));
		my ($told) = $sandbox->hooked('/amd', 1, sub { $_[0]{form}{CallSid} eq $sid });
		is $told->{form}{AnsweredBy}, $verdict, "$to: $verdict";
		ok !exists $told->{form}{From}, 'and nothing but that';
	}
	my $sid = $sandbox->dial('+15030092', MachineDetection => 'Enable',
		MachineDetectionSpeechThreshold => 6000, MachineDetectionTimeout => 5, AsyncAmd => 'true',
		AsyncAmdStatusCallback => $sandbox->hook_url('/amd'));
	my ($told) = $sandbox->hooked('/amd', 1, sub { $_[0]{form}{CallSid} eq $sid });
	is $told->{form}{AnsweredBy}, 'unknown', 'its time-out is kept';
	is $told->{form}{MachineDetectionDuration}, 5000, 'to the millisecond';
};

subtest 'all of it in Twilio\'s shapes' => sub { $sandbox->answers_are_twilios };

$sandbox->ends_well;
done_testing;
