"""Straightforward formulations of ClusterCAM and MCTformer, to compare values and speed with.

Attention is written out for all tokens, the maps of all blocks and heads are kept until the last
one, and every pass makes all of them, whatever is read. What is not about class tokens is that of
``plain_formulations``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

import plain_formulations as plain
import torch
import torch.nn.functional as F
from torch import Tensor

_FORMULATED = {
    'cams.final': 'AttentionCAMHead',
    'labels.pixel': 'PixelLabels',
    'terms.maps': 'ClassificationTerm',
    'terms.tokens': 'ClassificationTerm',
    'terms.seg': 'SegmentationTerm',
}


def not_formulated(segmentor: Any) -> list[str]:
    """The parts of a segmentor for which :func:`training_losses` has no formulation."""
    parts = {
        f'{key}.{name}': type(part).__name__
        for key in ('cams', 'labels', 'terms')
        for name, part in getattr(segmentor, key, {}).items()
    }
    found = [name for name, kind in parts.items() if _FORMULATED.get(name) != kind]
    kind = type(getattr(segmentor, 'backbone', None)).__name__
    return found if kind == 'ClusterVisionTransformer' else ['backbone', *found]


def written_out(query: Tensor, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
    """Tokens and weights of an attention of all heads."""
    weights = (query @ key.transpose(2, 3) * query.shape[-1] ** -0.5).softmax(dim=3)
    return (weights @ value).transpose(1, 2).flatten(2), weights


def heads_of(projected: Tensor, heads: int) -> list[Tensor]:
    """Queries, keys and values, each (B, heads, N, C / heads)."""
    parts = projected.chunk(3, dim=2)
    return [part.unflatten(2, (heads, -1)).transpose(1, 2) for part in parts]


def clustered(attention: Any, tokens: Tensor, grid: Sequence[int]) -> tuple[Tensor, Tensor]:
    """Output and maps (B, heads, K, N) of the clustering attention."""
    classes = attention.num_classes
    patches = attention.patch_norm(attention.patch_proj(tokens[:, classes:]))
    maps = patches.transpose(1, 2).unflatten(2, tuple(grid))
    cells = [max(1, side // cell) for side, cell in zip(grid, attention.cell, strict=True)]
    centres = F.adaptive_avg_pool2d(maps, cells).flatten(2).transpose(1, 2)
    for _ in range(attention.steps):
        products = torch.einsum('bnc,bmc->bnm', patches, centres)
        assignment = (products / patches.shape[2] ** 0.5).softmax(dim=2)
        columns = assignment / (assignment.sum(dim=1, keepdim=True) + 1e-8)
        centres = torch.einsum('bnm,bnc->bmc', columns, patches)
    joined = (attention.class_norm(tokens[:, :classes]), attention.centre_norm(centres))
    qkv = heads_of(attention.qkv(torch.cat(joined, dim=1)), attention.num_heads)
    output, weights = written_out(*qkv)
    of_classes = attention.class_proj(output[:, :classes])
    output = torch.cat((of_classes, assignment @ output[:, classes:]), dim=1)
    shares = assignment.transpose(1, 2).unsqueeze(1)
    return output, weights[:, :, :classes, classes:] @ shares


def all_features(segmentor: Any, image: Tensor) -> dict[str, Tensor]:
    """All features of the transformer."""
    backbone = segmentor.backbone
    classes = backbone.num_classes
    tokens, grid = backbone.embed(image)
    kept, of_classes = [], []
    for block in backbone.trunk.blocks:
        qkv = heads_of(block.attn.qkv(block.norm1(tokens)), block.attn.num_heads)
        output, weights = written_out(*qkv)
        output, maps = block.attn.proj(output), weights[:, :, :classes, classes:]
        if block.cluster is not None:
            further, of_clusters = clustered(block.cluster, tokens, grid)
            output = output + further
            maps = (1 - block.cluster.mix) * maps + block.cluster.mix * of_clusters
        tokens = tokens + output
        tokens = tokens + block.mlp(block.norm2(tokens))
        kept.append(weights)
        of_classes.append(maps)
    heads = torch.stack(of_classes)
    last = heads[-backbone.mean_blocks :].mean(dim=2).sum(dim=0)
    patches = torch.stack(kept).mean(dim=2)[:, :, classes:, classes:].sum(dim=0)
    return {
        'patch': tokens[:, classes:].transpose(1, 2).unflatten(2, grid),
        'class_tokens': tokens[:, :classes],
        'class_to_patch': heads.permute(1, 0, 2, 3, 4).flatten(1, 3).unflatten(2, grid),
        'class_to_patch.mean': last.unflatten(2, grid),
        'patch_to_patch': patches,
    }


def run_networks(segmentor: Any, image: Tensor) -> tuple[dict[str, Tensor], Any]:
    """Transformer and, if there is one, decoder."""
    features, head = all_features(segmentor, image), segmentor.decode_head
    if head is None:
        return features, None
    return features, head.forward(tuple(features[name] for name in segmentor.decode_reads))


def raw_cam(segmentor: Any, features: Mapping[str, Tensor]) -> Tensor:
    """The map of the classifier times the attention of classes, spread by that of patches."""
    source = segmentor.cams['final']
    joined = torch.cat([features[name] for name in source.logit_reads], dim=1)
    layer = source.classifier
    bias = layer.bias if source.bias_in_cam else None
    maps = F.conv2d(joined, layer.weight, bias, padding=layer.padding).relu()
    maps = maps * features['class_to_patch.mean']
    flat = maps.flatten(2).transpose(1, 2)
    return (features['patch_to_patch'] @ flat).transpose(1, 2).unflatten(2, maps.shape[2:])


@torch.no_grad()
def multi_scale_cam(segmentor: Any, image: Tensor) -> Tensor:
    """The normalised CAM, over all scales and with the mirror images."""
    size, total = image.shape[-2:], 0.0
    flip = segmentor.multi_scale.get('flip', 'max')
    for scale in segmentor.multi_scale['scales']:
        scaled = plain._resize(image, [int(scale * side) for side in size])
        features, _ = run_networks(segmentor, torch.cat((scaled, scaled.flip(-1))))
        cam, mirrored = plain._resize(raw_cam(segmentor, features), size).chunk(2)
        mirrored = mirrored.flip(-1)
        total = total + (cam + mirrored if flip == 'sum' else torch.maximum(cam, mirrored)).relu()
    return plain.normalized(total, segmentor.multi_scale.get('eps', 1e-5))


def training_losses(
    segmentor: Any,
    inputs: Mapping[str, Tensor],
    data_samples: Sequence[Any],
    part: Callable[[str], AbstractContextManager] = plain._no_part,
) -> dict[str, Tensor]:
    """The losses of one iteration with a segmentor's networks and settings."""
    image = inputs[segmentor.main_view]
    tags = torch.stack([sample.gt_tags for sample in data_samples]).to(image)
    boxes = [sample.metainfo['box'] for sample in data_samples]
    terms, losses = segmentor.terms, dict[str, Tensor]()
    with part('main view'):
        features, logits = run_networks(segmentor, image)
    with part('terms.maps'):
        source = segmentor.cams['final']
        joined = torch.cat([features[name] for name in source.logit_reads], dim=1)
        scores = source.classifier(joined).mean(dim=(2, 3))
        losses['loss_cls_maps'] = F.multilabel_soft_margin_loss(scores, tags)
    with part('terms.tokens'):
        scores = features['class_tokens'].mean(dim=2)
        losses['loss_cls_tokens'] = F.multilabel_soft_margin_loss(scores, tags)
    if 'seg' in terms:
        with part('CAM passes'):
            cam = multi_scale_cam(segmentor, image)
        with part('labels.pixel'):
            label = plain.pseudo_label(segmentor, image, cam, tags, boxes)
        with part('terms.seg'):
            share = terms['seg'].loss.foreground_weight
            logits = plain._resize(logits, image.shape[-2:])
            losses['loss_seg'] = plain.balanced_cross_entropy(logits, label, share)
    return {name: terms[name.split('_')[-1]].loss_weight * loss for name, loss in losses.items()}


@torch.no_grad()
def predict(segmentor: Any, image: Tensor, tags: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
    """Segmentation (B, H, W) and the score of the best present class of the CAM."""
    cam = multi_scale_cam(segmentor, image)
    _, logits = run_networks(segmentor, image)
    score = (cam * tags[:, :, None, None]).amax(dim=1)
    return plain._resize(logits, image.shape[-2:]).argmax(dim=1), {'final': score}


par = plain.par
