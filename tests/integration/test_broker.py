"""test_broker.py - the tests' own broker does what the other tests rely on."""

import pytest
from confluent_kafka import KafkaException, Producer
from confluent_kafka.admin import AdminClient
from conftest import consume, create_topic, produce


def test_messages_of_ten_megabytes_come_back(kafka):
    value = bytes(range(256)) * 40_960 + b'end'
    produce(kafka.bootstrap, 'broker_big', [(b'k', value, 0), (b'k', None, 0)], partitions=1)
    messages = consume(kafka.bootstrap, 'broker_big')
    assert [m.value() for m in messages] == [value, None]
    assert len(value) > 10_000_000


def test_topics_are_not_made_by_asking_for_them(kafka):
    admin = AdminClient({'bootstrap.servers': kafka.bootstrap, 'allow.auto.create.topics': True})
    admin.list_topics('broker_never_made', 10)
    assert 'broker_never_made' not in admin.list_topics(timeout=10).topics


def test_a_killed_broker_keeps_what_it_acknowledged(broker):
    broker.start()
    create_topic(broker.bootstrap, 'kept', 2)
    produce(broker.bootstrap, 'kept', [(b'k', b'%d' % i, i % 2) for i in range(1000)])
    port = broker.port
    broker.kill9()
    broker.start()
    assert broker.port == port
    assert sorted(int(m.value()) for m in consume(broker.bootstrap, 'kept')) == list(range(1000))


def test_a_paused_broker_answers_after_it_is_resumed(broker):
    broker.start()
    create_topic(broker.bootstrap, 'paused', 1)
    broker.pause()
    with pytest.raises(KafkaException):
        Producer({'bootstrap.servers': broker.bootstrap}).list_topics(timeout=1)
    broker.resume()
    produce(broker.bootstrap, 'paused', [b'after'])
    assert [m.value() for m in consume(broker.bootstrap, 'paused')] == [b'after']


def test_a_broker_that_cannot_start_says_why(broker):
    from kafka import BrokerError
    broker.folder.mkdir()
    (broker.folder / 'data').write_text('a file where the folder should be')
    with pytest.raises(BrokerError, match='data'):
        broker.start()
