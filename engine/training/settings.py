"""How to train: every choice but the network and the data, each with its control."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from engine.forms import Choice, Slider, Text, Toggle
from engine.training.augmentations import augmentations
from engine.training.initialisers import initialisers
from engine.training.losses import losses
from engine.training.optimizers import optimizers
from engine.training.schedules import schedules

_SMOOTHED = "loss=automatic|cross-entropy|binary cross-entropy|KL divergence"


@dataclass(frozen=True)
class Settings:
    """How to train. The fields are the form of `engine.training.run.train`.

    Attributes:
        learning_rate: Length of a step, before the schedule's factor.
        batch_size: Samples that are put through the network at once.
        epochs: How often every training sample is seen.
        optimizer: How gradients become steps.
        momentum: Part of the last step that is kept.
        weight_decay: How hard weights are pulled to zero.
        seed: Fixes first weights, order of samples, dropout and augmentation.
        loss: What is made small; `automatic` follows from the data.
        label_smoothing: Part of the target that all classes share, in losses that know it.
        focal_gamma: How little what is right already counts in the focal loss.
        huber_delta: Where Huber's loss becomes straight.
        loss_formula: The loss called `formula`.
        balance: Whether each class counts the same, however rare.
        l1: How hard weights are pulled to zero by their sign.
        schedule: How the rate changes over the run; `plateau` halves it when nothing gets better.
        warmup: Part of the run in which the rate rises from nothing.
        clip: Length to which the gradient is cut; 0 leaves it.
        accumulate: Batches whose gradients make one step.
        dropout: Factor on the dropout that is drawn in the network.
        augmentation: How training samples are changed.
        strength: How much.
        initialisation: How the first weights are drawn.
        precision: Of products.
        patience: Epochs without a better validation loss that end the run; 0 for no end.
        goal: Validation accuracy, or R², at which it ends [%]; 0 for no end.
    """

    learning_rate: Annotated[float, Slider(1e-5, 3.0, log=True, live=True, help="Longer steps")] = (
        0.003
    )
    batch_size: Annotated[
        int, Slider(1, 512, log=True, live=True, help="Smoother, fewer steps an epoch")
    ] = 64
    epochs: Annotated[int, Slider(1, 1000, log=True, live=True, help="Longer training")] = 5
    optimizer: Annotated[
        str, Choice(tuple(optimizers.all()), help="How gradients become steps")
    ] = "Adam"
    momentum: Annotated[
        float, Slider(0.0, 0.99, live=True, help="More of the last step is kept (β₁ in Adam)")
    ] = 0.9
    weight_decay: Annotated[
        float, Slider(0.0, 0.1, live=True, help="Weights are pulled to zero harder")
    ] = 0.0
    seed: Annotated[int, Slider(0, 9999, help="Other first weights, other batches")] = 0
    loss: Annotated[
        str,
        Choice(
            ("automatic", *losses.all()),
            help="What is made small. Automatic: cross-entropy, or squared error for numbers",
            live=True,
            group="Loss",
        ),
    ] = "automatic"
    label_smoothing: Annotated[
        float,
        Slider(0.0, 0.5, live=True, when=_SMOOTHED, group="Loss", help="Less sure targets"),
    ] = 0.0
    focal_gamma: Annotated[
        float,
        Slider(
            0.0, 5.0, live=True, when="loss=focal", group="Loss", help="Easy samples count less"
        ),
    ] = 2.0
    huber_delta: Annotated[
        float,
        Slider(
            0.01,
            10.0,
            log=True,
            live=True,
            when="loss=Huber",
            group="Loss",
            help="Straight only for larger errors",
        ),
    ] = 1.0
    loss_formula: Annotated[
        str,
        Text(
            120,
            live=True,
            when="loss=formula",
            group="Loss",
            help="A formula in the prediction p and the target t",
        ),
    ] = "(p - t)**2"
    balance: Annotated[
        bool, Toggle(live=True, group="Loss", help="Each class counts the same, however rare")
    ] = False
    l1: Annotated[
        float, Slider(0.0, 0.01, live=True, group="Loss", help="More weights go to zero")
    ] = 0.0
    schedule: Annotated[
        str,
        Choice(
            (*schedules.all(), "plateau"),
            help="How the rate changes over the run; plateau halves it when nothing gets better",
            live=True,
            group="Steps",
        ),
    ] = "constant"
    warmup: Annotated[
        float, Slider(0.0, 0.5, live=True, group="Steps", help="The rate rises for longer at first")
    ] = 0.0
    clip: Annotated[
        float, Slider(0.0, 10.0, live=True, group="Steps", help="Longer gradients pass; 0: all do")
    ] = 0.0
    accumulate: Annotated[
        int, Slider(1, 32, live=True, group="Steps", help="More batches make one step")
    ] = 1
    dropout: Annotated[
        float, Slider(0.0, 2.0, live=True, group="Samples", help="Times the dropout you drew")
    ] = 1.0
    augmentation: Annotated[
        str,
        Choice(
            ("none", *augmentations.all()),
            help="How training samples are changed",
            live=True,
            group="Samples",
        ),
    ] = "none"
    strength: Annotated[
        float,
        Slider(
            0.0,
            1.0,
            live=True,
            when=f"augmentation={'|'.join(augmentations.all())}",
            group="Samples",
            help="They are changed more",
        ),
    ] = 0.5
    initialisation: Annotated[
        str,
        Choice(("as PyTorch", *initialisers.all()), help="The first weights", group="Begin, end"),
    ] = "as PyTorch"
    precision: Annotated[
        str,
        Choice(
            ("float32", "bfloat16"),
            help="Of products; bfloat16 is quicker for larger convolutions",
            live=True,
            group="Begin, end",
        ),
    ] = "float32"
    patience: Annotated[
        int,
        Slider(
            0,
            100,
            live=True,
            group="Begin, end",
            help="Epochs without a better validation loss that end the run; 0: go on",
        ),
    ] = 0
    goal: Annotated[
        float,
        Slider(
            0.0,
            100.0,
            unit="%",
            live=True,
            group="Begin, end",
            help="End at this validation accuracy (or R²); 0: go on",
        ),
    ] = 0.0
