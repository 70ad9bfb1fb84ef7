/* callbacks.h: the host's callbacks, correct and faulty. The user_data of a callback is a cookie, which sets its behaviour. */
#ifndef CALLBACKS_H
#define CALLBACKS_H

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "signature.h"
#include "source.h"

enum { BEND, IDENTITY, STEEP, FAIL, GIVE_NAN, GIVE_INFINITY, COME_BACK, BEHAVIOURS };

typedef struct cookie {
    uint8_t behaviour;
    uint8_t registered; /* with a destroy, which must be called once */
    uint8_t destroyed;
    struct cookie *next;
} cookie;

static cookie *cookies; /* of this run */
static const char *current_call = "";

static pthread_t main_thread; /* callbacks that are declared thread-safe run on others too */

static void breach(const char *what) {
    fprintf(stderr, "BREACH in %s: %s (%s)\n", current_call, what, bp_last_error_message());
    abort();
}

/* Makes the next call of the input; defined in calls.c. */
static void come_back(void);

static cookie *new_cookie(uint8_t behaviour) {
    cookie *made = (cookie *)calloc(1, sizeof *made);
    if (!made) exit(2);
    made->behaviour = behaviour % BEHAVIOURS;
    made->next = cookies;
    return cookies = made;
}

/* The behaviour of a callback. */
static int behaviour(void *user_data) {
    cookie *own = (cookie *)user_data;
    if (!own) return IDENTITY;
    if (own->destroyed) breach("a callback is called after its destroy");
    if (own->behaviour == COME_BACK && pthread_equal(pthread_self(), main_thread)) come_back();
    return own->behaviour;
}

static float bent(float z, int kind) {
    switch (kind) {
    case BEND: return z / (1 + fabsf(z));
    case STEEP: return z * 1e30f;
    case GIVE_NAN: return NAN;
    case GIVE_INFINITY: return INFINITY;
    default: return z;
    }
}

static float scalar(float z, void *user_data) { return bent(z, behaviour(user_data)); }

static float scalar_derivative(float z, float a, void *user_data) {
    (void)z;
    return bent(1 - fabsf(a), behaviour(user_data));
}

static int32_t vector_forward(const float *z, float *a, size_t rows, size_t columns, void *user_data) {
    int kind = behaviour(user_data);
    for (size_t i = 0; i < rows * columns; i++) a[i] = bent(z[i], kind);
    return kind == FAIL ? -7 : 0;
}

static int32_t vector_backward(const float *z, const float *a, const float *da, float *dz, size_t rows, size_t columns,
                               void *user_data) {
    int kind = behaviour(user_data);
    for (size_t i = 0; i < rows * columns; i++) dz[i] = bent(da[i], kind) + 0 * z[i] * a[i];
    return kind == FAIL ? 1 : 0;
}

static int32_t loss(const float *outputs, const float *targets, double *losses, float *gradients, size_t rows,
                    size_t output_count, size_t target_columns, void *user_data) {
    int kind = behaviour(user_data);
    for (size_t row = 0; row < rows; row++) {
        losses[row] = (double)(bent(outputs[row * output_count], kind) - targets[row * target_columns]);
        for (size_t k = 0; gradients && k < output_count; k++) gradients[row * output_count + k] = k == 0;
    }
    return kind == FAIL ? -7 : 0;
}

/* Registered with any signature: it ignores its other arguments. */
static double foreign(double z) { return z / 2; }

static int32_t progress(const bp_progress *now, void *user_data) {
    int kind = behaviour(user_data);
    if (now->struct_size != sizeof *now || (now->epochs && now->epoch > now->epochs) || (now->steps && now->step > now->steps))
        breach("no progress");
    return kind == FAIL ? -5 : kind == STEEP ? 1 : 0;
}

/* Fills no values but the first ones, because it does not know the sizes. Epochs have at most three minibatches. */
static int32_t next(bp_minibatch *minibatch, void *user_data) {
    int kind = behaviour(user_data);
    if (minibatch->struct_size != sizeof *minibatch || minibatch->rows) breach("no minibatch");
    minibatch->rows = minibatch->batch < 2 ? minibatch->capacity : (size_t)(minibatch->epoch % 2);
    if (minibatch->capacity) {
        minibatch->inputs[0] = bent(0.5f, kind);
        minibatch->row_weights[0] = minibatch->epoch ? 2 : 1;
    }
    if (kind == COME_BACK) minibatch->rows++;
    return kind == FAIL ? -5 : kind == STEEP && minibatch->epoch ? 1 : 0;
}

/* Of a worker that is alone; or of an engine that is broken. */
static int32_t all_reduce(void *values, size_t count, int32_t type, int32_t operation, void *user_data) {
    int kind = behaviour(user_data);
    if (!count || (type != BP_FLOAT && type != BP_DOUBLE) || (operation != BP_REDUCE_SUM && operation != BP_REDUCE_MAXIMUM))
        breach("no exchange");
    if (kind == GIVE_NAN || kind == GIVE_INFINITY || kind == STEEP)
        for (size_t i = kind == STEEP ? count / 2 : 0; i < count; i++) {
            if (type == BP_FLOAT) ((float *)values)[i] = kind == GIVE_NAN ? NAN : 3e38f;
            else ((double *)values)[i] = kind == GIVE_NAN ? (double)NAN : 1e300;
        }
    return kind == FAIL ? -7 : 0;
}

/* Of what all_reduce has started: nothing is left. */
static int32_t finish(void *user_data) { return behaviour(user_data) == FAIL ? -8 : 0; }

static void destroy(void *user_data) {
    cookie *own = (cookie *)user_data;
    if (!own) return;
    if (own->destroyed) breach("destroy is called twice");
    if (!own->registered) breach("destroy is called though registering failed");
    if (own->behaviour == COME_BACK) come_back();
    own->destroyed = 1;
}

/* A function of each callback type. */
static const struct {
    const char *type;
    void (*function)(void);
} callbacks[] = {
    {"bp_scalar_fn", (void (*)(void))scalar},
    {"bp_scalar_derivative_fn", (void (*)(void))scalar_derivative},
    {"bp_vector_forward_fn", (void (*)(void))vector_forward},
    {"bp_vector_backward_fn", (void (*)(void))vector_backward},
    {"bp_loss_fn", (void (*)(void))loss},
    {"bp_foreign_fn", (void (*)(void))foreign},
    {"bp_progress_fn", (void (*)(void))progress},
    {"bp_next_fn", (void (*)(void))next},
    {"bp_all_reduce_fn", (void (*)(void))all_reduce},
    {"bp_all_reduce_finish_fn", (void (*)(void))finish},
    {"bp_destroy_fn", (void (*)(void))destroy},
};

#endif
