/* A gate guards one object that callers refer to by a handle. The memory of gates is never freed, so that reading the gate
 * of a freed or invalid handle is safe. See Handle.swift. */
#ifndef CPLATFORM_GATE_H
#define CPLATFORM_GATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "atomics.h"
#include "parts.h"

typedef struct cp_gate {
    cp_atomic64 state;    /* generation << 32 | readers inside, or CP_GATE_WRITER */
    uint32_t next_ticket; /* each waiting thread takes a number */
    uint32_t now_serving;
    void *object;          /* retained; NULL while the gate is unused */
    uint32_t free_pending; /* the last thread that leaves frees the object */
    uint32_t index;
    struct cp_gate *next_unused;
    const void *fitter;  /* cp_thread_identity of the thread whose fit uses the object; or NULL */
    uint32_t kind;       /* cp_gate_kind of the object; 0 while the gate is unused */
    uint32_t calls_back; /* readers may be inside a callback of the host */
    void *published;     /* the object that readers use without entering the gate (readers.h); or NULL */
#if UINTPTR_MAX == UINT32_MAX
    uint8_t padding[16];
#endif
} cp_gate;
_Static_assert(sizeof(cp_gate) == 64, "a gate is a cache line: no false sharing between gates");

#define CP_GATE_WRITER 0xffffffffu

/* The numbers of bits in a handle, which has the size of a pointer. Generation 0 does not occur. */
#if defined(CP_IS_BARE)
enum { CP_GATE_INDEX_BITS = 8, CP_GATE_GENERATION_BITS = 19, CP_GATE_MARK_BITS = 5 };
#elif UINTPTR_MAX > UINT32_MAX
enum { CP_GATE_INDEX_BITS = 22, CP_GATE_GENERATION_BITS = 26, CP_GATE_MARK_BITS = 16 };
#else
enum { CP_GATE_INDEX_BITS = 14, CP_GATE_GENERATION_BITS = 13, CP_GATE_MARK_BITS = 5 };
#endif

enum cp_gate_kind { CP_GATE_NETWORK = 1, CP_GATE_TRAINER = 2, CP_GATE_PREDICTOR = 3 };

#ifdef CP_IS_BARE
enum { CP_GATES_PER_CHUNK = 16 };
#else
enum { CP_GATES_PER_CHUNK = 256 };
#endif
enum { CP_GATE_CHUNKS = (1 << CP_GATE_INDEX_BITS) / CP_GATES_PER_CHUNK };

/* The table: chunks of gates, filled in order, and a list of gates that can be reused. */
typedef struct cp_gate_table {
    void *chunks[CP_GATE_CHUNKS];
    uint32_t count; /* gates created so far */
    cp_gate *unused;
} cp_gate_table;

static inline cp_gate_table *cp_gates(void) {
    extern cp_gate_table cp_gates_storage __attribute__((visibility("hidden")));
    return &cp_gates_storage;
}

/* One gate that this thread is inside of while a callback of the host may run. A call from the callback to the same object
 * is found by its visit and refused. */
typedef struct cp_visit {
    cp_gate *gate;
    bool writes;
    bool lost; /* in the child of a fork during the visit: the work shared with other threads was not completed */
    struct cp_visit *outer;
} cp_visit;

cp_visit *cp_current_visit(void);
void cp_set_current_visit(cp_visit *visit);

/* Different for all threads that exist at the same time. */
const void *cp_thread_identity(void);

/* In the child of a fork: removes all other threads from the gates and their queues. The handle of an object that another
 * thread was changing, or of a network that another thread was fitting, becomes invalid. The object's memory is not freed,
 * because its state may be inconsistent. This thread's own visits stay. The caller holds cp_lock. */
void cp_gates_after_fork(void);

/* A number that is different for each copy of this library in one process. */
static inline uint64_t cp_library_mark(void) { return (uint64_t)(uintptr_t)cp_gates() >> 12; }

#endif
