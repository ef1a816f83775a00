"""The two functions that come along: right, deterministic, bounded, and as costly as asked for."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfn.function import MAX_OUTPUT, BadInputError, Outcome, run
from cfn.functions.detect import MAX_VIEWS, detect, encode_input
from cfn.functions.hog import hog
from cfn.functions.render import SIDE, View, render, to_rgb
from cfn.functions.shapes import LABELS, dataset, draw
from cfn.functions.train import HELD_OUT_SEED
from cfn.wire import Status


def seen(image, views=None):
    return json.loads(detect(encode_input(image, views)))


def test_shapes_that_training_never_saw_are_recognised():
    images, labels = dataset(20, HELD_OUT_SEED)
    right = [seen(image)["label"] == LABELS[label] for image, label in zip(images, labels, strict=True)]
    assert np.mean(right) >= 0.95


def test_more_views_recognise_more():
    images, labels = dataset(40, HELD_OUT_SEED, noise=45.0)
    share = {
        views: np.mean(
            [seen(image, views)["label"] == LABELS[k] for image, k in zip(images, labels, strict=True)]
        )
        for views in (1, 16)
    }
    assert share[16] > share[1]


def test_the_answer_says_label_confidence_and_views():
    image = draw("triangle", np.random.default_rng(1), noise=0)
    answer = seen(image, 3)
    assert set(answer) == {"label", "confidence", "views"}
    assert (answer["label"], answer["views"]) == ("triangle", 3)
    assert 0 < answer["confidence"] <= 1


@pytest.mark.parametrize("length", [0, 1, 1023, 1026])
def test_an_image_of_another_size_is_refused(length):
    with pytest.raises(BadInputError, match=f"{length} bytes"):
        detect(bytes(length))


@pytest.mark.parametrize("views", [0, MAX_VIEWS + 1])
def test_views_out_of_range_are_refused(views):
    with pytest.raises(BadInputError, match="views"):
        detect(bytes(1024) + bytes([views]))


@given(st.binary(min_size=1024, max_size=1024))
def test_any_image_gets_some_label(pixels):
    assert json.loads(detect(pixels + b"\1"))["label"] in LABELS


def test_hog_sees_the_direction_of_an_edge():
    vertical = np.zeros((32, 32))
    vertical[:, 16:] = 255
    strong = hog(vertical).reshape(-1, 9).sum(axis=0)
    assert strong[[0, 8]].sum() > 0.99 * strong.sum()
    sideways = hog(vertical.T).reshape(-1, 9).sum(axis=0)
    assert sideways[4] > 0.99 * sideways.sum()


def test_hog_does_not_depend_on_brightness_and_contrast():
    image = dataset(1, 5)[0][0].astype(float)
    assert hog(image) == pytest.approx(hog(0.5 * image + 60), abs=1e-3)


def test_an_unknown_shape_cannot_be_drawn():
    with pytest.raises(ValueError, match="none of circle"):
        draw("spiral", np.random.default_rng(0))


def tile(**fields) -> bytes:
    return render(json.dumps(fields).encode())


def test_a_tile_fits_a_response_and_is_the_same_every_time():
    assert len(tile()) == SIDE * SIDE <= MAX_OUTPUT
    assert tile(yaw=30, frame=7) == tile(yaw=30, frame=7)
    assert render(b"") == tile()


def test_the_view_turns_and_time_passes():
    assert tile(yaw=0) != tile(yaw=90)
    behind, again = (np.frombuffer(tile(yaw=yaw), np.uint8) for yaw in (-180, 180))
    assert (behind == again).mean() > 0.98
    assert tile(pitch=40, frame=0) != tile(pitch=40, frame=300)


def test_up_is_blue_and_down_is_not():
    up, down = (to_rgb(tile(yaw=200, pitch=pitch, fov=30)).reshape(-1, 3).mean(axis=0) for pitch in (80, -80))
    assert up[2] > up[0]
    assert down[0] > down[2]


@pytest.mark.parametrize(
    ("payload", "field"),
    [
        (b"{", "view"),
        (b"[1]", "view"),
        (b"\xff\xfe", "view"),
        (b'{"yaw": 361}', "yaw"),
        (b'{"pitch": "up"}', "pitch"),
        (b'{"fov": NaN}', "fov"),
        (b'{"samples": 65}', "samples"),
        (b'{"samples": 0}', "samples"),
        (b'{"frame": -1}', "frame"),
        (b'{"zoom": 2}', "zoom"),
    ],
)
def test_a_view_that_is_wrong_is_refused_by_field(payload, field):
    with pytest.raises(BadInputError, match=field):
        render(payload)


@given(
    st.builds(
        View,
        yaw=st.floats(-360, 360),
        pitch=st.floats(-90, 90),
        fov=st.floats(10, 150),
        frame=st.integers(0, 2**31 - 1),
        samples=st.integers(1, 2),
    )
)
def test_every_view_renders_without_a_warning(view):
    assert len(render(view.model_dump_json().encode())) == SIDE * SIDE


@given(st.binary(max_size=64))
def test_random_input_is_an_answer_or_a_refusal(payload):
    for function in (detect, render):
        assert run(function, payload).status in {Status.OK, Status.BAD_INPUT}


def test_a_refusal_fits_a_response_however_long_it_is():
    outcome = run(render, json.dumps({"é" * 1300: 1}).encode())
    assert outcome.status == Status.BAD_INPUT
    assert len(outcome.payload) <= MAX_OUTPUT
    assert isinstance(outcome, Outcome)
    outcome.payload.decode()
