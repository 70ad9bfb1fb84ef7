/* Replaces a header of WASI's C library, which is compiled for one thread: its errno is a variable that all threads share. */
#ifndef WASM_THREADS_ERRNO_H
#define WASM_THREADS_ERRNO_H

extern int errno;
#define errno errno

#endif
