/* control.c: a neural control loop. A controller on one thread runs at 48 kHz and balances an inverted pendulum, whose gravity is
 * unknown and changes. Another thread learns from the controller's measurements, with bp_network_train_minibatch, which
 * acceleration the motor must balance, and puts the newest weights in place with bp_predictor_update. The controller never waits:
 * bp_predictor_run takes no lock, no memory and no system call.
 *
 *     cc -std=c11 -I include Examples/c/control.c -L build -lbackprop -lm -lpthread -o build/control
 *     LD_LIBRARY_PATH=build build/control
 *
 * Here the pendulum is simulated, and its time is that of the controller's steps, so that the result does not depend on the
 * speed of the machine. In a program with a real device, the loop would be the callback of its driver. */
#include <backprop.h>
#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

enum { RATE = 48000, SECONDS = 20, KEPT = 4096, BATCH = 64, BLOCK = 480 };

static bp_network *network;
static bp_predictor *predictor;

/* The latest measurements, a ring: the controller writes, the learner reads. Each number is atomic, so that no lock is needed.
 * (A row of which half is new is a little noise.) */
static struct {
    _Atomic float angle, acceleration;
} measured[KEPT];
static atomic_ulong measurements; /* written so far */
static atomic_ulong updates;
static atomic_int ended;

static void check(int32_t status) {
    if (status == BP_OK) return;
    fprintf(stderr, "%s\n", bp_last_error_message());
    exit(1);
}

/* Learns acceleration = f(angle) from random measurements. */
static void *learn(void *unused) {
    float angles[BATCH], accelerations[BATCH];
    unsigned long random = 1;
    while (!atomic_load(&ended)) {
        unsigned long count = atomic_load(&measurements);
        if (count < KEPT) continue;
        for (int i = 0; i < BATCH; i++) {
            random = random * 6364136223846793005ul + 1442695040888963407ul;
            unsigned long at = (random >> 40) % KEPT;
            angles[i] = atomic_load(&measured[at].angle);
            accelerations[i] = atomic_load(&measured[at].acceleration);
        }
        check(bp_network_train_minibatch(network, angles, accelerations, BATCH, 0.003f, NULL));
        check(bp_predictor_update(predictor, network));
        atomic_fetch_add(&updates, 1);
    }
    return unused;
}

/* Follows a slow sine for SECONDS and returns the root mean square of the control error in each quarter of the time. */
static void control(double error[4]) {
    const double dt = 1.0 / RATE;
    double angle = 0, speed = 0, sum[4] = {0};
    for (long step = 0; step < (long)SECONDS * RATE; step++) {
        double t = step * dt, gravity = t < SECONDS / 2.0 ? 20 : -15; /* rad/s^2; the unknown world, which changes */
        double wanted = 0.8 * sin(1.5 * t), wanted_speed = 1.2 * cos(1.5 * t), wanted_acceleration = -1.8 * sin(1.5 * t);
        float input = (float)angle, balance;
        check(bp_predictor_run(predictor, &input, 1, &balance));
        double motor = wanted_acceleration + 30 * (wanted - angle) + 10 * (wanted_speed - speed) - balance;
        double acceleration = gravity * sin(angle) + motor;
        unsigned long count = atomic_load(&measurements), at = count % KEPT;
        if (step % 20 == 0) { /* the part of the acceleration that the motor does not explain */
            atomic_store(&measured[at].angle, input);
            atomic_store(&measured[at].acceleration, (float)(acceleration - motor));
            atomic_fetch_add(&measurements, 1);
        }
        speed += acceleration * dt;
        angle += speed * dt;
        sum[step * 4 / ((long)SECONDS * RATE)] += (wanted - angle) * (wanted - angle);
        if (step % BLOCK == 0) /* a real device would give the learner time; a simulation must wait for it */
            for (unsigned long before = atomic_load(&updates); count >= KEPT && atomic_load(&updates) < before + 4;)
                sched_yield();
    }
    for (int i = 0; i < 4; i++) error[i] = sqrt(sum[i] / (SECONDS * RATE / 4.0));
}

int main(void) {
    const size_t sizes[] = {1, 16, 16, 1};
    double error[4];
    pthread_t learner;
    check(bp_network_create(sizes, 4, 1, &network));
    for (size_t layer = 1; layer <= 3; layer++)
        check(bp_network_set_activation(network, layer, layer < 3 ? "tanh" : "identity"));
    check(bp_network_set_optimizer(network, "adam"));
    check(bp_network_set_option(network, "gradient_reduction", BP_REDUCTION_MEAN));
    check(bp_predictor_create(network, &predictor));
    if (pthread_create(&learner, NULL, learn, NULL) != 0) return 1;
    control(error);
    atomic_store(&ended, 1);
    pthread_join(learner, NULL);
    for (int i = 0; i < 4; i++)
        printf("seconds %2d to %2d: control error %.4f rad%s\n", i * SECONDS / 4, (i + 1) * SECONDS / 4, error[i],
               i == 2 ? " (gravity has changed)" : "");
    printf("%lu updates while the controller ran %ld times\n", atomic_load(&updates), (long)SECONDS * RATE);
    bp_predictor_free(predictor);
    bp_network_free(network);
    return error[1] < 0.02 && error[3] < 0.02 ? 0 : 1;
}
