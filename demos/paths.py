"""Ways through the curriculum, as topics of the ledger in the order to take them.

A topic whose lab does not exist yet is passed over by whoever shows the path.
"""

from __future__ import annotations

PATHS: dict[str, tuple[str, ...]] = {
    "Foundation: from a line to a trained network": (
        "linalg-transform", "derivatives-chain-rule", "gradients-hessian", "bayes-theorem",
        "information-theory", "ml-workflow", "perceptron", "xor-problem", "mlp", "layer-roles",
        "activations-gallery", "dying-relu", "forward-propagation", "cross-entropy",
        "backpropagation", "computational-graph", "gradient-descent-stability", "gd-variants",
        "momentum", "adam", "overfitting-capacity", "dropout", "early-stopping",
    ),
    "Vision: from a kernel to ConvNeXt": (
        "mlp-vs-cnn", "convolution-2d", "conv-hyperparameters", "pooling", "feature-maps",
        "receptive-field", "image-augmentation", "lenet-5", "alexnet", "vgg", "inception",
        "resnet", "residual-paths", "densenet", "depthwise-separable-convolution", "mobilenet",
        "efficientnet-compound-scaling", "convnext", "architecture-comparison", "iou-nms", "yolo",
        "detr", "u-net", "mask-rcnn",
    ),
    "Sequences: memory and its limits": (
        "text-augmentation", "vanishing-exploding-gradients", "gradient-clipping", "vanilla-rnn",
        "rnn-vanishing-exploding", "lstm", "gru", "seq2seq-bottleneck", "bahdanau-attention",
    ),
    "Transformers: what attention needs": (
        "softmax-temperature", "layer-norm-rmsnorm", "adamw-decoupled-weight-decay", "lr-warmup",
        "mixed-precision", "scaled-dot-product-attention", "multi-head-attention",
        "positional-encoding", "transformer-block", "gpt", "bert", "vit",
    ),
    "Generative: from likelihood to diffusion": (
        "probability-clt", "information-theory", "svd-low-rank", "custom-loss",
        "batch-normalization", "vae", "gan", "ddpm",
    ),
    "Engineer: make it train, fast and on time": (
        "python-numpy-pandas", "tensor-shapes", "data-standardization", "key-hyperparameters",
        "lr-schedules", "optimizer-race", "gradient-accumulation", "mixed-precision",
        "hardware-roofline", "data-parallelism", "pipeline-parallelism", "tensor-parallelism",
        "zero-sharding", "distributed-tools", "federated-learning", "hp-random-search",
        "hp-bayesian-optimization", "optuna-keras-tuner",
    ),
    "Researcher: claims that can fail": (
        "statistical-inference", "scaling-with-data", "universal-approximation",
        "init-symmetry-breaking", "init-xavier-glorot", "init-he", "init-orthogonal", "nesterov",
        "overfitting-capacity", "mixup", "residual-paths", "highway-network", "capsule-network",
        "regnet", "architecture-comparison",
    ),
}  # fmt: skip
