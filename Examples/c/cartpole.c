/* cartpole.c: an agent learns to balance a pole on a cart by a policy gradient (REINFORCE with a baseline; Williams 1992).
 *
 *     cc -std=c99 -I include Examples/c/cartpole.c -L build -lbackprop -lm -o build/cartpole
 *     LD_LIBRARY_PATH=build build/cartpole
 *
 * The loss of the policy is none of the library's: the program computes its gradient with respect to the outputs,
 * bp_network_backpropagate turns it into the gradient of the parameters, and bp_network_apply_gradient makes the step. The task
 * is solved when the pole stays up for 195 of 200 steps, as the mean of 100 episodes. */
#include <backprop.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { STATE = 4, STEPS = 200, BATCH = 10, EPISODES = 3000, WINDOW = 100 };

static void check(int32_t status) {
    if (status >= 0) return;
    fprintf(stderr, "%s\n", bp_last_error_message());
    exit(1); /* the operating system frees the networks */
}

/* ---- The cart and the pole: Barto, Sutton and Anderson 1983, appendix. State: x, its speed, the angle, its speed. */

static double uniform(void) { /* splitmix64 (Vigna): 0 to 1 */
    static uint64_t state = 1;
    uint64_t z = state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (double)((z ^ (z >> 31)) >> 11) * 0x1p-53;
}

static double sign(double value) { return (value > 0) - (value < 0); }

/* Moves the cart for one step of Euler's method. Returns whether the pole is within 12 degrees and the cart on its track. */
static int move(double s[STATE], double force) {
    const double gravity = 9.8, cart = 1, pole = 0.1, half_length = 0.5, cart_friction = 5e-4, pole_friction = 2e-6,
                 step = 0.02;
    const double sine = sin(s[2]), cosine = cos(s[2]), mass = cart + pole;
    const double push = (force + pole * half_length * s[3] * s[3] * sine - cart_friction * sign(s[1])) / mass;
    const double angular = (gravity * sine - cosine * push - pole_friction * s[3] / (pole * half_length)) /
        (half_length * (4.0 / 3 - pole * cosine * cosine / mass));
    const double linear = push - pole * half_length * angular * cosine / mass;
    s[0] += step * s[1], s[1] += step * linear;
    s[2] += step * s[3], s[3] += step * angular;
    return fabs(s[0]) < 2.4 && fabs(s[2]) < 12 * 3.14159265358979 / 180;
}

/* ---- The agent. The policy's output is the logit z of the action "right": p = 1 / (1 + e^-z). */

static float states[BATCH * STEPS * STATE], returns[BATCH * STEPS], values[BATCH * STEPS], z_gradients[BATCH * STEPS];
static float z[BATCH * STEPS], gradient[4096];
static int actions[BATCH * STEPS];

/* Plays one episode, and stores its states, actions and discounted returns. Returns its number of steps. */
static size_t play(const bp_network *policy, size_t first) {
    double s[STATE];
    size_t count = 0;
    int is_up = 1;
    for (int i = 0; i < STATE; i++) s[i] = 0.1 * uniform() - 0.05;
    for (; count < STEPS && is_up; count++) {
        const size_t t = first + count;
        for (int i = 0; i < STATE; i++) states[t * STATE + (size_t)i] = (float)s[i];
        check(bp_network_predict(policy, states + t * STATE, 1, z + t));
        actions[t] = uniform() < 1 / (1 + exp(-(double)z[t]));
        is_up = move(s, actions[t] ? 10 : -10);
    }
    for (size_t t = first + count; t-- > first;)
        returns[t] = 0.01f + (t + 1 < first + count ? 0.99f * returns[t + 1] : 0); /* a reward of 1/100 in each step */
    return count;
}

static bp_network *agent(uint64_t seed) {
    const size_t layers[] = {STATE, 32, 1};
    bp_network *network;
    check(bp_network_create(layers, 3, seed, &network));
    check(bp_network_set_activation(network, 1, "tanh"));
    check(bp_network_set_activation(network, 2, "identity"));
    check(bp_network_set_option(network, "gradient_reduction", BP_REDUCTION_MEAN));
    check(bp_network_set_optimizer(network, "adam"));
    return network;
}

int main(void) {
    bp_network *policy = agent(1), *baseline = agent(2);
    size_t count, episode = 0, lengths[WINDOW] = {0};
    double mean = 0;
    check(bp_network_parameter_count(policy, &count));
    while (episode < EPISODES && mean < 195) {
        size_t rows = 0;
        for (int i = 0; i < BATCH; i++, episode++) {
            size_t length = play(policy, rows);
            rows += length;
            mean += ((double)length - (double)lengths[episode % WINDOW]) / WINDOW;
            lengths[episode % WINDOW] = length;
        }
        /* The loss is the mean of -(return - baseline) log p(action), whose derivative is (return - baseline) (p - action). */
        check(bp_network_predict(baseline, states, rows, values));
        for (size_t t = 0; t < rows; t++) {
            const float p = 1 / (1 + expf(-z[t]));
            z_gradients[t] = (returns[t] - values[t]) * (p - (float)actions[t]) / (float)rows;
        }
        check(bp_network_backpropagate(policy, states, z_gradients, rows, gradient, count, NULL));
        check(bp_network_apply_gradient(policy, gradient, count, 0.01f));
        for (int i = 0; i < 5; i++) check(bp_network_train_minibatch(baseline, states, returns, rows, 0.01f, NULL));
        if (episode % 100 == 0) printf("episode %4d: mean of %.1f steps\n", (int)episode, mean);
    }
    printf("episode %4d: mean of %.1f steps, %s\n", (int)episode, mean, mean >= 195 ? "solved" : "not solved");
    bp_network_free(policy);
    bp_network_free(baseline);
    return mean >= 195 ? 0 : 1;
}
