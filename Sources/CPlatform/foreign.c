#include "foreign.h"

#include "parts.h"
#if CP_HAS_FOREIGN_CALLS
#include <ffi.h>
#include <stdint.h>
#include <string.h>

#include "environment.h"
#include "memory.h"

/* A number in the representation in which libffi passes its type. */
typedef union {
    float f;
    double d;
    int32_t i;
    int64_t l;
    uint32_t u;
    ffi_arg word; /* libffi returns integers shorter than a word as a word */
} number;

struct cp_foreign_call {
    ffi_cif cif;
    ffi_type *types[CP_MOST_PARAMETERS];
    number constants[CP_MOST_PARAMETERS]; /* [0] is unused: z is passed from the stack */
    size_t count;
    char result, z;
};

static ffi_type *type_of(char letter) {
    switch (letter) {
    case 'f': return &ffi_type_float;
    case 'd': return &ffi_type_double;
    case 'i': return &ffi_type_sint32;
    case 'l': return &ffi_type_sint64;
    default: return &ffi_type_uint32;
    }
}

static number convert(char letter, double value) {
    number result = {.l = 0};
    switch (letter) {
    case 'f': result.f = (float)value; break;
    case 'd': result.d = value; break;
    case 'i': result.i = (int32_t)value; break;
    case 'l': result.l = (int64_t)value; break;
    default: result.u = (uint32_t)value; break;
    }
    return result;
}

cp_foreign_call *cp_prepare_call(char result, const char *parameters, size_t count, const double *constants) {
    cp_foreign_call *call = (cp_foreign_call *)cp_allocate_bytes(sizeof *call);
    if (!call) return NULL;
    memset(call, 0, sizeof *call);
    call->count = count;
    call->result = result;
    call->z = parameters[0];
    for (size_t i = 0; i < count; i++) {
        call->types[i] = type_of(parameters[i]);
        if (i > 0) call->constants[i] = convert(parameters[i], constants[i - 1]);
    }
    if (ffi_prep_cif(&call->cif, FFI_DEFAULT_ABI, (unsigned)count, type_of(result), call->types) == FFI_OK) return call;
    cp_free(call);
    return NULL;
}

/* z and the result are on the stack, so that several threads can use one call. */
void cp_call_foreign(const cp_foreign_call *call, cp_foreign_function function, double z, double *result_out) {
    number first = convert(call->z, z), result;
    void *values[CP_MOST_PARAMETERS];
    values[0] = &first;
    for (size_t i = 1; i < call->count; i++) values[i] = (void *)&call->constants[i];
    uint64_t host = cp_host_environment();
    if (host != 0) cp_enter_host(host);
    ffi_call((ffi_cif *)&call->cif, function, &result, values);
    if (host != 0) cp_leave_host(host);
    switch (call->result) {
    case 'f': *result_out = result.f; break;
    case 'd': *result_out = result.d; break;
    case 'i': *result_out = (int32_t)result.word; break;
    case 'l': *result_out = (double)result.l; break;
    default: *result_out = (uint32_t)result.word; break;
    }
}
#endif
