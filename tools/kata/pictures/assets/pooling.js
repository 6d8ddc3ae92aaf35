/* Topic 13. The page shows the solution's numbers; where the reference's are others, it says so. */
(() => {
  const { data, $, format, short, close, color } = kata;
  const { map, kinds, sides, strides, paddings, settings } = data.numbers;
  const H = map.length, W = map[0].length;
  const state = { kind: "max", side: 2, stride: 2, padding: 0 };
  const setting = () => `${state.kind} ${state.side} ${state.stride} ${state.padding}`;
  const given = () => settings[setting()];
  const right = () => (data.right ? data.right.settings[setting()] : given());
  const count = (side) => Math.floor((side + 2 * state.padding - state.side) / state.stride) + 1;
  const isMax = () => state.kind === "max";
  const pass = (way) => `${isMax() ? "max" : "avg"}_pool2d_${way}`;

  const player = new kata.Player({
    show, columns: () => count(W), what: (at) => `row ${Math.floor(at / count(W))}, column ${at % count(W)}`,
  });
  const nearest = (at, side) => Math.min(count(side) - 1, Math.max(0, Math.round((at - (state.side - 1) / 2) / state.stride)));
  const toPixel = (row, column) => player.go(nearest(row, H) * count(W) + nearest(column, W));
  const mapGrid = new kata.Grid("map", toPixel);
  const output = new kata.Grid("output", (row, column) => player.go(row * output.columns + column));
  const gradient = new kata.Grid("dx", toPixel);

  /* what the windows up to l sent to each pixel, each as if it were alone */
  function sum(of, l) {
    const total = Array(H * W).fill(0);
    for (const shares of of.shares.slice(0, l + 1)) for (const [pixel, share] of shares) total[pixel] += share;
    return total;
  }
  /* the gradient drawn at window l; behind the last one it is what the solution gives for all windows at once */
  const drawn = (l) => (l === output.rows * output.columns - 1 ? kata.flat(given().dx) : sum(given(), l));

  function settle() {
    const [high, wide] = [count(H), count(W)], shift = state.padding;
    output.resize(high, wide);
    for (const grid of [mapGrid, gradient]) grid.resize(H + 2 * shift, W + 2 * shift);
    $("map-size").textContent = `${H} by ${W}` + (shift ? `, in a border of ${isMax() ? "−∞" : "zeros"}` : "");
    $("output-size").textContent = `${high} by ${wide}`;
    kata.matrix("map-table", "The map", map);
    kata.matrix("output-table", `The output of ${kata.named(pass("forward"))}`, given().out);
    kata.matrix("dx-table", `The gradient from ${kata.named(pass("backward"))}, all windows together`, given().dx);
    mapGrid.label(`Map of ${H} by ${W} numbers; they are in the tables below.`);
    output.label(`Output of ${high} by ${wide} numbers; they are in the tables below.`);
    gradient.label(`Gradient of the map, ${H} by ${W} numbers; they are in the tables below.`);
    player.resize(high * wide);
    player.set(player.at);
  }

  const border = (row, column) =>
    row < state.padding || column < state.padding || row >= H + state.padding || column >= W + state.padding;
  const index = (row, column) => (row - state.padding) * W + column - state.padding;

  function show(l) {
    const shift = state.padding, i = Math.floor(l / output.columns), j = l % output.columns;
    const got = new Set(given().shares[l].map(([pixel]) => pixel)), total = drawn(l), wanted = correct(l);
    const reach = kata.largest(given().dx);
    mapGrid.paintAll((row, column) => {
      if (border(row, column)) return { text: isMax() ? "−∞" : "0", rgb: [200, 200, 200], marks: "border" };
      const value = map[row - shift][column - shift];
      return { text: format(value), rgb: color.diverging(value, 14), marks: isMax() && got.has(index(row, column)) ? "lit" : "" };
    });
    output.paintAll((row, column) => {
      if (row * output.columns + column > l) return { marks: "empty" };
      const value = given().out[row][column];
      return { text: short(value), rgb: color.diverging(value, 14), marks: close(value, right().out[row][column]) ? "" : "wrong" };
    });
    gradient.paintAll((row, column) => {
      if (border(row, column)) return { rgb: [200, 200, 200], marks: "border" };
      const at = index(row, column), marks = close(total[at], wanted[at]) ? (got.has(at) ? "lit" : "") : "wrong";
      return { text: short(total[at]), rgb: color.diverging(total[at], 1.4 * reach), marks };
    });
    for (const grid of [mapGrid, gradient]) grid.frame(0, i * state.stride, j * state.stride, state.side, state.side);
    output.frame(0, i, j);
    speak(l, i, j);
    judge(l, i, j);
  }
  const correct = (l) => (l === output.rows * output.columns - 1 ? kata.flat(right().dx) : sum(right(), l));

  const named = (pixel) => `row ${Math.floor(pixel / W)}, column ${pixel % W}`;

  function speak(l, i, j) {
    const value = given().out[i][j], shares = given().shares[l], arrives = l + 1;
    const where = `Window ${l}, output row ${i}, column ${j}`;
    const lost = arrives - shares.reduce((total, [, share]) => total + share, 0);
    const sent = shares.length === 1 ? `goes to ${named(shares[0][0])}`
      : shares.length === 0 ? "goes nowhere"
        : shares.every(([, share]) => close(share, shares[0][1]))
          ? `goes to ${shares.length} pixels, ${format(shares[0][1])} each` : `goes to ${shares.length} pixels in unequal shares`;
    kata.say(`${where}: the ${isMax() ? "largest is" : "mean is"} ${format(value)}. Its gradient, ${arrives}, ${sent}` +
      `${shares.length && Math.abs(lost) > 1e-6 ? `; ${format(lost)} falls on the border and is lost` : ""}. ` +
      `Windows so far: ${arrives} of ${output.rows * output.columns}.`);
  }

  function judge(l, i, j) {
    const last = l === output.rows * output.columns - 1;
    const outWrong = kata.flat(given().out).filter((value, at) => !close(value, kata.flat(right().out)[at])).length;
    const dxWrong = kata.flat(given().dx).filter((value, at) => !close(value, kata.flat(right().dx)[at])).length;
    const said = [];
    if (outWrong) {
      const here = [given().out[i][j], right().out[i][j]];
      said.push(`${kata.capital(kata.named(pass("forward")))} differs from the reference at ${outWrong} of ` +
        `${player.count} windows, framed in black. ` + (close(...here) ? `Here both give ${format(here[0])}.`
        : `Here ${kata.named(pass("forward"))} gives ${format(here[0])}, the reference ${format(here[1])}.`));
    }
    if (dxWrong) {
      const at = kata.flat(given().dx).findIndex((value, pixel) => !close(value, kata.flat(right().dx)[pixel]));
      said.push(`${kata.capital(kata.named(pass("backward")))} differs from the reference at ${dxWrong} of ${H * W} pixels; ` +
        `all windows together, the pixel at ${named(at)} gets ${format(kata.flat(given().dx)[at])}, from the reference ` +
        `${format(kata.flat(right().dx)[at])}${last ? "" : " (seen at the last window)"}.`);
    }
    if (said.length) return kata.verdict(said.join(" "), "wrong");
    kata.verdict(data.right ? `${kata.capital(kata.named(pass("forward")))} and ${kata.named(pass("backward"))} give what the ` +
      "reference gives." : "");
  }

  const set = (name, turn = String) => (value) => { state[name] = turn(value); settle(); };
  kata.choice("settings", "kind", "Keep", kinds.map((kind) => [kind, `the ${kind === "max" ? "largest" : kind}`]), set("kind"));
  kata.choice("settings", "side", "Window", sides.map((side) => [side, `${side} by ${side}`]), set("side", Number));
  kata.choice("settings", "stride", "Stride", strides, set("stride", Number)).value = state.stride;
  kata.choice("settings", "padding", "Padding", paddings, set("padding", Number));
  settle();
})();
