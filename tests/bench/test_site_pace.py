import os
from pathlib import Path

import pytest

from bench import site_pace
from topo import netns

pytestmark = [pytest.mark.netns, pytest.mark.skipif(os.geteuid() != 0, reason="makes namespaces: needs root")]


def test_a_function_knows_the_pace_of_its_own_site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(site_pace.FOLDER, str(tmp_path))
    name = f"cfntest{os.getpid()}pace"
    netns.create(name)
    try:
        site_pace.set_pace(tmp_path, name, 12.5)
        assert site_pace.pace_ms() == 0.0
        with netns.entered(name):
            assert site_pace.pace_ms() == 12.5
            site_pace.set_pace(tmp_path, name, 125)
            assert site_pace.pace_ms() == 125
    finally:
        netns.remove(name)
