/* A function of the C library that Embedded Swift needs and WASI's C library lacks. Only seeds hash tables. */
#ifdef __wasi__

#include <stddef.h>
#include <unistd.h>

void arc4random_buf(void *buffer, size_t count) {
    for (size_t at = 0; at < count; at += 256) getentropy((char *)buffer + at, count - at < 256 ? count - at : 256);
}

#endif
