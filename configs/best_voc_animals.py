# Beyond the paper, for these photographs alone: voc_animals/best_without_prior.py with the word of
# the classification on which classes an image has. Do not inherit from it: where that word is
# wrong, background alone is left. For your own images there is own_data.py.
_base_ = './voc_animals/best_without_prior.py'
model = dict(
    # The CAM head has its own view of which classes an image has: fewer classes that the image
    # does not contain, more pixels missed.
    test_cfg=dict(class_prior='final'),
)
