"""The whole method on a GPU beside the CPU."""

import copy

import pytest
import torch
from reference_networks import build, dual_config, random_batch

from wsss_plugin.models.batch import Batch

DEVICE = 'cuda'
pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason='there is no GPU'),
]


@pytest.fixture
def segmentors(monkeypatch):
    """The same network on the CPU and on the GPU, with the same choice of crops."""
    on_cpu = build(dual_config(test_cfg=dict(pseudo_label=True))).double()
    on_gpu = copy.deepcopy(on_cpu).to(DEVICE)
    # The devices draw different random numbers.
    keys = torch.rand(2, 64, 64)
    monkeypatch.setattr(Batch, 'random_maps', lambda batch, *_: keys.to(batch.image.device))
    return on_cpu, on_gpu


def _batch(device):
    inputs, samples = random_batch()
    inputs = {name: view.double().to(device) for name, view in inputs.items()}
    return inputs, [sample.to(device) for sample in samples]


def _gradients(segmentor, device):
    losses = segmentor.loss(*_batch(device))
    sum(value for name, value in losses.items() if 'loss' in name).backward()
    gradients = {
        name: parameter.grad.cpu()
        for name, parameter in segmentor.named_parameters()
        if parameter.grad is not None
    }
    return {name: value.detach().cpu() for name, value in losses.items()}, gradients


def test_losses_and_gradients_are_the_cpu_s(segmentors):
    expected, received = (
        _gradients(segmentor, device)
        for segmentor, device in zip(segmentors, ('cpu', DEVICE), strict=True)
    )
    torch.testing.assert_close(received, expected, rtol=1e-5, atol=1e-7)


def test_predictions_are_the_cpu_s(segmentors):
    with torch.no_grad():
        expected, received = (
            segmentor.eval().predict(_batch(device)[0]['view1'], _batch(device)[1])
            for segmentor, device in zip(segmentors, ('cpu', DEVICE), strict=True)
        )
    for one, other in zip(expected, received, strict=True):
        assert other.pseudo_label.data.device.type == DEVICE
        assert torch.equal(other.pseudo_label.data.cpu(), one.pseudo_label.data)
        torch.testing.assert_close(other.cam.score.cpu(), one.cam.score)
        assert torch.equal(other.pred_sem_seg.data.cpu(), one.pred_sem_seg.data)


def test_deterministic_kernels_repeat_an_iteration(segmentors, monkeypatch):
    monkeypatch.setenv('CUBLAS_WORKSPACE_CONFIG', ':4096:8')
    torch.use_deterministic_algorithms(True)
    try:
        first, second = (_gradients(copy.deepcopy(segmentors[1]), DEVICE)[1] for _ in range(2))
    finally:
        torch.use_deterministic_algorithms(False)
    assert first.keys() == second.keys()
    assert all(torch.equal(first[name], second[name]) for name in first)
