// The columns of a run as they arrive, frame by frame.

/** @typedef {{ reset: boolean, replace_last: boolean, columns: { [name: string]: ArrayLike<number> } }} Rows */

/** Growing columns; what is undefined at a moment is null, which charts leave open. */
export class Series {
  /** @type {{ [name: string]: (number | null)[] }} */
  columns = {};

  /** @param {Rows} frame */
  append(frame) {
    if (frame.reset) this.columns = {};
    for (const [name, values] of Object.entries(frame.columns)) {
      const column = (this.columns[name] ??= []);
      if (frame.replace_last && !frame.reset && values.length) column.pop();
      for (let i = 0; i < values.length; i++) column.push(Number.isNaN(values[i]) ? null : values[i]);
    }
  }

  /** @param {string} name */
  column(name) {
    return this.columns[name] ?? [];
  }

  get rows() {
    return this.column('time').length;
  }
}
