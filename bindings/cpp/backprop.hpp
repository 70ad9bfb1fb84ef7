/* backprop.hpp: backprop.h for C++17, in one header. Link with -lbackprop.
 *
 *     backprop::Network network({2, 4, 1}, 1);
 *     for (int epoch = 0; epoch < 2000; epoch++) network.train(inputs, targets, 0.5f);
 *     std::vector<float> outputs = network.predict(inputs);
 *
 * backprop.h is the manual: each function here is one of its functions. Its structs and constants are used as they are. Not
 * wrapped are bp_network_train_step (train with one row), bp_activation_register_foreign and bp_activation_set_destroy (a lambda
 * calls any function), bp_version_number and bp_abi_version. backprop::call([&] { return bp_...(network.handle(), ...); }) makes
 * any call with the same errors.
 *
 * Errors.    A call that fails throws backprop::Error. If a callback threw an exception during the call, this exception is
 *            thrown instead. If the last argument is the address of an Error, the call stores the error there and throws
 *            nothing. Compiled without exceptions (-fno-exceptions), each call needs this argument.
 * Callbacks. Lambdas with any captures. Those of an activation or a loss live until nothing uses it any more. Calls on several threads may
 *            run the same lambda at the same time, so it is called as const. No exception passes through the library: it is
 *            caught in the callback, and thrown again when the call has returned. An exception on a thread of the library
 *            (see bp_activation_set_thread_safe) is lost, and the call fails with BP_ERROR_CALLBACK.
 * Arrays.    A View is an address and a size. It is made from a vector, an array, a std::span or a list in braces, and must
 *            be used only during the call. Numbers of other types and layouts are described by a bp_rows, which the function
 *            matrix makes. The functions whose names end in _rows take it.
 * Threads.   As in backprop.h. Moving or destroying an object while another thread uses it is an error of the program. */
#ifndef BACKPROP_HPP
#define BACKPROP_HPP

#include "backprop.h"

#include <algorithm>
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
    const char *status_name() const noexcept { return bp_status_name(status_); }
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

template <class F> std::string text(F function, Error *error) {
    std::string text = buffered<std::string>(function, error);
    if (!text.empty()) text.pop_back(); /* the NUL */
    return text;
}

/* Calls function(index) with 0, 1 ... until it returns BP_ERROR_UNKNOWN_NAME. Returns whether that is how it ended. */
template <class F> bool for_all(F function, Error *error) {
    Error end;
    for (size_t index = 0; !end; index++) function(index, &end);
    if (error) *error = Error();
    if (end.status() != BP_ERROR_UNKNOWN_NAME) fail(end.status(), end.what(), error);
    return end.status() == BP_ERROR_UNKNOWN_NAME;
}

/* Returns the texts of all indices. */
template <class F> std::vector<std::string> texts(F function, Error *error) {
    std::vector<std::string> texts;
    auto add = [&](size_t index, Error *end) {
        auto get = [&](char *buffer, size_t capacity, size_t *needed) { return function(index, buffer, capacity, needed); };
        std::string text = detail::text(get, end);
        if (!*end) texts.push_back(std::move(text));
    };
    if (!for_all(add, error)) texts.clear();
    return texts;
}

/* Returns the number that a function stores. */
template <class T, class F> T number(F function, Error *error) {
    T number = 0;
    call([&] { return function(&number); }, error);
    return number;
}

/* Returns the numbers that a function stores in an array; none if it fails. */
template <class T, class F> std::vector<T> numbers(size_t count, F function, Error *error) {
    std::vector<T> numbers(count);
    if (call([&] { return function(numbers.data()); }, error) < 0) numbers.clear();
    return numbers;
}

/* Whether the numbers are rows of this size. If so, *rows is their number. */
inline bool are_rows(size_t count, size_t columns, size_t *rows, Error *error) {
    *rows = columns == 0 ? 0 : count / columns;
    if (columns > 0 && count % columns == 0) return true;
    fail(BP_ERROR_MISMATCH, std::to_string(count) + " numbers are not rows of " + std::to_string(columns), error);
    return false;
}

/* Whether the numbers are this number of rows of this size. */
inline bool are_rows_of(size_t count, size_t rows, size_t columns, Error *error) {
    if (count == rows * columns) return true;
    fail(BP_ERROR_MISMATCH,
         std::to_string(count) + " numbers are not " + std::to_string(rows) + " rows of " + std::to_string(columns), error);
    return false;
}

template <class T> constexpr int32_t type_of() {
    using Number = std::remove_cv_t<T>;
    if constexpr (std::is_same_v<Number, float>) return BP_FLOAT;
    else if constexpr (std::is_same_v<Number, double>) return BP_DOUBLE;
    else if constexpr (std::is_same_v<Number, int8_t>) return BP_INT8;
    else {
        static_assert(std::is_same_v<Number, uint8_t>, "float, double, int8_t or uint8_t");
        return BP_UINT8;
    }
}

} // namespace detail

/* ---- The library ------------------------------------------------------------------------------------------------ */

inline const char *version() noexcept { return bp_version_string(); }
inline const char *instruction_set() noexcept { return bp_instruction_set(); }
inline size_t thread_count() noexcept { return bp_thread_count(); }
inline void set_thread_count(size_t count, BACKPROP_ERROR) {
    call([&] { return bp_set_thread_count(count); }, error);
}

inline std::vector<std::string> activation_names(BACKPROP_ERROR) { return detail::texts(bp_activation_name, error); }
inline std::vector<std::string> loss_names(BACKPROP_ERROR) { return detail::texts(bp_loss_name, error); }
inline std::vector<std::string> optimizer_names(BACKPROP_ERROR) { return detail::texts(bp_optimizer_name, error); }
inline std::vector<std::string> scaling_names(BACKPROP_ERROR) { return detail::texts(bp_scaling_name, error); }
inline std::vector<std::string> score_names(BACKPROP_ERROR) { return detail::texts(bp_score_name, error); }

/* All options, those of a network first. */
inline std::vector<bp_option_description> options(BACKPROP_ERROR) {
    std::vector<bp_option_description> options;
    auto add = [&](size_t index, Error *end) {
        bp_option_description option = {};
        option.struct_size = sizeof option;
        if (call([&] { return bp_option_info(index, &option); }, end) >= 0) options.push_back(option);
    };
    if (!detail::for_all(add, error)) options.clear();
    return options;
}

/* ---- Rows of other types and layouts ---------------------------------------------------------------------------- */

enum class Layout { row_major, column_major };

/* Describes all numbers of a container of float, double, int8_t or uint8_t, which must live as long as the result is used. Set
 * members for more: row_weights, scale and zero_point; or all of them, for BP_HALF or a part of a larger table. */
template <class Container> bp_rows matrix(const Container &values, size_t columns, Layout layout, BACKPROP_ERROR) {
    using Number = std::remove_pointer_t<decltype(std::data(values))>;
    bp_rows made = {};
    size_t rows = 0;
    if (!detail::are_rows(std::size(values), columns, &rows, error)) return made;
    if (error) *error = Error();
    const bool by_rows = layout == Layout::row_major;
    made.struct_size = sizeof made;
    made.type = detail::type_of<Number>();
    made.values = std::data(values);
    made.rows = rows;
    made.columns = columns;
    made.row_stride = static_cast<ptrdiff_t>(sizeof(Number) * (by_rows ? columns : 1));
    made.column_stride = static_cast<ptrdiff_t>(sizeof(Number) * (by_rows ? 1 : rows));
    return made;
}
template <class Container> bp_rows matrix(const Container &values, size_t columns, BACKPROP_ERROR) {
    return matrix(values, columns, Layout::row_major, error);
}

/* ---- Networks --------------------------------------------------------------------------------------------------- */

/* The gradients of a function of the outputs: with respect to the parameters, and to the inputs, row by row. */
struct Gradients {
    std::vector<float> parameters, inputs;
};

class Network {
    std::shared_ptr<void> all_reduce_; /* destroyed after the network */
    std::unique_ptr<bp_network, detail::Free> handle_;

    explicit Network(bp_network *handle) : handle_(handle) {}

    bool are_rows(Floats inputs, size_t *rows, Error *error) const {
        size_t columns = this->inputs(error);
        return columns > 0 && detail::are_rows(inputs.size(), columns, rows, error);
    }
    bool are_rows(Floats inputs, Floats targets, size_t *rows, Error *error) const {
        if (!are_rows(inputs, rows, error)) return false;
        size_t columns = target_columns(error);
        return columns > 0 && detail::are_rows_of(targets.size(), *rows, columns, error);
    }
    std::string scaling(int32_t of_targets, Error *error) const {
        auto get = [&](char *buffer, size_t capacity, size_t *needed) {
            return bp_network_get_scaling(handle(), of_targets, buffer, capacity, needed);
        };
        return detail::text(get, error);
    }
    std::vector<float> backward(Floats inputs, Floats output_gradients, float *gradient, size_t count, Error *error) {
        size_t rows;
        if (!are_rows(inputs, &rows, error)) return {};
        size_t columns = outputs(error);
        if (columns == 0 || !detail::are_rows_of(output_gradients.size(), rows, columns, error)) return {};
        auto compute = [&](float *input_gradients) {
            return bp_network_backpropagate(handle(), inputs.data(), output_gradients.data(), rows, gradient, count,
                                            input_gradients);
        };
        return detail::numbers<float>(inputs.size(), compute, error);
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

    /* The number of layers. The inputs are layer 0. */
    size_t layers(BACKPROP_ERROR) const {
        return detail::number<size_t>([&](size_t *out) { return bp_network_layer_count(handle(), out); }, error);
    }
    size_t layer_size(size_t layer, BACKPROP_ERROR) const {
        return detail::number<size_t>([&](size_t *out) { return bp_network_layer_size(handle(), layer, out); }, error);
    }
    size_t inputs(BACKPROP_ERROR) const { return layer_size(0, error); }
    size_t outputs(BACKPROP_ERROR) const {
        size_t layers = this->layers(error);
        return layers > 0 ? layer_size(layers - 1, error) : 0;
    }
    /* The size of a row of targets. */
    size_t target_columns(BACKPROP_ERROR) const {
        return detail::number<size_t>([&](size_t *out) { return bp_network_target_columns(handle(), out); }, error);
    }
    /* The number of training steps since the weights were drawn. */
    uint64_t steps(BACKPROP_ERROR) const {
        return detail::number<uint64_t>([&](uint64_t *out) { return bp_network_step_count(handle(), out); }, error);
    }
    void initialize(uint64_t seed, BACKPROP_ERROR) {
        call([&] { return bp_network_initialize(handle(), seed); }, error);
    }
    void replace_output(size_t size, uint64_t seed, BACKPROP_ERROR) {
        call([&] { return bp_network_replace_output(handle(), size, seed); }, error);
    }

    /* Settings */

    void set_activation(size_t layer, const std::string &name, BACKPROP_ERROR) {
        call([&] { return bp_network_set_activation(handle(), layer, name.c_str()); }, error);
    }
    std::string activation(size_t layer, BACKPROP_ERROR) const {
        auto get = [&](char *buffer, size_t capacity, size_t *needed) {
            return bp_network_get_activation(handle(), layer, buffer, capacity, needed);
        };
        return detail::text(get, error);
    }
    void set_batchnorm(size_t layer, bool enabled, BACKPROP_ERROR) {
        call([&] { return bp_network_set_batchnorm(handle(), layer, enabled); }, error);
    }
    bool batchnorm(size_t layer, BACKPROP_ERROR) const {
        return detail::number<int32_t>([&](int32_t *out) { return bp_network_get_batchnorm(handle(), layer, out); }, error) !=
            0;
    }
    void fold_batchnorm(BACKPROP_ERROR) {
        call([&] { return bp_network_fold_batchnorm(handle()); }, error);
    }
    void set_dropout(size_t layer, double rate, BACKPROP_ERROR) {
        call([&] { return bp_network_set_dropout(handle(), layer, rate); }, error);
    }
    double dropout(size_t layer, BACKPROP_ERROR) const {
        return detail::number<double>([&](double *out) { return bp_network_get_dropout(handle(), layer, out); }, error);
    }
    void set_trainable(size_t layer, bool trainable, BACKPROP_ERROR) {
        call([&] { return bp_network_set_trainable(handle(), layer, trainable); }, error);
    }
    bool trainable(size_t layer, BACKPROP_ERROR) const {
        return detail::number<int32_t>([&](int32_t *out) { return bp_network_get_trainable(handle(), layer, out); }, error) !=
            0;
    }
    void set_loss(const std::string &name, BACKPROP_ERROR) {
        call([&] { return bp_network_set_loss(handle(), name.c_str()); }, error);
    }
    std::string loss(BACKPROP_ERROR) const {
        auto get = [&](char *buffer, size_t capacity, size_t *needed) {
            return bp_network_get_loss(handle(), buffer, capacity, needed);
        };
        return detail::text(get, error);
    }
    void set_optimizer(const std::string &name, BACKPROP_ERROR) {
        call([&] { return bp_network_set_optimizer(handle(), name.c_str()); }, error);
    }
    std::string optimizer(BACKPROP_ERROR) const {
        auto get = [&](char *buffer, size_t capacity, size_t *needed) {
            return bp_network_get_optimizer(handle(), buffer, capacity, needed);
        };
        return detail::text(get, error);
    }
    /* With optimizer "bayesian_regularization", the number of parameters that the data determine. */
    double effective_parameters(BACKPROP_ERROR) const {
        return detail::number<double>([&](double *out) { return bp_network_effective_parameters(handle(), out); }, error);
    }
    void set_option(const std::string &name, double value, BACKPROP_ERROR) {
        call([&] { return bp_network_set_option(handle(), name.c_str(), value); }, error);
    }
    double option(const std::string &name, BACKPROP_ERROR) const {
        return detail::number<double>([&](double *out) { return bp_network_get_option(handle(), name.c_str(), out); }, error);
    }
    /* Checks that the settings go together, and with targets, which may be empty. */
    void check_settings(Floats targets, BACKPROP_ERROR) const {
        size_t rows, columns = target_columns(error);
        if (columns == 0 || !detail::are_rows(targets.size(), columns, &rows, error)) return;
        call([&] { return bp_network_check_settings(handle(), targets.data(), rows); }, error);
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
    /* inputs or targets may be nullptr if they are not scaled. */
    void fit_scaling_rows(const std::string &input_scaling, const std::string &target_scaling, const bp_rows *inputs,
                          const bp_rows *targets, BACKPROP_ERROR) {
        auto fit = [&] {
            return bp_network_fit_scaling_rows(handle(), input_scaling.c_str(), target_scaling.c_str(), inputs, targets);
        };
        call(fit, error);
    }
    void add_scaling_rows(const bp_rows *inputs, const bp_rows *targets, BACKPROP_ERROR) {
        call([&] { return bp_network_add_scaling_rows(handle(), inputs, targets); }, error);
    }
    void finish_scaling(const std::string &input_scaling, const std::string &target_scaling, BACKPROP_ERROR) {
        call([&] { return bp_network_finish_scaling(handle(), input_scaling.c_str(), target_scaling.c_str()); }, error);
    }
    std::string input_scaling(BACKPROP_ERROR) const { return scaling(0, error); }
    std::string target_scaling(BACKPROP_ERROR) const { return scaling(1, error); }

    void set_metadata(const std::string &key, const std::string &value, BACKPROP_ERROR) {
        call([&] { return bp_network_set_metadata(handle(), key.c_str(), value.c_str()); }, error);
    }
    std::string metadata(const std::string &key, BACKPROP_ERROR) const {
        auto get = [&](char *buffer, size_t capacity, size_t *needed) {
            return bp_network_get_metadata(handle(), key.c_str(), buffer, capacity, needed);
        };
        return detail::text(get, error);
    }
    std::vector<std::string> metadata_keys(BACKPROP_ERROR) const {
        auto get = [&](size_t index, char *buffer, size_t capacity, size_t *needed) {
            return bp_network_metadata_key(handle(), index, buffer, capacity, needed);
        };
        return detail::texts(get, error);
    }
    void remove_metadata(const std::string &key, BACKPROP_ERROR) {
        call([&] { return bp_network_remove_metadata(handle(), key.c_str()); }, error);
    }

    /* Training */

    /* One step on the rows, a minibatch. Returns the loss before the step. */
    float train(Floats inputs, Floats targets, float learning_rate, BACKPROP_ERROR) {
        size_t rows;
        float loss = 0;
        if (!are_rows(inputs, targets, &rows, error)) return loss;
        call([&] { return bp_network_train_minibatch(handle(), inputs.data(), targets.data(), rows, learning_rate, &loss); },
             error);
        return loss;
    }
    float train_rows(const bp_rows &inputs, const bp_rows &targets, float learning_rate, BACKPROP_ERROR) {
        auto train = [&](float *loss) { return bp_network_train_rows(handle(), &inputs, &targets, learning_rate, loss); };
        return detail::number<float>(train, error);
    }
    /* The gradient of the loss of a minibatch with respect to the parameters. *loss is the loss. */
    std::vector<float> gradient(Floats inputs, Floats targets, float *loss, BACKPROP_ERROR) {
        size_t rows;
        if (!are_rows(inputs, targets, &rows, error)) return {};
        const size_t count = parameter_count(error);
        auto compute = [&](float *gradient) {
            return bp_network_gradient(handle(), inputs.data(), targets.data(), rows, gradient, count, loss);
        };
        return detail::numbers<float>(count, compute, error);
    }
    void apply_gradient(Floats gradient, float learning_rate, BACKPROP_ERROR) {
        call([&] { return bp_network_apply_gradient(handle(), gradient.data(), gradient.size(), learning_rate); }, error);
    }
    /* The gradients of any function of the outputs, from its gradient with respect to the outputs: the pass of a training
     * step. */
    Gradients backpropagate(Floats inputs, Floats output_gradients, BACKPROP_ERROR) {
        Gradients gradients;
        gradients.parameters.resize(parameter_count(error));
        if (error && *error) return gradients;
        gradients.inputs = backward(inputs, output_gradients, gradients.parameters.data(), gradients.parameters.size(), error);
        if (error && *error) gradients.parameters.clear();
        return gradients;
    }
    /* The gradient with respect to the inputs only, of any function of the outputs of predict. */
    std::vector<float> input_gradients(Floats inputs, Floats output_gradients, BACKPROP_ERROR) {
        return backward(inputs, output_gradients, nullptr, 0, error);
    }
    /* The derivative of each output with respect to each input: [rows][outputs][inputs]. */
    std::vector<float> input_jacobian(Floats inputs, BACKPROP_ERROR) {
        size_t rows;
        if (!are_rows(inputs, &rows, error)) return {};
        const size_t columns = outputs(error);
        if (columns == 0) return {};
        auto compute = [&](float *jacobian) { return bp_network_input_jacobian(handle(), inputs.data(), rows, jacobian); };
        return detail::numbers<float>(inputs.size() * columns, compute, error);
    }
    /* Returns the largest relative error of the gradient. A value below 1e-2 is good. */
    double check_gradient(Floats inputs, Floats targets, BACKPROP_ERROR) {
        size_t rows;
        if (!are_rows(inputs, targets, &rows, error)) return 0;
        auto check = [&](double *worst) {
            return bp_network_check_gradient(handle(), inputs.data(), targets.data(), rows, worst);
        };
        return detail::number<double>(check, error);
    }

    /* Makes this network that of one of several workers: function(values, operation) replaces each value by the sum or the
     * maximum of all workers. values is a View<float> or a View<double>, so use a generic lambda. operation is BP_REDUCE_SUM or
     * BP_REDUCE_MAXIMUM. It returns nothing, or an integer that is not 0 to fail. It may throw. The network owns it. */
    template <class Function> void set_all_reduce(size_t worker, size_t workers, Function function, BACKPROP_ERROR) {
        auto kept = std::make_shared<Function>(std::move(function));
        bp_all_reduce_fn run = [](void *values, size_t count, int32_t type, int32_t operation, void *user_data) {
            Function &combine = *static_cast<Function *>(user_data);
            return detail::guarded([&] {
                if (type == BP_FLOAT) return combine(View<float>(static_cast<float *>(values), count), operation);
                return combine(View<double>(static_cast<double *>(values), count), operation);
            });
        };
        if (call([&] { return bp_network_set_all_reduce(handle(), run, worker, workers, kept.get()); }, error) >= 0)
            all_reduce_ = std::move(kept);
    }
    /* Makes this network train alone again. */
    void remove_all_reduce(BACKPROP_ERROR) {
        if (call([&] { return bp_network_set_all_reduce(handle(), nullptr, 0, 1, nullptr); }, error) >= 0) all_reduce_.reset();
    }

    /* Prediction */

    std::vector<float> predict(Floats inputs, BACKPROP_ERROR) const {
        size_t rows;
        if (!are_rows(inputs, &rows, error)) return {};
        const size_t columns = outputs(error);
        if (columns == 0) return {};
        auto compute = [&](float *outputs) { return bp_network_predict(handle(), inputs.data(), rows, outputs); };
        return detail::numbers<float>(rows * columns, compute, error);
    }
    /* Outputs of float or double: predict_rows<double>(inputs). */
    template <class T> std::vector<T> predict_rows(const bp_rows &inputs, Layout layout, BACKPROP_ERROR) const {
        static_assert(std::is_same_v<T, float> || std::is_same_v<T, double>);
        const size_t columns = outputs(error), down = layout == Layout::row_major ? columns : 1,
                     across = layout == Layout::row_major ? 1 : inputs.rows;
        if (columns == 0) return {};
        auto compute = [&](T *outputs) {
            return bp_network_predict_rows(handle(), &inputs, outputs, detail::type_of<T>(),
                                           static_cast<ptrdiff_t>(down * sizeof(T)),
                                           static_cast<ptrdiff_t>(across * sizeof(T)));
        };
        return detail::numbers<T>(inputs.rows * columns, compute, error);
    }
    template <class T> std::vector<T> predict_rows(const bp_rows &inputs, BACKPROP_ERROR) const {
        return predict_rows<T>(inputs, Layout::row_major, error);
    }
    /* The outputs of a layer. */
    std::vector<float> predict_layer(size_t layer, Floats inputs, BACKPROP_ERROR) const {
        size_t rows;
        if (!are_rows(inputs, &rows, error)) return {};
        const size_t columns = layer_size(layer, error);
        if (columns == 0) return {};
        auto compute = [&](float *outputs) { return bp_network_predict_layer(handle(), layer, inputs.data(), rows, outputs); };
        return detail::numbers<float>(rows * columns, compute, error);
    }
    float evaluate(Floats inputs, Floats targets, BACKPROP_ERROR) const {
        size_t rows;
        if (!are_rows(inputs, targets, &rows, error)) return 0;
        auto compute = [&](float *loss) { return bp_network_evaluate(handle(), inputs.data(), targets.data(), rows, loss); };
        return detail::number<float>(compute, error);
    }
    float evaluate_rows(const bp_rows &inputs, const bp_rows &targets, BACKPROP_ERROR) const {
        auto compute = [&](float *loss) { return bp_network_evaluate_rows(handle(), &inputs, &targets, loss); };
        return detail::number<float>(compute, error);
    }
    /* The loss of each row. */
    std::vector<float> row_losses(Floats inputs, Floats targets, BACKPROP_ERROR) const {
        size_t rows;
        if (!are_rows(inputs, targets, &rows, error)) return {};
        auto compute = [&](float *losses) {
            return bp_network_row_losses(handle(), inputs.data(), targets.data(), rows, losses);
        };
        return detail::numbers<float>(rows, compute, error);
    }
    double score(const std::string &measure, Floats inputs, Floats targets, BACKPROP_ERROR) const {
        size_t rows;
        if (!are_rows(inputs, targets, &rows, error)) return 0;
        auto compute = [&](double *score) {
            return bp_network_score(handle(), measure.c_str(), inputs.data(), targets.data(), rows, score);
        };
        return detail::number<double>(compute, error);
    }
    double score_rows(const std::string &measure, const bp_rows &inputs, const bp_rows &targets, BACKPROP_ERROR) const {
        auto compute = [&](double *score) {
            return bp_network_score_rows(handle(), measure.c_str(), &inputs, &targets, score);
        };
        return detail::number<double>(compute, error);
    }

    /* Parameters: one vector, or tensors by their names */

    size_t parameter_count(BACKPROP_ERROR) const {
        return detail::number<size_t>([&](size_t *out) { return bp_network_parameter_count(handle(), out); }, error);
    }
    std::vector<float> parameters(BACKPROP_ERROR) const {
        const size_t count = parameter_count(error);
        if (count == 0) return {};
        auto get = [&](float *parameters) { return bp_network_get_parameters(handle(), parameters, count); };
        return detail::numbers<float>(count, get, error);
    }
    void set_parameters(Floats parameters, BACKPROP_ERROR) {
        call([&] { return bp_network_set_parameters(handle(), parameters.data(), parameters.size()); }, error);
    }
    std::vector<std::string> tensor_names(BACKPROP_ERROR) const {
        auto get = [&](size_t index, char *buffer, size_t capacity, size_t *needed) {
            return bp_network_tensor_name(handle(), index, buffer, capacity, needed);
        };
        return detail::texts(get, error);
    }
    /* The rows and columns of a tensor. A vector has one row. */
    std::pair<size_t, size_t> tensor_shape(const std::string &name, BACKPROP_ERROR) const {
        std::pair<size_t, size_t> shape;
        call([&] { return bp_network_tensor_shape(handle(), name.c_str(), &shape.first, &shape.second); }, error);
        return shape;
    }
    std::vector<float> tensor(const std::string &name, BACKPROP_ERROR) const {
        const std::pair<size_t, size_t> shape = tensor_shape(name, error);
        const size_t count = shape.first * shape.second;
        if (count == 0) return {};
        auto get = [&](float *values) { return bp_network_get_tensor(handle(), name.c_str(), values, count); };
        return detail::numbers<float>(count, get, error);
    }
    void set_tensor(const std::string &name, Floats values, BACKPROP_ERROR) {
        call([&] { return bp_network_set_tensor(handle(), name.c_str(), values.data(), values.size()); }, error);
    }

    /* Files */

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
    void load_weights(View<const uint8_t> bytes, BACKPROP_ERROR) {
        call([&] { return bp_network_load_weights_memory(handle(), bytes.data(), bytes.size()); }, error);
    }
    /* Replaces the weights and the biases of a layer by two tensors of any safetensors file. bias: nullptr for biases 0. */
    void load_layer(size_t layer, const std::string &path, const std::string &weight, const char *bias, BACKPROP_ERROR) {
        call([&] { return bp_network_load_layer(handle(), layer, path.c_str(), weight.c_str(), bias); }, error);
    }
    void load_layer(size_t layer, View<const uint8_t> bytes, const std::string &weight, const char *bias, BACKPROP_ERROR) {
        auto load = [&] {
            return bp_network_load_layer_memory(handle(), layer, bytes.data(), bytes.size(), weight.c_str(), bias);
        };
        call(load, error);
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

/* A minibatch of a stream. data has its position, its arrays and its number of rows. */
class Minibatch {
    size_t inputs_, targets_;

  public:
    bp_minibatch &data;

    Minibatch(bp_minibatch &data, size_t inputs, size_t targets) : inputs_(inputs), targets_(targets), data(data) {}
    bool full() const { return data.rows == data.capacity; }
    /* Adds a row. */
    void push(Floats inputs, Floats targets, BACKPROP_ERROR) {
        if (inputs.size() != inputs_ || targets.size() != targets_)
            return detail::fail(BP_ERROR_MISMATCH, "the sizes of a row are not those of the network", error);
        if (full()) return detail::fail(BP_ERROR_INVALID_VALUE, "the minibatch is full", error);
        std::copy_n(inputs.data(), inputs_, data.inputs + data.rows * inputs_);
        std::copy_n(targets.data(), targets_, data.targets + data.rows * targets_);
        data.rows++;
        if (error) *error = Error();
    }
};

class Trainer {
    using Progress = std::function<bool(const bp_progress &)>;
    std::unique_ptr<bp_trainer, detail::Free> handle_;
    std::unique_ptr<Progress> progress_;
    std::string warning_;

    /* Makes a fit. Returns whether it succeeded. */
    template <class F> bool run(F fit, Error *error) {
        warning_.clear();
        const int32_t status = call(fit, error);
        if (status == BP_WARNING_MISSING_CLASS) warning_ = bp_last_error_message();
        return status >= 0;
    }
    template <class F> double loss_of(F fit, Error *error) {
        double loss = 0;
        run([&] { return fit(&loss); }, error);
        return loss;
    }
    template <class F>
    std::vector<bp_fit_result> results_of(F fit, View<Network> networks, View<const double> learning_rates, Error *error) {
        if (learning_rates.size() != 0 && learning_rates.size() != networks.size()) {
            detail::fail(BP_ERROR_MISMATCH, "the number of learning rates is not that of the networks", error);
            return {};
        }
        std::vector<bp_network *> handles;
        handles.reserve(networks.size() + 1); /* an address also without networks */
        for (size_t i = 0; i < networks.size(); i++) handles.push_back(networks.data()[i].handle());
        bp_fit_result empty = {};
        empty.struct_size = sizeof empty;
        std::vector<bp_fit_result> results(handles.size(), empty);
        const double *rates = learning_rates.size() > 0 ? learning_rates.data() : nullptr;
        if (!run([&] { return fit(handles.data(), handles.size(), rates, results.data()); }, error)) results.clear();
        return results;
    }
    double fit_rows(Network &network, const bp_rows &inputs, const bp_rows &targets, const bp_rows *validation_inputs,
                    const bp_rows *validation_targets, Error *error) {
        auto fit = [&](double *loss) {
            return bp_trainer_fit_rows(handle(), network.handle(), &inputs, &targets, validation_inputs, validation_targets,
                                       loss);
        };
        return loss_of(fit, error);
    }
    std::vector<bp_fit_result> fit_ensemble_rows(View<Network> networks, const bp_rows &inputs, const bp_rows &targets,
                                                 const bp_rows *validation_inputs, const bp_rows *validation_targets,
                                                 View<const double> learning_rates, Error *error) {
        auto fit = [&](bp_network *const *all, size_t count, const double *rates, bp_fit_result *results) {
            return bp_trainer_fit_ensemble_rows(handle(), all, count, rates, &inputs, &targets, validation_inputs,
                                                validation_targets, results);
        };
        return results_of(fit, networks, learning_rates, error);
    }

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

    double option(const std::string &name, BACKPROP_ERROR) const {
        return detail::number<double>([&](double *out) { return bp_trainer_get_option(handle(), name.c_str(), out); }, error);
    }
    /* Weights of the rows of the fits that follow; empty: all are 1. */
    void set_row_weights(Floats row_weights, BACKPROP_ERROR) {
        call([&] { return bp_trainer_set_row_weights(handle(), row_weights.data(), row_weights.size()); }, error);
    }

    /* progress returns true to stop the fit. An exception aborts it: the network is then as before. */
    void set_progress(Progress progress, BACKPROP_ERROR) {
        auto kept = std::make_unique<Progress>(std::move(progress));
        if (call([&] { return bp_trainer_set_progress(handle(), report, kept.get()); }, error) >= 0)
            progress_ = std::move(kept);
    }

    /* Trains the network. Returns the loss of the weights that it keeps. */
    double fit(Network &network, Rows rows, Rows validation, BACKPROP_ERROR) {
        size_t count, validation_count;
        if (!network.are_rows(rows.inputs, rows.targets, &count, error)) return 0;
        if (!network.are_rows(validation.inputs, validation.targets, &validation_count, error)) return 0;
        auto fit = [&](double *loss) {
            return bp_trainer_fit(handle(), network.handle(), rows.inputs.data(), rows.targets.data(), count,
                                  validation.inputs.data(), validation.targets.data(), validation_count, loss);
        };
        return loss_of(fit, error);
    }
    double fit(Network &network, Rows rows, BACKPROP_ERROR) { return fit(network, rows, {}, error); }

    double fit_rows(Network &network, const bp_rows &inputs, const bp_rows &targets, BACKPROP_ERROR) {
        return fit_rows(network, inputs, targets, nullptr, nullptr, error);
    }
    double fit_rows(Network &network, const bp_rows &inputs, const bp_rows &targets, const bp_rows &validation_inputs,
                    const bp_rows &validation_targets, BACKPROP_ERROR) {
        return fit_rows(network, inputs, targets, &validation_inputs, &validation_targets, error);
    }

    /* Trains the network on a stream: next(minibatch) fills a Minibatch & with the next rows. It returns nothing, or true to
     * stop the fit; or an integer as bp_next_fn. An exception aborts the fit. */
    template <class Next> double fit_stream(Network &network, Next &&next, Rows validation, BACKPROP_ERROR) {
        struct Stream {
            std::remove_reference_t<Next> &next;
            size_t inputs, targets;
        } stream{next, network.inputs(error), network.target_columns(error)};
        size_t validation_count;
        if (!network.are_rows(validation.inputs, validation.targets, &validation_count, error)) return 0;
        bp_next_fn fill = [](bp_minibatch *minibatch, void *user_data) {
            Stream &stream = *static_cast<Stream *>(user_data);
            Minibatch filled(*minibatch, stream.inputs, stream.targets);
            return detail::guarded([&] { return stream.next(filled); });
        };
        auto fit = [&](double *loss) {
            return bp_trainer_fit_stream(handle(), network.handle(), fill, &stream, validation.inputs.data(),
                                         validation.targets.data(), validation_count, loss);
        };
        return loss_of(fit, error);
    }
    template <class Next> double fit_stream(Network &network, Next &&next, BACKPROP_ERROR) {
        return fit_stream(network, next, Rows(), error);
    }

    /* Trains several networks on the same rows, many times faster than one after the other if they are small. Returns a result
     * for each; none if the call fails. learning_rates: one for each network, or empty for that of the trainer. */
    std::vector<bp_fit_result> fit_ensemble(View<Network> networks, Rows rows, Rows validation,
                                            View<const double> learning_rates, BACKPROP_ERROR) {
        size_t count = 0, validation_count = 0;
        for (size_t i = 0; i < networks.size(); i++) {
            const Network &network = networks.data()[i];
            if (!network.are_rows(rows.inputs, rows.targets, &count, error)) return {};
            if (!network.are_rows(validation.inputs, validation.targets, &validation_count, error)) return {};
        }
        auto fit = [&](bp_network *const *all, size_t all_count, const double *rates, bp_fit_result *results) {
            return bp_trainer_fit_ensemble(handle(), all, all_count, rates, rows.inputs.data(), rows.targets.data(), count,
                                           validation.inputs.data(), validation.targets.data(), validation_count, results);
        };
        return results_of(fit, networks, learning_rates, error);
    }
    std::vector<bp_fit_result> fit_ensemble(View<Network> networks, Rows rows, BACKPROP_ERROR) {
        return fit_ensemble(networks, rows, {}, {}, error);
    }
    std::vector<bp_fit_result> fit_ensemble_rows(View<Network> networks, const bp_rows &inputs, const bp_rows &targets,
                                                 View<const double> learning_rates, BACKPROP_ERROR) {
        return fit_ensemble_rows(networks, inputs, targets, nullptr, nullptr, learning_rates, error);
    }
    std::vector<bp_fit_result> fit_ensemble_rows(View<Network> networks, const bp_rows &inputs, const bp_rows &targets,
                                                 const bp_rows &validation_inputs, const bp_rows &validation_targets,
                                                 View<const double> learning_rates, BACKPROP_ERROR) {
        return fit_ensemble_rows(networks, inputs, targets, &validation_inputs, &validation_targets, learning_rates, error);
    }

    /* The result of the latest fit that did not fail. */
    bp_fit_result result(BACKPROP_ERROR) const {
        bp_fit_result result = {};
        result.struct_size = sizeof result;
        call([&] { return bp_trainer_get_result(handle(), &result); }, error);
        return result;
    }
    /* The message of the latest fit if it returned BP_WARNING_MISSING_CLASS; else "". */
    const std::string &warning() const noexcept { return warning_; }

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
    size_t inputs() const noexcept { return inputs_; }
    size_t outputs() const noexcept { return outputs_; }

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

/* Registers a C function of numbers, by its name in a shared library. library: nullptr for the process. derivative: nullptr for
 * central differences. */
inline void register_library_activation(const std::string &name, const char *library, const std::string &function,
                                        const char *derivative, const std::string &signature, View<const double> constants,
                                        BACKPROP_ERROR) {
    auto attempt = [&] {
        return bp_activation_register_library(name.c_str(), library, function.c_str(), derivative, signature.c_str(),
                                              constants.data(), constants.size());
    };
    call(attempt, error);
}

/* Allows the library's threads to call an activation, in layers that are given it from now on. */
inline void set_thread_safe(const std::string &name, bool thread_safe, BACKPROP_ERROR) {
    call([&] { return bp_activation_set_thread_safe(name.c_str(), thread_safe); }, error);
}

/* One of the BP_ACTIVATION constants. */
inline int32_t activation_kind(const std::string &name, BACKPROP_ERROR) {
    return detail::number<int32_t>([&](int32_t *kind) { return bp_activation_kind(name.c_str(), kind); }, error);
}

/* Compares the derivative with differences. A worst_error below 1e-2 is good. */
inline bp_activation_report check_activation(const std::string &name, BACKPROP_ERROR) {
    bp_activation_report report = {};
    report.struct_size = sizeof report;
    detail::number<double>([&](double *worst) { return bp_activation_check(name.c_str(), worst, &report); }, error);
    return report;
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

/* Compares the gradient of a registered loss with differences, at rows of `columns` outputs and their targets. Returns the largest
 * relative error. A value below 1e-2 is good. */
inline double check_loss(const std::string &name, Floats outputs, Floats targets, size_t columns, BACKPROP_ERROR) {
    size_t rows;
    if (!detail::are_rows(outputs.size(), columns, &rows, error)) return 0;
    Network network({1, columns}, 1, error); /* has the size of a row of targets */
    if (!network) return 0;
    network.set_loss(name, error);
    if (error && *error) return 0;
    if (!detail::are_rows_of(targets.size(), rows, network.target_columns(error), error)) return 0;
    auto check = [&](double *worst) {
        return bp_loss_check(name.c_str(), outputs.data(), targets.data(), rows, columns, worst);
    };
    return detail::number<double>(check, error);
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
