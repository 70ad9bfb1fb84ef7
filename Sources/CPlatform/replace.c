/* Replacing a file so that at any instant the old or the new one is there, whole.
 *
 * The bytes go to a temporary file beside it, which takes the file's name when they are on the disk. A process may be
 * killed before: so the temporary file's name follows from the file's, but for one of a few numbers, and who writes it
 * holds a lock on it (flock), which the system takes back when the process ends, whatever way. The next to save the same
 * file finds what is left, can lock it, and removes it. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "files.h"
#include "memory.h"

enum { NUMBERS = 16, NAME_SIZE = 64, MOST_LINKS = 40 };

/* Where the file to be replaced is, and the name of the temporary one. */
typedef struct {
    char *path;       /* no symbolic link */
    size_t folder;    /* of path: how many characters name its folder, the last slash included */
    struct stat old;  /* st_mode 0 where there is none */
    char *temporary;  /* the folder, and room for NAME_SIZE more */
} place;

static size_t folder_of(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? (size_t)(slash - path) + 1 : 0;
}

/* first[0 ..< count] and then second. */
static char *join(const char *first, size_t count, const char *second) {
    size_t rest = strlen(second) + 1;
    char *joined = (char *)cp_allocate_bytes(count + rest);
    if (!joined) return NULL;
    memcpy(joined, first, count);
    memcpy(joined + count, second, rest);
    return joined;
}

/* Follows symbolic links: who saves to one means the file it leads to, there already or not. */
static int follow(const char *path, place *at) {
    char link[PATH_MAX];
    if (!(at->path = join(path, 0, path))) return ENOMEM;
    for (int links = 0; links <= MOST_LINKS; links++) {
        if (lstat(at->path, &at->old) != 0) {
            at->old.st_mode = 0;
            return errno == ENOENT ? 0 : errno;
        }
        if (!S_ISLNK(at->old.st_mode)) return 0;
        ssize_t n = readlink(at->path, link, sizeof link);
        if (n < 0) return errno;
        if (n == sizeof link) return ENAMETOOLONG;
        link[n] = 0;
        char *next = join(at->path, link[0] == '/' ? 0 : folder_of(at->path), link);
        if (!next) return ENOMEM;
        cp_free(at->path);
        at->path = next;
    }
    return ELOOP;
}

static int find(const char *path, place *at) {
    int error = follow(path, at);
    if (error) return error;
    if (S_ISDIR(at->old.st_mode)) return EISDIR;
    if (at->old.st_mode && !S_ISREG(at->old.st_mode)) return EINVAL; /* a device is not for us to replace */
    at->folder = folder_of(at->path);
    at->temporary = (char *)cp_allocate_bytes(at->folder + NAME_SIZE);
    if (!at->temporary) return ENOMEM;
    memcpy(at->temporary, at->path, at->folder);
    return 0;
}

static void name(place *at, unsigned number) {
    uint64_t hash = 0xcbf29ce484222325; /* FNV-1a: the name itself may be too long to be made longer */
    for (const char *c = at->path + at->folder; *c; c++) hash = (hash ^ (uint8_t)*c) * 0x100000001b3;
    snprintf(at->temporary + at->folder, NAME_SIZE, ".bp-%016llx-%u.tmp", (unsigned long long)hash, number);
}

/* Whether the open file still has that name. */
static bool is_named(int fd, const char *path) {
    struct stat open_one, named;
    return fstat(fd, &open_one) == 0 && lstat(path, &named) == 0 && open_one.st_dev == named.st_dev &&
           open_one.st_ino == named.st_ino;
}

/* Removes what a process that is no more has left under this name. Only who holds the lock removes or renames, so the
 * name cannot pass to another file between looking and removing. */
static void remove_left_over(const char *path) {
    int fd = open(path, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) return;
    if (flock(fd, LOCK_EX | LOCK_NB) == 0 && is_named(fd, path)) unlink(path);
    close(fd);
}

/* A new file of this name, locked; -1 and EEXIST where another is at it. Without locks in the file system nothing left
 * over is ever removed, and so nothing that is in use. */
static int create(const char *path) {
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0) return fd;
    if ((flock(fd, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK) && is_named(fd, path)) return fd;
    close(fd);
    errno = EEXIST;
    return -1;
}

static int create_temporary(place *at) {
    for (unsigned number = 0; number < NUMBERS; number++) {
        name(at, number);
        remove_left_over(at->temporary);
    }
    for (unsigned number = 0; number < NUMBERS; number++) {
        name(at, number);
        int fd = create(at->temporary);
        if (fd >= 0 || errno != EEXIST) return fd;
    }
    for (int attempt = 0; attempt < 100; attempt++) { /* all taken: a name that hardly two come by at once */
        struct timespec now;
        clock_gettime(CLOCK_MONOTONIC, &now);
        name(at, NUMBERS + (unsigned)now.tv_nsec);
        int fd = create(at->temporary);
        if (fd >= 0 || errno != EEXIST) return fd;
    }
    return -1;
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

/* Puts the bytes on the disk, with the rights and, where we may, the owner of the file they replace. */
static int fill(int fd, const struct stat *old, const uint8_t *bytes, size_t count) {
    if (old->st_mode) {
        if (fchown(fd, old->st_uid, old->st_gid) != 0 && errno != EPERM) return errno;
        if (fchmod(fd, old->st_mode & 07777) != 0) return errno;
    }
    int error = write_all(fd, bytes, count);
    if (!error && fsync(fd) != 0) error = errno;
    return error;
}

/* The new name, too, must be on the disk. Folders that may not be read, or file systems that know no such thing, are
 * left to themselves. */
static int sync_folder(place *at) {
    at->temporary[at->folder] = 0;
    int fd = open(at->folder ? at->temporary : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), error = 0;
    if (fd < 0) return errno == EACCES ? 0 : errno;
    if (fsync(fd) != 0 && errno != EINVAL && errno != ENOTSUP && errno != EROFS) error = errno;
    close(fd);
    return error;
}

int cp_replace_file(const char *path, const uint8_t *bytes, size_t count) {
    place at = {0};
    int error = find(path, &at);
    if (!error) {
        int fd = create_temporary(&at);
        error = fd < 0 ? errno : fill(fd, &at.old, bytes, count);
        if (!error && rename(at.temporary, at.path) != 0) error = errno;
        if (error && fd >= 0) unlink(at.temporary);
        if (fd >= 0) close(fd); /* last: with it goes the lock */
        if (!error) error = sync_folder(&at);
    }
    cp_free(at.path);
    cp_free(at.temporary);
    return error;
}
