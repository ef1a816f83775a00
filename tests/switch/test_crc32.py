"""CRC-32 over whole words, with the processor's carry-less multiplication and without, against zlib's."""

import random
import subprocess
import zlib
from pathlib import Path
from typing import Any

import cffi
import pytest

from switch.build import RUNTIME, compiler
from switch.generate.crc32 import carries

MOST_WORDS = 12

SOURCE = """
#include "hash.h"
uint32_t crc_of(const uint64_t *w, const uint64_t *by, unsigned n) { return crc32_words(w, by, n); }
"""
DECLARATION = "uint32_t crc_of(const uint64_t *w, const uint64_t *by, unsigned n);"


def build(directory: Path, flag: str) -> Path:
    """hash.h as a library, compiled for this processor and with `flag`."""
    (directory / "crc.c").write_text(SOURCE)
    command = [*compiler(), "-std=gnu11", "-O2", "-march=native", flag, "-shared", "-fPIC", f"-I{RUNTIME}"]
    units = [str(directory / "crc.c"), str(RUNTIME / "hash.c")]
    subprocess.run([*command, "-o", str(directory / "crc.so"), *units], check=True, timeout=60)
    return directory / "crc.so"


@pytest.mark.parametrize("flag", ["-O3", "-U__PCLMUL__"], ids=["this processor's", "portable"])
def test_crc_of_words_is_that_of_their_bytes(tmp_path: Path, flag: str) -> None:
    ffi: Any = cffi.FFI()
    ffi.cdef(DECLARATION)
    library = ffi.dlopen(str(build(tmp_path, flag)))
    draw = random.Random(1)
    for count in range(1, MOST_WORDS + 1):
        data = draw.randbytes(8 * count)
        words = [int.from_bytes(data[at : at + 8], "little") for at in range(0, len(data), 8)]
        words[0] ^= 0xFFFFFFFF  # the state that a CRC begins with
        crc = library.crc_of(ffi.new("uint64_t[]", words), ffi.new("uint64_t[]", carries(count)), count)
        assert crc ^ 0xFFFFFFFF == zlib.crc32(data)
