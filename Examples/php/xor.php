<?php
// A network learns exclusive or with a custom activation, the absolute value: php xor.php backprop_ffi.h
declare(strict_types=1);
require __DIR__ . "/Backprop.php";

Backprop::load($argv[1]);
[$inputs, $targets] = [[0, 0, 0, 1, 1, 0, 1, 1], [0, 1, 1, 0]];
Backprop::register("absolute", abs(...), fn($z) => $z < 0 ? -1 : 1);

$network = Network::create([2, 4, 1], seed: 1);
$network->setActivation(1, "absolute");
for ($epoch = 0; $epoch < 2000; $epoch++) $network->train($inputs, $targets, 0.5);
$outputs = $network->predict($inputs);
foreach ($outputs as $i => $output) {
    printf("%d xor %d = %.2f\n", $inputs[2 * $i], $inputs[2 * $i + 1], $output);
}

// An exception of a callback arrives here. The network is as before.
Backprop::register("broken", abs(...), fn($z) => throw new DomainException("no derivative"));
$network->setActivation(1, "broken");
try {
    $network->train($inputs, $targets, 0.5);
} catch (DomainException $exception) {
    echo "a failing callback: ", $exception->getMessage(), "\n";
}
$network->setActivation(1, "absolute");

try {
    $network->predict([0, 0, 1]);
} catch (LengthException $exception) {
    echo "a wrong size: ", $exception->getMessage(), "\n";
}
try {
    Network::load("none.safetensors");
} catch (BackpropException $exception) {
    echo "a missing file: ", $exception->getMessage(), "\n";
}

$network->save("xor.safetensors");
$same = Network::load("xor.safetensors")->predict($inputs) === $outputs;
echo "saved and loaded, it predicts the same: ", $same ? "yes" : "no", "\n";
