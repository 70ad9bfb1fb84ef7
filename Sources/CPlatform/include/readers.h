/* Readers of published objects that never wait: read-copy-update in user space (Desnoyers et al. 2012, "User-Level
 * Implementations of Read-Copy Update").
 *
 * A reader marks its thread as reading, loads the published pointer, uses the object and removes the mark: plain loads and
 * stores, without a locked instruction. A thread that replaces the pointer then calls cp_wait_for_readers, which returns when
 * no reader can have the old object any more.
 *
 * A reader must not load the pointer before its mark is visible to others. The waiting thread provides this order for
 * all threads, by the system call membarrier. Where the system lacks it, each reader orders its own mark and load. */
#ifndef CPLATFORM_READERS_H
#define CPLATFORM_READERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "atomics.h"
#include "parts.h"

/* A buffer that a reader has taken from a pool, on the reader's stack. */
typedef struct cp_loan {
    void **slot; /* of the pool; NULL while the buffer is lent */
    void *buffer;
    struct cp_loan *outer; /* of the same thread */
} cp_loan;

/* The mark of one thread; a cache line. */
typedef struct cp_reader {
    cp_atomic64 mark;  /* odd while the thread reads; changes with each outermost reading */
    const void *owner; /* cp_thread_identity; NULL: unused */
    cp_loan *loan;     /* the innermost; NULL for none */
    bool is_temporary; /* returned after the reading, because the end of its thread cannot be observed */
    uint8_t padding[55 - 2 * sizeof(void *)];
} cp_reader;
_Static_assert(sizeof(cp_reader) == 64, "a reader is a cache line");

/* The number of threads that can be readers at the same time. */
#ifdef CP_IS_BARE
enum { CP_MOST_READERS = 1 };
#else
enum { CP_MOST_READERS = 4096 };
#endif

/* A mark for this thread, which has none; NULL if CP_MOST_READERS threads have one. Takes no lock and no memory. */
cp_reader *cp_claim_reader(void);
void cp_return_reader(cp_reader *reader);

/* The reader of this thread, or NULL. Not inline, so that no Swift code contains thread-local variables, whose model differs between
 * C libraries (CP_THREAD_LOCAL). */
cp_reader *cp_this_reader(void);

/* Whether readers order their own mark and load. It is set before the first object is published. */
extern bool cp_readers_order __attribute__((visibility("hidden")));

/* Marks this thread as reading, and returns its reader. Readings may nest. Returns NULL, without a mark, as cp_claim_reader does. */
__attribute__((always_inline)) static inline cp_reader *cp_begin_reading(uint64_t *outer_mark) {
    cp_reader *reader = cp_this_reader();
    if (!reader && !(reader = cp_claim_reader())) return NULL;
    uint64_t mark = reader->mark;
    *outer_mark = mark;
    if (__builtin_expect(cp_readers_order, 0)) {
        (void)__atomic_exchange_n(&reader->mark, mark | 1, __ATOMIC_SEQ_CST);
    } else {
        __atomic_store_n(&reader->mark, mark | 1, __ATOMIC_RELAXED);
        __atomic_signal_fence(__ATOMIC_SEQ_CST);
    }
    return reader;
}

__attribute__((always_inline)) static inline void cp_end_reading(cp_reader *reader, uint64_t outer_mark) {
    if (outer_mark & 1) return;
    __atomic_store_n(&reader->mark, outer_mark + 2, __ATOMIC_RELEASE);
    if (__builtin_expect(reader->is_temporary, 0)) cp_return_reader(reader);
}

/* A published pointer, between cp_begin_reading and cp_end_reading. */
__attribute__((always_inline)) static inline void *cp_load_published(void *const *p) {
    return __atomic_load_n(p, __ATOMIC_SEQ_CST);
}
/* Publishes an object; the caller then waits for readers of the previous one. */
static inline void cp_publish(void **p, void *object) { __atomic_store_n(p, object, __ATOMIC_SEQ_CST); }

/* Whether this thread reads. */
bool cp_is_reading(void);

/* Called before an object is published. */
void cp_prepare_for_readers(void);

/* Waits until all readings have ended that were in progress on other threads. Returns false, without waiting, if this thread
 * reads, or if the system refuses membarrier although it provided it before. */
bool cp_wait_for_readers(void);

/* Takes a free buffer of a pool of `count` buffers of `size` bytes, for a thread that reads. Returns false if there is none. */
bool cp_borrow(cp_loan *loan, void **slots, uint32_t count, void *buffers, size_t size);
void cp_give_back(cp_loan *loan);

/* In the child of a fork: other threads do not read there, and have no buffers. */
void cp_readers_after_fork(void);

#endif
