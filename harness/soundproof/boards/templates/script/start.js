  // Putting it together. The table at once, the pictures when there is time.
  let waiting = 0;
  const later = work => setTimeout(work, 30);
  const apply = () => {
    draw();
    one("#clear").hidden = !(state.q || selects.some(select => state[select.dataset.facet]));
    const mine = waiting += 1;
    later(() => { if (mine === waiting) { drawCurves(); drawSweeps(); drawHeats(); drawPictures(); drawLosses(); document.documentElement.dataset.drawn = String(mine); } });
  };

  search.addEventListener("input", () => choose({ q: search.value.trim() }));
  for (const select of selects) select.addEventListener("change", () => choose({ [select.dataset.facet]: select.value }));
  one("#clear").addEventListener("click", () => {
    choose({ q: "", ...Object.fromEntries(selects.map(select => [select.dataset.facet, ""])) });
    read();
    search.focus();
  });
  for (const button of all("[data-view]")) button.addEventListener("click", () => { choose({ view: button.dataset.view === "attacks" ? "attacks" : "" }); offer(); });
  for (const button of all("[data-draw]")) button.addEventListener("click", () => choose({ draw: button.dataset.draw === "auc" ? "auc" : "" }));
  if (board) {
    board.tHead.addEventListener("click", event => {
      const button = event.target.closest("button");
      if (!button) return;
      const key = "sort-" + view(), name = button.dataset.column, first = button.dataset.first, other = first === "down" ? "up" : "down";
      const next = state[key] === `${name}:${first}` ? `${name}:${other}` : state[key] === `${name}:${other}` ? "" : `${name}:${first}`;
      choose({ [key]: next });
    });
    board.tBodies[0].addEventListener("click", event => {
      const button = event.target.closest("button.open");
      if (button) { state.row = `${view()}:${button.dataset.row}`; note(); reveal(); }
    });
    board.tBodies[0].addEventListener("keydown", event => {
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key], buttons = step ? all("button.open", board) : [];
      const next = buttons[buttons.indexOf(event.target) + step];
      if (step && buttons.includes(event.target) && next) { event.preventDefault(); next.focus(); }
    });
    one("#columns").addEventListener("change", () => {
      const table = tables[view()], wanted = all("#columns input:checked").map(box => box.value);
      const usual = table.columns.filter(column => column.shown).map(column => column.id);
      choose({ ["cols-" + view()]: wanted.join() === usual.join() ? "" : wanted.join() });
    });
    one("#columns").addEventListener("keydown", event => { if (event.key === "Escape") { one("#columns").open = false; one("#columns summary").focus(); } });
    one("#csv").addEventListener("click", () => save(`${data.suite[0] || "results"}-${view()}.csv`, sheet()));
    one("button", more).addEventListener("click", () => { const first = made; extend(PAGE); const next = all("button.open", board)[first]; if (next) next.focus(); });
    new IntersectionObserver(seen => { if (seen.some(each => each.isIntersecting)) extend(PAGE); }, { rootMargin: "200px" }).observe(more);
    window.addEventListener("beforeprint", () => { if (!dialog.open) extend(1000); });
  }
  dialog.addEventListener("close", () => {
    const open = one(`button.open[data-row="${CSS.escape((state.row || "").split(":")[1] || "")}"]`);
    state.row = "";
    note();
    if (open) open.focus();
  });
  dialog.addEventListener("click", event => { if (event.target === dialog) dialog.close(); });
  for (const link of all("a[href^='#']")) {
    link.addEventListener("click", event => {
      const there = document.getElementById(link.hash.slice(1));
      event.preventDefault();
      there.scrollIntoView();
      there.focus({ preventScroll: true });
      state.at = there.id;
      note();
    });
  }
  window.addEventListener("hashchange", () => { read(); offer(); apply(); reveal(); });

  const root = document.documentElement, theme = one("#theme");
  const dark = () => root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  theme.addEventListener("click", () => {
    root.dataset.theme = dark() ? "light" : "dark";
    try { localStorage.setItem("soundproof-theme", root.dataset.theme); } catch { /* not remembered */ }
    if (state.theme) { state.theme = root.dataset.theme; note(); }
  });

  // One tooltip for all headings; its text is the glossary's.
  const tip = one("#tip");
  const explain = event => {
    const button = event.target.closest && event.target.closest("thead [aria-describedby]");
    if (!button) return;
    tip.textContent = one("#" + CSS.escape(button.getAttribute("aria-describedby"))).textContent;
    tip.hidden = false;
    const at = button.getBoundingClientRect();
    tip.style.left = Math.max(12, Math.min(at.left, innerWidth - tip.offsetWidth - 12)) + "px";
    tip.style.top = at.bottom + 8 + "px";
  };
  const hush = () => { tip.hidden = true; };
  for (const name of ["mouseover", "focusin"]) document.addEventListener(name, explain);
  for (const name of ["mouseout", "focusout"]) document.addEventListener(name, hush);
  document.addEventListener("scroll", hush, true);
  document.addEventListener("keydown", event => { if (event.key === "Escape") hush(); });

  root.classList.add("js");
  read();
  offer();
  apply();
  reveal();
  if (state.at) { const there = document.getElementById(state.at); if (there) there.scrollIntoView(); }
