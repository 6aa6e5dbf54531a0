import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FORMS, MOST_QR, fits, path } from '../../web/shared/sharing.js';

const given = { base: 'https://example.org/play (1)/', token: 'v1.exp-002~view.ask=a%22b~h=0', title: 'A "queue" [1] <b>&' };
const form = (name) => FORMS.find((one) => one.name === name).write(given);

test('each form holds the link, and nothing of a title gets out of it', () => {
  assert.equal(form('link'), 'https://example.org/play (1)/#v1.exp-002~view.ask=a%22b~h=0');
  assert.equal(form('markdown'), '[A "queue" \\[1\\] <b>&](https://example.org/play %281%29/#v1.exp-002~view.ask=a%22b~h=0)');
  assert.equal(form('html'), '<a href="https://example.org/play (1)/#v1.exp-002~view.ask=a%22b~h=0">A &quot;queue&quot; [1] &lt;b&gt;&amp;</a>');
  assert.equal(form('frame'), '<iframe src="https://example.org/play%20(1)/embed.html#v1.exp-002~view.ask=a%22b~h=0" sandbox="allow-scripts" loading="lazy" title="A &quot;queue&quot; [1] &lt;b&gt;&amp;" style="width:100%;aspect-ratio:16/10;border:0"></iframe>');
  assert.equal(form('element'), '<script type="module" src="https://example.org/play%20(1)/agent-chaos.js"></script>\n<agent-chaos link="v1.exp-002~view.ask=a%22b~h=0"></agent-chaos>');
});

test('where a link fits is counted as each place counts', () => {
  const at = (link) => Object.fromEntries(fits(link).map(({ where, takes, fits: good }) => [where, [takes, good]]));
  assert.deepEqual(at('x'.repeat(160))['one SMS'], [160, true]);
  // A tilde takes two places in the alphabet of short messages.
  assert.deepEqual(at(`${'x'.repeat(159)}~`)['one SMS'], [161, false]);
  assert.deepEqual(at('x'.repeat(2000))['one Discord message'], [2000, true]);
  assert.deepEqual(at('x'.repeat(2001))['one Discord message'], [2001, false]);
  assert.equal(at('x'.repeat(MOST_QR + 1))['a QR code'][1], false);
  const most = fits('').map((one) => one.most);
  assert.deepEqual(most, most.toSorted((one, other) => one - other));
});

test('a QR code is drawn row by row, a stretch at a time', () => {
  const rows = ['##.#', '....', '#..#', '####'];
  assert.equal(path(4, (x, y) => rows[y][x] === '#'), 'M0 0h2v1h-2zM3 0h1v1h-1zM0 2h1v1h-1zM3 2h1v1h-1zM0 3h4v1h-4z');
});
