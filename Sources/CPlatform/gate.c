#include "gate.h"

#include "this_thread.h"

cp_gate_table cp_gates_storage;

cp_visit *cp_current_visit(void) { return cp_this_thread.visit; }
void cp_set_current_visit(cp_visit *visit) { cp_this_thread.visit = visit; }
