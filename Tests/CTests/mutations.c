/* mutations.c: thousands of changed model files. Loading a changed file does not crash, does not hang and allocates at most a
 * few times its size. The file is refused, unless its bytes are unchanged, or its checksum was recomputed and it holds a
 * valid model, which must then be loaded exactly. With TORTURE=1 in the environment it tries millions of files. */
#define _XOPEN_SOURCE 700 /* sigaction, setitimer */
#include <signal.h>
#include <sys/time.h>
#include <unistd.h>

#include "check.h"
#include "heap.h"
#include "trainer.h"

typedef struct {
    uint8_t bytes[1 << 16];
    size_t count;
} file;

enum { MODELS = 4, SECONDS = 60 }; /* SECONDS: the limit of processor time of one load; a load needs milliseconds */
static file models[MODELS], changed;
static long number, tried; /* the number of the current mutation; the number of loads */
static long accepted;      /* changed files that are models */
static long verbatim;      /* of these: files that are saved again with the same bytes */
static long most_memory;   /* the peak memory of a load, in bytes */

/* Most of the ratio: outputs are padded to 16. Most of the rest: the checksum's table of 16 KiB. */
enum { MEMORY_RATIO = 24, MEMORY_REST = 64 << 10 };

static void end_with_report(int signal_number) {
    char text[80];
    int length = snprintf(text, sizeof text, "# signal %d at mutation %ld\n", signal_number, number);
    if (write(1, text, (size_t)length) < 0) _exit(3);
    _exit(2);
}

/* A limit of processor time, so that other processes do not matter. 0 removes the limit. */
static void limit(long seconds) {
    const struct itimerval time = {{0, 0}, {seconds, 0}};
    setitimer(ITIMER_PROF, &time, NULL);
}

/* ---- Random numbers. The number of a mutation is their seed, so that it can be repeated. */

static uint64_t state;
static uint32_t next(void) { /* xorshift64* */
    state ^= state >> 12, state ^= state << 25, state ^= state >> 27;
    return (uint32_t)(state * 0x2545F4914F6CDD1Du >> 32);
}
static size_t below(size_t count) { return count ? next() % count : 0; }

/* ---- Files. The checksum is CRC-64/XZ of the file with zeros in place of the checksum's digits. */

static const char opening[] = "{\"__metadata__\":{\"format\":\"libbackprop\",\"format_version\":\"1\",\"checksum\":\"";
enum { DIGITS = 8 + sizeof opening - 1 };

static uint64_t header_length(const file *f) {
    uint64_t length = 0;
    for (int i = 7; i >= 0; i--) length = length << 8 | f->bytes[i];
    return length;
}

static void set_header_length(file *f, uint64_t length) {
    for (int i = 0; i < 8; i++) f->bytes[i] = (uint8_t)(length >> 8 * i);
}

static uint64_t crc64(const uint8_t *bytes, size_t count) {
    static uint64_t table[256];
    uint64_t value = ~(uint64_t)0;
    if (!table[1])
        for (uint64_t i = 0; i < 256; i++) {
            uint64_t entry = i;
            for (int bit = 0; bit < 8; bit++) entry = entry & 1 ? entry >> 1 ^ 0xC96C5795D7870F42u : entry >> 1;
            table[i] = entry;
        }
    for (size_t i = 0; i < count; i++) value = value >> 8 ^ table[(value ^ bytes[i]) & 255];
    return ~value;
}

static void seal(file *f) {
    char digits[17];
    if (f->count < DIGITS + 16) return;
    memset(f->bytes + DIGITS, '0', 16);
    snprintf(digits, sizeof digits, "%016llx", (unsigned long long)crc64(f->bytes, f->count));
    memcpy(f->bytes + DIGITS, digits, 16);
}

/* Replaces `old` bytes at `at` by `count` bytes. */
static void splice(file *f, size_t at, size_t old, const void *bytes, size_t count) {
    if (f->count - old + count > sizeof f->bytes) return;
    memmove(f->bytes + at + count, f->bytes + at + old, f->count - at - old);
    if (count) memcpy(f->bytes + at, bytes, count);
    f->count = f->count - old + count;
}

/* Like splice, in the header. Updates the header's length. */
static void splice_header(file *f, size_t at, size_t old, const void *bytes, size_t count) {
    size_t before = f->count;
    splice(f, at, old, bytes, count);
    set_header_length(f, header_length(f) + f->count - before);
}

/* ---- Mutations. Positions in the header are drawn after the checksum, because the checksum must not move. */

static size_t header_start(void) { return DIGITS + 17; }
static size_t header_end(const file *f) { return 8 + (size_t)header_length(f); }
static size_t header_place(const file *f) { return header_start() + below(header_end(f) - header_start()); }

/* A random position in the header of one of the characters; 0 if there is none. */
static size_t find(const file *f, const char *characters, size_t from) {
    for (size_t at = from; at < header_end(f); at++)
        if (f->bytes[at] && strchr(characters, f->bytes[at])) return at;
    return 0;
}

static void random_bytes(file *f) {
    for (size_t i = 0, n = 1 + below(8); i < n; i++) f->bytes[below(f->count)] = (uint8_t)next();
}
static void random_bits(file *f) {
    for (size_t i = 0, n = 1 + below(8); i < n; i++) f->bytes[below(f->count)] ^= (uint8_t)(1u << below(8));
}
static void cut(file *f) { f->count = below(f->count); }
static void piece_removed(file *f) {
    size_t at = below(f->count), n = below(f->count - at);
    splice(f, at, n, NULL, 0);
}
static void piece_doubled(file *f) {
    uint8_t piece[256];
    size_t at = below(f->count), n = below(f->count - at);
    if (n > sizeof piece) n = sizeof piece;
    memcpy(piece, f->bytes + at, n);
    splice(f, below(f->count), 0, piece, n);
}
static void piece_of_another_model(file *f) {
    const file *other = &models[below(MODELS)];
    size_t from = below(other->count), n = below(other->count - from), at = below(f->count);
    if (n > f->count - at) n = f->count - at;
    memcpy(f->bytes + at, other->bytes + from, n);
}
static void length_changed(file *f) {
    static const uint64_t lengths[] = {0,          1,          7,          8,     100,       1ull << 24, 1ull << 31,
                                       1ull << 32, 1ull << 58, 1ull << 63, ~0ull, ~0ull - 7, ~0ull - 8,  (1ull << 63) - 1};
    if (below(2)) set_header_length(f, lengths[below(sizeof lengths / sizeof lengths[0])]);
    else set_header_length(f, header_length(f) + below(64) - 32);
}
static void header_bytes(file *f) {
    for (size_t i = 0, n = 1 + below(8); i < n; i++) f->bytes[header_place(f)] = (uint8_t)next();
}
static void header_characters(file *f) { /* characters of the JSON syntax */
    static const char characters[] = "{}[]\",:\\0123456789 tfn-.eE\n";
    for (size_t i = 0, n = 1 + below(4); i < n; i++)
        f->bytes[header_place(f)] = (uint8_t)characters[below(sizeof characters - 1)];
}
static void header_digit(file *f) {
    size_t at = find(f, "0123456789", header_place(f));
    if (at) f->bytes[at] = (uint8_t)('0' + below(10));
}
static void header_number(file *f) {
    static const char *const numbers[] = {"18446744073709551615",
                                          "18446744073709551616",
                                          "9223372036854775807",
                                          "9223372036854775808",
                                          "4294967296",
                                          "288230376151711743",
                                          "288230376151711744",
                                          "1099511627775",
                                          "-1",
                                          "",
                                          "00",
                                          "1e9",
                                          "0x10",
                                          "1.5",
                                          "99999999999999999999999999",
                                          "0",
                                          "1",
                                          "1024",
                                          "nan",
                                          "-0"};
    size_t at = find(f, "0123456789", header_place(f)), n = 0;
    const char *other = numbers[below(sizeof numbers / sizeof numbers[0])];
    if (!at) return;
    while (at + n < header_end(f) && strchr("0123456789", f->bytes[at + n])) n++;
    splice_header(f, at, n, other, strlen(other));
}
/* From a quotation mark to the next comma: usually a member of an object. */
static size_t member(const file *f, size_t *count) {
    size_t at = find(f, "\"", header_place(f)), end = at ? find(f, ",", at) : 0;
    *count = end - at;
    return end ? at : 0;
}
static void member_doubled(file *f) {
    uint8_t piece[1024];
    size_t n, at = member(f, &n);
    if (!at || n + 1 > sizeof piece) return;
    memcpy(piece, f->bytes + at, n + 1);
    splice_header(f, at, 0, piece, n + 1);
}
static void member_removed(file *f) {
    size_t n, at = member(f, &n);
    if (at) splice_header(f, at, n + 1, NULL, 0);
}
static void member_moved(file *f) {
    uint8_t piece[1024];
    size_t n, at = member(f, &n), count = n + 1;
    if (!at || count > sizeof piece) return;
    memcpy(piece, f->bytes + at, count);
    splice_header(f, at, count, NULL, 0);
    if ((at = member(f, &n))) splice_header(f, at, 0, piece, count);
}
static void member_added(file *f) {
    static const char *const members[] = {"\"unknown\":\"\",",
                                          "\"seed\":\"1\",",
                                          "\"\":\"\",",
                                          "\"x\":1,",
                                          "\"__metadata__\":{},",
                                          "\"x\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]},",
                                          "\"x\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[4,0]},",
                                          "\"\\u0000\":\"\\uD800\","};
    size_t n, at = member(f, &n);
    const char *other = members[below(sizeof members / sizeof members[0])];
    if (at) splice_header(f, at, 0, other, strlen(other));
}
static void deep_json(file *f) {
    static uint8_t deep[8192];
    size_t n, at = member(f, &n), depth = 1 + below(sizeof deep);
    memset(deep, "[{\""[below(3)], sizeof deep);
    if (at) splice_header(f, at, below(2) ? n : 0, deep, depth);
}
static void not_utf_8(file *f) {
    static const char *const sequences[] = {"\xFF", "\xC3", "\xC0\x80", "\xED\xA0\x80", "\xF5\x80\x80\x80", "\xE2\x82", "\x80"};
    const char *sequence = sequences[below(sizeof sequences / sizeof sequences[0])];
    splice_header(f, header_place(f), 0, sequence, strlen(sequence));
}
static void piece_of_header_removed(file *f) {
    size_t at = header_place(f), n = below(header_end(f) - at);
    splice_header(f, at, n > 200 ? below(20) : n, NULL, 0);
}
static void offsets_changed(file *f) {
    static const char key[] = "data_offsets\":[";
    char text[64];
    for (size_t at = header_place(f); at + sizeof key < header_end(f); at++)
        if (memcmp(f->bytes + at, key, sizeof key - 1) == 0) {
            size_t from = at + sizeof key - 1, n = 0;
            while (from + n < header_end(f) && f->bytes[from + n] != ']') n++;
            snprintf(text, sizeof text, "%u,%u", (unsigned)below(40) * 4, (unsigned)below(40) * 4);
            splice_header(f, from, n, text, strlen(text));
            return;
        }
}
static void names_exchanged(file *f) {
    static const char *const names[] = {"layers.1.weight",
                                        "layers.1.bias",
                                        "layers.2.weight",
                                        "layers.2.bias",
                                        "layers.1.norm.weight",
                                        "tanh",
                                        "relu",
                                        "on",
                                        "off",
                                        "none",
                                        "yes",
                                        "no",
                                        "F16"};
    size_t at = find(f, "\"", header_place(f)), n = 0;
    const char *other = names[below(sizeof names / sizeof names[0])];
    if (!at) return;
    while (at + 1 + n < header_end(f) && f->bytes[at + 1 + n] != '"') n++;
    splice_header(f, at + 1, n, other, strlen(other));
}
static void data_lengthened(file *f) {
    uint8_t more[64] = {0};
    splice(f, f->count, 0, more, 1 + below(sizeof more));
}
static void data_shortened(file *f) { f->count -= 1 + below(40); }
static void data_changed(file *f) {
    for (size_t i = 0, n = 1 + below(8); i < n; i++) {
        size_t at = header_end(f) + below(f->count - header_end(f));
        f->bytes[at] = below(2) ? (uint8_t)next() : (uint8_t)(0xFF << below(2));
    }
}

static const struct {
    const char *name;
    void (*change)(file *f);
    int sealed; /* whether the checksum is recomputed, so that the checks after it are tested */
} mutations[] = {
    {"random bytes", random_bytes, 0},
    {"random bits", random_bits, 0},
    {"cut", cut, 0},
    {"piece removed", piece_removed, 0},
    {"piece doubled", piece_doubled, 0},
    {"piece of another model", piece_of_another_model, 0},
    {"length changed", length_changed, 0},
    {"random bytes", random_bytes, 1},
    {"random bits", random_bits, 1},
    {"cut", cut, 1},
    {"piece removed", piece_removed, 1},
    {"piece doubled", piece_doubled, 1},
    {"piece of another model", piece_of_another_model, 1},
    {"length changed", length_changed, 1},
    {"header bytes", header_bytes, 1},
    {"header characters", header_characters, 1},
    {"header digit", header_digit, 1},
    {"header number", header_number, 1},
    {"member doubled", member_doubled, 1},
    {"member removed", member_removed, 1},
    {"member moved", member_moved, 1},
    {"member added", member_added, 1},
    {"deep JSON", deep_json, 1},
    {"not UTF-8", not_utf_8, 1},
    {"piece of the header removed", piece_of_header_removed, 1},
    {"offsets changed", offsets_changed, 1},
    {"names exchanged", names_exchanged, 1},
    {"data lengthened", data_lengthened, 1},
    {"data shortened", data_shortened, 1},
    {"data changed", data_changed, 1},
};
enum { MUTATIONS = sizeof mutations / sizeof mutations[0] };

/* ---- Checks of the loaded network */

static int known_refusal(int32_t status) {
    return status == BP_ERROR_NOT_A_MODEL || status == BP_ERROR_CORRUPT || status == BP_ERROR_VERSION ||
        status == BP_ERROR_UNKNOWN_NAME || status == BP_ERROR_LIMIT;
}

static int same(const file *a, const file *b) { return a->count == b->count && memcmp(a->bytes, b->bytes, a->count) == 0; }

/* Whether a changed file that was accepted is a model: its numbers are the network's, bit for bit, and the network is unchanged
 * after saving and loading. */
static int is_a_model(const bp_network *network, const file *f) {
    snapshot bytes = snapshot_of(network);
    bp_network *again = NULL;
    size_t data = f->count - header_end(f);
    int good = bytes.count > data && memcmp(bytes.bytes + bytes.count - data, f->bytes + f->count - data, data) == 0 &&
        bp_network_load_memory(bytes.bytes, bytes.count, &again) == BP_OK && snapshot_holds(bytes, again);
    if (bytes.count == f->count && memcmp(bytes.bytes, f->bytes, f->count) == 0) verbatim++;
    bp_network_free(again);
    free(bytes.bytes);
    return good;
}

static int32_t load(const file *f, bp_network **network) {
    uint8_t *block = (uint8_t *)malloc(
        f->count ? f->count : 1); /* of exactly that size, so that a memory checker detects a read beyond it */
    int32_t status;
    memcpy(block, f->bytes, f->count);
    limit(SECONDS);
    heap_watch();
    status = bp_network_load_memory(block, f->count, network);
    heap_watched = 0;
    limit(0);
    free(block);
    if (heap_peak > most_memory) most_memory = heap_peak;
    EXPECT(heap_peak <= MEMORY_RATIO * (long)f->count + MEMORY_REST);
    if (status != BP_OK) EXPECT(heap_blocks == 0); /* no leak */
    return status;
}

/* The network can be trained: a step either succeeds with finite numbers, so that its file loads, or changes nothing. */
static int can_be_trained(bp_network *network) {
    float x[16], y[16];
    size_t layers = 0, inputs = 0, outputs = 0;
    EXPECT_OK(bp_network_layer_count(network, &layers));
    EXPECT_OK(bp_network_layer_size(network, 0, &inputs));
    EXPECT_OK(bp_network_layer_size(network, layers - 1, &outputs));
    check_fill(x, 16, 1), check_fill(y, 16, 2);
    if (inputs > 4 || outputs > 4) return 1;
    for (int step = 0; step < 3; step++) {
        snapshot before = snapshot_of(network), after;
        bp_network *again = NULL;
        int32_t status = bp_network_train_minibatch(network, x, y, 4, 0.125f, NULL);
        if (status != BP_OK) /* UNSUPPORTED: inconsistent settings; UNKNOWN_NAME: a loss that is not registered */
            EXPECT((status == BP_ERROR_NOT_FINITE || status == BP_ERROR_UNSUPPORTED || status == BP_ERROR_UNKNOWN_NAME) &&
                   snapshot_holds(before, network));
        after = snapshot_of(network);
        EXPECT_OK(bp_network_load_memory(after.bytes, after.count, &again));
        bp_network_free(again);
        free(before.bytes), free(after.bytes);
    }
    return 1;
}

static void expect_model_or_refusal(const file *original, const file *f, int sealed) {
    bp_network *network = (bp_network *)1;
    int32_t status = load(f, &network);
    tried++;
    if (status == BP_OK) {
        if (!same(original, f)) {
            accepted++;
            EXPECT(sealed && is_a_model(network, f) && can_be_trained(network));
        }
        bp_network_free(network);
    } else {
        EXPECT(known_refusal(status) && network == NULL && check_message());
    }
}

/* Loads the same bytes as a file of weights: either completely or not at all. */
static void expect_weights_or_refusal(bp_network *target, const file *f) {
    static const char path[] = "mutated";
    snapshot before = snapshot_of(target);
    FILE *out = fopen(path, "wb");
    int32_t status;
    if (EXPECT(out && fwrite(f->bytes, 1, f->count, out) == f->count && fclose(out) == 0)) {
        limit(SECONDS);
        status = bp_network_load_weights(target, path);
        limit(0);
        if (status != BP_OK)
            EXPECT((known_refusal(status) || status == BP_ERROR_MISMATCH || status == BP_ERROR_NOT_FINITE) &&
                   snapshot_holds(before, target));
    }
    free(before.bytes);
}

static void make_models(void) {
    const size_t sizes[MODELS][4] = {{2, 3, 1}, {2, 4, 3, 2}, {3, 2}, {2, 2, 1}}, counts[MODELS] = {3, 4, 2, 3};
    for (int i = 0; i < MODELS; i++) {
        const float x[6] = {1, -1, 0.5f, 0.25f, 0, 2}, y[4] = {1, 0, 0, 1};
        bp_network *network = check_network(sizes[i], counts[i], (uint64_t)i + 1);
        EXPECT_OK(bp_network_set_activation(network, 1, "tanh"));
        if (i < 2) EXPECT_OK(bp_network_set_batchnorm(network, 1, 1));
        if (i == 3) EXPECT_OK(bp_network_set_optimizer(network, "irprop_minus"));
        if (i == 1) EXPECT_OK(bp_network_set_batchnorm(network, 2, 1));
        if (i == 1) {
            EXPECT_OK(bp_network_set_optimizer(network, "adam"));
            EXPECT_OK(bp_network_set_dropout(network, 1, 0.25));
            EXPECT_OK(bp_network_fit_scaling(network, "standard", "min_max", x, y, 2));
            EXPECT_OK(bp_network_set_metadata(network, "classes", "one, \"two\""));
        }
        EXPECT_OK(bp_network_train_minibatch(network, x, y, 2, 0.25f, NULL));
        if (i == 1) EXPECT_OK(bp_network_set_batchnorm(network, 2, 0));
        if (i == 3)
            EXPECT_OK(trainer_fit("steps=3 batch_size=1 on_divergence=1 keep=1", network, x, y, 2,
                                  NULL)); /* the file holds two networks */
        models[i].count = sizeof models[i].bytes;
        EXPECT_OK(bp_network_save_memory(network, models[i].bytes, models[i].count, &models[i].count));
        bp_network_free(network);
    }
}

/* ---- Claims */

static void truncated_model_is_refused_at_every_length(void) {
    for (int i = 0; i < MODELS; i++)
        for (int sealed = 0; sealed < 2; sealed++)
            for (size_t count = 0; count < models[i].count; count++) {
                changed = models[i];
                changed.count = count;
                if (sealed) seal(&changed);
                expect_model_or_refusal(&models[i], &changed, 0);
            }
}

static void changed_files_are_refused_or_are_models(void) {
    const size_t sizes[] = {2, 3, 1};
    const long count = getenv("TORTURE") ? 3000000 : 15000;
    long taken[MUTATIONS] = {0};
    bp_network *target = check_network(sizes, 3, 9);
    EXPECT_OK(bp_network_set_batchnorm(target, 1, 1));
    for (number = 0; number < count; number++) {
        const file *original;
        int kind = (int)(number % MUTATIONS), failures = check_failures;
        long before = accepted;
        state = (uint64_t)number * 0x9E3779B97F4A7C15u + 1;
        next(), next();
        original = &models[below(MODELS)];
        changed = *original;
        mutations[kind].change(&changed);
        if (mutations[kind].sealed) seal(&changed);
        expect_model_or_refusal(original, &changed, mutations[kind].sealed);
        if (number % 8 == 0) expect_weights_or_refusal(target, &changed);
        taken[kind] += accepted - before;
        if (check_failures > failures) printf("#   mutation %ld: %s\n", number, mutations[kind].name);
    }
    printf("# %ld changed files; %ld with a correct checksum were models, %ld of them in the library's exact form; at "
           "most %ld bytes of memory\n",
           tried, accepted, verbatim, most_memory);
    for (int kind = 0; kind < MUTATIONS; kind++)
        if (getenv("TORTURE") && mutations[kind].sealed) printf("#   %s: %ld were models\n", mutations[kind].name, taken[kind]);
    EXPECT(accepted > 0 && accepted < tried / 4); /* some files were accepted, but not most */
    EXPECT(verbatim > accepted * 3 / 4);
    bp_network_free(target);
}

/* The largest padding: one output. */
static void loading_a_model_allocates_a_few_times_its_size(void) {
    const size_t sizes[] = {15000, 1};
    bp_network *network = check_network(sizes, 2, 1), *loaded = NULL;
    models[0].count = sizeof models[0].bytes;
    EXPECT_OK(bp_network_save_memory(network, models[0].bytes, models[0].count, &models[0].count));
    EXPECT_OK(load(&models[0], &loaded));
    printf("# a model of %ld bytes: %.1f bytes of memory for each byte\n", (long)models[0].count,
           (double)heap_peak / (double)models[0].count);
    bp_network_free(network);
    bp_network_free(loaded);
}

/* ---- Headers that are far too large */

static uint8_t *large;
static size_t large_count;

static void large_text(const char *text) {
    memcpy(large + large_count, text, strlen(text));
    large_count += strlen(text);
}

/* Loads a file with a correct checksum that holds `count` words, each with its number in it, and prints the memory used. */
static int32_t load_large(const char *word, long count) {
    bp_network *network = NULL;
    char text[128], digits[17];
    int32_t status;
    large_count = 8;
    large_text(opening);
    large_text("0000000000000000\"");
    for (long i = 0; i < count; i++) {
        snprintf(text, sizeof text, word, i);
        large_text(text);
    }
    large_text("}}");
    for (int i = 0; i < 8; i++) large[i] = (uint8_t)((uint64_t)(large_count - 8) >> 8 * i);
    snprintf(digits, sizeof digits, "%016llx", (unsigned long long)crc64(large, large_count));
    memcpy(large + DIGITS, digits, 16);
    limit(SECONDS);
    heap_watch();
    status = bp_network_load_memory(large, large_count, &network);
    heap_watched = 0;
    limit(0);
    EXPECT(heap_blocks == 0);
    EXPECT(heap_peak <= MEMORY_RATIO * (long)large_count + MEMORY_REST);
    printf("# %ld words, %ld bytes: %s, %.1f bytes of memory for each byte\n", count, (long)large_count, bp_status_name(status),
           (double)heap_peak / (double)large_count);
    return status;
}

static void huge_headers_need_bounded_time_and_memory(void) {
    large = (uint8_t *)malloc(64 << 20);
    if (!EXPECT(large != NULL)) return;
    EXPECT_ERROR(load_large(",\"%ld\":\"\"", 1000000), BP_ERROR_LIMIT);
    EXPECT_ERROR(load_large(",\"%ld\":\"\"", 65000), BP_ERROR_CORRUPT);     /* all names are unknown */
    EXPECT_ERROR(load_large(",\"seed\":\"%ld\"", 65000), BP_ERROR_CORRUPT); /* all names are equal */
    EXPECT_ERROR(load_large(",\"a long name, all but the last of it the same, %ld\":\"\"", 65000), BP_ERROR_CORRUPT);
    EXPECT_ERROR(load_large("},\"%ld\":{\"dtype\":\"\",\"shape\":[],\"data_offsets\":[0,0]", 65000), BP_ERROR_CORRUPT);
    EXPECT_ERROR(load_large("},\"%ld\":{\"dtype\":\"\",\"shape\":[],\"data_offsets\":[0,0]", 200000), BP_ERROR_LIMIT);
    EXPECT_ERROR(load_large("                                %ld", 700000), BP_ERROR_LIMIT); /* longer than 16 MiB */
    EXPECT_ERROR(load_large(",\"a\\u00e9\\u00e9\\u00e9\\u00e9\\u00e9\\u00e9\\u00e9\\u00e9%ld\":\"\"", 60000), BP_ERROR_CORRUPT);
    free(large);
}

int main(void) {
    struct sigaction action;
    /* A thread allocates the memory of its messages at its first failure and keeps it. */
    EXPECT_ERROR(bp_network_train_step(NULL, NULL, NULL, 0, NULL), BP_ERROR_NULL_ARGUMENT);
    memset(&action, 0, sizeof action);
    action.sa_handler = end_with_report;
    sigaction(SIGPROF, &action, NULL);
    sigaction(SIGSEGV, &action, NULL);
    sigaction(SIGILL, &action, NULL);
    sigaction(SIGBUS, &action, NULL);
    sigaction(SIGABRT, &action, NULL);
    make_models();
    CLAIM(truncated_model_is_refused_at_every_length);
    CLAIM(changed_files_are_refused_or_are_models);
    CLAIM(loading_a_model_allocates_a_few_times_its_size);
    CLAIM(huge_headers_need_bounded_time_and_memory);
    remove("mutated");
    return check_end();
}
