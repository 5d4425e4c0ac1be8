"""Hashes, canonical texts and ids, against published vectors, hashlib's sponge and exact decimal arithmetic."""

import decimal
import hashlib
import json
import random
import uuid

import numpy as np
import pytest

from epoch_plugin.core.collections.canonical_text import micro_degrees, point_text, polygon_texts
from epoch_plugin.core.collections.ids import CollectionIdBuilder, canonical_text, geometry_hash, plot_uuid, plot_uuids
from epoch_plugin.core.collections.keccak import keccak256
from epoch_plugin.core.collections.shapes import multipolygon_wkb, point_wkb

PUBLISHED = {
    b"": "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470",
    b"abc": "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45",
    b"The quick brown fox jumps over the lazy dog": "4d741b6f1eb29cb2a9b9911c82f56fa8d73b04959d3d9d222895df6c0b28aa15",
}


def _sponge(message: bytes, padding: int) -> str:
    """A plain one-message sponge with rate 136, written from FIPS 202; padding 0x06 makes it hashlib's SHA3-256."""

    def rot(value, by):
        return ((value << by) | (value >> (64 - by))) & (2**64 - 1) if by else value

    def rounds():
        register = 1
        for _ in range(24):
            constant = 0
            for j in range(7):
                constant |= (register & 1) << ((1 << j) - 1)
                register = (register << 1) ^ (0x171 if register & 0x80 else 0)
            yield constant

    a = [[0] * 5 for _ in range(5)]
    data = bytearray(message) + bytes([padding])
    data += bytes(-len(data) % 136)
    data[-1] |= 0x80
    for start in range(0, len(data), 136):
        for i in range(17):
            a[i % 5][i // 5] ^= int.from_bytes(data[start + 8 * i : start + 8 * i + 8], "little")
        for constant in rounds():
            c = [a[x][0] ^ a[x][1] ^ a[x][2] ^ a[x][3] ^ a[x][4] for x in range(5)]
            a = [[a[x][y] ^ c[x - 1] ^ rot(c[(x + 1) % 5], 1) for y in range(5)] for x in range(5)]
            x, y, current = 1, 0, a[1][0]
            for t in range(24):
                x, y = y, (2 * x + 3 * y) % 5
                current, a[x][y] = a[x][y], rot(current, (t + 1) * (t + 2) // 2 % 64)
            a = [[a[x][y] ^ (~a[(x + 1) % 5][y] & a[(x + 2) % 5][y]) for y in range(5)] for x in range(5)]
            a[0][0] ^= constant
    return b"".join(a[i][0].to_bytes(8, "little") for i in range(4)).hex()


def test_published_keccak_vectors():
    assert keccak256(list(PUBLISHED)) == list(PUBLISHED.values())


def test_keccak_of_lengths_around_the_rate_equals_a_sponge_that_reproduces_sha3():
    rng = random.Random(7)
    messages = [rng.randbytes(n) for n in (1, 134, 135, 136, 137, 271, 272, 273, 407, 408, 1000, 135, 136, 5000)]
    for message in messages:
        assert _sponge(message, 0x06) == hashlib.sha3_256(message).hexdigest()
    assert keccak256(messages) == [_sponge(m, 0x01) for m in messages]


def test_keccak_does_not_depend_on_what_else_is_in_the_batch():
    rng = random.Random(8)
    messages = [rng.randbytes(rng.randrange(0, 900)) for _ in range(2500)]
    together = keccak256(messages)
    assert [together[i] for i in (0, 511, 512, 2047, 2048, 2499)] == [keccak256([messages[i]])[0] for i in (0, 511, 512, 2047, 2048, 2499)]
    assert keccak256([]) == []


def test_keccak_does_not_depend_on_threads_and_leaves_numpys_buffer_as_it_was(monkeypatch):
    rng = random.Random(9)
    messages = [rng.randbytes(rng.choice((0, 135, 136, 700, 9000))) for _ in range(1100)]
    before = np.getbufsize()
    answers = []
    for threads in (1, 2, 7):
        monkeypatch.setattr("os.cpu_count", lambda threads=threads: threads)
        answers.append(keccak256(messages))
    assert answers[0] == answers[1] == answers[2] == [_sponge(m, 0x01) for m in messages[:100]] + answers[0][100:]
    assert np.getbufsize() == before


def _exact(value: float) -> str:
    text = str(decimal.Decimal(value).quantize(decimal.Decimal("0.000001"), decimal.ROUND_HALF_UP))
    return text[1:] if text.startswith("-") and not text.strip("-0.") else text


def test_six_decimals_round_half_away_from_zero_on_the_exact_double():
    rng = random.Random(9)
    values = [0.0, -0.0, -0.0000004, 0.0000005, -0.0000005, 0.5**7, -(0.5**7), 2.5**-1 + 0.5**7, 179.9999995, -180.0, 1e-300]
    values += [round(rng.uniform(-180, 180), 7) for _ in range(20000)]  # a seventh decimal 5 is where naive scaling errs
    values += [k + 0.5**n for k in range(-180, 180, 7) for n in range(1, 30)]  # exact binary ties among them
    units = micro_degrees(np.array(values))
    for value, unit in zip(values, units.tolist()):
        assert unit == int(decimal.Decimal(_exact(value)).scaleb(6)), value
    for value in values[:11]:
        assert point_text(value, value) == f"POINT({_exact(value)} {_exact(value)})"


SQUARE = [(0, 0), (2, 0), (2, 2), (0, 2), (0, 0)]
HOLE_A = [(0.5, 0.5), (0.5, 1), (1, 1), (1, 0.5), (0.5, 0.5)]
HOLE_B = [(1.25, 1.25), (1.5, 1.25), (1.5, 1.5), (1.25, 1.5), (1.25, 1.25)]
FAR = [(-3, -3), (-3.5, -3), (-3.25, -2), (-3, -3)]
SQUARE_TEXT = "(0.000000 0.000000,2.000000 0.000000,2.000000 2.000000,0.000000 2.000000,0.000000 0.000000)"


def _ring(points, start=0, backwards=False):
    body = points[:-1]
    body = body[start:] + body[:start]
    body = body[::-1] if backwards else body
    return np.array([*body, body[0]], float)


def test_canonical_text_by_hand():
    assert polygon_texts([[[_ring(SQUARE)]]]) == [f"MULTIPOLYGON(({SQUARE_TEXT}))"]
    hole = "(0.500000 0.500000,0.500000 1.000000,1.000000 1.000000,1.000000 0.500000,0.500000 0.500000)"
    assert polygon_texts([[[_ring(SQUARE), _ring(HOLE_A)]]]) == [f"MULTIPOLYGON(({SQUARE_TEXT},{hole}))"]
    far = "(-3.500000 -3.000000,-3.000000 -3.000000,-3.250000 -2.000000,-3.500000 -3.000000)"
    assert polygon_texts([[[_ring(SQUARE)], [_ring(FAR)]]]) == [f"MULTIPOLYGON(({far}),({SQUARE_TEXT}))"]


def test_canonical_text_does_not_depend_on_start_direction_or_order():
    wanted = polygon_texts([[[_ring(SQUARE), _ring(HOLE_A), _ring(HOLE_B)], [_ring(FAR)]]])[0]
    for start in range(3):
        for backwards in (False, True):
            holes = [_ring(HOLE_B, start, backwards), _ring(HOLE_A, start, not backwards)]
            shape = [[_ring(FAR, start, backwards)], [_ring(SQUARE, start, backwards), *holes]]
            assert polygon_texts([shape])[0] == wanted
            assert canonical_text(multipolygon_wkb(shape)) == wanted


def test_canonical_text_where_rounding_makes_vertices_equal_or_areas_zero():
    # two vertices become the same smallest one; a ring collapses onto a line: still one text for every start and direction
    twins = [(0, 0), (4e-7, 0), (1, 0), (1, 1), (0, 0)]
    sliver = [(0, 0), (1, 0), (1, 4e-7), (0, 0)]
    for points in (twins, sliver):
        texts = {polygon_texts([[[_ring(points, s, b)]]])[0] for s in range(len(points) - 1) for b in (False, True)}
        assert len(texts) == 1
        assert "-0.000000" not in texts.pop()


def test_canonical_text_of_a_chunk_equals_that_of_each_alone():
    rng = np.random.default_rng(3)
    shapes = []
    for vertices in rng.integers(3, 60, 300):
        angles = np.sort(rng.uniform(0, 2 * np.pi, vertices))
        ring = np.column_stack([np.cos(angles), np.sin(angles)]) * 0.01 + rng.uniform([-179, -80], [179, 80])
        shapes.append([[np.concatenate([ring, ring[:1]])]])
    assert polygon_texts(shapes) == [polygon_texts([s])[0] for s in shapes]


def test_point_text_and_refusals():
    assert canonical_text(point_wkb(-5.1234565, 6.5)) == f"POINT({_exact(-5.1234565)} 6.500000)"
    with pytest.raises(ValueError, match="one point or for polygons"):
        canonical_text(b"\x01\x02\x00\x00\x00\x02\x00\x00\x00" + bytes(32))


def test_collection_id_and_uuid_are_the_contracts_formulas():
    rows = [("p1", "POINT(1.000000 2.000000)", json.dumps({"a": 1})), ("p2", "MULTIPOLYGON(...)", "{}")]
    builder = CollectionIdBuilder("Ma collection é")
    for row in rows:
        builder.add(*row)
    text = "Ma collection é\n" + "".join(f"{p}\t{t}\t{m}\n" for p, t, m in rows)
    assert builder.collection_id == "0x" + hashlib.sha256(text.encode()).hexdigest()
    namespace = uuid.UUID(builder.collection_id[2:34])
    assert plot_uuid(builder.collection_id, 2, rows[1][1]) == str(uuid.uuid5(namespace, "2\tMULTIPOLYGON(...)"))
    texts = [f"POINT({i}.000000 {-i}.500000)" for i in range(500)]  # every variant digit occurs
    assert list(plot_uuids(builder.collection_id, texts, 7)) == [str(uuid.uuid5(namespace, f"{i}\t{text}")) for i, text in enumerate(texts, 7)]
    assert geometry_hash(["abc"]) == ["0x" + PUBLISHED[b"abc"]]
