/* Measurements of libbackprop other than the workloads, for bench.py. Prints one JSON object per line.
 *
 *   probe library              version and instruction set
 *   probe sweep THREADS        GFLOP/s of training and predicting over odd sizes: two layers of WIDTH units on ROWS rows
 *   probe memory               bytes of a network, as counted by malloc
 *   probe calls                nanoseconds of calls on the network 2-4-1, for python_calls.py
 *   probe steps NETWORK COUNT  COUNT steps of stochastic gradient descent, for callgrind to count; prints nothing
 */
#include <malloc.h>
#include <string.h>

#include "library.h"

static const struct {
    const char *name;
    size_t count, sizes[5], rows, copies;
} networks[] = {
    {"xor", 3, {2, 4, 1}, 4, 1000},
    {"digits", 3, {64, 32, 10}, 32, 100},
    {"mnist", 4, {784, 256, 128, 10}, 128, 10},
    {"wide", 5, {1024, 2048, 2048, 1024, 16}, 256, 2},
};

/* count numbers in [0, 1). */
static float *numbers(size_t count) {
    float *p = malloc(count * sizeof *p);
    if (!p) abort();
    for (size_t i = 0; i < count; i++) p[i] = (float)(i * 2654435761u >> 8 & 255) / 256;
    return p;
}

/* ---- sweep ------------------------------------------------------------------------------------------------------ */

static void sweep_one(const char *kind, size_t rows, size_t width, int threads) {
    enum { TRIES = 7 };
    const int train = kind[0] == 't';
    const double flop = (train ? 10.0 : 4.0) * (double)(rows * width * width);
    float *x = numbers(rows * width), *y = numbers(rows * width), *out = numbers(rows * width);
    bp_network *network;
    double best = 0;
    require(bp_network_create((size_t[]){width, width, width}, 3, 1, &network));
    for (int try = 0; try < TRIES; try++) {
        long count = 0;
        double start = seconds(threads), taken;
        do {
            for (int i = 0; i < 8; i++, count++)
                require(train ? bp_network_train_minibatch(network, x, y, rows, 1e-3f, NULL)
                              : bp_network_predict(network, x, rows, out));
        } while ((taken = seconds(threads) - start) < 0.004);
        double rate = 1e-9 * flop * (double)count / taken;
        if (rate > best) best = rate;
    }
    printf("{\"test\": \"sweep\", \"kind\": \"%s\", \"threads\": %d, \"rows\": %zu, \"width\": %zu, \"gflop_per_s\": %.4g}\n",
           kind, threads, rows, width, best);
    bp_network_free(network);
    free(x), free(y), free(out);
}

static void sweep(int threads) {
    static const size_t rows[] = {1, 2, 3, 5, 7, 16, 31, 33}, widths[] = {3, 10, 17, 33, 65, 100};
    require(bp_set_thread_count((size_t)threads));
    for (int train = 1; train >= 0; train--)
        for (size_t r = 0; r < sizeof rows / sizeof *rows; r++)
            for (size_t w = 0; w < sizeof widths / sizeof *widths; w++)
                sweep_one(train ? "train" : "predict", rows[r], widths[w], threads);
}

/* ---- memory ----------------------------------------------------------------------------------------------------- */

static size_t given_out(void) {
    struct mallinfo2 m = mallinfo2();
    return m.uordblks + m.hblkhd;
}

static void memory(void) {
    for (size_t i = 0; i < sizeof networks / sizeof *networks; i++) {
        const size_t copies = networks[i].copies, rows = networks[i].rows, *sizes = networks[i].sizes;
        float *x = numbers(rows * sizes[0]), *y = numbers(rows * sizes[networks[i].count - 1]);
        bp_network *made[1000];
        size_t parameters, use[4];
        for (int stage = 0; stage < 4; stage++) {
            for (size_t c = 0; stage == 1 && c < copies; c++) require(bp_network_create(sizes, networks[i].count, c, &made[c]));
            for (size_t c = 0; stage > 1 && c < copies; c++)
                require(bp_network_train_minibatch(made[c], x, y, stage == 2 ? 1 : rows, 1e-3f, NULL));
            use[stage] = given_out();
        }
        require(bp_network_parameter_count(made[0], &parameters));
        printf(
            "{\"test\": \"memory\", \"network\": \"%s\", \"parameter_bytes\": %zu, \"created\": %zu, \"trained_1_row\": %zu, "
            "\"rows\": %zu, \"trained_rows\": %zu, ",
            networks[i].name, parameters * sizeof(float), (use[1] - use[0]) / copies, (use[2] - use[0]) / copies, rows,
            (use[3] - use[0]) / copies);
        for (size_t c = 0; c < copies; c++) bp_network_free(made[c]);
        printf("\"left_after_free\": %ld}\n", (long)given_out() - (long)use[0]);
        free(x), free(y);
    }
}

/* ---- calls ------------------------------------------------------------------------------------------------------ */

static void calls(void) {
    enum { LOOPS = 500, CALLS = 200, KINDS = 4 };
    static const char *const names[KINDS] = {"predict", "train_step", "train_minibatch", "evaluate"};
    static const size_t counts[] = {1, 32};
    float *x = numbers(64), *y = numbers(32), *out = numbers(32), loss;
    bp_network *network;
    require(bp_network_create(networks[0].sizes, networks[0].count, 1, &network));
    for (int kind = 0; kind < KINDS; kind++)
        for (int c = 0; c < (kind == 1 ? 1 : 2); c++) {
            const size_t rows = counts[c];
            double best = 1;
            for (int loop = 0; loop < LOOPS; loop++) {
                double start = seconds(1);
                for (int i = 0; i < CALLS; i++)
                    require(kind == 0       ? bp_network_predict(network, x, rows, out)
                                : kind == 1 ? bp_network_train_step(network, x, y, 1e-3f, &loss)
                                : kind == 2 ? bp_network_train_minibatch(network, x, y, rows, 1e-3f, &loss)
                                            : bp_network_evaluate(network, x, y, rows, &loss));
                double taken = (seconds(1) - start) / CALLS;
                if (taken < best) best = taken;
            }
            printf("{\"test\": \"calls\", \"call\": \"%s\", \"rows\": %zu, \"ns\": %.0f}\n", names[kind], rows, 1e9 * best);
        }
    bp_network_free(network);
    free(x), free(y), free(out);
}

/* ---- steps ------------------------------------------------------------------------------------------------------ */

static int steps(const char *name, long count) {
    for (size_t i = 0; i < sizeof networks / sizeof *networks; i++) {
        if (strcmp(name, networks[i].name)) continue;
        float *x = numbers(networks[i].sizes[0]), *y = numbers(networks[i].sizes[networks[i].count - 1]);
        bp_network *network;
        require(bp_network_create(networks[i].sizes, networks[i].count, 1, &network));
        for (; count > 0; count--) require(bp_network_train_step(network, x, y, 0.1f, NULL));
        bp_network_free(network);
        free(x), free(y);
        return 0;
    }
    return 2;
}

int main(int argc, char **argv) {
    const char *what = argc > 1 ? argv[1] : "";
    setvbuf(stdout, NULL, _IOLBF, 1 << 16);
    require(bp_set_thread_count(1));
    if (!strcmp(what, "library"))
        printf("{\"version\": \"%s\", \"instruction_set\": \"%s\"}\n", bp_version_string(), bp_instruction_set());
    else if (!strcmp(what, "sweep") && argc == 3) sweep(atoi(argv[2]));
    else if (!strcmp(what, "memory")) memory();
    else if (!strcmp(what, "calls")) calls();
    else if (!strcmp(what, "steps") && argc == 4) return steps(argv[2], atol(argv[3]));
    else return fprintf(stderr, "usage: probe library | sweep THREADS | memory | calls | steps NETWORK COUNT\n"), 2;
    return 0;
}
