// Runs the cells of sweeps: in workers of the page, one for each processor, else in slices on the page's own thread.

/** @typedef {import('./sweeper.js').Plan} Plan */
/** @typedef {import('./sweeper.js').ToSweeper} ToSweeper */
/** @typedef {import('./sweeper.js').FromSweeper} FromSweeper */
/** @typedef {InstanceType<import('./engine.js').Lab['Sweep']>} Sweep */
/** @typedef {ReturnType<typeof pool>} Pool */

const MOST_WORKERS = 8;
/** A worker that has not made its plan by then is not waited for. */
const READY_MS = 20_000;
/** Cells that a worker gets at a time: few, so that the last of them end at about the same time. */
const BATCH = 16;

/** @typedef {{ worker: Worker, cells: Uint32Array, plan: Plan | null, answer: (() => void) | null }} Hand */
/** What goes on: the sweep that takes the rows in, and how it ends. @typedef {{ sweep: Sweep, onRows: () => void, done: (ended: 'finished' | 'paused') => void, failed: (error: Error) => void }} Work */

const NONE = new Uint32Array();

export function pool() {
  /** @type {Uint32Array} */
  let todo = NONE;
  let next = 0;
  let stopped = false;
  /** @type {Set<Hand>} */
  const hands = new Set();
  /** @type {Work | null} */
  let work = null;
  /** What is run on the page's own thread. @type {Sweep | null} */
  let alone = null;

  /** @param {Hand} hand @param {ToSweeper} message */
  const tell = (hand, message) => hand.worker.postMessage(message);

  /** @param {Hand} hand */
  function feed(hand) {
    // As many as make the work of all about equal.
    const fair = Math.ceil((todo.length - next) / (2 * Math.max(hands.size, 1)));
    hand.cells = stopped ? NONE : todo.slice(next, next + Math.min(BATCH, Math.max(fair, 1)));
    next += hand.cells.length;
    if (hand.cells.length) tell(hand, { kind: 'cells', cells: hand.cells });
    else if ([...hands].every((one) => one.cells.length === 0)) {
      const ended = work;
      work = null;
      ended?.done(stopped ? 'paused' : 'finished');
    }
  }

  /** A worker is lost; its cells are for another, if there is one. @param {Hand} hand @param {string} message */
  function lose(hand, message) {
    if (!hands.delete(hand)) return;
    hand.worker.terminate();
    hand.answer?.();
    if (!work) return;
    if (hands.size) {
      // Rows that have come are not missing any more.
      const open = new Set(work.sweep.missing());
      todo = new Uint32Array([...hand.cells.filter((cell) => open.has(cell)), ...todo.slice(next)]);
      next = 0;
      for (const one of hands) if (one.cells.length === 0) feed(one);
      return;
    }
    const { failed } = work;
    work = null;
    failed(new Error(message));
  }

  /** A worker that has yet to be told what to do; none where the page may have none. @returns {Hand | null} */
  function hire() {
    /** @type {Worker} */
    let worker;
    try {
      worker = new Worker(new URL('./sweeper.js', import.meta.url), { type: 'module' });
    } catch {
      return null;
    }
    /** @type {Hand} */
    const hand = { worker, cells: NONE, plan: null, answer: null };
    hands.add(hand);
    worker.addEventListener('error', (event) => {
      event.preventDefault();
      lose(hand, event.message || 'a worker failed');
    });
    worker.addEventListener('message', ({ data }) => {
      const message = /** @type {FromSweeper} */ (data);
      if (message.kind === 'rows') {
        // What comes after the work has been given up is of no use to anybody.
        if (!work) return;
        for (const row of message.rows) work.sweep.add(row);
        work.onRows();
      } else if (message.kind === 'ended') {
        if (work) feed(hand);
      } else if (message.kind === 'failed') lose(hand, message.message);
      else hand.answer?.();
    });
    return hand;
  }

  /** Has a worker make the plan. @param {Hand} hand @param {Plan} plan @returns {Promise<void>} */
  function prepare(hand, plan) {
    if (hand.plan === plan) return Promise.resolve();
    return new Promise((resolve) => {
      const late = setTimeout(() => lose(hand, 'a worker did not answer'), READY_MS);
      hand.answer = () => {
        clearTimeout(late);
        hand.answer = null;
        hand.plan = plan;
        resolve();
      };
      tell(hand, { kind: 'plan', plan });
    });
  }

  return {
    /** How many workers there are; 0 is the page's own thread. */
    workers: () => hands.size,

    /**
     * Goes on with what is missing of a sweep, one at a time. @param {Sweep} sweep takes the rows in @param {Plan} plan the same plan; each its own object
     * @param {() => void} onRows is called when rows have been taken in
     * @returns {Promise<'finished' | 'paused'>} rejects if a run fails; what has ended is kept
     */
    async go(sweep, plan, onRows) {
      stopped = false;
      todo = sweep.missing();
      next = 0;
      if (todo.length === 0) return 'finished';
      const most = Math.min(Math.max(navigator.hardwareConcurrency || 1, 1), MOST_WORKERS, todo.length);
      while (hands.size < most && hire());
      await Promise.all([...hands].map((hand) => prepare(hand, plan)));
      if (stopped) return 'paused';
      if (hands.size === 0) {
        alone = sweep;
        try {
          return await sweep.run(todo, (row) => {
            sweep.add(row);
            onRows();
          });
        } finally {
          alone = null;
        }
      }
      return new Promise((done, failed) => {
        work = { sweep, onRows, done, failed };
        for (const hand of [...hands]) if (hand.cells.length === 0) feed(hand);
      });
    },

    /** Stops within a slice; the runs under way are lost, what has ended is kept. */
    stop() {
      stopped = true;
      alone?.pause();
      for (const hand of hands) tell(hand, { kind: 'stop' });
    },

    /** Lets the workers go. */
    close() {
      stopped = true;
      alone?.pause();
      const given = work;
      work = null;
      for (const { worker } of hands) worker.terminate();
      hands.clear();
      given?.done('paused');
    },
  };
}
