/* heap.h: replaces malloc, calloc, posix_memalign, aligned_alloc and free of the program. The library calls them too. They
 * count allocations while heap_watched is set, and fail when heap_refuses returns true. The library under test is therefore the
 * one that is shipped. Include this in one source file of a program. glibc's own functions allocate the memory. */
#ifndef HEAP_H
#define HEAP_H

#include <errno.h>
#include <malloc.h>
#include <stddef.h>
#include <stdlib.h>

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_memalign(size_t alignment, size_t size);
void __libc_free(void *memory);

static int heap_watched;
static long heap_bytes, heap_blocks, heap_peak; /* allocated and not freed; and the largest number of such bytes */
static long heap_calls;                         /* allocated blocks, freed or not */

/* Called before each allocation, if set. Only Swift's objects, strings and arrays come from posix_memalign. */
static int (*heap_refuses)(int is_of_swift);

static void *heap_counted(void *memory) {
    if (heap_watched && memory) {
        heap_bytes += (long)malloc_usable_size(memory);
        heap_blocks++;
        heap_calls++;
        if (heap_bytes > heap_peak) heap_peak = heap_bytes;
    }
    return memory;
}

static int heap_refused(int is_of_swift) {
    if (!heap_refuses || !heap_refuses(is_of_swift)) return 0;
    errno = ENOMEM;
    return 1;
}

void *malloc(size_t size) { return heap_refused(0) ? NULL : heap_counted(__libc_malloc(size)); }

void *calloc(size_t count, size_t size) { return heap_refused(0) ? NULL : heap_counted(__libc_calloc(count, size)); }

void *aligned_alloc(size_t alignment, size_t size) {
    return heap_refused(0) ? NULL : heap_counted(__libc_memalign(alignment, size));
}

int posix_memalign(void **memory_out, size_t alignment, size_t size) {
    void *memory = heap_refused(1) ? NULL : heap_counted(__libc_memalign(alignment, size));
    if (!memory) return ENOMEM;
    *memory_out = memory;
    return 0;
}

void free(void *memory) {
    if (heap_watched && memory) {
        heap_bytes -= (long)malloc_usable_size(memory);
        heap_blocks--;
    }
    __libc_free(memory);
}

/* Resets the counts and starts counting. */
static inline void heap_watch(void) {
    heap_bytes = heap_blocks = heap_peak = heap_calls = 0;
    heap_watched = 1;
}

#endif
