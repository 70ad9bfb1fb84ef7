/* tensors.c: a network's tensors are read and set by their names in the model file. */
#include "check.h"

static const size_t sizes[] = {2, 3, 1};
static const float x[] = {0.5f, -1, 2, 0.25f, -0.5f, 3, 1, 1}, y[] = {3, 5, 4, 9};

/* With batch normalization, scaling and adam: a network with every kind of tensor. */
static bp_network *full_network(void) {
    bp_network *network = check_network(sizes, 3, 1);
    EXPECT_OK(bp_network_set_activation(network, 2, "identity"));
    EXPECT_OK(bp_network_set_batchnorm(network, 1, 1));
    EXPECT_OK(bp_network_set_optimizer(network, "adam"));
    EXPECT_OK(bp_network_fit_scaling(network, "standard", "min_max", x, y, 4));
    EXPECT_OK(bp_network_train_minibatch(network, x, y, 4, 0.1f, NULL));
    return network;
}

/* The shape and the numbers of a tensor in the file. Returns NULL if the file does not hold it. */
static const uint8_t *in_file(snapshot file, const char *name, size_t *rows, size_t *columns) {
    uint64_t header = 0, at = 0;
    char start[128], *found, *shape;
    for (int i = 0; i < 8; i++) header |= (uint64_t)file.bytes[i] << (8 * i);
    snprintf(start, sizeof start, "\"%s\":{", name);
    file.bytes[8 + header - 1] = 0; /* a space or the last brace; the snapshot is a copy */
    found = strstr((char *)file.bytes + 8, start);
    if (!found || !(shape = strstr(found, "\"shape\":["))) return NULL;
    *rows = strtoul(shape + 9, &shape, 10);
    *columns = *shape == ',' ? strtoul(shape + 1, NULL, 10) : *rows;
    if (*shape != ',') *rows = 1;
    at = strtoull(strstr(found, "\"data_offsets\":[") + 16, NULL, 10);
    return file.bytes + 8 + header + at;
}

static int name_is(const bp_network *network, size_t index, const char *expected) {
    char name[128] = "";
    size_t needed = 0;
    return EXPECT_OK(bp_network_tensor_name(network, index, name, sizeof name, &needed)) && needed == strlen(name) + 1 &&
        strcmp(name, expected) == 0;
}

static void tensors_equal_those_of_the_file_in_the_same_order(void) {
    static const char *const names[] = {"layers.1.weight",
                                        "layers.1.bias",
                                        "layers.1.norm.weight",
                                        "layers.1.norm.bias",
                                        "layers.1.norm.running_mean",
                                        "layers.1.norm.running_var",
                                        "layers.2.weight",
                                        "layers.2.bias",
                                        "optimizer.first_moment.layers.1.weight",
                                        "optimizer.first_moment.layers.1.bias",
                                        "optimizer.first_moment.layers.1.norm.weight",
                                        "optimizer.first_moment.layers.1.norm.bias",
                                        "optimizer.first_moment.layers.2.weight",
                                        "optimizer.first_moment.layers.2.bias",
                                        "optimizer.second_moment.layers.1.weight",
                                        "optimizer.second_moment.layers.1.bias",
                                        "optimizer.second_moment.layers.1.norm.weight",
                                        "optimizer.second_moment.layers.1.norm.bias",
                                        "optimizer.second_moment.layers.2.weight",
                                        "optimizer.second_moment.layers.2.bias",
                                        "scaling.inputs.offset",
                                        "scaling.inputs.scale",
                                        "scaling.targets.offset",
                                        "scaling.targets.scale"};
    enum { NAMES = sizeof names / sizeof names[0] };
    bp_network *network = full_network();
    snapshot file = snapshot_of(network);
    const uint8_t *last = file.bytes;
    char name[128];
    size_t needed = 9;
    for (size_t i = 0; i < NAMES; i++) {
        size_t rows = 0, columns = 0, file_rows = 1, file_columns = 1;
        float values[8];
        const uint8_t *numbers = in_file(file, names[i], &file_rows, &file_columns);
        EXPECT(name_is(network, i, names[i]));
        EXPECT_OK(bp_network_tensor_shape(network, names[i], &rows, &columns));
        if (!EXPECT(numbers > last && rows == file_rows && columns == file_columns && rows * columns <= 8)) continue;
        EXPECT_OK(bp_network_get_tensor(network, names[i], values, rows * columns));
        EXPECT(memcmp(values, numbers, rows * columns * sizeof(float)) == 0);
        last = numbers;
    }
    EXPECT_ERROR(bp_network_tensor_name(network, NAMES, name, sizeof name, &needed), BP_ERROR_UNKNOWN_NAME);
    EXPECT(needed == 0);
    EXPECT_ERROR(bp_network_tensor_name(network, SIZE_MAX, name, sizeof name, &needed), BP_ERROR_UNKNOWN_NAME);
    EXPECT_ERROR(bp_network_tensor_name(network, 0, name, 15, &needed), BP_ERROR_BUFFER_TOO_SMALL);
    EXPECT(needed == sizeof "layers.1.weight");
    free(file.bytes);
    bp_network_free(network);
}

static void tensors_of_a_network_follow_its_settings(void) {
    bp_network *network = check_network(sizes, 3, 1);
    float mean[3];
    size_t needed;
    char name[64];
    EXPECT_ERROR(bp_network_get_tensor(network, "layers.1.norm.running_mean", mean, 3), BP_ERROR_UNKNOWN_NAME);
    EXPECT(name_is(network, 3, "layers.2.bias"));
    EXPECT_ERROR(bp_network_tensor_name(network, 4, name, sizeof name, &needed), BP_ERROR_UNKNOWN_NAME);
    EXPECT_OK(bp_network_set_batchnorm(network, 1, 1));
    EXPECT_OK(bp_network_train_minibatch(network, x, y, 4, 0.1f, NULL));
    EXPECT_OK(bp_network_set_batchnorm(network, 1, 0)); /* keeps its numbers */
    EXPECT_OK(bp_network_get_tensor(network, "layers.1.norm.running_mean", mean, 3));
    EXPECT(mean[0] != 0);
    EXPECT_OK(bp_network_fold_batchnorm(network)); /* discards them */
    EXPECT_ERROR(bp_network_get_tensor(network, "layers.1.norm.running_mean", mean, 3), BP_ERROR_UNKNOWN_NAME);
    bp_network_free(network);
}

static void flat_parameters_are_the_concatenated_tensors(void) {
    static const char *const names[] = {"layers.1.weight",    "layers.1.bias",   "layers.1.norm.weight",
                                        "layers.1.norm.bias", "layers.2.weight", "layers.2.bias"};
    static const size_t counts[] = {6, 3, 3, 3, 3, 1};
    bp_network *network = full_network();
    float flat[19], parts[19], *at = parts;
    for (int i = 0; i < 6; at += counts[i++]) EXPECT_OK(bp_network_get_tensor(network, names[i], at, counts[i]));
    EXPECT_OK(bp_network_get_parameters(network, flat, 19));
    EXPECT(at == parts + 19 && memcmp(flat, parts, sizeof flat) == 0);
    bp_network_free(network);
}

static void network_computes_with_tensors_that_were_set(void) {
    const size_t small[] = {2, 2};
    const float weight[] = {1, 2, 3, 4}, bias[] = {5, 6}, gamma[] = {2, 3}, beta[] = {-1, 1}, mean[] = {4, -2},
                variance[] = {4, 0.25f};
    const float row[] = {1, -1};
    float out[2], back[4];
    bp_network *network = check_network(small, 2, 1);
    EXPECT_OK(bp_network_set_activation(network, 1, "identity"));
    EXPECT_OK(bp_network_set_batchnorm(network, 1, 1));
    EXPECT_OK(bp_network_set_tensor(network, "layers.1.weight", weight, 4));
    EXPECT_OK(bp_network_set_tensor(network, "layers.1.bias", bias, 2));
    EXPECT_OK(bp_network_set_tensor(network, "layers.1.norm.weight", gamma, 2));
    EXPECT_OK(bp_network_set_tensor(network, "layers.1.norm.bias", beta, 2));
    EXPECT_OK(bp_network_set_tensor(network, "layers.1.norm.running_mean", mean, 2));
    EXPECT_OK(bp_network_set_tensor(network, "layers.1.norm.running_var", variance, 2));
    EXPECT_OK(bp_network_get_tensor(network, "layers.1.weight", back, 4));
    EXPECT(memcmp(back, weight, sizeof weight) == 0);
    EXPECT_OK(bp_network_predict(network, row, 1, out));
    for (int o = 0; o < 2; o++) { /* by hand, row by row of the weights */
        double z = weight[2 * o] * row[0] + weight[2 * o + 1] * row[1] + bias[o];
        EXPECT_NEAR(out[o], (z - mean[o]) / sqrt(variance[o] + 1e-5) * gamma[o] + beta[o], 1e-5);
    }
    EXPECT_OK(bp_network_set_option(network, "initialization", BP_INITIALIZATION_HE)); /* applies to new weights only */
    EXPECT_OK(bp_network_get_tensor(network, "layers.1.weight", back, 4));
    EXPECT(memcmp(back, weight, sizeof weight) == 0);
    bp_network_free(network);
}

static void networks_can_be_averaged_without_a_file(void) {
    bp_network *one = check_network(sizes, 3, 1), *other = check_network(sizes, 3, 2), *average = check_network(sizes, 3, 3);
    float a[13], b[13], mean[13];
    char name[64];
    size_t needed, rows, columns, tensors = 0;
    for (; bp_network_tensor_name(average, tensors, name, sizeof name, &needed) == BP_OK; tensors++) {
        EXPECT_OK(bp_network_tensor_shape(average, name, &rows, &columns));
        EXPECT_OK(bp_network_get_tensor(one, name, a, rows * columns));
        EXPECT_OK(bp_network_get_tensor(other, name, b, rows * columns));
        for (size_t i = 0; i < rows * columns; i++) a[i] = (a[i] + b[i]) / 2;
        EXPECT_OK(bp_network_set_tensor(average, name, a, rows * columns));
    }
    EXPECT(tensors == 4);
    EXPECT_OK(bp_network_get_parameters(one, a, 13));
    EXPECT_OK(bp_network_get_parameters(other, b, 13));
    EXPECT_OK(bp_network_get_parameters(average, mean, 13));
    for (int i = 0; i < 13; i++) EXPECT(mean[i] == (a[i] + b[i]) / 2);
    bp_network_free(one);
    bp_network_free(other);
    bp_network_free(average);
}

static void scaling_that_is_set_changes_no_copy(void) {
    const size_t line[] = {1, 1};
    const float data[] = {0, 10}, offset[] = {4}, scale[] = {2}, one[] = {1}, zero[] = {0}, row[] = {10};
    float out[1], kept[1];
    bp_network *network = check_network(line, 2, 1), *copy = NULL;
    EXPECT_OK(bp_network_set_activation(network, 1, "identity"));
    EXPECT_OK(bp_network_set_tensor(network, "layers.1.weight", one, 1));
    EXPECT_OK(bp_network_set_tensor(network, "layers.1.bias", zero, 1));
    EXPECT_OK(bp_network_fit_scaling(network, "min_max", "min_max", data, data, 2));
    EXPECT_OK(bp_network_clone(network, &copy));
    EXPECT_OK(bp_network_set_tensor(copy, "scaling.inputs.offset", offset, 1));
    EXPECT_OK(bp_network_set_tensor(copy, "scaling.inputs.scale", scale, 1));
    EXPECT_OK(bp_network_predict(copy, row, 1, out));
    EXPECT(out[0] == (10.0f - 4) / 2 * 10 + 0); /* the inverse scaling of the targets */
    EXPECT_OK(bp_network_predict(network, row, 1, out));
    EXPECT(out[0] == 10);
    EXPECT_OK(bp_network_get_tensor(network, "scaling.inputs.scale", kept, 1));
    EXPECT(kept[0] == 10);
    EXPECT_OK(bp_network_train_step(copy, row, zero, 0.1f, NULL));
    bp_network_free(network);
    bp_network_free(copy);
}

static void bad_tensors_are_refused_and_change_nothing(void) {
    static const struct {
        const char *name;
        size_t count, at;
        float bad;
        int32_t status;
    } cases[] = {
        {"layers.1.weight", 6, 5, NAN, BP_ERROR_NOT_FINITE},
        {"layers.1.bias", 3, 0, INFINITY, BP_ERROR_NOT_FINITE},
        {"layers.1.norm.running_mean", 3, 1, -INFINITY, BP_ERROR_NOT_FINITE},
        {"layers.1.norm.running_var", 3, 2, -0.5f, BP_ERROR_INVALID_VALUE},
        {"layers.1.norm.running_var", 3, 2, NAN, BP_ERROR_NOT_FINITE},
        {"scaling.inputs.scale", 2, 1, 0, BP_ERROR_INVALID_VALUE},
        {"scaling.inputs.scale", 2, 0, -1, BP_ERROR_INVALID_VALUE},
        {"scaling.targets.offset", 1, 0, NAN, BP_ERROR_NOT_FINITE},
        {"optimizer.first_moment.layers.1.bias", 3, 0, 1, BP_ERROR_UNSUPPORTED},
        {"layers.1.weight", 5, 0, 1, BP_ERROR_MISMATCH},
        {"layers.1.weight", 7, 0, 1, BP_ERROR_MISMATCH},
        {"layers.1.weight", 0, 0, 1, BP_ERROR_MISMATCH},
        {"layers.1.weight", SIZE_MAX, 0, 1, BP_ERROR_MISMATCH},
        {"layers.0.weight", 6, 0, 1, BP_ERROR_UNKNOWN_NAME},
        {"layers.3.weight", 6, 0, 1, BP_ERROR_UNKNOWN_NAME},
        {"layers.1.Weight", 6, 0, 1, BP_ERROR_UNKNOWN_NAME},
        {"layers.1.weight ", 6, 0, 1, BP_ERROR_UNKNOWN_NAME},
        {"", 6, 0, 1, BP_ERROR_UNKNOWN_NAME},
    };
    bp_network *network = full_network();
    snapshot before = snapshot_of(network);
    size_t rows = 9, columns = 9;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        float values[8] = {1, 1, 1, 1, 1, 1, 1, 1}, untouched[8] = {7, 7, 7, 7, 7, 7, 7, 7};
        values[cases[i].at] = cases[i].bad;
        EXPECT_ERROR(bp_network_set_tensor(network, cases[i].name, values, cases[i].count), cases[i].status);
        EXPECT(snapshot_holds(before, network));
        if (cases[i].status != BP_ERROR_MISMATCH && cases[i].status != BP_ERROR_UNKNOWN_NAME) continue;
        EXPECT_ERROR(bp_network_get_tensor(network, cases[i].name, untouched, cases[i].count), cases[i].status);
        for (int k = 0; k < 8; k++) EXPECT(untouched[k] == 7);
    }
    EXPECT_ERROR(bp_network_tensor_shape(network, "layers.1", &rows, &columns), BP_ERROR_UNKNOWN_NAME);
    EXPECT(rows == 0 && columns == 0);
    free(before.bytes);
    bp_network_free(network);
}

static void network_with_the_most_layers_names_all_its_tensors(void) {
    size_t many[1024], needed, rows, columns;
    float value;
    char name[64];
    bp_network *network;
    for (int i = 0; i < 1024; i++) many[i] = 1;
    network = check_network(many, 1024, 1);
    EXPECT_OK(bp_network_tensor_name(network, 2 * 1023 - 1, name, sizeof name, &needed));
    EXPECT(strcmp(name, "layers.1023.bias") == 0);
    EXPECT_OK(bp_network_tensor_shape(network, name, &rows, &columns));
    EXPECT(rows == 1 && columns == 1);
    EXPECT_OK(bp_network_get_tensor(network, name, &value, 1));
    EXPECT_OK(bp_network_set_tensor(network, name, &value, 1));
    bp_network_free(network);
}

int main(void) {
    CLAIM(tensors_equal_those_of_the_file_in_the_same_order);
    CLAIM(tensors_of_a_network_follow_its_settings);
    CLAIM(flat_parameters_are_the_concatenated_tensors);
    CLAIM(network_computes_with_tensors_that_were_set);
    CLAIM(networks_can_be_averaged_without_a_file);
    CLAIM(scaling_that_is_set_changes_no_copy);
    CLAIM(bad_tensors_are_refused_and_change_nothing);
    CLAIM(network_with_the_most_layers_names_all_its_tensors);
    return check_end();
}
