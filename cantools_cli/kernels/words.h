/* Eight bytes at a time: the functions of _words.py in C, with the same results.

   _words.pxd makes them available to the kernels. Every x86-64 processor has SSE2. */
#ifndef CANX_WORDS_H
#define CANX_WORDS_H
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#if (defined(__SSE2__) || defined(_M_X64)) && !defined(CANX_NO_SSE2)
#include <emmintrin.h>
#define CANX_SSE2 1
#ifdef __SSSE3__
#include <tmmintrin.h>
#define CANX_SSSE3 1
#endif
#ifdef __AVX2__
#include <immintrin.h>
#endif
/* A vector of 16 equal bytes, loaded from memory: compilers build a constant vector with three instructions
   each time. The attribute hides that it is constant. */
#if defined(__GNUC__)
#define CANX_VECTOR static unsigned char __attribute__((used, aligned(16)))
#else
#define CANX_VECTOR static __declspec(align(16)) unsigned char
#endif
#define CANX_16(byte) {byte, byte, byte, byte, byte, byte, byte, byte, \
                       byte, byte, byte, byte, byte, byte, byte, byte}
#define CANX_ALL(name) _mm_load_si128((const __m128i *)(name))
#endif
#ifdef _MSC_VER
#include <intrin.h>
#endif

static inline uint64_t canx_ordered8(uint64_t word) {
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    return __builtin_bswap64(word);
#else
    return word;
#endif
}
static inline uint32_t canx_ordered4(uint32_t word) {
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    return __builtin_bswap32(word);
#else
    return word;
#endif
}
static inline uint64_t canx_load8(const unsigned char *at) {
    uint64_t word;
    memcpy(&word, at, 8);
    return canx_ordered8(word);
}
static inline uint32_t canx_load4(const unsigned char *at) {
    uint32_t word;
    memcpy(&word, at, 4);
    return canx_ordered4(word);
}
static inline long long canx_whole(double value) {
    return (long long)value;
}
static inline double canx_real(uint64_t word) {
    double value;
    memcpy(&value, &word, 8);
    return value;
}
static inline ptrdiff_t canx_behind(
    const unsigned char *text, ptrdiff_t at, ptrdiff_t end, const unsigned char *key, ptrdiff_t size) {
    if (at + size > end || memcmp(text + at, key, (size_t)size))
        return -1;
    for (at += size; text[at] == 32;)
        at++;
    return at;
}
static inline void canx_store8(unsigned char *to, uint64_t word) {
    word = canx_ordered8(word);
    memcpy(to, &word, 8);
}
static inline void canx_store4(unsigned char *to, uint32_t word) {
    word = canx_ordered4(word);
    memcpy(to, &word, 4);
}
static inline void canx_copy4(const unsigned char *at, unsigned char *to) {
    uint32_t word;
    memcpy(&word, at, 4);
    memcpy(to, &word, 4);
}
static inline void canx_copy2(const unsigned char *at, unsigned char *to) {
    uint16_t word;
    memcpy(&word, at, 2);
    memcpy(to, &word, 2);
}

/* Copy 32 bytes, which may overlap. */
static inline void canx_repeat32(const unsigned char *at, unsigned char *to) {
    unsigned char bytes[32];
    memcpy(bytes, at, 32);
    memcpy(to, bytes, 32);
}

/* Index of the lowest bit set in a word that is not 0. */
static inline int canx_lowest_bit(uint64_t word) {
#ifdef _MSC_VER
    unsigned long bit;
    _BitScanForward64(&bit, word);
    return (int)bit;
#else
    return __builtin_ctzll(word);
#endif
}
/* Index of the first byte that is not 0; 8 if all are 0. */
static inline int canx_first_byte(uint64_t word) {
#ifdef __BMI__
    return (int)(_tzcnt_u64(word) >> 3);
#else
    return word ? canx_lowest_bit(word) >> 3 : 8;
#endif
}
/* Index of the highest bit set in a word that is not 0. */
static inline int canx_highest_bit(uint64_t word) {
#ifdef _MSC_VER
    unsigned long bit;
    _BitScanReverse64(&bit, word);
    return (int)bit;
#else
    return 63 - __builtin_clzll(word);
#endif
}
static inline int canx_newline_at(const unsigned char *at) {
#if defined(__AVX2__) && defined(__BMI__)
    __m256i newline = _mm256_set1_epi8(10);
    __m256i first = _mm256_cmpeq_epi8(_mm256_loadu_si256((const __m256i *)at), newline);
    __m256i second = _mm256_cmpeq_epi8(_mm256_loadu_si256((const __m256i *)(at + 32)), newline);
    uint64_t found = (uint32_t)_mm256_movemask_epi8(first);
    return (int)_tzcnt_u64(found | (uint64_t)(uint32_t)_mm256_movemask_epi8(second) << 32);
#elif defined(CANX_SSE2)
    uint64_t found = 0;
    for (int quarter = 3; quarter >= 0; quarter--) {
        __m128i text = _mm_loadu_si128((const __m128i *)at + quarter);
        found = found << 16 | (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(text, _mm_set1_epi8(10)));
    }
    return found ? canx_lowest_bit(found) : 64;
#else
    const unsigned char *found = (const unsigned char *)memchr(at, 10, 64);
    return found ? (int)(found - at) : 64;
#endif
}
/* True if the first COUNT bytes, at most 32, at both places are equal. */
static inline int canx_same_start(const unsigned char *at, const unsigned char *other, int count) {
#if defined(__AVX2__) && defined(__BMI__)
    __m256i same = _mm256_cmpeq_epi8(
        _mm256_loadu_si256((const __m256i *)at), _mm256_loadu_si256((const __m256i *)other));
    return (int)_tzcnt_u64(~(uint64_t)(uint32_t)_mm256_movemask_epi8(same)) >= count;
#elif defined(CANX_SSE2)
    const __m128i *first = (const __m128i *)at, *second = (const __m128i *)other;
    uint64_t same = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(_mm_loadu_si128(first), _mm_loadu_si128(second)));
    if (count > 16)
        same |= (uint64_t)(unsigned)_mm_movemask_epi8(
            _mm_cmpeq_epi8(_mm_loadu_si128(first + 1), _mm_loadu_si128(second + 1))) << 16;
    return canx_lowest_bit(~same) >= count;
#else
    return memcmp(at, other, (size_t)count) == 0;
#endif
}
static inline int canx_blank_run(const unsigned char *at) {
#if defined(__AVX2__) && defined(__BMI__)
    __m256i blanks = _mm256_cmpeq_epi8(_mm256_loadu_si256((const __m256i *)at), _mm256_set1_epi8(32));
    return (int)_tzcnt_u64(~(uint64_t)(uint32_t)_mm256_movemask_epi8(blanks));
#elif defined(CANX_SSE2)
    __m128i blank = _mm_set1_epi8(32);
    __m128i first = _mm_cmpeq_epi8(_mm_loadu_si128((const __m128i *)at), blank);
    __m128i second = _mm_cmpeq_epi8(_mm_loadu_si128((const __m128i *)at + 1), blank);
    uint64_t blanks = (unsigned)_mm_movemask_epi8(first) | (uint64_t)(unsigned)_mm_movemask_epi8(second) << 16;
    return canx_lowest_bit(~blanks);
#else
    int count = 0;
    while (count < 32 && at[count] == 32)
        count++;
    return count;
#endif
}
#define CANX_EACH(byte) (0x0101010101010101u * (uint64_t)(byte))

static inline uint64_t canx_swapped(uint64_t word) {
#ifdef __GNUC__
    return __builtin_bswap64(word);
#endif
    word = (word >> 8 & 0x00FF00FF00FF00FFu) | (word & 0x00FF00FF00FF00FFu) << 8;
    word = (word >> 16 & 0x0000FFFF0000FFFFu) | (word & 0x0000FFFF0000FFFFu) << 16;
    return word >> 32 | word << 32;
}
static inline uint64_t canx_first_bytes(uint64_t word, int count) {
    return word & ~(~(uint64_t)0 << 4 * count << 4 * count);
}
static inline int canx_leading_blanks(uint64_t word) {
    return canx_first_byte(word ^ CANX_EACH(32));
}
/* Index of the first byte equal to BYTE; 8 if there is none. */
static inline int canx_until(uint64_t word, int byte) {
    word ^= CANX_EACH(byte);
    return canx_first_byte((word - CANX_EACH(1)) & ~word & CANX_EACH(128));
}
static inline int canx_decimal_digits(uint64_t word) {
    uint64_t digits = word ^ CANX_EACH(48);
    return canx_first_byte((digits | (digits + CANX_EACH(6))) & CANX_EACH(240));
}
/* The first bytes moved to the end, after digits 0. */
static inline uint64_t canx_right_aligned(uint64_t word, int count) {
    return word << (64 - 8 * count) | CANX_EACH(48) >> 4 * count >> 4 * count;
}
/* The number whose digits are 8 bytes from 0 to 9. */
static inline uint32_t canx_joined(uint64_t digits) {
    uint64_t pairs = digits * 10 + (digits >> 8);
    uint64_t low = (pairs & 0x000000FF000000FFu) * (100 + (1000000ull << 32));
    uint64_t high = (pairs >> 16 & 0x000000FF000000FFu) * (1 + (10000ull << 32));
    return (uint32_t)((low + high) >> 32);
}
#ifdef CANX_SSSE3
CANX_VECTOR canx_zeros[16] = CANX_16(48);
CANX_VECTOR canx_above_9[16] = CANX_16(128 - 10); /* added to a byte above 9, sets the highest bit */
CANX_VECTOR canx_tens[16] = {10, 1, 10, 1, 10, 1, 10, 1, 10, 1, 10, 1, 10, 1, 10, 1};
CANX_VECTOR canx_hundreds[16] = {100, 0, 1, 0, 100, 0, 1, 0, 100, 0, 1, 0, 100, 0, 1, 0};
CANX_VECTOR canx_myriads[16] = {16, 39, 1, 0, 16, 39, 1, 0, 16, 39, 1, 0, 16, 39, 1, 0};
#endif
#ifdef CANX_SSSE3
static inline uint32_t canx_joined_vector(__m128i digits) {
    __m128i fours = _mm_madd_epi16(
        _mm_maddubs_epi16(digits, CANX_ALL(canx_tens)), CANX_ALL(canx_hundreds));
    return (uint32_t)_mm_cvtsi128_si32(
        _mm_madd_epi16(_mm_packs_epi32(fours, fours), CANX_ALL(canx_myriads)));
}
#endif
static inline long long canx_decimal(uint64_t word, int count) {
#ifdef CANX_SSSE3
    __m128i text = _mm_cvtsi64_si128((long long)canx_right_aligned(word, count));
    __m128i bytes = _mm_xor_si128(text, CANX_ALL(canx_zeros));
    unsigned wrong = (unsigned)_mm_movemask_epi8(_mm_adds_epu8(bytes, CANX_ALL(canx_above_9)));
    return wrong & 255 ? -1 : (long long)canx_joined_vector(bytes);
#else
    uint64_t digits = canx_right_aligned(word, count) ^ CANX_EACH(48);
    /* a byte above 9 has a bit above its lowest four, or gets one by adding 6 */
    uint64_t wrong = (digits | (digits + CANX_EACH(6))) & CANX_EACH(240);
    return wrong ? -1 : (long long)canx_joined(digits);
#endif
}
/* The number of leading decimal digits, and their value as the last or first of eight digits. */
static inline uint64_t canx_decimal_run(uint64_t word, int last) {
#ifdef CANX_SSSE3
    __m128i bytes = _mm_xor_si128(_mm_cvtsi64_si128((long long)word), CANX_ALL(canx_zeros));
    unsigned wrong = (unsigned)_mm_movemask_epi8(_mm_adds_epu8(bytes, CANX_ALL(canx_above_9)));
    int count = canx_lowest_bit(wrong | 256);
    bytes = _mm_sll_epi64(bytes, _mm_cvtsi32_si128(64 - 8 * count));
    if (!last)
        bytes = _mm_srl_epi64(bytes, _mm_cvtsi32_si128(64 - 8 * count));
    return (uint64_t)count << 32 | canx_joined_vector(bytes);
#else
    int count = canx_decimal_digits(word);
    word = canx_first_bytes(word, count) & CANX_EACH(15);
    if (last)
        word = word << 4 * (8 - count) << 4 * (8 - count);
    return (uint64_t)count << 32 | canx_joined(word);
#endif
}
static inline uint64_t canx_decimal8(uint32_t value) {
    uint64_t high = value / 10000, both = high | (uint64_t)(value - high * 10000) << 32;
    uint64_t hundreds = (both * 10486 >> 20) & 0x0000007F0000007Fu, tens;
    both = hundreds | (both - 100 * hundreds) << 16;
    tens = (both * 103 >> 10) & 0x000F000F000F000Fu;
    return (tens | (both - 10 * tens) << 8) + CANX_EACH(48);
}
/* The last six digits of a number below 1,000,000, and two bytes 0. */
static inline uint64_t canx_decimal6(uint32_t value) {
    uint32_t top = value / 10000, rest = value - top * 10000, middle = rest / 100;
    uint64_t pairs = top | (uint64_t)middle << 16 | (uint64_t)(rest - middle * 100) << 32;
    uint64_t tens = (pairs * 103 >> 10) & 0x000F000F000Fu;
    return (tens | (pairs - 10 * tens) << 8) + 0x303030303030u;
}
static inline int canx_significant(uint64_t word) {
    return (canx_highest_bit((word ^ CANX_EACH(48)) | 1) >> 3) + 1;
}
static inline int canx_hex_width(uint32_t value) {
    return (canx_highest_bit(value | 1) >> 2) + 1;
}
static inline int canx_decimal_width(uint32_t value) {
    /* an estimate from the highest bit, exact or too small by one */
    static const uint32_t powers[11] = {
        0, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000, 0xFFFFFFFFu};
    int width = (canx_highest_bit(value | 1) + 1) * 1233 >> 12;
    return width + (value >= powers[width]);
}
static inline long long canx_padded_decimal(uint64_t word, int count) {
    uint64_t text = word << (64 - 8 * count) | CANX_EACH(32) >> 4 * count >> 4 * count;
    int blanks = canx_first_byte(text ^ CANX_EACH(32));
    return blanks == 8 ? -1 : canx_decimal(text ^ canx_first_bytes(CANX_EACH(16), blanks), 8);
}
static inline uint64_t canx_padded_digits(uint64_t number) {
    /* two numbers of four digits, four of two, eight of one; the first one lowest */
    uint64_t parts = number / 10000 | number % 10000 << 32;
    uint64_t tops = parts * 10486 >> 20 & 0x0000007F0000007Fu;
    parts = tops | (parts - 100 * tops) << 16;
    tops = parts * 103 >> 10 & 0x000F000F000F000Fu;
    parts = tops | (parts - 10 * tops) << 8;
    int blanks = canx_first_byte(parts | (uint64_t)1 << 56);
    return (parts | CANX_EACH(48)) ^ canx_first_bytes(CANX_EACH(16), blanks);
}
/* The highest bit of each byte that is not a hexadecimal digit. */
static inline uint64_t canx_not_hex(uint64_t word) {
    uint64_t low = word & CANX_EACH(127), letter = low | CANX_EACH(32);
    uint64_t is_digit = (low + CANX_EACH(128 - 48)) & ~(low + CANX_EACH(128 - 58));
    uint64_t is_letter = (letter + CANX_EACH(128 - 97)) & ~(letter + CANX_EACH(128 - 103));
    return ~((is_digit | is_letter) & ~word) & CANX_EACH(128);
}
static inline int canx_alphanumeric_run(uint64_t word) {
    uint64_t low = word & CANX_EACH(127), letter = low | CANX_EACH(32);
    uint64_t is_digit = (low + CANX_EACH(128 - 48)) & ~(low + CANX_EACH(128 - 58));
    uint64_t is_letter = (letter + CANX_EACH(128 - 97)) & ~(letter + CANX_EACH(128 - 123));
    return canx_first_byte(~((is_digit | is_letter) & ~word) & CANX_EACH(128));
}
static inline uint64_t canx_padded_hex(uint32_t value, int width) {
    /* two parts of four digits, four of two, eight of one; the first one lowest */
    uint64_t digits = (value >> 16 | (uint64_t)value << 32) & 0x0000FFFF0000FFFFu;
    digits = (digits >> 8 | digits << 16) & 0x00FF00FF00FF00FFu;
    digits = (digits >> 4 | digits << 8) & CANX_EACH(15);
    digits += CANX_EACH(48) + ((digits + CANX_EACH(6)) >> 4 & CANX_EACH(1)) * 39;
    return digits ^ canx_first_bytes(CANX_EACH(16), 8 - width);
}
static inline int canx_hex_digits(uint64_t word) {
    return canx_first_byte(canx_not_hex(word));
}
/* The 4 bytes of 8 hexadecimal digits, the first one lowest. */
static inline uint32_t canx_unhexed(uint64_t word) {
    uint64_t value = (word & CANX_EACH(15)) + 9 * (word >> 6 & CANX_EACH(1));
    value = (value << 4 | value >> 8) & 0x00FF00FF00FF00FFu;
    value = (value | value >> 8) & 0x0000FFFF0000FFFFu;
    return (uint32_t)(value | value >> 16);
}
static inline uint32_t canx_reversed(uint32_t value) {
#ifdef __GNUC__
    return __builtin_bswap32(value);
#endif
    return value >> 24 | (value >> 8 & 0xFF00) | (value & 0xFF00) << 8 | value << 24;
}
#ifdef CANX_SSE2
CANX_VECTOR canx_behind_9[16] = CANX_16(58);
CANX_VECTOR canx_sixes[16] = CANX_16(6);
CANX_VECTOR canx_f0[16] = CANX_16(0xF0);
CANX_VECTOR canx_upper[16] = CANX_16(0xDF);
CANX_VECTOR canx_letter_a[16] = CANX_16(65);
CANX_VECTOR canx_ten[16] = CANX_16(10);
CANX_VECTOR canx_above_15[16] = CANX_16(128 - 16);
CANX_VECTOR canx_nibbles[16] = {16, 1, 16, 1, 16, 1, 16, 1, 16, 1, 16, 1, 16, 1, 16, 1};
/* The values of 16 hexadecimal digits: 0 to 9 of a digit, 10 to 15 of a letter. Saturating sums put any
   other byte above both ranges. Also the number of leading digits. */
static inline __m128i canx_nibbles_of(__m128i text, int *count) {
    __m128i digit = _mm_subs_epu8(_mm_sub_epi8(text, CANX_ALL(canx_behind_9)), CANX_ALL(canx_sixes));
    __m128i letter = _mm_sub_epi8(_mm_and_si128(text, CANX_ALL(canx_upper)), CANX_ALL(canx_letter_a));
    __m128i value = _mm_min_epu8(
        _mm_sub_epi8(digit, CANX_ALL(canx_f0)), _mm_adds_epu8(letter, CANX_ALL(canx_ten)));
    unsigned wrong = (unsigned)_mm_movemask_epi8(_mm_adds_epu8(value, CANX_ALL(canx_above_15)));
    *count = canx_lowest_bit(wrong | 0x10000u);
    return value;
}
static inline __m128i canx_paired(__m128i nibbles) {
#ifdef CANX_SSSE3
    nibbles = _mm_maddubs_epi16(nibbles, CANX_ALL(canx_nibbles));
#else
    nibbles = _mm_or_si128(_mm_slli_epi16(nibbles, 4), _mm_srli_epi16(nibbles, 8));
    nibbles = _mm_and_si128(nibbles, _mm_set1_epi16(255));
#endif
    return _mm_packus_epi16(nibbles, nibbles);
}
static inline __m128i canx_unhex_vector(__m128i text, int *count) {
    return canx_paired(canx_nibbles_of(text, count));
}
#endif
static inline uint64_t canx_hex_run(uint64_t word) {
    int count;
#ifdef CANX_SSE2
    __m128i nibbles = canx_nibbles_of(_mm_set_epi64x(0, (long long)word), &count);
    nibbles = canx_paired(_mm_sll_epi64(nibbles, _mm_cvtsi32_si128(64 - 8 * count)));
    return (uint64_t)count << 32 | canx_reversed((uint32_t)_mm_cvtsi128_si32(nibbles));
#else
    count = canx_hex_digits(word);
    word = count ? canx_unhexed(word << (64 - 8 * count)) : 0;
    return (uint64_t)count << 32 | canx_reversed((uint32_t)word);
#endif
}
static inline long long canx_hexadecimal(uint64_t word, int count) {
    uint64_t digits = canx_right_aligned(word, count);
#ifdef CANX_SSE2
    int good;
    __m128i bytes = canx_unhex_vector(_mm_set_epi64x(0, (long long)digits), &good);
    return good < 8 ? -1 : (long long)canx_reversed((uint32_t)_mm_cvtsi128_si32(bytes));
#else
    return canx_not_hex(digits) ? -1 : (long long)canx_reversed(canx_unhexed(digits));
#endif
}
static inline int canx_unhex_words(uint64_t first, uint64_t second, unsigned char *to) {
#ifdef CANX_SSE2
    int count;
    __m128i text = _mm_set_epi64x((long long)second, (long long)first);
    _mm_storel_epi64((__m128i *)to, canx_unhex_vector(text, &count));
    return count;
#else
    int count = canx_hex_digits(first);
    canx_store4(to, canx_unhexed(first));
    canx_store4(to + 4, canx_unhexed(second));
    return count < 8 ? count : 8 + canx_hex_digits(second);
#endif
}
static inline int canx_unhex(const unsigned char *at, unsigned char *to) {
#ifdef CANX_SSE2
    int count;
    _mm_storel_epi64((__m128i *)to, canx_unhex_vector(_mm_loadu_si128((const __m128i *)at), &count));
    return count;
#else
    return canx_unhex_words(canx_load8(at), canx_load8(at + 8), to);
#endif
}
/* The digits of two groups of separator, digit, digit; and their separators. */
static inline uint64_t canx_pairs(uint64_t word) {
    return (word >> 8 & 0xFFFF) | (word >> 16 & 0xFFFF0000);
}
static inline uint64_t canx_marks(uint64_t word) {
    return (word & 255) | (word >> 16 & 0xFF00);
}
#ifdef CANX_SSSE3
CANX_VECTOR canx_blank[16] = CANX_16(32);
CANX_VECTOR canx_comma[16] = CANX_16(44);
#else
static const unsigned char canx_blank[1] = {32}, canx_comma[1] = {44};
#endif
static inline int canx_unhex_parted(const unsigned char *at, unsigned char *to, const unsigned char *mark) {
#ifdef CANX_SSSE3
    const __m128i from_first = _mm_setr_epi8(1, 2, 4, 5, 7, 8, 10, 11, 13, 14, -1, -1, -1, -1, -1, -1);
    const __m128i from_second = _mm_setr_epi8(-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 8, 9, 11, 12, 14, 15);
    __m128i first = _mm_loadu_si128((const __m128i *)at);
    __m128i second = _mm_loadu_si128((const __m128i *)(at + 8));
    __m128i all = CANX_ALL(mark);
    unsigned marks = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(first, all))
        | (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(second, all)) << 8;
    int digits, parted = canx_lowest_bit((~marks & 0x249249u) | 1u << 24) * 11 >> 5; /* a third of the index */
    _mm_storel_epi64((__m128i *)to, canx_unhex_vector(
        _mm_or_si128(_mm_shuffle_epi8(first, from_first), _mm_shuffle_epi8(second, from_second)), &digits));
    return parted < digits >> 1 ? parted : digits >> 1;
#else
    uint64_t a = canx_load8(at), b = canx_load8(at + 6), c = canx_load8(at + 12), d = canx_load8(at + 18);
    uint64_t marks = canx_marks(a) | canx_marks(b) << 16 | canx_marks(c) << 32 | canx_marks(d) << 48;
    int digits = canx_unhex_words(
        canx_pairs(a) | canx_pairs(b) << 32, canx_pairs(c) | canx_pairs(d) << 32, to);
    int parted = canx_first_byte(marks ^ CANX_EACH(*mark));
    return parted < digits >> 1 ? parted : digits >> 1;
#endif
}
static inline int canx_unhex_spaced(const unsigned char *at, unsigned char *to) {
    return canx_unhex_parted(at, to, canx_blank);
}
static inline int canx_unhex_commas(const unsigned char *at, unsigned char *to) {
    return canx_unhex_parted(at, to, canx_comma);
}
#ifdef CANX_SSE2
#ifdef CANX_SSSE3
CANX_VECTOR canx_fifteen[16] = CANX_16(15);
CANX_VECTOR canx_hex_digits_of[32] = {
    48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 65, 66, 67, 68, 69, 70,
    48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 97, 98, 99, 100, 101, 102};
#endif
static inline __m128i canx_hex_vector(__m128i bytes, int letters) {
#ifdef CANX_SSSE3
    __m128i digits = CANX_ALL(canx_hex_digits_of + (letters == 55 ? 0 : 16)), nibble = CANX_ALL(canx_fifteen);
    __m128i upper = _mm_and_si128(_mm_srli_epi16(bytes, 4), nibble);
    return _mm_shuffle_epi8(digits, _mm_unpacklo_epi8(upper, _mm_and_si128(bytes, nibble)));
#else
    __m128i mask = _mm_set1_epi8(15);
    __m128i high = _mm_and_si128(_mm_srli_epi16(bytes, 4), mask);
    __m128i value = _mm_unpacklo_epi8(high, _mm_and_si128(bytes, mask));
    __m128i more = _mm_and_si128(
        _mm_cmpgt_epi8(value, _mm_set1_epi8(9)), _mm_set1_epi8((char)(letters - 48)));
    return _mm_add_epi8(_mm_add_epi8(value, _mm_set1_epi8(48)), more);
#endif
}
#endif
/* Eight upper-case hexadecimal digits. */
static inline uint64_t canx_hexadecimal8(uint32_t value) {
#ifdef CANX_SSE2
    return (uint64_t)_mm_cvtsi128_si64(canx_hex_vector(_mm_cvtsi32_si128((int)canx_reversed(value)), 55));
#else
    uint64_t digits = (value >> 16 | (uint64_t)value << 32) & 0x0000FFFF0000FFFFu;
    digits = (digits >> 8 | digits << 16) & 0x00FF00FF00FF00FFu;
    digits = (digits >> 4 | digits << 8) & CANX_EACH(15);
    return digits + CANX_EACH(48) + ((digits + CANX_EACH(6)) >> 4 & CANX_EACH(1)) * 7;
#endif
}
/* The value of a hexadecimal digit, 255 for any other byte: from a table, as branches on digits are unpredictable. */
#define CANX_NONE4 255, 255, 255, 255
#define CANX_NONE16 CANX_NONE4, CANX_NONE4, CANX_NONE4, CANX_NONE4
#define CANX_A_TO_F 255, 10, 11, 12, 13, 14, 15, 255, CANX_NONE4, CANX_NONE4, CANX_NONE16
static inline int canx_nibble(unsigned char byte) {
    static const unsigned char nibbles[256] = {
        CANX_NONE16, CANX_NONE16, CANX_NONE16, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 255, 255, CANX_NONE4, CANX_A_TO_F,
        CANX_A_TO_F, CANX_NONE16, CANX_NONE16, CANX_NONE16, CANX_NONE16, CANX_NONE16, CANX_NONE16, CANX_NONE16,
        CANX_NONE16};
    return nibbles[byte];
}
/* The length of a CAN FD frame by its DLC. */
static inline int canx_fd_length(int code) {
    static const unsigned char lengths[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 20, 24, 32, 48, 64};
    return lengths[code];
}
/* The DLC of the smallest CAN FD frame that holds 0 to 64 bytes. */
static inline int canx_fd_code_for(int size) {
    static const unsigned char codes[65] = {
        0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 9, 10, 10, 10, 10, 11, 11, 11, 11, 12,
        12, 12, 12, 13, 13, 13, 13, 13, 13, 13, 13, 14, 14, 14, 14, 14, 14, 14, 14, 14, 14, 14,
        14, 14, 14, 14, 14, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15};
    return codes[size];
}
/* The DLC of a CAN FD frame of 0 to 64 bytes; 255 if there is none of this length. */
static inline int canx_fd_code(int size) {
    int code = canx_fd_code_for(size);
    return canx_fd_length(code) == size ? code : 255;
}
static inline void canx_hex8(const unsigned char *at, unsigned char *to, int letters) {
#ifdef CANX_SSE2
    _mm_storeu_si128((__m128i *)to, canx_hex_vector(_mm_loadl_epi64((const __m128i *)at), letters));
#else
    for (int index = 0; index < 8; index++) {
        int high = at[index] >> 4, low = at[index] & 15;
        to[2 * index] = (unsigned char)(high + (high > 9 ? letters : 48));
        to[2 * index + 1] = (unsigned char)(low + (low > 9 ? letters : 48));
    }
#endif
}
/* The two digits of each of 8 bytes, after a separator. */
#ifdef CANX_SSSE3
static inline void canx_store_parted(unsigned char *to, __m128i digits, int mark) {
    const __m128i to_first = _mm_setr_epi8(-1, 0, 1, -1, 2, 3, -1, 4, 5, -1, 6, 7, -1, 8, 9, -1);
    const __m128i to_second = _mm_setr_epi8(5, -1, 6, 7, -1, 8, 9, -1, 10, 11, -1, 12, 13, -1, 14, 15);
    const char m = (char)mark;
    const __m128i marks = _mm_setr_epi8(m, 0, 0, m, 0, 0, m, 0, 0, m, 0, 0, m, 0, 0, m);
    const __m128i more = _mm_setr_epi8(0, m, 0, 0, m, 0, 0, m, 0, 0, m, 0, 0, m, 0, 0);
    _mm_storeu_si128((__m128i *)to, _mm_or_si128(_mm_shuffle_epi8(digits, to_first), marks));
    _mm_storeu_si128((__m128i *)(to + 8), _mm_or_si128(_mm_shuffle_epi8(digits, to_second), more));
}
#else
static inline void canx_store_parted(unsigned char *to, const unsigned char *at, int mark, int letters) {
    unsigned char digits[16];
    canx_hex8(at, digits, letters);
    for (int index = 0; index < 8; index++) {
        to[3 * index] = (unsigned char)mark;
        canx_copy2(digits + 2 * index, to + 3 * index + 1);
    }
}
#endif
static inline void canx_hex8_spaced(const unsigned char *at, unsigned char *to, int letters) {
#ifdef CANX_SSSE3
    canx_store_parted(to, canx_hex_vector(_mm_loadl_epi64((const __m128i *)at), letters), 32);
#else
    canx_store_parted(to, at, 32, letters);
#endif
}
static inline void canx_hex_commas(uint64_t word, unsigned char *to) {
#ifdef CANX_SSSE3
    canx_store_parted(to, canx_hex_vector(_mm_cvtsi64_si128((long long)word), 55), 44);
#else
    unsigned char bytes[8];
    canx_store8(bytes, word);
    canx_store_parted(to, bytes, 44, 55);
#endif
}
/* The value of a base64 character, above 63 for any other. */
static inline int canx_sextet(int c) {
    int letter = (c | 32) - 97, digit = c - 48;
    if (letter >= 0 && letter < 26)
        return letter + (c & 32 ? 26 : 0);
    if (digit >= 0 && digit < 10)
        return digit + 52;
    return c == 43 ? 62 : c == 47 ? 63 : 255;
}
#ifdef CANX_SSE2
/* A mask of the first N of 16 bytes: the 16 bytes from index 16 - N on. */
CANX_VECTOR canx_taken[32] = {
    255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255};
#ifdef CANX_SSSE3
/* The base64 alphabet by the upper and the lower half of a character: a bit set in both entries marks a
   character outside the alphabet. Then the offset to its value by its upper half, plus one for the slash. */
CANX_VECTOR canx_lower_halves[16] = {
    21, 17, 17, 17, 17, 17, 17, 17, 17, 17, 19, 26, 27, 27, 27, 26};
CANX_VECTOR canx_upper_halves[16] = {16, 16, 1, 2, 4, 8, 4, 8, 16, 16, 16, 16, 16, 16, 16, 16};
CANX_VECTOR canx_shifts[16] = {0, 16, 19, 4, 191, 191, 185, 185};
CANX_VECTOR canx_slash[16] = CANX_16(47); /* also a mask of the four bits of a half */
CANX_VECTOR canx_sextet_pairs[16] = {64, 1, 64, 1, 64, 1, 64, 1, 64, 1, 64, 1, 64, 1, 64, 1};
CANX_VECTOR canx_sextets[16] = {0, 16, 1, 0, 0, 16, 1, 0, 0, 16, 1, 0, 0, 16, 1, 0};
CANX_VECTOR canx_in_order[16] = {2, 1, 0, 6, 5, 4, 10, 9, 8, 128, 128, 128, 128, 128, 128, 128};
#endif
#endif
static inline int canx_unbase64(const unsigned char *at, int count, unsigned char *to) {
    uint64_t word, last; /* bytes 0 to 7, and the next one */
    int good, bytes = count * 3 >> 2;
#ifdef CANX_SSSE3
    __m128i text = _mm_loadu_si128((const __m128i *)at), slash = CANX_ALL(canx_slash);
    __m128i kept = _mm_loadu_si128((const __m128i *)(canx_taken + 16 - count));
    __m128i upper = _mm_and_si128(_mm_srli_epi32(text, 4), slash);
    __m128i is_wrong = _mm_and_si128(
        _mm_shuffle_epi8(CANX_ALL(canx_upper_halves), upper),
        _mm_shuffle_epi8(CANX_ALL(canx_lower_halves), _mm_and_si128(text, slash)));
    __m128i shift = _mm_shuffle_epi8(
        CANX_ALL(canx_shifts), _mm_add_epi8(upper, _mm_cmpeq_epi8(text, slash)));
    __m128i value = _mm_and_si128(_mm_add_epi8(text, shift), kept);
    is_wrong = _mm_cmpgt_epi8(_mm_and_si128(is_wrong, kept), _mm_setzero_si128());
    good = _mm_movemask_epi8(is_wrong) == 0;
    value = _mm_madd_epi16(
        _mm_maddubs_epi16(value, CANX_ALL(canx_sextet_pairs)), CANX_ALL(canx_sextets));
    value = _mm_shuffle_epi8(value, CANX_ALL(canx_in_order));
    word = (uint64_t)_mm_cvtsi128_si64(value);
    last = (unsigned)_mm_cvtsi128_si32(_mm_srli_si128(value, 8));
#elif defined(CANX_SSE2)
    __m128i text = _mm_loadu_si128((const __m128i *)at);
    __m128i kept = _mm_loadu_si128((const __m128i *)(canx_taken + 16 - count));
    __m128i upper = _mm_sub_epi8(text, _mm_set1_epi8(65)), lower = _mm_sub_epi8(text, _mm_set1_epi8(97));
    __m128i digit = _mm_sub_epi8(text, _mm_set1_epi8(48)), z = _mm_set1_epi8(25);
    __m128i is_upper = _mm_cmpeq_epi8(_mm_min_epu8(upper, z), upper);
    __m128i is_lower = _mm_cmpeq_epi8(_mm_min_epu8(lower, z), lower);
    __m128i is_digit = _mm_cmpeq_epi8(_mm_min_epu8(digit, _mm_set1_epi8(9)), digit);
    __m128i is_plus = _mm_cmpeq_epi8(text, _mm_set1_epi8(43));
    __m128i is_slash = _mm_cmpeq_epi8(text, _mm_set1_epi8(47));
    __m128i shift = _mm_or_si128(
        _mm_or_si128(_mm_and_si128(is_upper, _mm_set1_epi8(-65)), _mm_and_si128(is_lower, _mm_set1_epi8(-71))),
        _mm_or_si128(_mm_and_si128(is_plus, _mm_set1_epi8(19)), _mm_and_si128(is_slash, _mm_set1_epi8(16))));
    __m128i is_any = _mm_or_si128(
        _mm_or_si128(is_upper, is_lower), _mm_or_si128(is_digit, _mm_or_si128(is_plus, is_slash)));
    __m128i value;
    shift = _mm_or_si128(shift, _mm_and_si128(is_digit, _mm_set1_epi8(4)));
    value = _mm_and_si128(_mm_add_epi8(text, shift), kept);
    good = _mm_movemask_epi8(_mm_andnot_si128(is_any, kept)) == 0;
    value = _mm_or_si128(
        _mm_slli_epi16(_mm_and_si128(value, _mm_set1_epi16(255)), 6), _mm_srli_epi16(value, 8));
    value = _mm_madd_epi16(value, _mm_set1_epi32(0x00011000));
    word = canx_swapped((uint64_t)_mm_cvtsi128_si64(value));
    word = word >> 40 | (word << 16 & 0x0000FFFFFF000000u);
    last = (unsigned)_mm_cvtsi128_si32(_mm_srli_si128(value, 8));
    word |= (last >> 16 & 255) << 48 | (last >> 8 & 255) << 56;
    last &= 255;
#else
    uint64_t groups[3];
    good = 1;
    for (int group = 0; group < 3; group++) {
        groups[group] = 0;
        for (int index = 4 * group; index < 4 * group + 4; index++) {
            int sextet = index < count ? canx_sextet(at[index]) : 0;
            good &= sextet < 64;
            groups[group] = groups[group] << 6 | (unsigned)(sextet & 63);
        }
    }
    word = canx_swapped(groups[0]) >> 40 | canx_swapped(groups[1]) >> 40 << 24;
    word |= canx_swapped(groups[2] >> 8) >> 48 << 48;
    last = groups[2] & 255;
#endif
    canx_store8(to, word);
    return good & (last == 0) & (canx_first_bytes(word, bytes) == word);
}

#endif
