// How many pixels of its first line a chart draws: without a value, then with values that stand alone.
async () => {
  const { Chart } = await import("/static/charts.js");
  const element = document.body.appendChild(document.createElement("div"));
  element.style.width = "600px";
  const chart = new Chart(element, () => {});
  const times = [...Array(13).keys()].map((step) => step * 60);
  const counts = [];
  for (const values of [times.map(() => null), times.map((_, at) => (at % 3 ? null : 0.5))]) {
    chart.show({ unit: "1", series: [{ name: "v1", values }] }, { times, marks: [], from: 0, to: 720 });
    await new Promise((drawn) => setTimeout(drawn, 200));
    const { width, height } = element.querySelector("canvas");
    const { data } = element.querySelector("canvas").getContext("2d").getImageData(0, 0, width, height);
    let blue = 0;
    for (let at = 0; at < data.length; at += 4) blue += data[at] === 0x25 && data[at + 2] === 0xeb;
    counts.push(blue);
  }
  element.remove();
  return counts;
}
