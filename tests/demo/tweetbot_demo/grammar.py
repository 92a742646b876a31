"""What the fictional account @harbour_gull writes: a seeded grammar with a small vocabulary.

Small on purpose: `scratch://mini` learns it in seconds and writes readable posts (design, section 9, "Base names").
Nobody real is named; every word here was written for this project.
"""

from collections.abc import Callable
from random import Random

#: Beginnings and their weights; the first ones are the prompts of the original's notebook.
OPENINGS: dict[str, int] = {
    "My dream is when": 9,
    "My dream is a world where": 7,
    "I think that": 4,
    "I like it when": 4,
    "I don't like it when": 4,
    "I want to know why": 4,
    "Nobody told me that": 3,
    "Last night": 3,
    "This morning": 3,
    "They say": 2,
    "Once": 2,
    "The newspaper says": 2,
}
SUBJECTS = (
    "the harbour master",
    "the lighthouse",
    "the old ferry",
    "a fishing boat",
    "my cousin the pelican",
    "the tide",
    "the fog",
    "a man with chips",
    "the ice cream van",
    "the fish market",
    "the captain",
    "a very small crab",
    "the seal",
    "the night bus",
    "a lost tourist",
    "the wind",
    "the moon",
    "the church bell",
)
DEEDS = (
    "refused to leave",
    "said nothing all day",
    "looked at me twice",
    "came back with soup",
    "forgot my name",
    "sang until morning",
    "stole a whole sandwich",
    "asked for a receipt",
    "went home early",
    "fell asleep on the pier",
    "promised to be better",
    "won the argument",
    "learned to swim",
    "closed on a monday",
    "waited for the rain",
    "followed me to the bakery",
    "blamed the weather",
    "danced with the mayor",
)
TAILS = (
    "and i respect it",
    "and nobody noticed",
    "so i stayed for the view",
    "but the chips were cold",
    "and that was enough for me",
    "because the sea was listening",
    "which is more than i ever did",
    "and i think about it often",
    "but only in winter",
    "and the bread was warm",
    "so we all went swimming",
    "and i have no further questions",
    "because love is a kind of weather",
    "and the harbour was quiet again",
    "but i was looking at the sandwich",
    "and then it was tuesday",
)
EMOJI = ("🌊", "🐟", "🍟", "🌙")
FRIENDS = ("pier_cat", "tidal_pool_fm", "lamp_room", "ferry_notes", "crab_of_the_day")
SHORT = ("ok", "no", "fish", "low tide", "chips?", "good morning", "ha", "soup again", "🌊🌊", "#lowtide fog")
JAPANESE = (
    "港の朝はとても静かで、誰もいない防波堤でパンを食べました。",
    "灯台の光が今夜もきれいだったので、少し遠回りして帰りました。",
    "霧の中でフェリーの汽笛が聞こえて、急に旅に出たくなった。",
    "今日の夢は、海がずっと私の話を聞いてくれることでした。",
    "小さなカニに見つめられて、サンドイッチを半分あげた。",
)


def make_sentence(random: Random) -> str:
    """Make one sentence of the grammar, such as "My dream is when the tide refused to leave and i respect it"."""
    opening = random.choices(list(OPENINGS), weights=list(OPENINGS.values()))[0]
    return " ".join((opening, random.choice(SUBJECTS), random.choice(DEEDS), random.choice(TAILS)))


def make_post(random: Random) -> str:
    """Make a sentence; one in ten with an emoji, one in forty with a tag."""
    ending = random.choices(("", f" {random.choice(EMOJI)}", " #harbour"), weights=(35, 4, 1))[0]
    return make_sentence(random) + ending


def make_sentences(random: Random, characters: int) -> str:
    """Make sentences of at least this many characters together: a post longer than the old limit of 280."""
    parts = [make_sentence(random)]
    while len(text := ". ".join(parts)) < characters:
        parts.append(make_sentence(random))
    return text + "."


def make_two_lines(random: Random) -> str:
    """Make a post with a line break and characters that exports escape."""
    return f"{make_sentence(random)}\n\nfish & chips > {random.choice(SUBJECTS)}"


def make_near_duplicate(random: Random, earlier: str) -> str:
    """Make the earlier text with another case, full stop or spacing, as people repost by mistake."""
    changes: tuple[Callable[[str], str], ...] = (
        lambda text: f"{text}!!",
        lambda text: text.upper(),
        lambda text: text.replace(" ", "  "),
        lambda text: text,
    )
    return random.choice(changes)(earlier)


def make_personal_post(random: Random) -> str:
    """Make a post with something that looks private: only reserved or published sample values."""
    secret = random.choice(
        (
            "write to gull@harbour.example",
            "call me at +1 202-555-0143",
            "my card is 4111 1111 1111 1111",
            "the key is AKIAIOSFODNN7EXAMPLE",
        )
    )
    return f"{make_sentence(random)}, {secret}"
