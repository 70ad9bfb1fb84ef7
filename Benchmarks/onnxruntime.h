/* A network in ONNX Runtime, by its C interface: a session on one thread, with input and output bound once, which is its
 * fastest call. Its library is opened with dlopen, and the few functions are taken from its table by index: the table only
 * grows at its end. The model is written here as ONNX's protocol buffers, so that nothing else is needed. */
#ifndef ONNXRUNTIME_H
#define ONNXRUNTIME_H
#include <dlfcn.h>
#include <string.h>

#include "library.h"

/* Functions of struct OrtApi. Each returns NULL or a status. */
enum {
    ORT_ERROR_MESSAGE = 2,
    ORT_CREATE_ENVIRONMENT = 3,
    ORT_CREATE_SESSION_FROM_ARRAY = 8,
    ORT_RUN = 9,
    ORT_CREATE_SESSION_OPTIONS = 10,
    ORT_SET_THREADS_IN_OPERATOR = 24,
    ORT_SET_THREADS_BETWEEN_OPERATORS = 25,
    ORT_CREATE_TENSOR = 49,
    ORT_CREATE_PROCESSOR_MEMORY = 69
};

static void *const *ort_api;
static void *ort_session, *ort_input, *ort_output;

#define ORT(index, ...) ort_require(((void *(*)())ort_api[index])(__VA_ARGS__))
static inline void ort_require(void *status) {
    if (!status) return;
    fprintf(stderr, "ONNX Runtime: %s\n", ((const char *(*)(void *))ort_api[ORT_ERROR_MESSAGE])(status));
    exit(1);
}

/* ---- Protocol buffers: a field is a number, with the kind of its value, and the value */

typedef struct bytes {
    unsigned char *start;
    size_t count;
} bytes;

static inline void put(bytes *to, const void *from, size_t count) {
    to->start = realloc(to->start, to->count + count + 1);
    if (!to->start) abort();
    if (count) memcpy(to->start + to->count, from, count);
    to->count += count;
}
static inline void put_number(bytes *to, uint64_t value) {
    do {
        unsigned char low = (unsigned char)((value & 127) | (value > 127 ? 128 : 0));
        put(to, &low, 1);
    } while (value >>= 7);
}
static inline void put_integer(bytes *to, unsigned field, uint64_t value) { put_number(to, field << 3), put_number(to, value); }
static inline void put_data(bytes *to, unsigned field, const void *from, size_t count) {
    put_number(to, field << 3 | 2), put_number(to, count), put(to, from, count);
}
static inline void put_text(bytes *to, unsigned field, const char *text) { put_data(to, field, text, strlen(text)); }
static inline void put_part(bytes *to, unsigned field, bytes part) {
    put_data(to, field, part.start, part.count), free(part.start);
}

/* TensorProto: dims 1, data_type 2 (1: float), name 8, raw_data 9 */
static inline bytes ort_constant(const char *name, const float *values, size_t rows, size_t columns) {
    bytes made = {0};
    if (rows) put_integer(&made, 1, rows);
    put_integer(&made, 1, columns);
    put_integer(&made, 2, 1);
    put_text(&made, 8, name);
    put_data(&made, 9, values, (rows ? rows : 1) * columns * sizeof *values);
    return made;
}

/* NodeProto: input 1, output 2, op_type 4, attribute 5 (name 1, i 3, type 20) */
static inline bytes ort_node(const char *operator, const char * from, const char *w, const char *b, const char *to) {
    bytes made = {0}, transposed = {0};
    put_text(&made, 1, from);
    if (w) put_text(&made, 1, w), put_text(&made, 1, b);
    put_text(&made, 2, to);
    put_text(&made, 4, operator);
    if (w) {
        put_text(&transposed, 1, "transB"), put_integer(&transposed, 3, 1), put_integer(&transposed, 20, 2);
        put_part(&made, 5, transposed);
    }
    return made;
}

/* ValueInfoProto of one row: name 1, type 2 (tensor_type 1 (elem_type 1, shape 2 (dim 1 (dim_value 1)))) */
static inline bytes ort_row(const char *name, size_t width) {
    const size_t sizes[] = {1, width};
    bytes made = {0}, type = {0}, tensor = {0}, shape = {0};
    for (int i = 0; i < 2; i++) {
        bytes size = {0};
        put_integer(&size, 1, sizes[i]), put_part(&shape, 1, size);
    }
    put_integer(&tensor, 1, 1), put_part(&tensor, 2, shape), put_part(&type, 1, tensor);
    put_text(&made, 1, name), put_part(&made, 2, type);
    return made;
}

/* ModelProto: ir_version 1, graph 7, opset_import 8 (version 2). GraphProto: node 1, name 2, initializer 5, input 11, output 12.
 * parameters: of each layer weights [outputs][inputs] and biases. The last layer is linear. */
static inline bytes ort_model(const size_t *sizes, size_t count, const char *activation, const float *parameters) {
    bytes model = {0}, graph = {0}, version = {0};
    char from[32] = "x", to[32], w[32], b[32];
    for (size_t layer = 1; layer < count; layer++) {
        const size_t in = sizes[layer - 1], out = sizes[layer];
        const int last = layer + 1 == count;
        snprintf(w, sizeof w, "w%zu", layer), snprintf(b, sizeof b, "b%zu", layer);
        snprintf(to, sizeof to, last ? "y" : "z%zu", layer);
        put_part(&graph, 5, ort_constant(w, parameters, out, in));
        put_part(&graph, 5, ort_constant(b, parameters + in * out, 0, out));
        parameters += (in + 1) * out;
        put_part(&graph, 1, ort_node("Gemm", from, w, b, to));
        snprintf(from, sizeof from, "a%zu", layer);
        if (!last) put_part(&graph, 1, ort_node(activation, to, NULL, NULL, from));
    }
    put_text(&graph, 2, "network");
    put_part(&graph, 11, ort_row("x", sizes[0])), put_part(&graph, 12, ort_row("y", sizes[count - 1]));
    put_integer(&version, 2, 17);
    put_integer(&model, 1, 8), put_part(&model, 7, graph), put_part(&model, 8, version);
    return model;
}

/* ---- A session */

/* Opens ONNX Runtime's library; 0 if there is none. */
static inline int ort_open(const char *path) {
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    const struct {
        void *const *(*get)(uint32_t version);
        const char *(*version)(void);
    } *(*base)(void) = NULL;
    if (!library) return fprintf(stderr, "%s\n", dlerror()), 0;
    *(void **)&base = dlsym(library, "OrtGetApiBase");
    if (!base || !(ort_api = base()->get(17))) return 0;
    printf("ONNX Runtime %s, one thread\n", base()->version());
    return 1;
}

/* Makes a session for the network; x and y remain bound to it. */
static inline void ort_load(const size_t *sizes, size_t count, const char *activation, const float *parameters, float *x,
                            float *y) {
    static void *environment, *memory;
    void *options;
    const int64_t in[] = {1, (int64_t)sizes[0]}, out[] = {1, (int64_t)sizes[count - 1]};
    bytes model = ort_model(sizes, count, activation, parameters);
    if (!environment) {
        ORT(ORT_CREATE_ENVIRONMENT, 3, "latency", &environment);
        ORT(ORT_CREATE_PROCESSOR_MEMORY, 0, 0, &memory);
    }
    ORT(ORT_CREATE_SESSION_OPTIONS, &options);
    ORT(ORT_SET_THREADS_IN_OPERATOR, options, 1);
    ORT(ORT_SET_THREADS_BETWEEN_OPERATORS, options, 1);
    ORT(ORT_CREATE_SESSION_FROM_ARRAY, environment, (void *)model.start, model.count, options, &ort_session);
    ORT(ORT_CREATE_TENSOR, memory, (void *)x, sizes[0] * sizeof *x, in, (size_t)2, 1, &ort_input);
    ORT(ORT_CREATE_TENSOR, memory, (void *)y, sizes[count - 1] * sizeof *y, out, (size_t)2, 1, &ort_output);
    free(model.start);
}

static inline void ort_run(void) {
    static const char *const input = "x", *const output = "y";
    typedef void *run(void *, const void *, const char *const *, void *const *, size_t, const char *const *, size_t, void **);
    ort_require(((run *)ort_api[ORT_RUN])(ort_session, NULL, &input, &ort_input, 1, &output, 1, &ort_output));
}

#endif
