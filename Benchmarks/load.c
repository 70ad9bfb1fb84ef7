/* load LIBRARY: the microseconds that dlopen and the first call take in a fresh process. */
#define _POSIX_C_SOURCE 199309L
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

int main(int argc, char **argv) {
    struct timespec start, end;
    clock_gettime(CLOCK_MONOTONIC, &start);
    void *library = argc == 2 ? dlopen(argv[1], RTLD_NOW) : NULL;
    uint32_t (*version)(void) = NULL;
    if (library) *(void **)&version = dlsym(library, "bp_version_number");
    if (!version || !version()) return fprintf(stderr, "usage: load LIBRARY\n"), 1;
    clock_gettime(CLOCK_MONOTONIC, &end);
    printf("%.1f\n", 1e6 * (double)(end.tv_sec - start.tv_sec) + 1e-3 * (double)(end.tv_nsec - start.tv_nsec));
    return 0;
}
