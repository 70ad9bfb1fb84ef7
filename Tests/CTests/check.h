/* check.h: claims and expectations for test programs. A claim is a function whose name states what must hold. It passes when
 * all its expectations hold.
 *
 *     static void freed_handle_is_refused(void) { ... EXPECT_ERROR(call, BP_ERROR_INVALID_HANDLE); ... }
 *     int main(void) {
 *         CLAIM(freed_handle_is_refused);
 *         return check_end();
 *     }
 *
 * Prints "ok NAME" or "not ok NAME" for each claim, "# ..." with reasons, and "N passed, M failed" at the end. */
#ifndef CHECK_H
#define CHECK_H

#include <backprop.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef __has_feature
#define __has_feature(feature) 0
#endif
#define UNDER_SANITIZER (__has_feature(thread_sanitizer) || __has_feature(address_sanitizer))
#define IS_SLOW UNDER_SANITIZER /* some claims make fewer of the same runs */

static int check_passed, check_failed, check_failures; /* claims so far; failed expectations of the current claim */

/* All return whether the expectation holds, so that a test can stop when it cannot continue. Reasons after the fifth of a
 * claim are counted but not printed, so that a loop does not hide the first reason. */
static inline int check_expect(int holds, const char *text, const char *file, int line) {
    if (!holds && check_failures++ < 5) printf("#   %s:%d: %s\n", file, line, text);
    return holds;
}

static inline int check_near(double value, double expected, double tolerance, const char *text, const char *file, int line) {
    int holds = fabs(value - expected) <= tolerance; /* false for NaN */
    if (!holds && check_failures++ < 5)
        printf("#   %s:%d: %s is %.9g, expected %.9g within %.1g\n", file, line, text, value, expected, tolerance);
    return holds;
}

static inline int check_status(int32_t status, int32_t expected, const char *text, const char *file, int line) {
    int holds = status == expected;
    if (!holds && check_failures++ < 5)
        printf("#   %s:%d: %s is %s, expected %s%s%s\n", file, line, text, bp_status_name(status), bp_status_name(expected),
               status < 0 ? "; message: " : "", status < 0 ? bp_last_error_message() : "");
    return holds;
}

/* Whether the last error message is one line and not empty. */
static inline int check_message(void) {
    const char *message = bp_last_error_message();
    return message && message[0] && !strpbrk(message, "\r\n");
}

static inline int check_error(int32_t status, int32_t expected, const char *text, const char *file, int line) {
    return check_status(status, expected, text, file, line) &&
        check_expect(check_message(), "the failed call's message is not one line of text", file, line);
}

#define EXPECT(condition) check_expect(!!(condition), #condition, __FILE__, __LINE__)
#define EXPECT_NEAR(value, expected, tolerance) check_near(value, expected, tolerance, #value, __FILE__, __LINE__)
#define EXPECT_STATUS(call, expected) check_status(call, expected, #call, __FILE__, __LINE__)
#define EXPECT_OK(call) EXPECT_STATUS(call, BP_OK)
#define EXPECT_ERROR(call, expected) check_error(call, expected, #call, __FILE__, __LINE__)
#define EXPECT_MESSAGE(part)                                                             \
    check_expect(strstr(bp_last_error_message(), part) != NULL, bp_last_error_message(), \
                 "the message lacks \"" part "\"; " __FILE__, __LINE__)

static inline void check_claim(const char *name, void (*claim)(void)) {
    check_failures = 0;
    claim();
    if (check_failures > 5) printf("#   and %d more\n", check_failures - 5);
    printf("%s %s\n", check_failures ? "not ok" : "ok", name);
    fflush(stdout); /* so that the results so far are printed if the next claim crashes */
    if (check_failures) check_failed++;
    else check_passed++;
}

#define CLAIM(function) check_claim(#function, function)

static inline int check_end(void) {
    printf("%d passed, %d failed\n", check_passed, check_failed);
    return check_failed != 0;
}

/* ---- Helpers of many claims */

/* Creates a network. Otherwise an expectation fails and the result is NULL. */
static inline bp_network *check_network(const size_t *sizes, size_t count, uint64_t seed) {
    bp_network *network = NULL;
    EXPECT_OK(bp_network_create(sizes, count, seed, &network));
    return network;
}

/* The number of a network's parameters; 0 if the call fails. */
static inline size_t count_of(const bp_network *network) {
    size_t count = 0;
    (void)bp_network_parameter_count(network, &count);
    return count;
}

/* The complete state of a network as bytes: two networks are equal when their snapshots are equal. */
typedef struct {
    uint8_t *bytes;
    size_t count;
} snapshot;

static inline snapshot snapshot_of(const bp_network *network) {
    size_t capacity = 4096; /* bytes: one call saves most networks of the tests */
    snapshot result = {(uint8_t *)malloc(capacity), 0};
    int32_t status = bp_network_save_memory(network, result.bytes, capacity, &result.count);
    if (result.count > capacity) {
        capacity = result.count;
        free(result.bytes);
        result.bytes = (uint8_t *)malloc(capacity);
        status = bp_network_save_memory(network, result.bytes, capacity, &result.count);
    }
    if (!result.bytes || status != BP_OK) {
        EXPECT(!"a snapshot can be taken");
        result.count = 0;
    }
    return result;
}

/* Whether the network is unchanged since the snapshot. An empty snapshot equals no network. */
static inline int snapshot_holds(snapshot before, const bp_network *network) {
    snapshot now = snapshot_of(network);
    int same = before.count > 0 && now.count == before.count && memcmp(now.bytes, before.bytes, now.count) == 0;
    free(now.bytes);
    return same;
}

static inline int snapshot_equal(const bp_network *one, const bp_network *other) {
    snapshot before = snapshot_of(one);
    int same = snapshot_holds(before, other);
    free(before.bytes);
    return same;
}

/* Whether a file holds exactly these bytes. */
static inline int file_holds(const char *name, snapshot bytes) {
    uint8_t *now = (uint8_t *)malloc(bytes.count + 1);
    FILE *file = fopen(name, "rb");
    int same = now && file && bytes.count > 0 && fread(now, 1, bytes.count + 1, file) == bytes.count &&
        memcmp(now, bytes.bytes, bytes.count) == 0;
    if (file) fclose(file);
    free(now);
    return same;
}

/* Pseudorandom numbers in [-1, 1]. They are the same on every machine, and exact in float: multiples of 1/1024. */
static inline double check_random(uint32_t *state) {
    *state = *state * 1664525u + 1013904223u;
    return (double)(int32_t)((*state >> 20) % 2049u) / 1024.0 - 1.0;
}

static inline void check_fill(float *values, size_t count, uint32_t seed) {
    for (size_t i = 0; i < count; i++) values[i] = (float)check_random(&seed);
}

/* Like check_fill, in [0, 1]: targets that logistic outputs can reach. */
static inline void check_fill_shares(float *values, size_t count, uint32_t seed) {
    for (size_t i = 0; i < count; i++) values[i] = (float)((check_random(&seed) + 1) / 2);
}

#endif
