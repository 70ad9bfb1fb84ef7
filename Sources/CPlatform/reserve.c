#include "reserve.h"

#if defined(BACKPROP_EMBEDDED) && !defined(__APPLE__)

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>

#ifdef __wasm_atomics__ /* wasm_threads/allocation.c */
#define __real_posix_memalign cp_locked_posix_memalign
#define __real_free cp_locked_free
#endif
int __real_posix_memalign(void **memory_out, size_t alignment, size_t size);
void __real_free(void *memory);
int __wrap_posix_memalign(void **memory_out, size_t alignment, size_t size);
void __wrap_free(void *memory);

enum { LINE = 64, CLASSES = 128 };

/* The header of a block. */
typedef struct block {
    struct block *next; /* in the list of free blocks of its size class */
    size_t size_class;
} block;

/* Blocks are allocated from front to back; freed blocks are reused. When all blocks are free, the arena is reset. */
typedef struct arena {
    struct arena *next;
    size_t size, used;
    size_t blocks; /* allocated, not freed yet */
    block *free_blocks[CLASSES];
} arena;

enum { FIRST = (sizeof(arena) + LINE - 1) & ~(LINE - 1), ARENA_SIZE = 2 * CP_RESERVE_BYTES };

int cp_reserve_state;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static arena *arenas; /* blocks are allocated from the first; each other one is freed when its last block is */
static size_t blocks; /* allocated in all arenas */

void cp_lock_reserve(void) { pthread_mutex_lock(&mutex); }
void cp_unlock_reserve(void) { pthread_mutex_unlock(&mutex); }

static size_t available(void) { return arenas ? arenas->size - arenas->used : 0; }

/* The state is read without the mutex. */
static void update_state(void) {
    int state = CP_RESERVE_NONE;
    if (available() >= CP_RESERVE_BYTES) state = arenas->size > ARENA_SIZE ? CP_RESERVE_LARGE : CP_RESERVE_READY;
    __atomic_store_n(&cp_reserve_state, state, __ATOMIC_RELAXED);
}

static void free_arena(arena **link) {
    arena *empty = *link;
    *link = empty->next;
    __real_free(empty);
}

/* 32, 40, 48, 56, 64, 80 and so on: four sizes per power of two. */
static size_t size_of(size_t size_class) { return (4 + size_class % 4) << (size_class / 4 + 3); }

/* Adds a new arena in front of the others. It replaces the first one if that has no blocks. */
static void add_arena(size_t size) {
    arena *added = aligned_alloc(LINE, (size + LINE - 1) & ~(size_t)(LINE - 1));
    if (!added) return;
    if (arenas && arenas->blocks == 0) free_arena(&arenas);
    *added = (arena){.next = arenas, .size = size, .used = FIRST};
    arenas = added;
}

bool cp_make_reserve(uint64_t more) {
    if (more > SIZE_MAX / 4) return false;
    size_t needed = CP_RESERVE_BYTES + (size_t)more;
    cp_lock_reserve();
    if (available() < needed) add_arena(needed > ARENA_SIZE - FIRST ? needed + FIRST : ARENA_SIZE);
    bool is_enough = available() >= needed;
    update_state();
    cp_unlock_reserve();
    return is_enough;
}

void cp_trim_reserve(void) {
    cp_lock_reserve();
    if (arenas && arenas->size > ARENA_SIZE) add_arena(ARENA_SIZE); /* in front of the large one, or in its place */
    update_state();
    cp_unlock_reserve();
}

/* A block of the first arena whose memory is a multiple of alignment, or NULL. */
static block *find_block(size_t size_class, size_t alignment) {
    block *found = arenas->free_blocks[size_class];
    if (found && ((uintptr_t)(found + 1) & (alignment - 1)) == 0) {
        arenas->free_blocks[size_class] = found->next;
        return found;
    }
    uintptr_t first = (uintptr_t)arenas + arenas->used + sizeof(block);
    size_t start = ((first + alignment - 1) & ~(alignment - 1)) - (uintptr_t)arenas, size = size_of(size_class);
    if (start > arenas->size || size > arenas->size - start) return NULL;
    arenas->used = start + size;
    found = (block *)((char *)arenas + start) - 1;
    found->size_class = size_class;
    return found;
}

static int allocate(void **memory_out, size_t alignment, size_t size) {
    size_t size_class = 0;
    while (size_class < CLASSES - 1 && size_of(size_class) < size) size_class++;
    cp_lock_reserve();
    block *found = arenas && size_of(size_class) >= size ? find_block(size_class, alignment > 16 ? alignment : 16) : NULL;
    if (found) {
        arenas->blocks++;
        __atomic_add_fetch(&blocks, 1, __ATOMIC_RELAXED);
        update_state();
        *memory_out = found + 1;
    }
    cp_unlock_reserve();
    return found ? 0 : ENOMEM;
}

/* Frees memory of the reserve; returns false if the memory is not of the reserve. */
static bool free_block(void *memory) {
    cp_lock_reserve();
    arena **link = &arenas;
    while (*link && !((char *)memory > (char *)*link && (char *)memory < (char *)*link + (*link)->size)) link = &(*link)->next;
    arena *found = *link;
    if (found) {
        block *freed = (block *)memory - 1, **list = &found->free_blocks[freed->size_class];
        freed->next = *list;
        *list = freed;
        __atomic_sub_fetch(&blocks, 1, __ATOMIC_RELAXED);
        if (--found->blocks == 0 && found == arenas) *found = (arena){.next = found->next, .size = found->size, .used = FIRST};
        else if (found->blocks == 0) free_arena(link);
        update_state();
    }
    cp_unlock_reserve();
    return found != NULL;
}

int __wrap_posix_memalign(void **memory_out, size_t alignment, size_t size) {
    int error = __real_posix_memalign(memory_out, alignment, size);
    return error ? allocate(memory_out, alignment, size) : 0;
}

void __wrap_free(void *memory) {
    if (__atomic_load_n(&blocks, __ATOMIC_RELAXED) == 0 || !free_block(memory)) __real_free(memory);
}

#else

#include <stdint.h>

/* On Apple's systems, whose linker has no --wrap, and with the ordinary Swift runtime, a program ends when an allocation of an
 * object fails, in the library or elsewhere. */
int cp_reserve_state = CP_RESERVE_READY;
bool cp_make_reserve(uint64_t more) { return more <= SIZE_MAX / 4; }
void cp_trim_reserve(void) {}
void cp_lock_reserve(void) {}
void cp_unlock_reserve(void) {}

#endif
