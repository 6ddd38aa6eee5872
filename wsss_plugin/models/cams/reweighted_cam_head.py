"""CAM of a second classifier, which tells the classes of an image apart (ReCAM)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
import torch.nn.functional as F
from mmengine.model import BaseModule
from mmseg.registry import MODELS
from torch import Tensor, nn

from wsss_plugin.models.cams.classifier_context import ClassifierContext
from wsss_plugin.ops.cam import class_activation_map
from wsss_plugin.ops.class_features import class_features
from wsss_plugin.ops.precision import at_least_float32

_WEIGHTS = ('product', 'first', 'second')


@MODELS.register_module()
class ReweightedCAMHead(BaseModule):
    """A bias-free linear classifier of class features, beside the classifier of another CAM.

    The CAM of the base source, cut at zero and divided by its maximum, pools one feature for each
    class, which the second classifier has to tell from the other classes (:meth:`class_logits`,
    taught by ``ReCAMTerm``). The CAM of this source is ``M_k = sum_c w_kc F_c`` (ReCAM, section
    "Extracting ReCAM") with a weight made of both classifiers.

    Args:
        in_channels: Channels of the feature map, that of the base source.
        num_classes: Number of foreground classes K.
        base: Name of the CAM source, a ``CAMHead``, that reads the same features.
        weights: ``'product'``: w = W1 * W2 element by element, published for VOC; ``'first'``:
            W1 of the base alone, published for COCO; ``'second'``: W2 alone.
        masked: Whether the base's CAM pools the class features, as the published code does
            everywhere; otherwise every class has the mean of the features, as the paper says of
            COCO.
        eps: Added to the maximum of the base's CAM.
        reads: Name of the feature that it reads, or several names, put side by side as channels.
        multi_scale: What differs from the segmentor's ``multi_scale``.
        init_cfg: MMEngine's initialisation config.

    Raises:
        ValueError: If ``weights`` is unknown or ``num_classes`` is not positive.

    Examples:
        >>> import torch
        >>> head = ReweightedCAMHead(in_channels=8, num_classes=3)
        >>> features = dict(patch=torch.rand(2, 8, 4, 4))
        >>> head.class_logits(features, base_cam=torch.rand(2, 3, 4, 4)).shape
        torch.Size([2, 3, 3])
    """

    classifies = False
    reads_decoder = False

    def __init__(
        self,
        in_channels: int,
        num_classes: int,
        base: str = 'base',
        weights: str = 'product',
        masked: bool = True,
        eps: float = 1e-5,
        reads: str | Sequence[str] = 'patch',
        multi_scale: dict | None = None,
        init_cfg: dict | list[dict] | None = None,
    ) -> None:
        super().__init__(init_cfg)
        if weights not in _WEIGHTS:
            raise ValueError(
                f'expected weights of ReweightedCAMHead in {_WEIGHTS}, received {weights!r}'
            )
        if num_classes < 1:
            raise ValueError(f'expected at least one foreground class, received {num_classes}')
        self.num_classes = num_classes
        self.base: str = base
        self.weights = weights
        self.masked = masked
        self.eps = eps
        self.reads = (reads,) if isinstance(reads, str) else tuple(reads)
        self.multi_scale = dict(multi_scale or {})
        self.classifier = nn.Conv2d(in_channels, num_classes, kernel_size=1, bias=False)

    def raw(
        self,
        features: Mapping[str, Tensor],
        tags: Tensor | None,  # noqa: ARG002  (the CAM of every class is the same for all)
        context: ClassifierContext,
    ) -> Tensor:
        """Raw CAMs.

        Args:
            features: Features by name, each (B, C, h, w).
            tags: Unused.
            context: The pass, whose base source has the first classifier.

        Returns:
            Signed maps of shape (B, K, h, w), with gradient.
        """
        return class_activation_map(self._joined(features), self._weight(context))

    def logits(self, features: Mapping[str, Tensor]) -> None:
        """Nothing: it classifies the features of classes, not images.

        Args:
            features: Unused.
        """

    def class_logits(self, features: Mapping[str, Tensor], base_cam: Tensor) -> Tensor:
        """Logits of the feature of each class.

        Args:
            features: Features by name, each (B, C, h, w).
            base_cam: Raw CAMs of the base, (B, K, h, w), not detached: the loss teaches them too.

        Returns:
            Logits of shape (B, K, K); row k belongs to the feature of class k. The classes that an
            image does not have count for nothing in :func:`wsss_plugin.ops.softmax_class_loss`.
        """
        maps = self._joined(features)
        if self.masked:
            cam = at_least_float32(base_cam).relu()
            masks = cam / (cam.amax(dim=(2, 3), keepdim=True) + self.eps)
        else:
            masks = torch.ones_like(base_cam)
        return F.linear(class_features(maps, masks), self.classifier.weight.flatten(1))

    def _weight(self, context: ClassifierContext) -> Tensor:
        second = self.classifier.weight
        if self.weights == 'second':
            return second
        first = context.source(self.base).classifier.weight
        return first if self.weights == 'first' else first * second

    def _joined(self, features: Mapping[str, Tensor]) -> Tensor:
        maps = [features[name] for name in self.reads]
        return maps[0] if len(maps) == 1 else torch.cat(maps, dim=1)
