/* Topic 14. The page shows the solution's numbers; where the reference's are others, it says so. */
(() => {
  const { data, $, format } = kata;
  const { depths } = data.numbers;
  const HEIGHT = 320, LEFT = 64, RIGHT = 14, TOP = 14, BOTTOM = 40;
  const NAMES = ["plain", "residual"];
  let depth = Object.keys(depths)[1];

  const norms = () => depths[depth];
  const count = () => norms().plain.length;
  const layer = (at) => count() - 1 - at; /* position 0 is the last layer: the gradient comes from there */
  const player = new kata.Player({ show, columns: () => 10, what: (at) => `layer ${layer(at) + 1}` });

  const svg = (tag, attributes, text) => {
    const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    if (text !== undefined) element.textContent = text;
    return element;
  };

  /* one scale for all depths, so that they can be compared */
  const positive = kata.flat(Object.values(depths).map(Object.values)).filter((value) => value > 0 && Number.isFinite(value));
  const low = Math.floor(Math.log10(Math.min(...positive))), high = Math.ceil(Math.log10(Math.max(...positive)));
  const wide = () => Math.max(260, $("chart").clientWidth);
  const x = (index) => LEFT + ((wide() - LEFT - RIGHT) * index) / (count() - 1);
  const y = (value) => {
    const part = value > 0 ? (Math.log10(Math.min(value, 10 ** high)) - low) / (high - low) : 0;
    return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * Math.max(0, part);
  };

  function settle() {
    kata.table("norms-table", `Norms in networks of ${depth} layers`, ["layer", "without shortcuts", "with shortcuts"],
      norms().plain.map((value, index) => [`layer ${index + 1}`, format(value), format(norms().residual[index])]));
    player.resize(count());
    player.set(Math.min(player.at, count() - 1));
  }

  function show(at) {
    const now = layer(at), chart = $("chart"), parts = [];
    chart.setAttribute("viewBox", `0 0 ${wide()} ${HEIGHT}`);
    for (let power = low; power <= high; power++) {
      parts.push(svg("line", { class: "rule", x1: LEFT, x2: wide() - RIGHT, y1: y(10 ** power), y2: y(10 ** power) }));
      parts.push(svg("text", { x: LEFT - 8, y: y(10 ** power) + 4, "text-anchor": "end" }, format(10 ** power)));
    }
    const step = Math.max(1, Math.ceil(count() / Math.max(4, Math.floor(wide() / 70))));
    for (let index = 0; index < count(); index += step)
      parts.push(svg("text", { x: x(index), y: HEIGHT - BOTTOM + 18, "text-anchor": "middle" }, String(index + 1)));
    parts.push(svg("text", { x: (LEFT + wide()) / 2, y: HEIGHT - 5, "text-anchor": "middle" }, "layer, first to last"));
    parts.push(svg("line", { class: "now", x1: x(now), x2: x(now), y1: TOP, y2: HEIGHT - BOTTOM }));
    for (const name of NAMES) {
      const points = norms()[name].map((value, index) => `${x(index).toFixed(1)},${y(value).toFixed(1)}`);
      parts.push(svg("polyline", { class: `line later ${name}`, points: points.join(" ") }));
      parts.push(svg("polyline", { class: `line ${name}`, points: points.slice(now).join(" ") }));
      norms()[name].forEach((value, index) => parts.push(mark(name, index, value, index === now ? 6 : 3.2, index < now)));
    }
    chart.replaceChildren(...parts);
    chart.setAttribute("aria-label", `Norms of the gradients in networks of ${depth} layers, from the last layer back to ` +
      `layer ${now + 1}; the numbers are in the table below.`);
    for (const name of NAMES) $(`${name}-value`).textContent = format(norms()[name][now]);
    speak(now);
    judge();
  }

  function mark(name, index, value, size, later) {
    const names = `point ${name}${later ? " later" : ""}`, [cx, cy] = [x(index), y(value)];
    return name === "plain" ? svg("rect", { class: names, x: cx - size, y: cy - size, width: 2 * size, height: 2 * size })
      : svg("circle", { class: names, cx, cy, r: size });
  }

  function speak(now) {
    const grown = NAMES.map((name) => norms()[name][now] / norms()[name][count() - 1]);
    const said = `Layer ${now + 1} of ${count()}: ${format(norms().plain[now])} without shortcuts, ` +
      `${format(norms().residual[now])} with them.`;
    kata.say(now === count() - 1 ? `${said} Here, at the last layer, the way back begins.`
      : `${said} That is ${format(grown[0], 3)} and ${format(grown[1], 3)} times what it was at the last layer.`);
  }

  function judge() {
    if (!data.right) return kata.verdict("");
    const off = (name) => norms()[name].filter((value, index) => {
      const right = data.right.depths[depth][name][index];
      return !(Math.abs(value - right) <= 0.05 * right);
    }).length;
    const [plain, residual] = NAMES.map(off);
    if (!plain && !residual) return kata.verdict("The reference gives the same norms, but for rounding.", "right");
    const worst = residual ? "residual" : "plain", right = data.right.depths[depth][worst];
    kata.verdict(`${plain ? `Without shortcuts ${plain}` : ""}${plain && residual ? ", with" : plain ? "" : "With"}` +
      `${residual ? ` shortcuts ${residual}` : ""} of ${count()} layers have another gradient than the reference's: at the ` +
      `first layer ${worst === "plain" ? "without" : "with"} shortcuts ${format(norms()[worst][0])}, the reference's is ` +
      `${format(right[0])}.`, "wrong");
  }

  function point(event) {
    const place = event.clientX - $("chart").getBoundingClientRect().left;
    const index = Math.round(((place - LEFT) / (wide() - LEFT - RIGHT)) * (count() - 1));
    player.go(layer(Math.min(count() - 1, Math.max(0, index))));
  }
  $("chart").addEventListener("click", point);
  $("chart").addEventListener("pointermove", (event) => event.pointerType === "mouse" && point(event));
  let width = 0;
  new ResizeObserver(() => {
    if (wide() === width) return;
    width = wide();
    show(player.at);
  }).observe($("chart"));

  kata.choice("settings", "depth", "Depth", Object.keys(depths).map((n) => [n, `${n} layers`]), (value) => {
    depth = value;
    settle();
  }).value = depth;
  settle();
})();
