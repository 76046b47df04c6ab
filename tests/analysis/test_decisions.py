"""Walks that a policy makes: what is paid, how they end, and where a head looked."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from torch import Generator

import attnviz
from attnviz.analysis.decisions import attended, logged, on_grid, play, policy, success, table_policy
from attnviz.errors import UnknownSymbols
from attnviz.models import build_network
from attnviz.tasks.decisions.gridworld import ACTIONS, MAP, SIGNS, Gridworld, world

TASK = Gridworld()


@pytest.fixture(autouse=True, scope="module")
def _one_thread() -> Iterator[None]:
    """More threads are slower for sizes like these."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


UP, DOWN, LEFT, RIGHT = range(4)


def knows(tokens: list[int]) -> int:
    """The best action for the sign that was shown."""
    sign, place = tokens[1] - TASK.first["sign"], tokens[-1] - TASK.first["cell"]
    return int(world().best()[sign, place].int().argmax())


@pytest.mark.parametrize(("sign", "end"), [("red", (4, 1)), ("green", (1, 4)), ("blue", (4, 7))])
def test_who_knows_the_way_is_paid(sign: str, end: tuple[int, int]) -> None:
    episode = play(knows, TASK, sign, "s91")
    assert episode.paid
    assert episode.steps == episode.shortest == 11
    assert episode.reward == 1
    assert episode.path[0] == (9, 1)
    assert episode.path[-1] == end
    assert TASK.tokenizer.decode(episode.tokens).startswith(f"r100 {sign} s91 ")
    assert len(episode.tokens) == 1 + 2 * episode.steps
    assert len(episode.path) == episode.steps + 1


def test_the_wrong_goal_pays_nothing() -> None:
    episode = play(lambda tokens: UP, TASK, "red", "s64")
    assert episode.path[-1] == (1, 4), "the green goal"
    assert (episode.paid, episode.reward, episode.steps) == (False, 0.0, 5)


def test_who_never_arrives_is_stopped() -> None:
    episode = play(lambda tokens: DOWN, TASK, "red", "s94")
    assert episode.steps == TASK.horizon
    assert set(episode.path) == {(9, 4)}, "a wall leaves one where one is"
    assert len(episode.tokens) <= TASK.model_config().max_len
    assert episode.reward == 0


def test_a_detour_pays_less() -> None:
    def detour(tokens: list[int]) -> int:
        return RIGHT if len(tokens) == 3 else knows(tokens)

    episode = play(detour, TASK, "red", "s64")
    assert (episode.steps, episode.shortest, episode.reward) == (7, 5, pytest.approx(5 / 7))


def test_unknown_words_are_named() -> None:
    with pytest.raises(UnknownSymbols):
        play(knows, TASK, "pink", "s64")


def test_success_of_who_knows_of_who_minds_no_sign_and_of_the_logged() -> None:
    assert success(knows, TASK) == (1, 1, 1, 84)
    alone = success(table_policy(TASK.place_alone(), TASK), TASK)
    assert alone.paid == pytest.approx(1 / 3, abs=0.1)
    walks = logged(TASK)
    assert walks.shortest < walks.reward < walks.paid < 0.4


def test_a_trained_network_uses_the_sign_and_gets_what_is_wanted() -> None:
    """Better than all it has learned from: nobody whose walk was logged knew the sign."""
    network = attnviz.load_model("zoo/gridworld").network
    wanted = success(policy(network, TASK), TASK)
    assert wanted.paid > 0.95, wanted
    assert wanted.shortest > 0.9, wanted
    unwanted = success(policy(network, TASK), TASK, wanted="r0")
    assert unwanted.paid < 0.3, "asked for no return it avoids the goal that pays"
    assert logged(TASK).paid < 0.4


def test_an_untrained_network_takes_actions_too() -> None:
    network = build_network(TASK.model_config(), 1)
    for sign in SIGNS:
        assert set(play(policy(network, TASK), TASK, sign, "s66").actions) <= set(ACTIONS)


def test_attended_accounts_for_all_attention() -> None:
    episode = play(knows, TASK, "blue", "s75")
    n = len(episode.tokens)
    scores = torch.randn(n, n, generator=Generator().manual_seed(0))
    weights = scores.masked_fill(torch.ones(n, n).triu(1).bool(), -torch.inf).softmax(1)
    found = attended(weights, episode.tokens)
    assert found.steps.shape == (episode.steps, episode.steps)
    total = found.wanted + found.sign + found.steps.sum(1)
    assert total.allclose(torch.ones(episode.steps))
    assert not found.steps.triu(1).any(), "nothing later is read"


def test_on_grid_adds_up_where_one_came_twice() -> None:
    shape = (len(MAP), len(MAP[0]))
    drawn = on_grid([(6, 4), (6, 5), (6, 4), (5, 4)], torch.tensor([0.1, 0.2, 0.3]), shape)
    assert drawn.shape == shape
    assert drawn[6, 4] == pytest.approx(0.4)
    assert drawn.sum() == pytest.approx(0.6)
    assert all(MAP[row][column] != "#" for row, column in drawn.nonzero().tolist())
