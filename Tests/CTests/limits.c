/* limits.c: every function of the header, with each of its arguments in turn replaced by a bad one: NULL, an invalid handle, a
 * size near 2^31, 2^32, 2^63 and SIZE_MAX. The functions are read from the header (Fuzz/signatures.py), so that none is
 * omitted: a parameter without a rule here fails. With TORTURE=1 in the environment, also with more than 2^31 rows. */
#define _GNU_SOURCE /* memfd_create, MAP_NORESERVE */
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "activations.h"
#include "check.h"
#include "signatures.h"

static const size_t sizes[] = {2, 3, 2}; /* layers.1.weight has 6 elements */
static const float rows_of[4] = {0.5f, -1, 0.25f, 1};
static const float ones[2] = {1, 1};
static const double no_constants[16]; /* one more than a signature accepts */
static float floats[64];
static double number;
static uint64_t steps;
static size_t size;
static int32_t whole;
static uint8_t bytes[16384];
static char existing[] = "there.already", fresh[] = "not.yet";
static void *handle_out;
static uint32_t structs[64];
static bp_network *network, *members[1];
static const double learning_rates[1] = {0.01};
static bp_trainer *trainer;
static bp_predictor *predictor;
static bp_rows input_rows = {sizeof input_rows, BP_FLOAT, rows_of, 2, 2, 0, 0, 0, 0, NULL};
static bp_rows target_rows = {sizeof target_rows, BP_FLOAT, rows_of, 2, 2, 0, 0, 0, 0, NULL};
static snapshot model;

static float half(float z, void *user_data) {
    (void)user_data;
    return z / 2;
}
static float half_derivative(float z, float a, void *user_data) {
    (void)z, (void)a, (void)user_data;
    return 0.5f;
}
static double halved(double z) { return z / 2; }
static int32_t go_on(const bp_progress *progress, void *user_data) {
    (void)progress, (void)user_data;
    return 0;
}
static int32_t one_row(bp_minibatch *minibatch, void *user_data) {
    (void)user_data;
    return minibatch->rows = 1, 0;
}
static int32_t no_loss(const float *outputs, const float *targets, double *losses, float *gradients, size_t rows,
                       size_t output_count, size_t target_columns, void *user_data) {
    (void)outputs, (void)targets, (void)target_columns, (void)user_data;
    memset(losses, 0, rows * sizeof *losses);
    if (gradients) memset(gradients, 0, rows * output_count * sizeof *gradients);
    return 0;
}
static int32_t of_one(void *values, size_t count, int32_t type, int32_t operation, void *user_data) {
    (void)values, (void)count, (void)type, (void)operation, (void)user_data;
    return 0;
}
static void nothing(void *user_data) { (void)user_data; }
static int32_t finished(void *user_data) { return (void)user_data, 0; }

/* The valid argument of a parameter, found by "function.parameter", otherwise by its name, otherwise by its type. */
typedef struct {
    const char *what;
    argument good;
    int may_be_null;  /* as the header says */
    size_t too_large; /* the smallest size that is refused for all other arguments; SIZE_MAX: none is refused */
} rule;

/* Arrays of this number of bytes exceed the address space. The library does not try to allocate them. */
#define UNADDRESSABLE (SIZE_MAX / 16 + 1)
/* Rows of targets are shorter than this. */
#define WIDE (SIZE_MAX > UINT32_MAX ? (size_t)(UINT64_C(1) << 40) : SIZE_MAX / 2)

static const rule rules[] = {
    {"input", {.pointer = (void *)rows_of}, 0, 0},
    {"target", {.pointer = (void *)rows_of}, 0, 0},
    {"inputs", {.pointer = (void *)rows_of}, 0, 0},
    {"targets", {.pointer = (void *)rows_of}, 0, 0},
    {"gradient", {.pointer = floats}, 0, 0},
    {"parameters", {.pointer = floats}, 0, 0},
    {"outputs_out", {.pointer = floats}, 0, 0},
    {"bp_predictor_sizes.outputs_out", {.pointer = &size}, 0, 0},
    {"gradient_out", {.pointer = floats}, 0, 0},
    {"parameters_out", {.pointer = floats}, 0, 0},
    {"output_gradients", {.pointer = (void *)rows_of}, 0, 0},
    {"input_gradients_out", {.pointer = floats}, 1, 0},
    {"jacobian_out", {.pointer = floats}, 0, 0},
    {"losses_out", {.pointer = floats}, 0, 0},
    {"bp_loss_check.name", {.pointer = "there.loss"}, 0, 0},
    {"bp_loss_register.name", {.pointer = fresh}, 0, 0},
    {"bp_loss_unregister.name", {.pointer = "there.loss"}, 0, 0},
    {"outputs", {.pointer = (void *)rows_of}, 0, 0},
    {"columns", {.size = 2}, 0, UNADDRESSABLE},
    {"target_columns", {.size = 0}, 0, WIDE},
    {"bp_loss_fn", {.function = (void (*)(void))no_loss}, 0, 0},
    {"loss_out", {.pointer = floats}, 1, 0},
    {"bp_network_evaluate.loss_out", {.pointer = floats}, 0, 0},
    {"const bp_rows * inputs", {.pointer = &input_rows}, 0, 0},
    {"const bp_rows * targets", {.pointer = &target_rows}, 0, 0},
    {"const bp_rows * validation_inputs", {.pointer = &input_rows}, 0, 0},
    {"const bp_rows * validation_targets", {.pointer = &target_rows}, 0, 0},
    {"bp_network_add_scaling_rows.inputs", {.pointer = &input_rows}, 1, 0},
    {"bp_network_add_scaling_rows.targets", {.pointer = &target_rows}, 1, 0},
    {"bp_network_predict_rows.type", {.i32 = BP_FLOAT}, 0, 0},
    {"ptrdiff_t", {.size = 0}, 0, 0},
    {"bp_network_evaluate_rows.loss_out", {.pointer = floats}, 0, 0},
    {"bp_trainer_fit_rows.loss_out", {.pointer = &number}, 1, 0},
    {"networks", {.pointer = members}, 0, 0},
    {"bp_trainer_fit_ensemble.count", {.size = 1}, 0, (size_t)1 << 23},
    {"bp_trainer_fit_ensemble_rows.count", {.size = 1}, 0, (size_t)1 << 23},
    {"learning_rates", {.pointer = (void *)learning_rates}, 1, 0},
    {"results_out", {.pointer = structs}, 1, 0},
    {"double *", {.pointer = &number}, 0, 0},
    {"size_t *", {.pointer = &size}, 0, 0},
    {"int32_t *", {.pointer = &whole}, 0, 0},
    {"layer_sizes", {.pointer = (void *)sizes}, 0, 0},
    {"layer_count", {.size = 3}, 0, 1025},
    {"rows", {.size = 2}, 0, UNADDRESSABLE},
    {"layer", {.size = 1}, 0, 3},
    {"index", {.size = 0}, 0, 4096},
    {"count", {.size = 0 /* of the parameters */}, 0, 1000},
    {"bp_network_get_tensor.count", {.size = 6}, 0, 1000},
    {"bp_network_set_tensor.count", {.size = 6}, 0, 1000},
    {"bp_network_get_tensor.name", {.pointer = "layers.1.weight"}, 0, 0},
    {"bp_network_set_tensor.name", {.pointer = "layers.1.weight"}, 0, 0},
    {"bp_network_tensor_shape.name", {.pointer = "layers.1.weight"}, 0, 0},
    {"values_out", {.pointer = floats}, 0, 0},
    {"values", {.pointer = floats}, 0, 0},
    {"steps_out", {.pointer = &steps}, 0, 0},
    {"report_out", {.pointer = structs}, 1, 0},
    {"bp_trainer_fit.loss_out", {.pointer = &number}, 1, 0},
    {"bp_trainer_fit_stream.loss_out", {.pointer = &number}, 1, 0},
    {"bp_next_fn", {.function = (void (*)(void))one_row}, 0, 0},
    {"capacity", {.size = sizeof bytes}, 0, SIZE_MAX},
    {"bp_set_thread_count.count", {.size = 2}, 0, 257},
    {"bp_network_load_memory.count", {.size = 0 /* of the model */}, 0, SIZE_MAX / 2 + 1},
    {"bp_network_load_weights_memory.count", {.size = 0 /* of the model */}, 0, SIZE_MAX / 2 + 1},
    {"bp_network_load_layer_memory.count", {.size = 0 /* of the model */}, 0, SIZE_MAX / 2 + 1},
    {"bp_network_replace_output.size", {.size = 2}, 0, WIDE},
    {"weight_name", {.pointer = "layers.1.weight"}, 0, 0},
    {"bias_name", {.pointer = "layers.1.bias"}, 1, 0},
    {"constant_count", {.size = 0}, 0, 16},
    {"constants", {.pointer = (void *)no_constants}, 1, 0},
    {"buffer", {.pointer = bytes}, 0, 0},
    {"const uint8_t *", {.pointer = NULL /* the model */}, 0, 0},
    {"uint64_t", {.u64 = 1}, 0, 0},
    {"int32_t", {.i32 = 1}, 0, 0},
    {"float", {.f32 = 0.5f}, 0, 0},
    {"rate", {.f64 = 0.25}, 0, 0},
    {"measure", {.pointer = "r2"}, 0, 0},
    {"key", {.pointer = "author"}, 0, 0},
    {"bp_network_set_metadata.value", {.pointer = "somebody"}, 0, 0},
    {"input_scaling", {.pointer = "standard"}, 0, 0},
    {"target_scaling", {.pointer = "min_max"}, 0, 0},
    {"bp_activation_set_destroy.destroy", {.function = (void (*)(void))nothing}, 0, 0},
    {"row_weights", {.pointer = (void *)ones}, 0, 0},
    {"validation_inputs", {.pointer = (void *)rows_of}, 0, 0},
    {"validation_targets", {.pointer = (void *)rows_of}, 0, 0},
    {"validation_rows", {.size = 2}, 0, UNADDRESSABLE},
    {"bp_progress_fn", {.function = (void (*)(void))go_on}, 1, 0},
    {"bp_all_reduce_fn", {.function = (void (*)(void))of_one}, 1, 0},
    {"bp_all_reduce_finish_fn", {.function = (void (*)(void))finished}, 0, 0},
    {"worker", {.size = 0}, 0, 1},
    {"workers", {.size = 1}, 0, 65536},
    {"bp_trainer_set_option.value", {.f64 = 3}, 0, 0},
    {"bp_trainer_set_option.name", {.pointer = "epochs"}, 0, 0},
    {"bp_trainer_get_option.name", {.pointer = "epochs"}, 0, 0},
    {"bp_network_set_option.value", {.f64 = 0.25}, 0, 0},
    {"bp_network_set_activation.name", {.pointer = "tanh"}, 0, 0},
    {"bp_network_set_loss.name", {.pointer = "squared_error"}, 0, 0},
    {"bp_network_set_optimizer.name", {.pointer = "momentum"}, 0, 0},
    {"bp_network_set_option.name", {.pointer = "batchnorm_momentum"}, 0, 0},
    {"bp_network_get_option.name", {.pointer = "batchnorm_momentum"}, 0, 0},
    {"bp_activation_register_scalar.name", {.pointer = fresh}, 0, 0},
    {"bp_activation_register_vector.name", {.pointer = fresh}, 0, 0},
    {"bp_activation_register_foreign.name", {.pointer = fresh}, 0, 0},
    {"bp_activation_register_library.name", {.pointer = fresh}, 0, 0},
    {"name", {.pointer = existing}, 0, 0},
    {"library_path", {.pointer = "libm.so.6"}, 1, 0},
    {"function_symbol", {.pointer = "erf"}, 0, 0},
    {"derivative_symbol", {.pointer = NULL}, 1, 0},
    {"signature", {.pointer = "d(d)"}, 0, 0},
    {"path", {.pointer = "model.safetensors"}, 0, 0},
    {"bp_network_export_c.path", {.pointer = "model.c"}, 0, 0},
    {"bp_network_export_swift.path", {.pointer = "model.swift"}, 0, 0},
    {"prefix", {.pointer = "model"}, 0, 0},
    {"type_name", {.pointer = "Model"}, 0, 0},
    {"weight_bits", {.i32 = 8}, 0, 0},
    {"flags", {.i32 = BP_EXPORT_FOLDED}, 0, 0},
    {"user_data", {.pointer = &whole}, 1, 0},
    {"bp_scalar_fn", {.function = (void (*)(void))half}, 0, 0},
    {"bp_scalar_derivative_fn", {.function = (void (*)(void))half_derivative}, 1, 0},
    {"bp_vector_forward_fn", {.function = (void (*)(void))pass}, 0, 0},
    {"bp_vector_backward_fn", {.function = (void (*)(void))pass_back}, 0, 0},
    {"bp_foreign_fn", {.function = (void (*)(void))halved}, 0, 0},
    {"bp_activation_register_foreign.derivative", {.function = (void (*)(void))halved}, 1, 0},
    {"bp_destroy_fn", {.function = (void (*)(void))nothing}, 1, 0},
};

/* Functions that cannot succeed here, because there is no plug-in to load. */
static const char *const fail_here[] = {"bp_network_effective_parameters", /* of another optimizer */
                                        "bp_plugin_load"};

static const rule *find_rule(const char *what) {
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++)
        if (strcmp(rules[i].what, what) == 0) return &rules[i];
    return NULL;
}

static const rule *rule_of(const signature *function, const parameter *p) {
    char full[128];
    const rule *found;
    snprintf(full, sizeof full, "%s.%s", function->name, p->name);
    if ((found = find_rule(full)) != NULL) return found;
    snprintf(full, sizeof full, "%s %s", p->type, p->name);
    if ((found = find_rule(full)) != NULL) return found;
    return (found = find_rule(p->name)) != NULL ? found : find_rule(p->type);
}

/* Whether a parameter is a handle ("bp_network *") or, with two stars, a pointer to a handle. */
static int is_handle(const parameter *p, const char *stars) {
    const char *type = strncmp(p->type, "const ", 6) == 0 ? p->type + 6 : p->type;
    for (size_t i = 0; i < sizeof handle_types / sizeof handle_types[0]; i++) {
        size_t length = strlen(handle_types[i]);
        if (strncmp(type, handle_types[i], length) == 0 && strcmp(type + length, stars) == 0) return 1;
    }
    return 0;
}

static void *handle_for(const parameter *p) {
    return strstr(p->type, "bp_trainer")  ? (void *)trainer
        : strstr(p->type, "bp_predictor") ? (void *)predictor
                                          : (void *)network;
}

static size_t struct_size(const parameter *p) {
    for (size_t i = 0; i < sizeof struct_types / sizeof struct_types[0]; i++)
        if (strcmp(p->type, struct_types[i].type) == 0) return struct_types[i].size;
    return 0;
}

static int is_pointer(const parameter *p) { return strchr(p->type, '*') || strstr(p->type, "_fn"); }
static int may_be_null(const signature *function, const parameter *p) {
    const rule *found = rule_of(function, p);
    return found && found->may_be_null;
}

static int missing_are_reported;

/* Writes valid arguments; returns 0 if a parameter has no rule. */
static int make_valid(const signature *function, argument *arguments) {
    int known = 1;
    memset(arguments, 0, MOST_PARAMETERS * sizeof *arguments);
    if (!network) network = check_network(sizes, 3, 1);
    if (!trainer) EXPECT_OK(bp_trainer_create(&trainer));
    if (!predictor) EXPECT_OK(bp_predictor_create(network, &predictor));
    EXPECT_OK(bp_network_add_scaling_rows(network, &input_rows, &target_rows)); /* for bp_network_finish_scaling */
    bp_network_free(members[0]);                                                /* a clone has no all-reduce function */
    EXPECT_OK(bp_network_clone(network, &members[0]));
    for (size_t i = 0; i < function->count; i++) {
        const parameter *p = &function->parameters[i];
        const rule *found = rule_of(function, p);
        if (is_handle(p, " *")) arguments[i].pointer = handle_for(p);
        else if (is_handle(p, " **")) arguments[i].pointer = &handle_out;
        else if (struct_size(p)) arguments[i].pointer = structs, structs[0] = (uint32_t)struct_size(p);
        else if (strcmp(p->type, "const uint8_t *") == 0) arguments[i].pointer = model.bytes;
        else if (found) arguments[i] = found->good;
        else {
            if (!missing_are_reported) printf("#   %s has no rule for %s %s\n", function->name, p->type, p->name);
            known = 0;
        }
        if (strcmp(p->name, "count") == 0 && i > 0 && strcmp(function->parameters[i - 1].name, "bytes") == 0)
            arguments[i].size = model.count;
        else if (strcmp(p->name, "count") == 0 && arguments[i].size == 0) arguments[i].size = count_of(network);
    }
    return known;
}

/* Calls the function in the same state of the registry and the network each time. */
static int32_t call(const signature *function, const argument *arguments) {
    (void)bp_activation_unregister(fresh);
    (void)bp_loss_unregister(fresh);
    (void)bp_loss_unregister("there.loss");
    (void)bp_loss_register("there.loss", 0, no_loss, NULL, NULL);
    (void)bp_activation_unregister(existing);
    (void)bp_activation_register_scalar(existing, half, half_derivative, NULL, NULL);
    (void)bp_network_set_metadata(network, "author", "nobody");
    if (strcmp(function->name, "bp_trainer_fit_stream") == 0) (void)bp_trainer_set_row_weights(trainer, NULL, 0);
    handle_out = NULL;
    int32_t status = function->call(arguments);
    bp_network_free((bp_network *)handle_out); /* it is a network, a trainer, a predictor or NULL */
    bp_trainer_free((bp_trainer *)handle_out);
    bp_predictor_free((bp_predictor *)handle_out);
    if (strcmp(function->name, "bp_network_free") == 0 && arguments[0].pointer == network) network = NULL;
    if (strcmp(function->name, "bp_trainer_free") == 0 && arguments[0].pointer == trainer) trainer = NULL;
    if (strcmp(function->name, "bp_predictor_free") == 0 && arguments[0].pointer == predictor) predictor = NULL;
    return status;
}

/* Calls the function with the argument of that index replaced; all others are valid. */
static int32_t call_with(const signature *function, size_t index, argument bad) {
    argument arguments[MOST_PARAMETERS];
    (void)make_valid(function, arguments);
    arguments[index] = bad;
    return call(function, arguments);
}

static int expect(int holds, const signature *function, const parameter *p, const char *what, int32_t status) {
    if (!EXPECT(holds))
        printf("#   %s(%s %s): %s, %s\n", function->name, p->name, what, bp_status_name(status), bp_last_error_message());
    return holds;
}

static int has_rules(const signature *function) {
    argument arguments[MOST_PARAMETERS];
    return make_valid(function, arguments);
}

#define EACH_FUNCTION(f)                                                    \
    for (const signature *f = signatures; f < signatures + SIGNATURES; f++) \
        if (has_rules(f))

static void valid_arguments_are_accepted_by_every_function(void) {
    argument arguments[MOST_PARAMETERS];
    for (const signature *f = signatures; f < signatures + SIGNATURES; f++) {
        int here = 1;
        for (size_t i = 0; i < sizeof fail_here / sizeof fail_here[0]; i++) here = here && strcmp(f->name, fail_here[i]) != 0;
        if (!EXPECT(make_valid(f, arguments))) continue;
        int32_t status = call(f, arguments);
        if (!EXPECT(!here || status == BP_OK)) printf("#   %s: %s\n", f->name, bp_last_error_message());
    }
}

static void null_is_refused_for_every_pointer_that_may_not_be_null(void) {
    const argument null = {.pointer = NULL};
    int tried = 0;
    EACH_FUNCTION(f) for (size_t i = 0; i < f->count; i++) {
        const parameter *p = &f->parameters[i];
        if (!is_pointer(p)) continue;
        int32_t status = call_with(f, i, null);
        if (f->has_status && may_be_null(f, p)) expect(status == BP_OK, f, p, "NULL", status);
        else if (f->has_status) expect(status == BP_ERROR_NULL_ARGUMENT && check_message(), f, p, "NULL", status);
        tried++;
    }
    EXPECT(tried > 80);
}

static void invalid_handles_are_refused_by_every_function(void) {
    bp_network *freed = check_network(sizes, 3, 1);
    bp_network_free(freed);
    EACH_FUNCTION(f) for (size_t i = 0; i < f->count; i++) {
        const parameter *p = &f->parameters[i];
        if (!is_handle(p, " *")) continue;
        const argument bad[] = {{.pointer = freed},
                                {.pointer = (void *)1},
                                {.pointer = floats},
                                {.pointer = (void *)UINTPTR_MAX},
                                {.pointer = (void *)((uintptr_t)handle_for(p) ^ 1)},
                                {.pointer = handle_for(p) == network ? (void *)trainer : (void *)network}};
        for (size_t k = 0; k < sizeof bad / sizeof bad[0]; k++) {
            int32_t status = call_with(f, i, bad[k]);
            if (f->has_status) expect(status == BP_ERROR_INVALID_HANDLE, f, p, "invalid handle", status);
        }
    }
    size_t count;
    EXPECT_OK(bp_network_layer_count(network, &count)); /* no call has freed it */
}

/* Wrong values that are possible (more rows than the arrays have) cannot be detected, and are not tested. */
static void impossible_sizes_are_refused_by_every_function(void) {
    const size_t k31 = (size_t)1 << 31, k32 = SIZE_MAX > UINT32_MAX ? (size_t)(UINT64_C(1) << 32) : k31, k63 = SIZE_MAX / 2 + 1;
    const size_t far[] = {k31 - 1, k31,     k31 + 1,          k32 - 1,          k32,          k32 + 1, k32 + 2, k63 - 1, k63,
                          k63 + 1, k63 + 2, SIZE_MAX / 4 + 1, SIZE_MAX / 4 + 2, SIZE_MAX - 1, SIZE_MAX};
    EACH_FUNCTION(f) for (size_t i = 0; i < f->count; i++) {
        const parameter *p = &f->parameters[i];
        const rule *found = rule_of(f, p);
        if (strcmp(p->type, "size_t") != 0 || !found) continue;
        for (size_t k = 0; k <= sizeof far / sizeof far[0]; k++) {
            argument value = {.size = k == 0 ? found->too_large : far[k - 1]};
            if (value.size < found->too_large && found->too_large != SIZE_MAX) continue;
            int32_t status = call_with(f, i, value);
            if (found->too_large == SIZE_MAX) expect(status == BP_OK, f, p, "large", status);
            else
                expect(status == BP_ERROR_LIMIT || status == BP_ERROR_INVALID_VALUE || status == BP_ERROR_UNKNOWN_NAME ||
                           status == BP_ERROR_OUT_OF_MEMORY || status == BP_ERROR_MISMATCH,
                       f, p, "too large", status);
        }
    }
}

/* ---- Many rows */

static const size_t narrow[] = {1, 1, 1};

/* There is memory for the inputs, but not for the buffers that training needs for this number of rows. Where addresses have 32
 * bits, their sizes are refused before. */
static void rows_that_exceed_memory_are_refused_and_leave_the_network_usable(void) {
    const size_t rows = (size_t)1 << 27;
    const int32_t refusal = sizeof(size_t) > 4 ? BP_ERROR_OUT_OF_MEMORY : BP_ERROR_LIMIT;
    const struct rlimit memory = {(rlim_t)3 << 30, RLIM_INFINITY};
    struct rlimit before;
    bp_network *wide = check_network(narrow, 3, 1);
    snapshot fresh_one = snapshot_of(wide);
    float *x = (float *)mmap(NULL, rows * sizeof(float), PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (!EXPECT(x != MAP_FAILED)) return;
    EXPECT(getrlimit(RLIMIT_AS, &before) == 0);
    if (!getenv("ASAN_OPTIONS")) EXPECT(setrlimit(RLIMIT_AS, &memory) == 0); /* the sanitizer has its own limit */
    EXPECT_OK(bp_network_train_minibatch(wide, x, x, rows / 16, 0, NULL)); /* in parts: the matrices of all rows have 3.2 GB */
    EXPECT_OK(bp_network_set_batchnorm(wide, 1, 1));                       /* needs all rows */
    free(fresh_one.bytes);
    fresh_one = snapshot_of(wide);
    EXPECT_ERROR(bp_network_train_minibatch(wide, x, x, rows, 0.1f, NULL), refusal);
    EXPECT_ERROR(bp_network_gradient(wide, x, x, rows, floats, count_of(wide), NULL), refusal);
    EXPECT_ERROR(bp_network_backpropagate(wide, x, x, rows, floats, count_of(wide), NULL), refusal);
    EXPECT(snapshot_holds(fresh_one, wide));
    EXPECT_OK(bp_network_train_minibatch(wide, x, x, 5, 0.1f, NULL));
    EXPECT(setrlimit(RLIMIT_AS, &before) == 0);
    EXPECT(munmap(x, rows * sizeof(float)) == 0);
    free(fresh_one.bytes);
    bp_network_free(wide);
}

/* 2^31 + 5 rows, beyond the range of int. The same two megabytes of memory are mapped for all outputs. */
static void more_than_two_to_the_31_rows_are_predicted(void) {
    const size_t rows = ((size_t)1 << 31) + 5, window = (size_t)2 << 20, span = rows * sizeof(float) / window * window + window;
    bp_network *small = check_network(narrow, 3, 1);
    float one[1], zero[1] = {0}, loss = 0;
    int file = memfd_create("outputs", 0);
    char *x = (char *)mmap(NULL, span, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    char *y = (char *)mmap(NULL, span, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (!EXPECT(file >= 0 && ftruncate(file, (off_t)window) == 0 && x != MAP_FAILED && y != MAP_FAILED)) return;
    for (size_t at = 0; at < span; at += window)
        if (!EXPECT(mmap(y + at, window, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, file, 0) != MAP_FAILED)) return;
    EXPECT_OK(bp_network_predict(small, zero, 1, one));
    EXPECT_OK(bp_network_predict(small, (float *)(void *)x, rows, (float *)(void *)y));
    for (size_t i = 0; i < window / sizeof(float); i++) EXPECT(((float *)(void *)y)[i] == one[0]);
    memset(y, 0, window);
    EXPECT_OK(bp_network_set_option(small, "gradient_reduction", 1));
    EXPECT_OK(bp_network_evaluate(small, (float *)(void *)x, (float *)(void *)y, rows, &loss));
    EXPECT_NEAR(loss, one[0] * one[0] / 2, 1e-5);
    munmap(x, span), munmap(y, span), close(file);
    bp_network_free(small);
}

int main(void) {
    network = check_network(sizes, 3, 1);
    model = snapshot_of(network);
    EXPECT_OK(bp_network_save(network, "model.safetensors"));
    CLAIM(valid_arguments_are_accepted_by_every_function);
    missing_are_reported = 1;
    CLAIM(null_is_refused_for_every_pointer_that_may_not_be_null);
    CLAIM(invalid_handles_are_refused_by_every_function);
    CLAIM(impossible_sizes_are_refused_by_every_function);
    CLAIM(rows_that_exceed_memory_are_refused_and_leave_the_network_usable);
    if (getenv("TORTURE") && sizeof(size_t) > 4) CLAIM(more_than_two_to_the_31_rows_are_predicted);
    bp_network_free(network);
    bp_network_free(members[0]);
    bp_trainer_free(trainer);
    bp_predictor_free(predictor);
    free(model.bytes);
    return check_end();
}
