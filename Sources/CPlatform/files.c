#define _GNU_SOURCE
#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "memory.h"

int cp_read_file(const char *path, size_t limit, uint8_t **bytes_out, size_t *count_out) {
    *bytes_out = NULL;
    *count_out = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a FIFO must not hold the host up */
    if (fd < 0) return errno;
    struct stat info;
    int error = 0;
    uint8_t *bytes = NULL;
    size_t size = 0, at = 0;
    if (fstat(fd, &info) != 0) error = errno;
    else if (S_ISDIR(info.st_mode)) error = EISDIR;
    else if (!S_ISREG(info.st_mode)) error = EINVAL;
    else if ((uint64_t)info.st_size > limit) error = EFBIG;
    else if (!(bytes = cp_allocate_bytes(size = (size_t)info.st_size))) error = ENOMEM;
    while (!error && at < size) {
        ssize_t n = read(fd, bytes + at, size - at);
        if (n > 0) at += (size_t)n;
        else if (n == 0) break; /* shorter than it was: the loader will say what is missing */
        else if (errno != EINTR) error = errno;
    }
    close(fd);
    if (error) {
        cp_free(bytes);
        return error;
    }
    *bytes_out = bytes;
    *count_out = at;
    return 0;
}

const char *cp_describe_errno(int code, char *buffer, size_t capacity) { return strerror_r(code, buffer, capacity); }
