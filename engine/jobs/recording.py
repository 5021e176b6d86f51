"""A run to look back on: some of its frames, evenly spread from the first to the last."""

from __future__ import annotations

from engine.jobs.pipe import News, unpacked
from engine.views import Frame


class Recording:
    """Every k-th frame; k doubles whenever there are too many.

    Frames are kept as the pickles they came in and opened when they are looked at.

    Args:
        most: How many frames are kept at most.
        size: How many bytes they may take.
    """

    def __init__(self, most: int, size: int) -> None:
        self._most, self._size = most, size
        self._kept: list[bytes] = []
        self._newest = b""
        self._taken = 0
        self._stride = 1
        self._seen = 0

    def add(self, news: bytes) -> None:
        """Take in one more frame, pickled within its `News`."""
        self._newest = news
        if self._seen % self._stride == 0:
            self._kept.append(news)
            self._taken += len(news)
            if len(self._kept) > self._most or (self._taken > self._size and len(self._kept) > 1):
                self._kept = self._kept[::2]
                self._taken = sum(map(len, self._kept))
                self._stride *= 2
        self._seen += 1

    def frames(self) -> list[Frame]:
        """The frames kept, oldest first, and the newest."""
        kept = list(self._kept)
        if self._newest and (not kept or kept[-1] is not self._newest):
            kept.append(self._newest)
        opened: list[News] = [unpacked(one) for one in kept]
        return [news.frame for news in opened if news.frame is not None]
