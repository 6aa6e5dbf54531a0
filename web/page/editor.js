// The profile as a form made from the schema, and as JSON text; both in step through the engine's
// one parser.

import * as format from '../shared/format.js';
import { effective, read } from '../shared/paths.js';
import * as scales from '../shared/slider.js';
import * as timeline from '../shared/timeline.js';
import * as typed from '../shared/typed.js';
import { LOCKED, mayChange } from '../shared/view.js';
import { element, setText } from './dom.js';
import { finder } from './finder.js';
import { slider } from './slider.js';
import { jsonText } from './text.js';

/** @typedef {any} Node a node of the JSON Schema */
/** @typedef {(state: import('./store.js').State) => void} Draw */
/** The sections in the order of a request's path, as people look for them; those named nowhere here come last. @type {[string, string[]][]} */
const GROUPS = [
  ['Experiment', ['run']], ['Load', ['agents', 'arrivals', 'extra_arrivals', 'requests']], ['Clients and network', ['client', 'network']],
  ['Server', ['admission', 'queue', 'workers', 'downstream']], ['What goes wrong', ['faults', 'timeline']], ['Watching and reacting', ['telemetry', 'detector', 'throttle']],
];
/** Of the sections that every profile has, those open from the start; a section that can be switched on is open while it is on. */
const OPEN = ['queue', 'workers'];

/**
 * @param {HTMLElement} place
 * @param {import('./store.js').Store} store
 * @param {{ actions: import('./conductor.js').Actions, schema: Node, own: import('./experiments.js').Experiments }} given
 */
export function editor(place, store, { actions, schema, own }) {
  /** What draws the fields made so far; those of a list's entries come and go with them. @type {Draw[]} */
  let fields = [];
  /** What the profile started from; read anew where it is another. */
  let started = { text: '', profile: /** @type {any} */ ({}) };
  const base = () => {
    const text = own.base();
    if (text !== started.text) started = { text, profile: JSON.parse(text) };
    return started.profile;
  };

  /** @param {Node} node */
  const isSection = (node) => [node.type].flat().includes('object');
  /** @param {Node} node */
  const isNullable = (node) => Array.isArray(node.type) && node.type.includes('null');
  /** @param {Node} node */
  const isListOfSections = (node) => node.items !== undefined && isSection(node.items);
  /** What stands in a profile; of a field that is not written, its default. @param {any} profile @param {string} path @param {Node} node */
  const valueOf = (profile, path, node) => {
    const written = read(profile, path);
    const around = read(profile, path.slice(0, path.lastIndexOf('.')));
    return written !== undefined || around === null || around === undefined ? written : (node.default ?? null);
  };
  /** The problem of a field or, if it is a list of values, of one of them. @param {import('./store.js').State} state @param {string} path @param {boolean} [list] */
  const problemOf = (state, path, list = false) => state.problems.find((one) => one.path === path || (list && one.path.startsWith(`${path}.`)));
  /** @param {Node} node @param {any} profile */
  const applies = (node, profile) => Object.entries(node['x-when'] ?? {})
    .every(([path, value]) => [value].flat().includes(effective(profile, path, schema)));

  /** What a field or section is found by. @param {string} path @param {Node} node */
  const found = (path, node) => `${path} ${node.title ?? ''} ${node.description ?? ''}`.toLowerCase();
  /** What a timeline may set: offered where its field is named. */
  const settable = element('datalist', { id: 'settable' });
  /** Another field for an intervention: with the value that it has, since the value of the last one may not suit it. @param {string} path @param {string} field */
  const aim = (path, field) => {
    const around = path.slice(0, path.lastIndexOf('.'));
    const { profile } = store.get();
    return actions.setField(around, timeline.aim(read(profile, around), field.trim(), profile));
  };

  /** @param {string} path @param {Node} node */
  function entry(path, node) {
    const id = `field-${path.replaceAll('.', '-')}`;
    const hint = element('p', { class: 'hint', id: `${id}-hint`, text: node.description });
    const problem = element('p', { class: 'problem', id: `${id}-problem`, hidden: true });
    const locking = element('p', { class: 'locked', id: `${id}-locked`, hidden: true }, LOCKED);
    const common = { id, name: path, 'aria-describedby': `${id}-range ${id}-hint ${id}-problem` };
    const types = [node.type].flat();
    const list = types.includes('array');
    /** Somebody is typing: what holds must not replace it. */
    let dirty = false;
    /** What was last drawn or taken over. */
    let drawn = '';
    const typing = {
      oninput: () => { dirty = input.value !== drawn; },
      onblur: () => { dirty = false; },
    };
    const aims = /^timeline\.\d+\.set\.path$/.test(path);
    /** @type {HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement} */
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
    } else if (list) {
      const text = element('textarea', { ...common, autocomplete: 'off', spellcheck: 'false', ...typing, onchange: () => {
        dirty = false;
        drawn = text.value;
        actions.setField(path, typed.list(text.value));
      } });
      input = text;
    } else {
      const text = element('input', {
        ...common, type: 'text', inputmode: types.includes('integer') ? 'numeric' : types.includes('string') ? 'text' : 'decimal', autocomplete: 'off', spellcheck: 'false',
        list: aims ? settable.id : undefined, ...typing,
        onchange: () => {
          dirty = false;
          drawn = text.value;
          if (aims) aim(path, text.value);
          else actions.setField(path, typed.value(text.value));
        },
      });
      input = text;
      if (isNullable(node)) {
        off = element('input', { type: 'checkbox', id: `${id}-off`, onchange: () => actions.setField(path, off?.checked ? null : (read(base(), path) ?? node.default ?? (node['x-unit'] === 's' ? 1 : node.minimum * 100))) });
      }
    }
    const reset = element('button', { type: 'button', class: 'quiet', hidden: true, onclick: () => actions.setField(path, effective(base(), path, schema)) }, 'Reset');
    const unit = format.unit(node['x-unit']);
    const limits = format.limits(list ? node.items : node);
    const plain = node.default !== undefined && (node.default === null || typeof node.default !== 'object');
    const range = [
      limits, list && 'separated by commas or lines',
      plain && !node.enum && `default ${node.default === null ? (node['x-null-title'] ?? 'none') : typeof node.default === 'boolean' ? (node.default ? 'on' : 'off') : typeof node.default === 'number' ? format.plain(node.default) : node.default}`,
      node.enum && node.default !== undefined && node.default !== null && `default: ${node['x-enum-titles']?.[node.enum.indexOf(node.default)] ?? node.default}`,
    ].filter(Boolean).join('; ');
    const scale = input instanceof HTMLInputElement && input.type === 'text' && !types.includes('string') ? scales.scaleOf(node) : null;
    const slide = scale && slider({ scale, field: input, title: node.title, unit, take: (value) => actions.setField(path, value) });
    // A set of fields, so that whatever is in it is disabled at once.
    const made = element('fieldset', { role: 'none', class: 'entry', 'data-find': found(path, node), 'data-field': path },
      element('div', { class: 'head' }, element('label', { for: id, text: node.title }), locking, reset),
      element('div', { class: 'input' }, input, unit && !node.enum ? element('span', { class: 'unit', text: unit }) : null, slide && slide.made),
      range ? element('p', { class: 'range', id: `${id}-range`, text: range }) : null,
      off ? element('label', { class: 'toggle' }, off, node['x-null-title']) : null, problem, hint);
    fields.push((state) => {
      made.hidden = !applies(node, state.profile);
      const locked = !mayChange(state.view, path);
      made.disabled = locked;
      locking.hidden = !locked;
      // What is hidden is read out all the same, if a field refers to it.
      input.setAttribute('aria-describedby', `${locked ? `${id}-locked ` : ''}${id}-range ${id}-hint ${id}-problem`);
      const wrong = problemOf(state, path, list);
      problem.hidden = !wrong;
      setText(problem, wrong ? explain(wrong, path) : '');
      if (wrong) input.setAttribute('aria-invalid', 'true');
      else input.removeAttribute('aria-invalid');
      const value = valueOf(state.profile, path, node);
      const before = valueOf(base(), path, node);
      // What was typed here and refused stays, so that it can be mended.
      if (!wrong || state.draft !== null) {
        if (input instanceof HTMLInputElement && input.type === 'checkbox') input.checked = value === true;
        else if (!dirty) {
          // Whoever has just come to the field has all of it selected, and types over what is drawn now.
          const whole = !(input instanceof HTMLSelectElement) && document.activeElement === input && input.selectionStart === 0 && input.selectionEnd === input.value.length;
          input.value = value === null || value === undefined ? '' : list ? value.join(', ') : String(value);
          drawn = input.value;
          if (whole && !(input instanceof HTMLSelectElement)) input.select();
        }
      }
      if (off) {
        off.checked = value === null;
        input.disabled = value === null;
      }
      slide?.draw(value);
      reset.hidden = locked || JSON.stringify(value) === JSON.stringify(before) || before === undefined;
      if (!reset.hidden) reset.setAttribute('aria-label', typeof before === 'number' || typeof before === 'string' ? `Reset ${node.title} to ${before}` : `Reset ${node.title}`);
    });
    return made;
  }

  /** @param {string} path @param {Node} node @returns {HTMLElement} */
  const part = (path, node) => (isSection(node) ? subsection(path, node) : isListOfSections(node) ? sublist(path, node) : entry(path, node));
  /** @param {string} path @param {Node} node */
  const parts = (path, node) => Object.entries(/** @type {Record<string, Node>} */ (node.properties ?? {})).map(([name, inner]) => part(`${path}.${name}`, inner));
  const isOn = (/** @type {any} */ value) => value !== null && value !== undefined && !(Array.isArray(value) && value.length === 0);

  /** A line for what is wrong with a whole section. @param {(state: import('./store.js').State) => import('./store.js').Problem | undefined} find */
  function problemLine(find) {
    const line = element('p', { class: 'problem', hidden: true });
    fields.push((state) => {
      const wrong = find(state);
      line.hidden = !wrong;
      setText(line, wrong?.message ?? '');
    });
    return line;
  }

  /** What switches a section, or adds to it, is of no use while that is locked. @param {string} path @param {(HTMLButtonElement | HTMLInputElement | HTMLSelectElement | null)[]} controls */
  const lockable = (path, ...controls) => fields.push((state) => {
    const locked = !mayChange(state.view, path);
    for (const one of controls) {
      if (!one || one.disabled === locked) continue;
      one.disabled = locked;
      if (locked) one.title = LOCKED;
      else one.removeAttribute('title');
    }
  });

  /** A section within a section. @param {string} path @param {Node} node @returns {HTMLElement} */
  function subsection(path, node) {
    const inside = element('div', { class: 'subgroup' }, ...parts(path, node));
    /** @type {HTMLInputElement | null} */
    let on = null;
    if (isNullable(node)) {
      on = element('input', { type: 'checkbox', name: path, 'aria-label': `${node.title}, on`, onchange: () => actions.setField(path, on?.checked ? node['x-template'] : null) });
    }
    const made = element('div', { class: 'entry', 'data-find': found(path, node) },
      element('div', { class: 'head' }, element('strong', { text: node.title }), on ? element('label', { class: 'toggle' }, on, 'on') : null),
      element('p', { class: 'hint', text: node.description }), problemLine((state) => problemOf(state, path)), inside);
    lockable(path, on);
    fields.push((state) => {
      const value = read(state.profile, path);
      if (on) on.checked = isOn(value);
      inside.hidden = !isOn(value) || inside.childElementCount === 0;
      made.hidden = !applies(node, state.profile);
    });
    return made;
  }

  /** A list within a section. @param {string} path @param {Node} node @returns {HTMLElement} */
  function sublist(path, node) {
    const { inside, adding } = list(path, node, 'subgroup');
    return element('div', { class: 'entry', 'data-find': found(path, node) }, element('strong', { text: node.title }), element('p', { class: 'hint', text: node.description }), inside, adding);
  }

  /** A section of the profile: folded, and one line while it is off. @param {string} path @param {Node} node @returns {HTMLElement} */
  function section(path, node) {
    const many = isListOfSections(node);
    const switchable = many || isNullable(node);
    const made = element('div', { class: 'section', 'data-section': path, 'data-find': found(path, node) });
    const body = element('div', { class: 'group' });
    const details = element('details', { open: OPEN.includes(path) }, element('summary', { text: node.title }), element('p', { class: 'hint', id: `section-${path}-hint`, text: node.description }));
    const whole = many ? list(path, node, 'group') : null;
    if (!whole) body.append(...parts(path, node));
    /** What gets the focus once the section has been drawn anew. @type {(() => HTMLElement | null | undefined) | null} */
    let focus = null;
    const first = () => /** @type {HTMLElement | null} */ (details.querySelector('.group :is(input, select, textarea):not(:disabled)')) ?? details.querySelector('summary');
    const on = element('button', { type: 'button', class: 'switch', 'data-switch': path, 'aria-describedby': `section-${path}-hint`, 'aria-label': `Switch on: ${node.title}`, onclick: () => {
      focus = first;
      if (whole) whole.add();
      else if (!actions.setField(path, node['x-template'])) focus = null;
    } }, 'Switch on');
    const off = element('button', { type: 'button', class: 'quiet', 'aria-label': `Switch off: ${node.title}`, onclick: () => {
      focus = () => on;
      if (!actions.setField(path, null)) focus = null;
    } }, 'Switch off');
    details.append(problemLine((state) => problemOf(state, path)), ...(switchable && !many ? [element('div', { class: 'row end' }, off)] : []), ...(whole ? [whole.inside, whole.adding] : [body]));
    made.append(details, ...(switchable ? [on] : []));
    lockable(path, on, off);
    let before = false;
    fields.push((state) => {
      const now = isOn(read(state.profile, path));
      made.hidden = !applies(node, state.profile);
      if (!switchable) return;
      made.dataset.on = String(now);
      on.hidden = now;
      off.hidden = !now;
      body.hidden = !now;
      if (!now && details.contains(document.activeElement)) on.focus();
      // Open while it is on; what somebody folds stays folded until then.
      if (now !== before) details.open = now;
      before = now;
      focus?.()?.focus();
      focus = null;
    });
    return made;
  }

  /** A list of sections: a numbered group for each, and a way to add one. @param {string} path @param {Node} node @param {string} kind */
  function list(path, node, kind) {
    const dated = path === 'timeline';
    const title = dated ? 'Intervention' : (node.items.title ?? node.title);
    /** @type {{ made: HTMLElement, draws: Draw[], remove: HTMLButtonElement }[]} */
    const groups = [];
    /** What gets the focus once the list has been drawn anew. @type {(() => HTMLElement | null | undefined) | null} */
    let focus = null;
    /** @returns {any[]} */
    const entries = () => read(store.get().profile, path) ?? [];
    /** The kinds of an intervention, as a choice. @param {{ [name: string]: any }} attributes */
    const kinds = (attributes) => element('select', attributes, ...timeline.KINDS.filter((name) => node.items.properties[name]).map((name) => element('option', { value: name }, node.items.properties[name].title)));
    const chosen = dated ? kinds({ 'data-testid': 'add-kind', 'aria-label': 'Kind of the new intervention' }) : null;
    const fresh = () => (chosen ? timeline.newEntry(chosen.value, node.items.properties[chosen.value]['x-template'], store.get().profile) : (node.items['x-template'] ?? {}));

    function add() {
      const { length } = entries();
      if (actions.setField(path, [...entries(), fresh()])) focus = () => groups[length]?.made.querySelector('input, select');
    }
    const adds = element('button', { type: 'button', onclick: add }, `Add ${title.toLowerCase()}`);

    /** @param {number} index */
    function group(index) {
      const outer = fields;
      fields = [];
      const id = `field-${path.replaceAll('.', '-')}-${index}-title`;
      const remove = element('button', { type: 'button', class: 'quiet', 'aria-label': `Remove ${title.toLowerCase()} ${index + 1}`, onclick: () => {
        const rest = entries().filter((_, at) => at !== index);
        if (actions.setField(path, rest)) focus = () => groups[Math.min(index, rest.length - 1)]?.remove ?? adds;
      } }, 'Remove');
      const made = element('div', { class: 'entry', role: 'group', 'aria-labelledby': id, 'data-find': `${path}.${index} ${title}`.toLowerCase() },
        element('div', { class: 'head' }, element('strong', { id, text: `${title} ${index + 1}` }), remove),
        element('div', { class: 'subgroup' }, ...(dated ? intervention(`${path}.${index}`) : parts(`${path}.${index}`, node.items))));
      lockable(path, remove);
      const draws = fields;
      fields = outer;
      return { made, draws, remove };
    }

    /** An entry of a timeline: when, for how long, and the one thing it does. @param {string} at */
    function intervention(at) {
      const id = `field-${at.replaceAll('.', '-')}-kind`;
      const { properties } = node.items;
      const kind = kinds({ id, name: `${at}.kind`, onchange: () => {
        const { profile } = store.get();
        const was = read(profile, at);
        const next = timeline.newEntry(kind.value, properties[kind.value]['x-template'], profile);
        // What cannot go on for ever gets an end.
        const end = ['crash', 'stall'].includes(kind.value) ? next.for_seconds : null;
        actions.setField(at, { ...next, at_seconds: was.at_seconds, for_seconds: was.for_seconds ?? end });
      } });
      lockable(at, kind);
      const hint = element('p', { class: 'hint' });
      const made = timeline.KINDS.filter((name) => properties[name]).map((name) => {
        const own = element('div', { class: 'kind', 'data-find': found(name, properties[name]) }, ...parts(`${at}.${name}`, properties[name]));
        fields.push((state) => { own.hidden = own.childElementCount === 0 || timeline.kindOf(read(state.profile, at)) !== name; });
        return own;
      });
      fields.push((state) => {
        kind.value = timeline.kindOf(read(state.profile, at));
        setText(hint, properties[kind.value]?.description ?? '');
      });
      const wrong = problemLine((state) => state.problems.find((one) => one.path === at || timeline.KINDS.some((name) => one.path === `${at}.${name}`)));
      return [
        element('div', { class: 'entry', 'data-find': 'kind of intervention' }, element('label', { for: id, text: 'Kind' }), element('div', { class: 'input' }, kind), hint), wrong,
        part(`${at}.at_seconds`, properties.at_seconds), part(`${at}.for_seconds`, properties.for_seconds), ...made,
      ];
    }

    const inside = element('div', { class: kind });
    // One that was not taken over has no group of its own to say so.
    const refused = problemLine((state) => problemOf(state, path) ?? state.problems.find((one) => `${one.path}.`.startsWith(`${path}.${entries().length}.`)));
    const adding = element('div', {}, refused, element('div', { class: 'row' }, chosen, adds));
    lockable(path, chosen, adds);
    fields.push((state) => {
      const { length } = entries();
      while (groups.length > length) groups.pop()?.made.remove();
      while (groups.length < length) {
        const next = group(groups.length);
        groups.push(next);
        inside.append(next.made);
      }
      for (const { draws, remove } of groups) {
        remove.disabled = length <= (node.minItems ?? 0);
        for (const draw of draws) draw(state);
      }
      inside.hidden = length === 0;
      adds.disabled = length >= (node.maxItems ?? Infinity);
      focus?.()?.focus();
      focus = null;
    });
    return { inside, adding, add };
  }

  const nodes = Object.entries(/** @type {Record<string, Node>} */ (schema.properties)).filter(([, node]) => isSection(node) || isListOfSections(node));
  const named = GROUPS.flatMap(([, names]) => names);
  const rest = nodes.map(([name]) => name).filter((name) => !named.includes(name));
  const whole = [...GROUPS, /** @type {[string, string[]]} */ (['More', rest])].map(([title, names], index) => {
    const sections = names.flatMap((name) => nodes.filter(([other]) => other === name)).map(([name, node]) => section(name, node));
    const id = `form-group-${index}`;
    return element('div', { class: 'form-group', role: 'group', 'aria-labelledby': id, hidden: sections.length === 0 }, element('h3', { id, text: title }), ...sections);
  });
  const find = finder(whole);

  const json = jsonText(store, { actions, schema });
  place.append(
    element('p', { class: 'soft small', text: 'Every parameter of the experiment. A change takes effect with the next run.' }),
    find.place, settable,
    ...whole,
    json.place,
  );
  /** @type {unknown[]} */
  let seen = [];

  return store.subscribe((state) => {
    // While a run plays, nothing changes here.
    const now = [state.profile, state.problems, state.preset, state.own, state.owned, state.draft, state.view];
    if (now.every((one, index) => one === seen[index])) return;
    seen = now;
    settable.replaceChildren(...state.check.settable.map((value) => element('option', { value })));
    for (const field of fields) field(state);
    find.again();
    json.draw(state);
  });
}

/** A problem where it is shown: without the path of the field itself. @param {import('./store.js').Problem} problem @param {string} path */
function explain(problem, path) {
  const words = problem.message.replace(/^\/\S+: /, '');
  const index = problem.path.slice(path.length + 1);
  return index === '' ? words : `number ${Number(index) + 1}: ${words}`;
}
