"""`cfn lab`: bring labs up and down, look at them, run programs on their hosts."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.table import Table

from cfn.yamlfile import FileError
from topo import cgroup, delay, front, graph, netns, plan, targets
from topo.children import describe
from topo.plan import Plan
from topo.state import LabState, RunDir

app = typer.Typer(no_args_is_help=True, help="Labs: whole networks on one machine.")

LABS = Path(__file__).parent / "labs"
_console = Console()
_errors = Console(stderr=True)

LabFile = Annotated[Path, typer.Argument(help="Lab file, or the name of one that comes along.")]
LabName = Annotated[str | None, typer.Argument(help="Lab; not needed while there is only one.")]


@app.command()
def up(
    lab: LabFile = Path("demo"),
    target: Annotated[str, typer.Option(help="Switch: embedded or bmv2.")] = "embedded",
) -> None:
    """Bring a lab up; returns when each of its services has answered."""
    path = _lab_file(lab)
    the_plan = _load(path)
    if target not in ("embedded", "bmv2"):
        _fail(f"--target: {target!r} is neither embedded nor bmv2")
    try:
        front.up(path, the_plan.name, target, lambda step: _console.print(f"· {step}", highlight=False))
    except (front.LabError, targets.TargetMissingError) as error:
        _fail(str(error))
    _console.print(f"lab {the_plan.name} is up: cfn lab status, cfn lab exec HOST -- COMMAND, cfn lab down")


@app.command()
def down(name: LabName = None) -> None:
    """Take a lab down, or remove what is left of one that died."""
    lab = name or _only_lab()
    if lab is None:
        _console.print("no lab is up")
        return
    for what in front.down(lab):
        _console.print(f"removed {what}", highlight=False)
    _console.print(f"lab {lab} is down")


@app.command(name="list")
def list_() -> None:
    """List the labs that are up, and the lab files that come along."""
    for name in front.known():
        state = front.state(name)
        if state:
            _console.print(f"{name}: {state.phase} ({state.target})")
    shipped = ", ".join(path.stem for path in sorted(LABS.glob("*.yaml")))
    _console.print(f"lab files that come along: {shipped}")


@app.command()
def status(
    name: LabName = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Show a lab's processes, sites and links; exit code 1 when a process has ended."""
    state = _state(name)
    if as_json:
        print(state.model_dump_json(indent=1))
    else:
        _print_status(state)
    if state.phase == "failed" or state.ended:
        raise typer.Exit(1)


@app.command(name="exec", context_settings={"ignore_unknown_options": True})
def exec_(
    host: Annotated[str, typer.Argument(help="Host or site of the lab, or `core`.")],
    command: Annotated[list[str], typer.Argument(help="Command line, after --.")],
    lab: Annotated[str | None, typer.Option(help="Lab; not needed while there is only one.")] = None,
) -> None:
    """Run a command on a host; `cfn` finds network, controller, data agent and tenant there."""
    state = _state(lab)
    run_dir = RunDir(state.lab)
    the_plan = _load(run_dir.lab_file)
    namespace = plan.namespace(state.lab, "core" if host == "controller" else host)
    try:
        netns.enter(namespace)
    except FileNotFoundError:
        prefix = plan.namespace(state.lab, "")
        hosts = ", ".join(n.removeprefix(prefix) for n in netns.names(prefix))
        _fail(f"lab {state.lab} has no host {host!r}; it has {hosts}")
    tenant = next(iter(the_plan.spec.tenants.values()), 0)
    defaults = {
        "CFN_ADDRESS": str(the_plan.anycast[0]),
        "CFN_TENANT": str(tenant),
        "CFN_CONTROLLER": str(run_dir.controller_of(the_plan.domains[0])),
    }
    site = the_plan.sites.get(host)
    if site and site.data_agent:
        defaults["CFN_DATA"] = f"unix:{run_dir.data(host)}"
    try:
        os.execvpe(command[0], command, {**defaults, **os.environ})
    except OSError as error:
        _fail(f"{command[0]}: {error.strerror}")


@app.command(name="graph")
def graph_(
    lab: LabFile = Path("demo"),
    dot: Annotated[bool, typer.Option("--dot", help="In Graphviz' language.")] = False,
) -> None:
    """Draw a lab."""
    the_plan = _load(_lab_file(lab))
    print(graph.to_dot(the_plan) if dot else graph.to_text(the_plan))


def _print_status(state: LabState) -> None:
    _console.print(f"lab {state.lab} on {state.target}: {state.phase} {state.step}".rstrip())
    table = Table("process", "pid", "state", box=None)
    for process in state.processes.values():
        code = process.exit_code
        text = "runs" if code is None else f"[red]{describe(code)}, see {process.log}"
        table.add_row(process.name, str(process.pid), text)
    _console.print(table)
    if state.phase != "up":
        return
    run = RunDir(state.lab)
    the_plan = _load(run.lab_file)
    sites = Table("site", "cores", "instances", "throttled", box=None)
    for site in the_plan.sites.values():
        use = cgroup.Group(cgroup.find(), plan.group_of(state.lab, site.name)).use()
        share = use.throttled_periods / use.periods if use.periods else 0.0
        sites.add_row(site.name, f"{site.cores:g}", str(len(site.instances)), f"{share:.0%} of periods")
    _console.print(sites)
    if state.links_by == "delayline":
        links = Table("link", "received", "sent", "lost", "overflow", "on its way", box=None)
        for row in delay.statistics(run.delayline):
            numbers = (row.received, row.sent, row.lost, row.overflow, row.queued)
            links.add_row(f"{row.source} → {row.sink}", *map(str, numbers))
        _console.print(links)


def _lab_file(given: Path) -> Path:
    shipped = LABS / f"{given}.yaml"
    return shipped if not given.exists() and shipped.is_file() else given


def _load(path: Path) -> Plan:
    try:
        return plan.load(path)
    except FileError as error:
        _fail(str(error))


def _state(name: str | None) -> LabState:
    lab = name or _only_lab()
    state = front.state(lab) if lab else None
    if state is None:
        _fail(f"lab {lab} is not up" if lab else "no lab is up")
    return state


def _only_lab() -> str | None:
    known = front.known()
    if len(known) > 1:
        _fail(f"which lab? There are {', '.join(known)}")
    return known[0] if known else None


def _fail(text: str) -> NoReturn:
    _errors.print(text, style="red", markup=False, highlight=False, soft_wrap=True)
    raise typer.Exit(1)
