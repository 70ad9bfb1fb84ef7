#define _GNU_SOURCE
#include "decimal_text.h"

#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#ifdef __APPLE__
#include <xlocale.h>
#endif

#include "environment.h"

static pthread_once_t once = PTHREAD_ONCE_INIT;
static locale_t c_locale;

static void create_locale(void) { c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0); }

/* The C library's conversions between text and numbers round by the x87's control word. The host's x87 environment is
 * replaced, not only its control word: a raised flag whose exception the host traps would trap here. */
static cp_x87_environment set_default_x87(void) {
    cp_x87_environment hosts = cp_save_x87();
    cp_set_x87_control(CP_DEFAULT_X87);
    return hosts;
}

bool cp_parse_double(const char *text, double *value_out) {
    pthread_once(&once, create_locale);
    const char *digits = *text == '-' ? text + 1 : text;
    if (!c_locale || *digits < '0' || *digits > '9' || digits[1] == 'x' || digits[1] == 'X') return false;
    char *end;
    cp_x87_environment x87 = set_default_x87();
    *value_out = strtod_l(text, &end, c_locale);
    cp_restore_x87(&x87);
    return *end == 0 && isfinite(*value_out);
}

void cp_print_decimal(double value, bool is_float, char *buffer, size_t capacity) {
    pthread_once(&once, create_locale);
    locale_t before = uselocale(c_locale);
    cp_x87_environment x87 = set_default_x87();
    for (int digits = is_float ? 6 : 1; digits <= 17; digits++) { /* from 6, so that 4000 is not printed as 4e+03 */
        snprintf(buffer, capacity, "%.*g", digits, value);
        if (is_float ? strtof_l(buffer, NULL, c_locale) == (float)value : strtod_l(buffer, NULL, c_locale) == value) break;
    }
    cp_restore_x87(&x87);
    uselocale(before);
}
