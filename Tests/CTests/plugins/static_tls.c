/* Thread-local memory that a process gives to libraries only while it has some left: what libbackprop must leave to others,
 * and others to it. */
static __thread char memory[512] __attribute__((tls_model("initial-exec")));

char *static_tls_memory(void);
char *static_tls_memory(void) { return memory; }
