"""The canvas: draw a network, see every shape, be told what does not fit and how to mend it."""

import streamlit as st

from ui import asked, components, project, stage

wanted = st.query_params.get("template", "")
if wanted and st.session_state.get("build.template") != wanted:
    st.session_state["build.template"] = wanted
    entry = next((one for one in asked.templates() if one["name"] == wanted), None)
    if entry is None:
        st.warning(f"There is no template called {wanted!r:.60}; your own network stays.")
    else:
        project.change(
            spec=asked.template(wanted),
            data=entry["data"] or project.current().data,
            name=entry["title"],
            revision=project.current().revision + 1,
        )

now = stage.show()
trained = now.run if project.summary(now) else ""
sent = components.builder(now.spec, now.revision, key="builder", run=trained, dataset=now.data)
if sent and sent["revision"] > now.revision:
    runs = st.session_state.setdefault("build.runs", {})
    project.take(sent["spec"], sent["revision"], run=sent.get("run", ""), runs=runs)
    st.rerun()

st.page_link("train.py", label="**Train it**", icon=":material/play_circle:")
