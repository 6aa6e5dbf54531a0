// Finding a field in a long form by what it is called or does.

import { element, setText } from './dom.js';

/** The nearest elements within that can be found. @param {Element} place @returns {Generator<HTMLElement>} */
function* within(place) {
  for (const child of place.children) {
    if (child instanceof HTMLElement && child.dataset.find !== undefined) yield child;
    else yield* within(child);
  }
}

/**
 * Whatever has `data-find` can be found by the words in it; a section with a hit inside stays, and one that is a hit itself stays whole.
 * @param {HTMLElement[]} groups
 */
export function finder(groups) {
  let words = /** @type {string[]} */ ([]);
  /** Which sections were open before somebody searched. @type {Map<HTMLDetailsElement, boolean> | null} */
  let before = null;
  const input = element('input', { type: 'search', id: 'find-field', 'data-testid': 'find', autocomplete: 'off', spellcheck: 'false', oninput: () => {
    words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    look();
  } });
  const said = element('p', { class: 'soft small', role: 'status', 'data-testid': 'found' });
  const all = (/** @type {boolean} */ open) => groups.flatMap((group) => [...group.querySelectorAll('details')]).forEach((details) => { details.open = open && details.parentElement?.dataset.on !== 'false'; });
  const place = element('div', { class: 'find' },
    element('div', { class: 'field' }, element('label', { for: 'find-field', text: 'Find a field' }), input),
    element('div', { class: 'row' },
      element('button', { type: 'button', class: 'quiet', onclick: () => all(true) }, 'Open all'), element('button', { type: 'button', class: 'quiet', onclick: () => all(false) }, 'Fold all')),
    said);

  /** Shows what has a hit; how many fields. @param {HTMLElement} one @param {boolean} around @returns {number | null} none without any hit */
  function visit(one, around) {
    if (one.hidden) return null;
    const hit = around || words.every((word) => one.dataset.find?.includes(word));
    let fields = one.dataset.field === undefined ? 0 : 1;
    let inside = false;
    for (const child of within(one)) {
      const found = visit(child, hit);
      inside ||= found !== null;
      fields += found ?? 0;
    }
    const stays = hit || inside;
    one.classList.toggle('filtered', !stays);
    return stays ? fields : null;
  }

  function look() {
    const details = groups.flatMap((group) => [...group.querySelectorAll('details')]);
    if (words.length === 0) {
      if (before) for (const one of details) one.open = before.get(one) ?? one.open;
      before = null;
      for (const group of groups) for (const one of [group, ...group.querySelectorAll('.filtered')]) one.classList.remove('filtered');
      setText(said, '');
      return;
    }
    before ??= new Map(details.map((one) => [one, one.open]));
    let fields = 0;
    let sections = 0;
    for (const group of groups) {
      let any = false;
      for (const section of within(group)) {
        const found = visit(section, false);
        any ||= found !== null;
        fields += found ?? 0;
        sections += found === null ? 0 : 1;
        const fold = section.querySelector('details');
        if (fold) fold.open = found !== null && section.dataset.on !== 'false';
      }
      group.classList.toggle('filtered', !any);
    }
    setText(said, sections === 0 ? 'Nothing is called that.' : `${fields} fields in ${sections} section${sections === 1 ? '' : 's'}.`);
  }

  return {
    place,
    /** Looks anew where the form has changed. */
    again: () => { if (words.length) look(); },
  };
}
