/* handles.c: a handle that is NULL, freed, freed twice or invented gives an error and has no other effect. */
#include "activations.h"
#include "calls.h"
#include "check.h"

static const size_t sizes[] = {2, 2, 1};

/* Whether every function refuses the handle: with BP_ERROR_INVALID_HANDLE, outputs of 0, and a message. */
static int refused_everywhere(bp_network *handle) {
    int refused = 1;
    calls_left_output = 0;
    for (size_t i = 0; i < NETWORK_CALLS; i++) {
        int32_t status = network_calls[i].call(handle);
        int right = handle ? status == BP_ERROR_INVALID_HANDLE
                           : status == BP_ERROR_INVALID_HANDLE || status == BP_ERROR_NULL_ARGUMENT;
        if (!right) printf("#   %s gave %s\n", network_calls[i].name, bp_status_name(status));
        refused = refused && right && check_message();
    }
    return refused && !calls_left_output;
}

static void valid_handle_is_accepted_by_every_function(void) {
    bp_network *network = check_network(sizes, 3, 1);
    for (size_t i = 0; i < NETWORK_CALLS; i++) EXPECT_OK(network_calls[i].call(network));
    bp_network_free(network);
    remove("calls.safetensors");
}

static void null_handle_is_refused_by_every_function(void) { EXPECT(refused_everywhere(NULL)); }

static void freed_handle_is_refused_by_every_function(void) {
    bp_network *network = check_network(sizes, 3, 1);
    bp_network_free(network);
    EXPECT(refused_everywhere(network));
}

static void clones_and_loaded_networks_have_their_own_handles(void) {
    bp_network *network = check_network(sizes, 3, 1), *clone = NULL, *loaded = NULL;
    snapshot bytes = snapshot_of(network);
    EXPECT_OK(bp_network_clone(network, &clone));
    EXPECT_OK(bp_network_load_memory(bytes.bytes, bytes.count, &loaded));
    EXPECT(clone != network && loaded != network && loaded != clone);
    bp_network_free(network);
    EXPECT(refused_everywhere(network));
    EXPECT_OK(calls_predict(clone));
    bp_network_free(clone);
    EXPECT(refused_everywhere(clone));
    EXPECT_OK(calls_predict(loaded));
    bp_network_free(loaded);
    EXPECT(refused_everywhere(loaded));
    free(bytes.bytes);
}

/* Pointers that a host might pass by mistake: other objects, small numbers, the ends of the address space. */
static void invented_handles_are_refused_by_every_function(void) {
    static double object[64];
    double local[64] = {0};
    double *block = (double *)calloc(64, sizeof *block);
    const uintptr_t top = UINTPTR_MAX / 2 + 1,
                    made_up[] = {1,
                                 2,
                                 3,
                                 7,
                                 8,
                                 16,
                                 255,
                                 4096,
                                 65536,
                                 UINT32_MAX,
                                 (uintptr_t)1 << 4 * sizeof(uintptr_t),
                                 top,
                                 UINTPTR_MAX,
                                 UINTPTR_MAX - 1,
                                 UINTPTR_MAX / 2,
                                 (uintptr_t)UINT64_C(0xDEADBEEFDEADBEEF),
                                 (uintptr_t)object,
                                 (uintptr_t)local,
                                 (uintptr_t)block,
                                 (uintptr_t)sizes};
    bp_network *live = check_network(sizes, 3, 1); /* so that a slot is in use */
    for (size_t i = 0; i < sizeof made_up / sizeof made_up[0]; i++)
        if (made_up[i] != (uintptr_t)live) EXPECT(refused_everywhere((bp_network *)made_up[i]));
    EXPECT_OK(calls_predict(live));
    bp_network_free(live);
    free(block);
}

static void every_bit_of_a_handle_counts(void) {
    bp_network *network = check_network(sizes, 3, 1);
    size_t count;
    for (size_t bit = 0; bit < 8 * sizeof network; bit++) {
        bp_network *other = (bp_network *)((uintptr_t)network ^ (uintptr_t)1 << bit);
        EXPECT_ERROR(other ? bp_network_layer_count(other, &count) : BP_ERROR_INVALID_HANDLE, BP_ERROR_INVALID_HANDLE);
    }
    EXPECT_OK(bp_network_layer_count(network, &count));
    bp_network_free(network);
}

static void freeing_null_freed_and_invented_handles_is_ignored(void) {
    static double object[64];
    bp_network *network = check_network(sizes, 3, 1), *other = check_network(sizes, 3, 2);
    bp_network_free(network);
    bp_network_free(network);
    bp_network_free(network);
    bp_network_free(NULL);
    bp_network_free((bp_network *)1);
    bp_network_free((bp_network *)UINTPTR_MAX);
    bp_network_free((bp_network *)(uintptr_t)object);
    EXPECT_OK(calls_predict(other));
    bp_network_free(other);
}

static void reused_slot_does_not_revive_an_old_handle(void) {
    enum { OLD = 64 };
    bp_network *old[OLD];
    size_t count;
    for (int i = 0; i < OLD; i++) old[i] = check_network(sizes, 3, 1);
    for (int i = 0; i < OLD; i++) bp_network_free(old[i]);
    for (int round = 0; round < 200; round++) { /* reuses the freed slots */
        bp_network *network = check_network(sizes, 3, 1);
        for (int i = 0; i < OLD; i++) {
            EXPECT(network != old[i]);
            EXPECT_STATUS(bp_network_layer_count(old[i], &count), BP_ERROR_INVALID_HANDLE);
        }
        bp_network_free(old[round % OLD]); /* a late free must not free the new network */
        EXPECT_OK(bp_network_layer_count(network, &count));
        bp_network_free(network);
    }
}

static void first_handle_stays_invalid_after_ten_thousand_creates_and_frees(void) {
    bp_network *first = check_network(sizes, 3, 1);
    size_t count;
    bp_network_free(first);
    for (uint64_t i = 0; i < 10000; i++) {
        bp_network *network = check_network(sizes, 3, i);
        if (network == first || bp_network_layer_count(first, &count) != BP_ERROR_INVALID_HANDLE) {
            EXPECT(!"the first handle stays invalid");
            break;
        }
        bp_network_free(network);
    }
}

static void thousands_of_networks_can_exist_at_once(void) {
    enum { MANY = 3000 };
    static bp_network *networks[MANY];
    size_t count;
    for (uint64_t i = 0; i < MANY; i++) networks[i] = check_network(sizes, 3, i);
    for (size_t i = 0; i < MANY; i += 2) bp_network_free(networks[i]);
    for (size_t i = 0; i < MANY; i++)
        EXPECT_STATUS(bp_network_layer_count(networks[i], &count), i % 2 ? BP_OK : BP_ERROR_INVALID_HANDLE);
    for (size_t i = 1; i < MANY; i += 2) bp_network_free(networks[i]);
}

/* ---- Frees and freed handles inside callbacks */

typedef struct {
    bp_network *handle; /* the network that the callback uses */
    int free_it;        /* whether to free the network, or to predict with it */
    int32_t status;     /* the status of that call */
    int calls;
} callback_data;

static int32_t use_handle_forward(const float *z, float *a, size_t rows, size_t columns, void *user_data) {
    callback_data *m = (callback_data *)user_data;
    size_t count = 99;
    if (m->free_it) bp_network_free(m->handle);
    m->status = bp_network_layer_count(m->handle, &count);
    m->calls++;
    memcpy(a, z, rows * columns * sizeof(float));
    return 0;
}

static void freed_handle_is_refused_inside_another_networks_callback(void) {
    callback_data m = {NULL, 0, BP_OK, 0};
    bp_network *network = check_network(sizes, 3, 1), *freed = check_network(sizes, 3, 2);
    EXPECT_OK(bp_activation_register_vector("meddle", use_handle_forward, pass_back, &m, NULL));
    EXPECT_OK(bp_network_set_activation(network, 1, "meddle"));
    bp_network_free(freed);
    m.handle = freed;
    EXPECT_OK(calls_train_step(network));
    EXPECT(m.calls > 0 && m.status == BP_ERROR_INVALID_HANDLE);
    bp_network_free(network);
    EXPECT_OK(bp_activation_unregister("meddle"));
}

static void another_network_can_be_freed_inside_a_callback(void) {
    callback_data m = {NULL, 1, BP_OK, 0};
    bp_network *network = check_network(sizes, 3, 1);
    EXPECT_OK(bp_activation_register_vector("meddle", use_handle_forward, pass_back, &m, NULL));
    EXPECT_OK(bp_network_set_activation(network, 1, "meddle"));
    m.handle = check_network(sizes, 3, 2);
    EXPECT_OK(calls_train_step(network));
    EXPECT(m.calls > 0 && m.status == BP_ERROR_INVALID_HANDLE);
    bp_network_free(network);
    EXPECT_OK(bp_activation_unregister("meddle"));
}

static void count_destroy(void *user_data) { ((callback_data *)user_data)->calls = -1; }

/* A free from a callback of the same network takes effect when the call in progress returns. */
static void freeing_a_network_in_its_own_callback_takes_effect_after_the_call(void) {
    for (size_t i = 0; i < NETWORK_CALLS; i++) {
        callback_data m = {NULL, 1, BP_OK, 0};
        bp_network *network;
        int32_t status;
        if (network_calls[i].call != calls_train_step && network_calls[i].call != calls_predict &&
            network_calls[i].call != calls_evaluate && network_calls[i].call != calls_gradient)
            continue;
        network = check_network(sizes, 3, 1);
        EXPECT_OK(bp_activation_register_vector("meddle", use_handle_forward, pass_back, &m, count_destroy));
        EXPECT_OK(bp_network_set_activation(network, 1, "meddle"));
        EXPECT_OK(bp_activation_unregister("meddle"));
        m.handle = network;
        status = network_calls[i].call(network);
        EXPECT_OK(status);
        EXPECT(m.calls == -1); /* freed with the network, after the call; transaction.c checks the count */
        /* Until then the handle may be valid. Callbacks of a changing call are refused in any case. */
        EXPECT(m.status == BP_ERROR_BUSY || m.status == BP_ERROR_INVALID_HANDLE ||
               (m.status == BP_OK && network_calls[i].reads));
        EXPECT(refused_everywhere(network));
    }
}

int main(void) {
    CLAIM(valid_handle_is_accepted_by_every_function);
    CLAIM(null_handle_is_refused_by_every_function);
    CLAIM(freed_handle_is_refused_by_every_function);
    CLAIM(clones_and_loaded_networks_have_their_own_handles);
    CLAIM(invented_handles_are_refused_by_every_function);
    CLAIM(every_bit_of_a_handle_counts);
    CLAIM(freeing_null_freed_and_invented_handles_is_ignored);
    CLAIM(reused_slot_does_not_revive_an_old_handle);
    CLAIM(first_handle_stays_invalid_after_ten_thousand_creates_and_frees);
    CLAIM(thousands_of_networks_can_exist_at_once);
    CLAIM(freed_handle_is_refused_inside_another_networks_callback);
    CLAIM(another_network_can_be_freed_inside_a_callback);
    CLAIM(freeing_a_network_in_its_own_callback_takes_effect_after_the_call);
    return check_end();
}
