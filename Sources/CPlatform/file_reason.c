#define _GNU_SOURCE
#include "file_reason.h"

#include <stdio.h>

int cp_set_reason_text(char reason[CP_REASON_SIZE], int code, const char *text, const char *more) {
    char text_of_code[128];
    snprintf(reason, CP_REASON_SIZE, "%s%s: %s", text, more, strerror_r(code, text_of_code, sizeof text_of_code));
    return code;
}

int cp_set_reason(char reason[CP_REASON_SIZE], int code) {
    char text_of_code[128];
    snprintf(reason, CP_REASON_SIZE, "%s", strerror_r(code, text_of_code, sizeof text_of_code));
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
