"""test_tidy.py - the rules of the source tree, as tests: who may include whom, sizes, headers, leftovers."""

import os
import re
import subprocess
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from conftest import ROOT

SRC = ROOT / 'src'
MAX_LINES = 700
MAX_COLUMNS = 120

SOURCES = sorted([*SRC.rglob('*.c'), *SRC.rglob('*.h')])
HEADERS = [p for p in SOURCES if p.suffix == '.h']
TEXT_SUFFIXES = {'.c', '.h', '.py', '.sh', '.build', '.sql', '.yaml', '.js', '.css', '.html'}


def tracked_files():
    """Every text file of ours, whether git is there or not."""
    folders = ['src', 'tests', 'bench', 'tools', 'models', 'web']
    files = [p for f in folders for p in (ROOT / f).rglob('*') if p.is_file() and p.suffix in TEXT_SUFFIXES]
    return sorted(p for p in [*files, ROOT / 'dev', ROOT / 'meson.build'] if '__pycache__' not in p.parts)


def place(path, line=None):
    return str(path.relative_to(ROOT)) + (f':{line}' if line else '')


def lines(path):
    return path.read_text().splitlines()


def allowed_folders():
    """src/FOLDERS: folder -> the folders whose headers it may include, itself among them."""
    rules = {}
    for line in lines(SRC / 'FOLDERS'):
        if line.strip() and not line.startswith('#'):
            folder, _, others = line.partition(':')
            rules[folder.strip()] = {folder.strip(), *others.split()}
    return rules


def strip_comments(text):
    """C source without comments and string contents, with its line breaks kept."""
    def blank(match):
        text = match.group(0)
        return text if text.startswith('#include') else ('""' if text[0] == '"' else re.sub(r'[^\n]', ' ', text))
    return re.sub(r'#include[^\n]*|/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"', blank, text, flags=re.S)


def test_every_folder_has_a_rule():
    folders = {p.name for p in SRC.iterdir() if p.is_dir()}
    assert folders == set(allowed_folders()), 'src/FOLDERS and the folders of src differ'


def test_folders_include_only_what_they_may():
    rules, wrong = allowed_folders(), []
    for path in SOURCES:
        folder = path.relative_to(SRC).parts[0]
        for number, line in enumerate(strip_comments(path.read_text()).splitlines(), 1):
            match = re.match(r'\s*#\s*include\s+"([^"]+)"', line)
            if not match:
                continue
            other = match.group(1).split('/')[0]
            if '/' not in match.group(1):
                wrong.append(f'{place(path, number)}: "{match.group(1)}" without its folder')
            elif other not in rules[folder]:
                wrong.append(f'{place(path, number)}: {folder} may not include {match.group(1)}')
    assert not wrong, '\n'.join(wrong)


def test_the_rules_have_no_circle():
    rules, above = allowed_folders(), set()
    for folder, others in rules.items():
        assert others - {folder} <= above, f'{folder} may include a folder that is listed below it'
        above.add(folder)


def test_a_source_includes_its_own_header_first():
    wrong = []
    for path in SOURCES:
        own = path.with_suffix('.h')
        if path.suffix == '.c' and own.exists():
            first = re.search(r'^\s*#\s*include\s+(\S+)', strip_comments(path.read_text()), re.M)
            if not first or first.group(1) != f'"{own.relative_to(SRC)}"':
                wrong.append(f'{place(path)} does not include {own.relative_to(SRC)} first')
    assert not wrong, '\n'.join(wrong)


def test_no_file_is_too_long():
    wrong = [f'{place(p)}: {len(lines(p))} lines' for p in tracked_files() if len(lines(p)) > MAX_LINES]
    assert not wrong, f'over {MAX_LINES} lines:\n' + '\n'.join(wrong)


def test_no_line_is_too_wide():
    wrong = [place(p, n) for p in tracked_files() if p.suffix in {'.c', '.h'}
             for n, line in enumerate(lines(p), 1) if len(line) > MAX_COLUMNS]
    assert not wrong, f'over {MAX_COLUMNS} columns:\n' + '\n'.join(wrong)


def test_no_trailing_blanks_nor_tabs():
    wrong = [place(p, n) for p in tracked_files() for n, line in enumerate(lines(p), 1)
             if line != line.rstrip() or '\t' in line]
    assert not wrong, '\n'.join(wrong)


def test_nothing_is_left_for_later():
    word = re.compile(r'\b(' + '|'.join(('TO' + 'DO', 'FIX' + 'ME', 'XX' + 'X', 'HA' + 'CK')) + r')\b')
    wrong = [place(p, n) for p in tracked_files() for n, line in enumerate(lines(p), 1) if word.search(line)]
    assert not wrong, '\n'.join(wrong)


def test_every_file_says_what_it_is_for():
    # A source with a header of its own is introduced there.
    wrong = [place(p) for p in SOURCES if p.suffix == '.h' or not p.with_suffix('.h').exists()
             if not p.read_text().startswith(f'/* {p.name} - ')]
    assert not wrong, 'the first line is not "/* NAME - what it is for":\n' + '\n'.join(wrong)


def test_headers_are_guarded():
    wrong = []
    for path in HEADERS:
        guard = 'CITYLAKE_' + re.sub(r'[^A-Z0-9]', '_', str(path.relative_to(SRC)).upper())
        text = strip_comments(path.read_text()).strip()
        if not re.match(rf'#ifndef {guard}\n#define {guard}\n', text) or not text.endswith('#endif'):
            wrong.append(f'{place(path)}: wants the guard {guard}')
    assert not wrong, '\n'.join(wrong)


def test_headers_stand_alone():
    def compile_alone(path):
        flags = ['-std=gnu17', '-D_GNU_SOURCE', '-Wall', '-Wextra', '-Wstrict-prototypes', '-Werror', '-fsyntax-only']
        duckdb = subprocess.run([ROOT / 'dev', 'where', 'duckdb'], capture_output=True, text=True).stdout.strip()
        include = ['-I', SRC, *(['-isystem', f'{duckdb}/include'] if duckdb else [])]
        source = f'#include "{path.relative_to(SRC)}"\n#include "{path.relative_to(SRC)}"\n'
        done = subprocess.run(['gcc', *flags, *include, '-x', 'c', '-'], input=source, capture_output=True, text=True)
        return f'{place(path)}:\n{done.stderr}' if done.returncode else None

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        wrong = [w for w in pool.map(compile_alone, HEADERS) if w]
    assert not wrong, '\n'.join(wrong)


PROTOTYPE = re.compile(r'^(?!static|typedef|return|else|extern|#)[A-Za-z_][\w \t*]*?[ *](cl_\w+)\([^;{}]*\)[^;{}=]*;', re.M)


def test_public_functions_are_declared_once():
    declared = defaultdict(list)
    for path in SOURCES:
        text = strip_comments(path.read_text())
        for match in PROTOTYPE.finditer(text):
            declared[match.group(1)].append(place(path, text.count('\n', 0, match.start()) + 1))
    assert len(declared) > 20, 'the pattern finds no prototypes any more'
    wrong = [f'{name}: {", ".join(at)}' for name, at in declared.items() if len(at) > 1]
    wrong += [f'{name}: declared in {at[0]}, not in a header' for name, at in declared.items() if '.c:' in at[0]]
    assert not wrong, '\n'.join(wrong)


@pytest.mark.parametrize('text, kept', [
    ('int a; /* "x" // y */ int b;', 'int a;' + ' ' * 16 + 'int b;'),
    ('#include "a/b.h" /* why */', '#include "a/b.h" /* why */'),
    ('f("/* no comment */"); // x', 'f("");     '),
])
def test_the_comment_stripper(text, kept):
    assert strip_comments(text) == kept
