/* libbackprop as a worker of bench.py, through the header alone: one call a row (bp_network_train_step) or a minibatch
 * (bp_network_train_minibatch). "softsign_ops" registers the activation as a function of whole matrices,
 * "softsign_scalar" as one of a single number. */
#include <math.h>

#include "backprop.h"
#include "worker.h"

static bp_network *network;
static float *outputs; /* of one inference call */

static float softsign(float z, void *user_data) {
    (void)user_data;
    return z / (1 + fabsf(z));
}

static float softsign_derivative(float z, float a, void *user_data) {
    (void)a, (void)user_data;
    float m = 1 + fabsf(z);
    return 1 / (m * m);
}

static int32_t softsigns(const float *z, float *a, size_t rows, size_t columns, void *user_data) {
    (void)user_data;
    for (size_t i = 0; i < rows * columns; i++) a[i] = z[i] / (1 + fabsf(z[i]));
    return 0;
}

static int32_t softsigns_backward(const float *z, const float *a, const float *da, float *dz, size_t rows, size_t columns,
                                  void *user_data) {
    (void)a, (void)user_data;
    for (size_t i = 0; i < rows * columns; i++) {
        float m = 1 + fabsf(z[i]);
        dz[i] = da[i] / (m * m);
    }
    return 0;
}

static void require(int32_t status) {
    if (status == BP_OK) return;
    fprintf(stderr, "%s: %s\n", bp_status_name(status), bp_last_error_message());
    exit(1);
}

static const char *peer_prepare(const job *j, const char **variant) {
    if (strcmp(j->hidden, "softsign_numpy") == 0) return "NumPy is the Python worker's";
    require(bp_set_thread_count((size_t)j->threads));
    static int registered;
    if (!registered) {
        require(bp_activation_register_vector("softsign_ops", softsigns, softsigns_backward, NULL, NULL));
        require(bp_activation_register_scalar("softsign_scalar", softsign, softsign_derivative, NULL, NULL));
        registered = 1;
    }
    size_t sizes[16];
    for (int l = 0; l <= j->layers; l++) sizes[l] = (size_t)j->size[l];
    bp_network_free(network);
    require(bp_network_create(sizes, (size_t)j->layers + 1, 1, &network));
    for (int l = 1; l <= j->layers; l++) {
        const char *name = l < j->layers ? j->hidden : j->output;
        require(bp_network_set_activation(network, (size_t)l, strcmp(name, "linear") ? name : "identity"));
    }
    require(bp_network_set_parameters(network, j->w));
    for (int l = 1; j->bn && l < j->layers; l++) require(bp_network_set_batchnorm(network, (size_t)l, 1));
    free(outputs);
    outputs = malloc((size_t)j->batch * sizes[j->layers] * sizeof *outputs);
    if (!outputs) return "out of memory";
    *variant = j->kind[0] == 'i' ? "predict" : j->batch > 1 ? "train_minibatch" : "train_step";
    return NULL;
}

static void peer_run(const job *j, long n) {
    static size_t at;
    const size_t in = (size_t)j->size[0], out = (size_t)j->size[j->layers], batch = (size_t)j->batch, rows = (size_t)j->rows;
    const float rate = (float)(j->eta / j->batch); /* the gradient is a sum over the rows */
    if (j->kind[0] == 'i') {
        for (; n > 0; n--) {
            at = at + 2 * batch > rows ? 0 : at + batch;
            require(bp_network_predict(network, j->x + at * in, batch, outputs));
        }
        return;
    }
    for (; n > 0; n--)
        for (size_t i = 0; i + batch <= rows; i += batch)
            require(batch == 1 ? bp_network_train_step(network, j->x + i * in, j->y + i * out, rate, NULL)
                               : bp_network_train_minibatch(network, j->x + i * in, j->y + i * out, batch, rate, NULL));
}

static void peer_outputs(const job *j, int n, float *out) { require(bp_network_predict(network, j->x, (size_t)n, out)); }
