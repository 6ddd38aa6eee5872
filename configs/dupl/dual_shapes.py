# DuPL on the generated shapes with two dual-branch networks as students: each as in
# dual_vit_r18_shapes.py without the contrast of class tokens.
_base_ = ['../dual_vit_r18_shapes.py', '../_base_/models/dupl_small.py']
student = _base_.model
data_preprocessor = student.pop('data_preprocessor')
students_test_cfg = student.pop('test_cfg')
student.terms.update(ctc=None, seg=None)
student.labels.region = None
student.labels.pixel.filters = dict(noise=_base_.noise_filter)
model = dict(
    _delete_=True,
    type='DualStudentSegmentor',
    data_preprocessor=data_preprocessor,
    students=dict(first=student, second=student),
    terms=_base_.between,
    deploy='first',
    test_cfg=students_test_cfg,
)
of_cnn = _base_.optim_wrapper.paramwise_cfg.branches.cnn
optim_wrapper = dict(
    paramwise_cfg=dict(
        branches=dict(
            cnn=[f'students.{name}.{part}' for name in _base_.students for part in of_cnn]
        )
    )
)
train_pipeline = _base_.train_pipeline
train_pipeline[2].views = dict(local=None, view2=None, strong=_base_.strong_view)
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
custom_hooks = [
    dict(
        type='CosineThresholdHook',
        start=0.3,
        end=0.15,
        targets=[f'students.{name}.thresholds' for name in _base_.students],
    ),
    *_base_.shared_hooks,
]
