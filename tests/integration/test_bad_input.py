"""test_bad_input.py - what is broken is named with its place and a remedy; nothing crashes, nothing is lost."""

import json
import os
import re
import shutil
import signal
import subprocess
import time

import pytest

from conftest import create_topic, iceberg_rows, produce
from reference import FEEDS, events, topics

GOOD = {'id': '3f0f9f5a-1f0e-4a3c-9c55-0b9a0c7a1d2e', 'vehicle_id': 'V1', 'timestamp': '2026-01-05T08:00:00',
        'location': [51.5, -0.12], 'speed': 30.5, 'direction': 'North', 'make': 'Mini', 'model': 'One', 'year': 2024,
        'fuelType': 'Electric'}


def vehicle(**changes):
    return json.dumps({**GOOD, **changes}).encode()


# Message, reason, column of the dead letter, and a word of the detail.
BAD = [
    (vehicle(direction='X').replace(b'X', b'\xff\xfe'), 'utf8', None, ''),
    (vehicle(direction='X').replace(b'X', b'\xc0\xaf'), 'utf8', None, ''),
    (vehicle(direction='X').replace(b'X', b'\\ud83d'), 'utf8', None, ''),
    (vehicle()[:-20], 'syntax', None, ''),
    (vehicle() + b'}', 'syntax', None, ''),
    (b'not json', 'syntax', None, ''),
    (b'[1, 2, 3]', 'not-object', None, ''),
    (b'', 'empty', None, ''),
    (b' \n\t ', 'empty', None, ''),
    (None, 'tombstone', None, 'tombstone'),
    (vehicle(speed='fast'), 'type', 'speed', 'speed'),
    (vehicle(year=2024.5), 'type', 'year', 'year'),
    (vehicle(vehicle_id=17), 'type', 'vehicle_id', 'vehicle_id'),
    (vehicle(speed=1e9), 'range', 'speed', '400'),
    (vehicle(location=[91, 0]), 'range', 'latitude', 'latitude'),
    (vehicle().replace(b'30.5', b'1e999'), 'range', 'speed', 'speed'),
    (vehicle(year=2**40), 'range', 'year', 'year'),
    (vehicle(timestamp='yesterday'), 'format', 'timestamp', 'timestamp'),
    (vehicle(timestamp='2026-02-30T00:00:00'), 'format', 'timestamp', 'timestamp'),
    (vehicle(id='not-a-uuid'), 'format', 'id', 'id'),
    (vehicle(timestamp=None), 'missing', 'timestamp', 'timestamp'),
    (json.dumps({k: v for k, v in GOOD.items() if k != 'vehicle_id'}).encode(), 'missing', 'vehicle_id', 'vehicle_id'),
    (vehicle().replace(b'"speed": 30.5', b'"speed": 30.5, "speed": 31.5'), 'duplicate-key', 'speed', 'speed'),
    (b'{"a": ' * 100 + b'1' + b'}' * 100, 'depth', None, ''),
    (b'{"junk": "' + b'x' * 10_000_000 + b'"', 'syntax', None, ''),
]


def test_each_bad_message_is_a_dead_letter_with_its_reason(citylake, kafka, lake):
    names, env = topics('bad')
    for topic in names.values():
        create_topic(kafka.bootstrap, topic, 1, **{'max.message.bytes': '12000000'})
    messages = []
    for message, *_ in BAD:
        messages += [(b'k', message), (b'k', vehicle())]
    big = vehicle(make='y' * 1000, unread='z' * 10_000_000)
    produce(kafka.bootstrap, names['vehicle'], messages + [(b'k', big)])
    done = citylake.run('stream', '--source', 'kafka', '--kafka', kafka.bootstrap, '--lake', lake, '--until-end', env=env)
    assert 'rejected' in done.stderr
    assert len(iceberg_rows(lake, 'vehicle')) == len(BAD) + 1
    letters = sorted(iceberg_rows(lake, 'dead_letters'), key=lambda row: row['offset'])
    assert len(letters) == len(BAD)
    for i, (letter, (message, reason, column, detail)) in enumerate(zip(letters, BAD)):
        assert (letter['feed'], letter['topic'], letter['partition'], letter['offset']) == ('vehicle', names['vehicle'], 0, 2 * i)
        assert letter['value'] == message, f'the bytes of message {i} are not kept whole'
        assert letter['key'] == b'k'
        assert (letter['reason'], letter['column']) == (reason, column), f'message {i}: {letter["detail"]}'
        assert detail in letter['detail']
    assert 'passed' in citylake.run('audit', '--source', 'kafka', '--kafka', kafka.bootstrap, '--lake', lake, env=env).stdout


def ndjson(tmp_path, n=200):
    folder = tmp_path / 'events'
    folder.mkdir(exist_ok=True)
    files = {feed: open(folder / f'{topic}.ndjson', 'w') for feed, topic in FEEDS.items()}
    for feed, event in events(vehicles=2, steps=n):
        files[feed].write(json.dumps(event) + '\n')
    for file in files.values():
        file.close()
    return folder


def fails(citylake, rc, *args, says=(), **kwargs):
    """The command ends with this status and says these things; it does not die by a signal."""
    done = citylake.run(*args, check=False, **kwargs)
    assert done.rc == rc, f'exit status {done.rc}: {done.stderr}'
    for word in says:
        assert word in done.stderr, f'{word!r} is not in: {done.stderr}'
    return done


def test_unknown_topic_in_an_envelope(citylake, lake, tmp_path):
    file = tmp_path / 'envelopes.ndjson'
    file.write_text(json.dumps({'topic': 'vehicle_data', 'key': 'V1', 'value': GOOD}) + '\n' +
                    json.dumps({'topic': 'tram_data', 'key': 'T1', 'value': {'id': 1}}) + '\nnot an envelope\n')
    citylake.run('stream', '--source', f'ndjson:{file}', '--lake', lake, '--until-end')
    assert len(iceberg_rows(lake, 'vehicle')) == 1
    letters = sorted(iceberg_rows(lake, 'dead_letters'), key=lambda row: row['offset'])
    assert [(row['feed'], row['topic'], row['reason']) for row in letters] == [(None, 'tram_data', 'unknown-topic'),
                                                                                 (None, '', 'unknown-topic')]
    assert letters[1]['value'] == b'not an envelope'


def test_unknown_kafka_topic(citylake, kafka, lake):
    _, env = topics('nowhere')
    fails(citylake, 1, 'stream', '--source', 'kafka', '--kafka', kafka.bootstrap, '--lake', lake, '--until-end', env=env,
          says=['vehicle_data_nowhere', 'vehicle'])


@pytest.mark.skipif(os.geteuid() != 0, reason='needs root to drop to another user or to mount')
def test_unwritable_lake(citylake, lake, tmp_path):
    source = ndjson(tmp_path, 10)
    lake.mkdir()
    subprocess.run(['mount', '-t', 'tmpfs', '-o', 'ro', 'none', lake], check=True)
    try:
        fails(citylake, 1, 'stream', '--source', f'ndjson:{source}', '--lake', lake, '--until-end',
              says=[str(lake), 'Read-only file system'])
    finally:
        subprocess.run(['umount', lake], check=True)


@pytest.mark.skipif(os.geteuid() != 0, reason='needs root to mount a small file system')
def test_full_disk(citylake, lake, tmp_path):
    source = ndjson(tmp_path, 4000)
    lake.mkdir()
    subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=600k', 'none', lake], check=True)
    try:
        args = ['stream', '--source', f'ndjson:{source}', '--lake', lake, '--until-end', '--commit-every', '100ms']
        fails(citylake, 1, *args, says=['No space left on device'])
        subprocess.run(['mount', '-o', 'remount,size=100m', lake], check=True)
        citylake.run(*args)
        assert 'passed' in citylake.run('audit', '--lake', lake).stdout
        for feed in FEEDS:
            assert citylake.sql(lake, f'SELECT count(*) AS n FROM {feed}') == [{'n': 8000}]
    finally:
        subprocess.run(['umount', lake], check=True)


@pytest.mark.parametrize('damage', ['truncated', 'garbage', 'empty', 'missing_manifest_list', 'broken_manifest_list'])
def test_corrupt_metadata(citylake, lake, tmp_path, damage):
    source = ndjson(tmp_path, 10)
    args = ['stream', '--source', f'ndjson:{source}', '--lake', lake, '--until-end']
    citylake.run(*args)
    folder = lake / 'city' / 'vehicle' / 'metadata'
    newest = max(folder.glob('v*.metadata.json'), key=lambda path: int(re.findall(r'\d+', path.name)[0]))
    lists = sorted(folder.glob('snap-*.avro'))
    if damage == 'missing_manifest_list':
        victim = lists[0]
        victim.unlink()
    elif damage == 'broken_manifest_list':
        victim = lists[0]
        victim.write_bytes(victim.read_bytes()[:100])
    else:
        victim = newest
        text = victim.read_bytes()
        victim.write_bytes({'truncated': text[:len(text) // 2], 'garbage': b'\x00\xff' * 100, 'empty': b''}[damage])
    with open(source / 'vehicle_data.ndjson', 'a') as file:
        file.write(json.dumps(GOOD) + '\n')
    fails(citylake, 1, *args, says=[victim.name])
    fails(citylake, 1, 'sql', 'SELECT * FROM vehicle', '--lake', lake, says=[victim.name])


def test_schema_disagrees(citylake, lake, tmp_path):
    source = ndjson(tmp_path, 10)
    config = tmp_path / 'city.yaml'
    feeds = ('feeds:\n  vehicle:\n    topic: vehicle_data\n    event_time: timestamp\n    columns:\n'
             '      id: {type: string, required: true}\n      timestamp: {type: timestamp, required: true}\n'
             '      speed: {type: %s}\n')
    config.write_text(feeds % 'double')
    args = ['stream', '--source', f'ndjson:{source}', '--lake', lake, '--until-end', '--config', config]
    citylake.run(*args)
    config.write_text(feeds % 'string')
    fails(citylake, 2, *args, says=['vehicle', 'speed', 'string', 'double'])


def test_broker_down_at_start(citylake, lake):
    began = time.monotonic()
    fails(citylake, 1, 'stream', '--source', 'kafka', '--kafka', '127.0.0.1:1', '--lake', lake, '--until-end',
          says=['127.0.0.1:1', '--kafka'])
    assert time.monotonic() - began < 60


def test_broker_down_in_the_middle(citylake, broker, lake):
    names, env = topics('down')
    broker.start()
    for topic in names.values():
        create_topic(broker.bootstrap, topic, 2)
    first, second = [[(None, json.dumps(e).encode()) for f, e in events(seed=s) if f == 'weather'] for s in (1, 2)]
    produce(broker.bootstrap, names['weather'], first)
    run = citylake.start('stream', '--source', 'kafka', '--kafka', broker.bootstrap, '--lake', lake, '--commit-every', '200ms',
                         env=env, stderr=subprocess.PIPE, text=True)
    try:
        time.sleep(3)
        broker.kill9()
        time.sleep(3)
        assert run.poll() is None, 'it ended because the broker was away'
        broker.start()
        produce(broker.bootstrap, names['weather'], second)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if citylake.sql(lake, 'SELECT count(*) AS n FROM weather') == [{'n': 2000}]:
                break
            time.sleep(0.5)
    finally:
        run.send_signal(signal.SIGTERM)
        _, log = run.communicate(timeout=60)
    assert run.returncode == 0, log
    assert citylake.sql(lake, 'SELECT count(*) AS n, count(DISTINCT id) AS d FROM weather') == [{'n': 2000, 'd': 2000}]
    assert 'retrying' in log
    assert 'passed' in citylake.run('audit', '--source', 'kafka', '--kafka', broker.bootstrap, '--lake', lake, env=env).stdout


BROKEN_CONFIGS = [
    ('feeds:\n  a:\n    topik: x\n', 'city.yaml:3:5', 'topic'),
    ('feeds:\n  a:\n    topic: x\n    event_time: t\n    columns:\n      t: {type: timestamp, required: true}\n'
     '      s: {type: double, unit: km/hh}\n', 'city.yaml:7:', 'km/h'),
    ('feeds:\n' + ''.join(f'  {n}:\n    topic: same\n    event_time: t\n    columns:\n      t: {{type: timestamp, required: true}}\n'
                          for n in 'ab'), 'city.yaml:8:', 'same'),
    ('lake: {commit_every: soon}\n', 'city.yaml:1:', 'duration'),
    ('lake: [\n', 'city.yaml:', ''),
]


@pytest.mark.parametrize('text,place,word', BROKEN_CONFIGS)
def test_broken_city_yaml(citylake, tmp_path, text, place, word):
    (tmp_path / 'city.yaml').write_text(text)
    fails(citylake, 2, 'check', cwd=tmp_path, says=[place, word])


def test_the_lake_stays_readable_while_written(citylake, lake, tmp_path):
    run = citylake.start('up', '--lake', lake, '--for', '4s', '--commit-every', '300ms', '--vehicles', '200',
                         stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    counts = []
    while run.poll() is None:
        if (lake / 'city' / 'vehicle').exists():
            done = citylake.run('sql', 'SELECT count(*) AS n FROM vehicle', '--lake', lake, '--format', 'json', check=False)
            if done.rc == 0:
                counts.append(json.loads(done.stdout)[0]['n'])
        time.sleep(0.2)
    assert run.returncode == 0, run.stderr.read()
    assert counts == sorted(counts) and len(set(counts)) > 2
    assert 'passed' in citylake.run('audit', '--lake', lake).stdout
    shutil.rmtree(lake)
