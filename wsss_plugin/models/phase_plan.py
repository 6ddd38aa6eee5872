"""Who reads what in each phase of a training, and whether that can be."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from wsss_plugin.models.backbones import check_feature
from wsss_plugin.models.needs import Needs

# Stands for the length of a training that is unknown when a model is built.
_SOME_LENGTH = 10**6


def features_of(model: Any, names: Sequence[str]) -> tuple[str, ...]:
    """The features that CAM sources read, those of their bases and of the decode head included.

    Args:
        model: The segmentor.
        names: Names of the sources.

    Returns:
        Names of features, each once.
    """
    found: dict[str, None] = {}
    for name in with_bases(model, names):
        source = model.cams[name]
        found.update(dict.fromkeys(source.reads))
        if source.reads_decoder:
            found.update(dict.fromkeys(model.decode_reads))
    return tuple(found)


def logit_features_of(model: Any, names: Sequence[str]) -> tuple[str, ...]:
    """The features that the classification logits of CAM sources take.

    Args:
        model: The segmentor.
        names: Names of the sources.

    Returns:
        Names of features, each once: the ``logit_reads`` of a source that needs less for its logits
        than for its CAM.
    """
    found: dict[str, None] = {}
    for name in names:
        reads = getattr(model.cams[name], 'logit_reads', None)
        found.update(dict.fromkeys(features_of(model, [name]) if reads is None else reads))
    return tuple(found)


def with_bases(model: Any, names: Sequence[str]) -> tuple[str, ...]:
    """CAM sources and those that they build on.

    Args:
        model: The segmentor.
        names: Names of the sources.

    Returns:
        Names, each once.

    Raises:
        ValueError: If a source builds on itself.
    """
    found: dict[str, None] = {}
    for name in names:
        chain: list[str] = []
        step: str | None = name
        while step is not None:
            if step in chain:
                raise ValueError(
                    f'expected CAM sources that do not build on themselves, received '
                    f'{" -> ".join([*chain, step])} by the key base in model.cams'
                )
            chain.append(step)
            step = model.cams[step].base
        found.update(dict.fromkeys(chain))
    return tuple(found)


def active_terms(model: Any, iteration: int, max_iters: int | None) -> dict[str, Any]:
    """The loss terms that have begun.

    Args:
        model: The segmentor.
        iteration: 0-based iteration.
        max_iters: Length of the training, where it is known.

    Returns:
        Terms by name.
    """
    return {name: term for name, term in model.terms.items() if term.begins(max_iters) <= iteration}


def needs_at(model: Any, iteration: int, max_iters: int | None) -> Needs:
    """All that is read of a batch at an iteration, down to the features of the backbone.

    Args:
        model: The segmentor.
        iteration: 0-based iteration.
        max_iters: Length of the training, where it is known.

    Returns:
        Names.
    """
    needs = Needs()
    for term in active_terms(model, iteration, max_iters).values():
        needs = needs | needs_of(model, term.needs(), iteration, max_iters)
    return needs


def needs_of(model: Any, own: Needs, iteration: int | None, max_iters: int | None) -> Needs:
    """What a part reads, and what that takes.

    Args:
        model: The segmentor.
        own: What the part itself reads.
        iteration: 0-based iteration, None outside a training.
        max_iters: Length of the training, where it is known.

    Returns:
        Names.
    """
    needs = own
    for name in own.labels:
        needs = needs | model.labels[name].needs(iteration, max_iters)
    for name in needs.heads:
        needs = needs | Needs(features=tuple(getattr(model.heads[name], 'reads', ())))
    sources = (*needs.raw, *needs.logits, *needs.cams)
    if any(model.cams[name].reads_decoder for name in with_bases(model, sources)):
        needs = needs | Needs(decoder=True)
    decoder = tuple(model.decode_reads) if needs.decoder else ()
    of_cams = features_of(model, (*needs.raw, *needs.cams))
    of_logits = logit_features_of(model, needs.logits)
    return needs | Needs(features=(*of_cams, *of_logits, *decoder))


def phase_starts(model: Any, max_iters: int | None) -> tuple[int, ...]:
    """The iterations at which a term begins or a label is made of something else.

    Args:
        model: The segmentor.
        max_iters: Length of the training, where it is known.

    Returns:
        Iterations, the first 0.
    """
    starts = {0}
    starts.update(term.begins(max_iters) for term in model.terms.values())
    for maker in model.labels.values():
        starts.update(maker.starts(max_iters))
    return tuple(sorted(starts))


def check_plan(model: Any) -> None:
    """Checks every phase of a segmentor when it is built.

    Args:
        model: The segmentor.

    Raises:
        ValueError: If a name is unknown, a source builds on itself or is read by nobody, classes
            differ, nothing is learnt at first, or a term teaches nothing.
    """
    _check_classes(model)
    _check_sources(model)
    read: set[str] = set() if model.decode_head is not None else {'final'}
    for start in phase_starts(model, _SOME_LENGTH):
        for key, needs in _parts_at(model, start):
            _check_names(model, key, needs)
            resolved = needs_of(model, needs, start, _SOME_LENGTH)
            for feature in resolved.features:
                _check_feature(model, key, feature)
            read.update((*resolved.raw, *resolved.logits, *resolved.cams))
    prior = model.test_cfg.get('class_prior')
    read.update(() if prior is None else (prior,))
    unread = sorted(set(model.cams) - set(with_bases(model, sorted(read & set(model.cams)))))
    if unread:
        raise ValueError(
            f'expected every CAM source of model.cams to be read by a term or a label maker, '
            f'received {unread}, which nobody reads; name them there or leave them out by None'
        )
    _check_terms(model)
    _check_ignored(model)
    _check_trained(model)
    _check_thresholds(model)
    _check_self_training(model)


def check_reader(model: Any, key: str, needs: Needs) -> None:
    """Checks that a segmentor has what a reader outside it needs, in every phase.

    Args:
        model: The segmentor.
        key: Key of the reader in the config, for the error.
        needs: What it reads.

    Raises:
        ValueError: If a name is unknown.
    """
    _check_names(model, key, needs)
    for start in phase_starts(model, _SOME_LENGTH):
        for feature in needs_of(model, needs, start, _SOME_LENGTH).features:
            _check_feature(model, key, feature)


def _parts_at(model: Any, start: int) -> Iterator[tuple[str, Needs]]:
    # Labels first: what a term reads leads through them.
    for name, maker in model.labels.items():
        yield f'labels.{name}', maker.needs(start, _SOME_LENGTH)
    for name, term in model.terms.items():
        yield f'terms.{name}', term.needs()


def _check_names(model: Any, key: str, needs: Needs) -> None:
    known = dict(raw=model.cams, logits=model.cams, cams=model.cams, labels=model.labels)
    known['heads'] = model.heads
    for kind, modules in known.items():
        for name in getattr(needs, kind):
            if name not in modules:
                where = {'labels': 'labels', 'heads': 'heads'}.get(kind, 'cams')
                raise ValueError(
                    f'expected model.{key} to name parts of model.{where}, which are '
                    f'{list(modules)}, received {name!r}'
                )
    if needs.decoder and model.decode_head is None:
        raise ValueError(
            f'expected a decode head for model.{key}, which reads its logits, received '
            'decode_head=None; name a decode head or leave the part out by None'
        )


def _check_feature(model: Any, key: str, feature: str) -> None:
    try:
        check_feature(model.backbone, feature)
    except ValueError as error:
        raise ValueError(f'model.{key}: {error}') from error


def _check_classes(model: Any) -> None:
    for name, source in model.cams.items():
        if source.num_classes != model.num_foreground:
            raise ValueError(
                'expected decode_head.num_classes to be one more (the background) than num_classes '
                f'of every CAM source, received {model.num_foreground + 1} and '
                f'{source.num_classes} of model.cams.{name}; set both from the number of '
                'foreground classes'
            )


def _check_ignored(model: Any) -> None:
    """A label and the loss that reads it have one number for no label, and it is no class."""
    for name, term in model.terms.items():
        needs = term.needs()
        key = 'decode_head' if needs.decoder else f'terms.{name}.loss'
        read = getattr(model.decode_head if needs.decoder else term.loss, 'ignore_index', None)
        for label in needs.labels if read is not None else ():
            made = getattr(model.labels[label], 'ignore_index', read)
            if made != read:
                raise ValueError(
                    f'expected one ignore_index of model.labels.{label} and model.{key}, which '
                    f'reads it, received {made} and {read}; set the same in both'
                )
            if 0 <= made <= model.num_foreground:
                raise ValueError(
                    f'expected ignore_index of model.labels.{label} and model.{key} to be no '
                    f'class, received {made} with {model.num_foreground} classes beside the '
                    'background; set -1 in both'
                )


def _check_sources(model: Any) -> None:
    for name, source in model.cams.items():
        if source.base is not None and source.base not in model.cams:
            raise ValueError(
                f'expected model.cams.{name}.base among {list(model.cams)}, received '
                f'{source.base!r}'
            )
        if source.reads_decoder and model.decode_head is None:
            raise ValueError(
                f'expected a decode head for model.cams.{name}, received decode_head=None; leave '
                'the source out by None'
            )
    for name in model.cams:
        for feature in features_of(model, [name]):
            _check_feature(model, f'cams.{name}', feature)
    _check_reductions(model)
    prior = model.test_cfg.get('class_prior')
    classifying = model.classifying_sources()
    if prior is not None and prior not in classifying:
        raise ValueError(
            f'expected test_cfg.class_prior to be None or one of {classifying}, the CAM sources '
            f'with classification logits, received {prior!r}'
        )


def _check_reductions(model: Any) -> None:
    """A feature that blocks give one after the other is reduced in one way only."""
    by_feature: dict[str, tuple[str, Any]] = {}
    for name, source in model.cams.items():
        for feature, reduction in getattr(source, 'reduce', {}).items():
            other, known = by_feature.setdefault(feature, (name, reduction))
            if known != reduction:
                raise ValueError(
                    f'expected one reduction of the feature {feature!r}, received different ones '
                    f'of model.cams.{other} and model.cams.{name}; leave one out by None'
                )


def _check_terms(model: Any) -> None:
    begins = {name: term.begins(_SOME_LENGTH) for name, term in model.terms.items()}
    if begins and min(begins.values()) > 0:
        raise ValueError(
            f'expected a loss term from iteration 0 on, received the starts {begins}; leave out '
            'start of the classification to train it first'
        )


def _check_trained(model: Any) -> None:
    known = dict(model.named_modules())
    for name, term in model.terms.items():
        unknown = [path for path in term.trains if path not in known]
        if unknown:
            raise ValueError(
                f'expected model.terms.{name}.trains to name modules of the segmentor, such as '
                f"'decode_head' or 'cams.final', received {unknown}; correct them or leave them out"
            )


def _check_thresholds(model: Any) -> None:
    """One high threshold for each class, where there are several."""
    own = {
        f'labels.{name}': getattr(maker, 'thresholds', None) for name, maker in model.labels.items()
    }
    for key, thresholds in {'': model.thresholds, **own}.items():
        high = getattr(thresholds, 'high', None)
        if isinstance(high, Sequence) and len(high) != model.num_foreground:
            where = f'{key}.thresholds'.lstrip('.')
            raise ValueError(
                f'expected one high threshold for each of the {model.num_foreground} classes in '
                f'model.{where}.high, received {len(high)}; give as many, or a single number'
            )


def _check_self_training(model: Any) -> None:
    """The decode head may not learn from what it alone says, or says before it has learnt."""
    for name, term in model.terms.items():
        needs, learns_from = term.needs(), term.begins(_SOME_LENGTH)
        for label in needs.labels if needs.decoder else ():
            for start in model.labels[label].starts(_SOME_LENGTH):
                cams = set(model.labels[label].needs(start, _SOME_LENGTH).cams)
                own = {cam for cam in cams if model.cams[cam].reads_decoder}
                if own and (own == cams or start <= learns_from):
                    raise ValueError(
                        f'expected {sorted(own)} in model.labels.{label}.cams beside a CAM, and '
                        f'from an iteration after the start of model.terms.{name} '
                        f'({learns_from}), since the decode head learns from the labels; received '
                        f'{(start, tuple(sorted(cams)))}; add a CAM or a later pair (iteration, '
                        'names)'
                    )
