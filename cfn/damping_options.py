"""Rules of damping as they are written on a command line: `METRIC=CHANGE%[,FLOOR[,CEILING]]`, seconds."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace

from cfn.damping import RULES, Rule
from cfn.load import MAX_LOAD

_RULE = re.compile(r"(?P<metric>[a-z_]+)=(?P<change>[\d.]+)%(?:,(?P<floor>[\d.]+)(?:,(?P<ceiling>[\d.]+))?)?")
_SCALES = {"load": float(MAX_LOAD), "cpu": 1.0, "queue": None, "service_time": None}
"""Scale that the change of a metric is a share of; None: of what was last told."""


def parse_rules(texts: Iterable[str]) -> Mapping[str, Rule]:
    """The rules that these texts give, by metric; what one leaves out is as in `RULES`.

    Raises:
        ValueError: which text is none, and why.
    """
    return dict(_parse(text) for text in texts)


def _parse(text: str) -> tuple[str, Rule]:
    match = _RULE.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not METRIC=CHANGE%[,FLOOR[,CEILING]]")
    metric = match["metric"]
    if metric not in _SCALES:
        raise ValueError(f"{text!r}: {metric!r} is none of {', '.join(_SCALES)}")
    try:
        change = float(match["change"]) / 100
        floor_s, ceiling_s = (
            None if match[part] is None else float(match[part]) for part in ("floor", "ceiling")
        )
    except ValueError:
        raise ValueError(f"{text!r}: has a number that is none") from None
    rule, scale = RULES[metric], _SCALES[metric]
    rule = replace(rule, relative=change) if scale is None else replace(rule, absolute=change * scale)
    floor_s = rule.floor_s if floor_s is None else floor_s
    ceiling_s = math.inf if ceiling_s is None else ceiling_s
    if ceiling_s < floor_s:
        raise ValueError(f"{text!r}: the ceiling is below the floor of {floor_s:g} s")
    return metric, replace(rule, floor_s=floor_s, ceiling_s=ceiling_s)
