// The profile as a form made from the schema, and as JSON text; both in step through the engine's
// one parser.

import * as format from '../shared/format.js';
import { read } from '../shared/paths.js';
import { element, setText } from './dom.js';

/** @typedef {any} Node a node of the JSON Schema */
/** Sections that are open from the start: what most people change. */
const OPEN = ['agents', 'queue', 'workers'];
/** Waits until somebody has stopped typing. */
const TYPING_MS = 300;

/**
 * @param {HTMLElement} place
 * @param {import('./store.js').Store} store
 * @param {{ actions: import('./conductor.js').Actions, schema: Node, presets: import('../engine/engine.js').PresetInfo[] }} given
 */
export function editor(place, store, { actions, schema, presets }) {
  /** @type {((state: import('./store.js').State) => void)[]} */
  const fields = [];
  const base = () => {
    const preset = presets.find((one) => one.name === store.get().preset);
    return preset ? JSON.parse(preset.profile) : {};
  };

  /** @param {Node} node */
  const isSection = (node) => node.properties !== undefined;
  /** @param {Node} node */
  const isNullable = (node) => Array.isArray(node.type) && node.type.includes('null');
  /** @param {Node} node @param {any} profile */
  const applies = (node, profile) => Object.entries(node['x-when'] ?? {}).every(([path, value]) => read(profile, path) === value);

  /** @param {string} path @param {Node} node */
  function entry(path, node) {
    const id = `field-${path.replaceAll('.', '-')}`;
    const hint = element('p', { class: 'hint', id: `${id}-hint`, text: node.description });
    const problem = element('p', { class: 'problem', id: `${id}-problem`, hidden: true });
    const common = { id, name: path, 'aria-describedby': `${id}-hint ${id}-problem` };
    const types = [node.type].flat();
    /** @type {HTMLInputElement | HTMLSelectElement} */
    let input;
    /** @type {HTMLInputElement | null} */
    let off = null;
    if (types.includes('boolean')) {
      const box = element('input', { ...common, type: 'checkbox', onchange: () => actions.setField(path, box.checked) });
      input = box;
    } else if (node.enum) {
      const choice = element('select', { ...common, onchange: () => actions.setField(path, choice.value) },
        ...node.enum.map((/** @type {string} */ value, /** @type {number} */ index) => element('option', { value }, node['x-enum-titles']?.[index] ?? value)));
      input = choice;
    } else {
      const text = element('input', {
        ...common, type: 'text', inputmode: types.includes('integer') ? 'numeric' : 'decimal', autocomplete: 'off', spellcheck: 'false',
        onchange: () => actions.setField(path, parse(text.value)),
      });
      input = text;
      if (isNullable(node)) {
        off = element('input', { type: 'checkbox', id: `${id}-off`, onchange: () => actions.setField(path, off?.checked ? null : (read(base(), path) ?? node.minimum * 100)) });
      }
    }
    const reset = element('button', { type: 'button', class: 'quiet', hidden: true, onclick: () => actions.setField(path, read(base(), path)) }, 'Reset');
    reset.setAttribute('aria-label', `Reset ${node.title}`);
    const unit = [format.unit(node['x-unit']), format.limits(node)].filter(Boolean).join(', ');
    const made = element('div', { class: 'entry' },
      element('div', { class: 'head' }, element('label', { for: id, text: node.title }), reset),
      element('div', { class: 'input' }, input, unit && !node.enum ? element('span', { class: 'unit', text: unit }) : null),
      off ? element('label', { class: 'toggle' }, off, node['x-null-title']) : null, problem, hint);
    fields.push((state) => {
      made.hidden = !applies(node, state.profile);
      const wrong = state.problems.find((one) => one.path === path);
      problem.hidden = !wrong;
      setText(problem, wrong?.message.replace(/^\/\S+: /, '') ?? '');
      if (wrong) input.setAttribute('aria-invalid', 'true');
      else input.removeAttribute('aria-invalid');
      const value = read(state.profile, path);
      // What was typed and refused stays, so that it can be mended.
      if (!wrong) {
        if (input instanceof HTMLInputElement && input.type === 'checkbox') input.checked = value === true;
        else if (document.activeElement !== input || state.phase !== 'ready') input.value = value === null || value === undefined ? '' : String(value);
      }
      if (off) {
        off.checked = value === null;
        input.disabled = value === null;
      }
      reset.hidden = JSON.stringify(value) === JSON.stringify(read(base(), path)) || read(base(), path) === undefined;
    });
    return made;
  }

  /** @param {string} path @param {Node} node @param {boolean} top @returns {HTMLElement} */
  function section(path, node, top) {
    const inside = element('div', { class: top ? 'group' : 'subgroup' });
    for (const [name, inner] of Object.entries(/** @type {Record<string, Node>} */ (node.properties))) {
      const at = `${path}.${name}`;
      inside.append(isSection(inner) ? section(at, inner, false) : entry(at, inner));
    }
    /** @type {HTMLInputElement | null} */
    let on = null;
    if (isNullable(node)) {
      on = element('input', { type: 'checkbox', name: path, onchange: () => actions.setField(path, on?.checked ? node['x-template'] : null) });
    }
    const problem = element('p', { class: 'problem', hidden: true });
    const head = element('p', { class: 'hint', text: node.description });
    const made = element(top ? 'details' : 'div', top ? { open: OPEN.includes(path) } : { class: 'entry' },
      top ? element('summary', { text: node.title }) : element('strong', { text: node.title }), head,
      on ? element('label', { class: 'toggle' }, on, 'on') : null, problem, inside);
    fields.push((state) => {
      const value = read(state.profile, path);
      if (on) on.checked = value !== null && value !== undefined;
      inside.hidden = value === null || value === undefined;
      made.hidden = !applies(node, state.profile);
      const wrong = state.problems.find((one) => one.path === path);
      problem.hidden = !wrong;
      setText(problem, wrong?.message ?? '');
    });
    return made;
  }

  const sections = Object.entries(/** @type {Record<string, Node>} */ (schema.properties))
    .filter(([, node]) => isSection(node)).map(([name, node]) => section(name, node, true));

  const jsonProblem = element('p', { class: 'problem', id: 'json-problem', role: 'alert', hidden: true });
  let timer = 0;
  const json = element('textarea', {
    'data-testid': 'json', spellcheck: 'false', autocomplete: 'off', 'aria-label': 'Profile as JSON', 'aria-describedby': 'json-problem',
    oninput: () => {
      clearTimeout(timer);
      timer = setTimeout(() => actions.setText(json.value), TYPING_MS);
    },
    // Whoever leaves the text, to press Run for example, is done typing.
    onchange: () => {
      clearTimeout(timer);
      actions.setText(json.value);
    },
  });
  const drop = element('button', { type: 'button', class: 'quiet', hidden: true, onclick: () => {
    actions.dropDraft();
    json.value = store.get().check.profile;
  } }, 'Back to the last good profile');
  place.append(
    element('p', { class: 'soft small', text: 'Every parameter of the experiment. A change takes effect with the next run.' }),
    ...sections,
    element('details', {}, element('summary', { text: 'JSON' }), element('div', { class: 'group' }, jsonProblem, drop, json)),
  );

  return store.subscribe((state) => {
    for (const field of fields) field(state);
    const wrong = state.draft === null ? undefined : state.problems[0];
    jsonProblem.hidden = !wrong;
    setText(jsonProblem, wrong?.message ?? '');
    drop.hidden = !wrong;
    if (wrong) json.setAttribute('aria-invalid', 'true');
    else json.removeAttribute('aria-invalid');
    if (state.draft === null && document.activeElement !== json && json.value !== state.check.profile) json.value = state.check.profile;
  });
}

/** What was typed as JSON would have it: a number, else text, which the engine refuses by name. @param {string} text */
function parse(text) {
  const trimmed = text.trim().replace(',', '.');
  const value = Number(trimmed);
  return trimmed === '' || Number.isNaN(value) ? text : value;
}
