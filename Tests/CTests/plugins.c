/* plugins.c: plug-in files. Loading a plug-in registers all of its activations or none. It stays loaded while an activation is
 * in use. The environment variable PLUGINS is the folder of the plug-ins (the variants of plugins/plugin.c, and the examples).
 * */
#define _POSIX_C_SOURCE 200809L
#include "check.h"

#include <dlfcn.h>
#include <pthread.h>
#include <unistd.h>

static const char *path_of(const char *name) {
    static char path[4096];
    snprintf(path, sizeof path, "%s/%s.so", getenv("PLUGINS"), name);
    return path;
}

static int count_in(const char *variable) {
    const char *value = getenv(variable);
    return value ? atoi(value) : 0;
}

static void reset_counts(void) {
    unsetenv("PLUGIN_DESTROYED");
    unsetenv("PLUGIN_UNLOADED");
}

static int is_registered(const char *name) {
    int32_t kind;
    return bp_activation_kind(name, &kind) == BP_OK;
}

static int no_activation_is_left(void) {
    char name[65];
    size_t needed;
    return bp_activation_name(19, name, sizeof name, &needed) == BP_ERROR_UNKNOWN_NAME; /* after the built-in ones */
}

static const size_t sizes[] = {3, 4, 2};
static float x[5 * 3], y[5 * 2];

static int trains(bp_network *network) {
    float first = 0, last = 0;
    for (int i = 0; i < 200; i++)
        if (!EXPECT_OK(bp_network_train_minibatch(network, x, y, 5, 0.01f, i ? &last : &first))) return 0;
    return last < first;
}

static void plug_in_registers_all_its_activations(void) {
    bp_network *network = check_network(sizes, 3, 1);
    int32_t kind = 99;
    reset_counts();
    EXPECT_OK(bp_plugin_load(path_of("good")));
    EXPECT_OK(bp_activation_kind("plugin.times", &kind));
    EXPECT(kind == BP_ACTIVATION_SCALAR);
    EXPECT_OK(bp_activation_kind("plugin.same", &kind));
    EXPECT(kind == BP_ACTIVATION_VECTOR);
    EXPECT_OK(bp_network_set_activation(network, 1, "plugin.times"));
    EXPECT_OK(bp_network_set_activation(network, 2, "plugin.same"));
    EXPECT(trains(network));
    EXPECT_ERROR(bp_plugin_load(path_of("good")), BP_ERROR_CALLBACK); /* its names are taken */
    EXPECT_MESSAGE("plugin.times");
    EXPECT(count_in("PLUGIN_DESTROYED") == 0);
    bp_network_free(network);
    EXPECT_OK(bp_activation_unregister("plugin.times"));
    EXPECT_OK(bp_activation_unregister("plugin.same"));
    EXPECT(count_in("PLUGIN_DESTROYED") == 2 && count_in("PLUGIN_UNLOADED") == 1);
}

static void plug_in_stays_loaded_until_its_last_network_is_freed(void) {
    bp_network *network = check_network(sizes, 3, 1), *clone = NULL;
    reset_counts();
    EXPECT_OK(bp_plugin_load(path_of("good")));
    EXPECT_OK(bp_network_set_activation(network, 1, "plugin.times"));
    EXPECT_OK(bp_network_clone(network, &clone));
    EXPECT_OK(bp_activation_unregister("plugin.times"));
    EXPECT_OK(bp_activation_unregister("plugin.same"));
    EXPECT(count_in("PLUGIN_DESTROYED") == 1 && count_in("PLUGIN_UNLOADED") == 0);
    EXPECT(trains(network));
    bp_network_free(network);
    EXPECT(count_in("PLUGIN_DESTROYED") == 1 && count_in("PLUGIN_UNLOADED") == 0);
    EXPECT(trains(clone));
    EXPECT_OK(bp_network_set_activation(clone, 1, "tanh"));
    EXPECT(count_in("PLUGIN_DESTROYED") == 2 && count_in("PLUGIN_UNLOADED") == 1);
    bp_network_free(clone);
}

/* The host opens a library with dlopen, registers functions from it, and closes it: it stays loaded. */
static void library_of_a_callback_stays_open_after_the_host_closes_it(void) {
    for (int way = 0; way < 2; way++) {
        bp_network *network = check_network(sizes, 3, 1);
        void *library;
        union {
            void *address;
            bp_foreign_fn foreign;
            bp_scalar_fn scalar;
        } function;
        reset_counts();
        library = dlopen(path_of("empty"), RTLD_NOW);
        function.address = library ? dlsym(library, way ? "plugin_late" : "bp_plugin_register") : NULL;
        if (!EXPECT(function.address)) return;
        /* The function is never called, so that its parameters do not matter. */
        if (way == 0) EXPECT_OK(bp_activation_register_foreign("held", function.foreign, NULL, "f(f)", NULL, 0));
        else EXPECT_OK(bp_activation_register_scalar("held", function.scalar, NULL, NULL, NULL));
        EXPECT(dlclose(library) == 0);
        EXPECT(count_in("PLUGIN_UNLOADED") == 0);
        EXPECT_OK(bp_network_set_activation(network, 1, "held"));
        EXPECT_OK(bp_activation_unregister("held"));
        EXPECT(count_in("PLUGIN_UNLOADED") == 0);
        bp_network_free(network);
        EXPECT(count_in("PLUGIN_UNLOADED") == 1);
    }
}

static void refuse(const char *name, int32_t status, const char *says, int destroyed) {
    reset_counts();
    EXPECT_ERROR(bp_plugin_load(path_of(name)), status);
    if (!EXPECT(strstr(bp_last_error_message(), says))) printf("#   %s\n", bp_last_error_message());
    EXPECT(no_activation_is_left());
    EXPECT(count_in("PLUGIN_DESTROYED") == destroyed);
    EXPECT(count_in("PLUGIN_UNLOADED") == 1);
}

static void failing_plug_in_registers_nothing(void) {
    refuse("failing", BP_ERROR_CALLBACK, "failed with code 42", 2);
    refuse("badly_named", BP_ERROR_CALLBACK, "code -2: activation name \"Bad Name\" must have 1 to 64 characters", 2);
    refuse("built_in", BP_ERROR_CALLBACK, "\"tanh\" is already registered", 2);
    refuse("twice", BP_ERROR_CALLBACK, "\"plugin.same\" is already registered", 2);
}

static int is_a_loss(const char *wanted) {
    char name[65];
    size_t needed;
    for (size_t i = 0; bp_loss_name(i, name, sizeof name, &needed) == BP_OK; i++)
        if (strcmp(name, wanted) == 0) return 1;
    return 0;
}

static void loss_of_a_plug_in_trains_like_the_same_built_in_one(void) {
    bp_network *network = check_network(sizes, 3, 1), *twin = check_network(sizes, 3, 1);
    float a[5 * 2], b[5 * 2];
    reset_counts();
    EXPECT_OK(bp_plugin_load(path_of("loss")));
    EXPECT(is_a_loss("plugin.half") && is_registered("plugin.times"));
    EXPECT_OK(bp_network_set_loss(network, "plugin.half"));
    EXPECT_OK(bp_loss_unregister("plugin.half"));
    EXPECT_OK(bp_activation_unregister("plugin.times"));
    EXPECT_OK(bp_activation_unregister("plugin.same"));
    EXPECT(count_in("PLUGIN_DESTROYED") == 2 && count_in("PLUGIN_UNLOADED") == 0);
    EXPECT(trains(network) && trains(twin));
    EXPECT_OK(bp_network_predict(network, x, 5, a));
    EXPECT_OK(bp_network_predict(twin, x, 5, b));
    for (int i = 0; i < 5 * 2; i++) EXPECT_NEAR(a[i], b[i], 1e-6);
    bp_network_free(network);
    bp_network_free(twin);
    EXPECT(count_in("PLUGIN_DESTROYED") == 3 && count_in("PLUGIN_UNLOADED") == 1);
}

static void plug_in_whose_loss_is_refused_registers_nothing(void) {
    refuse("loss_twice", BP_ERROR_CALLBACK, "\"plugin.half\" is already registered", 3);
    EXPECT(!is_a_loss("plugin.half"));
}

static void file_that_is_no_plug_in_is_refused(void) {
    FILE *file = fopen("text.so", "w");
    if (file) fputs("this is text\n", file), fclose(file);
    refuse("no_entry", BP_ERROR_LIBRARY, "has no function \"bp_plugin_register\"", 0);
    refuse("no_function", BP_ERROR_LIBRARY, "has no function \"bp_plugin_register\"", 0);
    EXPECT_ERROR(bp_plugin_load("./nowhere.so"), BP_ERROR_LIBRARY);
    EXPECT_MESSAGE("nowhere.so");
    EXPECT_ERROR(bp_plugin_load("./text.so"), BP_ERROR_LIBRARY);
    EXPECT_ERROR(bp_plugin_load("."), BP_ERROR_LIBRARY);
    EXPECT_ERROR(bp_plugin_load(""), BP_ERROR_INVALID_VALUE);
    EXPECT_ERROR(bp_plugin_load(NULL), BP_ERROR_NULL_ARGUMENT);
    EXPECT(no_activation_is_left());
}

static void paths_of_plug_ins_and_libraries_may_be_any_bytes(void) {
    EXPECT(symlink(path_of("good"), "caf\xE9.so") == 0);
    EXPECT_OK(bp_plugin_load("./caf\xE9.so"));
    EXPECT(is_registered("plugin.times"));
    EXPECT_OK(bp_activation_unregister("plugin.times"));
    EXPECT_OK(bp_activation_unregister("plugin.same"));
    EXPECT_ERROR(bp_activation_register_library("none", "./caf\xE9.so", "f\xE9", NULL, "d(d)", NULL, 0), BP_ERROR_LIBRARY);
    EXPECT_MESSAGE("./caf\\xe9.so has no function \"f\\xe9\"");
    EXPECT(remove("caf\xE9.so") == 0);
    EXPECT_ERROR(bp_plugin_load("./caf\xE9.so"), BP_ERROR_LIBRARY);
    EXPECT_MESSAGE("caf\\xe9.so");
    EXPECT(symlink(path_of("formulas"), "caf\xE9.so") == 0);
    EXPECT_ERROR(bp_plugin_load("./caf\xE9.so"), BP_ERROR_LIBRARY); /* no plug-in, and no function of the other name */
    EXPECT(remove("caf\xE9.so") == 0 && no_activation_is_left());
}

static void plug_in_without_activations_is_loaded_and_unloaded(void) {
    reset_counts();
    EXPECT_OK(bp_plugin_load(path_of("empty")));
    EXPECT(no_activation_is_left() && count_in("PLUGIN_UNLOADED") == 1);
}

/* Another thread registers one of the plug-in's names during the load. The load fails, and the other thread's activation
 * stays. */
static void name_registered_during_the_load_fails_the_whole_plug_in(void) {
    reset_counts();
    EXPECT_ERROR(bp_plugin_load(path_of("overtaken")), BP_ERROR_INVALID_VALUE);
    EXPECT_MESSAGE("plugin.times");
    EXPECT(!is_registered("plugin.same") && is_registered("plugin.times"));
    EXPECT(count_in("PLUGIN_DESTROYED") == 2 && count_in("PLUGIN_UNLOADED") == 0);
    EXPECT_OK(bp_activation_unregister("plugin.times"));
    EXPECT(count_in("PLUGIN_DESTROYED") == 3 && count_in("PLUGIN_UNLOADED") == 1);
}

static void plug_in_can_continue_after_refusals_and_keep_its_table(void) {
    void *library;
    union {
        void *address;
        int32_t (*late)(void);
    } function;
    reset_counts();
    EXPECT_OK(bp_plugin_load(path_of("keeping")));
    EXPECT(is_registered("plugin.times") && is_registered("plugin.same") && is_registered("plugin.erf"));
    EXPECT(!is_registered("plugin.bad"));
    library = dlopen(path_of("keeping"), RTLD_NOW);
    function.address = library ? dlsym(library, "plugin_late") : NULL;
    if (EXPECT(function.address)) {
        EXPECT_OK(function.late());
        EXPECT_OK(bp_activation_unregister("plugin.late"));
        dlclose(library);
    }
    EXPECT_OK(bp_activation_unregister("plugin.erf"));
    EXPECT_OK(bp_activation_unregister("plugin.times"));
    EXPECT(count_in("PLUGIN_UNLOADED") == 0);
    EXPECT_OK(bp_activation_unregister("plugin.same"));
    EXPECT(count_in("PLUGIN_UNLOADED") == 1);
    EXPECT(no_activation_is_left());
}

static void model_with_a_missing_plug_in_names_it_and_loads_after_the_plug_in(void) {
    bp_network *network = check_network(sizes, 3, 1), *loaded = NULL;
    snapshot bytes;
    EXPECT_OK(bp_plugin_load(path_of("good")));
    EXPECT_OK(bp_network_set_activation(network, 1, "plugin.times"));
    EXPECT_OK(bp_network_set_activation(network, 2, "plugin.same"));
    bytes = snapshot_of(network);
    EXPECT_OK(bp_activation_unregister("plugin.times"));
    EXPECT_OK(bp_activation_unregister("plugin.same"));
    bp_network_free(network);
    EXPECT_ERROR(bp_network_load_memory(bytes.bytes, bytes.count, &loaded), BP_ERROR_UNKNOWN_NAME);
    EXPECT_MESSAGE("plugin.times");
    EXPECT_MESSAGE("plugin.same");
    EXPECT_OK(bp_plugin_load(path_of("good")));
    EXPECT_OK(bp_network_load_memory(bytes.bytes, bytes.count, &loaded));
    EXPECT(snapshot_holds(bytes, loaded));
    EXPECT_OK(bp_activation_unregister("plugin.times"));
    EXPECT_OK(bp_activation_unregister("plugin.same"));
    bp_network_free(loaded);
    free(bytes.bytes);
}

/* Threads load, use and unregister the same plug-in: every call succeeds, or reports that the name is registered or unknown. */
static char good[4096];

static void *load_use_and_unregister(void *user_data) {
    int *odd = user_data;
    for (int i = 0; i < 100; i++) {
        static const char *const names[] = {"plugin.times", "plugin.same"};
        bp_network *network = NULL;
        float out[2];
        int32_t status = bp_plugin_load(good);
        if (status != BP_OK && status != BP_ERROR_CALLBACK && status != BP_ERROR_INVALID_VALUE) ++*odd;
        if (bp_network_create(sizes, 3, 1, &network) != BP_OK) ++*odd;
        status = bp_network_set_activation(network, 1, names[i % 2]);
        if (status != BP_OK && status != BP_ERROR_UNKNOWN_NAME) ++*odd;
        status = bp_activation_unregister(names[i / 2 % 2]);
        if (status != BP_OK && status != BP_ERROR_UNKNOWN_NAME) ++*odd;
        if (bp_network_train_minibatch(network, x, y, 5, 0.01f, NULL) != BP_OK) ++*odd;
        if (bp_network_predict(network, x, 1, out) != BP_OK) ++*odd;
        bp_network_free(network);
    }
    return NULL;
}

static void threads_may_load_use_and_unregister_at_the_same_time(void) {
    pthread_t threads[4];
    int odd[4] = {0}, started = 0;
    strcpy(good, path_of("good"));
    for (int i = 0; i < 4; i++) started += pthread_create(&threads[i], NULL, load_use_and_unregister, &odd[i]) == 0;
    for (int i = 0; i < started; i++) pthread_join(threads[i], NULL);
    EXPECT(started == 4);
    for (int i = 0; i < 4; i++) EXPECT(odd[i] == 0);
    (void)bp_activation_unregister("plugin.times");
    (void)bp_activation_unregister("plugin.same");
    EXPECT(no_activation_is_left());
}

static int is_compiled(const char *name) {
    FILE *file = fopen(path_of(name), "rb");
    return file ? fclose(file) == 0 : 0;
}

static void trains_with_all(const char *name, const char *const *activations) {
    EXPECT_OK(bp_plugin_load(path_of(name)));
    for (; *activations; activations++) {
        double worst = 99;
        bp_network *network = check_network(sizes, 3, 2);
        EXPECT_OK(bp_activation_check(*activations, &worst, NULL));
        if (!EXPECT(worst < 1e-2)) printf("#   %s: %g\n", *activations, worst);
        EXPECT_OK(bp_network_set_activation(network, 1, *activations));
        EXPECT(trains(network));
        EXPECT_OK(bp_activation_unregister(*activations));
        EXPECT(trains(network));
        bp_network_free(network);
    }
    EXPECT(no_activation_is_left());
}

static void example_in_c_trains(void) {
    static const char *const names[] = {"celu", "serf", "rms", NULL};
    trains_with_all("example_c", names);
}

static void example_in_rust_trains(void) {
    static const char *const names[] = {"snake", "bent", NULL};
    trains_with_all("example_rust", names);
}

int main(void) {
    check_fill(x, 15, 1);
    check_fill(y, 10, 2);
    if (!getenv("PLUGINS")) return puts("PLUGINS is not set"), 2;
    CLAIM(plug_in_registers_all_its_activations);
    CLAIM(plug_in_stays_loaded_until_its_last_network_is_freed);
    CLAIM(library_of_a_callback_stays_open_after_the_host_closes_it);
    CLAIM(failing_plug_in_registers_nothing);
    CLAIM(loss_of_a_plug_in_trains_like_the_same_built_in_one);
    CLAIM(plug_in_whose_loss_is_refused_registers_nothing);
    CLAIM(file_that_is_no_plug_in_is_refused);
    CLAIM(paths_of_plug_ins_and_libraries_may_be_any_bytes);
    CLAIM(plug_in_without_activations_is_loaded_and_unloaded);
    CLAIM(name_registered_during_the_load_fails_the_whole_plug_in);
    CLAIM(plug_in_can_continue_after_refusals_and_keep_its_table);
    CLAIM(model_with_a_missing_plug_in_names_it_and_loads_after_the_plug_in);
    CLAIM(threads_may_load_use_and_unregister_at_the_same_time);
    CLAIM(example_in_c_trains);
    if (is_compiled("example_rust")) CLAIM(example_in_rust_trains);
    else puts("# not tried: the plug-in in Rust, which was not compiled");
    return check_end();
}
