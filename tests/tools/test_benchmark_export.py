from pathlib import Path

import pytest

from wsss_plugin.engine.benchmark import LabellingRate

ROOT = Path(__file__).parents[2]
CONFIG = str(ROOT / 'configs' / 'dual_vit_r18_shapes.py')


def test_rates_of_all_parts(tool, small, shapes, tmp_path, capsys):
    module, out = tool('benchmark_export'), tmp_path / 'export.md'
    options = [*small, *(f'{one}_dataloader.dataset.data_root={shapes}' for one in ('test', 'val'))]
    options.append('test_dataloader.dataset.ann_file=ImageSets/Segmentation/train.txt')
    parts = ['evaluation --tta', 'export --tta']
    flags = ['--images', '4', '--repeats', '1', '--loaders', '1', '--out', str(out)]
    module.main([CONFIG, *flags, '--parts', *parts, '--cfg-options', *options])
    text = out.read_text()
    assert text in capsys.readouterr().out
    rows = [line.split(' | ') for line in text.splitlines() if line.startswith('| e')]
    assert [row[0] for row in rows] == [f'| {part}' for part in parts]
    assert all(float(value) > 0 for row in rows for value in row[1:3])
    assert 'now: 1 processes load' in text


def test_an_image_beyond_the_first_quarter(tool):
    module = tool('benchmark_export')
    # Three seconds to start and a quarter of one for each image.
    assert module.seconds_of_an_image(lambda images: 3 + images / 4, 8) == 0.25
    assert module.seconds_of_an_image(lambda _: 4.0, 8) == 0.5


def test_every_part_is_timed_both_ways(tool):
    module, asked = tool('benchmark_export'), []

    class Rate:
        def evaluate(self, images, **given):
            asked.append(('evaluate', images, *given.values()))
            return images / (4 if given['together'] else 2)

        def export(self, images, **given):
            asked.append(('export', images, *given.values()))
            return images / (8 if given['together'] else 2)

        def refine(self, images, workers):
            asked.append(('refine', images, workers))
            return images / max(workers, 1)

    args = module.parse_args([CONFIG, '--repeats', '2', '--images', '8', '--crf-workers', '3'])
    comparison = module.compare(args, Rate())
    assert [row[0] for row in comparison.rows()] == args.parts == [*module.PARTS, 'CRF alone']
    assert [row[3] for row in comparison.rows()] == pytest.approx([2] * 3 + [4] * 3 + [3])
    assert asked[:4] == [
        ('evaluate', 2, False, False, False),
        ('evaluate', 8, False, False, False),
        ('evaluate', 2, False, False, True),
        ('evaluate', 8, False, False, True),
    ]
    assert '| export --tta --refine crf | 2 | 8 | 4.00 |' in module.table(comparison)


def test_the_crf_alone(monkeypatch):
    jobs, rate = [], LabellingRate.__new__(LabellingRate)
    rate.config = None
    images = type('Images', (), {'names': ('a', 'b'), 'path': lambda _, name: name})()
    labels = f'{LabellingRate.__module__}'
    monkeypatch.setattr(f'{labels}.ListedImages', lambda *_: images)
    monkeypatch.setattr(LabellingRate, '_job', staticmethod(lambda path: (path, 1)))
    monkeypatch.setattr(f'{labels}.label_of_scores', lambda *job: jobs.append(job))
    assert rate.refine(3, 0) > 0
    assert jobs == [('a', 1), ('b', 1), ('a', 1)]


def test_command_line_errors(tool, capsys):
    for flags in (['--repeats', '0'], ['--images', '3'], ['--loaders', '-1']):
        with pytest.raises(SystemExit):
            tool('benchmark_export').parse_args([CONFIG, *flags])
        assert 'expected' in capsys.readouterr().err
