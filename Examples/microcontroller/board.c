/* A board without an operating system: start, the arena that malloc and the library take memory from, and text and the end of the
 * program through semihosting. Prints how much memory was used. For another board, change board.ld and the last three functions. */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>

#ifndef ARENA
#define ARENA (48 << 10)
#endif
enum { PATTERN = 0x5aa55aa5 };

extern uint32_t data_in_flash[], data_start[], data_end[], bss_start[], bss_end[], stack_limit[], stack_top[];
extern void (*__init_array_start[])(void), (*__init_array_end[])(void);
int main(void);
void reset(void);
static _Noreturn void end(int status);

static _Alignas(64) char arena[ARENA];
static size_t used, most; /* malloc gives memory back, too */

void *_sbrk(ptrdiff_t bytes) {
    if (bytes > (ptrdiff_t)(ARENA - used)) return errno = ENOMEM, (void *)-1;
    void *memory = arena + used;
    used += (size_t)bytes;
    if (used > most) most = used;
    return memory;
}

static void fault(void) {
    puts("fault");
    end(1);
}

__attribute__((section(".vectors"), used)) static void *const vectors[16] = {
    stack_top, reset, fault, fault, fault, fault, fault, 0, 0, 0, 0, fault, fault, 0, fault, fault};

void reset(void) {
    *(volatile uint32_t *)0xe000ed88 |= 0xf << 20; /* CPACR: the FPU */
    __asm__ volatile("dsb\n\tisb");
    for (uint32_t *to = data_start, *from = data_in_flash; to < data_end;) *to++ = *from++;
    for (uint32_t *to = bss_start; to < bss_end;) *to++ = 0;
    for (uint32_t *to = stack_limit; to < (uint32_t *)__builtin_frame_address(0) - 64;) *to++ = PATTERN;
    for (void (**function)(void) = __init_array_start; function < __init_array_end;) (*function++)();
    int status = main();
    const uint32_t *deepest = stack_limit;
    while (*deepest == PATTERN) deepest++;
    printf("# arena %u bytes, stack %u bytes\n", (unsigned)most, (unsigned)((stack_top - deepest) * sizeof *deepest));
    end(status);
}

/* ---- Semihosting */

static int call(int operation, const void *argument) {
    register int r0 __asm__("r0") = operation;
    register const void *r1 __asm__("r1") = argument;
    __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
    return r0;
}

static _Noreturn void end(int status) {
    const int application_exit = 0x20026, parameters[] = {application_exit, status};
    for (;;) call(0x20, parameters);
}

int _write(int file, const char *bytes, int count) {
    (void)file;
    for (int i = 0; i < count; i++) call(0x03, bytes + i);
    return count;
}

int _fstat(int file, struct stat *info) {
    (void)file;
    info->st_mode = S_IFCHR;
    return 0;
}
