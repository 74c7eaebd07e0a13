/** Keeps the state in step with the service: events as they happen, figures every few seconds. */

import { read, session } from './api.js';
import { state, update } from './state.js';
import { follow } from './stream.js';

const STATUS_MS = 2_000;
const HIDDEN_MS = 10_000;
const AGAIN_MS = 1_000;
const FIRST_EVENTS = 200;

let stopped = new AbortController();
let streaming = false;
let reading = false;
let figuresAt = 0; // 0: not yet

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Begin for whoever has just logged in, or begin again in another language. */
export function start() {
  stopped.abort();
  stopped = new AbortController();
  const { signal } = stopped;
  figuresAt = 0;
  update({ ended: false, events: [], eventsComplete: false, connection: 'connecting', fault: null });
  void poll(signal);
  void stream(signal);
}

/** End, because the reader has left, or because the session has ended by itself. */
export function stop(ended = false) {
  stopped.abort();
  update({ session: null, ended, status: null, events: [], timeline: null, metrics: null, connection: 'connecting', fault: null });
}

/** Fetch the status now: something happened, or was ordered. */
export async function readStatus() {
  try {
    heard({ status: await read('/status'), fault: null });
  } catch (problem) {
    await failed(problem);
  }
}

/** Curves and endpoints, for the window and the endpoint that are chosen. */
export async function readFigures() {
  if (reading) return;
  reading = true;
  const { window, endpoint } = state;
  try {
    const [timeline, metrics] = await Promise.all([
      read('/timeline', { window, endpoint }),
      read('/metrics', { window }),
    ]);
    figuresAt = performance.now();
    heard({ timeline, metrics, drawn: `${window} ${endpoint}` });
  } catch (problem) {
    await failed(problem);
  } finally {
    reading = false;
  }
  if (window !== state.window || endpoint !== state.endpoint) await readFigures();
}

/** The events before the first one that is known. */
export async function readOlder() {
  const first = state.events[0]?.sequence ?? 1;
  const after = Math.max(0, first - 1 - FIRST_EVENTS);
  const page = await read('/events', { after, limit: FIRST_EVENTS });
  const older = page.events.filter((event) => event.sequence < first);
  update({ events: [...older, ...state.events], eventsComplete: after === 0 });
}

function heard(changes) {
  update({ ...changes, heardAt: Date.now(), connection: streaming ? 'live' : state.connection });
}

async function failed(problem) {
  if (stopped.signal.aborted) return;
  if (problem.status === 401) {
    stop(true);
    return;
  }
  update({ connection: 'lost', fault: problem.kind ?? 'unreachable' });
}

async function poll(signal) {
  while (!signal.aborted) {
    await readStatus();
    if (!figuresAt || performance.now() - figuresAt >= freshFor()) await readFigures();
    await pause(document.hidden ? HIDDEN_MS : STATUS_MS);
  }
}

/** Curves are read again when a point of theirs has moved on. */
function freshFor() {
  const resolution = state.timeline?.resolution_seconds ?? 0;
  return Math.min(30_000, (1_000 * resolution) / 2);
}

async function stream(signal) {
  while (!signal.aborted) {
    try {
      await readRecent();
      await follow(state.events.at(-1)?.sequence ?? 0, { opened, happened, signal });
    } catch (problem) {
      if (!signal.aborted) await lost(problem);
    }
    streaming = false;
    if (!signal.aborted) await pause(AGAIN_MS);
  }
}

/** What happened before the stream is open, so that nothing between is missed. */
async function readRecent() {
  const last = state.events.at(-1)?.sequence;
  const page = await read('/events', last === undefined ? { limit: FIRST_EVENTS } : { after: last, limit: 1_000 });
  if (last === undefined) update({ eventsComplete: page.events.length < FIRST_EVENTS });
  add(page.events);
}

function opened() {
  streaming = true;
  update({ connection: 'live', heardAt: Date.now() });
  void readStatus();
}

function happened(event) {
  add([event]);
  void readStatus();
}

function add(events) {
  const last = state.events.at(-1)?.sequence ?? 0;
  const fresh = events.filter((event) => event.sequence > last);
  if (fresh.length) update({ events: [...state.events, ...fresh] });
}

/** A stream also ends with the session: ask before trying again. */
async function lost(problem) {
  streaming = false;
  await failed(problem);
  const found = await session.read().catch(failed);
  if (found === null) stop(true);
}
