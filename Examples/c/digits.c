/* digits.c: trains a network to classify handwritten digits, with a custom activation.
 *
 *     cc -std=c99 -I include Examples/c/digits.c -L build -lbackprop -lm -o build/digits
 *     LD_LIBRARY_PATH=build build/digits Examples/data/digits.csv OUTPUT_FOLDER [EPOCHS]
 *
 * Writes to OUTPUT_FOLDER, which must exist:
 *     digits.safetensors   the network; Python and Swift programs load it and predict the same bits
 *     history.csv          epoch, loss, and accuracy on the training and held-out images
 *     predictions_c.f32    [held-out images][10] probabilities, raw float32
 */
#define _POSIX_C_SOURCE 200809L /* fileno, isatty */
#include <backprop.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PIXELS = 64, HIDDEN = 32, DIGITS = 10, BATCH = 32 };

/* ---- The activation: LeCun's scaled tanh, 1.7159 tanh(2z/3), with f(1) = 1, so that outputs have about unit variance. It
 * is registered by name and then used like a built-in activation. A program that loads the file must register the same
 * function under the same name. Its results have the same bits if it calls tanhf of the same C library. */

static const float height = 1.7159f, slope = 2.0f / 3.0f;

static float scaled_tanh(float z, void *user_data) {
    (void)user_data;
    return height * tanhf(slope * z);
}

/* f'(z) = height slope (1 - tanh^2), where tanh = a / height. */
static float scaled_tanh_derivative(float z, float a, void *user_data) {
    float t = a / height;
    (void)z, (void)user_data;
    return height * slope * (1 - t * t);
}

/* ---- The data. Every fifth line is held out: it is not used for training. The other examples use the same split. */

typedef struct {
    float *pixels;  /* [rows][PIXELS], 0 ... 1 */
    float *targets; /* [rows][DIGITS], 1 for the digit and 0 elsewhere */
    size_t rows;
} dataset;

static int allocate(dataset *data, size_t rows) {
    data->pixels = (float *)calloc(rows * PIXELS, sizeof(float));
    data->targets = (float *)calloc(rows * DIGITS, sizeof(float));
    return data->pixels && data->targets;
}

static void release(dataset *data) {
    free(data->pixels);
    free(data->targets);
}

/* Appends one line, "pixel, ..., pixel, digit". Returns 0 for a malformed line. */
static int append(dataset *data, char *line) {
    float *pixels = data->pixels + data->rows * PIXELS;
    for (int i = 0; i <= PIXELS; i++) {
        char *end;
        long value = strtol(line, &end, 10), limit = i < PIXELS ? 16 : 9;
        if (end == line || value < 0 || value > limit || (i < PIXELS && *end != ',')) return 0;
        if (i < PIXELS) pixels[i] = (float)value / 16;
        else data->targets[data->rows * DIGITS + (size_t)value] = 1;
        line = end + 1;
    }
    data->rows++;
    return 1;
}

static int read_csv(const char *path, dataset *training, dataset *heldout) {
    char line[512];
    size_t lines = 0;
    int fine = 0;
    FILE *file = fopen(path, "r");
    if (!file) return 0;
    while (fgets(line, sizeof line, file)) lines++;
    rewind(file);
    if (lines >= 5 && allocate(training, lines) && allocate(heldout, lines / 5)) {
        fine = 1;
        for (size_t i = 0; fine && fgets(line, sizeof line, file); i++) fine = append(i % 5 == 4 ? heldout : training, line);
    }
    fclose(file);
    return fine;
}

/* ---- Small helpers */

/* splitmix64: a seeded generator with the same numbers on all systems, so that runs are reproducible. */
static uint64_t random_state = 1;

static size_t random_below(size_t bound) {
    uint64_t x = random_state += 0x9E3779B97F4A7C15u;
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
    return (size_t)((x ^ (x >> 31)) % bound);
}

static void shuffle(size_t *order, size_t count) {
    for (size_t i = count - 1; i > 0; i--) {
        size_t j = random_below(i + 1), swap = order[i];
        order[i] = order[j];
        order[j] = swap;
    }
}

static size_t largest(const float *values) {
    size_t best = 0;
    for (size_t k = 1; k < DIGITS; k++)
        if (values[k] > values[best]) best = k;
    return best;
}

/* The fraction of rows whose most probable digit is correct; -1 if the call fails. */
static double accuracy(const bp_network *network, const dataset *data, float *outputs) {
    size_t right = 0;
    if (bp_network_predict(network, data->pixels, data->rows, outputs) != BP_OK) return -1;
    for (size_t i = 0; i < data->rows; i++) right += largest(outputs + i * DIGITS) == largest(data->targets + i * DIGITS);
    return (double)right / (double)data->rows;
}

/* Every call of the library that can fail returns a status. Prints the error message if it is not BP_OK. */
static int good(int32_t status) {
    if (status == BP_OK) return 1;
    fprintf(stderr, "\n%s: %s\n", bp_status_name(status), bp_last_error_message());
    return 0;
}

static const char *in_folder(const char *folder, const char *name) {
    static char path[4096];
    int length = snprintf(path, sizeof path, "%s/%s", folder, name);
    return length > 0 && (size_t)length < sizeof path ? path : ""; /* opening an empty path fails */
}

/* ---- Training */

/* One pass over the training images in a new random order. *loss_out is the mean loss per image. */
static int train_epoch(bp_network *network, const dataset *data, size_t *order, float rate, double *loss_out) {
    float inputs[BATCH * PIXELS], targets[BATCH * DIGITS], loss;
    double sum = 0;
    shuffle(order, data->rows);
    for (size_t start = 0, rows; start < data->rows; start += rows) {
        rows = data->rows - start; /* the last minibatch can be smaller */
        if (rows > BATCH) rows = BATCH;
        for (size_t i = 0; i < rows; i++) {
            memcpy(inputs + i * PIXELS, data->pixels + order[start + i] * PIXELS, PIXELS * sizeof(float));
            memcpy(targets + i * DIGITS, data->targets + order[start + i] * DIGITS, DIGITS * sizeof(float));
        }
        if (!good(bp_network_train_minibatch(network, inputs, targets, rows, rate, &loss))) return 0;
        sum += (double)loss * (double)rows;
    }
    *loss_out = sum / (double)data->rows;
    return 1;
}

/* Prints the progress: on a terminal one line that is overwritten, otherwise one line every 5 epochs. */
static void show(int epoch, int epochs, double loss, double training, double heldout) {
    static const char bar[] = "####################....................";
    int live = isatty(fileno(stdout)), done = 20 * epoch / epochs;
    if (!live && epoch % 5 != 0 && epoch != 1 && epoch != epochs) return;
    printf("%s[%.20s] epoch %3d/%d   loss %.4f   training %6.2f %%   held out %6.2f %%%s", live ? "\r" : "", bar + 20 - done,
           epoch, epochs, loss, 100 * training, 100 * heldout, live && epoch < epochs ? "" : "\n");
    fflush(stdout);
}

int main(int argc, char **argv) {
    const size_t sizes[] = {PIXELS, HIDDEN, DIGITS};
    const char *folder = argc > 2 ? argv[2] : "";
    int epochs = argc > 3 ? atoi(argv[3]) : 40, result = 1;
    dataset training = {NULL, NULL, 0}, heldout = {NULL, NULL, 0};
    size_t *order = NULL;
    float *outputs = NULL;
    FILE *history = NULL, *predictions = NULL;
    bp_network *network = NULL;
    double heldout_accuracy = 0;

    if (argc < 3 || argc > 4 || epochs < 1) {
        fprintf(stderr, "usage: digits DATA.csv OUTPUT_FOLDER [EPOCHS]\n");
        return 2;
    }
    if (!read_csv(argv[1], &training, &heldout)) {
        fprintf(stderr, "cannot read %s as the digits data set\n", argv[1]);
        goto done;
    }
    order = (size_t *)malloc(training.rows * sizeof *order);
    outputs = (float *)malloc(training.rows * DIGITS * sizeof *outputs);
    history = fopen(in_folder(folder, "history.csv"), "w");
    if (!order || !outputs || !history) {
        perror(folder);
        goto done;
    }
    for (size_t i = 0; i < training.rows; i++) order[i] = i;

    /* Softmax outputs are the probabilities of the ten digits; cross-entropy is the matching loss. With the mean over the
     * minibatch, the learning rate does not depend on the size of the minibatch. */
    if (!good(bp_activation_register_scalar("scaled_tanh", scaled_tanh, scaled_tanh_derivative, NULL, NULL)) ||
        !good(bp_network_create(sizes, 3, 1, &network)) || !good(bp_network_set_activation(network, 1, "scaled_tanh")) ||
        !good(bp_network_set_batchnorm(network, 1, 1)) || !good(bp_network_set_activation(network, 2, "softmax")) ||
        !good(bp_network_set_loss(network, "cross_entropy")) || !good(bp_network_set_option(network, "gradient_reduction", 1)))
        goto done;

    printf("libbackprop %s (%s): %d training images, %d held out\n", bp_version_string(), bp_instruction_set(),
           (int)training.rows, (int)heldout.rows);
    fprintf(history, "epoch,loss,train_accuracy,heldout_accuracy\n");
    for (int epoch = 1; epoch <= epochs; epoch++) {
        /* The learning rate decreases linearly from 2: large steps at first, small steps to converge. */
        float rate = 2 * (float)(epochs - epoch + 1) / (float)epochs;
        double loss, training_accuracy;
        if (!train_epoch(network, &training, order, rate, &loss)) goto done;
        training_accuracy = accuracy(network, &training, outputs);
        heldout_accuracy = accuracy(network, &heldout, outputs);
        if (training_accuracy < 0 || heldout_accuracy < 0) {
            fprintf(stderr, "\n%s\n", bp_last_error_message());
            goto done;
        }
        fprintf(history, "%d,%.6f,%.6f,%.6f\n", epoch, loss, training_accuracy, heldout_accuracy);
        show(epoch, epochs, loss, training_accuracy, heldout_accuracy);
    }

    /* `outputs` contains the held-out predictions of the final network. The Python example compares its own with them. */
    if (!good(bp_network_save(network, in_folder(folder, "digits.safetensors")))) goto done;
    predictions = fopen(in_folder(folder, "predictions_c.f32"), "wb");
    if (!predictions || fwrite(outputs, DIGITS * sizeof(float), heldout.rows, predictions) != heldout.rows) {
        perror(folder);
        goto done;
    }
    printf("held-out accuracy: %.2f %%\n", 100 * heldout_accuracy);
    result = 0;

done: /* free and bp_network_free accept NULL */
    if (history && fclose(history) != 0) result = 1;
    if (predictions && fclose(predictions) != 0) result = 1;
    bp_network_free(network);
    free(outputs);
    free(order);
    release(&training);
    release(&heldout);
    return result;
}
