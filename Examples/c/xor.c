/* xor.c: the first program. Two inputs, two hidden units and one output learn "one or the other, but not both".
 *
 *     cc -std=c99 -I include Examples/c/xor.c -L build -lbackprop -o build/xor && LD_LIBRARY_PATH=build build/xor
 *
 * With so few units some starts stick in a local minimum, so we train from several and keep the best. */
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
            return 1; /* at its end a process gives back whatever it still holds */
        }
        printf("start %2d: loss %.6f%s\n", (int)seed, loss, loss > 0.1f ? ", stuck" : "");
        if (loss < best_loss) {
            bp_network *worse = best;
            best = network;
            best_loss = loss;
            network = worse;
        }
        bp_network_free(network); /* the worse of the two; NULL is fine */
    }
    if (bp_network_predict(best, inputs, 4, outputs) != BP_OK) {
        fprintf(stderr, "%s\n", bp_last_error_message());
        return 1;
    }
    for (int row = 0; row < 4; row++) printf("%.0f xor %.0f = %.3f\n", inputs[2 * row], inputs[2 * row + 1], outputs[row]);
    bp_network_free(best);
    return best_loss < 0.01f ? 0 : 1;
}
