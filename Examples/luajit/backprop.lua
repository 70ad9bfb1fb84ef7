-- Networks for LuaJIT: require("backprop")(DECLARATIONS), with the path of backprop_ffi.h
local ffi = require("ffi")
jit.off(true, true) -- compiled code cannot call functions that call back

return function(declarations)
  local file = assert(io.open(declarations))
  ffi.cdef(file:read("*a"))
  file:close()
  local c = ffi.load("backprop")

  local raised -- the error of a callback, for the call that it made fail

  -- Errors keep their value, which can be a table. Level 0 adds no position to a message.
  local function check(status)
    if raised then
      local value = raised
      raised = nil
      error(value, 0)
    end
    if status < c.BP_OK then error(ffi.string(c.bp_last_error_message()), 0) end
  end

  -- No error passes through the library.
  local function guarded(body)
    return function(...)
      local ok, value = pcall(body, ...)
      if ok then return 0 end
      raised = value
      return 1
    end
  end

  -- A callback is valid until it is freed. These are never freed: the library can call them until the process ends.
  local function register(name, f, derivative)
    local forward = ffi.cast("bp_vector_forward_fn", guarded(function(z, a, rows, columns)
      for i = 0, tonumber(rows * columns) - 1 do a[i] = f(z[i]) end
    end))
    local backward = ffi.cast("bp_vector_backward_fn", guarded(function(z, a, da, dz, rows, columns)
      for i = 0, tonumber(rows * columns) - 1 do dz[i] = da[i] * derivative(z[i]) end
    end))
    check(c.bp_activation_register_vector(name, forward, backward, nil, nil))
  end

  local Network = {}
  Network.__index = Network

  local function rows_of(numbers, columns)
    if #numbers % columns ~= 0 then error(#numbers .. " numbers are not rows of " .. columns, 0) end
    return #numbers / columns
  end

  local function floats(numbers) return ffi.new("float[?]", #numbers, numbers) end

  local function new(make)
    local out = ffi.new("bp_network *[1]")
    check(make(out))
    return setmetatable({handle = ffi.gc(out[0], c.bp_network_free)}, Network)
  end

  function Network.new(sizes, seed)
    local self = new(function(out) return c.bp_network_create(ffi.new("size_t[?]", #sizes, sizes), #sizes, seed, out) end)
    self.inputs, self.outputs = sizes[1], sizes[#sizes]
    return self
  end

  function Network.load(path)
    local self = new(function(out) return c.bp_network_load(path, out) end)
    local number = ffi.new("size_t[1]")
    check(c.bp_network_layer_size(self.handle, 0, number))
    self.inputs = tonumber(number[0])
    check(c.bp_network_layer_count(self.handle, number))
    check(c.bp_network_layer_size(self.handle, number[0] - 1, number))
    self.outputs = tonumber(number[0])
    return self
  end

  function Network:set_activation(layer, name) check(c.bp_network_set_activation(self.handle, layer, name)) end

  -- One step on all rows.
  function Network:train(inputs, targets, rate)
    local rows = rows_of(inputs, self.inputs)
    if rows_of(targets, self.outputs) ~= rows then error("inputs and targets differ in rows", 0) end
    check(c.bp_network_train_minibatch(self.handle, floats(inputs), floats(targets), rows, rate, nil))
  end

  function Network:predict(inputs)
    local rows = rows_of(inputs, self.inputs)
    local outputs = ffi.new("float[?]", rows * self.outputs)
    check(c.bp_network_predict(self.handle, floats(inputs), rows, outputs))
    local result = {}
    for i = 1, rows * self.outputs do result[i] = outputs[i - 1] end
    return result
  end

  function Network:save(path) check(c.bp_network_save(self.handle, path)) end

  return {Network = Network, register = register}
end
