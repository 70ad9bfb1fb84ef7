#include "gate.h"

#include "this_thread.h"

cp_gate_table cp_gates_storage;

cp_visit *cp_current_visit(void) { return cp_this_thread.visit; }
void cp_set_current_visit(cp_visit *visit) { cp_this_thread.visit = visit; }

const void *cp_thread_identity(void) { return &cp_this_thread; }

/* Makes the gate's handle invalid. The gate can be reused unless all its generations are used up. */
static void invalidate(cp_gate *gate, cp_gate_table *table) {
    uint64_t generation = ((gate->state >> 32) + 1) & (((uint64_t)1 << CP_GATE_GENERATION_BITS) - 1);
    gate->kind = 0;
    gate->object = gate->published = NULL;
    gate->fitter = NULL;
    gate->free_pending = gate->calls_back = 0;
    gate->state = generation << 32;
    if (generation == 0) return;
    gate->next_unused = table->unused;
    table->unused = gate;
}

static void remove_other_threads(cp_gate *gate, cp_gate_table *table) {
    uint32_t inside = 0; /* the number of this thread's visits to the gate */
    bool writes = false;
    for (const cp_visit *visit = cp_this_thread.visit; visit; visit = visit->outer) {
        if (visit->gate != gate) continue;
        inside++;
        writes = visit->writes;
    }
    /* While this thread fits the object, a writer of another thread is about to be refused: it changes nothing. */
    bool others_write = (uint32_t)gate->state == CP_GATE_WRITER && !writes && gate->fitter != &cp_this_thread;
    bool others_fit = gate->fitter && gate->fitter != &cp_this_thread;
    uint64_t state = (gate->state & ~(uint64_t)UINT32_MAX) | (writes ? CP_GATE_WRITER : inside);
    /* Written only where the values differ: an unmodified page stays shared with the parent. */
    if (gate->next_ticket || gate->now_serving) gate->next_ticket = gate->now_serving = 0;
    if (others_fit) gate->fitter = NULL;
    if (inside == 0 && (others_write || (others_fit && gate->kind == CP_GATE_NETWORK))) invalidate(gate, table);
    else if (gate->state != state) gate->state = state;
}

void cp_gates_after_fork(void) {
    cp_gate_table *table = cp_gates();
    for (uint32_t i = 0; i < table->count; i++)
        remove_other_threads((cp_gate *)table->chunks[i / CP_GATES_PER_CHUNK] + i % CP_GATES_PER_CHUNK, table);
}
