"""The index from which mim and mmengine read names every method, and its files exist."""

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
CONFIGS = ROOT / 'configs'
METAFILES = sorted(path.relative_to(ROOT).as_posix() for path in CONFIGS.rglob('metafile.yml'))


def _read(name):
    return yaml.safe_load((ROOT / name).read_text(encoding='utf-8'))


def test_the_index_imports_every_metafile():
    assert METAFILES
    assert _read('model-index.yml') == {'Import': METAFILES}


@pytest.mark.parametrize('name', METAFILES)
def test_what_a_metafile_names_exists(name):
    content = _read(name)
    (collection,) = content['Collections']
    assert collection['README'] == f'{Path(name).parent.as_posix()}/README.md'
    assert (ROOT / collection['README']).is_file()
    assert collection['Paper']['Title']
    assert collection['Paper']['URL'].startswith('https://')
    assert content['Models']
    for model in content['Models']:
        assert model['In Collection'] == collection['Name']
        assert (ROOT / model['Config']).is_file()
        assert re.search('easured here', model['Metadata']['Comment'])
        assert all(0 < result['Metrics']['mIoU'] < 100 for result in model.get('Results', ()))


def test_names_and_configs_are_different():
    models = [model for name in METAFILES for model in _read(name)['Models']]
    for key in ('Name', 'Config'):
        values = [model[key] for model in models]
        assert len(values) == len(set(values))
