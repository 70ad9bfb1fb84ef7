/* Decimal numbers as text, in the "C" locale whatever the process's locale is. */
#ifndef CPLATFORM_DECIMAL_TEXT_H
#define CPLATFORM_DECIMAL_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* Whether the whole text, ended by NUL, is a finite decimal number; *value_out is its value. */
bool cp_parse_double(const char *text, double *value_out);

/* Prints a finite value with the fewest digits, at most 17, that parse back to it. If is_float, they parse back to it as a
 * float, and integers of up to 6 digits have no exponent. A capacity of 32 is enough. */
void cp_print_decimal(double value, bool is_float, char *buffer, size_t capacity);

#endif
