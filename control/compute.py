"""What a site can compute, by type: declared in the catalogue, and what is in use as the site tells it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Self

from pydantic import Discriminator, Field, Strict, Tag, model_validator

from control.fields import Grade, Model
from control.model import ComputeType, SiteAdvert

_Rate = Annotated[float, Strict(), Field(gt=0, le=1e12)]
_BOUNDS = (500.0, 10_000.0, 1_000_000.0)
"""Least GFLOPS of the grades 2, 3 and 4, as the demand of a request has them (docs/wire-format.md)."""


class Capability(Model):
    """What the processors of a type can do together, in GFLOPS or, as neural ones are rated, in TOPS."""

    gflops: _Rate | None = None
    tops: _Rate | None = None

    @model_validator(mode="after")
    def _either(self) -> Self:
        if (self.gflops is None) == (self.tops is None):
            raise ValueError("needs either gflops or tops")
        return self

    @property
    def giga(self) -> float:
        """Operations a second of whichever kind, in thousand millions."""
        return self.gflops if self.gflops is not None else 1000 * (self.tops or 0.0)

    @property
    def grade(self) -> int:
        """1 to 4."""
        return 1 + sum(self.giga >= bound for bound in _BOUNDS)


def _is_number(value: object) -> str:
    return "fields" if isinstance(value, Mapping | Capability) else "grade"


Declared = Annotated[
    Annotated[Grade, Tag("grade")] | Annotated[Capability, Tag("fields")], Discriminator(_is_number)
]
"""A grade alone, or the capability that it follows from."""


@dataclass(frozen=True, slots=True)
class Compute:
    """Compute of one type at a site.

    Attributes:
        grade: 1 to 4; None for a type that is not declared.
        giga: what it can do, in GFLOPS or thousandths of TOPS; None when only its grade is declared.
        used: share in use, 0–1; None when the site does not tell.
    """

    grade: int | None
    giga: float | None
    used: float | None

    @property
    def left_giga(self) -> float | None:
        """What is not in use."""
        return None if self.giga is None or self.used is None else self.giga * (1 - self.used)


def grade_of(declared: Grade | Capability) -> int:
    """The grade of what is declared."""
    return declared.grade if isinstance(declared, Capability) else declared


def _both(one: Iterable[ComputeType], other: Iterable[ComputeType]) -> Iterable[ComputeType]:
    return dict.fromkeys([*one, *other])


def compute_of(
    declared: Mapping[ComputeType, Grade | Capability], advert: SiteAdvert | None
) -> dict[ComputeType, Compute]:
    """Every type that a site declares or tells of."""
    told: Mapping[ComputeType, float] = advert.resources.used if advert and advert.resources else {}
    found: dict[ComputeType, Compute] = {}
    for name in _both(declared, told):
        one = declared.get(name)
        found[name] = Compute(
            grade=None if one is None else grade_of(one),
            giga=one.giga if isinstance(one, Capability) else None,
            used=told.get(name),
        )
    return found
