import json

import numpy as np
import pytest
from PIL import Image


@pytest.fixture
def folder(tmp_path):
    """40 images of 30 x 20 pixels in ``pictures`` and their tags in ``words/tags.json``."""
    (tmp_path / 'pictures' / 'more').mkdir(parents=True)
    (tmp_path / 'words').mkdir()
    tags = {}
    for number in range(40):
        name = f'more/{number:02}' if number % 2 else f'{number:02}'
        Image.fromarray(np.full((20, 30, 3), number, np.uint8)).save(
            tmp_path / 'pictures' / f'{name}.png'
        )
        tags[name] = [] if number == 0 else ['cat', 'dog'][: 1 + number % 2]
    (tmp_path / 'words' / 'tags.json').write_text(json.dumps(tags))
    return tmp_path
