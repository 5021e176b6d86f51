"""Pipelines of Stable Diffusion's class, as tiny as they can be, from a folder."""

from __future__ import annotations

import json

import pytest
import torch

from engine.generate.pipeline import open_pipeline, stages

WORDS = ["<|startoftext|>", "<|endoftext|>", "a</w>", "red</w>", "ring</w>", "a", "r", "e"]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """A whole pipeline with random weights, saved as its library does."""
    reason = "pipelines are an extra: pip install -r requirements-diffusers.txt"
    diffusers = pytest.importorskip("diffusers", reason=reason)
    transformers = pytest.importorskip("transformers", reason=reason)
    folder = tmp_path_factory.mktemp("pipeline")
    (folder / "vocab.json").write_text(json.dumps({word: n for n, word in enumerate(WORDS)}))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    torch.manual_seed(0)
    made = diffusers.StableDiffusionPipeline(
        vae=diffusers.AutoencoderKL(
            block_out_channels=(8, 8),
            down_block_types=("DownEncoderBlock2D",) * 2,
            up_block_types=("UpDecoderBlock2D",) * 2,
            latent_channels=4,
            norm_num_groups=4,
        ),
        text_encoder=transformers.CLIPTextModel(
            transformers.CLIPTextConfig(
                vocab_size=len(WORDS),
                hidden_size=16,
                intermediate_size=16,
                num_hidden_layers=1,
                num_attention_heads=2,
                max_position_embeddings=8,
                bos_token_id=0,
                eos_token_id=1,
                pad_token_id=1,
            )
        ),
        tokenizer=transformers.CLIPTokenizer(
            str(folder / "vocab.json"), str(folder / "merges.txt"), model_max_length=8
        ),
        unet=diffusers.UNet2DConditionModel(
            sample_size=8,
            block_out_channels=(8, 8),
            layers_per_block=1,
            down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
            up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
            cross_attention_dim=16,
            attention_head_dim=2,
            norm_num_groups=4,
        ),
        scheduler=diffusers.DDIMScheduler(),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    made.save_pretrained(folder / "saved", safe_serialization=True)
    return folder / "saved"


pytestmark = pytest.mark.filterwarnings("ignore")  # of the libraries' own dependencies


def test_a_saved_pipeline_makes_its_image_step_by_step(tiny):
    pipeline = open_pipeline(tiny)
    found = list(stages(pipeline, "a red ring", steps=3, seed=1, size=(16, 16)))
    assert [one.step for one in found] == [1, 2, 3]
    assert [one.image is None for one in found] == [True, True, False]
    assert found[-1].image.shape == (16, 16, 3)
    assert 0 <= found[-1].image.min() <= found[-1].image.max() <= 1
    again = list(stages(pipeline, "a red ring", steps=3, seed=1, size=(16, 16)))
    assert (found[-1].image == again[-1].image).all()


def test_the_study_shows_image_and_latents_and_answers(tiny):
    from engine.generate.studies.pipeline import study

    run = study(str(tiny), steps=2, rows=16)
    first = next(run)
    assert first.waits
    assert first.views["strip"].images.shape[0] == 4 * 2
    other = run.send({"seed": 5})
    assert (first.views["samples"].images != other.views["samples"].images).any()


def test_what_is_too_large_is_not_opened(tiny):
    with pytest.raises(ValueError, match="at most 1e-06 GB"):
        open_pipeline(tiny, largest=1e-6)


def test_a_missing_folder_is_told_and_nothing_fetched(tmp_path):
    with pytest.raises(LookupError, match="only what lies on its own disk"):
        open_pipeline(tmp_path / "runwayml" / "stable-diffusion-v1-5")


@pytest.mark.parametrize(
    ("index", "told"),
    [
        (None, "has no readable model_index.json"),
        ({"_class_name": ["pipeline", "Own"]}, "code of its own"),
        ({"_class_name": "StableDiffusionPipeline", "unet": ["my_code", "Net"]}, "code of its own"),
        ({"_class_name": "StableDiffusionPipeline"}, "has no safetensors"),
    ],
)
def test_a_folder_that_is_no_safe_pipeline_is_refused(index, told: str, tmp_path):
    if index is not None:
        (tmp_path / "model_index.json").write_text(json.dumps(index))
    (tmp_path / "weights.bin").write_bytes(b"pickled")
    with pytest.raises(ValueError, match=told):
        open_pipeline(tmp_path)


def test_without_the_library_one_sentence_says_what_to_install(tmp_path, monkeypatch):
    index = {"_class_name": "StableDiffusionPipeline"}
    (tmp_path / "model_index.json").write_text(json.dumps(index))
    (tmp_path / "unet.safetensors").write_bytes(b"")
    monkeypatch.setitem(__import__("sys").modules, "diffusers", None)
    with pytest.raises(ValueError, match=r"pip install -r requirements-diffusers\.txt"):
        open_pipeline(tmp_path)
