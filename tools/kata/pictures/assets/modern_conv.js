/* Topic 15. What the solution reads, found in Python by probing; the page knows the definition and marks differences. */
(() => {
  const { data, $, make, format, short, close, color } = kata;
  const { x, weights, layers, reach, stacks, ratios } = data.numbers;
  const C = x.length, O = weights[1].length, WIDE = x[0].length, TAPS = weights[1][0][0].length;
  const SIDE = stacks[0].maps[0].length, MIDDLE = (SIDE - 1) / 2;
  const LAYER = "one layer: connections", STACK = "three layers: the view";
  const state = { view: LAYER, dilation: 1, groups: 1, stack: 1 };
  const who = (name) => kata.capital(kata.named(name));

  const player = new kata.Player({ show, columns: () => (state.view === LAYER ? wide() : 1),
    what: (at) => (state.view === LAYER ? `channel ${Math.floor(at / wide())}, column ${at % wide()}` : `${at} layers`) });
  const inputGrid = new kata.Grid("input");
  const outputGrid = new kata.Grid("output", (o, column) => {
    const j = column - state.dilation;
    if (j >= 0 && j < wide()) player.go(o * wide() + j);
  });
  const mapGrid = new kata.Grid("map");
  inputGrid.resize(C, WIDE);
  outputGrid.resize(O, WIDE);
  for (const [id, word] of [["input-names", "in"], ["output-names", "out"]])
    $(id).append(...Array.from({ length: 4 }, (_, channel) => make("span", { text: `${word} ${channel}` })));

  function svg(tag, attributes, text = "") {
    const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.textContent = text;
    return element;
  }

  /* --- one layer ------------------------------------------------------------------------------------------------ */

  const wide = () => WIDE - state.dilation * (TAPS - 1);
  const given = () => layers[state.dilation][state.groups];
  const first = (o) => Math.floor(o / (O / state.groups)) * (C / state.groups);

  /* the definition: [channel, column, weight] of every pixel that the output (o, j) reads */
  function defined(o, j) {
    const found = [];
    for (let c = 0; c < C / state.groups; c++)
      for (let v = 0; v < TAPS; v++)
        found.push([first(o) + c, j + v * state.dilation, weights[state.groups][o][c][v]]);
    return found;
  }
  const keyed = (reads) => new Map(reads.map(([c, q, weight]) => [`${c},${q}`, weight]));
  const summed = (reads) => reads.reduce((sum, [c, q, weight]) => sum + weight * x[c][q], 0);
  const different = (a, b) => [...a].filter(([place, weight]) => !b.has(place) || !close(weight, b.get(place)));
  function fits(o, j) {
    const mine = keyed(given().reads[o][j]), right = keyed(defined(o, j));
    return !different(mine, right).length && !different(right, mine).length && close(given().out[o][j], summed(defined(o, j)));
  }

  function showLayer(at) {
    const o = Math.floor(at / wide()), j = at % wide(), reads = given().reads[o][j];
    const mine = keyed(reads), right = keyed(defined(o, j)), top = kata.largest(x);
    inputGrid.paintAll((c, q) => {
      const place = `${c},${q}`, same = mine.has(place) === right.has(place);
      return { text: format(x[c][q]), rgb: color.grey(x[c][q], top),
        marks: !same ? "wrong" : mine.has(place) ? "lit" : "" };
    });
    const reachable = kata.largest(given().out);
    outputGrid.paintAll((row, column) => {
      const index = row * wide() + column - state.dilation, inside = column >= state.dilation && column < state.dilation + wide();
      if (!inside || index > at) return { marks: "empty" };
      const value = given().out[row][column - state.dilation];
      return { text: short(value), rgb: color.diverging(value, reachable), marks: fits(row, column - state.dilation) ? "" : "wrong" };
    });
    outputGrid.frame(0, o, j + state.dilation);
    wire(j, mine, right);
    product(o, j, reads);
    judgeLayer(o, j, mine, right);
  }

  function wire(j, mine, right) {
    const line = (place, name) => {
      const [c, q] = place.split(",").map(Number);
      return svg("line", { x1: q + (c + 0.5) / C, y1: C, x2: j + state.dilation + 0.5, y2: 7, class: name });
    };
    const read = [...mine.keys()], missing = [...right.keys()].filter((place) => !mine.has(place));
    const cuts = Array.from({ length: state.groups - 1 }, (_, index) => ((index + 1) * C) / state.groups)
      .flatMap((edge) => [edge, 7 + edge]).map((y) => svg("line", { x1: 0, x2: WIDE, y1: y, y2: y, class: "cut" }));
    $("wires").replaceChildren(...cuts, ...[...read, ...missing].map((place) => line(place, "halo")),
      ...read.map((place) => line(place, "wire")), ...missing.map((place) => line(place, "missing")));
  }

  function product(o, j, reads) {
    const channels = [...new Set(reads.map(([c]) => c))];
    const signed = (weight) => (weight < 0 ? `(${format(weight)})` : format(weight));
    $("products").replaceChildren(make("table", {}, make("caption", { text: "pixel · weight = product" }), make("tbody", {},
      ...channels.map((c) => make("tr", {}, make("th", { text: `in ${c}`, scope: "row" }),
        ...reads.filter(([channel]) => channel === c).map(([, q, weight]) => make("td", {},
          make("small", { text: `${format(x[c][q])} · ${signed(weight)} =` }), format(weight * x[c][q]))))))));
    $("sum").textContent = reads.map(([c, q, weight]) => `${format(x[c][q])}·${signed(weight)}`).join(" + ") +
      ` = ${format(summed(reads), 6)}`;
    const names = channels.length === 1 ? `channel ${channels[0]}` : `channels ${channels.join(", ")}`;
    const columns = [...new Set(reads.map(([, q]) => q))].sort((a, b) => a - b).join(", ");
    kata.say(`Output channel ${o}, column ${j} reads ${reads.length} pixels: columns ${columns} of ${names}. ` +
      `It is ${format(given().out[o][j], 6)}.`);
  }

  function judgeLayer(o, j, mine, right) {
    const name = who("conv2d_forward"), places = Array.from({ length: O * wide() }, (_, at) => [Math.floor(at / wide()), at % wide()]);
    const wrong = places.filter(([row, column]) => !fits(row, column)).length;
    if (!wrong) return kata.verdict(`${name} reads what the definition reads, in all ${places.length} outputs.`, "right");
    const listed = (places) => places.map((place) => place.split(",")).map(([c, q]) => `channel ${c} column ${q}`).join("; ");
    const extra = [...mine.keys()].filter((place) => !right.has(place)), missing = [...right.keys()].filter((place) => !mine.has(place));
    let here = "Here the two agree.";
    if (extra.length || missing.length) {
      here = `Here ${extra.length ? `it reads what it should not: ${listed(extra)}. ` : ""}` +
        (missing.length ? `It leaves out, dashed: ${listed(missing)}.` : "");
    } else if (!fits(o, j)) {
      here = `Here it gives ${format(given().out[o][j], 6)}, the definition ${format(summed(defined(o, j)), 6)}.`;
    }
    kata.verdict(`${name} differs from the definition in ${wrong} of ${places.length} outputs. ${here}`, "wrong");
  }

  function tablesOfLayer() {
    kata.table("first-table", "The input", ["", ...x[0].map((_, q) => `column ${q}`)],
      x.map((row, c) => [`channel ${c}`, ...row.map((value) => format(value))]));
    kata.table("second-table", `The output of ${kata.named("conv2d_forward")}`,
      ["", ...given().out[0].map((_, j) => `column ${j}`)],
      given().out.map((row, o) => [`channel ${o}`, ...row.map((value) => format(value, 6))]));
    inputGrid.label(`Input of ${C} channels and ${WIDE} columns; its numbers are in the tables below.`);
    outputGrid.label(`Output of ${O} channels and ${wide()} columns; its numbers are in the tables below.`);
    $("layer-size").textContent = `3 taps reach over ${reach[state.dilation]} pixels, so ${WIDE} columns make ${wide()}`;
  }

  /* --- three layers --------------------------------------------------------------------------------------------- */

  const stack = () => stacks[state.stack];
  const under = (depth) => stack().dilations.slice(0, depth);

  /* the definition: how often the output of the first `depth` layers reads each pixel of a row */
  function counted(depth) {
    let row = Array.from({ length: SIDE }, (_, p) => (p === MIDDLE ? 1 : 0));
    for (const dilation of under(depth)) {
      row = row.map((_, p) => [-dilation, 0, dilation].reduce((sum, step) => sum + (row[p + step] || 0), 0));
    }
    return row;
  }
  const span = (at) => under(at).reduce((sum, dilation) => sum + reach[dilation] - 1, 1);

  function showStack(at) {
    const map = stack().maps[at], row = counted(at), top = kata.largest(map), half = (span(at) - 1) / 2;
    const inView = (p) => Math.abs(p - MIDDLE) <= half;
    mapGrid.paintAll((r, c) => {
      const value = map[r][c], same = close(value, row[r] * row[c]);
      if (!value && same && !(inView(r) && inView(c))) return { marks: "empty" };
      const paint = value ? color.viridis(0.25 + (0.75 * value) / top) : [255, 255, 255];
      return { text: format(value), rgb: paint, marks: !same ? "wrong" : value ? "" : "border" };
    });
    mapGrid.frame(0, Math.max(0, MIDDLE - half), Math.max(0, MIDDLE - half), Math.min(span(at), SIDE), Math.min(span(at), SIDE));
    sideView(at);
    const read = kata.flat(map).filter((value) => value).length, all = span(at) ** 2;
    $("map-size").textContent = `by the pixel in the middle; ${read} of ${all} are read`;
    kata.say(at ? `${at} layer${at > 1 ? "s" : ""} of dilation ${under(at).join(", ")}: an output pixel sees ${span(at)} ` +
      `pixels across and reads ${read} of ${all}${read < all ? `; ${all - read} lie in holes, hatched` : ""}.`
      : "No layer yet: a pixel sees itself. Each step adds a layer.");
    const wrong = stack().maps.map((counts, depth) => counts.flat().filter((value, place) =>
      !close(value, counted(depth)[Math.floor(place / SIDE)] * counted(depth)[place % SIDE])).length);
    const total = wrong.reduce((a, b) => a + b, 0);
    const longer = [...new Set(stack().dilations)].filter((d) => reach[d] !== 2 * d + 1);
    if (total) kata.verdict(`${who("conv2d_backward")} differs from the definition in ${total} pixels of these maps, framed in black.`, "wrong");
    else if (longer.length) kata.verdict(`${who("effective_kernel_size")} gives ${reach[longer[0]]} for 3 taps of dilation ` +
      `${longer[0]}; ${2 * longer[0] + 1} is right. The orange frame is drawn with it.`, "wrong");
    else kata.verdict(`${who("conv2d_backward")} reaches the pixels that the definition reaches; ${kata.named("effective_kernel_size")} ` +
      "gives the frame's size.", "right");
  }

  /* the output of the `at`-th layer stands above what it reads in each layer below, the input lowest */
  function sideView(at) {
    const y = (level) => 1.5 + (3 - level) * 2.4, lines = [], dots = [], rows = stack().rows[at];
    for (let level = 0; level <= 3; level++) {
      const name = level ? `layer ${level}, dilation ${stack().dilations[level - 1]}` : "input";
      dots.push(svg("text", { x: 0.1, y: y(level) - 0.85, class: level > at ? "level later" : "level" }, name));
      for (let p = 0; p < SIDE; p++) {
        const value = level > at ? 0 : rows[at - level][p];
        dots.push(svg("circle", { cx: p + 0.5, cy: y(level), r: value ? 0.45 : 0.12, class: value ? "read" : "" }));
        if (!value) continue;
        dots.push(svg("text", { x: p + 0.5, y: y(level) + 0.03 }, format(value)));
        for (const step of level < at ? [-1, 0, 1] : []) {
          const upper = p + step * stack().dilations[level];
          if (rows[at - level - 1][upper]) lines.push(svg("line", { x1: p + 0.5, y1: y(level), x2: upper + 0.5, y2: y(level + 1) }));
        }
      }
    }
    $("row").setAttribute("viewBox", `0 0 ${SIDE} ${y(0) + 0.7}`);
    $("row").setAttribute("aria-label", `One row of pixels for each layer up to layer ${at}; those that one output pixel reads are filled.`);
    $("row").replaceChildren(...lines, ...dots);
  }

  function tablesOfStack() {
    const places = Array.from({ length: SIDE }, (_, p) => String(p - MIDDLE).replace("-", "−"));
    kata.table("first-table", "How often each pixel of a row is read", ["", ...places],
      stack().rows.map((rows, depth) => [`${depth} layers`, ...rows[depth].map((value) => format(value))]));
    kata.matrix("second-table", "How often each pixel is read, three layers", stack().maps[3]);
    mapGrid.label("How often each pixel is read; the numbers for three layers are in the tables below.");
  }

  /* --- both ----------------------------------------------------------------------------------------------------- */

  function show(at) { (state.view === LAYER ? showLayer : showStack)(at); }

  function settle(restart = false) {
    const one = state.view === LAYER;
    for (const id of ["layer-figure", "sum-side"]) $(id).hidden = !one;
    for (const id of ["row-figure", "map-figure"]) $(id).hidden = one;
    for (const id of ["dilation", "groups"]) $(id).parentElement.hidden = !one;
    $("stack").parentElement.hidden = one;
    mapGrid.resize(SIDE, SIDE);
    (one ? tablesOfLayer : tablesOfStack)();
    player.resize(one ? O * wide() : 4);
    player.play(false);
    player.set(restart ? (one ? 0 : 3) : player.at);
  }

  kata.choice("settings", "view", "Look at", [LAYER, STACK], (value) => { state.view = value; settle(true); });
  kata.choice("settings", "dilation", "Dilation", Object.keys(layers), (value) => { state.dilation = Number(value); settle(); });
  kata.choice("settings", "groups", "Groups", Object.keys(weights), (value) => { state.groups = Number(value); settle(); });
  const stackNames = stacks.map(({ dilations }, index) => [index, dilations.join(", ")]);
  kata.choice("settings", "stack", "Dilations of the layers", stackNames, (value) => { state.stack = Number(value); settle(); });
  $("stack").value = state.stack;

  /* --- cost ----------------------------------------------------------------------------------------------------- */

  const cost = { outputs: "128", kernel: "3" }, INPUTS = 64, PIXELS = 32 * 32;
  const spaced = (value) => String(value).replace(/\B(?=(\d{3})+$)/g, "\u202f");

  function showCost() {
    const outputs = Number(cost.outputs), square = Number(cost.kernel) ** 2;
    const full = INPUTS * outputs * square * PIXELS, depthwise = INPUTS * square * PIXELS, pointwise = INPUTS * outputs * PIXELS;
    const counted = (depthwise + pointwise) / full, ratio = ratios[cost.outputs][cost.kernel], right = close(counted, ratio);
    const part = (macs, name) => {
      const bar = make("span", { class: name });
      bar.style.width = `${(100 * macs) / Math.max(full, depthwise + pointwise)}%`;
      return bar;
    };
    $("bars").replaceChildren(make("p", { text: "full" }), make("div", {}, part(full, "full")),
      make("p", { text: "depthwise (hatched), then pointwise" }),
      make("div", {}, part(depthwise, "depthwise"), part(pointwise, "pointwise")));
    kata.table("cost-table", `64 to ${outputs} channels, ${cost.kernel}×${cost.kernel} kernel, one image`, ["", "multiply-accumulates", "weights", "part of full"],
      [["full", full], ["depthwise", depthwise], ["pointwise", pointwise], ["both", depthwise + pointwise]].map(([name, macs]) =>
        [name, spaced(macs), spaced(macs / PIXELS), format(macs / full, 4)]));
    $("cost-verdict").textContent = right
      ? `${who("separable_cost_ratio")} says ${format(ratio)}: that is what the counts give.`
      : `${who("separable_cost_ratio")} says ${format(ratio)}, but the counts give ${format(counted)}.`;
    $("cost-verdict").className = right ? "" : "problem";
  }
  kata.choice("cost-settings", "outputs", "Output channels", Object.keys(ratios), (value) => { cost.outputs = value; showCost(); });
  kata.choice("cost-settings", "kernel", "Kernel side", Object.keys(ratios[1]), (value) => { cost.kernel = value; showCost(); });
  $("outputs").value = cost.outputs;
  $("kernel").value = cost.kernel;
  showCost();
  settle(true);
})();
