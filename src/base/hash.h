/* hash.h - small non-cryptographic hashes, all in the header so that hot loops inline them. */
#ifndef CITYLAKE_BASE_HASH_H
#define CITYLAKE_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* A bijection of 64 bits that mixes well (the finaliser of SplitMix64). */
static inline uint64_t cl_mix64(uint64_t x)
{
    x ^= x >> 30;
    x *= 0xbf58476d1ce4e5b9u;
    x ^= x >> 27;
    x *= 0x94d049bb133111ebu;
    return x ^ x >> 31;
}

/* Hash of bytes, 8 at a time; for hash tables and fingerprints, not for enemies. */
static inline uint64_t cl_hash_bytes(const void *data, size_t len, uint64_t seed)
{
    const uint8_t *p = data;
    uint64_t h = seed ^ (len * 0x9e3779b97f4a7c15u);
    while (len >= 8) {
        uint64_t w;
        memcpy(&w, p, 8);
        h = (h ^ w) * 0x9fb21c651e98df25u;
        h ^= h >> 32;
        p += 8;
        len -= 8;
    }
    uint64_t tail = 0;
    if (len > 0) memcpy(&tail, p, len);
    return cl_mix64((h ^ tail) * 0x9fb21c651e98df25u);
}

#endif
