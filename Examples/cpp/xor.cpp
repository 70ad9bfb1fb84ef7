// xor.cpp: a network learns exclusive or with a custom activation, the absolute value.
//
//     c++ -std=c++17 xor.cpp $(pkg-config --cflags --libs backprop)
#include <backprop.hpp>
#include <cmath>
#include <cstdio>
#include <stdexcept>

int main() {
    const std::vector<float> inputs = {0, 0, 0, 1, 1, 0, 1, 1}, targets = {0, 1, 1, 0};
    auto sign = [](float z, float) { return z < 0 ? -1.0f : 1.0f; };
    backprop::register_activation("absolute", [](float z) { return std::fabs(z); }, sign);

    backprop::Network network({2, 4, 1}, 1);
    network.set_activation(1, "absolute");
    for (int epoch = 0; epoch < 2000; epoch++) network.train(inputs, targets, 0.5f);
    const std::vector<float> outputs = network.predict(inputs);
    for (size_t i = 0; i < 4; i++) std::printf("%g xor %g = %.2f\n", inputs[2 * i], inputs[2 * i + 1], outputs[i]);

    // An exception of a callback arrives here. The network is as before.
    auto broken = [](float, float) -> float { throw std::domain_error("no derivative"); };
    backprop::register_activation("broken", [](float z) { return std::fabs(z); }, broken);
    network.set_activation(1, "broken");
    try {
        network.train(inputs, targets, 0.5f);
    } catch (const std::domain_error &error) { std::printf("a failing callback: %s\n", error.what()); }
    network.set_activation(1, "absolute");

    try {
        network.predict({0, 0, 1});
    } catch (const backprop::Error &error) { std::printf("a wrong size: %s\n", error.what()); }
    try {
        backprop::Network::load("none.safetensors");
    } catch (const backprop::Error &error) { std::printf("a missing file: %s\n", error.what()); }

    network.save("xor.safetensors");
    const bool same = backprop::Network::load("xor.safetensors").predict(inputs) == outputs;
    std::printf("saved and loaded, it predicts the same: %s\n", same ? "yes" : "no");
}
