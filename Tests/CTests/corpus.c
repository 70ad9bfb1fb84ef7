/* corpus.c: replays Tests/Corpus. The environment variable CORPUS is its path. */
#include "trainer.h"

static const char *folder;
static char line[4096], path[8192];
static uint8_t *bytes; /* in a block of exactly this size, so that a memory checker detects a read beyond it */
static size_t count;
static int loaded, refused;

/* Reads the file that a line of the manifest names. Returns the rest of the line. */
static char *open_line(void) {
    char *rest = strchr(line, ' ');
    FILE *file;
    if (!EXPECT(rest != NULL)) return NULL;
    *rest++ = 0;
    rest[strcspn(rest, "\n")] = 0;
    if (!EXPECT(snprintf(path, sizeof path, "%s/%s", folder, line) < (int)sizeof path)) return NULL;
    file = fopen(path, "rb");
    if (!EXPECT(file != NULL)) return NULL;
    fseek(file, 0, SEEK_END);
    count = (size_t)ftell(file);
    rewind(file);
    free(bytes);
    bytes = (uint8_t *)malloc(count ? count : 1);
    EXPECT(fread(bytes, 1, count, file) == count);
    fclose(file);
    return rest;
}

static void for_each(const char *kind, void (*replay)(char *rest)) {
    FILE *manifest;
    if (!EXPECT(snprintf(path, sizeof path, "%s/manifest.txt", folder) < (int)sizeof path)) return;
    manifest = fopen(path, "r");
    if (!EXPECT(manifest != NULL)) return;
    while (fgets(line, sizeof line, manifest)) {
        int before = check_failures;
        char *rest = strncmp(line, kind, strlen(kind)) == 0 ? open_line() : NULL;
        if (rest) replay(rest);
        if (check_failures > before) printf("#   %s\n", line);
    }
    fclose(manifest);
}

/* rest: inputs -> outputs */
static void replay_loadable(char *rest) {
    bp_network *network = NULL, *again = NULL, *other = NULL;
    float inputs[64], outputs[64];
    size_t layers = 0, size = 0, i = 0;
    snapshot saved;
    char *at = rest;
    if (!EXPECT_OK(bp_network_load(path, &network))) return;
    EXPECT_OK(bp_network_layer_count(network, &layers));
    EXPECT_OK(bp_network_layer_size(network, 0, &size));
    for (i = 0; i < size && i < 64; i++) inputs[i] = strtof(at, &at);
    EXPECT_OK(bp_network_predict(network, inputs, 1, outputs));
    EXPECT_OK(bp_network_layer_size(network, layers - 1, &size));
    if (!EXPECT((at = strstr(at, "-> ")) != NULL)) return;
    at += 3;
    for (i = 0; i < size && i < 64; i++) {
        double expected = strtod(at, &at);
        EXPECT_NEAR(outputs[i], expected, 1e-5 * (1 + fabs(expected)));
    }
    EXPECT(*at == 0);
    EXPECT_OK(bp_network_load_memory(bytes, count, &again));
    EXPECT(snapshot_equal(network, again));
    saved = snapshot_of(network); /* a saved copy is the same network */
    EXPECT_OK(bp_network_load_memory(saved.bytes, saved.count, &other));
    EXPECT(snapshot_holds(saved, other));
    free(saved.bytes);
    bp_network_free(network);
    bp_network_free(again);
    bp_network_free(other);
    loaded++;
}

/* rest: STATUS part of the message */
static void replay_bad(char *rest) {
    const size_t sizes[] = {2, 3, 1};
    bp_network *network = (bp_network *)1, *whole = check_network(sizes, 3, 1);
    snapshot before = snapshot_of(whole);
    char *message = strchr(rest, ' ');
    int32_t status;
    *message++ = 0;
    status = bp_network_load(path, &network);
    EXPECT(network == NULL);
    const char *found = bp_last_error_message();
    int is_too_large = SIZE_MAX == UINT32_MAX && /* sizes beyond the address space, before anything else is checked */
        (status == BP_ERROR_LIMIT || strstr(found, "header is not valid") || strstr(found, "\"layers\" is malformed"));
    if (!EXPECT(strcmp(bp_status_name(status), rest) == 0 || is_too_large)) printf("#   %s\n", bp_status_name(status));
    if (!EXPECT(check_message() && (strstr(found, message) || is_too_large))) printf("#   %s\n", found);
    network = (bp_network *)1;
    EXPECT_ERROR(bp_network_load_memory(bytes, count, &network), status);
    EXPECT(network == NULL);
    if (bp_network_load_weights(whole, path) != BP_OK) EXPECT(snapshot_holds(before, whole));
    free(before.bytes);
    bp_network_free(whole);
    refused++;
}

static void good_files_load_and_predict_numbers_computed_without_the_library(void) {
    for_each("good/", replay_loadable);
    EXPECT(loaded >= 8);
}

static void files_of_old_formats_still_load(void) {
    loaded = 0;
    for_each("old/", replay_loadable);
    EXPECT(loaded >= 2);
}

static void each_bad_file_is_refused_with_its_cause(void) {
    for_each("bad/", replay_bad);
    EXPECT(refused >= 70);
}

/* Whether the file of the network contains the text. */
static int file_has(bp_network *network, const char *text) {
    snapshot saved = snapshot_of(network);
    const size_t length = strlen(text);
    int found = 0;
    for (size_t i = 0; !found && i + length <= saved.count; i++) found = memcmp(saved.bytes + i, text, length) == 0;
    free(saved.bytes);
    return found;
}

/* The fit has 2 steps in an epoch. Its next step is the first one of epoch 2,500,000,000, counted from 0. */
static void counts_of_64_bits_are_kept_on_every_system(void) {
    static const char options[] = "resume=1 steps=5000000001 batch_size=2 seed=999999999999999 keep=1 progress_interval=1";
    static const float x[8] = {0, 0, 0, 1, 1, 0, 1, 1}, y[4] = {0, 1, 1, 0};
    static trainer_log reports;
    bp_network *network = NULL;
    bp_trainer *trainer = trainer_with(options);
    bp_fit_result result;
    uint64_t steps = 0;
    EXPECT(snprintf(path, sizeof path, "%s/good/counts-of-64-bits", folder) < (int)sizeof path);
    EXPECT_OK(bp_network_load(path, &network));
    EXPECT_OK(bp_network_step_count(network, &steps));
    EXPECT(steps == UINT64_C(5000000000));
    EXPECT(file_has(network, "\"seed\":\"18446744073709551615\""));
    EXPECT(file_has(network, "\"fit\":\"00038d7ea4c67fff,0000000000000000,000000012a05f200,"));
    trainer_watch(trainer, &reports);
    EXPECT_OK(bp_trainer_fit(trainer, network, x, y, 4, NULL, NULL, 0, NULL));
    if (EXPECT(reports.at == 1)) {
        EXPECT(reports.records[0].step == UINT64_C(5000000001) && reports.records[0].steps == UINT64_C(5000000001));
        EXPECT(reports.records[0].epoch == UINT64_C(2500000000) && reports.records[0].epochs == UINT64_C(2500000001));
    }
    result.struct_size = sizeof result;
    EXPECT_OK(bp_trainer_get_result(trainer, &result));
    EXPECT(result.steps == UINT64_C(5000000001) && result.epochs == UINT64_C(2500000000));
    EXPECT(result.best_epoch == UINT64_C(2499999900));
    EXPECT_OK(bp_network_step_count(network, &steps));
    EXPECT(steps == UINT64_C(5000000001));
    EXPECT(file_has(network, "\"steps\":\"5000000001\"") && file_has(network, ",000000012a05f201,"));
    bp_trainer_free(trainer);
    bp_network_free(network);
}

/* Offsets in the file need more than 26 bits. */
static void file_of_70_megabytes_can_be_loaded_on_every_system(void) {
    const size_t sizes[] = {4200, 4150};
    bp_network *network = check_network(sizes, 2, 1), *loaded = NULL;
    snapshot saved = snapshot_of(network);
    EXPECT(saved.count > 69000000);
    bp_network_free(network);
    if (EXPECT_OK(bp_network_load_memory(saved.bytes, saved.count, &loaded))) EXPECT(snapshot_holds(saved, loaded));
    free(saved.bytes);
    bp_network_free(loaded);
}

int main(void) {
    folder = getenv("CORPUS");
    if (!folder) folder = "../../../Tests/Corpus";
    CLAIM(good_files_load_and_predict_numbers_computed_without_the_library);
    CLAIM(files_of_old_formats_still_load);
    CLAIM(each_bad_file_is_refused_with_its_cause);
    CLAIM(counts_of_64_bits_are_kept_on_every_system);
    CLAIM(file_of_70_megabytes_can_be_loaded_on_every_system);
    free(bytes);
    return check_end();
}
