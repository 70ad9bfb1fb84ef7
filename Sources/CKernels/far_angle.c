#include "far_angle.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

/* The binary digits of 1 / pi, after 32 zeros. */
static const uint32_t digits[] = {0, 0x517cc1b7, 0x27220a94, 0xfe13abe8, 0xfa9a6ee0, 0x6db14acc, 0x9e21c820, 0xff28b1d5};

/* With |z| = m 2^e, m an integer of 24 bits, z / pi modulo 2 needs only 96 digits of 1 / pi, from the digit of weight 2^-e on:
 * the digits before them contribute multiples of 2, the digits after them less than 2^-71 (Payne and Hanek 1983). */
double cp_far_angle(float z, double quarters) {
    uint32_t bits;
    memcpy(&bits, &z, sizeof bits);
    uint32_t exponent = bits >> 23 & 255, m = (bits & 0x7fffff) | 0x800000;
    if (exponent == 255) return NAN;
    uint32_t first = exponent - 150 + 31; /* e + 31: 30 to 135 */
    uint64_t half_turns = 0;              /* 2^63 is pi: bits 32 to 95 of the product */
    for (uint32_t i = 0; i < 3; i++) {
        uint64_t two = (uint64_t)digits[first / 32 + i] << 32 | digits[first / 32 + i + 1],
                 product = (two << first % 32 >> 32) * m;
        half_turns += i == 0 ? product << 32 : i == 1 ? product : product >> 32;
    }
    if (z < 0) half_turns = 0 - half_turns;
    if (quarters != 0) half_turns += (uint64_t)1 << 62;
    uint64_t odd = (half_turns + ((uint64_t)1 << 62)) & (uint64_t)1 << 63;
    double r = (double)(int64_t)(half_turns ^ odd) * (0x1p-63 * 3.14159265358979324);
    return odd ? -r : r;
}
