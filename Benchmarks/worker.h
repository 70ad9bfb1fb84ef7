/* The C side of the benchmark protocol of bench.py: a worker is a program that
 * reads commands on stdin and answers each with one line on stdout.
 *
 *   prep NAME KIND BATCH THREADS ETA HIDDEN OUTPUT BN LOSS OPTIMIZER DROPOUT
 *        ROWS DATA SIZE...
 *       -> "ok LOSS VARIANT" or "skip REASON"
 *       KIND is train or infer.  DATA_x.f32, DATA_y.f32 and DATA_w.f32 hold
 *       the inputs, the targets, and for each layer the weights [out][in] and
 *       then the biases: raw native float32.  The first ROWS rows are used.
 *       LOSS is squared (half the squared error) or cross_entropy (of a
 *       softmax); OPTIMIZER is sgd or adam (0.9, 0.999, 1e-8).  The gradient
 *       is the mean over the minibatch.
 *       The answer's LOSS is the mean over all rows, without dropout, after
 *       one epoch with rate ETA from those weights, rows in order (for infer:
 *       with those weights).
 *   run SECONDS -> "COUNT WALL_S CPU_S MEDIAN_US"
 *       COUNT samples were trained on (or rows inferred) in WALL_S seconds,
 *       using CPU_S seconds of processor time; for infer, MEDIAN_US is the
 *       median time of one call on BATCH rows.
 *   start VARIANT ACCURACY EPOCHS and the words of prep after it
 *       -> "ok EPOCHS ACCURACY" or "skip REASON"
 *       Trains until the network predicts the greatest target of at least
 *       this part of the rows after ROWS, at most EPOCHS epochs.  VARIANT is
 *       for workers with several.
 *
 * A peer defines the three functions below and includes this file once. */
#ifndef WORKER_H
#define WORKER_H
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

typedef struct {
    char name[32], kind[8], hidden[16], output[16], loss[16], optimizer[8], data[1024];
    int batch, threads, bn, rows, layers, size[16]; /* size[0 ... layers] */
    double eta, dropout;
    float *x, *y, *w;
    int all_rows; /* of the data: ROWS or more */
} job;

/* Builds the network from j->w; NULL, or why this peer cannot do the job.
 * *variant names what was chosen. */
static const char *peer_prepare(const job *j, const char **variant);
/* train: n epochs over all rows.  infer: n calls on j->batch rows each. */
static void peer_run(const job *j, long n);
/* The network's outputs for n rows. */
static void peer_outputs(const job *j, const float *x, int n, float *out);

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

static float *worker_load(const char *data, const char *suffix, long *count) {
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
    *count = bytes / (long)sizeof *p;
    return p;
}

static int worker_by_value(const void *a, const void *b) {
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

/* Reads the words of prep after it; 0, or 1 when they are wrong. */
static int worker_read(job *j, const char *words) {
    int at = 0;
    long count, inputs;
    free(j->x), free(j->y), free(j->w);
    memset(j, 0, sizeof *j);
    if (sscanf(words, " %31s %7s %d %d %lf %15s %15s %d %15s %7s %lf %d %1023s%n", j->name, j->kind, &j->batch, &j->threads,
               &j->eta, j->hidden, j->output, &j->bn, j->loss, j->optimizer, &j->dropout, &j->rows, j->data, &at) != 13)
        return 1;
    j->layers = -1;
    for (const char *s = words + at; j->layers < 15;) {
        char *e;
        long v = strtol(s, &e, 10);
        if (e == s) break;
        j->size[++j->layers] = (int)v;
        s = e;
    }
    j->x = worker_load(j->data, "x", &inputs), j->y = worker_load(j->data, "y", &count),
    j->w = worker_load(j->data, "w", &count);
    if (!j->x || !j->y || !j->w || j->layers < 1) return 1;
    j->all_rows = (int)(inputs / j->size[0]);
    return 0;
}

/* The mean loss of rows [0, rows). */
static double worker_loss(const job *j) {
    const int cross_entropy = !strcmp(j->loss, "cross_entropy");
    const long n = (long)j->size[j->layers] * j->rows;
    float *o = (float *)malloc(sizeof *o * n);
    double loss = 0;
    peer_outputs(j, j->x, j->rows, o);
    for (long i = 0; i < n; i++) {
        if (!cross_entropy) loss += 0.5 * (o[i] - j->y[i]) * (o[i] - j->y[i]);
        else if (j->y[i] > 0) loss -= j->y[i] * log(o[i]);
    }
    free(o);
    return loss / j->rows;
}

/* The part of the rows after ROWS whose greatest output is where the greatest target is. */
static double worker_accuracy(const job *j) {
    const int out = j->size[j->layers], n = j->all_rows - j->rows;
    const float *y = j->y + (size_t)j->rows * out;
    float *o = (float *)malloc(sizeof *o * (size_t)n * out);
    int good = 0;
    peer_outputs(j, j->x + (size_t)j->rows * j->size[0], n, o);
    for (int i = 0; i < n; i++) {
        int best = 0, right = 0;
        for (int k = 1; k < out; k++) {
            if (o[i * out + k] > o[i * out + best]) best = k;
            if (y[i * out + k] > y[i * out + right]) right = k;
        }
        good += best == right;
    }
    free(o);
    return (double)good / n;
}

static void worker_start(const job *j, double wanted, int most) {
    double accuracy = 0;
    int epochs = 0;
    do {
        peer_run(j, 1), epochs++;
        accuracy = wanted > 0 ? worker_accuracy(j) : 0;
    } while (accuracy < wanted && epochs < most);
    printf("ok %d %.6g\n", epochs, accuracy);
}

int main(void) {
    static char line[2048];
    static float call[1000000];
    static job j;
    int ready = 0;
    setvbuf(stdout, NULL, _IOLBF, 0);
    while (fgets(line, sizeof line, stdin)) {
        double seconds, wanted = 0;
        int at = 0, most = 0;
        const int start = sscanf(line, "start %*s %lf %d%n", &wanted, &most, &at) == 2;
        if (start || !strncmp(line, "prep ", 5)) {
            ready = 0;
            if (worker_read(&j, line + (start ? at : 5))) return 1;
            const char *variant = "-", *reason = peer_prepare(&j, &variant);
            if (reason) {
                printf("skip %s\n", reason);
                continue;
            }
            if (start) {
                worker_start(&j, wanted, most);
                continue;
            }
            if (j.kind[0] == 't') peer_run(&j, 1);
            printf("ok %.9g %s\n", worker_loss(&j), variant);
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
