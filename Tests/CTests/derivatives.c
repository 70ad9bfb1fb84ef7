/* derivatives.c: bp_activation_check distinguishes right derivatives from wrong ones. */
#include "check.h"
#include "reference.h"

static double checked(const char *name) {
    double worst = NAN;
    EXPECT_OK(bp_activation_check(name, &worst, NULL));
    return worst;
}

static bp_activation_report examined(const char *name) {
    bp_activation_report report = {sizeof report, 0, 0, 0, 0, 0, 0};
    double worst = NAN;
    EXPECT_OK(bp_activation_check(name, &worst, &report));
    EXPECT(report.worst_error == worst);
    return report;
}

static double checked_scalar(bp_scalar_fn function, bp_scalar_derivative_fn derivative) {
    double worst;
    EXPECT_OK(bp_activation_register_scalar("checked", function, derivative, NULL, NULL));
    worst = checked("checked");
    EXPECT_OK(bp_activation_unregister("checked"));
    return worst;
}

static bp_activation_report examined_scalar(bp_scalar_fn function, bp_scalar_derivative_fn derivative) {
    bp_activation_report report;
    EXPECT_OK(bp_activation_register_scalar("checked", function, derivative, NULL, NULL));
    report = examined("checked");
    EXPECT_OK(bp_activation_unregister("checked"));
    return report;
}

#define FUNCTION(name, formula)                   \
    static float name(float z, void *user_data) { \
        (void)z, (void)user_data;                 \
        return (float)(formula);                  \
    }
#define SLOPE(name, formula)                               \
    static float name(float z, float a, void *user_data) { \
        (void)z, (void)a, (void)user_data;                 \
        return (float)(formula);                           \
    }

FUNCTION(tanh_of, tanh(z))
SLOPE(tanh_slope, 1 - a * a)
FUNCTION(sine, sin(z))
SLOPE(sine_slope, cos(z))
FUNCTION(fast_sine, sin(30 * (double)z))
SLOPE(fast_sine_slope, 30 * cos(30 * (double)z))
FUNCTION(power, exp(z))
SLOPE(power_slope, a)
FUNCTION(square, z *z)
SLOPE(square_slope, 2 * z)
FUNCTION(large, 1e6 * z + 1)
SLOPE(large_slope, 1e6)
FUNCTION(tiny, 1e-6 * tanh(z))
SLOPE(tiny_slope, 1e-6 * (1 - tanh(z) * tanh(z)))
FUNCTION(constant, 3)
SLOPE(zero_slope, 0)
FUNCTION(logarithm, log(z))
SLOPE(logarithm_slope, 1 / z)
FUNCTION(bell, exp(-z *z))
SLOPE(bell_slope, -2 * z * a)

static void right_derivatives_have_small_errors(void) {
    EXPECT(checked_scalar(tanh_of, tanh_slope) < 1e-4);
    EXPECT(checked_scalar(sine, sine_slope) < 1e-4);
    EXPECT(checked_scalar(fast_sine, fast_sine_slope) < 1e-2);
    EXPECT(checked_scalar(power, power_slope) < 1e-4);
    EXPECT(checked_scalar(square, square_slope) < 1e-4);
    EXPECT(checked_scalar(large, large_slope) < 1e-4);
    EXPECT(checked_scalar(tiny, tiny_slope) < 1e-4);
    EXPECT(checked_scalar(constant, zero_slope) == 0);
    EXPECT(checked_scalar(logarithm, logarithm_slope) < 1e-2);
    EXPECT(checked_scalar(bell, bell_slope) < 1e-2);
    EXPECT(checked_scalar(tanh_of, NULL) < 1e-2);
    EXPECT(checked_scalar(power, NULL) < 1e-2);
}

SLOPE(tanh_wrong, 1 - a)
SLOPE(tanh_sign, a *a - 1)
SLOPE(tanh_percent, 1.02 * (1 - a * a))
SLOPE(tanh_at_large_z, z > 7 ? 1e-3 : 1 - a * a)
SLOPE(tanh_near_zero, z > 0 && z < 1e-4f ? 0.5 : 1 - a * a)
SLOPE(tanh_at_zero, z == 0 ? 0.9 : 1 - a * a)
SLOPE(square_wrong, z)
SLOPE(tiny_wrong, 2e-6 * (1 - tanh(z) * tanh(z)))
SLOPE(not_a_number, NAN)
FUNCTION(not_a_number_at_all, NAN)
SLOPE(nan_at_three, z == 3 ? NAN : 1 - a * a)
SLOPE(one_slope, 1)

static void wrong_derivatives_have_large_errors(void) {
    bp_activation_report report;
    EXPECT(checked_scalar(tanh_of, tanh_wrong) > 0.1);
    EXPECT(checked_scalar(tanh_of, tanh_sign) > 0.9);
    EXPECT(checked_scalar(tanh_of, zero_slope) > 0.9);
    EXPECT(checked_scalar(tanh_of, tanh_percent) > 0.015);
    EXPECT(checked_scalar(square, square_wrong) > 0.4);
    EXPECT(checked_scalar(tiny, tiny_wrong) > 0.4);
    EXPECT(checked_scalar(constant, one_slope) > 0.9);
    EXPECT(isinf(checked_scalar(tanh_of, not_a_number)));
    EXPECT(isinf(checked_scalar(tanh_of, nan_at_three)));
    report = examined_scalar(tanh_of, tanh_at_large_z);
    EXPECT(report.worst_error > 0.9 && report.worst_z > 7);
    report = examined_scalar(tanh_of, tanh_near_zero);
    EXPECT(report.worst_error > 0.4 && report.worst_z > 0 && report.worst_z < 1e-4);
    report = examined_scalar(tanh_of, tanh_at_zero);
    EXPECT(report.worst_error > 0.05 && report.worst_z == 0);
    EXPECT(report.kinks == 0 && isnan(report.first_kink));
    EXPECT(report.points > 150 && report.skipped == 0);
}

static void built_in_derivatives_are_right(void) {
    double worst = 99;
    for (int i = 0; i < REF_ACTIVATIONS; i++) {
        if (strcmp(ref_activation_names[i], "sign") == 0) continue;
        worst = checked(ref_activation_names[i]);
        if (!EXPECT(worst < 1e-2)) printf("#   %s: %g\n", ref_activation_names[i], worst);
    }
    EXPECT_ERROR(bp_activation_check("sign", &worst, NULL), BP_ERROR_UNSUPPORTED);
    EXPECT(worst == 0);
    EXPECT(examined("relu").kinks > 0 && examined("relu").first_kink == 0);
    EXPECT(examined("tanh").kinks == 0);
}

/* ---- Kinks and jumps */

FUNCTION(absolute, fabsf(z))
SLOPE(absolute_slope, z > 0 ? 1 : z < 0 ? -1 : 0)
SLOPE(absolute_left, z > 0 ? 1 : -1)
SLOPE(absolute_wrong_at_zero, z > 0 ? 1 : z < 0 ? -1 : 5)
FUNCTION(clipped, z > 6 ? 6 : z < 0 ? 0 : z)
SLOPE(clipped_slope, z > 6 || z < 0 ? 0 : 1)
FUNCTION(step, z > 0 ? 1 : 0)
SLOPE(straight_through, z == 0)
FUNCTION(bent, z > 0.7f ? 3 * (z - 0.7f) : z - 0.7f)
SLOPE(bent_slope, z > 0.7f ? 3 : 1)

static void kinks_are_counted_and_either_side_is_right(void) {
    bp_activation_report report = examined_scalar(absolute, absolute_slope);
    EXPECT(report.kinks > 0 && report.first_kink == 0 && report.worst_error < 1e-3);
    EXPECT(checked_scalar(absolute, absolute_left) < 1e-3);
    report = examined_scalar(absolute, absolute_wrong_at_zero);
    EXPECT(report.worst_error > 0.5 && report.worst_z == 0);
    report = examined_scalar(clipped, clipped_slope);
    EXPECT(report.kinks >= 2 && report.worst_error < 1e-3);
    EXPECT(checked_scalar(bent, bent_slope) < 1e-2);  /* a kink between the tested points */
    report = examined_scalar(step, straight_through); /* a jump: any derivative is accepted at it, and only 0 around it */
    EXPECT(report.kinks > 0 && report.worst_error < 1e-3);
}

static void points_where_f_is_not_finite_are_skipped(void) {
    double worst = 99;
    bp_activation_report report = examined_scalar(logarithm, logarithm_slope);
    EXPECT(report.skipped > 80 && report.points > 80);
    EXPECT(report.worst_z > 0);
    report = examined_scalar(power, power_slope); /* overflows */
    EXPECT(report.skipped > 0 && report.points > 150);
    EXPECT_OK(bp_activation_register_scalar("nowhere", not_a_number_at_all, NULL, NULL, NULL));
    EXPECT_ERROR(bp_activation_check("nowhere", &worst, NULL), BP_ERROR_NOT_FINITE);
    EXPECT(worst == 0);
    EXPECT_OK(bp_activation_unregister("nowhere"));
}

/* ---- Functions on matrices */

static int32_t fail_forward, fail_backward;
static int wrong;

/* a = z / (1 + sum of z^2 over the row): every column depends on all. */
static int32_t couple(const float *z, float *a, size_t rows, size_t columns, void *user_data) {
    (void)user_data;
    for (size_t r = 0; r < rows; r++, z += columns, a += columns) {
        double sum = 1;
        for (size_t c = 0; c < columns; c++) sum += (double)z[c] * z[c];
        for (size_t c = 0; c < columns; c++) a[c] = (float)(z[c] / sum);
    }
    return fail_forward;
}

/* dz_j = da_j / s - 2 z_j (sum of a da) / s. `wrong` omits the second term, the coupling of the columns. */
static int32_t couple_back(const float *z, const float *a, const float *da, float *dz, size_t rows, size_t columns,
                           void *user_data) {
    (void)user_data;
    for (size_t r = 0; r < rows; r++, z += columns, a += columns, da += columns, dz += columns) {
        double sum = 1, along = 0;
        for (size_t c = 0; c < columns; c++) sum += (double)z[c] * z[c], along += (double)a[c] * da[c];
        for (size_t c = 0; c < columns; c++) dz[c] = (float)((da[c] - (wrong ? 0 : 2 * z[c] * along)) / sum);
    }
    return fail_backward;
}

static void matrix_functions_are_checked_with_coupled_columns(void) {
    double worst = 99;
    EXPECT_OK(bp_activation_register_vector("couple", couple, couple_back, NULL, NULL));
    EXPECT(checked("couple") < 1e-2);
    wrong = 1;
    EXPECT(checked("couple") > 0.1);
    wrong = 0;
    fail_forward = 77;
    EXPECT_ERROR(bp_activation_check("couple", &worst, NULL), BP_ERROR_CALLBACK);
    EXPECT_MESSAGE("77");
    fail_forward = 0, fail_backward = -78;
    EXPECT_ERROR(bp_activation_check("couple", &worst, NULL), BP_ERROR_CALLBACK);
    EXPECT_MESSAGE("-78");
    fail_backward = 0;
    EXPECT_OK(bp_activation_unregister("couple"));
}

static void foreign_derivatives_are_checked(void) {
    EXPECT_OK(bp_activation_register_foreign("sin", (bp_foreign_fn)sin, (bp_foreign_fn)cos, "d(d)", NULL, 0));
    EXPECT(checked("sin") < 1e-4);
    EXPECT_OK(bp_activation_unregister("sin"));
    EXPECT_OK(bp_activation_register_library("cos", "libm.so.6", "cos", "sin", "d(d)", NULL, 0)); /* -sin is right */
    EXPECT(checked("cos") > 0.9);
    EXPECT_OK(bp_activation_unregister("cos"));
}

/* ---- Arguments, and calls from the callbacks */

static void bad_arguments_are_refused(void) {
    double worst = 99;
    bp_activation_report report = {sizeof report, 0, 0, 0, 0, 0, 0};
    EXPECT_ERROR(bp_activation_check("no.such", &worst, NULL), BP_ERROR_UNKNOWN_NAME);
    EXPECT(worst == 0);
    EXPECT_ERROR(bp_activation_check(NULL, &worst, NULL), BP_ERROR_NULL_ARGUMENT);
    EXPECT_ERROR(bp_activation_check("tanh", NULL, NULL), BP_ERROR_NULL_ARGUMENT);
    EXPECT_ERROR(bp_activation_check("tanh", NULL, &report), BP_ERROR_NULL_ARGUMENT);
    EXPECT_ERROR(bp_activation_check(NULL, &worst, &report), BP_ERROR_NULL_ARGUMENT);
}

static void too_short_report_is_refused_and_a_longer_one_is_written_only_in_its_known_part(void) {
    struct {
        bp_activation_report known;
        uint64_t later;
    } longer;
    bp_activation_report *report = &longer.known;
    double worst = 99;
    for (uint32_t size = 0; size < sizeof *report; size++) {
        memset(&longer, 0x5A, sizeof longer);
        report->struct_size = size;
        EXPECT_ERROR(bp_activation_check("tanh", &worst, report), BP_ERROR_INVALID_VALUE);
        EXPECT_MESSAGE("sizeof(*report_out)");
        EXPECT(worst == 0 && report->struct_size == size && report->points == 0x5A5A5A5A);
    }
    report->struct_size = sizeof longer; /* a newer caller */
    EXPECT_OK(bp_activation_check("tanh", &worst, report));
    EXPECT(report->struct_size == sizeof *report && report->points > 100 && report->worst_error == worst);
    EXPECT(longer.later == 0x5A5A5A5A5A5A5A5A);
    report->struct_size = sizeof longer;
    EXPECT_ERROR(bp_activation_check("no.such", &worst, report), BP_ERROR_UNKNOWN_NAME);
    EXPECT(worst == 0 && report->points == 0 && report->worst_error == 0 && report->first_kink == 0);
    EXPECT(longer.later == 0x5A5A5A5A5A5A5A5A);
}

static int destroyed;
static void destroy(void *user_data) { (void)user_data, destroyed++; }
static float leaving(float z, void *user_data) {
    (void)user_data;
    (void)bp_activation_unregister("leaving");
    return destroyed ? NAN : z;
}

static void activation_unregistered_during_its_check_is_kept_until_the_check_ends(void) {
    double worst = 99;
    EXPECT_OK(bp_activation_register_scalar("leaving", leaving, one_slope, NULL, destroy));
    EXPECT_OK(bp_activation_check("leaving", &worst, NULL));
    EXPECT(worst < 1e-3);
    EXPECT(destroyed == 1);
}

int main(void) {
    CLAIM(right_derivatives_have_small_errors);
    CLAIM(wrong_derivatives_have_large_errors);
    CLAIM(built_in_derivatives_are_right);
    CLAIM(kinks_are_counted_and_either_side_is_right);
    CLAIM(points_where_f_is_not_finite_are_skipped);
    CLAIM(matrix_functions_are_checked_with_coupled_columns);
    CLAIM(foreign_derivatives_are_checked);
    CLAIM(bad_arguments_are_refused);
    CLAIM(too_short_report_is_refused_and_a_longer_one_is_written_only_in_its_known_part);
    CLAIM(activation_unregistered_during_its_check_is_kept_until_the_check_ends);
    return check_end();
}
