/* The limits of this machine, to compare training rates with. One JSON object a line.
 *
 *   limits fma THREADS    FMA peak in registers, and the clock
 *   limits mem THREADS    triad and read bandwidth, L1 to DRAM
 *   limits gemm THREADS   SGEMM of the OpenBLAS it is linked with, for the products of the workloads
 *   limits hand           online SGD on 2-4-1 and 64-32-10, written for these sizes
 *
 * x86-64 with AVX2 or AVX-512. Without -DOPENBLAS, "gemm" measures nothing. */
#define _GNU_SOURCE
#include <immintrin.h>
#include <math.h>
#include <omp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#ifdef OPENBLAS
#include <cblas.h>
#endif

enum { ROUNDS = 9 };

/* With one thread, processor time, on which other programs have little effect. */
static clockid_t timer = CLOCK_PROCESS_CPUTIME_ID;

static double now(void) {
    struct timespec t;
    clock_gettime(timer, &t);
    return t.tv_sec + 1e-9 * t.tv_nsec;
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Prints `fields` (the head of a JSON object) with median, min and max of v. */
static void report(const char *fields, const char *unit, double *v, int n) {
    qsort(v, n, sizeof *v, by_value);
    printf("{%s,\"unit\":\"%s\",\"median\":%.5g,\"min\":%.5g,\"max\":%.5g}\n", fields, unit, v[n / 2], v[0], v[n - 1]);
    fflush(stdout);
}

static float *floats(size_t n, float value) {
    float *p = NULL;
    if (posix_memalign((void **)&p, 4096, n * sizeof *p)) abort();
    for (size_t i = 0; i < n; i++) p[i] = value * (float)((i * 2654435761u >> 8 & 255) - 127.5f);
    return p;
}

/* ---- fma ---------------------------------------------------------------- */

#ifdef __AVX512F__
typedef __m512 vector;
#define SPREAD _mm512_set1_ps
#define FMA _mm512_fmadd_ps
#define FIRST _mm512_cvtss_f32
#else
typedef __m256 vector;
#define SPREAD _mm256_set1_ps
#define FMA _mm256_fmadd_ps
#define FIRST _mm256_cvtss_f32
#endif

/* Two FMA a cycle at a latency of four needs eight chains; twelve are enough
 * on any core with up to three pipes. */
static float fma_loop(long n) {
    vector a[12], m = SPREAD(0.999999f), c = SPREAD(1e-6f);
    for (int i = 0; i < 12; i++) a[i] = SPREAD((float)i);
    for (long k = 0; k < n; k++) {
#pragma GCC unroll 12
        for (int i = 0; i < 12; i++) a[i] = FMA(a[i], m, c);
    }
    float s = 0;
    for (int i = 0; i < 12; i++) s += FIRST(a[i]);
    return s;
}

static volatile float sink;

static void run_fma(int threads) {
    double rate[ROUNDS], ghz[ROUNDS];
    const long n = 40000000;
    for (int r = 0; r < ROUNDS; r++) {
        double t = now();
#pragma omp parallel num_threads(threads)
        sink = fma_loop(n);
        rate[r] = 1e-9 * n * 12 * sizeof(vector) / 4 * 2 * threads / (now() - t);
    }
    char f[96];
    snprintf(f, sizeof f, "\"test\":\"fma\",\"threads\":%d", threads);
    report(f, "GFLOP/s", rate, ROUNDS);
    for (int r = 0; r < ROUNDS; r++) { /* a chain of one-cycle adds */
        const long steps = 200000000;
        uint64_t x = 1;
        double t = now();
        for (long i = 0; i < steps / 8; i++)
            __asm__ volatile("add %1,%0\nadd %1,%0\nadd %1,%0\nadd %1,%0\n"
                             "add %1,%0\nadd %1,%0\nadd %1,%0\nadd %1,%0"
                             : "+r"(x)
                             : "r"((uint64_t)i));
        ghz[r] = 1e-9 * steps / (now() - t);
    }
    report("\"test\":\"clock\",\"threads\":1", "GHz", ghz, ROUNDS);
}

/* ---- mem ---------------------------------------------------------------- */

#define LOAD(p) _mm256_load_ps(p)

__attribute__((noinline)) static void triad(size_t n, float *a, const float *b, const float *c) {
    const __m256 s = _mm256_set1_ps(1.5f);
    for (size_t i = 0; i < n; i += 32)
#pragma GCC unroll 4
        for (int k = 0; k < 32; k += 8) _mm256_store_ps(a + i + k, _mm256_fmadd_ps(s, LOAD(c + i + k), LOAD(b + i + k)));
}

__attribute__((noinline)) static float read_all(size_t n, const float *a) {
    __m256 s[8];
    for (int k = 0; k < 8; k++) s[k] = _mm256_setzero_ps();
    for (size_t i = 0; i < n; i += 64)
#pragma GCC unroll 8
        for (int k = 0; k < 8; k++) s[k] = _mm256_add_ps(s[k], LOAD(a + i + 8 * k));
    for (int k = 1; k < 8; k++) s[0] = _mm256_add_ps(s[0], s[k]);
    return _mm256_cvtss_f32(s[0]);
}

/* bytes: the working set of one thread (all arrays of the kernel together). */
static void run_mem_one(int threads, const char *kernel, size_t bytes, const char *level) {
    int arrays = *kernel == 't' ? 3 : 1;
    size_t n = bytes / sizeof(float) / arrays & ~(size_t)63;
    long reps = (long)(4e8 / bytes) + 1;
    float *buf[64][3];
    double rate[ROUNDS];
    for (int t = 0; t < threads; t++)
        for (int k = 0; k < arrays; k++) buf[t][k] = floats(n + 1024, 1e-3f) + 80 * k; /* not 4 KB apart */
    for (int r = 0; r < ROUNDS; r++) {
        double t0 = now();
#pragma omp parallel num_threads(threads)
        {
            float **b = buf[omp_get_thread_num()];
            for (long q = 0; q < reps; q++) {
                if (arrays == 3) triad(n, b[0], b[1], b[2]);
                else sink = read_all(n, b[0]);
                __asm__ volatile("" ::: "memory");
            }
        }
        rate[r] = 1e-9 * reps * n * sizeof(float) * arrays * threads / (now() - t0);
    }
    for (int t = 0; t < threads; t++)
        for (int k = 0; k < arrays; k++) free(buf[t][k] - 80 * k);
    char f[160];
    snprintf(f, sizeof f, "\"test\":\"mem\",\"kernel\":\"%s\",\"level\":\"%s\",\"bytes_per_thread\":%zu,\"threads\":%d", kernel,
             level, bytes, threads);
    report(f, "GB/s", rate, ROUNDS);
}

static void run_mem(int threads) {
    static const struct {
        const char *level;
        size_t bytes;
    } set[] = {{"L1", 24u << 10}, {"L2", 288u << 10}, {"L3 (1 MB)", 960u << 10}, {"L3 (8 MB)", 8u << 20}, {"DRAM", 384u << 20}};
    for (size_t i = 0; i < sizeof set / sizeof *set; i++) {
        run_mem_one(threads, "triad", set[i].bytes, set[i].level);
        run_mem_one(threads, "read", set[i].bytes, set[i].level);
    }
}

/* ---- gemm --------------------------------------------------------------- */

#ifdef OPENBLAS
static void run_shape(int threads, const char *net, const char *op, int ta, int tb, int m, int n, int k) {
    float *a = floats((size_t)m * k, 1e-3f), *b = floats((size_t)k * n, 1e-3f), *c = floats((size_t)m * n, 0);
    double rate[ROUNDS], flop = 2.0 * m * n * k;
    for (int r = -1; r < ROUNDS; r++) { /* the first round warms up */
        long reps = 0;
        double t = now(), e;
        do {
            cblas_sgemm(CblasRowMajor, ta ? CblasTrans : CblasNoTrans, tb ? CblasTrans : CblasNoTrans, m, n, k, 1, a,
                        ta ? m : k, b, tb ? k : n, 0, c, n);
            reps++;
        } while ((e = now() - t) < (r < 0 ? 0.002 : 0.025));
        if (r >= 0) rate[r] = 1e-9 * flop * reps / e;
    }
    char f[200];
    snprintf(f, sizeof f,
             "\"test\":\"gemm\",\"net\":\"%s\",\"op\":\"%s\","
             "\"layout\":\"%c%c\",\"m\":%d,\"n\":%d,\"k\":%d,\"threads\":%d",
             net, op, ta ? 'T' : 'N', tb ? 'T' : 'N', m, n, k, threads);
    report(f, "GFLOP/s", rate, ROUNDS);
    free(a), free(b), free(c);
}

/* The products of one dense layer; those with the weights kept [in,out] and [out,in] (as PyTorch does). */
static void run_layer(int threads, const char *net, int batch, int in, int out, int first) {
    for (int t = 0; t < 2; t++) {
        run_shape(threads, net, "forward", 0, t, batch, out, in);
        if (!first) run_shape(threads, net, "input gradient", 0, !t, batch, in, out);
    }
    run_shape(threads, net, "weight gradient", 1, 0, in, out, batch);
}
#endif

static void run_gemm(int threads) {
#ifdef OPENBLAS
    static const int batches[] = {32, 128, 512}, size[] = {784, 256, 128, 10};
    openblas_set_num_threads(threads);
    for (int i = 0; i < 3; i++) {
        char net[16];
        snprintf(net, sizeof net, "mnist%d", batches[i]);
        for (int l = 0; l < 3; l++) run_layer(threads, net, batches[i], size[l], size[l + 1], l == 0);
    }
    for (int i = 0; i < 3; i++)
        for (int tb = 0; tb < 2; tb++) run_shape(threads, "infer1024", "forward", 0, tb, 1024, size[i + 1], size[i]);
    run_layer(threads, "wide", 256, 1024, 2048, 1);
    run_layer(threads, "wide", 256, 2048, 2048, 0);
    run_layer(threads, "wide", 256, 2048, 1024, 0);
    run_layer(threads, "wide", 256, 1024, 16, 0);
#else
    (void)threads;
#endif
}

/* ---- hand --------------------------------------------------------------- */

/* Online SGD of an I-H-O logistic network with squared error, sizes known to
 * the compiler.  Weights: hidden [H][I], output [O][H]. */
#define HAND(I, H, O)                                                                                                      \
    static float w1_##I[H][I], b1_##I[H], w2_##I[O][H], b2_##I[O];                                                         \
    __attribute__((noinline)) static void hand_##I(const float *x, const float *y, float eta) {                            \
        float h[H], d[O], g[H];                                                                                            \
        for (int j = 0; j < H; j++) {                                                                                      \
            float s = 0;                                                                                                   \
            for (int i = 0; i < I; i++) s += w1_##I[j][i] * x[i];                                                          \
            h[j] = s + b1_##I[j];                                                                                          \
        }                                                                                                                  \
        for (int j = 0; j < H; j++) h[j] = 1 / (1 + expf(-h[j]));                                                          \
        for (int k = 0; k < O; k++) {                                                                                      \
            float s = 0;                                                                                                   \
            for (int j = 0; j < H; j++) s += w2_##I[k][j] * h[j];                                                          \
            d[k] = s + b2_##I[k];                                                                                          \
        }                                                                                                                  \
        for (int k = 0; k < O; k++) d[k] = 1 / (1 + expf(-d[k]));                                                          \
        for (int k = 0; k < O; k++) d[k] = eta * (y[k] - d[k]) * d[k] * (1 - d[k]);                                        \
        for (int j = 0; j < H; j++) g[j] = 0;                                                                              \
        for (int k = 0; k < O; k++) {                                                                                      \
            for (int j = 0; j < H; j++) g[j] += d[k] * w2_##I[k][j];                                                       \
            for (int j = 0; j < H; j++) w2_##I[k][j] += d[k] * h[j];                                                       \
            b2_##I[k] += d[k];                                                                                             \
        }                                                                                                                  \
        for (int j = 0; j < H; j++) {                                                                                      \
            g[j] *= h[j] * (1 - h[j]);                                                                                     \
            b1_##I[j] += g[j];                                                                                             \
            for (int i = 0; i < I; i++) w1_##I[j][i] += g[j] * x[i];                                                       \
        }                                                                                                                  \
    }                                                                                                                      \
    static void run_hand_##I(const char *name, int rows) {                                                                 \
        float *x = floats((size_t)rows * I, 4e-3f), *y = floats((size_t)rows * O, 4e-3f), *w = floats(H * (I + O), 1e-3f); \
        double rate[ROUNDS];                                                                                               \
        memcpy(w1_##I, w, sizeof w1_##I);                                                                                  \
        memcpy(w2_##I, w + H * I, sizeof w2_##I);                                                                          \
        for (int r = 0; r < ROUNDS; r++) {                                                                                 \
            long n = 0;                                                                                                    \
            double t = now(), e;                                                                                           \
            do {                                                                                                           \
                for (int q = 0; q < 10000; q++, n++) hand_##I(x + n % rows * I, y + n % rows * O, 0.05f);                  \
            } while ((e = now() - t) < 0.3);                                                                               \
            rate[r] = n / e;                                                                                               \
        }                                                                                                                  \
        char f[64];                                                                                                        \
        snprintf(f, sizeof f, "\"test\":\"hand\",\"net\":\"%s\",\"threads\":1", name);                                     \
        report(f, "samples/s", rate, ROUNDS);                                                                              \
        free(x), free(y), free(w);                                                                                         \
    }
HAND(2, 4, 1)
HAND(64, 32, 10)

int main(int argc, char **argv) {
    int threads = argc > 2 ? atoi(argv[2]) : 1;
    if (threads < 1 || threads > 64) threads = 1;
    if (threads > 1) timer = CLOCK_MONOTONIC;
    if (argc > 1 && !strcmp(argv[1], "fma")) run_fma(threads);
    else if (argc > 1 && !strcmp(argv[1], "mem")) run_mem(threads);
    else if (argc > 1 && !strcmp(argv[1], "gemm")) run_gemm(threads);
    else if (argc > 1 && !strcmp(argv[1], "hand")) run_hand_2("xor", 4), run_hand_64("digits", 1797);
    else return fprintf(stderr, "usage: limits fma|mem|gemm|hand [THREADS]\n"), 2;
    return 0;
}
