/* The built-in activations and their derivatives, without cancellation where they are small. Included for double and for
 * long double: REAL is the type, M(exp) the C library's function for it. e is exp(-|z|), which never overflows. */

#define HALF_ROOT M(sqrt)((REAL)0.5)
#define SELU_SCALE ((REAL)1.0507009873554804934193349852946L)
#define SELU_ALPHA ((REAL)1.6732632423543772848170429916717L)
#define ROOT_OF_TWO_PI M(sqrt)((REAL)6.283185307179586476925286766559L)

static inline REAL M(decay)(REAL z) { return M(exp)(-M(fabs)(z)); }
/* 1 / (1 + exp(-z)) */
static inline REAL M(sigma)(REAL z) { return (z > 0 ? 1 : M(decay)(z)) / (1 + M(decay)(z)); }

static inline REAL M(identity)(REAL z) { return z; }
static inline REAL M(identity_slope)(REAL z) { return 1 + 0 * z; }

static inline REAL M(sign)(REAL z) { return (REAL)((z > 0) - (z < 0)); }
static inline REAL M(sign_slope)(REAL z) { return 1 + 0 * z; } /* as in the perceptron algorithm */

static inline REAL M(logistic)(REAL z) { return M(sigma)(z); }
static inline REAL M(logistic_slope)(REAL z) { return M(decay)(z) / ((1 + M(decay)(z)) * (1 + M(decay)(z))); }

static inline REAL M(hyperbolic)(REAL z) { return M(tanh)(z); }
static inline REAL M(hyperbolic_slope)(REAL z) {
    REAL e = M(decay)(z);
    return 4 * e * e / ((1 + e * e) * (1 + e * e));
}

static inline REAL M(relu)(REAL z) { return z > 0 ? z : 0; }
static inline REAL M(relu_slope)(REAL z) { return z > 0 ? 1 : 0; }

static inline REAL M(leaky_relu)(REAL z) { return (z > 0 ? 1 : (REAL)0.01L) * z; }
static inline REAL M(leaky_relu_slope)(REAL z) { return z > 0 ? 1 : (REAL)0.01L; }

static inline REAL M(elu)(REAL z) { return z > 0 ? z : M(expm1)(-M(fabs)(z)); }
static inline REAL M(elu_slope)(REAL z) { return z > 0 ? 1 : M(decay)(z); }

static inline REAL M(softplus)(REAL z) { return (z > 0 ? z : 0) + M(log1p)(M(decay)(z)); }
static inline REAL M(softplus_slope)(REAL z) { return M(sigma)(z); }

static inline REAL M(softsign)(REAL z) { return z / (1 + M(fabs)(z)); }
static inline REAL M(softsign_slope)(REAL z) { return 1 / ((1 + M(fabs)(z)) * (1 + M(fabs)(z))); }

static inline REAL M(silu)(REAL z) { return z * M(sigma)(z); }
static inline REAL M(silu_slope)(REAL z) { return M(sigma)(z) * (1 + z * M(sigma)(-z)); }

static inline REAL M(gelu)(REAL z) { return z / 2 * M(erfc)(-z * HALF_ROOT); }
static inline REAL M(gelu_slope)(REAL z) { return M(erfc)(-z * HALF_ROOT) / 2 + z * M(exp)(-z * z / 2) / ROOT_OF_TWO_PI; }

static inline REAL M(selu)(REAL z) { return SELU_SCALE * (z > 0 ? z : SELU_ALPHA * M(expm1)(-M(fabs)(z))); }
static inline REAL M(selu_slope)(REAL z) { return SELU_SCALE * (z > 0 ? 1 : SELU_ALPHA * M(decay)(z)); }

/* z t with t = tanh(softplus(z)) = n / d, and 1 - t^2 = 4 (1 + e)^2 m / d^2. */
static inline REAL M(mish)(REAL z) {
    REAL e = M(decay)(z), n = z > 0 ? 1 + 2 * e : e * (e + 2), d = z > 0 ? n + 2 * e * e : n + 2;
    return z * n / d;
}
static inline REAL M(mish_slope)(REAL z) {
    REAL e = M(decay)(z), n = z > 0 ? 1 + 2 * e : e * (e + 2), d = z > 0 ? n + 2 * e * e : n + 2;
    return n / d + z * (4 * (1 + e) * (z > 0 ? e * e : e)) / (d * d);
}

static inline REAL M(hard_sigmoid)(REAL z) { return (z > 3 ? 6 : z > -3 ? z + 3 : 0) / 6; }
static inline REAL M(hard_sigmoid_slope)(REAL z) { return z > -3 && z <= 3 ? 1 / (REAL)6 : 0; }

static inline REAL M(hard_swish)(REAL z) { return z * M(hard_sigmoid)(z); }
static inline REAL M(hard_swish_slope)(REAL z) { return z > 3 ? 1 : z > -3 ? (2 * z + 3) / 6 : 0; }

static inline REAL M(relu6)(REAL z) { return z > 6 ? 6 : z > 0 ? z : 0; }
static inline REAL M(relu6_slope)(REAL z) { return z > 0 && z <= 6 ? 1 : 0; }

static inline REAL M(sine)(REAL z) { return M(sin)(z); }
static inline REAL M(sine_slope)(REAL z) { return M(cos)(z); }

static inline REAL M(gaussian)(REAL z) { return M(exp)(-z * z); }
static inline REAL M(gaussian_slope)(REAL z) { return -2 * z * M(exp)(-z * z); }

#undef HALF_ROOT
#undef SELU_SCALE
#undef SELU_ALPHA
#undef ROOT_OF_TWO_PI
