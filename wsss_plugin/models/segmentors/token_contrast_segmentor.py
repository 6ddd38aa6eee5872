"""ToCo: a segmentor that learns from tags with token contrast."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from mmengine.config import ConfigDict
from mmengine.dist import all_reduce_dict
from mmengine.logging import MessageHub
from mmengine.structures import PixelData
from mmseg.models.segmentors.encoder_decoder import EncoderDecoder
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample
from torch import Tensor, nn

from wsss_plugin.cam_fields import cam_field
from wsss_plugin.models.backbones import TokenFeatures
from wsss_plugin.models.segmentors.background_thresholds import BackgroundThresholds
from wsss_plugin.models.segmentors.cam_prediction import add_cam_predictions, add_label_prediction
from wsss_plugin.models.segmentors.fixed_statistics import fixed_statistics
from wsss_plugin.models.segmentors.loss_term import LossTerm
from wsss_plugin.models.segmentors.stepwise_moving_average import StepwiseMovingAverage
from wsss_plugin.models.segmentors.training_batch import TrainingBatch
from wsss_plugin.ops.cam import average_cams, decoder_cam, multi_scale_cam
from wsss_plugin.ops.class_prior import with_class_prior
from wsss_plugin.ops.crops import choose_crops, crop_is_positive, extract_crops
from wsss_plugin.ops.labels import (
    cam_to_label,
    refined_pseudo_label,
    region_of_interest,
    scale_box,
)

_VIEWS = ('view1', 'view2', 'local')
_IDLE_LOSSES = ('skip', 'zero')


@MODELS.register_module()
class TokenContrastSegmentor(EncoderDecoder):
    """A vision transformer trained from tags: classification, CAM, pseudo label, segmentation.

    Data flows one way: image and tags, views, features, CAM, pseudo label, loss. This is ToCo, on
    which the dual-branch paper builds; prediction uses backbone and decode head only, and is
    ``EncoderDecoder``'s own unless ``test_cfg`` names a class prior.

    Args:
        backbone: Config of ``TimmVisionTransformer``; its first inner block gives the auxiliary
            CAM.
        decode_head: Config of any MMSegmentation decode head; trained on pseudo labels.
        cam_head: Config of the ``CAMHead`` on the final patch tokens.
        aux_cam_head: Config of the ``CAMHead`` on the inner patch tokens.
        projection_head: Config of the ``ProjectionHead`` for class tokens.
        refinement: Config of the refinement, called with images in [0, 1] and masks.
        loss_ptc: Config of the patch token contrast loss.
        loss_ctc: Config of the class token contrast loss.
        thresholds: ``low`` and ``high`` background thresholds.
        cam_scales: Scales of the multi-scale CAM; each is used with its horizontal flip.
        refinement_scale: Scale of image and CAM at which labels are refined.
        label_cams: Whose CAM makes the pseudo label of the segmentation, from which iteration on:
            pairs (iteration, names); several names are averaged. Beside the CAM heads' names,
            'decoder' stands for what the decode head itself has learnt so far (self-training).
        affinity_cams: Whose CAM decides which patch tokens belong together; ToCo takes the
            auxiliary one, several names are averaged.
        loss_starts: First iteration of a loss by its group 'cls', 'ptc', 'ctc' or 'seg'; 0 where
            nothing is said.
        idle_losses: What a loss does before its start: 'skip' leaves its own head alone; 'zero'
            gives its head gradients of zero, as ToCo's code does by a weight of 0: the optimiser's
            state has begun when the loss begins, and AdamW's first steps are larger for it.
        local_crops: ``num`` and ``size`` in pixels of the local crops, and ``positive_threshold``,
            the mean of the region map above which a crop counts as foreground.
        projection_momentum: Momentum m of the teacher's projection, ``t <- m t + (1 - m) s`` once
            per optimiser step.
        train_cfg: MMSegmentation's training config.
        test_cfg: MMSegmentation's test config; ``cam=True`` adds the CAMs of samples with tags to
            the predictions, ``pseudo_label=True`` their pseudo label at the model's thresholds;
            ``class_prior='final'`` multiplies the probabilities of the foreground classes by those
            that the CAM head of this name gives the image, or the window of a sliding test.
        data_preprocessor: Config of the data preprocessor, usually ``MultiViewDataPreProcessor``.
        pretrained: As in ``EncoderDecoder``; MMSegmentation's ``init_model`` sets it to None.
        init_cfg: MMEngine's initialisation config.

    Raises:
        ValueError: If thresholds, label CAMs, affinity CAMs, loss starts or the classes of the
            heads disagree, ``idle_losses`` or the class prior is unknown or the transformer returns
            no inner tokens.
    """

    cam_names: tuple[str, ...] = ('final', 'aux')
    decoder_name = 'decoder'

    def __init__(
        self,
        backbone: dict,
        decode_head: dict,
        cam_head: dict,
        aux_cam_head: dict,
        projection_head: dict,
        refinement: dict,
        loss_ptc: dict,
        loss_ctc: dict,
        thresholds: dict,
        cam_scales: Sequence[float] = (1.0, 0.5, 1.5),
        refinement_scale: float = 0.5,
        label_cams: Sequence[tuple[int, Sequence[str]]] = ((0, ('final',)),),
        affinity_cams: Sequence[str] = ('aux',),
        loss_starts: Mapping[str, int] | None = None,
        idle_losses: str = 'skip',
        local_crops: dict | None = None,
        projection_momentum: float = 0.9,
        train_cfg: dict | None = None,
        test_cfg: dict | None = None,
        data_preprocessor: dict | None = None,
        pretrained: str | None = None,
        init_cfg: dict | list[dict] | None = None,
    ) -> None:
        super().__init__(
            backbone=backbone,
            decode_head=decode_head,
            pretrained=pretrained,
            train_cfg=train_cfg,
            test_cfg=ConfigDict(dict(mode='whole') | dict(test_cfg or {})),
            data_preprocessor=data_preprocessor,
            init_cfg=init_cfg,
        )
        self.cam_head = MODELS.build(cam_head)
        self.aux_cam_head = MODELS.build(aux_cam_head)
        self.projection_head = MODELS.build(projection_head)
        self.projection_ema = StepwiseMovingAverage(
            self.projection_head, momentum=1 - projection_momentum
        )
        self.refinement = MODELS.build(refinement)
        self.loss_ptc = MODELS.build(loss_ptc)
        self.loss_ctc = MODELS.build(loss_ctc)
        self.thresholds = BackgroundThresholds(**thresholds)
        self.cam_scales = tuple(cam_scales)
        self.refinement_scale = refinement_scale
        self.label_cams = self._checked_label_cams(label_cams)
        self.affinity_cams = self._checked_affinity_cams(affinity_cams)
        self.loss_starts = self._checked_loss_starts(loss_starts or {})
        self._check_decoder_start()
        if idle_losses not in _IDLE_LOSSES:
            raise ValueError(f'expected idle_losses in {_IDLE_LOSSES}, received {idle_losses!r}')
        self.idle_losses = idle_losses
        prior = self.test_cfg.get('class_prior')
        if prior is not None and prior not in self.cam_names:
            raise ValueError(
                f'expected test_cfg.class_prior to be None or one of {self.cam_names}, received '
                f'{prior!r}'
            )
        self.local_crops = dict(num=8, size=96, positive_threshold=0.2) | (local_crops or {})
        self._check_classes(self.cam_head, self.aux_cam_head)
        self._check_backbone()

    def _check_backbone(self) -> None:
        if not getattr(self.transformer, 'inner_blocks', (-1,)):
            raise ValueError(
                'expected at least one of inner_blocks of the transformer, whose tokens give the '
                'auxiliary CAM, received none; use for instance inner_blocks=(-3,)'
            )

    def _check_classes(self, *cam_heads: nn.Module) -> None:
        for head in cam_heads:
            if head.num_classes != self.decode_head.num_classes - 1:
                raise ValueError(
                    'expected decode_head.num_classes to be one more (the background) than '
                    f'num_classes of every CAM head, received {self.decode_head.num_classes} and '
                    f'{head.num_classes}; set both from the number of foreground classes'
                )

    def _checked_label_cams(
        self, label_cams: Sequence[tuple[int, Sequence[str]]]
    ) -> tuple[tuple[int, tuple[str, ...]], ...]:
        checked = tuple((int(start), tuple(names)) for start, names in label_cams)
        starts = [start for start, _ in checked]
        known = all(names and set(names) <= set(self.label_names) for _, names in checked)
        if not known or starts != sorted(set(starts)) or starts[:1] != [0]:
            raise ValueError(
                'expected label_cams as pairs (iteration, names) with increasing iterations from 0 '
                f'and names among {self.label_names}, received {label_cams}'
            )
        return checked

    def _check_decoder_start(self) -> None:
        learns_from = self.loss_starts.get('seg', 0)
        for start, names in self.label_cams:
            if self.decoder_name in names and (len(set(names)) == 1 or start <= learns_from):
                raise ValueError(
                    f'expected {self.decoder_name!r} in label_cams beside a CAM, and from an '
                    f'iteration after the start of the segmentation loss ({learns_from}), since '
                    f'the decode head learns from the labels; received {(start, names)}; add a '
                    'CAM or a later pair (iteration, names)'
                )

    def _checked_affinity_cams(self, affinity_cams: Sequence[str]) -> tuple[str, ...]:
        names = tuple(affinity_cams)
        if not names or not set(names) <= set(self.cam_names):
            raise ValueError(
                f'expected affinity_cams as a sequence of names among {self.cam_names}, received '
                f'{affinity_cams!r}'
            )
        return names

    def _checked_loss_starts(self, loss_starts: Mapping[str, int]) -> dict[str, int]:
        groups = tuple(self.loss_terms())
        if not isinstance(loss_starts, Mapping) or not set(loss_starts) <= set(groups):
            raise ValueError(
                f'expected loss_starts as iterations by names among {groups}, received '
                f'{loss_starts!r}'
            )
        if all(loss_starts.get(group, 0) > 0 for group in groups):
            raise ValueError(
                'expected a loss from iteration 0 on, received loss_starts='
                f"{dict(loss_starts)}; leave out 'cls' to train the classification first"
            )
        return dict(loss_starts)

    @property
    def label_names(self) -> tuple[str, ...]:
        """Names of what can make a pseudo label: the CAMs and the decode head."""
        return (*self.cam_names, self.decoder_name)

    @property
    def iteration(self) -> int:
        """The 0-based iteration of the running training, 0 outside a runner."""
        return MessageHub.get_current_instance().get_info('iter', 0)

    @property
    def transformer(self) -> Any:
        """The backbone with ``forward_tokens``."""
        return self.backbone

    def extract_feat(self, inputs: Tensor) -> tuple[Tensor, ...]:
        """Feature maps of the transformer, all that the decode head needs.

        Args:
            inputs: Normalised images (B, 3, H, W).

        Returns:
            Maps of the inner blocks and the final map, each (B, C, h, w).
        """
        return self.transformer(inputs)

    def encode_decode(self, inputs: Tensor, batch_img_metas: list[dict]) -> Tensor:
        """Segmentation logits, with the class prior where ``test_cfg`` names one.

        Args:
            inputs: Normalised images (B, 3, H, W).
            batch_img_metas: Metainfo of each image.

        Returns:
            Logits of shape (B, K + 1, H, W).
        """
        name = self.test_cfg.get('class_prior')
        if name is None:
            return super().encode_decode(inputs, batch_img_metas)
        features = self.transformer.forward_tokens(inputs)
        logits = self.decode_head.predict(features.maps, batch_img_metas, self.test_cfg)
        image_map = self.branch_maps(inputs, (name,), features)[name]
        return with_class_prior(logits, self.cam_heads[name](image_map))

    @property
    def cam_heads(self) -> dict[str, Any]:
        """The CAM heads by the name of their CAM."""
        return dict(final=self.cam_head, aux=self.aux_cam_head)

    def branch_maps(
        self, image: Tensor, names: Sequence[str], features: TokenFeatures | None = None
    ) -> dict[str, Tensor]:
        """The feature maps that CAM heads read; a subclass adds those of its branches.

        Args:
            image: Normalised images (B, 3, H, W).
            names: Which CAM heads; a branch that none of them reads is not run.
            features: The transformer's features of these images, where they are known.

        Returns:
            Maps (B, C, h, w) by the name of the CAM head.
        """
        if not {'final', 'aux'} & set(names):
            return {}
        if features is None:
            features = self.transformer.forward_tokens(image)
        return dict(final=features.patch_tokens, aux=features.inner[0])

    def raw_cams(self, image: Tensor, names: Sequence[str]) -> dict[str, Tensor]:
        """Raw CAMs of images.

        Args:
            image: Normalised images (B, 3, H, W).
            names: Which CAMs; among them 'decoder' for that of the decode head.

        Returns:
            Maps (B, K, h, w) by name, in the order of ``names``.
        """
        cams, features = {}, None
        if self.decoder_name in names:
            features = self.transformer.forward_tokens(image)
            cams[self.decoder_name] = self.decoder_cam(features)
        heads = [name for name in names if name in self.cam_heads]
        maps = self.branch_maps(image, heads, features)
        cams.update({name: self.cam_heads[name].cam(maps[name]) for name in heads})
        return {name: cams[name] for name in names}

    def decoder_cam(self, features: TokenFeatures) -> Tensor:
        """What the decode head has learnt, in the form of a CAM.

        Args:
            features: The transformer's features of images.

        Returns:
            Maps (B, K, h, w) in [0, 1].
        """
        return decoder_cam(self.decode_head(features.maps))

    @torch.no_grad()
    def multi_scale_cams(
        self, image: Tensor, names: Sequence[str], known: Mapping[str, Tensor] | None = None
    ) -> dict[str, Tensor]:
        """Normalised CAMs over all scales with flip, without gradient.

        Args:
            image: Normalised images (B, 3, H, W).
            names: Which CAMs.
            known: Raw CAMs of the image itself, where they were computed already.

        Returns:
            CAMs of shape (B, K, H, W) in [0, 1] by name.
        """
        identity = None
        if known is not None:
            identity = tuple(known[name].detach() for name in names)
        with fixed_statistics(self):
            cams = multi_scale_cam(
                lambda scaled: tuple(self.raw_cams(scaled, names).values()),
                image,
                self.cam_scales,
                identity=identity,
            )
        return dict(zip(names, cams, strict=True))

    def loss(
        self, inputs: Mapping[str, Tensor], data_samples: list[SegDataSample]
    ) -> dict[str, Tensor]:
        """All losses of a training iteration.

        Args:
            inputs: Normalised views 'view1', 'view2' and 'local', each (B, 3, H, W).
            data_samples: Samples with ``gt_tags``, ``box`` and ``sample_seed``.

        Returns:
            Losses by name, each already weighted; equation (13) of the paper is their sum.
        """
        batch = self.training_batch(inputs, data_samples)
        losses: dict[str, Tensor] = {}
        for group, term in self.loss_terms().items():
            if self._is_active(group):
                losses.update(term.losses(batch))
            elif self.idle_losses == 'zero' and term.head is not None:
                head = self.get_submodule(term.head)
                if trained := [p for p in head.parameters() if p.requires_grad]:
                    # Zero, whose gradient is zero rather than missing.
                    losses[f'loss_idle_{group}'] = 0 * torch.stack([p.sum() for p in trained]).sum()
        return losses

    def _is_active(self, group: str) -> bool:
        return self.iteration >= self.loss_starts.get(group, 0)

    def loss_terms(self) -> dict[str, LossTerm]:
        """The terms of the total loss by group; a subclass adds its own.

        Returns:
            Terms by group, the names that ``loss_starts`` knows.
        """
        return dict(
            cls=LossTerm(self.classification_losses),
            ptc=LossTerm(self.patch_token_losses, cams=self.affinity_cams),
            ctc=LossTerm(self.class_token_losses, cams=('aux',), head='projection_head'),
            seg=LossTerm(self.segmentation_losses, cams=self._label_names(), head='decode_head'),
        )

    def training_batch(
        self, inputs: Mapping[str, Tensor], data_samples: list[SegDataSample]
    ) -> TrainingBatch:
        """Features and CAMs that all losses share, computed once.

        Args:
            inputs: Normalised views, each (B, 3, H, W).
            data_samples: Samples with ``gt_tags`` and ``box``.

        Returns:
            The batch.

        Raises:
            KeyError: If a view is missing.
        """
        if not isinstance(inputs, Mapping) or not set(_VIEWS) <= set(inputs):
            raise KeyError(
                f'expected the views {_VIEWS} as training inputs, received '
                f'{sorted(inputs) if isinstance(inputs, Mapping) else type(inputs).__name__}; use '
                'MultiCropViews in the pipeline and MultiViewDataPreProcessor'
            )
        image = inputs['view1']
        features = self.transformer.forward_tokens(image)
        maps = self.branch_maps(image, self.cam_names, features)
        raw_cams = {name: head.cam(maps[name]) for name, head in self.cam_heads.items()}
        names = self._needed_cams()
        known = raw_cams
        if self.decoder_name in names:
            with torch.no_grad():
                known = dict(raw_cams, **{self.decoder_name: self.decoder_cam(features)})
        height, width = image.shape[-2:]
        boxes = [sample.metainfo.get('box', (0, height, 0, width)) for sample in data_samples]
        return TrainingBatch(
            views=inputs,
            tags=self.cam_head.tags(data_samples),
            box=torch.tensor(boxes, device=image.device),
            features=features,
            maps=maps,
            raw_cams=raw_cams,
            cams=self.multi_scale_cams(image, names, known=known) if names else {},
            data_samples=data_samples,
        )

    def _needed_cams(self) -> tuple[str, ...]:
        terms = {group: term for group, term in self.loss_terms().items() if self._is_active(group)}
        return tuple(dict.fromkeys(name for term in terms.values() for name in term.cams))

    def _label_names(self) -> tuple[str, ...]:
        return [names for start, names in self.label_cams if start <= self.iteration][-1]

    def classification_losses(self, batch: TrainingBatch) -> dict[str, Tensor]:
        """Classification losses of all CAM heads (equation 10).

        Args:
            batch: The training batch.

        Returns:
            ``loss_cls_<name>`` for each CAM head.
        """
        return {
            f'loss_cls_{name}': head.loss_cls(head(batch.maps[name]), batch.tags)
            for name, head in self.cam_heads.items()
        }

    def patch_token_losses(self, batch: TrainingBatch) -> dict[str, Tensor]:
        """Patch token contrast between positions that the affinity CAMs label (equation 11).

        Args:
            batch: The training batch.

        Returns:
            ``loss_ptc``.
        """
        tokens = batch.features.patch_tokens
        grid = tokens.shape[-2:]
        cam = average_cams([batch.cams[name] for name in self.affinity_cams])
        cam = F.interpolate(cam, size=grid, mode='bilinear', align_corners=False)
        box = self.box_on_grid(batch.box, batch.views['view1'].shape[-2:], grid)
        label = cam_to_label(
            cam,
            batch.tags,
            self.thresholds.low,
            self.thresholds.high,
            box,
            ignore_index=getattr(self.loss_ptc, 'ignore_index', 255),
        )
        return dict(loss_ptc=self.loss_ptc(tokens, label))

    def box_on_grid(self, box: Tensor, image_size: Sequence[int], grid: Sequence[int]) -> Tensor:
        """The valid image area in cells of the token grid.

        Args:
            box: Boxes in pixels, (B, 4).
            image_size: Height and width of the image.
            grid: Height and width of the grid.

        Returns:
            Boxes in cells, (B, 4).
        """
        return scale_box(box, tuple(image_size), tuple(grid))

    def class_token_losses(self, batch: TrainingBatch) -> dict[str, Tensor]:
        """Class token contrast of two global views and the local crops (equation 12).

        View 1 is the main input, whose class token is known; the teacher's backbone is the
        student's, so its class tokens are the student's, detached.

        Args:
            batch: The training batch.

        Returns:
            ``loss_ctc``.
        """
        local, positive = self.local_views(batch)
        images, crops = local.shape[:2]
        view2 = self.transformer.forward_tokens(batch.views['view2']).class_token
        tokens = self.transformer.forward_tokens(local.flatten(0, 1)).class_token
        views = torch.stack((batch.features.class_token, view2), dim=1)
        tokens = torch.cat((views, tokens.unflatten(0, (images, crops))), dim=1)
        student = self.projection_head(tokens.flatten(0, 1)).unflatten(0, (images, -1))
        with torch.no_grad():
            self.projection_ema.update_parameters(self.projection_head)
            teacher = self.projection_ema(views.detach().flatten(0, 1)).unflatten(0, (images, -1))
        positive = torch.cat((positive.new_ones(images, views.shape[1]), positive), dim=1)
        return dict(loss_ctc=self.loss_ctc(student, teacher, positive))

    @torch.no_grad()
    def local_views(self, batch: TrainingBatch) -> tuple[Tensor, Tensor]:
        """Local crops from uncertain and background regions of the auxiliary CAM.

        Args:
            batch: The training batch.

        Returns:
            Crops (B, N, 3, s, s) and whether each is positive, that is, not all background (B, N).
        """
        low, high = self.thresholds.low, self.thresholds.high
        region = region_of_interest(batch.cams['aux'], batch.tags, low, high)
        size = self.local_crops['size']
        keys = self._crop_keys(region, batch.data_samples)
        top_left = choose_crops(region, keys, self.local_crops['num'], size)
        positive = crop_is_positive(
            region, top_left, size, threshold=self.local_crops['positive_threshold']
        )
        return extract_crops(batch.views['local'], top_left, size), positive

    @staticmethod
    def _crop_keys(region: Tensor, data_samples: list[SegDataSample]) -> Tensor:
        """Random numbers per pixel that depend on the sample, not on its place in the batch."""
        keys = []
        for sample in data_samples:
            seed = sample.metainfo.get('sample_seed')
            generator = None
            if seed is not None:
                generator = torch.Generator(region.device).manual_seed(int(seed))
            keys.append(torch.rand(region.shape[1:], generator=generator, device=region.device))
        return torch.stack(keys)

    def segmentation_losses(self, batch: TrainingBatch) -> dict[str, Tensor]:
        """The decode head's own losses on the refined pseudo label.

        Args:
            batch: The training batch.

        Returns:
            The decode head's losses and accuracy, and the supervised fraction of the pixels.
        """
        label = self.pseudo_label(batch)
        samples = [
            SegDataSample(gt_sem_seg=PixelData(data=image_label[None])) for image_label in label
        ]
        losses = self.decode_head.loss(batch.features.maps, samples, self.train_cfg)
        supervised = (label != self.decode_head.ignore_index).float().mean()
        return dict(losses, supervised_fraction=supervised)

    @torch.no_grad()
    def pseudo_label(self, batch: TrainingBatch) -> Tensor:
        """Refined pseudo label of view 1.

        Args:
            batch: The training batch.

        Returns:
            Label map (B, H, W).
        """
        return self.refined_label(
            batch.views['view1'], self.label_cam(batch.cams), batch.tags, batch.box
        )

    def refined_label(
        self,
        image: Tensor,
        cam: Tensor,
        tags: Tensor,
        box: Tensor | None = None,
        low: float | None = None,
        high: float | None = None,
    ) -> Tensor:
        """Refined pseudo label that a CAM makes.

        Args:
            image: Normalised images (B, 3, H, W).
            cam: Normalised CAM (B, K, H, W) in [0, 1].
            tags: Multi-hot tags (B, K).
            box: Valid image area (row0, row1, col0, col1), end-exclusive, (B, 4), or None for all.
            low: Low background threshold; None for the segmentor's.
            high: High background threshold; None for the segmentor's.

        Returns:
            Label map (B, H, W).
        """
        return refined_pseudo_label(
            self.denormalize(image),
            cam,
            tags,
            self.thresholds.low if low is None else low,
            self.thresholds.high if high is None else high,
            box,
            refine=self.refinement,
            ignore_index=self.decode_head.ignore_index,
            scale=self.refinement_scale,
        )

    def label_cam(self, cams: Mapping[str, Tensor]) -> Tensor:
        """The CAM that makes the pseudo label; several are averaged and normalised again.

        Args:
            cams: Normalised CAMs by name, (B, K, H, W).

        Returns:
            Normalised CAM (B, K, H, W).
        """
        return average_cams([cams[name] for name in self._label_names()])

    def denormalize(self, image: Tensor) -> Tensor:
        """Undoes the data preprocessor's normalisation.

        Args:
            image: Normalised images (B, 3, H, W).

        Returns:
            RGB images in [0, 1], (B, 3, H, W).
        """
        mean = getattr(self.data_preprocessor, 'mean', 0.0)
        std = getattr(self.data_preprocessor, 'std', 1.0)
        return ((image * std + mean) / 255).clamp(0, 1)

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

    def predict(
        self, inputs: Tensor, data_samples: list[SegDataSample] | None = None
    ) -> list[SegDataSample]:
        """Segmentation by the decode head; CAMs and pseudo labels where ``test_cfg`` asks for them.

        Args:
            inputs: Normalised images (B, 3, H, W).
            data_samples: Samples; only those with ``gt_tags`` get CAMs and pseudo labels.

        Returns:
            Samples with ``pred_sem_seg`` and ``seg_logits``; ``cam`` and ``aux_cam``;
            ``pseudo_label``.
        """
        predictions = super().predict(inputs, data_samples)
        tagged = any('gt_tags' in sample for sample in data_samples or ())
        with_cam = self.test_cfg.get('cam', False)
        with_label = self.test_cfg.get('pseudo_label', False)
        if tagged and (with_cam or with_label):
            # Of the CAMs of all branches a label may need only one.
            shown = self.cam_names if with_cam else ()
            label_names = self.label_cams[-1][1] if with_label else ()
            cams = self.multi_scale_cams(inputs, tuple(dict.fromkeys((*shown, *label_names))))
            if with_cam:
                add_cam_predictions(predictions, {cam_field(name): cams[name] for name in shown})
            if with_label:
                add_label_prediction(
                    predictions, 'pseudo_label', self._test_label(inputs, cams, predictions)
                )
        return predictions

    @torch.no_grad()
    def _test_label(
        self, image: Tensor, cams: Mapping[str, Tensor], data_samples: list[SegDataSample]
    ) -> Tensor:
        """Pseudo label of test images, as at the end of training but for the thresholds."""
        nothing = image.new_zeros(self.cam_head.num_classes)
        tags = torch.stack([sample.get('gt_tags', nothing).to(nothing) for sample in data_samples])
        cam = average_cams([cams[name] for name in self.label_cams[-1][1]])
        return self.refined_label(image, cam, tags)

    def _forward(self, inputs: Tensor, data_samples: Any = None) -> Tensor:  # noqa: ARG002
        return self.decode_head(self.extract_feat(inputs))
