/* reference.c: checks reference.h without the library: gradients equal differences of losses. A difference that the other
 * programs find is therefore an error of the library. */
#include "reference.h"

#include "check.h"

enum { PARAMETERS = 400 };

/* The largest difference between the gradient and central differences, relative to the largest component. */
static double worst_difference(reference *r, const float *x, const float *y, int rows) {
    static reference g, moved;
    static double flat[PARAMETERS], start[PARAMETERS], gradient_scale;
    const double h = 1e-5;
    double worst = 0;
    size_t count;
    moved = *r; /* the gradient updates running statistics */
    ref_gradient(&moved, x, y, rows, 0.1, &g);
    count = ref_get(&g, flat);
    ref_get(r, start);
    gradient_scale = 1e-3;
    for (size_t i = 0; i < count; i++) gradient_scale = fmax(gradient_scale, fabs(flat[i]));
    for (size_t i = 0; i < count; i++) {
        double loss[2];
        for (int side = 0; side < 2; side++) {
            double direction[PARAMETERS] = {0};
            ref_step_data data = {direction, 1};
            direction[i] = side ? -h : h; /* a step of rate 1 against it */
            moved = *r;
            ref_each(&moved, ref_visit_step, &data);
            loss[side] = ref_gradient(&moved, x, y, rows, 0.1, &g);
        }
        worst = fmax(worst, fabs((loss[1] - loss[0]) / (2 * h) - flat[i]) / gradient_scale);
    }
    return worst;
}

static void random_network(reference *r, int activation, int loss, int norm, uint32_t seed) {
    static const int size[] = {3, 5, 4, 3};
    float flat[PARAMETERS];
    ref_init(r, 4, size);
    r->activation[1] = r->activation[2] = activation;
    r->activation[3] = loss == REF_SQUARED_ERROR ? activation : loss == REF_CROSS_ENTROPY ? REF_SOFTMAX : REF_LOGISTIC;
    r->loss = loss;
    for (int l = 1; l < 4; l++) r->norm[l] = norm;
    check_fill(flat, PARAMETERS, seed);
    ref_set(r, flat);
}

static void gradients_equal_differences_of_losses(void) {
    static reference r;
    float x[7 * 3], y[7 * 3];
    check_fill(x, 21, 5);
    check_fill(y, 21, 6);
    for (int i = 0; i < 21; i++) y[i] = y[i] * y[i]; /* in [0, 1] */
    for (int loss = 0; loss < REF_LOSSES; loss++)
        for (int activation = 0; activation < REF_ACTIVATIONS; activation++)
            for (int norm = 0; norm < 2; norm++)
                for (int mean = 0; mean < 2; mean++)
                    for (int rows = 1; rows <= 7; rows += 3) {
                        if (activation == REF_SIGN) continue; /* its derivative is 1 by definition only */
                        random_network(&r, activation, loss, norm, (uint32_t)(7 + activation));
                        r.mean_reduction = mean;
                        if (!EXPECT_NEAR(worst_difference(&r, x, y, rows), 0, 1e-6))
                            printf("#   %s, %s, norm %d, mean %d, %d rows\n", ref_activation_names[activation],
                                   ref_loss_names[loss], norm, mean, rows);
                    }
}

/* Checks that the comparison above detects a wrong gradient. */
static void differences_detect_a_wrong_gradient(void) {
    static reference r;
    float x[12], y[12];
    check_fill(x, 12, 5);
    check_fill(y, 12, 6);
    random_network(&r, REF_SIGN, REF_SQUARED_ERROR, 0, 1);
    EXPECT(worst_difference(&r, x, y, 4) > 0.5); /* 1 is not the slope of sign */
    random_network(&r, REF_TANH, REF_SQUARED_ERROR, 1, 1);
    r.gamma_first = 1; /* a gradient through another gamma */
    EXPECT(worst_difference(&r, x, y, 4) > 1e-3);
}

int main(void) {
    CLAIM(gradients_equal_differences_of_losses);
    CLAIM(differences_detect_a_wrong_gradient);
    return check_end();
}
