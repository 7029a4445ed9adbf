// Five minutes without a touch: the page is covered, and what was being written stays behind the cover.
"use strict";

{
const { door, here } = document.currentScript.dataset;
const IDLE = 5 * 60 * 1000;
const main = document.getElementById("main");
const around = document.querySelectorAll("nav, footer"); // they say who it is
let touched = Date.now();
let told = Date.now();
let cover = null;

// Somebody who writes for long loads no page: once a minute the server is told that they are there.
const touch = () => {
  if (cover) return;
  touched = Date.now();
  if (touched - told < 60000) return;
  told = touched;
  fetch(here, { cache: "no-store" }).catch(() => {});
};
for (const kind of ["keydown", "pointerdown"]) document.addEventListener(kind, touch);

const fetched = async (address, options) => {
  const answer = await fetch(address, { cache: "no-store", ...options });
  const found = new DOMParser().parseFromString(await answer.text(), "text/html");
  return { answer, card: found.getElementById("door"), note: found.querySelector("main > .told") };
};

const show = ({ card, note }) => {
  const next = document.createElement("main");
  if (note) next.append(note);
  next.append(card);
  (cover || main).replaceWith(next);
  cover = next;
  for (const one of around) one.hidden = true;
  next.querySelector("input[name=code]").focus();
  next.querySelector("form").addEventListener("submit", open);
};

const open = async (event) => {
  event.preventDefault();
  const form = event.target;
  const sent = await fetched(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)) }).catch(() => null);
  if (!sent) return;
  if (sent.card) return show(sent);
  if (new URL(sent.answer.url).pathname.endsWith("/sign-in")) return location.reload();
  cover.replaceWith(main);
  for (const one of around) one.hidden = false;
  cover = null;
  touched = told = Date.now();
};

// Asked whether the page is shut; without an answer it is covered all the same, by loading it anew.
const shut = async () => {
  if (cover) return;
  const found = await fetched(door).catch(() => null);
  if (found?.card) return show(found);
  if (!found || new URL(found.answer.url).pathname.endsWith("/sign-in")) return location.reload();
  touched = Date.now();
};
document.addEventListener("locked", shut);
const look = () => { if (Date.now() - touched > IDLE + 2000) shut(); };
setInterval(look, 5000);
document.addEventListener("visibilitychange", () => { if (!document.hidden) look(); });
}
