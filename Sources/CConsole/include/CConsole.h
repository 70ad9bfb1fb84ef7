/* The process, files, the terminal and signals for the command-line program, which Embedded Swift cannot reach. */
#ifndef CCONSOLE_H
#define CCONSOLE_H

#include <stdbool.h>
#include <stddef.h>

/* The arguments of the process; the first is the name of the program. */
int con_argument_count(void);
const char *con_argument(int index);

/* Opens a file for reading. Returns its descriptor, or a negative errno; EISDIR for a directory. */
int con_open(const char *path);
/* Reads at most count bytes. Returns their number, 0 at the end of the file, or a negative errno. */
ptrdiff_t con_read(int file, void *bytes, size_t count);
/* Writes all bytes. Returns 0 or an errno. */
int con_write(int file, const void *bytes, size_t count);
void con_close(int file);
/* Returns 0 if a file can be made at the path, or replaced there, otherwise an errno. */
int con_check_writable(const char *path);
const char *con_error_text(int code);

/* The columns of the terminal; 0 if the file is no terminal that can move the cursor. */
int con_terminal_width(int file);
/* Whether the environment selects UTF-8 for text. */
bool con_is_utf8(void);

/* From now on SIGINT and SIGTERM are stored. After the first signal, the default action returns: a second one ends the process. */
void con_catch_signals(void);
/* The signal that was stored, or 0. */
int con_caught_signal(void);
/* A write to a closed pipe ends the process, also if the parent process ignores SIGPIPE. */
void con_end_on_closed_pipe(void);

/* Prints a number with that number of significant digits (%g), or of decimals (%f). A capacity of 32 is enough for 9 digits. */
void con_print_short(double value, int digits, char *buffer, size_t capacity);
void con_print_fixed(double value, int decimals, char *buffer, size_t capacity);

/* Seconds of a clock that only runs forward. */
double con_seconds(void);

_Noreturn void con_exit(int status);

#endif
