// Draws both handsets from /simulator/state and sends what is pressed; holds no state of its own but the
// digits typed before a call.

const base = document.body.dataset.base;
const token = document.querySelector("meta[name=simulator-token]").content;
const phones = new Map();
const WAITING = { live: 400, idle: 1500 };
const WAYS = { in: "↙ rang here", out: "↗ dialled", missed: "✗ missed" };
const FIRST = "my"; // the language of the line stands above its translation
let stamp = "";
let muted = false;
let offset = null;
let timer = null;
let polling = false;

const make = (tag, className = "", text = "") => {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text) node.textContent = text;
  return node;
};

async function post(path, body = {}) {
  const answer = await fetch(base + path, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-Simulator-Token": token },
    body: JSON.stringify(body),
  });
  if (answer.status === 403) location.reload(); // the demo was restarted: its token is new
  const done = answer.ok ? await answer.json() : {};
  poll();
  return done;
}

// -- tones: a key's two frequencies, and the ringing of a phone ------------------------------------------

let context = null;
const COLUMNS = [1209, 1336, 1477];
const ROWS = [697, 770, 852, 941];

function tone(frequencies, seconds, volume = 0.06) {
  if (muted || !context) return;
  const gain = context.createGain();
  gain.gain.value = volume;
  gain.connect(context.destination);
  for (const frequency of frequencies) {
    const oscillator = context.createOscillator();
    oscillator.frequency.value = frequency;
    oscillator.connect(gain);
    oscillator.start();
    oscillator.stop(context.currentTime + seconds);
  }
}

function keyTone(key) {
  const at = "123456789*0#".indexOf(key);
  tone([COLUMNS[at % 3], ROWS[Math.floor(at / 3)]], 0.12);
}

// Browsers let a page sound only after somebody touched it.
addEventListener("pointerdown", () => { context ??= new AudioContext(); }, { capture: true });

// -- one handset ------------------------------------------------------------------------------------------

class Handset {
  constructor(root) {
    this.root = root;
    this.name = root.dataset.name;
    this.typed = "";
    this.state = "idle";
    this.hearing = null;
    this.drawn = {};
    this.shows = "unicode";
    this.texts = [];
    this.find = (selector) => root.querySelector(selector);
    this.audio = this.find("audio");
    for (const key of root.querySelectorAll("[data-key]")) {
      key.addEventListener("click", () => this.press(key.dataset.key));
    }
    for (const entry of root.querySelectorAll("[data-dial]")) {
      entry.addEventListener("click", () => this.dial(entry.dataset.dial));
    }
    this.find(".green").addEventListener("click", () => this.green());
    this.find(".red").addEventListener("click", () => this.red());
    this.find(".erase").addEventListener("click", () => this.type(this.typed.slice(0, -1)));
    this.find(".machine input").addEventListener("change", (event) => this.do("machine", { on: event.target.checked }));
    this.find("form").addEventListener("submit", (event) => this.text(event));
    this.find("[name=shows]").addEventListener("change", ({ target }) => {
      this.shows = target.value;
      this.readTexts();
    });
    this.find(".handset").addEventListener("keydown", (event) => {
      if (event.target.matches("input, select")) return;
      if (/^[0-9*#]$/.test(event.key)) this.press(event.key);
      else if (event.key === "Backspace") this.type(this.typed.slice(0, -1));
      else if (event.key === "Enter" && event.target === event.currentTarget) this.green();
      else if (event.key === "Escape") this.red();
    });
  }

  do(deed, body = {}) {
    return post(`phones/${this.name}/${deed}`, body);
  }

  type(digits) {
    this.typed = digits;
    if (this.state === "idle") this.find(".keys").textContent = digits;
  }

  async press(key) {
    keyTone(key);
    if (this.state === "idle") {
      // A long 0 is a plus on a real keypad; here a leading 0 0 is.
      this.type((this.typed + key).replace(/^00/, "+"));
      return;
    }
    const { done } = await this.do("press", { key });
    if (!done) this.flash("nobody listens for keys now");
  }

  flash(words) {
    const status = this.find(".status");
    status.textContent = words;
    this.drawn.status = "";
  }

  async dial(number) {
    this.type("");
    this.find(".handset").focus({ preventScroll: true });
    const { done } = await this.do("dial", { to: number });
    if (!done && this.state !== "idle") this.flash("hang up first");
  }

  green() {
    if (this.state === "ringing") this.do("answer");
    else if (this.state === "idle" && this.typed) this.dial(this.typed);
  }

  red() {
    if (this.state === "idle") this.type("");
    else this.do("hangup");
  }

  async text(event) {
    event.preventDefault();
    const { words, to, shows } = event.target.elements; // two of them stand in the header, joined by their form attribute
    if (!words.value) return;
    const { done } = await this.do("text", { words: words.value, to: to.value, shows: shows.value });
    if (done) words.value = "";
  }

  show(phone, tick) {
    this.state = phone.state;
    this.root.dataset.state = phone.state;
    this.root.classList.toggle("listening", phone.listening);
    this.find(".machine input").checked = phone.machine;
    this.write("status", statusOf(phone));
    this.write("peer", phone.peer ?? "");
    this.write("keys", phone.state === "idle" ? this.typed : phone.keys);
    if (phone.state !== "idle") this.typed = "";
    this.list("heard", phone.heard, captionOf, true);
    this.texts = phone.texts;
    this.readTexts();
    this.list("log", phone.calls, entryOf, false);
    this.play(phone.hearing, tick);
  }

  // The thread as this kind of phone shows it; a Zawgyi phone writes Zawgyi, too.
  readTexts() {
    this.list("texts", this.texts.map((text) => ({ ...text, body: text.seen[this.shows] ?? text.body })), textOf, true);
  }

  write(part, words) {
    if (this.drawn[part] === words) return;
    this.drawn[part] = words;
    this.find(`.${part}`).textContent = words;
  }

  list(part, items, draw, toTheEnd) {
    const now = JSON.stringify(items);
    if (this.drawn[part] === now) return;
    this.drawn[part] = now;
    const list = this.find(`.${part} ol`);
    list.replaceChildren(...items.map(draw));
    if (toTheEnd) list.scrollTop = list.scrollHeight;
  }

  play(hearing, tick) {
    if (this.hearing === (hearing?.id ?? null)) return;
    this.hearing = hearing?.id ?? null;
    this.audio.pause();
    if (!hearing?.sound) return;
    this.audio.src = hearing.sound;
    const late = Math.max(0, tick - hearing.began);
    if (late > 0.6) this.audio.currentTime = late;
    this.audio.play().catch(() => { /* not touched yet, or cut short: the captions say it too */ });
  }
}

function statusOf(phone) {
  switch (phone.state) {
    case "dialing": return "calling …";
    case "ringing": return "rings: pick up?";
    case "machine": return "the machine answered";
    case "call":
      if (phone.hearing?.kind === "talking") return "connected: you can talk";
      return phone.listening ? "press a key" : "in a call";
    default: return NOTES[phone.note] ?? (phone.note || "ready");
  }
}

const NOTES = { completed: "call ended", canceled: "call ended", "no-answer": "no answer", failed: "call failed" };
const QUIET = { silence: "(silence)", talking: "Connected: both can speak to each other now.", waiting: "(waiting)" };

function captionOf(hearing) {
  const item = make("li", hearing.kind);
  const captions = Object.entries(hearing.captions).sort(([one]) => (one === FIRST ? -1 : 1));
  const robot = captions.some(([, caption]) => caption.robot);
  for (const [language, caption] of captions) {
    const line = make("p", "", caption.text);
    line.lang = language;
    item.append(line);
  }
  if (!captions.length) item.append(make("p", "plain", hearing.text || QUIET[hearing.kind] || "(a sound without a caption)"));
  if (robot) item.lastChild.append(" ", make("span", "robot", "robot voice"));
  return item;
}

function textOf(text) {
  const item = make("li", text.mine ? "mine" : "theirs");
  item.append(make("small", "", `${text.mine ? "to" : "from"} ${text.number} · ${text.at}`), make("p", "", text.body));
  return item;
}

function entryOf(entry) {
  const item = make("li", entry.way);
  item.append(make("span", "", WAYS[entry.way]), make("b", "", entry.number), make("time", "", entry.at));
  return item;
}

// -- the page ---------------------------------------------------------------------------------------------

const lines = (id, items, draw) => {
  const panel = document.getElementById(id);
  panel.classList.toggle("some", items.length > 0);
  panel.querySelector("ul").replaceChildren(...items.map((item) => make("li", "", draw(item))));
};

function draw(state) {
  for (const phone of state.phones) phones.get(phone.name).show(phone, state.tick);
  state.steps.forEach((done, at) => {
    const step = document.querySelector(`[data-step="${at}"]`);
    step.classList.toggle("done", done);
    step.classList.toggle("next", at === state.steps.indexOf(false));
  });
  for (const phone of state.phones) {
    document.querySelector(`[data-rings="${phone.name}"]`).hidden = phone.state !== "ringing";
  }
  lines("reasons", state.reasons, (reason) => reason);
  lines("faults", state.faults, (fault) => `${fault.at} · ${fault.code} ${fault.message} (${fault.where})`);
  offset = state.now * 1000 - Date.now();
  tickClock();
}

async function poll() {
  clearTimeout(timer);
  if (polling) return;
  polling = true;
  let wait = WAITING.idle;
  try {
    const answer = await fetch(`${base}state?since=${stamp}`);
    document.getElementById("lost").hidden = answer.ok;
    if (answer.status === 200) {
      const state = await answer.json();
      stamp = state.stamp;
      document.body.classList.toggle("live", state.live);
      draw(state);
    }
  } catch {
    document.getElementById("lost").hidden = false;
  }
  if (document.body.classList.contains("live")) wait = WAITING.live;
  polling = false;
  timer = setTimeout(poll, document.hidden ? 3000 : wait);
}

const inYangon = (options) => new Intl.DateTimeFormat("en-GB", { timeZone: "Asia/Yangon", ...options });
const TIME = inYangon({ hour: "2-digit", minute: "2-digit" });
const DAY = inYangon({ weekday: "short", day: "numeric", month: "short" });

function tickClock() {
  if (offset === null) return;
  const now = new Date(Date.now() + offset);
  document.getElementById("time").textContent = TIME.format(now);
  document.getElementById("day").textContent = DAY.format(now);
}

for (const root of document.querySelectorAll(".phone")) phones.set(root.dataset.name, new Handset(root));
for (const button of document.querySelectorAll("[data-skip]")) {
  button.addEventListener("click", async () => {
    stamp = "";
    await post("clock", { to: button.dataset.skip });
  });
}
document.getElementById("reset").addEventListener("click", async () => {
  if (!confirm("End all calls, empty both phones and the hotline's demo data, and begin at ten in the morning?")) return;
  stamp = "";
  await post("reset");
});
document.getElementById("mute").addEventListener("click", ({ target }) => {
  muted = !muted;
  target.setAttribute("aria-pressed", String(muted));
  for (const { audio } of phones.values()) audio.muted = muted;
});
setInterval(tickClock, 1000);
setInterval(() => {
  for (const { state } of phones.values()) {
    if (state === "ringing") tone([425, 450], 1, 0.05);
    if (state === "dialing") tone([425], 1, 0.02);
  }
}, 3000);
document.addEventListener("visibilitychange", () => { if (!document.hidden) poll(); });
poll();
