from cfn.proto import advert_pb2


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
