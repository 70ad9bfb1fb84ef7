/* The C side of the benchmark protocol of bench.py: a worker is a program that
 * reads commands on stdin and answers each with one line on stdout.
 *
 *   prep NAME KIND BATCH THREADS ETA HIDDEN OUTPUT BN ROWS DATA SIZE...
 *       -> "ok LOSS VARIANT" or "skip REASON"
 *       KIND is train or infer.  DATA_x.f32, DATA_y.f32 and DATA_w.f32 hold
 *       the inputs, the targets, and for each layer the weights [out][in] and
 *       then the biases: raw native float32.
 *       LOSS is the mean over all rows of half the squared error, after one
 *       epoch of plain SGD with rate ETA from those weights, rows in order
 *       (for infer: with those weights).
 *   run SECONDS -> "COUNT WALL_S CPU_S MEDIAN_US"
 *       COUNT samples were trained on (or rows inferred) in WALL_S seconds,
 *       using CPU_S seconds of processor time; for infer, MEDIAN_US is the
 *       median time of one call on BATCH rows.
 *
 * A peer defines the three functions below and includes this file once. */
#ifndef WORKER_H
#define WORKER_H
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

typedef struct {
    char name[32], kind[8], hidden[16], output[16], data[1024];
    int batch, threads, bn, rows, layers, size[16]; /* size[0 ... layers] */
    double eta;
    float *x, *y, *w;
} job;

/* Builds the network from j->w; NULL, or why this peer cannot do the job.
 * *variant names what was chosen. */
static const char *peer_prepare(const job *j, const char **variant);
/* train: n epochs over all rows.  infer: n calls on j->batch rows each. */
static void peer_run(const job *j, long n);
/* The network's outputs for rows [0, n). */
static void peer_outputs(const job *j, int n, float *out);

static double worker_now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + 1e-9 * t.tv_nsec;
}

static double worker_cpu(void) {
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return u.ru_utime.tv_sec + u.ru_stime.tv_sec + 1e-6 * (u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

static float *worker_load(const char *data, const char *suffix) {
    char path[1100];
    snprintf(path, sizeof path, "%s_%s.f32", data, suffix);
    FILE *f = fopen(path, "rb");
    if (!f) return NULL;
    fseek(f, 0, SEEK_END);
    long bytes = ftell(f);
    rewind(f);
    float *p = NULL;
    if (posix_memalign((void **)&p, 64, bytes + 64) || fread(p, 1, bytes, f) != (size_t)bytes) abort();
    fclose(f);
    return p;
}

static int worker_by_value(const void *a, const void *b) {
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

int main(void) {
    static char line[2048];
    static float call[1000000];
    static job j;
    int ready = 0;
    setvbuf(stdout, NULL, _IOLBF, 0);
    while (fgets(line, sizeof line, stdin)) {
        double seconds;
        int at = 0;
        if (!strncmp(line, "prep ", 5)) {
            free(j.x), free(j.y), free(j.w);
            memset(&j, 0, sizeof j);
            ready = 0;
            if (sscanf(line, "prep %31s %7s %d %d %lf %15s %15s %d %d %1023s%n", j.name, j.kind, &j.batch, &j.threads, &j.eta,
                       j.hidden, j.output, &j.bn, &j.rows, j.data, &at) != 10)
                return 1;
            j.layers = -1;
            for (char *s = line + at, *e; j.layers < 15; s = e) {
                long v = strtol(s, &e, 10);
                if (e == s) break;
                j.size[++j.layers] = (int)v;
            }
            j.x = worker_load(j.data, "x"), j.y = worker_load(j.data, "y"), j.w = worker_load(j.data, "w");
            if (!j.x || !j.y || !j.w || j.layers < 1) return 1;
            const char *variant = "-", *reason = peer_prepare(&j, &variant);
            if (reason) {
                printf("skip %s\n", reason);
                continue;
            }
            if (j.kind[0] == 't') peer_run(&j, 1);
            int out = j.size[j.layers];
            float *o = (float *)malloc(sizeof *o * out * j.rows);
            peer_outputs(&j, j.rows, o);
            double loss = 0;
            for (long i = 0; i < (long)out * j.rows; i++) loss += 0.5 * (o[i] - j.y[i]) * (o[i] - j.y[i]);
            free(o);
            printf("ok %.9g %s\n", loss / j.rows, variant);
            ready = 1;
        } else if (sscanf(line, "run %lf", &seconds) == 1 && ready) {
            double cpu = worker_cpu(), start = worker_now(), wall, median = 0;
            long count = 0, n = 1;
            if (j.kind[0] == 't') {
                for (;;) { /* grow n until one pass takes 20 ms: the clock then costs nothing */
                    double t = worker_now();
                    peer_run(&j, n);
                    count += n * j.rows;
                    double now = worker_now();
                    if ((wall = now - start) >= seconds) break;
                    if (now - t < 0.02) n *= 2;
                }
            } else {
                int calls = 0;
                for (double t = worker_now(), u;; t = u) {
                    peer_run(&j, 1);
                    count += j.batch;
                    u = worker_now();
                    if (calls < (int)(sizeof call / sizeof *call)) call[calls++] = (float)(1e6 * (u - t));
                    if ((wall = u - start) >= seconds) break;
                }
                qsort(call, calls, sizeof *call, worker_by_value);
                median = call[calls / 2];
            }
            printf("%ld %.9g %.9g %.6g\n", count, wall, worker_cpu() - cpu, median);
        } else {
            return 1;
        }
    }
    return 0;
}
#endif
