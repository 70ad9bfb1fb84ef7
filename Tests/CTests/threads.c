/* threads.c: any function can be called from any thread. Calls that change a network run alone. Results do not depend on other
 * threads. Expectations are checked on the main thread; the other threads count wrong results. */
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

/* Communication between the threads of this program. */
#define LOAD(variable) __atomic_load_n(&(variable), __ATOMIC_ACQUIRE)
#define STORE(variable, value) __atomic_store_n(&(variable), value, __ATOMIC_RELEASE)

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
        if (!EXPECT(workers[i].wrong == 0)) printf("#   %ld wrong results on thread %d\n", workers[i].wrong, (int)i);
    }
}

/* Waits until each thread has done something, without a time limit. */
static void wait_for(size_t count) {
    const struct timespec moment = {0, 1000000};
    for (size_t i = 0; i < count; i++)
        while (LOAD(workers[i].done) == 0) nanosleep(&moment, NULL);
}

/* ---- One network for each thread */

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

/* ---- One network: while a thread trains, readers see only states between two steps */

enum { STEPS = 400 };
static float states[STEPS + 1][ROWS * OUTPUTS], losses[STEPS + 1]; /* after each step, computed beforehand */
static int training_done;

static void *read_on(void *data) {
    worker *self = (worker *)data;
    int state = 0; /* the step number never decreases */
    while (!LOAD(training_done)) {
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
        STORE(self->done, self->done + 1);
        if (state > STEPS) {
            self->wrong++; /* not a state after a step */
            break;
        }
    }
    return NULL;
}

static void readers_see_only_complete_steps(void) {
    bp_network *network = some_network(9, "tanh"), *twin = NULL;
    EXPECT_OK(bp_network_clone(network, &twin));
    for (int step = 0; step <= STEPS; step++) {
        if (step > 0) EXPECT_OK(bp_network_train_minibatch(twin, x, y, ROWS, 0.05f, NULL));
        EXPECT_OK(bp_network_predict(twin, x, ROWS, states[step]));
        EXPECT_OK(bp_network_evaluate(twin, x, y, ROWS, &losses[step]));
    }
    STORE(training_done, 0);
    for (int i = 0; i < THREADS; i++) workers[i].network = network;
    start(0, 6, read_on);
    for (int step = 0; step < STEPS; step++) {
        const struct timespec moment = {0, 100000}; /* so that readers see many states, also with few processors */
        EXPECT_OK(bp_network_train_minibatch(network, x, y, ROWS, 0.05f, NULL));
        nanosleep(&moment, NULL);
    }
    wait_for(6);
    STORE(training_done, 1);
    finish(0, 6);
    for (int i = 0; i < 6; i++) EXPECT(workers[i].done > 0);
    EXPECT(snapshot_equal(network, twin));
    bp_network_free(network);
    bp_network_free(twin);
}

/* ---- Calls from another thread wait for a callback to end. BP_ERROR_BUSY is returned only on the callback's thread */

static int in_callback, callback_left;

static int32_t wait_a_moment(const float *z, float *a, size_t rows, size_t columns, void *user_data) {
    (void)user_data;
    memcpy(a, z, rows * columns * sizeof(float));
    if (!LOAD(in_callback)) {
        const struct timespec moment = {0, 100000000};
        STORE(in_callback, 1);
        nanosleep(&moment, NULL);
        STORE(callback_left, 1);
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
    EXPECT_OK(bp_activation_register_vector("linger", wait_a_moment, pass_back, NULL, NULL));
    network = some_network(3, "linger");
    in_callback = callback_left = 0;
    workers[0].network = network;
    start(0, 1, train_once);
    while (!LOAD(in_callback)) {
        const struct timespec moment = {0, 1000000};
        nanosleep(&moment, NULL);
    }
    EXPECT_OK(bp_network_predict(network, x, ROWS, outputs));
    EXPECT(LOAD(callback_left));
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
    STORE(writer_starts, 1);
    ((worker *)data)->wrong += bp_network_train_minibatch(waited_for, x, y, ROWS, 0.05f, NULL) != BP_OK;
    return NULL;
}

static int32_t wait_for_reader(const float *z, float *a, size_t rows, size_t columns, void *user_data) {
    const struct timespec moment = {
        0, 50000000}; /* usually long enough for the writer to queue; the claim does not depend on it */
    int *once = (int *)user_data;
    if (!LOAD(*once)) {
        STORE(*once, 1);
        start(0, 1, write_once);
        while (!LOAD(writer_starts)) nanosleep(&moment, NULL);
        nanosleep(&moment, NULL);
        for (size_t i = 1; i < 4; i++) { /* one reader after the other */
            start(i, 1, read_once);
            finish(i, 1);
        }
    }
    return pass(z, a, rows, columns, NULL);
}

static void callback_of_a_reader_can_wait_for_another_reader(void) {
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

/* Overlapping readers, each of which takes longer than a writer's first wait. The writer must still get the network. */
static int32_t wait_then_pass(const float *z, float *a, size_t rows, size_t columns, void *user_data) {
    const struct timespec moment = {0, 5000000};
    nanosleep(&moment, NULL);
    return pass(z, a, rows, columns, user_data);
}

static void *predict_on(void *data) {
    worker *self = (worker *)data;
    float outputs[ROWS * OUTPUTS];
    while (!LOAD(training_done)) {
        self->wrong += bp_network_predict(waited_for, x, ROWS, outputs) != BP_OK;
        STORE(self->done, self->done + 1);
    }
    return NULL;
}

static void overlapping_readers_do_not_block_a_writer(void) {
    EXPECT_OK(bp_activation_register_vector("long", wait_then_pass, pass_back, NULL, NULL));
    waited_for = some_network(3, "long");
    STORE(training_done, 0);
    start(0, 4, predict_on);
    wait_for(4);
    for (int step = 0; step < 5; step++) EXPECT_OK(bp_network_train_minibatch(waited_for, x, y, ROWS, 0.05f, NULL));
    STORE(training_done, 1);
    finish(0, 4);
    bp_network_free(waited_for);
    EXPECT_OK(bp_activation_unregister("long"));
}

/* ---- Handles that other threads free */

static bp_network *shared;

static void *use_shared(void *data) {
    worker *self = (worker *)data;
    while (!LOAD(training_done)) {
        float outputs[ROWS * OUTPUTS];
        bp_network *copy = NULL;
        int32_t status = self->index % 3 == 0 ? bp_network_predict(LOAD(shared), x, ROWS, outputs)
            : self->index % 3 == 1            ? bp_network_train_minibatch(LOAD(shared), x, y, ROWS, 0.05f, NULL)
                                              : bp_network_clone(LOAD(shared), &copy);
        bp_network_free(copy);
        self->wrong += status != BP_OK && status != BP_ERROR_INVALID_HANDLE;
        if (status == BP_OK) STORE(self->done, self->done + 1);
    }
    return NULL;
}

static void network_can_be_freed_while_other_threads_use_it(void) {
    STORE(training_done, 0);
    shared = some_network(1, "tanh");
    start(0, 4, use_shared);
    for (uint64_t round = 0; round < 500; round++) {
        const struct timespec moment = {0, 50000};
        bp_network *old = shared;
        nanosleep(&moment, NULL);
        if (round % 2 == 0) bp_network_free(old), bp_network_free(old);
        STORE(shared, some_network(round, "tanh"));
        if (round % 2) bp_network_free(old);
    }
    wait_for(4);
    STORE(training_done, 1);
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
        /* A name that only this thread uses: every call succeeds, and the network works after the name is unregistered. */
        self->wrong += bp_activation_register_scalar(own, bend, bend_slope, NULL, count_destroy) != BP_OK;
        network = some_network(5, own);
        self->wrong += bp_network_predict(network, x, ROWS, before) != BP_OK;
        self->wrong += bp_activation_unregister(own) != BP_OK;
        self->wrong += bp_network_predict(network, x, ROWS, after) != BP_OK || memcmp(before, after, sizeof after) != 0;
        bp_network_free(network);
        self->done++;
        /* A name that all threads register: one thread owns it at a time, and only that thread unregisters it. */
        status = bp_activation_register_scalar("contested", bend, bend_slope, NULL, count_destroy);
        if (status == BP_OK) {
            self->done++;
            self->wrong += bp_activation_unregister("contested") != BP_OK;
        } else {
            self->wrong += status != BP_ERROR_INVALID_VALUE;
        }
        self->wrong += bp_activation_name((size_t)round % 12, name, sizeof name, &needed) != BP_OK; /* a built-in activation */
    }
    return NULL;
}

static void activations_can_be_registered_and_unregistered_on_many_threads(void) {
    long registered = 0;
    char name[65];
    size_t needed;
    destroyed = 0;
    start(0, THREADS, register_own_and_contested);
    finish(0, THREADS);
    for (int i = 0; i < THREADS; i++) registered += workers[i].done;
    EXPECT(registered > THREADS * 200);
    EXPECT(destroyed == registered);                                                          /* once each */
    EXPECT_STATUS(bp_activation_name(19, name, sizeof name, &needed), BP_ERROR_UNKNOWN_NAME); /* no custom activation is left */
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

static void each_of_many_threads_has_its_own_message(void) {
    bp_network *network = some_network(1, "tanh");
    for (int i = 0; i < THREADS; i++) workers[i].network = network;
    start(0, THREADS, fail_often);
    finish(0, THREADS);
    bp_network_free(network);
}

/* ---- bp_set_thread_count while a step of several threads is in progress */

static int changes_end;

static void *change_the_thread_count(void *data) {
    worker *self = (worker *)data;
    for (size_t i = 0; !LOAD(changes_end); i++) {
        self->wrong += bp_set_thread_count(1 + i % 9) != BP_OK;
        STORE(self->done, 1);
    }
    return NULL;
}

static void thread_count_can_change_during_steps(void) {
    enum { IN = 190, OUT = 7, MANY = 48 };
    static const size_t wide[] = {IN, 260, 200, 140, OUT};
    static float inputs[MANY * IN], targets[MANY * OUT], one[2][OUT], many[2][MANY * OUT];
    bp_network *networks[2];
    check_fill(inputs, MANY * IN, 3);
    check_fill(targets, MANY * OUT, 4);
    for (int i = 0; i < 2; i++) {
        networks[i] = check_network(wide, 5, 6);
        EXPECT_OK(bp_network_set_optimizer(networks[i], "adam"));
        EXPECT_OK(bp_network_set_batchnorm(networks[i], 2, 1));
        EXPECT_OK(bp_set_thread_count(1));
        if (i == 1) {
            start(0, 1, change_the_thread_count);
            wait_for(1);
        }
        for (int step = 0; step < 60; step++) {
            EXPECT_OK(bp_network_train_minibatch(networks[i], inputs, targets, (size_t)(step % 3 + 1) * 16, 0.01f, NULL));
            EXPECT_OK(bp_network_predict(networks[i], inputs, 1, one[i]));
            EXPECT_OK(bp_network_predict(networks[i], inputs, MANY, many[i]));
        }
    }
    STORE(changes_end, 1);
    finish(0, 1);
    EXPECT_OK(bp_set_thread_count(0));
    EXPECT(snapshot_equal(networks[0], networks[1]));
    EXPECT(memcmp(one[0], one[1], sizeof one[0]) == 0 && memcmp(many[0], many[1], sizeof many[0]) == 0);
    for (int i = 0; i < 2; i++) bp_network_free(networks[i]);
}

int main(void) {
    check_fill(x, ROWS * INPUTS, 1);
    check_fill(y, ROWS * OUTPUTS, 2);
    CLAIM(networks_on_many_threads_give_the_same_bits);
    CLAIM(readers_see_only_complete_steps);
    CLAIM(another_thread_waits_for_the_callback);
    CLAIM(callback_of_a_reader_can_wait_for_another_reader);
    CLAIM(overlapping_readers_do_not_block_a_writer);
    CLAIM(network_can_be_freed_while_other_threads_use_it);
    CLAIM(activations_can_be_registered_and_unregistered_on_many_threads);
    CLAIM(each_of_many_threads_has_its_own_message);
    CLAIM(thread_count_can_change_during_steps);
    return check_end();
}
