/* allocations.c: predictions and training steps allocate no memory after a first call with the same number of rows, and a fit
 * needs the same memory for any number of restarts, and for any number of rows of a stream. */
#include "heap.h"

#include "activations.h"
#include "trainer.h"

enum { INPUTS = 300, OUTPUTS = 7, ROWS = 200 }; /* large enough for the library to use threads */
static const size_t sizes[] = {INPUTS, 129, 64, OUTPUTS};
static float x[ROWS * INPUTS], y[ROWS * OUTPUTS], out[ROWS * OUTPUTS], gradient[INPUTS * 400], for_inputs[ROWS * INPUTS],
    hidden[ROWS * 129];
static bp_network *network;

static void step(void) { EXPECT_OK(bp_network_train_step(network, x, y, 1e-3f, NULL)); }
static void minibatch(void) { EXPECT_OK(bp_network_train_minibatch(network, x, y, ROWS, 1e-4f, NULL)); }
static void smaller_minibatch(void) { EXPECT_OK(bp_network_train_minibatch(network, x, y, 31, 1e-3f, NULL)); }
static void predict_row(void) { EXPECT_OK(bp_network_predict(network, x, 1, out)); }
static void predict_rows(void) { EXPECT_OK(bp_network_predict(network, x, ROWS, out)); }
static void gradient_and_apply(void) {
    EXPECT_OK(bp_network_gradient(network, x, y, ROWS, gradient, count_of(network), NULL));
    EXPECT_OK(bp_network_apply_gradient(network, gradient, count_of(network), 1e-5f));
}

static void backpropagate(void) {
    EXPECT_OK(bp_network_backpropagate(network, x, y, ROWS, gradient, count_of(network), for_inputs));
    EXPECT_OK(bp_network_backpropagate(network, x, y, 31, NULL, 0, for_inputs));
}
static void predict_layer(void) { EXPECT_OK(bp_network_predict_layer(network, 1, x, ROWS, hidden)); }

static const struct {
    const char *name;
    void (*call)(void);
} calls[] = {{"train_step", step},
             {"train_minibatch", minibatch},
             {"a smaller train_minibatch", smaller_minibatch},
             {"predict of a row", predict_row},
             {"predict of rows", predict_rows},
             {"gradient, apply", gradient_and_apply},
             {"backpropagate", backpropagate},
             {"predict_layer", predict_layer}};

static void expect_no_allocations(const char *network_name) {
    for (int round = 0; round < 2; round++) /* the first round allocates the buffers */
        for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
            if (round == 1) heap_watch();
            for (int k = 0; k < 10; k++) calls[i].call();
            heap_watched = 0;
            if (round == 1 && !EXPECT(heap_calls == 0))
                printf("#   %ld blocks allocated by %s, %s\n", heap_calls, calls[i].name, network_name);
        }
    bp_network_free(network);
}

static void fresh_network(const char *activation) {
    network = check_network(sizes, 4, 1);
    EXPECT_OK(bp_network_set_activation(network, 1, activation));
    EXPECT_OK(bp_network_set_activation(network, 2, activation));
}

static void plain_steps_and_predictions_allocate_no_memory(void) {
    fresh_network("relu");
    expect_no_allocations("plain");
    const size_t tiny[] = {2, 4, 1}; /* has a separate step function */
    network = check_network(tiny, 3, 1);
    expect_no_allocations("2-4-1");
}

static void steps_with_batch_normalization_and_dropout_allocate_no_memory(void) {
    fresh_network("tanh");
    EXPECT_OK(bp_network_set_batchnorm(network, 1, 1));
    EXPECT_OK(bp_network_set_batchnorm(network, 2, 1));
    EXPECT_OK(bp_network_set_dropout(network, 1, 0.25));
    expect_no_allocations("batch normalization and dropout");
}

static void steps_of_every_optimizer_allocate_no_memory(void) {
    static const char *const optimizers[] = {"momentum", "nesterov", "rmsprop", "adam", "adamw", "irprop_minus"};
    for (size_t i = 0; i < sizeof optimizers / sizeof optimizers[0]; i++) {
        fresh_network("tanh");
        EXPECT_OK(bp_network_set_optimizer(network, optimizers[i]));
        EXPECT_OK(bp_network_set_option(network, "clip_norm", 1));
        EXPECT_OK(bp_network_set_option(network, "weight_decay", 1e-4));
        expect_no_allocations(optimizers[i]);
    }
}

static void steps_with_callbacks_allocate_no_memory(void) {
    EXPECT_OK(bp_activation_register_scalar("bend", bend, NULL, NULL, NULL));
    EXPECT_OK(bp_activation_register_vector("pass", pass, pass_back, NULL, NULL));
    EXPECT_OK(bp_activation_register_foreign("erf", (bp_foreign_fn)erf, NULL, "d(d)", NULL, 0));
    static const char *const names[] = {"bend", "pass", "erf"};
    for (size_t i = 0; i < 3; i++) {
        fresh_network(names[i]);
        expect_no_allocations(names[i]);
    }
    EXPECT_OK(bp_activation_set_thread_safe("erf", 1));
    fresh_network("erf");
    expect_no_allocations("erf on several threads");
}

static void steps_with_scaling_allocate_no_memory(void) {
    fresh_network("tanh");
    EXPECT_OK(bp_network_fit_scaling(network, "standard", "min_max", x, y, ROWS));
    expect_no_allocations("scaling");
}

/* Data that are not scaled: the bounds of the steps do not prove that they are finite. */
static void steps_on_large_values_allocate_no_memory(void) {
    static const char *const optimizers[] = {"sgd", "momentum", "nesterov", "rmsprop", "adam", "adamw", "irprop_minus"};
    static float large_x[ROWS * INPUTS], large_y[ROWS * OUTPUTS];
    for (size_t i = 0; i < sizeof optimizers / sizeof optimizers[0]; i++)
        for (int normalized = 0; normalized < 2; normalized++) {
            const float size = i == 0 ? 1e13f : 1e8f;
            for (size_t k = 0; k < ROWS * INPUTS; k++) large_x[k] = x[k] * size;
            for (size_t k = 0; k < ROWS * OUTPUTS; k++) large_y[k] = y[k] * size;
            fresh_network("relu");
            EXPECT_OK(bp_network_set_activation(network, 3, "identity"));
            EXPECT_OK(bp_network_set_optimizer(network, optimizers[i]));
            if (normalized) EXPECT_OK(bp_network_set_batchnorm(network, 1, 1));
            for (int step = 0; step < 40; step++) { /* the first steps use small values and allocate the buffers */
                const float *inputs = step < 10 ? x : large_x, *targets = step < 10 ? y : large_y;
                if (step == 5) heap_watch();
                EXPECT_OK(bp_network_train_minibatch(network, inputs, targets, ROWS, 1e-36f, NULL));
                EXPECT_OK(bp_network_train_step(network, inputs, targets, 1e-36f, NULL));
            }
            heap_watched = 0;
            if (!EXPECT(heap_calls == 0)) printf("#   %ld blocks allocated by %s\n", heap_calls, optimizers[i]);
            bp_network_free(network);
        }
}

/* One thread, because the counts of heap.h are not atomic. */
static long peak_of_fit(const char *options, int with_progress) {
    static const float inputs[] = {0, 0, 0, 1, 1, 0, 1, 1}, targets[] = {0, 1, 1, 0};
    static trainer_log reports;
    const size_t large[] = {2, 300, 1};
    bp_network *network = check_network(large, 3, 1);
    bp_trainer *trainer = trainer_with(options);
    long before;
    if (with_progress) trainer_watch(trainer, &reports);
    heap_watch();
    before = heap_bytes;
    EXPECT_OK(bp_trainer_fit(trainer, network, inputs, targets, 4, NULL, NULL, 0, NULL));
    heap_watched = 0;
    bp_trainer_free(trainer);
    bp_network_free(network);
    return heap_peak - before;
}

static void memory_does_not_grow_with_the_number_of_restarts(void) {
    long few, many;
    EXPECT_OK(bp_set_thread_count(1));
    peak_of_fit("epochs=2 restarts=3 keep=2", 0); /* memory for Swift's objects is allocated once */
    few = peak_of_fit("epochs=2 restarts=3 keep=2", 0), many = peak_of_fit("epochs=2 restarts=300 keep=2", 0);
    EXPECT(few > 0 && many < few + few / 10);
    few = peak_of_fit("epochs=2 restarts=20 keep=2", 1), many = peak_of_fit("epochs=2 restarts=300 keep=2", 1);
    EXPECT(few > 0 && many < few + few / 10);
    EXPECT_OK(bp_set_thread_count(0));
}

typedef struct {
    uint64_t rows;
    uint32_t state;
} generator;

static int32_t generate(bp_minibatch *m, void *user_data) {
    generator *g = (generator *)user_data;
    while (m->rows < m->capacity && m->first_row + m->rows < g->rows) {
        for (int i = 0; i < 64; i++) m->inputs[m->rows * 64 + (size_t)i] = (float)check_random(&g->state);
        m->targets[m->rows] = 0.5f;
        m->rows++;
    }
    return 0;
}

static long peak_of_stream(uint64_t rows) {
    const size_t layers[] = {64, 8, 1};
    generator g = {rows, 1};
    bp_network *trained = check_network(layers, 3, 1);
    bp_trainer *trainer = trainer_with("epochs=1 batch_size=16");
    heap_watch();
    EXPECT_OK(bp_trainer_fit_stream(trainer, trained, generate, &g, NULL, NULL, 0, NULL));
    heap_watched = 0;
    bp_trainer_free(trainer);
    bp_network_free(trained);
    return heap_peak;
}

static void memory_does_not_grow_with_the_rows_of_a_stream(void) {
    long few, many;
    EXPECT_OK(bp_set_thread_count(1));
    peak_of_stream(100);
    few = peak_of_stream(100), many = peak_of_stream(100000); /* 26 MB of inputs */
    if (!EXPECT(few > 0 && many < few + few / 10 && many < 200000)) printf("#   %ld, %ld bytes\n", few, many);
    EXPECT_OK(bp_set_thread_count(0));
}

static void the_test_counts_allocations(void) {
    heap_watch();
    network = check_network(sizes, 4, 1);
    heap_watched = 0;
    EXPECT(heap_calls > 0);
    bp_network_free(network);
}

int main(void) {
    check_fill(x, ROWS * INPUTS, 1);
    check_fill(y, ROWS * OUTPUTS, 2);
    CLAIM(the_test_counts_allocations);
    CLAIM(plain_steps_and_predictions_allocate_no_memory);
    CLAIM(steps_with_batch_normalization_and_dropout_allocate_no_memory);
    CLAIM(steps_of_every_optimizer_allocate_no_memory);
    CLAIM(steps_with_callbacks_allocate_no_memory);
    CLAIM(steps_with_scaling_allocate_no_memory);
    CLAIM(steps_on_large_values_allocate_no_memory);
    CLAIM(memory_does_not_grow_with_the_number_of_restarts);
    CLAIM(memory_does_not_grow_with_the_rows_of_a_stream);
    return check_end();
}
