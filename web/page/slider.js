// A slider beside a number's field: dragging shows, letting go takes over, Escape takes back.

import * as format from '../shared/format.js';
import { moved, position, value as valueAt } from '../shared/slider.js';
import { element } from './dom.js';

/** As many places as a hand can tell apart. */
const PLACES = 1000;
/** Steps of the keys, as shares of the track. @type {Record<string, number>} */
const STEPS = { ArrowRight: 0.01, ArrowUp: 0.01, ArrowLeft: -0.01, ArrowDown: -0.01, PageUp: 0.1, PageDown: -0.1, Home: -1, End: 1 };

/**
 * @param {object} given
 * @param {import('../shared/slider.js').Scale} given.scale
 * @param {HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement} given.field the number's own field
 * @param {string} given.title
 * @param {string} given.unit
 * @param {(value: number) => void} given.take
 */
export function slider({ scale, field, title, unit, take }) {
  /** The value that holds. @type {number | null} */
  let held = null;
  /** What is shown while somebody drags. @type {number | null} */
  let dragged = null;
  let escaped = false;
  const made = element('input', {
    type: 'range', min: 0, max: PLACES, step: 1, 'aria-label': `${title}, slider`, 'data-slider': field.name,
    oninput: () => {
      if (escaped) return show(held);
      dragged = valueAt(scale, made.valueAsNumber / PLACES);
      field.value = String(dragged);
      tell(dragged);
    },
    onchange: () => {
      const value = dragged;
      dragged = null;
      if (escaped || value === null) return show(held);
      take(value);
    },
    onpointerdown: () => { escaped = false; },
    onkeydown: (/** @type {KeyboardEvent} */ event) => {
      if (event.key === 'Escape' && dragged !== null) {
        event.preventDefault();
        escaped = true;
        dragged = null;
        show(held);
        return;
      }
      const step = STEPS[event.key];
      if (step === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      const from = Number(field.value);
      const next = Math.abs(step) === 1 ? (step < 0 ? scale.min : scale.max) : moved(scale, Number.isFinite(from) ? from : (held ?? scale.min), step);
      escaped = false;
      take(next);
    },
  });

  /** @param {number} value */
  function tell(value) {
    made.setAttribute('aria-valuetext', `${format.plain(value)} ${unit}`.trim());
  }
  /** @param {number | null} value */
  function show(value) {
    if (value === null) return;
    made.value = String(Math.round(position(scale, value) * PLACES));
    field.value = String(value);
    tell(value);
  }

  return {
    made,
    /** @param {unknown} value */
    draw(value) {
      held = typeof value === 'number' ? value : null;
      made.disabled = held === null;
      if (held === null || dragged !== null) return;
      made.value = String(Math.round(position(scale, held) * PLACES));
      tell(held);
    },
  };
}
