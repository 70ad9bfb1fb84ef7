// RLtools as a worker of bench.py: sizes are known to the compiler, so only the small networks of the Adam workloads are here.
// With -DRL_TOOLS_BACKEND_ENABLE_OPENBLAS, OpenBLAS computes its matrix products.
#include <rl_tools/operations/cpu_mux.h>
#include <rl_tools/nn/optimizers/adam/instance/operations_generic.h>
#include <rl_tools/nn/operations_cpu_mux.h>
#include <rl_tools/nn_models/sequential/operations_generic.h>
#include <rl_tools/nn/optimizers/adam/operations_generic.h>
#include <cmath>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "worker.h"

namespace rlt = rl_tools;
using DEVICE = rlt::devices::DEVICE_FACTORY<>;
using T = float;
using TI = DEVICE::index_t;
using RNG = DEVICE::SPEC::RANDOM::ENGINE<>;
using POLICY = rlt::numeric_types::Policy<T>;
using FUNCTION = rlt::nn::activation_functions::ActivationFunction;

template <TI N, FUNCTION F>
using DENSE = rlt::nn::layers::dense::BindConfiguration<rlt::nn::layers::dense::Configuration<POLICY, TI, N, F>>;
template <typename C, typename N = rlt::nn_models::sequential::OutputModule>
using MODULE = rlt::nn_models::sequential::Module<C, N>;
template <FUNCTION F, TI N, TI... REST> struct Chain {
    using type = MODULE<DENSE<N, F>, typename Chain<F, REST...>::type>;
};
template <FUNCTION F, TI N> struct Chain<F, N> {
    using type = MODULE<DENSE<N, FUNCTION::IDENTITY>>;
};
using ADAM = rlt::nn::optimizers::Adam<
    rlt::nn::optimizers::adam::Specification<POLICY, TI, rlt::nn::optimizers::adam::DEFAULT_PARAMETERS_PYTORCH<POLICY>>>;

struct Net {
    virtual void epoch(const job *j) = 0;
    virtual void outputs(const job *j, const float *x, int n, float *out) = 0;
    virtual ~Net() {}
};

template <TI BATCH, FUNCTION F, TI INPUTS, TI... SIZES> struct Sized : Net {
    static constexpr TI OUTPUTS = (SIZES, ...);
    using INPUT_SHAPE = rlt::tensor::Shape<TI, 1, BATCH, INPUTS>;
    using OUTPUT_SHAPE = rlt::tensor::Shape<TI, 1, BATCH, OUTPUTS>;
    using MODEL = rlt::nn_models::sequential::Build<rlt::nn::capability::Gradient<rlt::nn::parameters::Adam>,
                                                    typename Chain<F, SIZES...>::type, INPUT_SHAPE>;
    DEVICE device;
    RNG rng;
    MODEL model;
    typename MODEL::template Buffer<> buffer;
    ADAM optimizer;
    rlt::Tensor<rlt::tensor::Specification<T, TI, INPUT_SHAPE>> x;
    rlt::Tensor<rlt::tensor::Specification<T, TI, OUTPUT_SHAPE>> d;
    rlt::Mode<rlt::mode::Default<>> mode;

    template <typename M> void load(M &module, const float *&w) {
        auto &weights = module.content.weights.parameters;
        auto &biases = module.content.biases.parameters;
        constexpr TI out = M::CONTENT::OUTPUT_DIM, in = M::CONTENT::INPUT_DIM;
        for (TI o = 0; o < out; o++)
            for (TI i = 0; i < in; i++) rlt::set(device, weights, *w++, o, i);
        for (TI o = 0; o < out; o++) rlt::set(device, biases, *w++, o);
        if constexpr (!std::is_same_v<typename M::NEXT_MODULE, rlt::nn_models::sequential::OutputModule>)
            load(module.next_module, w);
    }

    explicit Sized(const job *j) {
        rlt::malloc(device, rng), rlt::init(device, rng, 1);
        rlt::malloc(device, model), rlt::malloc(device, buffer), rlt::malloc(device, optimizer);
        rlt::malloc(device, x), rlt::malloc(device, d);
        rlt::init_weights(device, model, rng), rlt::reset_optimizer_state(device, optimizer, model);
        rlt::zero_gradient(device, model);
        const float *w = j->w;
        load(model, w);
        optimizer.parameters.alpha = j->eta;
        optimizer.parameters.epsilon = 1e-8f, optimizer.parameters.epsilon_sqrt = 0;
    }

    const T *forward(const float *rows) {
        std::memcpy(rlt::data(x), rows, sizeof(T) * BATCH * INPUTS);
        rlt::forward(device, model, x, buffer, rng, mode);
        return rlt::data(rlt::output(device, model));
    }

    // softmax of a row of z
    static void softmax(const T *z, T *p) {
        T most = z[0], sum = 0;
        for (TI k = 1; k < OUTPUTS; k++) most = z[k] > most ? z[k] : most;
        for (TI k = 0; k < OUTPUTS; k++) sum += p[k] = std::exp(z[k] - most);
        for (TI k = 0; k < OUTPUTS; k++) p[k] /= sum;
    }

    void epoch(const job *j) override {
        const bool classes = j->loss[0] == 'c';
        for (int first = 0; first + (int)BATCH <= j->rows; first += BATCH) {
            const float *y = j->y + (size_t)first * OUTPUTS;
            const T *out = forward(j->x + (size_t)first * INPUTS);
            T *gradient = rlt::data(d);
            for (TI r = 0; r < BATCH; r++) {
                if (classes) softmax(out + r * OUTPUTS, gradient + r * OUTPUTS);
                else std::memcpy(gradient + r * OUTPUTS, out + r * OUTPUTS, sizeof(T) * OUTPUTS);
            }
            for (TI i = 0; i < BATCH * OUTPUTS; i++) gradient[i] = (gradient[i] - y[i]) / (T)BATCH;
            rlt::zero_gradient(device, model);
            rlt::backward(device, model, x, d, buffer, mode);
            rlt::step(device, optimizer, model);
        }
    }

    void outputs(const job *j, const float *rows, int n, float *to) override {
        std::vector<float> block(BATCH * INPUTS);
        for (int first = 0; first < n; first += BATCH) {
            const size_t count = n - first < (int)BATCH ? n - first : BATCH;
            std::memcpy(block.data(), rows + (size_t)first * INPUTS, sizeof(float) * count * INPUTS);
            const T *out = forward(block.data());
            for (size_t r = 0; r < count; r++) {
                float *row = to + (first + r) * OUTPUTS;
                if (j->loss[0] == 'c') softmax(out + r * OUTPUTS, row);
                else std::memcpy(row, out + r * OUTPUTS, sizeof(T) * OUTPUTS);
            }
        }
    }
};

static std::unique_ptr<Net> net;

static const char *peer_prepare(const job *j, const char **variant) {
    constexpr auto RELU = FUNCTION::RELU, TANH = FUNCTION::TANH;
    const std::string name = j->name;
    *variant = "own-loops";
#ifdef RL_TOOLS_BACKEND_ENABLE_OPENBLAS
    *variant = "openblas";
#endif
    if (j->threads > 1) return "one thread";
    net.reset();
    if (name == "digits_adam") net.reset(new Sized<32, RELU, 64, 64, 10>(j));
    else if (name == "mnist_adam") net.reset(new Sized<64, RELU, 784, 128, 10>(j));
    else if (name == "rl") net.reset(new Sized<64, TANH, 4, 64, 64, 2>(j));
    else if (name == "simplechains") net.reset(new Sized<10000, TANH, 4, 32, 16, 4>(j));
    else if (name == "online_adam") net.reset(new Sized<1, TANH, 16, 32, 32, 4>(j));
    return net ? nullptr : "not one of the small networks";
}

static void peer_run(const job *j, long n) {
    while (n-- > 0) net->epoch(j);
}

static void peer_outputs(const job *j, const float *x, int n, float *out) { net->outputs(j, x, n, out); }
