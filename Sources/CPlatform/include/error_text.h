/* The message of the latest failed call, one for each thread. */
#ifndef CPLATFORM_ERROR_TEXT_H
#define CPLATFORM_ERROR_TEXT_H

#include <stddef.h>
#include <stdint.h>

/* Stores at most 1023 bytes, cut between characters. Control characters become '?', so that the message is one line.
 * Without memory for a thread's buffer, the message is a fixed text that says so. */
void cp_set_error_text(const uint8_t *utf8, size_t count);
/* Stores a static text. Takes no memory. */
void cp_set_static_error_text(const char *text);
const char *cp_error_text(void);

#endif
