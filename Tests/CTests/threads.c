/* threads.c: any function from any thread; calls that change a network run alone; bits do not depend on what other
 * threads do. Expectations are checked on the main thread; the others count what they saw go wrong. */
#define _POSIX_C_SOURCE 200809L
#include <pthread.h>
#include <time.h>

#include "activations.h"
#include "check.h"

enum { THREADS = 8, INPUTS = 3, OUTPUTS = 2, ROWS = 6 };
static const size_t sizes[] = {INPUTS, 8, OUTPUTS};
static float x[ROWS * INPUTS], y[ROWS * OUTPUTS];

static bp_network *some_network(uint64_t seed, const char *activation) {
    bp_network *network = NULL;
    if (bp_network_create(sizes, 3, seed, &network) != BP_OK || bp_network_set_batchnorm(network, 1, 1) != BP_OK ||
        bp_network_set_activation(network, 1, activation) != BP_OK)
        bp_network_free(network), network = NULL;
    return network;
}

/* What threads tell each other beside the library. */
#define SEEN(variable) __atomic_load_n(&(variable), __ATOMIC_ACQUIRE)
#define TELL(variable, value) __atomic_store_n(&(variable), value, __ATOMIC_RELEASE)

typedef struct {
    pthread_t thread;
    size_t index;
    long wrong;
    long done;
    bp_network *network;
    snapshot expected;
} worker;

static worker workers[THREADS];

static void start(size_t first, size_t count, void *(*body)(void *)) {
    for (size_t i = first; i < first + count; i++) {
        workers[i].index = i;
        workers[i].wrong = workers[i].done = 0;
        EXPECT(pthread_create(&workers[i].thread, NULL, body, &workers[i]) == 0);
    }
}

static void finish(size_t first, size_t count) {
    for (size_t i = first; i < first + count; i++) {
        EXPECT(pthread_join(workers[i].thread, NULL) == 0);
        if (!EXPECT(workers[i].wrong == 0)) printf("#   %ld things wrong on thread %d\n", workers[i].wrong, (int)i);
    }
}

/* Until each has done something, however busy the machine is. */
static void wait_for(size_t count) {
    const struct timespec moment = {0, 1000000};
    for (size_t i = 0; i < count; i++)
        while (SEEN(workers[i].done) == 0) nanosleep(&moment, NULL);
}

/* ---- Networks of their own */

static void *train_own(void *data) {
    worker *self = (worker *)data;
    for (int round = 0; round < 20; round++) {
        bp_network *network = some_network(7, "bend");
        for (int step = 0; step < 50; step++)
            self->wrong += bp_network_train_minibatch(network, x, y, 1 + (size_t)step % ROWS, 0.25f, NULL) != BP_OK;
        self->wrong += !snapshot_holds(self->expected, network);
        bp_network_free(network);
    }
    return NULL;
}

static void networks_on_many_threads_give_the_same_bits(void) {
    bp_network *network;
    snapshot expected;
    EXPECT_OK(bp_activation_register_scalar("bend", bend, bend_slope, NULL, NULL));
    network = some_network(7, "bend");
    for (int step = 0; step < 50; step++)
        EXPECT_OK(bp_network_train_minibatch(network, x, y, 1 + (size_t)step % ROWS, 0.25f, NULL));
    expected = snapshot_of(network);
    for (int i = 0; i < THREADS; i++) workers[i].expected = expected;
    start(0, THREADS, train_own);
    finish(0, THREADS);
    bp_network_free(network);
    free(expected.bytes);
    EXPECT_OK(bp_activation_unregister("bend"));
}

/* ---- One network: while a thread trains, readers see the state after one step or another, never in between */

enum { STEPS = 400 };
static float states[STEPS + 1][ROWS * OUTPUTS], losses[STEPS + 1]; /* after each step, computed beforehand */
static int training_done;

static void *read_on(void *data) {
    worker *self = (worker *)data;
    int state = 0; /* steps go forward only */
    while (!SEEN(training_done)) {
        float outputs[ROWS * OUTPUTS], loss;
        if (self->index % 3 == 0) {
            self->wrong += bp_network_predict(self->network, x, ROWS, outputs) != BP_OK;
        } else if (self->index % 3 == 1) {
            self->wrong += bp_network_evaluate(self->network, x, y, ROWS, &loss) != BP_OK;
        } else {
            uint8_t bytes[8192];
            size_t count;
            bp_network *saved = NULL;
            self->wrong += bp_network_save_memory(self->network, bytes, sizeof bytes, &count) != BP_OK ||
                bp_network_load_memory(bytes, count, &saved) != BP_OK || bp_network_predict(saved, x, ROWS, outputs) != BP_OK;
            bp_network_free(saved);
        }
        while (state <= STEPS &&
               (self->index % 3 == 1 ? loss != losses[state] : memcmp(outputs, states[state], sizeof outputs) != 0))
            state++;
        TELL(self->done, self->done + 1);
        if (state > STEPS) {
            self->wrong++; /* a state that never was */
            break;
        }
    }
    return NULL;
}

static void readers_see_whole_steps_only(void) {
    bp_network *network = some_network(9, "tanh"), *twin = NULL;
    EXPECT_OK(bp_network_clone(network, &twin));
    for (int step = 0; step <= STEPS; step++) {
        if (step > 0) EXPECT_OK(bp_network_train_minibatch(twin, x, y, ROWS, 0.05f, NULL));
        EXPECT_OK(bp_network_predict(twin, x, ROWS, states[step]));
        EXPECT_OK(bp_network_evaluate(twin, x, y, ROWS, &losses[step]));
    }
    TELL(training_done, 0);
    for (int i = 0; i < THREADS; i++) workers[i].network = network;
    start(0, 6, read_on);
    for (int step = 0; step < STEPS; step++) {
        const struct timespec moment = {0, 100000}; /* so that readers get to see many states, on few processors too */
        EXPECT_OK(bp_network_train_minibatch(network, x, y, ROWS, 0.05f, NULL));
        nanosleep(&moment, NULL);
    }
    wait_for(6);
    TELL(training_done, 1);
    finish(0, 6);
    for (int i = 0; i < 6; i++) EXPECT(workers[i].done > 0);
    EXPECT(snapshot_equal(network, twin));
    bp_network_free(network);
    bp_network_free(twin);
}

/* ---- Calls from another thread wait for a callback to end; BP_ERROR_BUSY is for the callback's own thread only */

static int in_callback, callback_left;

static int32_t linger(const float *z, float *a, size_t rows, size_t columns, void *user_data) {
    (void)user_data;
    memcpy(a, z, rows * columns * sizeof(float));
    if (!SEEN(in_callback)) {
        const struct timespec moment = {0, 100000000};
        TELL(in_callback, 1);
        nanosleep(&moment, NULL);
        TELL(callback_left, 1);
    }
    return 0;
}

static void *train_once(void *data) {
    worker *self = (worker *)data;
    self->wrong += bp_network_train_minibatch(self->network, x, y, ROWS, 0.05f, NULL) != BP_OK;
    return NULL;
}

static void another_thread_waits_for_the_callback(void) {
    float outputs[ROWS * OUTPUTS];
    bp_network *network;
    EXPECT_OK(bp_activation_register_vector("linger", linger, pass_back, NULL, NULL));
    network = some_network(3, "linger");
    in_callback = callback_left = 0;
    workers[0].network = network;
    start(0, 1, train_once);
    while (!SEEN(in_callback)) {
        const struct timespec moment = {0, 1000000};
        nanosleep(&moment, NULL);
    }
    EXPECT_OK(bp_network_predict(network, x, ROWS, outputs));
    EXPECT(SEEN(callback_left));
    finish(0, 1);
    bp_network_free(network);
    EXPECT_OK(bp_activation_unregister("linger"));
}

/* ---- A callback of a const call may wait for another thread's const call, also while a writer waits */

static bp_network *waited_for;
static int writer_starts;

static void *read_once(void *data) {
    size_t count;
    ((worker *)data)->wrong += bp_network_layer_count(waited_for, &count) != BP_OK;
    return NULL;
}

static void *write_once(void *data) {
    TELL(writer_starts, 1);
    ((worker *)data)->wrong += bp_network_train_minibatch(waited_for, x, y, ROWS, 0.05f, NULL) != BP_OK;
    return NULL;
}

static int32_t wait_for_reader(const float *z, float *a, size_t rows, size_t columns, void *user_data) {
    const struct timespec moment = {0, 50000000}; /* long enough for the writer to queue, mostly; the claim holds anyway */
    int *once = (int *)user_data;
    if (!SEEN(*once)) {
        TELL(*once, 1);
        start(0, 1, write_once);
        while (!SEEN(writer_starts)) nanosleep(&moment, NULL);
        nanosleep(&moment, NULL);
        for (size_t i = 1; i < 4; i++) { /* one after the other */
            start(i, 1, read_once);
            finish(i, 1);
        }
    }
    return pass(z, a, rows, columns, NULL);
}

static void callback_of_a_reader_may_wait_for_another_reader(void) {
    int once = 0;
    float outputs[ROWS * OUTPUTS];
    EXPECT_OK(bp_activation_register_vector("wait", wait_for_reader, pass_back, &once, NULL));
    waited_for = some_network(3, "wait");
    writer_starts = 0;
    EXPECT_OK(bp_network_predict(waited_for, x, ROWS, outputs));
    finish(0, 1);
    bp_network_free(waited_for);
    EXPECT_OK(bp_activation_unregister("wait"));
}

/* Readers that always overlap, each inside for longer than a writer has patience at first, do not keep a writer out. */
static int32_t take_long(const float *z, float *a, size_t rows, size_t columns, void *user_data) {
    const struct timespec moment = {0, 5000000};
    nanosleep(&moment, NULL);
    return pass(z, a, rows, columns, user_data);
}

static void *predict_on(void *data) {
    worker *self = (worker *)data;
    float outputs[ROWS * OUTPUTS];
    while (!SEEN(training_done)) {
        self->wrong += bp_network_predict(waited_for, x, ROWS, outputs) != BP_OK;
        TELL(self->done, self->done + 1);
    }
    return NULL;
}

static void readers_that_overlap_let_a_writer_in(void) {
    EXPECT_OK(bp_activation_register_vector("long", take_long, pass_back, NULL, NULL));
    waited_for = some_network(3, "long");
    TELL(training_done, 0);
    start(0, 4, predict_on);
    wait_for(4);
    for (int step = 0; step < 5; step++) EXPECT_OK(bp_network_train_minibatch(waited_for, x, y, ROWS, 0.05f, NULL));
    TELL(training_done, 1);
    finish(0, 4);
    bp_network_free(waited_for);
    EXPECT_OK(bp_activation_unregister("long"));
}

/* ---- Handles that other threads free */

static bp_network *shared;

static void *use_shared(void *data) {
    worker *self = (worker *)data;
    while (!SEEN(training_done)) {
        float outputs[ROWS * OUTPUTS];
        bp_network *copy = NULL;
        int32_t status = self->index % 3 == 0 ? bp_network_predict(SEEN(shared), x, ROWS, outputs)
            : self->index % 3 == 1            ? bp_network_train_minibatch(SEEN(shared), x, y, ROWS, 0.05f, NULL)
                                              : bp_network_clone(SEEN(shared), &copy);
        bp_network_free(copy);
        self->wrong += status != BP_OK && status != BP_ERROR_INVALID_HANDLE;
        if (status == BP_OK) TELL(self->done, self->done + 1);
    }
    return NULL;
}

static void network_may_be_freed_while_other_threads_use_it(void) {
    TELL(training_done, 0);
    shared = some_network(1, "tanh");
    start(0, 4, use_shared);
    for (uint64_t round = 0; round < 500; round++) {
        const struct timespec moment = {0, 50000};
        bp_network *old = shared;
        nanosleep(&moment, NULL);
        if (round % 2 == 0) bp_network_free(old), bp_network_free(old);
        TELL(shared, some_network(round, "tanh"));
        if (round % 2) bp_network_free(old);
    }
    wait_for(4);
    TELL(training_done, 1);
    finish(0, 4);
    for (int i = 0; i < 4; i++) EXPECT(workers[i].done > 0);
    bp_network_free(shared);
}

/* ---- The registry */

static pthread_mutex_t count_lock = PTHREAD_MUTEX_INITIALIZER;
static long destroyed;

static void count_destroy(void *user_data) {
    (void)user_data;
    pthread_mutex_lock(&count_lock);
    destroyed++;
    pthread_mutex_unlock(&count_lock);
}

static void *register_own_and_contested(void *data) {
    worker *self = (worker *)data;
    char own[32];
    snprintf(own, sizeof own, "own.%d", (int)self->index);
    for (int round = 0; round < 200; round++) {
        bp_network *network;
        float before[ROWS * OUTPUTS], after[ROWS * OUTPUTS];
        char name[65];
        size_t needed;
        int32_t status;
        /* A name of its own: always works, and the network outlives the name. */
        self->wrong += bp_activation_register_scalar(own, bend, bend_slope, NULL, count_destroy) != BP_OK;
        network = some_network(5, own);
        self->wrong += bp_network_predict(network, x, ROWS, before) != BP_OK;
        self->wrong += bp_activation_unregister(own) != BP_OK;
        self->wrong += bp_network_predict(network, x, ROWS, after) != BP_OK || memcmp(before, after, sizeof after) != 0;
        bp_network_free(network);
        self->done++;
        /* A name all want: one thread has it at a time, and only that one may be the one to give it back. */
        status = bp_activation_register_scalar("contested", bend, bend_slope, NULL, count_destroy);
        if (status == BP_OK) {
            self->done++;
            self->wrong += bp_activation_unregister("contested") != BP_OK;
        } else {
            self->wrong += status != BP_ERROR_INVALID_VALUE;
        }
        self->wrong += bp_activation_name((size_t)round % 12, name, sizeof name, &needed) != BP_OK; /* built-in */
    }
    return NULL;
}

static void activations_come_and_go_on_many_threads(void) {
    long registered = 0;
    char name[65];
    size_t needed;
    destroyed = 0;
    start(0, THREADS, register_own_and_contested);
    finish(0, THREADS);
    for (int i = 0; i < THREADS; i++) registered += workers[i].done;
    EXPECT(registered > THREADS * 200);
    EXPECT(destroyed == registered);                                                          /* once each */
    EXPECT_STATUS(bp_activation_name(12, name, sizeof name, &needed), BP_ERROR_UNKNOWN_NAME); /* nothing is left over */
}

/* ---- Messages */

static void *fail_often(void *data) {
    worker *self = (worker *)data;
    char name[32];
    snprintf(name, sizeof name, "no.such.name.%d", (int)self->index);
    for (int round = 0; round < 2000; round++) {
        self->wrong += bp_network_set_loss(self->network, name) != BP_ERROR_UNKNOWN_NAME;
        self->wrong += strstr(bp_last_error_message(), name) == NULL;
    }
    return NULL;
}

static void messages_of_many_threads_do_not_mix(void) {
    bp_network *network = some_network(1, "tanh");
    for (int i = 0; i < THREADS; i++) workers[i].network = network;
    start(0, THREADS, fail_often);
    finish(0, THREADS);
    bp_network_free(network);
}

int main(void) {
    check_fill(x, ROWS * INPUTS, 1);
    check_fill(y, ROWS * OUTPUTS, 2);
    CLAIM(networks_on_many_threads_give_the_same_bits);
    CLAIM(readers_see_whole_steps_only);
    CLAIM(another_thread_waits_for_the_callback);
    CLAIM(callback_of_a_reader_may_wait_for_another_reader);
    CLAIM(readers_that_overlap_let_a_writer_in);
    CLAIM(network_may_be_freed_while_other_threads_use_it);
    CLAIM(activations_come_and_go_on_many_threads);
    CLAIM(messages_of_many_threads_do_not_mix);
    return check_end();
}
