/* Training steps that are large enough for several threads. Writes the model file. large_steps.mjs makes the same steps.
 * Usage: large_steps FILE THREADS */
#include <backprop.h>
#include <stdio.h>
#include <stdlib.h>

enum { INPUTS = 100, HIDDEN = 90, OUTPUTS = 10, ROWS = 130, STEPS = 30 };

static float inputs[ROWS * INPUTS], targets[ROWS * OUTPUTS];

static void check(int32_t status) {
    if (status == BP_OK) return;
    fprintf(stderr, "large_steps: %s\n", bp_last_error_message());
    exit(1);
}

int main(int count, char **words) {
    if (count != 3) return 2;
    for (int i = 0; i < ROWS * INPUTS; i++) inputs[i] = (float)(i * 7919 % 1024) / 512 - 1; /* exact in float */
    for (int row = 0; row < ROWS; row++) targets[row * OUTPUTS + row * 7 % OUTPUTS] = 1;
    const size_t layers[] = {INPUTS, HIDDEN, HIDDEN, OUTPUTS};
    bp_network *network;
    check(bp_set_thread_count((size_t)atoi(words[2])));
    check(bp_network_create(layers, 4, 5, &network));
    for (size_t layer = 1; layer < 3; layer++) {
        check(bp_network_set_activation(network, layer, "tanh"));
        check(bp_network_set_batchnorm(network, layer, 1));
        check(bp_network_set_dropout(network, layer, 0.1));
    }
    check(bp_network_set_loss(network, "cross_entropy"));
    check(bp_network_set_activation(network, 3, "softmax"));
    check(bp_network_set_optimizer(network, "adam"));
    for (int step = 0; step < STEPS; step++)
        check(bp_network_train_minibatch(network, inputs, targets, ROWS, 0.0009765625f, NULL));
    check(bp_network_save(network, words[1]));
    bp_network_free(network);
    return 0;
}
