// The run in the forms of other tools: what the page writes is what the command line writes.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { at, expect, finish, open, test } from './harness.mjs';

/** What the command line writes with these options, each with a file. */
function written(experiment, options) {
  const folder = mkdtempSync(join(tmpdir(), 'exports-'));
  try {
    execFileSync(process.env.AGENT_CHAOS, ['run', ...experiment, ...options.flatMap((option) => [option, join(folder, option)])], { stdio: 'ignore' });
    return options.map((option) => readFileSync(join(folder, option), 'utf8'));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function saved(page, name) {
  const [file] = await Promise.all([page.waitForEvent('download'), at(page, name).click()]);
  return { name: file.suggestedFilename(), text: readFileSync(await file.path(), 'utf8') };
}

test('OpenTelemetry, Perfetto and Prometheus get the same bytes from the page as from the command line', async ({ page, site }) => {
  await open(page, `${site}#v1.retry-storm~run.duration_seconds=30~h=0`);
  await finish(page, expect);
  const [otlp, trace, prometheus] = written(['retry-storm', '--set', 'run.duration_seconds=30'], ['--otlp', '--trace', '--prometheus']);
  for (const [name, expected, ending] of [['export-otlp', otlp, 'otlp.jsonl'], ['export-trace', trace, 'trace.json'], ['export-prometheus', prometheus, 'prom']]) {
    const file = await saved(page, name);
    expect(file.name).toMatch(new RegExp(`^retry-storm-[0-9a-f]{16}\\.${ending}$`));
    expect(file.text === expected, `${name}: ${file.text.length} characters, ${expected.length} from the command line`).toBe(true);
    await expect(at(page, 'export-said')).toContainText('Made:');
  }
  expect(() => otlp.trim().split('\n').map((line) => JSON.parse(line))).not.toThrow();
});
