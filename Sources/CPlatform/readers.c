#include "readers.h"

#include <pthread.h>

#include "atomics.h"
#include "gate.h"
#include "system.h"

_Alignas(64) static cp_reader readers[CP_MOST_READERS]; /* pages that no thread uses take no memory */
static uint32_t count;                                  /* readers that were ever used */

static CP_THREAD_LOCAL cp_reader *this_reader;
bool cp_readers_order;

cp_reader *cp_this_reader(void) { return this_reader; }
bool cp_is_reading(void) { return this_reader && this_reader->mark & 1; }

/* ---- Claiming */

static pthread_key_t key; /* its destructor returns a thread's reader when the thread ends */
static bool has_key;

void cp_return_reader(cp_reader *reader) {
    this_reader = NULL;
    reader->is_temporary = false;
    cp_store_pointer((void **)&reader->owner, NULL);
}

static void return_at_exit(void *reader) { cp_return_reader(reader); }

__attribute__((constructor)) static void create_key(void) {
    has_key = pthread_key_create(&key, return_at_exit) == 0;
#ifdef __GLIBC__
    has_key = has_key && key < 32; /* for later keys, pthread_setspecific allocates memory */
#endif
}

cp_reader *cp_claim_reader(void) {
    for (uint32_t i = 0; i < CP_MOST_READERS; i++) {
        cp_reader *reader = &readers[i];
        if (cp_load_pointer((void **)&reader->owner) ||
            !cp_exchange_pointer_if_null((void **)&reader->owner, (void *)cp_thread_identity()))
            continue;
        for (uint32_t used = cp_load32(&count); used <= i && !cp_exchange_if_equal32(&count, used, i + 1);)
            used = cp_load32(&count);
        reader->is_temporary = !has_key || pthread_setspecific(key, reader) != 0;
        return this_reader = reader;
    }
    return NULL;
}

/* ---- Waiting */

static pthread_once_t once = PTHREAD_ONCE_INIT;
static void choose_order(void) { cp_readers_order = !cp_register_barrier(); }
void cp_prepare_for_readers(void) { pthread_once(&once, choose_order); }

bool cp_wait_for_readers(void) {
    if (cp_is_reading()) return false;
    if (!cp_readers_order && !cp_order_all_threads()) return false;
    for (uint32_t i = 0, used = cp_load32(&count); i < used; i++) {
        uint64_t mark = __atomic_load_n(&readers[i].mark, __ATOMIC_SEQ_CST);
        if (!(mark & 1)) continue;
        for (uint32_t attempt = 0; cp_load64(&readers[i].mark) == mark; attempt++) cp_wait(attempt);
    }
    return true;
}

/* ---- Pools */

/* The loan is recorded before the buffer is taken: a child of a fork then knows all buffers that other threads may have. */
bool cp_borrow(cp_loan *loan, void **slots, uint32_t count, void *buffers, size_t size) {
    cp_reader *reader = this_reader;
    loan->outer = reader->loan;
    for (uint32_t i = 0; i < count; i++) {
        if (!cp_load_pointer(slots + i)) continue;
        loan->slot = slots + i;
        loan->buffer = (char *)buffers + i * size;
        cp_store_pointer((void **)&reader->loan, loan);
        if (cp_exchange_pointer(slots + i, NULL)) return true;
        reader->loan = loan->outer;
    }
    return false;
}

void cp_give_back(cp_loan *loan) {
    cp_store_pointer(loan->slot, loan->buffer);
    cp_store_pointer((void **)&this_reader->loan, loan->outer);
}

/* ---- Fork */

void cp_readers_after_fork(void) {
    for (uint32_t i = 0; i < count; i++) {
        if (&readers[i] == this_reader) continue;
        for (cp_loan *loan = readers[i].loan; loan; loan = loan->outer) *loan->slot = loan->buffer;
        readers[i] = (cp_reader){.mark = (readers[i].mark + 1) & ~UINT64_C(1)};
    }
    /* After the others, one of which may have been about to take the same buffer. */
    for (cp_loan *loan = this_reader ? this_reader->loan : NULL; loan; loan = loan->outer) *loan->slot = NULL;
}
