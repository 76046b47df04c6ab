"""AdamW for a network, in a process that need not load torch's compiler for it.

torch decorates the methods of its optimizers so that `torch.compile` leaves them alone. The first call loads that
compiler, and sympy with it: 800 modules, more work than `import torch`, for every process that trains. Nothing is
compiled here.
"""

from __future__ import annotations

from inspect import unwrap
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import nn

    from attnviz.training.engine.config import TrainConfig

__all__ = ["AdamW", "new_optimizer"]


class AdamW(torch.optim.AdamW):
    """torch's AdamW, its methods without their decorators."""

    add_param_group = unwrap(torch.optim.AdamW.add_param_group)
    zero_grad = unwrap(torch.optim.AdamW.zero_grad)
    step = torch.no_grad()(unwrap(torch.optim.AdamW.step))


def new_optimizer(network: nn.Module, config: TrainConfig) -> AdamW:
    """AdamW for a network; weight decay applies to matrices, not to biases and norms."""
    trained = [parameter for parameter in network.parameters() if parameter.requires_grad]
    matrices = [parameter for parameter in trained if parameter.dim() >= 2]
    others = [parameter for parameter in trained if parameter.dim() < 2]
    groups = [{"params": matrices, "weight_decay": config.weight_decay}, {"params": others, "weight_decay": 0.0}]
    return AdamW(groups, config.learning_rate, (config.beta1, config.beta2), fused=True)
