  // The ranking: rows are made as they are looked at, so that ten thousand cost no more than a hundred.
  const FIRST = 40, PAGE = 100;
  const alphabet = new Intl.Collator("en").compare;
  const board = one("#board"), scroll = board && board.closest(".scroll"), more = one("#more");
  let rows = [], made = 0;

  const chosen = table => {
    const wanted = (state["cols-" + table.name] || "").split(",").filter(Boolean);
    const known = wanted.length ? table.columns.filter(column => wanted.includes(column.id)) : [];
    return known.length ? known : table.columns.filter(column => column.shown);
  };
  const sorted = (table, list) => {
    const [id, direction] = (state["sort-" + table.name] || "").split(":");
    const sign = direction === "down" ? -1 : 1;
    const number = Object.hasOwn(table.numbers, id || "") ? table.numbers[id][0] : id === "rank" ? table.place : null;
    if (number) {
      return list.sort((a, b) => number[a] === null || number[b] === null
        ? (number[a] === null) - (number[b] === null) || a - b : sign * (number[a] - number[b]) || a - b);
    }
    const words = new Map([["name", i => titleOf(table.who[i])], ["dataset", i => short("dataset", table.who[i][0])], ["attack", i => short("attack", table.attack[i])]]).get(id);
    if (!words) return list;
    const named = new Map(list.map(i => [i, words(i)]));
    return list.sort((a, b) => sign * alphabet(named.get(a), named.get(b)) || a - b);
  };

  const leading = table => [
    ...(table.name === "classifiers" ? [{ id: "rank", title: "Rank", kind: "rank" }] : []),
    { id: "name", title: "Classifier", kind: "name" },
    ...(several ? [{ id: "dataset", title: "Data set", kind: "word" }] : []),
    ...(table.name === "attacks" ? [{ id: "attack", title: "Attack", kind: "word" }] : []),
  ];
  const head = table => {
    const [id, direction] = (state["sort-" + table.name] || "").split(":");
    const columns = [...leading(table), ...chosen(table).map(column => ({ ...column, kind: "number" }))];
    const cells = columns.map(column => {
      const sort = column.id !== id ? "none" : direction === "down" ? "descending" : "ascending";
      const button = make("button", { type: "button", "aria-describedby": column.meaning ? "about-" + column.id : undefined }, column.title);
      button.dataset.column = column.id;
      button.dataset.first = column.kind === "number" ? "down" : "up";
      return make("th", { scope: "col", className: column.kind, "aria-sort": sort }, button);
    });
    const focused = document.activeElement && document.activeElement.dataset && document.activeElement.dataset.column;
    board.tHead.replaceChildren(make("tr", {}, ...cells));
    if (focused) { const again = one(`[data-column="${CSS.escape(focused)}"]`, board.tHead); if (again) again.focus({ preventScroll: true }); }
  };
  const bar = (column, numbers, i) => {
    if (column.unit !== "share" && column.unit !== "area" || numbers[1][i] < 0) return null;
    const element = make("i", { className: "bar", "aria-hidden": "true" });
    for (const [name, at] of [["--l", 1], ["--v", 0], ["--h", 2]]) element.style.setProperty(name, 100 * numbers[at][i]);
    return element;
  };
  const number = (table, column, i) => {
    const numbers = table.numbers[column.id];
    const text = write(numbers[0][i], column.unit);
    if (!text) return make("td", { className: "number" });
    const small = between(numbers[1][i], numbers[2][i], column.unit);
    const over = table.note[i] && ["reach_l2", "gradients", "epsilon_ratio"].includes(column.id) && table.name === "classifiers" ? table.note[i] : "";
    return make("td", { className: "number" }, make("b", {}, text), bar(column, numbers, i), small ? make("small", {}, small) : null, over ? make("small", { className: "over" }, over) : null);
  };
  const line = (table, i) => {
    const who = table.who[i];
    const open = make("button", { type: "button", className: "open", title: KINDS.slice(1).map((kind, k) => full(kind, who[k + 1])).join(" · ") }, ...broken(short("model", who[2])));
    open.dataset.row = i;
    const name = make("th", { scope: "row", className: "name" }, open,
      make("small", {}, ...broken(`${short("representation", who[1])} · ${short("defense", who[3])}`)), ...badges(table.flags[i]));
    return make("tr", {},
      table.name === "classifiers" ? make("td", { className: "rank" }, make("b", {}, table.rank[i] || "–")) : null,
      name,
      several ? make("td", { className: "word" }, ...broken(short("dataset", who[0]))) : null,
      table.name === "attacks" ? make("td", { className: "word", title: full("attack", table.attack[i]) }, make("b", {}, ...broken(short("attack", table.attack[i]))), table.note[i] ? make("small", {}, table.note[i]) : null) : null,
      ...chosen(table).map(column => number(table, column, i)));
  };
  const extend = count => {
    const table = tables[view()], next = rows.slice(made, made + count);
    board.tBodies[0].append(...next.map(i => line(table, i)));
    made += next.length;
    more.hidden = made >= rows.length;
  };
  const draw = () => {
    if (!board) return;
    const table = tables[view()], list = [];
    for (let i = 0; i < table.size; i += 1) if (fits(table, i)) list.push(i);
    rows = sorted(table, list);
    made = 0;
    board.caption.textContent = view() === "attacks" ? "Attacks, by classifier" : "Classifiers, the best first";
    head(table);
    board.tBodies[0].replaceChildren();
    extend(FIRST);
    scroll.hidden = rows.length === 0;
    one("#nothing").hidden = rows.length > 0;
    one("#count").textContent = rows.length === table.size ? counted(table.size, "row") : `${rows.length.toLocaleString("en-US")} of ${counted(table.size, "row")}`;
    for (const button of all("[data-view]")) button.setAttribute("aria-pressed", String(button.dataset.view === view()));
  };
  const offer = () => {
    if (!board) return;
    const table = tables[view()], here = chosen(table).map(column => column.id);
    const boxes = table.columns.map(column => {
      const box = make("input", { type: "checkbox", checked: here.includes(column.id), value: column.id });
      return make("label", {}, box, column.title);
    });
    one("#columns > div").replaceChildren(...boxes);
  };

  // The rows as they stand, for a spreadsheet.
  const FORMULA = /^[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]/;
  const cell = value => {
    if (value === null || value === undefined) return "";
    const safe = typeof value === "string" && FORMULA.test(value) ? "'" + value : String(value);
    return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
  };
  const sheet = () => {
    const table = tables[view()], columns = chosen(table);
    const header = [...(table.name === "classifiers" ? ["rank"] : []), ...KINDS, ...(table.name === "attacks" ? ["attack"] : []),
      ...columns.flatMap(column => [column.id, column.id + "_low", column.id + "_high", column.id + "_n"]), "flags"];
    const lines = rows.map(i => [
      ...(table.name === "classifiers" ? [table.rank[i]] : []),
      ...KINDS.map((kind, k) => full(kind, table.who[i][k])),
      ...(table.name === "attacks" ? [full("attack", table.attack[i])] : []),
      ...columns.flatMap(column => table.numbers[column.id].map(end => end[i])),
      table.flags[i].map(flag => data.flags[flag][0]).join("; "),
    ]);
    return [header, ...lines].map(each => each.map(cell).join(",")).join("\n") + "\n";
  };
  const save = (name, text) => {
    const link = make("a", { href: URL.createObjectURL(new Blob([text], { type: "text/csv;charset=utf-8" })), download: name });
    link.click();
    URL.revokeObjectURL(link.href);
  };
