#!/usr/bin/env perl
# Hostile texts in every text field of every JSON body of the contract, nested ones and the names
# of open objects too, while all the rest of the body is valid: a field either keeps a text to the
# letter, or the request is refused with a sentence that names the field, and changes nothing.
use strict;
use warnings;
use Encode qw(encode_utf8);
use FindBin;
use lib "$FindBin::Bin/lib";
use JSON::PP;
use POSIX qw(strftime);
use Test::More;
use Omnivox::Asking;
use Omnivox::Hostile;
use Omnivox::Stage;

my $CM = $Omnivox::Stage::CM;
my %key = (SID => 'SK' . 'a1' x 16, SECRET => 'the-secret-of-the-api-key-0123456');
my $stage = Omnivox::Stage->new(gateway_env => {API_RATE => 0, TWILIO_TWIML_APP_SID => 'AP' . 'b2' x 16,
		map { ("TWILIO_API_KEY_$_" => $key{$_}) } keys %key},
	sandbox_env => {map { ("SANDBOX_API_KEY_$_" => $key{$_}) } keys %key},
	population => [{match => '*', behaviour => 'human', ring_ms => 10, talk_ms => 0}]);
$stage->start_sandbox;
$stage->start_gateway;
my $contract = asking($stage);
hostile($stage);
my $cookie = $stage->login;
my $worker = $stage->worker;
my $json = JSON::PP->new->utf8->canonical->allow_nonref;

# ---- the texts ----

# [as it stands between the quotes of a JSON document, the text; undef: it is none].
my @texts = ((map { [substr($json->encode($_), 1, -1), $_] }
	q{'; DROP TABLE users; --}, q{" OR ""="}, q{$1 %s %n ${x} {{7*7}} \\}, '<script>alert(1)</script>',
	'<Response><Dial>+15550001111</Dial></Response>', q{https://x.example/"/><Hangup/>&amp;<!--]]>},
	"\x{e9}\x{4e2d}\x{1f600}\x{202e}\x{feff}\x{ffff} to and fro", '../../../etc/passwd', '=cmd|calc!A1',
	"two\nlines\tand a tab", ' 9:00', '+9:+5', '-0:00', "\x{2028}null undefined NaN", 'x' x 20000),
	(map { [substr($json->encode($_), 1, -1), $_] } "a control\x01character", "\x1b[2Jcleared screen",
		"split\r\nSet-Cookie: ovx=1", "delete\x7fdelete"),
	['\u0041\u00e9\ud83d\ude00 as escapes\/', "A\x{e9}\x{1f600} as escapes/"],
	map { [$_] } 'a NUL \u0000 inside', 'half \ud800 a pair', '\udc00\ud800 turned', "bytes \xff\xfe of no text",
		"too long \xc0\x80", "\xed\xa0\x80 a surrogate", "\xf4\x90\x80\x80 beyond", "ends early \xe4\xb8");

# What a field that keeps texts must take; the others it must refuse.
sub good {
	my ($field, $text) = @_;
	return defined $text && $text !~ /[\x00-\x08\x0b-\x1f\x7f]/
		&& length($text) >= ($field->{minLength} // 0)
		&& length encode_utf8($text) <= ($field->{maxLength} // 8000);
}

# As long as it may be, of the longest characters; and one more.
sub edges {
	my ($field) = @_;
	my $max = $field->{maxLength} or return;
	my $text = 'x' x ($max % 4) . "\x{1f600}" x ($max / 4);
	return map { [substr($json->encode($_), 1, -1), $_] } $text, $text . 'x';
}

# ---- the fields ----

sub body_schema {
	my ($o) = @_;
	my $body = $contract->follow($o->{requestBody}) or return;
	return $body->{content}{'application/json'}{schema};
}

# Every text of a schema: path => its schema. "*" is a field of any name, "*=" that name.
sub fields_of {
	my ($schema, $path) = @_;
	my $s = $contract->follow($schema);
	return map { fields_of($_, $path) } @{$s->{oneOf}} if $s->{oneOf};
	my $open = ref $s->{additionalProperties} ? $s->{additionalProperties} : undef;
	return (map({ fields_of($s->{properties}{$_}, "$path.$_") } keys %{$s->{properties} // {}}),
		$open ? ("$path.*=" => {}, fields_of($open, "$path.*")) : ()) if $s->{properties} || $open;
	return fields_of($s->{items}, "$path\[]") if $s->{items};
	my @types = ref $s->{type} ? @{$s->{type}} : $s->{type} // 'string';
	return (grep { $_ eq 'string' } @types) ? ($path => $s) : ();
}

# Every text of a body: [its path in the contract, the way to it].
sub places {
	my ($schema, $value, $path, @way) = @_;
	my $s = $contract->follow($schema);
	while ($s->{oneOf}) {
		my ($fits) = grep { !$contract->check($_, $value, '') } @{$s->{oneOf}};
		$s = $contract->follow($fits // die "$path fits nothing\n");
	}
	return map { my $p = $s->{properties}{$_};
		(places($p // $s->{additionalProperties}, $value->{$_}, $path . ($p ? ".$_" : '.*'), @way, $_),
			$p ? () : ["$path.*=", @way, \$_]) } sort keys %$value if ref $value eq 'HASH';
	return map { places($s->{items}, $value->[$_], "$path\[]", @way, $_) } 0 .. $#$value
		if ref $value eq 'ARRAY';
	return Omnivox::Contract::kind($value) eq 'string' ? [$path, @way] : ();
}

# The document with other bytes at a place; a reference on the way is a name.
sub with {
	my ($body, $bytes, @way) = @_;
	my $copy = $json->decode($json->encode($body));
	my $last = pop @way;
	my $at = $copy;
	$at = ref $at eq 'ARRAY' ? $at->[$_] : $at->{$_} for @way;
	if (ref $last) { $at->{'@HERE@'} = delete $at->{$$last} }
	else { (ref $at eq 'ARRAY' ? $at->[$last] : $at->{$last}) = '@HERE@' }
	my $text = $json->encode($copy);
	$text =~ s/\@HERE\@/$bytes/ or die;
	return $text;
}

# ---- what the operations are asked for ----

my $count = 0;
sub fresh { return 'text-' . ++$count . ($_[0] // '') }
my $later = strftime('%Y-%m-%dT%H:%M:%SZ', gmtime(time + 86400));
sub number { return sprintf '+1415555%04d', ++$count }
sub from { return sprintf '127.0.1.%d', 1 + ++$count % 250 } # signing in is slow for who does it often

my $campaign = $stage->make_campaign({wrapUpS => 0}, map { number() } 1 .. 4);
my $list = $stage->api(POST => "$CM/data-lists", {name => 'Texts', country => 'US'})->{dataList}{id};
my $contact = $stage->api(POST => "$CM/data-lists/$list/contacts", {phone => number()})->{contact}{id};
my ($entry, $other, $third, $fourth) = @{$stage->api(GET => "$CM/campaigns/$campaign/queue")->{queueEntries}};
my ($disposition, $another) = map { $stage->api(POST => '/api/dispositions',
	{name => "Texts $_"})->{disposition}{dispositionId} } 1, 2;
my $callback = $stage->api(POST => '/api/callbacks', {campaignId => $campaign,
	contactId => $fourth->{contact}{id}, dueAt => $later})->{callback}{callbackId};
my ($user, $self) = map { $stage->api(POST => '/api/users', {username => $_, name => 'T', role => 'supervisor',
	password => 'pass-word'})->{user}{id} } qw(texts own);

# An agent whose phone Twilio rings when there is a call.
sub agent {
	my ($name, $at) = @_;
	my $a = $stage->make_agent($name, $at);
	$stage->api(PUT => "/api/agents/$a->{id}/endpoint",
		{type => 'phone', number => number(), nailed => JSON::PP::false});
	return $a->{id};
}
sub signed_in {
	my ($name, $at) = @_;
	my $id = agent($name, $at);
	$stage->agent_ready({id => $id, username => $name}, $at);
	return $id;
}
my $idle = agent('idle', $campaign);
my $caller = signed_in('caller', $campaign);
my $pauser = signed_in('pauser', $campaign);
my $by_hand = $stage->make_campaign({wrapUpS => 0});
my $dialler = signed_in('dialler', $by_hand);
my $preview = $stage->make_campaign({dialMethod => 'preview'}, number());
$stage->api(PUT => "$CM/campaigns/$preview", {state => 'active'});
my $viewer = agent('viewer', $preview);
my $call; # that `callNow` made
my $turn; # the same disposition again would change nothing
my $session; # of who changes the own password

# The agent is free again, everybody has hung up, and has told so.
sub ended {
	my ($id, $agent) = @_;
	$stage->api(POST => "/api/calls/$id/hangup");
	$stage->wait_until(20, 'the call to be over', sub {
		return 0 unless $stage->agent_session({id => $agent})->{state} eq 'ready'
			&& $stage->sql('SELECT count(*) FROM call_legs WHERE kind = \'agent\' AND left_at IS NULL') eq '0';
		my @log = $stage->call_log;
		my %told = map { $_->{call_sid} => 1 }
			grep { $_->{event} eq 'webhook' && ($_->{status} // '') =~ /^(completed|canceled)$/ } @log;
		return !grep { $_->{event} eq 'create' && !$told{$_->{call_sid}} } @log });
}
sub signs_in {
	my ($name, $secret) = @_;
	my $r = quick('POST', '/api/auth/login', {'Content-Type' => 'application/json'},
		$json->encode({username => $name, password => $secret}), from());
	return $r->{status} == 200 ? ($r->{headers}{'set-cookie'} =~ /^([^;]+)/)[0] : undef;
}
sub newest { my ($column, $table) = @_; return sub { stored("SELECT $column FROM $table ORDER BY id DESC LIMIT 1") } }
sub of { my ($column, $table, $id) = @_; return sub { stored("SELECT $column FROM $table WHERE id = $id") } }
sub stored { return $json->decode($stage->sql("SELECT to_json(($_[0])::text)")) }

# Open at every hour: they are dialled, too.
my %hours = map { ($_ => [{from => '00:00', to => '24:00'}]) } qw(mon tue wed thu fri sat sun);
my %campaign = (amd => 'off', announcementText => 'This is recorded.', announcementUrl => 'https://x.example/a.wav',
	callerId => '+15550000001', callingHours => \%hours, callingHoursZone => 'campaign', description => 'D',
	dialMethod => 'progressive', fallbackTimeZone => 'Europe/London', name => 'N', script => 'S',
	timeZone => 'America/New_York');
sub campaign_keeps {
	my ($how) = @_;
	return (map({ ($_ => $how->(lc s/([A-Z])/_$1/gr)) } qw(name description script announcementText)),
		announcementUrl => [$how->('announcement_url'), qr{^https?://}]);
}
my %contact = (email => 'a@b.example', firstName => 'F', lastName => 'L', timeZone => 'Europe/London',
	customFields => {city => 'London'});
sub contact_keeps {
	my ($how) = @_;
	return (email => [$how->('email'), qr/^\z/], firstName => $how->('first_name'), lastName => $how->('last_name'),
		'customFields.*' => [$how->("custom->>'city'"), qr/^/, qr/\r/],
		'customFields.*=' => [$how->('(SELECT k FROM jsonb_object_keys(custom) k)'), qr/^/, qr/\r/]);
}
sub opens { my ($name) = @_; return sub { my ($text, $body) = @_; signs_in($body->{username} // $name, $text) ? $text : undef } }
my %account = (body => sub { my $name = fresh(); ({username => $name, name => 'N', password => 'pass-word',
	sipUsername => "$name-sip", role => 'agent', endpoint => {type => 'phone', number => number()}}) },
	keeps => {name => newest(name => 'users'), password => opens()});
my $disposed = sub { +{name => fresh(), category => 'neutral', campaignIds => ["$campaign"]} };
my @ids = (campaignId => $campaign, listId => $list, contactId => $contact, userId => $user, callbackId => $callback,
	dispositionId => $disposition, queueId => $entry->{id}, agentId => $idle);

# body: bodies in which all its texts are. keeps: the fields that take any text, and how to see what
# was stored; with a pattern, those that match. judges: fields of which the answer tells, not the status.
my %asked = (
	createCampaign => {body => sub { +{%campaign} }, keeps => {campaign_keeps(sub { newest($_[0], 'campaigns') })}},
	updateCampaign => {body => sub { +{%campaign, state => 'active'} },
		keeps => {campaign_keeps(sub { of($_[0], 'campaigns', $campaign) })}},
	setDialMethod => {body => sub { +{dialMethod => 'progressive'} }},
	createDataList => {body => sub { +{name => 'N', campaignId => "$campaign", country => 'US'} },
		keeps => {name => newest(name => 'data_lists')}},
	(map { ($_ => {body => sub { +{name => 'N', campaignId => "$campaign", country => 'US'} },
		keeps => {name => of(name => 'data_lists', $list)}}) } qw(updateDataList patchDataList)),
	cloneDataList => {body => sub { +{newName => 'N'} }, keeps => {newName => newest(name => 'data_lists')}},
	assignDataList => {body => sub { +{listId => "$list"} }},
	generateQueue => {body => sub { +{} }},
	createContact => {body => sub { +{%contact, phone => number()} },
		keeps => {contact_keeps(sub { newest($_[0], 'contacts') })}},
	updateContact => {body => sub { +{%contact, phone => number()} },
		keeps => {contact_keeps(sub { of($_[0], 'contacts', $contact) })}},
	addDnc => {body => sub { +{phoneNumber => number(), campaignId => "$campaign", country => 'US', reason => 'R'} },
		keeps => {reason => newest(reason => 'dnc_numbers')}},
	importDnc => {body => sub { +{numbers => [number()], campaignId => "$campaign", country => 'US', reason => 'R'} },
		keeps => {reason => newest(reason => 'dnc_numbers')}, judges => {'numbers[]' => sub { $_[0]{added} == 0 }}},
	checkDnc => {body => sub { +{phoneNumber => number(), campaignId => "$campaign", country => 'US'} }},
	createAgent => {%account, body => sub { map { delete $_->{role}; $_ } $account{body}->() }},
	createUser => {%account, body => sub { ($account{body}->(), {username => fresh(), name => 'N',
		password => 'pass-word', role => 'supervisor'}) }},
	updateUser => {body => sub { +{name => 'N', password => 'pass-word', role => 'supervisor'} },
		keeps => {name => of(name => 'users', $user), password => opens('texts')}},
	setEndpoint => {body => sub { +{type => 'phone', number => number(), nailed => JSON::PP::false} }},
	createApiKey => {body => sub { +{name => 'N', role => 'agent', expiresAt => $later} },
		keeps => {name => newest(name => 'api_keys')}},
	login => {body => sub { map { {$_ => 'texts', password => 'pass-word'} } qw(username email) },
		refuses => {map { ($_ => 'WRONG_CREDENTIALS') } qw(username email password)}},
	changePassword => {body => sub { +{oldPassword => 'pass-word', newPassword => 'pass-word'} },
		as => sub { $session //= signs_in('own', 'pass-word') }, done => sub {
			$stage->api(PUT => "/api/users/$self", {password => 'pass-word'}); undef $session },
		keeps => {newPassword => sub { signs_in('own', $_[0]) ? $_[0] : undef }},
		refuses => {oldPassword => 'WRONG_PASSWORD'}},
	createToken => {body => sub { +{agentId => "$idle"} }},
	createDisposition => {body => $disposed, keeps => {name => newest(name => 'dispositions')},
		done => sub { $stage->api(DELETE => "/api/dispositions/$_[0]{disposition}{dispositionId}") }},
	updateDisposition => {body => $disposed, keeps => {name => of(name => 'dispositions', $disposition)}},
	createCallback => {body => sub { +{campaignId => "$campaign", contactId => "$third->{contact}{id}",
		agentId => "$idle", dueAt => $later, note => 'N'} }, keeps => {note => newest(note => 'callbacks')},
		done => sub { $stage->api(DELETE => "/api/callbacks/$_[0]{callback}{callbackId}") }},
	updateCallback => {body => sub { +{agentId => "$idle", dueAt => $later, note => 'N'} },
		keeps => {note => of(note => 'callbacks', $callback)}},
	joinAgent => {body => sub { +{agentId => "$idle"} }},
	leaveAgent => {body => sub { +{agentId => "$idle"} }, done => sub {
		$stage->api(POST => "$CM/campaigns/$campaign/join-agent", {agentId => $idle}) }},
	startSession => {body => sub { +{campaignId => "$campaign"} },
		done => sub { $stage->api(DELETE => "/api/agents/$idle/session") }},
	setPaused => {at => {agentId => $pauser}, body => sub { +{reason => 'lunch', type => 'break', comment => 'C'} },
		keeps => {comment => newest(comment => 'pause_events')}, refuses => {type => qr/reason/}},
	# What is somebody's for a while would be let go while another operation is looked at.
	previewNext => {at => {campaignId => $preview}, body => sub { +{agentId => "$viewer"} }, done => sub {
		$stage->sql('UPDATE queue_entries SET agent_id = NULL, agent_until = NULL WHERE agent_until IS NOT NULL') }},
	callNow => {body => sub { +{agentId => "$caller"} }, done => sub { $call = $_[0]{callRecord}{id};
		$stage->wait_until(20, 'them to talk', sub {
			$stage->api(GET => "/api/calls/$call")->{call}{state} eq 'bridged' }) }},
	dialNumber => {body => sub { +{to => number(), agentId => "$dialler", campaignId => "$by_hand", campaignName => 'N',
		contactName => 'N', dialCorrelationId => fresh('-correlation')},
		{to => $other->{contact}{phone}, agentId => "$caller", contactId => "$other->{contact}{id}"} },
		keeps => {contactName => newest(first_name => 'contacts'), campaignName => undef},
		done => sub { ended($_[0]{callId}, $_[1]{agentId}) }},
	(map { ($_ => {body => sub { +{leg => 'customer'} }}) } qw(muteCall unmuteCall)),
	disposeCall => {body => sub { +{dispositionId => $turn ? "$another" : "$disposition", callbackAgentId => "$idle",
		callbackAt => $later, notes => 'N'} }, done => sub { $turn = !$turn }, keeps => {notes => sub {
		stored("SELECT notes FROM call_dispositions WHERE call_id = $call") }}},
	uploadContacts => {body => sub { +{contacts => [{phone => number(), firstName => 'F', note => 'N',
		customFields => {city => 'London'}}], mapping => {note => 'custom'}, options => {country => 'US'}} },
		judge => \&imported},
	resumeTwilio => {body => sub { +{id => $stage->sql("INSERT INTO twilio_stops (scope, key, kind, code, reason)"
		. " VALUES ('country', 'X" . ++$count . "', 'country', 1, 'For a test.') RETURNING id")} }},
);

# A row is taken: its texts to the letter but for space around them, a person's name in one line and
# the names of fields too, as long as they may be; or it is rejected, or the document is refused.
sub imported {
	my ($r, $text, $place) = @_;
	my ($path, @way) = @$place;
	my $data = $r->{json}{data};
	return $r->{status} == 422 && $r->{json}{error}{code} eq 'BAD_LIST' unless $data;
	return $data->{upload}{rejected} == 1 && $data->{upload}{errors}[0]{reason} if !$data->{upload}{uploaded};
	return 1 if $path =~ /^mapping/; # of a column that is not there
	return 0 unless defined $text;
	return index("\n" . stored('SELECT string_agg(k, chr(10)) FROM (SELECT jsonb_object_keys(custom) k FROM contacts'
		. ' WHERE id = (SELECT max(id) FROM contacts)) n') . "\n", "\n" . cut($text, 64) =~ s/[\x01-\x1f\x7f]/ /gr . "\n") >= 0 if ref $way[-1];
	$text =~ s/^[ \t\r\n]+|[ \t\r\n]+\z//g;
	return newest("custom->>'$way[-1]'", 'contacts')->() eq $text unless $way[-1] eq 'firstName';
	return newest(first_name => 'contacts')->() eq cut($text =~ s/[\t\r\n]/ /gr, 63);
}

# What of a text fits into so many bytes.
sub cut {
	my ($text, $bytes) = @_;
	chop $text while length encode_utf8($text) > $bytes;
	return $text;
}

# ---- asking ----

my (@wrong, $asked, $kept, $refused);

sub ask_one {
	my ($o, $spec, $content) = @_;
	my %at = (@ids, callId => $call // 0, %{$spec->{at} // {}});
	(my $path = $o->{path}) =~ s/\{(\w+)\}/$at{$1}/g;
	my $r = quick($o->{method}, $path, {'Content-Type' => 'application/json',
		$o->{operationId} eq 'login' ? () : (Cookie => $spec->{as} ? $spec->{as}->() : $cookie)}, $content,
		$o->{operationId} =~ /^(login|changePassword)$/ ? from() : ());
	$r->{json} = eval { $json->decode($r->{content}) } // {};
	push @wrong, map { "$o->{operationId}: $_" } $contract->complaints($o->{method}, $path, $r);
	$asked++;
	return $r;
}

# What is wrong with the answer to a text in a field; '' nothing.
sub judge {
	my ($o, $spec, $r, $place, $text, $content) = @_;
	my $path = $place->[0];
	return $spec->{judge}->($r, $text, $place) ? '' : 'not as it should be' if $spec->{judge};
	my $keeps = $spec->{keeps}{$path};
	my ($see, $only, $also) = ref $keeps eq 'ARRAY' ? @$keeps : ($keeps, qr/^/);
	my $bare = defined $text && $also ? $text =~ s/$also//gr : $text;
	my $field = {fields_of(body_schema($o), '')}->{".$path"};
	my $taken = exists $spec->{keeps}{$path} ? (!$see ? defined $text : good($field, $bare) && $text =~ $only)
		: $spec->{judges}{$path} && defined $text;
	if ($r->{status} < 300) {
		my $data = $r->{json}{data} // $r->{json};
		my $got = $see && $taken ? $see->($text, $json->decode($content)) : $text;
		my $told = !$spec->{judges}{$path} || $spec->{judges}{$path}->($data);
		$spec->{done}->($data, $json->decode($content)) if $spec->{done};
		$kept++ if $see;
		return !$taken ? 'taken' : !$told ? 'not told of' : ($got // '') ne $text ? "kept as '" . ($got // '') . "'" : '';
	}
	return 'refused' if $taken;
	return 'no refusal' unless $r->{status} =~ /^4/ && ($r->{json}{error}{message} // '') =~ /.{12}/;
	$refused++;
	my ($code, $said) = ($r->{json}{error}{code}, $json->encode($r->{json}{error}));
	return $r->{status} == 400 && $code eq 'BAD_JSON' ? '' : 'not said to be no text' unless defined $text;
	return '' if $code eq ($spec->{refuses}{$path} // '');
	my @names = ($spec->{refuses}{$path} // (), grep { /^\w/ } split /[.\[\]*=]+/, $path);
	return $code eq 'VALIDATION' && grep({ $said =~ /\b$_\b/ } @names) ? '' : 'the field is not named';
}

sub check_operation {
	my ($o, $spec) = @_;
	my %reached;
	my $schema = body_schema($o);
	my @bodies = $spec->{body}->();
	for my $i (0 .. $#bodies) {
		my $ask = sub { my ($place, $bytes, $text) = @_;
			my $body = ($spec->{body}->())[$i];
			my $content = $place ? with($body, $bytes, @$place[1 .. $#$place]) : $json->encode($body);
			my $r = ask_one($o, $spec, $content);
			return ($r, $content) };
		my ($good) = $ask->();
		return fail("$o->{operationId} took its harmless body") || diag $good->{content}
			unless $good->{status} =~ /^2/;
		$spec->{done}->($good->{json}{data} // $good->{json}, $bodies[$i]) if $spec->{done};
		my @again;
		for my $place (places($schema, $bodies[$i], '')) {
			$place->[0] =~ s/^\.//;
			$reached{$place->[0]} = 1;
			my $field = {fields_of($schema, '')}->{".$place->[0]"};
			for (@texts, edges($field)) {
				my ($bytes, $text) = @$_;
				my ($r, $content) = $ask->($place, $bytes, $text);
				my $what = judge($o, $spec, $r, $place, $text, $content);
				push @wrong, "$o->{operationId} $place->[0] = " . substr($bytes, 0, 60) . ": $what: "
					. "$r->{status} " . substr $r->{content}, 0, 200 if $what;
				push @again, [$content, $r->{content}] if $r->{status} >= 400;
			}
		}
		# Once more: now nothing else goes on.
		my $before = holds();
		for (@again) {
			my $r = ask_one($o, $spec, $_->[0]);
			push @wrong, "$o->{operationId}: another answer: $r->{content}" if $r->{status} < 400;
		}
		unchanged("$o->{operationId}, refused", $before) if @again;
	}
	my %all = fields_of($schema, '');
	is_deeply [sort keys %reached], [sort map { s/^\.//r } keys %all], "$o->{operationId}: every text was reached";
	my @found = splice @wrong;
	ok !@found, "$o->{operationId}: each is kept to the letter, or refused"
		or diag map { "$_\n" } @found[0 .. ($#found > 20 ? 20 : $#found)];
}

# Those that need the call that `callNow` makes come last.
my %place = (callNow => 1, muteCall => 2, unmuteCall => 3, disposeCall => 4);
for my $o (sort { ($place{$a->{operationId}} // 0) <=> ($place{$b->{operationId}} // 0)
		|| $a->{operationId} cmp $b->{operationId} } grep { body_schema($_) } $contract->operations) {
	my %all = fields_of(body_schema($o), '');
	next unless %all;
	subtest $o->{operationId} => sub {
		ok $asked{$o->{operationId}}, 'it is known what to ask' or return;
		check_operation($o, $asked{$o->{operationId}});
	};
}

is $stage->worker, $worker, 'it is still the same worker';
cmp_ok $kept, '>', 400, "$kept of $asked texts were kept to the letter, $refused refused by their field";
undef $stage;
done_testing;
