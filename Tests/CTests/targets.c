/* targets.c: the targets of saving and loading: file permissions, folders, links, devices, full disks. A target that cannot be
 * replaced completely is refused with a message and is unchanged. Runs in a separate folder. */
#define _GNU_SOURCE /* mount, unshare, setresuid, memfd_create, O_PATH */
#include <dirent.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>

#include "check.h"
#include "filecalls.h"
#include "folder.h"

static const char path[] = "model.safetensors";
static const size_t small_sizes[] = {3, 4, 2}, large_sizes[] = {600, 1200, 100};
static bp_network *network, *other; /* of small_sizes */
static snapshot bytes, other_bytes;

static mode_t permissions(const char *name) {
    struct stat info;
    return stat(name, &info) == 0 ? info.st_mode & 07777 : 0;
}

/* Whether a save is refused with a message that contains these words and the path. */
static int save_fails_with(const char *name, const char *words) {
    int holds = EXPECT_ERROR(bp_network_save(network, name), BP_ERROR_IO) && strstr(bp_last_error_message(), name) &&
        strstr(bp_last_error_message(), words);
    if (!holds) printf("#   \"%s\" lacks %s or %s\n", bp_last_error_message(), name, words);
    return holds;
}

/* Runs body() in a child process and returns its result. as_nobody: without the permissions of root, if this process has them.
 * */
static int child_succeeds(int (*body)(void), int as_nobody) {
    int status = -1;
    pid_t child;
    fflush(stdout);
    child = fork();
    if (child == 0) {
        if (as_nobody && geteuid() == 0 &&
            (setgroups(0, NULL) != 0 || setresgid(65534, 65534, 65534) != 0 || setresuid(65534, 65534, 65534) != 0))
            _exit(2);
        int says = body();
        fflush(stdout);
        _exit(says && !check_failures ? 0 : 1);
    }
    return waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void enter(const char *folder) {
    EXPECT(chmod("..", 0755) == 0); /* a child that runs as nobody must be able to enter */
    EXPECT(mkdir(folder, 0777) == 0 && chmod(folder, 0777) == 0 && chdir(folder) == 0);
}

static void leave(const char *folder) { EXPECT(chdir("..") == 0 && rmdir(folder) == 0); }

/* ---- Targets that are not regular files */

static void pipes_sockets_and_devices_are_refused_by_their_type(void) {
    bp_network *loaded = (bp_network *)1;
    struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "socket"};
    struct stat info;
    int end = socket(AF_UNIX, SOCK_STREAM, 0);
    enter("kinds");
    EXPECT(save_fails_with("/dev/null", "a device"));
    EXPECT(stat("/dev/null", &info) == 0 && S_ISCHR(info.st_mode));
    EXPECT(mkfifo("fifo", 0666) == 0);
    EXPECT(save_fails_with("fifo", "a pipe"));
    EXPECT_ERROR(bp_network_load("fifo", &loaded), BP_ERROR_IO); /* does not wait for a writer */
    EXPECT_MESSAGE("a pipe");
    EXPECT_ERROR(bp_network_load_weights(network, "fifo"), BP_ERROR_IO);
    EXPECT(lstat("fifo", &info) == 0 && S_ISFIFO(info.st_mode));
    EXPECT(bind(end, (struct sockaddr *)&address, sizeof address) == 0);
    EXPECT(save_fails_with("socket", "a socket"));
    EXPECT(mkdir("folder", 0777) == 0);
    EXPECT(save_fails_with("folder", "Is a directory"));
    EXPECT_ERROR(bp_network_load("folder", &loaded), BP_ERROR_IO);
    EXPECT_MESSAGE("Is a directory");
    EXPECT(entries(".") == 3);
    close(end);
    remove("fifo"), remove("socket"), rmdir("folder");
    leave("kinds");
}

/* A link in /proc leads to an open file. Renaming over its name would not change the open file. */
static void links_to_open_files_cannot_be_saved_to_but_read(void) {
    char name[64];
    bp_network *loaded = NULL;
    int file = memfd_create("model", MFD_CLOEXEC), named;
    struct stat info;
    enter("open");
    snprintf(name, sizeof name, "/proc/self/fd/%d", file);
    EXPECT(save_fails_with(name, "an open file"));
    EXPECT(fstat(file, &info) == 0 && info.st_size == 0 && entries(".") == 0);
    EXPECT(write(file, bytes.bytes, bytes.count) == (ssize_t)bytes.count);
    EXPECT_OK(bp_network_load(name, &loaded));
    EXPECT(snapshot_holds(bytes, loaded));
    close(file);
    named = open("log", O_RDWR | O_CREAT, 0666);
    snprintf(name, sizeof name, "/proc/self/fd/%d", named);
    EXPECT(symlink(name, "stdout") == 0); /* like /dev/stdout */
    EXPECT(save_fails_with("stdout", "an open file"));
    EXPECT(fstat(named, &info) == 0 && info.st_size == 0 && info.st_nlink == 1 && entries(".") == 2);
    close(named);
    remove("log"), remove("stdout");
    leave("open");
    bp_network_free(loaded);
}

static int save_over_a_mount_is_refused(void) {
    if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("source", path, NULL, MS_BIND, NULL) != 0)
        return printf("# not tried: this process may not mount\n"), 1;
    return save_fails_with(path, "a file system is mounted on it") && entries(".") == 2;
}

static int busy_rename(const char *name) { return strcmp(name, "renameat") == 0 ? EBUSY : 0; }

static void file_that_is_a_mount_point_is_refused(void) {
    enter("mounted");
    EXPECT_OK(bp_network_save(other, path));
    EXPECT_OK(bp_network_save(other, "source"));
    EXPECT(child_succeeds(save_over_a_mount_is_refused, 0));
    file_hook = busy_rename; /* simulates a mount point, for processes that may not mount */
    EXPECT(save_fails_with(path, "a file system is mounted on it"));
    file_hook = NULL;
    EXPECT(file_holds(path, other_bytes) && file_holds("source", other_bytes) && entries(".") == 2);
    remove(path), remove("source");
    leave("mounted");
}

static void other_hard_links_keep_the_old_model(void) {
    enter("hard");
    EXPECT_OK(bp_network_save(other, path));
    EXPECT(link(path, "backup") == 0);
    EXPECT_OK(bp_network_save(network, path));
    EXPECT(file_holds(path, bytes) && file_holds("backup", other_bytes));
    remove(path), remove("backup");
    leave("hard");
}

/* ---- Permissions */

static void permissions_and_owner_of_the_old_file_are_kept(void) {
    struct stat info;
    enter("rights");
    umask(022);
    EXPECT_OK(bp_network_save(network, path));
    EXPECT(permissions(path) == 0644);
    EXPECT(chmod(path, 0640) == 0);
    EXPECT_OK(bp_network_save(network, path));
    EXPECT(permissions(path) == 0640);
    EXPECT(chmod(path, 0666) == 0);
    EXPECT_OK(bp_network_save(network, path));
    EXPECT(permissions(path) == 0666);
    if (geteuid() == 0) {
        EXPECT(chown(path, 12345, 54321) == 0);
        EXPECT_OK(bp_network_save(network, path));
        EXPECT(stat(path, &info) == 0 && info.st_uid == 12345 && info.st_gid == 54321 && permissions(path) == 0666);
    } else {
        printf("# not tried: this process may not give files away\n");
    }
    remove(path);
    leave("rights");
}

/* A process that opens the temporary file before its permissions are set could read the model that is written later. */
static mode_t widest;

static int read_permissions_of_the_temporary_file(const char *called) {
    struct dirent *entry;
    DIR *folder;
    (void)called;
    file_hook = NULL;
    folder = opendir(".");
    while (folder && (entry = readdir(folder)))
        if (strncmp(entry->d_name, ".bp-", 4) == 0) widest |= permissions(entry->d_name);
    if (folder) closedir(folder);
    file_hook = read_permissions_of_the_temporary_file;
    return 0;
}

static void private_model_is_never_readable_by_others(void) {
    enter("private");
    EXPECT_OK(bp_network_save(network, path));
    EXPECT(chmod(path, 0600) == 0);
    widest = 0;
    file_hook = read_permissions_of_the_temporary_file;
    EXPECT_OK(bp_network_save(network, path));
    file_hook = NULL;
    EXPECT(widest == 0600 && permissions(path) == 0600);
    remove(path);
    leave("private");
}

static int save_works(void) { return EXPECT_OK(bp_network_save(network, path)); }
static int save_over_the_file_is_refused(void) { return save_fails_with(path, "the old file may not be written"); }
static int save_into_the_folder_is_refused(void) {
    EXPECT(save_fails_with("locked/model.safetensors", "folder locked/"));
    EXPECT(save_fails_with("locked/another", "folder locked/"));
    return EXPECT(symlink("locked/model.safetensors", "link") == 0) && save_fails_with("link", "folder locked/") &&
        EXPECT(remove("link") == 0);
}
static int save_into_this_folder_is_refused(void) { return save_fails_with(path, "folder .: "); }

/* Renaming over a file requires write permission on its folder only. A file without write permission is refused nevertheless,
 * because the permission protects it. */
static void file_without_write_permission_is_not_replaced(void) {
    enter("read-only");
    EXPECT_OK(bp_network_save(other, path));
    EXPECT(chmod(path, 0444) == 0);
    EXPECT(child_succeeds(save_over_the_file_is_refused, 1));
    EXPECT(file_holds(path, other_bytes) && permissions(path) == 0444 && entries(".") == 1);
    if (geteuid() == 0) EXPECT_OK(bp_network_save(network, path)); /* root may write any file */
    remove(path);
    leave("read-only");
}

static void folder_without_write_permission_is_named(void) {
    enter("folders");
    EXPECT(mkdir("locked", 0777) == 0);
    EXPECT_OK(bp_network_save(other, "locked/model.safetensors"));
    EXPECT(chmod("locked/model.safetensors", 0666) == 0 && chmod("locked", 0555) == 0);
    EXPECT(child_succeeds(save_into_the_folder_is_refused, 1));
    EXPECT(file_holds("locked/model.safetensors", other_bytes) && entries("locked") == 1);
    EXPECT(chmod("locked", 0) == 0); /* not even reading the folder is permitted */
    EXPECT(child_succeeds(save_into_the_folder_is_refused, 1));
    EXPECT(chmod("locked", 0777) == 0 && remove("locked/model.safetensors") == 0 && rmdir("locked") == 0);
    EXPECT(chmod(".", 0555) == 0);
    EXPECT(child_succeeds(save_into_this_folder_is_refused, 1));
    EXPECT(chmod(".", 0777) == 0 && entries(".") == 0);
    EXPECT(save_fails_with("gone/model.safetensors", "folder gone/: No such file or directory"));
    leave("folders");
}

/* In a folder such as /tmp only the owner may replace a file that others may write. */
static void file_of_another_user_in_a_sticky_folder_is_not_replaced(void) {
    if (geteuid() != 0) {
        printf("# not tried: this process has no files of two owners\n");
        return;
    }
    enter("sticky");
    EXPECT(chmod(".", 01777) == 0);
    EXPECT_OK(bp_network_save(other, path));
    EXPECT(chmod(path, 0666) == 0);
    EXPECT(child_succeeds(save_into_this_folder_is_refused, 1));
    EXPECT(file_holds(path, other_bytes) && entries(".") == 1);
    remove(path);
    leave("sticky");
}

/* Group 54321 may read and write, all others may only write. A process that cannot set this group must not give the same
 * permissions to its own group. */
static void group_that_cannot_be_kept_gives_no_other_group_its_permissions(void) {
    struct stat info;
    if (geteuid() != 0) {
        printf("# not tried: this process may not give files away\n");
        return;
    }
    enter("group");
    EXPECT_OK(bp_network_save(other, path));
    EXPECT(chown(path, 12345, 54321) == 0 && chmod(path, 0662) == 0);
    EXPECT(child_succeeds(save_works, 1));
    EXPECT(stat(path, &info) == 0 && info.st_uid == 65534 && info.st_gid == 65534 && (info.st_mode & 07777) == 0622);
    EXPECT(file_holds(path, bytes));
    remove(path);
    leave("group");
}

/* An access-control list in the kernel's format (linux/posix_acl_xattr.h): version 2; then tag, permissions and id of each
 * entry, little-endian. Owner rw, user 1 rw, group none, mask rw, others none. stat reports its mask as the group's
 * permissions. */
static const uint8_t list[] = {2, 0, 0,   0,   0x01, 0,    6,    0, 255, 255, 255, 255, 0x02, 0,    6,
                               0, 1, 0,   0,   0,    0x04, 0,    0, 0,   255, 255, 255, 255,  0x10, 0,
                               6, 0, 255, 255, 255,  255,  0x20, 0, 0,   0,   255, 255, 255,  255};
static const char list_name[] = "system.posix_acl_access";

static int has_list(void) {
    uint8_t now[256];
    return getxattr(path, list_name, now, sizeof now) == (ssize_t)sizeof list && memcmp(now, list, sizeof list) == 0;
}

static int no_list_can_be_set(const char *name) { return strcmp(name, "fsetxattr") == 0 ? ENOSPC : 0; }

static void access_control_list_is_kept_or_its_group_gains_no_permissions(void) {
    enter("list");
    EXPECT_OK(bp_network_save(other, path));
    if (setxattr(path, list_name, list, sizeof list, 0) == 0) {
        EXPECT(permissions(path) == 0660 && has_list());
        EXPECT_OK(bp_network_save(network, path));
        EXPECT(file_holds(path, bytes) && permissions(path) == 0660 && has_list());
        file_hook = no_list_can_be_set;
        EXPECT_OK(bp_network_save(network, path));
        file_hook = NULL;
        EXPECT(!has_list() && permissions(path) == 0600); /* 0660 would give the group more permissions than before */
        EXPECT(setxattr(".", "system.posix_acl_default", list, sizeof list, 0) == 0); /* the default list of new files */
        EXPECT_OK(bp_network_save(network, path));
        EXPECT(!has_list() && permissions(path) == 0600);
    } else {
        printf("# not tried: the file system here has no access-control lists\n");
    }
    remove(path);
    leave("list");
}

/* ---- Disks */

static const char *failing_call;
static int failing_code;
static int fail_the_call(const char *name) { return strcmp(name, failing_call) == 0 ? failing_code : 0; }

static void failed_save_reports_the_cause_and_keeps_the_old_file(void) {
    static const struct {
        const char *call;
        int code;
        const char *words;
    } faults[] = {{"write", ENOSPC, "No space left on device"},
                  {"write", EDQUOT, "Disk quota exceeded"},
                  {"write", EFBIG, "File too large"},
                  {"write", EIO, "Input/output error"},
                  {"fsync", EIO, "Input/output error"},
                  {"fsync", ENOSPC, "No space left on device"},
                  {"renameat", EROFS, "folder .: Read-only file system"},
                  {"renameat", EIO, "Input/output error"}};
    enter("failing");
    EXPECT_OK(bp_network_save(other, path));
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        failing_call = faults[i].call;
        failing_code = faults[i].code;
        file_hook = fail_the_call;
        EXPECT(save_fails_with(path, faults[i].words));
        file_hook = NULL;
        EXPECT(file_holds(path, other_bytes) && entries(".") == 1);
    }
    remove(path);
    leave("failing");
}

static int flushes;
static int second_flush_fails(const char *name) { return strcmp(name, "fsync") == 0 && ++flushes == 2 ? EIO : 0; }

static void failure_after_the_file_is_replaced_is_reported_as_such(void) {
    enter("flushed");
    EXPECT_OK(bp_network_save(other, path));
    flushes = 0;
    file_hook = second_flush_fails;
    EXPECT(save_fails_with(path, "the new file is in place"));
    file_hook = NULL;
    EXPECT(file_holds(path, bytes) && entries(".") == 1);
    remove(path);
    leave("flushed");
}

static int save_on_a_read_only_disk_is_refused(void) {
    EXPECT(save_fails_with("disk/model", "Read-only file system"));
    return save_fails_with("disk/another", "folder disk/: Read-only file system");
}

/* File systems of 256 KiB, one of them read-only. */
static void full_and_read_only_disks_are_refused_and_keep_the_old_file(void) {
    bp_network *large = check_network(large_sizes, 3, 1);
    EXPECT(mkdir("disk", 0777) == 0);
    if (geteuid() == 0 && mount("tmpfs", "disk", "tmpfs", 0, "size=256k") == 0) {
        EXPECT_OK(bp_network_save(network, "disk/model"));
        EXPECT_ERROR(bp_network_save(large, "disk/model"), BP_ERROR_IO);
        EXPECT_MESSAGE("No space left");
        EXPECT(file_holds("disk/model", bytes) && entries("disk") == 1);
        EXPECT_ERROR(bp_network_save(large, "disk/another"), BP_ERROR_IO);
        EXPECT(entries("disk") == 1);
        EXPECT_OK(bp_network_save(network, "disk/model")); /* space is available again */
        EXPECT(mount("tmpfs", "disk", "tmpfs", MS_REMOUNT | MS_RDONLY, "size=256k") == 0);
        EXPECT(child_succeeds(save_on_a_read_only_disk_is_refused, 0));
        EXPECT(file_holds("disk/model", bytes));
        EXPECT(umount("disk") == 0);
    } else {
        printf("# not tried: this process may not mount a file system\n");
    }
    rmdir("disk");
    bp_network_free(large);
}

/* ---- A limit of file sizes. The default action of SIGXFSZ ends the process */

static volatile sig_atomic_t signals;
static void count_signal(int number) { (void)number, signals++; }

static int is_pending(void) {
    sigset_t pending;
    return sigpending(&pending) == 0 && sigismember(&pending, SIGXFSZ) == 1;
}

static int limited_save(void) {
    struct rlimit limit;
    int32_t status;
    EXPECT(getrlimit(RLIMIT_FSIZE, &limit) == 0);
    limit.rlim_cur = 512;
    fflush(stdout);
    setrlimit(RLIMIT_FSIZE, &limit);
    status = bp_network_save(network, path);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_FSIZE, &limit);
    return EXPECT_ERROR(status, BP_ERROR_IO) && EXPECT(strstr(bp_last_error_message(), "File too large") != NULL);
}

static int limited_saves_fail_without_a_signal(void) {
    sigset_t before, after, blocked;
    signal(SIGXFSZ, SIG_DFL);
    pthread_sigmask(SIG_SETMASK, NULL, &before);
    limited_save();
    pthread_sigmask(SIG_SETMASK, NULL, &after);
    EXPECT(sigismember(&before, SIGXFSZ) == sigismember(&after, SIGXFSZ) && !is_pending());
    signal(SIGXFSZ, count_signal); /* the host's handler gets only the host's signals */
    limited_save();
    EXPECT(signals == 0);
    raise(SIGXFSZ);
    EXPECT(signals == 1);
    sigemptyset(&blocked); /* a signal that was pending before is still pending */
    sigaddset(&blocked, SIGXFSZ);
    pthread_sigmask(SIG_BLOCK, &blocked, NULL);
    limited_save();
    EXPECT(!is_pending());
    raise(SIGXFSZ);
    limited_save();
    EXPECT(is_pending());
    pthread_sigmask(SIG_UNBLOCK, &blocked, NULL);
    return EXPECT(signals == 2);
}

static void limit_of_file_sizes_gives_a_status_and_no_signal(void) {
    enter("limited");
    EXPECT_OK(bp_network_save(other, path));
    EXPECT(child_succeeds(limited_saves_fail_without_a_signal, 0));
    EXPECT(file_holds(path, other_bytes) && entries(".") == 1);
    remove(path);
    leave("limited");
}

/* ---- Names */

static long call_number, turning_call;
static int change_folder(const char *name) {
    (void)name;
    if (++call_number == turning_call) {
        file_hook = NULL;
        EXPECT(chdir("elsewhere") == 0);
    }
    return 0;
}

/* Another thread can change the working directory during a save to a relative path. The first file call of the save opens the
 * folder. */
static void relative_path_refers_to_one_folder_during_the_whole_save(void) {
    long turns = 0;
    enter("moving");
    EXPECT(mkdir("elsewhere", 0777) == 0);
    for (turning_call = 2;; turning_call++) {
        call_number = 0;
        file_hook = change_folder;
        EXPECT_OK(bp_network_save(network, path));
        if (file_hook) break;
        EXPECT(entries(".") == 0 && chdir("..") == 0);
        EXPECT(file_holds(path, bytes) && entries(".") == 2 && remove(path) == 0);
        turns++;
    }
    file_hook = NULL;
    EXPECT(turns > 10);
    remove(path), rmdir("elsewhere");
    leave("moving");
}

static void removed_folder_is_refused(void) {
    bp_network *loaded = (bp_network *)1;
    int here = open(".", O_RDONLY | O_DIRECTORY);
    EXPECT(mkdir("gone", 0777) == 0 && chdir("gone") == 0 && rmdir("../gone") == 0);
    EXPECT(save_fails_with(path, "folder ."));
    EXPECT_ERROR(bp_network_load(path, &loaded), BP_ERROR_IO);
    EXPECT(fchdir(here) == 0);
    close(here);
    EXPECT(save_fails_with("gone/model", "folder gone/"));
}

/* ---- The amount that is read of a file that is no model: a sparse file */

/* Systems with addresses of 32 bits refuse files of 2 GiB and more. */
static const uint64_t sparse_size = sizeof(size_t) > 4 ? UINT64_C(4) << 30 : UINT64_C(1) << 30;

static void sparse_file(const char *header, uint64_t length) {
    uint8_t start[8];
    int file = open("sparse", O_RDWR | O_CREAT | O_TRUNC, 0666);
    for (int i = 0; i < 8; i++) start[i] = (uint8_t)(length >> 8 * i);
    EXPECT(ftruncate(file, (off_t)sparse_size) == 0);
    EXPECT(pwrite(file, start, 8, 0) == 8 && pwrite(file, header, strlen(header), 8) == (ssize_t)strlen(header));
    close(file);
}

static int refused_early(int32_t load_status, int32_t weights_status) {
    bp_network *loaded = (bp_network *)1;
    file_bytes_read = 0;
    return EXPECT_ERROR(bp_network_load("sparse", &loaded), load_status) && EXPECT(loaded == NULL) &&
        EXPECT_ERROR(bp_network_load_weights(network, "sparse"), weights_status) && EXPECT(file_bytes_read < 100000);
}

#define OPENING "{\"__metadata__\":{\"format\":\"libbackprop\",\"format_version\":\"1\",\"checksum\":\"0000000000000000\"}"
#define TENSOR(name, shape, offsets) "\"" name "\":{\"dtype\":\"F32\",\"shape\":" shape ",\"data_offsets\":" offsets "}"

static void header_is_checked_before_the_data_are_read(void) {
    static const char small_model[] = OPENING "," TENSOR("layers.1.weight", "[1,1]", "[0,4]") "}";
    static const char foreign[] = "{" TENSOR("layers.1.weight", "[1,1]", "[0,4]") "}";
    char weights[2048];
    float now[26];
    unsigned long long rest;
    sparse_file("", 0);
    refused_early(BP_ERROR_NOT_A_MODEL, BP_ERROR_NOT_A_MODEL);
    sparse_file("", sparse_size / 2);
    refused_early(BP_ERROR_NOT_A_MODEL, BP_ERROR_LIMIT);
    sparse_file(OPENING, sparse_size / 2);
    refused_early(BP_ERROR_LIMIT, BP_ERROR_LIMIT);
    sparse_file(small_model, sizeof small_model - 1);
    refused_early(BP_ERROR_CORRUPT, BP_ERROR_CORRUPT);
    EXPECT_MESSAGE("tensors need 4 bytes");
    sparse_file(foreign, sizeof foreign - 1);
    refused_early(BP_ERROR_NOT_A_MODEL, BP_ERROR_CORRUPT);
    /* A large tensor that belongs to no layer is not read. The header has 1000 bytes, the weights 26 floats. */
    rest = sparse_size - 8 - 1000;
    snprintf(
        weights, sizeof weights,
        "{" TENSOR("layers.1.weight", "[4,3]", "[0,48]") "," TENSOR("layers.1.bias", "[4]", "[48,64]") "," TENSOR(
            "layers.2.weight", "[2,4]",
            "[64,96]") "," TENSOR("layers.2.bias", "[2]",
                                  "[96,104]") ","
                                              "\"embedding\":{\"dtype\":\"U8\",\"shape\":[%llu],\"data_offsets\":[104,%llu]}}",
        rest - 104, rest);
    memset(weights + strlen(weights), ' ', 1000 - strlen(weights));
    weights[1000] = 0;
    sparse_file(weights, 1000);
    file_bytes_read = 0;
    EXPECT_OK(bp_network_load_weights(other, "sparse"));
    EXPECT(file_bytes_read < 10000);
    EXPECT_OK(bp_network_get_parameters(other, now, 26));
    for (int i = 0; i < 26; i++) EXPECT(now[i] == 0);
    remove("sparse");
}

static int open_files;
static void all_files_are_closed(void) { EXPECT(entries("/proc/self/fd") == open_files); }

int main(void) {
    open_files = entries("/proc/self/fd");
    network = check_network(small_sizes, 3, 1);
    other = check_network(small_sizes, 3, 2);
    bytes = snapshot_of(network);
    other_bytes = snapshot_of(other);
    CLAIM(pipes_sockets_and_devices_are_refused_by_their_type);
    CLAIM(links_to_open_files_cannot_be_saved_to_but_read);
    CLAIM(file_that_is_a_mount_point_is_refused);
    CLAIM(other_hard_links_keep_the_old_model);
    CLAIM(permissions_and_owner_of_the_old_file_are_kept);
    CLAIM(private_model_is_never_readable_by_others);
    CLAIM(file_without_write_permission_is_not_replaced);
    CLAIM(folder_without_write_permission_is_named);
    CLAIM(file_of_another_user_in_a_sticky_folder_is_not_replaced);
    CLAIM(group_that_cannot_be_kept_gives_no_other_group_its_permissions);
    CLAIM(access_control_list_is_kept_or_its_group_gains_no_permissions);
    CLAIM(failed_save_reports_the_cause_and_keeps_the_old_file);
    CLAIM(failure_after_the_file_is_replaced_is_reported_as_such);
    CLAIM(full_and_read_only_disks_are_refused_and_keep_the_old_file);
    CLAIM(limit_of_file_sizes_gives_a_status_and_no_signal);
    CLAIM(relative_path_refers_to_one_folder_during_the_whole_save);
    CLAIM(removed_folder_is_refused);
    CLAIM(header_is_checked_before_the_data_are_read);
    CLAIM(all_files_are_closed); /* after all refused calls above */
    bp_network_free(network);
    bp_network_free(other);
    free(bytes.bytes);
    free(other_bytes.bytes);
    return check_end();
}
