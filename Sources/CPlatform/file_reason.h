/* Why a file could not be read or written, in words: what files.c and replace.c share. */
#ifndef FILE_REASON_H
#define FILE_REASON_H

#include <string.h>
#include <sys/stat.h>

#include "files.h"

/* The words for an errno. Returns the errno, as the others do. */
int cp_say(char reason[CP_REASON_SIZE], int code);

/* A text, and the words for an errno after it. */
int cp_say_with(char reason[CP_REASON_SIZE], int code, const char *text, const char *more);

/* 0 for a regular file; else the reason says what it is. */
int cp_require_regular(char reason[CP_REASON_SIZE], mode_t mode);

#endif
