/** The bar of colours beside a matrix or an image, with the numbers at its ends. */

import { css } from "../core/colors.js";
import { el, sizeCanvas } from "../core/dom.js";
import { colourOf } from "./heat.js";

const [WIDTH, HEIGHT] = [64, 8]; // px

export class Legend {
  constructor() {
    this.low = el("span");
    this.bar = el("canvas", { "aria-hidden": "true" });
    this.high = el("span");
    this.element = el("span", { class: "av-legend" }, this.low, this.bar, this.high);
    this.drawn = [];
  }

  /**
   * @param {"sequential"|"diverging"} colour
   * @param {import("../core/colors.js").Palette} palette
   * @param {string} low  what stands at its ends
   * @param {string} high
   */
  draw(colour, palette, low, high) {
    this.low.textContent = low;
    this.high.textContent = high;
    if (this.drawn[0] === colour && this.drawn[1] === palette) return;
    this.drawn = [colour, palette];
    const pen = sizeCanvas(this.bar, WIDTH, HEIGHT);
    for (let x = 0; x < WIDTH; x += 1) {
      pen.fillStyle = css(colourOf((x + 0.5) / WIDTH, colour, [0, 1], palette));
      pen.fillRect(x, 0, 1, HEIGHT);
    }
  }
}
