/* backprop.h: multilayer neural networks trained by backpropagation.
 *
 * THE CONTRACT
 *
 *   - The interface is this file. What this file does not describe can change.
 *   - A call returns a status. A call that fails changes nothing, and bp_last_error_message() says what is wrong.
 *   - Every wrong argument has a status. The exceptions are listed under "Unchecked" below.
 *   - Any function may be called from any thread.
 *   - The same seed, calls and data give the same bits.
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
 * A new network computes logistic(w x + bias) in every unit. Its loss is half the squared error, and its optimizer is
 * plain gradient descent. The setters under "Networks" change this layer by layer. For data of more than a few rows, use a
 * trainer, which makes the minibatches and epochs: see "Trainers".
 *
 * CONTENTS
 *
 *     Status, Version, Threads     results of calls; the library in use; the number of threads
 *     Rows                         data of other types and layouts than float arrays
 *     Networks                     create and free; activations, batch normalization, dropout, loss, scaling, optimizer,
 *                                  options
 *     Training                     single steps, gradients
 *     Trainers                     whole trainings
 *     Workers                      one training by several processes
 *     Prediction                   outputs, loss and scores
 *     Predictors                   predictions that never wait
 *     Parameters, Metadata         read and set what a network holds
 *     Files                        save and load
 *     Activations, Losses          custom activations and losses
 *     Plug-ins                     shared libraries with custom activations and losses
 *
 * The last four lines of each function's comment are:
 *
 *     Ownership    who frees what, and how long it must live
 *     Errors       the statuses that the function returns, without the prefix BP_ERROR_
 *     Threads      "reads network": runs beside other calls that read this network; "changes network": runs alone
 *     Since        the version that introduced the function
 *
 * CONVENTIONS
 *
 * Host.      The program that uses the library.
 * Status.    Every call that can fail returns an int32_t: BP_OK (0), another success (above 0), or a negative error.
 *            - bp_last_error_message() then describes the error in one line.
 *            - Every call may return OUT_OF_MEMORY, also where its Errors do not name it.
 *            - After BP_ERROR_IO the calling thread's errno is the operating system's error number, such as ENOENT.
 * Outputs.   Output parameters come last, and their names end in _out.
 *            - When a call fails, it sets a scalar output to 0 and a handle to NULL; needed_out is also set with
 *              BUFFER_TOO_SMALL. The contents of an output array are then unspecified.
 *            - loss_out may be NULL. No other pointer may be NULL, unless its count is 0 or its comment allows it.
 * Arrays.    Arrays of numbers are float, row-major and contiguous: a matrix of rows x columns has its element (r, c) at
 *            [r * columns + c]. The caller owns them. The library uses them only during the call.
 * Strings.   Strings are UTF-8 and end with NUL. The library copies the strings that it keeps.
 *            - Paths, and symbols of shared libraries, are bytes that end with NUL. They are passed to the operating system
 *              unchanged. A message shows a path that is not UTF-8 with escapes, as in "caf\xe9".
 * Unchecked. C cannot check these: a string without its NUL, an array smaller than its counts, an output array that overlaps
 *            another array of the call, a pointer that is neither NULL nor valid, and a callback of another type. Arrays that
 *            are only read may overlap, such as the inputs and targets of an autoencoder. Everything else that is wrong has a
 *            status.
 * Handles.   bp_network *, bp_trainer * and bp_predictor * are handles, not addresses, and cannot be dereferenced. A
 *            handle that was freed, was never returned by the library, or is of the other type gives BP_ERROR_INVALID_HANDLE.
 * Stack.     A call uses less than 128 KiB of its thread's stack, without callbacks.
 * Threads.   - Any function may be called from any thread. Calls on different networks are independent.
 *            - Calls that only read a network (const) run at the same time. A call that changes a network runs alone, and
 *              other calls on this network wait until it returns.
 *            - A callback that calls into the network that it is called from gets BP_ERROR_BUSY, unless both calls are
 *              const.
 *            - While a trainer fits a network, calls that would change the network return BP_ERROR_BUSY. Const calls run
 *              between steps.
 *            - Deadlock: two callbacks on two threads must not each call into the other's network. A callback must not wait
 *              for another thread's call on the network that it is called from, unless both calls are const. If both are
 *              const, both complete, even while a third thread waits to change the network.
 *            - A thread must not be cancelled (pthread_cancel) inside a call.
 * Fork.      After fork() the child has copies of all networks, trainers and predictors, and only the thread that forked.
 *            - The copies work as in the parent, even if other threads were in const calls on them, or in runs.
 *            - A network, trainer or predictor that another thread was changing, and a network that another thread was
 *              fitting, may be in any state. Its handle is invalid in the child: calls return BP_ERROR_INVALID_HANDLE, free
 *              ignores it, and its memory stays allocated. The trainer of such a fit is idle and can be used.
 *            - A call that forked, in a callback, continues in the child. If the library's threads shared its work, it
 *              returns BP_ERROR_INVALID_HANDLE in the child, and a network that it was changing is freed.
 *            - A callback that forks on one of the library's threads (see bp_activation_set_thread_safe) must end the child
 *              itself. If it returns, the child ends.
 *            - The child starts its own threads when it needs them.
 * Floating   The library computes in the default environment: rounding to nearest, subnormal numbers kept, no exception
 * point.     trapped.
 *            - The caller's rounding mode and flush-to-zero bits do not change results. A host may trap exceptions.
 *            - Processors are slow with subnormal numbers. What would often be one, and does not matter, is 0 instead: see
 *              bp_network_set_activation, bp_network_set_optimizer and bp_network_set_batchnorm.
 *            - A call leaves the thread's modes and traps as they were, and its flags of invalid operation, division by
 *              zero and overflow. It may raise the flags of underflow and inexact.
 *            - Callbacks run in the caller's environment, on every thread. They must not change its modes. The flags that
 *              they raise are lost when the call returns.
 * Callbacks. A callback receives a user_data pointer, which the library only passes on.
 *            - It runs on the thread that made the call. Activations declared thread-safe run on other threads, too.
 *            - It must return: no longjmp, and no exception may leave it.
 *            - docs/hosts.md describes languages with garbage collection, exceptions or their own threads.
 * Layers.    Layers are numbered from the inputs: layer 0 holds the inputs, layer 1 is the first layer with weights, and
 *            the last layer computes the outputs.
 * Parameters Flat vectors of parameters and gradients have this order: layer by layer, from layer 1 on, the weights
 * and        [outputs][inputs], row-major; the biases [outputs]; and, if batch normalization is on, gamma [outputs] and
 * gradients. beta [outputs]. This is the order of PyTorch's Linear and BatchNorm1d.
 *            - The number of parameters changes only with bp_network_set_batchnorm, bp_network_fold_batchnorm and
 *              bp_network_replace_output.
 *            - A call with such a vector has a count parameter. A count that is not the network's gives BP_ERROR_MISMATCH.
 * Structs.   A struct that starts with struct_size may come from a program that is older or newer than the library.
 *            - The caller sets struct_size to sizeof the struct. The call fills at most this number of bytes, and sets
 *              struct_size to the number that it filled.
 *            - A struct_size smaller than the struct's first version gives BP_ERROR_INVALID_VALUE.
 *            - A struct that the caller describes something with (bp_rows) is only read. Members that the library does not
 *              know must be 0: otherwise the call returns BP_ERROR_UNSUPPORTED.
 * Determi-   The same seed, calls and data give the same bits: from any language, with any C library, with any number of
 * nism.      threads, after any save and load, and on all processors with the same bp_instruction_set(). "avx512", "avx2"
 *            and "neon" give the same bits. "baseline" gives the same bits on every system and processor, WebAssembly included.
 * Systems.   Some systems lack a part that the library needs: files, shared libraries, or libffi. The functions that need it
 *            then return BP_ERROR_UNSUPPORTED: those with a path, bp_activation_register_library and
 *            bp_activation_register_foreign. WebAssembly has no shared libraries and no libffi. Without threads, every call
 *            computes on the calling thread.
 *
 * "notes" in this file are the lecture notes "Backpropagation in Neural Networks", whose formulas the library implements.
 */
#ifndef BACKPROP_H
#define BACKPROP_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The version of this header. bp_version_number() returns the library's version. */
#define BP_VERSION_MAJOR 0
#define BP_VERSION_MINOR 2
#define BP_VERSION_PATCH 0
#define BP_VERSION_NUMBER (BP_VERSION_MAJOR * 10000 + BP_VERSION_MINOR * 100 + BP_VERSION_PATCH)
#define BP_ABI_VERSION 1

/* ---- Status ----------------------------------------------------------------------------------------------------- */

#define BP_OK 0                    /* success */
#define BP_STOPPED 1               /* success; a callback or bp_trainer_cancel ended the call early */
#define BP_WARNING_MISSING_CLASS 2 /* success; a class is not in both parts of a split: see option "stratify" */

#define BP_ERROR_NULL_ARGUMENT (-1)    /* a pointer is NULL that must not be NULL */
#define BP_ERROR_INVALID_VALUE (-2)    /* a value that the function does not accept */
#define BP_ERROR_INVALID_HANDLE (-3)   /* not a handle of this library, or a freed one; see Fork */
#define BP_ERROR_BUSY (-4)             /* called from a callback of the same network, or during a fit */
#define BP_ERROR_UNKNOWN_NAME (-5)     /* no activation, loss, option, tensor or key has this name */
#define BP_ERROR_UNSUPPORTED (-6)      /* a meaningful request that is not possible here */
#define BP_ERROR_BUFFER_TOO_SMALL (-7) /* needed_out is the size needed */
#define BP_ERROR_OUT_OF_MEMORY (-50)
#define BP_ERROR_LIMIT (-51)        /* a size that the library cannot count or hold */
#define BP_ERROR_IO (-100)          /* the operating system failed to read or write; errno is the reason */
#define BP_ERROR_NOT_A_MODEL (-101) /* a file of another kind */
#define BP_ERROR_CORRUPT (-102)     /* a model file that was truncated or changed */
#define BP_ERROR_VERSION (-103)     /* a model file of a format that this library cannot read */
#define BP_ERROR_MISMATCH (-104)    /* names, shapes or counts that do not match the network */
#define BP_ERROR_NOT_FINITE (-200)  /* a NaN or an infinity in the data, the loss, the gradient or the step */
#define BP_ERROR_CALLBACK (-300)    /* a callback reported a failure */
#define BP_ERROR_LIBRARY (-301)     /* a shared library that cannot be opened, or lacks a function */
#define BP_ERROR_WORKER (-302)      /* the call failed on another worker: see Workers */

/* The name of a status, such as "BP_ERROR_IO" for BP_ERROR_IO; "BP_ERROR_UNKNOWN_STATUS" for any other number.
 * Ownership: a static string.
 * Errors:    none.
 * Threads:   any.
 * Since:     0.1 */
const char *bp_status_name(int32_t status);

/* One line about the latest call that failed, or returned a warning, on this thread; "" if there was none.
 * Ownership: the library owns the string. It is valid until the next such call on this thread. Copy it to keep it.
 * Errors:    none.
 * Threads:   each thread has its own message.
 * Since:     0.1 */
const char *bp_last_error_message(void);

/* ---- Version ---------------------------------------------------------------------------------------------------- */

/* The version of the library in use: major * 10000 + minor * 100 + patch.
 * Ownership: none. Errors: none. Threads: any. Since: 0.1 */
uint32_t bp_version_number(void);

/* The version of the library in use as text, such as "0.2.0".
 * Ownership: a static string. Errors: none. Threads: any. Since: 0.1 */
const char *bp_version_string(void);

/* The version of the binary interface. A program compiled with BP_ABI_VERSION n runs with any library that returns n.
 * Ownership: none. Errors: none. Threads: any. Since: 0.1 */
uint32_t bp_abi_version(void);

/* The instruction set that the library computes with on this processor: "avx512", "avx2" (AVX2 and FMA) or "neon" (arm64),
 * which give the same bits, or "baseline", which every processor has and which gives the same bits on all of them. It is chosen at
 * the first call of the process. The environment variable BACKPROP_INSTRUCTION_SET selects a narrower instruction set by its name.
 * Other values of it have no effect: compare the result where you need a certain set.
 * Ownership: a static string. Errors: none. Threads: any. Since: 0.1 */
const char *bp_instruction_set(void);

/* ---- Threads ---------------------------------------------------------------------------------------------------- */

/* Sets the number of threads that one call may use, the calling thread included. Results do not depend on it. Threads are
 * started when a call is first large enough to gain from them. Callbacks run on the calling thread, unless
 * bp_activation_set_thread_safe allows other threads.
 *   count: 0 to 256. 0, the default, is the number of processors. When unsure: 0.
 * Ownership: none.
 * Errors:    INVALID_VALUE for more than 256.
 * Threads:   any; takes effect with the next call of any network.
 * Since:     0.1 */
int32_t bp_set_thread_count(size_t count);

/* The number of threads in use: the number set, or the number that the library chose.
 * Ownership: none. Errors: none. Threads: any. Since: 0.1 */
size_t bp_thread_count(void);

/* ---- Rows ------------------------------------------------------------------------------------------------------- */

#define BP_FLOAT 0  /* type of bp_rows */
#define BP_DOUBLE 1 /* IEEE 754 binary64 */
#define BP_HALF 2   /* IEEE 754 binary16 */
#define BP_INT8 3
#define BP_UINT8 4

/* Describes rows of any type and layout: doubles, column-major matrices (R, Fortran, MATLAB), parts of larger tables. The
 * functions whose names end in _rows take them. Each is the second form of a function that takes float arrays.
 *
 *     bp_rows x = {sizeof(bp_rows), BP_DOUBLE, matrix, 150, 4, 8, 150 * 8, 0, 0, NULL};   column-major, 150 x 4
 *
 *   - Number (r, c) is at the address values + r * row_stride + c * column_stride, which need not be aligned. Strides count
 *     bytes, and may be negative or 0. If both are 0, the numbers are row-major without gaps.
 *   - Numbers are converted to float where they are used: a block of rows or a minibatch at a time. All rows are converted
 *     together only where they are one minibatch.
 *   - Where the network scales, it subtracts the offset from doubles in double precision, and then rounds to float. Numbers of
 *     other types are converted to float before.
 *   - Aligned floats that are row-major without gaps are used in place, and give the bits of the function without _rows. So
 *     do other numbers that a float represents exactly, without scaling; only a loss of more than 1,024 rows may differ, by
 *     the rounding of its sums.
 *   - NOT_FINITE is returned for numbers that are not finite, and for those beyond the range of float when the network
 *     computes with them. The message gives the first row and its column. bp_network_predict_rows computes with them.
 *   - A row's loss and gradient are multiplied by its weight. A mean loss still divides by the number of rows. Scores are
 *     weighted means. Only a parameter whose name ends in "targets" may have weights; a fit of the scaling ignores them. */
typedef struct bp_rows {
    uint32_t struct_size;     /* sizeof(bp_rows) */
    int32_t type;             /* BP_FLOAT, BP_DOUBLE, BP_HALF, BP_INT8 or BP_UINT8 */
    const void *values;       /* the address of number (0, 0) */
    size_t rows, columns;     /* columns: the network's inputs, or a row's targets: bp_network_target_columns */
    ptrdiff_t row_stride;     /* bytes from a row to the next one */
    ptrdiff_t column_stride;  /* bytes from a column to the next one */
    float scale;              /* BP_INT8, BP_UINT8: the number is scale * (stored - zero_point), and 0 counts as 1. Others: 0 */
    int32_t zero_point;       /* BP_INT8, BP_UINT8: -128 to 255. Others: 0 */
    const float *row_weights; /* [rows], finite, 0 or more; or NULL: all are 1 */
} bp_rows;

/* ---- Networks --------------------------------------------------------------------------------------------------- */

/* A fully connected feed-forward network with its parameters and its training state. */
typedef struct bp_network bp_network;

/* Creates a network with random weights (see option "initialization") and biases 0. Every layer has activation "logistic"
 * and no batch normalization. The loss is "squared_error", and the optimizer is "sgd".
 *   layer_sizes: [layer_count], from the inputs to the outputs; each 1 or more. layer_count: 2 to 1024. seed: any number
 *   selects the random weights. When unsure: 1.
 * Ownership: the caller owns *network_out and frees it with bp_network_free.
 * Errors:    NULL_ARGUMENT; INVALID_VALUE for fewer than 2 layers or a layer of size 0; LIMIT for more than 1024
 *            layers, or sizes whose products cannot be counted; OUT_OF_MEMORY.
 * Threads:   any.
 * Since:     0.1 */
int32_t bp_network_create(const size_t *layer_sizes, size_t layer_count, uint64_t seed, bp_network **network_out);

/* Creates an independent copy with the same parameters, settings and training state.
 * Ownership: the caller owns *network_out and frees it with bp_network_free.
 * Errors:    NULL_ARGUMENT; INVALID_HANDLE; BUSY; OUT_OF_MEMORY.
 * Threads:   reads network.
 * Since:     0.1 */
int32_t bp_network_clone(const bp_network *network, bp_network **network_out);

/* Frees a network. NULL and invalid handles are ignored.
 * Ownership: the handle is invalid from now on.
 * Errors:    none.
 * Threads:   waits for calls in progress on other threads. In a callback of an activation or a loss of the same network,
 *            the network is freed when the call in progress returns. A fit is not waited for: the network is freed between
 *            two of its steps, and the fit then fails with INVALID_HANDLE.
 * Since:     0.1 */
void bp_network_free(bp_network *network);

/* Draws new random weights, as bp_network_create does with this seed. Layers, activations, loss and options stay. Biases,
 * gamma, beta, running statistics and the step count are reset. Frozen layers stay. Use it to train from "many different
 * initial values" (notes, section 3).
 * Ownership: none.
 * Errors:    NULL_ARGUMENT; INVALID_HANDLE; BUSY.
 * Threads:   changes network.
 * Since:     0.1 */
int32_t bp_network_initialize(bp_network *network, uint64_t seed);

/* Replaces the last layer by one of `size` units with new random weights, for other targets than those of the network: for
 * fine-tuning. The parameter count changes.
 *   - The new layer is trainable. It has the activation of the old one, batch normalization with its initial values if that
 *     was on, and weights by its initialization rule, as bp_network_create draws them from this seed for this layer.
 *   - All other layers, the loss, the optimizer, the options, the scaling of the inputs, the step count and the metadata stay.
 *   - The scaling of the targets becomes "none". The optimizer's state is reset. A fit cannot be resumed.
 *   - Arrays of this network have the new size from now on. If other threads use the network, they must know.
 *   size: 1 or more. seed: any number. When unsure: 1.
 * Ownership: none.
 * Errors:    NULL_ARGUMENT; INVALID_HANDLE; INVALID_VALUE for size 0; LIMIT; OUT_OF_MEMORY; BUSY.
 * Threads:   changes network.
 * Since:     0.2 */
int32_t bp_network_replace_output(bp_network *network, size_t size, uint64_t seed);

/* The number of layers as given to bp_network_create: the inputs count as layer 0.
 * Ownership: none.
 * Errors:    NULL_ARGUMENT; INVALID_HANDLE; BUSY.
 * Threads:   reads network.
 * Since:     0.1 */
int32_t bp_network_layer_count(const bp_network *network, size_t *count_out);

/* The number of units of a layer.
 *   layer: 0 to layer count - 1.
 * Ownership: none.
 * Errors:    NULL_ARGUMENT; INVALID_HANDLE; INVALID_VALUE for a layer out of range; BUSY.
 * Threads:   reads network.
 * Since:     0.1 */
int32_t bp_network_layer_size(const bp_network *network, size_t layer, size_t *size_out);

/* The number of training steps since the weights were drawn by bp_network_create, by bp_network_initialize, or by a
 * trainer for a restart. Setting parameters does not change it. After a fit that keeps the best weights, it is the step of
 * these weights.
 * Ownership: none.
 * Errors:    NULL_ARGUMENT; INVALID_HANDLE; BUSY.
 * Threads:   reads network.
 * Since:     0.2 */
int32_t bp_network_step_count(const bp_network *network, uint64_t *steps_out);

/* Sets the activation of a layer by name: a registered activation, or a built-in one, where z is the weighted sum of a
 * unit:
 *
 *     identity     z                                  elu        z > 0 ? z : e^z - 1
 *     sign         -1, 0, 1                           softplus   log(1 + e^z)
 *     logistic     1 / (1 + e^-z)                     softsign   z / (1 + |z|)
 *     tanh         (e^z - e^-z) / (e^z + e^-z)        silu       z logistic(z)
 *     relu         max(0, z)                          gelu       z (1 + erf(z / sqrt 2)) / 2
 *     leaky_relu   z > 0 ? z : 0.01 z                 softmax    e^z / sum of e^z over the layer
 *     relu6        min(max(0, z), 6)                  mish       z tanh(log(1 + e^z))
 *     selu         1.0507010 (z > 0 ? z : 1.6732632 (e^z - 1))
 *     hard_sigmoid relu6(z + 3) / 6                   hard_swish z relu6(z + 3) / 6
 *     sine         sin(z)                             gaussian   e^(-z^2)
 *
 * Where an activation approaches 0, it is 0 instead of a subnormal number (below 1.2e-38). Its derivative is 0 below 2^-63
 * (1.1e-19) if it falls like e^z, and so is the gradient of a cross entropy.
 *
 * The activations of the last four lines came with version 0.2. Training uses the derivative 1 for "sign": with a single layer
 * of weights this is the perceptron algorithm (notes, section 1). Until the network is first trained or given parameters, its
 * weights follow the initialization rule of the new activation.
 *   layer: 1 to layer count - 1. When unsure: "relu" or "tanh" in hidden layers. In the last layer, "identity" to predict
 *   numbers, "logistic" for two classes and "softmax" for more, each with its loss (see bp_network_set_loss).
 * Ownership: the network keeps a registered activation, even after it is unregistered.
 * Errors:    NULL_ARGUMENT; INVALID_HANDLE; INVALID_VALUE for a layer out of range; UNKNOWN_NAME; BUSY.
 * Threads:   changes network.
 * Since:     0.1 */
int32_t bp_network_set_activation(bp_network *network, size_t layer, const char *name);

/* The name of a layer's activation, even after it was unregistered. *needed_out is the size of the name with its NUL, also
 * when the buffer is too small, as in bp_network_save_memory.
 *   layer: 1 to layer count - 1.
 * Ownership: the buffer remains the caller's.
 * Errors:    NULL_ARGUMENT; INVALID_HANDLE; INVALID_VALUE for a layer out of range; BUFFER_TOO_SMALL; BUSY.
 * Threads:   reads network.
 * Since:     0.2 */
int32_t bp_network_get_activation(const bp_network *network, size_t layer, char *buffer, size_t capacity, size_t *needed_out);

/* Turns batch normalization of a layer's weighted sums, before its activation, on or off (notes, section 5).
 *   - The first time, it starts with gamma = 1, beta = 0, running mean 0 and running variance 1. When it is turned off,
 *     the four are kept for the next time.
 *   - A minibatch of two rows or more is normalized with its own mean and (biased) variance. It moves the running mean and
 *     the (unbiased) running variance by option "batchnorm_momentum". A statistic below 2^-100 becomes 0.
 *   - A single row has no variance. It is normalized with the running statistics, which then move: d = z - mean;
 *     mean += momentum d; variance = (1 - momentum)(variance + momentum d^2).
 *   - bp_network_predict and bp_network_evaluate always use the running statistics.
 *   - The parameter count changes.
 *   layer: 1 to layer count - 1. enabled: 0, the default, for off; any other number for on. When unsure: off for
 *   networks with one or two hidden layers.
 * Ownership: none.
 * Errors:    NULL_ARGUMENT; INVALID_HANDLE; INVALID_VALUE for a layer out of range; OUT_OF_MEMORY; BUSY.
 * Threads:   changes network.
 * Since:     0.1 */
int32_t bp_network_set_batchnorm(bp_network *network, size_t layer, int32_t enabled);

/* Whether batch normalization of a layer is on: 1, or 0.
 *   layer: 1 to layer count - 1.
 * Ownership: none.
 * Errors:    NULL_ARGUMENT; INVALID_HANDLE; INVALID_VALUE for a layer out of range; BUSY.
 * Threads:   reads network.
 * Since:     0.2 */
int32_t bp_network_get_batchnorm(const bp_network *network, size_t layer, int32_t *enabled_out);

/* Sets the dropout rate of a hidden layer. In training, each unit of the layer is dropped from a row's pass with this
 * probability, and is otherwise multiplied by 1 / (1 - rate) (inverted dropout, Srivastava et al. 2014).
 *   - The network draws the units from its own random state, which is seeded and saved with it. A training call that fails
 *     does not change this state.
 *   - bp_network_predict, bp_network_evaluate and bp_network_check_gradient drop nothing. The loss of a training call is
 *     the loss of the thinned network.
 *   layer: 1 to layer count - 2. rate: 0 to 0.999. 0, the default, drops nothing. When unsure: 0, or 0.2 to 0.5 against
 *   overfitting.
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

/* Freezes a layer for training, or makes it trainable. For fine-tuning, freeze the layers whose features are to be kept.
 * Training does not change the parameters and running statistics of a frozen layer.
 *   - A training step computes the outputs of frozen layers, but no gradients for their parameters. It makes no backward pass
 *     through frozen layers that have no trainable layer below them, and is then faster.
 *   - bp_network_gradient and bp_network_backpropagate return 0 for the parameters of frozen layers.
 *     bp_network_apply_gradient ignores them. Decay, clipping and the optimizer do not include them: their part of the
 *     optimizer's state stays. bp_network_check_gradient compares the other parameters only.
 *   - Batch normalization of a frozen layer uses the running statistics in training, too, as in Keras. Dropout stays.
 *   - bp_network_initialize and the restarts of a trainer keep the parameters of frozen layers.
 *   - Calls that set or load parameters change frozen layers, too.
 *   - If all layers are frozen, calls that make a step and bp_trainer_fit return INVALID_VALUE.
 *   - The setting is part of the network, its copies and its file. Model files without it have trainable layers only.
 *   layer: 1 to layer count - 1. trainable: 0 for frozen; any other number, the default, for trainable. When unsure, after
 *   bp_network_replace_output: freeze all layers but the last, train, make all trainable, and train at a tenth of the rate.
 * Ownership: none.
 * Errors:    NULL_ARGUMENT; INVALID_HANDLE; INVALID_VALUE for a layer out of range; BUSY.
 * Threads:   changes network.
 * Since:     0.2 */
int32_t bp_network_set_trainable(bp_network *network, size_t layer, int32_t trainable);

/* Whether training changes a layer: 1, or 0 for a frozen one.
 *   layer: 1 to layer count - 1.
 * Ownership: none.
 * Errors:    NULL_ARGUMENT; INVALID_HANDLE; INVALID_VALUE for a layer out of range; BUSY.
 * Threads:   reads network.
 * Since:     0.2 */
int32_t bp_network_get_trainable(const bp_network *network, size_t layer, int32_t *trainable_out);

/* Sets the loss of one row with outputs a and targets y by name:
 *
 *     squared_error          1/2 sum of (a - y)^2                          the notes' objective; the default
 *     binary_cross_entropy   -sum of y log a + (1 - y) log(1 - a)          for outputs in [0, 1], such as logistic
 *     cross_entropy          -sum of y log a                               for softmax outputs; y one-hot or weights
 *     absolute_error         sum of |a - y|                                estimates the median; gradient 0 at a = y
 *     huber                  sum of e^2 / 2 where |e| <= d, else d (|e| - d / 2)    with e = a - y and option huber_delta d
 *     log_cosh               sum of log cosh(a - y)                        like huber, but smooth
 *     quantile               sum of q (y - a) where y > a, else (1 - q) (a - y)     with option quantile q
 *     poisson                sum of a - y log a                            for counts y; the outputs are rates: softplus
 *
 *   - One-hot means one output for each class: the target of class 1 of three classes is {0, 1, 0}.
 *   - The loss of several rows is their sum or their mean (option "gradient_reduction").
 *   - Logarithms are limited to at least -100. With logistic or softmax outputs the cross-entropies are computed from z
 *     and need no such limit.
 *   - Calls that compute a cross-entropy refuse targets for which it is not defined, and built-in activations of the last
 *     layer that do not go with it: see bp_network_check_settings.
 *   - poisson takes rates, not their logarithms, so that predictions and scores are in the units of the targets. It goes with
 *     softplus and with registered activations. (McCullagh and Nelder, Generalized Linear Models, 1989, section 6.)
 *   - With option "missing_targets" 1, a NaN target has no term in these sums. A row without any other target has loss and
 *     gradient 0, like a row of weight 0; it still counts as a row of a mean.
 *   - Any other name is that of a registered loss: see "Losses". With another number of target_columns, arrays of targets have
 *     another size from now on. If other threads use the network, they must know.
 *   When unsure: "squared_error" to predict numbers, "binary_cross_entropy" behind logistic, "cross_entropy" behind
 *   softmax.
 * Ownership: none.
 * Errors:    NULL_ARGUMENT; INVALID_HANDLE; UNKNOWN_NAME; INVALID_VALUE for a registered loss whose target_columns are not
 *            the network's outputs, if its targets are scaled; BUSY.
 * Threads:   changes network.
 * Since:     0.1 */
int32_t bp_network_set_loss(bp_network *network, const char *name);

/* The name of the network's loss. *needed_out as in bp_network_get_activation.
 * Ownership: the buffer remains the caller's.
 * Errors:    NULL_ARGUMENT; INVALID_HANDLE; BUFFER_TOO_SMALL; BUSY.
 * Threads:   reads network.
 * Since:     0.2 */
int32_t bp_network_get_loss(const bp_network *network, char *buffer, size_t capacity, size_t *needed_out);

/* The name of the loss with this index, built-in ones first. To list all, count up from 0 until BP_ERROR_UNKNOWN_NAME.
 * *needed_out as in bp_activation_name.
 * Ownership: the buffer remains the caller's.
 * Errors:    NULL_ARGUMENT; UNKNOWN_NAME past the end; BUFFER_TOO_SMALL.
 * Threads:   any.
 * Since:     0.2 */
int32_t bp_loss_name(size_t index, char *buffer, size_t capacity, size_t *needed_out);

/* The size of a row of targets: the number of outputs, unless the loss is registered with other target_columns.
 * Ownership: none.
 * Errors:    NULL_ARGUMENT; INVALID_HANDLE; BUSY.
 * Threads:   reads network.
 * Since:     0.2 */
int32_t bp_network_target_columns(const bp_network *network, size_t *columns_out);

/* Computes from rows of data how the network scales its inputs and targets, each by the name of a method:
 *
 *     none        no scaling; the default
 *     standard    (x - mean) / standard deviation, for each column
 *     min_max     (x - least) / (greatest - least): from 0 to 1
 *     symmetric   (x - middle) / ((greatest - least) / 2), with middle = (least + greatest) / 2: from -1 to 1
 *     auto        for inputs: standard. For targets: the method that fits the last activation and the loss, so set these
 *                 first: none for the cross-entropies, poisson and registered losses; for others, standard behind
 *                 identity and leaky_relu, symmetric behind sign, tanh, softsign and sine, and min_max behind all others
 *
 *   - A column that has the same value in all rows becomes 0.
 *   - From then on every call with rows accepts and returns numbers as they are in the data: it scales inputs and targets,
 *     and bp_network_predict scales its outputs back. Losses and gradients are those of the scaled targets.
 *   - The scaling is part of the network, its copies and its file. It stays until the next call.
 *   When unsure: "auto" for both, with the training rows.
 *   inputs: [rows][inputs], or NULL if input_scaling is "none". targets: [rows][outputs], or NULL if target_scaling is
 *   "none". rows: 1 or more, unless both are "none".
 * Ownership: the arrays remain the caller's.
 * Errors:    NULL_ARGUMENT; INVALID_HANDLE; UNKNOWN_NAME; INVALID_VALUE for no rows, a column whose numbers are too far
 *            apart, such as -3e38 and 3e38, or target scaling with a loss of other target_columns; LIMIT; NOT_FINITE for a
 *            NaN or an infinity in an array that is used; OUT_OF_MEMORY; BUSY. With an all-reduce function also MISMATCH, WORKER
 *            and CALLBACK.
 * Threads:   changes network.
 * Since:     0.1 */
int32_t bp_network_fit_scaling(bp_network *network, const char *input_scaling, const char *target_scaling, const float *inputs,
                               const float *targets, size_t rows);

/* Like bp_network_fit_scaling, for rows of any type and layout. The statistics are computed in double precision from the
 * numbers as they are stored, and are accurate also where a mean is large compared with the standard deviation. If the rows
 * are doubles, the network keeps each offset as a double: tensor "scaling.inputs.remainder" (or "targets") then holds the part
 * of the offset that a float cannot, as the sum of two floats. It is used with rows and outputs of type BP_DOUBLE: floats do
 * not have its digits.
 *   inputs: NULL if input_scaling is "none". targets: NULL if target_scaling is "none".
 * Ownership: the rows remain the caller's.
 * Errors:    as bp_network_fit_scaling; INVALID_VALUE, UNSUPPORTED and LIMIT for a malformed bp_rows; MISMATCH for columns
 *            that are not the network's.
 * Threads:   changes network.
 * Since:     0.2 */
int32_t bp_network_fit_scaling_rows(bp_network *network, const char *input_scaling, const char *target_scaling,
                                    const bp_rows *inputs, const bp_rows *targets);

/* Adds rows to the statistics from which bp_network_finish_scaling computes the scaling: for data that are not in memory as a
 * whole.
 *
 *     while (read_piece(&x, &y)) bp_network_add_scaling_rows(network, &x, &y);
 *     bp_network_finish_scaling(network, "auto", "auto");
 *
 *   The result is that of bp_network_fit_scaling_rows with all rows. It depends on the division into pieces by rounding in
 * double precision only: pieces are combined as Chan, Golub and LeVeque (1979) describe. Nothing else changes before
 * bp_network_finish_scaling. Copies and files of the network do not have the statistics.
 *   inputs, targets: either may be NULL. They may have different numbers of rows, 0 included. If both are NULL, the call
 *   discards the rows that were added.
 * Ownership: the rows remain the caller's.
 * Errors:    NULL_ARGUMENT for network or values; INVALID_HANDLE; INVALID_VALUE, UNSUPPORTED and LIMIT for a malformed bp_rows;
 *            INVALID_VALUE for targets with a loss of other target_columns; MISMATCH for columns that are not the network's;
 *            NOT_FINITE; OUT_OF_MEMORY; BUSY.
 * Threads:   changes network.
 * Since:     0.2 */
int32_t bp_network_add_scaling_rows(bp_network *network, const bp_rows *inputs, const bp_rows *targets);

/* Sets the scaling from the rows that were added, by the names of methods as in bp_network_fit_scaling, and discards their
 * statistics. bp_network_fit_scaling, bp_network_fit_scaling_rows and bp_network_replace_output discard them, too.
 * Ownership: none.
 * Errors:    NULL_ARGUMENT; INVALID_HANDLE; UNKNOWN_NAME; INVALID_VALUE if no rows were added that a method needs;
 *            OUT_OF_MEMORY; BUSY. With an all-reduce function also MISMATCH, WORKER and CALLBACK.
 * Threads:   changes network.
 * Since:     0.2 */
int32_t bp_network_finish_scaling(bp_network *network, const char *input_scaling, const char *target_scaling);

/* The name of the scaling method of the inputs (of_targets = 0) or of the targets (any other number); for "auto", the name
 * of the method that it chose. *needed_out as in bp_network_get_activation. bp_network_get_tensor returns the offsets and
 * scales.
 * Ownership: the buffer remains the caller's.
 * Errors:    NULL_ARGUMENT; INVALID_HANDLE; BUFFER_TOO_SMALL; BUSY.
 * Threads:   reads network.
 * Since:     0.2 */
int32_t bp_network_get_scaling(const bp_network *network, int32_t of_targets, char *buffer, size_t capacity,
                               size_t *needed_out);

/* The name of the scaling method with this index. To list all, count up from 0 until BP_ERROR_UNKNOWN_NAME. *needed_out as
 * in bp_activation_name.
 * Ownership: the buffer remains the caller's.
 * Errors:    NULL_ARGUMENT; UNKNOWN_NAME past the end; BUFFER_TOO_SMALL.
 * Threads:   any.
 * Since:     0.2 */
int32_t bp_scaling_name(size_t index, char *buffer, size_t capacity, size_t *needed_out);

/* Checks that the network's settings and the targets go together, so that the network can learn the targets. The message
 * of an error says what does not go together, with the row and column of a target, and what to set instead.
 *
 *     settings                        A layer must be trainable (see bp_network_set_trainable).
 *                                     binary_cross_entropy needs logistic in the last layer, cross_entropy softmax, and
 *                                     poisson softplus. softmax needs two units or more. Target scalings standard and
 *                                     symmetric need a loss of differences a - y and a last activation with values below 0.
 *                                     Option batchnorm_update 1 needs plain sgd. The second-order optimizers need
 *                                     the settings described at bp_network_set_optimizer
 *     targets and loss                binary_cross_entropy accepts targets from 0 to 1, cross_entropy and poisson 0 or more
 *     targets and last activation     losses of differences accept targets within the range of the last activation, such as
 *                                     0 to 1 for logistic. As data have noise, a target may lie outside by a tenth of its
 *                                     column's spread (greatest - least)
 *
 *   - The targets are checked as the network scales them. Differences of 1e-6 from the loss's targets, and of 1e-5 from the
 *     range of the activation, count as rounding.
 *   - The range of a registered activation is not known. It goes with every loss, and with all targets that the loss
 *     accepts.
 *   - bp_trainer_fit makes this check first, for the training rows whose weight is not 0, and fails with the same errors.
 *   - For the validation rows of a fit, and for the rows of bp_network_train_step, bp_network_train_minibatch,
 *     bp_network_gradient and bp_network_evaluate, the range of the last activation and the target scaling are not
 *     checked. squared_error is then computed for any targets.
 *   - Setters check none of this and can be called in any order.
 *   targets: [rows][outputs]; or NULL and 0 rows to check only the settings.
 * Ownership: the array remains the caller's.
 * Errors:    NULL_ARGUMENT; INVALID_HANDLE; INVALID_VALUE, and UNSUPPORTED for the optimizer, as described above;
 *            UNKNOWN_NAME for a loss of a file that is not registered; NOT_FINITE for an infinity in targets, or a NaN without
 *            option missing_targets; LIMIT; OUT_OF_MEMORY; BUSY.
 * Threads:   reads network.
 * Since:     0.2 */
int32_t bp_network_check_settings(const bp_network *network, const float *targets, size_t rows);

/* Sets the optimizer, which computes a step from a gradient g, by name. alpha is the learning rate, and t counts the steps:
 *
 *     sgd            w -= alpha g                                          gradient descent (the notes); the default
 *     momentum       m = momentum m + g;  w -= alpha m
 *     nesterov       m = momentum m + g;  w -= alpha (g + momentum m)
 *     rmsprop        v = rmsprop_alpha v + (1 - rmsprop_alpha) g^2;  w -= alpha g / (sqrt v + epsilon)
 *     adam           m = beta1 m + (1 - beta1) g;  v = beta2 v + (1 - beta2) g^2;
 *                    w -= alpha m / (1 - beta1^t) / (sqrt(v / (1 - beta2^t)) + epsilon)
 *     adamw          like adam, but weight decay is not part of the gradient (see option "weight_decay")
 *     irprop_minus   each weight has its own step size. It grows by the factor 1.2 (to at most 50) while the sign of the
 *                    weight's gradient stays, and shrinks by the factor 0.5 (to at least 1e-6) when the sign changes.
 *                    alpha is the size of the first step, and has no effect later. For minibatches of all rows (Igel and
 *                    Huesken 2000)
 *     lbfgs, levenberg_marquardt, bayesian_regularization     see below
 *
 * m and v start at 0. They are 0 instead of a subnormal number, and with weight decay a weight below 2^-100 is 0.
 * bp_network_set_option sets the constants.
 *   - The state is saved with the network. It is reset by this call, by bp_network_initialize, by bp_network_replace_output, and
 *     by bp_network_set_batchnorm, bp_network_fold_batchnorm and, with lbfgs, option "lbfgs_history" if they change anything.
 *     The position of the latest fit stays, except with bp_network_initialize and bp_network_replace_output.
 *   - Each of m and v needs as much memory as the parameters. sgd has no state.
 *
 *   The second-order optimizers
 *   They are for small networks and data that fit in one minibatch. A step is one iteration on all rows of the call, and
 * evaluates their loss several times. With them a trainer makes one minibatch of all training rows, whatever "batch_size"
 * is, so that an epoch is one iteration.
 *
 *     lbfgs                      The direction comes from the gradient and the changes of parameters and gradients in the
 *                                latest "lbfgs_history" steps; the length, from a line search for the strong Wolfe
 *                                conditions (Liu and Nocedal 1989; Nocedal and Wright 2006, chapters 3 and 7)
 *     levenberg_marquardt        w -= (J'J + D + lambda I)^-1 (J'r + D w), with the residuals r, their Jacobian J, and the
 *                                weight decay D. lambda grows until the loss falls (Hagan and Menhaj 1994; Nielsen 1999)
 *     bayesian_regularization    levenberg_marquardt, where each step after the fourth estimates weight decay and noise from
 *                                the data, and with them the number of effective parameters (MacKay 1992; Foresee and Hagan
 *                                1997)
 *
 *   - The loss with weight decay does not grow in a step; with lbfgs, by 1e-4 of it at most, which can be rounding. If a step
 *     finds no better parameters, they stay, and *loss_out is the loss as before: the fit has converged. Option "patience" of
 *     a trainer ends it.
 *   - The learning rate has no effect. It must be valid.
 *   - lbfgs takes all losses; those with kinks, absolute_error and quantile, may end it early. levenberg_marquardt takes
 *     squared_error, and the cross-entropies behind their activations, as sums of squares with the same gradient and the
 *     Gauss-Newton matrix. bayesian_regularization takes squared_error.
 *   - Batch normalization makes the rows depend on each other. lbfgs takes it, because the statistics of all rows are the
 *     same in each evaluation. The other two take it in frozen layers only.
 *   - Option weight_decay has its usual meaning, except that bayesian_regularization computes it, for biases, too.
 *   - UNSUPPORTED are: dropout; "sign"; l1, clip_norm, clip_value and batchnorm_update 1; with bayesian_regularization,
 *     weight_decay; a trainer's sampling 1 and streams; and bp_network_apply_gradient.
 *   - Memory: lbfgs keeps 2 lbfgs_history + 2 vectors of parameters. The other two need, during a step, a matrix of
 *     8 bytes for each pair of trained parameters; or of residuals (rows * outputs), and 8 bytes for each pair of a parameter
 *     and a residual, if there are fewer residuals than parameters and all parameters have the same decay. If this exceeds the
 *     machine's memory, the step returns LIMIT.
 *   When unsure: "adam" with alpha = 0.001. For a smooth regression with less than some 1,000 parameters:
 *   "levenberg_marquardt"; if its data are noisy and few, "bayesian_regularization".
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

/* With optimizer bayesian_regularization, the number of parameters that the data determine: from 0 to the number of trained
 * parameters. It is that of the parameters before the latest step; 0 in the first four steps, which have no decay. Use it to
 * choose the size of a network: if a larger network has the same number, the smaller one is large enough. A progress function
 * can call this.
 * Ownership: none.
 * Errors:    NULL_ARGUMENT; INVALID_HANDLE; UNSUPPORTED for other optimizers; BUSY.
 * Threads:   reads network.
 * Since:     0.2 */
int32_t bp_network_effective_parameters(const bp_network *network, double *count_out);

/* The name of the optimizer with this index. To list all, count up from 0 until BP_ERROR_UNKNOWN_NAME. *needed_out as in
 * bp_activation_name.
 * Ownership: the buffer remains the caller's.
 * Errors:    NULL_ARGUMENT; UNKNOWN_NAME past the end; BUFFER_TOO_SMALL.
 * Threads:   any.
 * Since:     0.2 */
int32_t bp_optimizer_name(size_t index, char *buffer, size_t capacity, size_t *needed_out);

/* The values of options that are choices. bp_option_info returns their words. */

#define BP_REDUCTION_SUM 0 /* gradient_reduction */
#define BP_REDUCTION_MEAN 1

#define BP_INITIALIZATION_AUTOMATIC 0 /* initialization */
#define BP_INITIALIZATION_GLOROT 1
#define BP_INITIALIZATION_HE 2
#define BP_INITIALIZATION_LECUN 3

#define BP_BATCHNORM_UPDATE_TOGETHER 0 /* batchnorm_update */
#define BP_BATCHNORM_UPDATE_GAMMA_FIRST 1

/* Sets an option of a network. "values" are the bounds, both included.
 *
 *     name                  values          default   meaning
 *     gradient_reduction    0, 1            0         loss and gradient of a minibatch: 0 the sum over its rows (notes,
 *                                                     section 4); 1 the mean over its rows
 *     initialization        0 ... 3         0         random weights, uniform in [-r, r]: 0 automatic, 2 for relu,
 *                                                     leaky_relu, elu, softplus, silu, gelu, mish, hard_swish, relu6
 *                                                     and sine, 3 for selu, and 1 for all others; 1 Glorot, r^2 = 6 /
 *                                                     (inputs + outputs); 2 He, r^2 = 6 / inputs; 3 LeCun, r^2 = 3 /
 *                                                     inputs. Until the network is first trained or given parameters,
 *                                                     setting it draws the weights again
 *     batchnorm_epsilon     1e-12 ... 1     1e-5      batch normalization: added to the variance
 *     batchnorm_momentum    0 ... 1         0.1       batch normalization: the part of a minibatch's statistics in the
 *                                                     new running statistics, which keep 1 - batchnorm_momentum of the
 *                                                     old ones
 *     batchnorm_update      0, 1            0         0 all parameters step along one gradient; 1 gamma and beta step
 *                                                     first, then the layer's weights step along the gradient through
 *                                                     the new gamma (notes, section 5). 1 needs optimizer sgd, and
 *                                                     weight_decay, l1, clip_norm and clip_value 0; it has no effect on
 *                                                     bp_network_gradient and bp_network_apply_gradient
 *     momentum              0 ... 0.9999    0.9       momentum, nesterov: the part of the previous step that the next
 *                                                     step keeps
 *     beta1                 0 ... 0.999999  0.9       adam, adamw: decay rate of the moving average of gradients
 *     beta2                 0 ... 0.999999  0.999     adam, adamw: decay rate of the moving average of squared
 *                                                     gradients
 *     rmsprop_alpha         0 ... 0.999999  0.99      rmsprop: decay rate of the moving average of squared gradients
 *     epsilon               1e-12 ... 1     1e-8      rmsprop, adam, adamw: added to the square root of the moving
 *                                                     average of squared gradients
 *     weight_decay          0 ... 1e6       0         weight_decay * w is added to the gradient of each weight w; with
 *                                                     adamw, w is instead multiplied by 1 - learning rate *
 *                                                     weight_decay
 *     l1                    0 ... 1e6       0         l1 * sign(w) is added to the gradient of each weight w
 *     decay_biases          0, 1            0         whether weight_decay and l1 also apply to biases, gamma and beta:
 *                                                     0 no; 1 yes
 *     clip_norm             0 ... 1e30      0         the gradient of all parameters together is scaled down to this
 *                                                     norm if its norm is larger; 0: no bound
 *     clip_value            0 ... 1e30      0         each element of the gradient is then limited to the range from
 *                                                     -clip_value to clip_value; 0: no bound
 *     huber_delta           1e-6 ... 1e6    1         loss huber: it is quadratic for errors up to huber_delta, and
 *                                                     linear beyond
 *     quantile              0.001 ... 0.999 0.5       loss quantile: the quantile of the targets that the outputs
 *                                                     estimate; 0.5 the median
 *     missing_targets       0, 1            0         a NaN among the targets: 0 is refused; 1 means not observed, and
 *                                                     the target counts for nothing
 *     lbfgs_history         1 ... 100       10        lbfgs: the number of latest steps from which it estimates the
 *                                                     curvature
 *     damping               1e-12 ... 1e6   0.001     levenberg_marquardt, bayesian_regularization: the damping of the
 *                                                     first step, as a multiple of the largest diagonal element of J'J
 *     damping_limit         1 ... 1e30      1e10      levenberg_marquardt, bayesian_regularization: the damping, as a
 *                                                     multiple of the same element, above which a step ends without a
 *                                                     change
 *
 * With missing_targets 1, no call refuses a NaN in targets. It has these effects outside of the loss:
 *   - bp_network_fit_scaling ignores it. A column without other targets is not scaled.
 *   - bp_network_check_settings checks the other targets.
 *   - bp_network_score: r2 and mean_absolute_error ignore it, and r2 ignores a column without other targets; accuracy ignores
 *     its row. If nothing is left, the call returns INVALID_VALUE.
 *   - Option "stratify" ignores it. A row without other targets is of the class of column 0, or with one output not above 0.5.
 *   - A fit whose targets are all NaN succeeds with loss 0. Its steps change parameters only by weight_decay and l1, momentum
 *     of earlier steps, and batch normalization's running statistics.
 *
 * When unsure, keep the defaults. If the loss diverges, try clip_norm 1. Against overfitting, try weight_decay 0.01 with
 * optimizer adamw, or 0.0001 with the others.
 * Ownership: none.
 * Errors:    NULL_ARGUMENT; INVALID_HANDLE; UNKNOWN_NAME; INVALID_VALUE outside the values, for NaN, and for a fraction where
 *            only whole numbers are allowed (bp_option_info); BUSY.
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

/* One option. Later versions add members at the end only. */
typedef struct bp_option_description {
    uint32_t struct_size; /* in: sizeof(bp_option_description); out: the number of bytes filled */
    uint32_t owner;       /* one of the BP_OPTION_OF constants */
    const char *name;     /* static */
    const char *meaning;  /* static, one line */
    double default_value;
    double minimum, maximum; /* both are allowed */
    uint32_t whole_numbers;  /* 1 if only whole numbers are allowed, else 0 */
    uint32_t reserved;       /* 0 */
    const char *choices;     /* static: the words of the values 0, 1, 2 ..., separated by one space, such as
                                "shuffled uniform"; NULL for an option that is a number, or 0 for no and 1 for yes */
} bp_option_description;

/* Describes the option with this index. To list all, count up from 0 until BP_ERROR_UNKNOWN_NAME. The options of a network
 * come first. The tables in this header list the same options.
 * Ownership: the struct is the caller's, its strings are static. On failure all members but struct_size are 0.
 * Errors:    NULL_ARGUMENT; INVALID_VALUE for a struct_size that is too small; UNKNOWN_NAME past the end.
 * Threads:   any.
 * Since:     0.2 */
int32_t bp_option_info(size_t index, bp_option_description *description_out);

/* ---- Training --------------------------------------------------------------------------------------------------- */

/* Makes one step of stochastic gradient descent on one row: w := w - learning_rate * gradient, with all gradients taken at
 * the old weights (notes, sections 1 to 3); or the step of another optimizer.
 *   *loss_out is the loss before the step, without the terms of weight_decay and l1.
 *   When the step fails, parameters, running statistics and the optimizer's state are bit for bit as before.
 *   input: [inputs]. target: [outputs]. learning_rate: finite, 0 or more. When unsure: 0.1 with sgd, 0.001 with adam; try
 *   a tenth if the loss grows, ten times as much if it hardly falls.
 * Ownership: the arrays remain the caller's.
 * Errors:    NULL_ARGUMENT; INVALID_HANDLE; INVALID_VALUE for the learning rate, or settings or a target that
 *            bp_network_check_settings refuses for the loss; NOT_FINITE for a NaN or an infinity in the row, the loss,
 *            the gradient or the step; UNSUPPORTED for option batchnorm_update 1 with anything but plain sgd, or for a
 *            second-order optimizer with settings that it does not take; LIMIT for its matrix; UNKNOWN_NAME for a loss of a
 *            file that is not registered; CALLBACK; OUT_OF_MEMORY; BUSY. With an all-reduce function also MISMATCH and WORKER.
 * Threads:   changes network.
 * Since:     0.1 */
int32_t bp_network_train_step(bp_network *network, const float *input, const float *target, float learning_rate,
                              float *loss_out);

/* Like bp_network_train_step, for a minibatch, with the sum (or mean) of the gradients of its rows (notes, section 4). Only
 * minibatches of two rows or more provide batch normalization with their own statistics (notes, section 5).
 *   inputs: [rows][inputs]. targets: [rows][outputs]. rows: 1 or more. When unsure: 32, with option
 *   "gradient_reduction" BP_REDUCTION_MEAN, so that a good learning rate does not depend on the number of rows.
 *   More than 1,024 rows take the memory of 1,024 (a small network: of 512 for each thread, and at most 3 MiB), unless a layer
 *   is normalized, a callback is not thread-safe, or the loss is a registered one: the library then keeps some numbers for
 *   each row and unit. Scaled rows are copied.
 * Ownership: the arrays remain the caller's.
 * Errors:    as bp_network_train_step; INVALID_VALUE for no rows; LIMIT for more rows than can be counted.
 * Threads:   changes network.
 * Since:     0.1 */
int32_t bp_network_train_minibatch(bp_network *network, const float *inputs, const float *targets, size_t rows,
                                   float learning_rate, float *loss_out);

/* Like bp_network_train_minibatch, for rows of any type and layout, and with row weights.
 *   inputs, targets: the same number of rows, 1 or more.
 * Ownership: the rows remain the caller's.
 * Errors:    as bp_network_train_minibatch; INVALID_VALUE, UNSUPPORTED and LIMIT for a malformed bp_rows; MISMATCH for columns
 *            that are not the network's, or different numbers of rows.
 * Threads:   changes network.
 * Since:     0.2 */
int32_t bp_network_train_rows(bp_network *network, const bp_rows *inputs, const bp_rows *targets, float learning_rate,
                              float *loss_out);

/* Computes the gradient of the minibatch's loss, before clipping and decay, for a host with its own update rule. The
 * parameters stay. The running statistics move as in bp_network_train_minibatch.
 *   This call followed by bp_network_apply_gradient makes the step of bp_network_train_minibatch, except with option
 * batchnorm_update 1. For a few rows of a small network the two differ by rounding, because they add in a different order.
 *   inputs: [rows][inputs]. targets: [rows][outputs]. rows: 1 or more. gradient_out: [count]. count: the parameter count.
 * Ownership: the arrays remain the caller's.
 * Errors:    as bp_network_train_minibatch; MISMATCH for another count.
 * Threads:   changes network.
 * Since:     0.2 */
int32_t bp_network_gradient(bp_network *network, const float *inputs, const float *targets, size_t rows, float *gradient_out,
                            size_t count, float *loss_out);

/* Makes the optimizer's step along a gradient: with sgd, w := w - learning_rate * gradient.
 *   gradient: [count]. count: the parameter count. learning_rate: as in bp_network_train_step.
 * Ownership: the array remains the caller's.
 * Errors:    NULL_ARGUMENT; INVALID_HANDLE; INVALID_VALUE for the learning rate, or if all layers are frozen; MISMATCH for
 *            another count; NOT_FINITE for a NaN or an infinity in the gradient or in the new parameters; UNSUPPORTED for
 *            second-order optimizers; OUT_OF_MEMORY; BUSY.
 * Threads:   changes network.
 * Since:     0.2 */
int32_t bp_network_apply_gradient(bp_network *network, const float *gradient, size_t count, float learning_rate);

/* Computes gradients from the gradient of any function L of the outputs, which the host computes: for policy gradients,
 * adversarial networks, or networks in a chain. The call returns the gradient of L with respect to the parameters, the
 * inputs, or both. It does not use the network's loss and the option gradient_reduction: the gradient is the sum over the
 * rows. Inputs, outputs and their gradients are unscaled: the chain rule includes the scaling of inputs and targets.
 * "softmax" has its full Jacobian. "sign" has derivative 1, as in training.
 *   The arguments select the pass:
 *
 *     gradient_out given    the pass of a training step: for two rows or more, batch normalization uses the statistics of the
 *                           rows, the gradient includes mean and variance, and the running statistics are updated; dropout
 *                           is applied. bp_network_apply_gradient then completes the step. input_gradients_out comes from
 *                           the same pass
 *     gradient_out NULL     the pass of bp_network_predict: running statistics, no dropout. input_gradients_out is the
 *                           derivative of L for the outputs of bp_network_predict. Nothing changes
 *
 *   Without batch normalization and dropout, both passes are the same. With them, the outputs of a training step differ from
 * those of bp_network_predict, and output gradients taken at predicted outputs are approximate.
 *   inputs: [rows][inputs]. output_gradients: [rows][outputs], dL/doutput. rows: 1 or more. gradient_out: [count], in the order
 *   of the parameters; or NULL. count: the parameter count, or 0 if gradient_out is NULL. input_gradients_out:
 *   [rows][inputs], dL/dinput; or NULL. gradient_out and input_gradients_out must not both be NULL. The arrays must not
 *   overlap.
 * Ownership: the arrays remain the caller's.
 * Errors:    NULL_ARGUMENT; INVALID_HANDLE; INVALID_VALUE for no rows; MISMATCH for another count; NOT_FINITE for a NaN or an
 *            infinity in the arrays, the outputs or the gradients; LIMIT; CALLBACK; OUT_OF_MEMORY; BUSY; WORKER with an
 *            all-reduce function.
 * Threads:   changes network.
 * Since:     0.2 */
int32_t bp_network_backpropagate(bp_network *network, const float *inputs, const float *output_gradients, size_t rows,
                                 float *gradient_out, size_t count, float *input_gradients_out);

/* Computes the derivative of each output with respect to each input, for the outputs of bp_network_predict: with running
 * statistics, without dropout, with scaling. "sign" has derivative 1. The call makes one backward pass for each output. For
 * the gradient of a single function of the outputs, use bp_network_backpropagate. It changes nothing.
 *   inputs: [rows][inputs]. rows: 1 or more. jacobian_out: [rows][outputs][inputs], must not overlap inputs.
 * Ownership: the arrays remain the caller's.
 * Errors:    as bp_network_backpropagate without MISMATCH.
 * Threads:   changes network (it uses the network's buffers).
 * Since:     0.2 */
int32_t bp_network_input_jacobian(bp_network *network, const float *inputs, size_t rows, float *jacobian_out);

/* Compares the gradient with central differences of the loss, which a separate plain implementation computes in double
 * precision. Use it to test the derivative of a registered activation.
 *   *worst_error_out is the largest |gradient - difference| / max(|gradient|, |difference|, a hundredth of the layer's
 * largest difference). A value below 1e-2 is good. A wrong derivative gives a much larger value; a kink of relu or
 * leaky_relu can do so, too.
 *   The call compares all parameters, or 4096 of them, evenly spread, if the network has more. It accepts any loss and any
 * targets, including those that bp_network_check_settings refuses. It is slow, and changes nothing.
 *   inputs: [rows][inputs]. targets: [rows][outputs]. rows: 1 or more. When unsure: 4.
 * Ownership: the arrays remain the caller's.
 * Errors:    as bp_network_gradient; UNSUPPORTED for "sign", because training does not use its own derivative.
 * Threads:   changes network (it uses the network's buffers).
 * Since:     0.2 */
int32_t bp_network_check_gradient(bp_network *network, const float *inputs, const float *targets, size_t rows,
                                  double *worst_error_out);

/* ---- Trainers --------------------------------------------------------------------------------------------------- */

/* A trainer runs a whole training (a fit): epochs of shuffled minibatches, with a schedule of learning rates, validation,
 * early stopping, restarts and progress reports. The short way:
 *
 *     bp_trainer *trainer;
 *     double loss;
 *     bp_trainer_create(&trainer);
 *     bp_trainer_fit(trainer, network, inputs, targets, rows, NULL, NULL, 0, &loss);
 *     bp_trainer_free(trainer);
 *
 *   - Set options "epochs", "batch_size" and "learning_rate" first. Then "validation_fraction" with "patience", to end
 *     before the network overfits. Then "schedule" BP_SCHEDULE_COSINE, for a slightly lower loss.
 *   - The network determines the steps: its loss, optimizer and options.
 *   - A trainer's losses are means per row, whatever "gradient_reduction" is, so that the losses of training and
 *     validation rows can be compared. The steps use "gradient_reduction".
 *   - "The loss" of a fit, below, is the loss of the validation rows after an epoch. Without validation rows it is the loss
 *     of the training rows during the epoch, each row's before its step.
 *   - A trainer can fit many networks, one after the other. */
typedef struct bp_trainer bp_trainer;

/* A report to a progress function. Only the library creates it. Later versions add members at the end only. */
typedef struct bp_progress {
    uint32_t struct_size, restart;  /* restart counts from 0 */
    uint64_t epoch, epochs;         /* epochs finished; epochs in all, 0 if a stream determines it */
    uint64_t step, steps;           /* steps made; steps in all, 0 if a stream determines it */
    double loss;                    /* mean per training row, of the epoch just finished, or so far of the epoch in progress */
    double validation_loss;         /* after an epoch; NaN within an epoch, and without validation rows */
    double learning_rate;           /* of the latest step */
    uint32_t epoch_ended, reserved; /* 1 if an epoch was just finished, 0 within an epoch; 0 */
} bp_progress;

/* Called after each epoch, and as options "progress_interval" and "progress_seconds" say. progress is valid during the
 * call.
 *   - Returns 0 to continue.
 *   - Returns more than 0 to stop. The network then has the weights that option "keep" says, and the fit returns
 *     BP_STOPPED.
 *   - Returns less than 0 to abort. The network is then restored, and the fit returns BP_ERROR_CALLBACK, with this number
 *     in the message.
 *   It runs between steps, on the thread that called the fit. Const calls on the network work. A network that is
 * saved here has all that a fit with option "resume" needs to continue from this step; but not in a fit with option
 * "restarts" or by bp_trainer_fit_ensemble, which train copies: the network itself is then as before the fit. */
typedef int32_t (*bp_progress_fn)(const bp_progress *progress, void *user_data);

/* Creates a trainer with the default of every option.
 * Ownership: the caller owns *trainer_out and frees it with bp_trainer_free.
 * Errors:    NULL_ARGUMENT; OUT_OF_MEMORY.
 * Threads:   any.
 * Since:     0.1 */
int32_t bp_trainer_create(bp_trainer **trainer_out);

/* Frees a trainer. NULL and invalid handles are ignored. A fit in progress is cancelled.
 * Ownership: the handle is invalid from now on. The progress function's user_data must live until the fit returns.
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

/* Sets an option of a trainer. "values" are the bounds, both included.
 *
 *     name                  values          default   meaning
 *     epochs                1 ... 1e9       100       number of epochs; an epoch draws as many rows as the training
 *                                                     data have
 *     steps                 0 ... 1e15      0         number of steps, used instead of epochs; 0: epochs is used
 *     steps_per_epoch       0 ... 1e15      0         streams only: an epoch ends after this number of steps; 0: only
 *                                                     the stream ends an epoch
 *     batch_size            0 ... 1e9       32        rows of a minibatch; 0, more than the training data have, or a
 *                                                     second-order optimizer: all rows
 *     drop_last             0, 1            0         when fewer rows than batch_size are left in an epoch: 0 trains on
 *                                                     them as a smaller minibatch; 1 skips them
 *     sampling              0, 1            0         0 shuffled, each row once per epoch (a minibatch of all rows is
 *                                                     not shuffled); 1 uniform, each row drawn with replacement (notes,
 *                                                     section 1)
 *     seed                  0 ... 1e15      0         seeds the row order, the validation split and the restarts'
 *                                                     weights
 *     shared_rows           0, 1            0         with an all-reduce function: 0 each worker passes its own rows; 1
 *                                                     all workers pass the same rows, and each trains on its share of
 *                                                     each minibatch
 *     learning_rate         0 ... 1e9       0.01      r, the base rate of the schedule
 *     schedule              0 ... 6         0         learning rate of step t in epoch e, both from 0, of T steps in
 *                                                     all: 0 constant, r; 1 step, r decay_factor^floor(e /
 *                                                     decay_epochs); 2 exponential, r decay_factor^(e / decay_epochs);
 *                                                     3 cosine, m + (r - m) (1 + cos(pi t / T)) / 2 with m =
 *                                                     minimum_rate; 4 inverse time (Robbins and Monro), r / (1 +
 *                                                     inverse_time_decay t); 5 one cycle, up to r and down again along
 *                                                     half cosines; 6 plateau, r, multiplied by decay_factor after more
 *                                                     than plateau_patience consecutive epochs without a better loss
 *     decay_factor          0 ... 1         0.5       schedules 1, 2 and 6: the factor by which the rate falls
 *     decay_epochs          1 ... 1e9       10        schedules 1 and 2: epochs after which the rate has fallen by
 *                                                     decay_factor
 *     plateau_patience      0 ... 1e9       5         schedule 6: number of consecutive epochs without a better loss
 *                                                     that do not change the rate
 *     inverse_time_decay    0 ... 1e9       0.001     schedule 4: the factor of t
 *     one_cycle_peak        0 ... 1         0.3       schedule 5: the share of the steps after which the rate is r
 *     one_cycle_start       1 ... 1e9       25        schedule 5: the first rate is r / one_cycle_start
 *     one_cycle_end         1 ... 1e9       10000     schedule 5: the last rate is the first rate / one_cycle_end
 *     minimum_rate          0 ... 1e9       0         lower bound of the schedule's rate, before warmup_steps and
 *                                                     on_divergence reduce it
 *     warmup_steps          0 ... 1e15      0         the rate of step t < warmup_steps is multiplied by (t + 1) /
 *                                                     warmup_steps; 0: no warm-up
 *     validation_fraction   0 ... 0.99      0         share of the rows, drawn by seed, that is held out for validation
 *                                                     if no validation rows are given; 0: none
 *     stratify              0, 1            0         whether validation_fraction takes the same share of each class: 0
 *                                                     no; 1 yes. The class of a row is the column of its largest
 *                                                     target; with one output, whether the target is above 0.5
 *     patience              0 ... 1e9       0         number of consecutive epochs without a better loss after which a
 *                                                     fit ends; 0: no limit
 *     min_delta             0 ... 1e30      0         a loss is better if it is lower than the best loss by more than
 *                                                     this
 *     target_loss           0 ... 1e30      0         a fit ends after an epoch whose loss is lower than this; 0: no
 *                                                     target
 *     time_limit            0 ... 1e9       0         seconds after which a fit ends; 0: no limit
 *     keep                  0 ... 2         0         weights that the network has after the fit, also after one that
 *                                                     was stopped: 0 automatic, 2 if there are validation rows,
 *                                                     patience is above 0 or on_divergence is 1, else 1; 1 the latest;
 *                                                     2 those after the epoch with the best loss
 *     restarts              0 ... 10000     0         0 trains the network from its present weights; k trains k times
 *                                                     from new random weights and keeps the best
 *     on_divergence         0, 1            0         when a loss or a gradient is not finite: 0 the fit fails; 1 the
 *                                                     fit returns to its best weights and continues with half the rate,
 *                                                     at most 30 times; those that it began with are the first best
 *                                                     weights
 *     resume                0, 1            0         0 starts a new fit; 1 continues the network's latest fit, if
 *                                                     there was one, and epochs and steps count from the start of that
 *                                                     fit
 *     progress_interval     0 ... 1e15      0         steps between calls of the progress function, in addition to the
 *                                                     call after each epoch; 0: no such calls
 *     progress_seconds      0 ... 1e9       0         seconds between calls of the progress function, in addition to
 *                                                     the call after each epoch; 0: no such calls
 *
 *   With on_divergence 1, the weights after an epoch with a better loss become the best weights only if the loss of these
 * weights is below that of the best weights so far. Without validation rows, this is the loss that bp_network_evaluate would
 * return for the training rows (per row, with row weights): one evaluation of the weights that the fit began with, and one
 * after each epoch with a better loss. So a fit that keeps the best weights never ends with a loss above the one it began
 * with, unless it is stopped in its first epoch. A fit from a stream without validation rows has no rows for such an
 * evaluation: the loss of an epoch, which is measured during its steps, decides, and keep 0 does not depend on on_divergence.
 *
 * When unsure: learning_rate 0.001 with optimizer adam; epochs 1000 with validation_fraction 0.2 and patience 20; the
 * defaults for all others. If the result depends on the seed, try restarts 10.
 * Ownership: none.
 * Errors:    NULL_ARGUMENT; INVALID_HANDLE; UNKNOWN_NAME; INVALID_VALUE outside the values, for NaN, and for a fraction where
 *            only whole numbers are allowed (bp_option_info); BUSY during a fit.
 * Threads:   changes trainer.
 * Since:     0.1 */
int32_t bp_trainer_set_option(bp_trainer *trainer, const char *name, double value);

/* The value of an option.
 * Ownership: none.
 * Errors:    NULL_ARGUMENT; INVALID_HANDLE; UNKNOWN_NAME.
 * Threads:   reads trainer; also during a fit.
 * Since:     0.1 */
int32_t bp_trainer_get_option(const bp_trainer *trainer, const char *name, double *value_out);

/* Sets a weight for each row of the fits that follow. A row's loss and gradient are multiplied by its weight. A mean still
 * divides by the number of rows. For class weights, give each row the weight of its class. Validation rows have weight 1.
 *   row_weights: [rows], finite, 0 or more. rows: as in the fits; 0, the default, gives all rows weight 1.
 * Ownership: the array is copied.
 * Errors:    NULL_ARGUMENT; INVALID_HANDLE; INVALID_VALUE for a weight (the message gives its row); LIMIT;
 *            OUT_OF_MEMORY; BUSY during a fit.
 * Threads:   changes trainer.
 * Since:     0.2 */
int32_t bp_trainer_set_row_weights(bp_trainer *trainer, const float *row_weights, size_t rows);

/* Sets the progress function.
 *   progress: NULL, the default, for none. user_data: may be NULL.
 * Ownership: user_data must live as long as fits can call progress with it.
 * Errors:    NULL_ARGUMENT for trainer; INVALID_HANDLE; BUSY during a fit.
 * Threads:   changes trainer.
 * Since:     0.1 */
int32_t bp_trainer_set_progress(bp_trainer *trainer, bp_progress_fn progress, void *user_data);

/* Trains the network. Returns BP_OK when the fit ended by its options: epochs or steps, patience, target_loss or
 * time_limit. Returns BP_STOPPED when the progress function or bp_trainer_cancel ended it. *loss_out is the loss of the
 * weights that the network keeps; NaN if no step was made, also by the parts before a resumed fit.
 *   If option "stratify" finds a class of fewer than 2 rows, the fit is complete, and returns BP_WARNING_MISSING_CLASS instead
 * of BP_OK. bp_last_error_message() then gives the class; if it has one row, this is used for training. BP_STOPPED takes
 * precedence.
 *   A fit that fails leaves the network as it was, however many steps it made.
 *
 *   Determinism
 *   - The same seed, data and options give the same bits for any number of threads. Only time_limit, progress_seconds and
 *     bp_trainer_cancel depend on time.
 *
 *   Resuming (option "resume")
 *   - N epochs in one fit give the same bits as k epochs and then a resumed fit with N epochs in all, in any process and
 *     language. This holds also if a fit was stopped within an epoch, or if its network was saved within the fit.
 *   - Rows, row weights and options must be the same. The network and its files keep the position in the row order and in
 *     the schedule. Another seed, batch_size, number of training rows or number of workers with their own rows is
 *     INVALID_VALUE (files of version 0.1 only have the seed). Options that say when a fit ends, such as epochs and patience, and
 *     the learning rate may change. Learning rates then follow from the new options: with schedules 3 and 5, which count all
 *     steps, give the first part all epochs, too, and stop it.
 *   - The trainer is not part of the network's files: set its options, row weights and progress function again. time_limit
 *     counts from each call.
 *   - A fit continues from the weights that the network has. At its end, a fit that keeps the best weights has gone back to
 *     its best epoch, and is resumed there: the epochs after it are made again. To continue from the latest epoch, save the
 *     network in the progress function; or set option "keep" to BP_KEEP_LATEST, which forgets the best epoch.
 *   - A fit that keeps the best weights, or has "on_divergence" 1, needs its best network, too. While this is not the
 *     present network, the network and its files hold both: within such a fit, and with "on_divergence" 1 also after it.
 *   - After a fit with restarts, the fit of the best restart alone is resumed.
 *
 *   Restarts (option "restarts")
 *   - Restarts train copies of the network on several threads; or on the calling thread, if an activation is a callback
 *     that is not thread-safe. The network itself changes at the end.
 *   - The copies in memory are those of the restarts that run and of the best one so far.
 *   - With a progress function, 16 restarts run at a time, or 256 if their steps are made in lanes (bp_trainer_fit_ensemble),
 *     whatever the number of threads. Reports come in rounds: one report of each of these restarts, in the order of their
 *     numbers. When a restart ends, the next one takes its place. What the progress function returns applies to all of them.
 *   - A restart that diverges loses against the others. The fit fails only if all restarts diverge.
 *
 *   inputs: [rows][inputs]. targets: [rows][outputs]. rows: 1 or more.
 *   validation_inputs: [validation_rows][inputs]. validation_targets: [validation_rows][outputs]. validation_rows: 1 or
 *   more. Pass NULL, NULL and 0 for no validation rows; option "validation_fraction" then holds out some of the rows.
 * Ownership: the arrays remain the caller's, and must not change until the call returns.
 * Errors:    NULL_ARGUMENT; INVALID_HANDLE, also for a network that is freed during the call; INVALID_VALUE for no rows,
 *            validation arrays without rows, rows that do not match the row weights, a single row to be split, rows to be
 *            stratified if no class has two, or a resumed fit of another seed, batch_size, number of training rows or number
 *            of workers with their own rows;
 *            INVALID_VALUE, UNSUPPORTED or UNKNOWN_NAME as bp_network_check_settings; UNSUPPORTED to resume a fit of
 *            bp_trainer_fit_stream, or to stratify with a loss of other target_columns; NOT_FINITE for a NaN
 *            or an infinity in the data (the message gives the first row), or in a step, unless option "on_divergence"
 *            recovers; CALLBACK; LIMIT; OUT_OF_MEMORY; BUSY for a trainer or network that is already in a fit. With an
 *            all-reduce function also MISMATCH and WORKER.
 * Threads:   changes trainer and network. During the call, const calls on the network run between steps, and other calls on
 *            the trainer or the network return BUSY.
 * Since:     0.1 */
int32_t bp_trainer_fit(bp_trainer *trainer, bp_network *network, const float *inputs, const float *targets, size_t rows,
                       const float *validation_inputs, const float *validation_targets, size_t validation_rows,
                       double *loss_out);

/* A minibatch of a stream, which a function fills. Only the library creates it. Later versions add members at the end only. */
typedef struct bp_minibatch {
    uint32_t struct_size, reserved; /* 0 */
    uint64_t epoch;                 /* its epoch; counts from 0 */
    uint64_t batch;                 /* its number in the epoch; counts from 0 */
    uint64_t first_row;             /* the number of rows of the epoch before it */
    size_t capacity;                /* option "batch_size" */
    float *inputs;                  /* to fill: [capacity][inputs] */
    float *targets;                 /* to fill: [capacity][outputs] */
    float *row_weights;             /* [capacity], set to 1: as in bp_trainer_set_row_weights */
    size_t rows;                    /* set to 0: the function sets it to the number of rows that it filled */
} bp_minibatch;

/* Fills the next minibatch of a stream. minibatch and its arrays are valid during the call.
 *   - Fewer rows than capacity, or none, end the epoch. Option "drop_last" says whether such rows are trained on.
 *   - The position of each call follows that of the previous call, with two exceptions: the first call of a resumed fit, and
 *     the call after a divergence with option "on_divergence" 1. A stream that can go to the position should do so.
 *   - Returns 0 to continue; more than 0 to stop, and less than 0 to abort, as a progress function does. The rows of the call
 *     are then ignored.
 *   It runs between steps, on the thread that called bp_trainer_fit_stream. It may call what a progress function may call. */
typedef int32_t (*bp_next_fn)(bp_minibatch *minibatch, void *user_data);

/* Like bp_trainer_fit, for data that are not in memory or have no end: next provides one minibatch after the other, in the
 * stream's order. The library holds one minibatch.
 *   Rows are not shuffled. Rows in a sorted order, such as by class, train badly: next should shuffle them, at least within
 * large blocks. Option "sampling" 0, the default, has no effect.
 *
 *     static int32_t next(bp_minibatch *minibatch, void *file)
 *     {
 *         if (minibatch->batch == 0) rewind(file);
 *         while (minibatch->rows < minibatch->capacity && read_row(file, minibatch)) minibatch->rows++;
 *         return 0;
 *     }
 *
 *   - Without option "steps_per_epoch", only the stream ends an epoch. An endless stream needs this option, or option "steps".
 *     Validation, early stopping, progress reports and the best weights all need the ends of epochs.
 *   - Row weights come from the stream. A minibatch whose weights are all 1 is trained on like one without weights.
 *   - Resuming gives the same bits as one fit if the stream gives the same rows at the same positions. A fit from a stream
 *     is resumed from a stream only.
 *   - Settings are checked as in bp_trainer_fit, targets for the loss only, as in bp_network_train_minibatch. Messages about
 *     data give epoch, minibatch, row and column.
 *   - UNSUPPORTED are second-order optimizers, batch_size 0, sampling 1, restarts, validation_fraction without validation rows,
 *     row weights of the trainer, and the schedules 3 and 5 without option "steps" or "steps_per_epoch", by which they count
 *     the steps in all.
 *   next: not NULL. user_data: may be NULL. validation_inputs, validation_targets, validation_rows: as in bp_trainer_fit.
 * Ownership: the arrays remain the caller's, and must not change until the call returns.
 * Errors:    as bp_trainer_fit; INVALID_VALUE for an epoch without rows, or for more rows than capacity; CALLBACK if next
 *            returned less than 0.
 * Threads:   as bp_trainer_fit.
 * Since:     0.2 */
int32_t bp_trainer_fit_stream(bp_trainer *trainer, bp_network *network, bp_next_fn next, void *user_data,
                              const float *validation_inputs, const float *validation_targets, size_t validation_rows,
                              double *loss_out);

/* Like bp_trainer_fit, for rows of any type and layout. A fit reads the rows of each minibatch where they are.
 *   - targets->row_weights are used like those of bp_trainer_set_row_weights, and rows that option "validation_fraction" holds
 *     out keep them. Only one of the two may be set.
 *   - validation_targets->row_weights are the weights of the validation rows.
 *   inputs, targets: the same number of rows, 1 or more. validation_inputs, validation_targets: the same number of rows, 1 or
 *   more; or NULL and NULL.
 * Ownership: the rows remain the caller's, and must not change until the call returns.
 * Errors:    as bp_trainer_fit; INVALID_VALUE, UNSUPPORTED and LIMIT for a malformed bp_rows; MISMATCH for columns that are not
 *            the network's, or different numbers of rows.
 * Threads:   as bp_trainer_fit.
 * Since:     0.2 */
int32_t bp_trainer_fit_rows(bp_trainer *trainer, bp_network *network, const bp_rows *inputs, const bp_rows *targets,
                            const bp_rows *validation_inputs, const bp_rows *validation_targets, double *loss_out);

/* Reasons why a fit ended. */
#define BP_END_NONE 0        /* no fit yet */
#define BP_END_COMPLETE 1    /* all epochs or steps were made */
#define BP_END_PATIENCE 2    /* option "patience" */
#define BP_END_TARGET_LOSS 3 /* option "target_loss" */
#define BP_END_TIME_LIMIT 4  /* option "time_limit" */
#define BP_END_STOPPED 5     /* the progress function, or the function of a stream, returned more than 0 */
#define BP_END_CANCELLED 6   /* bp_trainer_cancel */
#define BP_END_DIVERGED 7    /* bp_trainer_fit_ensemble: a loss or a step of this network was not finite */

/* The result of a fit. Later versions add members at the end only. */
typedef struct bp_fit_result {
    uint32_t struct_size; /* in: sizeof(bp_fit_result); out: the number of bytes filled */
    int32_t end;          /* one of the BP_END constants */
    uint64_t epochs;      /* epochs finished, as in bp_progress: a resumed fit counts from the start of the first part */
    uint64_t steps;       /* steps made, counted in the same way */
    uint64_t best_epoch;  /* the finished epoch with the best loss, counted from 1; 0 if no epoch was finished */
    double loss;          /* *loss_out of the fit */
    uint32_t restart;     /* the restart that gave the weights, counted from 0 */
    uint32_t reserved;    /* 0 */
} bp_fit_result;

/* The result of the trainer's latest fit that did not fail. Before the first one all members but struct_size
 * are 0. With restarts, the counts are those of the restart that gave the weights; end is BP_END_STOPPED, BP_END_CANCELLED or
 * BP_END_TIME_LIMIT if this ended the restarts, and otherwise the reason why this restart ended.
 * Ownership: the struct remains the caller's.
 * Errors:    NULL_ARGUMENT; INVALID_HANDLE; INVALID_VALUE for a struct_size that is too small.
 * Threads:   reads trainer; also during a fit.
 * Since:     0.2 */
int32_t bp_trainer_get_result(const bp_trainer *trainer, bp_fit_result *result_out);

/* Trains several networks on the same rows. Each gets the bits that bp_trainer_fit with this trainer would give it alone.
 *   This is for many small networks, such as random starts, ensembles whose spread measures the uncertainty, and sweeps over
 * learning rates. Networks with the same settings are trained 8 or 16 at a time, one in each lane of the processor's vectors: 5
 * times faster than one after the other for layers of 4 units, 2 times for layers of 16. Restarts (option "restarts") are, too.
 *   - Steps in lanes: up to 8,192 weights, all layers trainable, built-in activations and loss, a first-order optimizer, and
 *     minibatches of 7 to 1,024 rows (17 to 1,024 for two layers of at most 8 units); no batch normalization, no dropout, no
 *     clip_norm, option "on_divergence" 0, softmax only in the last layer with cross_entropy. All other steps are made one
 *     network after the other. The settings are the same if all options, activations, losses, optimizers, scalings and frozen
 *     layers are; learning rates may differ.
 *   - The networks are copied, and change at the end. A call that fails changes none of them.
 *   - A network whose loss or step is not finite is left as it was, and its result has BP_END_DIVERGED and the loss NaN. The
 *     call fails only if all networks diverge.
 *   - After each epoch that all networks have finished or ended before, there is one report to the progress function, and
 *     within epochs as options "progress_interval" and "progress_seconds" say. It is that of the network with the lowest loss,
 *     whose index is restart. The answer applies to all networks.
 *   - bp_trainer_get_result returns the result of the network with the lowest loss, whose index is restart.
 *   networks: [count], different networks with the same numbers of layers and units. count: 1 or more.
 *   learning_rates: [count], used instead of option "learning_rate"; or NULL.
 *   results_out: [count], each with its struct_size set to sizeof(bp_fit_result), which is also the distance of two; or NULL.
 *   The rows are those of bp_trainer_fit. Returns as bp_trainer_fit.
 * Ownership: the arrays remain the caller's, and must not change until the call returns.
 * Errors:    as bp_trainer_fit; INVALID_VALUE for a count of 0, a network that is in the array twice, a learning rate that the
 *            option does not accept, or a struct_size that is too small; MISMATCH for other layers; UNSUPPORTED for option
 *            "restarts" or a network with an all-reduce function; NOT_FINITE if all networks diverge. The message gives the
 *            index of the network.
 * Threads:   changes trainer and all networks. Groups of networks are trained on several threads; on the calling thread, if an
 *            activation is a callback that is not thread-safe, or a loss is registered. During the call, const calls on the
 *            networks see them as they were.
 * Since:     0.2 */
int32_t bp_trainer_fit_ensemble(bp_trainer *trainer, bp_network *const *networks, size_t count, const double *learning_rates,
                                const float *inputs, const float *targets, size_t rows, const float *validation_inputs,
                                const float *validation_targets, size_t validation_rows, bp_fit_result *results_out);

/* Like bp_trainer_fit_ensemble, for rows as those of bp_trainer_fit_rows.
 * Ownership: the rows remain the caller's, and must not change until the call returns.
 * Errors:    as bp_trainer_fit_ensemble and bp_trainer_fit_rows.
 * Threads:   as bp_trainer_fit_ensemble.
 * Since:     0.2 */
int32_t bp_trainer_fit_ensemble_rows(bp_trainer *trainer, bp_network *const *networks, size_t count,
                                     const double *learning_rates, const bp_rows *inputs, const bp_rows *targets,
                                     const bp_rows *validation_inputs, const bp_rows *validation_targets,
                                     bp_fit_result *results_out);

/* Ends the trainer's fit in progress before its next step. The network keeps the weights that option "keep" says, and
 * the fit returns BP_STOPPED. If no fit is in progress, nothing happens; later fits are not affected.
 * Ownership: none.
 * Errors:    NULL_ARGUMENT; INVALID_HANDLE.
 * Threads:   any; also from the callbacks of the fit. Not in a signal handler: set a variable there, at which the progress
 *            function looks.
 * Since:     0.1 */
int32_t bp_trainer_cancel(bp_trainer *trainer);

/* ---- Workers ---------------------------------------------------------------------------------------------------- */

/* WORKERS. Several processes, on one machine or on many, can train one network together. Each worker has its own copy of the
 * network and its own part of the rows. The library computes; a function of the host combines numbers of all workers, by MPI or
 * any other engine:
 *
 *     static int32_t all_reduce(void *values, size_t count, int32_t type, int32_t operation, void *user_data)
 *     {
 *         MPI_Datatype number = type == BP_FLOAT ? MPI_FLOAT : MPI_DOUBLE;
 *         MPI_Op combine = operation == BP_REDUCE_SUM ? MPI_SUM : MPI_MAX;
 *         return MPI_Allreduce(MPI_IN_PLACE, values, (int)count, number, combine, *(MPI_Comm *)user_data);
 *     }
 *
 *     bp_network_set_all_reduce(network, all_reduce, rank, size, &communicator);
 *     bp_network_train_minibatch(network, my_inputs, my_targets, my_rows, 0.1f, &loss);
 *
 *   - A training call of k workers, each with its part of a minibatch, makes the step of one process with the whole minibatch:
 *     its loss, sum or mean, batch normalization, dropout, clipping and finite checks are those of all rows. The result differs
 *     by the rounding of sums only. levenberg_marquardt and bayesian_regularization always use the matrix of the
 *     parameters, also for fewer residuals than parameters. Rows count in the order of the workers. A worker may have any number
 *     of rows, also 0: arrays may then be NULL.
 *   - These calls are made together: bp_network_train_step, _train_minibatch, _train_rows, _gradient, _backpropagate with
 *     gradient_out, _fit_scaling, _fit_scaling_rows, _finish_scaling; bp_trainer_fit, _fit_rows and _fit_stream. Every worker
 *     must make each of them, in the same order, on networks of the same settings and parameters; otherwise all get MISMATCH, or
 *     wait until the engine gives up. (Scaling, and registered activations and losses, are not compared; parameters are in the
 *     first of these calls.) All other calls are local. bp_network_evaluate, for example, is that of this worker's rows,
 *     and a setter must be called on each worker. Start with one network: bp_network_save_memory on one worker, and
 *     bp_network_load_memory of the same bytes on the others.
 *   - Each call consists of exchanges, which are calls of the function. Their number, sizes and order are the same on all
 *     workers:
 *         an agreement   workers + 10 doubles, summed: that all workers make this call, the failures so far, and the rows
 *         forward        for each trainable layer with batch normalization: 2 * units + 2 doubles, summed
 *         backward       for the same layers, from the last to the first: 2 * units + 2 doubles, summed
 *         gradient       the weights' gradients in an internal order, and 4 more numbers: floats, summed
 *     The function may round the gradients to fewer bits, but not the 4 numbers at the end: the loss and the failures.
 *     A step of lbfgs has these exchanges for each evaluation. A step of levenberg_marquardt or bayesian_regularization sums J'J
 *     and J'r, as doubles, and makes an agreement for each loss. The scaling exchanges sums and maxima of doubles. A fit
 *     makes an agreement at its start, for each loss of validation rows, and at its end.
 *   - Failures are exchanged, too. If a call fails on one worker, by wrong data, a callback or lack of memory, it fails on all
 *     in the same exchange. Each network is as before the call. The worker that failed returns its error; the others return
 *     BP_ERROR_WORKER, or NOT_FINITE if a number was not finite. No worker waits for one that has failed, as long as the
 *     engine's function returns; but for one whose network or trainer is NULL, an invalid handle or BUSY, which makes no
 *     exchange.
 *   - If the function itself fails, the call fails with BP_ERROR_CALLBACK, and the network is as before the call. If it fails
 *     on some workers only, other workers may have made the step, or wait for this one for ever, unless the engine gives up:
 *     end the job, with MPI_Abort for example, and begin again from a saved network.
 *   - The networks of all workers have the same bits after each step, if the function gives all workers the same bits, and all have
 *     the same bp_instruction_set(), where "avx512" counts as "avx2" (otherwise: MISMATCH). The same numbers of rows and workers
 *     give the same bits again if the function adds in an order that does not depend on time.
 *   - Option batchnorm_update 1 is UNSUPPORTED.
 *
 *   Fits
 *   - With option "shared_rows" 1, all workers pass the same rows and options, and each trains on its share of each minibatch. The
 *     fit is that of one process, for any number of workers, except for rounding: "batch_size", the order of the rows, validation
 *     and resuming are the same. Another number of workers can resume it.
 *   - With option "shared_rows" 0, each worker passes its own rows, in memory or as a stream, and its own "batch_size": a minibatch
 *     has the rows of all workers. Each worker shuffles its own rows. An epoch ends with the worker that has the most
 *     minibatches; the others then take part without rows. Validation rows are those of all workers together; with
 *     "validation_fraction", each worker holds out some of its own rows, and with "stratify", of each class among them. Only the
 *     same number of workers can resume a fit of rows in memory: others would validate with rows that were trained on. This holds
 *     for a new fit of a trained network, too, unless the validation rows are passed.
 *   - A fit ends on all workers at the same step. The progress function, bp_trainer_cancel, time_limit or the function of a
 *     stream ends it on all if it does on one. A progress function that aborts on one worker fails the fit on all. Not all workers
 *     need a progress function.
 *   - Restarts run one after the other, and each is made by all workers.
 *   - bp_trainer_fit_ensemble makes no exchange: give each worker other networks, without the function.
 *
 *   Overlap
 *   - With bp_network_set_all_reduce_overlap, the gradient of a large network is exchanged while the backward pass computes the rest
 *     of it. The exchange "gradient" is then one of buckets of 4 MB, from the last layer to the first: `start` is called for each
 *     bucket as soon as it is complete, and once for the rest with the 4 numbers. Then `finish` is called once. The exchanges
 *     "backward" of batch normalization are made between calls of start. All other exchanges remain as above, and so does that of a
 *     gradient of 4 MB or less, about a million weights.
 *   - The order and sizes of all calls are the same on all workers. An engine matches them by their order, as MPI does with
 *     MPI_Iallreduce and MPI_Allreduce on one communicator.
 *   - A pass that has called start calls finish before its training call returns, also if start, the function or anything else
 *     has failed. After finish has returned, 0 or not, the engine must not access the numbers: they may be freed.
 *   - Failures are as above: a worker that fails still starts the buckets before its next exchange, with numbers that no worker uses.
 *   - The sums have the bits of one exchange if the function adds each number in the same order in both. In parts of a large
 *     minibatch (more than 1,024 rows), the last part overlaps. A step of lbfgs overlaps in each evaluation;
 *     levenberg_marquardt and bayesian_regularization do not. */

#define BP_REDUCE_SUM 0 /* operation */
#define BP_REDUCE_MAXIMUM 1

/* Replaces each of `count` numbers by the sum, or the maximum, of this number of all workers.
 *   values: float [count] if type is BP_FLOAT, double [count] if it is BP_DOUBLE. operation: BP_REDUCE_SUM or
 *   BP_REDUCE_MAXIMUM.
 * Returns 0, or any other number to make the call fail with BP_ERROR_CALLBACK; the message contains the number. It runs on
 * the thread that made the call. Calls that change the network return BUSY there. */
typedef int32_t (*bp_all_reduce_fn)(void *values, size_t count, int32_t type, int32_t operation, void *user_data);

/* Makes the network that of one of several workers. Copies and files of the network are not: they train alone.
 *   function: NULL, the default, to train alone; the other arguments are then ignored. worker: 0 to workers - 1, each of them
 *   once (otherwise: MISMATCH in a call). workers: 1 to 65535. user_data: may be NULL.
 * Ownership: user_data must live as long as calls can call function with it.
 * Errors:    NULL_ARGUMENT for network; INVALID_HANDLE; INVALID_VALUE for worker or workers; OUT_OF_MEMORY; BUSY.
 * Threads:   changes network.
 * Since:     0.2 */
int32_t bp_network_set_all_reduce(bp_network *network, bp_all_reduce_fn function, size_t worker, size_t workers,
                                  void *user_data);

/* Completes all exchanges that were started, and returns 0, or any other number to make the call fail with BP_ERROR_CALLBACK; the
 * message contains the number. It runs on the thread that made the call. Calls that change the network return BUSY there. */
typedef int32_t (*bp_all_reduce_finish_fn)(void *user_data);

/* Lets the exchange of gradients overlap the backward pass: see "Overlap" above. Call it on all workers or on none (otherwise:
 * MISMATCH), after bp_network_set_all_reduce, which removes it. It pays for networks of some million parameters, with an engine
 * that exchanges while the program computes. For example, with MPI:
 *
 *     static int32_t start(void *values, size_t count, int32_t type, int32_t operation, void *user_data)
 *     {
 *         requests *r = user_data;             (type is BP_FLOAT and operation BP_REDUCE_SUM)
 *         if (r->count == MOST_REQUESTS && finish(r)) return 1;
 *         return MPI_Iallreduce(MPI_IN_PLACE, values, (int)count, MPI_FLOAT, MPI_SUM, r->communicator, &r->all[r->count++]);
 *     }
 *     static int32_t finish(void *user_data)
 *     {
 *         requests *r = user_data;
 *         int count = r->count;
 *         r->count = 0;
 *         return MPI_Waitall(count, r->all, MPI_STATUSES_IGNORE);
 *     }
 *
 *   start: like the function of bp_network_set_all_reduce, but it only begins, and returns; the numbers belong to the engine until
 *   finish returns. Returns 0, or any other number to make the call fail with BP_ERROR_CALLBACK. NULL, the default: no overlap; the
 *   other arguments are then ignored. finish: completes what start has begun. user_data: of both; may be NULL.
 * Ownership: user_data must live as long as calls can call start and finish with it.
 * Errors:    NULL_ARGUMENT for network or finish; INVALID_HANDLE; UNSUPPORTED for a network without an all-reduce function;
 *            OUT_OF_MEMORY; BUSY.
 * Threads:   changes network.
 * Since:     0.2 */
int32_t bp_network_set_all_reduce_overlap(bp_network *network, bp_all_reduce_fn start, bp_all_reduce_finish_fn finish,
                                          void *user_data);

/* ---- Prediction ------------------------------------------------------------------------------------------------- */

/* Computes the outputs for rows of inputs. A row's outputs do not depend on the other rows. NaN and infinity are computed
 * with and are no error.
 *   inputs: [rows][inputs]. outputs_out: [rows][outputs], must not overlap inputs. rows: may be 0.
 * Ownership: the arrays remain the caller's.
 * Errors:    NULL_ARGUMENT; INVALID_HANDLE; LIMIT; CALLBACK; OUT_OF_MEMORY; BUSY.
 * Threads:   reads network; each of several concurrent calls uses its own buffers.
 * Since:     0.1 */
int32_t bp_network_predict(const bp_network *network, const float *inputs, size_t rows, float *outputs_out);

/* Like bp_network_predict, for rows of any type and layout, with outputs in a layout of the caller:
 *
 *     bp_network_predict_rows(network, &x, matrix, BP_DOUBLE, 8, 8 * x.rows);   column-major doubles
 *
 *   With BP_DOUBLE, target scaling is undone in double precision.
 *   inputs: rows may be 0. outputs_out: output (r, c) is stored at the address outputs_out + r * row_stride + c * column_stride,
 *   which need not be aligned; it must not overlap inputs. type: BP_FLOAT or BP_DOUBLE. row_stride, column_stride: in bytes, may
 *   be negative; both 0 for row-major without gaps.
 * Ownership: the rows and the outputs remain the caller's.
 * Errors:    as bp_network_predict; INVALID_VALUE, UNSUPPORTED and LIMIT for a malformed bp_rows, a type or strides; MISMATCH
 *            for columns that are not the network's.
 * Threads:   reads network; each of several concurrent calls uses its own buffers.
 * Since:     0.2 */
int32_t bp_network_predict_rows(const bp_network *network, const bp_rows *inputs, void *outputs_out, int32_t type,
                                ptrdiff_t row_stride, ptrdiff_t column_stride);

/* Computes the outputs of a layer for rows of inputs, as bp_network_predict computes them: after batch normalization with
 * running statistics, and after the activation. Use it for the code of an autoencoder, or for features. The outputs of the last
 * layer have the bits of bp_network_predict.
 *   layer: 1 to the last. inputs: [rows][inputs]. outputs_out: [rows][size of the layer], must not overlap inputs. rows may
 *   be 0. NaN and infinity are computed like other numbers.
 * Ownership: the arrays remain the caller's.
 * Errors:    NULL_ARGUMENT; INVALID_HANDLE; INVALID_VALUE for the layer; LIMIT; CALLBACK; OUT_OF_MEMORY; BUSY.
 * Threads:   reads network; concurrent calls each use buffers of their own.
 * Since:     0.2 */
int32_t bp_network_predict_layer(const bp_network *network, size_t layer, const float *inputs, size_t rows, float *outputs_out);

/* Computes the loss of the predictions for rows of inputs, without training. Batch normalization uses the running
 * statistics.
 *   inputs: [rows][inputs]. targets: [rows][outputs]. rows: 1 or more.
 * Ownership: the arrays remain the caller's.
 * Errors:    NULL_ARGUMENT (loss_out included); INVALID_HANDLE; INVALID_VALUE for no rows, or settings or a target that
 *            bp_network_check_settings refuses for the loss; UNKNOWN_NAME for a loss of a file that is not registered; LIMIT;
 *            NOT_FINITE; CALLBACK; OUT_OF_MEMORY; BUSY.
 * Threads:   reads network.
 * Since:     0.1 */
int32_t bp_network_evaluate(const bp_network *network, const float *inputs, const float *targets, size_t rows, float *loss_out);

/* Like bp_network_evaluate, for rows of any type and layout, and with row weights.
 *   inputs, targets: the same number of rows, 1 or more.
 * Ownership: the rows remain the caller's.
 * Errors:    as bp_network_evaluate; INVALID_VALUE, UNSUPPORTED and LIMIT for a malformed bp_rows; MISMATCH for columns that
 *            are not the network's, or different numbers of rows.
 * Threads:   reads network.
 * Since:     0.2 */
int32_t bp_network_evaluate_rows(const bp_network *network, const bp_rows *inputs, const bp_rows *targets, float *loss_out);

/* Computes the loss of each row's prediction, for example to find outliers. bp_network_evaluate returns the sum of these
 * losses, or their mean with option gradient_reduction 1. Here each loss is rounded to float.
 *   inputs: [rows][inputs]. targets: [rows][outputs]. rows: 1 or more. losses_out: [rows].
 * Ownership: the arrays remain the caller's.
 * Errors:    as bp_network_evaluate.
 * Threads:   reads network.
 * Since:     0.2 */
int32_t bp_network_row_losses(const bp_network *network, const float *inputs, const float *targets, size_t rows,
                              float *losses_out);

/* Computes a score of the predictions for rows, by the name of a measure:
 *
 *     accuracy              the share of rows whose largest output and largest target are in the same column. For a single
 *                           output: the share of rows whose output and target are on the same side of 0.5; or of 0, if the
 *                           last activation is sign, tanh, softsign or sine (with target scaling: of the number scaled to it)
 *     r2                    1 - sum of (a - y)^2 / sum of (y - mean of y)^2, the mean over the outputs. An output whose
 *                           target is the same in all rows counts 1 if it equals the target in all rows, else 0
 *     mean_absolute_error   the mean of |a - y|
 *
 *   Scores are computed in double precision from unscaled outputs a and targets y. The loss is not used.
 *   When unsure: "accuracy" for binary_cross_entropy and cross_entropy, "r2" for other losses.
 *   inputs: [rows][inputs]. targets: [rows][outputs]. rows: 1 or more.
 * Ownership: the arrays remain the caller's.
 * Errors:    as bp_network_evaluate; UNKNOWN_NAME; UNSUPPORTED for a loss of other target_columns; INVALID_VALUE also if too
 *            many targets are missing for a score.
 * Threads:   reads network.
 * Since:     0.1 */
int32_t bp_network_score(const bp_network *network, const char *measure, const float *inputs, const float *targets, size_t rows,
                         double *score_out);

/* Like bp_network_score, for rows of any type and layout. With row weights, all means over rows are weighted means. Where
 * the network scales targets, a score other than "accuracy" is computed from differences from the offset, so that a large mean
 * of doubles does not cost it digits.
 *   inputs, targets: the same number of rows, 1 or more, not all of weight 0.
 * Ownership: the rows remain the caller's.
 * Errors:    as bp_network_score; INVALID_VALUE, UNSUPPORTED and LIMIT for a malformed bp_rows; MISMATCH for columns that are
 *            not the network's, or different numbers of rows.
 * Threads:   reads network.
 * Since:     0.2 */
int32_t bp_network_score_rows(const bp_network *network, const char *measure, const bp_rows *inputs, const bp_rows *targets,
                              double *score_out);

/* The name of the measure with this index. To list all, count up from 0 until BP_ERROR_UNKNOWN_NAME. *needed_out as in
 * bp_activation_name.
 * Ownership: the buffer remains the caller's.
 * Errors:    NULL_ARGUMENT; UNKNOWN_NAME past the end; BUFFER_TOO_SMALL.
 * Threads:   any.
 * Since:     0.2 */
int32_t bp_score_name(size_t index, char *buffer, size_t capacity, size_t *needed_out);

/* Folds the batch normalization of all layers into their weights and removes it, for inference: the network becomes
 * smaller and faster. Predictions change by rounding only, by a few 1e-6 of the largest output.
 *   Further training would differ from training with batch normalization. Call it on a clone, and continue to train the
 * original. The values of batch normalization that is turned off are removed, too. The parameter count changes if a layer
 * was normalized.
 * Ownership: none.
 * Errors:    NULL_ARGUMENT; INVALID_HANDLE; NOT_FINITE if weights would not be finite; BUSY.
 * Threads:   changes network.
 * Since:     0.1 */
int32_t bp_network_fold_batchnorm(bp_network *network);

/* ---- Predictors ------------------------------------------------------------------------------------------------- */

/* A predictor is an immutable copy of a network in its form for predictions: batch normalization is folded into the weights,
 * dropout is gone, the scaling is kept, and all memory is allocated. Use it where a prediction must not wait, such as in an
 * audio callback or a control loop, while another thread trains the network:
 *
 *     bp_predictor *predictor;
 *     bp_predictor_create(network, &predictor);
 *     ... thread 1: bp_predictor_run(predictor, inputs, 1, outputs);
 *     ... thread 2: bp_network_train_minibatch(network, ...); bp_predictor_update(predictor, network);
 *     bp_predictor_free(predictor);
 *
 *   - bp_predictor_run takes no lock, no memory and no system call, and waits for no other thread. This includes the first
 *     run of a thread, and runs that fail; except when a callback fails, whose message needs memory.
 *   - If a layer has a registered activation, its callback may do anything, and this promise ends where the callback begins.
 *     The library's own part keeps the promise. A predictor keeps the activations that it uses, as a network does; destroy is
 *     never called in a run.
 *   - A run uses less than 80 KiB of its thread's stack; less than 2 KiB (on 32-bit x86, 3 KiB) for one row of a network whose
 *     layers have at most 128 units, built-in activations and, if they are scaled, at most 128 inputs. A page of the stack that
 *     the thread has not used before costs a page fault: use the stack once, or lock the memory (mlockall), before the first run
 *     that must be on time.
 *   - If a layer has more than 8176 units, or there are more than 8192 scaled inputs, runs use buffers of the predictor
 *     instead of the stack: 16 runs at a time.
 *   - Outputs have the bits of bp_network_predict for the same network after bp_network_fold_batchnorm, for any number of
 *     rows.
 *   - An update is seen as a whole: a run uses the old copy or the new one, for all its rows. A run that begins after
 *     bp_predictor_update has returned uses the new copy or a later one.
 *   - 4096 threads that have called bp_predictor_run or bp_predictor_sizes can exist at a time; an ended thread does not
 *     count. */
typedef struct bp_predictor bp_predictor;

/* Creates a predictor from a network's present parameters and settings. The network can then be changed or freed.
 * Ownership: the caller owns *predictor_out and frees it with bp_predictor_free.
 * Errors:    NULL_ARGUMENT; INVALID_HANDLE; NOT_FINITE if folded weights would not be finite; LIMIT; OUT_OF_MEMORY; BUSY.
 * Threads:   reads network.
 * Since:     0.2 */
int32_t bp_predictor_create(const bp_network *network, bp_predictor **predictor_out);

/* Frees a predictor. NULL and invalid handles are ignored.
 * Ownership: the handle is invalid from now on: later runs return INVALID_HANDLE.
 * Errors:    none.
 * Threads:   any. Waits for runs of all predictors that are in progress on other threads. In a callback of a run it does not
 *            wait: the memory is then freed by the next bp_predictor_update or bp_predictor_free that is not in a callback
 *            of a run. A callback of a run must not wait for another thread's bp_predictor_update or bp_predictor_free.
 * Since:     0.2 */
void bp_predictor_free(bp_predictor *predictor);

/* Replaces the predictor's copy by the present parameters and settings of a network: the one that it was created from, or
 * another one with the same layer sizes. Activations, batch normalization and scaling may differ.
 * Ownership: the old copy is freed after the last run that uses it has returned.
 * Errors:    as bp_predictor_create; MISMATCH for other layer sizes; UNSUPPORTED if the system refuses the system call
 *            membarrier, which it allowed before.
 * Threads:   reads network. Runs are not delayed, except for an interrupt of about a microsecond on Linux. Of several updates
 *            at a time, one is the last. Then waits as bp_predictor_free does.
 * Since:     0.2 */
int32_t bp_predictor_update(bp_predictor *predictor, const bp_network *network);

/* The number of inputs and outputs of a row. They never change.
 * Ownership: none.
 * Errors:    NULL_ARGUMENT; INVALID_HANDLE; LIMIT in the 4097th thread.
 * Threads:   any.
 * Since:     0.2 */
int32_t bp_predictor_sizes(const bp_predictor *predictor, size_t *inputs_out, size_t *outputs_out);

/* Computes the outputs for rows of inputs on the calling thread, without waiting. NaN and infinity are computed with and are
 * no error.
 *   inputs: [rows][inputs]. outputs_out: [rows][outputs], must not overlap inputs. rows: may be 0.
 * Ownership: the arrays remain the caller's.
 * Errors:    NULL_ARGUMENT; INVALID_HANDLE, also for a predictor that was freed; LIMIT for rows that cannot be counted, or in
 *            the 4097th thread; BUSY for a network with wide layers whose buffers are all in use; CALLBACK.
 * Threads:   any, any number at a time. Also in callbacks, and in a signal handler on a thread that has run a predictor
 *            before.
 * Since:     0.2 */
int32_t bp_predictor_run(const bp_predictor *predictor, const float *inputs, size_t rows, float *outputs_out);

/* ---- Parameters ------------------------------------------------------------------------------------------------- */

/* The number of parameters: weights, biases, and gamma and beta of layers whose batch normalization is on.
 * Ownership: none.
 * Errors:    NULL_ARGUMENT; INVALID_HANDLE; BUSY.
 * Threads:   reads network.
 * Since:     0.1 */
int32_t bp_network_parameter_count(const bp_network *network, size_t *count_out);

/* Copies the parameters to an array, in the order given under CONVENTIONS.
 *   parameters_out: [count]. count: the parameter count.
 * Ownership: the array remains the caller's.
 * Errors:    NULL_ARGUMENT; INVALID_HANDLE; MISMATCH for another count; BUSY.
 * Threads:   reads network.
 * Since:     0.2 */
int32_t bp_network_get_parameters(const bp_network *network, float *parameters_out, size_t count);

/* Replaces the parameters, in the order given under CONVENTIONS. Running statistics stay.
 *   parameters: [count], all finite. count: the parameter count.
 * Ownership: the array remains the caller's.
 * Errors:    NULL_ARGUMENT; INVALID_HANDLE; MISMATCH for another count; NOT_FINITE; BUSY.
 * Threads:   changes network.
 * Since:     0.2 */
int32_t bp_network_set_parameters(bp_network *network, const float *parameters, size_t count);

/* TENSORS. The tensors of a model file can also be read and set one by one, by the names that they have in the file, in
 * this order:
 *
 *     layers.1.weight [outputs][inputs]            and so on for each layer with weights
 *     layers.1.bias [outputs]
 *     layers.1.norm.weight, .bias [outputs]        gamma and beta, and the running statistics, of a layer whose batch
 *     layers.1.norm.running_mean, .running_var     normalization is on or was on
 *     optimizer.first_moment.layers.1.weight ...   the optimizer's state for each parameter, from its first step on. It
 *                                                  belongs to the optimizer's step count and cannot be set
 *     scaling.inputs.offset, .scale [inputs]       if the scaling is not "none": the network computes with
 *     scaling.targets.offset, .scale [outputs]     (x - offset) / scale
 *     scaling.inputs.remainder [inputs][2] ...     after the scale, if the scaling was fitted to doubles: see
 *                                                  bp_network_fit_scaling_rows
 *     fit.best.layers.1.weight ...                 the best network of the latest fit, if option "resume" needs it (see
 *                                                  bp_trainer_fit). It cannot be set */

/* The name of the tensor with this index. To list all, count up from 0 until BP_ERROR_UNKNOWN_NAME. *needed_out as in
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

/* Copies a tensor to an array, row by row.
 *   values_out: [count]. count: rows times columns.
 * Ownership: the array remains the caller's.
 * Errors:    NULL_ARGUMENT; INVALID_HANDLE; UNKNOWN_NAME; MISMATCH for another count; OUT_OF_MEMORY; BUSY.
 * Threads:   reads network.
 * Since:     0.2 */
int32_t bp_network_get_tensor(const bp_network *network, const char *name, float *values_out, size_t count);

/* Replaces a tensor.
 *   values: [count], all finite; running variances 0 or more; scales above 0. count: rows times columns.
 * Ownership: the array remains the caller's.
 * Errors:    NULL_ARGUMENT; INVALID_HANDLE; UNKNOWN_NAME; MISMATCH for another count; NOT_FINITE; INVALID_VALUE for a
 *            variance below 0 or a scale not above 0; UNSUPPORTED for a tensor of the optimizer or of the latest fit;
 *            OUT_OF_MEMORY; BUSY.
 * Threads:   changes network.
 * Since:     0.2 */
int32_t bp_network_set_tensor(bp_network *network, const char *name, const float *values, size_t count);

/* ---- Metadata --------------------------------------------------------------------------------------------------- */

/* Metadata are the host's texts about a network: names of classes or features, for example, or the source of the data. They
 * are part of the network, its copies and its file. Any safetensors reader finds them under "metadata." and the key. */

/* Sets or replaces the text of a key.
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

/* The key with this index, in the order of the keys' bytes. To list all, count up from 0 until BP_ERROR_UNKNOWN_NAME.
 * *needed_out as in bp_network_get_metadata.
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

/* A model is one safetensors file. Any reader of this format opens it. The file holds the parameters and running statistics
 * ("layers.1.weight", "layers.1.bias", "layers.1.norm.weight", ...) and, as metadata, everything else of the network, with
 * a checksum of the whole file. Activations are stored by name, a registered loss by name and target_columns.
 *   A loss that is not registered when its file is loaded is no error: the network predicts, clones and saves. Each call that
 * needs the loss then uses the one that is registered at this time, and returns UNKNOWN_NAME if none has this name and these
 * target_columns. bp_network_set_loss sets a loss instead. */

/* Saves the network to a file. Either the whole file is written, or the old file of this name stays.
 *   - The bytes are first written to a file ".bp-....tmp" in the same folder. When they are safely on the disk, this file
 *     gets the name. If a process is killed while it saves, the temporary file remains, and the next save to the same path
 *     removes it.
 *   - A symbolic link is followed. Other hard links keep the old file.
 *   - The new file has the permissions, the access-control list and, if the process may set them, the owner and the group
 *     of the old file. If the list or the group cannot be kept, the group gets no more permissions than all others.
 *   - A file that cannot be replaced as a whole is refused with IO: a folder, pipe, socket or device, a file on which
 *     another file system is mounted, and a link to an open file (/dev/stdout, /proc/self/fd/...). To write to these, use
 *     bp_network_save_memory.
 *   - An old file that the process may not write is refused with IO, even if its folder allows to replace it.
 *   - A file larger than the limit of the process (RLIMIT_FSIZE) is refused with IO. SIGXFSZ is not delivered.
 * Ownership: none.
 * Errors:    NULL_ARGUMENT; INVALID_HANDLE; INVALID_VALUE for an empty path; IO (the message gives the cause, and names
 *            the folder if that is the cause; errno is the error number); OUT_OF_MEMORY; BUSY.
 * Threads:   reads network while it copies the parameters. Writing the file then delays no other call.
 * Since:     0.1 */
int32_t bp_network_save(const bp_network *network, const char *path);

/* Creates a network from a model file: a regular file, or a link to one. Memory is allocated only after the sizes in the
 * header were found to match the size of the file.
 * Ownership: the caller owns *network_out and frees it with bp_network_free.
 * Errors:    NULL_ARGUMENT; INVALID_VALUE for an empty path; IO (errno is the error number); NOT_A_MODEL; CORRUPT;
 *            VERSION; UNKNOWN_NAME for activations that are not registered (the message names them; for a loss see above);
 *            INVALID_VALUE also for a model with scaled targets whose loss has other target_columns; LIMIT for a header of
 *            more than 16 MiB or 65,536 entries; OUT_OF_MEMORY.
 * Threads:   any.
 * Since:     0.1 */
int32_t bp_network_load(const char *path, bp_network **network_out);

/* Writes to memory the bytes that bp_network_save would write to a file. *needed_out is their number, also when the buffer
 * is too small: call it first with buffer NULL and capacity 0, which returns BUFFER_TOO_SMALL, to get the size.
 * Ownership: the buffer remains the caller's.
 * Errors:    NULL_ARGUMENT; INVALID_HANDLE; BUFFER_TOO_SMALL; OUT_OF_MEMORY; BUSY.
 * Threads:   reads network.
 * Since:     0.1 */
int32_t bp_network_save_memory(const bp_network *network, uint8_t *buffer, size_t capacity, size_t *needed_out);

/* Creates a network from the bytes of a model file.
 * Ownership: the caller owns *network_out and frees it with bp_network_free. The bytes remain the caller's.
 * Errors:    as bp_network_load, without IO.
 * Threads:   any.
 * Since:     0.1 */
int32_t bp_network_load_memory(const uint8_t *bytes, size_t count, bp_network **network_out);

#define BP_EXPORT_FOLDED 1 /* flags */

/* Writes the network's prediction as one C99 file, which is also C++: the weights and a function. It needs no other file, allocates
 * no memory, and does not contain or need this library. Use it on microcontrollers, or where a prediction must be fast.
 *
 *     bp_network_export_c(network, "iris.c", "iris", 32, 0);
 *     void iris_predict(const float *input, float *output);     in iris.c: one row, without scaling by the caller
 *
 *   - The function returns the bits of bp_network_predict: those of instruction set "avx2" if it is compiled for a processor with
 *     fused multiply-add (-march=native, arm64), and otherwise those of "baseline". This holds for identity, sign, logistic,
 *     tanh, relu, leaky_relu, elu, softsign, softmax, relu6, hard_sigmoid and hard_swish. The others call functions of the C
 *     library in double precision, and differ from the library's by at most 2 units in the last place, or 1.2e-38 near 0.
 *   - Compilers that compute in a wider format than float (x87) change bits, and -ffast-math is not supported.
 *   - Batch normalization and scaling are separate operations, as in the library. With BP_EXPORT_FOLDED, weights and biases contain
 *     them, computed in double precision and rounded once: the function is smaller and faster, but does not return the same bits.
 *     The error of each sum of n inputs is at most (n + 2) 2^-24 (|b| + sum |w x|), where w and b are folded, apart from underflow.
 *     This is large where the offset of an input is large compared with its scale. The scaling of targets remains separate after an
 *     activation that is not identity, and that of inputs with 8 bits. Without scaling, the function returns the bits of
 *     bp_network_predict after bp_network_fold_batchnorm, as above.
 *   - The program that uses the file must define a function for each registered activation. The file declares it: for "bump",
 *     float iris_activation_bump(float z); and for a vector activation, whose arrays do not overlap, void
 *     iris_activation_bump(const float *z, float *a, int count). In the name, '.' becomes Dot and '-' becomes Minus.
 *   - With 8 bits, the weights of a unit are integers from -127 to 127 with a common scale: a quarter of the memory.
 *   - With 8 bits or BP_EXPORT_FOLDED, a comment states the largest difference from the library's outputs, for 256 pseudo-random
 *     rows of scaled inputs from -1 to 1.
 *   - Metadata become a comment, without "history". The array between two layers is on the stack: 4 bytes for each unit.
 *   - The file is written as by bp_network_save.
 *   prefix: the start of all names in the file: a letter and at most 63 letters, digits and underscores. weight_bits: 32 for
 *   float, or 8. When unsure: 32. flags: 0 or BP_EXPORT_FOLDED. When unsure: 0.
 * Ownership: none.
 * Errors:    NULL_ARGUMENT; INVALID_HANDLE; INVALID_VALUE for an empty path, a prefix, weight_bits or flags; NOT_FINITE if the
 *            batch normalization of a layer overflows, or a folded weight; CALLBACK with 8 bits or BP_EXPORT_FOLDED, which compute
 *            predictions; IO as bp_network_save; OUT_OF_MEMORY; LIMIT; BUSY.
 * Threads:   reads network. Writing the file then delays no other call.
 * Since:     0.2 */
int32_t bp_network_export_c(const bp_network *network, const char *path, const char *prefix, int32_t weight_bits,
                            int32_t flags);

/* Like bp_network_export_c, as Swift source without Foundation: an enum with functions predict for arrays and for pointers.
 *
 *     bp_network_export_swift(network, "Iris.swift", "Iris", 32, 0);
 *     let output = Iris.predict(input)
 *
 *   - Fused multiply-add is used on arm64, and elsewhere with the compiler's options -D FMA -Xcc -mfma.
 *   type_name: a capital letter and at most 63 letters, digits and underscores.
 * Ownership: none.
 * Errors:    as bp_network_export_c.
 * Threads:   as bp_network_export_c.
 * Since:     0.2 */
int32_t bp_network_export_swift(const bp_network *network, const char *path, const char *type_name, int32_t weight_bits,
                                int32_t flags);

/* Replaces the parameters and running statistics by those in any safetensors file, such as a state dictionary of PyTorch
 * saved in this format. The file's tensors, in any order, have the names and shapes of this network's:
 *
 *     layers.1.weight   [outputs, inputs]             layers.1.norm.weight, .bias,
 *     layers.1.bias     [outputs]                     .running_mean, .running_var   [outputs] each
 *
 * and so on for each layer. The tensors on the right are required if the layer's batch normalization is on, and optional if
 * it is off.
 *   - Types are F32, F64 (rounded), F16 and BF16.
 *   - Ignored are: other metadata; tensors whose names do not start with "layers."; PyTorch's num_batches_tracked; and
 *     fields of a tensor other than "dtype", "shape" and "data_offsets". Any other tensor whose name starts with "layers."
 *     and that the network does not have is a MISMATCH.
 *   - The checksum of a model of this library is verified.
 *   - Activations, loss, options, scaling and the step count stay. Weights that were trained with another scaling, or with
 *     none, compute other outputs.
 * Ownership: none.
 * Errors:    NULL_ARGUMENT; INVALID_HANDLE; INVALID_VALUE for an empty path; IO (errno is the error number); NOT_A_MODEL
 *            for a file that is not safetensors; CORRUPT; VERSION; LIMIT for a header of more than 16 MiB or 65,536
 *            entries; MISMATCH for a tensor that is missing, has another shape or type, or belongs to no layer (the
 *            message names it; for a missing one, also names that the file has); NOT_FINITE for a NaN, an infinity or a
 *            negative variance; OUT_OF_MEMORY; BUSY.
 * Threads:   changes network. Reading the file before that delays no other call.
 * Since:     0.1 */
int32_t bp_network_load_weights(bp_network *network, const char *path);

/* Like bp_network_load_weights, from the bytes of a safetensors file.
 * Ownership: the bytes remain the caller's.
 * Errors:    as bp_network_load_weights, without IO; also NULL_ARGUMENT for bytes, unless count is 0.
 * Threads:   changes network.
 * Since:     0.2 */
int32_t bp_network_load_weights_memory(bp_network *network, const uint8_t *bytes, size_t count);

/* Replaces the weights and the biases of one layer by two tensors of any safetensors file, whatever their names: such as
 * "0.weight" and "0.bias" of PyTorch's Sequential, or "model.fc1.weight". All other tensors of the file are ignored. Batch
 * normalization of the layer and the network's scaling stay: layer 1 gets scaled inputs, and the outputs of the last layer are
 * scaled back.
 *   layer: 1 to layer count - 1. weight_name: the name of a tensor [outputs, inputs], as of PyTorch's Linear. bias_name: the
 *   name of a tensor [outputs]; or NULL for a layer without a bias: the biases become 0. Types as in bp_network_load_weights.
 * Ownership: none.
 * Errors:    as bp_network_load_weights; INVALID_VALUE for a layer out of range; UNKNOWN_NAME for a name that the file does
 *            not have (the message lists names that it has); MISMATCH for another shape or type.
 * Threads:   changes network. Reading the file before that delays no other call.
 * Since:     0.2 */
int32_t bp_network_load_layer(bp_network *network, size_t layer, const char *path, const char *weight_name,
                              const char *bias_name);

/* Like bp_network_load_layer, from the bytes of a safetensors file.
 * Ownership: the bytes remain the caller's.
 * Errors:    as bp_network_load_layer, without IO; also NULL_ARGUMENT for bytes, unless count is 0.
 * Threads:   changes network.
 * Since:     0.2 */
int32_t bp_network_load_layer_memory(bp_network *network, size_t layer, const uint8_t *bytes, size_t count,
                                     const char *weight_name, const char *bias_name);

/* ---- Activations ------------------------------------------------------------------------------------------------ */

/* CUSTOM ACTIVATIONS. There are five ways to register one. A registered activation is used by its name like a built-in one,
 * by all networks of the process. Files store its name, and neither user_data nor constants: a program registers the same
 * function before it loads them.
 *
 *     scalar    a callback for one number                               bp_activation_register_scalar
 *     vector    a callback for a whole matrix, which may combine the    bp_activation_register_vector
 *               numbers of a row, and may fail
 *     foreign   any C function of numbers, such as erf or ldexp         bp_activation_register_foreign
 *     library   such a function, by its name in a shared library        bp_activation_register_library
 *     plug-in   a shared library that registers activations             bp_plugin_load; see PLUG-INS
 *
 * When unsure: scalar, with a derivative; then call bp_activation_check.
 *
 * Names.     1 to 64 characters of a-z, 0-9, '_', '.', '-'. Built-in activations cannot be replaced or removed.
 * Lifetime.  - A network keeps the activations that it uses. Unregistering only frees the name.
 *            - An activation ends when it is unregistered and no network or predictor uses it: the last one was freed, was
 *              given another activation, or was updated. destroy is then called, once, on the thread that did so.
 *            - A shared library that holds one of its functions stays open until then, even if the host closes it.
 * Threads.   - Callbacks run on the thread that made the call, for one layer at a time.
 *            - Calls on several networks, and concurrent predictions on one network or predictor, may run a callback at the
 *              same time.
 *            - bp_activation_set_thread_safe allows the library's threads to call it, too.
 * Failures.  A NaN or an infinity that a callback computes makes a training call fail with BP_ERROR_NOT_FINITE. A vector
 *            callback can also make it fail by its return value. The network is then as before the call. */

#define BP_ACTIVATION_BUILT_IN 0
#define BP_ACTIVATION_SCALAR 1
#define BP_ACTIVATION_VECTOR 2
#define BP_ACTIVATION_FOREIGN 3
#define BP_ACTIVATION_LIBRARY 4

/* a = f(z) for one number. */
typedef float (*bp_scalar_fn)(float z, void *user_data);

/* f'(z) for one number, where a = f(z). */
typedef float (*bp_scalar_derivative_fn)(float z, float a, void *user_data);

/* a = f(z) for a matrix of rows x columns, where columns is the size of the layer. z and a do not overlap. Returns 0, or
 * any other number to make the call fail with BP_ERROR_CALLBACK; the message contains the number. A training call passes
 * all rows at once, unless the activation is thread-safe. Other calls may pass a part of the rows at a time. */
typedef int32_t (*bp_vector_forward_fn)(const float *z, float *a, size_t rows, size_t columns, void *user_data);

/* Computes dz from da: the gradients of the loss with respect to z and to a. For a function of each number alone,
 * dz = da * f'(z). dz overlaps none of the other arrays. Returns as bp_vector_forward_fn. */
typedef int32_t (*bp_vector_backward_fn)(const float *z, const float *a, const float *da, float *dz, size_t rows,
                                         size_t columns, void *user_data);

/* Any C function, cast to this type. A signature describes its real type. */
typedef void (*bp_foreign_fn)(void);

/* Called once with user_data when nothing uses an activation any more. */
typedef void (*bp_destroy_fn)(void *user_data);

/* Registers an activation computed by a function of one number.
 *   derivative: NULL for central differences, (f(z + h) - f(z - h)) / 2h, where h is max(1, |z|) / 256 as a power of two.
 *   They have about 4 correct digits where f is smooth. user_data: may be NULL. destroy: NULL for none.
 * Ownership: user_data must live until destroy is called. If registering fails, destroy is not called.
 * Errors:    NULL_ARGUMENT for name or function; INVALID_VALUE for a malformed name or one that is registered already;
 *            OUT_OF_MEMORY.
 * Threads:   any.
 * Since:     0.1 */
int32_t bp_activation_register_scalar(const char *name, bp_scalar_fn function, bp_scalar_derivative_fn derivative,
                                      void *user_data, bp_destroy_fn destroy);

/* Registers an activation computed by functions of whole matrices: one call for each layer. They may combine the columns
 * of a row, and may fail.
 *   forward, backward: not NULL. user_data: may be NULL. destroy: NULL for none.
 * Ownership, Errors, Threads, Since: as bp_activation_register_scalar; NULL_ARGUMENT also for backward. */
int32_t bp_activation_register_vector(const char *name, bp_vector_forward_fn forward, bp_vector_backward_fn backward,
                                      void *user_data, bp_destroy_fn destroy);

/* Registers an activation computed by any C function of numbers, from C, Fortran, Rust, or the C library. It needs no
 * wrapper.
 *
 *     bp_activation_register_foreign("erf", (bp_foreign_fn)erf, NULL, "d(d)", NULL, 0);
 *     const double exponent = -1;
 *     bp_activation_register_foreign("half", (bp_foreign_fn)ldexp, NULL, "d(d,i)", &exponent, 1);
 *
 * C++ has several functions named erf, and needs a cast to choose one: (bp_foreign_fn)(double (*)(double))erf.
 *   signature: R(A[,A...]), the types of the result and of the parameters, without spaces: f for float, d for double, i for
 *   int32_t, l for int64_t, u for uint32_t. The first parameter is z: f or d. The others, at most 15, are constants. A
 *   wrong signature cannot be detected, and may end the process.
 *   constants: [constant_count], finite. For an integer parameter, a whole number in the range of its type.
 *   derivative: a function of the same signature, called with the same z and constants; or NULL for central differences:
 *   as in bp_activation_register_scalar, or for "d(d...)", in double precision, with h = max(1, |z|) / 131072, which have
 *   about 9 correct digits.
 * Ownership: constants remain the caller's.
 * Errors:    NULL_ARGUMENT for name, function or signature, or for constants if constant_count is not 0; INVALID_VALUE
 *            for a malformed name or one that is registered already, a malformed signature (the message gives the
 *            position), or constants that do not match the signature; OUT_OF_MEMORY; UNSUPPORTED without libffi.
 * Threads:   any.
 * Since:     0.1 */
int32_t bp_activation_register_foreign(const char *name, bp_foreign_fn function, bp_foreign_fn derivative,
                                       const char *signature, const double *constants, size_t constant_count);

/* Like bp_activation_register_foreign, for functions of a shared library, by their names.
 *   library_path: as for dlopen: with a slash, a file; without a slash, a name that dlopen searches for; or NULL for the
 *   process itself, which is the program and the libraries it was linked with. derivative_symbol: NULL for central
 *   differences.
 * Ownership: the library opens the shared library, and closes it when the activation ends.
 * Errors:    as bp_activation_register_foreign; INVALID_VALUE for an empty path; LIBRARY if there is no such file, it
 *            is not a shared library, or it has no function of this name; UNSUPPORTED where there are none.
 * Threads:   any.
 * Since:     0.1 */
int32_t bp_activation_register_library(const char *name, const char *library_path, const char *function_symbol,
                                       const char *derivative_symbol, const char *signature, const double *constants,
                                       size_t constant_count);

/* Declares whether one call of one network may call an activation on several threads of the library at the same time. Calls
 * on several networks, and concurrent predictions, may do so in any case (CUSTOM ACTIVATIONS, Threads).
 *   - Layers that are given the activation from now on are then computed on all threads, like built-in ones. Results are
 *     the same. The callbacks may run on the library's threads, whose stacks are 1 MiB.
 *   - A vector activation is then passed a part of the rows at a time, and must treat each row by itself.
 *   - Most pure functions are thread-safe, such as erf and all of libm.
 *   thread_safe: 0, the default, for no; any other number for yes. When unsure: 0.
 * Ownership: none.
 * Errors:    NULL_ARGUMENT; UNKNOWN_NAME; UNSUPPORTED for a built-in activation.
 * Threads:   any.
 * Since:     0.1 */
int32_t bp_activation_set_thread_safe(const char *name, int32_t thread_safe);

/* Sets destroy of an activation that was registered without one. Use it for a foreign function whose code was generated
 * at run time, and must be kept while it is used.
 * Ownership: user_data must live until destroy is called. If this call fails, destroy is not called.
 * Errors:    NULL_ARGUMENT for name or destroy; UNKNOWN_NAME; UNSUPPORTED for a built-in activation; INVALID_VALUE for
 *            an activation that has a destroy.
 * Threads:   any.
 * Since:     0.1 */
int32_t bp_activation_set_destroy(const char *name, void *user_data, bp_destroy_fn destroy);

/* Removes the name of a registered activation. Networks that use the activation keep it.
 * Ownership: see Lifetime above.
 * Errors:    NULL_ARGUMENT; UNKNOWN_NAME; UNSUPPORTED for a built-in activation.
 * Threads:   any, also while a network that uses it trains.
 * Since:     0.1 */
int32_t bp_activation_unregister(const char *name);

/* The name of the activation with this index. To list all, count up from 0 until BP_ERROR_UNKNOWN_NAME. Built-in
 * activations come first. *needed_out is the size of the name with its NUL, also when the buffer is too small, as in
 * bp_network_save_memory.
 * Ownership: the buffer remains the caller's.
 * Errors:    NULL_ARGUMENT; UNKNOWN_NAME past the end; BUFFER_TOO_SMALL.
 * Threads:   any; registering and unregistering during the listing may shift the names after the built-in ones.
 * Since:     0.1 */
int32_t bp_activation_name(size_t index, char *buffer, size_t capacity, size_t *needed_out);

/* How an activation was registered: one of the BP_ACTIVATION constants. For an activation of a plug-in, how the plug-in
 * registered it.
 * Ownership: none.
 * Errors:    NULL_ARGUMENT; UNKNOWN_NAME.
 * Threads:   any.
 * Since:     0.1 */
int32_t bp_activation_kind(const char *name, int32_t *kind_out);

/* The result of comparing a derivative. Later versions add members at the end only. */
typedef struct bp_activation_report {
    uint32_t struct_size; /* in: sizeof(bp_activation_report); out: the number of bytes filled */
    uint32_t points;      /* the number of z where f' was compared */
    uint32_t kinks;       /* the number of these points at a kink or a jump of f, if any point is at one */
    uint32_t skipped;     /* the number of z that were skipped, because f is not finite near them */
    double worst_error;   /* *worst_error_out */
    double worst_z;       /* the z of the worst error */
    double first_kink;    /* the z of a kink or a jump; NaN for none */
} bp_activation_report;

/* Compares an activation's derivative with differences of its values.
 *   - It uses some 200 numbers z from -1000 to 1000, including 0, many small ones and all quarters up to 8. Numbers near
 *     which f is not finite are skipped.
 *   - A vector activation is compared on four matrices of 3 x 16 numbers, by the gradient of a weighted sum of all its
 *     outputs.
 *   - *worst_error_out is the largest relative error, |f' - difference| / max(|f'|, |difference|), minus the part that
 *     rounding to float explains. A correct derivative gives less than 1e-2, usually less than 1e-4. A wrong one usually
 *     gives about 1.
 *   - At a kink, any f' between the derivatives of the two sides is correct. At a jump, any f' is correct.
 *   report_out: NULL, or a struct for details. On failure all its members but struct_size are 0.
 * Ownership: the report remains the caller's.
 * Errors:    NULL_ARGUMENT for name or worst_error_out; INVALID_VALUE for a struct_size that is too small; UNKNOWN_NAME;
 *            UNSUPPORTED for "sign", because training does not use its own derivative; NOT_FINITE if f is finite at none
 *            of the numbers; CALLBACK; OUT_OF_MEMORY.
 * Threads:   any; callbacks run on the calling thread.
 * Since:     0.2 */
int32_t bp_activation_check(const char *name, double *worst_error_out, bp_activation_report *report_out);

/* ---- Losses ----------------------------------------------------------------------------------------------------- */

/* CUSTOM LOSSES
 *
 * A registered loss is used by its name in bp_network_set_loss, like a built-in one, and kept by its name in files.
 * Names, lifetime and failures are those of custom activations. For a file whose loss is not registered, see "Files".
 *
 *   - Training calls the function once for each step, with all rows. bp_network_evaluate, bp_network_row_losses and
 *     validation call it with up to 4096 rows at a time. It runs on the thread that made the call; a trainer's restarts
 *     then run one after the other on that thread. Calls on several networks, and concurrent const calls on one network, may
 *     call it at the same time.
 *   - It goes with every activation and with all finite targets. It sees outputs and targets as the network computes with
 *     them: scaled, if the targets are scaled.
 *   - With option "missing_targets" it also receives the NaN of missing targets, and must handle them itself.
 *   - Row weights and the option "gradient_reduction" apply to its losses and gradients. */

/* Computes the losses of rows and their gradients.
 *   outputs: [rows][outputs]. targets: [rows][target_columns].
 *   losses: [rows]. They are double, because they are summed in double, and because differences of losses rounded to
 *   float would be too inaccurate to check a gradient.
 *   gradients: the derivatives of each row's loss with respect to its outputs, [rows][outputs]; NULL if they are not needed.
 * A row's loss must depend on this row only. The arrays do not overlap. Returns 0, or any other number to make the call
 * fail with BP_ERROR_CALLBACK; the message contains the number. The network is then as before the call. */
typedef int32_t (*bp_loss_fn)(const float *outputs, const float *targets, double *losses, float *gradients, size_t rows,
                              size_t output_count, size_t target_columns, void *user_data);

/* Registers a loss.
 *   target_columns: the size of a row of targets; 0 for the number of outputs. With another number, a row of targets can
 *   hold actions, masks or weights; target scaling and bp_network_score are then not available. A row of targets is
 *   [target_columns] wherever this header says [outputs].
 *   user_data: may be NULL. destroy: NULL for none.
 * Ownership: user_data must live until destroy is called. If registering fails, destroy is not called.
 * Errors:    NULL_ARGUMENT for name or function; INVALID_VALUE for a malformed name or one that is registered already;
 *            LIMIT for target_columns; OUT_OF_MEMORY.
 * Threads:   any.
 * Since:     0.2 */
int32_t bp_loss_register(const char *name, size_t target_columns, bp_loss_fn function, void *user_data, bp_destroy_fn destroy);

/* Removes the name of a registered loss. Networks that use the loss keep it.
 * Ownership: destroy is called when the loss is unregistered and no network uses it, as for activations.
 * Errors:    NULL_ARGUMENT; UNKNOWN_NAME; UNSUPPORTED for a built-in loss.
 * Threads:   any, also while a network that uses it trains.
 * Since:     0.2 */
int32_t bp_loss_unregister(const char *name);

/* Compares the gradient of a registered loss with differences of its values, at the outputs and targets of the caller.
 *   outputs: [rows][columns], finite. targets: [rows][target_columns]. rows, columns: 1 or more.
 *   *worst_error_out is the largest relative error. A correct gradient gives less than 1e-2, usually 0; a wrong one usually
 *   gives about 1. At a kink, any gradient between the derivatives of the two sides is correct.
 * Ownership: the arrays remain the caller's.
 * Errors:    NULL_ARGUMENT; INVALID_VALUE for no rows or columns; UNKNOWN_NAME; UNSUPPORTED for a built-in loss; LIMIT;
 *            NOT_FINITE if an output, a loss or a gradient is not finite; CALLBACK; OUT_OF_MEMORY.
 * Threads:   any; the function runs on the calling thread.
 * Since:     0.2 */
int32_t bp_loss_check(const char *name, const float *outputs, const float *targets, size_t rows, size_t columns,
                      double *worst_error_out);

/* ---- Plug-ins --------------------------------------------------------------------------------------------------- */

/* PLUG-INS. A plug-in is a shared library that exports one function of C linkage. This function registers activations and
 * losses, and returns 0, or any other number to refuse:
 *
 *     int32_t bp_plugin_register(const bp_plugin_host *host)
 *     {
 *         int32_t status = host->register_scalar("swish2", swish2, swish2_derivative, NULL, NULL);
 *         if (status == BP_OK) status = host->set_thread_safe("swish2", 1);
 *         return status;
 *     }
 *
 *   - A plug-in needs only this header. It does not link with the library: host contains the functions to call, those of
 *     the library that loads the plug-in. It can be written in any language that makes shared libraries; Examples/ has
 *     one in C and one in Rust.
 *   - All or nothing: the activations and losses that it registers, on the thread on which it is called, are added
 *     after it returned 0. If it returns another number, none is added, and destroy is called for each. For a name that is
 *     registered already, the function of host returns INVALID_VALUE, which the plug-in should return, too.
 *   - The plug-in stays loaded at least until the last of its activations and losses ends. */

/* Functions for a plug-in. Each is the function above of the same name with the prefix bp_activation_ or bp_; register_loss
 * is bp_loss_register. Later versions add members at the end only. */
typedef struct bp_plugin_host {
    uint32_t struct_size; /* the size in the library's version; a newer plug-in checks it before it uses later members */
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
    int32_t (*register_loss)(const char *name, size_t target_columns, bp_loss_fn function, void *user_data,
                             bp_destroy_fn destroy); /* since 0.2 */
} bp_plugin_host;

typedef int32_t (*bp_plugin_register_fn)(const bp_plugin_host *host);

/* Loads a plug-in and registers all its activations and losses.
 *   path: as for dlopen: with a slash, a file; without a slash, a name that dlopen searches for.
 * Ownership: the library opens the shared library, and closes it as described above.
 * Errors:    NULL_ARGUMENT; INVALID_VALUE for an empty path, or a name that another thread registers meanwhile; LIBRARY if
 *            there is no such file, it is not a shared library, or it has no bp_plugin_register; CALLBACK if bp_plugin_register
 *            returned a number other than 0 (the message contains it, and the first error that the plug-in met).
 * Threads:   any; the plug-in's function runs on the calling thread.
 * Since:     0.1 */
int32_t bp_plugin_load(const char *path);

#ifdef __cplusplus
}
#endif

#endif
