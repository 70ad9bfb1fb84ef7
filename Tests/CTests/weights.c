/* weights.c: weights from safetensors files of other programs. The files are written here without the library: 8 bytes of
 * length, JSON, then the tensors. */
#include "check.h"

static const char path[] = "weights.safetensors";
static const size_t sizes[] = {2, 3, 1};
enum { COUNT = 13 }; /* 2-3-1: 6 + 3 + 3 + 1 */

/* 1/4, -2, 5/8 and so on: exact in every type. */
static const float values[COUNT] = {0.25f, -2, 0.625f, 1, -0.5f, 4, 0, -0.125f, 3, 1.5f, -1, 0.75f, 2};

static char header[65536];
static uint8_t data[4096];
static size_t data_count;
static uint8_t memory[8 + sizeof header + sizeof data]; /* for a file's bytes */
static size_t memory_count;

static void begin(const char *metadata) {
    snprintf(header, sizeof header, "{%s", metadata);
    data_count = 0;
}

/* Appends a tensor. */
static void add(const char *name, const char *type, const char *shape, const void *bytes, size_t count) {
    size_t length = strlen(header);
    snprintf(header + length, sizeof header - length, "%s\"%s\":{\"dtype\":\"%s\",\"shape\":%s,\"data_offsets\":[%d,%d]}",
             header[length - 1] == '{' ? "" : ",", name, type, shape, (int)data_count, (int)(data_count + count));
    memcpy(data + data_count, bytes, count);
    data_count += count;
}

static void write_file(void) {
    FILE *file = fopen(path, "wb");
    uint64_t length;
    uint8_t bytes[8];
    if (header[strlen(header) - 1] != '\n') strcat(header, "}");
    length = strlen(header);
    for (int i = 0; i < 8; i++) bytes[i] = (uint8_t)(length >> 8 * i);
    EXPECT(file && fwrite(bytes, 1, 8, file) == 8 && fwrite(header, 1, (size_t)length, file) == length &&
           fwrite(data, 1, data_count, file) == data_count);
    if (file) fclose(file);
}

/* The four tensors of 2-3-1, as floats. */
static void add_all(void) {
    add("layers.1.weight", "F32", "[3,2]", values, 24);
    add("layers.1.bias", "F32", "[3]", values + 6, 12);
    add("layers.2.weight", "F32", "[1,3]", values + 9, 12);
    add("layers.2.bias", "F32", "[1]", values + 12, 4);
}

static int holds_values(const bp_network *network) {
    float now[COUNT];
    return EXPECT_OK(bp_network_get_parameters(network, now, count_of(network))) && memcmp(now, values, sizeof values) == 0;
}

static void read_file(void) {
    FILE *file = fopen(path, "rb");
    memory_count = file ? fread(memory, 1, sizeof memory, file) : 0;
    if (file) fclose(file);
}

static void message_has(const char *named) {
    if (!EXPECT(strstr(bp_last_error_message(), named))) printf("#   \"%s\" lacks %s\n", bp_last_error_message(), named);
}

/* Expects that loading fails with this status and a message that contains `named`, and changes nothing: from the file and from
 * memory. */
static void refused(bp_network *network, int32_t expected, const char *named) {
    snapshot before = snapshot_of(network);
    read_file();
    if (EXPECT_ERROR(bp_network_load_weights(network, path), expected)) message_has(named);
    if (EXPECT_ERROR(bp_network_load_weights_memory(network, memory, memory_count), expected)) message_has(named);
    EXPECT(snapshot_holds(before, network));
    free(before.bytes);
}

/* The same for a layer. */
static void layer_refused(bp_network *network, size_t layer, const char *weight, const char *bias, int32_t expected,
                          const char *named) {
    snapshot before = snapshot_of(network);
    read_file();
    if (EXPECT_ERROR(bp_network_load_layer(network, layer, path, weight, bias), expected)) message_has(named);
    if (EXPECT_ERROR(bp_network_load_layer_memory(network, layer, memory, memory_count, weight, bias), expected))
        message_has(named);
    EXPECT(snapshot_holds(before, network));
    free(before.bytes);
}

/* ---- Accepted files */

static void tensors_in_order_are_loaded(void) {
    bp_network *network = check_network(sizes, 3, 1);
    begin("");
    add_all();
    write_file();
    EXPECT_OK(bp_network_load_weights(network, path));
    EXPECT(holds_values(network));
    EXPECT_OK(bp_network_initialize(network, 2));
    read_file();
    EXPECT_OK(bp_network_load_weights_memory(network, memory, memory_count));
    EXPECT(holds_values(network));
    bp_network_free(network);
}

static void tensors_in_any_order_with_other_metadata_are_loaded(void) {
    bp_network *network = check_network(sizes, 3, 1);
    const uint8_t odd[3] = {1, 2, 3};
    begin("\"__metadata__\":{\"format\":\"pt\",\"note\":\"\\u00e9 \\\"quoted\\\"\"}");
    add("odd", "U8", "[3]", odd, 3); /* so that no float is aligned */
    add("layers.2.bias", "F32", "[1]", values + 12, 4);
    add("layers.1.bias", "F32", "[3]", values + 6, 12);
    add("layers.2.weight", "F32", "[1,3]", values + 9, 12);
    add("layers.1.weight", "F32", "[3,2]", values, 24);
    write_file();
    EXPECT_OK(bp_network_load_weights(network, path));
    EXPECT(holds_values(network));
    bp_network_free(network);
}

/* The offsets define the positions of the bytes, not the order in the header. */
static void header_in_another_order_than_the_data_is_accepted(void) {
    bp_network *network = check_network(sizes, 3, 1);
    memcpy(data, values, sizeof values);
    data_count = sizeof values;
    strcpy(header,
           "{ \"layers.2.bias\" : {\"data_offsets\":[48,52],\"shape\":[1],\"dtype\":\"F32\"},"
           "\"layers.1.weight\":{\"shape\":[3,2],\"dtype\":\"F32\",\"data_offsets\":[0,24]},"
           "\"layers.2.weight\":{\"dtype\":\"F32\",\"shape\":[1,3],\"data_offsets\":[36,48]},"
           "\"layers.1.bias\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[24,36]}}\n");
    write_file();
    EXPECT_OK(bp_network_load_weights(network, path));
    EXPECT(holds_values(network));
    bp_network_free(network);
}

/* Forms that the format allows and the safetensors package reads: other fields of a tensor, spaces, escapes, null metadata,
 * tensors without elements, many dimensions. */
static void header_with_additional_fields_is_accepted(void) {
    static const char *const fields[] = {"\"device\":\"cpu\",", "\"strides\":[2,1],",
                                         "\"quantization\":{\"scale\":1.5e-3,\"axis\":null,\"of\":[true,{}]},",
                                         " \"\\u00e9\" : -0.5E+7 ,\n\t"};
    static const char *const others[] = {
        "\"__metadata__\":null", "\"__metadata__\":{}",
        "\"empty\":{\"dtype\":\"F32\",\"shape\":[0,7],\"data_offsets\":[24,24]}",
        "\"scalar\":{\"dtype\":\"U8\",\"shape\":[1,1,1,1,1,1,1,1,1,0],\"data_offsets\":[52,52]}",
        "\"first\":{\"dtype\":\"BOOL\",\"shape\":[0],\"data_offsets\":[0,0]}"};
    bp_network *network = check_network(sizes, 3, 1);
    memcpy(data, values, sizeof values);
    data_count = sizeof values;
    for (size_t i = 0; i < 9; i++) {
        const char *start = i % 2 ? "" : " \n";
        const char *field = i < 4 ? fields[i] : "", *other = i < 4 ? "\"__metadata__\":{\"a\":\"b\"}" : others[i - 4];
        snprintf(header, sizeof header,
                 "%s{%s,\"layers.1.\\u0077eight\":{%s\"dtype\":\"F32\",\"shape\":[3,2],\"data_offsets\":[0,24]},"
                 "\"layers.1.bias\":{\"dtype\":\"F32\",%s\"shape\":[ 3 ],\"data_offsets\":[24,36]},"
                 "\"layers.2.weight\":{\"dtype\":\"F32\",\"shape\":[1,3],%s\"data_offsets\":[36,48]},"
                 "\"layers.2.bias\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[48,52]}}    \n",
                 start, other, field, field, field);
        write_file();
        if (!EXPECT_OK(bp_network_load_weights(network, path))) printf("#   %s%s\n", field, other);
        EXPECT(holds_values(network));
        EXPECT_OK(bp_network_initialize(network, 1));
    }
    bp_network_free(network);
}

static uint16_t bits16(float value, int brain) { /* only for exact values, as here */
    uint32_t bits;
    memcpy(&bits, &value, 4);
    if (brain || value == 0) return (uint16_t)(bits >> 16);
    return (uint16_t)((bits >> 16 & 0x8000) | ((bits >> 23 & 0xFF) - 112) << 10 | (bits >> 13 & 0x3FF));
}

static void every_float_type_is_converted(void) {
    const char *const types[] = {"F64", "F16", "BF16"};
    for (int type = 0; type < 3; type++) {
        bp_network *network = check_network(sizes, 3, 1);
        double wide[COUNT];
        uint16_t narrow[COUNT];
        const uint8_t *bytes = type == 0 ? (const uint8_t *)wide : (const uint8_t *)narrow;
        size_t size = type == 0 ? 8 : 2;
        for (int i = 0; i < COUNT; i++) wide[i] = values[i], narrow[i] = bits16(values[i], type == 2);
        begin("");
        add("layers.1.weight", types[type], "[3,2]", bytes, 6 * size);
        add("layers.1.bias", "F32", "[3]", values + 6, 12);
        add("layers.2.weight", types[type], "[1,3]", bytes + 9 * size, 3 * size);
        add("layers.2.bias", types[type], "[1]", bytes + 12 * size, size);
        write_file();
        EXPECT_OK(bp_network_load_weights(network, path));
        EXPECT(holds_values(network));
        bp_network_free(network);
    }
}

/* IEEE 754 binary16, computed by hand: the smallest and the largest subnormal number, the smallest and the largest normal
 * number, and minus zero. A double halfway between two floats is rounded to the even one. */
static void extreme_halves_and_rounded_doubles_are_converted_correctly(void) {
    const uint16_t halves[6] = {0x0001, 0x83FF, 0x0400, 0x7BFF, 0x8000, 0x3555};
    const float expected[6] = {5.9604644775390625e-8f, -6.0975551605224609375e-5f, 6.103515625e-5f, 65504, -0.0f,
                               0.333251953125f};
    const double doubles[3] = {1 + 0x1p-24, 0.1, -0x1p-149};
    const float rounded[3] = {1, 0.1f, -0x1p-149f};
    bp_network *network = check_network(sizes, 3, 1);
    float now[COUNT];
    begin("");
    add("layers.1.weight", "F16", "[3,2]", halves, 12);
    add("layers.1.bias", "F64", "[3]", doubles, 24);
    add("layers.2.weight", "F32", "[1,3]", values, 12);
    add("layers.2.bias", "F32", "[1]", values, 4);
    write_file();
    EXPECT_OK(bp_network_load_weights(network, path));
    EXPECT_OK(bp_network_get_parameters(network, now, count_of(network)));
    EXPECT(memcmp(now, expected, sizeof expected) == 0);
    EXPECT(memcmp(now + 6, rounded, sizeof rounded) == 0);
    bp_network_free(network);
}

static const float norm[4][3] = {{1, 2, 3}, {4, 5, 6}, {-7, 8, 9}, {0, 0.5f, 10}};

static void add_norm(void) {
    const int64_t batches = 1000;
    add("layers.1.norm.weight", "F32", "[3]", norm[0], 12);
    add("layers.1.norm.bias", "F32", "[3]", norm[1], 12);
    add("layers.1.norm.running_mean", "F32", "[3]", norm[2], 12);
    add("layers.1.norm.running_var", "F32", "[3]", norm[3], 12);
    add("layers.1.norm.num_batches_tracked", "I64", "[]", &batches, 8); /* PyTorch's BatchNorm1d writes it */
}

/* Computed by hand: z = w x + b in layer 1; (z - mean) / sqrt(var + eps) * gamma + beta; both layers "identity". */
static void normalization_is_loaded_with_its_statistics(void) {
    const float x[2] = {1, 2};
    float out = 0;
    double expected = values[12];
    bp_network *network = check_network(sizes, 3, 1);
    for (size_t layer = 1; layer < 3; layer++) EXPECT_OK(bp_network_set_activation(network, layer, "identity"));
    EXPECT_OK(bp_network_set_batchnorm(network, 1, 1));
    begin("");
    add_norm();
    add_all();
    write_file();
    EXPECT_OK(bp_network_load_weights(network, path));
    for (int i = 0; i < 3; i++) {
        double z = values[2 * i] * x[0] + values[2 * i + 1] * x[1] + values[6 + i];
        double normal = (z - norm[2][i]) / sqrt(norm[3][i] + 1e-5) * norm[0][i] + norm[1][i];
        expected += normal * values[9 + i];
    }
    EXPECT_OK(bp_network_predict(network, x, 1, &out));
    EXPECT_NEAR(out, expected, 1e-5 * fabs(expected));
    bp_network_free(network);
}

static void tensors_of_disabled_normalization_are_optional(void) {
    bp_network *network = check_network(sizes, 3, 1);
    float now[COUNT + 6];
    EXPECT_OK(bp_network_set_batchnorm(network, 1, 1));
    EXPECT_OK(bp_network_set_batchnorm(network, 1, 0));
    begin("");
    add_norm();
    add_all();
    write_file();
    EXPECT_OK(bp_network_load_weights(network, path));
    EXPECT(holds_values(network));
    begin("");
    add_all();
    write_file();
    EXPECT_OK(bp_network_load_weights(network, path));
    EXPECT_OK(bp_network_set_batchnorm(network, 1, 1)); /* the values of the first file */
    EXPECT_OK(bp_network_get_parameters(network, now, count_of(network)));
    EXPECT(memcmp(now + 9, norm[0], 12) == 0 && memcmp(now + 12, norm[1], 12) == 0);
    bp_network_free(network);
}

static void only_the_weights_of_a_model_are_loaded(void) {
    bp_network *source = check_network(sizes, 3, 5), *network = check_network(sizes, 3, 6);
    const float x[2] = {1, -1}, y = 1;
    float ours[COUNT], theirs[COUNT];
    double option = 0;
    EXPECT_OK(bp_network_set_option(source, "gradient_reduction", 1));
    EXPECT_OK(bp_network_set_activation(source, 1, "tanh"));
    EXPECT_OK(bp_network_train_step(source, x, &y, 0.5f, NULL));
    EXPECT_OK(bp_network_save(source, path));
    EXPECT_OK(bp_network_load_weights(network, path));
    EXPECT_OK(bp_network_get_parameters(source, theirs, count_of(source)));
    EXPECT_OK(bp_network_get_parameters(network, ours, count_of(network)));
    EXPECT(memcmp(ours, theirs, sizeof ours) == 0);
    EXPECT_OK(bp_network_get_option(network, "gradient_reduction", &option));
    EXPECT(option == 0);
    EXPECT_OK(bp_network_set_activation(network, 2, "relu")); /* loaded weights are not drawn again */
    EXPECT_OK(bp_network_get_parameters(network, ours, count_of(network)));
    EXPECT(memcmp(ours, theirs, sizeof ours) == 0);
    bp_network_free(source);
    bp_network_free(network);
}

/* ---- Refused files */

static void changed_model_is_refused_by_its_checksum(void) {
    bp_network *network = check_network(sizes, 3, 5);
    snapshot bytes = snapshot_of(network);
    FILE *file;
    bytes.bytes[bytes.count - 2] ^= 1;
    file = fopen(path, "wb");
    EXPECT(file && fwrite(bytes.bytes, 1, bytes.count, file) == bytes.count);
    if (file) fclose(file);
    refused(network, BP_ERROR_CORRUPT, "checksum");
    bp_network_free(network);
    free(bytes.bytes);
}

static void mismatch_names_the_tensor_and_both_shapes(void) {
    bp_network *network = check_network(sizes, 3, 1);
    begin("");
    add("layers.1.weight", "F32", "[2,3]", values, 24); /* transposed */
    add("layers.1.bias", "F32", "[3]", values, 12);
    add("layers.2.weight", "F32", "[1,3]", values, 12);
    add("layers.2.bias", "F32", "[1]", values, 4);
    write_file();
    refused(network, BP_ERROR_MISMATCH, "\"layers.1.weight\" [2,3]");
    refused(network, BP_ERROR_MISMATCH, "\"layers.1.weight\" [3,2]");
    begin("");
    add("layers.1.weight", "F32", "[3,2]", values, 24);
    add("layers.1.bias", "F32", "[3]", values, 12);
    add("layers.2.weight", "F32", "[1,3]", values, 12);
    write_file();
    refused(network, BP_ERROR_MISMATCH, "\"layers.2.bias\" [1]");
    begin("");
    add_all();
    add("layers.3.weight", "F32", "[1,1]", values, 4);
    write_file();
    refused(network, BP_ERROR_MISMATCH, "layers.3.weight");
    begin("");
    add_all();
    add_norm();
    write_file();
    refused(network, BP_ERROR_MISMATCH, "layers.1.norm");
    EXPECT_OK(bp_network_set_batchnorm(network, 1, 1));
    EXPECT_OK(bp_network_load_weights(network, path));
    begin("");
    add_all();
    write_file();
    refused(network, BP_ERROR_MISMATCH, "layers.1.norm.weight");
    begin("");
    add("layers.1.weight", "I32", "[3,2]", values, 24);
    add("layers.1.bias", "F32", "[3]", values, 12);
    write_file();
    refused(network, BP_ERROR_MISMATCH, "layers.1.weight");
    bp_network_free(network);
}

static void numbers_that_are_not_finite_are_refused(void) {
    const float bad[] = {NAN, INFINITY, -INFINITY};
    const uint16_t halves[3] = {0x7C00, 0x7E01, 0xFC00};
    const double large[3] = {1e39, 1, 1};
    const float negative[3] = {1, -1, 1};
    bp_network *network = check_network(sizes, 3, 1);
    for (int i = 0; i < 3; i++) {
        float biases[3] = {1, 2, 3};
        biases[i] = bad[i];
        begin("");
        add("layers.1.weight", "F32", "[3,2]", values, 24);
        add("layers.1.bias", "F32", "[3]", biases, 12);
        add("layers.2.weight", "F32", "[1,3]", values, 12);
        add("layers.2.bias", "F32", "[1]", values, 4);
        write_file();
        refused(network, BP_ERROR_NOT_FINITE, "layers.1.bias");
    }
    for (int i = 0; i < 2; i++) {
        begin("");
        add("layers.1.weight", "F32", "[3,2]", values, 24);
        if (i == 0) add("layers.1.bias", "F16", "[3]", halves, 6);
        else add("layers.1.bias", "F64", "[3]", large, 24); /* larger than any float */
        add("layers.2.weight", "F32", "[1,3]", values, 12);
        add("layers.2.bias", "F32", "[1]", values, 4);
        write_file();
        refused(network, BP_ERROR_NOT_FINITE, "layers.1.bias");
    }
    EXPECT_OK(bp_network_set_batchnorm(network, 1, 1));
    begin("");
    add_all();
    for (int i = 0; i < 4; i++) {
        const char *const names[] = {"weight", "bias", "running_mean", "running_var"};
        char name[64];
        snprintf(name, sizeof name, "layers.1.norm.%s", names[i]);
        add(name, "F32", "[3]", i == 3 ? negative : norm[i], 12);
    }
    write_file();
    refused(network, BP_ERROR_NOT_FINITE, "layers.1.norm.running_var");
    bp_network_free(network);
}

static void malformed_file_is_refused(void) {
#define BODY                                                                           \
    "\"layers.1.weight\":{\"dtype\":\"F32\",\"shape\":[3,2],\"data_offsets\":[0,24]}," \
    "\"layers.1.bias\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[24,36]},"    \
    "\"layers.2.weight\":{\"dtype\":\"F32\",\"shape\":[1,3],\"data_offsets\":[36,48]}"
#define LAST(offsets) "\"layers.2.bias\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":" offsets "}"
    static const char *const unsound[] = {
        "{" BODY "," LAST("[48,56]") "}\n",                                     /* beyond the end of the file */
        "{" BODY "," LAST("[44,48]") "}\n",                                     /* overlaps another tensor, and leaves a rest */
        "{" BODY "," LAST("[52,48]") "}\n",                                     /* the end is before the start */
        "{" BODY "," LAST("[48,50]") "}\n",                                     /* too short */
        "{" BODY "," LAST("[288230376151711740,288230376151711743]") "}\n",     /* very large */
        "{" BODY "," LAST("[18446744073709551600,18446744073709551604]") "}\n", /* beyond 64 bits */
        "{" BODY "," LAST("[48,52]") "," LAST("[52,52]") "}\n",                 /* a duplicate name */
        "{" BODY "," LAST("[48,52]") ",\"__metadata__\":{\"a\":\"\",\"a\":\"\"}}\n", /* a duplicate key */
        "{\"__metadata__\":{},\"__metadata__\":{}," BODY "," LAST("[48,52]") "}\n",
        "{\"__metadata__\":{\"a\":1}," BODY "," LAST("[48,52]") "}\n",
        "{\"__metadata__\":{\"a\":{\"b\":{}}}," BODY "," LAST("[48,52]") "}\n",
        "{" BODY "," LAST("[48,52]") ",\"x\":[[[[[[[[]]]]]]]]}\n",
        "{" BODY "," LAST("[48,52]") ",\"x\xFF\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[52,52]}}\n",
        "{" BODY "," LAST("[48,52],\"more\":[1,]") "}\n", /* another field, malformed */
        "{" BODY "," LAST("[48,52],\"more\":01") "}\n",
        "{" BODY "," LAST("[48,52],\"more\":nul") "}\n",
        "{" BODY "," LAST("[48,52],\"dtype\":\"F32\"") "}\n", /* a duplicate field */
        "{" BODY "," LAST("[48,52]") "\n",
        "{" BODY "," LAST("[48,52]") "}}\n",
    };
    bp_network *network = check_network(sizes, 3, 1);
    memcpy(data, values, sizeof values);
    data_count = sizeof values;
    for (size_t i = 0; i < sizeof unsound / sizeof unsound[0]; i++) {
        strcpy(header, unsound[i]);
        write_file();
        refused(network, BP_ERROR_CORRUPT, "");
        layer_refused(network, 1, "layers.1.weight", "layers.1.bias", BP_ERROR_CORRUPT, "");
    }
    strcpy(header, "[]\n");
    write_file();
    refused(network, BP_ERROR_NOT_A_MODEL, "safetensors");
    layer_refused(network, 1, "layers.1.weight", "layers.1.bias", BP_ERROR_NOT_A_MODEL, "safetensors");
    EXPECT_ERROR(bp_network_load_weights_memory(network, NULL, 0), BP_ERROR_NOT_A_MODEL);
    EXPECT_ERROR(bp_network_load_weights_memory(network, memory, SIZE_MAX), BP_ERROR_LIMIT);
    EXPECT_ERROR(bp_network_load_layer_memory(network, 1, NULL, 0, "a", NULL), BP_ERROR_NOT_A_MODEL);
    EXPECT_ERROR(bp_network_load_weights(network, "no such file"), BP_ERROR_IO);
    EXPECT_ERROR(bp_network_load_weights(network, ""), BP_ERROR_INVALID_VALUE);
    EXPECT_ERROR(bp_network_load_weights(network, NULL), BP_ERROR_NULL_ARGUMENT);
    EXPECT_ERROR(bp_network_load_weights(NULL, path), BP_ERROR_NULL_ARGUMENT);
    bp_network_free(network);
    EXPECT_ERROR(bp_network_load_weights(network, path), BP_ERROR_INVALID_HANDLE);
}

/* ---- One layer, by other names */

/* The tensors of 2-3-1 with the names of PyTorch's Sequential, the last layer without a bias, and others. */
static void write_other_names(void) {
    const uint8_t odd[3] = {1, 2, 3};
    begin("\"__metadata__\":{\"format\":\"pt\"}");
    add("odd", "U8", "[3]", odd, 3);
    add("layers.7.weight", "F32", "[1]", values, 4); /* a name that load_weights refuses */
    add("0.bias", "F32", "[3]", values + 6, 12);
    add("0.weight", "F32", "[3,2]", values, 24);
    add("model.fc2.weight", "F32", "[1,3]", values + 9, 12);
    add("fc2.weight.transposed", "F32", "[3,1]", values + 9, 12);
    write_file();
}

static void layer_is_loaded_by_the_names_of_its_tensors(void) {
    for (int from_memory = 0; from_memory < 2; from_memory++) {
        bp_network *network = check_network(sizes, 3, 1);
        float now[COUNT];
        uint64_t steps = 0;
        EXPECT_OK(bp_network_train_step(network, values, values + 3, 0.1f, NULL));
        write_other_names();
        read_file();
        if (from_memory) {
            EXPECT_OK(bp_network_load_layer_memory(network, 1, memory, memory_count, "0.weight", "0.bias"));
            EXPECT_OK(bp_network_load_layer_memory(network, 2, memory, memory_count, "model.fc2.weight", NULL));
        } else {
            EXPECT_OK(bp_network_load_layer(network, 1, path, "0.weight", "0.bias"));
            EXPECT_OK(bp_network_load_layer(network, 2, path, "model.fc2.weight", NULL));
        }
        EXPECT_OK(bp_network_get_parameters(network, now, COUNT));
        EXPECT(memcmp(now, values, sizeof now - sizeof now[0]) == 0);
        EXPECT(now[COUNT - 1] == 0); /* no bias */
        EXPECT_OK(bp_network_step_count(network, &steps));
        EXPECT(steps == 1);
        bp_network_free(network);
    }
}

static void loaded_layer_is_not_drawn_again_and_keeps_its_normalization(void) {
    bp_network *network = check_network(sizes, 3, 1);
    float gamma[3] = {2, 3, 4}, now[6];
    EXPECT_OK(bp_network_set_batchnorm(network, 1, 1));
    EXPECT_OK(bp_network_set_tensor(network, "layers.1.norm.weight", gamma, 3));
    EXPECT_OK(bp_network_set_trainable(network, 1, 0)); /* loading changes frozen layers, too */
    write_other_names();
    EXPECT_OK(bp_network_load_layer(network, 1, path, "0.weight", "0.bias"));
    EXPECT_OK(bp_network_set_activation(network, 1, "relu"));
    EXPECT_OK(bp_network_get_tensor(network, "layers.1.weight", now, 6));
    EXPECT(memcmp(now, values, sizeof now) == 0);
    EXPECT_OK(bp_network_get_tensor(network, "layers.1.norm.weight", now, 3));
    EXPECT(memcmp(now, gamma, sizeof gamma) == 0);
    bp_network_free(network);
}

static void layer_of_a_model_is_loaded_and_its_checksum_verified(void) {
    bp_network *network = check_network(sizes, 3, 1), *source = check_network(sizes, 3, 2);
    float now[COUNT], theirs[COUNT];
    EXPECT_OK(bp_network_save(source, path));
    EXPECT_OK(bp_network_save_memory(source, memory, sizeof memory, &memory_count));
    EXPECT_OK(bp_network_load_layer(network, 1, path, "layers.1.weight", "layers.1.bias"));
    EXPECT_OK(bp_network_load_layer_memory(network, 2, memory, memory_count, "layers.2.weight", "layers.2.bias"));
    EXPECT_OK(bp_network_get_parameters(network, now, COUNT));
    EXPECT_OK(bp_network_get_parameters(source, theirs, COUNT));
    EXPECT(memcmp(now, theirs, sizeof now) == 0);
    memory[memory_count - 1] ^= 1;
    EXPECT_ERROR(bp_network_load_layer_memory(network, 2, memory, memory_count, "layers.2.weight", NULL), BP_ERROR_CORRUPT);
    EXPECT_ERROR(bp_network_load_weights_memory(network, memory, memory_count), BP_ERROR_CORRUPT);
    bp_network_free(network);
    bp_network_free(source);
}

static void layer_that_does_not_match_is_refused_by_its_name(void) {
    const float infinite[3] = {1, INFINITY, 2};
    bp_network *network = check_network(sizes, 3, 1);
    write_other_names();
    layer_refused(network, 1, "0.weigth", "0.bias", BP_ERROR_UNKNOWN_NAME, "has no tensor \"0.weigth\"");
    layer_refused(network, 1, "0.weigth", "0.bias", BP_ERROR_UNKNOWN_NAME, "did you mean \"0.weight\"?");
    layer_refused(network, 1, "0.weight", "1.bias", BP_ERROR_UNKNOWN_NAME, "\"0.bias\" [3], \"0.weight\" [3,2], ");
    layer_refused(network, 1, "0.weight", "", BP_ERROR_UNKNOWN_NAME, "\"\"");
    layer_refused(network, 2, "fc2.weight.transposed", NULL, BP_ERROR_MISMATCH,
                  "\"fc2.weight.transposed\" [3,1] in the file does not match \"layers.2.weight\" [1,3] in the network");
    layer_refused(network, 1, "0.bias", NULL, BP_ERROR_MISMATCH, "[3,2]");
    layer_refused(network, 1, "0.weight", "odd", BP_ERROR_MISMATCH, "\"odd\" [3] is not of type F32, F64, F16 or BF16");
    layer_refused(network, 0, "0.weight", NULL, BP_ERROR_INVALID_VALUE, "layer 0 is out of range");
    layer_refused(network, 3, "0.weight", NULL, BP_ERROR_INVALID_VALUE, "out of range");
    layer_refused(network, SIZE_MAX, "0.weight", NULL, BP_ERROR_INVALID_VALUE, "out of range");
    refused(network, BP_ERROR_MISMATCH, "\"layers.1.weight\" [3,2]; the file has 6 tensors: \"odd\" [3], ");
    begin("");
    add("w", "F32", "[1,3]", infinite, 12);
    write_file();
    layer_refused(network, 2, "w", NULL, BP_ERROR_NOT_FINITE, "\"w\" [1,3]");
    EXPECT_ERROR(bp_network_load_layer(network, 1, "no such file", "w", NULL), BP_ERROR_IO);
    EXPECT_ERROR(bp_network_load_layer(network, 1, "", "w", NULL), BP_ERROR_INVALID_VALUE);
    EXPECT_ERROR(bp_network_load_layer(network, 1, path, NULL, "b"), BP_ERROR_NULL_ARGUMENT);
    EXPECT_ERROR(bp_network_load_layer(network, 1, NULL, "w", NULL), BP_ERROR_NULL_ARGUMENT);
    bp_network_free(network);
}

/* The message is one line of bounded length, whatever the names are. */
static void message_lists_a_few_names_of_many(void) {
    bp_network *network = check_network(sizes, 3, 1);
    char name[400];
    begin("");
    for (int i = 0; i < 60; i++) {
        snprintf(name, sizeof name, "%s%d",
                 i % 2 ? "block." : "a name of more than sixty-four bytes, which is not listed in a message: ", i);
        add(name, "F32", "[0]", values, 0);
    }
    write_file();
    refused(network, BP_ERROR_MISMATCH, "; the file has 60 tensors: \"block.1\" [0], \"block.3\" [0], ");
    refused(network, BP_ERROR_MISMATCH, "\"block.15\" [0], ...");
    EXPECT(strlen(bp_last_error_message()) < 400);
    begin("");
    write_file();
    refused(network, BP_ERROR_MISMATCH, "; the file has 0 tensors");
    bp_network_free(network);
}

int main(void) {
    CLAIM(tensors_in_order_are_loaded);
    CLAIM(tensors_in_any_order_with_other_metadata_are_loaded);
    CLAIM(header_in_another_order_than_the_data_is_accepted);
    CLAIM(header_with_additional_fields_is_accepted);
    CLAIM(every_float_type_is_converted);
    CLAIM(extreme_halves_and_rounded_doubles_are_converted_correctly);
    CLAIM(normalization_is_loaded_with_its_statistics);
    CLAIM(tensors_of_disabled_normalization_are_optional);
    CLAIM(only_the_weights_of_a_model_are_loaded);
    CLAIM(changed_model_is_refused_by_its_checksum);
    CLAIM(mismatch_names_the_tensor_and_both_shapes);
    CLAIM(numbers_that_are_not_finite_are_refused);
    CLAIM(malformed_file_is_refused);
    CLAIM(layer_is_loaded_by_the_names_of_its_tensors);
    CLAIM(loaded_layer_is_not_drawn_again_and_keeps_its_normalization);
    CLAIM(layer_of_a_model_is_loaded_and_its_checksum_verified);
    CLAIM(layer_that_does_not_match_is_refused_by_its_name);
    CLAIM(message_lists_a_few_names_of_many);
    remove(path);
    return check_end();
}
