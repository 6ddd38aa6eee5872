"""A segmentor that is put together from parts which a config lists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mmengine.config import ConfigDict
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample
from torch import Tensor

from wsss_plugin.models.channel_check import check_channels
from wsss_plugin.models.forward_pass import ForwardPass
from wsss_plugin.models.multi_scale_cams import check_multi_scale
from wsss_plugin.models.part_building import build_decode_head, build_parts, foreground_classes
from wsss_plugin.models.part_trial import try_parts
from wsss_plugin.models.phase_plan import check_plan
from wsss_plugin.models.pseudo_labels.background_thresholds import BackgroundThresholds
from wsss_plugin.models.segmentors import cam_prediction
from wsss_plugin.models.segmentors.removed_segmentors import refuse_removed_keys
from wsss_plugin.models.segmentors.toolbox_segmentor import ToolboxSegmentor
from wsss_plugin.models.segmentors.training_steps import TrainingSteps
from wsss_plugin.models.segmentors.weak_segmentor_config import WeakSegmentorConfig
from wsss_plugin.models.version_0_1 import rename_when_loaded
from wsss_plugin.ops.class_prior import with_class_prior

_MULTI_SCALE = dict(scales=(1.0, 0.5, 1.5))
_TEST_CFG = dict(mode='whole', class_prior=None, cam_threshold=0.5)


@MODELS.register_module()
class WeakSegmentor(WeakSegmentorConfig, TrainingSteps, ToolboxSegmentor):
    """Image and tags, views, features, CAM, pseudo label, loss: each a part of the config.

    A prediction runs backbone and decode head; without a decode head the CAM called ``final``
    predicts, which needs the tags of an image.

    Args:
        backbone: Config of the backbone.
        decode_head: Config of any MMSegmentation decode head, trained on labels, or None.
        decode_reads: Names of the features that the decode head reads, in MMSegmentation's tuple
            form.
        cams: Configs of CAM sources by name; one that says no ``num_classes`` has the decode
            head's, less the background.
        heads: Configs of modules that several parts use, by name.
        labels: Configs of label makers by name.
        terms: Configs of loss terms by name; their sum is the total loss. In these four dicts None
            in place of a part leaves it out.
        thresholds: ``low`` and ``high`` background thresholds of all label makers.
        multi_scale: ``scales`` of the multi-scale CAM, ``chunk_size`` (images that the backbone
            sees at once; all by default), and how maps are fused; a CAM source may override the
            scales and the latter.
        main_view: Name of the view that is predicted and labelled.
        train_cfg: MMSegmentation's training config.
        test_cfg: MMSegmentation's test config; ``cam=True`` adds the CAMs of samples with tags to
            the predictions, ``pseudo_label=True`` their pseudo label; ``class_prior='final'``
            multiplies the probabilities of the foreground classes by those that the CAM source of
            this name gives the image, or the window of a sliding test; ``cam_threshold`` without
            decode head: scores up to it are background; ``multi_scale`` as in training.
        data_preprocessor: Config of the data preprocessor, usually ``MultiViewDataPreProcessor``.
        pretrained: Unused; MMSegmentation's ``init_model`` sets it to None.
        init_cfg: MMEngine's initialisation config.
        unknown: Refused, with the new place of keys of version 0.1.

    Raises:
        ValueError: If the parts do not fit together in some phase of the training.
        TypeError: If a part is not a config.
    """

    def __init__(
        self,
        backbone: dict,
        decode_head: dict | None = None,
        decode_reads: str | Sequence[str] = 'patch',
        cams: Mapping[str, Any] | None = None,
        heads: Mapping[str, Any] | None = None,
        labels: Mapping[str, Any] | None = None,
        terms: Mapping[str, Any] | None = None,
        thresholds: Mapping[str, Any] | None = None,
        multi_scale: Mapping[str, Any] | None = None,
        main_view: str = 'view1',
        train_cfg: dict | None = None,
        test_cfg: dict | None = None,
        data_preprocessor: dict | None = None,
        pretrained: None = None,  # noqa: ARG002
        init_cfg: dict | list[dict] | None = None,
        **unknown: Any,
    ) -> None:
        refuse_removed_keys(unknown)
        super().__init__(data_preprocessor=data_preprocessor, init_cfg=init_cfg)
        self.train_cfg = train_cfg
        self.test_cfg = ConfigDict(_TEST_CFG | dict(test_cfg or {}))
        self.main_view = main_view
        self.decode_reads = (
            (decode_reads,) if isinstance(decode_reads, str) else tuple(decode_reads)
        )
        self.multi_scale = _MULTI_SCALE | dict(multi_scale or {})
        self.thresholds = BackgroundThresholds(**(thresholds or dict(low=0.25, high=0.7)))
        self.backbone = MODELS.build(backbone)
        check_channels(self.backbone, self.data_preprocessor)
        self.decode_head = build_decode_head(decode_head)
        self._build_parts(cams, heads, labels, terms)
        self.register_load_state_dict_pre_hook(rename_when_loaded)
        check_plan(self)
        check_multi_scale(self)
        try_parts(self)

    def _build_parts(self, cams: Any, heads: Any, labels: Any, terms: Any) -> None:
        defaults = {}
        if self.decode_head is not None:
            defaults['num_classes'] = self.decode_head.num_classes - 1
        self.cams = build_parts(cams, 'cams', defaults)
        self.num_foreground = foreground_classes(self.decode_head, self.cams, heads)
        head = self.decode_head
        self.num_classes = self.num_foreground + 1
        self.out_channels = self.num_foreground if head is None else head.out_channels
        self.align_corners = False if head is None else head.align_corners
        self.heads = build_parts(heads, 'heads')
        self.labels = build_parts(labels, 'labels')
        self.terms = build_parts(terms, 'terms')
        kinds = [type(term) for term in self.terms.values()]
        for name, term in self.terms.items():
            term.join(f'_{name}' if kinds.count(type(term)) > 1 else '', self.classifying_sources())
        self.views = {view for term in self.terms.values() for view in term.needs().views}

    def classifying_sources(self) -> tuple[str, ...]:
        """Names of the CAM sources with classification logits."""
        return tuple(name for name, source in self.cams.items() if source.classifies)

    @property
    def cam_names(self) -> tuple[str, ...]:
        """Names of the CAM sources that show something else than the decode head's segmentation."""
        return tuple(name for name, source in self.cams.items() if not source.reads_decoder)

    def extract_feat(self, inputs: Tensor) -> tuple[Tensor, ...]:
        """The features that the decode head reads, or else the CAM called final.

        Args:
            inputs: Normalised images (B, 3, H, W).

        Returns:
            Feature maps.
        """
        names = self.decode_reads if self.decode_head is not None else self.cams['final'].reads
        return tuple(ForwardPass(self, inputs).features(names).values())

    def encode_decode(self, inputs: Tensor, batch_img_metas: list[dict]) -> Tensor:
        """Segmentation logits, with the class prior where ``test_cfg`` names one.

        Args:
            inputs: Normalised images (B, 3, H, W).
            batch_img_metas: Metainfo of each image.

        Returns:
            Logits (B, K + 1, H, W); without decode head normalised CAMs (B, K, H, W).
        """
        if self.decode_head is None:
            return self.batch(inputs, []).cams(['final'])[0]
        prior = self.test_cfg.class_prior
        features = () if prior is None else self.cams[prior].reads
        forward = ForwardPass(self, inputs, features=(*self.decode_reads, *features))
        logits = self.decode_head.predict_by_feat(forward.decode_logits, batch_img_metas)
        return logits if prior is None else with_class_prior(logits, forward.logits(prior))

    def predict(
        self, inputs: Tensor, data_samples: list[SegDataSample] | None = None
    ) -> list[SegDataSample]:
        """Segmentation by the decode head; CAMs and pseudo labels where ``test_cfg`` asks for them.

        Args:
            inputs: Normalised images (B, 3, H, W).
            data_samples: Samples; only those with ``gt_tags`` get CAMs and pseudo labels.

        Returns:
            Samples with ``pred_sem_seg`` and, of a decode head, ``seg_logits``; a field for each
            CAM (``cam``, ``aux_cam``, ...); ``pseudo_label``.

        Raises:
            KeyError: If there is neither a decode head nor tags.
            DataError: If an image is smaller than a patch; names it.
        """
        cam_prediction.check_sizes(self, inputs, data_samples)
        if self.decode_head is None:
            return cam_prediction.predict_by_cam(self, inputs, data_samples)
        predictions = self.segment(inputs, data_samples)
        return cam_prediction.add_weak_predictions(self, inputs, predictions)

    def _forward(self, inputs: Tensor, data_samples: Any = None) -> Tensor:  # noqa: ARG002
        forward = ForwardPass(self, inputs)
        return forward.logits('final') if self.decode_head is None else forward.decode_logits
