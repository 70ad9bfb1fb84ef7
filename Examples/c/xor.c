/* xor.c: a first program. A network with two inputs, two hidden units and one output learns exclusive or.
 *
 *     cc -std=c99 -I include Examples/c/xor.c -L build -lbackprop -o build/xor && LD_LIBRARY_PATH=build build/xor
 *
 * With two hidden units, some initial weights lead to a local minimum. So it trains from 12 seeds and keeps the best network. */
#include <backprop.h>
#include <stdio.h>

int main(void) {
    const size_t sizes[] = {2, 2, 1};
    const float inputs[] = {0, 0, 0, 1, 1, 0, 1, 1}, targets[] = {0, 1, 1, 0};
    float outputs[4], loss, best_loss = 1e9f;
    bp_network *best = NULL;

    for (uint64_t seed = 1; seed <= 12; seed++) {
        bp_network *network;
        int32_t status = bp_network_create(sizes, 3, seed, &network);
        for (int step = 0; step < 4000 && status == BP_OK; step++)
            status = bp_network_train_minibatch(network, inputs, targets, 4, 2.0f, NULL);
        if (status == BP_OK) status = bp_network_evaluate(network, inputs, targets, 4, &loss);
        if (status != BP_OK) {
            fprintf(stderr, "%s\n", bp_last_error_message());
            return 1; /* the operating system frees the networks */
        }
        printf("seed %2d: loss %.6f%s\n", (int)seed, loss, loss > 0.1f ? ", local minimum" : "");
        if (loss < best_loss) {
            bp_network *worse = best;
            best = network;
            best_loss = loss;
            network = worse;
        }
        bp_network_free(network); /* the worse of the two, or NULL */
    }
    if (bp_network_predict(best, inputs, 4, outputs) != BP_OK) {
        fprintf(stderr, "%s\n", bp_last_error_message());
        return 1;
    }
    for (int row = 0; row < 4; row++) printf("%.0f xor %.0f = %.3f\n", inputs[2 * row], inputs[2 * row + 1], outputs[row]);
    bp_network_free(best);
    return best_loss < 0.01f ? 0 : 1;
}
