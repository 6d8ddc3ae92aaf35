/* Topic 17. Everything shown was computed in Python; beside it, where a training was done here, the reference's. */
(() => {
  const { data, $, make, format, color } = kata, { right } = data;
  const { images, classes, history, confusion, filters } = data.numbers, STEPS = 999;
  const state = { image: 0, map: 0 };
  $("data").textContent = data.numbers.data;

  function svg(tag, attributes, text = "") {
    const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.textContent = text;
    return element;
  }

  /* paint a canvas of high by wide pixels, colorOf(row, column) -> [r, g, b] */
  function paint(canvas, high, wide, colorOf) {
    [canvas.width, canvas.height] = [wide, high];
    const context = canvas.getContext("2d"), pixels = context.createImageData(wide, high);
    for (let at = 0; at < high * wide; at++) pixels.data.set([...colorOf(Math.floor(at / wide), at % wide), 255], 4 * at);
    context.putImageData(pixels, 0, 0);
  }

  /* --- an image, layer by layer --------------------------------------------------------------------------------- */

  const image = () => images[state.image], layer = () => image().layers[player.at];
  const best = ({ odds }) => odds.reduce((most, value, index) => (value > odds[most] ? index : most), 0);
  const value = (row, column) => (layer().maps[state.map][row][column] * layer().top) / STEPS;
  const player = new kata.Player({ show, what: (at) => (image().layers.length ? image().layers[at].name : ""),
    vertical: (by) => {
      const next = state.image + by;
      if (next >= 0 && next < images.length) { player.play(false); imageChoice.value = next; pickImage(next); }
    } });
  const mapGrid = new kata.Grid("map", (row, column) => {
    $("point").textContent = `Row ${row}, column ${column}: ${format(value(row, column), 3)}`;
  });
  const imageChoice = kata.choice("settings", "image", "Image", images.map(({ label }, index) => [index, `${index}: ${classes[label]}`]),
    (index) => pickImage(Number(index)));
  const mapChoice = kata.choice("settings", "channel", "Map", [], (index) => { state.map = Number(index); player.set(player.at); });

  function pickImage(index) {
    state.image = index;
    const { pixels, label, odds } = image(), guess = best(image());
    paint($("photo"), pixels[0].length, pixels[0][0].length, (row, column) => pixels.map((plane) => plane[row][column]));
    $("photo").setAttribute("aria-label", `Image ${index}: ${classes[label]}`);
    $("image-name").textContent = `is ${classes[label]}, taken for ${classes[guess]}`;
    const order = odds.map((_, c) => c).sort((a, b) => odds[b] - odds[a]);
    $("odds").replaceChildren(...order.slice(0, 4).map((c) => {
      const bar = make("span", { class: "bar" });
      bar.style.width = `${100 * odds[c]}%`;
      return make("div", {}, make(c === label ? "b" : "span", { text: classes[c] }), bar, make("span", { text: `${format(Math.round(1000 * odds[c]) / 10)} %` }));
    }));
    kata.table("odds-table", "Odds the network gives", ["class", "odds"], classes.map((name, c) => [name, format(odds[c])]));
    player.resize(image().layers.length || 1);
    player.set(player.at);
  }

  const shade = (number, lowest) => color.viridis(lowest < 0 ? (number + STEPS) / (2 * STEPS) : number / STEPS);

  function show(at) {
    if (!image().layers.length) return kata.say("This network has no convolutions, and so no feature maps.");
    const { name, of, channels, maps, top } = layer(), high = maps[0].length, wide = maps[0][0].length;
    const lowest = Math.min(0, ...kata.flat(maps));
    state.map = Math.min(state.map, maps.length - 1);
    mapChoice.replaceChildren(...channels.map((channel, index) => make("option", { value: index, text: `channel ${channel}` })));
    mapChoice.value = state.map;
    $("layer-name").textContent = `Layer ${at + 1}, ${name}`;
    $("layer-size").textContent = `${maps.length} strongest of ${of} maps, ${high} by ${wide}`;
    $("maps").replaceChildren(...maps.map((values, index) => {
      const canvas = make("canvas", { role: "img", "aria-label": `Map of channel ${channels[index]}` });
      paint(canvas, high, wide, (row, column) => shade(values[row][column], lowest));
      const panel = make("div", { class: index === state.map ? "picked" : "" }, canvas, String(channels[index]));
      panel.addEventListener("click", () => { state.map = index; player.go(player.at); });
      return panel;
    }));
    const picked = maps[state.map], numbers = kata.flat(picked).map((step) => (step * top) / STEPS);
    mapGrid.resize(high, wide);
    mapGrid.paintAll((row, column) => ({ text: wide > 8 ? "" : format(value(row, column), 2), rgb: shade(picked[row][column], lowest) }));
    mapGrid.label(`Map of channel ${channels[state.map]}; its numbers are in the table below.`);
    $("map-name").textContent = `channel ${channels[state.map]}`;
    $("point").textContent = "Point at a pixel to read its value.";
    kata.matrix("map-table", `Image ${state.image}, layer ${at + 1}, channel ${channels[state.map]}`, picked.map((row) => row.map((step) => (step * top) / STEPS)), (number) => format(number, 3));
    const positive = numbers.filter((number) => number > 0).length;
    kata.say(`Layer ${at + 1} of ${image().layers.length}, ${name}: ${of} maps of ${high} by ${wide}. Channel ${channels[state.map]}: ` +
      `largest value ${format(Math.max(...numbers), 3)}, ${positive} of ${numbers.length} above 0.`);
  }

  /* --- curves --------------------------------------------------------------------------------------------------- */

  const epochs = history.map(({ epoch }) => epoch), LEFT = 44, BOTTOM = 190, TOP = 12, RIGHT = 390;
  const across = (epoch) => LEFT + ((epoch - epochs[0]) / Math.max(1, epochs.at(-1) - epochs[0])) * (RIGHT - LEFT);
  const finite = (numbers) => numbers.filter(Number.isFinite);

  function chart(id, label, top, lines) {
    const up = (number) => BOTTOM - (Math.min(number, top) / top) * (BOTTOM - TOP), parts = [];
    for (const part of [0, 0.2, 0.4, 0.6, 0.8, 1]) {
      parts.push(svg("line", { x1: LEFT, x2: RIGHT, y1: up(part * top), y2: up(part * top) }),
        svg("text", { x: LEFT - 6, y: up(part * top) + 4, "text-anchor": "end" }, format(part * top, 2)));
    }
    for (const epoch of epochs.filter((_, index) => index % Math.ceil(epochs.length / 10) === 0))
      parts.push(svg("text", { x: across(epoch), y: BOTTOM + 20, "text-anchor": "middle" }, String(epoch)));
    for (const { values, style } of lines) {
      const points = values.map((number, index) => [across(epochs[index]), up(number), number]).filter(([, , number]) => Number.isFinite(number));
      parts.push(svg("polyline", { points: points.map(([x, y]) => `${x},${y}`).join(" "), class: `curve ${style}` }));
      if (style === "reference") continue;
      parts.push(...points.map(([x, y]) => (style === "second" ? svg("rect", { x: x - 4, y: y - 4, width: 8, height: 8 }) : svg("circle", { cx: x, cy: y, r: 4.5 }))));
    }
    $(id).replaceChildren(...parts);
    $(id).setAttribute("aria-label", label);
  }

  function curves() {
    const names = Object.keys(history[0]).filter((name) => name !== "epoch" && name !== "loss");
    const losses = history.map(({ loss }) => loss), percent = (name) => history.map((row) => 100 * row[name]);
    const compared = Boolean(right) && !data.numbers.data.startsWith("A finished");
    const lossLines = [{ values: losses, style: "" }], accuracyLines = names.map((name, index) => ({ values: percent(name), style: index ? "second" : "" }));
    if (compared) {
      lossLines.push({ values: right.history.map(({ loss }) => loss), style: "reference" });
      accuracyLines.push({ values: right.history.map((row) => 100 * row[names[0]]), style: "reference" });
    }
    const marks = ["dots", "squares, dashed"], key = compared ? "; fine dots without marks: the reference" : "";
    $("loss-key").textContent = key;
    $("accuracy-key").textContent = `(${names.map((name, index) => `${name}: ${marks[index]}`).join("; ")}${key})`;
    const tallest = Math.max(1, ...finite(losses.map((loss) => Math.min(loss, 10))), ...(compared ? finite(right.history.map(({ loss }) => loss)) : []));
    chart("loss", `Training loss from ${format(losses[0], 3)} in the first epoch to ${format(losses.at(-1), 3)} in the last.`, Math.ceil(2 * tallest) / 2, lossLines);
    chart("accuracy", names.map((name) => `${name} accuracy from ${format(percent(name)[0], 3)} % to ${format(percent(name).at(-1), 3)} %`).join(", ") + ".", 100, accuracyLines);
    kata.table("curves-table", "By epoch", ["epoch", "loss", ...names.map((name) => `accuracy, ${name}`), ...(compared ? ["the reference's loss"] : [])],
      history.map((row, index) => [String(row.epoch), format(row.loss), ...names.map((name) => format(row[name])), ...(compared ? [format(right.history[index].loss)] : [])]));
    judge(compared, names[0]);
  }

  function judge(compared, held) {
    const whose = data.about.reference ? "The reference" : kata.capital(data.about.owner) === "Your" ? "Your code" : `The code of ${data.about.owner.replace(/'s$/, "")}`;
    const last = history.at(-1);
    if (right && !compared) {
      const gap = kata.largest(images.map(({ odds }, index) => odds.map((value, c) => value - right.images[index].odds[c])));
      return kata.verdict(gap < 1e-3 ? `${whose} gives these images the odds that the reference gives.`
        : `${whose} gives other odds than the reference does with the same weights, by up to ${format(gap, 2)}.`, gap < 1e-3 ? "right" : "wrong");
    }
    if (!compared) return kata.verdict(`${whose} drew this. The last training loss is ${format(last.loss, 3)}; guessing costs 2.30.`);
    const best = right.history.at(-1), near = (a, b) => Math.abs(a - b) <= 0.02 * Math.max(1, b);
    const same = history.every((row, index) => near(row.loss, right.history[index].loss) && near(row[held], right.history[index][held]));
    kata.verdict(same ? `${whose} learns as the reference does from the same beginning, epoch for epoch.`
      : `${whose} ends at loss ${format(last.loss, 3)} and ${format(100 * last[held], 3)} % of the held-out images; the reference, from the ` +
        `same beginning, at ${format(best.loss, 3)} and ${format(100 * best[held], 3)} %.`, same ? "right" : "wrong");
  }

  /* --- confusion and filters ------------------------------------------------------------------------------------ */

  function matrix() {
    const totals = confusion.map((row) => row.reduce((sum, count) => sum + count, 0));
    const grid = new kata.Grid("confusion", (row, column) => {
      $("cell").textContent = `${confusion[row][column]} of ${totals[row]} images of ${classes[row]} are taken for ${classes[column]}.`;
    });
    grid.resize(classes.length, classes.length);
    grid.paintAll((row, column) => ({ text: String(confusion[row][column]), marks: row === column ? "right-one" : "",
      rgb: color.diverging((-0.9 * confusion[row][column]) / Math.max(1, totals[row]), 1) }));
    grid.label("Confusion matrix; its numbers are in the table below.");
    $("columns").append(...classes.map((_, index) => make("span", { text: String(index) })));
    $("rows").append(...classes.map((name, index) => make("span", { text: `${name} ${index}` })));
    const correct = confusion.reduce((sum, row, index) => sum + row[index], 0), all = totals.reduce((a, b) => a + b, 0);
    $("cell").textContent = `${correct} of ${all} are recognised, ${format((100 * correct) / all, 4)} %. Point at a cell to read it.`;
    kata.table("confusion-table", "Rows are what an image is, columns what it is taken for", ["", ...classes], confusion.map((row, index) => [classes[index], ...row.map(String)]));
  }

  function firstFilters() {
    $("filters-name").textContent = `${filters.length} of ${filters[0][0].length} by ${filters[0][0][0].length}`;
    $("filters").replaceChildren(...filters.map((kernel, index) => {
      const reach = kata.largest(kernel) || 1, canvas = make("canvas", { role: "img", "aria-label": `Filter ${index}` });
      paint(canvas, kernel[0].length, kernel[0][0].length, (row, column) => [0, 1, 2].map((c) => Math.round(127.5 + (127.5 * kernel[c][row][column]) / reach)));
      return make("div", {}, canvas, String(index));
    }));
    if (kata.flat(filters).length > 5000) return;
    kata.table("filters-table", "Weights of the first filters, row by row: red, then green, then blue",
      ["filter", ...kata.flat(filters[0]).map((_, index) => String(index))], filters.map((kernel, index) => [String(index), ...kata.flat(kernel).map((weight) => format(weight, 3))]));
  }

  curves();
  matrix();
  firstFilters();
  pickImage(Math.min(4, images.length - 1));
  imageChoice.value = state.image;
})();
