/* What differs between operating systems, for CPlatform itself. linux and apple define these functions and share posix. A system
 * without threads has single_thread; WebAssembly with threads has wasm_threads. */
#ifndef CPLATFORM_SYSTEM_H
#define CPLATFORM_SYSTEM_H

#include <stdbool.h>
#include <stdint.h>

/* ---- Threads */

/* The number of processors that this process may use. */
uint32_t cp_processors(void);

/* Starts a detached thread that runs run(argument). It blocks all signals, which the host's own threads handle. Its stack has
 * 1 MiB, because callbacks of the host may run on it. */
bool cp_start_thread(void *(*run)(void *), void *argument);

/* Sleeps while *word is `value`, until cp_wake_all. May return early. */
void cp_sleep(uint32_t *word, uint32_t value);
/* Wakes the threads that sleep at this word, after it has changed. */
void cp_wake_all(uint32_t *word);

/* Prepares the process for cp_order_all_threads; false if the system cannot. */
bool cp_register_barrier(void);
/* Executes a memory barrier on all threads of the process that run. */
bool cp_order_all_threads(void);

/* ---- Files */

/* Discards a signal that is pending for this thread, which blocks it. */
void cp_discard_signal(int signal);

/* Copies the access-control list of one file to another; removes it if there is none to copy. Returns whether it succeeded. */
bool cp_copy_access_list(int from, int to);
/* Whether symbolic links in this folder lead to open files, which may have been renamed or deleted. */
bool cp_has_links_to_open_files(int folder);

#endif
