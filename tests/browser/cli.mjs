// The command line, whose answers the page's are compared with.
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';

/** The command line's answer as JSON. */
export const cli = (...parameters) => cliOn('', ...parameters);

/** The same, with this on its standard input. */
export function cliOn(input, ...parameters) {
  const program = process.env.AGENT_CHAOS;
  if (!program) throw new Error('AGENT_CHAOS names the command line to compare with; `cargo xtask test` sets it');
  return JSON.parse(execFileSync(program, parameters, { input, maxBuffer: 1 << 28, encoding: 'utf8' }));
}

/** The names of all presets: each is a file. */
export const presets = () => readdirSync(new URL('../../crates/agent-chaos-core/presets', import.meta.url)).map((name) => name.replace('.json', ''));
