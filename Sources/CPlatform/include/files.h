/* Reading and replacing files. A function that fails returns an errno and writes one line about the cause to `reason`.
 * Paths are bytes ended by NUL, without a defined encoding. */
#ifndef CPLATFORM_FILES_H
#define CPLATFORM_FILES_H

#include <errno.h>
#include <stddef.h>
#include <stdint.h>

#include "reason.h"

enum { cp_out_of_memory_errno = ENOMEM };

/* Opens a regular file for reading and returns its size. The caller closes it with cp_close_file. */
int cp_open_file(const char *path, int *file_out, size_t *count_out, char reason[CP_REASON_SIZE]);

/* Reads count bytes that start at an offset. A file that ends earlier is an error. */
int cp_read_file(int file, size_t offset, uint8_t *bytes, size_t count, char reason[CP_REASON_SIZE]);

void cp_close_file(int file);

/* Replaces a file by these bytes: creates a temporary file in the same folder, writes it, fsyncs it, renames it, and fsyncs
 * the folder. If only this last step fails, the new file is in place; the reason says so. */
int cp_replace_file(const char *path, const uint8_t *bytes, size_t count, char reason[CP_REASON_SIZE]);

/* Sets this thread's errno, for the caller of the library. */
static inline void cp_set_errno(int code) { errno = code; }

#endif
