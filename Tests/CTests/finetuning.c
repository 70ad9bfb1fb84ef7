/* finetuning.c: frozen layers (bp_network_set_trainable) against the plain loops of reference.h, and new last layers
 * (bp_network_replace_output). Layers from files of other programs are tested in weights.c. */
#define _POSIX_C_SOURCE 200809L
#include <pthread.h>

#include "reference.h"

#include "trainer.h"

enum { ROWS = 12, PARAMETERS = 4096 };
static const size_t sizes[] = {5, 9, 7, 3};
static float x[ROWS * 5], y[ROWS * 3];

/* A network of three layers of weights, and its reference. `norm` and `frozen`: a bit for each layer from layer 1 on. */
static bp_network *make(reference *r, int norm, int frozen) {
    static const int same[] = {5, 9, 7, 3};
    static const int activation[] = {REF_TANH, REF_SOFTPLUS, REF_IDENTITY};
    static float flat[PARAMETERS];
    bp_network *network = check_network(sizes, 4, 11);
    ref_init(r, 4, same);
    for (int l = 1; l < 4; l++) {
        r->activation[l] = activation[l - 1];
        r->norm[l] = norm >> (l - 1) & 1;
        r->frozen[l] = frozen >> (l - 1) & 1;
        EXPECT_OK(bp_network_set_activation(network, (size_t)l, ref_activation_names[r->activation[l]]));
        EXPECT_OK(bp_network_set_batchnorm(network, (size_t)l, r->norm[l]));
        EXPECT_OK(bp_network_set_trainable(network, (size_t)l, !r->frozen[l]));
    }
    EXPECT_OK(bp_network_get_parameters(network, flat, count_of(network)));
    for (size_t i = 0; i < count_of(network); i++) flat[i] += 0.01f * (float)(i % 7);
    EXPECT_OK(bp_network_set_parameters(network, flat, count_of(network)));
    ref_set(r, flat);
    return network;
}

static int is_near(const float *flat, const double *expected, size_t count, double tolerance) {
    double scale = 1e-3, worst = 0;
    for (size_t i = 0; i < count; i++) scale = fmax(scale, fabs(expected[i]));
    for (size_t i = 0; i < count; i++) worst = fmax(worst, fabs((double)flat[i] - expected[i]) / scale);
    if (worst > tolerance) printf("#   the difference is %g\n", worst);
    return worst <= tolerance;
}

static int matches(const bp_network *network, reference *r, double tolerance) {
    static float flat[PARAMETERS];
    static double expected[PARAMETERS];
    char name[64];
    size_t count = ref_get(r, expected);
    EXPECT(count == count_of(network));
    EXPECT_OK(bp_network_get_parameters(network, flat, count));
    int near = is_near(flat, expected, count, tolerance);
    for (int l = 1; l < r->layers; l++)
        for (int variance = 0; variance < 2 && r->norm[l]; variance++) {
            snprintf(name, sizeof name, "layers.%d.norm.running_%s", l, variance ? "var" : "mean");
            EXPECT_OK(bp_network_get_tensor(network, name, flat, (size_t)r->size[l]));
            near = near && is_near(flat, variance ? r->running_variance[l] : r->running_mean[l], (size_t)r->size[l], tolerance);
        }
    return near;
}

/* All eight choices of frozen layers, except all; batch normalization of no layer, of layers 1 and 2, and of all. */
#define EACH_CHOICE(norm, frozen)                     \
    for (int norm = 0; norm < 8; norm = norm * 2 + 3) \
        for (int frozen = 0; frozen < 7; frozen++)

static void steps_with_frozen_layers_match_plain_double_loops(void) {
    static reference r;
    EACH_CHOICE(norm, frozen) for (int rows = 1; rows <= ROWS; rows = rows * 2 + 2) {
        bp_network *network = make(&r, norm, frozen);
        for (int step = 0; step < 3; step++) {
            float loss = 0;
            double expected = ref_step(&r, x, y, rows, 0.05);
            EXPECT_OK(bp_network_train_minibatch(network, x, y, (size_t)rows, 0.05f, &loss));
            EXPECT_NEAR(loss, expected, 1e-4 * fmax(1, expected));
        }
        if (!EXPECT(matches(network, &r, 2e-4))) printf("#   norm %d, frozen %d, %d rows\n", norm, frozen, rows);
        bp_network_free(network);
    }
}

/* The bits of all tensors of a layer. */
static int layer_equals(const bp_network *one, const bp_network *other, int layer) {
    static const char *const names[] = {"weight", "bias", "norm.weight", "norm.bias", "norm.running_mean", "norm.running_var"};
    static float a[PARAMETERS], b[PARAMETERS];
    int same = 1;
    for (int i = 0; i < 6; i++) {
        char name[64];
        size_t rows, columns;
        snprintf(name, sizeof name, "layers.%d.%s", layer, names[i]);
        if (bp_network_tensor_shape(one, name, &rows, &columns) != BP_OK) continue;
        EXPECT_OK(bp_network_get_tensor(one, name, a, rows * columns));
        EXPECT_OK(bp_network_get_tensor(other, name, b, rows * columns));
        same = same && memcmp(a, b, rows * columns * sizeof(float)) == 0;
    }
    return same;
}

/* Every optimizer, with decay and clipping unless it refuses them: the other layers change, the frozen ones do not. */
static void no_optimizer_changes_a_frozen_layer(void) {
    static reference r;
    static const struct {
        const char *option;
        double value;
    } settings[] = {{"momentum", 0.5}, {"weight_decay", 0.1}, {"l1", 0.1}, {"clip_norm", 0.01}, {"clip_value", 0.01}};
    char optimizer[32];
    size_t needed;
    for (size_t o = 0; bp_optimizer_name(o, optimizer, sizeof optimizer, &needed) == BP_OK; o++)
        for (size_t s = 0; s < sizeof settings / sizeof settings[0]; s++) EACH_CHOICE(norm, frozen) {
                bp_network *network = make(&r, norm, frozen), *before = NULL;
                EXPECT_OK(bp_network_set_optimizer(network, optimizer));
                EXPECT_OK(bp_network_set_option(network, settings[s].option, settings[s].value));
                EXPECT_OK(bp_network_set_option(network, "decay_biases", 1));
                EXPECT_OK(bp_network_clone(network, &before));
                const int takes_it = bp_network_check_settings(network, NULL, 0) != BP_ERROR_UNSUPPORTED;
                for (int step = 0; step < 2 && takes_it; step++)
                    EXPECT_OK(bp_network_train_minibatch(network, x, y, ROWS, 0.01f, NULL));
                for (int l = 1; l < 4 && takes_it; l++) EXPECT(layer_equals(network, before, l) == r.frozen[l]);
                bp_network_free(network);
                bp_network_free(before);
            }
}

/* The norm of clip_norm is that of the trainable layers: the step has its length. */
static void clipping_does_not_count_frozen_layers(void) {
    static reference r, g;
    static double gradient[PARAMETERS];
    bp_network *network = make(&r, 0, 1);
    size_t count = count_of(network);
    double squares = 0;
    static float before[PARAMETERS], after[PARAMETERS];
    ref_gradient(&r, x, y, ROWS, 0, &g);
    ref_get(&g, gradient);
    for (size_t i = 0; i < count; i++) squares += gradient[i] * gradient[i];
    EXPECT_OK(bp_network_set_option(network, "clip_norm", sqrt(squares) / 4));
    EXPECT_OK(bp_network_get_parameters(network, before, count));
    EXPECT_OK(bp_network_train_minibatch(network, x, y, ROWS, 1, NULL));
    EXPECT_OK(bp_network_get_parameters(network, after, count));
    for (size_t i = 0; i < count; i++) EXPECT_NEAR(after[i], before[i] - gradient[i] / 4, 1e-4 * sqrt(squares));
    bp_network_free(network);
}

/* 1 for the parameters of frozen layers, 0 for the others. */
static void mark_frozen(const reference *r, double *mark) {
    static reference marked;
    marked = *r;
    for (int l = 1; l < r->layers; l++)
        for (int k = 0; k < r->size[l]; k++) {
            for (int j = 0; j < r->size[l - 1]; j++) marked.weight[l][k][j] = r->frozen[l];
            marked.bias[l][k] = marked.gamma[l][k] = marked.beta[l][k] = r->frozen[l];
        }
    ref_get(&marked, mark);
}

static void gradients_of_frozen_layers_are_0_and_are_ignored_in_a_step(void) {
    static reference r, g;
    static float flat[PARAMETERS], again[PARAMETERS];
    static double expected[PARAMETERS], is_frozen[PARAMETERS];
    float outputs[ROWS * 3], differences[ROWS * 3], inputs[ROWS * 5];
    EACH_CHOICE(norm, frozen) {
        bp_network *network = make(&r, norm, frozen), *twin = NULL;
        size_t count = count_of(network);
        EXPECT_OK(bp_network_clone(network, &twin));
        ref_gradient(&r, x, y, ROWS, 0, &g);
        ref_get(&g, expected);
        mark_frozen(&r, is_frozen);
        EXPECT_OK(bp_network_gradient(network, x, y, ROWS, flat, count, NULL));
        EXPECT(is_near(flat, expected, count, 2e-4));
        for (size_t i = 0; i < count; i++) EXPECT(!is_frozen[i] || flat[i] == 0);
        /* The same from the gradient for the outputs of the training step; those of the inputs need the frozen layers. */
        for (int i = 0; i < ROWS * 3; i++)
            outputs[i] = (float)ref_states()[3].a[i / 3][i % 3], differences[i] = outputs[i] - y[i];
        EXPECT_OK(bp_network_backpropagate(twin, x, differences, ROWS, again, count, frozen % 2 ? inputs : NULL));
        EXPECT(is_near(again, expected, count, 2e-4));
        for (size_t i = 0; i < count; i++) EXPECT(!is_frozen[i] || again[i] == 0);
        for (size_t i = 0; i < count; i++)
            if (is_frozen[i]) flat[i] = NAN; /* ignored */
        if (frozen) {
            bp_network *before = NULL;
            EXPECT_OK(bp_network_clone(network, &before));
            EXPECT_OK(bp_network_apply_gradient(network, flat, count, 0.1f));
            for (int l = 1; l < 4; l++) EXPECT(layer_equals(network, before, l) == r.frozen[l]);
            EXPECT_OK(bp_network_set_optimizer(before, "adam"));
            EXPECT_OK(bp_network_apply_gradient(before, flat, count, 0.1f));
            EXPECT_OK(bp_network_train_minibatch(before, x, y, ROWS, 0.1f, NULL));
            bp_network_free(before);
        }
        bp_network_free(network);
        bp_network_free(twin);
    }
}

static void input_gradients_and_the_gradient_check_include_frozen_layers(void) {
    static reference r;
    EACH_CHOICE(norm, frozen) {
        bp_network *network = make(&r, norm, frozen), *free_one = make(&r, norm, 0);
        float from_frozen[ROWS * 5], from_free[ROWS * 5], d[ROWS * 3];
        double worst = 1;
        for (int i = 0; i < ROWS * 3; i++) d[i] = y[i];
        EXPECT_OK(bp_network_backpropagate(network, x, d, ROWS, NULL, 0, from_frozen));
        EXPECT_OK(bp_network_backpropagate(free_one, x, d, ROWS, NULL, 0, from_free));
        EXPECT(memcmp(from_frozen, from_free, sizeof from_free) == 0);
        EXPECT_OK(bp_network_check_gradient(network, x, y, ROWS, &worst));
        EXPECT(worst < 1e-2);
        bp_network_free(network);
        bp_network_free(free_one);
    }
}

static void batchnorm_update_gamma_first_works_with_frozen_layers(void) {
    static reference r;
    for (int frozen = 0; frozen < 7; frozen++) {
        bp_network *network = make(&r, 7, frozen);
        r.gamma_first = 1;
        EXPECT_OK(bp_network_set_option(network, "batchnorm_update", 1));
        ref_step(&r, x, y, ROWS, 0.05);
        EXPECT_OK(bp_network_train_minibatch(network, x, y, ROWS, 0.05f, NULL));
        EXPECT(matches(network, &r, 2e-4));
        r.gamma_first = 0;
        bp_network_free(network);
    }
}

/* Small networks have kernels of their own for a few rows. */
static void small_networks_with_a_frozen_layer_match_plain_double_loops(void) {
    static reference r;
    static const int shapes[][4] = {{2, 3, 1, 0}, {3, 8, 8, 0}, {3, 20, 4, 0}, {4, 12, 10, 2}};
    static const char *const losses[] = {"squared_error", "binary_cross_entropy"};
    for (size_t s = 0; s < 4; s++)
        for (int loss = 0; loss < 2; loss++)
            for (int rows = 1; rows < 6; rows++) {
                int layers = shapes[s][3] ? 4 : 3;
                size_t same[4];
                float flat[1000], wanted[ROWS * 8];
                for (int l = 0; l < layers; l++) same[l] = (size_t)shapes[s][l];
                bp_network *network = check_network(same, (size_t)layers, 3);
                ref_init(&r, layers, shapes[s]);
                r.loss = loss ? REF_BINARY_CROSS_ENTROPY : REF_SQUARED_ERROR;
                EXPECT_OK(bp_network_set_loss(network, losses[loss]));
                EXPECT_OK(bp_network_get_parameters(network, flat, count_of(network)));
                ref_set(&r, flat);
                for (int i = 0; i < ROWS * 8; i++) wanted[i] = (float)(i % 3 == 0);
                for (int l = 1; l < layers - 1; l++) { /* the layers below the last, one after the other */
                    EXPECT_OK(bp_network_set_trainable(network, (size_t)l, 0));
                    r.frozen[l] = 1;
                    for (int step = 0; step < 2; step++) {
                        float value = 0;
                        double expected = ref_step(&r, x, wanted, rows, 0.5);
                        EXPECT_OK(bp_network_train_minibatch(network, x, wanted, (size_t)rows, 0.5f, &value));
                        EXPECT_NEAR(value, expected, 1e-5 * fmax(1, expected));
                    }
                    EXPECT(matches(network, &r, 1e-5));
                }
                bp_network_free(network);
            }
}

static void results_have_the_same_bits_for_any_number_of_threads(void) {
    enum { MANY = 300 };
    static const size_t wide[] = {40, 200, 150, 10}, threads[] = {1, 2, 3, 8};
    static float many[MANY * 40], wanted[MANY * 10];
    snapshot first = {NULL, 0};
    check_fill(many, MANY * 40, 1), check_fill(wanted, MANY * 10, 2);
    for (int i = 0; i < 4; i++) {
        bp_network *network = check_network(wide, 4, 5);
        for (size_t l = 1; l < 4; l++) EXPECT_OK(bp_network_set_activation(network, l, "tanh"));
        EXPECT_OK(bp_network_set_batchnorm(network, 1, 1));
        EXPECT_OK(bp_network_set_batchnorm(network, 2, 1));
        EXPECT_OK(bp_network_set_dropout(network, 1, 0.25));
        EXPECT_OK(bp_network_set_trainable(network, 1, 0));
        EXPECT_OK(bp_network_set_optimizer(network, "adam"));
        EXPECT_OK(bp_set_thread_count(threads[i]));
        for (int step = 0; step < 3; step++) EXPECT_OK(bp_network_train_minibatch(network, many, wanted, MANY, 0.01f, NULL));
        if (i == 0) first = snapshot_of(network);
        EXPECT(snapshot_holds(first, network));
        bp_network_free(network);
    }
    EXPECT_OK(bp_set_thread_count(0));
    free(first.bytes);
}

static int trainable(const bp_network *network, size_t layer) {
    int32_t value = -1;
    EXPECT_OK(bp_network_get_trainable(network, layer, &value));
    return value;
}

static void setting_is_kept_in_copies_and_files(void) {
    static reference r;
    bp_network *network = make(&r, 2, 5), *copy = NULL, *loaded = NULL;
    snapshot bytes = snapshot_of(network);
    EXPECT_OK(bp_network_clone(network, &copy));
    EXPECT_OK(bp_network_load_memory(bytes.bytes, bytes.count, &loaded));
    for (size_t l = 1; l < 4; l++)
        EXPECT(trainable(network, l) == (l == 2) && trainable(copy, l) == (l == 2) && trainable(loaded, l) == (l == 2));
    EXPECT(snapshot_holds(bytes, loaded));
    for (int step = 0; step < 3; step++) {
        EXPECT_OK(bp_network_train_minibatch(network, x, y, ROWS, 0.1f, NULL));
        EXPECT_OK(bp_network_train_minibatch(loaded, x, y, ROWS, 0.1f, NULL));
    }
    EXPECT(snapshot_equal(network, loaded));
    for (size_t l = 1; l < 4; l++) EXPECT_OK(bp_network_set_trainable(copy, l, 7));
    free(bytes.bytes);
    bytes = snapshot_of(copy);
    int names_it = 0; /* files without frozen layers are as in version 0.1 */
    for (size_t i = 0; i + 9 <= bytes.count; i++) names_it |= memcmp(bytes.bytes + i, "trainable", 9) == 0;
    EXPECT(!names_it);
    free(bytes.bytes);
    bp_network_free(network);
    bp_network_free(copy);
    bp_network_free(loaded);
}

static void setting_a_layer_out_of_range_is_refused(void) {
    static reference r;
    bp_network *network = make(&r, 0, 1);
    snapshot before = snapshot_of(network);
    const size_t bad[] = {0, 4, SIZE_MAX};
    for (int i = 0; i < 3; i++) {
        int32_t value = 9;
        EXPECT_ERROR(bp_network_set_trainable(network, bad[i], 1), BP_ERROR_INVALID_VALUE);
        EXPECT_ERROR(bp_network_get_trainable(network, bad[i], &value), BP_ERROR_INVALID_VALUE);
        EXPECT(value == 0);
    }
    EXPECT(snapshot_holds(before, network));
    free(before.bytes);
    bp_network_free(network);
}

static void training_is_refused_when_all_layers_are_frozen(void) {
    static reference r;
    static float flat[PARAMETERS];
    bp_network *network = make(&r, 2, 7);
    bp_trainer *trainer = trainer_with("epochs=2 restarts=0");
    snapshot before = snapshot_of(network);
    for (int adam = 0; adam < 2; adam++) {
        EXPECT_ERROR(bp_network_train_step(network, x, y, 0.1f, NULL), BP_ERROR_INVALID_VALUE);
        EXPECT_MESSAGE("all layers are frozen");
        EXPECT_ERROR(bp_network_train_minibatch(network, x, y, ROWS, 0.1f, NULL), BP_ERROR_INVALID_VALUE);
        EXPECT_ERROR(bp_network_apply_gradient(network, flat, count_of(network), 0.1f), BP_ERROR_INVALID_VALUE);
        EXPECT_ERROR(bp_trainer_fit(trainer, network, x, y, ROWS, NULL, NULL, 0, NULL), BP_ERROR_INVALID_VALUE);
        EXPECT_ERROR(bp_network_check_settings(network, y, ROWS), BP_ERROR_INVALID_VALUE);
        EXPECT(snapshot_holds(before, network));
        EXPECT_OK(bp_network_gradient(network, x, y, ROWS, flat, count_of(network), NULL));
        for (size_t i = 0; i < count_of(network); i++) EXPECT(flat[i] == 0);
        EXPECT(snapshot_holds(before, network)); /* no running statistics changed */
        EXPECT_OK(bp_network_set_optimizer(network, "adam"));
        free(before.bytes);
        before = snapshot_of(network);
    }
    free(before.bytes);
    bp_trainer_free(trainer);
    bp_network_free(network);
}

static void new_weights_and_restarts_keep_frozen_layers(void) {
    static reference r;
    bp_network *network = make(&r, 3, 1), *before = NULL;
    float weights[9 * 5];
    EXPECT_OK(bp_network_train_minibatch(network, x, y, ROWS, 0.01f, NULL));
    EXPECT_OK(bp_network_clone(network, &before));
    EXPECT_OK(bp_network_initialize(network, 99));
    EXPECT(layer_equals(network, before, 1) && !layer_equals(network, before, 2) && !layer_equals(network, before, 3));
    EXPECT_OK(trainer_fit("epochs=3 batch_size=4 restarts=3 seed=2", network, x, y, ROWS, NULL));
    EXPECT(layer_equals(network, before, 1));
    /* A later change of an activation does not draw given weights again. */
    EXPECT_OK(bp_network_initialize(network, 98));
    EXPECT_OK(bp_network_set_trainable(network, 1, 1));
    EXPECT_OK(bp_network_get_tensor(network, "layers.1.weight", weights, 9 * 5));
    EXPECT_OK(bp_network_set_activation(network, 1, "relu"));
    EXPECT(layer_equals(network, before, 1));
    bp_network_free(network);
    bp_network_free(before);
}

/* A fit that is saved in the middle and continued gives the bits of an uninterrupted fit. */
static void fit_with_frozen_layers_resumes_exactly(void) {
    static reference r;
    bp_network *whole = make(&r, 2, 1), *half = make(&r, 2, 1), *rest = NULL;
    for (int i = 0; i < 2; i++) {
        EXPECT_OK(bp_network_set_optimizer(i ? whole : half, "adam"));
        EXPECT_OK(bp_network_set_dropout(i ? whole : half, 1, 0.2));
    }
#define FIT "batch_size=5 learning_rate=0.01 seed=3 keep=2 "
    EXPECT_OK(trainer_fit(FIT "epochs=6", whole, x, y, ROWS, NULL));
    EXPECT_OK(trainer_fit(FIT "epochs=2", half, x, y, ROWS, NULL));
    EXPECT_OK(bp_network_save(half, "half"));
    EXPECT_OK(bp_network_load("half", &rest));
    EXPECT_OK(trainer_fit(FIT "epochs=6 resume=1", rest, x, y, ROWS, NULL));
    EXPECT(snapshot_equal(whole, rest));
    bp_network_free(whole);
    bp_network_free(half);
    bp_network_free(rest);
}

/* ---- bp_network_replace_output */

static void new_last_layer_is_drawn_as_for_a_new_network_and_the_rest_stays(void) {
    static reference r;
    static const size_t wider[] = {5, 9, 7, 6};
    bp_network *network = make(&r, 5, 4), *before = NULL, *fresh = check_network(wider, 4, 21);
    char name[32];
    size_t needed, size = 0;
    uint64_t steps = 0;
    EXPECT_OK(bp_network_set_optimizer(network, "adam"));
    EXPECT_OK(bp_network_set_option(network, "beta1", 0.5));
    EXPECT_OK(bp_network_set_dropout(network, 2, 0.1));
    EXPECT_OK(bp_network_set_metadata(network, "author", "somebody"));
    EXPECT_OK(bp_network_fit_scaling(network, "standard", "standard", x, y, ROWS));
    EXPECT_OK(trainer_fit("epochs=3 keep=2", network, x, y, ROWS, NULL));
    EXPECT_OK(bp_network_clone(network, &before));
    EXPECT_OK(bp_network_replace_output(network, 6, 21));

    EXPECT_OK(bp_network_set_activation(fresh, 3, "identity"));
    EXPECT_OK(bp_network_set_batchnorm(fresh, 3, 1));
    EXPECT(layer_equals(network, fresh, 3));
    EXPECT(layer_equals(network, before, 1) && layer_equals(network, before, 2));
    EXPECT_OK(bp_network_layer_size(network, 3, &size));
    EXPECT(size == 6 && trainable(network, 3) && count_of(network) == count_of(before) + 3 * (7 + 3));
    EXPECT_OK(bp_network_get_scaling(network, 0, name, sizeof name, &needed));
    EXPECT(strcmp(name, "standard") == 0);
    EXPECT_OK(bp_network_get_scaling(network, 1, name, sizeof name, &needed));
    EXPECT(strcmp(name, "none") == 0);
    EXPECT_OK(bp_network_get_optimizer(network, name, sizeof name, &needed));
    EXPECT(strcmp(name, "adam") == 0);
    EXPECT_OK(bp_network_get_metadata(network, "author", name, sizeof name, &needed));
    EXPECT_OK(bp_network_step_count(network, &steps));
    EXPECT(steps > 0);
    EXPECT_STATUS(bp_network_tensor_shape(network, "optimizer.first_moment.layers.1.weight", &size, &needed),
                  BP_ERROR_UNKNOWN_NAME);

    /* Other activation, loss and targets; all calls work, with buffers of the new size. */
    float wanted[ROWS * 6], outputs[ROWS * 6], loss = 0;
    for (int i = 0; i < ROWS * 6; i++) wanted[i] = (float)(i % 6 == i / 6 % 6);
    EXPECT_OK(bp_network_set_activation(network, 3, "softmax"));
    EXPECT(layer_equals(network, fresh, 3)); /* given weights are not drawn again */
    EXPECT_OK(bp_network_set_loss(network, "cross_entropy"));
    EXPECT_OK(trainer_fit("epochs=40 batch_size=4 learning_rate=0.02", network, x, wanted, ROWS, NULL));
    EXPECT_OK(bp_network_predict(network, x, ROWS, outputs));
    EXPECT_OK(bp_network_evaluate(network, x, wanted, ROWS, &loss));
    EXPECT(loss > 0 && loss < ROWS * 1.8f);
    bp_network *loaded = NULL;
    snapshot bytes = snapshot_of(network);
    EXPECT_OK(bp_network_load_memory(bytes.bytes, bytes.count, &loaded));
    EXPECT(snapshot_holds(bytes, loaded));
    free(bytes.bytes);
    bp_network_free(loaded);
    bp_network_free(network);
    bp_network_free(before);
    bp_network_free(fresh);
}

static int32_t replacing_is_busy(const bp_progress *progress, void *user_data) {
    (void)progress;
    EXPECT_ERROR(bp_network_replace_output((bp_network *)user_data, 3, 1), BP_ERROR_BUSY);
    EXPECT_ERROR(bp_network_set_trainable((bp_network *)user_data, 1, 0), BP_ERROR_BUSY);
    return 0;
}

static void refused_replacements_change_nothing(void) {
    static reference r;
    bp_network *network = make(&r, 2, 1);
    bp_trainer *trainer = trainer_with("epochs=2");
    snapshot before = snapshot_of(network);
    const size_t huge[] = {SIZE_MAX > UINT32_MAX ? (size_t)(UINT64_C(1) << 40) : SIZE_MAX / 2, SIZE_MAX / 2 + 1, SIZE_MAX};
    EXPECT_ERROR(bp_network_replace_output(network, 0, 1), BP_ERROR_INVALID_VALUE);
    for (int i = 0; i < 3; i++) EXPECT_ERROR(bp_network_replace_output(network, huge[i], 1), BP_ERROR_LIMIT);
    EXPECT(snapshot_holds(before, network));
    EXPECT_OK(bp_trainer_set_progress(trainer, replacing_is_busy, network));
    EXPECT_OK(bp_trainer_fit(trainer, network, x, y, ROWS, NULL, NULL, 0, NULL));
    free(before.bytes);
    bp_trainer_free(trainer);
    bp_network_free(network);
}

/* The last layer of a network with one layer of weights is its only one. */
static void only_layer_can_be_replaced_many_times(void) {
    const size_t two[] = {5, 1};
    bp_network *network = check_network(two, 2, 1);
    float outputs[ROWS * 40];
    for (size_t size = 1; size <= 40; size++) {
        EXPECT_OK(bp_network_replace_output(network, size, size));
        EXPECT_OK(bp_network_predict(network, x, ROWS, outputs));
        EXPECT_OK(bp_network_train_minibatch(network, x, outputs, ROWS, 0.1f, NULL));
        EXPECT_OK(bp_network_predict(network, x, 1, outputs));
    }
    bp_network_free(network);
}

static void *replace_again_and_again(void *data) {
    for (size_t i = 0; i < 2000; i++)
        if (bp_network_replace_output((bp_network *)data, 3 + i % 2 * 30, i) != BP_OK) return data;
    return NULL;
}

/* The network is not locked while a file is read: its shapes may then be different. */
static void weights_are_loaded_whole_or_not_at_all_while_another_thread_replaces_the_last_layer(void) {
    static reference r;
    bp_network *network = make(&r, 4, 0);
    snapshot bytes = snapshot_of(network);
    pthread_t thread;
    void *failed = NULL;
    EXPECT(pthread_create(&thread, NULL, replace_again_and_again, network) == 0);
    for (int i = 0; i < 2000; i++) {
        int32_t status = bp_network_load_weights_memory(network, bytes.bytes, bytes.count);
        EXPECT(status == BP_OK || status == BP_ERROR_MISMATCH);
        status = bp_network_load_layer_memory(network, 3, bytes.bytes, bytes.count, "layers.3.weight", "layers.3.bias");
        EXPECT(status == BP_OK || status == BP_ERROR_MISMATCH);
    }
    EXPECT(pthread_join(thread, &failed) == 0 && !failed);
    EXPECT_OK(bp_network_replace_output(network, 3, 1));
    EXPECT_OK(bp_network_load_weights_memory(network, bytes.bytes, bytes.count));
    EXPECT(matches(network, &r, 0));
    free(bytes.bytes);
    bp_network_free(network);
}

int main(void) {
    check_fill(x, ROWS * 5, 1);
    check_fill(y, ROWS * 3, 2);
    CLAIM(steps_with_frozen_layers_match_plain_double_loops);
    CLAIM(no_optimizer_changes_a_frozen_layer);
    CLAIM(clipping_does_not_count_frozen_layers);
    CLAIM(gradients_of_frozen_layers_are_0_and_are_ignored_in_a_step);
    CLAIM(input_gradients_and_the_gradient_check_include_frozen_layers);
    CLAIM(batchnorm_update_gamma_first_works_with_frozen_layers);
    CLAIM(small_networks_with_a_frozen_layer_match_plain_double_loops);
    CLAIM(results_have_the_same_bits_for_any_number_of_threads);
    CLAIM(setting_is_kept_in_copies_and_files);
    CLAIM(setting_a_layer_out_of_range_is_refused);
    CLAIM(training_is_refused_when_all_layers_are_frozen);
    CLAIM(new_weights_and_restarts_keep_frozen_layers);
    CLAIM(fit_with_frozen_layers_resumes_exactly);
    CLAIM(new_last_layer_is_drawn_as_for_a_new_network_and_the_rest_stays);
    CLAIM(refused_replacements_change_nothing);
    CLAIM(only_layer_can_be_replaced_many_times);
    CLAIM(weights_are_loaded_whole_or_not_at_all_while_another_thread_replaces_the_last_layer);
    return check_end();
}
