"""The segmentors' losses and gradients are those of the plain formulation of the same iteration."""

import copy

import pytest
import torch
from reference_networks import build, dual_config, random_batch, small_config

SIZE = 96


def several_cams():
    labels = dict(pixel=dict(cams=('final', 'cnn')), token=dict(cams=('aux', 'cnn')))
    # Statistics of a batch would tell passes over images and mirror images together and apart.
    return dual_config(labels=labels, backbone=dict(cnn=dict(norm_eval=True)))


@pytest.fixture(
    params=[small_config, dual_config, several_cams],
    ids=['token contrast', 'dual branch', 'labels of several CAMs'],
)
def prepared(request):
    torch.manual_seed(0)
    segmentor = build(request.param()).double()
    inputs, samples = random_batch(SIZE, images=3)
    for index, sample in enumerate(samples):
        sample.set_metainfo(dict(box=(0, SIZE - 16 * index, 8 * index, SIZE)))
        sample.gt_tags[(2 * index + 1) % 5] = 1
        sample.gt_tags = sample.gt_tags.double()
    return segmentor, {name: view.double() for name, view in inputs.items()}, samples


def test_losses_and_gradients(plain, prepared):
    segmentor, inputs, samples = prepared
    other = copy.deepcopy(segmentor)
    losses = segmentor.loss(inputs, samples)
    expected = plain.training_losses(other, inputs, samples)
    assert {name for name in losses if 'loss' in name} == set(expected)
    for name, loss in expected.items():
        torch.testing.assert_close(losses[name], loss, msg=lambda text, name=name: name + text)
    sum(losses[name] for name in expected).backward()
    sum(expected.values()).backward()
    for (name, weight), same in zip(segmentor.named_parameters(), other.parameters(), strict=True):
        assert (weight.grad is None) == (same.grad is None), name
        if same.grad is not None:
            torch.testing.assert_close(weight.grad, same.grad, atol=1e-9, rtol=1e-6)


def test_prediction(plain, prepared):
    segmentor, inputs, samples = prepared
    segmentor.eval()
    tags = torch.stack([sample.gt_tags for sample in samples])
    for sample in samples:
        sample.set_metainfo(dict(ori_shape=(SIZE, SIZE), img_shape=(SIZE, SIZE)))
    label, scores = plain.predict(segmentor, inputs['view1'], tags)
    with torch.no_grad():
        predictions = segmentor.predict(inputs['view1'], samples)
    for index, sample in enumerate(predictions):
        assert torch.equal(sample.pred_sem_seg.data[0], label[index])
        torch.testing.assert_close(sample.cam.score[0], scores['final'][index])
        torch.testing.assert_close(sample.aux_cam.score[0], scores['aux'][index])
