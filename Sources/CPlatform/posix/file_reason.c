#define _POSIX_C_SOURCE 200809L /* without extensions, strerror_r is the same everywhere */
#include "file_reason.h"

#include "parts.h"
#if CP_HAS_FILES
#include <stdio.h>

enum { TEXT_SIZE = 128 };

static const char *text_of(int code, char text[TEXT_SIZE]) {
    text[0] = 0;
    (void)strerror_r(code, text, TEXT_SIZE); /* has a text for an unknown code, too */
    return text;
}

int cp_set_reason_text(char reason[CP_REASON_SIZE], int code, const char *text, const char *more) {
    char text_of_code[TEXT_SIZE];
    snprintf(reason, CP_REASON_SIZE, "%s%s: %s", text, more, text_of(code, text_of_code));
    return code;
}

int cp_set_reason(char reason[CP_REASON_SIZE], int code) {
    char text_of_code[TEXT_SIZE];
    snprintf(reason, CP_REASON_SIZE, "%s", text_of(code, text_of_code));
    return code;
}

int cp_require_regular(char reason[CP_REASON_SIZE], mode_t mode) {
    if (S_ISREG(mode)) return 0;
    if (S_ISDIR(mode)) return cp_set_reason(reason, EISDIR);
    snprintf(reason, CP_REASON_SIZE, "it is %s, not a regular file",
             S_ISFIFO(mode)       ? "a pipe"
                 : S_ISSOCK(mode) ? "a socket"
                                  : "a device");
    return EINVAL;
}
#endif
