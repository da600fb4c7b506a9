"""Turns a text file into a C file with one NUL-terminated string: embed.py INPUT OUTPUT FUNCTION HEADER.

Bytes as numbers rather than a string literal: C compilers need only take literals of 4095 characters.
"""
import sys


def main() -> None:
    source, target, function, header = sys.argv[1:]
    with open(source, "rb") as f:
        data = f.read() + b"\0"
    lines = [
        ", ".join(str(byte) for byte in data[i : i + 24]) for i in range(0, len(data), 24)
    ]
    body = ",\n    ".join(lines)
    with open(target, "w", encoding="ascii") as f:
        f.write(f'/* Made by embed.py; do not edit. */\n#include "{header}"\n\n')
        f.write(f"const char *{function}(void)\n{{\n")
        f.write(f"    static const unsigned char text[] = {{\n    {body}}};\n")
        f.write("    return (const char *)text;\n}\n")


main()
