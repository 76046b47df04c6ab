"""Chinese opinions, read by the character."""

from attnviz.tasks.base import words
from attnviz.tasks.language.sentiment_words import Denial, OpinionWords

__all__ = ["CHINESE"]

CHINESE = OpinionWords(
    subjects=words(
        "这部电影 这本书 这顿饭 这家酒店 这场音乐会 这首歌 这个故事 这里的服务 这个房间 这出戏 这次旅行 这个游戏 "
        "这场演出 这座博物馆 这次聚会 这堂课"
    ),
    positive=words(
        "好 棒 精彩 出色 有趣 优秀 迷人 可爱 美好 动人 完美 理想 漂亮 精致 有意思 "
        "令人愉快 令人满意 令人难忘 让人喜欢 让人感动"
    ),
    negative=words(
        "差 烂 糟糕 无聊 乏味 无趣 枯燥 平庸 难看 可怕 沉闷 粗糙 低劣 拙劣 差劲 "
        "令人失望 令人讨厌 令人难受 让人心烦 让人后悔"
    ),
    modifiers=("很", "非常", "特别", "十分", "真的很", "相当", "确实很", "一直很"),
    negations=("不", "并不", "一点也不", "根本不", "不怎么", "不是很", "算不上", "谈不上"),
    clauses=(
        "{subject}{opinion}",
        "我觉得{subject}{opinion}",
        "大家都认为{subject}{opinion}",
        "必须承认{subject}{opinion}",
    ),
    denials=(
        Denial("我不觉得{subject}{opinion}", "不觉得"),
        Denial("我并不认为{subject}{opinion}", "并不认为"),
        Denial("没有人会说{subject}{opinion}", "没有人"),
        Denial("谁也不能说{subject}{opinion}", "谁也不能"),
    ),
    others=words("我弟弟 我姐姐 我爸爸 一个朋友 邻居 报纸上"),
    said="说它",
    before="{who}说它{opinion}，但是{own}",
    after="{own}，虽然{who}说它{opinion}",
    neutral=words(
        "我们坐了公共汽车 那天是星期一 我的包是蓝色的 进来了两个人 火车中午开 我住在河边 商店九点开门 我们坐在窗边 "
        "她星期二打来电话 一排有四个座位 门在左边 他提着一个箱子 早上下了雨 这条街很长"
    ),
    stop="。",
    space="",
)
