# A network learns exclusive or with a custom activation, the absolute value: ruby xor.rb
require_relative "backprop"

inputs, targets = [0, 0, 0, 1, 1, 0, 1, 1], [0, 1, 1, 0]
Backprop.register("absolute", :abs.to_proc, ->(z) { z < 0 ? -1 : 1 })

network = Backprop::Network.create(2, 4, 1, seed: 1)
network.set_activation(1, "absolute")
2000.times { network.train(inputs, targets, 0.5) }
outputs = network.predict(inputs)
inputs.each_slice(2).zip(outputs) { |(x, y), output| puts format("%d xor %d = %.2f", x, y, output) }

# An exception of a callback arrives here. The network is as before.
Backprop.register("broken", :abs.to_proc, ->(_) { raise FloatDomainError, "no derivative" })
network.set_activation(1, "broken")
begin
  network.train(inputs, targets, 0.5)
rescue FloatDomainError => e
  puts "a failing callback: #{e.message}"
end
network.set_activation(1, "absolute")

begin
  network.predict([0, 0, 1])
rescue ArgumentError => e
  puts "a wrong size: #{e.message}"
end
begin
  Backprop::Network.load("none.safetensors")
rescue Backprop::Error => e
  puts "a missing file: #{e.message}"
end

network.save("xor.safetensors")
same = Backprop::Network.load("xor.safetensors").predict(inputs) == outputs
puts "saved and loaded, it predicts the same: #{same ? 'yes' : 'no'}"
