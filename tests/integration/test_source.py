"""test_source.py - the Kafka source and sink alone, by their drivers (tests/tools), against a real broker: positions past
transactions, large messages, brokers that hang or die, and what a person reads when something is wrong."""

import base64
import os
import re
import signal
import subprocess
import time
import uuid
from collections import Counter, defaultdict

import pytest
from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from conftest import ROOT, consume, create_topic, produce

DRIVERS = ROOT / os.environ.get('CITYLAKE_BUILD', 'build') / 'tests' / 'unit' / 'source'


class Read:
    """What the source driver handed over."""

    def __init__(self, p):
        self.rc, self.stderr = p.returncode, p.stderr.decode(errors='replace')
        self.messages = defaultdict(list)  # (topic, partition) -> [(offset, key, value)] in order
        self.positions = {}                # (topic, partition) -> next
        for line in p.stdout.split(b'\n'):
            kind, _, rest = line.partition(b' ')
            if kind == b'message':
                topic, partition, offset, key, value = rest.split(b' ', 4)
                self.messages[topic.decode(), int(partition)].append((int(offset), key, value))
            elif kind == b'position':
                topic, partition, next_offset, _ = rest.split(b' ')
                self.positions[topic.decode(), int(partition)] = int(next_offset)

    @property
    def values(self):
        return [value for part in self.messages.values() for _, _, value in part]


def source_args(bootstrap, topics, *options):
    return [DRIVERS / 'source_driver', 'kafka', bootstrap, '--topics', ','.join(topics), '--until-end', *map(str, options)]


def read(bootstrap, topics, *options, check=True, timeout=120):
    p = subprocess.run(source_args(bootstrap, topics, *options), capture_output=True, timeout=timeout)
    done = Read(p)
    if check and p.returncode != 0:
        pytest.fail(f'source_driver: {done.stderr}')
    return done


def send(bootstrap, topics, lines, *options, check=True):
    p = subprocess.run([DRIVERS / 'sink_driver', 'kafka', bootstrap, '--topics', ','.join(topics), *map(str, options)],
                       input='\n'.join(lines).encode() + b'\n', capture_output=True, timeout=120)
    if check and p.returncode != 0:
        pytest.fail(f'sink_driver: {p.stderr.decode()}')
    return p


@pytest.fixture
def topic():
    return 't-' + uuid.uuid4().hex[:12]


def assert_whole(done, bootstrap, topic):
    """Each message of the topic was handed over once, in order, with its own offset, key and value."""
    want = defaultdict(list)
    for m in consume(bootstrap, topic, **{'isolation.level': 'read_committed'}):
        key, value = m.key(), m.value()
        want[topic, m.partition()].append((m.offset(), b'\\N' if key is None else key, b'\\N' if value is None else value))
    assert dict(done.messages) == dict(want)


def test_keys_values_tombstones(kafka, topic):
    produce(kafka.bootstrap, topic, [(b'k', b'v', 0), (None, b'no-key', 0), (b'', b'', 0), (b'gone', None, 0)], partitions=2)
    done = read(kafka.bootstrap, [topic])
    assert done.messages == {(topic, 0): [(0, b'k', b'v'), (1, b'\\N', b'no-key'), (2, b'', b''), (3, b'gone', b'\\N')]}
    assert done.positions == {(topic, 0): 4, (topic, 1): -1}  # nothing was there: it stays at the beginning


@pytest.mark.parametrize('codec', ['none', 'gzip', 'snappy', 'lz4', 'zstd'])
def test_codecs(kafka, topic, codec):
    produce(kafka.bootstrap, topic, [(b'%d' % i, b'value %d' % i) for i in range(5000)], partitions=3, **{'compression.type': codec})
    done = read(kafka.bootstrap, [topic], '--lanes', 2)
    assert_whole(done, kafka.bootstrap, topic)


def test_transactions(kafka, topic):
    """Aborted messages are not handed over, and positions pass the markers, at the end of the log too."""
    create_topic(kafka.bootstrap, topic, 1)
    producer = Producer({'bootstrap.servers': kafka.bootstrap, 'transactional.id': topic})
    producer.init_transactions(30)
    for round_, commit in enumerate([True, False, True, False]):
        producer.begin_transaction()
        for i in range(10):
            producer.produce(topic, b'%d-%d' % (round_, i))
        producer.flush(30)  # an abort would else take back what was not sent
        producer.commit_transaction(30) if commit else producer.abort_transaction(30)
    done = read(kafka.bootstrap, [topic])
    assert done.values == [b'%d-%d' % (r, i) for r in (0, 2) for i in range(10)]
    assert [o for o, _, _ in done.messages[topic, 0]] == [*range(10), *range(22, 32)]
    assert done.positions[topic, 0] == 44  # 4 x (10 messages and a marker)
    again = read(kafka.bootstrap, [topic], '--from', f'{topic}/0=44')
    assert not again.messages and again.positions[topic, 0] == 44


def test_open_transaction_is_not_waited_for(kafka, topic):
    create_topic(kafka.bootstrap, topic, 1)
    produce(kafka.bootstrap, topic, [b'before'])
    producer = Producer({'bootstrap.servers': kafka.bootstrap, 'transactional.id': topic})
    producer.init_transactions(30)
    producer.begin_transaction()
    producer.produce(topic, b'open')
    producer.flush(10)
    done = read(kafka.bootstrap, [topic], timeout=30)
    assert done.values == [b'before'] and done.positions[topic, 0] == 1
    producer.commit_transaction(30)
    done = read(kafka.bootstrap, [topic], '--from', f'{topic}/0=1')
    assert done.values == [b'open'] and done.positions[topic, 0] == 3


def test_large_messages(kafka, topic):
    big = os.urandom(1000).hex().encode() * 5000  # 10 MB
    produce(kafka.bootstrap, topic, [(None, b'small', 0), (None, big, 0), (None, b'small too', 0), (None, big, 1)], partitions=2)
    done = read(kafka.bootstrap, [topic])
    assert done.values == [b'small', big, b'small too', big] or done.values == [big, b'small', big, b'small too']


def test_stops_at_the_end_that_was_at_start(kafka, topic):
    """While somebody goes on writing; what comes behind is left, and the next run begins with it."""
    produce(kafka.bootstrap, topic, [(None, b'%d' % i, 0) for i in range(1000)], partitions=1)
    p = subprocess.Popen(source_args(kafka.bootstrap, [topic], '--work', 200000), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    time.sleep(0.3)
    produce(kafka.bootstrap, topic, [(None, b'%d' % i, 0) for i in range(1000, 3000)])
    out, err = p.communicate(timeout=60)
    first = Read(subprocess.CompletedProcess(p.args, p.returncode, out, err))
    assert first.rc == 0
    next_offset = first.positions[topic, 0]
    assert 1000 <= next_offset <= 3000 and len(first.values) == next_offset
    second = read(kafka.bootstrap, [topic], '--from', f'{topic}/0={next_offset}')
    assert first.values + second.values == [b'%d' % i for i in range(3000)]


def test_resume_anywhere(kafka, topic):
    produce(kafka.bootstrap, topic, [b'%d' % i for i in range(20000)], partitions=3)
    seen, positions, runs = Counter(), [], 0
    while True:
        done = read(kafka.bootstrap, [topic], '--stop-after', 3000, *positions, '--lanes', 2)
        seen.update((part, offset) for part, messages in done.messages.items() for offset, _, _ in messages)
        runs += 1
        if not done.values:
            break
        positions = [x for (t, p), n in done.positions.items() for x in ('--from', f'{t}/{p}={n}')]
    assert runs > 3 and len(seen) == 20000 and set(seen.values()) == {1}


def test_positions_outside_the_log(kafka, topic):
    produce(kafka.bootstrap, topic, [(None, b'%d' % i, 0) for i in range(100)], partitions=1)
    admin = AdminClient({'bootstrap.servers': kafka.bootstrap})
    for f in admin.delete_records([TopicPartition(topic, 0, 40)]).values():
        f.result(30)
    done = read(kafka.bootstrap, [topic])
    assert done.values == [b'%d' % i for i in range(40, 100)]
    done = read(kafka.bootstrap, [topic], '--from', f'{topic}/0=10', check=False)
    assert done.rc == 1 and not done.messages
    assert f'topic {topic} partition 0: offset 10' in done.stderr and 'the log starts at 40' in done.stderr and '30 messages' in done.stderr
    done = read(kafka.bootstrap, [topic], '--from', f'{topic}/0=101', check=False)
    assert done.rc == 1 and 'beyond the end of the log (100)' in done.stderr and 'recreated' in done.stderr
    done = read(kafka.bootstrap, [topic], '--from', f'{topic}/0=100')
    assert not done.messages


def test_missing_topic_is_named_and_not_made(broker, topic):
    broker.auto_create_topics = True
    broker.start()
    done = read(broker.bootstrap, [topic], check=False)
    assert done.rc == 1 and f'topic {topic} of feed {topic} does not exist' in done.stderr and 'citylake simulate' in done.stderr
    assert topic not in AdminClient({'bootstrap.servers': broker.bootstrap}).list_topics(timeout=10).topics


def test_no_broker(topic):
    start = time.monotonic()
    done = read('127.0.0.1:1', [topic], check=False)
    assert done.rc == 1 and time.monotonic() - start < 20
    assert 'cannot reach Kafka at 127.0.0.1:1' in done.stderr and 'refused' in done.stderr and '--kafka' in done.stderr


def test_properties_that_lose_events_are_refused(topic):
    done = read('127.0.0.1:1', [topic], '--property', 'auto.offset.reset=latest', check=False)
    assert done.rc == 1 and 'auto.offset.reset must stay' in done.stderr
    done = read('127.0.0.1:1', [topic], '--property', 'no.such=1', check=False)
    assert done.rc == 1 and 'no.such' in done.stderr


@pytest.mark.parametrize('how', ['kill9', 'hang'])
def test_broker_gone_in_the_middle(broker, topic, how, tmp_path):
    """Nothing is lost, nothing comes twice, and the source says what happens meanwhile."""
    broker.start()
    n = 200_000
    produce(broker.bootstrap, topic, [b'%d-' % i + b'x' * 200 for i in range(n)], partitions=4)
    output = tmp_path / 'output'
    with open(output, 'wb') as file:
        p = subprocess.Popen(source_args(broker.bootstrap, [topic], '--work', 10000, '--lanes', 2), stdout=file, stderr=subprocess.PIPE)
        while output.stat().st_size < 1_000_000:
            time.sleep(0.01)
        if how == 'kill9':
            broker.kill9()
            time.sleep(1)
            broker.start()
        else:
            broker.pause()
            time.sleep(3)
            broker.resume()
        assert p.poll() is None, 'it was too quick to be disturbed'
        err = p.communicate(timeout=120)[1]
    done = Read(subprocess.CompletedProcess(p.args, p.returncode, output.read_bytes(), err))
    assert done.rc == 0, done.stderr
    for part, messages in done.messages.items():
        assert [o for o, _, _ in messages] == list(range(done.positions[part])), part
    assert sum(done.positions.values()) == n == len(done.values)


def test_broker_that_stays_away_is_reported(broker, topic):
    broker.start()
    produce(broker.bootstrap, topic, [b'1'], partitions=1)
    args = [a for a in source_args(broker.bootstrap, [topic]) if a != '--until-end']
    p = subprocess.Popen(args, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    time.sleep(1)
    broker.kill9()
    time.sleep(4)
    p.send_signal(signal.SIGKILL)
    err = p.communicate(timeout=10)[1].decode()
    reports = re.findall(r'^retriable: .*$', err, re.M)
    assert 1 <= len(reports) <= 2 and f'lost Kafka at {broker.bootstrap}' in reports[0], err


def murmur2_partition(key, n):
    """Java's DefaultPartitioner."""
    m, mask = 0x5bd1e995, 0xffffffff
    h = (0x9747b28c ^ len(key)) & mask
    for i in range(0, len(key) // 4 * 4, 4):
        k = int.from_bytes(key[i:i + 4], 'little') * m & mask
        k = (k ^ k >> 24) * m & mask
        h = (h * m & mask) ^ k
    tail = key[len(key) // 4 * 4:]
    if tail:
        h = (h ^ int.from_bytes(tail, 'little')) * m & mask
    h = (h ^ h >> 13) * m & mask
    return ((h ^ h >> 15) & 0x7fffffff) % n


def test_sink_makes_topics_and_keys_choose_partitions(kafka, topic):
    lines = [f'{topic}\tvehicle-{i % 300}\t{{"i": {i}}}' for i in range(5000)]
    p = send(kafka.bootstrap, [topic], lines, '--partitions', 5)
    assert b'sent=5000 delivered=5000 failed=0' in p.stderr
    messages = consume(kafka.bootstrap, topic)
    assert len(AdminClient({'bootstrap.servers': kafka.bootstrap}).list_topics(topic, 10).topics[topic].partitions) == 5
    assert Counter(m.value() for m in messages) == Counter(line.split('\t')[2].encode() for line in lines)
    assert all(m.partition() == murmur2_partition(m.key(), 5) for m in messages)
    assert len({m.partition() for m in messages}) == 5


def test_sink_counts_what_the_broker_refuses(kafka, topic):
    lines = [f'{topic}\tk\tsmall', f'{topic}\tk\t' + base64.b64encode(os.urandom(20_000_000)).decode()]
    p = send(kafka.bootstrap, [topic], lines, check=False)
    assert p.returncode == 1 and b'delivered=1 failed=1' in p.stderr
    assert b'1 of 2 events were not delivered' in p.stderr and b'too large' in p.stderr


def test_sink_without_broker():
    p = send('127.0.0.1:1', ['a'], [], check=False)
    assert p.returncode == 1 and b'cannot reach Kafka at 127.0.0.1:1' in p.stderr


def test_sink_says_when_the_broker_stays_away(broker, topic):
    broker.start()
    create_topic(broker.bootstrap, topic, 1)
    p = subprocess.Popen([DRIVERS / 'sink_driver', 'kafka', broker.bootstrap, '--topics', topic, '--property', 'message.timeout.ms=3000'],
                         stdin=subprocess.PIPE, stderr=subprocess.PIPE)
    p.stdin.write(f'{topic}\tk\t1\n'.encode() * 5000)
    p.stdin.flush()
    time.sleep(1)
    broker.kill9()
    p.stdin.write(f'{topic}\tk\t2\n'.encode() * 1000)
    err = p.communicate(timeout=60)[1].decode()
    assert p.returncode == 1 and re.search(r'failed=[1-9]', err), err
    assert f'Kafka at {broker.bootstrap} did not take' in err and 'message.timeout.ms' in err


def test_sink_broker_killed_in_the_middle(broker, topic):
    """Idempotence: what was sent is there once, in order for each key."""
    broker.start()
    create_topic(broker.bootstrap, topic, 4)
    n = 100_000
    p = subprocess.Popen([DRIVERS / 'sink_driver', 'kafka', broker.bootstrap, '--topics', topic], stdin=subprocess.PIPE,
                         stderr=subprocess.PIPE)
    for i in range(n):
        p.stdin.write(f'{topic}\tk{i % 50}\t{i}\n'.encode())
        if i == n // 2:
            p.stdin.flush()
            broker.kill9()
            broker.start()
    err = p.communicate(timeout=120)[1].decode()
    assert p.returncode == 0 and f'delivered={n} failed=0' in err, err
    last = {}
    messages = consume(broker.bootstrap, topic)
    assert len(messages) == n
    for m in messages:
        assert last.get(m.key(), -1) < int(m.value())
        last[m.key()] = int(m.value())
