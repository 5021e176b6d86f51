"""Choose what to train on, bring your own, and look at it before anything is trained."""

from ui import stage
from ui.bringing import page

page.show(stage.show())
