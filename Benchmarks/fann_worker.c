/* FANN (float) as a worker of bench.py: online SGD with fann_train_epoch in
 * incremental mode, minibatches with fann_train_epoch in batch mode on data
 * sets cut to the batch size once, inference with fann_run row by row.
 *
 * FANN has no ReLU (2.2), no batch normalisation and, as Debian builds it, no
 * threads.  Its weights of a layer are stored neuron by neuron with the bias
 * last, in the order written below. */
#include <floatfann.h>
#include "worker.h"

static struct fann *net;
static struct fann_train_data *all, **part;
static int parts, online_loop;

static void one_epoch(const job *j) {
    if (j->batch > 1)
        for (int i = 0; i < parts; i++) fann_train_epoch(net, part[i]);
    else if (online_loop)
        for (int i = 0; i < j->rows; i++) fann_train(net, j->x + (size_t)i * j->size[0], j->y + (size_t)i * j->size[j->layers]);
    else fann_train_epoch(net, all);
}

static const char *peer_prepare(const job *j, const char **variant) {
    if (j->bn) return "no batch normalisation";
    if (strcmp(j->optimizer, "sgd")) return "no Adam";
    if (j->threads > 1 && j->batch > 1) return "single-threaded";
    if (strcmp(j->hidden, "logistic") && strcmp(j->hidden, "tanh")) return "activation not provided";
    if (strcmp(j->output, "logistic")) return "activation not provided";

    if (net) fann_destroy(net);
    if (all) fann_destroy_train(all);
    for (int i = 0; i < parts; i++) fann_destroy_train(part[i]);
    free(part);
    net = NULL, all = NULL, part = NULL, parts = 0;

    unsigned size[16];
    for (int l = 0; l <= j->layers; l++) size[l] = j->size[l];
    net = fann_create_standard_array(j->layers + 1, size);
    int tanh_hidden = !strcmp(j->hidden, "tanh"); /* FANN: tanh(s x), 1 / (1 + exp(-2 s x)) */
    fann_set_activation_function_hidden(net, tanh_hidden ? FANN_SIGMOID_SYMMETRIC : FANN_SIGMOID);
    fann_set_activation_steepness_hidden(net, tanh_hidden ? 1 : 0.5);
    fann_set_activation_function_output(net, FANN_SIGMOID);
    fann_set_activation_steepness_output(net, 0.5);
    fann_set_train_error_function(net, FANN_ERRORFUNC_LINEAR);
    fann_set_learning_rate(net, j->eta);
    fann_set_learning_momentum(net, 0);
    fann_set_training_algorithm(net, j->batch > 1 ? FANN_TRAIN_BATCH : FANN_TRAIN_INCREMENTAL);

    fann_type *to = net->weights;
    const float *w = j->w;
    for (int l = 0; l < j->layers; l++) {
        int in = j->size[l], out = j->size[l + 1];
        const float *b = w + (size_t)in * out;
        for (int o = 0; o < out; o++, w += in) {
            memcpy(to, w, in * sizeof *to);
            to[in] = b[o];
            to += in + 1;
        }
        w = b + out;
    }

    all = fann_create_train(j->rows, j->size[0], j->size[j->layers]);
    for (int i = 0; i < j->rows; i++) {
        memcpy(all->input[i], j->x + (size_t)i * j->size[0], j->size[0] * sizeof(float));
        memcpy(all->output[i], j->y + (size_t)i * j->size[j->layers], j->size[j->layers] * sizeof(float));
    }
    if (j->kind[0] == 't' && j->batch > 1) {
        part = malloc(sizeof *part * (j->rows / j->batch));
        for (parts = 0; (parts + 1) * j->batch <= j->rows; parts++)
            part[parts] = fann_subset_train_data(all, parts * j->batch, j->batch);
        *variant = "fann_train_epoch-batch-on-subsets";
    } else if (j->kind[0] == 't') {
        double t[2];
        size_t bytes = (char *)to - (char *)net->weights;
        fann_type *start = malloc(bytes);
        memcpy(start, net->weights, bytes);
        for (online_loop = 0; online_loop < 2; online_loop++) { /* which of the two is quicker here? */
            t[online_loop] = worker_now();
            for (int i = 0; i < 1 + 20000 / j->rows; i++) one_epoch(j);
            t[online_loop] = worker_now() - t[online_loop];
        }
        memcpy(net->weights, start, bytes); /* fann_copy would forget the training algorithm */
        free(start);
        online_loop = t[1] < t[0];
        *variant = online_loop ? "fann_train-per-sample" : "fann_train_epoch-incremental";
    } else {
        *variant = "fann_run-per-row";
    }
    return NULL;
}

static void peer_run(const job *j, long n) {
    static long at;
    if (j->kind[0] == 't') {
        while (n-- > 0) one_epoch(j);
        return;
    }
    for (; n > 0; n--, at++)
        for (int b = 0; b < j->batch; b++) fann_run(net, j->x + (size_t)((at * j->batch + b) % j->rows) * j->size[0]);
}

static void peer_outputs(const job *j, const float *x, int n, float *out) {
    int width = j->size[j->layers];
    for (int i = 0; i < n; i++)
        memcpy(out + (size_t)i * width, fann_run(net, (fann_type *)x + (size_t)i * j->size[0]), width * sizeof *out);
}
