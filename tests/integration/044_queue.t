#!/usr/bin/env perl
# The queue by hand: filters, priority, skip, requeue, lists mixed by weight, and previews.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use POSIX qw(strftime);
use Test::More;
use Omnivox::Asking;
use Omnivox::Stage;

my $CM = $Omnivox::Stage::CM;
my $stage = Omnivox::Stage->new(population => [{match => '*', weight => 1,
	behaviour => 'human', ring_ms => 100, talk_ms => 300, say => 'tone:440'}]);
asking($stage);
$stage->start_sandbox;
$stage->start_gateway;
$stage->login;

my $id = $stage->make_campaign({dialMethod => 'preview', previewS => 5, maxAttemptsPer24h => 9},
	map { "+1555411000$_" } 1 .. 6);
my $path = "$CM/campaigns/$id/queue";
sub entries { return @{data(GET => $path . (defined $_[0] ? "?$_[0]" : ''))->{queueEntries}} }
sub names { return join ' ', map { $_->{contact}{firstName} } @_ }
my @e = entries();

subtest 'filters' => sub {
	is names(entries('search=%2B15554110003')), 'Name2', 'by number';
	is names(entries('search=name4%20te')), 'Name4', 'by name';
	my $list = $e[0]{list}{id};
	is scalar(entries("listId=$list")), 6, 'by list';
	is scalar(entries('listId=999999')), 0, 'of another list none';
	is data(PUT => "$path/$e[3]{id}", {priority => 1})->{queueEntry}{priority}, 1, 'a priority is set';
	is names(entries('priority=1')), 'Name3', 'and found';
	is scalar(entries('due=true')), 6, 'all are due';
	is ask(GET => "$path?$_")->{status}, 422, $_
		for 'priority=10', 'listId=x', 'due=perhaps', 'status=dead';
	is ask(PUT => "$path/$e[3]{id}", {priority => $_})->{status}, 422, "priority $_" for 0, 10, 'x';
	is ask(PUT => "$path/$e[3]{id}", {})->{status}, 422, 'no priority';
	is ask(PUT => "$path/999999", {priority => 1})->{status}, 404, 'no such entry';
};

subtest 'skip and requeue' => sub {
	my $skipped = data(POST => "$path/$e[5]{id}/skip")->{queueEntry};
	is "$skipped->{status} $skipped->{reason}", 'skipped operator', 'an entry is skipped';
	is ask(POST => "$path/$e[5]{id}/skip")->{status}, 409, 'once';
	is data(GET => $path)->{stats}{statusBreakdown}{skipped}, 1, 'and counted';
	is ask(PUT => "$path/$e[5]{id}", {priority => 1})->{status}, 409, 'it has no priority';
	is data(POST => "$path/$e[5]{id}/requeue")->{queueEntry}{status}, 'pending', 'it comes back';
	is ask(POST => "$path/$e[5]{id}/requeue")->{status}, 409, 'once';
	data(POST => "$path/$e[5]{id}/skip");
	my $more = $stage->api(POST => "$CM/campaigns/$id/generate-queue", {});
	is $more->{generated}, 0, 'generating does not bring it back';
};

my $ana = $stage->make_agent('ana', $id);
my $bo = $stage->make_agent('bo', $id);
$stage->start_phone($ana);
$stage->wait_registered($ana);
my $admin = $stage->{cookie};
my $her = $stage->login('ana', $ana->{password});
my $his = $stage->login('bo', $bo->{password});
$stage->{cookie} = $admin;

subtest 'previews' => sub {
	is as($her, POST => "$path/next", {})->{status}, 409, 'a draft gives none';
	data(PUT => "$CM/campaigns/$id", {state => 'active'});
	$stage->agent_ready($ana, $id);
	my $hers = as($her, POST => "$path/next", {})->{json}{data}{queueEntry};
	is $hers->{contact}{firstName}, 'Name3', 'the most urgent contact comes first';
	is $hers->{reservedFor}, $ana->{id}, 'it is hers';
	is as($her, POST => "$path/next", {})->{json}{data}{queueEntry}{id}, $hers->{id}, 'asked again, the same';
	my $other = as($his, POST => "$path/next", {})->{json}{data}{queueEntry};
	isnt $other->{id}, $hers->{id}, 'another agent gets another';
	is as($her, POST => "$path/next", {agentId => $bo->{id}})->{status}, 403, 'for herself only';
	is as($her, POST => "$path/$other->{id}/skip")->{status}, 403, 'what is his she cannot skip';
	is as($his, POST => "$path/$other->{id}/skip")->{json}{data}{queueEntry}{status}, 'skipped', 'he can';
	my $r = as($her, POST => "$path/$hers->{id}/call");
	is $r->{status}, 200, 'she calls it' or diag $r->{content};
	$stage->wait_until(15, 'the call to end', sub { (entries("search=%2B15554110004"))[0]{status} eq 'completed' });
	my $next = as($her, POST => "$path/next", {})->{json}{data}{queueEntry};
	$stage->wait_until(10, 'the preview to be over', sub {
		!(grep { $_->{id} eq $next->{id} } entries())[0]{reservedFor} });
	is as($his, POST => "$path/next", {})->{json}{data}{queueEntry}{id}, $next->{id}, 'then it is anybody\'s';
};

# The same window on every day, of two hours around now in London.
sub window {
	local $ENV{TZ} = 'Europe/London';
	POSIX::tzset();
	my ($from, $to) = map { strftime('%H:%M', localtime(time + $_)) } -3600, 3600;
	return {map { ($_ => [{from => $from, to => $to}]) } qw(mon tue wed thu fri sat sun)};
}

subtest 'whom nobody may call nobody previews' => sub {
	my $shut = $stage->api(POST => "$CM/campaigns", {name => 'Shut', dialMethod => 'preview', previewS => 600,
		callingHours => window()})->{campaign}{id};
	my (%list, %entry);
	for (['asleep', '+61291234567'], ['off', '+442079460002'], ['open', '+442079460003']) {
		my ($name, $number) = @$_;
		$list{$name} = $stage->api(POST => "$CM/data-lists", {name => $name, campaignId => $shut})->{dataList}{id};
		$stage->api(POST => "$CM/data-lists/$list{$name}/upload", "phone,first_name\n$number,$name\n",
			{'Content-Type' => 'text/csv'});
	}
	my $inactive = sub { data(PATCH => "$CM/data-lists/$list{$_[0]}", {active => JSON::PP::false}) };
	my $look = sub { %entry = map { ($_->{contact}{firstName} => $_) }
		@{data(GET => "$CM/campaigns/$shut/queue")->{queueEntries}} };
	$stage->api(POST => "$CM/campaigns/$shut/generate-queue", {});
	$look->();
	data(PUT => "$CM/campaigns/$shut/queue/$entry{asleep}{id}", {priority => 1});
	data(PUT => "$CM/campaigns/$shut/queue/$entry{open}{id}", {priority => 3});
	$inactive->('off');
	data(PUT => "$CM/campaigns/$shut", {state => 'active'});
	data(POST => "$CM/campaigns/$shut/join-agent", {agentId => $_->{id}}) for $ana, $bo;
	my $next = sub { as($_[0], POST => "$CM/campaigns/$shut/queue/next", {})->{json} };
	is $next->($her)->{data}{queueEntry}{contact}{firstName}, 'open', 'the one that may be called is shown';
	$look->();
	is_deeply [map { @{$entry{$_}}{qw(status reason reservedFor)} } qw(asleep off)],
		['pending', 'hours', undef, 'pending', 'list', undef], 'the others wait for their time, for nobody alone';
	my ($owned) = grep { $_->{code} eq 'owner' } @{data(GET => "$CM/campaigns/$shut/auto-dial")->{contacts}};
	is $owned->{earliest}, $entry{open}{reservedUntil}, 'what is kept for her is anybody\'s after that';
	is $next->($his)->{error}{code}, 'NOTHING_DUE', 'nobody else gets them';
	$inactive->('open');
	is $next->($her)->{error}{code}, 'NOTHING_DUE', 'nor she one that may not be called any more';
	$look->();
	is $entry{open}{reservedFor}, undef, 'which is hers no longer';
};

my $cys_password;
subtest 'previews that others ask for' => sub {
	my $cy = $stage->make_agent('cy', $stage->make_campaign({}));
	$cys_password = $cy->{password};
	my $next = sub { my ($agent) = @_; my $r = ask(POST => "$path/next", {agentId => $agent});
		return "$r->{status} " . ($r->{json}{error}{code} // $r->{json}{data}{queueEntry}{reservedFor}) };
	my ($user) = grep { $_->{role} eq 'admin' } @{ data(GET => '/api/users')->{users} };
	is $next->($_), '404 NOT_FOUND', 'an agent that is none' for '999999', $user->{id};
	is $next->($cy->{id}), '409 OTHER_CAMPAIGN', 'one who is not on the campaign';
	data(POST => "$CM/campaigns/$id/join-agent", {agentId => $cy->{id}});
	data(PUT => "/api/users/$cy->{id}", {active => JSON::PP::false});
	is $next->($cy->{id}), '409 AGENT_INACTIVE', 'one whose account is not active';
	data(PUT => "/api/users/$cy->{id}", {active => JSON::PP::true});
	data(DELETE => "$CM/campaigns/$id/leave-agent", {agentId => $cy->{id}});
	is $stage->sql("SELECT count(*) FROM queue_entries WHERE agent_id IN ($user->{id}, $cy->{id})"), 0,
		'nothing is kept for them';
	is $next->($ana->{id}), "200 $ana->{id}", 'one who is';
};

subtest 'what else the list says of a contact' => sub {
	my $known = $stage->api(POST => "$CM/campaigns", {name => 'Known', callingHours => undef,
		dialMethod => 'preview', previewS => 600})->{campaign}{id};
	my $list = $stage->api(POST => "$CM/data-lists", {name => 'Known', campaignId => $known})->{dataList}{id};
	$stage->api(POST => "$CM/data-lists/$list/upload", "phone,first_name,Shoe size\n+15554230001,Dee,38\n",
		{'Content-Type' => 'text/csv'});
	$stage->api(POST => "$CM/campaigns/$known/generate-queue", {});
	data(PUT => "$CM/campaigns/$known", {state => 'active'});
	data(POST => "$CM/campaigns/$known/join-agent", {agentId => $_->{id}}) for $ana, $bo;
	my $entry = data(GET => "$CM/campaigns/$known/queue")->{queueEntries}[0];
	my $one = "$CM/campaigns/$known/queue/$entry->{id}";
	my $told = sub { my ($r) = @_; return $r->{status} == 200 ? $r->{json}{data}{customFields} : $r->{status} };
	is $told->(as($her, GET => $one)), undef, 'is not for an agent who only sees that it waits';
	is_deeply $told->(as($her, POST => "$CM/campaigns/$known/queue/next", {})), {'Shoe size' => '38'},
		'is for the agent who is to call it';
	is_deeply $told->(as($her, GET => $one)), {'Shoe size' => '38'}, 'whenever it looks';
	is $told->(as($his, GET => $one)), undef, 'not for a colleague';
	is_deeply $told->(ask(GET => $one)), {'Shoe size' => '38'}, 'for who is no agent';
	my $cy = $stage->login('cy', $cys_password);
	$stage->{cookie} = $admin;
	is $told->(as($cy, GET => $one)), 404, 'an agent of another campaign sees nothing of it';
	my ($called) = entries('search=%2B15554110004');
	data(PUT => "$CM/contacts/$called->{contact}{id}", {customFields => {size => 40}});
	is_deeply $told->(as($her, GET => "$path/$called->{id}")), {size => 40}, 'whoever called it may look again';
	is $told->(as($his, GET => "$path/$called->{id}")), undef, 'nobody else';
};

subtest 'lists are mixed by their weights' => sub {
	my $mixed = $stage->api(POST => "$CM/campaigns", {name => 'Mixed'})->{campaign}{id};
	for my $list (['A', 60, '+1555421'], ['B', 20, '+1555422']) {
		my ($name, $weight, $prefix) = @$list;
		my $made = $stage->api(POST => "$CM/data-lists", {name => $name, campaignId => $mixed,
			blendWeight => $weight})->{dataList}{id};
		$stage->api(POST => "$CM/data-lists/$made/upload",
			join("\n", 'phone', map { sprintf '%s%04d', $prefix, $_ } 1 .. 12) . "\n",
			{'Content-Type' => 'text/csv'});
	}
	$stage->api(POST => "$CM/campaigns/$mixed/generate-queue", {});
	my $order = join '', map { $_->{list}{name} } @{data(GET => "$CM/campaigns/$mixed/queue")->{queueEntries}};
	is substr($order, 0, 12) =~ tr/A//, 9, "three of A for one of B: $order";
	is length $order, 24, 'and all are there';
};

contract_kept();
undef $stage;
done_testing;
