/* Replacing a file so that at any instant the old or the new one is there, whole.
 *
 * The bytes go to a temporary file beside it, which takes the file's name when they are on the disk. A process may be
 * killed before: so the temporary file's name follows from the file's, but for one of a few numbers, and who writes it
 * holds a lock on it (flock), which the system takes back when the process ends, whatever way. The next to save the same
 * file finds what is left, can lock it, and removes it.
 *
 * All names are looked up in the folder's descriptor: a relative path means one folder from the first call to the last,
 * even if another thread changes the process's working directory meanwhile. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#include "file_reason.h"
#include "memory.h"

enum { NUMBERS = 16, TEMPORARY_SIZE = 64, MOST_LINKS = 40, PROC_FILE_SYSTEM = 0x9fa0 /* linux/magic.h */ };

/* Where the file to be replaced is. */
typedef struct {
    int folder;                 /* its descriptor; -1 before it is open */
    char folder_name[PATH_MAX]; /* as the path, or the latest symbolic link with a slash in it, says */
    char name[NAME_MAX + 1];    /* of the file in the folder: no symbolic link */
    int old;                    /* the descriptor of the file itself, open for writing; -1 where there is none */
    struct stat old_info;
    char temporary[TEMPORARY_SIZE]; /* the name of the temporary file in the folder */
    char *reason;
} place;

/* An errno of a call that looked for a name in the folder, or changed one. */
static int fail_in_folder(const place *at, int code) {
    if (code == EACCES || code == EPERM || code == EROFS || code == ENOENT || code == ENOTDIR)
        return cp_say_with(at->reason, code, "folder ", at->folder_name);
    return cp_say(at->reason, code);
}

/* Opens the folder of a path, which begins in the present folder if there is one already. */
static int go_to(place *at, const char *path) {
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    size_t length = (size_t)(name - path);
    if (length >= sizeof at->folder_name || strlen(name) >= sizeof at->name) return cp_say(at->reason, ENAMETOOLONG);
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

/* Follows symbolic links: who saves to one means the file it leads to, there already or not. But those of /proc lead to
 * open files, which may have another name by now, or none. */
static int follow(place *at, const char *path) {
    char target[PATH_MAX];
    struct statfs system;
    int error = go_to(at, path);
    for (int links = 0; !error; links++) {
        if (!at->name[0]) return cp_say(at->reason, EISDIR);
        if (fstatat(at->folder, at->name, &at->old_info, AT_SYMLINK_NOFOLLOW) != 0) {
            at->old_info.st_mode = 0;
            return errno == ENOENT ? 0 : fail_in_folder(at, errno);
        }
        if (!S_ISLNK(at->old_info.st_mode)) return 0;
        if (links == MOST_LINKS) return cp_say(at->reason, ELOOP);
        if (fstatfs(at->folder, &system) == 0 && system.f_type == PROC_FILE_SYSTEM) {
            snprintf(at->reason, CP_REASON_SIZE, "it leads to an open file, not to a name that can be replaced");
            return EINVAL;
        }
        ssize_t n = readlinkat(at->folder, at->name, target, sizeof target);
        if (n < 0) return cp_say(at->reason, errno);
        if (n == sizeof target) return cp_say(at->reason, ENAMETOOLONG);
        target[n] = 0;
        error = go_to(at, target);
    }
    return error;
}

/* Finds the file. To rename over it would need rights on the folder only: so that a file which nobody may write is not
 * replaced either, it is opened for writing. */
static int find(place *at, const char *path) {
    int error = follow(at, path);
    if (error || !at->old_info.st_mode) return error;
    if ((error = cp_require_regular(at->reason, at->old_info.st_mode))) return error;
    at->old = openat(at->folder, at->name, O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (at->old < 0) return cp_say_with(at->reason, errno, "the old file may not be written", "");
    if (fstat(at->old, &at->old_info) != 0) return cp_say(at->reason, errno);
    return cp_require_regular(at->reason, at->old_info.st_mode); /* it may be another by now */
}

/* ---- The temporary file */

static void name_temporary(place *at, unsigned number) {
    uint64_t hash = 0xcbf29ce484222325; /* FNV-1a: the name itself may be too long to be made longer */
    for (const char *c = at->name; *c; c++) hash = (hash ^ (uint8_t)*c) * 0x100000001b3;
    snprintf(at->temporary, sizeof at->temporary, ".bp-%016llx-%u.tmp", (unsigned long long)hash, number);
}

/* Whether the open file still has that name. */
static bool is_named(const place *at, int file) {
    struct stat open_one, named;
    return fstat(file, &open_one) == 0 && fstatat(at->folder, at->temporary, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
        open_one.st_dev == named.st_dev && open_one.st_ino == named.st_ino;
}

/* Removes what a process that is no more has left under this name. Only who holds the lock removes or renames, so the
 * name cannot pass to another file between looking and removing. */
static void remove_left_over(const place *at) {
    int file = openat(at->folder, at->temporary, O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (file < 0) return;
    if (flock(file, LOCK_EX | LOCK_NB) == 0 && is_named(at, file)) unlinkat(at->folder, at->temporary, 0);
    close(file);
}

/* A new file of this name, locked; -1 and EEXIST where another is at it. Without locks in the file system nothing left
 * over is ever removed, and so nothing that is in use. Until it has the old file's rights, nobody else may open it. */
static int create(const place *at) {
    int flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC;
    int file = openat(at->folder, at->temporary, flags, at->old < 0 ? 0666 : 0600);
    if (file < 0) return file;
    if ((flock(file, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK) && is_named(at, file)) return file;
    close(file);
    errno = EEXIST;
    return -1;
}

static int create_temporary(place *at) {
    for (unsigned number = 0; number < NUMBERS; number++) {
        name_temporary(at, number);
        remove_left_over(at);
    }
    for (unsigned number = 0; number < NUMBERS; number++) {
        name_temporary(at, number);
        int file = create(at);
        if (file >= 0 || errno != EEXIST) return file;
    }
    for (int attempt = 0; attempt < 100; attempt++) { /* all taken: a name that hardly two come by at once */
        struct timespec now;
        clock_gettime(CLOCK_MONOTONIC, &now);
        name_temporary(at, NUMBERS + (unsigned)now.tv_nsec);
        int file = create(at);
        if (file >= 0 || errno != EEXIST) return file;
    }
    return -1;
}

/* ---- Rights */

/* Gives one file the access-control list of another, or none where that has none; whether it could. */
static bool copy_access_list(int from, int to) {
    static const char list[] = "system.posix_acl_access";
    ssize_t size = fgetxattr(from, list, NULL, 0);
    if (size < 0) {
        if (errno != ENODATA && errno != ENOTSUP) return false;
        return fremovexattr(to, list) == 0 || errno == ENODATA || errno == ENOTSUP; /* the one of a folder's default */
    }
    uint8_t *bytes = cp_allocate_bytes((size_t)size);
    bool copied = bytes && fgetxattr(from, list, bytes, (size_t)size) == size &&
        fsetxattr(to, list, bytes, (size_t)size, 0) == 0;
    cp_free(bytes);
    return copied;
}

/* Gives the new file the rights of the old one and, where this process may, its owner and group. Never more rights: where
 * the group or the access-control list cannot be kept, the group gets no more than all others. */
static int copy_rights(const place *at, int file) {
    const struct stat *old = &at->old_info;
    mode_t mode = old->st_mode & 07777;
    bool has_group = true;
    struct stat now;
    if (fstat(file, &now) != 0) return errno;
    if ((now.st_uid != old->st_uid || now.st_gid != old->st_gid) && fchown(file, old->st_uid, old->st_gid) != 0) {
        mode &= ~(mode_t)(S_ISUID | S_ISGID);
        has_group = now.st_gid == old->st_gid || fchown(file, (uid_t)-1, old->st_gid) == 0;
    }
    if (!copy_access_list(at->old, file) || !has_group) mode &= ~(mode_t)070 | (mode & 07) << 3;
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

/* Where a file would grow beyond the process's limit, write fails with EFBIG and the system sends this thread SIGXFSZ, by
 * which the process would end: the failure is enough. A signal that was pending before stays so. */
static int write_within_limit(int file, const uint8_t *bytes, size_t count) {
    const struct timespec at_once = {0, 0};
    sigset_t limit, mask, pending;
    sigemptyset(&limit);
    sigaddset(&limit, SIGXFSZ);
    pthread_sigmask(SIG_BLOCK, &limit, &mask);
    bool was_pending = sigpending(&pending) == 0 && sigismember(&pending, SIGXFSZ) == 1;
    int error = write_all(file, bytes, count);
    if (error == EFBIG && !was_pending)
        while (sigtimedwait(&limit, NULL, &at_once) < 0 && errno == EINTR) {}
    pthread_sigmask(SIG_SETMASK, &mask, NULL);
    return error;
}

static int flush(int file) {
    while (fsync(file) != 0)
        if (errno != EINTR) return errno;
    return 0;
}

/* The new name, too, must be on the disk. Folders that may not be read, or file systems that know no such thing, are
 * left to themselves. */
static int flush_folder(const place *at) {
    int folder = openat(at->folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0) return errno == EACCES ? 0 : errno;
    int error = flush(folder);
    close(folder);
    return error == EINVAL || error == ENOTSUP || error == EROFS ? 0 : error;
}

static int fill(const place *at, int file, const uint8_t *bytes, size_t count) {
    int error = at->old < 0 ? 0 : copy_rights(at, file);
    if (!error) error = write_within_limit(file, bytes, count);
    if (!error) error = flush(file);
    return error ? cp_say(at->reason, error) : 0;
}

static int take_name(const place *at) {
    if (renameat(at->folder, at->temporary, at->folder, at->name) == 0) return 0;
    if (errno == EBUSY) return cp_say_with(at->reason, EBUSY, "a file system is mounted on it", "");
    return fail_in_folder(at, errno);
}

static int replace(place *at, const uint8_t *bytes, size_t count) {
    int file = create_temporary(at);
    if (file < 0) return fail_in_folder(at, errno);
    int error = fill(at, file, bytes, count);
    if (!error) error = take_name(at);
    if (error) unlinkat(at->folder, at->temporary, 0);
    close(file); /* after the name is given or gone: with it goes the lock */
    if (error) return error;
    error = flush_folder(at);
    return error ? cp_say_with(at->reason, error, "the new file is there, but may not be on the disk yet", "") : 0;
}

int cp_replace_file(const char *path, const uint8_t *bytes, size_t count, char reason[CP_REASON_SIZE]) {
    place at = {.folder = -1, .old = -1, .reason = reason};
    int error = find(&at, path);
    if (!error) error = replace(&at, bytes, count);
    if (at.old >= 0) close(at.old);
    if (at.folder >= 0) close(at.folder);
    return error;
}
