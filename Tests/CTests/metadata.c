/* metadata.c: the texts of a program that a network and its file hold. */
#include "check.h"

static const size_t sizes[] = {2, 1};

static const char *value_of(const bp_network *network, const char *key) {
    static char buffer[70000];
    size_t needed = 0;
    buffer[0] = 0;
    EXPECT_OK(bp_network_get_metadata(network, key, buffer, sizeof buffer, &needed));
    EXPECT(needed == strlen(buffer) + 1);
    return buffer;
}

/* All keys, each followed by a bar. */
static const char *keys_of(const bp_network *network) {
    static char all[4096];
    char key[257];
    size_t needed;
    all[0] = 0;
    for (size_t i = 0; bp_network_metadata_key(network, i, key, sizeof key, &needed) == BP_OK; i++) {
        EXPECT(needed == strlen(key) + 1);
        strcat(strcat(all, key), "|");
    }
    return all;
}

static void texts_can_be_set_replaced_listed_and_removed(void) {
    bp_network *network = check_network(sizes, 2, 1);
    EXPECT(strcmp(keys_of(network), "") == 0);
    EXPECT_OK(bp_network_set_metadata(network, "features", "age,height"));
    EXPECT_OK(bp_network_set_metadata(network, "classes", "ham,spam"));
    EXPECT_OK(bp_network_set_metadata(network, "made", ""));
    EXPECT(strcmp(keys_of(network), "classes|features|made|") == 0);
    EXPECT(strcmp(value_of(network, "features"), "age,height") == 0);
    EXPECT(strcmp(value_of(network, "made"), "") == 0);
    EXPECT_OK(bp_network_set_metadata(network, "classes", "a longer list than there was before"));
    EXPECT(strcmp(value_of(network, "classes"), "a longer list than there was before") == 0);
    EXPECT_OK(bp_network_remove_metadata(network, "features"));
    EXPECT(strcmp(keys_of(network), "classes|made|") == 0);
    bp_network_free(network);
}

static void every_text_is_kept_in_a_file_and_a_copy(void) {
    const char *const texts[] = {"\"quoted\" \\ back\\slash / {\"json\":[1]}",
                                 "line\nbreak\ttab\r\b\f\x01\x1f\x7f",
                                 "\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80",
                                 " spaces ",
                                 "format",
                                 "layers",
                                 "\\u0000",
                                 "a:b,c"};
    enum { TEXTS = sizeof texts / sizeof texts[0] };
    bp_network *network = check_network(sizes, 2, 1), *loaded = NULL, *copy = NULL;
    for (size_t i = 0; i < TEXTS; i++) EXPECT_OK(bp_network_set_metadata(network, texts[i], texts[TEXTS - 1 - i]));
    EXPECT_OK(bp_network_save(network, "metadata.safetensors"));
    EXPECT_OK(bp_network_load("metadata.safetensors", &loaded));
    EXPECT_OK(bp_network_clone(network, &copy));
    EXPECT(snapshot_equal(network, loaded) && snapshot_equal(network, copy));
    for (size_t i = 0; i < TEXTS; i++) {
        EXPECT(strcmp(value_of(loaded, texts[i]), texts[TEXTS - 1 - i]) == 0);
        EXPECT(strcmp(value_of(copy, texts[i]), texts[TEXTS - 1 - i]) == 0);
    }
    EXPECT_OK(bp_network_remove_metadata(copy, "format"));
    EXPECT(strcmp(value_of(network, "format"), texts[3]) == 0); /* the copy is independent */
    EXPECT_OK(bp_network_initialize(network, 5));
    EXPECT(strcmp(value_of(network, "format"), texts[3]) == 0);
    bp_network_free(network);
    bp_network_free(loaded);
    bp_network_free(copy);
}

static void bad_arguments_are_refused_and_change_nothing(void) {
    const char *const bad[] = {"\xFF", "\xC3", "\xC0\x80", "\xED\xA0\x80", "a\xE2\x82", "\xF5\x80\x80\x80"};
    static char endless[258];
    char buffer[4];
    size_t needed = 9;
    bp_network *network = check_network(sizes, 2, 1);
    snapshot before;
    memset(endless, 'k', 257);
    EXPECT_OK(bp_network_set_metadata(network, endless + 1, "256 bytes are a key"));
    EXPECT_OK(bp_network_set_metadata(network, "key", "value"));
    before = snapshot_of(network);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        EXPECT_ERROR(bp_network_set_metadata(network, bad[i], "value"), BP_ERROR_INVALID_VALUE);
        EXPECT_MESSAGE("key is not UTF-8");
        EXPECT_ERROR(bp_network_set_metadata(network, "key", bad[i]), BP_ERROR_INVALID_VALUE);
        EXPECT_MESSAGE("value is not UTF-8");
    }
    EXPECT_ERROR(bp_network_set_metadata(network, "", "value"), BP_ERROR_INVALID_VALUE);
    EXPECT_ERROR(bp_network_set_metadata(network, endless, "value"), BP_ERROR_INVALID_VALUE);
    EXPECT_ERROR(bp_network_set_metadata(network, NULL, "value"), BP_ERROR_NULL_ARGUMENT);
    EXPECT_ERROR(bp_network_set_metadata(network, "key", NULL), BP_ERROR_NULL_ARGUMENT);
    EXPECT_ERROR(bp_network_remove_metadata(network, "other"), BP_ERROR_UNKNOWN_NAME);
    EXPECT_MESSAGE("other");
    EXPECT_ERROR(bp_network_get_metadata(network, "other", buffer, sizeof buffer, &needed), BP_ERROR_UNKNOWN_NAME);
    EXPECT(needed == 0);
    EXPECT_ERROR(bp_network_get_metadata(network, "key", buffer, sizeof buffer, &needed), BP_ERROR_BUFFER_TOO_SMALL);
    EXPECT(needed == 6);
    EXPECT_ERROR(bp_network_get_metadata(network, "key", NULL, 0, &needed), BP_ERROR_BUFFER_TOO_SMALL);
    EXPECT(needed == 6);
    EXPECT_ERROR(bp_network_get_metadata(network, "key", NULL, 1, &needed), BP_ERROR_NULL_ARGUMENT);
    EXPECT_ERROR(bp_network_metadata_key(network, 2, buffer, sizeof buffer, &needed), BP_ERROR_UNKNOWN_NAME);
    EXPECT_ERROR(bp_network_metadata_key(network, SIZE_MAX, buffer, sizeof buffer, &needed), BP_ERROR_UNKNOWN_NAME);
    EXPECT(snapshot_holds(before, network));
    free(before.bytes);
    bp_network_free(network);
}

/* At the limits the network can still be saved, even when every byte must be escaped. */
static void texts_beyond_the_limits_are_refused_and_texts_at_the_limits_can_be_saved(void) {
    enum { SIZE = 1 << 20 };
    static char text[SIZE + 1];
    char key[16];
    bp_network *network = check_network(sizes, 2, 1), *loaded = NULL;
    memset(text, 1, SIZE);
    EXPECT_ERROR(bp_network_set_metadata(network, "k", text), BP_ERROR_LIMIT);
    EXPECT_OK(bp_network_set_metadata(network, "k", text + 1));
    EXPECT_ERROR(bp_network_set_metadata(network, "l", ""), BP_ERROR_LIMIT);
    EXPECT_OK(bp_network_set_metadata(network, "k", text + 1)); /* replaced, not added */
    EXPECT_OK(bp_network_save(network, "large.safetensors"));
    EXPECT_OK(bp_network_load("large.safetensors", &loaded));
    EXPECT(snapshot_equal(network, loaded));
    EXPECT_OK(bp_network_remove_metadata(network, "k"));
    for (int i = 0; i < 1024; i++) {
        sprintf(key, "%d", i);
        EXPECT_OK(bp_network_set_metadata(network, key, ""));
    }
    EXPECT_ERROR(bp_network_set_metadata(network, "k", ""), BP_ERROR_LIMIT);
    EXPECT_OK(bp_network_set_metadata(network, "1023", "new"));
    bp_network_free(loaded);
    EXPECT_OK(bp_network_save(network, "large.safetensors"));
    EXPECT_OK(bp_network_load("large.safetensors", &loaded));
    EXPECT(snapshot_equal(network, loaded));
    bp_network_free(network);
    bp_network_free(loaded);
}

int main(void) {
    CLAIM(texts_can_be_set_replaced_listed_and_removed);
    CLAIM(every_text_is_kept_in_a_file_and_a_copy);
    CLAIM(bad_arguments_are_refused_and_change_nothing);
    CLAIM(texts_beyond_the_limits_are_refused_and_texts_at_the_limits_can_be_saved);
    return check_end();
}
