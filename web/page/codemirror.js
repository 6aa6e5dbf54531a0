// The text editor. It is large, so that it is loaded only when somebody opens the text; nothing else may import it.

import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap, redo, redoDepth, undo, undoDepth } from '@codemirror/commands';
import { json, jsonLanguage } from '@codemirror/lang-json';
import { bracketMatching, HighlightStyle, indentOnInput, indentUnit, syntaxHighlighting } from '@codemirror/language';
import { lintKeymap, nextDiagnostic, setDiagnostics } from '@codemirror/lint';
import { Annotation, Compartment, EditorState } from '@codemirror/state';
import { drawSelection, EditorView, highlightActiveLine, hoverTooltip, keymap, lineNumbers } from '@codemirror/view';
import { tags } from '@lezer/highlight';
import { around, fieldAt, placeOf } from '../shared/json.js';
import { keys, nodeAt, values, words } from '../shared/schema.js';
import { element } from './dom.js';

/** Of a longer text, which is refused as a whole, no places are looked for. */
const MOST_READ = 1_000_000;
/** Marks what the page itself writes, as against what somebody types. */
const ours = Annotation.define();

/** Every colour is a token of the page, which reaches into the shadow root. */
const theme = EditorView.theme({
  '&': { color: 'var(--ink)', backgroundColor: 'var(--card)', fontSize: 'var(--text-s)', border: '1px solid var(--line-strong)', borderRadius: '0.375rem', height: '22rem', maxWidth: '100%' },
  '&.cm-focused': { outline: '3px solid var(--accent)', outlineOffset: '2px' },
  '&.wrong': { borderColor: 'var(--bad)', boxShadow: '0 0 0 1px var(--bad)' },
  '.cm-scroller': { fontFamily: 'var(--mono)', lineHeight: '1.5', overflow: 'auto' },
  '.cm-content': { caretColor: 'var(--ink)', padding: '0.5rem 0' },
  '.cm-cursor': { borderLeftColor: 'var(--ink)', borderLeftWidth: '2px' },
  '.cm-gutters': { backgroundColor: 'var(--sunken)', color: 'var(--ink-soft)', border: 'none' },
  '.cm-activeLine': { backgroundColor: 'var(--shade)' },
  '.cm-activeLineGutter': { backgroundColor: 'transparent', color: 'var(--ink)', fontWeight: '600' },
  '&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground': { backgroundColor: 'var(--hatch)' },
  '&.cm-focused .cm-matchingBracket': { backgroundColor: 'var(--accent-soft)', outline: '1px solid var(--accent)' },
  '&.cm-focused .cm-nonmatchingBracket': { backgroundColor: 'var(--bad-soft)', outline: '1px solid var(--bad)' },
  '.cm-lintRange-error': { backgroundImage: 'none', textDecoration: 'underline wavy var(--bad)', textUnderlineOffset: '2px' },
  '.cm-lintPoint-error:after': { borderBottomColor: 'var(--bad)' },
  '.cm-tooltip': { backgroundColor: 'var(--card)', color: 'var(--ink)', border: '1px solid var(--line-strong)', borderRadius: '0.375rem', font: 'var(--text-s) / 1.45 var(--font)', maxWidth: 'min(24rem, 92vw)', zIndex: '20' },
  '.cm-tooltip.cm-tooltip-autocomplete > ul': { fontFamily: 'var(--mono)', fontSize: 'var(--text-s)', maxWidth: '88vw', minWidth: '12rem' },
  '.cm-tooltip.cm-tooltip-autocomplete > ul > li': { padding: '0.2rem 0.5rem', minHeight: '1.5rem' },
  '.cm-tooltip-autocomplete ul li[aria-selected]': { backgroundColor: 'var(--accent)', color: 'var(--accent-ink)' },
  '.cm-completionDetail': { fontFamily: 'var(--font)', fontStyle: 'normal', color: 'var(--ink-soft)', marginLeft: '0.75rem' },
  '.cm-tooltip-autocomplete ul li[aria-selected] .cm-completionDetail': { color: 'var(--accent-ink)' },
  '.cm-completionInfo, .cm-help': { padding: '0.375rem 0.625rem', maxWidth: 'min(20rem, 88vw)' },
  // On a narrow screen it would lie on the proposals themselves.
  '.cm-completionInfo.cm-completionInfo-left-narrow, .cm-completionInfo.cm-completionInfo-right-narrow': { display: 'none' },
  '.cm-completionMatchedText': { textDecoration: 'none', fontWeight: '700' },
  '.cm-help p, .cm-completionInfo p': { margin: '0' },
  '.cm-help .facts, .cm-completionInfo .facts': { color: 'var(--ink-soft)' },
  '.cm-diagnostic-error': { borderLeft: '4px solid var(--bad)', padding: '0.375rem 0.625rem', overflowWrap: 'anywhere' },
});

const colours = HighlightStyle.define([
  { tag: tags.propertyName, color: 'var(--series-1)' },
  { tag: tags.string, color: 'var(--series-3)' },
  { tag: tags.number, color: 'var(--warn)' },
  { tag: [tags.bool, tags.null], color: 'var(--series-4)', fontWeight: '600' },
  { tag: tags.separator, color: 'var(--ink-soft)' },
]);

/** What the schema says of a field. @param {any} node */
function help(node) {
  const { title, facts, description } = words(node);
  return element('div', {}, element('p', {}, element('strong', { text: title })), element('p', { class: 'facts', text: facts }), element('p', { text: description }));
}

/**
 * @param {HTMLElement} place becomes the host of a shadow root: the policy of the page allows styles there
 * @param {object} given
 * @param {any} given.schema
 * @param {string} given.text
 * @param {() => import('./store.js').Problem[]} given.problems
 * @param {() => string[]} given.settable
 * @param {(text: string) => void} given.changed somebody has typed
 * @param {() => void} given.left somebody is done typing
 * @param {{ undo: () => void, redo: () => void }} given.beyond what lies before and after the edits of the text itself
 */
export function mount(place, { schema, text, problems, settable, changed, left, beyond }) {
  const root = place.attachShadow({ mode: 'open' });
  const past = new Compartment();
  const state = new Compartment();
  const reading = new Compartment();
  const attributes = (/** @type {boolean} */ wrong) => EditorView.contentAttributes.of({
    'aria-label': 'Profile as JSON. Escape, then Tab leaves the text.', 'data-testid': 'json', tabindex: '0', spellcheck: 'false', autocorrect: 'off', autocapitalize: 'off', ...(wrong ? { 'aria-invalid': 'true' } : {}),
  });

  /** @param {import('@codemirror/autocomplete').CompletionContext} context @returns {import('@codemirror/autocomplete').CompletionResult | null} */
  function complete(context) {
    const whole = context.state.doc.toString();
    const at = around(whole, context.pos);
    // Nothing pops up where nobody has begun to write, unless it is asked for.
    if (!at || (at.from === context.pos && !context.explicit)) return null;
    const key = at.role === 'key';
    const followed = key && /^\s*:/.test(whole.slice(at.to));
    const options = (key ? keys(schema, at.path, at.taken) : values(schema, at.path, settable())).map(({ label, detail, insert, node }) => {
      const written = key ? `${JSON.stringify(label)}${followed ? '' : `: ${insert}`}` : insert;
      return {
        label: key ? JSON.stringify(label) : label, detail, type: key ? 'property' : 'constant',
        info: node ? () => help(node) : undefined,
        apply: (/** @type {EditorView} */ view) => view.dispatch({
          changes: { from: at.from, to: Math.max(at.to, context.pos), insert: written },
          // What comes with a key is selected, to be typed over.
          selection: key && !followed ? { anchor: at.from + written.length - insert.length, head: at.from + written.length } : { anchor: at.from + written.length },
          userEvent: 'input.complete',
        }),
      };
    });
    return options.length ? { from: at.from, to: Math.max(at.to, context.pos), options, filter: true } : null;
  }

  const view = new EditorView({
    parent: root, root,
    state: EditorState.create({
      doc: text,
      extensions: [
        lineNumbers(), drawSelection(), highlightActiveLine(), bracketMatching(), closeBrackets(), indentOnInput(), indentUnit.of('  '), EditorState.tabSize.of(2),
        json(), jsonLanguage.data.of({ autocomplete: complete }), autocompletion({ icons: false }), syntaxHighlighting(colours), theme, EditorView.lineWrapping,
        past.of(history()), state.of(attributes(false)), reading.of([]),
        hoverTooltip((shown, at) => {
          const found = fieldAt(shown.state.doc.toString(), at);
          const node = found && nodeAt(schema, found.path);
          if (!found || !node) return null;
          return { pos: found.range.from, end: found.range.to, above: true, create: () => {
            const dom = help(node);
            dom.className = 'cm-help';
            return { dom };
          } };
        }),
        keymap.of([
          { key: 'Mod-z', run: (shown) => (undoDepth(shown.state) > 0 ? undo(shown) : (beyond.undo(), true)) },
          { key: 'Mod-y', mac: 'Mod-Shift-z', run: (shown) => (redoDepth(shown.state) > 0 ? redo(shown) : (beyond.redo(), true)) },
          { linux: 'Ctrl-Shift-z', win: 'Ctrl-Shift-z', run: (shown) => (redoDepth(shown.state) > 0 ? redo(shown) : (beyond.redo(), true)) },
          { key: 'F8', run: nextDiagnostic },
          ...closeBracketsKeymap, ...completionKeymap, ...lintKeymap, ...historyKeymap, ...defaultKeymap,
          // Tab indents as people expect of a text; Escape before it gives it back to the page.
          { key: 'Tab', run: (shown) => (shown.state.readOnly ? false : (shown.dispatch(shown.state.replaceSelection('  '), { userEvent: 'input' }), true)) },
        ]),
        // Where a selection is typed over, browsers keep its looks by inline styles, which the policy refuses; so that the text is put in here.
        EditorView.domEventHandlers({
          beforeinput: (event, shown) => {
            const { data } = event;
            const { main: { from, to }, ranges } = shown.state.selection;
            if (event.inputType !== 'insertText' || data === null || event.isComposing || from === to || ranges.length > 1) return false;
            const insert = shown.state.toText(data);
            const plain = () => shown.state.update({ changes: { from, to, insert }, selection: { anchor: from + insert.length }, userEvent: 'input.type', scrollIntoView: true });
            if (!shown.state.facet(EditorView.inputHandler).some((handle) => handle(shown, from, to, data, plain))) shown.dispatch(plain());
            return true;
          },
        }),
        EditorView.updateListener.of((update) => {
          if (update.docChanged && !update.transactions.some((one) => one.annotation(ours))) changed(update.state.doc.toString());
          if (update.focusChanged && !update.view.hasFocus) left();
        }),
      ],
    }),
  });

  let judged = false;
  let locked = false;
  return {
    /** Whether the text can only be read. @param {boolean} now */
    lock(now) {
      if (now !== locked) view.dispatch({ effects: reading.reconfigure(now ? EditorState.readOnly.of(true) : []) });
      locked = now;
    },
    get text() { return view.state.doc.toString(); },
    get focused() { return view.hasFocus; },
    focus: () => view.focus(),
    /** Shows another text; what was typed before it is not what its undo leads to. @param {string} next */
    show(next) {
      const now = view.state.doc.toString();
      if (now === next) return;
      let start = 0;
      while (start < now.length && start < next.length && now[start] === next[start]) start += 1;
      let end = 0;
      while (end < now.length - start && end < next.length - start && now[now.length - 1 - end] === next[next.length - 1 - end]) end += 1;
      // Only what differs is replaced, so that the place in the text stays.
      view.dispatch({ changes: { from: start, to: now.length - end, insert: next.slice(start, next.length - end) }, annotations: ours.of(true) });
      view.dispatch({ effects: past.reconfigure([]) });
      view.dispatch({ effects: past.reconfigure(history()) });
    },
    /** Draws what is wrong anew. @param {boolean} wrong */
    judge(wrong) {
      if (view.dom.classList.toggle('wrong', wrong) !== judged) view.dispatch({ effects: state.reconfigure(attributes(wrong)) });
      judged = wrong;
      const now = view.state.doc.toString();
      view.dispatch(setDiagnostics(view.state, problems().map((problem) => ({ ...placeOf(now.slice(0, MOST_READ), problem), severity: 'error', message: problem.message }))));
    },
  };
}
