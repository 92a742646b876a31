"""The 72 rows of the fault matrix: what is done, which oracles judge it, and what of it this machine cannot play."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One row. `missing` says what of it is not played here and why; empty where all of it is."""

    number: int
    fault: str
    oracles: str
    missing: str = ""


_NO_KUBELET = "no kubelet here: `make e2e` has one"
_LONG = "takes hours: `make soak` plays fifty runs"

ROWS = (
    Row(1, "kill -9 of the operator, write committed, answer withheld", "O1 O2 O4"),
    Row(2, "kill -9 of the trainer at each request of a publication", "O7 O8"),
    Row(3, "kill -9 of the trainer at each step, resume", "O16 O17"),
    Row(4, "SIGTERM of the trainer at each stage", "O7 O16 O17"),
    Row(5, "two replicas at work at once", "O2 O4 O6"),
    Row(6, "API server answers 500 and 503, once and for a while", "O3 O12", "outages of 10 min: `make soak`"),
    Row(7, "in-stream ERROR 410, 500; HTTP 410 on watch and list", "O1 O12"),
    Row(8, "deletion and re-creation under one name, events hidden", "O5 O8"),
    Row(9, "events hidden, each cancelling interval", "O1 O2"),
    Row(10, "stale events again, after newer state was acted on", "O2 O5"),
    Row(11, "kill -9 of the operator before a write, and after its answer", "O1 O2"),
    Row(12, "operator down during creation, Job's end, deletion", "O1 O3 O5"),
    Row(13, "leader stopped at a write, another acts, the first goes on", "O4 O6"),
    Row(14, "Jobs and Pods deleted, suspended, disowned, mutated by users and policies, containers added", "O1 O3"),
    Row(15, "timeout, reset and repetition after commit", "O2 O4"),
    Row(16, "409 on each write", "O9 O3"),
    Row(17, "a user's edit at each of the operator's writes", "O9 O15"),
    Row(18, "chains over every property of the CRD: set, change, delete, least, most, bad", "O14 O15 O18"),
    Row(19, "upgrade and downgrade at each phase", "O1 O2", "there is no released version to come from"),
    Row(20, "an impossible spec, then a possible one", "O14"),
    Row(21, "references to other namespaces, `../`, in string fields", "O10 O18"),
    Row(22, "privileges asked for through the spec", "O18"),
    Row(23, "planted secrets on error paths", "O11"),
    Row(24, "pickles in weights, states and archives", "O11"),
    Row(25, "a checkpoint's file cut, flipped or empty", "O16"),
    Row(26, "kill during the save of a checkpoint", "O16"),
    Row(27, "two Pods publish at once", "O8"),
    Row(28, "S3 answers 409, 412, 500 to writes, then success", "O8"),
    Row(29, "S3 away at the start, in the midst, after the manifest", "O7 O8"),
    Row(30, "S3 stalls, throttles, cuts answers short", "O8 O17"),
    Row(31, "a reader polls latest.json during 2, 27 to 30", "O7"),
    Row(32, "X: 429 with each kind of header", "O13"),
    Row(33, "X: 401, 403, 404, 503, HTML, changed schema, cursor loop, empty", "O7"),
    Row(34, "a retry after a later failure reads nothing of X again", "O13"),
    Row(35, "W&B down, hanging, 5xx, 401 at each moment", "O7"),
    Row(36, "disk full at the trainer's writes", "O16 O7", "no file system of few inodes here"),
    Row(37, "OOM kill of trainer and operator", "O3 O17", f"kernel's OOM killer is not called; {_NO_KUBELET}"),
    Row(38, "node lost, taint eviction", "O4 O8", _NO_KUBELET),
    Row(39, "preemption, drain, eviction", "O17", f"by Pods' states; {_NO_KUBELET}"),
    Row(40, "API server answers 429, with and without Retry-After", "O13"),
    Row(41, "API server and etcd killed", "O1 O3"),
    Row(42, "etcd restored from an older snapshot", "O5 O8"),
    Row(43, "controller manager and scheduler away", "O3"),
    Row(44, "namespace deleted at each phase", "O5"),
    Row(45, "CRD deleted and created again", "O12"),
    Row(46, "each right taken away, and given back", "O3 O12"),
    Row(47, "quota, limits, Pod Security, webhook refuse; later allow", "O3 O13"),
    Row(48, "Secret missing, late, without the key", "O3 O11"),
    Row(49, "clocks wrong by minutes and years, jumping", "O4 O6"),
    Row(50, "a watch falls silent", "O3 O12"),
    Row(51, "one poisonous TweetBot among good ones", "O10"),
    Row(
        52,
        "thousands of TweetBots listed at once",
        "O12 O13",
        "`make bench-operator` does it, and publishes its figures",
    ),
    Row(53, "giant annotations, objects, label maps", "O18"),
    Row(54, "forged kopf annotations, finalizers, owners, status; an export applied elsewhere", "O1 O5"),
    Row(55, "somebody else's object has the child's name", "O5"),
    Row(56, "keys in S3 that collide", "O8"),
    Row(57, "addresses inside the cluster, redirects, rebinding", "O10"),
    Row(
        58,
        "namespace under Pod Security restricted, any user, read-only root",
        "O18",
        "`make e2e` and `make test-images`",
    ),
    Row(59, "hostile texts in model card, log and terminal", "O11"),
    Row(60, "archives that explode", "O12"),
    Row(61, "answers cut short, HTML, resets", "O12"),
    Row(62, "events twice, late, out of order", "O1 O2"),
    Row(63, "operator's event loop blocked, few descriptors", "O12", "no cgroup of our own to limit descriptors in"),
    Row(64, "token expires, certificate changes", "O3", "the embedded API server keeps its certificates for its life"),
    Row(65, "each exit code of the trainer", "O6"),
    Row(66, "fuzzing of specs, answers, manifests", "O12", "10⁵ cases each would take hours: some hundreds are played"),
    Row(67, "hostile termination messages and progress answers", "O6 O11"),
    Row(68, "losses that are no numbers, no posts, equal posts", "O7"),
    Row(69, "a base that is damaged or another than prepared", "O7"),
    Row(70, "a GPU is lost at a step", "O16", "no GPU here"),
    Row(71, "suspension, vanished Jobs, spent attempts, deadlines", "O6 O7"),
    Row(72, "eight hours of random faults", "all", _LONG),
)
