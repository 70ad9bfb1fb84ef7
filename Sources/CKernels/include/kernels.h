/* The vector loops, as a table of functions. There is one table for each instruction set: see instruction_sets.h.
 *
 * Layouts. A matrix has a row stride, in floats. The stride of a "padded" matrix is a multiple of 16, and the floats between
 * columns and stride are finite. Weights are stored in panels of 16 outputs. Panel p contains, for k = 0 ... inputs - 1, the
 * weights from input k to outputs 16 p ... 16 p + 15, and then the biases of these outputs: cp_panel_size floats. Lanes past
 * the last output are 0 and stay 0. */
#ifndef CKERNELS_KERNELS_H
#define CKERNELS_KERNELS_H

#include <stddef.h>
#include <stdint.h>

static inline ptrdiff_t cp_panel_size(ptrdiff_t inputs) { return (inputs + 1) * 16; }

/* Built-in activations, in the order of their names in Activation.swift. */
enum {
    CP_IDENTITY,
    CP_SIGN,
    CP_LOGISTIC,
    CP_TANH,
    CP_RELU,
    CP_LEAKY_RELU,
    CP_ELU,
    CP_SOFTPLUS,
    CP_SOFTSIGN,
    CP_SILU,
    CP_GELU,
    CP_SELU,
    CP_MISH,
    CP_HARD_SIGMOID,
    CP_HARD_SWISH,
    CP_RELU6,
    CP_SINE,
    CP_GAUSSIAN,
    CP_SOFTMAX
};

/* A layer for the kernels for a few rows. Its activation is built in. In training, the activation of a hidden layer is elementwise.
 * There is no batch normalization. octets is the number of outputs divided by 8, rounded up. z, a and delta are padded
 * matrices of most_rows rows; a plan for predictions has none. */
typedef struct cp_row_layer {
    ptrdiff_t inputs, outputs, octets, stride;
    float *weights, *z, *a, *delta;
    int32_t kind;
} cp_row_layer;

/* Half the squared error; or a loss that is computed from z, and whose gradient for z is a - y, for softmax a sum(y) - y. */
enum { CP_SQUARED_ERROR, CP_FUSED_LOSS };

/* The layers follow in memory, which saves one pointer indirection. */
typedef struct cp_row_plan {
    ptrdiff_t count;
    ptrdiff_t first; /* the first layer that is trained; those below it are frozen */
    ptrdiff_t most_rows;
    float *target; /* a buffer for one padded target; its padding is f(0) of the last layer */
    int32_t loss;
    int32_t is_small; /* whether the functions for two trained layers of at most eight units and the squared error apply */
    float least_target, greatest_target; /* the range of targets for which a fused loss is defined */
    const float *input_offset, *input_scale, *target_offset, *target_scale; /* for predictions; NULL for no scaling */
} cp_row_plan;

static inline cp_row_layer *cp_row_layers(const cp_row_plan *plan) { return (cp_row_layer *)(plan + 1); }

/* CP_FEW_OUTPUTS is smaller where the stack is: see CP_SCRATCH. */
#ifdef CP_SMALL_STACK
enum { CP_NARROW = 128, CP_FEW_OUTPUTS = 96 };
#else
enum { CP_NARROW = 128, CP_FEW_OUTPUTS = 400 };
#endif

/* The sum of a finite float and a number below this is a finite float: half the distance between the largest float and the
 * one below it is 2^103, 1.01e31. The factor of ten covers the rounding of the bounds that are compared with it. */
#define CP_SAFE_STEP 1e30

/* Derivatives of activations and gradients of cross entropies below this number are 0: products of two others are not subnormal.
 * Processors are slow with subnormal numbers. */
#define CP_LEAST_GRADIENT 0x1p-63f

/* Weights that decay and running statistics below this number are 0: otherwise they would become subnormal, and remain so. */
#define CP_LEAST_DECAYING 0x1p-100f

/* Optimizers, in the order of their names in Optimizer.swift, and the constants of one step. The corrections that depend on
 * the step number t are included: for Adam, rate is divided by 1 - beta1^t, and second_scale is 1 / sqrt(1 - beta2^t). */
enum { CP_SGD, CP_MOMENTUM, CP_NESTEROV, CP_RMSPROP, CP_ADAM, CP_ADAMW, CP_IRPROP_MINUS };
typedef struct cp_optimizer {
    int32_t kind;
    float rate;
    float scale, clip; /* gradients are multiplied by scale and then limited to -clip ... clip; clip may be infinite */
    float decay, l1;   /* g + decay w + l1 sign(w) */
    float shrink;      /* w is multiplied by shrink before the step */
    float first_decay, first_share;   /* m = first_decay m + first_share g */
    float second_decay, second_share; /* v = second_decay v + second_share g^2 */
    float second_scale, epsilon;
} cp_optimizer;

/* One step of a layer's weights and biases, and the optimizer's state in the layout of the weights, if it has any. */
typedef struct cp_step {
    const cp_optimizer *of_weights, *of_biases;
    float *first, *second;
} cp_step;

/* c[rows][columns] = start + a b over a depth, for each lane: summed in the order of the depth, as by the other products. An element
 * has a number for each lane; strides are in elements. */
typedef struct cp_lane_product {
    const float *a, *b, *start;
    float *c;
    ptrdiff_t a_row, a_depth, b_depth, b_column, start_row, start_column, c_row, c_column;
    ptrdiff_t rows, columns, depth;
} cp_lane_product;

typedef struct cp_kernels {
    /* z[rows][outputs] = x[rows][inputs] W + b. z is padded; all its lanes are written. */
    void (*forward)(const float *x, ptrdiff_t x_stride, ptrdiff_t rows, ptrdiff_t inputs, const float *weights,
                    ptrdiff_t panels, float *z, ptrdiff_t z_stride);
    /* W -= rate x' delta for inputs first ... end - 1; if end is inputs, for the biases, too. delta[rows][outputs] is padded
     * with zeros. */
    void (*update)(const float *x, ptrdiff_t x_stride, ptrdiff_t rows, ptrdiff_t first, ptrdiff_t end, ptrdiff_t inputs,
                   const float *delta, ptrdiff_t delta_stride, float *weights, ptrdiff_t panels, float rate);
    /* The gradient x' delta for the same inputs. Without a step, target becomes the gradient, in the layout of the weights, or
     * that of the rows before, if adds, and of these rows. With a step, target is the weights, of which the optimizer makes its
     * step; the gradient is not stored. */
    void (*gradient)(const float *x, ptrdiff_t x_stride, ptrdiff_t rows, ptrdiff_t first, ptrdiff_t end, ptrdiff_t inputs,
                     const float *delta, ptrdiff_t delta_stride, float *target, ptrdiff_t panels, int32_t adds,
                     const cp_step *step /* or NULL */);
    /* dx[rows][inputs] = delta W'; delta_t is delta transposed by `transpose`. */
    void (*backward)(const float *delta_t, ptrdiff_t rows, ptrdiff_t inputs, ptrdiff_t outputs, const float *weights, float *dx,
                     ptrdiff_t dx_stride);
    /* The same from delta[rows][outputs] itself, for at most CP_FEW_OUTPUTS outputs and a padded dx, whose padding becomes 0:
     * instead of delta and dx, the weights are transposed. The same bits. */
    void (*backward_rows)(const float *delta, ptrdiff_t delta_stride, ptrdiff_t rows, ptrdiff_t inputs, ptrdiff_t outputs,
                          const float *weights, float *dx, ptrdiff_t dx_stride);
    /* Transposes blocks of sixteen rows: to[rows / 16][columns][16]. Column i is multiplied by scale[i]. In the last block,
     * elements past the last row are not written. */
    void (*transpose)(const float *from, ptrdiff_t from_stride, ptrdiff_t rows, ptrdiff_t columns,
                      const float *scale /* or NULL */, float *to);
    /* c[8][8 panels] += sign a' b for panels b[depth][8], panel_size apart, of which the first one is a, in double precision. c has
     * a row stride. */
    void (*gram)(const double *a, ptrdiff_t panels, ptrdiff_t panel_size, ptrdiff_t depth, double sign, double *c,
                 ptrdiff_t c_stride);

    /* For steps of several networks at once, one in each lane of the vectors: number i of network n is at [i][n]. A vector has
     * `lanes` floats; 0 in builds without FMA, which have no such steps. */
    ptrdiff_t lanes;
    void (*lane_product)(const cp_lane_product *product);
    /* `optimize` with the rate and shrink of each lane, instead of those of the optimizer, which are the largest rate and its
     * shrink. moves[lanes]: minus the rates. */
    void (*lane_optimize)(const cp_optimizer *optimizer, const float *moves, const float *shrinks, float *w, const float *g,
                          float *first /* or NULL */, float *second /* or NULL */, ptrdiff_t count);
    /* to[count][lanes]: numbers first ... first + count - 1 of each of the rows; lanes is a multiple of eight. */
    void (*interleave)(const float *const *rows, ptrdiff_t first, ptrdiff_t count, float *to, ptrdiff_t lanes);
    /* d[rows][columns] = scale (a - y), multiplied by the rows' weights. losses[lanes] += the rows' losses. */
    void (*lane_squared_error)(const float *a, const float *y, float *d, ptrdiff_t lanes, ptrdiff_t rows, ptrdiff_t columns,
                               const float *weights /* or NULL */, float scale, double *losses);

    /* activate: a = f(z). differentiate: d, on entry the gradient for a, becomes the gradient for z, d f'(z). All matrices
     * are padded and have the same stride. */
    void (*activate)(int32_t kind, const float *z, float *a, ptrdiff_t rows, ptrdiff_t columns, ptrdiff_t stride);
    void (*differentiate)(int32_t kind, const float *z, const float *a, float *d, ptrdiff_t rows, ptrdiff_t columns,
                          ptrdiff_t stride);

    /* Batch normalization of padded matrices (notes, section 5). Vectors have stride floats. See BatchNormalization.swift. */
    void (*batch_statistics)(const float *z, ptrdiff_t rows, ptrdiff_t stride, float *mean, float *variance);
    void (*normalize)(const float *z, ptrdiff_t rows, ptrdiff_t stride, const float *mean, const float *inverse_deviation,
                      const float *gamma, const float *beta, float *normalized, float *out);
    void (*scale_and_shift)(float *z, ptrdiff_t rows, ptrdiff_t stride, const float *scale, const float *shift);
    void (*batch_gradients)(const float *d, const float *normalized, ptrdiff_t rows, ptrdiff_t stride, float *gamma_gradient,
                            float *beta_gradient);
    void (*denormalize)(float *d, const float *normalized, ptrdiff_t rows, ptrdiff_t batch, ptrdiff_t stride,
                        const float *inverse_deviation, const float *gamma_gradient, const float *beta_gradient);

    /* One step of gradient descent on at most plan->most_rows rows. For the squared error, *loss_out is the loss. Returns 0;
     * or 1, without a change to the weights, if the loss or the step might not be finite, the rate is not at least 0, or a
     * fused loss is not defined for a target. */
    int32_t (*train_rows)(const cp_row_plan *plan, const float *x, const float *y, ptrdiff_t rows, float rate,
                          double *loss_out);
    /* Forward, loss and backward of train_rows, without the step: delta of every trained layer is stored. *loss_out as in
     * train_rows. Returns a bound of the magnitudes of all gradients; infinity if a fused loss is not defined for a target. */
    float (*pass_rows)(const cp_row_plan *plan, const float *x, const float *y, ptrdiff_t rows, double *loss_out);
    /* outputs[outputs] for one row, scaled back. Each layer has at most CP_NARROW outputs; so have scaled inputs. */
    void (*predict_row)(const cp_row_plan *plan, const float *x, float *outputs);

    /* The sum of the cross-entropies of rows with a = softmax(z), each multiplied by its weight, and its gradient d for z; y[rows]
     * [columns]. The same bits for every instruction set. See losses.h. */
    double (*softmax_loss)(const float *z, ptrdiff_t z_stride, const float *y, const float *weights /* or NULL */,
                           ptrdiff_t rows, ptrdiff_t columns);
    void (*softmax_gradient)(const float *a, ptrdiff_t stride, const float *y, const float *weights /* or NULL */,
                             ptrdiff_t rows, ptrdiff_t columns, float scale, float *d);

    /* w -= rate g; count is a multiple of 16. */
    void (*step)(float *w, const float *g, ptrdiff_t count, float rate);
    /* The sum of |x|. It is not finite if an element is not finite. */
    float (*sum_of_magnitudes)(const float *x, ptrdiff_t count);
    /* The sum of x^2; count is a multiple of 16. */
    double (*sum_of_squares)(const float *x, ptrdiff_t count);
    /* One optimizer step of the parameters w with the gradient g. first and second are the optimizer's state, if it has any.
     * count is a multiple of 16. */
    void (*optimize)(const cp_optimizer *optimizer, float *w, const float *g, float *first /* or NULL */,
                     float *second /* or NULL */, ptrdiff_t count);
    /* Returns 1 if every number that optimize would store is finite, otherwise 0. Stores nothing. */
    int32_t (*is_finite_step)(const cp_optimizer *optimizer, const float *w, const float *g, const float *first /* or NULL */,
                              const float *second /* or NULL */, ptrdiff_t count);
} cp_kernels;

#endif
