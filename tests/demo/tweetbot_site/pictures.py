"""The docs' drawn pictures: architecture, one pass of the operator, the life of a run: make pictures"""

from tweetbot_site.contents import ROOT
from tweetbot_site.drawing import Arrow, Box, Frame, draw

PICTURES = ROOT / "docs" / "pictures"
GREEN, RED, AMBER = "#7bc47f", "#e5695f", "#f2a541"

#: Every phase of a TweetBot (tweetbot_contract.status.Phase), and where it stands.
PHASES = {
    "Pending": Box(20, 190, 130, 60, ("Pending", "not looked at yet")),
    "Preparing": Box(270, 190, 150, 60, ("Preparing", "posts to a dataset")),
    "Queued": Box(440, 90, 150, 60, ("Queued", "quota, limit, budget"), AMBER),
    "Training": Box(610, 190, 150, 60, ("Training", "dataset to a model")),
    "Succeeded": Box(900, 120, 150, 60, ("Succeeded", "a model is served"), GREEN),
    "Failed": Box(900, 260, 150, 60, ("Failed", "the status says why"), RED),
    "Suspended": Box(440, 350, 150, 60, ("Suspended", "suspend: true"), AMBER),
}
#: Phases that ways lead to and from together.
ACTIVE, ENDED = ("Preparing", "Queued", "Training"), ("Succeeded", "Failed")
FRAMES = (Frame(240, 60, 550, 220, "a run is active"), Frame(870, 90, 210, 260, "it has ended"))
#: From which phases to which, and the arrow that says so. A test plays runs and finds no other way.
WAYS = (
    (("Pending",), ACTIVE, Arrow(((150, 220), (240, 220)), "a run begins", (195, 210))),
    (
        ("Pending",),
        ENDED,
        Arrow(((100, 250), (100, 440), (975, 440), (975, 350)), "the spec breaks a rule", (190, 432)),
    ),
    (("Pending",), ("Suspended",), Arrow(((130, 250), (130, 395), (440, 395)))),
    (("Preparing",), ("Training",), Arrow(((420, 220), (610, 220)), "the dataset is stored", (515, 212))),
    (("Preparing",), ("Queued",), Arrow(((385, 190), (455, 150)))),
    (("Queued",), ("Preparing",), Arrow(((440, 130), (340, 190)))),
    (("Queued",), ("Training",), Arrow(((590, 130), (690, 190)), "there is room", (690, 150))),
    (("Training",), ("Queued",), Arrow(((645, 190), (575, 150)))),
    (ACTIVE, ENDED, Arrow(((790, 190), (870, 190)), "it ends", (830, 182))),
    (
        ENDED,
        ACTIVE,
        Arrow(
            ((975, 90), (975, 24), (515, 24), (515, 60)), "another run: an edit, retrain-at, the schedule", (745, 18)
        ),
    ),
    (ACTIVE, ("Suspended",), Arrow(((490, 280), (490, 350)), "suspend", (455, 320))),
    (("Suspended",), ACTIVE, Arrow(((540, 350), (540, 280)), "resume", (575, 320))),
    (ENDED, ("Suspended",), Arrow(((870, 320), (800, 320), (800, 370), (590, 370)))),
    (("Suspended",), ENDED, Arrow(((590, 395), (930, 395), (930, 350)))),
)


def draw_phases() -> str:
    """Return the life of a run."""
    arrows = [arrow for _, _, arrow in WAYS]
    return draw(
        "The life of a run: its phases, and how one follows another", (1110, 460), PHASES.values(), arrows, FRAMES
    )


def draw_architecture() -> str:
    """Return who talks to whom."""
    boxes = (
        Box(30, 60, 170, 60, ("author", "kubectl, Argo CD, Flux")),
        Box(300, 60, 170, 60, ("API server", "TweetBots, Jobs, Pods")),
        Box(570, 60, 170, 60, ("operator", "decides")),
        Box(300, 210, 170, 60, ("trainer: prepare", "no GPU, no torch")),
        Box(570, 210, 170, 60, ("trainer: train", "at most one GPU")),
        Box(30, 210, 170, 60, ("sources of posts", "exports, X, Bluesky, files")),
        Box(300, 360, 440, 60, ("S3 bucket", "dataset, checkpoints, versions of the model, card"), GREEN),
        Box(840, 210, 170, 60, ("Weights & Biases", "metrics, if asked for"), AMBER),
        Box(840, 360, 170, 60, ("Hugging Face Hub", "a copy, if asked for"), AMBER),
        Box(30, 360, 170, 60, ("servers, playground", "vLLM, KServe, try")),
    )
    arrows = (
        Arrow(((200, 90), (300, 90)), "apply", (250, 82)),
        Arrow(((470, 80), (570, 80)), "watch", (520, 72)),
        Arrow(((570, 102), (470, 102)), "Jobs, status", (520, 118)),
        Arrow(((365, 120), (365, 210)), "Pods", (340, 172)),
        Arrow(((400, 120), (400, 165), (600, 165), (600, 210))),
        Arrow(((430, 210), (430, 120)), "result", (455, 145)),
        Arrow(((655, 120), (655, 210)), "GET /progress", (705, 150), dashed=True),
        Arrow(((200, 240), (300, 240)), "posts", (250, 232)),
        Arrow(((385, 270), (385, 360)), "dataset", (415, 320)),
        Arrow(((655, 270), (655, 360)), "model, card", (697, 320)),
        Arrow(((620, 360), (620, 270)), "dataset", (592, 320)),
        Arrow(((740, 240), (840, 240)), "metrics", (790, 232)),
        Arrow(((730, 270), (800, 330), (800, 390), (840, 390))),
        Arrow(((300, 390), (200, 390)), "model", (250, 382)),
    )
    return draw("Architecture: who talks to whom", (1040, 450), boxes, arrows)


def draw_pass() -> str:
    """Return the way from an event to the status, which one pass of the operator goes."""
    steps = (
        ("API server", "watch event"), ("informers", "cache, work queue"), ("observe", "from the cache alone"),
        ("plan", "pure: no clock, no I/O"), ("act", "create or delete a Job"), ("write the status", "once, fenced"),
    )  # fmt: skip
    boxes = [Box(20 + 180 * index, 60, 150, 60, step) for index, step in enumerate(steps)]
    ways = [Arrow(((170 + 180 * index, 90), (200 + 180 * index, 90))) for index in range(len(steps) - 1)]
    record = Arrow(
        ((635, 60), (635, 30), (995, 30), (995, 60)),
        "a new run is recorded before anything is created for it",
        (815, 22),
    )
    back = Arrow(
        ((995, 120), (995, 150), (95, 150), (95, 120)),
        "the API server has the new status, and all others wait for the next event",
        (545, 168),
    )
    again = Arrow(((815, 120), (815, 138), (455, 138), (455, 120)), "until nothing is left to do", (635, 132))
    return draw("One pass: from an event to the status", (1090, 190), boxes, [*ways, record, back, again])


DRAWN = {"architecture.svg": draw_architecture, "one-pass.svg": draw_pass, "life-of-a-run.svg": draw_phases}


def main() -> None:
    """Write the pictures."""
    for name, render in DRAWN.items():
        (PICTURES / name).write_text(render(), encoding="utf-8")


if __name__ == "__main__":
    main()
