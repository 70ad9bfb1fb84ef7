/* loader.c: turns bytes into files for bp_network_load_memory, or for bp_network_load_weights and its relatives. The first byte selects the function,
 * and the parts that are corrected before, so that changed files pass the first checks: the opening words, the header's
 * length, the checksum. An accepted file must give a network that works, and that is unchanged after saving and loading.
 * Refused weights must not change the network. */
#define _GNU_SOURCE /* memfd_create */
#include <backprop.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static const char opening[] = "{\"__metadata__\":{\"format\":\"libbackprop\",\"format_version\":\"1\",\"checksum\":\"";
enum { LENGTH = 8, CHECKSUM = LENGTH + sizeof opening - 1, DIGITS = 16 };
enum { WITH_OPENING = 1, WITH_LENGTH = 2, WITH_CHECKSUM = 4, AS_WEIGHTS = 8 };

static bp_network *receiver; /* of weights: 2, 3 and 1 units, batch normalization on the 3 */
static int descriptor;       /* of a file in memory */
static char path[64];

static void breach(const char *what) {
    fprintf(stderr, "BREACH: %s (%s)\n", what, bp_last_error_message());
    abort();
}

/* CRC-64/XZ, bit by bit. */
static uint64_t crc(const uint8_t *bytes, size_t count) {
    uint64_t value = UINT64_MAX;
    for (size_t i = 0; i < count; i++) {
        value ^= bytes[i];
        for (int bit = 0; bit < 8; bit++) value = value & 1 ? value >> 1 ^ 0xC96C5795D7870F42u : value >> 1;
    }
    return ~value;
}

static void correct(uint8_t *file, size_t count, int what) {
    char digits[DIGITS + 1];
    if (count < CHECKSUM + DIGITS) return;
    if (what & WITH_OPENING) memcpy(file + LENGTH, opening, sizeof opening - 1);
    if (what & WITH_LENGTH) { /* the header ends at the last closing brackets */
        uint64_t length = count - LENGTH;
        for (size_t i = LENGTH; i + 2 < count; i++)
            if (memcmp(file + i, "]}}", 3) == 0) length = i + 3 - LENGTH;
        for (int i = 0; i < LENGTH; i++) file[i] = (uint8_t)(length >> (8 * i));
    }
    if (what & WITH_CHECKSUM) {
        memset(file + CHECKSUM, '0', DIGITS);
        snprintf(digits, sizeof digits, "%016llx", (unsigned long long)crc(file, count));
        memcpy(file + CHECKSUM, digits, DIGITS);
    }
}

static size_t save(const bp_network *network, uint8_t **bytes_out) {
    size_t count = 0;
    (void)bp_network_save_memory(network, NULL, 0, &count);
    *bytes_out = (uint8_t *)malloc(count + 1);
    if (!*bytes_out || bp_network_save_memory(network, *bytes_out, count, &count) != BP_OK)
        breach("the network cannot be saved");
    return count;
}

static void check_is_kept(const bp_network *network) {
    uint8_t *bytes, *again;
    bp_network *loaded = NULL;
    size_t count = save(network, &bytes);
    if (bp_network_load_memory(bytes, count, &loaded) != BP_OK) breach("the saved file cannot be loaded");
    if (save(loaded, &again) != count || memcmp(bytes, again, count) != 0)
        breach("the loaded network differs from the saved one");
    bp_network_free(loaded);
    free(bytes);
    free(again);
}

static void check_works(bp_network *network) {
    size_t layers = 0, inputs = 0, outputs = 0;
    (void)bp_network_layer_count(network, &layers);
    (void)bp_network_layer_size(network, 0, &inputs);
    (void)bp_network_layer_size(network, layers - 1, &outputs);
    float *x = (float *)calloc(3 * inputs, sizeof(float)), *y = (float *)calloc(3 * outputs, sizeof(float));
    if (!x || !y) exit(2);
    for (size_t i = 0; i < 3 * inputs; i++) x[i] = (float)(i % 5) / 4;
    int32_t status = bp_network_predict(network, x, 3, y);
    if (status != BP_OK && status != BP_ERROR_CALLBACK) breach("the network cannot predict");
    (void)bp_network_train_minibatch(network, x, y, 3, 0.1f, NULL); /* can fail, because its numbers can be too large */
    (void)bp_network_train_step(network, x, y, 0.1f, NULL);
    free(x);
    free(y);
}

static float bend(float z, void *user_data) {
    (void)user_data;
    return z < 0 ? z / 2 : z;
}

static void load_model(const uint8_t *file, size_t count) {
    bp_network *network = NULL;
    int32_t status = bp_network_load_memory(file, count, &network);
    if ((status == BP_OK) != (network != NULL)) breach("status and handle disagree");
    if (!network) return;
    check_is_kept(network);
    check_works(network);
    check_is_kept(network);
    bp_network_free(network);
}

static void load_weights(const uint8_t *file, size_t count) {
    uint8_t *before, *after;
    size_t before_count = save(receiver, &before), after_count;
    if (ftruncate(descriptor, 0) != 0 || pwrite(descriptor, file, count, 0) != (ssize_t)count) exit(2);
    int32_t status = bp_network_load_weights(receiver, path);
    after_count = save(receiver, &after);
    if (status != BP_OK && (after_count != before_count || memcmp(before, after, after_count) != 0))
        breach("refused weights have changed the network");
    if (status == BP_OK) check_is_kept(receiver);
    if (bp_network_load_weights_memory(receiver, file, count) != status) breach("file and memory give different statuses");
    status = bp_network_load_layer_memory(receiver, 1, file, count, "layers.1.weight", "layers.1.bias");
    free(before);
    before_count = save(receiver, &before);
    if (after_count != before_count || (status != BP_OK && memcmp(before, after, after_count) != 0))
        breach("a refused layer has changed the network");
    free(before);
    free(after);
}

int LLVMFuzzerInitialize(int *count, char ***words);
int LLVMFuzzerInitialize(int *count, char ***words) {
    static const size_t sizes[] = {2, 3, 1};
    (void)count, (void)words;
    descriptor = memfd_create("weights", MFD_CLOEXEC);
    snprintf(path, sizeof path, "/proc/self/fd/%d", descriptor);
    if (descriptor < 0 || bp_activation_register_scalar("host.a", bend, NULL, NULL, NULL) != BP_OK ||
        bp_network_create(sizes, 3, 1, &receiver) != BP_OK || bp_network_set_batchnorm(receiver, 1, 1) != BP_OK)
        exit(2);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count) {
    if (count == 0) return 0;
    uint8_t *file = (uint8_t *)malloc(count - 1 ? count - 1 : 1); /* a separate block, so that a read beyond it is detected */
    if (!file) exit(2);
    memcpy(file, bytes + 1, count - 1);
    correct(file, count - 1, bytes[0]);
    if (bytes[0] & AS_WEIGHTS) load_weights(file, count - 1);
    else load_model(file, count - 1);
    free(file);
    return 0;
}
