#include "memory.h"

#include "parts.h"
#ifndef CP_IS_BARE
#include <unistd.h>
#endif

float *cp_allocate_floats(size_t count) {
    if (count > SIZE_MAX / sizeof(float) - 64) return NULL;
    size_t bytes = (count * sizeof(float) + 63) & ~(size_t)63;
    if (bytes == 0) bytes = 64;
    float *memory = aligned_alloc(64, bytes);
    if (memory) memset(memory, 0, bytes);
    return memory;
}

uint8_t *cp_allocate_bytes(size_t count) { return malloc(count ? count : 1); }

#ifndef CP_IS_BARE
double cp_physical_memory(void) {
    double pages = (double)sysconf(_SC_PHYS_PAGES);
    return pages > 0 ? pages * (double)sysconf(_SC_PAGESIZE) : (double)SIZE_MAX;
}
#endif
