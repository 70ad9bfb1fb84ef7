/* The parts of the library that a system may lack. Their functions then fail with BP_ERROR_UNSUPPORTED. A build can leave out a
 * part that the system has: -DCP_HAS_FILES=0. */
#ifndef CPLATFORM_PARTS_H
#define CPLATFORM_PARTS_H

#include <stdint.h> /* defines __GLIBC__ */

#ifdef __APPLE__
#include <TargetConditionals.h>
#endif

/* No operating system: a microcontroller, with the C library of its compiler. */
#if !defined(__unix__) && !defined(__APPLE__) && !defined(__wasi__) && !defined(_WIN32)
#define CP_IS_BARE
#endif

/* Threads. Without them a call computes on the calling thread, and nothing is unsupported. */
#ifndef CP_HAS_THREADS
#if defined(__unix__) || defined(__APPLE__)
#define CP_HAS_THREADS 1
#else
#define CP_HAS_THREADS 0
#endif
#endif

#ifndef CP_HAS_FILES
#if CP_HAS_THREADS || defined(__wasi__)
#define CP_HAS_FILES 1
#else
#define CP_HAS_FILES 0
#endif
#endif

/* Of Apple's systems, only macOS has libffi, and lets a program load code that it was not installed with. */
#if defined(__APPLE__) && !TARGET_OS_OSX
#define CP_RUNS_OTHER_CODE 0
#else
#define CP_RUNS_OTHER_CODE CP_HAS_THREADS
#endif

/* Shared libraries that are opened at run time: plug-ins, and functions by name. */
#ifndef CP_HAS_LIBRARIES
#define CP_HAS_LIBRARIES CP_RUNS_OTHER_CODE
#endif

/* Calls through libffi. */
#ifndef CP_HAS_FOREIGN_CALLS
#define CP_HAS_FOREIGN_CALLS CP_RUNS_OTHER_CODE
#endif

/* A variable of each thread, whose memory exists from the thread's start. In glibc's general model, a library opened by dlopen
 * allocates it at a thread's first access, and the process aborts if that fails. musl allocates when it opens the library, and opens no
 * library with initial-exec variables. */
#if defined(CP_IS_BARE)
#define CP_THREAD_LOCAL
#elif defined(__GLIBC__)
#define CP_THREAD_LOCAL _Thread_local __attribute__((tls_model("initial-exec")))
#else
#define CP_THREAD_LOCAL _Thread_local
#endif

/* The same for Swift. */
enum {
    cp_has_files = CP_HAS_FILES,
    cp_has_libraries = CP_HAS_LIBRARIES,
    cp_has_foreign_calls = CP_HAS_FOREIGN_CALLS,
};

#endif
