// The district on three canvases: what is behind firms below, firms above it, what the pointer and the keys point at on
// top.
// A layer is drawn again only when what it shows has changed.

/** The colour of a firm: that of its kind, or of a trait of its conduct on a scale. */
function colourOf(frame, i, { of, trait, colours, low, high }) {
  if (of) return colours[Math.min(frame[of][i], colours.length - 1)];
  const at = (frame.conduct[i * frame.traits + trait] - low) / (high - low);
  return colours[Math.max(0, Math.min(colours.length - 1, Math.floor(at * colours.length)))];
}

function drawFirms(pen, frame, place, colour, differences, difference) {
  const { x, y, r } = place;
  const [gx, gy] = place.closed;
  for (let k = 0; k < frame.gone; k++) drawClosed(pen, gx[k], gy[k]);
  const order = Array.from(r.keys()).sort((a, b) => r[b] - r[a]); // small firms stand before large ones
  for (const i of order) {
    const fill = colourOf(frame, i, colour);
    drawFirm(pen, x[i], y[i], r[i], fill, frame.control[i], frame.technology[i], frame.participant[i]);
    if (frame.young[i]) drawYoung(pen, x[i], y[i], r[i]);
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
}

/** The links of one firm and a ring around it; returns how many ties. */
function drawPointed(pen, frame, place, i, width) {
  const { x, y, r, node, view } = place;
  const lines = linksOf(frame, i, view);
  pen.lineCap = "butt";
  for (const [j, colour, thick, dashes] of lines) {
    for (const [more, over] of [[2.5, "#ffffff"], [0, colour]]) {
      pen.strokeStyle = over;
      pen.lineWidth = thick + more;
      pen.setLineDash(more ? [] : dashes);
      pen.beginPath();
      pen.moveTo(x[i], y[i]);
      pen.lineTo(x[j], y[j]);
      pen.stroke();
    }
  }
  pen.setLineDash([]);
  if (view !== "chain") {
    for (let k = 0; k < frame.strength.length; k++) {
      if (frame.holder[k] !== i) continue;
      pen.strokeStyle = PALETTE.pipeline;
      pen.lineWidth = 3;
      pen.beginPath();
      pen.moveTo(x[i], y[i]);
      pen.lineTo(node[frame.node[k]][0], node[frame.node[k]][1]);
      pen.stroke();
    }
  }
  for (const [thick, colour] of [[width + 3, "#ffffff"], [width, "#000000"]]) {
    pen.beginPath();
    pen.arc(x[i], y[i], r[i] + 5, 0, 2 * Math.PI);
    pen.lineWidth = thick;
    pen.strokeStyle = colour;
    pen.stroke();
  }
  return lines.length;
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
  const captor = frame.captor[i] >= 0 ? `, bound to firm ${frame.id[frame.captor[i]]}` : "";
  const young = frame.young[i] ? ", founded lately" : "";
  return [
    `Firm ${frame.id[i]}: phase ${frame.phase[i] + 1} of ${frame.phases}${last}`,
    `${frame.employees[i].toFixed(1)} employees, ${look.controls[frame.control[i]]}${captor}${young}`,
    `technological trajectory ${frame.technology[i]} (the first is 0)`,
    linked + far,
    `learns ${(1000 * frame.lessons[i]).toFixed(1)}, teaches ${(1000 * frame.taught[i]).toFixed(1)} ` +
      "(thousandths of tacit knowledge a quarter)",
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

function legend(parent, look, view) {
  const counts = { kinds: [], controls: [] };
  const sample = (text, draw, tally = null) => {
    const entry = make("div", "ds-map-entry", "", parent);
    draw(sharp(make("canvas", "", "", entry), 34, 21));
    make("span", "", text, entry);
    if (tally) tally.push(make("span", "ds-map-count", "", entry));
  };
  const line = (colour, width, alpha = 1, dashes = []) => (pen) => {
    pen.strokeStyle = colour;
    pen.setLineDash(dashes);
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
  group("Firms");
  sample("area: employees", (pen) => {
    drawFirm(pen, 9, 12, 3.5, "#b9c4cc", 0, 0);
    drawFirm(pen, 23, 10, 9, "#b9c4cc", 0, 0);
  });
  sample("technological trajectory 2", (pen) => drawFirm(pen, 17, 10, 8, "#777777", 0, 2));
  sample("contributes to the agency", (pen) => drawFirm(pen, 17, 10, 7, "#b9c4cc", 0, 0, 1));
  sample("founded in the last year", (pen) => {
    drawFirm(pen, 17, 10, 4, "#b9c4cc", 0, 0);
    drawYoung(pen, 17, 10, 4);
  });
  sample("closed in the last year", (pen) => drawClosed(pen, 17, 10));
  group("Links");
  if (view === "place") {
    sample("ties between two parts; broader: more", line(PALETTE.tie, 6, 0.4));
    sample("firm with links to the outside", line(PALETTE.pipeline, 1.6));
    sample("agency and its capability", (pen) => drawAgency(pen, 17, 10, 9, 0.3, true));
    sample("ring: collective pipeline", line(PALETTE.agency, 4));
    sample("of one firm: ties; broader: more trust", line(INK, 2.4));
  } else if (view === "chain") {
    sample("orders here; broader: more money", line(PALETTE.here, 6));
    sample("orders abroad", line(PALETTE.abroad, 6, 1, [6, 3]));
    sample("of one firm: orders", line(PALETTE.here, 3));
    sample("of one firm: ties without orders", line("#8a8a8a", 1, 1, [2, 3]));
    sample("of one firm: to whom it is captive", line(INK, 2.5, 1, [8, 3]));
  } else {
    sample("firm with links to the outside", line(PALETTE.pipeline, 1.6));
    sample("of one firm: learns more from the other", line(PALETTE.here, 3));
    sample("of one firm: teaches the other more", line(PALETTE.abroad, 3, 1, [6, 3]));
    sample("ring: collective pipeline", line(PALETTE.agency, 4));
  }
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

function summary(frame, first, [title]) {
  const mean = sum(frame.trust) / Math.max(1, frame.trust.length);
  const members = sum(frame.participant);
  return (
    `Map of the district, ${title.toLowerCase()}, after ${moment(frame.quarter, first)}: ${whole(frame.n)} firms, ` +
    `${whole(frame.trust.length)} local ties with mean trust ${mean.toFixed(2)}, ` +
    `${whole(frame.strength.length)} pipelines to the outside; ${whole(members)} firms contribute to the agency, ` +
    `whose capability is ${frame.capability.toFixed(2)}. Final firms order ` +
    `${whole(sum(frame.here))} k€ here and ${whole(sum(frame.away))} k€ abroad. Arrow keys move among firms, Enter selects one.`
  );
}

/** The choice of a view: radio buttons, which arrow keys move. */
function chooser(parent, model, chosen) {
  const group = make("div", "ds-map-views", "", parent);
  group.setAttribute("role", "radiogroup");
  group.setAttribute("aria-label", "View of the firms");
  const name = `ds-view-${Math.random().toString(36).slice(2)}`;
  const { views } = model.get("look");
  return Object.entries(views).map(([key, [title]]) => {
    const label = make("label", "", "", group);
    const input = make("input", "", "", label);
    Object.assign(input, { type: "radio", name, value: key });
    input.dataset.view = key;
    input.addEventListener("change", () => chosen(key));
    label.append(title);
    return input;
  });
}

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export default {
  render({ model, el }) {
    el.classList.add("ds-part");
    const head = make("div", "ds-map-head", "", el);
    const map = make("div", "ds-map", "", el);
    const field = make("div", "ds-map-field", "", map);
    const side = make("div", "ds-map-legend", "", map);
    const [below, above, top] = ["links", "firms", "pointed"].map((name) => make("canvas", `ds-map-${name}`, "", field));
    const tip = make("div", "ds-map-tip", "", field);
    const heard = make("div", "ds-map-heard", "", field);
    tip.hidden = true;
    top.tabIndex = 0;
    top.setAttribute("role", "application");
    heard.setAttribute("aria-live", "polite");

    let frame = null;
    let place = null;
    let counts = { kinds: [], controls: [] };
    let known = { data: null, look: null, view: "", size: "", rings: "" };
    let pointed = -1; // id of the firm under the pointer or the keys
    let shownNow = "";
    let drawn = 0;

    const inputs = chooser(head, model, (key) => {
      model.set("view", key);
      model.save_changes();
      ask();
    });
    const says = make("p", "ds-map-says", "", head);
    const told = make("p", "ds-map-told", "", head);
    const now = make("p", "ds-map-now", "", head);
    const label = make("span", "ds-map-quarter", "", now);
    const news = make("span", "ds-map-news", "", now);

    const at = (id) => (frame === null || id === null || id < 0 ? -1 : frame.id.indexOf(id));

    const drawTop = (width, height) => {
      const pen = sharp(top, width, height);
      const [chosen, i] = [at(model.get("selected")), at(pointed)];
      let ties = 0;
      if (chosen >= 0) ties += drawPointed(pen, frame, place, chosen, 4);
      if (i >= 0 && i !== chosen) ties += drawPointed(pen, frame, place, i, 2);
      top.dataset.ties = String(ties);
      const now = i < 0 ? "" : `${place.view} ${frame.quarter} ${frame.id[i]} ${width} ${model.get("data").byteLength}`;
      if (now === shownNow) return;
      shownNow = now;
      tip.hidden = i < 0;
      if (i < 0) return;
      const lines = sayings(frame, i, model.get("look"));
      tip.replaceChildren();
      lines.forEach((text, k) => make(k ? "div" : "b", "", text, tip));
      drawKnown(tip, frame, i);
      // Beside or below the map, over the legend: the firm's ties stay in sight
      const beside = model.get("look").legend && side.offsetLeft > field.offsetLeft + width - 9;
      tip.style.left = beside ? `${width + 10}px` : "0";
      tip.style.top = beside ? "0" : `${height + 4}px`;
      tip.style.width = `${beside ? Math.max(230, side.offsetWidth) : Math.min(width, 520)}px`;
    };

    const read = (data) => {
      const next = unpack(data);
      if (next === null) return;
      frame = next;
      label.textContent = moment(frame.quarter, model.get("look").first);
    };

    const draw = () => {
      const [data, look] = [model.get("data"), model.get("look")];
      const fresh = data !== known.data;
      if (fresh) read(data);
      if (frame === null) return;
      news.textContent = model.get("news") ? ` Last year: ${model.get("news")}` : "";
      news.title = news.textContent;
      const view = model.get("view") in BEHIND ? model.get("view") : "place";
      if (look !== known.look || view !== known.view) {
        side.replaceChildren();
        field.style.height = `${look.height}px`;
        side.hidden = !look.legend;
        counts = legend(side, look, view);
        for (const input of inputs) input.checked = input.value === view;
        says.textContent = look.views[view][1];
      }
      const [width, height] = [field.clientWidth, look.height];
      const size = `${width} ${height} ${window.devicePixelRatio}`;
      const differences = model.get("differences");
      const differing = differences.join();
      const all = fresh || look !== known.look || view !== known.view || size !== known.size;
      if (all) {
        place = layout(view, frame, width, height);
        BEHIND[view](sharp(below, width, height), frame, place, look);
        told.textContent = SAID[view](frame, look);
        top.setAttribute("aria-label", summary(frame, look.first, look.views[view]));
        top.dataset.view = view;
        if (counts.kinds.length) recount(counts.kinds, frame[look.colour.of]);
        recount(counts.controls, frame.control);
      }
      if (all || differing !== known.rings) {
        drawFirms(sharp(above, width, height), frame, place, look.colour, new Set(differences), look.difference);
      }
      known = { data, look, view, size, rings: differing };
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
    top.addEventListener("pointerdown", (event) => point(under(event))); // a finger does not move before it touches
    top.addEventListener("pointerleave", (event) => {
      if (event.pointerType !== "touch") point(-1); // what a finger has touched stays until it touches elsewhere
    });
    top.addEventListener("blur", () => point(-1));
    top.addEventListener("click", (event) => select(under(event)));
    top.addEventListener("keydown", (event) => {
      if (!place || !frame.n) return;
      const current = Math.max(at(pointed), at(model.get("selected")));
      if (event.key in ARROWS) {
        const largest = frame.employees.indexOf(Math.max(...frame.employees));
        point(current < 0 ? largest : neighbour(frame, place, at(pointed) < 0 ? current : at(pointed), ...ARROWS[event.key]));
        heard.textContent = sayings(frame, at(pointed), model.get("look")).join(". ");
      } else if (event.key === "Enter") {
        select(at(pointed));
      } else if (event.key === "Escape") {
        point(-1);
      } else {
        return;
      }
      event.preventDefault();
    });
    ask();
    return listen(model, ["data", "look", "view", "news", "selected", "differences"], field, ask);
  },
};
