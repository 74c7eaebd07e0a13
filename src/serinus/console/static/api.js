/** The way to the admin API and to the console's own session, on the origin that served this page. */

import { language } from './words.js';

const PATIENCE_MS = 8_000;

/** What the API refused, and why: `kind` is the stable part of the problem's type, or "unreachable". */
export class Problem extends Error {
  constructor(kind, status, detail) {
    super(typeof detail === 'string' ? detail : describe(detail));
    this.kind = kind;
    this.status = status;
  }
}

/** The list of what is wrong with an input, as sentences. */
function describe(detail) {
  if (!Array.isArray(detail)) return '';
  return detail.map((each) => `${(each.loc ?? []).slice(1).join('.')}: ${each.msg}`).join('\n');
}

/** @param {Response} response */
export async function problemOf(response) {
  const body = await response.json().catch(() => ({}));
  const kind = (body.type ?? '').replace('urn:serinus:problem:', '') || `http-${response.status}`;
  return new Problem(kind, response.status, body.detail ?? response.statusText);
}

/**
 * @param {string} url relative to the page
 * @param {{method?: string, body?: unknown, seen?: string | number}} [order] `seen`: what the change is made to
 */
async function send(url, { method = 'GET', body, seen } = {}) {
  const headers = method === 'GET' ? {} : { 'X-Serinus-Console': '1', 'Content-Type': 'application/json' };
  if (seen !== undefined) headers['If-Match'] = `"${seen}"`;
  const content = body === undefined ? undefined : JSON.stringify(body);
  let response;
  try {
    response = await fetch(url, { method, headers, body: content, signal: AbortSignal.timeout(PATIENCE_MS) });
  } catch {
    throw new Problem('unreachable', 0, '');
  }
  if (!response.ok) throw await problemOf(response);
  return response.status === 204 ? null : response.json();
}

/** The address of a part of the admin API; parameters without a value are left out. */
export function address(path, parameters = {}) {
  const given = Object.entries({ ...parameters, language: language() }).filter(([, value]) => value !== null && value !== undefined);
  return `admin/canary${path}?${new URLSearchParams(given)}`;
}

export function read(path, parameters) {
  return send(address(path, parameters));
}

/** @param {{seen?: string | number}} [conditions] */
export function order(path, body, conditions = {}) {
  return send(address(path), { method: 'POST', body, ...conditions });
}

/** `read` tells who is logged in, or null. */
export const session = {
  read: () => send('console/session'),
  open: (token) => send('console/session', { method: 'POST', body: { token } }),
  close: () => send('console/session', { method: 'DELETE' }),
};
