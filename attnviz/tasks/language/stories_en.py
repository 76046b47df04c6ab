"""Little stories in English, from a seeded grammar: the corpus of the English character language model.

A story tells who wanted what, what happened, and how it ended. The names, the colour of the thing and the number are
drawn once and come back later in the story, so that a model gains by looking back at them. Half of the names are
invented: no model can know them by heart.

    >>> from random import Random
    >>> story(Random(6))[:102]
    'Mabewil was a cheerful wizard who lived in the attic. She had made a pink umbrella with her own hands.'
"""

import string
from collections.abc import Sequence
from random import Random

from attnviz.tasks.base import words

CHARACTERS = string.ascii_letters + string.digits + '\n !",.?'
"""Every character of the stories: known before they are written."""

BOYS = words(
    "Adam Alfie Arthur Ben Bruno Carl Dan Eddie Emil Felix Finn Fred George Gus Hugo Ian Igor Jack Jim Jonah Kai Ken "
    "Leo Luke Max Milo Ned Noah Oscar Otto Pablo Paul Quinn Ralph Rob Sam Simon Theo Tim Tom Umberto Victor Will "
    "Xavier Yusuf Zach"
)
GIRLS = words(
    "Ada Alice Amy Bella Carla Clara Daisy Dora Ella Emma Eva Faye Fiona Gina Grace Hanna Ida Iris Ivy Jane June Kate "
    "Kim Lena Lily Lucy Maya Mia Molly Nina Nora Olive Pia Poppy Queenie Rosa Ruby Sara Sophie Tess Una Vera Wanda "
    "Xenia Yara Zoe"
)
KINDS = words(
    "baker bear beaver bird cat crow deer dog donkey duck elephant fox frog giant goat goose hedgehog horse "
    "lion mole monkey mouse otter owl panda penguin pig rabbit robot sailor seal sheep snail squirrel tiger turtle "
    "wizard wolf"
)
TRAITS = words(
    "brave bright busy calm careful cheerful clever curious funny gentle happy honest hungry kind little lonely merry "
    "noisy old patient playful polite proud quick quiet shy sleepy small strong tall tiny wise young"
)
COLOURS = words("black blue brown golden green grey orange pink purple red silver white yellow")
THINGS = words(
    "apron ball balloon basket bell bicycle blanket boat book bowl box brush button cap chair clock coat cup drum fan "
    "feather flag flute hat jar kettle key kite lamp lantern map mug pencil pillow ribbon ring scarf shell shoe spoon "
    "stone sweater toy train umbrella violin wagon whistle"
)
FOODS = words(
    "apples beans berries biscuits cakes carrots cherries cookies dumplings eggs figs grapes lemons melons muffins "
    "nuts olives onions pancakes peaches pears pies plums potatoes radishes sandwiches tomatoes walnuts"
)
PLACES = words(
    "at the market|at the old mill|at the station|at the zoo|behind the barn|by the lake|by the river|"
    "by the sea|in a cave|in a quiet valley|in the attic|in the forest|in the garden|in the kitchen|in the library|"
    "in the meadow|in the park|in the square|in the village|near the bridge|near the castle|near the harbour|"
    "on a green hill|on a small island|on the beach|on the farm|on the roof|under the big oak tree",
    "|",
)
DAYS = words("Monday Tuesday Wednesday Thursday Friday Saturday Sunday")
WEATHER = words(
    "It was a warm and sunny day.|It was cold, and snow lay on the ground.|It was raining, and the paths were wet.|"
    "The sky was grey and full of clouds.|The wind was blowing hard.|There was a thick fog that morning.|"
    "The sun was just coming up.|The moon was round and bright.|The first leaves were falling.|"
    "The air smelled of flowers.|It was a hot afternoon.|There was not one cloud in the sky.",
    "|",
)

OPENINGS = (
    "Once upon a time there was {a_trait} {kind} named {hero}.",
    "There once lived {a_trait} {kind} named {hero}, who loved to be {place}.",
    "On {day}, {a_trait} {kind} named {hero} was {place}.",
    "{hero} was {a_trait} {kind} who lived {place}.",
    "Long ago, {a_trait} {kind} called {hero} lived {place} with {friend} the {kind2}.",
    "{hero} the {kind} and {friend} the {kind2} were best friends.",
    "Every {day}, {hero} the {kind} went for a walk {place}.",
    "This is the story of {hero}, {a_trait} {kind}, and of {his} friend {friend}.",
    "Early on {day}, {hero} the {kind} woke up and looked out of the window.",
    "{hero} and {friend} lived {place}.",
    "One day {hero}, {a_trait} {kind}, could not sleep.",
    "In a house {place} lived {a_trait} {kind} whose name was {hero}.",
)
GIFTS = (
    "{He} had {a_colour} {thing}, and {he} took it everywhere.",
    "{He} had made {a_colour} {thing} with {his} own hands.",
    "For {his} birthday, {hero} had got {a_colour} {thing}.",
    "In {his} bag were {a_colour} {thing} and {number} {food}.",
    "What {he} loved most was {his} {colour} {thing}.",
    "Under the bed {he} kept {a_colour} {thing}.",
    "{His} grandmother had given {him} {a_colour} {thing}.",
    "{He} wanted to give {friend} {a_colour} {thing}.",
    "{He} had saved for a year to buy {a_colour} {thing}.",
    "That morning {he} found {a_colour} {thing} in the grass.",
    "{friend} had lent {him} {a_colour} {thing}.",
    "In a shop {he} saw {a_colour} {thing}, and {he} bought it for {number} coins.",
)
DETAILS = (
    "{He} had two brothers and one sister, and all of them could sing.",
    "Every evening {he} told {his} mother what {he} had seen.",
    "{He} could run fast, but {he} could not swim.",
    "{hero} liked warm milk, soft bread and long stories.",
    "When {he} was afraid, {he} counted to ten.",
    "{His} father was a baker and got up very early.",
    "{hero} was learning to read, and {he} knew almost every letter.",
    "{He} often wondered what was behind the mountains.",
    "Nobody knew how old {he} was, not even {friend}.",
    "In winter {he} slept a lot, and in summer {he} was always outside.",
    "{He} had never seen the sea, but {he} dreamed of it every night.",
    "{friend} was the only one who could make {him} laugh.",
    "On the wall hung a picture of a ship with {number2} sails.",
    "{hero} had a secret that only {friend} knew.",
    "The house had a round door, {number2} windows and a very small chimney.",
    "Behind the house grew flowers of every kind.",
    "Teachers, farmers and sailors all knew {hero} by name.",
    "{He} wrote everything down, with the date and the hour.",
)
TROUBLES = (
    "But when {he} came home, the {thing} was gone.",
    "But the wind took the {thing} and carried it away.",
    "Then the {thing} fell into the water with a loud splash.",
    "But {kind3_a} came by and ran away with the {thing}.",
    "Then {hero} slipped, and the {colour} {thing} rolled down the hill.",
    "But on the way home {he} lost the {thing}.",
    "One evening the {thing} broke into {number} pieces.",
    "But that night {he} forgot the {thing} {place2}.",
    "Then it began to rain, and {hero} left the {thing} {place2}.",
    "But {a_trait2} {kind3} wanted the {colour} {thing} too.",
    "Suddenly {he} could not find it any more.",
    "Then {kind3_a} jumped out and shouted, and {hero} dropped the {thing}.",
)
SEARCHES = (
    "{hero} looked {place2}, but there was nothing.",
    "{He} looked {place2} and {place3}, and {he} asked everyone {he} met.",
    "{hero} sat down and cried for a while.",
    '"Do not worry," said {friend}. "We will find it together."',
    "{friend} the {kind2} came along and asked what was wrong.",
    '"Have you seen my {thing}?" {he} asked. "It is {colour}."',
    '"Where did you see it last?" asked {friend}. "It was {place2}," said {hero}.',
    "They walked for {number} hours and ate {number2} {food} on the way.",
    "First {he} asked {kind3_a}, but the {kind3} had seen nothing.",
    '"If I had {number} {food}, I would give them all to get it back," said {hero}.',
    "{hero} called {friend}, and {friend} came at once.",
    "{He} thought and thought, and at last {he} had an idea.",
    '"I am too tired to go on," said {hero}, but {friend} gave {him} {number2} {food}.',
    '"Who are you?" asked {kind3_a}. "My name is {hero}," said {hero}, "and I have lost my {colour} {thing}."',
    "They asked at {number} houses, and at each one somebody was kind to them.",
    "It was getting dark, but {friend} was not afraid.",
)
FINDS = (
    "At last {friend} saw something {colour} {place3}. It was the {thing}!",
    "And there, {place3}, was the {colour} {thing}.",
    "Then {friend} came running with the {colour} {thing}.",
    "{Kind3_a} had kept the {thing} safe and gave it back to {hero}.",
    '"Look, {hero}!" said {friend}. "Is this your {colour} {thing}?"',
    '"Is this yours?" asked {kind3_a}, and held up {a_colour} {thing}.',
    "When {hero} looked up, the {thing} was hanging in a tree.",
    "{friend} had found the {thing} {place3} and had been looking for {hero} all day.",
    "In the end {hero} gave the {kind3} {number} {food} and got the {colour} {thing} back.",
    "The {thing} had been in {his} bag all the time!",
)
ENDINGS = (
    '"Thank you, {friend}," said {hero}. "You are a true friend."',
    "{hero} was so happy that {he} danced {place3}.",
    "From that day on, {hero} and {friend} shared the {colour} {thing}.",
    "They went home and ate {number} {food} together.",
    "{hero} laughed, {friend} laughed, and soon everyone was laughing.",
    "And {hero} never lost the {thing} again.",
    "That night {hero} slept very well.",
    '"Next {day} we will play again," said {friend}, and {hero} smiled.',
    "So {hero} learned that it is good to ask for help.",
    "{friend} and {hero} stayed friends for ever.",
    '"What a day!" said {hero}, and went to bed with the {thing} beside {him}.',
    "And if you go there on a {day}, you can still see {hero} with the {colour} {thing}.",
)


def with_article(words: str) -> str:
    """Return the words with "a" or "an" in front: ``with_article("old owl")`` is ``"an old owl"``."""
    return f"{'an' if words[0].lower() in 'aeiou' else 'a'} {words}"


def invented(random: Random, syllables: int) -> str:
    """Return a word nobody has heard before, such as "tivo"."""
    pairs = (random.choice("bdfghjklmnprstvwyz") + random.choice("aeiou") for _ in range(syllables))
    return "".join(pairs)


def name(random: Random, known: Sequence[str]) -> str:
    """Return a name from the list or, half of the time, an invented one such as "Tivo" or "Malunel"."""
    if random.random() < 0.5:
        return random.choice(known)
    return (invented(random, random.randint(2, 3)) + random.choice(("", "", "l", "n", "r", "s"))).capitalize()


def story(random: Random) -> str:
    """One story, five to ten sentences in one line, without a line break at its end."""
    male = random.random() < 0.5
    hero = name(random, BOYS if male else GIRLS)
    friend = name(random, [known for known in BOYS + GIRLS if known != hero])
    kinds = random.sample(KINDS, 3)
    traits = random.sample(TRAITS, 2)
    places = random.sample(PLACES, 3)
    numbers = random.sample(range(2, 21), 2)
    colour = random.choice(COLOURS)
    pronouns = ("he", "his", "him") if male else ("she", "her", "her")
    fields = {
        "hero": hero,
        "friend": friend,
        "kind": kinds[0],
        "kind2": kinds[1],
        "kind3": kinds[2],
        "kind3_a": with_article(kinds[2]),
        "Kind3_a": with_article(kinds[2]).capitalize(),
        "a_trait": with_article(traits[0]),
        "a_trait2": with_article(traits[1]),
        "colour": colour,
        "a_colour": with_article(colour),
        "thing": random.choice(THINGS),
        "food": random.choice(FOODS),
        "place": places[0],
        "place2": places[1],
        "place3": places[2],
        "day": random.choice(DAYS),
        "number": str(numbers[0]),
        "number2": str(numbers[1]),
        "he": pronouns[0],
        "his": pronouns[1],
        "him": pronouns[2],
        "He": pronouns[0].capitalize(),
        "His": pronouns[1].capitalize(),
    }
    sentences = [random.choice(OPENINGS)]
    if random.random() < 0.4:
        sentences.append(random.choice(WEATHER))
    if random.random() < 0.5:
        sentences.append(random.choice(DETAILS))
    sentences.append(random.choice(GIFTS))
    sentences.append(random.choice(TROUBLES))
    sentences.extend(random.sample(SEARCHES, random.randint(1, 3)))
    sentences.append(random.choice(FINDS))
    sentences.extend(random.sample(ENDINGS, random.randint(1, 2)))
    return " ".join(sentences).format(**fields)
