// sine.cpp: 50 networks learn a part of a noisy sine. They agree where there are data, and disagree elsewhere. The activation is
// custom, and a stream makes the rows of a first network.
//
//     c++ -std=c++17 sine.cpp $(pkg-config --cflags --libs backprop)
#include <backprop.hpp>
#include <cmath>
#include <cstdio>
#include <random>

int main() {
    backprop::register_activation(
        "bump", [](float z) { return std::exp(-z * z); }, [](float z, float a) { return -2 * z * a; });
    if (backprop::check_activation("bump").worst_error > 1e-2) return 1;

    // One network learns from rows that are made as they are needed.
    std::mt19937 random(1);
    std::uniform_real_distribution<float> anywhere(-3, 3);
    auto next = [&](backprop::Minibatch &minibatch) {
        while (!minibatch.full()) {
            const float x = anywhere(random);
            minibatch.push({x}, {std::sin(x)});
        }
    };
    auto make = [](uint64_t seed) {
        backprop::Network network({1, 16, 1}, seed);
        network.set_activation(1, "bump");
        network.set_activation(2, "identity");
        network.set_optimizer("adam");
        return network;
    };
    backprop::Network network = make(1);
    backprop::Trainer trainer;
    trainer.set_option("steps", 4000);
    trainer.fit_stream(network, next);
    std::printf("from a stream: sin(1) = %.1f\n", network.predict({1})[0]);

    // An ensemble learns from 64 rows.
    std::vector<float> inputs, targets;
    std::normal_distribution<float> noise(0, 0.05f);
    for (int row = 0; row < 64; row++) {
        inputs.push_back(anywhere(random));
        targets.push_back(std::sin(inputs.back()) + noise(random));
    }
    std::vector<backprop::Network> networks;
    for (uint64_t seed = 1; seed <= 50; seed++) networks.push_back(make(seed));
    trainer.fit_ensemble(networks, {inputs, targets});
    for (float x : {1.0f, 6.0f}) {
        double sum = 0, squares = 0;
        for (const backprop::Network &each : networks) {
            const double y = each.predict({x})[0];
            sum += y;
            squares += y * y;
        }
        const double mean = sum / 50, spread = std::sqrt(squares / 50 - mean * mean);
        std::printf("at %g the networks %s\n", x, spread < 0.1 ? "agree" : "disagree");
    }
}
