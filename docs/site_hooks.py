"""Brings into the site what lies outside docs/: pages of methods, changes, and linked files."""

from __future__ import annotations

import posixpath
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[1]
_LINK = re.compile(r'(?<=\])\(([^)\s]+)\)')
_FENCE = re.compile(r'^(```.*?^```$)', flags=re.MULTILINE | re.DOTALL)
_PAGES = {'README.md': 'index.md'} | {
    name: name.lower() for name in ('CHANGELOG.md', 'CONTRIBUTING.md', 'SECURITY.md')
}


def _place(target: Path) -> str | None:
    """Where a file of the repository is in the site; None for a folder."""
    if target.is_dir():
        return None
    name = target.relative_to(ROOT).as_posix()
    if name in _PAGES:
        return _PAGES[name]
    if name.startswith('docs/'):
        return name.removeprefix('docs/')
    if re.fullmatch(r'configs/\w+/README\.md', name):
        return _page_of_method(target)
    return f'files/{name}'


def _page_of_method(readme: Path) -> str:
    return f'methods/{readme.parent.name}.md'


def _readmes() -> list[Path]:
    return sorted(ROOT.glob('configs/*/README.md'))


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Lists the page of each method under the methods, and each table under the results."""
    sections = {name: pages for item in config.nav or () for name, pages in item.items()}
    sections['Methods'] += [_page_of_method(readme) for readme in _readmes()]
    tables = sorted(ROOT.glob('docs/results/*.md'))
    listed = [path.relative_to(ROOT / 'docs').as_posix() for path in tables]
    sections['Results'] += [name for name in listed if name not in sections['Results']]
    return config


def _targets(text: str, folder: Path) -> list[Path]:
    found = [link.partition('#')[0] for link in _LINK.findall(_FENCE.sub('', text))]
    return [(folder / name).resolve() for name in found if name and '://' not in name]


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds the pages and the files that pages link to."""
    pages = [ROOT / name for name in _PAGES if name != 'README.md']
    pages += _readmes()
    linked = dict.fromkeys(pages)
    for page in [*pages, *(Path(file.abs_src_path) for file in files.documentation_pages())]:
        linked.update(dict.fromkeys(_targets(page.read_text(encoding='utf-8'), page.parent)))
    for path in linked:
        place = _place(path) if path.is_file() else None
        if place is not None and files.get_file_from_path(place) is None:
            files.append(File.generated(config, place, abs_src_path=str(path)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:  # noqa: ARG001
    """Points links to where their targets are in the site; a link to a folder becomes its text."""
    source = Path(str(page.file.abs_src_path)).resolve()
    here = posixpath.dirname(page.file.src_uri)

    def moved(match: re.Match[str]) -> str:
        name, hash_, anchor = match[2].partition('#')
        if not name or '://' in name:
            return match[0]
        target = (source.parent / name).resolve()
        place = _place(target)
        if place is None:
            return match[1]
        # The README is not a page of the site, its headings are not those of the front page.
        anchor = '' if target == ROOT / 'README.md' else hash_ + anchor
        return f'[{match[1]}]({posixpath.relpath(place, here)}{anchor})'

    parts = _FENCE.split(markdown)
    link = re.compile(r'(?<!!)\[([^\]]*)\]\(([^)\s]+)\)')
    return ''.join(p if p.startswith('```') else link.sub(moved, p) for p in parts)
