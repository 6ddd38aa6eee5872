from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch.testing import assert_close

from wsss_plugin.ops import (
    cam_to_label,
    mask_outside_box,
    pixel_affinity,
    propagate,
    refined_pseudo_label,
    region_of_interest,
    scale_box,
    tagged_maximum,
    threshold_label,
)

CLOSE = {'atol': 1e-5, 'rtol': 0}


def refine(image, masks):
    return propagate(masks, pixel_affinity(image))


@pytest.fixture
def labels(reference):
    return reference('cam_to_label')


@pytest.fixture
def refined(reference):
    arrays = reference('refine_cams_with_bkg_v2')
    return dict(arrays, image=arrays['image_par_u8'].float() / 255)


def test_reference_training_label(labels):
    label = cam_to_label(labels['cam'], labels['cls_label'], 0.25, 0.7, labels['img_box'])
    assert torch.equal(label, labels['label'].long())


def test_reference_label_with_one_threshold_per_image(labels):
    high = labels['dupl_high_thre_per_image']
    label = cam_to_label(labels['cam'], labels['cls_label'], 0.25, high, labels['img_box'])
    assert torch.equal(label, labels['dupl_label_dynamic'].long())


def test_reference_evaluation_label(labels):
    label = threshold_label(*tagged_maximum(labels['cam'], labels['cls_label']), 0.5)
    assert torch.equal(label, labels['label_eval_no_box'].long())
    boxed = mask_outside_box(label, labels['img_box'])
    assert torch.equal(boxed, labels['label_ignore_mid_false'].long())


def test_reference_region(labels):
    region = region_of_interest(labels['cam'], labels['cls_label'], 0.25, 0.7)
    assert torch.equal(region.long(), labels['roi_mask'].long())


@pytest.mark.parametrize(
    ('high', 'expected'), [(0.7, 'refined_label'), (None, 'dupl_refined_label')]
)
def test_reference_refined_label(refined, high, expected):
    label = refined_pseudo_label(
        refined['image'],
        refined['cams'],
        refined['cls_label'],
        0.25,
        refined['dupl_high_thre'] if high is None else high,
        refined['img_box'],
        refine,
    )
    assert torch.equal(label, refined[expected].long())


def test_reference_refined_masks(refined):
    seen = []

    def recorded(image, masks):
        seen.append(refine(image, masks))
        return seen[-1]

    box = refined['img_box']
    refined_pseudo_label(
        refined['image'], refined['cams'], refined['cls_label'], 0.25, 0.7, box, recorded
    )
    high, low = (part[:1, :3] for part in seen[0].chunk(2, dim=1))
    assert_close(high, refined['soft_high_image0'], **CLOSE)
    assert_close(low, refined['soft_low_image0'], **CLOSE)


def test_refined_label_equals_one_image_at_a_time(plain):
    generator = torch.Generator().manual_seed(1)
    image = torch.rand(3, 3, 21, 30, generator=generator)
    cam = torch.rand(3, 5, 21, 30, generator=generator)
    tags = torch.tensor([[0, 1, 0, 1, 1], [1, 0, 0, 0, 0], [0, 0, 1, 0, 1]]).float()
    box = torch.tensor([[0, 21, 0, 30], [3, 20, 5, 30], [0, 10, 0, 12]])
    high = torch.tensor([0.7, 0.55, 0.6])
    label = refined_pseudo_label(image, cam, tags, 0.25, high, box, refine)
    assert torch.equal(label, plain.refined_pseudo_label(image, cam, tags, 0.25, high, box))
    assert len(label.unique()) > 3


def test_refined_label_calls_refine_once_with_all_masks():
    shapes = []

    def identity(image, masks):
        shapes.append((tuple(image.shape), tuple(masks.shape)))
        return masks

    tags = torch.tensor([[1.0, 1.0, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0]])
    cam = torch.rand(2, 4, 12, 16)
    refined_pseudo_label(torch.rand(2, 3, 12, 16), cam, tags, 0.25, 0.7, None, identity)
    assert shapes == [((2, 3, 6, 8), (2, 6, 6, 8))]


def test_absent_classes_never_win_whatever_refine_gives():
    cam, tags = torch.ones(2, 3, 4, 4), torch.tensor([[1.0, 1.0, 1.0], [0.0, 1.0, 0.0]])
    label = refined_pseudo_label(
        torch.rand(2, 3, 4, 4),
        cam,
        tags,
        0.2,
        0.7,
        None,
        lambda image, masks: -1 - masks,  # noqa: ARG005
    )
    assert set(label[1].unique().tolist()) <= {0, 2, 255}


def test_refined_label_without_tags_is_background():
    label = refined_pseudo_label(
        torch.rand(1, 3, 6, 6), torch.rand(1, 2, 6, 6), torch.zeros(1, 2), 0.25, 0.7, None, refine
    )
    assert torch.equal(label, torch.zeros(1, 6, 6, dtype=torch.long))


def test_refined_label_of_one_class_and_odd_sizes():
    label = refined_pseudo_label(
        torch.rand(1, 3, 7, 5), torch.ones(1, 1, 7, 5), torch.ones(1, 1), 0.25, 0.7, None, refine
    )
    assert torch.equal(label, torch.ones(1, 7, 5, dtype=torch.long))


def test_thresholds_belong_to_the_lower_side():
    cam = torch.tensor([0.25, 0.2501, 0.7, 0.7001]).view(1, 1, 1, 4)
    tags = torch.ones(1, 1)
    assert cam_to_label(cam, tags, 0.25, 0.7).tolist() == [[[0, 255, 255, 1]]]
    assert region_of_interest(cam, tags, 0.25, 0.7).tolist() == [[[0, 1, 2, 2]]]
    assert threshold_label(*tagged_maximum(cam, tags), 0.7).tolist() == [[[0, 0, 0, 1]]]


def test_no_tags_is_all_background():
    cam, tags = torch.rand(1, 3, 4, 4), torch.zeros(1, 3)
    assert cam_to_label(cam, tags, 0.25, 0.7).eq(0).all()
    assert region_of_interest(cam, tags, 0.25, 0.7).eq(0).all()


def test_equal_thresholds_leave_nothing_uncertain():
    cam = torch.tensor([0.4, 0.5, 0.6]).view(1, 1, 1, 3)
    assert region_of_interest(cam, torch.ones(1, 1), 0.5, 0.5).tolist() == [[[0, 2, 2]]]


def test_another_ignore_index():
    cam = torch.full((1, 1, 2, 2), 0.5)
    box = torch.tensor([[0, 1, 0, 2]])
    label = cam_to_label(cam, torch.ones(1, 1), 0.25, 0.4, box, ignore_index=-1)
    assert label.tolist() == [[[1, 1], [-1, -1]]]


@pytest.mark.parametrize(
    ('box', 'expected'),
    [
        ([0, 448, 0, 448], [0, 28, 0, 28]),
        ([8, 440, 9, 439], [0, 27, 1, 27]),
        ([16, 32, 7, 24], [1, 2, 0, 1]),
        ([200, 201, 199, 200], [12, 13, 12, 12]),
    ],
)
def test_scaled_box_keeps_cells_with_their_centre_inside(box, expected):
    scaled = scale_box(torch.tensor([box]), (448, 448), (28, 28))
    centres = torch.arange(28) * 16 + 8
    rows = (centres >= box[0]) & (centres < box[1])
    assert scaled[0, 1] - scaled[0, 0] == rows.sum()
    if rows.any():
        assert scaled[0].tolist() == expected


def test_scaled_box_of_sides_that_differ():
    scaled = scale_box(torch.tensor([[0, 100, 0, 60]]), (100, 60), (7, 5))
    assert scaled.tolist() == [[0, 7, 0, 5]]


def test_bad_thresholds():
    cam, tags = torch.rand(1, 2, 4, 4), torch.ones(1, 2)
    for function in (cam_to_label, region_of_interest):
        with pytest.raises(ValueError, match='low threshold'):
            function(cam, tags, 0.7, 0.25)
    with pytest.raises(ValueError, match='low threshold'):
        refined_pseudo_label(torch.rand(1, 3, 4, 4), cam, tags, 0.7, 0.25, None, refine)


def test_bad_shapes():
    cam = torch.rand(1, 2, 4, 4)
    with pytest.raises(ValueError, match='tags'):
        cam_to_label(cam, torch.ones(1, 3), 0.25, 0.7)
    with pytest.raises(ValueError, match='boxes'):
        cam_to_label(cam, torch.ones(1, 2), 0.25, 0.7, torch.zeros(2, 4))
    with pytest.raises(ValueError, match='scale'):
        refined_pseudo_label(
            torch.rand(1, 3, 4, 4), cam, torch.ones(1, 2), 0.25, 0.7, None, refine, scale=0
        )


@pytest.fixture
def clustered(reference):
    return reference('cluster_pseudo_label')


def test_reference_label_of_a_cluster_cam(clustered):
    label = refined_pseudo_label(
        clustered['img_denorm'],
        clustered['cam'],
        clustered['cls'],
        0.3,
        0.5,
        None,
        lambda image, masks: propagate(masks, pixel_affinity(image, eps=1e-5)),
    )
    assert torch.equal(label, clustered['refined'].long())
    assert label.unique().numel() > 3


def test_the_label_of_a_cluster_cam_gives_the_reference_loss(clustered):
    label, logits = clustered['refined'].long(), clustered['segs']
    pixels = F.cross_entropy(logits, label, ignore_index=255, reduction='none')
    foreground = (label != 0) & (label != 255)
    loss = 0.5 * pixels[label == 0].mean() + 0.5 * pixels[foreground].mean()
    assert_close(loss, clustered['seg_loss'], **CLOSE)
