"""The tables of docs/results that have records say what the records say."""

import re
import shlex
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_COMMAND = re.compile(r'^Written by `python tools/run_ablations\.py (.+)`\.$', re.MULTILINE)


def _arguments(page):
    command = _COMMAND.search(page.read_text(encoding='utf-8'))
    words = shlex.split(command[1]) if command else []
    return [
        text
        for word in words
        for text in (sorted(map(str, ROOT.glob(word))) if '*' in word else [word])
    ]


RECORDED = {
    page: arguments
    for page in sorted((ROOT / 'docs' / 'results').glob('*.md'))
    if '--records' in (arguments := _arguments(page))
}


@pytest.mark.parametrize('page', RECORDED, ids=[page.stem for page in RECORDED])
def test_a_table_is_what_its_records_say(page, tool, tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    out = tmp_path / page.name
    folders = ['--work-dir', str(tmp_path / 'work'), '--out', str(out)]
    assert tool('run_ablations').main([*RECORDED[page], *folders, '--report-only']) == 0
    made, stored = (_COMMAND.sub('', file.read_text(encoding='utf-8')) for file in (out, page))
    assert made == stored


def test_there_are_recorded_tables():
    assert RECORDED


def test_no_record_is_left_of_another_config(tool, tmp_path, monkeypatch):
    """A config that was changed is another run; its old record would never be read again."""
    monkeypatch.chdir(ROOT)
    module, used = tool('run_ablations'), set()
    for arguments in RECORDED.values():
        args = module.parse_args(arguments)
        rows = module.plan_rows(
            args.configs, args.seeds, tmp_path, args.cfg_options, args.multi_scale, args.records
        )
        used |= {run.record_file for row in rows for run in row.runs}
    folders = {ROOT / path.parents[1] for path in used}
    assert {path for folder in folders for path in folder.rglob('*.json')} <= {
        ROOT / path for path in used
    }
