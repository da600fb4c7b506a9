/* test_number.c - numbers to the last bit: against strtod and strtof, and against 128-bit
 * arithmetic. */
#include "decode/number.h"

#include "../../tools/random.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static void scan(const char *text, size_t len, struct cl_number *ret)
{
    const uint8_t *p = (const uint8_t *)text;
    if (cl_number_scan(p, p + len, ret) != p + len)
        fail_msg("%.60s...: not scanned to its end", text);
}

static bool same_bits(double a, double b)
{
    return memcmp(&a, &b, sizeof a) == 0;
}

static void check_double(const char *text, size_t len)
{
    struct cl_number n;
    double want = strtod(text, NULL), got = 0;
    scan(text, len, &n);
    bool fits = cl_number_to_double(&n, &got);
    if (fits != !isinf(want) || (fits && !same_bits(got, want)))
        fail_msg("%.100s (%zu bytes): %a, but strtod says %a", text, len, got, want);
}

static void check_float(const char *text, size_t len)
{
    struct cl_number n;
    float want = strtof(text, NULL), got = 0;
    scan(text, len, &n);
    bool fits = cl_number_to_float(&n, &got);
    if (fits != !isinf(want) || (fits && memcmp(&got, &want, sizeof got) != 0))
        fail_msg("%.100s (%zu bytes): %a, but strtof says %a", text, len, (double)got,
                 (double)want);
}

static void check(const char *text)
{
    check_double(text, strlen(text));
    check_float(text, strlen(text));
}

/* Every finite bit pattern is as likely: subnormals, huge and tiny numbers come up in their shares.
 */
static double random_double(uint64_t *state)
{
    for (;;) {
        uint64_t bits = random_next(state);
        double v;
        memcpy(&v, &bits, 8);
        if (isfinite(v)) return v;
    }
}

static void round_trips(void **state)
{
    (void)state;
    uint64_t seed = 1;
    for (int i = 0; i < 1000000; i++) {
        double v = random_double(&seed), got;
        char text[40];
        struct cl_number n;
        int len = snprintf(text, sizeof text, "%.17g", v);
        scan(text, (size_t)len, &n);
        if (!cl_number_to_double(&n, &got) || !same_bits(got, v))
            fail_msg("%s: %a, not %a", text, got, v);
        if (i % 4 != 0) continue; /* strtod is slow */
        for (int precision = 16; precision >= 14; precision--)
            check_double(text, (size_t)snprintf(text, sizeof text, "%.*g", precision, v));
    }
}

/* What sensors send: few digits before and after the point. */
static void ordinary_numbers(void **state)
{
    (void)state;
    uint64_t seed = 2;
    char text[64];
    for (int i = 0; i < 300000; i++) {
        double v = ((double)random_below(&seed, 2000000) - 1000000) / 1000 *
                   (double)random_next(&seed) * 0x1p-64;
        check_double(text,
                     (size_t)snprintf(text, sizeof text, "%.*f", (int)random_below(&seed, 18), v));
    }
}

static void random_floats(void **state)
{
    (void)state;
    uint64_t seed = 3;
    for (int i = 0; i < 200000; i++) {
        uint32_t bits = (uint32_t)(random_next(&seed) >> 32);
        float v, next;
        memcpy(&v, &bits, 4);
        if (!isfinite(v)) continue;
        char text[300];
        int len = snprintf(text, sizeof text, "%.*g", (int)random_below(&seed, 12) + 1, (double)v);
        check_float(text, (size_t)len);
        /* Exactly half-way to the next float, then a hair above: 160 digits write it exactly. */
        next = nextafterf(v, INFINITY);
        if (!isfinite(next)) continue;
        len = snprintf(text, sizeof text, "%.160e", ((double)v + (double)next) / 2);
        check_float(text, (size_t)len);
        text[strcspn(text, "e") - 1] = '1';
        check_float(text, (size_t)len);
    }
}

static void hard_cases(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "0",
        "-0",
        "0.0",
        "-0.0e5",
        "0e400",
        "1",
        "-1",
        "9007199254740991",
        "9007199254740992",
        "9007199254740993",
        "9007199254740994",
        "9007199254740995",
        "9007199254740993.0000000000000000000000000000000000001",
        "9007199254740992.9999999999999999999999",
        "18014398509481985",
        "18014398509481986",
        "1e22",
        "1e23",
        "1e-22",
        "1e-23",
        "123456789012345678",
        "1234567890123456789",
        "12345678901234567890",
        "9999999999999999999",
        "99999999999999999999",
        "18446744073709551615",
        "18446744073709551616",
        "18446744073709551617",
        "1.7976931348623157e308",
        "1.7976931348623158e308",
        "1.79769313486231580793e308",
        "1.797693134862315807937289714053e308",
        "1.7976931348623159e308",
        "2e308",
        "1e309",
        "1e400",
        "-1e400",
        "1e999999999999999999999999",
        "2.2250738585072014e-308",
        "2.2250738585072011e-308",
        "2.2250738585072012e-308",
        "2.225073858507201136057409796709131975934819546351645648023426109724822222021076945516"
        "529523908135087914149158913039621106870086438694594645527657207407820621743379988141063267"
        "329253552286881372149012"
        "981122451451889849057222307285255133155755015914397476397983411801999323962548289017107081"
        "8506906306666559949382757"
        "725720157630626906633326475653000092458883164330377797918696120494973903778297049050510806"
        "09940730262937128958950003"
        "583799967207254304360284078895771796150945516748243471030702609144621572289880258182545180"
        "325707018860872113128079"
        "512233426288368622321503775666622503982534335974568884423900265498198385487948292206894721"
        "68983109969836584681402285"
        "424333066033985088644580400103493397042756718644338377048603786162277173854562306587467901"
        "408672332763671875e-308",
        "4.9406564584124654e-324",
        "5e-324",
        "2.4703282292062327e-324",
        "2.4703282292062328e-324",
        "2.4703282292062327208299e-324",
        "2.5e-324",
        "1e-323",
        "3e-324",
        "1e-324",
        "1e-400",
        "1e-999999999999999999999",
        "8.98846567431158e307",
        "6929495644600919.5",
        "3.518437208883201171875E13",
        "9.5367431640625e-07",
        "0.500000000000000166533453693773481063544750213623046875",
        "0.5000000000000001665334536937734810635447502136230468750001",
        "1.00000000000000011102230246251565404236316680908203125",
        "1.00000000000000011102230246251565404236316680908203124",
        "1.00000000000000011102230246251565404236316680908203126",
        "104110013277974872254e-225",
        "3.2378839133029012895883524125015321748630094231714e-319",
        "7.0420557077594588669468784357561207962098443483187940792729600000e+59",
        "1090544144181609348671888949248",
        "2.00416836000897277799610805135016205e-146",
        "5e-20",
        "5e125",
        "6e-45",
        "1.8254370818746402660437411213933955878019332885742e-12",
        "3.4028234e38",
        "3.4028235e38",
        "3.40282356e38",
        "3.4028235677973366e38",
        "3.4028235677973367e38",
        "1.401298464324817e-45",
        "7.006492321624085e-46",
        "7.006492321624086e-46",
        "1.1754943508222875e-38",
        "1.1754942807573643e-38",
        "16777217",
        "16777217.0000001",
        "0."
        "000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
        "00000012345678901234567890123e90",
        "100000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
        "0000000000000000000000000000e-116",
        "0.1e1",
        "0.10e-1",
        "1E5",
        "1e+05",
        "1e-005",
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check(cases[i]);
}

/* Long texts of random digits, with the point and the exponent anywhere. */
static void long_numbers(void **state)
{
    (void)state;
    uint64_t seed = 4;
    char text[2600];
    for (int i = 0; i < 20000; i++) {
        size_t digits = random_below(&seed, i % 50 == 0 ? 2400 : 60) + 1,
               point = random_below(&seed, (uint32_t)digits) + 1, len = 0;
        bool zeros = random_below(&seed, 3) == 0; /* mostly zeros: digits far behind decide */
        text[len++] = (char)('1' + random_below(&seed, 9));
        for (size_t d = 1; d < digits; d++) {
            if (d == point) text[len++] = '.';
            text[len++] =
                zeros && random_below(&seed, 40) > 0 ? '0' : (char)('0' + random_below(&seed, 10));
        }
        len += (size_t)snprintf(text + len, 20, "e%d",
                                (int)random_below(&seed, 700) - 350 - (int)point / 2);
        check_double(text, len);
        check_float(text, len);
    }
}

#if LDBL_MANT_DIG >= 64
/* Half-way between two doubles, exactly, and next to it: the extended type has the bit that a
 * double lacks. */
static void ties(void **state)
{
    (void)state;
    uint64_t seed = 5;
    char text[1300];
    for (int i = 0; i < 20000; i++) {
        double v = fabs(random_double(&seed));
        if (i % 2 == 0) v = fmod(v, 1e6) + 1;
        double next = nextafter(v, INFINITY);
        if (isinf(next)) continue;
        int len = snprintf(text, sizeof text, "%.*Le", i % 10 == 0 ? 1100 : 60,
                           ((long double)v + (long double)next) / 2);
        check_double(text, (size_t)len);
        text[strcspn(text, "e") - 1] = '1';
        check_double(text, (size_t)len);
    }
}
#endif

static void longs(void **state)
{
    (void)state;
    uint64_t seed = 6;
    for (int i = 0; i < 200000; i++) {
        int64_t v = (int64_t)random_next(&seed) >> random_below(&seed, 63), got = 0;
        char text[80];
        struct cl_number n;
        scan(text, (size_t)snprintf(text, sizeof text, "%lld", (long long)v), &n);
        assert_int_equal(cl_number_to_long(&n, &got), CL_NUMBER_OK);
        assert_int_equal(got, v);
        if (v == 0) continue; /* more zeros behind it are no number */
        int zeros = (int)random_below(&seed, 20);
        scan(text,
             (size_t)snprintf(text, sizeof text, "%lld%0*de-%d", (long long)v, zeros + 1, 0,
                              zeros + 1),
             &n);
        assert_int_equal(cl_number_to_long(&n, &got), CL_NUMBER_OK);
        assert_int_equal(got, v);
        scan(text, (size_t)snprintf(text, sizeof text, "%lld.%0*d1", (long long)v, zeros + 1, 0),
             &n);
        assert_int_equal(cl_number_to_long(&n, &got), CL_NUMBER_FRACTION);
    }
}

/* Random units, written with the point at random places, come back; with a digit too many they do
 * not. */
static void scaled(void **state)
{
    (void)state;
    uint64_t seed = 7;
    for (int i = 0; i < 100000; i++) {
        int digits = (int)random_below(&seed, 38) + 1,
            scale = (int)random_below(&seed, (uint32_t)digits + 1);
        char units[40], text[120];
        __int128 want = 0, got = 0;
        for (int d = 0; d < digits; d++) {
            units[d] = (char)('0' + random_below(&seed, 10));
            want = want * 10 + (units[d] - '0');
        }
        bool negative = random_below(&seed, 2) == 1;
        int shift = (int)random_below(&seed, 30) - 15;
        const char *first = units;
        int whole = digits - scale;
        while (whole > 1 && *first == '0')
            first++, whole--;
        int len = snprintf(text, sizeof text, "%s%.*s.%.*s0e%d", negative ? "-" : "",
                           whole > 0 ? whole : 1, whole > 0 ? first : "0", scale,
                           units + digits - scale, shift);
        struct cl_number n;
        scan(text, (size_t)len, &n);
        if (scale - shift < 0) continue;
        assert_int_equal(cl_number_to_scaled(&n, scale - shift, false, &got), CL_NUMBER_OK);
        if (got != (negative ? -want : want)) fail_msg("%s at scale %d", text, scale - shift);
        if (scale - shift == 0 || want % 10 == 0) continue;
        assert_int_equal(cl_number_to_scaled(&n, scale - shift - 1, false, &got),
                         CL_NUMBER_FRACTION);
        assert_int_equal(cl_number_to_scaled(&n, scale - shift - 1, true, &got), CL_NUMBER_OK);
        if (got != (negative ? -(want / 10) - 1 : want / 10))
            fail_msg("%s at scale %d, floor", text, scale - shift - 1);
    }
}

static void scaled_limits(void **state)
{
    (void)state;
    struct cl_number n;
    __int128 got, max = (__int128)(~(unsigned __int128)0 >> 1);
    scan("170141183460469231731687303715884105727", 39, &n);
    assert_int_equal(cl_number_to_scaled(&n, 0, false, &got), CL_NUMBER_OK);
    assert_true(got == max);
    scan("170141183460469231731687303715884105728", 39, &n);
    assert_int_equal(cl_number_to_scaled(&n, 0, false, &got), CL_NUMBER_RANGE);
    scan("1e1000000000000", 15, &n);
    assert_int_equal(cl_number_to_scaled(&n, 0, false, &got), CL_NUMBER_RANGE);
    scan("1e-1000000000000", 16, &n);
    assert_int_equal(cl_number_to_scaled(&n, 38, true, &got), CL_NUMBER_OK);
    assert_true(got == 0);
    scan("-1e-1000000000000", 17, &n);
    assert_int_equal(cl_number_to_scaled(&n, 38, true, &got), CL_NUMBER_OK);
    assert_true(got == -1);
}

static void grammar(void **state)
{
    (void)state;
    static const char *const bad[] = {"-",   "01",  "-01",  "00", "1.",  ".5", "1e", "1e+",
                                      "1E-", "-.5", "1.e5", "+1", "--1", "e5", "-e"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const uint8_t *p = (const uint8_t *)bad[i];
        struct cl_number n;
        if (cl_number_scan(p, p + strlen(bad[i]), &n) != NULL) fail_msg("%s: taken", bad[i]);
    }
    static const char *const stop[] = {"0x10", "1.5.5", "12a", "1-2", "3e5e", "0,"};
    static const size_t used[] = {1, 3, 2, 1, 3, 1};
    for (size_t i = 0; i < sizeof stop / sizeof *stop; i++) {
        const uint8_t *p = (const uint8_t *)stop[i];
        struct cl_number n;
        assert_int_equal(cl_number_scan(p, p + strlen(stop[i]), &n) - p, used[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(grammar),
        cmocka_unit_test(hard_cases),
        cmocka_unit_test(round_trips),
        cmocka_unit_test(ordinary_numbers),
        cmocka_unit_test(random_floats),
        cmocka_unit_test(long_numbers),
#if LDBL_MANT_DIG >= 64
        cmocka_unit_test(ties),
#endif
        cmocka_unit_test(longs),
        cmocka_unit_test(scaled),
        cmocka_unit_test(scaled_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
