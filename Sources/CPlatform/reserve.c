#include "reserve.h"

#ifdef BACKPROP_EMBEDDED

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>

int __real_posix_memalign(void **memory_out, size_t alignment, size_t size);
void __real_free(void *memory);
int __wrap_posix_memalign(void **memory_out, size_t alignment, size_t size);
void __wrap_free(void *memory);

enum { LINE = 64, CLASSES = 128 };

/* What comes before each block. */
typedef struct block {
    struct block *next; /* of those given back, of the same class */
    size_t size_class;
} block;

/* Taken from front to back, but for blocks that were given back; begun anew when all were. */
typedef struct arena {
    struct arena *next;
    size_t size, used;
    size_t blocks; /* not given back yet */
    block *given_back[CLASSES];
} arena;

enum { FIRST = (sizeof(arena) + LINE - 1) & ~(LINE - 1), ARENA_SIZE = 2 * CP_RESERVE_BYTES };

int cp_reserve_state;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static arena *arenas; /* the first one is taken from; the others wait for their blocks to come back */
static size_t blocks; /* in all arenas */

void cp_lock_reserve(void) { pthread_mutex_lock(&mutex); }
void cp_unlock_reserve(void) { pthread_mutex_unlock(&mutex); }

static size_t left(void) { return arenas ? arenas->size - arenas->used : 0; }

/* The state is read without the mutex. */
static void look(void) {
    int state = CP_RESERVE_NONE;
    if (left() >= CP_RESERVE_BYTES) state = arenas->size > ARENA_SIZE ? CP_RESERVE_LARGE : CP_RESERVE_THERE;
    __atomic_store_n(&cp_reserve_state, state, __ATOMIC_RELAXED);
}

static void drop(arena **link) {
    arena *empty = *link;
    *link = empty->next;
    __real_free(empty);
}

/* 32, 40, 48, 56, 64, 80 and so on: four sizes to a power of two. */
static size_t size_of(size_t size_class) { return (4 + size_class % 4) << (size_class / 4 + 3); }

/* Puts a new arena of that size first; in place of one that nothing is in. */
static void make(size_t size) {
    arena *made = aligned_alloc(LINE, (size + LINE - 1) & ~(size_t)(LINE - 1));
    if (!made) return;
    if (arenas && arenas->blocks == 0) drop(&arenas);
    *made = (arena){.next = arenas, .size = size, .used = FIRST};
    arenas = made;
}

bool cp_make_reserve(size_t more) {
    if (more > SIZE_MAX / 4) return false;
    size_t needed = CP_RESERVE_BYTES + more;
    cp_lock_reserve();
    if (left() < needed) make(needed > ARENA_SIZE - FIRST ? needed + FIRST : ARENA_SIZE);
    bool there = left() >= needed;
    look();
    cp_unlock_reserve();
    return there;
}

void cp_trim_reserve(void) {
    cp_lock_reserve();
    if (arenas && arenas->size > ARENA_SIZE) make(ARENA_SIZE); /* in front, or in place, of the large one */
    look();
    cp_unlock_reserve();
}

/* A block of the first arena's, on a multiple of alignment, or NULL. */
static block *find(size_t size_class, size_t alignment) {
    block *found = arenas->given_back[size_class];
    if (found && ((uintptr_t)(found + 1) & (alignment - 1)) == 0) {
        arenas->given_back[size_class] = found->next;
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

static int take(void **memory_out, size_t alignment, size_t size) {
    size_t size_class = 0;
    while (size_class < CLASSES - 1 && size_of(size_class) < size) size_class++;
    cp_lock_reserve();
    block *found = arenas && size_of(size_class) >= size ? find(size_class, alignment > 16 ? alignment : 16) : NULL;
    if (found) {
        arenas->blocks++;
        __atomic_add_fetch(&blocks, 1, __ATOMIC_RELAXED);
        look();
        *memory_out = found + 1;
    }
    cp_unlock_reserve();
    return found ? 0 : ENOMEM;
}

/* Whether the memory was of the reserve. */
static bool give_back(void *memory) {
    cp_lock_reserve();
    arena **link = &arenas;
    while (*link && !((char *)memory > (char *)*link && (char *)memory < (char *)*link + (*link)->size)) link = &(*link)->next;
    arena *found = *link;
    if (found) {
        block *given = (block *)memory - 1, **list = &found->given_back[given->size_class];
        given->next = *list;
        *list = given;
        __atomic_sub_fetch(&blocks, 1, __ATOMIC_RELAXED);
        if (--found->blocks == 0 && found == arenas) *found = (arena){.next = found->next, .size = found->size, .used = FIRST};
        else if (found->blocks == 0) drop(link);
        look();
    }
    cp_unlock_reserve();
    return found != NULL;
}

int __wrap_posix_memalign(void **memory_out, size_t alignment, size_t size) {
    int error = __real_posix_memalign(memory_out, alignment, size);
    return error ? take(memory_out, alignment, size) : 0;
}

void __wrap_free(void *memory) {
    if (__atomic_load_n(&blocks, __ATOMIC_RELAXED) == 0 || !give_back(memory)) __real_free(memory);
}

#else

#include <stdint.h>

/* An ordinary Swift program ends when there is no memory for its objects, whoever makes them. */
int cp_reserve_state = CP_RESERVE_THERE;
bool cp_make_reserve(size_t more) { return more <= SIZE_MAX / 4; }
void cp_trim_reserve(void) {}
void cp_lock_reserve(void) {}
void cp_unlock_reserve(void) {}

#endif
