// The teacher's page: made for a projector, so nothing hidden is on it before the reveal.

import { at, fillWords, kept, LANGUAGE, Link, make, number, put, putHtml, say } from "./common.js";
import { bars, Film, questionOf, truthOf } from "./charts.js";
import { drawGame } from "./game.js";

const runs = new Map();
let hello = null;
let view = null;
let film = null;
let looks = [];
let begun = { step: -1, time: 0 };
let opened = location.hash.startsWith("#run=") ? decodeURIComponent(location.hash.slice(5)) : ""; // a run to show again
let key = (opened ? "" : location.hash.slice(1)) || kept.get("key") || "";
history.replaceState(null, "", location.pathname); // the key is not left in the address for a projector to show

const link = new Link("/lead", () => ({ key, language: LANGUAGE }), hear, (text, bad) => {
  put(at("line"), text);
  at("line").classList.toggle("bad", bad);
});

function hear(message) {
  if (message.out) { link.stop(); at("unlock").hidden = false; at("room").hidden = true; at("key").focus(); }
  if (message.hello) {
    kept.set("key", key);
    hello = message.hello;
    film = film ?? new Film(at("film"), hello);
    at("unlock").hidden = true;
    at("room").hidden = false;
    put(at("lesson"), hello.lesson.title);
    if (looks.length || opened) link.ask({ do: "look", players: looks, run: opened });
  }
  if (message.run) runs.set(message.run.id, message.run);
  if (message.view) view = message.view;
  if (view && (message.view || message.run)) draw();
}

at("unlock").addEventListener("submit", (event) => {
  event.preventDefault();
  key = at("key").value.trim();
  link.open();
});
at("previous").onclick = () => go(view.step.n - 1);
at("next").onclick = () => go(view.step.n + 1);
at("pause").onclick = () => link.ask({ do: "pause", on: !view.paused });
at("reveal").onclick = () => link.ask({ do: "reveal" });
at("names").onchange = () => link.ask({ do: "names", on: at("names").checked });
at("bars").onchange = () => drawAnswers();
at("results").onclick = () => save("/results.csv", "results.csv", "text/csv");
at("picture").onclick = () => {
  const asked = new URLSearchParams({ language: LANGUAGE, looks: opened || looks.join(",") });
  save(`/picture.png?${asked}`, `step-${view.step.n + 1}.png`, "image/png");
};
at("close").onclick = () => { opened = ""; link.ask({ do: "look", players: looks }); };

async function save(path, name, type) {
  const got = await fetch(path, { method: "POST", headers: { "X-Key": key } });
  if (!got.ok) { put(at("line"), await got.text()); return; }
  const parts = type === "text/csv" ? ["\ufeff", await got.text()] : [await got.blob()];
  const url = URL.createObjectURL(new Blob(parts, { type }));
  make("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10000);
}

function go(step) {
  if (step >= 0 && step < view.steps.length) link.ask({ do: "go", step });
}

function draw() {
  const { step } = view;
  if (begun.step !== step.n) { begun = { step: step.n, time: Date.now() }; looks = []; }
  put(at("here"), say("here", { here: view.people.filter((one) => one.here).length, all: view.people.length }));
  at("previous").disabled = step.n === 0;
  at("next").disabled = step.n + 1 >= step.of;
  put(at("pause"), say(view.paused ? "go_on" : "pause"));
  at("pause").setAttribute("aria-pressed", view.paused);
  put(at("reveal"), say(step.revealed ? "revealed" : "reveal"));
  at("reveal").disabled = step.revealed;
  film.paused = view.paused;
  put(at("place"), say("step_of", { step: step.n + 1, steps: step.of }));
  put(at("heading"), step.title);
  putHtml(at("text"), step.html);
  at("notes").hidden = !view.notes && !hello.notes;
  putHtml(at("notes-text"), view.notes || hello.notes);
  clock();
  drawJoin();
  drawSteps();
  drawPeople();
  drawAnswers();
  drawTable();
  drawGame(at("game"), view, link, personOf);
  drawRuns();
  drawAfter();
}

function clock() {
  if (!view) return;
  const left = view.step.minutes - (Date.now() - begun.time) / 60000;
  put(at("clock"), left >= 0 ? say("time_left", { minutes: number(Math.ceil(left)) }) : say("time_over", { minutes: number(Math.ceil(-left)) }));
}
setInterval(clock, 5000);

function drawJoin() {
  if (at("qr").src !== view.join.qr) at("qr").src = view.join.qr;
  at("qr").alt = view.join.url;
  put(at("code"), view.join.code);
  put(at("addresses"), view.join.addresses.join("  "));
}

function drawSteps() {
  const key = JSON.stringify([view.step.n, view.steps]);
  if (at("steps").dataset.key === key) return;
  at("steps").dataset.key = key;
  at("steps").replaceChildren(...view.steps.map((one, n) => make("li", {},
    make("button", { type: "button", "aria-current": n === view.step.n ? "step" : null, onclick: () => go(n) },
      `${one.title} · ${say("minutes", { minutes: number(one.minutes) })}`))));
}

function drawPeople() {
  at("names").checked = view.names;
  const key = JSON.stringify(view.people);
  if (at("people").dataset.key === key) return;
  at("people").dataset.key = key;
  const focus = document.activeElement?.dataset?.hide;
  at("people").replaceChildren(...view.people.map((one) => {
    const name = one.name || say("player", { number: one.number });
    const words = `${one.did ? "✓ " : ""}${name}${one.team ? ` · ${say("team", { number: one.team })}` : ""}${one.here ? "" : ` (${say("away")})`}`;
    const item = make("li", { class: one.here ? "" : "quiet" }, words);
    if (one.named) {
      item.append(" ", make("button", { type: "button", class: "small", "data-hide": one.number,
        onclick: () => link.ask({ do: "hide", number: one.number, on: !one.hidden }) },
      say(one.hidden ? "show" : "hide")));
    }
    return item;
  }));
  if (focus) document.querySelector(`[data-hide="${focus}"]`)?.focus();
}

function drawAnswers() {
  const { step } = view;
  at("answers").hidden = step.kind !== "vote" && step.kind !== "predict";
  if (at("answers").hidden) return;
  put(at("did"), say("answered", { count: view.did, all: view.people.length }));
  const visible = step.revealed || at("bars").checked;
  const key = JSON.stringify([step.n, visible && view.said, view.truth]);
  if (at("said").dataset.key === key) return;
  at("said").dataset.key = key;
  at("said").replaceChildren();
  const box = make("div");
  if (visible) bars(box, view.said, step.revealed ? view.truth : null);
  at("said").append(...(step.kind === "predict" ? [make("h2", {}, questionOf(step, hello))] : []), box);
}

const personOf = (one) => one.name || say("player", { number: one.number });

function nameOf(row) {
  return row.team ? say("team", { number: row.number }) : personOf(row);
}

function drawTable() {
  at("table").hidden = view.step.kind !== "run";
  if (at("table").hidden) return;
  const key = JSON.stringify([view.table, looks]);
  if (at("table").dataset.key === key) return;
  at("table").dataset.key = key;
  const focus = document.activeElement?.dataset?.look;
  const shows = ["employment", "value_added_local"];
  const cells = (row) => [number(row.runs), number(row.money, 2),
    ...shows.map((one) => number(row.last?.[one], 0)), row.label ? say(`future.${row.label}`) : say("computing")];
  const rows = view.table.map((row) => make("tr", {},
    make("th", { scope: "row" }, nameOf(row)),
    ...cells(row).map((text, n) => make("td", { class: n < 4 ? "number" : "" }, text)),
    make("td", {}, make("input", { type: "checkbox", "data-look": row.player, "aria-label": `${say("look")}: ${nameOf(row)}`,
      onchange: (event) => look(row.player, event.target.checked) })),
    make("td", {}, row.link ? make("a", { href: row.link, target: "_blank", rel: "noopener", title: say("replay_hint"),
      "aria-label": `${say("replay")}: ${nameOf(row)}` }, say("replay")) : "–")));
  const heads = ["who", "runs", "money"].map((one) => say(one));
  heads.push(...shows.map((one) => hello.indicators[one].label), say("future"), say("look"), say("replay"));
  at("table").replaceChildren(make("h2", {}, say("table")), view.table.length
    ? make("div", { class: "wide", tabindex: 0, role: "region", "aria-label": say("table") }, make("table", {},
      make("thead", {}, make("tr", {}, ...heads.map((text) => make("th", { scope: "col" }, text)))), make("tbody", {}, ...rows)))
    : make("p", { class: "quiet" }, say("none_yet")), make("small", {}, view.table.length ? say("look_hint") : ""));
  for (const box of document.querySelectorAll("[data-look]")) box.checked = looks.includes(box.dataset.look);
  if (focus) document.querySelector(`[data-look="${focus}"]`)?.focus();
}

function look(player, on) {
  looks = on ? [...looks, player].slice(-2) : looks.filter((one) => one !== player);
  opened = "";
  link.ask({ do: "look", players: looks });
  drawTable();
}

function drawRuns() {
  const there = view.runs.map((id) => runs.get(id)).filter(Boolean);
  if (there.length < view.runs.length) return;
  const own = view.step.kind === "run" || view.opened;
  const titles = own ? there.slice(1).map((run) => playerOf(run.id.split(":")[1])) : [];
  at("again").hidden = !view.opened;
  put(at("again-name"), view.opened ? titles.join(" ") : "");
  film.show(there, own, titles);
}

function playerOf(player) {
  const team = player.startsWith("t");
  const of = Number(player.slice(1));
  return nameOf({ team, number: of, name: team ? "" : view.people.find((one) => one.number === of)?.name });
}

function drawAfter() {
  const { step } = view;
  const key = JSON.stringify([step, view.truth]);
  if (at("after").dataset.key === key) return;
  at("after").dataset.key = key;
  at("after").replaceChildren();
  if (!step.revealed) return;
  const after = make("div", { class: "prose" });
  putHtml(after, step.after);
  const known = view.truth !== null && view.truth !== undefined;
  at("after").append(...(known ? [make("p", { class: "truth" }, say("truth", { truth: truthOf(step, view.truth) }))] : []), after);
  if (step.district) {
    const about = make("div", { class: "prose" });
    putHtml(about, step.about ?? "");
    at("after").append(make("h2", {}, step.district), make("p", {}, step.description ?? ""));
    if (step.about) at("after").append(make("details", {}, make("summary", {}, say("notes_of")), about));
  }
}

fillWords();
if (key) { put(at("line"), say("waiting")); link.open(); } else { at("unlock").hidden = false; }
