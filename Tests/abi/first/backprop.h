/* backprop.h: multilayer neural networks trained by backpropagation.
 *
 * What is not in this file is not part of the interface.
 *
 * THE SHORT WAY
 *
 *     size_t sizes[] = {2, 4, 1};
 *     bp_network *network;
 *     float loss, output;
 *     if (bp_network_create(sizes, 3, 1, &network) != BP_OK) puts(bp_last_error_message());
 *     for (int epoch = 0; epoch < 5000; epoch++)
 *         bp_network_train_minibatch(network, inputs, targets, 4, 1.0f, &loss);
 *     bp_network_predict(network, inputs, 1, &output);
 *     bp_network_save(network, "xor.safetensors");
 *     bp_network_free(network);
 *
 * A new network is the one of the textbook: every unit computes logistic(w x + bias), the loss is half the squared
 * error, a step is plain gradient descent. The setters below change that layer by layer.
 *
 * CONVENTIONS
 *
 * Status.    Every call that can fail returns an int32_t: BP_OK (0), BP_STOPPED (1), or a negative error.
 *            bp_last_error_message() then tells in one line what was wrong. A failed call has changed nothing.
 * Outputs    come last and end in _out. On failure a scalar output is set to 0 and a handle to NULL; the contents of an
 *            output array are then unspecified. loss_out may be NULL; no other pointer may, unless its count is 0.
 * Arrays     are float, row-major, contiguous: a matrix of rows x columns has its element (r, c) at [r * columns + c].
 *            The caller owns them; the library reads or writes them during the call and keeps no pointer to them.
 * Strings    are UTF-8, ended by NUL. The library copies what it keeps.
 * Handles    (bp_network *) are not addresses and cannot be dereferenced. One that was freed, freed twice, or made up
 *            gives BP_ERROR_INVALID_HANDLE.
 * Threads.   Any function may be called from any thread. Calls on different networks are independent. On one network,
 *            calls that only read it (const) run at the same time; a call that changes it runs alone, and the others
 *            wait until it returns. A callback that calls into the network it is being called from gets BP_ERROR_BUSY
 *            (a const call from within a const call works). Two callbacks, on two threads, that each call into the
 *            other's network wait for each other for ever: do not.
 * Callbacks  carry a user_data pointer, which the library hands back and never touches. They run on the thread that
 *            made the call, and must return: no longjmp, no exception.
 * Layers     are numbered from the inputs: layer 0 holds the inputs, layer 1 is the first with weights, the last one
 *            gives the outputs.
 * Parameters in flat vectors (parameters, gradients) come layer by layer, from layer 1 on: the weights, row-major
 *            [outputs][inputs], the biases [outputs], and, where batch normalization is on, gamma [outputs] and
 *            beta [outputs]. It is the order of PyTorch's Linear and BatchNorm1d. Their number changes only with
 *            bp_network_set_batchnorm: do not call that on another thread between asking for the number and using it.
 * Determinism. The same seed, calls and data give the same bits, from any language, after any save and load, on
 *            processors with the same bp_instruction_set().
 *
 * "notes" below are the lecture notes "Backpropagation in Neural Networks", whose formulas this library implements.
 */
#ifndef BACKPROP_H
#define BACKPROP_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The version of this header. The library's own is bp_version_number(). */
#define BP_VERSION_MAJOR 0
#define BP_VERSION_MINOR 1
#define BP_VERSION_PATCH 0
#define BP_VERSION_NUMBER (BP_VERSION_MAJOR * 10000 + BP_VERSION_MINOR * 100 + BP_VERSION_PATCH)
#define BP_ABI_VERSION 1

/* ---- Status ----------------------------------------------------------------------------------------------------- */

#define BP_OK 0      /* done */
#define BP_STOPPED 1 /* done, ended early because a callback asked for it */

#define BP_ERROR_NULL_ARGUMENT (-1)    /* a pointer that must not be NULL is */
#define BP_ERROR_INVALID_VALUE (-2)    /* a value outside what the function accepts */
#define BP_ERROR_INVALID_HANDLE (-3)   /* not a handle of this library, or freed */
#define BP_ERROR_BUSY (-4)             /* called from a callback of the same network */
#define BP_ERROR_UNKNOWN_NAME (-5)     /* no activation, loss or option of that name */
#define BP_ERROR_UNSUPPORTED (-6)      /* meaningful, but not possible here */
#define BP_ERROR_BUFFER_TOO_SMALL (-7) /* needed_out tells the size needed */
#define BP_ERROR_OUT_OF_MEMORY (-50)
#define BP_ERROR_LIMIT (-51)           /* a size beyond what the library can count or hold */
#define BP_ERROR_IO (-100)             /* the operating system refused to read or write */
#define BP_ERROR_NOT_A_MODEL (-101)    /* a file of another kind */
#define BP_ERROR_CORRUPT (-102)        /* a model file that was cut or changed */
#define BP_ERROR_VERSION (-103)        /* a model file of a format this library does not know */
#define BP_ERROR_MISMATCH (-104)       /* names or shapes that do not fit the network */
#define BP_ERROR_NOT_FINITE (-200)     /* a NaN or an infinity in the data, the loss or the gradient */
#define BP_ERROR_CALLBACK (-300)       /* a callback reported a failure */

/* The name of a status, "BP_ERROR_IO" for BP_ERROR_IO; "BP_ERROR_UNKNOWN_STATUS" for a number that is none.
 * Ownership: a static string.
 * Errors:    none.
 * Threads:   any.
 * Since:     0.1 */
const char *bp_status_name(int32_t status);

/* One line about the latest call that failed on this thread; "" before any has.
 * Ownership: the library's; valid until this thread's next failing call. Copy it to keep it.
 * Errors:    none.
 * Threads:   each thread has its own message.
 * Since:     0.1 */
const char *bp_last_error_message(void);

/* ---- Version ---------------------------------------------------------------------------------------------------- */

/* The version of the library in use, major * 10000 + minor * 100 + patch.
 * Ownership: none. Errors: none. Threads: any. Since: 0.1 */
uint32_t bp_version_number(void);

/* The same as text, such as "0.1.0".
 * Ownership: a static string. Errors: none. Threads: any. Since: 0.1 */
const char *bp_version_string(void);

/* The version of the binary interface. A program compiled with BP_ABI_VERSION n runs with any library that answers n.
 * Ownership: none. Errors: none. Threads: any. Since: 0.1 */
uint32_t bp_abi_version(void);

/* The instructions the library computes with on this processor: "avx2" (AVX2 and FMA) or "baseline". Chosen at the
 * first call of the process; the environment variable BACKPROP_INSTRUCTION_SET=baseline asks for the baseline.
 * Ownership: a static string. Errors: none. Threads: any. Since: 0.1 */
const char *bp_instruction_set(void);

/* ---- Threads ---------------------------------------------------------------------------------------------------- */

/* How many threads one call may use, the calling one included; 0 lets the library choose as many as there are
 * processors, as it does at first. Threads are started when a call is first large enough to gain from them, never
 * before; results do not depend on their number. Callbacks run on the calling thread whatever the number. After fork a
 * child starts its own.
 * Ownership: none.
 * Errors:    INVALID_VALUE for more than 256.
 * Threads:   any; takes effect with the next call of any network.
 * Since:     0.1 */
int32_t bp_set_thread_count(size_t count);

/* The number in force: what was set, or what the library chose.
 * Ownership: none. Errors: none. Threads: any. Since: 0.1 */
size_t bp_thread_count(void);

/* ---- Networks --------------------------------------------------------------------------------------------------- */

/* A fully connected feed-forward network with its parameters and the state of its training. */
typedef struct bp_network bp_network;

/* Makes a network of layer_count layers, layer_sizes[0] inputs to layer_sizes[layer_count - 1] outputs, with seeded
 * random weights (see option "initialization") and biases 0. Every layer starts with activation "logistic" and
 * without batch normalization; the loss is "squared_error".
 * Ownership: the caller owns *network_out and ends it with bp_network_free.
 * Errors:    NULL_ARGUMENT; INVALID_VALUE for fewer than 2 layers or a layer of size 0; LIMIT for more than 1024
 *            layers, or sizes whose products cannot be counted; OUT_OF_MEMORY.
 * Threads:   any.
 * Since:     0.1 */
int32_t bp_network_create(const size_t *layer_sizes, size_t layer_count, uint64_t seed, bp_network **network_out);

/* Makes an independent copy with the same parameters, settings and state of training.
 * Ownership: the caller owns *network_out and ends it with bp_network_free.
 * Errors:    NULL_ARGUMENT; INVALID_HANDLE; BUSY; OUT_OF_MEMORY.
 * Threads:   reads network.
 * Since:     0.1 */
int32_t bp_network_clone(const bp_network *network, bp_network **network_out);

/* Ends a network. NULL and handles that are not valid are ignored.
 * Ownership: the handle is invalid from now on.
 * Errors:    none.
 * Threads:   waits for calls in progress on other threads. From a callback of the same network it takes effect when
 *            the call in progress returns.
 * Since:     0.1 */
void bp_network_free(bp_network *network);

/* Draws fresh weights, as bp_network_create does with that seed, keeping layers, activations, loss and options. Biases,
 * gamma, beta, running statistics and the step count start anew: one of the "many different initial values" of
 * notes, section 3.
 * Ownership: none.
 * Errors:    NULL_ARGUMENT; INVALID_HANDLE; BUSY.
 * Threads:   changes network.
 * Since:     0.1 */
int32_t bp_network_initialize(bp_network *network, uint64_t seed);

/* The number of layers as given to bp_network_create: the inputs count as layer 0.
 * Ownership: none.
 * Errors:    NULL_ARGUMENT; INVALID_HANDLE; BUSY.
 * Threads:   reads network.
 * Since:     0.1 */
int32_t bp_network_layer_count(const bp_network *network, size_t *count_out);

/* The size of a layer, 0 ... layer count - 1.
 * Ownership: none.
 * Errors:    NULL_ARGUMENT; INVALID_HANDLE; INVALID_VALUE for a layer out of range; BUSY.
 * Threads:   reads network.
 * Since:     0.1 */
int32_t bp_network_layer_size(const bp_network *network, size_t layer, size_t *size_out);

/* Sets the activation of a layer (1 ... layer count - 1) by name. Built in, with z the weighted sum of a unit:
 *
 *     identity     z                                  elu        z > 0 ? z : e^z - 1
 *     sign         -1, 0, 1                           softplus   log(1 + e^z)
 *     logistic     1 / (1 + e^-z)                     softsign   z / (1 + |z|)
 *     tanh         (e^z - e^-z) / (e^z + e^-z)        silu       z logistic(z)
 *     relu         max(0, z)                          gelu       z (1 + erf(z / sqrt 2)) / 2
 *     leaky_relu   z > 0 ? z : 0.01 z                 softmax    e^z / sum of e^z over the layer
 *
 * or a registered one. "sign" counts as having derivative 1 in training: with a single layer of weights that is the
 * perceptron algorithm (notes, section 1). Until the network is first trained or given parameters, its weights follow
 * the initialization rule of the new activation.
 * Ownership: the network keeps a registered activation alive, even after it is unregistered.
 * Errors:    NULL_ARGUMENT; INVALID_HANDLE; INVALID_VALUE for a layer out of range; UNKNOWN_NAME; BUSY.
 * Threads:   changes network.
 * Since:     0.1 */
int32_t bp_network_set_activation(bp_network *network, size_t layer, const char *name);

/* Turns batch normalization of a layer's weighted sums, before its activation, on (enabled != 0) or off (notes,
 * section 5). A layer's first time starts with gamma = 1, beta = 0, running mean 0, running variance 1; turning it off
 * keeps the four for the next time.
 *   Minibatches of two rows or more are normalized with their own mean and (biased) variance, and move the running
 * mean and (unbiased) variance by option "batchnorm_momentum". A single row has no variance: it is normalized with the
 * running statistics d = z - mean; mean += momentum d; variance = (1 - momentum)(variance + momentum d^2), the moves
 * coming after. bp_network_predict and bp_network_evaluate always use the running statistics.
 *   Changes the parameter count.
 * Ownership: none.
 * Errors:    NULL_ARGUMENT; INVALID_HANDLE; INVALID_VALUE for a layer out of range; OUT_OF_MEMORY; BUSY.
 * Threads:   changes network.
 * Since:     0.1 */
int32_t bp_network_set_batchnorm(bp_network *network, size_t layer, int32_t enabled);

/* Sets the loss of one row with outputs a and targets y by name:
 *
 *     squared_error          1/2 sum of (a - y)^2                          the notes' objective; the default
 *     binary_cross_entropy   -sum of y log a + (1 - y) log(1 - a)          for outputs in [0, 1], such as logistic
 *     cross_entropy          -sum of y log a                               for softmax outputs; y one-hot or weights
 *
 * The loss of several rows is their sum, or their mean by option "gradient_reduction". Logarithms are kept above -100;
 * with logistic or softmax outputs the cross-entropies are computed from z and need no such bound.
 * Ownership: none.
 * Errors:    NULL_ARGUMENT; INVALID_HANDLE; UNKNOWN_NAME; BUSY.
 * Threads:   changes network.
 * Since:     0.1 */
int32_t bp_network_set_loss(bp_network *network, const char *name);

/* Sets an option:
 *
 *     name                  values          default   meaning
 *     gradient_reduction    0, 1            0         loss and gradient of a minibatch: 0 the sum over its rows
 *                                                     (notes, section 4), 1 their mean
 *     initialization        0 ... 3         0         random weights, uniform in [-r, r]: 1 Glorot, r^2 = 6 / (inputs +
 *                                                     outputs); 2 He, r^2 = 6 / inputs; 3 LeCun, r^2 = 3 / inputs;
 *                                                     0 chooses He for relu, leaky_relu, elu, softplus, silu and gelu,
 *                                                     and Glorot for all others. Takes effect as an activation does
 *     batchnorm_epsilon     1e-12 ... 1     1e-5      added to the variance
 *     batchnorm_momentum    0 ... 1         0.1       how far a minibatch moves the running statistics
 *     batchnorm_update      0, 1            0         0 all parameters step along one gradient; 1 gamma and beta step
 *                                                     first, and the layer's weights step along the gradient through
 *                                                     the new gamma (notes, section 5). For train_step and
 *                                                     train_minibatch
 *
 * Ownership: none.
 * Errors:    NULL_ARGUMENT; INVALID_HANDLE; UNKNOWN_NAME; INVALID_VALUE outside the values; BUSY.
 * Threads:   changes network.
 * Since:     0.1 */
int32_t bp_network_set_option(bp_network *network, const char *name, double value);

/* The value of an option.
 * Ownership: none.
 * Errors:    NULL_ARGUMENT; INVALID_HANDLE; UNKNOWN_NAME; BUSY.
 * Threads:   reads network.
 * Since:     0.1 */
int32_t bp_network_get_option(const bp_network *network, const char *name, double *value_out);

/* ---- Training --------------------------------------------------------------------------------------------------- */

/* One step of stochastic gradient descent on one row: w := w - learning_rate * gradient, all gradients taken at the old
 * weights (notes, sections 1 to 3). *loss_out is the loss before the step.
 *   The step is a transaction: when it fails, parameters and statistics are bit for bit what they were.
 *   input:  [inputs]. target: [outputs]. learning_rate: finite, 0 or more.
 * Ownership: the arrays remain the caller's.
 * Errors:    NULL_ARGUMENT; INVALID_HANDLE; INVALID_VALUE for the learning rate; NOT_FINITE for a NaN or an infinity in
 *            the row, the loss or the gradient; CALLBACK; OUT_OF_MEMORY; BUSY.
 * Threads:   changes network.
 * Since:     0.1 */
int32_t bp_network_train_step(bp_network *network, const float *input, const float *target, float learning_rate,
                              float *loss_out);

/* The same for a minibatch, with the sum (or mean) of its rows' gradients (notes, section 4). Only here does batch
 * normalization see the statistics of a minibatch (notes, section 5).
 *   inputs: [rows][inputs]. targets: [rows][outputs]. rows: 1 or more.
 * Ownership: the arrays remain the caller's.
 * Errors:    as bp_network_train_step; INVALID_VALUE for no rows; LIMIT for more rows than can be counted.
 * Threads:   changes network.
 * Since:     0.1 */
int32_t bp_network_train_minibatch(bp_network *network, const float *inputs, const float *targets, size_t rows,
                                   float learning_rate, float *loss_out);

/* The gradient of the minibatch's loss, for a host with an update rule of its own. Parameters stay; the running
 * statistics move as in bp_network_train_minibatch, so that this call followed by bp_network_apply_gradient is the same
 * as that one (with a single row, but for rounding).
 *   gradient_out: [parameter count].
 * Ownership: the arrays remain the caller's.
 * Errors:    as bp_network_train_minibatch.
 * Threads:   changes network.
 * Since:     0.1 */
int32_t bp_network_gradient(bp_network *network, const float *inputs, const float *targets, size_t rows,
                            float *gradient_out, float *loss_out);

/* w := w - learning_rate * gradient.
 *   gradient: [parameter count].
 * Ownership: the array remains the caller's.
 * Errors:    NULL_ARGUMENT; INVALID_HANDLE; INVALID_VALUE for the learning rate; NOT_FINITE for a NaN or an infinity in
 *            the gradient or the parameters it would give; BUSY.
 * Threads:   changes network.
 * Since:     0.1 */
int32_t bp_network_apply_gradient(bp_network *network, const float *gradient, float learning_rate);

/* Compares the gradient with central differences of the loss, computed in double precision by a separate plain
 * implementation: the way to see that a registered activation has the right derivative. *worst_error_out is the largest
 * |gradient - difference| / max(|gradient|, |difference|, a hundredth of the layer's largest difference). Below 1e-2 is
 * good; a wrong derivative gives much more, a kink of relu or leaky_relu may.
 *   All parameters are compared, or 4096 spread evenly where there are more. Slow. Changes nothing.
 * Ownership: the arrays remain the caller's.
 * Errors:    as bp_network_gradient; UNSUPPORTED for "sign", whose derivative in training is not its own.
 * Threads:   changes network (it uses its buffers).
 * Since:     0.1 */
int32_t bp_network_check_gradient(bp_network *network, const float *inputs, const float *targets, size_t rows,
                                  double *worst_error_out);

/* ---- Use -------------------------------------------------------------------------------------------------------- */

/* The outputs for rows of inputs. A row's outputs do not depend on the other rows.
 *   inputs: [rows][inputs]. outputs_out: [rows][outputs], must not overlap inputs. rows may be 0. NaN and infinity go
 *   through as the arithmetic takes them.
 * Ownership: the arrays remain the caller's.
 * Errors:    NULL_ARGUMENT; INVALID_HANDLE; LIMIT; CALLBACK; OUT_OF_MEMORY; BUSY.
 * Threads:   reads network; concurrent calls each use buffers of their own.
 * Since:     0.1 */
int32_t bp_network_predict(const bp_network *network, const float *inputs, size_t rows, float *outputs_out);

/* The loss of the predictions for rows of inputs, without training: with running statistics in batch normalization.
 *   inputs: [rows][inputs]. targets: [rows][outputs]. rows: 1 or more.
 * Ownership: the arrays remain the caller's.
 * Errors:    NULL_ARGUMENT (loss_out included); INVALID_HANDLE; INVALID_VALUE for no rows; LIMIT; NOT_FINITE; CALLBACK;
 *            OUT_OF_MEMORY; BUSY.
 * Threads:   reads network.
 * Since:     0.1 */
int32_t bp_network_evaluate(const bp_network *network, const float *inputs, const float *targets, size_t rows,
                            float *loss_out);

/* ---- Parameters ------------------------------------------------------------------------------------------------- */

/* The number of parameters: of weights, biases, and gamma and beta where batch normalization is on.
 * Ownership: none.
 * Errors:    NULL_ARGUMENT; INVALID_HANDLE; BUSY.
 * Threads:   reads network.
 * Since:     0.1 */
int32_t bp_network_parameter_count(const bp_network *network, size_t *count_out);

/* Copies the parameters out, in the order given under CONVENTIONS.
 *   parameters_out: [parameter count].
 * Ownership: the array remains the caller's.
 * Errors:    NULL_ARGUMENT; INVALID_HANDLE; BUSY.
 * Threads:   reads network.
 * Since:     0.1 */
int32_t bp_network_get_parameters(const bp_network *network, float *parameters_out);

/* Replaces the parameters. Running statistics stay.
 *   parameters: [parameter count], all finite.
 * Ownership: the array remains the caller's.
 * Errors:    NULL_ARGUMENT; INVALID_HANDLE; NOT_FINITE; BUSY.
 * Threads:   changes network.
 * Since:     0.1 */
int32_t bp_network_set_parameters(bp_network *network, const float *parameters);

/* ---- Files ------------------------------------------------------------------------------------------------------ */

/* A model is one safetensors file: any reader of that format opens it. It holds the parameters and running statistics
 * ("layers.1.weight", "layers.1.bias", "layers.1.norm.weight", ...) and, as metadata, everything else a network is, with
 * a checksum of the whole. Activations are kept by name. */

/* Writes the network to a file. The file appears whole or not at all: an old one of that name stays until the new one
 * is safely on the disk.
 * Ownership: none.
 * Errors:    NULL_ARGUMENT; INVALID_HANDLE; INVALID_VALUE for an empty path; IO; OUT_OF_MEMORY; BUSY.
 * Threads:   reads network.
 * Since:     0.1 */
int32_t bp_network_save(const bp_network *network, const char *path);

/* Makes a network from a file.
 * Ownership: the caller owns *network_out and ends it with bp_network_free.
 * Errors:    NULL_ARGUMENT; INVALID_VALUE for an empty path; IO; NOT_A_MODEL; CORRUPT; VERSION; UNKNOWN_NAME for
 *            activations that are not registered (the message names them); LIMIT; OUT_OF_MEMORY.
 * Threads:   any.
 * Since:     0.1 */
int32_t bp_network_load(const char *path, bp_network **network_out);

/* Writes what bp_network_save would write to memory. *needed_out is the size in bytes, also when the buffer is too
 * small: a first call with capacity 0 and buffer NULL asks for it, and returns BUFFER_TOO_SMALL.
 * Ownership: the buffer remains the caller's.
 * Errors:    NULL_ARGUMENT; INVALID_HANDLE; BUFFER_TOO_SMALL; OUT_OF_MEMORY; BUSY.
 * Threads:   reads network.
 * Since:     0.1 */
int32_t bp_network_save_memory(const bp_network *network, uint8_t *buffer, size_t capacity, size_t *needed_out);

/* Makes a network from such bytes.
 * Ownership: the caller owns *network_out and ends it with bp_network_free; the bytes remain the caller's.
 * Errors:    as bp_network_load, without IO.
 * Threads:   any.
 * Since:     0.1 */
int32_t bp_network_load_memory(const uint8_t *bytes, size_t count, bp_network **network_out);

/* ---- Activations ------------------------------------------------------------------------------------------------ */

/* a = f(z) for one number. */
typedef float (*bp_scalar_fn)(float z, void *user_data);

/* f'(z) for one number, where a = f(z). */
typedef float (*bp_scalar_derivative_fn)(float z, float a, void *user_data);

/* a = f(z) for a matrix of rows x columns (columns is the size of the layer). z and a do not overlap. Returns 0, or any
 * other number to fail the call with BP_ERROR_CALLBACK. Outside training, a call may bring part of the rows at a time. */
typedef int32_t (*bp_vector_forward_fn)(const float *z, float *a, size_t rows, size_t columns, void *user_data);

/* dz from da, the gradients of the loss with respect to z and a. For a function of each number alone that is
 * dz = da * f'(z). dz overlaps none of the others. Returns as above. */
typedef int32_t (*bp_vector_backward_fn)(const float *z, const float *a, const float *da, float *dz, size_t rows,
                                         size_t columns, void *user_data);

/* Called once with user_data when nothing uses an activation any more. */
typedef void (*bp_destroy_fn)(void *user_data);

/* Registers an activation for the whole process, from a function of one number. Afterwards it is used by name like a
 * built-in one. Callbacks run on the calling thread; calls on several networks, or concurrent predictions, may run them
 * at the same time.
 *   name: 1 to 64 characters of a-z, 0-9, '_', '.', '-'. derivative: NULL for central differences,
 *   (f(z + h) - f(z - h)) / 2h with h near 2^-8 max(1, |z|): about 4 correct digits where f is smooth. user_data may be
 *   NULL. destroy: NULL for none.
 * Ownership: user_data must live until destroy is called, once: after bp_activation_unregister and the end of the last
 *            network that uses it. When registering fails it is not called.
 * Errors:    NULL_ARGUMENT for name or function; INVALID_VALUE for a malformed name or one that is taken;
 *            OUT_OF_MEMORY.
 * Threads:   any.
 * Since:     0.1 */
int32_t bp_activation_register_scalar(const char *name, bp_scalar_fn function, bp_scalar_derivative_fn derivative,
                                      void *user_data, bp_destroy_fn destroy);

/* The same from functions of whole matrices: one call a layer, which may couple the columns of a row, and may fail.
 * Ownership, Errors, Threads, Since: as bp_activation_register_scalar; forward and backward must not be NULL. */
int32_t bp_activation_register_vector(const char *name, bp_vector_forward_fn forward, bp_vector_backward_fn backward,
                                      void *user_data, bp_destroy_fn destroy);

/* Removes a registered activation's name. Networks that use the activation go on with it.
 * Ownership: see destroy above.
 * Errors:    NULL_ARGUMENT; UNKNOWN_NAME; UNSUPPORTED for a built-in one.
 * Threads:   any.
 * Since:     0.1 */
int32_t bp_activation_unregister(const char *name);

/* The name of the activation with that index, built-in ones first: count up from 0 until BP_ERROR_UNKNOWN_NAME.
 * *needed_out is the size of the name with its NUL, also when the buffer is too small, as in bp_network_save_memory.
 * Ownership: the buffer remains the caller's.
 * Errors:    NULL_ARGUMENT; UNKNOWN_NAME past the end; BUFFER_TOO_SMALL.
 * Threads:   any; registering and unregistering meanwhile may shift what follows the built-in ones.
 * Since:     0.1 */
int32_t bp_activation_name(size_t index, char *buffer, size_t capacity, size_t *needed_out);

#ifdef __cplusplus
}
#endif

#endif
