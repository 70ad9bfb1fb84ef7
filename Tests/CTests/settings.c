/* settings.c: a network returns the settings that were set, and the library lists the names that can be set. */
#include "check.h"

static const size_t sizes[] = {2, 3, 4, 1};
static const float x[] = {0, 0, 0, 1, 1, 0, 1, 1}, y[] = {0, 1, 1, 0};

static float half(float z, void *user_data) { return (void)user_data, z / 2; }

typedef int32_t (*name_fn)(const bp_network *network, char *buffer, size_t capacity, size_t *needed_out);

static int is_named(const bp_network *network, name_fn name, const char *expected) {
    char buffer[65] = "";
    size_t needed = 0;
    return EXPECT_OK(name(network, buffer, sizeof buffer, &needed)) && strcmp(buffer, expected) == 0 &&
        needed == strlen(expected) + 1;
}

static int activation_is(const bp_network *network, size_t layer, const char *expected) {
    char buffer[65] = "";
    size_t needed = 0;
    return EXPECT_OK(bp_network_get_activation(network, layer, buffer, sizeof buffer, &needed)) &&
        strcmp(buffer, expected) == 0 && needed == strlen(expected) + 1;
}

static int32_t input_scaling(const bp_network *network, char *buffer, size_t capacity, size_t *needed_out) {
    return bp_network_get_scaling(network, 0, buffer, capacity, needed_out);
}
static int32_t target_scaling(const bp_network *network, char *buffer, size_t capacity, size_t *needed_out) {
    return bp_network_get_scaling(network, 1, buffer, capacity, needed_out);
}

static int is_normalized(const bp_network *network, size_t layer) {
    int32_t enabled = -1;
    EXPECT_OK(bp_network_get_batchnorm(network, layer, &enabled));
    return enabled;
}

static uint64_t steps_of(const bp_network *network) {
    uint64_t steps = 999;
    EXPECT_OK(bp_network_step_count(network, &steps));
    return steps;
}

static void new_network_has_the_settings_of_the_header(void) {
    bp_network *network = check_network(sizes, 4, 1);
    for (size_t layer = 1; layer < 4; layer++)
        EXPECT(activation_is(network, layer, "logistic") && is_normalized(network, layer) == 0);
    EXPECT(is_named(network, bp_network_get_loss, "squared_error") && is_named(network, bp_network_get_optimizer, "sgd"));
    EXPECT(is_named(network, input_scaling, "none") && is_named(network, target_scaling, "none"));
    EXPECT(steps_of(network) == 0);
    bp_network_free(network);
}

static int is_as_set(const bp_network *network) {
    return EXPECT(activation_is(network, 1, "half") && activation_is(network, 2, "leaky_relu") &&
                  activation_is(network, 3, "logistic")) &
        EXPECT(is_normalized(network, 1) == 0 && is_normalized(network, 2) == 1 && is_normalized(network, 3) == 0) &
        EXPECT(is_named(network, bp_network_get_loss, "binary_cross_entropy")) &
        EXPECT(is_named(network, bp_network_get_optimizer, "irprop_minus")) &
        EXPECT(is_named(network, input_scaling, "standard") && is_named(network, target_scaling, "min_max")) &
        EXPECT(steps_of(network) == 2);
}

static void network_its_copies_and_its_file_return_the_settings(void) {
    bp_network *network = check_network(sizes, 4, 1), *copy = NULL, *loaded = NULL;
    snapshot file;
    EXPECT_OK(bp_activation_register_scalar("half", half, NULL, NULL, NULL));
    EXPECT_OK(bp_network_set_activation(network, 1, "half"));
    EXPECT_OK(bp_network_set_activation(network, 2, "leaky_relu"));
    EXPECT_OK(bp_network_set_batchnorm(network, 1, 1));
    EXPECT_OK(bp_network_set_batchnorm(network, 1, 0));
    EXPECT_OK(bp_network_set_batchnorm(network, 2, 1));
    EXPECT_OK(bp_network_set_loss(network, "binary_cross_entropy"));
    EXPECT_OK(bp_network_set_optimizer(network, "irprop_minus"));
    EXPECT_OK(bp_network_fit_scaling(network, "standard", "min_max", x, y, 4));
    EXPECT_OK(bp_network_train_minibatch(network, x, y, 4, 0.1f, NULL));
    EXPECT_OK(bp_network_train_minibatch(network, x, y, 4, 0.1f, NULL));
    EXPECT(is_as_set(network));
    EXPECT_OK(bp_network_clone(network, &copy));
    file = snapshot_of(network);
    EXPECT_OK(bp_network_load_memory(file.bytes, file.count, &loaded));
    EXPECT_OK(bp_activation_unregister("half")); /* frees only the name */
    EXPECT(is_as_set(network) && is_as_set(copy) && is_as_set(loaded));
    free(file.bytes);
    bp_network_free(network);
    bp_network_free(copy);
    bp_network_free(loaded);
}

static void steps_are_counted_since_the_weights_were_drawn(void) {
    bp_network *network = check_network(sizes, 4, 1);
    const float bad[] = {NAN, 0};
    float values[64];
    bp_trainer *trainer = NULL;
    EXPECT_OK(bp_network_train_step(network, x, y, 0.1f, NULL));
    EXPECT_OK(bp_network_train_minibatch(network, x, y, 4, 0.1f, NULL));
    EXPECT(steps_of(network) == 2);
    EXPECT_ERROR(bp_network_train_step(network, bad, y, 0.1f, NULL), BP_ERROR_NOT_FINITE);
    EXPECT_OK(bp_network_gradient(network, x, y, 4, values, count_of(network), NULL));
    EXPECT(steps_of(network) == 2);
    EXPECT_OK(bp_network_apply_gradient(network, values, count_of(network), 0.1f));
    EXPECT(steps_of(network) == 3);
    EXPECT_OK(bp_network_get_parameters(network, values, count_of(network)));
    EXPECT_OK(bp_network_set_parameters(network, values, count_of(network)));
    EXPECT(steps_of(network) == 3);
    EXPECT_OK(bp_trainer_create(&trainer));
    EXPECT_OK(bp_trainer_set_option(trainer, "epochs", 5));
    EXPECT_OK(bp_trainer_set_option(trainer, "batch_size", 2));
    EXPECT_OK(bp_trainer_fit(trainer, network, x, y, 4, NULL, NULL, 0, NULL));
    EXPECT(steps_of(network) == 13);
    EXPECT_OK(bp_network_initialize(network, 2));
    EXPECT(steps_of(network) == 0);
    bp_trainer_free(trainer);
    bp_network_free(network);
}

static void layers_out_of_range_and_small_buffers_are_refused(void) {
    const size_t layers[] = {0, 4, 5, SIZE_MAX / 2 + 1, SIZE_MAX};
    bp_network *network = check_network(sizes, 4, 1);
    char buffer[65] = "kept";
    for (size_t i = 0; i < sizeof layers / sizeof layers[0]; i++) {
        size_t needed = 9;
        int32_t enabled = 9;
        EXPECT_ERROR(bp_network_get_activation(network, layers[i], buffer, sizeof buffer, &needed), BP_ERROR_INVALID_VALUE);
        EXPECT_ERROR(bp_network_get_batchnorm(network, layers[i], &enabled), BP_ERROR_INVALID_VALUE);
        EXPECT(needed == 0 && enabled == 0);
    }
    for (size_t room = 0; room <= strlen("logistic"); room++) {
        size_t needed = 9;
        EXPECT_ERROR(bp_network_get_activation(network, 1, room ? buffer : NULL, room, &needed), BP_ERROR_BUFFER_TOO_SMALL);
        EXPECT(needed == sizeof "logistic" && strcmp(buffer, "kept") == 0);
    }
    bp_network_free(network);
}

/* ---- Names */

static int32_t set_input_scaling(bp_network *network, const char *name) {
    return bp_network_fit_scaling(network, name, "none", x, NULL, 4);
}
static int32_t take_score(bp_network *network, const char *name) {
    double score;
    return bp_network_score(network, name, x, y, 4, &score);
}

static const struct {
    int32_t (*name)(size_t index, char *buffer, size_t capacity, size_t *needed_out);
    int32_t (*set)(bp_network *network, const char *name);
    const char *expected[12]; /* the names of version 0.2 */
} lists[] = {
    {bp_loss_name, bp_network_set_loss, {"squared_error", "binary_cross_entropy", "cross_entropy"}},
    {bp_optimizer_name,
     bp_network_set_optimizer,
     {"sgd", "momentum", "nesterov", "rmsprop", "adam", "adamw", "irprop_minus", "lbfgs", "levenberg_marquardt",
      "bayesian_regularization"}},
    {bp_scaling_name, set_input_scaling, {"none", "standard", "min_max", "symmetric", "auto"}},
    {bp_score_name, take_score, {"accuracy", "r2", "mean_absolute_error"}},
};

static void names_are_listed_and_every_listed_name_can_be_set(void) {
    bp_network *network = check_network(sizes, 4, 1);
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        char name[65], small[3];
        size_t needed = 0, count = 0;
        for (; lists[i].name(count, name, sizeof name, &needed) == BP_OK; count++) {
            EXPECT(needed == strlen(name) + 1);
            if (count < 8 && lists[i].expected[count]) EXPECT(strcmp(name, lists[i].expected[count]) == 0);
            EXPECT_OK(lists[i].set(network, name));
        }
        EXPECT(count >= 3 && (count > 7 || !lists[i].expected[count]));
        EXPECT_ERROR(lists[i].set(network, "no such name"), BP_ERROR_UNKNOWN_NAME);
        EXPECT_ERROR(lists[i].name(count, name, sizeof name, &needed), BP_ERROR_UNKNOWN_NAME);
        EXPECT(needed == 0);
        EXPECT_ERROR(lists[i].name(SIZE_MAX, name, sizeof name, &needed), BP_ERROR_UNKNOWN_NAME);
        EXPECT_ERROR(lists[i].name(1, small, sizeof small - 1, &needed), BP_ERROR_BUFFER_TOO_SMALL);
        EXPECT(needed == strlen(lists[i].expected[1]) + 1);
    }
    bp_network_free(network);
}

int main(void) {
    CLAIM(new_network_has_the_settings_of_the_header);
    CLAIM(network_its_copies_and_its_file_return_the_settings);
    CLAIM(steps_are_counted_since_the_weights_were_drawn);
    CLAIM(layers_out_of_range_and_small_buffers_are_refused);
    CLAIM(names_are_listed_and_every_listed_name_can_be_set);
    return check_end();
}
