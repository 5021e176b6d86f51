"""The curriculum: all topics, or the one in the address: `/labs?lab=optimisation.step_size`."""

import streamlit as st

from ui import components, progress, streamlit_face
from ui.atlas import topics
from ui.shelf import shelf
from ui.visitor import visitor

cards = shelf()
wanted = st.query_params.get("lab", "")
card = cards.find(wanted)
if card is not None:
    st.page_link("labs.py", label="All topics", icon=":material/arrow_back:")
    if card.broken:
        streamlit_face.broken(card)
    else:
        progress.mark(visitor(), card.id, "opened")
        streamlit_face.show(card, cards)
else:
    if wanted:
        st.warning(f"There is no lab called {wanted!r:.80}; here are all there are.")
    st.title("The curriculum")
    sent = components.atlas(topics(cards, progress.done(visitor())), key="labs.atlas")
    if chosen := streamlit_face.sent_open(sent):
        st.query_params["lab"] = chosen
        st.rerun()
