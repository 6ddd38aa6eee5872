"""Predictions for any image: which images, how they are predicted, and the folder they go into."""

from wsss_plugin.engine.prediction.image_prediction import ImagePrediction
from wsss_plugin.engine.prediction.image_predictor import ImagePredictor
from wsss_plugin.engine.prediction.prediction_folder import PredictionFolder
from wsss_plugin.engine.prediction.prediction_inputs import PredictionInputs
from wsss_plugin.engine.prediction.window_prediction import predict_by_windows

__all__ = [
    'ImagePrediction',
    'ImagePredictor',
    'PredictionFolder',
    'PredictionInputs',
    'predict_by_windows',
]
