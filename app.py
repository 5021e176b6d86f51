"""The playground's server: Streamlit at /, Gradio at /demos, live sockets at /live, an API at /api.

Start it with `make run`, with `python app.py`, or with any ASGI server: `uvicorn app:app`.
"""

from __future__ import annotations

import os
from pathlib import Path

HERE = Path(__file__).resolve().parent
os.chdir(HERE)  # Streamlit looks for .streamlit/config.toml here
if os.environ.get("SPACE_ID"):  # a Space shows the page inside an iframe of another origin
    os.environ.setdefault("STREAMLIT_SERVER_ENABLE_XSRF_PROTECTION", "false")

import streamlit as st
import uvicorn

from ui import mishap
from ui.door import listen
from ui.server import lifespan, middleware, routes

app = st.App(
    HERE / "pages" / "shell.py",
    routes=routes(),
    middleware=middleware(),
    lifespan=lifespan,
    on_script_error=mishap.tell,
)


def main() -> None:
    """Serve on PORT (8501) of HOST (this machine only)."""
    host, port = os.environ.get("HOST", "127.0.0.1"), int(os.environ.get("PORT", "8501"))
    shown = "localhost" if host in {"127.0.0.1", "0.0.0.0"} else host  # noqa: S104 - only printed
    door = listen(host, port)
    print(f"Orrery is at http://{shown}:{port}  (Ctrl+C ends it)", flush=True)  # noqa: T201
    config = uvicorn.Config(
        app, ws="websockets-sansio", ws_per_message_deflate=False, log_level="warning"
    )
    uvicorn.Server(config).run(sockets=[door])


if __name__ == "__main__":
    main()
