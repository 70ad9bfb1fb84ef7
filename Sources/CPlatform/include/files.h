/* Files in and out. A function that fails returns an errno and puts one line about the cause into `reason`. Paths are bytes
 * ended by NUL: the system gives them no encoding. */
#ifndef CPLATFORM_FILES_H
#define CPLATFORM_FILES_H

#include <errno.h>
#include <stddef.h>
#include <stdint.h>

#include "reason.h"

enum { cp_out_of_memory_errno = ENOMEM };

/* Opens a regular file to be read, and gives its size. The caller closes it with cp_close_file. */
int cp_open_file(const char *path, int *file_out, size_t *count_out, char reason[CP_REASON_SIZE]);

/* Reads count bytes from an offset on. A file that ends before is an error. */
int cp_read_file(int file, size_t offset, uint8_t *bytes, size_t count, char reason[CP_REASON_SIZE]);

void cp_close_file(int file);

/* Replaces a file by these bytes: temporary file in the same folder, write, fsync, rename, fsync of the folder. Only when
 * this last one fails is the new file there already; the reason says so. */
int cp_replace_file(const char *path, const uint8_t *bytes, size_t count, char reason[CP_REASON_SIZE]);

/* Sets this thread's errno, for a caller of the library. */
void cp_set_errno(int code);

#endif
