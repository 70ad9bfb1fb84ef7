/* Memory allocation that reports a failure. The allocation of Swift objects does not. */
#ifndef CPLATFORM_MEMORY_H
#define CPLATFORM_MEMORY_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* count floats, all 0, aligned to a cache line; NULL when memory is exhausted. Free with cp_free. */
float *cp_allocate_floats(size_t count);
/* count bytes, not initialized; NULL when memory is exhausted. Free with cp_free. */
uint8_t *cp_allocate_bytes(size_t count);
/* The bytes of the machine's memory, or of the address space where the system does not report them (WebAssembly). */
double cp_physical_memory(void);
static inline void cp_free(void *memory) { free(memory); }

static inline void cp_copy(void *to, const void *from, size_t bytes) { memcpy(to, from, bytes); }
static inline int cp_compare(const void *a, const void *b, size_t bytes) { return memcmp(a, b, bytes); }
static inline void cp_clear(void *memory, size_t bytes) { memset(memory, 0, bytes); }
static inline size_t cp_string_length(const char *text) { return strlen(text); }

#endif
