/* Static thread-local memory, of which a process has a limited amount for all libraries. libbackprop must leave enough of it
 * for other libraries, and must load when others use it. */
static __thread char memory[512] __attribute__((tls_model("initial-exec")));

char *static_tls_memory(void);
char *static_tls_memory(void) { return memory; }
