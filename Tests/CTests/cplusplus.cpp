// cplusplus.cpp: the header in C++17, used in the style of a C++ program.
#include <array>
#include <cmath>
#include <cstdint>
#include <memory>
#include <string>
#include <type_traits>
#include <vector>

#include "check.h"

// A unique_ptr with an empty deleter has the size of the handle.
struct network_deleter {
    void operator()(bp_network *network) const { bp_network_free(network); }
};
using network = std::unique_ptr<bp_network, network_deleter>;

static network make(const std::vector<std::size_t> &sizes, std::uint64_t seed) {
    bp_network *handle = nullptr;
    EXPECT_OK(bp_network_create(sizes.data(), sizes.size(), seed, &handle));
    return network(handle);
}

static const std::array<float, 8> inputs = {0, 0, 0, 1, 1, 0, 1, 1};
static const std::array<float, 4> targets = {0, 1, 1, 0};

static void header_is_plain_c() {
    static_assert(sizeof(network) == sizeof(bp_network *), "a handle is one word");
    static_assert(std::is_same_v<decltype(bp_network_free(nullptr)), void>);
    static_assert(std::is_same_v<decltype(bp_abi_version()), std::uint32_t>);
    static_assert(std::is_same_v<decltype(bp_network_initialize(nullptr, 0)), std::int32_t>);
    EXPECT(std::string(bp_status_name(BP_OK)) == "BP_OK");
    EXPECT(bp_abi_version() == BP_ABI_VERSION);
}

static void xor_is_learned_from_the_best_of_several_starts() {
    network best;
    float best_loss = 1e9f;
    for (std::uint64_t seed = 1; seed <= 8; seed++) {
        float loss = 1e9f;
        network candidate = make({2, 4, 1}, seed);
        for (int step = 0; step < 4000; step++)
            (void)bp_network_train_minibatch(candidate.get(), inputs.data(), targets.data(), 4, 1, nullptr);
        EXPECT_OK(bp_network_evaluate(candidate.get(), inputs.data(), targets.data(), 4, &loss));
        if (loss < best_loss) best = std::move(candidate), best_loss = loss;
    }
    std::array<float, 4> outputs{};
    EXPECT_OK(bp_network_predict(best.get(), inputs.data(), 4, outputs.data()));
    for (std::size_t i = 0; i < 4; i++) EXPECT_NEAR(outputs[i], targets[i], 0.1);
}

// A lambda without captures is a function pointer, and user_data carries the object.
struct leaky {
    float slope;
    int calls = 0;
};

static void lambdas_can_be_callbacks() {
    leaky parameters{0.25f};
    bool destroyed = false;
    struct context {
        leaky *parameters;
        bool *destroyed;
    } data{&parameters, &destroyed};
    const float x[] = {-2, 2};
    float outputs[2] = {};
    EXPECT_OK(bp_activation_register_scalar(
        "leaky.lambda",
        [](float z, void *user_data) {
            leaky *self = static_cast<context *>(user_data)->parameters;
            self->calls++;
            return z > 0 ? z : self->slope * z;
        },
        [](float z, float, void *user_data) { return z > 0 ? 1 : static_cast<context *>(user_data)->parameters->slope; }, &data,
        [](void *user_data) { *static_cast<context *>(user_data)->destroyed = true; }));
    {
        network unit = make({1, 1}, 1);
        const float through[] = {1, 0};
        EXPECT_OK(bp_network_set_activation(unit.get(), 1, "leaky.lambda"));
        EXPECT_OK(bp_network_set_parameters(unit.get(), through, count_of(unit.get())));
        EXPECT_OK(bp_network_predict(unit.get(), x, 2, outputs));
        EXPECT(outputs[0] == -0.5f && outputs[1] == 2);
        EXPECT(parameters.calls == 2);
        EXPECT_OK(bp_activation_unregister("leaky.lambda"));
        EXPECT(!destroyed);
    }
    EXPECT(destroyed);
}

/* std::erf is overloaded: a cast selects one function. */
static void overloaded_functions_can_be_registered_with_a_cast() {
    const auto function = reinterpret_cast<bp_foreign_fn>(static_cast<double (*)(double)>(std::erf));
    const float through[] = {1, 0}, x[] = {-0.75f, 2};
    float outputs[2] = {};
    network unit = make({1, 1}, 1);
    EXPECT_OK(bp_activation_register_foreign("std.erf", function, nullptr, "d(d)", nullptr, 0));
    EXPECT_OK(bp_network_set_activation(unit.get(), 1, "std.erf"));
    EXPECT_OK(bp_network_set_parameters(unit.get(), through, count_of(unit.get())));
    EXPECT_OK(bp_network_predict(unit.get(), x, 2, outputs));
    for (int i = 0; i < 2; i++) EXPECT(outputs[i] == static_cast<float>(std::erf(static_cast<double>(x[i]))));
    EXPECT_OK(bp_activation_unregister("std.erf"));
}

static void model_can_be_saved_in_a_vector_of_bytes() {
    network original = make({2, 3, 1}, 4);
    std::size_t needed = 0;
    (void)bp_network_save_memory(original.get(), nullptr, 0, &needed);
    std::vector<std::uint8_t> bytes(needed);
    EXPECT_OK(bp_network_save_memory(original.get(), bytes.data(), bytes.size(), &needed));
    bp_network *handle = nullptr;
    EXPECT_OK(bp_network_load_memory(bytes.data(), bytes.size(), &handle));
    network loaded(handle);
    EXPECT(snapshot_equal(original.get(), loaded.get()));
    bytes.pop_back();
    EXPECT_ERROR(bp_network_load_memory(bytes.data(), bytes.size(), &handle), BP_ERROR_CORRUPT);
    EXPECT(handle == nullptr);
}

int main() {
    CLAIM(header_is_plain_c);
    CLAIM(xor_is_learned_from_the_best_of_several_starts);
    CLAIM(lambdas_can_be_callbacks);
    CLAIM(overloaded_functions_can_be_registered_with_a_cast);
    CLAIM(model_can_be_saved_in_a_vector_of_bytes);
    return check_end();
}
