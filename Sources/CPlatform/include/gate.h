/* A gate guards one object that callers know by a handle. Gates are never returned to the system, so that looking at
 * the gate of a handle that was freed, or never existed, is harmless. See Gate.swift. */
#ifndef CPLATFORM_GATE_H
#define CPLATFORM_GATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct cp_gate {
    uint64_t state;       /* generation << 32 | readers inside, or CP_GATE_WRITER */
    uint32_t next_ticket; /* threads that wait take a number */
    uint32_t now_serving;
    void *object;         /* retained; NULL while the gate is unused */
    uint32_t freePending;      /* free the object when the last one leaves */
    uint32_t index;
    struct cp_gate *next_unused;
    uint32_t kind;        /* of the object */
    uint8_t padding[20]; /* a cache line each: threads at different gates do not meet */
} cp_gate;
_Static_assert(sizeof(cp_gate) == 64, "a gate is a cache line");

#define CP_GATE_WRITER 0xffffffffu

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
    struct cp_visit *outer;
} cp_visit;

cp_visit *cp_current_visit(void);
void cp_set_current_visit(cp_visit *visit);

/* A number that differs between two copies of this library in one process. */
static inline uint64_t cp_library_mark(void) { return (uint64_t)(uintptr_t)cp_gates() >> 12; }

#endif
