"""A head that is taken away: by hand, in networks of all kinds, and in a model that shows who is missed."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

import attnviz
from attnviz.analysis.ablation import mean_contexts, without_head, without_heads
from attnviz.models import build_network
from attnviz.models.layers import Attention
from attnviz.tasks import Dates, Entities, Induction, Reverse, Sentiment, Task
from attnviz.training import evaluate
from attnviz.training.engine.gradients import forward

TASKS: tuple[Task, ...] = (Reverse(), Induction(), Dates(), Sentiment())


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_it_is_what_a_hook_on_the_context_gives(task: Task) -> None:
    network = build_network(replace(task.model_config(), dropout=0.0), 3).eval()
    (batch,) = task.batches(40, 1)
    for site, means in mean_contexts(network, task.batches(40, 1)).items():
        layer = next(each for each in network.modules() if isinstance(each, Attention) and each.name == site)
        for head, mean in enumerate(means):
            rows = slice(head * layer.d_head, (head + 1) * layer.d_head)

            def replaced(_: object, given: tuple[Tensor], rows: slice = rows, mean: Tensor = mean) -> tuple[Tensor]:
                context = given[0].clone()
                context[..., rows] = mean
                return (context,)

            with torch.inference_mode():
                handle = layer.project_out.register_forward_pre_hook(replaced)
                wanted = forward(network, batch)
                handle.remove()
                with without_head(site, head, mean):
                    found = forward(network, batch)
            torch.testing.assert_close(found, wanted, atol=2e-5, rtol=1e-4)


def test_padding_is_no_part_of_the_mean() -> None:
    task = Entities()
    network = build_network(task.model_config(), 0).eval()
    (batch,) = task.batches(30, 0)
    assert batch.padding is not None
    seen: list[Tensor] = []
    layer = next(module for module in network.modules() if isinstance(module, Attention))
    for row, real in enumerate(batch.padding):
        one = layer.project_out.register_forward_pre_hook(lambda _, given: seen.append(given[0][0]))
        with torch.inference_mode():
            network(batch.tokens[row : row + 1, real])
        one.remove()
    mean = mean_contexts(network, iter([batch]))[layer.name]
    torch.testing.assert_close(mean.flatten(), torch.cat(seen).mean(0), atol=1e-5, rtol=1e-4)


def test_the_network_stays_as_it_is() -> None:
    task = Reverse()
    network = build_network(task.model_config(), 0).eval()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    found = without_heads(network, task, 20)
    assert [(each.site, each.head) for each in found] == [
        (f"encoder.{i}.self", head) for i in (0, 1) for head in (0, 1)
    ]
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())
    assert not any(module._forward_pre_hooks for module in network.modules())


def test_a_recurrent_network_has_none() -> None:
    task = Reverse()
    assert without_heads(build_network(task.recurrent_config(), 0), task, 8) == ()


def test_the_head_with_the_most_mass_on_the_verb_is_not_the_one_that_is_needed() -> None:
    """Of the shipped model that tags entities: what the page says beside the mass of each head."""
    network, task = attnviz.load_model("zoo/entities").network, Entities()
    whole = evaluate(network, task, "test", 384, 5).accuracy
    scores = {(each.site, each.head): each.score for each in without_heads(network, task, 384, 5)}
    assert whole > 0.99
    assert min(scores, key=scores.__getitem__) == ("encoder.1.self", 1)
    assert scores["encoder.1.self", 1] < 0.88
    assert scores["encoder.0.self", 1] > scores["encoder.1.self", 1] + 0.05
