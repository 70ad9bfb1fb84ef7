/* backprop.hpp: backprop.h for C++17, in one header. Link with -lbackprop.
 *
 *     backprop::Network network({2, 4, 1}, 1);
 *     for (int epoch = 0; epoch < 2000; epoch++) network.train(inputs, targets, 0.5f);
 *     std::vector<float> outputs = network.predict(inputs);
 *
 * backprop.h is the manual: each function here is one of its functions. Those without a function here are called by
 * backprop::call([&] { return bp_network_set_trainable(network.handle(), 1, 0); }).
 *
 * Errors.    A call that fails throws backprop::Error. If a callback threw an exception during the call, this exception is
 *            thrown instead. If the last argument is the address of an Error, the call stores the error there and throws
 *            nothing. Compiled without exceptions (-fno-exceptions), each call needs this argument.
 * Callbacks. Lambdas with any captures. They live until nothing uses the activation any more. Calls on several threads may
 *            run the same lambda at the same time, so it is called as const. No exception passes through the library: it is
 *            caught in the callback, and thrown again when the call has returned. An exception on a thread of the library
 *            (see bp_activation_set_thread_safe) is lost, and the call fails with BP_ERROR_CALLBACK.
 * Arrays.    A View is an address and a size. It is made from a vector, an array, a std::span or a list in braces, and must
 *            be used only during the call.
 * Threads.   As in backprop.h. Moving or destroying an object while another thread uses it is an error of the program. */
#ifndef BACKPROP_HPP
#define BACKPROP_HPP

#include "backprop.h"

#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <initializer_list>
#include <iterator>
#include <limits>
#include <memory>
#include <new>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

/* The two namespaces let files that were compiled with and without exceptions be linked together. */
#if defined(__cpp_exceptions)
#define BACKPROP_ERROR backprop::Error *error = nullptr
#define BACKPROP_NAMESPACE with_exceptions
#else
#define BACKPROP_ERROR backprop::Error *error
#define BACKPROP_NAMESPACE without_exceptions
#endif

namespace backprop {
inline namespace BACKPROP_NAMESPACE {

/* The status and the message of a call that failed. BP_OK and "" after one that did not. */
class Error : public std::exception {
    int32_t status_ = BP_OK;
    std::string message_;

  public:
    Error() = default;
    Error(int32_t status, std::string message) : status_(status), message_(std::move(message)) {}
    int32_t status() const noexcept { return status_; }
    const char *what() const noexcept override { return message_.c_str(); }
    explicit operator bool() const noexcept { return status_ != BP_OK; }
};

/* An array of the caller. */
template <class T> class View {
    T *data_ = nullptr;
    size_t size_ = 0;

  public:
    View() = default;
    View(T *data, size_t size) : data_(data), size_(size) {}
    template <class C, class = std::enable_if_t<std::is_convertible_v<decltype(std::data(std::declval<C &>())), T *>>>
    View(C &&container) : data_(std::data(container)), size_(std::size(container)) {}
    View(const std::initializer_list<std::remove_const_t<T>> &list) : data_(std::data(list)), size_(list.size()) {}
    T *data() const { return data_; }
    size_t size() const { return size_; }
};

using Floats = View<const float>;
using MutableFloats = View<float>;

namespace detail {

/* The call that this thread is in: where a callback leaves its exception. */
struct Call {
    static inline thread_local Call *current = nullptr;
    Call *outer = std::exchange(current, this); /* a callback may call the library, too */
    std::exception_ptr exception;

    Call() = default;
    Call(const Call &) = delete;
    Call &operator=(const Call &) = delete;
    ~Call() { current = outer; }
};

inline void fail(int32_t status, std::string message, Error *error) {
    Error made(status, std::move(message));
#if defined(__cpp_exceptions)
    if (!error) throw made;
#endif
    if (error) *error = std::move(made);
}

/* Calls a function of the program from a callback. Returns its result, or 0 if it is void; -1 if it threw. */
template <class F> int32_t guarded(F function) noexcept {
#if defined(__cpp_exceptions)
    try {
#endif
        if constexpr (std::is_void_v<decltype(function())>) {
            function();
            return 0;
        } else {
            return static_cast<int32_t>(function());
        }
#if defined(__cpp_exceptions)
    } catch (...) {
        if (Call::current && !Call::current->exception) Call::current->exception = std::current_exception();
        return -1;
    }
#endif
}

template <class T> void destroy(void *state) { delete static_cast<T *>(state); }

struct Free {
    void operator()(bp_network *network) const { bp_network_free(network); }
    void operator()(bp_trainer *trainer) const { bp_trainer_free(trainer); }
    void operator()(bp_predictor *predictor) const { bp_predictor_free(predictor); }
};

} // namespace detail

/* Calls the library: function returns a status. Returns the status, which is negative only if error was given. */
template <class F> int32_t call(F function, BACKPROP_ERROR) {
    detail::Call call;
    int32_t status = function();
    if (error) *error = Error();
#if defined(__cpp_exceptions)
    if (call.exception && !error) std::rethrow_exception(call.exception);
#endif
    if (status < 0) detail::fail(status, bp_last_error_message(), error);
    else if (call.exception) detail::fail(status = BP_ERROR_CALLBACK, "a callback threw an exception", error);
    return status;
}

namespace detail {

/* Returns the bytes that a function writes to a buffer of the size that it needs. */
template <class Bytes, class F> Bytes buffered(F function, Error *error) {
    Bytes bytes;
    size_t needed = 0;
    int32_t status = function(nullptr, 0, &needed);
    while (status == BP_ERROR_BUFFER_TOO_SMALL) { /* again if another thread changed the network between the calls */
        bytes.resize(needed);
        status = function(bytes.data(), bytes.size(), &needed);
    }
    call([&] { return status; }, error);
    bytes.resize(status < 0 ? 0 : needed);
    return bytes;
}

} // namespace detail

/* ---- Networks --------------------------------------------------------------------------------------------------- */

class Network {
    std::unique_ptr<bp_network, detail::Free> handle_;

    explicit Network(bp_network *handle) : handle_(handle) {}

    size_t count(int32_t (*getter)(const bp_network *, size_t *), Error *error) const {
        size_t count = 0;
        call([&] { return getter(handle(), &count); }, error);
        return count;
    }

    /* Whether inputs are rows. If so, *rows is their number. */
    bool are_rows(Floats inputs, size_t *rows, Error *error) const {
        size_t columns = this->inputs(error);
        if (columns == 0) return false;
        *rows = inputs.size() / columns;
        if (inputs.size() % columns == 0) return true;
        detail::fail(BP_ERROR_MISMATCH, std::to_string(inputs.size()) + " numbers are not rows of " + std::to_string(columns),
                     error);
        return false;
    }
    bool are_rows(Floats inputs, Floats targets, size_t *rows, Error *error) const {
        if (!are_rows(inputs, rows, error)) return false;
        size_t columns = count(bp_network_target_columns, error);
        if (columns > 0 && targets.size() == *rows * columns) return true;
        if (columns > 0)
            detail::fail(BP_ERROR_MISMATCH,
                         std::to_string(targets.size()) + " numbers are not " + std::to_string(*rows) + " rows of " +
                             std::to_string(columns),
                         error);
        return false;
    }

    friend class Trainer;

  public:
    Network() = default; /* no network: its calls fail */
    Network(View<const size_t> layer_sizes, uint64_t seed, BACKPROP_ERROR) {
        bp_network *made = nullptr;
        call([&] { return bp_network_create(layer_sizes.data(), layer_sizes.size(), seed, &made); }, error);
        handle_.reset(made);
    }
    static Network load(const std::string &path, BACKPROP_ERROR) {
        bp_network *made = nullptr;
        call([&] { return bp_network_load(path.c_str(), &made); }, error);
        return Network(made);
    }
    static Network from_bytes(View<const uint8_t> bytes, BACKPROP_ERROR) {
        bp_network *made = nullptr;
        call([&] { return bp_network_load_memory(bytes.data(), bytes.size(), &made); }, error);
        return Network(made);
    }
    Network clone(BACKPROP_ERROR) const {
        bp_network *made = nullptr;
        call([&] { return bp_network_clone(handle(), &made); }, error);
        return Network(made);
    }

    bp_network *handle() const { return handle_.get(); }
    explicit operator bool() const { return handle_ != nullptr; }

    size_t inputs(BACKPROP_ERROR) const {
        size_t size = 0;
        call([&] { return bp_network_layer_size(handle(), 0, &size); }, error);
        return size;
    }
    size_t outputs(BACKPROP_ERROR) const {
        size_t layers = count(bp_network_layer_count, error), size = 0;
        if (layers > 0) call([&] { return bp_network_layer_size(handle(), layers - 1, &size); }, error);
        return size;
    }

    void set_activation(size_t layer, const std::string &name, BACKPROP_ERROR) {
        call([&] { return bp_network_set_activation(handle(), layer, name.c_str()); }, error);
    }
    void set_batchnorm(size_t layer, bool enabled, BACKPROP_ERROR) {
        call([&] { return bp_network_set_batchnorm(handle(), layer, enabled); }, error);
    }
    void set_dropout(size_t layer, double rate, BACKPROP_ERROR) {
        call([&] { return bp_network_set_dropout(handle(), layer, rate); }, error);
    }
    void set_loss(const std::string &name, BACKPROP_ERROR) {
        call([&] { return bp_network_set_loss(handle(), name.c_str()); }, error);
    }
    void set_optimizer(const std::string &name, BACKPROP_ERROR) {
        call([&] { return bp_network_set_optimizer(handle(), name.c_str()); }, error);
    }
    void set_option(const std::string &name, double value, BACKPROP_ERROR) {
        call([&] { return bp_network_set_option(handle(), name.c_str(), value); }, error);
    }

    double option(const std::string &name, BACKPROP_ERROR) const {
        double value = 0;
        call([&] { return bp_network_get_option(handle(), name.c_str(), &value); }, error);
        return value;
    }
    /* targets may be empty if they are not scaled. */
    void fit_scaling(const std::string &input_scaling, const std::string &target_scaling, Floats inputs, Floats targets,
                     BACKPROP_ERROR) {
        size_t rows;
        if (!(targets.size() > 0 ? are_rows(inputs, targets, &rows, error) : are_rows(inputs, &rows, error))) return;
        call(
            [&] {
                return bp_network_fit_scaling(handle(), input_scaling.c_str(), target_scaling.c_str(), inputs.data(),
                                              targets.data(), rows);
            },
            error);
    }
    void set_metadata(const std::string &key, const std::string &value, BACKPROP_ERROR) {
        call([&] { return bp_network_set_metadata(handle(), key.c_str(), value.c_str()); }, error);
    }
    std::string metadata(const std::string &key, BACKPROP_ERROR) const {
        auto get = [&](char *buffer, size_t capacity, size_t *needed) {
            return bp_network_get_metadata(handle(), key.c_str(), buffer, capacity, needed);
        };
        std::string text = detail::buffered<std::string>(get, error);
        if (!text.empty()) text.pop_back(); /* the NUL */
        return text;
    }

    /* One step on the rows, a minibatch. Returns the loss before the step. */
    float train(Floats inputs, Floats targets, float learning_rate, BACKPROP_ERROR) {
        size_t rows;
        float loss = 0;
        if (!are_rows(inputs, targets, &rows, error)) return loss;
        call([&] { return bp_network_train_minibatch(handle(), inputs.data(), targets.data(), rows, learning_rate, &loss); },
             error);
        return loss;
    }
    /* The gradient of the loss of a minibatch with respect to the parameters. *loss is the loss. */
    std::vector<float> gradient(Floats inputs, Floats targets, float *loss, BACKPROP_ERROR) {
        size_t rows;
        std::vector<float> gradient;
        if (!are_rows(inputs, targets, &rows, error)) return gradient;
        gradient.resize(count(bp_network_parameter_count, error));
        auto compute = [&] {
            return bp_network_gradient(handle(), inputs.data(), targets.data(), rows, gradient.data(), gradient.size(), loss);
        };
        if (call(compute, error) < 0) gradient.clear();
        return gradient;
    }
    void apply_gradient(Floats gradient, float learning_rate, BACKPROP_ERROR) {
        call([&] { return bp_network_apply_gradient(handle(), gradient.data(), gradient.size(), learning_rate); }, error);
    }
    std::vector<float> predict(Floats inputs, BACKPROP_ERROR) const {
        size_t rows;
        std::vector<float> outputs;
        if (!are_rows(inputs, &rows, error)) return outputs;
        outputs.resize(rows * this->outputs(error));
        if (call([&] { return bp_network_predict(handle(), inputs.data(), rows, outputs.data()); }, error) < 0) outputs.clear();
        return outputs;
    }
    float evaluate(Floats inputs, Floats targets, BACKPROP_ERROR) const {
        size_t rows;
        float loss = 0;
        if (!are_rows(inputs, targets, &rows, error)) return loss;
        call([&] { return bp_network_evaluate(handle(), inputs.data(), targets.data(), rows, &loss); }, error);
        return loss;
    }
    double score(const std::string &measure, Floats inputs, Floats targets, BACKPROP_ERROR) const {
        size_t rows;
        double score = 0;
        if (!are_rows(inputs, targets, &rows, error)) return score;
        call([&] { return bp_network_score(handle(), measure.c_str(), inputs.data(), targets.data(), rows, &score); }, error);
        return score;
    }

    std::vector<float> parameters(BACKPROP_ERROR) const {
        std::vector<float> parameters(count(bp_network_parameter_count, error));
        if (error && *error) return parameters;
        call([&] { return bp_network_get_parameters(handle(), parameters.data(), parameters.size()); }, error);
        return parameters;
    }
    void set_parameters(Floats parameters, BACKPROP_ERROR) {
        call([&] { return bp_network_set_parameters(handle(), parameters.data(), parameters.size()); }, error);
    }

    void save(const std::string &path, BACKPROP_ERROR) const {
        call([&] { return bp_network_save(handle(), path.c_str()); }, error);
    }
    std::vector<uint8_t> to_bytes(BACKPROP_ERROR) const {
        auto save = [&](uint8_t *buffer, size_t capacity, size_t *needed) {
            return bp_network_save_memory(handle(), buffer, capacity, needed);
        };
        return detail::buffered<std::vector<uint8_t>>(save, error);
    }
    void load_weights(const std::string &path, BACKPROP_ERROR) {
        call([&] { return bp_network_load_weights(handle(), path.c_str()); }, error);
    }
    /* Source code of the prediction: the function NAME_predict in C, the enum NAME in Swift. weight_bits: 32 or 8.
     * flags: 0 or BP_EXPORT_FOLDED. */
    void export_c(const std::string &path, const std::string &name, int32_t weight_bits, int32_t flags, BACKPROP_ERROR) const {
        call([&] { return bp_network_export_c(handle(), path.c_str(), name.c_str(), weight_bits, flags); }, error);
    }
    void export_swift(const std::string &path, const std::string &name, int32_t weight_bits, int32_t flags,
                      BACKPROP_ERROR) const {
        call([&] { return bp_network_export_swift(handle(), path.c_str(), name.c_str(), weight_bits, flags); }, error);
    }
};

/* ---- Trainers --------------------------------------------------------------------------------------------------- */

/* Rows for a fit. Without rows, nothing. */
struct Rows {
    Floats inputs, targets;
};

class Trainer {
    using Progress = std::function<bool(const bp_progress &)>;
    std::unique_ptr<bp_trainer, detail::Free> handle_;
    std::unique_ptr<Progress> progress_;

    static int32_t report(const bp_progress *progress, void *function) noexcept {
        return detail::guarded([&] { return (*static_cast<Progress *>(function))(*progress); });
    }

  public:
    explicit Trainer(BACKPROP_ERROR) {
        bp_trainer *made = nullptr;
        call([&] { return bp_trainer_create(&made); }, error);
        handle_.reset(made);
    }

    bp_trainer *handle() const { return handle_.get(); }

    void set_option(const std::string &name, double value, BACKPROP_ERROR) {
        call([&] { return bp_trainer_set_option(handle(), name.c_str(), value); }, error);
    }

    /* progress returns true to stop the fit. An exception aborts it: the network is then as before. */
    void set_progress(Progress progress, BACKPROP_ERROR) {
        auto kept = std::make_unique<Progress>(std::move(progress));
        if (call([&] { return bp_trainer_set_progress(handle(), report, kept.get()); }, error) >= 0)
            progress_ = std::move(kept);
    }

    /* Trains the network. Returns the loss of the weights that it keeps. */
    double fit(Network &network, Rows rows, Rows validation, BACKPROP_ERROR) {
        double loss = 0;
        size_t count, validation_count;
        if (!network.are_rows(rows.inputs, rows.targets, &count, error)) return loss;
        if (!network.are_rows(validation.inputs, validation.targets, &validation_count, error)) return loss;
        call(
            [&] {
                return bp_trainer_fit(handle(), network.handle(), rows.inputs.data(), rows.targets.data(), count,
                                      validation.inputs.data(), validation.targets.data(), validation_count, &loss);
            },
            error);
        return loss;
    }
    double fit(Network &network, Rows rows, BACKPROP_ERROR) { return fit(network, rows, {}, error); }

    /* Ends a fit in progress on another thread. */
    void cancel() const noexcept { bp_trainer_cancel(handle()); }
};

/* ---- Predictors ------------------------------------------------------------------------------------------------- */

class Predictor {
    std::unique_ptr<bp_predictor, detail::Free> handle_;
    size_t inputs_ = 0, outputs_ = 0;

  public:
    explicit Predictor(const Network &network, BACKPROP_ERROR) {
        bp_predictor *made = nullptr;
        if (call([&] { return bp_predictor_create(network.handle(), &made); }, error) < 0) return;
        handle_.reset(made);
        bp_predictor_sizes(made, &inputs_, &outputs_);
    }

    bp_predictor *handle() const { return handle_.get(); }

    /* Returns a status, throws nothing and waits for nothing. */
    int32_t run(Floats inputs, MutableFloats outputs) const noexcept {
        if (!handle_) return BP_ERROR_INVALID_HANDLE;
        size_t rows = inputs.size() / inputs_;
        if (inputs.size() % inputs_ != 0 || outputs.size() != rows * outputs_) return BP_ERROR_MISMATCH;
        return bp_predictor_run(handle(), inputs.data(), rows, outputs.data());
    }
    void update(const Network &network, BACKPROP_ERROR) {
        call([&] { return bp_predictor_update(handle(), network.handle()); }, error);
    }
};

/* ---- Activations ------------------------------------------------------------------------------------------------ */

/* Registers an activation of whole matrices: forward(z, a, rows, columns) and backward(z, a, da, dz, rows, columns), of
 * pointers to float and of size_t. They return nothing, or an integer that is not 0 to fail. They may throw. */
template <class Forward, class Backward>
void register_vector_activation(const std::string &name, Forward forward, Backward backward, BACKPROP_ERROR) {
    struct State {
        const Forward forward;
        const Backward backward;
    };
    std::unique_ptr<State> state(new (std::nothrow) State{std::move(forward), std::move(backward)});
    if (!state) return detail::fail(BP_ERROR_OUT_OF_MEMORY, "no memory for an activation", error);
    bp_vector_forward_fn run = [](const float *z, float *a, size_t rows, size_t columns, void *user_data) {
        return detail::guarded([&] { return static_cast<State *>(user_data)->forward(z, a, rows, columns); });
    };
    bp_vector_backward_fn run_back = [](const float *z, const float *a, const float *da, float *dz, size_t rows, size_t columns,
                                        void *user_data) {
        return detail::guarded([&] { return static_cast<State *>(user_data)->backward(z, a, da, dz, rows, columns); });
    };
    auto attempt = [&] {
        return bp_activation_register_vector(name.c_str(), run, run_back, state.get(), detail::destroy<State>);
    };
    if (call(attempt, error) >= 0) state.release();
}

/* Registers an activation of one number: a = function(z), da/dz = derivative(z, a). They may throw. */
template <class Function, class Derivative>
void register_activation(const std::string &name, Function function, Derivative derivative, BACKPROP_ERROR) {
    register_vector_activation(
        name,
        [function](const float *z, float *a, size_t rows, size_t columns) {
            for (size_t i = 0; i < rows * columns; i++) a[i] = static_cast<float>(function(z[i]));
        },
        [derivative](const float *z, const float *a, const float *da, float *dz, size_t rows, size_t columns) {
            for (size_t i = 0; i < rows * columns; i++) dz[i] = static_cast<float>(da[i] * derivative(z[i], a[i]));
        },
        error);
}

/* The same with a derivative by central differences. */
template <class Function> void register_activation(const std::string &name, Function function, BACKPROP_ERROR) {
    std::unique_ptr<const Function> state(new (std::nothrow) const Function(std::move(function)));
    if (!state) return detail::fail(BP_ERROR_OUT_OF_MEMORY, "no memory for an activation", error);
    bp_scalar_fn run = [](float z, void *user_data) {
        float a = std::numeric_limits<float>::quiet_NaN(); /* after an exception: training fails */
        detail::guarded([&] { a = static_cast<float>((*static_cast<const Function *>(user_data))(z)); });
        return a;
    };
    auto attempt = [&] {
        return bp_activation_register_scalar(name.c_str(), run, nullptr, const_cast<Function *>(state.get()),
                                             detail::destroy<const Function>);
    };
    if (call(attempt, error) >= 0) state.release();
}

inline void unregister_activation(const std::string &name, BACKPROP_ERROR) {
    call([&] { return bp_activation_unregister(name.c_str()); }, error);
}

/* ---- Losses and plug-ins ---------------------------------------------------------------------------------------- */

/* Registers a loss of one row: function(outputs, targets, gradient) returns the loss, and writes its derivatives with respect
 * to the outputs to gradient, which is empty if they are not needed. It may throw. target_columns: 0 for the number of
 * outputs. */
template <class Function>
void register_loss(const std::string &name, size_t target_columns, Function function, BACKPROP_ERROR) {
    std::unique_ptr<const Function> state(new (std::nothrow) const Function(std::move(function)));
    if (!state) return detail::fail(BP_ERROR_OUT_OF_MEMORY, "no memory for a loss", error);
    bp_loss_fn run = [](const float *outputs, const float *targets, double *losses, float *gradients, size_t rows,
                        size_t output_count, size_t columns, void *user_data) {
        return detail::guarded([&] {
            for (size_t row = 0; row < rows; row++) {
                MutableFloats gradient;
                if (gradients) gradient = MutableFloats(gradients + row * output_count, output_count);
                losses[row] = (*static_cast<const Function *>(user_data))(Floats(outputs + row * output_count, output_count),
                                                                          Floats(targets + row * columns, columns), gradient);
            }
        });
    };
    auto attempt = [&] {
        return bp_loss_register(name.c_str(), target_columns, run, const_cast<Function *>(state.get()),
                                detail::destroy<const Function>);
    };
    if (call(attempt, error) >= 0) state.release();
}

inline void unregister_loss(const std::string &name, BACKPROP_ERROR) {
    call([&] { return bp_loss_unregister(name.c_str()); }, error);
}

/* Registers the activations and losses of a shared library. */
inline void load_plugin(const std::string &path, BACKPROP_ERROR) {
    call([&] { return bp_plugin_load(path.c_str()); }, error);
}

} // namespace BACKPROP_NAMESPACE
} // namespace backprop

#undef BACKPROP_ERROR
#undef BACKPROP_NAMESPACE

#endif
