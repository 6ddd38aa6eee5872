from pathlib import Path

import pytest
import torch

from wsss_plugin.engine.benchmark import Workload

CONFIGS = Path(__file__).parents[3] / 'configs'
MODELS = CONFIGS / '_base_' / 'models'
TOCO = str(MODELS / 'toco_vit_b.py')


def workload(config=TOCO, **changes):
    options = dict(vit='test_vit', size=64, local_size=32, batch_size=2, device='cpu', seed=0)
    return Workload(str(config), **(options | changes))


def test_the_seed_decides():
    one, again, other = (workload(seed=seed) for seed in (0, 0, 1))
    segmentor = one.segmentor()
    views, samples = one.batch(segmentor)
    assert torch.equal(views['local'], again.batch(segmentor)[0]['local'])
    assert not torch.equal(views['local'], other.batch(segmentor)[0]['local'])
    assert [sample.gt_tags.sum().item() for sample in samples] == [1, 2]
    weights = [model.cams['final'].classifier.weight for model in (segmentor, again.segmentor())]
    assert torch.equal(*weights)


def test_masks_have_the_classes_of_the_tags():
    one = workload()
    for sample in one.batch(one.segmentor())[1]:
        present = sample.gt_sem_seg.data.unique().tolist()
        assert present == [0, *(sample.gt_tags.nonzero()[:, 0] + 1).tolist()]


def test_parts_fit_another_transformer():
    segmentor = workload().segmentor()
    assert segmentor.cams['final'].classifier.in_channels == segmentor.backbone.embed_dims == 64
    # The third block from the end, as in the transformer of the config.
    assert segmentor.cams['aux'].reads == ('inner.-3',)
    assert segmentor.terms['ctc'].local_crops['size'] == 32
    assert segmentor.phases(9) == (0,)


@pytest.mark.parametrize('config', [TOCO, CONFIGS / 'cam' / 'voc.py'])
def test_another_number_of_classes(config):
    options = {} if config == TOCO else {'vit': None}
    one = workload(config, num_foreground=33, **options)
    segmentor = one.segmentor()
    assert segmentor.num_foreground == 33
    assert one.batch(segmentor)[1][0].gt_tags.shape == (33,)
    if config == TOCO:
        assert segmentor.decode_head.num_classes == 34


def test_a_cnn_keeps_its_width():
    segmentor = workload(MODELS / 'dual_deit_tiny_mobilenet.py').segmentor()
    assert segmentor.cams['cnn'].classifier.in_channels == 320
    assert segmentor.cams['aux'].classifier.in_channels == 64


@pytest.mark.parametrize(
    ('config', 'views'),
    [
        ('cam/voc.py', {'view1'}),
        ('voc_animals/supervised.py', {'view1'}),
        ('dual_vit_r18_shapes.py', {'view1', 'view2', 'local'}),
    ],
)
def test_the_views_are_those_that_terms_name(config, views):
    one = workload(CONFIGS / config, vit=None)
    segmentor = one.segmentor()
    assert set(one.batch(segmentor)[0]) == views
    starts = [term.begins(None) for term in segmentor.terms.values()]
    assert starts == [0] * len(segmentor.terms) != []


def test_errors(tmp_path):
    with pytest.raises(ValueError, match='num_foreground >= 1, received 0'):
        workload(num_foreground=0)
    with pytest.raises(ValueError, match='local size 96, size 64'):
        workload(local_size=96)
    with pytest.raises(ValueError, match=r'transformer of timm.*cam/voc.*ResNet'):
        workload(CONFIGS / 'cam/voc.py').segmentor()
    other = tmp_path / 'other.py'
    other.write_text("model = dict(type='EncoderDecoder')")
    with pytest.raises(ValueError, match=r'loss terms.*other\.py.*EncoderDecoder'):
        workload(other).segmentor()
