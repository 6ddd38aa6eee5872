"""Packaging; the two toolboxes are extras because they share import names."""

import os
import re
from pathlib import Path

from setuptools import find_packages, setup

_ROOT = Path(__file__).parent
_PACKAGE = _ROOT / 'wsss_plugin'
# What the package asks for. requirements/ pins one release of each, with which all is tested.
RANGES = {
    'einops': '>=0.8,<0.9',
    'ftfy': '>=6.3,<6.4',
    'jinja2': '>=3.1,<4',
    'matplotlib': '>=3.10,<3.12',
    'mmcv-lite': '>=2.1,<2.2',
    'mmengine': '>=0.10.7,<0.11',
    'mmpretrain': '>=1.2,<1.3',
    'mmsegmentation': '>=1.2.2,<1.3',
    'numpy': '>=2.2,<2.5',
    'onedl-mmcv': '>=2.3.6,<2.4',
    'onedl-mmengine': '>=0.10.12,<0.11',
    'onedl-mmpretrain': '>=1.3.6,<1.4',
    'onedl-mmsegmentation': '>=1.4.2,<1.5',
    'opencv-python': '>=4.11,<6',
    'pillow': '>=11,<14',
    'pycocotools': '>=2.0.8,<2.1',
    'pydensecrf2': '>=1.1,<1.2',
    'regex': '>=2024.11.6',
    'scikit-learn': '>=1.7,<1.10',
    'scipy': '>=1.15,<1.18',
    'setuptools': '>=68,<81',
    'timm': '>=1.0.31,<1.1',
    'torch': '>=2.6,<2.9',
    'torchvision': '>=0.21,<0.24',
}

# What only some tools and configs ask for; requirements/dev.txt pins one release of each.
OPTIONAL = {
    'onnx': {'onnx': '>=1.17,<2', 'onnxruntime': '>=1.20,<2', 'onnxscript': '>=0.5,<1'},
    'bands': {'tifffile': '>=2024.8.30'},
}


def read_requirements(name: str) -> list[str]:
    """Reads a file of requirements/ and those that it includes.

    Args:
        name (str): Name of the file.

    Returns:
        list[str]: One pinned requirement per line.
    """
    requirements = []
    for line in (_ROOT / 'requirements' / name).read_text(encoding='utf-8').splitlines():
        if line.startswith('-r '):
            requirements.extend(read_requirements(line[3:].strip()))
        elif line.strip() and not line.startswith('#'):
            requirements.append(line.strip())
    return requirements


def ranges(name: str) -> list[str]:
    """The packages of a file of requirements/, each with its range in place of its pin.

    Args:
        name (str): Name of the file.

    Returns:
        list[str]: One requirement per package.

    Raises:
        KeyError: If a package has no range.
    """
    names = dict.fromkeys(re.split('[=;]', line)[0].strip() for line in read_requirements(name))
    return [f'{package}{RANGES[package]}' for package in names]


def mim_files() -> list[str]:
    """Configs, tools and index of models, which lie in the package as OpenMMLab's do.

    Returns:
        list[str]: Files relative to the package.
    """
    found = []
    for folder, _, files in os.walk(_PACKAGE / '.mim', followlinks=True):
        found += [Path(folder) / file for file in files if not file.endswith('.pyc')]
    return sorted(path.relative_to(_PACKAGE).as_posix() for path in found)


def read_readme() -> str:
    """Reads the long description.

    Returns:
        str: Markdown text, empty where the file is missing.
    """
    readme = _ROOT / 'README.md'
    return readme.read_text(encoding='utf-8') if readme.is_file() else ''


setup(
    name='wsss_plugin',
    version='0.2.0',
    description='Weakly supervised semantic segmentation for MMSegmentation',
    long_description=read_readme(),
    long_description_content_type='text/markdown',
    license='Apache-2.0',
    packages=find_packages(include=['wsss_plugin', 'wsss_plugin.*']),
    package_data={'wsss_plugin': [*mim_files(), 'engine/run_report/report.html.jinja']},
    python_requires='>=3.10,<3.13',
    extras_require={
        **{extra: [*map(''.join, asked.items())] for extra, asked in OPTIONAL.items()},
        'openmmlab': ranges('openmmlab.txt'),
        'onedl': ranges('onedl.txt'),
        'tensorboard': ['tensorboard>=2.15,<3'],
        # Formatters and type checkers change their minds from release to release.
        'dev': read_requirements('dev.txt'),
    },
)
