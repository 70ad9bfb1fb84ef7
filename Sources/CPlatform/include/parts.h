/* The parts of the library that a system may lack. Their functions then fail with BP_ERROR_UNSUPPORTED. A build can leave out a
 * part that the system has: -DCP_HAS_FILES=0. */
#ifndef CPLATFORM_PARTS_H
#define CPLATFORM_PARTS_H

#ifdef __APPLE__
#include <TargetConditionals.h>
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

/* Shared libraries that are opened at run time: plug-ins, and functions by name. */
#ifndef CP_HAS_LIBRARIES
#define CP_HAS_LIBRARIES CP_HAS_THREADS
#endif

/* Calls through libffi, which only macOS has of Apple's systems. */
#ifndef CP_HAS_FOREIGN_CALLS
#if defined(__APPLE__) && !TARGET_OS_OSX
#define CP_HAS_FOREIGN_CALLS 0
#else
#define CP_HAS_FOREIGN_CALLS CP_HAS_THREADS
#endif
#endif

/* The same for Swift. */
enum {
    cp_has_files = CP_HAS_FILES,
    cp_has_libraries = CP_HAS_LIBRARIES,
    cp_has_foreign_calls = CP_HAS_FOREIGN_CALLS,
};

#endif
