"""test_parquet_readers.py - other people's readers read our Parquet files: values, metadata, page index.

tests/tools/parquet_driver.c writes pseudo-random rows of every type and says as JSON what it wrote; pyarrow and DuckDB
must agree with it value for value, and PyIceberg's rules with the bounds that go to Iceberg manifests."""

import json
import math
import os
import struct
import subprocess
from dataclasses import dataclass
from decimal import Context
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from conftest import ROOT
from pyiceberg.conversions import from_bytes
from pyiceberg.types import (BinaryType, BooleanType, DateType, DecimalType, DoubleType, FloatType, IntegerType,
                             LongType, StringType, TimestampType)
from pyiceberg.utils.truncate import truncate_upper_bound_binary_string, truncate_upper_bound_text_string

CASES = {
    # name: rows, seed, codec, page rows, row group bytes, batch rows, dictionary
    'zstd': (60000, 1, 'zstd', 0, 128 << 20, 8192, 1),
    'snappy-small-pages': (20000, 2, 'snappy', 777, 1 << 20, 1000, 1),
    'plain-tiny-pages': (5000, 3, 'none', 64, 200000, 333, 0),
    'zstd-groups': (30000, 4, 'zstd', 1000, 3 << 20, 5000, 1),
    'one-row': (1, 5, 'zstd', 0, 1 << 20, 16, 1),
    'no-row': (0, 6, 'zstd', 0, 1 << 20, 16, 1),
}
CODECS = {'zstd': 'ZSTD', 'snappy': 'SNAPPY', 'none': 'UNCOMPRESSED'}
WIDE = Context(prec=60)


def driver():
    build = Path(os.environ.get('CITYLAKE', ROOT / 'build' / 'citylake')).parent
    path = build / 'tests' / 'unit' / 'parquet' / 'parquet_driver'
    if not path.exists():
        pytest.fail(f'{path} is not built')
    return path


@dataclass
class Sample:
    name: str
    path: Path
    rows: list
    metrics: dict

    def column(self, i):
        return [row[i] for row in self.rows]


@pytest.fixture(scope='module', params=CASES)
def sample(request, tmp_path_factory):
    path = tmp_path_factory.mktemp('parquet') / f'{request.param}.parquet'
    args = [str(a) for a in CASES[request.param]]
    out = subprocess.run([driver(), path, *args], check=True, capture_output=True).stdout
    rows = [json.loads(line) for line in out.splitlines()]
    assert len(rows) == CASES[request.param][0]
    return Sample(request.param, path, rows, json.loads(Path(f'{path}.metrics.json').read_text()))


def float_bits(v, code):
    return None if v is None else struct.pack('>' + code, v).hex()


def arrow_values(array):
    """An Arrow column in the driver's words."""
    t = array.type
    if pa.types.is_float32(t):
        bits = array.combine_chunks().view(pa.int32()).to_pylist()
        return [None if v is None else f'{v & 0xffffffff:08x}' for v in bits]
    if pa.types.is_float64(t):
        bits = array.combine_chunks().view(pa.int64()).to_pylist()
        return [None if v is None else f'{v & (1 << 64) - 1:016x}' for v in bits]
    if pa.types.is_decimal(t):
        return [None if v is None else str(int(v.scaleb(t.scale, WIDE))) for v in array.to_pylist()]
    if pa.types.is_date(t):
        return array.cast(pa.int32()).to_pylist()
    if pa.types.is_timestamp(t):
        return array.cast(pa.int64()).to_pylist()
    if pa.types.is_binary(t):
        return [None if v is None else v.hex() for v in array.to_pylist()]
    return array.to_pylist()


def assert_same(name, got, want):
    if got == want:
        return
    assert len(got) == len(want), f'{name}: {len(got)} values, not {len(want)}'
    wrong = [i for i, (g, w) in enumerate(zip(got, want)) if g != w]
    first = wrong[0]
    pytest.fail(f'{name}: {len(wrong)} values differ, first row {first}: {got[first]!r} is not {want[first]!r}')


def test_pyarrow_reads_every_value(sample):
    table = pq.read_table(sample.path)
    assert table.num_rows == len(sample.rows)
    for i, name in enumerate(table.column_names):
        assert_same(name, arrow_values(table.column(i)), sample.column(i))


def test_duckdb_reads_every_value(sample):
    con = duckdb.connect()
    columns = con.sql(f"describe select * from '{sample.path}'").fetchall()
    for i, (name, kind, *_) in enumerate(columns):
        expression = {'DATE': f"({name} - date '1970-01-01')::int", 'TIMESTAMP': f'epoch_us({name})',
                      'BLOB': f'lower(hex({name}))'}
        rows = con.sql(f"select {expression.get(kind, name)} from '{sample.path}'").fetchall()
        values = [v for v, in rows]
        if kind in ('FLOAT', 'DOUBLE'):
            values = [float_bits(v, 'f' if kind == 'FLOAT' else 'd') for v in values]
        elif kind.startswith('DECIMAL'):
            scale = int(kind.rstrip(')').split(',')[1])
            values = [None if v is None else str(int(v.scaleb(scale, WIDE))) for v in values]
        assert_same(f'{name} {kind}', values, sample.column(i))


def test_schema_has_ids_and_logical_types(sample):
    schema = pq.ParquetFile(sample.path).schema_arrow
    assert [int(f.metadata[b'PARQUET:field_id']) for f in schema] == [100 + i for i in range(len(schema))]
    types = {f.name: (str(f.type), f.nullable) for f in schema}
    assert types['sequence'] == ('int64', False)
    assert types['bool_optional'] == ('bool', True)
    assert types['int_few'] == ('int32', False)
    assert types['float_special'] == ('float', True)
    assert types['dec_5_2'] == ('decimal128(5, 2)', True)
    assert types['dec_38_10'] == ('decimal128(38, 10)', True)
    assert types['date_few'] == ('date32[day]', True)
    assert types['time_sequence'] == ('timestamp[us]', False)
    assert types['text_many'] == ('string', False)
    assert types['bin_few'] == ('binary', True)
    physical = {c.name: (c.physical_type, c.length, c.converted_type) for c in pq.ParquetFile(sample.path).schema}
    assert physical['dec_5_2'] == ('INT32', 0, 'DECIMAL')
    assert physical['dec_18_6'] == ('INT64', 0, 'DECIMAL')
    assert physical['dec_19_0'] == ('FIXED_LEN_BYTE_ARRAY', 9, 'DECIMAL')
    assert physical['dec_38_10'] == ('FIXED_LEN_BYTE_ARRAY', 16, 'DECIMAL')
    assert physical['text_many'][2] == 'UTF8'


def test_row_groups_and_chunks(sample):
    rows, _, codec, _, group_bytes, batch_rows, dictionary = CASES[sample.name]
    meta = pq.ParquetFile(sample.path).metadata
    groups = [meta.row_group(i) for i in range(meta.num_row_groups)]
    assert meta.num_rows == rows == sum(g.num_rows for g in groups)
    assert meta.created_by.startswith('citylake version ')
    starts = []
    for g in groups:
        columns = [g.column(i) for i in range(g.num_columns)]
        starts.append(columns[0].dictionary_page_offset or columns[0].data_page_offset)
        end = None
        for c in columns:
            start = c.dictionary_page_offset if c.has_dictionary_page else c.data_page_offset
            assert end is None or start == end, f'{c.path_in_schema}: a gap in the file'
            end = start + c.total_compressed_size
            assert c.num_values == g.num_rows and c.has_offset_index
            assert c.compression in (CODECS[codec], 'UNCOMPRESSED')
            assert dictionary or not c.has_dictionary_page
        size = sum(c.total_compressed_size for c in columns)
        if g is not groups[-1]:
            assert size >= 0.8 * group_bytes or g.num_rows >= batch_rows
    assert sample.metrics['split_offsets'] == starts
    assert sample.metrics['size_bytes'] == sample.path.stat().st_size
    if sample.name in ('snappy-small-pages', 'plain-tiny-pages', 'zstd-groups'):
        assert len(groups) > 1
    if sample.name == 'zstd':
        by_name = {groups[0].column(i).path_in_schema: groups[0].column(i) for i in range(groups[0].num_columns)}
        for n in ('int_few', 'long_few', 'double_few', 'text_few', 'bin_few', 'text_const', 'date_few', 'long_growing',
                  'text_growing'):
            assert by_name[n].has_dictionary_page, n
        for n in ('text_many', 'double_many', 'sequence', 'long_null'):
            assert not by_name[n].has_dictionary_page, n
        assert by_name['text_const'].total_compressed_size < 1000


def column_values(sample, i, kind):
    """Values without nulls and NaNs as Python compares them: numbers, str, bytes."""
    values = [v for v in sample.column(i) if v is not None]
    if pa.types.is_floating(kind):
        code = 'f' if pa.types.is_float32(kind) else 'd'
        values = [struct.unpack('>' + code, bytes.fromhex(v))[0] for v in values]
        return [v for v in values if not math.isnan(v)]
    if pa.types.is_decimal(kind):
        return [int(v) for v in values]
    if pa.types.is_binary(kind):
        return [bytes.fromhex(v) for v in values]
    return values


# A maximum may be absent or longer than the truth where strings are long, and a page of NaNs has no bounds.
LONG_TEXTS = ('text_special', 'bin_special')
INEXACT = (*LONG_TEXTS, 'float_special', 'double_special')


def raw_number(v, kind):
    """Dates and times as the file has them."""
    if isinstance(v, int) or not (pa.types.is_date(kind) or pa.types.is_timestamp(kind)):
        return v
    return pc.cast(pa.scalar(v, kind), pa.int32() if pa.types.is_date(kind) else pa.int64()).as_py()


def test_statistics_and_page_index(sample):
    f = pq.ParquetFile(sample.path)
    first = 0
    for g in range(f.metadata.num_row_groups):
        group = f.metadata.row_group(g)
        part = Sample('', None, sample.rows[first:first + group.num_rows], None)
        first += group.num_rows
        for i, field in enumerate(f.schema_arrow):
            chunk, values = group.column(i), column_values(part, i, field.type)
            stats = chunk.statistics
            assert stats.null_count == sum(v is None for v in part.column(i)), field.name
            assert stats.has_min_max == (len(values) > 0) or field.name in LONG_TEXTS, field.name
            assert chunk.has_column_index == (len(values) > 0) or field.name in INEXACT, field.name
            if not stats.has_min_max or pa.types.is_decimal(field.type):
                continue
            low, high = (raw_number(v, field.type) for v in (stats.min, stats.max))
            if field.name in LONG_TEXTS:
                assert low <= min(values) and high >= max(values), field.name
            else:
                assert (low, high) == (min(values), max(values)), field.name


ICEBERG = {'sequence': LongType(), 'bool': BooleanType(), 'int': IntegerType(), 'long': LongType(),
           'float': FloatType(), 'double': DoubleType(), 'date': DateType(),
           'time': TimestampType(), 'text': StringType(), 'bin': BinaryType()}


def test_iceberg_metrics(sample):
    f = pq.ParquetFile(sample.path)
    assert sample.metrics['rows'] == len(sample.rows)
    for i, (field, m) in enumerate(zip(f.schema_arrow, sample.metrics['columns'], strict=True)):
        raw, values = sample.column(i), column_values(sample, i, field.type)
        assert m['field_id'] == 100 + i
        assert m['value_count'] == len(raw)
        assert m['null_count'] == sum(v is None for v in raw)
        nans = len(raw) - m['null_count'] - len(values)
        assert m['nan_count'] == nans, field.name
        sizes = [f.metadata.row_group(g).column(i).total_compressed_size for g in range(f.metadata.num_row_groups)]
        assert m['size_bytes'] == sum(sizes), field.name
        if not values:
            assert m['lower'] is None and m['upper'] is None, field.name
            continue
        prefix = field.name.split('_')[0]
        kind = ICEBERG.get(prefix) or DecimalType(*map(int, field.name.split('_')[1:]))
        lower = from_bytes(kind, bytes.fromhex(m['lower']))
        upper = None if m['upper'] is None else from_bytes(kind, bytes.fromhex(m['upper']))
        least, most = min(values), max(values)
        if prefix == 'text':
            assert (lower, upper) == (least[:16], truncate_upper_bound_text_string(most, 16)), field.name
        elif prefix == 'bin':
            assert (lower, upper) == (least[:16], truncate_upper_bound_binary_string(most, 16)), field.name
        elif prefix == 'dec':
            assert [int(v.scaleb(kind.scale, WIDE)) for v in (lower, upper)] == [least, most], field.name
        else:
            assert (lower, upper) == (least, most), field.name


@pytest.mark.parametrize('name', ['sequence', 'int_few', 'int_many', 'long_growing', 'text_few', 'text_many',
                                  'text_growing', 'text_special', 'double_few', 'double_many', 'time_sequence'])
def test_duckdb_filters_use_the_statistics_rightly(sample, name):
    """Row groups and pages are skipped by their bounds: a wrong bound would lose rows."""
    schema = pq.ParquetFile(sample.path).schema_arrow
    i = schema.get_field_index(name)
    values = column_values(sample, i, schema.field(i).type)
    ordered = sorted(values)
    con = duckdb.connect()
    parameter = 'make_timestamp(?::bigint)' if name == 'time_sequence' else '?'
    for probe in {ordered[0], ordered[-1], ordered[len(ordered) // 3]} if ordered else ():
        for operator, keep in (('=', lambda v: v == probe), ('<=', lambda v: v <= probe), ('>', lambda v: v > probe)):
            query = f"select count(*) from '{sample.path}' where {name} {operator} {parameter}"
            got = con.execute(query, [probe]).fetchone()[0]
            assert got == sum(1 for v in values if keep(v)), f'{name} {operator} {probe!r}'


def test_a_reader_can_seek_by_row_group(sample):
    f = pq.ParquetFile(sample.path)
    first = 0
    for g in range(f.num_row_groups):
        table = f.read_row_group(g, columns=['sequence', 'text_growing'])
        want = sample.rows[first:first + table.num_rows]
        assert table.column('sequence').to_pylist() == [row[0] for row in want]
        assert table.column('text_growing').to_pylist() == [row[28] for row in want]
        first += table.num_rows
    assert first == len(sample.rows)
