# Twiml.pm: TwiML as a judge: parses a document strictly and holds every verb, attribute, value and
# nesting against what Twilio's pages say (twilio.com/docs/voice/twiml). Written from those pages,
# not from our writer; only what we use is allowed at all.
package Omnivox::Twiml;
use strict;
use warnings;
use Exporter qw(import);

our @EXPORT_OK = qw(twiml_parse twiml_complaints);

my $URL = qr/^https?:\/\/\S+$/;
my $BOOL = qr/^(true|false)$/;
my $WORDS = qr/^(start|end|join|leave|mute|hold|modify|speaker|announcement)( (start|end|join|leave|mute|hold|modify|speaker|announcement))*$/;

# verb => {attributes => {name => pattern}, children => [...], text => pattern of the text}
my %verbs = (
	Response => {children => [qw(Say Pause Hangup Redirect Dial Gather)]},
	Say => {attributes => {voice => qr/./, language => qr/./, loop => qr/^\d+$/},
		text => qr/^.{1,4096}$/s},
	Pause => {attributes => {length => qr/^[1-9]\d*$/}},
	Hangup => {},
	Redirect => {attributes => {method => qr/^(GET|POST)$/}, text => qr/^(?!#)\S+$/},
	Gather => {attributes => {action => $URL, method => qr/^(GET|POST)$/,
			input => qr/^(dtmf|speech|dtmf speech)$/, timeout => qr/^\d+$/,
			numDigits => qr/^[1-9]\d*$/, finishOnKey => qr/^[0-9#*]?$/,
			actionOnEmptyResult => $BOOL},
		children => [qw(Say Play Pause)]},
	Dial => {attributes => {action => $URL, method => qr/^(GET|POST)$/, callerId => qr/^\+\d+$/,
			timeout => qr/^([5-9]|[1-9]\d|[1-5]\d\d|600)$/, answerOnBridge => $BOOL},
		children => ['Conference'], most => 1},
	Conference => {attributes => {muted => $BOOL, beep => qr/^(true|false|onEnter|onExit)$/,
			startConferenceOnEnter => $BOOL, endConferenceOnExit => $BOOL,
			participantLabel => qr/^(?!CA[0-9a-f]{32}$)[^\/]{1,128}$/, waitUrl => qr/^(https?:\/\/\S+)?$/,
			waitMethod => qr/^(GET|POST)$/, maxParticipants => qr/^\d+$/, coach => qr/^CA[0-9a-f]{32}$/,
			statusCallback => $URL, statusCallbackMethod => qr/^(GET|POST)$/,
			statusCallbackEvent => $WORDS},
		text => qr/^[^<>]{1,128}$/});

my %entity = (amp => '&', lt => '<', gt => '>', quot => '"', apos => "'");

sub text_of {
	my ($raw) = @_;
	die "a bare & or <\n" if $raw =~ /&(?!(amp|lt|gt|quot|apos|#\d+);)|</;
	$raw =~ s/&(?:(\w+)|#(\d+));/defined $1 ? $entity{$1} : chr $2/ge;
	return $raw;
}

# The document as {name, attributes, children, text}; dies when it is not well-formed.
sub twiml_parse {
	my ($doc) = @_;
	die "no XML declaration\n" unless $doc =~ s/^<\?xml version="1\.0" encoding="UTF-8"\?>//;
	die "too long\n" if length $doc > 65536;
	my $root = {children => [], text => ''};
	my @open = ($root);
	while (length $doc) {
		if ($doc =~ s/^<\/(\w+)>//) {
			my $node = pop @open;
			die "</$1> closes $node->{name}\n" unless @open && $node->{name} eq $1;
		} elsif ($doc =~ s/^<(\w+)((?:\s+\w+="[^"<]*")*)\s*(\/?)>//) {
			my $node = {name => $1, attributes => {}, children => [], text => ''};
			my ($attributes, $empty) = ($2, $3);
			while ($attributes =~ /(\w+)="([^"]*)"/g) {
				die "$1 twice\n" if exists $node->{attributes}{$1};
				$node->{attributes}{$1} = text_of($2);
			}
			push @{$open[-1]{children}}, $node;
			push @open, $node unless $empty;
		} elsif ($doc =~ s/^([^<]+)//) {
			$open[-1]{text} .= text_of($1);
		} else {
			die 'not XML: ' . substr($doc, 0, 40) . "\n";
		}
	}
	die "$open[-1]{name} is not closed\n" if @open > 1;
	die "one root\n" unless @{$root->{children}} == 1 && $root->{text} eq '';
	return $root->{children}[0];
}

sub complaints_of {
	my ($node) = @_;
	my $verb = $verbs{$node->{name}} or return "$node->{name} is no verb of ours";
	my @wrong;
	for my $name (sort keys %{$node->{attributes}}) {
		my $pattern = ($verb->{attributes} // {})->{$name};
		push @wrong, "$node->{name} has no $name" and next unless $pattern;
		push @wrong, "$node->{name} $name=\"$node->{attributes}{$name}\""
			unless $node->{attributes}{$name} =~ $pattern;
	}
	push @wrong, "$node->{name} says \"$node->{text}\""
		unless $verb->{text} ? $node->{text} =~ $verb->{text} : $node->{text} eq '';
	my %may = map { $_ => 1 } @{$verb->{children} // []};
	for my $child (@{$node->{children}}) {
		push @wrong, $may{$child->{name}} ? complaints_of($child)
			: "$child->{name} inside $node->{name}";
	}
	push @wrong, "$node->{name} holds too much" if @{$node->{children}} > ($verb->{most} // 100);
	return @wrong;
}

# What Twilio would not take; empty when nothing is wrong. Nothing may follow where nothing is run.
sub twiml_complaints {
	my ($doc) = @_;
	my $root = eval { twiml_parse($doc) } or return "not well-formed: $@";
	return "the root is $root->{name}" unless $root->{name} eq 'Response';
	my @wrong = complaints_of($root);
	my @verbs = map { $_->{name} } @{$root->{children}};
	push @wrong, 'it does nothing' unless @verbs;
	for my $i (0 .. $#verbs - 1) {
		push @wrong, "verbs after $verbs[$i]" if $verbs[$i] =~ /^(Hangup|Redirect)$/;
	}
	return @wrong;
}

1;
