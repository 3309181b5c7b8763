// What both pages share: words, elements, numbers, and a connection that mends itself.

/** What is kept on this device; nothing where that is forbidden. */
export const kept = {
  get(name) {
    try { return localStorage.getItem(`district-sim ${name}`); } catch { return null; }
  },
  set(name, value) {
    try { localStorage.setItem(`district-sim ${name}`, value); } catch { /* private windows */ }
  },
};

const LEADS = document.body.classList.contains("teacher"); // who tries a phone on the laptop keeps two languages
const CHOSEN = LEADS ? "teacher's language" : "language";
export const { LANGUAGE, LANGUAGES, WORDS } = await import(`./words.js?language=${kept.get(CHOSEN) ?? ""}`);

document.documentElement.lang = LANGUAGE;

/** A text by its key, with what stands in braces filled in. */
export function say(key, given = {}) {
  return (WORDS[key] ?? key).replace(/\{(\w+)\}/g, (_, name) => given[name] ?? "");
}

export const at = (id) => document.getElementById(id);

/** A new element; text is never read as HTML. */
export function make(tag, attributes = {}, ...parts) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) node.setAttribute(name, value);
  }
  node.append(...parts);
  return node;
}

/** Change what an element holds, only where it is another: what is read aloud is not read twice. */
export function put(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** HTML that the server made of a lesson's Markdown, in which no HTML of the author's is left. */
export function putHtml(node, html) {
  if (node.dataset.html === html) return;
  node.dataset.html = html;
  node.innerHTML = html;
}

export function fillWords() {
  for (const node of document.querySelectorAll("[data-word]")) node.textContent = say(node.dataset.word);
  const choice = at("language");
  for (const [name, own] of Object.entries(LANGUAGES)) choice.append(make("option", { value: name, lang: name }, own));
  choice.setAttribute("aria-label", say("language"));
  choice.value = LANGUAGE;
  choice.onchange = () => { kept.set(CHOSEN, choice.value); location.reload(); };
}

export function number(value, decimals = 0) {
  if (value === null || value === undefined) return "–";
  return new Intl.NumberFormat(LANGUAGE, { minimumFractionDigits: decimals, maximumFractionDigits: decimals }).format(value);
}

/** A value of an indicator, with its unit. */
export function amount(about, value) {
  if (value === null || value === undefined) return "–";
  if (about.share) return `${number(100 * value, 0)}\u00a0%`;
  return number(value, about.decimals) + (about.unit ? ` ${about.unit}` : "");
}

export function money(value) {
  return say("million", { money: number(value, 2) });
}

/** A connection that comes back after sleep, and says again what was not acknowledged. */
export class Link {
  constructor(path, first, hear, told) {
    Object.assign(this, { path, first, hear, told, wait: 500, count: 0, waiting: new Map(), stopped: true });
    const again = () => { if (!document.hidden && !this.stopped && !this.alive()) this.open(); };
    document.addEventListener("visibilitychange", again);
    window.addEventListener("online", again);
  }

  alive() { return this.socket && this.socket.readyState <= WebSocket.OPEN; }

  open() {
    this.stopped = false;
    clearTimeout(this.timer);
    if (this.alive()) return;
    const socket = new WebSocket(`ws://${location.host}${this.path}`);
    this.socket = socket;
    socket.onopen = () => socket.send(JSON.stringify(this.first()));
    socket.onmessage = (event) => this.got(JSON.parse(event.data));
    socket.onclose = () => {
      if (this.stopped || this.socket !== socket) return;
      this.told(say("lost"), true);
      this.timer = setTimeout(() => this.open(), this.wait * (0.5 + Math.random()));
      this.wait = Math.min(5000, this.wait * 1.6);
    };
  }

  stop() {
    this.stopped = true;
    this.socket?.close();
  }

  got(message) {
    if (message.hello) {
      this.wait = 500;
      this.told("", false);
      for (const { text } of this.waiting.values()) this.socket.send(text);
    }
    if (message.id !== undefined) {
      this.waiting.get(message.id)?.done?.();
      this.waiting.delete(message.id);
    }
    if (message.no) this.told(message.no, true);
    else if (message.ok) this.told("", false);
    this.hear(message);
  }

  /** Say something; `done` is called when it is kept, or refused. */
  ask(message, done = null) {
    const id = ++this.count;
    const text = JSON.stringify({ ...message, id });
    this.waiting.set(id, { text, done });
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(text);
  }
}
