/* The functions of parts that this build lacks. They are not called: Swift checks parts.h first. */
#include "files.h"
#include "foreign.h"
#include "libraries.h"
#include "parts.h"

#if !CP_HAS_FILES
int cp_open_file(const char *path, int *file_out, size_t *count_out, char reason[CP_REASON_SIZE]) {
    (void)path, (void)file_out, (void)count_out, (void)reason;
    return ENOSYS;
}
int cp_read_file(int file, size_t offset, uint8_t *bytes, size_t count, char reason[CP_REASON_SIZE]) {
    (void)file, (void)offset, (void)bytes, (void)count, (void)reason;
    return ENOSYS;
}
void cp_close_file(int file) { (void)file; }
int cp_replace_file(const char *path, const uint8_t *bytes, size_t count, char reason[CP_REASON_SIZE]) {
    (void)path, (void)bytes, (void)count, (void)reason;
    return ENOSYS;
}
#endif

#if !CP_HAS_LIBRARIES
void *cp_open_library(const char *path, char reason[CP_REASON_SIZE]) { return (void)path, (void)reason, NULL; }
void cp_close_library(void *library) { (void)library; }
cp_foreign_function cp_find_function(void *library, const char *symbol) { return (void)library, (void)symbol, NULL; }
void *cp_open_library_of(cp_foreign_function function) { return (void)function, NULL; }
#endif

#if !CP_HAS_FOREIGN_CALLS
cp_foreign_call *cp_prepare_call(char result, const char *parameters, size_t count, const double *constants) {
    return (void)result, (void)parameters, (void)count, (void)constants, NULL;
}
void cp_call_foreign(const cp_foreign_call *call, cp_foreign_function function, double z, double *result_out) {
    (void)call, (void)function, *result_out = z;
}
#endif
