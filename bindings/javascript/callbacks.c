/* callbacks.c: registers JavaScript functions, which WebAssembly imports. A function is known by a number, its user_data. And
 * memory for arguments. */
#include <backprop.h>
#include <stdlib.h>

#define IMPORT(name) __attribute__((import_module("callbacks"), import_name(#name)))

#define EXPORT(name) __attribute__((export_name(#name)))

IMPORT(forward) int32_t forward(const float *z, float *a, size_t rows, size_t columns, void *function);
IMPORT(backward)
int32_t backward(const float *z, const float *a, const float *da, float *dz, size_t rows, size_t columns, void *function);
IMPORT(loss)
int32_t loss(const float *outputs, const float *targets, double *losses, float *gradients, size_t rows, size_t output_count,
             size_t target_columns, void *function);
IMPORT(progress) int32_t progress(const bp_progress *report, void *function);
IMPORT(destroy) void destroy(void *function);

EXPORT(register_activation) int32_t register_activation(const char *name, void *function) {
    return bp_activation_register_vector(name, forward, backward, function, destroy);
}

EXPORT(register_loss) int32_t register_loss(const char *name, size_t target_columns, void *function) {
    return bp_loss_register(name, target_columns, loss, function, destroy);
}

EXPORT(set_progress) int32_t set_progress(bp_trainer *trainer, void *function) {
    return bp_trainer_set_progress(trainer, function ? progress : NULL, function);
}

EXPORT(allocate) void *allocate(size_t size) { return malloc(size); }
EXPORT(release) void release(void *memory) { free(memory); }
