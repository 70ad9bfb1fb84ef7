/* foreign.c: activations from C functions of numbers with a signature, and from functions of shared libraries. */
#include "mirror.h"

/* ---- Helpers */

static const size_t unit[] = {1, 1};

/* f(z), computed by a network of one unit with weight 1 and bias 0; NaN on failure. */
static float value_of(const char *name, float z) {
    static const float through[] = {1, 0};
    float a = NAN;
    bp_network *network = check_network(unit, 2, 1);
    EXPECT_OK(bp_network_set_activation(network, 1, name));
    EXPECT_OK(bp_network_set_parameters(network, through, count_of(network)));
    EXPECT_OK(bp_network_predict(network, &z, 1, &a));
    bp_network_free(network);
    return a;
}

/* f'(z): the gradient of the bias for the target f(z) - 1. */
static float slope_of(const char *name, float z) {
    const float through[] = {1, 0};
    float gradient[2] = {NAN, NAN}, target = value_of(name, z) - 1;
    bp_network *network = check_network(unit, 2, 1);
    EXPECT_OK(bp_network_set_activation(network, 1, name));
    EXPECT_OK(bp_network_set_parameters(network, through, count_of(network)));
    EXPECT_OK(bp_network_gradient(network, &z, &target, 1, gradient, count_of(network), NULL));
    bp_network_free(network);
    return gradient[1];
}

static int32_t register_foreign(const char *name, bp_foreign_fn function, const char *signature) {
    return bp_activation_register_foreign(name, function, NULL, signature, NULL, 0);
}

/* Registers a function with one constant. */
static int32_t register_foreign_with(const char *name, bp_foreign_fn function, const char *signature, double constant) {
    return bp_activation_register_foreign(name, function, NULL, signature, &constant, 1);
}

#define UNREGISTER(name) EXPECT_OK(bp_activation_unregister(name))

/* ---- Results */

static void functions_of_the_c_library_can_be_registered_directly(void) {
    EXPECT_OK(register_foreign("c.erf", (bp_foreign_fn)erf, "d(d)"));
    EXPECT_OK(register_foreign("c.erff", (bp_foreign_fn)erff, "f(f)"));
    EXPECT_OK(register_foreign("c.atan", (bp_foreign_fn)atan, "d(d)"));
    EXPECT_OK(register_foreign_with("c.ldexp", (bp_foreign_fn)ldexp, "d(d,i)", -3));
    EXPECT_OK(register_foreign_with("c.ldexpf", (bp_foreign_fn)ldexpf, "f(f,i)", -3));
    EXPECT_OK(register_foreign_with("c.fmax", (bp_foreign_fn)fmax, "d(d,d)", 0.25));
    EXPECT_OK(register_foreign_with("c.hypot", (bp_foreign_fn)hypot, "d(d,d)", 1.5));
    EXPECT_OK(register_foreign("c.llround", (bp_foreign_fn)llround, "l(d)"));
    EXPECT_OK(register_foreign("c.ilogbf", (bp_foreign_fn)ilogbf, "i(f)"));
    for (int i = -40; i <= 40; i++) {
        float z = (float)i / 8;
        EXPECT(value_of("c.erf", z) == (float)erf(z));
        EXPECT(value_of("c.erff", z) == erff(z));
        EXPECT(value_of("c.atan", z) == (float)atan(z));
        EXPECT(value_of("c.ldexp", z) == z / 8);
        EXPECT(value_of("c.ldexpf", z) == z / 8);
        EXPECT(value_of("c.fmax", z) == (z > 0.25f ? z : 0.25f));
        EXPECT(value_of("c.hypot", z) == (float)hypot(z, 1.5));
        EXPECT(value_of("c.llround", z) == (float)llround(z)); /* halves included, and negative results */
        if (i) EXPECT(value_of("c.ilogbf", z) == (float)ilogbf(z));
    }
    UNREGISTER("c.erf"), UNREGISTER("c.erff"), UNREGISTER("c.atan"), UNREGISTER("c.ldexp"), UNREGISTER("c.ldexpf");
    UNREGISTER("c.fmax"), UNREGISTER("c.hypot"), UNREGISTER("c.llround"), UNREGISTER("c.ilogbf");
}

/* Each argument sets a different digit of the result, so that the result shows that all arrive in order. */
static double digits(float z, double b, int32_t c, int64_t d, uint32_t e, float f, double g, int32_t h, int64_t i, uint32_t j,
                     float k, double l, int32_t m, int64_t n, uint32_t o, double p) {
    double sum = z, place = 10;
    const double rest[] = {b, c, (double)d, e, f, g, h, (double)i, j, k, l, m, (double)n, o, p};
    for (int at = 0; at < 15; at++, place *= 10) sum += rest[at] * place;
    return sum;
}

static int64_t seen[5];
static double see(double z, int32_t i, int64_t l, uint32_t u, float f) {
    seen[0] = i, seen[1] = l, seen[2] = u, seen[3] = (int64_t)(f * 4);
    return z;
}

static void sixteen_parameters_of_all_types_arrive_in_order(void) {
    const double constants[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2, 3, 4, 5, 6};
    EXPECT_OK(bp_activation_register_foreign("digits", (bp_foreign_fn)digits, NULL, "d(f,d,i,l,u,f,d,i,l,u,f,d,i,l,u,d)",
                                             constants, 15));
    EXPECT(value_of("digits", 0.5f) == (float)6543219876543210.5);
    UNREGISTER("digits");
}

static void integers_keep_their_sign_over_the_full_range(void) {
    const double low[] = {-2147483648.0, -9223372036854775808.0, 0, -0.25};
    const double high[] = {2147483647.0, 9223372036854774784.0, 4294967295.0, 0.25};
    EXPECT_OK(bp_activation_register_foreign("see", (bp_foreign_fn)see, NULL, "d(d,i,l,u,f)", low, 4));
    EXPECT(value_of("see", 1) == 1);
    EXPECT(seen[0] == INT32_MIN && seen[1] == INT64_MIN && seen[2] == 0 && seen[3] == -1);
    UNREGISTER("see");
    EXPECT_OK(bp_activation_register_foreign("see", (bp_foreign_fn)see, NULL, "d(d,i,l,u,f)", high, 4));
    EXPECT(value_of("see", 1) == 1);
    EXPECT(seen[0] == INT32_MAX && seen[1] == 9223372036854774784 && seen[2] == UINT32_MAX && seen[3] == 1);
    UNREGISTER("see");
}

static uint32_t unsigned_of(double z) { return (uint32_t)z; }
static float negated(float z, uint32_t scale) { return -z * (float)scale; }

static void results_of_all_types_arrive(void) {
    EXPECT_OK(register_foreign("unsigned", (bp_foreign_fn)unsigned_of, "u(d)"));
    EXPECT(value_of("unsigned", 4294966784.0f) == 4294966784.0f); /* above INT32_MAX: unsigned */
    UNREGISTER("unsigned");
    EXPECT_OK(register_foreign_with("negated", (bp_foreign_fn)negated, "f(f,u)", 3000000000.0));
    EXPECT(value_of("negated", 2) == -6000000000.0f);
    UNREGISTER("negated");
}

static double scaled(double z, double by) { return tanh(by * z); }
static double scaled_slope(double z, double by) { return by / (cosh(by * z) * cosh(by * z)); }
static float cubed(float z) { return z * z * z; }
static float cubed_slope(float z) { return 3 * z * z; }

static void derivatives_are_called_with_z_and_the_constants(void) {
    const double by = 0.5;
    EXPECT_OK(bp_activation_register_foreign("scaled", (bp_foreign_fn)scaled, (bp_foreign_fn)scaled_slope, "d(d,d)", &by, 1));
    EXPECT_OK(bp_activation_register_foreign("cubed", (bp_foreign_fn)cubed, (bp_foreign_fn)cubed_slope, "f(f)", NULL, 0));
    for (int i = -20; i <= 20; i++) {
        float z = (float)i / 4;
        EXPECT_NEAR(slope_of("scaled", z), scaled_slope(z, by), 1e-7);
        EXPECT(slope_of("cubed", z) == 3 * z * z);
    }
    UNREGISTER("scaled"), UNREGISTER("cubed");
}

/* About 4 correct digits, and 9 for functions of doubles, which is more than the precision of float. */
static void omitted_derivatives_are_approximated_as_precisely_as_documented(void) {
    const double by = 0.5;
    EXPECT_OK(register_foreign("tanhf", (bp_foreign_fn)tanhf, "f(f)"));
    EXPECT_OK(register_foreign("tanh.d", (bp_foreign_fn)tanh, "d(d)"));
    EXPECT_OK(bp_activation_register_foreign("scaled", (bp_foreign_fn)scaled, NULL, "d(d,d)", &by, 1));
    for (int i = -50; i <= 50; i++) {
        double z = i / 10.0;
        float slope = (float)(1 / (cosh((double)(float)z) * cosh((double)(float)z)));
        EXPECT_NEAR(slope_of("tanhf", (float)z), slope, 1e-4);
        EXPECT_NEAR(slope_of("tanh.d", (float)z), slope, 2e-7);
        EXPECT_NEAR(slope_of("scaled", (float)z), scaled_slope((double)(float)z, by), 2e-7);
    }
    UNREGISTER("tanhf"), UNREGISTER("tanh.d"), UNREGISTER("scaled");
}

static void foreign_activation_trains_like_the_built_in_one(void) {
    static const int size[] = {4, 9, 5, 2};
    static reference r;
    float x[7 * 4], y[7 * 2];
    bp_network *network;
    check_fill(x, 28, 1);
    check_fill(y, 14, 2);
    EXPECT_OK(register_foreign("tanh.f", (bp_foreign_fn)tanhf, "f(f)"));
    EXPECT_OK(register_foreign("tanh.d", (bp_foreign_fn)tanh, "d(d)"));
    EXPECT_OK(register_foreign_with("tanh.c", (bp_foreign_fn)scaled, "d(d,d)", 1));
    for (int norm = 0; norm < 2; norm++) {
        ref_init(&r, 4, size);
        for (int l = 1; l < 4; l++) r.activation[l] = REF_TANH, r.norm[l] = norm;
        network = mirror(&r, 1, 3);
        EXPECT_OK(bp_network_set_activation(network, 1, "tanh.f"));
        EXPECT_OK(bp_network_set_activation(network, 2, "tanh.d"));
        EXPECT_OK(bp_network_set_activation(network, 3, "tanh.c"));
        EXPECT(mirror_training_agrees(network, &r, x, y, 7, 3, 0.125f, 5e-4));
        bp_network_free(network);
    }
    UNREGISTER("tanh.f"), UNREGISTER("tanh.d"), UNREGISTER("tanh.c");
}

static void count_destroy(void *user_data) { ++*(int *)user_data; }

static void foreign_activation_can_have_a_destroy(void) {
    int destroyed = 0;
    bp_network *network = check_network(unit, 2, 1);
    EXPECT_OK(register_foreign("mortal", (bp_foreign_fn)erf, "d(d)"));
    EXPECT_OK(bp_activation_set_destroy("mortal", &destroyed, count_destroy));
    EXPECT_ERROR(bp_activation_set_destroy("mortal", &destroyed, count_destroy), BP_ERROR_INVALID_VALUE);
    EXPECT_OK(bp_network_set_activation(network, 1, "mortal"));
    UNREGISTER("mortal");
    EXPECT(destroyed == 0);
    bp_network_free(network);
    EXPECT(destroyed == 1);
    EXPECT_ERROR(bp_activation_set_destroy("mortal", &destroyed, count_destroy), BP_ERROR_UNKNOWN_NAME);
    EXPECT_ERROR(bp_activation_set_destroy("tanh", &destroyed, count_destroy), BP_ERROR_UNSUPPORTED);
    EXPECT_ERROR(bp_activation_set_destroy(NULL, &destroyed, count_destroy), BP_ERROR_NULL_ARGUMENT);
    EXPECT_ERROR(bp_activation_set_destroy("mortal", &destroyed, NULL), BP_ERROR_NULL_ARGUMENT);
    EXPECT(destroyed == 1);
}

/* ---- Refused signatures and constants */

static void invalid_signatures_are_refused_with_the_position_of_the_error(void) {
    static const struct {
        const char *signature, *says;
    } bad[] = {
        {"", "character 1: expected the type of the result"},
        {"d", "character 2: expected '(', found the end"},
        {"d(", "character 3: expected the type of z, f or d, found the end"},
        {"d()", "character 3: expected the type of z"},
        {"x(d)", "character 1: expected the type of the result, one of f, d, i, l, u, found 'x'"},
        {"d(d", "character 4: expected ',' or ')', found the end"},
        {"d(d,", "character 5: expected the type of a constant"},
        {"d(d,)", "character 5: expected the type of a constant, one of f, d, i, l, u, found ')'"},
        {"d(d,x)", "character 5: expected the type of a constant, one of f, d, i, l, u, found 'x'"},
        {"d(i)", "character 3: expected the type of z, f or d, found 'i'"},
        {"d(d))", "character 5: expected the end, found ')'"},
        {"d(d)d", "character 5: expected the end"},
        {"d (d)", "character 2: expected '(', found ' '"},
        {"d(d;i)", "character 4: expected ',' or ')', found ';'"},
        {"D(d)", "character 1"},
        {"(d)", "character 1"},
        {"d(d,,i)", "character 5"},
        {"dd(d)", "character 2"},
        {"d(d)\n", "character 5"},
        {"d(\xC3\xA9)", "character 3: expected the type of z, f or d, found a character that is not ASCII"},
        {"d(d,d,d,d,d,d,d,d,d,d,d,d,d,d,d,d,d)", "character 35: expected the end: a function has at most 16"},
    };
    static char endless[100000];
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        EXPECT_ERROR(register_foreign("bad.signature", (bp_foreign_fn)erf, bad[i].signature), BP_ERROR_INVALID_VALUE);
        if (!EXPECT(strstr(bp_last_error_message(), bad[i].says))) printf("#   %s\n", bp_last_error_message());
    }
    memset(endless, 'd', sizeof endless - 1);
    EXPECT_ERROR(register_foreign("bad.signature", (bp_foreign_fn)erf, endless), BP_ERROR_INVALID_VALUE);
    memset(endless, ',', sizeof endless - 1), memcpy(endless, "d(d", 3);
    EXPECT_ERROR(register_foreign("bad.signature", (bp_foreign_fn)erf, endless), BP_ERROR_INVALID_VALUE);
    EXPECT_ERROR(bp_activation_unregister("bad.signature"), BP_ERROR_UNKNOWN_NAME);
}

static void constants_that_do_not_fit_are_refused(void) {
    static const struct {
        const char *signature;
        double constant;
    } bad[] = {{"d(d,d)", NAN},           {"d(d,d)", INFINITY}, {"d(d,d)", -INFINITY}, {"d(d,f)", NAN},
               {"d(d,f)", 1e39},          {"d(d,f)", -1e39},    {"d(d,i)", 0.5},       {"d(d,i)", 2147483648.0},
               {"d(d,i)", -2147483649.0}, {"d(d,i)", NAN},      {"d(d,i)", INFINITY},  {"d(d,l)", 9223372036854775808.0},
               {"d(d,l)", -1e19},         {"d(d,l)", 1e-9},     {"d(d,l)", NAN},       {"d(d,u)", -1},
               {"d(d,u)", 4294967296.0},  {"d(d,u)", 1.5},      {"d(d,u)", NAN},       {"d(d,u)", -INFINITY}};
    const double two[] = {1, 2};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        EXPECT_ERROR(register_foreign_with("bad.constant", (bp_foreign_fn)ldexp, bad[i].signature, bad[i].constant),
                     BP_ERROR_INVALID_VALUE);
        EXPECT_MESSAGE("constant 1");
    }
    EXPECT_ERROR(register_foreign("bad.constant", (bp_foreign_fn)ldexp, "d(d,i)"), BP_ERROR_INVALID_VALUE);
    EXPECT_MESSAGE("1 constant after z, not 0");
    EXPECT_ERROR(bp_activation_register_foreign("bad.constant", (bp_foreign_fn)ldexp, NULL, "d(d,i)", two, 2),
                 BP_ERROR_INVALID_VALUE);
    EXPECT_ERROR(register_foreign_with("bad.constant", (bp_foreign_fn)erf, "d(d)", 1), BP_ERROR_INVALID_VALUE);
    EXPECT_ERROR(bp_activation_register_foreign("bad.constant", (bp_foreign_fn)ldexp, NULL, "d(d,i)", NULL, 1),
                 BP_ERROR_NULL_ARGUMENT);
    EXPECT_MESSAGE("constants");
    EXPECT_ERROR(bp_activation_register_foreign("bad.constant", (bp_foreign_fn)ldexp, NULL, "d(d,i)", two, SIZE_MAX),
                 BP_ERROR_INVALID_VALUE);
    EXPECT_ERROR(bp_activation_register_foreign("bad.constant", (bp_foreign_fn)ldexp, NULL, "d(d,i)", two, SIZE_MAX / 2),
                 BP_ERROR_INVALID_VALUE);
    EXPECT_ERROR(bp_activation_unregister("bad.constant"), BP_ERROR_UNKNOWN_NAME);
}

static void null_arguments_and_bad_names_are_refused(void) {
    EXPECT_ERROR(register_foreign(NULL, (bp_foreign_fn)erf, "d(d)"), BP_ERROR_NULL_ARGUMENT);
    EXPECT_ERROR(register_foreign("nothing", NULL, "d(d)"), BP_ERROR_NULL_ARGUMENT);
    EXPECT_ERROR(register_foreign("nothing", (bp_foreign_fn)erf, NULL), BP_ERROR_NULL_ARGUMENT);
    EXPECT_ERROR(register_foreign("No", (bp_foreign_fn)erf, "d(d)"), BP_ERROR_INVALID_VALUE);
    EXPECT_ERROR(register_foreign("tanh", (bp_foreign_fn)erf, "d(d)"), BP_ERROR_INVALID_VALUE);
    EXPECT_ERROR(bp_activation_register_library(NULL, NULL, "erf", NULL, "d(d)", NULL, 0), BP_ERROR_NULL_ARGUMENT);
    EXPECT_ERROR(bp_activation_register_library("nothing", NULL, NULL, NULL, "d(d)", NULL, 0), BP_ERROR_NULL_ARGUMENT);
    EXPECT_ERROR(bp_activation_register_library("nothing", NULL, "erf", NULL, NULL, NULL, 0), BP_ERROR_NULL_ARGUMENT);
    EXPECT_ERROR(bp_activation_register_library("nothing", NULL, "erf", NULL, "d(q)", NULL, 0), BP_ERROR_INVALID_VALUE);
    EXPECT_ERROR(bp_activation_register_library("nothing", "", "erf", NULL, "d(d)", NULL, 0), BP_ERROR_INVALID_VALUE);
    EXPECT_ERROR(bp_activation_unregister("nothing"), BP_ERROR_UNKNOWN_NAME);
}

/* ---- Shared libraries */

static void library_functions_can_be_registered_by_name(void) {
    const double exponent = 2;
    EXPECT_OK(bp_activation_register_library("lib.erf", "libm.so.6", "erf", NULL, "d(d)", NULL, 0));
    EXPECT_OK(bp_activation_register_library("lib.ldexp", "libm.so.6", "ldexp", NULL, "d(d,i)", &exponent, 1));
    EXPECT_OK(bp_activation_register_library("lib.sin", "libm.so.6", "sinf", "cosf", "f(f)", NULL, 0));
    EXPECT_OK(bp_activation_register_library("own.atan", NULL, "atan", NULL, "d(d)", NULL, 0)); /* NULL: the process */
    for (int i = -8; i <= 8; i++) {
        float z = (float)i / 2;
        EXPECT(value_of("lib.erf", z) == (float)erf(z));
        EXPECT(value_of("lib.ldexp", z) == 4 * z);
        EXPECT(value_of("lib.sin", z) == sinf(z));
        EXPECT_NEAR(slope_of("lib.sin", z), cosf(z), 1e-6);
        EXPECT(value_of("own.atan", z) == (float)atan(z));
    }
    UNREGISTER("lib.erf"), UNREGISTER("lib.ldexp"), UNREGISTER("lib.sin"), UNREGISTER("own.atan");
}

static void missing_libraries_and_functions_are_reported(void) {
    FILE *file = fopen("no_library.so", "w");
    if (file) fputs("this is text\n", file), fclose(file);
    EXPECT_ERROR(bp_activation_register_library("none", "./nowhere.so", "f", NULL, "d(d)", NULL, 0), BP_ERROR_LIBRARY);
    EXPECT_MESSAGE("nowhere.so");
    EXPECT_ERROR(bp_activation_register_library("none", "./no_library.so", "f", NULL, "d(d)", NULL, 0), BP_ERROR_LIBRARY);
    EXPECT_MESSAGE("no_library.so");
    EXPECT_ERROR(bp_activation_register_library("none", ".", "f", NULL, "d(d)", NULL, 0), BP_ERROR_LIBRARY);
    EXPECT_ERROR(bp_activation_register_library("none", "libm.so.6", "no_such_function", NULL, "d(d)", NULL, 0),
                 BP_ERROR_LIBRARY);
    EXPECT_MESSAGE("libm.so.6 has no function \"no_such_function\"");
    EXPECT_ERROR(bp_activation_register_library("none", "libm.so.6", "", NULL, "d(d)", NULL, 0), BP_ERROR_LIBRARY);
    EXPECT_ERROR(bp_activation_register_library("none", "libm.so.6", "erf", "no_slope", "d(d)", NULL, 0), BP_ERROR_LIBRARY);
    EXPECT_MESSAGE("no_slope");
    EXPECT_ERROR(bp_activation_register_library("none", NULL, "no_such_function", NULL, "d(d)", NULL, 0), BP_ERROR_LIBRARY);
    EXPECT_MESSAGE("the process");
    /* The name of a variable: calling it would end the process. */
    EXPECT_ERROR(bp_activation_register_library("none", "libc.so.6", "environ", NULL, "d(d)", NULL, 0), BP_ERROR_LIBRARY);
    EXPECT_ERROR(bp_activation_unregister("none"), BP_ERROR_UNKNOWN_NAME);
}

int main(void) {
    CLAIM(functions_of_the_c_library_can_be_registered_directly);
    CLAIM(sixteen_parameters_of_all_types_arrive_in_order);
    CLAIM(integers_keep_their_sign_over_the_full_range);
    CLAIM(results_of_all_types_arrive);
    CLAIM(derivatives_are_called_with_z_and_the_constants);
    CLAIM(omitted_derivatives_are_approximated_as_precisely_as_documented);
    CLAIM(foreign_activation_trains_like_the_built_in_one);
    CLAIM(foreign_activation_can_have_a_destroy);
    CLAIM(invalid_signatures_are_refused_with_the_position_of_the_error);
    CLAIM(constants_that_do_not_fit_are_refused);
    CLAIM(null_arguments_and_bad_names_are_refused);
    CLAIM(library_functions_can_be_registered_by_name);
    CLAIM(missing_libraries_and_functions_are_reported);
    return check_end();
}
