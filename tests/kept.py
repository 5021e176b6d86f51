"""Runs to keep, quickly: folders as a training leaves them, and a real little training."""

import json
import secrets

from engine.store.home import run_folder

POINTS = "moons?size=60"
NETWORK = {
    "version": 1,
    "title": "Points",
    "nodes": [
        {"id": "point", "type": "Input", "params": {"shape": [2]}},
        {"id": "hidden", "type": "Linear", "params": {"out_features": 8}},
        {"id": "bend", "type": "Tanh"},
        {"id": "scores", "type": "Linear", "params": {"out_features": 2}},
    ],
    "edges": [["point", "hidden"], ["hidden", "bend"], ["bend", "scores"]],
    "outputs": ["scores"],
}


def folder(name="a run", owner="ada", state="finished", **record):
    """A run's folder with nothing but words in it; its id."""
    id = secrets.token_urlsafe(16)
    place = run_folder(id)
    place.mkdir(parents=True)
    told = {"id": id, "title": name, "owner": owner, "state": state}
    told |= {
        "entry": "engine.training.run:train",
        "settings": {},
        "created": 1000.0,
        "ended": 1012.5,
        **record,
    }
    (place / "run.json").write_text(json.dumps(told))
    (place / "spec.json").write_text(json.dumps(NETWORK))
    (place / "settings.json").write_text(json.dumps({"data": POINTS, "seed": 3}))
    summary = {"accuracy": 0.875, "loss": 0.25, "steps": 12, "epochs": 2, "parameters": 30}
    (place / "summary.json").write_text(json.dumps(summary))
    return id


def trained(name="a run", owner="ada", *, turned=None, **settings):
    """A real training of a few steps, kept as the board keeps one; its id."""
    from engine.training.run import train  # torch takes a while: not for tests without it

    id = folder(name, owner)
    chosen = {"epochs": 4, "batch_size": 8, "seed": 1, **settings}
    run = train(NETWORK, POINTS, folder=run_folder(id), **chosen)
    for step, frame in enumerate(run):
        assert frame
        if turned and step == 10:
            run.send(turned)
    return id


def adopted():
    """A model that was not trained here; its id."""
    from engine.models.adopt import adopt

    return adopt(NETWORK, data=POINTS)
