"""test_own_feed.py - a feed that only a city.yaml declares: floating-car records of a traffic simulator, from NDJSON and from Kafka."""

import gzip
import json
import os
import random
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from conftest import ROOT, consume, create_topic, iceberg_rows, produce

CONFIG = ROOT / 'examples' / 'braunschweig.yaml'


def records(n=5000, seed=3):
    """Records of the shape that SUMO's fcd-output has: epoch milliseconds, speed in m/s, names of its own."""
    rnd = random.Random(seed)
    for i in range(n):
        yield {'time': 1767600020000 + i // 50 * 1000, 'id': f'{i % 50}_left.0', 'lon': round(rnd.uniform(10.45, 10.6), 6),
               'lat': round(rnd.uniform(52.2, 52.3), 6), 'angle': round(rnd.uniform(0, 360), 2), 'type': 'passenger',
               'speed': round(rnd.uniform(0, 20), 2), 'pos': round(rnd.uniform(0, 500), 1), 'lane': f'{rnd.randrange(10**8)}#3_1',
               'slope': 0.0}


def lines():
    """The whole of a real run when CITYLAKE_FCD_FILE names one (NDJSON, may be .zst), else records of that shape."""
    file = os.environ.get('CITYLAKE_FCD_FILE')
    if file is None:
        return [json.dumps(record).encode() for record in records()]
    data = Path(file).read_bytes()
    if file.endswith('.zst'):
        import zstandard
        data = zstandard.ZstdDecompressor().stream_reader(data).read()
    elif file.endswith('.gz'):
        data = gzip.decompress(data)
    return data.splitlines()


def check(citylake, lake, wanted):
    rows = iceberg_rows(lake, 'fcd', 'braunschweig')
    assert len(rows) == len(wanted)
    messages = {}
    for row in rows:
        messages[row['_partition'], row['_offset']] = row
    for at, line in wanted.items():
        record, row = json.loads(line), messages[at]
        assert row['event_time'] == datetime(1970, 1, 1) + timedelta(milliseconds=record['time'])
        assert row['speed'] == pytest.approx(record['speed'] * 3.6, rel=1e-15)
        assert (row['latitude'], row['longitude']) == (record['lat'], record['lon'])
        assert row['vehicle_id'] == record['id']
    assert citylake.sql(lake, 'SELECT count(*) AS n FROM dead_letters', '--config', CONFIG) == [{'n': 0}]


def test_from_ndjson(citylake, lake, tmp_path):
    file = tmp_path / 'fcd.ndjson'
    file.write_bytes(b'\n'.join(lines()) + b'\n')
    common = ['--config', CONFIG, '--lake', lake]
    citylake.run('stream', '--source', f'ndjson:{file}', '--feed', 'fcd', '--until-end', *common)
    check(citylake, lake, {(0, i): line for i, line in enumerate(lines())})
    assert 'passed' in citylake.run('audit', *common).stdout


def test_from_kafka(citylake, kafka, lake):
    create_topic(kafka.bootstrap, 'fcd_data', 3)
    produce(kafka.bootstrap, 'fcd_data', [(json.loads(line)['id'].encode(), line) for line in lines()])
    common = ['--config', CONFIG, '--lake', lake, '--kafka', kafka.bootstrap]
    citylake.run('stream', '--source', 'kafka', '--until-end', *common)
    check(citylake, lake, {(m.partition(), m.offset()): m.value() for m in consume(kafka.bootstrap, 'fcd_data')})
    assert 'passed' in citylake.run('audit', '--source', 'kafka', *common).stdout
