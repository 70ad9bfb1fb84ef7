/* WASI's C library is compiled for one thread. Its allocation functions are called with a lock. The linker redirects malloc and
 * aligned_alloc to this file, and posix_memalign and free to reserve.c. */
#ifdef __wasm_atomics__
#include <pthread.h>
#include <stddef.h>

void *__real_malloc(size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
int __real_posix_memalign(void **memory_out, size_t alignment, size_t size);
void __real_free(void *memory);
void *__wrap_malloc(size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);
int cp_locked_posix_memalign(void **memory_out, size_t alignment, size_t size);
void cp_locked_free(void *memory);

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

void *__wrap_malloc(size_t size) {
    pthread_mutex_lock(&mutex);
    void *memory = __real_malloc(size);
    pthread_mutex_unlock(&mutex);
    return memory;
}

void *__wrap_aligned_alloc(size_t alignment, size_t size) {
    pthread_mutex_lock(&mutex);
    void *memory = __real_aligned_alloc(alignment, size);
    pthread_mutex_unlock(&mutex);
    return memory;
}

int cp_locked_posix_memalign(void **memory_out, size_t alignment, size_t size) {
    pthread_mutex_lock(&mutex);
    int error = __real_posix_memalign(memory_out, alignment, size);
    pthread_mutex_unlock(&mutex);
    return error;
}

void cp_locked_free(void *memory) {
    pthread_mutex_lock(&mutex);
    __real_free(memory);
    pthread_mutex_unlock(&mutex);
}
#endif
