-- Learns exclusive or through LuaJIT's FFI: xor.lua DECLARATIONS LIBRARY
local ffi = require("ffi")
jit.off(true, true) -- compiled code cannot call functions that call back
local file = assert(io.open(arg[1]))
ffi.cdef(file:read("*a"))
file:close()
local bp = ffi.load(arg[2])

local function check(status)
    if status < bp.BP_OK then error(ffi.string(bp.bp_last_error_message())) end
end

-- A callback is valid until it is freed. These are never freed, because they are called until the process ends.
local bend = ffi.cast("bp_scalar_fn", function(z, user_data) return z / (1 + math.abs(z)) end)
local slope = ffi.cast("bp_scalar_derivative_fn", function(z, a, user_data) return 1 / (1 + math.abs(z)) ^ 2 end)
check(bp.bp_activation_register_scalar("bend", bend, slope, nil, nil))

local out = ffi.new("bp_network *[1]")
check(bp.bp_network_create(ffi.new("size_t[3]", {2, 4, 1}), 3, 3, out))
local network = ffi.gc(out[0], bp.bp_network_free)
local inputs = ffi.new("float[8]", {0, 0, 0, 1, 1, 0, 1, 1})
local targets = ffi.new("float[4]", {0, 1, 1, 0})
local outputs = ffi.new("float[4]")

check(bp.bp_network_set_activation(network, 1, "bend"))
check(bp.bp_network_set_option(network, "gradient_reduction", bp.BP_REDUCTION_MEAN))
assert(bp.bp_network_set_loss(network, "none such") == bp.BP_ERROR_UNKNOWN_NAME)
assert(ffi.string(bp.bp_last_error_message()):find("none such", 1, true))
for _ = 1, 2000 do check(bp.bp_network_train_minibatch(network, inputs, targets, 4, 4, nil)) end
check(bp.bp_network_predict(network, inputs, 4, outputs))
for i = 0, 3 do print(string.format("%.7f", outputs[i])) end
