// Runs the cells of a sweep: in workers of the page, one for each processor, else in slices on the page's own thread.

/** @typedef {import('./sweeper.js').Plan} Plan */
/** @typedef {import('./sweeper.js').ToSweeper} ToSweeper */
/** @typedef {import('./sweeper.js').FromSweeper} FromSweeper */
/** @typedef {InstanceType<import('./engine.js').Lab['Sweep']>} Sweep */

const MOST_WORKERS = 8;
/** A worker that has not made its plan by then is not waited for. */
const READY_MS = 20_000;
/** Cells that a worker gets at a time: few, so that the last of them end at about the same time. */
const BATCH = 16;

/** @typedef {{ worker: Worker, cells: Uint32Array, ready: boolean }} Hand */

/**
 * @param {Sweep} sweep takes the rows in
 * @param {Plan} plan the same plan
 * @param {() => void} onRows is called when rows have been taken in
 */
export function pool(sweep, plan, onRows) {
  /** @type {Uint32Array} */
  let todo = new Uint32Array();
  let next = 0;
  let stopped = false;
  /** @type {Set<Hand>} */
  const hands = new Set();
  /** What ends the present stretch. @type {{ done: (ended: 'finished' | 'paused') => void, failed: (error: Error) => void } | null} */
  let waiting = null;

  /** @param {Hand} hand @param {ToSweeper} message */
  const tell = (hand, message) => hand.worker.postMessage(message);

  /** @param {Hand} hand */
  function feed(hand) {
    hand.cells = stopped ? new Uint32Array() : todo.slice(next, next + BATCH);
    next += hand.cells.length;
    if (hand.cells.length) tell(hand, { kind: 'cells', cells: hand.cells });
    else if ([...hands].every((one) => one.cells.length === 0)) end();
  }

  function end() {
    const { done } = waiting ?? {};
    waiting = null;
    if (!stopped) close();
    done?.(stopped ? 'paused' : 'finished');
  }

  function close() {
    for (const { worker } of hands) worker.terminate();
    hands.clear();
  }

  /** A worker is lost; its cells are for another, if there is one. @param {Hand} hand @param {string} message */
  function lose(hand, message) {
    if (!hands.delete(hand)) return;
    hand.worker.terminate();
    if (!waiting) return;
    if (hands.size) {
      // Rows that have come are not missing any more.
      const open = new Set(sweep.missing());
      todo = new Uint32Array([...hand.cells.filter((cell) => open.has(cell)), ...todo.slice(next)]);
      next = 0;
      for (const one of hands) if (one.ready && one.cells.length === 0) feed(one);
      return;
    }
    const { failed } = waiting;
    waiting = null;
    failed(new Error(message));
  }

  /** Workers that have made the plan; none where the page may have none. @returns {Promise<void>} */
  async function hire() {
    const most = Math.min(Math.max(navigator.hardwareConcurrency || 1, 1), MOST_WORKERS, Math.ceil(todo.length / BATCH));
    await Promise.all(Array.from({ length: most - hands.size }, () => new Promise((resolve) => {
      /** @type {Worker} */
      let worker;
      try {
        worker = new Worker(new URL('./sweeper.js', import.meta.url), { type: 'module' });
      } catch {
        resolve(undefined);
        return;
      }
      const hand = { worker, cells: new Uint32Array(), ready: false };
      hands.add(hand);
      const late = setTimeout(() => { if (!hand.ready) lose(hand, 'it did not answer'); resolve(undefined); }, READY_MS);
      worker.addEventListener('error', (event) => {
        event.preventDefault();
        lose(hand, event.message || 'a worker failed');
        resolve(undefined);
      });
      worker.addEventListener('message', ({ data }) => {
        const message = /** @type {FromSweeper} */ (data);
        if (message.kind === 'rows') {
          for (const row of message.rows) sweep.add(row);
          onRows();
        } else if (message.kind === 'ended') feed(hand);
        else if (message.kind === 'failed') {
          lose(hand, message.message);
          resolve(undefined);
        } else {
          clearTimeout(late);
          hand.ready = true;
          resolve(undefined);
        }
      });
      tell(hand, { kind: 'plan', plan });
    })));
  }

  return {
    /** How many workers there are; 0 is the page's own thread. */
    workers: () => hands.size,

    /** Goes on with what is missing. @returns {Promise<'finished' | 'paused'>} rejects if a run fails; what has ended is kept */
    async go() {
      stopped = false;
      todo = sweep.missing();
      next = 0;
      if (todo.length === 0) return 'finished';
      await hire();
      if (stopped) return 'paused';
      if (hands.size === 0) {
        return sweep.run(todo, (row) => {
          sweep.add(row);
          onRows();
        });
      }
      return new Promise((done, failed) => {
        waiting = { done, failed };
        for (const hand of [...hands]) feed(hand);
      });
    },

    /** Stops within a slice; the runs under way are lost, what has ended is kept. */
    stop() {
      stopped = true;
      sweep.pause();
      for (const hand of hands) tell(hand, { kind: 'stop' });
    },

    /** Lets the workers go. */
    close() {
      stopped = true;
      close();
      sweep.pause();
      waiting?.done('paused');
      waiting = null;
    },
  };
}
