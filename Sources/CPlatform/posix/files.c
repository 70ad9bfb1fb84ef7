#define _GNU_SOURCE
#include "files.h"

#include "parts.h"
#if CP_HAS_FILES
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "file_reason.h"

int cp_open_file(const char *path, int *file_out, size_t *count_out, char reason[CP_REASON_SIZE]) {
    struct stat info;
    *file_out = -1;
    *count_out = 0;
    /* Checked before opening: opening a pipe or a device has effects on the process or the hardware at its other end. */
    if (stat(path, &info) != 0) return cp_set_reason(reason, errno);
    int error = cp_require_regular(reason, info.st_mode);
    if (error) return error;
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* the path may name another file now */
    if (file < 0) return cp_set_reason(reason, errno);
    error = fstat(file, &info) != 0 ? cp_set_reason(reason, errno) : cp_require_regular(reason, info.st_mode);
    if (!error && (uint64_t)info.st_size > SIZE_MAX / 2) error = cp_set_reason(reason, EFBIG);
    if (error) {
        close(file);
        return error;
    }
    *file_out = file;
    *count_out = (size_t)info.st_size;
    return 0;
}

int cp_read_file(int file, size_t offset, uint8_t *bytes, size_t count, char reason[CP_REASON_SIZE]) {
    while (count > 0) {
        ssize_t n = pread(file, bytes, count, (off_t)offset);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return cp_set_reason(reason, errno);
        if (n == 0) {
            snprintf(reason, CP_REASON_SIZE, "the file was truncated while it was read");
            return EIO;
        }
        bytes += n;
        offset += (size_t)n;
        count -= (size_t)n;
    }
    return 0;
}

void cp_close_file(int file) { close(file); }
#endif
