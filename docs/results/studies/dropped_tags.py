"""Drops a tenth of the tags of the shapes, or counts those that a list has found.

python docs/results/studies/dropped_tags.py data/shapes
python docs/results/studies/dropped_tags.py data/shapes doubtful_tags.csv
"""

import csv
import json
import random
import sys
from pathlib import Path

from wsss_plugin.datasets.text_files import read_lines

root = Path(sys.argv[1])
tags = json.loads((root / 'tags.json').read_text())
names = list(read_lines(root / 'ImageSets' / 'Segmentation' / 'train.txt'))
pairs = [(name, tag) for name in names for tag in tags[name]]
dropped = set(random.Random(0).sample(pairs, round(0.1 * len(pairs))))
if len(sys.argv) == 2:
    for name, tag in dropped:
        tags[name].remove(tag)
    (root / 'tags_dropped.json').write_text(json.dumps(tags))
    print(f'{len(dropped)} of {len(pairs)} tags of {len(names)} images dropped')
else:
    with open(sys.argv[2], newline='', encoding='utf-8') as file:
        listed = [(row['image'], row['class'], row['kind']) for row in csv.DictReader(file)]
    right = sum(kind == 'missing' and (name, tag) in dropped for name, tag, kind in listed)
    print(f'{right} of {len(listed)} are right')
