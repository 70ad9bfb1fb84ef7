/* Trains a network of 16-16-4 to classify bars, columns, diagonals and squares, in pictures of 4 x 4 pixels with noise. Prints the
 * losses, the accuracy, and a hash of all parameters, losses and outputs: the same on every target that computes with "baseline". */
#include <backprop.h>
#include <stdint.h>
#include <stdio.h>

enum { PIXELS = 16, KINDS = 4, ROWS = 32, EPOCHS = 60 };

static const char *const pictures[KINDS][2] = {{"####............", "........####...."},
                                               {"#...#...#...#...", "..#...#...#...#."},
                                               {"#....#....#....#", "...#..#..#..#..."},
                                               {".....##..##.....", "#####..##..#####"}};
static float inputs[ROWS * PIXELS], targets[ROWS * KINDS], outputs[ROWS * KINDS], parameters[340];

static uint32_t next(void) {
    static uint32_t state = 1;
    return (state = state * 1664525u + 1013904223u) >> 16;
}

static uint32_t hash(uint32_t value, const void *bytes, size_t count) { /* FNV-1a */
    const uint8_t *byte = bytes;
    for (size_t i = 0; i < count; i++) value = (value ^ byte[i]) * 16777619u;
    return value;
}

static void make_rows(void) {
    for (size_t row = 0; row < ROWS; row++) {
        const char *picture = pictures[row % KINDS][row / KINDS % 2];
        for (size_t i = 0; i < PIXELS; i++)
            inputs[row * PIXELS + i] = (picture[i] == '#') + (float)(next() % 256) / 512 - 0.25f;
        for (size_t i = 0; i < KINDS; i++) targets[row * KINDS + i] = i == row % KINDS;
    }
}

/* Returns a status of the library. */
static int32_t train(void) {
    const size_t sizes[] = {PIXELS, 16, KINDS};
    uint32_t all = 2166136261u;
    bp_network *network;
    int32_t status = bp_network_create(sizes, 3, 1, &network);
    if (status != BP_OK) return status;
    status = bp_network_set_activation(network, 1, "tanh");
    if (status == BP_OK) status = bp_network_set_activation(network, 2, "softmax");
    if (status == BP_OK) status = bp_network_set_loss(network, "cross_entropy");
    if (status == BP_OK) status = bp_network_set_optimizer(network, "adam");
    for (int epoch = 0; status == BP_OK && epoch < EPOCHS; epoch++) {
        float loss = 0;
        for (size_t row = 0; status == BP_OK && row < ROWS; row += 8) {
            status = bp_network_train_minibatch(network, inputs + row * PIXELS, targets + row * KINDS, 8, 0.01f, &loss);
            all = hash(all, &loss, sizeof loss);
        }
        if (epoch % 10 == 9) printf("epoch %d: loss %.6f\n", epoch + 1, (double)loss);
    }
    if (status == BP_OK) status = bp_network_get_parameters(network, parameters, sizeof parameters / sizeof *parameters);
    if (status == BP_OK) status = bp_network_predict(network, inputs, ROWS, outputs);
    bp_network_free(network);
    if (status != BP_OK) return status;
    int right = 0;
    for (size_t row = 0; row < ROWS; row++) {
        size_t best = 0;
        for (size_t i = 1; i < KINDS; i++)
            if (outputs[row * KINDS + i] > outputs[row * KINDS + best]) best = i;
        right += best == row % KINDS;
    }
    all = hash(hash(all, parameters, sizeof parameters), outputs, sizeof outputs);
    printf("%d of %d right, hash %08lx\n", right, ROWS, (unsigned long)all);
    return BP_OK;
}

int main(void) {
    make_rows();
    printf("instruction set %s\n", bp_instruction_set());
    if (train() == BP_OK) return 0;
    printf("%s\n", bp_last_error_message());
    return 1;
}
