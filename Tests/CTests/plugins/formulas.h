/* formulas.h: the built-in activations of one number as plain C functions: value_NAME and slope_NAME, of z alone. X(name,
 * exact, value, slope): exact is 1 if every float computation of the formula has the same result. */
#include <math.h>

#define logistic_of(z) ((float)(1 / (1 + exp(-(double)(z)))))
#define normal_of(z) (0.5 * erfc(-(double)(z) * 0.70710678118654752))
#define bent_of(z) tanh(log1p(exp((double)(z))))
#define clamped(x) ((x) < 0 ? 0 : (x) > 6 ? 6 : (x))

#define FORMULAS(X)                                                                                                \
    X(identity, 1, z, 1)                                                                                           \
    X(sign, 1, z > 0 ? 1 : z < 0 ? -1 : z, 1) /* 1: the perceptron's rule */                                       \
    X(relu, 1, z < 0 ? 0 : z, z > 0 ? 1 : 0)                                                                       \
    X(leaky_relu, 1, z < 0 ? 0.01f * z : z, z > 0 ? 1 : 0.01f)                                                     \
    X(logistic, 0, logistic_of(z), logistic_of(z) * logistic_of(-z))                                               \
    X(tanh, 0, tanhf(z), 1 - tanhf(z) * tanhf(z))                                                                  \
    X(elu, 0, z > 0 ? z : expm1f(z), z > 0 ? 1 : expf(z))                                                          \
    X(softplus, 0, (z > 0 ? z : 0) + log1pf(expf(-fabsf(z))), logistic_of(z))                                      \
    X(softsign, 0, z / (1 + fabsf(z)), 1 / ((1 + fabsf(z)) * (1 + fabsf(z))))                                      \
    X(silu, 0, z *logistic_of(z), logistic_of(z) * (1 + z * logistic_of(-z)))                                      \
    X(gelu, 0, z *normal_of(z), normal_of(z) + z * 0.39894228040143268 * exp(-0.5 * (double)z * z))                \
    X(selu, 0, 1.0507010f * (z > 0 ? z : 1.6732632f * expm1f(z)), 1.0507010f * (z > 0 ? 1 : 1.6732632f * expf(z))) \
    X(mish, 0, z *bent_of(z), bent_of(z) + z * (1 - bent_of(z) * bent_of(z)) * logistic_of(z))                     \
    X(hard_sigmoid, 0, clamped(z + 3) / 6, z > -3 && z <= 3 ? 1 / 6.0f : 0)                                        \
    X(hard_swish, 0, z *clamped(z + 3) / 6, z > 3 ? 1 : z > -3 ? (2 * z + 3) / 6 : 0)                              \
    X(relu6, 1, clamped(z), z > 0 && z <= 6 ? 1 : 0)                                                               \
    X(sine, 0, sin((double)z), cos((double)z))                                                                     \
    X(gaussian, 0, exp(-(double)z *z), -2 * z * exp(-(double)z * z))

#define DECLARE(name, exact, value, slope) float value_##name(float z), slope_##name(float z);
FORMULAS(DECLARE)
#undef DECLARE
