/* saving.c: whatever happens while a file is saved, one whole model is there. Runs in a folder of its own. With TORTURE=1
 * in the environment it takes longer and kills more. */
#define _GNU_SOURCE /* mount, setresuid */
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

static const char path[] = "model.safetensors";
static const size_t small_sizes[] = {3, 4, 2}, large_sizes[] = {600, 1200, 100};

static bp_network *small(uint64_t seed) { return check_network(small_sizes, 3, seed); }

/* Files in a folder. */
static int entries(const char *name) {
    int count = -2; /* . and .. */
    DIR *folder = opendir(name);
    while (folder && readdir(folder)) count++;
    if (folder) closedir(folder);
    return count;
}

static void sleep_for(long microseconds) {
    struct timespec time = {microseconds / 1000000, microseconds % 1000000 * 1000};
    nanosleep(&time, NULL);
}

/* ---- Killed at any moment */

static void killed_saves_leave_one_whole_model_and_the_next_save_leaves_nothing_else(void) {
    const int kills = getenv("TORTURE") ? 1000 : 40;
    int left_over = 0, first = 0, second = 0;
    uint32_t random = 1;
    bp_network *a = check_network(large_sizes, 3, 1), *b = check_network(large_sizes, 3, 2);
    snapshot bytes_a = snapshot_of(a), bytes_b = snapshot_of(b);
    EXPECT(mkdir("kills", 0777) == 0 && chdir("kills") == 0);
    EXPECT_OK(bp_network_save(a, path));
    for (int i = 0; i < kills; i++) {
        int holds_a, status;
        pid_t child;
        fflush(stdout);
        child = fork();
        if (child == 0)
            for (int round = i;; round++)
                if (bp_network_save(round % 2 ? a : b, path) != BP_OK) _exit(1);
        sleep_for(500 + (long)((check_random(&random) + 1) * 10000)); /* a save takes some milliseconds */
        kill(child, SIGKILL);
        EXPECT(waitpid(child, &status, 0) == child && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        holds_a = file_holds(path, bytes_a);
        EXPECT(holds_a || file_holds(path, bytes_b));
        if (holds_a) first++;
        else second++;
        EXPECT(entries(".") <= 2);
        left_over += entries(".") == 2;
    }
    printf("# %d kills: %d left a temporary file, %d times the one model was there, %d times the other\n", kills, left_over,
           first, second);
    EXPECT(left_over > 0 && first > 0 && second > 0); /* so the moments were such as to matter */
    EXPECT_OK(bp_network_save(a, path));
    EXPECT(file_holds(path, bytes_a) && entries(".") == 1);
    EXPECT(chdir("..") == 0 && remove("kills/model.safetensors") == 0 && rmdir("kills") == 0);
    bp_network_free(a);
    bp_network_free(b);
    free(bytes_a.bytes);
    free(bytes_b.bytes);
}

/* ---- More than one at it */

enum { SAVERS = 24, ROUNDS = 20 }; /* more than there are names for temporary files */
static snapshot saved[SAVERS];
static bp_network *savers[SAVERS];
static int running, wrong;

static int one_of_the_saved(const bp_network *network) {
    for (int i = 0; i < SAVERS; i++)
        if (snapshot_holds(saved[i], network)) return 1;
    return 0;
}

static void *save_often(void *which) {
    for (int i = 0; i < ROUNDS; i++)
        if (bp_network_save(savers[(intptr_t)which], path) != BP_OK) __atomic_fetch_add(&wrong, 1, __ATOMIC_SEQ_CST);
    __atomic_fetch_sub(&running, 1, __ATOMIC_SEQ_CST);
    return NULL;
}

static void many_may_save_one_file_while_others_load_it(void) {
    pthread_t threads[SAVERS];
    int loads = 0;
    for (int i = 0; i < SAVERS; i++) saved[i] = snapshot_of(savers[i] = small((uint64_t)i));
    EXPECT_OK(bp_network_save(savers[0], path));
    running = SAVERS;
    wrong = 0;
    for (intptr_t i = 0; i < SAVERS; i++) EXPECT(pthread_create(&threads[i], NULL, save_often, (void *)i) == 0);
    while (__atomic_load_n(&running, __ATOMIC_SEQ_CST)) {
        bp_network *network = NULL;
        EXPECT_OK(bp_network_load(path, &network));
        EXPECT(one_of_the_saved(network));
        bp_network_free(network);
        loads++;
    }
    for (int i = 0; i < SAVERS; i++) EXPECT(pthread_join(threads[i], NULL) == 0);
    EXPECT(loads > 0 && wrong == 0);
    EXPECT_OK(bp_network_save(savers[0], path));
    EXPECT(file_holds(path, saved[0]) && entries(".") == 1);
    for (int i = 0; i < SAVERS; i++) {
        bp_network_free(savers[i]);
        free(saved[i].bytes);
    }
    remove(path);
}

/* ---- Symbolic links */

static void symbolic_link_is_followed(void) {
    bp_network *network = small(1), *loaded = NULL;
    snapshot bytes = snapshot_of(network);
    struct stat info;
    EXPECT(mkdir("elsewhere", 0777) == 0 && symlink("elsewhere/target", "first") == 0 && symlink("first", "second") == 0);
    for (int round = 0; round < 2; round++) { /* the target is not there yet, and then it is */
        EXPECT_OK(bp_network_save(network, "second"));
        EXPECT(lstat("second", &info) == 0 && S_ISLNK(info.st_mode) && lstat("first", &info) == 0 && S_ISLNK(info.st_mode));
        EXPECT(lstat("elsewhere/target", &info) == 0 && S_ISREG(info.st_mode));
        EXPECT(file_holds("elsewhere/target", bytes) && entries("elsewhere") == 1);
    }
    EXPECT_OK(bp_network_load("second", &loaded));
    EXPECT(snapshot_holds(bytes, loaded));
    EXPECT(remove("second") == 0 && symlink("second", "second") == 0);
    EXPECT_ERROR(bp_network_save(network, "second"), BP_ERROR_IO);
    remove("second"), remove("first"), remove("elsewhere/target"), rmdir("elsewhere");
    bp_network_free(network);
    bp_network_free(loaded);
    free(bytes.bytes);
}

/* What another put where the temporary file is to be, in a folder both may write to, is neither followed nor written. */
static void traps_in_the_place_of_the_temporary_file_are_left_alone(void) {
    bp_network *network = small(1);
    snapshot bytes = snapshot_of(network);
    char name[300] = "";
    struct dirent *entry;
    pid_t child;
    DIR *folder;
    FILE *victim;
    /* A killed save shows what the name is. */
    for (int attempt = 0; attempt < 1000 && !name[0]; attempt++) {
        child = fork();
        if (child == 0)
            for (;;) bp_network_save(network, path);
        sleep_for(2000);
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        folder = opendir(".");
        while ((entry = readdir(folder)))
            if (strncmp(entry->d_name, ".bp-", 4) == 0) snprintf(name, sizeof name, "%s", entry->d_name);
        closedir(folder);
    }
    if (!EXPECT(name[0])) return;
    EXPECT(remove(name) == 0);
    victim = fopen("victim", "w");
    EXPECT(victim && fputs("precious", victim) >= 0 && fclose(victim) == 0);
    EXPECT(symlink("victim", name) == 0);
    EXPECT_OK(bp_network_save(network, path));
    EXPECT(file_holds(path, bytes));
    EXPECT(remove(name) == 0);
    EXPECT(mkfifo(name, 0666) == 0);
    EXPECT_OK(bp_network_save(network, path)); /* and does not wait for a reader */
    EXPECT(file_holds(path, bytes));
    EXPECT(file_holds("victim", (snapshot){(uint8_t *)"precious", 8}));
    remove(name), remove("victim"), remove(path);
    bp_network_free(network);
    free(bytes.bytes);
}

/* ---- Places where nothing can be saved */

static void rights_of_the_old_file_are_kept(void) {
    bp_network *network = small(1);
    struct stat info;
    EXPECT_OK(bp_network_save(network, path));
    EXPECT(chmod(path, 0640) == 0);
    EXPECT_OK(bp_network_save(network, path));
    EXPECT(stat(path, &info) == 0 && (info.st_mode & 07777) == 0640);
    if (geteuid() == 0) {
        EXPECT(chown(path, 12345, 54321) == 0);
        EXPECT_OK(bp_network_save(network, path));
        EXPECT(stat(path, &info) == 0 && info.st_uid == 12345 && info.st_gid == 54321);
    } else {
        printf("# not tried: saving over a file of another owner, which only root can make\n");
    }
    remove(path);
    bp_network_free(network);
}

static void what_is_no_file_is_not_replaced(void) {
    bp_network *network = small(1);
    struct stat info;
    EXPECT_ERROR(bp_network_save(network, "/dev/null"), BP_ERROR_IO);
    EXPECT(stat("/dev/null", &info) == 0 && S_ISCHR(info.st_mode));
    EXPECT(mkfifo("fifo", 0666) == 0);
    EXPECT_ERROR(bp_network_save(network, "fifo"), BP_ERROR_IO);
    EXPECT(lstat("fifo", &info) == 0 && S_ISFIFO(info.st_mode));
    remove("fifo");
    bp_network_free(network);
}

static void path_of_5000_characters_is_refused(void) {
    static char longest[5001];
    bp_network *network = small(1), *loaded = (bp_network *)1;
    for (int i = 0; i < 5000; i++) longest[i] = i % 100 == 99 ? '/' : 'x';
    EXPECT_ERROR(bp_network_save(network, longest), BP_ERROR_IO);
    EXPECT_ERROR(bp_network_load(longest, &loaded), BP_ERROR_IO);
    EXPECT(loaded == NULL);
    EXPECT_ERROR(bp_network_load_weights(network, longest), BP_ERROR_IO);
    memset(longest, 'x', 255); /* but a name of 255 is one, and leaves no room for a longer one beside it */
    longest[255] = 0;
    EXPECT_OK(bp_network_save(network, longest));
    EXPECT_OK(bp_network_load(longest, &loaded));
    EXPECT(snapshot_equal(network, loaded));
    EXPECT(remove(longest) == 0);
    bp_network_free(network);
    bp_network_free(loaded);
}

/* Runs what() in a child, without the rights of root if it has them; whether it says yes. */
static int child_says(int (*what)(bp_network *network), bp_network *network) {
    int status = -1;
    pid_t child;
    fflush(stdout);
    child = fork();
    if (child == 0) {
        if (geteuid() == 0 && (setresgid(65534, 65534, 65534) != 0 || setresuid(65534, 65534, 65534) != 0)) _exit(2);
        _exit(what(network) ? 0 : 1);
    }
    return waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static int save_is_refused(bp_network *network) {
    return bp_network_save(network, path) == BP_ERROR_IO && check_message() &&
           strstr(bp_last_error_message(), path) != NULL;
}

static void read_only_folder_is_refused_and_the_old_file_stays(void) {
    bp_network *network = small(1), *other = small(2);
    snapshot bytes = snapshot_of(network);
    EXPECT(chmod("..", 0755) == 0); /* the child, who is nobody, has to come here */
    EXPECT(mkdir("locked", 0777) == 0 && chdir("locked") == 0);
    EXPECT_OK(bp_network_save(network, path));
    EXPECT(chmod(".", 0555) == 0);
    EXPECT(child_says(save_is_refused, other));
    EXPECT(file_holds(path, bytes) && entries(".") == 1);
    EXPECT(chmod(".", 0777) == 0 && remove(path) == 0 && chdir("..") == 0 && rmdir("locked") == 0);
    bp_network_free(network);
    bp_network_free(other);
    free(bytes.bytes);
}

static void removed_folder_is_refused(void) {
    bp_network *network = small(1), *loaded = (bp_network *)1;
    int here = open(".", O_RDONLY | O_DIRECTORY);
    EXPECT(mkdir("gone", 0777) == 0 && chdir("gone") == 0 && rmdir("../gone") == 0);
    EXPECT_ERROR(bp_network_save(network, path), BP_ERROR_IO);
    EXPECT_ERROR(bp_network_load(path, &loaded), BP_ERROR_IO);
    EXPECT(fchdir(here) == 0);
    close(here);
    EXPECT_ERROR(bp_network_save(network, "gone/model"), BP_ERROR_IO);
    bp_network_free(network);
}

/* A disk of 256 KiB. Who is not root cannot have one: files.c stops writing at a limit instead. */
static void full_disk_is_refused_and_the_old_file_stays(void) {
    bp_network *network = small(1), *large = check_network(large_sizes, 3, 1);
    snapshot bytes = snapshot_of(network);
    EXPECT(mkdir("disk", 0777) == 0);
    if (geteuid() == 0 && mount("tmpfs", "disk", "tmpfs", 0, "size=256k") == 0) {
        EXPECT_OK(bp_network_save(network, "disk/model"));
        EXPECT_ERROR(bp_network_save(large, "disk/model"), BP_ERROR_IO);
        EXPECT(file_holds("disk/model", bytes) && entries("disk") == 1);
        EXPECT_ERROR(bp_network_save(large, "disk/another"), BP_ERROR_IO);
        EXPECT(entries("disk") == 1);
        EXPECT_OK(bp_network_save(network, "disk/model")); /* there is room again */
        EXPECT(umount("disk") == 0);
    } else {
        printf("# not tried: saving to a full disk, which only root can mount\n");
    }
    rmdir("disk");
    bp_network_free(network);
    bp_network_free(large);
    free(bytes.bytes);
}

int main(void) {
    CLAIM(killed_saves_leave_one_whole_model_and_the_next_save_leaves_nothing_else);
    CLAIM(many_may_save_one_file_while_others_load_it);
    CLAIM(symbolic_link_is_followed);
    CLAIM(traps_in_the_place_of_the_temporary_file_are_left_alone);
    CLAIM(rights_of_the_old_file_are_kept);
    CLAIM(what_is_no_file_is_not_replaced);
    CLAIM(path_of_5000_characters_is_refused);
    CLAIM(read_only_folder_is_refused_and_the_old_file_stays);
    CLAIM(removed_folder_is_refused);
    CLAIM(full_disk_is_refused_and_the_old_file_stays);
    return check_end();
}
