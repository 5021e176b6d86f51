"""Pictures of one's own by class: a zip, a folder, or snapshots with the camera."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from engine.jobs import CallError, call
from engine.palette import CLASSES
from engine.store.projects import Project
from ui import project

KINDS = ["png", "jpg", "jpeg", "bmp", "gif", "webp"]
SIDES = [8, 16, 28, 32, 48, 64, 96, 128]
MOST_SHOTS = 300
SHOTS = "data.shots"

Files = Mapping[str, bytes]


def show(now: Project) -> None:
    """How the pictures come, how large they shall be, and what is in them."""
    way = st.segmented_control(
        "How do they come?", ["Zip", "Folder", "Camera"], default="Zip", required=True
    )
    files: bytes | Files | None
    if way == "Camera":
        files = _snapshots()
    elif way == "Folder":
        files = _folder()
    else:
        zipped = st.file_uploader("A zip with a folder for each class", type=["zip"])
        files = zipped.getvalue() if zipped else None
    if not files:
        st.caption("Each class is a folder: cat/1.jpg, cat/2.jpg, dog/1.jpg and so on.")
        return
    left, right = st.columns(2)
    side = left.select_slider("Side [pixel]", SIDES, 32)
    colour = right.radio("Colour", ["colour", "grey"], horizontal=True) == "colour"
    arguments = {"files": files, "side": side, "colour": colour}
    try:
        told: dict[str, Any] = call("engine.data.own_images:look", arguments, seconds=120)
    except CallError as error:
        st.error(str(error))
        return
    leave_out = _told(told)
    if st.button("Use these pictures", type="primary", disabled=len(told["classes"]) < 2):
        try:
            wanted = {**arguments, "leave_out": leave_out}
            words: str = call("engine.data.own_images:keep", wanted, seconds=120)
        except CallError as error:
            st.error(str(error))
            return
        if words != now.data:
            project.change(data=words)
            st.rerun()


def _told(told: Mapping[str, Any]) -> bool:
    """What was found; whether what cannot be read shall be left out."""
    counts = told["classes"]
    if counts:
        kinds = "1 class" if len(counts) == 1 else f"{len(counts)} classes"
        st.caption(f"{sum(counts.values()):,} pictures of {kinds}:")
        st.bar_chart(counts, horizontal=True, height=40 + 28 * len(counts), color=CLASSES[0])
    if told["passed"]:
        st.caption(f"{told['passed']} files of the system passed over.")
    if len(counts) < 2:
        st.info("Two classes are needed: bring pictures of another one.")
    if not told["bad"]:
        return False
    lines = "\n".join(f"- `{name}` {why}" for name, why in told["bad"])
    more = told["bad_in_all"] - len(told["bad"])
    files = "file" if told["bad_in_all"] == 1 else "files"
    st.warning(
        f"{told['bad_in_all']} {files} cannot be read:\n{lines}"
        + f"\n- and {more} more" * (more > 0)
    )
    return st.toggle("Leave them out", key="data.images.leave")


def _folder() -> Files | None:
    """All pictures of a folder and the folders in it, under the names they have there."""
    given = st.file_uploader(
        "A folder with a folder for each class", type=KINDS, accept_multiple_files="directory"
    )
    return {file.name.replace("\\", "/"): file.getvalue() for file in given} or None


def _snapshots() -> Files | None:
    """Pictures taken here and now, each for the class that is chosen."""
    shots: dict[str, list[bytes]] = st.session_state.setdefault(SHOTS, {})
    name = st.text_input(
        "Class", max_chars=30, placeholder="What is in the picture?", key="data.shot.class"
    )
    if not name.strip():
        st.caption("Name a class, then take some pictures of it; then name the next one.")
    else:
        photo = st.camera_input(f"A picture for {name.strip()}")
        if photo is not None and st.session_state.get("data.shot.last") != photo.file_id:
            st.session_state["data.shot.last"] = photo.file_id
            if sum(map(len, shots.values())) < MOST_SHOTS:
                shots.setdefault(name.strip().replace("/", " "), []).append(photo.getvalue())
    if not shots:
        return None
    st.caption(", ".join(f"{len(taken)} of {one}" for one, taken in shots.items()))
    with st.container(horizontal=True):
        if st.button("Take the last one back", disabled=name.strip() not in shots):
            shots[name.strip()].pop()
            if not shots[name.strip()]:
                del shots[name.strip()]
            st.rerun()
        if st.button("Begin anew"):
            shots.clear()
            st.rerun()
    return {f"{one}/{n}.jpg": taken for one, some in shots.items() for n, taken in enumerate(some)}
