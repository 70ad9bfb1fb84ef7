#define _GNU_SOURCE
#include "numbers.h"

#include <locale.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "environment.h"

/* clang-format off */
const double cp_powers_of_two[64] = {
    0x1p0, 0x1.02c9a3e778061p0, 0x1.059b0d3158574p0, 0x1.0874518759bc8p0,
    0x1.0b5586cf9890fp0, 0x1.0e3ec32d3d1a2p0, 0x1.11301d0125b51p0, 0x1.1429aaea92dep0,
    0x1.172b83c7d517bp0, 0x1.1a35beb6fcb75p0, 0x1.1d4873168b9aap0, 0x1.2063b88628cd6p0,
    0x1.2387a6e756238p0, 0x1.26b4565e27cddp0, 0x1.29e9df51fdee1p0, 0x1.2d285a6e4030bp0,
    0x1.306fe0a31b715p0, 0x1.33c08b26416ffp0, 0x1.371a7373aa9cbp0, 0x1.3a7db34e59ff7p0,
    0x1.3dea64c123422p0, 0x1.4160a21f72e2ap0, 0x1.44e086061892dp0, 0x1.486a2b5c13cdp0,
    0x1.4bfdad5362a27p0, 0x1.4f9b2769d2ca7p0, 0x1.5342b569d4f82p0, 0x1.56f4736b527dap0,
    0x1.5ab07dd485429p0, 0x1.5e76f15ad2148p0, 0x1.6247eb03a5585p0, 0x1.6623882552225p0,
    0x1.6a09e667f3bcdp0, 0x1.6dfb23c651a2fp0, 0x1.71f75e8ec5f74p0, 0x1.75feb564267c9p0,
    0x1.7a11473eb0187p0, 0x1.7e2f336cf4e62p0, 0x1.82589994cce13p0, 0x1.868d99b4492edp0,
    0x1.8ace5422aa0dbp0, 0x1.8f1ae99157736p0, 0x1.93737b0cdc5e5p0, 0x1.97d829fde4e5p0,
    0x1.9c49182a3f09p0, 0x1.a0c667b5de565p0, 0x1.a5503b23e255dp0, 0x1.a9e6b5579fdbfp0,
    0x1.ae89f995ad3adp0, 0x1.b33a2b84f15fbp0, 0x1.b7f76f2fb5e47p0, 0x1.bcc1e904bc1d2p0,
    0x1.c199bdd85529cp0, 0x1.c67f12e57d14bp0, 0x1.cb720dcef9069p0, 0x1.d072d4a07897cp0,
    0x1.d5818dcfba487p0, 0x1.da9e603db3285p0, 0x1.dfc97337b9b5fp0, 0x1.e502ee78b3ff6p0,
    0x1.ea4afa2a490dap0, 0x1.efa1bee615a27p0, 0x1.f50765b6e454p0, 0x1.fa7c1819e90d8p0,
};
/* clang-format on */

static pthread_once_t made = PTHREAD_ONCE_INIT;
static locale_t plain;

static void make(void) { plain = newlocale(LC_ALL_MASK, "C", (locale_t)0); }

/* The C library's functions for text round as the x87 does. Returns the control word to be set again. */
static uint16_t begin_text(void) {
    uint16_t x87 = cp_x87_control();
    cp_set_x87_control(CP_DEFAULT_X87);
    return x87;
}

bool cp_parse_double(const char *text, double *value_out) {
    pthread_once(&made, make);
    const char *digits = *text == '-' ? text + 1 : text;
    if (!plain || *digits < '0' || *digits > '9' || digits[1] == 'x' || digits[1] == 'X') return false;
    char *end;
    uint16_t x87 = begin_text();
    *value_out = strtod_l(text, &end, plain);
    cp_set_x87_control(x87);
    return *end == 0 && isfinite(*value_out);
}

void cp_print_decimal(double value, bool is_float, char *buffer, size_t capacity) {
    pthread_once(&made, make);
    locale_t before = uselocale(plain);
    uint16_t x87 = begin_text();
    for (int digits = is_float ? 6 : 1; digits <= 17; digits++) { /* 4000, not 4e+03 */
        snprintf(buffer, capacity, "%.*g", digits, value);
        if (is_float ? strtof_l(buffer, NULL, plain) == (float)value : strtod_l(buffer, NULL, plain) == value) break;
    }
    cp_set_x87_control(x87);
    uselocale(before);
}
