"""The programs of a lab other than switches: controller, data agents, function servers, site agents."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from cfn.wire import PORT
from topo.cgroup import Group
from topo.plan import DataAgent, Plan, Site
from topo.process import Command
from topo.spec import CONTROLLER
from topo.state import RunDir

ADVERT_PORT = 23794
"""TCP port on which the first controller takes adverts; the others have those that follow."""

_CFN = (sys.executable, "-m", "cfn.cli")

_ENVIRONMENT = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}
"""Environment of every program: one worker is one core, and logs are written as they come."""


def controller(plan: Plan, run: RunDir, members: Sequence[Path], domain: str | None = None) -> Command:
    """Return the controller of a domain: in the core namespace, next to the switches that it programs."""
    arguments = [
        *(*_CFN, "controller", "run", str(run.catalogue)),
        *("--listen", advert_address(plan, domain), "--status-socket", str(run.controller_of(domain))),
        *("--events", str(run.events_of(domain))),
        *(("--domain", domain, "--adverts", plan.spec.adverts) if domain else ()),
    ]
    name = f"{CONTROLLER}-{domain}" if domain else CONTROLLER
    return Command(name, arguments, plan.core, members, _ENVIRONMENT)


def advert_address(plan: Plan, domain: str | None) -> str:
    """Return where sites send adverts for a domain's controller: its address in the network."""
    return f"{plan.hosts[CONTROLLER].ipv4[0]}:{ADVERT_PORT + plan.domains.index(domain)}"


def _told(plan: Plan, site: str) -> list[str | None]:
    """Return the domains whose controllers a site's agent tells."""
    home = plan.domain_of(site)
    others = [domain for domain in plan.domains if domain != home]
    return [home, *(others if plan.spec.adverts == "hybrid" else [])]


def data_agents(plan: Plan, run: RunDir, groups: Mapping[str, Group]) -> list[Command]:
    """Return the data agent of each site that has one; each knows the others, in the plan's order."""
    agents = [(site, site.data_agent) for site in plan.sites.values() if site.data_agent]
    return [
        Command(
            f"data-{site.name}",
            [
                *(*_CFN, "data", "serve", str(run.cache(site.name))),
                *("--data", f"unix:{run.data(site.name)}", "--agent", f"unix:{run.agent(site.name)}"),
                *("--listen", str(agent.ipv4), "--listen", str(agent.ipv6), "--limit", str(agent.size_mb)),
                *(option for other, its in agents if other is not site for option in _peer(other, its)),
            ],
            site.host.namespace,
            groups[site.name].members,
            _ENVIRONMENT,
        )
        for site, agent in agents
    ]


def _peer(site: Site, agent: DataAgent) -> tuple[str, str]:
    """Tell of another site's data agent, which is asked too for what no PREFETCH says the holder of."""
    url = f"http://{agent.ipv4}:{PORT}"
    return f"--site={site.id}={url}", f"--origin={url}"


def servers(plan: Plan, run: RunDir, groups: Mapping[str, Group]) -> list[Command]:
    """Return a function server for each instance, in its site's namespace and control group."""
    return [
        Command(
            instance.label,
            [
                *_CFN,
                "serve",
                plan.spec.functions[instance.function],
                *("--listen", str(instance.ipv4), "--listen", str(instance.ipv6)),
                *("--instance", str(instance.number), "--agent", f"unix:{run.agent(site.name)}"),
                *("--drain", "0"),
                *(("--data", f"unix:{run.data(site.name)}") if site.data_agent else ()),
            ],
            site.host.namespace,
            groups[site.name].members,
            _ENVIRONMENT,
        )
        for site in plan.sites.values()
        for instance in site.instances
    ]


def agents(plan: Plan, run: RunDir, groups: Mapping[str, Group], tokens: Mapping[str, str]) -> list[Command]:
    """Return the agent of each site, which advertises through the network's own routers."""
    return [
        Command(
            f"agent-{name}",
            [
                *(*_CFN, "agent", name),
                *(part for one in _told(plan, name) for part in ("--controller", advert_address(plan, one))),
                *("--listen", f"unix:{run.agent(name)}", "--drain", "0"),
                *("--min-interval-ms", str(plan.spec.advert_interval_ms)),
            ],
            site.host.namespace,
            groups[name].members,
            {**_ENVIRONMENT, "CFN_TOKEN": tokens[name]},
        )
        for name, site in plan.sites.items()
    ]
