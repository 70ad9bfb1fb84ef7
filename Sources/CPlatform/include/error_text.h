/* The message of the latest failed call, one for each thread. */
#ifndef CPLATFORM_ERROR_TEXT_H
#define CPLATFORM_ERROR_TEXT_H

#include <stddef.h>
#include <stdint.h>

/* Keeps the first 1023 bytes, cut between characters. Control characters become '?': the message is one line.
 * Where there is no memory for a thread's first message, a fixed one that says so stands in. */
void cp_set_error_text(const uint8_t *utf8, size_t count);
const char *cp_error_text(void);

#endif
