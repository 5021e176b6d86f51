"""Generate: sample a generative model, train one, and watch its distribution form."""

from ui.generating import page

page.show()
