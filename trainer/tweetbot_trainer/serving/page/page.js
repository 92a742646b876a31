// The playground: draws posts over server-sent events, copies them, and downloads the picture. Without it the form still works.
const find = (selector, inside = document) => inside.querySelector(selector);
const findAll = (selector, inside = document) => [...inside.querySelectorAll(selector)];
const form = find("#form"), start = find("#start"), stop = find("#stop"), problem = find("#error");
let drawing = null; // the AbortController of the posts that are being drawn

// ---- write posts

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  if (drawing) return;
  const request = readForm();
  const columns = chooseColumns();
  if (!columns.length) return showProblem("Tick at least one model.");
  drawing = new AbortController();
  showRunning(true);
  columns.forEach((column) => prepare(column, request));
  await Promise.all(columns.map((column) => draw(column, request, drawing.signal)));
  drawing = null;
  showRunning(false);
});

stop.addEventListener("click", () => drawing?.abort());
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") drawing?.abort();
});
find("#prompt").addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  form.requestSubmit();
});

function readForm() {
  const fields = new FormData(form);
  const seed = fields.get("seed") === "" ? Math.floor(Math.random() * 1e6) : Number(fields.get("seed"));
  const temperature = fields.get("temperature") === "" ? null : Number(fields.get("temperature"));
  return { prompt: fields.get("prompt"), count: Number(fields.get("count")), temperature, seed };
}

function chooseColumns() {
  const names = new FormData(form).getAll("model");
  return findAll(".column").filter((column) => names.includes(column.dataset.model));
}

function showRunning(running) {
  const held = document.activeElement === (running ? start : stop);
  start.hidden = running;
  stop.hidden = !running;
  if (held) (running ? stop : start).focus();
  if (running) showProblem("");
}

function showProblem(message) {
  problem.textContent = message;
  problem.hidden = !message;
}

function prepare(column, { prompt, count }) {
  column.dataset.prompt = prompt;
  const places = Array.from({ length: count }, () => {
    const place = document.createElement("li");
    place.className = "post waiting";
    place.setAttribute("aria-hidden", "true");
    return place;
  });
  find(".posts", column).replaceChildren(...places);
  find(".save", column).hidden = true;
  say(column, "Writing …");
}

function say(column, sentence) {
  find(".status", column).textContent = sentence;
}

async function draw(column, request, signal) {
  const seen = { posts: 0, Copy: 0, TooLong: 0, done: false };
  try {
    const body = JSON.stringify({ ...request, model: column.dataset.model });
    const headers = { "Content-Type": "application/json", Accept: "text/event-stream" };
    const response = await fetch("/api/posts", { method: "POST", headers, body, signal });
    if (!response.ok) throw new Error(await explain(response));
    for await (const [name, data] of readEvents(response.body)) show(column, request, seen, name, data);
    if (!seen.done) throw new Error("The server stopped in the middle. See what it printed, then write again.");
  } catch (error) {
    if (error.name !== "AbortError") showProblem(error instanceof TypeError ? AWAY : error.message);
    say(column, `${error.name === "AbortError" ? "Stopped" : "Ended early"} after ${tell(seen.posts, "post")}.${tellDropped(seen)}`);
  }
  findAll(".waiting", column).forEach((place) => place.remove());
  find(".save", column).hidden = !find(".post", column);
}

const AWAY = "The server does not answer. Start it again (tweetbot-trainer serve, or kubectl tweetbot try), then write again.";

async function explain(response) {
  const text = await response.text();
  try {
    const answer = JSON.parse(text);
    return answer.message ?? answer.error.message;
  } catch {
    return `The server answered ${response.status}. See what it printed, then write again.`;
  }
}

function show(column, request, seen, name, data) {
  if (name === "error") throw new Error(data.message);
  if (name === "queued") say(column, `Place ${data.place + 1} in the queue …`);
  if (name === "dropped") seen[data.reason] += 1;
  if (name === "post") {
    seen.posts += 1;
    if (seen.posts === 1) say(column, "Writing …");
    addPost(column, request.prompt, data);
  }
  if (name === "done") {
    seen.done = true;
    const fewer = seen.posts < request.count ? FEWER : "";
    say(column, `${tell(seen.posts, "post")} in ${data.seconds.toFixed(1)} s, seed ${request.seed}.${tellDropped(seen)}${fewer}`);
  }
}

const FEWER = " Fewer than wanted: it repeats itself, or time was over. Raise the temperature, or change the beginning.";

const tell = (count, thing) => `${count} ${thing}${count === 1 ? "" : "s"}`;

function tellDropped(seen) {
  const parts = [];
  if (seen.Copy) parts.push(`${seen.Copy} ${seen.Copy === 1 ? "copy" : "copies"} of training posts`);
  if (seen.TooLong) parts.push(`${tell(seen.TooLong, "draft")} over 280 characters`);
  return parts.length ? ` Thrown away: ${parts.join(", ")}.` : "";
}

function addPost(column, prompt, data) {
  const post = find("#post").content.firstElementChild.cloneNode(true);
  const text = find(".text", post), given = prompt.trim();
  if (given && data.text.startsWith(given)) {
    const beginning = document.createElement("span");
    beginning.className = "given";
    beginning.textContent = given;
    text.replaceChildren(beginning, data.text.slice(given.length));
  } else text.textContent = data.text;
  find(".label", post).textContent = data.label;
  const place = find(".waiting", column);
  if (place) place.replaceWith(post);
  else find(".posts", column).append(post);
}

// Yield [name, data] of each server-sent event; comments, which keep a connection open, are left out.
async function* readEvents(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read()) {
    const blocks = (text + chunk.value).replaceAll("\r\n", "\n").split("\n\n");
    text = blocks.pop();
    for (const block of blocks) {
      const lines = block.split("\n");
      const read = (field) => lines.filter((line) => line.startsWith(field)).map((line) => line.slice(field.length).trimStart());
      const data = read("data:").join("\n");
      if (data) yield [read("event:")[0] ?? "message", JSON.parse(data)];
    }
  }
}

// ---- take posts along

document.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button?.matches(".copy")) copy(button);
  if (button?.matches(".save")) save(button);
});

async function copy(button) {
  const post = button.closest(".post"), disclosure = button.closest(".column").dataset.disclosure;
  const text = find(".text", post).textContent;
  await putOnClipboard(find("#with-label").checked ? `${text}\n\n${disclosure}` : text);
  confirm(button, "Copied", "Copy");
}

async function putOnClipboard(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const field = document.createElement("textarea"); // an address without TLS that is not this machine has no clipboard
  const before = document.activeElement;
  field.value = text;
  document.body.append(field);
  field.select();
  document.execCommand("copy");
  field.remove();
  before?.focus();
  return undefined;
}

function confirm(button, now, later) {
  const words = find("span", button);
  words.textContent = now;
  find("#spoken").textContent = now;
  setTimeout(() => {
    words.textContent = later;
    find("#spoken").textContent = "";
  }, 2000);
}

async function save(button) {
  const column = button.closest(".column"), model = column.dataset.model;
  const texts = findAll(".post .text", column).map((text) => text.textContent);
  showProblem("");
  try {
    const body = JSON.stringify({ texts, prompt: column.dataset.prompt, model });
    const response = await fetch("/api/picture", { method: "POST", headers: { "Content-Type": "application/json" }, body });
    if (!response.ok) throw new Error(await explain(response));
    const link = document.createElement("a");
    link.href = URL.createObjectURL(await response.blob());
    link.download = `${model}-posts.png`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
    confirm(button, "Downloaded", "Download picture");
  } catch (error) {
    showProblem(error instanceof TypeError ? AWAY : error.message);
  }
}

// ---- tabs, as WAI-ARIA describes them

const tabs = findAll(".tabs a"), panels = tabs.map((tab) => find(tab.hash));
find(".tabs").setAttribute("role", "tablist");
tabs.forEach((tab, index) => {
  tab.setAttribute("role", "tab");
  tab.id = `tab-${panels[index].id}`;
  tab.setAttribute("aria-controls", panels[index].id);
  panels[index].setAttribute("role", "tabpanel");
  panels[index].removeAttribute("aria-label");
  panels[index].setAttribute("aria-labelledby", tab.id);
  tab.addEventListener("click", (event) => {
    event.preventDefault();
    history.replaceState(null, "", tab.hash);
    selectTab(index);
  });
  tab.addEventListener("keydown", (event) => moveTab(event, index));
});

function moveTab(event, index) {
  const step = document.dir === "rtl" ? -1 : 1;
  const next = { ArrowRight: index + step, ArrowLeft: index - step, Home: 0, End: tabs.length - 1 }[event.key];
  if (event.key === " ") selectTab(index);
  else if (next === undefined) return;
  else selectTab((next + tabs.length) % tabs.length).focus();
  event.preventDefault();
}

function selectTab(chosen) {
  tabs.forEach((tab, index) => {
    tab.setAttribute("aria-selected", String(index === chosen));
    tab.tabIndex = index === chosen ? 0 : -1;
    panels[index].hidden = index !== chosen;
  });
  if (panels[chosen].id === "about") findAll(".about").forEach(loadCard);
  return tabs[chosen];
}

async function loadCard(about) {
  const place = find(".card-text", about);
  if (!place?.hidden) return;
  const response = await fetch(about.dataset.card);
  if (!response.ok) return;
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  const content = find("main", page) ?? page.body;
  findAll("[id]", content).forEach((each) => { each.id = `${about.id}-${each.id}`; }); // several cards have the same headings
  findAll('a[href^="#"]', content).forEach((link) => link.setAttribute("href", `#${about.id}-${link.hash.slice(1)}`));
  place.replaceChildren(...content.childNodes);
  findAll("details", place).forEach((folded) => { folded.open = true; });
  place.hidden = false;
  find(".card-link", about).hidden = true;
}

selectTab(Math.max(0, tabs.findIndex((tab) => tab.hash === location.hash)));
document.body.classList.add("ready");
