#include "error_text.h"

#include <pthread.h>
#include <stdlib.h>

#include "this_thread.h"

enum { SIZE = 1024 };

static const char out_of_memory[] = "out of memory: the error message cannot be stored";

static pthread_key_t key; /* its destructor frees a thread's text when the thread ends */
static bool has_key;

static void free_text(void *text) {
    cp_this_thread.error_text = cp_this_thread.error_buffer = NULL; /* a later destructor may call the library again */
    free(text);
}

__attribute__((constructor)) static void create_key(void) { has_key = pthread_key_create(&key, free_text) == 0; }

/* This thread's buffer of SIZE bytes; NULL when memory is exhausted. */
static char *text_buffer(void) {
    if (cp_this_thread.error_buffer) return cp_this_thread.error_buffer;
    char *buffer = malloc(SIZE);
    if (buffer && has_key && pthread_setspecific(key, buffer) != 0) {
        free(buffer);
        buffer = NULL;
    }
    return cp_this_thread.error_buffer = buffer;
}

void cp_set_static_error_text(const char *text) { cp_this_thread.error_text = text; }

void cp_set_error_text(const uint8_t *utf8, size_t count) {
    char *text = text_buffer();
    cp_this_thread.error_text = text ? text : out_of_memory;
    if (!text) return;
    if (count > SIZE - 1) {
        count = SIZE - 1;
        while (count > 0 && (utf8[count] & 0xc0) == 0x80) count--;
    }
    for (size_t i = 0; i < count; i++) text[i] = utf8[i] < 0x20 || utf8[i] == 0x7f ? '?' : (char)utf8[i];
    text[count] = 0;
}

const char *cp_error_text(void) { return cp_this_thread.error_text ? cp_this_thread.error_text : ""; }
