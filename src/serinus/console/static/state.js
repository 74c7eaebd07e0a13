/** What the page knows; whoever changes it by `update` has it shown. */

/**
 * @typedef {object} State
 * @property {object | null | undefined} session who is logged in; null: nobody; undefined: not known yet
 * @property {boolean} ended whether a session has ended without the reader's leave
 * @property {object | null} status the admin API's status
 * @property {object[]} events the oldest first
 * @property {boolean} eventsComplete whether there are none before the first
 * @property {object | null} timeline
 * @property {object | null} metrics
 * @property {string} window of the curves and of the endpoints
 * @property {string | null} endpoint whose curves are shown; null: all
 * @property {string} drawn of which window and endpoint the timeline is
 * @property {'connecting' | 'live' | 'lost'} connection
 * @property {number | null} heardAt when the last answer came, in ms
 * @property {string | null} fault the kind of the last problem
 */

/** @type {State} */
export const state = {
  session: undefined,
  ended: false,
  status: null,
  events: [],
  eventsComplete: false,
  timeline: null,
  metrics: null,
  window: '15m',
  endpoint: null,
  drawn: '',
  connection: 'connecting',
  heardAt: null,
  fault: null,
};

const listeners = new Set();
let waiting = false;

/** @param {Partial<State>} changes */
export function update(changes) {
  Object.assign(state, changes);
  refresh();
}

/** Show what there is, once for all changes until the next frame; a hidden page has no frames, and is drawn as well. */
export function refresh() {
  if (waiting) return;
  waiting = true;
  const show = () => {
    waiting = false;
    listeners.forEach((listener) => listener(state));
  };
  document.hidden ? setTimeout(show) : requestAnimationFrame(show);
}

/** @param {(state: State) => void} listener */
export function onChange(listener) {
  listeners.add(listener);
}

const RANKS = ['viewer', 'operator', 'approver', 'admin'];

/** Whether whoever is logged in may do what needs `role`. */
export function may(role) {
  return RANKS.indexOf(state.session?.role) >= RANKS.indexOf(role);
}
