/** One plot of both versions over time, with intervals as bands and events as marks; uPlot draws. */

import { colour, theme } from './theme.js';
import uPlot from './vendor/uplot/uPlot.esm.js';
import { language } from './words.js';

const HEIGHT = 168;
const APART = 12;
const together = uPlot.sync('curves');

/**
 * @typedef {object} Curve
 * @property {(version: object) => number | null} value
 * @property {(version: object) => [number, number] | null} [interval]
 * @property {(value: number) => string} write
 */

export class Plot {
  /**
   * @param {HTMLElement} place
   * @param {Curve} curve
   * @param {(index: number | null) => void} pointed at which point of time the reader looks
   */
  constructor(place, curve, pointed) {
    this.place = place;
    this.curve = curve;
    this.pointed = pointed;
    this.marks = [];
    this.drawn = '';
    new ResizeObserver(() => this.fit()).observe(place);
  }

  /** @param {object[]} points of the timeline @param {{at: number, sign: string}[]} marks in epoch seconds */
  show(points, marks) {
    this.marks = marks;
    const look = [language(), theme(), matchMedia('(prefers-color-scheme: dark)').matches].join();
    if (!this.plot || this.drawn !== look) this.build(look);
    this.plot.setData(this.columns(points));
  }

  build(look) {
    this.plot?.destroy();
    this.drawn = look;
    this.colours = Object.fromEntries(['canary', 'legacy', 'canary-band', 'legacy-band', 'grid', 'quiet', 'mark'].map((name) => [name, colour(name)]));
    this.plot = new uPlot(this.options(), [[], [], [], [], [], [], []], this.place);
  }

  fit() {
    const width = this.place.clientWidth;
    if (this.plot && width && Math.abs(width - this.plot.width) > 1) this.plot.setSize({ width, height: HEIGHT });
  }

  columns(points) {
    const { value, interval } = this.curve;
    const of = (version, read) => points.map((point) => read(point[version]));
    const bound = (version, side) => of(version, (measured) => interval?.(measured)?.[side] ?? null);
    return [
      points.map((point) => Date.parse(point.at) / 1_000),
      bound('legacy', 0), bound('legacy', 1), bound('canary', 0), bound('canary', 1),
      of('legacy', value), of('canary', value),
    ];
  }

  options() {
    const { colours, curve } = this;
    const bound = { stroke: 'transparent', width: 0, points: { show: false } };
    const axis = { stroke: colours.quiet, grid: { stroke: colours.grid, width: 1 }, ticks: { show: false }, font: '12px system-ui, sans-serif' };
    return {
      width: Math.max(200, this.place.clientWidth),
      height: HEIGHT,
      padding: [14, 10, 0, 0],
      legend: { show: false },
      cursor: { sync: { key: together.key }, drag: { x: false, y: false }, points: { size: 7 } },
      scales: { y: { range: (_plot, _low, high) => [0, high > 0 ? high * 1.1 : 1] } },
      axes: [
        { ...axis, size: 30, values: (plot, ticks) => clocks(plot, ticks), space: 70 },
        { ...axis, size: 64, values: (_plot, ticks) => ticks.map(curve.write) },
      ],
      series: [
        {}, bound, bound, bound, bound,
        { stroke: colours.legacy, width: 1.5, dash: [5, 4], points: { show: false } },
        { stroke: colours.canary, width: 2.25, points: { show: false } },
      ],
      bands: [
        { series: [2, 1], fill: colours['legacy-band'] },
        { series: [4, 3], fill: colours['canary-band'] },
      ],
      hooks: {
        draw: [(plot) => this.drawMarks(plot)],
        setCursor: [(plot) => this.pointed(plot.cursor.idx ?? null)],
      },
    };
  }

  drawMarks(plot) {
    const { ctx, bbox } = plot;
    const shown = this.marks.filter(({ at }) => at >= plot.scales.x.min && at <= plot.scales.x.max);
    ctx.save();
    ctx.strokeStyle = ctx.fillStyle = this.colours.mark;
    ctx.lineWidth = devicePixelRatio;
    ctx.font = `${11 * devicePixelRatio}px system-ui, sans-serif`;
    ctx.textAlign = 'center';
    ctx.setLineDash([2 * devicePixelRatio, 3 * devicePixelRatio]);
    let before = -Infinity;
    for (const { at, sign } of shown) {
      const x = Math.round(plot.valToPos(at, 'x', true)) + 0.5;
      ctx.beginPath();
      ctx.moveTo(x, bbox.top);
      ctx.lineTo(x, bbox.top + bbox.height);
      ctx.stroke();
      if (x - before < APART * devicePixelRatio) continue; // one sign stands for several at once
      ctx.fillText(sign, x, bbox.top - 3 * devicePixelRatio);
      before = x;
    }
    ctx.restore();
  }
}

/** Times of day below the curves, or dates where they are a day apart. */
function clocks(plot, ticks) {
  const span = plot.scales.x.max - plot.scales.x.min;
  const format = span > 172_800 ? { month: 'short', day: 'numeric' } : { hour: '2-digit', minute: '2-digit', hourCycle: 'h23', ...(span <= 300 ? { second: '2-digit' } : {}) };
  const write = new Intl.DateTimeFormat(language(), format);
  return ticks.map((tick) => write.format(new Date(tick * 1_000)));
}
