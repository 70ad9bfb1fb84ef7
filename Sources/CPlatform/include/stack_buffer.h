/* A buffer on the stack, whose size is known at run time. (Swift's withUnsafeTemporaryAllocation may allocate on the heap.) */
#ifndef CPLATFORM_STACK_BUFFER_H
#define CPLATFORM_STACK_BUFFER_H

#include <stddef.h>

/* Calls a non-escaping Swift closure (UnsafeMutablePointer<Float>) -> Void, passed as its function and its context, with a
 * buffer of `count` floats, aligned to a cache line and not initialized. */
typedef __attribute__((swiftcall)) void cp_buffer_closure(float *buffer, __attribute__((swift_context)) void *context);
__attribute__((swiftcall)) void cp_with_stack_buffer(ptrdiff_t count, cp_buffer_closure *function, void *context);

#endif
