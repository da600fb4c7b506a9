"""test_sql.py - questions to a lake: sql in its formats and at earlier moments, the listings, an audit that sees tampering."""

import csv
import io
import json
import shutil
import signal
import time
from pathlib import Path

import pytest

from conftest import iceberg_rows, iceberg_table, metadata_file

FEEDS = ('vehicle', 'gps', 'camera', 'weather', 'emergency')


@pytest.fixture(scope='module')
def city(citylake, tmp_path_factory):
    """A lake of two runs, with duplicates and dead letters in both; and when the first of them was over."""
    folder = tmp_path_factory.mktemp('city')
    events, lake = folder / 'events.ndjson', folder / 'lake'
    faults = ['--malformed', 0.03, '--duplicates', 0.03, '--vehicles', 30]
    with open(events, 'w') as f:
        f.write(citylake.run('simulate', '--events', 3000, '--seed', 1, *faults).stdout)
    citylake.run('stream', '--source', f'ndjson:{events}', '--lake', lake, '--until-end')
    time.sleep(1.1)
    between = time.time()
    time.sleep(1.1)
    with open(events, 'a') as f:
        f.write(citylake.run('simulate', '--events', 3000, '--seed', 2, *faults).stdout)
    citylake.run('stream', '--source', f'ndjson:{events}', '--lake', lake, '--until-end')
    return lake, between


@pytest.fixture
def copy(city, tmp_path):
    """A lake to tamper with.  Its files are named by absolute URI in the metadata, so it keeps its place: the original is put back."""
    lake, kept = city[0], tmp_path / 'kept'
    shutil.copytree(lake, kept)
    yield lake
    shutil.rmtree(lake)
    shutil.copytree(kept, lake)


# ---- sql ----

def test_rows_are_those_that_pyiceberg_reads(citylake, city):
    lake, _ = city
    key = lambda row: (row['_partition'], row['_offset'])
    ours = sorted(citylake.sql(lake, 'SELECT * FROM gps'), key=key)
    theirs = sorted(iceberg_rows(lake, 'gps'), key=key)
    assert len(ours) == len(theirs) > 0
    for have, want in zip(ours, theirs):
        assert have.keys() == want.keys()
        for name, value in want.items():
            if hasattr(value, 'isoformat'):
                fraction = f'.{value.microsecond:06}'.rstrip('0') if value.microsecond else ''
                value = f'{value:%Y-%m-%d %H:%M:%S}{fraction}'
            assert have[name] == value, name


def test_csv(citylake, city):
    query = "SELECT 1 AS n, 'a,\"b\"' AS t, NULL AS x, '' AS empty UNION ALL SELECT 2, 'c', 'd', 'e' ORDER BY 1"
    text = citylake.run('sql', query, '--lake', city[0], '--format', 'csv').stdout
    assert text == 'n,t,x,empty\n1,"a,""b""",,""\n2,c,d,e\n'
    everything = citylake.run('sql', 'SELECT * FROM vehicle', '--lake', city[0], '--format', 'csv').stdout
    assert len(list(csv.DictReader(io.StringIO(everything)))) == len(iceberg_rows(city[0], 'vehicle'))


def test_table(citylake, city):
    text = citylake.run('sql', "SELECT 'gps' AS feed, 12 AS rows", '--lake', city[0]).stdout
    assert text == ' feed | rows\n------+------\n gps  |   12\n(1 row)\n'


def test_nothing_but_json_on_an_empty_result(citylake, city):
    assert citylake.sql(city[0], 'SELECT * FROM gps WHERE false') == []


def test_nested_values_and_numbers_without_json_form(citylake, city):
    rows = citylake.sql(city[0], "SELECT [1, 2] AS l, {'a': 'x'} AS s, 'nan'::DOUBLE AS nan, 0.1 AS d, true AS b")
    assert rows == [{'l': [1, 2], 's': {'a': 'x'}, 'nan': 'nan', 'd': 0.1, 'b': True}]


@pytest.mark.parametrize('args', [[], ['-']])
def test_sql_on_standard_input(citylake, city, args):
    done = citylake.run('sql', *args, '--lake', city[0], '--format', 'csv', input='SELECT 1 AS a;\nSELECT 2 AS b\n')
    assert done.stdout == 'b\n2\n'


def test_tables_can_be_joined_and_listed(citylake, city):
    lake, _ = city
    assert citylake.sql(lake, 'SELECT count(*) AS n FROM vehicle v JOIN "gps" g USING (vehicle_id)')[0]['n'] > 0
    listed = {row['name'] for row in citylake.sql(lake, 'SHOW TABLES')}
    assert listed == {*FEEDS, 'dead_letters'}


def test_as_of_a_snapshot_and_a_time(citylake, city):
    lake, between = city
    then = iceberg_table(lake, 'vehicle').snapshot_as_of_timestamp(int(between * 1000))
    now = citylake.sql(lake, 'SELECT count(*) AS n FROM vehicle')
    want = [{'n': len(iceberg_rows(lake, 'vehicle', snapshot_id=then.snapshot_id))}]
    assert 0 < want[0]['n'] < now[0]['n']
    as_of = lambda moment: citylake.run('sql', 'SELECT count(*) AS n FROM vehicle', '--lake', lake, '--format', 'json', '--as-of', moment)
    assert json.loads(as_of(then.snapshot_id).stdout) == want
    assert json.loads(as_of(time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(between))).stdout) == want
    assert json.loads(as_of('1999-01-01').stdout) == [{'n': 0}]


@pytest.mark.parametrize('moment', ['yesterday', '123456789'])
def test_as_of_a_moment_that_is_none(citylake, city, moment):
    done = citylake.run('sql', 'SELECT 1', '--lake', city[0], '--as-of', moment, check=False)
    assert done.rc != 0 and moment in done.stderr and '--as-of' in done.stderr


def test_a_mistake_is_shown_with_its_place(citylake, city):
    done = citylake.run('sql', 'SELECT 1,\n  nope(2)', '--lake', city[0], check=False)
    assert done.rc == 1 and done.stdout == ''
    message, line, caret = done.stderr.splitlines()
    assert 'line 2, column 3' in message and 'nope' in message
    assert line.endswith('|   nope(2)') and caret.index('^') == line.index('nope')


def test_an_unknown_table_is_named_with_those_there_are(citylake, city):
    done = citylake.run('sql', 'SELECT * FROM nowhere', '--lake', city[0], check=False)
    assert done.rc == 1 and 'nowhere' in done.stderr and 'dead_letters, emergency, gps' in done.stderr


@pytest.mark.parametrize('statement', [
    "SELECT * FROM read_text('/etc/passwd')",
    "SELECT * FROM read_csv('/etc/passwd')",
    "SELECT * FROM glob('/etc/*')",
    "COPY (SELECT 1) TO '{lake}/written.csv'",
    "EXPLAIN ANALYZE COPY (SELECT 1) TO '{lake}/written.csv'",
    "EXPORT DATABASE '{lake}/written'",
    "ATTACH '{lake}/written.db'",
    'INSTALL httpfs',
    'SET enable_external_access = true',
])
def test_sql_reads_the_lake_and_nothing_else(citylake, city, statement):
    lake, _ = city
    before = sorted(lake.rglob('*'))
    done = citylake.run('sql', statement.format(lake=lake), '--lake', lake, check=False)
    assert done.rc == 1 and done.stdout == '' and 'root:' not in done.stderr
    assert sorted(lake.rglob('*')) == before


def test_ctrl_c_cancels(citylake, city):
    query = 'SELECT count(*) FROM range(3000000) a(i), range(3000000) b(j) WHERE (i * 7 + j) % 1000003 = 1'
    with citylake.start('sql', query, '--lake', city[0], stdout=-1, stderr=-1, text=True) as p:
        time.sleep(1)
        p.send_signal(signal.SIGINT)
        _, stderr = p.communicate(timeout=20)
    assert p.returncode == 1 and 'interrupted' in stderr


def test_a_reader_that_leaves_is_no_failure(citylake, city):
    query = 'SELECT i FROM range(5000000) t(i)'
    with citylake.start('sql', query, '--lake', city[0], '--format', 'csv', stdout=-1, stderr=-1, text=True) as p:
        assert p.stdout.readline() == 'i\n'
        p.stdout.close()
        assert p.stderr.read() == ''
    assert p.returncode == 0


def test_a_lake_that_is_not_there(citylake, tmp_path):
    done = citylake.run('sql', 'SELECT 1', '--lake', tmp_path / 'nowhere', check=False)
    assert done.rc == 1 and 'nowhere' in done.stderr


# ---- tables, snapshots, files ----

def listing(citylake, lake, *args):
    return json.loads(citylake.run(*args, '--lake', lake, '--format', 'json').stdout)


def test_tables(citylake, city):
    lake, _ = city
    tables = {row['table']: row for row in listing(citylake, lake, 'tables')}
    assert set(tables) == {*FEEDS, 'dead_letters'}
    for name, row in tables.items():
        table = iceberg_table(lake, name)
        assert row['rows'] == len(iceberg_rows(lake, name))
        assert row['files'] == len(list(table.scan().plan_files()))
        assert row['snapshots'] == len(table.snapshots())
        assert row['location'] == table.location()


def test_snapshots(citylake, city):
    lake, _ = city
    rows = listing(citylake, lake, 'snapshots', 'vehicle')
    assert [row['snapshot_id'] for row in rows] == [s.snapshot_id for s in iceberg_table(lake, 'vehicle').snapshots()]
    assert len(rows) >= 2 and all(row['on_main'] for row in rows)
    assert sum(row['stored'] for row in rows) == rows[-1]['total_rows'] == len(iceberg_rows(lake, 'vehicle'))
    assert all(row['consumed'] == row['stored'] + row['duplicates'] + row['rejected'] for row in rows)


def test_files(citylake, city):
    lake, _ = city
    rows = listing(citylake, lake, 'files', 'vehicle')
    assert sum(row['rows'] for row in rows) == len(iceberg_rows(lake, 'vehicle'))
    for row in rows:
        path = Path(row['path'].removeprefix('file://'))
        assert path.stat().st_size == row['bytes']
        assert row['partition'] is None or '=' in row['partition']


@pytest.mark.parametrize('args', [['snapshots'], ['files'], ['snapshots', 'nowhere'], ['files', 'nowhere']])
def test_a_table_must_be_named_and_exist(citylake, city, args):
    done = citylake.run(*args, '--lake', city[0], check=False)
    assert done.rc in (1, 2) and args[-1] in done.stderr


# ---- audit ----

def audit(citylake, lake, *args):
    return citylake.run('audit', '--lake', lake, *args, check=False)


def change_metadata(lake, table, change):
    """Calls `change` with each snapshot's summary, oldest first, and writes the metadata back."""
    path = metadata_file(lake, table)
    metadata = json.loads(path.read_text())
    for i, snapshot in enumerate(sorted(metadata['snapshots'], key=lambda s: s['sequence-number'])):
        change(i, snapshot['summary'])
    path.write_text(json.dumps(metadata))


def change_rows(lake, table, change):
    """Rewrites one data file of the table in its place, with `change` of its rows (an Arrow table)."""
    import pyarrow.parquet as pq
    path = max((lake / 'city' / table).rglob('*.parquet'), key=lambda p: p.stat().st_size)
    rows = change(pq.read_table(path, partitioning=None))
    pq.write_table(rows, path)


def assert_found(done, *words):
    assert done.rc == 1, done.stdout
    assert 'audit: FAILED' in done.stdout
    for word in words:
        assert word in done.stdout


def test_audit_passes(citylake, city):
    lake, _ = city
    done = audit(citylake, lake)
    assert done.rc == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1].startswith('audit: passed: 6 tables, ')
    assert 'without gap or overlap' in done.stdout and 'FAILED' not in done.stdout
    assert 'positions held no message of this feed' in done.stdout  # an envelope file's lines are of all feeds


def test_audit_as_json(citylake, city):
    done = audit(citylake, city[0], '--format', 'json', 'vehicle')
    rows = json.loads(done.stdout)
    assert done.rc == 0 and 'audit: passed' in done.stderr
    checks = {row['check']: row['result'] for row in rows if row['table'] == 'vehicle'}
    assert checks == {'snapshots': 'OK', 'source': 'OK', 'ranges': 'OK', 'ledger': 'OK', 'rows': 'OK', 'unique': 'OK',
                      'rejects': 'OK', 'log': 'skipped'}
    assert {row['table'] for row in rows} == {'vehicle', 'dead_letters'}


def test_audit_of_an_unknown_table(citylake, city):
    done = audit(citylake, city[0], 'nowhere')
    assert done.rc == 1 and 'nowhere' in done.stderr


def test_audit_finds_a_gap_in_the_ranges(citylake, copy):
    def change(i, summary):
        if i == 1:
            ranges = json.loads(summary['citylake.ranges'])
            ranges['0'][0] += 7
            summary['citylake.ranges'] = json.dumps(ranges)

    change_metadata(copy, 'gps', change)
    assert_found(audit(citylake, copy), 'gps: ranges: partition 0', 'gap')


def test_audit_finds_a_wrong_ledger(citylake, copy):
    def change(i, summary):
        if i == 0:
            ledger = json.loads(summary['citylake.ledger'])
            ledger['duplicates'] += 1
            summary['citylake.ledger'] = json.dumps(ledger)

    change_metadata(copy, 'weather', change)
    assert_found(audit(citylake, copy), 'weather: ledger: snapshot', 'does not add up')


def test_audit_finds_rows_of_others(citylake, copy):
    def change(i, summary):
        if i == 1:
            for key in [key for key in summary if key.startswith('citylake.')]:
                del summary[key]

    change_metadata(copy, 'camera', change)
    assert_found(audit(citylake, copy), 'camera: snapshots: snapshot', 'another program appended')


def test_audit_finds_a_row_that_stands_twice(citylake, copy):
    import pyarrow as pa
    change_rows(copy, 'vehicle', lambda rows: pa.concat_tables([rows.slice(0, rows.num_rows - 1), rows.slice(0, 1)]))
    assert_found(audit(citylake, copy), 'vehicle: unique: partition', 'more than one row')


def test_audit_finds_a_missing_row(citylake, copy):
    change_rows(copy, 'vehicle', lambda rows: rows.slice(1))
    assert_found(audit(citylake, copy), 'vehicle: rows: snapshot', 'vehicle: rows: the table holds')


def test_audit_finds_an_offset_out_of_range(citylake, copy):
    import pyarrow as pa

    def move(rows):
        at = rows.schema.get_field_index('_offset')
        offsets = pa.array([rows['_offset'][i].as_py() + (10**6 if i == 3 else 0) for i in range(rows.num_rows)], pa.int64())
        return rows.set_column(at, rows.schema.field(at), offsets)

    change_rows(copy, 'vehicle', move)
    assert_found(audit(citylake, copy), 'vehicle: rows: partition', 'outside of')


def test_audit_finds_a_missing_dead_letter(citylake, copy):
    change_rows(copy, 'dead_letters', lambda rows: rows.slice(1))
    assert_found(audit(citylake, copy), ': rejects: the ledger rejected', 'dead_letters: rows:')


def test_a_lake_that_is_being_written_is_sound_at_every_moment(citylake, lake):
    args = ['--lake', lake, '--events', 200_000, '--rate', 50_000, '--malformed', 0.05, '--commit-every', '300ms', '--quiet']
    passed = 0
    with citylake.start('up', *map(str, args), stdout=-3, stderr=-3) as up:
        while up.poll() is None:
            done = audit(citylake, lake)
            if 'there is no' in done.stderr or 'has no table' in done.stderr:
                continue  # it has only just begun
            assert done.rc == 0, done.stdout + done.stderr
            rows = citylake.sql(lake, 'SELECT count(*) AS n, count(DISTINCT (_partition, _offset)) AS d FROM gps')
            assert rows[0]['n'] == rows[0]['d']
            passed += 1
    assert up.returncode == 0 and passed > 0
    assert audit(citylake, lake).rc == 0
