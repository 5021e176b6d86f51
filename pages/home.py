"""Where everybody arrives: a network already learning, and the way on."""

import streamlit as st

from ui import components, hero, progress, streamlit_face
from ui.atlas import topics
from ui.shelf import shelf
from ui.visitor import visitor

left, right = st.columns([2, 3], gap="large", vertical_alignment="center")
with left:
    components.live(hero.run(), key="hero", chrome=False, main="surface", height=380)
with right:
    st.title("Orrery")
    st.markdown(
        "A visual playground for deep learning. The network beside these words is **learning at "
        "this moment**: watch its boundary bend around the two spirals."
    )
    if st.button("Build your own network", type="primary", icon=":material/arrow_forward:"):
        st.switch_page("build.py")
    st.caption(
        "Draw it, train it live, ask it why, break it with an attack, take it home as PyTorch "
        "code: one model, its whole journey."
    )

st.subheader("The curriculum", anchor="curriculum")
st.caption("Every topic runs, can be touched, and proves its claim. Click one to open it.")
sent = components.atlas(topics(shelf(), progress.done(visitor())), key="atlas")
if chosen := streamlit_face.sent_open(sent):
    st.switch_page("labs.py", query_params={"lab": chosen})
