#!/usr/bin/env perl
# What an account sets up at Twilio: numbers, applications, SIP domains with their credentials,
# caller ids, queues; and that calls go by it.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Omnivox::Sandbox;
use Omnivox::SipCaller;
use Omnivox::Test;

my $sandbox = Omnivox::Sandbox->new(answer => sub {
	my ($request) = @_;
	return unless $request->{path} eq '/voice';
	return [200, 'text/xml', '<Response><Reject reason="busy"/></Response>'];
});
my $NO = '0' x 32;

sub refused
{
	my ($code, $what, @request) = @_;
	my $got = $sandbox->api(@request);
	is $got->{json}{code}, $code, "$what: $code";
	return $got;
}

# Creates, fetches, lists, changes and leaves the thing; returns its SID.
sub lives
{
	my ($path, $array, $create, $change, $check) = @_;
	my $made = $sandbox->api('POST', "$path.json", %$create);
	is $made->{status}, 201, "$path: created";
	my $sid = $made->{json}{sid};
	is $sandbox->api('GET', "$path/$sid.json")->{json}{sid}, $sid, 'fetched';
	is $sandbox->api('GET', "$path.json?PageSize=1")->{json}{$array}[0]{sid}, $sid,
		'listed, the newest first';
	if ($change) {
		my $got = $sandbox->api('POST', "$path/$sid.json", %$change)->{json};
		is $got->{$_}, $check->{$_}, "changed: $_" for sort keys %$check;
	}
	is $sandbox->api('GET', "$path/" . substr($sid, 0, 2) . "$NO.json")->{status}, 404,
		'another is not there';
	return $sid;
}

subtest 'applications' => sub {
	my $sid = lives('Applications', 'applications', {
		FriendlyName => 'browser', VoiceUrl => $sandbox->hook_url('/voice') }, {
		VoiceMethod => 'GET', StatusCallback => $sandbox->hook_url('/status'),
		VoiceCallerIdLookup => 'true', Unknown => 'ignored' }, {
		voice_method => 'GET', friendly_name => 'browser', voice_caller_id_lookup => 1 });
	like $sid, qr/^AP[0-9a-f]{32}$/, 'AP';
	refused(21402, 'a bad URL', 'POST', "Applications/$sid.json", VoiceUrl => 'nowhere');
	refused(21403, 'a bad method', 'POST', "Applications/$sid.json", VoiceMethod => 'PUT',
		FriendlyName => 'changed');
	is $sandbox->api('GET', "Applications/$sid.json")->{json}{friendly_name}, 'browser',
		'what is refused changes nothing';
	is scalar @{ $sandbox->api('GET', 'Applications.json?FriendlyName=other')->{json}{applications} },
		0, 'filtered by name';
	is $sandbox->api('POST', "Applications/$sid.json", VoiceUrl => '')->{json}{voice_url}, undef,
		'a URL is emptied';
	is $sandbox->api('DELETE', "Applications/$sid.json")->{status}, 204, 'deleted';
	is $sandbox->api('GET', "Applications/$sid.json")->{status}, 404, 'and gone';
};

subtest 'numbers' => sub {
	my $app = $sandbox->api('POST', 'Applications.json')->{json}{sid};
	my $sid = lives('IncomingPhoneNumbers', 'incoming_phone_numbers',
		{ PhoneNumber => '+14155550199', VoiceUrl => $sandbox->hook_url('/voice') },
		{ VoiceApplicationSid => $app, FriendlyName => 'main' },
		{ voice_application_sid => $app, friendly_name => 'main', trunk_sid => undef });
	my $trunk = $sandbox->api('POST', "IncomingPhoneNumbers/$sid.json",
		TrunkSid => "TK$NO")->{json};
	is $trunk->{trunk_sid}, "TK$NO", 'a trunk';
	is $trunk->{voice_application_sid}, undef, 'takes the place of the application';
	refused(21422, 'twice', 'POST', 'IncomingPhoneNumbers.json', PhoneNumber => '+14155550199');
	refused(21421, 'no number', 'POST', 'IncomingPhoneNumbers.json', PhoneNumber => '555');
	refused(21420, 'no application', 'POST', "IncomingPhoneNumbers/$sid.json",
		VoiceApplicationSid => "AP$NO");
	my $found = sub {
		return scalar @{ $sandbox->api('GET', "IncomingPhoneNumbers.json?$_[0]")
			->{json}{incoming_phone_numbers} };
	};
	is $found->('PhoneNumber=5550199'), 1, 'found by a part';
	is $found->('PhoneNumber=%2B1415*0199'), 1, 'and by a pattern';
	is $found->('PhoneNumber=999'), 0, 'and not by another';
	is $found->('FriendlyName=main'), 1, 'by name';
	is $sandbox->api('DELETE', "IncomingPhoneNumbers/$sid.json")->{status}, 204, 'released';
	refused(21210, 'a call from it', 'POST', 'Calls.json', To => '+14155550000',
		From => '+14155550199', Twiml => '<Response/>');
};

subtest 'caller ids' => sub {
	my $asked = $sandbox->api('POST', 'OutgoingCallerIds.json', PhoneNumber => '+14155550177',
		FriendlyName => 'shop', StatusCallback => $sandbox->hook_url('/verified'));
	is $asked->{status}, 200, 'a validation is asked for';
	like $asked->{json}{validation_code}, qr/^\d{6}$/, 'with a code';
	my ($told) = $sandbox->hooked('/verified', 1);
	is $told->{form}{VerificationStatus}, 'success', 'told';
	my $sid = $told->{form}{OutgoingCallerIdSid};
	is $sandbox->api('GET', "OutgoingCallerIds/$sid.json")->{json}{phone_number}, '+14155550177',
		'verified';
	refused(21450, 'twice', 'POST', 'OutgoingCallerIds.json', PhoneNumber => '+14155550177');
	ok $sandbox->dial('+14155550000', From => '+14155550177'), 'calls may show it';
	is $sandbox->api('POST', "OutgoingCallerIds/$sid.json", FriendlyName => 'store')
		->{json}{friendly_name}, 'store', 'renamed';
	is $sandbox->api('DELETE', "OutgoingCallerIds/$sid.json")->{status}, 204, 'given up';
};

subtest 'queues' => sub {
	my $sid = lives('Queues', 'queues', { FriendlyName => 'line' }, { MaxSize => 7 },
		{ max_size => 7, current_size => 0 });
	refused(20409, 'twice', 'POST', 'Queues.json', FriendlyName => 'line');
	is $sandbox->api('DELETE', "Queues/$sid.json")->{status}, 204, 'deleted';
};

my ($domain, $list, $credential);

subtest 'SIP domains and credentials' => sub {
	$domain = lives('SIP/Domains', 'domains', {
		DomainName => 'shop.sip.twilio.com', VoiceUrl => $sandbox->hook_url('/voice') },
		{ SipRegistration => 'true', FriendlyName => 'Shop' },
		{ sip_registration => 1, friendly_name => 'Shop', auth_type => '' });
	refused(21232, 'a foreign domain', 'POST', 'SIP/Domains.json', DomainName => 'example.com');
	refused(21231, 'the same again', 'POST', 'SIP/Domains.json',
		DomainName => 'shop.sip.twilio.com');
	refused(21231, 'none', 'POST', 'SIP/Domains.json');
	$list = lives('SIP/CredentialLists', 'credential_lists', { FriendlyName => 'gateways' },
		{ FriendlyName => 'gateway' }, { friendly_name => 'gateway' });
	my $credentials = "SIP/CredentialLists/$list/Credentials";
	$credential = lives($credentials, 'credentials',
		{ Username => 'gw7', Password => 'Correct-Horse-9' },
		{ Password => 'Another-Horse-8' }, { username => 'gw7', credential_list_sid => $list });
	refused(21243, 'a weak password', 'POST', "$credentials.json", Username => 'x',
		Password => 'short');
	refused(21243, 'a user twice', 'POST', "$credentials.json", Username => 'gw7',
		Password => 'Correct-Horse-9');
	refused(20404, 'of no list', 'POST', "SIP/CredentialLists/CL$NO/Credentials.json",
		Username => 'x', Password => 'Correct-Horse-9');
	my $path = "SIP/Domains/$domain/Auth/Calls/CredentialListMappings";
	is $sandbox->api('POST', "$path.json", CredentialListSid => $list)->{json}{sid}, $list,
		'mapped, under the SID of the list';
	refused(20404, 'another list', 'POST', "$path.json", CredentialListSid => "CL$NO");
	is_deeply [map { $_->{sid} } @{ $sandbox->api('GET', "$path.json")->{json}{contents} }], [$list],
		'listed';
	is $sandbox->api('GET', "SIP/Domains/$domain.json")->{json}{auth_type}, 'CREDENTIAL_LIST',
		'the domain says so';
	refused(21241, 'a list in use', 'DELETE', "SIP/CredentialLists/$list.json");
	for my $other ('Auth/Registrations/CredentialListMappings', 'CredentialListMappings') {
		is $sandbox->api('POST', "SIP/Domains/$domain/$other.json", CredentialListSid => $list)
			->{status}, 201, $other;
		$sandbox->api('GET', "SIP/Domains/$domain/$other.json");
		is $sandbox->api('DELETE', "SIP/Domains/$domain/$other/$list.json")->{status}, 204,
			'and not any more';
	}
};

sub calls
{
	my (%with) = @_;
	return Omnivox::SipCaller->new(server => $sandbox->{sip}, user => 'gw7',
		password => 'Another-Horse-8', %with)->call;
}

subtest 'a SIP call goes by them' => sub {
	is calls(), 486, 'its credential is taken, its domain asked';
	my ($asked) = $sandbox->hooked('/voice', 1);
	is $asked->{form}{SipDomainSid}, $domain, 'that domain';
	is calls(password => 'Correct-Horse-9'), 403, 'the old password is not';
	my $acl = lives('SIP/IpAccessControlLists', 'ip_access_control_lists',
		{ FriendlyName => 'office' });
	my $addresses = "SIP/IpAccessControlLists/$acl/IpAddresses";
	my $address = lives($addresses, 'ip_addresses',
		{ FriendlyName => 'there', IpAddress => '192.0.2.1' }, { CidrPrefixLength => 24 },
		{ cidr_prefix_length => 24, ip_address => '192.0.2.1' });
	refused(21238, 'no address', 'POST', "$addresses.json", FriendlyName => 'x',
		IpAddress => 'here');
	is $sandbox->api('POST', "SIP/Domains/$domain/Auth/Calls/IpAccessControlListMappings.json",
		IpAccessControlListSid => $acl)->{status}, 201, 'mapped';
	is $sandbox->api('GET', "SIP/Domains/$domain.json")->{json}{auth_type},
		'IP_ACL,CREDENTIAL_LIST', 'both are asked for';
	is calls(), 403, 'from elsewhere nobody calls';
	$sandbox->api('POST', "$addresses/$address.json", IpAddress => '127.0.0.1');
	is calls(), 486, 'from there one does';
	refused(21236, 'a list in use', 'DELETE', "SIP/IpAccessControlLists/$acl.json");
	is $sandbox->api('DELETE', "SIP/Domains/$domain.json")->{status}, 204, 'the domain goes';
	is $sandbox->api('DELETE', "SIP/IpAccessControlLists/$acl.json")->{status}, 204,
		'then its lists may';
	is calls(), 403, 'and nobody calls it any more';
};

subtest 'all of it in Twilio\'s shapes' => sub { $sandbox->answers_are_twilios };

$sandbox->ends_well;
done_testing;
