"""An inspection for the eye."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wsss_plugin.errors import cut, listed

_SHOWN = 5


def inspection_text(found: Mapping[str, Any]) -> list[str]:
    """An inspection in lines of text.

    Args:
        found: What :func:`inspect_data` gives.

    Returns:
        Lines of text.
    """
    lines = list(found['short'])
    for pair in found['overlap']:
        if pair['same_bytes']:
            first, second = pair['splits']
            names = [' = '.join(copies) for copies in pair['same_bytes']]
            lines.append(
                f'{len(names)} files of {first} have the bytes of one of {second}: '
                f'{listed(names, _SHOWN)}'
            )
    for name, split in found['splits'].items():
        if split['unlisted']:
            lines.append(
                f'{name}: {len(split["unlisted"])} images without an entry in the file of tags: '
                f'{listed(split["unlisted"], _SHOWN)}'
            )
        for one, other in split['only_with'][:_SHOWN]:
            lines.append(f'{name}: {cut(one, 40)} is never tagged without {cut(other, 40)}')
    return lines + _of_files(found['files']) + _of_masks(found['masks'])


def _of_files(files: Mapping[str, Any]) -> list[str]:
    lines = []
    for bad in files['unreadable'][:_SHOWN]:
        lines.append(f'unreadable: {bad["reason"]}')
    if len(files['unreadable']) > _SHOWN:
        lines.append(f'{len(files["unreadable"])} files are unreadable')
    if files['duplicates']:
        first = listed(files['duplicates'][0], 3)
        lines.append(f'{len(files["duplicates"])} groups of files have the same bytes: {first}')
    if files['sizes']:
        sides = ', '.join(
            f'{side} {files["sizes"][side]["min"]} to {files["sizes"][side]["max"]}'
            for side in ('width', 'height')
        )
        lines.append(f'sizes in pixels: {sides}')
    return lines


def _of_masks(masks: Mapping[str, Any]) -> list[str]:
    lines = []
    for name, found in masks.items():
        wrong = [one['image'] for one in found['contradict']]
        if found['masks']:
            text = f'{name}: {len(wrong)} of {found["masks"]} masks contradict the tags'
            lines.append(f'{text}: {listed(wrong, _SHOWN)}' if wrong else text)
        if found['unreadable']:
            lines.append(f'{name}: {found["unreadable"][0]["reason"]}')
    return lines
