import pytest

from cfn.function import Function, function
from cfn.names import func_id
from tests.cfn.sample_functions import echo, pure_size, size, threaded


def test_a_decorated_function_has_a_name_and_can_still_be_called():
    assert isinstance(echo, Function)
    assert (echo.name, echo.func_id, echo.runs) == ("test/echo", func_id("test/echo"), "process")
    assert threaded.runs == "thread"
    assert (size.pure, pure_size.pure) == (False, True)
    assert echo(b"x") == b"x"


def test_a_name_that_is_none_is_refused_where_it_is_written():
    with pytest.raises(ValueError, match="namespace/function"):
        function("echo")
