"""tools/demo.py on a file, a folder and a video, going on, and errors of users."""

import importlib.util
import json
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from wsss_plugin.errors import (
    ConfigError,
    DamagedFileError,
    DataError,
    ExistingFileError,
    MissingFileError,
)

_COLOURS = Path(__file__).parents[1] / 'engine' / 'prediction' / 'colour_segmentor.py'


@pytest.fixture(scope='module')
def colours():
    name = 'colour_segmentor'
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, _COLOURS)
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


@pytest.fixture
def demo(tool, colours, tmp_path):
    model = colours.write_model(tmp_path)

    def demo(path, *flags, out=tmp_path / 'out'):
        return tool('demo').main([*model, str(path), '--out', str(out), *flags]), out

    return demo


@pytest.fixture
def photos(colours, tmp_path):
    folder = tmp_path / 'photos'
    (folder / 'holiday').mkdir(parents=True)
    image, _ = colours.colour_image()
    Image.fromarray(image).save(folder / 'a.png')
    Image.fromarray(image[:, ::-1]).save(folder / 'holiday' / 'b.bmp')
    (folder / 'notes.txt').write_text('no image')
    return folder


def _results(out):
    return json.loads((out / 'results.json').read_text())


def test_windows_are_named_once_where_images_are_large(demo, photos, capsys, monkeypatch, tmp_path):
    monkeypatch.setattr('wsss_plugin.engine.large_images._LARGE', 100)
    demo(photos)
    said = capsys.readouterr().out
    assert said.count('pixels: --window SIDE') == 1
    assert 'a has 32 x 20 pixels' in said
    demo(photos, '--window', '16', out=tmp_path / 'windows')
    assert '--window SIDE' not in capsys.readouterr().out


def test_one_image(demo, photos, colours, capsys):
    code, out = demo(photos / 'a.png')
    image, label = colours.colour_image()
    assert code == 0
    with Image.open(out / 'masks' / 'a.png') as mask:
        assert mask.mode == 'P'
        assert mask.getpalette()[:12] == np.array(colours.PALETTE).flatten().tolist()
        assert (np.asarray(mask) == label).all()
    overlay = np.asarray(Image.open(out / 'overlays' / 'a.jpg')).astype(int)
    # The image, then the names of its classes on white.
    assert overlay.shape[0] > 20
    assert overlay.shape[1] == 160
    dark = np.abs(overlay[2:7, 12:22] - image[2:7, 12:22]).max()
    assert dark < 12
    assert np.abs(overlay[14:18, 20:28] - [8, 8, 222]).max() < 25
    results = _results(out)
    assert results['classes'] == list(colours.CLASSES)
    assert results['failed'] == {}
    (entry,) = results['images'].values()
    assert entry['size'] == [32, 20]
    shares = {name: found['share'] for name, found in entry['classes'].items()}
    assert shares == {'background': 0.5, 'red': 0.25, 'blue': 0.25}
    # A logit of 4 for the background, and 8 for each full colour.
    colours_of = {'background': (20, 20, 20), 'red': (250, 5, 5), 'blue': (5, 5, 250)}
    for name, colour in colours_of.items():
        powers = np.exp([4, *(8 * value / 255 for value in colour)])
        expected = powers.max() / powers.sum()
        assert entry['classes'][name]['mean_score'] == pytest.approx(expected, abs=1e-3)
    printed = capsys.readouterr().out
    assert '1/1' in printed
    assert printed.splitlines()[-1] == f'1 images in {out}, 0 skipped'


def test_a_folder_with_a_damaged_image_goes_on(demo, photos, capsys):
    (photos / 'broken.jpg').write_bytes(b'\xff\xd8 no more')
    code, out = demo(photos)
    assert code == 1
    results = _results(out)
    assert sorted(results['images']) == ['a', 'holiday/b']
    assert list(results['failed']) == ['broken']
    assert sorted(p.name for p in (out / 'masks').rglob('*.png')) == ['a.png', 'b.png']
    assert (out / 'overlays' / 'holiday' / 'b.jpg').is_file()
    last = capsys.readouterr().out.splitlines()[-2:]
    assert last[0] == f'2 images in {out}, 1 skipped'
    assert 'broken.jpg: expected a complete image' in last[1]


@pytest.fixture
def video(colours, tmp_path):
    path = tmp_path / 'walk.avi'
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*'MJPG'), 5, (64, 48))
    image, _ = colours.colour_image(48, 64)
    for shift in range(5):
        writer.write(np.ascontiguousarray(np.roll(image, 8 * shift, axis=1)[..., ::-1]))
    writer.release()
    return path


def test_frames_of_a_video(demo, video, colours):
    code, out = demo(video, '--every', '2')
    assert code == 0
    assert list(_results(out)['images']) == [f'walk_{index:06d}' for index in (0, 2, 4)]
    label = np.roll(colours.colour_image(48, 64)[1], 16, axis=1)
    mask = np.asarray(Image.open(out / 'masks' / 'walk_000002.png'))
    assert (mask == label).mean() > 0.9


def test_a_video_that_was_cut_short_is_not_taken_for_a_whole_one(demo, video, capsys, monkeypatch):
    whole = cv2.VideoCapture

    class Cut:
        # No subclass: Python's garbage collection ends in a crash on one of OpenCV's types.
        def __init__(self, path):
            self._capture, self._left = whole(path), 3

        def __getattr__(self, name):
            return getattr(self._capture, name)

        def grab(self):
            self._left -= 1
            return self._left >= 0 and self._capture.grab()

    with monkeypatch.context() as patch:
        patch.setattr(cv2, 'VideoCapture', Cut)
        code, out = demo(video)
    assert code == 1
    assert len(_results(out)['images']) == 3
    assert 'walk.avi: expected 5 frames, as the file says, received 3' in capsys.readouterr().out
    video.write_bytes(b'no video')
    with pytest.raises(DamagedFileError, match=r'walk\.avi: expected a video'):
        demo(video, out=out.with_name('other'))


def test_goes_on_only_where_it_is_asked_to_and_alike(demo, photos):
    _, out = demo(photos)
    with pytest.raises(ExistingFileError, match='by --resume'):
        demo(photos)
    before = _results(out)
    first, second = (out / 'masks' / name for name in ('a.png', 'holiday/b.png'))
    time, content = first.stat().st_mtime_ns, second.read_bytes()
    second.unlink()
    assert demo(photos, '--resume')[0] == 0
    assert first.stat().st_mtime_ns == time
    assert second.read_bytes() == content
    assert _results(out) == before
    with pytest.raises(ExistingFileError, match='another window: None instead of'):
        demo(photos, '--resume', '--window', '16')


def test_windows_and_scales_by_switch(demo, photos, colours):
    _, out = demo(photos / 'a.png', '--tta', '--window', '16', '--stride', '8')
    label = colours.colour_image()[1]
    assert (np.asarray(Image.open(out / 'masks' / 'a.png')) == label).mean() > 0.93
    settings = _results(out)['settings']
    assert settings['tta'] is True
    assert settings['window'] == [16, 8]


def test_inputs_that_are_refused(demo, photos, video, tmp_path):
    empty = tmp_path / 'empty'
    empty.mkdir()
    for path, flags, kind, message in (
        (tmp_path / 'gone', (), MissingFileError, 'does not exist'),
        (empty, (), DataError, 'in the folder or its sub-folders, received none'),
        (photos / 'notes.txt', (), DataError, r'notes\.txt: expected an image .* or a video'),
        (photos, ('--every', '2'), ConfigError, 'for frames of a video, received 2'),
        (video, ('--every', '0'), ConfigError, 'received 0'),
    ):
        with pytest.raises(kind, match=message):
            demo(path, *flags)
    with pytest.raises(ConfigError, match='expected --out outside the folder of the images'):
        demo(photos, out=photos / 'results')
    Image.new('RGB', (4, 4)).save(photos / 'a.jpg')
    with pytest.raises(DataError, match=r'names differ beyond their suffix.*a\.jpg too'):
        demo(photos)
    assert not (tmp_path / 'out').exists()
