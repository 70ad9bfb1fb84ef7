% A network learns exclusive or with a custom activation, the absolute value:
%     mkoctfile backprop_call.cc -lbackprop && octave xor_example.m
inputs = [0 0; 0 1; 1 0; 1 1];
targets = [0; 1; 1; 0];
register_activation ("absolute", @abs, @(z) 1 - 2 * (z < 0));

network = Network.create ([2 4 1], 1);
network.set_activation (1, "absolute");
for epoch = 1:2000
  network.train (inputs, targets, 0.5);
end
outputs = network.predict (inputs);
printf ("%d xor %d = %.2f\n", [inputs outputs]');

% An error of a callback arrives here. The network is as before.
register_activation ("broken", @abs, @(z) error ("no derivative"));
network.set_activation (1, "broken");
try
  network.train (inputs, targets, 0.5);
catch failure
  printf ("a failing callback: %s\n", failure.message);
end
network.set_activation (1, "absolute");

try
  network.predict ([0 0 1]);
catch failure
  printf ("a wrong size: %s\n", failure.message);
end
try
  Network.load ("none.safetensors");
catch failure
  printf ("a missing file: %s\n", failure.message);
end

network.save ("xor.safetensors");
answers = {"no", "yes"};
same = isequal (Network.load ("xor.safetensors").predict (inputs), outputs);
printf ("saved and loaded, it predicts the same: %s\n", answers{same + 1});
