  // The data, and how its numbers are written: as boards/formats.py does.
  const all = (selector, from = document) => [...from.querySelectorAll(selector)];
  const one = (selector, from = document) => from.querySelector(selector);
  const data = JSON.parse(one("#payload").textContent);
  const KINDS = ["dataset", "representation", "model", "defense"];

  const make = (tag, properties = {}, ...children) => {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(properties)) {
      if (value === undefined || value === false) continue;
      if (name in element && name !== "role" && name !== "style") element[name] = value;
      else element.setAttribute(name, value === true ? "" : value);
    }
    element.append(...children.flat().filter(child => child !== null && child !== undefined && child !== ""));
    return element;
  };
  // A name may be broken where its parts meet, never inside of a word.
  const broken = text => {
    const parts = String(text).split(/(?<=[-_/(,=.·])/);
    return parts.flatMap((part, i) => i ? [make("wbr"), part] : [part]);
  };

  const digits = value => {
    if (value === 0) return "0";
    const decimals = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
    return value.toLocaleString("en-US", { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
  };
  const write = (value, unit) => {
    if (value === null || value === undefined) return "";
    if (unit === "share") return (100 * value).toFixed(1);
    if (unit === "area") return value.toFixed(3);
    if (unit === "ratio") return value.toFixed(2);
    if (unit === "count") return value >= 100 ? Math.round(value).toLocaleString("en-US") : value.toFixed(1);
    return digits(value);
  };
  const between = (low, high, unit) => {
    if (low === null || low === high) return "";
    return write(low, unit) + (low < 0 ? " to " : "–") + write(high, unit);
  };
  const counted = (number, what) => `${number.toLocaleString("en-US")} ${what}${number === 1 ? "" : "s"}`;
  const short = (kind, at) => at < 0 ? "" : data.names[kind][at][0];
  const full = (kind, at) => at < 0 ? "" : data.names[kind][at][1];

  // Tables: a row is its place in the columns.
  const tables = Object.fromEntries(Object.entries(data.tables).map(([name, table]) => {
    const columns = table.columns.map(([id, title, meaning, unit, shown]) => ({ id, title, meaning, unit, shown }));
    const text = table.who.map((who, i) => [
      ...KINDS.map((kind, k) => short(kind, who[k]) + " " + full(kind, who[k])),
      short("attack", table.attack[i]), table.note[i], ...table.flags[i].map(flag => data.flags[flag][0]),
    ].join(" ").toLowerCase());
    return [name, { ...table, name, columns, text, size: table.who.length }];
  }));
  const several = new Set(tables.classifiers.who.map(who => who[0])).size > 1;
  const facet = (table, i, kind) => kind === "attack" ? short("attack", table.attack[i])
    : short(kind, table.who[i][KINDS.indexOf(kind)]);
  const titleOf = who => `${short("model", who[2])} · ${short("representation", who[1])} · ${short("defense", who[3])}`;

  const badges = flags => flags.map(flag => {
    const [title, meaning, unranks] = data.flags[flag];
    return make("span", { className: "badge" + (unranks ? " red" : ""), title: meaning }, title);
  });
