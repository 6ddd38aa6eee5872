from __future__ import annotations

import pytest
import torch

from wsss_plugin.evaluation.sparse_counts import (
    count_classes,
    count_where_labelled,
    sum_counts,
)


def test_only_classes_that_occur_are_kept():
    label = torch.tensor([[0, 70]])
    part = count_classes([torch.tensor([[0, 3]], dtype=torch.uint8)], label, 81)
    assert part.classes.tolist() == [0, 3, 70]
    assert part.counts.tolist() == [[[1, 0, 0], [1, 1, 0], [1, 0, 1]]]


def test_counts_of_images_are_summed():
    label = torch.tensor([[0, 2]])
    parts = [count_classes([prediction], label, 3) for prediction in (label, label.flip(1))]
    assert sum_counts(parts, 3).tolist() == [[[1, 0, 1], [2, 0, 2], [2, 0, 2]]]


def test_only_labelled_pixels_count_of_a_pseudo_label():
    label, truth = torch.tensor([[0, 255, 1, 2]]), torch.tensor([[0, 1, 2, 255]])
    part = count_where_labelled(label, truth, 3)
    assert part.classes.tolist() == [0, 1, 2]
    assert part.counts.tolist() == [[[1, 0, 0], [1, 1, 0], [1, 0, 1]]]
    with pytest.raises(ValueError, match=r'one size, received \(1, 4\) and \(1, 3\)'):
        count_where_labelled(label, truth[:, 1:], 3)


def test_counts_of_more_pixels_than_single_precision_can_count():
    # 2**24 + 1 is the first whole number that float32 has not.
    label = torch.zeros(2**24 + 3, 1, dtype=torch.uint8)
    label[-1] = 1
    part = count_classes([label], label, 2)
    assert part.counts.tolist() == [[[2**24 + 2, 1]] * 3]


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason='there is no GPU')
def test_deterministic_counts_on_a_gpu():
    label = torch.tensor([[0, 1, 255, 1]], device='cuda')
    prediction = torch.tensor([[0, 1, 1, 0]], device='cuda')
    torch.use_deterministic_algorithms(True)
    try:
        received = count_classes([prediction], label, 2)
    finally:
        torch.use_deterministic_algorithms(False)
    assert received.counts.tolist() == [[[1, 1], [2, 1], [1, 2]]]
