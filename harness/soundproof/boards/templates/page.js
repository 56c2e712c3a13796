"use strict";
(() => {
  const all = (selector, from = document) => [...from.querySelectorAll(selector)];
  const one = (selector, from = document) => from.querySelector(selector);
  const root = document.documentElement;
  const search = one("#search"), selects = all("select[data-facet]"), via = one("#via");
  const boards = all("table.board"), heats = all("table.heat");
  const grids = JSON.parse(one("#grids").textContent);
  const blocks = [...boards, ...heats].map(table => ({ table, box: table.closest(".block") }));
  let state = {};

  // The link: everything a reader chose, so that it can be sent on.
  const read = () => {
    const hash = location.hash.slice(1);
    state = hash.includes("=") ? Object.fromEntries(new URLSearchParams(hash)) : {};
    search.value = state.q || "";
    for (const select of selects) {
      select.value = state[select.dataset.facet] || "";
      if (select.selectedIndex < 0) { select.value = ""; delete state[select.dataset.facet]; }
    }
  };
  const write = () => {
    const kept = Object.fromEntries(Object.entries(state).filter(([, value]) => value));
    const hash = "#" + new URLSearchParams(kept);
    try { history.replaceState(null, "", hash); } catch { location.replace(hash); }
  };
  const choose = changes => { Object.assign(state, changes); write(); apply(); };

  // Rows: those of one attack can be shown under their classifier, or all for themselves.
  const rows = new Map(boards.map(table => {
    let head = null;
    return [table, [...table.tBodies[0].rows].map((tr, place) => {
      const part = tr.classList.contains("part");
      const row = { tr, place, part, head: part ? head : null, open: false, parts: [] };
      row.text = tr.textContent.toLowerCase() + " " + Object.values(tr.dataset).join(" ").toLowerCase();
      if (part) head.parts.push(row); else head = row;
      return row;
    })];
  }));
  const flat = () => state.view === "attacks" || Boolean(state.attack);
  const fits = (data, text) => {
    const facet = select => {
      const wanted = state[select.dataset.facet], own = data[select.dataset.facet];
      return !wanted || !own || wanted === own;
    };
    const words = (state.q || "").toLowerCase().split(/\s+/);
    return selects.every(facet) && words.every(word => text.includes(word));
  };

  const value = (row, column) => {
    const raw = row.tr.cells[column].dataset.v;
    return raw === undefined ? null : isNaN(raw) ? raw : Number(raw);
  };
  const order = (column, sign) => (a, b) => {
    const x = value(a, column), y = value(b, column);
    if (x === null || y === null) return (x === null) - (y === null) || a.place - b.place;
    const less = typeof x === "number" && typeof y === "number" ? x - y : String(x).localeCompare(String(y), "en");
    return sign * less || a.place - b.place;
  };
  const done = new Map();
  const sort = table => {
    const [name, direction] = (state["sort-" + table.dataset.board] || "").split(":");
    const wanted = [name, direction, flat()].join();
    if (done.get(table) === wanted) return;
    done.set(table, wanted);
    const headers = [...table.tHead.rows[0].cells];
    const column = headers.findIndex(th => th.dataset.column === name);
    headers.forEach((th, i) => {
      th.setAttribute("aria-sort", i !== column ? "none" : direction === "down" ? "descending" : "ascending");
    });
    const by = column < 0 ? (a, b) => a.place - b.place : order(column, direction === "down" ? -1 : 1);
    const list = rows.get(table), heads = list.filter(row => !row.part).sort(by);
    const sorted = flat() ? [...heads, ...list.filter(row => row.part).sort(by)]
      : heads.flatMap(row => [row, ...row.parts.sort(by)]);
    table.tBodies[0].append(...sorted.map(row => row.tr));
  };
  const filter = table => {
    let shown = 0, total = 0;
    const alone = flat() && rows.get(table).some(row => row.part);
    table.classList.toggle("flat", alone);
    for (const row of rows.get(table)) {
      const whole = row.text + row.parts.map(part => part.text).join(" ");
      const fit = fits(row.tr.dataset, alone ? row.text : whole);
      if (row.part === alone) { total += 1; shown += fit; }
      row.fit = fit;
      row.tr.hidden = alone ? !row.part || !fit : row.part ? !(row.head.fit && row.head.open) : !fit;
    }
    return [shown, total];
  };

  const heat = (table, number) => {
    const attack = state.attack || state.via || table.dataset.attack, grid = grids[number][attack];
    let shown = 0;
    [...table.tBodies[0].rows].forEach((tr, i) => {
      const fit = fits(tr.dataset, Object.values(tr.dataset).join(" ").toLowerCase());
      tr.hidden = !fit;
      shown += fit;
      [...tr.cells].slice(1).forEach((td, j) => {
        const cell = grid ? grid[i][j] : ["–", "", "", 0];
        if (!cell) return;
        const [count, figure, detail] = td.children;
        [figure.textContent, detail.textContent] = cell;
        count.textContent = cell[2] && "n " + cell[2];
        td.style.setProperty("--t", cell[3]);
      });
    });
    one("caption .attack", table).textContent = attack;
    return [shown, table.tBodies[0].rows.length];
  };

  const apply = () => {
    let shown = 0, total = 0;
    boards.forEach(sort);
    for (const { table, box } of blocks) {
      const [some, every] = rows.has(table) ? filter(table) : heat(table, heats.indexOf(table));
      one(".count", box).textContent = some === every ? `${every} rows` : `${some} of ${every} rows`;
      box.hidden = some === 0;
      shown += some;
      total += every;
    }
    for (const figure of all("#training figure")) {
      figure.hidden = !fits(figure.dataset, (figure.textContent + Object.values(figure.dataset).join(" ")).toLowerCase());
    }
    for (const group of all("#training :is(div, details)")) group.hidden = !one("figure:not([hidden])", group);
    for (const figure of all("#overview figure")) figure.hidden = Boolean(state.dataset) && state.dataset !== figure.dataset.dataset;
    for (const section of all("main section")) {
      const none = one(".none", section);
      if (none) none.hidden = all(".block", section).some(box => !box.hidden);
    }
    one("#count").textContent = shown === total ? `${total} rows` : `${shown} of ${total} rows`;
    one("#clear").hidden = !(state.q || selects.some(select => state[select.dataset.facet]));
    for (const button of all("[data-view]")) {
      button.setAttribute("aria-pressed", String(flat() === (button.dataset.view === "attacks")));
    }
    if (via) via.value = state.attack || state.via || via.options[0].value;
  };

  const toggle = (row, open) => {
    row.open = open;
    const button = one(".more", row.tr);
    if (button) button.setAttribute("aria-expanded", String(open));
  };
  for (const [table, list] of rows) {
    for (const row of list) {
      const button = one(".more", row.tr);
      if (button) button.addEventListener("click", () => { toggle(row, !row.open); filter(table); });
    }
    all("thead button", table).forEach(button => button.addEventListener("click", () => {
      const key = "sort-" + table.dataset.board, name = button.closest("th").dataset.column;
      const first = button.dataset.first, other = first === "down" ? "up" : "down";
      const next = { [`${name}:${first}`]: `${name}:${other}`, [`${name}:${other}`]: "" };
      choose({ [key]: state[key] in next ? next[state[key]] : `${name}:${first}` });
    }));
  }
  search.addEventListener("input", () => choose({ q: search.value.trim() }));
  for (const select of selects) select.addEventListener("change", () => choose({ [select.dataset.facet]: select.value }));
  for (const button of all("[data-view]")) {
    button.addEventListener("click", () => {
      choose({ view: button.dataset.view === "attacks" ? "attacks" : "", attack: "" });
      read();
    });
  }
  for (const link of all("a[href^='#']")) {
    link.addEventListener("click", event => {
      const there = document.getElementById(link.hash.slice(1));
      event.preventDefault();
      there.scrollIntoView();
      there.focus({ preventScroll: true });
      choose({ at: there.id });
    });
  }
  if (via) via.addEventListener("change", () => {
    choose({ via: via.selectedIndex ? via.value : "", attack: "" });
    read();
  });
  one("#clear").addEventListener("click", () => {
    choose({ q: "", ...Object.fromEntries(selects.map(select => [select.dataset.facet, ""])) });
    read();
  });
  window.addEventListener("hashchange", () => { read(); apply(); });

  const theme = one("#theme");
  const dark = () => root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  theme.addEventListener("click", () => {
    root.dataset.theme = dark() ? "light" : "dark";
    try { localStorage.setItem("soundproof-theme", root.dataset.theme); } catch { /* not remembered */ }
    if (state.theme) choose({ theme: root.dataset.theme });
  });

  // One tooltip for all headings; its text is the glossary's.
  const tip = one("#tip");
  const explain = event => {
    const button = event.target.closest && event.target.closest("thead [aria-describedby]");
    if (!button) return;
    tip.textContent = one("#" + CSS.escape(button.getAttribute("aria-describedby"))).textContent;
    tip.hidden = false;
    const at = button.getBoundingClientRect();
    const left = Math.min(at.left, innerWidth - tip.offsetWidth - 12);
    tip.style.left = Math.max(12, left) + "px";
    tip.style.top = at.bottom + 8 + "px";
  };
  const hush = () => { tip.hidden = true; };
  for (const name of ["mouseover", "focusin"]) document.addEventListener(name, explain);
  for (const name of ["mouseout", "focusout"]) document.addEventListener(name, hush);
  document.addEventListener("scroll", hush, true);
  document.addEventListener("keydown", event => { if (event.key === "Escape") hush(); });

  root.classList.add("js");
  read();
  apply();
  if (state.at) { const there = document.getElementById(state.at); if (there) there.scrollIntoView(); }
})();
