"""The playground's server: Streamlit at /, Gradio at /demos, live sockets at /live, an API at /api.

Start it with `make run`, with `python app.py`, or with any ASGI server: `uvicorn app:app`.
"""

from __future__ import annotations

import os
from pathlib import Path

import streamlit as st

from ui import mishap
from ui.server import lifespan, middleware, routes

app = st.App(
    Path(__file__).parent / "pages" / "shell.py",
    routes=routes(),
    middleware=middleware(),
    lifespan=lifespan,
    on_script_error=mishap.tell,
)


def main() -> None:
    """Serve on PORT (8501) of HOST (this machine only)."""
    host, port = os.environ.get("HOST", "127.0.0.1"), int(os.environ.get("PORT", "8501"))
    shown = "localhost" if host in {"127.0.0.1", "0.0.0.0"} else host  # noqa: S104 - only printed
    print(f"Orrery is at http://{shown}:{port}  (Ctrl+C ends it)", flush=True)  # noqa: T201
    in_a_frame = bool(os.environ.get("SPACE_ID"))  # a Space shows the page inside an iframe
    app.run(
        config={
            "server.address": host,
            "server.port": port,
            "server.enableXsrfProtection": not in_a_frame,
        }
    )


if __name__ == "__main__":
    main()
