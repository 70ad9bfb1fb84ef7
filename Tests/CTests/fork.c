/* fork.c: fork while other threads of the parent, or the forking thread, are inside the library. A callback holds the other
 * thread at a known point. No call of the child waits for a thread that does not exist in the child. */
#define _POSIX_C_SOURCE 200809L
#include <pthread.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "activations.h"
#include "calls.h"
#include "trainer.h"

static const size_t sizes[] = {2, 2, 1}; /* as calls.h requires */
static const float *x = calls_inputs, *y = calls_targets;

/* ---- A thread that a callback holds until it is released */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int holding, released; /* protected by the lock */
static pthread_t held;

static void hold(void) {
    pthread_mutex_lock(&lock);
    holding = 1;
    pthread_cond_broadcast(&changed);
    while (!released) pthread_cond_wait(&changed, &lock);
    pthread_mutex_unlock(&lock);
}

static void release_held(void) {
    pthread_mutex_lock(&lock);
    released = 1;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

static void wait_for_held(void) {
    pthread_mutex_lock(&lock);
    while (!holding) pthread_cond_wait(&changed, &lock);
    pthread_mutex_unlock(&lock);
}

/* Whether a thread is held within a while. There may be no such thread. */
static int is_held_soon(void) {
    struct timespec end;
    int error = 0, is_held;
    clock_gettime(CLOCK_REALTIME, &end);
    end.tv_sec += 10;
    pthread_mutex_lock(&lock);
    while (!holding && error == 0) error = pthread_cond_timedwait(&changed, &lock, &end);
    is_held = holding;
    pthread_mutex_unlock(&lock);
    return is_held;
}

static int32_t hold_forward(const float *z, float *a, size_t rows, size_t columns, void *user_data) {
    if (pthread_equal(pthread_self(), held)) hold();
    return pass(z, a, rows, columns, user_data);
}

/* Holds any thread that shares the work. */
static int32_t hold_shared(const float *z, float *a, size_t rows, size_t columns, void *user_data) {
    hold();
    return pass(z, a, rows, columns, user_data);
}

static int32_t hold_progress(const bp_progress *progress, void *user_data) {
    (void)progress, (void)user_data;
    if (pthread_equal(pthread_self(), held)) hold();
    return 0;
}

typedef struct {
    bp_network *network;
    bp_trainer *trainer;
} subject;

static void *start_training(void *data) {
    held = pthread_self();
    bp_network_train_step(((subject *)data)->network, x, y, 0.1f, NULL);
    return NULL;
}

static void *start_predicting(void *data) {
    float output;
    held = pthread_self();
    bp_network_predict(((subject *)data)->network, x, 1, &output);
    return NULL;
}

static void *start_fitting(void *data) {
    held = pthread_self();
    bp_trainer_fit(((subject *)data)->trainer, ((subject *)data)->network, x, y, 2, NULL, NULL, 0, NULL);
    return NULL;
}

/* A network with `name` in layer 1. */
static bp_network *network_with(const char *name) {
    bp_network *network = check_network(sizes, 3, 1);
    EXPECT_OK(bp_network_set_activation(network, 1, name));
    return network;
}

/* ---- Children */

static pid_t fork_child(void) {
    pid_t pid;
    fflush(stdout);
    pid = fork();
    if (pid == 0) check_failures = 0;
    return pid;
}

static void end_child(void) {
    fflush(stdout);
    _exit(check_failures != 0);
}

static void expect_child(pid_t pid) {
    int status = -1;
    EXPECT(pid > 0 && waitpid(pid, &status, 0) == pid);
    if (!EXPECT(WIFEXITED(status) && WEXITSTATUS(status) == 0)) printf("#   the child ended with %x\n", (unsigned)status);
}

/* Forks while a thread of the parent is held inside `body`, and releases it afterwards. */
static void fork_beside(void *(*body)(void *), subject *of, void (*child)(subject *)) {
    pthread_t thread;
    pid_t pid;
    holding = released = 0;
    EXPECT(pthread_create(&thread, NULL, body, of) == 0);
    wait_for_held();
    pid = fork_child();
    if (pid == 0) {
        child(of);
        end_child();
    }
    expect_child(pid);
    release_held();
    EXPECT(pthread_join(thread, NULL) == 0);
}

/* Creates more networks than were ever freed, so that they reuse all earlier gates. */
static void create_and_use_networks(void) {
    bp_network *networks[16];
    for (int i = 0; i < 16; i++) {
        networks[i] = check_network(sizes, 3, 1);
        EXPECT_OK(calls_train_step(networks[i]));
        EXPECT_OK(calls_predict(networks[i]));
    }
    for (int i = 0; i < 16; i++) bp_network_free(networks[i]);
}

static void expect_invalid(bp_network *network) {
    for (size_t i = 0; i < NETWORK_CALLS; i++) EXPECT_ERROR(network_calls[i].call(network), BP_ERROR_INVALID_HANDLE);
    EXPECT_MESSAGE("at a fork");
    bp_network_free(network);
    bp_network_free(network);
}

/* ---- Another thread is inside a call */

static void child_finds_an_invalid_network(subject *subject) {
    expect_invalid(subject->network);
    create_and_use_networks();
    expect_invalid(subject->network); /* also after its gate is reused */
}

static void network_that_another_thread_changes_is_invalid_in_the_child(void) {
    subject subject = {network_with("hold"), NULL};
    fork_beside(start_training, &subject, child_finds_an_invalid_network);
    EXPECT_OK(calls_train_step(subject.network)); /* the parent's network still works */
    bp_network_free(subject.network);
}

static void child_uses_the_network(subject *subject) {
    bp_network *twin = network_with("hold");
    EXPECT(snapshot_equal(subject->network, twin));
    for (size_t i = 0; i < NETWORK_CALLS; i++) {
        EXPECT_OK(network_calls[i].call(subject->network));
        EXPECT_OK(network_calls[i].call(twin));
    }
    EXPECT(snapshot_equal(subject->network, twin));
    bp_network_free(subject->network);
    EXPECT_ERROR(calls_layer_count(subject->network), BP_ERROR_INVALID_HANDLE);
    create_and_use_networks();
}

static void network_that_another_thread_reads_works_in_the_child(void) {
    subject subject = {network_with("hold"), NULL};
    fork_beside(start_predicting, &subject, child_uses_the_network);
    bp_network_free(subject.network);
}

static bp_network *queued_for;

static void *queue(void *unused) {
    calls_train_step(queued_for);
    return unused;
}

/* Threads that wait at a gate hold tickets. The child must not wait for these tickets. */
static void child_does_not_wait_for_queued_threads(void *(*body)(void *), void (*child)(subject *)) {
    subject subject = {network_with("hold"), NULL};
    const struct timespec moment = {0, 50000000}; /* long enough for most threads to queue; the claim does not depend on it */
    pthread_t thread, waiting[4];
    pid_t pid;
    holding = released = 0;
    queued_for = subject.network;
    EXPECT(pthread_create(&thread, NULL, body, &subject) == 0);
    wait_for_held();
    for (int i = 0; i < 4; i++) EXPECT(pthread_create(&waiting[i], NULL, queue, NULL) == 0);
    nanosleep(&moment, NULL);
    pid = fork_child();
    if (pid == 0) {
        child(&subject);
        end_child();
    }
    expect_child(pid);
    release_held();
    pthread_join(thread, NULL);
    for (int i = 0; i < 4; i++) pthread_join(waiting[i], NULL);
    bp_network_free(subject.network);
}

static void child_does_not_wait_for_threads_queued_behind_a_writer(void) {
    child_does_not_wait_for_queued_threads(start_training, child_finds_an_invalid_network);
}

static void child_does_not_wait_for_threads_queued_behind_a_reader(void) {
    child_does_not_wait_for_queued_threads(start_predicting, child_uses_the_network);
}

/* ---- A fit on another thread */

static void child_finds_an_idle_trainer(subject *subject) {
    bp_network *network = check_network(sizes, 3, 2);
    double value = 0;
    expect_invalid(subject->network);
    EXPECT_OK(bp_trainer_get_option(subject->trainer, "epochs", &value));
    EXPECT(value == 3);
    EXPECT_OK(bp_trainer_cancel(subject->trainer));
    EXPECT_OK(bp_trainer_set_option(subject->trainer, "epochs", 2));
    EXPECT_OK(bp_trainer_fit(subject->trainer, network, x, y, 2, NULL, NULL, 0, NULL));
    EXPECT_ERROR(bp_trainer_fit(subject->trainer, subject->network, x, y, 2, NULL, NULL, 0, NULL), BP_ERROR_INVALID_HANDLE);
    bp_trainer_free(subject->trainer);
    bp_network_free(network);
    create_and_use_networks();
}

/* Held between two steps: no thread is inside the network's gate. */
static void fork_during_a_fit_leaves_an_invalid_network_and_an_idle_trainer(void) {
    subject subject = {check_network(sizes, 3, 1), trainer_with("epochs=3")};
    EXPECT_OK(bp_trainer_set_progress(subject.trainer, hold_progress, NULL));
    fork_beside(start_fitting, &subject, child_finds_an_idle_trainer);
    EXPECT_OK(calls_train_step(subject.network));
    bp_network_free(subject.network);
    bp_trainer_free(subject.trainer);
}

/* Held within a step. */
static void fork_during_a_step_of_a_fit_has_the_same_result(void) {
    subject subject = {network_with("hold"), trainer_with("epochs=3")};
    fork_beside(start_fitting, &subject, child_finds_an_idle_trainer);
    bp_network_free(subject.network);
    bp_trainer_free(subject.trainer);
}

/* ---- A registered loss */

static const float three_targets[6] = {0.25f, 0.5f, 0.75f, 1, 0, 0.125f}; /* of two rows */

static int32_t hold_loss(const float *outputs, const float *targets, double *losses, float *gradients, size_t rows,
                         size_t output_count, size_t target_columns, void *user_data) {
    if (pthread_equal(pthread_self(), held)) hold();
    (void)user_data;
    EXPECT(output_count == 1 && target_columns == 3);
    for (size_t row = 0; row < rows; row++) {
        const float e = outputs[row] - targets[3 * row + 1];
        losses[row] = (double)(e * e) / 2;
        if (gradients) gradients[row] = e;
    }
    return 0;
}

static void *start_fitting_with_a_loss(void *data) {
    held = pthread_self();
    bp_trainer_fit(((subject *)data)->trainer, ((subject *)data)->network, x, three_targets, 2, NULL, NULL, 0, NULL);
    return NULL;
}

static void child_uses_the_loss(subject *subject) {
    bp_network *network = check_network(sizes, 3, 1);
    float loss;
    expect_invalid(subject->network);
    EXPECT_OK(bp_network_set_loss(network, "hold.loss"));
    EXPECT_OK(bp_network_evaluate(network, x, three_targets, 2, &loss));
    EXPECT_OK(bp_trainer_fit(subject->trainer, network, x, three_targets, 2, x, three_targets, 2, NULL));
    EXPECT_OK(bp_loss_unregister("hold.loss"));
    EXPECT_OK(bp_network_train_step(network, x, three_targets, 0.1f, &loss));
    bp_network_free(network);
    bp_trainer_free(subject->trainer);
}

static void fork_while_a_loss_runs_leaves_a_loss_that_the_child_can_use(void) {
    subject subject = {check_network(sizes, 3, 1), trainer_with("epochs=3")};
    EXPECT_OK(bp_loss_register("hold.loss", 3, hold_loss, NULL, NULL));
    EXPECT_OK(bp_network_set_loss(subject.network, "hold.loss"));
    fork_beside(start_fitting_with_a_loss, &subject, child_uses_the_loss);
    EXPECT_OK(bp_loss_unregister("hold.loss"));
    EXPECT_OK(bp_network_train_step(subject.network, x, three_targets, 0.1f, NULL));
    bp_network_free(subject.network);
    bp_trainer_free(subject.trainer);
}

/* ---- The forking thread is inside a call */

static pid_t forked; /* 0 in the child */
static int forks_left;
static bp_network *forked_in;

static int32_t fork_forward(const float *z, float *a, size_t rows, size_t columns, void *user_data) {
    if (forks_left > 0) {
        forks_left--;
        forked = fork_child();
    }
    if (forked == 0) { /* in the child, this thread is still inside the call */
        EXPECT_ERROR(calls_train_step(forked_in), BP_ERROR_BUSY);
        create_and_use_networks();
    }
    return pass(z, a, rows, columns, user_data);
}

static void call_continues_in_the_child_that_its_callback_forked(int trains) {
    float output = 0, expected = 0;
    bp_network *network = network_with("fork"), *twin = network_with("pass");
    forked_in = network;
    forks_left = 1;
    forked = -1;
    EXPECT_OK(trains ? bp_network_train_step(network, x, y, 0.1f, &output) : bp_network_predict(network, x, 1, &output));
    if (forked > 0) {
        expect_child(forked);
        forked = -1;
    }
    EXPECT_OK(trains ? bp_network_train_step(twin, x, y, 0.1f, &expected) : bp_network_predict(twin, x, 1, &expected));
    EXPECT(output == expected && expected != 0);
    EXPECT_OK(bp_network_set_activation(network, 1, "pass")); /* no thread is inside the call any more */
    EXPECT(snapshot_equal(network, twin));
    bp_network_free(network);
    EXPECT_ERROR(calls_layer_count(network), BP_ERROR_INVALID_HANDLE);
    if (forked == 0) end_child();
    bp_network_free(twin);
}

static void training_continues_in_the_child_that_its_callback_forked(void) {
    call_continues_in_the_child_that_its_callback_forked(1);
}

static void prediction_continues_in_the_child_that_its_callback_forked(void) {
    call_continues_in_the_child_that_its_callback_forked(0);
}

static int32_t fork_progress(const bp_progress *progress, void *user_data) {
    (void)user_data;
    if (progress->epoch == 2) forked = fork_child();
    if (forked == 0) {
        EXPECT_OK(calls_predict(forked_in));
        EXPECT_ERROR(calls_train_step(forked_in), BP_ERROR_BUSY);
    }
    return 0;
}

static void fit_continues_in_the_child_that_its_progress_function_forked(void) {
    bp_network *network = check_network(sizes, 3, 1), *twin = check_network(sizes, 3, 1);
    bp_trainer *trainer = trainer_with("epochs=4");
    EXPECT_OK(bp_trainer_fit(trainer, twin, x, y, 2, NULL, NULL, 0, NULL));
    EXPECT_OK(bp_trainer_set_progress(trainer, fork_progress, NULL));
    forked_in = network;
    forked = -1;
    EXPECT_OK(bp_trainer_fit(trainer, network, x, y, 2, NULL, NULL, 0, NULL));
    if (forked > 0) {
        expect_child(forked);
        forked = -1;
    }
    EXPECT(snapshot_equal(network, twin));
    EXPECT_OK(calls_train_step(network));
    EXPECT_OK(bp_trainer_set_option(trainer, "epochs", 2));
    bp_network_free(network);
    bp_trainer_free(trainer);
    if (forked == 0) end_child();
    bp_network_free(twin);
}

/* ---- The library's threads */

enum { WIDTH = 200, ROWS = 400 };
static const size_t large[] = {WIDTH, WIDTH, WIDTH, 4};
static float large_x[ROWS * WIDTH], large_y[ROWS * 4], large_outputs[ROWS * 4];
static float expected_outputs[ROWS * 4];

static bp_network *large_network(const char *name) {
    bp_network *network = check_network(large, 4, 1);
    EXPECT_OK(bp_network_set_activation(network, 1, name));
    return network;
}

/* Work that is shared among threads. Its results must have the same bits as in the parent. */
static void use_a_new_team(void) {
    bp_network *network = large_network("pass");
    EXPECT_OK(bp_network_predict(network, large_x, ROWS, large_outputs));
    EXPECT(memcmp(large_outputs, expected_outputs, sizeof large_outputs) == 0);
    EXPECT_OK(bp_network_train_minibatch(network, large_x, large_y, ROWS, 1e-4f, NULL));
    bp_network_free(network);
}

static void child_uses_a_new_team(subject *subject) {
    expect_invalid(subject->network);
    use_a_new_team();
}

static void *start_large_training(void *data) {
    bp_network_train_minibatch(((subject *)data)->network, large_x, large_y, ROWS, 1e-4f, NULL);
    return NULL;
}

static void shared_work_of_another_thread_does_not_block_the_child(void) {
    subject subject = {large_network("hold-shared"), NULL};
    fork_beside(start_large_training, &subject, child_uses_a_new_team);
    bp_network_free(subject.network);
}

/* While the calling thread forks in a callback, a thread of the library is held in another callback, or the reverse. With one
 * processor there is no such thread. */
enum { CALLER_FORKS, HELPER_FORKS, HELPER_RETURNS };
static int scenario, helper_is_held;
static pthread_t caller;

static int32_t fork_shared(const float *z, float *a, size_t rows, size_t columns, void *user_data) {
    int is_caller = pthread_equal(pthread_self(), caller) != 0, first = 0;
    if (forked == 0) return pass(z, a, rows, columns, user_data);
    pthread_mutex_lock(&lock);
    if (forks_left > 0 && is_caller == (scenario == CALLER_FORKS)) first = 1, forks_left = 0;
    pthread_mutex_unlock(&lock);
    if (first) {
        pid_t pid;
        int other = is_held_soon();
        pthread_mutex_lock(&lock);
        helper_is_held = other;
        pthread_mutex_unlock(&lock);
        pid = fork_child();
        if (pid == 0) {
            forked = 0;
            if (!is_caller && scenario == HELPER_FORKS) { /* the child ends in the callback */
                expect_invalid(forked_in);
                use_a_new_team();
                end_child();
            }
        } else {
            forked = pid;
            expect_child(pid);
            release_held();
        }
    } else if (is_caller != (scenario == CALLER_FORKS)) {
        hold();
    }
    return pass(z, a, rows, columns, user_data);
}

/* Checks the status of the call in the child, in the thread that forked. */
enum { PREDICTS, TRAINS, RESTARTS };
static void call_that_lost_its_helpers_fails(int what) {
    bp_network *network = large_network("fork-shared");
    bp_trainer *trainer = trainer_with("epochs=1 restarts=4");
    int32_t status;
    caller = pthread_self();
    forked_in = network;
    scenario = CALLER_FORKS;
    forks_left = 1;
    forked = -1;
    helper_is_held = holding = released = 0;
    status = what == TRAINS ? bp_network_train_minibatch(network, large_x, large_y, ROWS, 1e-4f, NULL)
        : what == PREDICTS  ? bp_network_predict(network, large_x, ROWS, large_outputs)
                            : bp_trainer_fit(trainer, network, large_x, large_y, ROWS, NULL, NULL, 0, NULL);
    release_held();
    if (forked != 0) {
        EXPECT_OK(status);
    } else if (helper_is_held) {
        EXPECT_ERROR(status, BP_ERROR_INVALID_HANDLE);
        if (what == TRAINS) {
            expect_invalid(network);
        } else { /* a call that reads does not invalidate the network */
            EXPECT_OK(bp_network_set_activation(network, 1, "pass"));
            EXPECT_OK(bp_network_predict(network, large_x, ROWS, large_outputs));
            EXPECT(memcmp(large_outputs, expected_outputs, sizeof large_outputs) == 0);
        }
    }
    if (forked == 0) {
        use_a_new_team();
        end_child();
    }
    bp_network_free(network);
    bp_trainer_free(trainer);
}

static void training_that_lost_its_helpers_at_a_fork_fails_in_the_child(void) { call_that_lost_its_helpers_fails(TRAINS); }
static void prediction_that_lost_its_helpers_at_a_fork_fails_in_the_child(void) { call_that_lost_its_helpers_fails(PREDICTS); }
static void restarts_that_lost_their_helpers_at_a_fork_fail_in_the_child(void) { call_that_lost_its_helpers_fails(RESTARTS); }

/* The child does not have the thread that made the call. It can end in the callback, or return from the callback, which ends
 * the child. */
static void child_that_a_helper_forks_ends(void) {
    /* A child that ends because its only thread ends makes ThreadSanitizer fail, and leaks what the missing thread allocated. */
    int last = UNDER_SANITIZER ? HELPER_FORKS : HELPER_RETURNS;
    for (scenario = HELPER_FORKS; scenario <= last; scenario++) {
        bp_network *network = large_network("fork-shared");
        caller = pthread_self();
        forked_in = network;
        forks_left = 1;
        forked = -1;
        helper_is_held = holding = 0;
        released = bp_thread_count() < 2 || sysconf(_SC_NPROCESSORS_ONLN) < 2; /* no helper will be held */
        EXPECT_OK(bp_network_train_minibatch(network, large_x, large_y, ROWS, 1e-4f, NULL));
        bp_network_free(network);
    }
}

/* ---- Calls that are refused because of a fit */

static int stop;

static void *change_during_a_fit(void *data) {
    while (!__atomic_load_n(&stop, __ATOMIC_ACQUIRE)) {
        bp_network_set_option(((subject *)data)->network, "momentum", 0.5);
        bp_trainer_set_option(((subject *)data)->trainer, "epochs", 4);
    }
    return NULL;
}

static int32_t fork_in_every_epoch(const bp_progress *progress, void *user_data) {
    subject *fitted = (subject *)user_data;
    (void)progress;
    for (int i = 0; i < 10; i++) {
        pid_t pid = fork_child();
        if (pid == 0) {
            size_t count;
            EXPECT_OK(bp_network_parameter_count(fitted->network, &count));
            EXPECT_ERROR(bp_trainer_set_option(fitted->trainer, "epochs", 4), BP_ERROR_BUSY);
            end_child();
        }
        expect_child(pid);
    }
    return 0;
}

static void refused_calls_of_another_thread_do_not_invalidate_what_the_forking_thread_fits(void) {
    subject fitted = {check_network(sizes, 3, 1), trainer_with("epochs=4")};
    pthread_t thread;
    EXPECT_OK(bp_trainer_set_progress(fitted.trainer, fork_in_every_epoch, &fitted));
    __atomic_store_n(&stop, 0, __ATOMIC_RELEASE);
    EXPECT(pthread_create(&thread, NULL, change_during_a_fit, &fitted) == 0);
    EXPECT_OK(bp_trainer_fit(fitted.trainer, fitted.network, x, y, 2, NULL, NULL, 0, NULL));
    __atomic_store_n(&stop, 1, __ATOMIC_RELEASE);
    EXPECT(pthread_join(thread, NULL) == 0);
    bp_network_free(fitted.network);
    bp_trainer_free(fitted.trainer);
}

/* ---- Locks */

static void *register_and_create(void *unused) {
    while (!__atomic_load_n(&stop, __ATOMIC_ACQUIRE)) {
        bp_network *network = NULL;
        bp_activation_register_scalar("comes.and.goes", bend, bend_slope, NULL, NULL);
        if (bp_network_create(sizes, 3, 1, &network) == BP_OK) calls_train_step(network);
        bp_network_set_loss(network, "no such loss");
        bp_network_free(network);
        bp_activation_unregister("comes.and.goes");
    }
    return unused;
}

static void locks_are_free_in_the_child(void) {
    pthread_t threads[3];
    __atomic_store_n(&stop, 0, __ATOMIC_RELEASE);
    for (int i = 0; i < 3; i++) EXPECT(pthread_create(&threads[i], NULL, register_and_create, NULL) == 0);
    for (int i = 0; i < 60; i++) {
        pid_t pid = fork_child();
        if (pid == 0) {
            EXPECT_OK(bp_activation_register_scalar("child", bend, bend_slope, NULL, NULL));
            create_and_use_networks();
            EXPECT_OK(bp_activation_unregister("child"));
            end_child();
        }
        expect_child(pid);
    }
    __atomic_store_n(&stop, 1, __ATOMIC_RELEASE);
    for (int i = 0; i < 3; i++) EXPECT(pthread_join(threads[i], NULL) == 0);
}

int main(void) {
    bp_network *network;
    check_fill(large_x, ROWS * WIDTH, 1);
    check_fill(large_y, ROWS * 4, 2);
    for (int i = 0; i < ROWS * 4; i++) large_y[i] = fabsf(large_y[i]); /* in the range of logistic */
    EXPECT_OK(bp_activation_register_vector("pass", pass, pass_back, NULL, NULL));
    EXPECT_OK(bp_activation_register_vector("hold", hold_forward, pass_back, NULL, NULL));
    EXPECT_OK(bp_activation_register_vector("hold-shared", hold_shared, pass_back, NULL, NULL));
    EXPECT_OK(bp_activation_register_vector("fork", fork_forward, pass_back, NULL, NULL));
    EXPECT_OK(bp_activation_register_vector("fork-shared", fork_shared, pass_back, NULL, NULL));
    EXPECT_OK(bp_activation_set_thread_safe("pass", 1));
    EXPECT_OK(bp_activation_set_thread_safe("hold-shared", 1));
    EXPECT_OK(bp_activation_set_thread_safe("fork-shared", 1));
    network = large_network("pass");
    EXPECT_OK(bp_network_predict(network, large_x, ROWS, expected_outputs));
    bp_network_free(network);
    CLAIM(network_that_another_thread_changes_is_invalid_in_the_child);
    CLAIM(network_that_another_thread_reads_works_in_the_child);
    CLAIM(child_does_not_wait_for_threads_queued_behind_a_writer);
    CLAIM(child_does_not_wait_for_threads_queued_behind_a_reader);
    CLAIM(fork_during_a_fit_leaves_an_invalid_network_and_an_idle_trainer);
    CLAIM(fork_during_a_step_of_a_fit_has_the_same_result);
    CLAIM(fork_while_a_loss_runs_leaves_a_loss_that_the_child_can_use);
    CLAIM(training_continues_in_the_child_that_its_callback_forked);
    CLAIM(prediction_continues_in_the_child_that_its_callback_forked);
    CLAIM(fit_continues_in_the_child_that_its_progress_function_forked);
    CLAIM(shared_work_of_another_thread_does_not_block_the_child);
    CLAIM(training_that_lost_its_helpers_at_a_fork_fails_in_the_child);
    CLAIM(prediction_that_lost_its_helpers_at_a_fork_fails_in_the_child);
    CLAIM(restarts_that_lost_their_helpers_at_a_fork_fail_in_the_child);
    CLAIM(child_that_a_helper_forks_ends);
    /* Here other threads run freely while one forks. A lock that is not the library's may then stay locked in the child: one of
     * a sanitizer, such as AddressSanitizer's around dlopen, or of Swift's runtime, which the builds for sanitizers have. */
    if (!UNDER_SANITIZER) {
        CLAIM(refused_calls_of_another_thread_do_not_invalidate_what_the_forking_thread_fits);
        CLAIM(locks_are_free_in_the_child);
    }
    return check_end();
}
