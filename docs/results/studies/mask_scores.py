"""mIoU of exported masks against true ones, classes matched by name.

python docs/results/studies/mask_scores.py MASKS TRUTH LIST CLASS [CLASS ...]
"""

import json
import sys
from pathlib import Path

import numpy as np
from PIL import Image
from sklearn.metrics import jaccard_score

masks, truth, names, *classes = sys.argv[1:]
classes = ['background', *classes]
exported = json.loads(Path(masks, 'manifest.json').read_text(encoding='utf-8'))['classes']
order = np.array([classes.index(name) for name in exported])
pairs = []
for name in Path(names).read_text(encoding='utf-8').split():
    mask = order[np.array(Image.open(Path(masks, f'{name}.png')))]
    true = np.array(Image.open(Path(truth, f'{name}.png')))
    pairs.append((true[true != 255], mask[true != 255]))
true, mask = (np.concatenate(parts) for parts in zip(*pairs, strict=True))
scores = 100 * jaccard_score(true, mask, average=None, labels=range(len(classes)))
print(f'mIoU {scores.mean():.1f}', *(f'{c} {s:.1f}' for c, s in zip(classes, scores, strict=True)))
