/* Functions of the C library that Embedded Swift needs and older C libraries lack. */
#if defined(BACKPROP_EMBEDDED) && defined(__linux__)

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* Only seeds hash tables, so the quality of the bytes does not matter. It cannot report a failure: without randomness from
 * the kernel it uses the clock. */
void arc4random_buf(void *buffer, size_t count) {
    uint8_t *bytes = buffer;
    while (count > 0) {
        long n = syscall(SYS_getrandom, bytes, count, 0);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) {
            struct timespec now;
            clock_gettime(CLOCK_MONOTONIC, &now);
            for (n = 0; (size_t)n < count; n++) bytes[n] = (uint8_t)((uint64_t)now.tv_nsec >> (n % 4 * 8));
        }
        bytes += n;
        count -= (size_t)n;
    }
}

#endif
