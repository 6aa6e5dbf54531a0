// What becomes of a link: its forms to copy, where it fits, and a QR code.

import '../style/sharing.css';
import { generate } from 'lean-qr';
import { FORMS, fits, path } from '../shared/sharing.js';
import * as format from '../shared/format.js';
import { copyText } from './copy.js';
import { element, setText, svg } from './dom.js';

/** Empty modules around a code: fewer, and readers do not find it. */
const QUIET = 4;

/** A code for a text, dark on light in any theme. @param {string} text @returns {SVGElement | null} null if it is too long */
function code(text) {
  let made;
  try {
    made = generate(text);
  } catch {
    return null;
  }
  const { size } = made;
  const whole = size + 2 * QUIET;
  return svg('svg', { class: 'qr', viewBox: `${-QUIET} ${-QUIET} ${whole} ${whole}`, role: 'img', 'aria-label': 'QR code of the link', 'shape-rendering': 'crispEdges', 'data-testid': 'qr' },
    svg('rect', { x: -QUIET, y: -QUIET, width: whole, height: whole, fill: '#fff' }), svg('path', { d: path(size, (x, y) => made.get(x, y)), fill: '#000' }));
}

/** A code as large as the screen, for a projector. @param {string} link @param {string} title */
function onScreen(link, title) {
  const drawn = code(link);
  if (!drawn) return;
  const close = () => {
    if (document.fullscreenElement) void document.exitFullscreen();
    dialog.close();
  };
  const stage = element('div', { class: 'stage' }, drawn, element('div', { class: 'caption' }, element('p', {}, element('strong', { text: title })), element('p', { class: 'address', text: link }),
    element('button', { type: 'button', onclick: close }, 'Close')));
  const dialog = element('dialog', { class: 'qr-screen', 'aria-label': 'QR code of the link', 'data-testid': 'qr-screen' }, stage);
  dialog.addEventListener('close', () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  // Where the browser does not lend the whole screen, the window has to do.
  stage.requestFullscreen?.().catch(() => {});
}

/**
 * @param {string} id that the names of its elements begin with
 */
export function ways(id) {
  /** @type {{ base: string, token: string, title: string } | null} */
  let given = null;
  const form = element('select', { id: `${id}-form`, 'data-testid': `${id}-form`, onchange: () => draw() }, ...FORMS.map(({ name, title }) => element('option', { value: name }, title)));
  const hint = element('p', { class: 'soft small', id: `${id}-hint` });
  const field = element('textarea', { id: `${id}-text`, 'data-testid': `${id}-text`, readonly: true, rows: 3, spellcheck: 'false', 'aria-describedby': `${id}-hint`, onfocus: () => field.select() });
  const said = element('p', { class: 'small', role: 'status', 'data-testid': `${id}-said` });
  const copy = element('button', { type: 'button', class: 'primary', 'data-testid': `${id}-copy`, onclick: async () => setText(said, await copyText(field.value, field)) }, 'Copy');
  const send = element('button', { type: 'button', hidden: typeof navigator.share !== 'function', 'data-testid': `${id}-send`, onclick: async () => {
    if (!given) return;
    try {
      await navigator.share({ title: given.title, url: FORMS[0].write(given) });
      setText(said, '');
    } catch (error) {
      // Whoever closes the system's own dialog need not be told.
      if (!(error instanceof DOMException && error.name === 'AbortError')) setText(said, 'This browser did not pass the link on; copy it instead.');
    }
  } }, 'Send …');
  const length = element('p', { class: 'small', 'data-testid': `${id}-length` });
  const list = element('ul', { class: 'fits small', 'data-testid': `${id}-fits` });
  const picture = element('div', { class: 'code' });
  const large = element('button', { type: 'button', 'data-testid': `${id}-large`, onclick: () => { if (given) onScreen(FORMS[0].write(given), given.title); } }, 'Fill the screen');
  const coded = element('div', { class: 'coded' }, picture, element('div', {}, element('p', { class: 'small', text: 'For a classroom: a phone’s camera opens it.' }), large));
  const tooLong = element('p', { class: 'small soft', hidden: true, 'data-testid': `${id}-no-code` });
  const wrong = element('p', { class: 'notice bad', role: 'alert', hidden: true });
  const body = element('div', { class: 'ways-body' },
    element('div', { class: 'field' }, element('label', { for: `${id}-form` }, 'As'), form), hint,
    element('div', { class: 'field' }, element('label', { for: `${id}-text` }, 'Text to copy'), field),
    element('div', { class: 'row start' }, copy, send), said,
    element('h3', { text: 'How long it is' }), length, list,
    element('h3', { text: 'QR code' }), coded, tooLong);

  function draw() {
    if (!given) return;
    const chosen = FORMS.find(({ name }) => name === form.value) ?? FORMS[0];
    setText(hint, chosen.hint);
    field.value = chosen.write(given);
    setText(said, '');
  }

  return {
    place: element('div', { class: 'ways' }, wrong, body),
    /** @param {{ base: string, token: string, title: string }} next */
    show(next) {
      given = next;
      wrong.hidden = true;
      body.hidden = false;
      draw();
      const link = FORMS[0].write(next);
      setText(length, `The link has ${format.count(link.length)} characters.`);
      list.replaceChildren(...fits(link).map(({ where, takes, most, fits: good }) => element('li', { 'data-fits': String(good) }, `${good ? '✓ fits into' : '✗ too long for'} ${where}: ${format.count(takes)} of ${format.count(most)}`)));
      const drawn = code(link);
      picture.replaceChildren(...(drawn ? [drawn] : []));
      coded.hidden = !drawn;
      tooLong.hidden = drawn !== null;
      setText(tooLong, drawn ? '' : 'This link is too long for a QR code. Leave changes out, or save the experiment as a preset’s variant with fewer of them.');
    },
    /** @param {string} words why there is no link */
    refuse(words) {
      given = null;
      body.hidden = true;
      wrong.hidden = false;
      setText(wrong, words);
    },
  };
}
