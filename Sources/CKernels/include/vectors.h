/* Vector operations for the kernels, of one or a few instructions each. The Swift compiler may split the operators of its
 * own vector types into scalar code. */
#ifndef CKERNELS_VECTORS_H
#define CKERNELS_VECTORS_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "far_angle.h"
#include "kernels.h"

/* Products and sums are fused only where the code says so: the baseline of arm64 must give the bits of SSE. */
#pragma STDC FP_CONTRACT OFF

/* CP_HAS_FMA: whether this build uses fused multiply-add. Package.swift defines CP_FUSES for NEON; the baseline does without it also
 * on arm64. CP_TILE_HEIGHT: the number of rows of a product's tile. CP_TILE_WIDTH: the number of tiles side by side that are
 * computed together. The accumulators fit the registers: 6 x 2 of AVX2's 16, 6 x 4 of NEON's 32, 3 x 4 of SSE's 16, and 8 x 2 of
 * AVX-512's 32. A single tile of AVX-512 would need 9 loads for 8 operations, and two of either can start in a cycle; two tiles
 * need 10 loads for 16, four tiles of six rows (FourTiles.swift) 10 for 24. */
#if defined(__FMA__) || defined(CP_FUSES)
#define CP_FMA
#endif
#if defined(__AVX512F__)
enum { CP_HAS_FMA = 1, CP_TILE_HEIGHT = 8, CP_TILE_WIDTH = 2 };
#elif defined(CP_FMA)
enum { CP_HAS_FMA = 1, CP_TILE_HEIGHT = 6, CP_TILE_WIDTH = 1 };
#else
enum { CP_HAS_FMA = 0, CP_TILE_HEIGHT = 3, CP_TILE_WIDTH = 1 };
#endif

/* Prefetches one cache line of each of `rows` rows. */
static inline void cp_prefetch(const float *p, ptrdiff_t stride, ptrdiff_t rows) {
    for (ptrdiff_t i = 0; i < rows; i++) __builtin_prefetch(p + stride * i);
}

/* Hides from the compiler how the pointer was computed, so that it does not compute it again in a loop. */
__attribute__((always_inline)) static inline const float *cp_opaque(const float *p) {
    __asm__("" : "+r"(p));
    return p;
}

/* Floats of the work space of a product, on the stack: at most 60 KiB, or 8 KiB. It holds the tiles' sums, and copies of inputs. */
#ifdef CP_SMALL_STACK
enum { CP_SCRATCH = 96 * (CP_TILE_WIDTH * 16 + 4) };
#else
enum { CP_SCRATCH = 96 * (CP_TILE_WIDTH * 16 + 128) };
#endif

__attribute__((always_inline)) static inline void cp_with_scratch(void (*body)(float *scratch, void *context), void *context) {
    _Alignas(64) float scratch[CP_SCRATCH];
    body(scratch, context);
}

/* Eight floats, Swift's SIMD8<Float>. */
typedef float cp_float8 __attribute__((ext_vector_type(8)));
typedef int32_t cp_int8 __attribute__((ext_vector_type(8)));
typedef float cp_float4 __attribute__((ext_vector_type(4)));
typedef int32_t cp_int4 __attribute__((ext_vector_type(4)));

__attribute__((always_inline)) static inline float cp_sum(cp_float8 v) {
    cp_float4 four = __builtin_shufflevector(v, v, 0, 1, 2, 3) + __builtin_shufflevector(v, v, 4, 5, 6, 7);
    cp_float4 two = four + __builtin_shufflevector(four, four, 2, 3, 0, 1);
    return two[0] + two[1];
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

/* Sixteen floats, Swift's SIMD16<Float>. */
typedef float cp_float16 __attribute__((ext_vector_type(16)));

/* Eight or sixteen floats: for loops that the AVX-512 build runs in its wider registers. */
#if defined(__AVX512F__)
typedef cp_float16 cp_wide;
#else
typedef cp_float8 cp_wide;
#endif

__attribute__((always_inline)) static inline cp_wide cp_wide_add(cp_wide a, cp_wide b) { return a + b; }
__attribute__((always_inline)) static inline cp_wide cp_wide_subtract(cp_wide a, cp_wide b) { return a - b; }
__attribute__((always_inline)) static inline cp_wide cp_wide_multiply(cp_wide a, cp_wide b) { return a * b; }
__attribute__((always_inline)) static inline cp_wide cp_wide_divide(cp_wide a, cp_wide b) { return a / b; }
__attribute__((always_inline)) static inline cp_wide cp_wide_square_root(cp_wide v) { return __builtin_elementwise_sqrt(v); }

/* a b + sum, fused if this build uses fused multiply-add. */
__attribute__((always_inline)) static inline cp_wide cp_wide_multiply_add(cp_wide a, cp_wide b, cp_wide sum) {
#ifdef CP_FMA
    return __builtin_elementwise_fma(a, b, sum);
#else
    cp_wide product = a * b;
    return product + sum;
#endif
}

/* a where x > y, otherwise b. */
__attribute__((always_inline)) static inline cp_wide cp_wide_select(cp_wide x, cp_wide y, cp_wide a, cp_wide b) {
    return x > y ? a : b;
}

/* 0 where |x| < limit, otherwise x. */
__attribute__((always_inline)) static inline cp_wide cp_wide_flush(cp_wide x, float limit) {
    return __builtin_elementwise_abs(x) < limit ? (cp_wide)0 : x;
}

/* The width of a tile of a lane product whose height is 4, and the height if the width is 1. Its accumulators fit the registers. */
enum { CP_LANE_WIDTH = sizeof(cp_wide) / 16, CP_LANE_HEIGHT = 8 };

/* Computes a tile of height x width elements of a lane product, in a build with fused multiply-add: others have no lanes. height and
 * width must be constants, so that the compiler unrolls the loops. */
__attribute__((always_inline)) static inline void cp_lane_tile(const cp_lane_product *product, ptrdiff_t row, ptrdiff_t column,
                                                               int height, int width) {
    const cp_lane_product p = *product;
    cp_wide sums[CP_LANE_HEIGHT][CP_LANE_WIDTH];
    const cp_wide *a = (const cp_wide *)p.a + row * p.a_row, *b = (const cp_wide *)p.b + column * p.b_column;
    const cp_wide *start = (const cp_wide *)p.start + row * p.start_row + column * p.start_column;
    cp_wide *c = (cp_wide *)p.c + row * p.c_row + column * p.c_column;
#pragma clang loop unroll(full)
    for (int i = 0; i < height; i++, start += p.start_row)
#pragma clang loop unroll(full)
        for (int j = 0; j < width; j++) sums[i][j] = start[j * p.start_column];
#pragma clang loop unroll(disable)
    for (ptrdiff_t k = 0; k < p.depth; k++) {
        cp_wide y[CP_LANE_WIDTH];
#pragma clang loop unroll(full)
        for (int j = 0; j < width; j++) y[j] = b[j * p.b_column];
#pragma clang loop unroll(full)
        for (int i = 0; i < height; i++) {
            cp_wide x = a[i * p.a_row];
#pragma clang loop unroll(full)
            for (int j = 0; j < width; j++) sums[i][j] = __builtin_elementwise_fma(x, y[j], sums[i][j]);
        }
        a += p.a_depth;
        b += p.b_depth;
    }
#pragma clang loop unroll(full)
    for (int i = 0; i < height; i++, c += p.c_row)
#pragma clang loop unroll(full)
        for (int j = 0; j < width; j++) c[j * p.c_column] = sums[i][j];
}

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
#ifdef CP_FMA
    return __builtin_elementwise_fma(a, b, sum);
#else
    cp_float8 product = a * b;
    return product + sum;
#endif
}

/* sin(z + quarters pi / 2), where quarters is 0 for the sine and 1 for the cosine. With the k for which |r| <= pi / 2,
 * r = z - (k - quarters / 2) pi, it is (-1)^k sin r. For |z| <= CP_SINE_LIMIT, pi is split in two: k - quarters / 2 has at most
 * 22 bits and the first part 31, so their product is exact (Cody and Waite 1980). sin r is r plus a minimax polynomial, with an
 * error of 2.4e-11. */
__attribute__((always_inline)) static inline cp_float8 cp_sine(cp_float8 z, double quarters) {
    typedef double doubles __attribute__((ext_vector_type(4)));
    typedef uint64_t bits __attribute__((ext_vector_type(4)));
#ifdef CP_FMA
#define CP_MULTIPLY_ADD(a, b, sum) __builtin_elementwise_fma((doubles)(a), (doubles)(b), (doubles)(sum))
#else
#define CP_MULTIPLY_ADD(a, b, sum) ((doubles)((a) * (b)) + (sum))
#endif
    float from[8], to[8];
    memcpy(from, &z, sizeof from);
#pragma clang loop unroll(disable)
    for (int half = 0; half < 8; half += 4) {
        cp_float4 four;
        memcpy(&four, from + half, sizeof four);
        doubles x = __builtin_convertvector(four, doubles);
        doubles shift = 0x1.8p52; /* the low bits of a sum with it are the nearest integer */
        doubles shifted = CP_MULTIPLY_ADD(x, 0.31830988618379067, 0.5 * quarters) + shift;
        doubles turns = (shifted - shift) - 0.5 * quarters;
        doubles r = CP_MULTIPLY_ADD(turns, -0x1.921fb544p+1, x);
        r = CP_MULTIPLY_ADD(turns, -0x1.0b4611a626331p-33, r);
        r = (doubles)((bits)r ^ ((bits)shifted << 63));
        cp_int4 is_far = __builtin_elementwise_abs(four) > CP_SINE_LIMIT;
        if (__builtin_expect(__builtin_reduce_or(is_far) != 0, 0))
            for (int i = 0; i < 4; i++)
                if (is_far[i]) r[i] = cp_far_angle(four[i], quarters);
        doubles s = r * r;
        doubles q = CP_MULTIPLY_ADD(s, -2.3888792942234727e-8, 2.7525377974998731e-6);
        q = CP_MULTIPLY_ADD(s, q, -0.00019840868087433471);
        q = CP_MULTIPLY_ADD(s, q, 0.0083333311076932597);
        q = CP_MULTIPLY_ADD(s, q, -0.16666666626128792);
        four = __builtin_convertvector(CP_MULTIPLY_ADD(r * s, q, r), cp_float4);
        memcpy(to + half, &four, sizeof four);
    }
    memcpy(&z, to, sizeof z);
    return z;
#undef CP_MULTIPLY_ADD
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

/* to[i][lane] = rows[lane][first + i]; lanes is a multiple of eight. */
__attribute__((always_inline)) static inline void cp_interleave(const float *const *rows, ptrdiff_t first, ptrdiff_t count,
                                                                float *to, ptrdiff_t lanes) {
    for (ptrdiff_t lane = 0; lane < lanes; lane += 8) {
        ptrdiff_t i = 0;
        for (; i + 8 <= count; i += 8) {
            cp_float8 r[8];
            for (int k = 0; k < 8; k++) memcpy(&r[k], rows[lane + k] + first + i, sizeof r[k]);
            cp_transpose8(r);
            for (int k = 0; k < 8; k++) memcpy(to + (i + k) * lanes + lane, &r[k], sizeof r[k]);
        }
        for (; i < count; i++) {
#pragma clang loop unroll(disable) vectorize(disable)
            for (int k = 0; k < 8; k++) to[i * lanes + lane + k] = rows[lane + k][first + i];
        }
    }
}

#endif
