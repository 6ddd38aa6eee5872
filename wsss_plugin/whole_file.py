"""Files that are written whole or not at all."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

_SUFFIX = '.part'


@contextmanager
def whole_file(path: str | Path, mode: str = 'wb') -> Iterator[IO[Any]]:
    """Writes a file under another name in its folder and renames it once all is on the disk.

    Until then, and if anything fails, the file that had the name before is untouched.

    Args:
        path (str | Path): The file; its folder is made.
        mode (str): 'wb' for bytes, 'w' for text in UTF-8.

    Yields:
        IO: The file to write to.

    Raises:
        OSError: If it cannot be written, for example because the disk is full; names the file.

    Examples:
        >>> import tempfile
        >>> folder = Path(tempfile.mkdtemp())
        >>> with whole_file(folder / 'a' / 'note.txt', 'w') as file:
        ...     _ = file.write('kept')
        >>> (folder / 'a' / 'note.txt').read_text(), len(list((folder / 'a').iterdir()))
        ('kept', 1)
    """
    path = Path(path)
    # A link stays one.
    target = path.resolve()
    # Of this thread alone: another one of the process may write the same file.
    writer = f'{threading.get_native_id()}.{os.getpid()}'
    part = target.with_name(f'.{target.name}.{writer}{_SUFFIX}')
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(part, mode, encoding=None if 'b' in mode else 'utf-8') as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.replace(target)
    except OSError as error:
        raise _named(error, path) from error
    finally:
        with suppress(OSError):
            part.unlink()
    _flush_folder(target.parent)


def write_bytes(path: str | Path, content: bytes) -> None:
    """Writes bytes by :func:`whole_file`.

    Args:
        path (str | Path): The file.
        content (bytes): All of it.
    """
    with whole_file(path) as file:
        file.write(content)


def write_text(path: str | Path, content: str) -> None:
    """Writes text in UTF-8 by :func:`whole_file`.

    Args:
        path (str | Path): The file.
        content (str): All of it.
    """
    with whole_file(path, 'w') as file:
        file.write(content)


def write_json(path: str | Path, content: Any) -> None:
    """Writes JSON, indented by two, by :func:`whole_file`.

    Args:
        path (str | Path): The file.
        content (Any): What JSON knows; NaN, which it does not know, is refused.

    Raises:
        ValueError: If a number is not finite.
    """
    write_text(path, json.dumps(content, indent=2, allow_nan=False) + '\n')


def remove_parts(folder: str | Path, below: bool = False) -> int:
    """Removes what processes that were killed while writing have left in a folder.

    Args:
        folder (str | Path): The folder; need not exist.
        below (bool): Whether folders in it are cleared, too.

    Returns:
        int: Number of files removed.
    """
    removed = 0
    search = Path(folder).rglob if below else Path(folder).glob
    for part in list(search(f'.*{_SUFFIX}')):
        process = part.name.removesuffix(_SUFFIX).rpartition('.')[2]
        if process.isdigit() and not _is_alive(int(process)):
            with suppress(OSError):
                part.unlink()
                removed += 1
    return removed


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    try:
        state = Path(f'/proc/{process}/stat').read_text(encoding='utf-8').rpartition(')')[2]
    except OSError:
        return True
    # Killed, but its parent has not asked for its end yet.
    return state.split()[0] not in ('Z', 'X')


def _named(error: OSError, path: Path) -> OSError:
    said = error.strerror or str(error)
    return OSError(
        error.errno,
        f'expected to write {path}, which failed ({said}); what had this name before is untouched: '
        'make room or choose another folder',
    )


def _flush_folder(folder: Path) -> None:
    # A rename survives a power failure only once the folder is on the disk; not every file system
    # can be asked for that.
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
