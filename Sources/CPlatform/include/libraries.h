/* Shared objects, and the functions in them. */
#ifndef CPLATFORM_LIBRARIES_H
#define CPLATFORM_LIBRARIES_H

#include <stddef.h>

#include "foreign.h"
#include "reason.h"

/* Opens a shared object; for NULL, the process itself. The path is bytes ended by NUL. If it returns NULL, reason holds the
 * system's message, one line. */
void *cp_open_library(const char *path, char reason[CP_REASON_SIZE]);
void cp_close_library(void *library);
/* The function with this name; NULL if the symbol does not exist or is a variable. */
cp_foreign_function cp_find_function(void *library, const char *symbol);
/* Opens the shared object that contains a function again, which increments its reference count. NULL for code of the
 * program itself or outside of all shared objects. */
void *cp_open_library_of(cp_foreign_function function);

/* The plug-in file whose entry point runs on this thread. */
void *cp_current_plugin_file(void);
void cp_set_current_plugin_file(void *file);

/* The location of the pointer to the function table for plug-in files. The pointer is NULL until the first plug-in is
 * loaded; the table is never freed. */
static inline void **cp_plugin_table(void) {
    extern void *cp_plugin_table_storage;
    return &cp_plugin_table_storage;
}

#endif
