/* realtime.c: RealtimeSanitizer stops the program when a nonblocking function takes memory or a lock, or makes a system call.
 * Usage: realtime run|predict. "run" runs predictors on the main thread and on a new one, while another thread trains and
 * updates; "predict" calls bp_network_predict, whose first call takes memory: the sanitizer must stop it. */
#include <backprop.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

enum { CALLS = 20000 };
static bp_network *networks[3];
static bp_predictor *predictors[3];
static float x[100 * 2], y[100 * 3];

/* One row and many rows, of narrow layers, wide layers, and with scaling; and calls that fail. */
static int run_all(void) [[clang::nonblocking]] {
    int failed = 0;
    for (int i = 0; i < 3; i++)
        for (size_t rows = 1; rows <= 100; rows += 33) failed += bp_predictor_run(predictors[i], x, rows, y) != BP_OK;
    failed += bp_predictor_run((bp_predictor *)(void *)networks[0], x, 1, y) != BP_ERROR_INVALID_HANDLE;
    return failed + (bp_predictor_run(predictors[0], NULL, 1, y) != BP_ERROR_NULL_ARGUMENT);
}

static int predict(void) [[clang::nonblocking]] { return bp_network_predict(networks[0], x, 100, y) != BP_OK; }

static void *run_often(void *failed) {
    for (int i = 0; i < CALLS / 100; i++) *(int *)failed += run_all();
    return NULL;
}

static int ended;
static void *train(void *unused) {
    while (!__atomic_load_n(&ended, __ATOMIC_ACQUIRE)) {
        (void)bp_network_train_minibatch(networks[0], x, y, 4, 0.01f, NULL);
        (void)bp_predictor_update(predictors[0], networks[0]);
    }
    return unused;
}

int main(int count, char **arguments) {
    static const size_t shapes[3][4] = {{2, 16, 16, 1}, {2, 9000, 2, 1}, {2, 300, 7, 3}};
    int failed = 0, failed_there = 0;
    pthread_t trainer, other;
    for (int i = 0; i < 200; i++) x[i] = (float)i;
    for (int i = 0; i < 3; i++) {
        failed += bp_network_create(shapes[i], 4, 1, &networks[i]) != BP_OK;
        if (i == 2) failed += bp_network_fit_scaling(networks[i], "standard", "none", x, NULL, 100) != BP_OK;
        failed += bp_predictor_create(networks[i], &predictors[i]) != BP_OK;
    }
    if (count > 1 && strcmp(arguments[1], "predict") == 0) return predict();
    failed += pthread_create(&trainer, NULL, train, NULL) != 0;
    failed += pthread_create(&other, NULL, run_often, &failed_there) != 0;
    for (int i = 0; i < CALLS; i++) failed += bp_predictor_run(predictors[0], x, 1, y) != BP_OK;
    run_often(&failed);
    __atomic_store_n(&ended, 1, __ATOMIC_RELEASE);
    pthread_join(trainer, NULL);
    pthread_join(other, NULL);
    printf("%d failed\n", failed + failed_there);
    return failed + failed_there != 0;
}
