import pytest
import torch

from wsss_plugin.engine.labelling import PretrainedFiles
from wsss_plugin.errors import ConfigError, MissingFileError


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
