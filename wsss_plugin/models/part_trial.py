"""Whether the parts of a segmentor fit each other, and whether each loss term teaches something."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from wsss_plugin.models.phase_plan import features_of, logit_features_of
from wsss_plugin.models.trial_pass import TrialPass


def try_parts(model: Any) -> None:
    """Runs the parts of a segmentor once on a small image, when it is built.

    Args:
        model: The segmentor.

    Raises:
        ValueError: If a part cannot take what it reads, or the gradient of a term reaches no
            parameter that is trained beside the term's own.
    """
    trial = TrialPass(model, _readers(model))
    for name, term in model.terms.items():
        require_taught(name, term, [trial])


def try_terms_between(students: Sequence[Any], terms: Any) -> None:
    """The same for terms that several segmentors share.

    Args:
        students: The segmentors.
        terms: The terms by name.

    Raises:
        ValueError: If the gradient of a term reaches no parameter that is trained.
    """
    if not terms:
        return
    own = {f'terms.{name}': term.needs().features for name, term in terms.items()}
    trials = [TrialPass(student, {**_readers(student), **own}) for student in students]
    for name, term in terms.items():
        require_taught(name, term, trials)


def require_taught(name: str, term: Any, trials: Sequence[TrialPass]) -> None:
    """Refuses a term that teaches nothing.

    Args:
        name: Its name.
        term: The term.
        trials: Passes through the segmentors that it reads.

    Raises:
        ValueError: If its gradient reaches no parameter that is trained.
    """
    if any(trial.teaches(term.teaches()) for trial in trials):
        return
    raise ValueError(
        f'expected model.terms.{name} to teach a part of the segmentor, received only frozen or '
        'detached parts behind what it reads; leave it out by None or unfreeze one; where its loss '
        'detaches one of two, let it detach the other'
    )


def _readers(model: Any) -> dict[str, tuple[str, ...]]:
    """Names of features by the key of who reads them."""
    readers = {}
    for name in model.cams:
        of_logits = logit_features_of(model, [name])
        readers[f'cams.{name}'] = tuple(dict.fromkeys((*features_of(model, [name]), *of_logits)))
    for name, head in model.heads.items():
        readers[f'heads.{name}'] = tuple(getattr(head, 'reads', ()))
    if model.decode_head is not None:
        readers['decode_head'] = tuple(model.decode_reads)
    for name, maker in model.labels.items():
        readers[f'labels.{name}'] = maker.needs(None, None).features
    for name, term in model.terms.items():
        readers[f'terms.{name}'] = term.needs().features
    return readers
