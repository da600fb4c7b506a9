#!/usr/bin/env python3
"""bench.py - what citylake costs, beside DuckDB doing the same work and librdkafka doing nothing, on this machine in one run.

Rows:
  ndjson -> lake    citylake stream --source ndjson:DIR
  kafka -> lake     citylake stream --source kafka           (the client; the broker's time is not in it)
  duckdb, rules     bench/duckdb_job.py, the same NDJSON into Parquet by the same rules: the same work, as far as SQL goes
  duckdb, plain     the same without any check: the fastest way through DuckDB that we know
  librdkafka        bench/drain.c, the same topics read and thrown away
The input (bench/gen.c) is made anew in the system's temporary folder, so it is in the page cache.  Every figure is that of
one child process: wall clock, CPU time of all its threads (user + system) and peak memory from wait4.  With --repeat the
rows take turns, and each row's median by CPU time is shown.
"""

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / 'tests' / 'integration'))

from kafka import Broker  # noqa: E402

TOPICS = ['vehicle_data', 'gps_data', 'traffic_data', 'weather_data', 'emergency_data']
FEEDS = ['vehicle', 'gps', 'camera', 'weather', 'emergency']
RULES, PLAIN = 'duckdb, rules', 'duckdb, plain'
CITYLAKE = Path(os.environ.get('CITYLAKE', ROOT / 'build' / 'citylake'))


class BenchError(Exception):
    pass


def measure(command, log):
    """Runs a command to its end; returns what it printed and what it cost."""
    with open(log, 'w+') as errors:
        start = time.monotonic()
        child = subprocess.Popen([str(c) for c in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                 stderr=errors, text=True, cwd=ROOT)
        output = child.stdout.read()
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.monotonic() - start
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode != 0:
            errors.seek(0)
            raise BenchError(f'{command[0]}: exit status {child.returncode}\n{output}{errors.read()[-4000:]}')
    return output, {'wall_s': wall, 'cpu_s': usage.ru_utime + usage.ru_stime, 'peak_mb': usage.ru_maxrss / 1024}


def parquet_bytes(folder):
    return sum(p.stat().st_size for p in Path(folder).rglob('*.parquet'))


def rows_in_lake(lake):
    """Rows of all feeds by the tables' own metadata."""
    rows = 0
    for feed in FEEDS:
        folder = lake / 'city' / feed / 'metadata'
        version = (folder / 'version-hint.text').read_text().strip()
        metadata = json.loads((folder / f'v{version}.metadata.json').read_text())
        current = next(s for s in metadata['snapshots'] if s['snapshot-id'] == metadata['current-snapshot-id'])
        rows += int(current['summary']['total-records'])
    return rows


class Bench:
    def __init__(self, work, events):
        self.work = work
        self.events = events
        self.input = work / 'input'
        self.broker = Broker(work / 'kafka', heap_mb=512)

    def generate(self):
        gen = ROOT / 'build' / 'bench' / 'gen'
        output, _ = measure([gen, '--events', self.events, '--out', self.input], self.work / 'gen.log')
        self.events, self.bytes = json.loads(output)['events'], json.loads(output)['bytes']

    def fill_kafka(self):
        gen = ROOT / 'build' / 'bench' / 'gen'
        self.broker.start()
        measure([gen, '--events', self.events, '--kafka', self.broker.bootstrap, '--partitions', 4], self.work / 'gen.log')

    def stream(self, *source):
        lake = self.work / 'lake'
        shutil.rmtree(lake, ignore_errors=True)
        _, cost = measure([CITYLAKE, 'stream', *source, '--lake', lake, '--until-end', '--quiet'], self.work / 'stream.log')
        self.expect(rows_in_lake(lake))
        return cost | {'output_mb': parquet_bytes(lake) / 1e6}

    def ndjson(self):
        return self.stream('--source', f'ndjson:{self.input}')

    def kafka(self):
        return self.stream('--source', 'kafka', '--kafka', self.broker.bootstrap)

    def duckdb(self, way):
        out = self.work / 'duckdb'
        shutil.rmtree(out, ignore_errors=True)
        output, cost = measure([sys.executable, ROOT / 'bench' / 'duckdb_job.py', way, self.input, out], self.work / 'duckdb.log')
        self.expect(json.loads(output)['rows'])
        return cost | {'output_mb': parquet_bytes(out) / 1e6}

    def librdkafka(self):
        drain = ROOT / 'build' / 'bench' / 'drain'
        output, cost = measure([drain, self.broker.bootstrap, *TOPICS], self.work / 'drain.log')
        self.expect(json.loads(output)['messages'])
        return cost | {'output_mb': 0.0}

    def expect(self, rows):
        if rows != self.events:
            raise BenchError(f'{rows} rows of {self.events} events')

    def rates(self, cost):
        return cost | {'events': self.events, 'events_per_s': self.events / cost['wall_s'],
                       'events_per_cpu_s': self.events / cost['cpu_s'], 'mb_per_s': self.bytes / 1e6 / cost['wall_s']}


def print_table(rows):
    """The rows, aligned; ratios are events per CPU-second against DuckDB's, doing the same work and without any check."""
    head = ['', 'events', 'wall s', 'CPU s', 'events/s', 'events/CPU-s', 'MB/s', 'peak MB', 'output MB', 'x rules', 'x plain']
    lines = [head]
    for row in rows:
        lines.append([row['name'], f'{row["events"]:,}', f'{row["wall_s"]:.2f}', f'{row["cpu_s"]:.2f}',
                      f'{row["events_per_s"]:,.0f}', f'{row["events_per_cpu_s"]:,.0f}', f'{row["mb_per_s"]:,.0f}',
                      f'{row["peak_mb"]:,.0f}', f'{row["output_mb"]:,.1f}',
                      f'{row["x " + RULES]:.2f}', f'{row["x " + PLAIN]:.2f}'])
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    for line in lines:
        print(line[0].ljust(widths[0]), *(cell.rjust(w) for cell, w in zip(line[1:], widths[1:])), sep='  ')


def machine():
    model = next((line.split(':', 1)[1].strip() for line in Path('/proc/cpuinfo').read_text().splitlines()
                  if line.startswith('model name')), platform.machine())
    return {'cpu': model, 'cores': os.cpu_count(), 'system': platform.platform(), 'python': platform.python_version()}


def measure_rows(bench, names, repeat):
    costs = {name: [] for name in names}
    for turn in range(repeat):
        for name, function in names.items():
            print(f'  {name}, {turn + 1} of {repeat} ...', file=sys.stderr, flush=True)
            costs[name].append(bench.rates(function()))
    rows = []
    for name, runs in costs.items():
        runs.sort(key=lambda r: r['cpu_s'])
        rows.append({'name': name, **runs[(len(runs) - 1) // 2], 'runs': runs})
    for base in RULES, PLAIN:
        rate = next(r['events_per_cpu_s'] for r in rows if r['name'] == base)
        for row in rows:
            row['x ' + base] = row['events_per_cpu_s'] / rate
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('--events', type=int, default=2_000_000)
    parser.add_argument('--repeat', type=int, default=1, metavar='R')
    parser.add_argument('--no-kafka', action='store_true', help='leave out the rows that need a broker')
    parser.add_argument('--work', metavar='DIR', help='where input and lakes go; the system\'s temporary folder by default')
    args = parser.parse_args()

    with tempfile.TemporaryDirectory(prefix='citylake-bench-', dir=args.work) as work:
        bench = Bench(Path(work), args.events)
        names = {'ndjson -> lake': bench.ndjson, RULES: lambda: bench.duckdb('rules'), PLAIN: lambda: bench.duckdb('plain')}
        try:
            print(f'making {args.events:,} events ...', file=sys.stderr)
            bench.generate()
            if not args.no_kafka:
                bench.fill_kafka()
                names |= {'kafka -> lake': bench.kafka, 'librdkafka': bench.librdkafka}
            rows = measure_rows(bench, names, args.repeat)
        finally:
            bench.broker.stop()

    results = ROOT / 'bench' / 'results'
    results.mkdir(exist_ok=True)
    file = results / time.strftime('%Y%m%d-%H%M%S.json')
    file.write_text(json.dumps({'machine': machine(), 'input_bytes': bench.bytes, 'rows': rows}, indent=2) + '\n')
    print_table(rows)
    print(f'{bench.bytes / 1e6:,.0f} MB of JSON; {file.relative_to(ROOT)}')
    return 0


if __name__ == '__main__':
    try:
        sys.exit(main())
    except BenchError as e:
        print(f'bench: {e}', file=sys.stderr)
        sys.exit(1)
