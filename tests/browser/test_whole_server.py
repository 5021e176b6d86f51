"""The server as a user starts it: health, visitors, Gradio on the same port."""

import json
import urllib.error
import urllib.request

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


def test_the_whole_server_is_healthy_and_names_its_visitors(server):
    with urllib.request.urlopen(f"{server}/health", timeout=10) as answer:
        assert json.load(answer)["status"] == "ok"
        assert "orrery_visitor=" in answer.headers["Set-Cookie"]
        assert "HttpOnly" in answer.headers["Set-Cookie"]


def test_gradio_answers_a_client_on_the_same_port(server):
    from gradio_client import Client

    client = Client(f"{server}/demos/", verbose=False, httpx_kwargs={"timeout": 90})
    told = client.predict(rate=0.1, steepest=10.0, steps=20, api_name="/optimisation.step_size")
    assert told["step"] == 20
    # 20 steps of w ← (1 − η λ) w from (−2.5, 1.6) with λ = 1 and 10
    expected = 0.5 * (2.5 * 0.9**20) ** 2
    assert told["facts"]["loss"] == pytest.approx(expected, rel=1e-6)
    with pytest.raises(Exception, match=r"must lie in \[0.005, 0.5\]; got 99"):
        client.predict(rate=99, api_name="/optimisation.step_size")


@pytest.mark.parametrize("path", ["/api/runs/none", "/gallery/none.webp"])
def test_what_is_not_there_is_a_plain_404(server, path):
    with pytest.raises(urllib.error.HTTPError) as told:
        urllib.request.urlopen(f"{server}{path}", timeout=10)
    assert told.value.code == 404
