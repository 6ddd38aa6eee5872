import pytest
import torch
from safetensors.torch import save_file

from wsss_plugin.engine.labelling import PretrainedFiles
from wsss_plugin.errors import ConfigError, DamagedFileError, MissingFileError


@pytest.fixture
def files(tmp_path):
    torch.save({'model': {'pos_embed': torch.zeros(1, 5, 192)}}, tmp_path / 'a.pth')
    torch.save({'state_dict': {'backbone.conv1.weight': torch.zeros(1)}}, tmp_path / 'b.pth')
    (tmp_path / 'README.md').write_text('no weights')
    return tmp_path


def test_files_are_told_apart_by_what_is_in_them(files):
    found = PretrainedFiles.find([files])
    assert (found.vit, found.cnn, found.preset) == (files / 'a.pth', files / 'b.pth', 'small')
    assert PretrainedFiles.find([files / 'b.pth', files / 'a.pth']) == found
    only = PretrainedFiles.find([files / 'b.pth'])
    assert (only.vit, only.cnn, only.preset) == (None, files / 'b.pth', None)
    assert PretrainedFiles.find([]) == PretrainedFiles()


def test_refuses_what_cannot_be_taken(files):
    with pytest.raises(MissingFileError, match='--weights: expected a file or a folder'):
        PretrainedFiles.find([files / 'c.pth'])
    torch.save({'pos_embed': torch.zeros(1, 5, 384)}, files / 'c.pth')
    with pytest.raises(ConfigError, match='expected a transformer of width 192, 768, received 384'):
        PretrainedFiles.find([files / 'c.pth'])
    torch.save({'pos_embed': torch.zeros(1, 5, 768)}, files / 'c.pth')
    with pytest.raises(ConfigError, match='expected one file for the transformer'):
        PretrainedFiles.find([files])


def test_weights_as_safetensors_are_those_of_a_transformer(files):
    (files / 'a.pth').unlink()
    save_file({'pos_embed': torch.zeros(1, 5, 768)}, files / 'model.safetensors')
    found = PretrainedFiles.find([files])
    assert (found.vit, found.preset) == (files / 'model.safetensors', 'base')
    save_file({'conv.weight': torch.zeros(1)}, files / 'model.safetensors')
    with pytest.raises(ConfigError, match=r'expected weights of a CNN in a \.pth, received'):
        PretrainedFiles.find([files])


def test_what_is_no_file_of_weights_is_named(files):
    (files / 'c.pth').write_text('<html>not found</html>')
    with pytest.raises(DamagedFileError, match=r'c\.pth: expected a file of weights.*download it'):
        PretrainedFiles.find([files])
