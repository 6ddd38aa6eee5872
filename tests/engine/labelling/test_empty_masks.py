from pathlib import Path

import numpy as np
from PIL import Image

from wsss_plugin.engine.labelling import EMPTY_FILE, FAINT_FILE, TaggedFolder, find_empty_masks


def test_images_of_whose_tags_next_to_nothing_is_found(folder):
    data = TaggedFolder(folder / 'pictures', folder / 'words' / 'tags.json')
    for number, name in enumerate(data.names):
        file = Path(folder, 'masks', name).with_suffix('.png')
        file.parent.mkdir(parents=True, exist_ok=True)
        mask = np.zeros(600, np.uint8)
        # 12 of 600 pixels are two in a hundred.
        mask[: {0: 0, 1: 0, 2: 0, 3: 12, 4: 13}.get(number, 600)] = 1 + number % 2
        Image.fromarray(mask.reshape(20, 30)).save(file)
    # The first has no tags.
    names = data.names
    assert find_empty_masks(data, folder / 'masks') == (names[1:3], names[3:4])
    assert (folder / EMPTY_FILE).read_text() == '02.png\n04.png\n'
    assert (folder / FAINT_FILE).read_text() == '06.png\n'
