"""What the pages say is true: snippets run, commands parse, links, messages and figures exist."""

from __future__ import annotations

import ast
import doctest
import importlib.util
import inspect
import json
import re
import shlex
import shutil
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.logging import MessageHub
from mmengine.runner import Runner
from PIL import Image

import wsss_plugin

# isort: split
import mmseg.registry
from mmseg.registry import DATASETS, METRICS, MODELS
from mmseg.structures import SegDataSample
from mmseg.utils import register_all_modules

from wsss_plugin.datasets import COCOTagDataset
from wsss_plugin.datasets.label_manifest import LabelManifest
from wsss_plugin.datasets.shapes_config import ShapesConfig
from wsss_plugin.datasets.shapes_generator import ShapesGenerator
from wsss_plugin.engine.config_reading.read_config import read_config
from wsss_plugin.engine.run_config import load_config
from wsss_plugin.engine.scoring_config import enable_tta
from wsss_plugin.evaluation.label_png import save_label_png

ROOT = Path(__file__).parents[1]
README = ROOT / 'README.md'
CONTRIBUTING = ROOT / 'CONTRIBUTING.md'
DOCS = ROOT / 'docs'
STUDIES = DOCS / 'results' / 'studies'
STUDENTS_SHAPES, STUDENTS_PHOTOS = 'students_and_tokens_tables', 'students_and_tokens_photographs'
PAGES = [README, CONTRIBUTING, ROOT / 'CHANGELOG.md', *sorted(DOCS.rglob('*.md'))]
OF_METHODS = sorted((ROOT / 'configs').glob('*/README.md'))
IDS = [str(page.relative_to(ROOT)) for page in [*PAGES, *OF_METHODS]]
OUTSIDE = 'Messages of other packages'


class Block(NamedTuple):
    """A fenced block, and the last file named in the text before it."""

    language: str
    text: str
    caption: str

    @property
    def file(self):
        """The file that the block says it is."""
        found = re.match(r'# (\S+\.py)\n', self.text)
        return found[1] if found else None


def _blocks(page, *languages):
    text = page.read_text(encoding='utf-8')
    found = []
    for match in re.finditer(r'^```(\w*)\n(.*?)^```$', text, flags=re.MULTILINE | re.DOTALL):
        before = re.findall(r'`(data/\S+)`', text[: match.start()].rsplit('```', 1)[-1])
        found.append(Block(match[1], match[2], before[-1] if before else ''))
    return [block for block in found if not languages or block.language in languages]


def _named(page, file):
    (block,) = [block for block in _blocks(page, 'python') if block.file == file]
    return block.text


def _headings(page):
    text = re.sub(r'^```.*?^```$', '', page.read_text(encoding='utf-8'), flags=re.M | re.S)
    return re.findall(r'^(#+) (.+)$', text, flags=re.MULTILINE)


def _anchor(heading):
    kept = re.sub(r'[^\w\- ]', '', heading.strip().lower())
    return kept.replace(' ', '-')


def _tool(name):
    key = f'wsss_tool_{name}'
    if key not in sys.modules:
        spec = importlib.util.spec_from_file_location(key, ROOT / 'tools' / f'{name}.py')
        sys.modules[key] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[key])
    return sys.modules[key]


@pytest.fixture(autouse=True)
def _clean_state():
    register_all_modules(init_default_scope=True)
    yield
    MessageHub.get_current_instance().update_info('iter', 0)


@pytest.fixture
def configs(tmp_path):
    """A copy of configs/ to which the pages' own configs are added."""
    shutil.copytree(ROOT / 'configs', tmp_path / 'configs')
    for page in PAGES:
        for block in _blocks(page, 'python'):
            if block.file and block.file.startswith('configs/'):
                (tmp_path / block.file).write_text(block.text)
    return tmp_path / 'configs'


def _write_image(path, height=40, width=56):
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)


# --- links, commands, messages ---------------------------------------------------------------


@pytest.mark.parametrize('page', [*PAGES, *OF_METHODS], ids=IDS)
def test_links_resolve(page):
    text = re.sub(r'^```.*?^```$', '', page.read_text(encoding='utf-8'), flags=re.M | re.S)
    for target in re.findall(r'\]\(([^)\s]+)\)', text):
        if target.startswith('https://'):
            continue
        file, _, anchor = target.partition('#')
        linked = (page.parent / file).resolve() if file else page
        assert linked.exists(), f'{page.name} links to {target}, which does not exist'
        if anchor:
            anchors = [_anchor(heading) for _, heading in _headings(linked)]
            assert anchor in anchors, f'{page.name} links to {target}; no such heading'


def test_pictures_are_small():
    pictures = [path for path in (DOCS / 'images').iterdir() if path.suffix in ('.png', '.jpg')]
    assert pictures
    assert all(path.stat().st_size < 300_000 for path in pictures)


def _commands():
    commands = []
    for page in PAGES:
        # Reports that a tool wrote name the machine's own command.
        if page.parent.name == 'results' and page.stem != 'index':
            continue
        for block in _blocks(page, 'bash'):
            for line in block.text.replace('\\\n', ' ').splitlines():
                commands += [part.strip() for part in line.split('&&')]
    # The commands that make the pictures stand in comments.
    text = (DOCS / 'results' / 'index.md').read_text(encoding='utf-8')
    commands += re.findall(r'^python tools/.*$', text, flags=re.M)
    return sorted({line for line in commands if line and not line.startswith('#')})


def _check_options(script, arguments):
    expanded = []
    for argument in arguments:
        files = sorted(str(path.relative_to(ROOT)) for path in ROOT.glob(argument))
        expanded += files if '*' in argument else [argument]
    own = {block.file for page in PAGES for block in _blocks(page, 'python')}
    for argument in expanded:
        if argument.endswith('.py'):
            assert (ROOT / argument).is_file() or argument in own, f'{argument} does not exist'
    _tool(script).parse_args(expanded)


@pytest.mark.parametrize('command', _commands())
def test_command_lines_are_understood(command, monkeypatch):
    """Every tool exists and takes the arguments; an unknown command has to be added here."""
    monkeypatch.chdir(ROOT)
    program, *arguments = shlex.split(re.sub(r'^([A-Z_]+=\S+ )+', '', command), comments=True)
    if program in ('export', 'gcc') or command.startswith(('python -m venv ', 'source .venv/')):
        return
    if program == 'pip':
        (extra,) = re.findall(r"^pip install -e '\.\[(\w+)\]'", command)
        assert f"'{extra}': " in (ROOT / 'setup.py').read_text()
        return
    assert program in ('python', 'bash')
    if arguments[:2] == ['-m', 'pytest']:
        assert (ROOT / arguments[2]).is_dir()
        return
    script = ROOT / arguments.pop(0)
    assert script.is_file()
    counts = {'dist_train': 1, 'dist_test': 2}
    if script.stem in counts:
        processes = arguments.pop(counts[script.stem])
        assert int(processes) > 0
        _check_options(script.stem.removeprefix('dist_'), arguments)
    elif script.parent == STUDIES:
        assert all((ROOT / word).is_file() for word in arguments if word.endswith('.py'))
    elif script.suffix == '.py':
        _check_options(script.stem, arguments)
    else:
        assert not arguments


def _messages():
    """Every text in the sources, with … for the values in it."""
    texts = []
    for folder in ('wsss_plugin', 'tools'):
        for path in (ROOT / folder).rglob('*.py'):
            for node in ast.walk(ast.parse(path.read_text(encoding='utf-8'))):
                if isinstance(node, ast.JoinedStr):
                    parts = [v.value if isinstance(v, ast.Constant) else '…' for v in node.values]
                    texts.append(''.join(parts))
                elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                    texts.append(node.value)
    for path in (ROOT / 'tools').glob('*.sh'):
        texts.append(re.sub(r'\$\w+|%\w', '…', path.read_text(encoding='utf-8')))
    return '\n'.join(texts)


def test_messages_in_the_troubleshooting_page_exist():
    messages = _messages()
    headings = [heading for _, heading in _headings(DOCS / 'troubleshooting.md')]
    own = headings[: headings.index(OUTSIDE)]
    quoted = [heading[1:-1] for heading in own if heading.startswith('`')]
    assert len(quoted) > 30
    missing = [message for message in quoted if message not in messages]
    assert not missing


# --- what is measured and what is quoted -----------------------------------------------------


def test_readme_is_short():
    assert README.stat().st_size <= 12 * 1024


def _figures(line):
    return re.findall(r'\d+\.\d(?: ± \d+\.\d)?', line)


@pytest.mark.parametrize(
    ('row', 'columns'),
    [
        ('CAM of the CNN', [('shapes', 'cam_r18_shapes'), ('voc_animals', 'cam_mobilenet')]),
        ('ToCo', [('shapes', 'toco_shapes'), ('voc_animals', 'toco')]),
        ('MCTformer', [(STUDENTS_SHAPES, 'mctformer/shapes'), (STUDENTS_PHOTOS, 'mctformer')]),
        ('ClusterCAM', [(STUDENTS_SHAPES, 'clustercam/shapes'), (STUDENTS_PHOTOS, 'clustercam')]),
        ('DuPL on ToCo', [(STUDENTS_SHAPES, 'dupl/shapes')]),
        ('DuPL on the dual', [(STUDENTS_SHAPES, 'dual_shapes'), (STUDENTS_PHOTOS, 'dupl')]),
        ('dual branch without', [('shapes', 'table1_dual'), ('voc_animals', 'dual')]),
        ('dual branch, the whole', [('shapes', 'table1_full'), ('voc_animals', 'all')]),
        ('beyond the paper', [('voc_animals', 'best_voc_animals')]),
        ('full supervision', [('shapes', 'supervised_shapes'), ('voc_animals', 'supervised')]),
    ],
)
def test_measured_results_are_those_of_the_tables(row, columns):
    block = README.read_text(encoding='utf-8').partition('results:begin measured -->')[2]
    block = block.partition('<!-- results:end measured')[0]
    (line,) = re.findall(rf'^\| {row}.*$', block, flags=re.MULTILINE)
    measured = []
    for table, name in columns:
        text = (DOCS / 'results' / f'{table}.md').read_text(encoding='utf-8')
        cells = re.search(rf'^\| {name}(?: [†(].*?)? \|(.*)\|$', text, flags=re.MULTILINE)[1]
        cells = [cell.strip() for cell in cells.split('|')]
        measured.append(cells[1])
        measured += [cells[6]] if table == 'voc_animals' and cells[6] else []
    assert _figures(line.partition('|')[2].partition('|')[2]) == measured


def test_quoted_scores_of_the_methods_are_those_of_their_metafiles():
    rows = re.findall(
        r'\(configs/(\w+)/README\.md\).*\| (\d+\.\d) \|[^|]*\|$',
        README.read_text(encoding='utf-8'),
        flags=re.MULTILINE,
    )
    assert len(rows) >= 5
    for method, score in rows:
        text = (ROOT / 'configs' / method / 'metafile.yml').read_text(encoding='utf-8')
        assert re.search(rf'VOC 2012 val\n +Metrics:\n +mIoU: {score}\n', text), method


def test_quoted_results_are_those_of_the_configs():
    text = (DOCS / 'results' / 'papers.md').read_text(encoding='utf-8')
    rows = re.findall(r'^\| (\d) \|[^|]*((?:\|[^|\n]*)+)\|$', text, flags=re.MULTILINE)
    quoted = sorted((table, tuple(re.findall(r'\d+\.\d', cells))) for table, cells in rows)
    stated = []
    for path in (ROOT / 'configs' / 'ablations' / 'voc').glob('table*.py'):
        (line,) = re.findall('^# paper: (.*)$', path.read_text(), flags=re.MULTILINE)
        stated.append((path.stem[5], tuple(re.findall(r'\d+\.\d', line))))
    assert quoted == sorted(stated)


# --- snippets -----------------------------------------------------------------------


def test_mixed_config_trains_and_validates(tmp_path, monkeypatch):
    config = tmp_path / 'fcn_with_modulation.py'
    config.write_text(_named(DOCS / 'parts.md', config.name))
    monkeypatch.chdir(tmp_path)
    ShapesGenerator(ShapesConfig(train=4, val=2)).write(tmp_path / 'data' / 'shapes')
    options = ['train_cfg.max_iters=1', 'train_cfg.val_interval=1', 'train_dataloader.batch_size=2']
    options += [f'{split}_dataloader.num_workers=0' for split in ('train', 'val', 'test')]
    work_dir = tmp_path / 'work'
    _tool('train').main([str(config), '--work-dir', str(work_dir), '--cfg-options', *options])
    optimizer = torch.load(work_dir / 'iter_1.pth', weights_only=True)['optimizer']
    # Two processes would stop at a weight without gradient.
    assert set(optimizer['state']) == {
        index for group in optimizer['param_groups'] for index in group['params']
    }
    (scalars,) = work_dir.rglob('scalars.json')
    lines = [json.loads(line) for line in scalars.read_text().splitlines()]
    assert 0 <= lines[-1]['mIoU'] <= 100


def _save_checkpoint(config, path):
    model = MODELS.build(Config.fromfile(config).model)
    meta = {'dataset_meta': {'classes': ('background', *ShapesGenerator.CLASSES)}}
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save({'state_dict': model.state_dict(), 'meta': meta}, path)


@pytest.mark.usefixtures('configs')
def test_an_image_gets_cam_and_mask_as_shown(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (snippet,) = [block.text for block in _blocks(README, 'python')]
    checkpoint = re.search(r"'(work_dirs/\S+\.pth)'", snippet)[1]
    _save_checkpoint('configs/dual_vit_r18_shapes.py', tmp_path / checkpoint)
    _write_image(tmp_path / 'photo.jpg', 96, 112)
    namespace = {}
    exec(snippet, namespace)
    assert namespace['mask'].shape == namespace['cam'].shape == (96, 112)
    assert 0 <= namespace['cam'].min() < namespace['cam'].max() <= 1
    assert set(namespace['mask'].unique().tolist()) <= set(range(7))


def test_published_model_predicts_as_shown(tmp_path, monkeypatch):
    config = str(ROOT / 'configs' / 'dual_vit_r18_shapes.py')
    _save_checkpoint(config, tmp_path / 'iter_1.pth')
    publish = _tool('publish_model').main
    publish([str(tmp_path / 'iter_1.pth'), str(tmp_path / 'dual.pth'), '--config', config])
    (published,) = tmp_path.glob('dual-*.pth')
    monkeypatch.chdir(tmp_path)
    _write_image(tmp_path / 'photo.jpg')
    (snippet,) = [
        b.text for b in _blocks(DOCS / 'voc_and_coco.md', 'python') if 'inference_model' in b.text
    ]
    namespace = {}
    exec(snippet.replace('work_dirs/dual_voc-0a1b2c3d', published.stem), namespace)
    assert namespace['label_map'].shape == (40, 56)


def test_submission_config_writes_label_maps_without_masks(configs, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    root = tmp_path / 'data' / 'VOCdevkit' / 'VOC2012'
    _write_image(root / 'JPEGImages' / '2008_000001.jpg')
    (root / 'ImageSets' / 'Segmentation').mkdir(parents=True)
    (root / 'ImageSets' / 'Segmentation' / 'test.txt').write_text('2008_000001\n')
    config = load_config(
        str(configs / 'dual_branch' / 'voc_submission.py'),
        options={'test_dataloader.num_workers': 0, 'test_dataloader.persistent_workers': False},
    )
    preprocessor = dict(config.model.data_preprocessor, type='SegDataPreProcessor')
    head = dict(type='FCNHead', in_channels=64, in_index=0, channels=8, num_convs=0)
    config.model = dict(
        type='EncoderDecoder',
        data_preprocessor=preprocessor,
        backbone=dict(
            type='ResNet',
            depth=18,
            num_stages=1,
            strides=(1,),
            dilations=(1,),
            out_indices=(0,),
        ),
        decode_head=dict(head, channels=64, concat_input=False, num_classes=21),
        test_cfg=dict(mode='whole'),
    )
    enable_tta(config)
    Runner.from_cfg(config).test()
    (label,) = (tmp_path / config.test_evaluator.output_dir).glob('*.png')
    assert label.name == '2008_000001.png'
    assert Image.open(label).size == (56, 40)


# --- CONTRIBUTING.md ---------------------------------------------------------------


@pytest.mark.usefixtures('configs')
def test_a_method_is_added_as_shown(tmp_path, monkeypatch):
    """The page's module, config and test: nothing of the package changes."""
    module, config, test = _blocks(CONTRIBUTING, 'python')
    (tmp_path / module.file).write_text(module.text)
    monkeypatch.syspath_prepend(tmp_path)
    loaded = Config.fromfile(tmp_path / config.file)
    model = MODELS.build(loaded.model).train()
    assert model.terms['area'].loss_weight == 0.05
    inputs = {view: torch.rand(2, 3, 96, 96) for view in ('view1', 'local', 'view2')}
    samples = [SegDataSample(), SegDataSample()]
    for sample in samples:
        sample.gt_tags = torch.tensor([1.0, 0, 1, 0, 0, 0])
    for iteration, added in ((0, set()), (600, {'loss_area'})):
        MessageHub.get_current_instance().update_info('iter', iteration)
        losses = model.loss(inputs, samples)
        assert {name for name in losses if 'area' in name} == added
    assert 0 < losses['loss_area'] <= 0.05
    namespace = {}
    exec(test.text, namespace)
    for name, check in list(namespace.items()):
        if name.startswith('test_'):
            check()


# --- docs/components.md ----------------------------------------------------------------------


def test_component_examples_run():
    namespace = {}
    for block in _blocks(DOCS / 'components.md', 'python'):
        exec(compile(block.text, f'components.md: {block.text[:40]!r}', 'exec'), namespace)


def _registered():
    names = set()
    for _, registry in inspect.getmembers(mmseg.registry):
        for name, item in getattr(registry, 'module_dict', {}).items():
            module = getattr(item, '__module__', '')
            # Names of version 0.1 are registered only to say what takes their place.
            if module.startswith(f'{wsss_plugin.__name__}.') and '.removed_' not in module:
                names.add(name)
    return names


def test_every_registered_class_has_a_heading():
    # The data-parallel wrapper is registered where the runner looks for it, in the root registry.
    expected = _registered() | {'DeviceAgnosticDistributedDataParallel'}
    level_three = [name for level, name in _headings(DOCS / 'components.md') if level == '###']
    assert sorted(level_three) == sorted(f'`{name}`' for name in expected)


# --- docs/own_data.md ------------------------------------------------------------------------


def _make_own_data(root):
    for name in ('pets/images/tabby', 'pets/images/garden/rex', 'pets/images/both'):
        _write_image(root / 'data' / f'{name}.jpg')
    for name in ('pets/images/sofa', 'birds/images/jay/1', 'birds/images/wren/1'):
        _write_image(root / 'data' / f'{name}.jpg')
    (root / 'data' / 'pets' / 'train.txt').write_text('both\ngarden/rex.jpg\nsofa\ntabby\n')
    for name, objects in (('farm', ('cow', 'dog')), ('workshop', ('saw', 'hammer'))):
        folder = root / 'data' / name
        _write_image(folder / 'JPEGImages' / 'a.jpg')
        (folder / 'ImageSets' / 'Segmentation').mkdir(parents=True)
        (folder / 'ImageSets' / 'Segmentation' / 'train.txt').write_text('a\n')
        (folder / 'Annotations').mkdir()
        content = ''.join(f'<object><name>{tag}</name></object>' for tag in objects)
        xml = f'<annotation>{content}</annotation>'
        (folder / 'Annotations' / 'a.xml').write_text(xml)


def _make_coco(root):
    """One image with a person and a horse; ids have a gap, as COCO's."""
    name = 'COCO_val2014_000000000042.jpg'
    _write_image(root / 'val2014' / name)
    classes = COCOTagDataset.METAINFO['classes'][1:]
    categories = [{'id': index + 1 + (index > 10), 'name': c} for index, c in enumerate(classes)]
    square = [0, 0, 9, 0, 9, 9, 0, 9]
    annotations = [
        {'id': i, 'image_id': 42, 'category_id': c, 'segmentation': [square], 'area': 81 - i}
        | {'bbox': [0, 0, 9, 9], 'iscrowd': 0}
        for i, c in enumerate((1, 19))
    ]
    image = {'id': 42, 'file_name': name, 'height': 40, 'width': 56}
    content = {'images': [image], 'annotations': annotations, 'categories': categories}
    (root / 'annotations').mkdir()
    (root / 'annotations' / 'instances_val2014.json').write_text(json.dumps(content))


def _run_doctest(text, namespace):
    test = doctest.DocTestParser().get_doctest(text, namespace, 'own_data.md', None, 0)
    runner = doctest.DocTestRunner(verbose=False)
    output = []
    runner.run(test, out=output.append, clear_globs=False)
    namespace.update(test.globs)
    assert runner.failures == 0, ''.join(output)


def test_own_data_page_runs(tmp_path, monkeypatch):
    _make_own_data(tmp_path)
    _make_coco(tmp_path / 'data' / 'coco')
    monkeypatch.chdir(tmp_path)
    namespace = {'__name__': 'own_data'}
    counts = dict.fromkeys(('csv', 'json', 'python', 'pycon', 'bash'), 0)
    for block in _blocks(DOCS / 'own_data.md', *counts):
        counts[block.language] += 1
        if block.language in ('csv', 'json'):
            Path(block.caption).write_text(block.text)
        elif block.language == 'pycon':
            _run_doctest(block.text, namespace)
        elif block.language == 'bash' and 'convert_coco' in block.text:
            program, script, *arguments = shlex.split(block.text)
            assert (program, script) == ('python', 'tools/convert_coco.py')
            assert not _tool('convert_coco').main([*arguments[:-1], '1'])
        elif block.language == 'python' and not str(block.file).startswith('configs/'):
            exec(block.text, namespace)
    assert min(counts.values()) >= 2
    mask = np.array(Image.open('data/coco/masks/val2014/COCO_val2014_000000000042.png'))
    assert set(np.unique(mask)) <= {0, 1, 18}


def test_own_config_can_be_built(configs, tmp_path, monkeypatch):
    _make_own_data(tmp_path)
    monkeypatch.chdir(tmp_path)
    for block in _blocks(DOCS / 'own_data.md', 'csv'):
        Path(block.caption).write_text(block.text)
    config = Config.fromfile(configs / 'dual_vit_r50_pets.py')
    with torch.device('meta'):
        model = MODELS.build(config.model)
    assert model.decode_head.num_classes == 3
    sample = DATASETS.build(config.train_dataloader.dataset)[0]
    assert sample['inputs']['view1'].shape == (3, 448, 448)
    assert sample['data_samples'].gt_tags.tolist() == [1, 1]
    (tmp_path / 'data' / 'pets' / 'masks').mkdir()
    mask = np.ones((40, 56), np.uint8)
    mask[:, 28:] = 2
    Image.fromarray(mask).save(tmp_path / 'data' / 'pets' / 'masks' / 'both.png')
    (tmp_path / 'data' / 'pets' / 'val.txt').write_text('both\n')
    for loader in (config.val_dataloader, config.test_dataloader):
        dataset = DATASETS.build(loader.dataset)
        assert len(dataset) == 1
        assert dataset[0]['data_samples'].gt_sem_seg.data.unique().tolist() == [1, 2]
    assert METRICS.build(config.val_evaluator).protocol.split == 'val'


def test_own_config_says_each_thing_once(configs, tmp_path, monkeypatch):
    _make_own_data(tmp_path)
    monkeypatch.chdir(tmp_path)
    for block in _blocks(DOCS / 'own_data.md', 'csv'):
        Path(block.caption).write_text(block.text)
    config = read_config(configs / 'pets.py', {'max_iters': 200, 'image_size': 64})
    assert config.model.decode_head.num_classes == 3
    assert config.param_scheduler.cnn[0].end == 201
    dataset = DATASETS.build(config.train_dataloader.dataset)
    assert (len(dataset), dataset[0]['inputs']['view1'].shape) == (4, (3, 64, 64))


def test_config_on_exported_labels_can_be_built(configs, tmp_path, monkeypatch):
    _make_own_data(tmp_path)
    monkeypatch.chdir(tmp_path)
    for block in _blocks(DOCS / 'own_data.md', 'csv'):
        Path(block.caption).write_text(block.text)
    config = Config.fromfile(configs / 'on_labels_of_pets.py')
    with torch.device('meta'):
        MODELS.build(config.model)
    folder = tmp_path / config.train_dataloader.dataset.label_dir
    names, classes = ['both', 'garden/rex', 'sofa', 'tabby'], ['background', 'cat', 'dog']
    LabelManifest.write(folder, dict(classes=classes, images=names, ignore=255))
    for name in names:
        save_label_png(folder / f'{name}.png', np.ones((40, 56), np.uint8))
    sample = DATASETS.build(config.train_dataloader.dataset)[0]
    assert sample['data_samples'].gt_sem_seg.data.unique().tolist() == [1, 255]


# --- docs/concepts.md ------------------------------------------------------------------------


def _part(config, key):
    part = config.model
    for name in key.split('.'):
        part = (part or {}).get(name)
    return part


def test_configs_side_by_side_are_those_of_the_files():
    text = (DOCS / 'concepts.md').read_text(encoding='utf-8')
    rows = re.findall(r'^\| `(\w+(?:\.\w+)?)` \| (.*?) \| (.*?) \|$', text, flags=re.MULTILINE)
    configs = [
        Config.fromfile(ROOT / 'configs' / name) for name in ('toco/voc.py', 'dual_branch/voc.py')
    ]
    for key, *cells in rows:
        for cell, config in zip(cells, configs, strict=True):
            part = _part(config, key)
            if cell == '–':
                assert part is None, key
                continue
            kind, *names = re.findall(r'`([\w.]+)`', cell)
            assert part.type == kind, key
            stated = part.get('reads') or part.get('cams') or part.get('labels') or ()
            if '.' in key:
                assert tuple(names) == ((stated,) if isinstance(stated, str) else tuple(stated)), (
                    key
                )
    parts = {
        f'{kind}.{name}'
        for kind in ('cams', 'labels', 'terms')
        for config in configs
        for name, part in config.model[kind].items()
        if part is not None
    }
    assert parts == {key for key, *_ in rows if '.' in key}


# --- docs/results ----------------------------------------------------------------------------


def _changed_models():
    """Configs, and options of their models, in the commands of the results' pages."""
    commands = set()
    for page in sorted((DOCS / 'results').rglob('*.md')):
        for block in _blocks(page, 'bash'):
            for line in block.text.replace('\\\n', ' ').splitlines():
                words = shlex.split(line, comments=True)
                configs = [word for word in words if re.match(r'configs/.*\.py$', word)]
                options = [word for word in words if re.match(r'model\.[\w.]+=(?!\.\.\.)', word)]
                if options and configs and (ROOT / configs[0]).is_file():
                    commands.add(shlex.join([configs[0], *options]))
    return sorted(commands)


@pytest.mark.parametrize('command', _changed_models())
def test_models_of_the_results_can_be_built(command):
    file, *options = shlex.split(command)
    parsed = _tool('train').parse_args([file, '--cfg-options', *options])
    # Weights of an earlier stage are not here.
    options = {**parsed.cfg_options, 'load_part': None}
    config = load_config(str(ROOT / file), options=options)
    with torch.device('meta'):
        MODELS.build(config.model)


def _is_config(path):
    return '_base_ = ' in path.read_text(encoding='utf-8')


@pytest.mark.parametrize('path', sorted(STUDIES.glob('*.py')), ids=lambda path: path.stem)
def test_a_file_of_a_study_fits_the_package(path, monkeypatch):
    monkeypatch.syspath_prepend(STUDIES)
    pages = ''.join(page.read_text(encoding='utf-8') for page in STUDIES.glob('*.md'))
    text = path.read_text(encoding='utf-8')
    # A script reads its arguments when it is imported.
    if _is_config(path):
        with torch.device('meta'):
            model = MODELS.build(Config.fromfile(path).model)
        assert list(model.parameters())
        assert path.name in pages
    elif 'sys.argv' in text:
        assert f'python docs/results/studies/{path.name} ' in pages
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.ImportFrom):
                module = importlib.import_module(node.module)
                assert all(hasattr(module, alias.name) for alias in node.names)
    else:
        importlib.import_module(path.stem)
