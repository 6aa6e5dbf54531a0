// Experiments that tests in every browser take, and the guides with what they say.
import { readFileSync, readdirSync } from 'node:fs';
import { changed, readGuide } from '../../web/shared/guide.js';

/** Everything that a picture, a chart or a table has a place for. */
export const STORM = {
  run: { duration_seconds: 60, warmup_seconds: 5 }, agents: null, arrivals: { rate_per_second: 50 }, requests: { light: { share: 1 }, heavy: { share: 0 } },
  client: { timeout_seconds: 1, withdraws: true, retry: { backoff: 'none' }, breaker: { open_seconds: 5 } }, network: { loss_ratio: 0.01, pool: { size: 60 } },
  admission: { limit: {}, token_bucket: { rate_per_second: 200 } },
  queue: { capacity: 200, when_full: 'drop', early_drop: null, discipline: 'lifo', drops_expired: true },
  workers: { count: 3, bulkheads: { light: 1, heavy: 0 }, service: { distribution: 'exponential', base_seconds: 0.01, per_weight_seconds: 0 } },
  downstream: { network: { pool: { size: 2 } } }, faults: { spike: null, error: null, crashes: {}, stalls: {} },
  timeline: [{ at_seconds: 20, for_seconds: 5, traffic: { arrivals_factor: 6 } }, { at_seconds: 22, crash: { workers: 1 }, for_seconds: 5 }],
};

const folder = new URL('../../web/guides/', import.meta.url);
/** All guides, in their order, each with its file's text. */
export const GUIDES = readdirSync(folder).filter((file) => file.endsWith('.json')).map((file) => {
  const source = readFileSync(new URL(file, folder), 'utf8');
  return { name: file.replace(/^\d+-/, '').replace('.json', ''), source, guide: readGuide(source) };
});

const presetOf = (name) => JSON.parse(readFileSync(new URL(`../../crates/agent-chaos-core/presets/${name}.json`, import.meta.url), 'utf8'));
/** The profile of an experiment that a guide runs. */
export const profileOf = ({ preset, changes }) => JSON.stringify(changed(presetOf(preset), ...changes));
