#include "parts.h"
#if !CP_HAS_THREADS && !defined(__wasm_atomics__)
#include "../system.h"

uint32_t cp_processors(void) { return 1; }
bool cp_start_thread(void *(*run)(void *), void *argument) { return (void)run, (void)argument, false; }
void cp_sleep(uint32_t *word, uint32_t value) { (void)word, (void)value; }
void cp_wake_all(uint32_t *word) { (void)word; }
bool cp_register_barrier(void) { return false; }
bool cp_order_all_threads(void) { return false; }
#endif
