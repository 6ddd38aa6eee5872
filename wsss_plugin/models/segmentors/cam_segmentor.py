"""A classification network scored by its CAM."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mmengine.structures import PixelData
from mmseg.models.segmentors.base import BaseSegmentor
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample
from torch import Tensor

from wsss_plugin.models.segmentors.cam_prediction import add_cam_predictions
from wsss_plugin.ops.cam import multi_scale_cam
from wsss_plugin.ops.labels import threshold_label


@MODELS.register_module()
class CAMSegmentor(BaseSegmentor):
    """Multi-label classification on tags; the thresholded multi-scale CAM is the segmentation.

    The starting point of every method here, and the row "CAM of the CNN alone" of a table.

    Args:
        backbone: Config of a backbone; ``cam_head.in_index`` selects its map.
        cam_head: Config of the ``CAMHead``.
        cam_scales: Scales of the multi-scale CAM; each is used with its horizontal flip.
        train_cfg: Unused.
        test_cfg: ``cam_threshold``: scores up to it are background in ``pred_sem_seg``.
        data_preprocessor: Config of the data preprocessor.
        pretrained: Unused.
        init_cfg: MMEngine's initialisation config.
    """

    def __init__(
        self,
        backbone: dict,
        cam_head: dict,
        cam_scales: Sequence[float] = (1.0, 0.5, 1.5),
        train_cfg: dict | None = None,  # noqa: ARG002  (part of MMSegmentation's protocol)
        test_cfg: dict | None = None,
        data_preprocessor: dict | None = None,
        pretrained: None = None,  # noqa: ARG002  (set by MMSegmentation's init_model)
        init_cfg: dict | list[dict] | None = None,
    ) -> None:
        super().__init__(data_preprocessor, init_cfg)
        self.backbone = MODELS.build(backbone)
        self.cam_head = MODELS.build(cam_head)
        self.cam_scales = tuple(cam_scales)
        self.test_cfg = dict(cam_threshold=0.5) | dict(test_cfg or {})

    def extract_feat(self, inputs: Tensor) -> tuple[Tensor, ...]:
        """Feature maps of the backbone.

        Args:
            inputs: Normalised images (B, 3, H, W).

        Returns:
            The backbone's feature maps.
        """
        return self.backbone(inputs)

    def encode_decode(self, inputs: Tensor, batch_data_samples: Any = None) -> Tensor:  # noqa: ARG002
        """Normalised multi-scale CAMs.

        Args:
            inputs: Normalised images (B, 3, H, W).
            batch_data_samples: Unused, part of MMSegmentation's protocol.

        Returns:
            CAMs of shape (B, K, H, W) in [0, 1].
        """
        return multi_scale_cam(
            lambda image: (self.cam_head.cam(self.backbone(image)),), inputs, self.cam_scales
        )[0]

    def loss(self, inputs: Tensor, data_samples: list[SegDataSample]) -> dict[str, Tensor]:
        """Classification loss.

        Args:
            inputs: Normalised images (B, 3, H, W).
            data_samples: Samples with ``gt_tags``.

        Returns:
            The loss by name.
        """
        return self.cam_head.loss(self.extract_feat(inputs), data_samples)

    def predict(
        self, inputs: Tensor, data_samples: list[SegDataSample] | None = None
    ) -> list[SegDataSample]:
        """Adds ``cam`` and its thresholded form ``pred_sem_seg`` to samples with tags.

        Args:
            inputs: Normalised images (B, 3, H, W).
            data_samples: Samples with ``gt_tags``.

        Returns:
            The samples.

        Raises:
            KeyError: If there are no tags, without which a CAM says nothing.
        """
        if data_samples is None or any('gt_tags' not in sample for sample in data_samples):
            raise KeyError(
                'expected gt_tags in every data sample for a prediction by CAM, received none; '
                'give tags, or train and use a segmentor with a decode head'
            )
        add_cam_predictions(data_samples, dict(cam=self.encode_decode(inputs)))
        for sample in data_samples:
            cam, threshold = sample.cam, self.test_cfg['cam_threshold']
            label = threshold_label(cam.score, cam.label.long(), threshold)
            sample.set_data({'pred_sem_seg': PixelData(data=label)})
        return data_samples

    def _forward(self, inputs: Tensor, data_samples: Any = None) -> Tensor:  # noqa: ARG002
        return self.cam_head(self.extract_feat(inputs))
