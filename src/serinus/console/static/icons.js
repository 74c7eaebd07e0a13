/** Signs that stand beside words and colours, never instead of them. */

import { html, svg } from './vendor/lit-html/lit-html.js';

const SHAPES = {
  fine: svg`<circle cx="12" cy="12" r="9" /><path d="m8 12.500 2.800 2.800L16 9.500" />`,
  hurt: svg`<path d="M8.300 2.500h7.400l5.800 5.800v7.400l-5.800 5.800H8.300l-5.800-5.800V8.300z" /><path d="M12 7v6M12 16.500v.2" />`,
  warn: svg`<path d="M12 3.500 22 20.500H2z" /><path d="M12 10v5M12 17.800v.2" />`,
  wait: svg`<circle cx="12" cy="12" r="9" /><path d="M12 7v5.500l3.500 2" />`,
  back: svg`<path d="M9 6 4 11l5 5" /><path d="M4 11h10a6 6 0 0 1 6 6v1" />`,
  calm: svg`<circle cx="12" cy="12" r="9" /><path d="M8 12h8" />`,
  unknown: svg`<circle cx="12" cy="12" r="9" /><path d="M9.500 9.500a2.500 2.500 0 1 1 3.600 2.300c-.8.400-1.100.9-1.100 1.700M12 16.800v.2" />`,
  stop: svg`<rect x="5" y="5" width="14" height="14" rx="2" />`,
  up: svg`<path d="M12 19V5M6 11l6-6 6 6" />`,
  person: svg`<circle cx="12" cy="8" r="4" /><path d="M4 21c1-4.500 4-6.500 8-6.500s7 2 8 6.500" />`,
  pause: svg`<path d="M9 5v14M15 5v14" />`,
  dot: svg`<circle cx="12" cy="12" r="4" />`,
};

/** @param {keyof typeof SHAPES} name */
export function icon(name) {
  return html`<svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">${SHAPES[name] ?? SHAPES.dot}</svg>`;
}

export const VERDICT_ICONS = { pass: 'fine', fail: 'hurt', inconclusive: 'wait', error: 'unknown' };
