"""test_simulate.py - `citylake simulate`: its files, envelopes and ground truth against each other, read by Python only."""

import base64
import json
import signal
import subprocess
import time
from collections import Counter
from decimal import Decimal

import pytest

FAULTS = ['--duplicates', 0.02, '--late', 0.02, '--out-of-order', 0.02, '--malformed', 0.05]
SUMS = {'vehicle': ['speed'], 'gps': ['speed'],
        'weather': ['temperature', 'precipitation', 'windSpeed', 'humidity', 'airQualityIndex']}
TOPICS = {'vehicle': 'vehicle_data', 'gps': 'gps_data', 'camera': 'traffic_data', 'weather': 'weather_data',
          'emergency': 'emergency_data'}


def read_truth(path):
    """(totals by feed, lines of faulty events)"""
    lines = [json.loads(line, parse_float=Decimal) for line in path.read_text().splitlines()]
    return {t['feed']: t for t in lines if 'sent' in t}, [f for f in lines if 'fault' in f]


def well_formed(raw, feed):
    """The message when a strict reader takes it, else None."""
    try:
        message = json.loads(raw.decode(), parse_float=Decimal)
    except ValueError:
        return None
    if 'id' not in message or (feed != 'gps' and abs(message['location'][0]) > 90):
        return None
    numbers = {'vehicle': 'speed', 'gps': 'speed', 'weather': 'temperature'}
    texts = {'camera': 'snapshot', 'emergency': 'status'}
    if feed in numbers and (isinstance(message[numbers[feed]], str) or message[numbers[feed]] > 1000):
        return None
    return None if feed in texts and not isinstance(message[texts[feed]], str) else message


def check_totals(messages, totals, faults):
    """messages: feed -> list of bytes, in the order of sending."""
    for feed, raws in messages.items():
        expected = totals[feed]
        assert len(raws) == expected['sent'] and sum(map(len, raws)) == expected['bytes']
        good = [m for m in (well_formed(raw, feed) for raw in raws) if m is not None]
        assert len(raws) - len(good) == expected['malformed'] == sum(expected['malformed_kinds'].values())
        distinct = {m['id']: m for m in good}
        assert len(distinct) == expected['distinct'] and len(good) - len(distinct) == expected['duplicates']
        for name in SUMS.get(feed, []):
            assert sum(m[name] for m in distinct.values()) == expected['sum'][name], (feed, name)
        counts = Counter(f['fault'] for f in faults if f['feed'] == feed)
        assert [counts[k] for k in ('malformed', 'duplicate', 'late', 'out_of_order')] == \
               [expected[k] for k in ('malformed', 'duplicates', 'late', 'out_of_order')]
        ids = Counter(m['id'] for m in good)
        assert {f['id'] for f in faults if f['feed'] == feed and f['fault'] == 'duplicate'} == {i for i, n in ids.items() if n > 1}
        if expected['distinct']:
            times = [m['timestamp'] for m in distinct.values()]
            assert expected['first'].rstrip('Z') == min(times) and expected['last'].rstrip('Z') == max(times)


def test_files_are_what_the_truth_says(citylake, tmp_path):
    citylake.run('simulate', '--events', 60000, '--vehicles', 300, '--seed', 5, *FAULTS, '--out', tmp_path / 'out',
                 '--truth', tmp_path / 'truth.ndjson')
    totals, faults = read_truth(tmp_path / 'truth.ndjson')
    messages = {feed: (tmp_path / 'out' / f'{topic}.ndjson').read_bytes().split(b'\n')[:-1] for feed, topic in TOPICS.items()}
    assert sum(t['sent'] for t in totals.values()) == 60000
    assert all(len(m) > 0 for m in messages.values())
    check_totals(messages, totals, faults)
    assert not any(f.get('kind') == 'empty' for f in faults)  # a plain line cannot hold nothing


def test_envelopes_carry_every_byte(citylake, tmp_path):
    done = citylake.run('simulate', '--events', 30000, '--vehicles', 300, '--seed', 6, *FAULTS, '--truth', tmp_path / 'truth')
    totals, faults = read_truth(tmp_path / 'truth')
    feeds = {topic: feed for feed, topic in TOPICS.items()}
    messages = {feed: [] for feed in TOPICS}
    for line in done.stdout.splitlines():
        envelope = json.loads(line)
        assert envelope['key'].startswith('Vehicle-')
        if 'raw' in envelope:
            raw = base64.b64decode(envelope['raw'], validate=True)
        else:
            start = line.index('"value": ') + len('"value": ')
            raw = line[start:-1].encode()
        messages[feeds[envelope['topic']]].append(raw)
    check_totals(messages, totals, faults)
    assert any(f.get('kind') == 'empty' for f in faults)


def test_the_same_seed_gives_the_same_bytes(citylake):
    runs = [citylake.run('simulate', '--events', 20000, '--seed', seed, *FAULTS).stdout for seed in (1, 1, 2)]
    assert runs[0] == runs[1] != runs[2]


def test_numbers_and_times_are_written_as_python_does(citylake):
    for line in citylake.run('simulate', '--events', 5000, '--vehicles', 50).stdout.splitlines():
        assert json.dumps(json.loads(line)) == line


def test_one_feed_and_for(citylake):
    done = citylake.run('simulate', '--feed', 'gps', '--vehicles', 100, '--for', '60s')
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(lines) == 600 and {line['topic'] for line in lines} == {'gps_data'}
    assert max(line['value']['timestamp'] for line in lines) < '2026-01-05T06:01:00'


def test_a_rate_is_kept(citylake):
    begun = time.monotonic()
    citylake.run('simulate', '--rate', 2000, '--events', 4000)
    assert 1.6 < time.monotonic() - begun < 6


def test_a_signal_ends_it_cleanly(citylake, tmp_path):
    process = citylake.start('simulate', '--rate', 1000, '--out', tmp_path / 'out', '--truth', tmp_path / 'truth',
                             stderr=subprocess.PIPE, text=True)
    time.sleep(1)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=30)
    assert process.returncode == 0, stderr
    totals, _ = read_truth(tmp_path / 'truth')
    sent = sum(t['sent'] for t in totals.values())
    assert sent == sum(len(f.read_bytes().splitlines()) for f in (tmp_path / 'out').iterdir()) > 100
    assert f'events={sent}' in stderr


def test_a_reader_that_left_is_no_failure(citylake):
    with citylake.start('simulate', '--events', 1000000, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.readline()
        process.stdout.close()
        process.stderr.read()
        assert process.wait(30) == 0


@pytest.mark.parametrize('args, word', [
    (['--out', 'x', '--kafka', '127.0.0.1:1'], '--out'),
    (['--feed', 'nothing'], 'nothing'),
    (['--partitions', 5000, '--events', 1], 'partitions'),
    (['--malformed', 2], 'malformed'),
])
def test_wrong_usage_is_named(citylake, tmp_path, args, word):
    done = citylake.run('simulate', *args, check=False, cwd=tmp_path)
    assert done.rc == 2 and word in done.stderr


def test_a_truth_that_cannot_be_written_is_named(citylake, tmp_path):
    done = citylake.run('simulate', '--events', 10, '--truth', tmp_path / 'none' / 'truth', check=False)
    assert done.rc == 1 and 'truth' in done.stderr and 'none' in done.stderr


def test_kafka_holds_what_the_truth_says(citylake, kafka, tmp_path):
    from conftest import consume
    env = {f'{feed.upper() if feed != "camera" else "TRAFFIC"}_TOPIC': f'simulate_{topic}' for feed, topic in TOPICS.items()}
    citylake.run('simulate', '--kafka', kafka.bootstrap, '--events', 30000, '--vehicles', 300, '--partitions', 3, *FAULTS,
                 '--truth', tmp_path / 'truth', env=env)
    totals, faults = read_truth(tmp_path / 'truth')
    got = {feed: consume(kafka.bootstrap, f'simulate_{topic}') for feed, topic in TOPICS.items()}
    check_totals({feed: [m.value() or b'' for m in messages] for feed, messages in got.items()}, totals, faults)
    for messages in got.values():
        partitions = {}
        for message in messages:  # keyed: a vehicle stays in its partition
            assert partitions.setdefault(message.key(), message.partition()) == message.partition()
        assert len(messages) < 20 or len({m.partition() for m in messages}) > 1
