// A pen with the canvas's strokes that writes SVG: what is drawn on the page can be drawn into a file by the same code, as real
// paths and real text. It knows those calls of the 2D context that the charts use, no more.

/** @param {string} text */
const escape = (text) => text.replace(/[&<>"]/g, (sign) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[sign] ?? sign);
/** A colour as every reader of SVG knows it, with its opacity beside it. @param {'fill' | 'stroke'} what @param {string} colour */
function paint(what, colour) {
  const [, red, green, blue, alpha] = /^rgba\((\d+), (\d+), (\d+), ([\d.]+)\)$/.exec(colour) ?? [];
  return alpha === undefined ? `${what}="${escape(colour)}"` : `${what}="rgb(${red},${green},${blue})" ${what}-opacity="${alpha}"`;
}
/** @param {number} value */
const short = (value) => String(Number(value.toFixed(2)));

/** @typedef {{ fillStyle: string, strokeStyle: string, lineWidth: number, globalAlpha: number, font: string, textAlign: string, textBaseline: string, dash: number[], clip: string }} Ink */

export class SvgPen {
  /** @type {string[]} */
  #parts = [];
  /** @type {string[]} */
  #defs = [];
  /** @type {Ink[]} */
  #saved = [];
  #path = '';
  /** @type {Ink} */
  #ink = { fillStyle: '#000', strokeStyle: '#000', lineWidth: 1, globalAlpha: 1, font: '12px sans-serif', textAlign: 'left', textBaseline: 'alphabetic', dash: [], clip: '' };

  /** @param {(text: string, font: string) => number} measure how wide a text is */
  constructor(measure) {
    this.measure = measure;
  }

  set fillStyle(value) { this.#ink.fillStyle = value; }
  get fillStyle() { return this.#ink.fillStyle; }
  set strokeStyle(value) { this.#ink.strokeStyle = value; }
  get strokeStyle() { return this.#ink.strokeStyle; }
  set lineWidth(value) { this.#ink.lineWidth = value; }
  get lineWidth() { return this.#ink.lineWidth; }
  set globalAlpha(value) { this.#ink.globalAlpha = value; }
  get globalAlpha() { return this.#ink.globalAlpha; }
  set font(value) { this.#ink.font = value; }
  get font() { return this.#ink.font; }
  set textAlign(value) { this.#ink.textAlign = value; }
  get textAlign() { return this.#ink.textAlign; }
  set textBaseline(value) { this.#ink.textBaseline = value; }
  get textBaseline() { return this.#ink.textBaseline; }
  lineJoin = 'round';
  lineCap = 'butt';

  save() { this.#saved.push({ ...this.#ink }); }
  restore() { this.#ink = this.#saved.pop() ?? this.#ink; }
  /** @param {number[]} dash */
  setLineDash(dash) { this.#ink.dash = dash; }
  /** @param {string} text */
  measureText(text) { return { width: this.measure(text, this.#ink.font) }; }

  beginPath() { this.#path = ''; }
  closePath() { this.#path += 'Z'; }
  /** @param {number} x @param {number} y */
  moveTo(x, y) { this.#path += `M${short(x)} ${short(y)}`; }
  /** @param {number} x @param {number} y */
  lineTo(x, y) { this.#path += `L${short(x)} ${short(y)}`; }
  /** @param {number} x @param {number} y @param {number} width @param {number} height */
  rect(x, y, width, height) { this.#path += `M${short(x)} ${short(y)}h${short(width)}v${short(height)}h${short(-width)}Z`; }
  /** A whole circle. @param {number} x @param {number} y @param {number} radius */
  arc(x, y, radius) { this.#path += `M${short(x - radius)} ${short(y)}a${short(radius)} ${short(radius)} 0 1 0 ${short(2 * radius)} 0a${short(radius)} ${short(radius)} 0 1 0 ${short(-2 * radius)} 0Z`; }
  clip() {
    const id = `clip${this.#defs.length}`;
    this.#defs.push(`<clipPath id="${id}"${this.#clipped()}><path d="${this.#path}"/></clipPath>`);
    this.#ink.clip = id;
  }
  #clipped() { return this.#ink.clip ? ` clip-path="url(#${this.#ink.clip})"` : ''; }
  #common() { return `${this.#ink.globalAlpha < 1 ? ` opacity="${short(this.#ink.globalAlpha)}"` : ''}${this.#clipped()}`; }

  stroke() {
    if (!this.#path) return;
    const { strokeStyle, lineWidth, dash } = this.#ink;
    this.#parts.push(`<path d="${this.#path}" fill="none" ${paint('stroke', strokeStyle)} stroke-width="${short(lineWidth)}" stroke-linejoin="round"${dash.length ? ` stroke-dasharray="${dash.map(short).join(' ')}"` : ''}${this.#common()}/>`);
  }
  fill() {
    if (this.#path) this.#parts.push(`<path d="${this.#path}" ${paint('fill', this.#ink.fillStyle)}${this.#common()}/>`);
  }
  /** @param {number} x @param {number} y @param {number} width @param {number} height */
  fillRect(x, y, width, height) {
    if (width > 0 && height > 0) this.#parts.push(`<rect x="${short(x)}" y="${short(y)}" width="${short(width)}" height="${short(height)}" ${paint('fill', this.#ink.fillStyle)}${this.#common()}/>`);
  }
  /** @param {string} text @param {number} x @param {number} y */
  fillText(text, x, y) {
    const { font, fillStyle, textAlign, textBaseline } = this.#ink;
    const [, weight, size, family] = /^(?:(\d+)\s+)?([\d.]+)px\s+(.*)$/.exec(font) ?? [];
    const anchor = { right: 'end', center: 'middle' }[textAlign];
    // Not every reader knows `dominant-baseline`: the middle of a line of figures is a third of its size above its foot.
    const down = textBaseline === 'middle' ? 0.35 * Number(size) : 0;
    this.#parts.push(`<text x="${short(x)}" y="${short(y + down)}" font-family="${escape(family ?? 'sans-serif')}" font-size="${size}"${weight ? ` font-weight="${weight}"` : ''} ${paint('fill', fillStyle)}${anchor ? ` text-anchor="${anchor}"` : ''}${this.#common()}>${escape(text)}</text>`);
  }

  /** The whole document. @param {number} width @param {number} height @param {string} title @param {string} description */
  toSvg(width, height, title, description) {
    return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img"><title>${escape(title)}</title><desc>${escape(description)}</desc><defs>${this.#defs.join('')}</defs>${this.#parts.join('')}</svg>`;
  }
}
