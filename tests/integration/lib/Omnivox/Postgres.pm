# Postgres.pm: a PostgreSQL that belongs to the test, reached over TCP like somebody else's.
package Omnivox::Postgres;

use strict;
use warnings;

use POSIX ();
use Omnivox::Stage;

# new(STAGE, DIR): an empty cluster in DIR, not running, with settings of PostgreSQL.
sub new {
	my ($class, $stage, $dir, @settings) = @_;
	my ($bin) = reverse sort glob '/usr/lib/postgresql/*/bin';
	my $self = bless {stage => $stage, dir => $dir, bin => $bin, port => Omnivox::Stage::free_port(),
		settings => \@settings}, $class;
	$self->{as} = $> == 0 ? ['setpriv', '--reuid=postgres', '--regid=postgres', '--clear-groups'] : [];
	-d $dir or mkdir $dir or die "$dir: $!";
	chown scalar(getpwnam 'postgres'), scalar(getgrnam 'postgres'), $dir if $> == 0;
	my $pid = $stage->spawn('initdb', {}, @{$self->{as}}, "$bin/initdb", '-D', "$dir/data",
		'--username=omnivox', '--auth=trust', '--no-sync', '--no-instructions', '--encoding=UTF8',
		'--locale=C');
	waitpid $pid, 0;
	die "initdb: $?" if $?;
	delete $stage->{pids}{initdb};
	return $self;
}

sub url { "postgresql://omnivox\@127.0.0.1:$_[0]{port}/omnivox" }

# Starts it and waits until the database is there. The first time it looks for another port when
# somebody else has taken the one that was free; from then on it keeps its own.
sub start {
	my ($self) = @_;
	for (1 .. 5) {
		my $pid = $self->{stage}->spawn('postgres', {}, @{$self->{as}}, "$self->{bin}/postgres",
			'-D', "$self->{dir}/data", '-c', 'listen_addresses=127.0.0.1', '-c', "port=$self->{port}",
			'-c', "unix_socket_directories=$self->{dir}", map { ('-c', $_) } @{$self->{settings}});
		last if $self->{stage}->wait_until(20, 'PostgreSQL', sub {
			return 'gone' if waitpid($pid, POSIX::WNOHANG()) == $pid;
			($self->psql(postgres => 'SHOW data_directory') // '') eq "$self->{dir}/data" }) ne 'gone';
		delete $self->{stage}{pids}{postgres};
		die "PostgreSQL did not start\n" if $self->{made};
		$self->{port} = Omnivox::Stage::free_port();
	}
	$self->psql(postgres => 'CREATE DATABASE omnivox') unless $self->{made}++;
}

# Ends it: INT goes at once and clean, QUIT leaves it to recovery, KILL as well.
sub stop {
	my ($self, $signal) = @_;
	return $self->{stage}->stop('postgres', $signal || 'INT');
}

# What psql prints; undef when it failed.
sub psql {
	my ($self, $database, $sql) = @_;
	my $pid = open(my $fh, '-|') // die $!;
	if ($pid == 0) {
		open STDERR, '>', '/dev/null';
		exec "$self->{bin}/psql", '-h', '127.0.0.1', '-p', $self->{port}, '-U', 'omnivox', '-XAtqc', $sql,
			$database or POSIX::_exit(127);
	}
	my $out = do { local $/; <$fh> };
	chomp $out if defined $out;
	return close($fh) ? $out // '' : undef;
}

1;
