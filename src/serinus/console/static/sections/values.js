/** What the service itself measures of its business, by version. */

import { count, figure } from '../figures.js';
import { state } from '../state.js';
import { html, nothing } from '../vendor/lit-html/lit-html.js';
import { t } from '../words.js';

export function values() {
  const found = state.metrics?.comparison.values ?? [];
  if (!found.length) return nothing;
  return html`<section class="card" aria-labelledby="values">
    <h2 id="values">${t('values.title', { window: t(`window.${state.window}`) })}</h2>
    <div class="scroll" role="group" tabindex="0" aria-labelledby="values">
      <table class="stacked">
        <thead><tr><th scope="col">${t('column.what')}</th><th scope="col">CANARY</th><th scope="col">LEGACY</th><th scope="col">${t('column.difference')}</th></tr></thead>
        <tbody>${found.map(row)}</tbody>
      </table>
    </div>
    <p class="quiet">${t('values.note')}</p>
  </section>`;
}

function row(value) {
  return html`<tr>
    <th scope="row">${value.name}</th>
    ${mean('canary', value.canary_mean, value.canary_count)} ${mean('legacy', value.legacy_mean, value.legacy_count)}
    <td class="number" data-label=${t('column.difference')}>${figure(value.difference, true)} ${interval(value.interval)}</td>
  </tr>`;
}

function mean(version, value, of) {
  return html`<td class="number" data-label=${version.toUpperCase()}><span class="version ${version}">${figure(value)}</span> <span class="quiet">${t('values.of', { count: count(of) })}</span></td>`;
}

/** Whether the difference is more than chance, said beside the interval. */
function interval(bounds) {
  if (!bounds) return html`<span class="quiet">${t('values.too_few')}</span>`;
  const [low, high] = bounds;
  const told = low > 0 ? 'values.higher' : high < 0 ? 'values.lower' : 'values.alike';
  return html`<span class="quiet">(${figure(low, true)} … ${figure(high, true)})</span> ${t(told)}`;
}
