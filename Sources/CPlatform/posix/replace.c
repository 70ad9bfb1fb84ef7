/* Replaces a file atomically: at any time, the complete old or the complete new file exists.
 *
 * The bytes are written to a temporary file in the same folder, which is renamed when the bytes are on the disk. The
 * process may be killed before that. So that the temporary file can be found later, its name is derived from the file's
 * name and one of a few numbers. The writer holds a lock on it (flock), which the system releases when the process ends
 * for any reason. The next call that saves the same file finds a temporary file left by a dead process, locks it, and
 * removes it.
 *
 * All names are resolved relative to the folder's descriptor: a relative path means the same folder from the first system
 * call to the last, even if another thread changes the process's working directory at the same time. */
#define _GNU_SOURCE
#include "parts.h"
#if CP_HAS_FILES && !defined(__wasi__)
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "../system.h"
#include "file_reason.h"

#ifndef O_PATH
#define O_PATH O_SEARCH /* of POSIX */
#endif

enum { NUMBERS = 16, TEMPORARY_SIZE = 64, MOST_LINKS = 40 };

/* The location of the file to be replaced. */
typedef struct {
    int folder;                 /* the folder's descriptor; -1 before it is open */
    char folder_name[PATH_MAX]; /* from the path, or from the latest symbolic link with a slash in it */
    char name[NAME_MAX + 1];    /* the file's name in the folder; not a symbolic link */
    int old;                    /* the descriptor of the old file, open for writing; -1 if there is none */
    struct stat old_info;
    char temporary[TEMPORARY_SIZE]; /* the temporary file's name in the folder */
    char *reason;
} location;

/* Reports an errno of a call that looked up or changed a name in the folder. */
static int fail_in_folder(const location *at, int code) {
    if (code == EACCES || code == EPERM || code == EROFS || code == ENOENT || code == ENOTDIR)
        return cp_set_reason_text(at->reason, code, "folder ", at->folder_name);
    return cp_set_reason(at->reason, code);
}

/* Opens the folder of a path. A relative path begins in the folder that is open, if any. */
static int open_folder(location *at, const char *path) {
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    size_t length = (size_t)(name - path);
    if (length >= sizeof at->folder_name || strlen(name) >= sizeof at->name) return cp_set_reason(at->reason, ENAMETOOLONG);
    if (slash || at->folder < 0) {
        int from = at->folder < 0 ? AT_FDCWD : at->folder;
        if (slash) memcpy(at->folder_name, path, length);
        else at->folder_name[length++] = '.';
        at->folder_name[length] = 0;
        at->folder = openat(from, at->folder_name, O_PATH | O_DIRECTORY | O_CLOEXEC);
        int error = errno;
        if (from >= 0) close(from);
        if (at->folder < 0) return fail_in_folder(at, error);
    }
    strcpy(at->name, name);
    return 0;
}

/* Follows symbolic links: the file to be replaced is the target of the links, whether it exists or not. Links in /proc are
 * refused: they lead to open files, which may have been renamed or deleted. */
static int follow_links(location *at, const char *path) {
    char target[PATH_MAX];
    int error = open_folder(at, path);
    for (int links = 0; !error; links++) {
        if (!at->name[0]) return cp_set_reason(at->reason, EISDIR);
        if (fstatat(at->folder, at->name, &at->old_info, AT_SYMLINK_NOFOLLOW) != 0) {
            at->old_info.st_mode = 0;
            return errno == ENOENT ? 0 : fail_in_folder(at, errno);
        }
        if (!S_ISLNK(at->old_info.st_mode)) return 0;
        if (links == MOST_LINKS) return cp_set_reason(at->reason, ELOOP);
        if (cp_has_links_to_open_files(at->folder)) {
            snprintf(at->reason, CP_REASON_SIZE, "it leads to an open file, not to a name that can be replaced");
            return EINVAL;
        }
        ssize_t n = readlinkat(at->folder, at->name, target, sizeof target);
        if (n < 0) return cp_set_reason(at->reason, errno);
        if (n == sizeof target) return cp_set_reason(at->reason, ENAMETOOLONG);
        target[n] = 0;
        error = open_folder(at, target);
    }
    return error;
}

/* Finds the file. Renaming over a file needs rights on the folder only. The file is opened for writing, so that a file
 * without write permission is not replaced. */
static int find_file(location *at, const char *path) {
    int error = follow_links(at, path);
    if (error || !at->old_info.st_mode) return error;
    if ((error = cp_require_regular(at->reason, at->old_info.st_mode))) return error;
    at->old = openat(at->folder, at->name, O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (at->old < 0) return cp_set_reason_text(at->reason, errno, "the old file may not be written", "");
    if (fstat(at->old, &at->old_info) != 0) return cp_set_reason(at->reason, errno);
    return cp_require_regular(at->reason, at->old_info.st_mode); /* the name may refer to another file now */
}

/* ---- The temporary file */

static void name_temporary(location *at, unsigned number) {
    uint64_t hash = 0xcbf29ce484222325; /* FNV-1a: the name itself may leave no room for a suffix */
    for (const char *c = at->name; *c; c++) hash = (hash ^ (uint8_t)*c) * 0x100000001b3;
    snprintf(at->temporary, sizeof at->temporary, ".bp-%016llx-%u.tmp", (unsigned long long)hash, number);
}

/* Whether the open file still has the temporary name. */
static bool is_named(const location *at, int file) {
    struct stat opened, named;
    return fstat(file, &opened) == 0 && fstatat(at->folder, at->temporary, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
        opened.st_dev == named.st_dev && opened.st_ino == named.st_ino;
}

/* Removes a temporary file with this name that an ended process has left. Only the holder of the lock removes or renames
 * the file, so the name cannot refer to another file between the check and the removal. */
static void remove_left_over(const location *at) {
    int file = openat(at->folder, at->temporary, O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (file < 0) return;
    if (flock(file, LOCK_EX | LOCK_NB) == 0 && is_named(at, file)) unlinkat(at->folder, at->temporary, 0);
    close(file);
}

/* Creates and locks a file with the temporary name; -1 and EEXIST if another process uses the name. On a file system
 * without locks, temporary files that were left are never removed, so that none in use is removed. The file is accessible
 * to its owner only until it gets the old file's rights. */
static int create(const location *at) {
    int flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC;
    int file = openat(at->folder, at->temporary, flags, at->old < 0 ? 0666 : 0600);
    if (file < 0) return file;
    if ((flock(file, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK) && is_named(at, file)) return file;
    close(file);
    errno = EEXIST;
    return -1;
}

static int create_temporary(location *at) {
    for (unsigned number = 0; number < NUMBERS; number++) {
        name_temporary(at, number);
        remove_left_over(at);
    }
    for (unsigned number = 0; number < NUMBERS; number++) {
        name_temporary(at, number);
        int file = create(at);
        if (file >= 0 || errno != EEXIST) return file;
    }
    for (int attempt = 0; attempt < 100; attempt++) { /* all numbers are in use: derive one from the clock */
        struct timespec now;
        clock_gettime(CLOCK_MONOTONIC, &now);
        name_temporary(at, NUMBERS + (unsigned)now.tv_nsec);
        int file = create(at);
        if (file >= 0 || errno != EEXIST) return file;
    }
    return -1;
}

/* ---- Rights */

/* Gives the new file the old file's rights and, if this process is permitted to, its owner and group. The rights never
 * grow: if the group or the access-control list cannot be kept, the group gets only the rights of all others. */
static int copy_rights(const location *at, int file) {
    const struct stat *old = &at->old_info;
    mode_t mode = old->st_mode & 07777;
    bool has_group = true;
    struct stat now;
    if (fstat(file, &now) != 0) return errno;
    if ((now.st_uid != old->st_uid || now.st_gid != old->st_gid) && fchown(file, old->st_uid, old->st_gid) != 0) {
        mode &= ~(mode_t)(S_ISUID | S_ISGID);
        has_group = now.st_gid == old->st_gid || fchown(file, (uid_t)-1, old->st_gid) == 0;
    }
    if (!cp_copy_access_list(at->old, file) || !has_group) mode &= ~(mode_t)070 | (mode & 07) << 3;
    if (fstat(file, &now) != 0) return errno;
    if ((now.st_mode & 07777) != mode && fchmod(file, mode) != 0) return errno;
    return 0;
}

/* ---- Bytes */

static int write_all(int file, const uint8_t *bytes, size_t count) {
    while (count > 0) {
        ssize_t n = write(file, bytes, count < (1u << 30) ? count : (1u << 30));
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return errno;
        if (n == 0) return EIO;
        bytes += n;
        count -= (size_t)n;
    }
    return 0;
}

/* If a file would exceed the process's size limit, write fails with EFBIG, and the system sends this thread SIGXFSZ, which
 * terminates the process by default. The error suffices: the signal is blocked and discarded. A signal that was pending
 * before stays pending. */
static int write_within_limit(int file, const uint8_t *bytes, size_t count) {
    sigset_t limit, mask, pending;
    sigemptyset(&limit);
    sigaddset(&limit, SIGXFSZ);
    pthread_sigmask(SIG_BLOCK, &limit, &mask);
    bool was_pending = sigpending(&pending) == 0 && sigismember(&pending, SIGXFSZ) == 1;
    int error = write_all(file, bytes, count);
    if (error == EFBIG && !was_pending) cp_discard_signal(SIGXFSZ);
    pthread_sigmask(SIG_SETMASK, &mask, NULL);
    return error;
}

static int flush(int file) {
#ifdef F_FULLFSYNC
    if (fcntl(file, F_FULLFSYNC) == 0) return 0; /* on Apple's systems, fsync leaves the bytes in the drive's cache */
#endif
    while (fsync(file) != 0)
        if (errno != EINTR) return errno;
    return 0;
}

/* The rename must be on the disk, too. Not an error: a folder without read permission, or a file system that does not
 * support fsync of folders. */
static int flush_folder(const location *at) {
    int folder = openat(at->folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0) return errno == EACCES ? 0 : errno;
    int error = flush(folder);
    close(folder);
    return error == EINVAL || error == ENOTSUP || error == EROFS ? 0 : error;
}

static int write_temporary(const location *at, int file, const uint8_t *bytes, size_t count) {
    int error = at->old < 0 ? 0 : copy_rights(at, file);
    if (!error) error = write_within_limit(file, bytes, count);
    if (!error) error = flush(file);
    return error ? cp_set_reason(at->reason, error) : 0;
}

static int rename_temporary(const location *at) {
    if (renameat(at->folder, at->temporary, at->folder, at->name) == 0) return 0;
    if (errno == EBUSY) return cp_set_reason_text(at->reason, EBUSY, "a file system is mounted on it", "");
    return fail_in_folder(at, errno);
}

static int replace(location *at, const uint8_t *bytes, size_t count) {
    int file = create_temporary(at);
    if (file < 0) return fail_in_folder(at, errno);
    int error = write_temporary(at, file, bytes, count);
    if (!error) error = rename_temporary(at);
    if (error) unlinkat(at->folder, at->temporary, 0);
    close(file); /* this releases the lock: only after the temporary name is gone */
    if (error) return error;
    error = flush_folder(at);
    return error ? cp_set_reason_text(at->reason, error, "the new file is in place, but may not be on the disk yet", "") : 0;
}

int cp_replace_file(const char *path, const uint8_t *bytes, size_t count, char reason[CP_REASON_SIZE]) {
    location at = {.folder = -1, .old = -1, .reason = reason};
    int error = find_file(&at, path);
    if (!error) error = replace(&at, bytes, count);
    if (at.old >= 0) close(at.old);
    if (at.folder >= 0) close(at.folder);
    return error;
}
#endif
