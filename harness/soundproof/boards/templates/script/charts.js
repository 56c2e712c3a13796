  // One kind of chart: lines over an axis, in steps or straight.
  const svg = (tag, attributes = {}, ...children) => {
    const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) if (value !== undefined) element.setAttribute(name, value);
    element.append(...children.filter(child => child !== null));
    return element;
  };
  const WIDTH = 480, HEIGHT = 300, LEFT = 46, RIGHT = 468, TOP = 12, BOTTOM = 254;
  const DASHES = ["", "6 3", "2 3", "8 3 2 3"];

  const linear = (low, high, start, end) => value => start + (value - low) / (high - low || 1) * (end - start);
  const nice = high => {
    const power = 10 ** Math.floor(Math.log10(high || 1));
    const step = [0.25, 0.5, 1, 2, 5].map(each => each * power).find(each => high / each <= 5.001) || power;
    return Array.from({ length: Math.ceil(high / step - 1e-9) + 1 }, (_, i) => i * step);
  };
  const decades = (low, high) => {
    const found = [];
    for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power += 1) {
      for (const each of [1, 2, 5]) {
        const tick = each * 10 ** power;
        if (tick >= low * 0.999 && tick <= high * 1.001) found.push(tick);
      }
    }
    return found.length > 7 ? found.filter(tick => /^[1]/.test(tick.toExponential())) : found;
  };
  const plain = value => value >= 1e4 ? value.toLocaleString("en-US") : String(Number(value.toPrecision(6)));

  // lines: {label, points, bold, muted, colour}; mark: a limit on the axis.
  const chart = ({ title, sub, across, upward, lines, mark, log, steps, top, legend = true, words, bottom = 0 }) => {
    const xs = lines.flatMap(line => line.points.map(point => point[0])).filter(x => !log || x > 0);
    if (mark !== undefined && mark !== null) xs.push(mark);
    const ys = lines.flatMap(line => line.points.map(point => point[1])).filter(y => y !== null);
    if (!xs.length || !ys.length) return null;
    let low = Math.min(...xs), high = Math.max(...xs);
    if (!log && low > 0 && steps) low = 0;
    if (low === high) { low *= log ? 0.5 : 1; high = high * (log ? 2 : 1) + (log ? 0 : 1); }
    const ticks = log ? decades(low, high) : nice(high).filter(tick => tick >= low);
    if (!log && steps) high = Math.max(high, ticks[ticks.length - 1]);
    const scale = log ? linear(Math.log10(low), Math.log10(high), LEFT, RIGHT) : linear(low, high, LEFT, RIGHT);
    const x = value => scale(log ? Math.log10(Math.max(value, low)) : value);
    const heights = top ? (bottom ? [0.5, 0.6, 0.7, 0.8, 0.9, 1] : [0, 0.25, 0.5, 0.75, 1]) : nice(Math.max(...ys));
    const y = linear(heights[0], heights[heights.length - 1], BOTTOM, TOP);
    const grid = svg("g", { class: "grid" });
    for (const tick of heights) {
      const label = svg("text", { x: LEFT - 7, y: y(tick) + 4, "text-anchor": "end" });
      label.textContent = top && !bottom ? String(100 * tick) : plain(tick);
      grid.append(svg("path", { d: `M${LEFT} ${y(tick)}H${RIGHT}` }), label);
    }
    for (const tick of ticks) {
      const label = svg("text", { x: x(tick), y: BOTTOM + 17, "text-anchor": "middle" });
      label.textContent = plain(tick);
      grid.append(svg("path", { d: `M${x(tick)} ${TOP}V${BOTTOM}` }), label);
    }
    const drawn = [...lines].sort((a, b) => Boolean(a.bold) - Boolean(b.bold) || Boolean(b.muted) - Boolean(a.muted));
    const paths = drawn.map(line => {
      let path = "", pen = false;
      line.points.forEach(([at, value], i) => {
        if (value === null) { pen = false; return; }
        const px = x(at).toFixed(1), py = y(value).toFixed(1);
        if (!pen) path += steps && !bottom && i === 0 ? `M${px} ${y(heights[0]).toFixed(1)}V${py}` : `M${px} ${py}`;
        else path += steps ? `H${px}V${py}` : `L${px} ${py}`;
        pen = true;
      });
      const last = line.points.filter(point => point[1] !== null).pop();
      const name = svg("title");
      name.textContent = line.label;
      return svg("g", { class: `line ${line.muted ? "muted" : `k${(line.colour || 0) % 6}`}${line.bold ? " bold" : ""}${line.failed ? " failed" : ""}` },
        name,
        svg("path", { d: path, "stroke-dasharray": DASHES[Math.floor((line.colour || 0) / 6) % 4] || undefined }),
        last ? svg("circle", { cx: x(last[0]), cy: y(last[1]), r: line.bold ? 3.4 : 2.2 }) : null);
    });
    const picture = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": words || `${title}: ${lines.map(line => line.label).join(", ")}` }, grid);
    picture.append(...paths);
    if (mark !== undefined && mark !== null) {
      const label = svg("text", { x: x(mark) - 5, y: TOP + 10, class: "limit", "text-anchor": x(mark) < LEFT + 60 ? "start" : "end" });
      if (x(mark) < LEFT + 60) label.setAttribute("x", x(mark) + 5);
      label.textContent = "budget " + plain(mark);
      picture.append(svg("path", { class: "limit", d: `M${x(mark)} ${TOP}V${BOTTOM}` }), label);
    }
    const axis = svg("text", { class: "axis", x: RIGHT, y: BOTTOM + 37, "text-anchor": "end" });
    axis.textContent = across + " →";
    picture.append(axis);
    const shown = lines.filter(line => !line.muted);
    const key = line => make("li", {}, svg("svg", { viewBox: "0 0 18 10", class: `k${(line.colour || 0) % 6}`, "aria-hidden": "true" },
      svg("path", { d: "M0 5H18", class: line.bold ? "bold" : undefined, "stroke-dasharray": DASHES[Math.floor((line.colour || 0) / 6) % 4] || undefined })), ...broken(line.label));
    const more = lines.length - shown.length;
    return make("figure", {}, make("figcaption", {}, make("b", {}, title), make("small", {}, `${sub ? sub + ": " : ""}${upward}`)), picture,
      legend ? make("ul", { className: "legend" }, ...shown.map(key), more ? make("li", {}, `${more} more in grey`) : null) : null);
  };
