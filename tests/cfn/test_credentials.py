import pytest

from cfn.auth import TenantKey, authenticate
from cfn.credentials import MAX_LEAD, SKIP, START_S, Credentials, SenderSequence
from cfn.errors import SequenceUsedUpError
from cfn.wire import Header, Kind

KEY = TenantKey.from_bytes(bytes(8))


class Clock:
    def __init__(self, seconds: float) -> None:
        self.seconds = START_S + seconds

    def __call__(self) -> float:
        return self.seconds


def taken(sequence: SenderSequence, count: int) -> int:
    """The last of so many numbers."""
    return [sequence.take() for _ in range(count)][-1]


def test_numbers_grow_by_one_from_the_clock_on():
    sequence = SenderSequence(Clock(10.0))
    assert [sequence.take() for _ in range(3)] == [161, 162, 163]


def test_a_later_process_starts_above_unless_the_first_was_busier_than_the_clock():
    assert SenderSequence(Clock(70.0)).take() > taken(SenderSequence(Clock(10.0)), 900)
    assert SenderSequence(Clock(70.0)).take() <= taken(SenderSequence(Clock(10.0)), 1000)


@pytest.mark.parametrize("seconds", [-START_S, -1.0, 0.0])
def test_a_clock_that_is_wrong_gives_no_number_below_one(seconds):
    assert SenderSequence(Clock(seconds)).take() == 1


def test_a_refusal_takes_the_sequence_up_once_for_all_that_were_under_way():
    sequence = SenderSequence(Clock(0.0))
    under_way = [sequence.take() for _ in range(5)]
    for each in under_way:
        sequence.refused(each)
    assert sequence.take() == 5 + SKIP + 1
    sequence.refused(5 + SKIP + 1)
    assert sequence.take() == 5 + 2 * SKIP + 2


def test_refusals_take_no_sequence_far_from_the_clock():
    sequence = SenderSequence(Clock(0.0))
    for _ in range(2 * MAX_LEAD // SKIP):
        sequence.refused(sequence.take())
    assert sequence.take() <= MAX_LEAD + 2 * SKIP


def test_the_sequence_ends_and_does_not_come_round():
    sequence = SenderSequence(Clock((2**32 - 2) / 16))
    assert sequence.take() == 2**32 - 1
    sequence.refused(2**32 - 1)
    with pytest.raises(SequenceUsedUpError, match="another sender"):
        sequence.take()


def test_all_credentials_of_a_sender_share_the_process_s_sequence():
    one, two, other = Credentials(900, 1, KEY), Credentials(900, 1, KEY), Credentials(900, 2, KEY)
    header = Header(Kind.REQUEST, 1)
    assert one.authenticate(header).sequence < two.authenticate(header).sequence
    assert one.sequence is two.sequence
    assert one.sequence is not other.sequence


def test_a_proof_is_of_the_header_with_the_next_number():
    header = Header(Kind.REQUEST, 1, tenant=7)
    credentials = Credentials(7, 3, KEY, SenderSequence(Clock(0.0)))
    assert credentials.authenticate(header) == authenticate(KEY, header, 3, 1)


@pytest.mark.parametrize(
    ("tenant", "sender", "text"), [(1 << 16, 0, "tenant"), (-1, 0, "tenant"), (7, 256, "sender")]
)
def test_impossible_credentials_are_refused(tenant, sender, text):
    with pytest.raises(ValueError, match=text):
        Credentials(tenant, sender, KEY)
