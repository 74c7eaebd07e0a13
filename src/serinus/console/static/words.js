/** What the console says, in the language that the reader has chosen. */

export const LANGUAGES = { en: 'English', ko: '한국어' };

/** @type {Record<string, string>} */
let words = {};
let chosen = 'en';

/** The language kept from last time, or else the browser's own, or else English. */
export function preferredLanguage() {
  const known = (tag) => Object.hasOwn(LANGUAGES, tag);
  const wished = [localStorage.getItem('language'), ...navigator.languages].map((tag) => (tag ?? '').slice(0, 2));
  return wished.find(known) ?? 'en';
}

/** @param {string} language */
export async function useLanguage(language) {
  const response = await fetch(`console/words/${language}.json`);
  if (!response.ok) throw new Error(`no words for ${language}`);
  words = await response.json();
  chosen = language;
  localStorage.setItem('language', language);
  document.documentElement.lang = language;
}

export function language() {
  return chosen;
}

/** Whether there is a word for `key`: names that a plan's author chose have none. */
export function has(key) {
  return Object.hasOwn(words, key);
}

/**
 * The words of `key`, with `{placeholders}` filled in.
 * @param {string} key
 * @param {Record<string, string | number>} [values]
 */
export function t(key, values = {}) {
  const text = words[key] ?? key;
  return glue(text.replace(/\{(\w+)\}/g, (_, name) => String(values[name] ?? '–')));
}

/** No line breaks between a number and its unit. */
export function glue(text) {
  return text.replace(/(\d) (?=(?:%p?|ms|s|min|h|d|pp)(?![\p{L}\d]))/gu, '$1\u00a0');
}
