"""Your runs: name, find, compare, open and delete them; take them elsewhere."""

from ui import stage
from ui.keeping import page

page.show(stage.show())
