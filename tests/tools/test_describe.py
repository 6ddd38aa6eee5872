from pathlib import Path

import pytest
import torch

CONFIGS = Path(__file__).parents[2] / 'configs'


@pytest.fixture
def described(tool, capsys):
    """Runs the tool and gives its lines without the spaces around them."""

    def run(config, *options):
        tool('describe').main([str(config), *options])
        return [line.strip() for line in capsys.readouterr().out.splitlines()]

    return run


def cells(line):
    return [cell.strip() for cell in line.split('  ') if cell.strip()]


def test_each_phase_says_who_reads_what(described):
    lines = described(CONFIGS / 'best_voc_animals.py')
    assert lines[0].startswith('WeakSegmentor of')
    assert lines[0].endswith('best_voc_animals.py, 1000 iterations')
    assert 'prediction: ConvMLPHead <- patch' in lines
    phases = [line for line in lines if 'iteration' in line][1:]
    assert phases == ['iterations 0 to 199', 'iterations 200 to 499', 'from iteration 500 on']
    seg = [cells(line) for line in lines if line.startswith('seg ')]
    assert seg == [
        ['seg', '0.1', 'from 200 on, until then: skip'],
        ['seg', '0.1', 'pixel <- final+aux+cnn', 'decoder', 'cnn, inner.9, patch', '-'],
        ['seg', '0.1', 'pixel <- aux+cnn+decoder', 'decoder', 'cnn, inner.9, patch', '-'],
    ]
    (ctc, *_) = (cells(line) for line in lines if line.startswith('ctc '))
    assert ctc == ['ctc', '0.5', 'region <- aux', 'class', 'class, inner.9', 'view2, local']
    assert ['decoder', 'DecoderCAM', 'decoder', '-', '-'] in [cells(line) for line in lines]


def test_columns_are_aligned(described, tool):
    del described
    rows = [('a', 'long heading', 'c'), ('abc', 'x', 'y'), ('ab', 'a cell over the others')]
    assert tool('describe')._table(rows).splitlines() == [
        '  a    long heading  c',
        '  abc  x             y',
        '  ab   a cell over the others',
    ]


def test_without_decode_head(described):
    lines = described(CONFIGS / 'cam/voc.py')
    assert 'prediction: the CAM final, by tags' in lines
    assert ['cls', '1', '-', 'logits final', 'out.-1', '-'] in [cells(line) for line in lines]


def test_two_students_and_what_is_between_them(described):
    lines = described(CONFIGS / 'dupl' / 'voc.py')
    headings = [line for line in lines if line.isupper() or line.startswith('STUDENT')]
    assert headings == ['STUDENT first', 'STUDENT second', 'BETWEEN THE STUDENTS']
    assert 'iterations 2000 to 7999' in lines[lines.index('BETWEEN THE STUDENTS') :]


def test_options_change_the_config(described):
    options = ['--cfg-options', 'model.terms.seg.start=300', 'train_cfg.max_iters=2000']
    lines = described(CONFIGS / 'best_voc_animals.py', *options)
    assert 'iterations 300 to 999' in lines
    assert lines[0].endswith('2000 iterations')


def test_nothing_is_downloaded(described, monkeypatch):
    def fail(*_args, **_kwargs):
        raise AssertionError('weights were asked for')

    monkeypatch.setattr('wsss_plugin.models.backbones.TimmVisionTransformer.init_weights', fail)
    monkeypatch.setattr(torch.hub, 'load_state_dict_from_url', fail)
    assert described(CONFIGS / 'toco/voc.py')


def test_weights_of_an_earlier_training_need_not_be_there(described):
    lines = described(CONFIGS / 'affinitynet' / 'voc.py')
    (term,) = (cells(line) for line in lines if line.startswith('affinity '))
    assert term[3] == 'head affinity'


def test_errors(described, tmp_path):
    plain = tmp_path / 'plain.py'
    plain.write_text(
        "model = dict(type='EncoderDecoder', backbone=dict(type='ResNet', depth=18),\n"
        "    decode_head=dict(type='FCNHead', in_channels=512, channels=8, num_classes=2))\n"
    )
    with pytest.raises(TypeError, match=r'made of parts.*received EncoderDecoder'):
        described(plain)
    with pytest.raises(FileNotFoundError, match=r'expected a config file.*nowhere\.py'):
        described(tmp_path / 'nowhere.py')
