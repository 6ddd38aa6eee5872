from __future__ import annotations

import torch
from reference_networks import build, cam_config, random_batch


def test_the_total_is_the_sum_of_the_losses_and_all_is_logged():
    segmentor = build(cam_config())
    losses = dict(
        loss_one=torch.tensor(1.0, requires_grad=True),
        loss_two=[torch.tensor(2.0), torch.tensor([3.0, 5.0])],
        accuracy=torch.tensor(50.0),
    )
    total, log = segmentor.parse_losses(losses)
    assert total == 7
    assert total.requires_grad
    assert {name: value.item() for name, value in log.items()} == dict(
        loss=7, loss_one=1, loss_two=6, accuracy=50
    )


def test_the_toolbox_s_inference_serves_a_segmentor_without_decode_head():
    segmentor = build(cam_config(test_cfg=dict(mode='whole'))).eval()
    inputs, samples = random_batch(images=1)
    (prediction,) = segmentor(inputs['view1'], samples, mode='predict')
    (cam,) = segmentor.batch(inputs['view1'], samples).cams(['final'])
    label = torch.where(cam[:, 0] > segmentor.test_cfg.cam_threshold, 1, 0)
    assert torch.equal(prediction.pred_sem_seg.data, label)
    assert label.unique().tolist() == [0, 1]
