"""Interactive runs on a trained generative model: one for each kind of family.

A study is a generator like any run: `study(model, **live controls)`, where `model` is what
`engine.generate.kept.open_kept` takes. It shows samples at once and waits for a control.
"""

STUDIES = {
    "adversarial": "engine.generate.studies.adversarial:study",
    "diffusion": "engine.generate.studies.diffusion:study",
    "latent": "engine.generate.studies.latent:study",
    "flow": "engine.generate.studies.flow:study",
    "pixels": "engine.generate.studies.pixels:study",
    "energy": "engine.generate.studies.energy:study",
    "translation": "engine.generate.studies.translation:study",
}
