/** Light or dark: as the system has it, or as the reader has chosen. */

import { refresh } from './state.js';

export const THEMES = ['system', 'light', 'dark'];

let chosen = localStorage.getItem('theme') ?? 'system';

export function theme() {
  return chosen;
}

/** @param {string} name one of `THEMES` */
export function chooseTheme(name) {
  chosen = THEMES.includes(name) ? name : 'system';
  localStorage.setItem('theme', chosen);
  apply();
  refresh();
}

function apply() {
  if (chosen === 'system') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = chosen;
}

/** The colour that a custom property stands for at present, for drawing on a canvas. */
export function colour(property) {
  const probe = document.createElement('span');
  probe.className = `probe ${property}`;
  document.body.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}

apply();
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', refresh);
