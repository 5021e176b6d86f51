"""A search space, written as a program for Optuna or for Keras Tuner."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Space:
    """Which networks may be tried.

    Attributes:
        rates: Lowest and highest learning rate; tried evenly on a log scale.
        width: Most units of a hidden layer; the fewest are 4.
        depth: Most hidden layers; the fewest are none.
        epochs: How long a trial is trained.
        trials: How many trials.
    """

    rates: tuple[float, float] = (0.001, 1.0)
    width: int = 64
    depth: int = 3
    epochs: int = 8
    trials: int = 25


def optuna_code(space: Space, sampler: str, prune: bool) -> str:
    """A script that searches the space with Optuna on scikit-learn's digits, in PyTorch."""
    low, high = space.rates
    made = f"optuna.samplers.{sampler}(seed=0)"
    pruner = f"optuna.pruners.{'MedianPruner(n_startup_trials=5)' if prune else 'NopPruner()'}"
    return f"""import optuna
import torch
from sklearn.datasets import load_digits
from torch import nn

x, y = load_digits(return_X_y=True)
order = torch.randperm(len(x), generator=torch.Generator().manual_seed(0))
x, y = torch.tensor(x / 16, dtype=torch.float32)[order], torch.tensor(y)[order]


def objective(trial: optuna.Trial) -> float:
    rate = trial.suggest_float("learning_rate", {low!r}, {high!r}, log=True)
    width = trial.suggest_int("width", 4, {space.width}, log=True)
    depth = trial.suggest_int("depth", 0, {space.depth})
    sizes = [64, *[width] * depth]
    hidden = [part for n, m in zip(sizes, sizes[1:]) for part in (nn.Linear(n, m), nn.ReLU())]
    network = nn.Sequential(*hidden, nn.Linear(sizes[-1], 10))
    optimizer = torch.optim.SGD(network.parameters(), lr=rate)
    for epoch in range({space.epochs}):
        for rows in torch.randperm(1347).split(32):
            optimizer.zero_grad()
            nn.functional.cross_entropy(network(x[rows]), y[rows]).backward()
            optimizer.step()
        accuracy = (network(x[1347:]).argmax(1) == y[1347:]).float().mean().item()
        trial.report(accuracy, epoch)
        if trial.should_prune():
            raise optuna.TrialPruned
    return accuracy


study = optuna.create_study(
    direction="maximize",
    sampler={made},
    pruner={pruner},
)
study.optimize(objective, n_trials={space.trials})
print(study.best_params, study.best_value)
"""


def keras_tuner_code(space: Space) -> str:
    """The same space for Keras Tuner's Bayesian search."""
    low, high = space.rates
    return f"""import keras
import keras_tuner
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

x, y = load_digits(return_X_y=True)
x, x_test, y, y_test = train_test_split(x / 16, y, test_size=450, random_state=0)


def build(hp: keras_tuner.HyperParameters) -> keras.Model:
    rate = hp.Float("learning_rate", {low!r}, {high!r}, sampling="log")
    width = hp.Int("width", 4, {space.width}, sampling="log")
    model = keras.Sequential([keras.Input((64,))])
    for _ in range(hp.Int("depth", 0, {space.depth})):
        model.add(keras.layers.Dense(width, activation="relu"))
    model.add(keras.layers.Dense(10, activation="softmax"))
    model.compile(
        optimizer=keras.optimizers.SGD(rate),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    return model


tuner = keras_tuner.BayesianOptimization(
    build, objective="val_accuracy", max_trials={space.trials}, seed=0, overwrite=True
)
tuner.search(x, y, epochs={space.epochs}, batch_size=32, validation_data=(x_test, y_test))
print(tuner.get_best_hyperparameters()[0].values)
"""
