"""Keccak-256 as Ethereum's Solidity uses it (padding 0x01, not NIST SHA-3's 0x06), for many messages at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

_RATE = 136  # bytes absorbed per permutation: 1600 bits less twice the 256 of the digest
_LANES = _RATE // 8
_BATCH = 2048  # messages side by side: measured, per-call overhead against cache misses
_BATCH_BYTES = 32_000_000

_ROUND_CONSTANTS = (
    0x0000000000000001, 0x0000000000008082, 0x800000000000808A, 0x8000000080008000, 0x000000000000808B, 0x0000000080000001,
    0x8000000080008081, 0x8000000000008009, 0x000000000000008A, 0x0000000000000088, 0x0000000080008009, 0x000000008000000A,
    0x000000008000808B, 0x800000000000008B, 0x8000000000008089, 0x8000000000008003, 0x8000000000008002, 0x8000000000000080,
    0x000000000000800A, 0x800000008000000A, 0x8000000080008081, 0x8000000000008080, 0x0000000080000001, 0x8000000080008008,
)  # fmt: skip


def _rotations_and_targets() -> tuple[list[int], list[int]]:
    """Return per lane x + 5y its rotation (rho), and per target lane the lane that moves there (pi)."""
    rotation = [0] * 25
    x, y = 1, 0
    for t in range(24):
        rotation[x + 5 * y] = (t + 1) * (t + 2) // 2 % 64
        x, y = y, (2 * x + 3 * y) % 5
    origin = [0] * 25
    for x in range(5):
        for y in range(5):
            origin[y + 5 * ((2 * x + 3 * y) % 5)] = x + 5 * y
    return rotation, origin


_ROTATION, _ORIGIN = _rotations_and_targets()
_LEFT = np.array(_ROTATION, np.uint64)[:, None]
_RIGHT = np.array([64 - r for r in _ROTATION], np.uint64)[:, None]  # numpy defines a shift by 64 as 0, as lane 0 needs
# chi looks two lanes ahead in its row: rows are laid out with their first two lanes repeated at the end
_ROWS_OF_SEVEN = np.array([_ORIGIN[5 * y + x % 5] for y in range(5) for x in range(7)])
_ONE, _SIXTY_THREE = np.uint64(1), np.uint64(63)
Words = npt.NDArray[np.uint64]


class _Permutation:
    """Keccak-f[1600] on the columns of a (25, n) state, with its temporaries allocated once."""

    def __init__(self, n: int) -> None:
        self._parity = np.empty((7, n), np.uint64)
        self._effect = np.empty((5, n), np.uint64)
        self._low = np.empty((25, n), np.uint64)
        self._high = np.empty((25, n), np.uint64)
        self._rows = np.empty((35, n), np.uint64)
        self._chi = np.empty((5, 5, n), np.uint64)

    def __call__(self, state: Words) -> None:
        planes = state.reshape(5, 5, -1)
        rows = self._rows.reshape(5, 7, -1)
        parity, effect, low, high, chi = self._parity, self._effect, self._low, self._high, self._chi
        for constant in _ROUND_CONSTANTS:
            np.bitwise_xor.reduce(planes, axis=0, out=parity[1:6])
            parity[0], parity[6] = parity[5], parity[1]
            np.left_shift(parity[2:7], _ONE, out=effect)
            effect |= parity[2:7] >> _SIXTY_THREE
            effect ^= parity[0:5]
            planes ^= effect
            np.left_shift(state, _LEFT, out=low)
            np.right_shift(state, _RIGHT, out=high)
            low |= high
            np.take(low, _ROWS_OF_SEVEN, axis=0, out=self._rows, mode="clip")
            np.invert(rows[:, 1:6], out=chi)
            chi &= rows[:, 2:7]
            np.bitwise_xor(rows[:, :5], chi, out=planes)
            state[0] ^= np.uint64(constant)


def keccak256(messages: Sequence[bytes]) -> list[str]:
    """Return the Keccak-256 digest of each message as 64 hexadecimal digits.

    Keccak team, "The Keccak reference", version 3.0; messages are sorted by length so that a batch permutes together.
    """
    blocks = np.array([len(m) // _RATE + 1 for m in messages], np.int64)
    order = np.argsort(-blocks, kind="stable")
    digests: list[str] = [""] * len(messages)
    first = 0
    while first < len(order):
        size = max(1, min(_BATCH, _BATCH_BYTES // (int(blocks[order[first]]) * _RATE)))
        batch = order[first : first + size]
        hashed = _hash_batch([messages[i] for i in batch.tolist()], blocks[batch])
        for index, digest in zip(batch.tolist(), hashed):
            digests[index] = digest
        first += size
    return digests


def _hash_batch(messages: list[bytes], blocks: npt.NDArray[np.int64]) -> list[str]:
    """Hash messages whose block counts descend: the active ones are always the first columns."""
    longest = int(blocks[0])
    padded = bytearray()
    for message, count in zip(messages, blocks.tolist()):
        block_end = count * _RATE
        chunk = bytearray(longest * _RATE)
        chunk[: len(message)] = message
        chunk[len(message)] = 0x01
        chunk[block_end - 1] |= 0x80
        padded += chunk
    words: Any = np.frombuffer(padded, "<u8").reshape(len(messages), longest, _LANES)
    state: Words = np.zeros((25, len(messages)), np.uint64)
    digest: Words = np.empty((4, len(messages)), np.uint64)
    active, permute = len(messages), _Permutation(len(messages))
    for block in range(longest):
        now = int(np.searchsorted(-blocks, -block, side="left"))  # messages with more than `block` blocks
        if now < active:
            digest[:, now:active] = state[:4, now:active]
            state = np.ascontiguousarray(state[:, :now])
            permute, active = _Permutation(now), now
        state[:_LANES] ^= words[:active, block, :].T
        permute(state)
    digest[:, :active] = state[:4]
    text = np.ascontiguousarray(digest.T).astype("<u8").tobytes().hex()
    return [text[64 * i : 64 * i + 64] for i in range(len(messages))]
