"""What a classifier of whole images says about the classes of pixels."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def with_class_prior(logits: Tensor, class_logits: Tensor) -> Tensor:
    """Multiplies the probability of every foreground class by that of the image containing it.

    ``l_k + log sigmoid(c_k)`` for the foreground classes k; the background stays as it is. A class
    that the image surely contains keeps its logits, the others fall.

    Args:
        logits: Segmentation logits (B, K + 1, H, W), the background first.
        class_logits: Classification logits (B, K).

    Returns:
        Logits of shape (B, K + 1, H, W).

    Raises:
        ValueError: If the classes or the images differ.

    >>> logits = torch.tensor([0.0, 1.0, 2.0]).view(1, 3, 1, 1)
    >>> with_class_prior(logits, torch.tensor([[9.0, -9.0]])).argmax(1).item()
    1
    """
    images, classes = logits.shape[:2]
    if class_logits.shape != (images, classes - 1):
        raise ValueError(
            'expected logits (B, K + 1, H, W) and classification logits (B, K), received '
            f'{tuple(logits.shape)} and {tuple(class_logits.shape)}'
        )
    prior = F.logsigmoid(class_logits)[..., None, None]
    return torch.cat((logits[:, :1], logits[:, 1:] + prior), dim=1)
