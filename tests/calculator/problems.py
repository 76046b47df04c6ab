"""Random problems that fit together."""

from __future__ import annotations

from hypothesis import strategies as st

from attnviz.calculator import Matrix, Problem


@st.composite
def problems(draw: st.DrawFn) -> Problem:
    """Any choice of scoring, mask, positions, heads and what follows, with small tables."""

    def size(most: int = 4) -> int:
        return draw(st.integers(1, most))

    def matrix(rows: int, columns: int) -> Matrix:
        number = st.integers(-20, 20).map(lambda n: n / 10)
        cells = draw(st.lists(number, min_size=rows * columns, max_size=rows * columns))
        return tuple(tuple(cells[i * columns : (i + 1) * columns]) for i in range(rows))

    given = draw(st.sampled_from(["x", "qkv"]))
    positions = draw(
        st.sampled_from(["none", "sinusoidal", "learned", "rotary"] if given == "x" else ["none", "rotary"])
    )
    heads, d_v, queries = size(3), size(3), size(5)
    d_k = 2 * size(2) if positions == "rotary" else size(3)
    d_model = 2 * size(2) if positions == "sinusoidal" else size(4)
    keys = queries if given == "x" else size(5)
    scoring = draw(st.sampled_from(["dot", "scaled_dot", "additive"]))
    residual = given == "x" and draw(st.booleans())
    project = draw(st.booleans()) or (residual and heads * d_v != d_model)
    tables = {
        "x": matrix(queries, d_model),
        "w_q": matrix(d_model, heads * d_k),
        "w_k": matrix(d_model, heads * d_k),
        "w_v": matrix(d_model, heads * d_v),
        "q": matrix(queries, heads * d_k),
        "k": matrix(keys, heads * d_k),
        "v": matrix(keys, heads * d_v),
        "p": matrix(queries, d_model),
        "w_o": matrix(heads * d_v, d_model),
    }
    if scoring == "additive":
        d_att = size(3)
        tables |= {"a_q": matrix(d_att, d_k), "a_k": matrix(d_att, d_k), "a_v": matrix(1, d_att)}
    return Problem(
        tables,
        given=given,
        scoring=scoring,
        causal=draw(st.booleans()),
        window=draw(st.none() | st.integers(1, 4)),
        padding=tuple(sorted(draw(st.sets(st.integers(0, keys - 1), max_size=2)))),
        scale=draw(st.none() | st.sampled_from([0.5, -1.0, 0.0, 1.7])),
        temperature=draw(st.sampled_from([1.0, 0.5, 3.0])),
        heads=heads,
        positions=positions,
        pooling=draw(st.sampled_from(["attention", "mean", "max", "last"])),
        project=project,
        residual=residual,
    )
