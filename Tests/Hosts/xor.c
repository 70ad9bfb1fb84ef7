/* xor.c: the run of the examples in other languages, in C: trains a network on exclusive or with the same numbers, and saves
 * it as xor.safetensors. It registers the activation as a function of one number, and they as a function of matrices. */
#include <backprop.h>
#include <math.h>
#include <stdio.h>

static float absolute(float z, void *user_data) {
    (void)user_data;
    return fabsf(z);
}

static float sign(float z, float a, void *user_data) {
    (void)a, (void)user_data;
    return z < 0 ? -1.0f : 1.0f;
}

int main(void) {
    const size_t sizes[] = {2, 4, 1};
    const float inputs[] = {0, 0, 0, 1, 1, 0, 1, 1}, targets[] = {0, 1, 1, 0};
    bp_network *network = NULL;
    int32_t status = bp_activation_register_scalar("absolute", absolute, sign, NULL, NULL);
    if (status == BP_OK) status = bp_network_create(sizes, 3, 1, &network);
    if (status == BP_OK) status = bp_network_set_activation(network, 1, "absolute");
    for (int epoch = 0; epoch < 2000 && status == BP_OK; epoch++)
        status = bp_network_train_minibatch(network, inputs, targets, 4, 0.5f, NULL);
    if (status == BP_OK) status = bp_network_save(network, "xor.safetensors");
    if (status != BP_OK) fprintf(stderr, "%s\n", bp_last_error_message());
    bp_network_free(network);
    return status == BP_OK ? 0 : 1;
}
