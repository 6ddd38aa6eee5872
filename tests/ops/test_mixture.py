from __future__ import annotations

import warnings

import pytest
import torch
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture
from torch.testing import assert_close

from wsss_plugin.ops.mixture import Mixture, log_joint, noise_mixture


def two_modes(count, clean, noise, share=0.6):
    parts = [
        torch.randn(part) * std + mean
        for part, (mean, std) in ((int(count * share), clean), (count - int(count * share), noise))
    ]
    return torch.cat(parts)[torch.randperm(count)].abs()


def peer(losses):
    """Mean, variance and weight by scikit-learn with the settings of the published code."""
    with warnings.catch_warnings():
        warnings.simplefilter('ignore', ConvergenceWarning)
        model = GaussianMixture(2, max_iter=10, tol=1e-2, reg_covar=5e-4, random_state=0)
        model.fit(losses.numpy()[:, None])
    order = model.means_[:, 0].argsort()
    parts = (model.means_[:, 0], model.covariances_[:, 0, 0], model.weights_)
    return Mixture(*(torch.from_numpy(part[order]) for part in parts))


@pytest.mark.parametrize(('net', 'image'), [(1, 0), (1, 1), (2, 0), (2, 1)])
def test_reference_parameters(reference, net, image):
    arrays = reference('dupl_noise')
    losses, label = arrays[f'pixel_loss_{net}'], arrays[f'label_{net}']
    valid = (label != 0) & (label != 255) & (losses > 0.1)
    expected = arrays[f'gmm_{net}_{image}'].float()
    assert valid[image].sum() == expected[0]
    mixture = noise_mixture(losses, valid)
    found = torch.cat([part[image] for part in mixture])
    assert_close(found, expected[1:], atol=1e-5, rtol=0)


@pytest.mark.parametrize('dtype', [torch.float32, torch.float64])
@pytest.mark.parametrize(
    ('clean', 'noise', 'share'),
    [
        ((0.5, 0.2), (2.6, 0.8), 0.6),
        ((0.3, 0.1), (1.4, 0.5), 0.9),
        ((0.8, 0.4), (1.9, 1.0), 0.5),
        ((0.2, 0.05), (4.0, 0.3), 0.2),
    ],
)
def test_scikit_learn_fits_the_same(clean, noise, share, dtype):
    losses = two_modes(4000, clean, noise, share).to(dtype)
    mixture = noise_mixture(losses[None], torch.ones(1, 4000, dtype=torch.bool))
    for found, expected in zip(mixture, peer(losses), strict=True):
        assert_close(found[0], expected.to(dtype), atol=2e-5, rtol=2e-5)


def test_one_mode_is_split_as_by_scikit_learn():
    losses = torch.distributions.Gamma(0.8, 0.6).sample((5000,)) + 0.1
    mixture = noise_mixture(losses[None], torch.ones(1, 5000, dtype=torch.bool))
    for found, expected in zip(mixture, peer(losses), strict=True):
        assert_close(found[0], expected, atol=1e-4, rtol=1e-4)


def test_images_of_a_batch_do_not_disturb_each_other():
    batch = torch.stack(
        [
            two_modes(3000, (0.5, 0.1), (2.6, 0.8)),
            two_modes(3000, (1.0, 0.5), (1.2, 0.6)),
            torch.zeros(3000),
        ]
    ).view(3, 50, 60)
    valid = torch.rand(3, 50, 60) > torch.tensor([0.2, 0.9, 0.5]).view(3, 1, 1)
    together = noise_mixture(batch, valid)
    for index in range(3):
        alone = noise_mixture(batch[index, None], valid[index, None])
        for whole, part in zip(together, alone, strict=True):
            assert_close(whole[index], part[0])


def test_ignored_losses_do_not_count():
    losses = two_modes(2000, (0.5, 0.1), (2.6, 0.8))
    valid = torch.ones(1, 3000, dtype=torch.bool)
    valid[:, 1000:2000] = False
    nothing = torch.full((1000,), torch.inf)
    spread = torch.cat((losses[:1000], nothing, losses[1000:]))[None]
    expected = noise_mixture(losses[None], torch.ones(1, 2000, dtype=torch.bool))
    for found, value in zip(noise_mixture(spread, valid), expected, strict=True):
        assert_close(found, value)


def test_constant_losses_are_one_component():
    mean, variance, weight = noise_mixture(
        torch.full((1, 50), 2.0), torch.ones(1, 50, dtype=torch.bool)
    )
    assert_close(mean, torch.full((1, 2), 2.0))
    assert_close(variance, torch.full((1, 2), 5e-4), atol=1e-6, rtol=0)
    assert sorted(weight[0].tolist()) == [0.0, 1.0]


@pytest.mark.parametrize(
    ('count', 'mean', 'weight', 'first'),
    [
        (0, (0, 0), (0.5, 0.5), (0.5, 0.5)),
        (1, (0, 0), (1, 0), (1, 1)),
        (2, (0, 1), (0.5, 0.5), (1, 0)),
    ],
)
def test_few_losses_are_means_of_the_least_variance(count, mean, weight, first):
    valid = torch.zeros(1, 9, dtype=torch.bool)
    valid[0, :count] = True
    mixture = noise_mixture(torch.arange(9.0)[None], valid)
    assert_close(mixture.mean, torch.tensor([mean]).float())
    assert_close(mixture.variance, torch.full((1, 2), 5e-4))
    assert_close(mixture.weight, torch.tensor([weight]).float())
    posterior = log_joint(torch.arange(9.0)[None], mixture).softmax(dim=1)
    assert_close(posterior[0, 0, :2], torch.tensor(first).float())
    assert_close(posterior.sum(dim=1), torch.ones(1, 9))


def test_log_joint_is_that_of_torchs_normal():
    mixture = noise_mixture(
        two_modes(500, (0.5, 0.1), (2.6, 0.8))[None], torch.ones(1, 500, dtype=torch.bool)
    )
    losses = torch.rand(1, 3, 4)
    for index in range(2):
        mean, variance, weight = (part[0, index] for part in mixture)
        normal = torch.distributions.Normal(mean, variance.sqrt())
        assert_close(
            log_joint(losses, mixture)[0, index], weight.log() + normal.log_prob(losses[0])
        )


@pytest.mark.parametrize('shape', [(1, 4), (4,)])
def test_shapes_that_do_not_belong_together(shape):
    with pytest.raises(ValueError, match='same shape'):
        noise_mixture(torch.rand(4), torch.ones(shape, dtype=torch.bool))


@pytest.mark.parametrize('key', ['max_iter', 'tolerance', 'variance_floor'])
def test_bad_settings(key):
    with pytest.raises(ValueError, match=key):
        noise_mixture(torch.rand(1, 4), torch.ones(1, 4, dtype=torch.bool), **{key: 0})
