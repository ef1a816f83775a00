import pytest

from cfn.proto import advert_pb2
from cfn.proto.generate import SOURCE, generate


def test_the_committed_stubs_are_what_the_schema_generates(tmp_path):
    pytest.importorskip("grpc_tools", reason="grpcio-tools is not installed")
    for generated in generate(tmp_path):
        assert generated.read_text() == (SOURCE.parent / generated.name).read_text(), generated.name


def test_an_advert_survives_the_wire():
    advert = advert_pb2.Advert(
        site="near",
        incarnation=2**63,
        sequence=1,
        instances=[
            advert_pb2.Instance(func_id=2**64 - 1, instance=65535, state=advert_pb2.Instance.DRAINING)
        ],
    )
    assert advert_pb2.Advert.FromString(advert.SerializeToString()) == advert
