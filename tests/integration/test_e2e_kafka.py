"""test_e2e_kafka.py - real Kafka -> citylake stream -> Iceberg, read back by PyIceberg and compared with Python's json."""

import json
import os
import random
import signal
import struct
import subprocess
import time

import pytest

from conftest import ROOT, consume, create_topic, iceberg_rows, iceberg_table, produce
from reference import FEEDS, ODD_TEXT, events, odd_events, row_of, topics

EVENTS = int(os.environ.get('CITYLAKE_E2E_EVENTS', 2_000_000))


def stream(citylake, kafka, lake, env, *args, **kwargs):
    return citylake.run('stream', '--source', 'kafka', '--kafka', kafka.bootstrap, '--lake', lake, '--until-end', *args, env=env,
                        **kwargs)


def audit(citylake, kafka, lake, env, **kwargs):
    return citylake.run('audit', '--source', 'kafka', '--kafka', kafka.bootstrap, '--lake', lake, env=env, **kwargs)


def bits(value):
    return struct.pack('<d', value) if isinstance(value, float) else value


def assert_rows(lake, feed, messages):
    """Every message is one row of the table: value by value, doubles bit for bit, found by partition and offset."""
    rows = {(row['_partition'], row['_offset']): row for row in iceberg_rows(lake, feed)}
    assert len(rows) == len(messages)
    for message in messages:
        have, want = rows[message.partition(), message.offset()], row_of(message.value())
        columns = set(have) - {'_partition', '_offset', '_ingested_at'}
        assert set(want) <= columns, f'{feed}: {set(want) - columns}'
        for name in columns:
            expected = want.get(name)
            if isinstance(have[name], float) and isinstance(expected, int):
                expected = float(expected)
            assert bits(have[name]) == bits(expected), f'{feed}/{message.partition()}@{message.offset()}: {name}'


def make_topics(kafka, names):
    for topic in names.values():
        create_topic(kafka.bootstrap, topic, 4)


def test_the_reference_producer_lands_without_a_dead_letter(citylake, kafka, lake):
    names, env = topics('reference')
    make_topics(kafka, names)
    by_topic = {topic: [] for topic in names.values()}
    for feed, event in events(vehicles=20, steps=50):
        by_topic[names[feed]].append((event['id'], json.dumps(event).encode()))
    for topic, messages in by_topic.items():
        produce(kafka.bootstrap, topic, messages)
    stream(citylake, kafka, lake, env)
    for feed, topic in names.items():
        assert_rows(lake, feed, consume(kafka.bootstrap, topic))
    assert citylake.sql(lake, 'SELECT count(*) AS n FROM dead_letters') == [{'n': 0}]
    assert 'passed' in audit(citylake, kafka, lake, env).stdout


def test_escapes_and_astral_characters_and_hard_numbers(citylake, kafka, lake):
    names, env = topics('odd')
    make_topics(kafka, names)
    produce(kafka.bootstrap, names['vehicle'], [(None, text.encode()) for text in odd_events(20_000)])
    stream(citylake, kafka, lake, env)
    assert_rows(lake, 'vehicle', consume(kafka.bootstrap, names['vehicle']))
    assert any('\U0001f697' in t for t in ODD_TEXT)
    audit(citylake, kafka, lake, env)


@pytest.mark.timeout(1200)
def test_two_million_events(citylake, kafka, lake):
    """Five topics of four partitions; a second reader's rows equal, column by column, what Python's json reads."""
    import pyarrow as pa
    import pyarrow.compute as pc
    names, env = topics('million')
    subprocess.run([ROOT / 'build' / 'bench' / 'gen', '--seed', '42', '--events', str(EVENTS), '--kafka', kafka.bootstrap,
                    '--topic-suffix', '_million'], check=True, stdout=subprocess.DEVNULL)
    done = stream(citylake, kafka, lake, env, timeout=600)
    assert f'events={EVENTS}' in done.stderr
    total = 0
    for feed, topic in names.items():
        messages = consume(kafka.bootstrap, topic)
        total += len(messages)
        have = iceberg_table(lake, feed).scan().to_arrow().sort_by([('_partition', 'ascending'), ('_offset', 'ascending')])
        want = [row_of(m.value()) for m in messages]
        assert have.num_rows == len(want)
        assert have['_partition'].to_pylist() == [m.partition() for m in messages]
        assert have['_offset'].to_pylist() == [m.offset() for m in messages]
        for name in want[0]:
            expected = pa.array([row[name] for row in want], have[name].type)
            got = have[name].combine_chunks()
            if pa.types.is_floating(got.type):  # bit for bit: zeros of both signs differ
                got, expected = got.view(pa.int64()), expected.view(pa.int64())
            assert pc.all(pc.equal(got, expected)).as_py(), f'{feed}.{name}'
            assert got.null_count == expected.null_count == 0
    assert total == EVENTS
    assert 'passed' in audit(citylake, kafka, lake, env, timeout=300).stdout


@pytest.mark.timeout(600)
def test_killed_at_random_moments(citylake, kafka, lake):
    names, env = topics('killed')
    subprocess.run([ROOT / 'build' / 'bench' / 'gen', '--seed', '7', '--events', '1000000', '--kafka', kafka.bootstrap,
                    '--topic-suffix', '_killed'], check=True, stdout=subprocess.DEVNULL)
    bad = [(None, b'{"id": 7, "broken'), (None, b''), (None, b'\xff\xfe')] * 50
    for topic in names.values():
        produce(kafka.bootstrap, topic, bad)
    seed = int(os.environ.get('CITYLAKE_SEED', random.randrange(1 << 30)))
    print(f'CITYLAKE_SEED={seed}')
    rnd = random.Random(seed)
    for _ in range(10):
        run = citylake.start('stream', '--source', 'kafka', '--kafka', kafka.bootstrap, '--lake', lake, '--commit-every', '100ms',
                             env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(rnd.uniform(0.05, 0.7))
        run.send_signal(signal.SIGKILL)
        run.wait()
    stream(citylake, kafka, lake, env)
    assert 'passed' in audit(citylake, kafka, lake, env).stdout
    for feed in FEEDS:
        [counts] = citylake.sql(lake, f'SELECT count(*) AS n, count(DISTINCT (_partition, _offset)) AS d FROM {feed}')
        assert counts == {'n': 200_000, 'd': 200_000}
    [dead] = citylake.sql(lake, 'SELECT count(*) AS n, count(DISTINCT (topic, partition, "offset")) AS d FROM dead_letters')
    assert dead == {'n': 750, 'd': 750}


def test_interrupted_and_resumed(citylake, kafka, lake):
    names, env = topics('resumed')
    make_topics(kafka, names)
    first, second = [[(None, json.dumps(e).encode()) for f, e in events(seed=s) if f == 'gps'] for s in (1, 2)]
    produce(kafka.bootstrap, names['gps'], first)
    run = citylake.start('stream', '--source', 'kafka', '--kafka', kafka.bootstrap, '--lake', lake, '--commit-every', '1h',
                         env=env, stderr=subprocess.PIPE, text=True)
    time.sleep(3)
    run.send_signal(signal.SIGTERM)
    _, log = run.communicate(timeout=30)
    assert run.returncode == 0, log
    assert citylake.sql(lake, 'SELECT count(*) AS n FROM gps') == [{'n': len(first)}]
    produce(kafka.bootstrap, names['gps'], second)
    stream(citylake, kafka, lake, env)
    assert_rows(lake, 'gps', consume(kafka.bootstrap, names['gps']))
    audit(citylake, kafka, lake, env)


def test_two_processes_on_one_lake(citylake, kafka, lake):
    """Without a group each reads everything; the compare-and-swap lets each offset in once."""
    names, env = topics('rivals')
    subprocess.run([ROOT / 'build' / 'bench' / 'gen', '--seed', '9', '--events', '500000', '--kafka', kafka.bootstrap,
                    '--topic-suffix', '_rivals'], check=True, stdout=subprocess.DEVNULL)
    runs = [citylake.start('stream', '--source', 'kafka', '--kafka', kafka.bootstrap, '--lake', lake, '--until-end',
                           '--commit-every', '200ms', env=env, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    for run in runs:
        _, log = run.communicate(timeout=120)
        assert run.returncode == 0, log
    assert 'passed' in audit(citylake, kafka, lake, env).stdout
    for feed in FEEDS:
        assert citylake.sql(lake, f'SELECT count(*) AS n FROM {feed}') == [{'n': 100_000}]
