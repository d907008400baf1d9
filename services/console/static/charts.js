// One uPlot chart: lines by version, vertical marks for deployments, alerts and rollbacks.

const PALETTE = ["#2563eb", "#d9480f", "#2b8a3e", "#9c36b5", "#0b7285", "#a61e4d"];
const MARKS = { deployment: "#495057", alert: "#c92a2a", rollback: "#2b8a3e", resolved: "#868e96" };
const HEIGHT = 190;

export const colour = (index) => PALETTE[index % PALETTE.length];

function formatter(unit) {
  if (unit === "s") return (value) => (value < 1 ? `${+(value * 1000).toPrecision(3)} ms` : `${+value.toPrecision(3)} s`);
  if (unit === "share") return (value) => `${+(value * 100).toFixed(1)} %`;
  return (value) => `${+value.toPrecision(3)}`;
}

// A value that no line leads to or from: a dot shows it.
function alone(plot, series) {
  const values = plot.data[series];
  const missing = (at) => values[at] === null || values[at] === undefined;
  const here = [...values.keys()].filter((at) => !missing(at));
  if (plot.series[series].spanGaps) return here.length === 1 ? here : [];
  return here.filter((at) => missing(at - 1) && missing(at + 1));
}

// Labels stand in the first row where they overlap no other.
function labelRow(ends, left) {
  const row = ends.findIndex((end) => end < left);
  return row === -1 ? ends.length : row;
}

function drawMarks(plot, marks) {
  const { ctx } = plot;
  const { left, top, width, height } = plot.bbox;
  const ends = [];
  ctx.save();
  ctx.font = `${11 * devicePixelRatio}px system-ui`;
  for (const mark of marks) {
    const x = plot.valToPos(mark.time, "x", true);
    if (x < left || x > left + width) continue;
    ctx.strokeStyle = ctx.fillStyle = MARKS[mark.kind];
    ctx.lineWidth = devicePixelRatio * (mark.kind === "resolved" ? 0.75 : 1.5);
    ctx.setLineDash(mark.kind === "deployment" ? [] : [4 * devicePixelRatio, 3 * devicePixelRatio]);
    ctx.beginPath();
    ctx.moveTo(x, top);
    ctx.lineTo(x, top + height);
    ctx.stroke();
    const room = ctx.measureText(mark.label).width + 6 * devicePixelRatio;
    const start = Math.min(x + 3 * devicePixelRatio, left + width - room);
    const row = labelRow(ends, start);
    ends[row] = start + room;
    ctx.textAlign = "left";
    ctx.fillText(mark.label, start, top + (11 + 13 * row) * devicePixelRatio);
  }
  ctx.restore();
}

function options(chart, state, width, onPick) {
  const text = formatter(chart.unit);
  const series = chart.series.map((line, index) => ({
    label: line.name,
    stroke: line.colour === undefined ? colour(index) : colour(line.colour),
    dash: line.dashed ? [5, 4] : undefined,
    width: 1.6,
    spanGaps: Boolean(line.spanned),
    points: { show: true, size: 5, filter: alone },
    value: (_, value) => (value === null || value === undefined ? "–" : text(value)),
  }));
  return {
    width,
    height: HEIGHT,
    cursor: { sync: { key: "tidemark" }, drag: { x: false, y: false } },
    legend: { live: true },
    scales: {
      x: { time: true, range: () => [state.from, state.to] },
      y: { range: (_, low, high) => [Math.min(0, low ?? 0), high > 0 ? high * 1.15 : 1] },
    },
    axes: [
      { stroke: "#495057", grid: { stroke: "#edf0f3" } },
      { stroke: "#495057", grid: { stroke: "#edf0f3" }, size: 62, values: (_, ticks) => ticks.map(text) },
    ],
    series: [{ label: "time" }, ...series],
    hooks: {
      draw: [(plot) => drawMarks(plot, state.marks)],
      ready: [(plot) => plot.over.addEventListener("click", () => plot.cursor.idx !== null && onPick(plot.data[0][plot.cursor.idx]))],
    },
  };
}

export class Chart {
  constructor(element, onPick) {
    this.element = element;
    this.onPick = onPick;
    this.lines = "";
    this.state = { marks: [], from: 0, to: 1 };
    new ResizeObserver(() => this.plot?.setSize({ width: this.element.clientWidth, height: HEIGHT })).observe(element);
  }

  // The plot is built anew only when the lines change: data alone is swapped in place.
  show(chart, { times, marks, from, to }) {
    Object.assign(this.state, { marks, from, to });
    const data = [times, ...chart.series.map((line) => line.values)];
    const lines = JSON.stringify(chart.series.map((line) => [line.name, line.colour, line.dashed]));
    if (this.plot && lines === this.lines) return this.plot.setData(data);
    this.plot?.destroy();
    this.lines = lines;
    this.plot = new uPlot(options(chart, this.state, this.element.clientWidth, this.onPick), data, this.element);
  }
}
