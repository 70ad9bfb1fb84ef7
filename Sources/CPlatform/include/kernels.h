/* The vector loops, as a table that each build of them (baseline, AVX2, AVX-512) fills: see Kernels/Table.swift.
 *
 * Layouts. A matrix has a row stride, in floats. "Padded" matrices have a stride that is a multiple of 16, and what lies
 * between columns and stride is finite. Weights lie in panels of 16 outputs: panel p holds, for k = 0 ... inputs - 1, the weights from
 * input k to outputs 16 p ... 16 p + 15, and then their biases: (inputs + 1) * 16 floats. Lanes past the last output
 * are 0 and stay 0. */
#ifndef CPLATFORM_KERNELS_H
#define CPLATFORM_KERNELS_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Asks for a cache line of each of `rows` rows, ahead of their use. */
static inline void cp_prefetch(const float *p, ptrdiff_t stride, ptrdiff_t rows) {
    for (ptrdiff_t i = 0; i < rows; i++) __builtin_prefetch(p + stride * i);
}

/* Room on the stack for a product to work in: 54 KiB. */
enum { CP_SCRATCH = 96 * (16 + 128) };

__attribute__((always_inline)) static inline void cp_with_scratch(void (*body)(float *scratch, void *context), void *context) {
    _Alignas(64) float scratch[CP_SCRATCH];
    body(scratch, context);
}

/* Eight floats, Swift's SIMD8<Float>. Swift takes vectors apart lane by lane where C has one instruction. */
typedef float cp_float8 __attribute__((ext_vector_type(8)));
typedef int32_t cp_int8 __attribute__((ext_vector_type(8)));
typedef float cp_float4 __attribute__((ext_vector_type(4)));

__attribute__((always_inline)) static inline float cp_sum(cp_float8 v) {
    cp_float4 four = __builtin_shufflevector(v, v, 0, 1, 2, 3) + __builtin_shufflevector(v, v, 4, 5, 6, 7);
    cp_float4 two = four + __builtin_shufflevector(four, four, 2, 3, 0, 1);
    return two[0] + two[1];
}

/* The bits of x, as integers, 23 places to the left: from the low bits into the exponent. */
__attribute__((always_inline)) static inline cp_float8 cp_to_exponent(cp_float8 x) {
    typedef uint32_t bits __attribute__((ext_vector_type(8)));
    return (cp_float8)((bits)x << 23);
}

/* Sums of neighbours, those of a first. */
__attribute__((always_inline)) static inline cp_float8 cp_pair_sums(cp_float8 a, cp_float8 b) {
    return __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14) + __builtin_shufflevector(a, b, 1, 3, 5, 7, 9, 11, 13, 15);
}

__attribute__((always_inline)) static inline cp_float8 cp_square_root(cp_float8 v) { return __builtin_elementwise_sqrt(v); }

__attribute__((always_inline)) static inline cp_float8 cp_add(cp_float8 a, cp_float8 b) { return a + b; }
__attribute__((always_inline)) static inline cp_float8 cp_subtract(cp_float8 a, cp_float8 b) { return a - b; }
__attribute__((always_inline)) static inline cp_float8 cp_multiply(cp_float8 a, cp_float8 b) { return a * b; }
__attribute__((always_inline)) static inline cp_float8 cp_divide(cp_float8 a, cp_float8 b) { return a / b; }

/* a where mask is -1, b where it is 0. */
__attribute__((always_inline)) static inline cp_float8 cp_select(cp_int8 mask, cp_float8 a, cp_float8 b) {
    return mask ? a : b;
}

/* The magnitudes of a with the signs of b. */
__attribute__((always_inline)) static inline cp_float8 cp_copy_sign(cp_float8 a, cp_float8 b) {
    return __builtin_elementwise_copysign(a, b);
}

/* a b + sum, fused where the processor can. */
__attribute__((always_inline)) static inline cp_float8 cp_multiply_add(cp_float8 a, cp_float8 b, cp_float8 sum) {
#ifdef __FMA__
    return __builtin_elementwise_fma(a, b, sum);
#else
    cp_float8 product = a * b;
    return product + sum;
#endif
}

/* Eight rows of eight become eight columns. */
__attribute__((always_inline)) static inline void cp_transpose8(cp_float8 *r) {
    cp_float8 t[8], u[8];
    for (int i = 0; i < 8; i += 2) {
        t[i] = __builtin_shufflevector(r[i], r[i + 1], 0, 8, 1, 9, 4, 12, 5, 13);
        t[i + 1] = __builtin_shufflevector(r[i], r[i + 1], 2, 10, 3, 11, 6, 14, 7, 15);
    }
    for (int i = 0; i < 8; i += 4)
        for (int j = 0; j < 2; j++) {
            u[i + 2 * j] = __builtin_shufflevector(t[i + j], t[i + 2 + j], 0, 1, 8, 9, 4, 5, 12, 13);
            u[i + 2 * j + 1] = __builtin_shufflevector(t[i + j], t[i + 2 + j], 2, 3, 10, 11, 6, 7, 14, 15);
        }
    for (int i = 0; i < 4; i++) {
        r[i] = __builtin_shufflevector(u[i], u[4 + i], 0, 1, 2, 3, 8, 9, 10, 11);
        r[4 + i] = __builtin_shufflevector(u[i], u[4 + i], 4, 5, 6, 7, 12, 13, 14, 15);
    }
}

/* The same from memory to memory: `rows` rows of eight, stride `from_stride`, to eight rows of eight, zeros past `rows`. */
__attribute__((always_inline)) static inline void cp_transpose(const float *from, ptrdiff_t from_stride, ptrdiff_t rows,
                                                               float *to, ptrdiff_t to_stride) {
    cp_float8 r[8];
    for (int i = 0; i < 8; i++) {
        if (i < rows) memcpy(&r[i], from + i * from_stride, sizeof r[i]);
        else r[i] = 0;
    }
    cp_transpose8(r);
    for (int i = 0; i < 8; i++) memcpy(to + i * to_stride, &r[i], sizeof r[i]);
}

/* Built-in activations, in the order of their names in Activation.swift. */
enum {
    CP_IDENTITY, CP_SIGN, CP_LOGISTIC, CP_TANH, CP_RELU, CP_LEAKY_RELU, CP_ELU, CP_SOFTPLUS, CP_SOFTSIGN, CP_SILU, CP_GELU,
    CP_SOFTMAX
};

/* A network as the kernels for a few rows see it: built-in activations that take each number alone (predictions: any), no
 * batch normalization. octets is the outputs' number divided by 8, rounded up. z, a and delta are padded matrices of as
 * many rows as the plan has room for; a plan for predictions has none. */
typedef struct cp_row_layer {
    ptrdiff_t inputs, outputs, octets, stride;
    float *weights, *z, *a, *delta;
    int32_t kind;
} cp_row_layer;

/* Behind it lie the layers: one pointer less to follow. */
typedef struct cp_row_plan {
    ptrdiff_t count;
    ptrdiff_t most_rows;
    float *target; /* room for a padded target, the padding being f(0) of the last layer */
} cp_row_plan;

enum { CP_NARROW = 128 };

/* One step of an optimizer, in the order of their names in Optimizer.swift. What depends on the number of the step alone
 * is worked out before: rate is divided by 1 - beta1^t for Adam, and second_scale is 1 / sqrt(1 - beta2^t). */
enum { CP_SGD, CP_MOMENTUM, CP_NESTEROV, CP_RMSPROP, CP_ADAM, CP_ADAMW, CP_IRPROP_MINUS };
typedef struct cp_optimizer {
    int32_t kind;
    float rate;
    float scale, clip; /* gradients are multiplied by scale, and then kept within -clip ... clip, which may be infinite */
    float decay, l1;   /* g + decay w + l1 sign(w) */
    float shrink;      /* w is multiplied by it before the step */
    float first_decay, first_share;   /* of the moving averages: m = first_decay m + first_share g */
    float second_decay, second_share; /* v = second_decay v + second_share g^2 */
    float second_scale, epsilon;
} cp_optimizer;

typedef struct cp_kernels {
    const char *name;

    /* z[rows][outputs] = x[rows][inputs] W + b. z is padded; all its lanes are written. */
    void (*forward)(const float *x, ptrdiff_t x_stride, ptrdiff_t rows, ptrdiff_t inputs, const float *weights,
                    ptrdiff_t panels, float *z, ptrdiff_t z_stride);
    /* W -= rate x' delta for the inputs from `first` to before `end`, with the biases where end is inputs;
     * delta[rows][outputs] is padded with zeros. */
    void (*update)(const float *x, ptrdiff_t x_stride, ptrdiff_t rows, ptrdiff_t first, ptrdiff_t end, ptrdiff_t inputs,
                   const float *delta, ptrdiff_t delta_stride, float *weights, ptrdiff_t panels, float rate);
    /* gradient = x' delta, likewise, in the layout of the weights. */
    void (*gradient)(const float *x, ptrdiff_t x_stride, ptrdiff_t rows, ptrdiff_t first, ptrdiff_t end, ptrdiff_t inputs,
                     const float *delta, ptrdiff_t delta_stride, float *gradient, ptrdiff_t panels);
    /* dx[rows][inputs] = delta W', from delta transposed as below. */
    void (*backward)(const float *delta_t, ptrdiff_t rows, ptrdiff_t inputs, ptrdiff_t outputs, const float *weights,
                     float *dx, ptrdiff_t dx_stride);
    /* Blocks of sixteen rows, each transposed: to[rows / 16][columns][16], each column times its scale where there is
     * one. Past the rows, the last block keeps what it holds. */
    void (*transpose)(const float *from, ptrdiff_t from_stride, ptrdiff_t rows, ptrdiff_t columns,
                      const float *scale /* or NULL */, float *to);

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

    /* A step of gradient descent with squared error on at most plan->most_rows rows; *loss_out is their loss. 1: it might
     * not be finite, or the rate is not at least 0, and nothing has changed. */
    int32_t (*train_rows)(const cp_row_plan *plan, const float *x, const float *y, ptrdiff_t rows, float rate,
                          double *loss_out);
    /* outputs[outputs] for one row, by layers of at most CP_NARROW outputs. */
    void (*predict_row)(const cp_row_plan *plan, const float *x, float *outputs);

    /* w -= rate g; count is a multiple of 16. */
    void (*step)(float *w, const float *g, ptrdiff_t count, float rate);
    /* The sum of |x|: not finite when an element is not. */
    float (*sum_of_magnitudes)(const float *x, ptrdiff_t count);
    /* The sum of x^2, in one order; count is a multiple of 16. */
    double (*sum_of_squares)(const float *x, ptrdiff_t count);
    /* Steps the parameters w along the gradient g; first and second are the optimizer's state, where it has any. count is
     * a multiple of 16. */
    void (*optimize)(const cp_optimizer *optimizer, float *w, const float *g, float *first /* or NULL */,
                     float *second /* or NULL */, ptrdiff_t count);
} cp_kernels;

void cp_kernels_baseline(cp_kernels *table);
void cp_kernels_avx2(cp_kernels *table);
void cp_kernels_avx512(cp_kernels *table);

#endif
