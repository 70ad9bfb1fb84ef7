/* networks.c: makes networks of all kinds, and writes into the current folder
 *     NAME.c, NAME.swift   their source code
 *     NAME.rows.SET        rows, and the library's predictions by the instruction set SET: int32 numbers of inputs and outputs, and
 *                          floats: the inputs of all rows, then their outputs
 *     all.h, all.swift     a list of all networks
 * A network whose name ends in 8 is exported with weights of 8 bits; its predictions are those with float weights. "close_" in a
 * name: one layer with an activation of the C library. "near_": several layers with such activations, or folded scaling.
 * "folded": exported with BP_EXPORT_FOLDED; its predictions are those after bp_network_fold_batchnorm. */
#include "check.h"
#include "plugins.h"

enum { ROWS = 300 };

/* Name, inputs, then units and activation of each layer, and the scaling of inputs and targets. "+" after the units: with batch
 * normalization. There is also a network for each built-in activation. */
static const char *const descriptions[] = {
    "one 4 3 softmax standard none",
    "narrow 190 2 tanh 1 identity standard none",
    "single 1 1 logistic none none",
    "small 4 16 tanh 16 tanh 1 identity symmetric symmetric",
    "wide 40 100 tanh 30 relu 10 softmax min_max none",
    "near_large 150 300 tanh 33+ logistic 2 softplus none min_max",
    "normalized 6 17+ elu 9+ tanh 2+ identity none standard",
    "near_deep 3 8 silu 8 mish 8+ selu 7 softplus 5 tanh standard standard",
    "registered 5 6 steep 6 turned.rows-2 3+ turned.rows-2 standard none",
    "folded 6 17+ elu 9+ tanh 2+ identity none none",
    "near_folded 6 17+ elu 9+ tanh 2+ identity standard standard",
    "near_folded_targets 40 100 relu 30+ gelu 10+ tanh min_max symmetric",
    "small8 4 16 tanh 16 tanh 1 identity symmetric symmetric",
    "wide8 40 100 tanh 30 relu 10 softmax min_max none",
    "normalized8 6 17+ elu 9+ tanh 2+ identity none standard",
    "folded8 6 17+ elu 9+ tanh 2+ identity standard standard",
    "registered8 5 6 steep 6 turned.rows-2 3+ turned.rows-2 standard none",
};

static uint32_t state;
static float number(void) {
    state = state * 1664525u + 1013904223u;
    return (float)(state >> 8) / 8388608.0f - 1;
}

static float steep(float z, void *user_data) { return (void)user_data, steep_of(z); }
static float steep_derivative(float z, float a, void *user_data) { return (void)a, (void)user_data, z < 0 ? 0.5f : 2; }
static int32_t turned(const float *z, float *a, size_t rows, size_t columns, void *user_data) {
    (void)user_data;
    for (size_t row = 0; row < rows; row++) turned_of(z + row * columns, a + row * columns, (int)columns);
    return 0;
}
static int32_t turned_back(const float *z, const float *a, const float *da, float *dz, size_t rows, size_t columns,
                           void *user_data) {
    (void)z, (void)a;
    return turned(da, dz, rows, columns, user_data);
}

/* Rows of several magnitudes; the last ones are special. */
static void fill(float *x, size_t columns) {
    static const float magnitudes[] = {1, 3, 0.1f, 1e-3f, 30, 10, 300, 1e-20f};
    static const float special[] = {0, -0.0f, 1e-40f, 1e30f, -3e38f, INFINITY, -INFINITY, NAN};
    for (size_t row = 0; row < ROWS; row++)
        for (size_t i = 0; i < columns; i++)
            x[row * columns + i] = row < ROWS - 8 ? magnitudes[row % 8] * number() : special[row % 8];
}

static void write_rows(const char *name, const float *x, size_t inputs, const float *y, size_t outputs) {
    char path[128];
    int32_t sizes[2] = {(int32_t)inputs, (int32_t)outputs};
    snprintf(path, sizeof path, "%s.rows.%s", name, strcmp(bp_instruction_set(), "baseline") ? "fused" : "baseline");
    FILE *file = fopen(path, "wb");
    if (!EXPECT(file != NULL)) return;
    EXPECT(fwrite(sizes, sizeof sizes, 1, file) == 1);
    EXPECT(fwrite(x, sizeof *x, ROWS * inputs, file) == ROWS * inputs);
    EXPECT(fwrite(y, sizeof *y, ROWS * outputs, file) == ROWS * outputs);
    EXPECT(fclose(file) == 0);
}

/* Training would give other bits with another instruction set. */
static void set_statistics(bp_network *network, size_t layer, size_t units) {
    static const char *const names[] = {"weight", "bias", "running_mean", "running_var"};
    float values[64];
    char name[64];
    for (int i = 0; i < 4; i++) {
        for (size_t j = 0; j < units; j++) values[j] = i == 0 || i == 3 ? 1 + 0.5f * number() : number();
        snprintf(name, sizeof name, "layers.%zu.norm.%s", layer, names[i]);
        EXPECT_OK(bp_network_set_tensor(network, name, values, units));
    }
}

static void export_network(const char *text, FILE *header, FILE *swift) {
    char words[256], path[128], activations[8][32], *next = strtok(strcpy(words, text), " "), name[64], type[80];
    size_t sizes[8], count = 0;
    int normalized[8] = {0};
    strcpy(name, next);
    sizes[count++] = (size_t)atoi(strtok(NULL, " "));
    while ((next = strtok(NULL, " ")) && next[0] <= '9') {
        normalized[count] = strchr(next, '+') != NULL;
        sizes[count] = (size_t)atoi(next);
        strcpy(activations[count++], strtok(NULL, " "));
    }
    size_t inputs = sizes[0], outputs = sizes[count - 1];
    float *x = malloc(ROWS * inputs * sizeof *x), *y = malloc(ROWS * outputs * sizeof *y);
    bp_network *network = check_network(sizes, count, 7);
    for (size_t layer = 1; layer < count; layer++) {
        EXPECT_OK(bp_network_set_activation(network, layer, activations[layer]));
        EXPECT_OK(bp_network_set_batchnorm(network, layer, normalized[layer]));
    }
    state = 1;
    fill(x, inputs);
    for (size_t i = 0; i < ROWS * outputs; i++) y[i] = 5 + number();
    for (size_t i = 0; i < 96 * inputs; i++) x[i] += 4; /* an offset, also for the scaling */
    EXPECT_OK(bp_network_fit_scaling(network, next, strtok(NULL, " "), x, y, 96));
    for (size_t layer = 1; layer < count; layer++)
        if (normalized[layer]) set_statistics(network, layer, sizes[layer]);
    EXPECT_OK(bp_network_set_metadata(network, "columns", "length */ /* // \xe2\x80\xae \\\n# width ?\?/"));
    int bits = name[strlen(name) - 1] == '8' ? 8 : 32, flags = strstr(name, "folded") ? BP_EXPORT_FOLDED : 0;
    snprintf(path, sizeof path, "%s.c", name);
    EXPECT_OK(bp_network_export_c(network, path, name, bits, flags));
    snprintf(type, sizeof type, "N%s", name);
    snprintf(path, sizeof path, "%s.swift", name);
    EXPECT_OK(bp_network_export_swift(network, path, type, bits, flags));
    if (flags) EXPECT_OK(bp_network_fold_batchnorm(network));
    EXPECT_OK(bp_network_predict(network, x, ROWS, y));
    write_rows(name, x, inputs, y, outputs);
    fprintf(header, "NETWORK(%s)\n", name);
    fprintf(swift, "    (\"%s\", %s.inputs, %s.outputs, %s.predict, %s.predict),\n", name, type, type, type, type);
    bp_network_free(network);
    free(x);
    free(y);
}

static void networks_are_exported(void) {
    char text[256], name[32];
    size_t needed;
    FILE *header = fopen("all.h", "w"), *swift = fopen("all.swift", "w");
    if (!EXPECT(header && swift)) return;
    EXPECT_OK(bp_activation_register_scalar("steep", steep, steep_derivative, NULL, NULL));
    EXPECT_OK(bp_activation_register_vector("turned.rows-2", turned, turned_back, NULL, NULL));
    fprintf(swift, "let networks: [Network] = [\n");
    for (size_t i = 0; bp_activation_name(i, name, sizeof name, &needed) == BP_OK && strcmp(name, "steep"); i++) {
        char word[40];
        snprintf(word, sizeof word, " %s ", name);
        if (strstr(" softplus silu gelu selu mish gaussian sine ", word))
            snprintf(text, sizeof text, "close_%s 5 19 %s standard none", name, name);
        else snprintf(text, sizeof text, "with_%s 5 19 %s 4 %s standard none", name, name, name);
        export_network(text, header, swift);
    }
    for (size_t i = 0; i < sizeof descriptions / sizeof descriptions[0]; i++) export_network(descriptions[i], header, swift);
    fprintf(swift, "]\n");
    EXPECT(fclose(header) == 0 && fclose(swift) == 0);
}

int main(void) {
    CLAIM(networks_are_exported);
    return check_end();
}
