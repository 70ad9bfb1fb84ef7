// Tests of activations of a library, of checks, and of all-reduce functions.
#include "check.hpp"

#include <condition_variable>
#include <mutex>
#include <thread>

static void a_function_of_a_shared_library_is_an_activation() {
    Error error;
    Network network({1, 1}, 1, &error);
    network.set_parameters({1, 0}, &error);
    backprop::register_library_activation("erf", "libm.so.6", "erf", nullptr, "d(d)", {}, &error);
    CHECK(!error && backprop::activation_kind("erf", &error) == BP_ACTIVATION_LIBRARY && !error);
    network.set_activation(1, "erf", &error);
    CHECK(!error && std::fabs(network.predict({1}, &error)[0] - 0.8427008f) < 1e-6f);
    backprop::register_library_activation("eighth", "libm.so.6", "ldexp", nullptr, "d(d,i)", {-3}, &error);
    CHECK(!error);
    network.set_activation(1, "eighth", &error);
    CHECK(!error && network.predict({16}, &error)[0] == 2);
    backprop::register_library_activation("none", "libm.so.6", "no_such_function", nullptr, "d(d)", {}, &error);
    CHECK(error.status() == BP_ERROR_LIBRARY);
}

static void a_check_finds_a_wrong_derivative_and_a_kink() {
    Error error;
    backprop::register_activation("square", [](float z) { return z * z; }, [](float z, float) { return 3 * z; }, &error);
    CHECK(!error && backprop::check_activation("square", &error).worst_error > 0.2 && !error);
    backprop::register_activation("kink", [](float z) { return std::fabs(z); }, &error);
    const bp_activation_report report = backprop::check_activation("kink", &error);
    CHECK(!error && report.worst_error < 1e-2 && report.kinks > 0 && report.first_kink == 0);
    backprop::check_activation("none", &error);
    CHECK(error.status() == BP_ERROR_UNKNOWN_NAME);
    backprop::set_thread_safe("kink", true, &error);
    CHECK(!error);
    backprop::set_thread_safe("tanh", true, &error);
    CHECK(error.status() == BP_ERROR_UNSUPPORTED);
}

static void a_check_finds_a_wrong_gradient_of_a_loss() {
    Error error;
    auto loss = [](float factor) {
        return [factor](backprop::Floats a, backprop::Floats t, backprop::MutableFloats gradient) {
            const float difference = a.data()[0] - t.data()[0];
            if (gradient.size() > 0) gradient.data()[0] = factor * difference;
            return double(difference) * difference;
        };
    };
    backprop::register_loss("right", 2, loss(2), &error);
    backprop::register_loss("wrong", 2, loss(3), &error);
    CHECK(!error && backprop::check_loss("right", {1, 2}, {0, 9, 0.5f, 9}, 1, &error) < 1e-2 && !error);
    CHECK(backprop::check_loss("wrong", {1, 2}, {0, 9, 0.5f, 9}, 1, &error) > 0.2 && !error);
    backprop::check_loss("right", {1, 2}, {0, 9}, 1, &error);
    CHECK(error.status() == BP_ERROR_MISMATCH);
    backprop::check_loss("none", {1, 2}, {0, 9}, 1, &error);
    CHECK(error.status() == BP_ERROR_UNKNOWN_NAME);
}

/* Combines the numbers of two threads. */
class Exchange {
    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<double> sums_;
    size_t arrived_ = 0, left_ = 0;

  public:
    template <class Values> void combine(Values values, int32_t operation) {
        std::unique_lock<std::mutex> lock(mutex_);
        changed_.wait(lock, [&] { return left_ == 0; });
        if (arrived_++ == 0) sums_.assign(values.data(), values.data() + values.size());
        else {
            for (size_t i = 0; i < values.size(); i++) {
                const double own = values.data()[i];
                sums_[i] = operation == BP_REDUCE_SUM ? sums_[i] + own : std::max(sums_[i], own);
            }
            left_ = 2;
            arrived_ = 0;
            changed_.notify_all();
        }
        changed_.wait(lock, [&] { return left_ > 0; });
        using Number = std::remove_pointer_t<decltype(values.data())>;
        for (size_t i = 0; i < values.size(); i++) values.data()[i] = static_cast<Number>(sums_[i]);
        if (--left_ == 0) changed_.notify_all();
    }
};

static void two_workers_make_the_steps_of_one() {
    Error error;
    Exchange exchange;
    std::vector<float> found[2];
    auto work = [&](size_t worker) {
        Error own;
        Network network = trained(0);
        network.set_all_reduce(worker, 2, [&](auto values, int32_t operation) { exchange.combine(values, operation); }, &own);
        CHECK(!own);
        Network moved = std::move(network); /* with its function */
        for (int step = 0; step < 10; step++) {
            moved.train({&inputs[4 * worker], 4}, {&targets[2 * worker], 2}, 0.5f, &own);
            CHECK(!own);
        }
        found[worker] = moved.parameters(&own);
    };
    std::thread other(work, 1);
    work(0);
    other.join();
    const std::vector<float> expected = trained(10).parameters(&error);
    CHECK(found[0] == found[1] && found[0].size() == expected.size());
    for (size_t i = 0; i < expected.size(); i++) CHECK(std::fabs(found[0][i] - expected[i]) < 1e-5f);
}

static void an_all_reduce_function_that_fails_changes_nothing_and_lives_as_long_as_it_is_used() {
    Error error;
    auto state = std::make_shared<int>();
    {
        Network network = trained(10);
        const std::vector<float> parameters = network.parameters(&error);
        network.set_all_reduce(0, 2, [state](auto, int32_t) { return 42; }, &error);
        CHECK(!error && state.use_count() == 2);
        network.train(inputs, targets, 0.5f, &error);
        CHECK(error.status() == BP_ERROR_CALLBACK && std::strstr(error.what(), "42"));
        CHECK(network.parameters(&error) == parameters);
        network.set_all_reduce(2, 2, [state](auto, int32_t) { return 42; }, &error);
        CHECK(error.status() == BP_ERROR_INVALID_VALUE && state.use_count() == 2);
        network.clone(&error).train(inputs, targets, 0.5f, &error); /* a copy trains alone */
        CHECK(!error);
        network.remove_all_reduce(&error);
        CHECK(!error && state.use_count() == 1);
        network.train(inputs, targets, 0.5f, &error);
        CHECK(!error);
        network.set_all_reduce(0, 2, [state](auto, int32_t) { return 42; }, &error);
        CHECK(!error && state.use_count() == 2);
    }
    CHECK(state.use_count() == 1);
}

#if defined(__cpp_exceptions)

static void exceptions_of_an_all_reduce_function_and_of_a_checked_loss_are_thrown_after_the_call() {
    Network network = trained(10);
    const std::vector<float> parameters = network.parameters();
    network.set_all_reduce(0, 2, [](auto, int32_t) { throw Thrown{7}; });
    CHECK(thrown_by([&] { network.train(inputs, targets, 0.5f); }) == 7 && network.parameters() == parameters);
    backprop::register_loss("throws", 0, [](auto, auto, auto) -> double { throw Thrown{8}; });
    CHECK(thrown_by([] { backprop::check_loss("throws", {1}, {1}, 1); }) == 8);
}

#endif

void test_callbacks() {
    a_function_of_a_shared_library_is_an_activation();
    a_check_finds_a_wrong_derivative_and_a_kink();
    a_check_finds_a_wrong_gradient_of_a_loss();
    two_workers_make_the_steps_of_one();
    an_all_reduce_function_that_fails_changes_nothing_and_lives_as_long_as_it_is_used();
#if defined(__cpp_exceptions)
    exceptions_of_an_all_reduce_function_and_of_a_checked_loss_are_thrown_after_the_call();
#endif
}
