"""Trackio: the run's parameters and curves, on this machine or on a server."""

from __future__ import annotations

import contextlib
import io
from typing import Annotated, Any

from engine.forms import Text
from engine.optional import need
from engine.tracking import PACKAGES, trackers
from engine.tracking.story import Story


@trackers.add("trackio", title="Trackio", gives="place", alone=True)
def trackio(
    story: Story,
    *,
    server: Annotated[
        str,
        Text(
            200,
            help="The address with its write_token that `trackio show` prints; empty: this machine",
        ),
    ] = "",
    project: Annotated[str, Text(80, help="The project it goes into")] = "orrery",
) -> str:
    """Put the run into a trackio project: parameters and curves.

    Raises:
        ValueError: The package is missing, or the server does not take it.
    """
    package: Any = need("trackio", "Trackio", PACKAGES)
    said = io.StringIO()  # it talks to a terminal, which there may not be
    with contextlib.redirect_stdout(said):
        try:
            run = package.init(
                project=project,
                name=f"{story.run.name} ({story.run.id[:6]})",
                server_url=server or None,
                config={**story.parameters, "orrery_run": story.run.id},
                embed=False,
                auto_log_cpu=False,
                auto_log_gpu=False,
            )
            for point in story.points:
                run.log(dict(point.values), step=point.step)
            run.log({f"final/{name}": value for name, value in story.figures.items()})
            run.finish()
        except (OSError, RuntimeError, ValueError) as error:
            words = str(error).partition("\n")[0][:300]
            raise ValueError(
                f"Trackio at {server.partition('?')[0] or 'this machine'}: {words}"
            ) from error
    where = server.partition("?")[0] or f"this machine; `trackio show --project {project}` shows it"
    return f"project {project!r} on {where}"
