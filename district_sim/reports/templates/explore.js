// The page of `district-sim explore`: reads what the page holds, asks for nothing. Text is only ever set as text.
"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const at = (id) => document.getElementById(id);
  const levers = data.levers.map((lever, number) => ({ ...lever, input: at(`lever-${number}`) }));
  const strides = levers.map((_, number) =>
    levers.slice(number + 1).reduce((product, lever) => product * lever.values.length, 1));
  const moments = data.moments.length;
  const MEDIAN = 2, MISSING = "–";
  const [across, upward] = [at("across"), at("upward")];
  let axes = [0, 1];

  const pointOf = (places) => places.reduce((sum, place, number) => sum + place * strides[number], 0);
  const places = () => levers.map((lever) => Number(lever.input.value));
  const own = levers.every((lever) => lever.own !== null) ? pointOf(levers.map((lever) => lever.own)) : null;
  const cell = (quantiles, quantile, point, moment) => quantiles[quantile][point * moments + moment];

  // Words ------------------------------------------------------------------------------------------

  function made(tag, text, attributes = {}) {
    const element = document.createElement(tag);
    if (text !== undefined) element.textContent = text;
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    return element;
  }

  const formats = [...Array(16).keys()].map((decimals) =>
    new Intl.NumberFormat("en-US", { minimumFractionDigits: decimals, maximumFractionDigits: decimals }));

  function written(value, indicator) {
    if (value === null) return MISSING;
    const text = formats[indicator.decimals].format(value * indicator.scale);
    return (/[1-9]/.test(text) ? text : text.replace("-", "")).replace("-", "−");
  }

  const percent = (count, total) => (total ? `${Math.round((100 * count) / total)}\u00a0%` : MISSING);
  const valueOf = (lever, place) => lever.values[place] + (lever.unit ? ` ${lever.unit}` : "");

  /** Runs with a label, and the most frequent one; the first of those that are equally frequent, as in figures. */
  function labelled(point) {
    const counts = data.labels[point].slice(0, data.futures.length);
    const total = counts.reduce((a, b) => a + b, 0);
    return { counts, total, first: total ? counts.indexOf(Math.max(...counts)) : null };
  }

  /** Runs behind the numbers of a moment: those in which the indicator is defined, those that went on, those that died. */
  function runsAt(number, point, moment) {
    const place = point * moments + moment;
    const left = data.left[place];
    const known = data.bands[number].known;
    return { left, known: known ? known[place] : left, died: data.died ? data.died[place] : 0 };
  }

  function told(number, point) {
    const indicator = data.indicators[number];
    const moment = data.last[point];
    const quantiles = data.bands[number].quantiles;
    const [low, lower, median, upper, high] = quantiles.map((_, k) => written(cell(quantiles, k, point, moment), indicator));
    const unit = indicator.unit ? `\u00a0${indicator.unit}` : "";
    const { left, known, died } = runsAt(number, point, moment);
    const { counts, total, first } = labelled(point);
    if (!data.runs[point]) return "No run was finished here.";
    const parts = [known
      ? `${indicator.name} ${data.moments[moment]}: median ${median}${unit}, half of the runs from ${lower} to ${upper}, ` +
        `90\u00a0% from ${low} to ${high}.`
      : `${indicator.name} ${data.moments[moment]}: undefined in all runs.`];
    if (known && known < data.runs[point]) parts.push(`It is defined in ${known} of ${data.runs[point]} runs.`);
    if (left < data.runs[point]) parts.push(`Runs that had ended by then: ${data.runs[point] - left}.`);
    if (died) parts.push(`No firm is left in ${died} of ${data.runs[point]} runs.`);
    parts.push(first === null ? "No run has a label." :
      `Most frequent future: ${data.futures[first].name}, ${counts[first]} of ${total} runs.`);
    return parts.join(" ");
  }

  // Over time --------------------------------------------------------------------------------------

  const SVG = "http://www.w3.org/2000/svg";

  function drawn(parent, tag, attributes, text) {
    const element = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    if (text !== undefined) element.textContent = text;
    parent.append(element);
    return element;
  }

  /** About so many round numbers between two. */
  function ticks(low, high, count, whole) {
    const rough = (high - low) / count || 1;
    const power = 10 ** Math.floor(Math.log10(rough));
    let step = [1, 2, 5, 10].map((k) => k * power).find((k) => k >= rough);
    if (whole) step = Math.max(1, Math.round(step));
    const found = [];
    for (let k = Math.ceil(low / step - 1e-9); k * step <= high + 1e-9 * step; k += 1) found.push(k * step || 0);
    return { found, decimals: Math.min(15, Math.max(0, -Math.floor(Math.log10(step) + 1e-9))) };
  }

  const scales = new Map();

  /** Least and greatest on the axis of an indicator, the same at all points. */
  function scaleOf(number) {
    if (!scales.has(number)) {
      const quantiles = data.bands[number].quantiles;
      let [low, high] = [0, 0];
      for (const value of quantiles[0]) if (value !== null && value < low) low = value;
      for (const value of quantiles[4]) if (value !== null && value > high) high = value;
      const { bounded } = data.indicators[number];
      high = bounded && high <= 1 ? Math.min(1, Math.max(0.2, 1.1 * high)) : 1.1 * high;
      scales.set(number, [1.1 * low, high > low ? high : 1]);
    }
    return scales.get(number);
  }

  /** The stretches of moments in which an indicator is defined at a point. */
  function stretches(quantiles, point) {
    const found = [];
    let open = null;
    for (let moment = 0; moment < moments; moment += 1) {
      if (cell(quantiles, MEDIAN, point, moment) === null) open = null;
      else if (open) open.push(moment);
      else found.push((open = [moment]));
    }
    return found;
  }

  let width = 640;

  /** Asked for only when the window changes: to ask makes the browser lay out the page at once. */
  function measure() {
    width = Math.max(280, Math.floor(at("chart").clientWidth) || width);
    show();
  }

  function drawChart(number, point) {
    const box = at("chart");
    const height = Math.min(340, Math.max(230, Math.round(0.5 * width)));
    const indicator = data.indicators[number];
    const quantiles = data.bands[number].quantiles;
    const [low, high] = scaleOf(number).map((value) => value * indicator.scale);
    const [start, end] = [data.times[0] - (moments > 1 ? 0 : 1), data.times[moments - 1]];
    const upwards = ticks(low, high, 4, false);
    const words = upwards.found.map((value) => formats[upwards.decimals].format(value).replace("-", "−"));
    const margin = { left: 14 + 7.2 * Math.max(...words.map((word) => word.length)), right: 14, top: 26, bottom: 38 };
    const x = (time) => margin.left + ((time - start) / (end - start)) * (width - margin.left - margin.right);
    const y = (value) => height - margin.bottom - ((value - low) / (high - low)) * (height - margin.top - margin.bottom);
    const svg = document.createElementNS(SVG, "svg");
    for (const [name, value] of Object.entries({ viewBox: `0 0 ${width} ${height}`, role: "img",
      "aria-labelledby": "bands-title", "aria-describedby": "said chart-caption" })) svg.setAttribute(name, value);
    drawn(svg, "text", { x: 0, y: 12 }, indicator.title);
    upwards.found.forEach((value, k) => {
      drawn(svg, "line", { class: "grid", x1: margin.left, x2: width - margin.right, y1: y(value), y2: y(value) });
      drawn(svg, "text", { x: margin.left - 6, y: y(value) + 4, "text-anchor": "end" }, words[k]);
    });
    drawn(svg, "line", { class: "axis", x1: margin.left, x2: width - margin.right, y1: y(low), y2: y(low) });
    for (const time of ticks(start, end, width < 500 ? 5 : 8, true).found) {
      drawn(svg, "line", { class: "axis", x1: x(time), x2: x(time), y1: y(low), y2: y(low) + 4 });
      drawn(svg, "text", { x: x(time), y: y(low) + 17, "text-anchor": "middle" }, String(time));
    }
    drawn(svg, "text", { x: (margin.left + width - margin.right) / 2, y: height - 4, "text-anchor": "middle" }, data.axis);
    const place = (quantile, own, moment) =>
      `${x(data.times[moment]).toFixed(1)} ${y(cell(quantiles, quantile, own, moment) * indicator.scale).toFixed(1)}`;
    const line = (own) => stretches(quantiles, own).map((stretch) => "M" +
      (stretch.length > 1 ? stretch : [stretch[0], stretch[0]]).map((moment) => place(MEDIAN, own, moment)).join("L")).join("");
    const band = (from, to) => stretches(quantiles, point).map((stretch) => "M" +
      [...stretch.map((moment) => place(to, point, moment)),
        ...stretch.slice().reverse().map((moment) => place(from, point, moment))].join("L") + "Z").join("");
    drawn(svg, "path", { class: "band wide", d: band(0, 4) });
    drawn(svg, "path", { class: "band half", d: band(1, 3) });
    if (own !== null) drawn(svg, "path", { class: "own", d: line(own) });
    drawn(svg, "path", { class: "median", d: line(point) });
    box.replaceChildren(svg);
  }

  // Tables -----------------------------------------------------------------------------------------

  function tableOf(table, columns, rows, caption) {
    const head = made("thead"), body = made("tbody"), first = made("tr");
    columns.forEach((name, k) => first.append(made("th", name, { scope: "col", ...(k ? { class: "number" } : {}) })));
    head.append(first);
    for (const row of rows) {
      const line = made("tr");
      row.forEach((text, k) => line.append(k ? made("td", text, { class: "number" }) : made("th", text, { scope: "row" })));
      body.append(line);
    }
    table.replaceChildren(made("caption", caption), head, body);
  }

  const COLUMNS = ["Median", "50\u00a0% from", "to", "90\u00a0% from", "to", "Runs"];
  const ORDER = [MEDIAN, 1, 3, 0, 4];

  function numbers(number, point, moment) {
    const quantiles = data.bands[number].quantiles;
    const words = ORDER.map((k) => written(cell(quantiles, k, point, moment), data.indicators[number]));
    return [...words, String(runsAt(number, point, moment).known)];
  }

  function drawNumbers(number, point) {
    const last = data.last[point];
    tableOf(at("point"), ["Indicator", ...COLUMNS],
      data.indicators.map((indicator, k) => [indicator.title, ...numbers(k, point, last)]),
      `${capital(data.moments[last])}. Runs: those in which it is defined.`);
    if (!at("over-time").open) return;
    const shown = data.moments.map((_, moment) => moment).slice(0, last + 1);
    tableOf(at("times"), [capital(data.axis), ...COLUMNS, "Without firms"],
      shown.map((moment) => [data.moments[moment], ...numbers(number, point, moment),
        String(runsAt(number, point, moment).died)]), data.indicators[number].title);
  }

  const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);

  function swatch(future) {
    const mark = made("span", future.letter, { class: "swatch" });
    mark.style.background = future.colour;
    mark.style.color = future.ink;
    return mark;
  }

  function drawFutures(point) {
    const { counts, total } = labelled(point);
    const body = made("tbody"), head = made("thead"), first = made("tr");
    for (const name of ["Future", "Share", "Runs"])
      first.append(made("th", name, { scope: "col", ...(name === "Future" ? {} : { class: "number" }) }));
    const pictures = made("td");
    first.append(pictures);
    head.append(first);
    data.futures.forEach((future, k) => {
      const line = made("tr"), name = made("th", undefined, { scope: "row" }), held = made("td"), bar = made("div");
      name.append(swatch(future), future.name);
      if (counts[k]) {
        bar.className = "bar";
        bar.style.width = `${(100 * counts[k]) / total}%`;
        bar.style.background = future.colour;
        held.append(bar);
      }
      line.append(name, made("td", percent(counts[k], total), { class: "number" }),
        made("td", String(counts[k]), { class: "number" }), held);
      body.append(line);
    });
    at("futures").replaceChildren(head, body);
    const without = data.labels[point][data.futures.length];
    at("unlabelled").textContent = without
      ? `Shares are of the ${total} runs that have a label; of ${without} nothing can be said.` : "";
  }

  // Map --------------------------------------------------------------------------------------------

  function drawMap() {
    const [x, y] = axes, now = places();
    const widths = levers[x].values.length, heights = levers.length > 1 ? levers[y].values.length : 1;
    const others = levers.map((_, k) => k).filter((k) => k !== x && (levers.length < 2 || k !== y));
    at("map-note").textContent = `Letter and share of the most frequent future at each point. Across: ${levers[x].name}` +
      (levers.length > 1 ? `. Upwards: ${levers[y].name}` : "") +
      (others.length ? `. Held: ${others.map((k) => `${levers[k].path} ${valueOf(levers[k], now[k])}`).join(", ")}` : "") +
      ". Framed: where the levers stand.";
    const body = made("tbody"), foot = made("tfoot"), last = made("tr");
    for (let row = heights - 1; row >= 0; row -= 1) {
      const line = made("tr");
      line.append(levers.length > 1 ? made("th", levers[y].values[row], { scope: "row" }) : made("td"));
      for (let column = 0; column < widths; column += 1) {
        const there = now.slice();
        there[x] = column;
        if (levers.length > 1) there[y] = row;
        line.append(mapCell(there, there.every((place, k) => place === now[k])));
      }
      body.append(line);
    }
    last.append(made("td"), ...levers[x].values.map((value) => made("th", value, { scope: "col" })));
    foot.append(last);
    at("map").replaceChildren(body, foot);
  }

  function mapCell(there, current) {
    const { counts, total, first } = labelled(pointOf(there));
    const held = made("td", undefined, current ? { "aria-current": "true" } : {});
    if (first === null) {
      held.append(MISSING);
    } else {
      const future = data.futures[first];
      held.append(made("b", future.letter), ` ${percent(counts[first], total)}`);
      held.style.background = future.colour;
      held.style.color = future.ink;
      held.title = `${future.name}, ${counts[first]} of ${total} runs`;
    }
    held.addEventListener("click", () => {
      there.forEach((place, k) => { levers[k].input.value = place; });
      show();
    });
    return held;
  }

  // All --------------------------------------------------------------------------------------------

  function show() {
    const now = places(), point = pointOf(now), number = Number(at("indicator").value);
    levers.forEach((lever, k) => {
      at(`value-${k}`).textContent = valueOf(lever, now[k]);
      lever.input.setAttribute("aria-valuetext", valueOf(lever, now[k]));
    });
    at("meaning").textContent = `${data.indicators[number].meaning}.`;
    at("said").textContent = told(number, point);
    drawChart(number, point);
    drawFutures(point);
    drawMap();
    drawNumbers(number, point);
  }

  /** Two levers on two axes: the other axis takes what this one had. */
  function turn() {
    const chosen = [Number(across.value), upward ? Number(upward.value) : 1];
    if (chosen[0] === chosen[1]) {
      if (chosen[0] === axes[0]) chosen[0] = axes[1];
      else chosen[1] = axes[0];
    }
    axes = chosen;
    across.value = axes[0];
    if (upward) upward.value = axes[1];
    drawMap();
  }

  data.futures.forEach((future) => {
    const item = made("li");
    item.append(swatch(future), future.name);
    at("key").append(item);
  });
  at("start-note").hidden = own === null;
  at("levers").addEventListener("input", show);
  at("levers").addEventListener("reset", () => setTimeout(show));
  at("levers").addEventListener("submit", (event) => event.preventDefault());
  at("indicator").addEventListener("change", show);
  for (const select of [across, upward]) if (select) select.addEventListener("change", turn);
  at("over-time").addEventListener("toggle", show);
  addEventListener("pageshow", measure);
  addEventListener("resize", measure);
})();
