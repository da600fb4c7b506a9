#!/usr/bin/env python3
"""soak.py - `./dev soak`: faults until told to stop.

Turns of the fault harness (tests/fault, in the normal build and under ASan) and of tests/integration/test_faults.py, each with a
new seed that is printed first.  Ends with the first failure, after --minutes, or by Ctrl-C; the exit status says whether all went
well.
"""

import argparse
import os
import random
import subprocess
import sys
import time

from run import ROOT, SANITIZER_ENVIRONMENT

TURN_MINUTES = 5


def turn(minutes, seed):
    """One after the other; False: something failed."""
    harness = ['--minutes', str(minutes), '--seed', str(seed)]
    commands = [
        [ROOT / 'build' / 'tests' / 'fault' / 'fault', *harness],
        [ROOT / 'build-asan' / 'tests' / 'fault' / 'fault', *harness],
        [sys.executable, '-m', 'pytest', '-q', '-s', 'tests/integration/test_faults.py'],
    ]
    own = {'CITYLAKE_SEED': str(seed), 'CITYLAKE_FAULT_SECONDS': str(minutes * 60)}
    for command in commands:
        print('+', *command, flush=True)
        if subprocess.run(command, cwd=ROOT, env=os.environ | SANITIZER_ENVIRONMENT | own).returncode != 0:
            return False
    return True


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('--minutes', type=float, help='stop after so long (default: never)')
    parser.add_argument('--seed', type=int, default=random.randrange(1 << 30), help='of the first turn')
    args = parser.parse_args()
    start, turns = time.monotonic(), 0
    try:
        while args.minutes is None or time.monotonic() - start < args.minutes * 60:
            left = TURN_MINUTES if args.minutes is None else args.minutes - (time.monotonic() - start) / 60
            if not turn(max(0.1, min(TURN_MINUTES, left / 3)), args.seed + turns):
                print(f'FAILED in turn {turns + 1}, seed {args.seed + turns}')
                return 1
            turns += 1
    except KeyboardInterrupt:
        pass
    print(f'{turns} turns, nothing failed, {(time.monotonic() - start) / 60:.0f} minutes')
    return 0


if __name__ == '__main__':
    sys.exit(main())
