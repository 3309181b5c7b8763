// The public-good game: the firm or the agency on a phone, the whole table on the teacher's page.

import { make, number, put, say } from "./common.js";

const percent = (share, decimals = 0) => (share === null || share === undefined ? "–" : number(100 * share, decimals));

// A phone --------------------------------------------------------------------------------------------

/** Put the controls of the game on the page; `table` gives what the page knows. */
export function askGame(table) {
  const { view, link, at, sliderOf } = table();
  const { game, step } = view;
  const parts = [make("h2", { id: "round", role: "status" })];
  if (game.role === "agency") {
    parts.push(make("h2", {}, say("you_lead")), make("p", {}, say("lead_text")), ...game.sliders.map(sliderOf));
    if (game.efforts.length) {
      const names = [{ name: say("effort_usual"), text: "" }, ...game.efforts];
      parts.push(make("fieldset", {}, make("legend", {}, make("b", {}, say("effort"))), ...names.map((one, n) => (
        radio("effort", n, one.name, one.text, () => link.ask({ do: "steer", step: step.n, effort: n }))))));
    }
  } else {
    const answers = [[1, "join_yes"], [0, "join_no"]].map(([value, word]) => (
      radio("join", value, say(word), "", () => link.ask({ do: "join", step: step.n, join: value === 1 }))));
    parts.push(make("p", { id: "firm" }), make("p", { id: "fee" }),
      make("fieldset", { id: "joining" }, make("legend", {}, make("b", {}, say("will_you"))), ...answers),
      make("p", { id: "stays", class: "quiet" }));
  }
  parts.push(
    make("p", { id: "free", class: "row" }, make("span", {}, say("agency_free")), make("button", {
      type: "button", onclick: () => link.ask({ do: "take", step: table().view.step.n }),
    }, say("take_agency"))),
    make("section", { id: "told", "aria-live": "polite" }),
  );
  at.append(...parts);
}

function radio(name, value, text, about, onchange) {
  return make("label", { class: "choice" }, make("input", { type: "radio", name, value, onchange }), " ",
    make("span", {}, text, about ? make("small", {}, about) : ""));
}

/** Show what has changed. */
export function updateGame({ view, at, showSliders }) {
  const { game } = view;
  const find = (id) => at.querySelector(`#${id}`);
  put(find("round"), game.over ? say("game_over") : say("round_of", { round: game.played + 1, rounds: game.rounds }));
  find("free").hidden = !game.free || game.role === "agency" || game.over;
  for (const one of at.querySelectorAll("input[type=radio]")) {
    one.disabled = game.over || view.paused || (one.name === "join" && !game.firm);
    const chosen = one.name === "effort" ? game.effort : game.join === null ? null : Number(game.join);
    one.checked = chosen !== null && Number(one.value) === chosen;
  }
  if (game.role === "agency") {
    showSliders(game.sliders);
    for (const one of at.querySelectorAll("input[type=range]")) one.disabled = game.over || view.paused;
  } else {
    const { firm } = game;
    const gone = firm?.left ? `${say(firm.left === "sold" ? "firm_sold" : "firm_closed")} ` : "";
    const facts = firm && say("your_firm", { firm: firm.firm, phase: firm.phase + 1, employees: number(firm.employees), value: number(firm.value_added) });
    put(find("firm"), firm ? gone + facts : game.computing ? say("computing") : say("no_firm"));
    const money = firm ? game.fee * Math.max(0, firm.value_added) * 4 * game.years : 0;
    put(find("fee"), firm && !game.over ? say("fee_now", { fee: percent(game.fee, 1), money: number(money, 1) }) : "");
    find("joining").hidden = !firm || game.over;
    put(find("stays"), !firm || game.over ? "" : say(game.join === null ? "by_itself" : "stays"));
  }
  drawTold(find("told"), game);
}

function drawTold(box, game) {
  const key = JSON.stringify([game.told, game.own, game.computing]);
  if (box.dataset.key === key) return;
  box.dataset.key = key;
  box.replaceChildren();
  if (game.computing && game.played) box.append(make("p", { class: "quiet" }, say("computing")));
  const last = game.told.at(-1);
  if (!last) return;
  const own = game.own.at(-1);
  const lines = [say("round_told", { share: percent(last.share), joined: last.joined, decided: last.decided, members: last.members, others: last.others })];
  lines.push(last.worked ? say("agency_took", { took: number(last.contributed + last.matched), worked: last.worked, quarters: 4 * game.years }) : say("agency_idle"));
  if (own && game.role === "firm") {
    lines.push(say("you_paid", { paid: number(own.paid, 1), profit: number(own.profit, 1) }));
    if (own.gain !== null) lines.push(say(own.joined ? "had_not" : "had_joined", { profit: number(own.profit - own.gain, 1) }));
  }
  const heads = ["round", "you", "members_col", "col_paid", "brought"].map((one) => make("th", { scope: "col" }, say(one)));
  const rows = game.told.map((one, n) => {
    const mine = game.own[n];
    const cells = [mine ? say(mine.joined === null ? "itself" : mine.joined ? "yes" : "no") : "–", percent(one.share),
      mine ? number(mine.paid, 1) : "–", mine ? number(mine.gain, 1) : "–"];
    return make("tr", {}, make("th", { scope: "row" }, number(n + 1)), ...cells.map((text, k) => make("td", { class: k ? "number" : "" }, text)));
  });
  box.append(make("h2", {}, `${say("round")} ${number(game.told.length)}`), ...lines.map((text) => make("p", {}, text)),
    ...(game.role === "firm" ? [wide(say("rounds_so_far"), heads, rows)] : []));
}

function wide(title, heads, rows) {
  return make("div", { class: "wide", tabindex: 0, role: "region", "aria-label": title }, make("table", {},
    make("caption", {}, title), make("thead", {}, make("tr", {}, ...heads)), make("tbody", {}, ...rows)));
}

// The teacher ------------------------------------------------------------------------------------------

let sure = -1; // number of the game that the next press ends

/** The table of a game, with what the teacher may do; `nameOf` names a player. */
export function drawGame(box, view, link, nameOf) {
  box.hidden = view.step.kind !== "game";
  if (box.hidden) return;
  const { game } = view;
  const key = JSON.stringify([game, view.people.map(nameOf), view.step.n, sure]);
  if (box.dataset.key === key) return;
  box.dataset.key = key;
  const focus = document.activeElement?.id;
  const used = game.played;
  const play = make("button", { id: "play-round", type: "button", class: "main", disabled: game.over, onclick: () => link.ask({ do: "round", used }) },
    say("play_round", { round: Math.min(used + 1, game.rounds) }));
  const anew = make("button", { id: "anew", type: "button", disabled: !used, onclick: () => {
    if (sure === game.number) { sure = -1; link.ask({ do: "anew", used }); return; }
    sure = game.number;
    drawGame(box, view, link, nameOf);
  } }, say(sure === game.number ? "anew_sure" : "anew"));
  const leader = make("select", { id: "leader", onchange: () => link.ask({ do: "agency", number: Number(leader.value) }) },
    make("option", { value: 0 }, say("nobody")), ...view.people.map((one) => (
      make("option", { value: one.number }, nameOf(one) + (one.here ? "" : ` (${say("away")})`)))));
  leader.value = game.agency;
  const firms = view.people.length - (game.agency ? 1 : 0);
  const state = game.over ? say("game_over") : `${say("round_of", { round: used + 1, rounds: game.rounds })}. ${say("decided", { count: game.decided, all: firms })}`;
  const announced = game.sliders.map((one) => `${one.label}: ${one.percent ? `${percent(one.value, 1)} %` : number(one.value, one.value < 1 ? 3 : 1)}`);
  if (game.efforts.length) announced.push(`${say("effort")}: ${game.effort ? game.efforts[game.effort - 1].name : say("effort_usual")}`);
  box.replaceChildren(
    make("p", { class: "row" }, play, make("label", { for: "leader" }, say("leads")), leader, anew),
    make("p", { role: "status" }, state), make("p", {}, announced.join(" · ")),
    ...(game.computing && used ? [make("p", { class: "quiet" }, say("computing"))] : []),
    ...(game.told.length ? [roundsTable(game), make("small", {}, say("cost_hint")), playersTable(game, nameOf), make("small", {}, say("gain_hint"))] : []),
  );
  if (focus && box.querySelector(`#${focus}`)) box.querySelector(`#${focus}`).focus();
}

function roundsTable(game) {
  const heads = ["round", "col_fee", "col_joined", "col_members", "col_took", "col_match", "col_capability", "col_cost", "col_kept"]
    .map((one) => make("th", { scope: "col" }, say(one)));
  const rows = game.told.map((one, n) => make("tr", {}, make("th", { scope: "row" }, number(n + 1)), ...[
    percent(one.fee, 1), `${one.joined} / ${one.decided}`, `${one.members} / ${one.others}`,
    number(one.contributed), number(one.matched), number(one.capability, 2), percent(one.cost, 1), percent(one.kept, 1),
  ].map((text) => make("td", { class: "number" }, text))));
  return wide(say("rounds_so_far"), heads, rows);
}

function playersTable(game, nameOf) {
  const heads = ["who", "col_joins", "col_paid", "col_margin", "col_gain"].map((one) => make("th", { scope: "col" }, say(one)));
  const mark = { true: "●", false: "○", null: "·" };
  const word = { true: "yes", false: "no", null: "itself" };
  const rows = game.players.map((one) => make("tr", {}, make("th", { scope: "row" }, nameOf(one)),
    make("td", {}, make("span", { "aria-hidden": "true", class: "joins" }, one.joins.map((join) => mark[join]).join(" ")),
      make("span", { class: "hidden" }, one.joins.map((join) => say(word[join])).join(", "))),
    ...[number(one.paid, 1), percent(one.margin, 1), number(one.gain, 1)].map((text) => make("td", { class: "number" }, text))));
  return wide(`${say("who")} · ● ${say("yes")} ○ ${say("no")} · ${say("itself")}`, heads, rows);
}
