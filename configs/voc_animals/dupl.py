# DuPL with the dual branch: both students as in all.py without the contrast of class tokens. The
# weights of what joins them are those of the released code (DuPL).
_base_ = './all.py'
student = _base_.model
data_preprocessor = student.pop('data_preprocessor')
students_test_cfg = student.pop('test_cfg')
student.terms.update(ctc=None, seg=None)
student.labels.region = None
student.labels.pixel.filters = dict(noise=dict(type='GMMNoiseFilter'))
students = ('first', 'second')
model = dict(
    _delete_=True,
    type='DualStudentSegmentor',
    data_preprocessor=data_preprocessor,
    students=dict(first=student, second=student),
    terms=dict(
        apart=dict(type='DiscrepancyTerm', reads='patch', weight=0.1),
        cross=dict(
            type='CrossSegmentationTerm',
            labels='pixel',
            loss=dict(type='BalancedCrossEntropyLoss'),
            weight=0.2,
            start=_base_.seg_start,
        ),
        ignored=dict(
            type='IgnoredConsistencyTerm', labels='pixel', view='strong', weight=0.05, start=0.4
        ),
    ),
    deploy='first',
    test_cfg=students_test_cfg,
)
of_cnn = _base_.optim_wrapper.paramwise_cfg.branches.cnn
optim_wrapper = dict(
    paramwise_cfg=dict(
        branches=dict(cnn=[f'students.{name}.{part}' for name in students for part in of_cnn])
    )
)
train_pipeline = _base_.train_pipeline
train_pipeline[2].views = dict(
    local=None,
    view2=None,
    strong=dict(
        of='view1',
        scale=160 / 224,  # whole patches; (DuPL) 0.75
        flip=True,
        photometric=dict(type='RandomPhotometricOperations', num=5, magnitude=10, levels=30),
    ),
)
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
custom_hooks = [
    dict(
        type='CosineThresholdHook',
        start=student.thresholds.high,
        end=0.55,
        targets=[f'students.{name}.thresholds' for name in students],
    ),
    *_base_.shared_hooks,
]
# An iteration takes seconds: less is lost if a run is cut short.
default_hooks = dict(checkpoint=dict(interval=250))
