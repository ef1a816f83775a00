"""The lab of the chain benchmark: the demo's network, with functions that do next to nothing.

Routers, links, hosts, sites and their data agents are the demo's, delays included. Every site runs all
functions of the chain; the function that gets its input by name runs at one site only, so that the input's
holder can be another one.
"""

from __future__ import annotations

from pathlib import Path

from bench import steps
from control.catalogue import Catalogue, Service
from topo import spec
from topo.cli import LABS
from topo.spec import LabSpec

CHOSEN = "near"
"""The site that runs `steps.DIGEST`."""
NAME = "chainbench"


def lab() -> LabSpec:
    """Return the lab."""
    demo = spec.load(LABS / "demo.yaml")
    names = (*steps.CHAIN, steps.DIGEST)
    sites = {
        name: site.model_copy(
            update={"instances": dict.fromkeys(names if name == CHOSEN else steps.CHAIN, 1)}
        )
        for name, site in demo.sites.items()
    }
    functions = {name: f"bench.steps:{name.partition('/')[2]}" for name in names}
    services = tuple(Service(name=name, tenants=("demo",), select="request") for name in names)
    changes = {"name": NAME, "functions": functions, "sites": sites, "services": services}
    return demo.model_copy(update=changes)


def write(path: Path) -> None:
    """Write the lab as a file that `topo.spec.load` reads; JSON is YAML 1.2."""
    path.write_text(lab().model_dump_json(indent=1, exclude_none=True, exclude_defaults=True))


def without_prefetch(catalogue: Catalogue) -> Catalogue:
    """Return the catalogue as it were if routers knew of no data agents: nothing is sent ahead."""
    sites = {name: site.model_copy(update={"data_agent": None}) for name, site in catalogue.sites.items()}
    return catalogue.model_copy(update={"sites": sites})
