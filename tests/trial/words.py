"""Made-up words for the standing set: what the authors write, and what others write, which no author does."""

from random import Random

_OWN = """
anchor aunt baker barge bell boat breeze bridge bucket buoy cabin candle captain castle chair chart child clock cloud
coat coffee compass cook crane creek cup deck dinner dock door drum dust engine evening ferry fiddle fire flag fog
gale garden glass grass harbour hat herring hill horn house ink island jacket kettle ladder lamp lantern letter light
market mast meadow moon morning needle night noon oar onion orchard otter paint paper path pear pier pilot pillow pocket
pond quay rain river road rope rudder sail salt sand school ship shoe shore singer sister smoke snow soup spoon spring
stairs star stone storm street summer sun table tea tide tower town train tree uncle umbrella village wall watch water
whale wharf wind window winter wood yarn yard and but so because then again always never here there today tomorrow
quiet loud cold warm old new small great green blue red brings finds keeps loses mends opens paints sees sings tells
"""
OWN = _OWN.split()
OTHERS = (
    "bazaar",
    "cactus",
    "desert",
    "dragon",
    "glacier",
    "jungle",
    "lagoon",
    "mammoth",
    "oasis",
    "pyramid",
    "savanna",
    "temple",
    "tundra",
    "volcano",
)
FRIENDS = ("very_small_crab", "pier_cat", "lighthouse_9", "mme_mouette", "old_otter", "kelp", "Harbour_Radio", "nan")
JAPANESE = (
    "今日",
    "明日",
    "港",
    "灯台",
    "海",
    "風",
    "雨",
    "船",
    "魚",
    "猫",
    "朝",
    "夜",
    "空",
    "静か",
    "寒い",
    "綺麗",
    "だった",
    "です",
    "ね",
    "よ",
    "を見た",
    "に行く",
    "が好き",
)
GERMAN = (
    "heute",
    "morgen",
    "der",
    "Hafen",
    "die",
    "Möwe",
    "das",
    "Wasser",
    "kalt",
    "warm",
    "liegt",
    "steht",
    "und",
    "aber",
    "wieder",
    "nie",
    "der",
    "Nebel",
    "ein",
    "Schiff",
)

ARABIC = (
    "اليوم",
    "غدا",
    "البحر",
    "الميناء",
    "الريح",
    "المطر",
    "السفينة",
    "القط",
    "الصباح",
    "الليل",
    "هادئ",
    "بارد",
    "جميل",
)


def make_sentence(random: Random, low: int = 7, high: int = 16) -> str:
    """Make a sentence of the author's words."""
    return " ".join(random.choices(OWN, k=random.randint(low, high)))


def make_others_sentence(random: Random) -> str:
    """Make a sentence that another wrote."""
    return " ".join(random.choices(OTHERS, k=random.randint(5, 12)))


def make_names(random: Random) -> str:
    """Make the names that X puts before a reply: one, sometimes several."""
    count = random.choices((1, 2, 3, 5), (14, 4, 1, 1))[0]
    return " ".join(f"@{name}" for name in random.sample(FRIENDS, count))


def make_foreign_sentence(random: Random, words: tuple[str, ...], joint: str = " ") -> str:
    """Make a sentence of another language's words."""
    return joint.join(random.choices(words, k=random.randint(7, 14)))
