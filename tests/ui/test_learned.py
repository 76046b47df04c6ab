"""What the server knows to be right of a trace."""

from __future__ import annotations

import attnviz
from attnviz.server.learned import truth_of


def test_the_right_outputs_of_a_shipped_model_are_known_where_its_task_knows_them() -> None:
    reverse = attnviz.load_model("zoo/reverse")
    assert truth_of("reverse", attnviz.trace(reverse, "a b c")) == ("c", "b", "a", None)
    addition = attnviz.load_model("zoo/addition")
    assert truth_of("zoo/addition", attnviz.trace(addition, "27+58=5"))[5:] == ("5", "8")
    dates = attnviz.load_model("zoo/dates")
    assert "".join(map(str, truth_of("dates", attnviz.trace(dates, "oct 31, 2008", "2008-10-31")))) == "2008-10-31<eos>"


def test_nobody_knows_what_is_right_of_a_story_or_of_a_model_from_elsewhere() -> None:
    english = attnviz.load_model("zoo/english")
    assert truth_of("english", attnviz.trace(english, "Once upon a time")) == ()
    reverse = attnviz.load_model("zoo/reverse")
    assert truth_of("somebody-else", attnviz.trace(reverse, "a b c")) == ()
    assert truth_of("addition", attnviz.trace(attnviz.load_model("zoo/addition"), "27+")) == ()
    assert truth_of("run/gone@5", attnviz.trace(reverse, "a b c")) == ()
