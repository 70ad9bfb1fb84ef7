#define _GNU_SOURCE
#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
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

static int write_all(int fd, const uint8_t *bytes, size_t count) {
    while (count > 0) {
        ssize_t n = write(fd, bytes, count < (1u << 30) ? count : (1u << 30));
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return errno;
        bytes += n;
        count -= (size_t)n;
    }
    return 0;
}

/* Creates a file of a new name in the folder of path; the name goes to temporary, the descriptor (or -1) is returned. */
static int create_temporary(const char *path, size_t folder, char *temporary, size_t capacity) {
    static uint32_t count;
    for (int attempt = 0; attempt < 1000; attempt++) {
        struct timespec now;
        clock_gettime(CLOCK_REALTIME, &now);
        uint32_t mix = (uint32_t)now.tv_nsec * 2654435761u + __atomic_fetch_add(&count, 1, __ATOMIC_RELAXED);
        snprintf(temporary, capacity, "%.*s.bp-%x-%08x.tmp", (int)folder, path, (unsigned)getpid(), mix);
        int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (fd >= 0 || errno != EEXIST) return fd;
    }
    return -1;
}

/* Puts the bytes on the disk, with the rights of the file they are to replace. */
static int fill(int fd, const char *path, const uint8_t *bytes, size_t count) {
    struct stat old;
    if (stat(path, &old) == 0) {
        if (S_ISDIR(old.st_mode)) return EISDIR;
        if (fchmod(fd, old.st_mode & 07777) != 0) return errno;
    }
    int error = write_all(fd, bytes, count);
    if (!error && fsync(fd) != 0) error = errno;
    return error;
}

int cp_replace_file(const char *path, const uint8_t *bytes, size_t count) {
    const char *slash = strrchr(path, '/');
    size_t folder = slash ? (size_t)(slash - path) + 1 : 0, capacity = folder + 48;
    if (folder > 65535) return ENAMETOOLONG;
    char *temporary = (char *)cp_allocate_bytes(capacity);
    if (!temporary) return ENOMEM;
    int fd = create_temporary(path, folder, temporary, capacity), error = fd < 0 ? errno : 0;
    if (!error) {
        error = fill(fd, path, bytes, count);
        if (close(fd) != 0 && !error) error = errno;
        if (!error && rename(temporary, path) != 0) error = errno;
        if (error) unlink(temporary);
    }
    if (!error) { /* the name, too, must be on the disk */
        temporary[folder] = 0;
        int at = open(folder ? temporary : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (at >= 0) {
            fsync(at);
            close(at);
        }
    }
    cp_free(temporary);
    return error;
}

const char *cp_describe_errno(int code, char *buffer, size_t capacity) { return strerror_r(code, buffer, capacity); }
