from __future__ import annotations

import copy

import pytest
import torch
from mmengine.model import ExponentialMovingAverage
from mmengine.optim import OptimWrapper
from torch import nn

from wsss_plugin.models.terms import StepwiseMovingAverage


def student_and_teacher(momentum=0.1):
    torch.manual_seed(0)
    student = nn.Linear(3, 2)
    teacher = StepwiseMovingAverage(student, momentum)
    nn.init.normal_(student.weight)
    return student, teacher


def change(student):
    with torch.no_grad():
        for weight in student.parameters():
            weight.add_(torch.randn_like(weight))


def test_equals_the_usual_average_where_every_iteration_is_a_step():
    student, teacher = student_and_teacher()
    usual = ExponentialMovingAverage(student, momentum=0.1)
    for _ in range(4):
        for average in (teacher, usual):
            average.update_parameters(student)
        change(student)
    assert teacher.steps == usual.steps == 4
    torch.testing.assert_close(teacher.module.state_dict(), usual.module.state_dict())


def test_the_first_update_copies():
    student, teacher = student_and_teacher()
    teacher.update_parameters(student)
    assert torch.equal(teacher.module.weight, student.weight)


def test_moves_once_per_accumulated_step():
    student, teacher = student_and_teacher()
    wrapper = OptimWrapper(torch.optim.SGD(student.parameters(), lr=0.1), accumulative_counts=3)
    wrapper.initialize_count_status(student, 0, 9)
    steps = []
    for _ in range(9):
        with wrapper.optim_context(student):
            teacher.update_parameters(student)
            loss = student(torch.ones(1, 3)).square().sum()
        wrapper.update_params(loss)
        steps.append(int(teacher.steps))
    assert steps == [1, 1, 1, 2, 2, 2, 3, 3, 3]


def test_a_change_of_the_last_digit_of_one_weight_counts():
    student, teacher = student_and_teacher()
    teacher.update_parameters(student)
    with torch.no_grad():
        student.weight[0, 0] = torch.nextafter(student.weight[0, 0], torch.tensor(9.0))
    teacher.update_parameters(student)
    assert teacher.steps == 2


@pytest.mark.parametrize('spoilt', [False, True])
def test_a_step_skipped_after_an_overflow_does_not_count(spoilt):
    student, teacher = student_and_teacher()
    optimizer = torch.optim.SGD(student.parameters(), lr=0.1)
    scaler = torch.amp.GradScaler('cpu', init_scale=64.0)
    teacher.update_parameters(student)
    loss = student(torch.ones(1, 3)).sum() * (float('inf') if spoilt else 1.0)
    scaler.scale(loss).backward()
    scaler.step(optimizer)
    teacher.update_parameters(student)
    assert teacher.steps == (1 if spoilt else 2)


def test_a_resumed_average_knows_what_it_has_seen():
    student, teacher = student_and_teacher()
    teacher.update_parameters(student)
    change(student)
    teacher.update_parameters(student)
    _, resumed = student_and_teacher()
    resumed.load_state_dict(copy.deepcopy(teacher.state_dict()))
    resumed.update_parameters(student)
    assert resumed.steps == 2
    torch.testing.assert_close(resumed.state_dict(), teacher.state_dict())


@pytest.mark.parametrize('momentum', [0.0, 1.0, -0.1, 1.5])
def test_momentum_is_checked(momentum):
    with pytest.raises(ValueError, match=f'received {momentum}'):
        StepwiseMovingAverage(nn.Linear(1, 1), momentum)
