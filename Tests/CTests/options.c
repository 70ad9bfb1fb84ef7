/* options.c: bp_option_info, and that networks accept the described values. */
#include "check.h"

/* Gets the description with that index; returns 0 past the end. */
static int describe(size_t index, bp_option_description *description) {
    description->struct_size = sizeof *description;
    return bp_option_info(index, description) == BP_OK;
}

static void every_option_is_described_once_with_its_default_within_its_bounds(void) {
    bp_option_description one, other;
    size_t count = 0;
    for (; describe(count, &one); count++) {
        EXPECT(one.struct_size == sizeof one && (one.owner == BP_OPTION_OF_NETWORK || one.owner == BP_OPTION_OF_TRAINER) &&
               one.whole_numbers <= 1 && one.reserved == 0);
        EXPECT(one.name[0] && one.meaning[0] && !strchr(one.meaning, '\n'));
        EXPECT(one.minimum <= one.default_value && one.default_value <= one.maximum);
        for (size_t i = 0; i < count; i++) EXPECT(describe(i, &other) && strcmp(one.name, other.name) != 0);
    }
    EXPECT(count >= 5);
}

/* Whether a message names the accepted values: bounds, or numbers with their words, such as "0 (sum) or 1 (mean)". */
static int names_values(const char *message, const bp_option_description *o) {
    char wanted[400], words[200];
    size_t length = 0;
    int index = 0;
    if (!o->choices) {
        const char *from = strstr(message, " from "), *to = strstr(message, " to ");
        return from && strtod(from + 6, NULL) == o->minimum && to && strtod(to + 4, NULL) == o->maximum;
    }
    snprintf(words, sizeof words, "%s", o->choices);
    for (char *word = strtok(words, " "); word; word = strtok(NULL, " "), index++)
        length += (size_t)snprintf(wanted + length, sizeof wanted - length, "%s%d (%s)",
                                   index == 0                ? " must be "
                                       : index == o->maximum ? " or "
                                                             : ", ",
                                   index, word);
    snprintf(wanted + length, sizeof wanted - length, ", not ");
    return strstr(message, wanted) != NULL;
}

static void network_accepts_options_within_their_bounds_and_reports_the_bounds_when_it_refuses(void) {
    const size_t sizes[] = {2, 3, 1};
    bp_network *network = check_network(sizes, 3, 1);
    bp_option_description o;
    for (size_t i = 0; describe(i, &o); i++) {
        const double bad[] = {o.minimum - 1, o.maximum * 1.5 + 1, NAN,
                              INFINITY,      -INFINITY,           o.whole_numbers ? o.minimum + 0.5 : NAN};
        double value = -1;
        if (o.owner != BP_OPTION_OF_NETWORK) {
            EXPECT_ERROR(bp_network_set_option(network, o.name, o.default_value), BP_ERROR_UNKNOWN_NAME);
            EXPECT_ERROR(bp_network_get_option(network, o.name, &value), BP_ERROR_UNKNOWN_NAME);
            continue;
        }
        EXPECT_OK(bp_network_get_option(network, o.name, &value));
        EXPECT(value == o.default_value);
        for (size_t k = 0; k < sizeof bad / sizeof bad[0]; k++) {
            EXPECT_ERROR(bp_network_set_option(network, o.name, bad[k]), BP_ERROR_INVALID_VALUE);
            EXPECT(strstr(bp_last_error_message(), o.name) != NULL);
            if (!EXPECT(names_values(bp_last_error_message(), &o))) printf("#   %s\n", bp_last_error_message());
            EXPECT_OK(bp_network_get_option(network, o.name, &value));
            EXPECT(value == o.default_value);
        }
        EXPECT_OK(bp_network_set_option(network, o.name, o.minimum));
        EXPECT_OK(bp_network_get_option(network, o.name, &value));
        EXPECT(value == o.minimum);
        EXPECT_OK(bp_network_set_option(network, o.name, o.maximum));
        EXPECT_OK(bp_network_get_option(network, o.name, &value));
        EXPECT(value == o.maximum);
    }
    bp_network_free(network);
}

static int is_empty(const bp_option_description *o) {
    return !o->owner && !o->name && !o->meaning && o->default_value == 0 && o->minimum == 0 && o->maximum == 0 &&
        !o->whole_numbers && !o->choices;
}

static void index_past_the_end_is_unknown_and_gives_an_empty_description(void) {
    bp_option_description o;
    size_t count = 0;
    while (describe(count, &o)) count++;
    for (size_t i = 0; i < 4; i++) {
        const size_t past[] = {count, count + 1, SIZE_MAX / 2 + 1, SIZE_MAX};
        EXPECT(describe(0, &o) && !is_empty(&o));
        EXPECT_ERROR(bp_option_info(past[i], &o), BP_ERROR_UNKNOWN_NAME);
        EXPECT(is_empty(&o));
    }
}

static void too_short_description_is_refused_and_a_longer_one_is_written_only_in_its_known_part(void) {
    struct {
        bp_option_description known;
        uint64_t later;
    } longer;
    bp_option_description o;
    EXPECT_ERROR(bp_option_info(0, NULL), BP_ERROR_NULL_ARGUMENT);
    memset(&o, 0x5A, sizeof o);
    for (uint32_t size = 0; size < sizeof o; size++) {
        o.struct_size = size;
        EXPECT_ERROR(bp_option_info(0, &o), BP_ERROR_INVALID_VALUE);
        EXPECT(o.owner == 0x5A5A5A5A && o.reserved == 0x5A5A5A5A);
    }
    longer.later = 77;
    longer.known.struct_size = UINT32_MAX; /* a caller of a later version, or one that did not set it */
    EXPECT_OK(bp_option_info(0, &longer.known));
    EXPECT(longer.known.struct_size == sizeof o && longer.later == 77);
    longer.known.struct_size = sizeof longer;
    EXPECT_ERROR(bp_option_info(SIZE_MAX, &longer.known), BP_ERROR_UNKNOWN_NAME);
    EXPECT(is_empty(&longer.known) && longer.later == 77);
}

/* The constants of the header for each option and word. */
static const struct {
    const char *option, *word;
    int value;
} choices[] = {
    {"gradient_reduction", "sum", BP_REDUCTION_SUM},
    {"gradient_reduction", "mean", BP_REDUCTION_MEAN},
    {"initialization", "automatic", BP_INITIALIZATION_AUTOMATIC},
    {"initialization", "glorot", BP_INITIALIZATION_GLOROT},
    {"initialization", "he", BP_INITIALIZATION_HE},
    {"initialization", "lecun", BP_INITIALIZATION_LECUN},
    {"batchnorm_update", "together", BP_BATCHNORM_UPDATE_TOGETHER},
    {"batchnorm_update", "gamma_first", BP_BATCHNORM_UPDATE_GAMMA_FIRST},
    {"sampling", "shuffled", BP_SAMPLING_SHUFFLED},
    {"sampling", "uniform", BP_SAMPLING_UNIFORM},
    {"schedule", "constant", BP_SCHEDULE_CONSTANT},
    {"schedule", "step", BP_SCHEDULE_STEP},
    {"schedule", "exponential", BP_SCHEDULE_EXPONENTIAL},
    {"schedule", "cosine", BP_SCHEDULE_COSINE},
    {"schedule", "inverse_time", BP_SCHEDULE_INVERSE_TIME},
    {"schedule", "one_cycle", BP_SCHEDULE_ONE_CYCLE},
    {"schedule", "plateau", BP_SCHEDULE_PLATEAU},
    {"keep", "automatic", BP_KEEP_AUTOMATIC},
    {"keep", "latest", BP_KEEP_LATEST},
    {"keep", "best", BP_KEEP_BEST},
    {"on_divergence", "fail", BP_DIVERGENCE_FAIL},
    {"on_divergence", "recover", BP_DIVERGENCE_RECOVER},
};
enum { CHOICES = sizeof choices / sizeof choices[0] };

static void choices_have_a_word_and_a_constant_for_each_value(void) {
    bp_option_description o;
    size_t words = 0;
    for (size_t i = 0; describe(i, &o); i++) {
        char text[256];
        int value = 0;
        if (!o.choices) {
            for (size_t k = 0; k < CHOICES; k++) EXPECT(strcmp(choices[k].option, o.name) != 0);
            continue;
        }
        EXPECT(o.whole_numbers && o.minimum == 0 && o.default_value == 0);
        snprintf(text, sizeof text, "%s", o.choices);
        for (char *word = strtok(text, " "); word; word = strtok(NULL, " "), value++, words++)
            EXPECT(words < CHOICES && strcmp(choices[words].option, o.name) == 0 && strcmp(choices[words].word, word) == 0 &&
                   choices[words].value == value);
        EXPECT(o.maximum == value - 1);
    }
    EXPECT(words == CHOICES);
}

int main(void) {
    CLAIM(every_option_is_described_once_with_its_default_within_its_bounds);
    CLAIM(network_accepts_options_within_their_bounds_and_reports_the_bounds_when_it_refuses);
    CLAIM(choices_have_a_word_and_a_constant_for_each_value);
    CLAIM(index_past_the_end_is_unknown_and_gives_an_empty_description);
    CLAIM(too_short_description_is_refused_and_a_longer_one_is_written_only_in_its_known_part);
    return check_end();
}
