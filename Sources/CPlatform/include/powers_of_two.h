/* A table for exponentials. */
#ifndef CPLATFORM_POWERS_OF_TWO_H
#define CPLATFORM_POWERS_OF_TWO_H

#include <stdint.h>

/* 2^(i / 64), i = 0 ... 63. */
__attribute__((always_inline)) static inline double cp_power_of_two(uint64_t i) {
    extern const double cp_powers_of_two[64] __attribute__((visibility("hidden")));
    return cp_powers_of_two[i];
}

#endif
