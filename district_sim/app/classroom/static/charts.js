// A run, played: small charts of a few indicators, drawn up to the quarter that is shown; bars; tables.

import { amount, kept, make, number, put, say } from "./common.js";

const SVG = "http://www.w3.org/2000/svg";
const WIDE = 160;
const HIGH = 64;
const SECONDS = 12; // for a whole run
const LINES = ["first", "second"];

function svg(tag, attributes) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  return node;
}

class Chart {
  constructor(about, parent) {
    this.about = about;
    this.value = make("b");
    this.picture = svg("svg", { viewBox: `0 0 ${WIDE} ${HIGH}`, preserveAspectRatio: "none", "aria-hidden": "true" });
    parent.append(make("figure", {}, make("figcaption", {}, `${about.label} `, this.value), this.picture));
  }

  load(lines, quarters) {
    const known = lines.flatMap((line) => line.values).filter((value) => value !== null);
    const most = this.about.share ? Math.max(1, ...known) : Math.max(1e-9, ...known) * 1.05;
    const least = Math.min(0, ...known);
    this.lines = lines;
    this.x = (k) => (WIDE * k) / Math.max(1, quarters - 1);
    this.y = (value) => HIGH - 1 - ((HIGH - 2) * (value - least)) / (most - least);
    this.drawn = lines.map((line) => svg("polyline", { class: line.kind, fill: "none" }));
    this.picture.replaceChildren(...this.drawn);
  }

  draw(upto) {
    this.lines.forEach((line, n) => {
      const last = line.whole ? line.values.length : Math.min(upto, line.values.length);
      const points = [];
      for (let k = 0; k < last; k += 1) {
        if (line.values[k] !== null) points.push(`${this.x(k).toFixed(1)},${this.y(line.values[k]).toFixed(1)}`);
      }
      this.drawn[n].setAttribute("points", points.join(" "));
    });
    const main = this.lines.at(-1);
    const value = upto ? main.values[Math.min(upto, main.values.length) - 1] : null;
    put(this.value, upto ? amount(this.about, value) : "");
  }
}

/** Runs with buttons to play them. The first of several is drawn pale and whole, the others grow. */
export class Film {
  constructor(parent, hello) {
    this.parent = parent;
    this.hello = hello;
    this.name = "";
    this.frame = (now) => this.tick(now);
  }

  /** Show runs, the main one last; `pale` says that the first is the one to compare with. */
  show(runs, pale, titles = []) {
    const name = runs.map((run) => run.id).join(" ");
    this.parent.hidden = !runs.length;
    if (name === this.name) return;
    this.name = name;
    this.stop();
    if (!runs.length) { this.parent.replaceChildren(); return; }
    this.runs = runs;
    this.main = runs.at(-1);
    this.length = Math.max(...this.hello.shows.map((one) => this.main.series[one].length));
    this.build(pale, titles);
    const before = Number(kept.get(`at ${name}`) ?? 0);
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.go(before || (still ? this.length : 1));
    if (!before && !still) this.play();
  }

  build(pale, titles) {
    const quarters = Math.max(...this.runs.map((run) => run.quarters));
    const charts = make("div", { class: "charts" });
    this.charts = this.hello.shows.map((one) => {
      const chart = new Chart(this.hello.indicators[one], charts);
      const grown = pale ? 1 : 0;
      chart.load(this.runs.map((run, n) => (
        { values: run.series[one], whole: pale && n === 0 && this.runs.length > 1, kind: pale && n === 0 && this.runs.length > 1 ? "pale" : LINES[Math.max(0, n - (this.runs.length > 1 ? grown : 0)) % 2] }
      )), quarters);
      return chart;
    });
    this.button = make("button", { type: "button", onclick: () => (this.playing ? this.stop() : this.play()) });
    this.end = make("button", { type: "button", onclick: () => { this.stop(); this.go(this.length); } }, say("to_end"));
    this.slider = make("input", {
      type: "range", min: 1, max: this.length, oninput: () => { this.stop(); this.go(Number(this.slider.value)); },
    });
    this.clock = make("span", { class: "quiet" });
    this.ending = make("p", { class: "ending", role: "status" });
    this.story = make("div", { role: "status" });
    this.told = pale && this.runs.length > 1 ? this.runs.slice(1) : this.runs;
    this.before = pale && this.runs.length > 1 ? this.runs[0] : null;
    this.titles = titles;
    const words = [];
    if (pale && this.runs.length > 1) words.push(make("p", { class: "quiet" }, say("before")));
    for (const [n, title] of titles.entries()) words.push(make("p", { class: `key ${LINES[n]}` }, title));
    this.parent.replaceChildren(
      charts, ...words, make("p", { class: "row" }, this.button, this.end, this.clock), this.slider, this.ending, this.story,
    );
    put(this.button, say("play"));
  }

  go(quarter) {
    this.quarter = Math.max(1, Math.min(this.length, Math.floor(quarter)));
    for (const chart of this.charts) chart.draw(this.quarter);
    this.slider.value = this.quarter;
    const clock = say("quarter_of", { quarter: this.quarter, quarters: this.main.quarters });
    this.slider.setAttribute("aria-label", clock);
    put(this.clock, clock);
    const ended = this.quarter >= this.length && this.main.label;
    put(this.ending, ended ? say("how_it_ended", { future: say(`future.${this.main.label}`) }) : "");
    if (Boolean(ended) !== Boolean(this.story.firstChild)) this.story.replaceChildren(...(ended ? this.stories() : []));
    kept.set(`at ${this.name}`, this.quarter);
  }

  /** Why each run ended so; what the same luck does to the district as it was. */
  stories() {
    const jobs = (run) => number(run.last.employment);
    return this.told.filter((run) => run.story).map((run, n) => {
      const [word, given] = run.story;
      const parts = [this.titles[n] ? `${this.titles[n]}: ${say(`future.${run.label}`)}.` : "",
        say(word, Object.fromEntries(Object.entries(given).map(([name, value]) => [name, number(value)])))];
      if (this.before?.last) parts.push(say("story.as_it_was", { future: say(`future.${this.before.label}`), jobs: jobs(this.before), own: jobs(run) }));
      return make("p", { class: "story" }, parts.filter(Boolean).join(" "));
    });
  }

  play() {
    if (this.quarter >= this.length) this.go(1);
    this.playing = true;
    this.then = null;
    put(this.button, say("stop"));
    requestAnimationFrame(this.frame);
  }

  stop() {
    this.playing = false;
    if (this.button) put(this.button, say("play"));
  }

  tick(now) {
    if (!this.playing) return;
    if (this.paused) { this.then = null; requestAnimationFrame(this.frame); return; }
    if (this.then === null) { this.then = now; this.from = this.quarter; }
    const quarter = this.from + ((now - this.then) / 1000) * (this.main.quarters / SECONDS);
    if (Math.floor(quarter) !== this.quarter) this.go(quarter);
    if (this.quarter >= this.length) this.stop();
    else requestAnimationFrame(this.frame);
  }
}

/** What the class said, as bars; the right one is marked. */
export function bars(parent, said, truth, mine = null) {
  const most = Math.max(1, ...said.map((one) => one.count));
  const rows = said.map((one) => {
    const isRight = truth !== null && truth !== undefined &&
      (one.value !== undefined ? one.value === truth : one.from <= truth && truth < one.to);
    const text = one.text ?? (one.future ? say(`future.${one.future}`) : classes(one));
    const bar = make("span", { class: "bar" });
    bar.style.setProperty("--part", one.count / most);
    return make("li", { class: isRight ? "right" : "" },
      make("span", { class: "text" }, text + (isRight ? ` (${say("right_choice")})` : "") + (mine !== null && one.value === mine ? " •" : "")),
      bar, make("b", {}, number(one.count)));
  });
  parent.replaceChildren(make("ul", { class: "bars" }, ...rows));
}

function classes(one) {
  return one.to - one.from === 1 ? number(one.from) : `${number(one.from)}–${number(one.to)}`;
}

/** A truth in words. */
export function truthOf(step, truth) {
  if (truth === null || truth === undefined) return "–";
  if (step.kind === "vote") return step.choices[truth - 1];
  if (step.ask === "future") return say(`future.${truth}`);
  if (step.ask === "chance") return say("of_runs", { count: truth, runs: step.runs });
  return `${number(truth, 0)}\u00a0%`;
}

/** What a prediction asks, in words. */
export function questionOf(step, hello) {
  if (step.ask === "future") return say("what_future");
  if (step.ask === "chance") return say("how_many", { runs: step.runs, future: say(`future.${step.of_future}`) });
  const label = hello.indicators[step.indicator].label;
  return say(step.percent ? "percent" : "percent_of_first", { indicator: label });
}
