"""Chinese opinions, read by the character."""

from attnviz.tasks.base import words
from attnviz.tasks.language.sentiment_words import Denial, OpinionWords

__all__ = ["CHINESE"]

WORKS = words("这部电影 这本书 这个故事 这出戏 这场演出 这场音乐会 这堂课 这个节目 这次展览")
FOOD = words("这顿饭 这道菜")
ROOMS = words("这家酒店 这个房间")
SERVICE = words("这里的服务")
OUTINGS = words("这次旅行 这次聚会")
SUITS = {  # words that are not said of everything
    **dict.fromkeys(words("精彩 出色 有趣 吸引人 感人 新颖 无聊 乏味 枯燥 平庸 沉闷 老套"), WORKS),
    **dict.fromkeys(words("可口 美味 难吃 油腻"), FOOD),
    **dict.fromkeys(words("舒适 整洁 简陋 破旧"), ROOMS),
    **dict.fromkeys(words("周到 热情 冷淡 敷衍"), SERVICE),
}

CHINESE = OpinionWords(
    subjects=WORKS + FOOD + ROOMS + SERVICE + OUTINGS,
    positive=words(
        "好 棒 令人愉快 令人满意 令人难忘 让人喜欢 让人惊喜 让人开心 "
        "精彩 出色 有趣 吸引人 感人 新颖 可口 美味 舒适 整洁 周到 热情"
    ),
    negative=words(
        "差 烂 糟糕 差劲 令人失望 令人讨厌 让人心烦 让人生气 "
        "无聊 乏味 枯燥 平庸 沉闷 老套 难吃 油腻 简陋 破旧 冷淡 敷衍"
    ),
    modifiers=("很", "非常", "特别", "十分", "相当", "真的很"),
    negations=("不", "并不", "一点也不", "一点都不", "根本不", "压根不"),
    clauses=(
        "{subject}{opinion}",
        "我觉得{subject}{opinion}",
        "我认为{subject}{opinion}",
        "在我看来，{subject}{opinion}",
    ),
    denials=(
        Denial("我不觉得{subject}{opinion}", "不觉得"),
        Denial("我不认为{subject}{opinion}", "不认为"),
        Denial("我并不觉得{subject}{opinion}", "并不觉得"),
        Denial("我并不认为{subject}{opinion}", "并不认为"),
    ),
    others=words("我弟弟 我姐姐 我爸爸 一个朋友 邻居 报纸上"),
    said="说",
    before="{who}说{subject}{opinion}，但是{own}",
    after="{own}，尽管{who}说它{opinion}",
    neutral=words(
        "我们是坐公共汽车来的 那天是星期一 我的包是蓝色的 进来了两个人 火车中午开 我住在河边 商店九点开门 我们坐在窗边 "
        "她星期二打来了电话 一排有四个座位 门在左边 他提着一个箱子 早上下了雨 这条街很长"
    ),
    stop="。",
    space="",
    end="。",
    again="它",
    suits=SUITS,
)
