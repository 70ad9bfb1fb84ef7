# Networks for Perl. Arrays are references, row by row.
package Backprop;
use strict;
use warnings;
use Carp qw(croak);
use FFI::Platypus 2.00;
use FFI::Platypus::Buffer qw(buffer_to_scalar scalar_to_pointer);
use FFI::Platypus::Memory qw(memcpy);

my $ffi = FFI::Platypus->new(api => 2, lib => "libbackprop.so");
$ffi->type("(opaque, opaque, size_t, size_t, opaque)->sint32" => "forward");
$ffi->type("(opaque, opaque, opaque, opaque, size_t, size_t, opaque)->sint32" => "backward");
$ffi->attach(@$_) for (
    [bp_last_error_message         => []                                                                  => "string"],
    [bp_activation_register_vector => ["string", "forward", "backward", "opaque", "opaque"]               => "sint32"],
    [bp_network_create             => ["size_t[]", "size_t", "uint64", "opaque*"]                         => "sint32"],
    [bp_network_load               => ["string", "opaque*"]                                               => "sint32"],
    [bp_network_free               => ["opaque"]                                                          => "void"],
    [bp_network_layer_count        => ["opaque", "size_t*"]                                               => "sint32"],
    [bp_network_layer_size         => ["opaque", "size_t", "size_t*"]                                     => "sint32"],
    [bp_network_set_activation     => ["opaque", "size_t", "string"]                                      => "sint32"],
    [bp_network_train_minibatch    => ["opaque", "float[]", "float[]", "size_t", "float", "opaque"]       => "sint32"],
    [bp_network_predict            => ["opaque", "float[]", "size_t", "float[]"]                          => "sint32"],
    [bp_network_save               => ["opaque", "string"]                                                => "sint32"],
);

my $died;    # the error of a callback, for the call that it made fail

sub check {
    my ($status) = @_;
    if (defined $died) {
        my $error = $died;
        undef $died;
        die $error;
    }
    croak bp_last_error_message() if $status < 0;
}

# Makes an activation of one number known by a name.
sub register {
    my ($name, $function, $derivative) = @_;
    my $forward = guarded(sub {
        my ($z, $a, $rows, $columns) = @_;
        write_floats($a, map { $function->($_) } read_floats($z, $rows * $columns));
    });
    my $backward = guarded(sub {
        my ($z, $a, $da, $dz, $rows, $columns) = @_;
        my ($count, $i) = ($rows * $columns, 0);
        my @slopes = map { $derivative->($_) } read_floats($z, $count);
        write_floats($dz, map { $_ * $slopes[$i++] } read_floats($da, $count));
    });
    $_->sticky for $forward, $backward;    # the library can call them until the process ends
    check(bp_activation_register_vector($name, $forward, $backward, undef, undef));
}

# No exception passes through the library.
sub guarded {
    my ($body) = @_;
    return $ffi->closure(sub {
        return 0 if eval { $body->(@_); 1 };
        $died = $@;
        return 1;
    });
}

sub read_floats {
    my ($address, $count) = @_;
    return unpack "f*", buffer_to_scalar($address, 4 * $count);
}

sub write_floats {
    my ($address, @numbers) = @_;
    my $bytes = pack "f*", @numbers;
    memcpy($address, scalar_to_pointer($bytes), length $bytes);
}

package Backprop::Network;
use Carp qw(croak);

# A network with random weights.
sub new {
    my ($class, $seed, @sizes) = @_;
    return made($class, sub { Backprop::bp_network_create(\@sizes, scalar @sizes, $seed, $_[0]) });
}

sub load {
    my ($class, $path) = @_;
    return made($class, sub { Backprop::bp_network_load($path, $_[0]) });
}

sub made {
    my ($class, $make) = @_;
    my $handle;
    Backprop::check($make->(\$handle));
    return bless \$handle, $class;
}

sub DESTROY { my ($self) = @_; Backprop::bp_network_free($$self) }

sub set_activation {
    my ($self, $layer, $name) = @_;
    Backprop::check(Backprop::bp_network_set_activation($$self, $layer, $name));
}

# One step on all rows.
sub train {
    my ($self, $inputs, $targets, $rate) = @_;
    my $rows = rows($inputs, $self->size(0));
    croak "inputs and targets differ in rows" if rows($targets, $self->outputs) != $rows;
    Backprop::check(Backprop::bp_network_train_minibatch($$self, $inputs, $targets, $rows, $rate, undef));
}

sub predict {
    my ($self, $inputs) = @_;
    my $rows = rows($inputs, $self->size(0));
    my @outputs = (0) x ($rows * $self->outputs);
    Backprop::check(Backprop::bp_network_predict($$self, $inputs, $rows, \@outputs));
    return @outputs;
}

sub save {
    my ($self, $path) = @_;
    Backprop::check(Backprop::bp_network_save($$self, $path));
}

sub size {
    my ($self, $layer) = @_;
    my $size = 0;
    Backprop::check(Backprop::bp_network_layer_size($$self, $layer, \$size));
    return $size;
}

sub outputs {
    my ($self) = @_;
    my $layers = 0;
    Backprop::check(Backprop::bp_network_layer_count($$self, \$layers));
    return $self->size($layers - 1);
}

sub rows {
    my ($numbers, $columns) = @_;
    croak @$numbers . " numbers are not rows of $columns" if @$numbers % $columns;
    return @$numbers / $columns;
}

1;
