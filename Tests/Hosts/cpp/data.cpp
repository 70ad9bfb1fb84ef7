// Tests of settings, rows of any type and layout, tensors and gradients.
#include "check.hpp"

#include <array>

using backprop::Layout;

/* Two inputs, two outputs: y = W x + b. */
static const std::vector<float> weights = {1, 2, -3, 0.5f}, biases = {0.25f, -1}, x = {1, 2, 3, 4, 5, 6},
                                y = {5.25f, -3, 11.25f, -8, 17.25f, -13};

static Network linear() {
    Error error;
    Network network({2, 2}, 1, &error);
    network.set_activation(1, "identity", &error);
    CHECK(!error);
    network.set_tensor("layers.1.weight", weights, &error);
    CHECK(!error);
    network.set_tensor("layers.1.bias", biases, &error);
    CHECK(!error);
    return network;
}

static void the_library_lists_what_it_has() {
    Error error;
    auto has = [&](const std::vector<std::string> &names, const char *name) {
        return !error && std::find(names.begin(), names.end(), name) != names.end();
    };
    CHECK(has(backprop::activation_names(&error), "softmax") && has(backprop::loss_names(&error), "poisson"));
    CHECK(has(backprop::optimizer_names(&error), "lbfgs") && has(backprop::scaling_names(&error), "min_max"));
    CHECK(has(backprop::score_names(&error), "r2"));
    CHECK(has({backprop::version()}, "0.2.0") && *backprop::instruction_set() != 0);
    bool found = false;
    for (const bp_option_description &option : backprop::options(&error))
        if (std::strcmp(option.name, "keep") == 0)
            found = option.owner == BP_OPTION_OF_TRAINER && std::strcmp(option.choices, "automatic latest best") == 0;
    CHECK(!error && found);
    backprop::set_thread_count(257, &error);
    CHECK(error.status() == BP_ERROR_INVALID_VALUE && std::strcmp(error.status_name(), "BP_ERROR_INVALID_VALUE") == 0);
    backprop::set_thread_count(2, &error);
    CHECK(!error && backprop::thread_count() == 2);
    backprop::set_thread_count(0, &error);
}

static void settings_are_as_they_were_set() {
    Error error;
    auto good = [&](auto value) { return CHECK(!error), value; };
    Network network({2, 5, 4, 1}, 1, &error);
    network.set_activation(2, "tanh", &error);
    network.set_batchnorm(1, true, &error);
    network.set_dropout(2, 0.25, &error);
    network.set_trainable(1, false, &error);
    network.set_loss("huber", &error);
    network.set_optimizer("bayesian_regularization", &error);
    CHECK(good(network.layers(&error)) == 4 && good(network.layer_size(1, &error)) == 5 && good(network.steps(&error)) == 0);
    CHECK(good(network.activation(2, &error)) == "tanh" && good(network.activation(1, &error)) == "logistic");
    CHECK(good(network.batchnorm(1, &error)) && !good(network.batchnorm(2, &error)));
    CHECK(!good(network.trainable(1, &error)) && good(network.trainable(2, &error)));
    CHECK(good(network.dropout(2, &error)) == 0.25 && good(network.loss(&error)) == "huber");
    CHECK(good(network.optimizer(&error)) == "bayesian_regularization");
    CHECK(good(network.effective_parameters(&error)) == 0);
    network.check_settings({}, &error);
    CHECK(error.status() == BP_ERROR_UNSUPPORTED); /* dropout */
    network.set_metadata("b", "2", &error);
    network.set_metadata("a", "1", &error);
    CHECK((good(network.metadata_keys(&error)) == std::vector<std::string>{"a", "b"}));
    network.remove_metadata("a", &error);
    CHECK((good(network.metadata_keys(&error)) == std::vector<std::string>{"b"}));
    network.replace_output(3, 1, &error);
    CHECK(good(network.outputs(&error)) == 3 && good(network.target_columns(&error)) == 3);
    network.fold_batchnorm(&error);
    CHECK(!error && !good(network.batchnorm(1, &error)));
    const std::vector<float> before = network.parameters(&error);
    network.initialize(2, &error);
    CHECK(!error && network.parameters(&error) != before);
    network.activation(9, &error);
    CHECK(error.status() == BP_ERROR_INVALID_VALUE);
}

static void rows_of_all_types_and_layouts_are_the_same() {
    Error error;
    Network network = linear();
    const std::vector<double> doubles(x.begin(), x.end());
    const std::array<double, 6> columns = {1, 3, 5, 2, 4, 6};
    const std::vector<int8_t> integers = {1, 2, 3, 4, 5, 6};
    const uint8_t bytes[] = {12, 14, 16, 18, 20, 22}; /* (stored - 10) / 2 */
    bp_rows quantized = backprop::matrix(bytes, 2, &error);
    quantized.scale = 0.5f;
    quantized.zero_point = 10;
    for (const bp_rows &rows :
         {backprop::matrix(x, 2, &error), backprop::matrix(doubles, 2, &error), backprop::matrix(integers, 2, &error),
          backprop::matrix(columns, 2, Layout::column_major, &error), quantized})
        CHECK(network.predict_rows<float>(rows, &error) == y && !error);
    const bp_rows rows = backprop::matrix(x, 2, &error);
    const std::vector<double> expected = {5.25, 11.25, 17.25, -3, -8, -13};
    CHECK(network.predict_rows<double>(rows, Layout::column_major, &error) == expected && !error);
    backprop::matrix(x, 4, &error);
    CHECK(error.status() == BP_ERROR_MISMATCH);
    CHECK(network.predict_rows<float>(backprop::matrix(x, 3, &error), &error).empty() && error.status() == BP_ERROR_MISMATCH);
}

static void losses_and_scores_of_rows_are_weighted() {
    Error error;
    Network network = linear();
    const std::vector<float> t = {5.25f, -3, 12.25f, -8, 17.25f, -11}, row_weights = {1, 4, 0}; /* errors 0, 1 and 2 */
    CHECK((network.row_losses(x, t, &error) == std::vector<float>{0, 0.5f, 2}) && !error);
    const bp_rows rows = backprop::matrix(x, 2, &error);
    bp_rows weighted = backprop::matrix(t, 2, &error);
    weighted.row_weights = row_weights.data();
    CHECK(network.evaluate_rows(rows, weighted, &error) == 2 && !error);
    CHECK(network.score_rows("mean_absolute_error", rows, weighted, &error) == 4.0 / 10 && !error);
    CHECK(network.predict_layer(1, x, &error) == y && !error);
    CHECK(network.predict_layer(2, x, &error).empty() && error.status() == BP_ERROR_INVALID_VALUE);
}

static void a_step_on_rows_is_that_on_floats() {
    Error error;
    Network network = linear(), other = linear();
    const std::vector<double> doubles(x.begin(), x.end()), zeros(6);
    const float loss = network.train_rows(backprop::matrix(doubles, 2, &error), backprop::matrix(zeros, 2, &error), 0.01f,
                                          &error);
    CHECK(!error && loss == other.train(x, std::vector<float>(6), 0.01f, &error));
    CHECK(network.parameters(&error) == other.parameters(&error) && network.steps(&error) == 1);
}

static void scaling_is_computed_from_rows_at_once_or_in_pieces() {
    Error error;
    Network network = linear(), other = linear();
    const bp_rows all = backprop::matrix(x, 2, &error);
    bp_rows first = all, rest = all;
    first.rows = 1;
    rest.rows = 2;
    rest.values = x.data() + 2;
    network.fit_scaling_rows("min_max", "none", &all, nullptr, &error);
    CHECK(!error);
    for (const bp_rows *piece : {&first, &rest}) {
        other.add_scaling_rows(piece, nullptr, &error);
        CHECK(!error);
    }
    other.finish_scaling("min_max", "none", &error);
    CHECK(!error);
    for (const Network *scaled : {&network, &other}) {
        CHECK(scaled->input_scaling(&error) == "min_max" && scaled->target_scaling(&error) == "none" && !error);
        CHECK((scaled->tensor("scaling.inputs.offset", &error) == std::vector<float>{1, 2}) && !error);
        CHECK((scaled->tensor("scaling.inputs.scale", &error) == std::vector<float>{4, 4}) && !error);
    }
    other.finish_scaling("min_max", "none", &error);
    CHECK(error.status() == BP_ERROR_INVALID_VALUE);
}

static void tensors_are_the_parameters_by_name() {
    Error error;
    Network network = linear();
    CHECK((network.tensor_names(&error) == std::vector<std::string>{"layers.1.weight", "layers.1.bias"}) && !error);
    CHECK(network.tensor_shape("layers.1.bias", &error) == std::make_pair(size_t(1), size_t(2)) && !error);
    CHECK((network.parameters(&error) == std::vector<float>{1, 2, -3, 0.5f, 0.25f, -1}) &&
          network.parameter_count(&error) == 6);
    CHECK(network.tensor("layers.1.weight", &error) == weights && !error);
    CHECK(network.tensor("none", &error).empty() && error.status() == BP_ERROR_UNKNOWN_NAME);
    network.set_tensor("layers.1.bias", {1}, &error);
    CHECK(error.status() == BP_ERROR_MISMATCH);
}

static void layers_are_loaded_by_the_names_of_their_tensors() {
    Error error;
    const std::vector<uint8_t> bytes = linear().to_bytes(&error);
    Network network({2, 2}, 2, &error);
    network.load_layer(1, bytes, "layers.1.weight", "layers.1.bias", &error);
    CHECK(!error && network.parameters(&error) == linear().parameters(&error));
    network.load_layer(1, bytes, "layers.1.weight", nullptr, &error);
    CHECK((!error && network.tensor("layers.1.bias", &error) == std::vector<float>{0, 0}));
    network.load_weights(bytes, &error);
    CHECK(!error && network.parameters(&error) == linear().parameters(&error));
    linear().save("layer.safetensors", &error);
    network.load_layer(1, "layer.safetensors", "layers.1.weight", "layers.1.bias", &error);
    CHECK(!error);
    network.load_layer(1, "layer.safetensors", "none", nullptr, &error);
    CHECK(error.status() == BP_ERROR_UNKNOWN_NAME);
}

static void gradients_of_a_linear_network_are_its_weights() {
    Error error;
    Network network = linear();
    CHECK(network.input_jacobian({7, -7}, &error) == weights && !error);
    /* dL/dx = W' dL/dy; dL/dW = dL/dy x'; dL/db = dL/dy */
    const backprop::Gradients gradients = network.backpropagate({7, -5}, {1, 2}, &error);
    CHECK((!error && gradients.inputs == std::vector<float>{-5, 3}));
    CHECK((gradients.parameters == std::vector<float>{7, -5, 14, -10, 1, 2}));
    CHECK(network.input_gradients({7, -5}, {1, 2}, &error) == gradients.inputs && !error);
    CHECK(network.backpropagate({7, -5}, {1}, &error).parameters.empty() && error.status() == BP_ERROR_MISMATCH);
    CHECK(network.check_gradient(x, std::vector<float>(6), &error) < 1e-2 && !error);
    network.check_gradient(x, {0}, &error);
    CHECK(error.status() == BP_ERROR_MISMATCH);
}

void test_data() {
    the_library_lists_what_it_has();
    settings_are_as_they_were_set();
    rows_of_all_types_and_layouts_are_the_same();
    losses_and_scores_of_rows_are_weighted();
    a_step_on_rows_is_that_on_floats();
    scaling_is_computed_from_rows_at_once_or_in_pieces();
    tensors_are_the_parameters_by_name();
    layers_are_loaded_by_the_names_of_their_tensors();
    gradients_of_a_linear_network_are_its_weights();
}
