/* activations.c: the registry. Names, lifetimes, and custom activations with the formulas of built-in activations. */
#include "mirror.h"

static float plain(float z, void *user_data) {
    (void)user_data;
    return z;
}
static float half(float z, void *user_data) {
    (void)user_data;
    return z / 2;
}
static float one(float z, float a, void *user_data) {
    (void)z, (void)a, (void)user_data;
    return 1;
}
static void destroy(void *user_data) { ++*(int *)user_data; }

/* ---- Names */

static void names_of_1_to_64_allowed_characters_are_accepted(void) {
    const char *const good[] = {"a",
                                "0",
                                "_",
                                ".",
                                "-",
                                "abcdefghijklmnopqrstuvwxyz",
                                "0123456789_.-",
                                "0123456789012345678901234567890123456789012345678901234567890123" /* 64 */};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        EXPECT_OK(bp_activation_register_scalar(good[i], plain, one, NULL, NULL));
        EXPECT_OK(bp_activation_unregister(good[i]));
    }
}

static void malformed_and_registered_names_are_refused_without_calling_destroy(void) {
    const char *const bad[] = {"",          "A",
                               "Logistic",  "a b",
                               " a",        "a ",
                               "a/b",       "a\nb",
                               "\xC3\xB6l", "a:b",
                               "\"",        "\\",
                               "+",         "01234567890123456789012345678901234567890123456789012345678901234" /* 65 */};
    static char endless[100000];
    int destroyed = 0;
    memset(endless, 'a', sizeof endless - 1);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        EXPECT_ERROR(bp_activation_register_scalar(bad[i], plain, one, &destroyed, destroy), BP_ERROR_INVALID_VALUE);
    EXPECT_ERROR(bp_activation_register_scalar(endless, plain, one, &destroyed, destroy), BP_ERROR_INVALID_VALUE);
    for (int i = 0; i < REF_ACTIVATIONS; i++)
        EXPECT_ERROR(bp_activation_register_scalar(ref_activation_names[i], plain, one, &destroyed, destroy),
                     BP_ERROR_INVALID_VALUE);
    EXPECT_OK(bp_activation_register_scalar("taken", plain, one, NULL, NULL));
    EXPECT_ERROR(bp_activation_register_scalar("taken", plain, one, &destroyed, destroy), BP_ERROR_INVALID_VALUE);
    EXPECT_MESSAGE("taken");
    EXPECT_OK(bp_activation_unregister("taken"));
    EXPECT_ERROR(bp_activation_register_scalar("no.function", NULL, one, &destroyed, destroy), BP_ERROR_NULL_ARGUMENT);
    EXPECT_ERROR(bp_activation_unregister("no.function"), BP_ERROR_UNKNOWN_NAME);
    EXPECT(destroyed == 0); /* not called when registering fails */
}

static void built_in_names_cannot_be_removed(void) {
    for (int i = 0; i < REF_ACTIVATIONS; i++)
        EXPECT_ERROR(bp_activation_unregister(ref_activation_names[i]), BP_ERROR_UNSUPPORTED);
    EXPECT_ERROR(bp_activation_unregister("never.registered"), BP_ERROR_UNKNOWN_NAME);
}

static void names_can_be_enumerated_built_in_ones_first(void) {
    int seen[REF_ACTIVATIONS] = {0}, registered = 0;
    size_t index, needed;
    char name[65];
    int32_t status = BP_OK;
    EXPECT_OK(bp_activation_register_scalar("enumerated.1", plain, one, NULL, NULL));
    EXPECT_OK(bp_activation_register_scalar("enumerated.2", plain, one, NULL, NULL));
    for (index = 0; index < 1000; index++) {
        if ((status = bp_activation_name(index, name, sizeof name, &needed)) != BP_OK) break;
        EXPECT(needed == strlen(name) + 1);
        for (int i = 0; i < REF_ACTIVATIONS; i++)
            if (strcmp(name, ref_activation_names[i]) == 0) {
                seen[i]++;
                EXPECT(index < REF_ACTIVATIONS);
            }
        registered += strncmp(name, "enumerated.", 11) == 0;
    }
    EXPECT_STATUS(status, BP_ERROR_UNKNOWN_NAME);
    EXPECT(needed == 0);
    EXPECT(index == REF_ACTIVATIONS + 2 && registered == 2);
    for (int i = 0; i < REF_ACTIVATIONS; i++) EXPECT(seen[i] == 1);
    EXPECT_OK(bp_activation_unregister("enumerated.1"));
    EXPECT_OK(bp_activation_unregister("enumerated.2"));
    EXPECT_ERROR(bp_activation_name(REF_ACTIVATIONS, name, sizeof name, &needed), BP_ERROR_UNKNOWN_NAME);
}

static void too_small_buffer_returns_the_size_needed(void) {
    char name[65] = "untouched";
    size_t needed = 0, length;
    EXPECT_ERROR(bp_activation_name(2, NULL, 0, &needed), BP_ERROR_BUFFER_TOO_SMALL);
    length = needed;
    EXPECT(length > 1);
    for (size_t capacity = 0; capacity < length; capacity++) {
        needed = 0;
        EXPECT_ERROR(bp_activation_name(2, name, capacity, &needed), BP_ERROR_BUFFER_TOO_SMALL);
        EXPECT(needed == length);
    }
    EXPECT_OK(bp_activation_name(2, name, length, &needed));
    EXPECT(needed == length && strlen(name) + 1 == length);
}

/* ---- Lifetimes */

static const size_t sizes[] = {2, 3, 1};

static void destroy_runs_once_after_the_name_and_the_last_network_are_freed(void) {
    for (int order = 0; order < 2; order++) {
        int destroyed = 0;
        bp_network *network = check_network(sizes, 3, 1), *clone = NULL;
        EXPECT_OK(bp_activation_register_scalar("mortal", plain, one, &destroyed, destroy));
        EXPECT_OK(bp_network_set_activation(network, 1, "mortal"));
        EXPECT_OK(bp_network_set_activation(network, 2, "mortal")); /* used twice in one network, destroyed once */
        EXPECT_OK(bp_network_clone(network, &clone));
        if (order == 0) EXPECT_OK(bp_activation_unregister("mortal"));
        EXPECT(destroyed == 0);
        bp_network_free(network);
        EXPECT(destroyed == 0);
        bp_network_free(clone);
        EXPECT(destroyed == (order == 0));
        if (order == 1) EXPECT_OK(bp_activation_unregister("mortal"));
        EXPECT(destroyed == 1);
        EXPECT_ERROR(bp_activation_unregister("mortal"), BP_ERROR_UNKNOWN_NAME);
        EXPECT(destroyed == 1);
    }
}

static void unused_activation_is_destroyed_when_unregistered(void) {
    int destroyed = 0;
    EXPECT_OK(bp_activation_register_scalar("unused", plain, one, &destroyed, destroy));
    EXPECT(destroyed == 0);
    EXPECT_OK(bp_activation_unregister("unused"));
    EXPECT(destroyed == 1);
}

static void replacing_an_activation_releases_the_old_one(void) {
    int destroyed = 0;
    bp_network *network = check_network(sizes, 3, 1);
    EXPECT_OK(bp_activation_register_scalar("replaced", plain, one, &destroyed, destroy));
    EXPECT_OK(bp_network_set_activation(network, 1, "replaced"));
    EXPECT_OK(bp_activation_unregister("replaced"));
    EXPECT(destroyed == 0);
    EXPECT_OK(bp_network_set_activation(network, 1, "tanh"));
    EXPECT(destroyed == 1);
    bp_network_free(network);
    EXPECT(destroyed == 1);
}

static void loaded_network_retains_the_activation(void) {
    int destroyed = 0;
    bp_network *network = check_network(sizes, 3, 1), *loaded = NULL;
    snapshot bytes;
    EXPECT_OK(bp_activation_register_scalar("stored", plain, one, &destroyed, destroy));
    EXPECT_OK(bp_network_set_activation(network, 1, "stored"));
    bytes = snapshot_of(network);
    bp_network_free(network);
    EXPECT_OK(bp_network_load_memory(bytes.bytes, bytes.count, &loaded));
    EXPECT_OK(bp_activation_unregister("stored"));
    EXPECT(destroyed == 0);
    EXPECT(snapshot_holds(bytes, loaded));
    bp_network_free(loaded);
    EXPECT(destroyed == 1);
    EXPECT_ERROR(bp_network_load_memory(bytes.bytes, bytes.count, &loaded), BP_ERROR_UNKNOWN_NAME);
    EXPECT_MESSAGE("stored");
    EXPECT(destroyed == 1);
    free(bytes.bytes);
}

/* A network keeps its activation when the name is registered again for another function. */
static void name_can_be_registered_again_for_another_function(void) {
    const size_t unit[] = {1, 1};
    const float through[] = {1, 0}, x = 1, y = 0;
    float a = 0, b = 0;
    bp_network *old = check_network(unit, 2, 1), *young = check_network(unit, 2, 1), *clone = NULL;
    EXPECT_OK(bp_activation_register_scalar("name", plain, one, NULL, NULL));
    EXPECT_OK(bp_network_set_activation(old, 1, "name"));
    EXPECT_OK(bp_activation_unregister("name"));
    EXPECT_ERROR(bp_network_set_activation(young, 1, "name"), BP_ERROR_UNKNOWN_NAME);
    EXPECT_OK(bp_activation_register_scalar("name", half, NULL, NULL, NULL));
    EXPECT_OK(bp_network_set_activation(young, 1, "name"));
    EXPECT_OK(bp_network_clone(old, &clone));
    EXPECT_OK(bp_network_set_parameters(old, through, count_of(old)));
    EXPECT_OK(bp_network_set_parameters(clone, through, count_of(clone)));
    EXPECT_OK(bp_network_set_parameters(young, through, count_of(young)));
    EXPECT_OK(bp_network_predict(old, &x, 1, &a));
    EXPECT_OK(bp_network_predict(young, &x, 1, &b));
    EXPECT(a == 1 && b == 0.5f);
    EXPECT_OK(bp_network_predict(clone, &x, 1, &a));
    EXPECT(a == 1);
    EXPECT_OK(bp_network_train_step(old, &x, &y, 0.5f, NULL)); /* y^ = 1, gradient 1: w and bias decrease by 0.5 */
    EXPECT_OK(bp_network_predict(old, &x, 1, &a));
    EXPECT(a == 0);
    bp_network_free(old);
    bp_network_free(young);
    bp_network_free(clone);
    EXPECT_OK(bp_activation_unregister("name"));
}

static int32_t status_in_destroy[3];

static void destroy_that_calls(void *user_data) {
    char name[80];
    size_t needed;
    bp_network *network = NULL;
    status_in_destroy[0] = bp_activation_name(0, name, sizeof name, &needed);
    status_in_destroy[1] = bp_network_create(sizes, 3, 1, &network);
    bp_network_free(network);
    status_in_destroy[2] = bp_activation_unregister("companion");
    ++*(int *)user_data;
}

static void destroy_can_call_the_library(void) {
    for (int order = 0; order < 2; order++) {
        int destroyed = 0;
        bp_network *network = check_network(sizes, 3, 1);
        EXPECT_OK(bp_activation_register_scalar("companion", plain, one, &destroyed, destroy));
        EXPECT_OK(bp_activation_register_scalar("busy", plain, one, &destroyed, destroy_that_calls));
        EXPECT_OK(bp_network_set_activation(network, 1, "busy"));
        if (order == 0) bp_network_free(network);
        EXPECT_OK(bp_activation_unregister("busy"));
        if (order == 1) bp_network_free(network);
        EXPECT(destroyed == 2);
        for (int i = 0; i < 3; i++) EXPECT_OK(status_in_destroy[i]);
    }
}

/* ---- Custom activations with the formulas of built-in activations */

static float own_tanh(float z, void *user_data) {
    ++*(int *)user_data;
    return tanhf(z);
}
static float own_tanh_derivative(float z, float a, void *user_data) {
    ++*(int *)user_data;
    return a == tanhf(z) ? 1 - a * a : NAN; /* a is f(z), as the header states */
}

static void scalar_callback_trains_like_the_built_in_activation(void) {
    static const int size[] = {4, 9, 5, 2};
    static reference r;
    float x[7 * 4], y[7 * 2];
    int calls = 0;
    check_fill(x, 28, 1);
    check_fill(y, 14, 2);
    EXPECT_OK(bp_activation_register_scalar("own.tanh", own_tanh, own_tanh_derivative, &calls, NULL));
    EXPECT_OK(bp_activation_register_scalar("own.tanh.differences", own_tanh, NULL, &calls, NULL));
    for (int norm = 0; norm < 2; norm++)
        for (int differences = 0; differences < 2; differences++) {
            bp_network *network;
            ref_init(&r, 4, size);
            for (int l = 1; l < 4; l++) r.activation[l] = REF_TANH, r.norm[l] = norm;
            network = mirror(&r, 1, 3);
            for (size_t l = 1; l < 4; l++)
                EXPECT_OK(bp_network_set_activation(network, l, differences ? "own.tanh.differences" : "own.tanh"));
            calls = 0;
            /* about 4 correct digits without a derivative */
            EXPECT(mirror_training_agrees(network, &r, x, y, 7, 3, 0.125f, differences ? 5e-4 : 2e-5));
            EXPECT(calls > 0);
            bp_network_free(network);
        }
    EXPECT_OK(bp_activation_unregister("own.tanh"));
    EXPECT_OK(bp_activation_unregister("own.tanh.differences"));
}

static int32_t own_softmax(const float *z, float *a, size_t rows, size_t columns, void *user_data) {
    (void)user_data;
    for (size_t i = 0; i < rows; i++, z += columns, a += columns) {
        float sum = 0;
        for (size_t k = 0; k < columns; k++) sum += a[k] = expf(z[k]);
        for (size_t k = 0; k < columns; k++) a[k] /= sum;
    }
    return 0;
}

static int32_t own_softmax_backward(const float *z, const float *a, const float *da, float *dz, size_t rows, size_t columns,
                                    void *user_data) {
    (void)z, (void)user_data;
    for (size_t i = 0; i < rows; i++, a += columns, da += columns, dz += columns) {
        float common = 0;
        for (size_t k = 0; k < columns; k++) common += a[k] * da[k];
        for (size_t k = 0; k < columns; k++) dz[k] = a[k] * (da[k] - common);
    }
    return 0;
}

static void vector_callback_can_couple_columns_like_softmax(void) {
    static const int size[] = {4, 5, 18, 6};
    static reference r;
    float x[7 * 4], y[7 * 6];
    check_fill(x, 28, 1);
    check_fill(y, 42, 2);
    EXPECT_OK(bp_activation_register_vector("own.softmax", own_softmax, own_softmax_backward, NULL, NULL));
    for (int loss = 0; loss < REF_LOSSES; loss++) {
        bp_network *network;
        ref_init(&r, 4, size);
        r.activation[2] = r.activation[3] = REF_SOFTMAX; /* also as a hidden layer */
        r.norm[2] = 1, r.loss = loss;
        for (int i = 0; i < 42; i++) y[i] *= y[i];
        network = mirror(&r, 1, 3);
        EXPECT_OK(bp_network_set_activation(network, 2, "own.softmax"));
        EXPECT_OK(bp_network_set_activation(network, 3, "own.softmax"));
        EXPECT(mirror_training_agrees(network, &r, x, y, 7, 3, 0.0625f, 2e-5));
        bp_network_free(network);
    }
    EXPECT_OK(bp_activation_unregister("own.softmax"));
}

int main(void) {
    CLAIM(names_of_1_to_64_allowed_characters_are_accepted);
    CLAIM(malformed_and_registered_names_are_refused_without_calling_destroy);
    CLAIM(built_in_names_cannot_be_removed);
    CLAIM(names_can_be_enumerated_built_in_ones_first);
    CLAIM(too_small_buffer_returns_the_size_needed);
    CLAIM(destroy_runs_once_after_the_name_and_the_last_network_are_freed);
    CLAIM(unused_activation_is_destroyed_when_unregistered);
    CLAIM(replacing_an_activation_releases_the_old_one);
    CLAIM(loaded_network_retains_the_activation);
    CLAIM(name_can_be_registered_again_for_another_function);
    CLAIM(destroy_can_call_the_library);
    CLAIM(scalar_callback_trains_like_the_built_in_activation);
    CLAIM(vector_callback_can_couple_columns_like_softmax);
    return check_end();
}
