/* replay.c: runs a fuzz target over files, without a fuzzer: replay FILE... */
#define _XOPEN_SOURCE 700
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

int LLVMFuzzerInitialize(int *count, char ***words);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

int main(int count, char **words) {
    /* Limits memory, so that huge but possible sizes are refused as on a small machine. */
    const struct rlimit memory = {(rlim_t)4 << 30, (rlim_t)4 << 30};
    static uint8_t bytes[1 << 20];
    if (!getenv("UNLIMITED")) (void)setrlimit(RLIMIT_AS, &memory); /* the sanitizers need more */
    LLVMFuzzerInitialize(&count, &words);
    for (int i = 1; i < count; i++) {
        FILE *file = fopen(words[i], "rb");
        if (!file) {
            perror(words[i]);
            return 1;
        }
        size_t size = fread(bytes, 1, sizeof bytes, file);
        fclose(file);
        if (getenv("VERBOSE")) fprintf(stderr, "%s\n", words[i]);
        (void)LLVMFuzzerTestOneInput(bytes, size);
    }
    printf("%d files replayed\n", count - 1);
    return 0;
}
