"""The curriculum keeps what the ledger promises."""

from demos.kit import Lab
from demos.ledger import ledger
from demos.paths import PATHS
from demos.shelf import shelf

LABS = [entry for entry in shelf() if isinstance(entry, Lab)]


def test_the_ledger_has_all_its_topics():
    assert len(ledger()) == 393
    assert sum(topic.wave == 1 for topic in ledger().values()) == 106


def test_labs_cover_and_need_topics_of_the_ledger():
    named = {topic for lab in LABS for topic in (*lab.covers, *lab.needs)}
    assert named <= set(ledger())


def test_every_topic_of_the_first_wave_has_a_lab():
    covered = {topic for lab in LABS for topic in lab.covers}
    missing = [
        topic.id for topic in ledger().values() if topic.wave == 1 and topic.id not in covered
    ]
    assert not missing


def test_no_lab_needs_itself():
    for lab in LABS:
        assert not set(lab.needs) & set(lab.covers), lab.id


def test_a_lab_may_take_as_long_as_the_ledger_says_and_no_longer():
    for lab in LABS:
        allowed = sum(ledger()[topic].seconds for topic in lab.covers)
        assert lab.seconds <= max(1.0, allowed), lab.id


def test_paths_name_topics_of_the_ledger_or_of_later_waves():
    known = set(ledger())
    for title, topics in PATHS.items():
        unknown = [topic for topic in topics if topic not in known]
        assert not unknown, f"{title}: {unknown}"
        assert len(topics) == len(set(topics)), title
