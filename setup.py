"""Packaging; the two toolboxes are extras because they share import names."""

from pathlib import Path

from setuptools import find_packages, setup

_ROOT = Path(__file__).parent


def read_requirements(name: str) -> list[str]:
    """Reads a file of requirements/ and those that it includes.

    Args:
        name (str): Name of the file.

    Returns:
        list[str]: One requirement per line.
    """
    requirements = []
    for line in (_ROOT / 'requirements' / name).read_text(encoding='utf-8').splitlines():
        if line.startswith('-r '):
            requirements.extend(read_requirements(line[3:].strip()))
        elif line.strip() and not line.startswith('#'):
            requirements.append(line.strip())
    return requirements


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
    python_requires='>=3.10,<3.13',
    extras_require={
        'openmmlab': read_requirements('openmmlab.txt'),
        'onedl': read_requirements('onedl.txt'),
        'dev': read_requirements('dev.txt'),
    },
)
