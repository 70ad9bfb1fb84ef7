#include "environment.h"

#include "this_thread.h"

/* Distinguishes an environment whose bits are all 0 from "none". */
#define IS_SET (UINT64_C(1) << 63)

uint64_t cp_host_environment(void) { return cp_this_thread.host; }
void cp_set_host_environment(uint64_t environment) { cp_this_thread.host = environment; }

void cp_restore_changed_environment(uint64_t before) { cp_set_environment(before | (cp_environment() & CP_QUIET_FLAGS)); }

uint64_t cp_begin_work(uint64_t callers) {
    uint64_t outer = cp_this_thread.host;
    cp_this_thread.host = callers | IS_SET;
    cp_set_environment(CP_DEFAULT_ENVIRONMENT);
    return outer;
}

void cp_end_work(uint64_t begun) { cp_this_thread.host = begun; }

/* The callback may call the library: such a call begins with no host environment set. */
void cp_enter_host(uint64_t environment) {
    cp_this_thread.host = 0;
    cp_set_environment(environment & ~IS_SET);
}

void cp_leave_host(uint64_t environment) {
    cp_this_thread.host = environment;
    cp_set_environment(CP_DEFAULT_ENVIRONMENT);
}
