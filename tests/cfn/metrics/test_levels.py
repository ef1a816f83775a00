"""From samples to levels 1 and 2, and profiles that make no sense.

One case: pytest tests/cfn/metrics/test_levels.py -k shares
"""

from __future__ import annotations

import pytest

from cfn.metrics.assess import assess, resources_message
from cfn.metrics.levels import Level1, categories
from cfn.metrics.normalise import MinMax
from cfn.metrics.profile import MOST_INPUTS, Aggregation, Input, Profile
from cfn.metrics.sample import LARGEST, Sample, Samples, whole
from cfn.metrics.score import MetricType, Score, norm_fi

COMPUTE, SERVICE, NORM_FI = MetricType.COMPUTE_NORM, MetricType.SERVICE_NORM, MetricType.NORM_FI
A = Input("a", COMPUTE, MinMax(0, 100), 3)
B = Input("b", COMPUTE, MinMax(0, 100), 1)
S = Input("s", SERVICE, MinMax(0, 100))


def samples(**values: int) -> Samples:
    return {name: Sample(name, value, 100 + value) for name, value in values.items()}


def told(scores: tuple[Score, ...]) -> dict[MetricType, int]:
    return {score.type: score.value for score in scores}


def test_a_category_is_the_mean_by_weight_of_what_was_measured() -> None:
    profile = Profile((A, B, S))
    assert categories(profile, samples(a=40, b=80)) == {COMPUTE: Level1(50, 180)}
    assert categories(profile, samples(b=80, unheard_of=1)) == {COMPUTE: Level1(80, 180)}
    assert categories(profile, {}) == {}


def test_or_the_worst_whatever_the_weights() -> None:
    profile = Profile((A, B), within=Aggregation.MINIMUM)
    assert categories(profile, samples(a=90, b=20)) == {COMPUTE: Level1(20, 190)}


@pytest.mark.parametrize(
    ("across", "made_of", "value"),
    [
        (Aggregation.MINIMUM, (COMPUTE, SERVICE), 2),
        (Aggregation.MEAN, (COMPUTE, SERVICE), 6),  # (90 + 20 + 1) // 2 tenths
        (Aggregation.MINIMUM, (COMPUTE,), 9),
        (Aggregation.MINIMUM, (MetricType.COMMUNICATION_NORM,), None),
    ],
)
def test_level_2_is_made_of_the_categories_that_the_profile_names(across, made_of, value) -> None:
    profile = Profile((A, S), across=across, categories=made_of)
    assert norm_fi(assess(profile, samples(a=90, s=20), []).site) == value


def test_an_instance_shares_what_it_has_not_measured_itself() -> None:
    profile = Profile((A, S))
    found = assess(profile, samples(a=50), [samples(s=80), samples(s=20), samples(a=90, s=100)])
    assert [told(one) for one in found.instances] == [
        {SERVICE: 8, NORM_FI: 5},
        {SERVICE: 2, NORM_FI: 2},
        {COMPUTE: 9, SERVICE: 10, NORM_FI: 9},
    ]
    # The site measured its computing itself; its service is that of its instances.
    assert told(found.site) == {COMPUTE: 5, SERVICE: 7, NORM_FI: 5}


def test_windows_are_the_longest_of_what_went_in() -> None:
    (service, l2) = assess(Profile((A, S)), samples(a=50), [samples(s=20)]).instances[0]
    assert (service.window_ms, l2.window_ms) == (120, 150)


def test_resources_need_both_halves_and_no_more_left_than_there_is() -> None:
    assert resources_message({}) is None
    found = resources_message(samples(memory_size=8, storage_size=8, storage_left=9, power=3))
    assert found is not None
    assert (found.memory, found.storage, found.storage_left, found.power_mw) == (0, 0, 0, 3)
    assert found.window_ms == 109


@pytest.mark.parametrize(
    ("value", "units"),
    [(0.4999999999999999, 0), (0.5, 1), (1.5, 2), (-3.0, 0), (float("inf"), LARGEST), (1e300, LARGEST)],
)
def test_measured_values_become_whole_with_halves_up(value: float, units: int) -> None:
    assert whole(value) == units


def test_what_is_no_number_is_no_sample() -> None:
    with pytest.raises(ValueError, match="not a number"):
        whole(float("nan"))


def test_profiles_that_make_no_sense_are_refused() -> None:
    with pytest.raises(ValueError, match="a: is there twice"):
        Profile((A, A))
    with pytest.raises(ValueError, match="more than 64 inputs"):
        Profile(tuple(Input(str(n), COMPUTE, MinMax(0, 1)) for n in range(MOST_INPUTS + 1)))
    with pytest.raises(ValueError, match="a: NORM_FI is no category"):
        Input("a", NORM_FI, MinMax(0, 1))
    with pytest.raises(ValueError, match="a: weight 0 is not in"):
        Input("a", COMPUTE, MinMax(0, 1), 0)
