-- A network learns exclusive or with a custom activation, the absolute value: luajit xor.lua backprop_ffi.h
package.path = arg[0]:match("^(.-)[^/]*$") .. "?.lua;" .. package.path
local backprop = require("backprop")(arg[1])
local Network = backprop.Network

local inputs, targets = {0, 0, 0, 1, 1, 0, 1, 1}, {0, 1, 1, 0}
backprop.register("absolute", math.abs, function(z) return z < 0 and -1 or 1 end)

local network = Network.new({2, 4, 1}, 1)
network:set_activation(1, "absolute")
for _ = 1, 2000 do network:train(inputs, targets, 0.5) end
local outputs = network:predict(inputs)
for i = 1, 4 do print(("%d xor %d = %.2f"):format(inputs[2 * i - 1], inputs[2 * i], outputs[i])) end

-- An error of a callback arrives here. The network is as before.
backprop.register("broken", math.abs, function() error("no derivative", 0) end)
network:set_activation(1, "broken")
local _, message = pcall(network.train, network, inputs, targets, 0.5)
print("a failing callback: " .. message)
network:set_activation(1, "absolute")

_, message = pcall(network.predict, network, {0, 0, 1})
print("a wrong size: " .. message)
_, message = pcall(Network.load, "none.safetensors")
print("a missing file: " .. message)

network:save("xor.safetensors")
local again, same = Network.load("xor.safetensors"):predict(inputs), "yes"
for i = 1, 4 do if again[i] ~= outputs[i] then same = "no" end end
print("saved and loaded, it predicts the same: " .. same)
