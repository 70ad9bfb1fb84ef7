/* files.c: a model is loaded bit for bit or not at all. Runs in a separate folder, in which it writes files. */
#define _XOPEN_SOURCE 700 /* opendir, mkdir, setrlimit */
#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "folder.h"

static const char path[] = "model.safetensors";

static float plug_in(float z, void *user_data) {
    (void)user_data;
    return z > 0 ? z : z / 8;
}

/* A network with many of the settings that a file holds. */
static bp_network *some_network(void) {
    const size_t sizes[] = {3, 4, 3, 2};
    bp_network *network = check_network(sizes, 4, 8);
    EXPECT_OK(bp_network_set_activation(network, 1, "silu"));
    EXPECT_OK(bp_network_set_activation(network, 2, "tanh"));
    EXPECT_OK(bp_network_set_activation(network, 3, "softmax"));
    EXPECT_OK(bp_network_set_batchnorm(network, 1, 1));
    EXPECT_OK(bp_network_set_batchnorm(network, 2, 1));
    EXPECT_OK(bp_network_set_loss(network, "cross_entropy"));
    EXPECT_OK(bp_network_set_option(network, "gradient_reduction", 1));
    EXPECT_OK(bp_network_set_option(network, "batchnorm_epsilon", 1.0 / 3)); /* has no exact decimal number */
    EXPECT_OK(bp_network_set_option(network, "batchnorm_momentum", 0.123456789012345678));
    EXPECT_OK(bp_network_set_option(network, "batchnorm_update", 1));
    EXPECT_OK(bp_network_set_option(network, "initialization", 3));
    return network;
}

static void train(bp_network *network, int steps, uint32_t seed) {
    float x[6 * 3], y[6 * 2];
    for (int step = 0; step < steps; step++) {
        check_fill(x, 18, seed + (uint32_t)step);
        for (int i = 0; i < 6; i++) y[2 * i] = (float)((i + step) % 2), y[2 * i + 1] = 1 - y[2 * i];
        EXPECT_OK(bp_network_train_minibatch(network, x, y, 6, 0.25f, NULL));
    }
}

static int predictions_equal(const bp_network *one, const bp_network *other) {
    float x[6 * 3], a[6 * 2], b[6 * 2];
    check_fill(x, 18, 77);
    return EXPECT_OK(bp_network_predict(one, x, 6, a)) && EXPECT_OK(bp_network_predict(other, x, 6, b)) &&
        memcmp(a, b, sizeof a) == 0;
}

static void write_file(const char *name, const uint8_t *bytes, size_t count) {
    FILE *file = fopen(name, "wb");
    if (!EXPECT(file != NULL)) return;
    EXPECT(fwrite(bytes, 1, count, file) == count);
    EXPECT(fclose(file) == 0);
}

/* ---- Round trips */

static void file_and_memory_round_trips_keep_every_bit(void) {
    bp_network *network = some_network(), *from_file = NULL, *from_memory = NULL;
    snapshot bytes;
    double value = 0;
    train(network, 5, 1);
    bytes = snapshot_of(network);
    EXPECT_OK(bp_network_save(network, path));
    EXPECT(file_holds(path, bytes)); /* the bytes that bp_network_save writes */
    EXPECT_OK(bp_network_load(path, &from_file));
    EXPECT_OK(bp_network_load_memory(bytes.bytes, bytes.count, &from_memory));
    EXPECT(snapshot_holds(bytes, from_file) && snapshot_holds(bytes, from_memory));
    EXPECT(predictions_equal(network, from_file) && predictions_equal(network, from_memory));
    EXPECT_OK(bp_network_get_option(from_file, "batchnorm_momentum", &value));
    EXPECT(value == 0.123456789012345678);
    EXPECT_OK(bp_network_get_option(from_memory, "batchnorm_epsilon", &value));
    EXPECT(value == 1.0 / 3);
    train(network, 5, 2); /* training continues with the same results */
    train(from_file, 5, 2);
    train(from_memory, 5, 2);
    EXPECT(!snapshot_holds(bytes, network));
    EXPECT(snapshot_equal(network, from_file) && snapshot_equal(network, from_memory));
    bp_network_free(network);
    bp_network_free(from_file);
    bp_network_free(from_memory);
    free(bytes.bytes);
    remove(path);
}

/* After a load, an untrained network still draws new weights when its activation changes. */
static void untrained_network_stays_untrained_in_a_file(void) {
    const size_t sizes[] = {3, 4, 2};
    bp_network *network = check_network(sizes, 3, 1), *loaded = NULL;
    snapshot bytes = snapshot_of(network);
    EXPECT_OK(bp_network_load_memory(bytes.bytes, bytes.count, &loaded));
    EXPECT_OK(bp_network_set_activation(network, 1, "relu"));
    EXPECT_OK(bp_network_set_activation(loaded, 1, "relu"));
    EXPECT(snapshot_equal(network, loaded));
    bp_network_free(network);
    bp_network_free(loaded);
    free(bytes.bytes);
}

static void disabled_batch_normalization_is_kept_in_a_file(void) {
    bp_network *network = some_network(), *loaded = NULL;
    snapshot bytes;
    train(network, 5, 1);
    EXPECT_OK(bp_network_set_batchnorm(network, 1, 0));
    bytes = snapshot_of(network);
    EXPECT_OK(bp_network_load_memory(bytes.bytes, bytes.count, &loaded));
    EXPECT(predictions_equal(network, loaded));
    EXPECT_OK(bp_network_set_batchnorm(network, 1, 1)); /* the four tensors were kept */
    EXPECT_OK(bp_network_set_batchnorm(loaded, 1, 1));
    EXPECT(snapshot_equal(network, loaded));
    EXPECT(predictions_equal(network, loaded));
    bp_network_free(network);
    bp_network_free(loaded);
    free(bytes.bytes);
}

/* Extreme floats: the largest, the smallest, subnormal numbers, and minus zero. */
static void every_float_is_saved_exactly(void) {
    const size_t sizes[] = {2, 2};
    const float extreme[6] = {3.4028235e38f, -1.1754944e-38f, 1.4e-45f, -0.0f, 1.0f / 3, 16777217.0f};
    float after[6];
    bp_network *network = check_network(sizes, 2, 1), *loaded = NULL;
    snapshot bytes;
    EXPECT_OK(bp_network_set_parameters(network, extreme, count_of(network)));
    bytes = snapshot_of(network);
    EXPECT_OK(bp_network_load_memory(bytes.bytes, bytes.count, &loaded));
    EXPECT_OK(bp_network_get_parameters(loaded, after, count_of(loaded)));
    EXPECT(memcmp(extreme, after, sizeof after) == 0);
    bp_network_free(network);
    bp_network_free(loaded);
    free(bytes.bytes);
}

/* ---- The format, parsed without the library: 8 bytes of length, JSON of that length, then the tensors */

static const uint8_t *tensor(snapshot bytes, const char *name, const char *shape, size_t count) {
    uint64_t length = 0, from = 0, to = 0;
    char quoted[64], json[8192];
    const char *entry, *offsets;
    for (int i = 7; i >= 0; i--) length = length << 8 | bytes.bytes[i];
    if (!EXPECT(length < sizeof json && 8 + length <= bytes.count)) return NULL;
    memcpy(json, bytes.bytes + 8, (size_t)length);
    json[length] = 0;
    snprintf(quoted, sizeof quoted, "\"%s\":{", name);
    entry = strstr(json, quoted);
    if (!EXPECT(entry != NULL)) return printf("#   no %s\n", quoted), NULL;
    EXPECT(strstr(entry, "\"dtype\":\"F32\"") < strchr(entry, '}') && strstr(entry, shape) < strchr(entry, '}'));
    EXPECT(strstr(entry, shape) != NULL);
    offsets = strstr(entry, "\"data_offsets\":[");
    if (!EXPECT(offsets != NULL)) return NULL;
    from = strtoull(offsets + 16, (char **)&offsets, 10);
    to = strtoull(offsets + 1, NULL, 10);
    EXPECT(to - from == count * sizeof(float) && 8 + length + to <= bytes.count);
    return bytes.bytes + 8 + length + from;
}

static void file_is_safetensors_with_pytorch_names_and_order(void) {
    /* 3-4-3-2 with normalization in layers 1 and 2, in the order of the flat vector. */
    static const struct {
        const char *name, *shape;
        size_t count;
    } tensors[] = {{"layers.1.weight", "\"shape\":[4,3]", 12},   {"layers.1.bias", "\"shape\":[4]", 4},
                   {"layers.1.norm.weight", "\"shape\":[4]", 4}, {"layers.1.norm.bias", "\"shape\":[4]", 4},
                   {"layers.2.weight", "\"shape\":[3,4]", 12},   {"layers.2.bias", "\"shape\":[3]", 3},
                   {"layers.2.norm.weight", "\"shape\":[3]", 3}, {"layers.2.norm.bias", "\"shape\":[3]", 3},
                   {"layers.3.weight", "\"shape\":[2,3]", 6},    {"layers.3.bias", "\"shape\":[2]", 2}};
    float parameters[53];
    size_t position = 0, count = 0;
    bp_network *network = some_network();
    snapshot bytes;
    train(network, 5, 1);
    bytes = snapshot_of(network);
    EXPECT_OK(bp_network_parameter_count(network, &count));
    EXPECT(count == 53);
    EXPECT_OK(bp_network_get_parameters(network, parameters, count_of(network)));
    EXPECT(bytes.count > 9 && bytes.bytes[8] == '{');
    for (size_t i = 0; i < sizeof tensors / sizeof tensors[0]; i++) {
        const uint8_t *data = tensor(bytes, tensors[i].name, tensors[i].shape, tensors[i].count);
        if (data) EXPECT(memcmp(data, parameters + position, tensors[i].count * sizeof(float)) == 0);
        position += tensors[i].count;
    }
    EXPECT(tensor(bytes, "layers.1.norm.running_mean", "\"shape\":[4]", 4) != NULL);
    EXPECT(tensor(bytes, "layers.2.norm.running_var", "\"shape\":[3]", 3) != NULL);
    bp_network_free(network);
    free(bytes.bytes);
}

/* ---- Damaged files. Every truncation and every changed byte is detected and reported. */

static int refused(const uint8_t *bytes, size_t count) {
    bp_network *loaded = (bp_network *)1;
    int32_t status = bp_network_load_memory(bytes, count, &loaded);
    int named = status == BP_ERROR_CORRUPT || status == BP_ERROR_NOT_A_MODEL || status == BP_ERROR_VERSION;
    if (named && loaded == NULL && check_message()) return 1;
    printf("#   %s\n", bp_status_name(status));
    if (status == BP_OK) bp_network_free(loaded);
    return 0;
}

/* In a block of exactly that size, so that a memory checker detects a read beyond it. */
static int refused_exactly(const uint8_t *bytes, size_t count) {
    uint8_t *block = (uint8_t *)malloc(count ? count : 1);
    int result;
    memcpy(block, bytes, count);
    result = refused(block, count);
    free(block);
    return result;
}

static void truncated_file_is_refused_at_every_length(void) {
    bp_network *network = some_network();
    snapshot bytes;
    train(network, 2, 1);
    bytes = snapshot_of(network);
    for (size_t count = 0; count < bytes.count; count++)
        if (!EXPECT(refused_exactly(bytes.bytes, count))) printf("#   cut to %d bytes\n", (int)count);
    bp_network_free(network);
    free(bytes.bytes);
}

static void any_changed_byte_is_refused(void) {
    const uint8_t flips[] = {0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80, 0xFF};
    bp_network *network = some_network();
    snapshot bytes;
    train(network, 2, 1);
    bytes = snapshot_of(network);
    for (size_t i = 0; i < bytes.count; i++)
        for (size_t k = 0; k < sizeof flips; k++) {
            bytes.bytes[i] ^= flips[k];
            if (!EXPECT(refused(bytes.bytes, bytes.count)))
                printf("#   byte %d of %d changed by %02x\n", (int)i, (int)bytes.count, flips[k]);
            bytes.bytes[i] ^= flips[k];
        }
    EXPECT(snapshot_holds(bytes, network)); /* all bytes are restored */
    bp_network_free(network);
    free(bytes.bytes);
}

static void exchanged_bytes_are_refused(void) {
    bp_network *network = some_network();
    snapshot bytes;
    train(network, 2, 1);
    bytes = snapshot_of(network);
    for (size_t i = 0; i + 4 < bytes.count; i++) { /* adjacent bytes, and the same byte of adjacent floats */
        for (size_t distance = 1; distance <= 4; distance += 3) {
            uint8_t a = bytes.bytes[i], b = bytes.bytes[i + distance];
            if (a == b) continue;
            bytes.bytes[i] = b, bytes.bytes[i + distance] = a;
            EXPECT(refused(bytes.bytes, bytes.count));
            bytes.bytes[i] = a, bytes.bytes[i + distance] = b;
        }
    }
    bp_network_free(network);
    free(bytes.bytes);
}

static void trailing_bytes_are_refused(void) {
    bp_network *network = some_network();
    snapshot bytes = snapshot_of(network);
    uint8_t *longer = (uint8_t *)calloc(bytes.count + 100, 1);
    memcpy(longer, bytes.bytes, bytes.count);
    for (size_t more = 1; more <= 100; more++) EXPECT(refused(longer, bytes.count + more));
    memcpy(longer + bytes.count, bytes.bytes, 100);
    EXPECT(refused(longer, bytes.count + 100));
    bp_network_free(network);
    free(longer);
    free(bytes.bytes);
}

static void files_of_another_kind_are_not_models(void) {
    static const char foreign[] = "{\"x\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}";
    static const struct {
        const char *bytes;
        size_t count;
    } others[] = {{"", 0},
                  {"x", 1},
                  {"hello, world\n", 13},
                  {"\x89PNG\r\n\x1A\n\0\0\0\rIHDR", 16},
                  {"PK\3\4", 4},
                  {"\0\0\0\0\0\0\0\0", 8},
                  {"\2\0\0\0\0\0\0\0{}", 10},
                  {"\2\0\0\0\0\0\0\0[]", 10},
                  {"\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x7F{}", 10},
                  {"\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF{}", 10},
                  {"\xF8\xFF\xFF\xFF\xFF\xFF\xFF\xFF{}", 10} /* 8 + length wraps to 0 */};
    uint8_t bytes[8 + sizeof foreign - 1 + 4] = {sizeof foreign - 1};
    bp_network *loaded;
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        EXPECT(refused_exactly((const uint8_t *)others[i].bytes, others[i].count));
        write_file("other", (const uint8_t *)others[i].bytes, others[i].count);
        loaded = (bp_network *)1;
        EXPECT(bp_network_load("other", &loaded) < 0);
        EXPECT(loaded == NULL && check_message());
        EXPECT(strncmp(bp_last_error_message(), "other: ", 7) == 0);
    }
    memcpy(bytes + 8, foreign, sizeof foreign - 1); /* valid safetensors that another program wrote */
    EXPECT_ERROR(bp_network_load_memory(bytes, sizeof bytes, &loaded), BP_ERROR_NOT_A_MODEL);
    EXPECT_ERROR(bp_network_load_memory((const uint8_t *)"hello, world, how are you\n", 26, &loaded), BP_ERROR_NOT_A_MODEL);
    remove("other");
}

static void damaged_files_are_refused_like_damaged_memory(void) {
    bp_network *network = some_network(), *loaded = (bp_network *)1;
    snapshot bytes = snapshot_of(network);
    bytes.bytes[bytes.count - 1] ^= 1;
    write_file(path, bytes.bytes, bytes.count);
    EXPECT_ERROR(bp_network_load(path, &loaded), BP_ERROR_CORRUPT);
    EXPECT(loaded == NULL && strncmp(bp_last_error_message(), "model.safetensors: ", 19) == 0);
    EXPECT_ERROR(bp_network_load_weights(network, path), BP_ERROR_CORRUPT);
    EXPECT(strncmp(bp_last_error_message(), "model.safetensors: ", 19) == 0);
    bytes.bytes[bytes.count - 1] ^= 1;
    write_file(path, bytes.bytes, bytes.count - 1);
    EXPECT_ERROR(bp_network_load(path, &loaded), BP_ERROR_CORRUPT);
    write_file(path, bytes.bytes, bytes.count);
    EXPECT_OK(bp_network_load(path, &loaded));
    EXPECT(snapshot_holds(bytes, loaded));
    bp_network_free(loaded);
    bp_network_free(network);
    free(bytes.bytes);
    remove(path);
}

/* ---- A file holds the names of custom activations */

static void missing_activation_is_named_and_loading_works_after_it_is_registered(void) {
    bp_network *network = some_network(), *loaded = (bp_network *)1;
    snapshot bytes;
    EXPECT_OK(bp_activation_register_scalar("first.missing", plug_in, NULL, NULL, NULL));
    EXPECT_OK(bp_activation_register_scalar("second.missing", plug_in, NULL, NULL, NULL));
    EXPECT_OK(bp_network_set_activation(network, 1, "first.missing"));
    EXPECT_OK(bp_network_set_activation(network, 2, "second.missing"));
    train(network, 3, 1);
    bytes = snapshot_of(network);
    EXPECT_OK(bp_activation_unregister("first.missing"));
    EXPECT_OK(bp_activation_unregister("second.missing"));
    EXPECT(snapshot_holds(bytes, network)); /* saving still works */
    EXPECT_OK(bp_network_save(network, path));
    EXPECT_ERROR(bp_network_load_memory(bytes.bytes, bytes.count, &loaded), BP_ERROR_UNKNOWN_NAME);
    EXPECT_MESSAGE("first.missing");
    EXPECT_MESSAGE("second.missing"); /* the message names all missing activations */
    EXPECT(loaded == NULL);
    loaded = (bp_network *)1;
    EXPECT_ERROR(bp_network_load(path, &loaded), BP_ERROR_UNKNOWN_NAME);
    EXPECT(loaded == NULL);
    EXPECT_OK(bp_activation_register_scalar("second.missing", plug_in, NULL, NULL, NULL));
    EXPECT_ERROR(bp_network_load(path, &loaded), BP_ERROR_UNKNOWN_NAME);
    EXPECT_MESSAGE("first.missing");
    EXPECT_OK(bp_activation_register_scalar("first.missing", plug_in, NULL, NULL, NULL));
    EXPECT_OK(bp_network_load(path, &loaded));
    EXPECT(snapshot_holds(bytes, loaded));
    EXPECT(predictions_equal(network, loaded));
    train(network, 3, 4);
    train(loaded, 3, 4);
    EXPECT(snapshot_equal(network, loaded));
    EXPECT_OK(bp_activation_unregister("first.missing"));
    EXPECT_OK(bp_activation_unregister("second.missing"));
    bp_network_free(network);
    bp_network_free(loaded);
    free(bytes.bytes);
    remove(path);
}

/* ---- Buffers and paths */

static void buffer_of_the_wrong_size_returns_the_size_needed(void) {
    bp_network *network = some_network();
    snapshot bytes = snapshot_of(network);
    uint8_t *buffer = (uint8_t *)malloc(bytes.count + 64);
    size_t needed = 0;
    EXPECT_ERROR(bp_network_save_memory(network, NULL, 0, &needed), BP_ERROR_BUFFER_TOO_SMALL);
    EXPECT(needed == bytes.count);
    for (size_t capacity = 0; capacity < bytes.count; capacity += capacity + 17 < bytes.count ? 17 : 1) {
        needed = 0;
        EXPECT_ERROR(bp_network_save_memory(network, buffer, capacity, &needed), BP_ERROR_BUFFER_TOO_SMALL);
        EXPECT(needed == bytes.count);
    }
    memset(buffer, 0xA5, bytes.count + 64);
    EXPECT_OK(bp_network_save_memory(network, buffer, bytes.count, &needed));
    EXPECT(needed == bytes.count && buffer[bytes.count] == 0xA5);
    EXPECT_OK(bp_network_save_memory(network, buffer, bytes.count + 64, &needed));
    EXPECT(needed == bytes.count && buffer[bytes.count] == 0xA5 && memcmp(buffer, bytes.bytes, needed) == 0);
    bp_network_free(network);
    free(buffer);
    free(bytes.bytes);
}

static void invalid_paths_are_refused(void) {
    static char endless[100000];
    static const char *const nowhere[] = {
        "missing/folder/model.safetensors", "model.safetensors/", "/", ".", "a_folder", "a_file/model.safetensors", endless};
    bp_network *network = some_network(), *loaded;
    memset(endless, 'a', sizeof endless - 1);
    EXPECT(mkdir("a_folder", 0777) == 0);
    write_file("a_file", (const uint8_t *)"text", 4);
    for (size_t i = 0; i < sizeof nowhere / sizeof nowhere[0]; i++) {
        int before = entries(".");
        if (!EXPECT_ERROR(bp_network_save(network, nowhere[i]), BP_ERROR_IO)) printf("#   %.60s\n", nowhere[i]);
        EXPECT(entries(".") == before); /* no file is left */
        loaded = (bp_network *)1;
        if (!EXPECT_ERROR(bp_network_load(nowhere[i], &loaded), BP_ERROR_IO)) printf("#   %.60s\n", nowhere[i]);
        EXPECT(loaded == NULL);
    }
    EXPECT_ERROR(bp_network_save(network, ""), BP_ERROR_INVALID_VALUE);
    EXPECT_ERROR(bp_network_load("", &loaded), BP_ERROR_INVALID_VALUE);
    EXPECT_ERROR(bp_network_load("no such file", &loaded), BP_ERROR_IO);
    EXPECT_MESSAGE("no such file");
    EXPECT(rmdir("a_folder") == 0); /* it still exists, and is empty */
    remove("a_file");
    bp_network_free(network);
}

static void io_errors_set_errno(void) {
    bp_network *network = some_network(), *loaded;
    int number;
    write_file("a_file", (const uint8_t *)"text", 4);
    errno = 0;
    EXPECT_STATUS(bp_network_load("no such file", &loaded), BP_ERROR_IO);
    number = errno;
    EXPECT(number == ENOENT);
    errno = 0;
    EXPECT_STATUS(bp_network_load_weights(network, "a_file/model.safetensors"), BP_ERROR_IO);
    number = errno;
    EXPECT(number == ENOTDIR);
    errno = 0;
    EXPECT_STATUS(bp_network_load(".", &loaded), BP_ERROR_IO);
    number = errno;
    EXPECT(number == EISDIR);
    errno = 0;
    EXPECT_STATUS(bp_network_save(network, "missing/folder/model.safetensors"), BP_ERROR_IO);
    number = errno;
    EXPECT(number == ENOENT);
    remove("a_file");
    bp_network_free(network);
}

static void saving_over_a_file_leaves_one_file(void) {
    bp_network *network = some_network();
    snapshot first, second;
    int before;
    EXPECT_OK(bp_network_save(network, path));
    before = entries(".");
    first = snapshot_of(network);
    EXPECT(file_holds(path, first));
    train(network, 3, 1);
    for (int i = 0; i < 20; i++) EXPECT_OK(bp_network_save(network, path));
    second = snapshot_of(network);
    EXPECT(file_holds(path, second) && !file_holds(path, first));
    EXPECT(entries(".") == before);
    bp_network_free(network);
    free(first.bytes);
    free(second.bytes);
    remove(path);
}

/* File names are bytes. The library passes them to the system unchanged, UTF-8 or not. */
static void file_names_may_be_any_bytes(void) {
    const char *const names[] = {"gr\xC3\xBC\xC3\x9F",
                                 "with space",
                                 "-dash",
                                 "\xE6\x95\xB0\xE5\xAD\x97.safetensors",
                                 "a%s%n",
                                 "caf\xE9.safetensors",
                                 "\xFF\xFE",
                                 "\xC3",
                                 "\xED\xA0\x80",
                                 "line\nbreak",
                                 "\x01\x7F"};
    bp_network *network = some_network(), *other = some_network(), *loaded = NULL;
    snapshot bytes;
    train(network, 3, 1);
    bytes = snapshot_of(network);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        int before = entries(".");
        EXPECT_OK(bp_network_save(network, names[i]));
        EXPECT(file_holds(names[i], bytes) && entries(".") == before + 1);
        EXPECT_OK(bp_network_load(names[i], &loaded));
        EXPECT(snapshot_equal(network, loaded));
        bp_network_free(loaded);
        EXPECT_OK(bp_network_load_weights(other, names[i]));
        EXPECT(predictions_equal(network, other));
        EXPECT(remove(names[i]) == 0);
        EXPECT_ERROR(bp_network_load(names[i], &loaded), BP_ERROR_IO);
        EXPECT_ERROR(bp_network_load_weights(other, names[i]), BP_ERROR_IO);
    }
    bp_network_free(network);
    bp_network_free(other);
    free(bytes.bytes);
}

/* Messages are UTF-8 for any path, and name the path. */
static void messages_show_the_bytes_of_a_path_that_is_not_utf_8(void) {
    static char longest[900];
    bp_network *loaded;
    EXPECT_ERROR(bp_network_load("caf\xE9/gr\xC3\xBC\xC3\x9F", &loaded), BP_ERROR_IO);
    EXPECT_MESSAGE("cannot read caf\\xe9/gr\\xc3\\xbc\\xc3\\x9f: No such file");
    EXPECT_ERROR(bp_network_load("caf\xC3\xA9", &loaded), BP_ERROR_IO);
    EXPECT_MESSAGE("cannot read caf\xC3\xA9: No such file");
    for (int i = 0; i < 890; i += 2)
        memcpy(longest + i, i % 100 ? "\xC3\xA9" : "./", 2); /* the message shows the end of the path */
    strcpy(longest + 890, "/the end");
    EXPECT_ERROR(bp_network_load(longest, &loaded), BP_ERROR_IO);
    EXPECT_MESSAGE("cannot read \xE2\x80\xA6");
    EXPECT_MESSAGE("\xC3\xA9/the end: No such file");
}

/* A simulated full disk: writing stops at a limit, in the middle of the file. */
static void failed_write_keeps_the_old_file_and_leaves_no_other(void) {
    bp_network *network = some_network(), *loaded = NULL;
    struct rlimit old_limit, limit;
    snapshot first;
    int before;
    EXPECT_OK(bp_network_save(network, path));
    first = snapshot_of(network);
    before = entries(".");
    train(network, 3, 1);
    signal(SIGXFSZ, SIG_IGN); /* write() fails with EFBIG then */
    EXPECT(getrlimit(RLIMIT_FSIZE, &old_limit) == 0);
    limit = old_limit;
    for (rlim_t size = 0; size < (rlim_t)first.count; size += 512) {
        int32_t status;
        char message[256];
        limit.rlim_cur = size;
        fflush(stdout);
        setrlimit(RLIMIT_FSIZE, &limit);
        status = bp_network_save(network, path);
        snprintf(message, sizeof message, "%s", bp_last_error_message());
        setrlimit(RLIMIT_FSIZE, &old_limit);
        EXPECT_STATUS(status, BP_ERROR_IO);
        EXPECT(message[0] != 0);
        EXPECT(entries(".") == before);
        EXPECT(file_holds(path, first));
    }
    EXPECT_OK(bp_network_load(path, &loaded)); /* the complete old model */
    EXPECT(snapshot_holds(first, loaded));
    EXPECT_OK(bp_network_save(network, path));
    bp_network_free(loaded);
    bp_network_free(network);
    free(first.bytes);
    remove(path);
}

int main(void) {
    CLAIM(file_and_memory_round_trips_keep_every_bit);
    CLAIM(untrained_network_stays_untrained_in_a_file);
    CLAIM(disabled_batch_normalization_is_kept_in_a_file);
    CLAIM(every_float_is_saved_exactly);
    CLAIM(file_is_safetensors_with_pytorch_names_and_order);
    CLAIM(truncated_file_is_refused_at_every_length);
    CLAIM(any_changed_byte_is_refused);
    CLAIM(exchanged_bytes_are_refused);
    CLAIM(trailing_bytes_are_refused);
    CLAIM(files_of_another_kind_are_not_models);
    CLAIM(damaged_files_are_refused_like_damaged_memory);
    CLAIM(missing_activation_is_named_and_loading_works_after_it_is_registered);
    CLAIM(buffer_of_the_wrong_size_returns_the_size_needed);
    CLAIM(invalid_paths_are_refused);
    CLAIM(io_errors_set_errno);
    CLAIM(saving_over_a_file_leaves_one_file);
    CLAIM(file_names_may_be_any_bytes);
    CLAIM(messages_show_the_bytes_of_a_path_that_is_not_utf_8);
    CLAIM(failed_write_keeps_the_old_file_and_leaves_no_other);
    return check_end();
}
