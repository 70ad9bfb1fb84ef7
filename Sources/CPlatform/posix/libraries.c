#define _GNU_SOURCE
#include "libraries.h"

#include "parts.h"
#if CP_HAS_LIBRARIES
#include <dlfcn.h>
#include <stdio.h>
#ifdef __GLIBC__
#include <link.h>
#endif

void *cp_open_library(const char *path, char reason[CP_REASON_SIZE]) {
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!library) {
        const char *text = dlerror();
        snprintf(reason, CP_REASON_SIZE, "%s", text ? text : "unknown error");
    }
    return library;
}

void cp_close_library(void *library) { dlclose(library); }

/* Whether the symbol table has a variable at exactly this address: calling a variable would crash the process. Only glibc
 * reports it. */
static int is_variable(void *address) {
#ifdef __GLIBC__
    Dl_info info;
    ElfW(Sym) *symbol = NULL;
    if (!dladdr1(address, &info, (void **)&symbol, RTLD_DL_SYMENT) || !symbol || info.dli_saddr != address) return 0;
    int type = symbol->st_info & 15; /* the same in both sizes of ELF */
    return type == STT_OBJECT || type == STT_COMMON || type == STT_TLS;
#else
    (void)address;
    return 0;
#endif
}

cp_foreign_function cp_find_function(void *library, const char *symbol) {
    void *address = dlsym(library, symbol);
    if (!address || is_variable(address)) return NULL;
    return (cp_foreign_function)address;
}

void *cp_open_library_of(cp_foreign_function function) {
    Dl_info info;
    if (!dladdr((void *)function, &info) || !info.dli_fname || !info.dli_fname[0]) return NULL;
    return dlopen(info.dli_fname, RTLD_NOW | RTLD_NOLOAD);
}
#endif
