"""Says how much of the ledger has a lab: `python -m tools.coverage_of_ledger`."""

from __future__ import annotations

from collections import defaultdict

from demos.kit import Lab
from demos.ledger import ledger
from demos.shelf import shelf


def main() -> None:
    """A line a chapter, a line a wave, and what is missing of the wave in work."""
    covered = {topic for lab in shelf() if isinstance(lab, Lab) for topic in lab.covers}
    chapters: dict[tuple[int, str], list[bool]] = defaultdict(list)
    for topic in ledger().values():
        chapters[topic.wave, topic.chapter].append(topic.id in covered)
    for (wave, chapter), there in sorted(chapters.items()):
        if any(there) or wave == 1:
            print(f"wave {wave}  {chapter:<44} {sum(there):>3} of {len(there)}")
    for wave in (1, 2, 3):
        due = [topic.id for topic in ledger().values() if topic.wave == wave]
        print(f"wave {wave}: {len(covered & set(due))} of {len(due)} topics")
    missing = [t.id for t in ledger().values() if t.wave == 1 and t.id not in covered]
    if missing:
        print("missing of wave 1:", ", ".join(missing))


if __name__ == "__main__":
    main()
