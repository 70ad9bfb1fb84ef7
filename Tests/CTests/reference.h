/* reference.h: the library's computations in double precision, written as plain loops: one loop for each sum, directly from
 * the formulas of the notes and of backprop.h. reference.c compares its gradients with differences of its losses, so that
 * it is checked independently of the library. */
#ifndef REFERENCE_H
#define REFERENCE_H

#include <math.h>
#include <string.h>

enum { REF_LAYERS = 6, REF_WIDTH = 40, REF_ROWS = 40 };

enum {
    REF_IDENTITY,
    REF_SIGN,
    REF_LOGISTIC,
    REF_TANH,
    REF_RELU,
    REF_LEAKY_RELU,
    REF_ELU,
    REF_SOFTPLUS,
    REF_SOFTSIGN,
    REF_SILU,
    REF_GELU,
    REF_SELU,
    REF_MISH,
    REF_HARD_SIGMOID,
    REF_HARD_SWISH,
    REF_RELU6,
    REF_SINE,
    REF_GAUSSIAN,
    REF_SOFTMAX,
    REF_ACTIVATIONS
};
enum { REF_SQUARED_ERROR, REF_BINARY_CROSS_ENTROPY, REF_CROSS_ENTROPY, REF_LOSSES };

static const char *const ref_activation_names[REF_ACTIVATIONS] = {
    "identity", "sign", "logistic", "tanh",         "relu",       "leaky_relu", "elu",  "softplus", "softsign", "silu",
    "gelu",     "selu", "mish",     "hard_sigmoid", "hard_swish", "relu6",      "sine", "gaussian", "softmax"};
static const char *const ref_loss_names[REF_LOSSES] = {"squared_error", "binary_cross_entropy", "cross_entropy"};

typedef double ref_matrix[REF_ROWS][REF_WIDTH];

/* A network; also used to hold a gradient, which has the same shape. Layers are numbered as in backprop.h. */
typedef struct {
    int layers, size[REF_LAYERS], activation[REF_LAYERS], norm[REF_LAYERS], frozen[REF_LAYERS], loss;
    int mean_reduction, gamma_first; /* options gradient_reduction and batchnorm_update */
    double epsilon, momentum;        /* of batch normalization */
    const float *row_weights;        /* the weight of each row; NULL: all equal */
    double weight[REF_LAYERS][REF_WIDTH][REF_WIDTH], bias[REF_LAYERS][REF_WIDTH]; /* weight[layer][output][input] */
    double gamma[REF_LAYERS][REF_WIDTH], beta[REF_LAYERS][REF_WIDTH];
    double running_mean[REF_LAYERS][REF_WIDTH], running_variance[REF_LAYERS][REF_WIDTH];
} reference;

/* The results of the forward pass that the backward pass needs. */
typedef struct {
    ref_matrix z, normal, s, a;  /* weighted sums, normalized sums, inputs and outputs of the activation */
    double deviation[REF_WIDTH]; /* sqrt(variance + epsilon) */
} ref_layer_state;

static inline void ref_init(reference *r, int layers, const int *size) {
    memset(r, 0, sizeof *r);
    r->layers = layers;
    r->epsilon = 1e-5;
    r->momentum = 0.1;
    for (int l = 0; l < layers; l++) {
        r->size[l] = size[l];
        r->activation[l] = REF_LOGISTIC;
        for (int k = 0; k < size[l]; k++) r->gamma[l][k] = r->running_variance[l][k] = 1;
    }
}

/* Calls visit with every parameter, in the order of the flat vector. */
static inline size_t ref_each(reference *r, void (*visit)(double *parameter, size_t index, void *data), void *data) {
    size_t index = 0;
    for (int l = 1; l < r->layers; l++) {
        for (int k = 0; k < r->size[l]; k++)
            for (int j = 0; j < r->size[l - 1]; j++) visit(&r->weight[l][k][j], index++, data);
        for (int k = 0; k < r->size[l]; k++) visit(&r->bias[l][k], index++, data);
        for (int k = 0; r->norm[l] && k < r->size[l]; k++) visit(&r->gamma[l][k], index++, data);
        for (int k = 0; r->norm[l] && k < r->size[l]; k++) visit(&r->beta[l][k], index++, data);
    }
    return index;
}

static inline void ref_visit_set(double *parameter, size_t index, void *data) {
    *parameter = (double)((const float *)data)[index];
}
static inline void ref_visit_get(double *parameter, size_t index, void *data) { ((double *)data)[index] = *parameter; }

static inline void ref_visit_set_double(double *parameter, size_t index, void *data) {
    *parameter = ((const double *)data)[index];
}

static inline size_t ref_set(reference *r, const float *flat) { return ref_each(r, ref_visit_set, (void *)flat); }
static inline size_t ref_get(reference *r, double *flat) { return ref_each(r, ref_visit_get, flat); }

/* ---- Activations: the table of bp_network_set_activation */

static inline double ref_logistic(double z) { return 1 / (1 + exp(-z)); }

static inline double ref_value(int activation, double z) {
    switch (activation) {
    case REF_SIGN: return (z > 0) - (z < 0);
    case REF_LOGISTIC: return ref_logistic(z);
    case REF_TANH: return (exp(z) - exp(-z)) / (exp(z) + exp(-z));
    case REF_RELU: return z > 0 ? z : 0;
    case REF_LEAKY_RELU: return z > 0 ? z : 0.01 * z;
    case REF_ELU: return z > 0 ? z : exp(z) - 1;
    case REF_SOFTPLUS: return log(1 + exp(z));
    case REF_SOFTSIGN: return z / (1 + fabs(z));
    case REF_SILU: return z * ref_logistic(z);
    case REF_GELU: return z * (1 + erf(z / sqrt(2.0))) / 2;
    case REF_SELU: return 1.0507009873554805 * (z > 0 ? z : 1.6732632423543772 * (exp(z) - 1));
    case REF_MISH: return z * tanh(z > 100 ? z : log(1 + exp(z)));
    case REF_HARD_SIGMOID: return fmin(fmax(0, z + 3), 6) / 6;
    case REF_HARD_SWISH: return z * fmin(fmax(0, z + 3), 6) / 6;
    case REF_RELU6: return fmin(fmax(0, z), 6);
    case REF_SINE: return sin(z);
    case REF_GAUSSIAN: return exp(-z * z);
    default: return z;
    }
}

static inline double ref_slope(int activation, double z) {
    double a = ref_value(activation, z);
    switch (activation) {
    case REF_LOGISTIC: return a * (1 - a); /* notes, section 1 */
    case REF_TANH: return 1 - a * a;
    case REF_RELU: return z > 0 ? 1 : 0;
    case REF_LEAKY_RELU: return z > 0 ? 1 : 0.01;
    case REF_ELU: return z > 0 ? 1 : exp(z);
    case REF_SOFTPLUS: return ref_logistic(z);
    case REF_SOFTSIGN: return 1 / ((1 + fabs(z)) * (1 + fabs(z)));
    case REF_SILU: return ref_logistic(z) * (1 + z * (1 - ref_logistic(z)));
    case REF_GELU: return (1 + erf(z / sqrt(2.0))) / 2 + z * exp(-z * z / 2) / sqrt(2 * 3.14159265358979323846);
    case REF_SELU: return 1.0507009873554805 * (z > 0 ? 1 : 1.6732632423543772 * exp(z));
    case REF_MISH: {
        double t = tanh(log(1 + exp(z)));
        return t + z * (1 - t * t) * ref_logistic(z);
    }
    case REF_HARD_SIGMOID: return z > -3 && z <= 3 ? 1.0 / 6 : 0;
    case REF_HARD_SWISH: return z > 3 ? 1 : z > -3 ? (2 * z + 3) / 6 : 0;
    case REF_RELU6: return z > 0 && z <= 6 ? 1 : 0;
    case REF_SINE: return cos(z);
    case REF_GAUSSIAN: return -2 * z * a;
    default: return 1; /* identity; and sign, by definition */
    }
}

static inline void ref_activate(int activation, int width, const double *s, double *a) {
    double sum = 0;
    for (int k = 0; k < width; k++) a[k] = activation == REF_SOFTMAX ? exp(s[k]) : ref_value(activation, s[k]);
    if (activation != REF_SOFTMAX) return;
    for (int k = 0; k < width; k++) sum += a[k];
    for (int k = 0; k < width; k++) a[k] /= sum;
}

static inline void ref_activate_backward(int activation, int width, const double *s, const double *a, const double *da,
                                         double *ds) {
    double common = 0; /* softmax: da_k/ds_j = a_k ((k == j) - a_j) */
    for (int k = 0; k < width; k++) common += da[k] * a[k];
    for (int k = 0; k < width; k++)
        ds[k] = activation == REF_SOFTMAX ? a[k] * (da[k] - common) : da[k] * ref_slope(activation, s[k]);
}

/* ---- Losses: the table of bp_network_set_loss, without the bounds on logarithms */

static inline double ref_loss_row(int loss, int width, const double *a, const double *y, double *da) {
    double sum = 0;
    for (int k = 0; k < width; k++) switch (loss) {
        case REF_SQUARED_ERROR:
            sum += (a[k] - y[k]) * (a[k] - y[k]) / 2;
            da[k] = a[k] - y[k];
            break;
        case REF_BINARY_CROSS_ENTROPY:
            sum -= y[k] * log(a[k]) + (1 - y[k]) * log(1 - a[k]);
            da[k] = (1 - y[k]) / (1 - a[k]) - y[k] / a[k];
            break;
        default: sum -= y[k] * log(a[k]); da[k] = -y[k] / a[k];
        }
    return sum;
}

/* ---- Forward. Training normalizes with the minibatch's statistics and updates the running statistics. Prediction, and
 * training on a single row, normalize with the running statistics (backprop.h at bp_network_set_batchnorm). Frozen layers
 * normalize as in prediction. */

static inline void ref_normalize(reference *r, int l, int rows, int training, ref_layer_state *state) {
    training = training && !r->frozen[l];
    for (int k = 0; k < r->size[l]; k++) {
        double mean = r->running_mean[l][k], variance = r->running_variance[l][k], m = r->momentum;
        if (training && rows > 1) { /* notes, section 5 */
            double sum = 0, squares = 0;
            for (int i = 0; i < rows; i++) sum += state->z[i][k];
            mean = sum / rows;
            for (int i = 0; i < rows; i++) squares += (state->z[i][k] - mean) * (state->z[i][k] - mean);
            variance = squares / rows;
            r->running_mean[l][k] += m * (mean - r->running_mean[l][k]);
            r->running_variance[l][k] += m * (squares / (rows - 1) - r->running_variance[l][k]);
        } else if (training) {
            double d = state->z[0][k] - mean;
            r->running_mean[l][k] = mean + m * d;
            r->running_variance[l][k] = (1 - m) * (variance + m * d * d);
        }
        state->deviation[k] = sqrt(variance + r->epsilon);
        for (int i = 0; i < rows; i++) {
            state->normal[i][k] = (state->z[i][k] - mean) / state->deviation[k];
            state->s[i][k] = r->gamma[l][k] * state->normal[i][k] + r->beta[l][k];
        }
    }
}

/* From the inputs, which are in states[0].a. */
static inline void ref_forward_from(reference *r, int rows, int training, ref_layer_state *states) {
    for (int l = 1; l < r->layers; l++) {
        ref_layer_state *state = &states[l];
        for (int i = 0; i < rows; i++)
            for (int k = 0; k < r->size[l]; k++) {
                double z = r->bias[l][k];
                for (int j = 0; j < r->size[l - 1]; j++) z += r->weight[l][k][j] * states[l - 1].a[i][j];
                state->z[i][k] = state->s[i][k] = z;
            }
        if (r->norm[l]) ref_normalize(r, l, rows, training, state);
        for (int i = 0; i < rows; i++) ref_activate(r->activation[l], r->size[l], state->s[i], state->a[i]);
    }
}

static inline void ref_forward(reference *r, const float *x, int rows, int training, ref_layer_state *states) {
    for (int i = 0; i < rows; i++)
        for (int j = 0; j < r->size[0]; j++) states[0].a[i][j] = (double)x[i * r->size[0] + j];
    ref_forward_from(r, rows, training, states);
}

static inline ref_layer_state *ref_states(void) {
    static ref_layer_state states[REF_LAYERS];
    return states;
}

static inline void ref_predict(reference *r, const float *x, int rows, double *outputs) {
    ref_layer_state *states = ref_states();
    int last = r->layers - 1;
    ref_forward(r, x, rows, 0, states);
    for (int i = 0; i < rows; i++)
        for (int k = 0; k < r->size[last]; k++) outputs[i * r->size[last] + k] = states[last].a[i][k];
}

/* The loss, and its derivatives with respect to the outputs if da is not NULL. */
static inline double ref_loss(const reference *r, const ref_layer_state *states, const float *targets, int rows,
                              ref_matrix da) {
    int last = r->layers - 1, q = r->size[last];
    double sum = 0, y[REF_WIDTH], row[REF_WIDTH];
    for (int i = 0; i < rows; i++) {
        double weight = r->row_weights ? (double)r->row_weights[i] : 1;
        for (int k = 0; k < q; k++) y[k] = (double)targets[i * q + k];
        sum += weight * ref_loss_row(r->loss, q, states[last].a[i], y, row);
        for (int k = 0; da && k < q; k++) da[i][k] = weight * (r->mean_reduction ? row[k] / rows : row[k]);
    }
    return r->mean_reduction ? sum / rows : sum;
}

static inline double ref_evaluate(reference *r, const float *x, const float *y, int rows) {
    ref_forward(r, x, rows, 0, ref_states());
    return ref_loss(r, ref_states(), y, rows, NULL);
}

/* ---- Backward. Computes dz from ds: the gradient of notes, section 5, through mean and variance. Running statistics are
 * constants, so a single row has no such terms. */

static inline void ref_normalize_backward(const reference *r, int l, int rows, const double *gamma,
                                          const ref_layer_state *state, ref_matrix ds, ref_matrix dz) {
    for (int k = 0; k < r->size[l]; k++) {
        double sum = 0, product = 0; /* of ds, and of ds times the normalized sums */
        for (int i = 0; i < rows; i++) sum += ds[i][k], product += ds[i][k] * state->normal[i][k];
        for (int i = 0; i < rows; i++) {
            double through = rows > 1 && !r->frozen[l] ? ds[i][k] - (sum + state->normal[i][k] * product) / rows : ds[i][k];
            dz[i][k] = gamma[k] * through / state->deviation[k];
        }
    }
}

/* The gradient at the current parameters. Updates the running statistics. With option batchnorm_update 1 the gradient of a
 * normalized layer's weights uses the new gamma, after a step of that rate. The gradient of the layers below uses the old
 * gamma. The gradient of frozen layers is 0. */
static inline double ref_gradient(reference *r, const float *x, const float *y, int rows, double rate, reference *g) {
    static ref_matrix da, ds, dz, through_new;
    ref_layer_state *states = ref_states();
    double loss;
    ref_forward(r, x, rows, 1, states);
    loss = ref_loss(r, states, y, rows, da);
    *g = *r;
    for (int l = r->layers - 1; l > 0; l--) {
        int width = r->size[l], below = r->size[l - 1];
        double(*own)[REF_WIDTH] = dz; /* for the gradient of the layer's own weights */
        for (int i = 0; i < rows; i++)
            ref_activate_backward(r->activation[l], width, states[l].s[i], states[l].a[i], da[i], ds[i]);
        memcpy(dz, ds, sizeof dz);
        if (r->norm[l]) {
            double new_gamma[REF_WIDTH];
            for (int k = 0; k < width; k++) {
                g->gamma[l][k] = g->beta[l][k] = 0;
                for (int i = 0; i < rows; i++) {
                    g->gamma[l][k] += ds[i][k] * states[l].normal[i][k];
                    g->beta[l][k] += ds[i][k];
                }
                new_gamma[k] = r->gamma[l][k] - rate * g->gamma[l][k];
            }
            ref_normalize_backward(r, l, rows, r->gamma[l], &states[l], ds, dz);
            ref_normalize_backward(r, l, rows, new_gamma, &states[l], ds, through_new);
            if (r->gamma_first) own = through_new;
        }
        for (int k = 0; k < width; k++) {
            g->bias[l][k] = 0;
            for (int i = 0; i < rows; i++) g->bias[l][k] += own[i][k];
            for (int j = 0; j < below; j++) {
                g->weight[l][k][j] = 0;
                for (int i = 0; i < rows; i++) g->weight[l][k][j] += own[i][k] * states[l - 1].a[i][j];
            }
        }
        if (r->frozen[l]) {
            memset(g->weight[l], 0, sizeof g->weight[l]), memset(g->bias[l], 0, sizeof g->bias[l]);
            memset(g->gamma[l], 0, sizeof g->gamma[l]), memset(g->beta[l], 0, sizeof g->beta[l]);
        }
        for (int i = 0; i < rows; i++)
            for (int j = 0; j < below; j++) {
                da[i][j] = 0;
                for (int k = 0; k < width; k++) da[i][j] += dz[i][k] * r->weight[l][k][j]; /* the old weights */
            }
    }
    return loss;
}

typedef struct {
    double *gradient, rate;
} ref_step_data;

static inline void ref_visit_step(double *parameter, size_t index, void *data) {
    *parameter -= ((ref_step_data *)data)->rate * ((ref_step_data *)data)->gradient[index];
}

/* w := w - rate gradient, with the whole gradient at the old parameters. Returns the loss before the step. */
static inline double ref_step(reference *r, const float *x, const float *y, int rows, double rate) {
    static reference g;
    static double flat[REF_LAYERS * REF_WIDTH * (REF_WIDTH + 3)];
    double loss = ref_gradient(r, x, y, rows, rate, &g);
    ref_step_data data = {flat, rate};
    ref_get(&g, flat);
    ref_each(r, ref_visit_step, &data);
    return loss;
}

#endif
