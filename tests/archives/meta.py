"""Meta's exports in JSON, of Threads and of Instagram: each byte of UTF-8 stands as a character of its own."""

import json
from typing import Any

from archives.writing import Members
from tweetbot_demo.archive import draw_avatar

POSTED = 1_754_466_859
PRIVATE = [{"secret": "nobody may read this"}]
ACTIVITY, PERSONAL = "your_instagram_activity", "personal_information/personal_information"


def spoil(value: Any) -> Any:
    """Return the value with all of its texts as Meta spoils them."""
    if isinstance(value, str):
        return value.encode().decode("latin-1")
    if isinstance(value, list):
        return [spoil(one) for one in value]
    return {spoil(key): spoil(one) for key, one in value.items()} if isinstance(value, dict) else value


def render(content: Any) -> bytes:
    """Render a member as Meta does: spoiled, and ASCII only."""
    return json.dumps(spoil(content), indent=2).encode()


def make_medium(title: str = "", *, number: int = 0, uri: str = "", reply: bool | None = None) -> dict[str, Any]:
    """Make a medium; one of Threads says whether it is a reply."""
    medium: dict[str, Any] = {
        "uri": uri,
        "creation_timestamp": POSTED + 60 * number,
        "media_metadata": {"camera_metadata": {"has_camera_metadata": False}},
        "title": title,
        "cross_post_source": {"source_app": "FB"},
    }
    if reply is not None:
        medium["text_app_post"] = {"reply_control": "everyone", "geo_gated_country_list": "", "is_reply": reply}
    return medium


def make_thread(title: str, *, number: int = 0, uri: str = "", reply: bool = False) -> dict[str, Any]:
    """Make a post of Threads, which is a medium even without a picture."""
    return {"media": [make_medium(title, number=number, uri=uri, reply=reply)]}


def make_album(title: str, *, number: int = 0, reply: bool | None = None) -> dict[str, Any]:
    """Make a post with several pictures, which has the text and the time itself."""
    media = [make_medium(number=number, uri=f"media/posts/202508/{one}.jpg", reply=reply) for one in (1, 2, 3)]
    return {"media": media, "title": title, "creation_timestamp": POSTED + 60 * number}


def render_threads(*posts: Any) -> bytes:
    """Render threads_and_replies.json."""
    return render({"text_post_app_text_posts": list(posts)})


def make_person(key: str, **values: str) -> bytes:
    """Render an account's personal information: more than a reader may use."""
    more = {"Email": "gull@harbour.example", "Phone Number": "+15550143", "Date of birth": "1990-01-01"} | values
    strings = {name.replace("_", " "): {"href": "", "value": value, "timestamp": 0} for name, value in more.items()}
    photo = {"uri": "media/profile/202508/1.png", "creation_timestamp": POSTED, "title": ""}
    return render({key: [{"title": "", "media_map_data": {"Profile Photo": photo}, "string_map_data": strings}]})


def make_private_members() -> Members:
    """Make members that a reader must never open."""
    names = [
        f"{ACTIVITY}/messages/inbox/crab_1/message_1.json",
        f"{ACTIVITY}/comments/post_comments_1.json",
        f"{ACTIVITY}/media/archived_posts.json",
        f"{ACTIVITY}/media/stories.json",
        f"{ACTIVITY}/media/recently_deleted_content.json",
        f"{ACTIVITY}/threads/liked_threads.json",
        f"{ACTIVITY}/media/reposts.json",
        "security_and_login_information/login_and_profile_creation/login_activity.json",
    ]
    return {name: render(PRIVATE) for name in names}


def make_threads_export() -> Members:
    """Make an export of Threads: a text, a reply, letters of all lengths in UTF-8, pictures, the same post twice."""
    posts = [
        make_thread("low tide & <b>no</b> soup", number=1),
        make_thread("@very_small_crab not before noon", number=2, reply=True),
        make_thread("the café has “eyes” 👀, 霧が深い", number=3),
        make_album("three photos of the same gull", number=4, reply=False),
        make_thread("", number=5, uri="media/posts/202508/4.jpg"),
        make_thread("", number=6),
        make_thread("low tide & <b>no</b> soup", number=1),
    ]
    return {
        f"{ACTIVITY}/threads/threads_and_replies.json": render_threads(*posts),
        f"{ACTIVITY}/threads/personal_information.json": make_person(
            "text_post_app_text_post_app_profile", Username="harbour_gull", Name="Harbour Gull 🐦"
        ),
        "media/profile/202508/1.png": draw_avatar(),
        **make_private_members(),
    }


def make_instagram_export(*, activity: str = f"{ACTIVITY}/media") -> Members:
    """Make an export of Instagram: captions of one picture and of several, in two parts, and a reel."""
    newer = [
        {"media": [make_medium("low tide, no soup ☕", number=11, uri="media/posts/202508/1.jpg")]},
        make_album("three photos of the same gull", number=10),
    ]
    older = [
        {"media": [make_medium("", number=9, uri="media/posts/202508/5.jpg")]},
        {"media": [make_medium("fog\n\n#harbour", number=8, uri="media/posts/202508/6.jpg")]},
    ]
    reel = {"media": [make_medium("the ferry, again", number=7, uri="media/reels/202508/7.mp4")]}
    return {
        f"{activity}/posts_1.json": render(newer),
        f"{activity}/posts_2.json": render(older),
        f"{activity}/reels.json": render({"ig_reels_media": [reel]}),
        f"{PERSONAL}/personal_information.json": make_person(
            "profile_user", Username="harbour_gull", Name="Harbour Gull 🐦", Bio="A gull."
        ),
        "media/profile/202508/1.png": draw_avatar(),
        **make_private_members(),
    }
