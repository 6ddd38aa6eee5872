from __future__ import annotations

import pytest
import torch
from torch.testing import assert_close

from wsss_plugin.ops import cosine_threshold, image_threshold


@pytest.mark.parametrize(('steps', 'key'), [(None, 'thr_values'), (range(-1, 12), 'short')])
def test_reference_thresholds(reference, steps, key):
    arrays = reference('dupl_threshold')
    total = 18000 - 1 if steps is None else 10 - 1
    key = 'thr_values_numsteps10_from_minus1' if key == 'short' else key
    steps = arrays['thr_steps'].tolist() if steps is None else steps
    bounds = list(zip(arrays['thr_start'].tolist(), arrays['thr_target'].tolist(), strict=True))
    values = [[cosine_threshold(step, total, *pair) for pair in bounds] for step in steps]
    assert_close(torch.tensor(values), arrays[key], atol=1e-5, rtol=0)


def test_paper_values():
    assert cosine_threshold(0, 20000, 0.7, 0.55) == pytest.approx(0.7)
    assert cosine_threshold(5000, 20000, 0.7, 0.55) == pytest.approx(0.7 - 0.075 * (1 - 0.5**0.5))
    assert cosine_threshold(10000, 20000, 0.7, 0.55) == pytest.approx(0.625)
    assert cosine_threshold(20000, 20000, 0.7, 0.55) == pytest.approx(0.55)


def test_constant_outside_the_schedule():
    assert cosine_threshold(-5, 10, 0.7, 0.5) == pytest.approx(0.7)
    assert cosine_threshold(15, 10, 0.7, 0.5) == pytest.approx(0.5)


def test_no_iterations():
    with pytest.raises(ValueError, match='positive number of iterations'):
        cosine_threshold(0, 0, 0.7, 0.55)


def test_reference_thresholds_of_images(reference):
    arrays = reference('dupl_threshold')
    bounds = zip(arrays['thr_start'].tolist(), arrays['thr_target'].tolist(), strict=True)
    high = torch.tensor([cosine_threshold(9000, 18000 - 1, *pair) for pair in bounds])
    found = image_threshold(high, arrays['thr_cls_label'])
    assert_close(found, arrays['thr_per_image_step9000'], atol=1e-5, rtol=0)


def test_an_image_without_tags_has_the_largest_threshold():
    high = torch.tensor([0.5, 0.7])
    assert_close(image_threshold(high, torch.zeros(1, 2)), torch.tensor([0.7]))


def test_classes_that_do_not_agree():
    with pytest.raises(ValueError, match='each class'):
        image_threshold(torch.rand(2), torch.ones(1, 3))
