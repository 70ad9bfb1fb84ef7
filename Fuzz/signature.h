/* signature.h: a function of backprop.h as data. signatures.py writes the table, signatures.h. */
#ifndef SIGNATURE_H
#define SIGNATURE_H

#include <backprop.h>

typedef struct {
    int32_t status;
    const char *name;
} status_name;

typedef struct { /* a struct that starts with its struct_size */
    const char *type;
    size_t size;
} struct_type;

typedef union {
    void *pointer;
    void (*function)(void);
    size_t size;
    uint64_t u64;
    int32_t i32;
    float f32;
    double f64;
} argument;

typedef struct {
    const char *type, *name; /* such as "const float *", "inputs" */
} parameter;

enum { MOST_PARAMETERS = 12 };

typedef struct {
    const char *name;
    int has_status;                             /* returns int32_t */
    size_t count;                               /* of parameters */
    uint32_t allowed;                           /* bit i: the comment allows statuses[i] */
    int32_t (*call)(const argument *arguments); /* BP_OK where the function has no status */
    parameter parameters[MOST_PARAMETERS];
} signature;

#endif
