/* The largest errors of the built-in activations and their derivatives over all finite floats, for each instruction set.
 *
 *   accuracy [STRIDE [ACTIVATION]]      one in STRIDE floats (1: all), one activation (all)
 *
 * The library is called as a host calls it. A layer of sixteen units, whose weights are the identity matrix, applies the
 * activation to its inputs: a product with 1 and sums with 0 are exact. An instruction set is chosen once in a process, so
 * each has its own process. Errors are found in double precision, and confirmed in long double before they are reported.
 * A unit in the last place (ulp) is that of the exact value as a float; 1.4e-45 for subnormal values. */
#include <float.h>
#include <math.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "backprop.h"
#include "exact.h"

#define REAL long double
#define M(name) name##l
#include "formulas.h"

#define ROW(function, name, value, slope) \
    {name, value, slope, function##_values, function##_slopes, function##l, function##_slopel},
static const exact activations[] = {ACTIVATIONS(ROW){0}};

enum { WIDTH = 16, ROWS = 1024, COUNT = ROWS * WIDTH, MOST_THREADS = 64 };

typedef struct worst {
    double error; /* of a value: in ulp; of a derivative: as a part of what is allowed */
    double absolute;
    float at; /* z */
} worst;

static uint64_t stride = 1;
static const exact *activation;
static uint64_t next_block;
static pthread_mutex_t merging = PTHREAD_MUTEX_INITIALIZER;
static worst worst_value, worst_slope;

static void require(int32_t status) {
    if (status == BP_OK) return;
    fprintf(stderr, "%s: %s: %s\n", activation->name, bp_status_name(status), bp_last_error_message());
    exit(1);
}

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* 1 / ulp of the float nearest to x. */
static inline double value_units(double x) {
    float nearest = (float)x; /* not infinite */
    uint32_t bits;
    memcpy(&bits, &nearest, sizeof bits);
    uint64_t exponent = bits >> 23 & 255;
    uint64_t inverse = (1023 + 127 + 23 - (exponent ? exponent : 1)) << 52;
    double result;
    memcpy(&result, &inverse, sizeof result);
    return result;
}

/* 1 / what is allowed for a derivative. */
static inline double slope_units(double x) { return 1 / (1e-5 * fabs(x) + activation->slope_bound); }

/* The exact values with 0 instead of subnormal numbers in the tails, where an activation is 0. */
static void cut(const float *z, double *exact) {
    for (int i = 0; i < COUNT; i++) exact[i] = fabsf(z[i]) > 1 && fabs(exact[i]) < FLT_MIN ? 0 : exact[i];
}

/* Finds the largest error among COUNT numbers. A value greater than any float (selu) is the greatest float. */
static inline __attribute__((always_inline)) void scan(const float *z, const float *found, const double *exact,
                                                       long double (*precisely)(long double), double (*unit)(double),
                                                       double *errors, worst *w) {
    int greater = 0;
    for (int i = 0; i < COUNT; i++) {
        double near = exact[i] < FLT_MAX ? exact[i] : FLT_MAX; /* unlike fmin, in vectors */
        errors[i] = fabs((double)found[i] - near) * unit(near);
        greater |= !(errors[i] <= w->error); /* also a NaN */
    }
    for (int i = 0; greater && i < COUNT; i++) {
        if (errors[i] <= w->error) continue;
        long double precise = exact[i] == 0 ? 0 : fminl(precisely((long double)z[i]), FLT_MAX),
                    difference = fabsl((long double)found[i] - precise);
        double error = (double)difference * unit((double)precise);
        if (error <= w->error) continue;
        *w = (worst){isnan(error) ? INFINITY : error, (double)difference, z[i]};
    }
}

static void merge(worst *into, worst from) {
    if (from.error > into->error) *into = from;
}

static void *search(void *unused) {
    bp_network *network;
    float *z = malloc(COUNT * sizeof *z), *found = malloc(COUNT * sizeof *found), *ones = malloc(COUNT * sizeof *ones);
    float *parameters = calloc(WIDTH * (WIDTH + 1), sizeof *parameters);
    double *exact = malloc(COUNT * sizeof *exact), *errors = malloc(COUNT * sizeof *errors);
    worst value = {0, 0, 0}, slope = {0, 0, 0};
    if (!z || !found || !ones || !parameters || !exact || !errors) exit(1);
    for (int i = 0; i < WIDTH; i++) parameters[i * WIDTH + i] = 1;
    for (int i = 0; i < COUNT; i++) ones[i] = 1;
    require(bp_network_create((size_t[]){WIDTH, WIDTH}, 2, 1, &network));
    require(bp_network_set_activation(network, 1, activation->name));
    require(bp_network_set_parameters(network, parameters, WIDTH * (WIDTH + 1)));
    for (;;) {
        uint64_t first = __atomic_fetch_add(&next_block, 1, __ATOMIC_RELAXED) * COUNT * stride;
        if (first >> 32) break;
        for (uint64_t i = 0; i < COUNT; i++) {
            uint32_t bits = (uint32_t)(first + i * stride); /* wraps around in the last block */
            memcpy(&z[i], &bits, sizeof bits);
            if (!isfinite(z[i])) z[i] = 0;
        }
        require(bp_network_predict(network, z, ROWS, found));
        activation->values(z, exact, COUNT);
        cut(z, exact);
        scan(z, found, exact, activation->value, value_units, errors, &value);
        require(bp_network_backpropagate(network, z, ones, ROWS, NULL, 0, found));
        activation->slopes(z, exact, COUNT);
        scan(z, found, exact, activation->slope, slope_units, errors, &slope);
    }
    pthread_mutex_lock(&merging);
    merge(&worst_value, value), merge(&worst_slope, slope);
    pthread_mutex_unlock(&merging);
    bp_network_free(network);
    free(z), free(found), free(ones), free(parameters), free(exact), free(errors);
    return unused;
}

/* Returns whether the activation is within its bounds. */
static int check(long threads) {
    pthread_t thread[MOST_THREADS];
    double start = now();
    next_block = 0, worst_value = worst_slope = (worst){0, 0, 0};
    for (long i = 0; i < threads; i++)
        if (pthread_create(&thread[i], NULL, search, NULL) != 0) exit(1);
    for (long i = 0; i < threads; i++) pthread_join(thread[i], NULL);
    int good = worst_value.error <= fmax(activation->value_bound, 1e-8) && worst_slope.error <= 1;
    printf("%s %s, %s: value %.4g ulp at %a; derivative %.3g at %a, %.0f %% of what is allowed (%.0f s)\n",
           good ? "ok" : "not ok", activation->name, bp_instruction_set(), worst_value.error, (double)worst_value.at,
           worst_slope.absolute, (double)worst_slope.at, 100 * worst_slope.error, now() - start);
    fflush(stdout);
    return good;
}

/* Checks one instruction set, in this process. */
static int check_set(const char *set, const char *only) {
    long threads = sysconf(_SC_NPROCESSORS_ONLN);
    threads = threads < 1 ? 1 : threads > MOST_THREADS ? MOST_THREADS : threads;
    setenv("BACKPROP_INSTRUCTION_SET", set, 1);
    if (strcmp(bp_instruction_set(), set) != 0) return printf("left out: this processor has no %s\n", set), 0;
    if (bp_set_thread_count(1) != BP_OK) return 1;
    int failed = 0, checked = 0;
    for (activation = activations; activation->name; activation++) {
        if (*only && strcmp(only, activation->name) != 0) continue;
        failed += !check(threads), checked++;
    }
    return failed > 0 || !checked;
}

int main(int count, char **arguments) {
    static const char *const sets[] = {"avx512", "avx2", "baseline"};
    const char *only = count > 2 ? arguments[2] : "";
    int failed = 0;
    stride = count > 1 ? strtoull(arguments[1], NULL, 10) : 1;
    if (!stride) return fprintf(stderr, "usage: accuracy [STRIDE [ACTIVATION]]\n"), 2;
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
        int status = 1;
        fflush(stdout);
        pid_t child = fork();
        if (child == 0) exit(check_set(sets[i], only));
        if (child < 0 || waitpid(child, &status, 0) != child || status != 0) failed = 1;
    }
    return failed;
}
