"""test_metrics.py - what a run tells Prometheus, parsed by Prometheus' own client, against what is in the lake."""

import json
import re
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request

from prometheus_client.parser import text_string_to_metric_families

from conftest import ROOT, create_topic, produce
from reference import events, topics


def start(citylake, *args, env=None):
    """A run with metrics on a free port; returns the process and the address."""
    run = citylake.start(*args, '--metrics', '0', env=env, stderr=subprocess.PIPE, text=True)
    line = run.stderr.readline()
    return run, re.search(r'event=metrics url=(http://127\.0\.0\.1:\d+)', line).group(1)


def get(url):
    """Status and body, whatever the status."""
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return answer.status, answer.read().decode(), answer.headers
    except urllib.error.HTTPError as e:
        return e.code, e.read().decode(), e.headers


def scrape(url):
    """{(name, labels): value} and the families."""
    status, text, headers = get(url + '/metrics')
    assert status == 200 and headers['Content-Type'] == 'text/plain; version=0.0.4; charset=utf-8'
    families = list(text_string_to_metric_families(text))
    assert all(f.documentation and f.type != 'unknown' for f in families)
    samples = [(s.name, frozenset(s.labels.items()), s.value) for f in families for s in f.samples]
    assert len({s[:2] for s in samples}) == len(samples), 'a sample stands twice'
    return {s[:2]: s[2] for s in samples}, families


def total(samples, name, **labels):
    wanted = set(labels.items())
    return sum(v for (n, have), v in samples.items() if n == name and wanted <= have)


def wait_for(what, timeout_s=60):
    deadline = time.monotonic() + timeout_s
    while not what():
        assert time.monotonic() < deadline, 'it did not come'
        time.sleep(0.05)  # a scrape each time: 20 a second


def test_the_numbers_are_those_of_the_lake(citylake, kafka, lake):
    names, env = topics('metrics')
    for topic in names.values():
        create_topic(kafka.bootstrap, topic, 4)
    by_topic = {t: [] for t in names.values()}
    for feed, event in events(vehicles=20, steps=50):
        by_topic[names[feed]].append((event['id'], json.dumps(event).encode()))
    bad = [(None, b'{"id": 7, "broken')] * 30 + [(None, b'')] * 20
    for topic, messages in by_topic.items():
        produce(kafka.bootstrap, topic, messages + bad)
    sent = sum(len(m) + len(bad) for m in by_topic.values())
    run, url = start(citylake, 'stream', '--kafka', kafka.bootstrap, '--lake', lake, '--commit-every', '500ms', env=env)
    try:
        wait_for(lambda: get(url + '/readyz')[0] == 200)
        wait_for(lambda: total(scrape(url)[0], 'citylake_consumed_messages_total') == sent)
        assert get(url + '/healthz')[:2] == (200, 'ok\n')
        time.sleep(1)  # the end offsets of partitions that were read to their end
        samples, families = scrape(url)
    finally:
        run.send_signal(signal.SIGTERM)
        _, log = run.communicate(timeout=60)
    assert run.returncode == 0, log
    for feed in names:
        [row] = citylake.sql(lake, f'SELECT count(*) AS n FROM {feed}')
        assert total(samples, 'citylake_stored_rows_total', feed=feed) == row['n']
        files = json.loads(citylake.run('files', feed, '--lake', lake, '--format', 'json').stdout)
        assert total(samples, 'citylake_written_files_total', table=feed) == len(files)
    rejects = citylake.sql(lake, 'SELECT feed, reason, count(*) AS n FROM dead_letters GROUP BY ALL')
    assert {(r['feed'], r['reason']): r['n'] for r in rejects} == {
        (dict(labels)['feed'], dict(labels)['reason']): v for (name, labels), v in samples.items()
        if name == 'citylake_rejected_messages_total' and v > 0}
    assert total(samples, 'citylake_lag_messages') == 0
    assert total(samples, 'citylake_committed_offset') == total(samples, 'citylake_end_offset') == sent
    assert total(samples, 'citylake_read_messages_total') == sent
    assert samples['citylake_commit_duration_seconds_count', frozenset()] == total(samples, 'citylake_commits_total') > 0
    assert 10e6 < total(samples, 'process_resident_memory_bytes') < 2e9
    assert 'passed' in citylake.run('audit', '--source', 'kafka', '--kafka', kafka.bootstrap, '--lake', lake, env=env).stdout
    documented = set(re.findall(r'`((?:citylake|process)_[a-z_]+)`', (ROOT / 'docs' / 'metrics.md').read_text()))
    served = {f.name + ('_total' if f.type == 'counter' else '') for f in families}
    assert served - documented == set() and documented - served <= {'citylake_watermark_delay_seconds'}


def test_a_port_in_use_is_an_error_before_anything_is_done(citylake, tmp_path):
    with socket.create_server(('127.0.0.1', 0)) as taken:
        port = taken.getsockname()[1]
        done = citylake.run('up', '--events', 10, '--lake', tmp_path / 'lake', '--metrics', port, check=False)
    assert done.rc == 2
    assert f'--metrics: cannot listen on 127.0.0.1 port {port}' in done.stderr and 'another port' in done.stderr
    assert not (tmp_path / 'lake').exists()


def test_an_open_address_must_be_named_and_is_warned_of(citylake, tmp_path):
    done = citylake.run('up', '--rate', 1e9, '--events', 10, '--lake', tmp_path / 'lake', '--metrics', '0.0.0.0:0')
    assert 'event=metrics_open' in done.stderr
    done = citylake.run('up', '--rate', 1e9, '--events', 10, '--lake', tmp_path / 'lake', '--metrics', '0')
    assert 'event=metrics_open' not in done.stderr
