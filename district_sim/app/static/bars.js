// Bars from 0 to 1 with what is written at their ends, and, where given, the interval of each.

export default {
  render({ model, el }) {
    el.classList.add("ds-part");
    const title = make("div", "ds-title", "", el);
    const rows = make("div", "ds-bars", "", el);
    const note = make("div", "ds-note", "", el);
    let shown = [];

    const row = () => {
      const line = make("div", "ds-bar", "", rows);
      const name = make("div", "ds-bar-name", "", line);
      const track = make("div", "ds-bar-track", "", line);
      const fill = make("div", "ds-bar-fill", "", track);
      const span = make("div", "ds-bar-span", "", track);
      const mark = make("div", "ds-bar-mark", "", track);
      const value = make("div", "ds-bar-value", "", line);
      return { line, name, fill, span, mark, value };
    };

    const draw = () => {
      const { bars, heading, below, mark } = model.get("content");
      title.textContent = heading;
      const longest = Math.max(...bars.map((bar) => bar.text.length));
      rows.style.setProperty("--ds-values", `${0.62 * longest}em`); // all tracks have the same length
      note.textContent = below;
      while (shown.length < bars.length) shown.push(row());
      while (shown.length > bars.length) shown.pop().line.remove();
      bars.forEach((bar, i) => {
        const part = shown[i];
        part.line.classList.toggle("ds-bar-first", Boolean(bar.first));
        part.line.classList.toggle("ds-bar-part", Boolean(bar.part));
        part.name.textContent = bar.label;
        part.value.textContent = bar.text;
        part.fill.style.width = `${100 * bar.value}%`;
        part.fill.style.background = bar.colour;
        part.span.hidden = bar.low === null;
        part.span.style.left = `${100 * bar.low}%`;
        part.span.style.width = `${100 * (bar.high - bar.low)}%`;
        const line = bar.mark === undefined ? mark : bar.mark;
        part.mark.hidden = line === null;
        part.mark.style.left = `${100 * line}%`;
      });
      rows.setAttribute("role", "img");
      rows.setAttribute("aria-label", `${heading}. ${bars.map((bar) => `${bar.label} ${bar.text}`).join("; ")}`);
    };
    const ask = soon(draw);
    ask();
    return listen(model, ["content"], el, ask);
  },
};
