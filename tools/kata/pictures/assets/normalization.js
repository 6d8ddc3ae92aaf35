/* Topic 16. What shares a mean was found in Python by probing the solution; the page knows the definition. */
(() => {
  const { data, $, make, format, color } = kata;
  const { x, shape, eps, norms, exercises, batch_is_reference } = data.numbers;
  const [N, C, H, W] = shape, ROWS = C * H, COLUMNS = N * W;
  const values = kata.flat(x), state = { norm: "group norm, 2 groups" };

  /* the element that stands at a row and column of the picture, and the other way round */
  const element = (row, column) => ((Math.floor(column / W) * C + Math.floor(row / H)) * H + (row % H)) * W + (column % W);
  const place = (k) => ({ n: Math.floor(k / (C * H * W)), c: Math.floor(k / (H * W)) % C, h: Math.floor(k / W) % H, w: k % W });
  const at = (position) => element(Math.floor(position / COLUMNS), position % COLUMNS);

  const tenth = (value) => format(Math.round(10 * value) / 10);
  const norm = () => norms[state.norm];
  const outputs = () => norm().flat ??= kata.flat(norm().out);
  const members = (k) => norm().sets[norm().of[k]];
  const perGroup = () => C / Number(/(\d+) group/.exec(state.norm)[1]);

  /* the definition: the set an element belongs to, by its name */
  function setOf(k) {
    const { n, c } = place(k);
    if (state.norm.startsWith("batch")) return `${c}`;
    if (state.norm.startsWith("layer")) return `${n}`;
    if (state.norm.startsWith("instance")) return `${n},${c}`;
    return `${n},${Math.floor(c / perGroup())}`;
  }
  const defined = (k) => values.map((_, other) => other).filter((other) => setOf(other) === setOf(k));
  const average = (numbers) => numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
  function statistics(elements) {
    const numbers = elements.map((k) => values[k]), mean = average(numbers);
    return { numbers, mean, variance: average(numbers.map((number) => (number - mean) ** 2)) };
  }
  const normalized = (k, { mean, variance }) => (values[k] - mean) / Math.sqrt(variance + eps);

  const player = new kata.Player({ show, columns: () => COLUMNS,
    what: (position) => { const { n, c, h, w } = place(at(position)); return `image ${n}, channel ${c}, row ${h}, column ${w}`; } });
  const pick = (row, column) => player.go(row * COLUMNS + column);
  const inputGrid = new kata.Grid("input", pick), outputGrid = new kata.Grid("output", pick);
  inputGrid.resize(ROWS, COLUMNS);
  outputGrid.resize(ROWS, COLUMNS);
  for (const id of ["input-channels", "output-channels"])
    $(id).append(...Array.from({ length: C }, (_, c) => make("span", { text: `c${c}` })));
  const edges = (row, column) => `${column % W === W - 1 && column < COLUMNS - 1 ? " right" : ""}${row % H === H - 1 && row < ROWS - 1 ? " below" : ""}`;
  $("input-size").textContent = `${N} images, ${C} channels of ${H} by ${W}`;
  let right, wrong;

  function settle() {
    const cache = {};
    right = values.map((_, k) => normalized(k, (cache[setOf(k)] ??= statistics(defined(k)))));
    const sets = {};
    for (let k = 0; k < values.length; k++) (sets[setOf(k)] ??= []).push(k);
    wrong = { sets: values.filter((_, k) => members(k).join() !== sets[setOf(k)].join()).length,
      values: values.filter((_, k) => !agrees(k)).length };
    outputGrid.paintAll((row, column) => {
      const k = element(row, column), value = outputs()[k];
      return { text: tenth(value), rgb: color.diverging(value, 2.5), marks: (agrees(k) ? "" : "wrong") + edges(row, column) };
    });
    const head = ["", ...Array.from({ length: COLUMNS }, (_, column) => `image ${Math.floor(column / W)}, column ${column % W}`)];
    const rows = (text) => Array.from({ length: ROWS }, (_, row) => [`channel ${Math.floor(row / H)}, row ${row % H}`,
      ...Array.from({ length: COLUMNS }, (_, column) => text(element(row, column)))]);
    kata.table("input-table", "The input", head, rows((k) => format(values[k])));
    kata.table("output-table", `The output of ${who()}`, head, rows((k) => format(outputs()[k])));
    inputGrid.label("The input, images side by side, channels below each other; its numbers are in the tables below.");
    outputGrid.label("The output, laid out like the input; its numbers are in the tables below.");
    player.resize(ROWS * COLUMNS);
    player.set(player.at);
  }
  const agrees = (k) => Math.abs(outputs()[k] - right[k]) <= 1e-5 * Math.max(1, Math.abs(right[k]));
  function who() {
    const name = exercises[state.norm];
    if (name !== "batch_norm_forward") return kata.named(name);
    return `${batch_is_reference ? "the reference's" : "your"} ${name} (Topic 14)`;
  }

  function show(position) {
    const k = at(position), mine = new Set(members(k)), should = new Set(defined(k));
    inputGrid.paintAll((row, column) => {
      const other = element(row, column), same = mine.has(other) === should.has(other);
      return { text: format(values[other]), rgb: color.diverging(mine.has(other) ? 0.5 : 0, 1),
        marks: (same ? "" : "wrong ") + (mine.has(other) ? "member" : "") + edges(row, column) };
    });
    const row = Math.floor(position / COLUMNS), column = position % COLUMNS;
    inputGrid.frame(0, row, column);
    outputGrid.frame(0, row, column);
    write(k, statistics([...mine].sort((a, b) => a - b)));
    judge(k, mine, should);
  }

  function write(k, found) {
    const { numbers, mean, variance } = found, { n, c, h, w } = place(k), middle = format(mean, 5), count = numbers.length;
    kata.say(`Image ${n}, channel ${c}, row ${h}, column ${w} is ${format(values[k])}. It shares a mean with ${count - 1} other ` +
      `values: mean ${middle}, variance ${format(variance, 5)}, output ${format(outputs()[k])}.`);
    $("mean").textContent = `mean = (${numbers.map((number) => format(number)).join(" + ")}) / ${count} = ${middle}`;
    $("variance").textContent = `variance = (${numbers.map((number) => `(${format(number)} − ${middle})²`).join(" + ")}) / ` +
      `${count} = ${format(variance, 5)}`;
    $("result").textContent = `(${format(values[k])} − ${middle}) / √(${format(variance, 5)} + ${String(eps)}) = ` +
      format(normalized(k, found), 5);
  }

  function judge(k, mine, should) {
    const name = kata.capital(who());
    if (!wrong.sets && !wrong.values) {
      return kata.verdict(`${name} gives what the definition gives, for all ${values.length} values.`, "right");
    }
    const parts = [];
    if (wrong.sets) {
      const apart = [...should].filter((other) => !mine.has(other)).length, extra = [...mine].filter((other) => !should.has(other)).length;
      parts.push(`${name} measures ${wrong.sets} of ${values.length} values with another set than the definition; here it takes in ` +
        `${extra} it should not and leaves out ${apart}, framed in black.`);
    }
    if (wrong.values) {
      parts.push(`${name} gives ${wrong.values} of ${values.length} numbers that differ from the definition; here ` +
        (agrees(k) ? `both give ${format(right[k], 5)}.` : `it gives ${format(outputs()[k], 5)}, the definition ${format(right[k], 5)}.`));
    }
    kata.verdict(parts.join(" "), "wrong");
  }

  const select = kata.choice("settings", "norm", "Norm", Object.keys(norms), (value) => { state.norm = value; settle(); });
  select.value = state.norm;
  player.at = 7 * COLUMNS + 4;
  settle();
})();
