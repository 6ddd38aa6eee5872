"""Five iterations of ToCo, the dual branch and ``best_voc_animals`` compute what 0.1 computed.

tests/data/same_numbers.npz was made by version 0.1, whose segmentors were classes of their own:
first weights, and what it computed from them in float64 (losses, gradients, labels, crops, weights
after the steps, a prediction). All terms begin, labels come from other CAMs, the decoder's among
them, a weight changes and the threshold falls. Of most tensors it holds the norm and the product
with a wave. Sums may be added in another order since, hence the tolerance of 1e-12 of the largest.
Position embeddings of patches are zero, since timm resizes them in float32.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.logging import MessageHub
from mmengine.registry import init_default_scope
from mmseg.registry import HOOKS, MODELS
from mmseg.structures import SegDataSample
from torch import Tensor, nn

from wsss_plugin.engine.optimizers import JointOptimWrapperConstructor
from wsss_plugin.models.terms import class_token_contrast_term
from wsss_plugin.models.version_0_1 import renamed_weights

SIZE, CLASSES, IMAGES, ITERATIONS, WIDTH = 32, 3, 3, 5, 12
TOLERANCE = 1e-12

TOCO = dict(
    type='WeakSegmentor',
    data_preprocessor=dict(
        type='MultiViewDataPreProcessor',
        size=(SIZE, SIZE),
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        bgr_to_rgb=True,
    ),
    backbone=dict(
        type='TimmVisionTransformer',
        model_name='vit_tiny_patch16_224',
        model_args=dict(img_size=SIZE, patch_size=8, embed_dim=WIDTH, depth=3, num_heads=2),
    ),
    decode_head=dict(
        type='LargeFOVHead', in_channels=WIDTH, channels=8, dilation=2, num_classes=CLASSES + 1
    ),
    cams=dict(
        final=dict(type='CAMHead', reads='patch', in_channels=WIDTH, pooling='max'),
        aux=dict(type='CAMHead', reads='inner.1', in_channels=WIDTH, pooling='max'),
    ),
    multi_scale=dict(scales=(1.0, 0.5, 1.5)),
    thresholds=dict(low=0.25, high=0.7),
    labels=dict(
        pixel=dict(
            type='PixelLabels',
            cams=('final',),
            refine=dict(type='PAR', num_iter=3, dilations=(1, 2, 4), w1=0.3, w2=0.01),
            scale=0.5,
        ),
        token=dict(type='TokenLabels', cams=('aux',)),
        region=dict(type='RegionMask', cams=('aux',)),
    ),
    terms=dict(
        cls=dict(type='ClassificationTerm'),
        ptc=dict(type='PatchTokenContrastTerm', labels='token', weight=0.2),
        ctc=dict(
            type='ClassTokenContrastTerm',
            labels='region',
            loss=dict(type='ClassTokenContrastLoss', temperature=0.5),
            projection_head=dict(
                type='ProjectionHead',
                in_channels=WIDTH,
                hidden_channels=12,
                bottleneck_channels=6,
                out_channels=12,
            ),
            momentum=0.9,
            local_crops=dict(num=3, size=16, positive_threshold=0.8),
            weight=0.5,
            idle='zero',
        ),
        seg=dict(type='SegmentationTerm', labels='pixel', weight=0.1, start=2, idle='zero'),
    ),
    test_cfg=dict(cam=True, pseudo_label=True, class_prior='final'),
)
# Of the dual branch in three phases, as on COCO.
DUAL = dict(
    backbone=dict(
        _delete_=True,
        type='DualBranchBackbone',
        vit=TOCO['backbone'],
        cnn=dict(
            type='ResNet',
            depth=18,
            base_channels=2,
            stem_channels=4,
            strides=(1, 2, 1, 1),
            dilations=(1, 1, 1, 1),
            norm_cfg=dict(type='BN', requires_grad=True),
            norm_eval=True,
        ),
        modulation=dict(type='ActivationModulation', order='serial', reduction=2),
        modulated_stages=('layer1', 'layer2', 'layer3'),
        placement='residual',
    ),
    decode_head=dict(
        _delete_=True,
        type='ConvMLPHead',
        in_channels=WIDTH,
        embed_channels=8,
        hidden_channels=6,
        channels=8,
        num_classes=CLASSES + 1,
    ),
    cams=dict(cnn=dict(type='CAMHead', reads='cnn', in_channels=16, pooling='avg')),
    labels=dict(pixel=dict(cams=((0, ('aux',)), (3, ('final', 'cnn'))))),
    terms=dict(
        consistency=dict(
            type='ConsistencyTerm',
            pairs=(('aux', 'cnn'), ('final', 'cnn')),
            loss=dict(type='SemanticConsistencyLoss', norm='l1', detach='second'),
            weight=0.1,
        ),
        ptc=dict(start=3),
        ctc=dict(start=3),
        seg=dict(start=1),
    ),
)
BEST = dict(
    cams=dict(decoder=dict(type='DecoderCAM')),
    thresholds=dict(low=0.2),
    labels=dict(
        pixel=dict(cams=((0, ('final', 'aux', 'cnn')), (3, ('aux', 'cnn', 'decoder')))),
        token=dict(cams=('aux', 'cnn')),
    ),
    terms=dict(
        consistency=dict(loss=dict(detach='none')),
        ptc=dict(start=0),
        ctc=dict(start=0, idle='skip'),
        seg=dict(
            loss=dict(type='BalancedCrossEntropyLoss', foreground_weight=0.3), idle='skip', start=1
        ),
    ),
)
CHANGES = dict(toco=(), dual=(DUAL,), best=(DUAL, BEST))

ADAMW = dict(type='AdamW', lr=2e-3, betas=(0.9, 0.999), weight_decay=0.01)
SGD = dict(type='SGD', lr=0.03, momentum=0.9, weight_decay=1e-4)
OPTIMIZERS = dict(
    toco=dict(vit=ADAMW), dual=dict(vit=ADAMW, cnn=SGD), best=dict(vit=ADAMW, cnn=ADAMW)
)
BRANCHES = dict(cnn=['backbone.cnn', 'backbone.modulations', 'cams.cnn'])
THRESHOLD = dict(type='CosineThresholdHook', start=0.7, end=0.5)
WEIGHT = dict(type='LossWeightHook', loss='terms.seg', weights=((0, 0.1), (3, 0.5)))
HOOKS_OF = dict(toco=(), dual=(THRESHOLD,), best=(THRESHOLD, WEIGHT))


class Stored:
    """What version 0.1 computed in a case."""

    def __init__(self, case: str) -> None:
        path = Path(__file__).parents[2] / 'data' / 'same_numbers.npz'
        with np.load(path) as arrays:
            self.arrays = dict(arrays)
        self.case = case

    def __getitem__(self, key: str) -> np.ndarray:
        return self.arrays[f'{self.case}.{key}']

    def keys(self, prefix: str) -> list[str]:
        """Keys of the case that begin so, without the prefix."""
        whole = f'{self.case}.{prefix}.'
        return [key.removeprefix(whole) for key in self.arrays if key.startswith(whole)]

    def by_name(self, key: str, row: int) -> dict[str, Any]:
        """A row of a table under today's names."""
        return renamed_weights(dict(zip(self[f'{key}.names'], self[key][row], strict=True)))

    def weights(self) -> dict[str, Tensor]:
        """First weights under today's names; the teacher begins as a copy of the student."""
        weights = self._unpacked('weights')
        if self.case == 'toco':
            weights = {
                name.replace('backbone.vit.', 'backbone.'): value
                for name, value in weights.items()
                if name.startswith(('backbone.vit.', 'cam_head', 'aux_cam_head', 'projection_head'))
            }
            weights.update(self._unpacked('toco.weights'))
        teacher = {
            name.replace('projection_head.', 'projection_ema.module.'): value
            for name, value in weights.items()
        }
        return renamed_weights({**teacher, **weights})

    def _unpacked(self, key: str) -> dict[str, Tensor]:
        values, weights = torch.from_numpy(self.arrays[f'{key}.values']), {}
        for name, shape in zip(
            self.arrays[f'{key}.names'], self.arrays[f'{key}.shapes'], strict=True
        ):
            sides = [int(side) for side in shape if side]
            weights[str(name)], values = values.tensor_split([int(np.prod(sides))])
            weights[str(name)] = weights[str(name)].view(sides)
        return weights


@pytest.fixture
def hub() -> Iterator[MessageHub]:
    hub = MessageHub.get_current_instance()
    before = dict(hub.runtime_info)
    yield hub
    hub.runtime_info.clear()
    hub.runtime_info.update(before)


@pytest.fixture(params=CHANGES)
def stored(request: pytest.FixtureRequest) -> Stored:
    return Stored(request.param)


@pytest.fixture
def segmentor(stored: Stored) -> nn.Module:
    init_default_scope('mmseg')
    config = Config(dict(model=copy.deepcopy(TOCO)))
    for changes in CHANGES[stored.case]:
        config.merge_from_dict(dict(model=copy.deepcopy(changes)))
    model = MODELS.build(config.model).double()
    missing = model.load_state_dict(stored.weights(), strict=False)
    assert not missing.unexpected_keys
    assert not set(missing.missing_keys) & set(dict(model.named_parameters()))
    return model


def batch(number: int, training: bool = True) -> dict[str, Any]:
    """Views and samples as a data loader gives them; NumPy keeps this generator's numbers."""
    random = np.random.RandomState(number)
    samples = []
    for index in range(IMAGES):
        tags = torch.zeros(CLASSES)
        tags[(index + number) % CLASSES] = 1
        tags[random.randint(CLASSES)] = 1
        sample = SegDataSample(gt_tags=tags)
        sample.set_metainfo(dict(ori_shape=(40, 36), img_shape=(SIZE, SIZE)))
        if training:
            box = (0, SIZE - 4 * index, 3 * index, SIZE)
            sample.set_metainfo(dict(sample_seed=10 * number + index, box=box))
        samples.append(sample)
    views = {name: images(random) for name in ('view1', 'view2', 'local')}
    return dict(inputs=views if training else views['view1'], data_samples=samples)


def images(random: np.random.RandomState) -> list[Tensor]:
    coarse = random.randint(0, 200, (IMAGES, 3, 8, 8)).repeat(4, axis=2).repeat(4, axis=3)
    return list(torch.from_numpy((coarse + random.randint(0, 56, coarse.shape)).astype(np.uint8)))


def fingerprint(tensor: Tensor | None) -> tuple[float, float]:
    """Norm of a tensor, and its product with a wave."""
    if tensor is None:
        return float('nan'), float('nan')
    flat = tensor.double().flatten()
    wave = torch.arange(1, len(flat) + 1, dtype=torch.float64).cos()
    return float(flat.norm()), float(flat @ wave)


def learnt(model: nn.Module) -> dict[str, Tensor]:
    """Weights and buffers without the bias of attention's keys.

    Attention does not depend on it, so its gradient is rounding noise, which AdamW enlarges.
    """
    state = dict(model.state_dict())
    for name, value in state.items():
        if name.endswith('attn.qkv.bias'):
            query, _, values = value.chunk(3)
            state[name] = torch.cat((query, values))
    return state


def assert_same(new: Any, old: Any, what: str) -> None:
    new, old = np.asarray(new), np.asarray(old)
    if old.dtype.kind != 'f':
        assert np.array_equal(new, old), what
        return
    assert new.shape == old.shape, what
    assert np.array_equal(np.isnan(new), np.isnan(old)), what
    difference = np.abs(np.nan_to_num(new) - np.nan_to_num(old)).max()
    assert difference <= TOLERANCE * np.abs(np.nan_to_num(old)).max(), (what, difference)


class Watched:
    """Gradients, labels and crops of a training step."""

    def __init__(self, model: nn.Module, wrapper: Any, patch: pytest.MonkeyPatch) -> None:
        self.gradients: dict[str, Tensor | None] = {}
        self.made: dict[str, Tensor] = {}
        backward, choose = wrapper.backward, class_token_contrast_term.choose_crops

        def watched_backward(loss: Tensor) -> None:
            backward(loss)
            for name, weight in model.named_parameters():
                if weight.requires_grad:
                    self.gradients[name] = None if weight.grad is None else weight.grad.clone()

        def watched_choice(*args: Any) -> Tensor:
            self.made['crops'] = choose(*args)
            return self.made['crops']

        patch.setattr(wrapper, 'backward', watched_backward)
        patch.setattr(class_token_contrast_term, 'choose_crops', watched_choice)
        for name in ('pixel', 'token'):
            patch.setattr(model.labels[name], 'make', self._watched_maker(name, model))

    def _watched_maker(self, name: str, model: nn.Module) -> Any:
        make = model.labels[name].make

        def watched(batch: Any) -> Tensor:
            self.made[name] = make(batch)
            return self.made[name]

        return watched


def check_step(
    stored: Stored, iteration: int, logs: dict[str, Any], watched: Watched, model: nn.Module
) -> None:
    losses = stored.by_name('losses', iteration)
    assert set(logs) == {name for name, value in losses.items() if not np.isnan(value)}
    for name, value in logs.items():
        assert_same(float(value), losses[name], f'{name} in iteration {iteration}')
    gradients = stored.by_name('gradients', iteration)
    assert set(watched.gradients) == set(gradients)
    for name, gradient in watched.gradients.items():
        what = f'gradient of {name} in iteration {iteration}'
        assert_same(fingerprint(gradient), gradients[name], what)
    for name in stored.keys('classifier'):
        gradient = watched.gradients[f'cams.{name}.classifier.weight']
        assert_same(gradient, stored[f'classifier.{name}'][iteration], f'gradient of {name}')
    for name in ('pixel', 'token', 'crops'):
        table = stored[name]
        begun = iteration - (ITERATIONS - len(table))
        assert (begun >= 0) == (name in watched.made), (name, iteration)
        if begun >= 0:
            assert_same(watched.made[name], table[begun], f'{name} in iteration {iteration}')
    if iteration % 2 == 0:
        state = learnt(model)
        for name, old in stored.by_name('state', iteration // 2).items():
            assert_same(fingerprint(state[name]), old, f'{name} after iteration {iteration}')


def check_prediction(stored: Stored, model: nn.Module) -> None:
    model.eval()
    with torch.no_grad():
        prediction = model.test_step(batch(90, training=False))[1]
    for key in stored.keys('prediction'):
        field, part = key.split('.')
        assert_same(
            getattr(prediction.get(field), part)[..., ::3, ::3], stored[f'prediction.{key}'], key
        )


def test_five_iterations_and_a_prediction(stored, segmentor, hub, monkeypatch):
    case = stored.case
    paramwise = dict(head_lr_mult=10, **(dict(branches=BRANCHES) if case != 'toco' else {}))
    wrapper = JointOptimWrapperConstructor(dict(optimizers=OPTIMIZERS[case]), paramwise)(segmentor)
    wrapper.initialize_count_status(segmentor, 0, ITERATIONS)
    hub.update_info('max_iters', ITERATIONS)
    runner = SimpleNamespace(model=segmentor, max_iters=ITERATIONS, message_hub=hub, iter=0)
    hooks = [HOOKS.build(dict(config)) for config in HOOKS_OF[case]]
    watched = Watched(segmentor, wrapper, monkeypatch)
    for iteration in range(ITERATIONS):
        runner.iter = iteration
        hub.update_info('iter', iteration)
        for hook in hooks:
            hook.before_train_iter(runner, iteration)
        watched.made.clear()
        logs = segmentor.train_step(batch(iteration), wrapper)
        check_step(stored, iteration, logs, watched, segmentor)
    check_prediction(stored, segmentor)
