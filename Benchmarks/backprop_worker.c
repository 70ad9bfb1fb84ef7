/* libbackprop as a worker of bench.py, through the header alone: one call a row (bp_network_train_step) or a minibatch
 * (bp_network_train_minibatch). "softsign_ops" registers the activation as a function of whole matrices,
 * "softsign_scalar" as one of a single number.
 * Compiled with -DFIT, it trains with a trainer instead, which shuffles the rows: bp_trainer_fit of a number of epochs. */
#include "library.h"
#include "worker.h"

static bp_network *network;
#ifdef FIT
static bp_trainer *trainer;
#endif
static float *outputs; /* of one inference call */
static float rate;

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
    for (int l = 1; j->dropout > 0 && l < j->layers; l++) require(bp_network_set_dropout(network, (size_t)l, j->dropout));
    require(bp_network_set_loss(network, strcmp(j->loss, "squared") ? j->loss : "squared_error"));
    require(bp_network_set_optimizer(network, j->optimizer));
    const int adam = strcmp(j->optimizer, "sgd") != 0; /* with sgd the rate divides the sum of the gradients */
    require(bp_network_set_option(network, "gradient_reduction", adam ? BP_REDUCTION_MEAN : BP_REDUCTION_SUM));
    rate = (float)(adam ? j->eta : j->eta / j->batch);
#ifdef FIT
    if (j->kind[0] == 'i' || !adam) return "only for the Adam workloads";
    bp_trainer_free(trainer);
    require(bp_trainer_create(&trainer));
    require(bp_trainer_set_option(trainer, "batch_size", j->batch));
    require(bp_trainer_set_option(trainer, "learning_rate", j->eta));
    require(bp_trainer_set_option(trainer, "drop_last", 1));
    *variant = "fit";
    return NULL;
#endif
    free(outputs);
    outputs = malloc((size_t)j->batch * sizes[j->layers] * sizeof *outputs);
    if (!outputs) return "out of memory";
    *variant = j->kind[0] == 'i' ? "predict" : j->batch > 1 ? "train_minibatch" : "train_step";
    return NULL;
}

#ifdef FIT
static void peer_run(const job *j, long n) {
    require(bp_trainer_set_option(trainer, "epochs", (double)n));
    require(bp_trainer_fit(trainer, network, j->x, j->y, (size_t)j->rows, NULL, NULL, 0, NULL));
}
#else
static void peer_run(const job *j, long n) {
    static size_t at;
    const size_t in = (size_t)j->size[0], out = (size_t)j->size[j->layers], batch = (size_t)j->batch, rows = (size_t)j->rows;
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

#endif

static void peer_outputs(const job *j, const float *x, int n, float *out) {
    (void)j;
    require(bp_network_predict(network, x, (size_t)n, out));
}
