"""Credentials in a file: a JSON object with tenant, sender and key."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cfn.auth import TenantKey
from cfn.credentials import MAX_SENDER, Credentials


class CredentialsFile(BaseModel):
    """What the file says.

    Attributes:
        tenant: 16 bits.
        sender: which of the tenant's clients this is, 0–255.
        key: the tenant's key, 16 hexadecimal digits.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    tenant: Annotated[int, Field(ge=0, lt=1 << 16)]
    sender: Annotated[int, Field(ge=0, le=MAX_SENDER)]
    key: Annotated[str, Field(pattern=r"^[0-9a-fA-F]{16}$")]


def read_credentials(path: Path) -> Credentials:
    """The credentials that a file holds.

    Raises:
        OSError: it can't be read.
        ValueError: in one line, which field is wrong and why.
    """
    try:
        said = CredentialsFile.model_validate_json(path.read_bytes())
    except ValidationError as error:
        wrong = "; ".join(
            f"{'.'.join(map(str, each['loc'])) or 'credentials'}: {each['msg']}" for each in error.errors()
        )
        raise ValueError(wrong) from None
    return Credentials(said.tenant, said.sender, TenantKey.from_bytes(bytes.fromhex(said.key)))
