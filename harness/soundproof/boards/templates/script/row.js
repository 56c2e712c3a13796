  // One row on demand: all its numbers, curves, classes, clips, flags, and how to get it again.
  const dialog = one("#row");
  const percent = thousandths => thousandths / 1000;
  const points = (curve, which) => curve[1].map((at, i) => [at, percent(curve[which === "auc" ? 3 : 2][i])]);
  const strongest = (costs, which) => {
    // Nobody chose attacks clip by clip here: at each cost the best single one.
    const real = costs.filter(curve => curve[0] >= 0);
    const places = [...new Set(real.flatMap(curve => curve[1]))].sort((a, b) => a - b);
    let best = which === "auc" ? 0.5 : 0;
    return places.map(at => {
      for (const curve of real) {
        const i = curve[1].findLastIndex(each => each <= at);
        if (i >= 0) best = Math.max(best, percent(curve[which === "auc" ? 3 : 2][i]));
      }
      return [at, best];
    });
  };
  const securityCurves = (section, dataset, which, attack) => {
    const drawLines = curves => curves.map(curve => ({
      label: curve[0] < 0 ? "worst case over attacks" : short("attack", curve[0]), points: points(curve, which),
      bold: curve[0] < 0, colour: curve[0] < 0 ? 0 : 1 + curve[0], muted: attack !== undefined && curve[0] >= 0 && curve[0] !== attack,
    }));
    const costs = drawLines(section.costs || []);
    if (costs.length > 1) costs.unshift({ label: "strongest single attack", points: strongest(section.costs, which), bold: true, colour: 0 });
    const upward = which === "auc" ? "fooling AUC" : "fooling rate, %";
    return [
      chart({ title: "Over the size of the perturbation", upward, across: "‖ε‖₂", lines: drawLines(section.sizes || []), mark: data.budgets[dataset], log: true, steps: true, top: true, bottom: which === "auc" ? 0.5 : 0 }),
      chart({ title: "Over the gradients spent", upward: `${upward}, within the budget`, across: "gradients a clip", lines: costs, steps: true, top: true, bottom: which === "auc" ? 0.5 : 0 }),
    ].filter(Boolean);
  };

  const part = (title, ...content) => make("section", {}, make("h3", {}, title), ...content);
  const numbers = (table, i) => make("table", { className: "plain" },
    make("thead", {}, make("tr", {}, ...["Measure", "Value", "95 %", "n"].map(word => make("th", { scope: "col" }, word)))),
    make("tbody", {}, ...table.columns.filter(column => table.numbers[column.id][0][i] !== null).map(column => {
      const [value, low, high, n] = table.numbers[column.id].map(each => each[i]);
      return make("tr", {}, make("th", { scope: "row", title: column.meaning }, column.title), make("td", {}, write(value, column.unit)),
        make("td", {}, between(low, high, column.unit)), make("td", {}, n.toLocaleString("en-US")));
    })));
  const className = (dataset, at) => data.classes[dataset][at] || `class ${at}`;
  const confusion = (dataset, [attack, cells]) => {
    const size = Math.max(data.classes[dataset].length, ...cells.filter((_, i) => i % 3 < 2).map(each => each + 1));
    const counts = Array.from({ length: size }, () => new Array(size).fill(0));
    for (let i = 0; i < cells.length; i += 3) counts[cells[i]][cells[i + 1]] = cells[i + 2];
    const title = attack < 0 ? "Clean" : `Attacked by ${short("attack", attack)}, the strongest here`;
    if (size > 16) {
      const wrong = [];
      counts.forEach((row, a) => row.forEach((n, b) => { if (a !== b && n) wrong.push([n, a, b]); }));
      wrong.sort((x, y) => y[0] - x[0] || x[1] - y[1] || x[2] - y[2]);
      return make("div", {}, make("h4", {}, `${title}: most frequent confusions`),
        make("ol", {}, ...wrong.slice(0, 10).map(([n, a, b]) => make("li", {}, `${className(dataset, a)} → ${className(dataset, b)}: ${n}`))));
    }
    return make("div", { className: "scroll", role: "region", tabIndex: 0, "aria-label": "Confusion, " + title },
      make("table", { className: "confusion" }, make("caption", { className: "seen" }, title, make("small", {}, " true classes down, given ones across")),
        make("thead", {}, make("tr", {}, make("th", { scope: "col" }, make("span", { className: "unseen" }, "True class")), ...counts.map((_, at) => make("th", { scope: "col" }, make("span", {}, className(dataset, at)))))),
        make("tbody", {}, ...counts.map((row, at) => {
          const total = row.reduce((sum, n) => sum + n, 0) || 1;
          return make("tr", {}, make("th", { scope: "row" }, className(dataset, at)), ...row.map((n, given) => {
            const td = make("td", { className: given === at ? "right" : "wrong" }, n ? String(n) : make("span", { className: "unseen" }, "0"));
            td.style.setProperty("--t", n / total);
            return td;
          }));
        }))));
  };
  const classes = (dataset, list) => make("table", { className: "plain classes" },
    make("thead", {}, make("tr", {}, ...["Class", "Clips", "Right", ...(list[0].length > 2 ? ["Survive every attack"] : [])].map(word => make("th", { scope: "col" }, word)))),
    make("tbody", {}, ...list.map((counts, at) => make("tr", {}, make("th", { scope: "row" }, className(dataset, at)), make("td", {}, String(counts[0])),
      ...counts.slice(1).map(n => {
        const share = counts[0] ? n / counts[0] : 0, gauge = make("i", { className: "bar", "aria-hidden": "true" });
        for (const name of ["--v", "--h"]) gauge.style.setProperty(name, 100 * share);
        gauge.style.setProperty("--l", 0);
        return make("td", {}, `${(100 * share).toFixed(0)} %`, gauge);
      })))));
  const clips = (title, list) => make("div", {}, make("h4", {}, title), make("ol", {}, ...list.map(([name, size]) =>
    make("li", {}, ...broken(name), make("small", {}, size === null ? " not fooled by any search" : ` ‖ε‖₂ ${digits(size)}`)))));
  const learning = list => {
    const charts = [];
    for (const phase of ["model", "defense"]) {
      const runs = list.filter(run => run[0] === phase);
      for (const [title, at] of [["Training loss", 3], ["Validation score", 4]]) {
        const lines = runs.map(([, fold, seed, loss, score, epochs, failure]) => {
          const values = at === 3 ? loss : score, step = values.length > 1 ? (epochs - 1) / (values.length - 1) : 0;
          return { label: `fold ${fold}, seed ${seed}${failure ? ": " + failure : ""}`, points: values.map((value, i) => [1 + i * step, value]), colour: runs.indexOf(runs.find(run => run[1] === fold && run[2] === seed)), failed: Boolean(failure) };
        }).filter(each => each.points.length);
        charts.push(lines.length ? chart({ title, sub: phase === "model" ? "the model" : "what the defense trained", upward: counted(lines.length, "training"), across: "epoch", lines, legend: lines.length > 1 }) : null);
      }
    }
    return charts.filter(Boolean);
  };
  const recipe = (table, i) => {
    const who = table.who[i], entry = (kind, at) => data.names[kind][at][2];
    const undefended = short("defense", who[3]) === "none" || entry("defense", who[3]) === '"none"';
    const mine = table.attack[i] >= 0 ? [table.attack[i]] : tables.attacks.of.flatMap((of, j) => of === i ? [tables.attacks.attack[j]] : []);
    const lists = [["datasets", [entry("dataset", who[0])]], ["representations", [entry("representation", who[1])]], ["models", [entry("model", who[2])]],
      ["defenses", [...(undefended ? [] : ['"none"']), entry("defense", who[3])]], ["attacks", mine.map(at => entry("attack", at))]];
    return 'name = "row"\n' + lists.filter(([, list]) => list.length).map(([key, list]) => `${key} = [${list.join(", ")}]\n`).join("") + data.suite[1];
  };
  const flagged = (flags, checks) => make("dl", { className: "glossary" }, ...flags.map(flag => make("div", {}, make("dt", {}, ...badges([flag])),
    make("dd", {}, data.flags[flag][1] + (data.flags[flag][2] ? " Takes the rank away." : "")),
    ...checks.filter(each => each[1] === flag).map(each => make("dd", { className: "evidence" }, ...saying(each))))));
  const saying = ([, , title, said, evidence, runs]) => [make("b", {}, data.said[title]), " ", data.said[said],
    make("small", {}, [runs, data.said[evidence]].filter(Boolean).join("; "))];
  const examined = checks => {
    const count = verdict => checks.filter(each => each[0] === verdict).length;
    const tally = ["flagged", "hint", "passed", "not applicable", "not run"].filter(count).map(verdict => `${count(verdict)} ${verdict}`).join(", ");
    return [make("p", { className: "reading" }, "What was looked for so that these numbers can be believed. A check that passed proves nothing; it says that this fault was looked for."),
      make("details", {}, make("summary", {}, tally), make("table", { className: "plain checks" },
        make("thead", {}, make("tr", {}, ...["Question", "Answer", "What was looked at"].map(word => make("th", { scope: "col" }, word)))),
        make("tbody", {}, ...checks.map(each => make("tr", {}, make("th", { scope: "row" }, data.said[each[2]]), make("td", {}, each[0]),
          make("td", {}, data.said[each[3]], make("small", {}, [each[0] === "passed" ? "" : each[5], data.said[each[4]]].filter(Boolean).join("; "))))))))];
  };

  const fill = (table, i) => {
    const who = table.who[i], of = table.of[i], section = of >= 0 ? data.sections[of] : {}, attack = table.attack[i];
    const which = state.draw === "auc" ? "auc" : "rate";
    const close = make("button", { type: "button", className: "close", "aria-label": "Close" }, "×");
    close.addEventListener("click", () => dialog.close());
    const rank = of >= 0 ? tables.classifiers.rank[of] : "";
    const curves = securityCurves({ sizes: section.sizes || [], costs: section.costs || [] }, who[0], which, attack >= 0 ? attack : undefined);
    const trained = learning(section.training || []);
    const shots = data.pictures.filter(shot => shot.name[0] === who[0] && shot.name[1] === who[1]);
    one(".inside", dialog).replaceChildren(
      make("header", {}, make("small", {}, [short("dataset", who[0]), rank && `rank ${rank}`, attack >= 0 && `attacked by ${short("attack", attack)}`].filter(Boolean).join(" · ")),
        make("h2", { id: "row-title", tabIndex: -1 }, ...broken(titleOf(who))), close),
      part("Numbers", numbers(table, i)),
      ...(curves.length ? [part("Security curves", make("div", { className: "pictures" }, ...curves))] : []),
      ...(section.confusions && section.confusions.length ? [part("Confusions", make("div", { className: "side" }, ...section.confusions.map(each => confusion(who[0], each))))] : []),
      ...(section.classes && section.classes.length ? [part("Class by class", classes(who[0], section.classes))] : []),
      ...(section.hardest && section.hardest.length ? [part("Clips", make("div", { className: "side" }, clips("Hardest to fool", section.hardest), clips("Easiest to fool", section.easiest)))] : []),
      ...(shots.length ? [part("What attacks add", ...shots.map(shot => shown(shot, attack)))] : []),
      ...(trained.length ? [part("Training", make("div", { className: "pictures" }, ...trained))] : []),
      ...(table.flags[i].length ? [part("Flags", flagged(table.flags[i], section.checks || []))] : []),
      ...(section.checks && section.checks.length ? [part("Checks", ...examined(section.checks))] : []),
      part("Get it again", make("p", { className: "reading" }, "Save this as row.toml; the same row comes out, with the same key."),
        make("pre", { tabIndex: 0 }, recipe(table, i)), make("pre", { tabIndex: 0 }, "bench run --suite row.toml --out results/row")));
    for (const canvas of all("canvas", dialog)) paint(canvas);
  };
  const reveal = () => {
    const [name, at] = (state.row || "").split(":"), table = Object.hasOwn(tables, name) ? tables[name] : null, i = Number(at);
    if (!table || !(i >= 0 && i < table.size)) { if (dialog.open) dialog.close(); return; }
    fill(table, i);
    if (!dialog.open) dialog.showModal();
    dialog.scrollTop = 0;
    one("#row-title").focus({ preventScroll: true });
  };
