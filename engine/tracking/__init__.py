"""Programs that follow runs: `tracker(story, **settings) -> file or words where it is now`.

An entry's facts: `title`; `gives`, whether it makes a `file` or puts the run in a `place`; `file`,
what the file is called; `alone`, whether it works without a server's address. Libraries are
imported when they are needed, and said to be missing then.
"""

from __future__ import annotations

from engine.tables import Table

trackers = Table("tracker", "engine.tracking")
PACKAGES = "requirements-tracking.txt"
