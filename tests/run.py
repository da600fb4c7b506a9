#!/usr/bin/env python3
"""run.py - every stage of `./dev test`, and one count at the end.

Stages: the units in the normal build, under ASan and UBSan, under TSan; each fuzzer for a short time from its corpus; the
fault harness; the integration tests.  --quick: the units in the normal build and the smoke tests.  A stage's output is shown when something in
it failed; what it counted comes from Meson's testlog.json and pytest's JUnit file.  The last line is `N passed, N failed`
(and `, N skipped` if any); the exit status is 0 only when something passed and nothing failed.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ET
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FUZZ_SECONDS = 20
FAULT_CYCLES = 1000
FAULT_CYCLES_ASAN = 100
CORES = os.cpu_count() or 1

# Libraries that are not built with TSan are trusted: their own locking cannot be seen.
SANITIZER_ENVIRONMENT = {
    'ASAN_OPTIONS': 'detect_stack_use_after_return=1:strict_string_checks=1',
    'UBSAN_OPTIONS': 'halt_on_error=1:print_stacktrace=1',
    'TSAN_OPTIONS': f'halt_on_error=1:ignore_noninstrumented_modules=1:suppressions={ROOT}/tests/tsan.supp',
    'LSAN_OPTIONS': f'suppressions={ROOT}/tests/lsan.supp:print_suppressions=0',
}


@dataclass
class Count:
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    output: str = ''

    def add(self, other):
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped

    def __str__(self):
        return f'{self.passed} passed, {self.failed} failed' + (f', {self.skipped} skipped' if self.skipped else '')


def run(*command, env=None, timeout=None):
    """Runs a command in the tree; returns its status and all it printed."""
    try:
        p = subprocess.run([str(c) for c in command], cwd=ROOT, text=True, errors='replace', stdin=subprocess.DEVNULL,
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=os.environ | (env or {}), timeout=timeout)
        return p.returncode, p.stdout
    except subprocess.TimeoutExpired as e:
        return -1, (e.stdout or b'').decode(errors='replace') + f'\nstopped after {timeout} s'


def build(folder, *options, wrapper=(), env=None):
    """A build of everything in `folder`; without options it is set up already.  Returns what went wrong, or None."""
    commands = [['ninja', '-C', folder, '--quiet']]
    if options:
        again = ['--reconfigure'] if (ROOT / folder / 'build.ninja').exists() else []
        commands.insert(0, ['meson', 'setup', folder, *again, *options])
    for command in commands:
        status, output = run(*wrapper, *command, env=env)
        if status != 0:
            return f'{" ".join(command)}: status {status}\n{output}'
    return None


def units(folder, *options, wrapper=(), timeout_multiplier=1):
    """Builds `folder` and runs Meson's tests in it."""
    problem = build(folder, *options, wrapper=wrapper)
    if problem:
        return Count(failed=1, output=problem)
    log = ROOT / folder / 'meson-logs' / 'testlog.json'
    log.unlink(missing_ok=True)
    status, output = run(*wrapper, 'meson', 'test', '-C', folder, '--no-rebuild', '--print-errorlogs', '-t', timeout_multiplier,
                         env=SANITIZER_ENVIRONMENT)
    count = Count(output=output)
    for line in log.read_text().splitlines() if log.exists() else []:
        result = json.loads(line)['result']
        if result in ('OK', 'EXPECTEDFAIL'):
            count.passed += 1
        elif result == 'SKIP':
            count.skipped += 1
        else:
            count.failed += 1
    if status != 0 and count.failed == 0:
        count.failed = 1
    return count


def thread_sanitizer():
    # TSan of gcc 12 cannot place its shadow memory when the kernel randomises addresses widely: without randomising, it can.
    no_random = ('setarch', '-R') if run('setarch', '-R', 'true')[0] == 0 else ()
    return units('build-tsan', '-Db_sanitize=thread', '-Db_lundef=false', wrapper=no_random, timeout_multiplier=5)


def fuzz_one(target):
    """One libFuzzer target for a short time.  New inputs go to the build folder, which a later run starts from."""
    name = target.name.removeprefix('fuzz_')
    found = ROOT / 'build-fuzz' / 'corpus' / name
    found.mkdir(parents=True, exist_ok=True)
    seeds = ROOT / 'tests' / 'fuzz' / 'corpus' / name
    status, output = run(target, f'-max_total_time={FUZZ_SECONDS}', '-timeout=10', '-rss_limit_mb=2048', '-print_final_stats=1',
                         f'-artifact_prefix={found.parent}/{name}-', found, *([seeds] if seeds.is_dir() else []),
                         env=SANITIZER_ENVIRONMENT, timeout=FUZZ_SECONDS + 120)
    return Count(passed=status == 0, failed=status != 0, output='' if status == 0 else f'--- {name}\n{output[-8000:]}')


def fuzzers():
    problem = build('build-fuzz', '-Dfuzz=true', '-Db_sanitize=address,undefined', '-Db_lundef=false', env={'CC': 'clang'})
    if problem:
        return Count(failed=1, output=problem)
    targets = sorted(p for p in (ROOT / 'build-fuzz' / 'tests').glob('fuzz_*') if p.is_file() and os.access(p, os.X_OK))
    count = Count()
    with ThreadPoolExecutor(CORES) as pool:
        for one in pool.map(fuzz_one, targets):
            count.add(one)
            count.output += one.output
    return count


def faults():
    """The fault harness; each failure is printed with the seed that replays it."""
    count = Count()
    for folder, cycles in (('build', FAULT_CYCLES), ('build-asan', FAULT_CYCLES_ASAN)):
        status, output = run(ROOT / folder / 'tests' / 'fault' / 'fault', '--cycles', cycles, env=SANITIZER_ENVIRONMENT, timeout=900)
        found = re.search(r'^(\d+) passed, (\d+) failed$', output, re.MULTILINE)
        one = Count(*map(int, found.groups())) if found else Count()
        if status != 0 and one.failed == 0:
            one.failed = 1
        count.add(one)
        count.output += f'--- {folder}\n{output}' if status != 0 else ''
    return count


def integration(*files):
    with tempfile.TemporaryDirectory() as scratch:
        report = Path(scratch) / 'report.xml'
        status, output = run(sys.executable, '-m', 'pytest', *files, f'--junitxml={report}')
        count = Count(output=output)
        if report.exists():
            suite = ET.parse(report).getroot().find('testsuite')
            number = {k: int(suite.get(k)) for k in ('tests', 'failures', 'errors', 'skipped')}
            count.failed = number['failures'] + number['errors']
            count.skipped = number['skipped']
            count.passed = number['tests'] - count.failed - count.skipped
    if status != 0 and count.failed == 0:
        count.failed = 1
    return count


def stages(quick):
    yield 'units', lambda: units('build')
    if quick:
        yield 'smoke', lambda: integration('tests/integration/test_smoke.py', 'tests/integration/test_tidy.py')
        return
    yield 'units, ASan and UBSan', lambda: units('build-asan', '-Db_sanitize=address,undefined', '-Db_lundef=false',
                                                 timeout_multiplier=3)
    yield 'units, TSan', thread_sanitizer
    yield 'fuzzers', fuzzers
    yield 'faults', faults
    yield 'integration', lambda: integration('tests/integration')


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('--quick', action='store_true')
    args = parser.parse_args()
    total = Count()
    for name, stage in stages(args.quick):
        print(f'{name} ...', flush=True)
        start = time.monotonic()
        count = stage()
        if count.failed:
            print(count.output.rstrip())
        print(f'{name}: {count}  ({time.monotonic() - start:.0f} s)', flush=True)
        total.add(count)
    print(total)
    return 0 if total.failed == 0 and total.passed > 0 else 1


if __name__ == '__main__':
    sys.exit(main())
