"""Which messages make claims, and what holds each: a computation here, another test, or nothing, with the reason."""

from __future__ import annotations

import re

from attnviz import locale
from attnviz.tasks.base import words
from tests.statements import letters, maths, numbers, stories, texts
from tests.statements.statement import ROWS

__all__ = ["HELD_ELSEWHERE", "NO_CLAIM", "ROWS", "claims"]

ENTERED = (letters, maths, numbers, stories, texts)
"""Importing them has entered their rows."""

SAYS = re.compile(
    r"\d|\b(?:heads?|layers?|always|never|needs?|must|every|only|most|mostly|often|usually|seldom|each|all)\b",
    re.IGNORECASE,
)
GROUPS = ("zoo", "task", "applications")
LABEL = 25  # characters: what is shorter names a thing
PREFIXES = ("training.help.", "calculator.found.", "calculator.mistake.", "calculator.about.")
ENDINGS = ("about", "seen", "facts", "text", "note", "crossing")


def claims() -> list[str]:
    """The messages that may say what a model or attention does."""
    return [key for key, text in locale.catalogue("en").items() if _claims(key, text)]


def _claims(key: str, text: str) -> bool:
    group, end = key.split(".")[0], key.rsplit(".", 1)[-1]
    if group in GROUPS:
        said = re.sub(r"\{\w+\}", "", text)
        return end in ("about", "shows") or (len(text) > LABEL and bool(SAYS.search(said)) and end != "title")
    if key.startswith("calculator.mistake."):
        return end in ("printed", "ask")
    if key.startswith(PREFIXES):
        return True
    if key.startswith("calculator.step."):
        return end == "about"
    return group in ("cost", "positions", "comparison") and (
        end in ENDINGS or bool(re.search(r"\.(?:about|seen)\.", key))
    )


CARDS = "tests/calculator/test_mistakes.py::test_the_numbers_that_prove_it"
RIGHT = "tests/calculator/test_mistakes.py::test_the_right_versions_run"
FORMULAS = "tests/calculator/test_solve.py::test_the_proof_of_any_problem_holds"


def alike(reason: str, names: str, before: str = "", after: str = "") -> dict[str, str]:
    """Messages that have one holder or one reason: names with what stands before and after each."""
    return {f"{before}{name}{after}": reason for name in words(names)}


HELD_ELSEWHERE: dict[str, str] = {
    **alike(CARDS, "diagonal.printed diagonal.scores diagonal.right after.printed after.numbers", "calculator.found."),
    **alike(CARDS, "positions.printed positions.weights positions.weighted positions.scores", "calculator.found."),
    **alike(CARDS, "positions.right positions.context after.product after.right rows.shape", "calculator.found."),
    **alike(CARDS, "rows.sums values.shapes values.right additive.shapes additive.order", "calculator.found."),
    **alike(CARDS, "additive.right residual.printed residual.numbers sequence.shape", "calculator.found."),
    **alike(CARDS, "sequence.order sequence.right heads.error heads.count state.error", "calculator.found."),
    "calculator.found.lstm.modules": CARDS,
    **alike(RIGHT, "heads state", "calculator.found.", ".right"),
    **alike(FORMULAS, "input project scores context output", "calculator.step.", ".about"),
    "calculator.about.five-positions": "tests/calculator/test_solve.py::test_five_numbers_position_by_position",
    "calculator.about.additive": "tests/calculator/test_solve.py::test_additive_scores_as_a_loop",
    "calculator.step.residual.about": (
        "tests/calculator/test_solve.py::test_learned_positions_are_added_and_remain_in_the_residual"
    ),
    "applications.gallery": (
        "tests/ui/test_applications.py::test_the_gallery_has_a_card_for_each_application_and_leads_there_and_back"
    ),
    "calculator.step.pool.about": "tests/calculator/test_solve.py::test_pooling",
    "comparison.about": "tests/training/test_comparison.py::test_all_six_exist_for_every_task_and_are_of_like_size",
    "comparison.reach.about": (
        "tests/training/test_comparison.py::test_gradients_vanish_in_recurrence_and_not_in_attention"
    ),
    "comparison.facts": (
        "tests/training/test_comparison.py::test_what_comes_along_was_measured_with_the_networks_of_today"
    ),
    "cost.about": "tests/analysis/test_cost.py::test_operations_of_attention_are_those_that_the_layer_does",
    "cost.crossing": "tests/analysis/test_cost.py::test_attention_overtakes_where_it_is_said_to",
    "cost.memory.note": "tests/analysis/test_cost.py::test_what_runs_takes_other_memory_than_what_is_looked_at",
    "applications.entities.ablation": (
        "tests/analysis/test_ablation.py::test_the_head_with_the_most_mass_on_the_verb_is_not_the_one_that_is_needed"
    ),
    "applications.judged.all": "tests/tasks/test_items.py::test_evaluation_counts_each_item_once",
    "applications.judged.interval": "tests/analysis/test_scores.py::test_wilson_holds_the_truth_as_often_as_it_says",
    "cost.seen": "tests/analysis/test_cost.py::test_attention_overtakes_where_it_is_said_to",
    "positions.about.rotary": (
        "tests/core/test_positions.py::test_rotation_keeps_lengths_and_scores_depend_on_distance_alone"
    ),
    "positions.about.learned": "tests/analysis/test_positions.py::test_learned_tables_are_those_of_the_model",
    "applications.sound.take": "tests/tasks/test_sound.py::test_sounds_of_another_length_are_refused",
    "applications.sound.about": "tests/tasks/test_sound.py::test_the_answer_comes_after_the_beep",
    "applications.series.about": "tests/tasks/test_series.py::test_a_season_comes_again",
    "applications.series.about.own": "tests/analysis/test_forecast.py::test_the_oldest_leave_where_there_is_no_room",
    "applications.series.share.known": (
        "tests/tasks/test_series.py::test_the_pattern_is_whole_periods_before_the_next_value"
    ),
    "applications.series.share.own": "tests/tasks/test_series.py::test_the_period_is_found_in_training_data",
    "applications.series.share.estimated": "tests/tasks/test_series.py::test_the_period_is_found_in_training_data",
    "applications.sessions.measures": "tests/analysis/test_ranking.py::test_by_hand",
    "task.series-periods.about": "tests/tasks/test_series.py::test_every_period_occurs",
    "task.own-series.about": "tests/tasks/test_series.py::test_own_series_is_cut_in_time",
    "task.own-labels.about": "tests/tasks/test_own_labelled.py::test_texts_are_divided",
    "task.own-entities.about": "tests/tasks/test_conll.py::test_own_sentences_are_divided",
    "applications.alignment.copied": ("tests/analysis/test_text_scores.py::test_the_word_that_was_read_most_is_copied"),
    "task.own-pairs.about": "tests/tasks/test_own_pairs.py::test_pairs_are_divided_by_their_source",
    "task.own-text.about": "tests/tasks/test_own_text.py::test_the_recipe_aims_at_more_than_frequencies",
    "task.copy.about": "tests/tasks/test_families.py::test_copy",
    "task.needle.about": "tests/tasks/test_families.py::test_needle",
    "task.brackets.about": "tests/tasks/test_families.py::test_brackets",
    "task.open-bracket.about": "tests/tasks/test_families.py::test_open_bracket",
    "task.parity-scratchpad.about": "tests/tasks/test_families.py::test_parity_with_a_scratchpad",
    "task.addition-3.about": "tests/tasks/test_tasks.py::test_addition_answers",
    "task.first-symbol.about": "tests/tasks/test_first.py::test_the_last_token_should_read_the_first_letter",
    "task.sessions-lstm.about": "tests/tasks/test_sessions.py::test_the_latest_of_each_interest_is_enough",
    "training.help.dilation": (
        "tests/core/test_convolutional.py::test_that_many_layers_reach_as_far_and_one_fewer_does_not"
    ),
    "training.help.clip": "tests/training/test_train_loop.py::test_gradients_are_clipped_unless_told_not_to",
    "training.help.warmup": (
        "tests/training/test_train_config.py::test_learning_rate_without_warm_up_and_with_one_longer_than_the_run"
    ),
    "training.help.schedule": "tests/training/test_train_config.py::test_the_other_schedules_rise_alike",
    "training.help.final": "tests/training/test_train_config.py::test_learning_rate_rises_then_falls_along_a_cosine",
    "training.help.lr": "tests/training/test_record.py::test_the_learning_rate_changes_on_the_way_and_stays_changed",
    "training.help.steps": "tests/training/test_record.py::test_it_stops_at_the_target_and_does_not_go_beyond",
    "training.help.seed": "tests/training/test_train_loop.py::test_same_configuration_same_weights_bit_for_bit",
    "training.help.d_model": "tests/ui/test_draft.py::test_the_widths_that_are_offered_can_be_built",
}
"""Message -> the test that holds it: `path::name`."""

CAPTION = "names what stands beside it, which other tests compute"
DEFINITION = "says what a setting is, or which network reads what; whoever changes the code changes it"
QUESTION = "asks, or says what is printed elsewhere"
TRAINED = "tells what training runs took or gave: there are no shipped weights to compute it from"
LIMIT = "says what a picture cannot show, and claims nothing of what it shows"
MEASURED = "explains a measurement that is made when somebody asks for it"

NO_CLAIM: dict[str, str] = {
    **alike(CAPTION, "head.encoder.self head.decoder.self head.decoder.cross explorer language.next", "applications."),
    **alike(CAPTION, "extract.no_sentence extract.kept extract.kept_right extract.shares digits.one", "applications."),
    **alike(CAPTION, "digits.all sound.shares sessions.reads sessions.by.first-order", "applications."),
    **alike(
        CAPTION, "alignment.marks alignment.plain digits.note gridworld.as_wanted judged.generated", "applications."
    ),
    **alike(CAPTION, "gridworld.shares gridworld.by.place language.about entities.taking_away", "applications."),
    **alike("is chosen by the areas of the picture", "explains ink nothing", "applications.digits.verdict."),
    "calculator.step.scale.about": "gives a reason; the spread of scores is held with calculator.found.rows.right",
    **{key: QUESTION for key in claims() if key.startswith("calculator.mistake.")},
    **alike(MEASURED, "text seen", "cost.measure."),
    **alike(DEFINITION, "positions norm dropout batch network both_ways attention pooling kernel", "training.help."),
    **alike(DEFINITION, "entities english digits comprehension", "task.", "-lstm.about"),
    **alike(TRAINED, "layers decay", "training.help."),
    **alike(TRAINED, "sentiment-en-transformer addition-3-plain running-parity", "task.", ".about"),
    "task.own-text.shows": TRAINED,
    "task.series-periods.shows": TRAINED,
    **alike(
        LIMIT,
        "own-series own-labels own-entities own-pairs sentiment-en-transformer comprehension-lstm",
        "task.",
        ".shows",
    ),
}
"""Message -> why there is nothing to compute."""
