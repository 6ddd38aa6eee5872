import torch

from wsss_plugin.models.losses.process_mean import process_mean


def test_one_process_keeps_its_count():
    """With several processes: contracts/test_terms.py."""
    for count in (torch.tensor(3.0), torch.tensor([0.0, 2.0], dtype=torch.float64)):
        mean = process_mean(count)
        assert torch.equal(mean, count)
        assert mean.dtype == count.dtype


def test_neither_the_count_nor_its_gradient_is_touched():
    count = torch.tensor([2.0], requires_grad=True)
    mean = process_mean(count)
    assert not mean.requires_grad
    mean.add_(1)
    assert count.item() == 2.0
