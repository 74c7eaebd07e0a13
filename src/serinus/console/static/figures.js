/** Numbers and times as people read them. Rates are fractions, shares are percentages, latencies milliseconds. */

import { glue, language, t } from './words.js';

export const UNKNOWN = '–';

const UNITS = [['day', 86_400], ['hour', 3_600], ['minute', 60], ['second', 1]];

/** @param {number | null | undefined} value */
function known(value) {
  return value !== null && value !== undefined && Number.isFinite(value);
}

function decimals(value, digits) {
  return new Intl.NumberFormat(language(), { minimumFractionDigits: digits, maximumFractionDigits: digits }).format(value);
}

export function count(value) {
  return known(value) ? new Intl.NumberFormat(language(), { maximumFractionDigits: 0 }).format(value) : UNKNOWN;
}

/** A fraction as a percentage: 0.012 is "1.20 %". */
export function percent(value, digits = 2) {
  return known(value) ? glue(`${decimals(value * 100, digits)} %`) : UNKNOWN;
}

/** A share that is a percentage already. */
export function share(value) {
  if (!known(value)) return UNKNOWN;
  return glue(`${new Intl.NumberFormat(language(), { maximumFractionDigits: 1 }).format(value)} %`);
}

function signed(value, text) {
  return value > 0 ? `+${text}` : text;
}

/** A difference of fractions: 0.005 is "+0.50 pp". */
export function points(value) {
  return known(value) ? glue(`${signed(value, decimals(value * 100, 2))} ${t('unit.points')}`) : UNKNOWN;
}

/** A relative change: 0.089 is "+8.9 %". */
export function increase(value) {
  return known(value) ? glue(`${signed(value, decimals(value * 100, 1))} %`) : UNKNOWN;
}

/** A number without a unit, to four digits. */
export function figure(value, isDifference = false) {
  if (!known(value)) return UNKNOWN;
  const text = new Intl.NumberFormat(language(), { maximumSignificantDigits: 4 }).format(value);
  return isDifference ? signed(value, text) : text;
}

export function milliseconds(value) {
  if (!known(value)) return UNKNOWN;
  return value >= 10_000 ? `${decimals(value / 1_000, 1)} s` : `${decimals(value, value > 0 && value < 10 ? 1 : 0)} ms`;
}

/** Seconds in the two largest units. */
export function duration(seconds) {
  if (!known(seconds)) return UNKNOWN;
  let rest = Math.max(0, Math.round(seconds));
  const parts = UNITS.map(([name, length]) => {
    const whole = Math.floor(rest / length);
    rest -= whole * length;
    return [whole, name];
  });
  const first = Math.max(0, parts.findIndex(([whole]) => whole > 0));
  const shown = parts.slice(first, first + 2).filter(([whole]) => whole > 0);
  if (!shown.length) return `0${t('unit.gap')}${t('unit.second')}`;
  return glue(shown.map(([whole, name]) => `${whole}${t('unit.gap')}${t(`unit.${name}`)}`).join(' '));
}

/** The time of day, here; with the date when it is not today. */
export function time(instant) {
  if (!instant) return UNKNOWN;
  const when = new Date(instant);
  const clock = { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' };
  const today = when.toDateString() === new Date().toDateString();
  return new Intl.DateTimeFormat(language(), today ? clock : { month: 'short', day: 'numeric', ...clock }).format(when);
}

/** From `instant` until `now`, both ISO 8601. */
export function since(instant, now) {
  return duration((Date.parse(now) - Date.parse(instant)) / 1_000);
}
