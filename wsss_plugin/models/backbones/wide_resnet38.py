"""ResNet-38d, the wide residual network of AffinityNet."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from mmengine.model import BaseModule
from mmseg.registry import MODELS
from torch import Tensor, nn

from wsss_plugin.models.backbones.wide_bottleneck_block import WideBottleneckBlock
from wsss_plugin.models.backbones.wide_residual_block import WideResidualBlock

FEATURES = ('conv4', 'conv5', 'conv6', 'cam')

# Level: input, hidden and output channels in multiples of the first convolution's, stride,
# dilations of the first block's convolutions and of the others', and number of blocks.
_LEVELS = {
    2: (1, 2, 2, 2, (1, 1), 1, 3),
    3: (2, 4, 4, 2, (1, 1), 1, 3),
    4: (4, 8, 8, 2, (1, 1), 1, 6),
    5: (8, 8, 16, 1, (1, 2), 2, 3),
}
# Parts of the published CAM and affinity networks in front of or behind the backbone.
_HEADS = ('fc8.', 'f8_', 'f9.')


@MODELS.register_module()
class WideResNet38(BaseModule):
    """ResNet-38d with output stride 8 (AffinityNet, Section 4; Wu et al., model A1).

    105 M parameters, under the published names. Feature maps are ``conv4`` (512 channels, the
    rectified input of level 5), ``conv5`` (1024, that of level 6) and ``conv6`` (4096, the
    rectified output), all at stride 8, and ``cam``: what the CAM network classifies, ``conv6``
    behind dropout, and behind the paper's adaptation layer if there is one. Takes RGB images scaled
    to [0, 1] and normalised by ImageNet's mean and standard deviation.

    Args:
        pretrained: File of weights under the published names, for example from
            ``tools/convert_r38.py``; None for random weights. Read by :meth:`init_weights` only.
        out_features: Names of the maps that the forward pass returns.
        frozen_levels: Levels that are not trained, from the first: 0 none, 1 the first
            convolution, 2 also level 2 (published), up to 7.
        frozen_norm: Keeps statistics and weights of all batch normalisations (published).
        dropout: Shares of channels dropped in levels 6 and 7.
        base_channels: Channels of the first convolution, 64 in ResNet-38d; all others are
            multiples of it, of which the descriptions above give the published ones.
        cam_channels: Channels of a 3x3 convolution with ReLU before the CAM; None for none, as in
            the published code. The paper has 512; it does not name the ReLU.
        cam_dropout: Share of channels of ``conv6`` dropped before the CAM.
        init_cfg: MMEngine's initialisation config, used after ``pretrained``.

    Raises:
        ValueError: If a feature is unknown or ``frozen_levels`` out of range.
    """

    def __init__(
        self,
        pretrained: str | None = None,
        out_features: Sequence[str] = ('conv4', 'conv5', 'conv6'),
        frozen_levels: int = 2,
        frozen_norm: bool = True,
        dropout: Sequence[float] = (0.3, 0.5),
        base_channels: int = 64,
        cam_channels: int | None = None,
        cam_dropout: float = 0.5,
        init_cfg: dict | list[dict] | None = None,
    ) -> None:
        super().__init__(init_cfg)
        for name in out_features:
            self.check_feature(name)
        if not 0 <= frozen_levels <= 7:
            raise ValueError(
                f'expected frozen_levels between 0 and 7, received {frozen_levels}; 2 is published'
            )
        self.pretrained = pretrained
        self.out_features = tuple(out_features)
        self.frozen_levels = frozen_levels
        self.frozen_norm = frozen_norm
        self._add_levels(base_channels, dropout)
        self.embed_dims = 64 * base_channels
        self.cam_dropout = nn.Dropout2d(cam_dropout)
        self.cam_adaptation: nn.Module | None = None
        if cam_channels is not None:
            self.cam_adaptation = nn.Conv2d(self.embed_dims, cam_channels, 3, padding=1)
        self._freeze()

    def _add_levels(self, base: int, dropout: Sequence[float]) -> None:
        self.conv1a = nn.Conv2d(3, base, kernel_size=3, padding=1, bias=False)
        for level, (*multiples, stride, first, dilation, count) in _LEVELS.items():
            inputs, hidden, outputs = (base * multiple for multiple in multiples)
            block = WideResidualBlock(inputs, hidden, outputs, stride, *first)
            self.add_module(f'b{level}', block)
            for number in range(1, count):
                block = WideResidualBlock(outputs, hidden, outputs, 1, dilation, dilation)
                self.add_module(f'b{level}_{number}', block)
        self.b6 = WideBottleneckBlock(16 * base, 32 * base, dilation=4, dropout=dropout[0])
        self.b7 = WideBottleneckBlock(32 * base, 64 * base, dilation=4, dropout=dropout[1])
        self.bn7 = nn.BatchNorm2d(64 * base)

    def _level(self, level: int) -> list[nn.Module]:
        if level == 1:
            return [self.conv1a]
        name = f'b{level}'
        return [m for key, m in self.named_children() if key == name or key.startswith(name + '_')]

    def _freeze(self) -> None:
        for level in range(1, self.frozen_levels + 1):
            for module in self._level(level):
                module.requires_grad_(False)
        if self.frozen_norm:
            for module in self.modules():
                if isinstance(module, nn.BatchNorm2d):
                    module.requires_grad_(False)

    def train(self, mode: bool = True) -> WideResNet38:
        """Switches between training and evaluation; frozen parts stay in evaluation.

        Args:
            mode: True for training.

        Returns:
            The module.
        """
        super().train(mode)
        for level in range(1, self.frozen_levels + 1):
            for block in self._level(level):
                block.eval()
        if self.frozen_norm:
            for module in self.modules():
                if isinstance(module, nn.BatchNorm2d):
                    module.eval()
        return self

    def init_weights(self) -> None:
        """Loads the pretrained weights.

        Raises:
            FileNotFoundError: If ``pretrained`` names a file that does not exist.
            ValueError: If the file lacks weights of the network or has others.
        """
        if self.pretrained is not None:
            self._load(Path(self.pretrained).expanduser())
        super().init_weights()

    def _load(self, file: Path) -> None:
        if not file.is_file():
            raise FileNotFoundError(
                'expected a file of weights for WideResNet38 at the config key '
                f'backbone.pretrained, received {str(file)!r}; make it by tools/convert_r38.py '
                'from the published .params file, or give None to start from random weights'
            )
        given = torch.load(file, map_location='cpu', weights_only=True)
        given = given.get('state_dict', given)
        wrong = self.load_state_dict(given, strict=False)
        ours = ('cam_adaptation.', *_HEADS)
        missing = [name for name in wrong.missing_keys if not name.startswith(ours)]
        missing = [name for name in missing if not name.endswith('num_batches_tracked')]
        unknown = [name for name in wrong.unexpected_keys if not name.startswith(ours)]
        if missing or unknown:
            raise ValueError(
                f'expected weights of WideResNet38 under the published names in {file} (config key '
                f'backbone.pretrained), received none for {missing[:3]} ({len(missing)} in all) '
                f'and unknown {unknown[:3]} ({len(unknown)} in all); make the file by '
                'tools/convert_r38.py'
            )

    def check_feature(self, name: str) -> None:
        """Checks the name of a feature map.

        Args:
            name: Name to be read.

        Raises:
            ValueError: If there is no such map.
        """
        if name not in FEATURES:
            raise ValueError(
                f'expected a feature of WideResNet38 among {FEATURES}, received {name!r}'
            )

    def forward_features(
        self,
        image: Tensor,
        names: Sequence[str],
        reduce: Mapping[str, Callable] | None = None,  # noqa: ARG002  (it has no map by block)
        context: Mapping[str, Any] | None = None,  # noqa: ARG002  (it needs none)
    ) -> dict[str, Tensor]:
        """Feature maps by name; no level beyond those asked for is computed.

        Args:
            image: Normalised images (B, 3, H, W).
            names: Which of the maps.
            reduce: Unused.
            context: Unused.

        Returns:
            The maps by name, (B, C, ceil(H / 8), ceil(W / 8)).

        Raises:
            ValueError: If a feature is unknown.
        """
        for name in names:
            self.check_feature(name)
        depth = max((FEATURES.index(name) for name in names), default=-1)
        inputs = self._through(image, levels=(1, 2, 3, 4))
        maps = {'conv4': self.b5.activation(inputs)}
        if depth >= FEATURES.index('conv5'):
            inputs = self.b5(inputs, maps['conv4'])
            inputs = self.b5_2(self.b5_1(inputs))
            maps['conv5'] = self.b6.activation(inputs)
        if depth >= FEATURES.index('conv6'):
            inputs = self.b7(self.b6(inputs, maps['conv5']))
            maps['conv6'] = F.relu(self.bn7(inputs))
        if 'cam' in names:
            maps['cam'] = self._for_cam(maps['conv6'])
        return {name: maps[name] for name in names}

    def _through(self, inputs: Tensor, levels: Sequence[int]) -> Tensor:
        for level in levels:
            for module in self._level(level):
                inputs = module(inputs)
        return inputs

    def _for_cam(self, features: Tensor) -> Tensor:
        features = self.cam_dropout(features)
        return features if self.cam_adaptation is None else F.relu(self.cam_adaptation(features))

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """Feature maps in MMSegmentation's form.

        Args:
            image: Normalised images (B, 3, H, W).

        Returns:
            The maps named by ``out_features``, in that order.
        """
        maps = self.forward_features(image, self.out_features)
        return tuple(maps[name] for name in self.out_features)
