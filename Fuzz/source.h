/* source.h: reads the fuzzer's input byte by byte; zeros after its end. */
#ifndef SOURCE_H
#define SOURCE_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

static const uint8_t *source_bytes;
static size_t source_left;

static uint8_t take8(void) {
    if (source_left == 0) return 0;
    source_left--;
    return *source_bytes++;
}

static uint64_t take(int bytes) {
    uint64_t value = 0;
    for (int i = 0; i < bytes; i++) value |= (uint64_t)take8() << (8 * i);
    return value;
}

static uint32_t hash(const char *text, uint32_t seed) {
    uint32_t value = 2166136261u ^ seed * 2654435761u;
    for (; *text; text++) value = (value ^ (uint8_t)*text) * 16777619u;
    value ^= value >> 15;
    return value * 2246822519u;
}

/* Selects one of several texts, `stride` bytes apart: the text with the largest hash seeded by the next two bytes. An added
 * text replaces each of the others for some seeds only, so that old inputs keep most of their meaning. */
static size_t choose(const char *const *texts, size_t count, size_t stride) {
    uint32_t seed = (uint32_t)take(2), best = 0;
    size_t chosen = 0;
    for (size_t i = 0; i < count; i++) {
        uint32_t merit = hash(*(const char *const *)(const void *)((const char *)texts + i * stride), seed);
        if (merit >= best) best = merit, chosen = i;
    }
    return chosen;
}

/* Numbers in [-1, 1]. */
static float take_random(uint32_t *state) {
    *state = *state * 1664525u + 1013904223u;
    return (float)(int32_t)(*state >> 8) / 8388608.0f - 1;
}

#endif
