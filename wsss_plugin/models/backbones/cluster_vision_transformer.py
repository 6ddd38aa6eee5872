"""A vision transformer with a class token for each class, and with clusters of patches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import timm
import torch
import torch.nn.functional as F
from mmseg.registry import MODELS
from timm.models.vision_transformer import Attention
from torch import Tensor, nn

from wsss_plugin.models.backbones.attention_features import (
    HEADS,
    MEAN,
    PATCHES,
    AttentionFeatures,
)
from wsss_plugin.models.backbones.class_token_block import ClassTokenBlock
from wsss_plugin.models.backbones.feature_backbone import Reduction
from wsss_plugin.models.backbones.timm_vision_transformer import TimmVisionTransformer
from wsss_plugin.ops.bicubic import bicubic_matrix

_CLUSTERS = 'clusters'
_FEATURES = ('patch', 'class_tokens', HEADS, MEAN, PATCHES)
_INNER = 'inner.'


@MODELS.register_module()
class ClusterVisionTransformer(TimmVisionTransformer):
    """A timm vision transformer with K class tokens (MCTformer) and clustering (ClusterCAM).

    All class tokens start from the one of the timm model, and so do their position embeddings.
    With ``steps`` every block has a :class:`ClusterAttention` beside its own, without it the
    network is that of MCTformer. The final norm is left out, as both published codes do.

    The position embedding is resized by bicubic interpolation with the factors
    ``(h + 0.1) / H`` and ``(w + 0.1) / W`` of both codes, which move the grid a little.

    Args:
        model_name: Name of a timm ``VisionTransformer`` with one class token, for example
            ``'deit_small_patch16_224.fb_in1k'``.
        num_classes: Number K of classes without the background.
        steps: Steps of the clustering: 3 in ClusterCAM's code, 10 in its paper, 0 for MCTformer.
        cell: Height and width of the cells in which the centres begin, in patches.
        mean_blocks: Number of last blocks over which ``class_to_patch.mean`` is summed.
        outputs: Names of the features that :meth:`forward` returns.
        pretrained: As in ``TimmVisionTransformer``; the weights are those of the timm model.
        frozen_stages: As in ``TimmVisionTransformer``.
        freeze_position_embedding: Keeps the position embedding fixed; both codes train it.
        model_args: Further arguments of the timm model, for example ``drop_path_rate``.
        init_cfg: MMEngine's initialisation config, used after ``pretrained``.
        in_channels: As in ``TimmVisionTransformer``.
        grad_checkpointing: As in ``TimmVisionTransformer``.

    Raises:
        TypeError: If the model is not a plain ``VisionTransformer`` with one class token.
        ValueError: If ``num_classes``, ``cell`` or ``mean_blocks`` is not positive, or ``steps`` is
            negative.

    Examples:
        >>> vit = ClusterVisionTransformer('deit_tiny_patch16_224', num_classes=4,
        ...                                model_args=dict(depth=3, embed_dim=24, num_heads=3))
        >>> names = ('class_tokens', 'patch', 'class_to_patch')
        >>> features = vit.forward_features(torch.zeros(1, 3, 32, 50), names)
        >>> [tuple(features[name].shape) for name in names]
        [(1, 4, 24), (1, 24, 2, 3), (1, 36, 2, 3)]
    """

    def __init__(
        self,
        model_name: str,
        num_classes: int,
        steps: int = 3,
        cell: Sequence[int] = (2, 2),
        mean_blocks: int = 3,
        outputs: Sequence[str] = ('patch',),
        pretrained: bool | str = False,
        frozen_stages: int = -1,
        freeze_position_embedding: bool = False,
        model_args: dict[str, Any] | None = None,
        init_cfg: dict | list[dict] | None = None,
        in_channels: int = 3,
        grad_checkpointing: bool = False,
    ) -> None:
        if num_classes < 1 or steps < 0 or mean_blocks < 1:
            raise ValueError(
                'expected num_classes and mean_blocks of at least 1 and steps of at least 0, '
                f'received {num_classes}, {mean_blocks} and {steps}'
            )
        super().__init__(
            model_name,
            pretrained,
            inner_blocks=(),
            frozen_stages=frozen_stages,
            freeze_position_embedding=freeze_position_embedding,
            model_args=model_args,
            init_cfg=init_cfg,
            in_channels=in_channels,
            grad_checkpointing=grad_checkpointing,
        )
        self.num_classes = num_classes
        self.mean_blocks = min(mean_blocks, len(self.trunk.blocks))
        self._check_tokens()
        weights = self._with_class_tokens(self.trunk.state_dict())
        for name in ('cls_token', 'pos_embed'):
            setattr(self.trunk, name, nn.Parameter(weights[name]))
        self.trunk.num_prefix_tokens = num_classes
        # Left out, so that no weight is trained that nothing depends on.
        self.trunk.norm = nn.Identity()
        blocks = (ClassTokenBlock(block, num_classes, steps, cell) for block in self.trunk.blocks)
        self.trunk.blocks = nn.Sequential(*blocks)
        self._freeze()
        self.outputs = tuple(outputs)
        for name in self.outputs:
            self.check_feature(name)

    def _check_tokens(self) -> None:
        trunk = self.trunk
        plain = all(type(block.attn) is Attention for block in trunk.blocks)
        gated = any(getattr(block.attn, 'gate', None) is not None for block in trunk.blocks)
        if trunk.num_prefix_tokens != 1 or trunk.no_embed_class or not plain or gated:
            raise TypeError(
                'expected model_name of a timm VisionTransformer with one class token, an embedded '
                f'position of it and plain attention, received {self.model_name!r}; use for '
                "instance 'deit_small_patch16_224.fb_in1k'"
            )

    def _with_class_tokens(self, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Weights of the timm model with class token and its position repeated for each class."""
        token, position = weights['cls_token'], weights['pos_embed']
        repeated = position[:, :1].repeat(1, self.num_classes, 1)
        return dict(
            weights,
            cls_token=token.repeat(1, self.num_classes, 1),
            pos_embed=torch.cat((repeated, position[:, 1:]), dim=1),
        )

    def _plain_trunk(self) -> Any:
        return timm.create_model(self.model_name, pretrained=False, **self.model_args)

    def _load_trunk(self, weights: dict[str, Tensor]) -> None:
        own = self.trunk.state_dict()
        given = self._with_class_tokens(weights)
        self.trunk.load_state_dict(own | {name: given[name] for name in own if name in given})
        for block in self.trunk.blocks:
            block.start_clusters()

    def _position_embedding(self, grid: tuple[int, int]) -> tuple[Tensor, Tensor]:
        trunk = self.trunk
        old = tuple(trunk.patch_embed.grid_size)
        position = trunk.pos_embed[:, self.num_classes :]
        if grid != old:
            maps = position.transpose(1, 2).unflatten(2, old)
            maps = _traced_resize(maps, grid) if torch.jit.is_tracing() else _resize(maps, grid)
            position = maps.flatten(2).transpose(1, 2)
        return trunk.cls_token + trunk.pos_embed[:, : self.num_classes], position

    def check_feature(self, name: str) -> None:
        """Checks that a feature exists.

        Args:
            name: Name of the feature.

        Raises:
            ValueError: If there is none of this name.
        """
        if name.startswith(_INNER):
            super().check_feature(name)
        elif name not in self._features():
            raise ValueError(
                f'expected a feature of {type(self).__name__} among {self._features()} and '
                f"'inner.<block>', received {name!r}"
            )

    def _features(self) -> tuple[str, ...]:
        with_clusters = self.trunk.blocks[-1].cluster is not None
        return (*_FEATURES, _CLUSTERS) if with_clusters else _FEATURES

    @classmethod
    def deployed(
        cls, config: Mapping[str, Any], reads: Sequence[str]
    ) -> tuple[dict[str, Any], dict[str, str]]:
        """The config of a backbone whose outputs are the features that a decode head reads.

        Args:
            config: The backbone's config.
            reads: Names of the features.

        Returns:
            The config, without pretrained weights, and the new prefix of the names of weights by
            the old one.
        """
        dropped = ('pretrained', 'init_cfg')
        kept = {key: value for key, value in config.items() if key not in dropped}
        return {**kept, 'outputs': tuple(reads)}, {'': ''}

    def run_block(self, index: int, tokens: Tensor, grid: tuple[int, int] | None = None) -> Tensor:
        """Runs one block.

        Args:
            index: Index of the block, from 0.
            tokens: Tokens (B, K + N, C).
            grid: Height and width of the patches, which a block with clusters needs.

        Returns:
            Tokens (B, K + N, C).
        """
        tokens, _ = self._run(self.trunk.blocks[index], tokens, grid)
        return tokens

    def forward_features(
        self,
        image: Tensor,
        names: Sequence[str],
        reduce: Mapping[str, Reduction] | None = None,
        context: Mapping[str, Any] | None = None,  # noqa: ARG002  (nothing is taken from it)
    ) -> dict[str, Tensor]:
        """The features that are asked for; attention is kept only where it is.

        ``patch`` (B, C, h, w) and ``class_tokens`` (B, K, C) are the tokens after the last block.
        ``class_to_patch`` (B, L * heads * K, h, w) holds the attention of every class token by all
        heads of all L blocks, ``class_to_patch.mean`` (B, K, h, w) its mean over the heads, summed
        over the last blocks, and ``patch_to_patch`` (B, h * w, h * w) the mean over the heads of
        the attention between patches, summed over all blocks while they run. ``clusters``
        (B, M, h, w) is the share of each cluster of the last block in every patch.

        Args:
            image: Normalised images (B, 3, H, W).
            names: Names of the features.
            reduce: By the name of a feature from attention what takes the place of its sum over
                blocks, or of its concatenation.
            context: Unused.

        Returns:
            The features by name.

        Raises:
            ValueError: If a feature is unknown or the image is smaller than a patch.
        """
        inner, features = self._inner_names(names), dict[str, Tensor]()
        attention = AttentionFeatures(names, len(self.trunk.blocks), self.mean_blocks, reduce)
        tokens, grid = self.embed(image)
        for index, block in enumerate(self.trunk.blocks):
            if _CLUSTERS in names and index == len(self.trunk.blocks) - 1:
                assignment, _ = block.cluster.clusters(tokens, grid)
                features[_CLUSTERS] = assignment.transpose(1, 2).unflatten(2, grid)
            tokens, maps = self._run(block, tokens, grid, *attention.wants(index))
            attention.add(index, maps, grid)
            for name in inner.get(index, ()):
                features[name] = self._to_map(tokens, grid)
        features.update(attention.result())
        features.update(
            patch=self._to_map(tokens, grid), class_tokens=tokens[:, : self.num_classes]
        )
        return {name: features[name] for name in names}

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """Feature maps in MMSegmentation's form.

        Args:
            image: Normalised images, shape (B, 3, H, W).

        Returns:
            The maps named by ``outputs``, each (B, C, h, w).
        """
        return tuple(self.forward_features(image, self.outputs).values())


def _resize(maps: Tensor, grid: tuple[int, int]) -> Tensor:
    factors = tuple((new + 0.1) / old for new, old in zip(grid, maps.shape[2:], strict=True))
    return F.interpolate(maps, scale_factor=factors, mode='bicubic', align_corners=False)


def _traced_resize(maps: Tensor, grid: tuple[int, int]) -> Tensor:
    """The same for a grid that follows from the image, also where it is that of the maps."""
    sides = tuple(maps.shape[2:])
    new = [torch.as_tensor(side, device=maps.device) for side in grid]
    kept = (new[0] == sides[0]) & (new[1] == sides[1])
    rows, columns = (
        bicubic_matrix(old, to, torch.where(kept, 1.0, (side.to(maps.dtype) + 0.1) / old), maps)
        for old, to, side in zip(sides, grid, new, strict=True)
    )
    return rows @ maps @ columns.transpose(0, 1)
