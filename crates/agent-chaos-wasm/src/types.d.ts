export type State = "STABLE" | "DEGRADED" | "COLLAPSED";

/** A named experiment. `profile` is its whole canonical JSON, indented. */
export interface PresetInfo { group: string; name: string; title: string; summary: string; profile: string; }

/** One field in which a profile differs from another. */
export interface Change { path: string; from: unknown; to: unknown; }

/** A profile that was accepted: canonical JSON with every field, hash (16 hex), cost, differences from the defaults, what a timeline may set. */
export interface ProfileCheck {
  profile: string;
  hash: string;
  estimate: { requests: number; events: number; memory_bytes: number };
  changed: Change[];
  /** Numeric fields of this profile that its timeline may set, as dotted paths. */
  settable: string[];
}

/** One thing wrong with a profile; `field` is a JSON pointer, "" for the whole. */
export interface Problem { field: string; found: string; accepted: string; message: string; }

/** Thrown for a profile that was refused; describes the first problem and lists all. */
export interface ProfileError extends Error { name: "ProfileError"; field: string; found: string; accepted: string; errors: Problem[]; }

/** Thrown for a link that cannot be opened. */
export interface LinkError extends Error {
  name: "LinkError";
  kind: "empty" | "malformed" | "newer" | "unknown_preset" | "view" | "profile";
  field: string;
}

/**
 * A link that was read. `expected_digest` is the first 8 hex digits of the digest it promises; `view` says how it is
 * to be shown, as keys and values in order.
 */
export interface OpenedLink {
  preset: string | null;
  profile: string;
  profile_hash: string;
  expected_digest: string | null;
  /** Revision of the engine that promised it. */
  expected_revision: number | null;
  profile_matches: boolean | null;
  changed: Change[];
  view: [string, string][];
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

/** Connections of a pool: in use, of how many at present, and who waits for one. */
export interface Pool { in_use: number; size: number; waiting: number; }

/** The moment as a picture. Rates per second over the trailing rate window; counts so far. What a profile does not have is null. */
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
  succeeded: number;
  failed: number;
  clients: {
    open: number; pending: number; retries: number; retries_per_second: number; timeouts_per_second: number;
    hedges: number; refused: number; breaker: "CLOSED" | "HALF_OPEN" | "OPEN" | null;
  } | null;
  network: { in_transit: number; lost: number; pool: Pool | null } | null;
  admission: { limit: number | null; inside: number; tokens: number | null; over_limit: number; without_token: number } | null;
  removed: { requests: number; per_second: number };
  crew: { able: number; down: number; stalled: boolean; wanted: number | null } | null;
  downstream: { pool: Pool | null } | null;
  /** Places in the timeline of the interventions under way. */
  interventions: number[];
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

/** What a run may be given beside its profile. */
export interface RunOptions {
  /** So many of the latest records are kept, up to 2,000,000; without this, or with 0, none, at no cost. */
  records?: number;
}

/** A name as in the event stream, and what people read instead. */
export interface RecordName { name: string; words: string; }

/** What the numbers in records and lives stand for: each is a place in one of these lists. */
export interface RecordNames {
  kinds: RecordName[];
  /** Failure modes, reasons, classes, states; the first says nothing. */
  words: RecordName[];
  phases: { name: Phase; words: string; part: "waiting" | "network" | "service" }[];
}

/** What a request is at. */
export type Phase = "between" | "unanswered" | "connection" | "connection_and_network" | "network" | "entrance" | "queue" | "service";

/** Which records are wanted. Text is looked for in names and words, whatever the case. */
export interface RecordFilter { kinds?: number[]; request?: number | null; agent?: number | null; failures?: boolean; text?: string; }

/** Records, one row each: all columns have the same length. NaN where there is nothing of the kind. */
export interface RecordColumns {
  /** Their places in the event stream, from 0. */
  sequence: Float64Array;
  /** Seconds of virtual time. */
  at: Float64Array;
  kind: Uint8Array;
  word: Uint8Array;
  request: Float64Array;
  agent: Float64Array;
  /** Which send of the request, from 0. */
  attempt: Uint8Array;
  worker: Float64Array;
  /** Requests that wait in the queue from then on. */
  waiting: Float64Array;
  /** A length, where the record has one. */
  seconds: Float64Array;
  /** 1 of a failure. */
  failure: Uint8Array;
  /** What the record says beside its kind, in words. */
  what: string[];
}

/** Rows of the filtered list of the records that are kept. */
export interface RecordWindow {
  /** Records in the filtered list. */
  total: number;
  /** Place of the first row in it. */
  from: number;
  /** How many of the list come before the record that was asked for. */
  before: number;
  /** Records there have been, and how many of them are kept. */
  written: number;
  kept: number;
  /** Requests created so far. */
  created: number;
  /** Kinds there have been. */
  kinds: number[];
  columns: RecordColumns;
}

/** A stretch of time in one phase; `in_vain` if its client had given it up by then. Seconds of virtual time. */
export interface LifeSegment { phase: number; from: number; to: number; in_vain: boolean; }

/** One send of a request; where there are no client policies, its only way through the server. */
export interface LifeAttempt {
  number: number;
  sending: "first" | "retry" | "hedge" | null;
  from_seconds: number;
  ended_seconds: number | null;
  outcome: string | null;
  words: string;
  worker: number | null;
  paused_seconds: number;
  spiked_seconds: number;
  segments: LifeSegment[];
}

/** Seconds in each phase, by its number: together, as long as the request took. */
export type LifeSplit = number[];

/** The same, by what the phases are a part of. */
export interface LifeParts { waiting: number; network: number; service: number; }

/** The life of a request. Its attempts may go on after its end, in vain. */
export interface Life {
  request: number;
  agent: number | null;
  class: string;
  created_seconds: number;
  ended_seconds: number | null;
  outcome: string | null;
  took_seconds: number;
  /** How often it was sent; null where there are no client policies. */
  sends: number | null;
  /** Nothing can come any more. */
  over: boolean;
  words: string;
  split: LifeSplit;
  parts: LifeParts;
  attempts: LifeAttempt[];
  steps: RecordColumns;
}

/** One of the slowest requests, from its creation to its end, with the name of how it ended. A split that is null is found by a search. */
export interface Slow { request: number; took_seconds: number; outcome: string; sends: number | null; split: LifeSplit | null; parts: LifeParts | null; }

/** What clients and the network did in the counted time, in sends; times in seconds. */
export interface ClientSummary {
  sent: number; retries: number; hedges: number; refused: number; answered: number; errored: number; timed_out: number;
  cancelled: number; dropped: number; amplification: number | null;
  settle_seconds: { mean: number; p50: number; p95: number; p99: number } | null;
}

/** What the server did in the counted time beside serving. */
export interface ServerSummary { arrived: number; refused: number; admitted: number; removed: number; lost: number; completed: number; }

/** The workers' time, in seconds: on duty = useful + wasted + idle + stalled + down. */
export interface WorkerSeconds { on_duty: number; useful: number; wasted: number; idle: number; stalled: number; down: number; amplification: number | null; }

/** A time in a state worse than STABLE: what tripped it, and what held it. */
export interface Episode {
  state: State;
  from_seconds: number;
  /** null if it lasted to the end. */
  to_seconds: number | null;
  /** When it began. */
  phase: "warm-up" | "trigger" | "counted";
  /** Over before the counted time began. */
  start_up: boolean;
  /** The one that the verdict is about. */
  decisive: boolean;
  tripped_by: Transition["rule"];
  from_state: State;
  window_seconds: number;
  values: { [name: string]: number };
  held_by: "rule" | "hysteresis" | "hold_time" | null;
  rule_share: number | null;
  mean_saturation: number | null;
  longest_low_seconds: number | null;
  why: string;
  held_because: string | null;
}

/** One way in which counted requests failed; `cause` stands after "by". */
export interface ErrorPart { mode: string; cause: string; requests: number; share_of_created: number; }

/** The detector against the comparison with the twin. An alarm is any state but STABLE; a negative lag is an early alarm. */
export interface DetectorQuality {
  from_seconds: number; to_seconds: number;
  unhealthy: number; misses: number; alarms: number; false_alarms: number;
  lag_seconds: number | null; longest_lag_seconds: number | null;
  unhealthy_seconds: number; missed_seconds: number; false_alarm_seconds: number;
  text: string;
}

/** The load at zero from the end of a metastable run on, and its base load again. */
export interface Draining { from_seconds: number; to_seconds: number; emptied: boolean; healthy_seconds: number | null; watched_seconds: number; }

/** Whether the system came back after the trigger, and what keeps it from it. */
export interface Recovery {
  trigger_seconds: [number, number];
  recovered: boolean | null;
  seconds_after_trigger: number | null;
  censored_at_seconds: number | null;
  metastable: boolean | null;
  confirmed_by_draining: boolean | null;
  draining: Draining | null;
  twin_healthy: boolean;
  sustained_by: string[];
  text: string;
}

/** The queue as the fluid model has it; `queue` is null where the model does not apply, and `reason` says why. */
export interface Fluid {
  queue: Float64Array | null;
  reason: string | null;
  /** What the model takes for granted. */
  about: string;
  /** c/E[S] without pressure and faults. */
  capacity_per_second: number;
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
  episodes: Episode[];
  episodes_dropped: number;
  /** The first sentence of the verdict. */
  headline: string;
  verdict: string;
  requests: { created: number; completed: number; failed: number; abandoned: number; in_flight: number };
  failures: { [mode: string]: number };
  errors: ErrorPart[];
  attempts: number;
  latency_seconds: { mean: number; p50: number; p95: number; p99: number } | null;
  latency_exact: boolean;
  latency_undefined: { seconds: number; stalled_seconds: number };
  error_rate: number | null;
  error_clustering_index: number | null;
  throughput_per_second: number;
  goodput_per_second: number;
  queue: { mean: number; max: number };
  utilization: number;
  clients?: ClientSummary;
  server?: ServerSummary;
  worker_seconds?: WorkerSeconds;
  recovery?: Recovery | null;
  detector_quality?: DetectorQuality;
  counted_seconds: { from: number; to: number };
  complete: boolean;
  engine: { version: string; revision: number; events: number };
}

/** A mean over runs with the half-width of its 95 % confidence interval by Student's t (null with a single run), and the extremes. */
export interface Estimate { mean: number; ci95: number | null; min: number; max: number; runs: number; }

/** A share of runs with its 95 % Wilson interval. */
export interface Proportion { count: number; runs: number; share: number; low: number; high: number; }

/** Formulas of queueing theory beside what the runs came to. */
export interface TheoryTable {
  /** First and last seed. */
  seeds: [number, number];
  runs: number;
  /** One row for each formula, in a fixed order. */
  rows: TheoryRow[];
}

export interface TheoryRow {
  id: string;
  name: string;
  formula: string;
  source: string;
  /** `ratio`, `s`, `{request}`, … */
  unit: string;
  /** Whether the prediction is a bound from above instead of the value itself. */
  is_bound: boolean;
  predicted: number | null;
  simulated: Estimate | null;
  /** Where the prediction has to lie to agree: the 99.5 % interval of the mean over the runs. */
  interval: [number, number] | null;
  outcome: 'agrees' | 'disagrees' | 'unsettled' | 'measured' | 'does_not_apply';
  /** Of which system, or why the formula does not apply. */
  note: string;
}

/** The same experiment under several seeds. */
export interface Replicated {
  /** First and last seed. */
  seeds: [number, number];
  runs: { seed: number; digest: string; state: State | null; worst_state: State | null }[];
  /** Figures of the report, by dotted path. */
  summary: { [path: string]: Estimate };
  /** How the runs ended; `unresolved` are those too short to tell. */
  states: { STABLE: Proportion; DEGRADED: Proportion; COLLAPSED: Proportion; unresolved: Proportion };
  /** Series on one grid of times: mean over the runs and 95 % confidence band, each moment for itself. NaN is undefined at that moment. */
  band: { time: Float64Array; columns: { [name: string]: { mean: Float64Array; low: Float64Array; high: Float64Array } } };
  /** What the baseline came to with the same seeds; null without one. */
  baseline: { [path: string]: Estimate } | null;
  /** Against a baseline run with the same seeds: this minus the baseline, paired by seed. */
  paired: { [path: string]: Estimate } | null;
}

/** What a sweep varies. */
export interface SweepInfo {
  /** The same for the same profile, fields, seeds and engine. */
  id: string;
  /** Combinations of values. */
  points: number;
  /** Runs of each point. */
  seeds: number;
  cells: number;
  axes: { path: string; title: string; unit: string; values: number[] }[];
  columns: { name: string; unit: string; about: string }[];
}

/** What all runs of a sweep cost together; the memory is that of the hungriest. */
export interface SweepCost { events: number; memory_bytes: number }

/** A figure of each point, by the number of the point; NaN is undefined. */
export interface SweepFigure { mean: Float64Array; low: Float64Array; high: Float64Array; min: Float64Array; max: Float64Array; runs: Float64Array }

/** A share of the runs of each point, by the number of the point; NaN is undefined. */
export interface SweepShare { share: Float64Array; low: Float64Array; high: Float64Array; runs: Float64Array; half: Float64Array }

/** What can be asked of a run: its name, and what a run does of which the answer is yes. */
export interface EdgeQuestion { name: string; words: string }

/** What a search has tried, in ascending order: the share of runs that tip, with its 95 % interval. */
export interface EdgeTried { value: Float64Array; share: Float64Array; low: Float64Array; high: Float64Array; runs: Float64Array }

/** Where the edge lies. */
export type EdgePlace =
  | { kind: "never"; value: number; highest: Proportion }
  | { kind: "always"; value: number; lowest: Proportion }
  | { kind: "between"; from: number; to: number; above: boolean }
  | { kind: "at"; value: number; ci95: number; width_10_to_90: number; above: boolean }
  | { kind: "unclear" };

/** What a search has come to. */
export interface EdgeFound { path: string; question: string; edge: EdgePlace; back_at: number | null; runs: number; sentence: string }

/** A mean over seeds with half the width of its 95 % interval. */
export interface MeanOverSeeds { mean: number | null; ci95: number | null }

/** A figure at one value: on the way up, on the way down, and the difference down − up within seeds. */
export interface BothWays { up: MeanOverSeeds; down: MeanOverSeeds; difference: MeanOverSeeds }

/** A field up and down again, by value in ascending order. */
export interface Hysteresis {
  path: string;
  question: string;
  edges: { up: EdgePlace | null; down: EdgePlace | null };
  /** Values at which goodput is another on the way down, beyond the 95 % interval of the difference. */
  remembered: number[];
  sentence: string;
  levels: { value: number; goodput_per_second: BothWays; error_rate: BothWays; "queue.mean": BothWays; "latency_seconds.p95": BothWays; share: { up: Proportion | null; down: Proportion | null } }[];
}
