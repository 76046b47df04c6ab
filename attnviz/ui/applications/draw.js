/**
 * A field to draw in, with finger, pen or mouse; with keys, too: arrows move a pen, Space lowers and lifts it.
 * What was drawn goes to the server at the end of each stroke: lines of points, from 0 to 1 to the right and down.
 */
const fields = new WeakMap(); // parentElement -> Field
const SIDE = 144; // CSS pixels
const PEN = 0.17; // of the side
const STEP = 1 / 16;

const STYLE = `
:host { display: block; }
.draw { display: flex; flex-direction: column; gap: 0.25rem; font: 0.8rem/1.35 var(--st-font); color: var(--st-text-color); }
canvas { width: ${SIDE}px; height: ${SIDE}px; touch-action: none; cursor: crosshair; border: 1px solid var(--st-text-color);
  border-radius: 4px; background: var(--st-background-color); }
canvas:focus-visible { outline: 3px solid var(--st-primary-color); outline-offset: 2px; }
button { align-self: start; min-height: 1.8rem; padding: 0 0.6rem; font: inherit; color: inherit; cursor: pointer;
  background: none; border: 1px solid var(--st-border-color); border-radius: 4px; }
button:focus-visible { outline: 2px solid var(--st-primary-color); outline-offset: 1px; }
`;

const MOVES = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

class Field {
  constructor(parent) {
    parent.appendChild(document.createElement("style")).textContent = STYLE;
    const box = parent.appendChild(document.createElement("div"));
    box.className = "draw";
    this.label = box.appendChild(document.createElement("span"));
    this.canvas = box.appendChild(document.createElement("canvas"));
    this.clearButton = box.appendChild(document.createElement("button"));
    this.canvas.width = this.canvas.height = SIDE * 2;
    this.canvas.tabIndex = 0;
    this.canvas.setAttribute("role", "application");
    this.lines = [];
    this.pen = [0.5, 0.5];
    this.isDown = false; // the pen of the keys
    this.tell = /** @type {(name: string, value: unknown) => void} */ (() => undefined);
    this.clearButton.onclick = () => this.clear();
    this.canvas.onpointerdown = (event) => {
      this.canvas.setPointerCapture(event.pointerId);
      this.lines.push([this.at(event)]);
      this.paint();
    };
    this.canvas.onpointermove = (event) => {
      if (!this.canvas.hasPointerCapture(event.pointerId)) return;
      this.lines.at(-1).push(this.at(event));
      this.paint();
    };
    this.canvas.onpointerup = () => this.send();
    this.canvas.onkeydown = (event) => this.key(event);
    this.canvas.onfocus = this.canvas.onblur = () => this.paint();
  }

  at(event) {
    const box = this.canvas.getBoundingClientRect();
    const within = (value) => Math.min(1, Math.max(0, value));
    return [within((event.clientX - box.left) / box.width), within((event.clientY - box.top) / box.height)];
  }

  key(event) {
    const move = MOVES[event.key];
    if (event.key === " ") {
      this.isDown = !this.isDown;
      if (this.isDown) this.lines.push([[...this.pen]]);
      else this.send();
    } else if (event.key === "Delete" || event.key === "Backspace") this.clear();
    else if (move) {
      this.pen = this.pen.map((value, axis) => Math.min(1, Math.max(0, value + move[axis] * STEP)));
      if (this.isDown) this.lines.at(-1).push([...this.pen]);
    } else return;
    event.preventDefault();
    this.paint();
  }

  clear() {
    this.lines = [];
    this.isDown = false;
    this.paint();
  }

  send() {
    this.tell("drawn", { lines: this.lines });
  }

  paint() {
    const context = this.canvas.getContext("2d");
    const size = this.canvas.width;
    const style = getComputedStyle(this.canvas);
    context.clearRect(0, 0, size, size);
    context.strokeStyle = style.color;
    context.lineWidth = PEN * size;
    context.lineCap = context.lineJoin = "round";
    for (const line of this.lines) {
      context.beginPath();
      for (const [x, y] of [line[0], ...line]) context.lineTo(x * size, y * size);
      context.stroke();
    }
    if (!this.canvas.matches(":focus-visible")) return;
    context.lineWidth = 4;
    context.strokeStyle = style.outlineColor;
    context.beginPath();
    context.arc(this.pen[0] * size, this.pen[1] * size, (PEN * size) / 2, 0, 7);
    context.stroke();
  }
}

export default ({ data, parentElement, setTriggerValue }) => {
  const field = fields.get(parentElement) ?? new Field(parentElement);
  fields.set(parentElement, field);
  field.tell = setTriggerValue;
  field.label.textContent = data.strings["applications.draw.label"];
  field.canvas.setAttribute("aria-label", data.strings["applications.draw.keys"]);
  field.clearButton.textContent = data.strings["applications.draw.clear"];
  if (data.isOther) field.clear(); // the model reads something else now
  else field.paint();
};
