"""Which names of classes a data set can have."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from wsss_plugin.datasets.class_names import BACKGROUND
from wsss_plugin.errors import ConfigError, listed, received

# Of the 256 values of an 8-bit map one is the background and one is ignored.
MOST_CLASSES = 254


def require_classes(
    classes: Sequence[str] | None, mask_classes: Sequence[str] | None, masks: bool
) -> None:
    """Checks the chosen classes and the names of the masks' values.

    Args:
        classes (Sequence[str] | None): ``metainfo['classes']``.
        mask_classes (Sequence[str] | None): Names of the masks' values from 1, if they are given.
        masks (bool): Whether masks are opened.

    Raises:
        ConfigError: The background is not first, a class comes twice, a class is no value of the
            masks, or there are too many.
    """
    if not classes or len(classes) < 2 or classes[0] != BACKGROUND:
        raise ConfigError(
            f"metainfo['classes']: expected '{BACKGROUND}' and then at least one class, "
            f'received {received(classes)}'
        )
    repeated = [name for name, times in Counter(classes).items() if times > 1]
    if repeated:
        raise ConfigError(
            f"metainfo['classes']: expected every class once, received {listed(repeated)} more "
            'than once; remove or rename one'
        )
    if masks:
        require_eight_bits("metainfo['classes']", classes[1:])
    if mask_classes is None:
        return
    require_eight_bits('mask_classes', mask_classes)
    if BACKGROUND in mask_classes or not set(classes[1:]) <= set(mask_classes):
        raise ConfigError(
            f"mask_classes: expected the names of the masks' values from 1, without "
            f"'{BACKGROUND}' and with all other metainfo['classes'], received "
            f'{received(mask_classes)} for the classes {received(classes)}'
        )


def require_eight_bits(argument: str, names: Sequence[str]) -> None:
    """Checks that label maps of 8 bits have a value for each class.

    Args:
        argument (str): Where the names are from, for the message.
        names (Sequence[str]): The classes without the background.

    Raises:
        ConfigError: There are too many.
    """
    if len(names) > MOST_CLASSES:
        raise ConfigError(
            f'{argument}: expected at most {MOST_CLASSES} classes beside the background, '
            f'received {len(names)}; label maps have 8 bits, and their value 255 is ignored: '
            'choose fewer classes, or train several models'
        )
