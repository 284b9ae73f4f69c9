"""Sessions of texts read before, so that a text that goes on costs only its new words."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence

import numpy as np

from nextword.inference.session import Session
from nextword.inference.threads import one_blas_thread

BLOCK = 16
"""Words read in one call; the rest of a text is read word by word. Every text is cut so, whatever
was read before, since the last bit of a sum depends on how many words are read at once."""
RECENT_BLOCKS = 4
"""The session is kept after each of this many blocks at the end of a text."""
EARLIER_BLOCKS = 16
"""Before those, the session is kept after one block in so many."""
_ID_BYTES = 8


class StateCache:
    """Sessions by the words that they have read; threads may share it.

    The answers of a session are those of a new one that has read the same words, bit for bit, as
    long as BLAS uses one thread.

    Args:
        begin: a new session at the beginning of a text.
        most_bytes: memory of the sessions kept, at most; those used least recently are dropped.
    """

    def __init__(self, begin: Callable[[], Session], most_bytes: int) -> None:
        self._beginning = begin()
        self._most_bytes = most_bytes
        self._kept: OrderedDict[bytes, Session] = OrderedDict()
        self._lock = threading.Lock()
        self.nbytes = 0
        """Memory of the sessions kept."""
        self.hits = 0
        """Texts whose session was there."""
        self.misses = 0
        """Texts that had to be read, or read on."""

    def __len__(self) -> int:
        return len(self._kept)

    def after(self, ids: Sequence[int]) -> Session:
        """A session that has read a text; others share it, so read on only in a fork.

        Args:
            ids: the text's words.
        """
        ends = _ends(len(ids))
        keys = _keys(ids, ends)
        session, known = self._longest(keys)
        blocks = len(ids) // BLOCK
        for place in range(known, len(ends)):
            start = ends[place - 1] if place else 0
            session = session.fork()
            with one_blas_thread():
                session.read_ids(ids[start : ends[place]])
            if place >= blocks - RECENT_BLOCKS or (place + 1) % EARLIER_BLOCKS == 0:
                session = self._keep(keys[place], session)
        return session

    def _longest(self, keys: Sequence[bytes]) -> tuple[Session, int]:
        """The session of the longest known beginning, and its number of pieces."""
        with self._lock:
            for place in range(len(keys) - 1, -1, -1):
                session = self._kept.get(keys[place])
                if session is not None:
                    self._kept.move_to_end(keys[place])
                    break
            else:
                session, place = self._beginning, -1
            known = place + 1
            self.hits += 0 < known == len(keys)
            self.misses += known < len(keys)
            return session, known

    def _keep(self, key: bytes, session: Session) -> Session:
        """Keep a session, or return its equal that another thread was quicker to keep."""
        with self._lock:
            if (kept := self._kept.get(key)) is not None:
                return kept
            self._kept[key] = session
            self.nbytes += session.nbytes
            while self.nbytes > self._most_bytes and self._kept:
                _, dropped = self._kept.popitem(last=False)
                self.nbytes -= dropped.nbytes
            return session


def _ends(words: int) -> list[int]:
    """Where the pieces end in which a text of so many words is read: blocks, then single words."""
    whole = words // BLOCK * BLOCK
    return [*range(BLOCK, whole + 1, BLOCK), *range(whole + 1, words + 1)]


def _keys(ids: Sequence[int], ends: Sequence[int]) -> list[bytes]:
    """By what the text up to each end is known: a digest of its words."""
    content = np.array(ids, dtype=np.int64).tobytes()
    digest = hashlib.blake2b(digest_size=16)
    keys, start = [], 0
    for end in ends:
        digest.update(content[_ID_BYTES * start : _ID_BYTES * end])
        keys.append(digest.digest())
        start = end
    return keys
