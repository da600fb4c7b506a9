"""test_decoder_python.py - the JSON decoder against Python's json: thousands of random messages, whole and broken.

tests/tools/decode_driver.c decodes them into feed "all" of tests/tools/decode_fixture.c; here the same feed is read by json,
float, decimal and fractions, and the two must agree value by value, and on the reason and column of every reject.
"""

import base64
import binascii
import json
import os
import random
import re
import string
import struct
import subprocess
import sys
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from conftest import ROOT

DRIVER = Path(os.environ.get('CITYLAKE', ROOT / 'build' / 'citylake')).parent / 'tests' / 'unit' / 'decode' / 'decode_driver'
DAY_US = 86_400_000_000


class Reject(Exception):
    def __init__(self, reason, column=None):
        super().__init__(reason, column)
        self.reason, self.column = reason, column


class NotJson(Exception):
    pass


class Number(str):
    """A number as it was written."""


class Object(list):
    """Members as pairs, in order."""


def parse(message):
    """The message as Python's json sees it, or NotJson.  json is laxer than RFC 8259 in two places, named here."""
    def constant(word):
        raise ValueError(word)  # NaN, Infinity

    try:
        value = json.loads(message.decode('utf-8'), object_pairs_hook=Object, parse_int=Number, parse_float=Number,
                           parse_constant=constant)
        for text in strings_of(value):
            text.encode('utf-8')  # lone surrogates
    except ValueError as e:
        raise NotJson(str(e)) from e
    return value


def strings_of(value):
    if isinstance(value, Object):
        for key, inner in value:
            yield key
            yield from strings_of(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from strings_of(inner)
    elif isinstance(value, str):
        yield value


def scaled(text, digits):
    """The exact value times 10**digits, as a Fraction; None if it is far beyond any type."""
    value = Decimal(text)
    if value and value.adjusted() > 100:
        return None
    if value and value.adjusted() < -1000:
        return Fraction(1, 10**900) * (-1 if value < 0 else 1)
    return Fraction(value) * 10**digits


def nearest_float32(text):
    """The float that is nearest to the decimal number, ties to even, by exact fractions; None: too large."""
    exact = scaled(text, 0)
    if exact is None:
        return None
    if exact == 0:
        return float(text)
    size = abs(exact)
    exponent = size.numerator.bit_length() - size.denominator.bit_length()
    if Fraction(2) ** exponent > size:
        exponent -= 1
    quantum = Fraction(2) ** (max(exponent, -126) - 23)
    value = round(exact / quantum) * quantum
    return None if abs(value) >= 2**128 else float(value) if value else float('-0.0' if exact < 0 else '0.0')


TIME = re.compile(r'(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?(?:Z|([+-])(\d\d):?(\d\d))?)?', re.ASCII)


def parse_time(text):
    match = TIME.fullmatch(text)
    if not match:
        return None
    year, month, day, hour, minute, second = (int(g or 0) for g in match.groups()[:6])
    fraction, sign, off_hour, off_minute = match.groups()[6:]
    try:
        days = (date(year, month, day) - date(1970, 1, 1)).days
    except ValueError:
        return None
    off_hour, off_minute = int(off_hour or 0), int(off_minute or 0)
    if hour > 23 or minute > 59 or second > 59 or off_hour > 18 or off_minute > 59:
        return None
    us = int(((fraction or '') + '000000')[:6])
    shift = (off_hour * 60 + off_minute) * (-60 if sign == '-' else 60)
    return (days * 86400 + hour * 3600 + minute * 60 + second - shift) * 1_000_000 + us


def read_int(bits):
    def read(name, value):
        exact = scaled(number(name, value), 0)
        if exact is None:
            raise Reject('range', name)
        if exact.denominator != 1:  # what 128 bits do not hold is too large first
            raise Reject('range' if abs(exact) >= 2**127 else 'type', name)
        if not -(2 ** (bits - 1)) <= exact < 2 ** (bits - 1):
            raise Reject('range', name)
        return str(exact.numerator)
    return read


def number(name, value):
    if not isinstance(value, Number):
        raise Reject('type', name)
    return value


def text(name, value):
    if not isinstance(value, str) or isinstance(value, Number):
        raise Reject('type', name)
    return value


def in_range(name, value, bounds):
    if bounds and not bounds[0] <= value <= bounds[1]:
        raise Reject('range', name)


def read_double(bounds=None, convert=None):
    def read(name, value):
        v = float(number(name, value))
        if convert is not None and abs(v) != float('inf'):
            v = convert(v)
        if abs(v) == float('inf'):
            raise Reject('range', name)
        in_range(name, v, bounds)
        return v.hex()
    return read


def read_float(bounds=None):
    def read(name, value):
        v = nearest_float32(number(name, value))
        if v is None:
            raise Reject('range', name)
        in_range(name, float(value), bounds)
        return v.hex()
    return read


def read_decimal(precision, scale, bounds=None):
    def read(name, value):
        exact = scaled(number(name, value), scale)
        if exact is None or (exact.denominator == 1 and abs(exact) >= 10**precision):
            raise Reject('range', name)
        if exact.denominator != 1:
            raise Reject('range' if abs(exact) >= 2**127 else 'type', name)
        in_range(name, float(value), bounds)
        return str(exact.numerator)
    return read


def read_time(unit=1):
    def read(name, value):
        us = parse_time(text(name, value))
        if us is None:
            raise Reject('format', name)
        return str(us // unit)
    return read


def read_epoch(digits, unit=1):
    def read(name, value):
        exact = scaled(number(name, value), digits)
        us = None if exact is None else exact.__floor__()
        if us is None or not -719528 * DAY_US <= us < 2932897 * DAY_US:
            raise Reject('range', name)
        return str(us // unit)
    return read


def read_string(check=lambda s: True, max_bytes=None):
    def read(name, value):
        data = text(name, value).encode()
        if max_bytes is not None and len(data) > max_bytes:
            raise Reject('too-long', name)
        if not check(value):
            raise Reject('format', name)
        return data.hex()
    return read


def read_base64(max_bytes=None):
    def read(name, value):
        wire = text(name, value)
        try:
            data = base64.b64decode(wire.encode(), validate=True)
        except binascii.Error:
            data = None
        good = data is not None and base64.b64encode(data).decode() == wire  # the one text of these bytes
        if not good:  # a long one is called too long, if the decoder sees that before it decodes
            raise Reject('format' if max_bytes is None or len(wire) // 4 * 3 - 2 <= max_bytes else 'format or too-long', name)
        if max_bytes is not None and len(data) > max_bytes:
            raise Reject('too-long', name)
        return data.hex()
    return read


def read_boolean(name, value):
    if not isinstance(value, bool):
        raise Reject('type', name)
    return value


def is_uuid(value):
    return re.fullmatch(r'[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}', value) is not None


# The feed: column -> (path, reader), in the order of the declaration.
M_S_TO_KM_H = 3600 / 1000
COLUMNS = {
    't': (['t'], read_time()), 'b': (['b'], read_boolean), 'i': (['i'], read_int(32)), 'l': (['l'], read_int(64)),
    'f': (['f'], read_float()), 'd': (['d'], read_double()), 'dec': (['dec'], read_decimal(9, 2)),
    'wide': (['wide'], read_decimal(38, 10)), 'day': (['day'], read_time(DAY_US)), 'ts': (['ts'], read_epoch(6)),
    'tm': (['tm'], read_epoch(3)), 'tu': (['tu'], read_epoch(0)), 'dm': (['dm'], read_epoch(3, DAY_US)),
    's': (['s'], read_string()), 'u': (['u'], read_string(is_uuid)), 'bin': (['bin'], read_string()),
    'b64': (['b64'], read_base64()), 'kind': (['kind'], read_string({'Fire', 'Accident', 'Police', 'été'}.__contains__)),
    'lim': (['lim'], read_string(max_bytes=5)), 'lim64': (['lim64'], read_base64(4)), 'speed': (['speed'], read_double((0, 400))),
    'kmh': (['ms'], read_double((0, 400), lambda v: v * M_S_TO_KM_H + 0.0)), 'count': (['count'], None),
    'share': (['share'], read_float((0, 0.1))), 'cost': (['cost'], read_decimal(5, 1, (0, 99.9))),
    'lat': (['loc', 0], read_double()), 'lon': (['loc', 1], read_double()), 'far': (['loc', 9], read_string()),
    'deep': (['a', 'b', 2, 'c'], read_int(64)), 'near': (['a', 'name'], read_string()), 'odd': (['odd "name"'], read_string()),
    'size': (['größe'], read_int(32)), 'very_long_member_name_of_more_than_thirty_two_bytes':
    (['very_long_member_name_of_more_than_thirty_two_bytes'], read_int(32)), 'short_empty': ([''], read_int(32)),
}


def read_count(name, value):
    v = read_int(32)(name, value)
    in_range(name, int(v), (1, 10))
    return v


COLUMNS['count'] = (['count'], read_count)


def columns_under(path):
    return [name for name, (full, _) in COLUMNS.items() if full[:len(path)] == path]


def walk(value, path, row):
    """Reads what the columns want of the value at `path` into row, in the order of the message."""
    names = columns_under(path)
    if value is None or not names:
        return
    if COLUMNS[names[0]][0] == path:
        row[names[0]] = COLUMNS[names[0]][1](names[0], value)
    elif isinstance(COLUMNS[names[0]][0][len(path)], str):
        if not isinstance(value, Object):
            raise Reject('type', names[0])
        seen = set()
        for key, inner in value:
            wanted = columns_under([*path, key])
            if wanted and key in seen:
                raise Reject('duplicate-key', wanted[0])
            seen.add(key)
            walk(inner, [*path, key], row)
    else:
        if not isinstance(value, list) or isinstance(value, Object):
            raise Reject('type', names[0])
        for index, inner in enumerate(value):
            walk(inner, [*path, index], row)


def expected(message):
    """('row', values), ('reject', reason, column) or ('not-json',)."""
    try:
        value = parse(message)
        if not isinstance(value, Object):
            raise Reject('not-object')
        row = dict.fromkeys(COLUMNS)
        walk(value, [], row)
        if row['t'] is None:
            raise Reject('missing', 't')
        return ('row', row)
    except Reject as e:
        return ('reject', e.reason, e.column)
    except NotJson:
        return ('not-json',)


class Writer:
    """Random messages, as text: every way to write the same string or number comes up."""

    def __init__(self, seed):
        self.rnd = random.Random(seed)

    def pick(self, *makers):
        return self.rnd.choice(makers)()

    def double(self):
        bits = struct.unpack('<d', self.rnd.randbytes(8))[0]
        return repr(bits) if bits == bits and abs(bits) != float('inf') else '0.1'

    def number(self):
        r = self.rnd
        return self.pick(
            lambda: repr(r.uniform(-1000, 1000)), lambda: str(r.randint(-100, 100)), lambda: str(r.randint(-2**64, 2**64)),
            self.double, lambda: f'{r.randint(-999, 999)}.{r.randint(0, 99):02d}', lambda: f'{r.randint(-9, 9)}e{r.randint(-30, 30)}',
            lambda: f'{r.random():.{r.randint(1, 40)}f}', lambda: f'{r.randint(0, 10**r.randint(1, 60))}.{r.randint(0, 10**30)}',
            lambda: f'{r.randint(1, 9)}{r.randint(0, 99999)}E+{r.randint(0, 400)}', lambda: '-0', lambda: '-0.0', lambda: '1e-999',
            lambda: f'{r.randint(0, 99)}.{"0" * r.randint(1, 20)}')

    def characters(self):
        r = self.rnd
        alphabet = r.choice([string.ascii_letters, string.printable, 'äöüéß€日本', '😀𝄞🚗', '\0\x01\x1f\x7f"\\/\u2028\ufffd', 'a'])
        return ''.join(r.choice(alphabet) for _ in range(r.choice([0, 1, 3, 7, 15, 16, 17, 31, 40, 70])))

    def string(self, value):
        """One of the ways to write it: json's two, or each character by a coin."""
        r = self.rnd
        way = r.randrange(4)
        if way < 2:
            return json.dumps(value, ensure_ascii=way == 0)
        units = []
        for c in value:
            if c in '"\\' or c < ' ' or r.random() < 0.2:
                code = c.encode('utf-16-be').hex()
                units += ['\\u' + (code[i:i + 4].upper() if r.random() < 0.5 else code[i:i + 4]) for i in range(0, len(code), 4)]
            else:
                units.append(r.choice(['/', '\\/']) if c == '/' else c)
        return '"' + ''.join(units) + '"'

    def time(self):
        r = self.rnd
        clock = f'{r.randint(1, 9999):04d}-{r.randint(1, 12):02d}-{r.randint(1, 29):02d}'
        if r.random() < 0.9:
            clock += r.choice('TT ') + f'{r.randint(0, 23):02d}:{r.randint(0, 59):02d}'
            if r.random() < 0.9:
                clock += f':{r.randint(0, 60):02d}'
                if r.random() < 0.5:
                    clock += '.' + ''.join(r.choice(string.digits) for _ in range(r.randint(1, 10)))
            clock += r.choice(['', '', '', 'Z', '+00:00', '-03:30', '+0545', '+18:00', '+19:00', 'z'])
        return clock

    def value(self, depth=0):
        """Any JSON value."""
        r = self.rnd
        kind = r.randrange(8 if depth < 5 else 6)
        if kind == 6:
            return self.array([self.value(depth + 1) for _ in range(r.randrange(4))])
        if kind == 7:
            return self.object([(self.characters(), self.value(depth + 1)) for _ in range(r.randrange(4))])
        return r.choice(['true', 'false', 'null']) if kind == 0 else self.number() if kind < 3 else self.string(self.characters())

    def space(self):
        return '' if self.compact else self.rnd.choice(['', ' ', ' ', '  ', '\t', '\r', ' \t\r'])

    def array(self, values):
        return '[' + ','.join(self.space() + v + self.space() for v in values) + ']'

    def object(self, members):
        pairs = (self.space() + self.string(k) + self.space() + ':' + self.space() + v + self.space() for k, v in members)
        return '{' + ','.join(pairs) + '}'

    def fitting(self, name):
        """A value that its column mostly takes."""
        r = self.rnd
        hexes = ''.join(r.choice('0123456789abcdefABCDEF') for _ in range(32))
        near = {
            't': lambda: self.string(self.time()), 'day': lambda: self.string(self.time()), 'b': lambda: r.choice(['true', 'false']),
            'i': lambda: str(r.randint(-2**31, 2**31)), 'l': lambda: str(r.randint(-2**63, 2**63)), 'count': lambda: str(r.randint(0, 11)),
            'dec': lambda: f'{r.randint(-10**7, 10**7)}.{r.randint(0, 99):02d}', 'cost': lambda: f'{r.randint(0, 100)}.{r.randint(0, 9)}',
            'ts': lambda: f'{r.randint(-10**9, 10**10)}.{r.randint(0, 10**9)}', 'tm': lambda: str(r.randint(-10**12, 10**13)),
            'wide': lambda: f'{r.randint(-10**28, 10**28)}.{r.randint(0, 10**10 - 1):010d}',
            'u': lambda: self.string('-'.join([hexes[:8], hexes[8:12], hexes[12:16], hexes[16:20], hexes[20:]])),
            'b64': lambda: self.string(base64.b64encode(r.randbytes(r.randrange(40))).decode()),
            'lim64': lambda: self.string(base64.b64encode(r.randbytes(r.randrange(6))).decode()),
            'kind': lambda: self.string(r.choice(['Fire', 'Accident', 'Police', 'été'])), 'lim': lambda: self.string(self.characters()[:5]),
            'speed': lambda: repr(r.uniform(0, 401)), 'ms': lambda: repr(r.uniform(0, 112)), 'share': lambda: repr(r.uniform(0, 0.1)),
            'loc': lambda: self.array([self.number() for _ in range(r.randrange(9))]),
            'a': lambda: self.object([('b', self.array([self.value(4), self.value(4), self.object([('c', str(r.randint(0, 9)))])])),
                                      ('name', self.string(self.characters()))]),
        }
        strings = {'s', 'bin', 'odd "name"'}
        return near[name]() if name in near else self.string(self.characters()) if name in strings else str(r.randint(-9999, 9999))

    def message(self):
        r = self.rnd
        self.compact = r.random() < 0.5
        names = ['t'] * (r.random() < 0.97) + r.sample(sorted({path[0] for path, _ in COLUMNS.values()} - {'t'}), r.randint(0, 8))
        members = [(n, self.value() if r.random() < 0.02 else self.fitting(n)) for n in names]
        members += [(self.characters(), self.value()) for _ in range(r.choice([0, 0, 1, 3]))]
        if r.random() < 0.03 and members:
            members.append(r.choice(members))
        if r.random() < 0.5:
            r.shuffle(members)
        return (self.space() + self.object(members) + self.space()).encode()

    def broken(self, message):
        """The same with a few bytes changed, lost, added or cut off."""
        r = self.rnd
        data = bytearray(message)
        for _ in range(r.randint(1, 3)):
            at = r.randrange(len(data))
            byte = r.choice(b'{}[]",:\\0123456789.-+eEtfnu \t\r/\x00\x01\x7f\x80\xbf\xc3\xa9\xe2\xed\xf0\xf4\xff')
            what = r.randrange(5)
            if what == 0 and len(data) > 1:
                del data[at]
            elif what == 1:
                data.insert(at, byte)
            elif what == 2 and r.random() < 0.3 and at > 0:
                del data[at:]
            elif what == 3:
                data[at] = data[r.randrange(len(data))]
            else:
                data[at] = byte
        return bytes(data)


def decode(messages):
    assert not any(b'\n' in m for m in messages)
    done = subprocess.run([DRIVER], input=b''.join(m + b'\n' for m in messages), capture_output=True, timeout=120)
    assert done.returncode == 0, done.stderr.decode(errors='replace')
    results = [json.loads(line) for line in done.stdout.decode('utf-8').splitlines()]
    assert len(results) == len(messages)
    return results


def same(column, ours, theirs):
    """Hex floats have more than one form; everything else is compared as it stands."""
    if ours is None or theirs is None or not isinstance(theirs, str) or 'x' not in theirs:
        return ours == theirs
    return struct.pack('<d', float.fromhex(ours)) == struct.pack('<d', float.fromhex(theirs))


def compare(messages):
    """How often each outcome came up."""
    counts = {}
    for message, ours in zip(messages, decode(messages)):
        want = expected(message)
        if want[0] == 'row':
            assert 'row' in ours, (message, ours)
            for column, value in want[1].items():
                assert same(column, ours['row'][column], value), (message, column, ours['row'][column], value)
        elif want[0] == 'reject':
            assert ours.get('reject') in want[1].split(' or ') and ours.get('column') == want[2], (message, ours, want)
        else:
            assert ours.get('reject') in ('syntax', 'utf8', 'empty'), (message, ours)
        outcome = want[1] if want[0] == 'reject' else want[0]
        counts[outcome] = counts.get(outcome, 0) + 1
    return counts


@pytest.fixture(autouse=True)
def long_integers():
    """Python refuses integers of more than 4300 digits unless told otherwise."""
    before = sys.get_int_max_str_digits()
    sys.set_int_max_str_digits(0)
    yield
    sys.set_int_max_str_digits(before)


@pytest.mark.parametrize('seed', range(4))
def test_random_messages(seed):
    writer = Writer(seed)
    counts = compare([writer.message() for _ in range(2000)])
    assert counts['row'] > 500 and {'type', 'range', 'format', 'missing', 'too-long', 'duplicate-key'} <= set(counts), counts


@pytest.mark.parametrize('seed', range(4))
def test_broken_messages(seed):
    writer = Writer(100 + seed)
    counts = compare([writer.broken(writer.message()) for _ in range(3000)])
    assert counts['not-json'] > 500 and counts['row'] > 100, counts


def test_random_doubles():
    writer = Writer(7)
    writer.compact = True
    messages = [b'{"t":"2026-01-05","d":' + (writer.double() if i % 2 else writer.number()).encode() + b'}' for i in range(20000)]
    counts = compare(messages)
    assert counts['row'] > 15000, counts


def test_halfway_doubles():
    """Exactly between two doubles, and one digit above and below: written to the last digit by exact fractions."""
    rnd, messages = random.Random(8), []
    for _ in range(1500):
        bits = rnd.getrandbits(63) % (0x7fe << 52)
        low, high = (Fraction(struct.unpack('<d', struct.pack('<Q', b))[0]) for b in (bits, bits + 1))
        middle = (low + high) / 2
        twos = middle.denominator.bit_length() - 1  # the denominator is 2**twos: twos digits after the point write it whole
        digits = str(middle.numerator * 5**twos).rjust(twos + 1, '0')
        whole, fraction = digits[:len(digits) - twos], digits[len(digits) - twos:]
        exact = f'{whole}.{fraction}' if fraction else f'{whole}.0'
        below = str(int(digits) - 1).rjust(twos + 1, '0')
        for text in (exact, exact + '000000001', f'{below[:len(below) - twos]}.{below[len(below) - twos:] or 0}', f'{int(digits)}e-{twos}'):
            messages.append(f'{{"t":"2026-01-05","d":{text}}}'.encode())
    assert compare(messages) == {'row': len(messages)}
