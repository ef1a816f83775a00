"""Rules of damping as options."""

import math
import re

import pytest

from cfn.damping import Rule
from cfn.damping_options import parse_rules


def test_rules_are_read():
    assert parse_rules(["cpu=5%,0.1,10", "queue=10%", "load=20%,0.5", "service_time=1.5%"]) == {
        "cpu": Rule(absolute=0.05, floor_s=0.1, ceiling_s=10.0),
        "queue": Rule(absolute=2, relative=0.1),
        "load": Rule(absolute=51.0, floor_s=0.5),
        "service_time": Rule(relative=0.015, ceiling_s=math.inf),
    }


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("cpu", "'cpu' is not METRIC=CHANGE%[,FLOOR[,CEILING]]"),
        ("cpu=5", "'cpu=5' is not METRIC=CHANGE%[,FLOOR[,CEILING]]"),
        ("rain=5%", "'rain=5%': 'rain' is none of load, cpu, queue, service_time"),
        ("cpu=1.2.3%", "'cpu=1.2.3%': has a number that is none"),
        ("cpu=5%,2,1", "'cpu=5%,2,1': the ceiling is below the floor of 2 s"),
        ("cpu=5%,-1", "'cpu=5%,-1' is not METRIC=CHANGE%[,FLOOR[,CEILING]]"),
    ],
)
def test_what_is_no_rule_is_refused(text, why):
    with pytest.raises(ValueError, match=f"^{re.escape(why)}$"):
        parse_rules([text])
