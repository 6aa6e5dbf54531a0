export type State = "STABLE" | "DEGRADED" | "COLLAPSED";

/** A named experiment. `profile` is its whole canonical JSON, indented. */
export interface PresetInfo { name: string; title: string; summary: string; profile: string; }

/** One field in which a profile differs from another. */
export interface Change { path: string; from: unknown; to: unknown; }

/** A profile that was accepted: canonical JSON with every field, hash (16 hex), cost, differences from the defaults. */
export interface ProfileCheck {
  profile: string;
  hash: string;
  estimate: { requests: number; events: number; memory_bytes: number };
  changed: Change[];
}

/** One thing wrong with a profile; `field` is a JSON pointer, "" for the whole. */
export interface Problem { field: string; found: string; accepted: string; message: string; }

/** Thrown for a profile that was refused; describes the first problem and lists all. */
export interface ProfileError extends Error { name: "ProfileError"; field: string; found: string; accepted: string; errors: Problem[]; }

/** Thrown for a link that cannot be opened. */
export interface LinkError extends Error {
  name: "LinkError";
  kind: "empty" | "malformed" | "newer" | "unknown_preset" | "profile";
  field: string;
}

/** A link that was read. `expected_digest` is the first 8 hex digits of the digest it promises. */
export interface OpenedLink {
  preset: string | null;
  profile: string;
  profile_hash: string;
  expected_digest: string | null;
  profile_matches: boolean | null;
  changed: Change[];
}

/** The detector changed its mind. Times in seconds. */
export interface Transition {
  at_seconds: number;
  from: State;
  to: State;
  rule: "queue_growth" | "latency_growth" | "saturation" | "recovered";
  phase: "warm-up" | "counted";
  window_seconds: number;
  values: { [name: string]: number };
  text: string;
}

/** The moment as a picture. Rates per second over the trailing rate window; counts so far. */
export interface Picture {
  queue: number;
  capacity: number | null;
  waiting_senders: number;
  busy: number;
  workers: number;
  agents: number;
  thinking: number;
  delayed: number;
  offered: number;
  accepted: number;
  taken: number;
  goodput: number;
  derivative: number;
  saturation: number | null;
  state: State | null;
  throttle_delay_seconds: number;
  faults: number;
  refused: number;
  completed: number;
  failed: number;
}

/** What was recorded since the last frame. All columns have the same length; NaN is undefined at that moment. */
export interface Frame {
  /** Drop everything drawn so far: these columns start from the beginning. */
  reset: boolean;
  /** The first row takes the place of the last row received before. */
  replace_last: boolean;
  now_seconds: number;
  progress: number;
  finished: boolean;
  events: number;
  columns: { [name: string]: Float64Array };
  picture: Picture;
  transitions: Transition[];
}

/** What a run comes to, over the requests created in [warm-up, horizon). Times in seconds. */
export interface Report {
  profile: object;
  seed: number;
  digest: string;
  state: State | null;
  state_note: string | null;
  worst_state: State | null;
  final_state: State | null;
  state_share: { STABLE: number; DEGRADED: number; COLLAPSED: number };
  first_seconds: { STABLE: number | null; DEGRADED: number | null; COLLAPSED: number | null };
  evidence: Transition[];
  evidence_dropped: number;
  verdict: string;
  requests: { created: number; completed: number; failed: number; abandoned: number; in_flight: number };
  failures: { [mode: string]: number };
  attempts: number;
  latency_seconds: { mean: number; p50: number; p95: number; p99: number } | null;
  latency_exact: boolean;
  error_rate: number | null;
  error_clustering_index: number | null;
  throughput_per_second: number;
  goodput_per_second: number;
  queue: { mean: number; max: number };
  utilization: number;
  counted_seconds: { from: number; to: number };
  complete: boolean;
  engine: { version: string; revision: number; events: number };
}
