#include "stack_buffer.h"

CP_SWIFT_CALL void cp_with_stack_buffer(ptrdiff_t count, cp_buffer_closure *function, void *context) {
    function(__builtin_alloca_with_align((size_t)count * sizeof(float), 64 * 8), context);
}
