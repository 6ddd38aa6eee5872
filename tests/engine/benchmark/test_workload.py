from pathlib import Path

import pytest
import torch

from wsss_plugin.engine.benchmark import Workload

CONFIGS = Path(__file__).parents[3] / 'configs'
TOCO = str(CONFIGS / '_base_' / 'models' / 'toco_vit_b.py')


def workload(config=TOCO, **changes):
    options = dict(vit='test_vit', size=64, local_size=32, batch_size=2, device='cpu', seed=0)
    return Workload(config, **(options | changes))


def test_the_seed_decides():
    one, again, other = (workload(seed=seed) for seed in (0, 0, 1))
    views, samples = one.batch(6)
    assert torch.equal(views['local'], again.batch(6)[0]['local'])
    assert not torch.equal(views['local'], other.batch(6)[0]['local'])
    assert [sample.gt_tags.sum().item() for sample in samples] == [1, 2]
    weights = [one.segmentor().cam_head.classifier.weight for one in (one, again)]
    assert torch.equal(*weights)


def test_heads_fit_the_transformer():
    segmentor = workload().segmentor()
    assert segmentor.cam_head.classifier.in_channels == segmentor.transformer.embed_dims == 64
    assert segmentor.local_crops['size'] == 32
    assert segmentor.loss_starts == {}


def test_errors():
    with pytest.raises(ValueError, match='local size 96, size 64'):
        workload(local_size=96)
    cnn = str(CONFIGS / 'cam_r50_voc.py')
    with pytest.raises(ValueError, match=r'TokenContrastSegmentor.*CAMSegmentor.*cam_r50_voc'):
        workload(cnn).segmentor()
