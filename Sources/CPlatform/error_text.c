#include "error_text.h"

#include <pthread.h>
#include <stdlib.h>

#include "this_thread.h"

enum { SIZE = 1024 };

static const char no_room[] = "out of memory: no room for the message";

static pthread_key_t key; /* ends a thread's text with the thread */
static bool has_key;

static void end(void *text) {
    cp_this_thread.error_text = NULL; /* another destructor of the thread may call the library again */
    free(text);
}

__attribute__((constructor)) static void make_key(void) { has_key = pthread_key_create(&key, end) == 0; }

/* SIZE bytes of this thread's; NULL where there is no memory. */
static char *own_text(void) {
    const char *text = cp_this_thread.error_text;
    if (text && text != no_room) return (char *)text;
    char *made = malloc(SIZE);
    if (made && has_key && pthread_setspecific(key, made) != 0) {
        free(made);
        made = NULL;
    }
    return made;
}

void cp_set_error_text(const uint8_t *utf8, size_t count) {
    char *text = own_text();
    cp_this_thread.error_text = text ? text : no_room;
    if (!text) return;
    if (count > SIZE - 1) {
        count = SIZE - 1;
        while (count > 0 && (utf8[count] & 0xc0) == 0x80) count--;
    }
    for (size_t i = 0; i < count; i++) text[i] = utf8[i] < 0x20 || utf8[i] == 0x7f ? '?' : (char)utf8[i];
    text[count] = 0;
}

const char *cp_error_text(void) { return cp_this_thread.error_text ? cp_this_thread.error_text : ""; }
