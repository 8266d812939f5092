import { mkdir, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import * as echarts from 'echarts';
import { RATE } from './comparison.js';
import type { Figure } from './figure.js';
import { type Result, readResult } from './result.js';

const SCENARIOS = ['insert', 'flat', 'diamonds'];
const WIDTH = 860;
const MARGIN = 12;
const TITLE_HEIGHT = 46;
const PANEL_GAP = 24;
const NOTE_STEP = 18;
const BAR_STEP = 30;
const NAMES_WIDTH = 210;
const FIGURES_WIDTH = 110;

/** Mid greys and mid tones keep a contrast of at least 3 to 1 with white and with GitHub's dark background alike. */
const TEXT = '#7d8590';
const OURS = '#2f81f7';
const FLOOR = '#8b949e';
const PEER = '#b0762c';

/** Draws the rates of insert, flat and diamonds, as far as they have been measured. Rejects if none has. */
export async function writeChart(folder: URL, file: URL): Promise<void> {
  const results = await Promise.all(SCENARIOS.map((name) => readResult(folder, name)));
  const measured = results.filter((result) => result !== undefined);
  if (measured.length === 0) {
    throw new Error(
      `${fileURLToPath(folder)} has no results of ${SCENARIOS.join(', ')}; measure them first`,
    );
  }
  await mkdir(new URL('.', file), { recursive: true });
  await writeFile(file, `${toSvg(measured)}\n`);
  console.log(`Drawn to ${fileURLToPath(file)}`);
}

interface Panel {
  readonly result: Result;
  /** The fastest first. */
  readonly figures: readonly Figure[];
  readonly top: number;
  readonly height: number;
}

function toSvg(results: readonly Result[]): string {
  const panels = layOut(results);
  const last = panels.at(-1);
  const bottom = (last ? last.top + last.height : 0) + PANEL_GAP;
  const footnotes = toFootnotes(panels, bottom);
  const height = bottom + footnotes.length * NOTE_STEP + MARGIN;
  const chart = echarts.init(null, null, { renderer: 'svg', ssr: true, width: WIDTH, height });
  chart.setOption({
    animation: false,
    textStyle: { fontFamily: 'system-ui, sans-serif', color: TEXT },
    title: [...panels.map(toTitle), ...footnotes],
    grid: panels.map(({ top, height: panelHeight }) => ({
      left: NAMES_WIDTH,
      right: FIGURES_WIDTH,
      top,
      height: panelHeight,
    })),
    xAxis: panels.map((_, gridIndex) => ({ gridIndex, type: 'value', show: false })),
    yAxis: panels.map(toNames),
    series: panels.map(toBars),
  });
  const svg = chart.renderToSVGString();
  chart.dispose();
  return svg;
}

function layOut(results: readonly Result[]): Panel[] {
  let top = MARGIN + TITLE_HEIGHT;
  return results.map((result) => {
    const figures = result.figures
      .filter(({ what }) => what === RATE)
      .toSorted((a, b) => b.median - a.median);
    const panel = { result, figures, top, height: figures.length * BAR_STEP };
    top += panel.height + PANEL_GAP + TITLE_HEIGHT;
    return panel;
  });
}

function toTitle({ result, top }: Panel) {
  const { scenario, what, size, unit } = result;
  return {
    text: scenario,
    subtext: `${what}, ${size.toLocaleString('en')} ${unit}: tasks/s`,
    left: MARGIN,
    top: top - TITLE_HEIGHT,
    padding: 0,
    itemGap: 5,
    textStyle: { color: TEXT, fontSize: 15 },
    subtextStyle: { color: TEXT, fontSize: 13 },
  };
}

/** Those who were asked for less have a star, and it is said in what. */
function toFootnotes(panels: readonly Panel[], top: number) {
  const notes = panels.flatMap(({ result, figures }) =>
    figures.flatMap(({ who, note }) =>
      note === undefined ? [] : `* ${result.scenario}, ${who}: ${note}`,
    ),
  );
  return notes.map((text, i) => ({
    text,
    left: MARGIN,
    top: top + i * NOTE_STEP,
    padding: 0,
    textStyle: { color: TEXT, fontSize: 12, fontWeight: 'normal' },
  }));
}

function toNames({ figures }: Panel, gridIndex: number) {
  return {
    gridIndex,
    type: 'category',
    inverse: true,
    data: figures.map(({ who, note }) => (note === undefined ? who : `${who} *`)),
    axisLine: { show: false },
    axisTick: { show: false },
    axisLabel: { color: TEXT, fontSize: 13, width: NAMES_WIDTH, overflow: 'truncate' },
  };
}

function toBars({ figures }: Panel, index: number) {
  return {
    type: 'bar',
    xAxisIndex: index,
    yAxisIndex: index,
    barWidth: BAR_STEP * 0.6,
    label: {
      show: true,
      position: 'right',
      color: TEXT,
      fontSize: 13,
      formatter: ({ value }: { value: number }) => value.toLocaleString('en'),
    },
    data: figures.map(({ who, median }) => ({
      value: Math.round(median),
      itemStyle: { color: toColor(who), borderRadius: 3 },
    })),
  };
}

function toColor(who: string): string {
  if (who === 'signalbox') return OURS;
  return who === 'bare floor' ? FLOOR : PEER;
}
