/* Shared by the programs here that call libbackprop. */
#ifndef LIBRARY_H
#define LIBRARY_H
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "backprop.h"

static inline void require(int32_t status) {
    if (status == BP_OK) return;
    fprintf(stderr, "%s: %s\n", bp_status_name(status), bp_last_error_message());
    exit(1);
}

/* With one thread, processor time, on which other programs have little effect. */
static inline double seconds(int threads) {
    struct timespec t;
    clock_gettime(threads == 1 ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ---- A custom activation, as a function of one number and of whole matrices */

static inline float softsign(float z, void *user_data) { return (void)user_data, z / (1 + fabsf(z)); }
static inline float softsign_slope(float z, float a, void *user_data) {
    float m = 1 + fabsf(z);
    return (void)a, (void)user_data, 1 / (m * m);
}

static inline int32_t softsigns(const float *z, float *a, size_t rows, size_t columns, void *user_data) {
    (void)user_data;
    for (size_t i = 0; i < rows * columns; i++) a[i] = z[i] / (1 + fabsf(z[i]));
    return 0;
}
static inline int32_t softsigns_back(const float *z, const float *a, const float *da, float *dz, size_t rows, size_t columns,
                                     void *user_data) {
    (void)a, (void)user_data;
    for (size_t i = 0; i < rows * columns; i++) {
        float m = 1 + fabsf(z[i]);
        dz[i] = da[i] / (m * m);
    }
    return 0;
}

#endif
