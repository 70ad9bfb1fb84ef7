/* calls.c: turns bytes into sequences of calls, with valid and invalid arguments, on several handles, and checks the rules of
 * backprop.h after each call: a failed call returns a status that its comment names, sets a message, sets outputs to 0, and
 * changes nothing; destroy is called once, when nothing uses an activation any more. The sanitizers detect other faults. */
#define _XOPEN_SOURCE 700
#include <sys/stat.h>
#include <unistd.h>

#include "arguments.h"

enum { MOST_CALLS = 200, DEEPEST = 3 };
static int depth, calls_made;
static uint32_t nested; /* calls made from callbacks so far */

/* ---- Checks after a call */

typedef struct {
    uint8_t *bytes;
    size_t count;
} snapshot;

static snapshot snapshot_of(bp_network *network) {
    snapshot taken = {NULL, 0};
    (void)bp_network_save_memory(network, NULL, 0, &taken.count);
    taken.bytes = taken.count ? (uint8_t *)malloc(taken.count) : NULL;
    if (taken.bytes && bp_network_save_memory(network, taken.bytes, taken.count, &taken.count) != BP_OK) taken.count = 0;
    return taken;
}

static void check_unchanged(snapshot before, bp_network *network) {
    snapshot now = snapshot_of(network);
    if (before.count && (now.count != before.count || memcmp(now.bytes, before.bytes, now.count) != 0))
        breach("a failed call has changed the network");
    free(now.bytes);
}

static void check_status(const signature *function, int32_t status) {
    for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++)
        if (statuses[i].status == status) {
            if (!(function->allowed >> i & 1)) breach(statuses[i].name);
            return;
        }
    breach("the status does not exist");
}

static void check_failure(const call *made) {
    const char *message = bp_last_error_message();
    if (!message[0] || strpbrk(message, "\r\n")) breach("the message is not one line");
    for (size_t i = 0; i < made->function->count; i++) {
        const parameter *p = &made->function->parameters[i];
        const uint8_t *out = (const uint8_t *)made->blocks[i];
        if (!out || !(strstr(p->type, "**") || is_scalar_out(p))) continue;
        if (named(p, "needed_out")) continue; /* also set when the buffer is too small */
        for (size_t k = 0; k < made->sizes[i]; k++)
            if (out[k]) breach("an output is not zero after a failure");
    }
}

/* ---- Handles that a call returns */

static void end_handle(size_t type, void *handle) {
    char name[64];
    argument only[1];
    snprintf(name, sizeof name, "%s_free", handle_types[type]);
    only[0].pointer = handle;
    for (size_t i = 0; i < SIGNATURES; i++)
        if (strcmp(signatures[i].name, name) == 0) (void)signatures[i].call(only);
}

static void keep_handles(const call *made) {
    for (size_t i = 0; i < made->function->count; i++) {
        const parameter *p = &made->function->parameters[i];
        if (!strstr(p->type, "**") || !made->blocks[i]) continue;
        size_t type = handle_type(p->type), slot = take8() % SLOTS;
        void *old = handles[type][slot];
        memcpy(&handles[type][slot], made->blocks[i], sizeof(void *));
        if (!handles[type][slot]) breach("a handle is NULL after success");
        end_handle(type, old);
    }
}

/* ---- One call */

static void make_call(void) {
    call made;
    const signature *function = &signatures[choose(&signatures[0].name, SIGNATURES, sizeof signatures[0])];
    const char *outer = current_call;
    calls_made++;
    make_arguments(&made, function);
    current_call = function->name;
    size_t destroy_at = find(function, "destroy");
    snapshot before = snapshot_of(made.network);
    uint32_t nested_before = nested;
    int32_t status = function->call(made.arguments);
    check_status(function, status);
    if (made.cookie && destroy_at < function->count && made.arguments[destroy_at].function)
        made.cookie->registered = status == BP_OK;
    if (status < 0) {
        check_failure(&made);
        if (nested == nested_before) check_unchanged(before, made.network);
    } else if (function->has_status) {
        keep_handles(&made);
    }
    free(before.bytes);
    drop_arguments(&made);
    current_call = outer;
}

static void come_back(void) {
    if (depth >= DEEPEST || source_left == 0 || calls_made >= MOST_CALLS) return;
    depth++;
    nested++;
    make_call();
    depth--;
}

/* ---- A run */

static void begin(void) {
    static const size_t sizes[] = {3, 4, 2}, wide[] = {2, 17, 5, 1};
    (void)bp_network_create(sizes, 3, 1, (bp_network **)&handles[0][0]);
    (void)bp_network_create(wide, 4, 2, (bp_network **)&handles[0][1]);
    (void)bp_trainer_create((bp_trainer **)&handles[1][0]);
    (void)bp_predictor_create((bp_network *)handles[0][0], (bp_predictor **)&handles[2][0]);
}

/* Frees everything. Then every registered cookie must be destroyed. */
static void end(void) {
    size_t needed;
    char name[65];
    source_left = 0;
    current_call = "the end";
    for (size_t type = 0; type < HANDLE_TYPES; type++)
        for (size_t slot = 0; slot < SLOTS; slot++) {
            end_handle(type, handles[type][slot]);
            handles[type][slot] = NULL;
        }
    for (size_t index = 12; bp_activation_name(index, name, sizeof name, &needed) == BP_OK;)
        if (bp_activation_unregister(name) != BP_OK) index++;
    for (size_t index = 0; bp_loss_name(index, name, sizeof name, &needed) == BP_OK;)
        if (bp_loss_unregister(name) != BP_OK) index++;
    while (cookies) {
        cookie *next = cookies->next;
        if (cookies->registered && !cookies->destroyed) breach("destroy was never called");
        free(cookies);
        cookies = next;
    }
    (void)bp_set_thread_count(0);
}

static void make_scratch(void) {
    static char folder[64], inner[80];
    snprintf(folder, sizeof folder, "%s/backprop-fuzz-XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    if (!mkdtemp(folder)) exit(2);
    snprintf(inner, sizeof inner, "%s/folder", folder);
    (void)mkdir(inner, 0700);
    scratch = folder;
}

static void remove_files(void) {
    static const char *const names[] = {"a", "b", "c"};
    char path[80];
    for (size_t i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s/%s", scratch, names[i]);
        (void)unlink(path);
    }
}

static void remove_scratch(void) {
    char inner[80];
    remove_files();
    snprintf(inner, sizeof inner, "%s/folder", scratch);
    (void)rmdir(inner);
    (void)rmdir(scratch);
}

int LLVMFuzzerInitialize(int *count, char ***words_of_the_command);
int LLVMFuzzerInitialize(int *count, char ***words_of_the_command) {
    (void)count, (void)words_of_the_command;
    main_thread = pthread_self();
    learn_words();
    make_scratch();
    atexit(remove_scratch);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count) {
    source_bytes = bytes;
    source_left = count;
    depth = calls_made = 0;
    begin();
    while (source_left > 0 && calls_made < MOST_CALLS) make_call();
    end();
    remove_files();
    return 0;
}
