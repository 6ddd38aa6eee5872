from __future__ import annotations

import copy

import torch
from reference_networks import load_projection

from wsss_plugin.models.heads import ProjectionHead
from wsss_plugin.models.terms import StepwiseMovingAverage


def reference_head() -> ProjectionHead:
    return ProjectionHead(24, hidden_channels=40, bottleneck_channels=16, out_channels=32)


def test_matches_the_reference(reference):
    arrays = reference('ctc_head')
    for prefix, expected in (('s.', 'y_student'), ('t.', 'y_teacher_before')):
        head = reference_head()
        load_projection(head, arrays, prefix)
        torch.testing.assert_close(head(arrays['x']), arrays[expected], atol=1e-5, rtol=0)


def test_moving_average_matches_the_reference(reference):
    arrays = reference('ctc_head')
    student, teacher = reference_head(), reference_head()
    load_projection(student, arrays, 's.')
    load_projection(teacher, arrays, 't.')
    average = StepwiseMovingAverage(teacher, momentum=0.1)
    average.steps += 1
    average.update_parameters(student)
    torch.testing.assert_close(
        average(arrays['x']), arrays['y_teacher_after_ema'], atol=1e-5, rtol=0
    )


def test_outputs_are_cosines():
    output = ProjectionHead(8, 16, 4, 12)(torch.randn(5, 8) * 100)
    assert output.shape == (5, 12)
    assert output.abs().max() <= 1 + 1e-6


def test_the_gain_is_one_and_not_trained():
    gain = ProjectionHead(8, 16, 4, 12).directions.parametrizations.weight.original0
    assert not gain.requires_grad
    assert (gain == 1).all()


def test_a_copy_is_independent():
    head = ProjectionHead(8, 16, 4, 12)
    twin = copy.deepcopy(head)
    with torch.no_grad():
        head.mlp[0].weight.add_(1)
    x = torch.randn(2, 8)
    assert not torch.allclose(head(x), twin(x))


def test_gradient():
    head = ProjectionHead(3, 4, 2, 5).double()
    x = torch.randn(2, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(head, (x,))
