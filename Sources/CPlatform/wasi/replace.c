/* Replaces a file by a renamed temporary file. WASI has no locks, owners, rights or signals. */
#ifdef __wasi__
#include "parts.h"
#if CP_HAS_FILES
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "../posix/file_reason.h"
#include "memory.h"

static int write_all(int file, const uint8_t *bytes, size_t count) {
    while (count > 0) {
        ssize_t n = write(file, bytes, count);
        if (n < 0) return errno;
        bytes += n;
        count -= (size_t)n;
    }
    return fsync(file) == 0 ? 0 : errno;
}

static int replace(const char *path, const char *temporary, const uint8_t *bytes, size_t count) {
    int file = open(temporary, O_WRONLY | O_CREAT | O_TRUNC, 0666);
    if (file < 0) return errno;
    int error = write_all(file, bytes, count);
    if (close(file) != 0 && !error) error = errno;
    if (!error && rename(temporary, path) != 0) error = errno;
    if (error) unlink(temporary);
    return error;
}

int cp_replace_file(const char *path, const uint8_t *bytes, size_t count, char reason[CP_REASON_SIZE]) {
    static const char suffix[] = ".bp.tmp";
    struct stat info;
    if (stat(path, &info) == 0) {
        int error = cp_require_regular(reason, info.st_mode);
        if (error) return error;
    }
    size_t length = strlen(path);
    char *temporary = (char *)cp_allocate_bytes(length + sizeof suffix);
    if (!temporary) return cp_set_reason(reason, ENOMEM);
    memcpy(temporary, path, length);
    memcpy(temporary + length, suffix, sizeof suffix);
    int error = replace(path, temporary, bytes, count);
    cp_free(temporary);
    return error ? cp_set_reason(reason, error) : 0;
}
#endif
#endif
