"""Recipes of the applications: what attention is used for."""

from __future__ import annotations

from attnviz.models.network_config import Pooling
from attnviz.tasks import (
    Comprehension,
    Dates,
    Dialogue,
    Digits,
    Entities,
    Extract,
    Gridworld,
    Headline,
    Seasonal,
    Sentiment,
    Sessions,
    Sound,
    Translation,
)
from attnviz.training.recipes.recipe import Recipe, make_recipe, recurrent, training, until_learned

__all__ = ["APPLICATIONS"]

EXTRACTED = until_learned(1500, batch_size=32)
HEARD = training(600, validation_size=384, target=0.99)

FAR = Sentiment("en", noise=4)  # the opinion stands far from both ends


def _far(pooling: Pooling) -> Recipe:
    """Train an LSTM without attention where the opinion is far away; its last states are expected to fail."""
    model = recurrent(FAR, pooling=pooling)
    return make_recipe(f"sentiment-far-{pooling}", FAR, FAR_TRAINING, 0.98, exempt=pooling == "last", model=model)


FAR_TRAINING = until_learned(500, learning_rate=5e-3)

APPLICATIONS: tuple[Recipe, ...] = (
    make_recipe(
        "sentiment-en", Sentiment("en"), until_learned(1000, learning_rate=5e-3), 0.99, model=recurrent(Sentiment("en"))
    ),
    make_recipe(
        "sentiment-zh",
        Sentiment("zh"),
        until_learned(1000, learning_rate=5e-3, seed=2),
        0.99,
        model=recurrent(Sentiment("zh")),
    ),
    make_recipe("sentiment-en-transformer", Sentiment("en"), until_learned(1500), 0.99),
    make_recipe("sentiment-far", FAR, FAR_TRAINING, 0.99, model=recurrent(FAR)),
    _far("last"),
    _far("mean"),
    _far("max"),
    make_recipe("entities", Entities(), until_learned(800), 0.99),
    make_recipe("entities-lstm", Entities(), until_learned(800, learning_rate=5e-3), 0.99, model=recurrent(Entities())),
    make_recipe("dates-lstm", Dates(), training(800), 0.98, model=recurrent(Dates(), d_model=64)),
    make_recipe("translation", Translation(), training(700), 0.99),
    make_recipe(
        "translation-lstm", Translation(), training(900, learning_rate=6e-3), 0.98, model=recurrent(Translation())
    ),
    make_recipe("comprehension", Comprehension(), until_learned(2500, batch_size=32, validate_every=50), 0.9),
    make_recipe(
        "comprehension-lstm",
        Comprehension(),
        training(1400, batch_size=48, learning_rate=5e-3, target=0.995),
        0.8,
        exempt=True,
        model=recurrent(Comprehension(), attention="additive"),
    ),
    make_recipe("extract", Extract(), EXTRACTED, 0.98),
    make_recipe("headline", Headline(), training(600), 0.99),
    make_recipe("dialogue", Dialogue(), training(400, batch_size=32), 0.99),
    make_recipe(  # targets so far below what fresh seeds reach that 194 test pictures do not decide by chance
        "digits", Digits(augment=True), training(1500, learning_rate=5e-3, validation_size=512), 0.95
    ),
    make_recipe("digits-lstm", Digits(), training(1000), 0.92, model=recurrent(Digits())),
    make_recipe("series", Seasonal(), training(800, learning_rate=1e-2, target=0.875), 0.86, test_size=1024),
    make_recipe(
        "series-lstm",
        Seasonal(),
        training(1000, learning_rate=5e-3, target=0.875),
        0.86,
        test_size=1024,
        model=recurrent(Seasonal()),
    ),
    make_recipe(
        "series-periods",
        Seasonal(min_period=4, max_period=8, noise=10),
        training(1500, target=0.95),
        0.94,
        test_size=1024,
    ),
    make_recipe("sound", Sound(), HEARD, 0.95, test_size=1024),
    make_recipe("sound-lstm", Sound(), HEARD, 0.95, test_size=1024, model=recurrent(Sound())),
    make_recipe("sessions", Sessions(), training(1000, learning_rate=5e-3), 0.92),
    make_recipe("sessions-lstm", Sessions(), training(1000, learning_rate=5e-3), 0.90, model=recurrent(Sessions())),
    make_recipe("gridworld", Gridworld(), until_learned(600), 0.95),  # 2 of 42 walks may fail
)
