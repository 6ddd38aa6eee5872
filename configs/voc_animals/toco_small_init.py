# ToCo, whose transformer's CAM heads begin as those of the paper's wider ViT-B do:
# docs/results/voc_animals_readings.md
_base_ = './toco.py'
model = dict(
    cam_head=dict(init_cfg={{_base_.small_init}}),
    aux_cam_head=dict(init_cfg={{_base_.small_init}}),
)
