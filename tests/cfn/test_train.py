import numpy as np

from cfn.functions.detect import MODEL
from cfn.functions.shapes import LABELS, dataset
from cfn.functions.train import HELD_OUT_SEED, accuracy, train


def test_a_little_training_recognises_most_shapes_and_always_the_same():
    images = dataset(8, seed=3)
    weights, bias = train(*images)
    assert accuracy(weights, bias, *dataset(20, HELD_OUT_SEED)) > 0.7
    again, _ = train(*images)
    assert np.array_equal(weights, again)


def test_the_committed_weights_recognise_shapes_from_a_single_view():
    with np.load(MODEL) as stored:
        weights, bias = stored["weights"].astype(float), stored["bias"].astype(float)
    assert weights.shape[1] == len(LABELS)
    assert accuracy(weights, bias, *dataset(40, HELD_OUT_SEED)) > 0.93
