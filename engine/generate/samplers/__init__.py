"""Ways from noise to samples for diffusion models; a table."""

from __future__ import annotations

from engine.tables import Table

samplers = Table("sampler", "engine.generate.samplers")
