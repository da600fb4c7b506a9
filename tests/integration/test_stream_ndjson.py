"""test_stream_ndjson.py - files of many lines, committed while they are read: nothing lost, nothing cut, nothing twice."""

import json
import os
import random
import signal
import subprocess
import time

import pytest

from conftest import ROOT, iceberg_table
from reference import FEEDS, row_of


@pytest.fixture(scope='module')
def events(tmp_path_factory):
    folder = tmp_path_factory.mktemp('events')
    subprocess.run([ROOT / 'build' / 'bench' / 'gen', '--seed', '5', '--events', '3000000', '--out', folder], check=True,
                   stdout=subprocess.DEVNULL)
    return folder


def assert_complete(citylake, lake, events):
    assert citylake.sql(lake, 'SELECT count(*) AS n FROM dead_letters') == [{'n': 0}]
    for feed in FEEDS:
        assert citylake.sql(lake, f'SELECT count(*) AS n, count(DISTINCT _offset) AS d, max(_offset) AS last FROM {feed}') == [
            {'n': 600_000, 'd': 600_000, 'last': 599_999}]
    assert 'passed' in citylake.run('audit', '--lake', lake).stdout
    have = iceberg_table(lake, 'weather').scan().to_arrow().sort_by('_offset').to_pylist()
    with open(events / 'weather_data.ndjson') as lines:
        for number, (row, line) in enumerate(zip(have, lines)):
            if number % 7 == 0:
                want = row_of(line)
                assert {name: row[name] for name in want} == want, f'line {number}'


@pytest.mark.timeout(300)
def test_commits_while_reading(citylake, lake, events):
    citylake.run('stream', '--source', f'ndjson:{events}', '--lake', lake, '--commit-every', '100ms')
    snapshots = json.loads(citylake.run('snapshots', 'vehicle', '--lake', lake, '--format', 'json').stdout)
    assert len(snapshots) > 3, 'it ended before it had committed on the way'
    assert_complete(citylake, lake, events)


@pytest.mark.timeout(300)
def test_killed_while_reading(citylake, lake, events):
    seed = int(os.environ.get('CITYLAKE_SEED', random.randrange(1 << 30)))
    print(f'CITYLAKE_SEED={seed}')
    rnd = random.Random(seed)
    args = ['stream', '--source', f'ndjson:{events}', '--lake', lake, '--commit-every', '100ms']
    for _ in range(10):
        run = citylake.start(*args, stderr=subprocess.DEVNULL)
        time.sleep(rnd.uniform(0.05, 0.5))
        run.send_signal(signal.SIGKILL)
        run.wait()
    citylake.run(*args)
    assert_complete(citylake, lake, events)
