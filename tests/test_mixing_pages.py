"""Pages on mixtures and kinds of images: what they show is so."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

import pytest
import timm
from mmengine.registry import init_default_scope

ROOT = Path(__file__).parents[1]
DOCS = ROOT / 'docs'


@pytest.mark.parametrize('page', ['mixing.md', 'domains/class_imbalance.md'])
def test_examples_run(page, monkeypatch):
    monkeypatch.chdir(ROOT)
    init_default_scope('mmseg')
    text = (DOCS / page).read_text(encoding='utf-8')
    blocks = re.findall(r'^```pycon\n(.*?)^```$', text, flags=re.M | re.S)
    assert blocks
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE)
    for block in blocks:
        runner.run(doctest.DocTestParser().get_doctest(block, {}, page, page, 0))
    assert runner.summarize(verbose=False).failed == 0


def test_every_kind_of_images_has_a_config_and_a_page():
    pages = {path.stem for path in (DOCS / 'domains').glob('*.md')}
    assert pages == {path.stem for path in (ROOT / 'configs' / 'domains').glob('*.py')}
    for name in pages:
        text = (DOCS / 'domains' / f'{name}.md').read_text(encoding='utf-8')
        assert f'configs/domains/{name}.py' in text
        assert '../licences.md' in text


def test_every_mixture_is_on_the_page():
    text = (DOCS / 'mixing.md').read_text(encoding='utf-8')
    for path in (ROOT / 'configs' / 'mixing').glob('*.py'):
        assert f'configs/mixing/{path.name}' in text


@pytest.mark.parametrize('name', ['frozen_dinov2_voc', 'frozen_clip_voc'])
def test_timm_knows_the_weights_of_the_frozen_transformers(name):
    text = (ROOT / 'configs' / 'mixing' / f'{name}.py').read_text(encoding='utf-8')
    (model,) = re.findall(r"model_name='([^']+)'", text)
    assert timm.get_pretrained_cfg(model).hf_hub_id
