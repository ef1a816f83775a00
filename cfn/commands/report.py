"""What `cfn call` prints."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from cfn.commands.calls import CallResult
from cfn.commands.path import path_record, print_path

_PREVIEW = 48


def print_table(results: list[CallResult], names: Mapping[int, str]) -> None:
    """A row per call, the paths of those that were traced, percentiles of the latency of several."""
    table = Table(box=None, header_style="bold", expand=True)
    for name in ("call", "instance", "status", "load", "queue", "ms", "tries"):
        table.add_column(name, justify="left" if name in {"instance", "status"} else "right", no_wrap=True)
    table.add_column("output", overflow="ellipsis", no_wrap=True, ratio=1)
    for result in results:
        table.add_row(str(result.number), *_cells(result))
    console = Console()
    console.print(table)
    for result in results:
        if result.trace:
            console.print(f"\npath of call {result.number}")
            print_path(console, result.trace, names)
    latencies = sorted(result.reply.latency_s for result in results if result.reply)
    if len(results) > 1 and latencies:
        failed = len(results) - len(latencies)
        p50, p99 = (_percentile(latencies, share) * 1000 for share in (0.50, 0.99))
        console.print(f"{len(latencies)} answered, {failed} failed, p50 {p50:.1f} ms, p99 {p99:.1f} ms")


def print_json(results: list[CallResult], names: Mapping[int, str]) -> None:
    """A JSON object per line; the output as text, or as base64 where it is none."""
    for result in results:
        path = {"trace": path_record(result.trace, names)} if result.trace else {}
        print(json.dumps(_record(result) | path))


def _cells(result: CallResult) -> list[str | Text]:
    reply = result.reply
    if reply is None:
        return ["", Text(str(result.error), style="red"), "", "", "", "", ""]
    return [
        f"site {cookie.site}, instance {cookie.instance}" if (cookie := result.cookie) else "–",
        Text("OK", style="green"),
        str(reply.report.load),
        str(reply.report.queue),
        f"{reply.latency_s * 1000:.1f}",
        str(reply.attempts),
        Text(_preview(reply.payload)),
    ]


def _record(result: CallResult) -> dict[str, Any]:
    reply, cookie = result.reply, result.cookie
    if reply is None:
        return {"call": result.number, "error": str(result.error), "type": type(result.error).__name__}
    record: dict[str, Any] = {
        "call": result.number,
        "site": cookie.site if cookie else None,
        "instance": cookie.instance if cookie else None,
        "load": reply.report.load,
        "queue": reply.report.queue,
        "latency_ms": round(reply.latency_s * 1000, 3),
        "attempts": reply.attempts,
    }
    if len(reply.stages) > 1:
        record["stages"] = [
            {"func_id": f"0x{s.func_id:016x}", "data_in": s.data_in.hex(), "data_out": s.data_out.hex()}
            for s in reply.stages
        ]
    try:
        record["output"] = reply.payload.decode()
    except UnicodeDecodeError:
        record["output_base64"] = base64.b64encode(reply.payload).decode()
    return record


def _preview(payload: bytes) -> str:
    try:
        text = payload.decode()
    except UnicodeDecodeError:
        text = ""
    if not text.isprintable() or not text:
        return f"{len(payload)} bytes"
    return text if len(text) <= _PREVIEW else text[: _PREVIEW - 1] + "…"


def _percentile(ordered: list[float], share: float) -> float:
    """The nearest-rank percentile of an ascending list."""
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]
