import type { Report } from './agent_chaos_wasm.js';

/** Where an element stands. */
export interface Standing {
  phase: 'poster' | 'loading' | 'ready' | 'running' | 'paused' | 'done' | 'error' | 'refused';
  preset: string | null;
  /** null before the engine is there. */
  seed: number | null;
  /** 16 hex digits once a run has ended. */
  digest: string;
  /** The sentence of the verdict once a run has ended. */
  verdict: string;
  now_seconds: number;
  /** From 0 to 1. */
  progress: number;
}

/** What went wrong; `field` is an attribute or a field of the profile, or empty. */
export interface Refusal { field: string; message: string; }

/** `<agent-chaos>`. Its attributes are `preset set seed link view charts lock free ask seeds vs theme heading verdict playground`. */
export class AgentChaos extends HTMLElement {
  /** Where it stands. */
  readonly state: Standing;
  /** What the last run came to; null until one has ended. */
  readonly report: Report | null;
  /** Runs, or goes on, as soon as it is in sight. Gives the report when the run has ended; null if it is paused or ended before. */
  run(): Promise<Report | null>;
  pause(): void;
  /** Forgets the run; the experiment stays as it is. */
  reset(): void;
  /** Changes one field of the profile; false if it was refused, which an `error` event explains. */
  set(path: string, value: unknown): boolean;
  /** Gives it what attributes would, of which a name may come more than once. */
  configure(entries: [string, string][]): void;
}

/** Makes the element known to the page, if it is not yet; importing this module does so as `agent-chaos`. */
export function define(name?: string): void;

declare global {
  interface HTMLElementTagNameMap { 'agent-chaos': AgentChaos; }
}
