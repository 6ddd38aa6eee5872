from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from wsss_plugin.errors import DataError
from wsss_plugin.evaluation.label_writer import LabelWriter

LABEL = np.array([[0, 1], [2, 1]])


def test_files_have_the_names_of_the_images(tmp_path):
    writer = LabelWriter(tmp_path / 'a' / 'b')
    writer.save('/d/2007.1.jpg', LABEL, [[0, 0, 0], [250, 0, 0]])
    writer.finish()
    image = Image.open(tmp_path / 'a' / 'b' / '2007.1.png')
    assert image.getpalette()[:6] == [0, 0, 0, 250, 0, 0]
    assert np.array_equal(image, LABEL)


@pytest.mark.parametrize('other', ['/d/b/1.jpg', '/d/b/1.png'])
def test_images_of_one_name_do_not_overwrite_each_other(tmp_path, other):
    writer = LabelWriter(tmp_path)
    # An image may come again.
    for _ in range(2):
        writer.save('/d/a/1.jpg', LABEL)
    with pytest.raises(ValueError, match=rf'/d/a/1\.jpg and {other}, .*1\.png; rename'):
        writer.save(other, LABEL * 0)
    writer.finish()
    assert np.array_equal(Image.open(tmp_path / '1.png'), LABEL)


def test_a_file_that_cannot_be_written_is_named_at_the_end(tmp_path):
    writer = LabelWriter(tmp_path)
    writer.save('/d/a/1.jpg', LABEL + 300)
    with pytest.raises(DataError, match=r'1\.png: expected labels from 0 to 255'):
        writer.finish()
    assert not list(tmp_path.iterdir())
