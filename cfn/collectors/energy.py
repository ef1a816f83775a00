"""Energy that the machine's processors take, by their own counters.

Linux tells those of RAPL under /sys/class/powercap (Documentation/power/powercap/powercap.rst of the kernel):
one directory for each package, with `energy_uj` that counts up to `max_energy_range_uj` and then starts at 0
again. Since it lets programs guess at what others compute (CVE-2020-8694), only root may read it.
"""

from __future__ import annotations

from pathlib import Path

POWERCAP = Path("/sys/class/powercap")


class EnergyCounter:
    """The sum of all packages, as a counter that does not start anew."""

    def __init__(self, packages: list[Path]) -> None:
        self._range_uj = {one: int((one / "max_energy_range_uj").read_text()) for one in packages}
        self._last_uj = {one: _read_uj(one) for one in packages}
        self._sum_uj = 0

    def joules(self) -> float:
        """Energy since the counter was made; to be asked more often than a package's counter starts anew.

        Raises:
            OSError: it can't be read any more.
            ValueError: it tells no number.
        """
        for package, last in self._last_uj.items():
            now = _read_uj(package)
            self._sum_uj += (now - last) % (self._range_uj[package] + 1)
            self._last_uj[package] = now
        return self._sum_uj / 1e6


def find_energy(powercap: Path = POWERCAP) -> EnergyCounter | None:
    """The counter of this machine, None where there is none that may be read."""
    try:
        # A part of a package is `intel-rapl:0:0`, and counted by it.
        packages = [one for one in sorted(powercap.glob("intel-rapl:*")) if one.name.count(":") == 1]
        return EnergyCounter(packages) if packages else None
    except (OSError, ValueError):
        return None


def _read_uj(package: Path) -> int:
    return int((package / "energy_uj").read_text())
