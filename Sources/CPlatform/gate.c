#include "gate.h"

cp_gate_table cp_gates_storage;

static _Thread_local cp_visit *current;

cp_visit *cp_current_visit(void) { return current; }
void cp_set_current_visit(cp_visit *visit) { current = visit; }
