/* calls.h: every function that accepts a network, each with arguments that are valid for a network of 2, 2 and 1 units
 * without batch normalization. A call that fails therefore fails because of the network. */
#ifndef CALLS_H
#define CALLS_H

#include <backprop.h>
#include <string.h>

typedef struct {
    const char *name;
    int32_t (*call)(bp_network *network);
    int reads; /* accepts a const network */
} network_call;

static const float calls_inputs[4] = {0.5f, -1, 0.25f, 1}, calls_targets[2] = {1, 0};
static float calls_floats[64];
enum { CALLS_PARAMETERS = 9 };
static int calls_left_output; /* 1 when a failed call did not set a scalar or handle output to 0 */

/* Outputs are not 0 before the call; a failed call must set them to 0. */
static inline int32_t calls_checked(int32_t status, int output_is_zero) {
    if (status < 0 && !output_is_zero) calls_left_output = 1;
    return status;
}

static inline int32_t calls_clone(bp_network *network) {
    bp_network *copy = network;
    int32_t status = bp_network_clone(network, &copy);
    if (status == BP_OK) bp_network_free(copy);
    return calls_checked(status, copy == NULL);
}
static inline int32_t calls_initialize(bp_network *network) { return bp_network_initialize(network, 7); }
static inline int32_t calls_replace_output(bp_network *network) { return bp_network_replace_output(network, 1, 7); }
static inline int32_t calls_layer_count(bp_network *network) {
    size_t count = 99;
    int32_t status = bp_network_layer_count(network, &count);
    return calls_checked(status, count == 0);
}
static inline int32_t calls_layer_size(bp_network *network) {
    size_t size = 99;
    int32_t status = bp_network_layer_size(network, 1, &size);
    return calls_checked(status, size == 0);
}
static inline int32_t calls_set_activation(bp_network *network) { return bp_network_set_activation(network, 2, "logistic"); }
static inline int32_t calls_set_batchnorm(bp_network *network) { return bp_network_set_batchnorm(network, 1, 0); }
static inline int32_t calls_set_dropout(bp_network *network) { return bp_network_set_dropout(network, 1, 0); }
static inline int32_t calls_get_dropout(bp_network *network) {
    double rate = 99;
    int32_t status = bp_network_get_dropout(network, 1, &rate);
    return calls_checked(status, rate == 0);
}
static inline int32_t calls_set_trainable(bp_network *network) { return bp_network_set_trainable(network, 1, 1); }
static inline int32_t calls_get_trainable(bp_network *network) {
    int32_t trainable = 99;
    int32_t status = bp_network_get_trainable(network, 1, &trainable);
    return calls_checked(status, trainable == 0);
}
static inline int32_t calls_set_loss(bp_network *network) { return bp_network_set_loss(network, "squared_error"); }
static inline int32_t calls_fit_scaling(bp_network *network) {
    return bp_network_fit_scaling(network, "none", "none", NULL, NULL, 0);
}
static inline int32_t calls_check_settings(bp_network *network) { return bp_network_check_settings(network, calls_targets, 2); }
static inline int32_t calls_set_optimizer(bp_network *network) { return bp_network_set_optimizer(network, "sgd"); }
static inline int32_t calls_set_option(bp_network *network) { return bp_network_set_option(network, "gradient_reduction", 0); }
static inline int32_t calls_get_option(bp_network *network) {
    double value = 99;
    int32_t status = bp_network_get_option(network, "batchnorm_momentum", &value);
    return calls_checked(status, value == 0);
}
static inline int32_t calls_set_all_reduce_overlap(bp_network *network) {
    return bp_network_set_all_reduce_overlap(network, NULL, NULL, NULL);
}
static inline int32_t calls_set_all_reduce(bp_network *network) { return bp_network_set_all_reduce(network, NULL, 0, 0, NULL); }
static inline int32_t calls_train_step(bp_network *network) {
    float loss = 99;
    int32_t status = bp_network_train_step(network, calls_inputs, calls_targets, 0.5f, &loss);
    return calls_checked(status, loss == 0);
}
static inline int32_t calls_train_minibatch(bp_network *network) {
    float loss = 99;
    int32_t status = bp_network_train_minibatch(network, calls_inputs, calls_targets, 2, 0.5f, &loss);
    return calls_checked(status, loss == 0);
}
static inline int32_t calls_gradient(bp_network *network) {
    float loss = 99;
    int32_t status = bp_network_gradient(network, calls_inputs, calls_targets, 2, calls_floats, CALLS_PARAMETERS, &loss);
    return calls_checked(status, loss == 0);
}
static inline int32_t calls_apply_gradient(bp_network *network) {
    memset(calls_floats, 0, sizeof calls_floats);
    return bp_network_apply_gradient(network, calls_floats, CALLS_PARAMETERS, 0.5f);
}
static inline int32_t calls_backpropagate(bp_network *network) {
    return bp_network_backpropagate(network, calls_inputs, calls_targets, 2, calls_floats, CALLS_PARAMETERS, calls_floats + 32);
}
static inline int32_t calls_input_jacobian(bp_network *network) {
    return bp_network_input_jacobian(network, calls_inputs, 2, calls_floats);
}
static inline int32_t calls_predict_layer(bp_network *network) {
    return bp_network_predict_layer(network, 1, calls_inputs, 2, calls_floats);
}
static inline int32_t calls_row_losses(bp_network *network) {
    return bp_network_row_losses(network, calls_inputs, calls_targets, 2, calls_floats);
}
static inline int32_t calls_check_gradient(bp_network *network) {
    double worst = 99;
    int32_t status = bp_network_check_gradient(network, calls_inputs, calls_targets, 2, &worst);
    return calls_checked(status, worst == 0);
}
static inline int32_t calls_predict(bp_network *network) { return bp_network_predict(network, calls_inputs, 2, calls_floats); }
static inline int32_t calls_evaluate(bp_network *network) {
    float loss = 99;
    int32_t status = bp_network_evaluate(network, calls_inputs, calls_targets, 2, &loss);
    return calls_checked(status, loss == 0);
}
static inline int32_t calls_score(bp_network *network) {
    double score = 99;
    int32_t status = bp_network_score(network, "accuracy", calls_inputs, calls_targets, 2, &score);
    return calls_checked(status, score == 0);
}
static inline int32_t calls_fold_batchnorm(bp_network *network) { return bp_network_fold_batchnorm(network); }
static inline int32_t calls_parameter_count(bp_network *network) {
    size_t count = 99;
    int32_t status = bp_network_parameter_count(network, &count);
    return calls_checked(status, count == 0);
}
static inline int32_t calls_get_parameters(bp_network *network) {
    return bp_network_get_parameters(network, calls_floats, CALLS_PARAMETERS);
}
static inline int32_t calls_set_parameters(bp_network *network) {
    memset(calls_floats, 0, sizeof calls_floats);
    return bp_network_set_parameters(network, calls_floats, CALLS_PARAMETERS);
}
static inline int32_t calls_step_count(bp_network *network) {
    uint64_t steps = 99;
    int32_t status = bp_network_step_count(network, &steps);
    return calls_checked(status, steps == 0);
}
static inline int32_t calls_get_batchnorm(bp_network *network) {
    int32_t enabled = 99, status = bp_network_get_batchnorm(network, 1, &enabled);
    return calls_checked(status, enabled == 0);
}
static inline int32_t calls_get_activation(bp_network *network) {
    char buffer[32];
    size_t needed = 99;
    int32_t status = bp_network_get_activation(network, 1, buffer, sizeof buffer, &needed);
    return calls_checked(status, needed == 0);
}
static inline int32_t calls_get_loss(bp_network *network) {
    char buffer[32];
    size_t needed = 99;
    int32_t status = bp_network_get_loss(network, buffer, sizeof buffer, &needed);
    return calls_checked(status, needed == 0);
}
static inline int32_t calls_get_optimizer(bp_network *network) {
    char buffer[32];
    size_t needed = 99;
    int32_t status = bp_network_get_optimizer(network, buffer, sizeof buffer, &needed);
    return calls_checked(status, needed == 0);
}
static inline int32_t calls_get_scaling(bp_network *network) {
    char buffer[32];
    size_t needed = 99;
    int32_t status = bp_network_get_scaling(network, 1, buffer, sizeof buffer, &needed);
    return calls_checked(status, needed == 0);
}
static inline int32_t calls_tensor_name(bp_network *network) {
    char buffer[32];
    size_t needed = 99;
    int32_t status = bp_network_tensor_name(network, 0, buffer, sizeof buffer, &needed);
    return calls_checked(status, needed == 0);
}
static inline int32_t calls_tensor_shape(bp_network *network) {
    size_t rows = 99, columns = 99;
    int32_t status = bp_network_tensor_shape(network, "layers.1.weight", &rows, &columns);
    return calls_checked(status, rows == 0 && columns == 0);
}
static inline int32_t calls_get_tensor(bp_network *network) {
    return bp_network_get_tensor(network, "layers.1.weight", calls_floats, 4);
}
static inline int32_t calls_set_tensor(bp_network *network) {
    memset(calls_floats, 0, sizeof calls_floats);
    return bp_network_set_tensor(network, "layers.1.weight", calls_floats, 4);
}
/* A network whose metadata could not be set has no metadata: UNKNOWN_NAME is then a correct status. */
static inline int32_t calls_or_none(int32_t status) { return status == BP_ERROR_UNKNOWN_NAME ? BP_OK : status; }

static inline int32_t calls_set_metadata(bp_network *network) { return bp_network_set_metadata(network, "k", "v"); }
static inline int32_t calls_get_metadata(bp_network *network) {
    char buffer[8];
    size_t needed = 99;
    int32_t status = bp_network_get_metadata(network, "k", buffer, sizeof buffer, &needed);
    return calls_or_none(calls_checked(status, needed == 0));
}
static inline int32_t calls_metadata_key(bp_network *network) {
    char buffer[8];
    size_t needed = 99;
    int32_t status = bp_network_metadata_key(network, 0, buffer, sizeof buffer, &needed);
    return calls_or_none(calls_checked(status, needed == 0));
}
static inline int32_t calls_remove_metadata(bp_network *network) {
    return calls_or_none(bp_network_remove_metadata(network, "k"));
}
static inline int32_t calls_save(bp_network *network) { return bp_network_save(network, "calls.safetensors"); }
static inline int32_t calls_export_c(bp_network *network) {
    return bp_network_export_c(network, "calls.c", "calls", 8, BP_EXPORT_FOLDED);
}
static inline int32_t calls_export_swift(bp_network *network) {
    return bp_network_export_swift(network, "Calls.swift", "Calls", 32, 0);
}
static inline int32_t calls_save_memory(bp_network *network) {
    static uint8_t buffer[65536];
    size_t needed = 99;
    int32_t status = bp_network_save_memory(network, buffer, sizeof buffer, &needed);
    return calls_checked(status, needed == 0);
}
static uint8_t calls_file[65536];
static size_t calls_file_size;

/* Writes a model of the same sizes to "calls.safetensors" and to calls_file. */
static inline int32_t calls_write_model(void) {
    const size_t sizes[] = {2, 2, 1};
    bp_network *other = NULL;
    int32_t status = bp_network_create(sizes, 3, 1, &other);
    if (status == BP_OK) status = bp_network_save(other, "calls.safetensors");
    if (status == BP_OK) status = bp_network_save_memory(other, calls_file, sizeof calls_file, &calls_file_size);
    bp_network_free(other);
    return status;
}
static inline int32_t calls_load_weights(bp_network *network) {
    int32_t status = calls_write_model();
    return status == BP_OK ? bp_network_load_weights(network, "calls.safetensors") : status;
}
static inline int32_t calls_load_weights_memory(bp_network *network) {
    int32_t status = calls_write_model();
    return status == BP_OK ? bp_network_load_weights_memory(network, calls_file, calls_file_size) : status;
}
static inline int32_t calls_load_layer(bp_network *network) {
    int32_t status = calls_write_model();
    return status == BP_OK ? bp_network_load_layer(network, 1, "calls.safetensors", "layers.1.weight", NULL) : status;
}
static inline int32_t calls_load_layer_memory(bp_network *network) {
    int32_t status = calls_write_model();
    if (status != BP_OK) return status;
    return bp_network_load_layer_memory(network, 2, calls_file, calls_file_size, "layers.2.weight", "layers.2.bias");
}

static const network_call network_calls[] = {
    {"clone", calls_clone, 1},
    {"initialize", calls_initialize, 0},
    {"replace_output", calls_replace_output, 0},
    {"layer_count", calls_layer_count, 1},
    {"layer_size", calls_layer_size, 1},
    {"step_count", calls_step_count, 1},
    {"set_activation", calls_set_activation, 0},
    {"get_activation", calls_get_activation, 1},
    {"set_batchnorm", calls_set_batchnorm, 0},
    {"get_batchnorm", calls_get_batchnorm, 1},
    {"set_dropout", calls_set_dropout, 0},
    {"get_dropout", calls_get_dropout, 1},
    {"set_trainable", calls_set_trainable, 0},
    {"get_trainable", calls_get_trainable, 1},
    {"set_loss", calls_set_loss, 0},
    {"get_loss", calls_get_loss, 1},
    {"fit_scaling", calls_fit_scaling, 0},
    {"get_scaling", calls_get_scaling, 1},
    {"check_settings", calls_check_settings, 1},
    {"set_optimizer", calls_set_optimizer, 0},
    {"get_optimizer", calls_get_optimizer, 1},
    {"set_option", calls_set_option, 0},
    {"get_option", calls_get_option, 1},
    {"set_all_reduce", calls_set_all_reduce, 0},
    {"set_all_reduce_overlap", calls_set_all_reduce_overlap, 0},
    {"train_step", calls_train_step, 0},
    {"train_minibatch", calls_train_minibatch, 0},
    {"gradient", calls_gradient, 0},
    {"apply_gradient", calls_apply_gradient, 0},
    {"backpropagate", calls_backpropagate, 0},
    {"input_jacobian", calls_input_jacobian, 0},
    {"check_gradient", calls_check_gradient, 0},
    {"predict", calls_predict, 1},
    {"predict_layer", calls_predict_layer, 1},
    {"row_losses", calls_row_losses, 1},
    {"evaluate", calls_evaluate, 1},
    {"score", calls_score, 1},
    {"fold_batchnorm", calls_fold_batchnorm, 0},
    {"parameter_count", calls_parameter_count, 1},
    {"get_parameters", calls_get_parameters, 1},
    {"set_parameters", calls_set_parameters, 0},
    {"tensor_name", calls_tensor_name, 1},
    {"tensor_shape", calls_tensor_shape, 1},
    {"get_tensor", calls_get_tensor, 1},
    {"set_tensor", calls_set_tensor, 0},
    {"set_metadata", calls_set_metadata, 0},
    {"get_metadata", calls_get_metadata, 1},
    {"metadata_key", calls_metadata_key, 1},
    {"remove_metadata", calls_remove_metadata, 0},
    {"save", calls_save, 1},
    {"export_c", calls_export_c, 1},
    {"export_swift", calls_export_swift, 1},
    {"save_memory", calls_save_memory, 1},
    {"load_weights", calls_load_weights, 0},
    {"load_weights_memory", calls_load_weights_memory, 0},
    {"load_layer", calls_load_layer, 0},
    {"load_layer_memory", calls_load_layer_memory, 0},
};
enum { NETWORK_CALLS = sizeof network_calls / sizeof network_calls[0] };

#endif
