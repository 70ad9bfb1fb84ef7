"""Learns exclusive or through cffi: xor.py DECLARATIONS LIBRARY"""
import sys

import cffi

ffi = cffi.FFI()
with open(sys.argv[1]) as declarations:
    ffi.cdef(declarations.read())
bp = ffi.dlopen(sys.argv[2])


def check(status):
    if status < bp.BP_OK:
        raise RuntimeError(ffi.string(bp.bp_last_error_message()).decode())


@ffi.callback("bp_scalar_fn")  # valid as long as this Python object exists
def bend(z, user_data):
    return z / (1 + abs(z))


@ffi.callback("bp_scalar_derivative_fn")
def slope(z, a, user_data):
    return 1 / (1 + abs(z)) ** 2


check(bp.bp_activation_register_scalar(b"bend", bend, slope, ffi.NULL, ffi.NULL))
out = ffi.new("bp_network **")
check(bp.bp_network_create([2, 4, 1], 3, 3, out))
network = ffi.gc(out[0], bp.bp_network_free)
inputs, targets, outputs = ffi.new("float[]", [0, 0, 0, 1, 1, 0, 1, 1]), [0, 1, 1, 0], ffi.new("float[4]")

check(bp.bp_network_set_activation(network, 1, b"bend"))
check(bp.bp_network_set_option(network, b"gradient_reduction", bp.BP_REDUCTION_MEAN))
assert bp.bp_network_set_loss(network, b"none such") == bp.BP_ERROR_UNKNOWN_NAME
assert b"none such" in ffi.string(bp.bp_last_error_message())
for _ in range(2000):
    check(bp.bp_network_train_minibatch(network, inputs, targets, 4, 4, ffi.NULL))
check(bp.bp_network_predict(network, inputs, 4, outputs))
for output in outputs:
    print(f"{output:.7f}")
