/* Exponentials and tanh, which the AVX-512 build computes in its wider registers (Kernels/Elementwise has the others): on a vector of
 * numbers at a time, without branches. Polynomials are minimax fits to the functions in their comments. NaN stays NaN. */
#ifndef CKERNELS_EXPONENTIALS_H
#define CKERNELS_EXPONENTIALS_H

#include "vectors.h"

#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wpsabi" /* all functions are inlined */

/* log 2 in two parts. The first has few digits, so that its products with small integers are exact. */
#define CP_HIGH_OF_LOG2 0.693145752f
#define CP_LOW_OF_LOG2 1.42860677e-06f

/* The integer k nearest to x / log 2, for |x| < 2^15. */
__attribute__((always_inline)) static inline cp_wide cp_multiple_of_log2(cp_wide x) {
    cp_wide shift = 12582912; /* 1.5 2^23: the low bits of x + shift are the integer nearest to x */
    return cp_wide_multiply_add(x, (cp_wide)1.44269504f, shift) - shift;
}

/* r with x = k log 2 + r and |r| <= 1/2 log 2. */
__attribute__((always_inline)) static inline cp_wide cp_rest_of_log2(cp_wide x, cp_wide k) {
    cp_wide rest = cp_wide_multiply_add(k, (cp_wide)-CP_HIGH_OF_LOG2, x); /* exact */
    return cp_wide_multiply_add(k, (cp_wide)-CP_LOW_OF_LOG2, rest);
}

/* (e^r - 1 - r) / r^2 for |r| <= 1/2 log 2, by Estrin's scheme, which has short dependency chains. */
__attribute__((always_inline)) static inline cp_wide cp_exponential_tail(cp_wide r, cp_wide square) {
    cp_wide low = cp_wide_multiply_add(r, (cp_wide)0.166665435f, (cp_wide)0.499999970f);
    cp_wide high = cp_wide_multiply_add(r, (cp_wide)0.00836654752f, (cp_wide)0.0416672006f);
    return cp_wide_multiply_add(square, cp_wide_multiply_add(square, (cp_wide)0.00138825143f, high), low);
}

/* e^r - 1 for |r| <= 1/2 log 2 */
__attribute__((always_inline)) static inline cp_wide cp_exponential_minus_one(cp_wide r) {
    cp_wide square = r * r;
    return cp_wide_multiply_add(square, cp_exponential_tail(r, square), r);
}

/* 2^(k + more) for integers, -126 <= k + more <= 127. */
__attribute__((always_inline)) static inline cp_wide cp_power_of_two(cp_wide k, float more) {
    typedef uint32_t bits __attribute__((ext_vector_type(sizeof(cp_wide) / 4)));
    return (cp_wide)((bits)(k + (12582912 + (127 + more))) << 23); /* the low bits become the exponent */
}

/* (e^z - e^-z) / (e^z + e^-z)   (notes, introduction), as (1 - u) / (1 + u) with u = e^-2|z|. */
__attribute__((always_inline)) static inline cp_wide cp_tanh(cp_wide z) {
    cp_wide x = -2 * __builtin_elementwise_abs(z);
    x = x < -20 ? (cp_wide)-20 : x;
    cp_wide k = cp_multiple_of_log2(x);
    cp_wide p = cp_exponential_minus_one(cp_rest_of_log2(x, k));
    cp_wide power = cp_power_of_two(k, 0);
    cp_wide sum = cp_wide_multiply_add(power, p, 1 + power);
    cp_wide quotient = cp_wide_multiply_add(power, p, power - 1) / sum;
#ifndef CP_FMA /* p is less exact: corrects the rounding error of the sum, times about 1 / sum */
    cp_wide excess = (sum - (1 + power)) - power * p;
    quotient = cp_wide_multiply_add(quotient, excess * (1.5f - 0.5f * sum), quotient);
#endif
    return __builtin_elementwise_copysign(quotient, z);
}

#pragma clang diagnostic pop

#endif
