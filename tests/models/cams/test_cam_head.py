from __future__ import annotations

import pytest
import torch
from mmseg.structures import SegDataSample

from wsss_plugin.models.cams import CAMHead


def samples(*tags) -> list[SegDataSample]:
    made = [SegDataSample(metainfo=dict(img_path=f'{i}.jpg')) for i in range(len(tags))]
    for sample, tag in zip(made, tags, strict=True):
        sample.gt_tags = torch.tensor(tag, dtype=torch.float32)
    return made


def test_matches_the_reference_network(reference, tiny_transformer):
    arrays = reference('tiny_toco_network')
    vit = tiny_transformer(arrays).eval()
    features = vit.forward_features(arrays['x'], ['patch', 'inner.9'])
    for maps, weight, logits, cam in (
        (features['patch'], 'w.classifier.weight', 'cls_logits', 'cam'),
        (features['inner.9'], 'w.aux_classifier.weight', 'cls_aux_logits', 'cam_aux'),
    ):
        head = CAMHead(24, 5, pooling='max')
        head.classifier.load_state_dict({'weight': arrays[weight]})
        torch.testing.assert_close(head(maps), arrays[logits], atol=1e-5, rtol=0)
        torch.testing.assert_close(head.cam(maps), arrays[cam], atol=1e-5, rtol=1e-5)


def test_average_pooling_is_the_mean_of_the_cam():
    head, maps = CAMHead(6, 3, pooling='avg'), torch.randn(2, 6, 5, 7)
    torch.testing.assert_close(head(maps), head.cam(maps).mean(dim=(2, 3)))


def test_loss_as_auxiliary_head_selects_a_level():
    head = CAMHead(3, 2, in_index=0)
    levels = (torch.randn(2, 3, 4, 4), torch.randn(2, 9, 2, 2))
    loss = head.loss(levels, samples([1, 0], [0, 0]), train_cfg={})
    expected = torch.nn.functional.multilabel_soft_margin_loss(
        head(levels[0]), torch.tensor([[1.0, 0.0], [0.0, 0.0]])
    )
    torch.testing.assert_close(loss['loss_cls'], expected)


def test_one_class_and_one_position():
    head, maps = CAMHead(3, 1), torch.randn(2, 3, 1, 1)
    expected = maps.flatten(1) @ head.classifier.weight.flatten()
    torch.testing.assert_close(head(maps), expected.view(2, 1))
    torch.testing.assert_close(head.cam(maps), expected.view(2, 1, 1, 1))


def test_missing_tags_are_named():
    sample = SegDataSample(metainfo=dict(img_path='cat.jpg'))
    with pytest.raises(KeyError, match=r'cat\.jpg.*PackWSSSInputs'):
        CAMHead(3, 2).tags([sample])


def test_wrong_number_of_tags_is_named():
    with pytest.raises(ValueError, match=r'expected 2 tags.*received 3 for 0\.jpg'):
        CAMHead(3, 2).tags(samples([1, 0, 0]))


def test_unknown_pooling():
    with pytest.raises(ValueError, match=r"\('max', 'avg'\), received 'sum'"):
        CAMHead(3, 2, pooling='sum')


def test_no_class():
    with pytest.raises(ValueError, match='at least one foreground class'):
        CAMHead(3, 0)


def test_as_a_source_it_reads_features_by_name():
    head = CAMHead(5, 2, reads=('one', 'two'), pooling='avg')
    features = dict(two=torch.randn(1, 3, 4, 4), one=torch.randn(1, 2, 4, 4))
    joined = torch.cat((features['one'], features['two']), dim=1)
    torch.testing.assert_close(head.raw(features), head.cam(joined))
    torch.testing.assert_close(head.logits(features), head(joined))
    single = CAMHead(3, 2)
    torch.testing.assert_close(single.raw(dict(patch=features['two'])), single.cam(features['two']))


def test_weights_have_the_published_name():
    assert list(CAMHead(3, 2).state_dict()) == ['classifier.weight']
