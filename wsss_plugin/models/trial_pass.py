"""One pass of a small image through the parts of a segmentor, when that is built."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from wsss_plugin.models.backbones import smallest_side
from wsss_plugin.models.forward_pass import ForwardPass
from wsss_plugin.models.needs import Needs

# What a network raises that is given another map than it was built for.
_MISFITS = (AssertionError, AttributeError, IndexError, RuntimeError, TypeError, ValueError)
_SIDE = 64
_PATCHES = 4


class TrialPass:
    """Runs each part on what it reads, and tells which of it a trained parameter stands behind.

    The image is black and of a few patches. The pass is in evaluation, draws nothing at random and
    leaves no trace in the model.

    Args:
        model: The segmentor.
        readers: Names of the features that are read, by the key of who reads them.

    Raises:
        ValueError: If a part cannot take what it reads; names its key and the shapes.
    """

    def __init__(self, model: Any, readers: Mapping[str, Sequence[str]]) -> None:
        self._model = model
        self._names = tuple(dict.fromkeys(name for names in readers.values() for name in names))
        with _in_evaluation(model), torch.enable_grad():
            self._pass = self._passed(readers)
            self._taught = {
                ('features', name): _learns(self.features[name]) for name in self._names
            }
            for name in model.cams:
                self._run_source(name)
            for name, head in model.heads.items():
                self._run_head(name, head)
            if model.decode_head is not None:
                maps = self._shapes(model.decode_reads)
                logits = fitting('decode_head', maps, lambda: self._pass.decode_logits)
                self._taught['decoder', ''] = _learns(logits)
            for name, term in model.terms.items():
                read = {key: self.features[key] for key in term.needs().features}
                shapes = self._shapes(read)
                fitting(f'terms.{name}', shapes, partial(term.try_on, read))

    def _passed(self, readers: Mapping[str, Sequence[str]]) -> ForwardPass:
        model = self._model
        weight = next(model.backbone.parameters(), torch.zeros(()))
        side = max(_SIDE, _PATCHES * smallest_side(model.backbone))
        image = weight.new_zeros(1, _bands(model.backbone), side, side)
        tags = weight.new_ones(1, model.num_foreground)
        whole = ForwardPass(model, image, tags, self._names)
        try:
            self.features = whole.features(self._names)
        except _MISFITS:
            # Again for one reader after the other, to name who asks for what is not there.
            for key, names in readers.items():
                alone = ForwardPass(model, image, tags, names)
                given = f'an image {tuple(image.shape)}, of which it reads {list(names)}'
                fitting(key, given, partial(alone.features, names))
            raise
        return whole

    def _shapes(self, names: Any) -> str:
        return ', '.join(f'{name!r} {tuple(self.features[name].shape)}' for name in names)

    def _run_source(self, name: str) -> None:
        source = self._model.cams[name]
        if getattr(source, 'finished', False):
            return
        key, shapes = f'cams.{name}', self._shapes(source.reads)
        raw = fitting(key, shapes, lambda: self._pass.raw(name))
        if raw.dim() != 4 or raw.shape[1] != source.num_classes:
            raise ValueError(
                f'expected raw CAMs (B, {source.num_classes}, h, w) of model.{key}, received '
                f'{tuple(raw.shape)} of the features {shapes}; read a map (B, C, h, w)'
            )
        logits = (
            fitting(key, shapes, lambda: self._pass.logits(name)) if source.classifies else None
        )
        self._taught['raw', name] = _learns(raw)
        self._taught['logits', name] = _learns(raw if logits is None else logits)

    def _run_head(self, name: str, head: nn.Module) -> None:
        reads = getattr(head, 'reads', ())
        if not reads:
            self._taught['heads', name] = any(p.requires_grad for p in head.parameters())
            return
        maps = [self.features[feature] for feature in reads]
        outputs = fitting(f'heads.{name}', self._shapes(reads), lambda: head(maps))
        outputs = (outputs,) if isinstance(outputs, Tensor) else outputs
        self._taught['heads', name] = any(_learns(output) for output in outputs)

    def teaches(self, needs: Needs) -> bool:
        """Whether a gradient at something that is read reaches a parameter that is trained.

        Args:
            needs: What is read; labels and CAMs without gradient do not count.

        Returns:
            Whether it does.
        """
        read = [(kind, name) for kind in _WITH_GRADIENT for name in getattr(needs, kind)]
        read += [('decoder', '')] if needs.decoder else []
        return any(self._taught.get(one, False) for one in read)


_WITH_GRADIENT = ('features', 'raw', 'logits', 'heads')


def fitting(key: str, given: str, run: Callable[[], Any]) -> Any:
    """What a part gives, or an error that says what it could not take.

    Args:
        key: Its key in the config of the segmentor.
        given: What it was given, in words.
        run: Runs it.

    Returns:
        What it gives.

    Raises:
        ValueError: If it cannot take what it was given.
    """
    try:
        return run()
    except _MISFITS as error:
        told = str(error).strip().split('\n')[0] or type(error).__name__
        raise ValueError(
            f'expected model.{key} to fit what it reads, received {given}: {told}; correct its '
            'channels (in_channels) or what it reads'
        ) from error


def _learns(value: Any) -> bool:
    return isinstance(value, Tensor) and value.requires_grad


def _bands(backbone: nn.Module) -> int:
    """Channels of the images that a network takes."""
    layers = (module for module in backbone.modules() if isinstance(module, nn.Conv2d))
    first = next(layers, None)
    return 3 if first is None else first.in_channels


@contextmanager
def _in_evaluation(model: nn.Module) -> Iterator[None]:
    """Evaluation of all modules, and afterwards each as it was."""
    modes = {module: module.training for module in model.modules()}
    model.eval()
    try:
        yield
    finally:
        for module, mode in modes.items():
            module.training = mode
