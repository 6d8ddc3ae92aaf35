/* Topic 11. The page computes the definition itself and shows the solution's numbers beside it. */
(() => {
  const { data, $, make, format, short, close, color } = kata;
  const { image, kernels, outputs, strides, paddings } = data.numbers;
  const SIDE = 3, OWN = "your own";
  const state = { name: "Sobel, left to right", stride: 1, padding: 0, weights: [] };

  const rows = () => image.length + 2 * state.padding, columns = () => image[0].length + 2 * state.padding;
  const size = (side) => Math.floor((side - SIDE) / state.stride) + 1;
  const pixel = (row, column) => (image[row - state.padding] || [])[column - state.padding] ?? 0;
  const inImage = (row, column) => (image[row - state.padding] || [])[column - state.padding] !== undefined;

  /* the definition: the nine terms of one output number, and their sum */
  function terms(i, j) {
    const found = [];
    for (let u = 0; u < SIDE; u++)
      for (let v = 0; v < SIDE; v++)
        found.push({ weight: state.weights[u][v], pixel: pixel(i * state.stride + u, j * state.stride + v) });
    return found;
  }
  const total = (i, j) => terms(i, j).reduce((sum, term) => sum + term.weight * term.pixel, 0);

  /* the solution's output for a preset; null for weights it was not run on */
  const given = () => (state.name === OWN ? null : outputs[state.name][state.stride][state.padding]);
  const shown = (i, j) => (given() ? given()[i][j] : total(i, j));

  const player = new kata.Player({
    show, columns: () => size(columns()),
    what: (at) => `row ${Math.floor(at / size(columns()))}, column ${at % size(columns())}`,
  });
  const imageGrid = new kata.Grid("image", (row, column) => {
    const nearest = (at, count) => Math.min(count - 1, Math.max(0, Math.round((at - (SIDE >> 1)) / state.stride)));
    player.go(nearest(row, size(rows())) * size(columns()) + nearest(column, size(columns())));
  });
  const outputGrid = new kata.Grid("output", (row, column) => player.go(row * outputGrid.columns + column));
  let wrong = 0;

  function settle() {
    const high = size(rows()), wide = size(columns());
    imageGrid.resize(rows(), columns());
    imageGrid.paintAll((row, column) => ({
      text: format(pixel(row, column)), rgb: color.grey(pixel(row, column)), marks: inImage(row, column) ? "" : "border",
    }));
    outputGrid.resize(high, wide);
    $("image-size").textContent = `${image.length} by ${image[0].length}` +
      (state.padding ? ` in a border of ${state.padding} of zeros` : "");
    $("output-size").textContent = `${high} by ${wide}, up to this position`;
    const definition = Array.from({ length: high }, (_, i) => Array.from({ length: wide }, (_, j) => total(i, j)));
    wrong = given() ? given().flat().filter((value, at) => !close(value, definition.flat()[at])).length : 0;
    kata.matrix("image-table", "The image, with its border", Array.from({ length: rows() }, (_, row) =>
      Array.from({ length: columns() }, (_, column) => pixel(row, column))));
    kata.matrix("output-table", given() ? `The output of ${kata.named("conv2d_forward")}` : "The output, computed in this page",
      given() || definition);
    imageGrid.label(`Image of ${rows()} by ${columns()} pixels; its numbers are in the tables below.`);
    outputGrid.label(`Output of ${high} by ${wide} numbers; they are in the tables below.`);
    player.resize(high * wide);
    player.set(player.at);
  }

  function show(at) {
    const wide = outputGrid.columns, i = Math.floor(at / wide), j = at % wide;
    const reach = kata.largest(given() || Array.from({ length: outputGrid.rows }, (_, r) =>
      Array.from({ length: wide }, (_, c) => total(r, c))));
    outputGrid.paintAll((row, column) => {
      if (row * wide + column > at) return { marks: "empty" };
      const value = shown(row, column);
      return { text: short(value), rgb: color.diverging(value, reach),
        marks: close(value, total(row, column)) ? "" : "wrong" };
    });
    imageGrid.frame(0, i * state.stride, j * state.stride, SIDE, SIDE);
    outputGrid.frame(0, i, j);
    writeSum(i, j);
    judge(i, j);
  }

  function writeSum(i, j) {
    const found = terms(i, j), top = i * state.stride, left = j * state.stride;
    $("products").replaceChildren(make("table", {}, make("caption", { text: "pixel · weight = product" }), make("tbody", {},
      ...[0, 1, 2].map((u) => make("tr", {}, ...[0, 1, 2].map((v) => {
        const { weight, pixel } = found[u * SIDE + v];
        return make("td", {}, make("small", { text: `${format(pixel)} · ${signed(weight)} =` }), format(weight * pixel));
      }))))));
    $("sum").textContent = `${found.map(({ weight, pixel }) => `${format(pixel)}·${signed(weight)}`).join(" + ")} = ` +
      format(total(i, j), 6);
    kata.say(`Output row ${i}, column ${j}: the window covers rows ${top} to ${top + SIDE - 1} and columns ${left} to ` +
      `${left + SIDE - 1}${state.padding ? " of the padded image" : ""}. The sum is ${format(total(i, j), 6)}.`);
  }
  const signed = (weight) => (weight < 0 ? `(${format(weight)})` : format(weight));

  function judge(i, j) {
    const who = kata.named("conv2d_forward"), count = outputGrid.rows * outputGrid.columns;
    if (!given()) {
      kata.verdict(`These weights are your own: the page computes the definition. ${kata.capital(who)} was run on the ` +
        "kernels in the list.");
    } else if (!wrong) {
      kata.verdict(`${kata.capital(who)} gives what the definition gives, at all ${count} positions.`, "right");
    } else {
      const value = given()[i][j], here = !close(value, total(i, j));
      kata.verdict(`${kata.capital(who)} differs from the definition at ${wrong} of ${count} positions, framed in black. Here ` +
        (here ? `your code gives ${format(value, 6)}, the definition gives ${format(total(i, j), 6)}.`.replace("your code", who)
          : `both give ${format(value, 6)}.`), "wrong");
    }
  }

  const fields = Array.from({ length: SIDE * SIDE }, (_, index) => {
    const [u, v] = [Math.floor(index / SIDE), index % SIDE];
    const field = make("input", { type: "text", inputmode: "decimal", id: `weight-${u}-${v}`, autocomplete: "off",
      "aria-label": `Weight in row ${u}, column ${v}` });
    field.addEventListener("input", () => {
      const value = Number(field.value.trim().replace("−", "-").replace(",", "."));
      const fine = field.value.trim() !== "" && Number.isFinite(value);
      field.setAttribute("aria-invalid", String(!fine));
      if (!fine) return;
      state.weights[u][v] = value;
      state.name = presets.value = OWN;
      settle();
    });
    $("kernel").append(field);
    return field;
  });
  const presets = kata.choice("settings", "preset", "Kernel", [...Object.keys(kernels), OWN], choose);
  kata.choice("settings", "stride", "Stride", strides, (value) => { state.stride = Number(value); settle(); });
  kata.choice("settings", "padding", "Padding", paddings, (value) => { state.padding = Number(value); settle(); });
  $("settings").append($("weights"));

  function choose(name) {
    state.name = name;
    if (name !== OWN) {
      state.weights = kernels[name].map((row) => [...row]);
      fields.forEach((field, index) => {
        field.value = format(state.weights[Math.floor(index / SIDE)][index % SIDE], 3);
        field.setAttribute("aria-invalid", "false");
      });
    }
    settle();
  }
  presets.value = state.name;
  choose(state.name);
})();
