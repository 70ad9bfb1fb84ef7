/* corpus.c: replays Tests/Corpus. The environment variable CORPUS is its path. */
#include "check.h"

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
    int is_too_large = SIZE_MAX == UINT32_MAX && /* numbers of more than 31 bits, before anything else is checked */
        (status == BP_ERROR_LIMIT || strstr(bp_last_error_message(), "header is not valid"));
    if (!EXPECT(strcmp(bp_status_name(status), rest) == 0 || is_too_large)) printf("#   %s\n", bp_status_name(status));
    if (!EXPECT(check_message() && (strstr(bp_last_error_message(), message) || is_too_large)))
        printf("#   %s\n", bp_last_error_message());
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

int main(void) {
    folder = getenv("CORPUS");
    if (!folder) folder = "../../../Tests/Corpus";
    CLAIM(good_files_load_and_predict_numbers_computed_without_the_library);
    CLAIM(files_of_old_formats_still_load);
    CLAIM(each_bad_file_is_refused_with_its_cause);
    free(bytes);
    return check_end();
}
