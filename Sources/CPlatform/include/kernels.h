/* The vector loops, as a table that each build of them (baseline, AVX2) fills: see Kernels/Table.swift.
 *
 * Layouts. A matrix has a row stride, in floats. "Padded" matrices have a stride that is a multiple of 16, and what lies
 * between columns and stride is finite. Weights lie in panels of 16 outputs: panel p holds, for k = 0 ... inputs - 1, the weights from
 * input k to outputs 16 p ... 16 p + 15, and then their biases: (inputs + 1) * 16 floats. Lanes past the last output
 * are 0 and stay 0. */
#ifndef CPLATFORM_KERNELS_H
#define CPLATFORM_KERNELS_H

#include <stddef.h>
#include <stdint.h>

/* Built-in activations, in the order of their names in Activation.swift. */
enum {
    CP_IDENTITY, CP_SIGN, CP_LOGISTIC, CP_TANH, CP_RELU, CP_LEAKY_RELU, CP_ELU, CP_SOFTPLUS, CP_SOFTSIGN, CP_SILU, CP_GELU,
    CP_SOFTMAX
};

/* A network as the one-row step sees it: built-in activations that take each number alone, squared error, no batch
 * normalization. z, a and delta are padded; octets is the outputs' number divided by 8, rounded up. */
typedef struct cp_row_layer {
    ptrdiff_t inputs, outputs, octets;
    float *weights, *z, *a, *delta;
    int32_t kind;
} cp_row_layer;

typedef struct cp_row_plan {
    ptrdiff_t count;
    cp_row_layer *layers;
    float *target; /* room for a padded target, the padding being f(0) of the last layer */
} cp_row_plan;

typedef struct cp_kernels {
    const char *name;

    /* z[rows][outputs] = x[rows][inputs] W + b. z is padded; all its lanes are written. */
    void (*forward)(const float *x, ptrdiff_t x_stride, ptrdiff_t rows, ptrdiff_t inputs, const float *weights,
                    ptrdiff_t panels, float *z, ptrdiff_t z_stride);
    /* W -= rate x' delta, biases included; delta[rows][outputs] is padded with zeros. */
    void (*update)(const float *x, ptrdiff_t x_stride, ptrdiff_t rows, ptrdiff_t inputs, const float *delta,
                   ptrdiff_t delta_stride, float *weights, ptrdiff_t panels, float rate);
    /* gradient = x' delta, in the layout of the weights. */
    void (*gradient)(const float *x, ptrdiff_t x_stride, ptrdiff_t rows, ptrdiff_t inputs, const float *delta,
                     ptrdiff_t delta_stride, float *gradient, ptrdiff_t panels);
    /* dx[rows][inputs] = delta W', from delta_t[outputs][rows] (stride a multiple of 16). */
    void (*backward)(const float *delta_t, ptrdiff_t delta_t_stride, ptrdiff_t rows, ptrdiff_t inputs, ptrdiff_t outputs,
                     const float *weights, float *dx, ptrdiff_t dx_stride);
    /* to[columns][rows] = from[rows][columns], each column of from times its scale where there is one. */
    void (*transpose)(const float *from, ptrdiff_t from_stride, ptrdiff_t rows, ptrdiff_t columns, const float *scale /* or NULL */,
                      float *to, ptrdiff_t to_stride);

    /* a = f(z); and d, the gradient for a, becomes that for z: d f'(z). Padded matrices of one stride. */
    void (*activate)(int32_t kind, const float *z, float *a, ptrdiff_t rows, ptrdiff_t columns, ptrdiff_t stride);
    void (*differentiate)(int32_t kind, const float *z, const float *a, float *d, ptrdiff_t rows, ptrdiff_t columns,
                          ptrdiff_t stride);

    /* Batch normalization of padded matrices (notes, section 5); vectors have stride floats. See BatchNormalization.swift. */
    void (*batch_statistics)(const float *z, ptrdiff_t rows, ptrdiff_t stride, float *mean, float *variance);
    void (*normalize)(const float *z, ptrdiff_t rows, ptrdiff_t stride, const float *mean, const float *inverse_deviation,
                      const float *gamma, const float *beta, float *normalized, float *out);
    void (*scale_and_shift)(float *z, ptrdiff_t rows, ptrdiff_t stride, const float *scale, const float *shift);
    void (*batch_gradients)(const float *d, const float *normalized, ptrdiff_t rows, ptrdiff_t stride, float *gamma_gradient,
                            float *beta_gradient);
    void (*denormalize)(float *d, const float *normalized, ptrdiff_t rows, ptrdiff_t batch, ptrdiff_t stride,
                        const float *inverse_deviation, const float *gamma_gradient, const float *beta_gradient);

    /* A step of gradient descent on one row; *loss_out is half its squared error. 1: it might not be finite, and nothing
     * has changed. */
    int32_t (*train_row)(const cp_row_plan *plan, const float *x, const float *y, float rate, double *loss_out);

    /* w -= rate g; count is a multiple of 16. */
    void (*step)(float *w, const float *g, ptrdiff_t count, float rate);
    /* The sum of |x|: not finite when an element is not. */
    float (*sum_of_magnitudes)(const float *x, ptrdiff_t count);
} cp_kernels;

void cp_kernels_baseline(cp_kernels *table);
void cp_kernels_avx2(cp_kernels *table);

#endif
