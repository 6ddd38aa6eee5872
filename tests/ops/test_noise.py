from __future__ import annotations

import warnings

import pytest
import torch
import torch.nn.functional as F
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture

from wsss_plugin.ops.noise import FEWEST, filter_noise, find_noise


def peer(label, losses):
    """The published rules with scikit-learn, image by image."""
    filtered = label.clone()
    for image in range(len(label)):
        foreground = (label[image] != 0) & (label[image] != 255)
        fitted = losses[image][foreground & (losses[image] > 0.1)].numpy()[:, None]
        if len(fitted) <= FEWEST * label[image].numel():
            continue
        with warnings.catch_warnings():
            warnings.simplefilter('ignore', ConvergenceWarning)
            model = GaussianMixture(2, max_iter=10, tol=1e-2, reg_covar=5e-4, random_state=0)
            model.fit(fitted)
        lower, upper = model.means_[:, 0].argsort()
        if model.means_[upper, 0] - model.means_[lower, 0] <= 1:
            continue
        posterior = model.predict_proba(losses[image].reshape(-1, 1).numpy())[:, upper]
        noise = torch.from_numpy(posterior > 0.95).view_as(foreground) & foreground
        filtered[image][noise] = 255
    return filtered


def labelled_losses(images=2, side=96, noise=(2.6, 0.8), clean=(0.5, 0.2)):
    label = torch.randint(0, 4, (images, side, side))
    label[torch.rand(label.shape) < 0.1] = 255
    noisy = torch.rand(label.shape) < 0.3
    mean = torch.where(noisy, noise[0], clean[0])
    std = torch.where(noisy, noise[1], clean[1])
    losses = (torch.randn(label.shape) * std + mean).abs()
    return label, losses.masked_fill(label == 255, 0)


@pytest.mark.parametrize('net', [1, 2])
@pytest.mark.parametrize('as_released', [True, False])
def test_reference_labels(reference, net, as_released):
    arrays = reference('dupl_noise')
    label, losses = arrays[f'label_{net}'].long(), arrays[f'pixel_loss_{net}']
    filtered = filter_noise(label, losses, fewest=1000 / 96**2, as_released=as_released)
    expected = arrays[f'label_{net}_filtered'].long()
    assert torch.equal(filtered, expected)
    assert (filtered != label).any()


def test_reference_image_with_few_pixels_is_left_alone(reference):
    arrays = reference('dupl_noise')
    label, losses = arrays['label_2'].long(), arrays['pixel_loss_2']
    assert find_noise(label, losses, fewest=1000 / 96**2).too_few.tolist() == [False, True]
    arrays = reference('dupl_noise')
    label, losses = arrays['label_1'].long(), arrays['pixel_loss_1']
    assert find_noise(label, losses).too_close.tolist() == [False, True]


@pytest.mark.parametrize(
    ('noise', 'clean'), [((2.6, 0.8), (0.5, 0.2)), ((2.0, 0.9), (0.4, 0.3)), ((4, 1), (1, 0.5))]
)
def test_scikit_learn_leaves_the_same_pixels(noise, clean):
    label, losses = labelled_losses(noise=noise, clean=clean)
    expected = peer(label, losses)
    filtered = filter_noise(label, losses, as_released=True)
    assert (filtered == expected).double().mean() >= 0.999
    assert (filtered != label).double().mean() > 0.05


def exponential(shape):
    return -2 * torch.rand(shape).clamp(min=1e-6).log()


def cubed(shape):
    return torch.randn(shape).abs() ** 3


def with_outliers(shape):
    losses = 3 * torch.rand(shape) + 0.2
    return losses.masked_fill(torch.rand(shape) < 0.02, 30.0)


def two_narrow(shape):
    means = torch.where(torch.rand(shape) < 0.5, 0.3, 1.6)
    return (torch.randn(shape) * 0.05 + means).abs()


def of_random_logits(shape):
    logits = 4 * torch.randn(shape[0], 4, *shape[1:])
    return F.cross_entropy(logits, torch.randint(0, 4, shape), reduction='none')


@pytest.mark.parametrize('draw', [exponential, cubed, with_outliers, two_narrow, of_random_logits])
def test_scikit_learn_leaves_the_same_pixels_of_other_losses(draw):
    label, _ = labelled_losses(side=70)
    losses = draw(label.shape).masked_fill(label == 255, 0)
    expected = peer(label, losses)
    filtered = filter_noise(label, losses, as_released=True)
    assert (filtered == expected).double().mean() >= 0.999
    assert (filtered != label).any()


@pytest.fixture
def narrow_clean_mode():
    """Losses whose clean mode is narrow, and a few pixels that are fitted perfectly."""
    losses = torch.cat((torch.randn(6000) * 0.1 + 0.5, torch.randn(4000) * 0.8 + 2.6)).abs()
    losses = torch.cat((losses[torch.randperm(10000)], torch.full((200,), 0.01)))
    return torch.ones(1, 100, 102, dtype=torch.long), losses.view(1, 100, 102)


def test_well_fitted_pixels_are_never_noise_unless_as_released(narrow_clean_mode):
    label, losses = narrow_clean_mode
    filtered = filter_noise(label, losses)
    released = filter_noise(label, losses, as_released=True)
    assert (filtered.flatten()[-200:] == 1).all()
    assert (released.flatten()[-200:] == 255).all()
    assert torch.equal(released, peer(label, losses))
    upper = losses > 0.5
    assert torch.equal(filtered[upper], released[upper])
    assert 0.35 < (filtered == 255).double().mean() < 0.42


def test_the_whole_foreground_can_be_fitted():
    label = torch.ones(1, 60, 100, dtype=torch.long)
    losses = torch.randn(1, 60, 100) * 0.3 + 3
    losses[:, :30] = 0.05  # well fitted, and not above 0.1
    released = find_noise(label, losses, fit_above=0.1)
    whole = find_noise(label, losses, fit_above=None)
    assert released.too_close.all()
    assert not released.pixels.any()
    assert torch.equal(whole.pixels, losses > 0.1)


def test_the_share_decides_which_images_are_left_alone():
    label, losses = labelled_losses(images=1, side=20)
    count = int(((label != 0) & (label != 255) & (losses > 0.1)).sum())
    assert find_noise(label, losses, fewest=count / 400).too_few.all()
    assert not find_noise(label, losses, fewest=(count - 1) / 400).too_few.any()


def test_neither_background_nor_ignored_pixels_are_noise():
    label, losses = labelled_losses()
    losses = losses.where(label != 0, 9.0)
    noise = find_noise(label, losses).pixels
    assert noise.any()
    assert not noise[(label == 0) | (label == 255)].any()


def test_another_ignore_index():
    label, losses = labelled_losses()
    other = label.masked_fill(label == 255, 7)
    expected = filter_noise(label, losses).masked_fill(filter_noise(label, losses) == 255, 7)
    assert torch.equal(filter_noise(other, losses, ignore_index=7), expected)


@pytest.mark.parametrize('value', [0, 1, 255])
def test_labels_of_one_kind_and_constant_losses_stay(value):
    label = torch.full((2, 5, 5), value)
    assert torch.equal(filter_noise(label, torch.full((2, 5, 5), 3.0)), label)


def test_shapes_that_do_not_belong_together():
    with pytest.raises(ValueError, match='same shape'):
        find_noise(torch.zeros(1, 2, 3), torch.zeros(1, 3, 2))


@pytest.mark.parametrize('setting', [dict(certainty=1), dict(gap=-1), dict(fewest=-0.1)])
def test_bad_settings(setting):
    with pytest.raises(ValueError, match='certainty'):
        filter_noise(torch.zeros(1, 2, 2), torch.zeros(1, 2, 2), **setting)
