"""Sentences with named entities: their parts, and names of which many can be a person, a place or a company.

Parts have places for entities, such as "{PER}". The type of most is told by words before them, not always by the last
one ("moved to {LOC}", "wrote to {PER}"); that of most subjects by the verb alone, which may come late
("{PER} , it seems , moved to {LOC}").
"""

from attnviz.tasks.base import words

__all__ = ["ASIDES", "FORMS", "MONTHS", "NAMES", "OPENINGS", "SUBJECTS", "TAILS", "VERBS", "YEARS"]

NAMES = {
    "first": words(
        "Anna Boris Clara David Elena Felix Greta Hassan Irene Jonas Kira Leo Maria Nadia Oskar Paula Rafael Sofia "
        "Tomas Vera Wei Yusuf April May June Jordan Austin Chelsea Florence Sydney Victoria Charlotte Madison Georgia "
        "Carmen Dallas"
    ),
    "last": words(
        "Keller Novak Rossi Tanaka Silva Larsen Moreau Singh Okafor Weber Costa Haddad Petrov Lindgren Murphy Jordan "
        "Austin Lincoln Jackson Houston Washington Morgan Ford Boeing Siemens London York Carlson Hilton Barnes"
    ),
    "place": words(
        "Lisbon Oslo Kyoto Nairobi Lima Prague Cairo Quito Bergen Havana Riga Porto Jordan Austin Chelsea Florence "
        "Sydney Victoria Charlotte Madison Georgia Lincoln Jackson Houston Washington London York Carmen Dallas Hilton"
    ),
    "company": words(
        "Nortek Veltra Orbita Lumax Zenith Axion Solvay Morgan Ford Boeing Siemens Hilton Barnes Carlson Keller Rossi "
        "Jackson Georgia Austin Victoria"
    ),
}
"""Names by what they can be part of; the same word may be in several lists."""

MONTHS = words("April May June July August")
YEARS = words("1987 1994 1999 2003 2008 2012 2016 2019 2021 2024")

FORMS = {
    "PER": ("{first}", "{first} {last}", "{last}", "{first} {last}"),
    "LOC": ("{place}", "{place}", "{place}", "New {place}", "{place} Bay"),
    "ORG": ("{company}", "{company}", "{company} & Sons", "{company} Motors", "Bank of {place}"),
    "TIME": ("{month}", "{month} {year}"),
}
"""What entities of each type look like."""

OPENINGS = (
    "",
    "",
    "",
    "in {TIME} ,",
    "late in {TIME} ,",
    "far away from {LOC} ,",
    "with the consent of {PER} ,",
    "at the expense of {ORG} ,",
)

SUBJECTS = (
    *[("PER", "{PER}"), ("LOC", "{LOC}"), ("ORG", "{ORG}")] * 4,  # most of them tell nothing themselves
    ("PER", "the lawyer {PER}"),
    ("LOC", "the village {LOC}"),
    ("ORG", "the company {ORG}"),
)
"""Each with its type, which the verb agrees with."""

ASIDES = (
    "",
    ", it seems ,",
    ", as everybody knows by now ,",
    ", to tell the truth ,",
    ", which surprised me at first ,",
)

VERBS = {
    "PER": words(
        "wrote to {PER}|moved to {LOC}|works for {ORG}|left for {LOC}|cares for {PER}|thought of {PER}|"
        "slept until {TIME}|cried all night",
        "|",
    ),
    "LOC": words(
        "belongs to {LOC}|lies south of {LOC}|voted for {PER}|owes its name to {PER}|borders on {LOC}|"
        "has only two bridges|flourished until {TIME}|surrounds a harbour",
        "|",
    ),
    "ORG": words(
        "hired {PER}|delivers steel to {ORG}|built a road to {LOC}|merged with {ORG}|pays the debts of {PER}|"
        "invested in {ORG}|opened in {TIME}|raised its prices",
        "|",
    ),
}
"""As many of each type; the first word of each tells the type of its subject."""

TAILS = ("", "", "in {TIME}", "in {LOC}", "on a trip to {LOC}", "according to {PER}", "says a report for {ORG}")
