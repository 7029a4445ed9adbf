// What makes the pages pleasanter; each of them works without it.
"use strict";

// Leaving: this page is replaced, so that "back" does not lead here. Escape twice does the same.
const leave = document.getElementById("leave");
let lastEscape = 0;
const go = () => location.replace(leave.href);
leave.addEventListener("click", (event) => { event.preventDefault(); go(); });
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  if (event.timeStamp - lastEscape < 600) go();
  lastEscape = event.timeStamp;
});

// Blank when nobody has touched it for some minutes; the first touch or key shows it again and does nothing else.
const idle = Number(document.body.dataset.blank) * 60000;
if (idle) {
  let last = Date.now();
  const touched = (event) => {
    last = Date.now();
    if (!document.documentElement.classList.contains("blank") || event.key === "Escape") return;
    event.preventDefault();
    event.stopImmediatePropagation();
    // What belongs to the same touch, such as its click, presses nothing either.
    setTimeout(() => document.documentElement.classList.remove("blank"), 400);
  };
  for (const kind of ["pointerdown", "mousedown", "touchstart", "click", "keydown"]) {
    addEventListener(kind, touched, { capture: true, passive: false });
  }
  addEventListener("scroll", () => { last = Date.now(); }, { passive: true });
  setInterval(() => { if (Date.now() - last >= idle) document.documentElement.classList.add("blank"); }, 1000);
}

// Looking again: only the part that changes, and nothing where it is still the same.
const live = document.querySelector("[data-live]");
if (live) {
  const shape = () => live.querySelector("[data-shape]")?.dataset.shape;
  const written = () => [...document.querySelectorAll("textarea")].some((one) => one.value !== one.defaultValue);
  const busy = () => live.contains(document.activeElement) && document.activeElement.matches("input, audio")
    || [...live.querySelectorAll("audio")].some((one) => !one.paused);
  let stamp = "";
  const look = async () => {
    if (document.hidden || busy()) return;
    const answer = await fetch(live.dataset.live, { cache: "no-store", headers: stamp ? { "If-None-Match": stamp } : {} });
    if (answer.redirected && new URL(answer.url).pathname.endsWith("/locked")) return document.dispatchEvent(new Event("locked"));
    if (answer.redirected) return location.reload();
    const time = answer.headers.get("X-Demo-Time");
    if (time) document.getElementById("demo-time").textContent = time;
    if (answer.status !== 200) return;
    stamp = answer.headers.get("ETag") || "";
    const before = shape();
    const focused = document.activeElement.id;
    const open = live.querySelector("details")?.open;
    live.innerHTML = await answer.text();
    if (open) live.querySelector("details").open = true;
    if (focused) document.getElementById(focused)?.focus();
    if (before !== shape() && !written()) location.replace(live.dataset.live.split("?")[0]);
  };
  // Told by the server where it can: it sends a number that grows, and only then is anything fetched. While it
  // does, time itself (a window that opens) is looked at once a minute; without it, as often as the page says.
  let told = false;
  if (live.dataset.changes && window.EventSource) {
    const changes = new EventSource(live.dataset.changes);
    let number = "";
    changes.onopen = () => { told = true; };
    changes.onmessage = (event) => {
      if (number && number !== event.data) look().catch(() => {});
      number = event.data;
    };
    changes.onerror = () => { if (changes.readyState === EventSource.CLOSED) told = false; };
    addEventListener("pagehide", () => changes.close());
  }
  const again = () => setTimeout(() => look().catch(() => {}).finally(again), (told ? 60 : live.dataset.every) * 1000);
  again();
  document.addEventListener("visibilitychange", () => { if (!document.hidden) look().catch(() => {}); });
}

// Listening in place, one sound at a time.
let sound = null;
document.addEventListener("click", (event) => {
  const link = event.target.closest("a.play");
  if (!link) return;
  event.preventDefault();
  sound?.pause();
  sound = new Audio(link.href);
  sound.play();
});
