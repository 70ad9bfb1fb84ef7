/* exporting.c: source code of networks. Tests/Export compiles such files and compares their predictions. */
#include "check.h"

static const size_t sizes[] = {3, 4, 2};
static char text[1 << 16];

static const char *text_of(const char *path) {
    FILE *file = fopen(path, "rb");
    size_t count = file ? fread(text, 1, sizeof text - 1, file) : 0;
    if (file) fclose(file);
    text[count] = 0;
    return text;
}

static void names_that_are_no_identifiers_are_refused(void) {
    static const char *const bad[] = {"", "1", "_a", "a b", "a-b", "a.b", "a\n", "\xc3\xa9", "a\xc3\xa9", "a/", "a*/"};
    char longest[66];
    bp_network *network = check_network(sizes, 3, 1);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        EXPECT_ERROR(bp_network_export_c(network, "bad.c", bad[i], 32, 0), BP_ERROR_INVALID_VALUE);
        EXPECT_ERROR(bp_network_export_swift(network, "bad.swift", bad[i], 32, 0), BP_ERROR_INVALID_VALUE);
    }
    EXPECT_ERROR(bp_network_export_swift(network, "bad.swift", "small", 32, 0), BP_ERROR_INVALID_VALUE);
    memset(longest, 'Z', 65), longest[65] = 0;
    EXPECT_ERROR(bp_network_export_c(network, "bad.c", longest, 32, 0), BP_ERROR_INVALID_VALUE);
    EXPECT_ERROR(bp_network_export_swift(network, "bad.swift", longest, 32, 0), BP_ERROR_INVALID_VALUE);
    EXPECT(fopen("bad.c", "r") == NULL && fopen("bad.swift", "r") == NULL);
    longest[64] = 0;
    EXPECT_OK(bp_network_export_c(network, "good.c", longest, 32, 0));
    EXPECT_OK(bp_network_export_swift(network, "good.swift", longest, 32, 0));
    EXPECT_OK(bp_network_export_c(network, "good.c", "a_1", 32, 0));
    EXPECT(strstr(text_of("good.c"), "void a_1_predict(const float *input, float *output);") != NULL);
    bp_network_free(network);
}

static void numbers_of_bits_other_than_32_and_8_are_refused(void) {
    static const int32_t bad[] = {0, 1, 7, 16, 64, -8, INT32_MAX, INT32_MIN};
    bp_network *network = check_network(sizes, 3, 1);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        EXPECT_ERROR(bp_network_export_c(network, "bits.c", "bits", bad[i], 0), BP_ERROR_INVALID_VALUE);
    EXPECT(fopen("bits.c", "r") == NULL);
    bp_network_free(network);
}

static void unknown_flags_are_refused(void) {
    static const int32_t bad[] = {2, 3, 1 << 30, -1, INT32_MAX, INT32_MIN};
    bp_network *network = check_network(sizes, 3, 1);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        EXPECT_ERROR(bp_network_export_c(network, "flags.c", "flags", 32, bad[i]), BP_ERROR_INVALID_VALUE);
        EXPECT_ERROR(bp_network_export_swift(network, "flags.c", "Flags", 32, bad[i]), BP_ERROR_INVALID_VALUE);
    }
    EXPECT(fopen("flags.c", "r") == NULL);
    bp_network_free(network);
}

static void a_failed_export_leaves_the_old_file(void) {
    const float huge[4] = {3e38f, 3e38f, 3e38f, 3e38f}, tiny[4] = {0}, near_rows[6] = {0, 0, 0, 1e-40f, 1e-40f, 1e-40f};
    bp_network *network = check_network(sizes, 3, 1);
    EXPECT_OK(bp_network_export_c(network, "kept.c", "kept", 32, 0));
    size_t before = strlen(text_of("kept.c"));
    EXPECT_OK(bp_network_set_batchnorm(network, 1, 1)); /* gamma / sqrt(variance + epsilon) overflows */
    EXPECT_OK(bp_network_set_tensor(network, "layers.1.norm.weight", huge, 4));
    EXPECT_OK(bp_network_set_tensor(network, "layers.1.norm.running_var", tiny, 4));
    EXPECT_ERROR(bp_network_export_c(network, "kept.c", "kept", 32, 0), BP_ERROR_NOT_FINITE);
    EXPECT_ERROR(bp_network_export_c(network, "kept.c", "kept", 32, BP_EXPORT_FOLDED), BP_ERROR_NOT_FINITE);
    EXPECT_ERROR(bp_network_export_c(network, "kept.c", "no prefix", 32, 0), BP_ERROR_INVALID_VALUE);
    EXPECT(strlen(text_of("kept.c")) == before && before > 1000);
    EXPECT_ERROR(bp_network_export_c(network, "", "kept", 32, 0), BP_ERROR_INVALID_VALUE);
    EXPECT_OK(bp_network_set_batchnorm(network, 1, 0));
    EXPECT_OK(bp_network_fit_scaling(network, "min_max", "none", near_rows, NULL, 2)); /* weight / scale overflows */
    EXPECT_ERROR(bp_network_export_c(network, "kept.c", "kept", 32, BP_EXPORT_FOLDED), BP_ERROR_NOT_FINITE);
    EXPECT(strlen(text_of("kept.c")) == before);
    EXPECT_OK(bp_network_export_c(network, "separate.c", "separate", 32, 0));
    EXPECT_OK(bp_network_export_c(network, "separate.c", "separate", 8, BP_EXPORT_FOLDED));
    EXPECT_ERROR(bp_network_export_c(network, "no such folder/kept.c", "kept", 32, 0), BP_ERROR_IO);
    EXPECT_ERROR(bp_network_export_swift(network, ".", "Kept", 32, 0), BP_ERROR_IO);
    bp_network_free(network);
}

/* The comment of the file ends before its code, whatever the metadata. */
static void metadata_cannot_leave_the_comment(void) {
    char longest[9001];
    bp_network *network = check_network(sizes, 3, 1);
    EXPECT_OK(bp_network_set_metadata(network, "classes",
                                      "[\"Z\xc3\xbcrich\", \"b*/\"] */ int evil; /* \xe2\x80\xae\xe2\x81\xa6\nsecond\x01"));
    EXPECT_OK(bp_network_set_metadata(network, "history", "epoch,loss"));
    EXPECT_OK(bp_network_set_metadata(network, "*/", "/**/"));
    for (size_t i = 0; i < 9000; i += 3) memcpy(longest + i, "\xe2\x82\xac", 3); /* 4000 is within a character */
    longest[9000] = 0;
    EXPECT_OK(bp_network_set_metadata(network, "long", longest));
    EXPECT_OK(bp_network_export_c(network, "comment.c", "comment", 32, 0));
    const char *end = strstr(text_of("comment.c"), "*/");
    EXPECT(end && strncmp(end, "*/\n#include", 11) == 0);
    EXPECT(strstr(text, "/*") == text && (!end || strstr(end, "evil") == NULL));
    EXPECT(strstr(text, "\n * classes: [\"Z\xc3\xbcrich\", \"b* /\"] * / int evil; / * __\n * second_\n") != NULL);
    EXPECT(strstr(text, "history") == NULL);
    EXPECT(strstr(text, "\xe2\x82\xac...\n") != NULL);
    EXPECT_OK(bp_network_export_swift(network, "Comment.swift", "Comment", 32, 0));
    const char *line = text_of("Comment.swift");
    while (line && strncmp(line, "//", 2) == 0) line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL;
    EXPECT(line && strncmp(line, "\n#if canImport(Darwin)", 22) == 0);
    bp_network_free(network);
}

static int32_t refuse(const float *z, float *a, size_t rows, size_t columns, void *calls) {
    memcpy(a, z, rows * columns * sizeof *a);
    return ++*(int *)calls == 3 ? 7 : 0;
}
static int32_t refuse_back(const float *z, const float *a, const float *da, float *dz, size_t rows, size_t columns,
                           void *calls) {
    (void)z, (void)a, (void)calls;
    return memcpy(dz, da, rows * columns * sizeof *dz), 0;
}

static void only_8_bits_and_folding_call_registered_activations_which_may_fail(void) {
    int calls = 0;
    EXPECT_OK(bp_activation_register_vector("refuse", refuse, refuse_back, &calls, NULL));
    bp_network *network = check_network(sizes, 3, 1);
    EXPECT_OK(bp_network_set_activation(network, 1, "refuse"));
    EXPECT_OK(bp_network_export_c(network, "refuse.c", "refuse", 32, 0));
    EXPECT(calls == 0);
    EXPECT_ERROR(bp_network_export_c(network, "refuse8.c", "refuse", 8, 0), BP_ERROR_CALLBACK);
    calls = 0;
    EXPECT_ERROR(bp_network_export_c(network, "refuse8.c", "refuse", 32, BP_EXPORT_FOLDED), BP_ERROR_CALLBACK);
    EXPECT(fopen("refuse8.c", "r") == NULL);
    EXPECT_OK(bp_network_export_c(network, "refuse8.c", "refuse", 8, 0));
    EXPECT(strstr(text_of("refuse8.c"),
                  "\nrefuse_extern void refuse_activation_refuse(const float *z, float *a, int count);") != NULL);
    bp_network_free(network);
    EXPECT_OK(bp_activation_unregister("refuse"));
}

static void exporting_changes_no_network(void) {
    bp_network *network = check_network(sizes, 3, 1);
    EXPECT_OK(bp_network_set_batchnorm(network, 1, 1));
    snapshot before = snapshot_of(network);
    EXPECT_OK(bp_network_export_c(network, "same.c", "same", 8, 0));
    EXPECT_OK(bp_network_export_swift(network, "Same.swift", "Same", 8, 0));
    EXPECT_OK(bp_network_export_c(network, "same.c", "same", 32, BP_EXPORT_FOLDED));
    EXPECT(snapshot_holds(before, network));
    free(before.bytes);
    bp_network_free(network);
}

/* The largest weight of a unit is 127 times its scale. */
static void weights_of_8_bits_have_a_scale_for_each_unit(void) {
    const float weights[] = {1.27f, 0, -1.27f, 0.006f, -0.01f, 0.004f, 0, 0, 0, 1e-45f, 1e-45f, -1e-45f}, biases[4] = {0};
    bp_network *network = check_network(sizes, 3, 1);
    EXPECT_OK(bp_network_set_tensor(network, "layers.1.weight", weights, 12));
    EXPECT_OK(bp_network_set_tensor(network, "layers.1.bias", biases, 4));
    EXPECT_OK(bp_network_export_c(network, "scale.c", "scale", 8, 0));
    (void)text_of("scale.c");
    EXPECT(strstr(text, "int8_t scale_weights1[12] = {\n    127, 76, 0, 0, 0, -127, 0, 0,\n    -127, 51, 0, 0,\n};") != NULL);
    EXPECT(strstr(text, "float scale_scales1[4] = {\n") != NULL);
    EXPECT(strstr(text, "pseudo-random rows of scaled inputs from -1 to 1.") != NULL);
    bp_network_free(network);
}

/* The number in an array of one number. */
static float number_in(const char *declaration) {
    const char *at = strstr(text, declaration);
    return at ? strtof(at + strlen(declaration), NULL) : NAN;
}

/* Input scaling (x - 10) / 4, w = 2, b = 1, mean 1, variance + epsilon = 4, gamma 3, beta 0.5, target scaling 100 y + 200:
 * s = 3 / sqrt(4) = 1.5, w' = 100 s 2 / 4 = 75, b' = 100 (s (1 - 1 - 2 10 / 4) + 0.5) + 200 = -500. */
static void folded_weights_match_a_hand_computation(void) {
    static const struct {
        const char *tensor;
        float value;
    } values[] = {{"weight", 2},          {"bias", 1}, {"norm.weight", 3}, {"norm.bias", 0.5f}, {"norm.running_mean", 1},
                  {"norm.running_var", 3}};
    const size_t one[] = {1, 1};
    const float x[] = {10, 14}, y[] = {200, 300};
    char name[64];
    bp_network *network = check_network(one, 2, 1);
    EXPECT_OK(bp_network_set_activation(network, 1, "identity"));
    EXPECT_OK(bp_network_set_batchnorm(network, 1, 1));
    EXPECT_OK(bp_network_set_option(network, "batchnorm_epsilon", 1));
    EXPECT_OK(bp_network_fit_scaling(network, "min_max", "min_max", x, y, 2));
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        snprintf(name, sizeof name, "layers.1.%s", values[i].tensor);
        EXPECT_OK(bp_network_set_tensor(network, name, &values[i].value, 1));
    }
    EXPECT_OK(bp_network_export_c(network, "folded.c", "f", 32, BP_EXPORT_FOLDED));
    (void)text_of("folded.c");
    EXPECT(number_in("f_weights1[1] = {\n") == 75 && number_in("f_biases1[1] = {\n") == -500);
    EXPECT(!strstr(text, "gains") && !strstr(text, "offsets") && strstr(text, "folded into the weights. The outputs differ"));

    EXPECT_OK(bp_network_export_c(network, "folded.c", "f", 8, BP_EXPORT_FOLDED)); /* w' = 100 s 2 = 300 */
    (void)text_of("folded.c");
    EXPECT(number_in("f_weights1[1] = {\n") == 127 && number_in("f_scales1[1] = {\n") == (float)(300.0 / 127));
    EXPECT(number_in("f_biases1[1] = {\n") == 250 && number_in("f_input_offsets[1] = {\n") == 10);
    EXPECT(!strstr(text, "gains") && !strstr(text, "target_offsets"));

    EXPECT_OK(bp_network_set_activation(network, 1, "tanh")); /* the scaling of targets cannot be folded */
    EXPECT_OK(bp_network_export_c(network, "folded.c", "f", 32, BP_EXPORT_FOLDED));
    (void)text_of("folded.c");
    EXPECT(number_in("f_weights1[1] = {\n") == 0.75f && number_in("f_biases1[1] = {\n") == -7);
    EXPECT(number_in("f_target_offsets[1] = {\n") == 200 && number_in("f_target_scales[1] = {\n") == 100);
    bp_network_free(network);
}

int main(void) {
    CLAIM(names_that_are_no_identifiers_are_refused);
    CLAIM(numbers_of_bits_other_than_32_and_8_are_refused);
    CLAIM(unknown_flags_are_refused);
    CLAIM(a_failed_export_leaves_the_old_file);
    CLAIM(metadata_cannot_leave_the_comment);
    CLAIM(only_8_bits_and_folding_call_registered_activations_which_may_fail);
    CLAIM(exporting_changes_no_network);
    CLAIM(weights_of_8_bits_have_a_scale_for_each_unit);
    CLAIM(folded_weights_match_a_hand_computation);
    return check_end();
}
