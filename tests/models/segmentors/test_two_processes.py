"""Losses and gradients of two processes are those of one on all images."""

from __future__ import annotations

import copy

import torch
import torch.distributed as dist
from processes import run_two_processes
from reference_networks import build, dual_config, random_batch, small_config

LATE = dict(ctc=dict(start=9, idle='zero'), seg=dict(start=9, idle='zero'))


def losses_and_gradients(model, views, samples):
    total, log = model.parse_losses(model.loss(views, samples))
    total.backward()
    gradients = {name: p.grad for name, p in model.named_parameters() if p.grad is not None}
    return {name: value for name, value in log.items() if 'loss' in name}, gradients


def test_two_processes_are_one(tmp_path):
    cases = dict(
        plain=small_config(),
        idle=small_config(terms=LATE),
        # The statistics of a batch differ between processes.
        dual=dual_config(backbone=dict(cnn=dict(norm_eval=True))),
    )
    inputs, samples = random_batch(images=4)
    inputs = {name: view.double() for name, view in inputs.items()}
    for index, sample in enumerate(samples):
        # The second process has no tag, and no pixel of its images is inside a box.
        sample.gt_tags = sample.gt_tags.double() * (index < 2)
        if index >= 2:
            sample.set_metainfo(dict(box=(0, 0, 0, 0)))
    whole = {}
    for name, config in cases.items():
        model = build(config).double()
        model.thresholds.low, model.thresholds.high = 0.3, 0.4
        whole[name] = model, *losses_and_gradients(copy.deepcopy(model), inputs, samples)

    def compare(rank):
        rendezvous = f'file://{tmp_path / "rendezvous"}'
        dist.init_process_group('gloo', init_method=rendezvous, rank=rank, world_size=2)
        mine = slice(2 * rank, 2 * rank + 2)
        views = {name: view[mine] for name, view in inputs.items()}
        for case, (model, log, expected) in whole.items():
            own_log, gradients = losses_and_gradients(model, views, samples[mine])
            assert gradients.keys() == expected.keys(), (case, gradients.keys() ^ expected.keys())
            for gradient in gradients.values():
                dist.all_reduce(gradient)
            halves = {name: gradient / 2 for name, gradient in gradients.items()}
            torch.testing.assert_close(halves, expected, msg=lambda text: f'{case}: {text}')  # noqa: B023
            torch.testing.assert_close(own_log, log, msg=lambda text: f'{case}: {text}')  # noqa: B023
        dist.destroy_process_group()

    run_two_processes(compare, tmp_path)
