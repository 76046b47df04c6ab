"""Little stories in Chinese, from a seeded grammar: the corpus of the Chinese character language model.

Built like the English ones (see `stories_en`): names, the colour of the thing and the number are drawn once and come
back later in the story, so that a model gains by looking back at them. Half of the names are put together at random: no
model can know them by heart.

    >>> story(Random(6))[:42]
    '紫贝是一位调皮的木匠，住在教室里。她最喜欢的是那张金色的地图。突然，她怎么也找不到它'
"""

from collections.abc import Sequence
from random import Random

from attnviz.tasks.base import words

BOYS = words(
    "小明 小刚 小龙 小军 小强 小伟 小杰 小勇 小华 小东 大山 大壮 阿宝 阿福 阿牛 阿毛 乐乐 豆豆 天天 亮亮 壮壮 磊磊 "
    "石头 冬冬 海洋 志远 子轩 浩然 家明 建国 文博 思齐"
)
GIRLS = words(
    "小雨 小红 小芳 小丽 小玲 小雪 小燕 小梅 小兰 小云 阿香 阿珍 安安 圆圆 甜甜 朵朵 贝贝 妞妞 婷婷 静静 果果 糖糖 "
    "月月 春花 秋叶 若兰 雅琴 梦琪 欣怡 佳慧 晓彤 紫薇"
)
KINDS = words(  # measure word and noun
    "只兔子 只狐狸 只小猫 只小狗 头小熊 只老虎 头狮子 只猴子 头大象 只松鼠 只刺猬 只青蛙 只乌龟 只小鸟 只鸭子 只白鹅 "
    "只山羊 匹小马 头小牛 头小猪 只老鼠 只熊猫 只企鹅 只海豹 只猫头鹰 只蜗牛 只蜜蜂 只蝴蝶 条小鱼 条小龙 头骆驼 只袋鼠 "
    "位老师 位水手 位农民 个机器人 位渔夫 位木匠 位医生 位画家"
)
TRAITS = words(
    "勇敢 聪明 善良 活泼 害羞 安静 快乐 好奇 细心 耐心 调皮 勤劳 懒惰 骄傲 诚实 温柔 孤单 可爱 有礼貌 爱唱歌 爱睡觉 "
    "爱读书"
)
COLOURS = words("红色 黄色 蓝色 绿色 白色 黑色 紫色 粉色 金色 银色 灰色 橙色 棕色")
THINGS = words(  # measure word and noun
    "把雨伞 把钥匙 把小提琴 把椅子 把扇子 顶帽子 条围巾 条毯子 条丝带 件大衣 件毛衣 本书 本日记 个气球 个皮球 个书包 "
    "个篮子 个杯子 个铃铛 个盒子 个枕头 只风筝 只小船 只手套 只鞋子 盏灯 盏灯笼 支铅笔 支笛子 面小鼓 面旗子 辆自行车 "
    "块石头 块手表 张地图 枚戒指 颗珠子 根羽毛"
)
FOODS = words(  # measure word and noun
    "个苹果 个梨 个桃子 个橘子 个包子 个饺子 个鸡蛋 个土豆 个西红柿 根胡萝卜 根香蕉 根玉米 颗草莓 颗樱桃 颗核桃 颗糖 "
    "块饼干 块蛋糕 块豆腐 串葡萄 碗面条 碗米饭 杯牛奶"
)
PLACES = words(
    "森林里 花园里 山洞里 厨房里 图书馆里 公园里 村子里 院子里 教室里 草地上 小岛上 海滩上 屋顶上 山坡上 广场上 "
    "河边 湖边 海边 桥边 路边 大树下 窗台下 城堡旁边 学校门口 车站附近 磨坊后面"
)
DAYS = words("星期一 星期二 星期三 星期四 星期五 星期六 星期天")
NUMBERS = words("两 三 四 五 六 七 八 九 十 十二 二十")
WEATHER = words(
    "那天阳光很好。|天气很冷，地上都是雪。|外面下着雨，路很湿。|天空灰灰的，有很多云。|风刮得很大。|早晨起了大雾。|"
    "太阳刚刚升起来。|月亮又圆又亮。|树叶开始落了。|空气里有花的香味。|下午热极了。|天上一朵云也没有。",
    "|",
)

OPENINGS = (
    "从前，有一{mk}{trait}的{kind}，名字叫{hero}。",
    "很久很久以前，{place}住着一{mk}{trait}的{kind}，叫{hero}。",
    "{day}，{trait}的{kind}{hero}来到{place}。",
    "{hero}是一{mk}{trait}的{kind}，住在{place}。",
    "{hero}和{friend}是最好的朋友，他们都住在{place}。",
    "每到{day}，{hero}都要到{place}散步。",
    "这是{hero}和{friend}的故事。{hero}是一{mk}{trait}的{kind}。",
    "{day}的早晨，{hero}醒得很早，看了看窗外。",
    "{place}有一间小屋，屋里住着{kind}{hero}和{kind2}{friend}。",
    "有一天晚上，{trait}的{hero}怎么也睡不着。",
)
GIFTS = (
    "{he}有一{m}{colour}的{thing}，走到哪里都带着。",
    "{he}自己动手做了一{m}{colour}的{thing}。",
    "生日那天，{hero}得到了一{m}{colour}的{thing}。",
    "{he}的包里有一{m}{colour}的{thing}，还有{number}{food}。",
    "{he}最喜欢的是那{m}{colour}的{thing}。",
    "奶奶送给{he}一{m}{colour}的{thing}。",
    "{he}想送给{friend}一{m}{colour}的{thing}。",
    "{he}存了一年的钱，买了一{m}{colour}的{thing}。",
    "那天早上，{he}在草丛里捡到一{m}{colour}的{thing}。",
    "{friend}借给{he}一{m}{colour}的{thing}。",
    "在商店里，{he}看见一{m}{colour}的{thing}，就用{number}块钱买了下来。",
)
DETAILS = (
    "{he}有两个哥哥和一个妹妹，他们都会唱歌。",
    "每天晚上，{he}都把看到的事情讲给妈妈听。",
    "{he}跑得很快，可是不会游泳。",
    "{hero}喜欢热牛奶、软面包和长长的故事。",
    "害怕的时候，{he}就从一数到十。",
    "{he}的爸爸是面包师，每天起得很早。",
    "{hero}正在学写字，已经认识很多字了。",
    "{he}常常想，高山的后面到底有什么。",
    "没有人知道{he}几岁，连{friend}也不知道。",
    "冬天{he}总是睡觉，夏天{he}总在外面玩。",
    "{he}从来没有见过大海，可是每天夜里都梦见它。",
    "只有{friend}能让{he}笑起来。",
    "墙上挂着一幅画，画的是一艘有{number2}面帆的船。",
    "{hero}有一个秘密，只有{friend}知道。",
    "那座房子有圆圆的门、{number2}扇窗户和一个很小的烟囱。",
    "屋子后面开满了各种各样的鲜花。",
    "老师、农民和水手都认识{hero}。",
    "{he}把什么都记在本子上，连时间也写得清清楚楚。",
)
TROUBLES = (
    "可是{he}回到家，发现{thing}不见了。",
    "可是一阵大风把{thing}吹走了。",
    "忽然，{thing}掉进了水里。",
    "可是来了一{mk3}{kind3}，拿着{thing}就跑。",
    "{hero}滑了一下，那{m}{colour}的{thing}滚下了山。",
    "可是在回家的路上，{he}把{thing}弄丢了。",
    "一天傍晚，{thing}坏了，变成了{number}块。",
    "可是那天晚上，{he}把{thing}忘在了{place2}。",
    "后来下起了雨，{hero}把{thing}留在了{place2}。",
    "可是一{mk3}{trait2}的{kind3}也想要那{m}{thing}。",
    "突然，{he}怎么也找不到它了。",
)
SEARCHES = (
    "{hero}到{place2}去找，什么也没有找到。",
    "{he}找了{place2}，又找了{place3}，见到谁就问谁。",
    "{hero}坐下来，哭了一会儿。",
    "“别担心，”{friend}说，“我们一起去找。”",
    "{kind2}{friend}走过来，问发生了什么事。",
    "“你看见我的{thing}了吗？”{he}问，“它是{colour}的。”",
    "“你最后一次在哪里看见它？”{friend}问。“在{place2}。”{hero}说。",
    "他们走了{number}个小时，路上吃了{number2}{food}。",
    "{he}先去问{kind3}，{kind3}只是摇了摇头。",
    "{hero}叫来了{friend}，{friend}马上就到了。",
    "{he}想啊想，终于想出了一个好办法。",
    "“我太累了，走不动了。”{hero}说。{friend}给了{he}{number2}{food}。",
    "“你是谁？”{kind3}问。“我叫{hero}，”{hero}说，“我丢了一{m}{colour}的{thing}。”",
    "天快黑了，可是{friend}一点也不害怕。",
)
FINDS = (
    "最后，{friend}看见{place3}有一个{colour}的东西，原来就是{thing}！",
    "就在{place3}，放着那{m}{colour}的{thing}。",
    "这时候，{friend}拿着{colour}的{thing}跑来了。",
    "原来{kind3}一直保管着{thing}，现在还给了{hero}。",
    "“快看，{hero}！”{friend}说，“这是不是你的{thing}？”",
    "“这是你的吗？”{kind3}问，手里拿着一{m}{colour}的{thing}。",
    "{hero}抬头一看，{thing}就挂在树上。",
    "{friend}在{place3}找到了{thing}，已经等了{hero}一整天。",
    "最后{hero}送给{kind3}{number}{food}，换回了那{m}{colour}的{thing}。",
    "原来{thing}一直在{he}的包里！",
)
ENDINGS = (
    "“谢谢你，{friend}，”{hero}说，“你真是我的好朋友。”",
    "{hero}高兴得在{place3}跳起舞来。",
    "从那天起，{hero}和{friend}一起用那{m}{colour}的{thing}。",
    "他们回到家，一起吃了{number}{food}。",
    "{hero}笑了，{friend}也笑了，大家都笑了。",
    "从此以后，{hero}再也没有丢过{thing}。",
    "那天夜里，{hero}睡得很香。",
    "“下个{day}我们再一起玩。”{friend}说。{hero}点了点头。",
    "{hero}明白了，遇到困难要请别人帮忙。",
    "{friend}和{hero}永远是好朋友。",
    "“今天真有意思！”{hero}说完，抱着{thing}睡着了。",
)


def name(random: Random, known: Sequence[str]) -> str:
    """Return a name from the list or, half of the time, one put together from the characters of two of them."""
    if random.random() < 0.5:
        return random.choice(known)
    return random.choice(known)[0] + random.choice(known)[1]


def story(random: Random) -> str:
    """One story, five to ten sentences in one line, without a line break at its end."""
    male = random.random() < 0.5
    hero = name(random, BOYS if male else GIRLS)
    friend = name(random, [known for known in BOYS + GIRLS if known != hero])
    kinds = random.sample(KINDS, 3)
    traits = random.sample(TRAITS, 2)
    places = random.sample(PLACES, 3)
    numbers = random.sample(NUMBERS, 2)
    thing = random.choice(THINGS)
    fields = {
        "hero": hero,
        "friend": friend,
        "he": "他" if male else "她",
        "mk": kinds[0][0],
        "kind": kinds[0][1:],
        "kind2": kinds[1][1:],
        "mk3": kinds[2][0],
        "kind3": kinds[2][1:],
        "trait": traits[0],
        "trait2": traits[1],
        "colour": random.choice(COLOURS),
        "m": thing[0],
        "thing": thing[1:],
        "food": random.choice(FOODS),
        "place": places[0],
        "place2": places[1],
        "place3": places[2],
        "day": random.choice(DAYS),
        "number": numbers[0],
        "number2": numbers[1],
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
    return "".join(sentences).format(**fields)
