"""test_readme.py - the README's console blocks are run, and must print what the README says.

A line that begins with `$ ` is a command, what follows is its output; a line `...` stands for any lines.
"""

import os
import re
import subprocess

import pytest

from conftest import ROOT


def blocks():
    text = (ROOT / 'README.md').read_text()
    return re.findall(r'^```console\n(.*?)^```$', text, re.M | re.S)


def steps(block):
    """(command, expected output) of each step."""
    for step in re.split(r'^\$ ', block, flags=re.M)[1:]:
        command, _, output = step.partition('\n')
        while command.endswith('\\'):
            more, _, output = output.partition('\n')
            command = f'{command}\n{more}'
        yield command, output


def matches(expected, actual):
    pattern = ''.join('(?:.*\n)*?' if line == '...\n' else re.escape(line) for line in expected.splitlines(keepends=True))
    return re.fullmatch(pattern, actual)


@pytest.mark.parametrize('number', range(len(blocks())))
@pytest.mark.timeout(300)
def test_console_block(citylake, tmp_path, number):
    env = citylake.environment() | {'PATH': f'{citylake.path.parent}:{os.environ["PATH"]}'}
    for command, expected in steps(blocks()[number]):
        done = subprocess.run(['bash', '-c', command], cwd=tmp_path, env=env, text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=200)
        assert done.returncode == 0, f'$ {command}\n{done.stdout}'
        assert matches(expected, done.stdout), f'$ {command}\nthe README says\n{expected}\nbut it printed\n{done.stdout}'


def test_blocks_are_found():
    assert sum(len(list(steps(block))) for block in blocks()) >= 4
