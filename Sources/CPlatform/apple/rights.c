#ifdef __APPLE__
#include <sys/acl.h>

#include "../system.h"

bool cp_copy_access_list(int from, int to) {
    acl_t list = acl_get_fd_np(from, ACL_TYPE_EXTENDED);
    if (!list) list = acl_init(0);
    bool copied = list && acl_set_fd_np(to, list, ACL_TYPE_EXTENDED) == 0;
    acl_free(list);
    return copied;
}

bool cp_has_links_to_open_files(int folder) {
    (void)folder;
    return false;
}
#endif
