"""What segmentors here take from MMSegmentation's own."""

from __future__ import annotations

import torch
from mmengine.dist import all_reduce_dict
from mmseg.models.segmentors.base import BaseSegmentor
from mmseg.models.segmentors.encoder_decoder import EncoderDecoder
from torch import Tensor


class ToolboxSegmentor(BaseSegmentor):
    """MMSegmentation's inference and loss parsing, for a segmentor that may lack a decode head.

    ``EncoderDecoder`` itself insists on one when it is built.
    """

    inference = EncoderDecoder.inference
    slide_inference = EncoderDecoder.slide_inference
    whole_inference = EncoderDecoder.whole_inference
    segment = EncoderDecoder.predict

    def parse_losses(
        self, losses: dict[str, Tensor | list[Tensor]]
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Sums the losses; what is logged is the mean over all processes.

        Args:
            losses: Losses by name.

        Returns:
            This process's total for back-propagation, and the values to log.
        """
        total, log_vars = super().parse_losses(losses)
        log_vars = {name: torch.as_tensor(value) for name, value in log_vars.items()}
        all_reduce_dict(log_vars, op='mean')
        return total, log_vars
