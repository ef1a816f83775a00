"""What a running lab writes down for others to read: files in its run directory."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, Field

Phase = Literal["starting", "up", "stopping", "failed"]


class ProcessState(BaseModel):
    """A process of the lab; `exit_code` is None while it runs, negative for a signal as in `subprocess`.

    `ended_unix_s` is when it ended, s since the Unix epoch.
    """

    name: str
    pid: int
    log: str
    exit_code: int | None = None
    ended_unix_s: float = 0.0


class LabState(BaseModel):
    """A lab as its supervisor knows it."""

    lab: str
    target: str
    phase: Phase = "starting"
    step: str = ""
    started_unix_s: float = 0.0
    links_by: str = ""
    processes: dict[str, ProcessState] = Field(default_factory=dict[str, ProcessState])

    @property
    def ended(self) -> list[ProcessState]:
        """The processes that have ended though the lab is up."""
        return [process for process in self.processes.values() if process.exit_code is not None]


def base_dir() -> Path:
    """Return where run directories are: /run/cfn, or in $XDG_RUNTIME_DIR for a root that may not write /run.

    Such a root is one in a user namespace of its own (user_namespaces(7)).
    """
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    if runtime and not os.access("/run", os.W_OK):
        return Path(runtime) / "cfn"
    return Path("/run/cfn")


def run_dir(lab: str) -> Path:
    """Return the run directory of a lab."""
    return base_dir() / lab


class RunDir:
    """The files of one lab's run directory."""

    def __init__(self, lab: str) -> None:
        self.path = run_dir(lab)
        self.state = self.path / "state.json"
        self.lab_file = self.path / "lab.yaml"
        self.catalogue = self.path / "catalogue.yaml"
        self.controller = self.path / "controller.sock"
        self.events = self.path / "events.jsonl"
        self.delayline = self.path / "delayline.sock"

    def create(self) -> None:
        """Make the directory; only its owner can read what is in it (the catalogue holds tokens)."""
        self.path.mkdir(parents=True, mode=0o700)

    def controller_of(self, domain: str | None) -> Path:
        """Return the socket at which a domain's controller answers; the only controller's for None."""
        return self.path / f"controller-{domain}.sock" if domain else self.controller

    def events_of(self, domain: str | None) -> Path:
        """Return the event log of a domain's controller, likewise."""
        return self.path / f"events-{domain}.jsonl" if domain else self.events

    def log(self, process: str) -> Path:
        """Return the log file of a process."""
        return self.path / f"{process.replace('/', '-')}.log"

    def agent(self, site: str) -> Path:
        """Return the socket at which a site's agent listens to its function servers."""
        return self.path / f"agent-{site}.sock"

    def data(self, site: str) -> Path:
        """Return the socket at which a site's data agent listens to its function servers."""
        return self.path / f"data-{site}.sock"

    def cache(self, site: str) -> Path:
        """Return the folder of a site's data agent."""
        return self.path / f"data-{site}"

    def write_state(self, state: LabState) -> None:
        """Replace the state file at once, so that a reader never sees half of one."""
        fresh = self.state.with_suffix(".new")
        fresh.write_text(state.model_dump_json(indent=1))
        fresh.replace(self.state)

    def read_state(self) -> LabState | None:
        """Read the state; None when there is no such lab."""
        try:
            return LabState.model_validate_json(self.state.read_text())
        except FileNotFoundError:
            return None


def labs() -> list[str]:
    """List the labs that have a run directory, dead ones too."""
    base = base_dir()
    return sorted(path.name for path in base.iterdir() if path.is_dir()) if base.is_dir() else []
