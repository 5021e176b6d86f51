"""Training scripts for several processes: plain PyTorch, DeepSpeed, Horovod, Lightning.

Each is the same training of the same network; they differ in how processes find each other and
who averages the gradients. Lines that a launcher adds end in a comment that says why.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from engine.export.script import parts


@dataclass(frozen=True, slots=True)
class Plan:
    """How the network is trained.

    Attributes:
        batch_size: Samples a step, over all processes; must divide by `processes`.
        epochs: How often every sample is seen.
        learning_rate: Length of a step of gradient descent.
        processes: How many processes share each batch.
        stage: ZeRO's stage, for DeepSpeed.
        seed: Fixes first weights and order of samples.
    """

    batch_size: int = 64
    epochs: int = 2
    learning_rate: float = 0.1
    processes: int = 2
    stage: int = 1
    seed: int = 0


_STEP = """loss = functional.cross_entropy(network(x[picked]), y[picked])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())"""
_SHARED = """share = picked[rank::size]  # this process's samples of the batch
            total = functional.cross_entropy(network(x[share]), y[share], reduction="sum")
            loss = total * size / len(picked)  # the mean over processes is the batch's mean"""

_MAIN = {
    "single process": f"""
    optimizer = torch.optim.SGD(network.parameters(), lr=RATE)
    losses = []
    for epoch in range(EPOCHS):
        for picked in batches(epoch, len(x)):
            {_STEP}
    print(json.dumps(losses))
""",
    "DDP": f"""
    dist.init_process_group("gloo")  # processes find each other; "nccl" between GPUs
    rank, size = dist.get_rank(), dist.get_world_size()  # who am I, how many are we
    network = DistributedDataParallel(network)  # averages gradients during backward()
    optimizer = torch.optim.SGD(network.parameters(), lr=RATE)
    losses = []
    for epoch in range(EPOCHS):
        for picked in batches(epoch, len(x)):
            {_SHARED}
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            told = loss.detach()
            dist.all_reduce(told)  # for the curve only: the sum of all processes' losses
            losses.append(told.item() / size)
    if rank == 0:  # one of them tells
        print(json.dumps(losses))
    dist.destroy_process_group()  # say goodbye
""",
    "DeepSpeed": f"""
    network, optimizer, _, _ = deepspeed.initialize(  # wraps both; shards by the config's stage
        model=network, model_parameters=network.parameters(), config="deepspeed.json"
    )
    rank, size = network.global_rank, network.world_size  # who am I, how many are we
    x, y = x.to(network.device), y.to(network.device)  # the launcher gives each its own GPU
    for epoch in range(EPOCHS):
        for picked in batches(epoch, len(x)):
            {_SHARED}
            network.backward(loss)  # averages gradients, shards them from stage 2 on
            network.step()  # steps and clears the gradients
        if rank == 0:  # one of them tells
            print(f"epoch {{epoch + 1}}: loss {{loss.item():.4f}}")
""",
    "Horovod": f"""
    hvd.init()  # processes find each other over MPI or gloo
    rank, size = hvd.rank(), hvd.size()  # who am I, how many are we
    optimizer = torch.optim.SGD(network.parameters(), lr=RATE)
    optimizer = hvd.DistributedOptimizer(  # averages gradients in a ring before each step
        optimizer, named_parameters=network.named_parameters()
    )
    hvd.broadcast_parameters(network.state_dict(), root_rank=0)  # all begin with equal weights
    for epoch in range(EPOCHS):
        for picked in batches(epoch, len(x)):
            {_SHARED}
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        if rank == 0:  # one of them tells
            print(f"epoch {{epoch + 1}}: loss {{loss.item():.4f}}")
""",
    "Lightning": """
    trainer = lightning.Trainer(  # starts the processes itself
        accelerator="auto", devices=PROCESSES, strategy="ddp", max_epochs=EPOCHS
    )
    samples = DataLoader(TensorDataset(x, y), BATCH_SIZE // PROCESSES, shuffle=True)  # a share each
    trainer.fit(Learner(network), samples)  # runs the loop, averages gradients
""",
}

_IMPORTS = {
    "single process": ["import json"],
    "DDP": [
        "import json",
        "import torch.distributed as dist",
        "from torch.nn.parallel import DistributedDataParallel",
    ],
    "DeepSpeed": ["import deepspeed"],
    "Horovod": ["import horovod.torch as hvd"],
    "Lightning": ["import lightning", "from torch.utils.data import DataLoader, TensorDataset"],
}

COMMANDS = {
    "single process": "python train.py",
    "DDP": "torchrun --nproc-per-node {n} train.py",
    "DeepSpeed": "deepspeed --num_gpus {n} train.py",
    "Horovod": "horovodrun -np {n} python train.py",
    "Lightning": "python train.py",
}

_LEARNER = '''class Learner(lightning.LightningModule):
    """What a step is; Lightning does the rest."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def training_step(self, batch: list[torch.Tensor], _: int) -> torch.Tensor:
        """The loss of a process's share of a batch."""
        x, y = batch
        loss = functional.cross_entropy(self.network(x), y)
        self.log("loss", loss, sync_dist=True)  # averaged over the processes
        return loss

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """How gradients become steps."""
        return torch.optim.SGD(self.parameters(), lr=RATE)


'''


def script(spec: Mapping[str, Any], launcher: str, plan: Plan) -> str:
    """The training script of a network of digits for one of the launchers."""
    head, model, data = parts(spec, {"data": "digits", "seed": plan.seed})[:3]
    skipped = ("argparse", "safetensors", "__future__")
    wanted = [
        line
        for line in head
        if line.startswith(("import ", "from ")) and not any(word in line for word in skipped)
    ]
    wanted = sorted({*wanted, *_IMPORTS[launcher], "from torch.nn import functional"})
    command = COMMANDS[launcher].format(n=plan.processes)
    learner = _LEARNER if launcher == "Lightning" else ""
    return f'''"""Train a network on the digits: {launcher}. Start it with `{command}`."""

from __future__ import annotations

{chr(10).join(wanted)}

BATCH_SIZE, EPOCHS, RATE = {plan.batch_size}, {plan.epochs}, {plan.learning_rate!r}
PROCESSES, SEED = {plan.processes}, {plan.seed}


{chr(10).join(model).strip()}


{chr(10).join(data).strip()}


def batches(epoch: int, samples: int) -> tuple[torch.Tensor, ...]:
    """Which samples each step of an epoch sees; the same in every process."""
    generator = torch.Generator().manual_seed(SEED * 1_000_003 + epoch)
    return torch.randperm(samples, generator=generator).split(BATCH_SIZE)


{learner}def main() -> None:
    """Make the network, then train it."""
    torch.manual_seed(SEED)  # equal first weights in every process
    network = Network()
    x, y, *_ = load()
    network.train()
    {_MAIN[launcher].strip()}


if __name__ == "__main__":
    main()
'''


def explained(text: str) -> tuple[tuple[str, str], ...]:
    """The lines of a script that end in a comment, each with what the comment says."""
    told = [line.strip().split("  # ") for line in text.splitlines() if "  # " in line]
    return tuple((line, why) for line, why in told if "(batch" not in why)  # those tell shapes


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _Zero(_Strict):
    stage: Literal[0, 1, 2, 3]
    overlap_comm: bool = True
    contiguous_gradients: bool = True


class _Optimizer(_Strict):
    type: Literal["SGD", "Adam", "AdamW", "Lamb"]
    params: dict[str, float]


class _Half(_Strict):
    enabled: bool


class DeepSpeedConfig(_Strict):
    """What DeepSpeed's configuration file may say, as far as these scripts use it.

    Source: DeepSpeed documentation, DeepSpeed Configuration JSON.
    """

    train_batch_size: Annotated[int, Field(ge=1)]
    train_micro_batch_size_per_gpu: Annotated[int, Field(ge=1)]
    gradient_accumulation_steps: Annotated[int, Field(ge=1)] = 1
    optimizer: _Optimizer
    zero_optimization: _Zero
    zero_allow_untested_optimizer: bool = False
    bf16: _Half = _Half(enabled=False)

    @model_validator(mode="after")
    def _must_divide(self) -> DeepSpeedConfig:
        share = self.train_micro_batch_size_per_gpu * self.gradient_accumulation_steps
        if self.train_batch_size % share:
            raise ValueError(
                "train_batch_size: must be micro batch × accumulation × processes; "
                f"got {self.train_batch_size} with {share} on each"
            )
        return self


def deepspeed_json(plan: Plan) -> str:
    """The configuration that goes with the DeepSpeed script."""
    config = DeepSpeedConfig(
        train_batch_size=plan.batch_size,
        train_micro_batch_size_per_gpu=plan.batch_size // plan.processes,
        optimizer=_Optimizer(type="SGD", params={"lr": plan.learning_rate}),
        zero_optimization=_Zero.model_validate({"stage": plan.stage}),
        zero_allow_untested_optimizer=plan.stage > 0,  # plain SGD is not on DeepSpeed's list
    )
    return json.dumps(config.model_dump(), indent=2)
