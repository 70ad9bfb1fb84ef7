# A network learns exclusive or with a custom activation, the absolute value: perl -I. xor.pl
use strict;
use warnings;
use Backprop;

my ($inputs, $targets) = ([0, 0, 0, 1, 1, 0, 1, 1], [0, 1, 1, 0]);
Backprop::register(absolute => sub { abs $_[0] }, sub { $_[0] < 0 ? -1 : 1 });

my $network = Backprop::Network->new(1, 2, 4, 1);
$network->set_activation(1, "absolute");
$network->train($inputs, $targets, 0.5) for 1 .. 2000;
my @outputs = $network->predict($inputs);
printf "%d xor %d = %.2f\n", @$inputs[2 * $_, 2 * $_ + 1], $outputs[$_] for 0 .. 3;

# The error of a callback arrives here. The network is as before.
Backprop::register(broken => sub { abs $_[0] }, sub { die "no derivative\n" });
$network->set_activation(1, "broken");
eval { $network->train($inputs, $targets, 0.5) };
print "a failing callback: $@";
$network->set_activation(1, "absolute");

eval { $network->predict([0, 0, 1]) };
print "a wrong size: ", $@ =~ s/ at \S+ line.*\n//r, "\n";
eval { Backprop::Network->load("none.safetensors") };
print "a missing file: ", $@ =~ s/ at \S+ line.*\n//r, "\n";

$network->save("xor.safetensors");
my @again = Backprop::Network->load("xor.safetensors")->predict($inputs);
print "saved and loaded, it predicts the same: ", "@again" eq "@outputs" ? "yes" : "no", "\n";
