"""What the distance of two maps is at least, for all pairs of many maps at the price of matrix products.

Per weight, with u = log(p / q), the Jensen-Shannon divergence of p and q in bits is the sum of
sqrt(pq) (cosh(u/2) - k(u)), k(u) = cosh(u/2) h(1 / (1 + exp u)), h the binary entropy in bits. k is 1 at 0
and falls to 0, and for every u

    1 - k(u) >= sum over j of SHARES[j] (1 - cos(FREQUENCIES[j] u)),

so that the divergence is at least half the squared Euclidean distance of two vectors, those with the parts
sqrt(p) sqrt(1 - sum of SHARES), sqrt(p) sqrt(SHARES[j]) cos(FREQUENCIES[j] log p), and the same with sin.
Without any frequency this is the squared Hellinger distance; with these two the root of the bound is nowhere
less than 99.7 % of the distance. (That the divergence is the squared distance of infinitely many such parts:
Fuglede and Topsoe 2004; that few come close: Vedaldi and Zisserman 2012.)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import numpy.typing as npt

from tb_llmdebug.stats.distance import Floats, PreparedMap

FREQUENCIES = np.array([0.4, 0.98], np.float32)
SHARES = np.array([0.4088, 0.0451], np.float32)
"""almost the largest for which the inequality holds"""
ROUNDING = 1e-5
"""of a squared distance of two vectors in float32, over the larger of their squared lengths"""
NOISE = 1e-6
"""of a distance, from the rounding of the vectors themselves: their lengths are at most 1"""
DECODED = 1 << 22
"""weights of all maps together that are decoded at once: 16 MiB"""
TURNED = 1 << 17
"""weights that are turned into the vectors' parts at once, five of each"""


def lower_bounds(maps: Sequence[PreparedMap], some: slice = slice(None)) -> npt.NDArray[np.float64]:
    """Return what the distance of each pair is at least, float64 [some of the maps, maps].

    Args:
        maps: of one shape.
        some: for which of them; all at once if not given.

    Returns:
        NaN for a pair of which no row counts in both.
    """
    used = np.array([one.used for one in maps])
    plain = used & ~np.array([one.odd for one in maps])
    total = np.zeros((len(maps[some]), len(maps)))
    for row, pieces in enumerate(_rows(maps, plain)):
        least = _row_bounds(pieces, len(maps), some)
        # Nothing is known of what is no distribution.
        unknown = ~plain[:, row]
        least[unknown[some]] = least[:, unknown] = 0
        total += least
    shared = used[some].astype(np.float32) @ used.T.astype(np.float32)
    with np.errstate(invalid="ignore"):
        total /= shared
    total[shared == 0] = np.nan
    return total


def _rows(maps: Sequence[PreparedMap], plain: npt.NDArray[np.bool_]) -> Iterator[Iterable[Floats]]:
    """Yield each row as pieces float32 [maps, some keys]; what is no distribution is 0."""
    rows, keys = maps[0].shape
    at_once = DECODED // max(1, len(maps) * keys)
    wide = keys if at_once else max(1, DECODED // len(maps))
    at_once = min(rows, max(1, at_once))
    block = np.empty((len(maps), at_once, wide), np.float32)
    for first in range(0, rows, at_once):
        some = range(first, min(first + at_once, rows))
        if wide < keys:
            yield _wide_row(maps, plain, first, block)
            continue
        _decode(maps, plain, some, slice(0, keys), block)
        for place in range(len(some)):
            yield _pieces(block[:, place])


def _wide_row(
    maps: Sequence[PreparedMap], plain: npt.NDArray[np.bool_], row: int, block: Floats
) -> Iterator[Floats]:
    """Yield one row that is not decoded at once, as `_rows` does."""
    keys, wide = maps[0].shape[1], block.shape[2]
    for key in range(0, keys, wide):
        some = slice(key, min(key + wide, keys))
        _decode(maps, plain, range(row, row + 1), some, block)
        yield from _pieces(block[:, 0, : some.stop - key])


def _decode(
    maps: Sequence[PreparedMap], plain: npt.NDArray[np.bool_], rows: range, keys: slice, block: Floats
) -> None:
    """Put rows and keys of each map at the beginning of `block`, float32 [maps, rows, keys]."""
    for one, place, here in zip(maps, block, plain[:, rows.start : rows.stop], strict=True):
        p = one.normalised(rows)[:, keys]
        np.copyto(place[: p.shape[0], : p.shape[1]], np.where(here[:, None], p, 0), casting="same_kind")


def _pieces(p: Floats) -> Iterator[Floats]:
    """Yield float32 [maps, some keys] of [maps, keys]."""
    at_once = max(1, TURNED // len(p))
    for first in range(0, p.shape[1], at_once):
        yield p[:, first : first + at_once]


def _row_bounds(pieces: Iterable[Floats], count: int, some: slice) -> Floats:
    """Return float32 [some of the maps, maps] for one row of each map."""
    lengths = np.zeros(count, np.float32)
    products = np.zeros((len(range(count)[some]), count), np.float32)
    for p in pieces:
        seen = np.flatnonzero(p.any(axis=0))
        if len(seen):
            vectors = _vectors(p[:, : seen[-1] + 1])
            lengths += np.einsum("ij,ij->i", vectors, vectors)
            products += vectors[some] @ vectors.T
    squares = lengths[some, None] + lengths
    squares /= 2
    squares -= products
    np.maximum(lengths[some, None], lengths, out=products)
    products *= np.float32(ROUNDING)
    squares -= products
    np.maximum(squares, 0, out=squares)
    np.sqrt(squares, out=squares)
    squares -= np.float32(NOISE)
    np.maximum(squares, 0, out=squares)
    return squares


def _vectors(p: Floats) -> Floats:
    """Return float32 [maps, parts], of float32 [maps, keys]."""
    angles = FREQUENCIES[:, None, None] * np.log(np.maximum(p, _TINY))
    scale = np.sqrt(SHARES)[:, None, None]
    constant = np.full((1, *p.shape), np.sqrt(1 - SHARES.sum()), np.float32)
    parts = np.concatenate([constant, scale * np.cos(angles), scale * np.sin(angles)]) * np.sqrt(p)
    vectors: Floats = np.concatenate(list(parts), axis=1)
    # Rounding is of the size of what is multiplied: the less the better.
    vectors -= vectors.mean(axis=0)
    return vectors


_TINY = np.finfo(np.float32).tiny
