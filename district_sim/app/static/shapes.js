// The shapes on the map: firms, outside nodes, the agency.

const [INDEPENDENT, CAPTIVE, GROUP, LEADER, MULTINATIONAL] = [0, 1, 2, 3, 4]; // as in app/district_map.py

/** The outline of a firm by who decides for it: the figures' circle, triangle, square, diamond and cross. */
function outline(pen, control, x, y, r) {
  pen.beginPath();
  if (control === CAPTIVE) {
    pen.moveTo(x, y + 1.25 * r);
    pen.lineTo(x - 1.15 * r, y - 0.8 * r);
    pen.lineTo(x + 1.15 * r, y - 0.8 * r);
  } else if (control === GROUP) {
    pen.rect(x - 0.9 * r, y - 0.9 * r, 1.8 * r, 1.8 * r);
  } else if (control === LEADER) {
    pen.moveTo(x, y - 1.3 * r);
    pen.lineTo(x + 1.3 * r, y);
    pen.lineTo(x, y + 1.3 * r);
    pen.lineTo(x - 1.3 * r, y);
  } else if (control === MULTINATIONAL) {
    const [a, b] = [1.2 * r, 0.5 * r];
    const corners = [[-b, -a], [b, -a], [b, -b], [a, -b], [a, b], [b, b], [b, a], [-b, a], [-b, b], [-a, b], [-a, -b]];
    for (const [dx, dy] of corners) pen.lineTo(x + dx, y + dy);
    pen.lineTo(x - b, y - b);
  } else {
    pen.arc(x, y, r, 0, 2 * Math.PI);
  }
  pen.closePath();
}

/** Whether a colour is so light that marks on it are to be black. */
function isLight(colour) {
  const [red, green, blue] = [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
  return 0.3 * red + 0.59 * green + 0.11 * blue > 140;
}

/** A firm: filled by phase, shaped by control, its rim by whether it contributes to the agency; one mark for each
 * technological trajectory after the first. */
function drawFirm(pen, x, y, r, colour, control, technology, contributes) {
  outline(pen, control, x, y, r);
  pen.fillStyle = colour;
  pen.fill();
  pen.lineWidth = contributes ? Math.min(2.2, 0.9 + 0.22 * r) : control === INDEPENDENT ? 1 : 1.5;
  pen.strokeStyle = contributes ? PALETTE.agency : PALETTE.rim;
  pen.stroke();
  const marks = Math.min(technology, 4);
  if (!marks) return;
  const wide = Math.max(1.5, 0.22 * r);
  const high = Math.max(4, 0.9 * r);
  pen.fillStyle = isLight(colour) ? "#000000" : "#ffffff";
  for (let k = 0; k < marks; k++) {
    pen.fillRect(x + (k - (marks - 1) / 2) * 1.5 * wide - wide / 2, y - high / 2, wide, high);
  }
}

function drawNode(pen, kind, x, y, r) {
  pen.beginPath();
  const corners = [4, 4, 6, 3][kind] ?? 5;
  const turn = [Math.PI / 4, 0, 0, -Math.PI / 2][kind] ?? -Math.PI / 2;
  for (let k = 0; k < corners; k++) {
    const angle = turn + (2 * Math.PI * k) / corners;
    pen.lineTo(x + 1.2 * r * Math.cos(angle), y + 1.2 * r * Math.sin(angle));
  }
  pen.closePath();
  pen.fillStyle = "#ffffff";
  pen.fill();
  pen.lineWidth = 2.5;
  pen.strokeStyle = PALETTE.pipeline;
  pen.stroke();
}

/** The agency: a wheel that fills with its capability. */
function drawAgency(pen, x, y, r, capability, active) {
  pen.beginPath();
  pen.arc(x, y, r, 0, 2 * Math.PI);
  pen.fillStyle = "#ffffff";
  pen.fill();
  pen.lineWidth = 3;
  pen.strokeStyle = active ? PALETTE.agency : "#888888";
  pen.stroke();
  pen.beginPath();
  pen.moveTo(x, y);
  pen.arc(x, y, r - 3, -Math.PI / 2, -Math.PI / 2 + 2 * Math.PI * Math.min(1, capability));
  pen.closePath();
  pen.fillStyle = active ? PALETTE.agency : "#888888";
  pen.fill();
}

/** Around a firm that was founded lately. */
function drawYoung(pen, x, y, r) {
  pen.beginPath();
  pen.arc(x, y, r + 3.5, 0, 2 * Math.PI);
  pen.lineWidth = 1.4;
  pen.setLineDash([2, 2]);
  pen.strokeStyle = INK;
  pen.stroke();
  pen.setLineDash([]);
}

/** Where a firm closed lately. */
function drawClosed(pen, x, y) {
  pen.beginPath();
  pen.moveTo(x - 4, y - 4);
  pen.lineTo(x + 4, y + 4);
  pen.moveTo(x - 4, y + 4);
  pen.lineTo(x + 4, y - 4);
  pen.lineWidth = 1.6;
  pen.strokeStyle = QUIET;
  pen.stroke();
}
