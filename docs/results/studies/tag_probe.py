"""Prints how well a linear classifier finds the tags in patch tokens: CONFIG CHECKPOINT.

Mean average precision of logistic regression on the mean of the patch tokens, in five folds.
"""

import sys

import numpy as np
import torch
from mmengine.runner import Runner
from mmpretrain.evaluation import AveragePrecision
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import wsss_plugin  # noqa: F401
from wsss_plugin.engine.run_config import load_config
from wsss_plugin.engine.trained_model import load_trained_model

config = load_config(sys.argv[1])
model = load_trained_model(config, sys.argv[2])[0].eval()
tags, features = [], []
with torch.no_grad():
    for batch in Runner.build_dataloader(config.val_dataloader):
        batch = model.data_preprocessor(batch, False)
        tags += [sample.gt_tags for sample in batch['data_samples']]
        patches = model.backbone.forward_features(batch['inputs'], ('patch',))['patch']
        features.append(patches.mean(dim=(2, 3)))
tags, features = torch.stack(tags), torch.cat(features).numpy()
classifier = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=500))
scores = [
    cross_val_predict(classifier, features, tag.numpy(), cv=5, method='decision_function')
    for tag in tags.T
]
print(AveragePrecision.calculate(torch.from_numpy(np.stack(scores, axis=1)), tags))
