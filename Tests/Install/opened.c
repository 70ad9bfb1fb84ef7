/* Opens the library by its name, without being linked with it: opened LIBRARY VERSION */
#include <backprop.h>
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

static void *library;

/* Stores the address of a function. (C99 has no conversion from void * to a pointer to a function.) */
static int find(const char *name, void *function_out) {
    void *address = dlsym(library, name);
    memcpy(function_out, &address, sizeof address);
    return address != NULL;
}

int main(int count, char **arguments) {
    const char *(*version_string)(void);
    int32_t (*create)(const size_t *layer_sizes, size_t layer_count, uint64_t seed, bp_network **network_out);
    int32_t (*predict)(const bp_network *network, const float *inputs, size_t rows, float *outputs);
    void (*free_network)(bp_network *network);

    if (count < 3) return 2;
    library = dlopen(arguments[1], RTLD_NOW | RTLD_LOCAL);
    if (!library) return fprintf(stderr, "%s\n", dlerror()), 1;
    if (!find("bp_version_string", &version_string) || !find("bp_network_create", &create) ||
        !find("bp_network_predict", &predict) || !find("bp_network_free", &free_network))
        return 1;
    if (strcmp(version_string(), arguments[2]) != 0) return 1;

    const size_t sizes[] = {2, 3, 1};
    const float input[] = {1, 0};
    float output = -1;
    bp_network *network = NULL;
    int32_t status = create(sizes, 3, 1, &network);
    if (status == BP_OK) status = predict(network, input, 1, &output);
    free_network(network);
    return status == BP_OK && output > 0 && output < 1 ? 0 : 1;
}
