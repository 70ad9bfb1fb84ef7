#include "error_text.h"

static _Thread_local char text[1024];

void cp_set_error_text(const uint8_t *utf8, size_t count) {
    if (count > sizeof text - 1) {
        count = sizeof text - 1;
        while (count > 0 && (utf8[count] & 0xc0) == 0x80) count--;
    }
    for (size_t i = 0; i < count; i++) text[i] = utf8[i] < 0x20 || utf8[i] == 0x7f ? '?' : (char)utf8[i];
    text[count] = 0;
}

const char *cp_error_text(void) { return text; }
