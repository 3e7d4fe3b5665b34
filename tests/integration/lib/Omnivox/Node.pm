# Node.pm: Node 20 with the packages of tests/node, for tests that hold us against Twilio's own
# SDK or an OpenAPI checker.
package Omnivox::Node;

use strict;
use warnings;

use Cwd qw(abs_path);
use Exporter qw(import);
use File::Basename qw(dirname);
use File::Temp ();
use JSON::PP ();

our @EXPORT_OK = qw(node_program node_package node_env node_judge);

my $TOP = abs_path(dirname(__FILE__) . '/../../../..');
my $HOME;

# Installs on the first call what is missing (script/node); then the folder with node_modules.
sub home {
	return $HOME if $HOME;
	system("$TOP/script/node") == 0 or die "script/node failed: Node 20 and its packages are needed\n";
	return $HOME = ($ENV{OVX_BUILD} || "$TOP/build") . '/node';
}

# The path of node: the installed one, else that of PATH.
sub node_program {
	my $own = home() . '/node_modules/.bin/node';
	return $own if -x $own;
	for my $dir (split /:/, $ENV{PATH}) {
		return "$dir/node" if -x "$dir/node";
	}
	die "there is no node on PATH\n";
}

# A file of an installed package: node_package('@stoplight/prism-cli/dist/index.js').
sub node_package {
	my ($path) = @_;
	my $file = home() . "/node_modules/$path";
	die "$file is not there\n" unless -e $file;
	return $file;
}

# For a program of ours elsewhere: NODE_PATH lets require('twilio') find the package, and no
# region of the surroundings turns the SDK to another host.
sub node_env {
	return (NODE_PATH => home() . '/node_modules', TWILIO_REGION => '', TWILIO_EDGE => '');
}

# node_judge('token.js', {...}): gives the value to tests/node/token.js as JSON on its standard
# input; what it prints, read as JSON. Dies when the script fails.
sub node_judge {
	my ($script, $value) = @_;
	my $input = File::Temp->new;
	print $input JSON::PP->new->utf8->encode($value);
	$input->flush;
	my ($node, %env) = (node_program(), node_env());
	local @ENV{keys %env} = values %env;
	my $output = qx("$node" "$TOP/tests/node/$script" < "$input");
	die "$script failed: $?\n" if $?;
	return JSON::PP->new->utf8->decode($output);
}

1;
