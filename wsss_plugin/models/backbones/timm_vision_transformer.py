"""Any timm vision transformer as a backbone for MMSegmentation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import timm
import torch
from mmengine.model import BaseModule
from mmseg.registry import MODELS
from timm.layers import PatchEmbed
from timm.models.vision_transformer import VisionTransformer
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from wsss_plugin.models.backbones.attention_maps import run_with_weights
from wsss_plugin.models.backbones.embedded_position import embedded_position
from wsss_plugin.models.backbones.feature_backbone import Reduction
from wsss_plugin.models.backbones.pretrained_timm import pretrained_weights

_INNER = 'inner.'
_TOKENS = 'tokens.'
_ATTENTION = 'attention'
_FINAL = ('patch', 'class')


@MODELS.register_module()
class TimmVisionTransformer(BaseModule):
    """A timm vision transformer that gives class token, patch tokens and inner tokens by name.

    Its features are ``patch`` (B, C, h, w) and ``class`` (B, C), both after the final norm;
    ``inner.<i>``, the un-normalised patch tokens of block i (negative from the end); ``tokens.<i>``
    (B, N, C), all tokens of block i, from which :meth:`run_block` can go on; and ``attention``, the
    weights (B, heads, tokens, tokens) of every block, which ``reduce`` has to take up block by
    block. The position embedding is resized (bicubic, ``align_corners=False``) to the grid of every
    input; a strip narrower than a patch at the right or bottom is not seen, as with a strided
    convolution.

    Args:
        model_name: Name of a timm model of the class ``VisionTransformer``, for example
            ``'vit_base_patch16_224.orig_in21k_ft_in1k'`` or ``'vit_small_patch14_dinov2'``.
        pretrained: False for random weights, True for timm's download, or the path of a local
            file of weights under timm's names. Read by :meth:`init_weights` only.
        inner_blocks: Indices (0-based, negative from the end) of blocks whose tokens ``forward``
            returns before the final map; features by name do not need it.
        frozen_stages: -1 trains everything; 0 freezes the embeddings; n also the first n blocks;
            the number of blocks freezes the whole transformer.
        freeze_position_embedding: Keeps the position embedding fixed, as ToCo does.
        model_args: Further arguments of the timm model (``embed_dim``, ``depth``, ``img_size``...),
            except ``patch_drop_rate``: CAMs need every patch.
        init_cfg: MMEngine's initialisation config, used after ``pretrained``.
        in_channels: Channels of the images. For other than 3 timm repeats the pretrained weights
            of the first layer over the channels.
        grad_checkpointing: Keeps of each block its input only, and computes it again in the
            backward pass: less memory for a forward pass more, with the same gradients.

    Raises:
        TypeError: If the model is not a ``VisionTransformer`` with class token, absolute position
            embedding and patches embedded by one convolution.
        ValueError: If an index of a block or ``frozen_stages`` is out of range, or patches are
            dropped.

    Examples:
        >>> import torch
        >>> vit = TimmVisionTransformer('vit_tiny_patch16_224', inner_blocks=(-2,),
        ...                             model_args=dict(depth=3, embed_dim=24, num_heads=3))
        >>> [tuple(level.shape) for level in vit(torch.zeros(1, 3, 32, 50))]
        [(1, 24, 2, 3), (1, 24, 2, 3)]
    """

    def __init__(
        self,
        model_name: str,
        pretrained: bool | str = False,
        inner_blocks: Sequence[int] = (),
        frozen_stages: int = -1,
        freeze_position_embedding: bool = True,
        model_args: dict[str, Any] | None = None,
        init_cfg: dict | list[dict] | None = None,
        in_channels: int = 3,
        grad_checkpointing: bool = False,
    ) -> None:
        super().__init__(init_cfg)
        self.model_name = model_name
        self.pretrained = pretrained
        # ``in_chans`` of the arguments is timm's own name of the same.
        self.model_args = {'in_chans': in_channels, **(model_args or {}), 'num_classes': 0}
        self.in_channels = self.model_args['in_chans']
        trunk: Any = timm.create_model(model_name, pretrained=False, **self.model_args)
        self.trunk = trunk
        self._check_architecture()
        trunk.set_grad_checkpointing(grad_checkpointing)
        self.inner_blocks = tuple(self._block_index(index) for index in inner_blocks)
        self.freeze_position_embedding = freeze_position_embedding
        self.frozen_stages = frozen_stages
        self._freeze()

    def _check_architecture(self) -> None:
        trunk = self.trunk
        usable = (
            isinstance(trunk, VisionTransformer)
            and trunk.cls_token is not None
            and trunk.pos_embed is not None
            and isinstance(trunk.patch_embed, PatchEmbed)
        )
        if not usable:
            raise TypeError(
                'expected model_name of a timm VisionTransformer with class token, absolute '
                f'position embedding and plain patches, received {self.model_name!r} '
                f"({type(trunk).__name__}); use for instance 'vit_base_patch16_224' or "
                "'deit_tiny_patch16_224'"
            )
        if self.model_args.get('patch_drop_rate', 0):
            raise ValueError(
                'expected no patch_drop_rate in model_args, since CAMs need every patch, received '
                f'{self.model_args["patch_drop_rate"]}; leave it out'
            )

    def _block_index(self, index: int) -> int:
        depth = len(self.trunk.blocks)
        if not -depth <= index < depth:
            raise ValueError(
                f'expected inner_blocks between {-depth} and {depth - 1} for {self.model_name}, '
                f'received {index}; it has {depth} blocks'
            )
        return index % depth

    @property
    def embed_dims(self) -> int:
        """Number of channels of every token."""
        return self.trunk.embed_dim

    @property
    def patch_size(self) -> tuple[int, int]:
        """Height and width of a patch in pixels."""
        return self.trunk.patch_embed.patch_size

    def _freeze(self) -> None:
        depth = len(self.trunk.blocks)
        if not -1 <= self.frozen_stages <= depth:
            raise ValueError(
                f'expected frozen_stages between -1 and {depth}, received {self.frozen_stages}; '
                f'{self.model_name} has {depth} blocks'
            )
        if self.freeze_position_embedding:
            self.trunk.pos_embed.requires_grad_(False)
        if self.frozen_stages == depth:
            self.trunk.requires_grad_(False)
        elif self.frozen_stages >= 0:
            for name, parameter in self.trunk.named_parameters():
                if not name.startswith(('blocks.', 'norm.')):
                    parameter.requires_grad_(False)
            self.trunk.blocks[: self.frozen_stages].requires_grad_(False)

    def train(self, mode: bool = True) -> TimmVisionTransformer:
        """Switches between training and evaluation; frozen parts stay in evaluation.

        Args:
            mode: True for training.

        Returns:
            The module.
        """
        super().train(mode)
        if self.frozen_stages >= 0:
            self.trunk.patch_embed.eval()
            self.trunk.pos_drop.eval()
            self.trunk.blocks[: self.frozen_stages].eval()
        return self

    def init_weights(self) -> None:
        """Loads the pretrained weights.

        Raises:
            FileNotFoundError: If ``pretrained`` names a file that does not exist.
            ValueError: If the file lacks weights of the model.
        """
        # timm has initialised its own modules; MMEngine's recursion would do it again and
        # overwrite what was loaded.
        if self.pretrained:
            weights = pretrained_weights(
                self.model_name, self.pretrained, self.model_args, self._plain_trunk
            )
            self._load_trunk(weights)
        if self.init_cfg:
            self.trunk.is_init = True
            super().init_weights()

    def _load_trunk(self, weights: dict[str, Tensor]) -> None:
        """Loads weights under the names of the timm model."""
        self.trunk.load_state_dict(weights)

    def _plain_trunk(self) -> Any:
        """The timm model that a file of weights belongs to."""
        return self.trunk

    def embed(self, image: Tensor) -> tuple[Tensor, tuple[int, int]]:
        """Tokens that enter the first block: prefix tokens, then patches with their position.

        Args:
            image: Normalised images, shape (B, 3, H, W).

        Returns:
            Tokens (B, N, C) and the grid (H // patch height, W // patch width).

        Raises:
            ValueError: If the image is smaller than a patch.
        """
        trunk = self.trunk
        patch_height, patch_width = self.patch_size
        grid = image.shape[-2] // patch_height, image.shape[-1] // patch_width
        if 0 in grid:
            raise ValueError(
                f'expected an image of at least one patch ({patch_height}x{patch_width}), received '
                f'{tuple(image.shape[-2:])}; enlarge the image or the crop size'
            )
        projected = trunk.patch_embed.proj(image).flatten(2).transpose(1, 2)
        tokens = trunk.patch_embed.norm(projected)
        prefix, position = self._position_embedding(grid)
        tokens = torch.cat((prefix.expand(len(image), -1, -1), tokens + position), dim=1)
        return trunk.norm_pre(trunk.patch_drop(trunk.pos_drop(tokens))), grid

    def _position_embedding(self, grid: tuple[int, int]) -> tuple[Tensor, Tensor]:
        """Prefix tokens with their embedding, and the embedding of the patches on the grid."""
        return embedded_position(self.trunk, grid)

    def _to_map(self, tokens: Tensor, grid: tuple[int, int]) -> Tensor:
        patches = tokens[:, self.trunk.num_prefix_tokens :]
        maps = patches.transpose(1, 2)
        # Behind unflatten the exporter to ONNX takes the grid for one that never changes.
        return maps.reshape(*maps.shape[:2], *grid)

    def check_feature(self, name: str) -> None:
        """Checks that a feature exists.

        Args:
            name: Name of the feature.

        Raises:
            ValueError: If there is none of this name.
        """
        kind, dot, index = name.partition('.')
        if kind + dot in (_INNER, _TOKENS) and index.lstrip('-').isdigit():
            self._block_index(int(index))
        elif name not in (*_FINAL, _ATTENTION):
            raise ValueError(
                f"expected a feature of {self.model_name} among 'patch', 'class', 'inner.<block>', "
                f"'tokens.<block>' and 'attention', received {name!r}"
            )

    @classmethod
    def deployed(
        cls, config: Mapping[str, Any], reads: Sequence[str]
    ) -> tuple[dict[str, Any], dict[str, str]]:
        """The config of a backbone whose outputs are the features that a decode head reads.

        Args:
            config: The backbone's config.
            reads: Names of the features, the final map last.

        Returns:
            The config, without pretrained weights, and the new prefix of the names of weights by
            the old one.

        Raises:
            ValueError: If ``forward`` cannot return these features in this order.
        """
        *inner, last = reads
        if last != 'patch' or not all(name.startswith(_INNER) for name in inner):
            raise ValueError(
                "expected decode_reads as any number of 'inner.<block>' and then 'patch' for a "
                f'model that is deployed, received {tuple(reads)}; deploy the segmentor as it is'
            )
        blocks = tuple(int(name.removeprefix(_INNER)) for name in inner)
        dropped = ('pretrained', 'init_cfg')
        kept = {key: value for key, value in config.items() if key not in dropped}
        return {**kept, 'inner_blocks': blocks}, {'': ''}

    def run_block(self, index: int, tokens: Tensor) -> Tensor:
        """Runs one block.

        Args:
            index: Index of the block, from 0.
            tokens: Tokens (B, N, C).

        Returns:
            Tokens (B, N, C).
        """
        return self._run(self.trunk.blocks[index], tokens)

    def _run(self, block: nn.Module, *arguments: Any) -> Any:
        """Runs a block, of which only the input is kept under gradient checkpointing."""
        if self.trunk.grad_checkpointing and torch.is_grad_enabled():
            return checkpoint(block, *arguments, use_reentrant=False)
        return block(*arguments)

    def forward_features(
        self,
        image: Tensor,
        names: Sequence[str],
        reduce: Mapping[str, Reduction] | None = None,
        context: Mapping[str, Any] | None = None,  # noqa: ARG002  (nothing is taken from it)
    ) -> dict[str, Tensor]:
        """Features of a batch of images by name; blocks behind the last one needed are not run.

        Args:
            image: Normalised images, shape (B, 3, H, W).
            names: Which features.
            reduce: ``attention``: called with what it returned before (None at first), the index of
                a block and its attention weights (B, heads, N, N).
            context: Unused.

        Returns:
            Features by name, on the grid (H // patch height, W // patch width).

        Raises:
            ValueError: If the image is smaller than a patch, a name is unknown or ``attention`` is
                asked for without its reduction.
        """
        inner = self._inner_names(names)
        reduction = self._reduction(names, reduce or {})
        tokens, grid = self.embed(image)
        features: dict[str, Tensor] = {}
        whole = reduction is not None or not {*_FINAL}.isdisjoint(names)
        for index in range(len(self.trunk.blocks) if whole else 1 + max(inner, default=-1)):
            if reduction is None:
                tokens = self.run_block(index, tokens)
            else:
                tokens, weights = run_with_weights(self.trunk.blocks[index], tokens)
                features[_ATTENTION] = reduction(features.get(_ATTENTION), index, weights)
            for name in inner.get(index, ()):
                whole_block = name.startswith(_TOKENS)
                features[name] = tokens if whole_block else self._to_map(tokens, grid)
        if not {*_FINAL}.isdisjoint(names):
            tokens = self.trunk.norm(tokens)
            features.update({'class': tokens[:, 0], 'patch': self._to_map(tokens, grid)})
        return {name: features[name] for name in names}

    def _inner_names(self, names: Sequence[str]) -> dict[int, list[str]]:
        inner: dict[int, list[str]] = {}
        for name in names:
            self.check_feature(name)
            if name.startswith((_INNER, _TOKENS)):
                index = self._block_index(int(name.partition('.')[2]))
                inner.setdefault(index, []).append(name)
        return inner

    @staticmethod
    def _reduction(names: Sequence[str], reduce: Mapping[str, Reduction]) -> Reduction | None:
        if _ATTENTION not in names:
            return None
        if _ATTENTION not in reduce:
            raise ValueError(
                "expected a reduction of 'attention', since the maps of all blocks together do not "
                'fit into memory, received none; give reduce=dict(attention=...), or a CAM source '
                'with such an attribute'
            )
        return reduce[_ATTENTION]

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """Feature maps in MMSegmentation's form.

        Args:
            image: Normalised images, shape (B, 3, H, W).

        Returns:
            The maps of the inner blocks in the order of ``inner_blocks``, then the final map, each
            (B, C, h, w).
        """
        names = (*(f'{_INNER}{index}' for index in self.inner_blocks), 'patch')
        return tuple(self.forward_features(image, names).values())
