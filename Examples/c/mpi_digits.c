/* mpi_digits.c: trains a network to classify handwritten digits by several processes, with MPI.
 *
 *     mpicc -std=c99 -I include Examples/c/mpi_digits.c -L build -lbackprop -lm -o build/mpi_digits
 *     LD_LIBRARY_PATH=build mpirun -n 2 build/mpi_digits Examples/data/digits.csv MODEL [EPOCHS]
 *
 * All processes read the same file. Each trains on its share of each minibatch, so the result is that of one process, except for
 * rounding. Rank 0 saves the network to MODEL after each epoch. If MODEL is there at the start, the fit continues from it, with
 * any number of processes.
 */
#include <backprop.h>
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PIXELS = 64, HIDDEN = 32, DIGITS = 10, LINES = 10000 };

/* ---- MPI: the sum or the maximum of numbers of all processes, in place. MPI counts in int. */

static int32_t all_reduce(void *values, size_t count, int32_t type, int32_t operation, void *user_data) {
    const MPI_Datatype number = type == BP_FLOAT ? MPI_FLOAT : MPI_DOUBLE;
    const MPI_Op combine = operation == BP_REDUCE_SUM ? MPI_SUM : MPI_MAX;
    const size_t bytes = type == BP_FLOAT ? sizeof(float) : sizeof(double), most = (size_t)1 << 28;
    for (size_t done = 0; done < count; done += most) {
        const int part = (int)(count - done < most ? count - done : most);
        const int code = MPI_Allreduce(MPI_IN_PLACE, (char *)values + done * bytes, part, number, combine,
                                       *(MPI_Comm *)user_data);
        if (code != MPI_SUCCESS) return 1;
    }
    return 0;
}

/* ---- The data. Every fifth line is held out. */

static float pixels[2][LINES * PIXELS], digits[2][LINES * DIGITS]; /* 0: to train on; 1: held out */
static size_t rows[2];

/* Reads lines "pixel, ..., pixel, digit". Returns 0 for a malformed file. */
static int read_csv(const char *path) {
    char line[512];
    FILE *file = fopen(path, "r");
    if (!file) return 0;
    for (size_t i = 0; i < LINES && fgets(line, sizeof line, file); i++) {
        const int held_out = i % 5 == 4;
        float *row = pixels[held_out] + rows[held_out] * PIXELS;
        char *at = line, *end;
        for (int k = 0; k <= PIXELS; k++, at = end + 1) {
            long value = strtol(at, &end, 10);
            if (end == at || value < 0 || value > (k < PIXELS ? 16 : 9)) return fclose(file), 0;
            if (k < PIXELS) row[k] = (float)value / 16;
            else digits[held_out][rows[held_out] * DIGITS + (size_t)value] = 1;
        }
        rows[held_out]++;
    }
    fclose(file);
    return rows[1] > 0;
}

/* ---- The network, the same on all processes */

static int rank, size;
static const char *model_path;

static int good(int32_t status) {
    if (status >= 0) return 1;
    fprintf(stderr, "rank %d: %s: %s\n", rank, bp_status_name(status), bp_last_error_message());
    return 0;
}

static bp_network *new_network(void) {
    const size_t sizes[] = {PIXELS, HIDDEN, DIGITS};
    bp_network *network = NULL;
    if (!good(bp_network_create(sizes, 3, 1, &network)) || !good(bp_network_set_activation(network, 1, "tanh")) ||
        !good(bp_network_set_batchnorm(network, 1, 1)) || !good(bp_network_set_activation(network, 2, "softmax")) ||
        !good(bp_network_set_loss(network, "cross_entropy")) || !good(bp_network_set_optimizer(network, "adam")) ||
        !good(bp_network_set_option(network, "gradient_reduction", BP_REDUCTION_MEAN))) {
        bp_network_free(network);
        return NULL;
    }
    return network;
}

/* The network of rank 0, from MODEL or new, on all processes; NULL on all if rank 0 has none. */
static bp_network *shared_network(void) {
    bp_network *network = NULL;
    unsigned long long count = 0;
    size_t needed = 0;
    uint8_t *bytes = NULL;
    if (rank == 0) {
        if (bp_network_load(model_path, &network) == BP_OK) printf("continues from %s\n", model_path);
        else network = new_network();
        if (network) (void)bp_network_save_memory(network, NULL, 0, &needed);
        count = needed;
    }
    MPI_Bcast(&count, 1, MPI_UNSIGNED_LONG_LONG, 0, MPI_COMM_WORLD);
    bytes = (uint8_t *)malloc(count ? (size_t)count : 1);
    if (!bytes) MPI_Abort(MPI_COMM_WORLD, 1);
    if (rank == 0 && network && !good(bp_network_save_memory(network, bytes, needed, &needed))) MPI_Abort(MPI_COMM_WORLD, 1);
    MPI_Bcast(bytes, (int)count, MPI_BYTE, 0, MPI_COMM_WORLD);
    if (rank != 0 && count && !good(bp_network_load_memory(bytes, (size_t)count, &network))) MPI_Abort(MPI_COMM_WORLD, 1);
    free(bytes);
    return network;
}

/* On rank 0 only. If it cannot save, the fit ends on all processes. */
static int32_t save_and_show(const bp_progress *progress, void *user_data) {
    bp_network *network = *(bp_network **)user_data;
    if (progress->epoch % 5 == 0 || progress->epoch == progress->epochs)
        printf("epoch %d of %d: loss %.4f\n", (int)progress->epoch, (int)progress->epochs, progress->loss);
    return good(bp_network_save(network, model_path)) ? 0 : -1;
}

/* The share of the held-out images that are classified correctly. Each process counts its part. */
static double accuracy(const bp_network *network) {
    const size_t first = rows[1] * (size_t)rank / (size_t)size, end = rows[1] * (size_t)(rank + 1) / (size_t)size;
    double share = 0, counts[2], sums[2];
    if (end > first &&
        !good(
            bp_network_score(network, "accuracy", pixels[1] + first * PIXELS, digits[1] + first * DIGITS, end - first, &share)))
        share = 0;
    counts[0] = share * (double)(end - first), counts[1] = (double)(end - first);
    MPI_Allreduce(counts, sums, 2, MPI_DOUBLE, MPI_SUM, MPI_COMM_WORLD);
    return sums[0] / sums[1];
}

int main(int argc, char **argv) {
    MPI_Comm communicator = MPI_COMM_WORLD;
    bp_network *network = NULL;
    bp_trainer *trainer = NULL;
    int result = 1;

    MPI_Init(&argc, &argv);
    MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN); /* a lost process is an error of all_reduce */
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    if (argc < 3 || argc > 4) {
        if (rank == 0) fprintf(stderr, "usage: mpirun -n PROCESSES mpi_digits DATA.csv MODEL [EPOCHS]\n");
        MPI_Finalize();
        return 2;
    }
    model_path = argv[2];
    if (!read_csv(argv[1])) {
        fprintf(stderr, "rank %d: cannot read %s as the digits data set\n", rank, argv[1]);
        MPI_Abort(MPI_COMM_WORLD, 1);
    }
    network = shared_network();
    if (network && good(bp_network_set_all_reduce(network, all_reduce, (size_t)rank, (size_t)size, &communicator)) &&
        good(bp_trainer_create(&trainer)) && good(bp_trainer_set_option(trainer, "epochs", argc > 3 ? atof(argv[3]) : 40)) &&
        good(bp_trainer_set_option(trainer, "learning_rate", 0.005)) &&
        good(bp_trainer_set_option(trainer, "shared_rows", 1)) && good(bp_trainer_set_option(trainer, "resume", 1)) &&
        (rank != 0 || good(bp_trainer_set_progress(trainer, save_and_show, &network))) &&
        good(bp_trainer_fit(trainer, network, pixels[0], digits[0], rows[0], NULL, NULL, 0, NULL))) {
        const double share = accuracy(network);
        if (rank == 0) printf("%d processes, held-out accuracy: %.2f %%\n", size, 100 * share);
        result = 0;
    }
    bp_trainer_free(trainer);
    bp_network_free(network);
    MPI_Finalize();
    return result;
}
