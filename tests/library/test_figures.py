"""Figures: the site's own numbers, axes that say what they are, gaps where there is no number."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest
import torch

import attnviz
from attnviz import figures, locale
from attnviz.attention import Mask
from attnviz.figures.lines import fewest
from attnviz.figures.look import DIVERGING, KEY, QUERY, SEQUENTIAL, VALUE, token_text
from attnviz.loading import find_run
from attnviz.trace import Outputs, Tokens, Trace
from attnviz.trace.thumbnails import thumbnails

Draw = Callable[[Trace], go.Figure]
ONE_HEAD: dict[str, Draw] = {
    "weights": lambda trace: figures.weights(trace, 0, 1),
    "chain": lambda trace: figures.chain(trace, 0, 1),
    "lines": lambda trace: figures.lines(trace, 0, 1),
}
EVERY: dict[str, Draw] = {**ONE_HEAD, "heads": figures.heads, "outputs": figures.outputs}


@pytest.fixture(scope="module")
def sums() -> Trace:
    return attnviz.trace(attnviz.load_model("zoo/addition"), "27+58=")


@pytest.fixture(scope="module")
def dates() -> Trace:
    return attnviz.trace(attnviz.load_model("zoo/dates"), "3rd of March 2021", "2021-03")


@pytest.fixture(scope="module")
def padded(sums: Trace) -> Trace:
    """Two queries may read nothing."""
    site = replace(sums.sites[0], mask=Mask(causal=True, keys=torch.arange(len(sums.tokens)) > 1))
    return replace(sums, sites=(site, *sums.sites[1:]))


def matrix(figure: go.Figure, title: str) -> go.Heatmap:
    (found,) = [trace for trace in figure.data if trace.name == title]
    return found


def texts(figure: go.Figure) -> str:
    return " ".join([figure.layout.title.text, *(a.text for a in figure.layout.annotations)])


def test_weights_are_those_of_the_site(dates: Trace) -> None:
    figure = figures.weights(dates, 0, 2, kind="cross")
    shown = figure.data[0]
    np.testing.assert_array_equal(shown.z, dates.site("decoder.0.cross").weights(2))
    assert (shown.zmin, shown.zmax) == (0, 1)
    assert [label.split("</span> ")[1] for label in shown.y] == [token_text(label) for label in dates.tokens]
    assert [label.split("</span> ")[1] for label in shown.x] == [
        token_text(label) for label in dates.source_tokens or ()
    ]
    assert len(set(shown.x)) == len(shown.x)  # the same token twice stays two columns
    assert figure.layout.yaxis.autorange == "reversed"  # queries downwards
    assert f'<span style="color:{QUERY}">Queries ↓</span>' in texts(figure)
    assert f'<span style="color:{KEY}">Keys →</span>' in texts(figure)
    assert "%{z:.9~g}" in shown.hovertemplate
    assert "Query %{y}<br>Key %{x}" in shown.hovertemplate


def test_nine_digits_name_a_number_exactly() -> None:
    numbers = torch.rand(1000, generator=torch.Generator().manual_seed(0)).numpy()
    assert all(np.float32(f"{number:.9g}") == number for number in numbers)


def test_an_empty_row_is_a_gap_and_not_zeros(padded: Trace) -> None:
    figure = figures.weights(padded, 0, 1)
    shown = matrix(figure, "Weights")
    assert np.isnan(shown.z[:2]).all()
    np.testing.assert_array_equal(shown.z[2:], padded.sites[0].weights(1)[2:])
    assert shown.hoverongaps is False
    assert locale.t("en", "view.frame.tip.empty") in figure.data[0].hovertemplate  # what lies below the gaps


def test_every_step_of_the_chain_is_the_sites_own(padded: Trace) -> None:
    site = padded.sites[0]
    figure = figures.chain(padded, 0, 1)
    expected = {
        "Q": site.q[1],
        "K": site.k[site.group(1)],
        "V": site.v[site.group(1)],
        "Scores": site.scores(1),
        "Context vectors": site.context(1),
        "Output of this head": site.output(1),
    }
    for title, numbers in expected.items():
        shown = matrix(figure, title).z
        rows = slice(2 if title in ("Context vectors", "Output of this head") else 0, None)
        np.testing.assert_array_equal(shown[rows], numbers[rows])
        assert np.isnan(shown[: rows.start]).all()


def test_masked_pairs_are_gaps_that_say_masked(sums: Trace) -> None:
    figure = figures.chain(sums, 0, 0)
    shown = matrix(figure, "Scaled and masked").z
    masked = sums.sites[0].masked(0).numpy()
    np.testing.assert_array_equal(np.isnan(shown), np.isneginf(masked))
    np.testing.assert_array_equal(shown[~np.isnan(shown)], masked[np.isfinite(masked)])
    assert matrix(figure, "masked").hovertemplate.endswith("masked<extra></extra>")


def test_signed_matrices_are_centred_and_q_k_v_share_their_limits(sums: Trace) -> None:
    figure = figures.chain(sums, 1, 0)
    for trace in figure.data:
        if trace.name not in ("Weights", "masked"):
            assert trace.zmin == -trace.zmax
            assert trace.zmax >= np.nanmax(np.abs(trace.z))
            assert trace.colorscale[len(DIVERGING) // 2] == (0.5, "rgb(255, 255, 255)")
    assert matrix(figure, "Q").zmax == matrix(figure, "K").zmax == matrix(figure, "V").zmax
    assert matrix(figure, "Scores").zmax != matrix(figure, "Q").zmax
    for title, colour in (("Q", QUERY), ("K", KEY), ("V", VALUE)):
        assert f'<b><span style="color:{colour}">{title}</span></b>' in texts(figure)


def test_the_chain_shows_what_the_site_has(sums: Trace) -> None:
    length = len(sums.tokens)
    site = replace(sums.sites[0], w_o=None, bias=torch.zeros(1, length, length))
    titles = [t.name for t in figures.chain(replace(sums, sites=(site,)), 0, 0).data]
    assert "Bias" in titles
    assert "Output of this head" not in titles


def test_the_scale_runs_from_the_page_to_dark() -> None:
    def light(colour: str) -> int:
        return sum(map(int, colour[4:-1].split(",")))

    assert SEQUENTIAL[0] == (0.0, "rgb(255, 255, 255)")
    lights = [light(colour) for _, colour in SEQUENTIAL]
    assert lights == sorted(lights, reverse=True)
    places = [place for place, _ in DIVERGING]
    assert places == sorted(set(places))
    assert (places[0], places[-1]) == (0, 1)


def test_heads_are_the_thumbnails_of_the_view(dates: Trace) -> None:
    figure = figures.heads(dates)
    assert figure.layout.yaxis.ticktext == tuple(site.name for site in dates.sites)
    assert figure.layout.xaxis.ticktext == ("0", "1", "2", "3", "avg")
    for number, site in enumerate(dates.sites):
        small = thumbnails(site).weights
        width = small.shape[2]
        heads, average = figure.data[2 * number : 2 * number + 2]
        for head in range(4):
            at = np.flatnonzero(heads.customdata[0] == head)[:width]
            np.testing.assert_allclose(heads.z[:, at], small[head], atol=1e-6)
        np.testing.assert_allclose(average.z[:, :width], small[-1], atol=1e-6)


def test_heads_of_one_kind_are_rows_by_layer(sums: Trace, padded: Trace) -> None:
    figure = figures.heads(sums)
    assert figure.layout.yaxis.ticktext == ("0", "1")
    assert "Decoder self-attention" in texts(figure)
    assert "Layer ↓" in texts(figure)
    assert "Queries ↓" in texts(figure)
    assert np.isnan(figures.heads(padded).data[0].z[:2]).all()


def test_lines_hold_what_was_asked_for_and_no_more(sums: Trace) -> None:
    weights = sums.sites[0].weights(1)
    figure = figures.lines(sums, 0, 1, keep=0.8)
    kept = fewest(weights, 0.8)
    bundles = [trace for trace in figure.data if trace.mode == "lines"]
    drawn = [
        (pair, b.opacity) for b in bundles for pair in zip(b.y[::3].astype(int), b.y[1::3].astype(int), strict=True)
    ]
    assert {pair for pair, _ in drawn} == set(map(tuple, kept.nonzero().tolist()))
    assert all(abs(opacity - float(weights[pair])) <= 1 / 32 for pair, opacity in drawn)
    assert f"{len(drawn)} of {int((weights > 0).sum())} lines" in texts(figure)
    assert "80%" in texts(figure)
    left, right = figure.data[-2:]
    assert left.hovertext[0].startswith('Query <span style="color:#6b6f78">0</span> 2<br>attends to')
    assert str(weights[0, 0].numpy()) in left.hovertext[0]
    assert right.yaxis == "y2"


def test_many_lines_are_few_traces(sums: Trace) -> None:
    length = 300
    q, k, v = torch.randn(3, sums.sites[0].n_heads, length, sums.sites[0].d_head, generator=torch.manual_seed(0))
    tokens = Tokens((), tuple("ab" * (length // 2)))
    trace = replace(sums, sites=(replace(sums.sites[0], q=q, k=k, v=v),), sequences={sums.main: tokens})
    figure = figures.lines(trace, 0, 0, keep=1)
    assert len(figure.data) <= 32 + 2
    assert len(figure.layout.yaxis.tickvals) <= length


def test_fewest_are_the_largest_and_the_earlier_among_equals() -> None:
    weights = torch.tensor([[0.25, 0.25, 0.25, 0.25], [0.1, 0.2, 0.7, 0.0], [0.0, 0.0, 0.0, 0.0]])
    assert fewest(weights, 0.5).int().tolist() == [[1, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 0]]
    assert fewest(weights, 1).int().tolist() == [[1, 1, 1, 1], [1, 1, 1, 0], [0, 0, 0, 0]]
    assert not fewest(weights, 0).any()
    with pytest.raises(ValueError, match=r"keep is 1\.5"):
        fewest(weights, 1.5)


def with_outputs(trace: Trace, kind: Any, **changes: Any) -> Trace:
    assert trace.outputs is not None
    return replace(trace, outputs=trace.outputs._replace(kind=kind, **changes))


def test_outputs_are_the_most_probable_ones(sums: Trace) -> None:
    figure = figures.outputs(sums, k=3)
    values, ids = sums.logits[-1].softmax(-1).topk(3)
    np.testing.assert_array_equal(figure.data[0].x, values)
    assert [entry[1] for entry in figure.data[0].customdata] == ids.tolist()
    assert figure.layout.yaxis.ticktext[0] == "5"
    assert "after" in texts(figure)
    assert figures.outputs(sums, position=0, k=99).data[0].x[0] == sums.logits[0].softmax(-1).max()


def test_outputs_stand_where_they_matter(sums: Trace) -> None:
    masked = figures.outputs(with_outputs(sums, "masked", positions=(1, 2)), k=2)
    assert [len(group.x) for group in masked.data] == [2, 2]
    assert "in place of" in texts(masked)
    for kind in ("same", "labels"):
        (group,) = figures.outputs(with_outputs(sums, kind)).data
        np.testing.assert_array_equal(group.x, sums.logits.softmax(-1).amax(-1))
    assert "label of" in texts(figures.outputs(with_outputs(sums, "labels"), position=1))


def test_a_label_of_the_whole_is_one_group(sums: Trace) -> None:
    class Pass:
        nbytes = 0

        def logits(self, rows: int | None = None) -> Iterator[torch.Tensor]:
            yield torch.tensor([[0.0, 1.0]])

    labelled = replace(
        sums, outputs=Outputs("label", sums.main, ("negative", "positive").__getitem__), forward_pass=Pass()
    )
    figure = figures.outputs(labelled)
    assert figure.layout.yaxis.ticktext == ("positive", "negative")
    assert "label of the whole" in texts(figure)
    with pytest.raises(IndexError, match="no position 1: there are 1"):
        figures.outputs(labelled, position=1)


def test_loss_shows_every_step_and_what_was_held_out() -> None:
    run = find_run("grokking")
    training, held_out = figures.loss(run, log=True).data
    metrics = run.metrics()
    np.testing.assert_array_equal(training.y, [line.loss for line in metrics])
    np.testing.assert_array_equal(held_out.y, [line.validation.loss for line in metrics if line.validation])
    assert [trace.name for trace in figures.loss(run, run).data][2:] == ["grokking · training", "grokking · held out"]
    with pytest.raises(ValueError, match="no run"):
        figures.loss()


def test_patterns_follow_every_head_over_the_checkpoints() -> None:
    run = find_run("grokking")
    figure = figures.patterns(run, n=2)
    assert len(figure.data) == run.config.model.n_heads + 1
    assert all(tuple(trace.x) == tuple(run.checkpoints()) for trace in figure.data)
    assert figure.data[-1].name == "chance"
    assert all(trace.showlegend for trace in figure.data)


@pytest.mark.parametrize("draw", ONE_HEAD.values(), ids=ONE_HEAD)
def test_what_is_not_there_is_said(draw: Draw, sums: Trace) -> None:
    with pytest.raises(KeyError, match="no attention at layer 0; there is encoder self-attention in layer 5"):
        draw(replace(sums, sites=(replace(sums.sites[0], layer=5, stack="encoder"),)))
    with pytest.raises(IndexError, match="no head 1"):
        draw(replace(sums, sites=(replace(sums.sites[0], q=sums.sites[0].q[:1], k=sums.sites[0].k[:1]),)))


def test_what_cannot_be_drawn_is_said(sums: Trace) -> None:
    with pytest.raises(KeyError, match="no attention at stack 'vision'; there is decoder self-attention in layer 0, 1"):
        figures.heads(sums, stack="vision")
    with pytest.raises(ValueError, match="k is 0"):
        figures.outputs(sums, k=0)
    with pytest.raises(ValueError, match="ends with its residual stream"):
        figures.outputs(replace(sums, outputs=None))


@pytest.mark.parametrize("draw", EVERY.values(), ids=EVERY)
def test_tokens_are_text_and_never_markup(draw: Draw, sums: Trace) -> None:
    labels = ("<b>x</b>", "$x$", " \n\u200b", "<a href='javascript:1'>", "&lt;")[: len(sums.tokens)]
    labels += ("y",) * (len(sums.tokens) - len(labels))
    trace = replace(sums, sequences={sums.main: replace(sums.sequences[sums.main], labels=labels)})
    text = json.dumps(draw(trace).to_plotly_json(), default=str)
    for markup in ("<b>x", "$x$", "<a ", "\u200b"):
        assert markup not in text


CHINESE = {"weights": "权重", "chain": "分数", "lines": "自注意力", "heads": "所有 head", "outputs": "概率"}


@pytest.mark.parametrize(("name", "word"), CHINESE.items())
def test_figures_speak_chinese(name: str, word: str, sums: Trace) -> None:
    figure = getattr(figures, name)(sums, *((0, 1) if name in ONE_HEAD else ()), lang="zh")
    assert word in json.dumps(figure.to_plotly_json(), ensure_ascii=False, default=str)
