"use strict";
/* What the pages of all topics share: numbers and colours, grids of cells, the player, keys, sentences, tables. */
const kata = (() => {
  const special = new Set(["NaN", "Infinity", "-Infinity"]);
  const data = JSON.parse(document.getElementById("numbers").textContent,
    (key, value) => (special.has(value) ? Number(value) : value));
  const $ = (id) => document.getElementById(id);

  /* make("b", {id: "x", text: "hello"}, child, ...) */
  function make(tag, attributes = {}, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name === "text") element.textContent = value;
      else if (value === true) element.setAttribute(name, "");
      else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value);
    }
    element.append(...children);
    return element;
  }

  /* numbers as text: 12, −3.25, 0.1111 */
  function format(value, digits = 4) {
    if (!Number.isFinite(value)) return Number.isNaN(value) ? "NaN" : value < 0 ? "−∞" : "∞";
    let text = Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(digits)));
    if (Math.abs(value) < 1e-12) text = "0";
    return text.replace("-", "−");
  }
  const short = (value) => format(value, Math.abs(value) < 10 ? 2 : 3);
  const close = (a, b) => Object.is(a, b) || a === b || Math.abs(a - b) <= 1e-6 * Math.max(1, Math.abs(a), Math.abs(b));

  /* colours, each [r, g, b] */
  const mix = (from, to, part) => from.map((start, index) => Math.round(start + (to[index] - start) * part));
  const bounded = (part) => Math.min(1, Math.max(0, Number.isFinite(part) ? part : 0));
  const BLUE = [0, 114, 178], ORANGE = [213, 94, 0], WHITE = [247, 247, 245];
  const VIRIDIS = [[68, 1, 84], [59, 82, 139], [33, 145, 140], [94, 201, 98], [253, 231, 37]];
  const color = {
    grey: (value, top = 9) => mix([0, 0, 0], [255, 255, 255], bounded(value / top)),
    diverging: (value, reach) =>
      mix(WHITE, value < 0 ? BLUE : ORANGE, bounded(Math.abs(value) / (reach || 1))),
    viridis: (part) => {
      const place = bounded(part) * (VIRIDIS.length - 1), index = Math.min(VIRIDIS.length - 2, Math.floor(place));
      return mix(VIRIDIS[index], VIRIDIS[index + 1], place - index);
    },
    /* black or white, whichever is read better on a colour */
    ink: (rgb) => {
      const [r, g, b] = rgb.map((c) => c / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
      return 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.179 ? "#000" : "#fff";
    },
    css: (rgb) => `rgb(${rgb.join(" ")})`,
  };

  /* A matrix of cells in the element `id`, which gets role img and a label.
     resize(rows, columns); paint(row, column, {text, rgb, marks}); label(text); onpoint(row, column) on hover and click. */
  class Grid {
    constructor(id, onpoint = null) {
      this.element = $(id);
      this.element.setAttribute("role", "img");
      this.cells = [];
      this.frames = [];
      if (onpoint) {
        const point = (event) => {
          const index = this.cells.indexOf(event.target);
          if (index >= 0) onpoint(Math.floor(index / this.columns), index % this.columns);
        };
        this.element.addEventListener("pointermove", (event) => event.pointerType === "mouse" && point(event));
        this.element.addEventListener("click", point);
      }
    }
    resize(rows, columns) {
      if (this.rows === rows && this.columns === columns) return;
      [this.rows, this.columns] = [rows, columns];
      this.element.style.setProperty("--columns", columns);
      this.element.style.setProperty("--rows", rows);
      this.cells = Array.from({ length: rows * columns }, () => make("i", { "aria-hidden": "true" }));
      this.element.replaceChildren(...this.cells, ...this.frames);
    }
    paint(row, column, { text = "", rgb = null, marks = "" }) {
      const cell = this.cells[row * this.columns + column];
      const names = [marks, this.columns > 12 ? "dense" : "", text.length > 3 ? "long" : ""].filter(Boolean).join(" ");
      if (cell.textContent !== text) cell.textContent = text;
      if (cell.className !== names) cell.className = names;
      const back = rgb ? color.css(rgb) : "", front = rgb ? color.ink(rgb) : "";
      if (cell.dataset.back !== back) {
        cell.dataset.back = back;
        cell.style.background = back;
        cell.style.color = front;
      }
    }
    paintAll(cellOf) {
      for (let row = 0; row < this.rows; row++)
        for (let column = 0; column < this.columns; column++) this.paint(row, column, cellOf(row, column));
    }
    text(row, column) { return this.cells[row * this.columns + column].textContent; }
    label(text) { this.element.setAttribute("aria-label", text); }
    /* the number-th frame lies around high by wide cells; hide it with frame(number, null) */
    frame(number, row, column, high = 1, wide = 1) {
      let frame = this.frames[number];
      if (!frame) {
        frame = make("div", { class: "frame" });
        this.frames[number] = frame;
        this.element.append(frame);
      }
      frame.hidden = row === null;
      if (row === null) return;
      Object.assign(frame.style, {
        left: `${(100 * column) / this.columns}%`, top: `${(100 * row) / this.rows}%`,
        width: `${(100 * wide) / this.columns}%`, height: `${(100 * high) / this.rows}%`,
      });
    }
  }

  /* Buttons that go through positions 0 to count - 1 in the element `id`; keys on the element `stage` do it too.
     show(position) draws; columns() tells how far an arrow up or down goes, or vertical(by) does something else;
     what(position) names it: "row 2, column 5". */
  class Player {
    constructor({ id = "player", stage = "stage", explorer = "explorer", show, columns = () => 1, vertical = null,
      what = null }) {
      Object.assign(this, { show, columns, vertical, what, count: 1, at: 0, timer: null, pace: 4 });
      const button = (text, label, action, main = false) => {
        const made = make("button", { type: "button", text, "aria-label": label, title: label, class: main && "main" });
        made.addEventListener("click", action);
        return made;
      };
      this.first = button("|◀", "First position", () => this.go(0));
      this.back = button("◀", "One step back", () => this.go(this.at - 1));
      this.toggle = button("Play", null, () => this.play(this.timer === null), true);
      this.next = button("▶", "One step on", () => this.go(this.at + 1));
      this.last = button("▶|", "Last position", () => this.go(this.count - 1));
      this.slider = make("input", { type: "range", id: `${id}-at`, min: 0, max: 0, value: 0, step: 1 });
      this.slider.addEventListener("input", () => this.go(Number(this.slider.value)));
      this.speed = make("input", { type: "range", id: `${id}-speed`, min: 1, max: 10, value: 4, step: 1 });
      this.speed.addEventListener("input", () => this.faster(Number(this.speed.value) - this.pace));
      this.place = make("span", { class: "place" });
      for (const mark of [this.first, this.back, this.next, this.last]) mark.append("\ufe0e");
      $(id).setAttribute("role", "group");
      $(id).setAttribute("aria-label", "Player");
      $(id).append(this.first, this.back, this.toggle, this.next, this.last,
        make("span", {}, make("label", { for: `${id}-at`, text: "Position" }), this.slider),
        make("span", {}, make("label", { for: `${id}-speed`, text: "Speed" }), this.speed), this.place);
      $(explorer).addEventListener("keydown", (event) => this.key(event));
      $(stage).addEventListener("click", () => $(stage).focus({ preventScroll: true }));
    }
    key(event) {
      const tag = event.target.tagName;
      if (event.altKey || event.ctrlKey || event.metaKey || /^(INPUT|SELECT|TEXTAREA)$/.test(tag)) return;
      if (event.key === " " && /^(BUTTON|SUMMARY)$/.test(tag)) return;
      const actions = {
        ArrowLeft: () => this.go(this.at - 1), ArrowRight: () => this.go(this.at + 1),
        ArrowUp: () => this.upOrDown(-1), ArrowDown: () => this.upOrDown(1),
        Home: () => this.go(0), End: () => this.go(this.count - 1),
        " ": () => this.play(this.timer === null), "+": () => this.faster(1), "=": () => this.faster(1),
        "-": () => this.faster(-1),
      };
      if (!(event.key in actions)) return;
      event.preventDefault();
      actions[event.key]();
    }
    /* show a position; playing stops when a person goes somewhere */
    go(position, stay = false) {
      this.play(false);
      if (stay && (position < 0 || position >= this.count)) return;
      this.set(position);
    }
    upOrDown(by) {
      if (this.vertical) this.vertical(by);
      else this.go(this.at + by * this.columns(), true);
    }
    set(position) {
      this.at = Math.min(this.count - 1, Math.max(0, position));
      this.slider.max = this.count - 1;
      this.slider.value = this.at;
      const named = this.what ? this.what(this.at) : "";
      this.slider.setAttribute("aria-valuetext", `${this.at + 1} of ${this.count}${named && `: ${named}`}`);
      this.place.textContent = `${this.at + 1} of ${this.count}`;
      this.show(this.at);
    }
    resize(count) { this.count = count; }
    play(wanted) {
      if (wanted === (this.timer !== null)) return;
      if (wanted && this.at === this.count - 1) this.set(0);
      clearInterval(this.timer);
      this.timer = wanted ? setInterval(() => this.tick(), 1400 / this.pace) : null;
      this.toggle.textContent = wanted ? "Pause" : "Play";
      $("sentence").setAttribute("aria-live", wanted ? "off" : "polite");
      if (!wanted) this.show(this.at);
    }
    tick() {
      if (this.at === this.count - 1) return this.play(false);
      this.set(this.at + 1);
    }
    faster(by) {
      this.pace = Math.min(10, Math.max(1, this.pace + by));
      this.speed.value = this.pace;
      if (this.timer === null) return;
      this.play(false);
      this.play(true);
    }
  }

  /* a labelled <select> appended to the element `parent`; options are [value, text] or plain values */
  function choice(parent, id, label, options, onchange) {
    const select = make("select", { id }, ...options.map((option) => {
      const [value, text] = Array.isArray(option) ? option : [option, String(option)];
      return make("option", { value, text });
    }));
    select.addEventListener("change", () => onchange(select.value));
    $(parent).append(make("div", {}, make("label", { for: id, text: label }), select));
    return select;
  }

  /* rows of texts as a table in the element `id`; the first of a row and the whole head are headers */
  function table(id, caption, head, rows) {
    const cell = (text, index) => make(index ? "td" : "th", { text, scope: index ? null : "row" });
    $(id).replaceChildren(make("table", {}, make("caption", { text: caption }),
      make("thead", {}, make("tr", {}, ...head.map((text) => (text ? make("th", { text, scope: "col" }) : make("td"))))),
      make("tbody", {}, ...rows.map((row) => make("tr", {}, ...row.map(cell))))));
  }
  /* a matrix as such a table, rows and columns numbered */
  function matrix(id, caption, values, text = format) {
    const wide = values.length ? values[0].length : 0;
    table(id, caption, ["", ...Array.from({ length: wide }, (_, index) => `column ${index}`)],
      values.map((row, index) => [`row ${index}`, ...row.map((value) => text(value))]));
  }

  function say(text) { if ($("sentence").textContent !== text) $("sentence").textContent = text; }
  /* how the solution's numbers stand to the definition; state is "right", "wrong" or "" */
  function verdict(text, state = "") {
    $("verdict").textContent = text;
    $("verdict").className = state;
  }
  /* "your conv2d_forward" or "the reference's conv2d_forward" */
  function named(exercise) {
    const { owner, reference, replaced } = data.about;
    return `${reference || exercise in replaced ? "the reference's" : owner} ${exercise}`;
  }
  /* at a sentence's head; a file's name keeps its letters */
  const capital = (text) => (/^(your|the) /.test(text) ? text[0].toUpperCase() + text.slice(1) : text);
  const flat = (values) => values.flat(Infinity);
  const largest = (values) => Math.max(0, ...flat(values).filter(Number.isFinite).map(Math.abs));

  return { data, $, make, format, short, close, color, Grid, Player, choice, table, matrix, say, verdict, named, capital,
    flat, largest };
})();
