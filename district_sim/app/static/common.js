// What the page's drawings share. Stands in front of each drawing's own module.

const INK = "#222222";
const QUIET = "#555555";
const FONT = "system-ui, 'Segoe UI', Roboto, 'Noto Sans', sans-serif";

/** A new element with a class and text; text is never read as HTML. */
function make(tag, className, text = "", parent = null) {
  const node = document.createElement(tag);
  node.className = className;
  node.textContent = text;
  if (parent) parent.append(node);
  return node;
}

/** Arrays one after the other, as Python packed them; null if there is nothing. */
function reader(view) {
  if (!view || !view.byteLength) return null;
  const buffer = view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength); // arrays must be aligned
  let at = 0;
  return (Kind, count) => {
    const found = new Kind(buffer, at, count);
    at += found.byteLength;
    return found;
  };
}

/** The moment after so many quarters of a run; by date where the run has dates, `first` its first quarter since year 0. */
function moment(done, first) {
  if (first === null || first === undefined) return `quarter ${done}`;
  const at = first + Math.max(0, done - 1);
  const date = `${Math.floor(at / 4)}Q${(at % 4) + 1}`;
  return done > 0 ? date : `start of ${date}`;
}

/** Make a canvas as sharp as the screen; returns its context, in CSS pixels. */
function sharp(canvas, width, height) {
  const ratio = window.devicePixelRatio || 1;
  const wide = Math.round(width * ratio);
  const high = Math.round(height * ratio);
  if (canvas.width !== wide || canvas.height !== high) {
    canvas.width = wide;
    canvas.height = high;
  }
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  const pen = canvas.getContext("2d");
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.clearRect(0, 0, width, height);
  return pen;
}

/** Draw at most once per frame of the screen, however often it is asked for. */
function soon(draw) {
  let asked = 0;
  const ask = () => {
    asked ||= requestAnimationFrame(() => {
      asked = 0;
      draw();
    });
  };
  ask.stop = () => cancelAnimationFrame(asked);
  return ask;
}

/** Listen to traits and to the size of an element; returns what ends it. */
function listen(model, traits, box, ask) {
  const events = traits.map((name) => `change:${name}`).join(" ");
  model.on(events, ask);
  const watcher = new ResizeObserver(ask);
  watcher.observe(box);
  return () => {
    model.off(events, ask);
    watcher.disconnect();
    ask.stop();
  };
}

const whole = (value) => Math.round(value).toLocaleString("en");
