/* saving.c: if a save is interrupted at any point, the file is still one complete model. Runs in a separate folder. */
#define _GNU_SOURCE /* RTLD_NEXT, O_PATH */
#include <dirent.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>

#include "check.h"
#include "filecalls.h"
#include "folder.h"

static const char path[] = "model.safetensors";
static const size_t small_sizes[] = {3, 4, 2};

static bp_network *small(uint64_t seed) { return check_network(small_sizes, 3, seed); }

/* The name of a temporary file in this folder; "" for none. */
static const char *temporary(void) {
    static char name[300];
    struct dirent *entry;
    DIR *folder = opendir(".");
    name[0] = 0;
    while (folder && (entry = readdir(folder)))
        if (strncmp(entry->d_name, ".bp-", 4) == 0) snprintf(name, sizeof name, "%s", entry->d_name);
    if (folder) closedir(folder);
    return name;
}

/* ---- Killed at any call */

static long calls, fatal_call; /* the number of file calls so far, and the call at which the process ends */

static int end_at_the_fatal_call(const char *name) {
    (void)name;
    if (++calls == fatal_call) kill(getpid(), SIGKILL);
    return 0;
}

/* Saves in a child that kills itself at the Nth call. Returns whether the save made that call. */
static int killed_at(long nth, const bp_network *network) {
    int status;
    pid_t child;
    fflush(stdout);
    child = fork();
    if (child == 0) {
        calls = 0;
        fatal_call = nth;
        file_write_limit = 500; /* so that a model needs several writes */
        file_hook = end_at_the_fatal_call;
        _exit(bp_network_save(network, path) == BP_OK ? 0 : 1);
    }
    EXPECT(waitpid(child, &status, 0) == child);
    if (WIFSIGNALED(status)) return EXPECT(WTERMSIG(status) == SIGKILL);
    EXPECT(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    return 0;
}

/* A save that is killed before each of its file calls, with and without an old file. */
static void save_killed_at_any_call_leaves_a_complete_model_and_the_next_save_removes_the_rest(void) {
    int left_over = 0, old_one = 0, new_one = 0, none = 0;
    bp_network *a = small(1), *b = small(2);
    snapshot bytes_a = snapshot_of(a), bytes_b = snapshot_of(b);
    EXPECT(mkdir("kills", 0777) == 0 && chdir("kills") == 0);
    for (int with_old_file = 0; with_old_file < 2; with_old_file++) {
        for (long nth = 1;; nth++) {
            if (with_old_file) EXPECT_OK(bp_network_save(a, path));
            if (!killed_at(nth, b)) break;
            if (file_holds(path, bytes_b)) new_one++;
            else if (access(path, F_OK) != 0) EXPECT(!with_old_file), none++;
            else EXPECT(file_holds(path, bytes_a)), old_one++;
            EXPECT(entries(".") <= 2);
            left_over += temporary()[0] != 0;
            EXPECT_OK(bp_network_save(a, path));
            EXPECT(file_holds(path, bytes_a) && entries(".") == 1);
            if (!with_old_file) EXPECT(remove(path) == 0);
        }
        EXPECT(file_holds(path, bytes_b) && entries(".") == 1);
        EXPECT(remove(path) == 0);
    }
    printf(
        "# killed at %d calls: a temporary file remained %d times; the file was the old model %d times, the new one %d times, "
        "missing %d times\n",
        old_one + new_one + none, left_over, old_one, new_one, none);
    EXPECT(left_over > 0 && old_one > 0 && new_one > 0 && none > 0);
    EXPECT(chdir("..") == 0 && rmdir("kills") == 0);
    bp_network_free(a);
    bp_network_free(b);
    free(bytes_a.bytes);
    free(bytes_b.bytes);
}

/* ---- A slow disk */

static bp_network *trained;
static int steps, refused;

static float bump(float z, void *user_data) { return (void)user_data, z / (1 + z * z); }

static int train_meanwhile(const char *name) {
    static int is_training;
    const float x[3] = {1, 0.5f, -1}, y[2] = {0, 1};
    (void)name;
    if (is_training) return 0;
    is_training = 1;
    if (bp_network_train_step(trained, x, y, 0.1f, NULL) == BP_OK) steps++;
    else refused++; /* the call holds the network: BUSY, because one of its activations is a callback */
    is_training = 0;
    return 0;
}

static void network_can_be_trained_at_every_file_call_of_a_save_or_a_load(void) {
    bp_network *source = small(5);
    snapshot bytes;
    float ours[26], theirs[26]; /* 3-4-2: 12 + 4 + 8 + 2 */
    EXPECT_OK(bp_activation_register_scalar("bump", bump, NULL, NULL, NULL));
    trained = small(1);
    EXPECT_OK(bp_network_set_activation(trained, 1, "bump"));
    bytes = snapshot_of(trained);
    steps = refused = 0;
    file_hook = train_meanwhile;
    EXPECT_OK(bp_network_save(trained, path));
    file_hook = NULL;
    EXPECT(steps >= 10 && refused == 0);
    EXPECT(file_holds(path, bytes)); /* the network as it was when the save began */
    EXPECT(!snapshot_holds(bytes, trained));
    EXPECT_OK(bp_network_save(source, path));
    steps = 0;
    file_hook = train_meanwhile;
    EXPECT_OK(bp_network_load_weights(trained, path));
    file_hook = NULL;
    EXPECT(steps >= 4 && refused == 0);
    EXPECT_OK(bp_network_get_parameters(trained, ours, 26));
    EXPECT_OK(bp_network_get_parameters(source, theirs, 26));
    EXPECT(memcmp(ours, theirs, sizeof ours) == 0);
    bp_network_free(trained);
    bp_network_free(source);
    free(bytes.bytes);
    remove(path);
    EXPECT_OK(bp_activation_unregister("bump"));
}

/* ---- Several threads save one file */

enum { SAVERS = 24, ROUNDS = 20 }; /* more than the number of names for temporary files */
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

static void many_threads_can_save_one_file_while_others_load_it(void) {
    pthread_t threads[SAVERS];
    for (int i = 0; i < SAVERS; i++) saved[i] = snapshot_of(savers[i] = small((uint64_t)i));
    EXPECT_OK(bp_network_save(savers[0], path));
    running = SAVERS;
    wrong = 0;
    for (intptr_t i = 0; i < SAVERS; i++) EXPECT(pthread_create(&threads[i], NULL, save_often, (void *)i) == 0);
    do {
        bp_network *network = NULL;
        EXPECT_OK(bp_network_load(path, &network));
        EXPECT(one_of_the_saved(network));
        bp_network_free(network);
    } while (__atomic_load_n(&running, __ATOMIC_SEQ_CST));
    for (int i = 0; i < SAVERS; i++) EXPECT(pthread_join(threads[i], NULL) == 0);
    EXPECT(wrong == 0);
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
    for (int round = 0; round < 2; round++) { /* first the target does not exist, then it does */
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

/* In a shared folder, another user can create a link or a file with the name of the temporary file. The save does not follow or
 * write it. */
static void links_with_the_name_of_the_temporary_file_are_not_followed(void) {
    bp_network *network = small(1);
    snapshot bytes = snapshot_of(network);
    char name[300] = "";
    FILE *victim;
    /* A killed save shows the name. */
    for (long nth = 1; !name[0] && killed_at(nth, network); nth++) snprintf(name, sizeof name, "%s", temporary());
    if (!EXPECT(name[0])) return;
    EXPECT(remove(name) == 0);
    victim = fopen("victim", "w");
    EXPECT(victim && fputs("precious", victim) >= 0 && fclose(victim) == 0);
    EXPECT(symlink("victim", name) == 0);
    EXPECT_OK(bp_network_save(network, path));
    EXPECT(file_holds(path, bytes));
    EXPECT(remove(name) == 0);
    EXPECT(mkfifo(name, 0666) == 0);
    EXPECT_OK(bp_network_save(network, path)); /* does not wait for a reader */
    EXPECT(file_holds(path, bytes));
    EXPECT(file_holds("victim", (snapshot){(uint8_t *)"precious", 8}));
    remove(name), remove("victim"), remove(path);
    bp_network_free(network);
    free(bytes.bytes);
}

/* ---- Long paths */

static void path_of_5000_characters_is_refused(void) {
    static char longest[5001];
    bp_network *network = small(1), *loaded = (bp_network *)1;
    for (int i = 0; i < 5000; i++) longest[i] = i % 100 == 99 ? '/' : 'x';
    EXPECT_ERROR(bp_network_save(network, longest), BP_ERROR_IO);
    EXPECT_ERROR(bp_network_load(longest, &loaded), BP_ERROR_IO);
    EXPECT(loaded == NULL);
    EXPECT_ERROR(bp_network_load_weights(network, longest), BP_ERROR_IO);
    memset(longest, 'x', 255); /* a name of 255 bytes is valid, but a longer temporary name is not */
    longest[255] = 0;
    EXPECT_OK(bp_network_save(network, longest));
    EXPECT_OK(bp_network_load(longest, &loaded));
    EXPECT(snapshot_equal(network, loaded));
    EXPECT(remove(longest) == 0);
    bp_network_free(network);
    bp_network_free(loaded);
}

int main(void) {
    CLAIM(save_killed_at_any_call_leaves_a_complete_model_and_the_next_save_removes_the_rest);
    CLAIM(network_can_be_trained_at_every_file_call_of_a_save_or_a_load);
    CLAIM(many_threads_can_save_one_file_while_others_load_it);
    CLAIM(symbolic_link_is_followed);
    CLAIM(links_with_the_name_of_the_temporary_file_are_not_followed);
    CLAIM(path_of_5000_characters_is_refused);
    return check_end();
}
