/* formulas.c: formulas.h as functions, for a shared library of them and for universal.c. */
#include "formulas.h"

#define DEFINE(name, exact, value, slope)                           \
    float value_##name(float z) { return (void)z, (float)(value); } \
    float slope_##name(float z) { return (void)z, (float)(slope); }
FORMULAS(DEFINE)
