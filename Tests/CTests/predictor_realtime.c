/* predictor_realtime.c: bp_predictor_run takes no memory, no lock and no system call, not even in a thread's first run or in a
 * run that fails. Memory is counted by heap.h, locks by the functions of this program that replace those of pthread. A thread
 * that the kernel restricts to read, write and exit shows that there are no system calls: any other one ends the thread. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "heap.h"

/* ---- Locks */

static long locks;

#define REPLACED(name, type)                                          \
    int name(type *object) {                                          \
        static int (*original)(type *);                               \
        if (!original) *(void **)&original = dlsym(RTLD_NEXT, #name); \
        __atomic_add_fetch(&locks, 1, __ATOMIC_RELAXED);              \
        return original(object);                                      \
    }
REPLACED(pthread_mutex_lock, pthread_mutex_t)
REPLACED(pthread_mutex_trylock, pthread_mutex_t)
REPLACED(pthread_spin_lock, pthread_spinlock_t)
REPLACED(pthread_rwlock_rdlock, pthread_rwlock_t)
REPLACED(pthread_rwlock_wrlock, pthread_rwlock_t)
REPLACED(pthread_cond_signal, pthread_cond_t)
REPLACED(pthread_cond_broadcast, pthread_cond_t)

/* ---- Predictors of all kinds */

static int32_t halve(const float *z, float *a, size_t rows, size_t columns, void *user_data) {
    (void)user_data;
    for (size_t i = 0; i < rows * columns; i++) a[i] = z[i] / 2;
    return 0;
}
static int32_t back(const float *z, const float *a, const float *da, float *dz, size_t rows, size_t columns, void *user_data) {
    (void)z, (void)a, (void)user_data;
    for (size_t i = 0; i < rows * columns; i++) dz[i] = da[i] / 2;
    return 0;
}
static float half(float z, void *user_data) { return (void)user_data, z / 2; }

enum { KINDS = 6, ROWS = 100, WIDE = 9000 };
static const size_t shapes[KINDS][4] = {{2, 16, 16, 1}, {2, 100, 300, 3}, {2, WIDE, 2, 1},
                                        {2, 5, 7, 1},   {2, 5, 7, 1},     {2, 9, 4, 3}};
static bp_predictor *predictors[KINDS], *freed;
static float x[ROWS * 2], expected[KINDS][ROWS * 3], found[ROWS * 3];

static void make_all(void) {
    check_fill(x, ROWS * 2, 1);
    EXPECT_OK(bp_activation_register_vector("host.vector", halve, back, NULL, NULL));
    EXPECT_OK(bp_activation_register_scalar("host.scalar", half, NULL, NULL, NULL));
    for (int kind = 0; kind < KINDS; kind++) {
        bp_network *network = check_network(shapes[kind], 4, 1);
        EXPECT_OK(bp_network_set_activation(network, 1, kind == 3 ? "host.vector" : kind == 4 ? "host.scalar" : "tanh"));
        EXPECT_OK(bp_network_set_activation(network, 3, kind == 5 ? "softmax" : "identity"));
        EXPECT_OK(bp_network_set_batchnorm(network, 2, kind % 2));
        if (kind == 5) EXPECT_OK(bp_network_fit_scaling(network, "standard", "none", x, NULL, ROWS));
        EXPECT_OK(bp_predictor_create(network, &predictors[kind]));
        EXPECT_OK(bp_network_fold_batchnorm(network));
        EXPECT_OK(bp_network_predict(network, x, ROWS, expected[kind]));
        if (kind == 0) EXPECT_OK(bp_predictor_create(network, &freed));
        bp_network_free(network);
    }
    bp_predictor_free(freed);
}

static void free_all(void) {
    EXPECT_OK(bp_activation_unregister("host.vector"));
    EXPECT_OK(bp_activation_unregister("host.scalar"));
    for (int kind = 0; kind < KINDS; kind++) bp_predictor_free(predictors[kind]);
}

/* Runs everything, and returns the number of wrong results. Makes no call of another library. */
static int run_all(void) {
    int wrong = 0;
    for (int kind = 0; kind < KINDS; kind++)
        for (size_t rows = 0; rows <= ROWS; rows = rows < 3 ? rows + 1 : rows + 97) {
            size_t count = rows * shapes[kind][3];
            wrong += bp_predictor_run(predictors[kind], x, rows, found) != BP_OK;
            for (size_t i = 0; i < count; i++) wrong += found[i] != expected[kind][i];
        }
    wrong += bp_predictor_run(freed, x, 1, found) != BP_ERROR_INVALID_HANDLE || !bp_last_error_message()[0];
    wrong += bp_predictor_run(NULL, x, 1, found) != BP_ERROR_NULL_ARGUMENT || !bp_last_error_message()[0];
    wrong += bp_predictor_run(predictors[0], NULL, 1, found) != BP_ERROR_NULL_ARGUMENT;
    wrong += bp_predictor_run(predictors[0], x, SIZE_MAX, found) != BP_ERROR_LIMIT;
    return wrong;
}

/* ---- Claims */

static long taken, locked;
static int wrong;

static void *first_run_of_a_thread(void *unused) {
    long before = __atomic_load_n(&locks, __ATOMIC_RELAXED);
    heap_watch();
    wrong = run_all();
    heap_watched = 0;
    taken = heap_calls;
    locked = __atomic_load_n(&locks, __ATOMIC_RELAXED) - before;
    return unused;
}

static void runs_take_no_memory_and_no_lock(void) {
    pthread_t thread;
    make_all();
    for (int i = 0; i < 3; i++) { /* each is a first run */
        EXPECT(pthread_create(&thread, NULL, first_run_of_a_thread, NULL) == 0);
        EXPECT(pthread_join(thread, NULL) == 0);
        EXPECT(wrong == 0);
        EXPECT(taken == 0);
        EXPECT(locked == 0);
    }
    free_all();
}

static void the_counts_see_memory_and_locks(void) {
    static const size_t sizes[] = {2, 3, 1};
    long before = locks;
    bp_network *network;
    heap_watch();
    EXPECT_OK(bp_network_create(sizes, 3, 1, &network));
    heap_watched = 0;
    EXPECT(heap_calls > 0);
    EXPECT(locks > before);
    bp_network_free(network);
}

static void *run_restricted(void *makes_call) {
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT, 0, 0, 0) != 0) _exit(2);
    int result = run_all();
    if (makes_call) (void)getppid();
    wrong = result + run_all();
    syscall(SYS_exit, 0); /* this thread; pthread_exit would use other system calls */
    return NULL;
}

/* Runs a restricted thread in a child process and returns the child's status. */
static int restricted(void *argument) {
    int status = -1;
    pid_t child = fork();
    if (child == 0) {
        pthread_t thread;
        wrong = -1;
        if (pthread_create(&thread, NULL, run_restricted, argument) != 0) _exit(3);
        pthread_join(thread, NULL);
        _exit(wrong != 0);
    }
    EXPECT(child > 0 && waitpid(child, &status, 0) == child);
    return status;
}

static void runs_make_no_system_call(void) {
    make_all();
    int status = restricted(NULL);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 2) printf("# not tried: system calls, because seccomp is not available\n");
    else {
        EXPECT(WIFEXITED(status) && WEXITSTATUS(status) == 0);
        status = restricted(&wrong);
        EXPECT(!WIFEXITED(status) || WEXITSTATUS(status) != 0); /* the restriction works */
    }
    free_all();
}

/* ---- The stack */

enum { STACK = 1 << 20 };
static uint8_t *stack;

static void *do_nothing(void *unused) { return unused; }
static void *run_one_row(void *kind) { return bp_predictor_run(predictors[*(int *)kind], x, 1, found) == BP_OK ? kind : NULL; }
static void *run_rows(void *kind) { return bp_predictor_run(predictors[*(int *)kind], x, ROWS, found) == BP_OK ? kind : NULL; }

/* The bytes of its stack that a thread writes. */
static size_t stack_of(void *(*body)(void *), int kind) {
    pthread_t thread;
    pthread_attr_t attributes;
    void *result = NULL;
    size_t untouched = 0;
    memset(stack, 0x5A, STACK);
    EXPECT(pthread_attr_init(&attributes) == 0 && pthread_attr_setstack(&attributes, stack, STACK) == 0);
    EXPECT(pthread_create(&thread, &attributes, body, &kind) == 0 && pthread_join(thread, &result) == 0 && result);
    EXPECT(pthread_attr_destroy(&attributes) == 0);
    while (untouched < STACK && stack[untouched] == 0x5A) untouched++;
    return STACK - untouched;
}

static void runs_use_no_more_stack_than_the_header_says(void) {
    stack = (uint8_t *)aligned_alloc(4096, STACK);
    if (!EXPECT(stack)) return;
    make_all();
    for (int kind = 0; kind < KINDS; kind++) {
        size_t least = stack_of(do_nothing, kind), one_row = stack_of(run_one_row, kind) - least;
        EXPECT(one_row < (kind == 0 || kind == 5 ? sizeof(void *) > 4 ? 2 : 3 : 80) * 1024);
        EXPECT(stack_of(run_rows, kind) - least < 80 * 1024);
    }
    free_all();
    free(stack);
}

int main(void) {
    CLAIM(runs_take_no_memory_and_no_lock);
    CLAIM(the_counts_see_memory_and_locks);
    CLAIM(runs_make_no_system_call);
    CLAIM(runs_use_no_more_stack_than_the_header_says);
    return check_end();
}
