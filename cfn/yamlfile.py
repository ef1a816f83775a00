"""YAML files that become pydantic models, with errors that name file, line, column and field.

All errors of a file are told at once: `catalogue.yaml:12:12: sites.near.price: must be ≥ 0`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError

FieldPath = tuple[str | int, ...]
_M = TypeVar("_M", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with one field, `path` from the root of the file."""

    path: FieldPath
    message: str


class ModelProblems(ValueError):  # noqa: N818 - several errors in one
    """Raised by a model's own validator to tell each problem with its own path below that model."""

    def __init__(self, problems: Sequence[Problem]):
        super().__init__("; ".join(f"{dotted(p.path)}: {p.message}" for p in problems))
        self.problems = tuple(problems)


class FileError(ValueError):
    """A file that cannot be read as what it should be; its text has one line for each error."""

    def __init__(self, lines: Sequence[str]):
        super().__init__("\n".join(lines))
        self.lines = tuple(lines)


def load(path: Path, model: type[_M]) -> _M:
    """Read a YAML file as `model`.

    Raises:
        FileError: not readable, no YAML, or not what the model wants.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "is not UTF-8 text"
        raise FileError([f"{path}: {reason}"]) from error
    return parse(text, model, str(path))


def parse(text: str, model: type[_M], name: str = "<text>") -> _M:
    """Read YAML text as `model`; `name` is what errors call the text.

    Raises:
        FileError: no YAML, or not what the model wants.
    """
    try:
        tree = YAML(typ="rt").load(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"{name}:{mark.line + 1}:{mark.column + 1}" if mark else name
        raise FileError([f"{place}: {(error.problem or str(error)).splitlines()[0]}"]) from error
    except YAMLError as error:
        raise FileError([f"{name}: {str(error).splitlines()[0]}"]) from error
    marks: dict[FieldPath, tuple[int, int]] = {(): (0, 0)}
    plain = _plain(tree, (), marks)
    try:
        return model.model_validate(plain)
    except ValidationError as error:
        located = {(_place(p.path, marks), dotted(p.path), p.message) for p in _problems(error, marks)}
        raise FileError(
            [f"{name}:{line + 1}:{col + 1}: {where}: {what}" for (line, col), where, what in sorted(located)]
        ) from error


def dotted(path: FieldPath) -> str:
    """A field path as people write it: `links[0].a.port`; the root is `(file)`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text or "(file)"


def _plain(node: Any, path: FieldPath, marks: dict[FieldPath, tuple[int, int]]) -> Any:
    """Copy a ruamel tree into plain values, noting where each stands (lines and columns from 0)."""
    if isinstance(node, Mapping):
        plain: dict[Any, Any] = {}
        for key, value in node.items():
            # A merged key (`<<`) stands elsewhere: it is placed at the mapping it was merged into.
            marks[(*path, key)] = marks[path]
            if isinstance(node, CommentedMap) and key in (node.lc.data or {}):
                marks[(*path, key)] = tuple(node.lc.value(key))
            plain[key] = _plain(value, (*path, key), marks)
        return plain
    if isinstance(node, list):
        for index in range(len(node)):
            if isinstance(node, CommentedSeq) and index in (node.lc.data or {}):
                marks[(*path, index)] = tuple(node.lc.item(index))
        return [_plain(value, (*path, index), marks) for index, value in enumerate(node)]
    for kind in (bool, int, float, str):
        if isinstance(node, kind):
            return kind(node)
    return node


def _problems(error: ValidationError, marks: Mapping[FieldPath, tuple[int, int]]) -> list[Problem]:
    problems: list[Problem] = []
    for item in error.errors(include_url=False, include_input=False):
        missing = item["type"] == "missing"
        path = _path(item["loc"][:-1] if missing else item["loc"], marks)
        path = (*path, item["loc"][-1]) if missing else path
        cause = item.get("ctx", {}).get("error")
        if isinstance(cause, ModelProblems):
            problems += [Problem((*path, *p.path), p.message) for p in cause.problems]
        else:
            problems.append(Problem(path, _worded(item["type"], item["msg"])))
    return problems


def _path(loc: FieldPath, marks: Mapping[FieldPath, tuple[int, int]]) -> FieldPath:
    """The parts of a pydantic location that stand in the file: tags of unions and of keys do not."""
    path: FieldPath = ()
    for part in loc:
        if (*path, part) in marks:
            path = (*path, part)
    return path


_WORDS = {
    "missing": "is missing",
    "extra_forbidden": "is not a known field",
    "model_type": "must be a mapping",
    "dict_type": "must be a mapping",
    "tuple_type": "must be a list",
    "string_type": "must be text",
}
_SHORTER = {
    "Value error, ": "",
    "Input should be": "must be",
    "greater than or equal to": "≥",
    "greater than": ">",
    "less than or equal to": "≤",
}


def _worded(kind: str, message: str) -> str:
    for long, short in _SHORTER.items():
        message = message.replace(long, short)
    return _WORDS.get(kind, message)


def _place(path: FieldPath, marks: Mapping[FieldPath, tuple[int, int]]) -> tuple[int, int]:
    """Where a field stands, or where the nearest thing around it does."""
    while path not in marks:
        path = path[:-1]
    return marks[path]
