/* Texts for the cause of a file error, shared by files.c and replace.c. */
#ifndef FILE_REASON_H
#define FILE_REASON_H

#include <string.h>
#include <sys/stat.h>

#include "files.h"

/* Writes the system's text for an errno. Returns the errno. */
int cp_set_reason(char reason[CP_REASON_SIZE], int code);

/* Writes `text` and `more`, then the system's text for an errno. Returns the errno. */
int cp_set_reason_text(char reason[CP_REASON_SIZE], int code, const char *text, const char *more);

/* Returns 0 for a regular file; otherwise an errno, and the reason names the type of the file. */
int cp_require_regular(char reason[CP_REASON_SIZE], mode_t mode);

#endif
