/* Losses of rows, in double precision. Each number is computed without fused multiply-add and in a fixed order: every
 * instruction set gives the same bits. */
#ifndef CKERNELS_LOSSES_H
#define CKERNELS_LOSSES_H

#include <float.h>
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "kernels.h"
#include "vectors.h"

#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wpsabi" /* functions with such arguments are always inlined */

typedef double cp_double4 __attribute__((ext_vector_type(4)));
typedef uint64_t cp_long4 __attribute__((ext_vector_type(4)));

/* Elements k ... k + 3 of the `count` at p, and `filler` past the last. */
__attribute__((always_inline)) static inline cp_float4 cp_load4(const float *p, ptrdiff_t k, ptrdiff_t count, float filler) {
    cp_float4 v = filler;
    p += k;
    switch (count - k) {
    case 1: v[0] = p[0]; break;
    case 2: v = (cp_float4){p[0], p[1], filler, filler}; break;
    case 3: v = (cp_float4){p[0], p[1], p[2], filler}; break;
    default: memcpy(&v, p, sizeof v);
    }
    return v;
}

__attribute__((always_inline)) static inline double cp_sum4(cp_double4 v) { return (v[0] + v[2]) + (v[1] + v[3]); }

/* e^x for x <= 0, with a relative error of 1e-15; e^-700 below -700. x = n log 2 + r with |r| <= 1/2 log 2, and
 * e^r = 1 + r + r^2 q(r) with a minimax polynomial q. */
__attribute__((always_inline)) static inline cp_double4 cp_exponential4(cp_double4 x) {
    const double shift = 0x1.8p52; /* the low bits of x + shift are the integer nearest to x */
    x = x < -700.0 ? (cp_double4)-700.0 : x;
    cp_double4 shifted = x * 0x1.71547652b82fep+0 + shift;
    cp_double4 n = shifted - shift;
    cp_double4 r = (x - n * 0x1.62e42feep-1) - n * 0x1.a39ef35793c76p-33;
    cp_double4 s = r * r;
    cp_double4 low = (0.5 + r * 0x1.5555555553b78p-3) + s * (0x1.5555555554cb7p-5 + r * 0x1.1111111c478ebp-7);
    cp_double4 high = (0x1.6c16c1738ff55p-10 + r * 0x1.a019ada3609f3p-13) +
        s * (0x1.a019c9a5652d3p-16 + r * 0x1.72c72ca338df2p-19);
    cp_double4 q = low + (s * s) * (high + (s * s) * 0x1.2880411bad1abp-22);
    return (cp_double4)((cp_long4)(1 + (r + s * q)) + ((cp_long4)shifted << 52));
}

/* log x within 1 unit in the last place, for x >= 1: the formula of `logarithm` in Support/PortableMath.swift. NaN and infinity
 * stay. */
__attribute__((always_inline)) static inline cp_double4 cp_logarithm4(cp_double4 x) {
    cp_long4 bits = (cp_long4)x;
    cp_long4 power = (bits - 0x3fe6a09e667f3bcd) >> 52; /* x = 2^power m with m between the roots of 1/2 and 2 */
    cp_double4 k = (cp_double4)(power | 0x4330000000000000) - 0x1p52;
    cp_double4 f = (cp_double4)(bits - (power << 52)) - 1;
    cp_double4 s = f / (2 + f);
    cp_double4 z = s * s, z2 = z * z;
    cp_double4 low = 0x1.5555555555558p-1 + z * 0x1.99999999952d7p-2;
    cp_double4 middle = (0x1.2492492df281ap-2 + z * 0x1.c71c62e3f11e6p-3) +
        z2 * (0x1.7462b51cb66b1p-3 + z * 0x1.39fe51a7c18f9p-3);
    cp_double4 tail = z * (low + z2 * (middle + z2 * (z2 * 0x1.2b5900de53b32p-3)));
    cp_double4 half = 0.5 * f * f;
    cp_double4 value = k * 0x1.62e42feep-1 + (f - (half - (s * (half + tail) + k * 0x1.a39ef35793c76p-33)));
    return x < (double)INFINITY ? value : x;
}

/* The sum of the rows' cross-entropies for a = softmax(z), each multiplied by its weight if there are weights:
 *
 *     sum y (log sum e^z - z) = sum y log sum e^d - sum y d,    d = z - max z,
 *
 * whose terms are not negative. Missing targets (NaN) have no terms. z is [rows x stride], y [rows x columns]. */
__attribute__((always_inline)) static inline double cp_softmax_loss(const float *z, ptrdiff_t stride, const float *y,
                                                                    const float *weights /* or NULL */, ptrdiff_t rows,
                                                                    ptrdiff_t columns) {
    double sum = 0;
    for (ptrdiff_t start = 0; start < rows; start += 4) {
        ptrdiff_t count = rows - start < 4 ? rows - start : 4;
        double totals[4] = {1, 1, 1, 1}, shares[4] = {0}, products[4] = {0};
        for (ptrdiff_t row = 0; row < count; row++, z += stride, y += columns) {
            cp_float4 most = z[0];
            for (ptrdiff_t k = 0; k < columns; k += 4) {
                cp_float4 four = cp_load4(z, k, columns, -FLT_MAX);
                most = four > most ? four : most;
            }
            most = most > most.zwxy ? most : most.zwxy;
            float largest = most[0] > most[1] ? most[0] : most[1];
            cp_double4 total = 0, share = 0, product = 0;
            for (ptrdiff_t k = 0; k < columns; k += 4) {
                cp_double4 d = __builtin_convertvector(cp_load4(z, k, columns, -FLT_MAX), cp_double4) - (double)largest;
                cp_float4 wanted = cp_load4(y, k, columns, 0);
                cp_double4 target = __builtin_convertvector(wanted == wanted ? wanted : (cp_float4)0, cp_double4);
                total += cp_exponential4(d);
                share += target;
                product += target * d;
            }
            totals[row] = cp_sum4(total);
            shares[row] = cp_sum4(share);
            products[row] = cp_sum4(product);
        }
        cp_double4 all, share, product;
        memcpy(&all, totals, sizeof all);
        memcpy(&share, shares, sizeof share);
        memcpy(&product, products, sizeof product);
        cp_double4 losses = share * cp_logarithm4(all) - product;
        for (ptrdiff_t row = 0; row < count; row++) sum += weights ? weights[start + row] * losses[row] : losses[row];
    }
    return sum;
}

/* Its gradient for z, scale (a sum(y) - y) with the rows' weights in scale, without the terms of missing targets (NaN). Below
 * CP_LEAST_GRADIENT it is 0: outputs near 0, of confident predictions, are gradients. a and d are padded with zeros. */
__attribute__((always_inline)) static inline void cp_softmax_gradient(const float *a, ptrdiff_t stride, const float *y,
                                                                      const float *weights /* or NULL */, ptrdiff_t rows,
                                                                      ptrdiff_t columns, float scale, float *d) {
    for (ptrdiff_t row = 0; row < rows; row++, a += stride, y += columns, d += stride) {
        float factor = weights ? scale * weights[row] : scale, sum = 0;
        for (ptrdiff_t k = 0; k < columns; k++) sum += y[k] == y[k] ? y[k] : 0;
        for (ptrdiff_t k = 0; k < columns; k += 4) {
            cp_float4 target = cp_load4(y, k, columns, 0), value;
            memcpy(&value, a + k, sizeof value);
            value = value * sum - (target == target ? target : (cp_float4)0);
            value = factor * (__builtin_elementwise_abs(value) < CP_LEAST_GRADIENT ? (cp_float4)0 : value);
            memcpy(d + k, &value, sizeof value);
        }
    }
}

#pragma clang diagnostic pop

#endif
