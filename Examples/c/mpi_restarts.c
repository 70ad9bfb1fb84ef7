/* mpi_restarts.c: trains networks from several initial weights, spread over processes, with MPI. All processes then have the best one.
 *
 *     mpicc -std=c99 -I include Examples/c/mpi_restarts.c -L build -lbackprop -lm -o build/mpi_restarts
 *     LD_LIBRARY_PATH=build mpirun -n 2 build/mpi_restarts RESTARTS
 *
 * Each network is trained by one process alone, so that processes wait for each other only at the end. The best network does not
 * depend on the number of processes.
 */
#include <backprop.h>
#include <math.h>
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>

enum { ROWS = 64 };
static float inputs[ROWS * 2], targets[ROWS];

static int good(int32_t status) {
    if (status >= 0) return 1;
    fprintf(stderr, "%s: %s\n", bp_status_name(status), bp_last_error_message());
    return 0;
}

/* A network with the weights of this seed, trained on the rows; NULL if that fails. */
static bp_network *trained(int seed, double *loss) {
    const size_t sizes[] = {2, 4, 1};
    bp_network *network = NULL;
    bp_trainer *trainer = NULL;
    const int is_trained = good(bp_network_create(sizes, 3, (uint64_t)seed, &network)) &&
        good(bp_network_set_activation(network, 1, "tanh")) && good(bp_network_set_activation(network, 2, "identity")) &&
        good(bp_network_set_optimizer(network, "lbfgs")) && good(bp_trainer_create(&trainer)) &&
        good(bp_trainer_set_option(trainer, "epochs", 100)) && good(bp_trainer_set_option(trainer, "batch_size", 0)) &&
        good(bp_trainer_fit(trainer, network, inputs, targets, ROWS, NULL, NULL, 0, loss));
    bp_trainer_free(trainer);
    if (is_trained) return network;
    bp_network_free(network);
    return NULL;
}

/* Gives all processes the network of process `owner`. */
static void share(bp_network **network, int rank, int owner) {
    unsigned long long count = 0;
    size_t needed = 0;
    if (rank == owner) (void)bp_network_save_memory(*network, NULL, 0, &needed);
    count = needed;
    MPI_Bcast(&count, 1, MPI_UNSIGNED_LONG_LONG, owner, MPI_COMM_WORLD);
    uint8_t *bytes = (uint8_t *)malloc((size_t)count);
    if (!bytes || (rank == owner && !good(bp_network_save_memory(*network, bytes, needed, &needed))))
        MPI_Abort(MPI_COMM_WORLD, 1);
    MPI_Bcast(bytes, (int)count, MPI_BYTE, owner, MPI_COMM_WORLD);
    if (rank != owner) {
        bp_network_free(*network);
        *network = NULL;
        if (!good(bp_network_load_memory(bytes, (size_t)count, network))) MPI_Abort(MPI_COMM_WORLD, 1);
    }
    free(bytes);
}

int main(int argc, char **argv) {
    struct {
        double loss;
        int seed;
    } best = {INFINITY, 0}, of_all; /* an MPI_DOUBLE_INT */
    bp_network *network = NULL;
    int rank, size;

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    const int restarts = argc > 1 ? atoi(argv[1]) : 20;
    for (int i = 0; i < ROWS; i++) {
        const float x = (float)(i % 8) / 4 - 1, y = (float)(i / 8) / 4 - 1;
        inputs[2 * i] = x, inputs[2 * i + 1] = y;
        targets[i] = sinf(3 * x) * cosf(2 * y);
    }
    for (int seed = rank; seed < restarts; seed += size) {
        double loss = INFINITY;
        bp_network *candidate = trained(seed, &loss);
        if (candidate && loss < best.loss) {
            bp_network_free(network);
            network = candidate, best.loss = loss, best.seed = seed;
        } else bp_network_free(candidate);
    }
    MPI_Allreduce(&best, &of_all, 1, MPI_DOUBLE_INT, MPI_MINLOC, MPI_COMM_WORLD); /* of equal losses, the lowest seed */
    const int is_found = of_all.loss < INFINITY;
    if (is_found) {
        float output = 0;
        share(&network, rank, of_all.seed % size);
        (void)bp_network_predict(network, inputs, 1, &output);
        printf("rank %d: best seed %d of %d, loss %.6f, output %.9g\n", rank, of_all.seed, restarts, of_all.loss, output);
    }
    bp_network_free(network);
    MPI_Finalize();
    return is_found ? 0 : 1;
}
