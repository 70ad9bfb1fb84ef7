"""The run of xor.c through Python's cffi, which parses backprop_ffi.h: xor_cffi.py DECLARATIONS LIBRARY"""
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
def absolute(z, user_data):
    return abs(z)


@ffi.callback("bp_scalar_derivative_fn")
def sign(z, a, user_data):
    return -1 if z < 0 else 1


check(bp.bp_activation_register_scalar(b"absolute", absolute, sign, ffi.NULL, ffi.NULL))
out = ffi.new("bp_network **")
check(bp.bp_network_create([2, 4, 1], 3, 1, out))
network = ffi.gc(out[0], bp.bp_network_free)
inputs, targets = ffi.new("float[]", [0, 0, 0, 1, 1, 0, 1, 1]), [0, 1, 1, 0]

check(bp.bp_network_set_activation(network, 1, b"absolute"))
assert bp.bp_network_set_loss(network, b"none such") == bp.BP_ERROR_UNKNOWN_NAME
assert b"none such" in ffi.string(bp.bp_last_error_message())
for _ in range(2000):
    check(bp.bp_network_train_minibatch(network, inputs, targets, 4, 0.5, ffi.NULL))
check(bp.bp_network_save(network, b"xor.safetensors"))
