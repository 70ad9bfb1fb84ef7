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
 *            After BP_ERROR_IO the calling thread's errno is the operating system's error number, such as ENOENT.
 * Outputs    come last and end in _out. On failure a scalar output is set to 0 and a handle to NULL; the contents of an
 *            output array are then unspecified. loss_out may be NULL; no other pointer may, unless its count is 0.
 * Arrays     are float, row-major, contiguous: a matrix of rows x columns has its element (r, c) at [r * columns + c].
 *            The caller owns them; the library reads or writes them during the call and keeps no pointer to them.
 * Strings    are UTF-8, ended by NUL. The library copies what it keeps. Paths, and symbols of shared libraries, are bytes,
 *            ended by NUL, that go to the operating system unchanged; a message shows one that is not UTF-8 as in
 *            "caf\xe9".
 * Unchecked  are the things C cannot check: a string without its NUL, an array smaller than the counts that come with it,
 *            a pointer that is neither NULL nor valid, a callback of another type. All else that is wrong has a status.
 * Handles    (bp_network *, bp_trainer *) are not addresses and cannot be dereferenced. One that was freed, freed twice,
 *            made up, or is of the other kind gives BP_ERROR_INVALID_HANDLE.
 * Stack.     A call takes less than 128 KiB of its thread's stack, callbacks apart.
 * Threads.   Any function may be called from any thread. Calls on different networks are independent. On one network,
 *            calls that only read it (const) run at the same time; a call that changes it runs alone, and the others
 *            wait until it returns. A callback that calls into the network it is being called from gets BP_ERROR_BUSY
 *            (a const call from within a const call works), and so does a call that would change a network while a
 *            trainer fits it; const calls then go in between steps. Two callbacks, on two threads, that each call into the
 *            other's network wait for each other for ever: do not. Nor may a callback wait for another thread's call on
 *            the network that it is called from, unless both calls are const: such a pair ends, also while a third
 *            thread waits to change the network. A thread must not be cancelled (pthread_cancel) inside a call.
 * Fork.      The child has copies of all networks and trainers, and the forking thread only. They work as in the parent,
 *            also where other threads were in const calls, but for a network or trainer that another thread was
 *            changing, or a network that another thread was fitting: its copy may be in any state, so its handle is
 *            invalid in the child (BP_ERROR_INVALID_HANDLE; free ignores it, and its memory stays taken). The trainer of
 *            such a fit is idle. Calls that the forking thread itself is in, in a callback, continue in the child; one
 *            whose work the library's threads were sharing returns BP_ERROR_INVALID_HANDLE there, and the network, where
 *            it was being changed, is freed. On one of the library's threads (bp_activation_set_thread_safe) the child
 *            must end in the callback: returning from it ends the process.
 * Floating   The library computes in the default environment: rounding to nearest, subnormal numbers kept, no exception
 * point.     trapped. So neither the caller's rounding mode nor its flush-to-zero bits change a result, and a host that traps
 *            exceptions is safe. A call leaves the thread's modes, traps, and flags of invalid operation, division by zero
 *            and overflow as it found them; it may raise the flags of underflow and inexact. Callbacks run in the caller's
 *            environment, on every thread, and must leave its modes as they are; the flags they raise end with the call.
 * Callbacks  carry a user_data pointer, which the library hands back and never touches. They run on the thread that
 *            made the call (activations declared thread-safe on others, too), and must return: no longjmp, no exception.
 *            For languages with a garbage collector, exceptions or threads of their own see docs/hosts.md.
 * Layers     are numbered from the inputs: layer 0 holds the inputs, layer 1 is the first with weights, the last one
 *            gives the outputs.
 * Parameters in flat vectors (parameters, gradients) come layer by layer, from layer 1 on: the weights, row-major
 *            [outputs][inputs], the biases [outputs], and, where batch normalization is on, gamma [outputs] and
 *            beta [outputs]. It is the order of PyTorch's Linear and BatchNorm1d. Their number changes only with
 *            bp_network_set_batchnorm and bp_network_fold_batchnorm. Calls that take or give such a vector also take the
 *            number of its elements, and refuse any other than the network's with BP_ERROR_MISMATCH.
 * Structs    that start with struct_size may come from a program older or newer than the library. The caller sets
 *            struct_size to its own sizeof; the call fills at most that many bytes and sets struct_size to the number it
 *            filled. A struct_size below that of the struct's first version is refused with BP_ERROR_INVALID_VALUE.
 * Determinism. The same seed, calls and data give the same bits, from any language, with any C library, after any save and
 *            load, on processors with the same bp_instruction_set(), "avx512" and "avx2" being the same.
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
#define BP_VERSION_MINOR 2
#define BP_VERSION_PATCH 0
#define BP_VERSION_NUMBER (BP_VERSION_MAJOR * 10000 + BP_VERSION_MINOR * 100 + BP_VERSION_PATCH)
#define BP_ABI_VERSION 1

/* ---- Status ----------------------------------------------------------------------------------------------------- */

#define BP_OK 0      /* done */
#define BP_STOPPED 1 /* done, ended early because a callback asked for it */

#define BP_ERROR_NULL_ARGUMENT (-1)    /* a pointer that must not be NULL is */
#define BP_ERROR_INVALID_VALUE (-2)    /* a value outside what the function accepts */
#define BP_ERROR_INVALID_HANDLE (-3)   /* not a handle of this library, or freed; see Fork */
#define BP_ERROR_BUSY (-4)             /* called from a callback of the same network, or while a trainer fits it */
#define BP_ERROR_UNKNOWN_NAME (-5)     /* no activation, loss or option of that name */
#define BP_ERROR_UNSUPPORTED (-6)      /* meaningful, but not possible here */
#define BP_ERROR_BUFFER_TOO_SMALL (-7) /* needed_out tells the size needed */
#define BP_ERROR_OUT_OF_MEMORY (-50)
#define BP_ERROR_LIMIT (-51)        /* a size beyond what the library can count or hold */
#define BP_ERROR_IO (-100)          /* the operating system refused to read or write; errno then says why */
#define BP_ERROR_NOT_A_MODEL (-101) /* a file of another kind */
#define BP_ERROR_CORRUPT (-102)     /* a model file that was cut or changed */
#define BP_ERROR_VERSION (-103)     /* a model file of a format this library does not know */
#define BP_ERROR_MISMATCH (-104)    /* names, shapes or counts that do not fit the network */
#define BP_ERROR_NOT_FINITE (-200)  /* a NaN or an infinity in the data, the loss or the gradient */
#define BP_ERROR_CALLBACK (-300)    /* a callback reported a failure */
#define BP_ERROR_LIBRARY (-301)     /* a shared library that cannot be opened, or lacks a function */

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

/* The same as text, such as "0.2.0".
 * Ownership: a static string. Errors: none. Threads: any. Since: 0.1 */
const char *bp_version_string(void);

/* The version of the binary interface. A program compiled with BP_ABI_VERSION n runs with any library that answers n.
 * Ownership: none. Errors: none. Threads: any. Since: 0.1 */
uint32_t bp_abi_version(void);

/* The instructions the library computes with on this processor: "avx512", "avx2" (AVX2 and FMA), which give the same bits,
 * or "baseline". Chosen at the first call of the process; the environment variable BACKPROP_INSTRUCTION_SET asks for a
 * narrower one by its name.
 * Ownership: a static string. Errors: none. Threads: any. Since: 0.1 */
const char *bp_instruction_set(void);

/* ---- Threads ---------------------------------------------------------------------------------------------------- */

/* How many threads one call may use, the calling one included; 0 lets the library choose as many as there are
 * processors, as it does at first. Threads are started when a call is first large enough to gain from them, never
 * before; results do not depend on their number. Callbacks run on the calling thread whatever the number, unless
 * bp_activation_set_thread_safe says that they need not. After fork a child starts its own threads.
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

/* The number of training steps since the weights were drawn: by bp_network_create, by bp_network_initialize, or by a
 * trainer for a restart. Parameters set by the caller leave it as it is.
 * Ownership: none.
 * Errors:    NULL_ARGUMENT; INVALID_HANDLE; BUSY.
 * Threads:   reads network.
 * Since:     0.2 */
int32_t bp_network_step_count(const bp_network *network, uint64_t *steps_out);

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

/* The name of a layer's activation (1 ... layer count - 1), also after it was unregistered. *needed_out is the size of
 * the name with its NUL, also when the buffer is too small, as in bp_network_save_memory.
 * Ownership: the buffer remains the caller's.
 * Errors:    NULL_ARGUMENT; INVALID_HANDLE; INVALID_VALUE for a layer out of range; BUFFER_TOO_SMALL; BUSY.
 * Threads:   reads network.
 * Since:     0.2 */
int32_t bp_network_get_activation(const bp_network *network, size_t layer, char *buffer, size_t capacity, size_t *needed_out);

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

/* Whether batch normalization of a layer (1 ... layer count - 1) is on: 1, or 0.
 * Ownership: none.
 * Errors:    NULL_ARGUMENT; INVALID_HANDLE; INVALID_VALUE for a layer out of range; BUSY.
 * Threads:   reads network.
 * Since:     0.2 */
int32_t bp_network_get_batchnorm(const bp_network *network, size_t layer, int32_t *enabled_out);

/* Sets the dropout rate of a hidden layer, one between inputs and outputs: in training each of its units is left out of
 * a row's pass with that probability, and otherwise counts 1 / (1 - rate) times (inverted dropout, Srivastava et al.
 * 2014). The draws come from the network's own random state, seeded with it and saved with it; a training call that
 * fails leaves that as it was. bp_network_predict, bp_network_evaluate and bp_network_check_gradient leave nothing out;
 * the loss of a training call is that of the thinned network.
 *   rate: 0, as at first, for none, to 0.999.
 * Ownership: none.
 * Errors:    NULL_ARGUMENT; INVALID_HANDLE; INVALID_VALUE for a layer or a rate out of range; BUSY.
 * Threads:   changes network.
 * Since:     0.1 */
int32_t bp_network_set_dropout(bp_network *network, size_t layer, double rate);

/* The dropout rate of a hidden layer.
 * Ownership: none.
 * Errors:    NULL_ARGUMENT; INVALID_HANDLE; INVALID_VALUE for a layer out of range; BUSY.
 * Threads:   reads network.
 * Since:     0.1 */
int32_t bp_network_get_dropout(const bp_network *network, size_t layer, double *rate_out);

/* Sets the loss of one row with outputs a and targets y by name:
 *
 *     squared_error          1/2 sum of (a - y)^2                          the notes' objective; the default
 *     binary_cross_entropy   -sum of y log a + (1 - y) log(1 - a)          for outputs in [0, 1], such as logistic
 *     cross_entropy          -sum of y log a                               for softmax outputs; y one-hot or weights
 *
 * Calls that compute a cross-entropy refuse targets it does not take, and built-in activations of the last layer it does
 * not go with: see bp_network_check_settings.
 *   The loss of several rows is their sum, or their mean by option "gradient_reduction". Logarithms are kept above -100;
 * with logistic or softmax outputs the cross-entropies are computed from z and need no such bound.
 * Ownership: none.
 * Errors:    NULL_ARGUMENT; INVALID_HANDLE; UNKNOWN_NAME; BUSY.
 * Threads:   changes network.
 * Since:     0.1 */
int32_t bp_network_set_loss(bp_network *network, const char *name);

/* The name of the network's loss. *needed_out as in bp_network_get_activation.
 * Ownership: the buffer remains the caller's.
 * Errors:    NULL_ARGUMENT; INVALID_HANDLE; BUFFER_TOO_SMALL; BUSY.
 * Threads:   reads network.
 * Since:     0.2 */
int32_t bp_network_get_loss(const bp_network *network, char *buffer, size_t capacity, size_t *needed_out);

/* The name of the loss with that index: count up from 0 until BP_ERROR_UNKNOWN_NAME. *needed_out as in
 * bp_activation_name.
 * Ownership: the buffer remains the caller's.
 * Errors:    NULL_ARGUMENT; UNKNOWN_NAME past the end; BUFFER_TOO_SMALL.
 * Threads:   any.
 * Since:     0.2 */
int32_t bp_loss_name(size_t index, char *buffer, size_t capacity, size_t *needed_out);

/* Finds from rows of data how the network scales its inputs and targets, each by name:
 *
 *     none        not at all, as at first
 *     standard    (x - mean) / standard deviation, column by column
 *     min_max     (x - least) / (greatest - least): from 0 to 1
 *     symmetric   (x - middle) / ((greatest - least) / 2), the middle being that of least and greatest: from -1 to 1
 *     auto        inputs: standard. Targets: for what the last activation and the loss take, so set these before: none
 *                 for the cross-entropies; for squared_error standard behind identity and leaky_relu, symmetric behind
 *                 sign, tanh and softsign, and min_max behind all others. When unsure
 *
 * A column that is the same in all rows becomes 0. From then on the network takes and gives numbers as they are in the
 * data: every call with rows scales inputs and targets, and bp_network_predict scales its outputs back. Losses and
 * gradients are those of the scaled targets. The scaling is part of the network, its copies and its file, and stays
 * until the next call.
 *   inputs: [rows][inputs], or NULL where input_scaling is "none". targets: [rows][outputs], or NULL likewise. rows: 1 or
 *   more unless both are "none".
 * Ownership: the arrays remain the caller's.
 * Errors:    NULL_ARGUMENT; INVALID_HANDLE; UNKNOWN_NAME; INVALID_VALUE for no rows; LIMIT; NOT_FINITE for a NaN or an
 *            infinity in what is looked at; OUT_OF_MEMORY; BUSY.
 * Threads:   changes network.
 * Since:     0.1 */
int32_t bp_network_fit_scaling(bp_network *network, const char *input_scaling, const char *target_scaling, const float *inputs,
                               const float *targets, size_t rows);

/* The name of the scaling of the inputs (of_targets = 0) or of the targets (any other). *needed_out as in
 * bp_network_get_activation. bp_network_get_tensor gives its numbers.
 * Ownership: the buffer remains the caller's.
 * Errors:    NULL_ARGUMENT; INVALID_HANDLE; BUFFER_TOO_SMALL; BUSY.
 * Threads:   reads network.
 * Since:     0.2 */
int32_t bp_network_get_scaling(const bp_network *network, int32_t of_targets, char *buffer, size_t capacity,
                               size_t *needed_out);

/* The name of the scaling with that index: count up from 0 until BP_ERROR_UNKNOWN_NAME. *needed_out as in
 * bp_activation_name.
 * Ownership: the buffer remains the caller's.
 * Errors:    NULL_ARGUMENT; UNKNOWN_NAME past the end; BUFFER_TOO_SMALL.
 * Threads:   any.
 * Since:     0.2 */
int32_t bp_scaling_name(size_t index, char *buffer, size_t capacity, size_t *needed_out);

/* Checks that a network can learn what is meant: BP_OK, or an error whose message says what does not go together, with the
 * row and column of a target, and what to set instead.
 *
 *     settings                        binary_cross_entropy goes with logistic in the last layer, and cross_entropy with
 *                                     softmax. softmax needs two units or more. Target scalings standard and symmetric
 *                                     need squared_error and a last activation with values below 0. Option
 *                                     batchnorm_update 1 needs plain sgd
 *     targets and loss                binary_cross_entropy takes targets from 0 to 1, cross_entropy 0 or more
 *     targets and last activation     with squared_error, targets must lie within what the last activation gives, such
 *                                     as 0 to 1 for logistic; outside by at most a tenth of the spread (greatest -
 *                                     least) of their column, since data have noise
 *
 * Targets are meant as scaled by the network; a difference of 1e-6 counts as rounding. The values of a registered
 * activation are not known: it goes with every loss and all targets that the loss takes.
 *   bp_trainer_fit makes this check first, on all rows whose weight is not 0, and fails with the same errors. Its
 * validation rows, and the rows of bp_network_train_step, bp_network_train_minibatch, bp_network_gradient and
 * bp_network_evaluate, need not lie within what the last activation gives: there the formulas of squared_error are
 * applied as they are, and target scaling is not looked at. Setters can be called in any order.
 *   targets: [rows][outputs]; or NULL and 0 for the settings alone.
 * Ownership: the array remains the caller's.
 * Errors:    NULL_ARGUMENT; INVALID_HANDLE; INVALID_VALUE, and UNSUPPORTED for batchnorm_update, as said above;
 *            NOT_FINITE for a NaN or an infinity in targets; LIMIT; OUT_OF_MEMORY; BUSY.
 * Threads:   reads network.
 * Since:     0.2 */
int32_t bp_network_check_settings(const bp_network *network, const float *targets, size_t rows);

/* Sets how a gradient g becomes a step, by name; alpha is the learning rate, t counts the steps:
 *
 *     sgd            w -= alpha g                                          gradient descent (the notes); the default
 *     momentum       m = momentum m + g;  w -= alpha m
 *     nesterov       m = momentum m + g;  w -= alpha (g + momentum m)
 *     rmsprop        v = rmsprop_alpha v + (1 - rmsprop_alpha) g^2;  w -= alpha g / (sqrt v + epsilon)
 *     adam           m = beta1 m + (1 - beta1) g;  v = beta2 v + (1 - beta2) g^2;
 *                    w -= alpha m / (1 - beta1^t) / (sqrt(v / (1 - beta2^t)) + epsilon). When unsure: alpha = 0.001
 *     adamw          the same, with weight decay apart from the gradient
 *     irprop_minus   each weight has a step size of its own, which grows by 1.2 (to at most 50) while the sign of its
 *                    gradient stays and shrinks by 0.5 (to at least 1e-6) when it turns; alpha is the size of the first
 *                    step, and without effect later. For all rows at once (Igel and Huesken 2000)
 *
 * m and v start at 0. The options of bp_network_set_option named here belong to them. The state is saved with the
 * network, and starts anew with this call, bp_network_initialize, and bp_network_set_batchnorm where that changes
 * anything; it takes as much memory as the parameters for each of m and v, and sgd takes none.
 * Ownership: none.
 * Errors:    NULL_ARGUMENT; INVALID_HANDLE; UNKNOWN_NAME; BUSY.
 * Threads:   changes network.
 * Since:     0.1 */
int32_t bp_network_set_optimizer(bp_network *network, const char *name);

/* The name of the network's optimizer. *needed_out as in bp_network_get_activation.
 * Ownership: the buffer remains the caller's.
 * Errors:    NULL_ARGUMENT; INVALID_HANDLE; BUFFER_TOO_SMALL; BUSY.
 * Threads:   reads network.
 * Since:     0.2 */
int32_t bp_network_get_optimizer(const bp_network *network, char *buffer, size_t capacity, size_t *needed_out);

/* The name of the optimizer with that index: count up from 0 until BP_ERROR_UNKNOWN_NAME. *needed_out as in
 * bp_activation_name.
 * Ownership: the buffer remains the caller's.
 * Errors:    NULL_ARGUMENT; UNKNOWN_NAME past the end; BUFFER_TOO_SMALL.
 * Threads:   any.
 * Since:     0.2 */
int32_t bp_optimizer_name(size_t index, char *buffer, size_t capacity, size_t *needed_out);

/* The values of options that are choices. bp_option_info gives their words. */

#define BP_REDUCTION_SUM 0 /* gradient_reduction */
#define BP_REDUCTION_MEAN 1

#define BP_INITIALIZATION_AUTOMATIC 0 /* initialization */
#define BP_INITIALIZATION_GLOROT 1
#define BP_INITIALIZATION_HE 2
#define BP_INITIALIZATION_LECUN 3

#define BP_BATCHNORM_UPDATE_TOGETHER 0 /* batchnorm_update */
#define BP_BATCHNORM_UPDATE_GAMMA_FIRST 1

/* Sets an option of a network:
 *
 *     name                  values          default   meaning
 *     gradient_reduction    0, 1            0         loss and gradient of a minibatch: 0 the sum over its rows (notes,
 *                                                     section 4), 1 their mean
 *     initialization        0 ... 3         0         random weights, uniform in [-r, r]: 1 Glorot, r^2 = 6 / (inputs +
 *                                                     outputs); 2 He, r^2 = 6 / inputs; 3 LeCun, r^2 = 3 / inputs; 0
 *                                                     automatic: He for relu, leaky_relu, elu, softplus, silu and gelu,
 *                                                     and Glorot for all others. Takes effect as an activation does
 *     batchnorm_epsilon     1e-12 ... 1     1e-5      added to the variance
 *     batchnorm_momentum    0 ... 1         0.1       how far a minibatch moves the running statistics
 *     batchnorm_update      0, 1            0         0 all parameters step along one gradient; 1 gamma and beta step
 *                                                     first, and the layer's weights step along the gradient through
 *                                                     the new gamma (notes, section 5). For train_step and
 *                                                     train_minibatch, with optimizer sgd and none of weight_decay, l1,
 *                                                     clip_norm and clip_value
 *     momentum              0 ... 0.9999    0.9       momentum, nesterov: how much of the last step the next one keeps
 *     beta1                 0 ... 0.999999  0.9       adam, adamw: decay of the moving average of gradients
 *     beta2                 0 ... 0.999999  0.999     adam, adamw: decay of the moving average of their squares
 *     rmsprop_alpha         0 ... 0.999999  0.99      rmsprop: decay of the moving average of squares
 *     epsilon               1e-12 ... 1     1e-8      rmsprop, adam, adamw: added to the root of that average
 *     weight_decay          0 ... 1e6       0         weight_decay * w is added to the gradient of a weight w; with
 *                                                     adamw, w is multiplied by 1 - learning rate * weight_decay
 *                                                     instead
 *     l1                    0 ... 1e6       0         l1 * sign(w) is added to the gradient of a weight w
 *     decay_biases          0, 1            0         whether weight_decay and l1 act on biases, gamma and beta too: 0
 *                                                     no, 1 yes
 *     clip_norm             0 ... 1e30      0         gradients are scaled down, all alike, so that the norm of all of
 *                                                     them is at most this; 0 for no bound
 *     clip_value            0 ... 1e30      0         afterwards each element of the gradient is kept between
 *                                                     -clip_value and clip_value; 0 for no bound
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

#define BP_OPTION_OF_NETWORK 0 /* bp_network_set_option */
#define BP_OPTION_OF_TRAINER 1 /* bp_trainer_set_option */

/* One option. Grows at the end only. */
typedef struct bp_option_description {
    uint32_t struct_size; /* set by the caller to sizeof(bp_option_description), and by the call to what it filled */
    uint32_t owner;       /* one of the BP_OPTION_OF constants */
    const char *name;     /* static */
    const char *meaning;  /* static, one line */
    double default_value;
    double minimum, maximum; /* both are allowed */
    uint32_t whole_numbers;  /* 1 where only whole numbers are */
    uint32_t reserved;       /* 0 */
    const char *choices;     /* static: the words of the values 0, 1, 2 ..., with one space between two, such as
                                "shuffled uniform"; NULL where the option is a number, or 0 for no and 1 for yes */
} bp_option_description;

/* Describes the option with that index, a network's first: count up from 0 until BP_ERROR_UNKNOWN_NAME. The tables in
 * this header say the same.
 * Ownership: the struct is the caller's, its strings are static. On failure all but struct_size is 0.
 * Errors:    NULL_ARGUMENT; INVALID_VALUE for a struct_size that is too small; UNKNOWN_NAME past the end.
 * Threads:   any.
 * Since:     0.2 */
int32_t bp_option_info(size_t index, bp_option_description *description_out);

/* ---- Training --------------------------------------------------------------------------------------------------- */

/* One step of stochastic gradient descent on one row: w := w - learning_rate * gradient, all gradients taken at the old
 * weights (notes, sections 1 to 3), or the step of another optimizer. *loss_out is the loss before the step, without
 * what weight_decay and l1 stand for.
 *   The step is a transaction: when it fails, parameters, statistics and the optimizer's state are bit for bit what they
 * were.
 *   input:  [inputs]. target: [outputs]. learning_rate: finite, 0 or more.
 * Ownership: the arrays remain the caller's.
 * Errors:    NULL_ARGUMENT; INVALID_HANDLE; INVALID_VALUE for the learning rate, or settings or a target that
 *            bp_network_check_settings refuses for the loss; NOT_FINITE for a NaN or an infinity in the row, the loss,
 *            the gradient or the step; UNSUPPORTED for option batchnorm_update 1 with anything but plain sgd; CALLBACK;
 *            OUT_OF_MEMORY; BUSY.
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

/* The gradient of the minibatch's loss, for a host with an update rule of its own: before clipping and decay. Parameters stay; the running
 * statistics move as in bp_network_train_minibatch, so that this call followed by bp_network_apply_gradient is the same
 * as that one (with a few rows, which small networks sum in another order, but for rounding).
 *   gradient_out: [count]. count: the parameter count.
 * Ownership: the arrays remain the caller's.
 * Errors:    as bp_network_train_minibatch; MISMATCH for another count.
 * Threads:   changes network.
 * Since:     0.2 */
int32_t bp_network_gradient(bp_network *network, const float *inputs, const float *targets, size_t rows, float *gradient_out,
                            size_t count, float *loss_out);

/* The optimizer's step along a gradient: with sgd, w := w - learning_rate * gradient.
 *   gradient: [count]. count: the parameter count.
 * Ownership: the array remains the caller's.
 * Errors:    NULL_ARGUMENT; INVALID_HANDLE; INVALID_VALUE for the learning rate; MISMATCH for another count;
 *            NOT_FINITE for a NaN or an infinity in the gradient or the parameters it would give; OUT_OF_MEMORY; BUSY.
 * Threads:   changes network.
 * Since:     0.2 */
int32_t bp_network_apply_gradient(bp_network *network, const float *gradient, size_t count, float learning_rate);

/* Compares the gradient with central differences of the loss, computed in double precision by a separate plain
 * implementation: the way to see that a registered activation has the right derivative. *worst_error_out is the largest
 * |gradient - difference| / max(|gradient|, |difference|, a hundredth of the layer's largest difference). Below 1e-2 is
 * good; a wrong derivative gives much more, a kink of relu or leaky_relu may.
 *   All parameters are compared, or 4096 spread evenly where there are more. Any loss and any targets can be compared,
 * also what bp_network_check_settings refuses. Slow. Changes nothing.
 * Ownership: the arrays remain the caller's.
 * Errors:    as bp_network_gradient; UNSUPPORTED for "sign", whose derivative in training is not its own.
 * Threads:   changes network (it uses its buffers).
 * Since:     0.2 */
int32_t bp_network_check_gradient(bp_network *network, const float *inputs, const float *targets, size_t rows,
                                  double *worst_error_out);

/* ---- Trainers --------------------------------------------------------------------------------------------------- */

/* A trainer runs a whole training: epochs of shuffled minibatches, with a schedule of learning rates, validation, early
 * stopping, restarts and progress. The short way:
 *
 *     bp_trainer *trainer;
 *     bp_trainer_create(&trainer);
 *     bp_trainer_fit(trainer, network, inputs, targets, rows, NULL, NULL, 0, &loss);
 *     bp_trainer_free(trainer);
 *
 * Then the options one by one: "epochs", "batch_size" and "learning_rate" first; "validation_fraction" with "patience" to
 * end before the network learns its rows by heart; "schedule" BP_SCHEDULE_COSINE for the last bit. What a
 * step is, the network says: its loss, optimizer, gradient_reduction. Losses of a trainer are means per row, whatever
 * gradient_reduction says, so that those of training and validation rows compare. Its loss, below, is that of the validation rows after an epoch
 * where there are any, and else that of the training rows during the epoch, each before its step.
 *   One trainer may fit many networks, one after the other. */
typedef struct bp_trainer bp_trainer;

/* What a progress function is told. Only ever handed to one; grows at the end. */
typedef struct bp_progress {
    uint32_t struct_size, restart;  /* restart counts from 0 */
    uint64_t epoch, epochs;         /* epochs finished, of how many */
    uint64_t step, steps;           /* steps done, of how many */
    double loss;                    /* mean per training row: of the epoch just finished, or so far of that in progress */
    double validation_loss;         /* after an epoch; NaN within one, and without validation rows */
    double learning_rate;           /* of the latest step */
    uint32_t epoch_ended, reserved; /* 1 where an epoch has just been finished, 0 within one; 0 */
} bp_progress;

/* Called after each epoch, and as options "progress_interval" and "progress_seconds" say; progress is valid during the
 * call. Returns 0 to go on; more than 0 to stop the fit, which keeps what option "keep" says and returns BP_STOPPED;
 * less to abort it: it restores the network and returns BP_ERROR_CALLBACK, with that number in the message.
 *   It runs on the thread that called bp_trainer_fit, and between steps: const calls on the network work, a save
 * included, which then holds all that a fit with option "resume" needs to go on from there. */
typedef int32_t (*bp_progress_fn)(const bp_progress *progress, void *user_data);

/* Makes a trainer with the default of every option.
 * Ownership: the caller owns *trainer_out and ends it with bp_trainer_free.
 * Errors:    NULL_ARGUMENT; OUT_OF_MEMORY.
 * Threads:   any.
 * Since:     0.1 */
int32_t bp_trainer_create(bp_trainer **trainer_out);

/* Ends a trainer. NULL and handles that are not valid are ignored. A fit in progress is cancelled.
 * Ownership: the handle is invalid from now on; what the progress function uses must live until bp_trainer_fit returns.
 * Errors:    none.
 * Threads:   any.
 * Since:     0.1 */
void bp_trainer_free(bp_trainer *trainer);

#define BP_SAMPLING_SHUFFLED 0 /* sampling */
#define BP_SAMPLING_UNIFORM 1

#define BP_SCHEDULE_CONSTANT 0 /* schedule */
#define BP_SCHEDULE_STEP 1
#define BP_SCHEDULE_EXPONENTIAL 2
#define BP_SCHEDULE_COSINE 3
#define BP_SCHEDULE_INVERSE_TIME 4
#define BP_SCHEDULE_ONE_CYCLE 5
#define BP_SCHEDULE_PLATEAU 6

#define BP_KEEP_AUTOMATIC 0 /* keep */
#define BP_KEEP_LATEST 1
#define BP_KEEP_BEST 2

#define BP_DIVERGENCE_FAIL 0 /* on_divergence */
#define BP_DIVERGENCE_RECOVER 1

/* Sets an option of a trainer:
 *
 *     name                  values          default   meaning
 *     epochs                1 ... 1e9       100       epochs in all; an epoch draws as many rows as there are
 *     steps                 0 ... 1e15      0         steps in all, where more than 0, instead of epochs
 *     batch_size            0 ... 1e9       32        rows of a minibatch; 0, or more than there are: all
 *     drop_last             0, 1            0         an epoch's last minibatch, where fewer rows are left than
 *                                                     batch_size: 0 is smaller, 1 is left out
 *     sampling              0, 1            0         0 each row once an epoch, shuffled (a minibatch of all rows has
 *                                                     them in order); 1 each row drawn uniformly, with replacement
 *                                                     (notes, section 1)
 *     seed                  0 ... 1e15      0         of the order of the rows, of the split, and of the restarts'
 *                                                     weights
 *     learning_rate         0 ... 1e9       0.01      r, from which the schedule starts
 *     schedule              0 ... 6         0         the rate of step t in epoch e, both from 0, of T steps: 0
 *                                                     constant, r; 1 step, r decay_factor^floor(e / decay_epochs); 2
 *                                                     exponential, r decay_factor^(e / decay_epochs); 3 cosine, m + (r
 *                                                     - m) (1 + cos(pi t / T)) / 2 with m = minimum_rate; 4 inverse
 *                                                     time, r / (1 + inverse_time_decay t), which is Robbins and
 *                                                     Monro's; 5 one cycle, up to r and down again along half cosines;
 *                                                     6 plateau, times decay_factor after plateau_patience epochs
 *                                                     without a better loss
 *     decay_factor          0 ... 1         0.5       of schedules 1, 2 and 6
 *     decay_epochs          1 ... 1e9       10        of schedules 1 and 2
 *     plateau_patience      0 ... 1e9       5         of schedule 6
 *     inverse_time_decay    0 ... 1e9       0.001     of schedule 4
 *     one_cycle_peak        0 ... 1         0.3       of schedule 5: the share of the steps after which r is reached
 *     one_cycle_start       1 ... 1e9       25        of schedule 5: it starts from r / one_cycle_start
 *     one_cycle_end         1 ... 1e9       10000     of schedule 5: it ends at its start's rate / one_cycle_end
 *     minimum_rate          0 ... 1e9       0         no schedule goes below it
 *     warmup_steps          0 ... 1e15      0         the rates of the first steps rise in a straight line: times (t +
 *                                                     1) / warmup_steps
 *     validation_fraction   0 ... 0.99      0         share of the rows, drawn by the seed, that is held out for
 *                                                     validation where no set is given
 *     patience              0 ... 1e9       0         epochs without a better loss after which a fit ends; 0: none
 *     min_delta             0 ... 1e30      0         a loss is better when it is lower by more than this
 *     target_loss           0 ... 1e30      0         a fit ends with an epoch whose loss is below it; 0: never
 *     time_limit            0 ... 1e9       0         seconds after which a fit ends; 0: never
 *     keep                  0 ... 2         0         what the network is left with, however the fit ends: 1 the latest
 *                                                     weights; 2 those after the epoch with the best loss; 0 the best
 *                                                     where there is validation or patience, else the latest
 *     restarts              0 ... 10000     0         0 trains the network from its weights; k makes k starts from
 *                                                     fresh weights, of which the best stays
 *     on_divergence         0, 1            0         a loss or a gradient that is not finite: 0 the fit fails; 1 it
 *                                                     goes back to the epoch with the best loss and on from there at
 *                                                     half the rate, up to 30 times
 *     resume                0, 1            0         1 goes on where the network's last fit ended; epochs and steps
 *                                                     then count from its start
 *     progress_interval     0 ... 1e15      0         steps between calls of the progress function, beside those after
 *                                                     each epoch; 0: none
 *     progress_seconds      0 ... 1e9       0         a call of the progress function when this time has passed since
 *                                                     the last; 0: none
 *
 * Ownership: none.
 * Errors:    NULL_ARGUMENT; INVALID_HANDLE; UNKNOWN_NAME; INVALID_VALUE outside the values; BUSY during a fit.
 * Threads:   changes trainer.
 * Since:     0.1 */
int32_t bp_trainer_set_option(bp_trainer *trainer, const char *name, double value);

/* The value of an option.
 * Ownership: none.
 * Errors:    NULL_ARGUMENT; INVALID_HANDLE; UNKNOWN_NAME.
 * Threads:   reads trainer; also during a fit.
 * Since:     0.1 */
int32_t bp_trainer_get_option(const bp_trainer *trainer, const char *name, double *value_out);

/* How much each row counts in the fits to come: its loss and its gradient are multiplied by its weight, while a mean
 * still divides by the number of rows. For class weights, give each row that of its class. Validation rows all count 1.
 *   row_weights: [rows], finite, 0 or more. rows: those of the fits; 0 goes back to no weights.
 * Ownership: the array is copied.
 * Errors:    NULL_ARGUMENT; INVALID_HANDLE; INVALID_VALUE for a weight (the message gives its row); LIMIT;
 *            OUT_OF_MEMORY; BUSY during a fit.
 * Threads:   changes trainer.
 * Since:     0.2 */
int32_t bp_trainer_set_row_weights(bp_trainer *trainer, const float *row_weights, size_t rows);

/* Sets the progress function; NULL for none.
 * Ownership: user_data must live as long as fits may call progress with it.
 * Errors:    NULL_ARGUMENT for trainer; INVALID_HANDLE; BUSY during a fit.
 * Threads:   changes trainer.
 * Since:     0.1 */
int32_t bp_trainer_set_progress(bp_trainer *trainer, bp_progress_fn progress, void *user_data);

/* Trains the network. BP_OK: as options say, also where patience, target or time ended it. BP_STOPPED: the progress
 * function or bp_trainer_cancel ended it. *loss_out is the loss of the weights kept (NaN where no step was made).
 *   A fit that fails has changed nothing, however many steps it had made.
 *   The same seed, data and options give the same bits for any number of threads; only time_limit, progress_seconds and
 * bp_trainer_cancel depend on the clock. Fits are exactly resumable: the network keeps its place in the order of rows
 * and in the schedule, and files keep it too. N epochs in one fit equal k epochs and then, with option "resume", N in
 * all, in any process and language: the same bits, also where a fit was stopped within an epoch, or its network was saved
 * within the fit. Rows, row weights and options have to be the same. Where such a fit needs its best network and that is
 * not the present one, the network and its files hold both: within fits that keep the best weights, and with
 * "on_divergence" 1 also afterwards. A fit with restarts is resumed as a fit of its winner alone.
 *   Restarts train copies of the network on several threads, or on the calling one alone where an activation is the
 * host's and not thread-safe. Copies are in memory for the restarts at work and for the best one so far. With a progress
 * function 16 restarts are at work at a time, and reports come in rounds: one of each of these restarts, in order. When a
 * restart ends, the next one takes its place. The network itself changes at the end.
 *   inputs: [rows][inputs]. targets: [rows][outputs]. rows: 1 or more. validation_inputs, validation_targets: likewise,
 *   with validation_rows; or NULL, NULL and 0, when option "validation_fraction" holds out some of the rows.
 * Ownership: the arrays remain the caller's, and must stay as they are until the call returns.
 * Errors:    NULL_ARGUMENT; INVALID_HANDLE, also for a network that is freed meanwhile; INVALID_VALUE for no rows, rows
 *            that do not match the weights, a single row to be split, or what bp_network_check_settings refuses;
 *            UNSUPPORTED likewise; NOT_FINITE for a NaN or an infinity in the data
 *            (the message gives the first row), or in a step, which option "on_divergence" may survive; CALLBACK; LIMIT;
 *            OUT_OF_MEMORY; BUSY for a trainer or network that is in a fit already.
 * Threads:   the trainer takes no changes during the call. The network takes none but the fit's: const calls go in
 *            between steps, others give BUSY.
 * Since:     0.1 */
int32_t bp_trainer_fit(bp_trainer *trainer, bp_network *network, const float *inputs, const float *targets, size_t rows,
                       const float *validation_inputs, const float *validation_targets, size_t validation_rows,
                       double *loss_out);

/* Ends the trainer's fit in progress before its next step: it keeps what option "keep" says and returns BP_STOPPED.
 * Without a fit in progress nothing happens; a fit that begins later is not affected.
 * Ownership: none.
 * Errors:    NULL_ARGUMENT; INVALID_HANDLE.
 * Threads:   any; also from the progress function.
 * Since:     0.1 */
int32_t bp_trainer_cancel(bp_trainer *trainer);

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
 * Errors:    NULL_ARGUMENT (loss_out included); INVALID_HANDLE; INVALID_VALUE for no rows, or settings or a target as in
 *            bp_network_train_step; LIMIT; NOT_FINITE; CALLBACK; OUT_OF_MEMORY; BUSY.
 * Threads:   reads network.
 * Since:     0.1 */
int32_t bp_network_evaluate(const bp_network *network, const float *inputs, const float *targets, size_t rows, float *loss_out);

/* How good the predictions for rows are, by name:
 *
 *     accuracy              the share of rows in which the largest output is the one with the largest target. With a
 *                           single output, in which output and target are on the same side of 0.5, or of 0 where the
 *                           last activation is sign, tanh or softsign (with target scaling, of what becomes that)
 *     r2                    1 - sum of (a - y)^2 / sum of (y - mean of y)^2, the mean over the outputs; a target that is
 *                           the same in all rows counts 1 if the outputs are it, else 0
 *     mean_absolute_error   the mean of |a - y|
 *
 * all in double precision, of outputs and targets as they are in the data, before any scaling.
 *   inputs: [rows][inputs]. targets: [rows][outputs]. rows: 1 or more.
 * Ownership: the arrays remain the caller's.
 * Errors:    as bp_network_evaluate; UNKNOWN_NAME.
 * Threads:   reads network.
 * Since:     0.1 */
int32_t bp_network_score(const bp_network *network, const char *measure, const float *inputs, const float *targets, size_t rows,
                         double *score_out);

/* The name of the score with that index: count up from 0 until BP_ERROR_UNKNOWN_NAME. *needed_out as in
 * bp_activation_name.
 * Ownership: the buffer remains the caller's.
 * Errors:    NULL_ARGUMENT; UNKNOWN_NAME past the end; BUFFER_TOO_SMALL.
 * Threads:   any.
 * Since:     0.2 */
int32_t bp_score_name(size_t index, char *buffer, size_t capacity, size_t *needed_out);

/* Puts the batch normalization of all layers into their weights, and takes it away: the form for use, smaller and faster,
 * whose predictions differ by rounding only, a few units of 1e-6 of the largest. Training would go another way, so call it
 * on a clone and go on training the original. Normalization that was turned off is forgotten.
 *   Changes the parameter count where a layer was normalized.
 * Ownership: none.
 * Errors:    NULL_ARGUMENT; INVALID_HANDLE; NOT_FINITE where weights would not be finite; BUSY.
 * Threads:   changes network.
 * Since:     0.1 */
int32_t bp_network_fold_batchnorm(bp_network *network);

/* ---- Parameters ------------------------------------------------------------------------------------------------- */

/* The number of parameters: of weights, biases, and gamma and beta where batch normalization is on.
 * Ownership: none.
 * Errors:    NULL_ARGUMENT; INVALID_HANDLE; BUSY.
 * Threads:   reads network.
 * Since:     0.1 */
int32_t bp_network_parameter_count(const bp_network *network, size_t *count_out);

/* Copies the parameters out, in the order given under CONVENTIONS.
 *   parameters_out: [count]. count: the parameter count.
 * Ownership: the array remains the caller's.
 * Errors:    NULL_ARGUMENT; INVALID_HANDLE; MISMATCH for another count; BUSY.
 * Threads:   reads network.
 * Since:     0.2 */
int32_t bp_network_get_parameters(const bp_network *network, float *parameters_out, size_t count);

/* Replaces the parameters. Running statistics stay.
 *   parameters: [count], all finite. count: the parameter count.
 * Ownership: the array remains the caller's.
 * Errors:    NULL_ARGUMENT; INVALID_HANDLE; MISMATCH for another count; NOT_FINITE; BUSY.
 * Threads:   changes network.
 * Since:     0.2 */
int32_t bp_network_set_parameters(bp_network *network, const float *parameters, size_t count);

/* TENSORS. What a model's file holds as tensors can be read and set by the names it has there, in this order:
 *
 *     layers.1.weight [outputs][inputs]            and so on for each layer with weights
 *     layers.1.bias [outputs]
 *     layers.1.norm.weight, .bias [outputs]        gamma and beta, and the running statistics, of a layer whose batch
 *     layers.1.norm.running_mean, .running_var     normalization is on, or was on
 *     optimizer.first_moment.layers.1.weight ...   what the optimizer keeps for each parameter, from its first step on.
 *                                                  It belongs to the optimizer's step count, and cannot be set
 *     scaling.inputs.offset, .scale [inputs]       where a scaling is not "none": the network computes with
 *     scaling.targets.offset, .scale [outputs]     (x - offset) / scale */

/* The name of the tensor with that index: count up from 0 until BP_ERROR_UNKNOWN_NAME. *needed_out as in
 * bp_network_get_activation.
 * Ownership: the buffer remains the caller's.
 * Errors:    NULL_ARGUMENT; INVALID_HANDLE; UNKNOWN_NAME past the end; BUFFER_TOO_SMALL; OUT_OF_MEMORY; BUSY.
 * Threads:   reads network.
 * Since:     0.2 */
int32_t bp_network_tensor_name(const bp_network *network, size_t index, char *buffer, size_t capacity, size_t *needed_out);

/* The shape of a tensor. A vector has one row.
 * Ownership: none.
 * Errors:    NULL_ARGUMENT; INVALID_HANDLE; UNKNOWN_NAME; OUT_OF_MEMORY; BUSY.
 * Threads:   reads network.
 * Since:     0.2 */
int32_t bp_network_tensor_shape(const bp_network *network, const char *name, size_t *rows_out, size_t *columns_out);

/* Copies a tensor out, row by row.
 *   values_out: [count]. count: rows times columns.
 * Ownership: the array remains the caller's.
 * Errors:    NULL_ARGUMENT; INVALID_HANDLE; UNKNOWN_NAME; MISMATCH for another count; OUT_OF_MEMORY; BUSY.
 * Threads:   reads network.
 * Since:     0.2 */
int32_t bp_network_get_tensor(const bp_network *network, const char *name, float *values_out, size_t count);

/* Replaces a tensor, all of it or, when the call fails, nothing.
 *   values: [count], all finite; running variances 0 or more; scales above 0. count: rows times columns.
 * Ownership: the array remains the caller's.
 * Errors:    NULL_ARGUMENT; INVALID_HANDLE; UNKNOWN_NAME; MISMATCH for another count; NOT_FINITE; INVALID_VALUE for a
 *            variance below 0 or a scale not above 0; UNSUPPORTED for an optimizer's tensor; OUT_OF_MEMORY; BUSY.
 * Threads:   changes network.
 * Since:     0.2 */
int32_t bp_network_set_tensor(bp_network *network, const char *name, const float *values, size_t count);

/* ---- Metadata --------------------------------------------------------------------------------------------------- */

/* Texts of the program's own that go with the network, its copies and its file, where any safetensors reader finds them
 * under "metadata." and the key: names of classes or features, say, or where the data came from. */

/* Sets the text of a key, or replaces it.
 *   key: 1 to 256 bytes. key and value: UTF-8. At most 1024 keys, and 1 MiB of keys and values together.
 * Ownership: both strings are copied.
 * Errors:    NULL_ARGUMENT; INVALID_HANDLE; INVALID_VALUE for a key of another size, or text that is not UTF-8; LIMIT;
 *            BUSY.
 * Threads:   changes network.
 * Since:     0.1 */
int32_t bp_network_set_metadata(bp_network *network, const char *key, const char *value);

/* The text of a key. *needed_out is its size in bytes with its NUL, also when the buffer is too small, as in
 * bp_network_save_memory.
 * Ownership: the buffer remains the caller's.
 * Errors:    NULL_ARGUMENT; INVALID_HANDLE; INVALID_VALUE for a key that is not UTF-8; UNKNOWN_NAME for a key without a
 *            text; BUFFER_TOO_SMALL; BUSY.
 * Threads:   reads network.
 * Since:     0.1 */
int32_t bp_network_get_metadata(const bp_network *network, const char *key, char *buffer, size_t capacity, size_t *needed_out);

/* The key with that index, in the order of their bytes: count up from 0 until BP_ERROR_UNKNOWN_NAME.
 * Ownership: the buffer remains the caller's.
 * Errors:    NULL_ARGUMENT; INVALID_HANDLE; UNKNOWN_NAME past the end; BUFFER_TOO_SMALL; BUSY.
 * Threads:   reads network.
 * Since:     0.1 */
int32_t bp_network_metadata_key(const bp_network *network, size_t index, char *buffer, size_t capacity, size_t *needed_out);

/* Removes a key and its text.
 * Ownership: none.
 * Errors:    NULL_ARGUMENT; INVALID_HANDLE; INVALID_VALUE for a key that is not UTF-8; UNKNOWN_NAME for a key without a
 *            text; BUSY.
 * Threads:   changes network.
 * Since:     0.1 */
int32_t bp_network_remove_metadata(bp_network *network, const char *key);

/* ---- Files ------------------------------------------------------------------------------------------------------ */

/* A model is one safetensors file: any reader of that format opens it. It holds the parameters and running statistics
 * ("layers.1.weight", "layers.1.bias", "layers.1.norm.weight", ...) and, as metadata, everything else a network is, with
 * a checksum of the whole. Activations are kept by name. */

/* Writes the network to a file. The file appears whole or not at all: an old one of that name stays until the new one
 * is safely on the disk. The bytes go to a file ".bp-....tmp" in the same folder first, which then gets the name. Where a
 * process is killed while it saves, that one is left, and the next save to the same path removes it.
 *   A symbolic link is followed. Other hard links keep the old file. The new file has the rights, the access-control list
 * and, where the process may give them, the owner and the group of the old one. Where the list or the group cannot be
 * kept, the group gets no more rights than all others.
 *   Refused, with IO, is what cannot be replaced whole: a folder, pipe, socket or device, a file that another file system is
 * mounted on, and a link to an open file (/dev/stdout, /proc/self/fd/...). So is an old file that the process may not
 * write, although its folder would let it replace the file. To write elsewhere, use bp_network_save_memory.
 *   A limit of file sizes (RLIMIT_FSIZE) is an IO, too: no SIGXFSZ is delivered.
 * Ownership: none.
 * Errors:    NULL_ARGUMENT; INVALID_HANDLE; INVALID_VALUE for an empty path; IO, whose message gives the cause and, where
 *            it is that, names the folder; OUT_OF_MEMORY; BUSY.
 * Threads:   reads network while it copies the parameters; writing the file then holds up no other call.
 * Since:     0.1 */
int32_t bp_network_save(const bp_network *network, const char *path);

/* Makes a network from a regular file, or a link to one. Memory is taken only after the header's sizes were found to be
 * those of the file.
 * Ownership: the caller owns *network_out and ends it with bp_network_free.
 * Errors:    NULL_ARGUMENT; INVALID_VALUE for an empty path; IO; NOT_A_MODEL; CORRUPT; VERSION; UNKNOWN_NAME for
 *            activations that are not registered (the message names them); LIMIT for a header of more than 16 MiB or
 *            65,536 entries; OUT_OF_MEMORY.
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

/* Takes the weights from any safetensors file, such as PyTorch's state dictionaries saved in that format: tensors in any
 * order, with the names and shapes a model of this network has,
 *
 *     layers.1.weight   [outputs, inputs]             layers.1.norm.weight, .bias,
 *     layers.1.bias     [outputs]                     .running_mean, .running_var   [outputs] each
 *
 * and so on for each layer, the right ones where the layer has batch normalization (where that is off they may be
 * missing). Types F32, F64 (rounded), F16 and BF16. Other metadata, tensors whose names do not start with "layers.",
 * PyTorch's num_batches_tracked, and fields of a tensor beside "dtype", "shape" and "data_offsets" are ignored; any other
 * tensor of a layer the network does not have is a MISMATCH. A model of this library is held to its checksum. Activations,
 * loss, options and the step count stay.
 * Ownership: none.
 * Errors:    NULL_ARGUMENT; INVALID_HANDLE; INVALID_VALUE for an empty path; IO; NOT_A_MODEL for a file that is not
 *            safetensors; CORRUPT; VERSION; LIMIT for a header of more than 16 MiB or 65,536 entries; MISMATCH for a
 *            tensor that is missing, has another shape or type, or belongs to no layer (the message names it);
 *            NOT_FINITE for a NaN, an infinity or a negative variance; OUT_OF_MEMORY; BUSY.
 * Threads:   changes network; reading the file before holds up no other call.
 * Since:     0.1 */
int32_t bp_network_load_weights(bp_network *network, const char *path);

/* ---- Activations ------------------------------------------------------------------------------------------------ */

/* There are five ways to bring an activation of one's own. Once registered, it is used by its name like a built-in one,
 * by all networks of the process, and files keep that name.
 *
 *     scalar    a callback for one number                               bp_activation_register_scalar
 *     vector    a callback for a whole matrix, which may couple the     bp_activation_register_vector
 *               numbers of a row, and may fail
 *     foreign   any C function of numbers, such as erf or ldexp         bp_activation_register_foreign
 *     library   the same, by its name in a shared library               bp_activation_register_library
 *     plug-in   a shared library that registers its own: see PLUG-INS   bp_plugin_load
 *
 * Names have 1 to 64 characters of a-z, 0-9, '_', '.', '-'. Built-in activations cannot be replaced or removed.
 *
 * Lifetime.  A network keeps what it uses: unregistering only frees the name. The end of an activation is when it is
 *            unregistered and the last network with it is freed or has another in its place; then destroy is called,
 *            once, on the thread that did so. A shared library that holds one of its functions stays open until then,
 *            also if the host closes it.
 * Threads.   Callbacks run on the thread that made the call, for one layer at a time; but calls on several networks, or
 *            concurrent predictions on one, may run them at the same time. bp_activation_set_thread_safe lets the
 *            library's own threads share in the work.
 * Failing.   A NaN or an infinity written by a callback fails a training call with BP_ERROR_NOT_FINITE; a vector
 *            callback may fail it by what it returns. The network is then as it was. */

#define BP_ACTIVATION_BUILT_IN 0
#define BP_ACTIVATION_SCALAR 1
#define BP_ACTIVATION_VECTOR 2
#define BP_ACTIVATION_FOREIGN 3
#define BP_ACTIVATION_LIBRARY 4

/* a = f(z) for one number. */
typedef float (*bp_scalar_fn)(float z, void *user_data);

/* f'(z) for one number, where a = f(z). */
typedef float (*bp_scalar_derivative_fn)(float z, float a, void *user_data);

/* a = f(z) for a matrix of rows x columns (columns is the size of the layer). z and a do not overlap. Returns 0, or any
 * other number to fail the call with BP_ERROR_CALLBACK, whose message tells it. A training call brings all rows at once,
 * unless the activation is thread-safe; other calls may bring a part of them at a time. */
typedef int32_t (*bp_vector_forward_fn)(const float *z, float *a, size_t rows, size_t columns, void *user_data);

/* dz from da, the gradients of the loss with respect to z and a. For a function of each number alone that is
 * dz = da * f'(z). dz overlaps none of the others. Returns as above. */
typedef int32_t (*bp_vector_backward_fn)(const float *z, const float *a, const float *da, float *dz, size_t rows,
                                         size_t columns, void *user_data);

/* Any C function, converted to this type; a signature tells its own. */
typedef void (*bp_foreign_fn)(void);

/* Called once with user_data when nothing uses an activation any more. */
typedef void (*bp_destroy_fn)(void *user_data);

/* Registers an activation from a function of one number.
 *   derivative: NULL for central differences, (f(z + h) - f(z - h)) / 2h with h = max(1, |z|) / 256, made a power of
 *   two: about 4 correct digits where f is smooth. user_data may be NULL. destroy: NULL for none.
 * Ownership: user_data must live until destroy is called. When registering fails it is not called.
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

/* The same from any C function of numbers, of C, Fortran, Rust, or the C library itself: no wrapper is needed.
 *
 *     bp_activation_register_foreign("erf", (bp_foreign_fn)erf, NULL, "d(d)", NULL, 0);
 *     const double exponent = -1;
 *     bp_activation_register_foreign("half", (bp_foreign_fn)ldexp, NULL, "d(d,i)", &exponent, 1);
 *
 * (C++ has several functions named erf, and wants to know which: (bp_foreign_fn)(double (*)(double))erf.)
 *   signature: R(A[,A...]), what the function returns and takes, without spaces; f is float, d double, i int32_t,
 *   l int64_t, u uint32_t. The first parameter is z, f or d. The others, at most 15, are constants, given here once:
 *   whole numbers within its range for an integer parameter, finite ones for all.
 *   derivative: a function of the same signature, called with the same z and constants; NULL for central differences:
 *   with h as above, or, for "d(d...)", which has the digits for it, max(1, |z|) / 131072: about 9 correct digits.
 *   A function that takes something else than the signature says cannot be told from one that does not, and may end the
 *   process.
 * Ownership: constants remain the caller's.
 * Errors:    NULL_ARGUMENT for name, function, signature, or constants where constant_count is not 0; INVALID_VALUE for
 *            a malformed name or one that is taken, a malformed signature (the message points at the character), and
 *            constants that do not fit it; OUT_OF_MEMORY.
 * Threads:   any.
 * Since:     0.1 */
int32_t bp_activation_register_foreign(const char *name, bp_foreign_fn function, bp_foreign_fn derivative,
                                       const char *signature, const double *constants, size_t constant_count);

/* The same from a shared library, by the names of its functions.
 *   library_path: as dlopen takes it, with a slash a file, without one a name it searches for; NULL for the process
 *   itself, which is the program and what it was linked with. derivative_symbol: NULL for central differences.
 * Ownership: the library opens the shared library for itself, and closes it at the activation's end.
 * Errors:    as bp_activation_register_foreign; INVALID_VALUE for an empty path; LIBRARY where there is no such file, it
 *            is no shared library, or it has no function of that name.
 * Threads:   any.
 * Since:     0.1 */
int32_t bp_activation_register_library(const char *name, const char *library_path, const char *function_symbol,
                                       const char *derivative_symbol, const char *signature, const double *constants,
                                       size_t constant_count);

/* Declares that several threads may call an activation at a time, also in one call of one network (thread_safe != 0), or
 * that they may not (0, as at first). Layers that take it up from now on compute it on all threads, like a built-in
 * one; a vector activation then gets a part of the rows at a time and must treat each row by itself. Results are the
 * same. Most pure functions are thread-safe, such as erf and all of libm.
 *   Its callbacks may then run on threads of the library's own, with stacks of 1 MiB.
 * Ownership: none.
 * Errors:    NULL_ARGUMENT; UNKNOWN_NAME; UNSUPPORTED for a built-in one.
 * Threads:   any.
 * Since:     0.1 */
int32_t bp_activation_set_thread_safe(const char *name, int32_t thread_safe);

/* Gives an activation that was registered without one a destroy: for the code of a foreign function that was made while
 * the program runs, and has to be kept as long as it is used.
 * Ownership: user_data must live until destroy is called. When this call fails it is not called.
 * Errors:    NULL_ARGUMENT for name or destroy; UNKNOWN_NAME; UNSUPPORTED for a built-in activation; INVALID_VALUE for
 *            one that has a destroy.
 * Threads:   any.
 * Since:     0.1 */
int32_t bp_activation_set_destroy(const char *name, void *user_data, bp_destroy_fn destroy);

/* Removes a registered activation's name. Networks that use the activation go on with it.
 * Ownership: see Lifetime above.
 * Errors:    NULL_ARGUMENT; UNKNOWN_NAME; UNSUPPORTED for a built-in one.
 * Threads:   any, also while a network that uses it trains.
 * Since:     0.1 */
int32_t bp_activation_unregister(const char *name);

/* The name of the activation with that index, built-in ones first: count up from 0 until BP_ERROR_UNKNOWN_NAME.
 * *needed_out is the size of the name with its NUL, also when the buffer is too small, as in bp_network_save_memory.
 * Ownership: the buffer remains the caller's.
 * Errors:    NULL_ARGUMENT; UNKNOWN_NAME past the end; BUFFER_TOO_SMALL.
 * Threads:   any; registering and unregistering meanwhile may shift what follows the built-in ones.
 * Since:     0.1 */
int32_t bp_activation_name(size_t index, char *buffer, size_t capacity, size_t *needed_out);

/* How an activation came, one of the BP_ACTIVATION constants; those of a plug-in as it registered them.
 * Ownership: none.
 * Errors:    NULL_ARGUMENT; UNKNOWN_NAME.
 * Threads:   any.
 * Since:     0.1 */
int32_t bp_activation_kind(const char *name, int32_t *kind_out);

/* Where and how a derivative was compared. Grows at the end only. */
typedef struct bp_activation_report {
    uint32_t struct_size; /* in: sizeof(bp_activation_report); out: how much of it this library filled */
    uint32_t points;      /* numbers z where f' was compared */
    uint32_t kinks;       /* of them, those at a kink or a jump of f, as far as the numbers hit any */
    uint32_t skipped;     /* numbers left out, f not being finite around them */
    double worst_error;   /* *worst_error_out */
    double worst_z;       /* where that is */
    double first_kink;    /* the z of a kink or a jump; NaN for none */
} bp_activation_report;

/* Compares an activation's derivative with differences of its values at some 200 numbers z from -1000 to 1000, 0, many
 * small ones and all quarters up to 8 among them. A vector activation is compared on four matrices of 3 x 16 numbers,
 * through the gradient of a weighted sum of all its outputs. *worst_error_out is the largest relative error,
 * |f' - difference| / max(|f'|, |difference|), less what rounding to float explains. A right derivative gives less than
 * 1e-2, mostly less than 1e-4; a wrong one mostly near 1.
 *   At a kink any f' from that of one side to that of the other is right, at a jump any at all. Numbers around which f
 * is not finite are left out.
 *   report_out: NULL, or where the worst error is, and more. On failure all of it but struct_size is 0.
 * Ownership: the report remains the caller's.
 * Errors:    NULL_ARGUMENT for name or worst_error_out; INVALID_VALUE for a struct_size that is too small; UNKNOWN_NAME;
 *            UNSUPPORTED for "sign", whose derivative in training is not its own; NOT_FINITE where f is finite at none of
 *            the numbers; CALLBACK; OUT_OF_MEMORY.
 * Threads:   any; callbacks run on the calling thread.
 * Since:     0.2 */
int32_t bp_activation_check(const char *name, double *worst_error_out, bp_activation_report *report_out);

/* PLUG-INS. A plug-in is a shared library with one function of C linkage that is visible to dlsym,
 *
 *     int32_t bp_plugin_register(const bp_plugin_host *host)
 *     {
 *         int32_t status = host->register_scalar("swish2", swish2, swish2_derivative, NULL, NULL);
 *         if (status == BP_OK) status = host->set_thread_safe("swish2", 1);
 *         return status;
 *     }
 *
 * which registers its activations and returns 0, or any other number to refuse. It needs this header only, and need not
 * link with the library: host has the functions to call, those of the very library that loads the plug-in. Any language
 * that makes shared libraries will do; Examples/ has one in C and one in Rust.
 *   All or nothing: what it registers, on the thread it is called on, gets its names when it has returned 0. When it
 * has not, or a name is taken by then, everything is given up, destroy being called for what it had registered.
 *   The plug-in stays loaded until the end of the last of its activations, at least. */

/* Functions for a plug-in, each as its namesake (bp_activation_ or bp_) above. Grows at the end only. */
typedef struct bp_plugin_host {
    uint32_t struct_size; /* what this library's version has; a newer plug-in asks before it uses what came later */
    uint32_t abi_version; /* bp_abi_version() */
    int32_t (*register_scalar)(const char *name, bp_scalar_fn function, bp_scalar_derivative_fn derivative, void *user_data,
                               bp_destroy_fn destroy);
    int32_t (*register_vector)(const char *name, bp_vector_forward_fn forward, bp_vector_backward_fn backward, void *user_data,
                               bp_destroy_fn destroy);
    int32_t (*register_foreign)(const char *name, bp_foreign_fn function, bp_foreign_fn derivative, const char *signature,
                                const double *constants, size_t constant_count);
    int32_t (*register_library)(const char *name, const char *library_path, const char *function_symbol,
                                const char *derivative_symbol, const char *signature, const double *constants,
                                size_t constant_count);
    int32_t (*set_thread_safe)(const char *name, int32_t thread_safe);
    int32_t (*set_destroy)(const char *name, void *user_data, bp_destroy_fn destroy);
    const char *(*last_error_message)(void);
} bp_plugin_host;

typedef int32_t (*bp_plugin_register_fn)(const bp_plugin_host *host);

/* Loads a plug-in and registers all its activations.
 *   path: as dlopen takes it: with a slash a file, without one a name it searches for.
 * Ownership: the library opens the shared library for itself, and closes it as said above.
 * Errors:    NULL_ARGUMENT; INVALID_VALUE for an empty path, or a name that is taken; LIBRARY where there is no such
 *            file, it is no shared library, or it has no bp_plugin_register; CALLBACK when that returned another number
 *            than 0, which the message tells with the first refusal it met.
 * Threads:   any; the plug-in's function runs on the calling thread.
 * Since:     0.1 */
int32_t bp_plugin_load(const char *path);

#ifdef __cplusplus
}
#endif

#endif
