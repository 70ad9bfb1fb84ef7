/* filecalls.h: replaces open, write, renameat and other system calls of the program. The library calls them too. Each calls a
 * hook first. The library under test is therefore the one that is shipped. Include this in one source file of a program,
 * which defines _GNU_SOURCE. */
#ifndef FILECALLS_H
#define FILECALLS_H

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <unistd.h>

/* Called before each call, if set. Returns the errno with which the call must fail, or 0. */
static int (*file_hook)(const char *name);
static size_t file_write_limit; /* the most bytes that one write accepts; 0: no limit */
static size_t file_bytes_read;

static int file_fails(const char *name) {
    int code = file_hook ? file_hook(name) : 0;
    if (code) errno = code;
    return code != 0;
}

/* With _FILE_OFFSET_BITS=64 on a 32-bit system, fstat is the symbol fstat64; other functions have one form. */
static void *file_real(const char *name) {
    char wide[32];
    void *function = NULL;
    snprintf(wide, sizeof wide, "%s64", name);
    if (sizeof(long) < sizeof(off_t)) function = dlsym(RTLD_NEXT, wide);
    return function ? function : dlsym(RTLD_NEXT, name);
}

#define FILE_CALL(type, name, parameters, arguments)                \
    type name parameters {                                          \
        static type(*original) parameters;                          \
        if (!original) *(void **)&original = file_real(#name);      \
        return file_fails(#name) ? (type) - 1 : original arguments; \
    }
FILE_CALL(ssize_t, read, (int fd, void *buffer, size_t count), (fd, buffer, count))
FILE_CALL(int, fsync, (int fd), (fd))
FILE_CALL(int, flock, (int fd, int operation), (fd, operation))
FILE_CALL(int, fchmod, (int fd, mode_t mode), (fd, mode))
FILE_CALL(int, fchown, (int fd, uid_t owner, gid_t group), (fd, owner, group))
FILE_CALL(int, stat, (const char *path, struct stat *info), (path, info))
FILE_CALL(int, fstat, (int fd, struct stat *info), (fd, info))
FILE_CALL(int, fstatat, (int folder, const char *path, struct stat *info, int flags), (folder, path, info, flags))
FILE_CALL(int, fstatfs, (int fd, struct statfs *info), (fd, info))
FILE_CALL(int, renameat, (int from_folder, const char *from, int to_folder, const char *to), (from_folder, from, to_folder, to))
FILE_CALL(int, unlinkat, (int folder, const char *path, int flags), (folder, path, flags))
FILE_CALL(ssize_t, readlinkat, (int folder, const char *path, char *buffer, size_t count), (folder, path, buffer, count))
FILE_CALL(ssize_t, fgetxattr, (int fd, const char *name, void *value, size_t size), (fd, name, value, size))
FILE_CALL(int, fsetxattr, (int fd, const char *name, const void *value, size_t size, int flags), (fd, name, value, size, flags))
FILE_CALL(int, fremovexattr, (int fd, const char *name), (fd, name))

ssize_t pread(int fd, void *buffer, size_t count, off_t offset) {
    static ssize_t (*original)(int, void *, size_t, off_t);
    ssize_t n;
    if (!original) *(void **)&original = file_real("pread");
    n = file_fails("pread") ? -1 : original(fd, buffer, count, offset);
    if (n > 0) file_bytes_read += (size_t)n;
    return n;
}

ssize_t write(int fd, const void *buffer, size_t count) {
    static ssize_t (*original)(int, const void *, size_t);
    if (!original) *(void **)&original = file_real("write");
    return file_fails("write") ? -1
                               : original(fd, buffer, file_write_limit && count > file_write_limit ? file_write_limit : count);
}

int open(const char *path, int flags, ...) {
    static int (*original)(const char *, int, ...);
    va_list rest;
    mode_t mode;
    va_start(rest, flags);
    mode = flags & O_CREAT ? va_arg(rest, mode_t) : 0;
    va_end(rest);
    if (!original) *(void **)&original = file_real("open");
    return file_fails("open") ? -1 : original(path, flags, mode);
}

int openat(int folder, const char *path, int flags, ...) {
    static int (*original)(int, const char *, int, ...);
    va_list rest;
    mode_t mode;
    va_start(rest, flags);
    mode = flags & O_CREAT ? va_arg(rest, mode_t) : 0;
    va_end(rest);
    if (!original) *(void **)&original = file_real("openat");
    return file_fails("openat") ? -1 : original(folder, path, flags, mode);
}

int close(int fd) { /* closes the descriptor even when it returns an error */
    static int (*original)(int);
    int status;
    if (!original) *(void **)&original = file_real("close");
    status = original(fd);
    return file_fails("close") ? -1 : status;
}

#endif
