// oneDNN as a worker of bench.py: its products, activations and weight layouts; loss and Adam are loops here. Training with Adam,
// without batch normalization and dropout.
#include <oneapi/dnnl/dnnl.hpp>
#include <cmath>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "worker.h"

using namespace dnnl;
using tag = memory::format_tag;
using arguments = std::unordered_map<int, memory>;

static memory::desc matrix(memory::dims size, tag layout) { return memory::desc(size, memory::data_type::f32, layout); }
static float *numbers(const memory &m) { return static_cast<float *>(m.get_data_handle()); }

struct Step {
    primitive what;
    arguments with;
};

struct Parameter {
    memory value, gradient;
    std::vector<float> m, v;
    explicit Parameter(const memory &of, const engine &e) : value(of), gradient(of.get_desc(), e) {
        m.assign(of.get_desc().get_size() / sizeof(float), 0), v = m;
    }
    void adam(float rate, float scale) {
        float *w = numbers(value), *g = numbers(gradient), *m1 = m.data(), *m2 = v.data();
        const long n = (long)m.size();
#pragma omp parallel for simd if (n > 10000)
        for (long i = 0; i < n; i++) {
            m1[i] = 0.9f * m1[i] + 0.1f * g[i];
            m2[i] = 0.999f * m2[i] + 0.001f * g[i] * g[i];
            w[i] -= rate * m1[i] / (std::sqrt(m2[i]) * scale + 1e-8f);
        }
    }
};

// The network for minibatches of one size.
struct Net {
    engine cpu{engine::kind::cpu, 0};
    stream run{cpu};
    std::vector<memory> a, d; // [rows][width] of each layer, from the inputs
    std::vector<Parameter> parameters;
    std::vector<Step> forward, backward;
    long steps = 0;

    Net(const job *j, int rows) {
        const auto act = !strcmp(j->hidden, "relu") ? algorithm::eltwise_relu_use_dst_for_bwd
                                                    : algorithm::eltwise_tanh_use_dst_for_bwd;
        const auto forward_act = !strcmp(j->hidden, "relu") ? algorithm::eltwise_relu : algorithm::eltwise_tanh;
        for (int l = 0; l <= j->layers; l++) {
            a.emplace_back(matrix({rows, j->size[l]}, tag::ab), cpu);
            d.emplace_back(matrix({rows, j->size[l]}, tag::ab), cpu);
        }
        const float *w = j->w;
        for (int l = 0; l < j->layers; l++) {
            const long in = j->size[l], out = j->size[l + 1];
            const bool hidden = l + 1 < j->layers;
            primitive_attr fused;
            post_ops after;
            if (hidden) after.append_eltwise(forward_act, 0, 0);
            fused.set_post_ops(after);
            memory::desc any = matrix({out, in}, tag::any), bias({out}, memory::data_type::f32, tag::a);
            inner_product_forward::primitive_desc f(cpu, prop_kind::forward_training, a[l].get_desc(), any, bias,
                                                    a[l + 1].get_desc(), fused);
            memory weights(f.weights_desc(), cpu), biases(bias, cpu), plain(matrix({out, in}, tag::ab), cpu, (void *)w);
            reorder(plain, weights).execute(run, plain, weights);
            run.wait();
            memcpy(numbers(biases), w + in * out, out * sizeof(float));
            w += (in + 1) * out;
            parameters.emplace_back(weights, cpu), parameters.emplace_back(biases, cpu);
            const memory gradient = parameters[2 * l].gradient, bias_gradient = parameters[2 * l + 1].gradient;
            forward.push_back(
                {inner_product_forward(f),
                 {{DNNL_ARG_SRC, a[l]}, {DNNL_ARG_WEIGHTS, weights}, {DNNL_ARG_BIAS, biases}, {DNNL_ARG_DST, a[l + 1]}}});

            std::vector<Step> back;
            if (hidden) {
                eltwise_forward::primitive_desc hint(cpu, prop_kind::forward_training, act, a[l + 1].get_desc(),
                                                     a[l + 1].get_desc(), 0, 0);
                eltwise_backward::primitive_desc e(cpu, act, d[l + 1].get_desc(), d[l + 1].get_desc(), a[l + 1].get_desc(), 0,
                                                   0, hint);
                back.push_back({eltwise_backward(e),
                                {{DNNL_ARG_DST, a[l + 1]}, {DNNL_ARG_DIFF_DST, d[l + 1]}, {DNNL_ARG_DIFF_SRC, d[l + 1]}}});
            }
            inner_product_backward_weights::primitive_desc bw(cpu, a[l].get_desc(), any, bias, d[l + 1].get_desc(), f);
            memory found = bw.diff_weights_desc() == weights.get_desc() ? gradient : memory(bw.diff_weights_desc(), cpu);
            back.push_back({inner_product_backward_weights(bw),
                            {{DNNL_ARG_SRC, a[l]},
                             {DNNL_ARG_DIFF_DST, d[l + 1]},
                             {DNNL_ARG_DIFF_WEIGHTS, found},
                             {DNNL_ARG_DIFF_BIAS, bias_gradient}}});
            if (!(bw.diff_weights_desc() == weights.get_desc()))
                back.push_back({reorder(found, gradient), {{DNNL_ARG_FROM, found}, {DNNL_ARG_TO, gradient}}});
            if (l > 0) {
                inner_product_backward_data::primitive_desc bd(cpu, d[l].get_desc(), any, d[l + 1].get_desc(), f);
                memory seen = weights;
                if (!(bd.weights_desc() == weights.get_desc())) {
                    seen = memory(bd.weights_desc(), cpu);
                    back.push_back({reorder(weights, seen), {{DNNL_ARG_FROM, weights}, {DNNL_ARG_TO, seen}}});
                }
                back.push_back({inner_product_backward_data(bd),
                                {{DNNL_ARG_DIFF_DST, d[l + 1]}, {DNNL_ARG_WEIGHTS, seen}, {DNNL_ARG_DIFF_SRC, d[l]}}});
            }
            backward.insert(backward.begin(), back.begin(), back.end());
        }
    }

    void execute(const std::vector<Step> &steps) {
        for (const Step &s : steps) s.what.execute(run, s.with);
        run.wait();
    }

    const float *predict(const float *x) {
        a[0].set_data_handle((void *)x);
        execute(forward);
        return numbers(a.back());
    }

    void train(const job *j, const float *x, const float *y, int rows) {
        const int width = j->size[j->layers];
        const float *z = predict(x);
        float *g = numbers(d.back());
        probabilities(j, z, g, rows);
        for (int i = 0; i < rows * width; i++) g[i] = (g[i] - y[i]) / (float)rows;
        execute(backward);
        steps++;
        const float rate = (float)(j->eta / (1 - std::pow(0.9, steps))),
                    scale = (float)(1 / std::sqrt(1 - std::pow(0.999, steps)));
        for (Parameter &p : parameters) p.adam(rate, scale);
    }

    // The outputs from z: softmax for the cross entropy.
    static void probabilities(const job *j, const float *z, float *to, int rows) {
        const int width = j->size[j->layers];
        for (int r = 0; r < rows; r++, z += width, to += width) {
            if (strcmp(j->loss, "cross_entropy")) {
                memcpy(to, z, width * sizeof *to);
                continue;
            }
            float most = z[0], sum = 0;
            for (int k = 1; k < width; k++) most = z[k] > most ? z[k] : most;
            for (int k = 0; k < width; k++) sum += to[k] = std::exp(z[k] - most);
            for (int k = 0; k < width; k++) to[k] /= sum;
        }
    }
};

static std::unique_ptr<Net> net;

static const char *peer_prepare(const job *j, const char **variant) {
    if (j->kind[0] != 't' || strcmp(j->optimizer, "adam")) return "only training with Adam";
    if (j->bn || j->dropout > 0) return "without batch normalization and dropout";
    net.reset(new Net(j, j->batch));
    *variant = "inner-products";
    return nullptr;
}

static void peer_run(const job *j, long n) {
    for (; n > 0; n--)
        for (int i = 0; i + j->batch <= j->rows; i += j->batch)
            net->train(j, j->x + (size_t)i * j->size[0], j->y + (size_t)i * j->size[j->layers], j->batch);
}

static void peer_outputs(const job *j, const float *x, int n, float *out) {
    const size_t width = j->size[j->layers], in = j->size[0];
    std::vector<float> block(j->batch * in);
    for (int i = 0; i < n; i += j->batch) {
        const int count = n - i < j->batch ? n - i : j->batch;
        memcpy(block.data(), x + i * in, count * in * sizeof(float));
        Net::probabilities(j, net->predict(block.data()), out + i * width, count);
    }
}
