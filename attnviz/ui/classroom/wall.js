/** All runs of a class, live: a card each, with the curve of its loss and what its first head reads. */

const EVERY_MS = 2000;
const CURVE = { width: 150, height: 64 };
const CSS = `
.wall { display: grid; grid-template-columns: repeat(auto-fill, minmax(15rem, 1fr)); gap: 0.6rem; font-family: var(--st-font); color: var(--st-text-color); }
.wall p { margin: 0; }
.wall .line { grid-column: 1 / -1; font-size: 0.85rem; opacity: 0.8; }
.wall a { display: grid; gap: 0.25rem; padding: 0.6rem 0.7rem; border: 1px solid var(--st-border-color); border-radius: 0.4rem; color: inherit; text-decoration: none; }
.wall a:hover, .wall a:focus-visible { border-color: var(--st-primary-color); }
.wall .where { white-space: normal; }
.wall strong, .wall small:not(.where) { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.wall strong { font-size: 0.95rem; font-weight: 600; }
.wall small { font-size: 0.8rem; opacity: 0.8; }
.wall .pictures { display: flex; gap: 0.6rem; height: 64px; }
.wall canvas { image-rendering: pixelated; }
.wall canvas.curve { flex: 1; min-width: 0; width: 100%; height: 64px; image-rendering: auto; }
.wall canvas.heat { height: 64px; width: auto; max-width: 64px; }`;

const views = new WeakMap();

function element(name, className = "", text = "") {
  const made = document.createElement(name);
  made.className = className;
  made.textContent = text;
  return made;
}

class Wall {
  constructor(parent) {
    this.root = element("div", "wall");
    parent.append(Object.assign(element("style"), { textContent: CSS }), this.root);
    this.cards = new Map();
    this.problem = element("p", "line");
    this.count = element("p", "line");
    this.timer = setInterval(() => document.hidden || this.look(), EVERY_MS);
  }

  receive(data) {
    this.data = data;
    this.look();
  }

  async look() {
    const answer = await fetch(new URL("attnviz/class/wall", document.baseURI)).catch(() => null); // nobody answers
    if (answer?.ok) this.draw(await answer.json());
    else this.problem.textContent = this.data.texts.gone;
  }

  draw({ students, runs }) {
    this.problem.textContent = runs.length ? "" : this.data.texts.empty;
    this.count.textContent = this.data.texts.students.replace("{n}", students);
    const names = new Set(runs.map(({ run }) => run));
    for (const [name, card] of this.cards) if (!names.has(name)) this.cards.delete(name) && card.root.remove();
    for (const run of runs) if (!this.cards.has(run.run)) this.cards.set(run.run, new Card(run.run));
    this.root.replaceChildren(this.count, this.problem, ...runs.map(({ run }) => this.cards.get(run).root));
    for (const run of runs) this.cards.get(run.run).draw(run, this.data); // it has a size and colours by now
  }

  destroy() {
    clearInterval(this.timer);
  }
}

class Card {
  constructor(name) {
    this.root = element("a");
    this.root.href = new URL(`runs?run=${encodeURIComponent(name)}`, document.baseURI).href;
    this.who = element("strong");
    this.name = element("small", "", name);
    this.where = element("small", "where");
    this.curve = element("canvas", "curve");
    this.heat = element("canvas", "heat");
    const pictures = element("div", "pictures");
    pictures.append(this.curve, this.heat);
    this.root.append(this.who, this.name, pictures, this.where);
  }

  draw(run, { texts, states, student }) {
    const where = texts.step.replace("{step}", run.step.toLocaleString()).replace("{steps}", run.steps.toLocaleString());
    this.who.textContent = run.nickname || (run.number === null ? texts.nobody : student.replace("{n}", run.number));
    this.where.textContent = [states[run.state] ?? run.state, where, ...(run.best === null ? [] : [`${run.metric} ${run.best.toPrecision(3)}`])].join(" · ");
    const style = getComputedStyle(this.root);
    drawCurve(this.curve, run.loss, style.getPropertyValue("--st-primary-color"));
    drawHeat(this.heat, run.heat, style.color);
  }
}

/** The loss from the first step to the last, as high as it was and down to its least. */
function drawCurve(canvas, losses, colour) {
  const scale = devicePixelRatio;
  const width = Math.round((canvas.clientWidth || CURVE.width) * scale);
  Object.assign(canvas, { width, height: CURVE.height * scale });
  if (losses.length < 2) return;
  const [low, high] = [Math.min(...losses), Math.max(...losses)];
  const context = canvas.getContext("2d");
  context.strokeStyle = colour;
  context.lineWidth = 1.5 * scale;
  context.beginPath();
  losses.forEach((loss, n) => {
    const x = (n / (losses.length - 1)) * width;
    const y = (1 - (loss - low) / (high - low || 1)) * (canvas.height - 4 * scale) + 2 * scale;
    context.lineTo(x, y);
  });
  context.stroke();
}

/** The weights of a head, from the background to the colour of the text. */
function drawHeat(canvas, heat, colour) {
  canvas.hidden = !heat;
  if (!heat) return;
  Object.assign(canvas, { width: heat.columns, height: heat.rows });
  const [r, g, b] = colour.match(/[\d.]+/g).map(Number);
  const pixels = new ImageData(heat.columns, heat.rows);
  Array.from(atob(heat.weights), (byte, n) => pixels.data.set([r, g, b, byte.charCodeAt(0)], 4 * n));
  canvas.getContext("2d").putImageData(pixels, 0, 0);
}

export default ({ data, parentElement }) => {
  if (!views.has(parentElement)) views.set(parentElement, new Wall(parentElement));
  views.get(parentElement).receive(data);
  return () => {
    views.get(parentElement)?.destroy();
    views.delete(parentElement);
  };
};
