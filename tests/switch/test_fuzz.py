"""The target of `make fuzz`, for a moment: it builds, its steps reach what they should, nothing fails."""

from pathlib import Path

import pytest

from tests.switch.fuzz.__main__ import main
from tests.switch.fuzz.seeds import seeds
from tests.switch.fuzz.target import FuzzError, build, compiler, run
from tests.switch.harness import PROGRAMS


def has_clang() -> bool:
    try:
        compiler()
    except FuzzError:
        return False
    return True


needs_clang = pytest.mark.skipif(not has_clang(), reason="clang with libFuzzer is not installed")


@needs_clang
def test_entries_are_hit_and_every_action_runs(tmp_path: Path) -> None:
    """The program's actions are only those of members that entries point at."""
    target, shape = build(PROGRAMS / "selector.json", tmp_path)
    start = tmp_path / "start"
    start.mkdir()
    for number, seed in enumerate(seeds(shape, [bytes([what]) + bytes(9) for what in range(3)])):
        (start / str(number)).write_bytes(seed)
    outcome = run(target, [start], "-runs=0")
    assert outcome.executions > 9
    names = {action.name for profile in shape.profiles for action in profile.actions}
    assert outcome.actions == outcome.all_actions >= len(names)


@needs_clang
def test_no_input_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    programs = [str(PROGRAMS / f"{name}.json") for name in ("externs", "shapes")]
    assert main(["--time", "5", "--out", str(tmp_path), *programs]) == 0
    told = capsys.readouterr().out.splitlines()
    assert [line.partition(":")[0] for line in told] == programs


@needs_clang
def test_a_failure_is_told_with_its_input(tmp_path: Path) -> None:
    target, _ = build(PROGRAMS / "selector.json", tmp_path)
    (tmp_path / "bad").write_bytes(bytes(1 << 15))
    with pytest.raises(FuzzError, match="out-of-memory"):
        run(target, [tmp_path / "bad"], "-rss_limit_mb=1")


def test_a_missing_compiler_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FUZZ_CC", "no-such-clang")
    assert main(["--out", str(tmp_path), str(PROGRAMS / "selector.json")]) == 1
    assert "apt install clang" in capsys.readouterr().err
