/* mpi_overlap.c: trains a network of 2.5 million weights by several processes, first without overlap, and then again from the start
 * while the processes exchange its gradient during the backward pass. Prints the time of a step of both.
 *
 *     mpicc -std=c99 -I include Examples/c/mpi_overlap.c -L build -lbackprop -lm -o build/mpi_overlap
 *     LD_LIBRARY_PATH=build mpirun -n 2 build/mpi_overlap [STEPS]
 *
 * Each process makes its own rows: the sum and the largest of numbers. MPI_Iallreduce starts an exchange. Whether it proceeds while
 * the program computes depends on the MPI and on the network. The parameters are the same except for rounding: for 3 processes or
 * more, an MPI may add in another order. mpi_digits.c shows the rest: reading data, saving and continuing.
 */
#include <backprop.h>
#include <math.h>
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>

enum { INPUTS = 64, HIDDEN = 1536, OUTPUTS = 2, ROWS = 32, MOST_REQUESTS = 16 };

/* ---- MPI. The gradient has so few numbers that an int counts them. */

typedef struct {
    MPI_Comm communicator;
    MPI_Request started[MOST_REQUESTS];
    int count;
} engine;

static MPI_Datatype number(int32_t type) { return type == BP_FLOAT ? MPI_FLOAT : MPI_DOUBLE; }
static MPI_Op combine(int32_t operation) { return operation == BP_REDUCE_SUM ? MPI_SUM : MPI_MAX; }

static int32_t all_reduce(void *values, size_t count, int32_t type, int32_t operation, void *user_data) {
    return MPI_Allreduce(MPI_IN_PLACE, values, (int)count, number(type), combine(operation),
                         ((engine *)user_data)->communicator);
}

static int32_t finish(void *user_data) {
    engine *own = (engine *)user_data;
    const int count = own->count;
    own->count = 0;
    return MPI_Waitall(count, own->started, MPI_STATUSES_IGNORE);
}

static int32_t start(void *values, size_t count, int32_t type, int32_t operation, void *user_data) {
    engine *own = (engine *)user_data;
    if (own->count == MOST_REQUESTS && finish(own) != MPI_SUCCESS) return 1;
    return MPI_Iallreduce(MPI_IN_PLACE, values, (int)count, number(type), combine(operation), own->communicator,
                          &own->started[own->count++]);
}

/* ---- The rows of a process */

static void make_rows(float *inputs, float *targets, int rank) {
    uint32_t state = 1 + (uint32_t)rank;
    for (size_t row = 0; row < ROWS; row++) {
        float sum = 0, largest = 0;
        for (size_t i = 0; i < INPUTS; i++) {
            state = state * 1664525 + 1013904223;
            const float value = (float)(state >> 8) / (1 << 24);
            inputs[row * INPUTS + i] = value;
            sum += value;
            if (value > largest) largest = value;
        }
        targets[row * OUTPUTS] = sum / INPUTS;
        targets[row * OUTPUTS + 1] = largest;
    }
}

/* Trains a new network, which the caller frees. Returns a status. */
static int32_t train(bp_network **network_out, engine *own, int overlaps, int steps) {
    static float inputs[ROWS * INPUTS], targets[ROWS * OUTPUTS];
    const size_t sizes[] = {INPUTS, HIDDEN, HIDDEN, OUTPUTS};
    bp_network *network = NULL;
    float first = 0, loss = 0;
    int rank, size;
    MPI_Comm_rank(own->communicator, &rank);
    MPI_Comm_size(own->communicator, &size);
    make_rows(inputs, targets, rank);

    int32_t status = bp_network_create(sizes, 4, 1, &network); /* the same seed: the same network */
    if (status == BP_OK) status = bp_network_set_activation(network, 1, "relu");
    if (status == BP_OK) status = bp_network_set_activation(network, 2, "relu");
    if (status == BP_OK) status = bp_network_set_activation(network, 3, "identity");
    if (status == BP_OK) status = bp_network_set_optimizer(network, "momentum");
    if (status == BP_OK) status = bp_network_set_option(network, "gradient_reduction", BP_REDUCTION_MEAN);
    if (status == BP_OK) status = bp_network_set_all_reduce(network, all_reduce, (size_t)rank, (size_t)size, own);
    if (status == BP_OK && overlaps) status = bp_network_set_all_reduce_overlap(network, start, finish, own);
    const double began = MPI_Wtime();
    for (int step = 0; step < steps && status == BP_OK; step++) {
        status = bp_network_train_minibatch(network, inputs, targets, ROWS, 0.002f, &loss);
        if (step == 0) first = loss;
    }
    if (status != BP_OK) fprintf(stderr, "rank %d: %s: %s\n", rank, bp_status_name(status), bp_last_error_message());
    else if (rank == 0)
        printf("%d processes, %s overlap: loss %.4f before, %.4f after %d steps of %.1f ms\n", size,
               overlaps ? "with" : "without", first, loss, steps, 1e3 * (MPI_Wtime() - began) / steps);
    *network_out = network;
    return status;
}

/* The largest difference of two networks' parameters; -1 if it is not known. */
static double difference(const bp_network *one, const bp_network *other) {
    size_t count = 0;
    double largest = -1;
    if (bp_network_parameter_count(one, &count) != BP_OK) return largest;
    float *a = (float *)malloc(count * sizeof *a), *b = (float *)malloc(count * sizeof *b);
    if (a && b && bp_network_get_parameters(one, a, count) == BP_OK && bp_network_get_parameters(other, b, count) == BP_OK) {
        largest = 0;
        for (size_t i = 0; i < count; i++) largest = fmax(largest, fabs((double)a[i] - (double)b[i]));
    }
    free(a);
    free(b);
    return largest;
}

int main(int argc, char **argv) {
    const int steps = argc > 1 ? atoi(argv[1]) : 20;
    engine own = {MPI_COMM_NULL, {0}, 0};
    bp_network *without = NULL, *with = NULL;
    int rank = 0;

    MPI_Init(&argc, &argv);
    own.communicator = MPI_COMM_WORLD;
    MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN); /* a lost process is an error of the functions above */
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    int32_t status = train(&without, &own, 0, steps);
    if (status == BP_OK) status = train(&with, &own, 1, steps);
    if (status == BP_OK && rank == 0) printf("largest difference of their parameters: %.3g\n", difference(without, with));
    bp_network_free(without);
    bp_network_free(with);
    MPI_Finalize();
    return status == BP_OK ? 0 : 1;
}
