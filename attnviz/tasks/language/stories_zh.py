"""Little stories in Chinese, from a seeded grammar: the corpus of the Chinese character language model.

Built like the English ones (see `stories_en`): names, the colour of the thing and the number are drawn once and come
back later in the story, so that a model gains by looking back at them. Half of the names are put together at random: no
model can know them by heart. No name is a word of the stories.

    >>> story(Random(6))[:42]
    '星期六的早晨，妞妞醒得很早，一个人来到森林里。过生日的时候，妞妞得到了一个金色的气球'
"""

import re
from collections.abc import Iterable, Sequence
from itertools import pairwise
from random import Random
from typing import NamedTuple

from attnviz.tasks.base import words

CHARACTERS = (
    "\n“”、。！，？"
    "一七三上下不丛东丝丢两个串久么乌乐九也书买了事二于云五亮人什今从他以们件企会伞伟位住你佳俊保候借做傲儿先光兔八公"
    "六兰兴册再写农冠冬冲冷准几出刚别刮到刺前办动劳勇勤包匙匠匹医十升午华单卜却原厨去又友发口只叫可台叶吃各名后吗听吹"
    "味和哥哪哭唱商啊善喜嘉器四回园困囱围图圆土在地场坊坐块坡城堡墨壮备夏外多夜大天太夫头奇奶她好妈妞妹始娜娟婷子孔字"
    "孤学宁它宇安完宝实室害家密小就居屋山岁岛己已巾币帆师带帮常幅干年广底店建开弄张强彤很得心志忘忙快怎怕思怡急总悄悦"
    "情惰想意慧懒我戒户房扇手找把抬抱担拿挂指振捡换掉提摇攒支放故敏教敢数整新旁旗日早时旺昊昌明星是晓晚晨最月有朋期木"
    "本朵机村条来杯杰松极枕林枚果柔柿树校样核根桃桥梅梓梦梨棕森楚樱橘橙次欢欣歌正此每毛毯民气水永没河法泼洁洞活浣浩海"
    "涛涵淑清渔温湖湿滑滚满滩灯灰点烟热然熊燕爬爱爸牛狐狗狮狸猪猫猬猴玉玩现玲珍珠球琪琳琴生用画白的皇皮盏盒直看真着睡"
    "知磊磨礼福秀种秘稳空突窗立站笑笔笛等筝管篮米粉糕糖紫累红纸细终绍经给绿羊美羞羽老耐聪胡能脚自舞船艘良色芬花芳若英"
    "苹草莓莲萄萝落葡蒙蓝蕉虎蛋蛙蜗螺行衣表袋被西要见觉认让记讲识诚话说请读谁调谢豆象豪豹貌贝走起越跑路跳车轩软辉边过"
    "近还这进远连追送遇道那邻都醒里金钥钱铃铅铛银长门问间阳阵阿陀附院难雀雅雨雪雯雾青静面顶颗风饼馆馒香马驼骄骆骑高鲜"
    "鸟鸡鸭鹅鹏鹰鹿黄黑鼓鼠齐龙龟"
)
"""Every character of the stories: known before they are written."""

BOYS = words(
    "小明 小刚 小辉 小强 小伟 小杰 小勇 小华 小东 阿宝 阿福 阿旺 阿昌 乐乐 亮亮 壮壮 磊磊 涛涛 鹏鹏 志远 子轩 子墨 "
    "浩然 家明 建林 昊宇 思齐 俊豪 立新 振华 嘉诚 绍安"
)
GIRLS = words(
    "小红 小芳 小琳 小玲 小燕 小梅 小兰 小云 小娟 小敏 阿香 阿珍 阿秀 阿莲 朵朵 贝贝 妞妞 婷婷 娜娜 若兰 雅琴 梦琪 "
    "欣怡 佳慧 晓彤 晓雯 梓涵 美玲 秀英 静洁 淑芬 悦宁"
)
KINDS = words(  # measure word and noun
    "只兔子 只狐狸 只小猫 只小狗 只小熊 只老虎 头狮子 只猴子 头大象 只松鼠 只刺猬 只青蛙 只乌龟 只小鸟 只鸭子 只白鹅 "
    "只山羊 匹小马 头小牛 头小猪 只老鼠 只熊猫 只企鹅 只海豹 只猫头鹰 只蜗牛 只浣熊 只小鹿 只孔雀 条小龙 头骆驼 只袋鼠 "
    "位老师 位水手 位农民 个机器人 位渔夫 位木匠 位医生 位画家"
)
TRAITS = words(
    "勇敢 聪明 善良 活泼 害羞 安静 快乐 好奇 细心 耐心 调皮 勤劳 懒惰 骄傲 诚实 温柔 孤单 可爱 有礼貌 爱唱歌 爱睡觉 "
    "爱读书"
)
COLOURS = words("红色 黄色 蓝色 绿色 白色 黑色 紫色 粉色 金色 银色 灰色 橙色 棕色")
THINGS = words(  # measure word, noun and what can be done with it: a sentence that begins with "风:" is for what has 风
    "把雨伞:风挂包 把钥匙:包 把小提琴:抱 把扇子:风挂做包 顶皇冠:挂做 条围巾:风挂抱包 条毯子:风挂抱 条丝带:风挂包 "
    "件大衣:挂抱 件毛衣:风挂抱 本书:抱包 本画册:抱包 个气球:风挂 个皮球:滚抱 个书包:挂抱做 个篮子:挂做 个杯子:滚包 "
    "个铃铛:滚挂包 个盒子:抱做 个枕头:抱做 个陀螺:滚做包 只风筝:风挂做 "
    "只纸船:风做包 盏提灯:挂做 支铅笔:滚包 支笛子:做包 "
    "面小鼓:滚抱做 面旗子:风挂做 块手表:包 张地图:风包 枚戒指:滚包 颗珠子:滚包 根羽毛:风包"
)
FOODS = words(  # measure word and noun; what can be carried, eaten on the way and given away
    "个苹果 个梨 个桃子 个橘子 个包子 个馒头 个鸡蛋 个土豆 个西红柿 根胡萝卜 根香蕉 根玉米 颗草莓 颗樱桃 颗核桃 颗糖 "
    "块饼干 块蛋糕 块月饼 串葡萄"
)
HOMES = words(
    "森林里 村子里 小岛上 山坡上 河边 湖边 海边 桥边 路边 城堡旁边 学校旁边 公园旁边 车站附近 磨坊后面 花园后面"
)
PLACES = words(
    "森林里 花园里 山洞里 厨房里 图书馆里 公园里 村子里 院子里 教室里 草地上 小岛上 海滩上 屋顶上 山坡上 广场上 "
    "河边 湖边 海边 桥边 路边 大树下 窗台下 城堡旁边 学校门口 车站附近 磨坊后面"
)
DAYS = words("星期一 星期二 星期三 星期四 星期五 星期六 星期天")
NUMBERS = words("两 三 四 五 六 七 八 九 十")

INTRODUCTIONS = (
    "从前，有一{mk}{trait}的{kind}，名字叫{hero}。",
    "很久很久以前，{home}住着一{mk}{trait}的{kind}，叫{hero}。",
    "{hero}是一{mk}{trait}的{kind}，住在{home}。",
    "{hero}和{friend}是最好的朋友，{they}都住在{home}。",
    "每到{day}，{hero}都要到{place}去玩。",
    "这是{hero}和{friend}的故事。{hero}是一{mk}{trait}的{kind}。",
    "{home}有一间小屋，屋里住着{kind}{hero}和{kind2}{friend}。",
)
WEATHER = words("天气很冷，地上都是雪。|外面下着雨，路很湿。|风刮得很大。|树叶开始落了。|空气里有花的香味。", "|")
BY_DAY = words("阳光很好。|天空灰蒙蒙的，有很多云。|下午热极了。|天上一朵云也没有。", "|")
OCCASIONS = (  # a sentence that says when, and the weather that there can be then
    ("{day}，{trait}的{kind}{hero}来到{place}。", WEATHER + BY_DAY),
    ("{day}的早晨，{hero}醒得很早，一个人来到{place}。", (*WEATHER, "太阳刚刚升起来。", "外面是大雾。")),
    ("有一天晚上，{trait}的{hero}怎么也睡不着，就到{place}走一走。", (*WEATHER, "月亮又圆又亮。", "天上有很多星星。")),
)
DETAILS = (
    "{he}有两个哥哥和一个妹妹，他们都会唱歌。",
    "每天晚上，{he}都把看到的事情讲给妈妈听。",
    "{he}很会讲故事，可是不会骑自行车。",
    "{hero}喜欢热牛奶、软面包和长长的故事。",
    "害怕的时候，{he}就从一数到十。",
    "{he}的爸爸是面包师，每天起得很早。",
    "{hero}正在学跳舞，已经跳得很好了。",
    "{he}常常想，山的那边到底有什么。",
    "没有人知道{he}几岁，连最好的朋友{friend}也不知道。",
    "冬天{he}总在家里睡觉，夏天总在外面玩。",
    "{he}从来没有见过雪山，可是每天夜里都梦见它。",
    "{friend}讲的笑话总能让{he}笑起来。",
    "{he}的房间里挂着一幅画，画的是一艘有{number2}面帆的船。",
    "{hero}有一个秘密，只有{friend}知道。",
    "{he}的房子有圆圆的门、{number2}扇窗户和一个很小的烟囱。",
    "{he}的房子后面开满了各种各样的鲜花。",
    "邻居们都认识{hero}，也都喜欢{he}。",
    "{he}把什么都记在本子上，连时间也写得清清楚楚。",
)
GIFTS = (
    "{he}有一{m}{colour}的{thing}，走到哪里都带着。",
    "做:{he}自己动手做了一{m}{colour}的{thing}。",
    "过生日的时候，{hero}得到了一{m}{colour}的{thing}。",
    "包:{he}的包里有一{m}{colour}的{thing}，还有{number}{food}。",
    "{he}最喜欢的东西是一{m}{colour}的{thing}。",
    "奶奶送给{he}一{m}{colour}的{thing}。",
    "{he}准备了一{m}{colour}的{thing}，想送给{friend}。",
    "{he}攒了一年的钱，买了一{m}{colour}的{thing}。",
    "{he}在草丛里捡到一{m}{colour}的{thing}。",
    "{friend}送给{he}一{m}{colour}的{thing}。",
    "在商店里，{he}看见一{m}{colour}的{thing}，就用{number}个金币买了下来。",
)
SEARCHES = (  # in the order of time, of each line one at most
    ("{hero}坐下来，哭了一会儿。",),
    ("{hero}到{place2}去找，什么也没有找到。", "{he}先去{place2}找，又去{place3}找，见到谁就问谁。"),
    ("“你看见我的{thing}了吗？”{he}问，“它是{colour}的。”",),
    (
        "{he}去问{kind4}，{kind4}只是摇了摇头。",
        "“你是谁？”{kind4}问。“我叫{hero}，”{hero}说，“我丢了一{m}{colour}的{thing}。”",
    ),
    ("{kind2}{friend}走过来，问发生了什么事。", "{hero}叫来了{friend}，{friend}马上就到了。"),
    ("“别担心，”{friend}说，“我们一起去找。”",),
    (
        "{hero}和{friend}走了{number}个小时，路上吃了{number2}{food}。",
        "“我太累了，走不动了。”{hero}说。{friend}给了{he}{number2}{food}。",
    ),
    ("路越来越难走，可是{friend}一点也不害怕。",),
    ("{he}想啊想，终于想出了一个好办法。",),
)
ASKED = ("“你最后一次在哪里看见它？”{friend}问。“在{place2}。”{hero}说。",)  # where nobody knows what happened
BROUGHT = (
    "这时候，{friend}拿着{colour}的{thing}跑来了。",
    "原来是一{mk3}{kind3}捡到了{thing}，现在还给了{hero}。",
    "“快看，{hero}！”{friend}说，“这是不是你的{thing}？”",
    "这时来了一{mk3}{kind3}，手里拿着一{m}{colour}的{thing}。“这是你的吗？”{kind3}问。",
)
FOUND = (
    "最后，{friend}看见{lost}有一个{colour}的东西，原来就是{thing}！",
    "那{m}{colour}的{thing}就在{lost}放着。",
    "{friend}在{lost}找到了{thing}，已经等了{hero}一整天。",
)
HANGS = "挂:{hero}抬头一看，那{m}{colour}的{thing}就挂在树上。"


class Plot(NamedTuple):
    """A way in which the thing is lost, and the ways in which it can come back after that."""

    troubles: tuple[str, ...]
    searches: tuple[tuple[str, ...], ...]
    finds: tuple[str, ...]


PLOTS = (
    Plot(  # nobody knows where it is
        (
            "可是{he}回到家，发现{thing}不见了。",
            "可是在回家的路上，{he}把{thing}弄丢了。",
            "突然，{he}怎么也找不到它了。",
        ),
        (*SEARCHES[:6], ASKED, *SEARCHES[6:]),
        (*BROUGHT, *FOUND, HANGS, "包:原来{thing}一直在{he}的包里！"),
    ),
    Plot(
        ("可是回家的时候，{he}把{thing}忘在了{lost}。", "后来{he}急着回家，却把{thing}忘在了{lost}。"),
        (*SEARCHES[:6], ASKED, *SEARCHES[6:]),
        (*BROUGHT, *FOUND),
    ),
    Plot(("风:可是在路上，一阵大风把{thing}吹走了。",), SEARCHES, (*BROUGHT, HANGS)),
    Plot(("过河的时候，{hero}脚下一滑，{thing}掉进水里，被冲走了。",), SEARCHES, BROUGHT),
    Plot(
        ("滚:爬山的时候，{hero}没有拿稳，{thing}滚下了山坡。",),
        SEARCHES,
        (*BROUGHT, "{friend}在山坡下面的草丛里找到了那{m}{colour}的{thing}。"),
    ),
    Plot(
        ("可是来了一{mk3}{kind3}，拿起{thing}就跑。", "可是一{mk3}{kind3}也很喜欢那{m}{thing}，悄悄地把它拿走了。"),
        SEARCHES,
        (
            "最后{hero}送给{kind3}{number}{food}，换回了那{m}{colour}的{thing}。",
            "原来{kind3}只是想借来看看，现在把{thing}还给了{hero}。",
            "{friend}追上了{kind3}，把那{m}{colour}的{thing}要了回来。",
        ),
    ),
)
ENDINGS = (  # in the order of time; "友": the friend was spoken of
    "友:“谢谢你，{friend}，”{hero}说，“你真是我的好朋友。”",
    "{hero}高兴得跳起舞来。",
    "友:{hero}笑了，{friend}也笑了，大家都笑了。",
    "友:“下个{day}我们再一起玩。”{friend}说。{hero}点了点头。",
    "友:{hero}和{friend}回到家，一起吃了{number}{food}。",
    "抱:“今天真有意思！”{hero}说完，抱着{thing}睡着了。",
    "那天夜里，{hero}睡得很香。",
    "{hero}明白了，遇到困难要请别人帮忙。",
    "从那天起，{hero}把那{m}{colour}的{thing}保管得好好的。",
    "从此以后，{hero}再也没有丢过{thing}。",
    "友:{friend}和{hero}永远是好朋友。",
)


OTHERS = re.compile(r"\{(friend|kind3|kind4)\}")
UNKNOWN = re.compile(r"(?<![友}])\{friend\}")  # nothing before it says who that is


def name(random: Random, known: Sequence[str]) -> str:
    """Return a name from the list or, half of the time, one put together from the characters of two of them."""
    if random.random() < 0.5:
        return random.choice(known)
    given = [each for each in known if each[0] != each[1]]
    return random.choice(given)[0] + random.choice(given)[1]


def _fitting(templates: Iterable[str], can: str) -> list[str]:
    """Return the templates that are for every thing, and those for things that can what this one can."""
    parts = [template.rpartition(":") for template in templates]
    return [text for needed, _, text in parts if needed in can]


def _in_order(random: Random, n: int, most: int) -> list[int]:
    """Return one to `most` of the first n numbers, the smallest first."""
    return sorted(random.sample(range(n), random.randint(1, most)))


def _clear(sentences: Sequence[str]) -> str:
    """Join sentences: the hero is called by name after one about somebody else; the friend is said to be a friend."""
    text = sentences[0]
    for before, sentence in pairwise(sentences):
        if OTHERS.search(before) and "{hero}" not in sentence.partition("{he}")[0]:
            sentence = sentence.replace("{he}", "{hero}", 1)
        if "{friend}" not in text:
            sentence = UNKNOWN.sub("朋友{friend}", sentence, 1)
        text += sentence
    return text


def story(random: Random) -> str:
    """One story, five to ten sentences in one line, without a line break at its end."""
    male, friend_is_male = random.random() < 0.5, random.random() < 0.5
    hero = name(random, BOYS if male else GIRLS)
    friend = name(random, [known for known in (BOYS if friend_is_male else GIRLS) if known != hero])
    kinds = random.sample(KINDS, 4)
    home = random.choice(HOMES)
    places = random.sample([place for place in PLACES if place != home], 4)
    numbers = random.sample(NUMBERS, 2)
    thing, _, can = random.choice(THINGS).partition(":")
    fields = {
        "hero": hero,
        "friend": friend,
        "he": "他" if male else "她",
        "they": "他们" if male or friend_is_male else "她们",
        "mk": kinds[0][0],
        "kind": kinds[0][1:],
        "kind2": kinds[1][1:],
        "mk3": kinds[2][0],
        "kind3": kinds[2][1:],
        "kind4": kinds[3][1:],
        "trait": random.choice(TRAITS),
        "colour": random.choice(COLOURS),
        "m": thing[0],
        "thing": thing[1:],
        "food": random.choice(FOODS),
        "home": home,
        "place": places[0],
        "place2": places[1],
        "place3": places[2],
        "lost": places[3],
        "day": random.choice(DAYS),
        "number": numbers[0],
        "number2": numbers[1],
    }
    sentences = _beginning(random)
    sentences.append(random.choice(_fitting(GIFTS, can)))
    trouble, plot = random.choice([(text, plot) for plot in PLOTS for text in _fitting(plot.troubles, can)])
    sentences.append(trouble)
    sentences.extend(random.choice(plot.searches[i]) for i in _in_order(random, len(plot.searches), 3))
    sentences.append(random.choice(_fitting(plot.finds, can)))
    endings = _fitting(ENDINGS, can + "友" * any("{friend}" in sentence for sentence in sentences))
    sentences.extend(endings[i] for i in _in_order(random, len(endings), 2))
    return _clear(sentences).format(**fields)


def _beginning(random: Random) -> list[str]:
    """Who it is about, or when it was; at times the weather and something about the hero."""
    weather = random.random() < 0.4
    details = [random.choice(DETAILS)] if random.random() < 0.5 else []
    if random.random() < 0.7:
        day = f"有一天，{random.choice(WEATHER + BY_DAY)}"
        return [random.choice(INTRODUCTIONS), *details, *([day] if weather else [])]
    occasion, possible = random.choice(OCCASIONS)
    return [occasion, *([random.choice(possible)] if weather else []), *details]
