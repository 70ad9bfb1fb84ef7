/* A gate guards one object that callers know by a handle. Gates are never returned to the system, so that looking at
 * the gate of a handle that was freed, or never existed, is harmless. See Handle.swift. */
#ifndef CPLATFORM_GATE_H
#define CPLATFORM_GATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct cp_gate {
    uint64_t state;       /* generation << 32 | readers inside, or CP_GATE_WRITER */
    uint32_t next_ticket; /* threads that wait take a number */
    uint32_t now_serving;
    void *object;          /* retained; NULL while the gate is unused */
    uint32_t free_pending; /* free the object when the last one leaves */
    uint32_t index;
    struct cp_gate *next_unused;
    const void *fitter;  /* the thread that fits the object, or fits with it, as cp_thread_identity says; or NULL */
    uint32_t kind;       /* of the object */
    uint32_t calls_back; /* readers may wait in a host's callback */
    uint8_t padding[8];  /* a cache line each: threads at different gates do not meet */
} cp_gate;
_Static_assert(sizeof(cp_gate) == 64, "a gate is a cache line");

#define CP_GATE_WRITER 0xffffffffu

/* A handle holds so many bits of the generation. Generation 0 does not occur. */
enum { CP_GATE_GENERATION_BITS = 26 };

enum cp_gate_kind { CP_GATE_NETWORK = 1, CP_GATE_TRAINER = 2 };

enum { CP_GATES_PER_CHUNK = 256, CP_GATE_CHUNKS = 16384 };

/* The table: chunks of gates, filled up from the first; and a list of gates to be used again. */
typedef struct cp_gate_table {
    void *chunks[CP_GATE_CHUNKS];
    uint32_t count; /* gates ever made */
    cp_gate *unused;
} cp_gate_table;

static inline cp_gate_table *cp_gates(void) {
    extern cp_gate_table cp_gates_storage __attribute__((visibility("hidden")));
    return &cp_gates_storage;
}

/* What this thread is inside of while a host's callback may run: lets a callback that comes back be refused. */
typedef struct cp_visit {
    cp_gate *gate;
    bool writes;
    bool lost; /* forked inside, and the threads that shared the work are not in the child: it is not done */
    struct cp_visit *outer;
} cp_visit;

cp_visit *cp_current_visit(void);
void cp_set_current_visit(cp_visit *visit);

/* Differs between threads that live at the same time. */
const void *cp_thread_identity(void);

/* In the child of a fork: other threads are no longer inside gates, and wait at none. The handle of an object that one of
 * them was changing, or of a network that one was fitting, becomes invalid; the object's memory stays taken, for it may be
 * in any state. What this thread is inside of, it stays inside of. The caller holds cp_lock. */
void cp_gates_after_fork(void);

/* A number that differs between two copies of this library in one process. */
static inline uint64_t cp_library_mark(void) { return (uint64_t)(uintptr_t)cp_gates() >> 12; }

#endif
