import pytest

from cfn.auth import TenantKey, authenticate
from cfn.credentials_file import read_credentials
from cfn.wire import Header, Kind


def test_credentials_are_read_from_a_file(tmp_path):
    path = tmp_path / "c"
    path.write_text('{"tenant": 7, "sender": 3, "key": "0001020304050607"}')
    credentials = read_credentials(path)
    header = Header(Kind.REQUEST, 1, tenant=7)
    proof = credentials.authenticate(header)
    assert (credentials.tenant, proof.sender) == (7, 3)
    assert proof == authenticate(TenantKey.from_bytes(bytes(range(8))), header, 3, proof.sequence)


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("{", "credentials"),
        ('{"tenant": 7, "sender": 256, "key": "0001020304050607"}', "sender"),
        ('{"tenant": 7, "sender": 1, "key": "00"}', "key"),
        ('{"tenant": 7, "sender": 1}', "key"),
        ('{"tenant": 7, "sender": 1, "key": "0001020304050607", "more": 1}', "more"),
    ],
)
def test_credentials_that_cannot_be_are_refused_by_field(tmp_path, text, wrong):
    path = tmp_path / "c"
    path.write_text(text)
    with pytest.raises(ValueError, match=wrong) as caught:
        read_credentials(path)
    assert "\n" not in str(caught.value)
