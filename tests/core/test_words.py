"""The catalogues keep to the glossary, one word for one thing, and to the typography of their language."""

import re

import pytest

from attnviz import locale

HAN = "[\u4e00-\u9fff]"
CHINESE_VALUE = r"\{(?:mask|metric|part|pattern|positions|rule|split|what)\}"
"""Placeholders that a Chinese word fills: no blank stands beside them."""

OTHER_WORDS = {
    "en": {
        "administrator": r"whoever runs|\boperators?\b",
        "attend": r"\btoken that asks\b|\bpoint that says\b",
        "chance": r"\bguessing\b",
        "default": r"\bthe usual ones?\b",
        "example": r"\bsample text",
        "held-out-set": r"\bunseen\b|nobody trained",
        "mask": r"\bmay not be read\b",
        "patch": r"\btiles?\b",
        "preset": r"\bbegun from\b",
        "rotary-positions": r"\b(?:turned|turns) (?:q|by)\b",
        "shipped-model": r"\bzoo\b",
        "target-return": r"\b[Ww]anted return",
        "upload-and-export": r"\bhand(?:ed)? (?:it )?in\b|take it away",
    },
    "zh": {
        "activations": "激活值",
        "administrator": "管理者|(?<!服务器)管理员",
        "attend": "(?<!无法)(?<!从不)(?<!能)读取|读了哪|读的是|读它|读后面",
        "backward-pass": "(?<!双)反向(?!传播|对角)",
        "batch-size": "批大小|批次|每批|一批",
        "candidate": "候选值",
        "cell": "(?<!隐藏|循环)单元(?!格)",
        "cell-state": "(?<!（)细胞状态",
        "chance": "瞎猜",
        "checkpoint": "保留步|保留的一步",
        "context-vector": "上下文(?!长度|向量；)(?=·)",
        "decoder": r"(?<![\w{])decoders?\b",
        "embedding": r"\bembeddings?\b",
        "encoder": r"(?<![\w{])encoders?\b",
        "example": "例子|样例",
        "exact-match": "完全正确率|完全匹配(?!率)",
        "expected-pattern": "图案",
        "feed-forward-part": "前馈(?!网络)",
        "fourier-spectrum": "Fourier",
        "head": r"(?<!\{)\b(?<!sweep-)(?:Head|Heads|heads)\b(?![}=])",
        "held-out-set": "未见数据|未见过的",
        "hidden-state": "隐藏状态",
        "item-and-session": "物品",
        "key": r"(?<![\w{.])(?:Keys|keys?)(?![\w}])",
        "key-value-pair": "按键",
        "loss": r"\bLoss\b|(?<![\w{/∂])loss\b(?!/)",
        "mask": r"(?<![\w{])mask(?![\w}])",
        "masked": "掩去",
        "masked-out-token": "遮住",
        "nat": r"\bnats\b(?!\})",
        "opinion": "意见",
        "patch": "小块",
        "perplexity": r"(?<!\{)perplexity",
        "pooling": "聚合|汇聚(?!）)(?<!：汇聚)",
        "query": r"(?<![\w{.])(?:Queries|queries|query)(?![\w}])",
        "recurrent-network": "循环模型",
        "rotary-positions": r"\brotary\b",
        "schedule": "学习率曲线",
        "seed": r"(?<!随机)种子|(?<!\{)\bseed\b",
        "shipped-model": r"\bzoo\b|配方|(?<!attnviz )自带(?!模型|的模型|的 Transformer|的各个模型)",
        "sinusoidal-positions": r"\bsinusoidal\b",
        "softmax": r"\bSoftmax\b",
        "target-return": "期望回报",
        "token": r"\bTokens?\b",
        "trace": r"(?<!\.)\btrace\b(?![(.])",
        "value": r"(?<![\w{.])(?:Values|values?)(?![\w}])",
        "walk": "行走",
    },
}
"""Words that stood for a term once, by the id of the term, as regular expressions: the term itself is to be used."""

TYPOGRAPHY = {
    "half-width punctuation beside a Chinese character": f"{HAN}[,;:!?]|[,;:!?]{HAN}",
    "half-width brackets beside a Chinese character": rf"{HAN} ?\(|\){HAN}",
    "no blank between Chinese and Latin letters or digits": f"{HAN}[A-Za-z0-9]|[A-Za-z0-9%]{HAN}",
    "no blank between Chinese and a value": rf"{HAN}\{{|\}}{HAN}",
    "a blank beside full-width punctuation": " [，。；：！？、）》”（《“]|[，。；：！？、（《“”] ",
    "two blanks": "  ",
    "an ellipsis of one sign": r"(?<!…)…(?!…)|\.\.\.",
    "straight quotation marks": '"',
    "a blank beside bold Chinese": rf"\*\* {HAN}|{HAN} \*\*",
    "English at the end of a sentence": f"{HAN}\\.(?:$|\\s)",
}
CODE = re.compile(r'""|heads=\[.*\]|np\.array\(.*?\)')
DATE = re.compile(r"\d+年\d+月\d+日")


@pytest.mark.parametrize(("lang", "term"), [(lang, term) for lang, terms in OTHER_WORDS.items() for term in terms])
def test_one_word_stands_for_one_thing(lang: str, term: str) -> None:
    used = locale.glossary(lang)[term].term
    other = re.compile(OTHER_WORDS[lang][term])
    said = {key: found[0] for key, text in locale.catalogue(lang).items() if (found := other.search(text))}
    assert not said, f"the word is {used!r}"


@pytest.mark.parametrize("rule", TYPOGRAPHY)
def test_chinese_is_set_as_chinese(rule: str) -> None:
    wrong = re.compile(TYPOGRAPHY[rule])
    for key, text in locale.catalogue("zh").items():
        shown = DATE.sub("", re.sub(CHINESE_VALUE, "词", CODE.sub("x", text)))
        found = wrong.search(shown)
        assert not found, f"{key}: {rule}: {shown[max(0, found.start() - 10) : found.end() + 10]!r}"


def test_the_rules_find_what_they_are_for() -> None:
    for rule, wrong in {
        "half-width punctuation beside a Chinese character": "行, 列",
        "half-width brackets beside a Chinese character": "宽度 (d_model)",
        "no blank between Chinese and Latin letters or digits": "第1 层",
        "no blank between Chinese and a value": "{n} 个head{x}的",
        "a blank beside full-width punctuation": "例如 “a”",
        "an ellipsis of one sign": "正在载入…",
        "straight quotation marks": '加"引号',
        "a blank beside bold Chinese": "**注意力** 在",
    }.items():
        assert re.search(TYPOGRAPHY[rule], wrong), rule


def test_the_glossary_is_the_same_in_all_languages() -> None:
    english, *others = map(locale.glossary, locale.LANGUAGES)
    for other in others:
        assert list(other) == list(english)
    for lang in locale.LANGUAGES:
        terms = [term.term for term in locale.glossary(lang).values()]
        assert len(set(terms)) == len(terms)
