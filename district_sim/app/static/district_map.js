// The district on three canvases: links below, firms above them, what the pointer and the keys point at on top.
// A layer is drawn again only when what it shows has changed.

const TIE = "#4a5a66";
const TRUSTS = 6; // ties are drawn in so many steps of trust, each in one go
const TIE_ALPHA = [0.12, 0.2, 0.32, 0.45, 0.5, 0.55];
const TIE_PASSES = [1, 1, 1, 1, 2, 3];
const LABELS = 104; // room for the names of outside nodes beside them,
const HALF_LABEL = 52; // and for half a name above or below its node, on maps higher than wide

/** One quarter, as Frame.packed wrote it. */
function unpack(view) {
  const take = reader(view);
  if (!take) return null;
  const [quarter, phases, n, ties, pipes, nodes, domains, traits] = take(Int32Array, 8);
  const floats = (count) => take(Float32Array, count);
  const bytes = (count) => take(Uint8Array, count);
  const ints = (count) => take(Int32Array, count);
  const frame = { quarter, phases, n, domains, nodes, traits };
  [frame.id, frame.one, frame.other, frame.holder] = [ints(n), ints(ties), ints(ties), ints(pipes)];
  [frame.capability, frame.participation] = floats(2);
  for (const name of ["x", "y", "employees", "absorptive", "tacit", "codified"]) frame[name] = floats(n);
  frame.conduct = floats(n * traits);
  [frame.trust, frame.strength, frame.collective] = [floats(ties), floats(pipes), floats(nodes)];
  for (const name of ["phase", "control", "technology", "participant"]) frame[name] = bytes(n);
  [frame.kind, frame.node] = [bytes(nodes), bytes(pipes)];
  [frame.tacits, frame.codifieds] = [bytes(n * domains), bytes(n * domains)];
  return frame;
}

/** Where everything stands on a map of this size: kilometres to pixels, the rim of outside nodes, radii of firms. */
function layout(frame, width, height, reach) {
  const [cx, cy] = [width / 2, height / 2];
  const high = height / 2 - 26;
  const narrow = width / 2 - LABELS < high;
  const room = narrow ? (width / 2 - HALF_LABEL) / Math.cos(Math.PI / frame.nodes) : width / 2 - LABELS;
  const wide = Math.max(0.4 * high, Math.min(room, 1.45 * high));
  const inside = Math.min(0.86 * high, 0.86 * wide);
  const scale = inside / reach;
  const x = new Float32Array(frame.n);
  const y = new Float32Array(frame.n);
  for (let i = 0; i < frame.n; i++) {
    // The few that stand far outside are drawn at the edge: for their sake the others would all move
    const far = Math.hypot(frame.x[i], frame.y[i]) / reach;
    const drawn = far > 1 ? (1 + 0.14 * (1 - Math.exp(5 * (1 - far)))) / far : 1;
    x[i] = cx + scale * drawn * frame.x[i];
    y[i] = cy - scale * drawn * frame.y[i];
  }
  const unit = 0.0042 * inside * 2 * Math.min(1, Math.sqrt(300 / Math.max(1, frame.n)));
  const r = Float32Array.from(frame.employees, (people) => Math.min(0.14 * inside, Math.max(3.4, unit * Math.sqrt(people))));
  const node = Array.from({ length: frame.nodes }, (_, k) => {
    const angle = (2 * Math.PI * (k + 0.5)) / frame.nodes - Math.PI / 2;
    return [cx + wide * Math.cos(angle), cy + high * Math.sin(angle), angle];
  });
  return { cx, cy, wide, high, narrow, x, y, r, unit, node };
}

/** Stroke a path with lines a screen's dot wide, side by side to make them broader: a browser without a graphics card
 * draws thousands of these in a moment, and takes twenty times as long for lines of any other width. */
function hatch(pen, path, passes) {
  const dot = 1 / (window.devicePixelRatio || 1);
  pen.lineWidth = dot;
  pen.lineCap = "butt";
  for (const [dx, dy] of [[0, 0], [0.8, 0], [0, 0.8]].slice(0, passes)) {
    pen.translate(dx * dot, dy * dot);
    pen.stroke(path);
    pen.translate(-dx * dot, -dy * dot);
  }
}

function drawLinks(pen, frame, place, names) {
  const { x, y, node, cx, cy } = place;
  // Ties, together by steps of trust
  const paths = Array.from({ length: TRUSTS }, () => new Path2D());
  for (let k = 0; k < frame.trust.length; k++) {
    const path = paths[Math.min(TRUSTS - 1, Math.floor(frame.trust[k] * TRUSTS))];
    path.moveTo(x[frame.one[k]], y[frame.one[k]]);
    path.lineTo(x[frame.other[k]], y[frame.other[k]]);
  }
  const many = Math.min(1, Math.sqrt(1500 / Math.max(1, frame.trust.length)));
  pen.strokeStyle = TIE;
  paths.forEach((path, step) => {
    pen.globalAlpha = TIE_ALPHA[step] * many;
    hatch(pen, path, TIE_PASSES[step]);
  });
  // Who contributes to the agency
  const spokes = new Path2D();
  for (let i = 0; i < frame.n; i++) {
    if (!frame.participant[i]) continue;
    spokes.moveTo(cx, cy);
    spokes.lineTo(x[i], y[i]);
  }
  pen.globalAlpha = 0.45 * many;
  pen.strokeStyle = AGENCY;
  hatch(pen, spokes, 1);
  // Pipelines: firms' own and, broader, collective ones
  pen.strokeStyle = PIPELINE;
  pen.lineWidth = 1 / (window.devicePixelRatio || 1);
  for (let k = 0; k < frame.strength.length; k++) {
    const [nx, ny] = node[frame.node[k]];
    pen.globalAlpha = (0.2 + 0.5 * frame.strength[k]) * many;
    pen.beginPath();
    pen.moveTo(x[frame.holder[k]], y[frame.holder[k]]);
    pen.lineTo(nx, ny);
    pen.stroke();
  }
  pen.strokeStyle = AGENCY;
  for (let k = 0; k < frame.nodes; k++) {
    if (frame.collective[k] < 0.01) continue;
    pen.globalAlpha = 0.35 + 0.5 * frame.collective[k];
    pen.lineWidth = 1 + 6 * frame.collective[k];
    pen.beginPath();
    pen.moveTo(cx, cy);
    pen.lineTo(node[k][0], node[k][1]);
    pen.stroke();
  }
  pen.globalAlpha = 0.5;
  pen.strokeStyle = "#999999";
  pen.lineWidth = 1;
  pen.beginPath();
  pen.ellipse(cx, cy, place.wide, place.high, 0, 0, 2 * Math.PI);
  pen.stroke();
  pen.globalAlpha = 1;
  pen.font = `14px ${FONT}`;
  pen.fillStyle = INK;
  node.forEach(([nx, ny, angle], k) => {
    drawNode(pen, frame.kind[k], nx, ny, 8);
    const [right, low] = [Math.cos(angle) > 0, Math.sin(angle) > 0];
    pen.textAlign = place.narrow ? "center" : right ? "left" : "right";
    pen.textBaseline = low ? "top" : "bottom";
    pen.fillStyle = INK;
    const name = names[frame.kind[k]] ?? "";
    const lines = place.narrow ? [name] : name.split(" ");
    const [dx, dy] = place.narrow ? [0, 12] : [right ? 11 : -11, 4];
    lines.forEach((text, line) => {
      pen.fillText(text, nx + dx, ny + 15 * (low ? line : line - lines.length + 1) + (low ? dy : -dy));
    });
  });
}

/** The colour of a firm: that of its kind, or of a trait of its conduct on a scale. */
function colourOf(frame, i, { of, trait, colours, low, high }) {
  if (of) return colours[Math.min(frame[of][i], colours.length - 1)];
  const at = (frame.conduct[i * frame.traits + trait] - low) / (high - low);
  return colours[Math.max(0, Math.min(colours.length - 1, Math.floor(at * colours.length)))];
}

function drawFirms(pen, frame, place, colour, differences, difference) {
  const { x, y, r } = place;
  const order = Array.from(r.keys()).sort((a, b) => r[b] - r[a]); // small firms stand before large ones
  for (const i of order) {
    drawFirm(pen, x[i], y[i], r[i], colourOf(frame, i, colour), frame.control[i], frame.technology[i]);
  }
  if (differences.size) {
    for (let i = 0; i < frame.n; i++) {
      if (!differences.has(frame.id[i])) continue;
      for (const [width, colour] of [[5, "#ffffff"], [3, difference]]) {
        pen.beginPath();
        pen.arc(x[i], y[i], r[i] + 4, 0, 2 * Math.PI);
        pen.lineWidth = width;
        pen.strokeStyle = colour;
        pen.stroke();
      }
    }
  }
  drawAgency(pen, place.cx, place.cy, 15, frame.capability, frame.participation > 0);
}

/** The ties of one firm and a ring around it. */
function drawPointed(pen, frame, place, i, width) {
  const { x, y, r, node } = place;
  pen.lineCap = "round";
  for (let k = 0; k < frame.trust.length; k++) {
    if (frame.one[k] !== i && frame.other[k] !== i) continue;
    pen.strokeStyle = INK;
    pen.lineWidth = 1 + 3 * frame.trust[k];
    pen.beginPath();
    pen.moveTo(x[frame.one[k]], y[frame.one[k]]);
    pen.lineTo(x[frame.other[k]], y[frame.other[k]]);
    pen.stroke();
  }
  for (let k = 0; k < frame.strength.length; k++) {
    if (frame.holder[k] !== i) continue;
    pen.strokeStyle = PIPELINE;
    pen.lineWidth = 3;
    pen.beginPath();
    pen.moveTo(x[i], y[i]);
    pen.lineTo(node[frame.node[k]][0], node[frame.node[k]][1]);
    pen.stroke();
  }
  for (const [thick, colour] of [[width + 3, "#ffffff"], [width, "#000000"]]) {
    pen.beginPath();
    pen.arc(x[i], y[i], r[i] + 5, 0, 2 * Math.PI);
    pen.lineWidth = thick;
    pen.strokeStyle = colour;
    pen.stroke();
  }
}

/** A trait of conduct with its value and unit. */
function told({ name, times, decimals, unit }, value) {
  return `${name} ${(times * value).toFixed(decimals)}${unit}`;
}

/** What is said of a firm, line by line; the first is its name. */
function sayings(frame, i, look) {
  let [ties, trust, pipes] = [0, 0, 0];
  for (let k = 0; k < frame.trust.length; k++) {
    if (frame.one[k] === i || frame.other[k] === i) {
      ties += 1;
      trust += frame.trust[k];
    }
  }
  for (const holder of frame.holder) pipes += holder === i;
  const last = frame.phase[i] === frame.phases - 1 ? ", sells to the market" : "";
  const linked = ties ? `${ties} local ties, mean trust ${(trust / ties).toFixed(2)}` : "no local ties";
  const far = pipes ? `; ${pipes} pipeline${pipes > 1 ? "s" : ""} to the outside` : "";
  return [
    `Firm ${frame.id[i]}: phase ${frame.phase[i] + 1} of ${frame.phases}${last}`,
    `${frame.employees[i].toFixed(1)} employees, ${look.controls[frame.control[i]]}`,
    `technological trajectory ${frame.technology[i]} (the first is 0)`,
    linked + far,
    frame.participant[i] ? "contributes to the agency" : "does not contribute to the agency",
    `knows: tacit ${frame.tacit[i].toFixed(2)}, codified ${frame.codified[i].toFixed(2)}; ` +
      `absorptive capacity ${frame.absorptive[i].toFixed(2)}`,
    `chooses: ${look.traits.map((trait, k) => told(trait, frame.conduct[i * frame.traits + k])).join(", ")}`,
  ];
}

/** Tacit and codified knowledge in each domain, as pairs of bars. */
function drawKnown(parent, frame, i) {
  const known = make("div", "ds-map-known", "", parent);
  for (let d = 0; d < frame.domains; d++) {
    const pair = make("div", "ds-map-domain", "", known);
    for (const levels of [frame.tacits, frame.codifieds]) {
      make("i", "", "", pair).style.height = `${Math.max(3, (100 * levels[i * frame.domains + d]) / 255)}%`;
    }
  }
  make("div", "", "by domain: tacit (left), codified (right)", parent);
}

/** The nearest firm in the direction of an arrow key. */
function neighbour(frame, place, i, dx, dy) {
  let [best, least] = [i, Infinity];
  for (let j = 0; j < frame.n; j++) {
    const along = (place.x[j] - place.x[i]) * dx + (place.y[j] - place.y[i]) * dy;
    const aside = Math.abs((place.x[j] - place.x[i]) * dy - (place.y[j] - place.y[i]) * dx);
    if (j === i || along <= 0 || aside > along) continue;
    if (along + aside < least) [best, least] = [j, along + aside];
  }
  return best;
}

/** The colours of a trait from low to high, with the values at both ends. */
function scale(parent, colours, [low, high]) {
  const entry = make("div", "ds-map-entry ds-map-scale", "", parent);
  make("span", "", low, entry);
  const pen = sharp(make("canvas", "", "", entry), 120, 14);
  const wide = 120 / colours.length;
  colours.forEach((colour, k) => {
    pen.fillStyle = colour;
    pen.fillRect(k * wide, 0, wide + 1, 14);
  });
  make("span", "", high, entry);
}

function legend(parent, look) {
  const counts = { kinds: [], controls: [] };
  const sample = (text, draw, tally = null) => {
    const entry = make("div", "ds-map-entry", "", parent);
    draw(sharp(make("canvas", "", "", entry), 34, 21));
    make("span", "", text, entry);
    if (tally) tally.push(make("span", "ds-map-count", "", entry));
  };
  const line = (colour, width, alpha = 1) => (pen) => {
    pen.strokeStyle = colour;
    pen.lineWidth = width;
    pen.globalAlpha = alpha;
    pen.beginPath();
    pen.moveTo(2, 10);
    pen.lineTo(32, 10);
    pen.stroke();
  };
  const group = (text) => make("div", "ds-map-group", text, parent);
  const { of, title, colours, labels } = look.colour;
  if (of !== "control") group(title);
  if (of && of !== "control") {
    colours.forEach((colour, k) => {
      sample(labels[k], (pen) => drawFirm(pen, 17, 10, 7, colour, 0, 0), counts.kinds);
    });
  } else if (!of) {
    scale(parent, colours, labels);
  }
  group("Who decides");
  look.controls.forEach((name, k) => {
    const colour = of === "control" ? colours[k] : "#b9c4cc";
    sample(name, (pen) => drawFirm(pen, 17, 10, 6.5, colour, k, 0), counts.controls);
  });
  group("Firms and links");
  sample("area: employees", (pen) => {
    drawFirm(pen, 9, 12, 3.5, "#b9c4cc", 0, 0);
    drawFirm(pen, 23, 10, 9, "#b9c4cc", 0, 0);
  });
  sample("technological trajectory 2", (pen) => drawFirm(pen, 17, 10, 8, "#777777", 0, 2));
  sample("tie, little trust", line(TIE, 1, 0.4));
  sample("tie, much trust", line(TIE, 2.4, 0.9));
  sample("pipeline to the outside", line(PIPELINE, 1.4));
  sample("agency and its capability", (pen) => drawAgency(pen, 17, 10, 9, 0.3, true));
  sample("contributes to the agency", line(AGENCY, 1, 0.8));
  sample("collective pipeline", line(AGENCY, 5, 0.7));
  if (look.compared) {
    sample("differs from the other district", (pen) => {
      drawFirm(pen, 17, 10, 4, "#b9c4cc", 0, 0);
      pen.beginPath();
      pen.arc(17, 10, 8, 0, 2 * Math.PI);
      pen.lineWidth = 3;
      pen.strokeStyle = look.difference;
      pen.stroke();
    });
  }
  return counts;
}

function recount(cells, codes) {
  const tally = new Array(cells.length).fill(0);
  for (const code of codes) tally[Math.min(code, cells.length - 1)] += 1;
  cells.forEach((cell, k) => {
    const text = whole(tally[k]);
    if (cell.textContent !== text) cell.textContent = text;
  });
}

function summary(frame, first) {
  const mean = frame.trust.reduce((sum, trust) => sum + trust, 0) / Math.max(1, frame.trust.length);
  const members = frame.participant.reduce((sum, one) => sum + one, 0);
  return (
    `Map of the district after ${moment(frame.quarter, first)}: ${whole(frame.n)} firms, ` +
    `${whole(frame.trust.length)} local ties with mean trust ${mean.toFixed(2)}, ` +
    `${whole(frame.strength.length)} pipelines to the outside; ${whole(members)} firms contribute to the agency, ` +
    `whose capability is ${frame.capability.toFixed(2)}. Arrow keys move among firms, Enter selects one.`
  );
}

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export default {
  render({ model, el }) {
    el.classList.add("ds-part");
    const map = make("div", "ds-map", "", el);
    const field = make("div", "ds-map-field", "", map);
    const side = make("div", "ds-map-legend", "", map);
    const [below, above, top] = ["links", "firms", "pointed"].map((name) => make("canvas", `ds-map-${name}`, "", field));
    const label = make("div", "ds-map-quarter", "", field);
    const tip = make("div", "ds-map-tip", "", field);
    const heard = make("div", "ds-map-heard", "", field);
    tip.hidden = true;
    top.tabIndex = 0;
    top.setAttribute("role", "application");
    heard.setAttribute("aria-live", "polite");

    let frame = null;
    let place = null;
    let reach = 0;
    let counts = { kinds: [], controls: [] };
    let known = { data: null, look: null, size: "", rings: "" };
    let pointed = -1; // id of the firm under the pointer or the keys
    let shownNow = "";
    let drawn = 0;

    const at = (id) => (frame === null || id === null || id < 0 ? -1 : frame.id.indexOf(id));

    const drawTop = (width, height) => {
      const pen = sharp(top, width, height);
      const [chosen, i] = [at(model.get("selected")), at(pointed)];
      if (chosen >= 0) drawPointed(pen, frame, place, chosen, 4);
      if (i >= 0 && i !== chosen) drawPointed(pen, frame, place, i, 2);
      const now = i < 0 ? "" : `${frame.quarter} ${frame.id[i]} ${width} ${model.get("data").byteLength}`;
      if (now === shownNow) return;
      shownNow = now;
      tip.hidden = i < 0;
      if (i < 0) return;
      const lines = sayings(frame, i, model.get("look"));
      tip.replaceChildren();
      lines.forEach((text, k) => make(k ? "div" : "b", "", text, tip));
      drawKnown(tip, frame, i);
      const left = place.x[i] + place.r[i] + 12;
      tip.style.left = `${left + 330 > width ? Math.max(0, place.x[i] - place.r[i] - 12 - tip.offsetWidth) : left}px`;
      tip.style.top = `${Math.max(0, Math.min(place.y[i] - 20, height - tip.offsetHeight))}px`;
    };

    const read = (data) => {
      const next = unpack(data);
      if (next === null) return;
      if (frame === null || next.quarter < frame.quarter) reach = 0;
      reach ||= Math.max(0.1, ...next.x.map((x, i) => Math.hypot(x, next.y[i])));
      frame = next;
      const { first } = model.get("look");
      label.textContent = moment(frame.quarter, first);
      top.setAttribute("aria-label", summary(frame, first));
    };

    const draw = () => {
      const [data, look] = [model.get("data"), model.get("look")];
      const fresh = data !== known.data;
      if (fresh) read(data);
      if (frame === null) return;
      if (look !== known.look) {
        side.replaceChildren();
        field.style.height = `${look.height}px`;
        side.hidden = !look.legend;
        counts = legend(side, look);
      }
      const [width, height] = [field.clientWidth, look.height];
      const size = `${width} ${height} ${window.devicePixelRatio}`;
      const differences = model.get("differences");
      const rings = differences.join();
      const all = fresh || look !== known.look || size !== known.size;
      if (all) {
        place = layout(frame, width, height, reach);
        drawLinks(sharp(below, width, height), frame, place, look.nodes);
        if (counts.kinds.length) recount(counts.kinds, frame[look.colour.of]);
        recount(counts.controls, frame.control);
      }
      if (all || rings !== known.rings) {
        drawFirms(sharp(above, width, height), frame, place, look.colour, new Set(differences), look.difference);
      }
      known = { data, look, size, rings };
      drawTop(width, height);
      if (fresh && look.reports) {
        drawn += 1;
        model.set("drawn", [drawn, frame.quarter]);
        model.save_changes();
      }
    };
    const ask = soon(draw);

    const point = (i) => {
      const id = i < 0 ? -1 : frame.id[i];
      if (id === pointed) return;
      pointed = id;
      ask();
    };
    const select = (i) => {
      if (i < 0) return;
      const id = frame.id[i];
      model.set("selected", model.get("selected") === id ? null : id);
      model.save_changes();
      ask();
    };
    const under = (event) => {
      let [best, least] = [-1, 9];
      for (let i = 0; place && i < frame.n; i++) {
        const gap = Math.hypot(place.x[i] - event.offsetX, place.y[i] - event.offsetY) - place.r[i];
        if (gap < least) [best, least] = [i, gap];
      }
      return best;
    };
    top.addEventListener("pointermove", (event) => {
      const i = under(event);
      top.style.cursor = i < 0 ? "default" : "pointer";
      point(i);
    });
    top.addEventListener("pointerleave", () => point(-1));
    top.addEventListener("blur", () => point(-1));
    top.addEventListener("click", (event) => select(under(event)));
    top.addEventListener("keydown", (event) => {
      if (!place || !frame.n) return;
      const current = Math.max(at(pointed), at(model.get("selected")));
      if (event.key in ARROWS) {
        const largest = frame.employees.indexOf(Math.max(...frame.employees));
        point(current < 0 ? largest : neighbour(frame, place, at(pointed) < 0 ? current : at(pointed), ...ARROWS[event.key]));
        heard.textContent = sayings(frame, at(pointed), model.get("look")).join(". ");
      } else if (event.key === "Enter" || event.key === " ") {
        select(at(pointed));
      } else if (event.key === "Escape") {
        point(-1);
      } else {
        return;
      }
      event.preventDefault();
    });
    ask();
    return listen(model, ["data", "look", "selected", "differences"], field, ask);
  },
};
