"""English opinions; words are separated by blanks, as a tokenizer of words reads them."""

from attnviz.tasks.base import words
from attnviz.tasks.language.sentiment_words import Denial, OpinionWords

__all__ = ["ENGLISH"]

ENGLISH = OpinionWords(
    subjects=words(
        "the film|the book|the food|the hotel|the concert|the music|the story|the service|the room|the play|the trip|"
        "the game|the show|the museum|the party|the lesson",
        "|",
    ),
    positive=words(
        "good great wonderful excellent pleasant lovely superb amazing fantastic charming brilliant delightful "
        "impressive enjoyable perfect beautiful nice splendid outstanding interesting"
    ),
    negative=words(
        "bad awful terrible horrible poor dreadful disappointing dull boring unpleasant ugly lousy annoying mediocre "
        "weak miserable nasty pathetic tedious hopeless"
    ),
    modifiers=("", "very", "really", "quite", "truly", "so", "always", "just"),
    negations=("not", "not very", "not really", "not at all", "never", "hardly", "far from", "anything but"),
    clauses=(
        "{subject} was {opinion}",
        "i think {subject} was {opinion}",
        "we all felt that {subject} was {opinion}",
        "everybody could see that {subject} was {opinion}",
    ),
    denials=(
        Denial("i do not think {subject} was {opinion}", "do not"),
        Denial("i would not say that {subject} was {opinion}", "would not"),
        Denial("nobody could say that {subject} was {opinion}", "nobody"),
        Denial("it is not true that {subject} was {opinion}", "is not true"),
    ),
    others=words("my brother|my sister|my father|a friend|our neighbour|the newspaper", "|"),
    said="said it was",
    before="{who} said it was {opinion} but {own}",
    after="{own} even if {who} said it was {opinion}",
    neutral=words(
        "we took the bus|it was monday|my bag is blue|two people came in|the train left at noon|i live near the river|"
        "the shop opens at nine|we sat by the window|she called me on tuesday|there are four seats in a row|"
        "the door is on the left|he carried a suitcase|it rained in the morning|the street is long",
        "|",
    ),
    stop=" . ",
    space=" ",
)
