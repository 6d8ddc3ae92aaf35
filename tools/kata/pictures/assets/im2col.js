/* Topic 12. The page computes columns and counts itself and shows the solution's numbers. */
(() => {
  const { data, $, format, close, color } = kata;
  const { image, settings, channels, sides, strides, paddings } = data.numbers;
  const H = image[0].length, W = image[0][0].length;
  const state = { channels: 1, side: "2x2", stride: 1, padding: 0, way: "im2col", entry: 0 };
  const ways = [["im2col", "im2col: image to columns"], ["ones", "col2im: columns of ones"],
    ["columns", "col2im: the image's columns"]];

  const kernel = () => state.side.split("x").map(Number);
  const across = () => Math.floor((W + 2 * state.padding - kernel()[1]) / state.stride) + 1;
  const down = () => Math.floor((H + 2 * state.padding - kernel()[0]) / state.stride) + 1;
  const entries = () => state.channels * kernel()[0] * kernel()[1];
  const given = () => settings[`${state.channels} ${state.side} ${state.stride} ${state.padding}`];
  const forward = () => state.way === "im2col";

  /* the definition: which pixel entry k of column l reads; row and column count inside the border */
  function place(k, l) {
    const [kh, kw] = kernel(), cell = k % (kh * kw);
    const row = Math.floor(l / across()) * state.stride + Math.floor(cell / kw);
    const column = (l % across()) * state.stride + (cell % kw);
    return { channel: Math.floor(k / (kh * kw)), row, column, u: Math.floor(cell / kw), v: cell % kw,
      real: row >= state.padding && row < H + state.padding && column >= state.padding && column < W + state.padding };
  }
  const pixel = ({ channel, row, column, real }) =>
    (real ? image[channel][row - state.padding][column - state.padding] : 0);
  const sent = (k, l) => (state.way === "ones" ? 1 : pixel(place(k, l)));
  /* the definition: what a pixel holds when the columns up to l have gone back */
  function received(channel, row, column, l) {
    let sum = 0;
    for (let m = 0; m <= l; m++)
      for (let k = 0; k < entries(); k++) {
        const at = place(k, m);
        if (at.channel === channel && at.row === row && at.column === column) sum += sent(k, m);
      }
    return sum;
  }
  const readers = (channel, row, column) => {
    const found = [];
    for (let l = 0; l < across() * down(); l++)
      for (let k = 0; k < entries(); k++) {
        const at = place(k, l);
        if (at.channel === channel && at.row === row && at.column === column) found.push(l);
      }
    return found;
  };

  /* copies of a pixel have the pixel's colour */
  const tint = ({ channel, row, column, real }) => (real
    ? color.viridis((channel * H * W + (row - state.padding) * W + column - state.padding) / (state.channels * H * W - 1))
    : [200, 200, 200]);

  const player = new kata.Player({
    show, vertical: (by) => { state.entry = Math.min(entries() - 1, Math.max(0, state.entry + by)); show(player.at); },
    what: (at) => `output row ${Math.floor(at / across())}, column ${at % across()}`,
  });
  const images = ["image", "image1"].map((id, channel) => new kata.Grid(id, (row, column) => point(channel, row, column)));
  const columns = new kata.Grid("columns", (k, l) => { state.entry = k; state.pointed = null; player.go(l); });
  $("explorer").addEventListener("pointerleave", forget);
  $("image").addEventListener("pointerleave", forget);
  $("image1").addEventListener("pointerleave", forget);

  function point(channel, row, column) {
    player.play(false);
    state.pointed = { channel, row, column };
    show(player.at);
  }
  function forget() {
    if (!state.pointed) return;
    state.pointed = null;
    show(player.at);
  }

  function settle() {
    const [kh, kw] = kernel(), length = across() * down();
    state.entry = Math.min(state.entry, entries() - 1);
    state.pointed = null;
    $("image1").hidden = state.channels === 1;
    for (const [channel, grid] of images.entries()) {
      grid.resize(H + 2 * state.padding, W + 2 * state.padding);
      grid.label(`Channel ${channel} of ${forward() ? "the image" : "what came back"}; the numbers are in the tables below.`);
    }
    columns.resize(entries(), length);
    columns.label(`Matrix of ${entries()} rows and ${length} columns; its numbers are in the tables below.`);
    $("image-name").textContent = forward() ? "Image" : "What came back";
    $("image-size").textContent = `${state.channels === 2 ? "2 channels of " : ""}${H} by ${W}` +
      (state.padding ? ", in a border of zeros" : "");
    $("columns-size").textContent = `${entries()} entries (${state.channels === 2 ? "2 channels · " : ""}${kh} · ${kw}), ` +
      `${length} windows (${down()} · ${across()})`;
    const back = given().back[state.way];
    kata.table("image-table", forward() ? "The image" : `What ${kata.named("col2im")} makes of all columns`,
      ["", ...Array.from({ length: W }, (_, column) => `column ${column}`)],
      Array.from({ length: state.channels * H }, (_, index) => {
        const [channel, row] = [Math.floor(index / H), index % H];
        const values = forward() ? image[channel][row] : back[length - 1][channel][row];
        return [`channel ${channel}, row ${row}`, ...values.map((value) => format(value))];
      }));
    kata.matrix("columns-table", `The columns, from ${kata.named("im2col")}`, given().columns);
    player.resize(length);
    player.set(player.at);
  }

  function show(l) {
    const [kh, kw] = kernel(), top = Math.floor(l / across()) * state.stride, left = (l % across()) * state.stride;
    const lit = state.pointed || place(state.entry, l);
    const same = (at) => at.channel === lit.channel && at.row === lit.row && at.column === lit.column;
    const back = forward() ? null : given().back[state.way][l];
    const most = forward() ? 0 : kata.largest(given().back[state.way][across() * down() - 1]);
    for (let channel = 0; channel < state.channels; channel++) {
      images[channel].paintAll((row, column) => {
        const real = row >= state.padding && row < H + state.padding && column >= state.padding && column < W + state.padding;
        const at = { channel, row, column, real }, marks = same(at) ? "lit" : "";
        if (!real) return { text: forward() ? "0" : "", rgb: [200, 200, 200], marks: `border ${marks}` };
        if (forward()) return { text: format(pixel(at)), rgb: tint(at), marks };
        const value = back[channel][row - state.padding][column - state.padding];
        const right = close(value, received(channel, row, column, l));
        return { text: format(value), rgb: color.diverging(value, most * 1.5), marks: right ? marks : "wrong" };
      });
      images[channel].frame(0, top, left, kh, kw);
    }
    columns.paintAll((k, m) => {
      if (forward() && m > l && !state.pointed) return { marks: "empty" };
      const at = place(k, m), value = forward() ? given().columns[k][m] : sent(k, m);
      const wrong = forward() && !close(value, pixel(at));
      return { text: format(value), rgb: tint(at), marks: wrong ? "wrong" : state.pointed ? (same(at) ? "lit" : "")
        : k === state.entry && m === l ? "lit" : "" };
    });
    columns.frame(0, 0, l, entries(), 1);
    intoView(l);
    speak(l, top, left);
    judge(l);
  }

  /* keep the framed column in the box where the matrix is wider than the screen */
  function intoView(l) {
    const box = $("columns-box"), wide = $("columns").offsetWidth / columns.columns;
    if (wide * (l + 1) > box.scrollLeft + box.clientWidth - wide) box.scrollLeft = wide * (l + 2) - box.clientWidth;
    if (wide * l < box.scrollLeft + wide) box.scrollLeft = wide * (l - 1);
  }

  const where = ({ row, column, real, channel }) => {
    const named = `row ${row - state.padding}, column ${column - state.padding}`;
    return real ? `the pixel at ${state.channels === 2 ? `channel ${channel}, ` : ""}${named}` : "the border";
  };

  function speak(l, top, left) {
    const [kh, kw] = kernel(), shift = state.padding;
    if (state.pointed) {
      const { channel, row, column } = state.pointed, read = readers(channel, row, column);
      const real = row >= shift && row < H + shift && column >= shift && column < W + shift;
      const name = where({ ...state.pointed, real });
      kata.say(`${name[0].toUpperCase()}${name.slice(1)} is read by ${read.length} window${read.length === 1 ? "" : "s"}` +
        (read.length ? `: column${read.length === 1 ? "" : "s"} ${read.join(", ")}.` : "."));
      return;
    }
    const at = place(state.entry, l), of = state.channels === 2 ? `channel ${at.channel}, ` : "";
    const window = `rows ${top - shift} to ${top - shift + kh - 1} and columns ${left - shift} to ${left - shift + kw - 1}`;
    if (forward()) {
      kata.say(`Column ${l} is the window over ${window}. Its entry ${state.entry} (${of}window row ${at.u}, column ${at.v}) ` +
        `is ${where(at)}: ${format(pixel(at))}.`);
    } else if (at.real) {
      kata.say(`Column ${l} is added to ${window}. Its entry ${state.entry}, ${format(sent(state.entry, l))}, goes to ` +
        `${where(at)}, which now holds ${format(received(at.channel, at.row, at.column, l))}.`);
    } else {
      kata.say(`Column ${l} is added to ${window}. Its entry ${state.entry} goes to the border and is dropped.`);
    }
  }

  function judge(l) {
    const name = kata.named(forward() ? "im2col" : "col2im"), who = kata.capital(name);
    const pairs = [];
    if (forward()) {
      given().columns.forEach((row, k) => row.forEach((value, m) =>
        pairs.push([value, pixel(place(k, m)), k === state.entry && m === l])));
    } else {
      const lit = place(state.entry, l);
      given().back[state.way][l].forEach((rows, channel) => rows.forEach((row, i) => row.forEach((value, j) => {
        const [r, c] = [i + state.padding, j + state.padding];
        pairs.push([value, received(channel, r, c, l), lit.channel === channel && lit.row === r && lit.column === c]);
      })));
    }
    const wrong = pairs.filter(([value, right]) => !close(value, right)).length, here = pairs.find((pair) => pair[2]);
    const what = forward() ? "entries" : "pixels";
    if (!wrong) return kata.verdict(`${who} gives what the definition gives, at all ${pairs.length} ${what}.`, "right");
    kata.verdict(`${who} differs from the definition at ${wrong} of ${pairs.length} ${what}, framed in black.` +
      (here ? close(here[0], here[1]) ? ` Here both give ${format(here[0])}.`
        : ` Here ${name} gives ${format(here[0])}, the definition gives ${format(here[1])}.` : ""), "wrong");
  }

  const set = (name, turn = String) => (value) => { state[name] = turn(value); settle(); };
  kata.choice("settings", "way", "Direction", ways, set("way"));
  kata.choice("settings", "side", "Window", sides.map(([kh, kw]) => [`${kh}x${kw}`, `${kh} by ${kw}`]), set("side"));
  kata.choice("settings", "stride", "Stride", strides, set("stride", Number));
  kata.choice("settings", "padding", "Padding", paddings, set("padding", Number));
  kata.choice("settings", "channels", "Channels", channels, set("channels", Number));
  settle();
})();
