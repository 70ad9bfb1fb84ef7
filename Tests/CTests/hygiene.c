/* hygiene.c: the library does not change the state of the process that loads it. The program opens it with dlopen, so that it
 * can compare with the state before. */
#define _GNU_SOURCE /* environ, feenableexcept */
#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <fenv.h>
#include <locale.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __x86_64__
#include <xmmintrin.h>
#endif

#include "activations.h"
#include "check.h"
#include "folder.h"

/* The functions of one copy of the library that this program uses. */
typedef struct {
    void *library;
    __typeof__(&bp_network_create) create;
    __typeof__(&bp_network_free) free;
    __typeof__(&bp_network_layer_count) layer_count;
    __typeof__(&bp_network_set_activation) set_activation;
    __typeof__(&bp_network_set_batchnorm) set_batchnorm;
    __typeof__(&bp_network_set_option) set_option;
    __typeof__(&bp_network_train_step) train_step;
    __typeof__(&bp_network_train_minibatch) train_minibatch;
    __typeof__(&bp_network_predict) predict;
    __typeof__(&bp_network_save) save;
    __typeof__(&bp_network_load) load;
    __typeof__(&bp_activation_register_scalar) register_scalar;
    __typeof__(&bp_activation_unregister) unregister;
    __typeof__(&bp_last_error_message) last_error_message;
    __typeof__(&bp_set_thread_count) set_thread_count;
} copy;

static int find(void *library, const char *name, void *function_out) {
    void *found = dlsym(library, name);
    memcpy(function_out, &found, sizeof found);
    return found != NULL;
}

static int open_library(const char *path, copy *c) {
    void *l = c->library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    return l && find(l, "bp_network_create", &c->create) && find(l, "bp_network_free", &c->free) &&
        find(l, "bp_network_layer_count", &c->layer_count) && find(l, "bp_network_set_activation", &c->set_activation) &&
        find(l, "bp_network_set_batchnorm", &c->set_batchnorm) && find(l, "bp_network_set_option", &c->set_option) &&
        find(l, "bp_network_train_step", &c->train_step) && find(l, "bp_network_train_minibatch", &c->train_minibatch) &&
        find(l, "bp_network_predict", &c->predict) && find(l, "bp_network_save", &c->save) &&
        find(l, "bp_network_load", &c->load) && find(l, "bp_activation_register_scalar", &c->register_scalar) &&
        find(l, "bp_activation_unregister", &c->unregister) && find(l, "bp_last_error_message", &c->last_error_message) &&
        find(l, "bp_set_thread_count", &c->set_thread_count);
}

static copy first;
static const char *path_of_library;

/* ---- The shared state of the process */

extern char **environ;

typedef struct {
    struct sigaction signals[65];
    sigset_t mask;
    char locale[256];
    locale_t thread_locale;
    int rounding;
    uint32_t control; /* rounding, masks, subnormal numbers */
    char **environment;
    uint32_t environment_sum;
    int descriptors, threads;
    mode_t umask;
    char folder[4096];
} process_state;

static process_state read_state(void) {
    process_state now;
    memset(&now, 0, sizeof now);
    for (int i = 1; i < 65; i++) (void)sigaction(i, NULL, &now.signals[i]);
    (void)pthread_sigmask(SIG_SETMASK, NULL, &now.mask);
    snprintf(now.locale, sizeof now.locale, "%s", setlocale(LC_ALL, NULL));
    now.thread_locale = uselocale((locale_t)0);
    now.rounding = fegetround();
#ifdef __x86_64__
    now.control = _mm_getcsr() & 0xFFC0; /* all bits except the flags that arithmetic raises */
#endif
    now.environment = environ;
    for (char **each = environ; *each; each++)
        for (char *c = *each; *c; c++) now.environment_sum = now.environment_sum * 31 + (uint8_t)*c;
    now.descriptors = entries("/proc/self/fd");
    now.threads = entries("/proc/self/task");
    umask(now.umask = umask(0));
    if (!getcwd(now.folder, sizeof now.folder)) now.folder[0] = 0;
    return now;
}

static void expect_same(const process_state *before, const process_state *after) {
    for (int i = 1; i < 65; i++)
        EXPECT(before->signals[i].sa_handler == after->signals[i].sa_handler &&
               before->signals[i].sa_flags == after->signals[i].sa_flags);
    EXPECT(memcmp(&before->mask, &after->mask, sizeof before->mask) == 0);
    EXPECT(strcmp(before->locale, after->locale) == 0);
    EXPECT(before->thread_locale == after->thread_locale);
    EXPECT(before->rounding == after->rounding && before->control == after->control);
    EXPECT(before->environment == after->environment && before->environment_sum == after->environment_sum);
    EXPECT(before->descriptors == after->descriptors);
    EXPECT(before->threads == after->threads);
    EXPECT(before->umask == after->umask && strcmp(before->folder, after->folder) == 0);
}

/* ---- Calls of a host */

enum { WIDE = 300, ROWS = 64 };
static const size_t sizes[] = {3, 5, 2}, wide[] = {WIDE, WIDE, WIDE};
static float x[ROWS * WIDE], y[ROWS * WIDE], out[ROWS * WIDE];

/* Makes calls of all kinds that are too small for threads. Returns whether all succeeded. */
static int use(const copy *c) {
    bp_network *network = NULL, *loaded = NULL;
    int right = c->create(sizes, 3, 1, &network) == BP_OK && c->set_batchnorm(network, 1, 1) == BP_OK &&
        c->register_scalar("bend", bend, NULL, NULL, NULL) == BP_OK && c->set_activation(network, 2, "bend") == BP_OK &&
        c->train_step(network, x, y, 0.1f, NULL) == BP_OK && c->train_minibatch(network, x, y, 8, 0.1f, NULL) == BP_OK &&
        c->predict(network, x, 8, out) == BP_OK && c->save(network, "model") == BP_OK && c->load("model", &loaded) == BP_OK;
    right = c->load("missing", &loaded) == BP_ERROR_IO && c->save(network, "missing/model") == BP_ERROR_IO && right;
    right = c->set_option(network, "batchnorm_epsilon", 2) == BP_ERROR_INVALID_VALUE && right;
    c->free(network);
    c->free(loaded);
    return c->unregister("bend") == BP_OK && right;
}

static int use_threads(const copy *c) {
    bp_network *network = NULL;
    int right = c->set_thread_count(2) == BP_OK && c->create(wide, 3, 1, &network) == BP_OK;
    for (int i = 0; i < 3; i++) right = c->train_minibatch(network, x, y, ROWS, 0.001f, NULL) == BP_OK && right;
    right = c->predict(network, x, ROWS, out) == BP_OK && right;
    c->free(network);
    return c->set_thread_count(0) == BP_OK && right;
}

static void loading_changes_no_state_of_the_process(void) {
    process_state before = read_state(), after;
    if (!EXPECT(open_library(path_of_library, &first))) {
        printf("#   %s\n", dlerror());
        exit(1);
    }
    after = read_state();
    expect_same(&before, &after);
}

static void small_calls_change_no_state_of_the_process_and_start_no_thread(void) {
    process_state before = read_state(), after;
    EXPECT(use(&first));
    after = read_state();
    expect_same(&before, &after);
}

static void nothing_is_printed(void) {
    int kept[2] = {dup(1), dup(2)}, file = open("printed", O_CREAT | O_TRUNC | O_RDWR, 0600);
    struct stat info;
    int right;
    fflush(stdout);
    EXPECT(file >= 0 && dup2(file, 1) == 1 && dup2(file, 2) == 2);
    right = use(&first) && use_threads(&first);
    fflush(NULL);
    EXPECT(dup2(kept[0], 1) == 1 && dup2(kept[1], 2) == 2);
    EXPECT(right && fstat(file, &info) == 0 && info.st_size == 0);
    close(file), close(kept[0]), close(kept[1]);
}

/* With a second processor: the team is started once, and blocks all signals. */
static void threads_of_the_library_are_few_and_block_every_signal(void) {
    int threads, others = 0;
    DIR *tasks;
    EXPECT(use_threads(&first));
    threads = entries("/proc/self/task");
    EXPECT(threads >= 1 && threads <= 2);
    for (int i = 0; i < 20; i++) EXPECT(use_threads(&first));
    EXPECT(entries("/proc/self/task") == threads);
    tasks = opendir("/proc/self/task");
    for (struct dirent *entry; (entry = readdir(tasks)) != NULL;) {
        char name[300], line[256];
        FILE *status;
        if (entry->d_name[0] == '.' || atoi(entry->d_name) == getpid()) continue;
        snprintf(name, sizeof name, "/proc/self/task/%s/status", entry->d_name);
        status = fopen(name, "r");
        while (status && fgets(line, sizeof line, status))
            if (strncmp(line, "SigBlk:", 7) == 0) {
                unsigned long long blocked = strtoull(line + 7, NULL, 16);
                EXPECT((blocked | 1ull << (SIGKILL - 1) | 1ull << (SIGSTOP - 1) | 3ull << 31) == ~0ull);
                others++;
            }
        if (status) fclose(status);
    }
    closedir(tasks);
    EXPECT(others == threads - 1);
}

/* Flags that the host raised stay raised. Ordinary calls do not divide by zero, so that a host can enable that trap. */
static void host_keeps_its_floating_point_flags_and_traps(void) {
    EXPECT(feclearexcept(FE_ALL_EXCEPT) == 0 && feraiseexcept(FE_DIVBYZERO) == 0);
    EXPECT(use(&first));
    EXPECT(fetestexcept(FE_DIVBYZERO));
    EXPECT(feclearexcept(FE_ALL_EXCEPT) == 0);
#ifdef __x86_64__
    EXPECT(feenableexcept(FE_DIVBYZERO | FE_INVALID | FE_OVERFLOW) != -1); /* a fault would end the program */
    EXPECT(use(&first) && use_threads(&first));
    EXPECT(fegetexcept() == (FE_DIVBYZERO | FE_INVALID | FE_OVERFLOW));
    EXPECT(fedisableexcept(FE_ALL_EXCEPT) != -1);
#endif
}

static void opening_and_closing_a_hundred_times_keeps_one_copy(void) {
    process_state before = read_state(), after;
    int maps = entries("/proc/self/map_files");
    for (int i = 0; i < 100; i++) {
        copy again;
        EXPECT(open_library(path_of_library, &again) && again.create == first.create);
        EXPECT(use(&again));
        EXPECT(dlclose(again.library) == 0);
    }
    after = read_state();
    expect_same(&before, &after);
    EXPECT(entries("/proc/self/map_files") == maps);
    EXPECT(use(&first));
}

static int copy_file(const char *from, const char *to) {
    char bytes[65536];
    size_t count;
    FILE *in = fopen(from, "rb"), *made = fopen(to, "wb");
    while (in && made && (count = fread(bytes, 1, sizeof bytes, in)) > 0)
        if (fwrite(bytes, 1, count, made) != count) return 0;
    return in && made && fclose(in) == 0 && fclose(made) == 0;
}

static void two_copies_in_one_process_refuse_each_others_handles(void) {
    copy second;
    bp_network *one = NULL, *other = NULL;
    size_t count;
    float outputs[2][2] = {{0, 0}, {1, 1}};
    EXPECT(copy_file(path_of_library, "./another.so"));
    if (!EXPECT(open_library("./another.so", &second) && second.create != first.create)) return;
    EXPECT(first.create(sizes, 3, 1, &one) == BP_OK && second.create(sizes, 3, 1, &other) == BP_OK);
    EXPECT(first.layer_count(other, &count) == BP_ERROR_INVALID_HANDLE);
    EXPECT(second.layer_count(one, &count) == BP_ERROR_INVALID_HANDLE);
    first.free(other), second.free(one); /* ignored */
    EXPECT(first.layer_count(one, &count) == BP_OK && second.layer_count(other, &count) == BP_OK);
    EXPECT(first.register_scalar("bend", bend, NULL, NULL, NULL) == BP_OK);
    EXPECT(second.set_activation(other, 1, "bend") == BP_ERROR_UNKNOWN_NAME);
    EXPECT(strstr(second.last_error_message(), "bend") != NULL && !strstr(first.last_error_message(), "\"bend\""));
    EXPECT(first.unregister("bend") == BP_OK);
    EXPECT(first.predict(one, x, 1, outputs[0]) == BP_OK && second.predict(other, x, 1, outputs[1]) == BP_OK);
    EXPECT(memcmp(outputs[0], outputs[1], sizeof outputs[0]) == 0);
    EXPECT(use_threads(&first) && use_threads(&second));
    first.free(one), second.free(other);
    EXPECT(dlclose(second.library) == 0);
}

/* ---- Memory of threads. In children, where the library is opened for the first time. */

static int child_succeeds(int (*body)(void)) {
    int status = -1;
    pid_t child;
    fflush(stdout);
    child = fork();
    if (child == 0) _exit(!body());
    return waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* The first call of a thread when the process has no memory left. */
static void *fail_without_memory(void *copy_of_library) {
    const copy *c = (const copy *)copy_of_library;
    struct rlimit limit;
    size_t count, length;
    int right;
    getrlimit(RLIMIT_AS, &limit);
    limit.rlim_cur = 1;
    setrlimit(RLIMIT_AS, &limit);
    for (size_t size = (size_t)1 << 20; size >= 8; size /= 2)
        while (malloc(size)) continue;
    right = c->layer_count(NULL, &count) == BP_ERROR_NULL_ARGUMENT;
    length = strlen(c->last_error_message());
    return right && length > 0 ? copy_of_library : NULL;
}

static int a_thread_fails_without_memory(void) {
    static copy c;
    static const size_t sizes[] = {2, 2, 1};
    bp_network *network;
    pthread_t thread;
    void *result = NULL;
    return open_library(path_of_library, &c) && c.create(sizes, 3, 1, &network) == BP_OK &&
        pthread_create(&thread, NULL, fail_without_memory, &c) == 0 && pthread_join(thread, &result) == 0 && result;
}

static void thread_without_memory_gets_a_status(void) { EXPECT(child_succeeds(a_thread_fails_without_memory)); }

/* The other library uses 512 bytes of the static thread-local memory, which all libraries opened by dlopen share. */
static int opens_after_another(void) {
    static copy c;
    static const size_t sizes[] = {2, 2, 1};
    char path[4096];
    bp_network *network;
    snprintf(path, sizeof path, "%s/static_tls.so", getenv("PLUGINS"));
    return dlopen(path, RTLD_NOW) && open_library(path_of_library, &c) && c.create(sizes, 3, 1, &network) == BP_OK;
}

static void library_opens_beside_others_with_static_thread_local_memory(void) { EXPECT(child_succeeds(opens_after_another)); }

/* The message's memory is freed with its thread. */
static void *fail_once(void *unused) {
    size_t count;
    return first.layer_count(NULL, &count) == BP_ERROR_NULL_ARGUMENT && first.last_error_message()[0] ? unused : NULL;
}

static void messages_of_ended_threads_are_freed(void) {
    size_t before = 0;
    int failures = 0;
    for (int i = 0; i < 2100; i++) {
        pthread_t thread;
        void *result = NULL;
        if (i == 100) before = mallinfo2().uordblks;
        failures += pthread_create(&thread, NULL, fail_once, &failures) != 0 || pthread_join(thread, &result) != 0 || !result;
    }
    EXPECT(failures == 0);
    EXPECT(mallinfo2().uordblks < before + 500 * 1024);
}

int main(void) {
    path_of_library = getenv("LIBBACKPROP_LIBRARY");
    if (!path_of_library || !setlocale(LC_ALL, "C.UTF-8")) return 2;
    check_fill(x, ROWS * WIDE, 1);
    check_fill(y, ROWS * WIDE, 2);
    for (size_t i = 0; i < ROWS * WIDE; i++) y[i] = y[i] > 0;
    CLAIM(thread_without_memory_gets_a_status);
    CLAIM(library_opens_beside_others_with_static_thread_local_memory);
    CLAIM(loading_changes_no_state_of_the_process);
    CLAIM(small_calls_change_no_state_of_the_process_and_start_no_thread);
    CLAIM(nothing_is_printed);
    CLAIM(threads_of_the_library_are_few_and_block_every_signal);
    CLAIM(host_keeps_its_floating_point_flags_and_traps);
    CLAIM(opening_and_closing_a_hundred_times_keeps_one_copy);
    CLAIM(messages_of_ended_threads_are_freed);
    CLAIM(two_copies_in_one_process_refuse_each_others_handles);
    return check_end();
}
