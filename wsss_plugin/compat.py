"""Every adaptation to a version of the toolbox, so that no other module knows about versions."""

from __future__ import annotations

import datetime
import functools
import importlib
import importlib.machinery
import importlib.metadata
import importlib.util
import itertools
import os
import pickle
import sys
import types
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

from wsss_plugin.whole_file import write_bytes, write_text

_COMPILED_EXTENSION = 'mmcv._ext'
_PACKAGE = 'wsss_plugin'
_TOOLBOX = ('mmengine', 'mmcv', 'mmseg', 'mmpretrain')
_EXTRAS = "`pip install 'wsss_plugin[openmmlab]'` or `pip install 'wsss_plugin[onedl]'`"
_TRUST_VARIABLE = 'TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD'
_CAUTION_VARIABLE = 'TORCH_FORCE_WEIGHTS_ONLY_LOAD'


class _CompiledExtensionStandIn(types.ModuleType):
    """Stands in for ``mmcv._ext`` so that ``mmcv.ops`` imports where nothing was compiled."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith('__'):
            raise AttributeError(name)

        def unavailable(*_args: object, **_kwargs: object) -> NoReturn:
            raise RuntimeError(
                f'expected the compiled operator mmcv.ops.{name}, received mmcv-lite, which has '
                'none; install the compiled mmcv package to use a model that needs it'
            )

        return unavailable


def provide_compiled_extension() -> bool:
    """Makes ``mmcv.ops`` importable under mmcv-lite.

    Returns:
        bool: True if the stand-in was installed, False if a compiled extension exists.
    """
    if _COMPILED_EXTENSION in sys.modules or importlib.util.find_spec(_COMPILED_EXTENSION):
        return False
    module = _CompiledExtensionStandIn(_COMPILED_EXTENSION)
    module.__spec__ = importlib.machinery.ModuleSpec(_COMPILED_EXTENSION, loader=None)
    sys.modules[_COMPILED_EXTENSION] = module
    return True


def name_configs() -> None:
    """Makes ``_base_ = 'wsss_plugin::<config>'`` find the configs that come with this package."""
    from mmengine.config import Config
    from mmengine.config.utils import MODULE2PACKAGE

    MODULE2PACKAGE[_PACKAGE] = _PACKAGE
    find = Config._get_cfg_path
    if not hasattr(find, '__wrapped__'):
        Config._get_cfg_path = staticmethod(_finding_own_configs(find))


def _finding_own_configs(find: Any) -> Any:
    @functools.wraps(find)
    def get_cfg_path(cfg_path: str, filename: str) -> tuple[str, str | None]:
        package, _, name = cfg_path.partition('::')
        if package != _PACKAGE:
            return find(cfg_path, filename)
        # Its parts are registered with MMSegmentation, so that no scope of its own is searched.
        return str(Path(__file__).parent / '.mim' / 'configs' / name), None

    return get_cfg_path


def toolbox_is_absent() -> bool:
    """Whether no package of a toolbox is installed, not even part of one.

    Returns:
        bool: True where neither MMEngine nor MMCV nor MMSegmentation can be found.
    """
    return all(importlib.util.find_spec(name) is None for name in _TOOLBOX[:3])


def require_toolbox() -> None:
    """Checks that one complete toolbox is installed and that torchvision fits torch.

    Raises:
        ImportError: If a package of the toolbox is missing, or torchvision was built for another
            torch; the message names the remedy.
    """
    missing = [name for name in _TOOLBOX if importlib.util.find_spec(name) is None]
    if missing:
        raise ImportError(
            f'expected the packages {", ".join(_TOOLBOX)}, of which {", ".join(missing)} cannot '
            f'be found; install one toolbox, either {_EXTRAS}'
        )
    _warn_of_mixed_toolboxes()
    _require_matching_torchvision()


def _warn_of_mixed_toolboxes() -> None:
    mixed = [name for name in ('mmengine', 'mmsegmentation') if _has_both(name)]
    if mixed:
        warnings.warn(
            f'{", ".join(mixed)} and the onedl continuation of the same name are both installed '
            f'and overwrite each other; uninstall both, then run either {_EXTRAS}',
            RuntimeWarning,
            stacklevel=3,
        )


def _has_both(name: str) -> bool:
    try:
        importlib.metadata.version(name)
        importlib.metadata.version(f'onedl-{name}')
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def _require_matching_torchvision() -> None:
    try:
        importlib.import_module('torchvision')
    except RuntimeError as error:
        if 'torchvision::' not in str(error):
            raise
        raise ImportError(
            'expected a torchvision built for the installed torch, received one whose operators '
            f'torch does not know ({error}); install the pair of one release from one index, for '
            'example `pip install torch==2.8.0 torchvision==0.23.0`'
        ) from error


def require_weights_only_loading() -> None:
    """Makes the toolbox read every checkpoint as data only, on every supported version.

    That holds for local files, for addresses and for the zoos of models. A file that holds other
    objects is refused unless the user trusts it by setting the variable
    ``TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD=1``, which torch itself defines.
    """
    from mmengine.runner import CheckpointLoader, checkpoint

    CheckpointLoader.register_scheme(prefixes='', loader=load_from_local, force=True)
    load = CheckpointLoader.__dict__['load_checkpoint'].__func__
    if not hasattr(load, '__wrapped__'):
        CheckpointLoader.load_checkpoint = classmethod(_loading_data_only(load))
    if hasattr(checkpoint, '_safe_torch_load'):
        # It tries again without caution where caution has refused a file.
        checkpoint._safe_torch_load = _load_file


def trusts_checkpoints() -> bool:
    """Returns whether the user has allowed checkpoints to run code.

    Returns:
        bool: True if ``TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD`` is set.
    """
    return os.environ.get(_TRUST_VARIABLE, '0').lower() in ('1', 'y', 'yes', 'true')


@contextmanager
def data_only() -> Iterator[None]:
    """Makes every ``torch.load`` inside read data only, whatever its caller asks for.

    Yields:
        None: While the variable that torch reads is set; it is not where the user trusts files.
    """
    before = os.environ.get(_CAUTION_VARIABLE)
    if trusts_checkpoints():
        yield
        return
    os.environ[_CAUTION_VARIABLE] = '1'
    try:
        yield
    finally:
        if before is None:
            os.environ.pop(_CAUTION_VARIABLE, None)
        else:
            os.environ[_CAUTION_VARIABLE] = before


def _loading_data_only(load: Any) -> Any:
    @functools.wraps(load)
    def load_checkpoint(
        cls: type, filename: str, map_location: Any = None, logger: Any = 'current'
    ) -> Any:
        with data_only():
            try:
                content = load(cls, filename, map_location, logger)
            except pickle.UnpicklingError as error:
                raise _holds_other_objects(filename, error) from error
            except (EOFError, OSError, RuntimeError) as error:
                # Those of local files say so already.
                if '://' not in filename:
                    raise
                raise RuntimeError(
                    f'expected a complete checkpoint at {filename}, which cannot be loaded; check '
                    f'the address and the connection. It says: {_first_line(error)}'
                ) from error
        return _plain_content(content, filename)

    return load_checkpoint


def _plain_content(content: Any, filename: str) -> Any:
    """Refuses what is no checkpoint, and drops the text that the toolbox would run."""
    inside = (
        [content.get(key) for key in ('state_dict', 'meta')] if isinstance(content, Mapping) else []
    )
    for part in (content, *(part for part in inside if part is not None)):
        if not isinstance(part, Mapping):
            raise RuntimeError(
                f'expected a checkpoint in {filename}, weights by name with or without meta, '
                f'received a {type(part).__name__} in the place of a mapping; give a file that '
                'tools/train.py saved, or save the state_dict of a model'
            )
    meta = content.get('meta')
    # Very old trainings put their config there, and the toolbox runs it to compare the GPUs.
    if isinstance(meta, dict):
        meta.pop('config', None)
    return content


def write_files_whole() -> None:
    """Makes the toolbox write its files whole or not at all, checkpoints among them."""
    from mmengine.fileio import LocalBackend

    LocalBackend.put = _put
    LocalBackend.put_text = _put_text


def _put(_: Any, obj: bytes, filepath: str | Path) -> None:
    write_bytes(filepath, obj)


def _put_text(_: Any, obj: str, filepath: str | Path, encoding: str = 'utf-8') -> None:
    if encoding.lower().replace('-', '') == 'utf8':
        write_text(filepath, obj)
    else:
        write_bytes(filepath, obj.encode(encoding))


def search_checkpoints_by(find: Callable[[str], str | None]) -> None:
    """Gives the runner another search for the checkpoint from which ``resume=True`` continues.

    Args:
        find (Callable): Takes the work folder, returns the file or None.
    """
    from mmengine.runner import runner

    runner.find_latest_checkpoint = find


def load_from_local(filename: str, map_location: Any = None) -> Any:
    """Loads a checkpoint as data only, for :func:`require_weights_only_loading`.

    Args:
        filename (str): The file.
        map_location (Any): As for ``torch.load``.

    Returns:
        Any: Its content.

    Raises:
        FileNotFoundError: If the file does not exist.
        RuntimeError: If the file is damaged or holds other objects and is not trusted.
    """
    # The toolbox logs the name of this function from the eleventh letter on.
    path = Path(filename).expanduser()
    if not path.is_file():
        raise FileNotFoundError(
            f'expected a checkpoint file, received {path}, which does not exist; check the path '
            'given on the command line, as load_from or as init_cfg.checkpoint'
        )
    return _load_file(path, map_location)


def _load_file(path: Any, map_location: Any = None, **options: Any) -> Any:
    """Loads a file, or what was read from one, as data only."""
    import torch

    options['weights_only'] = not trusts_checkpoints()
    try:
        return torch.load(path, map_location=map_location, **options)
    except pickle.UnpicklingError as error:
        raise _holds_other_objects(path, error) from error
    except Exception as error:
        raise RuntimeError(
            f'expected a complete checkpoint in {path}, received one that cannot be read (cut '
            f'short?); copy or save it again. torch says: {_first_line(error)}'
        ) from error


def _holds_other_objects(path: Any, error: Exception) -> RuntimeError:
    return RuntimeError(
        f'expected weights and plain values in {path}, received other pickled objects, which '
        'could run code when loaded (or a damaged file); add SafeCheckpointHook to the '
        'custom_hooks of the training that saves it, or, if you trust the file, set '
        f'{_TRUST_VARIABLE}=1. torch says: {_first_line(error)}'
    )


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


def init_distributed(launcher: str, dist_cfg: Mapping[str, Any] | None = None) -> str:
    """Starts the process group that the toolbox cannot start itself: gloo without a GPU.

    With a GPU nothing is done, because the runner's own start-up then works.

    Args:
        launcher (str): The runner's ``launcher``.
        dist_cfg (Mapping, optional): ``env_cfg.dist_cfg``; only ``timeout`` (seconds) is used.

    Returns:
        str: The backend in use, 'none' if training is not distributed.

    Raises:
        ValueError: If the launcher cannot work without a GPU.
        RuntimeError: If torchrun's environment is missing.
    """
    import torch
    from torch import distributed

    if launcher == 'none':
        return 'none'
    if distributed.is_initialized():
        return str(distributed.get_backend())
    if torch.cuda.is_available():
        return str((dist_cfg or {}).get('backend', 'nccl'))
    if launcher != 'pytorch':
        raise ValueError(
            f"expected the launcher 'pytorch' on a machine without a GPU, received {launcher!r}; "
            'start the processes with torchrun, as tools/dist_train.sh does'
        )
    missing = [name for name in ('RANK', 'WORLD_SIZE', 'MASTER_ADDR') if name not in os.environ]
    if missing:
        raise RuntimeError(
            f'expected the environment of torchrun, of which {", ".join(missing)} is missing; '
            'start with tools/dist_train.sh CONFIG GPUS or drop --launcher'
        )
    seconds = float((dist_cfg or {}).get('timeout', 1800))
    distributed.init_process_group('gloo', timeout=datetime.timedelta(seconds=seconds))
    return 'gloo'


def swaps_colours(preprocessor: Any) -> bool:
    """Whether a data preprocessor of the toolbox exchanges red and blue.

    Args:
        preprocessor: An ``ImgDataPreprocessor`` or ``SegDataPreProcessor``.

    Returns:
        Whether it does. The two toolboxes keep it under different names.
    """
    names = ('channel_conversion', '_channel_conversion')
    return any(bool(getattr(preprocessor, name, False)) for name in names)


def skip_trained_data(loop: Any) -> bool:
    """Lets a resumed loop begin where its data were, instead of loading all that was trained on.

    Nothing is done where the loop does so itself, as later toolboxes do, nor for a sampler without
    ``skip(num_samples)``.

    Args:
        loop (IterBasedTrainLoop): About to run, its iteration restored.

    Returns:
        bool: Whether the data begin there now.
    """
    loader, iterator = loop.dataloader, type(loop.dataloader_iterator)
    can_skip = hasattr(loader.sampler, 'skip') and loader.batch_size is not None
    if hasattr(iterator, 'skip_iter') or not can_skip:
        return False
    loader.sampler.skip(loop.iter * loader.batch_size)
    # Its workers are at the beginning of the data already, and end before the others start.
    loop.dataloader_iterator = None
    # The loop will take as many batches as it has trained and drop them.
    loop.dataloader_iterator = itertools.chain(itertools.repeat(None, loop.iter), iterator(loader))
    return True
