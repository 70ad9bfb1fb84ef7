// Tests of fits: rows, streams and ensembles.
#include "check.hpp"

using backprop::Minibatch;
using backprop::Trainer;

static Network tanh_network(uint64_t seed) {
    Error error;
    Network network({2, 4, 1}, seed, &error);
    network.set_activation(1, "tanh", &error);
    CHECK(!error);
    return network;
}

static std::vector<Network> three_networks() {
    std::vector<Network> networks;
    for (uint64_t seed = 1; seed <= 3; seed++) networks.push_back(tanh_network(seed));
    return networks;
}

static Trainer trainer_with(std::initializer_list<std::pair<const char *, double>> options) {
    Error error;
    Trainer trainer(&error);
    for (const auto &[name, value] : options) {
        trainer.set_option(name, value, &error);
        CHECK(!error && trainer.option(name, &error) == value && !error);
    }
    return trainer;
}

/* The rows, in the order of the data. */
static void next(Minibatch &minibatch) {
    Error error;
    for (size_t row = minibatch.data.first_row; row < 4 && !minibatch.full(); row++) {
        minibatch.push({&inputs[2 * row], 2}, {&targets[row], 1}, &error);
        CHECK(!error);
    }
}

static void row_weights_of_zero_leave_rows_out() {
    Error error;
    Network one = tanh_network(1), other = tanh_network(1), expected = tanh_network(1);
    Trainer trainer = trainer_with({{"epochs", 5}, {"batch_size", 0}, {"learning_rate", 0.5}, {"keep", BP_KEEP_LATEST}});
    const std::vector<float> row_weights = {1, 1, 0, 0};
    const bp_rows x = backprop::matrix(inputs, 2, &error);
    bp_rows y = backprop::matrix(targets, 1, &error);
    y.row_weights = row_weights.data();
    trainer.fit_rows(one, x, y, x, y, &error);
    CHECK(!error);
    trainer.set_row_weights(row_weights, &error);
    CHECK(!error && trainer.fit(other, {inputs, targets}, &error) > 0 && !error);
    for (int step = 0; step < 5; step++) expected.train({inputs.data(), 4}, {targets.data(), 2}, 0.5f, &error);
    const std::vector<float> a = one.parameters(&error), b = other.parameters(&error), c = expected.parameters(&error);
    for (size_t i = 0; i < c.size(); i++) CHECK(std::fabs(a[i] - c[i]) < 1e-6f && std::fabs(b[i] - c[i]) < 1e-6f);
    trainer.set_row_weights({-1}, &error);
    CHECK(error.status() == BP_ERROR_INVALID_VALUE);
    trainer.set_row_weights({}, &error);
    CHECK(!error && trainer.fit_rows(one, x, y, &error) > 0 && !error);
}

static void a_class_that_is_not_in_both_parts_is_a_warning() {
    Error error;
    Network network = tanh_network(1);
    Trainer trainer = trainer_with({{"epochs", 1}, {"validation_fraction", 0.5}, {"stratify", 1}});
    trainer.fit(network, {inputs, {0, 1, 0, 0}}, &error);
    CHECK(!error && trainer.warning().find("class") != std::string::npos);
    trainer.fit(network, {inputs, targets}, &error);
    CHECK(!error && trainer.warning().empty());
}

static void a_fit_from_a_stream_makes_the_steps_of_its_minibatches() {
    Error error;
    Network network = tanh_network(1), other = tanh_network(1);
    Trainer trainer = trainer_with({{"epochs", 3}, {"batch_size", 2}, {"learning_rate", 0.5}, {"keep", BP_KEEP_LATEST}});
    trainer.fit_stream(network, next, {inputs, targets}, &error);
    CHECK(!error && trainer.result(&error).end == BP_END_COMPLETE && trainer.result(&error).steps == 6);
    for (int epoch = 0; epoch < 3; epoch++)
        for (size_t row = 0; row < 4; row += 2) other.train({&inputs[2 * row], 4}, {&targets[row], 2}, 0.5f, &error);
    CHECK(network.parameters(&error) == other.parameters(&error) && !error);
}

static void a_stream_stops_or_aborts_a_fit() {
    Error error;
    Network network = tanh_network(1);
    Trainer trainer = trainer_with({{"epochs", 9}, {"batch_size", 2}});
    const std::vector<float> parameters = network.parameters(&error);
    auto at_epoch_2 = [](int32_t answer) {
        return [answer](Minibatch &minibatch) { return minibatch.data.epoch == 2 ? answer : (next(minibatch), 0); };
    };
    trainer.fit_stream(network, at_epoch_2(-5), &error);
    CHECK(error.status() == BP_ERROR_CALLBACK && std::strstr(error.what(), "-5"));
    Error pushed;
    trainer.fit_stream(
        network,
        [&](Minibatch &minibatch) {
            minibatch.push({1, 2, 3}, {1}, &pushed);
            CHECK(pushed.status() == BP_ERROR_MISMATCH);
            for (int row = 0; row < 3; row++) minibatch.push({1, 2}, {1}, &pushed);
            return pushed.status();
        },
        &error);
    CHECK(pushed.status() == BP_ERROR_INVALID_VALUE && error.status() == BP_ERROR_CALLBACK);
    trainer.fit_stream(network, [](Minibatch &) {}, &error); /* no rows */
    CHECK(error.status() == BP_ERROR_INVALID_VALUE && network.parameters(&error) == parameters);
    trainer.fit_stream(network, at_epoch_2(1), &error);
    CHECK(!error && trainer.result(&error).end == BP_END_STOPPED && network.parameters(&error) != parameters);
}

static void each_network_of_an_ensemble_has_the_bits_of_its_own_fit() {
    Error error;
    const std::vector<double> rates = {0.1, 0.2, 0.5}, doubles(inputs.begin(), inputs.end());
    std::vector<Network> networks = three_networks(), again = three_networks(), plain = three_networks();
    Trainer trainer = trainer_with({{"epochs", 20}, {"batch_size", 0}, {"learning_rate", 0.1}});
    const std::vector<bp_fit_result> results = trainer.fit_ensemble(networks, {inputs, targets}, {}, rates, &error);
    CHECK(!error && results.size() == 3);
    const bp_rows x = backprop::matrix(doubles, 2, &error), y = backprop::matrix(targets, 1, &error);
    CHECK(trainer.fit_ensemble_rows(again, x, y, rates, &error).size() == 3 && !error);
    CHECK(trainer.fit_ensemble(plain, {inputs, targets}, &error)[0].loss == results[0].loss && !error);
    CHECK(trainer.fit_ensemble_rows(plain, x, y, x, y, {}, &error).size() == 3 && !error);
    for (size_t i = 0; i < 3; i++) {
        Network alone = tanh_network(i + 1);
        trainer.set_option("learning_rate", rates[i], &error);
        CHECK(!error && trainer.fit(alone, {inputs, targets}, &error) == results[i].loss && results[i].end == BP_END_COMPLETE);
        CHECK(networks[i].parameters(&error) == alone.parameters(&error));
        CHECK(again[i].parameters(&error) == alone.parameters(&error));
    }
}

static void an_ensemble_that_fails_changes_no_network() {
    Error error;
    std::vector<Network> networks = three_networks();
    Trainer trainer = trainer_with({{"epochs", 20}});
    auto status_of = [&](backprop::View<Network> some, backprop::Floats y, backprop::View<const double> rates) {
        CHECK(trainer.fit_ensemble(some, {inputs, y}, {}, rates, &error).empty());
        return error.status();
    };
    CHECK(status_of(networks, targets, {0.1}) == BP_ERROR_MISMATCH);
    CHECK(status_of(networks, targets, {0.1, -1, 0.1}) == BP_ERROR_INVALID_VALUE);
    CHECK(status_of(networks, {0}, {}) == BP_ERROR_MISMATCH);
    CHECK(status_of({}, targets, {}) == BP_ERROR_INVALID_VALUE);
    for (size_t i = 0; i < 3; i++) CHECK(networks[i].parameters(&error) == tanh_network(i + 1).parameters(&error));
}

#if defined(__cpp_exceptions)

static void an_exception_of_a_stream_or_of_an_ensemble_undoes_the_fit() {
    std::vector<Network> networks = three_networks();
    const std::vector<float> parameters = networks[0].parameters();
    Trainer trainer = trainer_with({{"epochs", 9}, {"batch_size", 2}});
    auto throwing = [](Minibatch &minibatch) {
        if (minibatch.data.epoch == 2) throw Thrown{1};
        next(minibatch);
    };
    CHECK(thrown_by([&] { trainer.fit_stream(networks[0], throwing); }) == 1);
    CHECK(status_of([&] { trainer.fit_stream(networks[0], [](Minibatch &batch) { batch.push({1}, {1}); }); }) ==
          BP_ERROR_MISMATCH);
    trainer.set_progress([](const bp_progress &) -> bool { throw Thrown{2}; });
    CHECK(thrown_by([&] { trainer.fit_ensemble(networks, {inputs, targets}); }) == 2);
    CHECK(networks[0].parameters() == parameters);
}

#endif

void test_fits() {
    row_weights_of_zero_leave_rows_out();
    a_class_that_is_not_in_both_parts_is_a_warning();
    a_fit_from_a_stream_makes_the_steps_of_its_minibatches();
    a_stream_stops_or_aborts_a_fit();
    each_network_of_an_ensemble_has_the_bits_of_its_own_fit();
    an_ensemble_that_fails_changes_no_network();
#if defined(__cpp_exceptions)
    an_exception_of_a_stream_or_of_an_ensemble_undoes_the_fit();
#endif
}
