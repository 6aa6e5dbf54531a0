// The command line, whose answers the page's are compared with.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The command line's answer as JSON. */
export const cli = (...parameters) => cliOn('', ...parameters);

/** The same, with this on its standard input. */
export function cliOn(input, ...parameters) {
  const program = process.env.AGENT_CHAOS;
  if (!program) throw new Error('AGENT_CHAOS names the command line to compare with; `cargo xtask test` sets it');
  return JSON.parse(execFileSync(program, parameters, { input, maxBuffer: 1 << 28, encoding: 'utf8' }));
}

/** What the command line says, in words. */
export const said = (...parameters) => execFileSync(process.env.AGENT_CHAOS, parameters, { encoding: 'utf8' }).trim();

/** Every event of a run, as the command line writes them. */
export function streamOf(experiment) {
  const folder = mkdtempSync(join(tmpdir(), 'events-'));
  try {
    const [profile, events] = [join(folder, 'profile.json'), join(folder, 'events.ndjson')];
    if (typeof experiment !== 'string') writeFileSync(profile, JSON.stringify(experiment));
    execFileSync(process.env.AGENT_CHAOS, ['run', typeof experiment === 'string' ? experiment : profile, '--events', events, '--json'], { stdio: ['ignore', 'ignore', 'inherit'], maxBuffer: 1 << 26 });
    return readFileSync(events, 'utf8').trim().split('\n').map((line) => JSON.parse(line));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The names of all presets: each is a file. */
export const presets = () => readdirSync(new URL('../../crates/agent-chaos-core/presets', import.meta.url)).map((name) => name.replace('.json', ''));
