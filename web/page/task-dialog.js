// The teacher's dialog: a question, what is shown, what can be changed, a seed for each; it makes a link or an embed.

import { isCrash } from '../engine/engine.js';
import { nodeAt } from '../shared/schema.js';
import { MOST_QUESTION, MOST_VARIANTS, PARTS } from '../shared/view.js';
import { chosen } from './charts/list.js';
import { element, setText } from './dom.js';
import { titleOf } from './share-dialog.js';
import { ways } from './ways.js';

/** The parts as the page calls them. @type {Record<string, string>} */
const TITLES = {
  controls: 'Controls: run, speed, seed', verdict: 'Verdict', picture: 'What happens where', break: 'Break it now', charts: 'Charts', compare: 'Compare, many seeds', sweep: 'Sweep',
  events: 'Requests and events', report: 'Report', share: 'Share', editor: 'Profile: form and text',
};
/** What can be locked that is no field. @type {[string, string][]} */
const ACTS = [['preset', 'Choosing another experiment'], ['break', 'Breaking it'], ['run', 'Running it: the page runs it once by itself']];

/** Sections and fields of a profile by their paths; lists stand for what is in them. @param {any} node @param {string} path @returns {string[]} */
function pathsOf(node, path = '') {
  return Object.entries(node).flatMap(([name, value]) => {
    const own = path ? `${path}.${name}` : name;
    return value !== null && typeof value === 'object' && !Array.isArray(value) ? [own, ...pathsOf(value, own)] : [own];
  });
}

/**
 * A kept run as changes of the present profile, as a link writes them; none if it cannot be said so.
 * @param {import('../engine/engine.js').Engine} engine @param {string} profile @param {string} other
 */
function changesTo(engine, profile, other) {
  const changes = engine.differences(profile, other).map(({ path, to }) => {
    const value = typeof to === 'string' ? to : JSON.stringify(to ?? null);
    return `${path}=${encodeURIComponent(value).replace(/[!'()*~]/g, (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`)}`;
  });
  try {
    const varied = engine.vary(profile, changes.join('~'));
    return changes.length && engine.check(varied).profile === engine.check(other).profile ? changes.join('~') : null;
  } catch {
    return null;
  }
}

/** @param {import('./store.js').Store} store @param {import('./sharing.js').Given} given */
export function taskDialog(store, { actions, engine, presets }) {
  const state = store.get();
  const before = state.view;
  const schema = JSON.parse(engine.schema());
  const known = pathsOf(state.profile).filter((path) => path !== 'version');
  const made = ways('task-as');

  /** @param {string} id @param {string} words @param {boolean} checked */
  const box = (id, words, checked) => {
    const input = element('input', { type: 'checkbox', id: `make-${id}`, 'data-testid': `make-${id}`, checked, onchange: () => void make() });
    return { input, row: element('label', { class: 'check', for: input.id }, input, words) };
  };
  /** @param {string} words @param {(Node | string)[]} inside */
  const group = (words, ...inside) => element('div', { class: 'part', role: 'group', 'aria-label': words }, element('h3', {}, words), ...inside);

  const ask = element('textarea', { id: 'make-ask', 'data-testid': 'make-ask', rows: 3, maxlength: MOST_QUESTION, 'aria-describedby': 'make-ask-left', oninput: () => void make() });
  ask.value = before.ask;
  const left = element('p', { class: 'soft small', id: 'make-ask-left' });

  const parts = PARTS.map((part) => ({ part, ...box(`show-${part}`, TITLES[part], before.show === null || before.show.includes(part)) }));
  const charts = chosen(state.profile).map(({ name, title }) => ({ name, ...box(`chart-${name}`, title, before.charts === null || before.charts.includes(name)) }));
  const which = element('details', { open: before.charts !== null }, element('summary', {}, 'Which charts'), element('div', { class: 'choices' }, ...charts.map(({ row }) => row)));

  const closed = before.lock.includes('all');
  const single = before.lock.filter((one) => one !== 'all' && !ACTS.some(([act]) => act === one));
  /** @type {string[]} */
  let fields = closed ? [...before.free] : single;
  /** @param {string} value @param {string} words */
  const mode = (value, words) => {
    const input = element('input', { type: 'radio', name: 'make-mode', id: `make-mode-${value}`, 'data-testid': `make-mode-${value}`, value, onchange: () => void make() });
    return { input, row: element('label', { class: 'check', for: input.id }, input, words) };
  };
  const modes = [mode('open', 'Every field'), mode('free', 'Only the fields listed here'), mode('lock', 'Every field but those listed here')];
  modes[closed ? 1 : single.length ? 2 : 0].input.checked = true;
  const chosenMode = () => modes.find(({ input }) => input.checked)?.input.value ?? 'open';

  const pick = element('input', { type: 'text', id: 'make-field', 'data-testid': 'make-field', list: 'make-fields', autocomplete: 'off', spellcheck: 'false', 'aria-describedby': 'make-field-problem make-field-title', oninput: () => about() });
  const options = element('datalist', { id: 'make-fields' }, ...known.map((value) => element('option', { value }, nodeAt(schema, value.split('.'))?.title ?? '')));
  const fieldTitle = element('p', { class: 'soft small', id: 'make-field-title', text: 'A field by its path, such as workers.count, or a whole section, such as workers.' });
  const problem = element('p', { class: 'problem', id: 'make-field-problem', role: 'alert', hidden: true });
  const list = element('ul', { class: 'picked', 'aria-label': 'Listed fields', 'data-testid': 'make-picked' });
  const picking = element('div', { class: 'picking' },
    element('form', { class: 'row start', onsubmit: (/** @type {Event} */ event) => {
      event.preventDefault();
      add(pick.value.trim());
    } }, element('div', { class: 'field' }, element('label', { for: 'make-field' }, 'Field'), pick, options), element('button', { 'data-testid': 'make-add' }, 'Add')), fieldTitle, problem, list);
  const acts = ACTS.map(([act, words]) => ({ act, ...box(`lock-${act}`, words, before.lock.includes(act)) }));
  const actGroup = element('div', { role: 'group', 'aria-label': 'Locked as well' }, element('p', { class: 'soft small', text: 'Locked as well' }), ...acts.map(({ row }) => row));
  const actNote = element('p', { class: 'soft small', text: 'Breaking it and choosing another experiment are locked with them.' });

  const seeds = box('seeds', 'Everybody has a seed of their own', before.seeds === 'own');
  const others = state.kept.map(({ name, profile }) => ({ name, changes: profile === state.check.profile ? null : changesTo(engine, state.check.profile, profile) })).filter(({ changes }) => changes !== null).slice(0, MOST_VARIANTS - 1);
  const compared = box('vs', `Compared with ${others.length ? others.map(({ name }) => `“${name}”`).join(', ') : `the ${before.vs.length} variants of the link`}`, before.vs.length > 0);

  const preview = element('a', { class: 'tool', target: '_blank', rel: 'noopener', 'data-testid': 'make-preview' }, 'Preview in a new tab');
  const dialog = element('dialog', { class: 'making', 'aria-labelledby': 'task-dialog-title', 'data-testid': 'task-dialog' },
    element('h2', { id: 'task-dialog-title', tabindex: -1 }, 'Make a task'),
    element('p', { class: 'soft small', text: 'A task is a link, or an embed, to this experiment as it stands, with a question and with limits. The limits guide, they do not protect: whoever opens it can lift them.' }),
    element('div', { class: 'field' }, element('label', { for: 'make-ask' }, 'Question'), ask, left),
    group('What is shown', element('div', { class: 'choices' }, ...parts.map(({ row }) => row)), which),
    group('What can be changed', ...modes.map(({ row }) => row), picking, actGroup, actNote),
    group('Seeds', seeds.row, element('p', { class: 'soft small', text: 'The page asks for a name or a number and makes the seed of it, always the same. An answer says whose it is, and opening it checks the seed; the command line does so by --seed name:NAME.' })),
    ...(others.length || before.vs.length ? [group('Comparison', compared.row)] : []),
    element('div', { class: 'part' }, element('h3', { text: 'The task' }), made.place),
    element('div', { class: 'row end foot' }, preview, element('button', { type: 'button', onclick: () => dialog.close() }, 'Close')));
  dialog.addEventListener('close', () => dialog.remove());

  function about() {
    const path = pick.value.trim();
    problem.hidden = true;
    pick.removeAttribute('aria-invalid');
    setText(fieldTitle, known.includes(path) ? (nodeAt(schema, path.split('.'))?.title ?? path) : 'A field by its path, such as workers.count, or a whole section, such as workers.');
  }
  /** @param {string} path */
  function add(path) {
    const wrong = path === '' ? 'Write the path of a field first.' : fields.includes(path) ? `${path} is listed already.` : known.includes(path) ? '' : `This experiment has no field ${path.slice(0, 60)}.`;
    problem.hidden = wrong === '';
    setText(problem, wrong);
    if (wrong) pick.setAttribute('aria-invalid', 'true');
    else {
      fields = [...fields, path];
      pick.value = '';
      about();
      void make();
    }
    pick.focus();
  }

  /** @returns {import('../shared/view.js').View} */
  function view() {
    const how = chosenMode();
    const shown = parts.filter(({ input }) => input.checked).map(({ part }) => part);
    const drawn = charts.filter(({ input }) => input.checked).map(({ name }) => name);
    const lock = [...(how === 'free' ? ['all'] : how === 'lock' ? fields : []), ...acts.filter(({ act, input }) => input.checked && (how !== 'free' || act === 'run')).map(({ act }) => act)];
    return {
      show: shown.length === parts.length ? null : shown, charts: drawn.length === charts.length || !shown.includes('charts') ? null : drawn, lock, free: how === 'free' ? fields : [],
      ask: ask.value.trim(), seeds: seeds.input.checked ? 'own' : '', by: '', answer: '', sweep: before.sweep,
      vs: compared.input.checked ? (others.length ? others.map(({ changes }) => changes ?? '') : before.vs) : [],
    };
  }

  let turn = 0;
  async function make() {
    const mine = ++turn;
    const how = chosenMode();
    setText(left, `${MOST_QUESTION - ask.value.length} characters left`);
    picking.hidden = how === 'open';
    // What comes with everything need not be chosen.
    for (const { act, row } of acts) row.hidden = how === 'free' && act !== 'run';
    actNote.hidden = how !== 'free';
    list.replaceChildren(...fields.map((path) => element('li', {}, element('code', {}, path), element('button', { type: 'button', class: 'quiet', 'aria-label': `Remove ${path}`, onclick: () => {
      fields = fields.filter((one) => one !== path);
      void make();
      pick.focus();
    } }, 'Remove'))));
    which.hidden = !parts.some(({ part, input }) => part === 'charts' && input.checked);
    const nothing = parts.every(({ input }) => !input.checked) || (!which.hidden && charts.every(({ input }) => !input.checked));
    try {
      if (nothing) throw new Error('nothing would be shown: choose a part, and a chart if charts are shown');
      const wanted = view();
      const link = await actions.link({ view: wanted, result: wanted.seeds !== 'own' });
      if (mine !== turn) return;
      const at = link.indexOf('#');
      made.show({ base: link.slice(0, at), token: link.slice(at + 1), title: titleOf(store.get(), presets) });
      preview.href = link;
      preview.hidden = false;
    } catch (error) {
      if (mine !== turn) return;
      preview.hidden = true;
      made.refuse(isCrash(error) ? 'No link: the engine has failed and is being replaced. Close this and try again.' : `No link yet: ${error instanceof Error ? error.message : error}.`);
    }
  }

  document.body.append(dialog);
  dialog.showModal();
  /** @type {HTMLElement} */ (dialog.querySelector('h2')).focus();
  void make();
}
