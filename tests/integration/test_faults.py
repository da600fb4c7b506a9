"""test_faults.py - processes and a real broker that are killed, stopped, woken and short of disk, in an order that a seed decides.

After each cycle the audit passes and the tables hold what the broker holds: every message is a row or a dead letter, once.
CITYLAKE_SEED replays an order, CITYLAKE_FAULT_SECONDS says how long to go on; threads and processes are not replayed.
"""

import json
import os
import random
import signal
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from conftest import ROOT, create_topic, produce
from reference import FEEDS, events, topics

SECONDS = float(os.environ.get('CITYLAKE_FAULT_SECONDS', 75))
PARTITIONS = 3


class City:
    """The topics, what was sent to them, and the processes that read them into one lake."""

    def __init__(self, citylake, broker, lake, rnd):
        self.citylake, self.broker, self.lake, self.rnd = citylake, broker, lake, rnd
        self.names, self.env = topics('faults')
        self.members = []
        self.logs = lake.parent
        self.started = 0
        self.bad = {feed: 0 for feed in FEEDS}
        for topic in self.names.values():
            create_topic(broker.bootstrap, topic, PARTITIONS)

    def send(self, steps):
        """Some events of every feed, and some messages that can be no row."""
        by_feed = {feed: [] for feed in FEEDS}
        for feed, event in events(vehicles=20, steps=steps, seed=self.rnd.randrange(1 << 30)):
            by_feed[feed].append(json.dumps(event).encode())
        for feed, messages in by_feed.items():
            for _ in range(self.rnd.randrange(20)):
                messages.insert(self.rnd.randrange(len(messages) + 1), self.rnd.choice([b'{"id": 1, "broken', b'', b'\xff', b'[]']))
                self.bad[feed] += 1
            produce(self.broker.bootstrap, self.names[feed], [(None, m, self.rnd.randrange(PARTITIONS)) for m in messages])

    def arguments(self):
        return ['stream', '--source', 'kafka', '--kafka', self.broker.bootstrap, '--lake', self.lake, '--commit-every', '100ms']

    def start(self):
        self.started += 1
        with open(self.logs / f'member-{self.started}.log', 'w') as log:
            member = self.citylake.start(*self.arguments(), env=self.env, stdout=subprocess.DEVNULL, stderr=log)
        member.log = Path(log.name)
        self.members.append(member)
        return member

    def end_members(self, how):
        for member in self.members:
            member.send_signal(signal.SIGCONT)
            member.send_signal(how)
            status = member.wait(60)
            assert how == signal.SIGKILL or status == 0, f'a member ended with status {status}: {member.log.read_text()[-3000:]}'
        self.members = []

    def finish(self, timeout=120):
        """Reads what is left and compares."""
        self.citylake.run(*self.arguments(), '--until-end', env=self.env, timeout=timeout)
        self.check()

    def check(self):
        done = self.citylake.run('audit', '--source', 'kafka', '--kafka', self.broker.bootstrap, '--lake', self.lake, env=self.env)
        assert 'passed' in done.stdout
        held = held_by(self.broker.bootstrap, self.names)
        parts = [f"SELECT '{feed}' AS feed, count(*) AS n, count(DISTINCT (_partition, _offset)) AS d FROM {feed}" for feed in FEEDS]
        rows = self.citylake.sql(self.lake, ' UNION ALL '.join(parts))
        dead = self.citylake.sql(self.lake, 'SELECT feed, count(*) AS n, count(DISTINCT ("partition", "offset")) AS d '
                                            'FROM dead_letters GROUP BY feed')
        assert {r['feed']: (r['n'], r['d']) for r in dead} == {feed: (n, n) for feed, n in self.bad.items() if n > 0}
        good = {feed: held[topic] - self.bad[feed] for feed, topic in self.names.items()}
        assert {r['feed']: (r['n'], r['d']) for r in rows} == {feed: (n, n) for feed, n in good.items()}


def held_by(bootstrap, names):
    """topic -> messages in the broker's logs, which have no gaps: no transactions, no compaction."""
    from confluent_kafka import Consumer, TopicPartition
    consumer = Consumer({'bootstrap.servers': bootstrap, 'group.id': 'held'})
    try:
        held = {}
        for topic in names.values():
            marks = [consumer.get_watermark_offsets(TopicPartition(topic, p), 30) for p in range(PARTITIONS)]
            held[topic] = sum(high - low for low, high in marks)
        return held
    finally:
        consumer.close()


@contextmanager
def seeded():
    seed = int(os.environ.get('CITYLAKE_SEED', random.randrange(1 << 30)))
    print(f'CITYLAKE_SEED={seed}')
    yield random.Random(seed)


def nap(rnd):
    time.sleep(rnd.uniform(0.05, 0.8))


def kill_member(city):
    member = city.rnd.choice(city.members)
    member.kill()
    member.wait()
    city.members.remove(member)
    city.start()


def pause_member(city):
    """A ghost: it goes on when others may have committed what it holds."""
    member = city.rnd.choice(city.members)
    member.send_signal(signal.SIGSTOP)
    if city.rnd.random() < 0.5:
        city.start()
    city.send(10)
    nap(city.rnd)
    member.send_signal(signal.SIGCONT)


def pause_broker(city):
    city.broker.pause()
    time.sleep(city.rnd.uniform(0.5, 4))
    if city.rnd.random() < 0.5:
        kill_member(city)
    city.broker.resume()


def crash_broker(city):
    city.broker.kill9()
    nap(city.rnd)
    if city.rnd.random() < 0.3:
        pause_member_alone(city)
    city.broker.start()


def pause_member_alone(city):
    member = city.rnd.choice(city.members)
    member.send_signal(signal.SIGSTOP)
    nap(city.rnd)
    member.send_signal(signal.SIGCONT)


def join(city):
    city.start()


ACTIONS = [kill_member, pause_member, pause_broker, crash_broker, join]


@pytest.mark.timeout(600)
def test_members_and_broker_under_fire(citylake, broker, lake):
    with seeded() as rnd:
        broker.start()
        city = City(citylake, broker, lake, rnd)
        deadline = time.monotonic() + SECONDS
        cycle, deck = 0, []
        try:
            while cycle == 0 or time.monotonic() < deadline:
                cycle += 1
                city.send(30)
                for _ in range(rnd.randint(1, 2)):
                    city.start()
                for _ in range(rnd.randint(1, 3)):
                    nap(rnd)
                    deck = deck or rnd.sample(ACTIONS, len(ACTIONS))
                    action = deck.pop()
                    print(f'cycle {cycle}: {action.__name__}', flush=True)
                    action(city)
                    city.send(5)
                nap(rnd)
                city.end_members(rnd.choice([signal.SIGKILL, signal.SIGTERM]))
                city.finish()
        finally:
            for member in city.members:
                member.kill()
        print(f'{cycle} cycles')


@contextmanager
def small_disk(folder, size):
    folder.mkdir()
    if subprocess.run(['mount', '-t', 'tmpfs', '-o', f'size={size}', 'citylake-test', folder], capture_output=True).returncode != 0:
        pytest.skip('mounting a small disk needs root')
    try:
        yield folder
    finally:
        subprocess.run(['umount', '-l', folder], check=True)


@pytest.mark.timeout(300)
def test_a_full_disk_that_is_enlarged(citylake, kafka, tmp_path):
    """The run ends with the path and the remedy; what was committed stands; with more space the rest follows."""
    with seeded() as rnd, small_disk(tmp_path / 'disk', '2m') as disk:
        names, env = topics('disk')
        subprocess.run([ROOT / 'build' / 'bench' / 'gen', '--seed', str(rnd.randrange(1000)), '--events', '200000', '--kafka',
                        kafka.bootstrap, '--topic-suffix', '_disk'], check=True, stdout=subprocess.DEVNULL)
        arguments = ['--source', 'kafka', '--kafka', kafka.bootstrap, '--lake', disk / 'lake']
        full = 0
        for size in (2, 3, 5, 8):
            subprocess.run(['mount', '-o', f'remount,size={size}m', disk], check=True)
            done = citylake.run('stream', *arguments, '--until-end', '--commit-every', '100ms', env=env, check=False, timeout=120)
            if done.rc != 0:
                full += 1
                assert 'free space' in done.stderr and str(disk) in done.stderr, done.stderr
            if list((disk / 'lake').glob('city/*/metadata/v*.metadata.json')):
                assert 'passed' in citylake.run('audit', *arguments, env=env).stdout
            assert not list((disk / 'lake').rglob('.tmp-*')), 'a failed run left temporary files on a full disk'
        assert full > 0
        subprocess.run(['mount', '-o', 'remount,size=256m', disk], check=True)
        citylake.run('stream', *arguments, '--until-end', env=env, timeout=120)
        assert 'passed' in citylake.run('audit', *arguments, env=env).stdout
        for feed in FEEDS:
            assert citylake.sql(disk / 'lake', f'SELECT count(*) AS n FROM {feed}') == [{'n': 40_000}]
