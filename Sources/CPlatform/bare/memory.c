/* Memory comes from the program's C library: from the arena that its _sbrk hands out. */
#include "parts.h"
#ifdef CP_IS_BARE
#include "memory.h"

#include <errno.h>
#include <malloc.h>

/* newlib's aligned_alloc calls posix_memalign, which newlib lacks. */
void *aligned_alloc(size_t alignment, size_t size) { return memalign(alignment, size); }

int posix_memalign(void **memory_out, size_t alignment, size_t size) {
    void *memory = memalign(alignment, size);
    if (memory) *memory_out = memory;
    return memory ? 0 : ENOMEM;
}

double cp_physical_memory(void) { return (double)SIZE_MAX; }

/* Only seeds hash tables. */
void arc4random_buf(void *buffer, size_t count) { memset(buffer, 0x5a, count); }
#endif
