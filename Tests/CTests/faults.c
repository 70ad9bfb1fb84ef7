/* faults.c: the Nth allocation, or the Nth system call for a file, fails, N = 1, 2, 3 ... until the call under test makes fewer
 * of them. Each fault is tested in a separate process, in which the library was never used before. */
#define _GNU_SOURCE /* RTLD_NEXT */
#include <limits.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "activations.h"
#include "check.h"
#include "filecalls.h"
#include "folder.h"
#include "heap.h"

/* ---- Faults */

enum kind { MEMORY_ONCE, MEMORY_FROM_THEN_ON, SWIFT_FROM_THEN_ON, FILES_ONCE, FILES_FROM_THEN_ON };
static enum kind kind;
static int armed;
static long countdown; /* the number of calls until one fails */
static long seen, failed;

static int fails(int of_this_kind) {
    if (!armed || !of_this_kind) return 0;
    seen++;
    if (--countdown > 0 || (countdown < 0 && (kind == MEMORY_ONCE || kind == FILES_ONCE))) return 0;
    failed++;
    return 1;
}
static int memory_fails(int is_of_swift) {
    return fails(kind < SWIFT_FROM_THEN_ON || (kind == SWIFT_FROM_THEN_ON && is_of_swift));
}
static int file_call_fails(const char *name) { return (void)name, fails(kind >= FILES_ONCE) ? EIO : 0; }

/* ---- The calls under test. Each gets a network of 3, 4, 3 and 2 units, or one of 1,024 layers. */

static const size_t few[] = {3, 4, 3, 2};
static size_t many[1024];
static const size_t *sizes = few;
static size_t layers = 4;
enum { PARAMETERS = 1024 * 10, LARGE = 20 << 20 };
static const char path[] = "model", other_path[] = "other";
static const float x[12] = {1, -1, 0.5f, 0, 0.25f, 2, -2, 1, 1, 0.5f, 0.5f, -0.5f}, y[8] = {1, 0, 0, 1, 0.5f, 0.5f, 1, 1};
static const double doubles[12] = {1, -1, 0.5, 0, 0.25, 2, -2, 1, 1, 0.5, 0.5, -0.5};
static const double target_doubles[8] = {1, 0, 0.5, 0.25, 0, 1, 0.5, 1};
static const float weights_of_rows[4] = {1, 2, 1, 0.5f};
static float floats[PARAMETERS], floats_too[12];
static bp_network *made; /* by calls that create a network */
static uint8_t bytes[LARGE], now[LARGE];
static size_t byte_count;
static double number;
static size_t parameter_count; /* of the network under test */
static int32_t again;          /* the result of a call within the call under test */

static float twice(float z, void *user_data) { return (void)user_data, 2 * z; }

static int32_t create(bp_network *n) { return (void)n, bp_network_create(sizes, layers, 7, &made); }
static int32_t make_copy(bp_network *n) { return bp_network_clone(n, &made); }
static int32_t initialize(bp_network *n) { return bp_network_initialize(n, 5); }
static int32_t set_activation(bp_network *n) { return bp_network_set_activation(n, 2, "gelu"); }
static int32_t batchnorm_on(bp_network *n) { return bp_network_set_batchnorm(n, 2, 1); }
static int32_t batchnorm_off(bp_network *n) { return bp_network_set_batchnorm(n, 1, 0); }
static int32_t set_loss(bp_network *n) { return bp_network_set_loss(n, "binary_cross_entropy"); }
static int32_t set_option(bp_network *n) { return bp_network_set_option(n, "batchnorm_momentum", 0.3); }
static int32_t get_option(bp_network *n) { return bp_network_get_option(n, "batchnorm_momentum", &number); }
static int32_t set_optimizer(bp_network *n) { return bp_network_set_optimizer(n, "adam"); }
static int32_t train_step(bp_network *n) { return bp_network_train_step(n, x, y, 0.1f, NULL); }
static int32_t train_minibatch(bp_network *n) { return bp_network_train_minibatch(n, x, y, 4, 0.1f, NULL); }
static int32_t gradient(bp_network *n) { return bp_network_gradient(n, x, y, 4, floats, parameter_count, NULL); }
static int32_t apply_gradient(bp_network *n) { return bp_network_apply_gradient(n, floats, parameter_count, 0.1f); }
static int32_t backpropagate(bp_network *n) {
    return bp_network_backpropagate(n, x, y, 4, floats, parameter_count, floats_too);
}
static int32_t input_gradients(bp_network *n) { return bp_network_backpropagate(n, x, y, 4, NULL, 0, floats); }
static int32_t input_jacobian(bp_network *n) { return bp_network_input_jacobian(n, x, 4, floats); }
static int32_t predict_layer(bp_network *n) { return bp_network_predict_layer(n, 1, x, 4, floats); }
static int32_t row_losses(bp_network *n) { return bp_network_row_losses(n, x, y, 4, floats); }
static int32_t check_gradient(bp_network *n) { return bp_network_check_gradient(n, x, y, 4, &number); }
static int32_t predict(bp_network *n) { return bp_network_predict(n, x, 4, floats); }
static int32_t evaluate(bp_network *n) { return bp_network_evaluate(n, x, y, 4, floats); }
static int32_t get_parameters(bp_network *n) { return bp_network_get_parameters(n, floats, parameter_count); }
static int32_t set_parameters(bp_network *n) { return bp_network_set_parameters(n, floats, parameter_count); }
static int32_t set_dropout(bp_network *n) { return bp_network_set_dropout(n, 1, 0.25); }
static int32_t fit_scaling(bp_network *n) { return bp_network_fit_scaling(n, "standard", "min_max", x, y, 4); }
static int32_t check_settings(bp_network *n) { return bp_network_check_settings(n, y, 4); }
static int32_t apply_huge(bp_network *n) { /* beyond the bounds that prove that a step is finite */
    static float huge[PARAMETERS];
    for (int i = 0; i < PARAMETERS; i++) huge[i] = 1e20f;
    return bp_network_apply_gradient(n, huge, parameter_count, 1e-20f);
}
static int32_t fit(bp_network *n) { /* two starts of three epochs of two minibatches; the better one is kept */
    bp_trainer *trainer = NULL;
    const float weights[4] = {1, 2, 1, 0.5f};
    bp_fit_result result = {sizeof result, 0, 0, 0, 0, 0, 0, 0};
    int32_t status = bp_trainer_create(&trainer);
    if (status == BP_OK) status = bp_trainer_set_option(trainer, "epochs", 3);
    if (status == BP_OK) status = bp_trainer_set_option(trainer, "batch_size", 2);
    if (status == BP_OK) status = bp_trainer_set_option(trainer, "restarts", 2);
    if (status == BP_OK) status = bp_trainer_set_option(trainer, "on_divergence", BP_DIVERGENCE_RECOVER);
    if (status == BP_OK) status = bp_trainer_set_row_weights(trainer, weights, 4);
    if (status == BP_OK) status = bp_trainer_fit(trainer, n, x, y, 4, x + 3, y + 2, 2, &number);
    if (status == BP_OK) status = bp_trainer_get_result(trainer, &result);
    bp_trainer_free(trainer);
    return status;
}
static int32_t next_rows(bp_minibatch *m, void *user_data) { /* epochs of three rows */
    (void)user_data;
    for (; m->rows < m->capacity && m->first_row + m->rows < 3; m->rows++) {
        memcpy(m->inputs + m->rows * 3, x + m->rows * 3, 3 * sizeof *x);
        memcpy(m->targets + m->rows * 2, y + m->rows * 2, 2 * sizeof *y);
    }
    return 0;
}
static int32_t fit_stream(bp_network *n) {
    bp_trainer *trainer = NULL;
    int32_t status = bp_trainer_create(&trainer);
    if (status == BP_OK) status = bp_trainer_set_option(trainer, "epochs", 3);
    if (status == BP_OK) status = bp_trainer_set_option(trainer, "batch_size", 2);
    if (status == BP_OK) status = bp_trainer_fit_stream(trainer, n, next_rows, NULL, x + 3, y + 2, 2, &number);
    bp_trainer_free(trainer);
    return status;
}
static int32_t fit_stratified(bp_network *n) { /* a single row of class 0, and three rows of class 1 */
    static const float classes[] = {1, 0, 0, 1, 0, 1, 0, 1};
    bp_trainer *trainer = NULL;
    int32_t status = bp_trainer_create(&trainer);
    if (status == BP_OK) status = bp_trainer_set_option(trainer, "epochs", 1);
    if (status == BP_OK) status = bp_trainer_set_option(trainer, "validation_fraction", 0.3);
    if (status == BP_OK) status = bp_trainer_set_option(trainer, "stratify", 1);
    if (status == BP_OK) status = bp_trainer_fit(trainer, n, x, classes, 4, NULL, NULL, 0, &number);
    bp_trainer_free(trainer);
    return status;
}
static const bp_rows xs = {sizeof xs, BP_DOUBLE, doubles, 4, 3, 0, 0, 0, 0, NULL};
static const bp_rows ys = {sizeof ys, BP_DOUBLE, target_doubles, 4, 2, 8, 32, 0, 0, weights_of_rows};
static int32_t train_rows(bp_network *n) { return bp_network_train_rows(n, &xs, &ys, 0.1f, NULL); }
static int32_t predict_rows(bp_network *n) { return bp_network_predict_rows(n, &xs, bytes, BP_DOUBLE, 8, 32); }
static int32_t evaluate_rows(bp_network *n) { return bp_network_evaluate_rows(n, &xs, &ys, floats); }
static int32_t score_rows(bp_network *n) { return bp_network_score_rows(n, "accuracy", &xs, &ys, &number); }
static int32_t fit_scaling_rows(bp_network *n) { return bp_network_fit_scaling_rows(n, "standard", "min_max", &xs, &ys); }
static int32_t scaling_in_pieces(bp_network *n) {
    int32_t status = bp_network_add_scaling_rows(n, &xs, &ys);
    if (status == BP_OK) status = bp_network_finish_scaling(n, "standard", "min_max");
    return status;
}
static int32_t fit_rows(bp_network *n) {
    bp_trainer *trainer = NULL;
    int32_t status = bp_trainer_create(&trainer);
    if (status == BP_OK) status = bp_trainer_set_option(trainer, "epochs", 2);
    if (status == BP_OK) status = bp_trainer_set_option(trainer, "batch_size", 2);
    if (status == BP_OK) status = bp_trainer_set_option(trainer, "validation_fraction", 0.5);
    if (status == BP_OK) status = bp_trainer_fit_rows(trainer, n, &xs, &ys, NULL, NULL, &number);
    bp_trainer_free(trainer);
    return status;
}
static int32_t fit_ensemble(bp_network *n) { /* the networks are clones, of which the last two have lanes */
    bp_network *networks[3] = {n, NULL, NULL};
    bp_trainer *trainer = NULL;
    bp_fit_result results[3];
    static const double rates[] = {0.1, 0.01, 0.02};
    static float many_x[20 * 3], many_y[20 * 2];
    int32_t status = bp_trainer_create(&trainer);
    for (int i = 0; i < 3; i++) results[i].struct_size = sizeof *results;
    for (int i = 1; i < 3; i++) {
        if (status == BP_OK) status = bp_network_clone(n, &networks[i]);
        if (status == BP_OK) status = bp_network_set_batchnorm(networks[i], 1, 0);
        if (status == BP_OK) status = bp_network_set_activation(networks[i], 1, "tanh");
        if (status == BP_OK) status = bp_network_set_optimizer(networks[i], "adam");
    }
    for (int i = 0; i < 20; i++)
        memcpy(many_x + 3 * i, x + i % 4 * 3, 3 * sizeof *x), memcpy(many_y + 2 * i, y + i % 4 * 2, 2 * sizeof *y);
    if (status == BP_OK) status = bp_trainer_set_option(trainer, "epochs", 2);
    if (status == BP_OK) status = bp_trainer_set_option(trainer, "keep", BP_KEEP_BEST);
    if (status == BP_OK) status = bp_trainer_fit_ensemble(trainer, networks, 3, rates, many_x, many_y, 20, x, y, 4, results);
    bp_network_free(networks[1]);
    bp_network_free(networks[2]);
    bp_trainer_free(trainer);
    return status;
}
static int32_t score(bp_network *n) { return bp_network_score(n, "r2", x, y, 4, &number); }
static int32_t predict_without_waiting(bp_network *n) { /* a failed update leaves the predictor as it was */
    bp_predictor *predictor;
    size_t inputs, outputs;
    float before[8], after[8];
    int32_t status = bp_predictor_create(n, &predictor);
    if (status != BP_OK) return status;
    status = bp_predictor_sizes(predictor, &inputs, &outputs);
    if (bp_predictor_run(predictor, x, 4, before) != BP_OK) check_failures++;
    if (status == BP_OK) status = bp_predictor_update(predictor, n);
    if (bp_predictor_run(predictor, x, 4, after) != BP_OK || memcmp(before, after, sizeof after) != 0) check_failures++;
    bp_predictor_free(predictor);
    return status;
}
static int32_t fold(bp_network *n) { return bp_network_fold_batchnorm(n); }
static int32_t kind_of(bp_network *n) { return (void)n, bp_activation_kind("tanh", &again); }
static int32_t check_activation(bp_network *n) { return (void)n, bp_activation_check("gelu", &number, NULL); }
static int32_t check_with_report(bp_network *n) {
    bp_activation_report report;
    report.struct_size = sizeof report;
    return (void)n, bp_activation_check("gelu", &number, &report);
}
static int32_t get_activation(bp_network *n) { return bp_network_get_activation(n, 1, (char *)bytes, 100, &byte_count); }
static int32_t loss_name(bp_network *n) { return (void)n, bp_loss_name(1, (char *)bytes, 100, &byte_count); }
static int32_t tensor_name(bp_network *n) { return bp_network_tensor_name(n, 3, (char *)bytes, 100, &byte_count); }
static int32_t no_tensor(bp_network *n) { return bp_network_get_tensor(n, "layers.0.weight", floats, 12); }
static int32_t get_tensor(bp_network *n) { return bp_network_get_tensor(n, "layers.1.bias", floats, sizes[1]); }
static int32_t set_tensor(bp_network *n) { return bp_network_set_tensor(n, "layers.1.bias", floats, sizes[1]); }
static int32_t set_scale(bp_network *n) { /* on a network that shares its scaling with a copy */
    const float scale[3] = {1, 2, 4};
    return bp_network_set_tensor(n, "scaling.inputs.scale", scale, 3);
}
static int32_t no_option(bp_network *n) {
    bp_option_description description;
    description.struct_size = sizeof description;
    return (void)n, bp_option_info(10000, &description);
}
static int32_t no_metadata(bp_network *n) { return bp_network_get_metadata(n, "none", (char *)bytes, 100, &byte_count); }
static int32_t save(bp_network *n) { return bp_network_save(n, path); }
static int32_t export_c(bp_network *n) { return bp_network_export_c(n, path, "faults", 8, BP_EXPORT_FOLDED); }
static int32_t export_swift(bp_network *n) { return bp_network_export_swift(n, path, "Faults", 32, 0); }
static int32_t load(bp_network *n) { return (void)n, bp_network_load(other_path, &made); }
static int32_t save_memory(bp_network *n) { return bp_network_save_memory(n, bytes, sizeof bytes, &byte_count); }
static int32_t load_memory(bp_network *n) { return (void)n, bp_network_load_memory(bytes, byte_count, &made); }
static int32_t load_weights(bp_network *n) { return bp_network_load_weights(n, other_path); }
static int32_t load_weights_memory(bp_network *n) { return bp_network_load_weights_memory(n, bytes, byte_count); }
static int32_t load_layer(bp_network *n) { return bp_network_load_layer(n, 1, other_path, "layers.1.weight", "layers.1.bias"); }
static int32_t load_layer_memory(bp_network *n) {
    return bp_network_load_layer_memory(n, 1, bytes, byte_count, "layers.1.weight", NULL);
}
static int32_t no_layer_in_file(bp_network *n) { return bp_network_load_layer(n, 1, other_path, "layers.1.weigth", NULL); }
static int32_t replace_output(bp_network *n) { return bp_network_replace_output(n, sizes[layers - 1], 5); }
static int32_t freeze(bp_network *n) { return bp_network_set_trainable(n, 1, 0); }
static int32_t train_frozen(bp_network *n) {
    int was_armed = armed;
    armed = 0; /* no fault is injected here */
    if (bp_network_set_trainable(n, 1, 0) != BP_OK) check_failures++;
    armed = was_armed;
    again = bp_network_train_minibatch(n, x, y, 2, 0.1f, NULL);
    armed = 0;
    if (bp_network_set_trainable(n, 1, 1) != BP_OK) check_failures++;
    armed = was_armed;
    return again;
}
/* With layer 1 frozen, because two of these optimizers do not take batch normalization. */
static int32_t train_by(bp_network *n, const char *optimizer) {
    int was_armed = armed;
    armed = 0; /* no fault is injected here */
    if (bp_network_set_trainable(n, 1, 0) != BP_OK) check_failures++;
    if (bp_network_set_optimizer(n, optimizer) != BP_OK) check_failures++;
    armed = was_armed;
    again = bp_network_train_minibatch(n, x, y, 4, 0.1f, NULL);
    armed = 0;
    if (bp_network_set_optimizer(n, "momentum") != BP_OK) check_failures++;
    if (bp_network_set_trainable(n, 1, 1) != BP_OK) check_failures++;
    armed = was_armed;
    return again;
}
static int32_t of_one(void *values, size_t count, int32_t type, int32_t operation, void *user_data) {
    (void)values, (void)count, (void)type, (void)operation, (void)user_data;
    return 0;
}
static int32_t finish(void *user_data) { return (void)user_data, 0; }
static int32_t as_worker(bp_network *n, int32_t (*call)(bp_network *n)) {
    int was_armed = armed;
    int32_t status = bp_network_set_all_reduce(n, of_one, 0, 1, NULL);
    if (status == BP_OK) status = bp_network_set_all_reduce_overlap(n, of_one, finish, NULL);
    if (status == BP_OK) status = call(n);
    armed = 0; /* no fault is injected here */
    if (bp_network_set_all_reduce(n, NULL, 0, 0, NULL) != BP_OK) check_failures++;
    armed = was_armed;
    return status;
}
static int32_t train_as_worker(bp_network *n) { return as_worker(n, train_minibatch); }
static int32_t fit_as_worker(bp_network *n) { return as_worker(n, fit); }
static int32_t scale_as_worker(bp_network *n) { return as_worker(n, fit_scaling); }
static int32_t train_by_lbfgs(bp_network *n) { return train_by(n, "lbfgs"); }
static int32_t train_by_damping(bp_network *n) { return train_by(n, "levenberg_marquardt"); }
static int32_t train_by_bayes(bp_network *n) { return train_by(n, "bayesian_regularization"); }
static int32_t effective_parameters(bp_network *n) { return bp_network_effective_parameters(n, &number); }
static int32_t activation_name(bp_network *n) { return (void)n, bp_activation_name(3, (char *)bytes, 100, &byte_count); }
static int32_t after_registering(int32_t status) {
    int was_armed = armed;
    armed = 0;
    again = bp_activation_unregister("mine"); /* so that it can be registered again; no fault is injected here */
    if ((again == BP_OK) != (status == BP_OK)) check_failures++;
    armed = was_armed;
    return status;
}
static int32_t register_scalar(bp_network *n) {
    return (void)n, after_registering(bp_activation_register_scalar("mine", twice, NULL, NULL, NULL));
}
static int32_t register_vector(bp_network *n) {
    return (void)n, after_registering(bp_activation_register_vector("mine", pass, pass_back, NULL, NULL));
}
static int32_t no_loss(const float *outputs, const float *targets, double *losses, float *gradients, size_t rows,
                       size_t output_count, size_t target_columns, void *user_data) {
    (void)outputs, (void)targets, (void)target_columns, (void)user_data;
    memset(losses, 0, rows * sizeof *losses);
    if (gradients) memset(gradients, 0, rows * output_count * sizeof *gradients);
    return 0;
}
static int32_t register_loss(bp_network *n) {
    int32_t status = bp_loss_register("mine", 0, no_loss, NULL, NULL);
    if (status == BP_OK) {
        int32_t checked = bp_loss_check("mine", x, y, 2, 1, &number);
        status = checked ? checked : bp_network_set_loss(n, "mine");
        EXPECT_OK(bp_loss_unregister("mine"));
    }
    return status;
}
static int32_t register_foreign(bp_network *n) {
    return (void)n, after_registering(bp_activation_register_foreign("mine", (bp_foreign_fn)atan, NULL, "d(d)", NULL, 0));
}
/* Calls that fail without a fault as well. */
static int32_t no_such_option(bp_network *n) { return bp_network_set_option(n, "learnin_rate", 1); }
static int32_t bad_target(bp_network *n) {
    static const float targets[4] = {0, 1, 7, 1};
    return bp_network_check_settings(n, targets, 2);
}
static int32_t no_such_activation(bp_network *n) { return bp_network_set_activation(n, 1, "no.such.name"); }
static int32_t no_such_file(bp_network *n) { return (void)n, bp_network_load("no such file", &made); }
static int32_t no_model(bp_network *n) { return (void)n, bp_network_load_memory(bytes, byte_count - 1, &made); }
static int32_t no_network(bp_network *n) { return (void)n, bp_network_train_step((bp_network *)&made, x, y, 0.1f, NULL); }
static int32_t no_pointer(bp_network *n) { return bp_network_predict(n, NULL, 1, floats); }
static int32_t no_thread_count(bp_network *n) { return (void)n, bp_set_thread_count(100000); }
static int32_t no_layer(bp_network *n) { return (void)n, bp_network_create(sizes, 1, 1, &made); }
static int32_t not_finite(bp_network *n) {
    const float nan_row[3] = {1, NAN, 1};
    return bp_network_train_step(n, nan_row, y, 0.1f, NULL);
}

/* A text that is longer than any valid text. */
static char overlong[100001];
static int32_t overlong_path(bp_network *n) { return bp_network_save(n, overlong); }
static int32_t overlong_name(bp_network *n) { return bp_network_set_activation(n, 1, overlong); }

/* Writes into `bytes` a file whose header holds `count` words, each with its number in it. */
static int32_t fill_words(const char *word, long count) {
    byte_count = 8 + (size_t)sprintf((char *)bytes + 8, "{\"__metadata__\":{\"format\":\"pt\"");
    for (long i = 0; i < count; i++) byte_count += (size_t)sprintf((char *)bytes + byte_count, word, i);
    byte_count += (size_t)sprintf((char *)bytes + byte_count, "}}");
    for (int i = 0; i < 8; i++) bytes[i] = (uint8_t)((uint64_t)(byte_count - 8) >> 8 * i);
    return 0;
}
static int32_t load_bytes(bp_network *n) { /* as weights: there is no checksum to compute */
    int fd, was_armed = armed;
    ssize_t count;
    armed = 0;
    fd = open("words", O_WRONLY | O_CREAT | O_TRUNC, 0666);
    count = write(fd, bytes, byte_count);
    if (close(fd) != 0 || count != (ssize_t)byte_count) check_failures++;
    armed = was_armed;
    return bp_network_load_weights(n, "words");
}
static int32_t many_words(bp_network *n) { return fill_words(",\"%ld\":\"\"", 65000), load_bytes(n); }
static int32_t long_words(bp_network *n) {
    return fill_words(",\"a word of more than fifteen bytes, %ld\":\"and another one of them, somewhat longer than the first\"",
                      65000),
           load_bytes(n);
}
static int32_t escaped_words(bp_network *n) {
    return fill_words(",\"\\u00e9\\u00e9\\u00e9\\u00e9\\u00e9\\u00e9\\u00e9\\u00e9%ld\":\"\\ud83d\\ude00\"", 65000),
           load_bytes(n);
}
static int32_t many_tensors(bp_network *n) {
    return fill_words("},\"%ld\":{\"dtype\":\"\",\"shape\":[],\"data_offsets\":[0,0]", 65000), load_bytes(n);
}
#define EIGHT "1,1,1,1,1,1,1,1,"
static int32_t long_shapes(bp_network *n) {
    return fill_words("},\"%ld\":{\"dtype\":\"\",\"shape\":[" EIGHT EIGHT EIGHT EIGHT EIGHT EIGHT EIGHT
                      "1,1,1,1,1,1,1,1],\"data_offsets\":[0,0]",
                      65000),
           load_bytes(n);
}
static int32_t overlong_word(bp_network *n) {
    static char word[16 << 20];
    memcpy(word, ",\"", 2);
    memset(word + 2, 'x', sizeof word - 100);
    strcpy(word + sizeof word - 98, "\":\"\"");
    return fill_words(word, 1), load_bytes(n);
}

/* The most metadata that a network accepts, in characters with the longest JSON form. */
static char long_text[1 << 19];
static int32_t metadata(bp_network *n) { return bp_network_set_metadata(n, "text", long_text); }
static int32_t metadata_saved(bp_network *n) {
    int was_armed = armed;
    armed = 0;
    if (metadata(n) != BP_OK) check_failures++;
    armed = was_armed;
    return bp_network_save(n, path);
}
static int32_t metadata_loaded(bp_network *n) {
    int was_armed = armed;
    armed = 0;
    if (metadata_saved(n) != BP_OK) check_failures++;
    armed = was_armed;
    return bp_network_load(path, &made);
}

static const struct call {
    const char *name;
    int32_t (*call)(bp_network *network);
    int32_t expected;
    int setup; /* 0 nothing, 1 networks, 2 networks, the other file and the bytes, 3 the same with networks already trained,
                  4 networks that scale their inputs */
} calls[] = {
    {"create", create, BP_OK, 0},
    {"set_thread_count, refused", no_thread_count, BP_ERROR_INVALID_VALUE, 0},
    {"create, refused", no_layer, BP_ERROR_INVALID_VALUE, 0},
    {"load, no such file", no_such_file, BP_ERROR_IO, 0},
    {"train_step, no such network", no_network, BP_ERROR_INVALID_HANDLE, 0},
    {"activation_name", activation_name, BP_OK, 0},
    {"register_scalar", register_scalar, BP_OK, 0},
    {"register_vector", register_vector, BP_OK, 0},
    {"register_foreign", register_foreign, BP_OK, 0},
    {"register_loss, check_loss and set_loss", register_loss, BP_OK, 1},
    {"activation_kind", kind_of, BP_OK, 0},
    {"activation_check", check_activation, BP_OK, 0},
    {"activation_check with a report", check_with_report, BP_OK, 0},
    {"loss_name", loss_name, BP_OK, 0},
    {"get_activation", get_activation, BP_OK, 1},
    {"tensor_name", tensor_name, BP_OK, 1},
    {"get_tensor", get_tensor, BP_OK, 1},
    {"get_tensor, no such tensor", no_tensor, BP_ERROR_UNKNOWN_NAME, 1},
    {"set_tensor", set_tensor, BP_OK, 1},
    {"set_tensor, a scale", set_scale, BP_OK, 4},
    {"option_info, no such option", no_option, BP_ERROR_UNKNOWN_NAME, 0},
    {"get_metadata, no such key", no_metadata, BP_ERROR_UNKNOWN_NAME, 1},
    {"score", score, BP_OK, 1},
    {"predictor", predict_without_waiting, BP_OK, 1},
    {"fold_batchnorm", fold, BP_OK, 1},
    {"fold_batchnorm, trained", fold, BP_OK, 3},
    {"clone", make_copy, BP_OK, 1},
    {"initialize", initialize, BP_OK, 1},
    {"set_activation", set_activation, BP_OK, 1},
    {"set_activation, no such name", no_such_activation, BP_ERROR_UNKNOWN_NAME, 1},
    {"set_batchnorm on", batchnorm_on, BP_OK, 1},
    {"set_batchnorm on, trained", batchnorm_on, BP_OK, 3},
    {"set_batchnorm off", batchnorm_off, BP_OK, 1},
    {"set_batchnorm off, trained", batchnorm_off, BP_OK, 3},
    {"set_loss", set_loss, BP_OK, 1},
    {"set_option", set_option, BP_OK, 1},
    {"get_option", get_option, BP_OK, 1},
    {"set_optimizer", set_optimizer, BP_OK, 1},
    {"set_optimizer, trained", set_optimizer, BP_OK, 3},
    {"train_step", train_step, BP_OK, 1},
    {"train_step, not finite", not_finite, BP_ERROR_NOT_FINITE, 1},
    {"train_minibatch", train_minibatch, BP_OK, 1},
    {"train_minibatch again", train_minibatch, BP_OK, 3},
    {"gradient", gradient, BP_OK, 1},
    {"apply_gradient", apply_gradient, BP_OK, 1},
    {"apply_gradient, huge", apply_huge, BP_OK, 3},
    {"check_gradient", check_gradient, BP_OK, 1},
    {"backpropagate", backpropagate, BP_OK, 1},
    {"backpropagate, trained", backpropagate, BP_OK, 3},
    {"backpropagate to inputs", input_gradients, BP_OK, 1},
    {"backpropagate to inputs, scaled", input_gradients, BP_OK, 4},
    {"input_jacobian", input_jacobian, BP_OK, 1},
    {"predict_layer", predict_layer, BP_OK, 1},
    {"row_losses", row_losses, BP_OK, 1},
    {"set_dropout", set_dropout, BP_OK, 1},
    {"set_trainable", freeze, BP_OK, 3},
    {"train_minibatch, a frozen layer", train_frozen, BP_OK, 3},
    {"set_all_reduce and train_minibatch", train_as_worker, BP_OK, 1},
    {"set_all_reduce and train_minibatch, trained", train_as_worker, BP_OK, 3},
    {"set_all_reduce and fit", fit_as_worker, BP_OK, 1},
    {"set_all_reduce and fit_scaling", scale_as_worker, BP_OK, 1},
    {"train_minibatch, lbfgs", train_by_lbfgs, BP_OK, 1},
    {"train_minibatch, levenberg_marquardt", train_by_damping, BP_OK, 1},
    {"train_minibatch, bayesian_regularization", train_by_bayes, BP_OK, 1},
    {"effective_parameters, another optimizer", effective_parameters, BP_ERROR_UNSUPPORTED, 1},
    {"replace_output", replace_output, BP_OK, 3},
    {"fit_scaling", fit_scaling, BP_OK, 1},
    {"check_settings", check_settings, BP_OK, 1},
    {"check_settings, targets out of range", bad_target, BP_ERROR_INVALID_VALUE, 1},
    {"set_option, no such name", no_such_option, BP_ERROR_UNKNOWN_NAME, 1},
    {"fit", fit, BP_OK, 1},
    {"fit, trained", fit, BP_OK, 3},
    {"fit_stream", fit_stream, BP_OK, 1},
    {"fit, stratified", fit_stratified, BP_WARNING_MISSING_CLASS, 1},
    {"train_rows", train_rows, BP_OK, 1},
    {"predict_rows", predict_rows, BP_OK, 1},
    {"evaluate_rows", evaluate_rows, BP_OK, 1},
    {"score_rows", score_rows, BP_OK, 1},
    {"fit_scaling_rows", fit_scaling_rows, BP_OK, 1},
    {"scaling in pieces", scaling_in_pieces, BP_OK, 1},
    {"fit_rows", fit_rows, BP_OK, 1},
    {"fit_ensemble", fit_ensemble, BP_OK, 1},
    {"train_rows, scaled", train_rows, BP_OK, 4},
    {"set_metadata", metadata, BP_OK, 1},
    {"predict", predict, BP_OK, 1},
    {"predict, no inputs", no_pointer, BP_ERROR_NULL_ARGUMENT, 1},
    {"evaluate", evaluate, BP_OK, 1},
    {"get_parameters", get_parameters, BP_OK, 1},
    {"set_parameters", set_parameters, BP_OK, 1},
    {"save", save, BP_OK, 2},
    {"save, trained", save, BP_OK, 3},
    {"export_c", export_c, BP_OK, 2},
    {"export_c, scaled", export_c, BP_OK, 4},
    {"export_swift", export_swift, BP_OK, 2},
    {"load", load, BP_OK, 2},
    {"save_memory", save_memory, BP_OK, 1},
    {"load_memory", load_memory, BP_OK, 2},
    {"load_memory, cut", no_model, BP_ERROR_CORRUPT, 2},
    {"load_weights", load_weights, BP_OK, 2},
    {"load_weights_memory", load_weights_memory, BP_OK, 2},
    {"load_layer", load_layer, BP_OK, 2},
    {"load_layer_memory", load_layer_memory, BP_OK, 2},
    {"load_layer, no such name", no_layer_in_file, BP_ERROR_UNKNOWN_NAME, 2},
};
enum { CALLS = sizeof calls / sizeof calls[0] };

/* Calls that need much of Swift's memory. */
static const struct call large_calls[] = {
    {"create", create, BP_OK, 0},
    {"clone", make_copy, BP_OK, 1},
    {"initialize", initialize, BP_OK, 1},
    {"set_activation", set_activation, BP_OK, 1},
    {"set_batchnorm on", batchnorm_on, BP_OK, 1},
    {"set_batchnorm off, trained", batchnorm_off, BP_OK, 3},
    {"set_optimizer", set_optimizer, BP_OK, 3},
    {"train_step", train_step, BP_OK, 1},
    {"train_minibatch", train_minibatch, BP_OK, 1},
    {"train_minibatch again", train_minibatch, BP_OK, 3},
    {"gradient", gradient, BP_OK, 1},
    {"backpropagate", backpropagate, BP_OK, 1},
    {"input_jacobian", input_jacobian, BP_OK, 1},
    {"predict_layer", predict_layer, BP_OK, 1},
    {"row_losses", row_losses, BP_OK, 1},
    {"apply_gradient", apply_gradient, BP_OK, 1},
    {"fit_scaling", fit_scaling, BP_OK, 1},
    {"replace_output", replace_output, BP_OK, 3},
    {"train_minibatch, a frozen layer", train_frozen, BP_OK, 3},
    {"fit", fit, BP_OK, 1},
    {"fit_stream", fit_stream, BP_OK, 1},
    {"predict", predict, BP_OK, 1},
    {"evaluate", evaluate, BP_OK, 1},
    {"set_parameters", set_parameters, BP_OK, 1},
    {"tensor_name", tensor_name, BP_OK, 3},
    {"get_tensor", get_tensor, BP_OK, 3},
    {"get_tensor, no such tensor", no_tensor, BP_ERROR_UNKNOWN_NAME, 3},
    {"set_tensor", set_tensor, BP_OK, 3},
    {"save", save, BP_OK, 3},
    {"load", load, BP_OK, 2},
    {"save_memory", save_memory, BP_OK, 3},
    {"load_memory", load_memory, BP_OK, 2},
    {"load_memory, cut", no_model, BP_ERROR_CORRUPT, 2},
    {"load_weights", load_weights, BP_OK, 2},
    {"load_weights_memory", load_weights_memory, BP_OK, 2},
    {"load_layer", load_layer, BP_OK, 2},
    {"load_layer_memory", load_layer_memory, BP_OK, 2},
    {"load_layer, no such name", no_layer_in_file, BP_ERROR_UNKNOWN_NAME, 2},
    {"overlong path", overlong_path, BP_ERROR_IO, 1},
    {"overlong name", overlong_name, BP_ERROR_UNKNOWN_NAME, 1},
    {"metadata", metadata, BP_OK, 1},
    {"metadata, saved", metadata_saved, BP_OK, 1},
    {"metadata, loaded", metadata_loaded, BP_OK, 1},
    {"many words", many_words, BP_ERROR_MISMATCH, 1},
    {"long words", long_words, BP_ERROR_MISMATCH, 1},
    {"escaped words", escaped_words, BP_ERROR_MISMATCH, 1},
    {"overlong word", overlong_word, BP_ERROR_MISMATCH, 1},
    {"many tensors", many_tensors, BP_ERROR_MISMATCH, 1},
    {"long shapes", long_shapes, BP_ERROR_MISMATCH, 1},
};
enum { LARGE_CALLS = sizeof large_calls / sizeof large_calls[0] };

/* ---- One call with one fault, in a separate process */

static bp_network *some_network(int trained) {
    bp_network *network = check_network(sizes, layers, 3);
    EXPECT_OK(bp_network_set_batchnorm(network, 1, 1));
    EXPECT_OK(bp_network_set_optimizer(network, "momentum"));
    if (trained) EXPECT_OK(bp_network_train_minibatch(network, x, y, 2, 0.1f, NULL));
    return network;
}

static int same_made(bp_network *a, bp_network *b) { return a && b ? snapshot_equal(a, b) : a == b; }

/* Whether the file of that name holds one of the two snapshots. */
static int file_is(const char *name, snapshot one, snapshot other) {
    int fd = open(name, O_RDONLY);
    ssize_t count = fd < 0 ? -1 : read(fd, now, sizeof now);
    if (fd >= 0) close(fd);
    return count > 0 &&
        (((size_t)count == one.count && memcmp(now, one.bytes, one.count) == 0) ||
         ((size_t)count == other.count && memcmp(now, other.bytes, other.count) == 0));
}

/* Makes the call with the Nth fault on a network, and without a fault on its twin, an equal network. */
static void try_call(const struct call *c) {
    bp_network *network = NULL, *twin = NULL, *old = NULL, *made_with_fault;
    snapshot old_bytes = {NULL, 0}, network_bytes = {NULL, 0};
    int32_t status, without;
    int writes = c->call == save, exports = c->call == export_c || c->call == export_swift, setup = c->setup;
    int32_t refusal = kind < SWIFT_FROM_THEN_ON ? BP_ERROR_OUT_OF_MEMORY : BP_ERROR_IO;
    if (setup) {
        EXPECT_OK(bp_set_thread_count(1)); /* the allocations of threads have no fixed order */
        network = some_network(setup == 3);
        twin = some_network(setup == 3);
        if (setup == 4) EXPECT_OK(bp_network_fit_scaling(network, "standard", "none", x, NULL, 4));
        if (setup == 4) EXPECT_OK(bp_network_fit_scaling(twin, "standard", "none", x, NULL, 4));
        parameter_count = count_of(network);
        old = check_network(sizes, layers, 99);
        EXPECT_OK(bp_network_set_batchnorm(old, 1, 1));
    }
    if (setup == 2 || setup == 3) {
        EXPECT_OK(bp_network_save(old, path));
        EXPECT_OK(bp_network_save(old, other_path));
        EXPECT_OK(bp_network_save_memory(old, bytes, sizeof bytes, &byte_count));
    }
    made = NULL;
    armed = 1;
    status = c->call(network);
    armed = 0;
    made_with_fault = made;
    if (!(failed && kind != SWIFT_FROM_THEN_ON && status == refusal)) EXPECT_STATUS(status, c->expected);
    EXPECT(status == BP_OK || (made == NULL && check_message()));
    if (writes) {
        old_bytes = snapshot_of(old);
        network_bytes = snapshot_of(network);
        if (setup >= 2) EXPECT(file_is(path, network_bytes, status == BP_OK ? network_bytes : old_bytes));
    }
    if (exports && setup == 2 && status == BP_ERROR_OUT_OF_MEMORY) { /* for the file system, save has the same code */
        old_bytes = snapshot_of(old);
        EXPECT(file_is(path, old_bytes, old_bytes));
    }
    if (status != c->expected && network) EXPECT(snapshot_equal(network, twin)); /* nothing changed */
    made = NULL;
    without = c->call(twin);
    EXPECT_STATUS(without, c->expected);
    if (status == c->expected) {
        EXPECT(same_made(made_with_fault, made));
    } else { /* the call succeeds when repeated */
        bp_network *made_without = made;
        made = NULL;
        EXPECT_STATUS(c->call(network), c->expected);
        EXPECT(same_made(made, made_without));
        bp_network_free(made_without);
    }
    if (network) {
        EXPECT(snapshot_equal(network, twin));
        EXPECT_OK(bp_network_train_minibatch(network, x, y, 4, 0.1f, NULL)); /* the network is usable */
        EXPECT_OK(bp_network_train_minibatch(twin, x, y, 4, 0.1f, NULL));
        EXPECT(snapshot_equal(network, twin));
    }
    if (writes || (exports && setup == 2)) EXPECT(entries(".") == 2); /* no temporary file is left */
    bp_network_free(made);
    if (made_with_fault != made) bp_network_free(made_with_fault);
    bp_network_free(network);
    bp_network_free(twin);
    bp_network_free(old);
    free(old_bytes.bytes);
    free(network_bytes.bytes);
}

/* The report of a child process. */
static struct report {
    long seen, failed, blocks, failures;
} *child_report;

static void run_child(const struct call *c, enum kind which, long nth) {
    kind = which;
    countdown = nth;
    heap_refuses = memory_fails;
    file_hook = file_call_fails;
    heap_watch();
    check_failures = 0;
    try_call(c);
    EXPECT_ERROR(bp_network_train_step(NULL, x, y, 0.1f, NULL),
                 BP_ERROR_NULL_ARGUMENT); /* allocates the message's memory, which a thread keeps */
    heap_watched = 0;
    child_report->seen = seen;
    child_report->failed = failed;
    child_report->blocks = heap_blocks;
    child_report->failures = check_failures;
    fflush(stdout);
    _exit(0);
}

/* Whether the child ended normally; its results are in *child_report. */
static int run(const struct call *c, enum kind which, long nth) {
    int status;
    pid_t child;
    char folder[] = "faultXXXXXX";
    memset(child_report, 0, sizeof *child_report);
    fflush(stdout);
    child = fork();
    if (child == 0) {
        if (!mkdtemp(folder) || chdir(folder) != 0) _exit(1);
        run_child(c, which, nth);
    }
    return waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* Makes the call with the Nth fault, for N up to `last`: each of the first `each_of_the_first`, then with growing steps.
 * Returns the number of faults. */
static long loop_over(const struct call *c, enum kind which, const char *what, long each_of_the_first, long last) {
    long blocks, points, faults = 0;
    if (!EXPECT(run(c, which, LONG_MAX) && child_report->failures == 0)) return printf("#   %s, without a fault\n", c->name), 0;
    blocks = child_report->blocks;
    points = child_report->seen;
    for (long nth = 1; nth <= points && nth <= last; nth += 1 + nth / each_of_the_first) {
        int ended = run(c, which, nth);
        if (!EXPECT(ended) || !EXPECT(child_report->failures == 0) || !EXPECT(child_report->blocks <= blocks) ||
            !EXPECT(child_report->failed > 0))
            printf("#   %s, %s: %ld of %ld, %ld blocks remain, expected at most %ld\n", c->name, what, nth, points,
                   child_report->blocks, blocks);
        faults++;
    }
    return faults;
}

static void loop(enum kind which, const char *what, long each_of_the_first) {
    long first = getenv("TORTURE") ? LONG_MAX : each_of_the_first;
    long faults = 0;
    for (int i = 0; i < CALLS; i++) faults += loop_over(&calls[i], which, what, first, LONG_MAX);
    printf("# %ld faults in %d calls: %s\n", faults, (int)CALLS, what);
    EXPECT(faults > CALLS);
}

/* All allocations of Swift's memory fail. The reserve serves them, so that a call returns the same status as without faults. */
static void reserve_serves_swift_when_memory_is_exhausted(void) {
    long faults = 0;
    for (int i = 0; i < CALLS; i++)
        faults += loop_over(&calls[i], SWIFT_FROM_THEN_ON, "Swift's memory refused", 1, getenv("TORTURE") ? LONG_MAX : 1);
    sizes = many;
    layers = 1024;
    for (int i = 0; i < LARGE_CALLS; i++)
        faults += loop_over(&large_calls[i], SWIFT_FROM_THEN_ON, "Swift's memory refused", 1, getenv("TORTURE") ? LONG_MAX : 1);
    sizes = few;
    layers = 4;
    printf("# %ld faults in %d calls: all allocations of Swift's memory from one on fail\n", faults,
           (int)(CALLS + LARGE_CALLS));
}

/* Eight threads, each with its own network, while all allocations of Swift's memory fail. */
static int refuse_swift(int is_of_swift) { return is_of_swift && __atomic_load_n(&armed, __ATOMIC_RELAXED); }

static void *make_and_use(void *unused) {
    for (int i = 0; i < 200; i++) {
        bp_network *network = NULL, *copy = NULL;
        int32_t status = bp_network_create(few, 4, (uint64_t)i, &network);
        if (status == BP_OK) status = bp_network_set_batchnorm(network, 1, 1);
        if (status == BP_OK) status = bp_network_train_minibatch(network, x, y, 4, 0.1f, NULL);
        if (status == BP_OK) status = bp_network_clone(network, &copy);
        if (status == BP_OK && bp_network_set_activation(copy, 1, "none such") == BP_OK) status = BP_STOPPED;
        if (status != BP_OK && status != BP_ERROR_OUT_OF_MEMORY) __atomic_fetch_add(&failed, 1, __ATOMIC_RELAXED);
        if (status == BP_OK) __atomic_fetch_add(&seen, 1, __ATOMIC_RELAXED);
        bp_network_free(network);
        bp_network_free(copy);
    }
    return unused;
}

static void threads_share_the_reserve(void) {
    int status = -1;
    pid_t child = fork();
    if (child == 0) {
        pthread_t threads[8];
        bp_set_thread_count(1);
        heap_refuses = refuse_swift;
        for (int i = 0; i < 8; i++) pthread_create(&threads[i], NULL, make_and_use, NULL);
        __atomic_store_n(&armed, 1, __ATOMIC_RELAXED);
        for (int i = 0; i < 8; i++) pthread_join(threads[i], NULL);
        armed = 0;
        printf("# %ld of 1600 networks created, trained and copied; %ld wrong results\n", seen, failed);
        fflush(stdout);
        _exit(failed || seen == 0);
    }
    EXPECT(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void one_failing_allocation_harms_nothing(void) { loop(MEMORY_ONCE, "one allocation fails", 100); }
static void exhausted_memory_harms_nothing(void) { loop(MEMORY_FROM_THEN_ON, "all allocations from one on fail", 20); }
static void one_failing_file_call_harms_nothing(void) { loop(FILES_ONCE, "one file call fails", LONG_MAX); }
static void failing_file_system_harms_nothing(void) { loop(FILES_FROM_THEN_ON, "all file calls from one on fail", LONG_MAX); }

int main(void) {
    many[0] = 3;
    for (int i = 1; i < 1024; i++) many[i] = 2;
    memset(overlong, 'x', sizeof overlong - 1);
    memset(long_text, 1, sizeof long_text - 1);
    child_report = mmap(NULL, sizeof *child_report, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (child_report == MAP_FAILED) return 1;
    CLAIM(one_failing_allocation_harms_nothing);
    CLAIM(exhausted_memory_harms_nothing);
    CLAIM(reserve_serves_swift_when_memory_is_exhausted);
    CLAIM(threads_share_the_reserve);
    CLAIM(one_failing_file_call_harms_nothing);
    CLAIM(failing_file_system_harms_nothing);
    return check_end();
}
