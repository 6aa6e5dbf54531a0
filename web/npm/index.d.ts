import type { Frame, OpenedLink, PresetInfo, ProfileCheck, Report } from './agent_chaos_wasm.js';

export type { Episode, Frame, LinkError, OpenedLink, Picture, PresetInfo, ProfileCheck, ProfileError, Report, State, Transition } from './agent_chaos_wasm.js';

/** The name of a preset, a link or its token, or a profile as an object or as JSON text. */
export type Experiment = string | object;

/** What is changed of an experiment before it is used. */
export interface Changes {
  /** Fields by their path: `{ 'workers.count': 6 }`. */
  set?: { [path: string]: unknown };
  /** From 0 to 4294967295. */
  seed?: number;
}

export interface RunOptions extends Changes {
  /** Virtual seconds per second; without this, as fast as possible. */
  speed?: number;
  /** Gets what was recorded since the last frame, some 60 times a second while it runs. */
  onFrame?: (frame: Frame) => void;
  /** Ends the run: the promise is rejected with the signal's reason. */
  signal?: AbortSignal;
}

/**
 * Runs an experiment to its end.
 *
 * @throws {ProfileError} for a profile that is refused; it names the field
 * @throws {LinkError} for a link that cannot be opened
 */
export function run(experiment: Experiment, options?: RunOptions): Promise<Report>;

/** Reads an experiment without running it: its whole profile, its hash, and what it will cost. */
export function check(experiment: Experiment, changes?: Changes): Promise<ProfileCheck>;

/** All presets, in the order of display. */
export function presets(): Promise<PresetInfo[]>;

/** The JSON Schema of a profile. */
export function schema(): Promise<object>;

/** The token of a link, to stand after `#`; with a report it can tell whether it reproduces. */
export function link(experiment: Experiment, options?: Changes & { preset?: string; report?: { digest: string } }): Promise<string>;

/** Reads a link, or a whole address with one. */
export function openLink(text: string): Promise<OpenedLink>;

/** The engine's version, and its revision, which goes up whenever results change on purpose. */
export function version(): Promise<{ version: string; revision: number }>;
