"""Two students, and class tokens with clusters, learn in two processes what they learn in one."""

from __future__ import annotations

import copy

import torch
import torch.distributed as dist
from class_token_networks import cluster_config
from processes import run_two_processes
from student_networks import build, dual_config, samples, student_config, views

THRESHOLDS = dict(low=0.3, high=0.4)


def students():
    student = student_config(thresholds=THRESHOLDS)
    noise = dict(type='GMMNoiseFilter', fewest=0.0, gap=0.0, certainty=0.5)
    student['labels']['pixel']['filters'] = dict(noise=noise)
    return dual_config(student=student)


def clusters():
    config = cluster_config(
        thresholds=THRESHOLDS, labels=dict(pixel=dict(type='PixelLabels', cams=('final',)))
    )
    config['terms']['seg'] = dict(type='SegmentationTerm', labels='pixel')
    config['backbone']['num_classes'] = 3
    config['cams']['final'].update(num_classes=3, in_channels=48 + 216)
    config['decode_head'].update(num_classes=4, in_channels=(48, 216))
    return config


def losses_and_gradients(model, shown, data):
    total, log = model.parse_losses(model.loss(shown, data))
    total.backward()
    return log, {name: p.grad for name, p in model.named_parameters() if p.grad is not None}


def without_accuracy(log):
    return {name: value for name, value in log.items() if 'acc' not in name}


def test_two_processes_are_one(tmp_path, iteration):
    iteration(10, 20)
    inputs = {name: view.double() for name, view in views(4).items()}
    # The second process has an image without tags and one of a single class.
    data = samples(((1, 0, 1), (0, 1, 1), (0, 0, 0), (1, 0, 0)))
    for sample in data:
        sample.gt_tags = sample.gt_tags.double()
    whole = {}
    for name, config in dict(students=students(), clusters=clusters()).items():
        model = build(config).double()
        given = inputs if name == 'students' else {'view1': inputs['view1']}
        whole[name] = model, given, *losses_and_gradients(copy.deepcopy(model), given, data)
    assert 0 < whole['students'][2]['first.noise_share'] < 1

    def compare(rank):
        rendezvous = f'file://{tmp_path / "rendezvous"}'
        dist.init_process_group('gloo', init_method=rendezvous, rank=rank, world_size=2)
        mine = slice(2 * rank, 2 * rank + 2)
        for case, (model, given, log, expected) in whole.items():
            shown = {name: view[mine] for name, view in given.items()}
            own_log, gradients = losses_and_gradients(model, shown, data[mine])
            assert gradients.keys() == expected.keys(), (case, gradients.keys() ^ expected.keys())
            for gradient in gradients.values():
                dist.all_reduce(gradient)
            halves = {name: gradient / 2 for name, gradient in gradients.items()}
            torch.testing.assert_close(halves, expected, msg=lambda text: f'{case}: {text}')  # noqa: B023
            torch.testing.assert_close(
                without_accuracy(own_log),
                without_accuracy(log),
                msg=lambda text: f'{case}: {text}',  # noqa: B023
                check_dtype=False,
            )
        dist.destroy_process_group()

    run_two_processes(compare, tmp_path)
