#!/usr/bin/env python3
"""Writes the C table of the powers of five that number.c multiplies with.

For each q in [-342, 308] the table holds the 128 most significant bits of 5**q, the highest bit set, as two 64-bit
words.  The bits are cut off (rounded down), but for q in [-27, -1] they are those of the reciprocal rounded up: there
5**-q fits 64 bits and rounding up makes division by it exact.  That is what the proof of the Eisel-Lemire method asks
for (D. Lemire, "Number Parsing at a Gigabyte per Second", 2021).  Outside these q every double of up to 19 digits is
zero or infinite.  Python's integers are exact, so the table is too.
"""
import sys

FIRST, LAST, LAST_ROUNDED_DOWN = -342, 308, -28


def top_128_bits(q):
    if q >= 0:
        power = 5 ** q
        shift = power.bit_length() - 128
        return power >> shift if shift >= 0 else power << -shift
    power = 5 ** -q
    quotient = (1 << power.bit_length() + 127) // power  # 128 bits: a power of five is never a power of two
    return quotient if q <= LAST_ROUNDED_DOWN else quotient + 1


def main(path):
    with open(path, 'w', encoding='ascii') as out:
        out.write('/* Written by gen_pow5.py: the 128 most significant bits of 5**q. */\n#include "decode/number.h"\n\n')
        out.write('const uint64_t cl_pow5_table[CL_POW5_LAST - CL_POW5_FIRST + 1][2] = {\n')
        for q in range(FIRST, LAST + 1):
            value = top_128_bits(q)
            assert value.bit_length() == 128
            out.write(f'    {{0x{value >> 64:016x}u, 0x{value & (1 << 64) - 1:016x}u}}, /* {q} */\n')
        out.write('};\n')


if __name__ == '__main__':
    main(sys.argv[1])
