#ifdef __linux__
#include <errno.h>
#include <sys/statfs.h>
#include <sys/xattr.h>

#include "../system.h"
#include "memory.h"

bool cp_copy_access_list(int from, int to) {
    static const char list[] = "system.posix_acl_access";
    ssize_t size = fgetxattr(from, list, NULL, 0);
    if (size < 0) {
        if (errno != ENODATA && errno != ENOTSUP) return false;
        return fremovexattr(to, list) == 0 || errno == ENODATA || errno == ENOTSUP; /* a list inherited from the folder */
    }
    uint8_t *bytes = cp_allocate_bytes((size_t)size);
    bool copied = bytes && fgetxattr(from, list, bytes, (size_t)size) == size &&
        fsetxattr(to, list, bytes, (size_t)size, 0) == 0;
    cp_free(bytes);
    return copied;
}

bool cp_has_links_to_open_files(int folder) {
    enum { PROC_FILE_SYSTEM = 0x9fa0 /* linux/magic.h */ };
    struct statfs system;
    return fstatfs(folder, &system) == 0 && system.f_type == PROC_FILE_SYSTEM;
}
#endif
