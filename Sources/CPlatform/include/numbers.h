/* libm, a table for exponentials, and numbers as text whatever the locale. */
#ifndef CPLATFORM_NUMBERS_H
#define CPLATFORM_NUMBERS_H

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* 2^(i / 64), i = 0 ... 63. */
__attribute__((always_inline)) static inline double cp_power_of_two(uint64_t i) {
    extern const double cp_powers_of_two[64] __attribute__((visibility("hidden")));
    return cp_powers_of_two[i];
}

/* The whole of text, ended by NUL, as a finite decimal number. */
bool cp_parse_double(const char *text, double *value_out);
/* The shortest of 17 or fewer digits that reads back as value, as a float where it is one (then for a reader: without an
 * exponent up to 6 digits); value finite; capacity 32 is enough. */
void cp_print_decimal(double value, bool is_float, char *buffer, size_t capacity);

#endif
