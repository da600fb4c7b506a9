"""test_smoke.py - the shortest way through the whole program without Kafka: simulate, stream, read, audit."""

import json

from conftest import iceberg_rows

FEEDS = {'vehicle': 'vehicle_data', 'gps': 'gps_data', 'camera': 'traffic_data', 'weather': 'weather_data',
         'emergency': 'emergency_data'}
EVENTS = 2000


def simulate(citylake, folder):
    citylake.run('simulate', '--events', EVENTS, '--vehicles', 20, '--seed', 7, '--out', folder)
    return {feed: [json.loads(line) for line in (folder / f'{topic}.ndjson').read_text().splitlines()]
            for feed, topic in FEEDS.items() if (folder / f'{topic}.ndjson').exists()}


def test_help_names_the_commands(citylake):
    text = citylake.run('--help').stdout
    for command in ('up', 'simulate', 'stream', 'sql', 'audit', 'check'):
        assert command in text


def test_wrong_usage_is_status_2(citylake):
    done = citylake.run('no-such-command', check=False)
    assert done.rc == 2 and 'no-such-command' in done.stderr


def test_the_built_in_configuration_is_valid(citylake, tmp_path):
    citylake.run('check', cwd=tmp_path)


def test_simulated_events_are_in_the_lake_once(citylake, lake, tmp_path):
    events = simulate(citylake, tmp_path / 'events')
    assert sum(map(len, events.values())) == EVENTS and len(events['vehicle']) > 0
    citylake.run('stream', '--source', f'ndjson:{tmp_path}/events', '--lake', lake, '--until-end')
    for feed, sent in events.items():
        rows = iceberg_rows(lake, feed)
        assert sorted(r['id'] for r in rows) == sorted(e['id'] for e in sent)
        assert citylake.sql(lake, f'SELECT count(*) AS n FROM {feed}') == [{'n': len(sent)}]
    citylake.run('audit', '--lake', lake)


def test_a_second_run_adds_nothing(citylake, lake, tmp_path):
    events = simulate(citylake, tmp_path / 'events')
    for _ in range(2):
        citylake.run('stream', '--source', f'ndjson:{tmp_path}/events', '--lake', lake, '--until-end')
    assert len(iceberg_rows(lake, 'vehicle')) == len(events['vehicle'])
    citylake.run('audit', '--lake', lake)
