/* workers.h: workers of one training as threads of this process. Their engine is a barrier and a sum: it adds in the order of the
 * workers. No worker waits for ever: if another one has ended, or makes another exchange, the engine fails with ALONE. */
#ifndef WORKERS_H
#define WORKERS_H

#include <pthread.h>

#include "activations.h"
#include "check.h"

enum { MOST_WORKERS = 8, ALONE = 99, BROKEN = 7 };

typedef struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int workers, arrived, left, failed;
    size_t generation;
    size_t exchanges; /* made so far */
    size_t break_at;  /* the exchange that the engine fails, counted from 1; 0 for none */
    int was_alone;    /* a worker waited for one that had ended, or whose exchange was another */
    void *values[MOST_WORKERS];
    size_t counts[MOST_WORKERS];
    int32_t types[MOST_WORKERS], operations[MOST_WORKERS];
} team;

typedef struct worker {
    team *team;
    int index;
    void *context; /* of the test */
    bp_network *network;
    int32_t status;
    double loss;
    char message[300];
    void (*body)(struct worker *);
} worker;

static void team_combine(team *t) {
    const size_t count = t->counts[0];
    for (size_t i = 0; i < count; i++) {
        if (t->types[0] == BP_FLOAT) {
            float result = ((float *)t->values[0])[i];
            for (int k = 1; k < t->workers; k++) {
                const float other = ((float *)t->values[k])[i];
                result = t->operations[0] == BP_REDUCE_SUM ? result + other : other > result ? other : result;
            }
            for (int k = 0; k < t->workers; k++) ((float *)t->values[k])[i] = result;
        } else {
            double result = ((double *)t->values[0])[i];
            for (int k = 1; k < t->workers; k++) {
                const double other = ((double *)t->values[k])[i];
                result = t->operations[0] == BP_REDUCE_SUM ? result + other : other > result ? other : result;
            }
            for (int k = 0; k < t->workers; k++) ((double *)t->values[k])[i] = result;
        }
    }
}

static int32_t team_all_reduce(void *values, size_t count, int32_t type, int32_t operation, void *user_data) {
    worker *own = (worker *)user_data;
    team *t = own->team;
    int32_t code = 0;
    pthread_mutex_lock(&t->lock);
    t->values[own->index] = values, t->counts[own->index] = count;
    t->types[own->index] = type, t->operations[own->index] = operation;
    if (++t->arrived == t->workers) {
        t->arrived = 0, t->generation++, t->exchanges++;
        for (int k = 1; k < t->workers; k++)
            if (t->counts[k] != count || t->types[k] != type || t->operations[k] != operation) t->was_alone = 1;
        if (t->was_alone) t->failed = ALONE;
        else if (t->exchanges == t->break_at) t->failed = BROKEN;
        else team_combine(t);
        pthread_cond_broadcast(&t->changed);
    } else {
        const size_t generation = t->generation;
        while (t->generation == generation && t->left == 0 && !t->was_alone) pthread_cond_wait(&t->changed, &t->lock);
        if (t->generation == generation) {
            t->was_alone = 1, t->failed = ALONE;
            pthread_cond_broadcast(&t->changed);
        }
    }
    code = t->failed;
    pthread_mutex_unlock(&t->lock);
    return code;
}

static void *team_run_worker(void *argument) {
    worker *own = (worker *)argument;
    own->body(own);
    if (own->status < 0) strncpy(own->message, bp_last_error_message(), sizeof own->message - 1);
    pthread_mutex_lock(&own->team->lock);
    own->team->left++;
    pthread_cond_broadcast(&own->team->changed);
    pthread_mutex_unlock(&own->team->lock);
    return NULL;
}

/* Runs body on each worker, as a thread, with a copy of the network whose all-reduce is that of the team. The caller frees the
 * networks with team_free. break_at: see team. */
static void team_run(team *t, worker *members, int workers, const bp_network *network, void (*body)(worker *), void *context,
                     size_t break_at) {
    pthread_t threads[MOST_WORKERS];
    memset(t, 0, sizeof *t);
    pthread_mutex_init(&t->lock, NULL);
    pthread_cond_init(&t->changed, NULL);
    t->workers = workers, t->break_at = break_at;
    memset(members, 0, sizeof *members * (size_t)workers);
    for (int k = 0; k < workers; k++) {
        worker *own = &members[k];
        own->team = t, own->index = k, own->context = context, own->body = body;
        EXPECT_OK(bp_network_clone(network, &own->network));
        EXPECT_OK(bp_network_set_all_reduce(own->network, team_all_reduce, (size_t)k, (size_t)workers, own));
    }
    for (int k = 0; k < workers; k++) pthread_create(&threads[k], NULL, team_run_worker, &members[k]);
    for (int k = 0; k < workers; k++) pthread_join(threads[k], NULL);
    EXPECT(!t->was_alone);
}

static void team_free(team *t, worker *members) {
    for (int k = 0; k < t->workers; k++) bp_network_free(members[k].network);
    pthread_cond_destroy(&t->changed);
    pthread_mutex_destroy(&t->lock);
}

/* Whether all workers have the same bits. */
static int team_agrees(const team *t, const worker *members) {
    for (int k = 1; k < t->workers; k++)
        if (!snapshot_equal(members[0].network, members[k].network)) return 0;
    return 1;
}

/* Callbacks that fail on one worker, in the call number `at` of its thread. */
static struct {
    pthread_t thread;
    int calls, at;
} failing;
static inline int32_t may_fail(void) {
    return pthread_equal(pthread_self(), failing.thread) && ++failing.calls == failing.at ? 42 : 0;
}
static inline int32_t failing_pass(const float *z, float *a, size_t rows, size_t columns, void *user_data) {
    return may_fail() ? 42 : pass(z, a, rows, columns, user_data);
}
static inline int32_t failing_pass_back(const float *z, const float *a, const float *da, float *dz, size_t rows, size_t columns,
                                        void *user_data) {
    return may_fail() ? 42 : pass_back(z, a, da, dz, rows, columns, user_data);
}

/* The largest difference of two networks' parameters, relative to the largest parameter. The biases below batch normalization are
 * not compared: they have no effect, and their gradient is 0 except for rounding, along which optimizers that divide it by its size
 * make steps of the size of the learning rate. */
static inline double distance(const bp_network *one, const bp_network *other) {
    const size_t count = count_of(one);
    float *a = (float *)calloc(count, sizeof(float)), *b = (float *)calloc(count, sizeof(float));
    double worst = 0, largest = 0;
    size_t layers = 0, inputs = 0, outputs = 0, at = 0;
    EXPECT_OK(bp_network_get_parameters(one, a, count));
    EXPECT_OK(bp_network_get_parameters(other, b, count));
    EXPECT_OK(bp_network_layer_count(one, &layers));
    for (size_t layer = 1; layer < layers; layer++) {
        int32_t normalized = 0;
        EXPECT_OK(bp_network_layer_size(one, layer - 1, &inputs));
        EXPECT_OK(bp_network_layer_size(one, layer, &outputs));
        EXPECT_OK(bp_network_get_batchnorm(one, layer, &normalized));
        const size_t biases = at + inputs * outputs, end = biases + outputs * (normalized ? 3 : 1);
        for (size_t i = at; i < end; i++) {
            if (normalized && i >= biases && i < biases + outputs) continue;
            worst = fmax(worst, fabs((double)a[i] - (double)b[i]));
            largest = fmax(largest, fabs((double)a[i]));
        }
        at = end;
    }
    free(a);
    free(b);
    return worst / largest;
}

#endif
