"""Interactive runs on a trained generative model: `<kind>.py` has the one for families of a kind.

A study is a generator like any run, `study(model, **live controls)`, where `model` is what
`engine.generate.kept.open_kept` takes. It shows samples at once and waits for a control.
"""
