// Tests backprop.hpp. Compiled with exceptions, and by -fno-exceptions without the tests of exceptions.
#include "check.hpp"

#include <array>
#include <fstream>
#include <type_traits>

static_assert(std::is_nothrow_move_constructible_v<Network> && !std::is_copy_constructible_v<Network>);

static void errors_are_stored_where_the_caller_says() {
    Error error;
    Network network = trained(1);
    network.set_activation(1, "no such", &error);
    CHECK(error && error.status() == BP_ERROR_UNKNOWN_NAME && std::strstr(error.what(), "no such"));
    network.set_activation(1, "tanh", &error);
    CHECK(!error && error.status() == BP_OK && *error.what() == 0);
    Network none({2}, 1, &error);
    CHECK(error.status() == BP_ERROR_INVALID_VALUE && !none);
    CHECK(Network::load("none.safetensors", &error).handle() == nullptr && error.status() == BP_ERROR_IO);
    CHECK(none.predict(inputs, &error).empty() && error.status() == BP_ERROR_NULL_ARGUMENT);
    CHECK(none.parameters(&error).empty() && error && none.to_bytes(&error).empty() && error);
}

static void wrong_sizes_are_refused() {
    Error error;
    Network network = trained(1);
    CHECK(network.predict({0, 0, 1}, &error).empty() && error.status() == BP_ERROR_MISMATCH);
    CHECK(std::strcmp(error.what(), "3 numbers are not rows of 2") == 0);
    network.train(inputs, {0, 1, 1}, 0.5f, &error);
    CHECK(error.status() == BP_ERROR_MISMATCH);
    network.evaluate(inputs, {0, 1, 1, 0, 0}, &error);
    CHECK(error.status() == BP_ERROR_MISMATCH);
    network.score("accuracy", inputs, {}, &error);
    CHECK(error.status() == BP_ERROR_MISMATCH);
    network.set_parameters({1, 2, 3}, &error);
    CHECK(error.status() == BP_ERROR_MISMATCH);
    backprop::Trainer trainer(&error);
    CHECK(!error);
    trainer.fit(network, {inputs, {0, 1, 1}}, &error);
    CHECK(error.status() == BP_ERROR_MISMATCH);
    trainer.fit(network, {inputs, targets}, {{0, 0, 1}, {1}}, &error);
    CHECK(error.status() == BP_ERROR_MISMATCH);
    backprop::Predictor predictor(network, &error);
    std::array<float, 3> three;
    CHECK(!error && predictor.run(inputs, three) == BP_ERROR_MISMATCH && predictor.run({0, 0, 1}, three) == BP_ERROR_MISMATCH);
}

static void views_are_made_from_arrays_of_all_kinds() {
    Error error;
    Network network = trained(10);
    const std::array<float, 2> array = {1, 0};
    const float plain[] = {1, 0};
    const std::vector<float> expected = network.predict(std::vector<float>{1, 0}, &error);
    CHECK(!error && expected.size() == 1);
    CHECK(network.predict(array, &error) == expected && network.predict(plain, &error) == expected);
    CHECK(network.predict({1, 0}, &error) == expected && network.predict({array.data(), 2}, &error) == expected);
    CHECK(network.predict({}, &error).empty() && !error);
}

static void a_moved_network_leaves_an_empty_one() {
    Error error;
    Network network = trained(10);
    const std::vector<float> outputs = network.predict(inputs, &error);
    Network moved = std::move(network);
    CHECK(!network && moved.predict(inputs, &error) == outputs);
    network.predict(inputs, &error);
    CHECK(error.status() == BP_ERROR_NULL_ARGUMENT);
    network = moved.clone(&error);
    moved.train(inputs, targets, 0.5f, &error);
    CHECK(!error && network.predict(inputs, &error) == outputs && moved.predict(inputs, &error) != outputs);
}

static void files_and_bytes_keep_the_network() {
    Error error;
    Network network = trained(10);
    network.save("wrapper.safetensors", &error);
    const std::vector<uint8_t> bytes = network.to_bytes(&error);
    CHECK(!error && Network::load("wrapper.safetensors", &error).parameters(&error) == network.parameters(&error));
    CHECK(Network::from_bytes(bytes, &error).to_bytes(&error) == bytes && !error);
    Network::from_bytes({bytes.data(), bytes.size() - 1}, &error);
    CHECK(error.status() == BP_ERROR_CORRUPT);
}

static void exported_files_and_metadata_have_their_texts() {
    Error error;
    Network network = trained(10);
    network.set_metadata("source", "caf\xc3\xa9", &error);
    network.set_metadata("empty", "", &error);
    CHECK(!error && network.metadata("source", &error) == "caf\xc3\xa9" && network.metadata("empty", &error).empty() && !error);
    CHECK(network.metadata("none", &error).empty() && error.status() == BP_ERROR_UNKNOWN_NAME);
    network.export_c("wrapper_xor.c", "xor2", 32, BP_EXPORT_FOLDED, &error);
    CHECK(!error && std::ifstream("wrapper_xor.c").good());
    network.export_swift("Wrapper.swift", "Xor", 8, 0, &error);
    CHECK(!error && std::ifstream("Wrapper.swift").good());
    network.export_c("wrapper_xor.c", "2", 32, 0, &error);
    CHECK(error.status() == BP_ERROR_INVALID_VALUE);

    Network other({2, 4, 1}, 9, &error);
    network.save("wrapper.safetensors", &error);
    other.load_weights("wrapper.safetensors", &error);
    CHECK(!error && other.parameters(&error) == network.parameters(&error));
}

static void a_gradient_and_its_step_are_a_training_step() {
    Error error;
    Network network = trained(10), other = network.clone(&error);
    float loss = 0;
    const float expected = network.train(inputs, targets, 0.5f, &error);
    other.apply_gradient(other.gradient(inputs, targets, &loss, &error), 0.5f, &error);
    CHECK(!error && std::fabs(loss - expected) < 1e-6f);
    const std::vector<float> a = network.parameters(&error), b = other.parameters(&error);
    for (size_t i = 0; i < a.size(); i++) CHECK(std::fabs(a[i] - b[i]) < 1e-6f);
    CHECK(other.gradient(inputs, {0}, &loss, &error).empty() && error.status() == BP_ERROR_MISMATCH);
}

/* Half of the squared error, as the library's own. */
static double squared(backprop::Floats y, backprop::Floats t, backprop::MutableFloats gradient) {
    double loss = 0;
    for (size_t i = 0; i < y.size(); i++) {
        const float difference = y.data()[i] - t.data()[i];
        loss += 0.5 * difference * difference;
        if (gradient.size() > 0) gradient.data()[i] = difference;
    }
    return loss;
}

static void a_loss_of_rows_trains_as_the_built_in_one() {
    Error error;
    Network network = trained(0), other = trained(0);
    backprop::register_loss("wrapper.squared", 0, squared, &error);
    CHECK(!error);
    other.set_loss("wrapper.squared", &error);
    for (int step = 0; step < 20; step++) {
        const float expected = network.train(inputs, targets, 0.5f, &error);
        CHECK(std::fabs(other.train(inputs, targets, 0.5f, &error) - expected) < 1e-5f && !error);
    }
    backprop::register_loss("wrapper.squared", 0, squared, &error);
    CHECK(error.status() == BP_ERROR_INVALID_VALUE);
    backprop::unregister_loss("wrapper.squared", &error);
    CHECK(!error);
    backprop::load_plugin("./none.so", &error);
    CHECK(error.status() == BP_ERROR_LIBRARY);
}

static void an_activation_lives_as_long_as_it_is_used() {
    Error error;
    auto state = std::make_shared<int>();
    {
        auto function = [state](float z) { return z; };
        auto derivative = [state](float, float) { return 1.0f; };
        backprop::register_activation("kept", function, derivative, &error);
        CHECK(!error);
    }
    CHECK(state.use_count() == 3);
    backprop::register_activation("kept", [state](float z) { return z; }, &error); /* the name is taken */
    CHECK(error.status() == BP_ERROR_INVALID_VALUE && state.use_count() == 3);
    {
        Network network = trained(0);
        network.set_activation(1, "kept", &error);
        backprop::unregister_activation("kept", &error);
        CHECK(!error && state.use_count() == 3);
        network.train(inputs, targets, 0.5f, &error);
        CHECK(!error);
    }
    CHECK(state.use_count() == 1);
    backprop::unregister_activation("kept", &error);
    CHECK(error.status() == BP_ERROR_UNKNOWN_NAME);
}

static void a_returned_number_makes_a_call_fail() {
    Error error;
    auto forward = [](const float *, float *, size_t, size_t) { return 42; };
    auto backward = [](const float *, const float *, const float *, float *, size_t, size_t) {};
    backprop::register_vector_activation("refusing", forward, backward, &error);
    Network network = trained(0);
    network.set_activation(1, "refusing", &error);
    CHECK(!error);
    network.train(inputs, targets, 0.5f, &error);
    CHECK(error.status() == BP_ERROR_CALLBACK && std::strstr(error.what(), "42"));
}

static void a_network_with_all_kinds_of_settings_learns_the_species_of_irises(const char *path) {
    Error error;
    std::vector<float> x, y;
    std::ifstream file(path);
    std::string line;
    std::getline(file, line); /* the names of the columns */
    while (std::getline(file, line)) {
        float length, width, petal_length, petal_width;
        char species[32];
        CHECK(std::sscanf(line.c_str(), "%f,%f,%f,%f,%31s", &length, &width, &petal_length, &petal_width, species) == 5);
        x.insert(x.end(), {length, width, petal_length, petal_width});
        for (const char *name : {"setosa", "versicolor", "virginica"}) y.push_back(std::strcmp(species, name) == 0);
    }
    CHECK(x.size() == 150 * 4);
    Network network({4, 16, 3}, 1, &error);
    network.set_activation(1, "tanh", &error);
    CHECK(!error);
    network.set_activation(2, "softmax", &error);
    CHECK(!error);
    network.set_batchnorm(1, true, &error);
    CHECK(!error);
    network.set_loss("cross_entropy", &error);
    CHECK(!error);
    network.set_optimizer("adam", &error);
    CHECK(!error);
    network.set_option("gradient_reduction", BP_REDUCTION_MEAN, &error);
    CHECK(!error);
    network.set_dropout(1, 0.1, &error);
    CHECK(!error);
    network.fit_scaling("standard", "none", x, {}, &error);
    CHECK(!error && network.option("gradient_reduction", &error) == BP_REDUCTION_MEAN);
    const float before = network.evaluate(x, y, &error);
    backprop::Trainer trainer(&error);
    trainer.set_option("epochs", 60, &error);
    CHECK(!error);
    trainer.set_option("batch_size", 16, &error);
    CHECK(!error);
    trainer.set_option("learning_rate", 0.01, &error);
    CHECK(!error);
    trainer.fit(network, {x, y}, {x, y}, &error);
    CHECK(!error && network.score("accuracy", x, y, &error) > 0.94 && network.evaluate(x, y, &error) < before / 4);
    CHECK(network.inputs(&error) == 4 && network.outputs(&error) == 3 && !error);
}

static void a_trainer_fits_and_stops() {
    Error error;
    Network network = trained(0);
    backprop::Trainer trainer(&error);
    trainer.set_option("epochs", 50, &error);
    trainer.set_option("batch_size", 4, &error);
    int reports = 0;
    trainer.set_progress([&reports](const bp_progress &progress) { return ++reports, progress.epoch == 7; }, &error);
    const double loss = trainer.fit(network, {inputs, targets}, &error);
    CHECK(!error && reports == 7 && std::isfinite(loss));
    const bp_fit_result result = trainer.result(&error);
    CHECK(!error && result.end == BP_END_STOPPED && result.epochs == 7);
    trainer.set_option("no such", 1, &error);
    CHECK(error.status() == BP_ERROR_UNKNOWN_NAME);
}

static void a_predictor_has_the_predictions_of_its_network() {
    Error error;
    Network network = trained(10);
    backprop::Predictor predictor(network, &error);
    std::vector<float> outputs(4);
    CHECK(!error && predictor.run(inputs, outputs) == BP_OK && outputs == network.predict(inputs, &error));
    network.train(inputs, targets, 0.5f, &error);
    predictor.update(network, &error);
    CHECK(!error && predictor.run(inputs, outputs) == BP_OK && outputs == network.predict(inputs, &error));
    predictor.update(Network({3, 1}, 1, &error), &error);
    CHECK(error.status() == BP_ERROR_MISMATCH);
}

#if defined(__cpp_exceptions)

static float absolute(float z) { return std::fabs(z); }
static float sign(float z, float) { return z < 0 ? -1.0f : 1.0f; }

static void errors_are_thrown() {
    CHECK(status_of([] { Network({2}, 1); }) == BP_ERROR_INVALID_VALUE);
    CHECK(status_of([] { Network::load("none.safetensors"); }) == BP_ERROR_IO);
    CHECK(status_of([] { trained(0).predict({1}); }) == BP_ERROR_MISMATCH);
    CHECK(status_of([] { backprop::register_activation("No", absolute, sign); }) == BP_ERROR_INVALID_VALUE);
}

static void an_exception_of_a_callback_is_thrown_after_the_call_and_changes_nothing() {
    auto throwing = [](float) -> float { throw Thrown{1}; };
    backprop::register_activation("throwing", throwing, sign);
    backprop::register_activation("throwing_derivative", absolute, [](float, float) -> float { throw Thrown{2}; });
    backprop::register_activation("throwing_without_derivative", throwing);
    for (const char *name : {"throwing", "throwing_derivative", "throwing_without_derivative"}) {
        const bool in_derivative = std::strcmp(name, "throwing_derivative") == 0;
        Network network = trained(10);
        network.set_activation(1, name);
        const std::vector<float> parameters = network.parameters();
        CHECK(thrown_by([&] { network.train(inputs, targets, 0.5f); }) == (in_derivative ? 2 : 1));
        CHECK(thrown_by([&] { network.predict(inputs); }) == (in_derivative ? 0 : 1));
        CHECK(network.parameters() == parameters);
        Error error;
        network.train(inputs, targets, 0.5f, &error);
        CHECK(error && *error.what());
        network.set_activation(1, "tanh");
        network.train(inputs, targets, 0.5f);
        CHECK(network.parameters() != parameters);
    }
}

static void an_exception_of_a_loss_is_thrown_after_the_call_and_changes_nothing() {
    backprop::register_loss("wrapper.throwing", 0, [](auto, auto, auto) -> double { throw Thrown{6}; });
    Network network = trained(10);
    network.set_loss("wrapper.throwing");
    const std::vector<float> parameters = network.parameters();
    CHECK(thrown_by([&] { network.train(inputs, targets, 0.5f); }) == 6 && network.parameters() == parameters);
}

static void an_exception_of_a_progress_function_undoes_the_fit() {
    Network network = trained(10);
    const std::vector<float> parameters = network.parameters();
    backprop::Trainer trainer;
    trainer.set_progress([](const bp_progress &progress) -> bool {
        if (progress.epoch == 3) throw Thrown{3};
        return false;
    });
    CHECK(thrown_by([&] { trainer.fit(network, {inputs, targets}); }) == 3);
    CHECK(network.parameters() == parameters);
}

static void a_callback_may_use_the_library_and_fail_there() {
    Network inner = trained(1);
    inner.set_activation(1, "throwing");
    backprop::register_activation("outer", absolute, [&inner](float, float) -> float {
        CHECK(thrown_by([&] { inner.predict(inputs); }) == 1);
        throw Thrown{4};
    });
    Network network = trained(1);
    network.set_activation(1, "outer");
    CHECK(thrown_by([&] { network.train(inputs, targets, 0.5f); }) == 4);
    network.set_activation(1, "tanh");
    CHECK(thrown_by([&] { network.train(inputs, targets, 0.5f); }) == 0);
}

/* The activation runs on the library's threads, too. */
static void an_exception_on_a_thread_of_the_library_is_an_error() {
    backprop::register_activation("on_threads", [](float) -> float { throw Thrown{5}; }, sign);
    backprop::set_thread_safe("on_threads", true);
    backprop::set_thread_count(4);
    Network network({64, 256, 8}, 1);
    network.set_activation(1, "on_threads");
    const std::vector<float> x(64 * 512), y(8 * 512);
    for (int i = 0; i < 20; i++) {
        int32_t status = BP_OK;
        const int thrown = thrown_by([&] { status = status_of([&] { network.train(x, y, 0.5f); }); });
        CHECK(thrown == 5 || status == BP_ERROR_CALLBACK);
    }
}

#endif

int main(int count, char **arguments) {
    CHECK(count == 2);
    test_data();
    test_fits();
    test_callbacks();
    errors_are_stored_where_the_caller_says();
    wrong_sizes_are_refused();
    views_are_made_from_arrays_of_all_kinds();
    a_moved_network_leaves_an_empty_one();
    files_and_bytes_keep_the_network();
    exported_files_and_metadata_have_their_texts();
    a_gradient_and_its_step_are_a_training_step();
    a_loss_of_rows_trains_as_the_built_in_one();
    an_activation_lives_as_long_as_it_is_used();
    a_returned_number_makes_a_call_fail();
    a_network_with_all_kinds_of_settings_learns_the_species_of_irises(arguments[1]);
    a_trainer_fits_and_stops();
    a_predictor_has_the_predictions_of_its_network();
#if defined(__cpp_exceptions)
    errors_are_thrown();
    an_exception_of_a_callback_is_thrown_after_the_call_and_changes_nothing();
    an_exception_of_a_loss_is_thrown_after_the_call_and_changes_nothing();
    an_exception_of_a_progress_function_undoes_the_fit();
    a_callback_may_use_the_library_and_fail_there();
    an_exception_on_a_thread_of_the_library_is_an_error();
#endif
}
