"""The names of CAMs; tables and pictures of a new one are tested where they are made."""

import pytest

from wsss_plugin.cam_fields import cam_field, cam_fields, cam_title


@pytest.mark.parametrize('name', ['final', 'aux', 'cnn', 'clip'])
def test_a_field_made_from_a_name_is_found(name):
    assert cam_fields(['seg_logits', cam_field(name), 'camera']) == [cam_field(name)]


def test_the_order_does_not_depend_on_the_sample():
    fields = ['b_cam', 'cnn_cam', 'a_cam', 'cam', 'aux_cam', 'pseudo_label']
    expected = ['cam', 'aux_cam', 'cnn_cam', 'a_cam', 'b_cam']
    assert cam_fields(fields) == cam_fields(fields[::-1]) == expected
    assert cam_fields([]) == []


def test_titles_differ():
    names = ('final', 'aux', 'cnn', 'clip')
    assert len({cam_title(cam_field(name)) for name in names}) == 4
