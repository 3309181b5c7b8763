// Lines over quarters with bands around them, on a canvas: axes with units, marks, and values under the pointer.

const LEFT = 58;
const RIGHT = 14;
const TOP = 15;
const BOTTOM = 40;

/** Round numbers that cover what is to be shown, about four of them. */
function ticks(low, high, count = 4) {
  const raw = (high - low) / count || 1;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = power * [1, 2, 2.5, 5, 10].find((factor) => factor * power >= raw * 0.999);
  const found = [];
  for (let value = Math.ceil(low / step - 1e-9) * step; value <= high + 1e-9 * step; value += step) found.push(value + 0); // no -0
  return found;
}

/** How numbers of a unit are written, with as many places as their steps need. */
function writer(unit, step) {
  if (unit.startsWith("share")) {
    return (value) => `${(100 * value).toFixed(step < 0.01 ? 1 : 0)} %`;
  }
  let places = 0;
  while (places < 4 && Math.abs(step * 10 ** places - Math.round(step * 10 ** places)) > 1e-6) places += 1;
  return (value) => value.toLocaleString("en", { minimumFractionDigits: places, maximumFractionDigits: places });
}

/** The series as Python packed them: for each line its values, then low and high of each of its bands. */
function series(model) {
  const take = reader(model.get("data"));
  if (!take) return [];
  const [count] = take(Int32Array, 1);
  const sizes = Array.from({ length: count }, () => take(Int32Array, 3));
  const { lines } = model.get("look");
  return sizes.map(([first, length, bands], i) => ({
    label: "",
    colour: INK,
    dash: [],
    ...lines[i], // the look may arrive a moment after the numbers
    first,
    values: take(Float32Array, length),
    bands: Array.from({ length: bands }, () => [take(Float32Array, length), take(Float32Array, length)]),
  }));
}

/** Smallest and largest number that the axis must show; zero is always on it. It only shrinks when much less is left
 * to show: who moves a lever to and fro can compare. */
function range(lines, unit, before) {
  let low = 0;
  let high = 0;
  for (const line of lines) {
    for (const numbers of [line.values, ...line.bands.flat()]) {
      for (const value of numbers) {
        if (value < low) low = value;
        if (value > high) high = value;
      }
    }
  }
  if (high <= before && high > before / 4) high = before;
  const shares = unit.startsWith("share") || unit.includes("0 to 1") || (unit === "index" && high <= 1);
  const top = shares ? Math.min(1, Math.max(0.2, 1.05 * high)) : 1.05 * high || 1;
  return [low, top, high];
}

export default {
  render({ model, el }) {
    el.classList.add("ds-part");
    const head = make("div", "ds-chart-head", "", el);
    const title = make("span", "ds-title", "", head);
    const unitLabel = make("span", "ds-unit", "", head);
    const legend = make("div", "ds-chart-legend", "", el);
    const canvas = make("canvas", "ds-chart", "", el);
    canvas.setAttribute("role", "img");
    let pointer = null;
    let known = "";
    let entries = [];
    let highest = 0;

    const relabel = (lines) => {
      const now = JSON.stringify(lines.map((line) => [line.label, line.colour, line.dash]));
      if (now === known) return;
      known = now;
      legend.replaceChildren();
      entries = lines.map((line) => {
        const entry = make("span", "ds-chart-entry", "", legend);
        const sample = make("canvas", "ds-chart-sample", "", entry);
        const pen = sharp(sample, 30, 12);
        pen.strokeStyle = line.colour;
        pen.lineWidth = 3;
        pen.setLineDash(line.dash);
        pen.beginPath();
        pen.moveTo(1, 6);
        pen.lineTo(29, 6);
        pen.stroke();
        make("span", "", line.label, entry);
        return make("span", "ds-chart-value", "", entry);
      });
    };

    const axes = (pen, box, x, y, steps, write, quarters, first, marks) => {
      pen.font = `14px ${FONT}`;
      pen.fillStyle = QUIET;
      pen.strokeStyle = "#dddddd";
      pen.lineWidth = 1;
      pen.textBaseline = "middle";
      pen.textAlign = "right";
      for (const value of steps) {
        pen.beginPath();
        pen.moveTo(box.left, y(value));
        pen.lineTo(box.right, y(value));
        pen.stroke();
        pen.fillText(write(value), box.left - 6, y(value));
      }
      pen.textAlign = "center";
      pen.textBaseline = "top";
      const count = Math.max(2, Math.min(8, (box.right - box.left) / 70));
      if (first === null) {
        for (const value of ticks(0, quarters, count)) pen.fillText(whole(value), x(value), box.bottom + 4);
      } else {
        const years = ticks(first / 4, (first + quarters) / 4, count).filter(Number.isInteger);
        for (const year of years) pen.fillText(String(year), x(4 * year - first), box.bottom + 4);
      }
      pen.fillText(first === null ? "quarter" : "year", (box.left + box.right) / 2, box.bottom + 21);
      pen.strokeStyle = QUIET;
      pen.beginPath();
      pen.moveTo(box.left, box.top);
      pen.lineTo(box.left, box.bottom);
      pen.lineTo(box.right, box.bottom);
      pen.stroke();
      pen.setLineDash([4, 3]);
      for (const [quarter, , , colour, line] of marks) {
        pen.strokeStyle = colour;
        if (line) pen.strokeRect(x(quarter), box.top, 0, box.bottom - box.top);
      }
      pen.setLineDash([]);
      pen.textAlign = "center";
      pen.textBaseline = "middle";
      pen.font = `12px ${FONT}`;
      let taken = -Infinity; // marks of the same quarter stand side by side
      for (const [quarter, , glyph, colour, line] of marks) {
        const at = line ? Math.max(x(quarter), taken + 9) : x(quarter);
        if (line && glyph) taken = at;
        pen.fillStyle = colour;
        pen.font = `${line ? 12 : 8}px ${FONT}`; // sales are many
        pen.fillText(glyph, at, 7);
      }
      pen.font = `14px ${FONT}`;
    };

    const words = (pen, box, x, marks) => {
      pen.textAlign = "left";
      pen.textBaseline = "top";
      pen.lineWidth = 4;
      pen.strokeStyle = "#ffffff";
      pen.fillStyle = QUIET;
      for (const [quarter, text] of marks) {
        if (!text) continue;
        const left = Math.min(x(quarter) + 4, box.right - pen.measureText(text).width);
        pen.strokeText(text, left, box.top + 3);
        pen.fillText(text, left, box.top + 3);
      }
    };

    const plot = (pen, lines, x, y) => {
      for (const line of lines) {
        pen.fillStyle = line.colour;
        line.bands.forEach(([low, high]) => {
          if (!low.length) return;
          pen.globalAlpha = 0.22;
          pen.beginPath();
          low.forEach((value, t) => pen.lineTo(x(line.first + t), y(value)));
          for (let t = high.length - 1; t >= 0; t--) pen.lineTo(x(line.first + t), y(high[t]));
          pen.fill();
        });
        pen.globalAlpha = 1;
        pen.strokeStyle = line.colour;
        pen.lineWidth = 2.5;
        pen.lineJoin = "round";
        pen.setLineDash(line.dash);
        pen.beginPath();
        let drawing = false; // what is undefined is a gap
        line.values.forEach((value, t) => {
          const known = !Number.isNaN(value);
          if (known && drawing) pen.lineTo(x(line.first + t), y(value));
          else if (known) pen.moveTo(x(line.first + t), y(value));
          drawing = known;
        });
        pen.stroke();
        pen.setLineDash([]);
        if (line.values.length === 1) {
          pen.fillRect(x(line.first) - 2, y(line.values[0]) - 2, 4, 4);
        }
      }
    };

    const draw = () => {
      const { title: text, unit, quarters, first = null, height, marks } = model.get("look");
      const lines = series(model);
      const width = Math.max(160, canvas.parentElement.clientWidth);
      title.textContent = text;
      unitLabel.textContent = unit === "1" ? "" : unit;
      relabel(lines);
      const pen = sharp(canvas, width, height);
      const box = { left: LEFT, right: width - RIGHT, top: TOP, bottom: height - BOTTOM };
      const [low, high, most] = range(lines, unit, highest);
      highest = most;
      const x = (quarter) => box.left + ((box.right - box.left) * quarter) / Math.max(1, quarters);
      const y = (value) => box.bottom - ((box.bottom - box.top) * (value - low)) / (high - low);
      const steps = ticks(low, high, Math.max(2, Math.min(5, (box.bottom - box.top) / 32)));
      const write = writer(unit, steps.length > 1 ? steps[1] - steps[0] : 1);
      axes(pen, box, x, y, steps, write, quarters, first, marks);
      plot(pen, lines, x, y);
      words(pen, box, x, marks);
      const last = Math.max(0, ...lines.map((line) => line.first + line.values.length - 1));
      const at = pointer === null ? last : Math.round(((pointer - box.left) / (box.right - box.left)) * quarters);
      if (pointer !== null && at >= 0 && at <= quarters) {
        pen.strokeStyle = INK;
        pen.lineWidth = 1;
        pen.strokeRect(x(at), box.top, 0, box.bottom - box.top);
        pen.fillStyle = INK;
        pen.textBaseline = "top";
        pen.textAlign = at > quarters / 2 ? "right" : "left";
        const near = marks.filter(([quarter, , , , , said]) => said && Math.abs(x(quarter) - pointer) < 5);
        pen.lineWidth = 4;
        pen.strokeStyle = "#ffffff";
        [moment(at, first), ...near.slice(0, 3).map((mark) => mark[5])].forEach((text, line) => {
          const place = [x(at) + (at > quarters / 2 ? -5 : 5), box.top + 4 + 16 * line];
          pen.strokeText(text, ...place);
          pen.fillText(text, ...place);
        });
      }
      const fine = writer(unit, (steps.length > 1 ? steps[1] - steps[0] : 1) / 10);
      const said = lines.map((line, i) => {
        const value = line.values[at - line.first];
        const written = value === undefined ? "" : Number.isNaN(value) ? "–" : fine(value);
        entries[i].textContent = written;
        return value === undefined ? line.label : `${line.label} ${written}`;
      });
      canvas.setAttribute("aria-label", `${text} (${unit}), ${moment(last, first)}: ${said.join("; ")}`);
    };

    const ask = soon(draw);
    canvas.addEventListener("pointermove", (event) => {
      pointer = event.offsetX;
      ask();
    });
    canvas.addEventListener("pointerleave", () => {
      pointer = null;
      ask();
    });
    ask();
    return listen(model, ["look", "data"], el, ask);
  },
};
