// The three views of a district: where firms stand in each, and what is drawn behind them. Places come from Python
// (figures/layout.py), so that page, figures and films show the same; here they become pixels.

const LABELS = 104; // room for the names of outside nodes beside them,
const HALF_LABEL = 52; // and for half a name above or below its node, on maps higher than wide
const ARC = 13; // pixels that the largest orders are broad, where there is room
const BUNDLE = 150; // pixels that a line for all ties would be broad

/** One quarter, as Frame.packed wrote it. */
function unpack(view) {
  const take = reader(view);
  if (!take) return null;
  const [quarter, phases, n, ties, pipes, nodes, domains, traits, gone, bundles] = take(Int32Array, 10);
  const floats = (count) => take(Float32Array, count);
  const bytes = (count) => take(Uint8Array, count);
  const ints = (count) => take(Int32Array, count);
  const pair = (count) => [floats(count), floats(count)];
  const frame = { quarter, phases, n, domains, nodes, traits, gone, bundles };
  [frame.id, frame.one, frame.other, frame.holder, frame.captor] = [ints(n), ints(ties), ints(ties), ints(pipes), ints(n)];
  [frame.capability, frame.participation, frame.reach, frame.sales] = floats(4);
  for (const name of ["here", "away", "made"]) frame[name] = floats(phases - 1);
  for (const name of ["x", "y", "employees", "absorptive", "tacit", "codified", "lessons", "taught"]) frame[name] = floats(n);
  [frame.chain, frame.known] = [pair(n), pair(n)];
  frame.closed = { place: pair(gone), chain: pair(gone), knowledge: pair(gone) };
  frame.bundle = Array.from({ length: 5 }, () => floats(bundles));
  frame.conduct = floats(n * traits);
  frame.trust = floats(ties);
  [frame.paid, frame.learned] = [pair(ties), pair(ties)];
  [frame.strength, frame.collective] = [floats(pipes), floats(nodes)];
  for (const name of ["phase", "control", "technology", "participant", "young"]) frame[name] = bytes(n);
  [frame.kind, frame.node] = [bytes(nodes), bytes(pipes)];
  [frame.tacits, frame.codifieds] = [bytes(n * domains), bytes(n * domains)];
  return frame;
}

/** The ellipse of outside nodes, the circle of the district, and radii of firms on a map of this size. */
function grounds(frame, width, height) {
  const [cx, cy] = [width / 2, height / 2];
  const high = height / 2 - 26;
  const narrow = width / 2 - LABELS < high;
  const room = narrow ? (width / 2 - HALF_LABEL) / Math.cos(Math.PI / frame.nodes) : width / 2 - LABELS;
  const wide = Math.max(0.4 * high, Math.min(room, 1.45 * high));
  const inside = Math.min(0.84 * high, 0.84 * wide);
  const unit = 0.0042 * inside * 2 * Math.min(1, Math.sqrt(300 / Math.max(1, frame.n)));
  const r = Float32Array.from(frame.employees, (people) => Math.min(0.14 * inside, Math.max(3.4, unit * Math.sqrt(people))));
  const node = Array.from({ length: frame.nodes }, (_, k) => {
    const angle = (2 * Math.PI * (k + 0.5)) / frame.nodes - Math.PI / 2;
    return [cx + wide * Math.cos(angle), cy + high * Math.sin(angle), angle];
  });
  return { cx, cy, wide, high, narrow, inside, r, node, width, height };
}

/** From numbers of one view to pixels: of firms, and of those that have closed. */
const TO_PIXELS = {
  place: (frame, at) => (x, y) => {
    // The few that stand far outside are drawn at the edge: for their sake the others would all move
    const far = Math.hypot(x, y) / frame.reach;
    const drawn = (at.inside / frame.reach) * (far > 1 ? (1 + 0.14 * (1 - Math.exp(5 * (1 - far)))) / far : 1);
    return [at.cx + drawn * x, at.cy - drawn * y];
  },
  chain: (frame, at) => {
    const { left, right, top, bottom } = columnsBox(at);
    return (x, y) => [left + (right - left) * x, bottom - (bottom - top) * y];
  },
  knowledge: (frame, at) => (x, y) => [at.cx + at.inside * x, at.cy - at.inside * y],
};
const NUMBERS = { place: (f) => [f.x, f.y], chain: (f) => f.chain, knowledge: (f) => f.known };

/** Where the columns of phases are: between arcs of orders here and orders abroad, with the market at the right. */
function columnsBox({ width, height }) {
  return { left: 8, right: width - 78, top: 0.34 * height, bottom: 0.76 * height };
}

/** Where everything stands in a view. */
function layout(view, frame, width, height) {
  const at = grounds(frame, width, height);
  const toPixels = TO_PIXELS[view](frame, at);
  const placed = ([x, y]) => {
    const out = [new Float32Array(x.length), new Float32Array(x.length)];
    for (let i = 0; i < x.length; i++) [out[0][i], out[1][i]] = toPixels(x[i], y[i]);
    return out;
  };
  const [x, y] = placed(NUMBERS[view](frame));
  return { ...at, view, x, y, closed: placed(frame.closed[view]), toPixels };
}

// Behind the firms -----------------------------------------------------------------------------------

/** A short ray for each firm with links to the outside: beyond the rim, or from the firm outwards. */
function drawRays(pen, frame, at, fromFirm) {
  const links = new Uint8Array(frame.n);
  for (const holder of frame.holder) links[holder] += 1;
  pen.strokeStyle = PALETTE.pipeline;
  pen.lineWidth = 1.3;
  pen.beginPath();
  for (let i = 0; i < frame.n; i++) {
    if (!links[i]) continue;
    const angle = Math.atan2(-frame.y[i], frame.x[i]);
    const [dx, dy] = [Math.cos(angle), Math.sin(angle)];
    const far = at.inside * (1.05 + 0.03 * links[i]);
    if (fromFirm) pen.moveTo(at.x[i], at.y[i]);
    else pen.moveTo(at.cx + 1.02 * at.inside * dx, at.cy + 1.02 * at.inside * dy);
    pen.lineTo(at.cx + far * dx, at.cy + far * dy);
  }
  pen.globalAlpha = fromFirm ? 0.55 : 1;
  pen.stroke();
  pen.globalAlpha = 1;
}

function drawRim(pen, at) {
  pen.globalAlpha = 0.7;
  pen.strokeStyle = "#999999";
  pen.lineWidth = 1;
  pen.beginPath();
  pen.ellipse(at.cx, at.cy, at.wide, at.high, 0, 0, 2 * Math.PI);
  pen.stroke();
  pen.globalAlpha = 1;
}

/** Places outside, with their names and how many firms have links to them; a ring where the agency has one. */
function drawNodes(pen, frame, at, names) {
  const counts = new Uint16Array(frame.nodes);
  for (const node of frame.node) counts[node] += 1;
  pen.font = `14px ${FONT}`;
  at.node.forEach(([nx, ny, angle], k) => {
    if (frame.collective[k] >= 0.01) {
      pen.beginPath();
      pen.arc(nx, ny, 14, 0, 2 * Math.PI);
      pen.lineWidth = 1.5 + 5 * frame.collective[k];
      pen.strokeStyle = PALETTE.agency;
      pen.stroke();
    }
    drawNode(pen, frame.kind[k], nx, ny, 8);
    const [right, low] = [Math.cos(angle) > 0, Math.sin(angle) > 0];
    pen.textAlign = at.narrow ? "center" : right ? "left" : "right";
    pen.textBaseline = low ? "top" : "bottom";
    pen.fillStyle = INK;
    const name = names[frame.kind[k]] ?? "";
    const lines = at.narrow ? [name] : name.split(" ");
    lines[lines.length - 1] += counts[k] ? ` ${counts[k]}` : "";
    const [dx, dy] = at.narrow ? [0, 14] : [right ? 16 : -16, 4];
    const half = at.narrow ? pen.measureText(lines[0]).width / 2 + 2 : 0;
    const middle = at.narrow ? Math.max(half, Math.min(at.width - half, nx)) : nx + dx;
    lines.forEach((text, line) => {
      pen.fillText(text, middle, ny + 15 * (low ? line : line - lines.length + 1) + (low ? dy : -dy));
    });
  });
}

function behindPlace(pen, frame, at, look) {
  const [ax, ay, bx, by, share] = frame.bundle;
  pen.strokeStyle = PALETTE.tie;
  pen.globalAlpha = 0.4;
  pen.lineCap = "round";
  for (let k = 0; k < frame.bundles; k++) {
    pen.lineWidth = Math.max(0.8, BUNDLE * share[k]);
    pen.beginPath();
    pen.moveTo(...at.toPixels(ax[k], ay[k]));
    pen.lineTo(...at.toPixels(bx[k], by[k]));
    pen.stroke();
  }
  pen.globalAlpha = 1;
  drawRim(pen, at);
  drawRays(pen, frame, at, false);
  drawNodes(pen, frame, at, look.nodes);
  drawAgency(pen, 26, at.height - 26, 15, frame.capability, frame.participation > 0);
}

/** An arrow from final firms to a phase: above the columns, or below them. */
function drawOrders(pen, at, columns, phase, thick, colour, side) {
  const box = columnsBox(at);
  const across = (x) => box.left + (box.right - box.left) * x;
  const last = columns.length - 1;
  const [from, to] = columns[last];
  const start = across(from + (to - from) * (0.92 - 0.8 * ((phase + 0.5) / last))); // the longest arc is the outermost
  const end = across((columns[phase][0] + columns[phase][1]) / 2);
  const room = side < 0 ? box.top - 58 : at.height - box.bottom - 46;
  const base = side < 0 ? box.top - 24 : box.bottom + 24;
  const foot = side < 0 ? box.top - 46 : box.bottom + 30;
  const most = across(columns[last][1]) - across(0);
  const rise = (side * (room * (0.12 + 0.88 * ((start - end) / most)) - thick / 2)) / 0.75;
  pen.strokeStyle = pen.fillStyle = colour;
  pen.lineWidth = thick;
  pen.setLineDash(side < 0 ? [] : [7, 3]);
  pen.beginPath();
  pen.moveTo(start, base);
  pen.bezierCurveTo(start, foot + rise, end, foot + rise, end, foot);
  pen.stroke();
  pen.setLineDash([]);
  const half = 3.5 + 0.55 * thick;
  pen.beginPath();
  pen.moveTo(end - half, foot + side * 2);
  pen.lineTo(end + half, foot + side * 2);
  pen.lineTo(end, foot - side * half * 1.3);
  pen.fill();
}

function behindChain(pen, frame, at, look) {
  const { columns } = look;
  const box = columnsBox(at);
  const last = columns.length - 1;
  const across = (x) => box.left + (box.right - box.left) * x;
  const broad = ARC * Math.min(1, at.width / 520, 6 / columns.length); // lest arcs run into one another
  let most = 1e-9;
  for (let q = 0; q < last; q++) most = Math.max(most, frame.here[q] + frame.away[q]);
  const tiny = across(columns[0][1]) - across(columns[0][0]) < 58;
  pen.textAlign = "center";
  columns.forEach(([from, to], q) => {
    const middle = across((from + to) / 2);
    pen.fillStyle = "#f1f2f3";
    pen.fillRect(across(from), box.top - 4, across(to) - across(from), box.bottom - box.top + 8);
    pen.fillStyle = INK;
    pen.font = `14px ${FONT}`;
    pen.textBaseline = "bottom";
    pen.fillText(q === last ? "final" : tiny ? `${q + 1}` : `phase ${q + 1}`, middle, box.top - 6);
    if (q === last) return;
    for (const [money, colour, side] of [[frame.here[q], PALETTE.here, -1], [frame.away[q], PALETTE.abroad, 1]]) {
      if (money > 0) drawOrders(pen, at, columns, q, Math.max(0.8, (broad * money) / most), colour, side);
      pen.font = `650 ${tiny ? 11 : 13}px ${FONT}`;
      pen.fillStyle = colour;
      pen.textBaseline = side < 0 ? "bottom" : "top";
      pen.fillText(whole(money), middle, side < 0 ? box.top - 22 : box.bottom + 8);
    }
  });
  const right = across(1) + 6;
  pen.fillStyle = pen.strokeStyle = INK;
  pen.lineWidth = 2.5;
  const middle = (box.top + box.bottom) / 2;
  pen.beginPath();
  pen.moveTo(right, middle);
  pen.lineTo(right + 34, middle);
  pen.lineTo(right + 26, middle - 6);
  pen.moveTo(right + 34, middle);
  pen.lineTo(right + 26, middle + 6);
  pen.stroke();
  pen.textAlign = "left";
  pen.font = `14px ${FONT}`;
  pen.textBaseline = "bottom";
  pen.fillText("market", right, middle - 26);
  pen.fillText(whole(frame.sales), right, middle - 9);
  pen.textBaseline = "top";
  pen.fillText("abroad", right, box.bottom + 8);
  pen.textBaseline = "bottom";
  pen.fillText("k€ a quarter", Math.min(right, at.width - pen.measureText("k€ a quarter").width - 2), at.height - 4);
}

function behindKnowledge(pen, frame, at, look) {
  pen.strokeStyle = "#8a8a8a";
  pen.lineWidth = 1;
  for (const ring of look.rings) {
    pen.setLineDash([5, 4]);
    pen.beginPath();
    pen.arc(at.cx, at.cy, ring * at.inside, 0, 2 * Math.PI);
    pen.stroke();
  }
  pen.setLineDash([]);
  pen.beginPath();
  pen.arc(at.cx, at.cy, at.inside, 0, 2 * Math.PI);
  pen.stroke();
  drawRim(pen, at);
  drawRays(pen, frame, at, true);
  drawNodes(pen, frame, at, look.nodes);
}

/** How many firms are in the core, and how much of all that is learned they teach. */
function saidOfKnowledge(frame, look) {
  const [core, edge] = look.rings;
  const found = [["core", 0, 0], ["middle", 0, 0], ["periphery", 0, 0]];
  let all = 0;
  for (let i = 0; i < frame.n; i++) {
    const far = Math.hypot(frame.known[0][i], frame.known[1][i]);
    const ring = found[far < core ? 0 : far < edge ? 1 : 2];
    ring[1] += 1;
    ring[2] += frame.taught[i];
    all += frame.taught[i];
  }
  const share = (taught) => (all ? Math.round((100 * taught) / all) : 0);
  return found.map(([name, firms, taught]) => `${name}: ${whole(firms)} firms teach ${share(taught)} %`).join("; ");
}

const sum = (numbers) => numbers.reduce((before, one) => before + one, 0);

function saidOfChain(frame) {
  const [here, away, made] = [sum(frame.here), sum(frame.away), sum(frame.made)];
  const share = (money) => `${Math.round((100 * money) / Math.max(1e-9, here + away + made))} %`;
  const captive = frame.control.reduce((count, control) => count + (control === CAPTIVE), 0);
  const split = `ordered here ${share(here)}, abroad ${share(away)}; final firms make ${share(made)} themselves`;
  return `${split}; ${captive || "no"} supplier${captive === 1 ? " is" : "s are"} captive`;
}

/** What a view says below its title, in numbers. */
const SAID = {
  place: (frame) => `${whole(frame.trust.length)} ties; point at a firm to see its own`,
  chain: saidOfChain,
  knowledge: saidOfKnowledge,
};

const BEHIND = { place: behindPlace, chain: behindChain, knowledge: behindKnowledge };

// The links of one firm ------------------------------------------------------------------------------

/** Lines to whom a firm is tied: [other firm, colour, width, dashes]; what they mean depends on the view. */
function linksOf(frame, i, view) {
  const lines = [];
  let [mostPaid, mostLearned] = [1e-9, 1e-9];
  const mine = [];
  for (let k = 0; k < frame.trust.length; k++) {
    if (frame.one[k] !== i && frame.other[k] !== i) continue;
    const side = frame.one[k] === i ? 0 : 1;
    const j = side ? frame.one[k] : frame.other[k];
    const [gives, gets] = [frame.paid[side][k], frame.paid[1 - side][k]];
    const [learns, teaches] = [frame.learned[side][k], frame.learned[1 - side][k]];
    mine.push({ j, trust: frame.trust[k], gives, gets, learns, teaches });
    mostPaid = Math.max(mostPaid, gives, gets);
    mostLearned = Math.max(mostLearned, learns, teaches);
  }
  for (const { j, trust, gives, gets, learns, teaches } of mine) {
    if (view === "place") lines.push([j, INK, 1 + 3 * trust, []]);
    else if (view === "chain") {
      const money = Math.max(gives, gets);
      lines.push([j, money ? PALETTE.here : "#8a8a8a", money ? 1 + (6 * money) / mostPaid : 1, money ? [] : [2, 3]]);
    } else {
      if (learns >= teaches) lines.push([j, PALETTE.here, 1 + (5 * learns) / mostLearned, []]);
      else lines.push([j, PALETTE.abroad, 1 + (5 * teaches) / mostLearned, [6, 3]]);
    }
  }
  if (view === "chain" && frame.captor[i] >= 0) lines.push([frame.captor[i], INK, 2.5, [8, 3]]);
  return lines;
}
