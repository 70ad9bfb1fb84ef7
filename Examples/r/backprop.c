/* The functions of backprop.h that backprop.R calls. R's matrices, column-major doubles, are used in place. */
#include <R.h>
#include <Rinternals.h>
#include <backprop.h>
#include <limits.h>
#include <setjmp.h>

/* An R error is a longjmp. It must not pass through the library: it ends in the callback, and continues after the call. */
static SEXP continuation;
static int interrupted;

static void check(int32_t status) {
    if (interrupted) {
        interrupted = 0;
        R_ContinueUnwind(continuation);
    }
    if (status < 0) Rf_error("%s", bp_last_error_message());
}

/* One callback: out = function(z), or out = da * function(z). */
struct task {
    SEXP function;
    const float *z, *da;
    float *out;
    size_t count;
};

static SEXP run(void *data) {
    const struct task *task = data;
    SEXP argument = PROTECT(Rf_allocVector(REALSXP, (R_xlen_t)task->count));
    for (size_t i = 0; i < task->count; i++) REAL(argument)[i] = task->z[i];
    SEXP call = PROTECT(Rf_lang2(task->function, argument));
    SEXP value = PROTECT(Rf_coerceVector(PROTECT(Rf_eval(call, R_GlobalEnv)), REALSXP));
    if ((size_t)XLENGTH(value) != task->count) Rf_error("an activation returned another number of values");
    for (size_t i = 0; i < task->count; i++) task->out[i] = (float)((task->da ? task->da[i] : 1) * REAL(value)[i]);
    UNPROTECT(4);
    return R_NilValue;
}

static void leave(void *back, Rboolean jumps) {
    if (jumps) longjmp(*(jmp_buf *)back, 1);
}

static int32_t guarded(struct task task) {
    jmp_buf back;
    if (setjmp(back)) return interrupted = 1;
    R_UnwindProtect(run, &task, leave, &back, continuation);
    return 0;
}

static int32_t forward(const float *z, float *a, size_t rows, size_t columns, void *functions) {
    return guarded((struct task){VECTOR_ELT(functions, 0), z, NULL, a, rows * columns});
}

static int32_t backward(const float *z, const float *a, const float *da, float *dz, size_t rows, size_t columns,
                        void *functions) {
    (void)a;
    return guarded((struct task){VECTOR_ELT(functions, 1), z, da, dz, rows * columns});
}

static void release(void *functions) { R_ReleaseObject(functions); }

static const char *text(SEXP string) { return Rf_translateCharUTF8(Rf_asChar(string)); }

static bp_rows rows_of(SEXP matrix) {
    if (!Rf_isReal(matrix) || !Rf_isMatrix(matrix)) Rf_error("not a matrix of numbers");
    const size_t rows = (size_t)Rf_nrows(matrix), columns = (size_t)Rf_ncols(matrix);
    bp_rows description = {0};
    description.struct_size = sizeof description;
    description.type = BP_DOUBLE;
    description.values = REAL(matrix);
    description.rows = rows;
    description.columns = columns;
    description.row_stride = sizeof(double);
    description.column_stride = (ptrdiff_t)(rows * sizeof(double));
    return description;
}

static void free_network(SEXP network) {
    bp_network_free(R_ExternalPtrAddr(network));
    R_ClearExternalPtr(network);
}

static SEXP made(bp_network *handle) {
    SEXP network = PROTECT(R_MakeExternalPtr(handle, R_NilValue, R_NilValue));
    R_RegisterCFinalizer(network, free_network);
    UNPROTECT(1);
    return network;
}

static bp_network *handle_of(SEXP network) {
    if (TYPEOF(network) != EXTPTRSXP) Rf_error("not a network");
    return R_ExternalPtrAddr(network);
}

SEXP register_activation(SEXP name, SEXP functions) {
    R_PreserveObject(functions);
    const int32_t status = bp_activation_register_vector(text(name), forward, backward, functions, release);
    if (status < 0) R_ReleaseObject(functions);
    check(status);
    return R_NilValue;
}

SEXP create(SEXP sizes, SEXP seed) {
    size_t layers[1024], count = (size_t)XLENGTH(sizes);
    bp_network *network;
    if (!Rf_isReal(sizes) || count > 1024) Rf_error("sizes: not the sizes of layers");
    for (size_t i = 0; i < count; i++) {
        if (!(REAL(sizes)[i] >= 0 && REAL(sizes)[i] <= INT_MAX)) Rf_error("sizes: not the sizes of layers");
        layers[i] = (size_t)REAL(sizes)[i];
    }
    if (!(Rf_asReal(seed) >= 0 && Rf_asReal(seed) <= INT_MAX)) Rf_error("seed: not from 0 to %d", INT_MAX);
    check(bp_network_create(layers, count, (uint64_t)Rf_asReal(seed), &network));
    return made(network);
}

SEXP load_network(SEXP path) {
    bp_network *network;
    check(bp_network_load(text(path), &network));
    return made(network);
}

SEXP set_activation(SEXP network, SEXP layer, SEXP name) {
    check(bp_network_set_activation(handle_of(network), (size_t)Rf_asInteger(layer), text(name)));
    return R_NilValue;
}

SEXP train(SEXP network, SEXP inputs, SEXP targets, SEXP rate) {
    const bp_rows x = rows_of(inputs), y = rows_of(targets);
    float loss;
    check(bp_network_train_rows(handle_of(network), &x, &y, (float)Rf_asReal(rate), &loss));
    return Rf_ScalarReal(loss);
}

SEXP predict(SEXP network, SEXP inputs) {
    const bp_rows x = rows_of(inputs);
    size_t layers, columns;
    check(bp_network_layer_count(handle_of(network), &layers));
    check(bp_network_layer_size(handle_of(network), layers - 1, &columns));
    SEXP outputs = PROTECT(Rf_allocMatrix(REALSXP, (int)x.rows, (int)columns));
    check(bp_network_predict_rows(handle_of(network), &x, REAL(outputs), BP_DOUBLE, sizeof(double),
                                  (ptrdiff_t)(x.rows * sizeof(double))));
    UNPROTECT(1);
    return outputs;
}

SEXP save_network(SEXP network, SEXP path) {
    check(bp_network_save(handle_of(network), text(path)));
    return R_NilValue;
}

void R_init_backprop(DllInfo *info) {
    (void)info;
    continuation = R_MakeUnwindCont();
    R_PreserveObject(continuation);
}
