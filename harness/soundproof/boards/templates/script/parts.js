  // Curves, sweeps, transfers, pictures and losses.
  const spread = (id, ...figures) => { const box = one(`#${id}`); if (box) box.replaceChildren(...figures.filter(Boolean)); };
  const LOUD = 8;

  const drawCurves = () => {
    const which = state.draw === "auc" ? "auc" : "rate", table = tables.classifiers, figures = [];
    for (const button of all("[data-draw]")) button.setAttribute("aria-pressed", String(button.dataset.draw === which));
    const datasets = [...new Set(table.who.map(who => who[0]))].filter(at => !state.dataset || short("dataset", at) === state.dataset);
    const attack = data.names.attack ? data.names.attack.findIndex(each => each[0] === state.attack) : -1;
    for (const dataset of datasets) {
      const here = table.who.map((_, i) => i).filter(i => table.who[i][0] === dataset && fits(table, i, KINDS));
      const lines = kind => here.map((i, place) => {
        const curves = data.sections[i][kind] || [], own = curves.filter(curve => attack < 0 || curve[0] === attack);
        if (!own.length) return null;
        const found = attack >= 0 ? points(own[0], which) : kind === "costs" ? strongest(own, which) : points(own.find(curve => curve[0] < 0) || own[0], which);
        return { label: titleOf(table.who[i]), points: found, bold: here.length <= 4, colour: place, muted: place >= LOUD };
      }).filter(Boolean);
      const name = short("dataset", dataset), bottom = which === "auc" ? 0.5 : 0, upward = which === "auc" ? "fooling AUC" : "fooling rate, %";
      figures.push(
        chart({ title: "Fooled by how large a perturbation", sub: name, upward: `${upward}, ${attack < 0 ? "worst case over attacks" : state.attack}`, across: "‖ε‖₂", lines: lines("sizes"), mark: data.budgets[dataset], log: true, steps: true, top: true, bottom }),
        chart({ title: "Fooled for how many gradients", sub: name, upward: `${upward}, ${attack < 0 ? "strongest single attack" : state.attack} within the budget`, across: "gradients a clip", lines: lines("costs"), steps: true, top: true, bottom }));
    }
    spread("curves-drawn", ...figures);
    for (const figure of all("#curves figure[data-dataset]")) figure.hidden = Boolean(state.dataset) && state.dataset !== figure.dataset.dataset;
  };

  const SWEPT = { classifiers: ["accuracy", "robust_accuracy", "reach_l2", "gradients"], attacks: ["fooling_rate", "reach_l2", "reach_gradients"] };
  const drawSweeps = () => {
    const figures = data.sweeps.flatMap(sweep => SWEPT[sweep.table].map(id => {
      const table = tables[sweep.table], column = table.columns.find(each => each.id === id);
      if (!column) return null;
      const share = column.unit === "share", scale = share ? 100 : 1;
      const lines = sweep.lines.map(([label, list]) => ({
        label: label || sweep.id, points: list.filter(([, row]) => fits(table, row)).map(([at, row]) => [at, table.numbers[id][0][row] === null ? null : table.numbers[id][0][row] * scale]),
      })).filter(each => each.points.filter(point => point[1] !== null).length > 1).map((each, place) => ({ ...each, colour: place, muted: place >= LOUD }));
      const values = lines.flatMap(each => each.points.map(point => point[0]));
      const log = values.length > 0 && Math.min(...values) > 0 && Math.max(...values) / Math.min(...values) >= 8;
      return lines.length ? chart({ title: column.title, sub: `${sweep.kind} ${sweep.id}`, upward: `over ${sweep.parameter}`, across: sweep.parameter, lines, log }) : null;
    }));
    spread("sweeps .drawn", make("div", { className: "pictures" }, ...figures.filter(Boolean)));
  };

  const drawHeats = () => {
    if (!data.heats.length) return;
    const here = data.heats.map((heat, i) => i).filter(i => {
      const heat = data.heats[i];
      return (!state.dataset || short("dataset", heat.dataset) === state.dataset) && (!state.representation || heat.representation === null || short("representation", heat.representation) === state.representation);
    });
    const option = (value, text, selected) => make("option", { value, selected }, text);
    const at = here.includes(Number(state.heat)) && state.heat ? Number(state.heat) : here[0];
    if (at === undefined) { spread("transfers .drawn", make("p", { className: "none" }, "No transfer fits the filters.")); return; }
    const heat = data.heats[at], wanted = state.attack && heat.attacks.includes(state.attack) ? state.attack : state.via;
    const via = Math.max(0, heat.attacks.indexOf(wanted));
    const where = make("select", { "aria-label": "Inputs" }, ...here.map(i => option(String(i), `${short("dataset", data.heats[i].dataset)} · ${data.heats[i].representation === null ? "across representations" : short("representation", data.heats[i].representation)}`, i === at)));
    const by = make("select", { "aria-label": "Attack of the transfers" }, ...heat.attacks.map((name, i) => option(name, name, i === via)));
    where.addEventListener("change", () => choose({ heat: where.value }));
    by.addEventListener("change", () => choose({ via: by.value }));
    const through = (name, of) => of === undefined ? "" : `${name("representation", of)} · `;
    const variant = ([model, defense, representation]) => [make("b", {}, ...broken(short("model", model))), make("small", {}, ...broken(through(short, representation) + short("defense", defense)))];
    const spelled = ([model, defense, representation]) => `${full("model", model)} · ${through(full, representation)}${full("defense", defense)}`;
    const same = (a, b) => a.every((part, i) => part === b[i]);
    const rows = heat.sources.map((source, r) => ({ source, r })).filter(({ source }) => (!state.model || short("model", source[0]) === state.model) && (!state.defense || short("defense", source[1]) === state.defense) && (!state.representation || heat.representation !== null || short("representation", source[2]) === state.representation));
    const dense = heat.targets.length > 12;
    const table = make("table", { className: "heat" + (dense ? " dense" : "") },
      make("caption", {}, `Transfer ratio in percent, ${heat.attacks[via]}: sources down, targets across`),
      make("thead", {}, make("tr", {}, make("th", { scope: "col", className: "name" }, "Source ↓  Target →"), ...heat.targets.map(target => make("th", { scope: "col", title: spelled(target) }, ...variant(target))))),
      make("tbody", {}, ...rows.map(({ source, r }) => make("tr", {}, make("th", { scope: "row", className: "name", title: spelled(source) }, ...variant(source)),
        ...heat.targets.map((target, c) => {
          if (same(source, target)) return make("td", { className: "self" }, make("span", { className: "unseen" }, "itself"));
          const found = heat.cells[via][r * heat.targets.length + c];
          if (!found) return make("td", {}, "–");
          const [value, low, high, n] = found, interval = `${(low / 10).toFixed(0)}–${(high / 10).toFixed(0)}`;
          const td = make("td", { title: `${interval} %, n ${n}` }, make("b", {}, (value / 10).toFixed(dense ? 0 : 1)), dense ? null : make("small", {}, interval));
          td.style.setProperty("--t", value / 1000);
          return td;
        })))));
    spread("transfers .drawn", make("div", { className: "tools" }, where, by), make("div", { className: "scroll", role: "region", tabIndex: 0, "aria-label": "Transfer matrix" }, table));
  };

  // Pictures: sixteen levels, two in a byte.
  const unpack = (text, size) => {
    const bytes = Uint8Array.from(atob(text), letter => letter.charCodeAt(0)), found = new Uint8Array(size);
    for (let i = 0; i < size; i += 1) found[i] = i % 2 ? bytes[i >> 1] & 15 : bytes[i >> 1] >> 4;
    return found;
  };
  const INK = [[0, 0, 4], [40, 11, 84], [101, 21, 110], [159, 42, 99], [212, 72, 66], [245, 125, 21], [250, 193, 39], [252, 255, 164]];
  const glow = share => {
    const at = Math.min(0.9999, Math.max(0, share)) * (INK.length - 1), low = Math.floor(at), rest = at - low;
    return INK[low].map((value, i) => value + rest * (INK[low + 1][i] - value));
  };
  const sign = share => share < 0 ? [255 + share * 222, 255 + share * 153, 255 + share * 83] : [255 - share * 77, 255 - share * 231, 255 - share * 212];
  const works = new WeakMap();
  const canvas = (shape, value, colour, label) => {
    const element = make("canvas", { width: shape[1], height: shape[0], role: "img", "aria-label": label });
    works.set(element, { shape, value, colour });
    return element;
  };
  const paint = element => {
    const work = works.get(element);
    if (!work || work.done) return;
    work.done = true;
    const [height, width] = work.shape, context = element.getContext("2d"), image = context.createImageData(width, height);
    for (let row = 0; row < height; row += 1) {
      for (let column = 0; column < width; column += 1) {
        // Row 0 is the lowest frequency, and stands at the bottom.
        const colour = work.colour(work.value(row * width + column)), at = 4 * ((height - 1 - row) * width + column);
        image.data[at] = colour[0]; image.data[at + 1] = colour[1]; image.data[at + 2] = colour[2]; image.data[at + 3] = 255;
      }
    }
    context.putImageData(image, 0, 0);
  };
  const shown = (shot, attack = -1) => {
    const size = shot.shape[0] * shot.shape[1], input = unpack(shot.input, size), dataset = shot.name[0];
    const changes = shot.changes.filter(change => attack < 0 || change.attack === attack);
    const triple = change => {
      const levels = unpack(change.levels, size), delta = i => (levels[i] - 8) / 7, name = short("attack", change.attack);
      const given = change.given < 0 ? "" : change.given === shot.label ? "still " + className(dataset, shot.label) : className(dataset, change.given);
      const aim = change.target < 0 ? "" : `, aimed at ${className(dataset, change.target)}`;
      return make("figure", { className: "shot" }, make("figcaption", {}, make("b", {}, ...broken(name)), make("small", {}, `‖ε‖₂ ${digits(change.l2)}, ‖ε‖∞ ${digits(change.linf)}${given ? ` · ${given}` : ""}${aim}`)),
        make("div", {},
          canvas(shot.shape, i => input[i] / 15, glow, "The clip"),
          canvas(shot.shape, delta, sign, `What ${name} adds, at most ${digits(change.scale)}`),
          canvas(shot.shape, i => input[i] / 15 + delta(i) * change.scale, glow, `The clip with what ${name} adds`)));
    };
    return make("div", { className: "shots" }, make("h4", {}, `${short("dataset", dataset)} · ${short("representation", shot.name[1])} · ${short("model", shot.name[2])}: ${shot.clip}, ${className(dataset, shot.label)}`),
      make("div", { className: "pictures" }, ...changes.map(triple)));
  };
  const drawPictures = () => {
    if (!data.pictures.length) return;
    const here = data.pictures.filter(shot => (!state.dataset || short("dataset", shot.name[0]) === state.dataset) && (!state.representation || short("representation", shot.name[1]) === state.representation));
    const wanted = data.names.attack.findIndex(each => each[0] === state.attack);
    spread("pictures .drawn", ...here.map(shot => shown(shot, wanted)));
    const watch = new IntersectionObserver(seen => {
      for (const each of seen) if (each.isIntersecting) { paint(each.target); watch.unobserve(each.target); }
    }, { rootMargin: "400px" });
    for (const element of all("#pictures canvas")) watch.observe(element);
  };

  const drawLosses = () => {
    if (!data.unscored.length) return;
    const words = (state.q || "").toLowerCase().split(/\s+/);
    const groups = data.unscored.map(([status, protocol, reason, cells]) => {
      const mine = cells.filter(([where, target, runs]) => KINDS.every((kind, k) => !state[kind] || short(kind, where[k]) === state[kind]) && (!state.attack || where[4] < 0 || short("attack", where[4]) === state.attack)
        && words.every(word => `${status} ${protocol} ${reason} ${target} ${runs} ${KINDS.map((kind, k) => short(kind, where[k])).join(" ")} ${short("attack", where[4])}`.toLowerCase().includes(word)));
      if (!mine.length) return null;
      const list = make("ul", {});
      const details = make("details", {}, make("summary", {}, make("span", { className: "badge" + (status === "skipped" ? "" : " red") }, status), make("b", {}, ` ${counted(mine.length, "cell")}, ${protocol}: `), reason), list);
      details.addEventListener("toggle", () => {
        if (!list.children.length) list.append(...mine.slice(0, 500).map(([where, target, runs]) => make("li", {}, [short("dataset", where[0]), titleOf(where), short("attack", where[4]), target && `to ${target}`, runs].filter(Boolean).join(" · "))));
        if (mine.length > 500 && list.children.length === 500) list.append(make("li", {}, `… and ${mine.length - 500} more in results.jsonl`));
      });
      return details;
    }).filter(Boolean);
    spread("unscored .drawn", ...(groups.length ? groups : [make("p", { className: "none" }, "No cell fits the filters.")]));
  };
