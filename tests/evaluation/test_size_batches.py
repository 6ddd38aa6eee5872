import torch

from wsss_plugin.evaluation.size_batches import step_by_size, usual_batch_size


def _step(seen):
    def step(data):
        seen.append(data)
        first = data['inputs'][0]
        images = first if isinstance(first, list) else data['inputs']
        return [float(image.sum()) for image in images]

    return step


def _image(number, *size):
    return torch.full((1, *size), float(number))


def test_results_are_in_the_order_of_the_images():
    images = [_image(1, 1, 2), _image(2, 2, 1), _image(3, 1, 2), _image(4, 1, 1)]
    seen = []
    found = step_by_size(_step(seen), {'inputs': images, 'data_samples': [*'abcd']})
    assert found == [2, 4, 6, 4]
    assert [data['data_samples'] for data in seen] == [['a', 'c'], ['b'], ['d']]


def test_images_whose_scales_all_agree_stay_together():
    inputs = [
        [_image(1, 2, 2), _image(2, 2, 2), _image(3, 2, 2)],
        [_image(0, 4, 4), _image(0, 4, 5), _image(0, 4, 4)],
    ]
    seen = []
    data = {'inputs': inputs, 'data_samples': [[*'abc'], [*'ABC']]}
    assert step_by_size(_step(seen), data) == [4, 8, 12]
    assert [one['data_samples'] for one in seen] == [[['a', 'c'], ['A', 'C']], [['b'], ['B']]]
    assert [len(one['inputs']) for one in seen] == [2, 2]


def test_a_batch_of_one_size_or_of_another_form_is_left_as_it_is():
    for data in (
        {'inputs': [_image(1, 2, 2), _image(2, 2, 2)]},
        {'inputs': torch.zeros(2, 1, 3, 3)},
        {'inputs': {'view1': [_image(1, 2, 2)]}},
        [1, 2],
    ):
        seen = []
        assert step_by_size(lambda given, seen=seen: seen.append(given) or ['x'], data) == ['x']
        assert seen[0] is data


def test_many_classes_make_small_batches():
    assert [usual_batch_size(*given) for given in ((2,), (81,), (200,), (1000,))] == [4, 4, 2, 1]
    assert [usual_batch_size(*given) for given in ((21, 6), (81, 6), (81, 10))] == [4, 1, 1]
