/* client.c: a program written for first/backprop.h, the first header. Compiled with that header, it must run with the current
 * library, and every function of the first header must work as before. */
#include <backprop.h>
#include <stdio.h>
#include <string.h>

static int failed;
#define EXPECT(condition)                                                                              \
    do {                                                                                               \
        if (!(condition)) failed = 1, printf("not ok %s (%s)\n", #condition, bp_last_error_message()); \
    } while (0)

static float half(float z, void *calls) {
    ++*(int *)calls;
    return z / 2;
}
static float half_derivative(float z, float a, void *calls) {
    (void)z, (void)a, (void)calls;
    return 0.5f;
}
static int32_t itself(const float *z, float *a, size_t rows, size_t columns, void *user_data) {
    (void)user_data;
    memcpy(a, z, rows * columns * sizeof(float));
    return 0;
}
static int32_t itself_back(const float *z, const float *a, const float *da, float *dz, size_t rows, size_t columns,
                           void *user_data) {
    (void)z, (void)a, (void)user_data;
    memcpy(dz, da, rows * columns * sizeof(float));
    return 0;
}
static void destroyed(void *calls) { *(int *)calls = -1; }

int main(void) {
    static const size_t sizes[] = {2, 3, 1};
    static const float x[] = {0, 0, 0, 1, 1, 0, 1, 1}, y[] = {0, 1, 1, 0};
    static uint8_t bytes[65536];
    float loss = -1, last = 0, out[4], parameters[64], gradient[64];
    double value;
    const float weights[] = {1, 2, 1, 0.5f};
    size_t count = 0, size = 0, rows = 0;
    uint64_t steps = 0;
    int32_t enabled = 7;
    bp_option_description option;
    bp_activation_report report;
    bp_trainer *trainer = NULL;
    int calls = 0;
    char name[65];
    bp_network *network = NULL, *other = NULL;

    EXPECT(bp_abi_version() == BP_ABI_VERSION);
    EXPECT(bp_version_number() >= BP_VERSION_NUMBER && bp_version_string()[0]);
    EXPECT(bp_instruction_set()[0] && strcmp(bp_status_name(BP_ERROR_IO), "BP_ERROR_IO") == 0);
    EXPECT(bp_set_thread_count(1) == BP_OK && bp_thread_count() == 1 && bp_set_thread_count(0) == BP_OK);
    EXPECT(bp_network_create(sizes, 3, 1, &network) == BP_OK && network);
    EXPECT(bp_network_layer_count(network, &count) == BP_OK && count == 3);
    EXPECT(bp_network_layer_size(network, 1, &size) == BP_OK && size == 3);
    EXPECT(bp_network_parameter_count(network, &count) == BP_OK && count == 13);
    EXPECT(bp_network_set_option(network, "gradient_reduction", 1) == BP_OK);
    EXPECT(bp_network_get_option(network, "gradient_reduction", &value) == BP_OK && value == 1);
    EXPECT(bp_network_set_loss(network, "squared_error") == BP_OK && bp_network_set_activation(network, 1, "tanh") == BP_OK);
    for (int i = 0; i < 5000; i++) {
        EXPECT(bp_network_train_minibatch(network, x, y, 4, 2, &last) == BP_OK);
        if (i == 0) loss = last;
    }
    EXPECT(last < loss / 10);
    EXPECT(bp_network_train_step(network, x, y, 0.1f, NULL) == BP_OK);
    EXPECT(bp_network_predict(network, x, 4, out) == BP_OK && out[1] > 0.7f && out[0] < 0.3f);
    EXPECT(bp_network_evaluate(network, x, y, 4, &loss) == BP_OK && loss < 0.1f);
    EXPECT(bp_network_gradient(network, x, y, 4, gradient, 13, &loss) == BP_OK);
    EXPECT(bp_network_apply_gradient(network, gradient, 13, 0.1f) == BP_OK);
    EXPECT(bp_network_check_gradient(network, x, y, 4, &value) == BP_OK && value < 1e-2);
    EXPECT(bp_network_get_parameters(network, parameters, 13) == BP_OK);
    EXPECT(bp_network_set_parameters(network, parameters, 13) == BP_OK);
    EXPECT(bp_network_step_count(network, &steps) == BP_OK && steps == 5002);
    EXPECT(bp_network_get_activation(network, 1, name, sizeof name, &size) == BP_OK && strcmp(name, "tanh") == 0);
    EXPECT(bp_network_get_batchnorm(network, 1, &enabled) == BP_OK && enabled == 0);
    EXPECT(bp_network_get_loss(network, name, sizeof name, &size) == BP_OK && strcmp(name, "squared_error") == 0);
    EXPECT(bp_network_get_optimizer(network, name, sizeof name, &size) == BP_OK && strcmp(name, "sgd") == 0);
    EXPECT(bp_network_get_scaling(network, 1, name, sizeof name, &size) == BP_OK && strcmp(name, "none") == 0);
    EXPECT(bp_loss_name(2, name, sizeof name, &size) == BP_OK && strcmp(name, "cross_entropy") == 0);
    EXPECT(bp_optimizer_name(4, name, sizeof name, &size) == BP_OK && strcmp(name, "adam") == 0);
    EXPECT(bp_scaling_name(1, name, sizeof name, &size) == BP_OK && strcmp(name, "standard") == 0);
    EXPECT(bp_score_name(1, name, sizeof name, &size) == BP_OK && strcmp(name, "r2") == 0);
    EXPECT(bp_network_tensor_name(network, 2, name, sizeof name, &size) == BP_OK && strcmp(name, "layers.2.weight") == 0);
    EXPECT(bp_network_tensor_shape(network, name, &rows, &size) == BP_OK && rows == 1 && size == 3);
    EXPECT(bp_network_get_tensor(network, name, out, 3) == BP_OK && memcmp(out, parameters + 9, 3 * sizeof *out) == 0);
    EXPECT(bp_network_set_tensor(network, name, out, 3) == BP_OK);
    option.struct_size = sizeof option;
    EXPECT(bp_option_info(0, &option) == BP_OK && strcmp(option.choices, "sum mean") == 0);
    EXPECT(bp_trainer_create(&trainer) == BP_OK && bp_trainer_set_option(trainer, "schedule", BP_SCHEDULE_COSINE) == BP_OK);
    EXPECT(bp_trainer_set_row_weights(trainer, weights, 4) == BP_OK);
    EXPECT(bp_trainer_fit(trainer, network, x, y, 4, NULL, NULL, 0, &value) == BP_OK && value < 0.1);
    bp_trainer_free(trainer);
    report.struct_size = sizeof report;
    EXPECT(bp_activation_check("relu", &value, &report) == BP_OK && value == report.worst_error && report.kinks > 0);
    EXPECT(bp_network_save_memory(network, NULL, 0, &count) == BP_ERROR_BUFFER_TOO_SMALL && count <= sizeof bytes);
    EXPECT(bp_network_save_memory(network, bytes, sizeof bytes, &count) == BP_OK);
    EXPECT(bp_network_load_memory(bytes, count, &other) == BP_OK);
    bp_network_free(other);
    EXPECT(bp_network_save(network, "client.safetensors") == BP_OK && bp_network_load("client.safetensors", &other) == BP_OK);
    bp_network_free(other);
    EXPECT(bp_network_clone(network, &other) == BP_OK && bp_network_initialize(other, 5) == BP_OK);
    EXPECT(bp_network_set_batchnorm(other, 1, 1) == BP_OK);
    EXPECT(bp_activation_register_scalar("half", half, half_derivative, &calls, destroyed) == BP_OK);
    EXPECT(bp_activation_register_vector("itself", itself, itself_back, NULL, NULL) == BP_OK);
    EXPECT(bp_network_set_activation(other, 1, "half") == BP_OK && bp_network_set_activation(other, 2, "itself") == BP_OK);
    EXPECT(bp_network_train_minibatch(other, x, y, 4, 0.1f, &loss) == BP_OK && calls > 0);
    EXPECT(bp_activation_name(0, name, sizeof name, &count) == BP_OK && strcmp(name, "identity") == 0);
    EXPECT(bp_activation_unregister("half") == BP_OK && bp_activation_unregister("itself") == BP_OK);
    bp_network_free(other);
    EXPECT(calls == -1);
    EXPECT(bp_network_layer_count(other, &count) == BP_ERROR_INVALID_HANDLE);
    bp_network_free(network);
    return failed;
}
