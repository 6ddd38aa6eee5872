"""The tables of docs/results that have records say what the records say."""

import re
import shlex
from pathlib import Path

import pytest

from wsss_plugin.engine.ablation import RunRecord

ROOT = Path(__file__).parents[2]
RUNS = ROOT / 'docs' / 'results' / 'runs'
RECORDS = sorted(RUNS.rglob('*.json'))
_COMMAND = re.compile(
    r'^Written by\n\n```bash\npython tools/run_ablations\.py (.+?)\n```$', re.MULTILINE | re.DOTALL
)


def _arguments(page):
    command = _COMMAND.search(page.read_text(encoding='utf-8'))
    words = shlex.split(command[1].replace('\\\n', '')) if command else []
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


def test_every_record_is_of_a_row_as_its_config_is(tool, tmp_path, monkeypatch):
    """A config that was changed is another run, and its record an old one."""
    monkeypatch.chdir(ROOT)
    module, used = tool('run_ablations'), {}
    for arguments in RECORDED.values():
        args = module.parse_args(arguments)
        rows = module.plan_rows(
            args.configs, args.seeds, tmp_path, args.cfg_options, args.multi_scale, args.records
        )
        used |= {ROOT / run.record_file: run for row in rows for run in row.runs}
    assert set(RECORDS) <= set(used)
    assert [path for path, run in used.items() if run.old is not None] == []


@pytest.mark.parametrize('path', RECORDS, ids=[path.parent.name for path in RECORDS])
def test_a_record_lies_under_its_config_and_says_where_it_is_from(path, tmp_path):
    folder = path.parent.relative_to(RUNS)
    assert (ROOT / 'configs' / folder).with_suffix('.py').is_file()
    record = RunRecord.read(path)
    assert record.version
    assert record.commit
    assert record.digest
    record.write(tmp_path / path.name)
    assert (tmp_path / path.name).read_text() == path.read_text()
