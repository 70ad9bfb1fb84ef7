/* predictions.c SET: compares the predictions of all exported networks with those of the library for an instruction set, "baseline"
 * or "fused". Fails if bits differ (see networks.c for names that allow a difference); with a second argument, if a number differs
 * by more than this times the larger of 1 and the number. Also compiled as C++. */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif
#define NETWORK(name)        \
    enum { name##_is_here }; \
    void name##_predict(const float *input, float *output);
#include "all.h"
#undef NETWORK
float registered_activation_steep(float z);
float registered8_activation_steep(float z);
void registered_activation_turnedDotrowsMinus2(const float *z, float *a, int count);
void registered8_activation_turnedDotrowsMinus2(const float *z, float *a, int count);
#ifdef __cplusplus
}
#endif
#include "plugins.h"

float registered_activation_steep(float z) { return steep_of(z); }
float registered8_activation_steep(float z) { return steep_of(z); }
void registered_activation_turnedDotrowsMinus2(const float *z, float *a, int count) { turned_of(z, a, count); }
void registered8_activation_turnedDotrowsMinus2(const float *z, float *a, int count) { turned_of(z, a, count); }

enum { ROWS = 300, MOST = 200 };
static float inputs[ROWS][MOST], expected[MOST], output[MOST + 1];

static uint32_t bits_of(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}
/* The number of floats between two floats. */
static double distance(float a, float b) {
    int32_t i = (int32_t)bits_of(a), j = (int32_t)bits_of(b);
    if (a != a || b != b) return a != a && b != b ? 0 : 4294967296.0;
    return fabs((double)(i < 0 ? INT32_MIN - i : i) - (double)(j < 0 ? INT32_MIN - j : j));
}

static int compare(const char *name, void (*predict)(const float *, float *), const char *set, double tolerance) {
    char path[128];
    int32_t sizes[2];
    double most = 0, difference = 0;
    snprintf(path, sizeof path, "%s.rows.%s", name, set);
    FILE *file = fopen(path, "rb");
    if (!file || fread(sizes, sizeof sizes, 1, file) != 1 || sizes[0] > MOST || sizes[1] > MOST)
        return printf("no %s\n", path), 1;
    for (int row = 0; row < ROWS; row++)
        if (fread(inputs[row], sizeof(float), (size_t)sizes[0], file) != (size_t)sizes[0]) return 1;
    for (int row = 0; row < ROWS; row++) {
        if (fread(expected, sizeof(float), (size_t)sizes[1], file) != (size_t)sizes[1]) return 1;
        output[sizes[1]] = 42;
        predict(inputs[row], output);
        if (output[sizes[1]] != 42) return printf("%s writes past its outputs\n", name), 1;
        for (int j = 0; j < sizes[1]; j++) {
            double ulps = distance(output[j], expected[j]);
            if (ulps > most) most = ulps;
            if (row >= ROWS - 8) continue; /* numbers that overflow */
            double error = fabs((double)output[j] - expected[j]) / fmax(1, fabs((double)expected[j]));
            if (!(error <= difference)) difference = error;
        }
    }
    fclose(file);
    if (tolerance == 0 && strncmp(name, "near_", 5) == 0) tolerance = 1e-5;
    int is_right = name[strlen(name) - 1] == '8' ? difference < 0.2 && difference > 0
        : tolerance > 0                          ? difference <= tolerance
        : strncmp(name, "close_", 6) == 0        ? most <= 2
                                                 : most == 0;
    if (!is_right) printf("# %s differs by %.9g floats, by %g\n", name, most, difference);
    return !is_right;
}

int main(int count, char **arguments) {
    int failures = 0;
    double tolerance = count > 2 ? atof(arguments[2]) : 0;
#define NETWORK(name) failures += compare(#name, name##_predict, arguments[1], tolerance);
#include "all.h"
    return failures != 0;
}
