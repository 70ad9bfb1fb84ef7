// What the tests of backprop.hpp share. They are compiled with exceptions, and by -fno-exceptions without the tests of exceptions.
#ifndef CHECK_HPP
#define CHECK_HPP

#include <backprop.hpp>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>

using backprop::Error;
using backprop::Network;

#define CHECK(condition) ((condition) ? (void)0 : failed(__FILE__, __LINE__, #condition))

[[noreturn]] inline void failed(const char *file, int line, const char *condition) {
    std::printf("%s, line %d: not true: %s\n", file, line, condition);
    std::exit(1);
}

inline const std::vector<float> inputs = {0, 0, 0, 1, 1, 0, 1, 1}, targets = {0, 1, 1, 0};

inline Network trained(int steps) {
    Error error;
    Network network({2, 4, 1}, 1, &error);
    CHECK(!error);
    for (int step = 0; step < steps; step++) network.train(inputs, targets, 0.5f, &error);
    CHECK(!error);
    return network;
}

#if defined(__cpp_exceptions)

struct Thrown {
    int number;
};

template <class F> int thrown_by(F function) {
    try {
        function();
    } catch (const Thrown &thrown) { return thrown.number; }
    return 0;
}

template <class F> int32_t status_of(F function) {
    try {
        function();
    } catch (const Error &error) { return error.status(); }
    return BP_OK;
}

#endif

void test_data();
void test_fits();
void test_callbacks();

#endif
