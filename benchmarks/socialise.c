/* Socialisation by hand, in C: the opponent of district-sim's knowledge kernel.

   The same arithmetic on the same single-precision data; see knowledge_case.py for what it computes and numpy_socialise
   there for the plain version it is tested against. Three functions with one signature; the benchmark takes the fastest
   in each case:

     socialise_plain     plain loops, cut so that the compiler vectorises them
     socialise_batched   8 firms, that is 80 ties, at a time: differences row by row, then everything that is one number
                         per tie (distance, trust, two exponentials, a division) over full vectors
     socialise_ahead     the same, fetching the partners' records 16 firms ahead into the second-level cache

   Tried and not kept: libmvec's expf (calls spill all vectors; 5-10 % slower than the polynomial here), one firm at a
   time (10 of 16 lanes used), vectors of 8 lanes where there are 16 (chains of dependent operations fill the scheduler;
   15 % slower), fetching into the first-level cache (its few miss buffers then limit scattered ties to half the speed),
   fetching 4, 8, 32 or 64 firms ahead (within the noise), into both levels in turn, dynamic schedules, -funroll-loops. */

#include <math.h>
#include <stdint.h>
#ifdef __AVX__
#include <immintrin.h>
#endif

enum { DOMAINS = 8, SLOTS = 10, BATCH = 8, AHEAD = 16 };

/* What others see of a firm: one cache line. */
typedef struct {
  float tacit[DOMAINS], x, y, it, norm, absorptive, unused[3];
} __attribute__((aligned(64))) Seen;

typedef struct {
  float socialisation, interaction, meeting_distance, it_tacit, attention, trust_threshold, distance_scale,
      distance_absorptive, absorptive_education, absorptive_experience, absorptive_research, absorptive_knowledge,
      relevance[DOMAINS];
} Knowledge;

typedef struct {
  const Seen *seen;
  const int32_t *partner; /* (n, SLOTS), -1 for a free slot */
  const float *trust;     /* (n, SLOTS) */
  const float *education, *experience, *research;
  const Knowledge *k;
  float *gained;     /* (n, DOMAINS) */
  float *absorptive; /* (n) */
} Case;

/* Plain ---------------------------------------------------------------------------------------------------------- */

enum { PADDED = 16 }; /* slots, rounded up to whole vectors */

static inline void socialise_firm(int64_t i, const Case *c) {
  const Knowledge *k = c->k;
  const Seen *me = &c->seen[i];
  const int32_t *partner = &c->partner[i * SLOTS];
  float gaps[PADDED] = {0}, km2[PADDED] = {0}, it[PADDED] = {0}, norm[PADDED] = {0}, trust[PADDED] = {0};
  float meeting[PADDED], rate[PADDED], attention = k->attention, own = 0.0f;
  for (int m = 0; m < SLOTS; m++) {
    const Seen *other = &c->seen[partner[m] < 0 ? i : partner[m]];
    float dx = other->x - me->x, dy = other->y - me->y, sum = 0.0f;
#pragma omp simd reduction(+ : sum)
    for (int d = 0; d < DOMAINS; d++) {
      float gap = other->tacit[d] - me->tacit[d];
      sum += gap * gap;
    }
    gaps[m] = sum, km2[m] = dx * dx + dy * dy, it[m] = other->it, norm[m] = other->norm;
    trust[m] = partner[m] < 0 ? 0.0f : c->trust[i * SLOTS + m];
  }
  const float scale = k->distance_scale + k->distance_absorptive * me->absorptive;
#pragma omp simd reduction(+ : attention)
  for (int m = 0; m < PADDED; m++) {
    float weight = fmaxf(0.0f, trust[m] - k->trust_threshold) / (1.0f - k->trust_threshold);
    float total = (me->norm + norm[m]) * scale;
    meeting[m] = weight * k->interaction * expf(-sqrtf(km2[m]) / k->meeting_distance) *
                 (1.0f + k->it_tacit * me->it * it[m]);
    rate[m] = meeting[m] * expf(-gaps[m] / (total * total + 1e-30f));
    attention += meeting[m];
  }
  float gained[DOMAINS] = {0}, base = k->socialisation * me->absorptive / attention;
  for (int m = 0; m < SLOTS; m++) {
    const Seen *other = &c->seen[partner[m] < 0 ? i : partner[m]];
#pragma omp simd
    for (int d = 0; d < DOMAINS; d++) gained[d] += rate[m] * fmaxf(0.0f, other->tacit[d] - me->tacit[d]);
  }
  for (int d = 0; d < DOMAINS; d++) own += k->relevance[d] * me->tacit[d];
  for (int d = 0; d < DOMAINS; d++) c->gained[i * DOMAINS + d] = base * gained[d];
  float weight = k->absorptive_education * c->education[i] + k->absorptive_experience * c->experience[i] +
                 k->absorptive_research * c->research[i] / (1.0f + c->research[i]) +
                 k->absorptive_knowledge * own / (1.0f + own);
  c->absorptive[i] = 1.0f - expf(-weight);
}

void socialise_plain(int64_t n, const Case *c, int threads) {
#pragma omp parallel for schedule(static) num_threads(threads)
  for (int64_t i = 0; i < n; i++) socialise_firm(i, c);
}

/* Vectors -------------------------------------------------------------------------------------------------------- */

#ifdef __AVX512F__
enum { LANES = 16 };
#else
enum { LANES = 8 };
#endif
typedef float float4 __attribute__((vector_size(16), aligned(4), may_alias));
typedef float float8 __attribute__((vector_size(32), aligned(4), may_alias));
typedef float wide __attribute__((vector_size(4 * LANES), aligned(4), may_alias));
typedef int32_t wide_int __attribute__((vector_size(4 * LANES), aligned(4), may_alias));
#define SHUFFLE __builtin_shufflevector

static inline float8 positive8(float8 z) {
#ifdef __AVX__
  return _mm256_max_ps(z, _mm256_setzero_ps());
#else
  for (int q = 0; q < 8; q++) z[q] = fmaxf(z[q], 0.0f);
  return z;
#endif
}

static inline wide positive(wide z) {
#ifdef __AVX512F__
  return _mm512_max_ps(z, _mm512_setzero_ps());
#else
  return positive8(z);
#endif
}

static inline wide root(wide z) {
#if defined(__AVX512F__)
  return _mm512_sqrt_ps(z);
#elif defined(__AVX__)
  return _mm256_sqrt_ps(z);
#else
  for (int q = 0; q < LANES; q++) z[q] = sqrtf(z[q]);
  return z;
#endif
}

/* exp(x) for x <= 0, to a few units in the last place: 2^n times a polynomial on (-1/2, 1/2]. */
static inline wide exp_negative(wide x) {
  wide t = positive(x * 1.44269504f + 126.0f) - 126.0f;
  wide_int n = __builtin_convertvector(t - 0.5f, wide_int);
  wide f = t - __builtin_convertvector(n, wide), ff = f * f;
  wide low = 6.931472028550421e-1f * f + 1.0f, middle = 5.550332471162809e-2f * f + 2.402264791363012e-1f;
  wide high = 1.339887440266574e-3f * f + 9.618437357674640e-3f;
  wide p = low + ff * (middle + ff * (high + ff * 1.535336188319500e-4f));
  return (wide)((wide_int)p + (n << 23));
}

static inline float8 two(const float4 *low, const float4 *high) {
  return SHUFFLE(*low, *high, 0, 1, 2, 3, 4, 5, 6, 7);
}

/* In each half of the result: the sums over that half of a, b, c and d. */
static inline float8 sums(float8 a, float8 b, float8 c, float8 d) {
  float8 ab = SHUFFLE(a, b, 0, 8, 1, 9, 4, 12, 5, 13) + SHUFFLE(a, b, 2, 10, 3, 11, 6, 14, 7, 15);
  float8 cd = SHUFFLE(c, d, 0, 8, 1, 9, 4, 12, 5, 13) + SHUFFLE(c, d, 2, 10, 3, 11, 6, 14, 7, 15);
  return SHUFFLE(ab, cd, 0, 1, 8, 9, 4, 5, 12, 13) + SHUFFLE(ab, cd, 2, 3, 10, 11, 6, 7, 14, 15);
}

/* |row|^2 of 8 rows. */
static inline float8 squares(const float8 *row) {
  float8 s[4];
  for (int q = 0; q < 4; q++) {
    float8 low = two((const float4 *)&row[q], (const float4 *)&row[q + 4]);
    float8 high = two((const float4 *)&row[q] + 1, (const float4 *)&row[q + 4] + 1);
    s[q] = low * low + high * high;
  }
  return sums(s[0], s[1], s[2], s[3]);
}

/* 8 rows of (x, y, it, scaled norm) as four columns. */
static inline void columns(const float4 *row, float8 *out) {
  float8 r0 = two(row, row + 4), r1 = two(row + 1, row + 5), r2 = two(row + 2, row + 6), r3 = two(row + 3, row + 7);
  float8 a = SHUFFLE(r0, r1, 0, 8, 1, 9, 4, 12, 5, 13), b = SHUFFLE(r2, r3, 0, 8, 1, 9, 4, 12, 5, 13);
  float8 c = SHUFFLE(r0, r1, 2, 10, 3, 11, 6, 14, 7, 15), d = SHUFFLE(r2, r3, 2, 10, 3, 11, 6, 14, 7, 15);
  out[0] = SHUFFLE(a, b, 0, 1, 8, 9, 4, 5, 12, 13), out[1] = SHUFFLE(a, b, 2, 3, 10, 11, 6, 7, 14, 15);
  out[2] = SHUFFLE(c, d, 0, 1, 8, 9, 4, 5, 12, 13), out[3] = SHUFFLE(c, d, 2, 3, 10, 11, 6, 7, 14, 15);
}

#if defined(__AVX512F__)
#define JOIN(a, b) SHUFFLE(a, b, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
#else
#define JOIN(a, b) (a)
#endif
#define INLINE static inline __attribute__((always_inline))

/* Differences of every tie of 8 firms: knowledge; place, IT and norms, scaled as they will be needed. */
INLINE void differences(int64_t first, const Case *c, float8 *restrict gap, float4 *restrict rest) {
  for (int b = 0; b < BATCH; b++) {
    const int32_t *partner = c->partner + (first + b) * SLOTS;
    const Seen *me = &c->seen[first + b];
    const float8 tacit = *(const float8 *)me->tacit;
    const float4 own = {me->x, me->y, 0.0f, -me->norm}, add = {0.0f, 0.0f, 1.0f, 0.0f};
    const float4 factor = {1.0f, 1.0f, c->k->it_tacit * me->it,
                           c->k->distance_scale + c->k->distance_absorptive * me->absorptive};
    for (int m = 0; m < SLOTS; m++) {
      const Seen *other = &c->seen[partner[m] < 0 ? first + b : partner[m]];
      gap[b * SLOTS + m] = *(const float8 *)other->tacit - tacit;
      rest[b * SLOTS + m] = (*(const float4 *)&other->x - own) * factor + add;
    }
  }
}

/* Meeting rate of every tie, and the same times what is understood. */
INLINE void meetings(int64_t first, const Case *c, const float8 *restrict gap, const float4 *restrict rest,
                     float *restrict meeting, float *restrict rate) {
  const Knowledge *k = c->k;
  const int32_t *partner = c->partner + first * SLOTS;
  const float *trust = c->trust + first * SLOTS;
  const float factor = k->interaction / (1.0f - k->trust_threshold), nearness = -1.0f / k->meeting_distance;
  for (int a = 0; a < BATCH * SLOTS; a += LANES) {
    float8 column[LANES / 8][4], gaps[LANES / 8];
    for (int u = 0; u < LANES / 8; u++) {
      columns(&rest[a + 8 * u], column[u]);
      gaps[u] = squares(&gap[a + 8 * u]);
    }
    wide dx = JOIN(column[0][0], column[1][0]), dy = JOIN(column[0][1], column[1][1]);
    wide it = JOIN(column[0][2], column[1][2]), total = JOIN(column[0][3], column[1][3]);
    wide weight = positive(*(const wide *)&trust[a] - k->trust_threshold);
    weight = (wide)((wide_int)weight & (*(const wide_int *)&partner[a] >= 0));
    wide met = weight * factor * it * exp_negative(root(dx * dx + dy * dy) * nearness);
    *(wide *)&meeting[a] = met;
    *(wide *)&rate[a] = met * exp_negative(-JOIN(gaps[0], gaps[1]) / (total * total + 1e-30f));
  }
}

INLINE void capacities(int64_t first, const Case *c) {
  const Knowledge *k = c->k;
  const Seen *seen = &c->seen[first];
  const float4 *relevance = (const float4 *)k->relevance;
  float8 part[4], low = two(relevance, relevance), high = two(relevance + 1, relevance + 1);
  for (int q = 0; q < 4; q++)
    part[q] = two((const float4 *)seen[q].tacit, (const float4 *)seen[q + 4].tacit) * low +
              two((const float4 *)seen[q].tacit + 1, (const float4 *)seen[q + 4].tacit + 1) * high;
  float8 own = sums(part[0], part[1], part[2], part[3]), research = *(const float8 *)&c->research[first];
  float8 weight = k->absorptive_education * *(const float8 *)&c->education[first] +
                  k->absorptive_experience * *(const float8 *)&c->experience[first] +
                  k->absorptive_research * research / (1.0f + research) + k->absorptive_knowledge * own / (1.0f + own);
  wide result = 1.0f - exp_negative(-JOIN(weight, weight));
  for (int b = 0; b < BATCH; b++) c->absorptive[first + b] = result[b];
}

INLINE void socialise_batch(int64_t first, const Case *c) {
  float8 gap[BATCH * SLOTS];
  float4 rest[BATCH * SLOTS];
  float meeting[BATCH * SLOTS], rate[BATCH * SLOTS];
  differences(first, c, gap, rest);
  meetings(first, c, gap, rest, meeting, rate);
  for (int b = 0; b < BATCH; b++) {
    float attention = c->k->attention;
    for (int m = 0; m < SLOTS; m++) attention += meeting[b * SLOTS + m];
    float8 even = {0}, odd = {0};
    for (int m = b * SLOTS; m < (b + 1) * SLOTS; m += 2) {
      even += rate[m] * positive8(gap[m]);
      odd += rate[m + 1] * positive8(gap[m + 1]);
    }
    float base = c->k->socialisation * c->seen[first + b].absorptive / attention;
    *(float8 *)&c->gained[(first + b) * DOMAINS] = (even + odd) * base;
  }
  capacities(first, c);
}

void socialise_batched(int64_t n, const Case *c, int threads) {
  int64_t full = n / BATCH;
#pragma omp parallel for schedule(static) num_threads(threads)
  for (int64_t batch = 0; batch < full; batch++) socialise_batch(batch * BATCH, c);
  for (int64_t i = full * BATCH; i < n; i++) socialise_firm(i, c);
}

void socialise_ahead(int64_t n, const Case *c, int threads) {
  int64_t full = n / BATCH;
#pragma omp parallel for schedule(static) num_threads(threads)
  for (int64_t batch = 0; batch < full; batch++) {
    const int64_t next = (batch * BATCH + AHEAD) * SLOTS;
    if (next + BATCH * SLOTS <= n * SLOTS)
      for (int m = 0; m < BATCH * SLOTS; m++) {
        int32_t j = c->partner[next + m];
        __builtin_prefetch(&c->seen[j < 0 ? 0 : j], 0, 1);
      }
    socialise_batch(batch * BATCH, c);
  }
  for (int64_t i = full * BATCH; i < n; i++) socialise_firm(i, c);
}
