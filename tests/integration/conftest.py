"""conftest.py - what the integration tests share: the program, a broker, a lake, and readers that are not ours."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(Path(__file__).parent))

from kafka import Broker  # noqa: E402  (the folder is not a package)

NAMESPACE = 'city'


@dataclass
class Done:
    """What a run of the program left."""
    rc: int
    stdout: str
    stderr: str


class Citylake:
    """The program under test; CITYLAKE names another build of it."""

    def __init__(self):
        self.path = Path(os.environ.get('CITYLAKE', ROOT / 'build' / 'citylake'))

    def environment(self, extra=None):
        """The caller's, without what would change the program's defaults."""
        env = {k: v for k, v in os.environ.items() if k != 'KAFKA_BOOTSTRAP_SERVERS' and not k.endswith('_TOPIC')}
        return env | (extra or {})

    def run(self, *args, input=None, env=None, check=True, timeout=120, cwd=None):
        """Runs it to its end.  check: another exit status than 0 fails the test, with what it printed."""
        p = subprocess.run([self.path, *map(str, args)], input=input, text=True, capture_output=True, timeout=timeout,
                           cwd=cwd, env=self.environment(env), errors='surrogateescape')
        done = Done(p.returncode, p.stdout, p.stderr)
        if check and done.rc != 0:
            pytest.fail(f'citylake {" ".join(map(str, args))}: exit status {done.rc}\n{done.stdout[-4000:]}{done.stderr[-4000:]}')
        return done

    def start(self, *args, env=None, cwd=None, **popen):
        """Starts it; the caller waits for it or kills it."""
        return subprocess.Popen([self.path, *map(str, args)], cwd=cwd, env=self.environment(env), **popen)

    def sql(self, lake, query, *args, **kwargs):
        """The rows of a query, as Python values."""
        return json.loads(self.run('sql', query, '--lake', lake, '--format', 'json', *args, **kwargs).stdout)


@pytest.fixture(scope='session')
def citylake():
    program = Citylake()
    if not program.path.exists():
        pytest.fail(f'{program.path} is not built: run the tests by ./dev test or ./dev pytest')
    return program


@pytest.fixture(scope='session')
def kafka(tmp_path_factory):
    """The session's broker: shared, so each test uses topics and groups with names of its own."""
    with Broker(tmp_path_factory.mktemp('kafka')) as broker:
        yield broker


@pytest.fixture
def broker(tmp_path):
    """A broker for this test alone, not started yet, for tests that hurt it."""
    own = Broker(tmp_path / 'kafka')
    yield own
    own.stop()


@pytest.fixture
def lake(tmp_path):
    """Where a test's lake will be; the folder does not exist yet."""
    return tmp_path / 'lake'


def metadata_file(lake, table, namespace=NAMESPACE):
    """The current metadata file of a table in a `local` catalog."""
    folder = Path(lake) / namespace / table / 'metadata'
    version = (folder / 'version-hint.text').read_text().strip()
    return folder / f'v{version}.metadata.json'


def iceberg_table(lake, table, namespace=NAMESPACE):
    """The table as PyIceberg sees it."""
    from pyiceberg.table import StaticTable
    return StaticTable.from_metadata(str(metadata_file(lake, table, namespace)))


def iceberg_rows(lake, table, namespace=NAMESPACE, **scan):
    """A table's rows as a list of dicts, read by PyIceberg.  scan: PyIceberg's own, row_filter, snapshot_id ..."""
    return iceberg_table(lake, table, namespace).scan(**scan).to_arrow().to_pylist()


def produce(bootstrap, topic, messages, partitions=None, **conf):
    """Sends `messages`: values, (key, value) or (key, value, partition).  partitions: makes the topic first, with that many."""
    from confluent_kafka import Producer
    if partitions is not None:
        create_topic(bootstrap, topic, partitions)
    producer = Producer({'bootstrap.servers': bootstrap, 'enable.idempotence': True, 'linger.ms': 5,
                         'message.max.bytes': 12_000_000, **conf})
    failed = []
    for message in messages:
        key, value, *partition = message if isinstance(message, tuple) else (None, message)
        while True:
            try:
                producer.produce(topic, value, key, *partition, on_delivery=lambda e, _: failed.append(e) if e else None)
                break
            except BufferError:
                producer.poll(0.1)
        producer.poll(0)
    left = producer.flush(60)
    assert not failed and left == 0, f'{topic}: {left} messages not sent, failed: {failed[:3]}'


def create_topic(bootstrap, topic, partitions=4, **config):
    from confluent_kafka.admin import AdminClient, NewTopic
    admin = AdminClient({'bootstrap.servers': bootstrap})
    admin.create_topics([NewTopic(topic, partitions, 1, config=config)])[topic].result(30)


def consume(bootstrap, topic, **conf):
    """All messages of a topic that are there now, in order by partition and offset."""
    from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition
    consumer = Consumer({'bootstrap.servers': bootstrap, 'group.id': f'read-{topic}', 'enable.auto.commit': False,
                         'enable.partition.eof': False, 'fetch.message.max.bytes': 12_000_000, **conf})
    try:
        messages = []
        for partition in consumer.list_topics(topic, 30).topics[topic].partitions:
            at = TopicPartition(topic, partition, OFFSET_BEGINNING)
            low, high = consumer.get_watermark_offsets(at, 30)
            consumer.assign([at])
            next_offset = low
            while next_offset < high:
                message = consumer.poll(30)
                assert message is not None and not message.error(), f'{topic}/{partition}@{next_offset}: {message and message.error()}'
                messages.append(message)
                next_offset = message.offset() + 1
        return messages
    finally:
        consumer.close()
