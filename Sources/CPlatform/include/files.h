/* Whole files in and out. Every function returns 0 or the errno of what failed. */
#ifndef CPLATFORM_FILES_H
#define CPLATFORM_FILES_H

#include <errno.h>
#include <stddef.h>
#include <stdint.h>

enum { cp_out_of_memory_errno = ENOMEM };

/* Reads a regular file into memory from cp_allocate_bytes, which the caller frees with cp_free. limit: EFBIG beyond. */
int cp_read_file(const char *path, size_t limit, uint8_t **bytes_out, size_t *count_out);

/* Replaces a file by these bytes: temporary file in the same folder, write, fsync, rename, fsync of the folder. Only when
 * this last one fails is the new file there already. */
int cp_replace_file(const char *path, const uint8_t *bytes, size_t count);

/* The text for an errno, in a buffer of the caller's. */
const char *cp_describe_errno(int code, char *buffer, size_t capacity);

#endif
