/* libbackprop as a worker of bench.py, through the header alone: one call a row (bp_network_train_step) or a minibatch
 * (bp_network_train_minibatch). "softsign_ops" registers the activation as a function of whole matrices,
 * "softsign_scalar" as one of a single number. */
#include "library.h"
#include "worker.h"

static bp_network *network;
static float *outputs; /* of one inference call */

static const char *peer_prepare(const job *j, const char **variant) {
    if (strcmp(j->hidden, "softsign_numpy") == 0) return "NumPy is the Python worker's";
    require(bp_set_thread_count((size_t)j->threads));
    static int registered;
    if (!registered) {
        require(bp_activation_register_vector("softsign_ops", softsigns, softsigns_back, NULL, NULL));
        require(bp_activation_register_scalar("softsign_scalar", softsign, softsign_slope, NULL, NULL));
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
    size_t count = 0;
    require(bp_network_parameter_count(network, &count));
    require(bp_network_set_parameters(network, j->w, count));
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
