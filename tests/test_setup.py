"""What is built from the sources, and what an installed package can do elsewhere."""

import os
import runpy
import subprocess
import sys
from pathlib import Path

import pytest
import setuptools
from packaging.requirements import Requirement

_ROOT = Path(__file__).parents[1]
_ELSEWHERE = """
import runpy
from pathlib import Path

import wsss_plugin
import yaml
from mmengine.config import Config

site, root = Path({site!r}), {root!r}
assert Path(wsss_plugin.__file__).is_relative_to(site), wsss_plugin.__file__
config = Config.fromfile('my_voc.py')
same = Config.fromfile(root + '/configs/dual_branch/voc.py')
same.train_dataloader.dataset.data_root = '/data/VOC2012'
assert config.to_dict() == same.to_dict()
mim = site / 'wsss_plugin' / '.mim'
for name in yaml.safe_load((mim / 'model-index.yml').read_text())['Import']:
    for model in yaml.safe_load((mim / name).read_text())['Models']:
        assert (mim / model['Config']).is_file(), model
describe = runpy.run_path(str(mim / 'tools' / 'describe.py'))
describe['main'](['my_shapes.py'])
"""


@pytest.fixture
def read_by_setup(monkeypatch):
    """The files that setup.py reads, relative to the root."""
    read, read_text = [], Path.read_text

    def note(path, *arguments, **kwargs):
        read.append(path.relative_to(_ROOT).as_posix())
        return read_text(path, *arguments, **kwargs)

    monkeypatch.setattr(Path, 'read_text', note)
    monkeypatch.setattr(setuptools, 'setup', lambda **_: None)
    runpy.run_path(str(_ROOT / 'setup.py'))
    monkeypatch.undo()
    return read


def test_the_source_distribution_has_what_setup_reads(read_by_setup, tmp_path):
    command = [sys.executable, 'setup.py', '-q', 'egg_info', '--egg-base', str(tmp_path)]
    done = subprocess.run(command, cwd=_ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (sources,) = tmp_path.glob('*.egg-info/SOURCES.txt')
    declared = sources.read_text().splitlines()
    assert 'requirements/common.txt' in read_by_setup
    assert set(read_by_setup) <= set(declared)
    assert 'LICENSE' in declared
    assert 'wsss_plugin/.mim/configs/dual_branch/voc.py' in declared
    assert 'wsss_plugin/.mim/tools/dist_train.sh' in declared


@pytest.fixture(scope='module')
def site(tmp_path_factory):
    """A folder into which the wheel is installed."""
    folder = tmp_path_factory.mktemp('wheel')
    build = ['egg_info', '--egg-base', folder, 'build', '--build-base', folder / 'build']
    wheel = ['bdist_wheel', '--bdist-dir', folder / 'parts', '--dist-dir', folder / 'dist']
    run = [sys.executable, 'setup.py', '-q', *map(str, [*build, *wheel])]
    done = subprocess.run(run, cwd=_ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (file,) = (folder / 'dist').glob('*.whl')
    run = [sys.executable, '-m', 'pip', 'install', '-q', '--no-deps', '--target']
    done = subprocess.run(
        [*run, str(folder / 'site'), str(file)], cwd=folder, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return folder / 'site'


def test_an_installed_wheel_works_from_an_empty_folder(site, tmp_path):
    (tmp_path / 'my_voc.py').write_text(
        "_base_ = 'wsss_plugin::dual_branch/voc.py'\n"
        "train_dataloader = dict(dataset=dict(data_root='/data/VOC2012'))\n"
    )
    (tmp_path / 'my_shapes.py').write_text("_base_ = 'wsss_plugin::dual_vit_r18_shapes.py'\n")
    done = subprocess.run(
        [sys.executable, '-c', _ELSEWHERE.format(site=str(site), root=str(_ROOT))],
        cwd=tmp_path,
        env={**os.environ, 'PYTHONPATH': str(site)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert 'WeakSegmentor of my_shapes.py, 1500 iterations' in done.stdout


def test_every_pin_lies_in_the_range_that_the_package_asks_for(monkeypatch):
    said = {}
    monkeypatch.setattr(setuptools, 'setup', said.update)
    names = runpy.run_path(str(_ROOT / 'setup.py'))
    ranges = names['RANGES']
    pinned = set()
    for stack in ('openmmlab', 'onedl'):
        asked = {one.name: one for one in map(Requirement, said['extras_require'][stack])}
        pins = [Requirement(line) for line in names['read_requirements'](f'{stack}.txt')]
        assert set(asked) == {pin.name for pin in pins}
        pinned |= set(asked)
        for pin in pins:
            (version,) = [one.version for one in pin.specifier]
            assert asked[pin.name].specifier.contains(version), pin
            assert {one.operator for one in asked[pin.name].specifier} & {'>=', '<'}
    assert pinned == set(ranges)


def test_every_optional_package_is_tested_in_its_range(monkeypatch):
    said = {}
    monkeypatch.setattr(setuptools, 'setup', said.update)
    names = runpy.run_path(str(_ROOT / 'setup.py'))
    pins = [Requirement(line) for line in names['read_requirements']('dev.txt')]
    for extra in names['OPTIONAL']:
        for asked in map(Requirement, said['extras_require'][extra]):
            versions = [next(iter(p.specifier)).version for p in pins if p.name == asked.name]
            assert versions, asked
            assert all(asked.specifier.contains(version) for version in versions), asked
