#define _GNU_SOURCE
#include "CConsole.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static int argument_count;
static char **arguments;

/* The loader passes the arguments of main to constructors. */
__attribute__((constructor)) static void keep_arguments(int argc, char **argv) {
    argument_count = argc;
    arguments = argv;
}

int con_argument_count(void) { return argument_count; }
const char *con_argument(int index) { return arguments[index]; }

int con_open(const char *path) {
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return -errno;
    struct stat status;
    if (fstat(file, &status) == 0 && S_ISDIR(status.st_mode)) {
        close(file);
        return -EISDIR;
    }
    return file;
}

ptrdiff_t con_read(int file, void *bytes, size_t count) {
    ptrdiff_t n;
    do n = read(file, bytes, count);
    while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : n;
}

int con_write(int file, const void *bytes, size_t count) {
    const char *next = bytes;
    while (count > 0) {
        ptrdiff_t n = write(file, next, count);
        if (n < 0 && errno != EINTR) return errno;
        if (n > 0) {
            next += n;
            count -= (size_t)n;
        }
    }
    return 0;
}

void con_close(int file) { close(file); }

int con_check_writable(const char *path) {
    struct stat status;
    if (stat(path, &status) == 0 && S_ISDIR(status.st_mode)) return EISDIR;
    const char *slash = strrchr(path, '/');
    size_t count = slash ? (size_t)(slash - path) + 1 : 1;
    char *folder = strndup(slash ? path : ".", count);
    if (!folder) return ENOMEM;
    int error = access(folder, W_OK | X_OK) == 0 ? 0 : errno;
    free(folder);
    return error;
}

const char *con_error_text(int code) { return strerror(code); }

int con_terminal_width(int file) {
    const char *terminal = getenv("TERM");
    if (!isatty(file) || !terminal || !*terminal || strcmp(terminal, "dumb") == 0) return 0;
    struct winsize size;
    return ioctl(file, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

bool con_is_utf8(void) {
    static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    for (int i = 0; i < 3; i++) {
        const char *value = getenv(names[i]);
        if (value && *value) return strcasestr(value, "utf-8") || strcasestr(value, "utf8");
    }
    return false;
}

static volatile sig_atomic_t caught;

static void keep_signal(int number) {
    caught = number;
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
}

void con_catch_signals(void) {
    struct sigaction action = {.sa_handler = keep_signal, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    sigaddset(&action.sa_mask, SIGINT);
    sigaddset(&action.sa_mask, SIGTERM);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

int con_caught_signal(void) { return caught; }

void con_end_on_closed_pipe(void) {
    sigset_t pipe;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    signal(SIGPIPE, SIG_DFL);
    sigprocmask(SIG_UNBLOCK, &pipe, NULL);
}

/* The program does not call setlocale, so that its locale is "C". */
void con_print_short(double value, int digits, char *buffer, size_t capacity) {
    snprintf(buffer, capacity, "%.*g", digits, value);
}
void con_print_fixed(double value, int decimals, char *buffer, size_t capacity) {
    snprintf(buffer, capacity, "%.*f", decimals, value);
}

double con_seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

void con_exit(int status) { _exit(status); }

#ifdef BACKPROP_EMBEDDED

/* Embedded Swift does not check the result of posix_memalign: without memory for an object, the program ends here. (Large memory
 * is allocated by functions that report a failure, and the library's calls have a reserve: CPlatform/reserve.h.) */
int posix_memalign(void **memory_out, size_t alignment, size_t size) {
    *memory_out = aligned_alloc(alignment, (size + alignment - 1) & ~(alignment - 1));
    if (*memory_out) return 0;
    static const char message[] = "backprop: out of memory\n";
    con_write(2, message, sizeof message - 1);
    _exit(1);
}

#endif
