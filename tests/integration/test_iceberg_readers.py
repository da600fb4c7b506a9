"""Tables that citylake's Iceberg code writes are read by PyIceberg and DuckDB, and tables that PyIceberg writes by citylake's.

The data files are made with pyarrow; their facts go to tests/tools/iceberg_driver.c, which appends them."""

import datetime as dt
import json
import os
import struct
import subprocess
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import ROOT
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.expressions import EqualTo, GreaterThan, GreaterThanOrEqual, IsNull
from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.table import StaticTable
from pyiceberg.transforms import DayTransform, HourTransform, MonthTransform
from pyiceberg.types import DoubleType, LongType, NestedField, StringType, TimestampType

DRIVER = Path(os.environ.get('CITYLAKE', ROOT / 'build' / 'citylake')).parent / 'tests' / 'unit' / 'iceberg' / 'iceberg_driver'
EPOCH = dt.datetime(1970, 1, 1)
FIELDS = [
    {'id': 1, 'name': 'id', 'type': 'string', 'required': True},
    {'id': 2, 'name': 'timestamp', 'type': 'timestamp', 'required': True},
    {'id': 3, 'name': 'speed', 'type': 'double', 'required': False},
    {'id': 4, 'name': '_offset', 'type': 'long', 'required': False},
]
ARROW = pa.schema(
    [
        pa.field('id', pa.string(), nullable=False, metadata={'PARQUET:field_id': '1'}),
        pa.field('timestamp', pa.timestamp('us'), nullable=False, metadata={'PARQUET:field_id': '2'}),
        pa.field('speed', pa.float64(), metadata={'PARQUET:field_id': '3'}),
        pa.field('_offset', pa.int64(), metadata={'PARQUET:field_id': '4'}),
    ]
)


def driver(*args, request=None):
    done = subprocess.run(
        [DRIVER, *map(str, args)],
        input=None if request is None else json.dumps(request),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def bounds(column):
    """Iceberg single-value bytes of the smallest and largest value, in hex; numbers and short strings only."""
    values = [v for v in column.to_pylist() if v is not None]
    if not values:
        return None, None

    def encode(v):
        if isinstance(v, str):
            return v.encode()
        if isinstance(v, dt.datetime):
            return struct.pack('<q', (v - EPOCH) // dt.timedelta(microseconds=1))
        return struct.pack('<d' if isinstance(v, float) else '<q', v)

    return encode(min(values)).hex(), encode(max(values)).hex()


def write_file(lake, table, name, rows, partition):
    path = f'city/{table}/data/{name}.parquet'
    full = lake / path
    full.parent.mkdir(parents=True, exist_ok=True)
    data = pa.Table.from_pylist(rows, schema=ARROW)
    pq.write_table(data, full)
    meta = pq.ParquetFile(full).metadata
    columns = []
    for i, field in enumerate(FIELDS):
        lower, upper = bounds(data.column(i))
        columns.append(
            {
                'id': field['id'],
                'size': meta.row_group(0).column(i).total_compressed_size,
                'values': data.num_rows,
                'nulls': data.column(i).null_count,
                'nans': 0,
                'lower': lower,
                'upper': upper,
            }
        )
    return {
        'path': path,
        'size': full.stat().st_size,
        'rows': data.num_rows,
        'partition': partition,
        'splits': [4],
        'columns': columns,
    }


def make_rows(day, count, first):
    start = dt.datetime(2026, 1, 1) + dt.timedelta(days=day)
    return [
        {
            'id': f'v{first + i:04d}',
            'timestamp': start + dt.timedelta(minutes=i),
            'speed': None if i % 5 == 0 else float(day * 100 + i),
            '_offset': first + i,
        }
        for i in range(count)
    ]


def day_number(day):
    return (dt.datetime(2026, 1, 1) - EPOCH).days + day


def append_days(lake, table, appends, **request):
    '''appends: one list of days per append.  Returns all rows and the snapshot ids.'''
    rows, ids, first = [], [], 0
    for n, days in enumerate(appends):
        files = []
        for day in days:
            new = make_rows(day, 20, first)
            first += len(new)
            rows.append(new)
            files.append(write_file(lake, table, f'f{n}-{day}', new, day_number(day)))
        body = {'fields': FIELDS, 'transform': 'day', 'partition_column': 1, 'files': files, **request}
        body['summary'] = {'citylake.commit': str(n)}
        ids.append(int(driver('append', lake, 'city', table, request=body)))
    return rows, ids


def static_table(lake, table):
    folder = lake / 'city' / table / 'metadata'
    hint = (folder / 'version-hint.text').read_text()
    return StaticTable.from_metadata(str(folder / f'v{hint}.metadata.json'))


def by_id(table):
    return sorted(table.to_pylist(), key=lambda r: r['id'])


def test_pyiceberg_reads_rows_snapshots_tags_and_partitions(tmp_path):
    rows, ids = append_days(tmp_path, 'vehicle', [[0], [0, 1], [2]], tag='citylake')
    flat = [r for part in rows for r in part]
    t = static_table(tmp_path, 'vehicle')
    assert by_id(t.scan().to_arrow()) == flat
    assert [s.snapshot_id for s in t.snapshots()] == ids
    assert [s.sequence_number for s in t.snapshots()] == [1, 2, 3]
    assert [e.snapshot_id for e in t.history()] == ids
    assert t.current_snapshot().snapshot_id == ids[-1]
    assert t.refs()['citylake'].snapshot_id == ids[-1]
    assert t.snapshot_by_name('citylake').snapshot_id == ids[-1]

    files = t.inspect.files().to_pylist()
    assert sorted(f['partition']['timestamp_day'] for f in files) == [dt.date(2026, 1, d) for d in (1, 1, 2, 3)]
    assert sum(f['record_count'] for f in files) == 80
    assert {f['file_size_in_bytes'] for f in files} == {p.stat().st_size for p in tmp_path.rglob('*.parquet')}

    summary = t.current_snapshot().summary
    assert summary.operation.value == 'append'
    expected = {
        'added-data-files': '1',
        'added-records': '20',
        'changed-partition-count': '1',
        'total-data-files': '4',
        'total-records': '80',
        'total-delete-files': '0',
        'citylake.commit': '2',
    }
    assert {k: summary.additional_properties[k] for k in expected} == expected
    assert t.snapshots()[1].summary.additional_properties['changed-partition-count'] == '2'


def test_time_travel(tmp_path):
    rows, ids = append_days(tmp_path, 'gps', [[0], [1], [2]])
    t = static_table(tmp_path, 'gps')
    for n, snapshot in enumerate(ids):
        expected = [r for part in rows[: n + 1] for r in part]
        assert by_id(t.scan(snapshot_id=snapshot).to_arrow()) == expected


def test_filters_prune_and_stay_right(tmp_path):
    rows, _ = append_days(tmp_path, 'vehicle', [[0, 1], [2, 3], [9]])
    flat = [r for part in rows for r in part]
    t = static_table(tmp_path, 'vehicle')
    cases = [
        (GreaterThanOrEqual('timestamp', '2026-01-03T00:00:00'), lambda r: r['timestamp'] >= dt.datetime(2026, 1, 3), 3),
        (EqualTo('id', 'v0021'), lambda r: r['id'] == 'v0021', 1),
        (GreaterThan('speed', 250.0), lambda r: (r['speed'] or 0) > 250, 2),
        (GreaterThan('_offset', 79), lambda r: r['_offset'] > 79, 1),
        (IsNull('speed'), lambda r: r['speed'] is None, 5),
        (EqualTo('id', 'nobody'), lambda r: False, 0),
    ]
    for expression, predicate, files in cases:
        scan = t.scan(row_filter=expression)
        assert len(list(scan.plan_files())) == files, expression
        assert by_id(scan.to_arrow()) == [r for r in flat if predicate(r)], expression


def test_duckdb_reads_the_planned_files(tmp_path):
    rows, _ = append_days(tmp_path, 'vehicle', [[0], [1, 2]])
    plan = json.loads(driver('plan', tmp_path, 'city', 'vehicle'))
    paths = [f['path'].removeprefix('file://') for f in plan['snapshots'][-1]['files']]
    count, total = duckdb.connect().execute('SELECT count(*), sum(_offset) FROM read_parquet($1)', [paths]).fetchone()
    assert (count, total) == (60, sum(r['_offset'] for part in rows for r in part))


@pytest.mark.parametrize('transform, value, kind', [('hour', 490896, HourTransform), ('month', 672, MonthTransform)])
def test_other_transforms(tmp_path, transform, value, kind):
    rows = make_rows(0, 10, 0)
    body = {'fields': FIELDS, 'transform': transform, 'partition_column': 1}
    body['files'] = [write_file(tmp_path, 't', 'f', rows, value)]
    driver('append', tmp_path, 'city', 't', request=body)
    t = static_table(tmp_path, 't')
    assert isinstance(t.spec().fields[0].transform, kind)
    assert t.inspect.files().to_pylist()[0]['partition'] == {f'timestamp_{transform}': value}
    assert by_id(t.scan(row_filter=GreaterThan('timestamp', '2026-01-01T00:03:00')).to_arrow()) == rows[4:]
    assert by_id(t.scan(row_filter=GreaterThan('timestamp', '2026-02-02T00:00:00')).to_arrow()) == []


def test_unpartitioned_and_null_partition(tmp_path):
    rows = make_rows(0, 10, 0)
    body = {'fields': FIELDS, 'files': [write_file(tmp_path, 'flat', 'f', rows, None)]}
    driver('append', tmp_path, 'city', 'flat', request=body)
    assert by_id(static_table(tmp_path, 'flat').scan().to_arrow()) == rows
    body = {'fields': FIELDS, 'transform': 'day', 'partition_column': 1}
    body['files'] = [write_file(tmp_path, 'nulls', 'f', rows, None)]
    driver('append', tmp_path, 'city', 'nulls', request=body)
    t = static_table(tmp_path, 'nulls')
    assert t.inspect.files().to_pylist()[0]['partition'] == {'timestamp_day': None}
    assert by_id(t.scan().to_arrow()) == rows


def test_merged_manifests_keep_everything(tmp_path):
    properties = {'commit.manifest.min-count-to-merge': '4'}
    rows, ids = append_days(tmp_path, 'vehicle', [[d] for d in range(11)], properties=properties)
    flat = [r for part in rows for r in part]
    t = static_table(tmp_path, 'vehicle')
    assert len(t.current_snapshot().manifests(t.io)) < 6
    assert by_id(t.scan().to_arrow()) == flat
    entries = t.inspect.entries().to_pylist()
    live = {e['snapshot_id']: e['sequence_number'] for e in entries}
    assert live == {snapshot: n + 1 for n, snapshot in enumerate(ids)}
    scan = t.scan(row_filter=EqualTo('id', 'v0021'))
    assert len(list(scan.plan_files())) == 1 and by_id(scan.to_arrow()) == [flat[21]]
    readable = [e['readable_metrics']['id']['lower_bound'] for e in entries]
    assert sorted(readable) == [f'v{20 * n:04d}' for n in range(11)]


# ---- the other way round ----


def pyiceberg_table(tmp_path, partitioned, properties=None):
    catalog = SqlCatalog('test', uri=f'sqlite:///{tmp_path}/catalog.db', warehouse=f'file://{tmp_path}')
    catalog.create_namespace('city')
    schema = Schema(
        NestedField(1, 'id', StringType(), required=True),
        NestedField(2, 'timestamp', TimestampType(), required=True),
        NestedField(3, 'speed', DoubleType()),
        NestedField(4, '_offset', LongType()),
    )
    spec = PartitionSpec(PartitionField(2, 1000, DayTransform(), 'timestamp_day')) if partitioned else PartitionSpec()
    return catalog.create_table('city.theirs', schema, partition_spec=spec, properties=properties or {})


def same_plan(tmp_path, t):
    path = Path(t.metadata_location.removeprefix('file://')).relative_to(tmp_path)
    plan = json.loads(driver('plan-file', tmp_path, path))
    assert plan['current'] == t.current_snapshot().snapshot_id
    assert sorted(s['id'] for s in plan['snapshots']) == sorted(s.snapshot_id for s in t.snapshots())
    for snapshot in plan['snapshots']:
        ours = {f['path']: (f['rows'], f['size'], f['deletes']) for f in snapshot['files']}
        theirs = {
            task.file.file_path: (task.file.record_count, task.file.file_size_in_bytes, False)
            for task in t.scan(snapshot_id=snapshot['id']).plan_files()
        }
        assert ours == theirs
    return plan


@pytest.mark.parametrize('codec', ['gzip', 'zstd', 'null'])
@pytest.mark.parametrize('partitioned', [False, True])
def test_tables_of_pyiceberg(tmp_path, partitioned, codec):
    t = pyiceberg_table(tmp_path, partitioned, {'write.avro.compression-codec': codec})
    for day in range(3):
        t.append(pa.Table.from_pylist(make_rows(day, 20, 20 * day), schema=ARROW))
    t.delete(EqualTo('id', 'v0003'))
    t.delete(GreaterThanOrEqual('_offset', 40))
    plan = same_plan(tmp_path, t)
    newest = plan['snapshots'][-1]['files']
    assert sum(f['rows'] for f in newest) == 39
    if partitioned:
        assert sorted(f['partition'] for f in newest) == [day_number(0), day_number(1)]


def test_citylake_appends_to_a_table_of_pyiceberg(tmp_path):
    t = pyiceberg_table(tmp_path, True, {'commit.manifest.min-count-to-merge': '3'})
    for day in range(4):
        t.append(pa.Table.from_pylist(make_rows(day, 20, 20 * day), schema=ARROW))
    t.delete(EqualTo('id', 'v0003'))
    folder = Path(t.location().removeprefix('file://'))
    metadata = Path(t.metadata_location.removeprefix('file://'))
    (folder / 'metadata' / 'v1.metadata.json').write_bytes(metadata.read_bytes())
    namespace = folder.parent.relative_to(tmp_path)
    new = make_rows(7, 20, 900)
    body = {'files': [write_file(tmp_path, folder.name, 'ours', new, day_number(7))]}
    driver('append', tmp_path, namespace, folder.name, request=body)
    after = StaticTable.from_metadata(str(folder / 'metadata' / 'v2.metadata.json'))
    expected = sorted(by_id(t.scan().to_arrow()) + new, key=lambda r: r['id'])
    assert len(expected) == 99 and by_id(after.scan().to_arrow()) == expected
    assert len(after.current_snapshot().manifests(after.io)) == 2
    assert after.current_snapshot().summary.additional_properties['total-records'] == '99'
