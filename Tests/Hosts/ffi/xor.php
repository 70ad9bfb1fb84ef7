<?php
// Learns exclusive or through PHP's FFI: xor.php DECLARATIONS LIBRARY
$bp = FFI::cdef(file_get_contents($argv[1]), $argv[2]);

function check(int $status): void
{
    global $bp;
    if ($status < $bp->BP_OK) throw new RuntimeException($bp->bp_last_error_message());
}

function floats(array $numbers): FFI\CData
{
    global $bp;
    $made = $bp->new("float[" . count($numbers) . "]");
    foreach ($numbers as $i => $number) $made[$i] = $number;
    return $made;
}

// Closures that are passed as function pointers are valid until the process ends.
$bend = fn($z, $userData) => $z / (1 + abs($z));
$slope = fn($z, $a, $userData) => 1 / (1 + abs($z)) ** 2;
check($bp->bp_activation_register_scalar("bend", $bend, $slope, null, null));

$sizes = $bp->new("size_t[3]");
foreach ([2, 4, 1] as $i => $size) $sizes[$i] = $size;
$network = $bp->new("bp_network *");
check($bp->bp_network_create($sizes, 3, 3, FFI::addr($network)));
$inputs = floats([0, 0, 0, 1, 1, 0, 1, 1]);
$targets = floats([0, 1, 1, 0]);
$outputs = $bp->new("float[4]");

check($bp->bp_network_set_activation($network, 1, "bend"));
check($bp->bp_network_set_option($network, "gradient_reduction", $bp->BP_REDUCTION_MEAN));
if ($bp->bp_network_set_loss($network, "none such") != $bp->BP_ERROR_UNKNOWN_NAME) exit(1);
if (!str_contains($bp->bp_last_error_message(), "none such")) exit(1);
for ($i = 0; $i < 2000; $i++) check($bp->bp_network_train_minibatch($network, $inputs, $targets, 4, 4, null));
check($bp->bp_network_predict($network, $inputs, 4, $outputs));
for ($i = 0; $i < 4; $i++) printf("%.7f\n", $outputs[$i]);
$bp->bp_network_free($network);
