"""What the parts of a segmentor share of one batch, each piece of it computed once."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import torch
from mmseg.structures import SegDataSample
from torch import Tensor

from wsss_plugin.models.forward_pass import ForwardPass
from wsss_plugin.models.multi_scale_cams import multi_scale_cams
from wsss_plugin.models.needs import Needs
from wsss_plugin.models.present_classes import present_classes
from wsss_plugin.models.pseudo_labels.background_thresholds import BackgroundThresholds
from wsss_plugin.models.stacked_tags import stacked_tags
from wsss_plugin.models.windowed_cams import windowed_cams
from wsss_plugin.ops.view_geometry import ViewGeometry


class Batch:
    """Image and tags, and what follows from them: features, CAMs, pseudo labels.

    What carries gradients is computed by :meth:`prepare`, before any pass without gradient.

    Args:
        model: The segmentor.
        views: Normalised views by name, each (B, 3, H, W).
        data_samples: Samples, with ``gt_tags`` and perhaps ``box`` and ``sample_seed``.
        needs: What will be read.
        iteration: 0-based iteration of the training, None outside one.
        max_iters: Length of the training, where it is known.
    """

    def __init__(
        self,
        model: Any,
        views: Mapping[str, Tensor],
        data_samples: Sequence[SegDataSample],
        needs: Needs | None = None,
        iteration: int | None = None,
        max_iters: int | None = None,
    ) -> None:
        self._model = model
        self.views = dict(views)
        self.data_samples = list(data_samples)
        self.needs = needs or Needs()
        self.iteration = iteration
        self.max_iters = max_iters
        self._with_gradient = torch.is_grad_enabled()
        self._passes: dict[str, ForwardPass] = {}
        self._cams: dict[str, Tensor] = {}
        self._present_cams: dict[str, Tensor] = {}
        self._labels: dict[str, Tensor] = {}
        # What parts other than terms want to be logged, by name; no name may begin with 'loss'.
        self.logged: dict[str, Tensor] = {}

    def prepare(self) -> None:
        """Computes what carries gradients of the main view, before anything reads it."""
        main = self.main
        main.features(self.needs.features)
        for name in self.needs.raw:
            main.raw(name)
        if self.needs.decoder:
            _ = main.decode_logits

    @property
    def image(self) -> Tensor:
        """The main view, normalised, (B, 3, H, W)."""
        return self.views[self._model.main_view]

    @property
    def main(self) -> ForwardPass:
        """The pass of the main view."""
        return self.view(self._model.main_view)

    def view(self, name: str) -> ForwardPass:
        """The pass of a view.

        Args:
            name: Name of the view.

        Returns:
            The pass, the same for all readers.

        Raises:
            KeyError: If the data have no such view.
        """
        if name not in self.views:
            raise KeyError(
                f'expected the view {name!r} among the inputs, received {sorted(self.views)}; add '
                'it to MultiCropViews in the pipeline'
            )
        if name not in self._passes:
            features = self.needs.features if name == self._model.main_view else ()
            # Also where a label, made without gradient, is the first to read the view.
            samples = self.data_samples if name == self._model.main_view else ()
            with torch.set_grad_enabled(self._with_gradient):
                self._passes[name] = self._pass(self.views[name], features, samples)
        return self._passes[name]

    def run(self, image: Tensor, features: Sequence[str] = ()) -> ForwardPass:
        """A pass of further images, of which nothing is kept.

        Args:
            image: Normalised images (N, 3, H, W).
            features: Names of all features that will be read.

        Returns:
            The pass.
        """
        return self._pass(image, features)

    def _pass(
        self, image: Tensor, features: Sequence[str], samples: Sequence[SegDataSample] = ()
    ) -> ForwardPass:
        tags = self._tags_or_none if len(image) == len(self.data_samples) else None
        return ForwardPass(self._model, image, tags, features, samples)

    @cached_property
    def tags(self) -> Tensor:
        """Multi-hot tags (B, K).

        Raises:
            KeyError: If a sample has no tags, or images come without samples.
            ValueError: If the number of tags is not the number of classes.
        """
        if not self.data_samples and len(self.image):
            raise KeyError(
                f'expected a sample with gt_tags for each of the {len(self.image)} images, '
                'received no sample; pass data_samples beside the images'
            )
        tags = stacked_tags(self.data_samples, self._model.num_foreground)
        return tags.to(self.image.device)

    @cached_property
    def present_classes(self) -> Tensor:
        """Indices of the classes that some image has, ascending, (N,); the first if none has."""
        return present_classes(self.tags)

    @property
    def _tags_or_none(self) -> Tensor | None:
        tagged = bool(self.data_samples) and all('gt_tags' in one for one in self.data_samples)
        return self.tags if tagged else None

    @cached_property
    def box(self) -> Tensor:
        """Valid area (row0, row1, col0, col1) of the main view, end-exclusive, (B, 4)."""
        height, width = self.image.shape[-2:]
        whole = (0, height, 0, width)
        boxes = [sample.metainfo.get('box', whole) for sample in self.data_samples]
        return torch.tensor(boxes, device=self.image.device).reshape(-1, 4)

    def geometry(self, name: str) -> list[ViewGeometry]:
        """Where a view lies in the main view.

        Args:
            name: Name of the view.

        Returns:
            One geometry for each sample.

        Raises:
            KeyError: If the samples do not say it.
        """
        given = [sample.metainfo.get('view_geometry', {}) for sample in self.data_samples]
        if any(name not in geometries for geometries in given):
            raise KeyError(
                f'expected the geometry of the view {name!r} in view_geometry of every sample, '
                'received none; make the view by MultiCropViews and keep view_geometry among '
                'meta_keys of PackWSSSInputs'
            )
        return [geometries[name] for geometries in given]

    @cached_property
    def pictures(self) -> Tensor:
        """The main view as RGB images in [0, 1], (B, 3, H, W)."""
        preprocessor = self._model.data_preprocessor
        mean = getattr(preprocessor, 'mean', 0.0)
        std = getattr(preprocessor, 'std', 1.0)
        return ((self.image * std + mean) / 255).clamp(0, 1)

    @property
    def thresholds(self) -> BackgroundThresholds:
        """The segmentor's background thresholds."""
        return self._model.thresholds

    @property
    def decode_head(self) -> Any:
        """The segmentor's decode head."""
        return self._model.decode_head

    def cams(self, names: Sequence[str], present: bool = False) -> list[Tensor]:
        """Normalised CAMs of the main view over several scales, without gradient.

        Args:
            names: Which sources.
            present: Whether only the classes are asked for that some image of the batch has.

        Returns:
            CAMs (B, K, H, W) in [0, 1], in the order of ``names``; with ``present`` those of
            :func:`~wsss_plugin.models.present_classes.present_classes`.
        """
        known = self._present_cams if present else self._cams
        if any(name not in known for name in names):
            wanted = dict.fromkeys((*self.needs.cams, *names))
            missing = [name for name in wanted if name not in known]
            known.update(self._found_cams(missing, present))
        return [known[name] for name in names]

    def _found_cams(self, names: list[str], present: bool) -> dict[str, Tensor]:
        # Where all classes are read as well, the few are taken out of them: one run of the scales.
        if present and (self.needs.absent_classes or all(name in self._cams for name in names)):
            whole = zip(names, self.cams(names), strict=True)
            return {name: cam[:, self.present_classes] for name, cam in whole}
        classes = self.present_classes if present else None
        return multi_scale_cams(self._model, self.main, names, self._multi_scale(), classes)

    def windowed_cams(self, names: Sequence[str], window: int, stride: int) -> list[Tensor]:
        """Normalised CAMs of the main view by windows that overlap, of a batch of one image.

        Args:
            names: Which sources.
            window: Side of a window in pixels.
            stride: Distance between windows in pixels.

        Returns:
            CAMs (1, N, H, W) in [0, 1] of the N tagged classes, in the order of ``names``.

        Raises:
            ConfigError: If the stride does not fit the window.
        """
        options = self._multi_scale()
        return windowed_cams(self._model, self.image, self.tags, names, options, window, stride)

    def _multi_scale(self) -> dict[str, Any]:
        """How CAMs are fused; a prediction may have scales of its own."""
        at_test = self._model.test_cfg.get('multi_scale') if self.iteration is None else None
        return {**self._model.multi_scale, **(at_test or {})}

    def label(self, name: str) -> Tensor:
        """A pseudo label of the main view.

        Args:
            name: Name of the label maker.

        Returns:
            What it makes, without gradient.
        """
        if name not in self._labels:
            self._labels[name] = self._model.labels[name].make(self)
        return self._labels[name]

    def label_weights(self, name: str) -> Tensor | None:
        """How much the label of each image counts.

        Args:
            name: Name of the label maker.

        Returns:
            Factors (B,), None where all labels count alike.
        """
        weigh = getattr(self._model.labels[name], 'image_weights', None)
        return None if weigh is None else weigh(self)

    def random_maps(self, size: Sequence[int], part: str = '') -> Tensor:
        """Random numbers for each pixel that depend on the sample, not on its place in the batch.

        Args:
            size: Height and width.
            part: Name of the part that draws, so that another part draws other numbers.

        Returns:
            Numbers (B, *size) in [0, 1).
        """
        device, shape = self.image.device, (len(self.data_samples), *size)
        maps = torch.empty(shape, device=device)
        for numbers, sample in zip(maps, self.data_samples, strict=True):
            seed, generator = sample.metainfo.get('sample_seed'), None
            if seed is not None:
                # Generators of a CPU take 32 bits of a seed.
                seed = zlib.crc32(f'{seed} {part}'.encode()) if part else int(seed) % 2**63
                generator = torch.Generator(device).manual_seed(seed)
            torch.rand(shape[1:], generator=generator, out=numbers)
        return maps
