/* Opens a program that was linked as a shared library, with dlopen, as interpreters open libraries, and runs its main function:
 * open LIBRARY [ARGUMENT...] */
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

int main(int count, char **arguments) {
    void *library = count > 1 ? dlopen(arguments[1], RTLD_NOW) : NULL;
    void *address = library ? dlsym(library, "main") : NULL;
    if (!address) return fprintf(stderr, "%s\n", count > 1 ? dlerror() : "no library"), 2;
    int (*function)(int, char **);
    memcpy(&function, &address, sizeof function); /* C99 has no such conversion */
    return function(count - 1, arguments + 1);
}
