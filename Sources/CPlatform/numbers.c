#define _GNU_SOURCE
#include "numbers.h"

#include <locale.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

static pthread_once_t made = PTHREAD_ONCE_INIT;
static locale_t plain;

static void make(void) { plain = newlocale(LC_ALL_MASK, "C", (locale_t)0); }

bool cp_parse_double(const char *text, double *value_out) {
    pthread_once(&made, make);
    const char *digits = *text == '-' ? text + 1 : text;
    if (!plain || *digits < '0' || *digits > '9' || digits[1] == 'x' || digits[1] == 'X') return false;
    char *end;
    *value_out = strtod_l(text, &end, plain);
    return *end == 0 && isfinite(*value_out);
}

void cp_print_decimal(double value, bool is_float, char *buffer, size_t capacity) {
    pthread_once(&made, make);
    locale_t before = uselocale(plain);
    for (int digits = is_float ? 6 : 1; digits <= 17; digits++) { /* 4000, not 4e+03 */
        snprintf(buffer, capacity, "%.*g", digits, value);
        if (is_float ? strtof_l(buffer, NULL, plain) == (float)value : strtod_l(buffer, NULL, plain) == value) break;
    }
    uselocale(before);
}
