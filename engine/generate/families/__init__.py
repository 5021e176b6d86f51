"""Families of generative models: `family(outline, networks, **settings) -> Generative`; a table.

An entry's facts: `title`; `kind`, which says what page of the studio shows it (adversarial,
translation, diffusion, latent, flow, pixels, energy); `plane` and `images`, what it can learn;
`labelled`, whether it is told classes; `parts`, the names of the parts for which a network of one's
own may stand (`networks`: part -> NetworkSpec in JSON); `suits`, with which `learning_rate`,
`batch_size` and `steps` it does well; of a translation `matched`, whether it needs pairs that
belong together.
"""

from __future__ import annotations

from collections.abc import Mapping

from engine.generate.model import Spec
from engine.tables import Table

families = Table("family of generative models", "engine.generate.families")

Networks = Mapping[str, Spec]
