// The phone of a student.

import { at, fillWords, kept, LANGUAGE, Link, make, money, number, put, putHtml, say } from "./common.js";
import { bars, Film, questionOf, truthOf } from "./charts.js";
import { askGame, updateGame } from "./game.js";

const FUTURES = ["fragmentation", "post_marshallian_node", "learning_region", "collective_entrepreneurship",
  "marshallian_persistence", "decline"];
const runs = new Map();
let hello = null;
let view = null;
let film = null;
let shown = ""; // the step whose controls stand on the page
let sliders = new Map();
let code = location.hash.slice(1).toUpperCase() || kept.get("code") || "";

const link = new Link("/student", () => ({ code, token: kept.get(`token ${code}`), language: LANGUAGE }), hear, (text, bad) => {
  put(at("line"), text);
  at("line").classList.toggle("bad", bad);
});

function hear(message) {
  if (message.out) { link.stop(); askCode(); }
  if (message.ok) put(at("line"), say("kept"));
  if (message.token) {
    kept.set(`token ${code}`, message.token);
    kept.set("code", code);
  }
  if (message.hello) {
    hello = message.hello;
    film = film ?? new Film(at("film"), hello);
    put(at("lesson"), hello.lesson.title);
    at("join").hidden = true;
    at("room").hidden = at("me").hidden = false;
    at("teaming").hidden = !hello.lesson.teams;
    if (!at("team").options.length) {
      for (let n = 1; n <= hello.lesson.teams; n += 1) at("team").append(make("option", { value: n }, say("team", { number: n })));
    }
  }
  if (message.run) runs.set(message.run.id, message.run);
  if (message.view) view = message.view;
  if (view && (message.view || message.run)) draw();
}

function askCode() {
  at("join").hidden = false;
  at("room").hidden = at("me").hidden = true;
  at("code").value = code;
  at("code").focus();
}

at("join").addEventListener("submit", (event) => {
  event.preventDefault();
  code = at("code").value.trim().toUpperCase();
  link.open();
});
at("naming").addEventListener("submit", (event) => {
  event.preventDefault();
  link.ask({ do: "name", name: at("name").value });
});
at("team").addEventListener("change", () => link.ask({ do: "team", team: Number(at("team").value) }));

// A step ---------------------------------------------------------------------------------------------

function draw() {
  const { step, you } = view;
  const name = you.name || say("player", { number: you.number });
  put(at("who"), you.team ? `${name} · ${say("team", { number: you.team })}` : name);
  if (document.activeElement !== at("name")) at("name").value = you.name;
  if (you.team) at("team").value = you.team;
  at("eyes").hidden = !view.paused;
  film.paused = view.paused;
  put(at("place"), `${say("step_of", { step: step.n + 1, steps: step.of })} · ${say("minutes", { minutes: number(step.minutes) })}`);
  put(at("heading"), step.title);
  putHtml(at("text"), step.html);
  const now = `${step.n} ${step.revealed} ${step.kind === "run" ? view.desk.player : ""}${step.kind === "game" ? view.game.role + view.game.number : ""}`;
  if (now !== shown) {
    if (shown && !shown.startsWith(`${step.n} `)) window.scrollTo(0, 0);
    shown = now;
    sliders = new Map();
    at("act").replaceChildren();
    ({ read: () => {}, vote: askVote, predict: askGuess, run: askDistrict, game: () => askGame(table) })[step.kind]();
  }
  if (step.kind === "vote" || step.kind === "predict") update();
  if (step.kind === "run") price();
  if (step.kind === "game") updateGame(table());
  drawRuns();
  drawAfter();
}

function drawRuns() {
  const there = view.runs.map((id) => runs.get(id)).filter(Boolean);
  if (there.length < view.runs.length) {
    if (!there.length && view.runs.length) film.show([], false);
    return;
  }
  film.show(there, view.step.kind === "run");
}

function answer(value) {
  link.ask({ do: "answer", step: view.step.n, value });
}

function askVote() {
  const { step } = view;
  const choices = step.choices.map((text, n) => choice(n + 1, text));
  at("act").append(group(step.title, choices));
}

function group(title, choices) {
  return make("fieldset", {}, make("legend", { class: "hidden" }, title), ...choices, make("p", { class: "quiet", id: "mine" }));
}

function choice(value, text) {
  return make("label", { class: "choice" },
    make("input", { type: "radio", name: "choice", value, disabled: view.step.revealed, onchange: () => answer(value) }), " ", text);
}

function askGuess() {
  const { step } = view;
  const question = questionOf(step, hello);
  if (step.ask === "future") {
    at("act").append(make("h2", {}, question), group(question, FUTURES.map((one) => choice(one, say(`future.${one}`)))));
    return;
  }
  const out = make("output", { id: "guessed", for: "guess" }, "–");
  const slider = make("input", {
    id: "guess", type: "range", min: 0, max: Math.min(200, step.most), step: 1, value: Math.min(200, step.most) / 2,
    oninput: () => put(out, guessed(Number(slider.value))),
    onchange: () => answer(Number(slider.value)),
  });
  const button = make("button", { type: "button", class: "main", onclick: () => answer(Number(slider.value)) }, say("answer"));
  at("act").append(make("h2", {}, question), make("label", { for: "guess" }, say("guess"), " ", out), slider, button, make("p", { class: "quiet", id: "mine" }));
}

function guessed(value) {
  return truthOf(view.step, value);
}

function update() {
  const { step, mine } = view;
  const given = mine !== null && mine !== undefined;
  for (const one of document.querySelectorAll("#act input[type=radio]")) one.checked = given && one.value === String(mine);
  for (const one of document.querySelectorAll("#act input, #act button")) one.disabled = step.revealed || view.paused;
  const guess = at("guess");
  if (guess && given && document.activeElement !== guess) guess.value = mine;
  if (guess && given) put(at("guessed"), guessed(mine));
  const text = given ? say("your_answer", { answer: truthOf(step, mine) }) : say("no_answer");
  put(at("mine"), step.revealed ? text : given ? `${text}. ${say("change")}` : "");
}

// A district of one's own ------------------------------------------------------------------------------

function askDistrict() {
  const { desk } = view;
  const form = make("form", { onsubmit: (event) => event.preventDefault() }, make("h2", {}, say("decide")));
  for (const one of desk.sliders) form.append(sliderOf(one));
  const left = make("p", { id: "purse", class: "purse", role: "status" });
  const tries = make("p", { id: "tries", class: "quiet" });
  const button = make("button", {
    id: "go", type: "button", class: "main", onclick: () => {
      button.disabled = true;
      for (const [of, timer] of timers) { clearTimeout(timer); sendSlider(of); }
      link.ask({ do: "run", step: view.step.n, used: view.desk.used });
    },
  }, say("run"));
  form.append(left, button, tries);
  at("act").append(form);
}

/** What the game's page needs of this one. */
function table() {
  return { view, link, at: at("act"), sliderOf, showSliders };
}

const timers = new Map();

function sendSlider(of) {
  const value = sliders.get(of).value();
  const timer = timers.get(of);
  const game = view.step.kind === "game";
  link.ask({ do: game ? "steer" : "set", step: view.step.n, of, value }, () => { // until then the slider is the student's
    if (timers.get(of) !== timer) return;
    timers.delete(of);
    const own = (view.desk ?? view.game)?.sliders.find((one) => one.id === of);
    if (own) own.value = value;
  });
}

function sliderOf(one) {
  const id = `slider ${one.id}`.replaceAll(/[^a-z0-9]/gi, "-");
  const out = make("output", { for: id });
  const cost = make("span", { class: "quiet" });
  const input = make("input", { id, type: "range", min: 0, max: one.places.length - 1, step: 1, oninput: () => {
    told();
    clearTimeout(timers.get(one.id));
    timers.set(one.id, setTimeout(() => sendSlider(one.id), 250));
    if (view.desk) price();
  } });
  const value = () => one.places[Number(input.value)];
  const told = () => {
    const text = one.what === "policy" ? say("a_quarter", { money: number(value()) })
      : one.percent ? `${number(100 * value(), 1)} %` : number(value(), digits(one.places));
    put(out, text);
    input.setAttribute("aria-valuetext", text);
    put(cost, one.price ? say("costs", { money: money(costOf()) }) : view.game ? "" : say("free"));
  };
  const costOf = () => one.price * Math.abs(value() - one.own);
  const show = (next) => { input.value = one.places.reduce((best, place, k) => (Math.abs(place - next) < Math.abs(one.places[best] - next) ? k : best), 0); told(); };
  sliders.set(one.id, { value, show, costOf });
  show(one.value);
  const from = one.what === "policy" && one.start ? ` (${say("from_quarter", { quarter: one.start })})` : "";
  return make("div", { class: "slider" },
    make("label", { for: id }, make("b", {}, one.label + from), " ", out), input, cost, make("small", {}, one.text));
}

function digits(places) {
  const most = Math.max(...places.map(Math.abs));
  return most >= 20 ? 0 : most >= 2 ? 1 : most >= 0.2 ? 2 : 3;
}

function showSliders(all) {
  for (const one of all) if (!timers.has(one.id)) sliders.get(one.id)?.show(one.value);
}

function price() {
  const { desk } = view;
  showSliders(desk.sliders);
  const cost = [...sliders.values()].reduce((sum, one) => sum + one.costOf(), 0);
  const left = desk.purse - cost;
  const over = desk.purse > 0 && left < -1e-9;
  put(at("purse"), !desk.purse ? (cost ? say("spent", { money: money(cost) }) : "")
    : over ? say("over", { money: money(-left) }) : say("left", { money: money(left), purse: money(desk.purse) }));
  at("purse").classList.toggle("bad", over);
  const tries = desk.tries - desk.used;
  at("go").disabled = over || tries <= 0 || view.paused;
  const people = view.you.team && desk.player.startsWith("t") ? ` ${say("people", { count: desk.members })}.` : "";
  put(at("tries"), say("tries", { left: tries, tries: desk.tries }) + "." + people);
}

// After the reveal ---------------------------------------------------------------------------------------

function drawAfter() {
  const { step, mine, truth } = view;
  const key = JSON.stringify([step.n, step.revealed, mine, truth, view.said]);
  if (at("after").dataset.key === key) return;
  at("after").dataset.key = key;
  at("after").replaceChildren();
  if (!step.revealed) return;
  const parts = [];
  if (truth !== null && truth !== undefined) {
    parts.push(make("p", { class: "truth" }, say("truth", { truth: truthOf(step, truth) })));
    const given = mine !== null && mine !== undefined;
    const exact = step.kind === "vote" || step.ask === "future";
    if (given && exact) parts.push(make("p", {}, say(mine === truth ? "right" : "wrong")));
    else if (given) parts.push(make("p", {}, mine === truth ? say("right") : say("off_by", { amount: number(Math.abs(mine - truth), 0) })));
  } else if (step.kind === "predict") parts.push(make("p", { class: "quiet" }, say("computing")));
  if (view.said) {
    const box = make("div");
    bars(box, view.said, truth, mine);
    parts.push(make("h2", {}, say("class_said")), box);
  }
  const after = make("div", { class: "prose" });
  putHtml(after, step.after);
  parts.push(after);
  if (step.district) {
    const about = make("div", { class: "prose" });
    putHtml(about, step.about ?? "");
    parts.push(make("h2", {}, step.district), make("p", {}, step.description ?? ""));
    if (step.about) parts.push(make("details", {}, make("summary", {}, say("notes_of")), about));
  }
  at("after").append(...parts);
}

window.addEventListener("hashchange", () => location.reload());
fillWords();
if (code) { put(at("line"), say("waiting")); link.open(); } else askCode();
