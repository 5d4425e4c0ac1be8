"""Keccak-256 as Ethereum's Solidity uses it (padding 0x01, not NIST SHA-3's 0x06), for many messages at once."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from typing import Any

import numpy as np
import numpy.typing as npt

_RATE = 136  # bytes absorbed per permutation: 1600 bits less twice the 256 of the digest
_LANES = _RATE // 8
_BATCH = 4096  # messages side by side: measured, per-call overhead against cache misses
_WORTH_A_THREAD = 512  # messages; fewer are hashed sooner than a thread starts
_UFUNC_BUFFER = 1024  # no longer than a usual batch, see `_hash_batch`

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
_LEFT = np.array([1 << r for r in _ROTATION], np.uint64)[:, None]  # factors: to multiply is faster than to shift
_RIGHT = np.array([64 - r for r in _ROTATION], np.uint64)[:, None]  # numpy defines a shift by 64 as 0, as lane 0 needs
# chi looks two lanes ahead in its row: rows are laid out with their first two lanes repeated at the end
_ROWS_OF_SEVEN = np.array([_ORIGIN[5 * y + x % 5] for y in range(5) for x in range(7)])
_ONE, _SIXTY_THREE = np.uint64(1), np.uint64(63)
_CONSTANTS = [np.uint64(constant) for constant in _ROUND_CONSTANTS]
_PADDING = [b""] + [(1 | 0x80 << 8 * (gap - 1)).to_bytes(gap, "little") for gap in range(1, _RATE + 1)]  # by missing bytes
Words = npt.NDArray[np.uint64]


class _Sponges:
    """The states of n messages as the columns of a (25, n) array, with the permutation's temporaries and views made once."""

    def __init__(self, state: Words) -> None:
        n = state.shape[1]
        self.state, self._planes, self._lane = state, state.reshape(5, 5, n), state[0]
        self._parity = np.empty((7, n), np.uint64)  # of columns -1, 0, ..., 5
        self._effect, self._carry = np.empty((5, n), np.uint64), np.empty((5, n), np.uint64)
        self._low, self._high = np.empty((25, n), np.uint64), np.empty((25, n), np.uint64)
        self._rows = np.empty((35, n), np.uint64)

    def permute(self) -> None:
        """Apply Keccak-f[1600] to every column."""
        state, planes, parity, effect, carry = self.state, self._planes, self._parity, self._effect, self._carry
        low, high, rows, chi = self._low, self._high, self._rows.reshape(5, 7, -1), self._low.reshape(5, 5, -1)
        columns, left, right = parity[1:6], parity[:5], parity[2:]
        here, ahead, far = rows[:, :5], rows[:, 1:6], rows[:, 2:]
        for constant in _CONSTANTS:
            np.bitwise_xor.reduce(planes, 0, None, columns)
            parity[0], parity[6] = parity[5], parity[1]
            np.left_shift(right, _ONE, effect)
            np.right_shift(right, _SIXTY_THREE, carry)
            np.bitwise_or(effect, carry, effect)
            np.bitwise_xor(effect, left, effect)
            np.bitwise_xor(planes, effect, planes)
            np.multiply(state, _LEFT, low)
            np.right_shift(state, _RIGHT, high)
            np.bitwise_or(low, high, low)
            low.take(_ROWS_OF_SEVEN, 0, self._rows, "clip")
            np.invert(ahead, chi)
            np.bitwise_and(chi, far, chi)
            np.bitwise_xor(here, chi, planes)
            np.bitwise_xor(self._lane, constant, self._lane)


def keccak256(messages: Sequence[bytes]) -> list[str]:
    """Return the Keccak-256 digest of each message as 64 hexadecimal digits, computed on all cores.

    Keccak team, "The Keccak reference", version 3.0; messages are sorted by length so that a batch permutes together.
    """
    longest_first = sorted(range(len(messages)), key=lambda i: -len(messages[i]))
    threads = min(os.cpu_count() or 1, len(messages) // _WORTH_A_THREAD) or 1
    parts = threads * -(-len(messages) // (threads * _BATCH))
    batches = [longest_first[first::parts] for first in range(parts)]  # each has its share of the long ones
    digests = [""] * len(messages)
    with ThreadPoolExecutor(threads, thread_name_prefix="epoch-keccak") if threads > 1 else nullcontext() as pool:
        every = map if pool is None else pool.map
        for batch, hashed in zip(batches, every(_hash_batch, ([messages[i] for i in batch] for batch in batches))):
            for index, digest in zip(batch, hashed):
                digests[index] = digest
    return digests


def _hash_batch(messages: list[bytes]) -> list[str]:
    """Hash messages whose lengths descend: the active ones are always the first columns."""
    # numpy would copy an operand that is repeated along a row as often as rows fit into its buffer; the setting is the thread's own
    before = np.setbufsize(_UFUNC_BUFFER)
    try:
        return _absorb_and_squeeze(messages)
    finally:
        np.setbufsize(before)


def _absorb_and_squeeze(messages: list[bytes]) -> list[str]:
    padded = b"".join([part for message in messages for part in (message, _PADDING[_RATE - len(message) % _RATE])])
    words: Any = np.frombuffer(padded, "<u8").reshape(-1, _LANES)
    blocks = np.array([len(message) // _RATE + 1 for message in messages], np.int64)
    first = np.cumsum(blocks) - blocks
    sponges, digest = _Sponges(np.zeros((25, len(messages)), np.uint64)), np.empty((4, len(messages)), np.uint64)
    active = len(messages)
    for block in range(int(blocks[0])):
        now = int(np.searchsorted(-blocks, -block, side="left"))  # messages with more than `block` blocks
        if now < active:
            digest[:, now:active] = sponges.state[:4, now:]
            sponges, active = _Sponges(np.ascontiguousarray(sponges.state[:, :now])), now
        sponges.state[:_LANES] ^= words[first[:now] + block].T
        sponges.permute()
    digest[:, :active] = sponges.state[:4]
    text = np.ascontiguousarray(digest.T).astype("<u8").tobytes().hex()
    return [text[64 * i : 64 * i + 64] for i in range(len(messages))]
