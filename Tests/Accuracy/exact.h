/* The built-in activations beyond float precision. */
#ifndef EXACT_H
#define EXACT_H
#include <stddef.h>

/* A: function, name, bound of the value's error in ulp (docs/performance.md and ActivationTests.swift), and of the derivative's
 * error beyond 1e-5 of the derivative: where it is computed from a, the rounding of a near 1, which for tanh counts twice.
 * The derivative of softsign is 0 where the square of 1 + |z| is greater than any float, that of softplus below 2^-63. */
#define ACTIVATIONS(A)                          \
    A(identity, "identity", 0, 1e-44)           \
    A(sign, "sign", 0, 1e-44)                   \
    A(logistic, "logistic", 2, 2e-7)            \
    A(hyperbolic, "tanh", 2, 2.4e-7)            \
    A(relu, "relu", 0, 1e-44)                   \
    A(leaky_relu, "leaky_relu", 1, 1e-44)       \
    A(elu, "elu", 1.5, 2e-7)                    \
    A(softplus, "softplus", 2, 1.1e-19)         \
    A(softsign, "softsign", 1.5, 3e-39)         \
    A(silu, "silu", 2, 2e-7)                    \
    A(gelu, "gelu", 2, 2e-7)                    \
    A(selu, "selu", 1.6, 2e-7)                  \
    A(mish, "mish", 2, 2e-7)                    \
    A(hard_sigmoid, "hard_sigmoid", 1.5, 1e-44) \
    A(hard_swish, "hard_swish", 2, 1e-44)       \
    A(relu6, "relu6", 0, 1e-44)                 \
    A(sine, "sine", 0.6, 1e-44)                 \
    A(gaussian, "gaussian", 2, 2e-7)

typedef struct exact {
    const char *name;
    double value_bound, slope_bound;
    void (*values)(const float *z, double *exact, size_t count), (*slopes)(const float *z, double *exact, size_t count);
    long double (*value)(long double z), (*slope)(long double z);
} exact;

/* In double precision (in_double.c), for many numbers. */
#define DECLARE(function, name, value, slope)                            \
    void function##_values(const float *z, double *exact, size_t count); \
    void function##_slopes(const float *z, double *exact, size_t count);
ACTIVATIONS(DECLARE)

#endif
