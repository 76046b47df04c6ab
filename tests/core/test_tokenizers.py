"""Nothing is dropped on the way from text to ids and back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attnviz.errors import ConfigError, EmptyText, UnknownSymbols
from attnviz.tokenizers import Tokenizer

LETTERS = Tokenizer("symbols", ("a", "b", "ten"), add_bos=True)
CHARACTERS = Tokenizer("characters", tuple("ab \n你"), add_eos=True)


def test_symbols_are_separated_by_any_white_space() -> None:
    assert LETTERS.encode(" ten\tb \n a") == [1, 5, 4, 3]
    assert LETTERS.decode([1, 5, 4, 3]) == "ten b a"


def test_characters_keep_white_space() -> None:
    assert CHARACTERS.encode("a \n你") == [3, 5, 6, 7, 2]
    assert [CHARACTERS.label(i) for i in range(3)] == ["<pad>", "<bos>", "<eos>"]


@pytest.mark.parametrize("text", ["", " ", "\n\t", "\u3000"])
def test_empty_text_is_refused(text: str) -> None:
    with pytest.raises(EmptyText, match="Type a sequence"):
        LETTERS.encode(text)


def test_unknown_symbols_are_all_named_once_in_order() -> None:
    with pytest.raises(UnknownSymbols, match="does not know 'x', '<bos>', '😀'") as caught:
        LETTERS.encode("a x <bos> 😀 x b")
    assert caught.value.symbols == ["x", "<bos>", "😀"]
    assert caught.value.known == ["a", "b", "ten"]


@pytest.mark.parametrize("text", ["\u0301", "\u202e", "\x00", "م", "<", "👩\u200d🚀"])
def test_odd_characters_are_named_too(text: str) -> None:
    with pytest.raises(UnknownSymbols) as caught:
        CHARACTERS.encode("a" + text)
    assert caught.value.symbols == list(dict.fromkeys(text))


@given(st.lists(st.sampled_from(CHARACTERS.symbols)).map("".join).filter(str.strip))
def test_decode_gives_the_text_back(text: str) -> None:
    assert CHARACTERS.decode(CHARACTERS.encode(text)) == text


def test_dict_round_trip() -> None:
    assert Tokenizer.from_dict(LETTERS.to_dict()) == LETTERS


@pytest.mark.parametrize(
    ("kind", "symbols"),
    [("words", ("a",)), ("symbols", ()), ("symbols", ("a", "a")), ("symbols", ("a b",)), ("characters", ("ab",))],
)
def test_impossible_vocabularies_are_refused(kind: str, symbols: tuple[str, ...]) -> None:
    with pytest.raises(ConfigError):
        Tokenizer(kind, symbols)  # type: ignore[arg-type]


def test_one_symbol_may_stand_for_all_that_are_not_known() -> None:
    tokenizer = Tokenizer("symbols", ("<unk>", "a"), unknown="<unk>")
    assert tokenizer.encode("a strange <unk>") == [4, 3, 3]
    assert Tokenizer.from_dict(tokenizer.to_dict()) == tokenizer
    with pytest.raises(ConfigError, match="one of the tokenizer’s symbols"):
        Tokenizer("symbols", ("a",), unknown="<unk>")
