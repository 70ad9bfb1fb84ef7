/* arguments.c: for any arguments, a call either does what the header says, or fails with the status that the header names and
 * a message, and changes nothing. */
#define _POSIX_C_SOURCE 200809L
#include <pthread.h>

#include "activations.h"
#include "check.h"

static const size_t sizes[] = {2, 3, 2}; /* 2 * 3 + 3 + 3 * 2 + 2 = 17 parameters */
enum { PARAMETERS = 17, ROWS = 3 };
static const float inputs[ROWS * 2] = {0.5f, -1, 0.25f, 1, -0.75f, 0}, targets[ROWS * 2] = {1, 0, 0, 1, 1, 1};

static bp_network *network; /* created for each claim by with_network */

static void message_is_empty_before_the_first_failure(void) { EXPECT(strcmp(bp_last_error_message(), "") == 0); }

static void version_and_status_names_agree_with_the_header(void) {
    static const struct {
        int32_t status;
        const char *name;
    } names[] = {{0, "BP_OK"},
                 {1, "BP_STOPPED"},
                 {2, "BP_WARNING_MISSING_CLASS"},
                 {-1, "BP_ERROR_NULL_ARGUMENT"},
                 {-2, "BP_ERROR_INVALID_VALUE"},
                 {-3, "BP_ERROR_INVALID_HANDLE"},
                 {-4, "BP_ERROR_BUSY"},
                 {-5, "BP_ERROR_UNKNOWN_NAME"},
                 {-6, "BP_ERROR_UNSUPPORTED"},
                 {-7, "BP_ERROR_BUFFER_TOO_SMALL"},
                 {-50, "BP_ERROR_OUT_OF_MEMORY"},
                 {-51, "BP_ERROR_LIMIT"},
                 {-100, "BP_ERROR_IO"},
                 {-101, "BP_ERROR_NOT_A_MODEL"},
                 {-102, "BP_ERROR_CORRUPT"},
                 {-103, "BP_ERROR_VERSION"},
                 {-104, "BP_ERROR_MISMATCH"},
                 {-200, "BP_ERROR_NOT_FINITE"},
                 {-300, "BP_ERROR_CALLBACK"},
                 {3, "BP_ERROR_UNKNOWN_STATUS"},
                 {-8, "BP_ERROR_UNKNOWN_STATUS"},
                 {INT32_MIN, "BP_ERROR_UNKNOWN_STATUS"},
                 {INT32_MAX, "BP_ERROR_UNKNOWN_STATUS"}};
    char version[32];
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        EXPECT(strcmp(bp_status_name(names[i].status), names[i].name) == 0);
    snprintf(version, sizeof version, "%d.%d.%d", BP_VERSION_MAJOR, BP_VERSION_MINOR, BP_VERSION_PATCH);
    EXPECT(strcmp(bp_version_string(), version) == 0);
    EXPECT(bp_version_number() == BP_VERSION_NUMBER);
    EXPECT(bp_abi_version() == BP_ABI_VERSION);
}

/* ---- Sizes */

static void create_refuses(const size_t *layer_sizes, size_t count, int32_t status) {
    bp_network *made = (bp_network *)1;
    EXPECT_ERROR(bp_network_create(layer_sizes, count, 1, &made), status);
    EXPECT(made == NULL);
}

static void fewer_than_two_layers_or_an_empty_layer_are_invalid(void) {
    const size_t first[] = {0, 3, 2}, middle[] = {2, 0, 2}, last[] = {2, 3, 0};
    create_refuses(sizes, 0, BP_ERROR_INVALID_VALUE);
    create_refuses(sizes, 1, BP_ERROR_INVALID_VALUE);
    create_refuses(first, 3, BP_ERROR_INVALID_VALUE);
    create_refuses(middle, 3, BP_ERROR_INVALID_VALUE);
    create_refuses(last, 3, BP_ERROR_INVALID_VALUE);
    create_refuses(NULL, 3, BP_ERROR_NULL_ARGUMENT);
    EXPECT_ERROR(bp_network_create(sizes, 3, 1, NULL), BP_ERROR_NULL_ARGUMENT);
}

static void sizes_that_overflow_give_limit(void) {
    const size_t top = SIZE_MAX / 2 + 1, half = (size_t)1 << 4 * sizeof(size_t);
    const size_t wide[][3] = {{SIZE_MAX, 1, 1},
                              {1, SIZE_MAX, 1},
                              {1, 1, SIZE_MAX},
                              {SIZE_MAX, SIZE_MAX, SIZE_MAX},
                              {half, half, 1},
                              {1, half, half},
                              {top, 2, 1},
                              {2, top, 2},
                              {1, 2, top},
                              {SIZE_MAX / 2 + 2, 2, 1}, /* 2 n = 2 modulo SIZE_MAX + 1 */
                              {half + 1, half - 1, 1},
                              {SIZE_MAX / 4 + 1, 1, 1} /* SIZE_MAX + 1 bytes */};
    for (size_t i = 0; i < sizeof wide / sizeof wide[0]; i++) create_refuses(wide[i], 3, BP_ERROR_LIMIT);
}

/* More than the 2^47 bytes that a process can address, but less than SIZE_MAX: either error is right. */
static void sizes_beyond_the_address_space_are_refused(void) {
    const size_t most = SIZE_MAX > UINT32_MAX ? (size_t)(UINT64_C(1) << 46) : (size_t)1 << 30;
    const size_t square = SIZE_MAX > UINT32_MAX ? (size_t)1 << 23 : (size_t)1 << 15;
    const size_t wide[][2] = {{most, 1}, {1, most}, {square, square}, {square << 6, square << 6}};
    for (size_t i = 0; i < sizeof wide / sizeof wide[0]; i++) {
        bp_network *made = (bp_network *)1;
        int32_t status = bp_network_create(wide[i], 2, 1, &made);
        EXPECT(status == BP_ERROR_OUT_OF_MEMORY || status == BP_ERROR_LIMIT);
        EXPECT(made == NULL && check_message());
    }
}

static void layers_are_limited_to_1024(void) {
    static size_t ones[2000];
    size_t count = 0;
    bp_network *deepest = NULL;
    for (size_t i = 0; i < 2000; i++) ones[i] = 1;
    create_refuses(ones, 1025, BP_ERROR_LIMIT);
    create_refuses(ones, 2000, BP_ERROR_LIMIT);
    create_refuses(ones, SIZE_MAX, BP_ERROR_LIMIT); /* without reading the sizes */
    EXPECT_OK(bp_network_create(ones, 1024, 1, &deepest));
    EXPECT_OK(bp_network_layer_count(deepest, &count));
    EXPECT(count == 1024);
    EXPECT_OK(bp_network_train_step(deepest, inputs, targets, 0.1f, NULL));
    bp_network_free(deepest);
}

/* ---- NULL in each position. A call with valid arguments comes first, so that only the NULL can cause the error. */

static float itself(float z, void *user_data) {
    (void)user_data;
    return z;
}

static void null_arguments_are_refused(void) {
    float floats[64], loss;
    double number;
    size_t count;
    bp_network *made = NULL;
    snapshot before = snapshot_of(network);

#define REFUSED(call) EXPECT_ERROR(call, BP_ERROR_NULL_ARGUMENT)
    REFUSED(bp_network_clone(network, NULL));
    REFUSED(bp_network_layer_count(network, NULL));
    REFUSED(bp_network_layer_size(network, 1, NULL));
    REFUSED(bp_network_set_activation(network, 1, NULL));
    REFUSED(bp_network_set_loss(network, NULL));
    REFUSED(bp_network_set_option(network, NULL, 1));
    REFUSED(bp_network_get_option(network, NULL, &number));
    REFUSED(bp_network_get_option(network, "batchnorm_momentum", NULL));
    REFUSED(bp_network_train_step(network, NULL, targets, 1, &loss));
    REFUSED(bp_network_train_step(network, inputs, NULL, 1, &loss));
    REFUSED(bp_network_train_minibatch(network, NULL, targets, ROWS, 1, &loss));
    REFUSED(bp_network_train_minibatch(network, inputs, NULL, ROWS, 1, &loss));
    REFUSED(bp_network_gradient(network, NULL, targets, ROWS, floats, count_of(network), &loss));
    REFUSED(bp_network_gradient(network, inputs, NULL, ROWS, floats, count_of(network), &loss));
    REFUSED(bp_network_gradient(network, inputs, targets, ROWS, NULL, count_of(network), &loss));
    REFUSED(bp_network_apply_gradient(network, NULL, count_of(network), 1));
    REFUSED(bp_network_check_gradient(network, NULL, targets, ROWS, &number));
    REFUSED(bp_network_check_gradient(network, inputs, NULL, ROWS, &number));
    REFUSED(bp_network_check_gradient(network, inputs, targets, ROWS, NULL));
    REFUSED(bp_network_predict(network, NULL, ROWS, floats));
    REFUSED(bp_network_predict(network, inputs, ROWS, NULL));
    REFUSED(bp_network_evaluate(network, NULL, targets, ROWS, &loss));
    REFUSED(bp_network_evaluate(network, inputs, NULL, ROWS, &loss));
    REFUSED(bp_network_evaluate(network, inputs, targets, ROWS, NULL));
    REFUSED(bp_network_parameter_count(network, NULL));
    REFUSED(bp_network_get_parameters(network, NULL, count_of(network)));
    REFUSED(bp_network_set_parameters(network, NULL, count_of(network)));
    REFUSED(bp_network_save(network, NULL));
    REFUSED(bp_network_save_memory(network, (uint8_t *)floats, sizeof floats, NULL));
    REFUSED(bp_network_save_memory(network, NULL, 64, &count));
    REFUSED(bp_network_load(NULL, &made));
    REFUSED(bp_network_load("no such file", NULL));
    REFUSED(bp_network_load_memory(NULL, 64, &made));
    REFUSED(bp_network_load_memory(before.bytes, before.count, NULL));
    REFUSED(bp_activation_register_scalar(NULL, itself, NULL, NULL, NULL));
    REFUSED(bp_activation_register_scalar("unfinished", NULL, NULL, NULL, NULL));
    REFUSED(bp_activation_register_vector(NULL, pass, pass_back, NULL, NULL));
    REFUSED(bp_activation_register_vector("unfinished", NULL, pass_back, NULL, NULL));
    REFUSED(bp_activation_register_vector("unfinished", pass, NULL, NULL, NULL));
    REFUSED(bp_activation_unregister(NULL));
    REFUSED(bp_activation_name(0, (char *)floats, sizeof floats, NULL));
    REFUSED(bp_activation_name(0, NULL, 8, &count));
#undef REFUSED
    EXPECT(snapshot_holds(before, network));
    free(before.bytes);
}

static void loss_out_and_empty_arrays_may_be_null(void) {
    float floats[64];
    bp_network *made = (bp_network *)1;
    int32_t status;
    EXPECT_OK(bp_network_train_step(network, inputs, targets, 0.5f, NULL));
    EXPECT_OK(bp_network_train_minibatch(network, inputs, targets, ROWS, 0.5f, NULL));
    EXPECT_OK(bp_network_gradient(network, inputs, targets, ROWS, floats, count_of(network), NULL));
    EXPECT_OK(bp_network_predict(network, NULL, 0, NULL));
    EXPECT_OK(bp_network_predict(network, inputs, 0, floats));
    status = bp_network_load_memory(NULL, 0, &made);
    EXPECT(status == BP_ERROR_NOT_A_MODEL || status == BP_ERROR_CORRUPT);
    EXPECT(made == NULL);
}

static void outputs_are_zero_after_a_failure(void) {
    float floats[64], loss = 9;
    double number = 9;
    size_t count = 9;
    bp_network *made = (bp_network *)1;
    EXPECT_ERROR(bp_network_layer_size(network, 3, &count), BP_ERROR_INVALID_VALUE);
    EXPECT(count == 0);
    EXPECT_ERROR(bp_network_get_option(network, "speed", &number), BP_ERROR_UNKNOWN_NAME);
    EXPECT(number == 0);
    EXPECT_ERROR(bp_network_train_step(network, NULL, targets, 1, &loss), BP_ERROR_NULL_ARGUMENT);
    EXPECT(loss == 0), loss = 9;
    EXPECT_ERROR(bp_network_train_step(network, inputs, targets, -1, &loss), BP_ERROR_INVALID_VALUE);
    EXPECT(loss == 0), loss = 9;
    EXPECT_ERROR(bp_network_train_minibatch(network, inputs, targets, 0, 1, &loss), BP_ERROR_INVALID_VALUE);
    EXPECT(loss == 0), loss = 9;
    EXPECT_ERROR(bp_network_gradient(network, inputs, targets, SIZE_MAX, floats, count_of(network), &loss), BP_ERROR_LIMIT);
    EXPECT(loss == 0), loss = 9;
    EXPECT_ERROR(bp_network_evaluate(network, inputs, targets, 0, &loss), BP_ERROR_INVALID_VALUE);
    EXPECT(loss == 0), number = 9;
    EXPECT_ERROR(bp_network_check_gradient(network, inputs, NULL, ROWS, &number), BP_ERROR_NULL_ARGUMENT);
    EXPECT(number == 0);
    EXPECT_ERROR(bp_network_load("no such file", &made), BP_ERROR_IO);
    EXPECT(made == NULL), made = (bp_network *)1;
    EXPECT_ERROR(bp_network_load(NULL, &made), BP_ERROR_NULL_ARGUMENT);
    EXPECT(made == NULL), made = (bp_network *)1;
    EXPECT_ERROR(bp_network_load_memory((const uint8_t *)"not a model", 11, &made), BP_ERROR_NOT_A_MODEL);
    EXPECT(made == NULL), made = (bp_network *)1;
    EXPECT_ERROR(bp_network_create(NULL, 3, 1, &made), BP_ERROR_NULL_ARGUMENT);
    EXPECT(made == NULL), count = 9;
    EXPECT_ERROR(bp_activation_name(SIZE_MAX, NULL, 0, &count), BP_ERROR_UNKNOWN_NAME);
    EXPECT(count == 0);
}

/* ---- Names, layers, options */

static void layer_out_of_range_is_invalid(void) {
    const size_t beyond[] = {3, 4, 1024, SIZE_MAX, SIZE_MAX / 2 + 1};
    size_t size;
    snapshot before = snapshot_of(network);
    for (size_t i = 0; i < sizeof beyond / sizeof beyond[0]; i++) {
        EXPECT_ERROR(bp_network_layer_size(network, beyond[i], &size), BP_ERROR_INVALID_VALUE);
        EXPECT_ERROR(bp_network_set_activation(network, beyond[i], "tanh"), BP_ERROR_INVALID_VALUE);
        EXPECT_ERROR(bp_network_set_batchnorm(network, beyond[i], 1), BP_ERROR_INVALID_VALUE);
    }
    EXPECT_ERROR(bp_network_set_activation(network, 0, "tanh"), BP_ERROR_INVALID_VALUE); /* the input layer has no activation */
    EXPECT_ERROR(bp_network_set_batchnorm(network, 0, 1), BP_ERROR_INVALID_VALUE);
    for (size_t layer = 0; layer < 3; layer++) {
        EXPECT_OK(bp_network_layer_size(network, layer, &size));
        EXPECT(size == sizes[layer]);
    }
    EXPECT(snapshot_holds(before, network));
    free(before.bytes);
}

static void unknown_names_are_refused(void) {
    static const char *const names[] = {"",        "Logistic",      "LOGISTIC",     "logistic ",   " logistic", "logistics",
                                        "logisti", "squared error", "no_such_name", "\xC3\xB6lig", "\xFF\xFE",  "%s%n\n"};
    static char endless[100000];
    double value;
    snapshot before = snapshot_of(network);
    memset(endless, 'a', sizeof endless - 1);
    for (size_t i = 0; i <= sizeof names / sizeof names[0]; i++) {
        const char *name = i < sizeof names / sizeof names[0] ? names[i] : endless;
        EXPECT_ERROR(bp_network_set_activation(network, 1, name), BP_ERROR_UNKNOWN_NAME);
        EXPECT_ERROR(bp_network_set_loss(network, name), BP_ERROR_UNKNOWN_NAME);
        EXPECT_ERROR(bp_network_set_option(network, name, 1), BP_ERROR_UNKNOWN_NAME);
        EXPECT_ERROR(bp_network_get_option(network, name, &value), BP_ERROR_UNKNOWN_NAME);
        EXPECT_ERROR(bp_activation_unregister(name), BP_ERROR_UNKNOWN_NAME);
    }
    EXPECT_ERROR(bp_network_set_activation(network, 1, "no_such_name"), BP_ERROR_UNKNOWN_NAME);
    EXPECT_MESSAGE("no_such_name");
    EXPECT(snapshot_holds(before, network));
    free(before.bytes);
}

typedef struct {
    const char *name, *low_text, *high_text; /* the bounds as the message may print them */
    double low, high, initial;
    int whole; /* whole numbers only */
} option;

static const option options[] = {
    {"gradient_reduction", "0", "1", 0, 1, 0, 1},
    {"initialization", "0", "3", 0, 3, 0, 1},
    {"batchnorm_epsilon", "1e-12", "1", 1e-12, 1, 1e-5, 0},
    {"batchnorm_momentum", "0", "1", 0, 1, 0.1, 0},
    {"batchnorm_update", "0", "1", 0, 1, 0, 1},
};
enum { OPTIONS = sizeof options / sizeof options[0] };

static void options_start_at_their_defaults_and_keep_what_is_set(void) {
    for (size_t i = 0; i < OPTIONS; i++) {
        const option *o = &options[i];
        double value = -1;
        EXPECT_OK(bp_network_get_option(network, o->name, &value));
        EXPECT(value == o->initial);
        EXPECT_OK(bp_network_set_option(network, o->name, o->low));
        EXPECT_OK(bp_network_get_option(network, o->name, &value));
        EXPECT(value == o->low);
        EXPECT_OK(bp_network_set_option(network, o->name, o->high));
        EXPECT_OK(bp_network_get_option(network, o->name, &value));
        EXPECT(value == o->high);
    }
}

static void options_out_of_bounds_are_invalid_and_the_message_gives_the_bounds(void) {
    for (size_t i = 0; i < OPTIONS; i++) {
        const option *o = &options[i];
        const double bad[] = {o->low - 1, o->high + 1, -1e-9,  o->high * (1 + 1e-12), NAN, INFINITY,
                              -INFINITY,  1e308,       -1e308, o->whole ? 0.5 : -0.5};
        double value;
        for (size_t k = 0; k < sizeof bad / sizeof bad[0]; k++) {
            EXPECT_ERROR(bp_network_set_option(network, o->name, bad[k]), BP_ERROR_INVALID_VALUE);
            EXPECT(strstr(bp_last_error_message(), o->name) && strstr(bp_last_error_message(), o->low_text) &&
                   strstr(bp_last_error_message(), o->high_text));
            EXPECT_OK(bp_network_get_option(network, o->name, &value));
            EXPECT(value == o->initial);
        }
    }
}

/* ---- Numbers */

static void learning_rate_must_be_finite_and_not_negative(void) {
    const float bad[] = {NAN, INFINITY, -INFINITY, -1, -1e-30f, -1e38f};
    float gradient[PARAMETERS], loss;
    snapshot before = snapshot_of(network);
    check_fill(gradient, PARAMETERS, 1);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        EXPECT_ERROR(bp_network_train_step(network, inputs, targets, bad[i], &loss), BP_ERROR_INVALID_VALUE);
        EXPECT_ERROR(bp_network_train_minibatch(network, inputs, targets, ROWS, bad[i], &loss), BP_ERROR_INVALID_VALUE);
        EXPECT_ERROR(bp_network_apply_gradient(network, gradient, count_of(network), bad[i]), BP_ERROR_INVALID_VALUE);
    }
    EXPECT(snapshot_holds(before, network));
    free(before.bytes);
}

static void learning_rate_zero_keeps_the_parameters(void) {
    float parameters[PARAMETERS], after[PARAMETERS], loss = 0;
    EXPECT_OK(bp_network_get_parameters(network, parameters, count_of(network)));
    EXPECT_OK(bp_network_train_step(network, inputs, targets, 0, &loss));
    EXPECT(loss > 0);
    EXPECT_OK(bp_network_train_minibatch(network, inputs, targets, ROWS, 0, &loss));
    EXPECT_OK(bp_network_get_parameters(network, after, count_of(network)));
    EXPECT(memcmp(parameters, after, sizeof after) == 0);
}

/* A NaN or an infinity in each position of inputs and targets. With batch normalization, because a wrong update could also
 * corrupt the statistics. Afterwards every byte of the network is unchanged. */
static void data_that_is_not_finite_is_refused_in_every_position(void) {
    const float bad[] = {NAN, -NAN, INFINITY, -INFINITY};
    float x[ROWS * 2], y[ROWS * 2], gradient[64], loss;
    double worst;
    snapshot before;
    EXPECT_OK(bp_network_set_batchnorm(network, 1, 1));
    EXPECT_OK(bp_network_train_minibatch(network, inputs, targets, ROWS, 0.5f, NULL));
    before = snapshot_of(network);
    for (size_t position = 0; position < 2 * ROWS * 2; position++)
        for (size_t k = 0; k < sizeof bad / sizeof bad[0]; k++) {
            memcpy(x, inputs, sizeof x);
            memcpy(y, targets, sizeof y);
            (position < ROWS * 2 ? x : y)[position % (ROWS * 2)] = bad[k];
            EXPECT_ERROR(bp_network_train_minibatch(network, x, y, ROWS, 0.5f, &loss), BP_ERROR_NOT_FINITE);
            EXPECT_ERROR(bp_network_gradient(network, x, y, ROWS, gradient, count_of(network), &loss), BP_ERROR_NOT_FINITE);
            EXPECT_ERROR(bp_network_evaluate(network, x, y, ROWS, &loss), BP_ERROR_NOT_FINITE);
            EXPECT_ERROR(bp_network_check_gradient(network, x, y, ROWS, &worst), BP_ERROR_NOT_FINITE);
            if (position % (ROWS * 2) < 2) EXPECT_ERROR(bp_network_train_step(network, x, y, 0.5f, &loss), BP_ERROR_NOT_FINITE);
        }
    EXPECT(snapshot_holds(before, network));
    free(before.bytes);
}

/* Finite data can have a loss or a gradient that exceeds the range of float. */
static void overflowing_loss_is_refused(void) {
    const float large[] = {3e38f, 3e38f, 3e38f, 3e38f, 3e38f, 3e38f};
    float gradient[64], loss;
    snapshot before;
    EXPECT_OK(bp_network_set_activation(network, 1, "identity"));
    EXPECT_OK(bp_network_set_activation(network, 2, "identity"));
    before = snapshot_of(network);
    EXPECT_ERROR(bp_network_train_step(network, inputs, large, 0.5f, &loss), BP_ERROR_NOT_FINITE);
    EXPECT_ERROR(bp_network_train_minibatch(network, inputs, large, ROWS, 0.5f, &loss), BP_ERROR_NOT_FINITE);
    EXPECT_ERROR(bp_network_gradient(network, inputs, large, ROWS, gradient, count_of(network), &loss), BP_ERROR_NOT_FINITE);
    EXPECT_ERROR(bp_network_evaluate(network, inputs, large, ROWS, &loss), BP_ERROR_NOT_FINITE);
    EXPECT(snapshot_holds(before, network));
    free(before.bytes);
}

static void predict_passes_nan_and_infinity_through(void) {
    const float strange[4] = {NAN, 0, INFINITY, INFINITY};
    float outputs[4] = {0, 0, 0, 0};
    EXPECT_OK(bp_network_predict(network, strange, 2, outputs));
    EXPECT(isnan(outputs[0]) && isnan(outputs[1]));
}

static void parameters_and_gradients_must_be_finite(void) {
    const float bad[] = {NAN, INFINITY, -INFINITY};
    float values[PARAMETERS];
    snapshot before = snapshot_of(network);
    for (size_t position = 0; position < PARAMETERS; position++)
        for (size_t k = 0; k < sizeof bad / sizeof bad[0]; k++) {
            check_fill(values, PARAMETERS, 1);
            values[position] = bad[k];
            EXPECT_ERROR(bp_network_set_parameters(network, values, count_of(network)), BP_ERROR_NOT_FINITE);
            EXPECT_ERROR(bp_network_apply_gradient(network, values, count_of(network), 0.5f), BP_ERROR_NOT_FINITE);
        }
    for (size_t position = 0; position < PARAMETERS; position++) { /* finite, but w - rate g is not */
        check_fill(values, PARAMETERS, 1);
        values[position] = 3e38f;
        EXPECT_ERROR(bp_network_apply_gradient(network, values, count_of(network), 10), BP_ERROR_NOT_FINITE);
    }
    EXPECT(snapshot_holds(before, network));
    free(before.bytes);
}

static void impossible_row_counts_are_refused(void) {
    /* rows * 2 columns * 4 bytes exceeds size_t. The arrays are not read. */
    const size_t many[] = {SIZE_MAX, SIZE_MAX / 2 + 1, SIZE_MAX / 2 + 2, SIZE_MAX / 4 + 1, SIZE_MAX / 4 + 2};
    float outputs[64], loss;
    double worst;
    snapshot before = snapshot_of(network);
    for (size_t i = 0; i < sizeof many / sizeof many[0]; i++) {
        EXPECT_ERROR(bp_network_train_minibatch(network, inputs, targets, many[i], 1, &loss), BP_ERROR_LIMIT);
        EXPECT_ERROR(bp_network_gradient(network, inputs, targets, many[i], outputs, count_of(network), &loss), BP_ERROR_LIMIT);
        EXPECT_ERROR(bp_network_check_gradient(network, inputs, targets, many[i], &worst), BP_ERROR_LIMIT);
        EXPECT_ERROR(bp_network_predict(network, inputs, many[i], outputs), BP_ERROR_LIMIT);
        EXPECT_ERROR(bp_network_evaluate(network, inputs, targets, many[i], &loss), BP_ERROR_LIMIT);
    }
    EXPECT_ERROR(bp_network_train_minibatch(network, inputs, targets, 0, 1, &loss), BP_ERROR_INVALID_VALUE);
    EXPECT_ERROR(bp_network_gradient(network, inputs, targets, 0, outputs, count_of(network), &loss), BP_ERROR_INVALID_VALUE);
    EXPECT_ERROR(bp_network_check_gradient(network, inputs, targets, 0, &worst), BP_ERROR_INVALID_VALUE);
    EXPECT_ERROR(bp_network_evaluate(network, inputs, targets, 0, &loss), BP_ERROR_INVALID_VALUE);
    EXPECT(snapshot_holds(before, network));
    free(before.bytes);
}

static void parameter_count_follows_the_layers(void) {
    size_t count = 0;
    EXPECT_OK(bp_network_parameter_count(network, &count));
    EXPECT(count == PARAMETERS);
    EXPECT_OK(bp_network_set_batchnorm(network, 1, 1));
    EXPECT_OK(bp_network_parameter_count(network, &count));
    EXPECT(count == PARAMETERS + 6);                     /* gamma and beta of 3 units */
    EXPECT_OK(bp_network_set_batchnorm(network, 2, -5)); /* any number except 0 enables it */
    EXPECT_OK(bp_network_parameter_count(network, &count));
    EXPECT(count == PARAMETERS + 10);
    EXPECT_OK(bp_network_set_batchnorm(network, 1, 0));
    EXPECT_OK(bp_network_parameter_count(network, &count));
    EXPECT(count == PARAMETERS + 4);
}

/* ---- Messages belong to threads */

static void success_keeps_the_last_message(void) {
    char message[512];
    size_t count;
    EXPECT_ERROR(bp_network_set_loss(network, "no_such_loss"), BP_ERROR_UNKNOWN_NAME);
    snprintf(message, sizeof message, "%s", bp_last_error_message());
    EXPECT_OK(bp_network_layer_count(network, &count));
    EXPECT(strcmp(message, bp_last_error_message()) == 0); /* it describes the latest failed call */
}

static void *fail_otherwise(void *unused) {
    static char reports[2][512];
    (void)unused;
    snprintf(reports[0], sizeof reports[0], "%s", bp_last_error_message());
    (void)bp_network_set_activation(network, 1, "message_of_the_other_thread");
    snprintf(reports[1], sizeof reports[1], "%s", bp_last_error_message());
    return reports;
}

static void each_thread_has_its_own_message(void) {
    pthread_t thread;
    void *result = NULL;
    char(*reports)[512];
    EXPECT_ERROR(bp_network_set_activation(network, 1, "message_of_this_thread"), BP_ERROR_UNKNOWN_NAME);
    if (!EXPECT(pthread_create(&thread, NULL, fail_otherwise, NULL) == 0)) return;
    pthread_join(thread, &result);
    reports = (char(*)[512])result;
    EXPECT(reports[0][0] == 0); /* no call had failed on that thread */
    EXPECT(strstr(reports[1], "message_of_the_other_thread") != NULL);
    EXPECT_MESSAGE("message_of_this_thread");
}

static void (*claim_with_network)(void);
static void with_network(void) {
    network = check_network(sizes, 3, 1);
    claim_with_network();
    bp_network_free(network);
}
#define CLAIM_WITH_NETWORK(function) (claim_with_network = function, check_claim(#function, with_network))

int main(void) {
    CLAIM(message_is_empty_before_the_first_failure);
    CLAIM(version_and_status_names_agree_with_the_header);
    CLAIM(fewer_than_two_layers_or_an_empty_layer_are_invalid);
    CLAIM(sizes_that_overflow_give_limit);
    CLAIM(sizes_beyond_the_address_space_are_refused);
    CLAIM(layers_are_limited_to_1024);
    CLAIM_WITH_NETWORK(null_arguments_are_refused);
    CLAIM_WITH_NETWORK(loss_out_and_empty_arrays_may_be_null);
    CLAIM_WITH_NETWORK(outputs_are_zero_after_a_failure);
    CLAIM_WITH_NETWORK(layer_out_of_range_is_invalid);
    CLAIM_WITH_NETWORK(unknown_names_are_refused);
    CLAIM_WITH_NETWORK(options_start_at_their_defaults_and_keep_what_is_set);
    CLAIM_WITH_NETWORK(options_out_of_bounds_are_invalid_and_the_message_gives_the_bounds);
    CLAIM_WITH_NETWORK(learning_rate_must_be_finite_and_not_negative);
    CLAIM_WITH_NETWORK(learning_rate_zero_keeps_the_parameters);
    CLAIM_WITH_NETWORK(data_that_is_not_finite_is_refused_in_every_position);
    CLAIM_WITH_NETWORK(overflowing_loss_is_refused);
    CLAIM_WITH_NETWORK(predict_passes_nan_and_infinity_through);
    CLAIM_WITH_NETWORK(parameters_and_gradients_must_be_finite);
    CLAIM_WITH_NETWORK(impossible_row_counts_are_refused);
    CLAIM_WITH_NETWORK(parameter_count_follows_the_layers);
    CLAIM_WITH_NETWORK(success_keeps_the_last_message);
    CLAIM_WITH_NETWORK(each_thread_has_its_own_message);
    return check_end();
}
