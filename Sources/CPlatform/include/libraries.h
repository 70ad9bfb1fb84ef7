/* Shared objects, and the functions in them. */
#ifndef CPLATFORM_LIBRARIES_H
#define CPLATFORM_LIBRARIES_H

#include <stddef.h>

#include "foreign.h"
#include "reason.h"

/* Opens a shared object, the process itself where path is NULL. The path is bytes
 * ended by NUL. NULL: reason holds the system's, one line. */
void *cp_open_library(const char *path, char reason[CP_REASON_SIZE]);
void cp_close_library(void *library);
/* The function of that name; NULL where there is none, or it is no function. */
cp_foreign_function cp_find_function(void *library, const char *symbol);
/* The shared object that holds a function, opened once more; NULL for code that is in none, or in the program. */
void *cp_open_library_of(cp_foreign_function function);

/* The plug-in file whose entry point runs on this thread. */
void *cp_current_plugin_file(void);
void cp_set_current_plugin_file(void *file);

/* Where the table of functions is that plug-in files are given: NULL until the first asks for it, then there for ever. */
static inline void **cp_plugin_table(void) {
    extern void *cp_plugin_table_storage;
    return &cp_plugin_table_storage;
}

#endif
