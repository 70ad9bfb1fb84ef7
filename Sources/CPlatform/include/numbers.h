/* libm, and numbers as text whatever the locale. */
#ifndef CPLATFORM_NUMBERS_H
#define CPLATFORM_NUMBERS_H

#include <math.h>
#include <stdbool.h>
#include <stddef.h>

/* The whole of text, ended by NUL, as a finite decimal number. */
bool cp_parse_double(const char *text, double *value_out);
/* The shortest of 17 or fewer digits that reads back as value; value finite; capacity 32 is enough. */
void cp_print_double(double value, char *buffer, size_t capacity);

#endif
