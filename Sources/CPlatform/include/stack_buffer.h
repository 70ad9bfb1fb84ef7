/* A buffer on the stack, whose size is known at run time. (Swift's withUnsafeTemporaryAllocation may allocate on the heap.) */
#ifndef CPLATFORM_STACK_BUFFER_H
#define CPLATFORM_STACK_BUFFER_H

#include <stddef.h>

#include "swift_call.h"

/* Calls a non-escaping Swift closure (UnsafeMutablePointer<Float>) -> Void, passed as its function and its context, with a
 * buffer of `count` floats, aligned to a cache line and not initialized. */
typedef CP_SWIFT_CALL void cp_buffer_closure(float *buffer, CP_SWIFT_CONTEXT void *context);
CP_SWIFT_CALL void cp_with_stack_buffer(ptrdiff_t count, cp_buffer_closure *function, void *context);

#endif
