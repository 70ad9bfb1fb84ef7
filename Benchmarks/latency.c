/* The latency of single-row predictions, of bp_predictor_run, bp_network_predict and ONNX Runtime, alone and while another thread
 * trains the network and updates the predictor 1,000 times a second.
 *
 *   latency [CALLS [LIBRARY]]     10,000,000 calls each, if omitted; LIBRARY is ONNX Runtime's, if it is measured
 *
 * First line of each network: the time of a call in a loop, the least of many loops. `dependent` calls use the previous output as
 * an input, as a control loop does; others overlap in the processor. Then, with a clock read before and after each call (its own
 * time is the first row): the median, the 99.9th percentile and the worst of all calls, in nanoseconds.
 *
 *   cc -std=gnu99 -O3 -I include Benchmarks/latency.c -o build/latency -L build -Wl,-rpath,build -lbackprop -lm -lpthread -ldl */
#include <pthread.h>

#include "library.h"
#include "onnxruntime.h"

enum { LOOP = 1000, LOOPS = 2000, BINS = 1 << 20 };

static const struct network {
    const char *name;
    size_t count, sizes[5];
    const char *activation, *onnx;
} networks[] = {{"4-16-16-1 tanh", 4, {4, 16, 16, 1}, "tanh", "Tanh"},
                {"1-8-8-8-1 tanh", 5, {1, 8, 8, 8, 1}, "tanh", "Tanh"},
                {"16-64-64-1 relu", 4, {16, 64, 64, 1}, "relu", "Relu"}};

static bp_network *network;
static bp_predictor *predictor;
static float x[64], y[64], ort_y[64];

static void nothing(void) {}
static void run(void) { bp_predictor_run(predictor, x, 1, y); }
static void predict(void) { bp_network_predict(network, x, 1, y); }

static int64_t nanoseconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static double loop(void (*call)(void), int dependent) {
    int64_t best = INT64_MAX;
    for (int i = 0; i < LOOPS; i++) {
        int64_t start = nanoseconds();
        for (int k = 0; k < LOOP; k++) {
            call();
            if (dependent) x[0] = y[0];
        }
        int64_t time = nanoseconds() - start;
        if (time < best) best = time;
    }
    return (double)best / LOOP;
}

static void measure(const char *what, void (*call)(void), long calls) {
    static uint32_t bins[BINS];
    int64_t worst = 0, end = nanoseconds();
    for (size_t i = 0; i < BINS; i++) bins[i] = 0;
    for (long i = 0; i < calls; i++) {
        int64_t start = nanoseconds();
        call();
        end = nanoseconds();
        int64_t time = end - start;
        if (time > worst) worst = time;
        bins[time < BINS ? time : BINS - 1]++;
    }
    long below = 0, median = -1, late = -1;
    for (long i = 0; i < BINS && late < 0; i++) {
        below += bins[i];
        if (median < 0 && below * 2 >= calls) median = i;
        if (below * 1000 >= calls * 999) late = i;
    }
    printf("  %-34s p50 %6ld   p99.9 %6ld   worst %8ld ns\n", what, median, late, (long)worst);
}

/* Trains and updates once in a millisecond, at multiples of it. */
static int ended;
static void *train(void *updates) {
    float targets[16] = {0}, rows[16 * 16] = {0};
    int64_t next = nanoseconds();
    while (!__atomic_load_n(&ended, __ATOMIC_RELAXED)) {
        require(bp_network_train_minibatch(network, rows, targets, 16, 0.001f, NULL));
        require(bp_predictor_update(predictor, network));
        ++*(long *)updates;
        next += 1000000;
        int64_t left = next - nanoseconds();
        const struct timespec rest = {0, left > 0 ? left : 0};
        nanosleep(&rest, NULL);
    }
    return NULL;
}

/* The same network in ONNX Runtime. Its outputs must agree. */
static void load_in_onnxruntime(const struct network *n) {
    static float parameters[8192];
    size_t count;
    require(bp_network_parameter_count(network, &count));
    require(bp_network_get_parameters(network, parameters, count));
    for (int i = 0; i < 64; i++) x[i] = 0.5f - (float)i / 64;
    ort_load(n->sizes, n->count, n->onnx, parameters, x, ort_y);
    ort_run(), predict();
    if (fabsf(ort_y[0] - y[0]) <= 1e-5f) return;
    fprintf(stderr, "ONNX Runtime predicts %g, libbackprop %g\n", (double)ort_y[0], (double)y[0]);
    exit(1);
}

int main(int count, char **arguments) {
    long calls = count > 1 ? atol(arguments[1]) : 10000000;
    printf("%ld calls each, %s\n", calls, bp_instruction_set());
    const int other = count > 2 && ort_open(arguments[2]);
    if (!other) printf("ONNX Runtime is left out: its library is not there\n");
    measure("the clock alone", nothing, calls);
    for (size_t i = 0; i < sizeof networks / sizeof *networks; i++) {
        const struct network *n = &networks[i];
        pthread_t trainer;
        long updates = 0;
        require(bp_network_create(n->sizes, n->count, 1, &network));
        for (size_t layer = 1; layer < n->count; layer++)
            require(bp_network_set_activation(network, layer, layer + 1 < n->count ? n->activation : "identity"));
        require(bp_predictor_create(network, &predictor));
        printf("%s\n  in a loop: run %.1f ns, dependent %.1f; predict %.1f, dependent %.1f\n", n->name, loop(run, 0),
               loop(run, 1), loop(predict, 0), loop(predict, 1));
        measure("run", run, calls);
        measure("predict", predict, calls);
        if (other) load_in_onnxruntime(n), measure("ONNX Runtime", ort_run, calls);
        ended = 0;
        int64_t start = nanoseconds();
        if (pthread_create(&trainer, NULL, train, &updates) != 0) return 1;
        measure("run, beside training", run, calls);
        measure("predict, beside training", predict, calls);
        if (other) measure("ONNX Runtime, beside training", ort_run, calls);
        __atomic_store_n(&ended, 1, __ATOMIC_RELAXED);
        pthread_join(trainer, NULL);
        printf("  %.0f updates a second\n", 1e9 * (double)updates / (double)(nanoseconds() - start));
        bp_predictor_free(predictor);
        bp_network_free(network);
    }
    return 0;
}
