/* Vector operations for the kernels, of one or a few instructions each. The Swift compiler may split the operators of its
 * own vector types into scalar code. */
#ifndef CKERNELS_VECTORS_H
#define CKERNELS_VECTORS_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* CP_HAS_FMA: whether this build has fused multiply-add. CP_TILE_HEIGHT: the number of rows of a product's tile. The
 * accumulators of a tile fit the registers: 6 x 2 of AVX2's 16, 3 x 4 of SSE's 16, and 8 of AVX-512's 32, which keep its
 * arithmetic units busy. */
#if defined(__AVX512F__)
enum { CP_HAS_FMA = 1, CP_TILE_HEIGHT = 8 };
#elif defined(__FMA__)
enum { CP_HAS_FMA = 1, CP_TILE_HEIGHT = 6 };
#else
enum { CP_HAS_FMA = 0, CP_TILE_HEIGHT = 3 };
#endif

/* Prefetches one cache line of each of `rows` rows. */
static inline void cp_prefetch(const float *p, ptrdiff_t stride, ptrdiff_t rows) {
    for (ptrdiff_t i = 0; i < rows; i++) __builtin_prefetch(p + stride * i);
}

/* Floats of the work space of a product, on the stack: 54 KiB. */
enum { CP_SCRATCH = 96 * (16 + 128) };

__attribute__((always_inline)) static inline void cp_with_scratch(void (*body)(float *scratch, void *context), void *context) {
    _Alignas(64) float scratch[CP_SCRATCH];
    body(scratch, context);
}

/* Eight floats, Swift's SIMD8<Float>. */
typedef float cp_float8 __attribute__((ext_vector_type(8)));
typedef int32_t cp_int8 __attribute__((ext_vector_type(8)));
typedef float cp_float4 __attribute__((ext_vector_type(4)));

__attribute__((always_inline)) static inline float cp_sum(cp_float8 v) {
    cp_float4 four = __builtin_shufflevector(v, v, 0, 1, 2, 3) + __builtin_shufflevector(v, v, 4, 5, 6, 7);
    cp_float4 two = four + __builtin_shufflevector(four, four, 2, 3, 0, 1);
    return two[0] + two[1];
}

/* The bits of x shifted left by 23 places, so that the low bits become the exponent. */
__attribute__((always_inline)) static inline cp_float8 cp_to_exponent(cp_float8 x) {
    typedef uint32_t bits __attribute__((ext_vector_type(8)));
    return (cp_float8)((bits)x << 23);
}

/* Sums of adjacent elements: those of a in the low half, those of b in the high half. */
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

/* a b + sum, fused if this build has fused multiply-add. */
__attribute__((always_inline)) static inline cp_float8 cp_multiply_add(cp_float8 a, cp_float8 b, cp_float8 sum) {
#if defined(__FMA__)
    return __builtin_elementwise_fma(a, b, sum);
#else
    cp_float8 product = a * b;
    return product + sum;
#endif
}

/* Transposes a matrix of 8 x 8. */
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

/* Transposes `rows` rows of eight floats in memory, with zeros for the rows up to eight. */
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

#endif
