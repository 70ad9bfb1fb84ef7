#include "this_thread.h"

#include "libraries.h"

CP_THREAD_LOCAL cp_thread cp_this_thread;

void *cp_plugin_table_storage;

void *cp_current_plugin_file(void) { return cp_this_thread.plugin_file; }
void cp_set_current_plugin_file(void *file) { cp_this_thread.plugin_file = file; }
