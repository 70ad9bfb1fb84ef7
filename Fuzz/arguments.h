/* arguments.h: arguments for any function of the library, made from the input's bytes by the type and the name of the
 * parameter. A parameter without a rule stops the program. */
#ifndef ARGUMENTS_H
#define ARGUMENTS_H

#include "callbacks.h"
#include "signatures.h"

enum { SLOTS = 5, HANDLE_TYPES = sizeof handle_types / sizeof handle_types[0] };
static void *handles[HANDLE_TYPES][SLOTS]; /* valid handles, freed handles, NULL */

/* A call and its arguments. Each array is a separate block of exactly the required size. */
typedef struct {
    const signature *function;
    argument arguments[MOST_PARAMETERS];
    void *blocks[MOST_PARAMETERS];
    size_t sizes[MOST_PARAMETERS];      /* of the blocks, in bytes */
    size_t inputs, outputs, parameters; /* of the network; 1 without a network */
    size_t described_rows;              /* of the call's first bp_rows */
    bp_network *network;
    cookie *cookie;
} call;

static void *block(call *made, size_t index, size_t bytes) {
    made->sizes[index] = bytes;
    made->blocks[index] = malloc(bytes ? bytes : 1);
    if (!made->blocks[index]) exit(2);
    memset(made->blocks[index], 0x5A, bytes);
    return made->blocks[index];
}

static int is(const parameter *p, const char *type) { return strcmp(p->type, type) == 0; }
static int named(const parameter *p, const char *name) { return strcmp(p->name, name) == 0; }

static size_t find(const signature *function, const char *name) {
    size_t index = 0;
    while (index < function->count && !named(&function->parameters[index], name)) index++;
    return index;
}

/* The value of the call's parameter of that name; 1 if it has none. */
static size_t size_of(const call *made, const char *name) {
    size_t index = find(made->function, name);
    return index < made->function->count ? made->arguments[index].size : 1;
}

/* ---- Numbers */

/* Near the limits of 31, 32 and 63 bits, and sizes whose products and sums with other sizes overflow. */
static size_t take_huge(void) {
    static const size_t huge[] = {SIZE_MAX,         SIZE_MAX - 1,     SIZE_MAX / 2,      SIZE_MAX / 2 + 1,
                                  SIZE_MAX / 2 + 2, SIZE_MAX / 4 + 1, SIZE_MAX / 16 + 1, SIZE_MAX / 8 + 2};
    return huge[take8() % 8];
}

static size_t take_small_or_huge(size_t most) {
    uint8_t byte = take8();
    return byte >= 0xF8 ? take_huge() : byte % (most + 1);
}

static size_t take_layer_size(void) {
    static const size_t odd[] = {
        0, 15, 16, 17, 31, 33, 48, 65, 130, (size_t)1 << 31, (size_t)((uint64_t)1 << 32), (size_t)((uint64_t)1 << 44)};
    uint8_t byte = take8();
    return byte < 0xC0 ? 1u + byte % 9 : byte < 0xF8 ? odd[byte % 12] : take_huge();
}

static double take_double(void) {
    static const double some[] = {0, 1, 2, 3, 0.5, 0.9, 0.1, 1e-3, 1e-5, 10, -1, -0.0, 1e30, 1e308, 1e-320, 4};
    uint8_t byte = take8();
    uint64_t bits;
    double value;
    if (byte < 0xE0) return some[byte % 16];
    if (byte < 0xF0)
        return byte % 4 == 0 ? (double)NAN : byte % 4 == 1 ? (double)INFINITY : byte % 4 == 2 ? -(double)INFINITY : 1e9;
    bits = take(8);
    memcpy(&value, &bits, sizeof value);
    return value;
}

static void fill_floats(float *values, size_t count) {
    uint8_t kind = take8();
    uint32_t state = take8();
    float scale = kind < 0xD0 ? 1 : kind < 0xE0 ? 1e20f : kind < 0xE8 ? 1e-40f : kind < 0xF0 ? 0 : 3e38f;
    for (size_t i = 0; i < count; i++) values[i] = scale * take_random(&state);
    if (kind >= 0xF8 && count) values[take(2) % count] = kind % 2 ? NAN : -INFINITY;
    if (kind % 4 == 2)
        for (size_t i = 0; i < count; i++) values[i] = values[i] < 0 ? -values[i] : values[i];
    if (kind % 8 == 5)
        for (size_t i = 0; i < count; i++) values[i] = values[i] > 0; /* such as classes */
}

/* ---- Texts */

/* Valid names, by topic. A parameter usually gets a name whose topic occurs in the parameter's or the function's name. */
typedef struct {
    const char *topic;
    const char *words[96]; /* up to NULL */
} vocabulary;

static vocabulary vocabularies[] = {
    {"weight_name", {"layers.1.weight", "layers.1.weight", "layers.2.weight", "layers.1.bias", "0.weight"}},
    {"bias_name", {"layers.1.bias", "layers.1.bias", "layers.2.bias", "layers.1.norm.bias", "0.bias"}},
    {"path", {"libm.so.6", "libm.so.6", "libnone.so", "", "./no.so"}},
    {"symbol", {"erf", "tanhf", "ldexp", "atan", "no_such_function", ""}},
    {"signature", {"f(f)", "d(d)", "d(d,i)", "f(f,f)", "d(d,d,l)", "f(f,u)", "f()", "d(d", "d(d,x)", "i(d)", "", "f(f,,f)"}},
    {"prefix", {"model", "Model", "a_1", "", "1", "a b", "a.b", "_a"}},
    {"type_name", {"Model", "M", "model", "Model_1", "", "M-1"}},
    {"score", {"accuracy", "r2", "mean_absolute_error", ""}},
    {"key", {"author", "title", "author", ""}},
    {"tensor",
     {"layers.1.weight", "layers.1.bias", "layers.2.weight", "layers.1.norm.weight", "layers.1.norm.running_mean",
      "layers.1.norm.running_var", "scaling.inputs.offset", "scaling.inputs.scale", "scaling.targets.scale",
      "optimizer.second_moment.layers.1.weight", "optimizer.momentum.layers.2.bias", "layers.9.bias"}},
    {"loss",
     {"squared_error", "binary_cross_entropy", "cross_entropy", "absolute_error", "huber", "log_cosh", "quantile", "poisson",
      "host.a", "host.b", "host.c"}},
    {"optimizer",
     {"sgd", "momentum", "nesterov", "rmsprop", "adam", "adamw", "irprop_minus", "lbfgs", "levenberg_marquardt",
      "bayesian_regularization"}},
    {"scaling", {"none", "standard", "min_max", "symmetric", "auto", "no_such_scaling"}},
    {"register", {"host.a", "host.b", "host.c"}},
    {"activation", {"host.a", "host.a", "host.b", "host.b", "host.c"}}, /* and the library's names */
    {"option", {"no_such_option"}},
};
enum { VOCABULARIES = sizeof vocabularies / sizeof vocabularies[0], ACTIVATIONS = VOCABULARIES - 2, OPTIONS };

static size_t word_count(const vocabulary *words) {
    size_t count = 0;
    while (count < 95 && words->words[count]) count++;
    return count;
}

static void learn_words(void) {
    static char names[64][65];
    bp_option_description option;
    size_t needed;
    option.struct_size = sizeof option;
    for (size_t i = 0; i < 64 && bp_activation_name(i, names[i], sizeof names[i], &needed) == BP_OK; i++)
        vocabularies[ACTIVATIONS].words[word_count(&vocabularies[ACTIVATIONS])] = names[i];
    for (size_t i = 0; i < 90 && bp_option_info(i, &option) == BP_OK; i++)
        vocabularies[OPTIONS].words[word_count(&vocabularies[OPTIONS])] = option.name;
}

static char *copy_text(call *made, size_t index, const char *text) {
    return (char *)memcpy(block(made, index, strlen(text) + 1), text, strlen(text) + 1);
}

static char *take_text(call *made, size_t index) {
    uint8_t byte = take8();
    size_t count = byte >= 0xFE ? 70000 : byte >= 0xF4 ? take8() % 80 : 0, topic = take8() % VOCABULARIES;
    if (count == 0) {
        if (byte < 0xE0)
            for (topic = 0; topic < VOCABULARIES - 1 &&
                 !strstr(made->function->parameters[index].name, vocabularies[topic].topic) &&
                 !strstr(made->function->name, vocabularies[topic].topic);)
                topic++;
        const vocabulary *words = &vocabularies[topic];
        return copy_text(made, index, words->words[choose(words->words, word_count(words), sizeof words->words[0])]);
    }
    char *text = (char *)block(made, index, count + 1);
    for (size_t i = 0; i < count; i++) text[i] = (char)(byte % 2 ? 'a' + (int)(i % 26) : (int)take8());
    text[count] = 0;
    return text;
}

static const char *scratch = "."; /* a separate folder for each process */

static char *take_path(call *made, size_t index) {
    static const char *const names[] = {"a", "b", "a", "b", "c", "folder", "missing/a", "a/b"};
    uint8_t byte = take8();
    char *text = (char *)block(made, index, 6000);
    if (byte < 0xF0) snprintf(text, 6000, "%s/%s", scratch, names[byte % 8]);
    else if (byte < 0xF8) text[0] = 0;
    else snprintf(text, 6000, "%s/%05000d", scratch, byte);
    return text;
}

/* ---- Arrays: the number of elements, by the parameter's name */

static size_t one(const call *made) {
    (void)made;
    return 1;
}
static size_t input_row(const call *made) { return made->inputs; }
/* Of the network; without one, of bp_loss_check. */
static size_t target_row(const call *made) {
    size_t columns = made->outputs;
    if (find(made->function, "columns") < made->function->count) /* registered losses have up to 5 target columns */
        return size_of(made, "columns") < 5 ? 5 : size_of(made, "columns");
    return bp_network_target_columns(made->network, &columns) == BP_OK ? columns : made->outputs;
}
static size_t input_rows(const call *made) { return size_of(made, "rows") * made->inputs; }
static size_t target_rows(const call *made) { return size_of(made, "rows") * target_row(made); }
static size_t checked_outputs(const call *made) { return size_of(made, "rows") * size_of(made, "columns"); }
static size_t weight_rows(const call *made) { return size_of(made, "rows"); }
static size_t jacobian_rows(const call *made) { return input_rows(made) * made->outputs; }
static size_t output_rows(const call *made) { /* of a layer, where the function takes one */
    size_t size = made->outputs;
    if (find(made->function, "layer") < made->function->count &&
        bp_network_layer_size(made->network, size_of(made, "layer"), &size) != BP_OK)
        size = 1;
    return size_of(made, "rows") * size;
}
static size_t validation_input_rows(const call *made) { return size_of(made, "validation_rows") * made->inputs; }
static size_t validation_target_rows(const call *made) { return size_of(made, "validation_rows") * target_row(made); }
static size_t given_count(const call *made) { return size_of(made, "count"); }
static size_t layers(const call *made) { return size_of(made, "layer_count"); }
static size_t constants(const call *made) { return size_of(made, "constant_count"); }
static size_t room(const call *made) { /* the part of a very large capacity that is used */
    return size_of(made, "capacity") < 1 << 20 ? size_of(made, "capacity") : 1 << 20;
}

static const struct {
    const char *type, *name;
    size_t (*count)(const call *made);
} arrays[] = {
    {"const float *", "input", input_row},
    {"const float *", "target", target_row},
    {"const float *", "inputs", input_rows},
    {"const float *", "targets", target_rows},
    {"const float *", "gradient", given_count},
    {"const float *", "parameters", given_count},
    {"float *", "outputs_out", output_rows},
    {"const float *", "outputs", checked_outputs},
    {"const float *", "output_gradients", output_rows},
    {"float *", "input_gradients_out", input_rows},
    {"float *", "jacobian_out", jacobian_rows},
    {"float *", "losses_out", weight_rows},
    {"float *", "gradient_out", given_count},
    {"float *", "parameters_out", given_count},
    {"const size_t *", "layer_sizes", layers},
    {"const float *", "values", given_count},
    {"float *", "values_out", given_count},
    {"size_t *", "rows_out", one},
    {"size_t *", "columns_out", one},
    {"uint64_t *", "steps_out", one},
    {"int32_t *", "enabled_out", one},
    {"int32_t *", "trainable_out", one},
    {"double *", "loss_out", one},
    {"const double *", "constants", constants},
    {"const double *", "learning_rates", given_count},
    {"int32_t *", "kind_out", one},
    {"const float *", "row_weights", weight_rows},
    {"const float *", "validation_inputs", validation_input_rows},
    {"const float *", "validation_targets", validation_target_rows},
    {"double *", "rate_out", one},
    {"double *", "count_out", one},
    {"double *", "score_out", one},
    {"uint8_t *", "buffer", room},
    {"char *", "buffer", room},
    {"float *", "loss_out", one},
    {"double *", "worst_error_out", one},
    {"double *", "value_out", one},
    {"size_t *", "count_out", one},
    {"size_t *", "size_out", one},
    {"size_t *", "inputs_out", one},
    {"size_t *", "outputs_out", one},
    {"size_t *", "needed_out", one},
};

static size_t bytes_each(const parameter *p) {
    return strstr(p->type, "float")                                ? sizeof(float)
        : strstr(p->type, "size_t")                                ? sizeof(size_t)
        : strstr(p->type, "double") || strstr(p->type, "uint64_t") ? 8
        : strstr(p->type, "int32_t")                               ? 4
                                                                   : 1;
}

static int is_scalar_out(const parameter *p) {
    for (size_t i = 0; i < sizeof arrays / sizeof arrays[0]; i++)
        if (named(p, arrays[i].name) && is(p, arrays[i].type)) return arrays[i].count == one;
    return 0;
}

static void make_array(call *made, size_t index, size_t count) {
    const parameter *p = &made->function->parameters[index];
    if (count > 1 << 20) count = 2; /* an impossible size: it must be refused without reading the array */
    void *memory = block(made, index, count * bytes_each(p));
    if (is(p, "const float *")) fill_floats((float *)memory, count);
    if (is(p, "const double *"))
        for (size_t i = 0; i < count; i++) ((double *)memory)[i] = take_double();
    if (named(p, "layer_sizes"))
        for (size_t i = 0; i < count; i++) ((size_t *)memory)[i] = take_layer_size();
    made->arguments[index].pointer = memory;
}

/* ---- Rows of any type and layout */

/* Fills in strides, and returns the number of bytes from the first to the last number. *start is the offset of number (0, 0). */
static size_t take_layout(size_t rows, size_t columns, size_t width, ptrdiff_t *row_stride, ptrdiff_t *column_stride,
                          size_t *start) {
    const ptrdiff_t w = (ptrdiff_t)width, r = (ptrdiff_t)rows, c = (ptrdiff_t)columns;
    const ptrdiff_t layouts[][2] = {{0, 0}, {w * c, w}, {w, w * r}, {-w * c, -w}, {3 * w * c + 1, 3 * w},
                                    {0, w}, {w, 0},     {-w, w * r}};
    size_t layout = take8() % 8, last_row = rows ? rows - 1 : 0, last_column = columns ? columns - 1 : 0;
    *row_stride = layouts[layout][0], *column_stride = layouts[layout][1];
    ptrdiff_t down = layout ? *row_stride : w * c, across = layout ? *column_stride : w;
    down *= (ptrdiff_t)last_row, across *= (ptrdiff_t)last_column;
    *start = (size_t)((down < 0 ? -down : 0) + (across < 0 ? -across : 0));
    return (size_t)((down < 0 ? -down : down) + (across < 0 ? -across : across)) + width;
}

/* A description, the weights and the numbers, in one block. The numbers are often not aligned. */
static void make_rows(call *made, size_t index) {
    static const size_t widths[] = {4, 8, 2, 1, 1};
    const parameter *p = &made->function->parameters[index];
    bp_rows rows = {sizeof rows, 0, NULL, 0, 0, 0, 0, 0, 0, NULL};
    uint8_t type = take8(), shape = take8(), weights = take8();
    size_t weight_bytes, start = 0, bytes = 0;
    rows.type = type < 0xF8 ? type % 5 : (int8_t)type;
    rows.columns = strstr(p->name, "inputs") ? made->inputs : made->outputs;
    if (shape >= 0xF0) rows.columns = take_small_or_huge(4);
    rows.rows = made->described_rows && shape < 0xE0 ? made->described_rows : take_small_or_huge(shape % 4 ? 9 : 230);
    if (!made->described_rows) made->described_rows = rows.rows;
    const int possible = rows.rows < 1 << 16 && rows.columns < 1 << 16;
    const int stored = type % 5; /* the type of the numbers, also if rows.type is none */
    const size_t width = widths[stored];
    if (possible) bytes = take_layout(rows.rows, rows.columns, width, &rows.row_stride, &rows.column_stride, &start);
    if (rows.type >= BP_INT8) rows.scale = (float)take_double(), rows.zero_point = (int8_t)take8();
    if (rows.type < BP_INT8 && shape == 0xEF) rows.scale = 1;
    weight_bytes = strstr(p->name, "targets") && possible && weights % 4 == 0 ? rows.rows * sizeof(float) : 0;
    uint8_t *memory = (uint8_t *)block(made, index, sizeof rows + weight_bytes + weights % 2 + bytes);
    uint8_t *numbers = memory + sizeof rows + weight_bytes + weights % 2;
    uint32_t state = take8();
    if (weight_bytes) {
        rows.row_weights = (const float *)(memory + sizeof rows);
        fill_floats((float *)(memory + sizeof rows), rows.rows);
    }
    for (size_t i = 0; i + width <= bytes; i += width) {
        float value = take_random(&state);
        double wide = (double)value;
        uint16_t half = (uint16_t)(0x3000 + (uint32_t)i % 0x0C00);
        memcpy(numbers + i, stored == BP_DOUBLE ? (void *)&wide : stored == BP_HALF ? (void *)&half : (void *)&value, width);
    }
    if (shape % 16 == 7 && bytes >= width) memset(numbers + start, 0xFF, width); /* a NaN */
    rows.values = weights < 0xFC ? numbers + start : NULL;
    if (shape == 0xEE) rows.struct_size = take8();
    memcpy(memory, &rows, sizeof rows);
    made->arguments[index].pointer = memory;
}

/* The outputs of bp_network_predict_rows for its inputs, and their type and strides. */
static void make_outputs(call *made, size_t index) {
    bp_rows inputs = {0, 0, NULL, 0, 0, 0, 0, 0, 0, NULL};
    const void *described = made->arguments[find(made->function, "inputs")].pointer;
    ptrdiff_t row_stride = 0, column_stride = 0;
    size_t start = 0, bytes = 0;
    uint8_t type = take8();
    if (described) memcpy(&inputs, described, sizeof inputs);
    if (inputs.rows < 1 << 16)
        bytes = take_layout(inputs.rows, made->outputs, type % 2 ? 8 : 4, &row_stride, &column_stride, &start);
    made->arguments[find(made->function, "type")].i32 = type < 0xF0 ? type % 2 : (int8_t)type;
    made->arguments[find(made->function, "row_stride")].size = (size_t)row_stride;
    made->arguments[find(made->function, "column_stride")].size = (size_t)column_stride;
    made->arguments[index].pointer = (uint8_t *)block(made, index, bytes + type / 2 % 2) + start + type / 2 % 2;
}

/* A struct of this version, an older version or a newer version. */
static void make_struct(call *made, size_t index, size_t known) {
    static const uint32_t sizes[] = {0, 4, 8, 40, 1000};
    uint8_t byte = take8();
    uint32_t size = byte < 0xC0 ? (uint32_t)known : sizes[byte % 5];
    size_t count = named(&made->function->parameters[index], "results_out") ? size_of(made, "count") : 1;
    if (count > 8) count = 8;
    uint8_t *memory = (uint8_t *)block(made, index, size * count + 4);
    for (size_t i = 0; i < count; i++) memcpy(memory + i * size, &size, sizeof size);
    made->arguments[index].pointer = memory;
}

/* The model of a network, truncated or with a few bytes changed, or random bytes. */
static void make_model(call *made, size_t index) {
    size_t needed = 0, count = find(made->function, "count");
    bp_network *network = (bp_network *)handles[0][take8() % SLOTS];
    uint8_t byte = take8();
    (void)bp_network_save_memory(network, NULL, 0, &needed);
    if (needed == 0) needed = byte;
    uint8_t *model = (uint8_t *)block(made, index, needed);
    (void)bp_network_save_memory(network, model, needed, &needed);
    if (made->sizes[index] && byte >= 0x80)
        for (int i = 0; i < byte % 8; i++) model[take(2) % made->sizes[index]] ^= take8();
    made->arguments[index].pointer = model;
    made->arguments[count].size = byte >= 0xFC ? SIZE_MAX / 2 + 1
        : byte >= 0xC0                         ? take(2) % (made->sizes[index] + 1)
                                               : made->sizes[index];
}

/* ---- Handles */

static size_t handle_type(const char *type) {
    if (strncmp(type, "const ", 6) == 0) type += 6;
    for (size_t i = 0; i < HANDLE_TYPES; i++) {
        size_t length = strlen(handle_types[i]);
        if (strncmp(type, handle_types[i], length) == 0 && strncmp(type + length, " *", 2) == 0) return i;
    }
    return HANDLE_TYPES;
}

static void *take_handle(size_t type) {
    uint8_t byte = take8();
    if (byte >= 0xFC) return (void *)(uintptr_t)take(8);
    if (byte >= 0xF8) return handles[(type + 1) % HANDLE_TYPES][byte % SLOTS];
    if (byte >= 0xF4) return NULL;
    if (byte >= 0xF0) return (void *)((uintptr_t)handles[type][0] ^ (uintptr_t)((uint64_t)1 << take8() % 64));
    return handles[type][byte % SLOTS];
}

static void look_at(call *made, bp_network *network) {
    size_t count = 0;
    made->network = network;
    if (bp_network_layer_count(network, &count) != BP_OK) return;
    (void)bp_network_layer_size(network, 0, &made->inputs);
    (void)bp_network_layer_size(network, count - 1, &made->outputs);
    (void)bp_network_parameter_count(network, &made->parameters);
}

/* More networks than a count that is not huge. */
static void take_networks(call *made, size_t index) {
    bp_network **networks = (bp_network **)block(made, index, 8 * sizeof *networks);
    for (int i = 0; i < 8; i++) networks[i] = (bp_network *)take_handle(0);
    made->arguments[index].pointer = networks;
    look_at(made, networks[0]);
}

/* ---- All arguments */

static void take_scalar(call *made, size_t index) {
    const parameter *p = &made->function->parameters[index];
    argument *a = &made->arguments[index];
    size_t type = handle_type(p->type);
    if (named(p, "networks")) {
        take_networks(made, index);
    } else if (type < HANDLE_TYPES && !strstr(p->type, "**")) {
        a->pointer = take_handle(type);
        if (type == 0) look_at(made, (bp_network *)a->pointer);
        if (named(p, "predictor")) (void)bp_predictor_sizes((bp_predictor *)a->pointer, &made->inputs, &made->outputs);
    } else if (is(p, "size_t")) {
        a->size = strstr(p->name, "rows") ? take_small_or_huge(take8() < 0xF0 ? 9 : 230)
            : named(p, "capacity")        ? (take8() % 2 ? 8192 : take_small_or_huge(70))
                                          : take_small_or_huge(named(p, "index") ? 40 : 5);
    } else if (is(p, "uint64_t")) {
        a->u64 = take8();
    } else if (is(p, "int32_t")) {
        a->i32 = (int32_t)(int8_t)take8() * (named(p, "status") ? 7 : 1);
        if (named(p, "weight_bits") && a->i32 < 96) a->i32 = a->i32 < 0 ? 8 : 32;
        if (named(p, "flags") && a->i32 < 96) a->i32 &= BP_EXPORT_FOLDED;
    } else if (is(p, "float")) {
        a->f32 = (float)take_double();
    } else if (is(p, "double")) {
        a->f64 = take_double();
    } else if (is(p, "void *") && named(p, "user_data")) {
        made->cookie = take8() < 0xF0 ? new_cookie(take8()) : NULL;
        a->pointer = made->cookie;
    }
}

/* Usually the number of elements of the tensor that the call names, or of all parameters. */
static void choose_count(call *made) {
    size_t count = find(made->function, "count"), name = find(made->function, "name"), rows, columns;
    if (count == made->function->count || !made->network || take8() >= 0xE8) return;
    if (find(made->function, "networks") < made->function->count) return;
    made->arguments[count].size = made->parameters;
    if (name == made->function->count) return;
    if (bp_network_tensor_shape(made->network, (const char *)made->arguments[name].pointer, &rows, &columns) == BP_OK)
        made->arguments[count].size = rows * columns;
}

/* Returns whether the parameter is known. */
static int take_pointer(call *made, size_t index) {
    const parameter *p = &made->function->parameters[index];
    argument *a = &made->arguments[index];
    for (size_t i = 0; i < sizeof callbacks / sizeof callbacks[0]; i++)
        if (is(p, callbacks[i].type)) {
            a->function = take8() < 0xE8 ? callbacks[i].function : NULL;
            return 1;
        }
    if (!strchr(p->type, '*') || (is(p, "void *") && named(p, "user_data"))) return 1; /* read before */
    if (handle_type(p->type) < HANDLE_TYPES && !strstr(p->type, "**") && !named(p, "networks")) return 1;
    if (take8() >= 0xFA) {
        a->pointer = NULL;
        return 1;
    }
    if (named(p, "networks")) return 1;
    if (strstr(p->type, "**")) a->pointer = block(made, index, sizeof(void *));
    else if (is(p, "const char *")) a->pointer = named(p, "path") ? take_path(made, index) : take_text(made, index);
    else if (is(p, "const uint8_t *") && named(p, "bytes")) make_model(made, index);
    else if (is(p, "const bp_rows *")) make_rows(made, index);
    else if (is(p, "void *") && named(p, "outputs_out")) make_outputs(made, index);
    else {
        for (size_t i = 0; i < sizeof struct_types / sizeof struct_types[0]; i++)
            if (is(p, struct_types[i].type)) {
                make_struct(made, index, struct_types[i].size);
                return 1;
            }
        for (size_t i = 0; i < sizeof arrays / sizeof arrays[0]; i++)
            if (is(p, arrays[i].type) && named(p, arrays[i].name)) {
                make_array(made, index, arrays[i].count(made));
                return 1;
            }
        return 0;
    }
    return 1;
}

/* Avoids calls that need seconds: the gradients of larger networks are not checked, and fits have few epochs. */
static void keep_short(call *made) {
    static const struct {
        const char *option;
        double most;
    } bounds[] = {{"epochs", 2}, {"steps", 30}, {"restarts", 2}, {"batch_size", 300}};
    bp_trainer *trainer = (bp_trainer *)made->arguments[find(made->function, "trainer") % MOST_PARAMETERS].pointer;
    double value;
    if (strncmp(made->function->name, "bp_trainer_fit", 14) == 0)
        for (size_t i = 0; i < sizeof bounds / sizeof bounds[0]; i++)
            if (bp_trainer_get_option(trainer, bounds[i].option, &value) == BP_OK && value > bounds[i].most)
                (void)bp_trainer_set_option(trainer, bounds[i].option, bounds[i].most);
    if (strcmp(made->function->name, "bp_network_check_gradient") == 0 && made->parameters > 100)
        made->arguments[find(made->function, "network")].pointer = NULL;
}

static void make_arguments(call *made, const signature *function) {
    memset(made, 0, sizeof *made);
    made->function = function;
    made->inputs = made->outputs = made->parameters = 1;
    for (size_t i = 0; i < function->count; i++) take_scalar(made, i); /* the sizes of arrays depend on these */
    keep_short(made);
    if (find(function, "name") == function->count) choose_count(made);
    for (size_t i = 0; i < function->count; i++) {
        if (!take_pointer(made, i)) {
            fprintf(stderr, "%s: no rule for %s%s\n", function->name, function->parameters[i].type,
                    function->parameters[i].name);
            exit(2);
        }
        if (named(&function->parameters[i], "name")) choose_count(made);
    }
}

static void drop_arguments(call *made) {
    for (size_t i = 0; i < MOST_PARAMETERS; i++) free(made->blocks[i]);
}

#endif
