/* Barter of knowledge (Cowan & Jonard 2004) as one would write it in C: the same rule as replications/barter.py, with
 * a good sequential generator (xoshiro256**, Blackman & Vigna 2021, doi 10.1145/3460772) instead of a keyed one. */

#include <stdint.h>

#define MOST 1000 /* categories */

static inline uint64_t rotated(uint64_t x, int by) { return (x << by) | (x >> (64 - by)); }

static inline uint64_t next(uint64_t *s) {
    uint64_t word = rotated(s[1] * 5, 7) * 9, t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotated(s[3], 45);
    return word;
}

static inline int64_t below(uint64_t *s, int64_t limit) { return (int64_t)(((next(s) >> 32) * (uint64_t)limit) >> 32); }

static void start(uint64_t *s, uint64_t seed) {
    for (int i = 0; i < 4; i++) { /* splitmix64 */
        uint64_t z = (seed += 0x9e3779b97f4a7c15ull);
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
        s[i] = z ^ (z >> 31);
    }
}

/* so many of the first `many`, picked at random, to the front */
static void pick(uint64_t *s, int *places, int many, int few) {
    for (int k = 0; k < few; k++) {
        int other = k + (int)below(s, many - k), place = places[k];
        places[k] = places[other];
        places[other] = place;
    }
}

void barter(double *knowledge, const int64_t *first, const int64_t *partner, int64_t agents, int64_t categories,
            double alpha, uint64_t seed, int64_t meetings) {
    uint64_t s[4];
    int mine[MOST], yours[MOST];
    start(s, seed);
    for (int64_t t = 0; t < meetings; t++) {
        int64_t i = below(s, agents), neighbours = first[i + 1] - first[i];
        if (neighbours == 0) continue;
        int64_t j = partner[first[i] + below(s, neighbours)];
        double *me = knowledge + i * categories, *you = knowledge + j * categories;
        int leads = 0, lags = 0;
        for (int d = 0; d < categories; d++) { /* without a branch, as nobody could foretell who leads */
            mine[leads] = d;
            leads += me[d] > you[d];
            yours[lags] = d;
            lags += me[d] < you[d];
        }
        int swapped = leads < lags ? leads : lags;
        if (leads > swapped) pick(s, mine, leads, swapped);
        if (lags > swapped) pick(s, yours, lags, swapped);
        for (int k = 0; k < swapped; k++) {
            you[mine[k]] += alpha * (me[mine[k]] - you[mine[k]]);
            me[yours[k]] += alpha * (you[yours[k]] - me[yours[k]]);
        }
    }
}
